/* tests/bench/bench_size.c - what a refresh costs on SQLite when 10^5, 10^6 and
 * (MEREAU_SOAK set) 10^7 sessions are live: against the bare transaction that looks
 * up and writes the same records of the same file. It may grow with the file, but
 * no faster than that. And ending all sessions of an app, which is one commit of a
 * few writes, or the program fails. With MEREAU_SOAK it fails, too, when a refresh
 * grew faster than the look-up; without, it says MISSED.
 *
 * A thousand devices are enrolled by the engine; the others are copies of one, its
 * record and its five entries of lists under other ids, put in by SQLite's own API.
 * Ids are hashes, so those of real devices lie anywhere between. */
#include "bare.h"

enum { REAL = 1000, ROUNDS = 5, EACH = 200, SLICE = 10, RECORDS = 6, ID = 16 };

struct device {
    char token[200];
    struct trace trace;
};

/* --- filling --- */

/* The records of a device, as its redemption and its exchange wrote them. */
struct model {
    mereau_record records[RECORDS];
    size_t n;
    struct trace bytes; /* what they point to */
};

static void add(struct model *model, const uint8_t *key, size_t key_len,
                const mereau_record *record) {
    mereau_record *mine = &model->records[model->n++];
    *mine = *record;
    mine->key = trace_copy(&model->bytes, key, key_len);
    mine->value = trace_copy(&model->bytes, record->value, record->value_len);
}

/* From the commits of the device that was traced last. */
static void model_of(struct model *model, const struct trace *redeemed,
                     const struct trace *exchanged) {
    const mereau_record *record = NULL;
    memset(model, 0, sizeof *model);
    for (size_t i = 0; i < exchanged->n_writes; i++)
        if (exchanged->writes[i].record.key[0] == 'e')
            record = &exchanged->writes[i].record;
    check(record != NULL && record->key_len == 1 + ID, "no enrolment");
    add(model, record->key, record->key_len, record);
    for (size_t i = 0; i < redeemed->n_writes; i++) {
        const mereau_record *entry = &redeemed->writes[i].record;
        if (entry->key[0] == 'i' && entry->key_len > ID &&
            memcmp(entry->key + entry->key_len - ID, record->key + 1, ID) == 0)
            add(model, entry->key, entry->key_len, entry);
    }
    check(model->n == RECORDS, "an enrolment of other records");
}

/* n sessions more, evenly spread over all ids: in order, kind by kind. salt: so that
 * they are others than those of the last time. */
static void fill(const struct bare *bare, const struct model *model, uint64_t n,
                 uint64_t salt) {
    uint8_t key[MEREAU_MAX_KEY];
    bare_exec(bare, "PRAGMA synchronous=OFF");
    for (size_t k = 0; k < RECORDS; k++) {
        mereau_record record = model->records[k];
        memcpy(key, record.key, record.key_len);
        record.key = key;
        for (uint64_t i = 0; i < n; i++) {
            uint64_t id = UINT64_MAX / n * i + salt;
            if (i % 20000 == 0) {
                if (i > 0)
                    bare_step(bare, COMMIT);
                bare_step(bare, BEGIN);
            }
            for (size_t b = 0; b < 8; b++)
                key[record.key_len - ID + b] = (uint8_t)(id >> (56 - 8 * b));
            bare_put(bare, &record);
        }
        bare_step(bare, COMMIT);
    }
    bare_exec(bare, "PRAGMA wal_checkpoint(TRUNCATE);PRAGMA synchronous=FULL");
}

/* --- measuring --- */

struct cost {
    double engine, bare, ratio; /* seconds of one; the middle of all rounds */
};

static double refresh(struct engine *engine, struct device *devices) {
    double began = seconds();
    for (int i = 0; i < SLICE; i++) {
        engine->store.trace = &devices[i].trace;
        step_of(engine, REFRESH, NULL, NULL, devices[i].token);
    }
    engine->store.trace = NULL;
    return seconds() - began;
}

/* Writes again what the device's last operation wrote: nothing is changed. */
static double look_up(const struct bare *bare, struct device *devices) {
    double began = seconds();
    size_t found = 0;
    for (int i = 0; i < SLICE; i++)
        found += bare_again(bare, &devices[i].trace);
    check(found > SLICE, "the bare client finds nothing");
    return seconds() - began;
}

