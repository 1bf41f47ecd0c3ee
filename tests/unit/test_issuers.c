/* tests/unit/test_issuers.c - a set of trusted issuers: the unverified iss picks the
 * verifier and decides nothing else. */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <mereau/verify.h>

#include "alloc.h"
#include "key_texts.h"
#include "tokens.h"

enum { NOW = 1790000000 };

static char *token_for(const mru_key *key, const char *iss, const char *aud) {
    char header[256], payload[1024];
    snprintf(header, sizeof header,
             "{\"alg\":\"%s\",\"typ\":\"JWT\",\"kid\":\"k\"}",
             mru_alg_name(mru_key_alg(key)));
    snprintf(payload, sizeof payload,
             "{\"iss\":\"%s\",\"aud\":\"%s\",\"exp\":1790000100,"
             "\"scope\":\"read\",\"nonce\":\"n\"}",
             iss, aud);
    return token_signed(key, header, payload);
}

/* Of one issuer, whose key set is given as JWKS. */
static mereau_verifier *verifier_of(const char *iss, const char *aud,
                                    mru_key *key) {
    mereau_error err = MEREAU_ERROR_INIT;
    struct mru_buf jwks = {0};
    mereau_verifier *v = mereau_verifier_new_for(MEREAU_PROFILE_JWT, iss, aud);
    assert_int_equal(mru_key_set_kid(key, "k", 1), MEREAU_OK);
    mru_buf_add_text(&jwks, "{\"keys\":[");
    assert_int_equal(mru_key_print_public(&jwks, key), 0);
    mru_buf_add_text(&jwks, "]}");
    mereau_verifier_set_jwks(v, (const char *)jwks.data, jwks.len);
    mereau_verifier_accept_any_type(v);
    if (mereau_verifier_ready(v, &err) != MEREAU_OK)
        fail_msg("%s", err.text);
    mru_buf_free(&jwks);
    return v;
}

static void put(mereau_issuers *set, mereau_verifier *v) {
    mereau_error err = MEREAU_ERROR_INIT;
    assert_int_equal(mereau_issuers_add(set, v, &err), MEREAU_OK);
    mereau_verifier_free(v); /* the set holds it */
}

static void answers(const mereau_issuers *set, char *token,
                    mereau_status status, const char *rule) {
    mereau_error err = MEREAU_ERROR_INIT;
    mereau_claims *claims = mereau_claims_new();
    mereau_status got =
        mereau_issuers_verify(set, claims, token, strlen(token), NOW, &err);
    if (got != status || strcmp(err.rule, rule) != 0)
        fail_msg("%d %s, not %d %s", got, err.text, status, rule);
    assert_int_equal(mereau_claims_text(claims, "iss") != NULL,
                     status == MEREAU_OK);
    mereau_claims_free(claims);
    free(token);
}

static void each_issuer_answers_for_itself_only(void **state) {
    mru_key *ec = token_key(ec_pkcs8, MEREAU_ALG_ES256);
    mru_key *rsa = token_key(rsa_pkcs8, MEREAU_ALG_RS256);
    mereau_issuers *set = mereau_issuers_new();
    mereau_error err = MEREAU_ERROR_INIT;
    (void)state;
    put(set, verifier_of("https://a.example", "x", ec));
    put(set, verifier_of("https://b.example", "y", rsa));
    answers(set, token_for(ec, "https://a.example", "x"), MEREAU_OK, "");
    answers(set, token_for(rsa, "https://b.example", "y"), MEREAU_OK, "");
    /* Neither another's key, though of the same kid, nor its audience. */
    answers(set, token_for(ec, "https://b.example", "y"), MEREAU_E_ALG,
            "jwt.alg");
    answers(set, token_for(rsa, "https://b.example", "x"), MEREAU_E_AUDIENCE,
            "jwt.aud");
    answers(set, token_for(ec, "https://c.example", "x"), MEREAU_E_ISSUER,
            "jwt.iss");
    answers(set, token_for(ec, "https://a.example/", "x"), MEREAU_E_ISSUER,
            "jwt.iss");
    answers(set, token_signed(ec, "{\"alg\":\"ES256\"}", "{\"iss\":7}"),
            MEREAU_E_ISSUER, "jwt.iss");
    answers(set, token_signed(ec, "{\"alg\":\"ES256\"}", "[]"),
            MEREAU_E_MALFORMED, "jwt.payload");
    answers(set, strdup("a.b"), MEREAU_E_MALFORMED, "jwt.form");
    char *token = token_for(ec, "https://a.example", "x");
    char *last = token + strlen(token) - 9;
    *last = *last == 'A' ? 'B' : 'A';
    answers(set, token, MEREAU_E_SIGNATURE, "jwt.signature");
    /* What is expected is checked as everywhere. */
    mereau_expect *e = mereau_expect_new();
    token = token_for(ec, "https://a.example", "x");
    mereau_expect_set(e, MEREAU_EXPECT_NONCE, "n");
    assert_int_equal(mereau_issuers_verify_expecting(
                         set, NULL, token, strlen(token), e, NOW, &err),
                     MEREAU_OK);
    mereau_expect_set(e, MEREAU_EXPECT_NONCE, "m");
    assert_int_equal(mereau_issuers_verify_expecting(
                         set, NULL, token, strlen(token), e, NOW, &err),
                     MEREAU_E_CLAIM);
    assert_int_equal(mereau_issuers_verify_expecting(
                         set, NULL, token, strlen(token), NULL, NOW, &err),
                     MEREAU_E_NOMEM);
    free(token);
    mereau_expect_free(e);
    mereau_issuers_free(set);
    mru_key_free(ec);
    mru_key_free(rsa);
}

