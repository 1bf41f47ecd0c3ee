/* tests/unit/test_cipher.c - encryption with a secret: AES-GCM and what is sealed
 * with it, CBC, key wrap (lib/crypto/crypto.h). Larger sets of cases are in
 * tests/vectors. */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include <stdlib.h>

#include "crypto/crypto.h"
#include "alloc.h"

static mereau_slice slice(const char *text) {
    mereau_slice s = {(const uint8_t *)text, strlen(text)};
    return s;
}

static unsigned nibble(char c) {
    return (unsigned)(c <= '9' ? c - '0' : c - 'a' + 10);
}

static size_t from_hex(uint8_t *out, const char *hex) {
    size_t n = strlen(hex) / 2;
    for (size_t i = 0; i < n; i++)
        out[i] = (uint8_t)(nibble(hex[2 * i]) << 4 | nibble(hex[2 * i + 1]));
    return n;
}

/* --- sealing --- */

static void what_was_sealed_opens_and_nothing_else_does(void **state) {
    uint8_t key[32] = {1}, nonce[12] = {2}, sealed[64], out[64];
    const uint8_t text[] = "a lead token";
    const size_t len = sizeof text;
    mereau_slice aad = slice("partition"), other = slice("partitioN");
    (void)state;
    assert_int_equal(mru_seal(key, nonce, &aad, text, len, sealed), 0);
    assert_int_equal(mru_open(key, nonce, &aad, sealed, len + 16, out), 0);
    assert_memory_equal(out, text, len);
    for (size_t bit = 0; bit < (len + 16) * 8; bit++) {
        sealed[bit / 8] ^= (uint8_t)(1u << bit % 8);
        memset(out, 7, sizeof out);
        assert_int_equal(mru_open(key, nonce, &aad, sealed, len + 16, out), -1);
        for (size_t i = 0; i < len; i++)
            assert_int_equal(out[i], 0);
        sealed[bit / 8] ^= (uint8_t)(1u << bit % 8);
    }
    assert_int_equal(mru_open(key, nonce, &other, sealed, len + 16, out), -1);
    assert_int_equal(mru_open(key, nonce, NULL, sealed, len + 16, out), -1);
    assert_int_equal(mru_open(key, nonce, &aad, sealed, len + 15, out), -1);
    assert_int_equal(mru_open(key, nonce, &aad, sealed, 15, out), -1);
    nonce[0] = 3;
    assert_int_equal(mru_open(key, nonce, &aad, sealed, len + 16, out), -1);
    nonce[0] = 2;
    key[31] = 1;
    assert_int_equal(mru_open(key, nonce, &aad, sealed, len + 16, out), -1);
}

static void nothing_can_be_sealed_too(void **state) {
    uint8_t key[32] = {1}, nonce[12] = {2}, sealed[16];
    (void)state;
    assert_int_equal(mru_seal(key, nonce, NULL, NULL, 0, sealed), 0);
    assert_int_equal(mru_open(key, nonce, NULL, sealed, 16, NULL), 0);
    sealed[0] ^= 1;
    assert_int_equal(mru_open(key, nonce, NULL, sealed, 16, NULL), -1);
}

static void sealing_survives_a_lack_of_memory(void **state) {
    uint8_t key[32] = {1}, nonce[12] = {2}, sealed[20], wanted[20],
            zeros[20] = {0};
    const uint8_t *text = (const uint8_t *)"abcd";
    (void)state;
    if (!test_alloc_available())
        skip();
    assert_int_equal(mru_seal(key, nonce, NULL, text, 4, wanted), 0);
    for (unsigned long n = 1;; n++) {
        memset(sealed, 7, sizeof sealed);
        test_alloc_fail_at(n);
        int ret = mru_seal(key, nonce, NULL, text, 4, sealed);
        int pending = test_alloc_pending();
        test_alloc_fail_at(0);
        /* A provider may do without one of its allocations. */
        assert_memory_equal(sealed, ret == 0 ? wanted : zeros, 20);
        assert_true(ret == 0 || ret == -1);
        if (pending) {
            assert_int_equal(ret, 0);
            break;
        }
    }
}

/* --- GCM --- */

