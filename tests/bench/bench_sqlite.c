/* tests/bench/bench_sqlite.c - what the engine and its SQLite store cost, as ratios
 * of one run:
 *
 * - redeem, exchange and refresh with opaque tokens, one thread, against the bare
 *   transaction of SQLite that reads and writes the same records;
 * - what a signature costs: refreshing to a JWT and to an opaque token, in memory;
 * - commits of 128 threads, which the store joins by itself, against one thread;
 * - bytes for each device, in the file and in memory.
 *
 * Engine and bare client take turns, ten operations each, and the middle one of
 * the ratios of five rounds counts. */
#include <pthread.h>

#include <mereau/front.h>

#include "bare.h"

enum {
    ROUNDS = 5,
    DEVICES = 250, /* of one round */
    SLICE = 10,
    THREADS = 128,
    EACH = 10, /* operations of each of them in one slice */
    HELD = 40, /* devices of each, to be weighed */
    SHARED = 16 /* registration tokens that they share */
};

static const char *const kinds[KINDS] = {"redeem", "exchange", "refresh"};

/* --- against the bare transaction --- */

/* Seconds of one slice: by the clock, and of the processor. */
struct spent {
    double engine, bare, engine_cpu, bare_cpu;
};

static double processor(void) { return (double)clock() / CLOCKS_PER_SEC; }

static void slice(struct engine *engine, const struct bare *bare, int kind,
                  int round, int from, struct spent *spent) {
    static char tokens[DEVICES][200];
    static struct trace traces[SLICE];
    double began = seconds(), cpu = processor();
    size_t found = 0;
    for (int i = 0; i < SLICE; i++) {
        char device[40];
        snprintf(device, sizeof device, "device-%d-%d", round, from + i);
        engine->store.trace = &traces[i];
        step_of(engine, kind, engine->token, device, tokens[from + i]);
    }
    engine->store.trace = NULL;
    spent->engine += seconds() - began;
    spent->engine_cpu += processor() - cpu;
    began = seconds();
    cpu = processor();
    for (int i = 0; i < SLICE; i++)
        found += bare_again(bare, &traces[i]);
    spent->bare += seconds() - began;
    spent->bare_cpu += processor() - cpu;
    check(found > SLICE, "the bare client finds nothing");
}

/* The processor's part says what is left when syncs cost nothing. */
static void report(int kind, struct spent spent[ROUNDS][KINDS]) {
    double ratios[ROUNDS], engine[ROUNDS], bare[ROUNDS], cpu[2][ROUNDS], ratio;
    for (int round = 0; round < ROUNDS; round++) {
        const struct spent *one = &spent[round][kind];
        ratios[round] = one->bare / one->engine;
        engine[round] = DEVICES / one->engine;
        bare[round] = DEVICES / one->bare;
        cpu[0][round] = one->engine_cpu * 1e6 / DEVICES;
        cpu[1][round] = one->bare_cpu * 1e6 / DEVICES;
    }
    ratio = median(ratios, ROUNDS);
    printf(
        "sqlite %-8s %6.0f/s, bare transaction %6.0f/s: %.2f of it%s; of the "
        "processor %.0f us, bare %.0f us\n",
        kinds[kind], median(engine, ROUNDS), median(bare, ROUNDS), ratio,
        ratio >= 0.8 ? "" : " MISSED (0.8)", median(cpu[0], ROUNDS),
        median(cpu[1], ROUNDS));
}

static void against_the_bare_transaction(struct engine *engine,
                                         const char *path) {
    char bare_path[32], sql[64];
    struct spent spent[ROUNDS][KINDS] = {{{0}}};
    struct bare bare;
    file_name(bare_path);
    /* The same records to begin with, in a file of its own. */
    bare_open(&bare, path);
    snprintf(sql, sizeof sql, "VACUUM INTO '%s'", bare_path);
    bare_exec(&bare, sql);
    bare_close(&bare);
    bare_open(&bare, bare_path);
    bare_exec(&bare, "PRAGMA journal_mode=WAL");
    for (int round = 0; round < ROUNDS; round++)
        for (int kind = 0; kind < KINDS; kind++)
            for (int from = 0; from < DEVICES; from += SLICE)
                slice(engine, &bare, kind, round, from, &spent[round][kind]);
    for (int kind = 0; kind < KINDS; kind++)
        report(kind, spent);
    bare_close(&bare);
    file_remove(bare_path);
}

/* --- a signature --- */

static double one_refresh(struct engine *engine, const char *device,
                          char token[200]) {
    double began = seconds();
    for (int i = 0; i < DEVICES; i++)
        step_of(engine, REFRESH, NULL, device, token);
    return (seconds() - began) / DEVICES;
}

static void what_a_signature_costs(void) {
    struct engine engine;
    mereau_store *store = NULL;
    char *jwt, tokens[2][200];
    double opaques[ROUNDS], jwts[ROUNDS], opaque, with;
    check(mereau_memory_open(&store, NULL) == MEREAU_OK, "no memory");
    engine_open(&engine, store);
    jwt = engine_mint(&engine, "jwt");
    step_of(&engine, REDEEM, engine.token, "opaque", tokens[0]);
    step_of(&engine, REDEEM, jwt, "jwt", tokens[1]);
    step_of(&engine, EXCHANGE, NULL, NULL, tokens[0]);
    step_of(&engine, EXCHANGE, NULL, NULL, tokens[1]);
    for (int round = 0; round < ROUNDS; round++) {
        opaques[round] = one_refresh(&engine, "opaque", tokens[0]);
        jwts[round] = one_refresh(&engine, "jwt", tokens[1]);
    }
    opaque = median(opaques, ROUNDS) * 1e6;
    with = median(jwts, ROUNDS) * 1e6;
    printf("memory refresh: opaque %.0f us, JWT (ES256) %.0f us: %.0f us for "
           "the signature\n",
           opaque, with, with - opaque);
    free(jwt);
    engine_close(&engine);
}

