/* lib/jose/verifier.c - whom to trust: setting a verifier up, and changing its
 * keys while others use it. */
#include "verifier_int.h"

#include "../port/port.h"
#include "key_int.h"

/* A key set older than this should be fetched again, and nobody is asked to
 * oftener than that. */
enum { OLD_AFTER_S = 3600, ASK_EVERY_S = 60 };

/* --- the live set --- */

struct mru_keyset *mru_live_take(struct mru_live *live) {
    mru_lock_take(live->lock);
    struct mru_keyset *set = live->set;
    if (set)
        set->refs++;
    mru_lock_give(live->lock);
    return set;
}

void mru_live_give(struct mru_live *live, struct mru_keyset *set) {
    if (!set)
        return;
    mru_lock_take(live->lock);
    int last = --set->refs == 0;
    mru_lock_give(live->lock);
    if (last)
        mru_keyset_free(set);
}

void mru_live_missed(struct mru_live *live) {
    mru_lock_take(live->lock);
    live->missed = 1;
    mru_lock_give(live->lock);
}

/* Puts a set in place; who still uses the old one keeps it until done. */
static void live_replace(struct mru_live *live, struct mru_keyset *set,
                         int64_t loaded_at, int fetched) {
    set->refs = 1;
    mru_lock_take(live->lock);
    struct mru_keyset *old = live->set;
    live->set = set;
    live->loaded_at = loaded_at;
    live->fetched = fetched;
    live->missed = 0;
    mru_lock_give(live->lock);
    mru_live_give(live, old);
}

static struct mru_live *live_new(void) {
    struct mru_live *live = mru_alloc(sizeof *live);
    if (!live)
        return NULL;
    live->lock = mru_lock_new();
    live->loaded_at = MEREAU_UNSET;
    live->asked_at = MEREAU_UNSET;
    if (live->lock)
        return live;
    mru_free(live);
    return NULL;
}

static void live_free(struct mru_live *live) {
    if (!live)
        return;
    mru_keyset_free(live->set);
    mru_lock_free(live->lock);
    mru_free(live);
}

/* --- making --- */

/* Keeps the first mistake for mereau_verifier_ready(). */
static void mistake(mereau_verifier *v, mereau_status status, const char *rule,
                    const char *wanted) {
    if (v->mistake.status == MEREAU_OK)
        mru_refuse(&v->mistake, status, rule, NULL, wanted, NULL);
}

/* Keeps why a key was refused. */
static void mistake_of(mereau_verifier *v, mereau_status status,
                       const mereau_error *why) {
    if (v->mistake.status == MEREAU_OK && status != MEREAU_OK)
        mru_refuse(&v->mistake, status, why->rule, why->source, why->wanted,
                   why->found);
}

/* A setter's guard: a verifier that takes changes. */
static int is_open(const mereau_verifier *v) { return v && !v->ready; }

/* A copy of a text of 1..MEREAU_MAX_TEXT bytes, or NULL and a mistake. */
static char *keep_text(mereau_verifier *v, const char *text, const char *rule) {
    size_t len = text ? strlen(text) : 0;
    if (len == 0 || len > MEREAU_MAX_TEXT ||
        !mru_text_valid((const uint8_t *)text, len)) {
        mistake(v, MEREAU_E_ARG, rule, "a text of 1 to 1024 bytes");
        return NULL;
    }
    char *copy = mru_dup(text, len);
    if (!copy)
        mistake(v, MEREAU_E_NOMEM, NULL, NULL);
    return copy;
}

mereau_verifier *mereau_verifier_new(const char *issuer, const char *audience) {
    mereau_verifier *v = mru_alloc(sizeof *v);
    if (!v)
        return NULL;
    mereau_error_init(&v->mistake, sizeof v->mistake);
    v->live = live_new();
    v->own = mru_keyset_new();
    v->type = mru_dup("at+jwt", 6);
    if (!v->live || !v->own || !v->type) {
        mereau_verifier_free(v);
        return NULL;
    }
    v->issuer = keep_text(v, issuer, "verifier.issuer");
    mereau_verifier_add_audience(v, audience);
    if (v->mistake.status == MEREAU_E_NOMEM) {
        mereau_verifier_free(v);
        return NULL;
    }
    return v;
}

