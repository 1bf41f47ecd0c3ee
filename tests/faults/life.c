/* tests/faults/life.c - see life.h. */
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <time.h>

#include <mereau/sqlite.h>

#include "life.h"

#ifndef MAP_ANONYMOUS
#define MAP_ANONYMOUS 0x20 /* not in POSIX of 2008 */
#endif

static const uint8_t root[32] = "tests/faults: a root key of none";

struct life *life_new(void (*mark)(uint32_t what)) {
    struct life *life = mmap(NULL, sizeof *life, PROT_READ | PROT_WRITE,
                             MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    if (life == MAP_FAILED)
        return NULL;
    memset(life, 0, sizeof *life);
    life->first = (int64_t)time(NULL);
    life->now_at = life->first;
    life->mark = mark;
    life->steps = LIFE_STEPS;
    return life;
}

void life_free(struct life *life) {
    if (life != NULL)
        (void)munmap(life, sizeof *life);
}

static int32_t now(void *user, int64_t *now_at) {
    *now_at = ((struct life *)user)->now_at;
    return 0;
}

static int32_t wait_nothing(void *user, uint32_t wait_ms) {
    (void)user;
    (void)wait_ms;
    return 0;
}

mereau_status host_open_on(struct host *host, struct life *life,
                           const mereau_store *store) {
    mereau_clock clock = {(uint32_t)sizeof clock, 0, life, now};
    mereau_waiter waiter = {(uint32_t)sizeof waiter, 0, NULL, wait_nothing};
    mereau_status status;
    host->life = life;
    host->ctx = mereau_ctx_new();
    mereau_ctx_set_store(host->ctx, store);
    mereau_ctx_set_clock(host->ctx, &clock);
    if (life->impatient)
        mereau_ctx_set_waiter(host->ctx, &waiter);
    mereau_ctx_add_root_key(host->ctx, "test", root, sizeof root);
    status = mereau_ctx_ready(host->ctx, NULL);
    host->tenant = mereau_tenant_open(host->ctx, "test");
    if (status != MEREAU_OK)
        host_close(host);
    return status;
}

mereau_status host_open(struct host *host, struct life *life,
                        const char *path) {
    mereau_status status;
    memset(host, 0, sizeof *host);
    status = mereau_sqlite_open(&host->store, path, NULL);
    return status == MEREAU_OK ? host_open_on(host, life, host->store) : status;
}

void host_close(struct host *host) {
    mereau_tenant_free(host->tenant);
    mereau_ctx_free(host->ctx);
    mereau_store_close(host->store);
    memset(host, 0, sizeof *host);
}

static mereau_status run(mereau_op *op) {
    mereau_status status = mereau_op_run(op, NULL);
    mereau_op_free(op);
    return status;
}

mereau_status life_begin(struct life *life, struct host *host) {
    mereau_op *op;
    mereau_status status =
        run(mereau_tenant_create(host->tenant, "https://id.example"));
    if (status != MEREAU_OK && status != MEREAU_E_EXISTS)
        return status;
    op = mereau_app_create(host->tenant, "app");
    mereau_op_set_text(op, MEREAU_CLIENT_ID, "app");
    mereau_op_set_text(op, MEREAU_TOKEN_FORMAT, "opaque");
    status = run(op);
    if (status != MEREAU_OK && status != MEREAU_E_EXISTS)
        return status;
    op = mereau_registration_token_mint(host->tenant, "app", LIFE_COUNTS,
                                        30 * 86400);
    status = mereau_op_run(op, NULL);
    if (status == MEREAU_OK) {
        snprintf(life->token, sizeof life->token, "%s",
                 mereau_op_text(op, MEREAU_REGISTRATION_TOKEN));
        snprintf(life->token_id, sizeof life->token_id, "%s",
                 mereau_op_text(op, MEREAU_REGISTRATION_TOKEN_ID));
        life->ready = 1;
        if (life->mark != NULL)
            life->mark(LIFE_READY);
    }
    mereau_op_free(op);
    return status;
}

/* --- one step --- */

static int signs_out(const struct life *life, int device, int step) {
    return step == life->steps - 1 && device % 4 == 3;
}

static mereau_op *step_op(struct life *life, struct host *host, int device,
                          int step) {
    char id[32];
    uint8_t nonce[16];
    mereau_op *op;
    memset(nonce, step + 1, sizeof nonce);
    nonce[0] = (uint8_t)device;
    snprintf(id, sizeof id, "device-%d", device);
    if (step == 0)
        return mereau_registration_token_redeem(host->tenant, life->token, id,
                                                nonce, sizeof nonce);
    if (signs_out(life, device, step))
        return mereau_token_revoke(host->tenant,
                                   life->acts[device][step - 1].answer);
    op = step == 1 ? mereau_auth_token_exchange(host->tenant,
                                                life->acts[device][0].answer)
                   : mereau_token_refresh(host->tenant,
                                          life->acts[device][step - 1].answer);
    mereau_op_set_bytes(op, MEREAU_RETRY_NONCE, nonce, sizeof nonce);
    return op;
}

/* Takes the answer that the next step needs. */
static mereau_status ask(struct life *life, struct host *host, int device,
                         int step, char answer[200]) {
    mereau_op *op = step_op(life, host, device, step);
    mereau_status status = mereau_op_run(op, NULL);
    *answer = 0;
    if (status == MEREAU_OK && !signs_out(life, device, step))
        snprintf(answer, 200, "%s",
                 mereau_op_text(op, step == 0 ? MEREAU_AUTH_TOKEN
                                              : MEREAU_REFRESH_TOKEN));
    mereau_op_free(op);
    return status;
}

static void tell(struct life *life, int device, int step, int done) {
    if (life->mark != NULL)
        life->mark((uint32_t)((device * LIFE_STEPS + step) * 2 + done));
}

mereau_status life_step(struct life *life, struct host *host, int device,
                        int *over) {
    struct life_act *act;
    mereau_status status;
    char answer[200];
    int step = 0;
    while (step < life->steps && life->acts[device][step].done)
        step++;
    *over = step == life->steps;
    if (*over)
        return MEREAU_OK;
    act = &life->acts[device][step];
    act->begun = 1;
    tell(life, device, step, 0);
    status = ask(life, host, device, step, answer);
    if (status == MEREAU_OK) {
        memcpy(act->answer, answer, sizeof answer);
        act->done = 1;
        tell(life, device, step, 1);
    }
    return status;
}

int life_live(struct life *life, struct host *host, int device) {
    int over;
    mereau_status status = life_step(life, host, device, &over);
    if (over)
        return 0;
    if (status == MEREAU_OK) {
        life->answered++;
    } else if (mereau_status_can_retry(status)) {
        life->refused++;
    } else {
        life->problems++;
        fprintf(stderr, "device %d: %s\n", device, mereau_status_name(status));
    }
    return 1;
}

unsigned life_answers(const struct life *life) {
    unsigned n = 0;
    for (int d = 0; d < LIFE_DEVICES; d++)
        for (int s = 0; s < life->steps; s++)
            n += life->acts[d][s].done != 0;
    return n;
}

/* --- views --- */

void life_view_mark(struct life_view *view, uint32_t what) {
    uint32_t step = what / 2 % LIFE_STEPS, device = what / 2 / LIFE_STEPS;
    if (what == LIFE_READY)
        view->ready = 1;
    else if (what % 2 == 0)
        view->begun[device][step] = 1;
    else
        view->done[device][step] = 1;
}

void life_view_now(struct life_view *view, const struct life *life) {
    memset(view, 0, sizeof *view);
    view->ready = life->ready;
    for (int d = 0; d < LIFE_DEVICES; d++)
        for (int s = 0; s < life->steps; s++) {
            view->begun[d][s] = life->acts[d][s].begun != 0;
            view->done[d][s] = life->acts[d][s].done != 0;
        }
}

/* --- afterwards --- */

#define FOUND(found, what, ...)                                                \
    do {                                                                       \
        (found)->what++;                                                       \
        if ((found)->print) {                                                  \
            fprintf(stderr, #what ": " __VA_ARGS__);                           \
            fputc('\n', stderr);                                               \
        }                                                                      \
    } while (0)

/* The token counts as many as are enrolled: who was answered is among them, who
 * never asked is not, nobody is twice. */
static void check_ledger(struct life *life, struct host *host,
                         const struct life_view *view,
                         struct life_found *found) {
    int listed[LIFE_DEVICES] = {0}, device, n = 0;
    int64_t used = MEREAU_UNSET;
    mereau_op *op = mereau_registration_token_get(host->tenant, life->token_id);
    mereau_status status = mereau_op_run(op, NULL);
    if (status == MEREAU_OK)
        used = mereau_op_int(op, MEREAU_USED_COUNT);
    mereau_op_free(op);
    if (status != MEREAU_OK) {
        FOUND(found, lost, "the registration token: %s",
              mereau_status_name(status));
        return;
    }
    op = mereau_auth_token_list(host->tenant);
    mereau_op_set_text(op, MEREAU_REGISTRATION_TOKEN_ID, life->token_id);
    mereau_op_set_int(op, MEREAU_PAGE_SIZE, 1000);
    status = mereau_op_run(op, NULL);
    while (status == MEREAU_OK && mereau_op_next_row(op)) {
        const char *id = mereau_op_text(op, MEREAU_DEVICE_ID);
        n++;
        if (sscanf(id, "device-%d", &device) == 1 && device >= 0 &&
            device < LIFE_DEVICES)
            listed[device]++;
        else
            FOUND(found, broken, "a device %s", id);
    }
    mereau_op_free(op);
    if (status != MEREAU_OK)
        FOUND(found, broken, "the list: %s", mereau_status_name(status));
    if (used != n)
        FOUND(found, doubled, "%d counts for %d devices", (int)used, n);
    for (device = 0; device < LIFE_DEVICES; device++) {
        if (view->done[device][0] && listed[device] == 0)
            FOUND(found, lost, "device %d is not listed", device);
        if (listed[device] > 1 || (listed[device] && !view->begun[device][0]))
            FOUND(found, doubled, "device %d is listed %d times", device,
                  listed[device]);
    }
}

/* A device that signed out is out; asking again says so or does nothing. */
static void check_signed_out(struct life *life, struct host *host, int device,
                             int step, struct life_found *found) {
    mereau_status status = run(mereau_token_refresh(
        host->tenant, life->acts[device][step - 1].answer));
    if (status != MEREAU_E_REVOKED && status != MEREAU_E_REUSED)
        FOUND(found, lost, "device %d had signed out: %s", device,
              mereau_status_name(status));
}

/* The last step of a device: if it was answered, the same question has the same
 * answer; if it was only begun, there is one answer to it. */
static void check_device(struct life *life, struct host *host,
                         const struct life_view *view, int device,
                         struct life_found *found) {
    mereau_status status;
    char answer[200];
    int step = life->steps - 1;
    while (step >= 0 && !view->begun[device][step])
        step--;
    if (step < 0)
        return;
    found->checked++;
    if (signs_out(life, device, step) && view->done[device][step]) {
        check_signed_out(life, host, device, step, found);
        return;
    }
    status = ask(life, host, device, step, answer);
    if (status != MEREAU_OK)
        FOUND(found, lost, "step %d of device %d, %s: %s", step, device,
              view->done[device][step] ? "answered" : "begun",
              mereau_status_name(status));
    else if (view->done[device][step] &&
             strcmp(answer, life->acts[device][step].answer) != 0)
        FOUND(found, doubled, "step %d of device %d has two answers", step,
              device);
}

void life_check(struct life *life, struct host *host,
                const struct life_view *view, struct life_found *found) {
    if (!view->ready)
        return;
    check_ledger(life, host, view, found);
    for (int device = 0; device < LIFE_DEVICES; device++)
        check_device(life, host, view, device, found);
}
