/* lib/adapters/front/read_cache.c - remembers answers to reads that may be stale.
 *
 * An answer is kept whole, under all the keys that were asked for at once, so that
 * it stays one instant. Writes through this store are counted by the hash of their
 * key; an answer remembers the counts from before it was read, and is good only
 * while they are the same: so what was read before a commit and arrives after it
 * is never good. Places are sets of four by hash, so a lookup is four looks. */
#define _POSIX_C_SOURCE 200809L
#include "read_cache.h"

#include <pthread.h>
#include <time.h>

#include "../../base/base.h"

enum { WAYS = 4, COUNTERS = 4096, LEAST_BYTES = 4096, GUESS = 512 };

/* One answer; records, keys and values lie behind it in one block. */
struct answer {
    size_t refs; /* guarded by the lock */
    size_t size;
    uint64_t hash;
    int64_t read_at; /* when the read began */
    const uint8_t *asked; /* partition and keys, as they were hashed */
    size_t asked_len;
    size_t n;
    uint32_t *counts; /* of each key's counter, before the read */
    mereau_record *records; /* value NULL and key_len 0: absent */
};

struct cache {
    mereau_store store; /* what the context sees */
    mereau_store *below;
    pthread_mutex_t lock;
    mru_front_clock clock;
    void *clock_arg;
    int64_t max_stale_ms;
    size_t max_bytes, bytes;
    struct answer **places; /* sets of WAYS */
    size_t n_sets, hand;
    uint32_t counters[COUNTERS];
    uint64_t asked, answered;
};

/* --- hashing --- */

static uint64_t hash_more(uint64_t hash, const void *data, size_t len) {
    const uint8_t *p = data;
    for (size_t i = 0; i < len; i++)
        hash = (hash ^ p[i]) * UINT64_C(1099511628211);
    return hash;
}

static const uint64_t hash_start = UINT64_C(14695981039346656037);

static uint32_t counter_of(const mereau_need *need, const uint8_t *key,
                           size_t len) {
    uint64_t hash = hash_more(hash_start, need->partition, need->partition_len);
    hash = hash_more(hash_more(hash, "", 1), key, len);
    return (uint32_t)((hash ^ hash >> 32) % COUNTERS);
}

/* Partition and keys, each with its length. */
static void write_asked(struct mru_buf *out, const mereau_need *need) {
    mru_buf_add_u32(out, (uint32_t)need->partition_len);
    mru_buf_add(out, need->partition, need->partition_len);
    for (size_t i = 0; i < need->n_keys; i++) {
        mru_buf_add_u32(out, (uint32_t)need->keys[i].len);
        mru_buf_add(out, need->keys[i].data, need->keys[i].len);
    }
}

/* --- answers --- */

static void give_back(struct cache *c, struct answer *a) {
    pthread_mutex_lock(&c->lock);
    int last = --a->refs == 0;
    pthread_mutex_unlock(&c->lock);
    if (last)
        mru_free_wiped(a, a->size);
}

/* Takes an answer out of its place. The lock is held. */
static void forget(struct cache *c, struct answer **place) {
    struct answer *a = *place;
    *place = NULL;
    c->bytes -= a->size;
    if (--a->refs == 0)
        mru_free_wiped(a, a->size);
}

static int is_good(const struct cache *c, const struct answer *a,
                   const mereau_need *need, int64_t now) {
    if (now < a->read_at || now - a->read_at > c->max_stale_ms)
        return 0;
    for (size_t i = 0; i < a->n; i++)
        if (a->counts[i] != c->counters[counter_of(need, need->keys[i].data,
                                                   need->keys[i].len)])
            return 0;
    return 1;
}

