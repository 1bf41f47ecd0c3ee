/* lib/jose/key.c - a key and what it does: made, named, signing, verifying. One
 * key has one algorithm, and nothing a caller or a token says changes it. */
#include "key_int.h"

const char *mru_alg_name(int32_t alg) {
    const struct mru_alg *info = mru_alg_info(alg);
    return info ? info->name : NULL;
}

int32_t mru_alg_find(const char *name, size_t len) {
    const struct mru_alg *info = mru_alg_named(name, len, MRU_USE_SIG);
    return info ? info->id : 0;
}

size_t mru_alg_sig_len(int32_t alg) {
    const struct mru_alg *info = mru_alg_info(alg);
    if (!info || info->use != MRU_USE_SIG)
        return 0;
    switch (info->kty) {
    case MRU_KTY_OCT:
        return (size_t)info->hash;
    case MRU_KTY_EC:
    case MRU_KTY_OKP:
        return 2 * info->coord;
    default:
        return 0;
    }
}

mereau_status mru_alg_usable(const struct mru_alg **out, int32_t alg,
                             mereau_error *err) {
    const struct mru_alg *info = mru_alg_info(alg);
    *out = NULL;
    if (!info || info->use != MRU_USE_SIG)
        return mru_refuse(err, MEREAU_E_ALG, "key.alg", "RFC 7518 3.1",
                          "a signature algorithm", "another");
    if (info->kty == MRU_KTY_OKP && !(mru_crypto_has() & MRU_HAS_ED25519))
        return mru_refuse(err, MEREAU_E_ALG, "key.eddsa", "RFC 8037",
                          "an algorithm of this build",
                          "EdDSA, which its provider does not have");
    *out = info;
    return MEREAU_OK;
}

mereau_status mru_key_wrap(mru_key **out, const struct mru_alg *alg,
                           mru_pkey *pkey, const uint8_t *secret,
                           size_t secret_len, mereau_error *err) {
    char thumbprint[44];
    mereau_status status = MEREAU_OK;
    mru_key *key = mru_alloc(sizeof *key);
    *out = NULL;
    if (!key) {
        mru_pkey_free(pkey);
        return mru_refuse(err, MEREAU_E_NOMEM, NULL, NULL, NULL, NULL);
    }
    key->alg = alg;
    key->pkey = pkey;
    if (secret) {
        key->secret = mru_alloc(secret_len);
        key->secret_len = secret_len;
        if (key->secret)
            memcpy(key->secret, secret, secret_len);
        else
            status = MEREAU_E_NOMEM;
    }
    if (status == MEREAU_OK && mru_key_thumbprint(key, thumbprint) != 0)
        status = MEREAU_E_NOMEM;
    if (status != MEREAU_OK) {
        mru_key_free(key);
        return mru_refuse(err, status, NULL, NULL, NULL, NULL);
    }
    memcpy(key->kid, thumbprint, sizeof thumbprint);
    *out = key;
    return MEREAU_OK;
}

void mru_key_free(mru_key *key) {
    if (!key)
        return;
    mru_pkey_free(key->pkey);
    mru_free_wiped(key->secret, key->secret_len);
    mru_free_wiped(key, sizeof *key);
}

mereau_status mru_key_from_secret(mru_key **out, const uint8_t *secret,
                                  size_t len, int32_t alg, mereau_error *err) {
    const struct mru_alg *info;
    char found[32];
    *out = NULL;
    mereau_status status = mru_alg_usable(&info, alg, err);
    if (status != MEREAU_OK)
        return status;
    if (info->kty != MRU_KTY_OCT)
        return mru_refuse(err, MEREAU_E_ALG, "key.kind", "RFC 7518 3.1",
                          "an HMAC algorithm for a secret", info->name);
    mru_say(found, sizeof found, "%zu bytes", len);
    if (!secret || len < (size_t)info->hash)
        return mru_refuse(err, MEREAU_E_KEY, "key.bits", "RFC 7518 3.2",
                          "a secret as long as its hash", found);
    if (len > MRU_MAX_SECRET)
        return mru_refuse(err, MEREAU_E_KEY, "key.bits", NULL,
                          "a secret of at most 1024 bytes", found);
    /* The classic confusion: somebody's public key, known to all, as secret. */
    if (mru_pkey_is_encoded(secret, len))
        return mru_refuse(err, MEREAU_E_KEY, "key.kind", "RFC 8725 2.1",
                          "a secret", "an encoded key or certificate");
    return mru_key_wrap(out, info, NULL, secret, len, err);
}

