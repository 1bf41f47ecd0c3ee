/* lib/testing/kit_threads.c - checks of several callers at once in one process:
 * who wins, what is lost, what is seen half done.
 *
 * Each race is run for a bounded time, but for LEAST rounds at any rate: a busy
 * machine must not make a fault pass. Batches and rows live on the heap: stacks of threads may be small. */
#include <stdlib.h>

#include "kit.h"
#include "kit_together.h"

#define V(kit) mru_kit_version(kit)
#define ABSENT MEREAU_VERSION_ABSENT
#define ANY MEREAU_VERSION_ANY
#define OK MEREAU_STORE_OK
#define CONFLICT MEREAU_STORE_CONFLICT

enum { ROUNDS = 400, LEAST = 20, PARTS = 8 };

typedef void (*const part)(struct mru_kit_thread *self);

static struct mru_kit_batch *batch_of(struct mru_kit *kit) {
    struct mru_kit_batch *batch = calloc(1, sizeof *batch);
    if (batch == NULL)
        mru_kit_fail(kit, "the kit has no memory");
    return batch;
}

/* --- one of many wins --- */

struct rounds {
    int64_t end;
    uint64_t wins[ROUNDS];
    uint32_t played; /* by the first thread, at a meeting */
};

/* Whether another round is to be played: the same answer for all. */
static int next_round(struct mru_kit_thread *self, struct rounds *rounds,
                      uint32_t round) {
    if (!mru_kit_meet(self))
        return 0;
    if (self->index == 0)
        rounds->played =
            round < ROUNDS &&
                    (round < LEAST || mru_kit_now_ms() < rounds->end) &&
                    !mru_kit_failed(self->kit)
                ? round + 1
                : round;
    return mru_kit_meet(self) && rounds->played > round;
}

static void take_first(struct mru_kit_thread *self) {
    struct rounds *rounds = self->arg;
    struct mru_kit_batch *batch = batch_of(self->kit);

    for (uint32_t r = 0; batch && next_round(self, rounds, r); r++) {
        struct mru_kit_key key = mru_kit_key_number("first", r);
        mru_kit_begin(batch);
        mru_kit_put_number(batch, &key, ABSENT, V(self->kit), self->index);
        if (mru_kit_commit(self->kit, batch) == OK)
            mru_kit_gate_count(self->gate, &rounds->wins[r], 1);
    }
    free(batch);
}

static void absent_is_won_once(struct mru_kit *kit) {
    static part parts[] = {take_first};
    struct rounds rounds = {0};

    rounds.end = mru_kit_now_ms() + mru_kit_race_ms(kit);
    if (mru_kit_together(kit, parts, 1, mru_kit_given(kit)->threads, &rounds))
        return;
    for (uint32_t r = 0; r < rounds.played; r++)
        if (rounds.wins[r] != 1)
            mru_kit_fail(kit, "%llu callers made one record that was absent",
                         (unsigned long long)rounds.wins[r]);
}

/* {CHECK a, PUT b} against {CHECK b, PUT a}. All keys have version 1 before. */
static void skew(struct mru_kit_thread *self) {
    struct rounds *rounds = self->arg;
    struct mru_kit_batch *batch = batch_of(self->kit);

    for (uint32_t r = 0; batch && next_round(self, rounds, r); r++) {
        struct mru_kit_key a = mru_kit_key_number("skew-a", r);
        struct mru_kit_key b = mru_kit_key_number("skew-b", r);
        mru_kit_begin(batch);
        mru_kit_check(batch, self->index ? &b : &a, 1);
        mru_kit_put_number(batch, self->index ? &a : &b, 1, V(self->kit), r);
        if (mru_kit_commit(self->kit, batch) == OK)
            mru_kit_gate_count(self->gate, &rounds->wins[r], 1);
    }
    free(batch);
}

