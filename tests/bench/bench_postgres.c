/* tests/bench/bench_postgres.c - what the engine and its PostgreSQL store cost, as
 * ratios of one run on a server of its own (make bench-postgres):
 *
 * - redeem, exchange and refresh with opaque tokens, 4 threads, against bare
 *   clients of libpq that read and write the same records, and decide, check and
 *   derive nothing. All of them, ours too, need two round trips. The transaction:
 *   BEGIN and one SELECT for all keys, then plain statements and COMMIT. The same
 *   with a lock on what was CHECKed, as any program must that wants to be sure of
 *   it. And without BEGIN: a SELECT outside of any transaction, then a pipeline of
 *   the plain statements, which is the least that can be asked of a server.
 * - 16 processes: redemptions of one hot registration token, against 16 tokens; and
 *   how many refreshes.
 * - bytes for each device.
 *
 * Engine and bare clients take turns, ten operations of each thread each, and the
 * middle one of the ratios of all turns counts. */
#include <pthread.h>
#include <sys/wait.h>
#include <unistd.h>

#include <libpq-fe.h>

#include <mereau/postgres.h>
#include <mereau/system.h>

#include "../postgres/server.h"
#include "measure.h"

enum {
    ROUNDS = 20,
    DEVICES = 60, /* of one thread in one round */
    SLICE = 10,
    SLICES = ROUNDS * DEVICES / SLICE,
    THREADS = 4,
    PROCESSES = 16,
    WEIGHED = 1000, /* devices */
    HOT_ROUNDS = 5,
    EACH = 60
};

enum { REDEEM, EXCHANGE, REFRESH, KINDS };
static const char *const kinds[KINDS] = {"redeem", "exchange", "refresh"};

/* --- the engine --- */

struct bench {
    struct server server;
    mereau_store *inner;
    mereau_store table; /* passes on, and writes down */
    mereau_ctx *ctx;
    mereau_tenant *tenant;
    char token[PROCESSES][300];
    char weighed[WEIGHED][200]; /* auth tokens */
};

/* Of the operation that this thread runs; NULL: none is written down. */
static _Thread_local struct trace *tracing;

static int32_t get(void *user, const mereau_need *need, mereau_emit emit,
                   void *arg) {
    struct bench *bench = user;
    if (tracing != NULL)
        trace_get(tracing, need);
    return bench->inner->get(bench->inner->user, need, emit, arg);
}

static int32_t commit(void *user, const mereau_need *need, size_t *failed) {
    struct bench *bench = user;
    if (tracing != NULL)
        trace_commit(tracing, need);
    return bench->inner->commit(bench->inner->user, need, failed);
}

static int32_t scan(void *user, const mereau_need *need, mereau_emit emit,
                    void *arg) {
    struct bench *bench = user;
    return bench->inner->scan(bench->inner->user, need, emit, arg);
}

static void open_context(struct bench *bench, uint32_t connections) {
    static const uint8_t root[32] = "a benchmark's root key, 32 bytes";
    mereau_postgres_options options = MEREAU_POSTGRES_OPTIONS_INIT;
    mereau_error err = MEREAU_ERROR_INIT;
    options.conninfo = bench->server.conninfo;
    options.max_connections = connections;
    check(mereau_postgres_open_with(&bench->inner, &options, &err) == MEREAU_OK,
          err.text);
    bench->table = *bench->inner;
    bench->table.user = bench;
    bench->table.get = get;
    bench->table.commit = commit;
    bench->table.scan = scan;
    bench->table.close = NULL;
    bench->ctx = mereau_ctx_new();
    mereau_ctx_set_store(bench->ctx, &bench->table);
    mereau_ctx_set_clock(bench->ctx, mereau_system_clock());
    mereau_ctx_add_root_key(bench->ctx, "bench", root, sizeof root);
    check(mereau_ctx_ready(bench->ctx, &err) == MEREAU_OK, err.text);
    bench->tenant = mereau_tenant_open(bench->ctx, "bench");
}

