/* lib/jose/rules_time.c - when a token may be used: exp, nbf, iat, its age and its
 * lifetime. Sums are clamped, so no date of a token can overflow one. */
#include "rules.h"

static mereau_status refuse_time(const struct mru_check *c,
                                 mereau_status status, const char *rule,
                                 const char *source, const char *wanted,
                                 int64_t at) {
    char want[64], found[64];
    mru_say(want, sizeof want, "%s %lld", wanted, (long long)at);
    mru_say(found, sizeof found, "%lld", (long long)c->now_at);
    return mru_refuse(c->err, status, rule, source, want, found);
}

/* A NumericDate, if it is there: 1 and its time, 0, or -1 when it is none. */
static int date_of(const struct mru_check *c, enum mru_claim which, int64_t *at,
                   int *fraction) {
    struct mru_jval value;
    if (!mru_said_get(&value, c->said, which))
        return 0;
    if (value.kind != 'n' || mru_json_seconds(&value, at, fraction) != 0)
        return -1;
    return 1;
}

static mereau_status no_date(const struct mru_check *c, const char *name) {
    return mru_refuse_claim(c, MEREAU_E_MALFORMED, name, "RFC 7519 2",
                            "a NumericDate", "something else");
}

/* exp: the token may be used before it, not at it. Whether it must be there is the
 * profile's. */
mereau_status mru_check_expiry(struct mru_check *c) {
    int fraction = 0;
    c->has_exp = date_of(c, MRU_CLAIM_EXP, &c->exp_at, &fraction);
    if (c->has_exp < 0)
        return no_date(c, "exp");
    if (c->has_exp == 0 ||
        c->now_at < mru_add_time(c->exp_at, c->verifier->skew_s + fraction))
        return MEREAU_OK;
    return refuse_time(c, MEREAU_E_EXPIRED, "jwt.exp", "RFC 7519 4.1.4",
                       "used before", c->exp_at);
}

mereau_status mru_check_start(struct mru_check *c) {
    int64_t nbf_at = 0;
    int fraction = 0, there = date_of(c, MRU_CLAIM_NBF, &nbf_at, &fraction);
    if (there < 0)
        return no_date(c, "nbf");
    if (there == 0 || mru_add_time(c->now_at, c->verifier->skew_s) >=
                          mru_add_time(nbf_at, fraction))
        return MEREAU_OK;
    return refuse_time(c, MEREAU_E_NOT_YET, "jwt.nbf", "RFC 7519 4.1.5",
                       "used from", nbf_at);
}

/* iat: an issuer that has just raised a not-before signs up to this much ahead,
 * so it is allowed whatever the skew; further ahead is somebody's mistake. */
mereau_status mru_check_issued(struct mru_check *c) {
    const mereau_verifier *v = c->verifier;
    int fraction = 0;
    c->has_iat = date_of(c, MRU_CLAIM_IAT, &c->iat_at, &fraction);
    if (c->has_iat < 0)
        return no_date(c, "iat");
    if (c->has_iat == 0 && v->max_age_s > 0)
        return mru_refuse_claim(c, MEREAU_E_CLAIM, "iat", NULL,
                                "iat, as there is a maximal age", "none");
    if (c->has_iat == 0)
        return MEREAU_OK;
    if (mru_add_time(c->now_at, MEREAU_IAT_AHEAD_S) <
        mru_add_time(c->iat_at, fraction))
        return refuse_time(c, MEREAU_E_NOT_YET, "jwt.iat", "RFC 7519 4.1.6",
                           "used about", c->iat_at);
    if (c->has_exp && c->exp_at < c->iat_at)
        return mru_refuse_claim(c, MEREAU_E_CLAIM, "exp", "RFC 7519 4.1.4",
                                "an exp after iat", "one before");
    if (v->max_age_s > 0 &&
        c->now_at >
            mru_add_time(mru_add_time(c->iat_at, v->max_age_s), v->skew_s))
        return refuse_time(c, MEREAU_E_EXPIRED, "jwt.max_age", NULL,
                           "used until", mru_add_time(c->iat_at, v->max_age_s));
    return MEREAU_OK;
}

mereau_status mru_check_lifetime(struct mru_check *c) {
    int64_t most = c->verifier->max_lifetime_s;
    char wanted[48];
    if (most == 0 || !c->has_exp)
        return MEREAU_OK;
    int64_t until = c->has_iat ? mru_add_time(c->iat_at, most)
                               : mru_add_time(mru_add_time(c->now_at, most),
                                              c->verifier->skew_s);
    if (c->exp_at <= until)
        return MEREAU_OK;
    mru_say(wanted, sizeof wanted, "at most %lld s", (long long)most);
    return mru_refuse_claim(c, MEREAU_E_CLAIM, "lifetime", "RFC 7523 3", wanted,
                            "a longer one");
}

/* The skew is forgiven at both ends. */
mereau_status mru_check_auth_time(struct mru_check *c) {
    static const char source[] = "OpenID Core 3.1.2.1";
    int64_t most = c->expected->max_auth_age_s, at = 0;
    int fraction = 0, there = date_of(c, MRU_CLAIM_AUTH_TIME, &at, &fraction);
    if (there < 0)
        return no_date(c, "auth_time");
    if (most == MEREAU_UNSET)
        return MEREAU_OK;
    if (there == 0)
        return mru_refuse_claim(c, MEREAU_E_CLAIM, "auth_time", source,
                                "an auth_time, as its age was limited", "none");
    if (mru_add_time(c->now_at, MEREAU_IAT_AHEAD_S) < at)
        return refuse_time(c, MEREAU_E_NOT_YET, "jwt.auth_time", source,
                           "used about", at);
    if (c->now_at > mru_add_time(mru_add_time(at, most), c->verifier->skew_s))
        return refuse_time(c, MEREAU_E_EXPIRED, "jwt.auth_time", source,
                           "used until", mru_add_time(at, most));
    return MEREAU_OK;
}
