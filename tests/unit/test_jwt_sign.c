/* tests/unit/test_jwt_sign.c - making JWTs (mereau_jwt_sign): what is signed is what
 * a verifier takes, and nothing else is. */
#include <stdio.h>
#include <stdlib.h>

#include "alloc.h"
#include "crypto/crypto.h"
#include "jose_kit.h"

static const char claims[] =
    "{\"iss\":\"https://as.example\",\"aud\":\"https://rs.example\",\"sub\":"
    "\"user 1\",\"client_id\":\"app 1\",\"jti\":\"j-1\",\"iat\":1789999990,"
    "\"exp\":1790000300}";
enum { NOW = 1790000000 };

static mereau_verifier *verifier_of(const mereau_jwk *key) {
    mereau_verifier *v =
        mereau_verifier_new("https://as.example", "https://rs.example");
    mereau_bytes *text = mereau_bytes_new();
    int secret = strcmp(mereau_jwk_kty(key), "oct") == 0;
    mereau_jwk_write(text, key, secret ? MEREAU_JWK_PRIVATE : MEREAU_JWK_PUBLIC,
                     NULL);
    if (secret)
        mereau_verifier_add_secret(v, kit_secret(), KIT_SECRET,
                                   mereau_jwk_alg(key));
    else
        mereau_verifier_add_key(v, mereau_bytes_text(text),
                                strlen(mereau_bytes_text(text)),
                                mereau_jwk_alg(key));
    mereau_bytes_free(text);
    assert_int_equal(mereau_verifier_ready(v, NULL), MEREAU_OK);
    return v;
}

/* Of two key pairs that an issuer made, as at a rotation, a verifier must know which
 * one signed. */
static void tokens_of_two_new_keys_are_told_apart(void **state) {
    mereau_jwk *keys[2] = {NULL, NULL};
    mereau_bytes *token = mereau_bytes_new();
    mereau_error err = MEREAU_ERROR_INIT;
    mereau_verifier *v =
        mereau_verifier_new("https://as.example", "https://rs.example");
    (void)state;
    for (size_t i = 0; i < 2; i++) {
        assert_int_equal(
            mereau_jwk_generate(&keys[i], MEREAU_ALG_ES256, 0, NULL, &err),
            MEREAU_OK);
        mereau_verifier_add_jwk(v, keys[i]);
    }
    assert_int_equal(mereau_verifier_ready(v, &err), MEREAU_OK);
    for (size_t i = 0; i < 2; i++) {
        size_t len = 0;
        assert_int_equal(mereau_jwt_sign(token, keys[i], "at+jwt", claims,
                                         sizeof claims - 1, NULL, &err),
                         MEREAU_OK);
        const char *text = (const char *)mereau_bytes_data(token, &len);
        if (mereau_jwt_verify(v, NULL, text, len, NOW, &err) != MEREAU_OK)
            fail_msg("%s", err.text);
        mereau_jwk_free(keys[i]);
    }
    mereau_verifier_free(v);
    mereau_bytes_free(token);
}

static void every_algorithm_signs_what_a_verifier_takes(void **state) {
    mereau_bytes *token = mereau_bytes_new();
    mereau_claims *read = mereau_claims_new();
    int n = 0;
    (void)state;
    for (int32_t alg = MEREAU_ALG_HS256; alg <= MEREAU_ALG_EDDSA; alg++) {
        mereau_error err = MEREAU_ERROR_INIT;
        mereau_jwk *key = kit_key(alg, 0);
        size_t len = 0;
        if (!key)
            continue;
        mereau_verifier *v = verifier_of(key);
        assert_int_equal(mereau_jwt_sign(token, key, "at+jwt", claims,
                                         sizeof claims - 1, NULL, &err),
                         MEREAU_OK);
        const char *text = (const char *)mereau_bytes_data(token, &len);
        if (mereau_jwt_verify(v, read, text, len, NOW, &err) != MEREAU_OK)
            fail_msg("%s", err.text);
        assert_string_equal(mereau_claims_json(read, &len), claims);
        mereau_verifier_free(v);
        mereau_jwk_free(key);
        n++;
    }
    assert_true(n >= 13);
    mereau_bytes_free(token);
    mereau_claims_free(read);
}

