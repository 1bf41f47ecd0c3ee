/* lib/engine/op.c - the life of an operation: made, started, decided, finished,
 * freed. Setting its fields is in set.c, reading its results in read.c. */
#include "op.h"

/* An answer whose commit got no reply. */
struct mru_answer {
    struct mru_answer *next;
    uint64_t version;
    struct mru_bag out, event;
    struct mru_bag *rows;
    size_t n_rows;
    mereau_status verdict;
    mereau_error verdict_err;
};

static void free_rows(struct mru_bag *rows, size_t n) {
    for (size_t i = 0; i < n; i++)
        mru_bag_free(&rows[i]);
    mru_free(rows);
}

static void free_answers(mereau_op *op) {
    while (op->answers != NULL) {
        struct mru_answer *next = op->answers->next;
        mru_bag_free(&op->answers->out);
        mru_bag_free(&op->answers->event);
        free_rows(op->answers->rows, op->answers->n_rows);
        mru_free(op->answers);
        op->answers = next;
    }
}

static void release_held(mereau_op *op) {
    while (op->n_held > 0)
        mru_cached_release(op->held[--op->n_held]);
}

static void drop_rows(mereau_op *op, size_t from) {
    while (op->n_rows > from)
        mru_bag_free(&op->rows[--op->n_rows]);
}

/* All that a run made, results too. */
void mru_op_reset(mereau_op *op) {
    mru_tx_free(&op->tx);
    release_held(op);
    free_answers(op);
    mru_bag_free(&op->out);
    mru_bag_free(&op->event);
    drop_rows(op, 0);
    mru_buf_free(&op->json);
    mru_buf_free(&op->wire);
    op->first_row = op->row = 0;
    op->batch = 0;
    op->again = op->in_after = 0;
    op->after = NULL;
    op->verdict = MEREAU_OK;
    op->dry = 0;
    op->has_more = 0;
}

void mru_op_mistake(mereau_op *op, mereau_status status, const char *rule,
                    const char *wanted, int32_t field) {
    const char *name = mereau_field_name(field);
    if (op->mistake.status == MEREAU_OK)
        mru_refuse(&op->mistake, status, rule, NULL, wanted,
                   name == NULL ? "an unknown field" : name);
}

mereau_op *mru_op_make(const mereau_tenant *tenant,
                       const struct mru_op_class *class) {
    mereau_op *op;
    if (tenant == NULL || (op = mru_alloc(sizeof *op)) == NULL)
        return NULL;
    op->tenant = (mereau_tenant *)(uintptr_t)tenant; /* its count only */
    atomic_fetch_add(&op->tenant->refs, 1);
    op->class = class;
    mereau_error_init(&op->mistake, sizeof op->mistake);
    mereau_error_init(&op->err, sizeof op->err);
    mereau_error_init(&op->verdict_err, sizeof op->verdict_err);
    mru_tx_free(&op->tx);
    return op;
}

mereau_op *mereau_op_new(const mereau_tenant *tenant, const char *name) {
    static const struct mru_op_class unknown = {"",   NULL, 0,   NULL,
                                                NULL, NULL, NULL};
    const struct mru_op_class *const *class = mru_op_classes;
    mereau_op *op;
    while (*class != NULL &&
           (name == NULL || strcmp((*class)->name, name) != 0))
        class ++;
    op = mru_op_make(tenant, *class == NULL ? &unknown : *class);
    if (op != NULL && *class == NULL)
        mru_refuse(&op->mistake, MEREAU_E_UNSUPPORTED, "op.name", NULL,
                   "the name of a maker without mereau_", "another word");
    return op;
}

void mereau_op_free(mereau_op *op) {
    if (op == NULL)
        return;
    mru_op_reset(op);
    mru_free(op->rows);
    mru_bag_free(&op->in);
    mereau_tenant_free(op->tenant);
    mru_free_wiped(op, sizeof *op);
}

struct mru_bag *mru_op_add_row(mereau_op *op) {
    if (op->n_rows == op->cap_rows) {
        size_t cap = op->cap_rows == 0 ? 16 : op->cap_rows * 2;
        struct mru_bag *rows = mru_alloc(cap * sizeof *rows);
        if (rows == NULL)
            return NULL;
        if (op->n_rows > 0)
            memcpy(rows, op->rows, op->n_rows * sizeof *rows);
        mru_free(op->rows);
        op->rows = rows;
        op->cap_rows = cap;
    }
    memset(&op->rows[op->n_rows], 0, sizeof op->rows[0]);
    return &op->rows[op->n_rows++];
}

uint32_t mru_op_caps(const mereau_op *op) {
    if (op->tenant->ctx->store.get != NULL)
        return op->tenant->ctx->store.caps;
    return MEREAU_CAP_LINEAR | MEREAU_CAP_ORDERED;
}