static int write_pairs(struct mru_kit *kit, uint32_t n) {
    struct mru_kit_batch *batch = batch_of(kit);
    for (uint32_t r = 0; batch && r < n; r++) {
        struct mru_kit_key a = mru_kit_key_number("skew-a", r);
        struct mru_kit_key b = mru_kit_key_number("skew-b", r);
        if (batch->n == 0)
            mru_kit_begin(batch);
        mru_kit_put_number(batch, &a, ABSENT, 1, 0);
        mru_kit_put_number(batch, &b, ABSENT, 1, 0);
        if (batch->n + 2 <= MEREAU_MAX_WRITES && r + 1 < n)
            continue;
        if (mru_kit_commit_as(kit, batch, OK, "new records"))
            break;
        mru_kit_begin(batch);
    }
    free(batch);
    return mru_kit_failed(kit) ? -1 : 0;
}

static void write_skew_by_check(struct mru_kit *kit) {
    static part parts[] = {skew};
    struct rounds rounds = {0};

    if (write_pairs(kit, ROUNDS))
        return;
    rounds.end = mru_kit_now_ms() + mru_kit_race_ms(kit);
    if (mru_kit_together(kit, parts, 1, 2, &rounds))
        return;
    for (uint32_t r = 0; r < rounds.played; r++)
        if (rounds.wins[r] > 1)
            mru_kit_fail(kit, "{CHECK a, PUT b} and {CHECK b, PUT a} both won");
}

/* --- nothing is lost --- */

struct counter {
    struct mru_kit_key key;
    int64_t end;
    uint64_t wins;
};

/* One step of counting: reads, and writes one more over what it read. 1 won, 0
 * lost, -1 failed. */
static int count_once(struct mru_kit *kit, const struct mru_kit_key *key,
                      struct mru_kit_batch *batch, struct mru_kit_row *row) {
    int32_t result;
    if (mru_kit_get_one(kit, key, row))
        return -1;
    mru_kit_begin(batch);
    mru_kit_put_number(batch, key, row->version, V(kit),
                       mru_kit_row_number(row) + 1);
    result = mru_kit_commit(kit, batch);
    return result == OK ? 1 : result == CONFLICT ? 0 : -1;
}

static void count(struct mru_kit_thread *self) {
    struct counter *counter = self->arg;
    struct mru_kit_batch *batch = batch_of(self->kit);
    struct mru_kit_row *row = calloc(1, sizeof *row);
    int won = 0;

    for (int i = 0; batch && row && won >= 0 &&
                    (i < LEAST || mru_kit_now_ms() < counter->end);
         i++) {
        won = count_once(self->kit, &counter->key, batch, row);
        if (won > 0)
            mru_kit_gate_count(self->gate, &counter->wins, 1);
    }
    free(batch);
    free(row);
}

static int put_zero(struct mru_kit *kit, const struct mru_kit_key *key) {
    struct mru_kit_batch *batch = batch_of(kit);
    int done = -1;
    if (batch != NULL) {
        mru_kit_begin(batch);
        mru_kit_put_number(batch, key, ABSENT, V(kit), 0);
        done = mru_kit_commit_as(kit, batch, OK, "a new record");
    }
    free(batch);
    return done;
}

static void counter_loses_no_update(struct mru_kit *kit) {
    static part parts[] = {count};
    struct counter counter = {mru_kit_key_text("counter"), 0, 0};
    struct mru_kit_row row;

    if (put_zero(kit, &counter.key))
        return;
    counter.end = mru_kit_now_ms() + mru_kit_race_ms(kit);
    if (mru_kit_together(kit, parts, 1, mru_kit_given(kit)->threads,
                         &counter) ||
        mru_kit_get_one(kit, &counter.key, &row))
        return;
    if (counter.wins == 0)
        mru_kit_fail(kit, "of all callers none could count");
    else if (mru_kit_row_number(&row) != counter.wins)
        mru_kit_fail(kit,
                     "%llu were told that they counted, and it stands "
                     "at %llu",
                     (unsigned long long)counter.wins,
                     (unsigned long long)mru_kit_row_number(&row));
}

