/* lib/crypto/pkey_int.h - what the files about keys share with each other, and
 * with nobody else. */
#ifndef MRU_PKEY_INT_H
#define MRU_PKEY_INT_H

#include "provider.h"

/* What can be told from the numbers of an RSA key without a provider: that they
 * are complete, the size and form of n, and e (rsa_check.c). */
mereau_status mru_rsa_check(const struct mru_pkey_parts *parts, size_t *bits,
                            mereau_error *err);
/* A private number of the curve, coord bytes: MEREAU_OK, _RANDOM, _CRYPTO
 * (curve_draw.c). */
mereau_status mru_curve_draw(const struct mru_curve *curve,
                             struct mru_rng_box *box, uint8_t *d);
/* The public numbers of a private one (pkey.c). */
mereau_status mru_pkey_public(const struct mru_curve *curve, const uint8_t *d,
                              uint8_t *x, uint8_t *y, mereau_error *err);

#endif
