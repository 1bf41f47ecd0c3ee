/* lib/crypto/openssl/ecdsa.c - signing and verifying with elliptic curves: ECDSA
 * (FIPS 186-5 section 6). A JWS holds r and s side by side, each as long as a
 * coordinate (RFC 7518 section 3.4); OpenSSL takes and gives them in DER. */
#include "ec.h"

#include <openssl/ec.h>

enum { MAX_INTEGER = 2 + 1 + MRU_COORD_MAX, MAX_DER = 3 + 2 * MAX_INTEGER };

/* An INTEGER of coord bytes in its shortest form; returns its length. */
static size_t encode_integer(uint8_t *out, const uint8_t *number,
                             size_t coord) {
    while (coord > 1 && number[0] == 0) {
        number++;
        coord--;
    }
    size_t sign = number[0] >> 7; /* a zero in front, or it would be negative */
    out[0] = 0x02;
    out[1] = (uint8_t)(coord + sign);
    out[2] = 0;
    memcpy(out + 2 + sign, number, coord);
    return 2 + sign + coord;
}

static size_t encode(uint8_t *out, const uint8_t *sig, size_t coord) {
    uint8_t body[2 * MAX_INTEGER];
    size_t len = encode_integer(body, sig, coord), head = 0;
    len += encode_integer(body + len, sig + coord, coord);
    out[head++] = 0x30;
    if (len > 127)
        out[head++] = 0x81;
    out[head++] = (uint8_t)len;
    memcpy(out + head, body, len);
    return head + len;
}

/* Reads an INTEGER that fits a coordinate: 0 and *at behind it, or -1. */
static int decode_integer(const uint8_t **at, const uint8_t *end, uint8_t *out,
                          size_t coord) {
    const uint8_t *p = *at;
    if (end - p < 3 || p[0] != 0x02)
        return -1;
    size_t len = p[1];
    p += 2;
    if (len == 0 || len > (size_t)(end - p))
        return -1;
    *at = p + len;
    while (len > 0 && *p == 0) {
        p++;
        len--;
    }
    if (len > coord)
        return -1;
    memset(out, 0, coord - len);
    memcpy(out + coord - len, p, len);
    return 0;
}

/* What OpenSSL made, so only its form is read. */
static int decode(const uint8_t *der, size_t len, uint8_t *sig, size_t coord) {
    const uint8_t *end = der + len;
    if (len < 2 || der[0] != 0x30)
        return -1;
    der += der[1] == 0x81 ? 3 : 2;
    return decode_integer(&der, end, sig, coord) == 0 &&
                   decode_integer(&der, end, sig + coord, coord) == 0 &&
                   der == end
               ? 0
               : -1;
}

/* --- contexts --- */

/* Each curve has one algorithm, so one hash. */
static int hash_of(const struct mru_curve *curve) {
    return curve->coord == 32   ? MRU_SHA256
           : curve->coord == 48 ? MRU_SHA384
                                : MRU_SHA512;
}

static int prepare_verify(EVP_PKEY_CTX *ctx, const void *arg) {
    (void)arg;
    return EVP_PKEY_verify_init(ctx);
}

/* RFC 6979 where this OpenSSL has it (3.2 and up); else a random nonce. */
static int prepare_sign(EVP_PKEY_CTX *ctx, const void *curve) {
    unsigned deterministic = 1;
    OSSL_PARAM params[2] = {
        OSSL_PARAM_construct_uint("nonce-type", &deterministic),
        OSSL_PARAM_construct_end()};
    if (EVP_PKEY_sign_init(ctx) != 1 ||
        EVP_PKEY_CTX_set_signature_md(ctx, mru_ossl_md(hash_of(curve))) != 1)
        return 0;
    if (!(mru_crypto_has() & MRU_HAS_DETERMINISTIC_ECDSA))
        return 1;
    return EVP_PKEY_CTX_set_params(ctx, params);
}

int mru_ecdsa_prepare(struct mru_ec *ec, int is_private) {
    if (mru_pool_for_key(&ec->verify, ec->pkey, prepare_verify, NULL) != 0)
        return -1;
    return is_private
               ? mru_pool_for_key(&ec->sign, ec->pkey, prepare_sign, ec->curve)
               : 0;
}

/* --- operations --- */

mereau_status mru_ec_sign(const struct mru_ec *ec, const struct mru_alg *alg,
                          const uint8_t *digest, struct mru_rng_box *box,
                          uint8_t *sig) {
    uint8_t der[MAX_DER];
    size_t len = sizeof der;
    mereau_status status = MEREAU_OK;
    (void)box; /* OpenSSL draws and blinds from its own generator */
    mru_ossl_begin();
    struct mru_loan loan = mru_pool_borrow(&ec->sign);
    if (!loan.context ||
        EVP_PKEY_sign(loan.context, der, &len, digest, (size_t)alg->hash) !=
            1 ||
        decode(der, len, sig, ec->curve->coord) != 0)
        status = mru_ossl_trouble();
    if (loan.context)
        mru_pool_return(&ec->sign, loan, status == MEREAU_OK);
    return status;
}

mereau_status mru_ec_verify(const struct mru_ec *ec, const struct mru_alg *alg,
                            const uint8_t *digest, const uint8_t *sig) {
    uint8_t der[MAX_DER];
    size_t len = encode(der, sig, ec->curve->coord);
    mereau_status status = MEREAU_OK;
    mru_ossl_begin();
    struct mru_loan loan = mru_pool_borrow(&ec->verify);
    if (!loan.context)
        return mru_ossl_trouble();
    int is = EVP_PKEY_verify(loan.context, der, len, digest, (size_t)alg->hash);
    /* Below 0 is trouble, and a signature that leads to no point. */
    if (is == 0)
        status = mru_ossl_no(ERR_LIB_EC, 1);
    else if (is != 1)
        status = mru_ossl_failed(ERR_LIB_EC, EC_R_POINT_AT_INFINITY,
                                 MEREAU_E_SIGNATURE);
    mru_pool_return(&ec->verify, loan,
                    status == MEREAU_OK || status == MEREAU_E_SIGNATURE);
    return status;
}
