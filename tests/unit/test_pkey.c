/* tests/unit/test_pkey.c - key pairs below JOSE (lib/crypto/pkey.h): drawn,
 * encrypting and agreeing, shared, short of memory. As texts they are in
 * test_pkey_text.c; signatures are in test_key.c. */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include <pthread.h>
#include <stdlib.h>

#include "crypto/pkey.h"
#include "alloc.h"
#include "key_texts.h"

/* Random bytes: from a script first, then from a seed; or a failure. */
struct generator {
    const uint8_t *script;
    size_t left;
    uint64_t state;
    int fail;
    int draws;
};
static int draw(void *arg, uint8_t *out, size_t len) {
    struct generator *g = arg;
    g->draws++;
    for (size_t i = 0; i < len; i++) {
        if (g->left > 0) {
            g->left--;
            out[i] = *g->script++;
            continue;
        }
        g->state =
            g->state * UINT64_C(6364136223846793005) + 1442695040888963407;
        out[i] = (uint8_t)(g->state >> 56);
    }
    return g->fail;
}

static const struct mru_curve *curve(const char *name) {
    const struct mru_curve *found = mru_curve_find(name, strlen(name));
    assert_non_null(found);
    return found;
}

static mru_pkey *generated(int32_t alg, const char *crv, uint64_t seed) {
    struct generator g = {NULL, 0, seed, 0, 0};
    mereau_error err = MEREAU_ERROR_INIT;
    mru_pkey *key = NULL;
    if (mru_pkey_generate(&key, mru_alg_info(alg), crv ? curve(crv) : NULL, 0,
                          draw, &g, &err) != MEREAU_OK)
        fail_msg("%s", err.text);
    return key;
}

static mru_pkey *parsed(int32_t alg, const char *text) {
    mereau_error err = MEREAU_ERROR_INIT;
    mru_pkey *key = NULL;
    if (mru_pkey_parse(&key, mru_alg_info(alg), NULL, (const uint8_t *)text,
                       strlen(text), &err) != MEREAU_OK)
        fail_msg("%s", err.text);
    return key;
}

static mereau_slice part(const mru_pkey *key, int which, uint8_t *room) {
    mereau_slice s = {room, 0};
    assert_int_equal(mru_pkey_part(key, which, room, MRU_RSA_MAX, &s.len), 0);
    return s;
}

/* --- tables --- */

static void names_and_numbers_of_algorithms_agree(void **state) {
    int found = 0;
    (void)state;
    for (int32_t id = -1; id < 64; id++) {
        const struct mru_alg *alg = mru_alg_info(id);
        if (!alg)
            continue;
        found++;
        size_t len = strlen(alg->name);
        int other = alg->use == MRU_USE_SIG ? MRU_USE_ENC : MRU_USE_SIG;
        assert_int_equal(alg->id, id);
        assert_ptr_equal(mru_alg_named(alg->name, len, alg->use), alg);
        assert_null(mru_alg_named(alg->name, len, other));
        assert_null(mru_alg_named(alg->name, len - 2, alg->use));
        if (alg->crv)
            assert_int_equal(curve(alg->crv)->coord, alg->coord);
    }
    assert_int_equal(found, 14 + 8);
    assert_ptr_equal(mru_alg_named("Ed25519", 7, MRU_USE_SIG),
                     mru_alg_info(MEREAU_ALG_EDDSA));
    assert_null(mru_alg_named("Ed25519", 7, MRU_USE_ENC));
    assert_null(mru_alg_named("RSA1_5", 6, MRU_USE_ENC));
    assert_null(mru_curve_find("P-25", 4));
    assert_null(mru_curve_find("p-256", 5));
}

/* --- drawing --- */

