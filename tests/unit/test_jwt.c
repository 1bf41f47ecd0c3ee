/* tests/unit/test_jwt.c - verifiers and claims (mereau/jwt.h, lib/jose): what is
 * accepted, what is refused by which rule, keys that change meanwhile. The large
 * sets of hostile tokens are in tests/vectors. */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>

#include <mereau/mereau.h>

#include "jose/verifier.h"
#include "alloc.h"
#include "key_texts.h"

#define ISSUER "https://as.example"
#define AUDIENCE "https://rs.example"
enum { NOW = 1790000000 };

static const uint8_t secret[32] = "this secret is thirty-two bytes";

static int draw(void *arg, uint8_t *out, size_t len) {
    (void)arg;
    for (size_t i = 0; i < len; i++)
        out[i] = (uint8_t)(i * 7 + 1);
    return 0;
}

/* --- making tokens --- */

/* A good payload with one member replaced, added, or (value NULL) left out. */
static void payload_with(char *out, size_t cap, const char *name,
                         const char *value) {
    static const struct {
        const char *name, *value;
    } members[] = {{"iss", "\"" ISSUER "\""}, {"aud", "\"" AUDIENCE "\""},
                   {"sub", "\"user 1\""},     {"client_id", "\"app 1\""},
                   {"jti", "\"j-1\""},        {"iat", "1789999990"},
                   {"exp", "1790000300"},     {"scope", "\"print scan\""}};
    size_t at = 0;
    int done = name == NULL;
    out[at++] = '{';
    for (size_t i = 0; i < sizeof members / sizeof members[0]; i++) {
        const char *text = members[i].value;
        if (name && strcmp(name, members[i].name) == 0) {
            text = value;
            done = 1;
        }
        if (text)
            at += (size_t)snprintf(out + at, cap - at, "%s\"%s\":%s",
                                   at > 1 ? "," : "", members[i].name, text);
    }
    if (!done && value)
        at += (size_t)snprintf(out + at, cap - at, ",\"%s\":%s", name, value);
    snprintf(out + at, cap - at, "}");
}

static mru_key *signing_key(const char *kid) {
    mereau_error err = MEREAU_ERROR_INIT;
    mru_key *key = NULL;
    assert_int_equal(mru_key_from_secret(&key, secret, sizeof secret,
                                         MEREAU_ALG_HS256, &err),
                     MEREAU_OK);
    if (kid)
        mru_key_set_kid(key, kid, strlen(kid));
    return key;
}

static mru_key *pem_key(const char *pem, int32_t alg, const char *kid) {
    mereau_error err = MEREAU_ERROR_INIT;
    mru_key *key = NULL;
    assert_int_equal(mru_key_from_pem(&key, pem, strlen(pem), alg, 0, &err),
                     MEREAU_OK);
    if (kid)
        mru_key_set_kid(key, kid, strlen(kid));
    return key;
}

/* A token signed by a key, to be freed. */
static char *signed_by(const mru_key *key, const char *typ, const char *kid,
                       const char *payload) {
    struct mru_buf out = {0};
    uint8_t sig[MRU_MAX_SIG];
    size_t len = 0;
    assert_int_equal(mru_jws_begin(&out, mru_key_alg(key), typ, kid, payload,
                                   strlen(payload)),
                     0);
    assert_int_equal(
        mru_key_sign(key, draw, NULL, out.data, out.len, sig, &len), MEREAU_OK);
    assert_int_equal(mru_jws_finish(&out, sig, len), 0);
    return (char *)out.data;
}

/* A token under the secret, with any header. */
static char *with_header(const char *header, const char *payload) {
    struct mru_buf out = {0};
    uint8_t mac[32];
    mru_buf_add_b64(&out, (const uint8_t *)header, strlen(header));
    mru_buf_add_byte(&out, '.');
    mru_buf_add_b64(&out, (const uint8_t *)payload, strlen(payload));
    mereau_slice part = {out.data, out.len};
    assert_int_equal(mru_hmac(MRU_SHA256, secret, sizeof secret, &part, 1, mac),
                     0);
    assert_int_equal(mru_jws_finish(&out, mac, sizeof mac), 0);
    return (char *)out.data;
}

static char *token_with(const char *name, const char *value) {
    char payload[4096];
    payload_with(payload, sizeof payload, name, value);
    return with_header("{\"alg\":\"HS256\",\"typ\":\"at+jwt\"}", payload);
}

static mereau_verifier *new_verifier(void) {
    mereau_verifier *v = mereau_verifier_new(ISSUER, AUDIENCE);
    mereau_verifier_add_secret(v, secret, sizeof secret, MEREAU_ALG_HS256);
    return v;
}

static mereau_verifier *ready(mereau_verifier *v) {
    mereau_error err = MEREAU_ERROR_INIT;
    if (mereau_verifier_ready(v, &err) != MEREAU_OK)
        fail_msg("%s", err.text);
    return v;
}

static void answers(const mereau_verifier *v, char *token, int64_t now_at,
                    mereau_status status, const char *rule) {
    mereau_error err = MEREAU_ERROR_INIT;
    mereau_claims *claims = mereau_claims_new();
    mereau_status got =
        mereau_jwt_verify(v, claims, token, strlen(token), now_at, &err);
    if (got != status || strcmp(err.rule, rule) != 0)
        fail_msg("%d %s, not %d %s", got, err.text, status, rule);
    /* Nothing of a refused token can be read. */
    size_t len = 9;
    const char *json = mereau_claims_json(claims, &len);
    if (status == MEREAU_OK) {
        assert_true(len > 0);
    } else {
        assert_string_equal(json, "");
        assert_int_equal(len, 0);
        assert_null(mereau_claims_text(claims, "iss"));
    }
    mereau_claims_free(claims);
    free(token);
}

/* --- what a good token says --- */

static void a_good_token_can_be_read(void **state) {
    mereau_error err = MEREAU_ERROR_INIT;
    mereau_verifier *v = ready(new_verifier());
    mereau_claims *claims = mereau_claims_new();
    char *token = token_with(
        "more", "[\"a\\u00e9\",7,\"b\\\"c\",\"\"],\"n\":-12,\"f\":1.5,\"big\":"
                "9007199254740993,\"na\\u006de\":\"x\\ty\",\"o\":{\"iss\":1}");
    size_t len = 0;
    (void)state;
    assert_int_equal(
        mereau_jwt_verify(v, claims, token, strlen(token), NOW, &err),
        MEREAU_OK);
    assert_int_equal(err.status, MEREAU_OK);
    assert_string_equal(err.text, "");
    assert_string_equal(mereau_claims_text(claims, "sub"), "user 1");
    assert_string_equal(mereau_claims_text(claims, "name"), "x\ty");
    assert_null(mereau_claims_text(claims, "SUB"));
    assert_null(mereau_claims_text(claims, "exp"));
    assert_null(mereau_claims_text(claims, "more"));
    assert_null(mereau_claims_text(claims, NULL));
    assert_true(mereau_claims_int(claims, "exp") == 1790000300);
    assert_true(mereau_claims_int(claims, "n") == -12);
    assert_true(mereau_claims_int(claims, "big") == 9007199254740993);
    assert_true(mereau_claims_int(claims, "f") == MEREAU_UNSET);
    assert_true(mereau_claims_int(claims, "sub") == MEREAU_UNSET);
    assert_true(mereau_claims_int(claims, "absent") == MEREAU_UNSET);
    assert_string_equal(mereau_claims_text_at(claims, "more", 0), "a\xC3\xA9");
    assert_string_equal(mereau_claims_text_at(claims, "more", 1), "b\"c");
    assert_string_equal(mereau_claims_text_at(claims, "more", 2), "");
    assert_null(mereau_claims_text_at(claims, "more", 3));
    assert_string_equal(mereau_claims_text_at(claims, "aud", 0), AUDIENCE);
    assert_null(mereau_claims_text_at(claims, "aud", 1));
    assert_int_equal(mereau_claims_has_scope(claims, "scan"), 1);
    assert_int_equal(mereau_claims_has_scope(claims, "print"), 1);
    assert_int_equal(mereau_claims_has_scope(claims, "sca"), 0);
    assert_int_equal(mereau_claims_has_scope(claims, "print scan"), 0);
    assert_int_equal(mereau_claims_has_scope(claims, ""), 0);
    assert_int_equal(mereau_claims_has_scope(claims, NULL), 0);
    const char *json = mereau_claims_json(claims, &len);
    assert_int_equal(strlen(json), len);
    assert_int_equal(json[0], '{');
    assert_int_equal(json[len - 1], '}');
    free(token);
    mereau_claims_free(claims);
    mereau_verifier_free(v);
}

static void nothing_is_read_from_no_claims(void **state) {
    size_t len = 9;
    mereau_claims *claims = mereau_claims_new();
    (void)state;
    const mereau_claims *empty[] = {NULL, claims};
    for (size_t i = 0; i < 2; i++) {
        assert_null(mereau_claims_text(empty[i], "iss"));
        assert_null(mereau_claims_text_at(empty[i], "iss", 0));
        assert_true(mereau_claims_int(empty[i], "exp") == MEREAU_UNSET);
        assert_int_equal(mereau_claims_has_scope(empty[i], "x"), 0);
        assert_string_equal(mereau_claims_json(empty[i], &len), "");
        assert_int_equal(len, 0);
        assert_string_equal(mereau_claims_json(empty[i], NULL), "");
    }
    mereau_claims_free(claims);
    mereau_claims_free(NULL);
}

