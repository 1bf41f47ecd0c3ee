/* lib/crypto/mbedtls/ec.c - keys on P-256, P-384, P-521 and secp256k1 (FIPS 186-5, RFC
 * 8812): made, checked, prepared. What they do is in ecdsa.c.
 *
 * A group of mbedTLS writes its table of multiples of G at first use. Here it is
 * made before others see the group, and from then on the group is only read:
 * threads share it without a lock. (Of 2.28 helgrind still reports three counters
 * of its self-test, which count operations and decide nothing.) To verify, a
 * second group has the public point in place of G, so that a table of its
 * multiples is kept too: that takes two thirds of the time. These two come with
 * the first verification. */
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

static void tables_free(struct mru_ec_tables *t) {
    if (!t)
        return;
    mbedtls_ecp_point_free(&t->q_grp.G); /* ours, not the group's */
    mbedtls_ecp_group_free(&t->q_grp);
    mbedtls_ecp_group_free(&t->grp);
    mru_free(t);
}

void mru_ec_free(struct mru_ec *ec) {
    if (!ec)
        return;
    tables_free(atomic_load(&ec->tables));
    mbedtls_mpi_free(&ec->d);
    mbedtls_ecp_point_free(&ec->q);
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
    atomic_init(&ec->tables, NULL);
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

/* Makes the table of a private key's G by multiplying with d, which must give
 * q. */
static mereau_status ec_warm(struct mru_ec *ec, const mereau_slice *d,
                             mereau_error *err) {
    struct mru_self_rng self;
    mbedtls_ecp_point r;
    mbedtls_ecp_point_init(&r);
    int ret = mru_self_rng_seed(&self, d->data, d->len);
    if (ret == 0)
        ret = mbedtls_ecp_mul(&ec->grp, &r, &ec->d, &ec->grp.G,
                              mru_self_rng_draw, &self);
    int same = ret == 0 && mbedtls_ecp_point_cmp(&r, &ec->q) == 0;
    mru_wipe(&self, sizeof self);
    mbedtls_ecp_point_free(&r);
    if (ret != 0)
        return mru_refuse(err, mru_mbed_status(ret, MEREAU_E_CRYPTO), NULL,
                          NULL, NULL, NULL);
    if (!same)
        return mru_key_refuse(err, "key.pair", "RFC 7518 6.2.2",
                              "the private number of this point", "another");
    return MEREAU_OK;
}

/* --- tables to verify with --- */

/* Makes the table of a group's G, by doubling it. */
static int warm(mbedtls_ecp_group *grp) {
    mbedtls_ecp_point r;
    mbedtls_mpi two;
    mbedtls_ecp_point_init(&r);
    mbedtls_mpi_init(&two);
    int ret = mbedtls_mpi_lset(&two, 2);
    if (ret == 0)
        ret = mbedtls_ecp_mul(grp, &r, &two, &grp->G, mru_ec_no_blinding, NULL);
    mbedtls_mpi_free(&two);
    mbedtls_ecp_point_free(&r);
    return ret;
}

/* The constants of a loaded group are not in memory of its own, so they are
 * replaced, never written to. */
static int put_q(mbedtls_ecp_group *grp, const mbedtls_ecp_point *q) {
    mbedtls_ecp_point_init(&grp->G);
    grp->T = NULL;
    grp->T_size = 0;
    return mbedtls_ecp_copy(&grp->G, q);
}

static int tables_make(struct mru_ec_tables **out, const struct mru_ec *ec) {
    struct mru_ec_tables *t = mru_alloc(sizeof *t);
    *out = NULL;
    if (!t)
        return MBEDTLS_ERR_ECP_ALLOC_FAILED;
    mbedtls_ecp_group_init(&t->grp);
    mbedtls_ecp_group_init(&t->q_grp);
    int ret = mbedtls_ecp_group_load(&t->grp, ec->grp.id);
    if (ret == 0)
        ret = warm(&t->grp);
    int ret_q = mbedtls_ecp_group_load(&t->q_grp, ec->grp.id);
    /* also when something failed: it is ours to free from then on */
    if (ret_q == 0)
        ret_q = put_q(&t->q_grp, &ec->q);
    else
        mbedtls_ecp_point_init(&t->q_grp.G);
    if (ret == 0)
        ret = ret_q;
    if (ret == 0)
        ret = warm(&t->q_grp);
    if (ret != 0)
        tables_free(t);
    else
        *out = t;
    return ret;
}

const struct mru_ec_tables *mru_ec_tables(const struct mru_ec *ec, int *ret) {
    /* Every key was allocated as one that can be written to. */
    struct mru_ec *own = (struct mru_ec *)(uintptr_t)ec;
    struct mru_ec_tables *made, *there = atomic_load(&own->tables);
    *ret = 0;
    if (there)
        return there;
    *ret = tables_make(&made, ec);
    if (*ret != 0)
        return NULL;
    if (atomic_compare_exchange_strong(&own->tables, &there, made))
        return made;
    tables_free(made); /* another thread was first */
    return there;
}

/* --- making --- */

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
    (void)use; /* what verifying needs is made when it is needed */
    *out = NULL;
    mereau_status status = ec_new(&ec, curve, err);
    if (status == MEREAU_OK)
        status = read_point(ec, parts, err);
    if (status == MEREAU_OK)
        status = read_private(ec, parts, err);
    if (status == MEREAU_OK && ec->is_private)
        status = ec_warm(ec, &parts->part[MRU_PART_D], err);
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
