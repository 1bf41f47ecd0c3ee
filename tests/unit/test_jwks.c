/* tests/unit/test_jwks.c - sets of keys: what may stand together, what is left out,
 * how a key is found however many there are; keys shared and given up by threads. */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <mereau/verify.h>

#include "alloc.h"
#include "jose/jwks.h"
#include "key_texts.h"

/* Counts how many names are looked at; linked in place of the library's own. */
int __real_mru_key_is_named(const mru_key *key, const char *kid);
int __wrap_mru_key_is_named(const mru_key *key, const char *kid);
static _Thread_local unsigned long looks;
int __wrap_mru_key_is_named(const mru_key *key, const char *kid) {
    looks++;
    return __real_mru_key_is_named(key, kid);
}

/* A secret of its own number, for an algorithm; named, or not (NULL). */
static mereau_jwk *numbered(unsigned n, int32_t alg, const char *kid) {
    uint8_t secret[32] = {7};
    mereau_jwk *key = NULL, *named = NULL;
    secret[1] = (uint8_t)(n >> 8);
    secret[2] = (uint8_t)n;
    assert_int_equal(
        mereau_jwk_from_secret(&key, secret, sizeof secret, alg, NULL),
        MEREAU_OK);
    if (!kid)
        return key;
    assert_int_equal(mereau_jwk_with_kid(&named, key, kid, NULL), MEREAU_OK);
    mereau_jwk_free(key);
    return named;
}

static mereau_jwk *from_pem(const char *pem, int32_t alg) {
    mereau_jwk *key = NULL;
    mereau_error err = MEREAU_ERROR_INIT;
    if (mereau_jwk_read_encoded(&key, (const uint8_t *)pem, strlen(pem), alg,
                                &err) != MEREAU_OK)
        fail_msg("%s", err.text);
    return key;
}

/* Adds a key and gives it up. */
static mereau_status add(mereau_jwks *set, mereau_jwk *key, const char *rule) {
    mereau_error err = MEREAU_ERROR_INIT;
    size_t before = mereau_jwks_count(set);
    mereau_status status = mereau_jwks_add(set, key, &err);
    if (rule)
        assert_string_equal(err.rule, rule);
    else if (status != MEREAU_OK)
        fail_msg("%s", err.text);
    assert_int_equal(mereau_jwks_count(set), before + (status == MEREAU_OK));
    mereau_jwk_free(key);
    return status;
}

static mereau_jwks *read_set(const char *json) {
    mereau_error err = MEREAU_ERROR_INIT;
    mereau_jwks *set = NULL;
    if (mereau_jwks_read(&set, json, strlen(json), &err) != MEREAU_OK)
        fail_msg("%s: %s", json, err.text);
    return set;
}

static void refused_set(const char *json, mereau_status status,
                        const char *rule) {
    mereau_error err = MEREAU_ERROR_INIT;
    mereau_jwks *set = (mereau_jwks *)&err;
    mereau_status got = mereau_jwks_read(&set, json, strlen(json), &err);
    if (got != status || strcmp(err.rule, rule) != 0)
        fail_msg("%s: %d %s, not %d %s", json, got, err.text, status, rule);
    assert_null(set);
}

/* --- finding --- */

/* A set of n keys called key-0 and so on. */
static mereau_jwks *set_of(unsigned n) {
    mereau_jwks *set = mereau_jwks_new();
    for (unsigned i = 0; i < n; i++) {
        char kid[32];
        snprintf(kid, sizeof kid, "key-%u", i);
        assert_int_equal(add(set, numbered(i, MEREAU_ALG_HS256, kid), NULL),
                         MEREAU_OK);
    }
    return set;
}

/* Names looked at for all n that are there and n that are not. */
static unsigned long looks_of(const mereau_jwks *set, unsigned n) {
    unsigned long before = looks;
    for (unsigned i = 0; i < 2 * n; i++) {
        char kid[32];
        snprintf(kid, sizeof kid, "key-%u", i);
        const mereau_jwk *key = mereau_jwks_find(set, kid);
        assert_int_equal(key != NULL, i < n);
        if (key)
            assert_string_equal(mereau_jwk_kid(key), kid);
    }
    return looks - before;
}