/* What the flags of a reader say about a private or public key. */
static mereau_status flags_allow(int is_private, uint32_t flags,
                                 mereau_error *err) {
    if (is_private && (flags & MRU_KEY_PUBLIC))
        return mru_refuse(err, MEREAU_E_KEY, "key.private", "RFC 7517 9.3",
                          "a public key", "a private one");
    if (!is_private && (flags & MRU_KEY_PRIVATE))
        return mru_refuse(err, MEREAU_E_KEY, "key.public", NULL,
                          "a private key", "a public one");
    return MEREAU_OK;
}

mereau_status mru_key_from_pem(mru_key **out, const void *data, size_t len,
                               int32_t alg, uint32_t flags, mereau_error *err) {
    const struct mru_alg *info;
    mru_pkey *pkey = NULL;
    *out = NULL;
    mereau_status status = mru_alg_usable(&info, alg, err);
    if (status == MEREAU_OK && info->kty == MRU_KTY_OCT)
        status =
            mru_refuse(err, MEREAU_E_KEY, "key.kind", "RFC 8725 2.1",
                       "an RSA or EC algorithm for an encoded key", info->name);
    if (status == MEREAU_OK)
        status = mru_pkey_parse(&pkey, info, NULL, data, len, err);
    if (status == MEREAU_OK)
        status = flags_allow(mru_pkey_is_private(pkey), flags, err);
    if (status != MEREAU_OK) {
        mru_pkey_free(pkey);
        return status;
    }
    return mru_key_wrap(out, info, pkey, NULL, 0, err);
}

mereau_status mru_key_generate(mru_key **out, int32_t alg, mru_rng rng,
                               void *rng_arg, mereau_error *err) {
    const struct mru_alg *info;
    uint8_t secret[MRU_MAX_HASH];
    mru_pkey *pkey = NULL;
    *out = NULL;
    mereau_status status = mru_alg_usable(&info, alg, err);
    if (status != MEREAU_OK)
        return status;
    if (info->kty != MRU_KTY_OCT) {
        status = mru_pkey_generate(&pkey, info, NULL, rng, rng_arg, err);
        if (status != MEREAU_OK)
            return status;
        return mru_key_wrap(out, info, pkey, NULL, 0, err);
    }
    int code = rng(rng_arg, secret, (size_t)info->hash);
    if (code != 0)
        status = mru_refuse_host(err, MEREAU_E_RANDOM, code, "key.random", NULL,
                                 NULL);
    else
        status = mru_key_wrap(out, info, NULL, secret, (size_t)info->hash, err);
    mru_wipe(secret, sizeof secret);
    return status;
}

int32_t mru_key_alg(const mru_key *key) { return key->alg->id; }

int mru_key_is_private(const mru_key *key) {
    return key->secret || mru_pkey_is_private(key->pkey);
}

const char *mru_key_kid(const mru_key *key) { return key->kid; }

int mru_key_kid_given(const mru_key *key) { return key->kid_given; }

mereau_status mru_key_set_kid(mru_key *key, const char *kid, size_t len) {
    if (len == 0 || len > MRU_MAX_KID ||
        !mru_text_valid((const uint8_t *)kid, len))
        return MEREAU_E_KEY;
    memcpy(key->kid, kid, len);
    key->kid[len] = '\0';
    key->kid_given = 1;
    return MEREAU_OK;
}

mereau_status mru_key_sign(const mru_key *key, mru_rng rng, void *rng_arg,
                           const uint8_t *input, size_t len,
                           uint8_t sig[MRU_MAX_SIG], size_t *sig_len) {
    mereau_slice part = {input, len};
    *sig_len = 0;
    if (key->secret) {
        if (mru_hmac(key->alg->hash, key->secret, key->secret_len, &part, 1,
                     sig) != 0)
            return MEREAU_E_CRYPTO;
        *sig_len = (size_t)key->alg->hash;
        return MEREAU_OK;
    }
    mereau_status status =
        mru_pkey_sign(key->pkey, input, len, rng, rng_arg, sig);
    if (status == MEREAU_OK)
        *sig_len = mru_pkey_sig_len(key->pkey);
    else
        mru_wipe(sig, MRU_MAX_SIG);
    return status;
}

mereau_status mru_key_verify(const mru_key *key, const uint8_t *input,
                             size_t len, const uint8_t *sig, size_t sig_len) {
    uint8_t digest[MRU_MAX_HASH];
    mereau_slice part = {input, len};
    size_t hash = (size_t)key->alg->hash;
    if (!key->secret)
        return mru_pkey_verify(key->pkey, input, len, sig, sig_len);
    if (sig_len != hash)
        return MEREAU_E_SIGNATURE;
    if (mru_hmac(key->alg->hash, key->secret, key->secret_len, &part, 1,
                 digest) != 0)
        return MEREAU_E_CRYPTO;
    int same = mru_equal_ct(digest, sig, hash);
    mru_wipe(digest, sizeof digest);
    return same ? MEREAU_OK : MEREAU_E_SIGNATURE;
}
