/* tests/postgres/test_lives.c - devices enrol, exchange and refresh on PostgreSQL
 * while the server is stopped as by a crash, while clients are killed and while
 * connections are cut: what was answered is there afterwards, once. Each kind is
 * counted; MEREAU_SOAK=1 runs ten times as many. */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include <cmocka.h>

#include <mereau/postgres.h>

#include "../faults/crowd.h"
#include "../faults/proxy.h"
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

/* --- the server --- */

static void stop_and_start(struct crowd_sum *sum, uint64_t *random, int sig) {
    pause_ms(5 + next_random(random) % 60);
    server_stop(&server, sig);
    pause_ms(next_random(random) % 20);
    assert_int_equal(server_start(&server, NULL), 0);
    sum->harm++;
}

static void stops(const char *kind, int sig) {
    struct crowd_sum sum = {0};
    uint64_t random = (uint64_t)sig;
    unsigned lives = crowd_rounds(5);
    for (unsigned i = 0; i < lives; i++) {
        struct crowd crowd;
        lives_begin(&server, &crowd, server.conninfo, 0);
        crowd_start(&crowd);
        stop_and_start(&sum, &random, sig);
        stop_and_start(&sum, &random, sig);
        pause_ms(20);
        lives_end(&server, &crowd, &sum);
    }
    crowd_must_be_whole("PostgreSQL", kind, &sum, 2 * lives);
}

static void immediate_stops_lose_and_double_nothing(void **state) {
    (void)state;
    stops("immediate stops", SIGQUIT);
}

/* The first process is gone without a word to the others. */
static void killed_servers_lose_and_double_nothing(void **state) {
    (void)state;
    stops("servers killed", SIGKILL);
}

static void ordered_stops_lose_and_double_nothing(void **state) {
    (void)state;
    stops("fast stops", SIGINT);
}

/* One process of the server dies: it ends all others and recovers. */
static void a_killed_backend_loses_and_doubles_nothing(void **state) {
    struct crowd_sum sum = {0};
    uint64_t random = 9;
    unsigned lives = crowd_rounds(5);
    (void)state;
    for (unsigned i = 0; i < lives; i++) {
        struct crowd crowd;
        char pid[16];
        lives_begin(&server, &crowd, server.conninfo, 0);
        crowd_start(&crowd);
        for (int n = 0; n < 2; n++) {
            pause_ms(5 + next_random(&random) % 60);
            if (server_sql(server.conninfo,
                           "SELECT max(pid) FROM pg_stat_activity"
                           " WHERE application_name='mereau'",
                           pid, sizeof pid) == 0 &&
                atoi(pid) > 1)
                sum.harm += kill((pid_t)atoi(pid), SIGKILL) == 0;
            pause_ms(60); /* until the server has noticed */
            assert_int_equal(server_wait(&server), 0);
        }
        pause_ms(20);
        lives_end(&server, &crowd, &sum);
    }
    crowd_must_be_whole("PostgreSQL", "backend killed", &sum, 2 * lives);
}

/* --- clients --- */

static mereau_store *open_direct(void *unused) {
    (void)unused;
    return lives_open(server.conninfo);
}

static void killed_clients_lose_and_double_nothing(void **state) {
    enum { KILLS = 9 };
    struct crowd_sum sum = {0};
    uint64_t random = 5;
    unsigned wanted = crowd_rounds(4 * KILLS);
    (void)state;
    /* One that had just ended by itself is none. */
    for (unsigned i = 0; sum.harm < wanted && i < wanted; i++) {
        struct crowd crowd;
        lives_begin(&server, &crowd, server.conninfo, 0);
        crowd_close(&crowd);
        crowd_kill_clients(&crowd, open_direct, NULL, KILLS, &random, &sum);
        crowd_check(&crowd, lives_open(server.conninfo), &sum, 1);
    }
    crowd_must_be_whole("PostgreSQL", "clients killed", &sum, wanted);
}

/* --- connections --- */

static void cut_connections_lose_and_double_nothing(void **state) {
    struct crowd_sum sum = {0};
    char through[192];
    struct sockaddr_un at;
    struct proxy *proxy;
    struct proxy_cuts cuts = {0, 0};
    unsigned wanted = crowd_rounds(200);
    (void)state;
    server_address(&server, &at);
    proxy = proxy_start((struct sockaddr *)&at, sizeof at);
    assert_non_null(proxy);
    server_through(proxy_port(proxy), through, sizeof through);
    for (unsigned i = 0; cuts.requests + cuts.replies < wanted && i < wanted;
         i++) {
        struct crowd crowd;
        proxy_cut_at_random(proxy, i, 0, 0);
        lives_begin(&server, &crowd, through, 0);
        /* What a new connection is asked first takes about 2500 bytes. */
        proxy_cut_at_random(proxy, i, 20000, 20000);
        crowd_start(&crowd);
        for (int n = 0; n < 30; n++) {
            proxy_cut_once(proxy, n % 2, (uint32_t)(n * 37 % 800));
            pause_ms(10);
        }
        lives_end(&server, &crowd, &sum);
        cuts = proxy_cuts(proxy);
    }
    proxy_stop(proxy);
    sum.harm = cuts.requests + cuts.replies;
    assert_true(cuts.requests > wanted / 5 && cuts.replies > wanted / 5);
    crowd_must_be_whole("PostgreSQL", "connections cut", &sum, wanted);
}

/* Without durability a crash of the machine takes answers back, and the check
 * must see such a loss: here the table is what it was before. */
static void a_database_that_went_back_is_noticed(void **state) {
    struct crowd crowd;
    struct crowd_sum sum = {0};
    (void)state;
    lives_begin(&server, &crowd, server.conninfo, 0);
    crowd_start(&crowd);
    pause_ms(60);
    assert_int_equal(server_sql(server.conninfo,
                                "CREATE TABLE before AS"
                                " SELECT * FROM mereau_record",
                                NULL, 0),
                     0);
    pause_ms(60);
    crowd_stop(&crowd);
    crowd_close(&crowd);
    assert_int_equal(server_sql(server.conninfo,
                                "DELETE FROM mereau_record; INSERT INTO"
                                " mereau_record SELECT * FROM before;"
                                "DROP TABLE before",
                                NULL, 0),
                     0);
    crowd_check(&crowd, lives_open(server.conninfo), &sum, 0);
    assert_true(sum.found.lost + sum.found.broken > 0);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(immediate_stops_lose_and_double_nothing),
        cmocka_unit_test(killed_servers_lose_and_double_nothing),
        cmocka_unit_test(ordered_stops_lose_and_double_nothing),
        cmocka_unit_test(a_killed_backend_loses_and_doubles_nothing),
        cmocka_unit_test(killed_clients_lose_and_double_nothing),
        cmocka_unit_test(cut_connections_lose_and_double_nothing),
        cmocka_unit_test(a_database_that_went_back_is_noticed),
    };
    return cmocka_run_group_tests(tests, set_up, tear_down);
}