/* --- claims --- */

static void each_claim_is_refused_by_its_own_rule(void **state) {
    static const struct {
        const char *name, *value;
        mereau_status status;
        const char *rule;
    } cases[] = {
        {"iss", NULL, MEREAU_E_ISSUER, "jwt.iss"},
        {"iss", "\"https://as.example/\"", MEREAU_E_ISSUER, "jwt.iss"},
        {"iss", "[\"" ISSUER "\"]", MEREAU_E_ISSUER, "jwt.iss"},
        {"aud", NULL, MEREAU_E_AUDIENCE, "jwt.aud"},
        {"aud", "\"https://other.example\"", MEREAU_E_AUDIENCE, "jwt.aud"},
        {"aud", "[]", MEREAU_E_AUDIENCE, "jwt.aud"},
        {"aud", "[\"x\",\"y\"]", MEREAU_E_AUDIENCE, "jwt.aud"},
        {"aud", "[\"" AUDIENCE "\",1]", MEREAU_E_AUDIENCE, "jwt.aud"},
        {"aud", "{\"a\":\"" AUDIENCE "\"}", MEREAU_E_AUDIENCE, "jwt.aud"},
        {"aud", "[\"x\",\"" AUDIENCE "\"]", MEREAU_OK, ""},
        {"exp", NULL, MEREAU_E_CLAIM, "jwt.exp"},
        {"exp", "\"1790000300\"", MEREAU_E_MALFORMED, "jwt.exp"},
        {"exp", "null", MEREAU_E_MALFORMED, "jwt.exp"},
        {"exp", "1e300", MEREAU_E_MALFORMED, "jwt.exp"},
        {"exp", "-1", MEREAU_E_EXPIRED, "jwt.exp"},
        {"exp", "1789999989", MEREAU_E_EXPIRED, "jwt.exp"},
        {"nbf", "1790000001", MEREAU_E_NOT_YET, "jwt.nbf"},
        {"nbf", "true", MEREAU_E_MALFORMED, "jwt.nbf"},
        {"nbf", "1790000000", MEREAU_OK, ""},
        {"iat", NULL, MEREAU_E_CLAIM, "jwt.iat"},
        {"iat", "\"1\"", MEREAU_E_MALFORMED, "jwt.iat"},
        {"sub", NULL, MEREAU_E_CLAIM, "jwt.sub"},
        {"sub", "null", MEREAU_E_CLAIM, "jwt.sub"},
        {"sub", "\"\"", MEREAU_E_CLAIM, "jwt.sub"},
        {"sub", "7", MEREAU_E_CLAIM, "jwt.sub"},
        {"client_id", NULL, MEREAU_E_CLAIM, "jwt.client_id"},
        {"client_id", "\"\"", MEREAU_E_CLAIM, "jwt.client_id"},
        {"jti", NULL, MEREAU_E_CLAIM, "jwt.jti"},
        {"jti", "1", MEREAU_E_CLAIM, "jwt.jti"},
        {"cnf", "{\"jkt\":\"0ZcOCORZNYy-DWpqq30jZyJGHTN0d2HglBV3uiguA4I\"}",
         MEREAU_E_CLAIM, "jwt.cnf"},
        {"scope", NULL, MEREAU_OK, ""},
    };
    mereau_verifier *v = ready(new_verifier());
    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++)
        answers(v, token_with(cases[i].name, cases[i].value), NOW,
                cases[i].status, cases[i].rule);
    mereau_verifier_free(v);
}

static void bound_answers(const char *cnf, const char *jkt,
                          mereau_status status) {
    mereau_verifier *v = ready(new_verifier());
    mereau_error err = MEREAU_ERROR_INIT;
    char *token = token_with("cnf", cnf);
    assert_int_equal(
        mereau_jwt_verify_bound(v, NULL, token, strlen(token), jkt, NOW, &err),
        status);
    if (status != MEREAU_OK)
        assert_string_equal(err.rule, "jwt.cnf");
    free(token);
    mereau_verifier_free(v);
}

#define JKT "0ZcOCORZNYy-DWpqq30jZyJGHTN0d2HglBV3uiguA4I"
static void a_bound_token_needs_proof_of_its_own_key(void **state) {
    static const char other[] = "1ZcOCORZNYy-DWpqq30jZyJGHTN0d2HglBV3uiguA4I";
    (void)state;
    bound_answers("{\"jkt\":\"" JKT "\"}", JKT, MEREAU_OK);
    bound_answers("{\"jkt\":\"" JKT "\"}", other, MEREAU_E_DEVICE);
    bound_answers("{\"jkt\":\"" JKT "\",\"kid\":\"1\"}", JKT, MEREAU_E_DEVICE);
    bound_answers("{}", JKT, MEREAU_E_DEVICE);
    bound_answers("\"" JKT "\"", JKT, MEREAU_E_DEVICE);
    bound_answers(NULL, JKT, MEREAU_E_DEVICE);
    bound_answers("{\"jkt\":\"" JKT "\"}", NULL, MEREAU_E_ARG);
    bound_answers("{\"jkt\":\"" JKT "\"}", "", MEREAU_E_ARG);
}

/* One token at the clock's edges: the first second at which it is good, and the
 * last. */
static void good_from_to(const mereau_verifier *v, const char *name,
                         const char *value, int64_t first, int64_t last,
                         mereau_status before, mereau_status after) {
    mereau_error err = MEREAU_ERROR_INIT;
    char *token = token_with(name, value);
    size_t len = strlen(token);
    if (before != MEREAU_OK)
        assert_int_equal(
            mereau_jwt_verify(v, NULL, token, len, first - 1, &err), before);
    assert_int_equal(mereau_jwt_verify(v, NULL, token, len, first, &err),
                     MEREAU_OK);
    assert_int_equal(mereau_jwt_verify(v, NULL, token, len, last, &err),
                     MEREAU_OK);
    if (after != MEREAU_OK)
        assert_int_equal(mereau_jwt_verify(v, NULL, token, len, last + 1, &err),
                         after);
    free(token);
}

static void times_are_exact_to_the_second(void **state) {
    mereau_verifier *v = ready(new_verifier());
    (void)state;
    good_from_to(v, "exp", "1790000300", NOW, 1790000299, 0, MEREAU_E_EXPIRED);
    good_from_to(v, "exp", "1790000300.0", NOW, 1790000299, 0,
                 MEREAU_E_EXPIRED);
    good_from_to(v, "exp", "1790000300.5", NOW, 1790000300, 0,
                 MEREAU_E_EXPIRED);
    good_from_to(v, "exp", "179000030e1", NOW, 1790000299, 0, MEREAU_E_EXPIRED);
    good_from_to(v, "nbf", "1790000100", 1790000100, 1790000299,
                 MEREAU_E_NOT_YET, MEREAU_E_EXPIRED);
    good_from_to(v, "nbf", "1790000099.5", 1790000100, 1790000299,
                 MEREAU_E_NOT_YET, MEREAU_E_EXPIRED);
    good_from_to(v, "iat", "1790000100", 1790000040, 1790000299,
                 MEREAU_E_NOT_YET, MEREAU_E_EXPIRED);
    good_from_to(v, "iat", "1790000100.5", 1790000041, 1790000299,
                 MEREAU_E_NOT_YET, MEREAU_E_EXPIRED);
    /* Beyond 2106, where 32 bits end. */
    good_from_to(v, "exp", "9000000000", NOW, 8999999999, 0, MEREAU_E_EXPIRED);
    good_from_to(v, "exp", "9223372036854775807", NOW, INT64_MAX - 1, 0,
                 MEREAU_E_EXPIRED);
    mereau_verifier_free(v);
}

static void skew_is_forgiven_at_exp_and_nbf_but_not_at_iat(void **state) {
    mereau_verifier *v = new_verifier();
    mereau_verifier_set_skew_s(v, MEREAU_MAX_SKEW_S);
    ready(v);
    (void)state;
    good_from_to(v, "exp", "1790000300", NOW, 1790000899, 0, MEREAU_E_EXPIRED);
    good_from_to(v, "exp", "1790000300.1", NOW, 1790000900, 0,
                 MEREAU_E_EXPIRED);
    good_from_to(v, "nbf", "1790000700", 1790000100, 1790000899,
                 MEREAU_E_NOT_YET, MEREAU_E_EXPIRED);
    /* An iat ahead is allowed up to a constant, with and without a skew. */
    good_from_to(v, "iat", "1790000100", 1790000040, 1790000899,
                 MEREAU_E_NOT_YET, MEREAU_E_EXPIRED);
    mereau_verifier_free(v);
}

