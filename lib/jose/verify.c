/* lib/jose/verify.c - verifying a JWT. The order is fixed: form and header, key,
 * signature over the bytes as they came; only then is the payload decoded, and
 * its claims are checked one after another in the order below. */
#include "verifier_int.h"

#define DEFAULT_SNAPSHOT_AGE_S 86400

/* One payload under test. */
struct check {
    const mereau_verifier *verifier;
    const struct mru_keyset *set; /* with the notices; may be NULL */
    const struct mru_jval *typ;
    const struct mru_jval *root;
    const char *jkt; /* of the key that the sender proved; NULL: none */
    const char *kid; /* of the key that verified */
    int64_t now_at;
    int has_iat;
    int64_t exp_at, iat_at; /* whole seconds */
    mereau_error *err;
};

/* --- saying why --- */

enum { SAY = 97 };

/* A text of the token that may be shown (iss, aud, typ): cut to fit. */
static const char *show(const struct mru_jval *value, char out[SAY]) {
    char whole[1024];
    size_t len = 0;
    if (value->kind == 0)
        return "none";
    if (value->kind == 'a')
        return "a list without it";
    if (value->kind != 's')
        return "not a text";
    if (mru_json_text(value, whole, sizeof whole - 1, &len) != 0)
        return "a long text";
    whole[len] = '\0';
    mru_say(out, SAY, "%.96s", whole);
    return out;
}

static mereau_status refuse(const struct check *c, mereau_status status,
                            const char *rule, const char *source,
                            const char *wanted, const char *found) {
    return mru_refuse(c->err, status, rule, source, wanted, found);
}

static mereau_status refuse_time(const struct check *c, mereau_status status,
                                 const char *rule, const char *source,
                                 const char *wanted, int64_t at) {
    char want[64], found[64];
    mru_say(want, sizeof want, "%s %lld", wanted, (long long)at);
    mru_say(found, sizeof found, "%lld", (long long)c->now_at);
    return refuse(c, status, rule, source, want, found);
}

/* --- the checks --- */

/* Compares media types without case and without "application/" (RFC 7515
 * section 4.1.9). */
static int type_is(const char *typ, size_t len, const char *wanted) {
    static const char prefix[] = "application/";
    size_t skip = sizeof prefix - 1, i = 0;
    if (len > skip) {
        while (i < skip && (typ[i] | 0x20) == (prefix[i] | 0x20))
            i++;
        if (i == skip && !memchr(typ + skip, '/', len - skip)) {
            typ += skip;
            len -= skip;
        }
    }
    if (strlen(wanted) != len)
        return 0;
    for (i = 0; i < len; i++) {
        char a = typ[i], b = wanted[i];
        if (a >= 'A' && a <= 'Z')
            a = (char)(a | 0x20);
        if (b >= 'A' && b <= 'Z')
            b = (char)(b | 0x20);
        if (a != b)
            return 0;
    }
    return 1;
}

static mereau_status check_type(struct check *c) {
    char typ[128], found[SAY];
    size_t len = 0;
    if (c->typ->kind == 's' &&
        mru_json_text(c->typ, typ, sizeof typ, &len) == 0 &&
        type_is(typ, len, c->verifier->type))
        return MEREAU_OK;
    return refuse(c, MEREAU_E_KIND, "jwt.typ", "RFC 8725 3.11",
                  c->verifier->type, show(c->typ, found));
}

static mereau_status check_issuer(struct check *c) {
    const char *issuer = c->verifier->issuer;
    struct mru_jval iss;
    char found[SAY];
    mru_json_member(&iss, c->root, "iss");
    if (mru_json_is(&iss, issuer, strlen(issuer)))
        return MEREAU_OK;
    return refuse(c, MEREAU_E_ISSUER, "jwt.iss", "RFC 9068 4", issuer,
                  show(&iss, found));
}

static int is_our_audience(const struct check *c, const struct mru_jval *one) {
    for (size_t i = 0; i < c->verifier->n_audiences; i++)
        if (mru_json_is(one, c->verifier->audiences[i],
                        strlen(c->verifier->audiences[i])))
            return 1;
    return 0;
}

