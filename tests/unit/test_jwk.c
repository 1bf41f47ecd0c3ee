/* tests/unit/test_jwk.c - keys as programs see them (include/mereau/jwk.h): made,
 * read, written and read again, named, refused; shared and given up by threads. */
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
#include "jose/key.h"
#include "key_texts.h"

static int has_eddsa(void) { return (mru_crypto_has() & MRU_HAS_ED25519) != 0; }

static mereau_jwk *made(int32_t alg, int32_t bits) {
    mereau_error err = MEREAU_ERROR_INIT;
    mereau_jwk *key = NULL;
    if (mereau_jwk_generate(&key, alg, bits, NULL, &err) != MEREAU_OK)
        fail_msg("%s", err.text);
    return key;
}

static mereau_jwk *from_pem(const char *pem, int32_t alg) {
    mereau_error err = MEREAU_ERROR_INIT;
    mereau_jwk *key = NULL;
    if (mereau_jwk_read_encoded(&key, (const uint8_t *)pem, strlen(pem), alg,
                                &err) != MEREAU_OK)
        fail_msg("%s", err.text);
    return key;
}

static mereau_jwk *from_json(const char *json, int32_t alg) {
    mereau_error err = MEREAU_ERROR_INIT;
    mereau_jwk *key = NULL;
    if (mereau_jwk_read(&key, json, strlen(json), alg, &err) != MEREAU_OK)
        fail_msg("%s: %s", json, err.text);
    return key;
}

static void refused_json(const char *json, int32_t alg, mereau_status status,
                         const char *rule) {
    mereau_error err = MEREAU_ERROR_INIT;
    mereau_jwk *key = (mereau_jwk *)&err;
    mereau_status got = mereau_jwk_read(&key, json, strlen(json), alg, &err);
    if (got != status || strcmp(err.rule, rule) != 0)
        fail_msg("%s: %d %s, not %d %s", json, got, err.text, status, rule);
    assert_int_equal(err.status, status);
    assert_null(key);
}

static void refused_encoded(const void *data, size_t len, int32_t alg,
                            mereau_status status, const char *rule) {
    mereau_error err = MEREAU_ERROR_INIT;
    mereau_jwk *key = (mereau_jwk *)&err;
    mereau_status got = mereau_jwk_read_encoded(&key, data, len, alg, &err);
    if (got != status || strcmp(err.rule, rule) != 0)
        fail_msg("%d %s, not %d %s", got, err.text, status, rule);
    assert_null(key);
}

static void refused_secret(const void *secret, size_t len, int32_t alg,
                           mereau_status status, const char *rule) {
    mereau_error err = MEREAU_ERROR_INIT;
    mereau_jwk *key = (mereau_jwk *)&err;
    mereau_status got = mereau_jwk_from_secret(&key, secret, len, alg, &err);
    if (got != status || strcmp(err.rule, rule) != 0)
        fail_msg("%d %s, not %d %s", got, err.text, status, rule);
    assert_null(key);
}

static void refused_size(int32_t alg, int32_t bits) {
    mereau_error err = MEREAU_ERROR_INIT;
    mereau_jwk *key = (mereau_jwk *)&err;
    assert_int_equal(mereau_jwk_generate(&key, alg, bits, NULL, &err),
                     MEREAU_E_KEY);
    assert_string_equal(err.rule, "key.bits");
    assert_null(key);
}

/* A form of a key as a text of its own, to be freed; of DER also its length. */
static char *written(const mereau_jwk *key, int32_t form, size_t *len) {
    mereau_error err = MEREAU_ERROR_INIT;
    mereau_bytes *out = mereau_bytes_new();
    size_t n = 0;
    if (mereau_jwk_write(out, key, form, &err) != MEREAU_OK)
        fail_msg("form %d: %s", form, err.text);
    const uint8_t *data = mereau_bytes_data(out, &n);
    char *copy = malloc(n + 1);
    assert_non_null(copy);
    memcpy(copy, data, n + 1);
    mereau_bytes_free(out);
    if (len)
        *len = n;
    return copy;
}

static void not_written(const mereau_jwk *key, int32_t form, const char *rule) {
    mereau_error err = MEREAU_ERROR_INIT;
    mereau_bytes *out = mereau_bytes_new();
    assert_int_equal(mereau_jwk_write(out, key, form, &err), MEREAU_E_KEY);
    assert_string_equal(err.rule, rule);
    assert_string_equal(mereau_bytes_text(out), "");
    mereau_bytes_free(out);
}

static char *thumbprint(const mereau_jwk *key) {
    mereau_bytes *out = mereau_bytes_new();
    assert_int_equal(mereau_jwk_thumbprint(out, key, NULL), MEREAU_OK);
    char *copy = strdup(mereau_bytes_text(out));
    mereau_bytes_free(out);
    assert_int_equal(strlen(copy), 43);
    return copy;
}

/* --- every kind --- */

