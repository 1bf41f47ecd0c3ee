/* tests/unit/test_token_cache.c - the cache of verified tokens changes no answer:
 * what is found, what goes, and what is checked again at every hit. */
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
#include "jose/siphash.h"
#include "jose/token_cache.h"
#include "jose/verifier.h"
#include "key_texts.h"
#include "tokens.h"

enum { NOW = 1790000000, BYTES = 1 << 16 };
#define ISS "https://as.example"

static mru_key *new_key(const char *kid) {
    mru_key *key = token_key(ec_pkcs8, MEREAU_ALG_ES256);
    assert_int_equal(mru_key_set_kid(key, kid, strlen(kid)), MEREAU_OK);
    return key;
}

/* A key that is not the one of new_key. */
static mru_key *other_key(const char *kid) {
    mereau_error err = MEREAU_ERROR_INIT;
    mereau_jwk *made = NULL, *named = NULL;
    assert_int_equal(
        mereau_jwk_generate(&made, MEREAU_ALG_ES256, 0, NULL, &err), MEREAU_OK);
    assert_int_equal(mereau_jwk_with_kid(&named, made, kid, &err), MEREAU_OK);
    mereau_jwk_free(made);
    return named;
}

static char *jwks_of(const mru_key *key) {
    struct mru_buf out = {0};
    mru_buf_add_text(&out, "{\"keys\":[");
    assert_int_equal(mru_key_print_public(&out, key), 0);
    mru_buf_add_text(&out, "]}");
    return (char *)out.data;
}

static char *token_by(const mru_key *key, const char *sub, int64_t exp_at) {
    char header[256], payload[512];
    snprintf(header, sizeof header,
             "{\"alg\":\"ES256\",\"typ\":\"JWT\",\"kid\":\"%s\"}",
             mru_key_kid(key));
    snprintf(payload, sizeof payload,
             "{\"iss\":\"" ISS "\",\"aud\":\"a\",\"sub\":\"%s\",\"nonce\":"
             "\"n\",\"iat\":1789999990,\"exp\":%lld,\"o\":{\"p\":\"q\\n\"}}",
             sub, (long long)exp_at);
    return token_signed(key, header, payload);
}

static mereau_verifier *verifier_with(const char *jwks,
                                      mereau_claim_check check, void *user) {
    mereau_error err = MEREAU_ERROR_INIT;
    mereau_verifier *v = mereau_verifier_new_for(MEREAU_PROFILE_JWT, ISS, "a");
    mereau_verifier_set_jwks(v, jwks, strlen(jwks));
    mereau_verifier_accept_any_type(v);
    mereau_verifier_set_check(v, check, user);
    mereau_verifier_set_cache_bytes(v, BYTES);
    if (mereau_verifier_ready(v, &err) != MEREAU_OK)
        fail_msg("%s", err.text);
    return v;
}

static mereau_status verify(const mereau_verifier *v, mereau_claims *claims,
                            const char *token, int64_t now_at) {
    mereau_error err = MEREAU_ERROR_INIT;
    return mereau_jwt_verify(v, claims, token, strlen(token), now_at, &err);
}

static void counts_are(const mereau_verifier *v, uint64_t hits, uint64_t misses,
                       uint64_t entries) {
    uint64_t h = mereau_verifier_cache_count(v, MEREAU_CACHE_HITS);
    uint64_t m = mereau_verifier_cache_count(v, MEREAU_CACHE_MISSES);
    uint64_t n = mereau_verifier_cache_count(v, MEREAU_CACHE_ENTRIES);
    uint64_t bytes = mereau_verifier_cache_count(v, MEREAU_CACHE_BYTES);
    if (h != hits || m != misses || n != entries)
        fail_msg("%d hits, %d misses, %d entries", (int)h, (int)m, (int)n);
    assert_true(bytes > 0 && bytes <= BYTES);
    assert_true(mereau_verifier_cache_count(v, 99) == 0);
}

/* --- hits --- */

