/* lib/crypto/mbedtls/rsa.c - what RSA keys do (RFC 8017): signatures with PKCS#1
 * v1.5 and PSS, encryption with OAEP. */
#include "rsa.h"

/* A context of our own for one operation, or NULL without memory. */
static mbedtls_rsa_context *borrow(const struct mru_rsa *rsa,
                                   struct mru_rsa_slot **slot,
                                   mbedtls_rsa_context *spare) {
    mbedtls_rsa_context *ctx = spare;
    int fill = 1;
    *slot = NULL;
    for (size_t i = 0; i < MRU_RSA_POOL; i++) {
        struct mru_rsa_slot *s = &rsa->pool[i];
        if (!atomic_flag_test_and_set_explicit(&s->lent,
                                               memory_order_acquire)) {
            *slot = s;
            ctx = &s->ctx;
            fill = !s->filled;
            break;
        }
    }
    if (!*slot)
        mru_rsa_init(spare);
    if (fill && mbedtls_rsa_copy(ctx, &rsa->master) != 0) {
        mbedtls_rsa_free(ctx);
        mru_rsa_init(ctx);
        ctx = NULL;
    }
    if (*slot)
        (*slot)->filled = ctx != NULL;
    if (!ctx && *slot) {
        atomic_flag_clear_explicit(&(*slot)->lent, memory_order_release);
        *slot = NULL;
    }
    return ctx;
}

static void give_back(struct mru_rsa_slot *slot, mbedtls_rsa_context *ctx) {
    if (slot)
        atomic_flag_clear_explicit(&slot->lent, memory_order_release);
    else
        mbedtls_rsa_free(ctx);
}

mereau_status mru_rsa_sign(const struct mru_rsa *rsa, const struct mru_alg *alg,
                           const uint8_t *digest, struct mru_rng_box *box,
                           uint8_t *sig) {
    struct mru_rsa_slot *slot;
    mbedtls_rsa_context spare, *ctx = borrow(rsa, &slot, &spare);
    mbedtls_md_type_t md = mru_mbed_md(alg->hash);
    if (!ctx)
        return MEREAU_E_NOMEM;
    int ret;
    if (alg->pss)
        ret = mbedtls_rsa_rsassa_pss_sign_ext(ctx, mru_rng_draw, box, md,
                                              (unsigned)alg->hash, digest,
                                              alg->hash, sig);
    else
        ret = mru_rsa_v15_sign(ctx, mru_rng_draw, box, md, (unsigned)alg->hash,
                               digest, sig);
    give_back(slot, ctx);
    if (box->code != 0)
        return MEREAU_E_RANDOM;
    return ret == 0 ? MEREAU_OK : mru_mbed_status(ret, MEREAU_E_CRYPTO);
}

mereau_status mru_rsa_verify(const struct mru_rsa *rsa,
                             const struct mru_alg *alg, const uint8_t *digest,
                             const uint8_t *sig) {
    struct mru_rsa_slot *slot;
    mbedtls_rsa_context spare, *ctx = borrow(rsa, &slot, &spare);
    mbedtls_md_type_t md = mru_mbed_md(alg->hash);
    if (!ctx)
        return MEREAU_E_NOMEM;
    int ret;
    if (alg->pss)
        ret = mru_rsa_pss_verify(ctx, md, (unsigned)alg->hash, digest,
                                 alg->hash, sig);
    else
        ret = mru_rsa_v15_verify(ctx, md, (unsigned)alg->hash, digest, sig);
    give_back(slot, ctx);
    return ret == 0 ? MEREAU_OK : mru_mbed_status(ret, MEREAU_E_SIGNATURE);
}

mereau_status mru_rsa_encrypt(const struct mru_rsa *rsa,
                              const struct mru_alg *alg, const uint8_t *in,
                              size_t len, struct mru_rng_box *box,
                              uint8_t *out) {
    struct mru_rsa_slot *slot;
    mbedtls_rsa_context spare, *ctx = borrow(rsa, &slot, &spare);
    (void)alg; /* the context knows its hash */
    if (!ctx)
        return MEREAU_E_NOMEM;
    int ret = mru_rsa_oaep_encrypt(ctx, mru_rng_draw, box, len, in, out);
    give_back(slot, ctx);
    return ret == 0 ? MEREAU_OK : mru_mbed_status(ret, MEREAU_E_CRYPTO);
}

mereau_status mru_rsa_decrypt(const struct mru_rsa *rsa,
                              const struct mru_alg *alg, const uint8_t *in,
                              struct mru_rng_box *box, uint8_t *out,
                              size_t *len) {
    struct mru_rsa_slot *slot;
    mbedtls_rsa_context spare, *ctx = borrow(rsa, &slot, &spare);
    (void)alg;
    *len = 0;
    if (!ctx)
        return MEREAU_E_NOMEM;
    int ret =
        mru_rsa_oaep_decrypt(ctx, mru_rng_draw, box, len, in, out, rsa->len);
    give_back(slot, ctx);
    if (ret == 0)
        return MEREAU_OK;
    *len = 0;
    /* A number of the modulus or more is as wrong as a wrong padding. */
    if (ret == MBEDTLS_ERR_RSA_INVALID_PADDING ||
        ret == MBEDTLS_ERR_RSA_PRIVATE_FAILED + MBEDTLS_ERR_MPI_BAD_INPUT_DATA)
        return MEREAU_E_SIGNATURE;
    return mru_mbed_status(ret, MEREAU_E_CRYPTO);
}
