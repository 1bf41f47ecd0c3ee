/* tests/faults/test_power_loss.c - a machine that loses power while clients redeem,
 * exchange, refresh and sign out on a SQLite store. What the process did to its
 * files is recorded once; from the recording come images of the disk as it may be
 * found, cut at random instants (disk.h); each is opened, and every answer that was
 * given before the cut must be in it, once.
 *
 * That the images are worth something is shown by the same recording with
 * synchronous=NORMAL, and on a disk that only says that it synced: those lose. */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <errno.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>
#include <sqlite3.h>

#include "../store/support.h"
#include "life.h"

enum { IMAGES_EACH = 300, THREADS = 3, FAULTS = 40 };

static const struct io_api *io;

static int images_wanted(void) {
    return getenv("MEREAU_SOAK") != NULL ? 10000 : 1200;
}

enum mode { FULL, KILLED, FAILED_SYNCS, NORMAL, LYING };

/* --- the recording --- */

struct client {
    struct host *host;
    int number;
    uint64_t random;
};

/* Devices of its own, in a random order. */
static void *client(void *arg) {
    struct client *c = arg;
    int left = 1;
    while (left) {
        int first = (int)(next_random(&c->random) % LIFE_DEVICES);
        left = 0;
        for (int i = 0; i < LIFE_DEVICES && !left; i++) {
            int device = (first + i) % LIFE_DEVICES;
            if (device % THREADS == c->number)
                left = life_live(c->host->life, c->host, device);
        }
    }
    return NULL;
}

/* A whole life, from before the file is there until after it is closed. */
static void record_life(struct life *life, uint64_t seed) {
    struct folder folder;
    struct host host;
    struct client clients[THREADS];
    pthread_t threads[THREADS];
    char path[128];
    assert_int_equal(folder_make(&folder), 0);
    folder_file(&folder, "store", path);
    io->watch(folder.path);
    io->record(1);
    assert_int_equal(host_open(&host, life, path), MEREAU_OK);
    assert_int_equal(life_begin(life, &host), MEREAU_OK);
    for (int i = 0; i < THREADS; i++) {
        struct client one = {&host, i, seed * 100 + (uint64_t)i};
        clients[i] = one;
        assert_int_equal(pthread_create(&threads[i], NULL, client, &clients[i]),
                         0);
    }
    for (int i = 0; i < THREADS; i++)
        pthread_join(threads[i], NULL);
    host_close(&host);
    io->record(0);
    io->watch(NULL);
    assert_int_equal(life->problems + life->refused, 0);
    folder_remove(&folder);
}

/* The process dies: from some call on nothing reaches the disk; what it did till
 * then is there for the next one, synced or not. */
static void die(uint64_t *random) {
    struct io_fault death = {IO_WRITE | IO_SYNC | IO_OPEN | IO_TRUNCATE |
                                 IO_UNLINK | IO_READ,
                             EIO, 1 + next_random(random) % 60, UINT64_MAX, 1};
    io->harm(&death);
}

/* A kernel that forgets what it failed to sync is not played: no later sync can
 * be believed then, and SQLite believes them. */
static void fail_syncs(uint64_t *random) {
    struct io_fault fault = {IO_SYNC, EIO, 1 + next_random(random) % 8,
                             1 + next_random(random) % 3, 0};
    io->harm(&fault);
}

static void record_life_with_faults(struct life *life, enum mode mode,
                                    uint64_t seed) {
    struct folder folder;
    struct host host;
    uint64_t random = seed;
    char path[128];
    assert_int_equal(folder_make(&folder), 0);
    folder_file(&folder, "store", path);
    io->watch(folder.path);
    io->record(1);
    life->impatient = 1;
    assert_int_equal(host_open(&host, life, path), MEREAU_OK);
    assert_int_equal(life_begin(life, &host), MEREAU_OK);
    for (int fault = 0; fault < FAULTS; fault++) {
        int device = (int)(next_random(&random) % LIFE_DEVICES);
        if (mode == KILLED)
            die(&random);
        else
            fail_syncs(&random);
        while (io->failed() == 0)
            (void)life_live(life, &host, device++ % LIFE_DEVICES);
        if (mode == KILLED || fault % 3 == 0)
            host_close(&host);
        io->harm(NULL);
        if (host.store == NULL)
            assert_int_equal(host_open(&host, life, path), MEREAU_OK);
        /* whoever got no answer asks again at once */
        (void)life_live(life, &host, (device - 1) % LIFE_DEVICES);
    }
    host_close(&host);
    io->record(0);
    io->watch(NULL);
    assert_int_equal(life->problems, 0);
    folder_remove(&folder);
}

/* --- images --- */

struct sum {
    unsigned images, bad_images, checkpoints;
    struct life_found found;
};

static int is_whole(const char *path) {
    sqlite3 *db = NULL;
    sqlite3_stmt *stmt = NULL;
    int whole = sqlite3_open(path, &db) == SQLITE_OK &&
                sqlite3_prepare_v2(db, "PRAGMA integrity_check", -1, &stmt,
                                   NULL) == SQLITE_OK &&
                sqlite3_step(stmt) == SQLITE_ROW &&
                strcmp((const char *)sqlite3_column_text(stmt, 0), "ok") == 0;
    sqlite3_finalize(stmt);
    sqlite3_close(db);
    return whole;
}

