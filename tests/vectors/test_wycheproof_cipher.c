/* tests/vectors/test_wycheproof_cipher.c - Wycheproof's cases for what is
 * encrypted with a secret: AES-GCM, AES-CBC with HMAC, AES key wrap. */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include <stdlib.h>
#include <string.h>

#include "jose/content.h"
#include "wycheproof.h"

/* The members of an AEAD case. */
struct aead {
    uint8_t *key, *iv, *aad_data, *msg, *ct, *tag;
    size_t key_len, iv_len, msg_len, ct_len, tag_len;
    mereau_slice aad;
};

static void aead_read(struct aead *a, const cJSON *test) {
    a->key = vec_hex(test, "key", &a->key_len);
    a->iv = vec_hex(test, "iv", &a->iv_len);
    a->aad_data = vec_hex(test, "aad", &a->aad.len);
    a->msg = vec_hex(test, "msg", &a->msg_len);
    a->ct = vec_hex(test, "ct", &a->ct_len);
    a->tag = vec_hex(test, "tag", &a->tag_len);
    a->aad.data = a->aad_data;
}

static void aead_free(struct aead *a) {
    free(a->key);
    free(a->iv);
    free(a->aad_data);
    free(a->msg);
    free(a->ct);
    free(a->tag);
}

static void all_zero(const uint8_t *data, size_t len) {
    for (size_t i = 0; i < len; i++)
        assert_int_equal(data[i], 0);
}

/* --- AES-GCM with the nonce and tag of RFC 7518 --- */

static void one_gcm(struct wyc *w, const cJSON *test) {
    struct aead a;
    uint8_t tag[16];
    aead_read(&a, test);
    uint8_t *out = malloc(a.ct_len + 1);
    assert_true(a.iv_len == 12 && a.tag_len == 16);
    int ret = mru_gcm_open(a.key, a.key_len, a.iv, &a.aad, a.ct, a.ct_len,
                           a.tag, out);
    assert_true(ret == 0 || ret == -1);
    wyc_answer(w, test,
               ret == 0 && a.ct_len == a.msg_len &&
                   memcmp(out, a.msg, a.msg_len) == 0);
    if (ret != 0)
        all_zero(out, a.ct_len); /* nothing unproved gets out */
    assert_int_equal(mru_gcm_seal(a.key, a.key_len, a.iv, &a.aad, a.msg,
                                  a.msg_len, out, tag),
                     0);
    if (wyc_is(test, "valid")) {
        assert_memory_equal(out, a.ct, a.ct_len);
        assert_memory_equal(tag, a.tag, 16);
    }
    free(out);
    aead_free(&a);
}

static void aes_gcm_is_judged_right(void **state) {
    struct wyc w;
    const cJSON *group, *test;
    (void)state;
    wyc_load(&w, "aes_gcm_test.json");
    cJSON_ArrayForEach(group, w.groups) {
        if (wyc_number(group, "keySize") == 192)
            wyc_unsupported_group(&w, group, "a key of 192 bits");
        else if (wyc_number(group, "ivSize") != 96)
            wyc_unsupported_group(&w, group, "a nonce of other than 96 bits");
        else if (wyc_number(group, "tagSize") != 128)
            wyc_unsupported_group(&w, group, "a tag of other than 128 bits");
        else
            cJSON_ArrayForEach(test, wyc_member(group, "tests"))
                one_gcm(&w, test);
    }
    wyc_end(&w, 133);
}

/* --- AES-CBC with HMAC (RFC 7518 section 5.2) --- */