/* Made of these seeds whatever the provider is. */
static void a_seed_gives_the_same_key_on_every_provider(void **state) {
    static const struct {
        int32_t alg;
        const char *crv, *x;
    } keys[] = {
        {MEREAU_ALG_ES256, "P-256",
         "MQ5i0PZiuYe8qmmCByPuxk--__FD2LlvKL7usoyE0YE"},
        {MEREAU_ALG_ES384, "P-384",
         "2mp1PL-vUKo6YtZIBhQ8V1IEFj-DAI1ReNuQdBJ9FloAwme_q2KO-LSp5UJXBGV5"},
        {MEREAU_ALG_ES512, "P-521",
         "ABhy0tpHY9CeoWnAaZCKBPTvWJeEoRiowZegzGSoT5ZgE7KIVP4FlKoVdQeOgCWUl-"
         "zzP6mFaZUku-vwo5p8e5vK"},
        {MEREAU_ALG_ES256K, "secp256k1",
         "CceArvmfy-HEGVmTXcqSCZByPgT_0ZbVaqdagw_h1wI"},
        {MEREAU_ALG_EDDSA, "Ed25519",
         "YgvRfK9A2O-c2AJllOxXnky_ecKxVBnUA7xDc7quqPI"},
    };
    (void)state;
    for (size_t i = 0; i < sizeof keys / sizeof keys[0]; i++) {
        uint8_t room[MRU_RSA_MAX];
        char text[89] = "";
        if (keys[i].alg == MEREAU_ALG_EDDSA &&
            !(mru_crypto_has() & MRU_HAS_ED25519))
            continue;
        mru_pkey *key = generated(keys[i].alg, NULL, i + 1);
        mereau_slice x = part(key, MRU_PART_X, room);
        mru_b64_encode(text, x.data, x.len);
        assert_string_equal(text, keys[i].x);
        assert_string_equal(mru_pkey_curve(key)->name, keys[i].crv);
        mru_pkey_free(key);
    }
}

/* The order n of P-256, and the numbers next to it. */
static void a_drawn_number_is_from_1_to_n_minus_1(void **state) {
    static const uint8_t n[32] = {
        0xff, 0xff, 0xff, 0xff, 0x00, 0x00, 0x00, 0x00, 0xff, 0xff, 0xff,
        0xff, 0xff, 0xff, 0xff, 0xff, 0xbc, 0xe6, 0xfa, 0xad, 0xa7, 0x17,
        0x9e, 0x84, 0xf3, 0xb9, 0xca, 0xc2, 0xfc, 0x63, 0x25, 0x51};
    uint8_t script[6 * 32] = {0}, room[MRU_RSA_MAX];
    mereau_error err = MEREAU_ERROR_INIT;
    mru_pkey *key = NULL;
    (void)state;
    for (size_t i = 1; i < 5; i++)
        memcpy(script + i * 32, n, 32);
    memset(script + 2 * 32, 0xff, 32);
    script[3 * 32 + 31]++; /* 0, n, all ones, n + 1, n, n - 1 */
    memcpy(script + 5 * 32, n, 32);
    script[5 * 32 + 31]--;
    struct generator g = {script, sizeof script, 1, 0, 0};
    assert_int_equal(mru_pkey_generate(&key, mru_alg_info(MEREAU_ALG_ES256),
                                       NULL, 0, draw, &g, &err),
                     MEREAU_OK);
    assert_int_equal(g.draws, 6);
    mereau_slice d = part(key, MRU_PART_D, room);
    assert_memory_equal(d.data, script + 5 * 32, 32);
    mru_pkey_free(key);
    /* 1 is one as well. */
    memset(script, 0, 32);
    script[31] = 1;
    struct generator one = {script, 32, 1, 0, 0};
    assert_int_equal(mru_pkey_generate(&key, mru_alg_info(MEREAU_ALG_ES256),
                                       NULL, 0, draw, &one, &err),
                     MEREAU_OK);
    assert_int_equal(one.draws, 1);
    mru_pkey_free(key);
}

