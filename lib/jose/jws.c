/* lib/jose/jws.c - the compact serialization of a JWS: reading one that nobody
 * vouches for, and making one (RFC 7515 sections 3.1, 4.1, 5). */
#include "jws.h"

static mereau_status malformed(mereau_error *err, const char *rule,
                               const char *source, const char *wanted,
                               const char *found) {
    return mru_refuse(err, MEREAU_E_MALFORMED, rule, source, wanted, found);
}

static mereau_status no_memory(mereau_error *err) {
    return mru_refuse(err, MEREAU_E_NOMEM, NULL, NULL, NULL, NULL);
}

/* --- reading --- */

static int is_base64url(char c) {
    return (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z') ||
           (c >= '0' && c <= '9') || c == '-' || c == '_';
}

/* Three segments of the alphabet and two dots, nothing else. */
static mereau_status split(struct mru_jws *jws, const char *token, size_t len,
                           mereau_error *err) {
    size_t dot[2] = {0, 0}, dots = 0;
    if (len > MEREAU_MAX_TOKEN)
        return mru_refuse(err, MEREAU_E_TOO_LONG, "jwt.length", NULL,
                          "at most 16384 bytes", "more");
    for (size_t i = 0; i < len; i++) {
        if (is_base64url(token[i]))
            continue;
        if (token[i] != '.' || dots == 2)
            return malformed(err, "jwt.form", "RFC 7515 3.1",
                             "three base64url segments with dots between",
                             "another form");
        dot[dots++] = i;
    }
    if (dots != 2 || dot[0] == 0)
        return malformed(err, "jwt.form", "RFC 7515 3.1",
                         "three base64url segments with dots between", "fewer");
    jws->token = token;
    jws->header_len = dot[0];
    jws->signed_len = dot[1];
    jws->sig = token + dot[1] + 1;
    jws->sig_len = len - dot[1] - 1;
    return MEREAU_OK;
}

static mereau_status decode(struct mru_buf *out, const char *text, size_t len,
                            const char *rule, mereau_error *err) {
    ptrdiff_t n = mru_b64_decode(NULL, text, len);
    if (n < 0)
        return malformed(err, rule, "RFC 7515 2", "strict base64url",
                         "another form");
    uint8_t *at = mru_buf_extend(out, (size_t)n);
    if (!at)
        return no_memory(err);
    if (n > 0)
        mru_b64_decode(at, text, len);
    return MEREAU_OK;
}

/* Decodes the header behind what is in the buffer and checks its JSON. */
static mereau_status read_header(struct mru_jws *jws, struct mru_buf *header,
                                 mereau_error *err) {
    size_t start = header->len;
    mereau_status status =
        decode(header, jws->token, jws->header_len, "jwt.header", err);
    if (status == MEREAU_OK)
        status =
            mru_json_check(&jws->header, header->data + start,
                           header->len - start, &mru_json_default_limits, err);
    if (status == MEREAU_OK && jws->header.kind != 'o')
        status = malformed(err, "jwt.header", "RFC 7515 4", "a JSON object",
                           "something else");
    return status;
}

/* Members that change what a JWS means, and that are not for access tokens: none
 * is understood, so each refuses the token (RFC 7515 section 4.1.11). */
static mereau_status refuse_extensions(const struct mru_jws *jws,
                                       mereau_error *err) {
    static const struct {
        const char *name, *rule, *source;
    } members[] = {{"crit", "jwt.crit", "RFC 7515 4.1.11"},
                   {"b64", "jwt.b64", "RFC 7797 7"},
                   {"zip", "jwt.zip", "RFC 7516 4.1.3"},
                   {"enc", "jwt.enc", "RFC 7516 4.1.2"}};
    struct mru_jval value;
    for (size_t i = 0; i < sizeof members / sizeof members[0]; i++)
        if (mru_json_member(&value, &jws->header, members[i].name))
            return malformed(err, members[i].rule, members[i].source,
                             "a header without it", members[i].name);
    return MEREAU_OK;
}

static mereau_status read_alg(struct mru_jws *jws, mereau_error *err) {
    struct mru_jval alg;
    char name[32] = "";
    size_t len = 0;
    jws->alg = 0;
    if (!mru_json_member(&alg, &jws->header, "alg") || alg.kind != 's')
        return malformed(err, "jwt.alg", "RFC 7515 4.1.1", "an alg", "none");
    if (mru_json_text(&alg, name, sizeof name - 1, &len) == 0)
        jws->alg = mru_alg_find(name, len);
    else
        mru_say(name, sizeof name, "a longer name");
    if (jws->alg == 0)
        return mru_refuse(err, MEREAU_E_ALG, "jwt.alg", "RFC 8725 3.1",
                          "a signature algorithm", name);
    return MEREAU_OK;
}

mereau_status mru_jws_read(struct mru_jws *jws, struct mru_buf *header,
                           const char *token, size_t len, mereau_error *err) {
    memset(jws, 0, sizeof *jws);
    mereau_status status = split(jws, token, len, err);
    if (status == MEREAU_OK)
        status = read_header(jws, header, err);
    if (status == MEREAU_OK)
        status = refuse_extensions(jws, err);
    if (status == MEREAU_OK)
        status = read_alg(jws, err);
    if (status != MEREAU_OK)
        return status;
    if (mru_json_member(&jws->typ, &jws->header, "typ") && jws->typ.kind != 's')
        return malformed(err, "jwt.typ", "RFC 7515 4.1.9", "a text",
                         "something else");
    if (mru_json_member(&jws->kid, &jws->header, "kid") && jws->kid.kind != 's')
        return malformed(err, "jwt.kid", "RFC 7515 4.1.4", "a text",
                         "something else");
    return MEREAU_OK;
}

mereau_status mru_jws_verify(const struct mru_jws *jws, const mru_key *key,
                             mereau_error *err) {
    uint8_t sig[MRU_MAX_SIG];
    mereau_status status = MEREAU_E_SIGNATURE;
    if (mru_key_alg(key) != jws->alg)
        return mru_refuse(err, MEREAU_E_ALG, "jwt.alg", "RFC 8725 3.1",
                          mru_alg_name(mru_key_alg(key)),
                          mru_alg_name(jws->alg));
    if (jws->sig_len <= MRU_B64_LEN(MRU_MAX_SIG)) {
        ptrdiff_t n = mru_b64_decode(sig, jws->sig, jws->sig_len);
        if (n < 0)
            return malformed(err, "jwt.signature", "RFC 7515 2",
                             "strict base64url", "another form");
        status = mru_key_verify(key, (const uint8_t *)jws->token,
                                jws->signed_len, sig, (size_t)n);
    }
    if (status == MEREAU_E_SIGNATURE)
        return mru_refuse(err, status, "jwt.signature", "RFC 7515 5.2", NULL,
                          NULL);
    if (status != MEREAU_OK)
        return mru_refuse(err, status, NULL, NULL, NULL, NULL);
    return MEREAU_OK;
}

mereau_status mru_jws_payload(const struct mru_jws *jws,
                              struct mru_buf *payload, mereau_error *err) {
    return decode(payload, jws->token + jws->header_len + 1,
                  jws->signed_len - jws->header_len - 1, "jwt.payload", err);
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
        status = malformed(err, "jwt.payload", "RFC 7519 7.2", "a JSON object",
                           "something else");
    return status;
}

/* --- making --- */

int mru_jws_begin(struct mru_buf *out, int32_t alg, const char *typ,
                  const char *kid, const void *payload, size_t len) {
    struct mru_buf header = {0};
    const char *name = mru_alg_name(alg);
    mru_jdoc *doc = mru_jdoc_object();
    int ret = name ? mru_jdoc_add_text(doc, "alg", name) : -1;
    if (ret == 0 && typ)
        ret = mru_jdoc_add_text(doc, "typ", typ);
    if (ret == 0 && kid)
        ret = mru_jdoc_add_text(doc, "kid", kid);
    if (ret == 0)
        ret = mru_jdoc_print(&header, doc);
    if (ret == 0) {
        mru_buf_add_b64(out, header.data, header.len);
        mru_buf_add_byte(out, '.');
        mru_buf_add_b64(out, payload, len);
    }
    mru_jdoc_free(doc);
    mru_buf_free(&header);
    return ret == 0 && !out->failed ? 0 : -1;
}

int mru_jws_finish(struct mru_buf *out, const uint8_t *sig, size_t sig_len) {
    mru_buf_add_byte(out, '.');
    mru_buf_add_b64(out, sig, sig_len);
    return out->failed ? -1 : 0;
}
