/* lib/jose/jwks_read.c - reads a JWK Set (RFC 7517 section 5): what cannot be used
 * is left out, what is broken makes all of it refused. */
#include "jwks.h"

/* A list of keys may be longer than other lists. */
static const struct mru_json_limits limits = {MEREAU_MAX_JSON, MEREAU_MAX_DEPTH,
                                              MEREAU_MAX_JWKS};

/* The algorithm for a key that names none: the one accepted algorithm that it
 * fits; 0 when there is not exactly one. */
static int32_t alg_for(const struct mru_jval *jwk,
                       const struct mru_algs *algs) {
    struct mru_jval kty, crv;
    int32_t only = 0;
    mru_json_member(&kty, jwk, "kty");
    mru_json_member(&crv, jwk, "crv");
    for (size_t i = 0; i < algs->n; i++) {
        const struct mru_alg *info = mru_alg_info(algs->alg[i]);
        int fits = 0;
        if (info->kty == MRU_KTY_RSA)
            fits = mru_json_is(&kty, "RSA", 3);
        else if (info->kty == MRU_KTY_OCT)
            fits = mru_json_is(&kty, "oct", 3);
        else
            fits = mru_json_is(&crv, info->crv, strlen(info->crv));
        if (fits && only != 0)
            return 0;
        if (fits)
            only = info->id;
    }
    return only;
}

/* One JWK of a set. A key of another kind or size than this build takes is left
 * out, as RFC 7517 section 5 asks; one that is broken, or private where only
 * public ones belong, is not. */
static mereau_status read_one(mru_key **out, const struct mru_jval *jwk,
                              const struct mru_algs *algs, uint32_t flags,
                              mereau_error *skipped, mereau_error *err) {
    mereau_error why = MEREAU_ERROR_INIT;
    struct mru_jval alg;
    int32_t bound = 0;
    if (algs && !mru_json_member(&alg, jwk, "alg"))
        bound = alg_for(jwk, algs);
    mereau_status status = mru_key_from_jwk(out, jwk, bound, flags, &why);
    if (status == MEREAU_OK)
        return MEREAU_OK;
    if ((status == MEREAU_E_KEY || status == MEREAU_E_ALG) &&
        strcmp(why.rule, "jwk.private") != 0) {
        if (skipped->status == MEREAU_OK)
            *skipped = why;
        return MEREAU_OK;
    }
    return mru_refuse(err, status, why.rule, why.source, why.wanted, why.found);
}

mereau_status mru_jwks_read(mereau_jwks *set, const char *json, size_t len,
                            const struct mru_algs *algs, uint32_t flags,
                            mereau_error *err) {
    mereau_error skipped = MEREAU_ERROR_INIT;
    struct mru_jval root, keys, jwk;
    size_t pos = 0;
    mereau_status status = mru_json_check(&root, json, len, &limits, err);
    if (status != MEREAU_OK)
        return status;
    if (!mru_json_member(&keys, &root, "keys") || keys.kind != 'a')
        return mru_refuse(err, MEREAU_E_MALFORMED, "jwks.keys", "RFC 7517 5.1",
                          "an object with a list named keys", "something else");
    while (status == MEREAU_OK && mru_json_next(&keys, &pos, NULL, &jwk)) {
        mru_key *key = NULL;
        status = read_one(&key, &jwk, algs, flags, &skipped, err);
        if (status == MEREAU_OK && key)
            status = mru_jwks_add(set, key, err);
        else if (status == MEREAU_OK)
            set->skipped++;
    }
    if (status == MEREAU_OK && set->n == 0)
        status = mru_refuse(
            err, MEREAU_E_INCOMPLETE,
            skipped.rule[0] ? skipped.rule : "jwks.empty", "RFC 7517 5",
            skipped.wanted[0] ? skipped.wanted : "a key to verify with",
            skipped.found[0] ? skipped.found : "none");
    if (status != MEREAU_OK)
        mru_jwks_clear(set);
    return status;
}