static const struct {
    int32_t alg;
    int32_t
        bits; /* asked for; RSA with 0: a key of ours, as making takes long */
    int32_t size; /* made */
    const char *kty;
    const char *crv;
} kinds[] = {
    {MEREAU_ALG_HS256, 0, 256, "oct", ""},
    {MEREAU_ALG_HS384, 384, 384, "oct", ""},
    {MEREAU_ALG_HS512, 0, 512, "oct", ""},
    {MEREAU_ALG_RS256, 0, 2048, "RSA", ""},
    {MEREAU_ALG_PS384, 0, 2048, "RSA", ""},
    {MEREAU_ALG_RSA_OAEP_256, 0, 2048, "RSA", ""},
    {MEREAU_ALG_RSA_OAEP, 2056, 2056, "RSA", ""},
    {MEREAU_ALG_ES256, 0, 256, "EC", "P-256"},
    {MEREAU_ALG_ES384, 384, 384, "EC", "P-384"},
    {MEREAU_ALG_ES512, 521, 521, "EC", "P-521"},
    {MEREAU_ALG_ES256K, 256, 256, "EC", "secp256k1"},
    {MEREAU_ALG_EDDSA, 0, 256, "OKP", "Ed25519"},
    {MEREAU_ALG_DIR, 0, 256, "oct", ""},
    {MEREAU_ALG_DIR, 128, 128, "oct", ""},
    {MEREAU_ALG_DIR, 512, 512, "oct", ""},
    {MEREAU_ALG_A128KW, 0, 128, "oct", ""},
    {MEREAU_ALG_A256KW, 256, 256, "oct", ""},
    {MEREAU_ALG_ECDH_ES, 0, 256, "EC", "P-256"},
    {MEREAU_ALG_ECDH_ES, 384, 384, "EC", "P-384"},
    {MEREAU_ALG_ECDH_ES_A128KW, 521, 521, "EC", "P-521"},
    {MEREAU_ALG_ECDH_ES_A256KW, 256, 256, "EC", "P-256"},
};
enum { N_KINDS = sizeof kinds / sizeof kinds[0] };

/* The same key: by what it says of itself, and by all of its numbers. */
static void is_the_same(const mereau_jwk *a, const mereau_jwk *b,
                        int same_name) {
    assert_int_equal(mereau_jwk_alg(a), mereau_jwk_alg(b));
    assert_string_equal(mereau_jwk_kty(a), mereau_jwk_kty(b));
    assert_string_equal(mereau_jwk_crv(a), mereau_jwk_crv(b));
    assert_int_equal(mereau_jwk_bits(a), mereau_jwk_bits(b));
    if (same_name)
        assert_string_equal(mereau_jwk_kid(a), mereau_jwk_kid(b));
    char *x = thumbprint(a), *y = thumbprint(b);
    assert_string_equal(x, y);
    free(x);
    free(y);
    if (!mereau_jwk_is_private(a) || !mereau_jwk_is_private(b))
        return;
    mereau_jwk *named_a, *named_b;
    assert_int_equal(mereau_jwk_with_kid(&named_a, a, "k", NULL), MEREAU_OK);
    assert_int_equal(mereau_jwk_with_kid(&named_b, b, "k", NULL), MEREAU_OK);
    x = written(named_a, MEREAU_JWK_PRIVATE, NULL);
    y = written(named_b, MEREAU_JWK_PRIVATE, NULL);
    assert_string_equal(x, y);
    free(x);
    free(y);
    mereau_jwk_free(named_a);
    mereau_jwk_free(named_b);
}

/* What is written in a form is read to the same key, and written the same. */
static void comes_back(const mereau_jwk *key, int32_t form) {
    int is_jwk = form <= MEREAU_JWK_PRIVATE;
    int is_private = form % 2 == 0;
    mereau_error err = MEREAU_ERROR_INIT;
    mereau_jwk *back = NULL;
    size_t len, again_len;
    char *text = written(key, form, &len);
    mereau_status status =
        is_jwk ? mereau_jwk_read(&back, text, len, 0, &err)
               : mereau_jwk_read_encoded(&back, (const uint8_t *)text, len,
                                         mereau_jwk_alg(key), &err);
    if (status != MEREAU_OK)
        fail_msg("%s\n%s", err.text, is_jwk ? text : "");
    assert_int_equal(mereau_jwk_is_private(back), is_private);
    is_the_same(key, back, is_jwk);
    char *again = written(back, form, &again_len);
    assert_int_equal(len, again_len);
    assert_memory_equal(text, again, len);
    free(again);
    free(text);
    mereau_jwk_free(back);
}

static void a_kind_is_made_and_comes_back(size_t i) {
    int is_given = strcmp(kinds[i].kty, "RSA") == 0 && kinds[i].bits == 0;
    mereau_jwk *key = is_given ? from_pem(rsa_pkcs8, kinds[i].alg)
                               : made(kinds[i].alg, kinds[i].bits);
    mereau_jwk *half = NULL;
    mereau_error err = MEREAU_ERROR_INIT;
    char *text = thumbprint(key);
    int is_secret = strcmp(kinds[i].kty, "oct") == 0;
    assert_int_equal(mereau_jwk_alg(key), kinds[i].alg);
    assert_int_equal(mereau_jwk_bits(key), kinds[i].size);
    assert_string_equal(mereau_jwk_kty(key), kinds[i].kty);
    assert_string_equal(mereau_jwk_crv(key), kinds[i].crv);
    assert_string_equal(mereau_jwk_kid(key), text);
    assert_int_equal(mereau_jwk_is_private(key), 1);
    free(text);
    comes_back(key, MEREAU_JWK_PRIVATE);
    if (is_secret) {
        not_written(key, MEREAU_JWK_PUBLIC, "key.secret");
        not_written(key, MEREAU_PEM_PUBLIC, "key.secret");
        not_written(key, MEREAU_PEM_PRIVATE, "key.kind");
        not_written(key, MEREAU_DER_PRIVATE, "key.kind");
        assert_int_equal(mereau_jwk_public(&half, key, &err), MEREAU_E_KEY);
        assert_string_equal(err.rule, "key.secret");
        assert_null(half);
        mereau_jwk_free(key);
        return;
    }
    for (int32_t form = MEREAU_JWK_PUBLIC; form <= MEREAU_DER_PRIVATE; form++)
        comes_back(key, form);
    assert_int_equal(mereau_jwk_public(&half, key, &err), MEREAU_OK);
    mereau_jwk_free(key);
    assert_int_equal(mereau_jwk_is_private(half), 0);
    for (int32_t form = MEREAU_JWK_PUBLIC; form <= MEREAU_DER_PUBLIC; form += 2)
        comes_back(half, form);
    for (int32_t form = MEREAU_JWK_PRIVATE; form <= MEREAU_DER_PRIVATE;
         form += 2)
        not_written(half, form, "key.public");
    mereau_jwk_free(half);
}