/* Each is first as often as the other: who is second finds the pages in the
 * system's memory. */
static struct cost measure(struct engine *engine, const struct bare *bare,
                           struct device *devices) {
    double spent[3][ROUNDS];
    struct cost cost;
    for (int round = 0; round < ROUNDS; round++) {
        double sum[2] = {0, 0};
        for (int from = 0; from < EACH; from += SLICE) {
            struct device *these = &devices[round * EACH + from];
            int engine_first = from / SLICE % 2;
            for (int turn = 0; turn < 2; turn++) {
                int bare_now = turn == engine_first;
                sum[bare_now] +=
                    bare_now ? look_up(bare, these) : refresh(engine, these);
            }
        }
        spent[0][round] = sum[0] / EACH;
        spent[1][round] = sum[1] / EACH;
        spent[2][round] = sum[0] / sum[1];
    }
    cost.engine = median(spent[0], ROUNDS);
    cost.bare = median(spent[1], ROUNDS);
    cost.ratio = median(spent[2], ROUNDS);
    return cost;
}

static void enrol(struct engine *engine, struct device *devices,
                  struct model *model) {
    for (int i = 0; i < REAL; i++) {
        char name[32];
        struct trace redeemed = {0};
        snprintf(name, sizeof name, "device-%d", i);
        engine->store.trace = &redeemed;
        step_of(engine, REDEEM, engine->token, name, devices[i].token);
        engine->store.trace = &devices[i].trace;
        step_of(engine, EXCHANGE, NULL, NULL, devices[i].token);
        engine->store.trace = NULL;
        if (i + 1 == REAL)
            model_of(model, &redeemed, &devices[i].trace);
    }
}

/* All sessions of the app. 1 when that was one commit of a few writes. */
static int end_all(struct engine *engine, double n, const char *token) {
    struct trace trace = {0};
    mereau_op *op = mereau_not_before_raise(engine->tenant, MEREAU_CLIENT_ID,
                                            "opaque", MEREAU_NOW);
    double began = seconds();
    engine->store.trace = &trace;
    mereau_op_free(run(op));
    engine->store.trace = NULL;
    printf("sqlite ending all %.0e sessions of an app: %zu commit, %zu writes, "
           "%.1f ms\n",
           n, trace.commits, trace.n_writes, (seconds() - began) * 1e3);
    op = mereau_token_refresh(engine->tenant, token);
    check(mereau_op_run(op, NULL) == MEREAU_E_NOT_BEFORE, "a session lives on");
    mereau_op_free(op);
    return trace.commits == 1 && trace.n_writes <= 4;
}

int main(void) {
    static struct device devices[REAL];
    const double sizes[] = {1e5, 1e6, 1e7};
    const int soak = getenv("MEREAU_SOAK") != NULL, n_sizes = soak ? 3 : 2;
    struct cost first = {0, 0, 0};
    struct engine engine;
    struct model model;
    struct bare bare;
    double there = REAL;
    int missed = 0, ended;
    char path[32];

    file_name(path);
    engine_open(&engine, file_store(path));
    enrol(&engine, devices, &model);
    bare_open(&bare, path);
    for (int i = 0; i < n_sizes; i++) {
        double began = seconds();
        struct cost cost;
        fill(&bare, &model, (uint64_t)(sizes[i] - there), 1 + (uint64_t)i);
        there = sizes[i];
        began = seconds() - began;
        cost = measure(&engine, &bare, devices);
        if (i == 0)
            first = cost;
        missed += cost.ratio > 1.1 * first.ratio;
        printf("sqlite %.0e live sessions, %.0f bytes each (filled in %.0f s): "
               "refresh %.0f us, bare transaction %.0f us; %.2f and %.2f times "
               "those at 1e+05, by ratio %.2f%s\n",
               there, file_bytes(path) / there, began, cost.engine * 1e6,
               cost.bare * 1e6, cost.engine / first.engine,
               cost.bare / first.bare, cost.ratio / first.ratio,
               cost.ratio <= 1.1 * first.ratio ? "" : " MISSED (1.1)");
        fflush(stdout);
    }
    ended = end_all(&engine, there, devices[0].token);
    bare_close(&bare);
    engine_close(&engine);
    file_remove(path);
    check(ended, "more than one commit of 4 writes");
    return soak && missed > 0;
}