static void a_hit_says_the_same_and_copies_nothing(void **state) {
    mru_key *key = new_key("k");
    char *jwks = jwks_of(key), *token = token_by(key, "u1", NOW + 100);
    mereau_verifier *v = verifier_with(jwks, NULL, NULL);
    mereau_claims *first = mereau_claims_new(), *a = mereau_claims_new(),
                  *b = mereau_claims_new();
    (void)state;
    assert_int_equal(verify(v, first, token, NOW), MEREAU_OK);
    counts_are(v, 0, 1, 1);
    unsigned long before = test_alloc_count();
    assert_int_equal(verify(v, a, token, NOW), MEREAU_OK);
    assert_int_equal(verify(v, b, token, NOW), MEREAU_OK);
    assert_int_equal(verify(v, NULL, token, NOW), MEREAU_OK);
    assert_true(test_alloc_count() == before);
    counts_are(v, 3, 1, 1);
    assert_ptr_equal(mereau_claims_json(a, NULL), mereau_claims_json(b, NULL));
    assert_string_equal(mereau_claims_json(a, NULL),
                        mereau_claims_json(first, NULL));
    assert_string_equal(mereau_claims_thumbprint(a),
                        mereau_claims_thumbprint(first));
    assert_string_equal(mereau_claims_text(a, "sub"), "u1");
    assert_string_equal(mereau_claims_text(a, "/o/p"), "q\n");
    assert_true(mereau_claims_int(a, "exp") == NOW + 100);
    /* What claims show outlives the verifier and its cache. */
    mereau_verifier_free(v);
    assert_string_equal(mereau_claims_text(b, "sub"), "u1");
    mereau_claims_free(a);
    mereau_claims_free(b);
    mereau_claims_free(first);
    free(token);
    free(jwks);
    mru_key_free(key);
}

static void failures_are_not_kept(void **state) {
    mru_key *key = new_key("k"), *other = other_key("k");
    char *jwks = jwks_of(key), *forged = token_by(other, "u1", NOW + 100);
    char *expired = token_by(key, "u1", NOW);
    mereau_verifier *v = verifier_with(jwks, NULL, NULL);
    (void)state;
    for (int i = 0; i < 2; i++) {
        assert_int_equal(verify(v, NULL, forged, NOW), MEREAU_E_SIGNATURE);
        assert_int_equal(verify(v, NULL, expired, NOW), MEREAU_E_EXPIRED);
    }
    counts_are(v, 0, 4, 0);
    mereau_verifier_free(v);
    free(forged);
    free(expired);
    free(jwks);
    mru_key_free(key);
    mru_key_free(other);
}

/* The hash covers the signature part and the length only: whoever saw a token can
 * make others of the same hash. */
static void another_token_with_the_same_signature_is_not_found(void **state) {
    mru_key *key = new_key("k");
    char *jwks = jwks_of(key), *token = token_by(key, "u1", NOW + 100);
    char *forged = token_by(key, "u2", NOW + 100);
    mereau_verifier *v = verifier_with(jwks, NULL, NULL);
    size_t from = (size_t)(strrchr(token, '.') - token);
    (void)state;
    assert_int_equal(strlen(token), strlen(forged));
    memcpy(forged + from, token + from, strlen(token) - from);
    assert_int_equal(verify(v, NULL, token, NOW), MEREAU_OK);
    assert_int_equal(verify(v, NULL, forged, NOW), MEREAU_E_SIGNATURE);
    token[from + 1] = token[from + 1] == 'A' ? 'B' : 'A';
    assert_int_equal(verify(v, NULL, token, NOW), MEREAU_E_SIGNATURE);
    counts_are(v, 0, 3, 1);
    mereau_verifier_free(v);
    free(token);
    free(forged);
    free(jwks);
    mru_key_free(key);
}

/* --- what is checked again --- */

