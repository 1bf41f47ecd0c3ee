/* tests/unit/test_jws.c - signatures over any bytes (mereau/jws.h): all forms, what
 * a header may say, and what is refused by which rule. */
#include <stdlib.h>

#include "alloc.h"
#include "crypto/crypto.h"
#include "jose_kit.h"

#define TEXT(s) ((const uint8_t *)(s)), strlen(s)
enum { DETACHED = MEREAU_JWS_DETACHED, UNENCODED = MEREAU_JWS_UNENCODED };

static mereau_status verify(const mereau_jwks *keys, const char *token,
                            const char *detached, uint32_t flags,
                            char rule[48]) {
    mereau_error err = MEREAU_ERROR_INIT;
    mereau_bytes *payload = mereau_bytes_new();
    mereau_claims *header = mereau_claims_new();
    size_t len = 7;
    mereau_status status = mereau_jws_verify(
        payload, header, keys, token, strlen(token), (const uint8_t *)detached,
        detached ? strlen(detached) : 0, flags, &err);
    if (status != MEREAU_OK) { /* nothing of it can be read */
        mereau_bytes_data(payload, &len);
        assert_int_equal(len, 0);
        mereau_claims_json(header, &len);
        assert_int_equal(len, 0);
    }
    mereau_bytes_free(payload);
    mereau_claims_free(header);
    strcpy(rule, err.rule);
    return status;
}

/* --- round trips --- */

static const size_t sizes[] = {0, 1, 2, 3, 31, 1000};

static void round_trip(const mereau_jwk *key, const uint8_t *payload,
                       size_t len, uint32_t flags) {
    mereau_error err = MEREAU_ERROR_INIT;
    mereau_bytes *token = mereau_bytes_new(), *out = mereau_bytes_new();
    mereau_claims *header = mereau_claims_new();
    mereau_jwks *keys = kit_set(key);
    size_t token_len = 0, n = 0;
    int detached = (flags & DETACHED) != 0;
    assert_int_equal(mereau_jws_sign(token, key, "{\"typ\":\"x\"}", payload,
                                     len, flags, NULL, &err),
                     MEREAU_OK);
    const char *text = (const char *)mereau_bytes_data(token, &token_len);
    assert_int_equal(mereau_jws_verify(out, header, keys, text, token_len,
                                       detached ? payload : NULL,
                                       detached ? len : 0, flags, &err),
                     MEREAU_OK);
    const uint8_t *got = mereau_bytes_data(out, &n);
    assert_int_equal(n, detached ? 0 : len);
    assert_memory_equal(got, payload, n);
    assert_string_equal(mereau_claims_text(header, "typ"), "x");
    mereau_jwks_free(keys);
    mereau_bytes_free(token);
    mereau_bytes_free(out);
    mereau_claims_free(header);
}

static void every_algorithm_signs_every_form(void **state) {
    uint8_t any[1000], plain[1000];
    int n = 0;
    (void)state;
    for (size_t i = 0; i < sizeof any; i++) {
        any[i] = (uint8_t)(i * 31);
        plain[i] = (uint8_t)('0' + i % 60);
    }
    for (int32_t alg = MEREAU_ALG_HS256; alg <= MEREAU_ALG_EDDSA; alg++) {
        mereau_jwk *key = kit_key(alg, 0);
        n += key != NULL;
        for (uint32_t flags = 0; key && flags < 4; flags++)
            for (size_t i = 0; i < sizeof sizes / sizeof sizes[0]; i++)
                round_trip(key, flags == UNENCODED ? plain : any, sizes[i],
                           flags);
        mereau_jwk_free(key);
    }
    assert_true(n >= 13);
}

/* --- what is refused --- */

