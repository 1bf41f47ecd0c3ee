/* lib/crypto/pkey.c - one face for RSA, elliptic curves and Ed25519: what is the
 * same whatever the provider, around the raw operations of provider.h. */
#include "provider.h"

#include "pkey_int.h"

struct mru_pkey {
    const struct mru_alg *alg;
    const struct mru_curve *curve; /* NULL for RSA */
    int is_private;
    size_t bits;
    mru_hasher *hasher; /* of what is signed; NULL for Ed25519 and encryption */
    struct mru_rsa *rsa; /* one of the three */
    struct mru_ec *ec;
    struct mru_ed *ed;
    /* The numbers of EC and Ed25519; the provider keeps those of RSA. */
    uint8_t x[MRU_COORD_MAX], y[MRU_COORD_MAX], d[MRU_COORD_MAX];
};

int mru_rng_draw(void *box, unsigned char *out, size_t len) {
    struct mru_rng_box *b = box;
    int code = b->rng(b->arg, out, len);
    if (code == 0)
        return 0;
    if (b->code == 0)
        b->code = code;
    return -1;
}

mereau_status mru_key_refuse(mereau_error *err, const char *rule,
                             const char *source, const char *wanted,
                             const char *found) {
    return mru_refuse(err, MEREAU_E_KEY, rule, source, wanted, found);
}

/* --- making --- */

/* The curve of a key of alg: the one that alg names, or for ECDH the one given. */
static mereau_status find_curve(const struct mru_curve **out,
                                const struct mru_alg *alg,
                                const struct mru_curve *given,
                                mereau_error *err) {
    *out = NULL;
    if (alg->kty == MRU_KTY_RSA)
        return MEREAU_OK;
    *out = alg->crv ? mru_curve_find(alg->crv, strlen(alg->crv)) : given;
    if (alg->crv && given && given != *out)
        return mru_key_refuse(err, "key.crv", "RFC 7518 3.4", alg->crv,
                              given->name);
    if (!*out || (!alg->crv && given->id != MRU_P256 && given->id != MRU_P384 &&
                  given->id != MRU_P521))
        return mru_key_refuse(err, "key.crv", "RFC 7518 4.6",
                              "P-256, P-384 or P-521",
                              given ? given->name : "none");
    return MEREAU_OK;
}

static mereau_status pkey_new(mru_pkey **out, const struct mru_alg *alg,
                              const struct mru_curve *given,
                              mereau_error *err) {
    const struct mru_curve *curve;
    *out = NULL;
    if (alg->kty == MRU_KTY_OCT)
        return mru_refuse(err, MEREAU_E_ALG, "key.alg", NULL,
                          "an algorithm of key pairs", alg->name);
    mereau_status status = find_curve(&curve, alg, given, err);
    if (status != MEREAU_OK)
        return status;
    mru_pkey *key = mru_alloc(sizeof *key);
    if (!key)
        return mru_refuse(err, MEREAU_E_NOMEM, NULL, NULL, NULL, NULL);
    key->alg = alg;
    key->curve = curve;
    if (curve)
        key->bits = curve->id == MRU_P521 ? 521 : 8 * curve->coord;
    if (alg->use == MRU_USE_SIG && alg->hash) {
        key->hasher = mru_hasher_new(alg->hash);
        if (!key->hasher) {
            mru_pkey_free(key);
            return mru_refuse(err, MEREAU_E_NOMEM, NULL, NULL, NULL, NULL);
        }
    }
    *out = key;
    return MEREAU_OK;
}

static mereau_status make_rsa(mru_pkey *key, const struct mru_pkey_parts *parts,
                              mereau_error *err) {
    mereau_status status = mru_rsa_check(parts, &key->bits, err);
    return status == MEREAU_OK ? mru_rsa_make(&key->rsa, key->alg, parts, err)
                               : status;
}

/* Coordinates and private number of exactly the curve's length, copied. */
static mereau_status take_numbers(mru_pkey *key,
                                  const struct mru_pkey_parts *parts,
                                  mereau_error *err) {
    const mereau_slice *x = &parts->part[MRU_PART_X];
    const mereau_slice *y = &parts->part[MRU_PART_Y];
    const mereau_slice *d = &parts->part[MRU_PART_D];
    size_t coord = key->curve->coord;
    size_t y_len = key->curve->id == MRU_ED25519 ? 0 : coord;
    if (x->len != coord || y->len != y_len)
        return mru_key_refuse(err, "key.point", "RFC 7518 6.2.1.2",
                              "coordinates of the curve's full length",
                              "another length");
    if (d->len != 0 && d->len != coord)
        return mru_key_refuse(err, "key.pair", "RFC 7518 6.2.2.1",
                              "d of the curve's full length", "another length");
    memcpy(key->x, x->data, coord);
    if (y_len > 0)
        memcpy(key->y, y->data, y_len);
    if (d->len > 0)
        memcpy(key->d, d->data, coord);
    return MEREAU_OK;
}

