/* lib/jose/key_int.h - the inside of a key, for the files that read, make and
 * print one. */
#ifndef MRU_JOSE_KEY_INT_H
#define MRU_JOSE_KEY_INT_H

#include "../crypto/pkey.h"
#include "key.h"

enum { MRU_MAX_KID = 128, MRU_MAX_TYP = 128, MRU_MAX_SECRET = 1024 };

struct mru_key {
    const struct mru_alg *alg;
    mru_pkey *pkey; /* RSA and EC */
    uint8_t *secret; /* oct */
    size_t secret_len;
    int kid_given; /* the kid is its owner's, not a thumbprint */
    char kid[MRU_MAX_KID + 1];
};

/* The algorithm of a key to be read: known, and one this build can do. */
mereau_status mru_alg_usable(const struct mru_alg **out, int32_t alg,
                             mereau_error *err);
/* Makes a key of one of the two kinds of material, which it takes over (also
 * when it fails); its kid is the thumbprint. */
mereau_status mru_key_wrap(mru_key **out, const struct mru_alg *alg,
                           mru_pkey *pkey, const uint8_t *secret,
                           size_t secret_len, mereau_error *err);

#endif