static void a_look_costs_the_same_however_many_keys_there_are(void **state) {
    static const unsigned sizes[] = {1, 8, 64, 512, MEREAU_MAX_JWKS};
    (void)state;
    for (size_t i = 0; i < sizeof sizes / sizeof sizes[0]; i++) {
        unsigned n = sizes[i];
        unsigned long before = looks;
        mereau_jwks *set = set_of(n);
        unsigned long building = looks - before;
        unsigned long finding = looks_of(set, n);
        print_message("%u keys: %lu names looked at to build it, %lu to look "
                      "for %u\n",
                      n, building, finding, 2 * n);
        /* fewer than three each, on average; a list would take n */
        assert_true(building <= 8ul * n);
        assert_true(finding <= 3ul * 2 * n);
        mereau_jwks_free(set);
    }
}

static void a_set_holds_so_many_and_no_more(void **state) {
    mereau_jwks *set = set_of(MEREAU_MAX_JWKS), *read = NULL;
    mereau_bytes *out = mereau_bytes_new();
    mereau_error err = MEREAU_ERROR_INIT;
    (void)state;
    assert_int_equal(MEREAU_MAX_JWKS, 1024);
    assert_int_equal(
        add(set, numbered(2000, MEREAU_ALG_HS256, "more"), "jwks.length"),
        MEREAU_E_TOO_LONG);
    assert_null(mereau_jwks_find(set, "more"));
    /* and all of them come back */
    assert_int_equal(mereau_jwks_write(out, set, MEREAU_JWK_PRIVATE, &err),
                     MEREAU_OK);
    size_t len;
    const char *text = (const char *)mereau_bytes_data(out, &len);
    assert_int_equal(mereau_jwks_read(&read, text, len, &err), MEREAU_OK);
    assert_int_equal(mereau_jwks_count(read), MEREAU_MAX_JWKS);
    assert_int_equal(mereau_jwks_skipped(read), 0);
    for (size_t i = 0; i < MEREAU_MAX_JWKS; i++)
        assert_string_equal(mereau_jwk_kid(mereau_jwks_at(read, i)),
                            mereau_jwk_kid(mereau_jwks_at(set, i)));
    assert_null(mereau_jwks_at(read, MEREAU_MAX_JWKS));
    mereau_jwks_free(read);
    /* one key more in the text */
    char *longer = malloc(len + 200);
    assert_non_null(longer);
    memcpy(longer, text, len - 2);
    strcpy(longer + len - 2, ",{\"kty\":\"none\"}]}");
    assert_int_equal(mereau_jwks_read(&read, longer, strlen(longer), &err),
                     MEREAU_E_TOO_LONG);
    assert_null(read);
    free(longer);
    mereau_jwks_free(set);
    mereau_bytes_free(out);
}

static void a_name_given_goes_before_a_thumbprint(void **state) {
    mereau_jwks *set = mereau_jwks_new();
    mereau_jwk *bare = numbered(1, MEREAU_ALG_HS256, NULL);
    (void)state;
    char print[44];
    snprintf(print, sizeof print, "%s", mereau_jwk_kid(bare));
    assert_int_equal(mereau_jwks_add(set, bare, NULL), MEREAU_OK);
    assert_ptr_equal(mereau_jwks_find(set, print), bare);
    /* the same key again: it is there, and listed once */
    assert_int_equal(mereau_jwks_add(set, bare, NULL), MEREAU_OK);
    assert_ptr_equal(mereau_jwks_find(set, print), bare);
    mereau_jwk_free(bare);
    mereau_jwk *named = numbered(2, MEREAU_ALG_HS256, print);
    assert_int_equal(mereau_jwks_add(set, named, NULL), MEREAU_OK);
    assert_ptr_equal(mereau_jwks_find(set, print), named);
    mereau_jwk_free(named);
    assert_int_equal(add(set, numbered(3, MEREAU_ALG_HS256, print), "jwks.kid"),
                     MEREAU_E_KEY);
    assert_null(mereau_jwks_find(set, ""));
    assert_null(mereau_jwks_find(set, "nobody"));
    mereau_jwks_free(set);
}

