/* lib/jose/keyset.h - the keys that a verifier trusts, and what its own tenant
 * has taken back. Immutable once filled; shared by counting references. */
#ifndef MRU_JOSE_KEYSET_H
#define MRU_JOSE_KEYSET_H

#include "header_memo.h"
#include "jwks.h"
#include "jws.h"

struct mru_keyset {
    size_t refs; /* guarded by the lock of who shares it */
    mereau_jwks jwks; /* for signatures all of them */
    struct mru_header_memos memos; /* of tokens that its keys verified */
    uint64_t serial; /* among the sets of its verifier; 0: not put in place */
    int64_t loaded_at; /* MEREAU_UNSET: not known */
    int own; /* a snapshot of our own tenant */
    struct mru_notice *notices; /* sorted by kind, then id */
    size_t n_notices;
    char *texts; /* where the ids are */
    size_t texts_len;
};

struct mru_keyset *mru_keyset_new(void);
void mru_keyset_free(struct mru_keyset *set);
/* Takes the key over, also when it is refused: a second key of that kid, a secret
 * beside public keys, a key for encryption. MEREAU_OK, _KEY, _TOO_LONG,
 * _NOMEM. */
mereau_status mru_keyset_add(struct mru_keyset *set, mru_key *key,
                             mereau_error *err);
/* Reads a JWK Set (RFC 7517 section 5) into a new set. Keys of other kinds, uses
 * and sizes are skipped; MEREAU_E_INCOMPLETE when none is left. Also _MALFORMED,
 * _KEY, _TOO_LONG, _NOMEM, _CRYPTO. */
mereau_status mru_keyset_read(struct mru_keyset **out, const char *jwks,
                              size_t len, const struct mru_algs *algs,
                              mereau_error *err);
/* Refuses what cannot be in use together: as mru_keyset_add. Either may be
 * NULL. */
mereau_status mru_keyset_compatible(const struct mru_keyset *a,
                                    const struct mru_keyset *b,
                                    mereau_error *err);
/* The one key of both sets (each may be NULL) for a token. MEREAU_OK, _ALG,
 * _KEY_UNKNOWN. */
mereau_status mru_keyset_find(const mru_key **out, const struct mru_keyset *a,
                              const struct mru_keyset *b,
                              const struct mru_jws *jws, mereau_error *err);

/* Copies notices. 0 or -1 without memory. */
int mru_keyset_notices(struct mru_keyset *set, const struct mru_notice *list,
                       size_t n);
/* The not-before of one thing; 0 when there is none. */
int mru_keyset_not_before(const struct mru_keyset *set, char kind,
                          const char *id, size_t id_len, int64_t *at);

#endif
