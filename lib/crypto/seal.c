/* lib/crypto/seal.c - AES-256-GCM (NIST SP 800-38D) for what is kept at rest. */
#include "mbed.h"

enum { TAG = 16, NONCE = 12 };

int mru_seal(const uint8_t key[32], const uint8_t nonce[12],
             const mereau_slice *aad, const uint8_t *in, size_t len,
             uint8_t *out) {
    mbedtls_gcm_context gcm;
    const uint8_t none[1] = {0};
    if (len > SIZE_MAX - TAG)
        return -1;
    mbedtls_gcm_init(&gcm);
    int ret = mbedtls_gcm_setkey(&gcm, MBEDTLS_CIPHER_ID_AES, key, 256);
    if (ret == 0)
        ret = mbedtls_gcm_crypt_and_tag(
            &gcm, MBEDTLS_GCM_ENCRYPT, len, nonce, NONCE,
            aad && aad->len > 0 ? aad->data : none, aad ? aad->len : 0,
            len > 0 ? in : none, out, TAG, out + len);
    mbedtls_gcm_free(&gcm);
    if (ret != 0)
        mru_wipe(out, len + TAG);
    return ret == 0 ? 0 : -1;
}

int mru_open(const uint8_t key[32], const uint8_t nonce[12],
             const mereau_slice *aad, const uint8_t *in, size_t len,
             uint8_t *out) {
    mbedtls_gcm_context gcm;
    const uint8_t none[1] = {0};
    uint8_t spare[1];
    if (len < TAG)
        return -1;
    size_t plain = len - TAG;
    mbedtls_gcm_init(&gcm);
    int ret = mbedtls_gcm_setkey(&gcm, MBEDTLS_CIPHER_ID_AES, key, 256);
    if (ret == 0)
        ret = mbedtls_gcm_auth_decrypt(
            &gcm, plain, nonce, NONCE, aad && aad->len > 0 ? aad->data : none,
            aad ? aad->len : 0, in + plain, TAG, in, plain > 0 ? out : spare);
    mbedtls_gcm_free(&gcm);
    if (ret != 0 && plain > 0)
        mru_wipe(out, plain);
    if (ret == MBEDTLS_ERR_GCM_AUTH_FAILED)
        return -1;
    return ret == 0 ? 0 : -2;
}
