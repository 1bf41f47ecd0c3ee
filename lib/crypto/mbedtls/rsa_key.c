/* lib/crypto/mbedtls/rsa_key.c - RSA keys: made of numbers, proved, completed,
 * generated, read out. What they do is in rsa.c. */
#include "rsa.h"

static struct mru_rsa *rsa_new(void) {
    struct mru_rsa *rsa = mru_alloc(sizeof *rsa);
    if (!rsa)
        return NULL;
    mru_rsa_init(&rsa->master);
    rsa->pool = mru_alloc(MRU_RSA_POOL * sizeof *rsa->pool);
    if (!rsa->pool) {
        mru_rsa_free(rsa);
        return NULL;
    }
    for (size_t i = 0; i < MRU_RSA_POOL; i++) {
        atomic_flag_clear(&rsa->pool[i].lent);
        mru_rsa_init(&rsa->pool[i].ctx);
    }
    return rsa;
}

void mru_rsa_free(struct mru_rsa *rsa) {
    if (!rsa)
        return;
    for (size_t i = 0; rsa->pool && i < MRU_RSA_POOL; i++)
        mbedtls_rsa_free(&rsa->pool[i].ctx);
    mru_free_wiped(rsa->pool, MRU_RSA_POOL * sizeof *rsa->pool);
    mbedtls_rsa_free(&rsa->master);
    mru_free_wiped(rsa, sizeof *rsa);
}

/* --- making --- */

/* n = p q, and e d = 1 modulo p - 1 and q - 1: 0, -1, or an error of mbedTLS. (It
 * has a check of its own, which answers a lack of memory as a wrong key.) */
static int check_pair(const mbedtls_rsa_context *ctx) {
    const mbedtls_mpi *primes[2] = {&ctx->P, &ctx->Q};
    mbedtls_mpi product, order;
    mbedtls_mpi_init(&product);
    mbedtls_mpi_init(&order);
    int ret = mbedtls_mpi_mul_mpi(&product, &ctx->P, &ctx->Q);
    if (ret == 0 && (mbedtls_mpi_cmp_mpi(&product, &ctx->N) != 0 ||
                     mbedtls_mpi_cmp_mpi(&ctx->D, &ctx->N) >= 0))
        ret = -1;
    for (int i = 0; i < 2 && ret == 0; i++) {
        ret = mbedtls_mpi_sub_int(&order, primes[i], 1);
        if (ret == 0)
            ret = mbedtls_mpi_mul_mpi(&product, &ctx->D, &ctx->E);
        if (ret == 0)
            ret = mbedtls_mpi_mod_mpi(&product, &product, &order);
        if (ret == 0 && mbedtls_mpi_cmp_int(&product, 1) != 0)
            ret = -1;
    }
    mbedtls_mpi_free(&product);
    mbedtls_mpi_free(&order);
    return ret;
}

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
        ret = check_pair(&rsa->master);
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
