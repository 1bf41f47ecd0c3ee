/* lib/jose/jwe_key.c - key management of a JWE (RFC 7518 section 4): the content
 * key that a token is opened with, and a fresh one for a token to be made. What an
 * attacker could learn from a wrong encrypted key is kept from him: it is told
 * apart from a wrong tag by nothing. */
#include "jwe.h"

static mereau_status provider_failed(mereau_status status, mereau_error *err) {
    return mru_refuse(err, status, NULL, NULL, NULL, NULL);
}

/* dir, section 4.5: the secret is the content key, if it is one of enc's. */
static mereau_status use_directly(const mru_key *key, const struct mru_enc *enc,
                                  uint8_t *cek, mereau_error *err) {
    size_t len = 0;
    const uint8_t *secret = mru_key_secret(key, &len);
    const struct mru_enc *bound = mru_key_enc(key);
    if (bound && bound != enc)
        return mru_refuse(err, MEREAU_E_ALG, "jwe.enc", "RFC 7518 4.5",
                          bound->name, enc->name);
    if (len != enc->key_len)
        return mru_refuse(err, MEREAU_E_KEY, "jwe.key", "RFC 7518 4.5",
                          "a secret as long as enc's key", "another length");
    memcpy(cek, secret, len);
    return MEREAU_OK;
}

/* --- ECDH-ES, section 4.6 --- */

/* apu or apv: decoded behind what is in *out; absent, an empty one. */
static mereau_status read_party(struct mru_buf *out, mereau_slice *party,
                                const struct mru_jval *header, const char *name,
                                mereau_error *err) {
    struct mru_jval value;
    mru_buf_add(out, NULL, 0);
    ptrdiff_t n = 0;
    if (mru_json_member(&value, header, name)) {
        n = value.kind == 's' ? mru_b64_decode(NULL, value.p + 1, value.len - 2)
                              : -1;
        if (n < 0)
            return mru_refuse(
                err, MEREAU_E_MALFORMED, name[2] == 'u' ? "jwe.apu" : "jwe.apv",
                "RFC 7518 4.6.1", "strict base64url", "another form");
    }
    uint8_t *at = mru_buf_extend(out, (size_t)n);
    if (!at)
        return provider_failed(MEREAU_E_NOMEM, err);
    if (n > 0)
        mru_b64_decode(at, value.p + 1, value.len - 2);
    party->data = at;
    party->len = (size_t)n;
    return MEREAU_OK;
}

/* What z becomes: the content key itself, or the key that wraps it. */
static mereau_status derive(const struct mru_alg *alg,
                            const struct mru_enc *enc, const uint8_t *z,
                            size_t z_len, const struct mru_jval *header,
                            uint8_t *out, mereau_error *err) {
    struct mru_buf u = {0}, v = {0};
    mereau_slice apu = {NULL, 0}, apv = {NULL, 0};
    mereau_status status = read_party(&u, &apu, header, "apu", err);
    if (status == MEREAU_OK)
        status = read_party(&v, &apv, header, "apv", err);
    if (status == MEREAU_OK &&
        mru_concat_kdf(z, z_len, alg->kek > 0 ? alg->name : enc->name, &apu,
                       &apv, out, alg->kek > 0 ? alg->kek : enc->key_len) != 0)
        status = provider_failed(MEREAU_E_CRYPTO, err);
    mru_buf_free(&u);
    mru_buf_free(&v);
    return status;
}

static mereau_status bad_epk(mereau_error *err, const char *wanted) {
    return mru_refuse(err, MEREAU_E_MALFORMED, "jwe.epk", "RFC 7518 4.6.1.1",
                      wanted, "something else");
}

static int read_coordinate(const struct mru_jval *epk, const char *name,
                           size_t coord, uint8_t *out) {
    struct mru_jval value;
    return mru_json_member(&value, epk, name) && value.kind == 's' &&
                   value.len - 2 == MRU_B64_LEN(coord) &&
                   mru_b64_decode(out, value.p + 1, value.len - 2) ==
                       (ptrdiff_t)coord
               ? 0
               : -1;
}

