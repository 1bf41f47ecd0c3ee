/* tests/unit/test_pkey_text.c - key pairs as texts: PEM and DER read strictly and
 * written as others write them, and certificates (lib/crypto/pkey_parse.c,
 * pkey_write.c, der.c, pem.c). */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include <stdio.h>
#include <stdlib.h>

#include "crypto/der.h"
#include "alloc.h"
#include "key_texts.h"

static int draw(void *arg, uint8_t *out, size_t len) {
    uint32_t *state = arg;
    for (size_t i = 0; i < len; i++) {
        *state = *state * 1664525 + 1013904223;
        out[i] = (uint8_t)(*state >> 24);
    }
    return 0;
}

static mereau_status parse(mru_pkey **out, int32_t alg, const void *data,
                           size_t len, mereau_error *err) {
    return mru_pkey_parse(out, mru_alg_info(alg), NULL, data, len, err);
}

static mru_pkey *parsed(int32_t alg, const char *text) {
    mereau_error err = MEREAU_ERROR_INIT;
    mru_pkey *key = NULL;
    if (parse(&key, alg, text, strlen(text), &err) != MEREAU_OK)
        fail_msg("%s", err.text);
    return key;
}

static void refused(int32_t alg, const void *data, size_t len,
                    mereau_status status, const char *rule) {
    mereau_error err = MEREAU_ERROR_INIT;
    mru_pkey *key = (mru_pkey *)&err;
    mereau_status got = parse(&key, alg, data, len, &err);
    if (got != status || strcmp(err.rule, rule) != 0)
        fail_msg("%d %s, not %d %s", got, err.text, status, rule);
    assert_null(key);
}

static void not_a_key(int32_t alg, const char *text) {
    refused(alg, text, strlen(text), MEREAU_E_MALFORMED, "key.encoding");
}

/* The DER in a PEM text of one block. */
static struct mru_buf der_of(const char *text) {
    const uint8_t *data = (const uint8_t *)text;
    size_t len = strlen(text);
    struct mru_buf der = {0};
    mereau_slice label;
    assert_int_equal(mru_pem_next(&data, &len, &label, &der), 0);
    return der;
}

/* --- writing --- */

static void what_openssl_wrote_is_written_the_same(void **state) {
    static const struct {
        int32_t alg;
        const char *text;
        int private_too;
    } texts[] = {
        {MEREAU_ALG_RS256, rsa_pkcs8, 1},   {MEREAU_ALG_RSA_OAEP, rsa_pkcs8, 1},
        {MEREAU_ALG_PS256, rsa_spki, 0},    {MEREAU_ALG_ES256, ec_pkcs8, 1},
        {MEREAU_ALG_ECDH_ES, ec_spki, 0},   {MEREAU_ALG_ES384, p384_spki, 0},
        {MEREAU_ALG_EDDSA, ed25519_spki, 0}};
    (void)state;
    for (size_t i = 0; i < sizeof texts / sizeof texts[0]; i++) {
        struct mru_buf text = {0}, der = {0}, wanted = der_of(texts[i].text);
        if (texts[i].alg == MEREAU_ALG_EDDSA &&
            !(mru_crypto_has() & MRU_HAS_ED25519)) {
            mru_buf_free(&wanted);
            continue;
        }
        mru_pkey *key = parsed(texts[i].alg, texts[i].text);
        assert_int_equal(mru_pkey_write(key, texts[i].private_too, 1, &text),
                         MEREAU_OK);
        assert_string_equal((const char *)text.data, texts[i].text);
        assert_int_equal(mru_pkey_write(key, texts[i].private_too, 0, &der),
                         MEREAU_OK);
        assert_int_equal(der.len, wanted.len);
        assert_memory_equal(der.data, wanted.data, der.len);
        mru_buf_free(&wanted);
        mru_buf_free(&text);
        mru_buf_free(&der);
        mru_pkey_free(key);
    }
}