static void the_header_has_alg_typ_and_a_given_kid(void **state) {
    mereau_jwk *plain = kit_key(MEREAU_ALG_HS256, 0);
    mereau_jwk *named = kit_named(MEREAU_ALG_HS256, 0, "k \"1\"");
    mereau_bytes *token = mereau_bytes_new();
    const struct {
        const mereau_jwk *key;
        const char *typ, *header;
    } rows[] = {
        {plain, NULL, "{\"alg\":\"HS256\"}"},
        {plain, "JWT", "{\"alg\":\"HS256\",\"typ\":\"JWT\"}"},
        {named, NULL, "{\"alg\":\"HS256\",\"kid\":\"k \\\"1\\\"\"}"},
        {named, "a\\b",
         "{\"alg\":\"HS256\",\"typ\":\"a\\\\b\",\"kid\":\"k \\\"1\\\"\"}"},
    };
    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        assert_int_equal(mereau_jwt_sign(token, rows[i].key, rows[i].typ, "{}",
                                         2, NULL, NULL),
                         MEREAU_OK);
        char *header = kit_header(mereau_bytes_text(token));
        assert_string_equal(header, rows[i].header);
        free(header);
    }
    mereau_jwk_free(plain);
    mereau_jwk_free(named);
    mereau_bytes_free(token);
}

static void claims_that_no_verifier_takes_are_not_signed(void **state) {
    static const struct {
        const char *claims;
        mereau_status status;
    } rows[] = {{"", MEREAU_E_MALFORMED},
                {"[]", MEREAU_E_MALFORMED},
                {"\"x\"", MEREAU_E_MALFORMED},
                {"{\"a\":1,\"a\":2}", MEREAU_E_MALFORMED},
                {"{\"a\":1,\"\\u0061\":2}", MEREAU_E_MALFORMED},
                {"{\"a\":01}", MEREAU_E_MALFORMED},
                {"{\"a\":\"\xff\"}", MEREAU_E_MALFORMED},
                {"{\"a\":\"\\ud800\"}", MEREAU_E_MALFORMED},
                {"\xef\xbb\xbf{}", MEREAU_E_MALFORMED},
                {"{} x", MEREAU_E_MALFORMED},
                {"{}", MEREAU_OK},
                {" { \"a\" : 1 } ", MEREAU_OK}};
    mereau_jwk *key = kit_key(MEREAU_ALG_HS256, 0);
    mereau_bytes *token = mereau_bytes_new();
    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        mereau_error err = MEREAU_ERROR_INIT;
        mereau_status status =
            mereau_jwt_sign(token, key, "JWT", rows[i].claims,
                            strlen(rows[i].claims), NULL, &err);
        if (status != rows[i].status)
            fail_msg("%s: %d", rows[i].claims, status);
        assert_true(
            status == MEREAU_OK ||
            (err.rule[0] != '\0' && mereau_bytes_text(token)[0] == '\0'));
    }
    mereau_jwk_free(key);
    mereau_bytes_free(token);
}

static void what_is_too_long_for_a_verifier_is_not_signed(void **state) {
    static char text[16000];
    mereau_error err = MEREAU_ERROR_INIT;
    mereau_jwk *key = kit_key(MEREAU_ALG_HS256, 0);
    mereau_bytes *token = mereau_bytes_new();
    size_t len = 11000, token_len = 0;
    mereau_status status;
    (void)state;
    do {
        snprintf(text, sizeof text, "{\"a\":\"%0*d\"}", (int)(len - 8), 0);
        assert_int_equal(strlen(text), len);
        status = mereau_jwt_sign(token, key, "JWT", text, len, NULL, &err);
        if (status == MEREAU_OK)
            mereau_bytes_data(token, &token_len);
        len++;
    } while (status == MEREAU_OK);
    assert_int_equal(status, MEREAU_E_TOO_LONG);
    assert_string_equal(err.rule, "jwt.length");
    assert_in_range(token_len, MEREAU_MAX_TOKEN - 2, MEREAU_MAX_TOKEN);
    mereau_jwk_free(key);
    mereau_bytes_free(token);
}