static void check_image(struct life *life, const struct life_view *view,
                        const struct disk *disk, uint64_t seed,
                        struct sum *sum) {
    struct folder folder;
    struct host host;
    struct life_found found = {.print = sum->found.print};
    char path[128];
    mereau_status status;
    assert_int_equal(folder_make(&folder), 0);
    folder_file(&folder, "store", path);
    assert_int_equal(disk_image(disk, seed, folder.path), 0);
    status = host_open(&host, life, path);
    if (status == MEREAU_OK) {
        life_check(life, &host, view, &found);
        host_close(&host);
        found.broken += !is_whole(path);
    } else {
        found.broken++;
    }
    folder_remove(&folder);
    sum->images++;
    sum->bad_images += found.lost + found.doubled + found.broken > 0;
    sum->found.lost += found.lost;
    sum->found.doubled += found.doubled;
    sum->found.broken += found.broken;
    sum->found.checked += found.checked;
}

/* Power is lost anywhere; ten times as often right after an answer. */
static unsigned weight(const struct io_event *event) {
    return event->what == IO_DID_MARK && event->offset % 2 != 0 ? 10 : 1;
}

static void check_images(struct life *life, int lies, unsigned wanted,
                         uint64_t seed, struct sum *sum) {
    struct life_view view;
    const struct io_event *event;
    uint64_t random = seed, total = 0;
    size_t n;
    const struct io_event *events = io->events(&n);
    struct disk *disk = disk_new(events, n, lies);
    assert_non_null(disk);
    memset(&view, 0, sizeof view);
    for (size_t i = 0; i < n; i++)
        total += weight(&events[i]);
    life->mark = NULL;
    while ((event = disk_step(disk)) != NULL) {
        uint64_t share = (uint64_t)wanted * weight(event);
        if (event->what == IO_DID_MARK)
            life_view_mark(&view, (uint32_t)event->offset);
        sum->checkpoints += event->what == IO_DID_SYNC && event->file == 0;
        for (; share > 0; share = share > total ? share - total : 0)
            if (share >= total || next_random(&random) % total < share)
                check_image(life, &view, disk, next_random(&random), sum);
    }
    disk_free(disk);
}

static void run(enum mode mode, int images, int print, struct sum *sum) {
    static const char *const names[] = {"synchronous=FULL", "clients killed",
                                        "syncs failing", "synchronous=NORMAL",
                                        "a disk that lies"};
    memset(sum, 0, sizeof *sum);
    sum->found.print = print;
    for (uint64_t seed = 1; (int)sum->images < images; seed++) {
        struct life *life = life_new(io->mark);
        assert_non_null(life);
        io->weaken(mode == NORMAL);
        if (mode == KILLED || mode == FAILED_SYNCS)
            record_life_with_faults(life, mode, seed);
        else
            record_life(life, seed);
        io->weaken(0);
        check_images(life, mode == LYING, IMAGES_EACH, seed, sum);
        life_free(life);
    }
    print_message("faults: power loss, %s: %u images, %u of them bad: of %u "
                  "answers %u lost, %u doubled, %u unreadable; %u syncs of the "
                  "file\n",
                  names[mode], sum->images, sum->bad_images, sum->found.checked,
                  sum->found.lost, sum->found.doubled, sum->found.broken,
                  sum->checkpoints);
}

/* --- tests --- */

static void nothing_answered_is_lost(void **state) {
    struct sum sum;
    (void)state;
    run(FULL, images_wanted(), 1, &sum);
    assert_int_equal(sum.bad_images, 0);
    assert_true(sum.images >= (unsigned)images_wanted());
    assert_true(sum.found.checked > 10 * sum.images);
}

/* What a killed process wrote and did not sync is seen by the next one, which may
 * answer from it: that must be safe first. */
static void nothing_answered_after_a_kill_is_lost(void **state) {
    struct sum sum;
    (void)state;
    run(KILLED, images_wanted() / 2, 1, &sum);
    assert_int_equal(sum.bad_images, 0);
    assert_true(sum.found.checked > 10 * sum.images);
}

static void nothing_answered_after_a_failed_sync_is_lost(void **state) {
    struct sum sum;
    (void)state;
    run(FAILED_SYNCS, images_wanted() / 2, 1, &sum);
    assert_int_equal(sum.bad_images, 0);
    assert_true(sum.found.checked > 10 * sum.images);
}

/* The same disk, and a setting that does not sync each commit. */
static void normal_would_lose_answers(void **state) {
    struct sum sum;
    (void)state;
    run(NORMAL, IMAGES_EACH, 0, &sum);
    assert_true(sum.bad_images > sum.images / 2);
    assert_true(sum.found.lost > sum.bad_images);
    assert_int_equal(sum.found.broken, 0); /* it is not damaged either */
}

static void a_disk_that_lies_would_lose_answers(void **state) {
    struct sum sum;
    (void)state;
    run(LYING, IMAGES_EACH, 0, &sum);
    assert_true(sum.bad_images > sum.images / 2);
}

int main(int argc, char **argv) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(nothing_answered_is_lost),
        cmocka_unit_test(nothing_answered_after_a_kill_is_lost),
        cmocka_unit_test(nothing_answered_after_a_failed_sync_is_lost),
        cmocka_unit_test(normal_would_lose_answers),
        cmocka_unit_test(a_disk_that_lies_would_lose_answers),
    };
    (void)argc;
    io = preload(argv);
    return cmocka_run_group_tests(tests, NULL, NULL);
}
