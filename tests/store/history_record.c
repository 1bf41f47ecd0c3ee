/* tests/store/history_record.c - histories of real runs, under faults. */
#include <pthread.h>
#include <sched.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "history.h"

enum { EACH = HISTORY_OPS / HISTORY_THREADS, MAX_LATE = HISTORY_OPS };

struct run {
    struct history_place *place;
    struct history *history;
    enum history_plant plant;
    char partition[32];
    atomic_int waiting; /* threads that are ready to begin */
    pthread_mutex_t lock; /* guards what follows */
    const struct history_op *late[MAX_LATE]; /* under way in the network */
    int n_late;
};

struct thread {
    struct run *run;
    int number;
    uint64_t random;
    uint64_t seen[HISTORY_KEYS];
};

static uint64_t draw(uint64_t *state, uint64_t below) {
    uint64_t z = *state += UINT64_C(0x9e3779b97f4a7c15);
    z = (z ^ (z >> 30)) * UINT64_C(0xbf58476d1ce4e5b9);
    z = (z ^ (z >> 27)) * UINT64_C(0x94d049bb133111eb);
    return (z ^ (z >> 31)) % below;
}

/* --- calls of the store --- */

static const uint8_t key_names[HISTORY_KEYS] = {'a', 'b', 'c'};

static mereau_need need_of(const struct run *run, uint32_t kind) {
    mereau_need need = {0};
    need.size = (uint32_t)sizeof need;
    need.kind = kind;
    need.partition = (const uint8_t *)run->partition;
    need.partition_len = strlen(run->partition);
    return need;
}

/* A value tells of which write it is. */
struct value {
    uint8_t bytes[2];
};
static struct value value_of(const struct history_part *part) {
    struct value value = {{key_names[part->key], (uint8_t)part->version}};
    return value;
}

static int32_t send(struct run *run, const struct history_op *op,
                    size_t *failed) {
    mereau_need need = need_of(run, MEREAU_NEED_COMMIT);
    mereau_write writes[HISTORY_KEYS];
    struct value values[HISTORY_KEYS];
    memset(writes, 0, sizeof writes);
    for (int i = 0; i < op->n_parts; i++) {
        const struct history_part *part = &op->parts[i];
        values[i] = value_of(part);
        writes[i].kind = part->kind;
        writes[i].expect = part->expect;
        writes[i].record.key = &key_names[part->key];
        writes[i].record.key_len = 1;
        if (part->kind != MEREAU_WRITE_PUT)
            continue;
        writes[i].record.value = values[i].bytes;
        writes[i].record.value_len = sizeof values[i].bytes;
        writes[i].record.version = part->version;
    }
    need.writes = writes;
    need.n_writes = (size_t)op->n_parts;
    *failed = SIZE_MAX;
    mereau_store *store = run->place->ways[op->way];
    return store->commit(store->user, &need, failed);
}

static int32_t take(void *arg, size_t index, const mereau_record *record) {
    struct history_op *op = arg;
    struct history_part *part;
    struct value value;
    if (index >= (size_t)op->n_parts)
        return 1;
    part = &op->parts[index];
    part->version = record == NULL ? MEREAU_VERSION_ABSENT : record->version;
    value = value_of(part);
    /* A value of another write: no version is like that. */
    if (record != NULL &&
        (record->value_len != sizeof value.bytes ||
         memcmp(record->value, value.bytes, sizeof value.bytes) != 0))
        part->version = MEREAU_VERSION_ANY;
    return 0;
}

static int32_t look(struct run *run, mereau_store *store,
                    struct history_op *op) {
    mereau_need need = need_of(run, MEREAU_NEED_GET);
    mereau_slice keys[HISTORY_KEYS];
    for (int i = 0; i < op->n_parts; i++) {
        keys[i].data = &key_names[op->parts[i].key];
        keys[i].len = 1;
    }
    need.keys = keys;
    need.n_keys = (size_t)op->n_parts;
    need.flags = op->stale > 0 ? MEREAU_READ_STALE_OK : 0;
    return store->get(store->user, &need, take, op);
}

/* --- the network --- */

static void send_later(struct run *run, const struct history_op *op) {
    pthread_mutex_lock(&run->lock);
    run->late[run->n_late++] = op;
    pthread_mutex_unlock(&run->lock);
}

/* What was under way arrives; its reply goes nowhere. */
static int deliver_one(struct run *run) {
    const struct history_op *op = NULL;
    size_t failed;
    pthread_mutex_lock(&run->lock);
    if (run->n_late > 0)
        op = run->late[--run->n_late];
    pthread_mutex_unlock(&run->lock);
    if (op != NULL)
        (void)send(run, op, &failed);
    return op != NULL;
}

