/* lib/jose/keyset.c - sets of keys: reading a JWK Set (RFC 7517 section 5), and
 * finding the one key a token may be verified with. */
#include "keyset.h"

#include "../crypto/pkey.h"

struct mru_keyset *mru_keyset_new(void) {
    struct mru_keyset *set = mru_alloc(sizeof *set);
    if (set)
        set->loaded_at = MEREAU_UNSET;
    return set;
}

void mru_keyset_free(struct mru_keyset *set) {
    if (!set)
        return;
    for (size_t i = 0; i < set->n; i++)
        mru_key_free(set->keys[i]);
    mru_free(set->notices);
    mru_free_wiped(set->texts, set->texts_len);
    mru_free(set);
}

/* --- what may stand together --- */

static int is_secret(const mru_key *key) {
    return mru_alg_info(mru_key_alg(key))->kty == MRU_KTY_OCT;
}

/* Two keys in one set: not a secret beside a public key, whose text everybody
 * knows; and no kid twice, or it would not name a key. */
static mereau_status together(const mru_key *a, const mru_key *b,
                              mereau_error *err) {
    if (is_secret(a) != is_secret(b))
        return mru_refuse(err, MEREAU_E_KEY, "jwks.mixed", "RFC 8725 3.1",
                          "secrets or public keys", "both");
    if (mru_key_kid_given(a) && mru_key_kid_given(b) &&
        strcmp(mru_key_kid(a), mru_key_kid(b)) == 0)
        return mru_refuse(err, MEREAU_E_KEY, "jwks.kid", "RFC 7517 4.5",
                          "each kid once", mru_key_kid(a));
    return MEREAU_OK;
}

mereau_status mru_keyset_compatible(const struct mru_keyset *a,
                                    const struct mru_keyset *b,
                                    mereau_error *err) {
    mereau_status status = MEREAU_OK;
    for (size_t i = 0; a && b && i < a->n; i++)
        for (size_t k = 0; k < b->n && status == MEREAU_OK; k++)
            status = together(a->keys[i], b->keys[k], err);
    return status;
}

mereau_status mru_keyset_add(struct mru_keyset *set, mru_key *key,
                             mereau_error *err) {
    mereau_status status = MEREAU_OK;
    if (set->n == MEREAU_MAX_JWKS)
        status = mru_refuse(err, MEREAU_E_TOO_LONG, "jwks.length", NULL,
                            "at most 128 keys", "more");
    for (size_t i = 0; i < set->n && status == MEREAU_OK; i++)
        status = together(set->keys[i], key, err);
    if (status == MEREAU_OK)
        set->keys[set->n++] = key;
    else
        mru_key_free(key);
    return status;
}

/* --- reading --- */

static int algs_allow(const struct mru_algs *algs, int32_t alg) {
    for (size_t i = 0; i < algs->n; i++)
        if (algs->alg[i] == alg)
            return 1;
    return algs->n == 0;
}

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
        else if (info->kty == MRU_KTY_EC)
            fits = mru_json_is(&crv, info->crv, strlen(info->crv));
        if (fits && only != 0)
            return 0;
        if (fits)
            only = info->id;
    }
    return only;
}

/* One JWK of a set. A key of another kind or size than this build takes is left
 * out, as RFC 7517 section 5 asks; one that is broken, or private, is not. */
