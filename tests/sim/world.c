/* tests/sim/world.c - see sim.h: processes, callers, serving what ops need. */
#include <stdarg.h>

#include "sim.h"
#include "unit/key_texts.h"

void sim_wrong(struct sim_world *w, const char *check, const char *format,
               ...) {
    va_list args;
    if (w->wrong[0] != '\0')
        return; /* what follows is of the first one */
    va_start(args, format);
    vsnprintf(w->wrong, sizeof w->wrong, format, args);
    va_end(args);
    snprintf(w->check, sizeof w->check, "%s", check);
}

const char *sim_device(int device) {
    static const char *const names[SIM_DEVICES] = {"dev-a", "dev-b", "dev-c",
                                                   "dev-d", "dev-e"};
    return names[device % SIM_DEVICES];
}

int sim_family_of(const struct sim_step *step) {
    return step->token * SIM_DEVICES + step->device % SIM_DEVICES;
}

const char *sim_kind_name(int kind) {
    static const char *const names[SIM_KINDS] = {
        "none",         "redeem",       "exchange",       "refresh",
        "steal",        "verify",       "verify_refresh", "introspect",
        "revoke_token", "revoke_auth",  "revoke_family",  "revoke_held",
        "raise",        "app_enable",   "app_delete",     "app_label",
        "block",        "unblock",      "rearm",          "count",
        "extend",       "reissue",      "mint",           "purge",
        "key_revoke",   "tenant_enable"};
    return names[kind];
}

const char *sim_how_name(int how) {
    static const char *const names[SIM_HOWS] = {
        "ok",           "conflict",      "busy",
        "unknown/now",  "unknown/never", "unknown/late",
        "crash/before", "crash/after",   "crash/late"};
    return names[how];
}

/* --- processes --- */

static int32_t read_clock(void *user, int64_t *now_at) {
    const struct sim_world *w = user;
    *now_at = w->now_at;
    return 0;
}

static int32_t fill(void *user, uint8_t *out, size_t len) {
    struct sim_world *w = user;
    for (size_t i = 0; i < len; i++) {
        if (i % 8 == 0)
            w->draw = sim_mix(w->draw, 5);
        out[i] = (uint8_t)(w->draw >> (i % 8 * 8));
    }
    return 0;
}

static void copy_text(char *out, size_t cap, const char *text) {
    snprintf(out, cap, "%s", text == NULL ? "" : text);
}

static int32_t hear(void *user, const mereau_event *event) {
    struct sim_world *w = user;
    const char *json = mereau_event_json(event);
    w->told.n++;
    w->told.status = mereau_event_status(event);
    copy_text(w->told.device, sizeof w->told.device,
              mereau_event_text(event, MEREAU_DEVICE_ID));
    copy_text(w->told.auth, sizeof w->told.auth,
              mereau_event_text(event, MEREAU_AUTH_TOKEN_ID));
    copy_text(w->told.family, sizeof w->told.family,
              mereau_event_text(event, MEREAU_FAMILY_ID));
    w->told.secret = json == NULL || strstr(json, "mereau_reg_") != NULL ||
                     strstr(json, "mereau_aut_") != NULL ||
                     strstr(json, "mereau_ref_") != NULL ||
                     strstr(json, "mereau_acc_") != NULL;
    return 0;
}

static void make_proc(struct sim_world *w, struct sim_proc *proc,
                      int keep_events) {
    mereau_clock clock = {sizeof clock, 0, w, read_clock};
    mereau_random random = {sizeof random, 0, w, fill};
    mereau_events events = {sizeof events, 0, w, hear};
    uint8_t key[32];
    memset(key, 7, sizeof key);
    proc->ctx = mereau_ctx_new();
    mereau_ctx_set_clock(proc->ctx, &clock);
    mereau_ctx_set_random(proc->ctx, &random);
    mereau_ctx_add_root_key(proc->ctx, "sim", key, sizeof key);
    mereau_ctx_set_events(proc->ctx, &events);
    if (keep_events)
        mereau_ctx_keep_events(proc->ctx);
    if (mereau_ctx_ready(proc->ctx, NULL) != MEREAU_OK)
        abort();
    proc->tenant = mereau_tenant_open(proc->ctx, SIM_TENANT);
    if (proc->tenant == NULL)
        abort();
}

