/* lib/crypto/openssl/ec.c - keys on P-256, P-384, P-521 and secp256k1 (FIPS 186-5,
 * RFC 8812), made and checked, and Diffie-Hellman with them (SP 800-56A 5.7.1.2).
 * Signatures are in ecdsa.c. */
#include "ec.h"

#include <openssl/ec.h>
#include <openssl/objects.h>

enum { MAX_POINT = 1 + 2 * MRU_COORD_MAX };

/* NULL, with or without errors in the queue, when this OpenSSL does not have the
 * curve or has no memory. */
static EC_GROUP *group_of(const struct mru_curve *curve) {
    switch (curve->id) {
    case MRU_P256:
        return EC_GROUP_new_by_curve_name(NID_X9_62_prime256v1);
    case MRU_P384:
        return EC_GROUP_new_by_curve_name(NID_secp384r1);
    case MRU_P521:
        return EC_GROUP_new_by_curve_name(NID_secp521r1);
    case MRU_SECP256K1:
        return EC_GROUP_new_by_curve_name(NID_secp256k1);
    default:
        return NULL;
    }
}

/* 04, x, y (SEC 1 section 2.3.3); returns its length. */
static size_t encode_point(uint8_t *out, const struct mru_curve *curve,
                           const uint8_t *x, const uint8_t *y) {
    out[0] = POINT_CONVERSION_UNCOMPRESSED;
    memcpy(out + 1, x, curve->coord);
    memcpy(out + 1 + curve->coord, y, curve->coord);
    return 1 + 2 * curve->coord;
}

/* OpenSSL's key of a point and, unless it is NULL, a number. It sees to it that
 * the point is on the curve. */
static mereau_status make_pkey(EVP_PKEY **out, const struct mru_curve *curve,
                               const uint8_t *x, const uint8_t *y,
                               const uint8_t *d) {
    uint8_t point[MAX_POINT], native[MRU_COORD_MAX];
    size_t len = encode_point(point, curve, x, y);
    char name[16];
    OSSL_PARAM params[4], *p = params;
    mru_say(name, sizeof name, "%s", curve->name); /* not const there */
    *p++ =
        OSSL_PARAM_construct_utf8_string(OSSL_PKEY_PARAM_GROUP_NAME, name, 0);
    *p++ =
        OSSL_PARAM_construct_octet_string(OSSL_PKEY_PARAM_PUB_KEY, point, len);
    if (d) {
        BIGNUM *number = BN_bin2bn(d, (int)curve->coord, NULL);
        int fits =
            number && BN_bn2nativepad(number, native, (int)curve->coord) > 0;
        BN_clear_free(number);
        if (!fits)
            return mru_ossl_trouble();
        *p++ = OSSL_PARAM_construct_BN(OSSL_PKEY_PARAM_PRIV_KEY, native,
                                       curve->coord);
    }
    *p = OSSL_PARAM_construct_end();
    int ret = mru_ossl_key(out, "EC",
                           d ? EVP_PKEY_KEYPAIR : EVP_PKEY_PUBLIC_KEY, params);
    mru_wipe(native, sizeof native);
    return ret == 0 ? MEREAU_OK : mru_ossl_failed(ERR_LIB_EC, 0, MEREAU_E_KEY);
}

/* x and y of d G, in the queue's terms: 1, 0 for d outside 1..n-1, -1. */
static int multiply(const EC_GROUP *group, const uint8_t *d, size_t coord,
                    uint8_t *x, uint8_t *y) {
    uint8_t point[MAX_POINT];
    BIGNUM *number = BN_secure_new();
    EC_POINT *at = EC_POINT_new(group);
    int is = -1;
    if (number && at && BN_bin2bn(d, (int)coord, number)) {
        BN_set_flags(number, BN_FLG_CONSTTIME);
        if (BN_is_zero(number) ||
            BN_cmp(number, EC_GROUP_get0_order(group)) >= 0)
            is = 0;
        else if (EC_POINT_mul(group, at, number, NULL, NULL, NULL) == 1 &&
                 EC_POINT_point2oct(group, at, POINT_CONVERSION_UNCOMPRESSED,
                                    point, sizeof point, NULL) == 1 + 2 * coord)
            is = 1;
    }
    if (is == 1) {
        memcpy(x, point + 1, coord);
        memcpy(y, point + 1 + coord, coord);
    }
    EC_POINT_free(at);
    BN_clear_free(number);
    return is;
}

mereau_status mru_ec_public(const struct mru_curve *curve, const uint8_t *d,
                            uint8_t *x, uint8_t *y) {
    mru_ossl_begin();
    EC_GROUP *group = group_of(curve);
    if (!group)
        return mru_ossl_failed(ERR_LIB_EC, 0, MEREAU_E_ALG);
    int is = multiply(group, d, curve->coord, x, y);
    EC_GROUP_free(group);
    if (is == 1)
        return MEREAU_OK;
    return is == 0 ? MEREAU_E_KEY : mru_ossl_trouble();
}

/* --- making --- */