/* --- what the transaction calls --- */

static mereau_status decide(void *arg) {
    mereau_op *op = arg;
    mereau_status status;
    release_held(op);
    mereau_error_init(&op->err, sizeof op->err);
    if (op->in_after) {
        status = op->after(op);
        return status;
    }
    mru_bag_free(&op->out);
    mru_bag_free(&op->event);
    drop_rows(op, op->first_row);
    op->verdict = MEREAU_OK;
    op->again = 0;
    op->after = NULL;
    status = op->class->decide(op);
    if (status == MEREAU_OK && op->tx.n_stages > 0 &&
        op->tenant->ctx->keep_events)
        status = mru_event_keep(op);
    if (status == MEREAU_OK && (op->out.failed || op->event.failed))
        status = MEREAU_E_NOMEM;
    for (size_t i = op->first_row; i < op->n_rows; i++)
        if (status == MEREAU_OK && op->rows[i].failed)
            status = MEREAU_E_NOMEM;
    return status;
}

static int keep_answer(void *arg, uint64_t version) {
    mereau_op *op = arg;
    struct mru_answer *answer;
    size_t n = op->n_rows - op->first_row;
    int failed = 0;
    if (op->in_after)
        return 0;
    answer = mru_alloc(sizeof *answer);
    if (answer == NULL)
        return -1;
    answer->rows = mru_alloc(n * sizeof *answer->rows);
    answer->n_rows = answer->rows == NULL ? 0 : n;
    failed = answer->rows == NULL;
    for (size_t i = 0; i < answer->n_rows; i++) {
        mru_bag_copy_all(&answer->rows[i], &op->rows[op->first_row + i]);
        failed = failed || answer->rows[i].failed;
    }
    mru_bag_copy_all(&answer->out, &op->out);
    mru_bag_copy_all(&answer->event, &op->event);
    answer->version = version;
    answer->verdict = op->verdict;
    answer->verdict_err = op->verdict_err;
    answer->next = op->answers;
    op->answers = answer;
    return failed || answer->out.failed || answer->event.failed ? -1 : 0;
}

static void use_answer(void *arg, uint64_t version) {
    mereau_op *op = arg;
    struct mru_answer *answer = op->answers;
    while (answer != NULL && answer->version != version)
        answer = answer->next;
    if (answer == NULL || op->in_after)
        return;
    struct mru_bag out = op->out, event = op->event;
    op->out = answer->out;
    answer->out = out;
    op->event = answer->event;
    answer->event = event;
    op->verdict = answer->verdict;
    op->verdict_err = answer->verdict_err;
    drop_rows(op, op->first_row);
    for (size_t i = 0; i < answer->n_rows; i++) {
        struct mru_bag *row = mru_op_add_row(op);
        if (row == NULL) {
            op->out.failed = 1; /* done, but the answer is not whole */
            return;
        }
        *row = answer->rows[i];
        memset(&answer->rows[i], 0, sizeof answer->rows[i]);
    }
}

static int next_batch(void *arg) {
    mereau_op *op = arg;
    free_answers(op);
    if (op->in_after)
        return 0;
    if (op->again) {
        op->first_row = op->n_rows;
        op->batch++;
        return 1;
    }
    if (op->after != NULL && op->verdict == MEREAU_OK) {
        op->in_after = 1;
        return 1;
    }
    return 0;
}

static int read_clock(void *arg, int64_t *now_at) {
    const mereau_op *op = arg;
    const mereau_clock *clock = &op->tenant->ctx->clock;
    int code = clock->now(clock->user, now_at);
    return code;
}

/* --- starting --- */

static int listed(const int32_t *fields, int32_t field) {
    for (; fields != NULL && *fields != 0; fields++)
        if (*fields == field)
            return 1;
    return 0;
}

static const int32_t always[] = {MEREAU_ACTOR, MEREAU_CORRELATION_ID,
                                 MEREAU_REASON, 0};

static mereau_status check_fields(mereau_op *op) {
    const struct mru_op_class *class = op->class;
    for (size_t i = 0; i < op->in.n; i++) {
        int32_t field = op->in.items[i].field;
        if (!listed(class->must, field) && !listed(class->takes, field) &&
            !listed(always, field))
            return mru_refuse(&op->err, MEREAU_E_FIELD, "op.field", NULL,
                              "only fields that this operation takes",
                              mereau_field_name(field));
    }
    for (const int32_t *must = class->must; must != NULL && *must != 0; must++)
        if (!mru_bag_has(&op->in, *must)) {
            char wanted[96];
            mru_say(wanted, sizeof wanted, "%s", mereau_field_name(*must));
            return mru_refuse(&op->err, MEREAU_E_FIELD, "op.field", NULL,
                              wanted, "nothing");
        }
    return MEREAU_OK;
}