static void no_character_of_a_jws_can_be_changed(void **state) {
    mereau_jwk *key = kit_key(MEREAU_ALG_HS256, 0);
    mereau_jwks *keys = kit_set(key);
    mereau_bytes *token = mereau_bytes_new();
    char rule[48];
    (void)state;
    assert_int_equal(
        mereau_jws_sign(token, key, NULL, TEXT("payload"), 0, NULL, NULL),
        MEREAU_OK);
    char *text = strdup(mereau_bytes_text(token));
    size_t len = strlen(text);
    for (size_t i = 0; i < len; i++) {
        char was = text[i];
        for (int bit = 0; bit < 7; bit++) {
            text[i] = (char)(was ^ 1 << bit);
            if (text[i] != '\0')
                assert_int_not_equal(verify(keys, text, NULL, 0, rule),
                                     MEREAU_OK);
            assert_true(text[i] == '\0' || rule[0] != '\0');
        }
        text[i] = was;
    }
    for (size_t cut = 0; cut < len; cut++) {
        mereau_error err = MEREAU_ERROR_INIT;
        assert_int_not_equal(
            mereau_jws_verify(token, NULL, keys, text, cut, NULL, 0, 0, &err),
            MEREAU_OK);
        assert_true(err.rule[0] != '\0');
    }
    assert_int_equal(verify(keys, text, NULL, 0, rule), MEREAU_OK);
    free(text);
    mereau_bytes_free(token);
    mereau_jwks_free(keys);
    mereau_jwk_free(key);
}

static void a_jws_of_another_form_is_refused(void **state) {
    mereau_jwk *key = kit_key(MEREAU_ALG_HS256, 0);
    mereau_jwks *keys = kit_set(key);
    mereau_bytes *token = mereau_bytes_new();
    char rule[48];
    (void)state;
    for (uint32_t made = 0; made < 4; made++)
        for (uint32_t wanted = 0; wanted < 4; wanted++) {
            const char *detached = wanted & DETACHED ? "payload" : NULL;
            assert_int_equal(mereau_jws_sign(token, key, NULL, TEXT("payload"),
                                             made, NULL, NULL),
                             MEREAU_OK);
            mereau_status status =
                verify(keys, mereau_bytes_text(token), detached, wanted, rule);
            assert_int_equal(status == MEREAU_OK, made == wanted);
        }
    mereau_bytes_free(token);
    mereau_jwks_free(keys);
    mereau_jwk_free(key);
}