static void made_keys_return_from_their_texts(void **state) {
    static const struct {
        int32_t alg;
        const char *crv;
    } kinds[] = {{MEREAU_ALG_ES256, NULL},      {MEREAU_ALG_ES384, NULL},
                 {MEREAU_ALG_ES512, NULL},      {MEREAU_ALG_ES256K, NULL},
                 {MEREAU_ALG_ECDH_ES, "P-256"}, {MEREAU_ALG_ECDH_ES, "P-521"},
                 {MEREAU_ALG_EDDSA, NULL}};
    (void)state;
    for (size_t i = 0; i < sizeof kinds / sizeof kinds[0]; i++) {
        const struct mru_alg *alg = mru_alg_info(kinds[i].alg);
        const struct mru_curve *crv =
            kinds[i].crv ? mru_curve_find(kinds[i].crv, 5) : NULL;
        mereau_error err = MEREAU_ERROR_INIT;
        if (alg->kty == MRU_KTY_OKP && !(mru_crypto_has() & MRU_HAS_ED25519))
            continue;
        for (uint32_t seed = 0; seed < 20; seed++) { /* leading zeros, too */
            uint32_t random = seed;
            mru_pkey *key = NULL, *again = NULL;
            struct mru_buf text = {0}, other = {0};
            assert_int_equal(
                mru_pkey_generate(&key, alg, crv, 0, draw, &random, &err),
                MEREAU_OK);
            for (int form = 0; form < 4; form++) {
                int private_too = form & 1, pem = form >> 1;
                mru_buf_free(&text);
                mru_buf_free(&other);
                assert_int_equal(mru_pkey_write(key, private_too, pem, &text),
                                 MEREAU_OK);
                assert_int_equal(mru_pkey_is_encoded(text.data, text.len), 1);
                assert_int_equal(
                    mru_pkey_parse(&again, alg, crv, text.data, text.len, &err),
                    MEREAU_OK);
                assert_int_equal(mru_pkey_is_private(again), private_too);
                assert_ptr_equal(mru_pkey_curve(again), mru_pkey_curve(key));
                assert_int_equal(
                    mru_pkey_write(again, private_too, pem, &other), MEREAU_OK);
                assert_int_equal(other.len, text.len);
                assert_memory_equal(other.data, text.data, text.len);
                if (!private_too)
                    assert_int_equal(mru_pkey_write(again, 1, pem, &other),
                                     MEREAU_E_KEY);
                mru_pkey_free(again);
            }
            mru_buf_free(&text);
            mru_buf_free(&other);
            mru_pkey_free(key);
        }
    }
}

/* --- PEM --- */

static char *joined(const char *a, const char *b, const char *c) {
    size_t len = strlen(a) + strlen(b) + strlen(c) + 1;
    char *text = malloc(len);
    assert_non_null(text);
    snprintf(text, len, "%s%s%s", a, b, c);
    return text;
}

/* text with every `from` replaced. */
static char *with(const char *text, char from, const char *to) {
    char *out = calloc(1, strlen(text) * (strlen(to) + 1) + 1);
    assert_non_null(out);
    for (; *text; text++) {
        char one[2] = {*text, '\0'};
        strcat(out, *text == from ? to : one);
    }
    return out;
}

static void pem_is_read_as_people_keep_it(void **state) {
    static const char parameters[] = "-----BEGIN EC PARAMETERS-----\n"
                                     "BggqhkjOPQMBBw==\n"
                                     "-----END EC PARAMETERS-----\n";
    char *texts[] = {with(ec_pkcs8, '\n', "\r\n"),
                     with(ec_pkcs8, '\n', " \n"),
                     joined("Bag Attributes: none\n", ec_pkcs8, ""),
                     joined("", ec_pkcs8, "\nthat was it\n"),
                     joined(parameters, ec_sec1, ""),
                     joined(ec_pkcs8, ec_certificate, "")};
    struct mru_buf wanted = {0};
    mru_pkey *key = parsed(MEREAU_ALG_ES256, ec_pkcs8);
    (void)state;
    assert_int_equal(mru_pkey_write(key, 1, 0, &wanted), MEREAU_OK);
    mru_pkey_free(key);
    for (size_t i = 0; i < sizeof texts / sizeof texts[0]; i++) {
        struct mru_buf got = {0};
        key = parsed(MEREAU_ALG_ES256, texts[i]);
        assert_int_equal(mru_pkey_write(key, 1, 0, &got), MEREAU_OK);
        assert_int_equal(got.len, wanted.len);
        assert_memory_equal(got.data, wanted.data, got.len);
        mru_buf_free(&got);
        mru_pkey_free(key);
        free(texts[i]);
    }
    mru_buf_free(&wanted);
}

