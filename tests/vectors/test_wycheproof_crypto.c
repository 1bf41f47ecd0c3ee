/* tests/vectors/test_wycheproof_crypto.c - Wycheproof's cases for what the crypto
 * room does: ECDSA in the form of JWS, RSA, HMAC, HKDF, AES-GCM. */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "jose/key.h"
#include "vec.h"

static const cJSON *member(const cJSON *object, const char *name) {
    return cJSON_GetObjectItemCaseSensitive(object, name);
}

static cJSON *load(struct vec_count *count, const char *name) {
    char path[128];
    memset(count, 0, sizeof *count);
    count->file = name;
    snprintf(path, sizeof path, "tests/vectors/wycheproof/%s", name);
    return vec_load(path);
}

static void answer(struct vec_count *count, const cJSON *test, int accepted) {
    const char *wanted = vec_text(test, "result");
    char id[16];
    snprintf(id, sizeof id, "%d", member(test, "tcId")->valueint);
    /* "acceptable": either answer is. */
    vec_case(count, id, vec_text(test, "comment"),
             strcmp(wanted, "acceptable") == 0 ||
                 (strcmp(wanted, "valid") == 0) == accepted);
}

/* --- signatures --- */

static void run_signatures(const char *name, int32_t alg, int least) {
    struct vec_count count;
    cJSON *root = load(&count, name);
    const cJSON *group, *test;
    cJSON_ArrayForEach(group, member(root, "testGroups")) {
        mereau_error err = MEREAU_ERROR_INIT;
        mru_key *key = NULL;
        size_t der_len, msg_len, sig_len;
        uint8_t *der = vec_hex(group, "publicKeyDer", &der_len);
        mereau_status made =
            mru_key_from_pem(&key, der, der_len, alg, MRU_KEY_PUBLIC, &err);
        free(der);
        if (made == MEREAU_E_KEY) { /* a size or exponent that we refuse */
            count.unsupported += cJSON_GetArraySize(member(group, "tests"));
            continue;
        }
        assert_int_equal(made, MEREAU_OK);
        cJSON_ArrayForEach(test, member(group, "tests")) {
            uint8_t *msg = vec_hex(test, "msg", &msg_len);
            uint8_t *sig = vec_hex(test, "sig", &sig_len);
            mereau_status status =
                mru_key_verify(key, msg, msg_len, sig, sig_len);
            assert_true(status == MEREAU_OK || status == MEREAU_E_SIGNATURE);
            answer(&count, test, status == MEREAU_OK);
            free(msg);
            free(sig);
        }
        mru_key_free(key);
    }
    cJSON_Delete(root);
    vec_end(&count, least);
}

static void es256_is_judged_right(void **state) {
    (void)state;
    run_signatures("ecdsa_secp256r1_sha256_p1363_test.json", MEREAU_ALG_ES256,
                   262);
}

static void es512_is_judged_right(void **state) {
    (void)state;
    run_signatures("ecdsa_secp521r1_sha512_p1363_part_test.json",
                   MEREAU_ALG_ES512, 200);
}

static void rs256_is_judged_right(void **state) {
    (void)state;
    run_signatures("rsa_signature_2048_sha256_test.json", MEREAU_ALG_RS256,
                   240);
}

static void ps256_is_judged_right(void **state) {
    (void)state;
    run_signatures("rsa_pss_2048_sha256_mgf1_32_test.json", MEREAU_ALG_PS256,
                   108);
}

/* --- HMAC: also that a JWS takes no shortened tag --- */

static void one_mac(struct vec_count *count, const cJSON *test,
                    size_t tag_bits) {
    size_t key_len, msg_len, tag_len;
    uint8_t *key = vec_hex(test, "key", &key_len);
    uint8_t *msg = vec_hex(test, "msg", &msg_len);
    uint8_t *tag = vec_hex(test, "tag", &tag_len);
    uint8_t out[MRU_MAX_HASH];
    mereau_slice part = {msg, msg_len};
    mereau_error err = MEREAU_ERROR_INIT;
    mru_key *secret = NULL;
    assert_int_equal(mru_hmac(MRU_SHA256, key, key_len, &part, 1, out), 0);
    assert_true(tag_len == tag_bits / 8);
    answer(count, test, mru_equal_ct(out, tag, tag_len));
    if (key_len >= 32) {
        assert_int_equal(
            mru_key_from_secret(&secret, key, key_len, MEREAU_ALG_HS256, &err),
            MEREAU_OK);
        mereau_status status =
            mru_key_verify(secret, msg, msg_len, tag, tag_len);
        if (tag_bits < 256)
            assert_int_equal(status, MEREAU_E_SIGNATURE);
        else
            answer(count, test, status == MEREAU_OK);
        mru_key_free(secret);
    }
    free(key);
    free(msg);
    free(tag);
}