static int32_t lost(struct run *run, struct history_op *op, uint64_t how,
                    size_t *failed) {
    if (how == 0)
        (void)send(run, op, failed); /* the reply */
    else if (how == 1)
        send_later(run, op);
    *failed = SIZE_MAX; /* else the request, for good */
    return MEREAU_STORE_UNKNOWN;
}

static int32_t commit_by_wire(struct run *run, const struct history_op *op,
                              size_t *failed) {
    int32_t result = send(run, op, failed);
    if (result == MEREAU_STORE_UNKNOWN &&
        run->plant == PLANT_CALLS_UNKNOWN_BUSY)
        result = MEREAU_STORE_BUSY;
    return result;
}

static int32_t commit(struct run *run, struct history_op *op, uint64_t *random,
                      size_t *failed) {
    uint64_t luck = draw(random, 100);
    int32_t result;
    *failed = SIZE_MAX;
    if (run->place->wire != NULL)
        return commit_by_wire(run, op, failed);
    if (luck < 4)
        return MEREAU_STORE_BUSY;
    if (luck < 8)
        return MEREAU_STORE_CONFLICT;
    if (luck < 20)
        return lost(run, op, luck % 3, failed);
    if (luck < 40 && run->plant == PLANT_ANSWERS_EARLY) {
        send_later(run, op);
        return MEREAU_STORE_OK;
    }
    if (luck < 40 && run->plant == PLANT_CALLS_LATE_BUSY) {
        send_later(run, op);
        return MEREAU_STORE_BUSY;
    }
    result = send(run, op, failed);
    if (luck < 50 && run->plant == PLANT_DELIVERS_TWICE)
        send_later(run, op);
    return result;
}

/* --- one thread --- */

static void dawdle(uint64_t *random) {
    struct timespec t = {0, (long)draw(random, 30000)};
    if (draw(random, 4) == 0)
        nanosleep(&t, NULL);
    else if (draw(random, 2) == 0)
        sched_yield();
}

/* One to three keys, ascending. */
static void choose_keys(struct thread *thread, struct history_op *op) {
    uint64_t which = 1 + draw(&thread->random, (1 << HISTORY_KEYS) - 1);
    op->n_parts = 0;
    for (int key = 0; key < HISTORY_KEYS; key++)
        if (which >> key & 1)
            op->parts[op->n_parts++].key = key;
}

/* Most may be stale, and ask for what others asked for. */
static void choose_stale(struct thread *thread, struct history_op *op) {
    if (draw(&thread->random, 4) == 0)
        return;
    op->stale = thread->run->place->stale;
    op->n_parts = draw(&thread->random, 2) == 0 ? 1 : HISTORY_KEYS;
    for (int key = 0; key < op->n_parts; key++)
        op->parts[key].key = key;
}

static void choose_write(struct thread *thread, struct history_part *part,
                         uint64_t version) {
    uint64_t luck = draw(&thread->random, 100), seen = thread->seen[part->key];
    part->kind = luck < 15   ? MEREAU_WRITE_DELETE
                 : luck < 35 ? MEREAU_WRITE_CHECK
                             : MEREAU_WRITE_PUT;
    if (part->kind != MEREAU_WRITE_PUT && seen == MEREAU_VERSION_ABSENT)
        part->kind = MEREAU_WRITE_PUT;
    luck = draw(&thread->random, 100);
    part->expect = luck < 15 && part->kind != MEREAU_WRITE_CHECK
                       ? MEREAU_VERSION_ANY
                       : seen;
    if (luck >= 90 && part->kind == MEREAU_WRITE_PUT)
        part->expect = MEREAU_VERSION_ABSENT;
    part->version = part->kind == MEREAU_WRITE_PUT ? version : 0;
}

static void remember(struct thread *thread, const struct history_op *op) {
    if (op->result != MEREAU_STORE_OK)
        return;
    for (int i = 0; i < op->n_parts; i++)
        if (op->parts[i].kind != MEREAU_WRITE_CHECK)
            thread->seen[op->parts[i].key] = op->parts[i].version;
}

static void one_op(struct thread *thread, int index) {
    struct run *run = thread->run;
    struct history_op *op = &run->history->ops[index];
    op->failed = SIZE_MAX;
    op->way = thread->number % 2 == 1 && run->place->ways[1] != NULL;
    op->is_commit = draw(&thread->random, 100) <
                    (run->place->stale > 0 && op->way == 0 ? 30u : 60u);
    choose_keys(thread, op);
    if (run->place->stale > 0 && op->way == 0 && !op->is_commit)
        choose_stale(thread, op);
    for (int i = 0; i < op->n_parts && op->is_commit; i++)
        choose_write(thread, &op->parts[i],
                     (uint64_t)(index * HISTORY_KEYS + i + 1));
    if (run->place->wire != NULL && draw(&thread->random, 5) == 0)
        run->place->wire->cut(run->place->wire->arg,
                              draw(&thread->random, UINT64_MAX));
    op->began = ++run->place->ticks;
    dawdle(&thread->random);
    if (op->is_commit)
        op->result = commit(run, op, &thread->random, &op->failed);
    else if (run->place->wire == NULL && draw(&thread->random, 100) < 5)
        op->result = MEREAU_STORE_BUSY;
    else
        op->result = look(run, run->place->ways[op->way], op);
    dawdle(&thread->random);
    op->ended = ++run->place->ticks;
    if (op->result == MEREAU_STORE_UNKNOWN)
        op->ended = UINT64_MAX;
    remember(thread, op);
}