static void one_cbc(struct wyc *w, const cJSON *test,
                    const struct mru_enc *enc) {
    struct aead a;
    uint8_t tag[MRU_MAX_TAG];
    size_t len = 0;
    int ret = -1;
    aead_read(&a, test);
    uint8_t *out = calloc(1, a.ct_len + a.msg_len + 32);
    assert_true(a.key_len == enc->key_len && a.iv_len == enc->iv_len);
    if (a.tag_len == enc->tag_len && mru_content_may(enc, a.ct_len))
        ret = mru_content_open(enc, a.key, a.iv, &a.aad, a.ct, a.ct_len, a.tag,
                               out, &len);
    assert_true(ret == 0 || ret == -1);
    wyc_answer(w, test,
               ret == 0 && len == a.msg_len && memcmp(out, a.msg, len) == 0);
    if (ret != 0)
        all_zero(out, a.ct_len);
    assert_int_equal(
        mru_content_seal(enc, a.key, a.iv, &a.aad, a.msg, a.msg_len, out, tag),
        0);
    if (wyc_is(test, "valid")) {
        assert_int_equal(mru_content_len(enc, a.msg_len), a.ct_len);
        assert_memory_equal(out, a.ct, a.ct_len);
        assert_memory_equal(tag, a.tag, a.tag_len);
    }
    free(out);
    aead_free(&a);
}

static void run_cbc(const char *name, int32_t id) {
    struct wyc w;
    const cJSON *group, *test;
    wyc_load(&w, name);
    cJSON_ArrayForEach(group, w.groups)
        cJSON_ArrayForEach(test, wyc_member(group, "tests"))
            one_cbc(&w, test, mru_enc_info(id));
    wyc_end(&w, 94);
}

static void aes_cbc_with_hmac_is_judged_right(void **state) {
    (void)state;
    run_cbc("a128cbc_hs256_test.json", MEREAU_ENC_A128CBC_HS256);
    run_cbc("a256cbc_hs512_test.json", MEREAU_ENC_A256CBC_HS512);
}

/* --- key wrap --- */

static void one_wrap(struct wyc *w, const cJSON *test) {
    size_t key_len, msg_len, ct_len;
    uint8_t *key = vec_hex(test, "key", &key_len);
    uint8_t *msg = vec_hex(test, "msg", &msg_len);
    uint8_t *ct = vec_hex(test, "ct", &ct_len);
    uint8_t out[MRU_KW_MAX + 8] = {0}, none[MRU_KW_MAX + 8] = {0};
    if (ct_len > MRU_KW_MAX + 8) { /* longer than any key of a JWE */
        assert_int_equal(mru_kw_unwrap(key, key_len, ct, ct_len, NULL), -1);
        wyc_unsupported(w, 1, "a key of more than 512 bits");
        free(key);
        free(msg);
        free(ct);
        return;
    }
    memset(out, 7, ct_len > 8 ? ct_len - 8 : 0);
    int ret = mru_kw_unwrap(key, key_len, ct, ct_len, out);
    assert_true(ret == 0 || ret == -1);
    wyc_answer(w, test,
               ret == 0 && ct_len == msg_len + 8 &&
                   memcmp(out, msg, msg_len) == 0);
    if (ret != 0 && ct_len >= MRU_KW_MIN + 8 && ct_len % 8 == 0)
        assert_memory_equal(out, none, sizeof none);
    if (wyc_is(test, "valid")) {
        assert_int_equal(mru_kw_wrap(key, key_len, msg, msg_len, out), 0);
        assert_memory_equal(out, ct, ct_len);
    }
    free(key);
    free(msg);
    free(ct);
}

static void key_wrap_is_judged_right(void **state) {
    struct wyc w;
    const cJSON *group, *test;
    (void)state;
    wyc_load(&w, "aes_wrap_test.json");
    cJSON_ArrayForEach(group, w.groups) {
        if (wyc_number(group, "keySize") == 192)
            wyc_unsupported_group(&w, group, "a key of 192 bits");
        else
            cJSON_ArrayForEach(test, wyc_member(group, "tests"))
                one_wrap(&w, test);
    }
    wyc_end(&w, 108);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(aes_gcm_is_judged_right),
        cmocka_unit_test(aes_cbc_with_hmac_is_judged_right),
        cmocka_unit_test(key_wrap_is_judged_right),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
