/* tests/store/race.c - see race.h. What each process was answered stands in memory
 * that they share, and so does the line from which they start: nobody begins a
 * round before all have ended the one before. */
#define _DEFAULT_SOURCE
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <stdatomic.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include <cmocka.h>

#include "race.h"

enum { PROCESSES = 4, ROUNDS = 100, COUNTS = 2, PATIENCE_S = 60 };

struct race {
    race_open *open;
    void *user;
    mereau_status (*run)(const mereau_tenant *tenant, const char *token,
                         int process);
    char ids[ROUNDS][32], tokens[ROUNDS][300];
    mereau_status answers[ROUNDS][PROCESSES];
    atomic_int arrived;
};

struct host {
    mereau_store *store;
    mereau_ctx *ctx;
    mereau_tenant *tenant;
};

static int32_t now(void *user, int64_t *now_at) {
    (void)user;
    *now_at = INT64_C(1800000000);
    return 0;
}

static int host_open(struct host *host, const struct race *race) {
    static const uint8_t root[32] = "tests/store: a root key of no us";
    mereau_clock clock = {(uint32_t)sizeof clock, 0, NULL, now};
    memset(host, 0, sizeof *host);
    host->store = race->open(race->user);
    host->ctx = mereau_ctx_new();
    mereau_ctx_set_store(host->ctx, host->store);
    mereau_ctx_set_clock(host->ctx, &clock);
    mereau_ctx_add_root_key(host->ctx, "test", root, sizeof root);
    if (mereau_ctx_ready(host->ctx, NULL) != MEREAU_OK)
        return -1;
    host->tenant = mereau_tenant_open(host->ctx, "race");
    return 0;
}

static void host_close(struct host *host) {
    mereau_tenant_free(host->tenant);
    mereau_ctx_free(host->ctx);
    mereau_store_close(host->store);
}

static mereau_op *run(mereau_op *op) {
    mereau_error err = MEREAU_ERROR_INIT;
    mereau_status status = mereau_op_run(op, &err);
    if (status != MEREAU_OK)
        print_error("%s\n", err.text);
    assert_int_equal(status, MEREAU_OK);
    return op;
}

/* --- what is raced for --- */

static mereau_op *redeem_of(const mereau_tenant *tenant, const char *token,
                            int device) {
    char id[32];
    uint8_t nonce[16];
    snprintf(id, sizeof id, "device-%d", device);
    memset(nonce, device + 1, sizeof nonce);
    return mereau_registration_token_redeem(tenant, token, id, nonce,
                                            sizeof nonce);
}

static mereau_status redeem(const mereau_tenant *tenant, const char *token,
                            int process) {
    mereau_op *op = redeem_of(tenant, token, process);
    mereau_status status = mereau_op_run(op, NULL);
    mereau_op_free(op);
    return status;
}

static mereau_status exchange(const mereau_tenant *tenant, const char *token,
                              int process) {
    mereau_op *op = mereau_auth_token_exchange(tenant, token);
    mereau_status status;
    uint8_t nonce[16];
    memset(nonce, process + 1, sizeof nonce);
    mereau_op_set_bytes(op, MEREAU_RETRY_NONCE, nonce, sizeof nonce);
    status = mereau_op_run(op, NULL);
    mereau_op_free(op);
    return status;
}

/* For each round a token of two counts, one of them used; its auth token, when
 * that is what they race for. */
static void prepare(struct race *race) {
    struct host host;
    mereau_op *op;
    assert_int_equal(host_open(&host, race), 0);
    op = mereau_tenant_create(host.tenant, "https://id.example");
    /* Else one more gets the same answer, as if the first had been lost. */
    mereau_op_set_int(op, MEREAU_GRACE_S, 0);
    mereau_op_free(run(op));
    op = mereau_app_create(host.tenant, "app");
    mereau_op_set_text(op, MEREAU_CLIENT_ID, "app");
    mereau_op_set_text(op, MEREAU_TOKEN_FORMAT, "opaque");
    mereau_op_free(run(op));
    for (int i = 0; i < ROUNDS; i++) {
        mereau_op *mint = run(
            mereau_registration_token_mint(host.tenant, "app", COUNTS, 86400));
        const char *token = mereau_op_text(mint, MEREAU_REGISTRATION_TOKEN);
        op = run(redeem_of(host.tenant, token, PROCESSES));
        snprintf(race->ids[i], sizeof race->ids[i], "%s",
                 mereau_op_text(mint, MEREAU_REGISTRATION_TOKEN_ID));
        snprintf(race->tokens[i], sizeof race->tokens[i], "%s",
                 race->run == redeem ? token
                                     : mereau_op_text(op, MEREAU_AUTH_TOKEN));
        mereau_op_free(mint);
        mereau_op_free(op);
    }
    host_close(&host);
}

