/* tests/bench/bench_postgres.c - what the engine and its PostgreSQL store cost, as
 * ratios of one run on a server of its own (make bench-postgres):
 *
 * - redeem, exchange and refresh with opaque tokens, against a bare client of libpq
 *   that reads and writes the same records: one SELECT for the keys, then one
 *   pipeline of plain statements, one transaction. It decides nothing and checks
 *   nothing; a second one also locks what was CHECKed, as any program must that
 *   wants to be sure of it.
 * - one hot registration token and 16 processes, against 16 tokens.
 * - bytes for each device. */
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include <libpq-fe.h>

#include <mereau/mereau.h>
#include <mereau/postgres.h>
#include <mereau/system.h>

#include "../postgres/server.h"

enum {
    ROUNDS = 16,
    DEVICES = 75, /* of one thread in one round */
    THREADS = 4,
    PROCESSES = 16,
    HOT_ROUNDS = 4,
    EACH = 60,
    KINDS = 3,
    MOST = 24 /* keys of a get, writes of a commit */
};

static const char *const kinds[KINDS] = {"redeem", "exchange", "refresh"};

static double seconds(void) {
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (double)now.tv_sec + (double)now.tv_nsec / 1e9;
}

static void check(int good, const char *what) {
    if (!good) {
        fprintf(stderr, "%s\n", what);
        exit(1);
    }
}

static mereau_op *run(mereau_op *op) {
    mereau_error err = MEREAU_ERROR_INIT;
    check(mereau_op_run(op, &err) == MEREAU_OK, err.text);
    return op;
}

/* --- what one operation asked of its store --- */

struct trace {
    size_t n_keys, n_writes;
    mereau_slice keys[MOST];
    mereau_write writes[MOST];
};

static const uint8_t *copy(const uint8_t *data, size_t len) {
    uint8_t *mine = malloc(len + 1);
    check(mine != NULL, "no memory");
    if (len > 0)
        memcpy(mine, data, len);
    return mine;
}

static void trace_clear(struct trace *trace) {
    for (size_t i = 0; i < trace->n_keys; i++)
        free((void *)trace->keys[i].data);
    for (size_t i = 0; i < trace->n_writes; i++) {
        free((void *)trace->writes[i].record.key);
        free((void *)trace->writes[i].record.value);
    }
    memset(trace, 0, sizeof *trace);
}

/* --- the engine --- */

struct bench {
    struct server server;
    mereau_store *inner;
    mereau_store table; /* passes on, and writes down */
    mereau_ctx *ctx;
    mereau_tenant *tenant;
    char token[PROCESSES][300];
};

struct worker {
    struct bench *bench;
    int number, kind, round, locks;
    PGconn *bare;
    char (*tokens)[200]; /* of each device, as it goes on */
    struct trace *traces;
};

/* Of the operation that this thread runs; NULL: none is written down. */
static _Thread_local struct trace *tracing;

static int32_t get(void *user, const mereau_need *need, mereau_emit emit,
                   void *arg) {
    struct bench *bench = user;
    if (tracing != NULL) {
        trace_clear(tracing);
        check(need->n_keys <= MOST, "too many keys");
        for (size_t i = 0; i < need->n_keys; i++) {
            tracing->keys[i].len = need->keys[i].len;
            tracing->keys[i].data = copy(need->keys[i].data, need->keys[i].len);
        }
        tracing->n_keys = need->n_keys;
    }
    return bench->inner->get(bench->inner->user, need, emit, arg);
}