void mereau_verifier_free(mereau_verifier *v) {
    if (!v)
        return;
    for (size_t i = 0; i < v->n_audiences; i++)
        mru_free(v->audiences[i]);
    for (size_t i = 0; i < v->n_claims; i++) {
        mru_free(v->claims[i].name);
        mru_free(v->claims[i].value);
    }
    mru_free(v->issuer);
    mru_free(v->type);
    mru_free_wiped(v->jwks, v->jwks_len);
    mru_keyset_free(v->own);
    live_free(v->live);
    mru_free(v);
}

/* --- setters --- */

void mereau_verifier_set_jwks(mereau_verifier *v, const char *jwks,
                              size_t len) {
    if (!is_open(v))
        return;
    if (!jwks || len == 0)
        mistake(v, MEREAU_E_ARG, "jwks.form", "a JWK Set");
    else if (len > MEREAU_MAX_JSON)
        mistake(v, MEREAU_E_TOO_LONG, "jwks.length", "at most 1048576 bytes");
    if (v->mistake.status != MEREAU_OK)
        return;
    /* Read in ready(), when the algorithms to be accepted are known. */
    char *copy = mru_dup(jwks, len);
    if (!copy) {
        mistake(v, MEREAU_E_NOMEM, NULL, NULL);
        return;
    }
    mru_free_wiped(v->jwks, v->jwks_len);
    v->jwks = copy;
    v->jwks_len = len;
}

static mereau_status read_jwk(mru_key **out, const char *text, size_t len,
                              int32_t alg, mereau_error *err) {
    struct mru_jval root;
    mereau_status status =
        mru_json_check(&root, text, len, &mru_json_default_limits, err);
    if (status != MEREAU_OK)
        return status;
    return mru_key_from_jwk(out, &root, alg, MRU_KEY_PUBLIC | MRU_KEY_SECRET,
                            err);
}

void mereau_verifier_add_key(mereau_verifier *v, const char *key, size_t len,
                             int32_t alg) {
    mereau_error why = MEREAU_ERROR_INIT;
    mru_key *made = NULL;
    mereau_status status;
    size_t i = 0;
    if (!is_open(v))
        return;
    if (!key || len == 0 || !mru_alg_name(alg)) {
        mistake(v, key && len > 0 ? MEREAU_E_ALG : MEREAU_E_ARG, "key.alg",
                "a key and its algorithm");
        return;
    }
    while (i < len && (key[i] == ' ' || key[i] == '\n' || key[i] == '\r' ||
                       key[i] == '\t'))
        i++;
    if (i < len && key[i] == '{')
        status = read_jwk(&made, key, len, alg, &why);
    else
        status = mru_key_from_pem(&made, key, len, alg, MRU_KEY_PUBLIC, &why);
    if (status == MEREAU_OK)
        status = mru_keyset_add(v->own, made, &why);
    mistake_of(v, status, &why);
}

void mereau_verifier_add_secret(mereau_verifier *v, const uint8_t *secret,
                                size_t len, int32_t alg) {
    mereau_error why = MEREAU_ERROR_INIT;
    mru_key *made = NULL;
    if (!is_open(v))
        return;
    mereau_status status = mru_key_from_secret(&made, secret, len, alg, &why);
    if (status == MEREAU_OK)
        status = mru_keyset_add(v->own, made, &why);
    mistake_of(v, status, &why);
}

void mereau_verifier_add_audience(mereau_verifier *v, const char *audience) {
    if (!is_open(v))
        return;
    if (v->n_audiences == MEREAU_MAX_LIST) {
        mistake(v, MEREAU_E_TOO_LONG, "verifier.audience", "at most 256");
        return;
    }
    char *copy = keep_text(v, audience, "verifier.audience");
    if (copy)
        v->audiences[v->n_audiences++] = copy;
}

void mereau_verifier_add_alg(mereau_verifier *v, int32_t alg) {
    mereau_error why = MEREAU_ERROR_INIT;
    const struct mru_alg *info;
    if (!is_open(v))
        return;
    mereau_status status = mru_alg_usable(&info, alg, &why);
    if (status == MEREAU_OK && info->use != MRU_USE_SIG)
        status = mru_refuse(&why, MEREAU_E_ALG, "key.alg", "RFC 7518 3.1",
                            "a signature algorithm", info->name);
    mistake_of(v, status, &why);
    for (size_t i = 0; i < v->algs.n; i++)
        if (v->algs.alg[i] == alg)
            return;
    if (status == MEREAU_OK)
        v->algs.alg[v->algs.n++] = alg;
}

