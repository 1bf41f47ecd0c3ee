/* tests/bench/bench_redis.c - what the engine and its Redis store cost:
 * redeeming, exchanging and refreshing with opaque tokens, against a bare client
 * of hiredis that reads and writes the same records on the same server in the
 * same run.
 *
 * The bare one does what the engine did for other devices a moment before, on a
 * copy of the records in keys of its own: reads the same records with one MGET,
 * and applies the same writes with one script: it compares the same versions,
 * stores the same bytes, lets the server drop them at the same time, and deletes
 * the same. A record that no server would ever drop is not the same record, so
 * expiry is no extra of ours. It keeps no index for scan, does not ask whether
 * the server may be written to, decides nothing and derives nothing. Of what
 * redeeming takes in memory a good part is that index, since a redemption makes
 * six records: so there is a second bare one, which keeps it, too.
 *
 * Both take turns, a slice of a few milliseconds each, and the middle one of the
 * ratios of slices that follow each other counts. Also: the processor's time of client and
 * server, and bytes per device. */
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <time.h>

#include <mereau/mereau.h>
#include <mereau/system.h>

#include "adapters/redis/redis_store.h"
#include "redis/server.h"

enum {
    SLICES = 51, /* of the engine and of the bare client each */
    SLICE = 40, /* operations of one, shared by the threads */
    DEVICES = SLICES * SLICE, /* of one comparison, of either side */
    WEIGHED = 1000,
    THREADS = 4,
    KINDS = 3
};

/* Who does it. */
enum { ENGINE, BARE, INDEXED, SIDES };

static const char *const kinds[KINDS] = {"redeem", "exchange", "refresh"};

/* What the store was asked during one operation, as commands of the bare
 * client. */
struct words {
    size_t n;
    char *word[96];
    size_t len[96];
};

struct trace {
    struct words read[SIDES], write[SIDES];
};