static void a_key_that_came_many_times_is_listed_once(void **state) {
    mereau_jwks *set = mereau_jwks_new();
    mereau_jwk *bare = numbered(1, MEREAU_ALG_HS256, NULL);
    (void)state;
    for (int i = 0; i < 500; i++)
        assert_int_equal(mereau_jwks_add(set, bare, NULL), MEREAU_OK);
    assert_int_equal(mereau_jwks_count(set), 500);
    unsigned long before = looks;
    assert_ptr_equal(mereau_jwks_find(set, mereau_jwk_kid(bare)), bare);
    assert_true(looks - before <= 2);
    mereau_jwk_free(bare);
    mereau_jwks_free(set);
}

/* The key for a token of this alg and kid (NULL: none), by its kid. */
static void picked(const mereau_jwks *a, const mereau_jwks *b, int32_t alg,
                   const char *kid, mereau_status status, const mru_key *key) {
    mereau_error err = MEREAU_ERROR_INIT;
    struct mru_jval value = {NULL, 0, 0};
    const mru_key *found = NULL;
    char json[200];
    if (kid) {
        snprintf(json, sizeof json, "\"%s\"", kid);
        assert_int_equal(mru_json_check(&value, json, strlen(json), NULL, &err),
                         MEREAU_OK);
    }
    mereau_status got = mru_jwks_pick(&found, a, b, alg, &value, &err);
    if (got != status)
        fail_msg("%s: %d %s", kid ? kid : "none", got, err.text);
    assert_ptr_equal(found, key);
}

static void a_token_gets_the_one_key_that_it_may_mean(void **state) {
    const int32_t hs = MEREAU_ALG_HS256, other = MEREAU_ALG_HS384;
    mereau_jwks *a = mereau_jwks_new(), *b = mereau_jwks_new();
    mereau_jwk *one = numbered(1, hs, "one"), *two = numbered(2, hs, "two");
    mereau_jwk *bare = numbered(3, hs, NULL), *bare2 = numbered(4, hs, NULL);
    (void)state;
    picked(a, NULL, hs, NULL, MEREAU_E_ALG, NULL);
    picked(NULL, NULL, hs, "one", MEREAU_E_ALG, NULL);
    mereau_jwks_add(a, one, NULL);
    picked(a, NULL, hs, NULL, MEREAU_OK, one);
    picked(NULL, a, hs, "one", MEREAU_OK, one);
    picked(a, b, hs, "two", MEREAU_E_KEY_UNKNOWN, NULL);
    picked(a, b, other, "one", MEREAU_E_ALG, NULL);
    picked(a, b, other, NULL, MEREAU_E_ALG, NULL);
    mereau_jwks_add(b, two, NULL);
    picked(a, b, hs, NULL, MEREAU_E_KEY_UNKNOWN, NULL);
    picked(a, b, hs, "two", MEREAU_OK, two);
    /* one that came without a name may be meant by any name we do not have */
    mereau_jwks_add(b, bare, NULL);
    picked(a, b, hs, "three", MEREAU_OK, bare);
    picked(a, b, hs, "one", MEREAU_OK, one);
    picked(a, b, hs, NULL, MEREAU_E_KEY_UNKNOWN, NULL);
    mereau_jwks_add(a, bare2, NULL);
    picked(a, b, hs, "three", MEREAU_E_KEY_UNKNOWN, NULL);
    picked(a, b, hs, mereau_jwk_kid(bare2), MEREAU_OK, bare2);
    picked(a, b, hs, mereau_jwk_kid(bare), MEREAU_OK, bare);
    mereau_jwks_free(a);
    mereau_jwks_free(b);
    mereau_jwk_free(one);
    mereau_jwk_free(two);
    mereau_jwk_free(bare);
    mereau_jwk_free(bare2);
}

/* --- what may stand together --- */