/* --- the race --- */

/* Until all have come; -1: one of them never does. */
static int line_up(struct race *race, int round) {
    time_t began = time(NULL);
    atomic_fetch_add(&race->arrived, 1);
    while (atomic_load(&race->arrived) < PROCESSES * (round + 1)) {
        struct timespec moment = {0, 20000};
        if (time(NULL) - began > PATIENCE_S)
            return -1;
        nanosleep(&moment, NULL);
    }
    return 0;
}

static int child(struct race *race, int process) {
    struct host host;
    if (host_open(&host, race) != 0)
        return 2;
    for (int i = 0; i < ROUNDS; i++) {
        if (line_up(race, i) != 0)
            return 3;
        race->answers[i][process] =
            race->run(host.tenant, race->tokens[i], process);
    }
    host_close(&host);
    return 0;
}

static struct race *race_new(race_open *open, void *user) {
    struct race *race = mmap(NULL, sizeof *race, PROT_READ | PROT_WRITE,
                             MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    assert_true(race != MAP_FAILED);
    race->open = open;
    race->user = user;
    return race;
}

static void race_on(struct race *race) {
    pid_t pids[PROCESSES];
    prepare(race);
    for (int i = 0; i < PROCESSES; i++) {
        pids[i] = fork();
        if (pids[i] == 0)
            _exit(child(race, i));
        assert_true(pids[i] > 0);
    }
    for (int i = 0; i < PROCESSES; i++) {
        int status;
        assert_int_equal(waitpid(pids[i], &status, 0), pids[i]);
        assert_true(WIFEXITED(status));
        assert_int_equal(WEXITSTATUS(status), 0);
    }
}

/* How many processes were answered so in a round. */
static int answered(const struct race *race, int round, mereau_status status) {
    int n = 0;
    for (int i = 0; i < PROCESSES; i++)
        n += race->answers[round][i] == status;
    return n;
}

void race_for_the_last_count(race_open *open, void *user) {
    struct race *race = race_new(open, user);
    struct host host;
    race->run = redeem;
    race_on(race);
    assert_int_equal(host_open(&host, race), 0);
    for (int i = 0; i < ROUNDS; i++) {
        mereau_op *op =
            run(mereau_registration_token_get(host.tenant, race->ids[i]));
        assert_int_equal(answered(race, i, MEREAU_OK), 1);
        assert_int_equal(answered(race, i, MEREAU_E_USED_UP), PROCESSES - 1);
        assert_int_equal(mereau_op_int(op, MEREAU_USED_COUNT), COUNTS);
        assert_string_equal(mereau_op_text(op, MEREAU_STATE), "used_up");
        mereau_op_free(op);
        /* A device that lost has got nothing, and one that won keeps it. */
        for (int p = 0; p < PROCESSES; p++)
            assert_int_equal(redeem(host.tenant, race->tokens[i], p),
                             race->answers[i][p]);
    }
    host_close(&host);
    munmap(race, sizeof *race);
}

/* The second exchange ends the family, as a stolen token does; so whoever comes
 * after it finds it ended. */
void race_for_the_one_exchange(race_open *open, void *user) {
    struct race *race = race_new(open, user);
    race->run = exchange;
    race_on(race);
    for (int i = 0; i < ROUNDS; i++) {
        assert_int_equal(answered(race, i, MEREAU_OK), 1);
        assert_int_equal(answered(race, i, MEREAU_E_REUSED), 1);
        assert_int_equal(answered(race, i, MEREAU_E_REVOKED), PROCESSES - 2);
    }
    munmap(race, sizeof *race);
}
