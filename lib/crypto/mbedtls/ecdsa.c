/* lib/crypto/mbedtls/ecdsa.c - signing and verifying with elliptic curves: ECDSA (FIPS
 * 186-5 section 6), deterministic (RFC 6979). */
#include "ec.h"

mereau_status mru_ec_sign(const struct mru_ec *ec, const struct mru_alg *alg,
                          const uint8_t *digest, struct mru_rng_box *box,
                          uint8_t *sig) {
    mbedtls_mpi r, s;
    mbedtls_mpi_init(&r);
    mbedtls_mpi_init(&s);
    int ret = mbedtls_ecdsa_sign_det_ext(
        mru_ec_shared(&ec->grp), &r, &s, &ec->d, digest, (size_t)alg->hash,
        mru_mbed_md(alg->hash), mru_rng_draw, box);
    if (ret == 0)
        ret = mbedtls_mpi_write_binary(&r, sig, alg->coord);
    if (ret == 0)
        ret = mbedtls_mpi_write_binary(&s, sig + alg->coord, alg->coord);
    mbedtls_mpi_free(&s);
    mbedtls_mpi_free(&r);
    if (box->code != 0)
        return MEREAU_E_RANDOM;
    return ret == 0 ? MEREAU_OK : mru_mbed_status(ret, MEREAU_E_CRYPTO);
}

int mru_ec_no_blinding(void *unused, unsigned char *out, size_t len) {
    (void)unused;
    memset(out, 1, len);
    return 0;
}

/* The numbers of one verification. */
struct verification {
    mbedtls_mpi r, s, e, u1, u2;
    mbedtls_ecp_point at, p1, p2;
};

static void verification_init(struct verification *v) {
    mbedtls_mpi *numbers[] = {&v->r, &v->s, &v->e, &v->u1, &v->u2};
    mbedtls_ecp_point *points[] = {&v->at, &v->p1, &v->p2};
    for (size_t i = 0; i < sizeof numbers / sizeof numbers[0]; i++)
        mbedtls_mpi_init(numbers[i]);
    for (size_t i = 0; i < sizeof points / sizeof points[0]; i++)
        mbedtls_ecp_point_init(points[i]);
}

static void verification_free(struct verification *v) {
    mbedtls_mpi *numbers[] = {&v->r, &v->s, &v->e, &v->u1, &v->u2};
    mbedtls_ecp_point *points[] = {&v->at, &v->p1, &v->p2};
    for (size_t i = 0; i < sizeof numbers / sizeof numbers[0]; i++)
        mbedtls_mpi_free(numbers[i]);
    for (size_t i = 0; i < sizeof points / sizeof points[0]; i++)
        mbedtls_ecp_point_free(points[i]);
}

/* 1 when 1 <= number < n. */
static int in_range(const mbedtls_mpi *number, const mbedtls_mpi *n) {
    return mbedtls_mpi_cmp_int(number, 1) >= 0 &&
           mbedtls_mpi_cmp_mpi(number, n) < 0;
}

/* Steps 1 to 4: r and s in range; e, the digest, which is nowhere longer than n;
 * u1 = e / s and u2 = r / s modulo n. */
static int find_factors(struct verification *v, const mbedtls_mpi *n,
                        const struct mru_alg *alg, const uint8_t *digest,
                        const uint8_t *sig) {
    int ret = mbedtls_mpi_read_binary(&v->r, sig, alg->coord);
    if (ret == 0)
        ret = mbedtls_mpi_read_binary(&v->s, sig + alg->coord, alg->coord);
    if (ret == 0 && (!in_range(&v->r, n) || !in_range(&v->s, n)))
        ret = MBEDTLS_ERR_ECP_VERIFY_FAILED;
    if (ret == 0)
        ret = mbedtls_mpi_read_binary(&v->e, digest, (size_t)alg->hash);
    if (ret == 0)
        ret = mbedtls_mpi_inv_mod(&v->s, &v->s, n);
    if (ret == 0)
        ret = mbedtls_mpi_mul_mpi(&v->u1, &v->e, &v->s);
    if (ret == 0)
        ret = mbedtls_mpi_mod_mpi(&v->u1, &v->u1, n);
    if (ret == 0)
        ret = mbedtls_mpi_mul_mpi(&v->u2, &v->r, &v->s);
    if (ret == 0)
        ret = mbedtls_mpi_mod_mpi(&v->u2, &v->u2, n);
    return ret;
}

/* Step 5: at = u1 G + u2 Q, each from its table. u2 is never 0, u1 may be. */
static int find_point(struct verification *v, const struct mru_ec *ec) {
    int ret;
    const struct mru_ec_tables *tables = mru_ec_tables(ec, &ret);
    mbedtls_mpi one;
    if (!tables)
        return ret;
    mbedtls_ecp_group *grp = mru_ec_shared(&tables->grp),
                      *q_grp = mru_ec_shared(&tables->q_grp);
    ret = mbedtls_ecp_mul(q_grp, &v->p2, &v->u2, &q_grp->G, mru_ec_no_blinding,
                          NULL);
    if (ret != 0)
        return ret;
    if (mbedtls_mpi_cmp_int(&v->u1, 0) == 0)
        return mbedtls_ecp_copy(&v->at, &v->p2);
    mbedtls_mpi_init(&one);
    ret = mbedtls_mpi_lset(&one, 1);
    if (ret == 0)
        ret = mbedtls_ecp_mul(grp, &v->p1, &v->u1, &grp->G, mru_ec_no_blinding,
                              NULL);
    if (ret == 0)
        ret = mbedtls_ecp_muladd(grp, &v->at, &one, &v->p1, &one, &v->p2);
    mbedtls_mpi_free(&one);
    return ret;
}

mereau_status mru_ec_verify(const struct mru_ec *ec, const struct mru_alg *alg,
                            const uint8_t *digest, const uint8_t *sig) {
    const mbedtls_mpi *n = &ec->grp.N;
    struct verification v;
    verification_init(&v);
    int ret = find_factors(&v, n, alg, digest, sig);
    if (ret == 0)
        ret = find_point(&v, ec);
    /* Steps 6 and 7: x of a point that is not at infinity, modulo n, is r. */
    if (ret == 0 && mbedtls_ecp_is_zero(&v.at))
        ret = MBEDTLS_ERR_ECP_VERIFY_FAILED;
    if (ret == 0)
        ret = mbedtls_mpi_mod_mpi(&v.at.X, &v.at.X, n);
    if (ret == 0 && mbedtls_mpi_cmp_mpi(&v.at.X, &v.r) != 0)
        ret = MBEDTLS_ERR_ECP_VERIFY_FAILED;
    verification_free(&v);
    if (ret == 0)
        return MEREAU_OK;
    return ret == MBEDTLS_ERR_ECP_VERIFY_FAILED
               ? MEREAU_E_SIGNATURE
               : mru_mbed_status(ret, MEREAU_E_CRYPTO);
}