mereau_status mru_pkey_make(mru_pkey **out, const struct mru_alg *alg,
                            const struct mru_curve *curve,
                            const struct mru_pkey_parts *parts,
                            mereau_error *err) {
    mru_pkey *key = NULL;
    *out = NULL;
    mereau_status status = pkey_new(&key, alg, curve, err);
    if (status == MEREAU_OK && key->curve)
        status = take_numbers(key, parts, err);
    if (status == MEREAU_OK && !key->curve)
        status = make_rsa(key, parts, err);
    else if (status == MEREAU_OK && key->curve->id == MRU_ED25519)
        status = mru_ed_make(&key->ed, parts, err);
    else if (status == MEREAU_OK)
        status = mru_ec_make(&key->ec, key->curve, alg->use, parts, err);
    if (status == MEREAU_OK) {
        key->is_private = parts->part[MRU_PART_D].len > 0;
        *out = key;
    } else {
        mru_pkey_free(key);
    }
    return status;
}

mereau_status mru_pkey_public(const struct mru_curve *curve, const uint8_t *d,
                              uint8_t *x, uint8_t *y, mereau_error *err) {
    mereau_status status = curve->id == MRU_ED25519
                               ? mru_ed_public(d, x)
                               : mru_ec_public(curve, d, x, y);
    if (status == MEREAU_OK)
        return status;
    if (status == MEREAU_E_KEY)
        return mru_key_refuse(err, "key.pair", "FIPS 186-5 A.2",
                              "d from 1 to n - 1", "another");
    if (status == MEREAU_E_ALG)
        return mru_refuse(err, status,
                          curve->id == MRU_ED25519 ? "key.eddsa" : "key.alg",
                          NULL, "a curve of this build", curve->name);
    return mru_refuse(err, status, "key.generate", NULL, NULL, NULL);
}

/* A private number from the caller's generator, its point, and then the same
 * checks and preparation as for a key that was read. */
static mereau_status generate_on_curve(mru_pkey **out,
                                       const struct mru_alg *alg,
                                       const struct mru_curve *curve,
                                       struct mru_rng_box *box,
                                       mereau_error *err) {
    uint8_t d[MRU_COORD_MAX], x[MRU_COORD_MAX], y[MRU_COORD_MAX];
    struct mru_pkey_parts parts = {{{NULL, 0}}};
    mereau_status status = find_curve(&curve, alg, curve, err);
    if (status != MEREAU_OK)
        return status;
    status = mru_curve_draw(curve, box, d);
    if (status == MEREAU_E_RANDOM)
        mru_refuse_host(err, status, box->code, "key.random", NULL, NULL);
    else if (status != MEREAU_OK)
        mru_refuse(err, status, "key.generate", NULL, NULL, NULL);
    else
        status = mru_pkey_public(curve, d, x, y, err);
    if (status == MEREAU_OK) {
        parts.part[MRU_PART_D] = (mereau_slice){d, curve->coord};
        parts.part[MRU_PART_X] = (mereau_slice){x, curve->coord};
        if (curve->id != MRU_ED25519)
            parts.part[MRU_PART_Y] = (mereau_slice){y, curve->coord};
        status = mru_pkey_make(out, alg, curve, &parts, err);
    }
    mru_wipe(d, sizeof d);
    return status;
}

mereau_status mru_pkey_generate(mru_pkey **out, const struct mru_alg *alg,
                                const struct mru_curve *curve, uint32_t bits,
                                mru_rng rng, void *rng_arg, mereau_error *err) {
    struct mru_rng_box box = {rng, rng_arg, 0};
    mru_pkey *key = NULL;
    *out = NULL;
    if (alg->kty == MRU_KTY_EC || alg->kty == MRU_KTY_OKP)
        return generate_on_curve(out, alg, curve, &box, err);
    struct mru_alg sized = *alg;
    if (bits != 0)
        sized.bits = bits;
    mereau_status status = pkey_new(&key, alg, NULL, err);
    if (status == MEREAU_OK)
        status = mru_rsa_generate(&key->rsa, &sized, &box, err);
    if (status == MEREAU_OK) {
        key->is_private = 1;
        key->bits = sized.bits;
        *out = key;
    } else {
        mru_pkey_free(key);
    }
    return status;
}

void mru_pkey_free(mru_pkey *key) {
    if (!key)
        return;
    mru_hasher_free(key->hasher);
    mru_rsa_free(key->rsa);
    mru_ec_free(key->ec);
    mru_ed_free(key->ed);
    mru_free_wiped(key, sizeof *key);
}

/* --- what it is --- */

int mru_pkey_is_private(const mru_pkey *key) { return key->is_private; }

const struct mru_curve *mru_pkey_curve(const mru_pkey *key) {
    return key->curve;
}

size_t mru_pkey_bits(const mru_pkey *key) { return key->bits; }

size_t mru_pkey_sig_len(const mru_pkey *key) {
    return key->rsa ? mru_rsa_len(key->rsa) : 2 * key->curve->coord;
}

