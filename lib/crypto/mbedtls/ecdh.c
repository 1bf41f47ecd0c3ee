/* lib/crypto/mbedtls/ecdh.c - agreement on a secret with elliptic curves (NIST SP
 * 800-56A section 5.7.1.2). */
#include "ec.h"

/* z = x of d * point. */
static int agree(const struct mru_ec *ec, mbedtls_ecp_point *point,
                 struct mru_rng_box *box, uint8_t *z) {
    mbedtls_ecp_point result;
    mbedtls_ecp_point_init(&result);
    int ret = mbedtls_ecp_mul(mru_ec_shared(&ec->grp), &result, &ec->d, point,
                              mru_rng_draw, box);
    if (ret == 0 && mbedtls_ecp_is_zero(&result))
        ret = MBEDTLS_ERR_ECP_INVALID_KEY;
    if (ret == 0)
        ret = mbedtls_mpi_write_binary(&result.X, z, ec->coord);
    mbedtls_ecp_point_free(&result);
    return ret;
}

mereau_status mru_ec_agree(const struct mru_ec *ec, const uint8_t *x,
                           const uint8_t *y, struct mru_rng_box *box,
                           uint8_t *z) {
    mbedtls_ecp_point point;
    mbedtls_ecp_point_init(&point);
    int ret = mbedtls_mpi_read_binary(&point.X, x, ec->coord);
    if (ret == 0)
        ret = mbedtls_mpi_read_binary(&point.Y, y, ec->coord);
    if (ret == 0)
        ret = mbedtls_mpi_lset(&point.Z, 1);
    if (ret == 0)
        ret = mbedtls_ecp_check_pubkey(&ec->grp, &point);
    if (ret == 0)
        ret = agree(ec, &point, box, z);
    mbedtls_ecp_point_free(&point);
    if (ret == 0)
        return MEREAU_OK;
    return ret == MBEDTLS_ERR_ECP_INVALID_KEY
               ? MEREAU_E_KEY
               : mru_mbed_status(ret, MEREAU_E_CRYPTO);
}
