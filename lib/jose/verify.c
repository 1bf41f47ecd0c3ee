/* lib/jose/verify.c - verifying a JWT. The order is fixed: form and header, key,
 * signature over the bytes as they came; only then is the payload decoded, and
 * its claims are checked one after another (rules.c). */
#include "rules.h"

#include "token_cache.h"
#include "dpop.h"
#include "profile.h"

#define DEFAULT_SNAPSHOT_AGE_S 86400

/* One verification. */
struct run {
    const mereau_verifier *verifier;
    const struct mru_verifying *what;
    struct mru_keyset *set; /* held; may be NULL */
    struct mru_expected expected;
    struct mereau_claims *claims;
    mereau_error *err;
    struct mru_jws jws;
    const mru_key *key; /* that verified */
    mru_key *proof_key; /* of a proof's own header */
};

/* --- before the signature --- */

static mereau_status check_alg(const struct run *r) {
    const struct mru_algs *algs = &r->verifier->algs;
    size_t i = 0;
    while (i < algs->n && algs->alg[i] != r->jws.alg)
        i++;
    if (algs->n == 0 || i < algs->n)
        return MEREAU_OK;
    return mru_refuse(r->err, MEREAU_E_ALG, "jwt.alg", "RFC 8725 3.1",
                      "an accepted algorithm", mru_alg_name(r->jws.alg));
}

/* What is known of keys and revocations must not be too old. */
static mereau_status check_snapshot(const struct run *r) {
    const struct mru_keyset *set = r->set;
    int64_t most = r->verifier->max_snapshot_age_s, loaded_at;
    char wanted[64], found[64];
    if (most == 0 && set != NULL && set->own)
        most = DEFAULT_SNAPSHOT_AGE_S;
    if (most == 0 || set == NULL)
        return MEREAU_OK;
    loaded_at = mru_live_since(r->verifier->live, set, r->what->now_at);
    if (r->what->now_at <= mru_add_time(loaded_at, most))
        return MEREAU_OK;
    mru_live_missed(r->verifier->live);
    mru_say(wanted, sizeof wanted, "keys loaded in the last %lld s",
            (long long)most);
    mru_say(found, sizeof found, "keys of %lld", (long long)loaded_at);
    return mru_refuse(r->err, MEREAU_E_KEY_UNKNOWN, "verifier.snapshot_age",
                      NULL, wanted, found);
}

/* The key: one of those that are trusted, or of a proof its own. */
static mereau_status find_key(struct run *r) {
    mereau_status status;
    if (r->verifier->profile->id == MEREAU_PROFILE_DPOP) {
        status = mru_dpop_key(&r->proof_key, &r->jws, r->err);
        r->key = r->proof_key;
        return status;
    }
    status = check_snapshot(r);
    if (status != MEREAU_OK)
        return status;
    status =
        mru_keyset_find(&r->key, r->set, r->verifier->own, &r->jws, r->err);
    /* A newer set may have that kid, also as the first key of another alg. */
    if (status == MEREAU_E_KEY_UNKNOWN ||
        (status == MEREAU_E_ALG && r->jws.kid.kind != 0))
        mru_live_missed(r->verifier->live);
    return status;
}

/* --- behind the signature --- */

/* Nothing is told of a secret, not even its hash. */
static mereau_status note_key(const struct run *r) {
    if (mru_key_info(r->key)->kty == MRU_KTY_OCT ||
        mru_key_thumbprint(r->key, r->claims->thumbprint) == 0)
        return MEREAU_OK;
    return mru_refuse(r->err, MEREAU_E_NOMEM, NULL, NULL, NULL, NULL);
}

static mereau_status check_claims(struct run *r, const struct mru_jval *typ,
                                  int again) {
    struct mru_check c = {0};
    c.verifier = r->verifier;
    c.set = r->set;
    c.expected = &r->expected;
    c.claims = r->claims;
    c.said = &r->claims->said;
    c.typ = typ;
    c.key = r->key;
    c.now_at = r->what->now_at;
    c.err = r->err;
    return again ? mru_check_again(&c) : mru_check_all(&c);
}

/* Where headers are remembered: with the keys that can change, else with the own
 * ones. Those of proofs are all different. */
static struct mru_header_memos *memos_of(const struct run *r) {
    if (r->verifier->profile->id == MEREAU_PROFILE_DPOP)
        return NULL;
    return r->set ? &r->set->memos : &r->verifier->own->memos;
}

/* By a header that was right before: 1 and what the signature says; 0 when it is not
 * known, or when the signature has no form, which the long way finds words for. A
 * wrong signature may be of a token that is none: that is said as ever. */
