/* lib/testing/kit_conditions.c - checks of one caller: what a get answers, when a
 * write applies, and that nothing applies when one does not. */
#include <stdlib.h>
#include <string.h>

#include "kit.h"

/* A batch is 70 KB: not for small stacks of threads, but fine here. */
#define V(kit) mru_kit_version(kit)
#define ABSENT MEREAU_VERSION_ABSENT
#define ANY MEREAU_VERSION_ANY
#define OK MEREAU_STORE_OK
#define CONFLICT MEREAU_STORE_CONFLICT

static void put_is_read_back(struct mru_kit *kit) {
    struct mru_kit_key key = mru_kit_key_text("a");
    struct mru_kit_row row;
    uint64_t first = V(kit), second = V(kit);

    if (mru_kit_put_as(kit, &key, ABSENT, first, "first", OK, "a new record"))
        return;
    if (mru_kit_expect(kit, &key, first, "first", 5))
        return;
    if (mru_kit_put_as(kit, &key, first, second, "no", OK, "a shorter value"))
        return;
    if (mru_kit_expect(kit, &key, second, "no", 2))
        return;
    if (mru_kit_get_one(kit, &key, &row) == 0 && row.drop_at != 0)
        mru_kit_fail(kit, "drop_at came back as something else than written");
}

static void get_answers_every_key_once(struct mru_kit *kit) {
    enum { N = 60 };
    static const uint32_t every = 3; /* each third one is there */
    struct mru_kit_key keys[N];
    struct mru_kit_row rows[N];

    for (uint32_t i = 0; i < N; i++) {
        keys[i] = mru_kit_key_number("k", i);
        if (i % every == 0 &&
            mru_kit_put_as(kit, &keys[i], ABSENT, i + 1, "there", OK, "a key"))
            return;
    }
    /* mru_kit_get refuses what is missing, doubled, or another key. */
    if (mru_kit_get(kit, keys, N, rows) != 0 ||
        mru_kit_get(kit, keys + 1, 2, rows + 1) != 0 ||
        mru_kit_get(kit, keys, 1, rows) != 0)
        return;
    for (uint32_t i = 0; i < N; i++)
        if (rows[i].there != (i % every == 0))
            mru_kit_fail(kit, "key %u of %d: there is %d", (unsigned)i, N,
                         rows[i].there);
}

static void get_tells_absence(struct mru_kit *kit) {
    static const char *const near[] = {"", "\x01", "a"};
    struct mru_kit_key key = mru_kit_key_text("near");
    struct mru_kit_key other = mru_kit_key_text("nea");

    if (mru_kit_put_as(kit, &key, ABSENT, V(kit), "x", OK, "a new record"))
        return;
    for (size_t i = 0; i < 3; i++) {
        if (i > 0) {
            other = key;
            other.data[other.len++] = (uint8_t)near[i][0];
        }
        if (mru_kit_expect_absent(kit, &other))
            return;
    }
}

static int32_t stop_at_once(void *arg, size_t index,
                            const mereau_record *record) {
    (void)index;
    (void)record;
    ++*(uint32_t *)arg;
    return 1;
}

static void get_stops_when_asked(struct mru_kit *kit) {
    struct mru_kit_key keys[2] = {mru_kit_key_text("a"), mru_kit_key_text("b")};
    mereau_slice slices[2] = {{keys[0].data, 1}, {keys[1].data, 1}};
    const mereau_store *store = mru_kit_store(kit);
    mereau_need need;
    uint32_t calls = 0;
    int32_t result;

    if (mru_kit_put_as(kit, &keys[1], ABSENT, V(kit), "x", OK, "a new record"))
        return;
    mru_kit_need(kit, &need, MEREAU_NEED_GET);
    need.keys = slices;
    need.n_keys = 2;
    result = store->get(store->user, &need, stop_at_once, &calls);
    if (calls != 1)
        mru_kit_fail(kit, "emit was called %u times though the first said stop",
                     (unsigned)calls);
    else if (result != MEREAU_STORE_STOPPED)
        mru_kit_fail(kit, "get answered %d instead of STOPPED", (int)result);
}

/* --- one condition --- */

static void put_absent_wants_absence(struct mru_kit *kit) {
    struct mru_kit_key key = mru_kit_key_text("a");
    uint64_t first = V(kit);

    if (mru_kit_put_as(kit, &key, ABSENT, first, "1", OK, "absent") ||
        mru_kit_put_as(kit, &key, ABSENT, V(kit), "2", CONFLICT, "present"))
        return;
    mru_kit_expect(kit, &key, first, "1", 1);
}

