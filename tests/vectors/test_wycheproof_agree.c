/* tests/vectors/test_wycheproof_agree.c - Wycheproof's cases for bringing a key
 * across: ECDH with keys in JWKs, RSA-OAEP; and what of that is not offered. */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include <stdlib.h>
#include <string.h>

#include "crypto/pkey.h"
#include "wycheproof.h"

/* Blinds with numbers that need not be good here. */
static int draw(void *arg, uint8_t *out, size_t len) {
    uint32_t *state = arg;
    for (size_t i = 0; i < len; i++) {
        *state = *state * 1664525 + 1013904223;
        out[i] = (uint8_t)(*state >> 24);
    }
    return 0;
}

/* --- ECDH --- */

/* A coordinate of a JWK, which Wycheproof gives in full length. */
static mereau_slice coordinate(const cJSON *jwk, const char *name,
                               uint8_t room[128]) {
    const char *text = vec_text(jwk, name);
    mereau_slice s = {room, 0};
    ptrdiff_t n;
    assert_true(strlen(text) < 160);
    n = mru_b64_decode(room, text, strlen(text));
    assert_true(n > 0);
    s.len = (size_t)n;
    return s;
}

static mereau_status own_key(mru_pkey **out, const cJSON *jwk) {
    uint8_t x[128], y[128], d[128];
    struct mru_pkey_parts parts = {{{NULL, 0}}};
    mereau_error err = MEREAU_ERROR_INIT;
    const char *crv = vec_text(jwk, "crv");
    parts.part[MRU_PART_X] = coordinate(jwk, "x", x);
    parts.part[MRU_PART_Y] = coordinate(jwk, "y", y);
    parts.part[MRU_PART_D] = coordinate(jwk, "d", d);
    return mru_pkey_make(out, mru_alg_info(MEREAU_ALG_ECDH_ES),
                         mru_curve_find(crv, strlen(crv)), &parts, &err);
}

static void one_agreement(struct wyc *w, const cJSON *test) {
    const cJSON *peer = wyc_member(test, "public");
    uint8_t x_room[128], y_room[128], z[MRU_COORD_MAX], none[MRU_COORD_MAX];
    uint32_t seed = 5;
    size_t shared_len;
    uint8_t *shared = vec_hex(test, "shared", &shared_len);
    mereau_slice x = coordinate(peer, "x", x_room);
    mereau_slice y = coordinate(peer, "y", y_room);
    mru_pkey *own = NULL;
    assert_int_equal(own_key(&own, wyc_member(test, "private")), MEREAU_OK);
    const struct mru_curve *curve = mru_pkey_curve(own);
    memset(z, 7, sizeof z);
    memset(none, 0, sizeof none);
    mereau_status status = mru_pkey_agree(own, &x, &y, draw, &seed, z);
    assert_true(status == MEREAU_OK || status == MEREAU_E_KEY);
    wyc_answer(w, test,
               status == MEREAU_OK && shared_len == curve->coord &&
                   memcmp(z, shared, shared_len) == 0);
    if (status != MEREAU_OK)
        assert_memory_equal(z, none, curve->coord);
    mru_pkey_free(own);
    free(shared);
}

static void run_ecdh(const char *name, int ran) {
    struct wyc w;
    const cJSON *group, *test;
    wyc_load(&w, name);
    cJSON_ArrayForEach(group, w.groups)
        cJSON_ArrayForEach(test, wyc_member(group, "tests"))
            one_agreement(&w, test);
    wyc_end(&w, ran);
}

static void ecdh_on_p384_is_judged_right(void **state) {
    (void)state;
    run_ecdh("ecdh_secp384r1_webcrypto_test.json", 794);
}

static void ecdh_on_p521_is_judged_right(void **state) {
    (void)state;
    run_ecdh("ecdh_secp521r1_webcrypto_test.json", 655);
}

/* --- RSA-OAEP --- */

static void one_decryption(struct wyc *w, const cJSON *test,
                           const mru_pkey *key) {
    size_t msg_len, ct_len, label_len, len = 9;
    uint32_t seed = 5;
    uint8_t out[MRU_RSA_MAX], none[MRU_RSA_MAX] = {0};
    uint8_t *label = vec_hex(test, "label", &label_len);
    uint8_t *msg = vec_hex(test, "msg", &msg_len);
    uint8_t *ct = vec_hex(test, "ct", &ct_len);
    memset(out, 7, sizeof out);
    mereau_status status =
        mru_pkey_decrypt(key, ct, ct_len, draw, &seed, out, sizeof out, &len);
    assert_true(status == MEREAU_OK || status == MEREAU_E_SIGNATURE);
    if (status != MEREAU_OK) {
        assert_int_equal(len, 0);
        assert_memory_equal(out, none, sizeof out);
    }
    if (label_len > 0) {
        /* RFC 7518 has none, so it is another ciphertext than was meant. */
        assert_int_equal(status, MEREAU_E_SIGNATURE);
        wyc_unsupported(w, 1, "a label");
    } else {
        wyc_answer(w, test,
                   status == MEREAU_OK && len == msg_len &&
                       memcmp(out, msg, len) == 0);
    }
    free(label);
    free(msg);
    free(ct);
}

static void rsa_oaep_is_judged_right(void **state) {
    struct wyc w;
    const cJSON *group, *test;
    (void)state;
    wyc_load(&w, "rsa_oaep_2048_sha256_mgf1sha256_test.json");
    cJSON_ArrayForEach(group, w.groups) {
        mereau_error err = MEREAU_ERROR_INIT;
        mru_pkey *key = NULL;
        size_t len;
        uint8_t *der = vec_hex(group, "privateKeyPkcs8", &len);
        assert_int_equal(mru_pkey_parse(&key,
                                        mru_alg_info(MEREAU_ALG_RSA_OAEP_256),
                                        NULL, der, len, &err),
                         MEREAU_OK);
        cJSON_ArrayForEach(test, wyc_member(group, "tests"))
            one_decryption(&w, test, key);
        mru_pkey_free(key);
        free(der);
    }
    wyc_end(&w, 29);
}

/* --- files that are not in the tree, as none of their cases can run --- */

static void what_is_not_offered_is_known_by_no_name(void **state) {
    static const char pbes2[] = "PBES2-HS256+A128KW";
    (void)state;
    assert_null(mru_curve_find("X25519", 6));
    assert_null(mru_alg_named(pbes2, strlen(pbes2), MRU_USE_ENC));
    print_message("x25519_jwk_test.json: 0 cases ran, 531 unsupported: "
                  "X25519\n");
    print_message("pbkdf2_hmacsha256_test.json: 0 cases ran, 60 unsupported: "
                  "PBES2, which is refused\n");
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(ecdh_on_p384_is_judged_right),
        cmocka_unit_test(ecdh_on_p521_is_judged_right),
        cmocka_unit_test(rsa_oaep_is_judged_right),
        cmocka_unit_test(what_is_not_offered_is_known_by_no_name),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