/* --- many threads --- */

struct member {
    struct engine *engine;
    int number, kind, devices, n;
    char *from; /* the registration token */
    char (*tokens)[200]; /* of its devices */
};

static void *member(void *arg) {
    struct member *m = arg;
    for (int i = 0; i < m->n; i++) {
        char device[32];
        snprintf(device, sizeof device, "crowd-%d-%d", m->number,
                 i % m->devices);
        step_of(m->engine, m->kind, m->from, device, m->tokens[i % m->devices]);
    }
    return NULL;
}

static double crowd_rate(struct member *members, int threads, int kind,
                         int each) {
    pthread_t thread[THREADS];
    double began = seconds();
    for (int i = 0; i < threads; i++) {
        members[i].kind = kind;
        members[i].n = each;
        check(pthread_create(&thread[i], NULL, member, &members[i]) == 0,
              "no thread");
    }
    for (int i = 0; i < threads; i++)
        pthread_join(thread[i], NULL);
    return threads * each / (seconds() - began);
}

static void gather(struct engine *engine, struct member *members, int devices) {
    for (int i = 0; i < THREADS; i++) {
        members[i] = (struct member){engine, i, 0, devices, 0, NULL, NULL};
        members[i].from = i < SHARED ? engine_mint(engine, "opaque")
                                     : members[i % SHARED].from;
        members[i].tokens = calloc((size_t)devices, sizeof *members[i].tokens);
        check(members[i].tokens != NULL, "no memory");
    }
}

static void dissolve(struct member *members) {
    for (int i = 0; i < THREADS; i++) {
        if (i < SHARED)
            free(members[i].from);
        free(members[i].tokens);
    }
}

static void joined_commits(struct engine *engine) {
    struct member crowd[2][THREADS];
    char path[32];
    struct engine fronted;
    mereau_store *group = NULL;
    double one[ROUNDS], many[2][ROUNDS], by[2][ROUNDS];
    file_name(path);
    check(mereau_group_open(&group, file_store(path), NULL) == MEREAU_OK,
          "no store in front");
    engine_open(&fronted, group);
    gather(engine, crowd[0], 1);
    gather(&fronted, crowd[1], 1);
    for (int i = 0; i < 2; i++)
        for (int kind = REDEEM; kind < REFRESH; kind++)
            crowd_rate(crowd[i], THREADS, kind, 1);
    for (int round = 0; round < ROUNDS; round++) {
        one[round] = crowd_rate(crowd[0], 1, REFRESH, 30 * EACH);
        for (int i = 0; i < 2; i++) {
            many[i][round] = crowd_rate(crowd[i], THREADS, REFRESH, EACH);
            by[i][round] = many[i][round] / one[round];
        }
    }
    for (int i = 0; i < 2; i++) {
        double times = median(by[i], ROUNDS);
        printf("sqlite refresh%s: 1 thread %.0f/s, %d threads %.0f/s: %.1f "
               "times as many%s\n",
               i == 0 ? "" : " through mereau_group_open()",
               median(one, ROUNDS), THREADS, median(many[i], ROUNDS), times,
               times >= 3 ? "" : " MISSED (3)");
    }
    dissolve(crowd[0]);
    dissolve(crowd[1]);
    engine_close(&fronted);
    file_remove(path);
}

/* --- bytes --- */

/* Bytes of this process that are in memory; 0 where it is not said. */
static double resident(void) {
    FILE *file = fopen("/proc/self/statm", "r");
    long pages = 0;
    if (file == NULL)
        return 0;
    if (fscanf(file, "%*s %ld", &pages) != 1)
        pages = 0;
    fclose(file);
    return (double)pages * (double)sysconf(_SC_PAGESIZE);
}

static void weigh(const char *name, mereau_store *store, const char *path) {
    struct member crowd[THREADS];
    struct engine engine;
    double sizes[3], n = THREADS * HELD;
    engine_open(&engine, store);
    gather(&engine, crowd, HELD);
    for (int i = 0; i < 3; i++) {
        sizes[i] = path != NULL ? file_bytes(path) : resident();
        if (i < 2)
            crowd_rate(crowd, THREADS, i, HELD);
    }
    printf(
        "%s bytes for each device: %.0f enrolled, %.0f with a live session\n",
        name, (sizes[1] - sizes[0]) / n, (sizes[2] - sizes[0]) / n);
    dissolve(crowd);
    engine_close(&engine);
}

int main(void) {
    char path[32];
    struct engine engine;
    mereau_store *memory = NULL;
    check(mereau_memory_open(&memory, NULL) == MEREAU_OK, "no memory");
    weigh("memory", memory, NULL); /* first: nothing was freed yet */
    file_name(path);
    weigh("sqlite", file_store(path), path);
    file_remove(path);
    file_name(path);
    engine_open(&engine, file_store(path));
    against_the_bare_transaction(&engine, path);
    what_a_signature_costs();
    joined_commits(&engine);
    engine_close(&engine);
    file_remove(path);
    return 0;
}
