/* lib/jose/jws.c - the compact serialization of a JWS: reading one that nobody
 * vouches for, and making one (RFC 7515 sections 3.1, 4.1, 5). */
#include "jws.h"

#include "header.h"
#include "key_int.h"

/* --- saying why: the rules of a JWT, and of a JWS that is none --- */

enum rule {
    RULE_LENGTH,
    RULE_FORM,
    RULE_HEADER,
    RULE_CRIT,
    RULE_B64,
    RULE_ZIP,
    RULE_ENC,
    RULE_ALG,
    RULE_TYP,
    RULE_KID,
    RULE_SIGNATURE,
    RULE_PAYLOAD
};

static const char *rule_name(const struct mru_jws *jws, enum rule rule) {
    static const char *const names[][2] = {{"jwt.length", "jws.length"},
                                           {"jwt.form", "jws.form"},
                                           {"jwt.header", "jws.header"},
                                           {"jwt.crit", "jws.crit"},
                                           {"jwt.b64", "jws.b64"},
                                           {"jwt.zip", "jws.zip"},
                                           {"jwt.enc", "jws.enc"},
                                           {"jwt.alg", "jws.alg"},
                                           {"jwt.typ", "jws.typ"},
                                           {"jwt.kid", "jws.kid"},
                                           {"jwt.signature", "jws.signature"},
                                           {"jwt.payload", "jws.payload"}};
    return names[rule][jws->form != MRU_JWS_JWT];
}

static mereau_status malformed(mereau_error *err, const struct mru_jws *jws,
                               enum rule rule, const char *source,
                               const char *wanted, const char *found) {
    return mru_refuse(err, MEREAU_E_MALFORMED, rule_name(jws, rule), source,
                      wanted, found);
}

static mereau_status no_memory(mereau_error *err) {
    return mru_refuse(err, MEREAU_E_NOMEM, NULL, NULL, NULL, NULL);
}

/* --- reading --- */

