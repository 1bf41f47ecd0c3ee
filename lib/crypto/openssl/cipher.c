/* lib/crypto/openssl/cipher.c - AES: GCM (NIST SP 800-38D), CBC (800-38A) and key
 * wrap (RFC 3394). */
#include "ossl.h"

enum { BLOCK = 16, TAG = 16, STEP = 1 << 30 }; /* lengths are int there */

static const EVP_CIPHER *gcm_for(size_t key_len) {
    return key_len == 32   ? EVP_aes_256_gcm()
           : key_len == 16 ? EVP_aes_128_gcm()
                           : NULL;
}

static const EVP_CIPHER *cbc_for(size_t key_len) {
    return key_len == 32   ? EVP_aes_256_cbc()
           : key_len == 16 ? EVP_aes_128_cbc()
                           : NULL;
}

static const EVP_CIPHER *wrap_for(size_t key_len) {
    return key_len == 32   ? EVP_aes_256_wrap()
           : key_len == 16 ? EVP_aes_128_wrap()
                           : NULL;
}

/* len bytes through a stream mode, which gives as many; out is NULL for data
 * that is only authenticated. */
static int update(EVP_CIPHER_CTX *ctx, const uint8_t *in, size_t len,
                  uint8_t *out) {
    int n;
    while (len > 0) {
        int step = len < STEP ? (int)len : STEP;
        if (EVP_CipherUpdate(ctx, out, &n, in, step) != 1)
            return 0;
        in += step;
        out = out ? out + step : NULL;
        len -= (size_t)step;
    }
    return 1;
}

/* A context that has everything but the text, or NULL. */
static EVP_CIPHER_CTX *gcm_begin(const uint8_t *key, size_t key_len,
                                 const uint8_t nonce[12],
                                 const mereau_slice *aad, int seal) {
    const EVP_CIPHER *cipher = gcm_for(key_len);
    EVP_CIPHER_CTX *ctx = cipher ? EVP_CIPHER_CTX_new() : NULL;
    if (ctx && EVP_CipherInit_ex(ctx, cipher, NULL, key, nonce, seal) == 1 &&
        (!aad || update(ctx, aad->data, aad->len, NULL)))
        return ctx;
    EVP_CIPHER_CTX_free(ctx);
    return NULL;
}

int mru_gcm_seal(const uint8_t *key, size_t key_len, const uint8_t nonce[12],
                 const mereau_slice *aad, const uint8_t *in, size_t len,
                 uint8_t *out, uint8_t tag[16]) {
    uint8_t rest[BLOCK];
    int n;
    mru_ossl_begin();
    EVP_CIPHER_CTX *ctx = gcm_begin(key, key_len, nonce, aad, 1);
    int ok = ctx && update(ctx, in, len, out) &&
             EVP_CipherFinal_ex(ctx, rest, &n) == 1 &&
             EVP_CIPHER_CTX_ctrl(ctx, EVP_CTRL_AEAD_GET_TAG, TAG, tag) == 1;
    EVP_CIPHER_CTX_free(ctx);
    if (ok)
        return 0;
    mru_wipe(out, len);
    mru_wipe(tag, TAG);
    mru_ossl_begin();
    return -1;
}

int mru_gcm_open(const uint8_t *key, size_t key_len, const uint8_t nonce[12],
                 const mereau_slice *aad, const uint8_t *in, size_t len,
                 const uint8_t tag[16], uint8_t *out) {
    uint8_t rest[BLOCK], wanted[TAG];
    int n, ret = -2;
    mru_ossl_begin();
    EVP_CIPHER_CTX *ctx = gcm_begin(key, key_len, nonce, aad, 0);
    memcpy(wanted, tag, TAG); /* not const there */
    if (ctx && update(ctx, in, len, out) &&
        EVP_CIPHER_CTX_ctrl(ctx, EVP_CTRL_AEAD_SET_TAG, TAG, wanted) == 1)
        /* All that is left is to compare. */
        ret = EVP_CipherFinal_ex(ctx, rest, &n) == 1 ? 0 : -1;
    EVP_CIPHER_CTX_free(ctx);
    if (ret != 0) {
        mru_wipe(out, len);
        mru_ossl_begin();
    }
    return ret;
}

