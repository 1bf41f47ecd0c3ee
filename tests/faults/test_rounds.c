/* tests/faults/test_rounds.c - clients at work while something goes wrong, round
 * after round: they are killed, the disk is full or read-only, others hold the
 * file's lock, replies get lost, the clock is set. After each round everything that
 * was answered must be there, once. 10 rounds of each kind, 100 with MEREAU_SOAK. */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <errno.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include <cmocka.h>
#include <sqlite3.h>

#include "../store/support.h"
#include "life.h"
#include "small_disk.h"

enum { PROCESSES = 3, THREADS = 3 };

static const struct io_api *io;

struct rounds {
    const char *engine, *kind;
    mereau_store *memory; /* NULL: a SQLite file */
    struct life *life; /* goes on from round to round until it is over */
    struct folder folder;
    char path[128];
    uint64_t random;
    unsigned lives, harm, answered, refused, checked;
};

static unsigned rounds_wanted(void) {
    return getenv("MEREAU_SOAK") != NULL ? 100 : 10;
}

static unsigned draw(struct rounds *r, unsigned below) {
    return (unsigned)(next_random(&r->random) % below);
}

static void sleep_us(unsigned us) {
    struct timespec t = {us / 1000000, us % 1000000 * 1000L};
    nanosleep(&t, NULL);
}

static void open_host(struct rounds *r, struct host *host) {
    memset(host, 0, sizeof *host);
    assert_int_equal(r->memory != NULL ? host_open_on(host, r->life, r->memory)
                                       : host_open(host, r->life, r->path),
                     MEREAU_OK);
}

/* --- clients --- */

struct client {
    struct host *host;
    uint64_t random;
    int number, of; /* devices are shared out */
    int steps; /* to be tried */
};

static void *client(void *arg) {
    struct client *c = arg;
    for (int n = 0, idle = 0; n < c->steps && idle < 200; n++) {
        int device = (int)(next_random(&c->random) % LIFE_DEVICES);
        if (device % c->of == c->number &&
            life_live(c->host->life, c->host, device))
            idle = 0;
        else
            idle++;
    }
    return NULL;
}

struct crowd {
    struct client clients[THREADS];
    pthread_t ids[THREADS];
};

static void crowd_start(struct rounds *r, struct crowd *crowd,
                        struct host *host, int steps) {
    for (int i = 0; i < THREADS; i++) {
        struct client one = {host, next_random(&r->random), i, THREADS, steps};
        crowd->clients[i] = one;
        assert_int_equal(
            pthread_create(&crowd->ids[i], NULL, client, &crowd->clients[i]),
            0);
    }
}

static void crowd_wait(struct crowd *crowd) {
    for (int i = 0; i < THREADS; i++)
        pthread_join(crowd->ids[i], NULL);
}

static void work(struct rounds *r, struct host *host, int steps) {
    struct crowd crowd;
    crowd_start(r, &crowd, host, steps);
    crowd_wait(&crowd);
}

/* --- rounds --- */

static void life_ends(struct rounds *r) {
    if (r->life == NULL)
        return;
    r->answered += r->life->answered;
    r->refused += r->life->refused;
    life_free(r->life);
    r->life = NULL;
    mereau_store_close(r->memory);
    r->memory = NULL;
    io->watch(NULL);
    folder_remove(&r->folder);
}

static int in_memory(const struct rounds *r) {
    return strcmp(r->engine, "memory") == 0;
}

static void life_starts(struct rounds *r) {
    struct host host;
    r->lives++;
    r->life = life_new(NULL);
    assert_non_null(r->life);
    assert_int_equal(folder_make(&r->folder), 0);
    folder_file(&r->folder, "store", r->path);
    io->watch(r->folder.path);
    if (in_memory(r))
        assert_int_equal(mereau_memory_open(&r->memory, NULL), MEREAU_OK);
    open_host(r, &host);
    assert_int_equal(life_begin(r->life, &host), MEREAU_OK);
    host_close(&host);
}

static void check(struct rounds *r) {
    struct life_found found = {.print = 1};
    struct life_view view;
    struct host host;
    open_host(r, &host);
    life_view_now(&view, r->life);
    life_check(r->life, &host, &view, &found);
    host_close(&host);
    assert_int_equal(found.lost + found.doubled + found.broken, 0);
    assert_int_equal(r->life->problems, 0);
    r->checked += found.checked;
}

static void run_rounds(const char *engine, const char *kind, const char *harmed,
                       void (*round)(struct rounds *)) {
    struct rounds r = {.engine = engine, .kind = kind};
    unsigned n = 0, idle = 0;
    /* Only rounds in which something went wrong are counted. A life ends while
     * there is still enough to do for all. */
    while (n < rounds_wanted() && idle < rounds_wanted()) {
        unsigned harm = r.harm;
        if (r.life != NULL &&
            life_answers(r.life) > LIFE_DEVICES * LIFE_STEPS / 2)
            life_ends(&r);
        if (r.life == NULL)
            life_starts(&r);
        round(&r);
        check(&r);
        n += r.harm > harm;
        idle += r.harm == harm;
    }
    life_ends(&r);
    print_message("faults: %s, %s: %u rounds, %u %s; %u answers, %u refusals; "
                  "0 of %u lost, 0 doubled\n",
                  engine, kind, n, r.harm, harmed, r.answered, r.refused,
                  r.checked);
    assert_int_equal(n, rounds_wanted());
    assert_true(r.answered > n);
}