/* Every token here has a right signature, so that only its header is at fault. */
static void a_header_is_judged_strictly(void **state) {
    static const struct {
        const char *header;
        uint32_t flags;
        const char *rule; /* NULL: accepted */
    } rows[] = {
        {"{\"alg\":\"HS256\"}", 0, NULL},
        {"{\"alg\":\"HS256\",\"x\":[{}],\"jku\":\"https://x\"}", 0, NULL},
        {" {\"alg\" : \"HS256\"} ", 0, NULL},
        {"[\"alg\"]", 0, "jws.header"},
        {"{\"alg\":\"HS256\",\"alg\":\"HS256\"}", 0, "json.duplicate"},
        {"{\"alg\":\"HS256\"}x", 0, "json.syntax"},
        {"{}", 0, "jws.alg"},
        {"{\"alg\":5}", 0, "jws.alg"},
        {"{\"alg\":\"none\"}", 0, "jws.alg"},
        {"{\"alg\":\"hs256\"}", 0, "jws.alg"},
        {"{\"alg\":\"A128KW\"}", 0, "jws.alg"},
        {"{\"alg\":\"RS256\"}", 0, "jws.alg"},
        {"{\"alg\":\"HS512\"}", 0, "jws.alg"},
        {"{\"alg\":\"HS256\",\"enc\":\"A128GCM\"}", 0, "jws.enc"},
        {"{\"alg\":\"HS256\",\"zip\":\"DEF\"}", 0, "jws.zip"},
        {"{\"alg\":\"HS256\",\"typ\":1}", 0, "jws.typ"},
        {"{\"alg\":\"HS256\",\"kid\":1}", 0, "jws.kid"},
        {"{\"alg\":\"HS256\",\"kid\":\"\"}", 0, "jws.kid"},
        {"{\"alg\":\"HS256\",\"kid\":\"other\"}", 0, "jws.kid"},
        {"{\"alg\":\"HS256\",\"kid\":\"mine\"}", 0, NULL},
        /* crit: a list, not empty, without doubles, of what is there and is an
         * extension, and understood. */
        {"{\"alg\":\"HS256\",\"crit\":[]}", 0, "jws.crit"},
        {"{\"alg\":\"HS256\",\"crit\":\"b64\",\"b64\":true}", 0, "jws.crit"},
        {"{\"alg\":\"HS256\",\"crit\":[\"b64\"]}", 0, "jws.crit"},
        {"{\"alg\":\"HS256\",\"crit\":[\"b64\",\"b64\"],\"b64\":true}", 0,
         "jws.crit"},
        {"{\"alg\":\"HS256\",\"crit\":[\"alg\"]}", 0, "jws.crit"},
        {"{\"alg\":\"HS256\",\"crit\":[\"exp\"],\"exp\":1}", 0, "jws.crit"},
        {"{\"alg\":\"HS256\",\"crit\":[\"b64\",\"exp\"],\"b64\":true,"
         "\"exp\":1}",
         0, "jws.crit"},
        {"{\"alg\":\"HS256\",\"crit\":[1],\"b64\":true}", 0, "jws.crit"},
        {"{\"alg\":\"HS256\",\"crit\":null}", 0, "jws.crit"},
        {"{\"alg\":\"HS256\",\"crit\":[\"b64\"],\"b64\":true}", 0, NULL},
        /* b64: named in crit, a truth value, and as expected. */
        {"{\"alg\":\"HS256\",\"b64\":true}", 0, "jws.b64"},
        {"{\"alg\":\"HS256\",\"b64\":false}", UNENCODED, "jws.b64"},
        {"{\"alg\":\"HS256\",\"crit\":[\"b64\"],\"b64\":\"false\"}", UNENCODED,
         "jws.b64"},
        {"{\"alg\":\"HS256\",\"crit\":[\"b64\"],\"b64\":0}", UNENCODED,
         "jws.b64"},
        {"{\"alg\":\"HS256\",\"crit\":[\"b64\"],\"b64\":true}", UNENCODED,
         "jws.b64"},
        {"{\"alg\":\"HS256\",\"crit\":[\"b64\"],\"b64\":false}", 0, "jws.b64"},
        {"{\"alg\":\"HS256\",\"crit\":[\"b64\"],\"b64\":false}", UNENCODED,
         NULL},
    };
    mereau_jwk *key = kit_named(MEREAU_ALG_HS256, 0, "mine");
    mereau_jwks *keys = kit_set(key);
    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        char rule[48];
        char *token = kit_forged(rows[i].header, "cGF5bG9hZA", NULL);
        mereau_status status = verify(keys, token, NULL, rows[i].flags, rule);
        if ((status == MEREAU_OK) != (rows[i].rule == NULL) ||
            (rows[i].rule && strcmp(rule, rows[i].rule) != 0))
            fail_msg("%s: %d %s", rows[i].header, status, rule);
        free(token);
    }
    mereau_jwks_free(keys);
    mereau_jwk_free(key);
}

