/* lib/adapters/front/read_cache.h - the read cache with a clock of the test's. */
#ifndef MRU_FRONT_READ_CACHE_H
#define MRU_FRONT_READ_CACHE_H

#include <mereau/front.h>

/* Milliseconds of a clock that never goes back. */
typedef int64_t (*mru_front_clock)(void *arg);

mereau_status mru_read_cache_open(mereau_store **out, mereau_store *below,
                                  size_t max_bytes, int64_t max_stale_ms,
                                  mru_front_clock clock, void *clock_arg,
                                  mereau_error *err);

#endif
