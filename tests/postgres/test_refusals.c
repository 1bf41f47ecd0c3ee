/* tests/postgres/test_refusals.c - a PostgreSQL server that refuses for a while
 * while devices enrol, exchange and refresh: its disk is full, it is read-only,
 * another holds the table's lock; and hosts whose clock is set. What was answered
 * is there afterwards, once. Each kind is counted; MEREAU_SOAK=1 runs ten times as
 * many. */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

#include <cmocka.h>
#include <libpq-fe.h>

#include "../faults/small_disk.h"
#include "lives.h"

static struct server server;

static int set_up(void **state) {
    (void)state;
    return server_make(&server);
}

static int tear_down(void **state) {
    (void)state;
    server_remove(&server);
    return 0;
}

static void pause_ms(uint64_t ms) {
    struct timespec t = {(time_t)(ms / 1000), (long)(ms % 1000) * 1000000};
    nanosleep(&t, NULL);
}

static unsigned draw(uint64_t *random, unsigned below) {
    return (unsigned)(next_random(random) % below);
}

/* Until clients were refused something; 5 s at most. */
static int is_refused(const struct crowd *crowd, unsigned before) {
    for (int i = 0; i < 5000 && crowd->life->refused == before; i++)
        pause_ms(1);
    return crowd->life->refused != before;
}

/* --- the server is read-only --- */

static void read_only(int on) {
    char sql[100];
    snprintf(sql, sizeof sql,
             "ALTER SYSTEM SET default_transaction_read_only=%s",
             on ? "on" : "off");
    assert_int_equal(server_sql(server.conninfo, sql, NULL, 0), 0);
    assert_int_equal(
        server_sql(server.conninfo, "SELECT pg_reload_conf()", NULL, 0), 0);
}

static void a_read_only_server_loses_and_doubles_nothing(void **state) {
    enum { TIMES = 5 };
    struct crowd_sum sum = {0};
    uint64_t random = 11;
    unsigned lives = crowd_rounds(2);
    (void)state;
    for (unsigned i = 0; i < lives; i++) {
        struct crowd crowd;
        lives_begin(&server, &crowd, server.conninfo, 0);
        crowd_start(&crowd);
        for (int n = 0; n < TIMES; n++) {
            unsigned before = crowd.life->refused;
            crowd_await(&crowd, draw(&random, 60));
            read_only(1);
            sum.harm += is_refused(&crowd, before) != 0;
            pause_ms(draw(&random, 30));
            read_only(0);
        }
        crowd_await(&crowd, 1);
        lives_end(&server, &crowd, &sum);
    }
    crowd_must_be_whole("PostgreSQL", "read-only", &sum, lives * TIMES);
}

/* --- others hold the lock --- */

static void say(PGconn *conn, const char *sql) {
    PGresult *result = PQexec(conn, sql);
    assert_int_equal(PQresultStatus(result), PGRES_COMMAND_OK);
    PQclear(result);
}

/* One in ten times for longer than the store waits. */
static void a_locked_table_loses_and_doubles_nothing(void **state) {
    enum { TIMES = 10, LOCK_MS = 20 };
    struct crowd_sum sum = {0};
    uint64_t random = 12;
    unsigned lives = crowd_rounds(2), refused = 0;
    PGconn *conn = PQconnectdb(server.conninfo);
    (void)state;
    assert_int_equal(PQstatus(conn), CONNECTION_OK);
    for (unsigned i = 0; i < lives; i++) {
        struct crowd crowd;
        unsigned before;
        lives_begin(&server, &crowd, server.conninfo, LOCK_MS);
        crowd_start(&crowd);
        for (int n = 0; n < TIMES; n++, sum.harm++) {
            crowd_await(&crowd, draw(&random, 40));
            before = crowd.life->refused;
            say(conn, "BEGIN; LOCK TABLE mereau_record");
            if (n == TIMES / 2)
                refused += is_refused(&crowd, before) != 0;
            else
                pause_ms(1 + draw(&random, 40));
            say(conn, "COMMIT");
        }
        lives_end(&server, &crowd, &sum);
    }
    PQfinish(conn);
    crowd_must_be_whole("PostgreSQL", "table locked", &sum, lives * TIMES);
    assert_int_equal(refused, lives); /* by each of the long ones */
}

/* --- the host's clock is set --- */

