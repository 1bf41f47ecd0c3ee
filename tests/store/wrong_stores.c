/* tests/store/wrong_stores.c - each fault is a few lines between the kit and a
 * good store: it alters what is asked, or what is answered. */
#include <ctype.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include <mereau/sqlite.h>

#include "wrong_stores.h"

struct store {
    mereau_store table;
    mereau_store *inner;
    struct wrong *wrong;
    pthread_mutex_t lock;
    unsigned stored;
};

static void pause_us(long us) {
    struct timespec time = {0, us * 1000};
    nanosleep(&time, NULL);
}

/* --- keys, as a wrong store sees them --- */

struct key {
    size_t len;
    uint8_t data[MEREAU_MAX_KEY];
};

static struct key altered(enum fault fault, const mereau_need *need,
                          const uint8_t *data, size_t len) {
    struct key key = {0};
    size_t p = need->partition_len;
    if (fault == PARTITION_AND_KEY_JOINED) {
        size_t rest = len < MEREAU_MAX_KEY - p ? len : MEREAU_MAX_KEY - p;
        memcpy(key.data, need->partition, p);
        memcpy(key.data + p, data, rest);
        key.len = p + rest;
        return key;
    }
    key.len = len;
    if (len > 0)
        memcpy(key.data, data, len);
    if (fault == KEYS_END_AT_NUL) {
        const uint8_t *end = memchr(key.data, 0, len);
        if (end != NULL)
            key.len = (size_t)(end - key.data);
        if (key.len == 0) /* the base wants one byte */
            key.len = 1;
    }
    if (fault == KEYS_ARE_TRIMMED)
        while (key.len > 1 && key.data[key.len - 1] == ' ')
            key.len--;
    if (fault == KEYS_ARE_CUT && key.len > 64)
        key.len = 64;
    for (size_t i = 0; i < key.len; i++) {
        if (fault == KEYS_WITHOUT_CASE)
            key.data[i] = (uint8_t)tolower(key.data[i]);
        if (fault == KEYS_ARE_7_BIT)
            key.data[i] &= 0x7f;
    }
    return key;
}

static uint64_t version_kept(enum fault fault, uint64_t version) {
    if (version == MEREAU_VERSION_ABSENT || version == MEREAU_VERSION_ANY)
        return version;
    if (fault == VERSIONS_OF_32_BITS)
        return version & UINT32_MAX;
    if (fault == VERSIONS_OF_63_BITS)
        return version & INT64_MAX;
    return version;
}

static void alter_partition(enum fault fault, mereau_need *need) {
    if (fault == PARTITIONS_IGNORED || fault == PARTITION_AND_KEY_JOINED) {
        need->partition = (const uint8_t *)"all";
        need->partition_len = 3;
    }
}

/* --- answers, as a wrong store gives them --- */

struct filter {
    enum fault fault;
    const mereau_need *need; /* as it was asked */
    mereau_emit emit;
    void *arg;
    int32_t stopped;
    size_t n;
    size_t offset;
};

static int drops(enum fault fault, const mereau_record *record) {
    int64_t now = (int64_t)time(NULL);
    if (record->drop_at == 0)
        return 0;
    if (fault == DROPS_A_DAY_EARLY)
        return record->drop_at < now + 86400;
    if (fault == DROPS_BY_32_BITS)
        return (int32_t)(uint32_t)record->drop_at < now;
    return 0;
}

static void alter_value(enum fault fault, mereau_record *record) {
    if (fault == VALUES_ARE_TEXT && record->value_len > 0) {
        const uint8_t *end = memchr(record->value, 0, record->value_len);
        if (end != NULL)
            record->value_len = (size_t)(end - record->value);
    }
    if (fault == VALUES_ARE_CUT && record->value_len > 65535)
        record->value_len = 65535;
    if (fault == GET_LOSES_VERSIONS)
        record->version = 1;
    if (fault == SCAN_WITHOUT_VALUES)
        record->value_len = 0;
}

