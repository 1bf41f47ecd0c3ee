/* lib/jose/jwks.c - sets of keys: what may stand together in one, and finding the
 * one key that a token may be verified or decrypted with.
 *
 * The table is open, with linear probing, at most half full. Its hash has no
 * secret seed: with MEREAU_MAX_JWKS keys the worst that the author of a set, who
 * is trusted to sign, can do is to make his own lookups some microseconds long. */
#include "jwks.h"

enum { FIRST_CAP = 8 };

void mru_jwks_clear(mereau_jwks *set) {
    for (size_t i = 0; i < set->n; i++)
        mru_key_free(set->keys[i]);
    mru_free(set->keys);
    mru_free(set->slots);
    memset(set, 0, sizeof *set);
}

static mereau_status no_memory(mereau_error *err) {
    return mru_refuse(err, MEREAU_E_NOMEM, NULL, NULL, NULL, NULL);
}

/* --- the table --- */

static size_t hash_of(const char *kid) {
    uint32_t hash = 2166136261u;
    for (; *kid; kid++)
        hash = (hash ^ (uint8_t)*kid) * 16777619u;
    hash = (hash ^ hash >> 16) * 0x85ebca6bu;
    return hash ^ hash >> 13;
}

/* Whether a key answers to a kid and alg (0: any). */
static int answers(const mru_key *key, const char *kid, int32_t alg) {
    return (alg == 0 || mru_key_alg(key) == alg) && mru_key_is_named(key, kid);
}

const mru_key *mru_jwks_named(const mereau_jwks *set, const char *kid,
                              int32_t alg) {
    const mru_key *found = NULL;
    size_t mask = set->n_slots - 1;
    if (set->n_slots == 0)
        return NULL;
    for (size_t at = hash_of(kid) & mask; set->slots[at] != 0;
         at = (at + 1) & mask) {
        const mru_key *key = set->keys[set->slots[at] - 1];
        if (!answers(key, kid, alg))
            continue;
        if (mru_key_kid_given(key))
            return key;
        if (!found)
            found = key;
    }
    return found;
}

static void put(mereau_jwks *set, size_t index) {
    size_t mask = set->n_slots - 1;
    size_t at = hash_of(mru_key_kid(set->keys[index])) & mask;
    while (set->slots[at] != 0)
        at = (at + 1) & mask;
    set->slots[at] = (uint16_t)(index + 1);
}

/* A key whose name is its thumbprint is there once for each algorithm: more would
 * only be a long way past equal names. */
static int is_doubled(const mereau_jwks *set, const mru_key *key) {
    return !mru_key_kid_given(key) &&
           mru_jwks_named(set, mru_key_kid(key), mru_key_alg(key));
}

/* Room for one key more. */
static int grow(mereau_jwks *set) {
    size_t cap = set->cap > 0 ? set->cap * 2 : FIRST_CAP;
    if (set->n < set->cap)
        return 0;
    mru_key **keys = mru_alloc(cap * sizeof *keys);
    uint16_t *slots = mru_alloc(2 * cap * sizeof *slots);
    if (!keys || !slots) {
        mru_free(keys);
        mru_free(slots);
        return -1;
    }
    if (set->n > 0)
        memcpy(keys, set->keys, set->n * sizeof *keys);
    mru_free(set->keys);
    mru_free(set->slots);
    set->keys = keys;
    set->slots = slots;
    set->cap = cap;
    set->n_slots = 2 * cap;
    for (size_t i = 0; i < set->n; i++)
        if (!is_doubled(set, keys[i]))
            put(set, i);
    return 0;
}

/* --- what may stand together --- */

static int is_secret(const mru_key *key) {
    return mru_key_info(key)->kty == MRU_KTY_OCT;
}

static int is_for_signatures(const mru_key *key) {
    return mru_key_info(key)->use == MRU_USE_SIG;
}

static mereau_status mixed(mereau_error *err) {
    return mru_refuse(err, MEREAU_E_KEY, "jwks.mixed", "RFC 8725 3.1",
                      "secrets or public keys", "both");
}

static mereau_status doubled(const char *kid, mereau_error *err) {
    return mru_refuse(err, MEREAU_E_KEY, "jwks.kid", "RFC 7517 4.5",
                      "each kid once", kid);
}

/* A key of that name that was given it. */
static int has_name(const mereau_jwks *set, const char *kid) {
    const mru_key *key = mru_jwks_named(set, kid, 0);
    return key && mru_key_kid_given(key);
}

/* Two keys for signatures in one set: not a secret beside a public key, whose text
 * everybody knows. And no kid twice, or it would not name a key. */
