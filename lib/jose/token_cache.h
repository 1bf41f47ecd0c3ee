/* lib/jose/token_cache.h - tokens that were verified, and what they said. */
#ifndef MRU_JOSE_TOKEN_CACHE_H
#define MRU_JOSE_TOKEN_CACHE_H

#include "claims_int.h"

struct mru_token_cache;

enum { MRU_CACHE_LEAST = 16384 }; /* bytes */

/* A token that was verified. Read only, and freed with the last reference: claims
 * hold one for as long as they show what it said. */
struct mru_cached;

/* bytes bounds what entries and tables take; key is that of the hash. NULL without
 * memory. */
struct mru_token_cache *mru_token_cache_new(size_t bytes,
                                            const uint8_t key[16]);
/* Wipes and frees; entries that claims hold live on until they are given back. */
void mru_token_cache_free(struct mru_token_cache *cache);

/* A reference to the entry of exactly this token, verified with the key set of that
 * serial; NULL: none. One that another set verified is dropped. */
struct mru_cached *mru_token_cache_find(struct mru_token_cache *cache,
                                        const char *token, size_t len,
                                        uint64_t serial);
/* Keeps what a token said, which was verified with key of the set of that serial;
 * the least recently used go, when it is to fit. Without memory nothing is kept. */
void mru_token_cache_put(struct mru_token_cache *cache, const char *token,
                         size_t len, const struct mereau_claims *claims,
                         const mru_key *key, uint64_t serial);
void mru_token_cache_drop(struct mru_token_cache *cache,
                          const struct mru_cached *entry);

void mru_cached_give(struct mru_cached *entry);
const struct mru_said *mru_cached_said(const struct mru_cached *entry);
const char *mru_cached_thumbprint(const struct mru_cached *entry);
/* Of the set that verified: to be used while that is held. */
const mru_key *mru_cached_key(const struct mru_cached *entry);

struct mru_token_cache_count {
    uint64_t hits, misses, entries, bytes;
};
void mru_token_cache_count(struct mru_token_cache *cache,
                           struct mru_token_cache_count *count);

#endif