/* A process that has just started: nothing in its caches. */
static void fresh(struct sim_proc *proc) {
    if (!proc->used)
        return;
    mru_cache_free(proc->ctx->cache);
    proc->ctx->cache = mru_cache_new();
    if (proc->ctx->cache == NULL)
        abort();
    proc->used = 0;
}

mereau_tenant *sim_tenant(struct sim_world *w, int proc) {
    w->procs[proc].used = 1;
    return w->procs[proc].tenant;
}

void sim_world_init(struct sim_world *w) {
    memset(w, 0, sizeof *w);
    w->now_at = SIM_START;
    for (int i = 0; i < SIM_PROCS; i++)
        make_proc(w, &w->procs[i], i % 3 == 1);
}

void sim_forget(struct sim_family *family) {
    free(family->auth);
    free(family->access);
    for (int g = 0; g < SIM_GENERATIONS; g++)
        free(family->refresh[g]);
    memset(family, 0, sizeof *family);
}

void sim_end(struct sim_world *w) {
    for (int i = 0; i < SIM_CALLERS; i++) {
        mereau_op_free(w->callers[i].op);
        sim_batch_free(w->callers[i].batch);
    }
    memset(w->callers, 0, sizeof w->callers);
    for (int i = 0; i < w->n_late; i++)
        sim_batch_free(w->late[i]);
    w->n_late = 0;
    for (int f = 0; f < SIM_FAMILIES; f++)
        sim_forget(&w->families[f]);
}

/* What a case begins with is done once, and taken back for each of its runs. */
static void forget_ready(struct sim_ready *ready) {
    for (int f = 0; f < SIM_FAMILIES; f++)
        sim_forget(&ready->families[f]);
    sim_store_free(&ready->store);
    ready->base = NULL;
}

void sim_world_close(struct sim_world *w) {
    sim_end(w);
    forget_ready(&w->ready);
    for (int i = 0; i < SIM_PROCS; i++) {
        mereau_tenant_free(w->procs[i].tenant);
        mereau_ctx_free(w->procs[i].ctx);
    }
    sim_store_free(&w->store);
}

/* --- serving needs --- */

static void record_of(mereau_record *to, const struct sim_rec *rec) {
    memset(to, 0, sizeof *to);
    to->key = rec->key;
    to->key_len = rec->key_len;
    to->value = rec->value;
    to->value_len = rec->value_len;
    to->version = rec->version;
    to->drop_at = rec->drop_at;
}

static void serve_get(const struct sim_store *store, mereau_op *op,
                      const mereau_need *need) {
    mereau_record record;
    for (size_t i = 0; i < need->n_keys; i++) {
        const struct sim_rec *rec =
            sim_find(store, need->keys[i].data, need->keys[i].len);
        if (rec != NULL)
            record_of(&record, rec);
        mereau_op_feed(op, i, rec == NULL ? NULL : &record);
    }
    mereau_op_answer(op, MEREAU_STORE_OK, SIZE_MAX);
}

static void serve_scan(const struct sim_store *store, mereau_op *op,
                       const mereau_need *need) {
    size_t at = sim_place(store, need->from, need->from_len);
    size_t end =
        need->to_len == 0 ? store->n : sim_place(store, need->to, need->to_len);
    mereau_record record;
    for (size_t i = 0; at < end && i < need->limit; i++, at++) {
        record_of(&record, store->rows[at]);
        mereau_op_feed(op, i, &record);
    }
    mereau_op_answer(op, MEREAU_STORE_OK, SIZE_MAX);
}

static int32_t commit(struct sim_world *w, struct sim_batch *batch) {
    int32_t result = sim_batch_apply(&w->store, batch);
    if (result == MEREAU_STORE_OK) {
        w->truth.seq++;
        sim_applied(w, batch);
    }
    return result;
}