static int32_t pass_get(void *arg, size_t index, const mereau_record *record) {
    struct filter *f = arg;
    mereau_record altered_record = {0};
    int32_t stop;

    if (f->fault == GET_MISSES_ABSENT_KEYS && record == NULL)
        return 0;
    if (f->fault == GET_MIXES_UP_INDEXES && f->need->n_keys > 1)
        index = f->need->n_keys - 1 - index;
    if (f->fault == GET_SHOWS_ABSENT_AS_EMPTY && record == NULL) {
        altered_record.version = 1;
        record = &altered_record;
    }
    if (record != NULL && drops(f->fault, record))
        record = NULL;
    if (record != NULL) {
        if (record != &altered_record)
            altered_record = *record;
        altered_record.key = f->need->keys[index].data;
        altered_record.key_len = f->need->keys[index].len;
        if (f->fault != SCAN_WITHOUT_VALUES)
            alter_value(f->fault, &altered_record);
        record = &altered_record;
    }
    stop = f->emit(f->arg, index, record);
    if (f->fault == GET_DOUBLES_A_KEY && index == 0)
        f->emit(f->arg, index, record);
    f->stopped |= stop;
    return f->fault == GET_GOES_ON_AFTER_STOP ? 0 : stop;
}

/* --- get --- */

/* What this thread read last, for the store that believes it for 4 ms. */
static _Thread_local struct {
    const struct store *store;
    struct key key;
    uint8_t value[16];
    size_t value_len;
    uint64_t version;
    struct timespec at;
    int filled;
} cache;

static int32_t fill_cache(void *arg, size_t index,
                          const mereau_record *record) {
    struct filter *f = arg;
    if (record != NULL && record->value_len <= sizeof cache.value) {
        cache.key.len = record->key_len;
        memcpy(cache.key.data, record->key, record->key_len);
        if (record->value_len > 0)
            memcpy(cache.value, record->value, record->value_len);
        cache.value_len = record->value_len;
        cache.version = record->version;
        clock_gettime(CLOCK_MONOTONIC, &cache.at);
        cache.filled = 1;
    }
    return f->emit(f->arg, index, record);
}

static int32_t get_from_cache(struct store *store, const mereau_need *need,
                              mereau_emit emit, void *arg) {
    struct filter f = {GET_ANSWERS_FROM_A_CACHE, need, emit, arg, 0, 0, 0};
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    if (need->n_keys == 1 && cache.filled && cache.store == store &&
        cache.key.len == need->keys[0].len &&
        memcmp(cache.key.data, need->keys[0].data, cache.key.len) == 0 &&
        now.tv_sec == cache.at.tv_sec &&
        now.tv_nsec - cache.at.tv_nsec < 4000000) {
        mereau_record record = {cache.key.data,  cache.key.len, cache.value,
                                cache.value_len, cache.version, 0};
        return emit(arg, 0, &record) ? MEREAU_STORE_STOPPED : MEREAU_STORE_OK;
    }
    cache.filled = 0;
    cache.store = store;
    return store->inner->get(store->inner->user, need,
                             need->n_keys == 1 ? fill_cache : pass_get, &f);
}

struct single {
    struct filter *filter;
    size_t index;
};

static int32_t pass_single(void *arg, size_t index,
                           const mereau_record *record) {
    struct single *single = arg;
    (void)index;
    return pass_get(single->filter, single->index, record);
}

static int32_t get_key_by_key(struct store *store, const mereau_need *need,
                              struct filter *filter) {
    struct single single = {filter, 0};
    mereau_need one = *need;
    int32_t result = MEREAU_STORE_OK;
    one.n_keys = 1;
    for (size_t i = 0; i < need->n_keys && result == MEREAU_STORE_OK; i++) {
        one.keys = &need->keys[i];
        single.index = i;
        if (i > 0)
            pause_us(100); /* a round trip */
        result =
            store->inner->get(store->inner->user, &one, pass_single, &single);
    }
    return result;
}

static int32_t wrong_get(void *user, const mereau_need *need, mereau_emit emit,
                         void *arg) {
    struct store *store = user;
    enum fault fault = store->wrong->fault;
    struct filter filter = {fault, need, emit, arg, 0, 0, 0};
    struct key *keys = calloc(need->n_keys + 1, sizeof *keys);
    mereau_slice *slices = calloc(need->n_keys + 1, sizeof *slices);
    mereau_need inner = *need;
    int32_t result = MEREAU_STORE_IO;

    if (keys != NULL && slices != NULL) {
        for (size_t i = 0; i < need->n_keys; i++) {
            keys[i] =
                altered(fault, need, need->keys[i].data, need->keys[i].len);
            slices[i].data = keys[i].data;
            slices[i].len = keys[i].len;
        }
        inner.keys = slices;
        alter_partition(fault, &inner);
        if (fault == GET_ANSWERS_FROM_A_CACHE)
            result = get_from_cache(store, need, emit, arg);
        else if (fault == GET_READS_KEY_BY_KEY)
            result = get_key_by_key(store, need, &filter);
        else
            result = store->inner->get(store->inner->user, &inner, pass_get,
                                       &filter);
    }
    free(keys);
    free(slices);
    return result;
}

