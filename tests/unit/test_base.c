/* tests/unit/test_base.c - bytes, text and memory (lib/base). */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include <stdio.h>
#include <stdlib.h>

#include "base/base.h"
#include "alloc.h"

/* --- memory --- */

static void sums_that_do_not_fit_are_refused(void **state) {
    size_t n = 7;
    (void)state;
    assert_int_equal(mru_add_size(SIZE_MAX, 1, &n), -1);
    assert_int_equal(mru_mul_size(SIZE_MAX / 2, 3, &n), -1);
    assert_int_equal(n, 7);
    assert_int_equal(mru_add_size(SIZE_MAX - 1, 1, &n), 0);
    assert_true(n == SIZE_MAX);
    assert_int_equal(mru_mul_size(0, SIZE_MAX, &n), 0);
    assert_int_equal(n, 0);
    assert_int_equal(mru_mul_size(SIZE_MAX, 0, &n), 0);
}

static void sums_of_time_are_clamped_and_never_unset_or_now(void **state) {
    (void)state;
    assert_true(mru_add_time(2, 3) == 5);
    assert_true(mru_add_time(INT64_MAX, 1) == INT64_MAX);
    assert_true(mru_add_time(INT64_MAX, INT64_MAX) == INT64_MAX);
    assert_true(mru_add_time(INT64_MIN, INT64_MIN) == INT64_MIN + 2);
    assert_true(mru_add_time(INT64_MIN + 1, 0) == INT64_MIN + 2);
    assert_true(mru_add_time(INT64_MIN + 4, -1) == INT64_MIN + 3);
    assert_true(mru_add_time(INT64_MIN + 4, -3) == INT64_MIN + 2);
    assert_true(mru_add_time(INT64_MAX, INT64_MIN) == -1);
}

static void equal_ct_sees_every_bit_of_every_byte(void **state) {
    uint8_t a[33] = {0}, b[33] = {0};
    (void)state;
    assert_int_equal(mru_equal_ct(a, b, sizeof a), 1);
    for (size_t i = 0; i < sizeof a * 8; i++) {
        b[i / 8] = (uint8_t)(1u << i % 8);
        assert_int_equal(mru_equal_ct(a, b, sizeof a), 0);
        b[i / 8] = 0;
    }
    assert_int_equal(mru_equal_ct("a", "b", 0), 1);
}

static void dup_copies_and_terminates(void **state) {
    (void)state;
    char *copy = mru_dup("abc", 2);
    assert_string_equal(copy, "ab");
    mru_free(copy);
    copy = mru_dup(NULL, 0);
    assert_string_equal(copy, "");
    mru_free(copy);
    assert_null(mru_dup("a", SIZE_MAX));
}

static void wiped_bytes_are_zero(void **state) {
    uint8_t bytes[3] = {1, 2, 3};
    (void)state;
    mru_wipe(bytes, 2);
    assert_int_equal(bytes[0] | bytes[1], 0);
    assert_int_equal(bytes[2], 3);
    mru_wipe(NULL, 9);
}

/* --- buffer --- */

static void buffer_keeps_what_was_added_and_ends_in_nul(void **state) {
    struct mru_buf buf = {0};
    (void)state;
    for (int i = 0; i < 1000; i++) {
        mru_buf_add_byte(&buf, (uint8_t)i);
        assert_int_equal(buf.data[buf.len], 0);
    }
    mru_buf_add_text(&buf, "text");
    mru_buf_add_u32(&buf, 0x01020304);
    mru_buf_add_u64(&buf, UINT64_C(0x05060708090A0B0C));
    mru_buf_add(&buf, NULL, 0);
    assert_int_equal(buf.failed, 0);
    assert_int_equal(buf.len, 1016);
    for (int i = 0; i < 1000; i++)
        assert_int_equal(buf.data[i], (uint8_t)i);
    assert_memory_equal(buf.data + 1000, "text\1\2\3\4\5\6\7\10\11\12\13\14",
                        17);
    assert_true(mru_get_u32(buf.data + 1004) == 0x01020304);
    assert_true(mru_get_u64(buf.data + 1008) == UINT64_C(0x05060708090A0B0C));
    mru_buf_free(&buf);
    assert_null(buf.data);
    assert_int_equal(buf.len | buf.cap, 0);
}

