/* tests/unit/test_profiles.c - kinds of tokens (MEREAU_PROFILE_*): what each must
 * say, what a request may expect of it, and that none is taken for another. */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <mereau/verify.h>

#include "alloc.h"
#include "key_texts.h"
#include "tokens.h"

#define ISS "https://op.example"
#define AUD "client-1"
#define NONCE "n-0S6_WzA2Mj"
#define ACCESS_TOKEN "jHkWEdUXMU1BwAsC4vtUsZwnNvTIxEl0z9K3vx5KF0Y"
#define AT_HASH "77QmUPtjPfzWtF2AnpK9RQ"
#define CODE "Qcb0Orv1zh30vL1MPRsbm-diHiMwcLyZvn1arpZv-Jxf_11jnpEX3Tgfvk"
#define C_HASH "LDktKdoQak3Pk0cnXxCltA"
#define EVENTS "{\"http://schemas.openid.net/event/backchannel-logout\":{}}"
enum { NOW = 1790000000, PROFILES = 7 };

/* A good token of each kind: the same issuer, audience and key for all of them, so
 * that only their kinds tell them apart. */
struct kind {
    int32_t profile;
    const char *typ; /* NULL: none */
    const char *claims[12][2];
};

#define IAT "1789999990"
#define EXP "1790000200"
static const struct kind kinds[PROFILES] = {
    {MEREAU_PROFILE_ACCESS_TOKEN,
     "at+jwt",
     {{"iss", "\"" ISS "\""},
      {"aud", "\"" AUD "\""},
      {"sub", "\"u1\""},
      {"client_id", "\"app\""},
      {"jti", "\"j\""},
      {"iat", IAT},
      {"exp", EXP},
      {"scope", "\"read write\""}}},
    {MEREAU_PROFILE_ID_TOKEN,
     NULL,
     {{"iss", "\"" ISS "\""},
      {"aud", "\"" AUD "\""},
      {"sub", "\"u1\""},
      {"iat", IAT},
      {"exp", EXP},
      {"nonce", "\"" NONCE "\""},
      {"auth_time", "1789999900"},
      {"at_hash", "\"" AT_HASH "\""},
      {"c_hash", "\"" C_HASH "\""}}},
    {MEREAU_PROFILE_LOGOUT_TOKEN,
     "logout+jwt",
     {{"iss", "\"" ISS "\""},
      {"aud", "\"" AUD "\""},
      {"sub", "\"u1\""},
      {"sid", "\"s1\""},
      {"jti", "\"j\""},
      {"iat", IAT},
      {"exp", EXP},
      {"events", EVENTS}}},
    {MEREAU_PROFILE_ASSERTION,
     NULL,
     {{"iss", "\"" ISS "\""},
      {"aud", "\"" AUD "\""},
      {"sub", "\"" ISS "\""},
      {"jti", "\"j\""},
      {"iat", IAT},
      {"exp", EXP}}},
    {MEREAU_PROFILE_DPOP,
     "dpop+jwt",
     {{"iss", "\"" ISS "\""}, /* not needed, but no help to others either */
      {"aud", "\"" AUD "\""},
      {"sub", "\"u1\""},
      {"exp", EXP},
      {"jti", "\"j\""},
      {"iat", IAT},
      {"htm", "\"GET\""},
      {"htu", "\"https://rs.example/r\""}}},
    {MEREAU_PROFILE_SSO,
     "sso+jwt",
     {{"iss", "\"" ISS "\""},
      {"aud", "\"" AUD "\""},
      {"sub", "\"u1\""},
      {"jti", "\"j\""},
      {"iat", IAT},
      {"exp", EXP}}},
    {MEREAU_PROFILE_JWT,
     "JWT",
     {{"iss", "\"" ISS "\""},
      {"aud", "\"" AUD "\""},
      {"sub", "\"u1\""},
      {"jti", "\"j\""},
      {"iat", IAT},
      {"exp", EXP}}},
};

static const struct kind *kind_of(int32_t profile) {
    return &kinds[profile - 1];
}

/* A token of a kind with one claim replaced, added, or (value NULL) left out; typ
 * "" leaves it as the kind has it. */
static char *token_of(const mru_key *key, const struct kind *kind,
                      const char *typ, const char *name, const char *value) {
    char header[1024], payload[4096];
    struct mru_buf jwk = {0};
    size_t at = 0;
    int done = name == NULL;
    if (typ && typ[0] == '\0')
        typ = kind->typ;
    assert_int_equal(mru_key_print_public(&jwk, key), 0);
    snprintf(header, sizeof header, "{\"alg\":\"%s\"%s%s%s,\"jwk\":%s}",
             mru_alg_name(mru_key_alg(key)), typ ? ",\"typ\":\"" : "",
             typ ? typ : "", typ ? "\"" : "", (const char *)jwk.data);
    mru_buf_free(&jwk);
    payload[at++] = '{';
    for (size_t i = 0; i < 12 && kind->claims[i][0]; i++) {
        const char *text = kind->claims[i][1];
        if (name && strcmp(name, kind->claims[i][0]) == 0) {
            text = value;
            done = 1;
        }
        if (text)
            at += (size_t)snprintf(payload + at, sizeof payload - at,
                                   "%s\"%s\":%s", at > 1 ? "," : "",
                                   kind->claims[i][0], text);
    }
    if (!done && value)
        at += (size_t)snprintf(payload + at, sizeof payload - at, ",\"%s\":%s",
                               name, value);
    snprintf(payload + at, sizeof payload - at, "}");
    return token_signed(key, header, payload);
}

static mereau_verifier *verifier_for(int32_t profile, int32_t alg,
                                     const char *pem) {
    int proof = profile == MEREAU_PROFILE_DPOP;
    mereau_verifier *v = mereau_verifier_new_for(profile, proof ? NULL : ISS,
                                                 proof ? NULL : AUD);
    if (!proof)
        mereau_verifier_add_key(v, pem, strlen(pem), alg);
    return v;
}