/* A text, or a list of nothing but texts, one of which is ours. */
static mereau_status check_audience(struct check *c) {
    const char *wanted =
        c->verifier->any_audience ? "an audience" : c->verifier->audiences[0];
    struct mru_jval aud, one;
    char found[SAY];
    size_t pos = 0, texts = 0, others = 0;
    int ours = 0;
    mru_json_member(&aud, c->root, "aud");
    if (aud.kind == 's') {
        texts = 1;
        ours = is_our_audience(c, &aud);
    }
    while (aud.kind == 'a' && mru_json_next(&aud, &pos, NULL, &one)) {
        texts += one.kind == 's';
        others += one.kind != 's';
        ours |= is_our_audience(c, &one);
    }
    if (others > 0 || (texts == 0 && aud.kind != 0))
        return refuse(c, MEREAU_E_AUDIENCE, "jwt.aud", "RFC 7519 4.1.3",
                      "a text or a list of texts", "something else");
    if (ours || (c->verifier->any_audience && aud.kind == 0) ||
        (c->verifier->any_audience && texts > 0))
        return MEREAU_OK;
    return refuse(c, MEREAU_E_AUDIENCE, "jwt.aud", "RFC 9068 4", wanted,
                  show(&aud, found));
}

/* A NumericDate, if it is there: 1 and its time, 0, or -1 when it is none. */
static int date_of(const struct check *c, const char *name, int64_t *at,
                   int *fraction) {
    struct mru_jval value;
    if (!mru_json_member(&value, c->root, name))
        return 0;
    if (value.kind != 'n' || mru_json_seconds(&value, at, fraction) != 0)
        return -1;
    return 1;
}

static mereau_status no_date(const struct check *c, const char *rule) {
    return refuse(c, MEREAU_E_MALFORMED, rule, "RFC 7519 2", "a NumericDate",
                  "something else");
}

/* exp: the token may be used before it, not at it. */
static mereau_status check_expiry(struct check *c) {
    int fraction = 0, there = date_of(c, "exp", &c->exp_at, &fraction);
    if (there < 0)
        return no_date(c, "jwt.exp");
    if (there == 0)
        return refuse(c, MEREAU_E_CLAIM, "jwt.exp", "RFC 9068 2.2", "exp",
                      "none");
    if (c->now_at < mru_add_time(c->exp_at, c->verifier->skew_s + fraction))
        return MEREAU_OK;
    return refuse_time(c, MEREAU_E_EXPIRED, "jwt.exp", "RFC 7519 4.1.4",
                       "used before", c->exp_at);
}

static mereau_status check_start(struct check *c) {
    int64_t nbf_at = 0;
    int fraction = 0, there = date_of(c, "nbf", &nbf_at, &fraction);
    if (there < 0)
        return no_date(c, "jwt.nbf");
    if (there == 0 || mru_add_time(c->now_at, c->verifier->skew_s) >=
                          mru_add_time(nbf_at, fraction))
        return MEREAU_OK;
    return refuse_time(c, MEREAU_E_NOT_YET, "jwt.nbf", "RFC 7519 4.1.5",
                       "used from", nbf_at);
}

/* iat: an issuer that has just raised a not-before signs up to this much ahead,
 * so it is allowed whatever the skew; further ahead is somebody's mistake. */
static mereau_status check_issued(struct check *c) {
    const mereau_verifier *v = c->verifier;
    int fraction = 0;
    c->has_iat = date_of(c, "iat", &c->iat_at, &fraction);
    if (c->has_iat < 0)
        return no_date(c, "jwt.iat");
    if (c->has_iat == 0 && v->max_age_s > 0)
        return refuse(c, MEREAU_E_CLAIM, "jwt.iat", NULL,
                      "iat, as there is a maximal age", "none");
    if (c->has_iat == 0)
        return MEREAU_OK;
    if (mru_add_time(c->now_at, MEREAU_IAT_AHEAD_S) <
        mru_add_time(c->iat_at, fraction))
        return refuse_time(c, MEREAU_E_NOT_YET, "jwt.iat", "RFC 7519 4.1.6",
                           "used about", c->iat_at);
    if (c->exp_at < c->iat_at)
        return refuse(c, MEREAU_E_CLAIM, "jwt.exp", "RFC 7519 4.1.4",
                      "an exp after iat", "one before");
    if (v->max_age_s > 0 &&
        c->now_at >
            mru_add_time(mru_add_time(c->iat_at, v->max_age_s), v->skew_s))
        return refuse_time(c, MEREAU_E_EXPIRED, "jwt.max_age", NULL,
                           "used until", mru_add_time(c->iat_at, v->max_age_s));
    return MEREAU_OK;
}