static void close_context(struct bench *bench) {
    mereau_tenant_free(bench->tenant);
    mereau_ctx_free(bench->ctx);
    mereau_store_close(bench->inner);
}

static void mint(struct bench *bench) {
    for (int i = 0; i < PROCESSES; i++) {
        mereau_op *op = run(mereau_registration_token_mint(
            bench->tenant, "bench", 1000000, 86400));
        snprintf(bench->token[i], sizeof bench->token[i], "%s",
                 mereau_op_text(op, MEREAU_REGISTRATION_TOKEN));
        mereau_op_free(op);
    }
}

static void set_up(struct bench *bench) {
    mereau_op *op;
    open_context(bench, THREADS);
    mereau_op_free(
        run(mereau_tenant_create(bench->tenant, "https://id.bench.example")));
    op = mereau_app_create(bench->tenant, "bench");
    mereau_op_set_text(op, MEREAU_CLIENT_ID, "bench");
    mereau_op_set_text(op, MEREAU_TOKEN_FORMAT, "opaque");
    mereau_op_free(run(op));
    mint(bench);
}

static mereau_op *redeem(const struct bench *bench, int token,
                         const char *device) {
    static const uint8_t nonce[16] = "a nonce of bench";
    return mereau_registration_token_redeem(bench->tenant, bench->token[token],
                                            device, nonce, sizeof nonce);
}

/* --- one thread's slice of a round --- */

enum { TRANSACTION, LOCKING, LEAST, BARES };

struct worker {
    struct bench *bench;
    int number, kind, round, from, which;
    PGconn *bare;
    char tokens[DEVICES][200]; /* of each device, as it goes on */
    struct trace traces[SLICE];
};

static mereau_op *op_of(const struct worker *w, int device) {
    static const uint8_t nonce[16] = "a nonce of bench";
    char name[40];
    mereau_op *op;
    if (w->kind == REDEEM) {
        snprintf(name, sizeof name, "device-%d-%d-%d", w->round, w->number,
                 device);
        return redeem(w->bench, w->number, name);
    }
    op = w->kind == EXCHANGE
             ? mereau_auth_token_exchange(w->bench->tenant, w->tokens[device])
             : mereau_token_refresh(w->bench->tenant, w->tokens[device]);
    mereau_op_set_bytes(op, MEREAU_RETRY_NONCE, nonce, sizeof nonce);
    return op;
}

static void *engine(void *arg) {
    struct worker *w = arg;
    for (int i = 0; i < SLICE; i++) {
        char *token = w->tokens[w->from + i];
        mereau_op *op;
        tracing = &w->traces[i];
        op = run(op_of(w, w->from + i));
        tracing = NULL;
        snprintf(token, sizeof w->tokens[0], "%s",
                 mereau_op_text(op, w->kind == REDEEM ? MEREAU_AUTH_TOKEN
                                                      : MEREAU_REFRESH_TOKEN));
        mereau_op_free(op);
    }
    return NULL;
}

/* --- the bare clients --- */

static void put_u32(uint8_t *p, size_t value) {
    for (int i = 0; i < 4; i++)
        p[i] = (uint8_t)(value >> (24 - 8 * i));
}

static void ask(PGconn *conn, const char *sql) {
    PGresult *result = PQexec(conn, sql);
    ExecStatusType status = PQresultStatus(result);
    check(status == PGRES_COMMAND_OK || status == PGRES_TUPLES_OK,
          PQerrorMessage(conn));
    PQclear(result);
}

static void prepare(PGconn *conn, const char *name, int which,
                    const char *format) {
    char statement[16], sql[300];
    PGresult *result;
    snprintf(statement, sizeof statement, "%s%d", name, which);
    snprintf(sql, sizeof sql, format, which);
    result = PQprepare(conn, statement, sql, 0, NULL);
    check(PQresultStatus(result) == PGRES_COMMAND_OK, PQerrorMessage(conn));
    PQclear(result);
}