mereau_status sim_run(struct sim_world *w, mereau_op *op, mereau_error *err) {
    const mereau_need *need;
    mereau_status status;
    w->draw = sim_mix(991 + (uint64_t)w->steps, w->truth.seq);
    while ((status = mereau_op_step(op, &need, err)) == MEREAU_OK &&
           need != NULL) {
        if (need->kind == MEREAU_NEED_GET) {
            serve_get(&w->store, op, need);
        } else if (need->kind == MEREAU_NEED_SCAN) {
            serve_scan(&w->store, op, need);
        } else if (need->kind == MEREAU_NEED_COMMIT) {
            struct sim_batch *batch = sim_batch_new(need, -1);
            int32_t result = MEREAU_STORE_UNSUPPORTED;
            if (batch != NULL)
                result = commit(w, batch);
            sim_batch_free(batch);
            mereau_op_answer(op, result, SIZE_MAX);
        } else {
            mereau_op_answer(op,
                             need->kind == MEREAU_NEED_WAIT
                                 ? MEREAU_STORE_OK
                                 : MEREAU_STORE_UNSUPPORTED,
                             SIZE_MAX);
        }
    }
    return status;
}

/* --- callers --- */

static void say(const struct sim_world *w, const struct sim_caller *caller,
                const char *what, const char *more) {
    const struct sim_step *step = &caller->script[caller->pos];
    if (w->verbose)
        printf("  %3d  at %lld  caller %d  %s(%d, %d, %d)  %s %s\n", w->steps,
               (long long)(w->now_at - SIM_START), (int)(caller - w->callers),
               sim_kind_name(step->kind), step->token, step->device, step->arg,
               what, more);
}

static void next_step(struct sim_caller *caller) {
    mereau_op_free(caller->op);
    caller->op = NULL;
    caller->need = NULL;
    caller->at = SIM_AT_IDLE;
}

/* The op has an answer. */
static void finish(struct sim_world *w, struct sim_caller *caller,
                   mereau_status status, const mereau_error *err) {
    struct sim_inst *inst = &w->insts[caller->inst];
    inst->status = status;
    memcpy(inst->rule, err->rule, sizeof inst->rule);
    inst->ended = 1;
    caller->last = status;
    say(w, caller, mereau_status_name(status), err->rule);
    sim_answered(w, caller, inst, caller->op);
    sim_told(w, inst);
    next_step(caller);
    if (mereau_status_can_retry(status) && status != MEREAU_E_CLOCK &&
        strcmp(err->rule, "not_before.rate") != 0) { /* those last longer */
        if (++caller->retry > 8)
            sim_wrong(w, "settles", "%s: still %s after 8 retries",
                      sim_kind_name(inst->step.kind),
                      mereau_status_name(status));
        return;
    }
    caller->pos++;
    caller->retry = 0;
}

/* What it saw when it read. */
static void remember(struct sim_world *w, struct sim_caller *caller) {
    int t = caller->script[caller->pos].token, there;
    int64_t quota;
    struct mru_rkey key;
    struct mru_bag record;
    caller->seen = w->truth;
    mru_rkey_set(&key, 'e',
                 w->enrolment[sim_family_of(&caller->script[caller->pos])],
                 MRU_ID_LEN);
    (void)sim_bag(&w->store, &key, &record);
    if (!mru_bag_bytes(&record, MRU_F_PROOF, caller->seen_proof, 32))
        memset(caller->seen_proof, 0, 32);
    mru_bag_free(&record);
    caller->seen_used =
        w->tokens[t].there ? (uint32_t)sim_used(w, t, &quota, &there) : 0;
}