static void a_segment_is_judged_strictly(void **state) {
    static const struct {
        const char *payload;
        uint32_t flags;
        const char *rule;
    } rows[] = {
        {"", 0, NULL},
        {"Zm9v", 0, NULL},
        {"Zm9", 0, "jws.payload"}, /* bits that belong to no byte */
        {"Z", 0, "jws.payload"},
        {"Zm9v=", 0, "jws.form"},
        {"Zm 9v", 0, "jws.form"},
        {"Zm9v\n", 0, "jws.form"},
        {"Zm+v", 0, "jws.form"},
        {"a.b", 0, "jws.form"},
        {"Zm9v", DETACHED, "jws.payload"},
        {"$ 02", UNENCODED, NULL},
        {"$.02", UNENCODED, "jws.form"},
        {"tab\there", UNENCODED, "jws.form"},
        {"\xC3\xA9", UNENCODED, "jws.form"},
    };
    mereau_jwk *key = kit_key(MEREAU_ALG_HS256, 0);
    mereau_jwks *keys = kit_set(key);
    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        char rule[48];
        char *token =
            kit_forged(rows[i].flags & UNENCODED
                           ? "{\"alg\":\"HS256\",\"b64\":false,\"crit\":"
                             "[\"b64\"]}"
                           : "{\"alg\":\"HS256\"}",
                       rows[i].payload, NULL);
        mereau_status status =
            verify(keys, token, rows[i].flags & DETACHED ? "foo" : NULL,
                   rows[i].flags, rule);
        if ((status == MEREAU_OK) != (rows[i].rule == NULL) ||
            (rows[i].rule && strcmp(rule, rows[i].rule) != 0))
            fail_msg("%s: %d %s", rows[i].payload, status, rule);
        free(token);
    }
    mereau_jwks_free(keys);
    mereau_jwk_free(key);
}

static void a_signature_of_another_length_is_refused(void **state) {
    static const int32_t algs[] = {MEREAU_ALG_HS256, MEREAU_ALG_RS256,
                                   MEREAU_ALG_PS256, MEREAU_ALG_ES256,
                                   MEREAU_ALG_ES512};
    mereau_bytes *token = mereau_bytes_new();
    (void)state;
    for (size_t i = 0; i < sizeof algs / sizeof algs[0]; i++) {
        uint8_t sig[520] = {0};
        char rule[48], text[1400];
        mereau_jwk *key = kit_key(algs[i], 0);
        mereau_jwks *keys = kit_set(key);
        assert_int_equal(
            mereau_jws_sign(token, key, NULL, TEXT("x"), 0, NULL, NULL),
            MEREAU_OK);
        strcpy(text, mereau_bytes_text(token));
        char *at = strrchr(text, '.') + 1;
        size_t len = (size_t)mru_b64_decode(sig, at, strlen(at));
        static const int more[] = {1, -1, 0};
        for (size_t k = 0; k < 3; k++) {
            size_t n = (size_t)((int)len + more[k]);
            memset(at, 0, MRU_B64_LEN(len + 1) + 1);
            mru_b64_encode(at, sig, n);
            assert_int_equal(verify(keys, text, NULL, 0, rule),
                             more[k] ? MEREAU_E_SIGNATURE : MEREAU_OK);
        }
        *at = '\0';
        assert_int_equal(verify(keys, text, NULL, 0, rule), MEREAU_E_SIGNATURE);
        mereau_jwks_free(keys);
        mereau_jwk_free(key);
    }
    mereau_bytes_free(token);
}

/* --- which key --- */

