/* tests/unit/test_crypto.c - hashes, MACs, derivation and sealing (lib/crypto).
 * Signatures are in test_key.c; larger sets of cases in tests/vectors. */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include <stdlib.h>

#include "crypto/crypto.h"
#include "alloc.h"

static void hex_equals(const uint8_t *data, size_t len, const char *hex) {
    static const char digits[] = "0123456789abcdef";
    char text[2 * MRU_MAX_HASH + 1] = "";
    assert_true(len <= MRU_MAX_HASH);
    for (size_t i = 0; i < len; i++) {
        text[2 * i] = digits[data[i] >> 4];
        text[2 * i + 1] = digits[data[i] & 15];
    }
    assert_string_equal(text, hex);
}

static mereau_slice slice(const char *text) {
    mereau_slice s = {(const uint8_t *)text, strlen(text)};
    return s;
}

/* FIPS 180-4, examples of NIST. */
static void hashes_are_those_of_fips_180(void **state) {
    uint8_t out[MRU_MAX_HASH];
    mereau_slice abc = slice("abc");
    (void)state;
    assert_int_equal(mru_hash(MRU_SHA256, &abc, 1, out), 0);
    hex_equals(out, 32,
               "ba7816bf8f01cfea414140de5dae2223"
               "b00361a396177a9cb410ff61f20015ad");
    assert_int_equal(mru_hash(MRU_SHA384, &abc, 1, out), 0);
    hex_equals(out, 48,
               "cb00753f45a35e8bb5a03d699ac65007272c32ab0eded163"
               "1a8b605a43ff5bed8086072ba1e7cc2358baeca134c825a7");
    assert_int_equal(mru_hash(MRU_SHA512, &abc, 1, out), 0);
    hex_equals(out, 64,
               "ddaf35a193617abacc417349ae20413112e6fa4e89a97ea2"
               "0a9eeee64b55d39a2192992a274fc1a836ba3c23a3feebbd"
               "454d4423643ce80e2a9ac94fa54ca49f");
    assert_int_equal(mru_hash(MRU_SHA256, NULL, 0, out), 0);
    hex_equals(out, 32,
               "e3b0c44298fc1c149afbf4c8996fb924"
               "27ae41e4649b934ca495991b7852b855");
}

static void parts_hash_as_their_concatenation(void **state) {
    uint8_t whole[MRU_MAX_HASH], parted[MRU_MAX_HASH];
    mereau_slice one = slice("attended"),
                 parts[4] = {
                     slice("at"), {NULL, 0}, slice("tend"), slice("ed")};
    (void)state;
    assert_int_equal(mru_hash(MRU_SHA384, &one, 1, whole), 0);
    assert_int_equal(mru_hash(MRU_SHA384, parts, 4, parted), 0);
    assert_memory_equal(whole, parted, 48);
    assert_int_equal(
        mru_hmac(MRU_SHA512, (const uint8_t *)"k", 1, &one, 1, whole), 0);
    assert_int_equal(
        mru_hmac(MRU_SHA512, (const uint8_t *)"k", 1, parts, 4, parted), 0);
    assert_memory_equal(whole, parted, 64);
}

static void other_hashes_are_refused(void **state) {
    uint8_t out[MRU_MAX_HASH];
    mereau_slice abc = slice("abc");
    (void)state;
    assert_int_equal(mru_hash(20, &abc, 1, out), -1);
    assert_int_equal(mru_hash(0, &abc, 1, out), -1);
    assert_int_equal(mru_hmac(16, out, 1, &abc, 1, out), -1);
}

/* RFC 4231, test cases 2 and 6 (a key longer than the block). */
static void macs_are_those_of_rfc_4231(void **state) {
    uint8_t out[MRU_MAX_HASH], key[131];
    mereau_slice data = slice("what do ya want for nothing?");
    (void)state;
    assert_int_equal(
        mru_hmac(MRU_SHA256, (const uint8_t *)"Jefe", 4, &data, 1, out), 0);
    hex_equals(out, 32,
               "5bdcc146bf60754e6a042426089575c7"
               "5a003f089d2739839dec58b964ec3843");
    assert_int_equal(
        mru_hmac(MRU_SHA384, (const uint8_t *)"Jefe", 4, &data, 1, out), 0);
    hex_equals(out, 48,
               "af45d2e376484031617f78d2b58a6b1b9c7ef464f5a01b47"
               "e42ec3736322445e8e2240ca5e69e2c78b3239ecfab21649");
    memset(key, 0xaa, sizeof key);
    data = slice("Test Using Larger Than Block-Size Key - Hash Key First");
    assert_int_equal(mru_hmac(MRU_SHA256, key, sizeof key, &data, 1, out), 0);
    hex_equals(out, 32,
               "60e431591ee0b67f0d8a26aacbf5b77f"
               "8e0bc6213728c5140546040f0ee37f54");
    assert_int_equal(mru_hmac(MRU_SHA512, key, sizeof key, &data, 1, out), 0);
    hex_equals(out, 64,
               "80b24263c7c1a3ebb71493c1dd7be8b49b46d1f41b4aeec1"
               "121b013783f8f3526b56d037e05f2598bd0fd2215d6a1e52"
               "95e64f73f63f0aec8b915a985d786598");
}

static void derivation_has_an_end(void **state) {
    uint8_t *out = calloc(1, 255 * 32 + 1);
    mereau_slice info = slice("x");
    (void)state;
    assert_int_equal(
        mru_hkdf((const uint8_t *)"k", 1, NULL, &info, out, 255 * 32), 0);
    assert_int_equal(
        mru_hkdf((const uint8_t *)"k", 1, NULL, &info, out, 255 * 32 + 1), -1);
    assert_int_equal(mru_hkdf((const uint8_t *)"k", 1, NULL, NULL, out, 0), 0);
    free(out);
}

static void a_missing_salt_is_one_of_zeros(void **state) {
    uint8_t a[40], b[40], zeros[32] = {0};
    mereau_slice salt = {zeros, sizeof zeros};
    (void)state;
    assert_int_equal(mru_hkdf((const uint8_t *)"k", 1, NULL, NULL, a, 40), 0);
    assert_int_equal(mru_hkdf((const uint8_t *)"k", 1, &salt, NULL, b, 40), 0);
    assert_memory_equal(a, b, 40);
}

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
    uint8_t key[32] = {1}, nonce[12] = {2}, sealed[20], zeros[20] = {0};
    (void)state;
    if (!test_alloc_available())
        skip();
    unsigned long n = 1;
    for (;; n++) {
        memset(sealed, 7, sizeof sealed);
        test_alloc_fail_at(n);
        int ret =
            mru_seal(key, nonce, NULL, (const uint8_t *)"abcd", 4, sealed);
        int pending = test_alloc_pending();
        test_alloc_fail_at(0);
        if (pending) {
            assert_int_equal(ret, 0);
            break;
        }
        assert_int_equal(ret, -1);
        assert_memory_equal(sealed, zeros, sizeof zeros);
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(hashes_are_those_of_fips_180),
        cmocka_unit_test(parts_hash_as_their_concatenation),
        cmocka_unit_test(other_hashes_are_refused),
        cmocka_unit_test(macs_are_those_of_rfc_4231),
        cmocka_unit_test(derivation_has_an_end),
        cmocka_unit_test(a_missing_salt_is_one_of_zeros),
        cmocka_unit_test(what_was_sealed_opens_and_nothing_else_does),
        cmocka_unit_test(nothing_can_be_sealed_too),
        cmocka_unit_test(sealing_survives_a_lack_of_memory),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
