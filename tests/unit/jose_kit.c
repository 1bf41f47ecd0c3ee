/* tests/unit/jose_kit.c - keys and tokens for the tests of JWS and JWE. */
#include "jose_kit.h"

#include <stdlib.h>

#include "crypto/crypto.h"
#include "key_texts.h"

const uint8_t *kit_secret(void) {
    static const uint8_t secret[KIT_SECRET] = {
        1,  2,  3,  4,  5,  6,  7,  8,  9,  10, 11, 12, 13, 14, 15, 16,
        17, 18, 19, 20, 21, 22, 23, 24, 25, 26, 27, 28, 29, 30, 31, 32,
        33, 34, 35, 36, 37, 38, 39, 40, 41, 42, 43, 44, 45, 46, 47, 48,
        49, 50, 51, 52, 53, 54, 55, 56, 57, 58, 59, 60, 61, 62, 63, 64};
    return secret;
}

static size_t secret_len(int32_t alg, int32_t bits) {
    switch (alg) {
    case MEREAU_ALG_A128KW:
        return 16;
    case MEREAU_ALG_A256KW:
        return 32;
    case MEREAU_ALG_DIR:
        return bits == 0 ? 32 : (size_t)bits / 8;
    default:
        return 64;
    }
}

mereau_jwk *kit_key(int32_t alg, int32_t bits) {
    mereau_error err = MEREAU_ERROR_INIT;
    mereau_jwk *key = NULL;
    mereau_status status;
    if (alg <= MEREAU_ALG_HS512 ||
        (alg >= MEREAU_ALG_DIR && alg <= MEREAU_ALG_A256KW))
        status = mereau_jwk_from_secret(&key, kit_secret(),
                                        secret_len(alg, bits), alg, &err);
    else if (alg <= MEREAU_ALG_PS512 || alg == MEREAU_ALG_RSA_OAEP ||
             alg == MEREAU_ALG_RSA_OAEP_256)
        status = mereau_jwk_read_encoded(&key, (const uint8_t *)rsa_pkcs8,
                                         strlen(rsa_pkcs8), alg, &err);
    else
        status = mereau_jwk_generate(&key, alg, bits, NULL, &err);
    if (status != MEREAU_OK) {
        assert_int_equal(alg, MEREAU_ALG_EDDSA);
        assert_string_equal(err.rule, "key.eddsa");
    }
    return key;
}

mereau_jwk *kit_unnamed(int32_t alg) {
    mereau_jwk *key = kit_key(alg, 0), *unnamed = NULL;
    mereau_bytes *der = mereau_bytes_new();
    size_t len = 0;
    assert_int_equal(mereau_jwk_write(der, key, MEREAU_DER_PRIVATE, NULL),
                     MEREAU_OK);
    const uint8_t *data = mereau_bytes_data(der, &len);
    assert_int_equal(mereau_jwk_read_encoded(&unnamed, data, len, alg, NULL),
                     MEREAU_OK);
    mereau_bytes_free(der);
    mereau_jwk_free(key);
    return unnamed;
}

mereau_jwk *kit_named(int32_t alg, int32_t bits, const char *kid) {
    mereau_jwk *key = kit_key(alg, bits), *named = NULL;
    assert_int_equal(mereau_jwk_with_kid(&named, key, kid, NULL), MEREAU_OK);
    mereau_jwk_free(key);
    return named;
}

mereau_jwks *kit_set(const mereau_jwk *key) {
    mereau_jwks *set = mereau_jwks_new();
    assert_int_equal(mereau_jwks_add(set, key, NULL), MEREAU_OK);
    return set;
}

char *kit_b64(const char *text) {
    size_t len = strlen(text);
    char *out = calloc(1, MRU_B64_LEN(len) + 1);
    assert_non_null(out);
    mru_b64_encode(out, (const uint8_t *)text, len);
    return out;
}

char *kit_forged(const char *header, const char *payload_segment,
                 const char *input) {
    struct mru_buf out = {0};
    uint8_t mac[32];
    mru_buf_add_b64(&out, (const uint8_t *)header, strlen(header));
    mru_buf_add_byte(&out, '.');
    mru_buf_add_text(&out, payload_segment);
    mereau_slice part = {out.data, out.len};
    if (input) {
        part.data = (const uint8_t *)input;
        part.len = strlen(input);
    }
    assert_int_equal(
        mru_hmac(MRU_SHA256, kit_secret(), KIT_SECRET, &part, 1, mac), 0);
    mru_buf_add_byte(&out, '.');
    mru_buf_add_b64(&out, mac, sizeof mac);
    assert_false(out.failed);
    return (char *)out.data;
}

char *kit_with_header(const char *token, const char *header) {
    const char *rest = strchr(token, '.');
    char *encoded = kit_b64(header);
    char *out = calloc(1, strlen(encoded) + strlen(rest) + 1);
    assert_non_null(out);
    strcpy(out, encoded);
    strcat(out, rest);
    free(encoded);
    return out;
}

char *kit_header(const char *token) {
    size_t len = strcspn(token, ".");
    uint8_t *out = calloc(1, len + 1);
    assert_non_null(out);
    assert_true(mru_b64_decode(out, token, len) > 0);
    return (char *)out;
}