/* Each of them has a table of its own, and so as much to insert as the engine. */
static PGconn *bare_open(const struct bench *bench) {
    PGconn *conn = PQconnectdb(bench->server.conninfo);
    check(PQstatus(conn) == CONNECTION_OK, PQerrorMessage(conn));
    ask(conn, "SET enable_seqscan=off");
    for (int i = 0; i < BARES; i++) {
        /* As ours: the planner may answer key=ANY($1) by the whole partition. */
        prepare(conn, "get", i,
                "SELECT r.* FROM unnest((SELECT $1::bytea[])) AS wanted(key),"
                "LATERAL (SELECT key,value,version,drop_at FROM bare%d WHERE"
                " partition='bench' AND key=wanted.key LIMIT 1) AS r");
        prepare(conn, "put", i,
                "INSERT INTO bare%d VALUES('bench',$1,$2,$3,$4) ON CONFLICT"
                " (partition,key) DO UPDATE SET value=excluded.value,"
                "version=excluded.version,drop_at=excluded.drop_at");
        prepare(conn, "remove", i,
                "DELETE FROM bare%d WHERE partition='bench' AND key=$1");
        prepare(conn, "lock", i,
                "SELECT version FROM bare%d WHERE partition='bench'"
                " AND key=$1 FOR SHARE");
    }
    return conn;
}

static void queue(const struct worker *w, const char *name, int n,
                  const char *const *data, const int *len) {
    static const int binary[4] = {1, 1, 1, 1};
    char statement[16];
    snprintf(statement, sizeof statement, "%s%d", name, w->which);
    check(PQsendQueryPrepared(w->bare, statement, n, data, len, binary, 1),
          PQerrorMessage(w->bare));
}

static void say(const struct worker *w, const char *sql) {
    check(PQsendQueryParams(w->bare, sql, 0, NULL, NULL, NULL, NULL, 1),
          PQerrorMessage(w->bare));
}

/* Reads the columns, as whoever wants the records. */
static size_t bytes_of(const PGresult *result) {
    size_t bytes = 0;
    for (int row = 0; row < PQntuples(result); row++)
        for (int field = 0; field < PQnfields(result); field++) {
            const char *value = PQgetvalue(result, row, field);
            for (int i = 0; i < PQgetlength(result, row, field); i++)
                bytes += (unsigned char)value[i] != 0;
        }
    return bytes;
}

/* One round trip: what was sent in this pipeline, and all that comes. */
static size_t receive(const struct worker *w) {
    int synced = 0;
    size_t bytes = 0;
    check(PQpipelineSync(w->bare), PQerrorMessage(w->bare));
    while (!synced) {
        PGresult *result = PQgetResult(w->bare);
        synced = PQresultStatus(result) == PGRES_PIPELINE_SYNC;
        check(result == NULL || PQresultStatus(result) != PGRES_FATAL_ERROR,
              PQerrorMessage(w->bare));
        bytes += bytes_of(result);
        PQclear(result);
    }
    return bytes;
}

static void bare_read(const struct worker *w, const struct trace *trace) {
    uint8_t array[MOST * (MEREAU_MAX_KEY + 4) + 20];
    size_t len = 20;
    const char *data = (const char *)array;
    int n;
    put_u32(array, 1);
    put_u32(array + 4, 0);
    put_u32(array + 8, 17);
    put_u32(array + 12, trace->n_keys);
    put_u32(array + 16, 1);
    for (size_t i = 0; i < trace->n_keys; i++) {
        put_u32(array + len, trace->keys[i].len);
        memcpy(array + len + 4, trace->keys[i].data, trace->keys[i].len);
        len += 4 + trace->keys[i].len;
    }
    n = (int)len;
    if (w->which != LEAST)
        say(w, "BEGIN");
    queue(w, "get", 1, &data, &n);
    check(receive(w) > 100, "the bare client finds nothing");
}

