/* lib/jose/verifier_int.h - the inside of verifiers and claims, for the files
 * that set them up, check with them and read them. */
#ifndef MRU_JOSE_VERIFIER_INT_H
#define MRU_JOSE_VERIFIER_INT_H

#include "keyset.h"

struct mru_lock;

/* A claim that must be there; value NULL: whatever it says. */
struct mru_claim_rule {
    char *name;
    char *value;
};

/* The keys that can change while others verify, and what is known of them. All
 * of it is guarded by the lock, which is held for a few instructions only. */
struct mru_live {
    struct mru_lock *lock;
    struct mru_keyset *set; /* one reference; NULL: none yet */
    int64_t loaded_at; /* MEREAU_UNSET: not known yet */
    int64_t asked_at; /* wants_jwks said yes last */
    int missed; /* a kid was not found since */
    int fetched; /* the keys came as a set, so there is a newer one */
};

/* Written by one owner until ready, only read after that (save *live). */
struct mereau_verifier {
    char *issuer;
    char *audiences[MEREAU_MAX_LIST];
    size_t n_audiences;
    int any_audience;
    char *type; /* without "application/" */
    struct mru_algs algs;
    struct mru_claim_rule claims[MEREAU_MAX_LIST];
    size_t n_claims;
    int64_t skew_s;
    int64_t max_age_s; /* 0: none */
    int64_t max_snapshot_age_s; /* 0: a day for our own tenants' */
    char *jwks; /* as given, until ready */
    size_t jwks_len;
    struct mru_keyset *own; /* keys given one by one */
    struct mru_live *live;
    int ready;
    mereau_error mistake; /* the first one of a setter */
};

struct mereau_claims {
    struct mru_buf header; /* decoded */
    struct mru_buf json; /* decoded payload; empty after failure */
    struct mru_buf texts; /* at the offset of each string in json: that string,
                              unescaped, with a NUL (which always fits) */
    struct mru_jval root; /* kind 0: empty */
};

/* Empties claims, keeping their memory. */
void mru_claims_reset(struct mereau_claims *claims);
/* Checks the payload in claims->json as JSON and fills root and texts. */
mereau_status mru_claims_index(struct mereau_claims *claims, mereau_error *err);
void mru_claims_clear(struct mereau_claims *claims);

/* A reference to the live set (may be NULL), and giving it back. */
struct mru_keyset *mru_live_take(struct mru_live *live);
void mru_live_give(struct mru_live *live, struct mru_keyset *set);
void mru_live_missed(struct mru_live *live);

/* All checks of a payload whose signature was right (verify.c). */
mereau_status mru_claims_check(const mereau_verifier *verifier,
                               const struct mru_keyset *set,
                               const struct mru_jws *jws,
                               const struct mru_jval *root, const char *kid,
                               const char *jkt, int64_t now_at,
                               mereau_error *err);

#endif
