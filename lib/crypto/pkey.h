/* lib/crypto/pkey.h - asymmetric keys: made from numbers, from PEM or DER, or at
 * random; checked and prepared once; immutable after that and shared by threads.
 * Used by lib/jose only, which knows what a JWK is. */
#ifndef MRU_PKEY_H
#define MRU_PKEY_H

#include "crypto.h"

enum { MRU_KTY_OCT = 1, MRU_KTY_RSA = 2, MRU_KTY_EC = 3, MRU_KTY_OKP = 4 };
enum { MRU_USE_SIG = 1, MRU_USE_ENC = 2 };
/* The hash of RSA-OAEP as RFC 7518 names it; mru_hash does not know it. */
enum { MRU_SHA1 = 20 };

/* --- curves and algorithms (alg.c) --- */

enum {
    MRU_P256 = 1,
    MRU_P384 = 2,
    MRU_P521 = 3,
    MRU_SECP256K1 = 4,
    MRU_ED25519 = 5
};
struct mru_curve {
    int id;
    const char *name; /* "P-256", as in a JWK */
    size_t coord; /* bytes of a coordinate, and of a private number */
};
/* NULL for an unknown one. */
const struct mru_curve *mru_curve_find(const char *name, size_t len);

/* An algorithm and all that follows from it. */
struct mru_alg {
    int32_t id; /* MEREAU_ALG_* */
    const char *name; /* "ES256" */
    int kty; /* MRU_KTY_* */
    int use; /* MRU_USE_SIG or _ENC */
    int hash; /* MRU_SHA256 ... of the signature, or of OAEP */
    int pss; /* RSA signatures: PSS, not PKCS#1 v1.5 */
    const char *crv; /* signatures of EC and OKP; NULL: the key's own curve */
    size_t coord; /* bytes of a coordinate of crv */
    uint32_t bits; /* RSA: size of a generated key */
    size_t kek; /* AES-KW: bytes of the wrapping key, also behind ECDH-ES */
};
/* NULL for an unknown number. EdDSA is known also where no key can be made. */
const struct mru_alg *mru_alg_info(int32_t alg);
/* By name, and with that use only; "Ed25519" (RFC 9864) is EdDSA. NULL for an
 * unknown one. */
const struct mru_alg *mru_alg_named(const char *name, size_t len, int use);

/* --- keys --- */

enum { MRU_RSA_MIN_BITS = 2048, MRU_RSA_MAX_BITS = 8192 };
#define MRU_RSA_MAX 1024 /* bytes of the largest modulus */
#define MRU_COORD_MAX 66 /* bytes of the largest coordinate */

/* The numbers of a key, big-endian; len 0: not given. An RSA key has n, e, and
 * when private d, with p, q, dp, dq, qi all or none. An EC key has x, y of
 * exactly the curve's length, and d when private. Ed25519 has x, 32 bytes, and
 * its seed as d when private. */
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

/* Makes a key of checked numbers. curve: NULL when alg names one; ECDH takes
 * P-256, P-384 and P-521. MEREAU_OK, _KEY, _ALG, _NOMEM, _CRYPTO. Rules:
 * "key.bits", "key.modulus", "key.exponent", "key.point", "key.pair",
 * "key.crv"; "key.alg", "key.eddsa" for what this build cannot. */
mereau_status mru_pkey_make(mru_pkey **out, const struct mru_alg *alg,
                            const struct mru_curve *curve,
                            const struct mru_pkey_parts *parts,
                            mereau_error *err);
/* Reads PEM or DER: SPKI, PKCS#1, PKCS#8, SEC1, X.509 (its public key). curve:
 * NULL for the one that alg or the data names. Also MEREAU_E_MALFORMED. Rules:
 * also "key.encoding", "key.encrypted", "key.kind". */
mereau_status mru_pkey_parse(mru_pkey **out, const struct mru_alg *alg,
                             const struct mru_curve *curve, const uint8_t *data,
                             size_t len, mereau_error *err);
