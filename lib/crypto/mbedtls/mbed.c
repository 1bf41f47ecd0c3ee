/* lib/crypto/mbedtls/mbed.c - the small things that all of this provider shares. */
#include "mbed.h"

uint32_t mru_crypto_has(void) {
    return MRU_HAS_DETERMINISTIC_ECDSA | MRU_HAS_SEEDED_RSA;
}

const char *mru_crypto_name(void) { return "mbedTLS " MBEDTLS_VERSION_STRING; }

mbedtls_md_type_t mru_mbed_md(int hash) {
    switch (hash) {
    case MRU_SHA1:
        return MBEDTLS_MD_SHA1;
    case MRU_SHA256:
        return MBEDTLS_MD_SHA256;
    case MRU_SHA384:
        return MBEDTLS_MD_SHA384;
    default:
        return MBEDTLS_MD_SHA512;
    }
}

mereau_status mru_mbed_status(int ret, mereau_status other) {
    /* An error is a high part (multiples of 0x80), a low part, or their sum. */
    int low = -ret & 0x7f, high = -ret & ~0x7f;
    if (low == -MBEDTLS_ERR_MPI_ALLOC_FAILED ||
        high == -MBEDTLS_ERR_ECP_ALLOC_FAILED ||
        high == -MBEDTLS_ERR_MD_ALLOC_FAILED)
        return MEREAU_E_NOMEM;
    return other;
}

int mru_self_rng_seed(struct mru_self_rng *self, const uint8_t *secret,
                      size_t len) {
    static const uint8_t label[] = "libmereau blinding";
    mereau_slice part = {secret, len};
    self->counter = 0;
    return mru_hmac(MRU_SHA256, label, sizeof label - 1, &part, 1, self->key);
}

int mru_self_rng_draw(void *arg, unsigned char *out, size_t len) {
    struct mru_self_rng *self = arg;
    uint8_t count[8], block[MRU_SHA256];
    mereau_slice part = {count, sizeof count};
    int ret = 0;
    while (ret == 0 && len > 0) {
        size_t step = len < sizeof block ? len : sizeof block;
        mru_put_u64(count, self->counter++);
        ret =
            mru_hmac(MRU_SHA256, self->key, sizeof self->key, &part, 1, block);
        memcpy(out, block, step);
        out += step;
        len -= step;
    }
    mru_wipe(block, sizeof block);
    return ret;
}