/* --- commit --- */

struct batch {
    mereau_need need;
    mereau_write writes[MEREAU_MAX_WRITES];
    struct key keys[MEREAU_MAX_WRITES];
};

static int32_t commit_inner(struct store *store, mereau_need *need,
                            size_t *failed) {
    return store->inner->commit(store->inner->user, need, failed);
}

static int32_t take_version(void *arg, size_t index,
                            const mereau_record *record) {
    (void)index;
    *(uint64_t *)arg = record ? record->version : MEREAU_VERSION_ABSENT;
    return 0;
}

static uint64_t version_now(struct store *store, const mereau_need *need,
                            const mereau_write *write) {
    mereau_slice slice = {write->record.key, write->record.key_len};
    mereau_need get = *need;
    uint64_t version = MEREAU_VERSION_ABSENT;
    get.kind = MEREAU_NEED_GET;
    get.keys = &slice;
    get.n_keys = 1;
    store->inner->get(store->inner->user, &get, take_version, &version);
    return version;
}

/* The first write whose condition does not hold at this moment. */
static size_t first_failing(struct store *store, const mereau_need *need) {
    for (size_t i = 0; i < need->n_writes; i++) {
        const mereau_write *write = &need->writes[i];
        if (write->expect != MEREAU_VERSION_ANY &&
            version_now(store, need, write) != write->expect)
            return i;
    }
    return need->n_writes;
}

/* Applies writes each by itself; conditions were looked at before, if at all. */
static int32_t apply_each(struct store *store, struct batch *batch,
                          int keep_conditions, long us) {
    mereau_need one = batch->need;
    int32_t result = MEREAU_STORE_OK;
    size_t failed;
    one.n_writes = 1;
    for (size_t i = 0; i < batch->need.n_writes && result == MEREAU_STORE_OK;
         i++) {
        if (batch->writes[i].kind == MEREAU_WRITE_CHECK && !keep_conditions)
            continue;
        if (!keep_conditions)
            batch->writes[i].expect = MEREAU_VERSION_ANY;
        one.writes = &batch->writes[i];
        if (us > 0 && i > 0)
            pause_us(us);
        result = commit_inner(store, &one, &failed);
    }
    return result;
}

/* Looks at the conditions, then writes, with time between: one caller at a time
 * looks all right. */
static int32_t look_then_write(struct store *store, struct batch *batch,
                               long us, size_t *failed) {
    size_t bad = first_failing(store, &batch->need);
    if (bad < batch->need.n_writes) {
        *failed = bad;
        return MEREAU_STORE_CONFLICT;
    }
    pause_us(us);
    for (size_t i = 0; i < batch->need.n_writes; i++)
        if (batch->writes[i].kind != MEREAU_WRITE_CHECK)
            batch->writes[i].expect = MEREAU_VERSION_ANY;
    /* CHECKs go too: they would catch some of it. */
    return apply_each(store, batch, 0, 0);
}

/* CHECKs are looked at first, and not again. */
static int32_t checks_then_rest(struct store *store, struct batch *batch,
                                size_t *failed) {
    struct batch *rest = calloc(1, sizeof *rest);
    int32_t result = MEREAU_STORE_IO;
    size_t n = 0, unused, i;
    if (rest == NULL)
        return result;
    for (i = 0; i < batch->need.n_writes; i++) {
        const mereau_write *write = &batch->writes[i];
        if (write->kind != MEREAU_WRITE_CHECK)
            rest->writes[n++] = *write;
        else if (version_now(store, &batch->need, write) != write->expect)
            break;
    }
    if (i < batch->need.n_writes) {
        *failed = i;
        result = MEREAU_STORE_CONFLICT;
    } else {
        pause_us(100);
        rest->need = batch->need;
        rest->need.writes = rest->writes;
        rest->need.n_writes = n;
        result = n == 0 ? MEREAU_STORE_OK
                        : commit_inner(store, &rest->need, &unused);
        if (result == MEREAU_STORE_CONFLICT)
            *failed = first_failing(store, &batch->need);
    }
    free(rest);
    return result;
}