static int is_base64url(char c) {
    return (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z') ||
           (c >= '0' && c <= '9') || c == '-' || c == '_';
}

/* Three segments of the alphabet and two dots, nothing else; an unencoded
 * payload between them may be any printable ASCII (RFC 7797 section 5.2). */
static mereau_status split(struct mru_jws *jws, const char *token, size_t len,
                           mereau_error *err) {
    static const char wanted[] = "three base64url segments with dots between";
    int plain = (jws->form & MRU_JWS_UNENCODED) != 0;
    size_t dot[2] = {0, 0}, dots = 0;
    if (len > MEREAU_MAX_TOKEN)
        return mru_refuse(err, MEREAU_E_TOO_LONG, rule_name(jws, RULE_LENGTH),
                          NULL, "at most 16384 bytes", "more");
    for (size_t i = 0; i < len; i++) {
        if (is_base64url(token[i]))
            continue;
        if (plain && dots == 1 && token[i] >= ' ' && token[i] <= '~' &&
            token[i] != '.')
            continue;
        if (token[i] != '.' || dots == 2)
            return malformed(err, jws, RULE_FORM, "RFC 7515 3.1", wanted,
                             token[i] == '.'
                                 ? "more of them, as encrypted ones have"
                                 : "another form");
        dot[dots++] = i;
    }
    if (dots != 2 || dot[0] == 0)
        return malformed(err, jws, RULE_FORM, "RFC 7515 3.1", wanted, "fewer");
    if ((jws->form & MRU_JWS_DETACHED) && dot[1] != dot[0] + 1)
        return malformed(err, jws, RULE_PAYLOAD, "RFC 7515 F",
                         "a detached payload", "one in the token");
    jws->token = token;
    jws->header_len = dot[0];
    jws->signed_len = dot[1];
    jws->sig = token + dot[1] + 1;
    jws->sig_len = len - dot[1] - 1;
    return MEREAU_OK;
}

static mereau_status decode(const struct mru_jws *jws, struct mru_buf *out,
                            const char *text, size_t len, enum rule rule,
                            mereau_error *err) {
    size_t start = out->len;
    uint8_t *at = mru_buf_extend(out, len / 4 * 3 + 2); /* the most it can be */
    if (!at)
        return no_memory(err);
    ptrdiff_t n = mru_b64_decode(at, text, len);
    out->len = start + (n > 0 ? (size_t)n : 0);
    out->data[out->len] = '\0';
    if (n < 0)
        return malformed(err, jws, rule, "RFC 7515 2", "strict base64url",
                         "another form");
    return MEREAU_OK;
}

/* Decodes the header behind what is in the buffer and checks its JSON. */
static mereau_status read_header(struct mru_jws *jws, struct mru_buf *header,
                                 mereau_error *err) {
    size_t start = header->len;
    mereau_status status =
        decode(jws, header, jws->token, jws->header_len, RULE_HEADER, err);
    if (status == MEREAU_OK)
        status =
            mru_json_check(&jws->header, header->data + start,
                           header->len - start, &mru_json_default_limits, err);
    if (status == MEREAU_OK && jws->header.kind != 'o')
        status = malformed(err, jws, RULE_HEADER, "RFC 7515 4", "a JSON object",
                           "something else");
    return status;
}

/* crit is a list of one: of the extensions that a header may insist on, b64 is
 * the one that is understood (RFC 7515 section 4.1.11, RFC 7797 section 6). So it
 * is neither empty, nor names anything twice, nor what is absent or registered. */
static mereau_status check_crit(const struct mru_jws *jws,
                                const struct mru_jval *crit, int has_b64,
                                mereau_error *err) {
    struct mru_jval one;
    size_t pos = 0, n = 0;
    int known = crit->kind == 'a';
    while (known && mru_json_next(crit, &pos, NULL, &one)) {
        known = mru_json_is(&one, "b64", 3);
        n++;
    }
    if (known && n == 1 && has_b64)
        return MEREAU_OK;
    return malformed(err, jws, RULE_CRIT, "RFC 7515 4.1.11",
                     "crit absent, or a list of b64, which is there",
                     crit->kind != 'a' ? "no list"
                     : !known          ? "another name"
                     : n == 0          ? "an empty list"
                     : n > 1           ? "a name twice"
                                       : "a header without b64");
}

/* b64 counts only when crit names it, or a reader that does not know it would
 * take the payload for another one. */
static mereau_status check_form(const struct mru_jws *jws, mereau_error *err) {
    struct mru_jval crit, b64;
    int has_crit = mru_json_member(&crit, &jws->header, "crit");
    int has_b64 = mru_json_member(&b64, &jws->header, "b64");
    int plain = (jws->form & MRU_JWS_UNENCODED) != 0;
    if (has_crit && jws->form == MRU_JWS_JWT)
        return malformed(err, jws, RULE_CRIT, "RFC 7515 4.1.11",
                         "a header without it", "crit");
    if (has_b64 && jws->form == MRU_JWS_JWT)
        return malformed(err, jws, RULE_B64, "RFC 7797 7",
                         "a header without it", "b64");
    if (has_crit) {
        mereau_status status = check_crit(jws, &crit, has_b64, err);
        if (status != MEREAU_OK)
            return status;
    }
    if (has_b64 && (!has_crit || (b64.kind != 't' && b64.kind != 'f')))
        return malformed(err, jws, RULE_B64, "RFC 7797 6",
                         "true or false, and named in crit",
                         has_crit ? "something else" : "no crit");
    if (plain != (has_b64 && b64.kind == 'f'))
        return malformed(err, jws, RULE_B64, "RFC 7797 3",
                         plain ? "an unencoded payload" : "an encoded payload",
                         "the other form");
    return MEREAU_OK;
}

/* Members that make it something else than a JWS. */
static mereau_status refuse_encryption(const struct mru_jws *jws,
                                       mereau_error *err) {
    struct mru_jval value;
    if (mru_json_member(&value, &jws->header, "zip"))
        return malformed(err, jws, RULE_ZIP, "RFC 7516 4.1.3",
                         "a header without it", "zip");
    if (mru_json_member(&value, &jws->header, "enc"))
        return malformed(err, jws, RULE_ENC, "RFC 7516 4.1.2",
                         "a header without it", "enc");
    return MEREAU_OK;
}

static mereau_status read_alg(struct mru_jws *jws, mereau_error *err) {
    struct mru_jval alg;
    char name[32] = "";
    size_t len = 0;
    jws->alg = 0;
    if (!mru_json_member(&alg, &jws->header, "alg") || alg.kind != 's')
        return malformed(err, jws, RULE_ALG, "RFC 7515 4.1.1", "an alg",
                         "none");
    if (mru_json_text(&alg, name, sizeof name - 1, &len) == 0)
        jws->alg = mru_alg_find(name, len);
    else
        mru_say(name, sizeof name, "a longer name");
    if (jws->alg == 0)
        return mru_refuse(err, MEREAU_E_ALG, rule_name(jws, RULE_ALG),
                          "RFC 8725 3.1", "a signature algorithm", name);
    return MEREAU_OK;
}

static mereau_status read_texts(struct mru_jws *jws, mereau_error *err) {
    if (mru_json_member(&jws->typ, &jws->header, "typ") && jws->typ.kind != 's')
        return malformed(err, jws, RULE_TYP, "RFC 7515 4.1.9", "a text",
                         "something else");
    if (mru_json_member(&jws->kid, &jws->header, "kid") && jws->kid.kind != 's')
        return malformed(err, jws, RULE_KID, "RFC 7515 4.1.4", "a text",
                         "something else");
    return MEREAU_OK;
}

mereau_status mru_jws_read_as(struct mru_jws *jws, struct mru_buf *header,
                              const char *token, size_t len, uint32_t flags,
                              mereau_error *err) {
    memset(jws, 0, sizeof *jws);
    jws->form = flags;
    mereau_status status = split(jws, token, len, err);
    if (status == MEREAU_OK)
        status = read_header(jws, header, err);
    if (status == MEREAU_OK)
        status = check_form(jws, err);
    if (status == MEREAU_OK)
        status = refuse_encryption(jws, err);
    if (status == MEREAU_OK)
        status = read_alg(jws, err);
    if (status == MEREAU_OK)
        status = read_texts(jws, err);
    return status;
}

mereau_status mru_jws_read(struct mru_jws *jws, struct mru_buf *header,
                           const char *token, size_t len, mereau_error *err) {
    return mru_jws_read_as(jws, header, token, len, MRU_JWS_JWT, err);
}

static mereau_status verify(const struct mru_jws *jws, const mru_key *key,
                            const uint8_t *input, size_t len,
                            mereau_error *err) {
    uint8_t sig[MRU_MAX_SIG];
    mereau_status status = MEREAU_E_SIGNATURE;
    if (mru_key_alg(key) != jws->alg)
        return mru_refuse(err, MEREAU_E_ALG, rule_name(jws, RULE_ALG),
                          "RFC 8725 3.1", mru_alg_name(mru_key_alg(key)),
                          mru_alg_name(jws->alg));
    if (jws->sig_len <= MRU_B64_LEN(MRU_MAX_SIG)) {
        ptrdiff_t n = mru_b64_decode(sig, jws->sig, jws->sig_len);
        if (n < 0)
            return malformed(err, jws, RULE_SIGNATURE, "RFC 7515 2",
                             "strict base64url", "another form");
        status = mru_key_verify(key, input, len, sig, (size_t)n);
    }
    if (status == MEREAU_E_SIGNATURE)
        return mru_refuse(err, status, rule_name(jws, RULE_SIGNATURE),
                          "RFC 7515 5.2", NULL, NULL);
    if (status != MEREAU_OK)
        return mru_refuse(err, status, NULL, NULL, NULL, NULL);
    return MEREAU_OK;
}

mereau_status mru_jws_verify(const struct mru_jws *jws, const mru_key *key,
                             mereau_error *err) {
    return verify(jws, key, (const uint8_t *)jws->token, jws->signed_len, err);
}

mereau_status mru_jws_verify_detached(const struct mru_jws *jws,
                                      const mru_key *key,
                                      const uint8_t *payload, size_t len,
                                      mereau_error *err) {
    struct mru_buf input = {0};
    mru_buf_add(&input, jws->token, jws->header_len + 1);
    if (jws->form & MRU_JWS_UNENCODED)
        mru_buf_add(&input, payload, len);
    else
        mru_buf_add_b64(&input, payload, len);
    mereau_status status = input.failed
                               ? no_memory(err)
                               : verify(jws, key, input.data, input.len, err);
    mru_buf_free(&input);
    return status;
}

mereau_status mru_jws_payload(const struct mru_jws *jws,
                              struct mru_buf *payload, mereau_error *err) {
    const char *text = jws->token + jws->header_len + 1;
    size_t len = jws->signed_len - jws->header_len - 1;
    if (!(jws->form & MRU_JWS_UNENCODED))
        return decode(jws, payload, text, len, RULE_PAYLOAD, err);
    mru_buf_add(payload, text, len);
    return payload->failed ? no_memory(err) : MEREAU_OK;
}

mereau_status mru_jws_peek(const char *token, size_t len,
                           struct mru_buf *header, struct mru_buf *payload,
                           mereau_error *err) {
    struct mru_jws jws;
    struct mru_jval root;
    size_t start = payload->len;
    mereau_status status = mru_jws_read(&jws, header, token, len, err);
    if (status == MEREAU_OK)
        status = mru_jws_payload(&jws, payload, err);
    if (status == MEREAU_OK)
        status =
            mru_json_check(&root, payload->data + start, payload->len - start,
                           &mru_json_default_limits, err);
    if (status == MEREAU_OK && root.kind != 'o')
        status = malformed(err, &jws, RULE_PAYLOAD, "RFC 7519 7.2",
                           "a JSON object", "something else");
    return status;
}

/* --- making --- */

/* A member of the header, whose value may have to be escaped. */
static char *put_member(char *at, const char *name, size_t len,
                        const char *value) {
    memcpy(at, name, len);
    return mru_header_quote(at + len, value);
}

int mru_jws_begin(struct mru_buf *out, int32_t alg, const char *typ,
                  const char *kid, const void *payload, size_t len) {
    char header[64 + 6 * (MRU_MAX_TYP + MRU_MAX_KID)], *at = header;
    const char *name = mru_alg_name(alg);
    size_t start = out->len, header_len;
    if (!name || (typ && strlen(typ) > MRU_MAX_TYP) ||
        (kid && strlen(kid) > MRU_MAX_KID) || len > SIZE_MAX / 4)
        return -1;
    at = put_member(at, "{\"alg\":", 7, name);
    if (typ)
        at = put_member(at, ",\"typ\":", 7, typ);
    if (kid)
        at = put_member(at, ",\"kid\":", 7, kid);
    *at++ = '}';
    header_len = (size_t)(at - header);
    /* One growth, with room for the signature. */
    if (mru_buf_extend(out, MRU_B64_LEN(header_len) + MRU_B64_LEN(len) +
                                MRU_B64_LEN(MRU_MAX_SIG) + 2) == NULL)
        return -1;
    out->len = start;
    mru_buf_add_b64(out, (const uint8_t *)header, header_len);
    mru_buf_add_byte(out, '.');
    mru_buf_add_b64(out, payload, len);
    return 0;
}

int mru_jws_finish(struct mru_buf *out, const uint8_t *sig, size_t sig_len) {
    mru_buf_add_byte(out, '.');
    mru_buf_add_b64(out, sig, sig_len);
    return out->failed ? -1 : 0;
}