static void take_batch(struct sim_world *w, struct sim_caller *caller) {
    struct sim_inst *inst = &w->insts[caller->inst];
    uint64_t version = 0;
    caller->at = SIM_AT_COMMIT;
    caller->batch = sim_batch_new(caller->need, caller->inst);
    if (caller->batch == NULL) {
        sim_wrong(w, "contract", "a commit that breaks host.h");
        return;
    }
    for (size_t i = 0; i < caller->batch->n; i++)
        if (caller->batch->writes[i].kind == MEREAU_WRITE_PUT)
            version = caller->batch->writes[i].rec->version;
    if (version != 0 && version == inst->version)
        sim_wrong(w, "version", "two attempts with one version");
    inst->version = version;
    if (w->now_at > inst->now_at + MRU_MAX_PARK_S &&
        inst->step.kind != SIM_PURGE)
        sim_wrong(w, "parked", "a commit long after the clock was read");
}

/* Goes on until somebody else may come first. */
static void settle(struct sim_world *w, struct sim_caller *caller) {
    mereau_error err = MEREAU_ERROR_INIT;
    memset(&w->told, 0, sizeof w->told);
    for (;;) {
        mereau_status status = mereau_op_step(caller->op, &caller->need, &err);
        if (status != MEREAU_OK || caller->need == NULL) {
            if (status == MEREAU_OK && mereau_op_has_more(caller->op))
                continue; /* purge: the next bounded step */
            finish(w, caller, status, &err);
            return;
        }
        switch (caller->need->kind) {
        case MEREAU_NEED_GET:
        case MEREAU_NEED_SCAN:
            caller->at = SIM_AT_READ;
            return;
        case MEREAU_NEED_COMMIT:
            take_batch(w, caller);
            return;
        case MEREAU_NEED_WAIT:
            mereau_op_answer(caller->op, MEREAU_STORE_OK, SIZE_MAX);
            break;
        case MEREAU_NEED_SIGN:
            caller->at = SIM_AT_SIGN;
            return;
        default:
            mereau_op_answer(caller->op, MEREAU_STORE_UNSUPPORTED, SIZE_MAX);
        }
    }
}

static void read_store(struct sim_world *w, struct sim_caller *caller) {
    remember(w, caller);
    if (caller->need->kind == MEREAU_NEED_GET)
        serve_get(&w->store, caller->op, caller->need);
    else
        serve_scan(&w->store, caller->op, caller->need);
    say(w, caller, "reads", "");
    settle(w, caller);
}

static void start(struct sim_world *w, struct sim_caller *caller) {
    int index = (int)(caller - w->callers);
    struct sim_inst *inst;
    if (w->n_insts == SIM_INSTS) {
        caller->pos = caller->n;
        return;
    }
    inst = &w->insts[w->n_insts];
    memset(inst, 0, sizeof *inst);
    inst->step = caller->script[caller->pos];
    inst->caller = index;
    inst->pos = caller->pos;
    inst->now_at = w->now_at;
    inst->keeps_events = w->procs[caller->proc].ctx->keep_events;
    caller->op = sim_ask(w, caller, sim_tenant(w, caller->proc), inst);
    if (caller->op == NULL) { /* it does not have what it takes */
        say(w, caller, "has nothing for it", "");
        caller->pos++;
        caller->retry = 0;
        return;
    }
    caller->inst = w->n_insts++;
    w->draw = sim_mix((uint64_t)index * 1000 + (uint64_t)caller->pos +
                          (w->preparing ? 500u : 0u),
                      (uint64_t)caller->retry * 100 + inst->step.kind);
    settle(w, caller);
    if (caller->op != NULL && caller->at == SIM_AT_READ)
        read_store(w, caller);
}

/* The process dies; the caller asks again, of another one. */
static void crash(struct sim_world *w, struct sim_caller *caller) {
    w->insts[caller->inst].crashed = 1;
    say(w, caller, "crashes", "");
    next_step(caller);
    caller->retry++;
    caller->proc = SIM_CALLERS + w->next_proc++ % (SIM_PROCS - SIM_CALLERS - 1);
    fresh(&w->procs[caller->proc]);
}

