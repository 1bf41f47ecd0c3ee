/* tests/faults/test_failing_io.c - SQLite's n-th write, sync, open, truncation,
 * unlink or read fails, for every n: once, or from then on until the disk is well
 * again. First what the store answers (is it true, also after a crash right then),
 * then what clients are told, and that in the end nothing is lost or doubled. */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include <mereau/sqlite.h>

#include "../store/support.h"
#include "life.h"

#define FOR_GOOD UINT64_MAX

static const struct io_api *io;

struct kind {
    const char *name;
    uint32_t calls;
    int error, torn;
    uint32_t answers; /* that the store may give, as bits 1 << MEREAU_STORE_* */
};

#define CAN(result) (1u << MEREAU_STORE_##result)

/* OK: the call was not needed for the answer (a checkpoint, say). */
static const struct kind kinds[] = {
    {"write, EIO", IO_WRITE, EIO, 0,
     CAN(OK) | CAN(UNKNOWN) | CAN(IO) | CAN(BUSY)},
    {"write in part, EIO", IO_WRITE, EIO, 1,
     CAN(OK) | CAN(UNKNOWN) | CAN(IO) | CAN(BUSY)},
    {"write, ENOSPC", IO_WRITE, ENOSPC, 0,
     CAN(OK) | CAN(LIMIT) | CAN(IO) | CAN(BUSY)},
    {"write in part, ENOSPC", IO_WRITE, ENOSPC, 1,
     CAN(OK) | CAN(LIMIT) | CAN(IO) | CAN(BUSY)},
    {"sync, EIO", IO_SYNC, EIO, 0, CAN(OK) | CAN(UNKNOWN) | CAN(IO)},
    {"sync, ENOSPC", IO_SYNC, ENOSPC, 0, CAN(OK) | CAN(UNKNOWN) | CAN(IO)},
    {"open, EACCES", IO_OPEN, EACCES, 0, CAN(OK) | CAN(IO) | CAN(BUSY)},
    {"open, EMFILE", IO_OPEN, EMFILE, 0, CAN(OK) | CAN(IO) | CAN(BUSY)},
    {"open to write, EROFS", IO_OPEN_TO_WRITE, EROFS, 0,
     CAN(OK) | CAN(IO) | CAN(BUSY)},
    {"truncate, EIO", IO_TRUNCATE, EIO, 0, CAN(OK) | CAN(IO) | CAN(UNKNOWN)},
    {"unlink, EIO", IO_UNLINK, EIO, 0, CAN(OK) | CAN(IO) | CAN(UNKNOWN)},
    {"read, EIO", IO_READ, EIO, 0,
     CAN(OK) | CAN(IO) | CAN(UNKNOWN) | CAN(BUSY)},
};
enum { N_KINDS = (int)(sizeof kinds / sizeof kinds[0]) };

static void arm(const struct kind *kind, uint64_t nth, uint64_t times) {
    struct io_fault fault = {kind->calls, kind->error, nth, times, kind->torn};
    io->harm(&fault);
}

static struct folder folder;
static char path[128];

static void begin(void) {
    assert_int_equal(folder_make(&folder), 0);
    folder_file(&folder, "store", path);
    io->watch(folder.path);
}

static void end(void) {
    io->watch(NULL);
    folder_remove(&folder);
}

/* --- what the store answers --- */

/* The files as a machine that stopped right now leaves them to the next start of
 * the program, without the shared memory. */
static uint64_t version_after_a_crash(void) {
    struct folder other;
    mereau_store *store = NULL;
    char to[128], command[300];
    uint64_t version;
    assert_int_equal(folder_make(&other), 0);
    /* By another process: to close a file here would drop SQLite's locks. */
    snprintf(command, sizeof command, "cp %s* %s", path, other.path);
    assert_int_equal(system(command), 0);
    (void)unlink(folder_file(&other, "store-shm", to));
    folder_file(&other, "store", to);
    assert_int_equal(mereau_sqlite_open(&store, to, NULL), MEREAU_OK);
    version = version_of(store, "a", NULL);
    mereau_store_close(store);
    folder_remove(&other);
    return version;
}