/* z of the sender's ephemeral key and ours. */
static mereau_status agree(const struct mru_jwe *jwe, const mru_key *key,
                           mru_rng rng, void *rng_arg, uint8_t z[MRU_COORD_MAX],
                           mereau_error *err) {
    const struct mru_curve *curve = mru_key_curve(key);
    uint8_t x[MRU_COORD_MAX + 2], y[MRU_COORD_MAX + 2];
    mereau_slice at_x = {x, curve->coord}, at_y = {y, curve->coord};
    struct mru_jval epk, value;
    if (!mru_json_member(&epk, &jwe->header, "epk") || epk.kind != 'o')
        return bad_epk(err, "an ephemeral public key");
    if (!mru_json_member(&value, &epk, "kty") || !mru_json_is(&value, "EC", 2))
        return bad_epk(err, "kty EC");
    if (!mru_json_member(&value, &epk, "crv") ||
        !mru_json_is(&value, curve->name, strlen(curve->name)))
        return bad_epk(err, curve->name);
    if (mru_json_member(&value, &epk, "d"))
        return bad_epk(err, "a public key");
    if (read_coordinate(&epk, "x", curve->coord, x) != 0 ||
        read_coordinate(&epk, "y", curve->coord, y) != 0)
        return bad_epk(err, "coordinates as long as the curve's");
    mereau_status status =
        mru_pkey_agree(mru_key_pkey(key), &at_x, &at_y, rng, rng_arg, z);
    if (status == MEREAU_E_KEY)
        return bad_epk(err, "a point on the curve");
    if (status != MEREAU_OK)
        return provider_failed(status, err);
    return MEREAU_OK;
}

/* --- opening --- */

static mereau_status unwrap(const struct mru_jwe *jwe, const uint8_t *kek,
                            uint8_t *cek, int *right, mereau_error *err) {
    uint8_t wrapped[MRU_MAX_CEK + 8];
    mru_b64_decode(wrapped, jwe->part[MRU_JWE_KEY], jwe->len[MRU_JWE_KEY]);
    int ret =
        mru_kw_unwrap(kek, jwe->alg->kek, wrapped, jwe->enc->key_len + 8, cek);
    if (ret == -2)
        return provider_failed(MEREAU_E_CRYPTO, err);
    *right = ret == 0;
    return MEREAU_OK;
}

static mereau_status by_secret(const struct mru_jwe *jwe, const mru_key *key,
                               uint8_t *cek, int *right, mereau_error *err) {
    size_t len = 0;
    const uint8_t *secret = mru_key_secret(key, &len);
    if (jwe->alg->kek > 0)
        return unwrap(jwe, secret, cek, right, err);
    *right = 1;
    return use_directly(key, jwe->enc, cek, err);
}

static mereau_status by_rsa(const struct mru_jwe *jwe, const mru_key *key,
                            mru_rng rng, void *rng_arg, uint8_t *cek,
                            int *right, mereau_error *err) {
    uint8_t encrypted[MRU_RSA_MAX];
    size_t size = mru_pkey_sig_len(mru_key_pkey(key)), len = 0;
    if (jwe->len[MRU_JWE_KEY] != MRU_B64_LEN(size))
        return mru_refuse(err, MEREAU_E_MALFORMED, "jwe.encrypted_key",
                          "RFC 8017 7.1.2", "one as long as the modulus",
                          "another length");
    mru_b64_decode(encrypted, jwe->part[MRU_JWE_KEY], jwe->len[MRU_JWE_KEY]);
    mereau_status status =
        mru_pkey_decrypt(mru_key_pkey(key), encrypted, size, rng, rng_arg, cek,
                         MRU_MAX_CEK, &len);
    *right = status == MEREAU_OK && len == jwe->enc->key_len;
    if (status != MEREAU_OK && status != MEREAU_E_SIGNATURE)
        return provider_failed(status, err);
    return MEREAU_OK;
}