static void secrets_and_public_keys_for_signatures_do_not_mix(void **state) {
    const int32_t hs = MEREAU_ALG_HS256;
    mereau_jwks *set = mereau_jwks_new(), *other = mereau_jwks_new();
    (void)state;
    assert_int_equal(add(set, from_pem(ec_spki, MEREAU_ALG_ES256), NULL),
                     MEREAU_OK);
    assert_int_equal(add(set, numbered(1, hs, "a"), "jwks.mixed"),
                     MEREAU_E_KEY);
    assert_int_equal(add(set, from_pem(rsa_pkcs8, MEREAU_ALG_RS256), NULL),
                     MEREAU_OK);
    /* what decrypts verifies nothing */
    assert_int_equal(add(set, numbered(2, MEREAU_ALG_A256KW, "b"), NULL),
                     MEREAU_OK);
    assert_int_equal(add(other, numbered(3, hs, "c"), NULL), MEREAU_OK);
    assert_int_equal(add(other, from_pem(ec_spki, MEREAU_ALG_ECDH_ES), NULL),
                     MEREAU_OK);
    assert_int_equal(
        add(other, from_pem(ec_spki, MEREAU_ALG_ES256), "jwks.mixed"),
        MEREAU_E_KEY);
    assert_int_equal(mru_jwks_compatible(set, other, NULL), MEREAU_E_KEY);
    assert_int_equal(mru_jwks_compatible(other, set, NULL), MEREAU_E_KEY);
    mereau_jwks_free(other);
    other = mereau_jwks_new();
    assert_int_equal(add(other, numbered(4, MEREAU_ALG_A256KW, "c"), NULL),
                     MEREAU_OK);
    assert_int_equal(mru_jwks_compatible(set, other, NULL), MEREAU_OK);
    assert_int_equal(add(other, numbered(5, MEREAU_ALG_DIR, "b"), NULL),
                     MEREAU_OK);
    assert_int_equal(mru_jwks_compatible(set, other, NULL), MEREAU_E_KEY);
    mereau_jwks_free(other);
    mereau_jwks_free(set);
}

static void a_public_set_holds_no_secret(void **state) {
    mereau_jwks *set = mereau_jwks_new(), *back;
    mereau_bytes *out = mereau_bytes_new();
    mereau_error err = MEREAU_ERROR_INIT;
    (void)state;
    add(set, from_pem(ec_pkcs8, MEREAU_ALG_ES256), NULL);
    add(set, from_pem(rsa_spki, MEREAU_ALG_RSA_OAEP_256), NULL);
    assert_int_equal(mereau_jwks_write(out, set, MEREAU_JWK_PUBLIC, &err),
                     MEREAU_OK);
    assert_null(strstr(mereau_bytes_text(out), "\"d\""));
    back = read_set(mereau_bytes_text(out));
    assert_int_equal(mereau_jwks_count(back), 2);
    mereau_jwks_free(back);
    assert_int_equal(mereau_jwks_write(out, set, MEREAU_JWK_PRIVATE, &err),
                     MEREAU_OK);
    assert_non_null(strstr(mereau_bytes_text(out), "\"d\""));
    back = read_set(mereau_bytes_text(out));
    assert_int_equal(mereau_jwk_is_private(mereau_jwks_at(back, 0)), 1);
    assert_int_equal(mereau_jwk_is_private(mereau_jwks_at(back, 1)), 0);
    mereau_jwks_free(back);
    add(set, numbered(1, MEREAU_ALG_DIR, "s"), NULL);
    assert_int_equal(mereau_jwks_write(out, set, MEREAU_JWK_PUBLIC, &err),
                     MEREAU_E_KEY);
    assert_string_equal(err.rule, "key.secret");
    assert_string_equal(mereau_bytes_text(out), "");
    assert_int_equal(mereau_jwks_write(out, set, MEREAU_PEM_PUBLIC, &err),
                     MEREAU_E_ARG);
    mereau_jwks_free(set);
    mereau_bytes_free(out);
}

/* --- reading --- */

#define X "\"x\":\"f83OJ3D2xF1Bg8vub9tLe1gHMzV76e8Tus9uPHvRVEU\""
#define Y "\"y\":\"x_FEzRu9m36HLN_tue659LNpXW6pCyStikYjKIWI5a0\""
#define EC "{\"kty\":\"EC\",\"crv\":\"P-256\"," X "," Y ",\"alg\":\"ES256\""