static mereau_status check_curve(const struct mru_curve *curve,
                                 mereau_error *err) {
    EC_GROUP *group = group_of(curve);
    if (group) {
        EC_GROUP_free(group);
        return MEREAU_OK;
    }
    if (mru_ossl_failed(ERR_LIB_EC, 0, MEREAU_E_ALG) == MEREAU_E_NOMEM)
        return mru_refuse(err, MEREAU_E_NOMEM, NULL, NULL, NULL, NULL);
    return mru_refuse(err, MEREAU_E_ALG, "key.alg", NULL,
                      "a curve of this build", curve->name);
}

static mereau_status check_pair(const struct mru_curve *curve,
                                const mereau_slice *p, mereau_error *err) {
    uint8_t x[MRU_COORD_MAX], y[MRU_COORD_MAX];
    mereau_status status = mru_ec_public(curve, p[MRU_PART_D].data, x, y);
    if (status == MEREAU_E_KEY)
        return mru_key_refuse(err, "key.pair", "FIPS 186-5 A.2",
                              "d from 1 to n - 1", "another");
    if (status != MEREAU_OK)
        return mru_refuse(err, status, "key.provider", NULL, NULL, NULL);
    if (memcmp(x, p[MRU_PART_X].data, curve->coord) != 0 ||
        memcmp(y, p[MRU_PART_Y].data, curve->coord) != 0)
        return mru_key_refuse(err, "key.pair", "RFC 7518 6.2.2",
                              "the private number of this point", "another");
    return MEREAU_OK;
}

static int prepare(struct mru_ec *ec, int use, int is_private) {
    if (use != MRU_USE_ENC)
        return mru_ecdsa_prepare(ec, is_private);
    if (!is_private)
        return 0;
    ec->derive = EVP_PKEY_CTX_new_from_pkey(NULL, ec->pkey, NULL);
    return ec->derive && EVP_PKEY_derive_init(ec->derive) == 1 ? 0 : -1;
}

static mereau_status ec_build(struct mru_ec *ec, int use, const mereau_slice *p,
                              mereau_error *err) {
    const uint8_t *d = p[MRU_PART_D].len > 0 ? p[MRU_PART_D].data : NULL;
    mereau_status status = check_curve(ec->curve, err);
    if (status != MEREAU_OK)
        return status;
    status = make_pkey(&ec->pkey, ec->curve, p[MRU_PART_X].data,
                       p[MRU_PART_Y].data, d);
    if (status == MEREAU_E_KEY)
        return mru_key_refuse(err, "key.point", "NIST SP 800-56A 5.6.2.3",
                              "a point on the curve", "one that is not");
    if (status != MEREAU_OK)
        return mru_refuse(err, status, "key.provider", NULL, NULL, NULL);
    if (d)
        status = check_pair(ec->curve, p, err);
    if (status == MEREAU_OK && prepare(ec, use, d != NULL) != 0)
        status = mru_ossl_refuse(err, "key.provider");
    return status;
}

mereau_status mru_ec_make(struct mru_ec **out, const struct mru_curve *curve,
                          int use, const struct mru_pkey_parts *parts,
                          mereau_error *err) {
    struct mru_ec *ec = mru_alloc(sizeof *ec);
    *out = NULL;
    if (!ec)
        return mru_refuse(err, MEREAU_E_NOMEM, NULL, NULL, NULL, NULL);
    ec->curve = curve;
    mru_ossl_begin();
    mereau_status status = ec_build(ec, use, parts->part, err);
    mru_ossl_begin();
    if (status != MEREAU_OK)
        mru_ec_free(ec);
    else
        *out = ec;
    return status;
}

void mru_ec_free(struct mru_ec *ec) {
    if (!ec)
        return;
    EVP_PKEY_CTX_free(ec->derive);
    mru_pool_free(&ec->sign);
    mru_pool_free(&ec->verify);
    EVP_PKEY_free(ec->pkey);
    mru_free_wiped(ec, sizeof *ec);
}

/* --- agreement --- */

mereau_status mru_ec_agree(const struct mru_ec *ec, const uint8_t *x,
                           const uint8_t *y, struct mru_rng_box *box,
                           uint8_t *z) {
    EVP_PKEY *peer = NULL;
    size_t len = ec->curve->coord;
    (void)box; /* OpenSSL blinds from its own generator */
    mru_ossl_begin();
    mereau_status status = make_pkey(&peer, ec->curve, x, y, NULL);
    if (status != MEREAU_OK)
        return status;
    EVP_PKEY_CTX *ctx = EVP_PKEY_CTX_dup(ec->derive);
    /* That the point is on the curve is proved; all of the curves have a cofactor
     * of 1, so nothing more is to be asked of it. */
    if (!ctx || EVP_PKEY_derive_set_peer_ex(ctx, peer, 0) != 1 ||
        EVP_PKEY_derive(ctx, z, &len) != 1 || len != ec->curve->coord)
        status = mru_ossl_trouble();
    EVP_PKEY_CTX_free(ctx);
    EVP_PKEY_free(peer);
    return status;
}
