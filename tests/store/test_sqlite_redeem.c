/* tests/store/test_sqlite_redeem.c - one registration token of 100 counts, 64
 * threads and 8 processes on one SQLite file, some of them killed again and again
 * while they are at it, and every answer asked for twice: exactly 100 devices are
 * enrolled, none twice, and nobody gets two answers. */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>

#include <cmocka.h>

#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include <mereau/mereau.h>
#include <mereau/sqlite.h>

#include "support.h"

#define COUNTS 100
#define DEVICES 160 /* more than there are counts */
#define PROCESSES 8
#define THREADS 64 /* in the first of them, which lives; in each other */
#define FEWER_THREADS 8
#define DEADLINE_S 50

static const uint8_t root[32] = "tests/store: a root key of no us";

static int32_t now(void *user, int64_t *now_at) {
    (void)user;
    *now_at = INT64_C(1800000000);
    return 0;
}

struct host {
    mereau_store *store;
    mereau_ctx *ctx;
    mereau_tenant *tenant;
};

static int host_open(struct host *host, const char *path) {
    mereau_clock clock = {(uint32_t)sizeof clock, 0, NULL, now};
    if (mereau_sqlite_open(&host->store, path, NULL) != MEREAU_OK)
        return -1;
    host->ctx = mereau_ctx_new();
    mereau_ctx_set_store(host->ctx, host->store);
    mereau_ctx_set_clock(host->ctx, &clock);
    mereau_ctx_add_root_key(host->ctx, "test", root, sizeof root);
    if (mereau_ctx_ready(host->ctx, NULL) != MEREAU_OK)
        return -1;
    host->tenant = mereau_tenant_open(host->ctx, "test");
    return 0;
}

static void host_close(struct host *host) {
    mereau_tenant_free(host->tenant);
    mereau_ctx_free(host->ctx);
    mereau_store_close(host->store);
}

static int run(mereau_op *op) {
    mereau_error err = MEREAU_ERROR_INIT;
    mereau_status status = mereau_op_run(op, &err);
    if (status != MEREAU_OK)
        print_error("%s\n", err.text);
    return status == MEREAU_OK ? 0 : -1;
}

/* --- the work of one thread --- */

struct worker {
    const struct host *host;
    const char *token;
    unsigned seed;
    int failed;
    int fd;
};

struct line {
    char text[512];
};

/* One device tries until it has an answer for good. The same nonce each time: it
 * is the same device, whichever process asks for it. */
static mereau_status try_one(const struct worker *w, int device, char *auth,
                             size_t cap) {
    char id[32];
    uint8_t nonce[16];
    mereau_status status;
    mereau_op *op;
    snprintf(id, sizeof id, "device-%d", device);
    memset(nonce, device + 1, sizeof nonce);
    op = mereau_registration_token_redeem(w->host->tenant, w->token, id, nonce,
                                          sizeof nonce);
    status = mereau_op_run(op, NULL);
    if (status == MEREAU_OK)
        snprintf(auth, cap, "%s", mereau_op_text(op, MEREAU_AUTH_TOKEN));
    mereau_op_free(op);
    return status;
}

static void *work(void *arg) {
    struct worker *w = arg;
    int start = (int)(w->seed % DEVICES);
    for (int i = 0; i < DEVICES; i++) {
        int device = (start + i * 7) % DEVICES; /* 7 and 160 share no factor */
        struct line line;
        char auth[400] = "";
        mereau_status status = try_one(w, device, auth, sizeof auth);
        for (int again = 0; again < 20 && mereau_status_can_retry(status);
             again++)
            status = try_one(w, device, auth, sizeof auth);
        if (status != MEREAU_OK && status != MEREAU_E_USED_UP) {
            print_error("device %d: %s\n", device, mereau_status_name(status));
            w->failed = 1;
        }
        if (status != MEREAU_OK)
            continue;
        memset(&line, 0, sizeof line);
        snprintf(line.text, sizeof line.text, "%d %s\n", device, auth);
        /* one write of less than PIPE_BUF is not mixed with others */
        if (write(w->fd, line.text, strlen(line.text)) < 0)
            w->failed = 1;
    }
    return NULL;
}

/* Opens after the fork, as sqlite.h wants it. */
static int child(const char *path, const char *token, unsigned seed, int fd) {
    struct host host;
    struct worker workers[THREADS];
    pthread_t threads[THREADS];
    int failed = 0, n = seed == 0 ? THREADS : FEWER_THREADS;
    if (host_open(&host, path) != 0)
        return 2;
    for (int i = 0; i < n; i++) {
        struct worker one = {&host, token, seed * 31 + (unsigned)i * 17, 0, fd};
        workers[i] = one;
        if (pthread_create(&threads[i], NULL, work, &workers[i]) != 0)
            return 3;
    }
    for (int i = 0; i < n; i++) {
        pthread_join(threads[i], NULL);
        failed |= workers[i].failed;
    }
    host_close(&host);
    return failed;
}

/* --- what came of it --- */