static mereau_status check_host(mereau_op *op) {
    const mereau_ctx *ctx = op->tenant->ctx;
    uint32_t caps = mru_op_caps(op);
    if (!ctx->ready)
        return mru_refuse(&op->err, MEREAU_E_STATE, "ctx.ready", NULL,
                          "a ready context", "one that is not ready");
    if (op->tenant->bad_name)
        return mru_refuse(&op->err, MEREAU_E_ARG, "tenant.name", NULL,
                          "1..64 bytes of a-z 0-9 . _ -", "another name");
    if ((op->class->flags & MRU_OP_LINEAR) != 0 &&
        (caps & MEREAU_CAP_LINEAR) == 0)
        return mru_refuse(&op->err, MEREAU_E_UNSUPPORTED, "store.linear", NULL,
                          "a store with MEREAU_CAP_LINEAR", "one without");
    if (((op->class->flags & MRU_OP_ORDERED) != 0 || ctx->keep_events) &&
        (caps & MEREAU_CAP_ORDERED) == 0)
        return mru_refuse(&op->err, MEREAU_E_UNSUPPORTED, "store.ordered", NULL,
                          "a store with MEREAU_CAP_ORDERED", "one without");
    return MEREAU_OK;
}

static mereau_status begin(mereau_op *op) {
    const mereau_ctx *ctx = op->tenant->ctx;
    const struct mru_tx_host host = {op,         decide,     keep_answer,
                                     use_answer, next_batch, read_clock};
    uint8_t seed[32];
    int32_t code = ctx->clock.now(ctx->clock.user, &op->now_at);
    if (code != 0 || op->now_at < 0 || op->now_at > INT64_MAX / 4)
        return mru_refuse_host(&op->err, MEREAU_E_CLOCK, code, "clock.now",
                               "seconds since 1970",
                               code != 0 ? "a failure" : "another number");
    code = ctx->random.fill != NULL
               ? ctx->random.fill(ctx->random.user, seed, sizeof seed)
               : mru_os_random(NULL, seed, sizeof seed);
    if (code != 0) {
        mru_wipe(seed, sizeof seed);
        return mru_refuse_host(&op->err, MEREAU_E_RANDOM, code, "random.fill",
                               "random bytes", "a failure");
    }
    mru_tx_begin(&op->tx, &host, op->tenant->name, seed, op->now_at, &op->err);
    op->tx.dry = op->dry;
    op->tx.stale_ok = (op->class->flags & MRU_OP_STALE_OK) != 0 &&
                      (mru_op_caps(op) & MEREAU_CAP_STALE) != 0;
    mru_wipe(seed, sizeof seed);
    return MEREAU_OK;
}

/* Checks all that needs no store and draws time and randomness. */
static mereau_status start(mereau_op *op) {
    int dry = op->dry, next_page = op->has_more;
    mereau_status status;
    if (op->state == MRU_OP_DONE && (op->class->flags & MRU_OP_AGAIN) == 0 &&
        !((op->class->flags & (MRU_OP_LIST | MRU_OP_STEPS)) != 0 && next_page))
        return mru_refuse(&op->err, MEREAU_E_STATE, "op.done", NULL,
                          "an operation that was not done before",
                          "a done one");
    if (op->state != MRU_OP_DONE)
        op->next_key.len = 0;
    mru_op_reset(op);
    op->dry = dry;
    mereau_error_init(&op->err, sizeof op->err);
    if (op->mistake.status != MEREAU_OK) {
        op->err = op->mistake;
        return op->mistake.status;
    }
    status = check_host(op);
    if (status == MEREAU_OK)
        status = check_fields(op);
    if (status == MEREAU_OK)
        status = begin(op);
    if (status == MEREAU_OK)
        op->state = MRU_OP_RUNNING;
    return status;
}

/* --- finishing --- */

static mereau_status finish(mereau_op *op, mereau_status status) {
    if (op->in_after) { /* the answer was committed before */
        status = MEREAU_OK;
        mereau_error_init(&op->err, sizeof op->err);
    } else if (status == MEREAU_OK && op->verdict != MEREAU_OK) {
        status = op->verdict;
        op->err = op->verdict_err;
    }
    if (status == MEREAU_OK && op->out.failed)
        status = MEREAU_E_NOMEM;
    if (status != MEREAU_OK && op->err.status != status)
        mru_refuse(&op->err, status, NULL, NULL, NULL, NULL);
    if (status == MEREAU_OK)
        mereau_error_init(&op->err, sizeof op->err);
    if (status != MEREAU_OK || op->dry) {
        static const int32_t secrets[] = {
            MEREAU_CLIENT_SECRET, MEREAU_REGISTRATION_TOKEN,
            MEREAU_AUTH_TOKEN,    MEREAU_ACCESS_TOKEN,
            MEREAU_REFRESH_TOKEN, MEREAU_TOKEN,
            MEREAU_RETRY_NONCE,   0};
        for (size_t i = 0; secrets[i] != 0; i++) {
            mru_bag_unset(&op->out, secrets[i]);
            for (size_t row = 0; row < op->n_rows; row++)
                mru_bag_unset(&op->rows[row], secrets[i]);
        }
    }
    if (!op->dry)
        mru_event_tell(op, status);
    if (status != MEREAU_OK) {
        mru_bag_free(&op->out);
        drop_rows(op, 0);
        op->has_more = 0;
    }
    mru_tx_free(&op->tx);
    release_held(op);
    free_answers(op);
    op->state = status == MEREAU_OK && !op->dry ? MRU_OP_DONE : MRU_OP_FAILED;
    return status;
}

