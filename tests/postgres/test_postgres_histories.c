/* tests/postgres/test_postgres_histories.c - histories of several threads on
 * PostgreSQL are linearizable (tests/store/history.h), in both ways of sending a
 * commit: half of them with faults that the test plays, half through connections
 * that are cut. HISTORIES: how many of each way. */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

#include <mereau/postgres.h>

#include "../faults/proxy.h"
#include "../store/history.h"
#include "server.h"

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

static mereau_store *open_at(const char *conninfo, uint32_t flags) {
    mereau_postgres_options options = MEREAU_POSTGRES_OPTIONS_INIT;
    mereau_store *store = NULL;
    options.conninfo = conninfo;
    options.flags = flags;
    assert_int_equal(mereau_postgres_open_with(&store, &options, NULL),
                     MEREAU_OK);
    return store;
}

/* --- with faults that are played --- */

static void is_linearizable(uint32_t flags, const char *engine, uint64_t seed) {
    mereau_store *store = open_at(server.conninfo, flags);
    int n = histories_wanted() / 2;
    assert_int_equal(histories_run(store, engine, seed, n, PLANT_NONE, 1), n);
    mereau_store_close(store);
}

static void postgres_is_linearizable(void **state) {
    (void)state;
    is_linearizable(0, "PostgreSQL", 1);
}

static void postgres_with_explicit_transactions_is_linearizable(void **state) {
    (void)state;
    is_linearizable(MEREAU_POSTGRES_EXPLICIT, "PostgreSQL, explicit", 1000000);
}

/* --- through connections that are cut --- */

struct cut_way {
    struct proxy *proxy;
    mereau_store *through;
    struct history_wire wire;
};

/* A commit has 100 to 700 bytes, and the reply to it 50 to 250. A new connection
 * takes a hundred times as long as a commit, so not each time. */
static void cut(void *arg, uint64_t random) {
    struct cut_way *way = arg;
    int replies = (int)(random % 2);
    if (random / 2 % 4 == 0)
        proxy_cut_once(way->proxy, replies,
                       (uint32_t)(random / 8 % (replies ? 150 : 500)));
}

/* A session whose connection was cut goes on until it notices: until there are no
 * more of them than connections. */
static void settle(void *arg) {
    struct cut_way *way = arg;
    char found[16];
    do
        assert_int_equal(server_sql(server.conninfo,
                                    "SELECT count(*) FROM pg_stat_activity"
                                    " WHERE application_name='through'",
                                    found, sizeof found),
                         0);
    while ((unsigned)atoi(found) > proxy_open(way->proxy));
}

static void open_way(struct cut_way *way, uint32_t flags) {
    char through[192], conninfo[240];
    struct sockaddr_un at;
    server_address(&server, &at);
    way->proxy = proxy_start((struct sockaddr *)&at, sizeof at);
    assert_non_null(way->proxy);
    server_through(proxy_port(way->proxy), through, sizeof through);
    snprintf(conninfo, sizeof conninfo, "%s application_name=through", through);
    way->through = open_at(conninfo, flags);
    way->wire.direct = open_at(server.conninfo, flags);
    way->wire.cut = cut;
    way->wire.settle = settle;
    way->wire.arg = way;
}

static void close_way(struct cut_way *way) {
    mereau_store_close(way->through);
    mereau_store_close(way->wire.direct);
    proxy_stop(way->proxy);
}

static void is_linearizable_when_cut(uint32_t flags, const char *engine,
                                     uint64_t seed) {
    struct cut_way way = {0};
    struct proxy_cuts cuts;
    int n = histories_wanted() - histories_wanted() / 2, good;
    open_way(&way, flags);
    good = histories_run_cut(way.through, &way.wire, engine, seed, n,
                             PLANT_NONE, 1);
    cuts = proxy_cuts(way.proxy);
    close_way(&way);
    assert_int_equal(good, n);
    printf("faults: histories, %s: %u in requests, %u in replies\n", engine,
           cuts.requests, cuts.replies);
    assert_in_range(cuts.requests, n / 2, UINT32_MAX);
    assert_in_range(cuts.replies, n / 2, UINT32_MAX);
}

static void so_it_is_through_cut_connections(void **state) {
    (void)state;
    is_linearizable_when_cut(0, "PostgreSQL, connections cut", 2000000);
}

static void so_it_is_with_explicit_transactions_that_are_cut(void **state) {
    (void)state;
    is_linearizable_when_cut(MEREAU_POSTGRES_EXPLICIT,
                             "PostgreSQL, explicit, connections cut", 3000000);
}

/* A commit whose reply was cut is not one that was not applied. */
static void an_adapter_that_calls_unknown_busy_is_found(void **state) {
    struct cut_way way = {0};
    int good;
    (void)state;
    open_way(&way, 0);
    good = histories_run_cut(way.through, &way.wire, "", 1, 500,
                             PLANT_CALLS_UNKNOWN_BUSY, 0);
    close_way(&way);
    printf("faults: histories, PostgreSQL, UNKNOWN called BUSY: found at "
           "history %d\n",
           good + 1);
    assert_true(good < 500);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(postgres_is_linearizable),
        cmocka_unit_test(postgres_with_explicit_transactions_is_linearizable),
        cmocka_unit_test(so_it_is_through_cut_connections),
        cmocka_unit_test(so_it_is_with_explicit_transactions_that_are_cut),
        cmocka_unit_test(an_adapter_that_calls_unknown_busy_is_found),
    };
    return cmocka_run_group_tests(tests, set_up, tear_down);
}