static void *work(void *arg) {
    struct thread *thread = arg;
    struct run *run = thread->run;
    run->waiting++;
    while (run->waiting < HISTORY_THREADS)
        sched_yield();
    for (int i = 0; i < EACH; i++) {
        if (draw(&thread->random, 4) == 0)
            (void)deliver_one(run);
        one_op(thread, thread->number * EACH + i);
    }
    return NULL;
}

/* --- a history --- */

static void last_look(struct run *run) {
    const struct history_wire *wire = run->place->wire;
    struct history_op *op = &run->history->ops[HISTORY_OPS];
    op->n_parts = HISTORY_KEYS;
    for (int key = 0; key < HISTORY_KEYS; key++)
        op->parts[key].key = key;
    if (wire != NULL)
        wire->settle(wire->arg);
    op->began = ++run->place->ticks;
    op->result =
        look(run, wire != NULL ? wire->direct : run->place->ways[0], op);
    op->ended = ++run->place->ticks;
}

int history_record(struct history_place *place, uint64_t seed,
                   enum history_plant plant, struct history *history) {
    struct run run = {.place = place, .history = history, .plant = plant};
    struct thread threads[HISTORY_THREADS];
    pthread_t ids[HISTORY_THREADS];
    int started = 0;
    memset(history, 0, sizeof *history);
    memset(threads, 0, sizeof threads);
    history->n = HISTORY_OPS + 1;
    /* Each has records of its own. */
    snprintf(run.partition, sizeof run.partition, "history-%llu",
             (unsigned long long)seed);
    pthread_mutex_init(&run.lock, NULL);
    for (; started < HISTORY_THREADS; started++) {
        threads[started].run = &run;
        threads[started].number = started;
        threads[started].random = seed * HISTORY_THREADS + (uint64_t)started;
        if (pthread_create(&ids[started], NULL, work, &threads[started]) != 0)
            break;
    }
    if (started < HISTORY_THREADS)
        run.waiting = HISTORY_THREADS;
    for (int i = 0; i < started; i++)
        pthread_join(ids[i], NULL);
    while (deliver_one(&run))
        ;
    last_look(&run);
    pthread_mutex_destroy(&run.lock);
    return started == HISTORY_THREADS ? 0 : -1;
}

int histories_wanted(void) {
    const char *wanted = getenv("HISTORIES");
    return wanted == NULL ? 60 : atoi(wanted);
}

int histories_run_at(struct history_place *place, const char *engine,
                     uint64_t seed, int n, enum history_plant plant,
                     int print) {
    unsigned results[8] = {0};
    int good = 0, verdict = HISTORY_LINEAR;
    for (; good < n; good++) {
        struct history history;
        if (history_record(place, seed + (uint64_t)good, plant, &history) != 0)
            break;
        for (int i = 0; i < history.n; i++)
            results[(unsigned)history.ops[i].result % 8]++;
        verdict = history_check(&history);
        if (verdict != HISTORY_LINEAR && print) {
            printf("history %d, seed %llu, %s:\n", good,
                   (unsigned long long)seed,
                   verdict == HISTORY_WRONG ? "wrong" : "too hard");
            history_print(&history);
        }
        if (verdict != HISTORY_LINEAR)
            break;
    }
    if (print)
        printf(
            "faults: histories, %s: %d of %d linearizable, %d operations each; "
            "answers OK %u, CONFLICT %u, BUSY %u, UNKNOWN %u, other %u\n",
            engine, good, n, HISTORY_OPS, results[MEREAU_STORE_OK],
            results[MEREAU_STORE_CONFLICT], results[MEREAU_STORE_BUSY],
            results[MEREAU_STORE_UNKNOWN],
            results[4] + results[5] + results[6] + results[7]);
    return good;
}

int histories_run_cut(mereau_store *store, const struct history_wire *wire,
                      const char *engine, uint64_t seed, int n,
                      enum history_plant plant, int print) {
    struct history_place place = {.ways = {store, NULL}, .wire = wire};
    return histories_run_at(&place, engine, seed, n, plant, print);
}

int histories_run(mereau_store *store, const char *engine, uint64_t seed, int n,
                  enum history_plant plant, int print) {
    return histories_run_cut(store, NULL, engine, seed, n, plant, print);
}