static void every_kind_is_made_written_and_read_again(void **state) {
    mereau_error err = MEREAU_ERROR_INIT;
    mereau_jwk *key = NULL;
    int done = 0;
    (void)state;
    for (size_t i = 0; i < N_KINDS; i++) {
        if (kinds[i].alg == MEREAU_ALG_EDDSA && !has_eddsa()) {
            assert_int_equal(
                mereau_jwk_generate(&key, kinds[i].alg, 0, NULL, &err),
                MEREAU_E_ALG);
            assert_string_equal(err.rule, "key.eddsa");
            continue;
        }
        a_kind_is_made_and_comes_back(i);
        done++;
    }
    assert_true(done >= (int)N_KINDS - 1);
}

static void keys_are_of_a_size_of_their_algorithm(void **state) {
    mereau_error err = MEREAU_ERROR_INIT;
    mereau_jwk *key = NULL;
    (void)state;
    refused_size(MEREAU_ALG_RS256, 2047);
    refused_size(MEREAU_ALG_RS256, 1024);
    refused_size(MEREAU_ALG_RS256, 2050);
    refused_size(MEREAU_ALG_RS256, 8200);
    refused_size(MEREAU_ALG_RS256, -1);
    refused_size(MEREAU_ALG_RSA_OAEP_256, 1024);
    refused_size(MEREAU_ALG_ES256, 384);
    refused_size(MEREAU_ALG_ES512, 512);
    refused_size(MEREAU_ALG_ECDH_ES, 255);
    refused_size(MEREAU_ALG_ECDH_ES, INT32_MIN);
    refused_size(MEREAU_ALG_HS256, 512);
    refused_size(MEREAU_ALG_DIR, 192);
    refused_size(MEREAU_ALG_A128KW, 256);
    assert_int_equal(mereau_jwk_generate(&key, 0, 0, NULL, &err), MEREAU_E_ALG);
    assert_int_equal(mereau_jwk_generate(&key, 40, 0, NULL, &err),
                     MEREAU_E_ALG);
    assert_null(key);
}

/* A host's generator. */
static int32_t count_up(void *user, uint8_t *out, size_t len) {
    uint8_t *next = user;
    for (size_t i = 0; i < len; i++)
        out[i] = (*next)++;
    return 0;
}
static int32_t broken(void *user, uint8_t *out, size_t len) {
    (void)user;
    memset(out, 1, len);
    return 77;
}

static void a_key_is_made_of_the_hosts_random_bytes(void **state) {
    static const int32_t algs[] = {MEREAU_ALG_HS256, MEREAU_ALG_ES256,
                                   MEREAU_ALG_ECDH_ES, MEREAU_ALG_DIR};
    uint8_t next;
    mereau_error err = MEREAU_ERROR_INIT;
    mereau_random random = {sizeof random, 0, &next, count_up};
    (void)state;
    for (size_t i = 0; i < sizeof algs / sizeof algs[0]; i++) {
        mereau_jwk *a = NULL, *b = NULL, *c = NULL;
        next = 1;
        assert_int_equal(mereau_jwk_generate(&a, algs[i], 0, &random, &err),
                         MEREAU_OK);
        assert_int_equal(mereau_jwk_generate(&c, algs[i], 0, &random, &err),
                         MEREAU_OK);
        next = 1;
        assert_int_equal(mereau_jwk_generate(&b, algs[i], 0, &random, &err),
                         MEREAU_OK);
        is_the_same(a, b, 1);
        assert_string_not_equal(mereau_jwk_kid(a), mereau_jwk_kid(c));
        mereau_jwk_free(a);
        mereau_jwk_free(b);
        mereau_jwk_free(c);
    }
    random.fill = broken;
    for (size_t i = 0; i < sizeof algs / sizeof algs[0]; i++) {
        mereau_jwk *key = (mereau_jwk *)&err;
        assert_int_equal(mereau_jwk_generate(&key, algs[i], 0, &random, &err),
                         MEREAU_E_RANDOM);
        assert_int_equal(err.host_code, 77);
        assert_null(key);
    }
}

/* --- names --- */

