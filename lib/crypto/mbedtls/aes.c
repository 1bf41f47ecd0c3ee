/* lib/crypto/mbedtls/aes.c - AES in CBC without padding (NIST SP 800-38A) and
 * AES Key Wrap (RFC 3394). */
#include "mbed.h"

enum { BLOCK = 16, HALF = 8 };

static int cbc(int mode, const uint8_t *key, size_t key_len,
               const uint8_t iv[BLOCK], const uint8_t *in, size_t len,
               uint8_t *out) {
    mbedtls_aes_context aes;
    uint8_t chain[BLOCK];
    unsigned bits = (unsigned)key_len * 8;
    memcpy(chain, iv, BLOCK);
    mbedtls_aes_init(&aes);
    int ret = mode == MBEDTLS_AES_ENCRYPT
                  ? mbedtls_aes_setkey_enc(&aes, key, bits)
                  : mbedtls_aes_setkey_dec(&aes, key, bits);
    if (ret == 0 && len > 0)
        ret = mbedtls_aes_crypt_cbc(&aes, mode, len, chain, in, out);
    mbedtls_aes_free(&aes);
    mru_wipe(chain, sizeof chain);
    if (ret != 0)
        mru_wipe(out, len);
    return ret == 0 ? 0 : -1;
}

int mru_cbc_encrypt(const uint8_t *key, size_t key_len, const uint8_t iv[BLOCK],
                    const uint8_t *in, size_t len, uint8_t *out) {
    return cbc(MBEDTLS_AES_ENCRYPT, key, key_len, iv, in, len, out);
}

int mru_cbc_decrypt(const uint8_t *key, size_t key_len, const uint8_t iv[BLOCK],
                    const uint8_t *in, size_t len, uint8_t *out) {
    return cbc(MBEDTLS_AES_DECRYPT, key, key_len, iv, in, len, out);
}

/* --- key wrap --- */

/* What stands before the key (section 2.2.3.1), and proves an unwrapped one. */
static const uint8_t proof[HALF] = {0xa6, 0xa6, 0xa6, 0xa6,
                                    0xa6, 0xa6, 0xa6, 0xa6};

static int fits(size_t len) {
    return len >= MRU_KW_MIN && len <= MRU_KW_MAX && len % HALF == 0;
}

/* A ^ t of one step; t is at most 6 * 8. */
static void count(uint8_t a[HALF], size_t t) { a[HALF - 1] ^= (uint8_t)t; }

int mru_kw_wrap(const uint8_t *kek, size_t kek_len, const uint8_t *key,
                size_t len, uint8_t *out) {
    mbedtls_aes_context aes;
    uint8_t block[BLOCK];
    size_t n = len / HALF;
    if (!fits(len))
        return -1;
    memcpy(block, proof, HALF);
    memcpy(out + HALF, key, len);
    mbedtls_aes_init(&aes);
    int ret = mbedtls_aes_setkey_enc(&aes, kek, (unsigned)kek_len * 8);
    for (size_t t = 1; ret == 0 && t <= 6 * n; t++) {
        uint8_t *r = out + HALF * ((t - 1) % n + 1);
        memcpy(block + HALF, r, HALF);
        ret = mbedtls_aes_crypt_ecb(&aes, MBEDTLS_AES_ENCRYPT, block, block);
        count(block, t);
        memcpy(r, block + HALF, HALF);
    }
    mbedtls_aes_free(&aes);
    memcpy(out, block, HALF);
    mru_wipe(block, sizeof block);
    if (ret != 0)
        mru_wipe(out, len + HALF);
    return ret == 0 ? 0 : -1;
}

int mru_kw_unwrap(const uint8_t *kek, size_t kek_len, const uint8_t *in,
                  size_t len, uint8_t *out) {
    mbedtls_aes_context aes;
    uint8_t block[BLOCK];
    if (len < HALF || !fits(len - HALF))
        return -1;
    size_t n = len / HALF - 1;
    memcpy(block, in, HALF);
    memcpy(out, in + HALF, len - HALF);
    mbedtls_aes_init(&aes);
    int ret = mbedtls_aes_setkey_dec(&aes, kek, (unsigned)kek_len * 8);
    for (size_t t = 6 * n; ret == 0 && t > 0; t--) {
        uint8_t *r = out + HALF * ((t - 1) % n);
        count(block, t);
        memcpy(block + HALF, r, HALF);
        ret = mbedtls_aes_crypt_ecb(&aes, MBEDTLS_AES_DECRYPT, block, block);
        memcpy(r, block + HALF, HALF);
    }
    mbedtls_aes_free(&aes);
    int proved = mru_equal_ct(block, proof, HALF);
    mru_wipe(block, sizeof block);
    if (ret != 0 || !proved)
        mru_wipe(out, len - HALF);
    if (ret != 0)
        return -2;
    return proved ? 0 : -1;
}