static void broken_pem_is_refused(void **state) {
    char text[512];
    (void)state;
    refused(MEREAU_ALG_ES256, ec_encrypted, strlen(ec_encrypted), MEREAU_E_KEY,
            "key.encrypted");
    not_a_key(MEREAU_ALG_ES256, "-----BEGIN PUBLIC KEY-----");
    not_a_key(MEREAU_ALG_ES256, "-----BEGIN PUBLIC KEY-----\n"
                                "-----END PUBLIC KEY-----\n");
    not_a_key(MEREAU_ALG_ES256, "-----BEGIN EC PARAMETERS-----\n"
                                "BggqhkjOPQMBBw==\n"
                                "-----END EC PARAMETERS-----\n");
    /* Any one character of the base64 or of a mark replaced. */
    size_t len = strlen(ec_spki);
    assert_true(len < sizeof text);
    for (size_t i = 0; i + 1 < len; i++) {
        static const char bad[] = "-*=_\x80";
        for (size_t k = 0; bad[k]; k++) {
            mereau_error err = MEREAU_ERROR_INIT;
            mru_pkey *key = NULL;
            memcpy(text, ec_spki, len + 1);
            if (text[i] == '\n' || text[i] == bad[k])
                continue;
            text[i] = bad[k];
            mereau_status status =
                parse(&key, MEREAU_ALG_ES256, text, len, &err);
            if (status == MEREAU_OK)
                fail_msg("%c at %zu", bad[k], i);
            assert_null(key);
        }
    }
    /* Cut anywhere before its last mark is whole. */
    for (size_t cut = 0; cut < len - 1; cut++)
        refused(MEREAU_ALG_ES256, ec_spki, cut, MEREAU_E_MALFORMED,
                "key.encoding");
}

static void bits_that_mean_nothing_are_zero(void **state) {
    /* "MA==" is 30 00 with... two bytes in three characters and one "=". */
    static const struct {
        const char *body;
        int right;
    } bodies[] = {{"AQ==", 1},  {"AR==", 0},   {"AQI=", 1}, {"AQJ=", 0},
                  {"AQID", 1},  {"AQ=", 0},    {"AQ", 0},   {"A===", 0},
                  {"A", 0},     {"AQ==A", 0},  {"=AQ=", 0}, {"AQ===", 0},
                  {"AQID=", 0}, {"A Q\n==", 1}};
    (void)state;
    for (size_t i = 0; i < sizeof bodies / sizeof bodies[0]; i++) {
        char text[80];
        struct mru_buf der = {0};
        mereau_slice label;
        const uint8_t *data = (const uint8_t *)text;
        snprintf(text, sizeof text, "-----BEGIN X-----\n%s\n-----END X-----\n",
                 bodies[i].body);
        size_t len = strlen(text);
        int ret = mru_pem_next(&data, &len, &label, &der);
        if (ret != (bodies[i].right ? 0 : -1))
            fail_msg("%s: %d", bodies[i].body, ret);
        if (ret == 0)
            assert_memory_equal(der.data, "\1\2\3", der.len);
        mru_buf_free(&der);
    }
}

/* --- DER --- */

/* No cut, added or inserted byte leaves a key, and no flipped bit harms: the read
 * ends with a key or a refusal. */
