/* lib/jose/verifier_set.c - setting a verifier up: whom to trust, what to insist on.
 * The first mistake is kept for mereau_verifier_ready(). */
#include "profile.h"

#include "token_cache.h"
#include "key_int.h"

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

mereau_verifier *mereau_verifier_new_for(int32_t profile, const char *issuer,
                                         const char *audience) {
    mereau_verifier *v = mru_alloc(sizeof *v);
    if (!v)
        return NULL;
    mereau_error_init(&v->mistake, sizeof v->mistake);
    atomic_init(&v->refs, 1);
    v->live = mru_live_new();
    v->own = mru_keyset_new();
    if (!v->live || !v->own) {
        mereau_verifier_free(v);
        return NULL;
    }
    v->profile = mru_profile_find(profile);
    if (!v->profile) {
        v->profile = mru_profile_find(MEREAU_PROFILE_JWT);
        mistake(v, MEREAU_E_ARG, "verifier.profile", "a MEREAU_PROFILE_");
    }
    v->max_lifetime_s = v->profile->max_lifetime_s;
    v->max_age_s = v->profile->max_age_s;
    if (v->profile->id != MEREAU_PROFILE_DPOP) {
        v->issuer = keep_text(v, issuer, "verifier.issuer");
        mereau_verifier_add_audience(v, audience);
    } else if (issuer || audience) {
        mistake(v, MEREAU_E_ARG, "verifier.issuer",
                "none, as a proof has neither issuer nor audience");
    }
    if (v->mistake.status == MEREAU_E_NOMEM) {
        mereau_verifier_free(v);
        return NULL;
    }
    return v;
}

mereau_verifier *mereau_verifier_new(const char *issuer, const char *audience) {
    return mereau_verifier_new_for(MEREAU_PROFILE_ACCESS_TOKEN, issuer,
                                   audience);
}

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

void mereau_verifier_add_jwk(mereau_verifier *v, const mereau_jwk *key) {
    mereau_error why = MEREAU_ERROR_INIT;
    mru_key *half = NULL;
    mereau_status status = MEREAU_OK;
    if (!is_open(v))
        return;
    if (!key) {
        mistake(v, MEREAU_E_ARG, "verifier.key", "a key");
        return;
    }
    /* Of a key pair, what it takes to verify. */
    if (mru_key_is_private(key) && mru_key_info(key)->kty != MRU_KTY_OCT)
        status = mru_key_public(&half, key, &why);
    else
        half = mru_key_ref(key);
    if (status == MEREAU_OK)
        status = mru_keyset_add(v->own, half, &why);
    mistake_of(v, status, &why);
}

void mereau_verifier_add_decryption_key(mereau_verifier *v,
                                        const mereau_jwk *key) {
    mereau_error why = MEREAU_ERROR_INIT;
    if (!is_open(v))
        return;
    if (!key || mru_key_info(key)->use != MRU_USE_ENC ||
        !mru_key_is_private(key)) {
        mistake(v, key ? MEREAU_E_KEY : MEREAU_E_ARG, "verifier.decryption_key",
                "a key that can decrypt");
        return;
    }
    if (!v->readers)
        v->readers = mereau_jwks_new();
    mistake_of(v, mereau_jwks_add(v->readers, key, &why), &why);
}

void mereau_verifier_accept_unencrypted(mereau_verifier *v) {
    if (is_open(v))
        v->accept_unencrypted = 1;
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
    static const char prefix[] = "application/", access[] = "at+jwt";
    if (!is_open(v))
        return;
    if (type && strncmp(type, prefix, sizeof prefix - 1) == 0)
        type += sizeof prefix - 1;
    char *copy = keep_text(v, type, "verifier.type");
    if (!copy)
        return;
    mru_free(v->type);
    v->type = copy;
    /* Between these two the type alone decides which claims there must be. */
    int is_access = mru_type_is(copy, strlen(copy), access);
    if (v->profile->id == MEREAU_PROFILE_JWT && is_access)
        v->profile = mru_profile_find(MEREAU_PROFILE_ACCESS_TOKEN);
    else if (v->profile->id == MEREAU_PROFILE_ACCESS_TOKEN && !is_access)
        v->profile = mru_profile_find(MEREAU_PROFILE_JWT);
}