static void put_wants_its_version(struct mru_kit *kit) {
    struct mru_kit_key key = mru_kit_key_text("a");
    struct mru_kit_key none = mru_kit_key_text("b");
    uint64_t first = V(kit), second = V(kit);

    if (mru_kit_put_as(kit, &key, ABSENT, first, "1", OK, "absent") ||
        mru_kit_put_as(kit, &key, second, V(kit), "2", CONFLICT,
                       "a version that is not there") ||
        mru_kit_expect(kit, &key, first, "1", 1) ||
        mru_kit_put_as(kit, &none, first, V(kit), "2", CONFLICT,
                       "a version of an absent record") ||
        mru_kit_expect_absent(kit, &none) ||
        mru_kit_put_as(kit, &key, first, second, "2", OK, "its version") ||
        mru_kit_put_as(kit, &key, first, V(kit), "3", CONFLICT,
                       "the version before"))
        return;
    mru_kit_expect(kit, &key, second, "2", 1);
}

static void put_any_wants_nothing(struct mru_kit *kit) {
    struct mru_kit_key key = mru_kit_key_text("a");
    uint64_t first = V(kit), second = V(kit);

    if (mru_kit_put_as(kit, &key, ANY, first, "1", OK, "absent") ||
        mru_kit_expect(kit, &key, first, "1", 1) ||
        mru_kit_put_as(kit, &key, ANY, second, "2", OK, "present"))
        return;
    mru_kit_expect(kit, &key, second, "2", 1);
}

static int delete_as(struct mru_kit *kit, const struct mru_kit_key *key,
                     uint64_t expect, int32_t wanted, const char *what) {
    struct mru_kit_batch batch;
    mru_kit_begin(&batch);
    mru_kit_delete(&batch, key, expect);
    return mru_kit_commit_as(kit, &batch, wanted, what);
}

static void delete_wants_its_version(struct mru_kit *kit) {
    struct mru_kit_key key = mru_kit_key_text("a");
    struct mru_kit_key none = mru_kit_key_text("b");
    uint64_t first = V(kit);

    if (mru_kit_put_as(kit, &key, ABSENT, first, "1", OK, "absent") ||
        delete_as(kit, &key, V(kit), CONFLICT, "another version") ||
        mru_kit_expect(kit, &key, first, "1", 1))
        return;
    delete_as(kit, &none, first, CONFLICT, "a version of an absent record");
}

static void delete_removes(struct mru_kit *kit) {
    struct mru_kit_key keys[3] = {mru_kit_key_text("a"), mru_kit_key_text("b"),
                                  mru_kit_key_text("c")};
    uint64_t versions[3];

    for (int i = 0; i < 3; i++) {
        versions[i] = V(kit);
        if (mru_kit_put_as(kit, &keys[i], ABSENT, versions[i], "1", OK,
                           "absent"))
            return;
    }
    if (delete_as(kit, &keys[1], versions[1], OK, "its version") ||
        mru_kit_expect_absent(kit, &keys[1]) ||
        mru_kit_expect(kit, &keys[0], versions[0], "1", 1) ||
        mru_kit_expect(kit, &keys[2], versions[2], "1", 1) ||
        mru_kit_put_as(kit, &keys[1], versions[1], V(kit), "2", CONFLICT,
                       "the version of a deleted record") ||
        mru_kit_put_as(kit, &keys[1], ABSENT, versions[1], "2", OK,
                       "absent again"))
        return;
    mru_kit_expect(kit, &keys[1], versions[1], "2", 1);
}

static void delete_any_wants_nothing(struct mru_kit *kit) {
    struct mru_kit_key key = mru_kit_key_text("a");
    if (delete_as(kit, &key, ANY, OK, "an absent record") ||
        mru_kit_put_as(kit, &key, ABSENT, V(kit), "1", OK, "absent") ||
        delete_as(kit, &key, ANY, OK, "a present record"))
        return;
    mru_kit_expect_absent(kit, &key);
}

