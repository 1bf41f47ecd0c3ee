/* tests/postgres/test_races.c - processes on one PostgreSQL server that race for
 * what may be had once. */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

#include <mereau/postgres.h>

#include "../store/race.h"
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

/* Each test begins without tables. */
static int without_tables(void **state) {
    (void)state;
    return server_sql(server.conninfo,
                      "DROP TABLE IF EXISTS mereau_record, mereau_schema", NULL,
                      0);
}

static mereau_store *open_with(void *flags) {
    mereau_postgres_options options = MEREAU_POSTGRES_OPTIONS_INIT;
    mereau_error err = MEREAU_ERROR_INIT;
    mereau_store *store = NULL;
    options.conninfo = server.conninfo;
    options.flags = *(const uint32_t *)flags;
    if (mereau_postgres_open_with(&store, &options, &err) != MEREAU_OK)
        print_error("%s\n", err.text);
    return store;
}

static uint32_t plain = 0, explicitly = MEREAU_POSTGRES_EXPLICIT;

static void one_process_has_the_last_count(void **state) {
    (void)state;
    race_for_the_last_count(open_with, &plain);
}

static void one_process_exchanges_an_auth_token(void **state) {
    (void)state;
    race_for_the_one_exchange(open_with, &plain);
}

static void one_has_the_last_count_in_explicit_transactions(void **state) {
    (void)state;
    race_for_the_last_count(open_with, &explicitly);
}

static void one_exchanges_in_explicit_transactions(void **state) {
    (void)state;
    race_for_the_one_exchange(open_with, &explicitly);
}

int main(void) {
    const struct CMUnitTest tests[] = {
#define FRESH(test) cmocka_unit_test_setup_teardown(test, without_tables, NULL)
        FRESH(one_process_has_the_last_count),
        FRESH(one_process_exchanges_an_auth_token),
        FRESH(one_has_the_last_count_in_explicit_transactions),
        FRESH(one_exchanges_in_explicit_transactions),
    };
    return cmocka_run_group_tests(tests, set_up, tear_down);
}
