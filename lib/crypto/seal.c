/* lib/crypto/seal.c - AES-256-GCM as one text, for what is kept at rest. */
#include "crypto.h"

enum { TAG = 16, KEY = 32 };

int mru_seal(const uint8_t key[KEY], const uint8_t nonce[12],
             const mereau_slice *aad, const uint8_t *in, size_t len,
             uint8_t *out) {
    if (len > SIZE_MAX - TAG)
        return -1;
    return mru_gcm_seal(key, KEY, nonce, aad, in, len, out, out + len);
}

int mru_open(const uint8_t key[KEY], const uint8_t nonce[12],
             const mereau_slice *aad, const uint8_t *in, size_t len,
             uint8_t *out) {
    if (len < TAG)
        return -1;
    return mru_gcm_open(key, KEY, nonce, aad, in, len - TAG, in + len - TAG,
                        out);
}