static int verify_known_header(struct run *r, const char *token, size_t len,
                               mereau_status *status) {
    struct mru_header_memos *memos = memos_of(r);
    struct mru_jws jws;
    r->key = memos ? mru_header_memo_find(memos, &r->jws, token, len) : NULL;
    if (!r->key)
        return 0;
    *status = check_snapshot(r);
    if (*status == MEREAU_OK)
        *status = mru_jws_verify(&r->jws, r->key, r->err);
    if (*status == MEREAU_E_SIGNATURE) {
        mereau_status form =
            mru_jws_read(&jws, &r->claims->header, token, len, r->err);
        if (form != MEREAU_OK)
            *status = form;
    }
    return *status != MEREAU_E_MALFORMED;
}

static mereau_status verify_new_header(struct run *r, const char *token,
                                       size_t len) {
    mereau_status status =
        mru_jws_read(&r->jws, &r->claims->header, token, len, r->err);
    if (status == MEREAU_OK)
        status = check_alg(r);
    if (status == MEREAU_OK)
        status = find_key(r);
    if (status == MEREAU_OK)
        status = mru_jws_verify(&r->jws, r->key, r->err);
    return status;
}

static mereau_status verify_signed(struct run *r, const char *token,
                                   size_t len) {
    int read = r->what->payload_read;
    mereau_status status = MEREAU_OK;
    int known = verify_known_header(r, token, len, &status);
    if (!known)
        status = verify_new_header(r, token, len);
    if (status == MEREAU_OK && !read)
        status = mru_jws_payload(&r->jws, &r->claims->json, r->err);
    if (status == MEREAU_OK && !read)
        status = mru_claims_index(r->claims, r->err);
    if (status == MEREAU_OK)
        status = note_key(r);
    if (status == MEREAU_OK)
        status = check_claims(r, known ? NULL : &r->jws.typ, 0);
    if (status == MEREAU_OK && !known && memos_of(r))
        mru_header_memo_keep(memos_of(r), &r->jws, r->key);
    return status;
}

/* What is encrypted is a signed token in its turn, and judged like any other. */
static mereau_status verify_nested(struct run *r, const char *token,
                                   size_t len) {
    struct mru_nested nested = {0};
    mereau_status status =
        mru_nested_open(&nested, r->verifier, &token, &len, r->err);
    if (status == MEREAU_OK)
        status = verify_signed(r, token, len);
    if (status == MEREAU_OK)
        status = mru_nested_check(&nested, &r->claims->said, r->err);
    mru_nested_free(&nested);
    return status;
}

static mereau_status verify_all(struct run *r) {
    return r->verifier->readers
               ? verify_nested(r, r->what->token, r->what->len)
               : verify_signed(r, r->what->token, r->what->len);
}

/* --- the cache --- */

static uint64_t serial_of(const struct run *r) {
    return r->set ? r->set->serial : 0;
}

/* A token that was verified before with the keys of now: 1 and what the checks of
 * now say, or 0. Only what the bytes alone decide (form, signature, typ) is taken
 * from then. */
static int verify_from_cache(struct run *r, mereau_status *status) {
    struct mru_token_cache *cache = r->verifier->cache;
    struct mereau_claims *claims = r->claims;
    struct mru_cached *entry;
    if (!cache)
        return 0;
    entry =
        mru_token_cache_find(cache, r->what->token, r->what->len, serial_of(r));
    if (!entry)
        return 0;
    claims->held = entry;
    claims->said = *mru_cached_said(entry);
    memcpy(claims->thumbprint, mru_cached_thumbprint(entry),
           sizeof claims->thumbprint);
    r->key = mru_cached_key(entry);
    *status = check_snapshot(r);
    if (*status == MEREAU_OK)
        *status = check_claims(r, NULL, 1);
    if (*status == MEREAU_E_EXPIRED)
        mru_token_cache_drop(cache, entry);
    return 1;
}

/* --- the calls --- */

/* What is expected, whoever says it. */
static mereau_status gather_expected(struct run *r) {
    const struct mru_verifying *what = r->what;
    if (what->expect)
        r->expected = what->expect->expected;
    else
        r->expected.max_auth_age_s = MEREAU_UNSET;
    if (what->jkt)
        r->expected.text[MEREAU_EXPECT_JKT] = what->jkt;
    return mru_expected_fits(r->verifier, &r->expected, r->err);
}

mereau_status mru_verify(const mereau_verifier *verifier,
                         struct mereau_claims *claims,
                         const struct mru_verifying *what, mereau_error *err) {
    struct run r = {0};
    r.verifier = verifier;
    r.what = what;
    r.claims = claims;
    r.err = err;
    mereau_status status = gather_expected(&r);
    if (status != MEREAU_OK)
        return status;
    r.set = mru_live_take(verifier->live);
    if (!verify_from_cache(&r, &status)) {
        status = verify_all(&r);
        if (status == MEREAU_OK && verifier->cache)
            mru_token_cache_put(verifier->cache, what->token, what->len, claims,
                                r.key, serial_of(&r));
    }
    mru_key_free(r.proof_key);
    mru_live_give(verifier->live, r.set);
    return status;
}