static void a_hit_is_never_past_exp(void **state) {
    mru_key *key = new_key("k");
    char *jwks = jwks_of(key), *token = token_by(key, "u1", NOW + 100);
    mereau_verifier *v = verifier_with(jwks, NULL, NULL);
    mereau_claims *claims = mereau_claims_new();
    (void)state;
    assert_int_equal(verify(v, NULL, token, NOW), MEREAU_OK);
    assert_int_equal(verify(v, claims, token, NOW + 99), MEREAU_OK);
    counts_are(v, 1, 1, 1);
    assert_int_equal(verify(v, claims, token, NOW + 100), MEREAU_E_EXPIRED);
    assert_string_equal(mereau_claims_json(claims, NULL), "");
    counts_are(v, 2, 1, 0); /* and it goes */
    /* A clock that went back finds an iat in the future as well. */
    assert_int_equal(verify(v, claims, token, NOW), MEREAU_OK);
    assert_int_equal(verify(v, claims, token, NOW - 71), MEREAU_E_NOT_YET);
    mereau_claims_free(claims);
    mereau_verifier_free(v);
    free(token);
    free(jwks);
    mru_key_free(key);
}

static int32_t answer(void *user, const mereau_claims *claims, int64_t now_at) {
    (void)claims;
    (void)now_at;
    return *(int32_t *)user;
}

static void a_hit_meets_expectations_and_the_hosts_word_of_now(void **state) {
    mru_key *key = new_key("k");
    char *jwks = jwks_of(key), *token = token_by(key, "u1", NOW + 100);
    int32_t word = 0;
    mereau_error err = MEREAU_ERROR_INIT;
    mereau_verifier *v = verifier_with(jwks, answer, &word);
    mereau_expect *e = mereau_expect_new();
    (void)state;
    mereau_expect_set(e, MEREAU_EXPECT_NONCE, "n");
    for (int i = 0; i < 2; i++)
        assert_int_equal(mereau_jwt_verify_expecting(
                             v, NULL, token, strlen(token), e, NOW, &err),
                         MEREAU_OK);
    mereau_expect_set(e, MEREAU_EXPECT_NONCE, "another");
    assert_int_equal(mereau_jwt_verify_expecting(v, NULL, token, strlen(token),
                                                 e, NOW, &err),
                     MEREAU_E_CLAIM);
    assert_string_equal(err.rule, "jwt.nonce");
    word = 1; /* the host has changed its mind */
    assert_int_equal(
        mereau_jwt_verify(v, NULL, token, strlen(token), NOW, &err),
        MEREAU_E_CLAIM);
    assert_string_equal(err.rule, "jwt.check");
    word = 0;
    assert_int_equal(verify(v, NULL, token, NOW), MEREAU_OK);
    counts_are(v, 4, 1, 1);
    mereau_expect_free(e);
    mereau_verifier_free(v);
    free(token);
    free(jwks);
    mru_key_free(key);
}

static void a_key_that_is_gone_verifies_nothing_from_then_on(void **state) {
    mru_key *key = new_key("k"), *other = other_key("k2");
    char *jwks = jwks_of(key), *without = jwks_of(other);
    char *token = token_by(key, "u1", NOW + 100);
    mereau_error err = MEREAU_ERROR_INIT;
    mereau_verifier *v = verifier_with(jwks, NULL, NULL);
    (void)state;
    assert_int_equal(verify(v, NULL, token, NOW), MEREAU_OK);
    assert_int_equal(verify(v, NULL, token, NOW), MEREAU_OK);
    assert_int_equal(
        mereau_verifier_replace_jwks(v, without, strlen(without), NOW, &err),
        MEREAU_OK);
    assert_int_equal(verify(v, NULL, token, NOW), MEREAU_E_KEY_UNKNOWN);
    counts_are(v, 1, 2, 0);
    /* With the key back it is verified anew, and found after that. */
    assert_int_equal(
        mereau_verifier_replace_jwks(v, jwks, strlen(jwks), NOW, &err),
        MEREAU_OK);
    assert_int_equal(verify(v, NULL, token, NOW), MEREAU_OK);
    assert_int_equal(verify(v, NULL, token, NOW), MEREAU_OK);
    counts_are(v, 2, 3, 1);
    mereau_verifier_free(v);
    free(token);
    free(jwks);
    free(without);
    mru_key_free(key);
    mru_key_free(other);
}

