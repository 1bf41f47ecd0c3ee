/* tests/unit/test_nested.c - JWTs that are signed and then encrypted, both ways: a
 * verifier with keys to decrypt with takes these and nothing else, and what is
 * inside is judged like any token. */
#include <stdio.h>
#include <stdlib.h>

#include "alloc.h"
#include "jose_kit.h"

#define ISSUER "https://as.example"
#define AUDIENCE "https://rs.example"
enum { NOW = 1790000000 };

static const char claims[] =
    "{\"iss\":\"" ISSUER "\",\"aud\":\"" AUDIENCE "\",\"sub\":\"user 1\","
    "\"client_id\":\"app 1\",\"jti\":\"j-1\",\"iat\":1789999990,"
    "\"exp\":1790000300}";

struct nest {
    mereau_jwk *signer, *reader;
    mereau_bytes *token;
};

static void open_nest(struct nest *n, int32_t alg) {
    n->signer = kit_key(MEREAU_ALG_HS256, 0);
    n->reader = kit_key(alg, 0);
    n->token = mereau_bytes_new();
    assert_int_equal(mereau_jwt_sign_encrypted(
                         n->token, n->signer, n->reader, MEREAU_ENC_A256GCM,
                         "at+jwt", claims, sizeof claims - 1, NULL, NULL),
                     MEREAU_OK);
}

static void close_nest(struct nest *n) {
    mereau_jwk_free(n->signer);
    mereau_jwk_free(n->reader);
    mereau_bytes_free(n->token);
}

static mereau_verifier *verifier_of(const struct nest *n, int unencrypted_too,
                                    int with_reader) {
    mereau_verifier *v = mereau_verifier_new(ISSUER, AUDIENCE);
    mereau_verifier_add_jwk(v, n->signer);
    if (with_reader)
        mereau_verifier_add_decryption_key(v, n->reader);
    if (unencrypted_too)
        mereau_verifier_accept_unencrypted(v);
    assert_int_equal(mereau_verifier_ready(v, NULL), MEREAU_OK);
    return v;
}

static void answers(const mereau_verifier *v, const char *token,
                    mereau_status status, const char *rule) {
    mereau_error err = MEREAU_ERROR_INIT;
    mereau_claims *read = mereau_claims_new();
    mereau_status got =
        mereau_jwt_verify(v, read, token, strlen(token), NOW, &err);
    if (got != status || strcmp(err.rule, rule) != 0)
        fail_msg("%d %s, not %d %s", got, err.text, status, rule);
    assert_string_equal(mereau_claims_json(read, NULL),
                        status == MEREAU_OK ? claims : "");
    mereau_claims_free(read);
}

/* Encrypts any text under any header members; to be freed. */
static char *outer(const mereau_jwk *to, const char *header,
                   const char *inner) {
    mereau_bytes *out = mereau_bytes_new();
    assert_int_equal(mereau_jwe_encrypt(out, to, MEREAU_ENC_A256GCM, header,
                                        (const uint8_t *)inner, strlen(inner),
                                        NULL, NULL),
                     MEREAU_OK);
    char *text = strdup(mereau_bytes_text(out));
    mereau_bytes_free(out);
    return text;
}

static char *inner_of(const struct nest *n, const char *typ, const char *text) {
    mereau_bytes *out = mereau_bytes_new();
    assert_int_equal(
        mereau_jwt_sign(out, n->signer, typ, text, strlen(text), NULL, NULL),
        MEREAU_OK);
    char *token = strdup(mereau_bytes_text(out));
    mereau_bytes_free(out);
    return token;
}

static void an_encrypted_token_is_opened_and_verified(void **state) {
    static const int32_t algs[] = {
        MEREAU_ALG_DIR,          MEREAU_ALG_A128KW,  MEREAU_ALG_A256KW,
        MEREAU_ALG_RSA_OAEP_256, MEREAU_ALG_ECDH_ES, MEREAU_ALG_ECDH_ES_A256KW};
    (void)state;
    for (size_t i = 0; i < sizeof algs / sizeof algs[0]; i++) {
        struct nest n;
        open_nest(&n, algs[i]);
        mereau_verifier *v = verifier_of(&n, 0, 1);
        char *header = kit_header(mereau_bytes_text(n.token));
        assert_non_null(strstr(header, "\"cty\":\"JWT\""));
        answers(v, mereau_bytes_text(n.token), MEREAU_OK, "");
        free(header);
        mereau_verifier_free(v);
        close_nest(&n);
    }
}