/* One answer per device, whoever asked, however often. */
static int check_answers(FILE *answers) {
    static char seen[DEVICES][400];
    char line[512], auth[400];
    int device, n = 0;
    memset(seen, 0, sizeof seen);
    while (fgets(line, sizeof line, answers) != NULL) {
        if (sscanf(line, "%d %399s", &device, auth) != 2 || device < 0 ||
            device >= DEVICES)
            continue; /* cut by a kill */
        if (strchr(line, '\n') == NULL)
            continue;
        if (seen[device][0] == '\0') {
            n++;
            strcpy(seen[device], auth);
        }
        assert_string_equal(seen[device], auth);
    }
    return n;
}

static void check_ledger(struct host *host, const char *id) {
    static char seen[DEVICES];
    int n = 0, device;
    mereau_op *op = mereau_registration_token_get(host->tenant, id);
    assert_int_equal(run(op), 0);
    assert_int_equal(mereau_op_int(op, MEREAU_USED_COUNT), COUNTS);
    assert_string_equal(mereau_op_text(op, MEREAU_STATE), "used_up");
    mereau_op_free(op);
    op = mereau_auth_token_list(host->tenant);
    mereau_op_set_text(op, MEREAU_REGISTRATION_TOKEN_ID, id);
    mereau_op_set_int(op, MEREAU_PAGE_SIZE, 1000);
    assert_int_equal(run(op), 0);
    while (mereau_op_next_row(op)) {
        const char *text = mereau_op_text(op, MEREAU_DEVICE_ID);
        assert_int_equal(sscanf(text, "device-%d", &device), 1);
        assert_int_equal(seen[device], 0); /* none twice */
        seen[device] = 1;
        n++;
    }
    mereau_op_free(op);
    assert_int_equal(n, COUNTS);
}

static void set_up(const char *path, char token[300], char id[32]) {
    struct host host;
    mereau_op *op;
    assert_int_equal(host_open(&host, path), 0);
    op = mereau_tenant_create(host.tenant, "https://id.example");
    assert_int_equal(run(op), 0);
    mereau_op_free(op);
    op = mereau_app_create(host.tenant, "app");
    mereau_op_set_text(op, MEREAU_CLIENT_ID, "app");
    assert_int_equal(run(op), 0);
    mereau_op_free(op);
    op = mereau_registration_token_mint(host.tenant, "app", COUNTS, 86400);
    assert_int_equal(run(op), 0);
    snprintf(token, 300, "%s", mereau_op_text(op, MEREAU_REGISTRATION_TOKEN));
    snprintf(id, 32, "%s", mereau_op_text(op, MEREAU_REGISTRATION_TOKEN_ID));
    mereau_op_free(op);
    host_close(&host);
}

static pid_t start(const char *path, const char *token, unsigned seed, int fd) {
    pid_t pid = fork();
    if (pid == 0)
        _exit(child(path, token, seed, fd));
    assert_true(pid > 0);
    return pid;
}

static void pause_ms(long ms) {
    struct timespec t = {ms / 1000, ms % 1000 * 1000000};
    nanosleep(&t, NULL);
}

/* Kills one that is at work and puts another in its place, kills times. */
static int kill_and_replace(pid_t *pids, int kills, const char *path,
                            const char *token, int fd) {
    int killed = 0;
    for (int i = 0; i < kills; i++) {
        int which = 1 + i % (PROCESSES - 1), status;
        pause_ms(2 + i * 5 % 23);
        if (waitpid(pids[which], &status, WNOHANG) == pids[which]) {
            assert_true(WIFEXITED(status) && WEXITSTATUS(status) == 0);
        } else {
            kill(pids[which], SIGKILL);
            waitpid(pids[which], &status, 0);
            killed += WIFSIGNALED(status) != 0;
        }
        pids[which] = start(path, token, 1000u + (unsigned)i, fd);
    }
    return killed;
}

static void a_hundred_counts_enrol_a_hundred_devices(void **state) {
    struct folder folder;
    char path[128], token[300], id[32];
    pid_t pids[PROCESSES];
    FILE *answers = tmpfile();
    struct host host;
    time_t began = time(NULL);
    (void)state;
    assert_non_null(answers);
    assert_int_equal(folder_make(&folder), 0);
    folder_file(&folder, "store.db", path);
    set_up(path, token, id);
    for (int i = 0; i < PROCESSES; i++)
        pids[i] = start(path, token, (unsigned)i, fileno(answers));
    assert_true(kill_and_replace(pids, 24, path, token, fileno(answers)) > 3);
    for (int i = 0; i < PROCESSES; i++) {
        int status;
        assert_int_equal(waitpid(pids[i], &status, 0), pids[i]);
        assert_true(WIFEXITED(status));
        assert_int_equal(WEXITSTATUS(status), 0);
    }
    rewind(answers);
    assert_int_equal(check_answers(answers), COUNTS);
    fclose(answers);
    assert_int_equal(host_open(&host, path), 0);
    check_ledger(&host, id);
    host_close(&host);
    folder_remove(&folder);
    if (getenv("MEREAU_SLOW") == NULL)
        assert_true(time(NULL) - began < DEADLINE_S);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_hundred_counts_enrol_a_hundred_devices),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