/* A signer that is asked for the same again says the same again. */
static void serve_sign(struct sim_world *w, mereau_op *op,
                       const mereau_need *need) {
    uint64_t input = sim_bytes(23, need->input, need->input_len);
    size_t at = (size_t)(input % 64), len = sizeof w->signed_before[at].sig;
    if (w->base->key == NULL) {
        mereau_op_answer(op, MEREAU_SIGN_UNKNOWN_KEY, SIZE_MAX);
        return;
    }
    if (w->signed_before[at].input != input) {
        uint8_t sig[MRU_MAX_SIG];
        if (mru_key_sign(w->base->key, mru_os_random, NULL, need->input,
                         need->input_len, sig, &len) != MEREAU_OK ||
            len != sizeof w->signed_before[at].sig)
            abort();
        w->signed_before[at].input = input;
        memcpy(w->signed_before[at].sig, sig, len);
    }
    mereau_op_feed_bytes(op, w->signed_before[at].sig, len);
    mereau_op_answer(op, MEREAU_SIGN_OK, SIZE_MAX);
}

static void sign(struct sim_world *w, struct sim_caller *caller, int how) {
    say(w, caller, "signs:", sim_how_name(how));
    if (how == SIM_OK)
        serve_sign(w, caller->op, caller->need);
    else
        mereau_op_answer(caller->op, MEREAU_SIGN_FAILED, SIZE_MAX);
    w->signer_failed |= how != SIM_OK;
    settle(w, caller);
}

static void answer(struct sim_world *w, struct sim_caller *caller,
                   int32_t result) {
    (void)w;
    caller->need = NULL;
    caller->at = SIM_AT_IDLE;
    mereau_op_answer(caller->op, result, SIZE_MAX);
    settle(w, caller);
}

static void hold_back(struct sim_world *w, struct sim_caller *caller) {
    if (w->n_late == SIM_LATE) /* then never */
        return;
    w->late[w->n_late++] = caller->batch;
    caller->batch = NULL;
}

static void try_commit(struct sim_world *w, struct sim_caller *caller,
                       int how) {
    int32_t result = MEREAU_STORE_UNKNOWN;
    say(w, caller, "commits:", sim_how_name(how));
    switch (how) {
    case SIM_OK:
        result = commit(w, caller->batch);
        break;
    case SIM_CONFLICT:
        result = MEREAU_STORE_CONFLICT;
        break;
    case SIM_BUSY:
        result = MEREAU_STORE_BUSY;
        break;
    case SIM_UNKNOWN_NOW:
    case SIM_CRASH_AFTER:
        (void)commit(w, caller->batch);
        break;
    case SIM_UNKNOWN_LATE:
    case SIM_CRASH_LATE:
        hold_back(w, caller);
        break;
    default:
        break;
    }
    sim_batch_free(caller->batch);
    caller->batch = NULL;
    if (how == SIM_CRASH_BEFORE || how == SIM_CRASH_AFTER ||
        how == SIM_CRASH_LATE) {
        crash(w, caller);
        return;
    }
    w->insts[caller->inst].unknowns += result == MEREAU_STORE_UNKNOWN;
    answer(w, caller, result);
}

void sim_advance(struct sim_world *w, int index, int how) {
    struct sim_caller *caller = &w->callers[index];
    w->steps++;
    w->budget -= how != SIM_OK;
    if (caller->op == NULL)
        start(w, caller);
    else if (caller->at == SIM_AT_COMMIT)
        try_commit(w, caller, how);
    else if (how == SIM_CRASH_BEFORE)
        crash(w, caller);
    else if (caller->at == SIM_AT_SIGN)
        sign(w, caller, how);
    else if (how == SIM_BUSY)
        answer(w, caller, MEREAU_STORE_BUSY);
    else
        read_store(w, caller);
}

void sim_land(struct sim_world *w, int late) {
    struct sim_batch *batch = w->late[late];
    int32_t result;
    w->steps++;
    w->n_late--;
    memmove(&w->late[late], &w->late[late + 1],
            (size_t)(w->n_late - late) * sizeof w->late[0]);
    result = commit(w, batch);
    if (w->verbose)
        printf("  %3d  a late commit of caller %d (%s) %s\n", w->steps,
               w->insts[batch->inst].caller,
               sim_kind_name(w->insts[batch->inst].step.kind),
               result == MEREAU_STORE_OK ? "lands" : "comes too late");
    sim_batch_free(batch);
}

