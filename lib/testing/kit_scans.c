/* lib/testing/kit_scans.c - checks of scan: order, bounds, pages, and what it
 * promises while others write. */
#include <stdlib.h>
#include <string.h>

#include "kit.h"
#include "kit_together.h"

#define V(kit) mru_kit_version(kit)
#define ABSENT MEREAU_VERSION_ABSENT
#define ANY MEREAU_VERSION_ANY
#define OK MEREAU_STORE_OK

enum { N = 60, ROOM = 2 * N };

static int key_order(const void *a, const void *b) {
    return mru_kit_key_compare(a, b);
}

static int write_keys(struct mru_kit *kit, const struct mru_kit_key *keys,
                      size_t n) {
    struct mru_kit_batch batch;
    mru_kit_begin(&batch);
    for (size_t i = 0; i < n; i++)
        mru_kit_put_number(&batch, &keys[i], ABSENT, V(kit), i);
    return mru_kit_commit_as(kit, &batch, OK, "new records");
}

/* s000000, s000001 ... */
static int write_row(struct mru_kit *kit, struct mru_kit_key *keys) {
    for (uint32_t i = 0; i < N; i++)
        keys[i] = mru_kit_key_number("s", i);
    return write_keys(kit, keys, N);
}

/* The rows must be keys[first..first+n). */
static int are(struct mru_kit *kit, const struct mru_kit_row *rows, size_t n,
               const struct mru_kit_key *keys, size_t first, size_t wanted,
               const char *what) {
    if (n != wanted) {
        mru_kit_fail(kit, "%s: %zu records instead of %zu", what, n, wanted);
        return -1;
    }
    for (size_t i = 0; i < n; i++)
        if (mru_kit_key_compare(&rows[i].key, &keys[first + i]) != 0) {
            mru_kit_fail(kit, "%s: record %zu is not the one due there", what,
                         i);
            return -1;
        }
    return 0;
}

/* Random keys of bytes, the awkward ones among them. */
static void random_keys(struct mru_kit *kit, struct mru_kit_key *keys) {
    static const uint8_t bytes[] = {0x00, 0x01, 0x20, 0x2f, 0x41, 0x5f,
                                    0x61, 0x7f, 0x80, 0xc3, 0xfe, 0xff};
    for (size_t i = 0; i < N;) {
        size_t j = 0;
        memset(&keys[i], 0, sizeof keys[i]);
        keys[i].len = 1 + mru_kit_random(kit, 5);
        for (size_t b = 0; b < keys[i].len; b++)
            keys[i].data[b] = bytes[mru_kit_random(kit, sizeof bytes)];
        while (j < i && mru_kit_key_compare(&keys[j], &keys[i]) != 0)
            j++;
        i += j == i;
    }
}

static void scan_is_ascending(struct mru_kit *kit) {
    struct mru_kit_key keys[N];
    struct mru_kit_row rows[ROOM];
    size_t n;

    random_keys(kit, keys);
    if (write_keys(kit, keys, N))
        return;
    qsort(keys, N, sizeof *keys, key_order);
    if (mru_kit_scan(kit, NULL, NULL, ROOM, rows, ROOM, &n) == 0)
        are(kit, rows, n, keys, 0, N, "all keys, as by memcmp");
}

static void scan_gives_whole_records(struct mru_kit *kit) {
    struct mru_kit_key key = mru_kit_key_text("a");
    struct mru_kit_row row;
    uint64_t version = V(kit);
    size_t n;

    if (mru_kit_put_as(kit, &key, ABSENT, version, "value", OK, "absent") ||
        mru_kit_scan(kit, NULL, NULL, 10, &row, 1, &n))
        return;
    if (n != 1 || row.version != version || row.value_len != 5 ||
        row.hash != mru_kit_hash((const uint8_t *)"value", 5))
        mru_kit_fail(kit, "the record came back otherwise than by get");
}

static void scan_from_is_included(struct mru_kit *kit) {
    struct mru_kit_key keys[N];
    struct mru_kit_row rows[ROOM];
    size_t n;

    if (write_row(kit, keys) == 0 &&
        mru_kit_scan(kit, &keys[20], NULL, ROOM, rows, ROOM, &n) == 0)
        are(kit, rows, n, keys, 20, N - 20, "from a key that is there");
}