static void a_maximal_age_counts_from_iat(void **state) {
    mereau_verifier *v = new_verifier();
    mereau_verifier_set_max_age_s(v, 100);
    ready(v);
    (void)state;
    good_from_to(v, "iat", "1789999990", NOW, 1790000090, 0, MEREAU_E_EXPIRED);
    answers(v, token_with("iat", "1789999990"), 1790000091, MEREAU_E_EXPIRED,
            "jwt.max_age");
    mereau_verifier_free(v);
    v = new_verifier();
    mereau_verifier_set_type(v, "JWT");
    mereau_verifier_set_max_age_s(v, 100);
    ready(v);
    char payload[1024];
    payload_with(payload, sizeof payload, "iat", NULL);
    answers(v, with_header("{\"alg\":\"HS256\",\"typ\":\"JWT\"}", payload), NOW,
            MEREAU_E_CLAIM, "jwt.iat");
    mereau_verifier_free(v);
}

static void an_exp_before_iat_is_no_lifetime(void **state) {
    mereau_verifier *v = ready(new_verifier());
    (void)state;
    answers(v, token_with("iat", "1790000060"), NOW, MEREAU_OK, "");
    char payload[1024];
    payload_with(payload, sizeof payload, "exp", "1790000010,\"x\":1");
    char *at = strstr(payload, "1789999990");
    memcpy(at, "1790000011", 10);
    answers(v, with_header("{\"alg\":\"HS256\",\"typ\":\"at+jwt\"}", payload),
            NOW, MEREAU_E_CLAIM, "jwt.exp");
    mereau_verifier_free(v);
}

static void claims_of_ones_own_are_required(void **state) {
    mereau_verifier *v = new_verifier();
    mereau_verifier_add_claim(v, "acr", NULL);
    mereau_verifier_add_claim(v, "roles", "printer");
    ready(v);
    (void)state;
    answers(v, token_with(NULL, NULL), NOW, MEREAU_E_CLAIM, "jwt.claim");
    answers(v, token_with("acr", "1"), NOW, MEREAU_E_CLAIM, "jwt.claim");
    answers(v, token_with("acr", "1,\"roles\":\"printer\""), NOW, MEREAU_OK,
            "");
    answers(v, token_with("acr", "1,\"roles\":[7,\"printer\"]"), NOW, MEREAU_OK,
            "");
    answers(v, token_with("acr", "1,\"roles\":[\"printers\"]"), NOW,
            MEREAU_E_CLAIM, "jwt.claim");
    answers(v, token_with("acr", "null,\"roles\":{\"printer\":1}"), NOW,
            MEREAU_E_CLAIM, "jwt.claim");
    mereau_verifier_free(v);
}

static void audiences_can_be_several_or_any(void **state) {
    mereau_verifier *v = new_verifier();
    mereau_verifier_add_audience(v, "https://second.example");
    ready(v);
    (void)state;
    answers(v, token_with("aud", "\"https://second.example\""), NOW, MEREAU_OK,
            "");
    answers(v, token_with(NULL, NULL), NOW, MEREAU_OK, "");
    answers(v, token_with("aud", "\"https://third.example\""), NOW,
            MEREAU_E_AUDIENCE, "jwt.aud");
    mereau_verifier_free(v);
    v = new_verifier();
    mereau_verifier_accept_any_audience(v);
    ready(v);
    answers(v, token_with("aud", "\"https://third.example\""), NOW, MEREAU_OK,
            "");
    answers(v, token_with("aud", NULL), NOW, MEREAU_OK, "");
    answers(v, token_with("aud", "7"), NOW, MEREAU_E_AUDIENCE, "jwt.aud");
    mereau_verifier_free(v);
}

/* --- header --- */

static void the_type_is_compared_as_a_media_type(void **state) {
    static const struct {
        const char *wanted, *typ;
        int good;
    } cases[] = {
        {NULL, "\"at+jwt\"", 1},
        {NULL, "\"AT+JWT\"", 1},
        {NULL, "\"application/at+jwt\"", 1},
        {NULL, "\"Application/At+Jwt\"", 1},
        {NULL, "\"application/application/at+jwt\"", 0},
        {NULL, "\"JWT\"", 0},
        {NULL, "\"at+jwt \"", 0},
        {NULL, "\"application/\"", 0},
        {NULL, "\"\"", 0},
        {"JWT", "\"JWT\"", 1},
        {"JWT", "\"jwt\"", 1},
        {"JWT", "\"at+jwt\"", 0},
        {"application/secevent+jwt", "\"secevent+jwt\"", 1},
    };
    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        char header[128], payload[1024];
        mereau_verifier *v = new_verifier();
        if (cases[i].wanted)
            mereau_verifier_set_type(v, cases[i].wanted);
        ready(v);
        snprintf(header, sizeof header, "{\"alg\":\"HS256\",\"typ\":%s}",
                 cases[i].typ);
        payload_with(payload, sizeof payload, NULL, NULL);
        answers(v, with_header(header, payload), NOW,
                cases[i].good ? MEREAU_OK : MEREAU_E_KIND,
                cases[i].good ? "" : "jwt.typ");
        mereau_verifier_free(v);
    }
}

static void headers_are_refused_by_name(void **state) {
    static const struct {
        const char *header;
        mereau_status status;
        const char *rule;
    } cases[] = {
        {"{\"typ\":\"at+jwt\"}", MEREAU_E_MALFORMED, "jwt.alg"},
        {"{\"alg\":\"none\",\"typ\":\"at+jwt\"}", MEREAU_E_ALG, "jwt.alg"},
        {"{\"alg\":\"HS512\",\"typ\":\"at+jwt\"}", MEREAU_E_ALG, "jwt.alg"},
        {"{\"alg\":\"HS256\"}", MEREAU_E_KIND, "jwt.typ"},
        {"{\"alg\":\"HS256\",\"typ\":1}", MEREAU_E_MALFORMED, "jwt.typ"},
        {"{\"alg\":\"HS256\",\"typ\":\"at+jwt\",\"crit\":[\"exp\"]}",
         MEREAU_E_MALFORMED, "jwt.crit"},
        {"{\"alg\":\"HS256\",\"typ\":\"at+jwt\",\"b64\":true}",
         MEREAU_E_MALFORMED, "jwt.b64"},
        {"{\"alg\":\"HS256\",\"typ\":\"at+jwt\",\"zip\":\"DEF\"}",
         MEREAU_E_MALFORMED, "jwt.zip"},
        {"{\"alg\":\"HS256\",\"typ\":\"at+jwt\",\"kid\":1}", MEREAU_E_MALFORMED,
         "jwt.kid"},
        {"{\"alg\":\"HS256\",\"typ\":\"at+jwt\",\"kid\":\"\"}",
         MEREAU_E_KEY_UNKNOWN, "jwt.kid"},
        {"[]", MEREAU_E_MALFORMED, "jwt.header"},
        {"{\"alg\":\"HS256\",\"typ\":\"at+jwt\",\"jku\":\"https://x.example\","
         "\"jwk\":{},\"x5u\":\"file:///\",\"x5c\":[]}",
         MEREAU_OK, ""},
    };
    mereau_verifier *v = ready(new_verifier());
    char payload[1024];
    (void)state;
    payload_with(payload, sizeof payload, NULL, NULL);
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++)
        answers(v, with_header(cases[i].header, payload), NOW, cases[i].status,
                cases[i].rule);
    mereau_verifier_free(v);
}

static void the_signature_is_checked_before_any_claim(void **state) {
    mereau_verifier *v = ready(new_verifier());
    char *token = token_with("exp", "1");
    (void)state;
    token[strlen(token) - 5] ^= 1;
    answers(v, token, NOW, MEREAU_E_SIGNATURE, "jwt.signature");
    token = with_header("{\"alg\":\"HS256\",\"typ\":\"at+jwt\"}", "no JSON");
    token[strlen(token) - 5] ^= 1;
    answers(v, token, NOW, MEREAU_E_SIGNATURE, "jwt.signature");
    mereau_verifier_free(v);
}

/* --- what an error tells, and what it must not --- */

static void a_refusal_says_what_was_wanted(void **state) {
    mereau_error err = MEREAU_ERROR_INIT;
    mereau_verifier *v = ready(new_verifier());
    char *token = token_with("exp", "1790000300");
    (void)state;
    assert_int_equal(
        mereau_jwt_verify(v, NULL, token, strlen(token), 1790000300, &err),
        MEREAU_E_EXPIRED);
    assert_string_equal(err.rule, "jwt.exp");
    assert_string_equal(err.source, "RFC 7519 4.1.4");
    assert_string_equal(err.wanted, "used before 1790000300");
    assert_string_equal(err.found, "1790000300");
    free(token);
    token = token_with("aud", "\"https://other.example\"");
    mereau_jwt_verify(v, NULL, token, strlen(token), NOW, &err);
    assert_string_equal(err.wanted, AUDIENCE);
    assert_string_equal(err.found, "https://other.example");
    free(token);
    token = token_with("sub", "[\"secret subject\"]");
    mereau_jwt_verify(v, NULL, token, strlen(token), NOW, &err);
    assert_int_equal(err.status, MEREAU_E_CLAIM);
    assert_null(strstr(err.text, "secret"));
    free(token);
    mereau_verifier_free(v);
}

