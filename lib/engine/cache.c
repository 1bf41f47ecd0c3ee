/* lib/engine/cache.c - records under a tenant's head, decoded and prepared. They
 * cannot change while the head does not, so an entry is good exactly for the
 * head's version it was read under; the cache can be emptied at any time without
 * changing an answer. */
#include "../port/port.h"
#include "engine.h"
#include "touch.h"

#define PLACES 512

struct mru_cache {
    mru_lock *lock;
    struct mru_cached *places[PLACES];
    struct mru_touch touches;
};

struct mru_cache *mru_cache_new(void) {
    struct mru_cache *cache = mru_alloc(sizeof *cache);
    if (cache == NULL)
        return NULL;
    cache->lock = mru_lock_new();
    if (cache->lock == NULL || mru_touch_init(&cache->touches) != 0) {
        mru_lock_free(cache->lock);
        mru_free(cache);
        return NULL;
    }
    return cache;
}

void mru_cached_release(struct mru_cached *one) {
    if (one == NULL || atomic_fetch_sub(&one->refs, 1) != 1)
        return;
    mru_keyring_free(one->keyring);
    mru_bag_free(&one->bag);
    mru_free(one);
}

void mru_cache_free(struct mru_cache *cache) {
    if (cache == NULL)
        return;
    for (size_t i = 0; i < PLACES; i++)
        mru_cached_release(cache->places[i]);
    mru_touch_clear(&cache->touches);
    mru_lock_free(cache->lock);
    mru_free(cache);
}

struct mru_touch *mru_cache_touches(struct mru_cache *cache) {
    return &cache->touches;
}

/* FNV-1a: only spreads; nothing relies on it. */
static size_t place(const char *tenant, const struct mru_rkey *key) {
    uint32_t hash = 2166136261u;
    for (; *tenant != '\0'; tenant++)
        hash = (hash ^ (uint8_t)*tenant) * 16777619u;
    for (size_t i = 0; i < key->len; i++)
        hash = (hash ^ key->data[i]) * 16777619u;
    return hash % PLACES;
}

struct mru_cached *mru_cache_find(struct mru_cache *cache, const char *tenant,
                                  const struct mru_rkey *key, uint64_t head) {
    size_t at = place(tenant, key);
    struct mru_cached *one;
    mru_lock_take(cache->lock);
    one = cache->places[at];
    if (one != NULL && one->head == head &&
        mru_rkey_compare(&one->key, key) == 0 &&
        strcmp(one->tenant, tenant) == 0)
        atomic_fetch_add(&one->refs, 1);
    else
        one = NULL;
    mru_lock_give(cache->lock);
    return one;
}

void mru_cache_put(struct mru_cache *cache, struct mru_cached *one) {
    size_t at = place(one->tenant, &one->key);
    struct mru_cached *old;
    atomic_fetch_add(&one->refs, 1);
    mru_lock_take(cache->lock);
    old = cache->places[at];
    cache->places[at] = one;
    mru_lock_give(cache->lock);
    mru_cached_release(old);
}