static void bare_write(const struct worker *w, const struct trace *trace) {
    for (size_t i = 0; i < trace->n_writes; i++) {
        const mereau_write *write = &trace->writes[i];
        const mereau_record *record = &write->record;
        uint8_t numbers[2][8];
        const char *data[4] = {
            (const char *)record->key, (const char *)record->value,
            (const char *)numbers[0], (const char *)numbers[1]};
        int len[4] = {(int)record->key_len, (int)record->value_len, 8, 8};
        put_u32(numbers[0], (size_t)(record->version >> 32));
        put_u32(numbers[0] + 4, (size_t)(record->version & UINT32_MAX));
        put_u32(numbers[1], (size_t)(record->drop_at >> 32));
        put_u32(numbers[1] + 4, (size_t)(record->drop_at & UINT32_MAX));
        if (write->kind == MEREAU_WRITE_PUT)
            queue(w, "put", 4, data, len);
        else if (write->kind == MEREAU_WRITE_DELETE)
            queue(w, "remove", 1, data, len);
        else if (w->which == LOCKING)
            queue(w, "lock", 1, data, len);
    }
    if (w->which != LEAST)
        say(w, "COMMIT");
    receive(w);
}

static void *bare(void *arg) {
    struct worker *w = arg;
    for (int i = 0; i < SLICE; i++) {
        bare_read(w, &w->traces[i]);
        bare_write(w, &w->traces[i]);
    }
    return NULL;
}

/* --- against each other --- */

/* Seconds: by the clock, and of this process' processors. */
struct spent {
    double clock, cpu;
};

static double processor(void) {
    struct timespec now;
    clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &now);
    return (double)now.tv_sec + (double)now.tv_nsec / 1e9;
}

static void time_of(struct worker *workers, void *(*work)(void *),
                    struct spent *spent) {
    pthread_t threads[THREADS];
    double began = seconds(), cpu = processor();
    for (int i = 0; i < THREADS; i++)
        check(pthread_create(&threads[i], NULL, work, &workers[i]) == 0,
              "no thread");
    for (int i = 0; i < THREADS; i++)
        pthread_join(threads[i], NULL);
    spent->clock += seconds() - began;
    spent->cpu += processor() - cpu;
}

/* Of each slice of a kind, one after another; those of the engine are last. */
struct spent_on {
    struct spent slices[BARES + 1][SLICES];
};

/* The bare clients have the same bytes to read as the engine had, so they are
 * after it; among them each is first as often as the others. */
static void slice(struct worker *workers, int turn, struct spent_on *spent) {
    time_of(workers, engine, &spent->slices[BARES][turn]);
    for (int n = 0; n < BARES; n++) {
        int which = (turn + n) % BARES;
        for (int i = 0; i < THREADS; i++)
            workers[i].which = which;
        time_of(workers, bare, &spent->slices[which][turn]);
    }
}

enum { CLOCK, CPU, RATIO };

static double middle(const struct spent_on *spent, int which, int what) {
    double values[SLICES];
    for (int i = 0; i < SLICES; i++) {
        const struct spent *one = &spent->slices[which][i];
        values[i] = what == CPU ? one->cpu : one->clock;
        if (what == RATIO)
            values[i] /= spent->slices[BARES][i].clock;
    }
    return median(values, SLICES);
}

static void report(int kind, const struct spent_on *spent) {
    static const char *const names[BARES] = {"bare transaction", "with locks",
                                             "the least"};
    const double n = THREADS * SLICE;
    printf("postgres %-8s %5.0f/s", kinds[kind],
           n / middle(spent, BARES, CLOCK));
    for (int which = 0; which < BARES; which++) {
        double ratio = middle(spent, which, RATIO);
        printf("; %s %5.0f/s: %.2f of it%s", names[which],
               n / middle(spent, which, CLOCK), ratio,
               which != TRANSACTION || ratio >= 0.8 ? "" : " MISSED (0.8)");
    }
    printf("; of the client's processor %.0f us",
           middle(spent, BARES, CPU) / n * 1e6);
    for (int which = 0; which < BARES; which++)
        printf("%s %.0f", which == 0 ? ", bare" : ",",
               middle(spent, which, CPU) / n * 1e6);
    printf("\n");
}