/* --- clients are killed --- */

static void child(struct rounds *r, int number) {
    struct host host;
    struct client c = {&host, next_random(&r->random) + (uint64_t)number,
                       number, PROCESSES, 1 << 30};
    open_host(r, &host);
    (void)client(&c);
    host_close(&host);
}

/* However fast the machine is; 2 s at most. */
static void wait_for_answers(struct life *life, unsigned wanted) {
    for (int i = 0; i < 20000 && life->answered < wanted; i++)
        sleep_us(100);
}

static void round_of_kills(struct rounds *r) {
    pid_t pids[PROCESSES];
    for (int i = 0; i < PROCESSES; i++) {
        pids[i] = fork();
        assert_true(pids[i] >= 0);
        if (pids[i] == 0) {
            child(r, i);
            _exit(0);
        }
    }
    (void)next_random(&r->random);
    for (int i = 0; i < PROCESSES; i++) {
        int status;
        wait_for_answers(r->life, r->life->answered + draw(r, 20));
        sleep_us(draw(r, 200));
        kill(pids[i], SIGKILL);
        assert_int_equal(waitpid(pids[i], &status, 0), pids[i]);
        r->harm += WIFSIGNALED(status) != 0;
    }
}

static void clients_of_sqlite_are_killed(void **state) {
    (void)state;
    run_rounds("SQLite", "clients killed", "kills", round_of_kills);
}

/* --- the disk is full, or read-only --- */

static void round_under(struct rounds *r, uint32_t calls, int error) {
    struct host host;
    struct io_fault fault = {calls, error, 1 + draw(r, 40), 1 + draw(r, 60),
                             (int)draw(r, 2)};
    int reopen = draw(r, 3) == 0;
    open_host(r, &host);
    r->life->impatient = 1;
    io->harm(&fault);
    if (reopen) { /* while it is so */
        host_close(&host);
        if (host_open(&host, r->life, r->path) != MEREAU_OK)
            fault.nth = 0;
    }
    if (fault.nth != 0)
        work(r, &host, 100);
    io->harm(NULL);
    r->harm += (unsigned)io->failed();
    if (fault.nth == 0)
        open_host(r, &host);
    work(r, &host, 60);
    host_close(&host);
}

static void round_of_full_disk(struct rounds *r) {
    round_under(r, IO_WRITE, ENOSPC);
}

static void round_of_read_only(struct rounds *r) {
    round_under(r, IO_WRITE | IO_OPEN_TO_WRITE | IO_TRUNCATE | IO_UNLINK,
                EROFS);
}

static void round_of_failing_disk(struct rounds *r) {
    round_under(
        r, IO_WRITE | IO_SYNC | IO_OPEN | IO_TRUNCATE | IO_UNLINK | IO_READ,
        EIO);
}

static void the_disk_of_sqlite_is_full(void **state) {
    (void)state;
    run_rounds("SQLite", "disk full", "calls", round_of_full_disk);
}

static void the_disk_of_sqlite_is_read_only(void **state) {
    (void)state;
    run_rounds("SQLite", "file system read-only", "calls", round_of_read_only);
}

static void the_disk_of_sqlite_fails(void **state) {
    (void)state;
    run_rounds("SQLite", "disk failing", "calls", round_of_failing_disk);
}

/* --- a file system that is really full --- */

static void round_of_small_disk(struct rounds *r) {
    struct host host;
    char filler[128];
    folder_file(&r->folder, "filler", filler);
    open_host(r, &host);
    r->life->impatient = 1;
    small_disk_fill(filler, draw(r, 60) * 4096);
    r->harm++;
    work(r, &host, 120);
    assert_int_equal(unlink(filler), 0);
    work(r, &host, 60);
    host_close(&host);
}

static void a_small_disk_is_full(void **state) {
    struct small_disk disk;
    (void)state;
    if (small_disk_mount(&disk, 8) != 0) {
        print_message("not tried: this user may not mount\n");
        skip();
    }
    run_rounds("SQLite", "disk full (tmpfs)", "times", round_of_small_disk);
    small_disk_unmount(&disk);
}

/* --- others hold the lock --- */

static void hold_lock(const char *path, unsigned us) {
    sqlite3 *db = NULL;
    if (sqlite3_open(path, &db) == SQLITE_OK &&
        sqlite3_busy_timeout(db, 1000) == SQLITE_OK &&
        sqlite3_exec(db, "BEGIN IMMEDIATE", NULL, NULL, NULL) == SQLITE_OK) {
        sleep_us(us);
        sqlite3_exec(db, "ROLLBACK", NULL, NULL, NULL);
    }
    sqlite3_close(db);
}