static void the_same_key_under_another_name(void **state) {
    mereau_error err = MEREAU_ERROR_INIT;
    char longest[130];
    mereau_jwk *key = from_pem(ec_pkcs8, MEREAU_ALG_ES256), *named = NULL;
    (void)state;
    memset(longest, 'a', sizeof longest);
    longest[128] = '\0';
    assert_int_equal(mereau_jwk_with_kid(&named, key, longest, &err),
                     MEREAU_OK);
    assert_string_equal(mereau_jwk_kid(named), longest);
    is_the_same(key, named, 0);
    mereau_jwk_free(key); /* the other lives on */
    comes_back(named, MEREAU_JWK_PRIVATE);
    longest[128] = 'a';
    longest[129] = '\0';
    key = named;
    assert_int_equal(mereau_jwk_with_kid(&named, key, longest, &err),
                     MEREAU_E_KEY);
    assert_string_equal(err.rule, "jwk.kid");
    assert_null(named);
    assert_int_equal(mereau_jwk_with_kid(&named, key, "", &err), MEREAU_E_KEY);
    assert_int_equal(mereau_jwk_with_kid(&named, key, "a\x01", &err),
                     MEREAU_E_KEY);
    mereau_jwk_free(key);
}

static void a_public_half_keeps_the_name(void **state) {
    mereau_error err = MEREAU_ERROR_INIT;
    mereau_jwk *key = from_pem(rsa_pkcs8, MEREAU_ALG_PS256), *named, *half,
               *same;
    (void)state;
    assert_int_equal(mereau_jwk_with_kid(&named, key, "one", &err), MEREAU_OK);
    assert_int_equal(mereau_jwk_public(&half, named, &err), MEREAU_OK);
    assert_string_equal(mereau_jwk_kid(half), "one");
    is_the_same(named, half, 1);
    char *text = written(half, MEREAU_JWK_PUBLIC, NULL);
    assert_null(strstr(text, "\"d\""));
    free(text);
    assert_int_equal(mereau_jwk_public(&same, half, &err), MEREAU_OK);
    mereau_jwk_free(half);
    is_the_same(named, same, 1);
    mereau_jwk_free(same);
    mereau_jwk_free(named);
    mereau_jwk_free(key);
}

static void a_thumbprint_as_a_uri(void **state) {
    mereau_bytes *out = mereau_bytes_new();
    mereau_jwk *key = from_pem(ec_spki, MEREAU_ALG_ES256);
    char wanted[128], *mine = thumbprint(key);
    (void)state;
    snprintf(wanted, sizeof wanted,
             "urn:ietf:params:oauth:jwk-thumbprint:sha-256:%s", mine);
    assert_int_equal(mereau_jwk_thumbprint_uri(out, key, NULL), MEREAU_OK);
    assert_string_equal(mereau_bytes_text(out), wanted);
    free(mine);
    mereau_jwk_free(key);
    mereau_bytes_free(out);
}

/* --- what a JWK says about its use --- */

#define EC_PUBLIC                                                              \
    "\"kty\":\"EC\",\"crv\":\"P-256\","                                        \
    "\"x\":\"f83OJ3D2xF1Bg8vub9tLe1gHMzV76e8Tus9uPHvRVEU\","                   \
    "\"y\":\"x_FEzRu9m36HLN_tue659LNpXW6pCyStikYjKIWI5a0\""
#define EC_PRIVATE                                                             \
    EC_PUBLIC ",\"d\":\"jpsQnnGQmL-YBIffH1136cspYG6-0iY7X1fCE9-E9LI\""
#define K16 "\"kty\":\"oct\",\"k\":\"GawgguFyGrWKav7AX4VKUg\""
#define K32                                                                    \
    "\"kty\":\"oct\",\"k\":\"KVv_x7KD3wx4PsJQlIv9B_eP5M_cGoWzS3jpEBQcdok\""

static void the_algorithm_is_the_jwks_own_or_the_one_given(void **state) {
    (void)state;
    refused_json("{" EC_PUBLIC "}", 0, MEREAU_E_ALG, "jwk.alg");
    refused_json("{" EC_PUBLIC ",\"use\":\"sig\"}", 0, MEREAU_E_ALG, "jwk.alg");
    refused_json("{" EC_PUBLIC ",\"alg\":\"ES256\"}", MEREAU_ALG_ES384,
                 MEREAU_E_ALG, "jwk.alg");
    refused_json("{" EC_PUBLIC ",\"alg\":\"ES256\"}", MEREAU_ALG_ECDH_ES,
                 MEREAU_E_ALG, "jwk.alg");
    refused_json("{" EC_PUBLIC ",\"alg\":\"RS256\"}", 0, MEREAU_E_KEY,
                 "jwk.kty");
    refused_json("{" EC_PUBLIC ",\"alg\":\"none\"}", 0, MEREAU_E_ALG,
                 "jwk.alg");
    refused_json("{" EC_PUBLIC ",\"alg\":\"RSA1_5\"}", 0, MEREAU_E_ALG,
                 "jwk.alg");
    refused_json("{" EC_PUBLIC "}", 99, MEREAU_E_ALG, "key.alg");
    mereau_jwk *key = from_json("{" EC_PUBLIC "}", MEREAU_ALG_ECDH_ES_A256KW);
    assert_int_equal(mereau_jwk_alg(key), MEREAU_ALG_ECDH_ES_A256KW);
    mereau_jwk_free(key);
    key = from_json("{" EC_PUBLIC ",\"alg\":\"ES256\"}", MEREAU_ALG_ES256);
    assert_int_equal(mereau_jwk_alg(key), MEREAU_ALG_ES256);
    mereau_jwk_free(key);
}

static void the_use_is_that_of_the_algorithm(void **state) {
    (void)state;
    refused_json("{" EC_PUBLIC ",\"alg\":\"ES256\",\"use\":\"enc\"}", 0,
                 MEREAU_E_KEY, "jwk.use");
    refused_json("{" EC_PUBLIC ",\"alg\":\"ECDH-ES\",\"use\":\"sig\"}", 0,
                 MEREAU_E_KEY, "jwk.use");
    refused_json("{" EC_PUBLIC ",\"alg\":\"ECDH-ES\",\"use\":1}", 0,
                 MEREAU_E_MALFORMED, "jwk.use");
    mereau_jwk_free(
        from_json("{" EC_PUBLIC ",\"alg\":\"ECDH-ES\",\"use\":\"enc\"}", 0));
}

