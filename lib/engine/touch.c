/* lib/engine/touch.c - what was used lately: one place for each id, the newest
 * one wins. */
#include "touch.h"

int mru_touch_init(struct mru_touch *touch) {
    memset(touch, 0, sizeof *touch);
    touch->lock = mru_lock_new();
    return touch->lock == NULL ? -1 : 0;
}

void mru_touch_clear(struct mru_touch *touch) {
    mru_lock_free(touch->lock);
    memset(touch, 0, sizeof *touch);
}

int mru_cache_touch_due(struct mru_cache *cache, const uint8_t id[16],
                        int64_t now_at) {
    struct mru_touch *touch = mru_cache_touches(cache);
    size_t at = id[0] % MRU_TOUCHES;
    int due;
    mru_lock_take(touch->lock);
    due = !touch->places[at].used ||
          memcmp(touch->places[at].id, id, 16) != 0 ||
          now_at < touch->places[at].at ||
          now_at - touch->places[at].at >= MRU_TOUCH_S;
    mru_lock_give(touch->lock);
    return due;
}

void mru_cache_touch(struct mru_cache *cache, const uint8_t id[16],
                     int64_t now_at) {
    struct mru_touch *touch = mru_cache_touches(cache);
    size_t at = id[0] % MRU_TOUCHES;
    mru_lock_take(touch->lock);
    memcpy(touch->places[at].id, id, 16);
    touch->places[at].at = now_at;
    touch->places[at].used = 1;
    mru_lock_give(touch->lock);
}
