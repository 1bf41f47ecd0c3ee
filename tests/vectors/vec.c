/* tests/vectors/vec.c - reading files of test vectors, and counting cases. */
#include "vec.h"

#include <stdarg.h>
#include <setjmp.h>
#include <cmocka.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

char *vec_read(const char *path, size_t *len) {
    FILE *f = fopen(path, "rb");
    assert_non_null(f);
    assert_int_equal(fseek(f, 0, SEEK_END), 0);
    long size = ftell(f);
    assert_true(size > 0);
    rewind(f);
    char *text = malloc((size_t)size + 1);
    assert_non_null(text);
    assert_int_equal(fread(text, 1, (size_t)size, f), (size_t)size);
    fclose(f);
    text[size] = '\0';
    if (len)
        *len = (size_t)size;
    return text;
}

cJSON *vec_load(const char *path) {
    char *text = vec_read(path, NULL);
    for (char *at = text; (at = strchr(at, '\\')) != NULL; at += 2)
        if (strncmp(at + 1, "u0000", 5) == 0)
            memcpy(at + 1, "uE000", 5);
    cJSON *root = cJSON_Parse(text);
    free(text);
    assert_non_null(root);
    return root;
}

const char *vec_text(const cJSON *object, const char *name) {
    const cJSON *item = cJSON_GetObjectItemCaseSensitive(object, name);
    return cJSON_IsString(item) ? item->valuestring : "";
}

static int nibble(char c) {
    if (c >= '0' && c <= '9')
        return c - '0';
    assert_true(c >= 'a' && c <= 'f');
    return c - 'a' + 10;
}

uint8_t *vec_hex(const cJSON *object, const char *name, size_t *len) {
    const char *text = vec_text(object, name);
    size_t n = strlen(text) / 2;
    uint8_t *out = malloc(n + 1);
    assert_non_null(out);
    for (size_t i = 0; i < n; i++)
        out[i] = (uint8_t)(nibble(text[2 * i]) << 4 | nibble(text[2 * i + 1]));
    *len = n;
    return out;
}

size_t vec_latin1(char *out, size_t len, const char *text) {
    const uint8_t *p = (const uint8_t *)text;
    while (*p != 0) {
        uint32_t code = *p;
        size_t n = 1;
        if (code >= 0xE0) {
            code = (code & 15) << 12 | (p[1] & 63u) << 6 | (p[2] & 63u);
            n = 3;
        } else if (code >= 0xC0) {
            code = (code & 31) << 6 | (p[1] & 63u);
            n = 2;
        }
        if (code == 0xE000)
            code = 0;
        assert_true(code <= 0xFF);
        out[len++] = (char)code;
        p += n;
    }
    return len;
}

void vec_case(struct vec_count *count, const char *id, const char *comment,
              int right) {
    count->run++;
    if (right)
        return;
    count->wrong++;
    print_error("%s: case %s (%s) answered otherwise than required\n",
                count->file, id, comment);
}

void vec_end(const struct vec_count *count, int least) {
    print_message("%s: %d cases ran, %d unsupported, %d wrong\n", count->file,
                  count->run, count->unsupported, count->wrong);
    assert_int_equal(count->wrong, 0);
    assert_true(count->run >= least);
}
