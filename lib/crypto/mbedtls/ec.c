/* lib/crypto/mbedtls/ec.c - keys on P-256, P-384, P-521 and secp256k1 (FIPS 186-5, RFC
 * 8812): made, checked, prepared. What they do is in ecdsa.c.
 *
 * A group of mbedTLS writes its table of multiples of G at first use. It is made
 * while the key is, and from then on the group is only read: threads share it
 * without a lock. (Of 2.28 helgrind still reports three counters of its self-test,
 * which count operations and decide nothing.) A second group has the public point
 * in place of G, so that a table of its multiples is kept too: verifying takes
 * two thirds of the time. */
#include "ec.h"

static mbedtls_ecp_group_id curve_of(const struct mru_curve *curve) {
    switch (curve->id) {
    case MRU_P256:
        return MBEDTLS_ECP_DP_SECP256R1;
    case MRU_P384:
        return MBEDTLS_ECP_DP_SECP384R1;
    case MRU_P521:
        return MBEDTLS_ECP_DP_SECP521R1;
    case MRU_SECP256K1:
        return MBEDTLS_ECP_DP_SECP256K1;
    default:
        return MBEDTLS_ECP_DP_NONE;
    }
}

void mru_ec_free(struct mru_ec *ec) {
    if (!ec)
        return;
    mbedtls_mpi_free(&ec->d);
    mbedtls_ecp_point_free(&ec->q);
    mbedtls_ecp_point_free(&ec->q_grp.G); /* ours, not the group's */
    mbedtls_ecp_group_free(&ec->q_grp);
    mbedtls_ecp_group_free(&ec->grp);
    mru_free_wiped(ec, sizeof *ec);
}

static mereau_status ec_new(struct mru_ec **out, const struct mru_curve *curve,
                            mereau_error *err) {
    struct mru_ec *ec = mru_alloc(sizeof *ec);
    *out = NULL;
    if (!ec)
        return mru_refuse(err, MEREAU_E_NOMEM, NULL, NULL, NULL, NULL);
    mbedtls_ecp_group_init(&ec->grp);
    mbedtls_ecp_group_init(&ec->q_grp);
    mbedtls_ecp_point_init(&ec->q);
    mbedtls_mpi_init(&ec->d);
    int ret = mbedtls_ecp_group_load(&ec->grp, curve_of(curve));
    if (ret != 0) {
        mru_ec_free(ec);
        if (ret == MBEDTLS_ERR_ECP_FEATURE_UNAVAILABLE)
            return mru_refuse(err, MEREAU_E_ALG, "key.alg", NULL,
                              "a curve of this build", curve->name);
        return mru_refuse(err, MEREAU_E_NOMEM, NULL, NULL, NULL, NULL);
    }
    ec->coord = curve->coord;
    *out = ec;
    return MEREAU_OK;
}

/* Makes the table of G by multiplying with it: with d, which must give q, or
 * with 2 when there is no d. */
static mereau_status ec_warm(struct mru_ec *ec, const uint8_t *seed,
                             size_t seed_len, mereau_error *err) {
    struct mru_self_rng self;
    mbedtls_ecp_point r;
    mbedtls_mpi two;
    mbedtls_ecp_point_init(&r);
    mbedtls_mpi_init(&two);
    int ret = mru_self_rng_seed(&self, seed, seed_len);
    if (ret == 0)
        ret = mbedtls_mpi_lset(&two, 2);
    if (ret == 0)
        ret = mbedtls_ecp_mul(&ec->grp, &r, ec->is_private ? &ec->d : &two,
                              &ec->grp.G, mru_self_rng_draw, &self);
    int same =
        ret == 0 && (!ec->is_private || mbedtls_ecp_point_cmp(&r, &ec->q) == 0);
    mru_wipe(&self, sizeof self);
    mbedtls_mpi_free(&two);
    mbedtls_ecp_point_free(&r);
    if (ret != 0)
        return mru_refuse(err, mru_mbed_status(ret, MEREAU_E_CRYPTO), NULL,
                          NULL, NULL, NULL);
    if (!same)
        return mru_key_refuse(err, "key.pair", "RFC 7518 6.2.2",
                              "the private number of this point", "another");
    return MEREAU_OK;
}

/* Makes the table of q. The constants of a loaded group are not in memory of its
 * own, so they are replaced, never written to. */