static void clocks_that_are_set_lose_and_double_nothing(void **state) {
    enum { TIMES = 10 };
    struct crowd_sum sum = {0};
    uint64_t random = 13;
    unsigned lives = crowd_rounds(2);
    (void)state;
    for (unsigned i = 0; i < lives; i++) {
        struct crowd crowd;
        lives_begin(&server, &crowd, server.conninfo, 0);
        crowd_start(&crowd);
        crowd_set_clock(&crowd, TIMES, &random, &sum);
        lives_end(&server, &crowd, &sum);
    }
    crowd_must_be_whole("PostgreSQL", "clock set back and forward", &sum,
                        lives * TIMES);
}

/* --- the disk is full --- */

struct full {
    struct server server;
    char filler[128];
    uint64_t random;
    struct crowd_sum sum;
    unsigned ended; /* how often it ended by itself */
};

static void say_nothing(void *unused, const char *text) {
    (void)unused;
    (void)text;
}

/* Others' changes, until the server has no room for its log of them, which ends
 * all of it. */
static void fill_the_log(const struct server *of) {
    PGconn *conn = PQconnectdb(of->conninfo);
    PQsetNoticeProcessor(conn, say_nothing, NULL);
    for (int i = 0; i < 200 && PQstatus(conn) == CONNECTION_OK; i++)
        PQclear(PQexec(conn, "SELECT pg_logical_emit_message(false,'full',"
                             "repeat('x',1000000))"));
    PQfinish(conn);
}

/* The disk is full before the first device enrols, so that the table has to grow;
 * or in the middle of the life, and then of its log of changes. */
static void make_full(struct full *full, struct crowd *crowd, int log) {
    unsigned left = draw(&full->random, 8) * 4096;
    if (!log)
        small_disk_fill(full->filler, left);
    crowd_start(crowd);
    if (log) {
        crowd_await(crowd, draw(&full->random, 300));
        small_disk_fill(full->filler, left);
        fill_the_log(&full->server);
    }
}

/* A life goes on until it is refused, and then there is room again. */
static void fill_during_a_life(struct full *full, int log) {
    struct crowd crowd;
    unsigned before;
    lives_begin(&full->server, &crowd, full->server.conninfo, 0);
    before = crowd.life->refused;
    make_full(full, &crowd, log);
    full->sum.harm += is_refused(&crowd, before) != 0;
    pause_ms(draw(&full->random, 200));
    assert_int_equal(remove(full->filler), 0);
    if (server_is_down(&full->server)) {
        full->ended++;
        assert_int_equal(server_start(&full->server, NULL), 0);
    }
    assert_int_equal(server_wait(&full->server), 0);
    crowd_await(&crowd, 20);
    lives_end(&full->server, &crowd, &full->sum);
}

static void a_full_disk_loses_and_doubles_nothing(void **state) {
    struct full full = {.random = 14};
    struct small_disk disk;
    unsigned lives = crowd_rounds(10);
    (void)state;
    if (small_disk_mount(&disk, 60) != 0) {
        print_message("faults: PostgreSQL, disk full: not tried, since this "
                      "user cannot mount\n");
        return;
    }
    assert_int_equal(server_make_small(&full.server), 0);
    folder_file(&disk.folder, "filler", full.filler);
    for (unsigned i = 0; i < lives; i++)
        fill_during_a_life(&full, i % 2 == 1);
    server_remove(&full.server);
    small_disk_unmount(&disk);
    printf("faults: PostgreSQL, disk full: %u of %u times the server ended by "
           "itself\n",
           full.ended, full.sum.harm);
    crowd_must_be_whole("PostgreSQL", "disk full", &full.sum, lives);
    assert_in_range(full.ended, 1, lives - 1); /* both are tried */
}

int main(void) {
    const struct CMUnitTest tests[] = {
        /* First, for where it mounts a disk nothing else may have begun. */
        cmocka_unit_test(a_full_disk_loses_and_doubles_nothing),
        cmocka_unit_test_setup_teardown(
            a_read_only_server_loses_and_doubles_nothing, set_up, tear_down),
        cmocka_unit_test_setup_teardown(
            a_locked_table_loses_and_doubles_nothing, set_up, tear_down),
        cmocka_unit_test_setup_teardown(
            clocks_that_are_set_lose_and_double_nothing, set_up, tear_down),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