static void a_broken_generator_does_not_hang(void **state) {
    static uint8_t ones[200 * 66];
    static const int32_t algs[] = {MEREAU_ALG_ES256, MEREAU_ALG_ES384,
                                   MEREAU_ALG_ES512, MEREAU_ALG_ES256K};
    (void)state;
    memset(ones, 0xff, sizeof ones);
    for (size_t i = 0; i < 4; i++) {
        struct generator g = {ones, sizeof ones, 1, 0, 0};
        mereau_error err = MEREAU_ERROR_INIT;
        mru_pkey *key = (mru_pkey *)&err;
        assert_int_equal(mru_pkey_generate(&key, mru_alg_info(algs[i]), NULL, 0,
                                           draw, &g, &err),
                         MEREAU_E_CRYPTO);
        assert_null(key);
    }
}

static void a_curve_is_asked_for_where_the_algorithm_names_none(void **state) {
    static const char *const right[] = {"P-256", "P-384", "P-521"};
    static const char *const wrong[] = {"secp256k1", "Ed25519"};
    const struct mru_alg *ecdh = mru_alg_info(MEREAU_ALG_ECDH_ES);
    struct generator g = {NULL, 0, 1, 0, 0};
    mereau_error err = MEREAU_ERROR_INIT;
    mru_pkey *key = NULL;
    (void)state;
    for (size_t i = 0; i < 3; i++) {
        key = generated(ecdh->id, right[i], 3);
        assert_ptr_equal(mru_pkey_curve(key), curve(right[i]));
        assert_int_equal(mru_pkey_bits(key), i == 0 ? 256 : i == 1 ? 384 : 521);
        mru_pkey_free(key);
    }
    for (size_t i = 0; i < 2; i++) {
        assert_int_equal(
            mru_pkey_generate(&key, ecdh, curve(wrong[i]), 0, draw, &g, &err),
            MEREAU_E_KEY);
        assert_string_equal(err.rule, "key.crv");
    }
    assert_int_equal(mru_pkey_generate(&key, ecdh, NULL, 0, draw, &g, &err),
                     MEREAU_E_KEY);
    assert_int_equal(mru_pkey_generate(&key, mru_alg_info(MEREAU_ALG_ES256),
                                       curve("P-384"), 0, draw, &g, &err),
                     MEREAU_E_KEY);
    assert_int_equal(mru_pkey_generate(&key, mru_alg_info(MEREAU_ALG_A128KW),
                                       NULL, 0, draw, &g, &err),
                     MEREAU_E_ALG);
    assert_null(key);
}

/* --- agreement --- */

/* RFC 7518 appendix C: Alice's ephemeral key and Bob's. */
static mru_pkey *of_rfc_7518(int alice) {
    static const char *const texts[2][3] = {
        {"weNJy2HscCSM6AEDTDg04biOvhFhyyWvOHQfeF_PxMQ",
         "e8lnCO-AlStT-NJVX-crhB7QRYhiix03illJOVAOyck",
         "VEmDZpDXXK8p8N0Cndsxs924q6nS1RXFASRl6BfUqdw"},
        {"gI0GAILBdu7T53akrFmMyGcsF3n5dO7MmwNBHKW5SV0",
         "SLW_xSffzlPWrHEVI30DHM_4egVwt3NQqeUD7nMFpps",
         "0_NxaRPUMQoAJt50Gz8YiTr8gRTwyEaCumd-MToTmIo"}};
    uint8_t numbers[3][33];
    struct mru_pkey_parts parts = {{{NULL, 0}}};
    static const int which[3] = {MRU_PART_X, MRU_PART_Y, MRU_PART_D};
    mereau_error err = MEREAU_ERROR_INIT;
    mru_pkey *key = NULL;
    for (int i = 0; i < 3; i++) {
        assert_int_equal(
            mru_b64_decode(numbers[i], texts[alice ? 1 : 0][i], 43), 32);
        parts.part[which[i]].data = numbers[i];
        parts.part[which[i]].len = 32;
    }
    if (mru_pkey_make(&key, mru_alg_info(MEREAU_ALG_ECDH_ES), curve("P-256"),
                      &parts, &err) != MEREAU_OK)
        fail_msg("%s", err.text);
    return key;
}

