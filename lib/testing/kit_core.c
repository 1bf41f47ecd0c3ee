/* lib/testing/kit_core.c - the tools of the store kit: keys, gets, commits, the
 * reason of a failure, and what is to be swept up after a check. */
#define _POSIX_C_SOURCE 200809L
#include <pthread.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "kit_run.h"

#define BUSY_TRIES 400
#define BUSY_MS 5

/* --- keys --- */

struct mru_kit_key mru_kit_key(const void *data, size_t len) {
    struct mru_kit_key key = {0};
    key.len = len <= MEREAU_MAX_KEY ? len : MEREAU_MAX_KEY;
    memcpy(key.data, data, key.len);
    return key;
}

struct mru_kit_key mru_kit_key_text(const char *text) {
    return mru_kit_key(text, strlen(text));
}

struct mru_kit_key mru_kit_key_number(const char *prefix, uint32_t number) {
    char text[64];
    snprintf(text, sizeof text, "%.40s%06u", prefix, (unsigned)number);
    return mru_kit_key_text(text);
}

int mru_kit_key_compare(const struct mru_kit_key *a,
                        const struct mru_kit_key *b) {
    size_t n = a->len < b->len ? a->len : b->len;
    int order = memcmp(a->data, b->data, n);
    return order != 0 ? order : (a->len > b->len) - (a->len < b->len);
}

uint64_t mru_kit_hash(const uint8_t *data, size_t len) {
    uint64_t h = UINT64_C(0xcbf29ce484222325);
    for (size_t i = 0; i < len; i++)
        h = (h ^ data[i]) * UINT64_C(0x100000001b3);
    return h;
}

static void number_bytes(uint8_t out[8], uint64_t number) {
    for (int i = 0; i < 8; i++)
        out[i] = (uint8_t)(number >> (56 - 8 * i));
}

uint64_t mru_kit_row_number(const struct mru_kit_row *row) {
    uint64_t number = 0;
    for (int i = 0; i < 8; i++)
        number = number << 8 | row->head[i];
    return number;
}

/* --- numbers and time --- */

static uint64_t mix(uint64_t x) {
    x += UINT64_C(0x9e3779b97f4a7c15);
    x = (x ^ (x >> 30)) * UINT64_C(0xbf58476d1ce4e5b9);
    x = (x ^ (x >> 27)) * UINT64_C(0x94d049bb133111eb);
    return x ^ (x >> 31);
}

uint64_t mru_kit_version(struct mru_kit *kit) {
    uint64_t version;
    pthread_mutex_lock(&kit->lock);
    /* mix is a bijection: distinct numbers give distinct versions. */
    do
        version = mix(kit->given.seed + kit->versions++);
    while (version == MEREAU_VERSION_ABSENT || version == MEREAU_VERSION_ANY);
    pthread_mutex_unlock(&kit->lock);
    return version;
}

void mru_kit_be_child(struct mru_kit *kit, uint32_t index) {
    kit->versions += (uint64_t)(index + 1) << 32;
}

uint32_t mru_kit_random(struct mru_kit *kit, uint32_t n) {
    return (uint32_t)(mix(kit->random++) % n);
}