static void an_error_of_another_size_is_not_written(void **state) {
    mereau_error err = MEREAU_ERROR_INIT;
    mereau_verifier *v = ready(new_verifier());
    char *token = token_with(NULL, NULL);
    (void)state;
    err.size = 0;
    assert_int_equal(
        mereau_jwt_verify(v, NULL, token, strlen(token), NOW, &err),
        MEREAU_E_SIZE);
    assert_int_equal(mereau_jwt_verify_bearer(v, NULL, "x", 1, NOW, &err),
                     MEREAU_E_SIZE);
    assert_int_equal(err.status, 0);
    assert_int_equal(
        mereau_jwt_verify(v, NULL, token, strlen(token), NOW, NULL), MEREAU_OK);
    free(token);
    mereau_verifier_free(v);
}

/* --- the Authorization header --- */

static void only_a_bearer_header_is_read(void **state) {
    mereau_error err = MEREAU_ERROR_INIT;
    mereau_verifier *v = ready(new_verifier());
    char *token = token_with(NULL, NULL), header[2048];
    static const struct {
        const char *format;
        mereau_status status;
    } cases[] = {{"Bearer %s", MEREAU_OK},
                 {"bearer %s", MEREAU_OK},
                 {"BEARER   %s", MEREAU_OK},
                 {"Bearer%s", MEREAU_E_MALFORMED},
                 {"Bearer\t%s", MEREAU_E_MALFORMED},
                 {" Bearer %s", MEREAU_E_MALFORMED},
                 {"Bearer %s ", MEREAU_E_MALFORMED},
                 {"Bearer %s, Basic x", MEREAU_E_MALFORMED},
                 {"DPoP %s", MEREAU_E_MALFORMED},
                 {"Bearer: %s", MEREAU_E_MALFORMED},
                 {"%s", MEREAU_E_MALFORMED},
                 {"Bearer ", MEREAU_E_MALFORMED},
                 {"", MEREAU_E_MALFORMED}};
    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        header[0] = '\0';
        char *at = strstr(cases[i].format, "%s");
        size_t lead =
            at ? (size_t)(at - cases[i].format) : strlen(cases[i].format);
        memcpy(header, cases[i].format, lead);
        header[lead] = '\0';
        if (at) {
            strcat(header, token);
            strcat(header, at + 2);
        }
        assert_int_equal(mereau_jwt_verify_bearer(v, NULL, header,
                                                  strlen(header), NOW, &err),
                         cases[i].status);
        assert_int_equal(err.status, cases[i].status);
    }
    assert_int_equal(mereau_jwt_verify_bearer(v, NULL, NULL, 0, NOW, &err),
                     MEREAU_E_MALFORMED);
    assert_string_equal(err.rule, "bearer.form");
    free(token);
    mereau_verifier_free(v);
}

/* --- setting up --- */

static void mistake(void (*set)(mereau_verifier *v), mereau_status status,
                    const char *rule) {
    mereau_error err = MEREAU_ERROR_INIT;
    mereau_verifier *v = mereau_verifier_new(ISSUER, AUDIENCE);
    set(v);
    mereau_verifier_add_secret(v, secret, sizeof secret, MEREAU_ALG_HS256);
    mereau_status got = mereau_verifier_ready(v, &err);
    if (got != status || strcmp(err.rule, rule) != 0)
        fail_msg("%d %s, not %d %s", got, err.text, status, rule);
    assert_int_equal(mereau_jwt_verify(v, NULL, "", 0, NOW, &err),
                     MEREAU_E_STATE);
    mereau_verifier_free(v);
}

static void bad_skew(mereau_verifier *v) {
    mereau_verifier_set_skew_s(v, MEREAU_MAX_SKEW_S + 1);
    mereau_verifier_set_max_age_s(v, 0); /* the first mistake is kept */
}
static void negative_skew(mereau_verifier *v) {
    mereau_verifier_set_skew_s(v, -1);
}
static void bad_age(mereau_verifier *v) { mereau_verifier_set_max_age_s(v, 0); }
static void no_claim(mereau_verifier *v) {
    mereau_verifier_add_claim(v, "", "x");
}
static void no_type(mereau_verifier *v) { mereau_verifier_set_type(v, NULL); }
static void bad_alg(mereau_verifier *v) { mereau_verifier_add_alg(v, 77); }
static void add_eddsa(mereau_verifier *v) {
    mereau_verifier_add_alg(v, MEREAU_ALG_EDDSA);
}
static void short_secret(mereau_verifier *v) {
    mereau_verifier_add_secret(v, secret, 31, MEREAU_ALG_HS256);
}
static void pem_as_secret(mereau_verifier *v) {
    mereau_verifier_add_secret(v, (const uint8_t *)ec_spki, strlen(ec_spki),
                               MEREAU_ALG_HS256);
}
static void private_key(mereau_verifier *v) {
    mereau_verifier_add_key(v, ec_sec1, strlen(ec_sec1), MEREAU_ALG_ES256);
}
static void mixed_keys(mereau_verifier *v) {
    mereau_verifier_add_key(v, ec_spki, strlen(ec_spki), MEREAU_ALG_ES256);
}
static void broken_set(mereau_verifier *v) {
    mereau_verifier_set_jwks(v, "{\"keys\":", 8);
}
static void no_set(mereau_verifier *v) { mereau_verifier_set_jwks(v, "{}", 2); }

static void the_first_mistake_is_told_by_ready(void **state) {
    mereau_error err = MEREAU_ERROR_INIT;
    (void)state;
    mistake(bad_skew, MEREAU_E_ARG, "verifier.skew");
    mistake(negative_skew, MEREAU_E_ARG, "verifier.skew");
    mistake(bad_age, MEREAU_E_ARG, "verifier.max_age");
    mistake(no_claim, MEREAU_E_ARG, "verifier.claim");
    mistake(no_type, MEREAU_E_ARG, "verifier.type");
    mistake(bad_alg, MEREAU_E_ALG, "key.alg");
    if (!(mru_crypto_has() & MRU_HAS_ED25519))
        mistake(add_eddsa, MEREAU_E_ALG, "key.eddsa");
    mistake(short_secret, MEREAU_E_KEY, "key.bits");
    mistake(pem_as_secret, MEREAU_E_KEY, "key.kind");
    mistake(private_key, MEREAU_E_KEY, "key.private");
    mistake(mixed_keys, MEREAU_E_KEY, "jwks.mixed");
    mistake(broken_set, MEREAU_E_MALFORMED, "json.syntax");
    mistake(no_set, MEREAU_E_MALFORMED, "jwks.keys");
    const char *const pairs[][2] = {
        {NULL, "x"}, {"", "x"}, {"x", NULL}, {"x", ""}};
    for (size_t i = 0; i < 4; i++) {
        mereau_verifier *v = mereau_verifier_new(pairs[i][0], pairs[i][1]);
        mereau_verifier_add_secret(v, secret, sizeof secret, MEREAU_ALG_HS256);
        mereau_verifier_accept_any_audience(v);
        assert_int_equal(mereau_verifier_ready(v, &err), MEREAU_E_ARG);
        mereau_verifier_free(v);
    }
}

static void a_verifier_is_made_ready_once_and_then_closed(void **state) {
    mereau_error err = MEREAU_ERROR_INIT;
    mereau_verifier *v = mereau_verifier_new(ISSUER, AUDIENCE);
    (void)state;
    assert_int_equal(mereau_verifier_ready(v, &err), MEREAU_E_INCOMPLETE);
    mereau_verifier_add_secret(v, secret, sizeof secret, MEREAU_ALG_HS256);
    ready(v);
    assert_int_equal(mereau_verifier_ready(v, &err), MEREAU_E_STATE);
    mereau_verifier_accept_any_audience(v); /* too late */
    mereau_verifier_set_type(v, "JWT");
    answers(v, token_with("aud", "\"x\""), NOW, MEREAU_E_AUDIENCE, "jwt.aud");
    assert_int_equal(mereau_jwt_verify(v, NULL, NULL, 0, NOW, &err),
                     MEREAU_E_ARG);
    assert_int_equal(mereau_jwt_verify(v, NULL, "x", 1, MEREAU_NOW, &err),
                     MEREAU_E_ARG);
    mereau_verifier_free(v);
}

static void
every_call_takes_the_verifier_that_memory_was_lacking_for(void **state) {
    mereau_error err = MEREAU_ERROR_INIT;
    (void)state;
    mereau_verifier_set_jwks(NULL, "{}", 2);
    mereau_verifier_add_key(NULL, "x", 1, MEREAU_ALG_ES256);
    mereau_verifier_add_secret(NULL, secret, 32, MEREAU_ALG_HS256);
    mereau_verifier_add_audience(NULL, "x");
    mereau_verifier_add_alg(NULL, MEREAU_ALG_ES256);
    mereau_verifier_set_type(NULL, "x");
    mereau_verifier_add_claim(NULL, "x", NULL);
    mereau_verifier_set_skew_s(NULL, 1);
    mereau_verifier_set_max_age_s(NULL, 1);
    mereau_verifier_accept_any_audience(NULL);
    mereau_verifier_free(NULL);
    assert_int_equal(mereau_verifier_ready(NULL, &err), MEREAU_E_NOMEM);
    assert_int_equal(mereau_verifier_replace_jwks(NULL, "{}", 2, NOW, &err),
                     MEREAU_E_NOMEM);
    assert_int_equal(mereau_verifier_wants_jwks(NULL, NOW), 0);
    assert_int_equal(mereau_jwt_verify(NULL, NULL, "x", 1, NOW, &err),
                     MEREAU_E_NOMEM);
    assert_int_equal(
        mru_verifier_load(NULL, ISSUER, "{}", 2, NULL, 0, NOW, &err),
        MEREAU_E_NOMEM);
}

