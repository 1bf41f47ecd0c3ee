/* lib/crypto/mbedtls/ec.h - an elliptic curve key inside this provider. */
#ifndef MRU_MBED_EC_H
#define MRU_MBED_EC_H

#include "mbed.h"

/* Read only once made, tables and all. */
struct mru_ec {
    mbedtls_ecp_group grp;
    mbedtls_ecp_group q_grp; /* the same curve with q in place of G, if warm */
    mbedtls_ecp_point q;
    mbedtls_mpi d;
    int is_private;
    size_t coord;
};
/* The provider takes groups as not const, but only reads a warm one. */
static inline mbedtls_ecp_group *mru_ec_shared(const mbedtls_ecp_group *grp) {
    return (mbedtls_ecp_group *)(uintptr_t)grp;
}
/* Serves where the provider wants to blind numbers that everybody knows. */
int mru_ec_no_blinding(void *unused, unsigned char *out, size_t len);

#endif