/* What RFC 9068 section 2.2 requires of an access token, beyond what is checked
 * above; of other types, that these are texts when they are there. */
static mereau_status check_profile(struct check *c) {
    static const char *const texts[] = {"sub", "client_id", "jti"};
    int strict =
        type_is(c->verifier->type, strlen(c->verifier->type), "at+jwt");
    struct mru_jval value;
    char rule[24];
    for (size_t i = 0; i < sizeof texts / sizeof texts[0]; i++) {
        int there = mru_json_member(&value, c->root, texts[i]);
        mru_say(rule, sizeof rule, "jwt.%s", texts[i]);
        if (!there && strict)
            return refuse(c, MEREAU_E_CLAIM, rule, "RFC 9068 2.2", texts[i],
                          "none");
        if (there && (value.kind != 's' || (strict && value.len == 2)))
            return refuse(c, MEREAU_E_CLAIM, rule, "RFC 7519 4.1", "a text",
                          "something else");
    }
    if (strict && c->has_iat == 0)
        return refuse(c, MEREAU_E_CLAIM, "jwt.iat", "RFC 9068 2.2", "iat",
                      "none");
    return MEREAU_OK;
}

/* A token that is bound to a key is worth nothing without proof of that key;
 * cnf must say this one way and no other (RFC 7800 section 3.1). */
static mereau_status check_binding(struct check *c) {
    struct mru_jval cnf, jkt;
    int there = mru_json_member(&cnf, c->root, "cnf");
    if (!there && c->jkt == NULL)
        return MEREAU_OK;
    if (c->jkt == NULL)
        return refuse(c, MEREAU_E_CLAIM, "jwt.cnf", "RFC 9449 7.2",
                      "a bearer token", "one bound to a key");
    if (there && cnf.kind == 'o' && mru_json_count(&cnf) == 1 &&
        mru_json_member(&jkt, &cnf, "jkt") &&
        mru_json_is(&jkt, c->jkt, strlen(c->jkt)))
        return MEREAU_OK;
    return refuse(c, MEREAU_E_DEVICE, "jwt.cnf", "RFC 9449 7.2",
                  "a token bound to the key that was proved",
                  there ? "one bound to another" : "a bearer token");
}

static int has_value(const struct mru_jval *claim, const char *value) {
    struct mru_jval one;
    size_t pos = 0, len = strlen(value);
    if (claim->kind == 's')
        return mru_json_is(claim, value, len);
    while (claim->kind == 'a' && mru_json_next(claim, &pos, NULL, &one))
        if (mru_json_is(&one, value, len))
            return 1;
    return 0;
}

static mereau_status check_claims(struct check *c) {
    for (size_t i = 0; i < c->verifier->n_claims; i++) {
        const struct mru_claim_rule *rule = &c->verifier->claims[i];
        struct mru_jval value;
        if (!mru_json_member(&value, c->root, rule->name))
            return refuse(c, MEREAU_E_CLAIM, "jwt.claim", NULL, rule->name,
                          "none");
        if (rule->value && !has_value(&value, rule->value))
            return refuse(c, MEREAU_E_CLAIM, "jwt.claim", NULL, rule->name,
                          "another value");
    }
    return MEREAU_OK;
}

/* What the claim MRU_CLAIM_BEFORE says of one level: 1, or 0 without it. */
static int was_issued(const struct check *c, size_t level, int64_t *issued_at,
                      int64_t *known_at) {
    struct mru_jval list, one;
    int64_t number[1 + MRU_BEFORE_LEVELS];
    size_t at = 0, n = 0;
    if (level >= MRU_BEFORE_LEVELS ||
        !mru_json_member(&list, c->root, MRU_CLAIM_BEFORE) || list.kind != 'a')
        return 0;
    while (n <= MRU_BEFORE_LEVELS && mru_json_next(&list, &at, NULL, &one))
        if (mru_json_int(&one, &number[n++]) != 0)
            return 0;
    if (n <= MRU_BEFORE_LEVELS)
        return 0;
    *issued_at = number[0];
    *known_at = number[1 + level];
    return 1;
}