/* Inserts are tested before, other conditions properly. */
static int32_t test_then_insert(struct store *store, struct batch *batch,
                                size_t *failed) {
    for (size_t i = 0; i < batch->need.n_writes; i++) {
        mereau_write *write = &batch->writes[i];
        if (write->expect != MEREAU_VERSION_ABSENT)
            continue;
        if (version_now(store, &batch->need, write) != MEREAU_VERSION_ABSENT) {
            *failed = i;
            return MEREAU_STORE_CONFLICT;
        }
        write->expect = MEREAU_VERSION_ANY;
    }
    pause_us(100);
    return commit_inner(store, &batch->need, failed);
}

/* Whole to whom it asks, and one after the other in the store. */
static int32_t write_one_by_one(struct store *store, struct batch *batch,
                                size_t *failed) {
    size_t bad;
    int32_t result = MEREAU_STORE_CONFLICT;
    pthread_mutex_lock(&store->lock);
    bad = first_failing(store, &batch->need);
    if (bad < batch->need.n_writes)
        *failed = bad;
    else
        result = apply_each(store, batch, 0, 50);
    pthread_mutex_unlock(&store->lock);
    return result;
}

static void drop_write(struct batch *batch, size_t at) {
    batch->need.n_writes--;
    memmove(&batch->writes[at], &batch->writes[at + 1],
            (batch->need.n_writes - at) * sizeof batch->writes[0]);
}

static int holds_put(const struct batch *batch) {
    for (size_t i = 0; i < batch->need.n_writes; i++)
        if (batch->writes[i].kind == MEREAU_WRITE_PUT)
            return 1;
    return 0;
}

/* What some faults do to one write. Returns 1 when it is left out. */
static int alter_write(struct store *store, struct batch *batch,
                       mereau_write *write, int beside_put) {
    enum fault fault = store->wrong->fault;
    int put = write->kind == MEREAU_WRITE_PUT;
    int delete = write->kind == MEREAU_WRITE_DELETE;
    int check = write->kind == MEREAU_WRITE_CHECK;

    (void)batch;
    write->expect = version_kept(fault, write->expect);
    write->record.version = version_kept(fault, write->record.version);
    if (fault == PUT_IGNORES_ABSENT && put &&
        write->expect == MEREAU_VERSION_ABSENT)
        write->expect = MEREAU_VERSION_ANY;
    if (fault == PUT_IGNORES_VERSION && put &&
        write->expect != MEREAU_VERSION_ABSENT)
        write->expect = MEREAU_VERSION_ANY;
    if (fault == DELETE_IGNORES_VERSION && delete)
        write->expect = MEREAU_VERSION_ANY;
    if (fault == CHECK_WRITES && check) {
        write->kind = MEREAU_WRITE_PUT;
        write->record.version = write->expect;
        write->record.value = NULL;
        write->record.value_len = 0;
    }
    if (fault == EMPTY_VALUE_DELETES && put && write->record.value_len == 0) {
        write->kind = MEREAU_WRITE_DELETE;
        if (write->expect == MEREAU_VERSION_ABSENT)
            write->expect = MEREAU_VERSION_ANY;
    }
    return (fault == CHECK_IGNORED && check) ||
           (fault == DELETE_DOES_NOTHING && delete) ||
           (fault == DELETES_LOST_BESIDE_PUTS && delete &&beside_put) ||
           (fault == FULL_AFTER_1000 && put && store->stored++ >= 1000);
}

/* Conditions that the contract does not have. */
static int refused(struct store *store, const mereau_need *need) {
    enum fault fault = store->wrong->fault;
    if (fault != PUT_ANY_ONLY_UPDATES && fault != DELETE_ANY_WANTS_A_RECORD)
        return 0;
    for (size_t i = 0; i < need->n_writes; i++) {
        const mereau_write *write = &need->writes[i];
        if (write->kind == (fault == PUT_ANY_ONLY_UPDATES
                                ? (uint32_t)MEREAU_WRITE_PUT
                                : (uint32_t)MEREAU_WRITE_DELETE) &&
            write->expect == MEREAU_VERSION_ANY &&
            version_now(store, need, write) == MEREAU_VERSION_ABSENT)
            return 1;
    }
    return 0;
}