static void what_cannot_be_used_is_left_out_and_counted(void **state) {
    static const char *const left_out[] = {
        "{\"kty\":\"XYZ\"}",
        "{\"kty\":\"EC\",\"crv\":\"P-256\"," X "," Y "}",
        "{\"kty\":\"OKP\",\"crv\":\"X25519\",\"alg\":\"ECDH-ES\"," X "}",
        "{\"kty\":\"EC\",\"crv\":\"P-224\",\"alg\":\"ES256\"," X "," Y "}",
        EC ",\"use\":\"enc\"}",
        EC ",\"key_ops\":[\"encrypt\"]}",
        "{\"kty\":\"oct\",\"alg\":\"HS256\",\"k\":\"AAAA\"}",
        "{\"kty\":\"oct\",\"alg\":\"A192KW\",\"k\":\"AAAA\"}",
        "{\"kty\":\"EC\",\"crv\":\"P-256\",\"alg\":\"ES256\"," X ","
        "\"y\":\"x_FEzRu9m36HLN_tue659LNpXW6pCyStikYjKIWI5a1\"}",
    };
    (void)state;
    for (size_t i = 0; i < sizeof left_out / sizeof left_out[0]; i++) {
        char json[1024];
        int broken = i == 8; /* base64url with bits to spare */
        snprintf(json, sizeof json, "{\"keys\":[%s,%s,\"kid\":\"k\"}]}",
                 left_out[i], EC);
        if (broken) {
            refused_set(json, MEREAU_E_MALFORMED, "jwk.y");
            continue;
        }
        mereau_jwks *set = read_set(json);
        assert_int_equal(mereau_jwks_count(set), 1);
        assert_int_equal(mereau_jwks_skipped(set), 1);
        assert_non_null(mereau_jwks_find(set, "k"));
        mereau_jwks_free(set);
    }
}

static void what_is_broken_refuses_the_set(void **state) {
    (void)state;
    refused_set("", MEREAU_E_MALFORMED, "json.syntax");
    refused_set("{}", MEREAU_E_MALFORMED, "jwks.keys");
    refused_set("{\"keys\":{}}", MEREAU_E_MALFORMED, "jwks.keys");
    refused_set("[" EC "}]", MEREAU_E_MALFORMED, "jwks.keys");
    refused_set("{\"keys\":[1]}", MEREAU_E_MALFORMED, "jwk.form");
    refused_set("{\"keys\":[" EC "},{}]}", MEREAU_E_MALFORMED, "jwk.kty");
    refused_set("{\"keys\":[]}", MEREAU_E_INCOMPLETE, "jwks.empty");
    refused_set("{\"keys\":[{\"kty\":\"XYZ\"}]}", MEREAU_E_INCOMPLETE,
                "jwk.kty");
    refused_set("{\"keys\":[" EC ",\"kid\":\"a\"}," EC ",\"kid\":\"a\"}]}",
                MEREAU_E_KEY, "jwks.kid");
    refused_set("{\"keys\":[" EC "}],\"keys\":[]}", MEREAU_E_MALFORMED,
                "json.duplicate");
}

/* --- references --- */

static void a_key_lives_as_long_as_somebody_holds_it(void **state) {
    mereau_jwks *a = mereau_jwks_new(), *b = mereau_jwks_new();
    mereau_jwk *key = numbered(1, MEREAU_ALG_HS256, "k");
    (void)state;
    assert_int_equal(mereau_jwks_add(a, key, NULL), MEREAU_OK);
    mereau_jwk_free(key);
    assert_int_equal(mereau_jwks_add(b, mereau_jwks_at(a, 0), NULL), MEREAU_OK);
    mereau_jwks_free(a);
    assert_string_equal(mereau_jwk_kid(mereau_jwks_find(b, "k")), "k");
    mereau_jwks_free(b);
}

enum { THREADS = 8, ROUNDS = 200 };
struct sharer {
    const mereau_jwk *key;
    const uint8_t *sig;
    size_t len;
    int wrong;
};

