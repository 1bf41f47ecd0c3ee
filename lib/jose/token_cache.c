/* lib/jose/token_cache.c - tokens that were verified. A cache of successes: it says that
 * these very bytes were signed by a key of that set, nothing more; what can change
 * since then is checked again at every hit (verify.c), so emptying it at any time
 * changes no answer.
 *
 * Entries are found by a keyed hash of the signature part, which nobody can aim at
 * without the key, and then by comparison of the whole token. Each shard has a lock,
 * held for one look, a table of chains and a list by last use: all of it O(1). */
#include "token_cache.h"

#include <stdatomic.h>

#include "../port/port.h"
#include "siphash.h"

enum { SHARDS = 8, SHARDED_FROM = 1 << 19, BYTES_PER_BUCKET = 1024 };

struct mru_cached {
    atomic_size_t refs;
    struct mru_cached *chain; /* of its bucket */
    struct mru_cached *newer, *older; /* by last use */
    uint64_t hash;
    uint64_t serial;
    const mru_key *key;
    struct mru_said said; /* points behind this struct */
    const char *token;
    size_t token_len;
    size_t size; /* of the whole block */
    char thumbprint[44];
};

struct shard {
    mru_lock *lock;
    struct mru_cached **buckets;
    size_t mask; /* number of buckets less one */
    size_t most; /* bytes of entries */
    size_t bytes;
    size_t entries;
    struct mru_cached *newest, *oldest;
    uint64_t hits, misses;
};

struct mru_token_cache {
    uint8_t key[16];
    size_t n_shards;
    struct shard shards[SHARDS];
};

/* --- entries --- */

void mru_cached_give(struct mru_cached *entry) {
    if (entry &&
        atomic_fetch_sub_explicit(&entry->refs, 1, memory_order_acq_rel) == 1)
        mru_free_wiped(entry, entry->size);
}

const struct mru_said *mru_cached_said(const struct mru_cached *entry) {
    return &entry->said;
}

const char *mru_cached_thumbprint(const struct mru_cached *entry) {
    return entry->thumbprint;
}

const mru_key *mru_cached_key(const struct mru_cached *entry) {
    return entry->key;
}

/* One block: the struct, its members, then token, JSON and texts, each with a
 * NUL. */
static struct mru_cached *make(const char *token, size_t len,
                               const struct mereau_claims *claims) {
    const struct mru_said *said = &claims->said;
    size_t n = said->n < MRU_JINDEX_MAX ? said->n : MRU_JINDEX_MAX;
    size_t members = n * sizeof(struct mru_jmember), size;
    /* Both lengths are bounded, by MEREAU_MAX_TOKEN and by _MAX_JSON. */
    size = sizeof(struct mru_cached) + members + len + 2 * said->len + 3;
    struct mru_cached *entry = mru_alloc(size);
    if (!entry)
        return NULL;
    char *at = (char *)(entry + 1);
    entry->size = size;
    entry->said = *said;
    entry->token_len = len;
    memcpy(entry->thumbprint, claims->thumbprint, sizeof entry->thumbprint);
    if (members > 0)
        memcpy(at, said->members, members);
    entry->said.members = (const struct mru_jmember *)(const void *)(entry + 1);
    at += members;
    entry->token = memcpy(at, token, len);
    at += len + 1;
    entry->said.json = memcpy(at, said->json, said->len);
    entry->said.root.p = at + (said->root.p - said->json);
    at += said->len + 1;
    entry->said.texts = memcpy(at, said->texts, said->len);
    atomic_init(&entry->refs, 1);
    return entry;
}

/* --- a shard: under its lock --- */

static void unlink_use(struct shard *s, struct mru_cached *entry) {
    if (entry->newer)
        entry->newer->older = entry->older;
    else
        s->newest = entry->older;
    if (entry->older)
        entry->older->newer = entry->newer;
    else
        s->oldest = entry->newer;
    entry->newer = entry->older = NULL;
}

static void link_newest(struct shard *s, struct mru_cached *entry) {
    entry->newer = NULL;
    entry->older = s->newest;
    if (s->newest)
        s->newest->newer = entry;
    else
        s->oldest = entry;
    s->newest = entry;
}

/* Takes an entry out; the caller then gives the shard's reference back. */
static void take_out(struct shard *s, struct mru_cached *entry) {
    struct mru_cached **at = &s->buckets[entry->hash & s->mask];
    while (*at != entry)
        at = &(*at)->chain;
    *at = entry->chain;
    entry->chain = NULL;
    unlink_use(s, entry);
    s->bytes -= entry->size;
    s->entries--;
}

static struct mru_cached *look(const struct shard *s, uint64_t hash,
                               const char *token, size_t len) {
    struct mru_cached *entry = s->buckets[hash & s->mask];
    while (entry && (entry->hash != hash || entry->token_len != len ||
                     memcmp(entry->token, token, len) != 0))
        entry = entry->chain;
    return entry;
}

/* --- the cache --- */

