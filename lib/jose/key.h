/* lib/jose/key.h - a key for signatures: read from a JWK, PEM or DER, or made;
 * prepared once; immutable; shared by threads. One key has one algorithm. */
#ifndef MRU_JOSE_KEY_H
#define MRU_JOSE_KEY_H

#include "../crypto/crypto.h"
#include "../json/json.h"

typedef struct mru_key mru_key;

enum {
    MRU_KEY_PUBLIC = 1, /* public material only: private members are refused */
    MRU_KEY_PRIVATE = 2, /* must be able to sign */
    MRU_KEY_SECRET = 4 /* an oct key is allowed (HS*) */
};

/* "ES256" of MEREAU_ALG_ES256; NULL for an unknown one. And back, signature
 * algorithms only: 0. */
const char *mru_alg_name(int32_t alg);
int32_t mru_alg_find(const char *name, size_t len);
/* Bytes of a signature made with alg by a key of this kind; 0 when it depends
 * on the key (RSA). */
size_t mru_alg_sig_len(int32_t alg);

/* Reads one JWK (checked JSON object). alg 0: from its "alg" member; given: must
 * agree with it. use, key_ops, private members, sizes, points are checked.
 * Returns MEREAU_OK, MEREAU_E_MALFORMED, _KEY, _ALG, _NOMEM, _CRYPTO. */
mereau_status mru_key_from_jwk(mru_key **out, const struct mru_jval *jwk,
                               int32_t alg, uint32_t flags, mereau_error *err);
/* Reads PEM or DER: SPKI, PKCS#1, PKCS#8, SEC1, or an X.509 certificate (its
 * public key). */
mereau_status mru_key_from_pem(mru_key **out, const void *data, size_t len,
                               int32_t alg, uint32_t flags, mereau_error *err);
/* An HMAC secret, at least as long as the hash. */
mereau_status mru_key_from_secret(mru_key **out, const uint8_t *secret,
                                  size_t len, int32_t alg, mereau_error *err);
/* Makes a key pair (RSA: 2048 bits; 3072 for *384, 4096 for *512). */
mereau_status mru_key_generate(mru_key **out, int32_t alg, mru_rng rng,
                               void *rng_arg, mereau_error *err);
void mru_key_free(mru_key *key); /* wipes */

int32_t mru_key_alg(const mru_key *key);
int mru_key_is_private(const mru_key *key);
/* Its kid: the JWK's own, else the RFC 7638 thumbprint. Set: 1..128 bytes. */
const char *mru_key_kid(const mru_key *key);
/* 1 when that kid was given to it, 0 when it is the thumbprint. */
int mru_key_kid_given(const mru_key *key);
mereau_status mru_key_set_kid(mru_key *key, const char *kid, size_t len);
/* RFC 7638 SHA-256 thumbprint, 43 characters and NUL. */
int mru_key_thumbprint(const mru_key *key, char out[44]);
/* The JWK with kid, alg and use "sig"; public members only, or all of them. 0 or
 * -1. */
int mru_key_print_public(struct mru_buf *out, const mru_key *key);
int mru_key_print_private(struct mru_buf *out, const mru_key *key);

#define MRU_MAX_SIG 1024
/* Signs input (not yet hashed); JWS form. rng blinds; ECDSA is deterministic
 * (RFC 6979). Thread-safe. *sig_len is 0 after failure. */
mereau_status mru_key_sign(const mru_key *key, mru_rng rng, void *rng_arg,
                           const uint8_t *input, size_t len,
                           uint8_t sig[MRU_MAX_SIG], size_t *sig_len);
/* MEREAU_OK, MEREAU_E_SIGNATURE (wrong, or not of exactly the right length),
 * MEREAU_E_CRYPTO, MEREAU_E_NOMEM. Thread-safe. */
mereau_status mru_key_verify(const mru_key *key, const uint8_t *input,
                             size_t len, const uint8_t *sig, size_t sig_len);

#endif
