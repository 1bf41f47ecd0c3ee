/* lib/jose/jwks.h - a set of keys with a table of their kids: adding and finding
 * take the same time however many there are. Built by one owner, then only
 * read. */
#ifndef MRU_JOSE_JWKS_H
#define MRU_JOSE_JWKS_H

#include "key.h"

/* Algorithms that the verifier was told to accept; none: each key's own. */
struct mru_algs {
    int32_t alg[16];
    size_t n;
};

enum { MRU_ALG_IDS = MEREAU_ALG_ECDH_ES_A256KW + 1 };

/* What is known of the keys of one algorithm. */
struct mru_alg_keys {
    size_t n;
    size_t n_unnamed; /* those that came without a kid */
    const mru_key *last;
    const mru_key *last_unnamed;
};

struct mereau_jwks {
    mru_key **keys; /* a reference of each */
    size_t n;
    size_t cap;
    uint16_t *slots; /* by hash of the kid: index + 1; 0: empty */
    size_t n_slots; /* a power of two, at least twice cap */
    struct mru_alg_keys by_alg[MRU_ALG_IDS];
    size_t n_secrets; /* for signatures: HMAC secrets, and key pairs */
    size_t n_pairs;
    size_t skipped; /* keys that reading left out */
};

/* Frees what is in a set, which is {0} again. */
void mru_jwks_clear(mereau_jwks *set);
/* Takes the key over, also when it is refused. As mereau_jwks_add. */
mereau_status mru_jwks_add(mereau_jwks *set, mru_key *key, mereau_error *err);
/* Reads a JWK Set (RFC 7517 section 5) into an empty set. flags as for
 * mru_key_from_jwk; algs, which may be NULL, give an algorithm to keys without
 * one. MEREAU_E_INCOMPLETE when no key is left. */
mereau_status mru_jwks_read(mereau_jwks *set, const char *json, size_t len,
                            const struct mru_algs *algs, uint32_t flags,
                            mereau_error *err);
/* Refuses what cannot be in use together, as mru_jwks_add does within a set. */
mereau_status mru_jwks_compatible(const mereau_jwks *a, const mereau_jwks *b,
                                  mereau_error *err);
/* The key of that kid and algorithm (0: any); one that was given the name before
 * one whose thumbprint it is. NULL when there is none. */
const mru_key *mru_jwks_named(const mereau_jwks *set, const char *kid,
                              int32_t alg);
/* The one key of both sets (each may be NULL) that a token of this alg means: the
 * one that its kid names; else, or without kid (kind 0), the only one that it may
 * be. MEREAU_OK, _ALG ("jwt.alg"), _KEY_UNKNOWN ("jwt.kid"). */
mereau_status mru_jwks_pick(const mru_key **out, const mereau_jwks *a,
                            const mereau_jwks *b, int32_t alg,
                            const struct mru_jval *kid, mereau_error *err);

#endif