static mereau_verifier *ready(mereau_verifier *v) {
    mereau_error err = MEREAU_ERROR_INIT;
    if (mereau_verifier_ready(v, &err) != MEREAU_OK)
        fail_msg("%s", err.text);
    return v;
}

/* What a request for this kind expects. */
static mereau_expect *expect_for(int32_t profile) {
    mereau_expect *e = mereau_expect_new();
    assert_non_null(e);
    if (profile == MEREAU_PROFILE_ID_TOKEN)
        mereau_expect_set(e, MEREAU_EXPECT_NONCE, NONCE);
    if (profile == MEREAU_PROFILE_DPOP) {
        mereau_expect_set(e, MEREAU_EXPECT_METHOD, "GET");
        mereau_expect_set(e, MEREAU_EXPECT_URI, "https://rs.example/r");
    }
    return e;
}

static void answers(const mereau_verifier *v, char *token,
                    const mereau_expect *e, int64_t now_at,
                    mereau_status status, const char *rule) {
    mereau_error err = MEREAU_ERROR_INIT;
    mereau_claims *claims = mereau_claims_new();
    size_t len = 9;
    mereau_status got = mereau_jwt_verify_expecting(
        v, claims, token, strlen(token), e, now_at, &err);
    if (got != status || strcmp(err.rule, rule) != 0)
        fail_msg("%d %s, not %d %s", got, err.text, status, rule);
    mereau_claims_json(claims, &len);
    assert_int_equal(len > 0, status == MEREAU_OK);
    mereau_claims_free(claims);
    free(token);
}

/* One kind with one claim changed. */
static void one_answers(int32_t profile, const char *name, const char *value,
                        mereau_status status, const char *rule) {
    mru_key *key = token_key(ec_pkcs8, MEREAU_ALG_ES256);
    mereau_verifier *v =
        ready(verifier_for(profile, MEREAU_ALG_ES256, ec_spki));
    mereau_expect *e = expect_for(profile);
    answers(v, token_of(key, kind_of(profile), "", name, value), e, NOW, status,
            rule);
    mereau_expect_free(e);
    mereau_verifier_free(v);
    mru_key_free(key);
}

/* --- none is taken for another --- */

static void no_kind_of_token_is_taken_for_another(void **state) {
    mru_key *key = token_key(ec_pkcs8, MEREAU_ALG_ES256);
    int refused = 0;
    (void)state;
    for (int32_t of = 1; of <= PROFILES; of++) {
        mereau_verifier *v = ready(verifier_for(of, MEREAU_ALG_ES256, ec_spki));
        mereau_expect *e = expect_for(of);
        for (size_t i = 0; i < PROFILES; i++) {
            mereau_error err = MEREAU_ERROR_INIT;
            char *token = token_of(key, &kinds[i], "", NULL, NULL);
            mereau_status status = mereau_jwt_verify_expecting(
                v, NULL, token, strlen(token), e, NOW, &err);
            if (kinds[i].profile == of) {
                if (status != MEREAU_OK)
                    fail_msg("%d: %s", of, err.text);
            } else if ((status != MEREAU_E_KIND && status != MEREAU_E_CLAIM) ||
                       strncmp(err.rule, "jwt.", 4) != 0) {
                fail_msg("%zu as %d: %d %s", i + 1, of, status, err.text);
            } else {
                refused++;
            }
            free(token);
        }
        mereau_expect_free(e);
        mereau_verifier_free(v);
    }
    assert_int_equal(refused, PROFILES * (PROFILES - 1));
    mru_key_free(key);
}

static void typ_is_that_of_the_profile(void **state) {
    static const struct {
        int32_t profile;
        const char *typ;
        int good;
    } cases[] = {
        {MEREAU_PROFILE_ID_TOKEN, NULL, 1},
        {MEREAU_PROFILE_ID_TOKEN, "JWT", 1},
        {MEREAU_PROFILE_ID_TOKEN, "jwt", 1},
        {MEREAU_PROFILE_ID_TOKEN, "at+jwt", 0},
        {MEREAU_PROFILE_ID_TOKEN, "id_token+jwt", 0},
        {MEREAU_PROFILE_LOGOUT_TOKEN, "application/logout+jwt", 1},
        {MEREAU_PROFILE_LOGOUT_TOKEN, "JWT", 0},
        {MEREAU_PROFILE_LOGOUT_TOKEN, NULL, 0},
        {MEREAU_PROFILE_ASSERTION, NULL, 1},
        {MEREAU_PROFILE_ASSERTION, "JWT", 1},
        {MEREAU_PROFILE_ASSERTION, "client-authentication+jwt", 1},
        {MEREAU_PROFILE_ASSERTION, "at+jwt", 0},
        {MEREAU_PROFILE_DPOP, "DPoP+JWT", 1},
        {MEREAU_PROFILE_DPOP, NULL, 0},
        {MEREAU_PROFILE_SSO, NULL, 0},
        {MEREAU_PROFILE_SSO, "JWT", 0},
        {MEREAU_PROFILE_JWT, NULL, 0},
        {MEREAU_PROFILE_JWT, "application/jwt", 1},
    };
    mru_key *key = token_key(ec_pkcs8, MEREAU_ALG_ES256);
    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        int32_t profile = cases[i].profile;
        mereau_verifier *v =
            ready(verifier_for(profile, MEREAU_ALG_ES256, ec_spki));
        mereau_expect *e = expect_for(profile);
        answers(v, token_of(key, kind_of(profile), cases[i].typ, NULL, NULL), e,
                NOW, cases[i].good ? MEREAU_OK : MEREAU_E_KIND,
                cases[i].good ? "" : "jwt.typ");
        mereau_expect_free(e);
        mereau_verifier_free(v);
    }
    mru_key_free(key);
}