int mru_pkey_part(const mru_pkey *key, int part, uint8_t *out, size_t cap,
                  size_t *len) {
    const uint8_t *number = NULL;
    *len = 0;
    if (part > MRU_PART_E && part < MRU_PART_X && !key->is_private)
        return -1;
    if (key->rsa)
        return mru_rsa_part(key->rsa, part, out, cap, len);
    if (part == MRU_PART_X)
        number = key->x;
    else if (part == MRU_PART_Y && key->curve->id != MRU_ED25519)
        number = key->y;
    else if (part == MRU_PART_D)
        number = key->d;
    if (!number || key->curve->coord > cap)
        return -1;
    *len = key->curve->coord;
    memcpy(out, number, *len);
    return 0;
}

/* --- signatures --- */

mereau_status mru_pkey_sign(const mru_pkey *key, const uint8_t *input,
                            size_t len, mru_rng rng, void *rng_arg,
                            uint8_t *sig) {
    struct mru_rng_box box = {rng, rng_arg, 0};
    uint8_t digest[MRU_MAX_HASH];
    mereau_slice part = {input, len};
    mereau_status status;
    if (!key->is_private || key->alg->use != MRU_USE_SIG)
        return MEREAU_E_KEY;
    if (key->ed)
        return mru_ed_sign(key->ed, input, len, sig);
    if (mru_hasher_run(key->hasher, &part, 1, digest) != 0)
        return MEREAU_E_CRYPTO;
    status = key->rsa ? mru_rsa_sign(key->rsa, key->alg, digest, &box, sig)
                      : mru_ec_sign(key->ec, key->alg, digest, &box, sig);
    return box.code != 0 ? MEREAU_E_RANDOM : status;
}

mereau_status mru_pkey_verify(const mru_pkey *key, const uint8_t *input,
                              size_t len, const uint8_t *sig, size_t sig_len) {
    uint8_t digest[MRU_MAX_HASH];
    mereau_slice part = {input, len};
    if (key->alg->use != MRU_USE_SIG)
        return MEREAU_E_KEY;
    /* Providers read as many bytes as the key has: settle it before. */
    if (sig_len != mru_pkey_sig_len(key))
        return MEREAU_E_SIGNATURE;
    if (key->ed)
        return mru_ed_verify(key->ed, input, len, sig);
    if (mru_hasher_run(key->hasher, &part, 1, digest) != 0)
        return MEREAU_E_CRYPTO;
    return key->rsa ? mru_rsa_verify(key->rsa, key->alg, digest, sig)
                    : mru_ec_verify(key->ec, key->alg, digest, sig);
}

/* --- encryption and agreement --- */

mereau_status mru_pkey_encrypt(const mru_pkey *key, const uint8_t *in,
                               size_t len, mru_rng rng, void *rng_arg,
                               uint8_t *out) {
    struct mru_rng_box box = {rng, rng_arg, 0};
    if (!key->rsa || key->alg->use != MRU_USE_ENC)
        return MEREAU_E_KEY;
    size_t room = mru_rsa_len(key->rsa) - 2 * (size_t)key->alg->hash - 2;
    if (len > room)
        return MEREAU_E_TOO_LONG;
    mereau_status status =
        mru_rsa_encrypt(key->rsa, key->alg, in, len, &box, out);
    if (box.code != 0)
        status = MEREAU_E_RANDOM;
    if (status != MEREAU_OK)
        mru_wipe(out, mru_rsa_len(key->rsa));
    return status;
}

mereau_status mru_pkey_decrypt(const mru_pkey *key, const uint8_t *in,
                               size_t in_len, mru_rng rng, void *rng_arg,
                               uint8_t *out, size_t cap, size_t *len) {
    struct mru_rng_box box = {rng, rng_arg, 0};
    uint8_t room[MRU_RSA_MAX];
    size_t found = 0;
    *len = 0;
    mru_wipe(out, cap);
    if (!key->rsa || !key->is_private || key->alg->use != MRU_USE_ENC)
        return MEREAU_E_KEY;
    if (in_len != mru_rsa_len(key->rsa))
        return MEREAU_E_SIGNATURE;
    mereau_status status =
        mru_rsa_decrypt(key->rsa, key->alg, in, &box, room, &found);
    if (box.code != 0)
        status = MEREAU_E_RANDOM;
    else if (status == MEREAU_OK && found > cap)
        status = MEREAU_E_SIGNATURE;
    if (status == MEREAU_OK) {
        memcpy(out, room, found);
        *len = found;
    }
    mru_wipe(room, sizeof room);
    return status;
}

mereau_status mru_pkey_agree(const mru_pkey *own, const mereau_slice *x,
                             const mereau_slice *y, mru_rng rng, void *rng_arg,
                             uint8_t *z) {
    struct mru_rng_box box = {rng, rng_arg, 0};
    if (!own->ec || own->alg->use != MRU_USE_ENC)
        return MEREAU_E_KEY;
    mru_wipe(z, own->curve->coord);
    if (!own->is_private || x->len != own->curve->coord ||
        y->len != own->curve->coord)
        return MEREAU_E_KEY;
    mereau_status status = mru_ec_agree(own->ec, x->data, y->data, &box, z);
    if (box.code != 0)
        status = MEREAU_E_RANDOM;
    if (status != MEREAU_OK)
        mru_wipe(z, own->curve->coord);
    return status;
}