static void scan_to_is_excluded(struct mru_kit *kit) {
    struct mru_kit_key keys[N];
    struct mru_kit_row rows[ROOM];
    size_t n;

    if (write_row(kit, keys) != 0)
        return;
    if (mru_kit_scan(kit, NULL, &keys[20], ROOM, rows, ROOM, &n) == 0)
        are(kit, rows, n, keys, 0, 20, "to a key that is there");
    if (mru_kit_scan(kit, &keys[20], &keys[21], ROOM, rows, ROOM, &n) == 0)
        are(kit, rows, n, keys, 20, 1, "from a key to the next");
    if (mru_kit_scan(kit, &keys[20], &keys[20], ROOM, rows, ROOM, &n) == 0)
        are(kit, rows, n, keys, 20, 0, "from a key to itself");
}

static void scan_limit_holds(struct mru_kit *kit) {
    struct mru_kit_key keys[N];
    struct mru_kit_row rows[ROOM];
    size_t n;

    if (write_row(kit, keys) != 0)
        return;
    for (size_t limit = 1; limit < N + 2; limit += 13)
        if (mru_kit_scan(kit, NULL, NULL, limit, rows, ROOM, &n) ||
            are(kit, rows, n, keys, 0, limit < N ? limit : N, "a limit"))
            return;
}

/* The next page begins behind the last key: key and a 0x00. */
static void scan_pages_miss_nothing(struct mru_kit *kit) {
    static const size_t pages[] = {1, 2, 7, N - 1, N};
    struct mru_kit_key keys[N], from;
    struct mru_kit_row rows[ROOM];

    random_keys(kit, keys);
    if (write_keys(kit, keys, N))
        return;
    qsort(keys, N, sizeof *keys, key_order);
    for (size_t p = 0; p < sizeof pages / sizeof *pages; p++) {
        size_t seen = 0, n = 0;
        from = mru_kit_key("\0", 1);
        do {
            if (mru_kit_scan(kit, &from, NULL, pages[p], rows + seen,
                             ROOM - seen, &n))
                return;
            seen += n;
            if (n > 0) {
                from = rows[seen - 1].key;
                from.data[from.len++] = 0;
            }
        } while (n > 0 && seen < ROOM);
        if (are(kit, rows, seen, keys, 0, N, "page after page"))
            return;
    }
}

static int32_t stop_at_third(void *arg, size_t index,
                             const mereau_record *record) {
    (void)record;
    ++*(uint32_t *)arg;
    return index == 2;
}

static void scan_stops_when_asked(struct mru_kit *kit) {
    const mereau_store *store = mru_kit_store(kit);
    struct mru_kit_key keys[N];
    mereau_need need;
    uint32_t calls = 0;
    int32_t result;

    if (write_row(kit, keys) != 0)
        return;
    mru_kit_need(kit, &need, MEREAU_NEED_SCAN);
    need.limit = N;
    result = store->scan(store->user, &need, stop_at_third, &calls);
    if (calls != 3)
        mru_kit_fail(kit, "emit was called %u times though the third said stop",
                     (unsigned)calls);
    else if (result != MEREAU_STORE_STOPPED)
        mru_kit_fail(kit, "scan answered %d instead of STOPPED", (int)result);
}

static void scan_stays_in_its_partition(struct mru_kit *kit) {
    static const char *const names[] = {"", "b", "ba", "c"};
    struct mru_kit_key keys[N];
    struct mru_kit_row rows[ROOM];
    size_t n;

    for (size_t i = 0; i < 4; i++) {
        mru_kit_partition(kit, names[i]);
        if (i != 1 && write_row(kit, keys))
            return;
    }
    mru_kit_partition(kit, "b");
    if (mru_kit_scan(kit, NULL, NULL, ROOM, rows, ROOM, &n) ||
        are(kit, rows, n, keys, 0, 0, "an empty partition"))
        return;
    mru_kit_partition(kit, "ba");
    if (mru_kit_scan(kit, NULL, NULL, ROOM, rows, ROOM, &n) == 0)
        are(kit, rows, n, keys, 0, N, "one partition of several");
}

static void scan_sees_no_deleted_record(struct mru_kit *kit) {
    struct mru_kit_key keys[N];
    struct mru_kit_row rows[ROOM];
    struct mru_kit_batch batch;
    size_t n;

    if (write_row(kit, keys) != 0)
        return;
    mru_kit_begin(&batch);
    for (size_t i = 0; i < N / 2; i++)
        mru_kit_delete(&batch, &keys[i], ANY);
    if (mru_kit_commit_as(kit, &batch, OK, "deletes") == 0 &&
        mru_kit_scan(kit, NULL, NULL, ROOM, rows, ROOM, &n) == 0)
        are(kit, rows, n, keys, N / 2, N / 2, "after deletes");
}

