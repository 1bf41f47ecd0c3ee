/* tests/vectors/test_wycheproof_sign.c - Wycheproof's cases for signatures: ECDSA
 * in the form of JWS, RSA with PKCS#1 v1.5 and PSS, Ed25519. */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include <stdlib.h>
#include <string.h>

#include "crypto/pkey.h"
#include "wycheproof.h"

static void run_group(struct wyc *w, const cJSON *group, const mru_pkey *key) {
    const cJSON *test;
    cJSON_ArrayForEach(test, wyc_member(group, "tests")) {
        size_t msg_len, sig_len;
        uint8_t *msg = vec_hex(test, "msg", &msg_len);
        uint8_t *sig = vec_hex(test, "sig", &sig_len);
        mereau_status status = mru_pkey_verify(key, msg, msg_len, sig, sig_len);
        assert_true(status == MEREAU_OK || status == MEREAU_E_SIGNATURE);
        wyc_answer(w, test, status == MEREAU_OK);
        free(msg);
        free(sig);
    }
}

static void run(const char *name, int32_t alg, int ran) {
    struct wyc w;
    const cJSON *group;
    wyc_load(&w, name);
    cJSON_ArrayForEach(group, w.groups) {
        mereau_error err = MEREAU_ERROR_INIT;
        mru_pkey *key = NULL;
        size_t der_len;
        uint8_t *der = vec_hex(group, "publicKeyDer", &der_len);
        mereau_status status =
            mru_pkey_parse(&key, mru_alg_info(alg), NULL, der, der_len, &err);
        free(der);
        if (strcmp(err.rule, "key.exponent") == 0) {
            wyc_unsupported_group(&w, group, "a public exponent below 2^16");
            continue;
        }
        if (strcmp(err.rule, "key.eddsa") == 0) {
            wyc_unsupported_group(&w, group, "Ed25519, with this provider");
            continue;
        }
        assert_int_equal(status, MEREAU_OK);
        run_group(&w, group, key);
        mru_pkey_free(key);
    }
    wyc_end(&w, ran);
}

static void es256_is_judged_right(void **state) {
    (void)state;
    run("ecdsa_secp256r1_sha256_p1363_test.json", MEREAU_ALG_ES256, 262);
}

static void es512_is_judged_right(void **state) {
    (void)state;
    run("ecdsa_secp521r1_sha512_p1363_test.json", MEREAU_ALG_ES512, 318);
}

static void rsa_with_pkcs1_is_judged_right(void **state) {
    (void)state;
    run("rsa_signature_2048_sha256_test.json", MEREAU_ALG_RS256, 257);
    run("rsa_signature_2048_sha512_test.json", MEREAU_ALG_RS512, 258);
    run("rsa_signature_3072_sha384_test.json", MEREAU_ALG_RS384, 259);
    run("rsa_signature_4096_sha512_test.json", MEREAU_ALG_RS512, 259);
}

static void rsa_with_pss_is_judged_right(void **state) {
    (void)state;
    run("rsa_pss_2048_sha256_mgf1_32_test.json", MEREAU_ALG_PS256, 108);
    run("rsa_pss_2048_sha384_mgf1_48_test.json", MEREAU_ALG_PS384, 141);
    run("rsa_pss_4096_sha384_mgf1_48_test.json", MEREAU_ALG_PS384, 141);
    run("rsa_pss_4096_sha512_mgf1_64_test.json", MEREAU_ALG_PS512, 179);
}

static void ed25519_is_judged_right_or_refused_by_name(void **state) {
    (void)state;
    run("ed25519_test.json", MEREAU_ALG_EDDSA,
        mru_crypto_has() & MRU_HAS_ED25519 ? 151 : 0);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(es256_is_judged_right),
        cmocka_unit_test(es512_is_judged_right),
        cmocka_unit_test(rsa_with_pkcs1_is_judged_right),
        cmocka_unit_test(rsa_with_pss_is_judged_right),
        cmocka_unit_test(ed25519_is_judged_right_or_refused_by_name),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
