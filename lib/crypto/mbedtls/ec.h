/* lib/crypto/mbedtls/ec.h - an elliptic curve key inside this provider. */
#ifndef MRU_MBED_EC_H
#define MRU_MBED_EC_H

#include <stdatomic.h>

#include "mbed.h"

/* What verifying goes faster with; read only once made. */
struct mru_ec_tables {
    mbedtls_ecp_group grp; /* with its table of G */
    mbedtls_ecp_group q_grp; /* the same curve with q in place of G */
};

/* Read only once made, save that its tables come with the first verification:
 * most keys of a large set never see one, and tables are most of what a key
 * costs. */
struct mru_ec {
    mbedtls_ecp_group grp; /* of a private key with its table of G */
    mbedtls_ecp_point q;
    mbedtls_mpi d;
    int is_private;
    size_t coord;
    _Atomic(struct mru_ec_tables *) tables;
};
/* The tables, made if they are not there. Threads never wait for each other: two
 * may make them at once, and one of the two is kept. NULL and *ret when that
 * failed. */
const struct mru_ec_tables *mru_ec_tables(const struct mru_ec *ec, int *ret);
/* The provider takes groups as not const, but only reads a warm one. */
static inline mbedtls_ecp_group *mru_ec_shared(const mbedtls_ecp_group *grp) {
    return (mbedtls_ecp_group *)(uintptr_t)grp;
}
/* Serves where the provider wants to blind numbers that everybody knows. */
int mru_ec_no_blinding(void *unused, unsigned char *out, size_t len);

#endif
