/* lib/crypto/pkey.h - asymmetric keys: made from numbers, from PEM or DER, or at
 * random; checked and prepared once; immutable after that and shared by threads
 * (RSA works on a pool of contexts, elliptic curves on read-only tables). Used
 * by lib/jose only, which knows what a JWK is. */
#ifndef MRU_PKEY_H
#define MRU_PKEY_H

#include "crypto.h"

enum { MRU_KTY_OCT = 1, MRU_KTY_RSA = 2, MRU_KTY_EC = 3, MRU_KTY_OKP = 4 };

/* A signature algorithm and all that follows from it. */
struct mru_alg {
    int32_t id; /* MEREAU_ALG_* */
    const char *name; /* "ES256" */
    int kty; /* MRU_KTY_* */
    int hash; /* MRU_SHA256 ... */
    int pss; /* RSA: PSS, not PKCS#1 v1.5 */
    const char *crv; /* EC: the JWK's name of the curve */
    size_t coord; /* EC: bytes of a coordinate */
    uint32_t bits; /* RSA: size of a generated key */
};
/* NULL for an unknown number. EdDSA is known, but no key can be made for it. */
const struct mru_alg *mru_alg_info(int32_t alg);

enum { MRU_RSA_MIN_BITS = 2048, MRU_RSA_MAX_BITS = 8192 };
#define MRU_RSA_MAX 1024 /* bytes of the largest modulus */

/* The numbers of a key, big-endian; len 0: not given. An RSA key has n, e, and
 * when private d, with p, q, dp, dq, qi all or none. An EC key has x, y of
 * exactly the curve's length, and d when private. */
enum {
    MRU_PART_N,
    MRU_PART_E,
    MRU_PART_D,
    MRU_PART_P,
    MRU_PART_Q,
    MRU_PART_DP,
    MRU_PART_DQ,
    MRU_PART_QI,
    MRU_PART_X,
    MRU_PART_Y,
    MRU_PARTS
};
struct mru_pkey_parts {
    mereau_slice part[MRU_PARTS];
};

typedef struct mru_pkey mru_pkey;

/* Makes a key of checked numbers. MEREAU_OK, _KEY, _ALG, _NOMEM, _CRYPTO. Rules:
 * "key.bits", "key.modulus", "key.exponent", "key.point", "key.pair". */
mereau_status mru_pkey_make(mru_pkey **out, const struct mru_alg *alg,
                            const struct mru_pkey_parts *parts,
                            mereau_error *err);
/* Reads PEM or DER: SPKI, PKCS#1, PKCS#8, SEC1, X.509 (its public key). Also
 * MEREAU_E_MALFORMED. */
mereau_status mru_pkey_parse(mru_pkey **out, const struct mru_alg *alg,
                             const uint8_t *data, size_t len,
                             mereau_error *err);
/* 1 when data is some public or private key or certificate in PEM or DER: what
 * must never serve as a shared secret. */
int mru_pkey_is_encoded(const uint8_t *data, size_t len);
/* Makes a key pair. Also MEREAU_E_RANDOM. */
mereau_status mru_pkey_generate(mru_pkey **out, const struct mru_alg *alg,
                                mru_rng rng, void *rng_arg, mereau_error *err);
void mru_pkey_free(mru_pkey *key);

int mru_pkey_is_private(const mru_pkey *key);
/* Bytes of each of its signatures. */
size_t mru_pkey_sig_len(const mru_pkey *key);
/* Writes one number: 0 and *len, or -1 when the key does not have it or it does
 * not fit. Coordinates and EC's d are full length, RSA's numbers shortest. */
int mru_pkey_part(const mru_pkey *key, int part, uint8_t *out, size_t cap,
                  size_t *len);

/* Signs a digest of the algorithm's hash; sig has room for mru_pkey_sig_len.
 * MEREAU_OK, _KEY, _RANDOM, _NOMEM, _CRYPTO. */
mereau_status mru_pkey_sign(const mru_pkey *key, const uint8_t *digest,
                            mru_rng rng, void *rng_arg, uint8_t *sig);
/* MEREAU_OK, _SIGNATURE, _NOMEM, _CRYPTO. */
mereau_status mru_pkey_verify(const mru_pkey *key, const uint8_t *digest,
                              const uint8_t *sig, size_t sig_len);

#endif