void sim_jump(struct sim_world *w) {
    w->steps++;
    w->now_at += w->the_case->jumps[w->next_jump++];
    if (w->now_at > w->farthest)
        w->farthest = w->now_at;
    if (w->verbose)
        printf("  %3d  the clock shows %lld\n", w->steps,
               (long long)(w->now_at - SIM_START));
}

void sim_do(struct sim_world *w, struct sim_step step) {
    struct sim_caller *caller = &w->callers[SIM_CALLERS - 1];
    w->preparing = 1;
    memset(caller, 0, sizeof *caller);
    caller->script[0] = step;
    caller->n = 1;
    caller->proc = SIM_PROCS - 1;
    while (caller->pos < caller->n && w->wrong[0] == '\0')
        sim_advance(w, SIM_CALLERS - 1, SIM_OK);
    memset(caller, 0, sizeof *caller);
    w->preparing = 0;
}

/* --- the start of every run --- */

static void start_callers(struct sim_world *w, const struct sim_case *one) {
    w->n_callers = 0;
    memset(w->callers, 0, sizeof w->callers);
    for (int i = 0; i < SIM_CALLERS; i++) {
        struct sim_caller *caller = &w->callers[i];
        memcpy(caller->script, one->scripts[i], sizeof caller->script);
        while (caller->n < SIM_SCRIPT && caller->script[caller->n].kind != 0)
            caller->n++;
        caller->proc = one->procs > 0 ? i % one->procs : i;
        if (caller->n > 0)
            w->n_callers = i + 1;
    }
}

static char *copy(const char *text) {
    return text == NULL ? NULL : strdup(text);
}

static void copy_families(struct sim_family *to,
                          const struct sim_family *from) {
    for (int f = 0; f < SIM_FAMILIES; f++) {
        to[f] = from[f];
        to[f].auth = copy(from[f].auth);
        to[f].access = copy(from[f].access);
        for (int g = 0; g < SIM_GENERATIONS; g++)
            to[f].refresh[g] = copy(from[f].refresh[g]);
    }
}

static void keep_ready(struct sim_world *w) {
    struct sim_ready *ready = &w->ready;
    forget_ready(ready);
    ready->base = w->base;
    ready->before = w->the_case->before;
    sim_store_copy(&ready->store, &w->store);
    copy_families(ready->families, w->families);
    ready->truth = w->truth;
    memcpy(ready->secrets, w->secrets, sizeof ready->secrets);
    ready->n_secrets = w->n_secrets;
    ready->steps = w->steps;
}

static void take_ready(struct sim_world *w) {
    const struct sim_ready *ready = &w->ready;
    sim_store_copy(&w->store, &ready->store);
    copy_families(w->families, ready->families);
    w->truth = ready->truth;
    memcpy(w->secrets, ready->secrets, sizeof w->secrets);
    w->n_secrets = ready->n_secrets;
    w->steps = ready->steps;
}

static void prepare(struct sim_world *w, const struct sim_case *one) {
    sim_store_copy(&w->store, &w->base->store);
    if ((one->before & SIM_BEFORE_REDEEM) != 0)
        sim_do(w, (struct sim_step){SIM_REDEEM, 1, 0, 0});
    if ((one->before & SIM_BEFORE_EXCHANGE) != 0)
        sim_do(w, (struct sim_step){SIM_EXCHANGE, 1, 0, 0});
    if ((one->before & SIM_BEFORE_REFRESH) != 0)
        sim_do(w, (struct sim_step){SIM_REFRESH, 1, 0, 0});
    w->n_insts = 0;
    keep_ready(w);
}

