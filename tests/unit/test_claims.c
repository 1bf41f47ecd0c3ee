/* tests/unit/test_claims.c - reading what a token said: kinds, exact numbers, paths,
 * borrowed texts. */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <mereau/verify.h>

#include "tokens.h"

enum { NOW = 1790000000 };

/* The claims of a verified token with these members besides the needed ones. */
static mereau_claims *claims_of(const char *members) {
    mereau_error err = MEREAU_ERROR_INIT;
    size_t size = strlen(members) + 256;
    char *payload = malloc(size);
    mereau_claims *claims = mereau_claims_new();
    mereau_verifier *v = mereau_verifier_new_for(MEREAU_PROFILE_JWT, "i", "a");
    assert_non_null(payload);
    snprintf(payload, size,
             " {\"iss\":\"i\",\"aud\":\"a\",\"exp\":1790000100,%s} ", members);
    char *token =
        token_secret_signed("{\"alg\":\"HS256\",\"typ\":\"JWT\"}", payload);
    mereau_verifier_add_secret(v, token_secret, sizeof token_secret,
                               MEREAU_ALG_HS256);
    assert_int_equal(mereau_verifier_ready(v, &err), MEREAU_OK);
    if (mereau_jwt_verify(v, claims, token, strlen(token), NOW, &err) !=
        MEREAU_OK)
        fail_msg("%s", err.text);
    assert_string_equal(mereau_claims_json(claims, NULL), payload);
    mereau_verifier_free(v);
    free(token);
    free(payload);
    return claims;
}

static void each_kind_is_read_as_what_it_is(void **state) {
    static const struct {
        const char *name;
        int32_t kind, truth;
        size_t count;
    } cases[] = {
        {"text", MEREAU_JSON_TEXT, -1, 1},
        {"int", MEREAU_JSON_NUMBER, -1, 1},
        {"yes", MEREAU_JSON_BOOL, 1, 1},
        {"no", MEREAU_JSON_BOOL, 0, 1},
        {"null", MEREAU_JSON_NULL, -1, 1},
        {"list", MEREAU_JSON_LIST, -1, 3},
        {"empty", MEREAU_JSON_LIST, -1, 0},
        {"object", MEREAU_JSON_OBJECT, -1, 2},
        {"absent", MEREAU_JSON_NONE, -1, 0},
        {"Text", MEREAU_JSON_NONE, -1, 0},
        {"", MEREAU_JSON_NONE, -1, 0},
    };
    mereau_claims *c = claims_of(
        "\"text\":\"x\",\"int\":1,\"yes\":true,\"no\":false,\"null\":null,"
        "\"list\":[1,\"b\",[]],\"empty\":[ ],\"object\":{\"a\":1,\"b\":{}}");
    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        assert_int_equal(mereau_claims_kind(c, cases[i].name), cases[i].kind);
        assert_int_equal(mereau_claims_bool(c, cases[i].name), cases[i].truth);
        assert_int_equal(mereau_claims_count(c, cases[i].name), cases[i].count);
    }
    mereau_claims_free(c);
}

static void whole_numbers_are_exact_and_others_near(void **state) {
    static const struct {
        const char *name;
        int64_t whole;
        int32_t there;
        double number;
    } cases[] = {
        {"most", INT64_MAX, 1, 9223372036854775807.0},
        {"least", INT64_MIN + 1, 1, -9223372036854775807.0},
        {"beyond", MEREAU_UNSET, 1, 9223372036854775808.0},
        {"odd", 9007199254740993, 1, 9007199254740992.0},
        {"exponent", 1500, 1, 1500},
        {"half", MEREAU_UNSET, 1, 0.5},
        {"third", MEREAU_UNSET, 1, -0.3},
        {"huge", MEREAU_UNSET, 0, 0},
        {"tiny", MEREAU_UNSET, 1, 5e-324},
        {"zero", 0, 1, 0},
        {"text", MEREAU_UNSET, 0, 0},
        {"absent", MEREAU_UNSET, 0, 0},
        {"auth_time", -2, 1, -1.5},
        {"exp", 1790000100, 1, 1790000100},
    };
    mereau_claims *c = claims_of(
        "\"most\":9223372036854775807,\"least\":-9223372036854775807,"
        "\"beyond\":9223372036854775808,\"odd\":9007199254740993,"
        "\"exponent\":15e2,\"half\":0.5,\"third\":-0.3,\"huge\":1e999,"
        "\"tiny\":5e-324,\"zero\":-0,\"text\":\"1\",\"auth_time\":-1.5");
    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        double number = 7;
        assert_true(mereau_claims_int(c, cases[i].name) == cases[i].whole);
        assert_int_equal(mereau_claims_number(c, cases[i].name, &number),
                         cases[i].there);
        if (number != cases[i].number)
            fail_msg("%s: %.17g", cases[i].name, number);
    }
    mereau_claims_free(c);
}