/* One in ten times for longer than the store waits. */
static void round_of_locks(struct rounds *r) {
    unsigned us = draw(r, 10) == 0 ? 2500000 : 1000 + draw(r, 40000);
    struct host host;
    int status;
    pid_t pid = fork();
    assert_true(pid >= 0);
    if (pid == 0) {
        for (int i = 0; i < 3; i++)
            hold_lock(r->path, i == 0 ? us : us % 40000);
        _exit(0);
    }
    open_host(r, &host);
    work(r, &host, 150);
    assert_int_equal(waitpid(pid, &status, 0), pid);
    assert_true(WIFEXITED(status) && WEXITSTATUS(status) == 0);
    r->harm += 3;
    host_close(&host);
}

static void the_file_of_sqlite_is_locked(void **state) {
    (void)state;
    run_rounds("SQLite", "file locked", "locks", round_of_locks);
}

/* --- replies get lost --- */

struct bad_line {
    mereau_store front, *real;
    pthread_mutex_t lock;
    uint64_t random;
    unsigned lost;
};

static unsigned luck(struct bad_line *line) {
    unsigned n;
    pthread_mutex_lock(&line->lock);
    n = (unsigned)(next_random(&line->random) % 100);
    line->lost += n < 20;
    pthread_mutex_unlock(&line->lock);
    return n;
}

static int32_t bad_get(void *user, const mereau_need *need, mereau_emit emit,
                       void *arg) {
    struct bad_line *line = user;
    if (luck(line) < 10)
        return MEREAU_STORE_BUSY;
    return line->real->get(line->real->user, need, emit, arg);
}

static int32_t bad_commit(void *user, const mereau_need *need, size_t *failed) {
    struct bad_line *line = user;
    unsigned n = luck(line);
    int32_t result;
    if (n < 5)
        return n % 2 ? MEREAU_STORE_BUSY : MEREAU_STORE_CONFLICT;
    if (n < 12)
        return MEREAU_STORE_UNKNOWN;
    result = line->real->commit(line->real->user, need, failed);
    return n < 20 ? MEREAU_STORE_UNKNOWN : result;
}

static int32_t bad_scan(void *user, const mereau_need *need, mereau_emit emit,
                        void *arg) {
    struct bad_line *line = user;
    return line->real->scan(line->real->user, need, emit, arg);
}

static void round_of_lost_replies(struct rounds *r) {
    struct bad_line line = {.random = next_random(&r->random)};
    struct host direct, host = {0};
    open_host(r, &direct);
    line.real = r->memory != NULL ? r->memory : direct.store;
    pthread_mutex_init(&line.lock, NULL);
    line.front = *line.real;
    line.front.user = &line;
    line.front.get = bad_get;
    line.front.commit = bad_commit;
    line.front.scan = bad_scan;
    r->life->impatient = 1;
    assert_int_equal(host_open_on(&host, r->life, &line.front), MEREAU_OK);
    work(r, &host, 120);
    host_close(&host);
    host_close(&direct);
    r->harm += line.lost;
    pthread_mutex_destroy(&line.lock);
}

static void replies_get_lost(void **state) {
    (void)state;
    run_rounds("memory", "replies lost, or busy", "calls",
               round_of_lost_replies);
    run_rounds("SQLite", "replies lost, or busy", "calls",
               round_of_lost_replies);
}

/* --- the clock is set --- */

static void round_of_clocks(struct rounds *r) {
    struct host host;
    struct crowd crowd;
    int64_t latest = r->life->now_at;
    open_host(r, &host);
    crowd_start(r, &crowd, &host, 150);
    for (int i = 0; i < 10; i++) {
        int64_t now_at = r->life->now_at + (int64_t)draw(r, 7200) - 3600;
        if (now_at < r->life->first)
            now_at = r->life->first;
        if (now_at > latest)
            latest = now_at;
        r->life->now_at = now_at;
        r->harm++;
        sleep_us(draw(r, 3000));
    }
    crowd_wait(&crowd);
    host_close(&host);
    r->life->now_at = latest; /* it is right again */
}

static void the_clock_is_set(void **state) {
    (void)state;
    run_rounds("memory", "clock set back and forward", "times",
               round_of_clocks);
    run_rounds("SQLite", "clock set back and forward", "times",
               round_of_clocks);
}

int main(int argc, char **argv) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(clients_of_sqlite_are_killed),
        cmocka_unit_test(the_disk_of_sqlite_is_full),
        cmocka_unit_test(a_small_disk_is_full),
        cmocka_unit_test(the_disk_of_sqlite_is_read_only),
        cmocka_unit_test(the_disk_of_sqlite_fails),
        cmocka_unit_test(the_file_of_sqlite_is_locked),
        cmocka_unit_test(replies_get_lost),
        cmocka_unit_test(the_clock_is_set),
    };
    (void)argc;
    io = preload(argv);
    return cmocka_run_group_tests(tests, NULL, NULL);
}