/* A reference to the answer that is remembered and good, or NULL. */
static struct answer *find(struct cache *c, const mereau_need *need,
                           const struct mru_buf *asked, uint64_t hash) {
    struct answer *found = NULL;
    int64_t now = c->clock(c->clock_arg);
    pthread_mutex_lock(&c->lock);
    struct answer **set = &c->places[(size_t)(hash % c->n_sets) * WAYS];
    c->asked++;
    for (size_t i = 0; i < WAYS; i++) {
        struct answer *a = set[i];
        if (!a || a->hash != hash || a->asked_len != asked->len ||
            memcmp(a->asked, asked->data, asked->len) != 0)
            continue;
        if (is_good(c, a, need, now)) {
            found = a;
            a->refs++;
            c->answered++;
        } else {
            forget(c, &set[i]);
        }
        break;
    }
    pthread_mutex_unlock(&c->lock);
    return found;
}

/* Emits what was remembered, in the order of the keys. */
static int32_t replay(const struct answer *a, mereau_emit emit, void *arg) {
    for (size_t i = 0; i < a->n; i++) {
        const mereau_record *r = &a->records[i];
        if (emit(arg, i, r->key_len > 0 ? r : NULL) != 0)
            return MEREAU_STORE_STOPPED;
    }
    return MEREAU_STORE_OK;
}

/* Room for one more answer: the set's oldest goes, and others while there are too
 * many bytes. The lock is held. */
static struct answer **make_place(struct cache *c, const struct answer *a) {
    struct answer **set = &c->places[(size_t)(a->hash % c->n_sets) * WAYS];
    struct answer **place = &set[0];
    for (size_t i = 0; i < WAYS; i++) {
        if (!set[i]) {
            place = &set[i];
            break;
        }
        if (set[i]->read_at < (*place)->read_at)
            place = &set[i];
    }
    if (*place)
        forget(c, place);
    while (c->bytes > c->max_bytes - a->size) {
        struct answer **next = &c->places[c->hand];
        c->hand = (c->hand + 1) % (c->n_sets * WAYS);
        if (*next)
            forget(c, next);
    }
    return place;
}

static void remember(struct cache *c, struct answer *a) {
    if (a->size > c->max_bytes || a->read_at < 0)
        return;
    pthread_mutex_lock(&c->lock);
    struct answer **place = make_place(c, a);
    *place = a;
    a->refs++;
    c->bytes += a->size;
    pthread_mutex_unlock(&c->lock);
}

/* --- reading through --- */

/* A read of the store behind, copied while it is passed on. */
struct reading {
    mereau_emit emit;
    void *arg;
    const mereau_need *need;
    struct mru_buf bytes; /* keys and values, one after the other */
    mereau_record records[MEREAU_MAX_WRITES];
    size_t at[MEREAU_MAX_WRITES]; /* where each record's key is in bytes */
    uint8_t answered[MEREAU_MAX_WRITES];
    int broken; /* an answer came twice, or to no question */
};

static int32_t pass_on(void *arg, size_t index, const mereau_record *record) {
    struct reading *r = arg;
    if (index >= r->need->n_keys || r->answered[index]) {
        r->broken = 1;
    } else {
        r->answered[index] = 1;
        r->at[index] = r->bytes.len;
        if (record) {
            r->records[index] = *record;
            mru_buf_add(&r->bytes, record->key, record->key_len);
            mru_buf_add(&r->bytes, record->value, record->value_len);
        }
    }
    return r->emit(r->arg, index, record);
}

