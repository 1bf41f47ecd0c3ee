/* lib/jose/verifier_int.h - the inside of verifiers, for the files that set them
 * up, check with them and share them. */
#ifndef MRU_JOSE_VERIFIER_INT_H
#define MRU_JOSE_VERIFIER_INT_H

#include <stdatomic.h>

#include "claims_int.h"
#include "jwe.h"

struct mru_lock;
struct mru_token_cache;
struct mru_profile;

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
    uint64_t serial; /* of the last set that was put in place */
    int64_t loaded_at; /* MEREAU_UNSET: not known yet */
    int64_t asked_at; /* wants_jwks said yes last */
    int missed; /* a kid was not found since */
    int fetched; /* the keys came as a set, so there is a newer one */
};

/* Written by one owner until ready, only read after that (save *live, *cache and
 * the count of references). */
struct mereau_verifier {
    atomic_size_t refs;
    const struct mru_profile *profile;
    char *issuer;
    char *audiences[MEREAU_MAX_LIST];
    size_t n_audiences;
    int any_audience;
    int audience_list; /* of assertions: aud may be a list */
    char *type; /* without "application/"; NULL: that of the profile */
    int any_type;
    char *subject; /* NULL: any */
    int any_subject; /* of assertions: not only iss */
    struct mru_algs algs;
    struct mru_claim_rule claims[MEREAU_MAX_LIST];
    size_t n_claims;
    int64_t skew_s;
    int64_t max_age_s; /* 0: none */
    int64_t max_lifetime_s; /* 0: none */
    int64_t max_snapshot_age_s; /* 0: a day for our own tenants' */
    char *max_scope; /* NULL: any */
    mereau_claim_check check; /* NULL: none */
    void *check_user;
    size_t cache_bytes; /* 0: none */
    struct mru_token_cache *cache;
    char *jwks; /* as given, until ready */
    size_t jwks_len;
    struct mru_keyset *own; /* keys given one by one */
    mereau_jwks *readers; /* to decrypt with; NULL: tokens are only signed */
    int accept_unencrypted;
    struct mru_live *live;
    int ready;
    mereau_error mistake; /* the first one of a setter */
};

/* --- nested.c --- */

/* The outer layer of a token; begins as zeros. */
struct mru_nested {
    struct mru_buf
        opened; /* the signed token; empty: there was no outer layer */
    struct mru_buf header;
    struct mru_jwe jwe;
};

/* For a verifier with keys to decrypt with: opens an encrypted token and puts the
 * signed one inside in place of it; a token that is not encrypted is refused, unless
 * the verifier takes both. MEREAU_OK, _KIND ("jwt.encryption", "jwt.cty"), and as
 * mru_jwe_read and mru_jwe_open. */
mereau_status mru_nested_open(struct mru_nested *nested,
                              const mereau_verifier *verifier,
                              const char **token, size_t *len,
                              mereau_error *err);
/* Claims that the outer header repeats (RFC 7519 section 5.3) must be those that are
 * signed. MEREAU_OK, _MALFORMED ("jwt.replica"), _NOMEM. */
mereau_status mru_nested_check(const struct mru_nested *nested,
                               const struct mru_said *said, mereau_error *err);
void mru_nested_free(struct mru_nested *nested);

/* --- live.c --- */

struct mru_live *mru_live_new(void);
void mru_live_free(struct mru_live *live);
/* A reference to the live set (may be NULL), and giving it back. */
struct mru_keyset *mru_live_take(struct mru_live *live);
void mru_live_give(struct mru_live *live, struct mru_keyset *set);
/* Puts a set in place, taking it over; who still uses the old one keeps it. */
void mru_live_replace(struct mru_live *live, struct mru_keyset *set,
                      int64_t loaded_at);
void mru_live_missed(struct mru_live *live);
/* When a set that was taken came. Of one that was given at set-up nobody said it: its
 * age counts from the first time that is asked for. */
int64_t mru_live_since(struct mru_live *live, const struct mru_keyset *set,
                       int64_t now_at);

/* --- verifier.c --- */

/* One more reference; mereau_verifier_free gives it back. */
void mru_verifier_hold(mereau_verifier *verifier);

/* --- verify.c --- */

/* One token, and what it is verified for. */
struct mru_verifying {
    const char *token;
    size_t len;
    const mereau_expect *expect; /* NULL: nothing, unless it is lacking */
    const char *jkt; /* of the key that was proved; NULL: none */
    int64_t now_at;
    int payload_read; /* the claims hold the payload, which is not believed yet */
};

/* Verifies with a verifier that is ready. After failure the claims are to be
 * reset. */
mereau_status mru_verify(const mereau_verifier *verifier,
                         struct mereau_claims *claims,
                         const struct mru_verifying *what, mereau_error *err);
/* Both ends of every public call: arguments first, empty claims after failure. */
mereau_status mru_verify_begin(struct mereau_claims *claims,
                               const struct mru_verifying *what,
                               mereau_error **err);

#endif
