/* tests/vectors/test_wycheproof_mac.c - Wycheproof's cases for HMAC, made at once
 * and with a kept key, and for HKDF. */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include <stdlib.h>
#include <string.h>

#include "jose/key.h"
#include "wycheproof.h"

/* A JWS takes no shortened tag, so a right one is as wrong as any other. */
static void as_a_signature(const uint8_t *key, size_t key_len,
                           const mereau_slice *msg, const uint8_t *tag,
                           size_t tag_len, int hash, int right) {
    mereau_error err = MEREAU_ERROR_INIT;
    mru_key *secret = NULL;
    assert_int_equal(mru_key_from_secret(&secret, key, key_len,
                                         hash == MRU_SHA256 ? MEREAU_ALG_HS256
                                                            : MEREAU_ALG_HS512,
                                         &err),
                     MEREAU_OK);
    assert_int_equal(mru_key_verify(secret, msg->data, msg->len, tag, tag_len),
                     right && tag_len == (size_t)hash ? MEREAU_OK
                                                      : MEREAU_E_SIGNATURE);
    mru_key_free(secret);
}

static void one_mac(struct wyc *w, const cJSON *test, int hash) {
    size_t key_len, msg_len, tag_len;
    uint8_t *key = vec_hex(test, "key", &key_len);
    uint8_t *msg = vec_hex(test, "msg", &msg_len);
    uint8_t *tag = vec_hex(test, "tag", &tag_len);
    uint8_t out[MRU_MAX_HASH], kept[MRU_MAX_HASH];
    mereau_slice part = {msg, msg_len};
    assert_int_equal(mru_hmac(hash, key, key_len, &part, 1, out), 0);
    mru_mac *mac = mru_mac_new(hash, key, key_len);
    assert_non_null(mac);
    for (int i = 0; i < 2; i++) { /* it is not used up */
        memset(kept, 0, sizeof kept);
        assert_int_equal(mru_mac_run(mac, &part, 1, kept), 0);
        assert_memory_equal(kept, out, (size_t)hash);
    }
    mru_mac_free(mac);
    int right = mru_equal_ct(out, tag, tag_len);
    wyc_answer(w, test, right);
    if (key_len >= (size_t)hash)
        as_a_signature(key, key_len, &part, tag, tag_len, hash, right);
    free(key);
    free(msg);
    free(tag);
}

static void run_macs(const char *name, int hash) {
    struct wyc w;
    const cJSON *group, *test;
    wyc_load(&w, name);
    cJSON_ArrayForEach(group, w.groups)
        cJSON_ArrayForEach(test, wyc_member(group, "tests"))
            one_mac(&w, test, hash);
    wyc_end(&w, 174);
}

static void hmac_is_judged_right(void **state) {
    (void)state;
    run_macs("hmac_sha256_test.json", MRU_SHA256);
    run_macs("hmac_sha512_test.json", MRU_SHA512);
}

static void one_derivation(struct wyc *w, const cJSON *test) {
    size_t ikm_len, okm_len, size = (size_t)wyc_number(test, "size");
    mereau_slice salt, info;
    uint8_t *ikm = vec_hex(test, "ikm", &ikm_len);
    uint8_t *salt_data = vec_hex(test, "salt", &salt.len);
    uint8_t *info_data = vec_hex(test, "info", &info.len);
    uint8_t *okm = vec_hex(test, "okm", &okm_len);
    uint8_t *out = calloc(1, size + 1);
    salt.data = salt_data;
    info.data = info_data;
    int ret =
        mru_hkdf(ikm, ikm_len, salt.len > 0 ? &salt : NULL, &info, out, size);
    wyc_answer(w, test,
               ret == 0 && size == okm_len && memcmp(out, okm, size) == 0);
    free(ikm);
    free(salt_data);
    free(info_data);
    free(okm);
    free(out);
}

static void hkdf_gives_what_rfc_5869_says(void **state) {
    struct wyc w;
    const cJSON *group, *test;
    (void)state;
    wyc_load(&w, "hkdf_sha256_test.json");
    cJSON_ArrayForEach(group, w.groups)
        cJSON_ArrayForEach(test, wyc_member(group, "tests"))
            one_derivation(&w, test);
    wyc_end(&w, 86);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(hmac_is_judged_right),
        cmocka_unit_test(hkdf_gives_what_rfc_5869_says),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
