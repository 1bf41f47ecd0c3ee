/* lib/crypto/pkey.c - one face for RSA and elliptic curves. */
#include "asym.h"

mereau_status mru_key_refuse(mereau_error *err, const char *rule,
                             const char *source, const char *wanted,
                             const char *found) {
    return mru_refuse(err, MEREAU_E_KEY, rule, source, wanted, found);
}

static mereau_status pkey_new(mru_pkey **out, const struct mru_alg *alg,
                              mereau_error *err) {
    *out = NULL;
    if (alg->kty != MRU_KTY_RSA && alg->kty != MRU_KTY_EC)
        return mru_refuse(err, MEREAU_E_ALG, "key.alg", NULL,
                          "an RSA or EC algorithm of this build", alg->name);
    mru_pkey *key = mru_alloc(sizeof *key);
    if (!key)
        return mru_refuse(err, MEREAU_E_NOMEM, NULL, NULL, NULL, NULL);
    key->alg = alg;
    *out = key;
    return MEREAU_OK;
}

mereau_status mru_pkey_make(mru_pkey **out, const struct mru_alg *alg,
                            const struct mru_pkey_parts *parts,
                            mereau_error *err) {
    mru_pkey *key = NULL;
    *out = NULL;
    mereau_status status = pkey_new(&key, alg, err);
    if (status == MEREAU_OK)
        status = alg->kty == MRU_KTY_RSA
                     ? mru_rsa_make(&key->rsa, alg, parts, err)
                     : mru_ec_make(&key->ec, alg, parts, err);
    if (status != MEREAU_OK)
        mru_pkey_free(key);
    else
        *out = key;
    return status;
}

/* What comes after generating: the same checks and preparation as for a key that
 * was read. */
static mereau_status ec_remake(mru_pkey *key, mereau_error *err) {
    uint8_t d[66], x[66], y[66];
    struct mru_pkey_parts parts = {{{NULL, 0}}};
    struct mru_ec *ready = NULL;
    mereau_slice *p = parts.part;
    mereau_status status = MEREAU_OK;
    p[MRU_PART_D].data = d;
    p[MRU_PART_X].data = x;
    p[MRU_PART_Y].data = y;
    if (mru_pkey_part(key, MRU_PART_D, d, sizeof d, &p[MRU_PART_D].len) != 0 ||
        mru_pkey_part(key, MRU_PART_X, x, sizeof x, &p[MRU_PART_X].len) != 0 ||
        mru_pkey_part(key, MRU_PART_Y, y, sizeof y, &p[MRU_PART_Y].len) != 0)
        status =
            mru_refuse(err, MEREAU_E_CRYPTO, "key.generate", NULL, NULL, NULL);
    if (status == MEREAU_OK)
        status = mru_ec_make(&ready, key->alg, &parts, err);
    if (status == MEREAU_OK) {
        mru_ec_free(key->ec);
        key->ec = ready;
    }
    mru_wipe(d, sizeof d);
    return status;
}

mereau_status mru_pkey_generate(mru_pkey **out, const struct mru_alg *alg,
                                mru_rng rng, void *rng_arg, mereau_error *err) {
    struct mru_rng_box box = {rng, rng_arg, 0};
    mru_pkey *key = NULL;
    *out = NULL;
    mereau_status status = pkey_new(&key, alg, err);
    if (status == MEREAU_OK && alg->kty == MRU_KTY_RSA)
        status = mru_rsa_generate(&key->rsa, alg, &box, err);
    else if (status == MEREAU_OK)
        status = mru_ec_generate(&key->ec, alg, &box, err);
    if (status == MEREAU_OK && key->ec)
        status = ec_remake(key, err);
    if (status != MEREAU_OK)
        mru_pkey_free(key);
    else
        *out = key;
    return status;
}

void mru_pkey_free(mru_pkey *key) {
    if (!key)
        return;
    mru_rsa_free(key->rsa);
    mru_ec_free(key->ec);
    mru_free(key);
}

int mru_pkey_is_private(const mru_pkey *key) {
    return key->rsa ? mru_rsa_is_private(key->rsa) : mru_ec_is_private(key->ec);
}

size_t mru_pkey_sig_len(const mru_pkey *key) {
    return key->rsa ? mru_rsa_len(key->rsa) : 2 * key->alg->coord;
}

int mru_pkey_part(const mru_pkey *key, int part, uint8_t *out, size_t cap,
                  size_t *len) {
    *len = 0;
    return key->rsa ? mru_rsa_part(key->rsa, part, out, cap, len)
                    : mru_ec_part(key->ec, key->alg, part, out, cap, len);
}

mereau_status mru_pkey_sign(const mru_pkey *key, const uint8_t *digest,
                            mru_rng rng, void *rng_arg, uint8_t *sig) {
    struct mru_rng_box box = {rng, rng_arg, 0};
    if (!mru_pkey_is_private(key))
        return MEREAU_E_KEY;
    return key->rsa ? mru_rsa_sign(key->rsa, key->alg, digest, &box, sig)
                    : mru_ec_sign(key->ec, key->alg, digest, &box, sig);
}

mereau_status mru_pkey_verify(const mru_pkey *key, const uint8_t *digest,
                              const uint8_t *sig, size_t sig_len) {
    /* The provider reads as many bytes as the key has: settle it before. */
    if (sig_len != mru_pkey_sig_len(key))
        return MEREAU_E_SIGNATURE;
    return key->rsa ? mru_rsa_verify(key->rsa, key->alg, digest, sig)
                    : mru_ec_verify(key->ec, key->alg, digest, sig);
}
