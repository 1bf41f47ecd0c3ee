/* tests/unit/test_dpop.c - DPoP proofs (RFC 9449 section 4.3): each check by
 * itself, and which URIs are the same. */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <mereau/verify.h>

#include "jose/dpop.h"
#include "key_texts.h"
#include "tokens.h"

enum { NOW = 1790000000 };
#define URI "https://rs.example/r"
#define TOKEN "an access token"
#define ATH "\"FPlcM-1UXiivOYozpUrp7d117JnKzPF4YXuXNnfZmdU\""

/* --- URIs --- */

static void uris_are_the_same_when_their_normal_form_is(void **state) {
    static const struct {
        const char *a, *b;
        int same;
    } cases[] = {
        {URI, URI, 1},
        {URI, "HTTPS://RS.Example/r", 1},
        {URI, "https://rs.example:443/r", 1},
        {URI, "https://rs.example:/r", 1},
        {URI, "https://rs.example:0443/r", 1},
        {URI, "https://rs.example:444/r", 0},
        {URI, "https://rs.example:80/r", 0},
        {"http://rs.example:80/r", "http://rs.example/r", 1},
        {"http://rs.example/r", URI, 0},
        {URI, URI "?x=1", 1},
        {URI, URI "#x", 1},
        {URI "?a", URI "?b#c", 1},
        {URI, "https://rs.example/%72", 1},
        {URI, "https://rs.example/R", 0},
        {URI, "https://rs.example/r/", 0},
        {URI, "https://rs.example//r", 0},
        {URI, "https://rs.example/./r", 1},
        {URI, "https://rs.example/x/../r", 1},
        {URI, "https://rs.example/x/%2e%2E/r", 1},
        {URI, "https://rs.example/../r", 1},
        {URI, "https://rs.example/../../r", 1},
        {URI, "https://rs.example/r/.", 0},
        {"https://rs.example/r/", "https://rs.example/r/.", 1},
        {"https://rs.example/", "https://rs.example/r/..", 1},
        {"https://rs.example/a/", "https://rs.example/a/b/..", 1},
        {"https://rs.example/a/", "https://rs.example/a//..", 1},
        {"https://rs.example/...", "https://rs.example/..", 0},
        {"https://rs.example/.a", "https://rs.example/a", 0},
        {"https://rs.example", "https://rs.example/", 1},
        {"https://rs.example?x", "https://rs.example/", 1},
        {"https://rs.example/%2f", "https://rs.example/%2F", 1},
        {"https://rs.example/%2f", "https://rs.example//", 0},
        {"https://rs.example/~u", "https://rs.example/%7Eu", 1},
        {"https://%72s.example/r", URI, 1},
        {"https://[::1]/r", "https://[::1]:443/r", 1},
        {"https://[::AB]/r", "https://[::ab]/r", 1},
        {"https://[::1]/r", "https://[::2]/r", 0},
        {"https://a:443@rs.example/r", URI, 0},
        {"https://rs.example.evil/r", URI, 0},
        /* No URIs of requests: not the same as anything, not even themselves. */
        {"", "", 0},
        {"https://", "https://", 0},
        {"https:///r", "https:///r", 0},
        {"ftp://x/r", "ftp://x/r", 0},
        {"https:/x/r", "https:/x/r", 0},
        {"//rs.example/r", "//rs.example/r", 0},
        {"https://x:65536/", "https://x:65536/", 0},
        {"https://x:1a/", "https://x:1a/", 0},
        {"https://x/%", "https://x/%", 0},
        {"https://x/%4", "https://x/%4", 0},
        {"https://x/%zz", "https://x/%zz", 0},
        {"https://x/%00", "https://x/%00", 0},
        {"https://x/a b", "https://x/a b", 0},
        {"https://x\\y/", "https://x\\y/", 0},
        {"https://x/\xC3\xA9", "https://x/\xC3\xA9", 0},
        {"https://[::1/", "https://[::1/", 0},
        {"https://[x]/", "https://[x]/", 0},
    };
    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++)
        if (mru_uri_same(cases[i].a, cases[i].b) != cases[i].same ||
            mru_uri_same(cases[i].b, cases[i].a) != cases[i].same)
            fail_msg("%s and %s", cases[i].a, cases[i].b);
}

static void a_long_uri_is_none(void **state) {
    char uri[MRU_URI_MAX + 64];
    (void)state;
    memset(uri, 'a', sizeof uri);
    memcpy(uri, "https://x/", 10);
    uri[MRU_URI_MAX - 8] = '\0';
    assert_int_equal(mru_uri_same(uri, uri), 1);
    uri[MRU_URI_MAX - 8] = 'a';
    uri[MRU_URI_MAX - 7] = '\0';
    assert_int_equal(mru_uri_same(uri, uri), 0);
}

/* --- proofs --- */