static void what_a_tenant_takes_back_is_refused_at_once(void **state) {
    static const struct mru_notice notice = {'s', "u1", INT64_MAX};
    mru_key *key = new_key("k");
    char *jwks = jwks_of(key), *token = token_by(key, "u1", NOW + 100);
    mereau_error err = MEREAU_ERROR_INIT;
    mereau_verifier *v = verifier_with(jwks, NULL, NULL);
    (void)state;
    assert_int_equal(verify(v, NULL, token, NOW), MEREAU_OK);
    assert_int_equal(verify(v, NULL, token, NOW), MEREAU_OK);
    assert_int_equal(
        mru_verifier_load(v, ISS, jwks, strlen(jwks), &notice, 1, NOW, &err),
        MEREAU_OK);
    assert_int_equal(verify(v, NULL, token, NOW), MEREAU_E_NOT_BEFORE);
    assert_int_equal(
        mru_verifier_load(v, ISS, jwks, strlen(jwks), NULL, 0, NOW, &err),
        MEREAU_OK);
    assert_int_equal(verify(v, NULL, token, NOW), MEREAU_OK);
    assert_int_equal(verify(v, NULL, token, NOW), MEREAU_OK);
    counts_are(v, 2, 3, 1);
    /* A snapshot that has become too old serves hits no more than others. */
    mereau_verifier_free(v);
    v = mereau_verifier_new_for(MEREAU_PROFILE_JWT, ISS, "a");
    mereau_verifier_set_jwks(v, jwks, strlen(jwks));
    mereau_verifier_accept_any_type(v);
    mereau_verifier_set_cache_bytes(v, BYTES);
    mereau_verifier_set_max_snapshot_age_s(v, 50);
    assert_int_equal(mereau_verifier_ready(v, &err), MEREAU_OK);
    assert_int_equal(
        mereau_verifier_replace_jwks(v, jwks, strlen(jwks), NOW, &err),
        MEREAU_OK);
    assert_int_equal(verify(v, NULL, token, NOW + 50), MEREAU_OK);
    assert_int_equal(verify(v, NULL, token, NOW + 50), MEREAU_OK);
    assert_int_equal(verify(v, NULL, token, NOW + 51), MEREAU_E_KEY_UNKNOWN);
    counts_are(v, 2, 1, 1);
    mereau_verifier_free(v);
    free(token);
    free(jwks);
    mru_key_free(key);
}

/* --- room --- */

/* Claims with one text, as if a token had said it. */
static mereau_claims *said(const char *json) {
    mereau_error err = MEREAU_ERROR_INIT;
    mereau_claims *claims = mereau_claims_new();
    mru_buf_add_text(&claims->json, json);
    assert_int_equal(mru_claims_index(claims, &err), MEREAU_OK);
    return claims;
}

static int has(struct mru_token_cache *cache, const char *token) {
    struct mru_cached *entry =
        mru_token_cache_find(cache, token, strlen(token), 1);
    int there = entry != NULL;
    mru_cached_give(entry);
    return there;
}