static mereau_status by_agreement(const struct mru_jwe *jwe, const mru_key *key,
                                  mru_rng rng, void *rng_arg, uint8_t *cek,
                                  int *right, mereau_error *err) {
    uint8_t z[MRU_COORD_MAX] = {0}, kek[32] = {0};
    uint8_t *derived = jwe->alg->kek > 0 ? kek : cek;
    mereau_status status = agree(jwe, key, rng, rng_arg, z, err);
    if (status == MEREAU_OK)
        status = derive(jwe->alg, jwe->enc, z, mru_key_curve(key)->coord,
                        &jwe->header, derived, err);
    *right = status == MEREAU_OK;
    if (status == MEREAU_OK && derived == kek)
        status = unwrap(jwe, kek, cek, right, err);
    mru_wipe(z, sizeof z);
    mru_wipe(kek, sizeof kek);
    return status;
}

mereau_status mru_cek_get(const struct mru_jwe *jwe, const mru_key *key,
                          mru_rng rng, void *rng_arg, uint8_t cek[MRU_MAX_CEK],
                          int *right, mereau_error *err) {
    *right = 0;
    switch (jwe->alg->kty) {
    case MRU_KTY_OCT:
        return by_secret(jwe, key, cek, right, err);
    case MRU_KTY_RSA:
        return by_rsa(jwe, key, rng, rng_arg, cek, right, err);
    case MRU_KTY_EC:
        return by_agreement(jwe, key, rng, rng_arg, cek, right, err);
    default:
        return mru_refuse(err, MEREAU_E_ALG, "jwe.alg", NULL, NULL, NULL);
    }
}

/* --- making --- */

static mereau_status draw(struct mru_cek *cek, const struct mru_enc *enc,
                          mru_rng rng, void *rng_arg, mereau_error *err) {
    int code = rng(rng_arg, cek->key, enc->key_len);
    if (code != 0)
        return mru_refuse_host(err, MEREAU_E_RANDOM, code, "jwe.random", NULL,
                               NULL);
    return MEREAU_OK;
}

static mereau_status wrap(struct mru_cek *cek, const struct mru_enc *enc,
                          const uint8_t *kek, size_t kek_len, mru_rng rng,
                          void *rng_arg, mereau_error *err) {
    mereau_status status = draw(cek, enc, rng, rng_arg, err);
    if (status != MEREAU_OK)
        return status;
    if (mru_kw_wrap(kek, kek_len, cek->key, enc->key_len, cek->encrypted) != 0)
        return provider_failed(MEREAU_E_CRYPTO, err);
    cek->encrypted_len = enc->key_len + 8;
    return MEREAU_OK;
}

static mereau_status for_rsa(struct mru_cek *cek, const struct mru_enc *enc,
                             const mru_key *key, mru_rng rng, void *rng_arg,
                             mereau_error *err) {
    mereau_status status = draw(cek, enc, rng, rng_arg, err);
    if (status != MEREAU_OK)
        return status;
    status = mru_pkey_encrypt(mru_key_pkey(key), cek->key, enc->key_len, rng,
                              rng_arg, cek->encrypted);
    if (status != MEREAU_OK)
        return provider_failed(status, err);
    cek->encrypted_len = mru_pkey_sig_len(mru_key_pkey(key));
    return MEREAU_OK;
}

static int write_epk(char *out, size_t cap, const struct mru_curve *curve,
                     const uint8_t *x, const uint8_t *y) {
    char bx[MRU_B64_LEN(MRU_COORD_MAX) + 1] = "";
    char by[MRU_B64_LEN(MRU_COORD_MAX) + 1] = "";
    mru_b64_encode(bx, x, curve->coord);
    mru_b64_encode(by, y, curve->coord);
    mru_say(out, cap,
            "{\"kty\":\"EC\",\"crv\":\"%s\",\"x\":\"%s\",\"y\":\"%s\"}",
            curve->name, bx, by);
    return 0;
}