/* {CHECK a, PUT b} */
static int check_and_put(struct mru_kit *kit, const struct mru_kit_key *a,
                         uint64_t expect, const struct mru_kit_key *b,
                         int32_t wanted, const char *what) {
    struct mru_kit_batch batch;
    mru_kit_begin(&batch);
    mru_kit_check(&batch, a, expect);
    mru_kit_put(&batch, b, ANY, V(kit), "b", 1);
    return mru_kit_commit_as(kit, &batch, wanted, what);
}

static void check_wants_its_version(struct mru_kit *kit) {
    struct mru_kit_key a = mru_kit_key_text("a"), b = mru_kit_key_text("b");
    uint64_t first = V(kit), second = V(kit);

    if (mru_kit_put_as(kit, &a, ABSENT, first, "1", OK, "absent") ||
        check_and_put(kit, &a, second, &b, CONFLICT, "another version") ||
        mru_kit_expect_absent(kit, &b) ||
        check_and_put(kit, &a, first, &b, OK, "its version") ||
        mru_kit_put_as(kit, &a, first, second, "2", OK, "its version") ||
        check_and_put(kit, &a, first, &b, CONFLICT, "the version before") ||
        delete_as(kit, &a, ANY, OK, "a present record"))
        return;
    check_and_put(kit, &a, second, &b, CONFLICT,
                  "a version of a deleted record");
}

static void check_changes_nothing(struct mru_kit *kit) {
    struct mru_kit_key a = mru_kit_key_text("a"), b = mru_kit_key_text("b");
    uint64_t first = V(kit);
    struct mru_kit_batch batch;

    if (mru_kit_put_as(kit, &a, ABSENT, first, "1", OK, "absent"))
        return;
    mru_kit_begin(&batch);
    mru_kit_check(&batch, &a, first);
    mru_kit_put(&batch, &b, ABSENT, V(kit), "b", 1);
    if (mru_kit_commit_as(kit, &batch, OK, "a check") ||
        mru_kit_expect(kit, &a, first, "1", 1))
        return;
    mru_kit_begin(&batch);
    mru_kit_check(&batch, &a, first);
    if (mru_kit_commit_as(kit, &batch, OK, "a batch of one check"))
        return;
    mru_kit_expect(kit, &a, first, "1", 1);
}

/* --- all conditions, or nothing --- */

enum { PARTS = 9 };

/* PUT, DELETE and CHECK by turns on present records; the bad one expects a
 * version that is not there. */
static void part_batch(struct mru_kit *kit, struct mru_kit_batch *batch,
                       const struct mru_kit_key *keys, const uint64_t *versions,
                       uint32_t bad) {
    mru_kit_begin(batch);
    for (uint32_t i = 0; i < PARTS; i++) {
        uint64_t expect = i == bad ? V(kit) : versions[i];
        if (i % 3 == 0)
            mru_kit_put(batch, &keys[i], expect, V(kit), "new", 3);
        else if (i % 3 == 1)
            mru_kit_delete(batch, &keys[i], expect);
        else
            mru_kit_check(batch, &keys[i], expect);
    }
}

static int parts(struct mru_kit *kit, struct mru_kit_key *keys,
                 uint64_t *versions) {
    for (uint32_t i = 0; i < PARTS; i++) {
        keys[i] = mru_kit_key_number("part", i);
        versions[i] = V(kit);
        if (mru_kit_put_as(kit, &keys[i], ABSENT, versions[i], "old", OK,
                           "absent"))
            return -1;
    }
    return 0;
}

static void conflict_applies_nothing(struct mru_kit *kit) {
    struct mru_kit_key keys[PARTS];
    uint64_t versions[PARTS];
    struct mru_kit_batch batch;

    if (parts(kit, keys, versions))
        return;
    for (uint32_t bad = 0; bad < PARTS; bad++) {
        part_batch(kit, &batch, keys, versions, bad);
        if (mru_kit_commit_as(kit, &batch, CONFLICT, "one of 9 does not hold"))
            return;
        for (uint32_t i = 0; i < PARTS; i++)
            if (mru_kit_expect(kit, &keys[i], versions[i], "old", 3)) {
                mru_kit_fail(kit, "write %u applied", (unsigned)i);
                return;
            }
    }
    part_batch(kit, &batch, keys, versions, PARTS);
    mru_kit_commit_as(kit, &batch, OK, "all 9 hold");
}

