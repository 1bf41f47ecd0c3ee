/* lib/crypto/openssl/rsa.c - RSA: signatures with PKCS#1 v1.5 and PSS, encryption
 * with OAEP (RFC 8017). The numbers are proved in rsa_key.c. */
#include "ossl.h"

#include <openssl/param_build.h>
#include <openssl/rsa.h>

struct mru_rsa {
    struct mru_rsa_numbers numbers;
    size_t len; /* bytes of the modulus */
    EVP_PKEY *pkey;
    struct mru_pool public_ops; /* verify, or encrypt */
    struct mru_pool private_ops; /* sign, or decrypt */
};

/* --- making --- */

static int set_signature(EVP_PKEY_CTX *ctx, const struct mru_alg *alg) {
    const EVP_MD *md = mru_ossl_md(alg->hash);
    if (EVP_PKEY_CTX_set_signature_md(ctx, md) != 1)
        return 0;
    if (!alg->pss)
        return EVP_PKEY_CTX_set_rsa_padding(ctx, RSA_PKCS1_PADDING);
    return EVP_PKEY_CTX_set_rsa_padding(ctx, RSA_PKCS1_PSS_PADDING) == 1 &&
           EVP_PKEY_CTX_set_rsa_mgf1_md(ctx, md) == 1 &&
           EVP_PKEY_CTX_set_rsa_pss_saltlen(ctx, RSA_PSS_SALTLEN_DIGEST) == 1;
}

static int set_oaep(EVP_PKEY_CTX *ctx, const struct mru_alg *alg) {
    const EVP_MD *md = mru_ossl_md(alg->hash);
    return EVP_PKEY_CTX_set_rsa_padding(ctx, RSA_PKCS1_OAEP_PADDING) == 1 &&
           EVP_PKEY_CTX_set_rsa_oaep_md(ctx, md) == 1 &&
           EVP_PKEY_CTX_set_rsa_mgf1_md(ctx, md) == 1;
}

static int prepare_public(EVP_PKEY_CTX *ctx, const void *arg) {
    const struct mru_alg *alg = arg;
    if (alg->use == MRU_USE_ENC)
        return EVP_PKEY_encrypt_init(ctx) == 1 && set_oaep(ctx, alg);
    return EVP_PKEY_verify_init(ctx) == 1 && set_signature(ctx, alg);
}

static int prepare_private(EVP_PKEY_CTX *ctx, const void *arg) {
    const struct mru_alg *alg = arg;
    if (alg->use == MRU_USE_ENC)
        return EVP_PKEY_decrypt_init(ctx) == 1 && set_oaep(ctx, alg);
    return EVP_PKEY_sign_init(ctx) == 1 && set_signature(ctx, alg);
}

/* OpenSSL's key of the numbers, which stay ours. */
static int make_pkey(struct mru_rsa *rsa) {
    static const char *const names[] = {
        OSSL_PKEY_PARAM_RSA_N,         OSSL_PKEY_PARAM_RSA_E,
        OSSL_PKEY_PARAM_RSA_D,         OSSL_PKEY_PARAM_RSA_FACTOR1,
        OSSL_PKEY_PARAM_RSA_FACTOR2,   OSSL_PKEY_PARAM_RSA_EXPONENT1,
        OSSL_PKEY_PARAM_RSA_EXPONENT2, OSSL_PKEY_PARAM_RSA_COEFFICIENT1};
    BIGNUM **part = rsa->numbers.part;
    OSSL_PARAM *params = NULL;
    OSSL_PARAM_BLD *build = OSSL_PARAM_BLD_new();
    int ret = build ? 0 : -1;
    for (int i = MRU_PART_N; ret == 0 && i <= MRU_PART_QI; i++)
        if (part[i] && OSSL_PARAM_BLD_push_BN(build, names[i], part[i]) != 1)
            ret = -1;
    if (ret == 0 && !(params = OSSL_PARAM_BLD_to_param(build)))
        ret = -1;
    if (ret == 0)
        ret = mru_ossl_key(
            &rsa->pkey, "RSA",
            part[MRU_PART_D] ? EVP_PKEY_KEYPAIR : EVP_PKEY_PUBLIC_KEY, params);
    OSSL_PARAM_free(params);
    OSSL_PARAM_BLD_free(build);
    return ret;
}

static mereau_status rsa_ready(struct mru_rsa *rsa, const struct mru_alg *alg,
                               mereau_error *err) {
    rsa->len = (size_t)BN_num_bytes(rsa->numbers.part[MRU_PART_N]);
    if (make_pkey(rsa) != 0 ||
        mru_pool_for_key(&rsa->public_ops, rsa->pkey, prepare_public, alg) !=
            0 ||
        (rsa->numbers.part[MRU_PART_D] &&
         mru_pool_for_key(&rsa->private_ops, rsa->pkey, prepare_private, alg) !=
             0))
        return mru_ossl_refuse(err, "key.provider");
    return MEREAU_OK;
}

/* The end of both ways to a key. */
static mereau_status rsa_done(struct mru_rsa **out, struct mru_rsa *rsa,
                              const struct mru_alg *alg, mereau_status status,
                              mereau_error *err) {
    if (status == MEREAU_OK)
        status = rsa_ready(rsa, alg, err);
    if (status != MEREAU_OK)
        mru_rsa_free(rsa);
    else
        *out = rsa;
    mru_ossl_begin();
    return status;
}

