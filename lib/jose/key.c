/* lib/jose/key.c - a key: made, named, counted. One key has one algorithm, and
 * nothing a caller or a token says changes it. What it does is in key_do.c. */
#include "key_int.h"

/* --- algorithms --- */

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
    if (!info)
        return mru_refuse(err, MEREAU_E_ALG, "key.alg", "RFC 7518 3.1",
                          "a known algorithm", "another");
    if (info->kty == MRU_KTY_OKP && !(mru_crypto_has() & MRU_HAS_ED25519))
        return mru_refuse(err, MEREAU_E_ALG, "key.eddsa", "RFC 8037",
                          "an algorithm of this build",
                          "EdDSA, which its provider does not have");
    *out = info;
    return MEREAU_OK;
}

/* --- making and counting --- */

static void material_free(struct mru_material *m) {
    if (!m || atomic_fetch_sub(&m->refs, 1) != 1)
        return;
    mru_pkey_free(m->pkey);
    mru_mac_free(m->mac);
    mru_free_wiped(m->secret, m->secret_len);
    mru_certs_free(&m->certs);
    mru_free_wiped(m, sizeof *m);
}

/* Takes pkey over, also when it fails. */
static mereau_status material_new(struct mru_material **out,
                                  const struct mru_alg *alg, mru_pkey *pkey,
                                  const uint8_t *secret, size_t secret_len) {
    mereau_status status = MEREAU_OK;
    struct mru_material *m = mru_alloc(sizeof *m);
    *out = NULL;
    if (!m) {
        mru_pkey_free(pkey);
        return MEREAU_E_NOMEM;
    }
    atomic_init(&m->refs, 1);
    m->pkey = pkey;
    if (secret) {
        m->secret = mru_alloc(secret_len);
        m->secret_len = secret_len;
        if (m->secret)
            memcpy(m->secret, secret, secret_len);
        else
            status = MEREAU_E_NOMEM;
        if (status == MEREAU_OK && alg->use == MRU_USE_SIG) {
            m->mac = mru_mac_new(alg->hash, secret, secret_len);
            if (!m->mac)
                status = MEREAU_E_NOMEM;
        }
    }
    if (status == MEREAU_OK && mru_thumbprint_of(alg, m, m->thumbprint) != 0)
        status = MEREAU_E_NOMEM;
    if (status != MEREAU_OK)
        material_free(m);
    else
        *out = m;
    return status;
}

mereau_status mru_key_wrap(mru_key **out, const struct mru_alg *alg,
                           mru_pkey *pkey, const uint8_t *secret,
                           size_t secret_len, mereau_error *err) {
    struct mru_material *m = NULL;
    *out = NULL;
    mereau_status status = material_new(&m, alg, pkey, secret, secret_len);
    mru_key *key = status == MEREAU_OK ? mru_alloc(sizeof *key) : NULL;
    if (!key) {
        material_free(m);
        return mru_refuse(err, MEREAU_E_NOMEM, NULL, NULL, NULL, NULL);
    }
    atomic_init(&key->refs, 1);
    key->alg = alg;
    key->material = m;
    memcpy(key->kid, m->thumbprint, sizeof m->thumbprint);
    *out = key;
    return MEREAU_OK;
}

mru_key *mru_key_again(const mru_key *key) {
    mru_key *again = mru_alloc(sizeof *again);
    if (!again)
        return NULL;
    atomic_init(&again->refs, 1);
    again->alg = key->alg;
    again->enc = key->enc;
    again->ops = key->ops;
    again->material = key->material;
    atomic_fetch_add(&again->material->refs, 1);
    memcpy(again->kid, key->material->thumbprint,
           sizeof key->material->thumbprint);
    return again;
}

mru_key *mru_key_ref(const mru_key *key) {
    /* Every key was allocated as one that can be written to. */
    mru_key *held = (mru_key *)(uintptr_t)key;
    if (held)
        atomic_fetch_add(&held->refs, 1);
    return held;
}

void mru_key_free(mru_key *key) {
    if (!key || atomic_fetch_sub(&key->refs, 1) != 1)
        return;
    material_free(key->material);
    mru_free_wiped(key, sizeof *key);
}

mereau_status mru_key_from_secret(mru_key **out, const uint8_t *secret,
                                  size_t len, int32_t alg, mereau_error *err) {
    const struct mru_alg *info;
    *out = NULL;
    mereau_status status = mru_alg_usable(&info, alg, err);
    if (status == MEREAU_OK)
        status = mru_secret_check(info, NULL, secret, len, err);
    return status == MEREAU_OK ? mru_key_wrap(out, info, NULL, secret, len, err)
                               : status;
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
    status = mru_key_wrap(out, info, pkey, NULL, 0, err);
    if (status == MEREAU_OK)
        status = mru_certs_take(&(*out)->material->certs, data, len, err);
    if (status != MEREAU_OK) {
        mru_key_free(*out);
        *out = NULL;
    }
    return status;
}