/* typ "JWT" may stand in four kinds: their claims tell them apart. */
static void kinds_that_share_a_typ_are_told_apart_by_claims(void **state) {
    static const struct {
        int32_t of, at;
        const char *rule;
    } cases[] = {
        {MEREAU_PROFILE_ID_TOKEN, MEREAU_PROFILE_JWT, "jwt.nonce"},
        {MEREAU_PROFILE_ASSERTION, MEREAU_PROFILE_JWT, "jwt.sub"},
        {MEREAU_PROFILE_ID_TOKEN, MEREAU_PROFILE_ASSERTION, "jwt.jti"},
        {MEREAU_PROFILE_JWT, MEREAU_PROFILE_ASSERTION, "jwt.sub"},
        {MEREAU_PROFILE_ASSERTION, MEREAU_PROFILE_ID_TOKEN, "jwt.nonce"},
        {MEREAU_PROFILE_JWT, MEREAU_PROFILE_ID_TOKEN, "jwt.nonce"},
        {MEREAU_PROFILE_LOGOUT_TOKEN, MEREAU_PROFILE_JWT, "jwt.events"},
        {MEREAU_PROFILE_DPOP, MEREAU_PROFILE_JWT, "jwt.htm"},
    };
    mru_key *key = token_key(ec_pkcs8, MEREAU_ALG_ES256);
    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        mereau_verifier *v =
            ready(verifier_for(cases[i].at, MEREAU_ALG_ES256, ec_spki));
        mereau_expect *e = expect_for(cases[i].at);
        mereau_error err = MEREAU_ERROR_INIT;
        char *token = token_of(key, kind_of(cases[i].of), "JWT", NULL, NULL);
        mereau_status status = mereau_jwt_verify_expecting(
            v, NULL, token, strlen(token), e, NOW, &err);
        if ((status != MEREAU_E_KIND && status != MEREAU_E_CLAIM) ||
            strcmp(err.rule, cases[i].rule) != 0)
            fail_msg("%zu: %s", i, err.text);
        free(token);
        mereau_expect_free(e);
        mereau_verifier_free(v);
    }
    mru_key_free(key);
}

static void any_type_is_accepted_when_it_is_said_so(void **state) {
    mru_key *key = token_key(ec_pkcs8, MEREAU_ALG_ES256);
    mereau_verifier *v =
        verifier_for(MEREAU_PROFILE_SSO, MEREAU_ALG_ES256, ec_spki);
    mereau_expect *e = mereau_expect_new();
    (void)state;
    mereau_verifier_accept_any_type(v);
    ready(v);
    answers(v, token_of(key, kind_of(MEREAU_PROFILE_SSO), NULL, NULL, NULL), e,
            NOW, MEREAU_OK, "");
    answers(v, token_of(key, kind_of(MEREAU_PROFILE_SSO), "x", NULL, NULL), e,
            NOW, MEREAU_OK, "");
    /* Its claims must be there all the same. */
    answers(v, token_of(key, kind_of(MEREAU_PROFILE_SSO), "x", "jti", NULL), e,
            NOW, MEREAU_E_CLAIM, "jwt.jti");
    mereau_expect_free(e);
    mereau_verifier_free(v);
    mru_key_free(key);
}

/* --- what each must say --- */

static void each_kind_must_say_what_its_document_asks_for(void **state) {
    static const struct {
        int32_t profile;
        const char *names[9];
    } cases[] = {
        {MEREAU_PROFILE_ACCESS_TOKEN,
         {"iss", "aud", "sub", "client_id", "jti", "iat", "exp", NULL}},
        {MEREAU_PROFILE_ID_TOKEN,
         {"iss", "aud", "sub", "iat", "exp", "nonce", NULL}},
        {MEREAU_PROFILE_LOGOUT_TOKEN,
         {"iss", "aud", "jti", "iat", "exp", "events", NULL}},
        {MEREAU_PROFILE_ASSERTION, {"iss", "aud", "sub", "jti", "exp", NULL}},
        {MEREAU_PROFILE_DPOP, {"jti", "htm", "htu", "iat", NULL}},
        {MEREAU_PROFILE_SSO, {"iss", "aud", "sub", "jti", "exp", NULL}},
        {MEREAU_PROFILE_JWT, {"iss", "aud", "exp", NULL}},
    };
    (void)state;
    for (size_t i = 0; i < PROFILES; i++)
        for (size_t k = 0; cases[i].names[k]; k++) {
            const char *name = cases[i].names[k];
            char rule[32];
            snprintf(rule, sizeof rule, "jwt.%s", name);
            one_answers(cases[i].profile, name, NULL,
                        strcmp(name, "iss") == 0   ? MEREAU_E_ISSUER
                        : strcmp(name, "aud") == 0 ? MEREAU_E_AUDIENCE
                                                   : MEREAU_E_CLAIM,
                        rule);
        }
}

static void logout_tokens_say_that_they_are(void **state) {
    static const struct {
        const char *name, *value;
        mereau_status status;
        const char *rule;
    } cases[] = {
        {"sub", NULL, MEREAU_OK, ""},
        {"sid", NULL, MEREAU_OK, ""},
        {"sid", "7", MEREAU_E_CLAIM, "jwt.sid"},
        {"sid", "\"\"", MEREAU_E_CLAIM, "jwt.sid"},
        {"nonce", "\"x\"", MEREAU_E_KIND, "jwt.nonce"},
        {"events", "{}", MEREAU_E_CLAIM, "jwt.events"},
        {"events", "[]", MEREAU_E_CLAIM, "jwt.events"},
        {"events", "{\"http://schemas.openid.net/event/other\":{}}",
         MEREAU_E_CLAIM, "jwt.events"},
        {"events",
         "{\"http://schemas.openid.net/event/backchannel-logout\":true}",
         MEREAU_E_CLAIM, "jwt.events"},
        {"exp", "1789999999", MEREAU_E_EXPIRED, "jwt.exp"},
    };
    mru_key *key = token_key(ec_pkcs8, MEREAU_ALG_ES256);
    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++)
        one_answers(MEREAU_PROFILE_LOGOUT_TOKEN, cases[i].name, cases[i].value,
                    cases[i].status, cases[i].rule);
    /* Neither sub nor sid. */
    static const struct kind nobody = {MEREAU_PROFILE_LOGOUT_TOKEN,
                                       "logout+jwt",
                                       {{"iss", "\"" ISS "\""},
                                        {"aud", "\"" AUD "\""},
                                        {"jti", "\"j\""},
                                        {"iat", IAT},
                                        {"exp", EXP},
                                        {"events", EVENTS}}};
    mereau_verifier *v = ready(
        verifier_for(MEREAU_PROFILE_LOGOUT_TOKEN, MEREAU_ALG_ES256, ec_spki));
    mereau_expect *e = mereau_expect_new();
    answers(v, token_of(key, &nobody, "", NULL, NULL), e, NOW, MEREAU_E_CLAIM,
            "jwt.sub");
    mereau_expect_free(e);
    mereau_verifier_free(v);
    mru_key_free(key);
}

