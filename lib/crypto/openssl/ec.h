/* lib/crypto/openssl/ec.h - the inside of an EC key, for ec.c and ecdsa.c. */
#ifndef MRU_OSSL_EC_H
#define MRU_OSSL_EC_H

#include "ossl.h"

struct mru_ec {
    const struct mru_curve *curve;
    EVP_PKEY *pkey;
    struct mru_pool verify; /* of a key for signatures */
    struct mru_pool sign; /* and when it is private */
    EVP_PKEY_CTX *derive; /* of a private key for agreement; read only */
};

/* Prepares the two pools (ecdsa.c): 0, or -1 with errors in the queue. */
int mru_ecdsa_prepare(struct mru_ec *ec, int is_private);

#endif
