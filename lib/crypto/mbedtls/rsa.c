/* lib/crypto/mbedtls/rsa.c - RSA (RFC 8017): signatures with PKCS#1 v1.5 and
 * PSS, encryption with OAEP.
 *
 * An mbedTLS context writes to itself in every operation (Montgomery constants,
 * blinding values) and holds its mutex all the while. So the key's own context
 * is never used for one: operations borrow a copy from a pool, and make one for
 * themselves when all are lent. Nobody ever waits. */
#include "mbed.h"

#include <stdatomic.h>

enum { POOL = 8 };

struct slot {
    atomic_flag lent;
    int filled; /* read and written by who holds the slot */
    mbedtls_rsa_context ctx;
};

struct mru_rsa {
    mbedtls_rsa_context master; /* read only once made */
    size_t len; /* bytes of the modulus */
    int is_private;
    struct slot *pool;
};

static struct mru_rsa *rsa_new(void) {
    struct mru_rsa *rsa = mru_alloc(sizeof *rsa);
    if (!rsa)
        return NULL;
    mru_rsa_init(&rsa->master);
    rsa->pool = mru_alloc(POOL * sizeof *rsa->pool);
    if (!rsa->pool) {
        mru_rsa_free(rsa);
        return NULL;
    }
    for (size_t i = 0; i < POOL; i++) {
        atomic_flag_clear(&rsa->pool[i].lent);
        mru_rsa_init(&rsa->pool[i].ctx);
    }
    return rsa;
}

void mru_rsa_free(struct mru_rsa *rsa) {
    if (!rsa)
        return;
    for (size_t i = 0; rsa->pool && i < POOL; i++)
        mbedtls_rsa_free(&rsa->pool[i].ctx);
    mru_free_wiped(rsa->pool, POOL * sizeof *rsa->pool);
    mbedtls_rsa_free(&rsa->master);
    mru_free_wiped(rsa, sizeof *rsa);
}

/* --- making --- */

/* The CRT numbers that came with a key must be those that follow from it: 0, -1,
 * or an error of mbedTLS. */
static int check_crt(const mbedtls_rsa_context *ctx,
                     const struct mru_pkey_parts *parts) {
    const mbedtls_mpi *own[3] = {&ctx->DP, &ctx->DQ, &ctx->QP};
    int ret = 0;
    for (int i = 0; i < 3 && ret == 0; i++) {
        const mereau_slice *given = &parts->part[MRU_PART_DP + i];
        mbedtls_mpi mpi;
        if (given->len == 0)
            continue;
        mbedtls_mpi_init(&mpi);
        ret = mbedtls_mpi_read_binary(&mpi, given->data, given->len);
        if (ret == 0 && mbedtls_mpi_cmp_mpi(&mpi, own[i]) != 0)
            ret = -1;
        mbedtls_mpi_free(&mpi);
    }
    return ret;
}

/* Here and not at each operation: a key has one algorithm. */
static int set_padding(mbedtls_rsa_context *ctx, const struct mru_alg *alg) {
    int padding = alg->pss || alg->use == MRU_USE_ENC ? MBEDTLS_RSA_PKCS_V21
                                                      : MBEDTLS_RSA_PKCS_V15;
#if MRU_MBED_3
    return mbedtls_rsa_set_padding(ctx, padding, mru_mbed_md(alg->hash));
#else
    mbedtls_rsa_set_padding(ctx, padding, (int)mru_mbed_md(alg->hash));
    return mbedtls_md_info_from_type(mru_mbed_md(alg->hash)) ? 0 : -1;
#endif
}

/* What every key ends its making with. */
static mereau_status rsa_ready(struct mru_rsa *rsa, const struct mru_alg *alg,
                               mereau_error *err) {
    if (mbedtls_rsa_check_pubkey(&rsa->master) != 0)
        return mru_key_refuse(err, "key.modulus", "RFC 8017 3.1", "an RSA key",
                              "numbers that are none");
    if (set_padding(&rsa->master, alg) != 0)
        return mru_refuse(err, MEREAU_E_ALG, "key.alg", NULL,
                          "a hash of this build", alg->name);
    rsa->len = mbedtls_rsa_get_len(&rsa->master);
    return MEREAU_OK;
}

static int import_parts(mbedtls_rsa_context *ctx,
                        const struct mru_pkey_parts *parts) {
    const mereau_slice *p = parts->part;
    return mbedtls_rsa_import_raw(
        ctx, p[MRU_PART_N].data, p[MRU_PART_N].len,
        p[MRU_PART_P].len ? p[MRU_PART_P].data : NULL, p[MRU_PART_P].len,
        p[MRU_PART_Q].len ? p[MRU_PART_Q].data : NULL, p[MRU_PART_Q].len,
        p[MRU_PART_D].len ? p[MRU_PART_D].data : NULL, p[MRU_PART_D].len,
        p[MRU_PART_E].data, p[MRU_PART_E].len);
}