/* All of a reading in one block, or NULL: then it is not remembered. */
static struct answer *keep(const struct reading *r, const struct mru_buf *asked,
                           uint64_t hash, int64_t read_at,
                           const uint32_t *counts) {
    size_t n = r->need->n_keys, size = 0, fixed = 0;
    for (size_t i = 0; i < n; i++)
        if (!r->answered[i]) /* which is not an absence */
            return NULL;
    if (r->bytes.failed || r->broken ||
        mru_mul_size(n, sizeof(mereau_record) + sizeof(uint32_t), &fixed) !=
            0 ||
        mru_add_size(fixed, sizeof(struct answer), &fixed) != 0 ||
        mru_add_size(fixed, asked->len, &size) != 0 ||
        mru_add_size(size, r->bytes.len, &size) != 0)
        return NULL;
    struct answer *a = mru_alloc(size);
    if (!a)
        return NULL;
    a->refs = 1;
    a->size = size;
    a->hash = hash;
    a->read_at = read_at;
    a->n = n;
    a->records = (mereau_record *)(a + 1);
    a->counts = (uint32_t *)(a->records + n);
    uint8_t *at = (uint8_t *)a + fixed;
    a->asked = at;
    a->asked_len = asked->len;
    memcpy(at, asked->data, asked->len);
    at += asked->len;
    if (r->bytes.len > 0)
        memcpy(at, r->bytes.data, r->bytes.len);
    for (size_t i = 0; i < n; i++) {
        a->counts[i] = counts[i];
        a->records[i] = r->records[i];
        a->records[i].key = at + r->at[i];
        a->records[i].value = at + r->at[i] + r->records[i].key_len;
    }
    return a;
}

static int32_t read_through(struct cache *c, const mereau_need *need,
                            const struct mru_buf *asked, uint64_t hash,
                            mereau_emit emit, void *arg) {
    struct reading *r = mru_alloc(sizeof *r);
    uint32_t counts[MEREAU_MAX_WRITES] = {0};
    if (!r) /* it can be read, only not remembered */
        return c->below->get(c->below->user, need, emit, arg);
    r->emit = emit;
    r->arg = arg;
    r->need = need;
    int64_t read_at = c->clock(c->clock_arg);
    pthread_mutex_lock(&c->lock);
    for (size_t i = 0; i < need->n_keys; i++)
        counts[i] = c->counters[counter_of(need, need->keys[i].data,
                                           need->keys[i].len)];
    pthread_mutex_unlock(&c->lock);
    int32_t result = c->below->get(c->below->user, need, pass_on, r);
    if (result == MEREAU_STORE_OK) {
        struct answer *a = keep(r, asked, hash, read_at, counts);
        if (a) {
            remember(c, a);
            give_back(c, a);
        }
    }
    mru_buf_free(&r->bytes);
    mru_free(r);
    return result;
}

static int32_t cache_get(void *user, const mereau_need *need, mereau_emit emit,
                         void *arg) {
    struct cache *c = user;
    struct mru_buf asked = {0};
    if (!(need->flags & MEREAU_READ_STALE_OK) || need->n_keys == 0 ||
        need->n_keys > MEREAU_MAX_WRITES)
        return c->below->get(c->below->user, need, emit, arg);
    write_asked(&asked, need);
    if (asked.failed) {
        mru_buf_free(&asked);
        return c->below->get(c->below->user, need, emit, arg);
    }
    uint64_t hash = hash_more(hash_start, asked.data, asked.len);
    struct answer *a = find(c, need, &asked, hash);
    int32_t result;
    if (a) {
        result = replay(a, emit, arg);
        give_back(c, a);
    } else {
        result = read_through(c, need, &asked, hash, emit, arg);
    }
    mru_buf_free(&asked);
    return result;
}

/* --- writing --- */

static int32_t cache_commit(void *user, const mereau_need *need,
                            size_t *failed) {
    struct cache *c = user;
    int32_t result = c->below->commit(c->below->user, need, failed);
    /* Also what may not have been applied is forgotten: it may have. */
    pthread_mutex_lock(&c->lock);
    for (size_t i = 0; i < need->n_writes; i++)
        if (need->writes[i].kind != MEREAU_WRITE_CHECK)
            c->counters[counter_of(need, need->writes[i].record.key,
                                   need->writes[i].record.key_len)]++;
    pthread_mutex_unlock(&c->lock);
    return result;
}