static void
the_least_recently_used_go_first_and_bytes_are_bounded(void **state) {
    enum { N = 1000 };
    static const uint8_t key[16] = {0};
    struct mru_token_cache *cache = mru_token_cache_new(BYTES, key);
    struct mru_token_cache_count count;
    mereau_claims *claims = said("{\"a\":\"b\"}");
    char token[64];
    int kept = 0;
    (void)state;
    assert_non_null(cache);
    for (int i = 0; i < N; i++) {
        snprintf(token, sizeof token, "h.p%d.s%d", i, i * 7);
        mru_token_cache_put(cache, token, strlen(token), claims, NULL, 1);
        assert_int_equal(has(cache, "h.p0.s0"), 1); /* always in use */
        mru_token_cache_count(cache, &count);
        assert_true(count.bytes <= BYTES);
    }
    assert_true(count.entries > 50 && count.entries < N);
    /* Chains are long by then: the table is small. The last ones are there, the
     * others, save the first, are not. */
    for (int i = 1; i < N; i++) {
        snprintf(token, sizeof token, "h.p%d.s%d", i, i * 7);
        int there = has(cache, token);
        assert_int_equal(there, i > N - (int)count.entries);
        kept += there;
    }
    assert_int_equal(kept + 1, count.entries);
    mereau_claims_free(claims);
    mru_token_cache_free(cache);
}

static void entries_are_replaced_dropped_and_known_by_their_set(void **state) {
    static const uint8_t key[16] = {1};
    struct mru_token_cache *cache = mru_token_cache_new(BYTES, key);
    struct mru_token_cache_count count;
    mereau_claims *one = said("{\"a\":1}"), *two = said("{\"a\":2}");
    struct mru_cached *entry, *gone;
    (void)state;
    mru_token_cache_put(cache, "h.p.s", 5, one, NULL, 1);
    gone = mru_token_cache_find(cache, "h.p.s", 5, 1);
    mru_token_cache_put(cache, "h.p.s", 5, two, NULL, 1);
    entry = mru_token_cache_find(cache, "h.p.s", 5, 1);
    assert_string_equal(mru_cached_said(gone)->json, "{\"a\":1}");
    assert_string_equal(mru_cached_said(entry)->json, "{\"a\":2}");
    mru_token_cache_drop(cache, gone); /* is not there any more */
    assert_int_equal(has(cache, "h.p.s"), 1);
    mru_token_cache_drop(cache, entry);
    mru_token_cache_drop(cache, entry);
    assert_int_equal(has(cache, "h.p.s"), 0);
    mru_cached_give(entry);
    mru_cached_give(gone);
    /* The length counts: a token's beginning is another token. */
    mru_token_cache_put(cache, "h.p.s", 5, one, NULL, 1);
    assert_null(mru_token_cache_find(cache, "h.p.", 4, 1));
    assert_null(mru_token_cache_find(cache, "h.p.s", 5, 2));
    mru_token_cache_count(cache, &count);
    assert_int_equal(count.entries, 0);
    mereau_claims_free(one);
    mereau_claims_free(two);
    mru_token_cache_free(cache);
}

static void what_is_too_large_is_not_kept(void **state) {
    static const uint8_t key[16] = {2};
    struct mru_token_cache *cache = mru_token_cache_new(MRU_CACHE_LEAST, key);
    mereau_claims *small = said("{\"a\":1}"), *large;
    char *json = malloc(MRU_CACHE_LEAST);
    struct mru_token_cache_count count;
    (void)state;
    assert_non_null(json);
    memset(json, ' ', MRU_CACHE_LEAST);
    memcpy(json, "{\"a\":2}", 7);
    json[MRU_CACHE_LEAST - 1] = '\0';
    large = said(json);
    mru_token_cache_put(cache, "h.p.s", 5, small, NULL, 1);
    mru_token_cache_put(cache, "h.p.l", 5, large, NULL, 1);
    assert_int_equal(has(cache, "h.p.s"), 1);
    assert_int_equal(has(cache, "h.p.l"), 0);
    mru_token_cache_count(cache, &count);
    assert_int_equal(count.entries, 1);
    free(json);
    mereau_claims_free(small);
    mereau_claims_free(large);
    mru_token_cache_free(cache);
}

/* SipHash-1-3 with the key 00..0f of the bytes 00..3e: as another
 * implementation answers, which itself knows the published SipHash-2-4. */