/* A key with these operations, read and checked for a few of them. */
static mereau_jwk *with_ops(const char *key, const char *alg, const char *ops) {
    char json[512];
    snprintf(json, sizeof json, "{%s,\"alg\":\"%s\",\"key_ops\":%s}", key, alg,
             ops);
    return from_json(json, 0);
}

static void refused_ops(const char *key, const char *alg, const char *ops,
                        mereau_status status) {
    char json[512];
    snprintf(json, sizeof json, "{%s,\"alg\":\"%s\",\"key_ops\":%s}", key, alg,
             ops);
    refused_json(json, 0, status, "jwk.key_ops");
}

static void operations_are_those_of_the_algorithm(void **state) {
    (void)state;
    refused_ops(EC_PUBLIC, "ES256", "[]", MEREAU_E_KEY);
    refused_ops(EC_PUBLIC, "ES256", "[\"deriveKey\"]", MEREAU_E_KEY);
    refused_ops(EC_PUBLIC, "ES256", "[\"verify\",\"verify\"]",
                MEREAU_E_MALFORMED);
    refused_ops(EC_PUBLIC, "ES256", "[\"Verify\"]", MEREAU_E_KEY);
    refused_ops(EC_PUBLIC, "ES256", "\"verify\"", MEREAU_E_MALFORMED);
    refused_ops(EC_PUBLIC, "ES256", "[1]", MEREAU_E_MALFORMED);
    refused_ops(EC_PRIVATE, "ECDH-ES", "[\"sign\"]", MEREAU_E_KEY);
    refused_ops(K16, "A128KW", "[\"encrypt\"]", MEREAU_E_KEY);
    refused_ops(K16, "A128GCM", "[\"wrapKey\"]", MEREAU_E_KEY);
    refused_ops(K32, "HS256", "[\"encrypt\"]", MEREAU_E_KEY);
    mereau_jwk_free(with_ops(K16, "A128KW", "[\"unwrapKey\",\"wrapKey\"]"));
    mereau_jwk_free(with_ops(K16, "A128GCM", "[\"decrypt\"]"));
    mereau_jwk_free(with_ops(EC_PUBLIC, "ECDH-ES", "[]"));
}

/* Blinds nothing, as nobody looks. */
static int zeros(void *arg, uint8_t *out, size_t len) {
    (void)arg;
    memset(out, 1, len);
    return 0;
}

static void operations_are_honoured_and_written_again(void **state) {
    uint8_t sig[MRU_MAX_SIG] = {0};
    size_t len = 0;
    mereau_jwk *half = NULL;
    mereau_jwk *key = with_ops(EC_PRIVATE, "ES256", "[\"sign\"]");
    (void)state;
    assert_int_equal(
        mru_key_sign(key, zeros, NULL, (const uint8_t *)"a", 1, sig, &len),
        MEREAU_OK);
    /* who may sign may look at what was signed */
    assert_int_equal(mru_key_verify(key, (const uint8_t *)"a", 1, sig, len),
                     MEREAU_OK);
    char *text = written(key, MEREAU_JWK_PRIVATE, NULL);
    assert_non_null(strstr(text, "\"key_ops\":[\"sign\"]"));
    assert_null(strstr(text, "\"use\""));
    free(text);
    text = written(key, MEREAU_JWK_PUBLIC, NULL);
    assert_non_null(strstr(text, "\"key_ops\":[\"verify\"]"));
    free(text);
    assert_int_equal(mereau_jwk_public(&half, key, NULL), MEREAU_OK);
    comes_back(half, MEREAU_JWK_PUBLIC);
    mereau_jwk_free(half);
    mereau_jwk_free(key);
    key = with_ops(EC_PRIVATE, "ES256", "[\"verify\"]");
    assert_int_equal(mru_key_sign(key, NULL, NULL, sig, 1, sig, &len),
                     MEREAU_E_KEY);
    mereau_jwk_free(key);
    key = with_ops(K32, "HS256", "[\"sign\"]");
    assert_int_equal(mru_key_sign(key, NULL, NULL, sig, 1, sig, &len),
                     MEREAU_OK);
    assert_int_equal(mru_key_verify(key, sig, 1, sig, len), MEREAU_E_KEY);
    mereau_jwk_free(key);
    key = with_ops(K32, "HS256", "[\"verify\"]");
    assert_int_equal(mru_key_sign(key, NULL, NULL, sig, 1, sig, &len),
                     MEREAU_E_KEY);
    assert_int_equal(mru_key_verify(key, sig, 1, sig, 32), MEREAU_E_SIGNATURE);
    mereau_jwk_free(key);
}

static void a_key_for_encryption_neither_signs_nor_verifies(void **state) {
    static const int32_t algs[] = {MEREAU_ALG_DIR, MEREAU_ALG_A256KW,
                                   MEREAU_ALG_ECDH_ES};
    uint8_t sig[MRU_MAX_SIG] = {0};
    size_t len = 7;
    (void)state;
    for (size_t i = 0; i < 3; i++) {
        mereau_jwk *key = made(algs[i], 0);
        assert_int_equal(mru_key_sign(key, NULL, NULL, sig, 1, sig, &len),
                         MEREAU_E_KEY);
        assert_int_equal(len, 0);
        assert_int_equal(mru_key_verify(key, sig, 1, sig, 64), MEREAU_E_KEY);
        mereau_jwk_free(key);
    }
}

