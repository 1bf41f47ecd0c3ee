/* lib/engine/input.c - checks of inputs; scopes; ids and digests. */
#include "engine.h"

mereau_status mru_check_range(mereau_op *op, int32_t field, int64_t least,
                              int64_t most) {
    char wanted[96], found[96];
    int64_t value = mru_bag_int(&op->in, field);
    if (value == MEREAU_UNSET || (value >= least && value <= most))
        return MEREAU_OK;
    mru_say(wanted, sizeof wanted, "%s of %lld to %lld",
            mereau_field_name(field), (long long)least, (long long)most);
    mru_say(found, sizeof found, "%lld", (long long)value);
    return mru_refuse(&op->err, MEREAU_E_POLICY, "op.range", NULL, wanted,
                      found);
}

mereau_status mru_check_room(mereau_op *op, const struct mru_bag *record,
                             size_t room) {
    char wanted[96];
    size_t tags; /* grow by themselves: they are in the room */
    (void)mru_bag_data(record, MRU_F_TAGS, &tags);
    if (record->failed)
        return MEREAU_E_NOMEM;
    if (mru_bag_encoded_len(record) <= MEREAU_MAX_VALUE - room + tags)
        return MEREAU_OK;
    mru_say(wanted, sizeof wanted, "at most %lu bytes in one record",
            (unsigned long)(MEREAU_MAX_VALUE - room));
    return mru_refuse(&op->err, MEREAU_E_TOO_LONG, "record.size", NULL, wanted,
                      "more");
}

mereau_status mru_check_length(mereau_op *op, int32_t field, size_t max) {
    char wanted[96];
    size_t len;
    if (mru_bag_data(&op->in, field, &len) == NULL)
        return MEREAU_OK;
    if (len >= 1 && len <= max)
        return MEREAU_OK;
    mru_say(wanted, sizeof wanted, "%s of 1 to %lu bytes",
            mereau_field_name(field), (unsigned long)max);
    return mru_refuse(&op->err, len == 0 ? MEREAU_E_ARG : MEREAU_E_TOO_LONG,
                      "op.length", NULL, wanted,
                      len == 0 ? "an empty one" : "a longer one");
}

/* The next word of a scope: 1 and *word, *len; *at moves on. */
static int next_word(const char **at, const char **word, size_t *len) {
    const char *p = *at;
    while (*p == ' ')
        p++;
    *word = p;
    while (*p != '\0' && *p != ' ')
        p++;
    *len = (size_t)(p - *word);
    *at = p;
    return *len > 0;
}

/* The index of a word, or -1. */
static int word_index(const char *scope, const char *word, size_t len) {
    const char *one;
    size_t one_len;
    for (int i = 0; next_word(&scope, &one, &one_len); i++)
        if (one_len == len && memcmp(one, word, len) == 0)
            return i;
    return -1;
}

mereau_status mru_check_scope(mereau_op *op, const char *scope) {
    const char *at = scope, *word;
    size_t len;
    int n = 0, bad = scope[0] == ' ';
    for (const char *p = scope; *p != '\0'; p++)
        bad = bad || *p < 0x20 || *p > 0x7e || *p == '"' || *p == '\\' ||
              (*p == ' ' && (p[1] == ' ' || p[1] == '\0'));
    while (!bad && next_word(&at, &word, &len))
        bad = word_index(scope, word, len) != n++;
    if (bad || n > MEREAU_MAX_SCOPE)
        return mru_refuse(&op->err, MEREAU_E_SCOPE, "scope.form",
                          "RFC 6749 3.3",
                          "at most 64 distinct words with one space between",
                          bad ? "another form" : "more words");
    return MEREAU_OK;
}

int mru_scope_mask(const char *granted, const char *wanted, uint64_t *mask) {
    const char *word;
    size_t len;
    *mask = 0;
    while (next_word(&wanted, &word, &len)) {
        int i = word_index(granted, word, len);
        if (i < 0 || i >= MEREAU_MAX_SCOPE)
            return -1;
        *mask |= UINT64_C(1) << i;
    }
    return 0;
}

int mru_scope_words(struct mru_buf *out, const char *granted, uint64_t mask) {
    const char *word;
    size_t len, start = out->len;
    for (int i = 0; i < MEREAU_MAX_SCOPE && next_word(&granted, &word, &len);
         i++)
        if ((mask >> i & 1) != 0) {
            if (out->len > start)
                mru_buf_add_byte(out, ' ');
            mru_buf_add(out, word, len);
        }
    return out->failed ? -1 : 0;
}

int mru_digest(uint8_t out[32], const char *label, const void *data,
               size_t len) {
    mereau_slice parts[2] = {{(const uint8_t *)label, strlen(label) + 1},
                             {data, len}};
    return mru_hash(MRU_SHA256, parts, 2, out);
}

void mru_id_print(char out[MRU_ID_TEXT], const uint8_t id[MRU_ID_LEN]) {
    mru_b64_encode(out, id, MRU_ID_LEN);
    out[MRU_ID_TEXT - 1] = '\0';
}

int mru_id_read(uint8_t id[MRU_ID_LEN], const char *text) {
    uint8_t bytes[MRU_ID_LEN + 2];
    if (text == NULL || strlen(text) != MRU_ID_TEXT - 1 ||
        mru_b64_decode(bytes, text, MRU_ID_TEXT - 1) != MRU_ID_LEN)
        return -1;
    memcpy(id, bytes, MRU_ID_LEN);
    return 0;
}