static void siphash_is_the_one_that_others_know(void **state) {
    uint8_t key[16], text[64];
    uint64_t first = 0;
    (void)state;
    for (size_t i = 0; i < 64; i++)
        text[i] = (uint8_t)i;
    memcpy(key, text, 16);
    for (int i = 7; i >= 0; i--)
        first = first << 8 | text[i];
    assert_true(mru_siphash(key, first, text + 8, 0) ==
                UINT64_C(0x369095118d299a8e));
    assert_true(mru_siphash(key, first, text + 8, 7) ==
                UINT64_C(0xd320d86d2a519956));
    assert_true(mru_siphash(key, first, text + 8, 55) ==
                UINT64_C(0x9d199062b7bbb3a8));
}

/* --- threads --- */

struct user {
    const mereau_verifier *v;
    const char *tokens[4];
    atomic_int *stop;
    size_t at;
    int wrong;
};

static void *use(void *arg) {
    struct user *u = arg;
    mereau_claims *claims = mereau_claims_new();
    for (size_t i = u->at; !atomic_load(u->stop) || i < u->at + 8; i++) {
        size_t k = i % 4;
        mereau_status status = verify(u->v, claims, u->tokens[k], NOW);
        const char *sub = mereau_claims_text(claims, "sub");
        /* The last one is forged. */
        if (k == 3 ? status != MEREAU_E_SIGNATURE
                   : status != MEREAU_OK || !sub || sub[1] != (char)('0' + k))
            u->wrong = 1;
    }
    mereau_claims_free(claims);
    return NULL;
}

static void
eight_threads_share_a_verifier_while_its_keys_are_swapped(void **state) {
    enum { USERS = 8 };
    mru_key *key = new_key("k"), *other = other_key("k");
    char *jwks = jwks_of(key);
    mereau_error err = MEREAU_ERROR_INIT;
    mereau_verifier *v = verifier_with(jwks, NULL, NULL);
    char *tokens[4] = {
        token_by(key, "u0", NOW + 100), token_by(key, "u1", NOW + 100),
        token_by(key, "u2", NOW + 100), token_by(other, "u3", NOW + 100)};
    atomic_int stop = 0;
    pthread_t threads[USERS];
    struct user users[USERS];
    (void)state;
    for (size_t i = 0; i < USERS; i++) {
        struct user one = {v, {0}, &stop, i, 0};
        memcpy(one.tokens, tokens, sizeof tokens);
        users[i] = one;
        assert_int_equal(pthread_create(&threads[i], NULL, use, &users[i]), 0);
    }
    for (int i = 0; i < 20; i++)
        assert_int_equal(
            mereau_verifier_replace_jwks(v, jwks, strlen(jwks), NOW, &err),
            MEREAU_OK);
    atomic_store(&stop, 1);
    for (size_t i = 0; i < USERS; i++) {
        pthread_join(threads[i], NULL);
        assert_int_equal(users[i].wrong, 0);
    }
    assert_true(mereau_verifier_cache_count(v, MEREAU_CACHE_HITS) > 0);
    for (size_t i = 0; i < 4; i++)
        free(tokens[i]);
    free(jwks);
    mereau_verifier_free(v);
    mru_key_free(key);
    mru_key_free(other);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_hit_says_the_same_and_copies_nothing),
        cmocka_unit_test(failures_are_not_kept),
        cmocka_unit_test(another_token_with_the_same_signature_is_not_found),
        cmocka_unit_test(a_hit_is_never_past_exp),
        cmocka_unit_test(a_hit_meets_expectations_and_the_hosts_word_of_now),
        cmocka_unit_test(a_key_that_is_gone_verifies_nothing_from_then_on),
        cmocka_unit_test(what_a_tenant_takes_back_is_refused_at_once),
        cmocka_unit_test(
            the_least_recently_used_go_first_and_bytes_are_bounded),
        cmocka_unit_test(entries_are_replaced_dropped_and_known_by_their_set),
        cmocka_unit_test(what_is_too_large_is_not_kept),
        cmocka_unit_test(siphash_is_the_one_that_others_know),
        cmocka_unit_test(
            eight_threads_share_a_verifier_while_its_keys_are_swapped),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
