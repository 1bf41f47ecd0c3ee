/* lib/jose/jwe.c - the compact serialization of a JWE: reading one that nobody
 * vouches for, opening and making one (RFC 7516 sections 3.1, 5). */
#include "jwe.h"

#include "header.h"

static mereau_status malformed(mereau_error *err, const char *rule,
                               const char *source, const char *wanted,
                               const char *found) {
    return mru_refuse(err, MEREAU_E_MALFORMED, rule, source, wanted, found);
}

static mereau_status no_memory(mereau_error *err) {
    return mru_refuse(err, MEREAU_E_NOMEM, NULL, NULL, NULL, NULL);
}

/* --- reading --- */

int mru_jwe_is(const char *token, size_t len) {
    size_t dots = 0;
    for (size_t i = 0; i < len; i++)
        dots += token[i] == '.';
    return dots == MRU_JWE_PARTS - 1;
}

static mereau_status split(struct mru_jwe *jwe, const char *token, size_t len,
                           mereau_error *err) {
    static const char wanted[] = "five base64url segments with dots between";
    size_t part = 0, start = 0;
    if (len > MEREAU_MAX_TOKEN)
        return mru_refuse(err, MEREAU_E_TOO_LONG, "jwe.length", NULL,
                          "at most 16384 bytes", "more");
    for (size_t i = 0; i <= len; i++) {
        if (i < len && token[i] != '.')
            continue;
        if (part == MRU_JWE_PARTS)
            return malformed(err, "jwe.form", "RFC 7516 3.1", wanted, "more");
        jwe->part[part] = token + start;
        jwe->len[part] = i - start;
        if (mru_b64_decode(NULL, token + start, i - start) < 0)
            return malformed(err, "jwe.form", "RFC 7516 3.1", wanted,
                             "one that is not strict base64url");
        part++;
        start = i + 1;
    }
    if (part != MRU_JWE_PARTS || jwe->len[MRU_JWE_HEADER] == 0)
        return malformed(err, "jwe.form", "RFC 7516 3.1", wanted, "fewer");
    return MEREAU_OK;
}

/* The decoded length of a segment that split has checked. */
static size_t length_of(const struct mru_jwe *jwe, int part) {
    return jwe->len[part] / 4 * 3 +
           (jwe->len[part] % 4 > 0 ? jwe->len[part] % 4 - 1 : 0);
}

static mereau_status read_header(struct mru_jwe *jwe, struct mru_buf *header,
                                 mereau_error *err) {
    size_t start = header->len, len = length_of(jwe, MRU_JWE_HEADER);
    uint8_t *at = mru_buf_extend(header, len);
    if (!at)
        return no_memory(err);
    mru_b64_decode(at, jwe->part[MRU_JWE_HEADER], jwe->len[MRU_JWE_HEADER]);
    mereau_status status = mru_json_check(&jwe->header, header->data + start,
                                          len, &mru_json_default_limits, err);
    if (status == MEREAU_OK && jwe->header.kind != 'o')
        status = malformed(err, "jwe.header", "RFC 7516 4", "a JSON object",
                           "something else");
    return status;
}

/* Compression makes a small token a large one, and tells the length of what is
 * secret; extensions that must be understood are not. */
static mereau_status refuse_extensions(const struct mru_jwe *jwe,
                                       mereau_error *err) {
    struct mru_jval value;
    if (mru_json_member(&value, &jwe->header, "zip"))
        return malformed(err, "jwe.zip", "RFC 8725 3.6", "a header without it",
                         "zip");
    if (mru_json_member(&value, &jwe->header, "crit"))
        return malformed(err, "jwe.crit", "RFC 7516 4.1.13",
                         "a header without it", "crit");
    return MEREAU_OK;
}

/* A short text member; "" when it is absent, longer or no text. */
static size_t short_text(const struct mru_jwe *jwe, const char *name,
                         char out[32]) {
    struct mru_jval value;
    size_t len = 0;
    out[0] = '\0';
    if (!mru_json_member(&value, &jwe->header, name) ||
        mru_json_text(&value, out, 31, &len) != 0)
        len = 0;
    out[len] = '\0';
    return len;
}

static mereau_status read_names(struct mru_jwe *jwe, mereau_error *err) {
    char name[32];
    size_t len = short_text(jwe, "alg", name);
    jwe->alg = mru_alg_named(name, len, MRU_USE_ENC);
    if (!jwe->alg)
        return mru_refuse(err, MEREAU_E_ALG, "jwe.alg", "RFC 7516 4.1.1",
                          "a key management algorithm of ours",
                          len > 0 ? name : "none or another");
    len = short_text(jwe, "enc", name);
    jwe->enc = mru_enc_find(name, len);
    if (!jwe->enc)
        return mru_refuse(err, MEREAU_E_ALG, "jwe.enc", "RFC 7516 4.1.2",
                          "a content encryption of ours",
                          len > 0 ? name : "none or another");
    if (mru_json_member(&jwe->kid, &jwe->header, "kid") && jwe->kid.kind != 's')
        return malformed(err, "jwe.kid", "RFC 7516 4.1.6", "a text",
                         "something else");
    if (mru_json_member(&jwe->cty, &jwe->header, "cty") && jwe->cty.kind != 's')
        return malformed(err, "jwe.cty", "RFC 7516 4.1.12", "a text",
                         "something else");
    return MEREAU_OK;
}