static void der_is_read_to_its_last_byte(void **state) {
    const char *texts[] = {ec_spki,        ec_sec1,  ec_pkcs8,
                           ec_certificate, rsa_spki, rsa_pkcs1};
    (void)state;
    for (size_t i = 0; i < sizeof texts / sizeof texts[0]; i++) {
        int32_t alg = i < 4 ? MEREAU_ALG_ECDH_ES : MEREAU_ALG_RSA_OAEP_256;
        struct mru_buf der = der_of(texts[i]);
        uint8_t *copy = malloc(der.len + 1);
        assert_non_null(copy);
        for (size_t len = 0; len < der.len; len++) {
            memcpy(copy, der.data, len); /* so that a sanitizer sees the end */
            refused(alg, copy, len, MEREAU_E_MALFORMED, "key.encoding");
        }
        memcpy(copy, der.data, der.len);
        copy[der.len] = 0;
        refused(alg, copy, der.len + 1, MEREAU_E_MALFORMED, "key.encoding");
        size_t step = der.len > 300 ? 29 : 3;
        for (size_t bit = 0; bit < der.len * 8; bit += bit < 320 ? 1 : step) {
            mereau_error err = MEREAU_ERROR_INIT;
            mru_pkey *key = NULL;
            copy[bit / 8] ^= (uint8_t)(1u << bit % 8);
            mereau_status status = parse(&key, alg, copy, der.len, &err);
            assert_true(status == MEREAU_OK || status == MEREAU_E_MALFORMED ||
                        status == MEREAU_E_KEY);
            assert_true((status == MEREAU_OK) == (key != NULL));
            mru_pkey_free(key);
            copy[bit / 8] ^= (uint8_t)(1u << bit % 8);
        }
        free(copy);
        mru_buf_free(&der);
    }
}

static void lengths_and_numbers_have_one_form(void **state) {
    static const struct {
        uint8_t bytes[8];
        size_t len;
        int number; /* what mru_der_number makes of it, -1: refused */
    } cases[] = {{{2, 1, 0}, 3, 0},
                 {{2, 1, 5}, 3, 5},
                 {{2, 1, 0x80}, 3, -1},
                 {{2, 2, 0, 0x80}, 4, 0x80},
                 {{2, 2, 0, 5}, 4, -1},
                 {{2, 0}, 2, -1},
                 {{2, 0x81, 1, 5}, 4, -1},
                 {{2, 0x80, 5, 0, 0}, 5, -1},
                 {{2, 0x82, 0, 1, 5}, 5, -1},
                 {{2, 2, 5}, 3, -1},
                 {{2}, 1, -1},
                 {{3, 1, 5}, 3, -1},
                 {{2, 0x85, 0, 0, 0, 0, 1, 5}, 8, -1},
                 {{2, 0x84, 0xff, 0xff, 0xff, 0xff, 5}, 7, -1}};
    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        mereau_slice in = {cases[i].bytes, cases[i].len}, number = {NULL, 0};
        int ret = mru_der_number(&in, &number);
        if (cases[i].number < 0) {
            assert_int_equal(ret, -1);
            assert_ptr_equal(in.data, cases[i].bytes); /* nothing is taken */
            continue;
        }
        assert_int_equal(ret, 0);
        assert_int_equal(in.len, 0);
        assert_int_equal(number.len, cases[i].number != 0);
        if (number.len > 0)
            assert_int_equal(number.data[0], cases[i].number);
    }
}

/* 129 bytes need a length of one byte more, not of two. */
static void long_lengths_are_shortest_too(void **state) {
    uint8_t text[4 + 129] = {4, 0x82, 0, 129};
    mereau_slice in = {text, sizeof text}, value;
    (void)state;
    assert_int_equal(mru_der_take(&in, MRU_DER_OCTETS, &value), -1);
    text[1] = 4;
    text[2] = 0x81;
    in.data = text + 1;
    in.len = sizeof text - 1;
    assert_int_equal(mru_der_take(&in, MRU_DER_OCTETS, &value), 0);
    assert_int_equal(value.len, 129);
}

static void long_elements_are_written_as_they_are_read(void **state) {
    static const size_t lens[] = {0, 1, 127, 128, 255, 256, 65535, 65536};
    uint8_t *data = calloc(1, 65536);
    (void)state;
    assert_non_null(data);
    for (size_t i = 0; i < sizeof lens / sizeof lens[0]; i++) {
        struct mru_buf out = {0};
        mereau_slice in, value;
        mru_der_add(&out, MRU_DER_OCTETS, data, lens[i]);
        in.data = out.data;
        in.len = out.len;
        assert_int_equal(mru_der_take(&in, MRU_DER_OCTETS, &value), 0);
        assert_int_equal(value.len, lens[i]);
        assert_int_equal(in.len, 0);
        mru_buf_free(&out);
    }
    free(data);
}

