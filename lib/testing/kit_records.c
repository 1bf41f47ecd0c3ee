/* lib/testing/kit_records.c - checks of what a record may be: bytes of keys and
 * values, sizes at the limits, versions, expiry, partitions, many of them. */
#define _POSIX_C_SOURCE 200809L
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "kit.h"

#define V(kit) mru_kit_version(kit)
#define ABSENT MEREAU_VERSION_ABSENT
#define ANY MEREAU_VERSION_ANY
#define OK MEREAU_STORE_OK
#define CONFLICT MEREAU_STORE_CONFLICT

/* Writes n different keys as new, each with its number; then all must be there,
 * each with its own. */
static void keys_are_apart(struct mru_kit *kit, const struct mru_kit_key *keys,
                           size_t n) {
    struct mru_kit_row *rows = calloc(n, sizeof *rows);
    struct mru_kit_batch *batch = calloc(1, sizeof *batch);

    for (size_t i = 0; i < n && rows && batch && !mru_kit_failed(kit); i++) {
        mru_kit_begin(batch);
        mru_kit_put_number(batch, &keys[i], ABSENT, V(kit), i);
        mru_kit_commit_as(kit, batch, OK, "a key that is not there yet");
    }
    if (rows == NULL || batch == NULL)
        mru_kit_fail(kit, "the kit has no memory");
    else if (!mru_kit_failed(kit) && mru_kit_get(kit, keys, n, rows) == 0)
        for (size_t i = 0; i < n; i++)
            if (!rows[i].there || mru_kit_row_number(&rows[i]) != i)
                mru_kit_fail(kit, "key %zu of %zu is not there, or another's",
                             i, n);
    free(rows);
    free(batch);
}

static void keys_may_hold_nul(struct mru_kit *kit) {
    struct mru_kit_key keys[6];
    keys[0] = mru_kit_key("\0", 1);
    keys[1] = mru_kit_key("\0\0", 2);
    keys[2] = mru_kit_key("a", 1);
    keys[3] = mru_kit_key("a\0", 2);
    keys[4] = mru_kit_key("a\0b", 3);
    keys[5] = mru_kit_key("a\0c", 3);
    keys_are_apart(kit, keys, 6);
}

static void keys_may_hold_any_byte(struct mru_kit *kit) {
    struct mru_kit_key keys[256];
    for (size_t i = 0; i < 256; i++) {
        uint8_t bytes[2] = {0x6b, (uint8_t)i};
        keys[i] = mru_kit_key(bytes, 2);
    }
    keys_are_apart(kit, keys, 256);
}

static void keys_differ_by_case(struct mru_kit *kit) {
    struct mru_kit_key keys[4] = {
        mru_kit_key_text("key"), mru_kit_key_text("Key"),
        mru_kit_key_text("kEY"), mru_kit_key_text("KEY")};
    keys_are_apart(kit, keys, 4);
}

static void keys_keep_spaces(struct mru_kit *kit) {
    struct mru_kit_key keys[5] = {
        mru_kit_key_text("a"), mru_kit_key_text("a "), mru_kit_key_text(" a"),
        mru_kit_key_text("01"), mru_kit_key_text("1")};
    keys_are_apart(kit, keys, 5);
}

static void keys_of_255_bytes(struct mru_kit *kit) {
    struct mru_kit_key keys[3];
    memset(keys, 0, sizeof keys);
    for (size_t i = 0; i < 3; i++) {
        keys[i].len = i < 2 ? MEREAU_MAX_KEY : MEREAU_MAX_KEY - 1;
        memset(keys[i].data, 0xff, MEREAU_MAX_KEY);
    }
    keys[0].data[MEREAU_MAX_KEY - 1] = 0xfe;
    keys_are_apart(kit, keys, 3);
}

/* --- values --- */

static void value_is_kept(struct mru_kit *kit, const uint8_t *value,
                          size_t len) {
    struct mru_kit_key key = mru_kit_key_text("v");
    struct mru_kit_batch batch;
    uint64_t version = V(kit);

    mru_kit_begin(&batch);
    mru_kit_put(&batch, &key, ANY, version, value, len);
    if (mru_kit_commit_as(kit, &batch, OK, "a value"))
        return;
    mru_kit_expect(kit, &key, version, value, len);
}