int64_t mru_kit_now_ms(void) {
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (int64_t)now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

void mru_kit_sleep_ms(int64_t ms) {
    struct timespec time = {(time_t)(ms / 1000), (long)(ms % 1000) * 1000000};
    nanosleep(&time, NULL);
}

/* --- the reason of a failure --- */

void mru_kit_fail(struct mru_kit *kit, const char *format, ...) {
    va_list args;
    pthread_mutex_lock(&kit->lock);
    if (!kit->failed) {
        va_start(args, format);
        vsnprintf(kit->why, sizeof kit->why, format, args);
        va_end(args);
    }
    kit->failed = 1;
    pthread_mutex_unlock(&kit->lock);
}

int mru_kit_failed(struct mru_kit *kit) {
    int failed;
    pthread_mutex_lock(&kit->lock);
    failed = kit->failed;
    pthread_mutex_unlock(&kit->lock);
    return failed;
}

const char *mru_kit_why(const struct mru_kit *kit) { return kit->why; }

const mereau_store *mru_kit_store(const struct mru_kit *kit) {
    return kit->store;
}

uint32_t mru_kit_caps(const struct mru_kit *kit) { return kit->caps; }

const mereau_store_kit *mru_kit_given(const struct mru_kit *kit) {
    return &kit->given;
}

int64_t mru_kit_race_ms(const struct mru_kit *kit) {
    return kit->given.race_ms;
}

static const char *result_name(int32_t result) {
    static const char *const names[] = {"OK",      "CONFLICT",   "BUSY",
                                        "UNKNOWN", "IO",         "LIMIT",
                                        "STOPPED", "UNSUPPORTED"};
    if (result < 0 || result >= (int32_t)(sizeof names / sizeof names[0]))
        return "something that is no MEREAU_STORE_ value";
    return names[result];
}

/* --- reading --- */

void mru_kit_need(const struct mru_kit *kit, mereau_need *need, uint32_t kind) {
    memset(need, 0, sizeof *need);
    need->size = (uint32_t)sizeof *need;
    need->kind = kind;
    need->partition = (const uint8_t *)kit->partition;
    need->partition_len = strlen(kit->partition);
}

static void keep_row(struct mru_kit_row *row, const mereau_record *record) {
    row->there = 1;
    row->version = record->version;
    row->drop_at = record->drop_at;
    row->value_len = record->value_len;
    row->hash = mru_kit_hash(record->value, record->value_len);
    if (record->value_len > 0) /* an empty value may be NULL */
        memcpy(row->head, record->value,
               record->value_len < sizeof row->head ? record->value_len
                                                    : sizeof row->head);
}

struct getting {
    struct mru_kit *kit;
    const size_t *order; /* of the sorted keys, where they were asked for */
    struct mru_kit_row *rows;
    size_t n;
};

static int32_t take_get(void *arg, size_t index, const mereau_record *record) {
    struct getting *getting = arg;
    struct mru_kit_row *row;
    if (index >= getting->n) {
        mru_kit_fail(getting->kit, "get emitted index %zu of %zu keys", index,
                     getting->n);
        return 0;
    }
    row = &getting->rows[getting->order[index]];
    row->answers++;
    if (row->answers > 1)
        mru_kit_fail(getting->kit, "get emitted key %zu twice", index);
    if (record == NULL)
        return 0;
    if (record->key == NULL || record->key_len != row->key.len ||
        memcmp(record->key, row->key.data, row->key.len) != 0)
        mru_kit_fail(getting->kit, "get emitted another key for index %zu",
                     index);
    else if (record->value == NULL && record->value_len > 0)
        mru_kit_fail(getting->kit, "get emitted a value that is NULL");
    else
        keep_row(row, record);
    return 0;
}

static void forget_rows(struct mru_kit_row *rows,
                        const struct mru_kit_key *keys, size_t n) {
    memset(rows, 0, n * sizeof *rows);
    for (size_t i = 0; i < n; i++)
        rows[i].key = keys[i];
}

static int get_sorted(struct mru_kit *kit, const mereau_need *need,
                      const struct mru_kit_key *keys, struct getting *getting) {
    int32_t result = MEREAU_STORE_BUSY;
    for (int i = 0; i < BUSY_TRIES && result == MEREAU_STORE_BUSY; i++) {
        if (i > 0)
            mru_kit_sleep_ms(BUSY_MS);
        forget_rows(getting->rows, keys, getting->n);
        result = kit->store->get(kit->store->user, need, take_get, getting);
    }
    if (result != MEREAU_STORE_OK) {
        mru_kit_fail(kit, "get answered %s", result_name(result));
        return -1;
    }
    for (size_t i = 0; i < getting->n; i++)
        if (getting->rows[i].answers == 0)
            mru_kit_fail(kit, "get of %zu keys left one without an answer",
                         getting->n);
    return mru_kit_failed(kit) ? -1 : 0;
}

/* Insertion sort: batches are small, and mostly sorted already. */
static void sort_order(size_t *order, const struct mru_kit_key *keys,
                       size_t n) {
    for (size_t i = 0; i < n; i++) {
        size_t j = i;
        for (; j > 0 && mru_kit_key_compare(&keys[order[j - 1]], &keys[i]) > 0;
             j--)
            order[j] = order[j - 1];
        order[j] = i;
    }
}

int mru_kit_get(struct mru_kit *kit, const struct mru_kit_key *keys, size_t n,
                struct mru_kit_row *rows) {
    struct getting getting = {kit, NULL, rows, n};
    size_t *order = calloc(n + 1, sizeof *order);
    mereau_slice *slices = calloc(n + 1, sizeof *slices);
    mereau_need need;
    int done = -1;

    if (order == NULL || slices == NULL) {
        mru_kit_fail(kit, "the kit has no memory");
    } else {
        sort_order(order, keys, n);
        for (size_t i = 0; i < n; i++) {
            slices[i].data = keys[order[i]].data;
            slices[i].len = keys[order[i]].len;
        }
        getting.order = order;
        mru_kit_need(kit, &need, MEREAU_NEED_GET);
        need.keys = slices;
        need.n_keys = n;
        done = get_sorted(kit, &need, keys, &getting);
    }
    free(order);
    free(slices);
    return done;
}

int mru_kit_get_one(struct mru_kit *kit, const struct mru_kit_key *key,
                    struct mru_kit_row *row) {
    return mru_kit_get(kit, key, 1, row);
}

struct scanning {
    struct mru_kit *kit;
    struct mru_kit_row *rows;
    size_t room;
    size_t n;
};

static int32_t take_scan(void *arg, size_t index, const mereau_record *record) {
    struct scanning *scanning = arg;
    struct mru_kit_row *row = &scanning->rows[scanning->n];
    if (record == NULL || record->key == NULL || record->key_len == 0 ||
        record->key_len > MEREAU_MAX_KEY ||
        (record->value == NULL && record->value_len > 0)) {
        mru_kit_fail(scanning->kit, "scan emitted no proper record");
        return 1;
    }
    if (index != scanning->n)
        mru_kit_fail(scanning->kit, "scan counted %zu where %zu was due", index,
                     scanning->n);
    if (scanning->n == scanning->room) {
        mru_kit_fail(scanning->kit, "scan emitted more records than there are");
        return 1;
    }
    memset(row, 0, sizeof *row);
    row->key = mru_kit_key(record->key, record->key_len);
    row->answers = 1;
    keep_row(row, record);
    scanning->n++;
    return 0;
}

int mru_kit_scan(struct mru_kit *kit, const struct mru_kit_key *from,
                 const struct mru_kit_key *to, size_t limit,
                 struct mru_kit_row *rows, size_t room, size_t *n) {
    struct scanning scanning = {kit, rows, room, 0};
    int32_t result = MEREAU_STORE_BUSY;
    mereau_need need;

    mru_kit_need(kit, &need, MEREAU_NEED_SCAN);
    need.from = from ? from->data : NULL;
    need.from_len = from ? from->len : 0;
    need.to = to ? to->data : NULL;
    need.to_len = to ? to->len : 0;
    need.limit = limit;
    *n = 0;
    for (int i = 0; i < BUSY_TRIES && result == MEREAU_STORE_BUSY; i++) {
        if (i > 0)
            mru_kit_sleep_ms(BUSY_MS);
        scanning.n = 0;
        result =
            kit->store->scan(kit->store->user, &need, take_scan, &scanning);
    }
    if (result != MEREAU_STORE_OK) {
        mru_kit_fail(kit, "scan answered %s", result_name(result));
        return -1;
    }
    *n = scanning.n;
    return mru_kit_failed(kit) ? -1 : 0;
}

int mru_kit_expect(struct mru_kit *kit, const struct mru_kit_key *key,
                   uint64_t version, const void *value, size_t value_len) {
    struct mru_kit_row row;
    if (mru_kit_get_one(kit, key, &row) != 0)
        return -1;
    if (!row.there)
        mru_kit_fail(kit, "a record that was written is not there");
    else if (row.version != version)
        mru_kit_fail(kit, "version %llu came back as %llu",
                     (unsigned long long)version,
                     (unsigned long long)row.version);
    else if (row.value_len != value_len)
        mru_kit_fail(kit, "a value of %zu bytes came back with %zu", value_len,
                     row.value_len);
    else if (row.hash != mru_kit_hash(value, value_len))
        mru_kit_fail(kit, "a value of %zu bytes came back with other bytes",
                     value_len);
    else
        return 0;
    return -1;
}

int mru_kit_expect_absent(struct mru_kit *kit, const struct mru_kit_key *key) {
    struct mru_kit_row row;
    if (mru_kit_get_one(kit, key, &row) != 0)
        return -1;
    if (row.there)
        mru_kit_fail(kit, "a record is there that should not be");
    return row.there ? -1 : 0;
}

/* --- writing --- */

void mru_kit_begin(struct mru_kit_batch *batch) {
    batch->n = 0;
    batch->failed = SIZE_MAX;
}

static mereau_write *add(struct mru_kit_batch *batch, uint32_t kind,
                         const struct mru_kit_key *key, uint64_t expect) {
    mereau_write *write = &batch->writes[batch->n];
    memset(write, 0, sizeof *write);
    batch->keys[batch->n] = *key;
    write->kind = kind;
    write->expect = expect;
    write->record.key = batch->keys[batch->n].data;
    write->record.key_len = key->len;
    batch->n++;
    return write;
}

void mru_kit_put(struct mru_kit_batch *batch, const struct mru_kit_key *key,
                 uint64_t expect, uint64_t version, const void *value,
                 size_t value_len) {
    mereau_write *write = add(batch, MEREAU_WRITE_PUT, key, expect);
    write->record.version = version;
    write->record.value = value;
    write->record.value_len = value_len;
}

void mru_kit_put_number(struct mru_kit_batch *batch,
                        const struct mru_kit_key *key, uint64_t expect,
                        uint64_t version, uint64_t number) {
    uint8_t *bytes = batch->numbers[batch->n];
    number_bytes(bytes, number);
    mru_kit_put(batch, key, expect, version, bytes, 8);
}

void mru_kit_delete(struct mru_kit_batch *batch, const struct mru_kit_key *key,
                    uint64_t expect) {
    add(batch, MEREAU_WRITE_DELETE, key, expect);
}

void mru_kit_check(struct mru_kit_batch *batch, const struct mru_kit_key *key,
                   uint64_t expect) {
    add(batch, MEREAU_WRITE_CHECK, key, expect);
}

static int write_order(const void *a, const void *b) {
    const mereau_record *x = &((const mereau_write *)a)->record;
    const mereau_record *y = &((const mereau_write *)b)->record;
    size_t n = x->key_len < y->key_len ? x->key_len : y->key_len;
    int order = memcmp(x->key, y->key, n);
    return order != 0 ? order
                      : (x->key_len > y->key_len) - (x->key_len < y->key_len);
}

int32_t mru_kit_commit(struct mru_kit *kit, struct mru_kit_batch *batch) {
    int32_t result = MEREAU_STORE_BUSY;
    mereau_need need;

    qsort(batch->writes, batch->n, sizeof batch->writes[0], write_order);
    mru_kit_need(kit, &need, MEREAU_NEED_COMMIT);
    need.writes = batch->writes;
    need.n_writes = batch->n;
    for (int i = 0; i < BUSY_TRIES && result == MEREAU_STORE_BUSY; i++) {
        if (i > 0)
            mru_kit_sleep_ms(BUSY_MS);
        batch->failed = SIZE_MAX;
        result = kit->store->commit(kit->store->user, &need, &batch->failed);
    }
    if (result != MEREAU_STORE_OK && result != MEREAU_STORE_CONFLICT)
        mru_kit_fail(kit, "commit answered %s", result_name(result));
    for (size_t i = 0; i < batch->n && result == MEREAU_STORE_OK; i++) {
        const mereau_write *write = &batch->writes[i];
        /* Writes over a version replace what is remembered already. */
        if (write->kind == MEREAU_WRITE_PUT &&
            (write->expect == MEREAU_VERSION_ABSENT ||
             write->expect == MEREAU_VERSION_ANY)) {
            struct mru_kit_key key =
                mru_kit_key(write->record.key, write->record.key_len);
            mru_kit_remember(kit, &key);
        }
    }
    return result;
}

int mru_kit_commit_as(struct mru_kit *kit, struct mru_kit_batch *batch,
                      int32_t wanted, const char *what) {
    int32_t result = mru_kit_commit(kit, batch);
    if (result != wanted)
        mru_kit_fail(kit, "%s: commit answered %s instead of %s", what,
                     result_name(result), result_name(wanted));
    return result == wanted ? 0 : -1;
}

int mru_kit_put_as(struct mru_kit *kit, const struct mru_kit_key *key,
                   uint64_t expect, uint64_t version, const char *value,
                   int32_t wanted, const char *what) {
    struct mru_kit_batch *batch = calloc(1, sizeof *batch);
    int done = -1;
    if (batch == NULL) {
        mru_kit_fail(kit, "the kit has no memory");
        return -1;
    }
    mru_kit_begin(batch);
    mru_kit_put(batch, key, expect, version, value, strlen(value));
    done = mru_kit_commit_as(kit, batch, wanted, what);
    free(batch);
    return done;
}

/* --- what is to be swept up --- */

/* Whether one of the last few keys that were remembered is this one: stress
 * writes the same few keys over and over. */
static int known(const struct mru_kit *kit, const struct mru_kit_key *key) {
    const struct mru_kit_left *left = kit->left;
    for (int i = 0; i < 24 && left != NULL; i++, left = left->next)
        if (mru_kit_key_compare(&left->key, key) == 0 &&
            strcmp(left->partition, kit->partition) == 0)
            return 1;
    return 0;
}

void mru_kit_remember(struct mru_kit *kit, const struct mru_kit_key *key) {
    struct mru_kit_left *left = NULL;
    pthread_mutex_lock(&kit->lock);
    if (!known(kit, key))
        left = calloc(1, sizeof *left);
    if (left != NULL) {
        snprintf(left->partition, sizeof left->partition, "%s", kit->partition);
        left->key = *key;
        left->next = kit->left;
        kit->left = left;
    }
    pthread_mutex_unlock(&kit->lock);
}