/* --- what keys may leave out, and what they may not say --- */

/* Numbers of ec_pkcs8. */
struct numbers {
    uint8_t x[MRU_RSA_MAX], y[MRU_RSA_MAX], d[MRU_RSA_MAX], point[65];
};

static void take_numbers(struct numbers *n) {
    mru_pkey *key = parsed(MEREAU_ALG_ES256, ec_pkcs8);
    size_t len;
    assert_int_equal(mru_pkey_part(key, MRU_PART_X, n->x, 66, &len), 0);
    assert_int_equal(mru_pkey_part(key, MRU_PART_Y, n->y, 66, &len), 0);
    assert_int_equal(mru_pkey_part(key, MRU_PART_D, n->d, 66, &len), 0);
    assert_int_equal(len, 32);
    n->point[0] = 4;
    memcpy(n->point + 1, n->x, 32);
    memcpy(n->point + 33, n->y, 32);
    mru_pkey_free(key);
}

static struct mru_buf wrapped(int tag, struct mru_buf *inner) {
    struct mru_buf out = {0};
    mru_der_add(&out, tag, inner->data, inner->len);
    mru_buf_free(inner);
    return out;
}

/* ECPrivateKey of that key; curve 0: not named, point_len 0: not given. */
static struct mru_buf sec1(const uint8_t *d, size_t d_len, int crv,
                           const uint8_t *point, size_t point_len) {
    static const uint8_t one = 1;
    struct mru_buf fields = {0};
    mru_der_add_number(&fields, &one, 1);
    mru_der_add(&fields, MRU_DER_OCTETS, d, d_len);
    if (crv != 0) {
        struct mru_buf oid = {0};
        mru_oid_add(&oid, crv);
        mru_der_add(&fields, MRU_DER_CONTEXT, oid.data, oid.len);
        mru_buf_free(&oid);
    }
    if (point_len > 0) {
        struct mru_buf bits = {0};
        mru_der_add_bits(&bits, MRU_DER_BITS, point, point_len);
        mru_der_add(&fields, MRU_DER_CONTEXT + 1, bits.data, bits.len);
        mru_buf_free(&bits);
    }
    return wrapped(MRU_DER_SEQUENCE, &fields);
}

/* PKCS#8 or SPKI of what `inner` is, under an algorithm and a curve or NULL. */
static struct mru_buf inside(int version, int algorithm, int crv,
                             struct mru_buf *inner) {
    struct mru_buf fields = {0}, id = {0};
    if (version >= 0) {
        uint8_t v = (uint8_t)version;
        mru_der_add_number(&fields, &v, 1);
    }
    mru_oid_add(&id, algorithm);
    if (crv != 0)
        mru_oid_add(&id, crv);
    mru_der_add(&fields, MRU_DER_SEQUENCE, id.data, id.len);
    mru_buf_free(&id);
    if (version >= 0)
        mru_der_add(&fields, MRU_DER_OCTETS, inner->data, inner->len);
    else
        mru_der_add_bits(&fields, MRU_DER_BITS, inner->data, inner->len);
    mru_buf_free(inner);
    return wrapped(MRU_DER_SEQUENCE, &fields);
}

static void is_the_key(struct mru_buf der, const struct numbers *n) {
    mereau_error err = MEREAU_ERROR_INIT;
    mru_pkey *key = NULL;
    uint8_t x[66], d[66];
    size_t len;
    if (parse(&key, MEREAU_ALG_ES256, der.data, der.len, &err) != MEREAU_OK)
        fail_msg("%s", err.text);
    assert_int_equal(mru_pkey_part(key, MRU_PART_X, x, sizeof x, &len), 0);
    assert_memory_equal(x, n->x, 32);
    assert_int_equal(mru_pkey_part(key, MRU_PART_D, d, sizeof d, &len), 0);
    assert_memory_equal(d, n->d, 32);
    mru_pkey_free(key);
    mru_buf_free(&der);
}

static void der_refused(struct mru_buf der, mereau_status status,
                        const char *rule) {
    refused(MEREAU_ALG_ES256, der.data, der.len, status, rule);
    mru_buf_free(&der);
}