/* --- nothing is seen half done --- */

struct stamps {
    struct mru_kit_key keys[PARTS];
    int64_t end;
    int writing; /* what emit_late asks for, and whether it is done */
    int written;
    struct mru_kit_gate *gate;
    uint32_t emitted;
};

/* Writes the same number to all keys in one commit, whatever is there. */
static int stamp(struct mru_kit *kit, struct stamps *stamps,
                 struct mru_kit_batch *batch, uint64_t number) {
    mru_kit_begin(batch);
    for (size_t i = 0; i < PARTS; i++)
        mru_kit_put_number(batch, &stamps->keys[i], ANY, V(kit), number);
    return mru_kit_commit_as(kit, batch, OK, "an unconditional batch");
}

static void stamp_all(struct mru_kit_thread *self) {
    struct stamps *stamps = self->arg;
    struct mru_kit_batch *batch = batch_of(self->kit);
    uint64_t number = (uint64_t)(self->index + 1) << 32;

    for (int i = 0; batch && (i < LEAST || mru_kit_now_ms() < stamps->end) &&
                    stamp(self->kit, stamps, batch, number++) == 0;
         i++)
        continue;
    free(batch);
}

/* Whether all keys show one number. */
static int one_stamp(struct mru_kit *kit, const struct mru_kit_row *rows) {
    for (size_t i = 0; i < PARTS; i++)
        if (!rows[i].there ||
            mru_kit_row_number(&rows[i]) != mru_kit_row_number(&rows[0])) {
            mru_kit_fail(kit, "one get showed a part of a commit");
            return 0;
        }
    return 1;
}

static void look_at_all(struct mru_kit_thread *self) {
    struct stamps *stamps = self->arg;
    struct mru_kit_row *rows = calloc(PARTS, sizeof *rows);

    for (int i = 0; rows && (i < LEAST || mru_kit_now_ms() < stamps->end) &&
                    mru_kit_get(self->kit, stamps->keys, PARTS, rows) == 0 &&
                    one_stamp(self->kit, rows);
         i++)
        continue;
    free(rows);
}

static int stamps_begin(struct mru_kit *kit, struct stamps *stamps) {
    struct mru_kit_batch *batch = batch_of(kit);
    int done = -1;
    for (uint32_t i = 0; i < PARTS; i++)
        stamps->keys[i] = mru_kit_key_number("stamp", i);
    if (batch != NULL)
        done = stamp(kit, stamps, batch, 1);
    free(batch);
    stamps->end = mru_kit_now_ms() + mru_kit_race_ms(kit);
    return done;
}

static void commit_is_seen_whole(struct mru_kit *kit) {
    static part parts[] = {stamp_all, look_at_all};
    struct stamps stamps = {0};
    struct mru_kit_row rows[PARTS];

    if (stamps_begin(kit, &stamps) ||
        mru_kit_together(kit, parts, 2, mru_kit_given(kit)->threads, &stamps))
        return;
    if (mru_kit_get(kit, stamps.keys, PARTS, rows) == 0)
        one_stamp(kit, rows);
}

/* At the first key that a get emits, another thread is let write all of them:
 * a store that reads the others afterwards is caught without luck. One that
 * holds a lock meanwhile just makes the writer wait. */
static int32_t emit_late(void *arg, size_t index, const mereau_record *record) {
    struct mru_kit_thread *self = arg;
    struct stamps *stamps = self->arg;
    (void)record;
    (void)index;
    if (stamps->emitted++ == 0) {
        mru_kit_gate_write(self->gate, &stamps->writing, 1);
        mru_kit_gate_wait(self->gate, &stamps->written, 150);
    }
    return 0;
}

struct late {
    struct mru_kit_thread *self;
    struct mru_kit_row rows[PARTS];
    uint32_t n;
};