static void
a_token_that_is_only_signed_is_refused_unless_allowed(void **state) {
    struct nest n;
    (void)state;
    open_nest(&n, MEREAU_ALG_A256KW);
    mereau_verifier *strict = verifier_of(&n, 0, 1);
    mereau_verifier *both = verifier_of(&n, 1, 1);
    mereau_verifier *none = verifier_of(&n, 0, 0);
    char *plain = inner_of(&n, "at+jwt", claims);
    answers(strict, plain, MEREAU_E_KIND, "jwt.encryption");
    answers(both, plain, MEREAU_OK, "");
    answers(none, plain, MEREAU_OK, "");
    answers(both, mereau_bytes_text(n.token), MEREAU_OK, "");
    answers(none, mereau_bytes_text(n.token), MEREAU_E_MALFORMED, "jwt.form");
    /* Also for a caller who asks with a header, and when it was seen before. */
    answers(strict, plain, MEREAU_E_KIND, "jwt.encryption");
    free(plain);
    mereau_verifier_free(strict);
    mereau_verifier_free(both);
    mereau_verifier_free(none);
    close_nest(&n);
}

static void what_is_inside_is_judged_like_any_token(void **state) {
    struct nest n;
    char *inside, *token;
    (void)state;
    open_nest(&n, MEREAU_ALG_A256KW);
    mereau_verifier *v = verifier_of(&n, 0, 1);
    const char *cty = "{\"cty\":\"JWT\"}";
    struct {
        const char *typ, *claims;
        mereau_status status;
        const char *rule;
    } rows[] = {{"JWT", claims, MEREAU_E_KIND, "jwt.typ"},
                {"at+jwt", "{}", MEREAU_E_ISSUER, "jwt.iss"},
                {"at+jwt", "{\"iss\":\"" ISSUER "\",\"aud\":\"other\"}",
                 MEREAU_E_AUDIENCE, "jwt.aud"},
                {"at+jwt",
                 "{\"iss\":\"" ISSUER "\",\"aud\":\"" AUDIENCE
                 "\",\"sub\":\"u\","
                 "\"client_id\":\"a\",\"jti\":\"j\",\"iat\":1,\"exp\":2}",
                 MEREAU_E_EXPIRED, "jwt.exp"}};
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        inside = inner_of(&n, rows[i].typ, rows[i].claims);
        token = outer(n.reader, cty, inside);
        answers(v, token, rows[i].status, rows[i].rule);
        free(inside);
        free(token);
    }
    /* A signature that is wrong, or none at all. */
    inside = inner_of(&n, "at+jwt", claims);
    inside[strlen(inside) - 2] ^= 1;
    token = outer(n.reader, cty, inside);
    answers(v, token, MEREAU_E_SIGNATURE, "jwt.signature");
    free(inside);
    free(token);
    token = outer(n.reader, cty, claims);
    answers(v, token, MEREAU_E_MALFORMED, "jwt.form");
    free(token);
    /* The key to read with is none to verify with. */
    inside = kit_forged("{\"alg\":\"A256KW\"}", "e30", NULL);
    token = outer(n.reader, cty, inside);
    answers(v, token, MEREAU_E_ALG, "jwt.alg");
    free(inside);
    free(token);
    mereau_verifier_free(v);
    close_nest(&n);
}

static void there_is_exactly_one_outer_layer(void **state) {
    struct nest n;
    (void)state;
    open_nest(&n, MEREAU_ALG_A256KW);
    mereau_verifier *v = verifier_of(&n, 1, 1);
    char *twice =
        outer(n.reader, "{\"cty\":\"JWT\"}", mereau_bytes_text(n.token));
    answers(v, twice, MEREAU_E_MALFORMED, "jwt.form");
    free(twice);
    mereau_verifier_free(v);
    close_nest(&n);
}