static void both_sides_agree_as_in_rfc_7518(void **state) {
    static const uint8_t wanted[32] = {158, 86,  217, 29,  129, 113, 53,  211,
                                       114, 131, 66,  131, 191, 132, 38,  156,
                                       251, 49,  110, 163, 218, 128, 106, 72,
                                       246, 218, 167, 121, 140, 254, 144, 196};
    struct generator g = {NULL, 0, 1, 0, 0};
    mru_pkey *keys[2] = {of_rfc_7518(0), of_rfc_7518(1)};
    (void)state;
    for (int i = 0; i < 2; i++) {
        uint8_t x_room[MRU_RSA_MAX], y_room[MRU_RSA_MAX], z[32];
        mereau_slice x = part(keys[!i], MRU_PART_X, x_room);
        mereau_slice y = part(keys[!i], MRU_PART_Y, y_room);
        assert_int_equal(mru_pkey_agree(keys[i], &x, &y, draw, &g, z),
                         MEREAU_OK);
        assert_memory_equal(z, wanted, 32);
    }
    mru_pkey_free(keys[0]);
    mru_pkey_free(keys[1]);
}

static void a_peer_that_is_no_point_is_refused(void **state) {
    static const char *const names[] = {"P-256", "P-384", "P-521"};
    struct generator g = {NULL, 0, 1, 0, 0};
    (void)state;
    for (size_t i = 0; i < 3; i++) {
        uint8_t x_room[MRU_RSA_MAX], y_room[MRU_RSA_MAX], z[MRU_COORD_MAX];
        uint8_t zeros[MRU_COORD_MAX] = {0}, ones[MRU_COORD_MAX];
        mru_pkey *own = generated(MEREAU_ALG_ECDH_ES, names[i], 1);
        mru_pkey *peer = generated(MEREAU_ALG_ECDH_ES, names[i], 2);
        mereau_slice x = part(peer, MRU_PART_X, x_room);
        mereau_slice y = part(peer, MRU_PART_Y, y_room);
        mereau_slice zero = {zeros, x.len}, one = {ones, x.len};
        size_t len = x.len;
        memset(ones, 0xff, sizeof ones);
        y_room[len - 1] ^= 1; /* off the curve */
        memset(z, 7, sizeof z);
        assert_int_equal(mru_pkey_agree(own, &x, &y, draw, &g, z),
                         MEREAU_E_KEY);
        assert_memory_equal(z, zeros, len);
        y_room[len - 1] ^= 1;
        assert_int_equal(mru_pkey_agree(own, &zero, &zero, draw, &g, z),
                         MEREAU_E_KEY); /* how infinity is sometimes written */
        assert_int_equal(mru_pkey_agree(own, &one, &one, draw, &g, z),
                         MEREAU_E_KEY); /* p and more */
        assert_int_equal(mru_pkey_agree(own, &y, &x, draw, &g, z),
                         MEREAU_E_KEY);
        x.len--;
        assert_int_equal(mru_pkey_agree(own, &x, &y, draw, &g, z),
                         MEREAU_E_KEY);
        x.len++;
        assert_int_equal(mru_pkey_agree(own, &x, &y, draw, &g, z), MEREAU_OK);
        mru_pkey_free(own);
        mru_pkey_free(peer);
    }
}

/* --- pairs of RSA --- */