static void assertions_are_of_the_client_for_one_server(void **state) {
    static const struct {
        const char *name, *value;
        mereau_status status;
        const char *rule;
    } cases[] = {
        {"sub", "\"somebody else\"", MEREAU_E_CLAIM, "jwt.sub"},
        {"aud", "[\"" AUD "\"]", MEREAU_E_AUDIENCE, "jwt.aud"},
        {"aud", "\"" AUD "/token\"", MEREAU_E_AUDIENCE, "jwt.aud"},
        {"exp", "1790003590", MEREAU_OK, ""},
        {"exp", "1790003591", MEREAU_E_CLAIM, "jwt.lifetime"},
        {"iat", NULL, MEREAU_OK, ""},
        {"nbf", "1790000008", MEREAU_E_NOT_YET, "jwt.nbf"},
        {"exp", "1789999700", MEREAU_E_EXPIRED, "jwt.exp"},
    };
    mru_key *key = token_key(ec_pkcs8, MEREAU_ALG_ES256);
    const struct kind *kind = kind_of(MEREAU_PROFILE_ASSERTION);
    mereau_expect *e = mereau_expect_new();
    mereau_verifier *v;
    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++)
        one_answers(MEREAU_PROFILE_ASSERTION, cases[i].name, cases[i].value,
                    cases[i].status, cases[i].rule);
    /* Relaxed, by name. */
    v = verifier_for(MEREAU_PROFILE_ASSERTION, MEREAU_ALG_ES256, ec_spki);
    mereau_verifier_accept_any_subject(v);
    mereau_verifier_accept_audience_list(v);
    mereau_verifier_set_max_lifetime_s(v, 7200);
    ready(v);
    answers(v, token_of(key, kind, "", "sub", "\"u1\""), e, NOW, MEREAU_OK, "");
    answers(v, token_of(key, kind, "", "aud", "[\"x\",\"" AUD "\"]"), e, NOW,
            MEREAU_OK, "");
    answers(v, token_of(key, kind, "", "exp", "1790003591"), e, NOW, MEREAU_OK,
            "");
    mereau_verifier_free(v);
    /* Without iat the lifetime counts from now. */
    static const struct kind short_one = {MEREAU_PROFILE_ASSERTION,
                                          NULL,
                                          {{"iss", "\"" ISS "\""},
                                           {"aud", "\"" AUD "\""},
                                           {"sub", "\"" ISS "\""},
                                           {"jti", "\"j\""},
                                           {"exp", EXP}}};
    v = ready(
        verifier_for(MEREAU_PROFILE_ASSERTION, MEREAU_ALG_ES256, ec_spki));
    answers(v, token_of(key, &short_one, "", "exp", "1790003600"), e, NOW,
            MEREAU_OK, "");
    answers(v, token_of(key, &short_one, "", "exp", "1790003601"), e, NOW,
            MEREAU_E_CLAIM, "jwt.lifetime");
    mereau_expect_set(e, MEREAU_EXPECT_CLIENT_ID, ISS);
    answers(v, token_of(key, kind, "", NULL, NULL), e, NOW, MEREAU_OK, "");
    mereau_expect_set(e, MEREAU_EXPECT_CLIENT_ID, "another");
    answers(v, token_of(key, kind, "", NULL, NULL), e, NOW, MEREAU_E_CLAIM,
            "jwt.iss");
    mereau_verifier_free(v);
    mereau_expect_free(e);
    mru_key_free(key);
}

static void sso_tokens_live_five_minutes(void **state) {
    (void)state;
    one_answers(MEREAU_PROFILE_SSO, "exp", "1790000290", MEREAU_OK, "");
    one_answers(MEREAU_PROFILE_SSO, "exp", "1790000291", MEREAU_E_CLAIM,
                "jwt.lifetime");
    one_answers(MEREAU_PROFILE_SSO, "sub", "\"\"", MEREAU_E_CLAIM, "jwt.sub");
    one_answers(MEREAU_PROFILE_SSO, "jti", "7", MEREAU_E_CLAIM, "jwt.jti");
}

/* --- ID tokens --- */

static void id_tokens_name_the_client_as_azp(void **state) {
    static const struct {
        const char *aud, *azp; /* azp NULL: none */
        mereau_status status;
        const char *rule;
    } cases[] = {
        {"\"" AUD "\"", NULL, MEREAU_OK, ""},
        {"\"" AUD "\"", "\"" AUD "\"", MEREAU_OK, ""},
        {"\"" AUD "\"", "\"another\"", MEREAU_E_CLAIM, "jwt.azp"},
        {"\"" AUD "\"", "7", MEREAU_E_CLAIM, "jwt.azp"},
        {"[\"" AUD "\"]", NULL, MEREAU_OK, ""},
        {"[\"" AUD "\",\"x\"]", NULL, MEREAU_E_CLAIM, "jwt.azp"},
        {"[\"" AUD "\",\"x\"]", "\"x\"", MEREAU_E_CLAIM, "jwt.azp"},
        {"[\"" AUD "\",\"x\"]", "\"" AUD "\"", MEREAU_OK, ""},
        {"[\"x\"]", "\"" AUD "\"", MEREAU_E_AUDIENCE, "jwt.aud"},
    };
    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        char value[128];
        snprintf(value, sizeof value, "%s%s%s", cases[i].aud,
                 cases[i].azp ? ",\"azp\":" : "",
                 cases[i].azp ? cases[i].azp : "");
        one_answers(MEREAU_PROFILE_ID_TOKEN, "aud", value, cases[i].status,
                    cases[i].rule);
    }
}