mereau_status mru_verify_begin(struct mereau_claims *claims,
                               const struct mru_verifying *what,
                               mereau_error **err) {
    mereau_status status = mru_error_reset(*err);
    if (status != MEREAU_OK)
        *err = NULL; /* of another size: not to be written */
    mru_claims_reset(claims);
    if (status != MEREAU_OK)
        return status;
    if (!what->token || what->now_at <= MEREAU_NOW)
        return mru_refuse(*err, MEREAU_E_ARG, NULL, NULL, "a token and a time",
                          "none");
    if (what->expect && what->expect->mistake != MEREAU_OK)
        return mru_refuse(*err, what->expect->mistake, "expect.value", NULL,
                          "a value for what is expected", "none");
    return MEREAU_OK;
}

static mereau_status verify_for(const mereau_verifier *verifier,
                                mereau_claims *claims,
                                const struct mru_verifying *what,
                                mereau_error *err) {
    struct mereau_claims own,
        *used = claims; /* own is large: not cleared in vain */
    if (!used)
        used = memset(&own, 0, sizeof own);
    mereau_status status = mru_verify_begin(used, what, &err);
    if (status == MEREAU_E_SIZE)
        return status;
    /* Before any other mistake: whether there is a verifier at all. */
    if (!verifier)
        status = mru_refuse(err, MEREAU_E_NOMEM, NULL, NULL, NULL, NULL);
    else if (!verifier->ready)
        status = mru_refuse(err, MEREAU_E_STATE, "verifier.ready", NULL,
                            "a verifier that is ready", "one that is not");
    if (status == MEREAU_OK)
        status = mru_verify(verifier, used, what, err);
    if (status != MEREAU_OK)
        mru_claims_reset(used);
    if (!claims)
        mru_claims_clear(&own);
    return status;
}

/* A mistake of before there is a token to look at. */
static mereau_status refuse_call(mereau_claims *claims, mereau_error *err,
                                 mereau_status status, const char *rule,
                                 const char *source, const char *wanted,
                                 const char *found) {
    if (claims)
        mru_claims_reset(claims);
    if (mru_error_reset(err) != MEREAU_OK)
        return MEREAU_E_SIZE;
    return mru_refuse(err, status, rule, source, wanted, found);
}

mereau_status mereau_jwt_verify(const mereau_verifier *verifier,
                                mereau_claims *claims, const char *token,
                                size_t len, int64_t now_at, mereau_error *err) {
    struct mru_verifying what = {token, len, NULL, NULL, now_at, 0};
    return verify_for(verifier, claims, &what, err);
}

mereau_status mereau_jwt_verify_expecting(const mereau_verifier *verifier,
                                          mereau_claims *claims,
                                          const char *token, size_t len,
                                          const mereau_expect *expect,
                                          int64_t now_at, mereau_error *err) {
    struct mru_verifying what = {token, len, expect, NULL, now_at, 0};
    if (!expect)
        return refuse_call(claims, err, MEREAU_E_NOMEM, NULL, NULL, NULL, NULL);
    return verify_for(verifier, claims, &what, err);
}

mereau_status mereau_jwt_verify_bound(const mereau_verifier *verifier,
                                      mereau_claims *claims, const char *token,
                                      size_t len, const char *jkt,
                                      int64_t now_at, mereau_error *err) {
    struct mru_verifying what = {token, len, NULL, jkt, now_at, 0};
    if (jkt != NULL && strlen(jkt) == 43)
        return verify_for(verifier, claims, &what, err);
    return refuse_call(claims, err, MEREAU_E_ARG, "jwt.cnf", "RFC 7638 3",
                       "a thumbprint of 43 characters",
                       jkt == NULL ? "none" : "another length");
}

mereau_status mereau_jwt_verify_bearer(const mereau_verifier *verifier,
                                       mereau_claims *claims,
                                       const char *header, size_t len,
                                       int64_t now_at, mereau_error *err) {
    static const char scheme[] = "bearer";
    size_t i = 0;
    if (!header)
        len = 0;
    while (i < len && i < sizeof scheme - 1 && (header[i] | 0x20) == scheme[i])
        i++;
    size_t start = i;
    while (start < len && header[start] == ' ')
        start++;
    if (i == sizeof scheme - 1 && start > i && start < len)
        return mereau_jwt_verify(verifier, claims, header + start, len - start,
                                 now_at, err);
    return refuse_call(claims, err, MEREAU_E_MALFORMED, "bearer.form",
                       "RFC 6750 2.1", "Bearer and a token",
                       len == 0 ? "no header" : "another form");
}