static void the_key_is_the_one_that_kid_names(void **state) {
    mereau_jwk *a = NULL, *b = NULL, *c = NULL;
    mereau_jwks *keys = mereau_jwks_new();
    mereau_bytes *token = mereau_bytes_new();
    char rule[48];
    (void)state;
    a = kit_named(MEREAU_ALG_ES256, 0, "a");
    b = kit_named(MEREAU_ALG_ES256, 0, "b");
    c = kit_unnamed(MEREAU_ALG_ES384);
    assert_int_equal(mereau_jwks_add(keys, a, NULL), MEREAU_OK);
    assert_int_equal(mereau_jwks_add(keys, b, NULL), MEREAU_OK);
    mereau_jws_sign(token, b, NULL, TEXT("x"), 0, NULL, NULL);
    assert_int_equal(verify(keys, mereau_bytes_text(token), NULL, 0, rule),
                     MEREAU_OK);
    char *none =
        kit_with_header(mereau_bytes_text(token), "{\"alg\":\"ES256\"}");
    assert_int_equal(verify(keys, none, NULL, 0, rule), MEREAU_E_KEY_UNKNOWN);
    assert_string_equal(rule, "jws.kid");
    char *other = kit_with_header(mereau_bytes_text(token),
                                  "{\"alg\":\"ES256\",\"kid\":\"a\"}");
    assert_int_equal(verify(keys, other, NULL, 0, rule), MEREAU_E_SIGNATURE);
    char *alg = kit_with_header(mereau_bytes_text(token),
                                "{\"alg\":\"ES384\",\"kid\":\"b\"}");
    assert_int_equal(verify(keys, alg, NULL, 0, rule), MEREAU_E_ALG);
    assert_string_equal(rule, "jws.alg");
    /* One without a name answers for any. */
    assert_int_equal(mereau_jwks_add(keys, c, NULL), MEREAU_OK);
    mereau_jws_sign(token, c, "{\"kid\":\"strange\"}", TEXT("x"), 0, NULL,
                    NULL);
    assert_int_equal(verify(keys, mereau_bytes_text(token), NULL, 0, rule),
                     MEREAU_OK);
    free(none);
    free(other);
    free(alg);
    mereau_jwk_free(a);
    mereau_jwk_free(b);
    mereau_jwk_free(c);
    mereau_jwks_free(keys);
    mereau_bytes_free(token);
}

static void a_key_for_encryption_signs_nothing(void **state) {
    mereau_error err = MEREAU_ERROR_INIT;
    mereau_jwk *key = kit_key(MEREAU_ALG_A256KW, 0), *pair, *public = NULL;
    mereau_bytes *token = mereau_bytes_new();
    (void)state;
    assert_int_equal(
        mereau_jws_sign(token, key, NULL, TEXT("x"), 0, NULL, &err),
        MEREAU_E_ALG);
    assert_string_equal(err.rule, "jws.alg");
    pair = kit_key(MEREAU_ALG_ES256, 0);
    assert_int_equal(mereau_jwk_public(&public, pair, NULL), MEREAU_OK);
    assert_int_equal(
        mereau_jws_sign(token, public, NULL, TEXT("x"), 0, NULL, &err),
        MEREAU_E_KEY);
    assert_string_equal(err.rule, "jws.key");
    mereau_jwk_free(key);
    mereau_jwk_free(pair);
    mereau_jwk_free(public);
    mereau_bytes_free(token);
}

/* --- what callers put into a header --- */