/* Derives what is missing and proves that the private part is the public's. */
static mereau_status complete_private(struct mru_rsa *rsa,
                                      const struct mru_pkey_parts *parts,
                                      mereau_error *err) {
    int ret = mbedtls_rsa_complete(&rsa->master);
    if (ret == 0)
        ret = mbedtls_rsa_check_privkey(&rsa->master);
    if (ret == 0)
        ret = check_crt(&rsa->master, parts);
    if (mru_mbed_status(ret, MEREAU_OK) == MEREAU_E_NOMEM)
        return mru_refuse(err, MEREAU_E_NOMEM, NULL, NULL, NULL, NULL);
    if (ret != 0)
        return mru_key_refuse(err, "key.pair", "RFC 7518 6.3.2",
                              "private numbers of this public key", "others");
    rsa->is_private = 1;
    return MEREAU_OK;
}

mereau_status mru_rsa_make(struct mru_rsa **out, const struct mru_alg *alg,
                           const struct mru_pkey_parts *parts,
                           mereau_error *err) {
    *out = NULL;
    struct mru_rsa *rsa = rsa_new();
    if (!rsa || import_parts(&rsa->master, parts) != 0) {
        mru_rsa_free(rsa);
        return mru_refuse(err, MEREAU_E_NOMEM, NULL, NULL, NULL, NULL);
    }
    mereau_status status = rsa_ready(rsa, alg, err);
    if (status == MEREAU_OK && parts->part[MRU_PART_D].len > 0)
        status = complete_private(rsa, parts, err);
    if (status != MEREAU_OK)
        mru_rsa_free(rsa);
    else
        *out = rsa;
    return status;
}

mereau_status mru_rsa_generate(struct mru_rsa **out, const struct mru_alg *alg,
                               struct mru_rng_box *box, mereau_error *err) {
    *out = NULL;
    struct mru_rsa *rsa = rsa_new();
    if (!rsa)
        return mru_refuse(err, MEREAU_E_NOMEM, NULL, NULL, NULL, NULL);
    int ret =
        mbedtls_rsa_gen_key(&rsa->master, mru_rng_draw, box, alg->bits, 65537);
    mereau_status status;
    if (box->code != 0)
        status = mru_refuse_host(err, MEREAU_E_RANDOM, box->code, "key.random",
                                 NULL, NULL);
    else if (ret != 0)
        status = mru_refuse(err, mru_mbed_status(ret, MEREAU_E_CRYPTO),
                            "key.generate", NULL, NULL, NULL);
    else
        status = rsa_ready(rsa, alg, err);
    rsa->is_private = 1;
    if (status != MEREAU_OK)
        mru_rsa_free(rsa);
    else
        *out = rsa;
    return status;
}

/* --- reading out --- */

size_t mru_rsa_len(const struct mru_rsa *rsa) { return rsa->len; }

int mru_rsa_part(const struct mru_rsa *rsa, int part, uint8_t *out, size_t cap,
                 size_t *len) {
    const mbedtls_rsa_context *c = &rsa->master;
    const mbedtls_mpi *numbers[] = {&c->N, &c->E,  &c->D,  &c->P,
                                    &c->Q, &c->DP, &c->DQ, &c->QP};
    if (part < MRU_PART_N || part > MRU_PART_QI ||
        (part > MRU_PART_E && !rsa->is_private))
        return -1;
    *len = mbedtls_mpi_size(numbers[part]);
    if (*len == 0 || *len > cap)
        return -1;
    return mbedtls_mpi_write_binary(numbers[part], out, *len) == 0 ? 0 : -1;
}

/* --- operations --- */

/* A context of our own for one operation, or NULL without memory. */
static mbedtls_rsa_context *borrow(const struct mru_rsa *rsa,
                                   struct slot **slot,
                                   mbedtls_rsa_context *spare) {
    mbedtls_rsa_context *ctx = spare;
    int fill = 1;
    *slot = NULL;
    for (size_t i = 0; i < POOL; i++) {
        struct slot *s = &rsa->pool[i];
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

static void give_back(struct slot *slot, mbedtls_rsa_context *ctx) {
    if (slot)
        atomic_flag_clear_explicit(&slot->lent, memory_order_release);
    else
        mbedtls_rsa_free(ctx);
}

mereau_status mru_rsa_sign(const struct mru_rsa *rsa, const struct mru_alg *alg,
                           const uint8_t *digest, struct mru_rng_box *box,
                           uint8_t *sig) {
    struct slot *slot;
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
    struct slot *slot;
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
    struct slot *slot;
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
    struct slot *slot;
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
