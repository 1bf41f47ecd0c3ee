/* lib/jose/verifier.c - the life of a verifier: made ready, its keys replaced or
 * loaded while others use it, and freed with the last reference. Setting it up is in
 * verifier_set.c. */
#include "profile.h"

#include "../port/port.h"
#include "token_cache.h"

void mru_verifier_hold(mereau_verifier *v) {
    atomic_fetch_add_explicit(&v->refs, 1, memory_order_relaxed);
}

void mereau_verifier_free(mereau_verifier *v) {
    if (!v || atomic_fetch_sub_explicit(&v->refs, 1, memory_order_acq_rel) > 1)
        return;
    for (size_t i = 0; i < v->n_audiences; i++)
        mru_free(v->audiences[i]);
    for (size_t i = 0; i < v->n_claims; i++) {
        mru_free(v->claims[i].name);
        mru_free(v->claims[i].value);
    }
    mru_free(v->issuer);
    mru_free(v->type);
    mru_free(v->subject);
    mru_free(v->max_scope);
    mru_free_wiped(v->jwks, v->jwks_len);
    mru_token_cache_free(v->cache);
    mru_keyset_free(v->own);
    mereau_jwks_free(v->readers);
    mru_live_free(v->live);
    mru_free(v);
}

static mereau_status read_jwks(mereau_verifier *v, mereau_error *err) {
    struct mru_keyset *set = NULL;
    mereau_status status =
        mru_keyset_read(&set, v->jwks, v->jwks_len, &v->algs, err);
    if (status == MEREAU_OK)
        status = mru_keyset_compatible(set, v->own, err);
    if (status != MEREAU_OK) {
        mru_keyset_free(set);
        return status;
    }
    mru_live_replace(v->live, set, MEREAU_UNSET);
    mru_free_wiped(v->jwks, v->jwks_len);
    v->jwks = NULL;
    v->jwks_len = 0;
    return MEREAU_OK;
}

/* Whether there is what to verify with, and nothing that must not be together. */
static mereau_status check_keys(const mereau_verifier *v, mereau_error *err) {
    int none = !v->live->set && v->own->jwks.n == 0;
    if (v->profile->id == MEREAU_PROFILE_DPOP)
        return none ? MEREAU_OK
                    : mru_refuse(err, MEREAU_E_ARG, "verifier.keys",
                                 "RFC 9449 4.3",
                                 "none, as a proof brings its own", "a key");
    if (none)
        return mru_refuse(err, MEREAU_E_INCOMPLETE, "verifier.keys", NULL,
                          "a key or a key set", "none");
    /* A set that was loaded before keys were added. */
    return mru_keyset_compatible(v->live->set, v->own, err);
}

static mereau_status start_cache(mereau_verifier *v, mereau_error *err) {
    uint8_t key[16];
    int code = mru_os_random(NULL, key, sizeof key);
    if (code != 0)
        return mru_refuse_host(err, MEREAU_E_RANDOM, code, "verifier.cache",
                               "random bytes for its hash", NULL);
    v->cache = mru_token_cache_new(v->cache_bytes, key);
    mru_wipe(key, sizeof key);
    if (!v->cache)
        return mru_refuse(err, MEREAU_E_NOMEM, NULL, NULL, NULL, NULL);
    return MEREAU_OK;
}

mereau_status mereau_verifier_ready(mereau_verifier *v, mereau_error *err) {
    mereau_status status = mru_error_reset(err);
    if (status != MEREAU_OK)
        return status;
    if (!v)
        return mru_refuse(err, MEREAU_E_NOMEM, NULL, NULL, NULL, NULL);
    if (v->ready)
        return mru_refuse(err, MEREAU_E_STATE, "verifier.ready", NULL,
                          "a verifier that is not ready", "one that is");
    if (v->mistake.status != MEREAU_OK)
        return mru_refuse(err, v->mistake.status, v->mistake.rule,
                          v->mistake.source, v->mistake.wanted,
                          v->mistake.found);
    if (v->jwks)
        status = read_jwks(v, err);
    if (status == MEREAU_OK)
        status = check_keys(v, err);
    if (status == MEREAU_OK && v->cache_bytes > 0)
        status = start_cache(v, err);
    if (status == MEREAU_OK)
        v->ready = 1;
    return status;
}

mereau_status mereau_verifier_replace_jwks(const mereau_verifier *v,
                                           const char *jwks, size_t len,
                                           int64_t now_at, mereau_error *err) {
    struct mru_keyset *set = NULL;
    mereau_status status = mru_error_reset(err);
    if (status != MEREAU_OK)
        return status;
    if (!v)
        return mru_refuse(err, MEREAU_E_NOMEM, NULL, NULL, NULL, NULL);
    if (!v->ready)
        return mru_refuse(err, MEREAU_E_STATE, "verifier.ready", NULL,
                          "a verifier that is ready", "one that is not");
    if (!jwks || now_at <= MEREAU_NOW)
        return mru_refuse(err, MEREAU_E_ARG, NULL, NULL, "a key set and a time",
                          "none");
    status = mru_keyset_read(&set, jwks, len, &v->algs, err);
    if (status == MEREAU_OK)
        status = mru_keyset_compatible(set, v->own, err);
    if (status != MEREAU_OK)
        mru_keyset_free(set);
    else {
        set->loaded_at = now_at;
        mru_live_replace(v->live, set, now_at);
    }
    return status;
}

mereau_status mru_verifier_load(mereau_verifier *v, const char *issuer,
                                const char *jwks, size_t jwks_len,
                                const struct mru_notice *notices, size_t n,
                                int64_t loaded_at, mereau_error *err) {
    struct mru_keyset *set = NULL;
    if (!v)
        return mru_refuse(err, MEREAU_E_NOMEM, NULL, NULL, NULL, NULL);
    if (!v->issuer || strcmp(v->issuer, issuer) != 0)
        return mru_refuse(err, MEREAU_E_ISSUER, "verifier.issuer", NULL, issuer,
                          v->issuer);
    mereau_status status = mru_keyset_read(&set, jwks, jwks_len, &v->algs, err);
    if (status == MEREAU_OK)
        status = mru_keyset_compatible(set, v->own, err);
    if (status == MEREAU_OK && mru_keyset_notices(set, notices, n) != 0)
        status = mru_refuse(err, MEREAU_E_NOMEM, NULL, NULL, NULL, NULL);
    if (status != MEREAU_OK)
        mru_keyset_free(set);
    else {
        set->loaded_at = loaded_at;
        set->own = 1;
        mru_live_replace(v->live, set, loaded_at);
    }
    return status;
}

uint64_t mereau_verifier_cache_count(const mereau_verifier *v, int32_t what) {
    struct mru_token_cache_count count;
    if (!v || !v->cache)
        return 0;
    mru_token_cache_count(v->cache, &count);
    switch (what) {
    case MEREAU_CACHE_HITS:
        return count.hits;
    case MEREAU_CACHE_MISSES:
        return count.misses;
    case MEREAU_CACHE_ENTRIES:
        return count.entries;
    case MEREAU_CACHE_BYTES:
        return count.bytes;
    default:
        return 0;
    }
}