static int shard_start(struct shard *s, size_t bytes) {
    size_t n = 16;
    while (n < (size_t)1 << 20 && n * 2 * BYTES_PER_BUCKET <= bytes)
        n *= 2;
    s->lock = mru_lock_new();
    s->buckets = mru_alloc(n * sizeof(struct mru_cached *));
    s->mask = n - 1;
    s->most = bytes - n * sizeof(struct mru_cached *);
    return s->lock && s->buckets ? 0 : -1;
}

struct mru_token_cache *mru_token_cache_new(size_t bytes,
                                            const uint8_t key[16]) {
    struct mru_token_cache *cache = mru_alloc(sizeof *cache);
    int failed = 0;
    if (!cache)
        return NULL;
    memcpy(cache->key, key, sizeof cache->key);
    cache->n_shards = bytes >= SHARDED_FROM ? SHARDS : 1;
    for (size_t i = 0; i < cache->n_shards; i++)
        failed |= shard_start(&cache->shards[i], bytes / cache->n_shards);
    if (!failed)
        return cache;
    mru_token_cache_free(cache);
    return NULL;
}

void mru_token_cache_free(struct mru_token_cache *cache) {
    if (!cache)
        return;
    for (size_t i = 0; i < cache->n_shards; i++) {
        struct shard *s = &cache->shards[i];
        while (s->oldest) {
            struct mru_cached *entry = s->oldest;
            take_out(s, entry);
            mru_cached_give(entry);
        }
        mru_free(s->buckets);
        mru_lock_free(s->lock);
    }
    mru_free_wiped(cache, sizeof *cache);
}

/* Of the signature part, with the length of all. */
static uint64_t hash_of(const struct mru_token_cache *cache, const char *token,
                        size_t len) {
    size_t from = len;
    while (from > 0 && token[from - 1] != '.')
        from--;
    return mru_siphash(cache->key, len, token + from, len - from);
}

static struct shard *shard_of(struct mru_token_cache *cache, uint64_t hash) {
    return &cache->shards[(size_t)(hash >> 60) % cache->n_shards];
}

struct mru_cached *mru_token_cache_find(struct mru_token_cache *cache,
                                        const char *token, size_t len,
                                        uint64_t serial) {
    uint64_t hash = hash_of(cache, token, len);
    struct shard *s = shard_of(cache, hash);
    struct mru_cached *stale = NULL;
    mru_lock_take(s->lock);
    struct mru_cached *entry = look(s, hash, token, len);
    if (entry && entry->serial != serial) {
        take_out(s, entry);
        stale = entry;
        entry = NULL;
    }
    if (entry) {
        s->hits++;
        atomic_fetch_add_explicit(&entry->refs, 1, memory_order_relaxed);
        if (s->newest != entry) {
            unlink_use(s, entry);
            link_newest(s, entry);
        }
    } else {
        s->misses++;
    }
    mru_lock_give(s->lock);
    mru_cached_give(stale);
    return entry;
}

void mru_token_cache_put(struct mru_token_cache *cache, const char *token,
                         size_t len, const struct mereau_claims *claims,
                         const mru_key *key, uint64_t serial) {
    uint64_t hash = hash_of(cache, token, len);
    struct shard *s = shard_of(cache, hash);
    struct mru_cached *gone = NULL, *entry = make(token, len, claims);
    if (!entry)
        return;
    entry->hash = hash;
    entry->serial = serial;
    entry->key = key;
    mru_lock_take(s->lock);
    /* Two threads may have verified it at once; the later knows the newer set. */
    struct mru_cached *same = look(s, hash, token, len);
    while (same ||
           (entry->size <= s->most && s->bytes > s->most - entry->size)) {
        struct mru_cached *out = same ? same : s->oldest;
        same = NULL;
        take_out(s, out);
        out->chain = gone;
        gone = out;
    }
    if (entry->size <= s->most) {
        entry->chain = s->buckets[hash & s->mask];
        s->buckets[hash & s->mask] = entry;
        link_newest(s, entry);
        s->bytes += entry->size;
        s->entries++;
        entry = NULL;
    }
    mru_lock_give(s->lock);
    mru_cached_give(entry); /* it would not fit into an empty shard */
    while (gone) {
        struct mru_cached *next = gone->chain;
        gone->chain = NULL;
        mru_cached_give(gone);
        gone = next;
    }
}

void mru_token_cache_drop(struct mru_token_cache *cache,
                          const struct mru_cached *entry) {
    struct shard *s = shard_of(cache, entry->hash);
    struct mru_cached *found;
    mru_lock_take(s->lock);
    found = look(s, entry->hash, entry->token, entry->token_len);
    if (found == entry)
        take_out(s, found);
    else
        found = NULL;
    mru_lock_give(s->lock);
    mru_cached_give(found);
}

void mru_token_cache_count(struct mru_token_cache *cache,
                           struct mru_token_cache_count *count) {
    memset(count, 0, sizeof *count);
    for (size_t i = 0; i < cache->n_shards; i++) {
        struct shard *s = &cache->shards[i];
        mru_lock_take(s->lock);
        count->hits += s->hits;
        count->misses += s->misses;
        count->entries += s->entries;
        count->bytes += s->bytes + (s->mask + 1) * sizeof(struct mru_cached *);
        mru_lock_give(s->lock);
    }
}