static void issuers_come_and_go(void **state) {
    mru_key *ec = token_key(ec_pkcs8, MEREAU_ALG_ES256);
    mereau_issuers *set = mereau_issuers_new();
    (void)state;
    put(set, verifier_of("https://a.example", "x", ec));
    assert_non_null(mereau_issuers_find(set, "https://a.example"));
    assert_null(mereau_issuers_find(set, "https://b.example"));
    /* The same issuer again: with other rules. */
    put(set, verifier_of("https://a.example", "z", ec));
    answers(set, token_for(ec, "https://a.example", "x"), MEREAU_E_AUDIENCE,
            "jwt.aud");
    answers(set, token_for(ec, "https://a.example", "z"), MEREAU_OK, "");
    assert_int_equal(mereau_issuers_remove(set, "https://b.example"), 0);
    assert_int_equal(mereau_issuers_remove(set, "https://a.example"), 1);
    assert_int_equal(mereau_issuers_remove(set, "https://a.example"), 0);
    answers(set, token_for(ec, "https://a.example", "z"), MEREAU_E_ISSUER,
            "jwt.iss");
    mereau_issuers_free(set);
    mru_key_free(ec);
}

static void many_issuers_are_all_found(void **state) {
    enum { N = 300 };
    mereau_issuers *set = mereau_issuers_new();
    mereau_error err = MEREAU_ERROR_INIT;
    char iss[64];
    (void)state;
    for (int i = 0; i < N; i++) {
        snprintf(iss, sizeof iss, "https://%d.example", i);
        mereau_verifier *v =
            mereau_verifier_new_for(MEREAU_PROFILE_JWT, iss, "x");
        mereau_verifier_add_secret(v, token_secret, sizeof token_secret,
                                   MEREAU_ALG_HS256);
        assert_int_equal(mereau_verifier_ready(v, &err), MEREAU_OK);
        put(set, v);
    }
    for (int i = 0; i < N; i += 2) {
        snprintf(iss, sizeof iss, "https://%d.example", i);
        assert_int_equal(mereau_issuers_remove(set, iss), 1);
    }
    for (int i = 0; i < N; i++) {
        snprintf(iss, sizeof iss, "https://%d.example", i);
        assert_int_equal(mereau_issuers_find(set, iss) != NULL, i % 2);
    }
    mereau_issuers_free(set);
}

static void only_a_ready_verifier_of_an_issuer_is_taken(void **state) {
    mereau_error err = MEREAU_ERROR_INIT;
    mereau_issuers *set = mereau_issuers_new();
    mereau_verifier *v = mereau_verifier_new("https://a.example", "x");
    (void)state;
    assert_int_equal(mereau_issuers_add(set, v, &err), MEREAU_E_STATE);
    mereau_verifier_free(v);
    v = mereau_verifier_new_for(MEREAU_PROFILE_DPOP, NULL, NULL);
    assert_int_equal(mereau_verifier_ready(v, &err), MEREAU_OK);
    assert_int_equal(mereau_issuers_add(set, v, &err), MEREAU_E_ARG);
    assert_string_equal(err.rule, "issuers.issuer");
    assert_int_equal(mereau_issuers_add(set, NULL, &err), MEREAU_E_NOMEM);
    assert_int_equal(mereau_issuers_add(NULL, v, &err), MEREAU_E_NOMEM);
    mereau_verifier_free(v);
    mereau_issuers_free(set);
}

static void issuers_whose_keys_are_wanted_are_named_once(void **state) {
    mru_key *ec = token_key(ec_pkcs8, MEREAU_ALG_ES256);
    mereau_issuers *set = mereau_issuers_new();
    const char *first, *second;
    (void)state;
    put(set, verifier_of("https://a.example", "x", ec));
    put(set, verifier_of("https://b.example", "x", ec));
    assert_null(mereau_issuers_wants_jwks(set, NOW)); /* ages count from here */
    assert_null(mereau_issuers_wants_jwks(set, NOW + 3599));
    first = mereau_issuers_wants_jwks(set, NOW + 3600);
    second = mereau_issuers_wants_jwks(set, NOW + 3600);
    assert_non_null(first);
    assert_non_null(second);
    assert_string_not_equal(first, second);
    assert_null(mereau_issuers_wants_jwks(set, NOW + 3600));
    assert_non_null(mereau_issuers_wants_jwks(set, NOW + 3660));
    mereau_issuers_free(set);
    mru_key_free(ec);
}