static void an_empty_addition_gives_an_empty_text(void **state) {
    struct mru_buf buf = {0};
    (void)state;
    mru_buf_add_text(&buf, "");
    assert_string_equal((char *)buf.data, "");
    mru_buf_free(&buf);
}

static void buffer_failure_sticks_until_freed(void **state) {
    struct mru_buf buf = {0};
    (void)state;
    mru_buf_add_text(&buf, "kept");
    assert_null(mru_buf_extend(&buf, SIZE_MAX));
    assert_int_equal(buf.failed, 1);
    mru_buf_add_text(&buf, "more");
    assert_int_equal(buf.len, 4);
    assert_string_equal((char *)buf.data, "kept");
    mru_buf_free(&buf);
    assert_int_equal(buf.failed, 0);
}

static void buffer_without_memory_fails_and_leaks_nothing(void **state) {
    (void)state;
    if (!test_alloc_available())
        skip();
    long live = test_alloc_live();
    unsigned long n = 1;
    for (;; n++) {
        struct mru_buf buf = {0};
        test_alloc_fail_at(n);
        for (int i = 0; i < 100; i++)
            mru_buf_add_text(&buf, "0123456789");
        mru_buf_add_b64(&buf, (const uint8_t *)"abc", 3);
        int pending = test_alloc_pending();
        test_alloc_fail_at(0);
        assert_int_equal(buf.failed, !pending);
        assert_int_equal(buf.len == 1004, pending);
        mru_buf_free(&buf);
        assert_true(test_alloc_live() == live);
        if (pending)
            break;
    }
    assert_true(n > 4); /* 64, 128, ... 1024 */
    printf("%lu failing allocations\n", n - 1);
    test_alloc_fail_at(1);
    assert_null(mru_dup("a", 1));
    test_alloc_fail_at(0);
}

/* --- base64url --- */

static void b64_knows_the_examples_of_rfc_4648(void **state) {
    static const char *const pairs[][2] = {{"", ""},
                                           {"f", "Zg"},
                                           {"fo", "Zm8"},
                                           {"foo", "Zm9v"},
                                           {"foob", "Zm9vYg"},
                                           {"fooba", "Zm9vYmE"},
                                           {"foobar", "Zm9vYmFy"},
                                           {"\xfb\xff", "-_8"}};
    (void)state;
    for (size_t i = 0; i < sizeof pairs / sizeof *pairs; i++) {
        size_t len = strlen(pairs[i][0]), text_len = strlen(pairs[i][1]);
        char text[16] = "";
        uint8_t data[16] = {0};
        assert_int_equal(MRU_B64_LEN(len), text_len);
        mru_b64_encode(text, (const uint8_t *)pairs[i][0], len);
        assert_string_equal(text, pairs[i][1]);
        assert_int_equal(mru_b64_decode(data, text, text_len), (int)len);
        assert_memory_equal(data, pairs[i][0], len + 1);
        assert_int_equal(mru_b64_decode(NULL, text, text_len), (int)len);
    }
}

static void b64_gives_back_what_went_in(void **state) {
    uint8_t data[67], back[67];
    char text[MRU_B64_LEN(67)];
    (void)state;
    for (size_t len = 0; len <= sizeof data; len++) {
        for (size_t i = 0; i < len; i++)
            data[i] = (uint8_t)(i * 151 + len * 7);
        struct mru_buf buf = {0};
        mru_buf_add_b64(&buf, data, len);
        mru_b64_encode(text, data, len);
        assert_int_equal(buf.len, MRU_B64_LEN(len));
        assert_memory_equal(buf.data, text, buf.len);
        assert_int_equal(mru_b64_decode(back, text, buf.len), (int)len);
        assert_memory_equal(back, data, len);
        mru_buf_free(&buf);
    }
}