static void the_subject_of_an_id_token_is_bounded(void **state) {
    char sub[300];
    (void)state;
    memset(sub, 'a', sizeof sub);
    sub[0] = sub[256] = '"';
    sub[257] = '\0';
    one_answers(MEREAU_PROFILE_ID_TOKEN, "sub", sub, MEREAU_OK, "");
    sub[256] = 'a';
    sub[257] = '"';
    sub[258] = '\0';
    one_answers(MEREAU_PROFILE_ID_TOKEN, "sub", sub, MEREAU_E_CLAIM, "jwt.sub");
    one_answers(MEREAU_PROFILE_ID_TOKEN, "sub", "\"\\u00e9\"", MEREAU_E_CLAIM,
                "jwt.sub");
    one_answers(MEREAU_PROFILE_ID_TOKEN, "events", EVENTS, MEREAU_E_KIND,
                "jwt.events");
}

/* One expectation of a good ID token by some key. */
static void expecting(const mru_key *key, const mereau_verifier *v,
                      int32_t what, const char *value, const char *name,
                      const char *claim, mereau_status status,
                      const char *rule) {
    mereau_expect *e = mereau_expect_new();
    mereau_expect_set(e, what, value);
    answers(v, token_of(key, kind_of(MEREAU_PROFILE_ID_TOKEN), "", name, claim),
            e, NOW, status, rule);
    mereau_expect_free(e);
}

static void an_id_token_is_as_the_request_expects(void **state) {
    mru_key *key = token_key(ec_pkcs8, MEREAU_ALG_ES256);
    mereau_verifier *v =
        ready(verifier_for(MEREAU_PROFILE_ID_TOKEN, MEREAU_ALG_ES256, ec_spki));
    static const struct {
        int32_t what;
        const char *value, *name, *claim;
        mereau_status status;
        const char *rule;
    } cases[] = {
        {MEREAU_EXPECT_NONCE, NONCE, NULL, NULL, MEREAU_OK, ""},
        {MEREAU_EXPECT_NONCE, NONCE, "nonce", NULL, MEREAU_E_CLAIM,
         "jwt.nonce"},
        {MEREAU_EXPECT_NONCE, NONCE, "nonce", "7", MEREAU_E_CLAIM, "jwt.nonce"},
        {MEREAU_EXPECT_NONCE, NONCE, "nonce", "[\"" NONCE "\"]", MEREAU_E_CLAIM,
         "jwt.nonce"},
        {MEREAU_EXPECT_NONCE, NONCE, "nonce", "\"" NONCE "x\"", MEREAU_E_CLAIM,
         "jwt.nonce"},
        {MEREAU_EXPECT_NONCE, NONCE "x", NULL, NULL, MEREAU_E_CLAIM,
         "jwt.nonce"},
        {MEREAU_EXPECT_ACCESS_TOKEN, ACCESS_TOKEN, NULL, NULL, MEREAU_OK, ""},
        {MEREAU_EXPECT_ACCESS_TOKEN, ACCESS_TOKEN "x", NULL, NULL,
         MEREAU_E_CLAIM, "jwt.at_hash"},
        {MEREAU_EXPECT_ACCESS_TOKEN, ACCESS_TOKEN, "at_hash", NULL,
         MEREAU_E_CLAIM, "jwt.at_hash"},
        {MEREAU_EXPECT_CODE, CODE, NULL, NULL, MEREAU_OK, ""},
        {MEREAU_EXPECT_CODE, "x", NULL, NULL, MEREAU_E_CLAIM, "jwt.c_hash"},
        {MEREAU_EXPECT_CODE, CODE, "c_hash", NULL, MEREAU_E_CLAIM,
         "jwt.c_hash"},
        {MEREAU_EXPECT_SUBJECT, "u1", NULL, NULL, MEREAU_OK, ""},
        {MEREAU_EXPECT_SUBJECT, "u2", NULL, NULL, MEREAU_E_CLAIM, "jwt.sub"},
        {MEREAU_EXPECT_CLIENT_ID, AUD, NULL, NULL, MEREAU_OK, ""},
        {MEREAU_EXPECT_CLIENT_ID, "x", NULL, NULL, MEREAU_E_AUDIENCE,
         "jwt.aud"},
        {MEREAU_EXPECT_CLIENT_ID, "x", "azp", "\"" AUD "\"", MEREAU_E_CLAIM,
         "jwt.azp"},
        {MEREAU_EXPECT_CLIENT_ID, AUD, "aud", "[\"" AUD "\"]", MEREAU_OK, ""},
        {MEREAU_EXPECT_METHOD, "GET", NULL, NULL, MEREAU_E_ARG,
         "expect.method"},
        {MEREAU_EXPECT_URI, "https://x", NULL, NULL, MEREAU_E_ARG,
         "expect.uri"},
        {MEREAU_EXPECT_JKT, "short", NULL, NULL, MEREAU_E_ARG, "jwt.cnf"},
        {MEREAU_EXPECT_NONCE, "", NULL, NULL, MEREAU_E_ARG, "expect.value"},
        {MEREAU_EXPECT_NONCE, NULL, NULL, NULL, MEREAU_E_ARG, "expect.value"},
        {99, "x", NULL, NULL, MEREAU_E_ARG, "expect.value"},
        {0, "x", NULL, NULL, MEREAU_E_ARG, "expect.value"},
    };
    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++)
        expecting(key, v, cases[i].what, cases[i].value, cases[i].name,
                  cases[i].claim, cases[i].status, cases[i].rule);
    mereau_verifier_free(v);
    mru_key_free(key);
}