/* Makes sets with the same key, gives them up again, and verifies with it. */
static void *share(void *arg) {
    struct sharer *s = arg;
    static const uint8_t message[] = "message";
    for (int i = 0; i < ROUNDS; i++) {
        mereau_jwks *set = mereau_jwks_new();
        mereau_jwk *named = NULL;
        if (mereau_jwks_add(set, s->key, NULL) != MEREAU_OK ||
            mereau_jwk_with_kid(&named, s->key, "again", NULL) != MEREAU_OK ||
            mereau_jwks_add(set, named, NULL) != MEREAU_OK)
            s->wrong = 1;
        mereau_jwk_free(named);
        if (i % 50 == 0 &&
            mru_key_verify(mereau_jwks_find(set, "again"), message,
                           sizeof message, s->sig, s->len) != MEREAU_OK)
            s->wrong = 1;
        mereau_jwks_free(set);
    }
    return NULL;
}

static int ones(void *arg, uint8_t *out, size_t len) {
    (void)arg;
    memset(out, 1, len);
    return 0;
}

static void threads_share_and_give_up_keys(void **state) {
    static const uint8_t message[] = "message";
    uint8_t sig[MRU_MAX_SIG];
    size_t len = 0;
    (void)state;
    mereau_jwk *private = from_pem(ec_pkcs8, MEREAU_ALG_ES256);
    assert_int_equal(
        mru_key_sign(private, ones, NULL, message, sizeof message, sig, &len),
        MEREAU_OK);
    /* Nobody has verified with it yet: they all do so at once. */
    for (int round = 0; round < 3; round++) {
        mereau_jwk *key = from_pem(ec_spki, MEREAU_ALG_ES256);
        struct sharer sharers[THREADS];
        pthread_t threads[THREADS];
        for (size_t i = 0; i < THREADS; i++) {
            sharers[i] = (struct sharer){key, sig, len, 0};
            assert_int_equal(
                pthread_create(&threads[i], NULL, share, &sharers[i]), 0);
        }
        for (size_t i = 0; i < THREADS; i++) {
            pthread_join(threads[i], NULL);
            assert_int_equal(sharers[i].wrong, 0);
        }
        mereau_jwk_free(key);
    }
    mereau_jwk_free(private);
}

static void adding_survives_each_allocation_failing(void **state) {
    mereau_jwk *keys[20];
    int over = 0;
    (void)state;
    if (!test_alloc_available())
        skip();
    for (unsigned i = 0; i < 20; i++) {
        char kid[8];
        snprintf(kid, sizeof kid, "%u", i);
        keys[i] = numbered(i, MEREAU_ALG_HS256, kid);
    }
    long live = test_alloc_live();
    for (unsigned long n = 1; !over; n++) {
        size_t refused = 0;
        test_alloc_fail_at(n);
        mereau_jwks *set = mereau_jwks_new();
        for (unsigned i = 0; i < 20; i++) {
            mereau_status status = mereau_jwks_add(set, keys[i], NULL);
            assert_true(status == MEREAU_OK || status == MEREAU_E_NOMEM);
            refused += status != MEREAU_OK;
            if (status == MEREAU_OK)
                assert_ptr_equal(mereau_jwks_find(set, mereau_jwk_kid(keys[i])),
                                 keys[i]);
        }
        over = test_alloc_pending();
        test_alloc_fail_at(0);
        assert_int_equal(mereau_jwks_count(set), set ? 20 - refused : 0);
        assert_true(!over || refused == 0);
        mereau_jwks_free(set);
        assert_int_equal(test_alloc_live(), live);
    }
    for (unsigned i = 0; i < 20; i++)
        mereau_jwk_free(keys[i]);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_look_costs_the_same_however_many_keys_there_are),
        cmocka_unit_test(a_set_holds_so_many_and_no_more),
        cmocka_unit_test(a_name_given_goes_before_a_thumbprint),
        cmocka_unit_test(a_key_that_came_many_times_is_listed_once),
        cmocka_unit_test(a_token_gets_the_one_key_that_it_may_mean),
        cmocka_unit_test(secrets_and_public_keys_for_signatures_do_not_mix),
        cmocka_unit_test(a_public_set_holds_no_secret),
        cmocka_unit_test(what_cannot_be_used_is_left_out_and_counted),
        cmocka_unit_test(what_is_broken_refuses_the_set),
        cmocka_unit_test(a_key_lives_as_long_as_somebody_holds_it),
        cmocka_unit_test(threads_share_and_give_up_keys),
        cmocka_unit_test(adding_survives_each_allocation_failing),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
