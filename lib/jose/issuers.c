/* lib/jose/issuers.c - a set of trusted issuers: a hash table of verifiers by iss,
 * behind one lock that is held for one look. */
#include <mereau/issuers.h>

#include "../port/port.h"
#include "siphash.h"
#include "verifier_int.h"

/* An issuer; its verifier's reference is the table's. */
struct issuer {
    struct issuer *chain;
    mereau_verifier *verifier;
};

struct mereau_issuers {
    mru_lock *lock;
    struct issuer **buckets;
    size_t mask; /* number of buckets less one */
    size_t n;
    uint8_t key[16];
};

enum { FIRST_BUCKETS = 16 };

mereau_issuers *mereau_issuers_new(void) {
    mereau_issuers *set = mru_alloc(sizeof *set);
    if (!set)
        return NULL;
    set->lock = mru_lock_new();
    set->buckets = mru_alloc(FIRST_BUCKETS * sizeof(struct issuer *));
    set->mask = FIRST_BUCKETS - 1;
    /* Who is trusted is up to the host alone, so a key that is no secret does. */
    if (set->lock && set->buckets)
        return set;
    mereau_issuers_free(set);
    return NULL;
}

static void free_issuer(struct issuer *issuer) {
    if (!issuer)
        return;
    mereau_verifier_free(issuer->verifier);
    mru_free(issuer);
}

void mereau_issuers_free(mereau_issuers *set) {
    if (!set)
        return;
    for (size_t i = 0; set->buckets && i <= set->mask; i++)
        while (set->buckets[i]) {
            struct issuer *issuer = set->buckets[i];
            set->buckets[i] = issuer->chain;
            free_issuer(issuer);
        }
    mru_free(set->buckets);
    mru_lock_free(set->lock);
    mru_free(set);
}

/* --- under the lock --- */

static size_t bucket_of(const mereau_issuers *set, const char *iss) {
    return (size_t)mru_siphash(set->key, 0, iss, strlen(iss)) & set->mask;
}

/* Where the issuer is, or where it would be linked in. */
static struct issuer **look(const mereau_issuers *set, const char *iss) {
    struct issuer **at = &set->buckets[bucket_of(set, iss)];
    while (*at && strcmp((*at)->verifier->issuer, iss) != 0)
        at = &(*at)->chain;
    return at;
}

/* Twice as many buckets; without memory the chains just get longer. */
static void grow(mereau_issuers *set) {
    struct issuer **old = set->buckets;
    size_t n = set->mask + 1, size;
    if (mru_mul_size(n, 2 * sizeof *old, &size) != 0)
        return;
    struct issuer **buckets = mru_alloc(size);
    if (!buckets)
        return;
    set->buckets = buckets;
    set->mask = 2 * n - 1;
    for (size_t i = 0; i < n; i++)
        while (old[i]) {
            struct issuer *issuer = old[i];
            old[i] = issuer->chain;
            struct issuer **at =
                &buckets[bucket_of(set, issuer->verifier->issuer)];
            issuer->chain = *at;
            *at = issuer;
        }
    mru_free(old);
}

/* --- the set --- */

mereau_status mereau_issuers_add(mereau_issuers *set, mereau_verifier *verifier,
                                 mereau_error *err) {
    mereau_verifier *old = NULL;
    mereau_status status = mru_error_reset(err);
    if (status != MEREAU_OK)
        return status;
    if (!set || !verifier)
        return mru_refuse(err, MEREAU_E_NOMEM, NULL, NULL, NULL, NULL);
    if (!verifier->ready)
        return mru_refuse(err, MEREAU_E_STATE, "verifier.ready", NULL,
                          "a verifier that is ready", "one that is not");
    if (!verifier->issuer)
        return mru_refuse(err, MEREAU_E_ARG, "issuers.issuer", NULL,
                          "a verifier of an issuer", "one of proofs");
    struct issuer *made = mru_alloc(sizeof *made);
    if (!made)
        return mru_refuse(err, MEREAU_E_NOMEM, NULL, NULL, NULL, NULL);
    mru_verifier_hold(verifier);
    mru_lock_take(set->lock);
    struct issuer **at = look(set, verifier->issuer);
    if (*at) {
        old = (*at)->verifier;
        (*at)->verifier = verifier;
    } else {
        made->verifier = verifier;
        *at = made;
        made = NULL;
        if (++set->n > set->mask)
            grow(set);
    }
    mru_lock_give(set->lock);
    mru_free(made);
    mereau_verifier_free(old);
    return MEREAU_OK;
}