mereau_status mru_rsa_make(struct mru_rsa **out, const struct mru_alg *alg,
                           const struct mru_pkey_parts *parts,
                           mereau_error *err) {
    struct mru_rsa *rsa = mru_alloc(sizeof *rsa);
    *out = NULL;
    if (!rsa)
        return mru_refuse(err, MEREAU_E_NOMEM, NULL, NULL, NULL, NULL);
    mru_ossl_begin();
    mereau_status status = mru_rsa_numbers_read(&rsa->numbers, parts, err);
    return rsa_done(out, rsa, alg, status, err);
}

mereau_status mru_rsa_generate(struct mru_rsa **out, const struct mru_alg *alg,
                               struct mru_rng_box *box, mereau_error *err) {
    struct mru_rsa *rsa = mru_alloc(sizeof *rsa);
    *out = NULL;
    if (!rsa)
        return mru_refuse(err, MEREAU_E_NOMEM, NULL, NULL, NULL, NULL);
    mru_ossl_begin();
    mereau_status status =
        mru_rsa_numbers_generate(&rsa->numbers, alg->bits, box, err);
    return rsa_done(out, rsa, alg, status, err);
}

void mru_rsa_free(struct mru_rsa *rsa) {
    if (!rsa)
        return;
    mru_pool_free(&rsa->private_ops);
    mru_pool_free(&rsa->public_ops);
    EVP_PKEY_free(rsa->pkey);
    mru_rsa_numbers_free(&rsa->numbers);
    mru_free_wiped(rsa, sizeof *rsa);
}

size_t mru_rsa_len(const struct mru_rsa *rsa) { return rsa->len; }

int mru_rsa_part(const struct mru_rsa *rsa, int part, uint8_t *out, size_t cap,
                 size_t *len) {
    *len = 0;
    if (part < MRU_PART_N || part > MRU_PART_QI || !rsa->numbers.part[part])
        return -1;
    size_t bytes = (size_t)BN_num_bytes(rsa->numbers.part[part]);
    if (bytes == 0 || bytes > cap)
        return -1;
    *len = bytes;
    return BN_bn2binpad(rsa->numbers.part[part], out, (int)bytes) < 0 ? -1 : 0;
}

/* --- operations --- */

/* What follows from an operation: `refused` when RSA itself refused the input. */
static mereau_status finish(const struct mru_pool *pool, struct mru_loan loan,
                            int done, mereau_status refused) {
    mereau_status status = MEREAU_OK;
    if (done != 1)
        status = mru_ossl_failed(ERR_LIB_RSA, 0, refused);
    mru_pool_return(pool, loan,
                    status == MEREAU_OK || status == MEREAU_E_SIGNATURE);
    return status;
}

mereau_status mru_rsa_sign(const struct mru_rsa *rsa, const struct mru_alg *alg,
                           const uint8_t *digest, struct mru_rng_box *box,
                           uint8_t *sig) {
    size_t len = rsa->len;
    (void)box; /* OpenSSL blinds and salts from its own generator */
    mru_ossl_begin();
    struct mru_loan loan = mru_pool_borrow(&rsa->private_ops);
    if (!loan.context)
        return mru_ossl_trouble();
    int done =
        EVP_PKEY_sign(loan.context, sig, &len, digest, (size_t)alg->hash);
    return finish(&rsa->private_ops, loan, done == 1 && len == rsa->len,
                  MEREAU_E_CRYPTO);
}

mereau_status mru_rsa_verify(const struct mru_rsa *rsa,
                             const struct mru_alg *alg, const uint8_t *digest,
                             const uint8_t *sig) {
    mru_ossl_begin();
    struct mru_loan loan = mru_pool_borrow(&rsa->public_ops);
    if (!loan.context)
        return mru_ossl_trouble();
    int is =
        EVP_PKEY_verify(loan.context, sig, rsa->len, digest, (size_t)alg->hash);
    mereau_status status = MEREAU_OK;
    /* RSA gives a reason for every no but one: sound PKCS#1 v1.5 padding around
     * nothing, of which only the notes of who passed it on are there. */
    if (is == 0)
        status = mru_ossl_no(ERR_LIB_RSA, !alg->pss && ERR_peek_error() != 0);
    else if (is != 1)
        status = mru_ossl_trouble();
    mru_pool_return(&rsa->public_ops, loan,
                    status == MEREAU_OK || status == MEREAU_E_SIGNATURE);
    return status;
}

mereau_status mru_rsa_encrypt(const struct mru_rsa *rsa,
                              const struct mru_alg *alg, const uint8_t *in,
                              size_t len, struct mru_rng_box *box,
                              uint8_t *out) {
    size_t out_len = rsa->len;
    (void)alg;
    (void)box; /* OpenSSL draws the seed from its own generator */
    mru_ossl_begin();
    struct mru_loan loan = mru_pool_borrow(&rsa->public_ops);
    if (!loan.context)
        return mru_ossl_trouble();
    int done = EVP_PKEY_encrypt(loan.context, out, &out_len, in, len);
    return finish(&rsa->public_ops, loan, done == 1 && out_len == rsa->len,
                  MEREAU_E_CRYPTO);
}

mereau_status mru_rsa_decrypt(const struct mru_rsa *rsa,
                              const struct mru_alg *alg, const uint8_t *in,
                              struct mru_rng_box *box, uint8_t *out,
                              size_t *len) {
    size_t out_len = rsa->len;
    (void)alg;
    (void)box;
    *len = 0;
    mru_ossl_begin();
    struct mru_loan loan = mru_pool_borrow(&rsa->private_ops);
    if (!loan.context)
        return mru_ossl_trouble();
    int done = EVP_PKEY_decrypt(loan.context, out, &out_len, in, rsa->len);
    mereau_status status =
        finish(&rsa->private_ops, loan, done, MEREAU_E_SIGNATURE);
    if (status == MEREAU_OK)
        *len = out_len;
    return status;
}