/* Whether one notice about this token is against it. */
static int is_taken_back(const struct check *c, char kind, const char *claim,
                         size_t level) {
    struct mru_jval value;
    char id[MEREAU_MAX_TEXT];
    size_t len = 0;
    int64_t at = 0, issued_at, known_at;
    if (claim && (!mru_json_member(&value, c->root, claim) ||
                  mru_json_text(&value, id, sizeof id, &len) != 0))
        return 0;
    if (!mru_keyset_not_before(c->set, kind, id, len, &at))
        return 0;
    if (at != INT64_MAX && was_issued(c, level, &issued_at, &known_at))
        return issued_at <= at && known_at < at;
    return at == INT64_MAX || c->has_iat == 0 || c->iat_at <= at;
}

/* An app's own key (notice 'o') signs for that app only (notice 'k'). */
static mereau_status check_owner(struct check *c) {
    char pair[129 + MEREAU_MAX_TEXT];
    size_t kid_len = strlen(c->kid), len = 0;
    struct mru_jval client;
    int64_t at;
    if (!mru_keyset_not_before(c->set, 'o', c->kid, kid_len, &at))
        return MEREAU_OK;
    if (kid_len <= 128 && mru_json_member(&client, c->root, "client_id") &&
        mru_json_text(&client, pair + kid_len + 1, MEREAU_MAX_TEXT, &len) ==
            0) {
        memcpy(pair, c->kid, kid_len);
        pair[kid_len] = '\n';
        if (mru_keyset_not_before(c->set, 'k', pair, kid_len + 1 + len, &at))
            return MEREAU_OK;
    }
    return refuse(c, MEREAU_E_CLAIM, "jwt.client_id", NULL,
                  "the app whose key signed", "another one");
}

static mereau_status check_notices(struct check *c) {
    static const struct {
        char kind;
        const char *claim, *found;
    } kinds[] = {{'t', NULL, "a token of before it, of this tenant"},
                 {'a', "client_id", "a token of before it, of this app"},
                 {'s', "sub", "a token of before it, of this subject"},
                 {'d', "device_id", "a token of before it, of this device"},
                 {'f', "sid", "a token of before it, of this session"}};
    if (!c->set || c->set->n_notices == 0)
        return MEREAU_OK;
    for (size_t i = 0; i < sizeof kinds / sizeof kinds[0]; i++)
        if (is_taken_back(c, kinds[i].kind, kinds[i].claim, i))
            return refuse(c, MEREAU_E_NOT_BEFORE, "jwt.not_before", NULL,
                          "issued after the not-before", kinds[i].found);
    return MEREAU_OK;
}

mereau_status mru_claims_check(const mereau_verifier *verifier,
                               const struct mru_keyset *set,
                               const struct mru_jws *jws,
                               const struct mru_jval *root, const char *kid,
                               const char *jkt, int64_t now_at,
                               mereau_error *err) {
    static mereau_status (*const checks[])(struct check *) = {
        check_type,   check_issuer, check_audience, check_expiry,
        check_start,  check_issued, check_profile,  check_binding,
        check_claims, check_owner,  check_notices};
    struct check c = {0};
    c.verifier = verifier;
    c.set = set;
    c.typ = &jws->typ;
    c.root = root;
    c.jkt = jkt;
    c.kid = kid;
    c.now_at = now_at;
    c.err = err;
    mereau_status status = MEREAU_OK;
    for (size_t i = 0;
         status == MEREAU_OK && i < sizeof checks / sizeof checks[0]; i++)
        status = checks[i](&c);
    return status;
}

/* What is known of keys and revocations must not be too old. */
static mereau_status check_snapshot(const mereau_verifier *verifier,
                                    const struct mru_keyset *set,
                                    int64_t now_at, mereau_error *err) {
    int64_t most = verifier->max_snapshot_age_s;
    char wanted[64], found[64];
    if (most == 0 && set != NULL && set->own)
        most = DEFAULT_SNAPSHOT_AGE_S;
    if (most == 0 || set == NULL || set->loaded_at == MEREAU_UNSET ||
        now_at <= mru_add_time(set->loaded_at, most))
        return MEREAU_OK;
    mru_say(wanted, sizeof wanted, "keys loaded in the last %lld s",
            (long long)most);
    mru_say(found, sizeof found, "keys of %lld", (long long)set->loaded_at);
    return mru_refuse(err, MEREAU_E_KEY_UNKNOWN, "verifier.snapshot_age", NULL,
                      wanted, found);
}

