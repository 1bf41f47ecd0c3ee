/* tests/postgres/test_reads.c - what a get and a scan touch on PostgreSQL: what they
 * ask for, whatever the planner believed of the table when it took its plan. */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include <mereau/postgres.h>

#include "server.h"

enum { READS = 50, KEYS = 9, LIMIT = 7 };

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

static void sql(const char *text) {
    assert_int_equal(server_sql(server.conninfo, text, NULL, 0), 0);
}

static int32_t count(void *arg, size_t index, const mereau_record *record) {
    size_t *found = arg;
    (void)index;
    *found += record != NULL;
    return 0;
}

static size_t get_some(mereau_store *store) {
    static const char *const keys[KEYS] = {
        "k1", "k10", "k100", "k1000", "k2", "k2000", "k3000", "k999", "none"};
    mereau_slice slices[KEYS];
    mereau_need need = {0};
    size_t found = 0;
    for (int i = 0; i < KEYS; i++) {
        slices[i].data = (const uint8_t *)keys[i];
        slices[i].len = strlen(keys[i]);
    }
    need.size = (uint32_t)sizeof need;
    need.kind = MEREAU_NEED_GET;
    need.partition = (const uint8_t *)"p";
    need.partition_len = 1;
    need.keys = slices;
    need.n_keys = KEYS;
    assert_int_equal(store->get(store->user, &need, count, &found),
                     MEREAU_STORE_OK);
    return found;
}

static size_t scan_some(mereau_store *store) {
    mereau_need need = {0};
    size_t found = 0;
    need.size = (uint32_t)sizeof need;
    need.kind = MEREAU_NEED_SCAN;
    need.partition = (const uint8_t *)"p";
    need.partition_len = 1;
    need.from = (const uint8_t *)"k100";
    need.from_len = 4;
    need.limit = LIMIT;
    assert_int_equal(store->scan(store->user, &need, count, &found),
                     MEREAU_STORE_OK);
    return found;
}

/* Rows that index and table scans of all sessions went through until now; a
 * session reports at its end. */
static long touched(void) {
    char rows[32], left[32];
    do
        assert_int_equal(server_sql(server.conninfo,
                                    "SELECT count(*) FROM pg_stat_activity"
                                    " WHERE application_name='mereau'",
                                    left, sizeof left),
                         0);
    while (strcmp(left, "0") != 0);
    assert_int_equal(server_sql(server.conninfo,
                                "SELECT seq_tup_read+coalesce(idx_tup_fetch,0)"
                                " FROM pg_stat_user_tables"
                                " WHERE relname='mereau_record'",
                                rows, sizeof rows),
                     0);
    return atol(rows);
}

static void records(int from, int to) {
    char text[200];
    snprintf(text, sizeof text,
             "INSERT INTO mereau_record SELECT CAST('p' AS bytea),"
             " CAST('k'||i AS bytea), CAST('a value' AS bytea), 1, 0"
             " FROM generate_series(%d,%d) AS i",
             from, to);
    sql(text);
}

/* As on a first day: the plans are taken when there are some records, of which
 * there are many more before the table is analyzed. `most` is of one read. */
static void a_read_touches(size_t (*read_some)(mereau_store *), size_t most) {
    mereau_postgres_options options = MEREAU_POSTGRES_OPTIONS_INIT;
    mereau_store *store;
    options.conninfo = server.conninfo;
    options.max_connections = 1;
    sql("DROP TABLE IF EXISTS mereau_record, mereau_schema");
    assert_int_equal(mereau_postgres_open_with(&store, &options, NULL),
                     MEREAU_OK);
    sql("ALTER TABLE mereau_record SET (autovacuum_enabled=off)");
    records(100, 130);
    for (int i = 0; i < READS; i++)
        assert_true(read_some(store) > 0);
    records(131, 5000);
    for (int i = 0; i < READS; i++)
        assert_true(read_some(store) > 0);
    mereau_store_close(store);
    assert_in_range(touched(), READS, 2 * READS * most);
}

static void a_get_touches_the_records_of_its_keys(void **state) {
    (void)state;
    a_read_touches(get_some, KEYS);
}

static void a_scan_touches_the_records_of_its_page(void **state) {
    (void)state;
    a_read_touches(scan_some, LIMIT);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_get_touches_the_records_of_its_keys),
        cmocka_unit_test(a_scan_touches_the_records_of_its_page),
    };
    return cmocka_run_group_tests(tests, set_up, tear_down);
}
