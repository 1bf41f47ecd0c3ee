/* lib/jose/header.c - writing protected headers. They are small and many, so
 * they are put together as text; what callers add was checked by the scanner
 * first and is copied as it is. */
#include "header.h"

char *mru_header_quote(char *out, const char *text) {
    static const char hex[] = "0123456789abcdef";
    *out++ = '"';
    for (; *text != '\0'; text++) {
        uint8_t c = (uint8_t)*text;
        if (c < 0x20) {
            *out++ = '\\';
            *out++ = 'u';
            *out++ = '0';
            *out++ = '0';
            *out++ = hex[c >> 4];
            *out++ = hex[c & 15];
            continue;
        }
        if (c == '"' || c == '\\')
            *out++ = '\\';
        *out++ = (char)c;
    }
    *out++ = '"';
    return out;
}

static void add_quoted(struct mru_buf *out, const char *text) {
    size_t room = 6 * strlen(text) + 2; /* text is short: at most a few KB */
    char *at = (char *)mru_buf_extend(out, room);
    if (at)
        out->len -= room - (size_t)(mru_header_quote(at, text) - at);
}

static void add_name(struct mru_buf *out, const char *name) {
    mru_buf_add_text(out, ",\"");
    mru_buf_add_text(out, name);
    mru_buf_add_text(out, "\":");
}

void mru_header_begin(struct mru_buf *out, const char *alg) {
    mru_buf_add_text(out, "{\"alg\":");
    add_quoted(out, alg);
}

void mru_header_text(struct mru_buf *out, const char *name, const char *text) {
    add_name(out, name);
    add_quoted(out, text);
}

void mru_header_json(struct mru_buf *out, const char *name, const char *json) {
    add_name(out, name);
    mru_buf_add_text(out, json);
}

void mru_header_kid(struct mru_buf *out, const mru_key *key) {
    if (mru_key_kid_given(key))
        mru_header_text(out, "kid", mru_key_kid(key));
}

/* --- what the caller adds --- */

static mereau_status refuse(mereau_error *err, const char *rule,
                            const char *wanted, const char *found) {
    return mru_refuse(err, MEREAU_E_ARG, rule, "RFC 7515 4", wanted, found);
}

static int is_one_of(const struct mru_jval *name, const char *const *list,
                     size_t n) {
    for (size_t i = 0; i < n; i++)
        if (mru_json_is(name, list[i], strlen(list[i])))
            return 1;
    return 0;
}
#define IS_ONE_OF(name, list)                                                  \
    is_one_of(name, list, sizeof(list) / sizeof((list)[0]))

/* A public key in a header is for all to read: nothing private may be in it. */
static int is_public_jwk(const struct mru_jval *jwk) {
    static const char *const secret[] = {"d",  "p",  "q",   "dp",
                                         "dq", "qi", "oth", "k"};
    struct mru_jval name, value;
    size_t pos = 0;
    if (jwk->kind != 'o')
        return 0;
    while (mru_json_next(jwk, &pos, &name, &value))
        if (IS_ONE_OF(&name, secret))
            return 0;
    return 1;
}

/* 1 when it is base64url in a text. */
static int is_base64url(const struct mru_jval *value) {
    return value->kind == 's' && !memchr(value->p, '\\', value->len) &&
           mru_b64_decode(NULL, value->p + 1, value->len - 2) >= 0;
}

static mereau_status check_member(const struct mru_jval *name,
                                  const struct mru_jval *value,
                                  const mru_key *key, int agrees,
                                  const char *rule, mereau_error *err) {
    static const char *const ours[] = {"alg", "enc", "crit", "b64", "zip",
                                       "epk", "p2s", "p2c",  "iv",  "tag"};
    static const char *const texts[] = {"typ", "cty", "kid"};
    static const char *const parties[] = {"apu", "apv"};
    size_t len = 0;
    if (IS_ONE_OF(name, ours))
        return refuse(err, rule, "members that the library does not write",
                      "one of its own");
    if (IS_ONE_OF(name, texts) &&
        (mru_json_text(value, NULL, 0, &len) != 0 || len == 0))
        return refuse(err, rule, "a text for typ, cty and kid",
                      "something else");
    if (mru_json_is(name, "kid", 3) && (mru_key_kid_given(key) || len > 128))
        return refuse(err, rule, "one kid, of 1 to 128 bytes", "another");
    if (mru_json_is(name, "jwk", 3) && !is_public_jwk(value))
        return refuse(err, rule, "a public jwk", "something else");
    if (IS_ONE_OF(name, parties) && (!agrees || !is_base64url(value)))
        return refuse(err, rule, "apu and apv for ECDH-ES, base64url",
                      "another form or algorithm");
    return MEREAU_OK;
}

mereau_status mru_header_check(struct mru_jval *extra, const char *text,
                               const mru_key *key, int agrees, const char *rule,
                               mereau_error *err) {
    struct mru_jval name, value;
    size_t pos = 0;
    memset(extra, 0, sizeof *extra);
    if (!text)
        return MEREAU_OK;
    mereau_status status = mru_json_check(extra, text, strlen(text),
                                          &mru_json_default_limits, err);
    if (status == MEREAU_OK && extra->kind != 'o')
        status = mru_refuse(err, MEREAU_E_MALFORMED, rule, "RFC 7515 4",
                            "a JSON object", "something else");
    while (status == MEREAU_OK && mru_json_next(extra, &pos, &name, &value))
        status = check_member(&name, &value, key, agrees, rule, err);
    return status;
}

void mru_header_end(struct mru_buf *out, const struct mru_jval *extra) {
    struct mru_jval name, value;
    size_t pos = 0;
    while (extra->kind == 'o' && mru_json_next(extra, &pos, &name, &value)) {
        mru_buf_add_byte(out, ',');
        mru_buf_add(out, name.p, name.len);
        mru_buf_add_byte(out, ':');
        mru_buf_add(out, value.p, value.len);
    }
    mru_buf_add_byte(out, '}');
}