mereau_status mru_key_public(mru_key **out, const mru_key *key,
                             mereau_error *err) {
    static const int public_parts[] = {MRU_PART_N, MRU_PART_E, MRU_PART_X,
                                       MRU_PART_Y};
    const struct mru_material *m = key->material;
    struct mru_pkey_parts parts = {{{NULL, 0}}};
    uint8_t room[2][MRU_RSA_MAX];
    mru_pkey *pkey = NULL;
    size_t n = 0;
    *out = NULL;
    if (m->secret)
        return mru_refuse(err, MEREAU_E_KEY, "key.secret", "RFC 7517 9.3",
                          "a key pair", "a secret, of which nothing is public");
    if (!mru_pkey_is_private(m->pkey)) {
        *out = mru_key_ref(key);
        return MEREAU_OK;
    }
    for (size_t i = 0; i < 4; i++) {
        size_t len = 0;
        if (n < 2 && mru_pkey_part(m->pkey, public_parts[i], room[n],
                                   MRU_RSA_MAX, &len) == 0) {
            parts.part[public_parts[i]] = (mereau_slice){room[n], len};
            n++;
        }
    }
    mereau_status status =
        mru_pkey_make(&pkey, key->alg, mru_pkey_curve(m->pkey), &parts, err);
    if (status == MEREAU_OK)
        status = mru_key_wrap(out, key->alg, pkey, NULL, 0, err);
    if (status != MEREAU_OK)
        return status;
    (*out)->ops = mru_ops_public(key->ops);
    (*out)->kid_given = key->kid_given;
    memcpy((*out)->kid, key->kid, sizeof key->kid);
    if (mru_certs_copy(&(*out)->material->certs, &m->certs) == 0)
        return MEREAU_OK;
    mru_key_free(*out);
    *out = NULL;
    return mru_refuse(err, MEREAU_E_NOMEM, NULL, NULL, NULL, NULL);
}

/* --- new keys --- */

/* The curve of a new key: the algorithm's own; for ECDH the one of that size (0:
 * P-256), or NULL when there is none. */
static const struct mru_curve *curve_of_new(const struct mru_alg *alg,
                                            int32_t bits, int32_t *own) {
    static const struct {
        const char *name;
        int32_t bits;
    } curves[] = {{"P-256", 256},
                  {"P-384", 384},
                  {"P-521", 521},
                  {"secp256k1", 256},
                  {"Ed25519", 256}};
    for (size_t i = 0; i < sizeof curves / sizeof curves[0]; i++) {
        int meant = alg->crv ? strcmp(alg->crv, curves[i].name) == 0
                             : curves[i].bits == (bits != 0 ? bits : 256);
        *own = curves[i].bits;
        if (meant)
            return mru_curve_find(curves[i].name, strlen(curves[i].name));
    }
    return NULL;
}

/* The size asked for, in bits, or that of the algorithm. */
static mereau_status size_of_new(const struct mru_alg *alg, int32_t *bits,
                                 const struct mru_curve **curve,
                                 mereau_error *err) {
    char found[32];
    int32_t own = (int32_t)alg->bits;
    int right = 0;
    *curve = NULL;
    if (alg->kty == MRU_KTY_RSA) {
        right = *bits >= MRU_RSA_MIN_BITS && *bits <= MRU_RSA_MAX_BITS &&
                *bits % 8 == 0;
    } else if (alg->kty != MRU_KTY_OCT) {
        *curve = curve_of_new(alg, *bits, &own);
        right = *curve && *bits == own;
    } else if (alg->use == MRU_USE_SIG || alg->kek > 0) {
        own = 8 * (alg->kek > 0 ? (int32_t)alg->kek : alg->hash);
        right = *bits == own;
    } else {
        own = 256;
        right = *bits == 128 || *bits == 256 || *bits == 512;
    }
    if (*bits == 0)
        *bits = own;
    else if (!right) {
        mru_say(found, sizeof found, "%ld bits", (long)*bits);
        return mru_refuse(err, MEREAU_E_KEY, "key.bits", "RFC 7518",
                          "a size of the algorithm's keys", found);
    }
    return MEREAU_OK;
}

static mereau_status generate_secret(mru_key **out, const struct mru_alg *alg,
                                     size_t len, mru_rng rng, void *rng_arg,
                                     mereau_error *err) {
    uint8_t secret[MRU_MAX_HASH];
    mereau_status status;
    int code = rng(rng_arg, secret, len);
    if (code != 0)
        status = mru_refuse_host(err, MEREAU_E_RANDOM, code, "key.random", NULL,
                                 NULL);
    else
        status = mru_key_wrap(out, alg, NULL, secret, len, err);
    mru_wipe(secret, sizeof secret);
    return status;
}

mereau_status mru_key_generate_bits(mru_key **out, int32_t alg, int32_t bits,
                                    mru_rng rng, void *rng_arg,
                                    mereau_error *err) {
    const struct mru_alg *info;
    const struct mru_curve *curve;
    mru_pkey *pkey = NULL;
    *out = NULL;
    mereau_status status = mru_alg_usable(&info, alg, err);
    if (status == MEREAU_OK)
        status = size_of_new(info, &bits, &curve, err);
    if (status != MEREAU_OK)
        return status;
    if (info->kty == MRU_KTY_OCT)
        return generate_secret(out, info, (size_t)bits / 8, rng, rng_arg, err);
    status = mru_pkey_generate(&pkey, info, curve, (uint32_t)bits, rng, rng_arg,
                               err);
    return status == MEREAU_OK ? mru_key_wrap(out, info, pkey, NULL, 0, err)
                               : status;
}

mereau_status mru_key_generate(mru_key **out, int32_t alg, mru_rng rng,
                               void *rng_arg, mereau_error *err) {
    return mru_key_generate_bits(out, alg, 0, rng, rng_arg, err);
}