void mereau_verifier_set_type(mereau_verifier *v, const char *type) {
    static const char prefix[] = "application/";
    if (!is_open(v))
        return;
    if (type && strncmp(type, prefix, sizeof prefix - 1) == 0)
        type += sizeof prefix - 1;
    char *copy = keep_text(v, type, "verifier.type");
    if (!copy)
        return;
    mru_free(v->type);
    v->type = copy;
}

void mereau_verifier_add_claim(mereau_verifier *v, const char *name,
                               const char *value) {
    if (!is_open(v))
        return;
    if (v->n_claims == MEREAU_MAX_LIST) {
        mistake(v, MEREAU_E_TOO_LONG, "verifier.claim", "at most 256");
        return;
    }
    struct mru_claim_rule rule = {keep_text(v, name, "verifier.claim"), NULL};
    if (rule.name && value)
        rule.value = keep_text(v, value, "verifier.claim");
    if (!rule.name || (value && !rule.value)) {
        mru_free(rule.name);
        return;
    }
    v->claims[v->n_claims++] = rule;
}

void mereau_verifier_set_skew_s(mereau_verifier *v, int64_t skew_s) {
    if (!is_open(v))
        return;
    if (skew_s < 0 || skew_s > MEREAU_MAX_SKEW_S)
        mistake(v, MEREAU_E_ARG, "verifier.skew", "0 to 600 seconds");
    else
        v->skew_s = skew_s;
}

void mereau_verifier_set_max_age_s(mereau_verifier *v, int64_t max_age_s) {
    if (!is_open(v))
        return;
    if (max_age_s < 1)
        mistake(v, MEREAU_E_ARG, "verifier.max_age", "1 second or more");
    else
        v->max_age_s = max_age_s;
}

void mereau_verifier_set_max_snapshot_age_s(mereau_verifier *v,
                                            int64_t max_snapshot_age_s) {
    if (!is_open(v))
        return;
    if (max_snapshot_age_s < 1)
        mistake(v, MEREAU_E_ARG, "verifier.snapshot_age", "1 second or more");
    else
        v->max_snapshot_age_s = max_snapshot_age_s;
}

void mereau_verifier_accept_any_audience(mereau_verifier *v) {
    if (is_open(v))
        v->any_audience = 1;
}

/* --- ready, and after --- */

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
    live_replace(v->live, set, MEREAU_UNSET, 1);
    mru_free_wiped(v->jwks, v->jwks_len);
    v->jwks = NULL;
    v->jwks_len = 0;
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
    if (status == MEREAU_OK && !v->live->set && v->own->jwks.n == 0)
        status = mru_refuse(err, MEREAU_E_INCOMPLETE, "verifier.keys", NULL,
                            "a key or a key set", "none");
    if (status == MEREAU_OK) /* a set that was loaded before keys were added */
        status = mru_keyset_compatible(v->live->set, v->own, err);
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
        live_replace(v->live, set, now_at, 1);
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
        live_replace(v->live, set, loaded_at, 1);
    }
    return status;
}

int32_t mereau_verifier_wants_jwks(const mereau_verifier *v, int64_t now_at) {
    int32_t wants = 0;
    if (!v || !v->ready || now_at <= MEREAU_NOW)
        return 0;
    struct mru_live *live = v->live;
    mru_lock_take(live->lock);
    if (live->fetched && live->loaded_at == MEREAU_UNSET)
        live->loaded_at = now_at; /* given at set-up: its age counts from now */
    int old = now_at >= mru_add_time(live->loaded_at, OLD_AFTER_S);
    int asked = live->asked_at != MEREAU_UNSET && now_at >= live->asked_at &&
                now_at < mru_add_time(live->asked_at, ASK_EVERY_S);
    if (live->fetched && (old || live->missed) && !asked) {
        live->asked_at = now_at;
        live->missed = 0;
        wants = 1;
    }
    mru_lock_give(live->lock);
    return wants;
}
