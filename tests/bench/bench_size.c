/* tests/bench/bench_size.c - what a refresh costs on SQLite when 10^6 and
 * (MEREAU_SOAK set) 10^7 sessions are live: against the bare transaction that looks
 * up and writes the same records of the same file, and against both on a file of
 * 10^5, in turns. It may grow with the file, but no faster than that. And ending all
 * sessions of an app, which is one commit of a few writes, or the program fails.
 * With MEREAU_SOAK it fails, too, when a refresh grew faster than the look-up in
 * three measurements; without, it says MISSED.
 *
 * A thousand devices are enrolled by the engine; the others are copies of one, its
 * record and its five entries of lists under other ids, put in by SQLite's own API.
 * Ids are hashes, so those of real devices lie anywhere between. */
#include "bare.h"

enum { REAL = 1000, ROUNDS = 15, EACH = 200, SLICE = 10, RECORDS = 6, ID = 16 };

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

/* A file, the engine on it, and the bare client. */
struct site {
    struct engine engine;
    struct bare bare;
    struct device devices[REAL];
    struct model model;
    double there; /* sessions */
    char path[32];
};

/* Of one refresh, and of the bare transaction. */
enum { SMALL, SMALL_BARE, LARGE, LARGE_BARE, TURNS };

struct cost {
    double s[TURNS]; /* seconds; the middle of all rounds */
    double growth; /* of the refresh, by that of the bare transaction */
};

static double refresh(struct site *site, struct device *devices) {
    double began = seconds();
    for (int i = 0; i < SLICE; i++) {
        site->engine.store.trace = &devices[i].trace;
        step_of(&site->engine, REFRESH, NULL, NULL, devices[i].token);
    }
    site->engine.store.trace = NULL;
    return seconds() - began;
}

/* Writes again what the device's last operation wrote: nothing is changed. */
static double look_up(struct site *site, struct device *devices) {
    double began = seconds();
    size_t found = 0;
    for (int i = 0; i < SLICE; i++)
        found += bare_again(&site->bare, &devices[i].trace);
    check(found > SLICE, "the bare client finds nothing");
    return seconds() - began;
}

/* Each is as often before the other as after it: who is second finds the pages in
 * the system's memory. */
static struct cost measure(struct site sites[2]) {
    double spent[TURNS][ROUNDS], growths[ROUNDS];
    struct cost cost;
    for (int round = 0; round < ROUNDS; round++) {
        double sum[TURNS] = {0, 0, 0, 0};
        for (int i = 0; i < EACH / SLICE * TURNS; i++) {
            int from = round * EACH + i / TURNS * SLICE;
            int flip = i / TURNS % TURNS, turn = i % TURNS ^ flip;
            struct site *site = &sites[turn / 2];
            struct device *these = &site->devices[from % REAL];
            sum[turn] +=
                turn % 2 == 0 ? refresh(site, these) : look_up(site, these);
        }
        for (int i = 0; i < TURNS; i++)
            spent[i][round] = sum[i] / EACH;
        growths[round] =
            sum[LARGE] / sum[LARGE_BARE] / (sum[SMALL] / sum[SMALL_BARE]);
    }
    for (int i = 0; i < TURNS; i++)
        cost.s[i] = median(spent[i], ROUNDS);
    cost.growth = median(growths, ROUNDS);
    return cost;
}

/* 1 when a refresh grew no faster. Another program's work may look like growth, but
 * not three times. */
static int grew_no_faster(struct site sites[2]) {
    struct cost cost = {{0}, 0};
    for (int i = 0; i < 3; i++) {
        cost = measure(sites);
        printf("sqlite %.0e live sessions: refresh %.0f us, bare transaction "
               "%.0f us; %.2f and %.2f times those of %.0e, by ratio %.2f%s\n",
               sites[1].there, cost.s[LARGE] * 1e6, cost.s[LARGE_BARE] * 1e6,
               cost.s[LARGE] / cost.s[SMALL],
               cost.s[LARGE_BARE] / cost.s[SMALL_BARE], sites[0].there,
               cost.growth, cost.growth <= 1.1 ? "" : " MISSED (1.1)");
        fflush(stdout);
        if (cost.growth <= 1.1)
            return 1;
    }
    return 0;
}

static void enrol(struct site *site) {
    struct engine *engine = &site->engine;
    struct device *devices = site->devices;
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
            model_of(&site->model, &redeemed, &devices[i].trace);
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

/* A file with a thousand devices. */
static void site_open(struct site *site) {
    file_name(site->path);
    engine_open(&site->engine, file_store(site->path));
    enrol(site);
    bare_open(&site->bare, site->path);
    site->there = REAL;
}

static void site_grow(struct site *site, double n, uint64_t salt) {
    double began = seconds();
    fill(&site->bare, &site->model, (uint64_t)(n - site->there), salt);
    site->there = n;
    printf("sqlite %.0e live sessions, %.0f bytes each, filled in %.0f s\n", n,
           file_bytes(site->path) / n, seconds() - began);
    fflush(stdout);
}

static void site_close(struct site *site) {
    bare_close(&site->bare);
    engine_close(&site->engine);
    file_remove(site->path);
}

int main(void) {
    static struct site sites[2]; /* the small and the large one */
    const double sizes[] = {1e6, 1e7};
    const int soak = getenv("MEREAU_SOAK") != NULL;
    int good = 1, ended;

    site_open(&sites[0]);
    site_open(&sites[1]);
    site_grow(&sites[0], 1e5, 1);
    for (int i = 0; i < (soak ? 2 : 1); i++) {
        site_grow(&sites[1], sizes[i], 2 + (uint64_t)i);
        good &= grew_no_faster(sites);
    }
    ended =
        end_all(&sites[1].engine, sites[1].there, sites[1].devices[0].token);
    site_close(&sites[0]);
    site_close(&sites[1]);
    check(ended, "more than one commit of 4 writes");
    check(good || !soak, "a refresh grew faster than the look-up");
    return 0;
}