static void both_key_lengths_open_what_they_sealed_in_place(void **state) {
    uint8_t key[32] = {9}, nonce[12] = {2}, text[40], tag[16];
    mereau_slice aad = slice("header");
    (void)state;
    for (size_t key_len = 16; key_len <= 32; key_len += 16)
        for (size_t len = 0; len <= sizeof text; len++) {
            memset(text, (int)len, sizeof text);
            assert_int_equal(
                mru_gcm_seal(key, key_len, nonce, &aad, text, len, text, tag),
                0);
            assert_int_equal(
                mru_gcm_open(key, key_len, nonce, &aad, text, len, tag, text),
                0);
            for (size_t i = 0; i < sizeof text; i++)
                assert_int_equal(text[i], len);
            tag[15] ^= 1;
            assert_int_equal(
                mru_gcm_open(key, key_len, nonce, &aad, text, len, tag, text),
                -1);
            for (size_t i = 0; i < len; i++)
                assert_int_equal(text[i], 0);
        }
    /* The two lengths are two ciphers. */
    assert_int_equal(mru_gcm_seal(key, 16, nonce, &aad, text, 40, text, tag),
                     0);
    assert_int_equal(mru_gcm_open(key, 32, nonce, &aad, text, 40, tag, text),
                     -1);
}

/* --- CBC --- */

/* NIST SP 800-38A, F.2.1 and F.2.5, two blocks each. */
static void cbc_is_that_of_sp_800_38a(void **state) {
    static const struct {
        const char *key, *out;
    } cases[] = {
        {"2b7e151628aed2a6abf7158809cf4f3c",
         "7649abac8119b246cee98e9b12e9197d5086cb9b507219ee95db113a917678b2"},
        {"603deb1015ca71be2b73aef0857d77811f352c073b6108d72d9810a30914dff4",
         "f58c4c04d6e5f1ba779eabfb5f7bfbd69cfc4e967edb808d679f777bc6702c7d"}};
    uint8_t key[32], iv[16], in[32], out[32], wanted[32];
    (void)state;
    from_hex(iv, "000102030405060708090a0b0c0d0e0f");
    from_hex(in, "6bc1bee22e409f96e93d7e117393172a"
                 "ae2d8a571e03ac9c9eb76fac45af8e51");
    for (size_t i = 0; i < 2; i++) {
        size_t key_len = from_hex(key, cases[i].key);
        from_hex(wanted, cases[i].out);
        assert_int_equal(mru_cbc_encrypt(key, key_len, iv, in, 32, out), 0);
        assert_memory_equal(out, wanted, 32);
        assert_int_equal(mru_cbc_decrypt(key, key_len, iv, out, 32, out), 0);
        assert_memory_equal(out, in, 32);
        assert_int_equal(mru_cbc_encrypt(key, key_len, iv, out, 32, out), 0);
        assert_memory_equal(out, wanted, 32);
        assert_int_equal(mru_cbc_encrypt(key, key_len, iv, NULL, 0, out), 0);
    }
}

/* --- key wrap --- */

/* RFC 3394, 4.1, 4.3 and 4.6. */
static void wrapping_is_that_of_rfc_3394(void **state) {
    static const struct {
        const char *kek, *key, *out;
    } cases[] = {
        {"000102030405060708090a0b0c0d0e0f", "00112233445566778899aabbccddeeff",
         "1fa68b0a8112b447aef34bd8fb5a7b829d3e862371d2cfe5"},
        {"000102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f",
         "00112233445566778899aabbccddeeff",
         "64e8c3f9ce0f5ba263e9777905818a2a93c8191e7d6e8ae7"},
        {"000102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f",
         "00112233445566778899aabbccddeeff000102030405060708090a0b0c0d0e0f",
         "28c9f404c4b810f4cbccb35cfb87f8263f5786e2d80ed326cbc7f0e71a99f43b"
         "fb988b9b7a02dd21"}};
    uint8_t kek[32], key[32], out[40], wanted[40];
    (void)state;
    for (size_t i = 0; i < 3; i++) {
        size_t kek_len = from_hex(kek, cases[i].kek);
        size_t len = from_hex(key, cases[i].key);
        from_hex(wanted, cases[i].out);
        assert_int_equal(mru_kw_wrap(kek, kek_len, key, len, out), 0);
        assert_memory_equal(out, wanted, len + 8);
        memset(key, 0, sizeof key);
        assert_int_equal(mru_kw_unwrap(kek, kek_len, out, len + 8, key), 0);
        from_hex(wanted, cases[i].key);
        assert_memory_equal(key, wanted, len);
    }
}