void mereau_verifier_accept_any_type(mereau_verifier *v) {
    if (is_open(v))
        v->any_type = 1;
}

void mereau_verifier_set_subject(mereau_verifier *v, const char *subject) {
    if (!is_open(v))
        return;
    char *copy = keep_text(v, subject, "verifier.subject");
    if (!copy)
        return;
    mru_free(v->subject);
    v->subject = copy;
}

/* For assertions only; of another kind it would not do what it says. */
static int is_assertion(mereau_verifier *v, const char *rule) {
    if (!is_open(v))
        return 0;
    if (v->profile->id == MEREAU_PROFILE_ASSERTION)
        return 1;
    mistake(v, MEREAU_E_ARG, rule, "a verifier of assertions");
    return 0;
}

void mereau_verifier_accept_any_subject(mereau_verifier *v) {
    if (is_assertion(v, "verifier.subject"))
        v->any_subject = 1;
}

void mereau_verifier_accept_audience_list(mereau_verifier *v) {
    if (is_assertion(v, "verifier.audience"))
        v->audience_list = 1;
}

void mereau_verifier_set_max_scope(mereau_verifier *v, const char *scope) {
    size_t words = 0;
    if (!is_open(v))
        return;
    for (const char *at = scope ? scope : ""; *at != '\0'; words++) {
        at += strcspn(at, " ");
        at += strspn(at, " ");
    }
    if (words > MEREAU_MAX_SCOPE) {
        mistake(v, MEREAU_E_TOO_LONG, "verifier.scope", "at most 64 words");
        return;
    }
    char *copy = keep_text(v, scope, "verifier.scope");
    if (!copy)
        return;
    mru_free(v->max_scope);
    v->max_scope = copy;
}

void mereau_verifier_set_check(mereau_verifier *v, mereau_claim_check check,
                               void *user) {
    if (!is_open(v))
        return;
    v->check = check;
    v->check_user = user;
}

void mereau_verifier_set_cache_bytes(mereau_verifier *v, size_t bytes) {
    if (!is_open(v))
        return;
    if (bytes > 0 && bytes < MRU_CACHE_LEAST)
        mistake(v, MEREAU_E_ARG, "verifier.cache", "0, or 16384 bytes or more");
    else if (v->profile->id == MEREAU_PROFILE_DPOP && bytes > 0)
        mistake(v, MEREAU_E_ARG, "verifier.cache",
                "none, as a proof is used once");
    else
        v->cache_bytes = bytes;
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

static void set_seconds(mereau_verifier *v, int64_t *out, int64_t value,
                        const char *rule) {
    if (value < 1)
        mistake(v, MEREAU_E_ARG, rule, "1 second or more");
    else
        *out = value;
}

void mereau_verifier_set_max_age_s(mereau_verifier *v, int64_t max_age_s) {
    if (is_open(v))
        set_seconds(v, &v->max_age_s, max_age_s, "verifier.max_age");
}

void mereau_verifier_set_max_lifetime_s(mereau_verifier *v,
                                        int64_t max_lifetime_s) {
    if (is_open(v))
        set_seconds(v, &v->max_lifetime_s, max_lifetime_s,
                    "verifier.max_lifetime");
}

void mereau_verifier_set_max_snapshot_age_s(mereau_verifier *v,
                                            int64_t max_snapshot_age_s) {
    if (is_open(v))
        set_seconds(v, &v->max_snapshot_age_s, max_snapshot_age_s,
                    "verifier.snapshot_age");
}

void mereau_verifier_accept_any_audience(mereau_verifier *v) {
    if (is_open(v))
        v->any_audience = 1;
}