/* --- keys --- */

/* Two signing keys of the issuer, and sets with one or both of them. */
struct issuer {
    mru_key *a, *b; /* kids "a" and "b" */
    char *set_a, *set_b, *set_ab;
};

static char *set_of(const mru_key *one, const mru_key *two) {
    struct mru_buf out = {0};
    mru_buf_add_text(&out, "{\"keys\":[");
    assert_int_equal(mru_key_print_public(&out, one), 0);
    if (two) {
        mru_buf_add_text(&out, ",");
        assert_int_equal(mru_key_print_public(&out, two), 0);
    }
    mru_buf_add_text(&out, "]}");
    return (char *)out.data;
}

static void make_issuer(struct issuer *issuer) {
    mereau_error err = MEREAU_ERROR_INIT;
    issuer->a = pem_key(ec_pkcs8, MEREAU_ALG_ES256, "a");
    assert_int_equal(
        mru_key_generate(&issuer->b, MEREAU_ALG_ES256, draw, NULL, &err),
        MEREAU_OK);
    mru_key_set_kid(issuer->b, "b", 1);
    issuer->set_a = set_of(issuer->a, NULL);
    issuer->set_b = set_of(issuer->b, NULL);
    issuer->set_ab = set_of(issuer->a, issuer->b);
}

static void free_issuer(struct issuer *issuer) {
    mru_key_free(issuer->a);
    mru_key_free(issuer->b);
    free(issuer->set_a);
    free(issuer->set_b);
    free(issuer->set_ab);
}

static char *good_token(const mru_key *key, const char *kid) {
    char payload[1024];
    payload_with(payload, sizeof payload, NULL, NULL);
    return signed_by(key, "at+jwt", kid, payload);
}

static mereau_verifier *verifier_with(const char *jwks) {
    mereau_verifier *v = mereau_verifier_new(ISSUER, AUDIENCE);
    mereau_verifier_set_jwks(v, jwks, strlen(jwks));
    return ready(v);
}

static void a_key_is_chosen_by_kid_or_when_it_is_the_only_one(void **state) {
    struct issuer is;
    make_issuer(&is);
    mereau_verifier *one = verifier_with(is.set_a);
    mereau_verifier *both = verifier_with(is.set_ab);
    (void)state;
    answers(one, good_token(is.a, "a"), NOW, MEREAU_OK, "");
    answers(one, good_token(is.a, NULL), NOW, MEREAU_OK, "");
    answers(one, good_token(is.a, "A"), NOW, MEREAU_E_KEY_UNKNOWN, "jwt.kid");
    answers(one, good_token(is.b, "b"), NOW, MEREAU_E_KEY_UNKNOWN, "jwt.kid");
    answers(one, good_token(is.b, "a"), NOW, MEREAU_E_SIGNATURE,
            "jwt.signature");
    answers(both, good_token(is.b, "b"), NOW, MEREAU_OK, "");
    answers(both, good_token(is.b, NULL), NOW, MEREAU_E_KEY_UNKNOWN, "jwt.kid");
    mru_key *rsa = pem_key(rsa_pkcs8, MEREAU_ALG_RS256, NULL);
    answers(both, good_token(rsa, "a"), NOW, MEREAU_E_ALG, "jwt.alg");
    answers(both, good_token(rsa, NULL), NOW, MEREAU_E_ALG, "jwt.alg");
    mru_key_free(rsa);
    mereau_verifier_free(one);
    mereau_verifier_free(both);
    free_issuer(&is);
}

static void a_pem_key_serves_whatever_kid_its_issuer_chose(void **state) {
    struct issuer is;
    make_issuer(&is);
    mereau_verifier *v = mereau_verifier_new(ISSUER, AUDIENCE);
    mereau_verifier_add_key(v, ec_spki, strlen(ec_spki), MEREAU_ALG_ES256);
    ready(v);
    (void)state;
    answers(v, good_token(is.a, "whatever"), NOW, MEREAU_OK, "");
    answers(v, good_token(is.a, NULL), NOW, MEREAU_OK, "");
    answers(v, good_token(is.b, "whatever"), NOW, MEREAU_E_SIGNATURE,
            "jwt.signature");
    mereau_verifier_free(v);
    free_issuer(&is);
}

static void an_rsa_key_is_never_an_hmac_secret(void **state) {
    mereau_error err = MEREAU_ERROR_INIT;
    mereau_verifier *v = mereau_verifier_new(ISSUER, AUDIENCE);
    char payload[1024];
    mereau_verifier_add_key(v, rsa_spki, strlen(rsa_spki), MEREAU_ALG_RS256);
    mereau_verifier_add_alg(v, MEREAU_ALG_RS256);
    mereau_verifier_add_alg(v, MEREAU_ALG_HS256);
    ready(v);
    (void)state;
    payload_with(payload, sizeof payload, NULL, NULL);
    answers(v, with_header("{\"alg\":\"HS256\",\"typ\":\"at+jwt\"}", payload),
            NOW, MEREAU_E_ALG, "jwt.alg");
    mereau_verifier_free(v);
    v = mereau_verifier_new(ISSUER, AUDIENCE);
    mereau_verifier_add_key(v, rsa_spki, strlen(rsa_spki), MEREAU_ALG_HS256);
    assert_int_equal(mereau_verifier_ready(v, &err), MEREAU_E_KEY);
    mereau_verifier_free(v);
}

static void accepted_algorithms_narrow_the_keys(void **state) {
    mereau_error err = MEREAU_ERROR_INIT;
    struct issuer is;
    make_issuer(&is);
    mereau_verifier *v = mereau_verifier_new(ISSUER, AUDIENCE);
    mereau_verifier_set_jwks(v, is.set_a, strlen(is.set_a));
    mereau_verifier_add_alg(v, MEREAU_ALG_RS256);
    (void)state;
    assert_int_equal(mereau_verifier_ready(v, &err), MEREAU_E_INCOMPLETE);
    mereau_verifier_free(v);
    v = mereau_verifier_new(ISSUER, AUDIENCE);
    mereau_verifier_set_jwks(v, is.set_a, strlen(is.set_a));
    mereau_verifier_add_alg(v, MEREAU_ALG_RS256);
    mereau_verifier_add_alg(v, MEREAU_ALG_ES256);
    mereau_verifier_add_alg(v, MEREAU_ALG_ES256);
    ready(v);
    answers(v, good_token(is.a, "a"), NOW, MEREAU_OK, "");
    mru_key *other = pem_key(rsa_pkcs8, MEREAU_ALG_PS256, "a");
    answers(v, good_token(other, "a"), NOW, MEREAU_E_ALG, "jwt.alg");
    mru_key_free(other);
    mereau_verifier_free(v);
    free_issuer(&is);
}

static void a_snapshot_that_is_too_old_verifies_nothing(void **state) {
    mereau_error err = MEREAU_ERROR_INIT;
    struct issuer is;
    make_issuer(&is);
    mereau_verifier *v = mereau_verifier_new(ISSUER, AUDIENCE);
    (void)state;
    mereau_verifier_set_jwks(v, is.set_a, strlen(is.set_a));
    mereau_verifier_set_max_snapshot_age_s(v, 60);
    ready(v);
    assert_int_equal(mereau_verifier_replace_jwks(
                         v, is.set_ab, strlen(is.set_ab), NOW - 60, &err),
                     MEREAU_OK);
    answers(v, good_token(is.a, "a"), NOW, MEREAU_OK, "");
    /* By a header that is known from above: the host is asked for another set. */
    answers(v, good_token(is.a, "a"), NOW + 1, MEREAU_E_KEY_UNKNOWN,
            "verifier.snapshot_age");
    assert_int_equal(mereau_verifier_wants_jwks(v, NOW + 1), 1);
    mereau_verifier_free(v);
    /* A set of before there was a time: from the first time on. */
    v = mereau_verifier_new(ISSUER, AUDIENCE);
    mereau_verifier_set_jwks(v, is.set_a, strlen(is.set_a));
    mereau_verifier_set_max_snapshot_age_s(v, 60);
    ready(v);
    answers(v, good_token(is.a, "a"), NOW, MEREAU_OK, "");
    answers(v, good_token(is.a, "a"), NOW + 60, MEREAU_OK, "");
    answers(v, good_token(is.a, "a"), NOW + 61, MEREAU_E_KEY_UNKNOWN,
            "verifier.snapshot_age");
    mereau_verifier_free(v);
    v = mereau_verifier_new(ISSUER, AUDIENCE);
    mereau_verifier_set_max_snapshot_age_s(v, 0);
    assert_int_equal(mereau_verifier_ready(v, &err), MEREAU_E_ARG);
    mereau_verifier_free(v);
    free_issuer(&is);
}