static mereau_status read_one(mru_key **out, const struct mru_jval *jwk,
                              const struct mru_algs *algs,
                              mereau_error *skipped, mereau_error *err) {
    const uint32_t flags = MRU_KEY_PUBLIC | MRU_KEY_SECRET;
    mereau_error why = MEREAU_ERROR_INIT;
    struct mru_jval alg;
    int32_t bound = 0;
    if (!mru_json_member(&alg, jwk, "alg"))
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

static mereau_status read_all(struct mru_keyset *set,
                              const struct mru_jval *keys,
                              const struct mru_algs *algs, mereau_error *err) {
    mereau_error skipped = MEREAU_ERROR_INIT;
    struct mru_jval jwk;
    size_t pos = 0, kept = 0;
    mereau_status status = MEREAU_OK;
    while (status == MEREAU_OK && mru_json_next(keys, &pos, NULL, &jwk)) {
        mru_key *key = NULL;
        status = read_one(&key, &jwk, algs, &skipped, err);
        if (status == MEREAU_OK && key)
            status = mru_keyset_add(set, key, err);
    }
    if (status != MEREAU_OK)
        return status;
    /* What the verifier does not accept goes only now, so that a set that mixes
     * kinds or names is refused whatever was chosen from it. */
    for (size_t i = 0; i < set->n; i++) {
        if (algs_allow(algs, mru_key_alg(set->keys[i])))
            set->keys[kept++] = set->keys[i];
        else
            mru_key_free(set->keys[i]);
    }
    set->n = kept;
    if (kept > 0)
        return MEREAU_OK;
    return mru_refuse(
        err, MEREAU_E_INCOMPLETE, skipped.rule[0] ? skipped.rule : "jwks.empty",
        "RFC 7517 5",
        skipped.wanted[0] ? skipped.wanted : "a key to verify with",
        skipped.found[0] ? skipped.found : "none");
}

mereau_status mru_keyset_read(struct mru_keyset **out, const char *jwks,
                              size_t len, const struct mru_algs *algs,
                              mereau_error *err) {
    struct mru_jval root, keys;
    struct mru_keyset *set = NULL;
    *out = NULL;
    mereau_status status =
        mru_json_check(&root, jwks, len, &mru_json_default_limits, err);
    if (status != MEREAU_OK)
        return status;
    if (!mru_json_member(&keys, &root, "keys") || keys.kind != 'a')
        return mru_refuse(err, MEREAU_E_MALFORMED, "jwks.keys", "RFC 7517 5.1",
                          "an object with a list named keys", "something else");
    set = mru_keyset_new();
    if (!set)
        return mru_refuse(err, MEREAU_E_NOMEM, NULL, NULL, NULL, NULL);
    status = read_all(set, &keys, algs, err);
    if (status != MEREAU_OK)
        mru_keyset_free(set);
    else
        *out = set;
    return status;
}

/* --- finding --- */

/* A look at both sets for one token. */
struct search {
    int32_t alg;
    const char *kid; /* NULL: the token names none */
    const mru_key *named; /* the key of that kid */
    const mru_key *fitting; /* the last one of that alg that may be meant */
    size_t n_fitting;
    size_t n_alg; /* keys of that alg, whatever their kid */
};

static void look(struct search *s, const struct mru_keyset *set) {
    for (size_t i = 0; set && i < set->n; i++) {
        const mru_key *key = set->keys[i];
        int named = mru_key_kid_given(key);
        int fits = mru_key_alg(key) == s->alg;
        s->n_alg += fits != 0;
        if (s->kid && named && strcmp(mru_key_kid(key), s->kid) == 0)
            s->named = key;
        /* A kid that we do not have can still be that of a key which came
         * without one (PEM), but never that of a key with another. */
        if (fits && (!s->kid || !named)) {
            s->fitting = key;
            s->n_fitting++;
        }
    }
}

mereau_status mru_keyset_find(const mru_key **out, const struct mru_keyset *a,
                              const struct mru_keyset *b,
                              const struct mru_jws *jws, mereau_error *err) {
    struct search s = {jws->alg, NULL, NULL, NULL, 0, 0};
    char kid[129];
    size_t len = 0;
    *out = NULL;
    if (jws->kid.kind != 0) {
        if (mru_json_text(&jws->kid, kid, sizeof kid - 1, &len) != 0 ||
            len == 0)
            return mru_refuse(err, MEREAU_E_KEY_UNKNOWN, "jwt.kid",
                              "RFC 7515 4.1.4", "a kid of 1 to 128 bytes",
                              "another length");
        kid[len] = '\0';
        s.kid = kid;
    }
    look(&s, a);
    look(&s, b);
    if (s.named && mru_key_alg(s.named) == jws->alg) {
        *out = s.named;
        return MEREAU_OK;
    }
    if (s.named)
        return mru_refuse(err, MEREAU_E_ALG, "jwt.alg", "RFC 8725 3.1",
                          mru_alg_name(mru_key_alg(s.named)),
                          mru_alg_name(jws->alg));
    if (s.n_fitting == 1) {
        *out = s.fitting;
        return MEREAU_OK;
    }
    if (s.n_alg == 0)
        return mru_refuse(err, MEREAU_E_ALG, "jwt.alg", "RFC 8725 3.1",
                          "an algorithm of one of our keys",
                          mru_alg_name(jws->alg));
    return mru_refuse(err, MEREAU_E_KEY_UNKNOWN, "jwt.kid", "RFC 7515 4.1.4",
                      s.kid ? "a kid of our keys"
                            : "a kid, as several keys fit",
                      s.kid ? s.kid : "none");
}