static mereau_status may_join(const mereau_jwks *set, const mru_key *key,
                              mereau_error *err) {
    if (set->n == MEREAU_MAX_JWKS)
        return mru_refuse(err, MEREAU_E_TOO_LONG, "jwks.length", NULL,
                          "at most 1024 keys", "more");
    if (is_for_signatures(key) &&
        (is_secret(key) ? set->n_pairs : set->n_secrets) > 0)
        return mixed(err);
    if (mru_key_kid_given(key) && has_name(set, mru_key_kid(key)))
        return doubled(mru_key_kid(key), err);
    return MEREAU_OK;
}

mereau_status mru_jwks_add(mereau_jwks *set, mru_key *key, mereau_error *err) {
    mereau_status status = may_join(set, key, err);
    if (status == MEREAU_OK && grow(set) != 0)
        status = no_memory(err);
    if (status != MEREAU_OK) {
        mru_key_free(key);
        return status;
    }
    struct mru_alg_keys *of_alg = &set->by_alg[mru_key_alg(key)];
    int listed = !is_doubled(set, key);
    set->keys[set->n++] = key;
    if (listed)
        put(set, set->n - 1);
    if (is_for_signatures(key) && is_secret(key))
        set->n_secrets++;
    else if (is_for_signatures(key))
        set->n_pairs++;
    of_alg->n++;
    of_alg->last = key;
    if (!mru_key_kid_given(key)) {
        of_alg->n_unnamed++;
        of_alg->last_unnamed = key;
    }
    return MEREAU_OK;
}

mereau_status mru_jwks_compatible(const mereau_jwks *a, const mereau_jwks *b,
                                  mereau_error *err) {
    if ((a->n_secrets > 0 && b->n_pairs > 0) ||
        (a->n_pairs > 0 && b->n_secrets > 0))
        return mixed(err);
    for (size_t i = 0; i < a->n; i++)
        if (mru_key_kid_given(a->keys[i]) &&
            has_name(b, mru_key_kid(a->keys[i])))
            return doubled(mru_key_kid(a->keys[i]), err);
    return MEREAU_OK;
}

/* --- finding --- */

/* What both sets say about a token's kid and alg. */
struct search {
    int32_t alg;
    const char *kid; /* NULL: the token names none */
    const mru_key *right; /* the key of that kid, and of the alg */
    const mru_key *named; /* a key that was given that kid */
    const mru_key *fitting; /* the last one of that alg that may be meant */
    size_t n_fitting;
    size_t n_alg; /* keys of that alg, whatever their kid */
};

static void look(struct search *s, const mereau_jwks *set) {
    if (!set)
        return;
    const struct mru_alg_keys *of_alg = &set->by_alg[s->alg];
    s->n_alg += of_alg->n;
    /* A kid that we do not have can still be that of a key which came without
     * one (PEM), but never that of a key with another. */
    s->n_fitting += s->kid ? of_alg->n_unnamed : of_alg->n;
    const mru_key *one = s->kid ? of_alg->last_unnamed : of_alg->last;
    if (one)
        s->fitting = one;
    if (!s->kid)
        return;
    const mru_key *key = mru_jwks_named(set, s->kid, 0);
    if (key && mru_key_kid_given(key))
        s->named = key;
    if (key && mru_key_alg(key) != s->alg)
        key =
            mru_key_kid_given(key) ? NULL : mru_jwks_named(set, s->kid, s->alg);
    if (key)
        s->right = key;
}

mereau_status mru_jwks_pick(const mru_key **out, const mereau_jwks *a,
                            const mereau_jwks *b, int32_t alg,
                            const struct mru_jval *kid, mereau_error *err) {
    struct search s = {alg, NULL, NULL, NULL, NULL, 0, 0};
    char name[129];
    size_t len = 0;
    *out = NULL;
    if (kid->kind != 0) {
        if (mru_json_text(kid, name, sizeof name - 1, &len) != 0 || len == 0)
            return mru_refuse(err, MEREAU_E_KEY_UNKNOWN, "jwt.kid",
                              "RFC 7515 4.1.4", "a kid of 1 to 128 bytes",
                              "another length");
        name[len] = '\0';
        s.kid = name;
    }
    look(&s, a);
    look(&s, b);
    if (s.named && mru_key_alg(s.named) != alg)
        return mru_refuse(err, MEREAU_E_ALG, "jwt.alg", "RFC 8725 3.1",
                          mru_alg_name(mru_key_alg(s.named)),
                          mru_alg_name(alg));
    if (s.named)
        *out = s.named;
    else if (s.right)
        *out = s.right;
    else if (s.n_fitting == 1)
        *out = s.fitting;
    if (*out)
        return MEREAU_OK;
    if (s.n_alg == 0)
        return mru_refuse(err, MEREAU_E_ALG, "jwt.alg", "RFC 8725 3.1",
                          "an algorithm of one of our keys", mru_alg_name(alg));
    return mru_refuse(err, MEREAU_E_KEY_UNKNOWN, "jwt.kid", "RFC 7515 4.1.4",
                      s.kid ? "a kid of our keys"
                            : "a kid, as several keys fit",
                      s.kid ? s.kid : "none");
}