/* 1 when data is some public or private key or certificate in PEM or DER: what
 * must never serve as a shared secret. */
int mru_pkey_is_encoded(const uint8_t *data, size_t len);
/* Makes a key pair; curve as for mru_pkey_make; bits: of an RSA key, 0 for alg's
 * own. Equal random bytes make equal EC and Ed25519 keys. Also
 * MEREAU_E_RANDOM. */
mereau_status mru_pkey_generate(mru_pkey **out, const struct mru_alg *alg,
                                const struct mru_curve *curve, uint32_t bits,
                                mru_rng rng, void *rng_arg, mereau_error *err);
void mru_pkey_free(mru_pkey *key);

/* Writes the key as it is read: SPKI, or with private_too PKCS#8; as PEM or as
 * DER. MEREAU_OK, _KEY (private_too of a public key), _NOMEM. */
mereau_status mru_pkey_write(const mru_pkey *key, int private_too, int pem,
                             struct mru_buf *out);
/* Appends the DER of a certificate given in PEM or DER: 0, or -1 when it is
 * none, -2 without memory. Nothing in it is believed; it only has the form. */
int mru_cert_der(const uint8_t *data, size_t len, struct mru_buf *der);

int mru_pkey_is_private(const mru_pkey *key);
/* NULL for RSA. */
const struct mru_curve *mru_pkey_curve(const mru_pkey *key);
/* Bits of the modulus or of a coordinate of the curve. */
size_t mru_pkey_bits(const mru_pkey *key);
/* Bytes of each of its signatures, or of what RSA-OAEP encrypts to. */
size_t mru_pkey_sig_len(const mru_pkey *key);
/* Writes one number: 0 and *len, or -1 when the key does not have it or it does
 * not fit. Coordinates and EC's d are full length, RSA's numbers shortest. */
int mru_pkey_part(const mru_pkey *key, int part, uint8_t *out, size_t cap,
                  size_t *len);

/* Signs a message; sig has room for mru_pkey_sig_len. MEREAU_OK, _KEY (it is
 * public, or not for signatures), _RANDOM, _NOMEM, _CRYPTO. */
mereau_status mru_pkey_sign(const mru_pkey *key, const uint8_t *input,
                            size_t len, mru_rng rng, void *rng_arg,
                            uint8_t *sig);
/* MEREAU_OK, _SIGNATURE, _KEY (not for signatures), _NOMEM, _CRYPTO. */
mereau_status mru_pkey_verify(const mru_pkey *key, const uint8_t *input,
                              size_t len, const uint8_t *sig, size_t sig_len);

/* RSA-OAEP with the hash of the key's algorithm and no label; out has room for
 * mru_pkey_sig_len bytes. MEREAU_OK, _KEY (not for it), _TOO_LONG (more than the
 * modulus holds), _RANDOM, _NOMEM, _CRYPTO. */
mereau_status mru_pkey_encrypt(const mru_pkey *key, const uint8_t *in,
                               size_t len, mru_rng rng, void *rng_arg,
                               uint8_t *out);
/* Writes at most cap bytes and *len. MEREAU_OK, _SIGNATURE for everything that is
 * wrong with what was encrypted, its length and what does not fit in cap
 * included, _KEY, _RANDOM, _NOMEM, _CRYPTO. out is zeroed and *len 0 then. */
mereau_status mru_pkey_decrypt(const mru_pkey *key, const uint8_t *in,
                               size_t in_len, mru_rng rng, void *rng_arg,
                               uint8_t *out, size_t cap, size_t *len);

/* ECDH: z, as many bytes as a coordinate has, is x of the shared point. The
 * peer's point is checked to be on own's curve, and not at infinity. rng blinds.
 * MEREAU_OK, _KEY (own is public or not for it; the point), _RANDOM, _NOMEM,
 * _CRYPTO; z is zeroed then. */
mereau_status mru_pkey_agree(const mru_pkey *own, const mereau_slice *x,
                             const mereau_slice *y, mru_rng rng, void *rng_arg,
                             uint8_t *z);

#endif