static mereau_status say(const mereau_op *op, mereau_status status,
                         mereau_error *err) {
    if (err != NULL)
        *err = op->err;
    return status;
}

static mereau_status run(mereau_op *op) {
    const mereau_ctx *ctx = op->tenant->ctx;
    mereau_status status = start(op);
    if (status == MEREAU_OK && ctx->store.get == NULL)
        status = mru_refuse(&op->err, MEREAU_E_UNSUPPORTED, "ctx.store", NULL,
                            "a store: mereau_ctx_set_store()", "none");
    else if (status == MEREAU_OK)
        status = mru_tx_run(&op->tx, &ctx->store, &ctx->signer, &ctx->waiter);
    else if (op->state == MRU_OP_DONE)
        return status; /* its results stay */
    return finish(op, status);
}

static mereau_status no_op(mereau_error *err) {
    return mru_refuse(err, MEREAU_E_NOMEM, "op", NULL, "an operation", "NULL");
}

mereau_status mereau_op_run(mereau_op *op, mereau_error *err) {
    mereau_status status = mru_error_reset(err);
    if (status != MEREAU_OK)
        return status;
    if (op == NULL)
        return no_op(err);
    if (op->state == MRU_OP_RUNNING)
        return mru_refuse(err, MEREAU_E_STATE, "op.stepped", NULL,
                          "an operation that is not being stepped",
                          "one that is");
    op->dry = 0;
    status = run(op);
    return say(op, status, err);
}

mereau_status mereau_op_dry_run(mereau_op *op, mereau_error *err) {
    mereau_status status = mru_error_reset(err);
    if (status != MEREAU_OK)
        return status;
    if (op == NULL)
        return no_op(err);
    if (op->state == MRU_OP_RUNNING)
        return mru_refuse(err, MEREAU_E_STATE, "op.stepped", NULL,
                          "an operation that is not being stepped",
                          "one that is");
    op->dry = 1;
    status = run(op);
    op->dry = 0;
    return say(op, status, err);
}

mereau_status mereau_op_step(mereau_op *op, const mereau_need **need,
                             mereau_error *err) {
    mereau_status status = mru_error_reset(err);
    if (need != NULL)
        *need = NULL;
    if (status != MEREAU_OK)
        return status;
    if (op == NULL)
        return no_op(err);
    if (need == NULL)
        return mru_refuse(err, MEREAU_E_ARG, "op.step", NULL,
                          "where to put the need", "NULL");
    if (op->state != MRU_OP_RUNNING) {
        op->dry = 0;
        status = start(op);
        if (status != MEREAU_OK) {
            if (op->state != MRU_OP_DONE)
                status = finish(op, status);
            return say(op, status, err);
        }
    }
    status = mru_tx_step(&op->tx, need);
    if (status != MEREAU_OK || *need == NULL)
        status = finish(op, status);
    return say(op, status, err);
}

int32_t mereau_op_feed(mereau_op *op, size_t index,
                       const mereau_record *record) {
    if (op == NULL || op->state != MRU_OP_RUNNING)
        return 1;
    return mru_tx_feed(&op->tx, index, record);
}

int32_t mereau_op_feed_bytes(mereau_op *op, const uint8_t *data, size_t len) {
    if (op == NULL || op->state != MRU_OP_RUNNING || (data == NULL && len > 0))
        return 1;
    return mru_tx_feed_bytes(&op->tx, data, len);
}

void mereau_op_answer(mereau_op *op, int32_t result, size_t failed) {
    if (op == NULL)
        return;
    if (op->state == MRU_OP_RUNNING && op->tx.waiting && !op->tx.answered)
        mru_tx_answer(&op->tx, result, failed);
    else if (op->state == MRU_OP_RUNNING)
        op->tx.misused = 1;
    else
        mru_op_mistake(op, MEREAU_E_STATE, "op.answer", "an answer to a need",
                       0);
}