static void agrees(const struct kind *kind, uint64_t nth, int32_t answer,
                   uint64_t version, const char *when) {
    int good = answer == MEREAU_STORE_OK        ? version == 2
               : answer == MEREAU_STORE_UNKNOWN ? version == 1 || version == 2
                                                : version == 1;
    if (!good)
        fail_msg("%s, call %u: the store answered %d, but %s version %u is "
                 "there",
                 kind->name, (unsigned)nth, (int)answer, when,
                 (unsigned)version);
}

/* One put under the fault. Returns 0 when the fault was not met. */
static int put_under(const struct kind *kind, uint64_t nth, uint64_t times,
                     int fresh, unsigned answers[8]) {
    mereau_store *store = NULL;
    uint64_t version, met;
    int32_t answer, result;
    begin();
    assert_int_equal(mereau_sqlite_open(&store, path, NULL), MEREAU_OK);
    assert_int_equal(put(store, "a", MEREAU_VERSION_ABSENT, 1, "one"), 0);
    if (fresh) { /* connections and log are to be opened under the fault */
        mereau_store_close(store);
        arm(kind, nth, times);
        if (mereau_sqlite_open(&store, path, NULL) != MEREAU_OK) {
            io->harm(NULL);
            met = io->failed();
            assert_true(met > 0);
            end();
            return 1;
        }
    } else {
        arm(kind, nth, times);
    }
    answer = put(store, "a", 1, 2, "two");
    io->harm(NULL);
    met = io->failed();
    answers[answer]++;
    if ((kind->answers >> answer & 1) == 0)
        fail_msg("%s, call %u: answer %d", kind->name, (unsigned)nth,
                 (int)answer);
    agrees(kind, nth, answer, version_after_a_crash(), "after a crash");
    version = version_of(store, "a", &result);
    assert_int_equal(result, MEREAU_STORE_OK);
    agrees(kind, nth, answer, version, "now");
    assert_int_equal(put(store, "a", version, 3, "three"), MEREAU_STORE_OK);
    mereau_store_close(store);
    assert_int_equal(mereau_sqlite_open(&store, path, NULL), MEREAU_OK);
    assert_int_equal(version_of(store, "a", NULL), 3);
    mereau_store_close(store);
    end();
    return met > 0;
}

static void the_store_answers_what_is_true(void **state) {
    (void)state;
    for (int k = 0; k < N_KINDS; k++) {
        unsigned answers[8] = {0}, cases = 0;
        for (int fresh = 0; fresh < 2; fresh++)
            for (int once = 0; once < 2; once++)
                for (uint64_t n = 1; put_under(
                         &kinds[k], n, once ? 1 : FOR_GOOD, fresh, answers);
                     n++)
                    cases++;
        print_message(
            "faults: SQLite, one commit, %s: %u cases, answers OK %u, "
            "BUSY %u, UNKNOWN %u, IO %u, LIMIT %u\n",
            kinds[k].name, cases, answers[MEREAU_STORE_OK],
            answers[MEREAU_STORE_BUSY], answers[MEREAU_STORE_UNKNOWN],
            answers[MEREAU_STORE_IO], answers[MEREAU_STORE_LIMIT]);
        /* No commit removes a file. */
        if (kinds[k].calls != IO_UNLINK && cases == 0)
            fail_msg("%s: no such call was met", kinds[k].name);
    }
}

/* SQLite would open it to read, and what all connections of a process share as well:
 * then the others try for 10 s each, until the last of them is closed, also when the
 * file system is well again. */