static void the_content_must_say_that_it_is_a_jwt(void **state) {
    static const struct {
        const char *header;
        int right;
    } rows[] = {{NULL, 0},
                {"{\"cty\":\"JWT\"}", 1},
                {"{\"cty\":\"jwt\"}", 1},
                {"{\"cty\":\"application/jwt\"}", 1},
                {"{\"cty\":\"text/plain\"}", 0},
                {"{\"typ\":\"JWT\"}", 0}};
    struct nest n;
    (void)state;
    open_nest(&n, MEREAU_ALG_A256KW);
    mereau_verifier *v = verifier_of(&n, 0, 1);
    char *inside = inner_of(&n, "at+jwt", claims);
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        char *token = outer(n.reader, rows[i].header, inside);
        answers(v, token, rows[i].right ? MEREAU_OK : MEREAU_E_KIND,
                rows[i].right ? "" : "jwt.cty");
        free(token);
    }
    free(inside);
    mereau_verifier_free(v);
    close_nest(&n);
}

/* RFC 7519 section 5.3: so that a gateway that cannot decrypt is not misled. */
static void what_the_outer_header_repeats_must_be_what_is_signed(void **state) {
    static const struct {
        const char *header;
        int right;
    } rows[] = {{"{\"cty\":\"JWT\",\"iss\":\"" ISSUER "\",\"aud\":\"" AUDIENCE
                 "\"}",
                 1},
                {"{\"cty\":\"JWT\",\"iss\":\"https:\\/\\/as.example\"}", 1},
                {"{\"cty\":\"JWT\",\"iss\":\"https://other.example\"}", 0},
                {"{\"cty\":\"JWT\",\"sub\":\"somebody else\"}", 0},
                {"{\"cty\":\"JWT\",\"aud\":[\"" AUDIENCE "\"]}", 0},
                {"{\"cty\":\"JWT\",\"jti\":\"of the outside\"}", 1}};
    struct nest n;
    (void)state;
    open_nest(&n, MEREAU_ALG_A256KW);
    mereau_verifier *v = verifier_of(&n, 0, 1);
    char *inside = inner_of(&n, "at+jwt", claims);
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        char *token = outer(n.reader, rows[i].header, inside);
        answers(v, token, rows[i].right ? MEREAU_OK : MEREAU_E_MALFORMED,
                rows[i].right ? "" : "jwt.replica");
        free(token);
    }
    free(inside);
    mereau_verifier_free(v);
    close_nest(&n);
}

static void no_character_of_a_nested_token_can_be_changed(void **state) {
    struct nest n;
    (void)state;
    open_nest(&n, MEREAU_ALG_A256KW);
    mereau_verifier *v = verifier_of(&n, 1, 1);
    char *token = strdup(mereau_bytes_text(n.token));
    mereau_claims *read = mereau_claims_new();
    for (size_t i = 0; token[i] != '\0'; i++) {
        char was = token[i];
        for (int bit = 0; bit < 6; bit++) {
            mereau_error err = MEREAU_ERROR_INIT;
            token[i] = (char)(was ^ 1 << bit);
            assert_int_not_equal(
                mereau_jwt_verify(v, read, token, strlen(token), NOW, &err),
                MEREAU_OK);
            assert_true(err.rule[0] != '\0');
        }
        token[i] = was;
    }
    answers(v, token, MEREAU_OK, "");
    free(token);
    mereau_claims_free(read);
    mereau_verifier_free(v);
    close_nest(&n);
}