static mereau_status ec_warm_q(struct mru_ec *ec, mereau_error *err) {
    mbedtls_ecp_group *grp = &ec->q_grp;
    mbedtls_ecp_point r;
    mbedtls_mpi two;
    mbedtls_ecp_point_init(&r);
    mbedtls_mpi_init(&two);
    int ret = mbedtls_ecp_group_load(grp, ec->grp.id);
    mbedtls_ecp_point_init(&grp->G);
    grp->T = NULL;
    grp->T_size = 0;
    if (ret == 0)
        ret = mbedtls_ecp_copy(&grp->G, &ec->q);
    if (ret == 0)
        ret = mbedtls_mpi_lset(&two, 2);
    if (ret == 0)
        ret = mbedtls_ecp_mul(grp, &r, &two, &grp->G, mru_ec_no_blinding, NULL);
    mbedtls_mpi_free(&two);
    mbedtls_ecp_point_free(&r);
    if (ret != 0)
        return mru_refuse(err, mru_mbed_status(ret, MEREAU_E_CRYPTO), NULL,
                          NULL, NULL, NULL);
    return MEREAU_OK;
}

static mereau_status read_point(struct mru_ec *ec,
                                const struct mru_pkey_parts *parts,
                                mereau_error *err) {
    const mereau_slice *x = &parts->part[MRU_PART_X];
    const mereau_slice *y = &parts->part[MRU_PART_Y];
    if (mbedtls_mpi_read_binary(&ec->q.X, x->data, x->len) != 0 ||
        mbedtls_mpi_read_binary(&ec->q.Y, y->data, y->len) != 0 ||
        mbedtls_mpi_lset(&ec->q.Z, 1) != 0)
        return mru_refuse(err, MEREAU_E_NOMEM, NULL, NULL, NULL, NULL);
    int ret = mbedtls_ecp_check_pubkey(&ec->grp, &ec->q);
    if (mru_mbed_status(ret, MEREAU_OK) == MEREAU_E_NOMEM)
        return mru_refuse(err, MEREAU_E_NOMEM, NULL, NULL, NULL, NULL);
    if (ret != 0)
        return mru_key_refuse(err, "key.point", "NIST SP 800-56A 5.6.2.3",
                              "a point on the curve", "one that is not");
    return MEREAU_OK;
}

static mereau_status read_private(struct mru_ec *ec,
                                  const struct mru_pkey_parts *parts,
                                  mereau_error *err) {
    const mereau_slice *d = &parts->part[MRU_PART_D];
    if (d->len == 0)
        return MEREAU_OK;
    if (mbedtls_mpi_read_binary(&ec->d, d->data, d->len) != 0)
        return mru_refuse(err, MEREAU_E_NOMEM, NULL, NULL, NULL, NULL);
    if (mbedtls_ecp_check_privkey(&ec->grp, &ec->d) != 0)
        return mru_key_refuse(err, "key.pair", "FIPS 186-5 A.2",
                              "d from 1 to n - 1", "another");
    ec->is_private = 1;
    return MEREAU_OK;
}

mereau_status mru_ec_make(struct mru_ec **out, const struct mru_curve *curve,
                          int use, const struct mru_pkey_parts *parts,
                          mereau_error *err) {
    struct mru_ec *ec = NULL;
    const mereau_slice *p = parts->part;
    *out = NULL;
    mereau_status status = ec_new(&ec, curve, err);
    if (status == MEREAU_OK)
        status = read_point(ec, parts, err);
    if (status == MEREAU_OK)
        status = read_private(ec, parts, err);
    if (status == MEREAU_OK && ec->is_private)
        status = ec_warm(ec, p[MRU_PART_D].data, p[MRU_PART_D].len, err);
    else if (status == MEREAU_OK)
        status = ec_warm(ec, p[MRU_PART_X].data, p[MRU_PART_X].len, err);
    if (status == MEREAU_OK && use == MRU_USE_SIG)
        status = ec_warm_q(ec, err);
    if (status != MEREAU_OK)
        mru_ec_free(ec);
    else
        *out = ec;
    return status;
}

mereau_status mru_ec_public(const struct mru_curve *curve, const uint8_t *d,
                            uint8_t *x, uint8_t *y) {
    struct mru_self_rng self;
    struct mru_ec *ec = NULL;
    mereau_status status = ec_new(&ec, curve, NULL);
    if (status != MEREAU_OK)
        return status;
    int ret = mru_self_rng_seed(&self, d, curve->coord);
    if (ret == 0)
        ret = mbedtls_mpi_read_binary(&ec->d, d, curve->coord);
    if (ret == 0 && mbedtls_ecp_check_privkey(&ec->grp, &ec->d) != 0)
        status = MEREAU_E_KEY;
    if (ret == 0 && status == MEREAU_OK)
        ret = mbedtls_ecp_mul(&ec->grp, &ec->q, &ec->d, &ec->grp.G,
                              mru_self_rng_draw, &self);
    if (ret == 0 && status == MEREAU_OK)
        ret = mbedtls_mpi_write_binary(&ec->q.X, x, curve->coord);
    if (ret == 0 && status == MEREAU_OK)
        ret = mbedtls_mpi_write_binary(&ec->q.Y, y, curve->coord);
    if (ret != 0)
        status = mru_mbed_status(ret, MEREAU_E_CRYPTO);
    mru_wipe(&self, sizeof self);
    mru_ec_free(ec);
    return status;
}
