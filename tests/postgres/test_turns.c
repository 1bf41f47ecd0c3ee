/* tests/postgres/test_turns.c - a get is one round trip to PostgreSQL, a commit is
 * one, however it is sent; a conflict costs another where mereau/postgres.h says so.
 * Counted by a proxy. */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>

#include <cmocka.h>

#include <mereau/postgres.h>

#include "../faults/turns.h"
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

static void takes(uint32_t flags, const char *name, unsigned conflict) {
    mereau_postgres_options options = MEREAU_POSTGRES_OPTIONS_INIT;
    mereau_store *store = NULL;
    struct sockaddr_un at;
    struct proxy *proxy;
    struct turns turns;
    char through[192];

    server_address(&server, &at);
    proxy = proxy_start((struct sockaddr *)&at, sizeof at);
    assert_non_null(proxy);
    server_through(proxy_port(proxy), through, sizeof through);
    options.conninfo = through;
    options.max_connections = 1;
    options.flags = flags;
    assert_int_equal(mereau_postgres_open_with(&store, &options, NULL),
                     MEREAU_OK);
    turns = turns_count(proxy, store);
    mereau_store_close(store);
    proxy_stop(proxy);
    server_sql(server.conninfo, "DELETE FROM mereau_record", NULL, 0);
    print_message("round trips, PostgreSQL%s: get %u, commit %u, conflict %u, "
                  "commit of 128 records %u\n",
                  name, turns.get, turns.commit, turns.conflict, turns.large);
    assert_int_equal(turns.get, 1);
    assert_int_equal(turns.commit, 1);
    assert_int_equal(turns.conflict, conflict);
    assert_int_equal(turns.large, 1);
}

static void a_get_and_a_commit_are_one_round_trip_each(void **state) {
    (void)state;
    takes(0, "", 1);
}

static void so_they_are_with_an_explicit_transaction(void **state) {
    (void)state;
    takes(MEREAU_POSTGRES_EXPLICIT, ", explicit", 2); /* ROLLBACK */
}

static void so_they_are_without_prepared_statements(void **state) {
    (void)state;
    takes(MEREAU_POSTGRES_POOLER, ", pooler", 1);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_get_and_a_commit_are_one_round_trip_each),
        cmocka_unit_test(so_they_are_with_an_explicit_transaction),
        cmocka_unit_test(so_they_are_without_prepared_statements),
    };
    return cmocka_run_group_tests(tests, set_up, tear_down);
}