static void a_private_key_may_leave_its_public_half_out(void **state) {
    struct numbers n;
    struct mru_buf der;
    (void)state;
    take_numbers(&n);
    is_the_key(sec1(n.d, 32, MRU_P256, NULL, 0), &n);
    is_the_key(sec1(n.d, 32, MRU_P256, n.point, 65), &n);
    der = sec1(n.d, 32, 0, NULL, 0);
    is_the_key(inside(0, MRU_OID_EC, MRU_P256, &der), &n);
    der = sec1(n.d, 32, MRU_P256, n.point, 65);
    is_the_key(inside(1, MRU_OID_EC, MRU_P256, &der), &n);
    /* Its private number may be short of leading zeros. */
    uint8_t small[2] = {0, 9};
    mereau_error err = MEREAU_ERROR_INIT;
    mru_pkey *key = NULL;
    der = sec1(small + 1, 1, MRU_P256, NULL, 0);
    assert_int_equal(parse(&key, MEREAU_ALG_ES256, der.data, der.len, &err),
                     MEREAU_OK);
    mru_pkey_free(key);
    mru_buf_free(&der);
}

static void what_contradicts_itself_is_refused(void **state) {
    struct numbers n;
    struct mru_buf der;
    uint8_t zero[33] = {0}, point[67];
    (void)state;
    take_numbers(&n);
    /* No curve at all; another one outside than inside. */
    der_refused(sec1(n.d, 32, 0, n.point, 65), MEREAU_E_KEY, "key.kind");
    der = sec1(n.d, 32, MRU_P384, NULL, 0);
    der_refused(inside(0, MRU_OID_EC, MRU_P256, &der), MEREAU_E_MALFORMED,
                "key.encoding");
    /* A private number of another point, of no point, too long. */
    n.d[31] ^= 1;
    der_refused(sec1(n.d, 32, MRU_P256, n.point, 65), MEREAU_E_KEY, "key.pair");
    n.d[31] ^= 1;
    der_refused(sec1(zero, 32, MRU_P256, NULL, 0), MEREAU_E_KEY, "key.pair");
    der_refused(sec1(zero, 33, MRU_P256, NULL, 0), MEREAU_E_MALFORMED,
                "key.encoding");
    /* Points: compressed, hybrid, infinity, short, long, off the curve. */
    memcpy(point, n.point, 65);
    for (int form = 0; form < 6; form++) {
        static const size_t lens[] = {33, 65, 1, 64, 66, 65};
        static const uint8_t first[] = {2, 6, 0, 4, 4, 4};
        struct mru_buf inner = {0};
        point[0] = first[form];
        if (form == 5)
            point[64] ^= 1;
        mru_buf_add(&inner, point, lens[form]);
        der_refused(inside(-1, MRU_OID_EC, MRU_P256, &inner), MEREAU_E_KEY,
                    "key.point");
    }
    /* A version that does not exist. */
    der = sec1(n.d, 32, 0, NULL, 0);
    der_refused(inside(2, MRU_OID_EC, MRU_P256, &der), MEREAU_E_MALFORMED,
                "key.encoding");
}

static void a_key_is_of_the_kind_that_is_asked_for(void **state) {
    mereau_error err = MEREAU_ERROR_INIT;
    const struct mru_alg *ecdh = mru_alg_info(MEREAU_ALG_ECDH_ES);
    mru_pkey *key = NULL;
    (void)state;
    refused(MEREAU_ALG_RS256, ec_spki, strlen(ec_spki), MEREAU_E_KEY,
            "key.kind");
    refused(MEREAU_ALG_ECDH_ES, rsa_spki, strlen(rsa_spki), MEREAU_E_KEY,
            "key.kind");
    refused(MEREAU_ALG_ES256, p384_spki, strlen(p384_spki), MEREAU_E_KEY,
            "key.kind");
    refused(MEREAU_ALG_ECDH_ES, ed25519_spki, strlen(ed25519_spki),
            MEREAU_E_KEY, "key.kind");
    /* ECDH takes the curve of the key, or the one that is wanted. */
    key = parsed(MEREAU_ALG_ECDH_ES, p384_spki);
    assert_string_equal(mru_pkey_curve(key)->name, "P-384");
    mru_pkey_free(key);
    assert_int_equal(mru_pkey_parse(&key, ecdh, mru_curve_find("P-256", 5),
                                    (const uint8_t *)p384_spki,
                                    strlen(p384_spki), &err),
                     MEREAU_E_KEY);
    assert_string_equal(err.rule, "key.kind");
}