/* A provider finds what is missing, and proves all that is there. */
static void private_numbers_are_completed_and_proved(void **state) {
    static const int given[] = {MRU_PART_N, MRU_PART_E, MRU_PART_D, MRU_PART_P,
                                MRU_PART_Q};
    static uint8_t room[MRU_PARTS][MRU_RSA_MAX];
    const struct mru_alg *alg = mru_alg_info(MEREAU_ALG_RSA_OAEP_256);
    mru_pkey *whole = parsed(alg->id, rsa_pkcs8), *key = NULL;
    uint8_t number[MRU_RSA_MAX];
    mereau_error err = MEREAU_ERROR_INIT;
    (void)state;
    for (size_t n = 3; n <= 5;
         n += 2) { /* with d alone; with p and q as well */
        struct mru_pkey_parts parts = {{{NULL, 0}}};
        for (size_t i = 0; i < n; i++)
            parts.part[given[i]] = part(whole, given[i], room[given[i]]);
        assert_int_equal(mru_pkey_make(&key, alg, NULL, &parts, &err),
                         MEREAU_OK);
        int swapped = 0; /* which of the primes is p is not told by n */
        for (int i = MRU_PART_N; i <= MRU_PART_QI; i++) {
            mereau_slice own = part(key, i, number);
            mereau_slice wanted = part(whole, i, room[i]);
            int same = own.len == wanted.len &&
                       memcmp(own.data, wanted.data, own.len) == 0;
            if (i == MRU_PART_P && n == 3)
                swapped = !same;
            assert_true(same || (swapped && i >= MRU_PART_P));
        }
        mru_pkey_free(key);
        for (size_t i = 2; i < n; i++) { /* each of them wrong */
            room[given[i]][parts.part[given[i]].len - 1] ^= 2;
            assert_int_equal(mru_pkey_make(&key, alg, NULL, &parts, &err),
                             MEREAU_E_KEY);
            assert_string_equal(err.rule, "key.pair");
            assert_null(key);
            room[given[i]][parts.part[given[i]].len - 1] ^= 2;
        }
    }
    mru_pkey_free(whole);
}

/* --- RSA-OAEP --- */

static void what_was_encrypted_comes_back_and_nothing_near_it(void **state) {
    static const int32_t algs[] = {MEREAU_ALG_RSA_OAEP,
                                   MEREAU_ALG_RSA_OAEP_256};
    static const size_t longest[] = {256 - 42, 256 - 66};
    (void)state;
    for (size_t i = 0; i < 2; i++) {
        struct generator g = {NULL, 0, 1, 0, 0};
        mru_pkey *own = parsed(algs[i], rsa_pkcs8);
        mru_pkey *open = parsed(algs[i], rsa_spki);
        uint8_t in[256], out[256], again[256], back[256], zeros[256] = {0};
        size_t len = 9;
        assert_int_equal(mru_pkey_sig_len(open), 256);
        assert_int_equal(mru_pkey_bits(open), 2048);
        memset(in, 0xa5, sizeof in);
        for (size_t n = 0; n <= longest[i]; n += n + 7 > longest[i] ? 1 : 7) {
            assert_int_equal(mru_pkey_encrypt(open, in, n, draw, &g, out),
                             MEREAU_OK);
            assert_int_equal(mru_pkey_decrypt(own, out, 256, draw, &g, back,
                                              sizeof back, &len),
                             MEREAU_OK);
            assert_int_equal(len, n);
            assert_memory_equal(back, in, n);
        }
        assert_int_equal(
            mru_pkey_encrypt(open, in, longest[i] + 1, draw, &g, again),
            MEREAU_E_TOO_LONG);
        assert_int_equal(mru_pkey_encrypt(open, in, 32, draw, &g, out),
                         MEREAU_OK);
        assert_int_equal(mru_pkey_encrypt(open, in, 32, draw, &g, again),
                         MEREAU_OK);
        assert_memory_not_equal(out, again, 256);
        for (size_t bit = 0; bit < 2048; bit += 61) {
            out[bit / 8] ^= (uint8_t)(1u << bit % 8);
            memset(back, 7, sizeof back);
            assert_int_equal(mru_pkey_decrypt(own, out, 256, draw, &g, back,
                                              sizeof back, &len),
                             MEREAU_E_SIGNATURE);
            assert_int_equal(len, 0);
            assert_memory_equal(back, zeros, sizeof back);
            out[bit / 8] ^= (uint8_t)(1u << bit % 8);
        }
        for (size_t n = 0; n < 4; n++) { /* another length, less room */
            static const size_t lens[] = {0, 255, 257, 256};
            assert_int_equal(mru_pkey_decrypt(own, again, lens[n], draw, &g,
                                              back, lens[n] == 256 ? 31 : 256,
                                              &len),
                             MEREAU_E_SIGNATURE);
        }
        mru_pkey_free(own);
        mru_pkey_free(open);
    }
}