/* Left half of SHA-384 and SHA-512 of ACCESS_TOKEN, made with Python's hashlib. */
static void at_hash_follows_the_algorithm_of_the_signature(void **state) {
    static const struct {
        int32_t alg;
        const char *at_hash;
    } cases[] = {
        {MEREAU_ALG_RS256, AT_HASH},
        {MEREAU_ALG_RS384, "jtAeDp945y1dDqU3nkIVGNZP1HjH_MFs"},
        {MEREAU_ALG_RS512, "q7nS86GgvvFaZkzALLWqJYaJIKw2wCDAVfCAsm5CrBM"},
        {MEREAU_ALG_PS512, "q7nS86GgvvFaZkzALLWqJYaJIKw2wCDAVfCAsm5CrBM"},
    };
    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        mru_key *key = token_key(rsa_pkcs8, cases[i].alg);
        mereau_verifier *v = ready(
            verifier_for(MEREAU_PROFILE_ID_TOKEN, cases[i].alg, rsa_spki));
        char claim[64];
        snprintf(claim, sizeof claim, "\"%s\"", cases[i].at_hash);
        expecting(key, v, MEREAU_EXPECT_ACCESS_TOKEN, ACCESS_TOKEN, "at_hash",
                  claim, MEREAU_OK, "");
        if (i > 0)
            expecting(key, v, MEREAU_EXPECT_ACCESS_TOKEN, ACCESS_TOKEN, NULL,
                      NULL, MEREAU_E_CLAIM, "jwt.at_hash");
        mereau_verifier_free(v);
        mru_key_free(key);
    }
}

static void the_time_of_the_login_has_a_greatest_age(void **state) {
    static const struct {
        int64_t most;
        const char *auth_time;
        mereau_status status;
    } cases[] = {
        {100, "1789999900", MEREAU_OK},
        {99, "1789999900", MEREAU_E_EXPIRED},
        {99, "1789999901.5", MEREAU_OK},
        {0, "1790000000", MEREAU_OK},
        {100, NULL, MEREAU_E_CLAIM},
        {100, "\"1789999900\"", MEREAU_E_MALFORMED},
        {100, "1790000060", MEREAU_OK},
        {100, "1790000061", MEREAU_E_NOT_YET},
        {-1, "1789999900", MEREAU_E_ARG},
    };
    mru_key *key = token_key(ec_pkcs8, MEREAU_ALG_ES256);
    mereau_verifier *v =
        ready(verifier_for(MEREAU_PROFILE_ID_TOKEN, MEREAU_ALG_ES256, ec_spki));
    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        mereau_expect *e = mereau_expect_new();
        mereau_expect_set_int(e, MEREAU_EXPECT_MAX_AUTH_AGE_S, cases[i].most);
        answers(v,
                token_of(key, kind_of(MEREAU_PROFILE_ID_TOKEN), "", "auth_time",
                         cases[i].auth_time),
                e, NOW, cases[i].status,
                cases[i].status == MEREAU_OK      ? ""
                : cases[i].status == MEREAU_E_ARG ? "expect.value"
                                                  : "jwt.auth_time");
        mereau_expect_free(e);
    }
    mereau_verifier_free(v);
    mru_key_free(key);
}

static void expectations_are_forgotten_by_a_reset(void **state) {
    mru_key *key = token_key(ec_pkcs8, MEREAU_ALG_ES256);
    mereau_verifier *v =
        ready(verifier_for(MEREAU_PROFILE_ID_TOKEN, MEREAU_ALG_ES256, ec_spki));
    const struct kind *kind = kind_of(MEREAU_PROFILE_ID_TOKEN);
    mereau_expect *e = mereau_expect_new();
    (void)state;
    mereau_expect_set(e, MEREAU_EXPECT_NONCE, "another");
    mereau_expect_set_int(e, MEREAU_EXPECT_MAX_AUTH_AGE_S, 0);
    mereau_expect_set(e, MEREAU_EXPECT_CODE, NULL);
    answers(v, token_of(key, kind, "", NULL, NULL), e, NOW, MEREAU_E_ARG,
            "expect.value");
    mereau_expect_reset(e);
    answers(v, token_of(key, kind, "", NULL, NULL), e, NOW, MEREAU_OK, "");
    mereau_expect_free(e);
    mereau_verifier_free(v);
    mru_key_free(key);
}

/* --- rules of the host's own --- */

static void scope_lifetime_and_subject_have_a_most(void **state) {
    static const struct {
        const char *name, *value;
        mereau_status status;
        const char *rule;
    } cases[] = {
        {NULL, NULL, MEREAU_OK, ""},
        {"scope", NULL, MEREAU_OK, ""},
        {"scope", "\"\"", MEREAU_OK, ""},
        {"scope", "\" write  read \"", MEREAU_OK, ""},
        {"scope", "\"read admin\"", MEREAU_E_SCOPE, "jwt.scope"},
        {"scope", "\"rea\"", MEREAU_E_SCOPE, "jwt.scope"},
        {"scope", "\"readwrite\"", MEREAU_E_SCOPE, "jwt.scope"},
        {"scope", "[\"read\"]", MEREAU_E_CLAIM, "jwt.scope"},
        {"exp", "1790000290", MEREAU_OK, ""},
        {"exp", "1790000291", MEREAU_E_CLAIM, "jwt.lifetime"},
        {"sub", "\"u2\"", MEREAU_E_CLAIM, "jwt.sub"},
    };
    mru_key *key = token_key(ec_pkcs8, MEREAU_ALG_ES256);
    const struct kind *kind = kind_of(MEREAU_PROFILE_ACCESS_TOKEN);
    mereau_verifier *v = mereau_verifier_new(ISS, AUD);
    mereau_expect *e = mereau_expect_new();
    (void)state;
    mereau_verifier_add_key(v, ec_spki, strlen(ec_spki), MEREAU_ALG_ES256);
    mereau_verifier_set_max_scope(v, "read write print");
    mereau_verifier_set_max_lifetime_s(v, 300);
    mereau_verifier_set_subject(v, "u1");
    ready(v);
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++)
        answers(v, token_of(key, kind, "", cases[i].name, cases[i].value), e,
                NOW, cases[i].status, cases[i].rule);
    mereau_verifier_free(v);
    mereau_expect_free(e);
    mru_key_free(key);
}

struct look {
    int32_t answer;
    int asked;
};

