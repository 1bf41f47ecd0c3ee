/* tests/fuzz/json.c - the strict scanner, with cJSON as a second opinion: what it
 * accepts, cJSON accepts and understands alike; it can be walked and read to its end;
 * and it has one canonical form, which means the same. */
#include <stdlib.h>

#include <cJSON.h>

#include "json/json.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len);

static void must(int held) {
    if (!held)
        abort();
}

static void same_text(const struct mru_jval *ours, const char *theirs) {
    struct mru_buf text = {0};
    must(mru_json_add_text(&text, ours) == 0);
    must(strlen(theirs) == text.len &&
         memcmp(text.data, theirs, text.len) == 0);
    mru_buf_free(&text);
}

static void same_scalar(const struct mru_jval *ours, const cJSON *theirs) {
    double number;
    switch (ours->kind) {
    case 's':
        must(cJSON_IsString(theirs));
        same_text(ours, theirs->valuestring);
        break;
    case 'n':
        must(cJSON_IsNumber(theirs));
        /* cJSON reads at most 63 characters of a number. */
        if (mru_json_number(ours, &number) == 0 && ours->len < 63)
            must(number == theirs->valuedouble);
        break;
    case 't':
        must(cJSON_IsTrue(theirs));
        break;
    case 'f':
        must(cJSON_IsFalse(theirs));
        break;
    default:
        must(ours->kind == '0' && cJSON_IsNull(theirs));
    }
}

/* The same value, all levels of it: at most MEREAU_MAX_DEPTH deep, as the scanner
 * has seen to. */
static void same(const struct mru_jval *ours, const cJSON *theirs) {
    struct mru_jval name, value;
    size_t pos = 0, n = 0;
    must(theirs != NULL);
    if (ours->kind != 'o' && ours->kind != 'a') {
        same_scalar(ours, theirs);
        return;
    }
    must(ours->kind == 'o' ? cJSON_IsObject(theirs) : cJSON_IsArray(theirs));
    const cJSON *child = theirs->child;
    while (mru_json_next(ours, &pos, &name, &value) == 1) {
        must(child != NULL);
        if (ours->kind == 'o')
            same_text(&name, child->string);
        same(&value, child);
        child = child->next;
        n++;
    }
    must(child == NULL && n == mru_json_count(ours));
}

static void canonical_once(const struct mru_jval *root) {
    struct mru_buf form = {0}, again = {0};
    struct mru_jval parsed;
    if (mru_json_canonical(&form, root, NULL) == MEREAU_OK) {
        must(mru_json_check(&parsed, form.data, form.len, NULL, NULL) ==
             MEREAU_OK);
        must(mru_json_canonical(&again, &parsed, NULL) == MEREAU_OK);
        must(again.len == form.len &&
             memcmp(again.data, form.data, form.len) == 0);
    }
    mru_buf_free(&form);
    mru_buf_free(&again);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len) {
    struct mru_jval root;
    mereau_error err = MEREAU_ERROR_INIT;
    if (mru_json_check(&root, data, len, NULL, &err) != MEREAU_OK)
        return 0;
    cJSON *theirs = cJSON_ParseWithLength((const char *)data, len);
    same(&root, theirs);
    cJSON_Delete(theirs);
    canonical_once(&root);
    return 0;
}
