/* tests/bench/bench_redis.c - what the engine and its Redis store cost:
 * redeeming, exchanging and refreshing with opaque tokens, against a bare
 * client of hiredis that reads and writes the same records of the same bytes,
 * on the same server in the same run. The bare one, too, has to read before it
 * can decide what to write: one script that gets the keys, one that compares
 * the versions and sets the values. It keeps no index and no expiry, and
 * decides nothing. Also: bytes per device. */
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include <mereau/mereau.h>
#include <mereau/system.h>

#include "adapters/redis/redis_store.h"
#include "redis/server.h"

enum { DEVICES = 4000, WEIGHED = 1000, THREADS = 4, KINDS = 3 };

static const char *const kinds[KINDS] = {"redeem", "exchange", "refresh"};

/* What the store was asked during one operation: the arguments of a bare read
 * and of a bare write. */
struct words {
    size_t n;
    char *word[64];
    size_t len[64];
};

struct trace {
    struct words read, write;
};

struct bench {
    mereau_store *inner;
    mereau_store table; /* passes on, and writes down */
    struct trace *trace; /* of the operation that runs; NULL: do not */
    mereau_ctx *ctx;
    mereau_tenant *tenant;
    char *registration;
    char (*tokens)[200];
};

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

/* --- writing down --- */

static void add(struct words *words, const char *stem, const void *data,
                size_t len) {
    size_t first = strlen(stem);
    char *word = malloc(first + len + 1);
    check(word != NULL && words->n < 64, "too much to write down");
    memcpy(word, stem, first);
    if (len > 0)
        memcpy(word + first, data, len);
    words->word[words->n] = word;
    words->len[words->n++] = first + len;
}

static void begin(struct words *words, const char *sha, size_t n_keys) {
    char count[24];
    for (size_t i = 0; i < words->n; i++)
        free(words->word[i]);
    words->n = 0;
    add(words, "EVALSHA", "", 0);
    add(words, sha, "", 0);
    snprintf(count, sizeof count, "%zu", n_keys);
    add(words, count, "", 0);
}

static char sha_read[41], sha_write[41];

static int32_t get(void *user, const mereau_need *need, mereau_emit emit,
                   void *arg) {
    struct bench *bench = user;
    if (bench->trace != NULL) {
        begin(&bench->trace->read, sha_read, need->n_keys);
        for (size_t i = 0; i < need->n_keys; i++)
            add(&bench->trace->read, "{bare}", need->keys[i].data,
                need->keys[i].len);
    }
    return bench->inner->get(bench->inner->user, need, emit, arg);
}

static int32_t commit(void *user, const mereau_need *need, size_t *failed) {
    struct bench *bench = user;
    if (bench->trace != NULL) {
        struct words *w = &bench->trace->write;
        begin(w, sha_write, need->n_writes);
        for (size_t i = 0; i < need->n_writes; i++)
            add(w, "{bare}", need->writes[i].record.key,
                need->writes[i].record.key_len);
        for (size_t i = 0; i < need->n_writes; i++)
            if (need->writes[i].kind == MEREAU_WRITE_PUT)
                add(w, "12345678", need->writes[i].record.value,
                    need->writes[i].record.value_len);
            else
                add(w, "", "", 0);
    }
    return bench->inner->commit(bench->inner->user, need, failed);
}

static int32_t scan(void *user, const mereau_need *need, mereau_emit emit,
                    void *arg) {
    struct bench *bench = user;
    return bench->inner->scan(bench->inner->user, need, emit, arg);
}

/* --- the engine --- */

static mereau_op *run(mereau_op *op) {
    mereau_error err = MEREAU_ERROR_INIT;
    check(mereau_op_run(op, &err) == MEREAU_OK, err.text);
    return op;
}

static void start(struct bench *bench, const struct server *server) {
    static const uint8_t root[32] = "a benchmark's root key, 32 bytes";
    mereau_op *op;
    memset(bench, 0, sizeof *bench);
    bench->inner = server_store(server, NULL);
    bench->table = *bench->inner;
    bench->table.user = bench;
    bench->table.get = get;
    bench->table.commit = commit;
    bench->table.scan = scan;
    bench->ctx = mereau_ctx_new();
    mereau_ctx_set_store(bench->ctx, &bench->table);
    mereau_ctx_set_clock(bench->ctx, mereau_system_clock());
    mereau_ctx_add_root_key(bench->ctx, "bench", root, sizeof root);
    check(mereau_ctx_ready(bench->ctx, NULL) == MEREAU_OK, "no context");
    bench->tenant = mereau_tenant_open(bench->ctx, "bench");
    mereau_op_free(
        run(mereau_tenant_create(bench->tenant, "https://id.bench.example")));
    op = mereau_app_create(bench->tenant, "bench");
    mereau_op_set_text(op, MEREAU_CLIENT_ID, "bench");
    mereau_op_set_text(op, MEREAU_TOKEN_FORMAT, "opaque");
    mereau_op_free(run(op));
    op = run(
        mereau_registration_token_mint(bench->tenant, "bench", 1000000, 86400));
    bench->registration = strdup(mereau_op_text(op, MEREAU_REGISTRATION_TOKEN));
    mereau_op_free(op);
    bench->tokens = calloc(2 * DEVICES + WEIGHED, sizeof *bench->tokens);
    check(bench->tokens != NULL && bench->registration != NULL, "memory");
}

