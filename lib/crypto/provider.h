/* lib/crypto/provider.h - what a provider defines: the hashes, MACs, GCM, CBC
 * and key wrap of crypto.h, and the raw operations of keys below. Everything
 * else is the room's own and the same for all: the tables, generation of EC
 * numbers, hashing, lengths, DER and PEM, key derivation. */
#ifndef MRU_PROVIDER_H
#define MRU_PROVIDER_H

#include "pkey.h"

/* --- what the room gives to providers --- */

/* A caller's generator, and what it answered when it failed. */
struct mru_rng_box {
    mru_rng rng;
    void *arg;
    int code; /* the first failure */
};
/* 0, or -1 with the code kept: in the form that providers call. */
int mru_rng_draw(void *box, unsigned char *out, size_t len);

/* Reasons for refusing a key, all MEREAU_E_KEY. */
mereau_status mru_key_refuse(mereau_error *err, const char *rule,
                             const char *source, const char *wanted,
                             const char *found);

/* --- RSA --- */

/* Immutable, shared by threads. */
struct mru_rsa;
/* A key from numbers. n (its size, oddness, form) and e are checked before, and
 * that the private ones are complete: d alone, with p and q, or with all five.
 * Proves that n and e are a public key and the private numbers belong to it
 * ("key.modulus", "key.pair"), and finds those that are missing. */
mereau_status mru_rsa_make(struct mru_rsa **out, const struct mru_alg *alg,
                           const struct mru_pkey_parts *parts,
                           mereau_error *err);
/* alg->bits, exponent 65537. */
mereau_status mru_rsa_generate(struct mru_rsa **out, const struct mru_alg *alg,
                               struct mru_rng_box *box, mereau_error *err);
void mru_rsa_free(struct mru_rsa *rsa); /* NULL too */
/* Bytes of the modulus. */
size_t mru_rsa_len(const struct mru_rsa *rsa);
/* One of MRU_PART_N to _QI: 0, shortest form, or -1 when there is none or it is
 * longer than cap. */
int mru_rsa_part(const struct mru_rsa *rsa, int part, uint8_t *out, size_t cap,
                 size_t *len);
/* Of a digest of alg->hash, PKCS#1 v1.5 or PSS with a salt as long as the hash.
 * sig is as long as the modulus. After a failure of the generator box->code is
 * set, whatever is returned. */
mereau_status mru_rsa_sign(const struct mru_rsa *rsa, const struct mru_alg *alg,
                           const uint8_t *digest, struct mru_rng_box *box,
                           uint8_t *sig);
/* MEREAU_OK, _SIGNATURE, _NOMEM, _CRYPTO. */
mereau_status mru_rsa_verify(const struct mru_rsa *rsa,
                             const struct mru_alg *alg, const uint8_t *digest,
                             const uint8_t *sig);
/* OAEP with alg->hash, also for MGF1, and an empty label. len fits (the room
 * checked); in and out of decrypt are as long as the modulus, and out is zeroed
 * by the room after a failure. decrypt: MEREAU_E_SIGNATURE for every wrong
 * ciphertext, and in one time. */
mereau_status mru_rsa_encrypt(const struct mru_rsa *rsa,
                              const struct mru_alg *alg, const uint8_t *in,
                              size_t len, struct mru_rng_box *box,
                              uint8_t *out);
mereau_status mru_rsa_decrypt(const struct mru_rsa *rsa,
                              const struct mru_alg *alg, const uint8_t *in,
                              struct mru_rng_box *box, uint8_t *out,
                              size_t *len);

/* --- EC --- */

/* Immutable, shared by threads. The room keeps the numbers for those who ask. */
struct mru_ec;
/* x and y, and d unless it is empty, are as long as a coordinate. Refuses a
 * point that is not on the curve ("key.point"), d outside 1..n-1 and d of
 * another point ("key.pair"). use says whether it may have to verify. */
mereau_status mru_ec_make(struct mru_ec **out, const struct mru_curve *curve,
                          int use, const struct mru_pkey_parts *parts,
                          mereau_error *err);
/* The public point of d: MEREAU_OK, _KEY (d outside 1..n-1), _ALG, _NOMEM,
 * _CRYPTO. */
mereau_status mru_ec_public(const struct mru_curve *curve, const uint8_t *d,
                            uint8_t *x, uint8_t *y);
void mru_ec_free(struct mru_ec *ec); /* NULL too */
/* r and s, each as long as a coordinate. Deterministic with
 * MRU_HAS_DETERMINISTIC_ECDSA; the generator blinds. */
mereau_status mru_ec_sign(const struct mru_ec *ec, const struct mru_alg *alg,
                          const uint8_t *digest, struct mru_rng_box *box,
                          uint8_t *sig);
mereau_status mru_ec_verify(const struct mru_ec *ec, const struct mru_alg *alg,
                            const uint8_t *digest, const uint8_t *sig);
/* x and y are as long as a coordinate; MEREAU_E_KEY for a point that is not on
 * the curve. z is as long as a coordinate too, leading zeros kept. */
mereau_status mru_ec_agree(const struct mru_ec *ec, const uint8_t *x,
                           const uint8_t *y, struct mru_rng_box *box,
                           uint8_t *z);

/* --- Ed25519 (RFC 8032), with MRU_HAS_ED25519; else make and public refuse with
 * MEREAU_E_ALG, "key.eddsa", and the others are never called --- */

struct mru_ed;
/* x is 32 bytes, and d (the seed) as well unless it is empty. "key.point" for x
 * that encodes no point, "key.pair" for the seed of another key. */
mereau_status mru_ed_make(struct mru_ed **out,
                          const struct mru_pkey_parts *parts,
                          mereau_error *err);
mereau_status mru_ed_public(const uint8_t seed[32], uint8_t x[32]);
void mru_ed_free(struct mru_ed *ed); /* NULL too */
mereau_status mru_ed_sign(const struct mru_ed *ed, const uint8_t *input,
                          size_t len, uint8_t sig[64]);
mereau_status mru_ed_verify(const struct mru_ed *ed, const uint8_t *input,
                            size_t len, const uint8_t sig[64]);

#endif