static void against_the_bare_clients(struct bench *bench) {
    static struct worker workers[THREADS];
    static struct spent_on spent[KINDS];
    for (int i = 0; i < BARES; i++) {
        char sql[200];
        snprintf(sql, sizeof sql,
                 "CREATE TABLE bare%d(LIKE mereau_record INCLUDING ALL)"
                 " WITH (fillfactor=80);"
                 "INSERT INTO bare%d SELECT * FROM mereau_record",
                 i, i);
        check(server_sql(bench->server.conninfo, sql, NULL, 0) == 0,
              "no bare table");
    }
    for (int i = 0; i < THREADS; i++) {
        workers[i].bench = bench;
        workers[i].number = i;
        workers[i].bare = bare_open(bench);
        PQenterPipelineMode(workers[i].bare);
    }
    for (int round = 0; round < ROUNDS; round++)
        for (int kind = 0; kind < KINDS; kind++)
            for (int from = 0; from < DEVICES; from += SLICE) {
                for (int i = 0; i < THREADS; i++) {
                    workers[i].kind = kind;
                    workers[i].round = round;
                    workers[i].from = from;
                }
                slice(workers, (round * DEVICES + from) / SLICE, &spent[kind]);
            }
    for (int kind = 0; kind < KINDS; kind++)
        report(kind, &spent[kind]);
    for (int i = 0; i < THREADS; i++)
        PQfinish(workers[i].bare);
}

/* --- bytes --- */

static long long table_size(const struct bench *bench) {
    char size[32];
    check(server_sql(bench->server.conninfo,
                     "SELECT pg_total_relation_size('mereau_record')", size,
                     sizeof size) == 0,
          "no size");
    return atoll(size);
}

/* Net: without the dead rows that updates leave for autovacuum. */
static long long net_size(const struct bench *bench) {
    char none[8];
    check(server_sql(bench->server.conninfo, "VACUUM FULL mereau_record", none,
                     sizeof none) == 0,
          "no vacuum");
    return table_size(bench);
}

static void weigh(struct bench *bench) {
    static struct worker w; /* rounds of their own: other devices */
    long long sizes[3];
    w.bench = bench;
    sizes[0] = net_size(bench);
    for (w.kind = REDEEM; w.kind <= EXCHANGE; w.kind++) {
        for (int i = 0; i < WEIGHED; i++) {
            mereau_op *op;
            w.round = ROUNDS + i;
            snprintf(w.tokens[0], sizeof w.tokens[0], "%s", bench->weighed[i]);
            op = run(op_of(&w, 0));
            if (w.kind == REDEEM)
                snprintf(bench->weighed[i], sizeof bench->weighed[i], "%s",
                         mereau_op_text(op, MEREAU_AUTH_TOKEN));
            mereau_op_free(op);
        }
        sizes[w.kind + 1] = net_size(bench);
    }
    printf(
        "postgres bytes for each device, table and index, without dead rows: "
        "%lld enrolled, %lld with a live session\n",
        (sizes[1] - sizes[0]) / WEIGHED, (sizes[2] - sizes[0]) / WEIGHED);
}

/* --- 16 processes --- */

enum { MANY, HOT, REFRESHES, LOADS };
static const char *const loads[LOADS] = {"many", "hot", "fresh"};