static int32_t look_at(void *user, const mereau_claims *claims,
                       int64_t now_at) {
    struct look *look = user;
    look->asked++;
    assert_true(now_at == NOW);
    assert_string_equal(mereau_claims_text(claims, "sub"), "u1");
    return look->answer;
}

static void the_host_has_the_last_word(void **state) {
    mru_key *key = token_key(ec_pkcs8, MEREAU_ALG_ES256);
    const struct kind *kind = kind_of(MEREAU_PROFILE_ACCESS_TOKEN);
    struct look look = {0, 0};
    mereau_error err = MEREAU_ERROR_INIT;
    mereau_verifier *v =
        verifier_for(MEREAU_PROFILE_ACCESS_TOKEN, MEREAU_ALG_ES256, ec_spki);
    mereau_expect *e = mereau_expect_new();
    (void)state;
    mereau_verifier_set_check(v, look_at, &look);
    ready(v);
    answers(v, token_of(key, kind, "", NULL, NULL), e, NOW, MEREAU_OK, "");
    /* Not asked about what is refused anyhow. */
    answers(v, token_of(key, kind, "", "exp", "1"), e, NOW, MEREAU_E_EXPIRED,
            "jwt.exp");
    assert_int_equal(look.asked, 1);
    look.answer = 77;
    char *token = token_of(key, kind, "", NULL, NULL);
    assert_int_equal(
        mereau_jwt_verify(v, NULL, token, strlen(token), NOW, &err),
        MEREAU_E_CLAIM);
    assert_string_equal(err.rule, "jwt.check");
    assert_int_equal(err.host_code, 77);
    free(token);
    mereau_verifier_free(v);
    mereau_expect_free(e);
    mru_key_free(key);
}

static void refusals_tell_no_secret(void **state) {
    mru_key *key = token_key(ec_pkcs8, MEREAU_ALG_ES256);
    mereau_verifier *v =
        ready(verifier_for(MEREAU_PROFILE_ID_TOKEN, MEREAU_ALG_ES256, ec_spki));
    static const struct {
        int32_t what;
        const char *value;
    } cases[] = {{MEREAU_EXPECT_NONCE, "sesame-1"},
                 {MEREAU_EXPECT_ACCESS_TOKEN, "sesame-2"},
                 {MEREAU_EXPECT_CODE, "sesame-3"},
                 {MEREAU_EXPECT_SUBJECT, "sesame-4"}};
    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        mereau_error err = MEREAU_ERROR_INIT;
        mereau_expect *e = mereau_expect_new();
        char *token =
            token_of(key, kind_of(MEREAU_PROFILE_ID_TOKEN), "", NULL, NULL);
        mereau_expect_set(e, cases[i].what, cases[i].value);
        assert_int_equal(mereau_jwt_verify_expecting(
                             v, NULL, token, strlen(token), e, NOW, &err),
                         MEREAU_E_CLAIM);
        assert_null(strstr(err.text, "sesame"));
        assert_null(strstr(err.text, NONCE));
        assert_null(strstr(err.text, AT_HASH));
        assert_null(strstr(err.text, "u1"));
        free(token);
        mereau_expect_free(e);
    }
    mereau_verifier_free(v);
    mru_key_free(key);
}

/* --- setting up --- */

static void wrong(mereau_verifier *v, mereau_status status, const char *rule) {
    mereau_error err = MEREAU_ERROR_INIT;
    if (mereau_verifier_ready(v, &err) != status || strcmp(err.rule, rule) != 0)
        fail_msg("%s, not %d %s", err.text, status, rule);
    mereau_verifier_free(v);
}

static mereau_verifier *access_verifier(void) {
    return verifier_for(MEREAU_PROFILE_ACCESS_TOKEN, MEREAU_ALG_ES256, ec_spki);
}

static void mistakes_of_setting_up_are_told_by_ready(void **state) {
    mereau_verifier *v;
    char scope[2 * 65 + 1];
    (void)state;
    wrong(mereau_verifier_new_for(0, ISS, AUD), MEREAU_E_ARG,
          "verifier.profile");
    wrong(mereau_verifier_new_for(8, ISS, AUD), MEREAU_E_ARG,
          "verifier.profile");
    wrong(mereau_verifier_new_for(MEREAU_PROFILE_SSO, NULL, AUD), MEREAU_E_ARG,
          "verifier.issuer");
    wrong(mereau_verifier_new_for(MEREAU_PROFILE_DPOP, ISS, NULL), MEREAU_E_ARG,
          "verifier.issuer");
    v = mereau_verifier_new_for(MEREAU_PROFILE_DPOP, NULL, NULL);
    mereau_verifier_add_key(v, ec_spki, strlen(ec_spki), MEREAU_ALG_ES256);
    wrong(v, MEREAU_E_ARG, "verifier.keys");
    v = mereau_verifier_new_for(MEREAU_PROFILE_DPOP, NULL, NULL);
    mereau_verifier_set_cache_bytes(v, 1 << 20);
    wrong(v, MEREAU_E_ARG, "verifier.cache");
    mereau_verifier_accept_any_subject(v = access_verifier());
    wrong(v, MEREAU_E_ARG, "verifier.subject");
    mereau_verifier_accept_audience_list(v = access_verifier());
    wrong(v, MEREAU_E_ARG, "verifier.audience");
    mereau_verifier_set_max_lifetime_s(v = access_verifier(), 0);
    wrong(v, MEREAU_E_ARG, "verifier.max_lifetime");
    mereau_verifier_set_cache_bytes(v = access_verifier(), 16383);
    wrong(v, MEREAU_E_ARG, "verifier.cache");
    mereau_verifier_set_subject(v = access_verifier(), "");
    wrong(v, MEREAU_E_ARG, "verifier.subject");
    mereau_verifier_set_max_scope(v = access_verifier(), NULL);
    wrong(v, MEREAU_E_ARG, "verifier.scope");
    for (size_t i = 0; i < 65; i++)
        memcpy(scope + 2 * i, "a ", 2);
    scope[130] = '\0';
    mereau_verifier_set_max_scope(v = access_verifier(), scope);
    wrong(v, MEREAU_E_TOO_LONG, "verifier.scope");
    scope[128] = '\0';
    mereau_verifier_set_max_scope(v = access_verifier(), scope);
    mereau_verifier_free(ready(v));
}