/* Takes the alg member out of a printed set. */
static void take_alg(char *jwks) {
    char *at = strstr(jwks, "\"alg\":\"ES256\",");
    assert_non_null(at);
    memmove(at, at + 14, strlen(at + 14) + 1);
}

static void a_key_without_alg_needs_one_that_is_accepted(void **state) {
    mereau_error err = MEREAU_ERROR_INIT;
    struct issuer is;
    make_issuer(&is);
    take_alg(is.set_a);
    (void)state;
    for (int accepted = 0; accepted < 3; accepted++) {
        mereau_verifier *v = mereau_verifier_new(ISSUER, AUDIENCE);
        mereau_verifier_set_jwks(v, is.set_a, strlen(is.set_a));
        if (accepted == 1)
            mereau_verifier_add_alg(v, MEREAU_ALG_ES256);
        if (accepted == 2)
            mereau_verifier_add_alg(v, MEREAU_ALG_ES384);
        mereau_status status = mereau_verifier_ready(v, &err);
        assert_int_equal(status,
                         accepted == 1 ? MEREAU_OK : MEREAU_E_INCOMPLETE);
        if (status == MEREAU_OK)
            answers(v, good_token(is.a, "a"), NOW, MEREAU_OK, "");
        else
            assert_string_equal(err.rule, "jwk.alg");
        mereau_verifier_free(v);
    }
    free_issuer(&is);
}

static mereau_status set_answers(const char *keys, const char *more,
                                 mereau_error *err) {
    char jwks[8192];
    mereau_verifier *v = mereau_verifier_new(ISSUER, AUDIENCE);
    snprintf(jwks, sizeof jwks, "{\"keys\":[%s%s%s]}", keys,
             keys[0] && more[0] ? "," : "", more);
    mereau_verifier_set_jwks(v, jwks, strlen(jwks));
    mereau_status status = mereau_verifier_ready(v, err);
    mereau_verifier_free(v);
    return status;
}

static void
sets_skip_what_they_cannot_use_and_refuse_what_is_wrong(void **state) {
    mereau_error err = MEREAU_ERROR_INIT;
    struct mru_buf good = {0}, private_jwk = {0};
    mru_key *key = pem_key(ec_pkcs8, MEREAU_ALG_ES256, "a");
    (void)state;
    assert_int_equal(mru_key_print_public(&good, key), 0);
    assert_int_equal(mru_key_print_private(&private_jwk, key), 0);
    static const struct {
        const char *jwk;
        mereau_status status; /* beside a good key */
    } cases[] = {
        {"", MEREAU_OK},
        {"{\"kty\":\"OKP\",\"alg\":\"EdDSA\",\"crv\":\"X25519\",\"x\":\"AQ\"}",
         MEREAU_OK},
        {"{\"kty\":\"AKP\",\"alg\":\"ML-DSA-44\",\"pub\":\"x\"}", MEREAU_OK},
        {"{\"kty\":\"RSA\",\"alg\":\"RSA-OAEP\",\"use\":\"enc\"}", MEREAU_OK},
        {"{\"kty\":\"RSA\",\"use\":\"enc\",\"kid\":\"a\"}", MEREAU_OK},
        {"{\"kty\":\"RSA\",\"alg\":\"RS256\",\"n\":\"AQ\",\"e\":\"AQAB\"}",
         MEREAU_OK},
        {"{\"alg\":\"ES256\"}", MEREAU_E_MALFORMED},
        {"7", MEREAU_E_MALFORMED},
        {"{\"kty\":\"EC\",\"alg\":\"ES256\",\"crv\":\"P-256\",\"x\":\"!\"}",
         MEREAU_E_MALFORMED},
        {"{\"kty\":\"RSA\",\"alg\":\"RS256\",\"n\":\"AQ\",\"e\":\"AQAB\","
         "\"d\":\"AQ\"}",
         MEREAU_E_KEY},
        {"{\"kty\":\"oct\",\"alg\":\"HS256\",\"k\":"
         "\"AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8\"}",
         MEREAU_E_KEY},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        assert_int_equal(set_answers((char *)good.data, cases[i].jwk, &err),
                         cases[i].status);
        if (cases[i].status == MEREAU_OK)
            assert_int_equal(set_answers("", cases[i].jwk, &err),
                             MEREAU_E_INCOMPLETE);
    }
    assert_int_equal(set_answers((char *)good.data, (char *)good.data, &err),
                     MEREAU_E_KEY);
    assert_string_equal(err.rule, "jwks.kid");
    assert_int_equal(set_answers("", (char *)private_jwk.data, &err),
                     MEREAU_E_KEY);
    assert_string_equal(err.rule, "jwk.private");
    mru_buf_free(&good);
    mru_buf_free(&private_jwk);
    mru_key_free(key);
}

static void a_set_holds_at_most_so_many_keys(void **state) {
    mereau_error err = MEREAU_ERROR_INIT;
    struct mru_buf jwks = {0};
    mru_key *key = pem_key(ec_pkcs8, MEREAU_ALG_ES256, NULL);
    (void)state;
    for (int n = MEREAU_MAX_JWKS; n <= MEREAU_MAX_JWKS + 1; n++) {
        mru_buf_add_text(&jwks, "{\"keys\":[");
        for (int i = 0; i < n; i++) {
            char kid[16];
            snprintf(kid, sizeof kid, "k%d", i);
            mru_key_set_kid(key, kid, strlen(kid));
            if (i > 0)
                mru_buf_add_text(&jwks, ",");
            assert_int_equal(mru_key_print_public(&jwks, key), 0);
        }
        mru_buf_add_text(&jwks, "]}");
        mereau_verifier *v = mereau_verifier_new(ISSUER, AUDIENCE);
        mereau_verifier_set_jwks(v, (char *)jwks.data, jwks.len);
        assert_int_equal(mereau_verifier_ready(v, &err),
                         n == MEREAU_MAX_JWKS ? MEREAU_OK : MEREAU_E_TOO_LONG);
        mereau_verifier_free(v);
        mru_buf_free(&jwks);
    }
    mru_key_free(key);
}

/* --- keys that change --- */

static void a_newer_set_takes_the_place_of_the_old_one(void **state) {
    mereau_error err = MEREAU_ERROR_INIT;
    struct issuer is;
    make_issuer(&is);
    mereau_verifier *v = verifier_with(is.set_a);
    (void)state;
    assert_int_equal(
        mereau_verifier_replace_jwks(v, is.set_b, strlen(is.set_b), NOW, &err),
        MEREAU_OK);
    answers(v, good_token(is.b, "b"), NOW, MEREAU_OK, "");
    answers(v, good_token(is.a, "a"), NOW, MEREAU_E_KEY_UNKNOWN, "jwt.kid");
    /* After a failure the old one stays. */
    assert_int_equal(
        mereau_verifier_replace_jwks(v, "{\"keys\":[]}", 11, NOW, &err),
        MEREAU_E_INCOMPLETE);
    assert_int_equal(mereau_verifier_replace_jwks(v, "<html>", 6, NOW, &err),
                     MEREAU_E_MALFORMED);
    assert_int_equal(mereau_verifier_replace_jwks(v, NULL, 0, NOW, &err),
                     MEREAU_E_ARG);
    answers(v, good_token(is.b, "b"), NOW, MEREAU_OK, "");
    mereau_verifier_free(v);
    v = mereau_verifier_new(ISSUER, AUDIENCE);
    assert_int_equal(
        mereau_verifier_replace_jwks(v, is.set_b, strlen(is.set_b), NOW, &err),
        MEREAU_E_STATE);
    mereau_verifier_free(v);
    free_issuer(&is);
}

static void
a_new_set_is_wanted_when_old_or_lacking_once_a_minute(void **state) {
    mereau_error err = MEREAU_ERROR_INIT;
    struct issuer is;
    make_issuer(&is);
    mereau_verifier *v = verifier_with(is.set_a);
    (void)state;
    assert_int_equal(mereau_verifier_wants_jwks(v, NOW), 0);
    answers(v, good_token(is.b, "b"), NOW, MEREAU_E_KEY_UNKNOWN, "jwt.kid");
    assert_int_equal(mereau_verifier_wants_jwks(v, NOW), 1);
    assert_int_equal(mereau_verifier_wants_jwks(v, NOW), 0);
    answers(v, good_token(is.b, "b"), NOW, MEREAU_E_KEY_UNKNOWN, "jwt.kid");
    assert_int_equal(mereau_verifier_wants_jwks(v, NOW + 59), 0);
    assert_int_equal(mereau_verifier_wants_jwks(v, NOW + 60), 1);
    /* Tokens that fail otherwise ask for nothing. */
    answers(v, good_token(is.b, "a"), NOW, MEREAU_E_SIGNATURE, "jwt.signature");
    assert_int_equal(mereau_verifier_wants_jwks(v, NOW + 200), 0);
    /* A new kid with an alg that no key had so far asks as well. */
    mru_key *rsa = pem_key(rsa_pkcs8, MEREAU_ALG_RS256, "c");
    answers(v, good_token(rsa, "c"), NOW, MEREAU_E_ALG, "jwt.alg");
    assert_int_equal(mereau_verifier_wants_jwks(v, NOW + 200), 1);
    mru_key_free(rsa);
    /* An hour after set-up, and after each replacement. */
    assert_int_equal(mereau_verifier_wants_jwks(v, NOW + 3599), 0);
    assert_int_equal(mereau_verifier_wants_jwks(v, NOW + 3600), 1);
    assert_int_equal(mereau_verifier_wants_jwks(v, NOW + 3601), 0);
    assert_int_equal(mereau_verifier_wants_jwks(v, NOW + 3660), 1);
    assert_int_equal(mereau_verifier_replace_jwks(
                         v, is.set_ab, strlen(is.set_ab), NOW + 3700, &err),
                     MEREAU_OK);
    assert_int_equal(mereau_verifier_wants_jwks(v, NOW + 7299), 0);
    assert_int_equal(mereau_verifier_wants_jwks(v, NOW + 7300), 1);
    mereau_verifier_free(v);
    v = ready(new_verifier()); /* there is no newer secret to fetch */
    assert_int_equal(mereau_verifier_wants_jwks(v, NOW), 0);
    assert_int_equal(mereau_verifier_wants_jwks(v, NOW + 9999), 0);
    mereau_verifier_free(v);
    free_issuer(&is);
}