static void b64_refuses_what_is_not_the_one_text_of_its_bytes(void **state) {
    static const char *const bad[] = {
        "A",      "AAAAA",   "Zg==", "Zm8=", "Zh",   "Zm9",
        "Zm9v\n", " Zm9v",   "Zm+v", "Zm/v", "Zm9=", "Z\xc3g",
        "AAAAZh", "AAAAZm9", "=",    "====", "AB"};
    uint8_t out[16];
    (void)state;
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        assert_int_equal(mru_b64_decode(out, bad[i], strlen(bad[i])), -1);
        assert_int_equal(mru_b64_decode(NULL, bad[i], strlen(bad[i])), -1);
    }
    assert_int_equal(mru_b64_decode(out, "AA\0A", 4), -1);
    /* One character is no byte, whatever follows it. */
    assert_int_equal(mru_b64_decode(out, "AAA", 1), -1);
    assert_int_equal(mru_b64_decode(out, "AAAAAAA", 5), -1);
}

static void b64_knows_64_characters_at_every_place(void **state) {
    uint8_t out[8];
    (void)state;
    for (size_t place = 0; place < 7; place++) {
        int good = 0;
        for (int c = 0; c < 256; c++) {
            char text[7] = {'A', 'A', 'A', 'A', 'A', 'A', 'A'};
            text[place] = (char)c;
            good += mru_b64_decode(out, text, sizeof text) >= 0;
        }
        /* The last of three characters has two bits to spare. */
        assert_int_equal(good, place < 6 ? 64 : 16);
    }
}

/* --- UTF-8 --- */

static size_t from_hex(uint8_t *out, const char *hex) {
    size_t n = 0;
    unsigned byte;
    for (; hex[0] != '\0' && sscanf(hex, "%2x", &byte) == 1; hex += 2)
        out[n++] = (uint8_t)byte;
    return n;
}

static void utf8_is_told_as_the_vectors_do(void **state) {
    char line[512], id[64], hex[384];
    int valid, ran = 0;
    (void)state;
    FILE *file = fopen("tests/vectors/utf8tests/utf8tests.txt", "r");
    assert_non_null(file);
    while (fgets(line, sizeof line, file) != NULL) {
        uint8_t bytes[192];
        if (line[0] == '#')
            continue;
        assert_int_equal(sscanf(line, "%63s %d %383s", id, &valid, hex), 3);
        size_t len = hex[0] == '-' ? 0 : from_hex(bytes, hex);
        if (mru_utf8_valid(bytes, len) != valid)
            fail_msg("%s", line);
        ran++;
    }
    fclose(file);
    assert_int_equal(ran, 159);
    printf("%d cases\n", ran);
}

/* Counted by hand: 2048 - 128 of two bytes, 63488 - 2048 of three bytes,
 * 1048576 of four. */
static void utf8_has_1112064_characters(void **state) {
    long n = 0;
    (void)state;
    for (unsigned a = 0; a < 256; a++) {
        uint8_t p[4] = {(uint8_t)a};
        n += mru_utf8_valid(p, 1);
        for (unsigned b = 0x70; b < 256; b++) {
            p[1] = (uint8_t)b;
            n += a >= 0x80 && mru_utf8_character(p, 2) == 2;
            for (unsigned c = 0x70; c < 0xD0; c++) {
                p[2] = (uint8_t)c;
                n += mru_utf8_character(p, 3) == 3;
                for (unsigned d = 0x70; a >= 0xE0 && d < 0xD0; d++) {
                    p[3] = (uint8_t)d;
                    n += mru_utf8_character(p, 4) == 4;
                }
            }
        }
    }
    assert_int_equal(n, 0x110000 - 0x800);
}