struct bench {
    const struct server *server;
    mereau_store *inner;
    mereau_store table; /* passes on, and writes down */
    struct trace *trace; /* of the operation that runs; NULL: do not */
    struct trace traces[DEVICES];
    redisContext *bare[THREADS], *info;
    mereau_ctx *ctx;
    mereau_tenant *tenant;
    char *registration[THREADS];
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

static int smaller(const void *a, const void *b) {
    double x = *(const double *)a, y = *(const double *)b;
    return (x > y) - (x < y);
}

static double median(double values[SLICES]) {
    qsort(values, SLICES, sizeof *values, smaller);
    return values[SLICES / 2];
}

/* --- writing down --- */

/* What the names of keys begin with, of as many bytes for all. */
static const char *const stems[SIDES] = {
    "mereau:{bench}:", "barely:{bench}:", "sorted:{bench}:"};

static void add(struct words *words, const void *first, size_t first_len,
                const void *data, size_t len) {
    char *word = malloc(first_len + len + 1);
    check(word != NULL && words->n < sizeof words->len / sizeof *words->len,
          "too much to write down");
    memcpy(word, first, first_len);
    if (len > 0)
        memcpy(word + first_len, data, len);
    words->word[words->n] = word;
    words->len[words->n++] = first_len + len;
}

static void add_text(struct words *words, const char *text) {
    add(words, text, strlen(text), NULL, 0);
}

static void clear(struct words *words) {
    while (words->n > 0)
        free(words->word[--words->n]);
}

static void add_key(struct words *words, int side, const void *key,
                    size_t len) {
    char stem[24];
    int n = snprintf(stem, sizeof stem, "%sr", stems[side]);
    add(words, stem, (size_t)n, key, len);
}

static void write_down_get(struct words *words, int side,
                           const mereau_need *need) {
    clear(words);
    add_text(words, "MGET");
    for (size_t i = 0; i < need->n_keys; i++)
        add_key(words, side, need->keys[i].data, need->keys[i].len);
}

static char bare_sha[41];

/* ARGV: for each key the version that is there before it, '' for none, '*' for
 * any; the record, 'C' for a check, 'D' for a delete; and when to drop it. Then,
 * if it is kept, the index. */
static const char bare_script[] =
    "local old = redis.call('MGET', unpack(KEYS)) "
    "local put, drop, gone, n = {}, {}, {}, 0 "
    "local index, names = ARGV[3 * #KEYS + 1], {} "
    "for i = 1, #KEYS do "
    "local want, record = ARGV[3 * i - 2], ARGV[3 * i - 1] "
    "if want ~= '*' and want ~= string.sub(old[i] or '', 2, 9) then "
    "return i end "
    "if record == 'D' then gone[#gone + 1] = KEYS[i] "
    "elseif record ~= 'C' then "
    "put[n + 1], put[n + 2], n = KEYS[i], record, n + 2 "
    "if ARGV[3 * i] ~= '' then drop[#drop + 1] = i end end end "
    "if index then for i = 1, #KEYS do if not old[i] then "
    "names[#names + 1] = '0' "
    "names[#names + 1] = string.sub(KEYS[i], #index + 1) end end "
    "if #names > 0 then redis.call('ZADD', index, unpack(names)) end end "
    "if n > 0 then redis.call('MSET', unpack(put)) end "
    "for _, i in ipairs(drop) do "
    "redis.call('PEXPIREAT', KEYS[i], ARGV[3 * i]) end "
    "if #gone > 0 then redis.call('DEL', unpack(gone)) end "
    "return 0";

/* As the store keeps it. */
static void add_record(struct words *words, const mereau_record *record) {
    uint8_t head[MRU_REDIS_HEAD] = {MRU_REDIS_FORMAT};
    char at[32] = "";
    mru_put_u64(head + 1, record->version);
    mru_put_u64(head + MRU_REDIS_VERSION_LEN, (uint64_t)record->drop_at);
    add(words, head, sizeof head, record->value, record->value_len);
    if (record->drop_at > 0)
        snprintf(at, sizeof at, "%lld",
                 (long long)(record->drop_at + 3600) * 1000);
    add_text(words, at);
}

static void write_down_commit(struct words *words, int side,
                              const mereau_need *need) {
    char count[24];
    clear(words);
    snprintf(count, sizeof count, "%zu", need->n_writes);
    add_text(words, "EVALSHA");
    add_text(words, bare_sha);
    add_text(words, count);
    for (size_t i = 0; i < need->n_writes; i++)
        add_key(words, side, need->writes[i].record.key,
                need->writes[i].record.key_len);
    for (size_t i = 0; i < need->n_writes; i++) {
        const mereau_write *write = &need->writes[i];
        uint8_t version[8];
        mru_put_u64(version, write->expect);
        if (write->expect == MEREAU_VERSION_ANY)
            add_text(words, "*");
        else
            add(words, version, write->expect == MEREAU_VERSION_ABSENT ? 0 : 8,
                NULL, 0);
        if (write->kind == MEREAU_WRITE_PUT) {
            add_record(words, &write->record);
        } else {
            add_text(words, write->kind == MEREAU_WRITE_DELETE ? "D" : "C");
            add_text(words, "");
        }
    }
    if (side == INDEXED)
        add(words, stems[side], strlen(stems[side]), "i", 1);
}

static int32_t get(void *user, const mereau_need *need, mereau_emit emit,
                   void *arg) {
    struct bench *bench = user;
    for (int side = BARE; side < SIDES && bench->trace != NULL; side++)
        write_down_get(&bench->trace->read[side], side, need);
    return bench->inner->get(bench->inner->user, need, emit, arg);
}

static int32_t commit(void *user, const mereau_need *need, size_t *failed) {
    struct bench *bench = user;
    for (int side = BARE; side < SIDES && bench->trace != NULL; side++)
        write_down_commit(&bench->trace->write[side], side, need);
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

static void start_engine(struct bench *bench) {
    static const uint8_t root[32] = "a benchmark's root key, 32 bytes";
    mereau_op *op;
    bench->inner = server_store(bench->server, NULL);
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
    for (int i = 0; i < THREADS; i++) {
        op = run(mereau_registration_token_mint(bench->tenant, "bench", 1000000,
                                                86400));
        bench->registration[i] =
            strdup(mereau_op_text(op, MEREAU_REGISTRATION_TOKEN));
        check(bench->registration[i] != NULL, "no memory");
        mereau_op_free(op);
    }
    bench->tokens = calloc(4 * DEVICES + WEIGHED, sizeof *bench->tokens);
    check(bench->tokens != NULL, "no memory");
}

static void stop(struct bench *bench) {
    mereau_tenant_free(bench->tenant);
    mereau_ctx_free(bench->ctx);
    mereau_store_close(bench->inner);
    for (int i = 0; i < THREADS; i++) {
        redisFree(bench->bare[i]);
        free(bench->registration[i]);
    }
    redisFree(bench->info);
    for (int i = 0; i < SIDES * DEVICES; i++) {
        clear(&bench->traces[i / SIDES].read[i % SIDES]);
        clear(&bench->traces[i / SIDES].write[i % SIDES]);
    }
    free(bench->tokens);
    free(bench);
}

/* Devices of one thread share a registration token: with one for all, the bare
 * client's threads would not find the counts that they expect. Many that do
 * share one are measured on PostgreSQL (bench_postgres.c). */
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
            bench->tenant,
            bench->registration[device % SLICE * THREADS / SLICE], id, nonce,
            sizeof nonce);
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

static redisContext *bare_open(const struct server *server) {
    redisContext *ctx = redisConnect("127.0.0.1", (int)server->port);
    check(ctx != NULL && ctx->err == 0, "no connection");
    return ctx;
}

static void start_bare(struct bench *bench) {
    redisReply *reply;
    for (int i = 0; i < THREADS; i++)
        bench->bare[i] = bare_open(bench->server);
    bench->info = bare_open(bench->server);
    reply = redisCommand(bench->info, "SCRIPT LOAD %s", bare_script);
    check(reply != NULL && reply->type == REDIS_REPLY_STRING, "no script");
    snprintf(bare_sha, sizeof bare_sha, "%s", reply->str);
    freeReplyObject(reply);
}

static redisReply *bare_say(redisContext *ctx, const struct words *words) {
    redisReply *reply = redisCommandArgv(
        ctx, (int)words->n, (const char **)(uintptr_t)words->word, words->len);
    check(reply != NULL && reply->type != REDIS_REPLY_ERROR,
          "the bare client failed");
    return reply;
}

static void bare_again(redisContext *ctx, const struct words *read,
                       const struct words *write) {
    redisReply *reply = bare_say(ctx, read);
    size_t found = 0;
    for (size_t i = 0; i < reply->elements; i++)
        found += reply->element[i]->type == REDIS_REPLY_STRING &&
                 reply->element[i]->len > MRU_REDIS_HEAD;
    check(found > 0, "the bare client finds nothing");
    freeReplyObject(reply);
    reply = bare_say(ctx, write);
    check(reply->type == REDIS_REPLY_INTEGER && reply->integer == 0,
          "the bare client's records are not those of the engine");
    freeReplyObject(reply);
}

/* All records as they are now, for a bare client. */
static void copy_records(struct bench *bench, int side) {
    redisReply *reply = redisCommand(
        bench->info, "EVAL %s 0 %s %s",
        "for _, key in ipairs(redis.call('KEYS', ARGV[1] .. '*')) do "
        "redis.call('COPY', key, ARGV[2] .. string.sub(key, #ARGV[1] + 1), "
        "'REPLACE') end return 0",
        stems[ENGINE], stems[side]);
    check(reply != NULL && reply->type == REDIS_REPLY_INTEGER, "no copy");
    freeReplyObject(reply);
}

/* --- both, on one thread or several --- */

struct part {
    struct bench *bench;
    redisContext *bare;
    int side, kind, from, to, device; /* of number 0 */
};

static void *work(void *arg) {
    struct part *part = arg;
    for (int i = part->from; i < part->to; i++) {
        const struct trace *trace = &part->bench->traces[i];
        if (part->side == ENGINE)
            one(part->bench, part->kind, part->device + i);
        else
            bare_again(part->bare, &trace->read[part->side],
                       &trace->write[part->side]);
    }
    return NULL;
}

/* For an operation of a slice: seconds by the clock, microseconds of the
 * processor. */
struct spent {
    double time, client, server;
};

/* A number of INFO. */
static double number_of(struct bench *bench, const char *section,
                        const char *name) {
    redisReply *reply = redisCommand(bench->info, "INFO %s", section);
    const char *at = reply != NULL ? strstr(reply->str, name) : NULL;
    double value = at != NULL ? atof(at + strlen(name)) : 0;
    freeReplyObject(reply);
    return value;
}

static double of_timeval(struct timeval t) {
    return (double)t.tv_sec + (double)t.tv_usec / 1e6;
}

static double client_now(void) {
    struct rusage usage;
    getrusage(RUSAGE_SELF, &usage);
    return of_timeval(usage.ru_utime) + of_timeval(usage.ru_stime);
}

static double server_now(struct bench *bench) {
    return number_of(bench, "cpu", "used_cpu_sys:") +
           number_of(bench, "cpu", "used_cpu_user:");
}

static void slice(struct bench *bench, struct part part, int threads,
                  struct spent *spent) {
    pthread_t thread[THREADS];
    struct part parts[THREADS];
    double server = server_now(bench), client = client_now(), began = seconds();
    for (int i = 0; i < threads; i++) {
        parts[i] = part;
        parts[i].bare = bench->bare[i];
        parts[i].from = part.from + i * SLICE / threads;
        parts[i].to = part.from + (i + 1) * SLICE / threads;
        check(pthread_create(&thread[i], NULL, work, &parts[i]) == 0,
              "no thread");
    }
    for (int i = 0; i < threads; i++)
        pthread_join(thread[i], NULL);
    spent->time = (seconds() - began) / SLICE;
    spent->client = (client_now() - client) / SLICE * 1e6;
    spent->server = (server_now(bench) - server) / SLICE * 1e6;
}

/* The middle one of the ratios to the slices of a bare client. */
static double ratio_to(const struct spent *bare, const struct spent *engine) {
    double ratios[SLICES];
    for (int i = 0; i < SLICES; i++)
        ratios[i] = bare[i].time / engine[i].time;
    return median(ratios);
}

static struct spent middle_of(const struct spent *spent) {
    double values[3][SLICES];
    struct spent middle;
    for (int i = 0; i < SLICES; i++) {
        values[0][i] = spent[i].time;
        values[1][i] = spent[i].client;
        values[2][i] = spent[i].server;
    }
    middle.time = median(values[0]);
    middle.client = median(values[1]);
    middle.server = median(values[2]);
    return middle;
}

static void report(int kind, int threads, struct spent spent[SIDES][SLICES]) {
    struct spent engine = middle_of(spent[ENGINE]),
                 bare = middle_of(spent[BARE]);
    double ratio = ratio_to(spent[BARE], spent[ENGINE]);
    char more[64] = "";
    if (kind == 0)
        snprintf(more, sizeof more, " (%.2f of one that keeps the index)",
                 ratio_to(spent[INDEXED], spent[ENGINE]));
    printf("  %-8s %d thread%s %6.0f/s, bare %6.0f/s: %.2f of it%s%s; of the "
           "processor: client %.0f us, bare %.0f; server %.0f us, bare %.0f\n",
           kinds[kind], threads, threads == 1 ? ": " : "s:", 1 / engine.time,
           1 / bare.time, ratio, ratio >= 0.6 ? "" : " MISSED (0.6)", more,
           engine.client, bare.client, engine.server, bare.server);
    fflush(stdout);
}

/* device: the first of those that are only for this comparison and the same one
 * of another kind; half of them for the engine, half for the bare clients. */
static void compare(struct bench *bench, int kind, int threads, int device) {
    static struct spent spent[SIDES][SLICES];
    struct part part = {bench, NULL, 0, kind, 0, 0, device};
    int sides = kind == 0 ? SIDES : INDEXED; /* the others make no records */
    for (int side = BARE; side < sides; side++)
        copy_records(bench, side);
    for (int i = 0; i < DEVICES; i++) {
        bench->trace = &bench->traces[i];
        one(bench, kind, device + DEVICES + i);
    }
    bench->trace = NULL;
    for (int i = 0; i < SLICES; i++) {
        part.from = i * SLICE;
        for (int k = 0; k < sides; k++) {
            part.side = (i + k) % sides; /* none is always the first */
            slice(bench, part, threads, &spent[part.side][i]);
        }
    }
    report(kind, threads, spent);
}

/* Devices of their own, before anything else is there. */
static void weigh(struct bench *bench) {
    double sizes[3];
    for (int kind = 0; kind < 3; kind++) {
        sizes[kind] = number_of(bench, "memory", "used_memory:");
        for (int i = 0; i < WEIGHED && kind < 2; i++)
            one(bench, kind, 4 * DEVICES + i);
    }
    printf("  bytes for each device: %.0f enrolled, %.0f with a live session\n",
           (sizes[1] - sizes[0]) / WEIGHED, (sizes[2] - sizes[0]) / WEIGHED);
}

static void one_server(const char *name, const char *const *words) {
    struct server server;
    struct bench *bench = calloc(1, sizeof *bench);
    check(bench != NULL && server_start(&server, words) == 0, "no server");
    bench->server = &server;
    start_bare(bench);
    start_engine(bench);
    printf("redis, %s\n", name);
    weigh(bench);
    for (int kind = 0; kind < KINDS; kind++) {
        compare(bench, kind, 1, 0);
        compare(bench, kind, THREADS, 2 * DEVICES);
    }
    stop(bench);
    server_end(&server);
}

int main(void) {
    static const char *const durable[] = {DURABLE_WORDS, NULL};
    one_server("in memory", NULL);
    one_server("appendfsync always", durable);
    return 0;
}
