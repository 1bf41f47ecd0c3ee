/* lib/transact/memory.c - the store in memory: a skip list behind one lock, for
 * tests, caches and as the model that other stores are measured by.
 *
 * It is stricter than it has to be, so that a mistake of the library shows here
 * first: a write whose kind or expectation the contract does not know (CHECK of
 * an absence, say) is answered with UNSUPPORTED, a record above the limits with
 * LIMIT. It has no clock and drops nothing. emit is called under the lock and
 * must not call the store. */
#include <mereau/host.h>

#include "../base/need.h"
#include "../port/port.h"

#define MAX_LEVEL 20 /* a quarter of the rows reach each next level: 4^20 */

/* One record. Its height follows from its key alone, so a row that replaces
 * another takes its links over one by one. */
struct row {
    uint64_t version;
    int64_t drop_at;
    size_t partition_len;
    size_t key_len;
    size_t value_len;
    size_t height;
    uint8_t *bytes; /* partition, key, value; behind the links */
    struct row *next[];
};

struct memory {
    mereau_store table; /* first: what the caller holds */
    mru_lock *lock;
    uint64_t salt; /* heights cannot be foreseen by who chooses keys */
    struct row *first[MAX_LEVEL];
};

/* A name to look for. */
struct name {
    const uint8_t *partition;
    size_t partition_len;
    const uint8_t *key;
    size_t key_len;
};

static struct name name_of(const mereau_need *need, const uint8_t *key,
                           size_t key_len) {
    struct name name = {need->partition, need->partition_len, key, key_len};
    return name;
}

static int compare_bytes(const uint8_t *a, size_t a_len, const uint8_t *b,
                         size_t b_len) {
    size_t n = a_len < b_len ? a_len : b_len;
    int order = n == 0 ? 0 : memcmp(a, b, n);
    if (order != 0)
        return order;
    return (a_len > b_len) - (a_len < b_len);
}

/* Partition first, so that names are never run together. */
static int compare(const struct row *row, const struct name *name) {
    int order = compare_bytes(row->bytes, row->partition_len, name->partition,
                              name->partition_len);
    if (order != 0)
        return order;
    return compare_bytes(row->bytes + row->partition_len, row->key_len,
                         name->key, name->key_len);
}

static int same_partition(const struct row *row, const mereau_need *need) {
    return compare_bytes(row->bytes, row->partition_len, need->partition,
                         need->partition_len) == 0;
}

/* The first row that is not before name, or NULL. links, when given, takes for
 * each level the link that leads to it or past it. */
static struct row *seek(struct memory *memory, const struct name *name,
                        struct row **links[MAX_LEVEL]) {
    struct row **level = memory->first;
    struct row *row = NULL;
    for (size_t i = MAX_LEVEL; i-- > 0;) {
        /* level[i] is the link at height i of the row reached so far. */
        while ((row = level[i]) != NULL && compare(row, name) < 0)
            level = row->next;
        if (links != NULL)
            links[i] = &level[i];
    }
    return row;
}

static struct row *find(struct memory *memory, const struct name *name,
                        struct row **links[MAX_LEVEL]) {
    struct row *row = seek(memory, name, links);
    return row != NULL && compare(row, name) == 0 ? row : NULL;
}

static size_t height_of(uint64_t salt, const struct name *name) {
    uint64_t h = salt ^ UINT64_C(0xcbf29ce484222325);
    size_t height = 1;
    for (size_t i = 0; i < name->partition_len; i++)
        h = (h ^ name->partition[i]) * UINT64_C(0x100000001b3);
    for (size_t i = 0; i < name->key_len; i++)
        h = (h ^ name->key[i]) * UINT64_C(0x100000001b3);
    h = (h ^ (h >> 30)) * UINT64_C(0xbf58476d1ce4e5b9);
    h = (h ^ (h >> 27)) * UINT64_C(0x94d049bb133111eb);
    h ^= h >> 31;
    for (; height < MAX_LEVEL && (h & 3) == 0; h >>= 2)
        height++;
    return height;
}

static struct row *row_new(const struct memory *memory, const struct name *name,
                           const mereau_record *from) {
    size_t height = height_of(memory->salt, name);
    size_t links = height * sizeof(struct row *);
    size_t size = sizeof(struct row) + links + name->partition_len;
    struct row *row = mru_alloc(size + name->key_len + from->value_len);
    if (row == NULL)
        return NULL;
    row->version = from->version;
    row->drop_at = from->drop_at;
    row->partition_len = name->partition_len;
    row->key_len = name->key_len;
    row->value_len = from->value_len;
    row->height = height;
    row->bytes = (uint8_t *)(row->next + height);
    if (name->partition_len > 0)
        memcpy(row->bytes, name->partition, name->partition_len);
    memcpy(row->bytes + name->partition_len, name->key, name->key_len);
    if (from->value_len > 0)
        memcpy(row->bytes + name->partition_len + name->key_len, from->value,
               from->value_len);
    return row;
}

static int32_t emit_row(const struct row *row, size_t index, mereau_emit emit,
                        void *arg) {
    mereau_record record = {0};
    record.key = row->bytes + row->partition_len;
    record.key_len = row->key_len;
    record.value = record.key + row->key_len;
    record.value_len = row->value_len;
    record.version = row->version;
    record.drop_at = row->drop_at;
    return emit(arg, index, &record);
}

static int32_t memory_get(void *user, const mereau_need *need, mereau_emit emit,
                          void *arg) {
    struct memory *memory = user;
    int32_t stop = 0;

    mru_lock_take(memory->lock);
    for (size_t i = 0; i < need->n_keys && stop == 0; i++) {
        struct name name = name_of(need, need->keys[i].data, need->keys[i].len);
        const struct row *row = find(memory, &name, NULL);
        stop = row == NULL ? emit(arg, i, NULL) : emit_row(row, i, emit, arg);
    }
    mru_lock_give(memory->lock);
    return stop != 0 ? MEREAU_STORE_STOPPED : MEREAU_STORE_OK;
}

