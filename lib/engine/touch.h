/* lib/engine/touch.h - a small memory of what was used lately, so that a last
 * use is written down once an hour and not at every call. Forgetting an entry
 * costs one read more, never an answer. */
#ifndef MRU_ENGINE_TOUCH_H
#define MRU_ENGINE_TOUCH_H

#include "../port/port.h"

#define MRU_TOUCHES 256
#define MRU_TOUCH_S 3600 /* a last use is that exact */

struct mru_cache;

struct mru_touch {
    mru_lock *lock;
    struct {
        uint8_t id[16];
        int64_t at;
        int used;
    } places[MRU_TOUCHES];
};

/* 0, or -1 without memory. */
int mru_touch_init(struct mru_touch *touch);
void mru_touch_clear(struct mru_touch *touch);

/* 1 when the last use of id that this process knows of is an hour old. id is
 * part of a digest. */
int mru_cache_touch_due(struct mru_cache *cache, const uint8_t id[16],
                        int64_t now_at);
/* Remembers that it was written down. */
void mru_cache_touch(struct mru_cache *cache, const uint8_t id[16],
                     int64_t now_at);
/* cache.c */
struct mru_touch *mru_cache_touches(struct mru_cache *cache);

#endif