/* --- threads --- */

struct user {
    mereau_issuers *set;
    const char *token;
    atomic_int *stop;
    int wrong;
};

static void *use(void *arg) {
    struct user *u = arg;
    mereau_claims *claims = mereau_claims_new();
    do {
        mereau_error err = MEREAU_ERROR_INIT;
        mereau_status status = mereau_issuers_verify(
            u->set, claims, u->token, strlen(u->token), NOW, &err);
        if (status != MEREAU_OK && status != MEREAU_E_ISSUER)
            u->wrong = 1;
    } while (!atomic_load(u->stop));
    mereau_claims_free(claims);
    return NULL;
}

static void issuers_come_and_go_under_running_verifications(void **state) {
    enum { USERS = 4 };
    mru_key *ec = token_key(ec_pkcs8, MEREAU_ALG_ES256);
    mereau_issuers *set = mereau_issuers_new();
    char *token = token_for(ec, "https://a.example", "x");
    pthread_t threads[USERS];
    struct user users[USERS];
    atomic_int stop = 0;
    (void)state;
    for (size_t i = 0; i < USERS; i++) {
        struct user one = {set, token, &stop, 0};
        users[i] = one;
        assert_int_equal(pthread_create(&threads[i], NULL, use, &users[i]), 0);
    }
    for (int i = 0; i < 20; i++) {
        put(set, verifier_of("https://a.example", "x", ec));
        if (i % 3 == 0)
            mereau_issuers_remove(set, "https://a.example");
    }
    atomic_store(&stop, 1);
    for (size_t i = 0; i < USERS; i++) {
        pthread_join(threads[i], NULL);
        assert_int_equal(users[i].wrong, 0);
    }
    free(token);
    mereau_issuers_free(set);
    mru_key_free(ec);
}

/* --- memory --- */

static mereau_status life(const mru_key *key, const char *token) {
    mereau_error err = MEREAU_ERROR_INIT;
    mereau_issuers *set = mereau_issuers_new();
    mereau_expect *e = mereau_expect_new();
    mereau_status status = MEREAU_OK;
    for (int i = 0; i < 20 && status == MEREAU_OK; i++) {
        char iss[64];
        snprintf(iss, sizeof iss, "https://%d.example", i);
        mereau_verifier *v =
            mereau_verifier_new_for(MEREAU_PROFILE_JWT, iss, "x");
        mereau_verifier_accept_any_type(v);
        if (i != 7)
            mereau_verifier_add_secret(v, token_secret, sizeof token_secret,
                                       MEREAU_ALG_HS256);
        else
            mereau_verifier_add_jwk(v, key);
        status = mereau_verifier_ready(v, &err);
        if (status == MEREAU_OK)
            status = mereau_issuers_add(set, v, &err);
        mereau_verifier_free(v);
    }
    if (status == MEREAU_OK)
        status =
            mereau_issuers_verify(set, NULL, token, strlen(token), NOW, &err);
    if (status == MEREAU_OK)
        status = mereau_issuers_verify_expecting(set, NULL, token,
                                                 strlen(token), e, NOW, &err);
    (void)mereau_issuers_find(set, "https://1.example");
    (void)mereau_issuers_wants_jwks(set, NOW);
    (void)mereau_issuers_remove(set, "https://1.example");
    mereau_expect_free(e);
    mereau_issuers_free(set);
    return status;
}

static void a_lack_of_memory_at_any_point_is_told(void **state) {
    mereau_error err = MEREAU_ERROR_INIT;
    mru_key *key = NULL;
    (void)state;
    if (!test_alloc_available())
        skip();
    assert_int_equal(mru_key_from_secret(&key, token_secret,
                                         sizeof token_secret, MEREAU_ALG_HS256,
                                         &err),
                     MEREAU_OK);
    char *token = token_for(key, "https://7.example", "x");
    assert_int_equal(life(key, token), MEREAU_OK);
    long live = test_alloc_live();
    for (unsigned long n = 1;; n++) {
        test_alloc_fail_at(n);
        mereau_status status = life(key, token);
        int pending = test_alloc_pending();
        test_alloc_fail_at(0);
        if (!test_alloc_told(status) && status != MEREAU_OK)
            fail_msg("allocation %lu: %d", n, status);
        assert_int_equal(test_alloc_live(), live);
        if (pending)
            break;
    }
    free(token);
    mru_key_free(key);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(each_issuer_answers_for_itself_only),
        cmocka_unit_test(issuers_come_and_go),
        cmocka_unit_test(many_issuers_are_all_found),
        cmocka_unit_test(only_a_ready_verifier_of_an_issuer_is_taken),
        cmocka_unit_test(issuers_whose_keys_are_wanted_are_named_once),
        cmocka_unit_test(issuers_come_and_go_under_running_verifications),
        cmocka_unit_test(a_lack_of_memory_at_any_point_is_told),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
