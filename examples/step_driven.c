/* step_driven.c - redeeming a registration token inside an event loop.
 *
 * The operation is the one that quickstart.c runs with mereau_op_run(). Here
 * nothing blocks: the op says what it needs, the loop fetches it in its own time,
 * feeds the answer in and asks again. Two devices go for the last count at once;
 * their gets and commits interleave, one of them wins. */
#include <stdio.h>
#include <stdlib.h>

#include <mereau/mereau.h>
#include <mereau/system.h>

/* --- the loop: things that are to happen later, soonest first --- */

struct request {
    struct loop *loop;
    const char *device_id;
    mereau_op *op;
    const mereau_need *need; /* the library's until it is answered */
};

struct job {
    uint64_t due_ms;
    struct request *request;
};

struct loop {
    uint64_t now_ms;
    const mereau_store *database;
    struct job jobs[16];
    size_t n_jobs;
};

static void later(struct request *r, uint64_t ms) {
    struct loop *loop = r->loop;
    size_t i = loop->n_jobs++;
    if (loop->n_jobs > sizeof loop->jobs / sizeof loop->jobs[0])
        abort();
    for (; i > 0 && loop->jobs[i - 1].due_ms > loop->now_ms + ms; i--)
        loop->jobs[i] = loop->jobs[i - 1];
    loop->jobs[i].due_ms = loop->now_ms + ms;
    loop->jobs[i].request = r;
}

static void say(const struct request *r, const char *what, size_t n,
                const char *of_what) {
    printf("%3u ms  %s  %s %zu %s\n", (unsigned)r->loop->now_ms, r->device_id,
           what, n, of_what);
}

/* [advance] */
/* Goes on with one request until it needs something again. */
static void advance(struct request *r) {
    mereau_error err = MEREAU_ERROR_INIT;
    mereau_status status = mereau_op_step(r->op, &r->need, &err);

    if (status == MEREAU_OK && r->need != NULL) {
        switch (r->need->kind) {
        case MEREAU_NEED_GET: /* send the query; the reply comes later */
            say(r, "asks for", r->need->n_keys, "records");
            later(r, 5);
            return;
        case MEREAU_NEED_COMMIT:
            say(r, "commits", r->need->n_writes, "writes and checks");
            later(r, 10);
            return;
        case MEREAU_NEED_WAIT:
            say(r, "waits", r->need->wait_ms, "ms");
            later(r, r->need->wait_ms);
            return;
        default: /* a kind this host does not serve */
            mereau_op_answer(r->op, MEREAU_STORE_UNSUPPORTED, SIZE_MAX);
            later(r, 0);
            return;
        }
    }
    if (status == MEREAU_OK)
        printf("%s: 200 %.11s...\n", r->device_id,
               mereau_op_text(r->op, MEREAU_AUTH_TOKEN));
    else
        printf("%s: %d %s (%s)\n", r->device_id,
               (int)mereau_status_http(status), mereau_status_oauth(status),
               err.rule);
    mereau_op_free(r->op);
}
/* [/advance] */

/* --- the database, as the loop sees it: replies that come in --- */

/* Once per key that was asked for; record is NULL when there is none. */
static int32_t on_record(void *arg, size_t index, const mereau_record *record) {
    return mereau_op_feed(arg, index, record);
}

static void on_reply(struct request *r) {
    const mereau_store *db = r->loop->database;
    const mereau_need *need = r->need;
    int32_t result = MEREAU_STORE_OK;
    size_t failed = SIZE_MAX;
    if (need->kind == MEREAU_NEED_GET)
        result = db->get(db->user, need, on_record, r->op);
    else if (need->kind == MEREAU_NEED_COMMIT)
        result = db->commit(db->user, need, &failed);
    if (need->kind == MEREAU_NEED_COMMIT)
        say(r,
            result == MEREAU_STORE_OK ? "is told: done," : "is told: conflict,",
            need->n_writes, "writes");
    if (need->kind == MEREAU_NEED_GET || need->kind == MEREAU_NEED_COMMIT ||
        need->kind == MEREAU_NEED_WAIT)
        mereau_op_answer(r->op, result, failed);
    advance(r);
}

static void run_loop(struct loop *loop) {
    while (loop->n_jobs > 0) {
        struct job job = loop->jobs[0];
        loop->n_jobs--;
        for (size_t i = 0; i < loop->n_jobs; i++)
            loop->jobs[i] = loop->jobs[i + 1];
        loop->now_ms = job.due_ms;
        on_reply(job.request);
    }
}

/* --- the program --- */

static mereau_ctx *make_ctx(const mereau_store *store, const uint8_t key[32]) {
    mereau_error err = MEREAU_ERROR_INIT;
    mereau_ctx *ctx = mereau_ctx_new();
    if (store != NULL) /* without one, operations can only be stepped */
        mereau_ctx_set_store(ctx, store);
    mereau_ctx_set_clock(ctx, mereau_system_clock());
    mereau_ctx_add_root_key(ctx, "2026", key, 32);
    if (mereau_ctx_ready(ctx, &err) != MEREAU_OK) {
        fprintf(stderr, "%s\n", err.text);
        exit(EXIT_FAILURE);
    }
    return ctx;
}

static mereau_op *run(mereau_op *op) {
    mereau_error err = MEREAU_ERROR_INIT;
    if (mereau_op_run(op, &err) != MEREAU_OK) {
        fprintf(stderr, "%s\n", err.text);
        exit(EXIT_FAILURE);
    }
    return op;
}

int main(void) {
    struct loop loop = {0};
    struct request requests[2] = {{&loop, "printer-1", NULL, NULL},
                                  {&loop, "printer-2", NULL, NULL}};
    mereau_store *store = NULL;
    uint8_t key[32], nonces[2][16];
    if (mereau_memory_open(&store, NULL) != MEREAU_OK ||
        mereau_system_random(key, sizeof key, NULL) != MEREAU_OK ||
        mereau_system_random(nonces[0], sizeof nonces, NULL) != MEREAU_OK)
        return EXIT_FAILURE;
    loop.database = store;

    /* Set up as any program would, blocking: one count is minted. */
    mereau_ctx *setup = make_ctx(store, key);
    mereau_tenant *acme = mereau_tenant_open(setup, "acme");
    mereau_op_free(run(mereau_tenant_create(acme, "https://id.acme.example")));
    mereau_op *app = run(mereau_app_create(acme, "Label printer"));
    mereau_op *mint = run(mereau_registration_token_mint(
        acme, mereau_op_text(app, MEREAU_CLIENT_ID), 1, 3600));

    /* The server: same records, but its context has no store. */
    mereau_ctx *ctx = make_ctx(NULL, key);
    mereau_tenant *stepped = mereau_tenant_open(ctx, "acme");
    for (size_t i = 0; i < 2; i++) {
        requests[i].op = mereau_registration_token_redeem(
            stepped, mereau_op_text(mint, MEREAU_REGISTRATION_TOKEN),
            requests[i].device_id, nonces[i], sizeof nonces[i]);
        mereau_op_set_text(requests[i].op, MEREAU_REMOTE_ADDRESS, "192.0.2.7");
        advance(&requests[i]);
    }
    run_loop(&loop);

    mereau_op_free(mint);
    mereau_op_free(app);
    mereau_tenant_free(stepped);
    mereau_ctx_free(ctx);
    mereau_tenant_free(acme);
    mereau_ctx_free(setup);
    mereau_store_close(store);
    return EXIT_SUCCESS;
}