static int32_t memory_scan(void *user, const mereau_need *need,
                           mereau_emit emit, void *arg) {
    struct memory *memory = user;
    struct name from = name_of(need, need->from, need->from_len);
    struct name to = name_of(need, need->to, need->to_len);
    int32_t stop = 0;
    size_t index = 0;

    mru_lock_take(memory->lock);
    for (const struct row *row = seek(memory, &from, NULL);
         row != NULL && index < need->limit && stop == 0; row = row->next[0]) {
        if (!same_partition(row, need) ||
            (need->to_len > 0 && compare(row, &to) >= 0))
            break;
        stop = emit_row(row, index++, emit, arg);
    }
    mru_lock_give(memory->lock);
    return stop != 0 ? MEREAU_STORE_STOPPED : MEREAU_STORE_OK;
}

/* Makes the rows of all PUTs: everything that can fail, before the lock. */
static int32_t prepare(const struct memory *memory, const mereau_need *need,
                       struct row *rows[MEREAU_MAX_WRITES]) {
    int32_t result = mru_writes_allowed(need);
    if (result != MEREAU_STORE_OK)
        return result;
    for (size_t i = 0; i < need->n_writes; i++) {
        const mereau_write *write = &need->writes[i];
        if (write->kind != MEREAU_WRITE_PUT)
            continue;
        struct name name =
            name_of(need, write->record.key, write->record.key_len);
        rows[i] = row_new(memory, &name, &write->record);
        if (rows[i] == NULL)
            return MEREAU_STORE_BUSY; /* may work when there is memory again */
    }
    return MEREAU_STORE_OK;
}

/* The index of the first write whose condition does not hold, or n_writes. */
static size_t first_failing(struct memory *memory, const mereau_need *need) {
    size_t i;
    for (i = 0; i < need->n_writes; i++) {
        const mereau_write *write = &need->writes[i];
        struct name name =
            name_of(need, write->record.key, write->record.key_len);
        const struct row *row;
        if (write->expect == MEREAU_VERSION_ANY)
            continue;
        row = find(memory, &name, NULL);
        if (write->expect != (row ? row->version : MEREAU_VERSION_ABSENT))
            break;
    }
    return i;
}

/* Puts row (NULL: nothing) in the place of what has this name, and returns what
 * was there. Cannot fail. */
static struct row *replace(struct memory *memory, const struct name *name,
                           struct row *row) {
    struct row **links[MAX_LEVEL];
    struct row *old = find(memory, name, links);
    if (old != NULL)
        for (size_t i = 0; i < old->height; i++)
            *links[i] = old->next[i];
    if (row != NULL)
        for (size_t i = 0; i < row->height; i++) {
            row->next[i] = *links[i];
            *links[i] = row;
        }
    return old;
}

static int32_t memory_commit(void *user, const mereau_need *need,
                             size_t *failed) {
    struct memory *memory = user;
    struct row *rows[MEREAU_MAX_WRITES] = {NULL};
    int32_t result = prepare(memory, need, rows);
    size_t n =
        need->n_writes < MEREAU_MAX_WRITES ? need->n_writes : MEREAU_MAX_WRITES;
    if (result == MEREAU_STORE_OK) {
        mru_lock_take(memory->lock);
        size_t bad = first_failing(memory, need);
        for (size_t i = 0; i < n && bad == n; i++) {
            const mereau_write *write = &need->writes[i];
            struct name name =
                name_of(need, write->record.key, write->record.key_len);
            if (write->kind != MEREAU_WRITE_CHECK)
                rows[i] = replace(memory, &name, rows[i]);
        }
        mru_lock_give(memory->lock);
        if (bad < n) {
            result = MEREAU_STORE_CONFLICT;
            if (failed != NULL)
                *failed = bad;
        }
    }
    /* Those that were replaced, or those that were not applied. */
    for (size_t i = 0; i < n; i++)
        mru_free(rows[i]);
    return result;
}

static void memory_close(void *user) {
    struct memory *memory = user;
    struct row *row = memory->first[0];
    while (row != NULL) {
        struct row *next = row->next[0];
        mru_free(row);
        row = next;
    }
    mru_lock_free(memory->lock);
    mru_free(memory);
}

mereau_status mereau_memory_open(mereau_store **out, mereau_error *err) {
    struct memory *memory = NULL;
    mereau_status status = mru_error_reset(err);

    if (out != NULL)
        *out = NULL;
    if (status != MEREAU_OK)
        return status;
    if (out == NULL)
        return mru_refuse(err, MEREAU_E_ARG, "memory_open.out", NULL,
                          "a place for the store", "NULL");
    memory = mru_alloc(sizeof *memory);
    if (memory != NULL)
        memory->lock = mru_lock_new();
    if (memory == NULL || memory->lock == NULL) {
        mru_free(memory);
        return mru_refuse(err, MEREAU_E_NOMEM, "memory", NULL, NULL, NULL);
    }
    /* Only the speed against hostile keys hangs on it, so a failure is borne. */
    (void)mru_os_random(NULL, (uint8_t *)&memory->salt, sizeof memory->salt);
    mereau_store_init(&memory->table, sizeof memory->table);
    memory->table.caps = MEREAU_CAP_LINEAR | MEREAU_CAP_ORDERED;
    memory->table.user = memory;
    memory->table.get = memory_get;
    memory->table.commit = memory_commit;
    memory->table.scan = memory_scan;
    memory->table.close = memory_close;
    *out = &memory->table;
    return MEREAU_OK;
}