static void a_content_encryption_as_alg_binds_a_direct_key(void **state) {
    mereau_jwk *key = from_json("{" K32 ",\"alg\":\"A256GCM\"}", 0);
    (void)state;
    assert_int_equal(mereau_jwk_alg(key), MEREAU_ALG_DIR);
    assert_non_null(mru_key_enc(key));
    comes_back(key, MEREAU_JWK_PRIVATE);
    mereau_jwk_free(key);
    key = from_json("{" K32 ",\"alg\":\"A128CBC-HS256\"}", MEREAU_ALG_DIR);
    char *text = written(key, MEREAU_JWK_PRIVATE, NULL);
    assert_non_null(strstr(text, "\"alg\":\"A128CBC-HS256\",\"use\":\"enc\""));
    free(text);
    mereau_jwk_free(key);
    key = from_json("{" K32 ",\"alg\":\"dir\"}", 0);
    assert_null(mru_key_enc(key));
    mereau_jwk_free(key);
    refused_json("{" K32 ",\"alg\":\"A128GCM\"}", 0, MEREAU_E_KEY, "key.bits");
    refused_json("{" K16 ",\"alg\":\"A256GCM\"}", 0, MEREAU_E_KEY, "key.bits");
    refused_json("{" K32 ",\"alg\":\"A256CBC-HS512\"}", 0, MEREAU_E_KEY,
                 "key.bits");
    refused_json("{" K32 ",\"alg\":\"A192GCM\"}", 0, MEREAU_E_ALG, "jwk.alg");
    refused_json("{" K32 ",\"alg\":\"A256GCM\"}", MEREAU_ALG_HS256,
                 MEREAU_E_ALG, "jwk.alg");
}

/* --- secrets --- */

static void secrets_are_as_long_as_their_algorithm_wants(void **state) {
    static const struct {
        int32_t alg;
        size_t least, most;
    } lengths[] = {{MEREAU_ALG_HS256, 32, 1024}, {MEREAU_ALG_HS384, 48, 1024},
                   {MEREAU_ALG_HS512, 64, 1024}, {MEREAU_ALG_A128KW, 16, 16},
                   {MEREAU_ALG_A256KW, 32, 32},  {MEREAU_ALG_DIR, 16, 64}};
    uint8_t secret[1025];
    mereau_jwk *key;
    (void)state;
    for (size_t i = 0; i < sizeof secret; i++)
        secret[i] = (uint8_t)(i * 7 + 3);
    for (size_t i = 0; i < sizeof lengths / sizeof lengths[0]; i++) {
        int32_t alg = lengths[i].alg;
        refused_secret(secret, lengths[i].least - 1, alg, MEREAU_E_KEY,
                       "key.bits");
        refused_secret(secret, lengths[i].most + 1, alg, MEREAU_E_KEY,
                       "key.bits");
        refused_secret(secret, 0, alg, MEREAU_E_KEY, "key.bits");
        assert_int_equal(
            mereau_jwk_from_secret(&key, secret, lengths[i].least, alg, NULL),
            MEREAU_OK);
        mereau_jwk_free(key);
        assert_int_equal(
            mereau_jwk_from_secret(&key, secret, lengths[i].most, alg, NULL),
            MEREAU_OK);
        mereau_jwk_free(key);
    }
    refused_secret(secret, 24, MEREAU_ALG_DIR, MEREAU_E_KEY, "key.bits");
    refused_secret(secret, 48, MEREAU_ALG_DIR, MEREAU_E_KEY, "key.bits");
    refused_secret(secret, 32, MEREAU_ALG_ES256, MEREAU_E_ALG, "key.kind");
    refused_secret(secret, 32, MEREAU_ALG_RSA_OAEP, MEREAU_E_ALG, "key.kind");
    refused_secret(secret, 32, 0, MEREAU_E_ALG, "key.alg");
}

static void no_text_of_a_key_is_a_secret(void **state) {
    static const char *const texts[] = {rsa_pkcs8,   rsa_spki, rsa_pkcs1_public,
                                        ec_sec1,     ec_spki,  ec_certificate,
                                        ec_encrypted};
    static const int32_t algs[] = {MEREAU_ALG_HS256, MEREAU_ALG_HS512};
    mereau_jwk *key = from_pem(ec_spki, MEREAU_ALG_ES256);
    size_t len;
    (void)state;
    for (size_t i = 0; i < sizeof texts / sizeof texts[0]; i++)
        for (size_t a = 0; a < 2; a++)
            if (strlen(texts[i]) <= 1024)
                refused_secret(texts[i], strlen(texts[i]), algs[a],
                               MEREAU_E_KEY, "key.kind");
    char *der = written(key, MEREAU_DER_PUBLIC, &len);
    refused_secret(der, len, MEREAU_ALG_HS256, MEREAU_E_KEY, "key.kind");
    free(der);
    mereau_jwk_free(key);
    key = from_pem(rsa_spki, MEREAU_ALG_RS256);
    der = written(key, MEREAU_DER_PUBLIC, &len);
    refused_secret(der, len, MEREAU_ALG_HS256, MEREAU_E_KEY, "key.kind");
    free(der);
    mereau_jwk_free(key);
    refused_encoded(ec_spki, strlen(ec_spki), MEREAU_ALG_HS256, MEREAU_E_KEY,
                    "key.kind");
    /* without its marks, in either alphabet; and as a JWK or a set */
    char bare[512], *at = bare;
    for (const char *p = strchr(ec_spki, '\n'); *p != '-'; p++)
        if (*p != '\n')
            *at++ = *p;
    *at = '\0';
    refused_secret(bare, strlen(bare), MEREAU_ALG_HS256, MEREAU_E_KEY,
                   "key.kind");
    for (at = bare; *at; at++)
        *at = (char)(*at == '+' ? '-' : *at == '/' ? '_' : *at);
    while (at > bare && at[-1] == '=')
        *--at = '\0';
    refused_secret(bare, strlen(bare), MEREAU_ALG_HS256, MEREAU_E_KEY,
                   "key.kind");
    static const char jwk[] = "{" EC_PUBLIC "}";
    static const char jwks[] = "{\"keys\":[{" EC_PUBLIC "}]}";
    refused_secret(jwk, sizeof jwk - 1, MEREAU_ALG_HS256, MEREAU_E_KEY,
                   "key.kind");
    refused_secret(jwks, sizeof jwks - 1, MEREAU_ALG_HS256, MEREAU_E_KEY,
                   "key.kind");
}