static void values_are_bytes(struct mru_kit *kit) {
    uint8_t bytes[512];
    for (size_t i = 0; i < sizeof bytes; i++)
        bytes[i] = (uint8_t)(i < 256 ? i : 511 - i);
    value_is_kept(kit, bytes, sizeof bytes);
    value_is_kept(kit, (const uint8_t *)"1", 1);
    value_is_kept(kit, (const uint8_t *)"\0", 1);
    value_is_kept(kit, (const uint8_t *)"a\0b", 3);
    value_is_kept(kit, (const uint8_t *)"a ", 2);
}

static void value_may_be_empty(struct mru_kit *kit) {
    struct mru_kit_key key = mru_kit_key_text("v");
    uint64_t version = V(kit);

    value_is_kept(kit, (const uint8_t *)"", 0);
    if (mru_kit_failed(kit))
        return;
    value_is_kept(kit, NULL, 0);
    /* It is there, so ABSENT does not hold. */
    mru_kit_put_as(kit, &key, ABSENT, version, "x", CONFLICT,
                   "over an empty value");
}

static void value_of_65536_bytes(struct mru_kit *kit) {
    uint8_t *bytes = malloc(MEREAU_MAX_VALUE);
    if (bytes == NULL) {
        mru_kit_fail(kit, "the kit has no memory");
        return;
    }
    for (size_t i = 0; i < MEREAU_MAX_VALUE; i++)
        bytes[i] = (uint8_t)(i * 31 + (i >> 8));
    value_is_kept(kit, bytes, MEREAU_MAX_VALUE);
    value_is_kept(kit, bytes, MEREAU_MAX_VALUE - 1);
    value_is_kept(kit, bytes, 3);
    free(bytes);
}

/* --- a full batch --- */

static void batch_of_128_writes(struct mru_kit *kit) {
    enum { N = MEREAU_MAX_WRITES };
    struct mru_kit_key keys[N];
    uint64_t versions[N];
    struct mru_kit_row rows[N];
    struct mru_kit_batch batch;

    mru_kit_begin(&batch);
    for (uint32_t i = 0; i < N; i++) {
        keys[i] = mru_kit_key_number("b", i);
        memset(keys[i].data + keys[i].len, 'k', MEREAU_MAX_KEY - keys[i].len);
        keys[i].len = MEREAU_MAX_KEY;
        versions[i] = V(kit);
        mru_kit_put_number(&batch, &keys[i], ABSENT, versions[i], i);
    }
    if (mru_kit_commit_as(kit, &batch, OK, "128 writes") ||
        mru_kit_get(kit, keys, N, rows))
        return;
    for (uint32_t i = 0; i < N; i++)
        if (!rows[i].there || rows[i].version != versions[i])
            mru_kit_fail(kit, "write %u of 128 did not apply", (unsigned)i);
    mru_kit_begin(&batch);
    for (uint32_t i = 0; i < N; i++)
        mru_kit_delete(&batch, &keys[i], versions[i]);
    if (mru_kit_commit_as(kit, &batch, OK, "128 deletes") == 0)
        mru_kit_expect_absent(kit, &keys[N - 1]);
}

/* --- versions --- */

/* A version comes back whole, and only it holds: not one that differs in a
 * single bit. */
static void version_is_whole(struct mru_kit *kit, uint64_t version) {
    struct mru_kit_key key = mru_kit_key_text("v");
    if (mru_kit_put_as(kit, &key, ANY, version, "v", OK, "a version") ||
        mru_kit_expect(kit, &key, version, "v", 1))
        return;
    for (unsigned bit = 0; bit < 64; bit++) {
        uint64_t other = version ^ (UINT64_C(1) << bit);
        if (other != ABSENT && other != ANY &&
            mru_kit_put_as(kit, &key, other, version, "w", CONFLICT,
                           "a version that differs in one bit"))
            return;
    }
    mru_kit_put_as(kit, &key, version, version, "v", OK, "its version");
}

static void versions_above_32_bits(struct mru_kit *kit) {
    static const uint64_t versions[] = {
        1,
        UINT64_C(0x7fffffff),
        UINT64_C(0x80000000),
        UINT64_C(0xffffffff),
        UINT64_C(0x100000000),
        UINT64_C(0x100000001),
        UINT64_C(0x20000000000001), /* 2^53 + 1: not a double */
        UINT64_C(0x7fffffffffffffff)};
    for (size_t i = 0; i < sizeof versions / sizeof *versions; i++)
        version_is_whole(kit, versions[i]);
}