static void a_caller_adds_to_the_header_what_is_his(void **state) {
    static const struct {
        const char *given;
        const char *header; /* NULL: refused */
    } rows[] = {
        {NULL, "{\"alg\":\"HS256\"}"},
        {"{}", "{\"alg\":\"HS256\"}"},
        {" { \"typ\" : \"a b\" , \"x\":{\"y\":[1, 2]} } ",
         "{\"alg\":\"HS256\",\"typ\":\"a b\",\"x\":{\"y\":[1, 2]}}"},
        {"{\"kid\":\"k\\u00e9\"}", "{\"alg\":\"HS256\",\"kid\":\"k\\u00e9\"}"},
        {"{\"jwk\":{\"kty\":\"EC\",\"x\":\"AA\"}}",
         "{\"alg\":\"HS256\",\"jwk\":{\"kty\":\"EC\",\"x\":\"AA\"}}"},
        {"{\"jwk\":{\"kty\":\"EC\",\"d\":\"AA\"}}", NULL},
        {"{\"jwk\":{\"kty\":\"oct\",\"\\u006b\":\"AA\"}}", NULL},
        {"{\"jwk\":\"text\"}", NULL},
        {"{\"alg\":\"none\"}", NULL},
        {"{\"\\u0061lg\":\"none\"}", NULL},
        {"{\"crit\":[\"exp\"]}", NULL},
        {"{\"b64\":false}", NULL},
        {"{\"enc\":\"A128GCM\"}", NULL},
        {"{\"zip\":\"DEF\"}", NULL},
        {"{\"epk\":{}}", NULL},
        {"{\"p2c\":1}", NULL},
        {"{\"apu\":\"AA\"}", NULL},
        {"{\"typ\":1}", NULL},
        {"{\"typ\":\"\"}", NULL},
        {"{\"cty\":null}", NULL},
        {"{\"kid\":\"\"}", NULL},
        {"[]", NULL},
        {"", NULL},
        {"{\"x\":1,\"x\":2}", NULL},
        {"{\"x\":1}}", NULL},
    };
    mereau_jwk *key = kit_key(MEREAU_ALG_HS256, 0);
    mereau_bytes *token = mereau_bytes_new();
    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        mereau_error err = MEREAU_ERROR_INIT;
        mereau_status status = mereau_jws_sign(token, key, rows[i].given,
                                               TEXT("x"), 0, NULL, &err);
        if ((status == MEREAU_OK) != (rows[i].header != NULL))
            fail_msg("%s: %d", rows[i].given, status);
        if (status != MEREAU_OK) {
            assert_true(err.rule[0] != '\0');
            assert_string_equal(mereau_bytes_text(token), "");
            continue;
        }
        char *header = kit_header(mereau_bytes_text(token));
        assert_string_equal(header, rows[i].header);
        free(header);
    }
    mereau_jwk_free(key);
    key = kit_named(MEREAU_ALG_HS256, 0, "its \"own\"\\\n");
    assert_int_equal(mereau_jws_sign(token, key, "{\"kid\":\"x\"}", TEXT("x"),
                                     0, NULL, NULL),
                     MEREAU_E_ARG);
    assert_int_equal(
        mereau_jws_sign(token, key, NULL, TEXT("x"), 0, NULL, NULL), MEREAU_OK);
    char *header = kit_header(mereau_bytes_text(token));
    assert_string_equal(
        header, "{\"alg\":\"HS256\",\"kid\":\"its \\\"own\\\"\\\\\\u000a\"}");
    free(header);
    mereau_jwk_free(key);
    mereau_bytes_free(token);
}

static void what_cannot_stand_in_a_jws_is_refused(void **state) {
    static uint8_t long_one[20000];
    mereau_error err = MEREAU_ERROR_INIT;
    mereau_jwk *key = kit_key(MEREAU_ALG_HS256, 0);
    mereau_jwks *keys = kit_set(key);
    mereau_bytes *token = mereau_bytes_new(), *out = mereau_bytes_new();
    size_t most = 12000, len = 0;
    (void)state;
    memset(long_one, 'a', sizeof long_one);
    assert_int_equal(
        mereau_jws_sign(token, key, NULL, TEXT("a.b"), UNENCODED, NULL, &err),
        MEREAU_E_MALFORMED);
    assert_string_equal(err.rule, "jws.payload");
    /* The longest that is signed is verified; one byte more is not signed. */
    while (mereau_jws_sign(token, key, NULL, long_one, most, 0, NULL, &err) ==
           MEREAU_OK)
        most++;
    assert_int_equal(err.status, MEREAU_E_TOO_LONG);
    assert_string_equal(err.rule, "jws.length");
    assert_int_equal(
        mereau_jws_sign(token, key, NULL, long_one, most - 1, 0, NULL, &err),
        MEREAU_OK);
    const char *text = (const char *)mereau_bytes_data(token, &len);
    assert_int_equal(
        mereau_jws_verify(out, NULL, keys, text, len, NULL, 0, 0, &err),
        MEREAU_OK);
    assert_int_equal(mereau_jws_sign(token, key, NULL, long_one,
                                     sizeof long_one, 0, NULL, &err),
                     MEREAU_E_TOO_LONG);
    /* What is detached may be longer. */
    assert_int_equal(mereau_jws_sign(token, key, NULL, long_one,
                                     sizeof long_one, DETACHED, NULL, &err),
                     MEREAU_OK);
    text = (const char *)mereau_bytes_data(token, &len);
    assert_int_equal(mereau_jws_verify(out, NULL, keys, text, len, long_one,
                                       sizeof long_one, DETACHED, &err),
                     MEREAU_OK);
    memset(long_one, 'a', sizeof long_one);
    assert_int_equal(mereau_jws_verify(out, NULL, keys, (char *)long_one,
                                       sizeof long_one, NULL, 0, 0, &err),
                     MEREAU_E_TOO_LONG);
    mereau_jwks_free(keys);
    mereau_jwk_free(key);
    mereau_bytes_free(token);
    mereau_bytes_free(out);
}