static void a_changed_bit_unwraps_to_nothing(void **state) {
    uint8_t kek[16] = {3}, key[MRU_KW_MAX], out[MRU_KW_MAX + 8],
            back[MRU_KW_MAX], zeros[MRU_KW_MAX] = {0};
    (void)state;
    for (size_t i = 0; i < sizeof key; i++)
        key[i] = (uint8_t)(i + 1);
    for (size_t len = MRU_KW_MIN; len <= MRU_KW_MAX; len += 8) {
        assert_int_equal(mru_kw_wrap(kek, 16, key, len, out), 0);
        for (size_t bit = 0; bit < (len + 8) * 8; bit += 5) {
            out[bit / 8] ^= (uint8_t)(1u << bit % 8);
            memset(back, 7, sizeof back);
            assert_int_equal(mru_kw_unwrap(kek, 16, out, len + 8, back), -1);
            assert_memory_equal(back, zeros, len);
            out[bit / 8] ^= (uint8_t)(1u << bit % 8);
        }
        assert_int_equal(mru_kw_unwrap(kek, 16, out, len + 8, back), 0);
        assert_memory_equal(back, key, len);
    }
}

/* What a stranger sent has any length: nothing may be written for a wrong one. */
static void other_lengths_are_not_touched(void **state) {
    uint8_t kek[16] = {3}, in[400] = {0};
    (void)state;
    for (size_t len = 0; len <= sizeof in; len++) {
        if (len % 8 != 0 || len < MRU_KW_MIN || len > MRU_KW_MAX)
            assert_int_equal(mru_kw_wrap(kek, 16, in, len, NULL), -1);
        if (len % 8 != 0 || len < MRU_KW_MIN + 8 || len > MRU_KW_MAX + 8)
            assert_int_equal(mru_kw_unwrap(kek, 16, in, len, NULL), -1);
    }
}

/* --- memory --- */

/* A lack of memory is not a wrong tag. */
static int opened(int ret) {
    assert_int_not_equal(ret, -1);
    return ret;
}

/* One use of each: 0, or what was answered first that is not. */
static int use_all(uint8_t out[64]) {
    uint8_t key[32] = {1}, iv[16] = {2}, in[32] = {3}, tag[16], back[64];
    int ret = mru_gcm_seal(key, 16, iv, NULL, in, 32, out, tag);
    if (ret == 0)
        ret = opened(mru_gcm_open(key, 16, iv, NULL, out, 32, tag, back));
    if (ret == 0)
        ret = mru_cbc_encrypt(key, 32, iv, in, 32, out);
    if (ret == 0)
        ret = mru_cbc_decrypt(key, 32, iv, out, 32, back);
    if (ret == 0)
        ret = mru_kw_wrap(key, 32, in, 32, out);
    if (ret == 0)
        ret = opened(mru_kw_unwrap(key, 32, out, 40, back));
    if (ret == 0)
        assert_memory_equal(back, in, 32);
    return ret;
}

static void ciphers_survive_a_lack_of_memory(void **state) {
    uint8_t out[64];
    (void)state;
    if (!test_alloc_available())
        skip();
    assert_int_equal(use_all(out), 0);
    for (unsigned long n = 1;; n++) {
        long live = test_alloc_live();
        test_alloc_fail_at(n);
        int ret = use_all(out);
        int pending = test_alloc_pending();
        test_alloc_fail_at(0);
        assert_int_equal(test_alloc_live(), live);
        if (pending) {
            assert_int_equal(ret, 0);
            break;
        }
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_was_sealed_opens_and_nothing_else_does),
        cmocka_unit_test(nothing_can_be_sealed_too),
        cmocka_unit_test(sealing_survives_a_lack_of_memory),
        cmocka_unit_test(both_key_lengths_open_what_they_sealed_in_place),
        cmocka_unit_test(cbc_is_that_of_sp_800_38a),
        cmocka_unit_test(wrapping_is_that_of_rfc_3394),
        cmocka_unit_test(a_changed_bit_unwraps_to_nothing),
        cmocka_unit_test(other_lengths_are_not_touched),
        cmocka_unit_test(ciphers_survive_a_lack_of_memory),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