static void versions_above_63_bits(struct mru_kit *kit) {
    static const uint64_t versions[] = {
        UINT64_C(0x8000000000000000), UINT64_C(0x8000000000000001),
        UINT64_C(0xfffffffffffffffd), UINT64_C(0xfffffffffffffffe)};
    for (size_t i = 0; i < sizeof versions / sizeof *versions; i++)
        version_is_whole(kit, versions[i]);
}

/* --- expiry --- */

static int put_until(struct mru_kit *kit, const struct mru_kit_key *key,
                     int64_t drop_at) {
    struct mru_kit_batch batch;
    mru_kit_begin(&batch);
    mru_kit_put(&batch, key, ANY, V(kit), "x", 1);
    batch.writes[0].record.drop_at = drop_at;
    return mru_kit_commit_as(kit, &batch, OK, "a record that expires");
}

/* There, and with its drop_at (a store need not keep it). */
static int still_there(struct mru_kit *kit, const struct mru_kit_key *key,
                       int64_t drop_at) {
    struct mru_kit_row row;
    if (mru_kit_get_one(kit, key, &row))
        return 0;
    if (!row.there)
        mru_kit_fail(kit, "a record was dropped %s",
                     drop_at == 0 ? "that is to be kept" : "too early");
    else if (row.drop_at != 0 && row.drop_at != drop_at)
        mru_kit_fail(kit, "drop_at %lld came back as %lld", (long long)drop_at,
                     (long long)row.drop_at);
    else
        return 1;
    return 0;
}

static void expiry_is_never_early(struct mru_kit *kit) {
    struct mru_kit_key soon = mru_kit_key_text("soon");
    struct mru_kit_key hour = mru_kit_key_text("hour");
    struct mru_kit_key kept = mru_kit_key_text("kept");
    int64_t now = (int64_t)time(NULL), drop_at = now + 2;

    if (put_until(kit, &hour, now + 3600) || put_until(kit, &soon, drop_at) ||
        put_until(kit, &kept, now + 1) || put_until(kit, &kept, 0))
        return;
    if (!still_there(kit, &hour, now + 3600) || !still_there(kit, &kept, 0))
        return;
    /* Only a store with a clock of its own is worth waiting for. */
    while (mru_kit_caps(kit) & MEREAU_CAP_EXPIRES) {
        struct mru_kit_row row;
        if (mru_kit_get_one(kit, &soon, &row))
            return;
        if ((int64_t)time(NULL) >= drop_at)
            break;
        if (!row.there) {
            mru_kit_fail(kit, "a record was dropped before its drop_at");
            return;
        }
        mru_kit_sleep_ms(20);
    }
    still_there(kit, &kept, 0);
}

static void expiry_beyond_2038(struct mru_kit *kit) {
    static const int64_t instants[] = {INT64_C(0x80000000), INT64_C(0xffffffff),
                                       INT64_C(0x100000001),
                                       INT64_C(253402300800), INT64_MAX};
    for (uint32_t i = 0; i < sizeof instants / sizeof *instants; i++) {
        struct mru_kit_key key = mru_kit_key_number("e", i);
        if (put_until(kit, &key, instants[i]))
            return;
    }
    for (uint32_t i = 0; i < sizeof instants / sizeof *instants; i++) {
        struct mru_kit_key key = mru_kit_key_number("e", i);
        if (!still_there(kit, &key, instants[i]))
            return;
    }
}

/* --- partitions --- */

static int put_in(struct mru_kit *kit, const char *partition,
                  const struct mru_kit_key *key, uint64_t version) {
    mru_kit_partition(kit, partition);
    return mru_kit_put_as(kit, key, ABSENT, version, partition, OK,
                          "the same key in another partition");
}

static void partitions_are_apart(struct mru_kit *kit) {
    static const char *const names[] = {"", "1", "12", "a", "A", "_", "%"};
    enum { N = sizeof names / sizeof *names };
    struct mru_kit_key key = mru_kit_key_text("key");
    uint64_t versions[N];
    struct mru_kit_batch batch;

    for (size_t i = 0; i < N; i++) {
        versions[i] = V(kit);
        if (put_in(kit, names[i], &key, versions[i]))
            return;
    }
    for (size_t i = 0; i < N; i++) {
        mru_kit_partition(kit, names[i]);
        if (mru_kit_expect(kit, &key, versions[i], names[i], strlen(names[i])))
            return;
        mru_kit_begin(&batch);
        mru_kit_delete(&batch, &key, versions[i]);
        if (mru_kit_commit_as(kit, &batch, OK, "a delete in one partition"))
            return;
    }
}