static void wrong_arguments_are_named(void **state) {
    mereau_error err = MEREAU_ERROR_INIT, odd = MEREAU_ERROR_INIT;
    const mereau_random empty = {(uint32_t)sizeof empty, 0, NULL, NULL};
    mereau_jwk *key = kit_key(MEREAU_ALG_HS256, 0);
    mereau_jwk *enc = kit_key(MEREAU_ALG_A128KW, 0);
    mereau_jwk *pair = kit_key(MEREAU_ALG_ES256, 0), *public = NULL;
    mereau_bytes *out = mereau_bytes_new();
    char typ[200];
    (void)state;
    odd.size = 1;
    memset(typ, 'a', sizeof typ);
    typ[129] = '\0';
    assert_int_equal(mereau_jwk_public(&public, pair, NULL), MEREAU_OK);
    assert_int_equal(mereau_jwt_sign(NULL, key, NULL, "{}", 2, NULL, &err),
                     MEREAU_E_NOMEM);
    assert_int_equal(mereau_jwt_sign(out, NULL, NULL, "{}", 2, NULL, &err),
                     MEREAU_E_ARG);
    assert_int_equal(mereau_jwt_sign(out, key, NULL, NULL, 2, NULL, &err),
                     MEREAU_E_ARG);
    assert_int_equal(mereau_jwt_sign(out, key, NULL, "{}", 2, &empty, &err),
                     MEREAU_E_ARG);
    assert_int_equal(mereau_jwt_sign(out, key, NULL, "{}", 2, NULL, &odd),
                     MEREAU_E_SIZE);
    assert_int_equal(mereau_jwt_sign(out, key, "", "{}", 2, NULL, &err),
                     MEREAU_E_ARG);
    assert_string_equal(err.rule, "jwt.typ");
    assert_int_equal(mereau_jwt_sign(out, key, "\xff", "{}", 2, NULL, &err),
                     MEREAU_E_ARG);
    assert_int_equal(mereau_jwt_sign(out, key, typ, "{}", 2, NULL, &err),
                     MEREAU_E_ARG);
    typ[128] = '\0';
    assert_int_equal(mereau_jwt_sign(out, key, typ, "{}", 2, NULL, &err),
                     MEREAU_OK);
    assert_int_equal(mereau_jwt_sign(out, enc, NULL, "{}", 2, NULL, &err),
                     MEREAU_E_ALG);
    assert_int_equal(mereau_jwt_sign(out, public, NULL, "{}", 2, NULL, &err),
                     MEREAU_E_KEY);
    assert_string_equal(err.rule, "jwt.key");
    mereau_jwk_free(key);
    mereau_jwk_free(enc);
    mereau_jwk_free(pair);
    mereau_jwk_free(public);
    mereau_bytes_free(out);
}

static void signing_with_a_secret_again_allocates_nothing(void **state) {
    mereau_jwk *key = kit_named(MEREAU_ALG_HS256, 0, "mine");
    mereau_bytes *token = mereau_bytes_new();
    (void)state;
    if (!test_alloc_available())
        skip();
    for (int i = 0; i < 3; i++) {
        unsigned long before = test_alloc_count();
        assert_int_equal(mereau_jwt_sign(token, key, "at+jwt", claims,
                                         sizeof claims - 1, NULL, NULL),
                         MEREAU_OK);
        if (i > 0 && strncmp(mru_crypto_name(), "mbedTLS", 7) == 0)
            assert_int_equal(test_alloc_count() - before, 0);
    }
    mereau_jwk_free(key);
    mereau_bytes_free(token);
}

static mereau_status sign_both(const mereau_jwk *key, const mereau_jwk *to) {
    mereau_bytes *token = mereau_bytes_new();
    mereau_status status = mereau_jwt_sign(token, key, "JWT", claims,
                                           sizeof claims - 1, NULL, NULL);
    if (status == MEREAU_OK)
        status =
            mereau_jwt_sign_encrypted(token, key, to, MEREAU_ENC_A128GCM, "JWT",
                                      claims, sizeof claims - 1, NULL, NULL);
    mereau_bytes_free(token);
    return status;
}

static void every_failing_allocation_is_survived(void **state) {
    mereau_jwk *key = kit_key(MEREAU_ALG_HS256, 0);
    mereau_jwk *to = kit_key(MEREAU_ALG_A128KW, 0);
    (void)state;
    if (!test_alloc_available())
        skip();
    for (unsigned long n = 1;; n++) {
        long live = test_alloc_live();
        test_alloc_fail_at(n);
        mereau_status status = sign_both(key, to);
        int over = test_alloc_pending();
        test_alloc_fail_at(0);
        assert_int_equal(test_alloc_live(), live);
        assert_true(over
                        ? status == MEREAU_OK
                        : test_alloc_told(status) || status == MEREAU_E_CRYPTO);
        if (over)
            break;
    }
    mereau_jwk_free(key);
    mereau_jwk_free(to);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(tokens_of_two_new_keys_are_told_apart),
        cmocka_unit_test(every_algorithm_signs_what_a_verifier_takes),
        cmocka_unit_test(the_header_has_alg_typ_and_a_given_kid),
        cmocka_unit_test(claims_that_no_verifier_takes_are_not_signed),
        cmocka_unit_test(what_is_too_long_for_a_verifier_is_not_signed),
        cmocka_unit_test(wrong_arguments_are_named),
        cmocka_unit_test(signing_with_a_secret_again_allocates_nothing),
        cmocka_unit_test(every_failing_allocation_is_survived),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