static void stop(struct bench *bench) {
    mereau_tenant_free(bench->tenant);
    mereau_ctx_free(bench->ctx);
    mereau_store_close(bench->inner);
    free(bench->registration);
    free(bench->tokens);
}

static void one(struct bench *bench, int kind, int device) {
    char *token = bench->tokens[device];
    uint8_t nonce[16] = {1};
    mereau_op *op;
    memcpy(nonce, &device, sizeof device);
    nonce[8] = (uint8_t)kind;
    if (kind == 0) {
        char id[32];
        snprintf(id, sizeof id, "device-%d", device);
        op = mereau_registration_token_redeem(
            bench->tenant, bench->registration, id, nonce, sizeof nonce);
    } else {
        op = kind == 1 ? mereau_auth_token_exchange(bench->tenant, token)
                       : mereau_token_refresh(bench->tenant, token);
        mereau_op_set_bytes(op, MEREAU_RETRY_NONCE, nonce, sizeof nonce);
    }
    run(op);
    snprintf(token, 200, "%s",
             mereau_op_text(op, kind == 0 ? MEREAU_AUTH_TOKEN
                                          : MEREAU_REFRESH_TOKEN));
    mereau_op_free(op);
}

/* --- the bare client --- */

static void load(redisContext *ctx, const char *text, char sha[41]) {
    redisReply *reply = redisCommand(ctx, "SCRIPT LOAD %s", text);
    check(reply != NULL && reply->type == REDIS_REPLY_STRING, "no script");
    snprintf(sha, 41, "%s", reply->str);
    freeReplyObject(reply);
}

static redisContext *bare_open(const struct server *server) {
    redisContext *ctx = redisConnect("127.0.0.1", (int)server->port);
    check(ctx != NULL && ctx->err == 0, "no connection");
    load(ctx,
         "local out = {} for i = 1, #KEYS do "
         "out[i] = redis.call('GET', KEYS[i]) end return out",
         sha_read);
    load(ctx,
         "local put = {} for i = 1, #KEYS do "
         "local v = redis.call('GETRANGE', KEYS[i], 0, 7) "
         "if v ~= '' and v ~= '12345678' then return i end "
         "if ARGV[i] ~= '' then put[#put + 1] = KEYS[i] "
         "put[#put + 1] = ARGV[i] end end "
         "redis.call('MSET', unpack(put)) return 0",
         sha_write);
    return ctx;
}

static void bare_say(redisContext *ctx, const struct words *words) {
    redisReply *reply = redisCommandArgv(
        ctx, (int)words->n, (const char **)(uintptr_t)words->word, words->len);
    check(reply != NULL && reply->type != REDIS_REPLY_ERROR &&
              (reply->type != REDIS_REPLY_INTEGER || reply->integer == 0),
          "the bare client failed");
    freeReplyObject(reply);
}

/* --- both, on one thread or several --- */

struct part {
    struct bench *bench;
    const struct server *server;
    const struct trace *traces; /* NULL: the engine */
    int kind, from, to;
};

static void *work(void *arg) {
    struct part *part = arg;
    redisContext *ctx = NULL;
    if (part->traces != NULL) {
        ctx = redisConnect("127.0.0.1", (int)part->server->port);
        check(ctx != NULL && ctx->err == 0, "no connection");
    }
    for (int i = part->from; i < part->to; i++) {
        if (ctx == NULL) {
            one(part->bench, part->kind, i);
        } else {
            bare_say(ctx, &part->traces[i % DEVICES].read);
            bare_say(ctx, &part->traces[i % DEVICES].write);
        }
    }
    if (ctx != NULL)
        redisFree(ctx);
    return NULL;
}

