/* lib/crypto/mbedtls/gcm.c - AES-GCM (NIST SP 800-38D). */
#include "mbed.h"

enum { TAG = 16, NONCE = 12 };

/* The provider refuses NULL even for nothing. */
static const uint8_t none[1] = {0};

static const uint8_t *some(const mereau_slice *aad) {
    return aad && aad->len > 0 ? aad->data : none;
}

int mru_gcm_seal(const uint8_t *key, size_t key_len, const uint8_t nonce[NONCE],
                 const mereau_slice *aad, const uint8_t *in, size_t len,
                 uint8_t *out, uint8_t tag[TAG]) {
    mbedtls_gcm_context gcm;
    uint8_t spare[1];
    mbedtls_gcm_init(&gcm);
    int ret = mbedtls_gcm_setkey(&gcm, MBEDTLS_CIPHER_ID_AES, key,
                                 (unsigned)key_len * 8);
    if (ret == 0)
        ret = mbedtls_gcm_crypt_and_tag(&gcm, MBEDTLS_GCM_ENCRYPT, len, nonce,
                                        NONCE, some(aad), aad ? aad->len : 0,
                                        len > 0 ? in : none,
                                        len > 0 ? out : spare, TAG, tag);
    mbedtls_gcm_free(&gcm);
    if (ret != 0) {
        mru_wipe(out, len);
        mru_wipe(tag, TAG);
    }
    return ret == 0 ? 0 : -1;
}

int mru_gcm_open(const uint8_t *key, size_t key_len, const uint8_t nonce[NONCE],
                 const mereau_slice *aad, const uint8_t *in, size_t len,
                 const uint8_t tag[TAG], uint8_t *out) {
    mbedtls_gcm_context gcm;
    uint8_t spare[1];
    mbedtls_gcm_init(&gcm);
    int ret = mbedtls_gcm_setkey(&gcm, MBEDTLS_CIPHER_ID_AES, key,
                                 (unsigned)key_len * 8);
    if (ret == 0)
        ret = mbedtls_gcm_auth_decrypt(
            &gcm, len, nonce, NONCE, some(aad), aad ? aad->len : 0, tag, TAG,
            len > 0 ? in : none, len > 0 ? out : spare);
    mbedtls_gcm_free(&gcm);
    if (ret != 0)
        mru_wipe(out, len);
    if (ret == MBEDTLS_ERR_GCM_AUTH_FAILED)
        return -1;
    return ret == 0 ? 0 : -2;
}