/* --- what fails --- */

static int32_t no_random(void *user, uint8_t *out, size_t len) {
    (void)user;
    memset(out, 9, len);
    return 77;
}

static void a_failing_random_source_signs_nothing(void **state) {
    mereau_error err = MEREAU_ERROR_INIT;
    mereau_random random = {(uint32_t)sizeof random, 0, NULL, no_random};
    mereau_jwk *key = kit_key(MEREAU_ALG_PS256, 0);
    mereau_bytes *token = mereau_bytes_new();
    (void)state;
    if (!(mru_crypto_has() & MRU_HAS_OWN_RANDOM)) {
        assert_int_equal(
            mereau_jws_sign(token, key, NULL, TEXT("x"), 0, &random, &err),
            MEREAU_E_RANDOM);
        assert_string_equal(mereau_bytes_text(token), "");
    }
    random.fill = NULL;
    assert_int_equal(
        mereau_jws_sign(token, key, NULL, TEXT("x"), 0, &random, &err),
        MEREAU_E_ARG);
    random.size = 3;
    assert_int_equal(
        mereau_jws_sign(token, key, NULL, TEXT("x"), 0, &random, &err),
        MEREAU_E_SIZE);
    mereau_jwk_free(key);
    mereau_bytes_free(token);
}

static void wrong_arguments_are_named(void **state) {
    mereau_error err = MEREAU_ERROR_INIT, odd = MEREAU_ERROR_INIT;
    mereau_jwk *key = kit_key(MEREAU_ALG_HS256, 0);
    mereau_jwks *keys = kit_set(key);
    mereau_bytes *out = mereau_bytes_new();
    const uint8_t x[] = "x";
    (void)state;
    odd.size = 4;
    assert_int_equal(mereau_jws_sign(NULL, key, NULL, x, 1, 0, NULL, &err),
                     MEREAU_E_NOMEM);
    assert_int_equal(mereau_jws_sign(out, NULL, NULL, x, 1, 0, NULL, &err),
                     MEREAU_E_ARG);
    assert_int_equal(mereau_jws_sign(out, key, NULL, NULL, 1, 0, NULL, &err),
                     MEREAU_E_ARG);
    assert_int_equal(mereau_jws_sign(out, key, NULL, x, 1, 4, NULL, &err),
                     MEREAU_E_ARG);
    assert_int_equal(mereau_jws_sign(out, key, NULL, x, 1, 0, NULL, &odd),
                     MEREAU_E_SIZE);
    assert_int_equal(mereau_jws_sign(out, key, NULL, NULL, 0, 0, NULL, NULL),
                     MEREAU_OK);
    assert_int_equal(
        mereau_jws_verify(NULL, NULL, keys, "a", 1, NULL, 0, 0, &err),
        MEREAU_E_NOMEM);
    assert_int_equal(
        mereau_jws_verify(out, NULL, NULL, "a", 1, NULL, 0, 0, &err),
        MEREAU_E_NOMEM);
    assert_int_equal(
        mereau_jws_verify(out, NULL, keys, NULL, 1, NULL, 0, 0, &err),
        MEREAU_E_ARG);
    assert_int_equal(
        mereau_jws_verify(out, NULL, keys, "a", 1, NULL, 1, DETACHED, &err),
        MEREAU_E_ARG);
    assert_int_equal(mereau_jws_verify(out, NULL, keys, "a", 1, x, 1, 0, &err),
                     MEREAU_E_ARG);
    assert_int_equal(
        mereau_jws_verify(out, NULL, keys, "a", 1, NULL, 0, 8, &err),
        MEREAU_E_ARG);
    assert_int_equal(
        mereau_jws_verify(out, NULL, keys, "a", 1, NULL, 0, 0, &odd),
        MEREAU_E_SIZE);
    assert_int_equal(
        mereau_jws_verify(out, NULL, keys, "", 0, NULL, 0, 0, NULL),
        MEREAU_E_MALFORMED);
    mereau_jwks_free(keys);
    mereau_jwk_free(key);
    mereau_bytes_free(out);
}