static void the_two_hashes_of_oaep_are_two_algorithms(void **state) {
    struct generator g = {NULL, 0, 1, 0, 0};
    mru_pkey *one = parsed(MEREAU_ALG_RSA_OAEP, rsa_pkcs8);
    mru_pkey *other = parsed(MEREAU_ALG_RSA_OAEP_256, rsa_pkcs8);
    uint8_t out[256], back[256];
    size_t len;
    (void)state;
    assert_int_equal(
        mru_pkey_encrypt(one, (const uint8_t *)"x", 1, draw, &g, out),
        MEREAU_OK);
    assert_int_equal(
        mru_pkey_decrypt(other, out, 256, draw, &g, back, 256, &len),
        MEREAU_E_SIGNATURE);
    mru_pkey_free(one);
    mru_pkey_free(other);
}

/* --- one use, one kind --- */

static void a_key_does_only_what_its_algorithm_does(void **state) {
    struct generator g = {NULL, 0, 1, 0, 0};
    mru_pkey *keys[] = {parsed(MEREAU_ALG_RS256, rsa_pkcs8),
                        parsed(MEREAU_ALG_RSA_OAEP_256, rsa_pkcs8),
                        parsed(MEREAU_ALG_ES256, ec_pkcs8),
                        parsed(MEREAU_ALG_ECDH_ES, ec_pkcs8),
                        parsed(MEREAU_ALG_RSA_OAEP_256, rsa_spki),
                        parsed(MEREAU_ALG_ECDH_ES, ec_spki),
                        parsed(MEREAU_ALG_ES256, ec_spki)};
    /* signs, verifies, encrypts, decrypts, agrees */
    static const char *const can[] = {"sv", "ed", "sv", "a", "e", "", "v"};
    uint8_t in[MRU_RSA_MAX] = {1}, out[MRU_RSA_MAX], x_room[MRU_RSA_MAX],
            y_room[MRU_RSA_MAX];
    size_t len;
    mereau_slice x = part(keys[2], MRU_PART_X, x_room);
    mereau_slice y = part(keys[2], MRU_PART_Y, y_room);
    (void)state;
    for (size_t i = 0; i < sizeof keys / sizeof keys[0]; i++) {
        const mru_pkey *key = keys[i];
        mereau_status got[] = {
            mru_pkey_sign(key, in, 1, draw, &g, out),
            mru_pkey_verify(key, in, 1, in, mru_pkey_sig_len(key)),
            mru_pkey_encrypt(key, in, 1, draw, &g, out),
            mru_pkey_decrypt(key, in, mru_pkey_sig_len(key), draw, &g, out,
                             sizeof out, &len),
            mru_pkey_agree(key, &x, &y, draw, &g, out)};
        static const mereau_status right[] = {MEREAU_OK, MEREAU_E_SIGNATURE,
                                              MEREAU_OK, MEREAU_E_SIGNATURE,
                                              MEREAU_OK};
        for (size_t k = 0; k < 5; k++)
            assert_int_equal(got[k], strchr(can[i], "sveda"[k]) ? right[k]
                                                                : MEREAU_E_KEY);
        mru_pkey_free(keys[i]);
    }
}