static void hs256_is_judged_right(void **state) {
    struct vec_count count;
    cJSON *root = load(&count, "hmac_sha256_test.json");
    const cJSON *group, *test;
    (void)state;
    cJSON_ArrayForEach(group, member(root, "testGroups"))
        cJSON_ArrayForEach(test, member(group, "tests"))
            one_mac(&count, test, (size_t)member(group, "tagSize")->valueint);
    cJSON_Delete(root);
    vec_end(&count, 174);
}

static void hkdf_gives_what_rfc_5869_says(void **state) {
    struct vec_count count;
    cJSON *root = load(&count, "hkdf_sha256_test.json");
    const cJSON *group, *test;
    (void)state;
    cJSON_ArrayForEach(group, member(root, "testGroups"))
        cJSON_ArrayForEach(test, member(group, "tests")) {
        size_t ikm_len, okm_len;
        mereau_slice salt, info;
        size_t size = (size_t)member(test, "size")->valueint;
        uint8_t *ikm = vec_hex(test, "ikm", &ikm_len);
        uint8_t *salt_data = vec_hex(test, "salt", &salt.len);
        uint8_t *info_data = vec_hex(test, "info", &info.len);
        uint8_t *okm = vec_hex(test, "okm", &okm_len);
        uint8_t *out = calloc(1, size + 1);
        salt.data = salt_data;
        info.data = info_data;
        int ret = mru_hkdf(ikm, ikm_len, salt.len > 0 ? &salt : NULL, &info,
                           out, size);
        answer(&count, test,
               ret == 0 && size == okm_len && memcmp(out, okm, size) == 0);
        free(ikm);
        free(salt_data);
        free(info_data);
        free(okm);
        free(out);
    }
    cJSON_Delete(root);
    vec_end(&count, 86);
}

/* --- AES-256-GCM with our nonce and tag --- */

static void one_seal(struct vec_count *count, const cJSON *test) {
    size_t len, key_len, iv_len, ct_len, tag_len;
    mereau_slice aad;
    uint8_t *key = vec_hex(test, "key", &key_len);
    uint8_t *iv = vec_hex(test, "iv", &iv_len);
    uint8_t *aad_data = vec_hex(test, "aad", &aad.len);
    uint8_t *msg = vec_hex(test, "msg", &len);
    uint8_t *ct = vec_hex(test, "ct", &ct_len);
    uint8_t *tag = vec_hex(test, "tag", &tag_len);
    uint8_t *sealed = malloc(ct_len + 16), *out = malloc(ct_len + 16);
    int valid = strcmp(vec_text(test, "result"), "valid") == 0;
    aad.data = aad_data;
    assert_true(key_len == 32 && iv_len == 12 && tag_len == 16);
    memcpy(sealed, ct, ct_len);
    memcpy(sealed + ct_len, tag, 16);
    int ret = mru_open(key, iv, &aad, sealed, ct_len + 16, out);
    answer(count, test,
           ret == 0 && ct_len == len && memcmp(out, msg, len) == 0);
    if (ret != 0) /* nothing unproved gets out */
        for (size_t i = 0; i < ct_len; i++)
            assert_int_equal(out[i], 0);
    assert_int_equal(mru_seal(key, iv, &aad, msg, len, out), 0);
    if (valid)
        assert_memory_equal(out, sealed, len + 16);
    free(key);
    free(iv);
    free(aad_data);
    free(msg);
    free(ct);
    free(tag);
    free(sealed);
    free(out);
}

static void aes_gcm_is_judged_right(void **state) {
    struct vec_count count;
    cJSON *root = load(&count, "aes_gcm_test.json");
    const cJSON *group, *test;
    (void)state;
    cJSON_ArrayForEach(group, member(root, "testGroups")) {
        if (member(group, "keySize")->valueint != 256 ||
            member(group, "ivSize")->valueint != 96 ||
            member(group, "tagSize")->valueint != 128) {
            count.unsupported += cJSON_GetArraySize(member(group, "tests"));
            continue;
        }
        cJSON_ArrayForEach(test, member(group, "tests")) one_seal(&count, test);
    }
    cJSON_Delete(root);
    vec_end(&count, 60);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(es256_is_judged_right),
        cmocka_unit_test(es512_is_judged_right),
        cmocka_unit_test(rs256_is_judged_right),
        cmocka_unit_test(ps256_is_judged_right),
        cmocka_unit_test(hs256_is_judged_right),
        cmocka_unit_test(hkdf_gives_what_rfc_5869_says),
        cmocka_unit_test(aes_gcm_is_judged_right),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