struct user {
    const mereau_verifier *v;
    const struct issuer *is;
    atomic_int *stop;
    const char *token;
    int wrong;
};

static void *use(void *arg) {
    struct user *u = arg;
    mereau_claims *claims = mereau_claims_new();
    mereau_error err = MEREAU_ERROR_INIT;
    do {
        if (mereau_jwt_verify(u->v, claims, u->token, strlen(u->token), NOW,
                              &err) != MEREAU_OK)
            u->wrong = 1;
        (void)mereau_verifier_wants_jwks(u->v, NOW);
    } while (!atomic_load(u->stop));
    mereau_claims_free(claims);
    return NULL;
}

static void sets_are_replaced_under_running_verifications(void **state) {
    enum { USERS = 3 };
    mereau_error err = MEREAU_ERROR_INIT;
    struct issuer is;
    atomic_int stop = 0;
    pthread_t threads[USERS];
    struct user users[USERS];
    make_issuer(&is);
    mereau_verifier *v = verifier_with(is.set_a);
    char *token = good_token(is.a, "a");
    (void)state;
    for (size_t i = 0; i < USERS; i++) {
        struct user one = {v, &is, &stop, token, 0};
        users[i] = one;
        assert_int_equal(pthread_create(&threads[i], NULL, use, &users[i]), 0);
    }
    for (int i = 0; i < 40; i++) {
        const char *set = i % 2 ? is.set_a : is.set_ab;
        assert_int_equal(
            mereau_verifier_replace_jwks(v, set, strlen(set), NOW, &err),
            MEREAU_OK);
    }
    atomic_store(&stop, 1);
    for (size_t i = 0; i < USERS; i++) {
        pthread_join(threads[i], NULL);
        assert_int_equal(users[i].wrong, 0);
    }
    free(token);
    mereau_verifier_free(v);
    free_issuer(&is);
}

/* A header that was right once is known again by its characters, which must not
 * change one answer. */
static void a_known_header_is_checked_as_a_new_one(void **state) {
    mereau_error err = MEREAU_ERROR_INIT;
    struct issuer is;
    make_issuer(&is);
    mereau_verifier *v = verifier_with(is.set_ab);
    char *good = good_token(is.a, "a"), *odd;
    size_t len = strlen(good), dot = (size_t)(strchr(good, '.') - good);
    (void)state;
    static const struct {
        int from_end; /* the character: counted from the end, or behind a dot */
        char with;
        mereau_status status;
        const char *rule;
    } cases[] = {
        {1, '.', MEREAU_E_MALFORMED, "jwt.form"},
        {1, '=', MEREAU_E_MALFORMED, "jwt.form"},
        {1, '!', MEREAU_E_MALFORMED, "jwt.form"},
        {0, '!', MEREAU_E_MALFORMED, "jwt.form"},
        {0, '.', MEREAU_E_MALFORMED, "jwt.form"},
        {0, '_', MEREAU_E_SIGNATURE, "jwt.signature"},
    };
    for (int known = 0; known < 2; known++) {
        for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
            odd = strdup(good);
            odd[cases[i].from_end ? len - (size_t)cases[i].from_end : dot + 3] =
                cases[i].with;
            answers(v, odd, NOW, cases[i].status, cases[i].rule);
        }
        odd = strdup(good);
        odd[dot + 1] = '\0'; /* nothing but the header */
        answers(v, odd, NOW, MEREAU_E_MALFORMED, "jwt.form");
        answers(v, strdup(good), NOW, MEREAU_OK, "");
    }
    /* More headers than are remembered, and some that are refused each time. */
    for (int known = 0; known < 2; known++)
        for (int i = 0; i < 6; i++) {
            char payload[1024];
            payload_with(payload, sizeof payload, "n", i % 2 ? "1" : "2");
            answers(v, signed_by(is.b, "at+jwt", i < 3 ? "b" : "a", payload),
                    NOW, i < 3 ? MEREAU_OK : MEREAU_E_SIGNATURE,
                    i < 3 ? "" : "jwt.signature");
            answers(v, signed_by(is.a, i < 3 ? "JWT" : "AT+JWT", "a", payload),
                    NOW, i < 3 ? MEREAU_E_KIND : MEREAU_OK,
                    i < 3 ? "jwt.typ" : "");
            answers(v,
                    signed_by(is.a, i % 2 ? "At+jwt" : "aT+jwt", "a", payload),
                    NOW, MEREAU_OK, "");
        }
    /* With its key goes the header. */
    assert_int_equal(
        mereau_verifier_replace_jwks(v, is.set_b, strlen(is.set_b), NOW, &err),
        MEREAU_OK);
    answers(v, good, NOW, MEREAU_E_KEY_UNKNOWN, "jwt.kid");
    mereau_verifier_free(v);
    free_issuer(&is);
}

/* --- a tenant of our own --- */

static void a_load_brings_keys_and_what_was_taken_back(void **state) {
    mereau_error err = MEREAU_ERROR_INIT;
    struct issuer is;
    make_issuer(&is);
    mereau_verifier *v = mereau_verifier_new(ISSUER, AUDIENCE);
    /* Unsorted, and one of them twice: the later holds. */
    static const struct mru_notice notices[] = {
        {'s', "user 2", INT64_MAX},  {'f', "session 2", 5},
        {'s', "user 1", 1789999980}, {'a', "app 1", 1789999970},
        {'s', "user 1", 1789999985}, {'s', "user", INT64_MAX},
        {'s', "user 11", INT64_MAX}, {'d', "device 1", 1789999989},
        {'t', "", 1789999960},       {'f', "session 1", INT64_MAX}};
    const size_t n = sizeof notices / sizeof notices[0];
    static const struct {
        const char *name, *value;
        int good;
    } cases[] = {{NULL, NULL, 1},
                 {"iat", "1789999986", 1},
                 {"iat", "1789999985", 0},
                 {"iat", "1789999985.9", 0},
                 {"sub", "\"user 2\"", 0},
                 {"sub", "\"user 3\"", 1},
                 {"sub", "\"use\"", 1},
                 {"sid", "\"session 1\"", 0},
                 {"sid", "\"session 2\"", 1},
                 {"device_id", "\"device 1\"", 1},
                 {"device_id", "\"device 1\",\"x\":1", 1}};
    (void)state;
    assert_int_equal(mru_verifier_load(v, "https://other.example", is.set_a,
                                       strlen(is.set_a), notices, n, NOW, &err),
                     MEREAU_E_ISSUER);
    assert_int_equal(mru_verifier_load(v, ISSUER, is.set_a, strlen(is.set_a),
                                       notices, n, NOW, &err),
                     MEREAU_OK);
    ready(v);
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        char payload[1024];
        payload_with(payload, sizeof payload, cases[i].name, cases[i].value);
        answers(v, signed_by(is.a, "at+jwt", "a", payload), NOW,
                cases[i].good ? MEREAU_OK : MEREAU_E_NOT_BEFORE,
                cases[i].good ? "" : "jwt.not_before");
    }
    /* Each level by itself. */
    for (size_t i = 0; i < 3; i++) {
        const struct mru_notice one = {"tad"[i],
                                       i == 0   ? ""
                                       : i == 1 ? "app 1"
                                                : "device 1",
                                       1789999990};
        char payload[1024];
        payload_with(payload, sizeof payload, "device_id", "\"device 1\"");
        assert_int_equal(mru_verifier_load(v, ISSUER, is.set_a,
                                           strlen(is.set_a), &one, 1, NOW,
                                           &err),
                         MEREAU_OK);
        answers(v, signed_by(is.a, "at+jwt", "a", payload), NOW,
                MEREAU_E_NOT_BEFORE, "jwt.not_before");
    }
    /* The next snapshot has none. */
    assert_int_equal(mru_verifier_load(v, ISSUER, is.set_a, strlen(is.set_a),
                                       NULL, 0, NOW, &err),
                     MEREAU_OK);
    answers(v, good_token(is.a, "a"), NOW, MEREAU_OK, "");
    mereau_verifier_free(v);
    free_issuer(&is);
}