static void a_failing_generator_stops_what_it_blinds(void **state) {
    struct generator g = {NULL, 0, 1, 5, 0};
    mru_pkey *rsa = parsed(MEREAU_ALG_RSA_OAEP_256, rsa_pkcs8);
    mru_pkey *ec = parsed(MEREAU_ALG_ECDH_ES, ec_pkcs8);
    uint8_t out[256], back[256], zeros[256] = {0}, x_room[MRU_RSA_MAX],
                                 y_room[MRU_RSA_MAX];
    mereau_slice x = part(ec, MRU_PART_X, x_room);
    mereau_slice y = part(ec, MRU_PART_Y, y_room);
    size_t len = 9;
    (void)state;
    if (!(mru_crypto_has() & MRU_HAS_OWN_RANDOM)) {
        memset(out, 7, sizeof out);
        assert_int_equal(mru_pkey_encrypt(rsa, x.data, 32, draw, &g, out),
                         MEREAU_E_RANDOM);
        assert_memory_equal(out, zeros, 256);
        assert_int_equal(mru_pkey_decrypt(rsa, zeros, 256, draw, &g, back,
                                          sizeof back, &len),
                         MEREAU_E_RANDOM);
        assert_int_equal(len, 0);
        memset(out, 7, sizeof out);
        assert_int_equal(mru_pkey_agree(ec, &x, &y, draw, &g, out),
                         MEREAU_E_RANDOM);
        assert_memory_equal(out, zeros, 32);
    }
    mru_pkey_free(rsa);
    mru_pkey_free(ec);
}

/* --- threads --- */

enum { THREADS = 8, ROUNDS = 6 };

struct sharer {
    const mru_pkey *rsa, *ec;
    mereau_slice x, y;
    const uint8_t *z;
    uint64_t seed;
    int wrong;
};

static void *share(void *arg) {
    struct sharer *s = arg;
    struct generator g = {NULL, 0, s->seed, 0, 0};
    uint8_t out[256], back[256], z[32], in[32];
    size_t len = 0;
    memset(in, (int)s->seed, sizeof in);
    for (int i = 0; i < ROUNDS; i++)
        if (mru_pkey_encrypt(s->rsa, in, 32, draw, &g, out) != MEREAU_OK ||
            mru_pkey_decrypt(s->rsa, out, 256, draw, &g, back, 256, &len) !=
                MEREAU_OK ||
            len != 32 || memcmp(back, in, 32) != 0 ||
            mru_pkey_agree(s->ec, &s->x, &s->y, draw, &g, z) != MEREAU_OK ||
            memcmp(z, s->z, 32) != 0)
            s->wrong = 1;
    return NULL;
}

static void threads_share_keys_that_encrypt_and_agree(void **state) {
    struct generator g = {NULL, 0, 1, 0, 0};
    mru_pkey *rsa = parsed(MEREAU_ALG_RSA_OAEP, rsa_pkcs8);
    mru_pkey *ec = parsed(MEREAU_ALG_ECDH_ES, ec_pkcs8);
    mru_pkey *peer = generated(MEREAU_ALG_ECDH_ES, "P-256", 4);
    uint8_t x_room[MRU_RSA_MAX], y_room[MRU_RSA_MAX], z[32];
    struct sharer sharers[THREADS];
    pthread_t threads[THREADS];
    mereau_slice x = part(peer, MRU_PART_X, x_room);
    mereau_slice y = part(peer, MRU_PART_Y, y_room);
    (void)state;
    assert_int_equal(mru_pkey_agree(ec, &x, &y, draw, &g, z), MEREAU_OK);
    for (size_t i = 0; i < THREADS; i++) {
        struct sharer one = {rsa, ec, x, y, z, i + 1, 0};
        sharers[i] = one;
        assert_int_equal(pthread_create(&threads[i], NULL, share, &sharers[i]),
                         0);
    }
    for (size_t i = 0; i < THREADS; i++) {
        pthread_join(threads[i], NULL);
        assert_int_equal(sharers[i].wrong, 0);
    }
    mru_pkey_free(rsa);
    mru_pkey_free(ec);
    mru_pkey_free(peer);
}

/* --- memory --- */