static void partition_and_key_are_not_joined(struct mru_kit *kit) {
    /* Each pair runs together to one text, with the separators people use. */
    static const char *const partitions[] = {"x", "xy", "x/y", "x:y", "x-y"};
    static const char *const keys[] = {"yz", "z", "z", "z", "z"};
    static const char *const twins[] = {"x", "x", "x", "x"};
    static const char *const twin_keys[] = {"y/z", "y:z", "y-z", "yz1"};
    struct mru_kit_key key;
    uint64_t version = 1;

    for (size_t i = 0; i < 5; i++) {
        key = mru_kit_key_text(keys[i]);
        if (put_in(kit, partitions[i], &key, version++))
            return;
    }
    for (size_t i = 0; i < 4; i++) {
        key = mru_kit_key_text(twin_keys[i]);
        if (put_in(kit, twins[i], &key, version++))
            return;
    }
    version = 1;
    for (size_t i = 0; i < 5; i++) {
        key = mru_kit_key_text(keys[i]);
        mru_kit_partition(kit, partitions[i]);
        if (mru_kit_expect(kit, &key, version++, partitions[i],
                           strlen(partitions[i])))
            return;
    }
}

/* --- many --- */

static int write_many(struct mru_kit *kit, struct mru_kit_batch *batch,
                      uint32_t n) {
    for (uint32_t i = 0; i < n;) {
        mru_kit_begin(batch);
        for (; i < n && batch->n < MEREAU_MAX_WRITES; i++) {
            /* A stride, so that they do not come in order. */
            uint32_t number = (uint32_t)((uint64_t)i * 7919 % n);
            struct mru_kit_key key = mru_kit_key_number("many", number);
            mru_kit_put_number(batch, &key, ANY, number + 1, number);
        }
        if (mru_kit_commit_as(kit, batch, OK, "128 new records"))
            return -1;
    }
    return 0;
}

static void many_records_are_kept(struct mru_kit *kit) {
    enum { SAMPLE = 500 };
    uint32_t n = mru_kit_given(kit)->records;
    struct mru_kit_batch *batch = calloc(1, sizeof *batch);
    struct mru_kit_key *keys = calloc(SAMPLE, sizeof *keys);
    struct mru_kit_row *rows = calloc(SAMPLE, sizeof *rows);

    while (n % 7919 == 0) /* else the stride would not reach all */
        n--;
    if (batch == NULL || keys == NULL || rows == NULL) {
        mru_kit_fail(kit, "the kit has no memory");
    } else if (write_many(kit, batch, n) == 0) {
        /* No number twice: a get's keys are distinct. */
        uint32_t step = n / SAMPLE > 0 ? n / SAMPLE : 1;
        size_t count = n < SAMPLE ? n : SAMPLE;
        for (uint32_t i = 0; i < count; i++)
            keys[i] = mru_kit_key_number("many", i * step);
        if (mru_kit_get(kit, keys, count, rows) == 0)
            for (uint32_t i = 0; i < count; i++)
                if (!rows[i].there || mru_kit_row_number(&rows[i]) != i * step)
                    mru_kit_fail(kit, "record %u of %u is not there",
                                 (unsigned)(i * step), (unsigned)n);
    }
    free(batch);
    free(keys);
    free(rows);
}

const struct mru_kit_check mru_kit_records[] = {
    {"keys_may_hold_nul", 0, keys_may_hold_nul},
    {"keys_may_hold_any_byte", 0, keys_may_hold_any_byte},
    {"keys_differ_by_case", 0, keys_differ_by_case},
    {"keys_keep_spaces", 0, keys_keep_spaces},
    {"keys_of_255_bytes", 0, keys_of_255_bytes},
    {"values_are_bytes", 0, values_are_bytes},
    {"value_may_be_empty", 0, value_may_be_empty},
    {"value_of_65536_bytes", 0, value_of_65536_bytes},
    {"batch_of_128_writes", 0, batch_of_128_writes},
    {"versions_above_32_bits", 0, versions_above_32_bits},
    {"versions_above_63_bits", 0, versions_above_63_bits},
    {"expiry_is_never_early", 0, expiry_is_never_early},
    {"expiry_beyond_2038", 0, expiry_beyond_2038},
    {"partitions_are_apart", 0, partitions_are_apart},
    {"partition_and_key_are_not_joined", 0, partition_and_key_are_not_joined},
    {"many_records_are_kept", 0, many_records_are_kept},
    {NULL, 0, NULL}};