void sim_begin(struct sim_world *w, const struct sim_base *base,
               const struct sim_case *one) {
    sim_end(w);
    for (int i = 0; i < SIM_PROCS; i++)
        fresh(&w->procs[i]);
    w->base = base;
    w->the_case = one;
    w->now_at = w->farthest = SIM_START;
    w->signer_failed = 0;
    w->next_proc = w->next_jump = w->n_insts = w->n_secrets = w->steps = 0;
    w->wrong[0] = w->check[0] = '\0';
    memset(&w->truth, 0, sizeof w->truth);
    memset(w->made, 0, sizeof w->made);
    memcpy(w->tokens, base->tokens, sizeof w->tokens);
    memcpy(w->enrolment, base->enrolment, sizeof w->enrolment);
    if (w->ready.base == base && w->ready.before == one->before && !w->verbose)
        take_ready(w);
    else
        prepare(w, one);
    start_callers(w, one);
    w->budget = one->budget;
}

/* --- the base: a tenant, two apps, some registration tokens --- */

static void good(mereau_status status, const mereau_error *err) {
    if (status == MEREAU_OK)
        return;
    fprintf(stderr, "sim: %s: %s\n", mereau_status_name(status), err->text);
    abort();
}

static void make_app(struct sim_world *w, const char *id, int jwt) {
    mereau_error err = MEREAU_ERROR_INIT;
    mereau_op *op = mereau_app_create(sim_tenant(w, 0), id);
    mereau_op_set_text(op, MEREAU_CLIENT_ID, id);
    mereau_op_set_text(op, MEREAU_SCOPE, "read write");
    if (!jwt)
        mereau_op_set_text(op, MEREAU_TOKEN_FORMAT, "opaque");
    good(sim_run(w, op, &err), &err);
    mereau_op_free(op);
}

static void make_token(struct sim_base *base, struct sim_world *w, int place,
                       int app, int64_t count, const char *subject) {
    mereau_error err = MEREAU_ERROR_INIT;
    struct sim_token *token = &base->tokens[place];
    mereau_op *op = mereau_registration_token_mint(
        sim_tenant(w, 0), app == 0 ? "app-0" : "app-1", count, 7 * MRU_DAY_S);
    mereau_op_set_text(op, MEREAU_SUBJECT, subject);
    good(sim_run(w, op, &err), &err);
    snprintf(token->text, sizeof token->text, "%s",
             mereau_op_text(op, MEREAU_REGISTRATION_TOKEN));
    snprintf(token->id, sizeof token->id, "%s",
             mereau_op_text(op, MEREAU_REGISTRATION_TOKEN_ID));
    mereau_op_free(op);
    token->there = 1;
    token->app = app;
    token->subject = subject != NULL;
    token->limit = count;
    token->expires_at = w->now_at + 7 * MRU_DAY_S;
    if (mru_id_read(token->raw, token->id) != 0)
        abort();
    for (int d = 0; d < SIM_DEVICES; d++)
        if (mru_enrolment_id(base->enrolment[place * SIM_DEVICES + d],
                             SIM_TENANT, token->raw, sim_device(d)) != 0)
            abort();
}

static void set_count(struct sim_base *base, struct sim_world *w, int place,
                      int64_t count) {
    mereau_error err = MEREAU_ERROR_INIT;
    mereau_op *op = mereau_registration_token_update(sim_tenant(w, 0),
                                                     base->tokens[place].id);
    mereau_op_set_int(op, MEREAU_COUNT, count);
    good(sim_run(w, op, &err), &err);
    mereau_op_free(op);
    base->tokens[place].limit = count;
}

/* Leaves in the keyring only the signer's key, or none: opaque tokens need no
 * keys, and to read private ones in every new process would take nearly all of
 * the time. */
