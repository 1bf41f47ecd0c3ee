/* lib/jose/siphash.h - SipHash-1-3 (Aumasson, Bernstein: SipHash, 2012; one and
 * three rounds): a keyed hash for tables that strangers choose the keys of. */
#ifndef MRU_JOSE_SIPHASH_H
#define MRU_JOSE_SIPHASH_H

#include <stddef.h>
#include <stdint.h>

/* Of one word, and then the bytes. */
uint64_t mru_siphash(const uint8_t key[16], uint64_t first, const void *data,
                     size_t len);

#endif