static mereau_status sign_and_verify(const mereau_jwk *key,
                                     const mereau_jwks *keys, uint32_t flags) {
    mereau_bytes *token = mereau_bytes_new(), *out = mereau_bytes_new();
    mereau_claims *header = mereau_claims_new();
    size_t len = 0;
    int without = header == NULL; /* which only says that it is not wanted */
    mereau_status status = mereau_jws_sign(token, key, "{\"typ\":\"x\"}",
                                           TEXT("payload"), flags, NULL, NULL);
    const char *text = (const char *)mereau_bytes_data(token, &len);
    if (status == MEREAU_OK)
        status = mereau_jws_verify(out, header, keys, text, len,
                                   flags & DETACHED ? (const uint8_t *)"payload"
                                                    : NULL,
                                   flags & DETACHED ? 7 : 0, flags, NULL);
    mereau_bytes_free(token);
    mereau_bytes_free(out);
    mereau_claims_free(header);
    return without ? MEREAU_E_NOMEM : status;
}

static void every_failing_allocation_is_survived(void **state) {
    static const int32_t algs[] = {MEREAU_ALG_HS256, MEREAU_ALG_ES256};
    (void)state;
    if (!test_alloc_available())
        skip();
    for (size_t a = 0; a < 2; a++)
        for (uint32_t flags = 0; flags < 4; flags++) {
            mereau_jwk *key = kit_key(algs[a], 0);
            mereau_jwks *keys = kit_set(key);
            sign_and_verify(key, keys, flags); /* tables made at first use */
            /* Bignums allocate thousands of times, each like the others. */
            for (unsigned long n = 1, step = 1;; n += step) {
                long live = test_alloc_live();
                test_alloc_fail_at(n);
                mereau_status status = sign_and_verify(key, keys, flags);
                int over = test_alloc_pending();
                test_alloc_fail_at(0);
                assert_int_equal(test_alloc_live(), live);
                /* A provider does not always say that memory was missing. */
                assert_true(over ? status == MEREAU_OK
                                 : test_alloc_told(status) ||
                                       status == MEREAU_E_CRYPTO);
                if (over)
                    break;
                step = n > 60 ? 37 : 1;
            }
            mereau_jwks_free(keys);
            mereau_jwk_free(key);
        }
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_algorithm_signs_every_form),
        cmocka_unit_test(no_character_of_a_jws_can_be_changed),
        cmocka_unit_test(a_jws_of_another_form_is_refused),
        cmocka_unit_test(a_header_is_judged_strictly),
        cmocka_unit_test(a_segment_is_judged_strictly),
        cmocka_unit_test(a_signature_of_another_length_is_refused),
        cmocka_unit_test(the_key_is_the_one_that_kid_names),
        cmocka_unit_test(a_key_for_encryption_signs_nothing),
        cmocka_unit_test(a_caller_adds_to_the_header_what_is_his),
        cmocka_unit_test(what_cannot_stand_in_a_jws_is_refused),
        cmocka_unit_test(a_failing_random_source_signs_nothing),
        cmocka_unit_test(wrong_arguments_are_named),
        cmocka_unit_test(every_failing_allocation_is_survived),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