/* --- certificates --- */

static void a_certificate_gives_its_der(void **state) {
    struct mru_buf der = der_of(ec_certificate), out = {0};
    (void)state;
    assert_int_equal(mru_cert_der((const uint8_t *)ec_certificate,
                                  strlen(ec_certificate), &out),
                     0);
    assert_int_equal(out.len, der.len);
    assert_memory_equal(out.data, der.data, der.len);
    assert_int_equal(mru_cert_der(der.data, der.len, &out), 0);
    assert_int_equal(out.len, 2 * der.len); /* it appends */
    const char *others[] = {ec_spki, ec_pkcs8, rsa_pkcs1, "", "x"};
    for (size_t i = 0; i < 5; i++)
        assert_int_equal(
            mru_cert_der((const uint8_t *)others[i], strlen(others[i]), &out),
            -1);
    for (size_t len = 0; len < der.len; len++)
        assert_int_equal(mru_cert_der(der.data, len, &out), -1);
    assert_int_equal(out.len, 2 * der.len);
    mru_buf_free(&out);
    mru_buf_free(&der);
}

/* --- memory --- */

static void a_lack_of_memory_is_never_a_bad_text(void **state) {
    const char *texts[] = {ec_spki, ec_certificate, rsa_spki};
    const int32_t algs[] = {MEREAU_ALG_ECDH_ES, MEREAU_ALG_ECDH_ES,
                            MEREAU_ALG_RSA_OAEP_256};
    (void)state;
    if (!test_alloc_available())
        skip();
    for (size_t i = 0; i < 3; i++) {
        mru_pkey_free(parsed(algs[i], texts[i]));
        for (unsigned long n = 1;; n++) {
            mereau_error err = MEREAU_ERROR_INIT;
            struct mru_buf out = {0};
            mru_pkey *key = NULL;
            long live = test_alloc_live();
            test_alloc_fail_at(n);
            mereau_status status =
                parse(&key, algs[i], texts[i], strlen(texts[i]), &err);
            if (status == MEREAU_OK)
                status = mru_pkey_write(key, 0, 1, &out);
            int cert = i != 1 ? 0
                              : mru_cert_der((const uint8_t *)ec_certificate,
                                             strlen(ec_certificate), &out);
            int pending = test_alloc_pending();
            test_alloc_fail_at(0);
            mru_pkey_free(key);
            mru_buf_free(&out);
            assert_int_equal(test_alloc_live(), live);
            if (pending) {
                assert_int_equal(status, MEREAU_OK);
                assert_int_equal(cert, 0);
                break;
            }
            assert_true(test_alloc_told(status) || status == MEREAU_OK);
            assert_true(cert == 0 || cert == -2);
        }
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_openssl_wrote_is_written_the_same),
        cmocka_unit_test(made_keys_return_from_their_texts),
        cmocka_unit_test(pem_is_read_as_people_keep_it),
        cmocka_unit_test(broken_pem_is_refused),
        cmocka_unit_test(bits_that_mean_nothing_are_zero),
        cmocka_unit_test(der_is_read_to_its_last_byte),
        cmocka_unit_test(lengths_and_numbers_have_one_form),
        cmocka_unit_test(long_lengths_are_shortest_too),
        cmocka_unit_test(long_elements_are_written_as_they_are_read),
        cmocka_unit_test(a_private_key_may_leave_its_public_half_out),
        cmocka_unit_test(what_contradicts_itself_is_refused),
        cmocka_unit_test(a_key_is_of_the_kind_that_is_asked_for),
        cmocka_unit_test(a_certificate_gives_its_der),
        cmocka_unit_test(a_lack_of_memory_is_never_a_bad_text),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