static int32_t cache_scan(void *user, const mereau_need *need, mereau_emit emit,
                          void *arg) {
    struct cache *c = user;
    return c->below->scan(c->below->user, need, emit, arg);
}

/* --- opening and closing --- */

static void cache_close(void *user) {
    struct cache *c = user;
    for (size_t i = 0; i < c->n_sets * WAYS; i++)
        if (c->places[i])
            forget(c, &c->places[i]);
    mereau_store_close(c->below);
    pthread_mutex_destroy(&c->lock);
    mru_free(c->places);
    mru_free(c);
}

static int64_t monotonic_ms(void *unused) {
    struct timespec now;
    (void)unused;
    if (clock_gettime(CLOCK_MONOTONIC, &now) != 0)
        return -1; /* nothing is remembered then */
    return (int64_t)now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

static struct cache *cache_new(size_t max_bytes) {
    struct cache *c = mru_alloc(sizeof *c);
    size_t size;
    if (!c)
        return NULL;
    c->max_bytes = max_bytes;
    c->n_sets = max_bytes / (GUESS * WAYS) + 1;
    if (mru_mul_size(c->n_sets, WAYS * sizeof *c->places, &size) == 0)
        c->places = mru_alloc(size);
    if (c->places && pthread_mutex_init(&c->lock, NULL) == 0)
        return c;
    mru_free(c->places);
    mru_free(c);
    return NULL;
}

mereau_status mru_read_cache_open(mereau_store **out, mereau_store *below,
                                  size_t max_bytes, int64_t max_stale_ms,
                                  mru_front_clock clock, void *clock_arg,
                                  mereau_error *err) {
    mereau_status status = mru_error_reset(err);
    if (out)
        *out = NULL;
    if (status != MEREAU_OK)
        return status;
    if (!out || !below)
        return mru_refuse(err, MEREAU_E_ARG, "front.below", NULL,
                          "a store to stand in front of", "none");
    if (max_bytes < LEAST_BYTES)
        return mru_refuse(err, MEREAU_E_ARG, "front.bytes", NULL,
                          "4096 bytes or more", "fewer");
    if (max_stale_ms < 1 || max_stale_ms > 3600000)
        return mru_refuse(err, MEREAU_E_ARG, "front.stale", NULL,
                          "1 to 3600000 milliseconds", "another time");
    struct cache *c = cache_new(max_bytes);
    if (!c)
        return mru_refuse(err, MEREAU_E_NOMEM, NULL, NULL, NULL, NULL);
    c->below = below;
    c->clock = clock;
    c->clock_arg = clock_arg;
    c->max_stale_ms = max_stale_ms;
    mereau_store_init(&c->store, sizeof c->store);
    c->store.caps = below->caps | MEREAU_CAP_STALE;
    c->store.user = c;
    c->store.get = cache_get;
    c->store.commit = cache_commit;
    c->store.scan = below->scan ? cache_scan : NULL;
    c->store.close = cache_close;
    *out = &c->store;
    return MEREAU_OK;
}

mereau_status mereau_read_cache_open(mereau_store **out, mereau_store *below,
                                     size_t max_bytes, int64_t max_stale_ms,
                                     mereau_error *err) {
    return mru_read_cache_open(out, below, max_bytes, max_stale_ms,
                               monotonic_ms, NULL, err);
}

mereau_status mereau_read_cache_counts(const mereau_store *store,
                                       uint64_t *asked, uint64_t *answered,
                                       size_t *bytes) {
    if (asked)
        *asked = 0;
    if (answered)
        *answered = 0;
    if (bytes)
        *bytes = 0;
    if (!store || store->get != cache_get)
        return MEREAU_E_ARG;
    struct cache *c = store->user;
    pthread_mutex_lock(&c->lock);
    if (asked)
        *asked = c->asked;
    if (answered)
        *answered = c->answered;
    if (bytes)
        *bytes = c->bytes;
    pthread_mutex_unlock(&c->lock);
    return MEREAU_OK;
}