/* z of the receiver's key and a new one, whose public half goes into *cek. */
static mereau_status agree_anew(struct mru_cek *cek, const mru_key *key,
                                mru_rng rng, void *rng_arg, uint8_t *z,
                                mereau_error *err) {
    const struct mru_curve *curve = mru_key_curve(key);
    uint8_t x[2][MRU_COORD_MAX], y[2][MRU_COORD_MAX];
    size_t n[4] = {0, 0, 0, 0};
    mru_pkey *ephemeral = NULL;
    mereau_status status = mru_pkey_generate(&ephemeral, mru_key_info(key),
                                             curve, 0, rng, rng_arg, err);
    if (status != MEREAU_OK)
        return status;
    if (mru_pkey_part(mru_key_pkey(key), MRU_PART_X, x[0], MRU_COORD_MAX,
                      &n[0]) != 0 ||
        mru_pkey_part(mru_key_pkey(key), MRU_PART_Y, y[0], MRU_COORD_MAX,
                      &n[1]) != 0 ||
        mru_pkey_part(ephemeral, MRU_PART_X, x[1], MRU_COORD_MAX, &n[2]) != 0 ||
        mru_pkey_part(ephemeral, MRU_PART_Y, y[1], MRU_COORD_MAX, &n[3]) != 0)
        status = provider_failed(MEREAU_E_CRYPTO, err);
    if (status == MEREAU_OK) {
        mereau_slice at_x = {x[0], n[0]}, at_y = {y[0], n[1]};
        status = mru_pkey_agree(ephemeral, &at_x, &at_y, rng, rng_arg, z);
        if (status != MEREAU_OK)
            provider_failed(status, err);
    }
    if (status == MEREAU_OK)
        write_epk(cek->epk, sizeof cek->epk, curve, x[1], y[1]);
    mru_pkey_free(ephemeral);
    return status;
}

static mereau_status for_agreement(struct mru_cek *cek,
                                   const struct mru_enc *enc,
                                   const mru_key *key,
                                   const struct mru_jval *extra, mru_rng rng,
                                   void *rng_arg, mereau_error *err) {
    uint8_t z[MRU_COORD_MAX] = {0}, kek[32] = {0};
    uint8_t *derived = mru_key_info(key)->kek > 0 ? kek : cek->key;
    mereau_status status = agree_anew(cek, key, rng, rng_arg, z, err);
    if (status == MEREAU_OK)
        status = derive(mru_key_info(key), enc, z, mru_key_curve(key)->coord,
                        extra, derived, err);
    if (status == MEREAU_OK && derived == kek)
        status = wrap(cek, enc, kek, mru_key_info(key)->kek, rng, rng_arg, err);
    mru_wipe(z, sizeof z);
    mru_wipe(kek, sizeof kek);
    return status;
}

mereau_status mru_cek_make(struct mru_cek *cek, const struct mru_enc *enc,
                           const mru_key *key, const struct mru_jval *extra,
                           mru_rng rng, void *rng_arg, mereau_error *err) {
    const struct mru_alg *alg = mru_key_info(key);
    size_t len = 0;
    switch (alg->kty) {
    case MRU_KTY_OCT:
        if (alg->kek == 0)
            return use_directly(key, enc, cek->key, err);
        return wrap(cek, enc, mru_key_secret(key, &len), alg->kek, rng, rng_arg,
                    err);
    case MRU_KTY_RSA:
        return for_rsa(cek, enc, key, rng, rng_arg, err);
    case MRU_KTY_EC:
        return for_agreement(cek, enc, key, extra, rng, rng_arg, err);
    default:
        return mru_refuse(err, MEREAU_E_ALG, "jwe.alg", NULL, NULL, NULL);
    }
}