int32_t mereau_issuers_remove(mereau_issuers *set, const char *issuer) {
    struct issuer *gone = NULL;
    if (!set || !issuer)
        return 0;
    mru_lock_take(set->lock);
    struct issuer **at = look(set, issuer);
    if (*at) {
        gone = *at;
        *at = gone->chain;
        set->n--;
    }
    mru_lock_give(set->lock);
    int32_t there = gone != NULL;
    free_issuer(gone);
    return there;
}

/* The verifier of an issuer, with a reference when it is to be held. */
static mereau_verifier *find(const mereau_issuers *set, const char *iss,
                             int hold) {
    mereau_verifier *verifier = NULL;
    mru_lock_take(set->lock);
    struct issuer *issuer = *look(set, iss);
    if (issuer)
        verifier = issuer->verifier;
    if (verifier && hold)
        mru_verifier_hold(verifier);
    mru_lock_give(set->lock);
    return verifier;
}

const mereau_verifier *mereau_issuers_find(const mereau_issuers *set,
                                           const char *issuer) {
    return set && issuer ? find(set, issuer, 0) : NULL;
}

const char *mereau_issuers_wants_jwks(const mereau_issuers *set,
                                      int64_t now_at) {
    const char *wants = NULL;
    if (!set)
        return NULL;
    mru_lock_take(set->lock);
    for (size_t i = 0; i <= set->mask && !wants; i++)
        for (struct issuer *at = set->buckets[i]; at && !wants; at = at->chain)
            if (mereau_verifier_wants_jwks(at->verifier, now_at))
                wants = at->verifier->issuer;
    mru_lock_give(set->lock);
    return wants;
}

/* --- verifying --- */

/* Reads the payload, which is not believed, and takes the verifier that its iss
 * names. */
static mereau_status pick(const mereau_issuers *set,
                          struct mereau_claims *claims,
                          const struct mru_verifying *what,
                          mereau_verifier **verifier, mereau_error *err) {
    struct mru_jws jws;
    const char *iss;
    mereau_status status =
        mru_jws_read(&jws, &claims->header, what->token, what->len, err);
    if (status == MEREAU_OK)
        status = mru_jws_payload(&jws, &claims->json, err);
    if (status == MEREAU_OK)
        status = mru_claims_index(claims, err);
    if (status != MEREAU_OK)
        return status;
    mru_buf_reuse(&claims->header);
    iss = mru_said_text_of(&claims->said, "iss");
    *verifier = iss ? find(set, iss, 1) : NULL;
    if (*verifier)
        return MEREAU_OK;
    return mru_refuse(err, MEREAU_E_ISSUER, "jwt.iss", "RFC 8725 3.8",
                      "a trusted issuer", iss ? "another" : "none");
}

static mereau_status verify_any(const mereau_issuers *set,
                                mereau_claims *claims,
                                struct mru_verifying *what, mereau_error *err) {
    struct mereau_claims own,
        *used = claims; /* own is large: not cleared in vain */
    mereau_verifier *verifier = NULL;
    if (!used)
        used = memset(&own, 0, sizeof own);
    mereau_status status = mru_verify_begin(used, what, &err);
    if (status == MEREAU_OK && !set)
        status = mru_refuse(err, MEREAU_E_NOMEM, NULL, NULL, NULL, NULL);
    if (status == MEREAU_OK)
        status = pick(set, used, what, &verifier, err);
    if (status == MEREAU_OK) {
        what->payload_read = 1;
        status = mru_verify(verifier, used, what, err);
    }
    if (status != MEREAU_OK)
        mru_claims_reset(used);
    if (!claims)
        mru_claims_clear(&own);
    mereau_verifier_free(verifier);
    return status;
}

mereau_status mereau_issuers_verify(const mereau_issuers *set,
                                    mereau_claims *claims, const char *token,
                                    size_t len, int64_t now_at,
                                    mereau_error *err) {
    struct mru_verifying what = {token, len, NULL, NULL, now_at, 0};
    return verify_any(set, claims, &what, err);
}

mereau_status mereau_issuers_verify_expecting(const mereau_issuers *set,
                                              mereau_claims *claims,
                                              const char *token, size_t len,
                                              const mereau_expect *expect,
                                              int64_t now_at,
                                              mereau_error *err) {
    struct mru_verifying what = {token, len, expect, NULL, now_at, 0};
    if (expect)
        return verify_any(set, claims, &what, err);
    if (claims)
        mru_claims_reset(claims);
    if (mru_error_reset(err) != MEREAU_OK)
        return MEREAU_E_SIZE;
    return mru_refuse(err, MEREAU_E_NOMEM, NULL, NULL, NULL, NULL);
}
