/* tests/bench/bench_engine.c - what the engine costs, as ratios of one run: one
 * hot registration token against many, and each operation against the bare
 * commit of the store below. `make bench` runs it. */
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include <mereau/mereau.h>
#include <mereau/sqlite.h>
#include <mereau/system.h>

enum { THREADS = 8, EACH = 250, TOKENS = 8 };

struct bench {
    mereau_store *store;
    mereau_ctx *ctx;
    mereau_tenant *tenant;
    char client_id[64];
    char *tokens[TOKENS];
};

struct work {
    struct bench *bench;
    int number, hot, failed;
    char name[16];
};

static double seconds(void) {
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (double)now.tv_sec + (double)now.tv_nsec / 1e9;
}

static void check(mereau_status status, const mereau_error *err) {
    if (status != MEREAU_OK) {
        fprintf(stderr, "%s\n", err->text);
        exit(1);
    }
}

static mereau_op *run(mereau_op *op) {
    mereau_error err = MEREAU_ERROR_INIT;
    check(mereau_op_run(op, &err), &err);
    return op;
}

static void mint(struct bench *bench, int i, int64_t count) {
    mereau_op *op = run(mereau_registration_token_mint(
        bench->tenant, bench->client_id, count, 3600));
    free(bench->tokens[i]);
    bench->tokens[i] = strdup(mereau_op_text(op, MEREAU_REGISTRATION_TOKEN));
    mereau_op_free(op);
}

static void start(struct bench *bench, mereau_store *store) {
    static const uint8_t root[32] = "a benchmark's root key, 32 bytes";
    mereau_error err = MEREAU_ERROR_INIT;
    bench->store = store;
    bench->ctx = mereau_ctx_new();
    mereau_ctx_set_store(bench->ctx, store);
    mereau_ctx_set_clock(bench->ctx, mereau_system_clock());
    mereau_ctx_add_root_key(bench->ctx, "bench", root, sizeof root);
    check(mereau_ctx_ready(bench->ctx, &err), &err);
    bench->tenant = mereau_tenant_open(bench->ctx, "bench");
    mereau_op_free(
        run(mereau_tenant_create(bench->tenant, "https://id.bench.example")));
    mereau_op *app = mereau_app_create(bench->tenant, "bench");
    mereau_op_set_text(app, MEREAU_TOKEN_FORMAT, "opaque");
    run(app);
    snprintf(bench->client_id, sizeof bench->client_id, "%s",
             mereau_op_text(app, MEREAU_CLIENT_ID));
    mereau_op_free(app);
}

static void stop(struct bench *bench) {
    for (int i = 0; i < TOKENS; i++)
        free(bench->tokens[i]);
    mereau_tenant_free(bench->tenant);
    mereau_ctx_free(bench->ctx);
    mereau_store_close(bench->store);
}

static void *redeem(void *arg) {
    struct work *work = arg;
    const char *token =
        work->bench->tokens[work->hot ? 0 : work->number % TOKENS];
    for (int i = 0; i < EACH; i++) {
        char device[48];
        uint8_t nonce[16] = {0};
        snprintf(device, sizeof device, "%s-%d-%d", work->name, work->number,
                 i);
        memcpy(nonce, &i, sizeof i);
        mereau_op *op = mereau_registration_token_redeem(
            work->bench->tenant, token, device, nonce, sizeof nonce);
        work->failed |= mereau_op_run(op, NULL) != MEREAU_OK;
        mereau_op_free(op);
    }
    return NULL;
}

static double rate(struct bench *bench, const char *name, int hot,
                   int threads) {
    struct work work[THREADS];
    pthread_t thread[THREADS];
    double began;
    int failed = 0;
    for (int i = 0; i < TOKENS; i++)
        mint(bench, i, 1000000);
    began = seconds();
    for (int i = 0; i < threads; i++) {
        work[i] = (struct work){bench, i, hot, 0, ""};
        snprintf(work[i].name, sizeof work[i].name, "%s", name);
        pthread_create(&thread[i], NULL, redeem, &work[i]);
    }
    for (int i = 0; i < threads; i++) {
        pthread_join(thread[i], NULL);
        failed |= work[i].failed;
    }
    if (failed) {
        fprintf(stderr, "a redemption failed\n");
        exit(1);
    }
    return threads * EACH / (seconds() - began);
}

static void one_store(const char *name, mereau_store *store) {
    struct bench bench = {0};
    double alone, many, hot;
    start(&bench, store);
    alone = rate(&bench, "alone", 1, 1);
    many = rate(&bench, "many", 0, THREADS);
    hot = rate(&bench, "hot", 1, THREADS);
    printf("%-8s redeem, 1 thread %9.0f/s; %d threads on %d tokens %9.0f/s; "
           "on one hot token %9.0f/s: %.2f of it%s\n",
           name, alone, THREADS, TOKENS, many, hot, hot / many,
           hot / many >= 0.5 ? "" : " MISSED (0.5)");
    stop(&bench);
}

int main(void) {
    char path[] = "mereau-bench-XXXXXX", more[64];
    mereau_store *store = NULL;
    mereau_error err = MEREAU_ERROR_INIT;
    int fd = mkstemp(path);
    check(mereau_memory_open(&store, &err), &err);
    one_store("memory", store);
    if (fd < 0 || close(fd) != 0)
        return 1;
    remove(path);
    check(mereau_sqlite_open(&store, path, &err), &err);
    one_store("sqlite", store);
    remove(path);
    snprintf(more, sizeof more, "%s-wal", path);
    remove(more);
    snprintf(more, sizeof more, "%s-shm", path);
    remove(more);
    return 0;
}
