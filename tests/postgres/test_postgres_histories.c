/* tests/postgres/test_postgres_histories.c - histories of several threads on
 * PostgreSQL are linearizable (tests/store/history.h), in both ways of sending a
 * commit. HISTORIES: how many. */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>

#include <cmocka.h>

#include <mereau/postgres.h>

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

static void is_linearizable(uint32_t flags, const char *engine, uint64_t seed) {
    mereau_postgres_options options = MEREAU_POSTGRES_OPTIONS_INIT;
    mereau_store *store = NULL;
    int n = histories_wanted();
    options.conninfo = server.conninfo;
    options.flags = flags;
    assert_int_equal(mereau_postgres_open_with(&store, &options, NULL),
                     MEREAU_OK);
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

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(postgres_is_linearizable),
        cmocka_unit_test(postgres_with_explicit_transactions_is_linearizable),
    };
    return cmocka_run_group_tests(tests, set_up, tear_down);
}