/* --- the calls --- */

static mereau_status verify(const mereau_verifier *verifier,
                            const struct mru_keyset *set,
                            struct mereau_claims *claims, const char *token,
                            size_t len, const char *jkt, int64_t now_at,
                            mereau_error *err) {
    struct mru_jws jws;
    const mru_key *key = NULL;
    mereau_status status = mru_jws_read(&jws, &claims->header, token, len, err);
    if (status == MEREAU_OK && verifier->algs.n > 0) {
        size_t i = 0;
        while (i < verifier->algs.n && verifier->algs.alg[i] != jws.alg)
            i++;
        if (i == verifier->algs.n)
            status = mru_refuse(err, MEREAU_E_ALG, "jwt.alg", "RFC 8725 3.1",
                                "an accepted algorithm", mru_alg_name(jws.alg));
    }
    if (status == MEREAU_OK)
        status = check_snapshot(verifier, set, now_at, err);
    if (status == MEREAU_OK)
        status = mru_keyset_find(&key, set, verifier->own, &jws, err);
    if (status == MEREAU_E_KEY_UNKNOWN)
        mru_live_missed(verifier->live);
    if (status == MEREAU_OK)
        status = mru_jws_verify(&jws, key, err);
    if (status == MEREAU_OK)
        status = mru_jws_payload(&jws, &claims->json, err);
    if (status == MEREAU_OK)
        status = mru_claims_index(claims, err);
    if (status == MEREAU_OK)
        status = mru_claims_check(verifier, set, &jws, &claims->root,
                                  mru_key_kid(key), jkt, now_at, err);
    return status;
}

static mereau_status verify_for(const mereau_verifier *verifier,
                                mereau_claims *claims, const char *token,
                                size_t len, const char *jkt, int64_t now_at,
                                mereau_error *err) {
    struct mereau_claims own;
    memset(&own, 0, sizeof own);
    struct mereau_claims *used = claims ? claims : &own;
    mereau_status status = mru_error_reset(err);
    if (status != MEREAU_OK)
        err = NULL; /* of another size: not to be written */
    mru_claims_reset(used);
    if (status == MEREAU_OK && !verifier)
        status = mru_refuse(err, MEREAU_E_NOMEM, NULL, NULL, NULL, NULL);
    else if (status == MEREAU_OK && !verifier->ready)
        status = mru_refuse(err, MEREAU_E_STATE, "verifier.ready", NULL,
                            "a verifier that is ready", "one that is not");
    else if (status == MEREAU_OK && (!token || now_at <= MEREAU_NOW))
        status = mru_refuse(err, MEREAU_E_ARG, NULL, NULL, "a token and a time",
                            "none");
    if (status == MEREAU_OK) {
        struct mru_keyset *set = mru_live_take(verifier->live);
        status = verify(verifier, set, used, token, len, jkt, now_at, err);
        mru_live_give(verifier->live, set);
    }
    if (status != MEREAU_OK)
        mru_claims_reset(used);
    mru_claims_clear(&own);
    return status;
}

mereau_status mereau_jwt_verify(const mereau_verifier *verifier,
                                mereau_claims *claims, const char *token,
                                size_t len, int64_t now_at, mereau_error *err) {
    return verify_for(verifier, claims, token, len, NULL, now_at, err);
}

mereau_status mereau_jwt_verify_bound(const mereau_verifier *verifier,
                                      mereau_claims *claims, const char *token,
                                      size_t len, const char *jkt,
                                      int64_t now_at, mereau_error *err) {
    if (jkt != NULL && strlen(jkt) == 43)
        return verify_for(verifier, claims, token, len, jkt, now_at, err);
    if (claims)
        mru_claims_reset(claims);
    if (mru_error_reset(err) != MEREAU_OK)
        return MEREAU_E_SIZE;
    return mru_refuse(err, MEREAU_E_ARG, "jwt.cnf", "RFC 7638 3",
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
    if (claims)
        mru_claims_reset(claims);
    if (mru_error_reset(err) != MEREAU_OK)
        return MEREAU_E_SIZE;
    return mru_refuse(err, MEREAU_E_MALFORMED, "bearer.form", "RFC 6750 2.1",
                      "Bearer and a token",
                      len == 0 ? "no header" : "another form");
}