/* Bytes of the encrypted key; SIZE_MAX when the key decides (RSA). */
static size_t encrypted_key_len(const struct mru_jwe *jwe) {
    if (jwe->alg->kty == MRU_KTY_RSA)
        return SIZE_MAX;
    return jwe->alg->kek > 0 ? jwe->enc->key_len + 8 : 0;
}

static mereau_status check_lengths(const struct mru_jwe *jwe,
                                   mereau_error *err) {
    size_t wanted = encrypted_key_len(jwe);
    size_t found = length_of(jwe, MRU_JWE_KEY);
    if (wanted == SIZE_MAX ? found == 0 : found != wanted)
        return malformed(err, "jwe.encrypted_key", "RFC 7516 5.2",
                         wanted == 0 ? "no encrypted key, as alg needs none"
                                     : "an encrypted key as long as alg makes",
                         found == 0 ? "none" : "another length");
    if (length_of(jwe, MRU_JWE_IV) != jwe->enc->iv_len)
        return malformed(err, "jwe.iv", "RFC 7518 5", "an IV as long as enc's",
                         "another length");
    if (length_of(jwe, MRU_JWE_TAG) != jwe->enc->tag_len)
        return malformed(err, "jwe.tag_length", "RFC 7518 5",
                         "a tag as long as enc's", "another length");
    if (!mru_content_may(jwe->enc, length_of(jwe, MRU_JWE_CIPHER)))
        return malformed(err, "jwe.ciphertext", "RFC 7518 5.2", "whole blocks",
                         "another length");
    return MEREAU_OK;
}

mereau_status mru_jwe_read(struct mru_jwe *jwe, struct mru_buf *header,
                           const char *token, size_t len, mereau_error *err) {
    memset(jwe, 0, sizeof *jwe);
    mereau_status status = split(jwe, token, len, err);
    if (status == MEREAU_OK)
        status = read_header(jwe, header, err);
    if (status == MEREAU_OK)
        status = refuse_extensions(jwe, err);
    if (status == MEREAU_OK)
        status = read_names(jwe, err);
    if (status == MEREAU_OK)
        status = check_lengths(jwe, err);
    return status;
}

/* --- opening --- */

/* Decrypts in the buffer that the ciphertext is decoded to. */
static int open_content(const struct mru_jwe *jwe, const uint8_t *cek,
                        uint8_t *at, size_t *len) {
    uint8_t iv[MRU_MAX_IV], tag[MRU_MAX_TAG];
    mereau_slice aad = {(const uint8_t *)jwe->part[MRU_JWE_HEADER],
                        jwe->len[MRU_JWE_HEADER]};
    mru_b64_decode(iv, jwe->part[MRU_JWE_IV], jwe->len[MRU_JWE_IV]);
    mru_b64_decode(tag, jwe->part[MRU_JWE_TAG], jwe->len[MRU_JWE_TAG]);
    mru_b64_decode(at, jwe->part[MRU_JWE_CIPHER], jwe->len[MRU_JWE_CIPHER]);
    return mru_content_open(jwe->enc, cek, iv, &aad, at, *len, tag, at, len);
}

mereau_status mru_jwe_open(const struct mru_jwe *jwe, const mru_key *key,
                           mru_rng rng, void *rng_arg, struct mru_buf *plain,
                           mereau_error *err) {
    uint8_t cek[MRU_MAX_CEK] = {0};
    size_t start = plain->len, len = length_of(jwe, MRU_JWE_CIPHER);
    int right = 0, ret = -1;
    mereau_status status = MEREAU_OK;
    if (mru_key_info(key) != jwe->alg)
        return mru_refuse(err, MEREAU_E_ALG, "jwe.alg", "RFC 8725 3.1",
                          mru_key_info(key)->name, jwe->alg->name);
    if (!mru_key_is_private(key) ||
        !mru_key_may(key, MRU_OP_DECRYPT | MRU_OP_UNWRAP_KEY |
                              MRU_OP_DERIVE_KEY | MRU_OP_DERIVE_BITS))
        return mru_refuse(err, MEREAU_E_KEY, "jwe.key", "RFC 7517 4.3",
                          "a private key or a secret that may decrypt",
                          "another");
    uint8_t *at = mru_buf_extend(plain, len);
    if (!at)
        return no_memory(err);
    status = mru_cek_get(jwe, key, rng, rng_arg, cek, &right, err);
    if (status == MEREAU_OK) {
        ret = open_content(jwe, cek, at, &len);
        if (ret == -2)
            status = mru_refuse(err, MEREAU_E_CRYPTO, NULL, NULL, NULL, NULL);
        else if (ret != 0 || !right)
            status = mru_refuse(err, MEREAU_E_SIGNATURE, "jwe.tag",
                                "RFC 7516 5.2", NULL, NULL);
    }
    if (status != MEREAU_OK) {
        mru_wipe(at, plain->len - start);
        len = 0;
    }
    plain->len = start + len;
    plain->data[plain->len] = '\0';
    mru_wipe(cek, sizeof cek);
    return status;
}

