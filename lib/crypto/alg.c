/* lib/crypto/alg.c - the signature algorithms (RFC 7518 section 3.1, RFC 8812,
 * RFC 8037), and the small things that all of the room shares. */
#include "pkey.h"

#include "mbed.h"

static const struct mru_alg algs[] = {
    {MEREAU_ALG_HS256, "HS256", MRU_KTY_OCT, MRU_SHA256, 0, NULL, 0, 0},
    {MEREAU_ALG_HS384, "HS384", MRU_KTY_OCT, MRU_SHA384, 0, NULL, 0, 0},
    {MEREAU_ALG_HS512, "HS512", MRU_KTY_OCT, MRU_SHA512, 0, NULL, 0, 0},
    {MEREAU_ALG_RS256, "RS256", MRU_KTY_RSA, MRU_SHA256, 0, NULL, 0, 2048},
    {MEREAU_ALG_RS384, "RS384", MRU_KTY_RSA, MRU_SHA384, 0, NULL, 0, 3072},
    {MEREAU_ALG_RS512, "RS512", MRU_KTY_RSA, MRU_SHA512, 0, NULL, 0, 4096},
    {MEREAU_ALG_PS256, "PS256", MRU_KTY_RSA, MRU_SHA256, 1, NULL, 0, 2048},
    {MEREAU_ALG_PS384, "PS384", MRU_KTY_RSA, MRU_SHA384, 1, NULL, 0, 3072},
    {MEREAU_ALG_PS512, "PS512", MRU_KTY_RSA, MRU_SHA512, 1, NULL, 0, 4096},
    {MEREAU_ALG_ES256, "ES256", MRU_KTY_EC, MRU_SHA256, 0, "P-256", 32, 0},
    {MEREAU_ALG_ES384, "ES384", MRU_KTY_EC, MRU_SHA384, 0, "P-384", 48, 0},
    {MEREAU_ALG_ES512, "ES512", MRU_KTY_EC, MRU_SHA512, 0, "P-521", 66, 0},
    {MEREAU_ALG_ES256K, "ES256K", MRU_KTY_EC, MRU_SHA256, 0, "secp256k1", 32,
     0},
    {MEREAU_ALG_EDDSA, "EdDSA", MRU_KTY_OKP, 0, 0, "Ed25519", 0, 0},
};

const struct mru_alg *mru_alg_info(int32_t alg) {
    for (size_t i = 0; i < sizeof algs / sizeof algs[0]; i++)
        if (algs[i].id == alg)
            return &algs[i];
    return NULL;
}

mbedtls_md_type_t mru_mbed_md(int hash) {
    if (hash == MRU_SHA256)
        return MBEDTLS_MD_SHA256;
    return hash == MRU_SHA384 ? MBEDTLS_MD_SHA384 : MBEDTLS_MD_SHA512;
}

mereau_status mru_mbed_status(int ret, mereau_status other) {
    /* An error is a high part (multiples of 0x80), a low part, or their sum. */
    int low = -ret & 0x7f, high = -ret & ~0x7f;
    if (low == -MBEDTLS_ERR_MPI_ALLOC_FAILED ||
        low == -MBEDTLS_ERR_ASN1_ALLOC_FAILED ||
        high == -MBEDTLS_ERR_ECP_ALLOC_FAILED ||
        high == -MBEDTLS_ERR_MD_ALLOC_FAILED ||
        high == -MBEDTLS_ERR_PK_ALLOC_FAILED ||
        high == -MBEDTLS_ERR_PEM_ALLOC_FAILED)
        return MEREAU_E_NOMEM;
    return other;
}

int mru_rng_draw(void *box, unsigned char *out, size_t len) {
    struct mru_rng_box *b = box;
    int code = b->rng(b->arg, out, len);
    if (code == 0)
        return 0;
    if (b->code == 0)
        b->code = code;
    return MBEDTLS_ERR_ECP_RANDOM_FAILED;
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