/* Redeems, or refreshes what it has enrolled before the clock ran. */
static int run_each(struct bench *bench, int number, int load, int round,
                    char token[200]) {
    for (int i = 0; i < EACH; i++) {
        char device[40];
        mereau_op *op;
        int good;
        snprintf(device, sizeof device, "%s-%d-%d-%d", loads[load], round,
                 number, i);
        op = load == REFRESHES
                 ? mereau_token_refresh(bench->tenant, token)
                 : redeem(bench, load == HOT ? 0 : number, device);
        good = mereau_op_run(op, NULL) == MEREAU_OK;
        if (good && load == REFRESHES)
            snprintf(token, 200, "%s",
                     mereau_op_text(op, MEREAU_REFRESH_TOKEN));
        mereau_op_free(op);
        if (!good)
            return 1;
    }
    return 0;
}

static void enrol_one(struct bench *bench, int number, int round,
                      char token[200]) {
    char device[40];
    mereau_op *op;
    snprintf(device, sizeof device, "fresh-%d-%d", round, number);
    op = run(redeem(bench, number, device));
    snprintf(token, 200, "%s", mereau_op_text(op, MEREAU_AUTH_TOKEN));
    mereau_op_free(op);
    op = run(mereau_auth_token_exchange(bench->tenant, token));
    snprintf(token, 200, "%s", mereau_op_text(op, MEREAU_REFRESH_TOKEN));
    mereau_op_free(op);
}

static void child(struct bench *bench, int number, int load, int round, int up,
                  int down) {
    char byte = 0, token[200];
    int failed;
    open_context(bench, 1);
    /* Before the clock runs: connection and cache are warm. */
    enrol_one(bench, number, round * LOADS + load, token);
    failed = write(up, &byte, 1) != 1 || read(down, &byte, 1) != 0 ||
             run_each(bench, number, load, round, token);
    close_context(bench);
    _exit(failed);
}

/* Seconds that 16 of them took. */
static double processes(struct bench *bench, int load, int round) {
    int up[2], down[2], status;
    double began;
    char byte;
    check(pipe(up) == 0 && pipe(down) == 0, "no pipe");
    fflush(stdout);
    for (int i = 0; i < PROCESSES; i++) {
        pid_t pid = fork();
        check(pid >= 0, "no process");
        if (pid == 0) {
            close(down[1]);
            child(bench, i, load, round, up[1], down[0]);
        }
    }
    for (int i = 0; i < PROCESSES; i++)
        check(read(up[0], &byte, 1) == 1, "a process died");
    close(down[1]);
    began = seconds();
    for (int i = 0; i < PROCESSES; i++)
        check(waitpid(-1, &status, 0) > 0 && WIFEXITED(status) &&
                  WEXITSTATUS(status) == 0,
              "an operation failed");
    began = seconds() - began;
    close(up[0]);
    close(up[1]);
    close(down[0]);
    return began;
}

static void many_processes(struct bench *bench) {
    double spent[LOADS][HOT_ROUNDS], ratios[HOT_ROUNDS], rates[LOADS], ratio;
    for (int round = 0; round < HOT_ROUNDS; round++) {
        for (int load = 0; load < LOADS; load++)
            spent[load][round] = processes(bench, load, round);
        ratios[round] = spent[MANY][round] / spent[HOT][round];
    }
    ratio = median(ratios, HOT_ROUNDS);
    for (int load = 0; load < LOADS; load++)
        rates[load] = PROCESSES * EACH / median(spent[load], HOT_ROUNDS);
    printf(
        "postgres redeem, %d processes on as many tokens %6.0f/s; on one hot "
        "token of 1000000 counts %6.0f/s: %.2f of it%s\n"
        "postgres refresh, %d processes %6.0f/s\n",
        PROCESSES, rates[MANY], rates[HOT], ratio,
        ratio >= 0.5 ? "" : " MISSED (0.5)", PROCESSES, rates[REFRESHES]);
}

int main(void) {
    static struct bench bench;
    check(server_make(&bench.server) == 0, "no server");
    set_up(&bench);
    weigh(&bench);
    against_the_bare_clients(&bench);
    close_context(&bench);
    many_processes(&bench);
    server_remove(&bench.server);
    return 0;
}