static void load(struct store *store, struct batch *batch,
                 const mereau_need *need) {
    enum fault fault = store->wrong->fault;
    int beside_put;
    batch->need = *need;
    batch->need.writes = batch->writes;
    if (fault == BATCH_IS_CUT && batch->need.n_writes > 100)
        batch->need.n_writes = 100;
    for (size_t i = 0; i < batch->need.n_writes; i++) {
        mereau_write *write = &batch->writes[i];
        *write = need->writes[i];
        batch->keys[i] =
            altered(fault, need, write->record.key, write->record.key_len);
        write->record.key = batch->keys[i].data;
        write->record.key_len = batch->keys[i].len;
    }
    alter_partition(fault, &batch->need);
    beside_put = holds_put(batch);
    for (size_t i = 0; i < batch->need.n_writes;)
        if (alter_write(store, batch, &batch->writes[i], beside_put))
            drop_write(batch, i);
        else
            i++;
}

static int32_t commit_by_fault(struct store *store, struct batch *batch,
                               size_t *failed) {
    int32_t result;
    switch (store->wrong->fault) {
    case CHECK_BEFORE_THE_LOCK:
        return checks_then_rest(store, batch, failed);
    case CONFLICT_APPLIES_WHAT_WENT_BEFORE:
        return apply_each(store, batch, 1, 0);
    case WRITES_ONE_BY_ONE:
        return write_one_by_one(store, batch, failed);
    case LAST_WRITE_WINS:
        return look_then_write(store, batch, 100, failed);
    case ABSENT_THEN_INSERT:
        return test_then_insert(store, batch, failed);
    case CONFLICT_BLAMES_THE_FIRST:
        result = commit_inner(store, &batch->need, failed);
        if (result == MEREAU_STORE_CONFLICT)
            *failed = 0;
        return result;
    default:
        return commit_inner(store, &batch->need, failed);
    }
}

static int32_t wrong_commit(void *user, const mereau_need *need,
                            size_t *failed) {
    struct store *store = user;
    struct batch *batch = calloc(1, sizeof *batch);
    int32_t result = MEREAU_STORE_IO;
    if (batch != NULL) {
        cache.filled = 0;
        if (refused(store, need)) {
            result = MEREAU_STORE_CONFLICT;
        } else {
            load(store, batch, need);
            result = batch->need.n_writes == 0
                         ? MEREAU_STORE_OK
                         : commit_by_fault(store, batch, failed);
        }
    }
    free(batch);
    return result;
}

/* --- scan --- */

static int32_t pass_scan(void *arg, size_t index, const mereau_record *record) {
    struct filter *f = arg;
    mereau_record altered_record = *record;
    int32_t stop;
    (void)index;
    if (f->fault == SCAN_BEHIND_FROM && f->need->from_len > 0 &&
        record->key_len == f->need->from_len &&
        memcmp(record->key, f->need->from, record->key_len) == 0)
        return 0;
    if (f->fault == SCAN_SKIPS_AT_CURSORS && f->offset > 0) {
        f->offset--;
        return 0;
    }
    alter_value(f->fault, &altered_record);
    stop = f->emit(f->arg, f->n++, &altered_record);
    f->stopped |= stop;
    return f->fault == SCAN_GOES_ON_AFTER_STOP ? 0 : stop;
}

/* Keeps copies, to emit them the other way round. */
struct kept {
    struct key keys[200];
    mereau_record records[200];
    uint8_t values[200][16];
    size_t n;
};

static int32_t keep(void *arg, size_t index, const mereau_record *record) {
    struct kept *kept = arg;
    size_t i = kept->n;
    (void)index;
    if (i == 200 || record->value_len > sizeof kept->values[0])
        return 1;
    kept->keys[i].len = record->key_len;
    memcpy(kept->keys[i].data, record->key, record->key_len);
    memcpy(kept->values[i], record->value, record->value_len);
    kept->records[i] = *record;
    kept->records[i].key = kept->keys[i].data;
    kept->records[i].value = kept->values[i];
    kept->n++;
    return 0;
}

static int32_t scan_backwards(struct store *store, const mereau_need *need,
                              struct filter *filter) {
    struct kept *kept = calloc(1, sizeof *kept);
    if (kept != NULL) {
        store->inner->scan(store->inner->user, need, keep, kept);
        while (kept->n > 0 && !filter->stopped)
            pass_scan(filter, 0, &kept->records[--kept->n]);
    }
    free(kept);
    return filter->stopped ? MEREAU_STORE_STOPPED : MEREAU_STORE_OK;
}