static void drop_keys(struct sim_world *w, int jwt) {
    struct mru_rkey key;
    struct mru_bag bag, kept = {0};
    struct mru_buf value = {0};
    struct sim_batch *batch;
    mereau_write write = {MEREAU_WRITE_PUT, 0, MEREAU_VERSION_ANY, {0}};
    mereau_need need = {0};
    mru_key_keyring(&key);
    if (!sim_bag(&w->store, &key, &bag))
        abort();
    mru_bag_copy_all(&kept, &bag);
    mru_bag_unset(&kept, MRU_F_KEYS);
    for (size_t i = 0; jwt && i < mru_bag_count(&bag, MRU_F_KEYS); i++) {
        struct mru_bag row = {0};
        if (mru_bag_row(&bag, MRU_F_KEYS, i, &row) != MEREAU_OK)
            abort();
        if (mru_bag_text(&row, MEREAU_KEY_LABEL) != NULL)
            mru_bag_add_row(&kept, MRU_F_KEYS, &row);
        mru_bag_free(&row);
    }
    if (mru_bag_encode(&value, &kept) != 0)
        abort();
    write.record.key = key.data;
    write.record.key_len = key.len;
    write.record.value = value.data;
    write.record.value_len = value.len;
    write.record.version = 12345;
    need.writes = &write;
    need.n_writes = 1;
    batch = sim_batch_new(&need, -1);
    if (batch == NULL || sim_batch_apply(&w->store, batch) != MEREAU_STORE_OK)
        abort();
    sim_batch_free(batch);
    mru_buf_free(&value);
    mru_bag_free(&kept);
    mru_bag_free(&bag);
}

/* A key that the tenant knows only by its label, and the signer has. */
static void import_key(struct sim_base *base, struct sim_world *w) {
    mereau_error err = MEREAU_ERROR_INIT;
    struct mru_buf jwk = {0};
    mereau_op *op;
    good(mru_key_from_pem(&base->key, (const uint8_t *)rsa_pkcs8,
                          strlen(rsa_pkcs8), MEREAU_ALG_RS256, MRU_KEY_PRIVATE,
                          &err),
         &err);
    if (mru_key_print_public(&jwk, base->key) != 0)
        abort();
    op = mereau_key_import(sim_tenant(w, 0), MEREAU_ALG_RS256);
    mereau_op_set_bytes(op, MEREAU_JWK, jwk.data, jwk.len);
    mereau_op_set_text(op, MEREAU_KEY_LABEL, "signer");
    mereau_op_set_int(op, MEREAU_SIGNS_AT, w->now_at + MRU_KEY_LEAD_S);
    good(sim_run(w, op, &err), &err);
    mereau_op_free(op);
    mru_buf_free(&jwk);
}

int sim_base_make(struct sim_base *base, struct sim_world *w, int jwt) {
    mereau_error err = MEREAU_ERROR_INIT;
    mereau_op *op;
    memset(base, 0, sizeof *base);
    base->jwt = jwt;
    w->base = base;
    w->now_at = SIM_START - (jwt ? 2 * MRU_KEY_LEAD_S : 0);
    sim_store_free(&w->store);
    for (int i = 0; i < SIM_PROCS; i++)
        fresh(&w->procs[i]);
    op = mereau_tenant_create(sim_tenant(w, 0), "https://id.example");
    good(sim_run(w, op, &err), &err);
    mereau_op_free(op);
    make_app(w, "app-0", jwt);
    make_app(w, "app-1", jwt);
    if (jwt)
        import_key(base, w);
    drop_keys(w, jwt);
    fresh(&w->procs[0]); /* the keys were taken out behind its back */
    w->now_at = SIM_START;
    make_token(base, w, 0, 0, 1, NULL);
    make_token(base, w, 1, 0, 2, NULL);
    make_token(base, w, 2, 0, 3, "sub");
    make_token(base, w, 3, 0, 128, NULL); /* two sub-counts: of 1 and of 1 */
    set_count(base, w, 3, 1);
    set_count(base, w, 3, 2);
    make_token(base, w, 4, 1, 2, NULL);
    make_token(base, w, 5, 0, 200, NULL); /* three sub-counts */
    set_count(base, w, 5, 2);
    set_count(base, w, 5, 4);
    sim_store_copy(&base->store, &w->store);
    return 0;
}

void sim_base_free(struct sim_base *base) {
    sim_store_free(&base->store);
    mru_key_free(base->key);
}