static int32_t take_late(void *arg, size_t index, const mereau_record *record) {
    struct late *late = arg;
    if (index < PARTS && record != NULL && record->value_len >= 8) {
        late->rows[index].there = 1;
        for (size_t i = 0; i < 8; i++)
            late->rows[index].head[i] = record->value[i];
    }
    late->n++;
    return emit_late(late->self, index, record);
}

static void get_slowly(struct mru_kit_thread *self) {
    struct stamps *stamps = self->arg;
    const mereau_store *store = mru_kit_store(self->kit);
    struct late *late = calloc(1, sizeof *late);
    mereau_slice slices[PARTS];
    mereau_need need;

    for (size_t i = 0; i < PARTS; i++) {
        slices[i].data = stamps->keys[i].data;
        slices[i].len = stamps->keys[i].len;
    }
    if (late != NULL) {
        late->self = self;
        mru_kit_need(self->kit, &need, MEREAU_NEED_GET);
        need.keys = slices;
        need.n_keys = PARTS;
        if (store->get(store->user, &need, take_late, late) == OK)
            one_stamp(self->kit, late->rows);
    }
    free(late);
    /* For a store that never called emit: let the writer go. */
    mru_kit_gate_write(self->gate, &stamps->writing, 1);
}

static void stamp_when_asked(struct mru_kit_thread *self) {
    struct stamps *stamps = self->arg;
    struct mru_kit_batch *batch = batch_of(self->kit);
    mru_kit_gate_wait(self->gate, &stamps->writing, 10000);
    if (batch != NULL)
        stamp(self->kit, stamps, batch, 2);
    mru_kit_gate_write(self->gate, &stamps->written, 1);
    free(batch);
}

static void get_is_one_instant(struct mru_kit *kit) {
    static part parts[] = {get_slowly, stamp_when_asked};
    struct stamps stamps = {0};
    if (stamps_begin(kit, &stamps) == 0)
        mru_kit_together(kit, parts, 2, 2, &stamps);
}

/* --- what is done is seen --- */

/* One writes, the others read before and after: what they know from before must
 * not be shown again. */
static void write_and_read(struct mru_kit_thread *self) {
    struct mru_kit_key key = mru_kit_key_text("handover");
    struct mru_kit_batch *batch = batch_of(self->kit);
    struct mru_kit_row *row = calloc(1, sizeof *row);
    struct rounds *rounds = self->arg;

    for (uint32_t r = 0; batch && row && next_round(self, rounds, r); r++) {
        mru_kit_begin(batch);
        mru_kit_put_number(batch, &key, ANY, V(self->kit), r + 1);
        if (mru_kit_get_one(self->kit, &key, row) || !mru_kit_meet(self) ||
            (self->index == 0 &&
             mru_kit_commit_as(self->kit, batch, OK, "a write")) ||
            !mru_kit_meet(self) || mru_kit_get_one(self->kit, &key, row))
            break;
        if (mru_kit_row_number(row) != r + 1)
            mru_kit_fail(self->kit,
                         "a get that began after commit %u had been "
                         "answered showed commit %u",
                         (unsigned)(r + 1), (unsigned)mru_kit_row_number(row));
    }
    free(batch);
    free(row);
}

static void finished_commit_is_seen(struct mru_kit *kit) {
    static part parts[] = {write_and_read};
    struct mru_kit_key key = mru_kit_key_text("handover");
    struct rounds rounds = {0};
    if (put_zero(kit, &key))
        return;
    rounds.end = mru_kit_now_ms() + mru_kit_race_ms(kit) / 2;
    mru_kit_together(kit, parts, 1, 3, &rounds);
}

const struct mru_kit_check mru_kit_threads[] = {
    {"get_is_one_instant", 0, get_is_one_instant},
    {"commit_is_seen_whole", 0, commit_is_seen_whole},
    {"finished_commit_is_seen", 0, finished_commit_is_seen},
    {"absent_is_won_once", 0, absent_is_won_once},
    {"counter_loses_no_update", 0, counter_loses_no_update},
    {"write_skew_by_check", 0, write_skew_by_check},
    {NULL, 0, NULL}};