/* --- making --- */

static void add_header(struct mru_buf *out, const mru_key *key,
                       const struct mru_enc *enc, const struct mru_cek *cek,
                       const struct mru_jval *extra) {
    mru_header_begin(out, mru_key_info(key)->name);
    mru_header_kid(out, key);
    mru_header_text(out, "enc", enc->name);
    if (cek->epk[0] != '\0')
        mru_header_json(out, "epk", cek->epk);
    mru_header_end(out, extra);
}

/* What key_ops say; to a public key of ECDH they say nothing, as deriving is what
 * the other side does. */
static int may_encrypt(const mru_key *key) {
    return mru_key_info(key)->kty == MRU_KTY_EC ||
           mru_key_may(key, MRU_OP_ENCRYPT | MRU_OP_WRAP_KEY);
}

/* Everything is in place but the token. */
static mereau_status write_token(struct mru_buf *out,
                                 const struct mru_buf *header,
                                 const struct mru_enc *enc,
                                 const struct mru_cek *cek, const uint8_t *iv,
                                 const uint8_t *plain, size_t len,
                                 mereau_error *err) {
    uint8_t tag[MRU_MAX_TAG] = {0};
    size_t start = out->len, total = mru_content_len(enc, len);
    mereau_status status = MEREAU_OK;
    uint8_t *cipher = mru_alloc(total);
    mru_buf_add_b64(out, header->data, header->len);
    mereau_slice aad = {NULL, out->len - start};
    if (cipher && !header->failed && !out->failed) {
        aad.data = out->data + start;
        if (mru_content_seal(enc, cek->key, iv, &aad, plain, len, cipher,
                             tag) != 0)
            status = mru_refuse(err, MEREAU_E_CRYPTO, NULL, NULL, NULL, NULL);
        mru_buf_add_byte(out, '.');
        mru_buf_add_b64(out, cek->encrypted, cek->encrypted_len);
        mru_buf_add_byte(out, '.');
        mru_buf_add_b64(out, iv, enc->iv_len);
        mru_buf_add_byte(out, '.');
        mru_buf_add_b64(out, cipher, total);
        mru_buf_add_byte(out, '.');
        mru_buf_add_b64(out, tag, enc->tag_len);
    }
    if (!cipher || header->failed || out->failed)
        status = no_memory(err);
    if (status == MEREAU_OK && out->len - start > MEREAU_MAX_TOKEN)
        status = mru_refuse(err, MEREAU_E_TOO_LONG, "jwe.length", NULL,
                            "a token of at most 16384 bytes", "a longer one");
    mru_free_wiped(cipher, total);
    return status;
}

mereau_status mru_jwe_make(struct mru_buf *out, const mru_key *key, int32_t enc,
                           const char *header, const uint8_t *plain, size_t len,
                           mru_rng rng, void *rng_arg, mereau_error *err) {
    const struct mru_enc *info = mru_enc_info(enc);
    struct mru_cek cek;
    struct mru_jval extra;
    struct mru_buf text = {0};
    uint8_t iv[MRU_MAX_IV];
    size_t start = out->len;
    int code = 0;
    if (mru_key_info(key)->use != MRU_USE_ENC)
        return mru_refuse(err, MEREAU_E_ALG, "jwe.alg", "RFC 7516 4.1.1",
                          "a key for encryption", mru_key_info(key)->name);
    if (!may_encrypt(key))
        return mru_refuse(err, MEREAU_E_KEY, "jwe.key", "RFC 7517 4.3",
                          "a key that may encrypt", "another");
    if (!info)
        return mru_refuse(err, MEREAU_E_ALG, "jwe.enc", "RFC 7516 4.1.2",
                          "a content encryption", "another number");
    if (len > MEREAU_MAX_TOKEN)
        return mru_refuse(err, MEREAU_E_TOO_LONG, "jwe.length", NULL,
                          "a token of at most 16384 bytes", "a longer one");
    memset(&cek, 0, sizeof cek);
    mereau_status status = mru_header_check(
        &extra, header, key, mru_key_info(key)->kty == MRU_KTY_EC, "jwe.header",
        err);
    if (status == MEREAU_OK)
        status = mru_cek_make(&cek, info, key, &extra, rng, rng_arg, err);
    if (status == MEREAU_OK && (code = rng(rng_arg, iv, info->iv_len)) != 0)
        status = mru_refuse_host(err, MEREAU_E_RANDOM, code, "jwe.random", NULL,
                                 NULL);
    if (status == MEREAU_OK) {
        add_header(&text, key, info, &cek, &extra);
        status = write_token(out, &text, info, &cek, iv, plain, len, err);
    }
    if (status != MEREAU_OK && !out->failed && out->data) {
        mru_wipe(out->data + start, out->len - start);
        out->len = start;
    }
    mru_wipe(&cek, sizeof cek);
    mru_buf_free(&text);
    return status;
}
