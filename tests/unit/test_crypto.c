/* tests/unit/test_crypto.c - hashes, MACs and derivation (lib/crypto/crypto.h).
 * Encryption is in test_cipher.c, key pairs in test_pkey.c; larger sets of cases
 * in tests/vectors. */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include <pthread.h>
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

static void a_kept_hasher_hashes_alike_again_and_again(void **state) {
    static const int hashes[] = {MRU_SHA256, MRU_SHA384, MRU_SHA512};
    mereau_slice parts[2] = {slice("ab"), slice("c")}, whole = slice("abc");
    uint8_t once[MRU_MAX_HASH], kept[MRU_MAX_HASH];
    (void)state;
    for (size_t h = 0; h < 3; h++) {
        mru_hasher *hasher = mru_hasher_new(hashes[h]);
        assert_non_null(hasher);
        assert_int_equal(mru_hash(hashes[h], &whole, 1, once), 0);
        for (int i = 0; i < 3; i++) {
            memset(kept, 0, sizeof kept);
            assert_int_equal(mru_hasher_run(hasher, parts, 2, kept), 0);
            assert_memory_equal(kept, once, (size_t)hashes[h]);
        }
        mru_hasher_free(hasher);
    }
    assert_null(mru_hasher_new(20));
    mru_hasher_free(NULL);
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

/* --- a kept MAC --- */

static void a_kept_key_makes_the_same_macs_again_and_again(void **state) {
    static const int hashes[] = {MRU_SHA256, MRU_SHA384, MRU_SHA512};
    uint8_t key[200], data[300], once[MRU_MAX_HASH], kept[MRU_MAX_HASH];
    (void)state;
    for (size_t i = 0; i < sizeof key; i++)
        key[i] = (uint8_t)(i * 7);
    for (size_t i = 0; i < sizeof data; i++)
        data[i] = (uint8_t)(i * 11);
    for (size_t h = 0; h < 3; h++)
        for (size_t key_len = 0; key_len <= sizeof key; key_len += 8) {
            mru_mac *mac = mru_mac_new(hashes[h], key, key_len);
            assert_non_null(mac);
            for (size_t len = 0; len <= sizeof data; len += 50) {
                mereau_slice parts[2] = {{data, len / 3},
                                         {data + len / 3, len - len / 3}};
                mereau_slice whole = {data, len};
                assert_int_equal(
                    mru_hmac(hashes[h], key, key_len, &whole, 1, once), 0);
                assert_int_equal(mru_mac_run(mac, parts, 2, kept), 0);
                assert_memory_equal(once, kept, (size_t)hashes[h]);
            }
            mru_mac_free(mac);
        }
    assert_null(mru_mac_new(20, key, 32));
    mru_mac_free(NULL);
}

struct sharer {
    const mru_mac *mac;
    uint8_t wanted[MRU_SHA256];
    int wrong;
};

static void *share(void *arg) {
    struct sharer *s = arg;
    uint8_t out[MRU_SHA256];
    mereau_slice data = slice("shared without a lock");
    for (int i = 0; i < 200; i++)
        if (mru_mac_run(s->mac, &data, 1, out) != 0 ||
            memcmp(out, s->wanted, sizeof out) != 0)
            s->wrong = 1;
    return NULL;
}

static void threads_share_one_kept_key(void **state) {
    struct sharer sharers[8];
    pthread_t threads[8];
    mereau_slice data = slice("shared without a lock");
    mru_mac *mac = mru_mac_new(MRU_SHA256, (const uint8_t *)"key", 3);
    (void)state;
    assert_non_null(mac);
    for (size_t i = 0; i < 8; i++) {
        sharers[i].mac = mac;
        sharers[i].wrong = 0;
        assert_int_equal(mru_hmac(MRU_SHA256, (const uint8_t *)"key", 3, &data,
                                  1, sharers[i].wanted),
                         0);
        assert_int_equal(pthread_create(&threads[i], NULL, share, &sharers[i]),
                         0);
    }
    for (size_t i = 0; i < 8; i++) {
        pthread_join(threads[i], NULL);
        assert_int_equal(sharers[i].wrong, 0);
    }
    mru_mac_free(mac);
}

static void a_kept_key_survives_a_lack_of_memory(void **state) {
    uint8_t out[MRU_SHA256], wanted[MRU_SHA256], zeros[MRU_SHA256] = {0};
    mereau_slice data = slice("abc");
    (void)state;
    if (!test_alloc_available())
        skip();
    assert_int_equal(
        mru_hmac(MRU_SHA256, (const uint8_t *)"k", 1, &data, 1, wanted), 0);
    for (unsigned long n = 1;; n++) {
        long live = test_alloc_live();
        memset(out, 7, sizeof out);
        test_alloc_fail_at(n);
        mru_mac *mac = mru_mac_new(MRU_SHA256, (const uint8_t *)"k", 1);
        int ret = mac ? mru_mac_run(mac, &data, 1, out) : -1;
        int pending = test_alloc_pending();
        test_alloc_fail_at(0);
        if (ret == 0)
            assert_memory_equal(out, wanted, sizeof out);
        else if (mac)
            assert_memory_equal(out, zeros, sizeof out);
        mru_mac_free(mac);
        assert_int_equal(test_alloc_live(), live);
        if (pending) {
            assert_int_equal(ret, 0);
            break;
        }
    }
}

/* What makes HS256 verify without a call of malloc. */
static void a_kept_key_allocates_nothing_when_used(void **state) {
    uint8_t out[MRU_SHA512];
    mereau_slice data = slice("abc");
    mru_mac *mac = mru_mac_new(MRU_SHA512, (const uint8_t *)"k", 1);
    (void)state;
    assert_non_null(mac);
    unsigned long before = test_alloc_count();
    assert_int_equal(mru_mac_run(mac, &data, 1, out), 0);
    /* OpenSSL copies contexts in memory of its own. */
    if (!(mru_crypto_has() & MRU_HAS_OWN_RANDOM))
        assert_int_equal(test_alloc_count(), before);
    mru_mac_free(mac);
}

/* --- Concat KDF --- */

/* RFC 7518 appendix C. */
static void agreed_keys_are_those_of_rfc_7518(void **state) {
    static const uint8_t z[32] = {158, 86,  217, 29,  129, 113, 53,  211,
                                  114, 131, 66,  131, 191, 132, 38,  156,
                                  251, 49,  110, 163, 218, 128, 106, 72,
                                  246, 218, 167, 121, 140, 254, 144, 196};
    uint8_t out[16], longer[80], more[80];
    mereau_slice alice = slice("Alice"), bob = slice("Bob");
    char text[23] = "";
    (void)state;
    assert_int_equal(
        mru_concat_kdf(z, sizeof z, "A128GCM", &alice, &bob, out, 16), 0);
    mru_b64_encode(text, out, 16);
    assert_string_equal(text, "VqqN6vgjbSBcIijNcacQGg");
    /* The length is part of what is hashed, and so is who they are. */
    assert_int_equal(
        mru_concat_kdf(z, sizeof z, "A128GCM", &alice, &bob, longer, 80), 0);
    assert_memory_not_equal(longer, out, 16);
    assert_int_equal(
        mru_concat_kdf(z, sizeof z, "A128GCM", &bob, &alice, more, 80), 0);
    assert_memory_not_equal(longer, more, 32);
    assert_memory_not_equal(longer + 32, more + 32, 32);
    assert_memory_not_equal(longer, longer + 32, 32); /* rounds are counted */
    mereau_slice none = {NULL, 0};
    assert_int_equal(
        mru_concat_kdf(z, sizeof z, "A128GCM", NULL, NULL, longer, 80), 0);
    assert_int_equal(
        mru_concat_kdf(z, sizeof z, "A128GCM", &none, &none, more, 80), 0);
    assert_memory_equal(longer, more, 80);
}

/* --- what the provider says of itself --- */

static void the_provider_has_a_name(void **state) {
    (void)state;
    assert_true(strncmp(mru_crypto_name(), "mbedTLS ", 8) == 0 ||
                strncmp(mru_crypto_name(), "OpenSSL ", 8) == 0);
    print_message("%s\n", mru_crypto_name());
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(hashes_are_those_of_fips_180),
        cmocka_unit_test(parts_hash_as_their_concatenation),
        cmocka_unit_test(a_kept_hasher_hashes_alike_again_and_again),
        cmocka_unit_test(other_hashes_are_refused),
        cmocka_unit_test(macs_are_those_of_rfc_4231),
        cmocka_unit_test(derivation_has_an_end),
        cmocka_unit_test(a_missing_salt_is_one_of_zeros),
        cmocka_unit_test(a_kept_key_makes_the_same_macs_again_and_again),
        cmocka_unit_test(threads_share_one_kept_key),
        cmocka_unit_test(a_kept_key_survives_a_lack_of_memory),
        cmocka_unit_test(a_kept_key_allocates_nothing_when_used),
        cmocka_unit_test(agreed_keys_are_those_of_rfc_7518),
        cmocka_unit_test(the_provider_has_a_name),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
