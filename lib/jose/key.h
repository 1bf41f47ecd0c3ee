/* lib/jose/key.h - a key: read from a JWK, PEM or DER, or made; prepared once;
 * immutable; shared by threads and by counting references. One key has one
 * algorithm, for signatures or for encryption. What programs see of it is
 * mereau/jwk.h; lib/jose/jwk_api.c. */
#ifndef MRU_JOSE_KEY_H
#define MRU_JOSE_KEY_H

#include <mereau/jwk.h>

#include "../crypto/pkey.h"
#include "../json/json.h"

typedef struct mereau_jwk mru_key;
struct mru_enc; /* content.h */

enum {
    MRU_KEY_PUBLIC = 1, /* public material only: private members are refused */
    MRU_KEY_PRIVATE = 2, /* must be able to sign or decrypt */
    MRU_KEY_SECRET = 4, /* an oct key is allowed */
    MRU_KEY_ENC = 8 /* a JWK may say by itself that it is for encryption */
};

/* What key_ops can say (RFC 7517 section 4.3). */
enum {
    MRU_OP_SIGN = 1,
    MRU_OP_VERIFY = 2,
    MRU_OP_ENCRYPT = 4,
    MRU_OP_DECRYPT = 8,
    MRU_OP_WRAP_KEY = 16,
    MRU_OP_UNWRAP_KEY = 32,
    MRU_OP_DERIVE_KEY = 64,
    MRU_OP_DERIVE_BITS = 128
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
/* A secret of the length that alg wants; HS*: at least as long as the hash, and
 * not a leaked one. */
mereau_status mru_key_from_secret(mru_key **out, const uint8_t *secret,
                                  size_t len, int32_t alg, mereau_error *err);
/* Makes a key of the algorithm's own size (RSA: 2048 bits; 3072 for *384, 4096
 * for *512). */
mereau_status mru_key_generate(mru_key **out, int32_t alg, mru_rng rng,
                               void *rng_arg, mereau_error *err);
/* As mereau_jwk_generate: bits 0 for the algorithm's own. */
mereau_status mru_key_generate_bits(mru_key **out, int32_t alg, int32_t bits,
                                    mru_rng rng, void *rng_arg,
                                    mereau_error *err);
/* The public half of a key pair, with name and certificates. */
mereau_status mru_key_public(mru_key **out, const mru_key *key,
                             mereau_error *err);
/* One holder more of the same key, and one less: the last one wipes. */
mru_key *mru_key_ref(const mru_key *key);
void mru_key_free(mru_key *key);

int32_t mru_key_alg(const mru_key *key);
/* Its algorithm's row; its curve (EC, OKP), or NULL. */
const struct mru_alg *mru_key_info(const mru_key *key);
const struct mru_curve *mru_key_curve(const mru_key *key);
/* 1 unless its key_ops forbid all of these (MRU_OP_*). */
int mru_key_may(const mru_key *key, uint32_t ops);
/* What encryption works on: the key pair (RSA, EC), or the secret (oct) and the
 * content encryption that a dir key is bound to; NULL otherwise. */
const mru_pkey *mru_key_pkey(const mru_key *key);
const uint8_t *mru_key_secret(const mru_key *key, size_t *len);
const struct mru_enc *mru_key_enc(const mru_key *key);
int mru_key_is_private(const mru_key *key);
/* Its kid: the JWK's own, else the RFC 7638 thumbprint. Set: 1..128 bytes. */
const char *mru_key_kid(const mru_key *key);
/* 1 when that kid was given to it, 0 when it is the thumbprint. */
int mru_key_kid_given(const mru_key *key);
/* 1 when its kid is this text. */
int mru_key_is_named(const mru_key *key, const char *kid);
/* Before the key is shared. MEREAU_OK or MEREAU_E_KEY. */
mereau_status mru_key_set_kid(mru_key *key, const char *kid, size_t len);
/* RFC 7638 SHA-256 thumbprint, 43 characters and NUL. */
int mru_key_thumbprint(const mru_key *key, char out[44]);
/* The JWK with kid, alg, and use or key_ops; public members only, or all of them.
 * 0 or -1. */
int mru_key_print_public(struct mru_buf *out, const mru_key *key);
int mru_key_print_private(struct mru_buf *out, const mru_key *key);

#define MRU_MAX_SIG 1024
/* MEREAU_OK, MEREAU_E_KEY (not for it), _RANDOM, _NOMEM, _CRYPTO.
 * Signs input (not yet hashed); JWS form. rng blinds; ECDSA is deterministic
 * (RFC 6979) where the provider can. Thread-safe. *sig_len is 0 after failure. */
mereau_status mru_key_sign(const mru_key *key, mru_rng rng, void *rng_arg,
                           const uint8_t *input, size_t len,
                           uint8_t sig[MRU_MAX_SIG], size_t *sig_len);
/* MEREAU_OK, MEREAU_E_SIGNATURE (wrong, or not of exactly the right length),
 * MEREAU_E_KEY (not for signatures), MEREAU_E_CRYPTO, MEREAU_E_NOMEM.
 * Thread-safe. */
mereau_status mru_key_verify(const mru_key *key, const uint8_t *input,
                             size_t len, const uint8_t *sig, size_t sig_len);

#endif