static void access_tokens_verifier_follows_its_type(void **state) {
    mru_key *key = token_key(ec_pkcs8, MEREAU_ALG_ES256);
    const struct kind *plain = kind_of(MEREAU_PROFILE_JWT);
    mereau_expect *e = mereau_expect_new();
    mereau_verifier *v = access_verifier();
    (void)state;
    mereau_verifier_set_type(v, "JWT");
    ready(v);
    answers(v, token_of(key, plain, "", NULL, NULL), e, NOW, MEREAU_OK, "");
    mereau_verifier_free(v);
    v = verifier_for(MEREAU_PROFILE_JWT, MEREAU_ALG_ES256, ec_spki);
    mereau_verifier_set_type(v, "application/at+jwt");
    ready(v);
    answers(v, token_of(key, plain, "at+jwt", NULL, NULL), e, NOW,
            MEREAU_E_CLAIM, "jwt.client_id");
    mereau_verifier_free(v);
    mereau_expect_free(e);
    mru_key_free(key);
}

/* --- memory --- */

static int32_t accept(void *user, const mereau_claims *claims, int64_t now_at) {
    (void)user;
    (void)claims;
    (void)now_at;
    return 0;
}

/* All of what a client does with an ID token. */
static mereau_status life(const char *token) {
    mereau_error err = MEREAU_ERROR_INIT;
    double number = 0;
    size_t len = 0;
    mereau_claims *c = mereau_claims_new();
    mereau_expect *e = mereau_expect_new();
    mereau_verifier *v =
        mereau_verifier_new_for(MEREAU_PROFILE_ID_TOKEN, ISS, AUD);
    mereau_verifier_add_key(v, ec_spki, strlen(ec_spki), MEREAU_ALG_ES256);
    mereau_verifier_accept_any_type(v);
    mereau_verifier_set_subject(v, "u1");
    mereau_verifier_set_max_lifetime_s(v, 900);
    mereau_verifier_set_max_scope(v, "read");
    mereau_verifier_set_check(v, accept, NULL);
    mereau_verifier_set_cache_bytes(v, 16384);
    mereau_expect_set(e, MEREAU_EXPECT_NONCE, NONCE);
    mereau_expect_reset(e);
    mereau_expect_set(e, MEREAU_EXPECT_NONCE, NONCE);
    mereau_expect_set(e, MEREAU_EXPECT_ACCESS_TOKEN, ACCESS_TOKEN);
    mereau_expect_set_int(e, MEREAU_EXPECT_MAX_AUTH_AGE_S, 100);
    mereau_status status = mereau_verifier_ready(v, &err);
    for (int i = 0; i < 2 && status == MEREAU_OK; i++)
        status = mereau_jwt_verify_expecting(v, c, token, strlen(token), e, NOW,
                                             &err);
    (void)mereau_verifier_cache_count(v, MEREAU_CACHE_HITS);
    (void)mereau_claims_kind(c, "sub");
    (void)mereau_claims_number(c, "exp", &number);
    (void)mereau_claims_bool(c, "exp");
    (void)mereau_claims_count(c, "/aud");
    (void)mereau_claims_raw(c, "aud", &len);
    (void)mereau_claims_thumbprint(c);
    mereau_verifier_free(v);
    mereau_expect_free(e);
    mereau_claims_free(c);
    return status;
}

static void a_lack_of_memory_at_any_point_is_told(void **state) {
    mru_key *key = token_key(ec_pkcs8, MEREAU_ALG_ES256);
    char *token =
        token_of(key, kind_of(MEREAU_PROFILE_ID_TOKEN), "", NULL, NULL);
    (void)state;
    if (!test_alloc_available())
        skip();
    assert_int_equal(life(token), MEREAU_OK);
    unsigned long before = test_alloc_count();
    assert_int_equal(life(token), MEREAU_OK);
    unsigned long total = test_alloc_count() - before;
    long live = test_alloc_live();
    for (unsigned long n = 1; n <= total;
         n += n < 150 || n + 100 > total ? 1 : 61) {
        test_alloc_fail_at(n);
        mereau_status status = life(token);
        test_alloc_fail_at(0);
        if (!test_alloc_told(status) && status != MEREAU_OK)
            fail_msg("allocation %lu of %lu: %d", n, total, status);
        assert_int_equal(test_alloc_live(), live);
    }
    free(token);
    mru_key_free(key);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(no_kind_of_token_is_taken_for_another),
        cmocka_unit_test(typ_is_that_of_the_profile),
        cmocka_unit_test(kinds_that_share_a_typ_are_told_apart_by_claims),
        cmocka_unit_test(any_type_is_accepted_when_it_is_said_so),
        cmocka_unit_test(each_kind_must_say_what_its_document_asks_for),
        cmocka_unit_test(logout_tokens_say_that_they_are),
        cmocka_unit_test(assertions_are_of_the_client_for_one_server),
        cmocka_unit_test(sso_tokens_live_five_minutes),
        cmocka_unit_test(id_tokens_name_the_client_as_azp),
        cmocka_unit_test(the_subject_of_an_id_token_is_bounded),
        cmocka_unit_test(an_id_token_is_as_the_request_expects),
        cmocka_unit_test(at_hash_follows_the_algorithm_of_the_signature),
        cmocka_unit_test(the_time_of_the_login_has_a_greatest_age),
        cmocka_unit_test(expectations_are_forgotten_by_a_reset),
        cmocka_unit_test(scope_lifetime_and_subject_have_a_most),
        cmocka_unit_test(the_host_has_the_last_word),
        cmocka_unit_test(refusals_tell_no_secret),
        cmocka_unit_test(mistakes_of_setting_up_are_told_by_ready),
        cmocka_unit_test(access_tokens_verifier_follows_its_type),
        cmocka_unit_test(a_lack_of_memory_at_any_point_is_told),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