static int32_t commit(void *user, const mereau_need *need, size_t *failed) {
    struct bench *bench = user;
    if (tracing != NULL) {
        check(need->n_writes <= MOST, "too many writes");
        for (size_t i = 0; i < need->n_writes; i++) {
            mereau_record *mine = &tracing->writes[i].record;
            tracing->writes[i] = need->writes[i];
            mine->key = copy(mine->key, mine->key_len);
            mine->value = copy(mine->value, mine->value_len);
        }
        tracing->n_writes = need->n_writes;
    }
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

static mereau_op *op_of(const struct worker *w, int device) {
    static const uint8_t nonce[16] = "a nonce of bench";
    char name[40];
    mereau_op *op;
    if (w->kind == 0) {
        snprintf(name, sizeof name, "device-%d-%d-%d", w->round, w->number,
                 device);
        return redeem(w->bench, w->number, name);
    }
    op = w->kind == 1
             ? mereau_auth_token_exchange(w->bench->tenant, w->tokens[device])
             : mereau_token_refresh(w->bench->tenant, w->tokens[device]);
    mereau_op_set_bytes(op, MEREAU_RETRY_NONCE, nonce, sizeof nonce);
    return op;
}

static void *engine(void *arg) {
    struct worker *w = arg;
    for (int i = 0; i < DEVICES; i++) {
        mereau_op *op;
        tracing = &w->traces[i];
        op = run(op_of(w, i));
        tracing = NULL;
        snprintf(w->tokens[i], sizeof w->tokens[i], "%s",
                 mereau_op_text(op, w->kind == 0 ? MEREAU_AUTH_TOKEN
                                                 : MEREAU_REFRESH_TOKEN));
        mereau_op_free(op);
    }
    return NULL;
}

/* --- the bare client --- */

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

static PGconn *bare_open(const struct bench *bench) {
    PGconn *conn = PQconnectdb(bench->server.conninfo);
    check(PQstatus(conn) == CONNECTION_OK, PQerrorMessage(conn));
    ask(conn, "SET enable_seqscan=off");
    PQclear(PQprepare(conn, "get",
                      "SELECT key,value,version,drop_at FROM bare"
                      " WHERE partition='bench' AND key=ANY($1)",
                      0, NULL));
    PQclear(PQprepare(conn, "put",
                      "INSERT INTO bare VALUES('bench',$1,$2,1,0) ON CONFLICT"
                      " (partition,key) DO UPDATE SET value=excluded.value,"
                      "version=excluded.version,drop_at=excluded.drop_at",
                      0, NULL));
    PQclear(PQprepare(conn, "remove",
                      "DELETE FROM bare WHERE partition='bench' AND key=$1", 0,
                      NULL));
    PQclear(PQprepare(conn, "lock",
                      "SELECT version FROM bare WHERE partition='bench'"
                      " AND key=$1 FOR SHARE",
                      0, NULL));
    return conn;
}

static void bare_read(PGconn *conn, const struct trace *trace) {
    static const int binary[1] = {1};
    uint8_t array[MOST * (MEREAU_MAX_KEY + 4) + 20];
    size_t len = 20;
    const char *data = (const char *)array;
    int n;
    PGresult *result;
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
    result = PQexecPrepared(conn, "get", 1, &data, &n, binary, 1);
    check(PQresultStatus(result) == PGRES_TUPLES_OK, PQerrorMessage(conn));
    PQclear(result);
}

static void bare_write(PGconn *conn, const struct trace *trace, int locks) {
    static const int binary[2] = {1, 1};
    int synced = 0;
    PQenterPipelineMode(conn);
    for (size_t i = 0; i < trace->n_writes; i++) {
        const mereau_write *write = &trace->writes[i];
        const char *data[2] = {(const char *)write->record.key,
                               (const char *)write->record.value};
        int len[2] = {(int)write->record.key_len, (int)write->record.value_len};
        if (write->kind == MEREAU_WRITE_PUT)
            PQsendQueryPrepared(conn, "put", 2, data, len, binary, 1);
        else if (write->kind == MEREAU_WRITE_DELETE)
            PQsendQueryPrepared(conn, "remove", 1, data, len, binary, 1);
        else if (locks)
            PQsendQueryPrepared(conn, "lock", 1, data, len, binary, 1);
    }
    PQpipelineSync(conn);
    while (!synced) {
        PGresult *result = PQgetResult(conn);
        synced = PQresultStatus(result) == PGRES_PIPELINE_SYNC;
        check(result == NULL || PQresultStatus(result) != PGRES_FATAL_ERROR,
              PQerrorMessage(conn));
        PQclear(result);
    }
    PQexitPipelineMode(conn);
}

static void *bare(void *arg) {
    struct worker *w = arg;
    for (int i = 0; i < DEVICES; i++) {
        bare_read(w->bare, &w->traces[i]);
        bare_write(w->bare, &w->traces[i], w->locks);
    }
    return NULL;
}

static double time_of(struct worker *workers, void *(*work)(void *)) {
    pthread_t threads[THREADS];
    double began = seconds();
    for (int i = 0; i < THREADS; i++)
        check(pthread_create(&threads[i], NULL, work, &workers[i]) == 0,
              "no thread");
    for (int i = 0; i < THREADS; i++)
        pthread_join(threads[i], NULL);
    return seconds() - began;
}

/* The bare client has the same bytes to read as the engine had, and its table has
 * as many rows. */
static void against_the_bare_client(struct bench *bench) {
    struct worker workers[THREADS];
    double spent[KINDS][3] = {{0}};
    check(server_sql(bench->server.conninfo,
                     "CREATE TABLE bare(LIKE mereau_record INCLUDING ALL)"
                     " WITH (fillfactor=80);"
                     "INSERT INTO bare SELECT * FROM mereau_record",
                     NULL, 0) == 0,
          "no bare table");
    for (int i = 0; i < THREADS; i++) {
        struct worker w = {bench, i, 0, 0, 0, bare_open(bench), NULL, NULL};
        w.tokens = calloc(DEVICES, sizeof *w.tokens);
        w.traces = calloc(DEVICES, sizeof *w.traces);
        check(w.tokens != NULL && w.traces != NULL, "no memory");
        workers[i] = w;
    }
    for (int round = 0; round < ROUNDS; round++)
        for (int kind = 0; kind < KINDS; kind++) {
            for (int i = 0; i < THREADS; i++) {
                workers[i].kind = kind;
                workers[i].round = round;
            }
            spent[kind][0] += time_of(workers, engine);
            /* Each of the two is first as often as the other. */
            for (int n = 0; n < 2; n++) {
                int locks = (n + round) % 2;
                for (int i = 0; i < THREADS; i++)
                    workers[i].locks = locks;
                spent[kind][1 + locks] += time_of(workers, bare);
            }
        }
    for (int kind = 0; kind < KINDS; kind++) {
        double ratio = spent[kind][1] / spent[kind][0];
        double n = ROUNDS * THREADS * DEVICES;
        printf("postgres %-8s %6.0f/s, bare %6.0f/s: %.2f of it%s; "
               "bare with locks %6.0f/s: %.2f of it\n",
               kinds[kind], n / spent[kind][0], n / spent[kind][1], ratio,
               ratio >= 0.8 ? "" : " MISSED (0.8)", n / spent[kind][2],
               spent[kind][2] / spent[kind][0]);
    }
    for (int i = 0; i < THREADS; i++) {
        for (int d = 0; d < DEVICES; d++)
            trace_clear(&workers[i].traces[d]);
        free(workers[i].traces);
        free(workers[i].tokens);
        PQfinish(workers[i].bare);
    }
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

/* --- one hot token --- */

static int redeem_each(struct bench *bench, int number, int hot, int round) {
    for (int i = 0; i < EACH; i++) {
        char device[40];
        mereau_op *op;
        int good;
        snprintf(device, sizeof device, "%s-%d-%d-%d", hot ? "hot" : "many",
                 round, number, i);
        op = redeem(bench, hot ? 0 : number, device);
        good = mereau_op_run(op, NULL) == MEREAU_OK;
        mereau_op_free(op);
        if (!good)
            return 1;
    }
    return 0;
}

static void child(struct bench *bench, int number, int hot, int round, int up,
                  int down) {
    char byte = 0;
    int failed;
    open_context(bench, 1);
    /* One before the clock runs: connection and cache are warm. */
    mereau_op_free(mereau_tenant_get(bench->tenant));
    failed = write(up, &byte, 1) != 1 || read(down, &byte, 1) != 0 ||
             redeem_each(bench, number, hot, round);
    close_context(bench);
    _exit(failed);
}

static double processes(struct bench *bench, int hot, int round) {
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
            child(bench, i, hot, round, up[1], down[0]);
        }
    }
    for (int i = 0; i < PROCESSES; i++)
        check(read(up[0], &byte, 1) == 1, "a process died");
    close(down[1]);
    began = seconds();
    for (int i = 0; i < PROCESSES; i++)
        check(waitpid(-1, &status, 0) > 0 && WIFEXITED(status) &&
                  WEXITSTATUS(status) == 0,
              "a redemption failed");
    began = seconds() - began;
    close(up[0]);
    close(up[1]);
    close(down[0]);
    return began;
}

static void one_hot_token(struct bench *bench) {
    double many = 0, hot = 0, n = HOT_ROUNDS * PROCESSES * EACH;
    for (int round = 0; round < HOT_ROUNDS; round++) {
        many += processes(bench, 0, round);
        hot += processes(bench, 1, round);
    }
    printf(
        "postgres redeem, %d processes on as many tokens %6.0f/s; on one hot "
        "token of 1000000 counts %6.0f/s: %.2f of it%s\n",
        PROCESSES, n / many, n / hot, many / hot,
        many / hot >= 0.5 ? "" : " MISSED (0.5)");
}

int main(void) {
    static struct bench bench;
    long long before;
    check(server_make(&bench.server) == 0, "no server");
    set_up(&bench);
    before = table_size(&bench);
    against_the_bare_client(&bench);
    printf("postgres bytes for each device, enrolled, exchanged and refreshed "
           "once, table and index: %lld\n",
           (table_size(&bench) - before) / (ROUNDS * THREADS * DEVICES));
    close_context(&bench);
    one_hot_token(&bench);
    server_remove(&bench.server);
    return 0;
}