static void what_may_not_be_written_is_refused_at_once(void **state) {
    static const struct kind sync = {"sync, EIO", IO_SYNC, EIO, 0, 0},
                             open = {"open", IO_OPEN_TO_WRITE, EROFS, 0, 0};
    mereau_store *store = NULL;
    int32_t result;
    (void)state;
    begin();
    assert_int_equal(mereau_sqlite_open(&store, path, NULL), MEREAU_OK);
    assert_int_equal(put(store, "a", MEREAU_VERSION_ABSENT, 1, "one"), 0);
    /* Closes the only connection; the log stays. */
    arm(&sync, 1, FOR_GOOD);
    assert_int_equal(put(store, "a", 1, 2, "two"), MEREAU_STORE_UNKNOWN);
    arm(&open, 1, FOR_GOOD);
    (void)version_of(store, "a", &result);
    assert_int_equal(result, MEREAU_STORE_IO);
    assert_int_equal(put(store, "b", MEREAU_VERSION_ABSENT, 1, "one"),
                     MEREAU_STORE_IO);
    io->harm(NULL);
    (void)version_of(store, "a", &result);
    assert_int_equal(result, MEREAU_STORE_OK);
    assert_int_equal(put(store, "b", MEREAU_VERSION_ABSENT, 1, "one"), 0);
    mereau_store_close(store);
    end();
}

/* --- what clients are told --- */

enum { DEVICES = 5, STEPS = 4 };

/* All that clients do, once; each refusal must be one that says: try again. */
static void live_once(struct life *life, struct host *host) {
    if (host->store == NULL && host_open(host, life, path) != MEREAU_OK) {
        life->refused++;
        return;
    }
    if (!life->ready) {
        mereau_status status = life_begin(life, host);
        if (status != MEREAU_OK) {
            life->refused++;
            assert_true(mereau_status_can_retry(status));
            return;
        }
    }
    for (int step = 0; step < STEPS; step++)
        for (int device = 0; device < DEVICES; device++)
            (void)life_live(life, host, device);
}

struct sum {
    unsigned cases, refused;
};

static int live_under(const struct kind *kind, uint64_t nth, uint64_t times,
                      struct sum *sum) {
    struct life *life = life_new(NULL);
    struct life_view view;
    struct life_found found = {.print = 1};
    struct host host = {0};
    uint64_t met;
    assert_non_null(life);
    life->steps = STEPS;
    life->impatient = 1;
    begin();
    arm(kind, nth, times);
    live_once(life, &host);
    io->harm(NULL);
    met = io->failed();
    live_once(life, &host); /* what is left; the disk is well again */
    host_close(&host);
    life_view_now(&view, life);
    assert_int_equal(life_answers(life), DEVICES * STEPS);
    assert_int_equal(host_open(&host, life, path), MEREAU_OK);
    life_check(life, &host, &view, &found);
    host_close(&host);
    if (found.lost + found.doubled + found.broken + life->problems > 0)
        fail_msg("%s, call %u", kind->name, (unsigned)nth);
    sum->refused += life->refused;
    end();
    life_free(life);
    sum->cases += met > 0;
    return met > 0;
}

static void clients_lose_nothing(void **state) {
    (void)state;
    for (int k = 0; k < N_KINDS; k++)
        for (int once = 0; once < 2; once++) {
            struct sum sum = {0, 0};
            for (uint64_t n = 1;
                 live_under(&kinds[k], n, once ? 1 : FOR_GOOD, &sum); n++)
                ;
            print_message("faults: SQLite, %u answers, %s, %s: %u cases, %u "
                          "refusals, 0 lost, 0 doubled\n",
                          DEVICES * STEPS, kinds[k].name,
                          once ? "once" : "from then on", sum.cases,
                          sum.refused);
            if (sum.cases == 0)
                fail_msg("%s: no such call was met", kinds[k].name);
            /* A disk that is not well again is noticed. */
            if (!once && (kinds[k].calls & (IO_WRITE | IO_SYNC)) != 0 &&
                sum.refused <= sum.cases)
                fail_msg("%s: nobody was refused", kinds[k].name);
        }
}

int main(int argc, char **argv) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_store_answers_what_is_true),
        cmocka_unit_test(what_may_not_be_written_is_refused_at_once),
        cmocka_unit_test(clients_lose_nothing),
    };
    (void)argc;
    io = preload(argv);
    return cmocka_run_group_tests(tests, NULL, NULL);
}