/* A proof whose header and claims are changed: NULL leaves a member out. */
static char *proof(const char *typ, const char *jwk, const char *name,
                   const char *value) {
    static const char *const members[][2] = {
        {"jti", "\"j\""},      {"htm", "\"GET\""}, {"htu", "\"" URI "\""},
        {"iat", "1790000000"}, {"ath", ATH},       {"nonce", "\"n\""}};
    char header[2048], payload[2048];
    struct mru_buf own = {0};
    size_t at = 1;
    int done = name == NULL;
    mru_key *key = token_key(ec_pkcs8, MEREAU_ALG_ES256);
    assert_int_equal(mru_key_print_public(&own, key), 0);
    snprintf(header, sizeof header, "{\"alg\":\"ES256\",\"typ\":\"%s\"%s%s}",
             typ, jwk ? ",\"jwk\":" : "",
             !jwk          ? ""
             : jwk[0] == 0 ? (const char *)own.data
                           : jwk);
    payload[0] = '{';
    for (size_t i = 0; i < 6; i++) {
        const char *text = members[i][1];
        if (name && strcmp(name, members[i][0]) == 0) {
            text = value;
            done = 1;
        }
        if (text)
            at += (size_t)snprintf(payload + at, sizeof payload - at,
                                   "%s\"%s\":%s", at > 1 ? "," : "",
                                   members[i][0], text);
    }
    if (!done)
        at += (size_t)snprintf(payload + at, sizeof payload - at, ",\"%s\":%s",
                               name, value);
    snprintf(payload + at, sizeof payload - at, "}");
    char *token = token_signed(key, header, payload);
    mru_buf_free(&own);
    mru_key_free(key);
    return token;
}

static mereau_verifier *verifier(void) {
    mereau_error err = MEREAU_ERROR_INIT;
    mereau_verifier *v =
        mereau_verifier_new_for(MEREAU_PROFILE_DPOP, NULL, NULL);
    if (mereau_verifier_ready(v, &err) != MEREAU_OK)
        fail_msg("%s", err.text);
    return v;
}

static mereau_expect *request(void) {
    mereau_expect *e = mereau_expect_new();
    mereau_expect_set(e, MEREAU_EXPECT_METHOD, "GET");
    mereau_expect_set(e, MEREAU_EXPECT_URI, URI);
    mereau_expect_set(e, MEREAU_EXPECT_ACCESS_TOKEN, TOKEN);
    mereau_expect_set(e, MEREAU_EXPECT_NONCE, "n");
    return e;
}

static void answers(char *token, const mereau_expect *e, mereau_status status,
                    const char *rule) {
    mereau_error err = MEREAU_ERROR_INIT;
    mereau_verifier *v = verifier();
    mereau_status got = mereau_jwt_verify_expecting(
        v, NULL, token, strlen(token), e, NOW, &err);
    if (got != status || strcmp(err.rule, rule) != 0)
        fail_msg("%d %s, not %d %s", got, err.text, status, rule);
    mereau_verifier_free(v);
    free(token);
}

static void each_check_of_a_proof_refuses_by_its_own_rule(void **state) {
    static char long_jti[300];
    static const struct {
        const char *name, *value;
        mereau_status status;
        const char *rule;
    } cases[] = {
        {NULL, NULL, MEREAU_OK, ""},
        {"jti", NULL, MEREAU_E_CLAIM, "jwt.jti"},
        {"jti", "\"\"", MEREAU_E_CLAIM, "jwt.jti"},
        {"jti", "7", MEREAU_E_CLAIM, "jwt.jti"},
        {"jti", long_jti, MEREAU_E_CLAIM, "jwt.jti"},
        {"htm", "\"get\"", MEREAU_E_CLAIM, "jwt.htm"},
        {"htm", "\"POST\"", MEREAU_E_CLAIM, "jwt.htm"},
        {"htm", "[\"GET\"]", MEREAU_E_CLAIM, "jwt.htm"},
        {"htu", "\"https://rs.example/other\"", MEREAU_E_CLAIM, "jwt.htu"},
        {"htu", NULL, MEREAU_E_CLAIM, "jwt.htu"},
        {"iat", NULL, MEREAU_E_CLAIM, "jwt.iat"},
        {"iat", "1789999940", MEREAU_OK, ""},
        {"iat", "1789999939", MEREAU_E_EXPIRED, "jwt.max_age"},
        {"iat", "1790000060", MEREAU_OK, ""},
        {"iat", "1790000061", MEREAU_E_NOT_YET, "jwt.iat"},
        {"ath", NULL, MEREAU_E_CLAIM, "jwt.ath"},
        {"ath", "\"x\"", MEREAU_E_CLAIM, "jwt.ath"},
        {"nonce", NULL, MEREAU_E_CLAIM, "jwt.nonce"},
        {"nonce", "\"m\"", MEREAU_E_CLAIM, "jwt.nonce"},
        {"exp", "1789999999", MEREAU_E_EXPIRED, "jwt.exp"},
        {"nbf", "1790000001", MEREAU_E_NOT_YET, "jwt.nbf"},
    };
    mereau_expect *e = request();
    (void)state;
    memset(long_jti, 'a', 259);
    long_jti[0] = long_jti[258] = '"';
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++)
        answers(proof("dpop+jwt", "", cases[i].name, cases[i].value), e,
                cases[i].status, cases[i].rule);
    memset(long_jti, 'a', 259);
    long_jti[0] = long_jti[257] = '"';
    long_jti[258] = '\0';
    answers(proof("dpop+jwt", "", "jti", long_jti), e, MEREAU_OK, "");
    mereau_expect_free(e);
}