static double rate(struct part part, int from, int threads) {
    pthread_t thread[THREADS];
    struct part parts[THREADS];
    double began = seconds();
    int each = DEVICES / threads / 2;
    for (int i = 0; i < threads; i++) {
        parts[i] = part;
        parts[i].from = from + i * each;
        parts[i].to = from + (i + 1) * each;
        pthread_create(&thread[i], NULL, work, &parts[i]);
    }
    for (int i = 0; i < threads; i++)
        pthread_join(thread[i], NULL);
    return each * threads / (seconds() - began);
}

/* A number of INFO, behind the text that comes before it. */
static double number_of(const struct server *server, const char *section,
                        const char *before) {
    redisContext *ctx = redisConnect("127.0.0.1", (int)server->port);
    redisReply *reply = redisCommand(ctx, "INFO %s", section);
    const char *at = reply != NULL ? strstr(reply->str, before) : NULL;
    double value;
    /* cmdstat_evalsha:calls=4000,usec=25000, */
    if (at != NULL && strcmp(section, "commandstats") == 0)
        at = strstr(at, "usec=");
    value = at != NULL ? atof(at + strcspn(at, "=:") + 1) : 0;
    if (reply != NULL)
        freeReplyObject(reply);
    redisFree(ctx);
    return value;
}

/* Microseconds that the server has spent in scripts. */
static double spent(const struct server *server) {
    return number_of(server, "commandstats", "cmdstat_evalsha:");
}

static void compare(struct bench *bench, const struct server *server, int kind,
                    const struct trace *traces, int threads) {
    struct part engine = {bench, server, NULL, kind, 0, 0};
    struct part bare = {bench, server, traces, kind, 0, 0};
    /* Taken in turns: the machine may be slower in one half than in the other.
     * */
    int first = DEVICES + (threads > 1 ? DEVICES / 2 : 0);
    double a, b, t0, t1, t2;
    bench->trace = NULL;
    b = rate(bare, 0, threads) / 2;
    t0 = spent(server);
    a = rate(engine, first, threads);
    t1 = spent(server);
    b += rate(bare, DEVICES / 2, threads) / 2;
    t2 = spent(server);
    printf(
        "  %-8s %d thread%s %8.0f/s, bare %8.0f/s: %.2f of it%s; the server's "
        "part: %.1f us, bare %.1f us\n",
        kinds[kind], threads, threads == 1 ? ": " : "s:", a, b, a / b,
        a / b >= 0.6 ? "" : " MISSED (0.6)", (t1 - t0) * 2 / DEVICES,
        (t2 - t1) * 2 / DEVICES);
}

/* Devices of their own, before anything else is there. */
static void weigh(struct bench *bench, const struct server *server) {
    double sizes[3];
    bench->trace = NULL;
    for (int kind = 0; kind < 3; kind++) {
        sizes[kind] = number_of(server, "memory", "used_memory:");
        for (int i = 0; i < WEIGHED && kind < 2; i++)
            one(bench, kind, 2 * DEVICES + i);
    }
    printf("  bytes for each device: %.0f enrolled, %.0f with a live session\n",
           (sizes[1] - sizes[0]) / WEIGHED, (sizes[2] - sizes[0]) / WEIGHED);
}

static void one_server(const char *name, const char *const *words) {
    struct server server;
    struct bench bench;
    struct trace *traces = calloc(DEVICES, sizeof *traces);
    redisContext *ctx;
    check(traces != NULL && server_start(&server, words) == 0, "no server");
    ctx = bare_open(&server);
    start(&bench, &server);
    printf("redis, %s\n", name);
    weigh(&bench, &server);
    for (int kind = 0; kind < KINDS; kind++) {
        for (int i = 0; i < DEVICES; i++) { /* to be written down */
            bench.trace = &traces[i];
            one(&bench, kind, i);
        }
        /* Once, so that the bare records are there as those of the engine. */
        for (int i = 0; i < DEVICES && kind > 0; i++)
            bare_say(ctx, &traces[i].write);
        compare(&bench, &server, kind, traces, 1);
        compare(&bench, &server, kind, traces, THREADS);
    }
    for (int i = 0; i < DEVICES; i++) {
        for (size_t k = 0; k < traces[i].read.n; k++)
            free(traces[i].read.word[k]);
        for (size_t k = 0; k < traces[i].write.n; k++)
            free(traces[i].write.word[k]);
    }
    free(traces);
    redisFree(ctx);
    stop(&bench);
    server_end(&server);
}

int main(void) {
    static const char *const durable[] = {DURABLE_WORDS, NULL};
    one_server("in memory", NULL);
    one_server("appendfsync always", durable);
    return 0;
}