/* Two records at a time by their number, as if nobody wrote meanwhile. */
static int32_t scan_by_offset(struct store *store, const mereau_need *need,
                              struct filter *filter) {
    struct kept *kept = calloc(1, sizeof *kept);
    mereau_need part = *need;
    size_t seen = 0;
    int more = kept != NULL;
    while (more && !filter->stopped && seen < need->limit) {
        kept->n = 0;
        part.limit = seen + 2;
        store->inner->scan(store->inner->user, &part, keep, kept);
        more = kept->n == seen + 2;
        for (; seen < kept->n && seen < need->limit && !filter->stopped; seen++)
            pass_scan(filter, 0, &kept->records[seen]);
        if (more)
            pause_us(20);
    }
    free(kept);
    return filter->stopped ? MEREAU_STORE_STOPPED : MEREAU_STORE_OK;
}

static int32_t scan_with_neighbours(struct store *store,
                                    const mereau_need *need,
                                    struct filter *filter) {
    mereau_need next = *need;
    uint8_t name[80];
    int32_t result =
        store->inner->scan(store->inner->user, need, pass_scan, filter);
    if (result != MEREAU_STORE_OK || filter->n >= need->limit)
        return result;
    memcpy(name, need->partition, need->partition_len);
    name[need->partition_len] = 'a';
    next.partition = name;
    next.partition_len++;
    next.limit -= filter->n;
    return store->inner->scan(store->inner->user, &next, pass_scan, filter);
}

static int32_t wrong_scan(void *user, const mereau_need *need, mereau_emit emit,
                          void *arg) {
    struct store *store = user;
    enum fault fault = store->wrong->fault;
    struct filter filter = {fault, need, emit, arg, 0, 0, 0};
    mereau_need inner = *need;
    uint8_t to[MEREAU_MAX_KEY + 1];

    alter_partition(fault, &inner);
    if (fault == SCAN_INCLUDES_TO && need->to_len > 0) {
        memcpy(to, need->to, need->to_len);
        to[need->to_len] = 0;
        inner.to = to;
        inner.to_len++;
    }
    if (fault == SCAN_IGNORES_LIMIT)
        inner.limit = SIZE_MAX;
    if (fault == SCAN_SKIPS_AT_CURSORS && need->from_len > 1 &&
        need->from[need->from_len - 1] == 0) {
        filter.offset = 1;
        inner.limit++;
    }
    if (fault == SCAN_BACKWARDS)
        return scan_backwards(store, need, &filter);
    if (fault == SCAN_BY_OFFSET)
        return scan_by_offset(store, need, &filter);
    if (fault == SCAN_RUNS_INTO_NEIGHBOURS)
        return scan_with_neighbours(store, need, &filter);
    return store->inner->scan(store->inner->user, &inner, pass_scan, &filter);
}

/* --- open and close --- */

static void wrong_close(void *user) {
    struct store *store = user;
    if (store->wrong->base != WRONG_KEPT)
        mereau_store_close(store->inner);
    pthread_mutex_destroy(&store->lock);
    free(store);
}

static int open_inner(struct wrong *wrong, mereau_store **inner) {
    if (wrong->base == WRONG_SQLITE)
        return mereau_sqlite_open(inner, wrong->path, NULL) != MEREAU_OK;
    if (wrong->base == WRONG_KEPT && wrong->kept != NULL) {
        *inner = wrong->kept;
        return 0;
    }
    if (mereau_memory_open(inner, NULL) != MEREAU_OK)
        return 1;
    if (wrong->base == WRONG_KEPT)
        wrong->kept = *inner;
    return 0;
}

int32_t wrong_open(void *user, mereau_store **out) {
    struct store *store = calloc(1, sizeof *store);
    if (store == NULL)
        return 1;
    store->wrong = user;
    if (open_inner(store->wrong, &store->inner) != 0) {
        free(store);
        return 1;
    }
    pthread_mutex_init(&store->lock, NULL);
    mereau_store_init(&store->table, sizeof store->table);
    store->table.caps = store->inner->caps | store->wrong->caps;
    store->table.user = store;
    store->table.get = wrong_get;
    store->table.commit = wrong_commit;
    store->table.scan = wrong_scan;
    store->table.close = wrong_close;
    *out = &store->table;
    return 0;
}

void wrong_forget(struct wrong *wrong) {
    mereau_store_close(wrong->kept);
    wrong->kept = NULL;
}