static int cbc(const uint8_t *key, size_t key_len, const uint8_t iv[16],
               const uint8_t *in, size_t len, uint8_t *out, int encrypt) {
    const EVP_CIPHER *cipher = cbc_for(key_len);
    uint8_t rest[BLOCK];
    int n = 0;
    mru_ossl_begin();
    EVP_CIPHER_CTX *ctx =
        cipher && len % BLOCK == 0 ? EVP_CIPHER_CTX_new() : NULL;
    int ok =
        ctx && EVP_CipherInit_ex(ctx, cipher, NULL, key, iv, encrypt) == 1 &&
        EVP_CIPHER_CTX_set_padding(ctx, 0) == 1 && update(ctx, in, len, out) &&
        EVP_CipherFinal_ex(ctx, rest, &n) == 1 && n == 0;
    EVP_CIPHER_CTX_free(ctx);
    if (ok)
        return 0;
    mru_wipe(out, len);
    mru_ossl_begin();
    return -1;
}

int mru_cbc_encrypt(const uint8_t *key, size_t key_len, const uint8_t iv[16],
                    const uint8_t *in, size_t len, uint8_t *out) {
    return cbc(key, key_len, iv, in, len, out, 1);
}

int mru_cbc_decrypt(const uint8_t *key, size_t key_len, const uint8_t iv[16],
                    const uint8_t *in, size_t len, uint8_t *out) {
    return cbc(key, key_len, iv, in, len, out, 0);
}

static EVP_CIPHER_CTX *wrap_begin(const uint8_t *kek, size_t kek_len,
                                  int wrap) {
    const EVP_CIPHER *cipher = wrap_for(kek_len);
    EVP_CIPHER_CTX *ctx = cipher ? EVP_CIPHER_CTX_new() : NULL;
    if (!ctx)
        return NULL;
    EVP_CIPHER_CTX_set_flags(ctx, EVP_CIPHER_CTX_FLAG_WRAP_ALLOW);
    if (EVP_CipherInit_ex(ctx, cipher, NULL, kek, NULL, wrap) == 1)
        return ctx;
    EVP_CIPHER_CTX_free(ctx);
    return NULL;
}

int mru_kw_wrap(const uint8_t *kek, size_t kek_len, const uint8_t *key,
                size_t len, uint8_t *out) {
    int n = 0;
    if (len < MRU_KW_MIN || len > MRU_KW_MAX || len % 8 != 0)
        return -1;
    mru_ossl_begin();
    EVP_CIPHER_CTX *ctx = wrap_begin(kek, kek_len, 1);
    int ok = ctx && EVP_CipherUpdate(ctx, out, &n, key, (int)len) == 1 &&
             (size_t)n == len + 8;
    EVP_CIPHER_CTX_free(ctx);
    if (ok)
        return 0;
    mru_wipe(out, len + 8);
    mru_ossl_begin();
    return -1;
}

int mru_kw_unwrap(const uint8_t *kek, size_t kek_len, const uint8_t *in,
                  size_t len, uint8_t *out) {
    int n = 0, ret = -2;
    if (len < MRU_KW_MIN + 8 || len > MRU_KW_MAX + 8 || len % 8 != 0)
        return -1;
    mru_ossl_begin();
    EVP_CIPHER_CTX *ctx = wrap_begin(kek, kek_len, 0);
    if (ctx) /* AES of a context that is ready cannot fail, only the check */
        ret = EVP_CipherUpdate(ctx, out, &n, in, (int)len) == 1 &&
                      (size_t)n == len - 8
                  ? 0
                  : -1;
    EVP_CIPHER_CTX_free(ctx);
    if (ret != 0) {
        mru_wipe(out, len - 8);
        mru_ossl_begin();
    }
    return ret;
}