/* --- failing memory --- */

/* One run of everything that a program does with a public key; the first failure
 * ends it. The status of that. */
static mereau_status one_life(mereau_error *err) {
    static const uint8_t secret[32] = {1, 2, 3};
    mereau_bytes *out = mereau_bytes_new();
    mereau_jwks *set = mereau_jwks_new(), *read = NULL;
    mereau_jwk *key = NULL, *named = NULL, *half = NULL, *back = NULL;
    mereau_jwk *hmac = NULL;
    mereau_status status = out && set ? MEREAU_OK : MEREAU_E_NOMEM;
#define STEP(call)                                                             \
    if (status == MEREAU_OK)                                                   \
    status = call
    STEP(mereau_jwk_read_encoded(&key, (const uint8_t *)rsa_spki,
                                 strlen(rsa_spki), MEREAU_ALG_PS256, err));
    STEP(mereau_jwk_with_kid(&named, key, "one", err));
    STEP(mereau_jwk_public(&half, named, err));
    STEP(mereau_jwk_write(out, named, MEREAU_JWK_PUBLIC, err));
    STEP(mereau_jwk_read(&back, mereau_bytes_text(out),
                         strlen(mereau_bytes_text(out)), 0, err));
    STEP(mereau_jwk_write(out, half, MEREAU_PEM_PUBLIC, err));
    STEP(mereau_jwk_thumbprint(out, named, err));
    STEP(mereau_jwk_thumbprint_uri(out, named, err));
    STEP(mereau_jwks_add(set, named, err));
    STEP(mereau_jwks_write(out, set, MEREAU_JWK_PUBLIC, err));
    STEP(mereau_jwks_read(&read, mereau_bytes_text(out),
                          strlen(mereau_bytes_text(out)), err));
    STEP(mereau_jwk_from_secret(&hmac, secret, 32, MEREAU_ALG_HS256, err));
#undef STEP
    if (status == MEREAU_OK) {
        assert_ptr_equal(mereau_jwks_find(set, "one"), named);
        assert_int_equal(mereau_jwks_count(read), 1);
        assert_int_equal(mereau_jwks_skipped(read), 0);
        assert_string_equal(mereau_jwk_kid(mereau_jwks_at(read, 0)), "one");
        assert_int_equal(mereau_jwk_alg(half), MEREAU_ALG_PS256);
        assert_int_equal(mereau_jwk_bits(half), 2048);
        assert_string_equal(mereau_jwk_kty(half), "RSA");
        assert_string_equal(mereau_jwk_crv(half), "");
        assert_int_equal(mereau_jwk_is_private(half), 0);
    }
    mereau_jwk_free(hmac);
    mereau_jwk_free(back);
    mereau_jwk_free(half);
    mereau_jwk_free(named);
    mereau_jwk_free(key);
    mereau_jwks_free(read);
    mereau_jwks_free(set);
    mereau_bytes_free(out);
    return status;
}

static void each_allocation_of_a_life_may_fail(void **state) {
    mereau_error err = MEREAU_ERROR_INIT;
    unsigned long n = 1;
    int over = 0;
    (void)state;
    if (!test_alloc_available())
        skip();
    assert_int_equal(one_life(&err), MEREAU_OK);
    long live = test_alloc_live();
    for (; !over; n++) {
        test_alloc_fail_at(n);
        mereau_status status = one_life(&err);
        over = test_alloc_pending();
        test_alloc_fail_at(0);
        if (over)
            assert_int_equal(status, MEREAU_OK);
        else if (status != MEREAU_OK && status != MEREAU_E_NOMEM &&
                 status != MEREAU_E_CRYPTO)
            fail_msg("allocation %lu: %s", n, err.text);
        assert_int_equal(test_alloc_live(), live);
    }
    print_message("%lu allocations\n", n - 2);
}

/* What is written of a private key, and its public half. */
static mereau_status one_writing(const mereau_jwk *key, int32_t form,
                                 mereau_error *err) {
    mereau_bytes *out = mereau_bytes_new();
    mereau_jwk *half = NULL;
    mereau_status status = form > 0 ? mereau_jwk_write(out, key, form, err)
                                    : mereau_jwk_public(&half, key, err);
    if (status != MEREAU_OK) {
        assert_null(half);
        assert_string_equal(mereau_bytes_text(out), "");
    }
    mereau_jwk_free(half);
    mereau_bytes_free(out);
    return status;
}