static void text_has_no_control_characters(void **state) {
    static const char *const bad[] = {"a\x01",    "\x1f",    "\x7f", "\xc2\x80",
                                      "\xc2\x9f", "\x1b[0m", "\xff"};
    (void)state;
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++)
        assert_int_equal(
            mru_text_valid((const uint8_t *)bad[i], strlen(bad[i])), 0);
    assert_int_equal(mru_text_valid((const uint8_t *)"a\0b", 3), 0);
    assert_int_equal(mru_utf8_valid((const uint8_t *)"a\0b", 3), 1);
    assert_int_equal(mru_text_valid((const uint8_t *)"a\t\r\n\xc2\xa0~", 7), 1);
    assert_int_equal(mru_text_valid(NULL, 0), 1);
}

/* --- results --- */

static void bytes_keep_their_room_and_wipe_what_was_in_it(void **state) {
    size_t len = 7;
    mereau_bytes *bytes = mereau_bytes_new();
    (void)state;
    assert_non_null(bytes);
    assert_string_equal(mereau_bytes_text(bytes), "");
    mru_buf_add_text(&bytes->buf, "secret");
    const uint8_t *data = mereau_bytes_data(bytes, &len);
    assert_int_equal(len, 6);
    assert_string_equal((const char *)data, "secret");
    unsigned long before = test_alloc_count();
    mru_buf_reuse(&bytes->buf);
    for (size_t i = 0; i < 6; i++)
        assert_int_equal(data[i], 0);
    mru_buf_add_text(&bytes->buf, "other");
    assert_int_equal(test_alloc_count(), before);
    assert_string_equal(mereau_bytes_text(bytes), "other");
    mereau_bytes_free(bytes);
}

static void bytes_that_could_not_grow_are_empty(void **state) {
    size_t len = 7;
    mereau_bytes *bytes;
    (void)state;
    if (!test_alloc_available())
        skip();
    test_alloc_fail_at(1);
    assert_null(mereau_bytes_new());
    bytes = mereau_bytes_new();
    test_alloc_fail_at(1);
    mru_buf_add_text(&bytes->buf, "text");
    assert_string_equal((const char *)mereau_bytes_data(bytes, &len), "");
    assert_int_equal(len, 0);
    mru_buf_reuse(&bytes->buf);
    mru_buf_add_text(&bytes->buf, "text");
    assert_string_equal(mereau_bytes_text(bytes), "text");
    mereau_bytes_free(bytes);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(bytes_keep_their_room_and_wipe_what_was_in_it),
        cmocka_unit_test(bytes_that_could_not_grow_are_empty),
        cmocka_unit_test(sums_that_do_not_fit_are_refused),
        cmocka_unit_test(sums_of_time_are_clamped_and_never_unset_or_now),
        cmocka_unit_test(equal_ct_sees_every_bit_of_every_byte),
        cmocka_unit_test(dup_copies_and_terminates),
        cmocka_unit_test(wiped_bytes_are_zero),
        cmocka_unit_test(buffer_keeps_what_was_added_and_ends_in_nul),
        cmocka_unit_test(an_empty_addition_gives_an_empty_text),
        cmocka_unit_test(buffer_failure_sticks_until_freed),
        cmocka_unit_test(buffer_without_memory_fails_and_leaks_nothing),
        cmocka_unit_test(b64_knows_the_examples_of_rfc_4648),
        cmocka_unit_test(b64_gives_back_what_went_in),
        cmocka_unit_test(b64_refuses_what_is_not_the_one_text_of_its_bytes),
        cmocka_unit_test(b64_knows_64_characters_at_every_place),
        cmocka_unit_test(utf8_is_told_as_the_vectors_do),
        cmocka_unit_test(utf8_has_1112064_characters),
        cmocka_unit_test(text_has_no_control_characters),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