static void the_key_of_a_proof_is_public_and_its_own(void **state) {
    static const char other_key[] =
        "{\"kty\":\"EC\",\"crv\":\"P-256\","
        "\"x\":\"l8tFrhx-34tV3hRICRDY9zCkDlpBhF42UQUfWVAWBFs\","
        "\"y\":\"9VE4jf_Ok_o64zbTTlcuNJajHmt6v9TDVrU0CdvGRDA\"}";
    mereau_expect *e = request();
    mru_key *key = token_key(ec_pkcs8, MEREAU_ALG_ES256);
    struct mru_buf whole = {0};
    char jkt[44];
    (void)state;
    answers(proof("dpop+jwt", NULL, NULL, NULL), e, MEREAU_E_MALFORMED,
            "jwt.jwk");
    answers(proof("dpop+jwt", "7", NULL, NULL), e, MEREAU_E_MALFORMED,
            "jwt.jwk");
    answers(proof("dpop+jwt", "{}", NULL, NULL), e, MEREAU_E_MALFORMED,
            "jwk.kty");
    answers(proof("dpop+jwt", other_key, NULL, NULL), e, MEREAU_E_SIGNATURE,
            "jwt.signature");
    assert_int_equal(mru_key_print_private(&whole, key), 0);
    answers(proof("dpop+jwt", (const char *)whole.data, NULL, NULL), e,
            MEREAU_E_KEY, "jwk.private");
    /* The key that an access token is bound to. */
    assert_int_equal(mru_key_thumbprint(key, jkt), 0);
    mereau_expect_set(e, MEREAU_EXPECT_JKT, jkt);
    answers(proof("dpop+jwt", "", NULL, NULL), e, MEREAU_OK, "");
    mereau_expect_set(e, MEREAU_EXPECT_JKT,
                      "0ZcOCORZNYy-DWpqq30jZyJGHTN0d2HglBV3uiguA4I");
    answers(proof("dpop+jwt", "", NULL, NULL), e, MEREAU_E_DEVICE, "jwt.jwk");
    mru_buf_free(&whole);
    mru_key_free(key);
    mereau_expect_free(e);
}

static void a_secret_in_the_header_proves_nothing(void **state) {
    mereau_expect *e = request();
    (void)state;
    answers(token_secret_signed(
                "{\"alg\":\"HS256\",\"typ\":\"dpop+jwt\",\"jwk\":{\"kty\":"
                "\"oct\",\"k\":"
                "\"YW5vdGhlciBzZWNyZXQgb2YgMzIgYnl0ZXMsIHVzZWQ\"}}",
                "{\"jti\":\"j\",\"htm\":\"GET\",\"htu\":\"" URI
                "\",\"iat\":1790000000,\"ath\":" ATH ",\"nonce\":\"n\"}"),
            e, MEREAU_E_KEY, "jwk.kty");
    mereau_expect_free(e);
}

static void a_proof_proves_nothing_without_its_request(void **state) {
    mereau_error err = MEREAU_ERROR_INIT;
    mereau_verifier *v = verifier();
    mereau_expect *e = mereau_expect_new();
    char *token = proof("dpop+jwt", "", NULL, NULL);
    (void)state;
    assert_int_equal(
        mereau_jwt_verify(v, NULL, token, strlen(token), NOW, &err),
        MEREAU_E_ARG);
    assert_string_equal(err.rule, "expect.method");
    mereau_expect_set(e, MEREAU_EXPECT_METHOD, "GET");
    assert_int_equal(mereau_jwt_verify_expecting(v, NULL, token, strlen(token),
                                                 e, NOW, &err),
                     MEREAU_E_ARG);
    assert_string_equal(err.rule, "expect.uri");
    mereau_expect_set(e, MEREAU_EXPECT_URI, URI);
    assert_int_equal(mereau_jwt_verify_expecting(v, NULL, token, strlen(token),
                                                 e, NOW, &err),
                     MEREAU_OK);
    mereau_expect_set_int(e, MEREAU_EXPECT_MAX_AUTH_AGE_S, 5);
    assert_int_equal(mereau_jwt_verify_expecting(v, NULL, token, strlen(token),
                                                 e, NOW, &err),
                     MEREAU_E_ARG);
    free(token);
    mereau_expect_free(e);
    mereau_verifier_free(v);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(uris_are_the_same_when_their_normal_form_is),
        cmocka_unit_test(a_long_uri_is_none),
        cmocka_unit_test(each_check_of_a_proof_refuses_by_its_own_rule),
        cmocka_unit_test(the_key_of_a_proof_is_public_and_its_own),
        cmocka_unit_test(a_secret_in_the_header_proves_nothing),
        cmocka_unit_test(a_proof_proves_nothing_without_its_request),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