/* Reads a key, uses it for what it is for, and writes it. */
static mereau_status life(const char *pem, int32_t alg) {
    struct generator g = {NULL, 0, 1, 0, 0};
    mereau_error err = MEREAU_ERROR_INIT;
    struct mru_buf text = {0};
    mru_pkey *key = NULL;
    uint8_t out[MRU_RSA_MAX], back[MRU_RSA_MAX];
    size_t len = 0;
    mereau_status status = mru_pkey_parse(
        &key, mru_alg_info(alg), NULL, (const uint8_t *)pem, strlen(pem), &err);
    if (status == MEREAU_OK && !mru_pkey_curve(key)) {
        status =
            mru_pkey_encrypt(key, (const uint8_t *)"cek", 3, draw, &g, out);
        if (status == MEREAU_OK)
            status = mru_pkey_decrypt(key, out, mru_pkey_sig_len(key), draw, &g,
                                      back, sizeof back, &len);
    } else if (status == MEREAU_OK) {
        mereau_slice x = {out, 0}, y = {back, 0};
        mru_pkey_part(key, MRU_PART_X, out, sizeof out, &x.len);
        mru_pkey_part(key, MRU_PART_Y, back, sizeof back, &y.len);
        uint8_t z[MRU_COORD_MAX];
        status = mru_pkey_agree(key, &x, &y, draw, &g, z);
    }
    if (status == MEREAU_OK)
        status = mru_pkey_write(key, 1, 1, &text);
    if (status == MEREAU_OK)
        assert_string_equal((const char *)text.data, pem);
    mru_buf_free(&text);
    mru_pkey_free(key);
    return status;
}

static void keys_survive_a_lack_of_memory_at_any_point(void **state) {
    const char *pems[] = {ec_pkcs8, rsa_pkcs8};
    const int32_t algs[] = {MEREAU_ALG_ECDH_ES, MEREAU_ALG_RSA_OAEP_256};
    (void)state;
    if (!test_alloc_available())
        skip();
    for (size_t i = 0; i < 2; i++) {
        assert_int_equal(life(pems[i], algs[i]), MEREAU_OK);
        unsigned long before = test_alloc_count();
        assert_int_equal(life(pems[i], algs[i]), MEREAU_OK);
        unsigned long total = test_alloc_count() - before;
        unsigned long step = total / 200 + 1; /* samples between both ends */
        long live = test_alloc_live();
        for (unsigned long n = 1; n <= total;
             n += n < 100 || n + 100 > total ? 1 : step) {
            test_alloc_fail_at(n);
            mereau_status status = life(pems[i], algs[i]);
            test_alloc_fail_at(0);
            /* It may be hidden, but is never taken for a wrong key. */
            assert_true(status == MEREAU_E_NOMEM || status == MEREAU_E_CRYPTO ||
                        status == MEREAU_OK);
            assert_int_equal(test_alloc_live(), live);
        }
        print_message("%lu allocations\n", total);
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(names_and_numbers_of_algorithms_agree),
        cmocka_unit_test(a_seed_gives_the_same_key_on_every_provider),
        cmocka_unit_test(a_drawn_number_is_from_1_to_n_minus_1),
        cmocka_unit_test(a_broken_generator_does_not_hang),
        cmocka_unit_test(a_curve_is_asked_for_where_the_algorithm_names_none),
        cmocka_unit_test(both_sides_agree_as_in_rfc_7518),
        cmocka_unit_test(a_peer_that_is_no_point_is_refused),
        cmocka_unit_test(private_numbers_are_completed_and_proved),
        cmocka_unit_test(what_was_encrypted_comes_back_and_nothing_near_it),
        cmocka_unit_test(the_two_hashes_of_oaep_are_two_algorithms),
        cmocka_unit_test(a_key_does_only_what_its_algorithm_does),
        cmocka_unit_test(a_failing_generator_stops_what_it_blinds),
        cmocka_unit_test(threads_share_keys_that_encrypt_and_agree),
        cmocka_unit_test(keys_survive_a_lack_of_memory_at_any_point),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
