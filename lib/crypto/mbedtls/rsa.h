/* lib/crypto/mbedtls/rsa.h - an RSA key inside this provider.
 *
 * An mbedTLS context writes to itself in every operation (Montgomery constants,
 * blinding values) and holds its mutex all the while. So the key's own context
 * is never used for one: operations borrow a copy from a pool, and make one for
 * themselves when all are lent. Nobody ever waits. */
#ifndef MRU_MBED_RSA_H
#define MRU_MBED_RSA_H

#include "mbed.h"

#include <stdatomic.h>

enum { MRU_RSA_POOL = 8 };

struct mru_rsa_slot {
    atomic_flag lent;
    int filled; /* read and written by who holds the slot */
    mbedtls_rsa_context ctx;
};

struct mru_rsa {
    mbedtls_rsa_context master; /* read only once made */
    size_t len; /* bytes of the modulus */
    int is_private;
    struct mru_rsa_slot *pool;
};

#endif