static void a_path_leads_into_lists_and_objects(void **state) {
    static const struct {
        const char *path, *text; /* NULL: there is no text */
    } cases[] = {
        {"/act/jkt", "thumb"},
        {"/roles/0/name", "first"},
        {"/roles/1/name", "se\"cond"},
        {"/roles/2/name", NULL},
        {"/roles/00/name", NULL},
        {"/roles/-/name", NULL},
        {"/roles/name", NULL},
        {"/roles/18446744073709551616/name", NULL},
        {"/a~1b", "slash"},
        {"/m~0n", "tilde"},
        {"/m~01n", "both"},
        {"/https:~1~1x.example~1roles/0", "admin"},
        {"/", "nameless"},
        {"/e//", "deep"},
        {"/act", NULL},
        {"/act/jkt/0", NULL},
        {"/act/jk", NULL},
        {"/act/jktt", NULL},
        {"/iss", "i"},
        {"act/jkt", NULL},
        {"/\xC3\xA9", "accent"},
    };
    mereau_claims *c =
        claims_of("\"act\":{\"a\":1,\"j\\u006bt\":\"thumb\"},"
                  "\"roles\":[{\"name\":\"first\"},{\"name\":\"se\\\"cond\"}],"
                  "\"a/b\":\"slash\",\"m~n\":\"tilde\",\"m~1n\":\"both\","
                  "\"https://x.example/roles\":[\"admin\"],\"\":\"nameless\","
                  "\"e\":{\"\":{\"\":\"deep\"}},\"\\u00e9\":\"accent\"");
    size_t len = 0;
    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        const char *text = mereau_claims_text(c, cases[i].path);
        if (!text != !cases[i].text ||
            (text && strcmp(text, cases[i].text) != 0))
            fail_msg("%s: %s", cases[i].path, text ? text : "none");
    }
    assert_string_equal(mereau_claims_text(c, ""), "nameless");
    assert_int_equal(mereau_claims_kind(c, "/roles/1"), MEREAU_JSON_OBJECT);
    assert_string_equal(mereau_claims_text_at(c, "/aud", 0), "a");
    const char *raw = mereau_claims_raw(c, "/roles/1", &len);
    assert_int_equal(len, strlen("{\"name\":\"se\\\"cond\"}"));
    assert_memory_equal(raw, "{\"name\":\"se\\\"cond\"}", len);
    assert_null(mereau_claims_raw(c, "/roles/2", &len));
    assert_int_equal(len, 0);
    mereau_claims_free(c);
}

static void every_one_of_many_members_is_found(void **state) {
    /* More than the index holds; with iss, aud and exp as many as an object may
     * have. */
    enum { N = MEREAU_MAX_MEMBERS - 3 };
    char *members = malloc(N * 32), name[16];
    size_t at = 0;
    (void)state;
    assert_non_null(members);
    for (int i = 0; i < N; i++)
        at += (size_t)snprintf(members + at, 32, "%s\"m%d\":[%d,\"t%d\"]",
                               i > 0 ? "," : "", i, i, i);
    mereau_claims *c = claims_of(members);
    for (int i = 0; i < N; i++) {
        char text[16];
        snprintf(name, sizeof name, "m%d", i);
        snprintf(text, sizeof text, "t%d", i);
        assert_string_equal(mereau_claims_text_at(c, name, 0), text);
        snprintf(name, sizeof name, "/m%d/0", i);
        assert_true(mereau_claims_int(c, name) == i);
    }
    assert_int_equal(mereau_claims_kind(c, "m253"), MEREAU_JSON_NONE);
    mereau_claims_free(c);
    free(members);
}

static void the_key_that_verified_is_named_unless_it_is_a_secret(void **state) {
    mereau_claims *c = claims_of("\"x\":1");
    (void)state;
    assert_string_equal(mereau_claims_thumbprint(c), "");
    mereau_claims_free(c);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(each_kind_is_read_as_what_it_is),
        cmocka_unit_test(whole_numbers_are_exact_and_others_near),
        cmocka_unit_test(a_path_leads_into_lists_and_objects),
        cmocka_unit_test(every_one_of_many_members_is_found),
        cmocka_unit_test(the_key_that_verified_is_named_unless_it_is_a_secret),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
