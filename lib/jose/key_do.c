/* lib/jose/key_do.c - what a key is called, what it may do, and doing it. */
#include "key_int.h"

int32_t mru_key_alg(const mru_key *key) { return key->alg->id; }

const struct mru_alg *mru_key_info(const mru_key *key) { return key->alg; }

const struct mru_curve *mru_key_curve(const mru_key *key) {
    return key->material->pkey ? mru_pkey_curve(key->material->pkey) : NULL;
}

int mru_key_may(const mru_key *key, uint32_t ops) {
    return key->ops == 0 || (key->ops & ops) != 0;
}

const mru_pkey *mru_key_pkey(const mru_key *key) { return key->material->pkey; }

const uint8_t *mru_key_secret(const mru_key *key, size_t *len) {
    *len = key->material->secret_len;
    return key->material->secret;
}

const struct mru_enc *mru_key_enc(const mru_key *key) { return key->enc; }

int mru_key_is_private(const mru_key *key) {
    return key->material->secret || mru_pkey_is_private(key->material->pkey);
}

/* --- its name --- */

const char *mru_key_kid(const mru_key *key) { return key->kid; }

int mru_key_kid_given(const mru_key *key) { return key->kid_given; }

int mru_key_is_named(const mru_key *key, const char *kid) {
    return strcmp(key->kid, kid) == 0;
}

mereau_status mru_key_set_kid(mru_key *key, const char *kid, size_t len) {
    if (len == 0 || len > MRU_MAX_KID ||
        !mru_text_valid((const uint8_t *)kid, len))
        return MEREAU_E_KEY;
    memcpy(key->kid, kid, len);
    key->kid[len] = '\0';
    key->kid_given = 1;
    return MEREAU_OK;
}

int mru_key_thumbprint(const mru_key *key, char out[44]) {
    memcpy(out, key->material->thumbprint, 44);
    return 0;
}

/* --- signatures --- */

mereau_status mru_key_sign(const mru_key *key, mru_rng rng, void *rng_arg,
                           const uint8_t *input, size_t len,
                           uint8_t sig[MRU_MAX_SIG], size_t *sig_len) {
    const struct mru_material *m = key->material;
    mereau_slice part = {input, len};
    *sig_len = 0;
    if (key->alg->use != MRU_USE_SIG || !mru_key_may(key, MRU_OP_SIGN))
        return MEREAU_E_KEY;
    if (m->mac) {
        if (mru_mac_run(m->mac, &part, 1, sig) != 0)
            return MEREAU_E_CRYPTO;
        *sig_len = (size_t)key->alg->hash;
        return MEREAU_OK;
    }
    mereau_status status =
        mru_pkey_sign(m->pkey, input, len, rng, rng_arg, sig);
    if (status == MEREAU_OK)
        *sig_len = mru_pkey_sig_len(m->pkey);
    else
        mru_wipe(sig, MRU_MAX_SIG);
    return status;
}

/* A key pair that may sign may check what it signed: its public half could. */
static int may_verify(const mru_key *key) {
    uint32_t ops = MRU_OP_VERIFY;
    if (key->material->pkey && mru_pkey_is_private(key->material->pkey))
        ops |= MRU_OP_SIGN;
    return mru_key_may(key, ops);
}

mereau_status mru_key_verify(const mru_key *key, const uint8_t *input,
                             size_t len, const uint8_t *sig, size_t sig_len) {
    const struct mru_material *m = key->material;
    uint8_t digest[MRU_MAX_HASH];
    mereau_slice part = {input, len};
    if (key->alg->use != MRU_USE_SIG || !may_verify(key))
        return MEREAU_E_KEY;
    if (!m->mac)
        return mru_pkey_verify(m->pkey, input, len, sig, sig_len);
    if (sig_len != (size_t)key->alg->hash)
        return MEREAU_E_SIGNATURE;
    if (mru_mac_run(m->mac, &part, 1, digest) != 0)
        return MEREAU_E_CRYPTO;
    int same = mru_equal_ct(digest, sig, sig_len);
    mru_wipe(digest, sizeof digest);
    return same ? MEREAU_OK : MEREAU_E_SIGNATURE;
}