static void a_key_that_cannot_decrypt_is_a_mistake(void **state) {
    static const int32_t algs[] = {MEREAU_ALG_HS256, MEREAU_ALG_ECDH_ES};
    (void)state;
    for (size_t i = 0; i < 2; i++) {
        mereau_error err = MEREAU_ERROR_INIT;
        mereau_jwk *key = kit_key(algs[i], 0), *half = NULL;
        mereau_verifier *v = mereau_verifier_new(ISSUER, AUDIENCE);
        mereau_verifier_add_secret(v, kit_secret(), 64, MEREAU_ALG_HS256);
        if (i == 1)
            assert_int_equal(mereau_jwk_public(&half, key, NULL), MEREAU_OK);
        mereau_verifier_add_decryption_key(v, half ? half : key);
        assert_int_equal(mereau_verifier_ready(v, &err), MEREAU_E_KEY);
        assert_string_equal(err.rule, "verifier.decryption_key");
        mereau_verifier_free(v);
        mereau_jwk_free(key);
        mereau_jwk_free(half);
    }
}

static void who_cannot_decrypt_is_told_that_it_is_encrypted(void **state) {
    struct nest n;
    mereau_error err = MEREAU_ERROR_INIT;
    (void)state;
    open_nest(&n, MEREAU_ALG_A256KW);
    mereau_verifier *v = verifier_of(&n, 0, 0);
    const char *token = mereau_bytes_text(n.token);
    assert_int_equal(
        mereau_jwt_verify(v, NULL, token, strlen(token), NOW, &err),
        MEREAU_E_MALFORMED);
    assert_non_null(strstr(err.text, "encrypted"));
    mereau_verifier_free(v);
    close_nest(&n);
}

/* The key that verifies must be one for signatures, whoever adds it. */
static void a_key_for_encryption_verifies_nothing(void **state) {
    mereau_error err = MEREAU_ERROR_INIT;
    mereau_jwk *key = kit_key(MEREAU_ALG_A256KW, 0);
    mereau_verifier *v = mereau_verifier_new(ISSUER, AUDIENCE);
    (void)state;
    mereau_verifier_add_jwk(v, key);
    assert_int_not_equal(mereau_verifier_ready(v, &err), MEREAU_OK);
    mereau_verifier_free(v);
    mereau_jwk_free(key);
}

static mereau_status set_up_and_verify(const struct nest *n) {
    mereau_verifier *v = mereau_verifier_new(ISSUER, AUDIENCE);
    mereau_verifier_add_jwk(v, n->signer);
    mereau_verifier_add_decryption_key(v, n->reader);
    mereau_verifier_accept_unencrypted(v);
    mereau_status status = mereau_verifier_ready(v, NULL);
    if (status == MEREAU_OK)
        status =
            mereau_jwt_verify(v, NULL, mereau_bytes_text(n->token),
                              strlen(mereau_bytes_text(n->token)), NOW, NULL);
    mereau_verifier_free(v);
    return status;
}

static void every_failing_allocation_is_survived(void **state) {
    struct nest n;
    (void)state;
    if (!test_alloc_available())
        skip();
    open_nest(&n, MEREAU_ALG_A256KW);
    for (unsigned long at = 1;; at++) {
        long live = test_alloc_live();
        test_alloc_fail_at(at);
        mereau_status status = set_up_and_verify(&n);
        int over = test_alloc_pending();
        test_alloc_fail_at(0);
        assert_int_equal(test_alloc_live(), live);
        /* Without memory to remember a header nothing is missing. */
        assert_true(
            status == MEREAU_OK ||
            (!over && (status == MEREAU_E_NOMEM || status == MEREAU_E_CRYPTO)));
        if (over)
            break;
    }
    close_nest(&n);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(an_encrypted_token_is_opened_and_verified),
        cmocka_unit_test(a_token_that_is_only_signed_is_refused_unless_allowed),
        cmocka_unit_test(what_is_inside_is_judged_like_any_token),
        cmocka_unit_test(there_is_exactly_one_outer_layer),
        cmocka_unit_test(the_content_must_say_that_it_is_a_jwt),
        cmocka_unit_test(what_the_outer_header_repeats_must_be_what_is_signed),
        cmocka_unit_test(no_character_of_a_nested_token_can_be_changed),
        cmocka_unit_test(a_key_that_cannot_decrypt_is_a_mistake),
        cmocka_unit_test(who_cannot_decrypt_is_told_that_it_is_encrypted),
        cmocka_unit_test(a_key_for_encryption_verifies_nothing),
        cmocka_unit_test(every_failing_allocation_is_survived),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