/* --- while others write --- */

struct stir {
    struct mru_kit_key keys[N];
    int over; /* guarded by the gate */
};

/* Makes records between those that stay, 8 in a commit, and removes them in the
 * next. */
static void stir(struct mru_kit_thread *self) {
    struct stir *stir = self->arg;
    struct mru_kit_batch *batch = calloc(1, sizeof *batch);

    for (uint32_t i = 0; batch && !mru_kit_gate_read(self->gate, &stir->over);
         i++) {
        mru_kit_begin(batch);
        for (uint32_t k = 0; k < 8; k++) {
            struct mru_kit_key key = stir->keys[(i / 2 * 7 + k * 5) % N];
            key.data[key.len++] = (uint8_t)('0' + k);
            if (i & 1)
                mru_kit_delete(batch, &key, ANY);
            else
                mru_kit_put_number(batch, &key, ANY, V(self->kit), i);
        }
        if (mru_kit_commit(self->kit, batch) != OK)
            break;
    }
    free(batch);
}

/* One pass in pages of 5; the records that stay must each be there once. */
static int pass(struct mru_kit *kit, struct stir *stir) {
    struct mru_kit_key from = mru_kit_key("\0", 1);
    struct mru_kit_row rows[5];
    size_t n = 0, due = 0;

    do {
        if (mru_kit_scan(kit, &from, NULL, 5, rows, 5, &n))
            return -1;
        for (size_t i = 0; i < n; i++) {
            if (mru_kit_key_compare(&rows[i].key, &from) < 0)
                mru_kit_fail(kit, "a scan went back");
            from = rows[i].key;
            from.data[from.len++] = 0;
            if (rows[i].key.len != stir->keys[0].len)
                continue;
            if (due >= N ||
                mru_kit_key_compare(&rows[i].key, &stir->keys[due++]) != 0) {
                mru_kit_fail(kit, "a record that nobody touched was missed");
                return -1;
            }
        }
    } while (n > 0 && due <= N);
    if (due != N)
        mru_kit_fail(kit, "a record that nobody touched was missed");
    return due == N ? 0 : -1;
}

static void look(struct mru_kit_thread *self) {
    struct stir *stir = self->arg;
    int64_t end = mru_kit_now_ms() + mru_kit_race_ms(self->kit);
    while (mru_kit_now_ms() < end && pass(self->kit, stir) == 0)
        continue;
    mru_kit_gate_write(self->gate, &stir->over, 1);
}

static void scan_misses_nothing_while_others_write(struct mru_kit *kit) {
    static void (*const parts[])(struct mru_kit_thread *) = {look, stir};
    struct stir *shared = calloc(1, sizeof *shared);
    if (shared == NULL)
        mru_kit_fail(kit, "the kit has no memory");
    else if (write_row(kit, shared->keys) == 0)
        mru_kit_together(kit, parts, 2, 2, shared);
    free(shared);
}

const struct mru_kit_check mru_kit_scans[] = {
    {"scan_is_ascending", MEREAU_CAP_ORDERED, scan_is_ascending},
    {"scan_gives_whole_records", MEREAU_CAP_ORDERED, scan_gives_whole_records},
    {"scan_from_is_included", MEREAU_CAP_ORDERED, scan_from_is_included},
    {"scan_to_is_excluded", MEREAU_CAP_ORDERED, scan_to_is_excluded},
    {"scan_limit_holds", MEREAU_CAP_ORDERED, scan_limit_holds},
    {"scan_pages_miss_nothing", MEREAU_CAP_ORDERED, scan_pages_miss_nothing},
    {"scan_stops_when_asked", MEREAU_CAP_ORDERED, scan_stops_when_asked},
    {"scan_stays_in_its_partition", MEREAU_CAP_ORDERED,
     scan_stays_in_its_partition},
    {"scan_sees_no_deleted_record", MEREAU_CAP_ORDERED,
     scan_sees_no_deleted_record},
    {"scan_misses_nothing_while_others_write", MEREAU_CAP_ORDERED,
     scan_misses_nothing_while_others_write},
    {NULL, 0, NULL}};
