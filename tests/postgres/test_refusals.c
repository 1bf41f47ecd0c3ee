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
#include <unistd.h>

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

static int is_over(const struct crowd *crowd) {
    return life_answers(crowd->life) == LIFE_DEVICES * LIFE_STEPS;
}

/* Until clients were refused something, which they are once they have tried again
 * for some seconds. */
static int is_refused(const struct crowd *crowd, unsigned before) {
    for (int i = 0; i < 30000 && crowd->life->refused == before; i++) {
        if (is_over(crowd))
            return 0;
        pause_ms(1);
    }
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
    unsigned wanted = crowd_rounds(10);
    (void)state;
    for (unsigned i = 0; sum.harm < wanted && i < wanted; i++) {
        struct crowd crowd;
        lives_begin(&server, &crowd, server.conninfo, 0);
        crowd_start(&crowd);
        for (int n = 0; n < TIMES && !is_over(&crowd); n++) {
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
    crowd_must_be_whole("PostgreSQL", "read-only", &sum, wanted);
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
    unsigned wanted = crowd_rounds(20), lives = 0, refused = 0;
    PGconn *conn = PQconnectdb(server.conninfo);
    (void)state;
    assert_int_equal(PQstatus(conn), CONNECTION_OK);
    for (; sum.harm < wanted && lives < wanted; lives++) {
        struct crowd crowd;
        lives_begin(&server, &crowd, server.conninfo, LOCK_MS);
        crowd_start(&crowd);
        for (int n = 0; n < TIMES && !is_over(&crowd); n++, sum.harm++) {
            unsigned before = crowd.life->refused;
            crowd_await(&crowd, draw(&random, 40));
            say(conn, "BEGIN; LOCK TABLE mereau_record");
            if (n == 0)
                refused += is_refused(&crowd, before) != 0;
            else
                pause_ms(1 + draw(&random, 40));
            say(conn, "COMMIT");
        }
        lives_end(&server, &crowd, &sum);
    }
    PQfinish(conn);
    crowd_must_be_whole("PostgreSQL", "table locked", &sum, wanted);
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
    struct small_disk disk;
    int is_mounted;
    char filler[128];
    uint64_t random;
    struct crowd_sum sum;
};

static struct full full;

/* With its data on a file system of 60 MB, where one can be mounted. */
static int set_up_small(void **state) {
    (void)state;
    full.random = 14;
    full.is_mounted = small_disk_mount(&full.disk, 60) == 0;
    folder_file(&full.disk.folder, "filler", full.filler);
    return full.is_mounted ? server_make_small(&server) : 0;
}

static int tear_down_small(void **state) {
    (void)state;
    if (full.is_mounted) {
        server_remove(&server);
        small_disk_unmount(&full.disk);
    }
    return 0;
}

static void say_nothing(void *unused, const char *text) {
    (void)unused;
    (void)text;
}

/* Another's change, for the log of which there is no room: that ends all sessions.
 * 1 if it did. */
static unsigned fill_the_log(void) {
    PGconn *conn = PQconnectdb(server.conninfo);
    unsigned ended;
    PQsetNoticeProcessor(conn, say_nothing, NULL);
    PQclear(PQexec(conn, "SELECT pg_logical_emit_message(false,'full',"
                         "repeat('x',30000000))"));
    ended = PQstatus(conn) == CONNECTION_BAD;
    PQfinish(conn);
    return ended;
}

static void no_room_for_the_log(struct crowd *crowd) {
    crowd_start(crowd);
    crowd_await(crowd, draw(&full.random, 100));
    small_disk_fill(full.filler, draw(&full.random, 8) * 4096);
    full.sum.harm += fill_the_log();
    pause_ms(draw(&full.random, 500));
}

/* Full before the first device enrols, so that the table has to grow. What the
 * server frees meanwhile is taken, too. */
static void no_room_for_the_table(struct crowd *crowd) {
    unsigned before = crowd->life->refused;
    small_disk_fill(full.filler, draw(&full.random, 8) * 4096);
    crowd_start(crowd);
    for (int i = 0; i < 3000 && crowd->life->refused == before; i++) {
        pause_ms(10);
        small_disk_fill(full.filler, 0);
    }
    full.sum.harm += crowd->life->refused != before;
    pause_ms(draw(&full.random, 100));
}

/* A life goes on until the disk harms it, and then there is room again. */
static void fill_during_a_life(void (*make_full)(struct crowd *crowd)) {
    struct crowd crowd;
    lives_begin(&server, &crowd, server.conninfo, 0);
    /* What the last one logged is not needed any more. */
    assert_int_equal(server_sql(server.conninfo, "CHECKPOINT", NULL, 0), 0);
    make_full(&crowd);
    assert_int_equal(remove(full.filler), 0);
    assert_int_equal(server_revive(&server), 0);
    crowd_await(&crowd, 20);
    lives_end(&server, &crowd, &full.sum);
}

static void a_full_disk_loses_and_doubles_nothing(void **state) {
    unsigned lives = crowd_rounds(10);
    (void)state;
    if (!full.is_mounted) {
        print_message("faults: PostgreSQL, disk full: not tried, since this "
                      "user cannot mount\n");
        assert_int_not_equal(geteuid(), 0);
        return;
    }
    for (unsigned i = 0; i < lives; i++) {
        /* Each crash leaves files behind, until there is no room for the next. */
        if (i > 0 && i % 10 == 0) {
            server_remove(&server);
            assert_int_equal(server_make_small(&server), 0);
        }
        fill_during_a_life(i % 2 ? no_room_for_the_log : no_room_for_the_table);
    }
    crowd_must_be_whole("PostgreSQL", "disk full", &full.sum, lives);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        /* First, for where it mounts a disk nothing else may have begun. */
        cmocka_unit_test_setup_teardown(a_full_disk_loses_and_doubles_nothing,
                                        set_up_small, tear_down_small),
        cmocka_unit_test_setup_teardown(
            a_read_only_server_loses_and_doubles_nothing, set_up, tear_down),
        cmocka_unit_test_setup_teardown(
            a_locked_table_loses_and_doubles_nothing, set_up, tear_down),
        cmocka_unit_test_setup_teardown(
            clocks_that_are_set_lose_and_double_nothing, set_up, tear_down),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