static void each_allocation_of_writing_may_fail(void **state) {
    mereau_error err = MEREAU_ERROR_INIT;
    (void)state;
    if (!test_alloc_available())
        skip();
    mereau_jwk *key = from_pem(ec_pkcs8, MEREAU_ALG_ECDH_ES);
    for (int32_t form = 0; form <= MEREAU_DER_PRIVATE; form++) {
        long live = test_alloc_live();
        int over = 0;
        for (unsigned long n = 1; !over; n++) {
            test_alloc_fail_at(n);
            mereau_status status = one_writing(key, form, &err);
            over = test_alloc_pending();
            test_alloc_fail_at(0);
            assert_int_equal(status == MEREAU_OK ||
                                 (!over && (status == MEREAU_E_NOMEM ||
                                            status == MEREAU_E_CRYPTO)),
                             1);
            assert_int_equal(test_alloc_live(), live);
        }
    }
    mereau_jwk_free(key);
}

/* A key with its certificate: read, written with x5c, read again. */
static mereau_status one_certificate(mereau_error *err) {
    mereau_bytes *out = mereau_bytes_new();
    mereau_jwk *key = NULL, *back = NULL;
    mereau_status status = out ? MEREAU_OK : MEREAU_E_NOMEM;
    if (status == MEREAU_OK)
        status = mereau_jwk_read_encoded(&key, (const uint8_t *)ec_certificate,
                                         strlen(ec_certificate),
                                         MEREAU_ALG_ES256, err);
    if (status == MEREAU_OK)
        status = mereau_jwk_write(out, key, MEREAU_JWK_PUBLIC, err);
    if (status == MEREAU_OK)
        status = mereau_jwk_read(&back, mereau_bytes_text(out),
                                 strlen(mereau_bytes_text(out)), 0, err);
    if (status == MEREAU_OK)
        status = mereau_jwk_certificate_thumbprint(out, back, err);
    if (status == MEREAU_OK)
        assert_int_equal(strlen(mereau_bytes_text(out)), 43);
    mereau_jwk_free(back);
    mereau_jwk_free(key);
    mereau_bytes_free(out);
    return status;
}

static void each_allocation_of_certificates_may_fail(void **state) {
    mereau_error err = MEREAU_ERROR_INIT;
    int over = 0;
    (void)state;
    if (!test_alloc_available())
        skip();
    assert_int_equal(one_certificate(&err), MEREAU_OK);
    long live = test_alloc_live();
    for (unsigned long n = 1; !over; n++) {
        test_alloc_fail_at(n);
        mereau_status status = one_certificate(&err);
        over = test_alloc_pending();
        test_alloc_fail_at(0);
        if (status != MEREAU_OK && status != MEREAU_E_NOMEM &&
            status != MEREAU_E_CRYPTO)
            fail_msg("allocation %lu: %s", n, err.text);
        assert_true(!over || status == MEREAU_OK);
        assert_int_equal(test_alloc_live(), live);
    }
}

static void making_survives_each_allocation_failing(void **state) {
    static const int32_t algs[] = {MEREAU_ALG_HS256, MEREAU_ALG_A256KW,
                                   MEREAU_ALG_ECDH_ES};
    (void)state;
    if (!test_alloc_available())
        skip();
    for (size_t i = 0; i < sizeof algs / sizeof algs[0]; i++) {
        long live = test_alloc_live();
        int over = 0;
        for (unsigned long n = 1; !over; n++) {
            mereau_error err = MEREAU_ERROR_INIT;
            mereau_jwk *key = (mereau_jwk *)&err;
            test_alloc_fail_at(n);
            mereau_status status =
                mereau_jwk_generate(&key, algs[i], 0, NULL, &err);
            over = test_alloc_pending();
            test_alloc_fail_at(0);
            if (status == MEREAU_OK) {
                assert_non_null(key);
            } else {
                assert_null(key);
                assert_true(status == MEREAU_E_NOMEM ||
                            status == MEREAU_E_CRYPTO);
            }
            mereau_jwk_free(key);
            assert_int_equal(test_alloc_live(), live);
        }
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_kind_is_made_written_and_read_again),
        cmocka_unit_test(keys_are_of_a_size_of_their_algorithm),
        cmocka_unit_test(a_key_is_made_of_the_hosts_random_bytes),
        cmocka_unit_test(the_same_key_under_another_name),
        cmocka_unit_test(a_public_half_keeps_the_name),
        cmocka_unit_test(a_thumbprint_as_a_uri),
        cmocka_unit_test(the_algorithm_is_the_jwks_own_or_the_one_given),
        cmocka_unit_test(the_use_is_that_of_the_algorithm),
        cmocka_unit_test(operations_are_those_of_the_algorithm),
        cmocka_unit_test(operations_are_honoured_and_written_again),
        cmocka_unit_test(a_key_for_encryption_neither_signs_nor_verifies),
        cmocka_unit_test(a_content_encryption_as_alg_binds_a_direct_key),
        cmocka_unit_test(secrets_are_as_long_as_their_algorithm_wants),
        cmocka_unit_test(no_text_of_a_key_is_a_secret),
        cmocka_unit_test(each_allocation_of_a_life_may_fail),
        cmocka_unit_test(each_allocation_of_writing_may_fail),
        cmocka_unit_test(each_allocation_of_certificates_may_fail),
        cmocka_unit_test(making_survives_each_allocation_failing),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