static void conflict_hint_is_true(struct mru_kit *kit) {
    struct mru_kit_key keys[PARTS];
    uint64_t versions[PARTS];
    struct mru_kit_batch batch;

    if (parts(kit, keys, versions))
        return;
    for (uint32_t bad = 0; bad < PARTS; bad++) {
        part_batch(kit, &batch, keys, versions, bad);
        if (mru_kit_commit_as(kit, &batch, CONFLICT, "one of 9 does not hold"))
            return;
        if (batch.failed != SIZE_MAX && batch.failed != bad)
            mru_kit_fail(kit, "write %u failed, and the hint was %zu",
                         (unsigned)bad, batch.failed);
    }
}

/* --- many random batches, against an array --- */

enum { MODEL = 12 };

/* Adds a random write; keeps in *holds whether its condition holds, and in
 * *after the version that would then be there. */
static void random_write(struct mru_kit *kit, struct mru_kit_batch *batch,
                         const struct mru_kit_key *key, uint64_t now,
                         int *holds, uint64_t *after) {
    uint32_t kind = mru_kit_random(kit, 5);
    int lies = mru_kit_random(kit, 16) == 0;
    uint64_t expect = lies ? V(kit) : now;

    *after = now;
    if (kind == 4 && now != ABSENT) {
        mru_kit_check(batch, key, expect);
    } else if (kind == 3 && now != ABSENT) {
        if (!lies && mru_kit_random(kit, 2))
            expect = ANY;
        mru_kit_delete(batch, key, expect);
        *after = ABSENT;
    } else {
        if (!lies && mru_kit_random(kit, 4) == 0)
            expect = ANY;
        else if (lies && now != ABSENT && mru_kit_random(kit, 2))
            expect = ABSENT;
        *after = V(kit);
        mru_kit_put_number(batch, key, expect, *after, *after);
    }
    *holds = *holds && !lies;
}

static int model_agrees(struct mru_kit *kit, const struct mru_kit_key *keys,
                        const uint64_t *model) {
    struct mru_kit_row rows[MODEL];
    if (mru_kit_get(kit, keys, MODEL, rows))
        return 0;
    for (size_t i = 0; i < MODEL; i++)
        if (rows[i].there != (model[i] != ABSENT) ||
            (rows[i].there && (rows[i].version != model[i] ||
                               mru_kit_row_number(&rows[i]) != model[i]))) {
            mru_kit_fail(kit, "after random batches a record is not what the "
                              "batches that were OK make it");
            return 0;
        }
    return 1;
}

static void random_batches_match_a_model(struct mru_kit *kit) {
    struct mru_kit_key keys[MODEL];
    uint64_t model[MODEL] = {0}, next[MODEL];
    struct mru_kit_batch batch;

    for (uint32_t i = 0; i < MODEL; i++)
        keys[i] = mru_kit_key_number("m", i);
    for (int round = 0; round < 300; round++) {
        int holds = 1;
        memcpy(next, model, sizeof next);
        mru_kit_begin(&batch);
        for (uint32_t i = 0; i < MODEL; i++)
            if (mru_kit_random(kit, 3) == 0)
                random_write(kit, &batch, &keys[i], model[i], &holds, &next[i]);
        if (batch.n == 0)
            continue;
        if (mru_kit_commit_as(kit, &batch, holds ? OK : CONFLICT,
                              "a random batch"))
            return;
        if (holds)
            memcpy(model, next, sizeof model);
        if (!model_agrees(kit, keys, model))
            return;
    }
}

const struct mru_kit_check mru_kit_conditions[] = {
    {"put_is_read_back", 0, put_is_read_back},
    {"get_answers_every_key_once", 0, get_answers_every_key_once},
    {"get_tells_absence", 0, get_tells_absence},
    {"get_stops_when_asked", 0, get_stops_when_asked},
    {"put_absent_wants_absence", 0, put_absent_wants_absence},
    {"put_wants_its_version", 0, put_wants_its_version},
    {"put_any_wants_nothing", 0, put_any_wants_nothing},
    {"delete_wants_its_version", 0, delete_wants_its_version},
    {"delete_any_wants_nothing", 0, delete_any_wants_nothing},
    {"delete_removes", 0, delete_removes},
    {"check_wants_its_version", 0, check_wants_its_version},
    {"check_changes_nothing", 0, check_changes_nothing},
    {"conflict_applies_nothing", 0, conflict_applies_nothing},
    {"conflict_hint_is_true", 0, conflict_hint_is_true},
    {"random_batches_match_a_model", 0, random_batches_match_a_model},
    {NULL, 0, NULL}};