/* --- making and peeking --- */

static void a_jws_is_read_back_as_it_was_made(void **state) {
    mereau_error err = MEREAU_ERROR_INIT;
    struct mru_buf header = {0}, payload = {0};
    mru_key *key = signing_key("k");
    char *token = signed_by(key, "at+jwt", "k", "{\"a\":1}");
    (void)state;
    assert_int_equal(
        mru_jws_peek(token, strlen(token), &header, &payload, &err), MEREAU_OK);
    assert_string_equal((char *)header.data,
                        "{\"alg\":\"HS256\",\"typ\":\"at+jwt\",\"kid\":\"k\"}");
    assert_string_equal((char *)payload.data, "{\"a\":1}");
    assert_int_equal(mru_jws_peek("a.b", 3, &header, &payload, &err),
                     MEREAU_E_MALFORMED);
    mru_buf_free(&header);
    mru_buf_free(&payload);
    assert_int_equal(mru_jws_begin(&header, 99, NULL, NULL, "", 0), -1);
    mru_buf_free(&header);
    free(token);
    token = signed_by(key, NULL, NULL, "[]");
    assert_int_equal(
        mru_jws_peek(token, strlen(token), &header, &payload, &err),
        MEREAU_E_MALFORMED);
    assert_string_equal(err.rule, "jwt.payload");
    mru_buf_free(&header);
    mru_buf_free(&payload);
    free(token);
    mru_key_free(key);
}

static void a_token_has_a_greatest_length(void **state) {
    mereau_error err = MEREAU_ERROR_INIT;
    mereau_verifier *v = ready(new_verifier());
    char *token = malloc(MEREAU_MAX_TOKEN + 1);
    (void)state;
    memset(token, 'A', MEREAU_MAX_TOKEN + 1);
    assert_int_equal(
        mereau_jwt_verify(v, NULL, token, MEREAU_MAX_TOKEN + 1, NOW, &err),
        MEREAU_E_TOO_LONG);
    assert_int_equal(
        mereau_jwt_verify(v, NULL, token, MEREAU_MAX_TOKEN, NOW, &err),
        MEREAU_E_MALFORMED);
    free(token);
    mereau_verifier_free(v);
}

/* --- memory --- */

static void verifying_allocates_nothing_once_claims_have_grown(void **state) {
    mereau_error err = MEREAU_ERROR_INIT;
    mereau_verifier *v = ready(new_verifier());
    mereau_claims *claims = mereau_claims_new();
    char *token = token_with("more", "[\"a\",\"b\"]");
    char *shorter = token_with(NULL, NULL), *bad = token_with("exp", "1");
    (void)state;
    if (!test_alloc_available())
        skip();
    assert_int_equal(
        mereau_jwt_verify(v, claims, token, strlen(token), NOW, &err),
        MEREAU_OK);
    unsigned long before = test_alloc_count();
    for (int i = 0; i < 3; i++) {
        mereau_jwt_verify(v, claims, shorter, strlen(shorter), NOW, &err);
        mereau_jwt_verify(v, claims, bad, strlen(bad), NOW, &err);
        assert_int_equal(
            mereau_jwt_verify(v, claims, token, strlen(token), NOW, &err),
            MEREAU_OK);
    }
    /* OpenSSL allocates for every HMAC. */
    assert_true(test_alloc_count() == before ||
                strncmp(mru_crypto_name(), "OpenSSL", 7) == 0);
    assert_string_equal(mereau_claims_text_at(claims, "more", 1), "b");
    free(token);
    free(shorter);
    free(bad);
    mereau_claims_free(claims);
    mereau_verifier_free(v);
}

/* All of the life of a verifier; the first status that is not OK. */
static mereau_status life(const struct issuer *is, const char *token) {
    static const struct mru_notice notice = {'s', "nobody", 5};
    mereau_error err = MEREAU_ERROR_INIT;
    mereau_verifier *v = mereau_verifier_new(ISSUER, AUDIENCE);
    mereau_claims *claims = mereau_claims_new();
    mereau_verifier_set_jwks(v, is->set_ab, strlen(is->set_ab));
    mereau_verifier_add_audience(v, "second");
    mereau_verifier_set_type(v, "application/at+jwt");
    mereau_verifier_add_claim(v, "scope", NULL);
    mereau_verifier_add_claim(v, "sub", "user 1");
    mereau_status status = mereau_verifier_ready(v, &err);
    if (status == MEREAU_OK)
        status = mereau_jwt_verify(v, claims, token, strlen(token), NOW, &err);
    if (status == MEREAU_OK)
        status = mereau_verifier_replace_jwks(v, is->set_a, strlen(is->set_a),
                                              NOW, &err);
    if (status == MEREAU_OK)
        status = mru_verifier_load(v, ISSUER, is->set_a, strlen(is->set_a),
                                   &notice, 1, NOW, &err);
    if (status == MEREAU_OK)
        status = mereau_jwt_verify(v, NULL, token, strlen(token), NOW, &err);
    mereau_claims_free(claims);
    mereau_verifier_free(v);
    return status;
}

static void
a_lack_of_memory_at_any_point_is_told_and_leaves_nothing(void **state) {
    struct issuer is;
    make_issuer(&is);
    char *token = good_token(is.a, "a");
    (void)state;
    if (!test_alloc_available())
        skip();
    assert_int_equal(life(&is, token), MEREAU_OK);
    unsigned long before = test_alloc_count();
    assert_int_equal(life(&is, token), MEREAU_OK);
    unsigned long total = test_alloc_count() - before;
    long live = test_alloc_live();
    /* Most are the provider's, all alike: each near both ends, every 61st
     * between. */
    for (unsigned long n = 1; n <= total;
         n += n < 150 || n + 100 > total ? 1 : 61) {
        test_alloc_fail_at(n);
        mereau_status status = life(&is, token);
        test_alloc_fail_at(0);
        /* Claims that memory was lacking for are as if not wanted. */
        if (!test_alloc_told(status) && status != MEREAU_OK)
            fail_msg("allocation %lu of %lu: %d", n, total, status);
        assert_int_equal(test_alloc_live(), live);
    }
    print_message("%lu allocations\n", total);
    free(token);
    free_issuer(&is);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_good_token_can_be_read),
        cmocka_unit_test(nothing_is_read_from_no_claims),
        cmocka_unit_test(each_claim_is_refused_by_its_own_rule),
        cmocka_unit_test(a_bound_token_needs_proof_of_its_own_key),
        cmocka_unit_test(a_snapshot_that_is_too_old_verifies_nothing),
        cmocka_unit_test(times_are_exact_to_the_second),
        cmocka_unit_test(skew_is_forgiven_at_exp_and_nbf_but_not_at_iat),
        cmocka_unit_test(a_maximal_age_counts_from_iat),
        cmocka_unit_test(an_exp_before_iat_is_no_lifetime),
        cmocka_unit_test(claims_of_ones_own_are_required),
        cmocka_unit_test(audiences_can_be_several_or_any),
        cmocka_unit_test(the_type_is_compared_as_a_media_type),
        cmocka_unit_test(headers_are_refused_by_name),
        cmocka_unit_test(the_signature_is_checked_before_any_claim),
        cmocka_unit_test(a_refusal_says_what_was_wanted),
        cmocka_unit_test(an_error_of_another_size_is_not_written),
        cmocka_unit_test(only_a_bearer_header_is_read),
        cmocka_unit_test(the_first_mistake_is_told_by_ready),
        cmocka_unit_test(a_verifier_is_made_ready_once_and_then_closed),
        cmocka_unit_test(
            every_call_takes_the_verifier_that_memory_was_lacking_for),
        cmocka_unit_test(a_key_is_chosen_by_kid_or_when_it_is_the_only_one),
        cmocka_unit_test(a_pem_key_serves_whatever_kid_its_issuer_chose),
        cmocka_unit_test(an_rsa_key_is_never_an_hmac_secret),
        cmocka_unit_test(accepted_algorithms_narrow_the_keys),
        cmocka_unit_test(a_key_without_alg_needs_one_that_is_accepted),
        cmocka_unit_test(
            sets_skip_what_they_cannot_use_and_refuse_what_is_wrong),
        cmocka_unit_test(a_set_holds_at_most_so_many_keys),
        cmocka_unit_test(a_newer_set_takes_the_place_of_the_old_one),
        cmocka_unit_test(a_new_set_is_wanted_when_old_or_lacking_once_a_minute),
        cmocka_unit_test(sets_are_replaced_under_running_verifications),
        cmocka_unit_test(a_known_header_is_checked_as_a_new_one),
        cmocka_unit_test(a_load_brings_keys_and_what_was_taken_back),
        cmocka_unit_test(a_jws_is_read_back_as_it_was_made),
        cmocka_unit_test(a_token_has_a_greatest_length),
        cmocka_unit_test(verifying_allocates_nothing_once_claims_have_grown),
        cmocka_unit_test(
            a_lack_of_memory_at_any_point_is_told_and_leaves_nothing),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
