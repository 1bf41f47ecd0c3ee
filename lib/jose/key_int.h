/* lib/jose/key_int.h - the inside of a key, for the files that read, make and
 * print one. */
#ifndef MRU_JOSE_KEY_INT_H
#define MRU_JOSE_KEY_INT_H

#include <stdatomic.h>

#include "../crypto/pkey.h"
#include "key.h"

enum {
    MRU_MAX_KID = 128,
    MRU_MAX_TYP = 128,
    MRU_MAX_SECRET = 1024,
    MRU_MAX_CHAIN = 10
};

/* What it came with: certificates in DER, the key's own first, and the hash of
 * that one, which may also be known alone. */
struct mru_certs {
    struct mru_buf der[MRU_MAX_CHAIN];
    size_t n;
    uint8_t hash[MRU_SHA256];
    int has_hash;
};
void mru_certs_free(struct mru_certs *certs);

/* The key itself, shared by those that only differ in name. */
struct mru_material {
    atomic_size_t refs;
    mru_pkey *pkey; /* RSA, EC, OKP */
    uint8_t *secret; /* oct */
    size_t secret_len;
    mru_mac *mac; /* HS*: the secret, prepared */
    struct mru_certs certs;
    char thumbprint[44]; /* RFC 7638 */
};

/* Written only before it is shared, save the references. */
struct mereau_jwk {
    atomic_size_t refs;
    const struct mru_alg *alg;
    const struct mru_enc
        *enc; /* dir: the one content encryption it is for; NULL: any */
    uint32_t ops; /* MRU_OP_*: its key_ops; 0: it had none */
    struct mru_material *material;
    int kid_given; /* the kid is its owner's, not a thumbprint */
    char kid[MRU_MAX_KID + 1];
};

/* The algorithm of a key to be read or made: known, and one this build can do. */
mereau_status mru_alg_usable(const struct mru_alg **out, int32_t alg,
                             mereau_error *err);
/* Makes a key of one of the two kinds of material, which it takes over (also
 * when it fails); its kid is the thumbprint. */
mereau_status mru_key_wrap(mru_key **out, const struct mru_alg *alg,
                           mru_pkey *pkey, const uint8_t *secret,
                           size_t secret_len, mereau_error *err);
/* Another key of the same material, algorithm and operations, without the name. */
mru_key *mru_key_again(const mru_key *key); /* NULL without memory */
int mru_thumbprint_of(const struct mru_alg *alg,
                      const struct mru_material *material, char out[44]);

/* --- what a JWK says about its use (key_use.c) --- */

struct mru_jwk_use {
    const struct mru_alg *alg;
    const struct mru_enc *enc; /* as in mereau_jwk */
    uint32_t ops;
};
/* Reads kty, alg, use and key_ops, and holds them against each other, against alg
 * (0: not given) and against the flags of mru_key_from_jwk. */
mereau_status mru_jwk_read_use(struct mru_jwk_use *out,
                               const struct mru_jval *jwk, int32_t alg,
                               uint32_t flags, mereau_error *err);
/* Bytes that the secret of an oct key of alg (and enc) must have. */
mereau_status mru_secret_check(const struct mru_alg *alg,
                               const struct mru_enc *enc, const uint8_t *secret,
                               size_t len, mereau_error *err);
/* The operations of a public half, and their names. */
uint32_t mru_ops_public(uint32_t ops);
const char *mru_op_name(uint32_t op);

/* --- certificates (cert.c) --- */

/* Reads x5c and x5t#S256 of a JWK: that the first certificate is of this key, and
 * the hash is that certificate's. Rules "jwk.x5c", "jwk.x5t". */
mereau_status mru_certs_read(struct mru_certs *out, const struct mru_jval *jwk,
                             const struct mru_alg *alg, const mru_pkey *pkey,
                             mereau_error *err);
/* All certificates of a PEM or DER text that begins with one; none otherwise. 0
 * or -1 without memory. */
mereau_status mru_certs_take(struct mru_certs *out, const uint8_t *data,
                             size_t len, mereau_error *err);
int mru_certs_copy(struct mru_certs *out, const struct mru_certs *from);
/* Adds x5c and x5t#S256 to a JWK; 0 or -1. */
int mru_certs_print(mru_jdoc *doc, const struct mru_certs *certs);

/* 1 when a secret is one of those that everybody can look up, 0 when not, -1 when
 * the provider failed (leaked_secrets.c). */
int mru_secret_is_leaked(const uint8_t *secret, size_t len);

#endif
