/* tests/postgres/test_nomem.c - the PostgreSQL store while allocations fail, those
 * of libpq among them: what it answers is true, nothing leaks, and it works again
 * afterwards. */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>

#include <cmocka.h>

#include <mereau/postgres.h>

#include "../store/support.h"
#include "../unit/alloc.h"
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

/* libpq can lose its place in a pipeline when it has no memory for a message, and
 * waits for another: until the deadline, so that is short here. */
static mereau_status open_soon(mereau_store **out, mereau_error *err) {
    mereau_postgres_options options = MEREAU_POSTGRES_OPTIONS_INIT;
    options.conninfo = server.conninfo;
    options.lock_ms = 100;
    options.timeout_ms = 300;
    return mereau_postgres_open_with(out, &options, err);
}

static void open_without_memory_says_so_and_leaks_nothing(void **state) {
    mereau_store *store = NULL;
    unsigned long n = 0, failures = 0;
    long before;
    int pending;
    (void)state;
    if (!test_alloc_available())
        skip();
    /* The tables are made, and libpq has what it keeps for good. */
    assert_int_equal(open_soon(&store, NULL), MEREAU_OK);
    mereau_store_close(store);
    before = test_alloc_live();
    do {
        mereau_error err = MEREAU_ERROR_INIT;
        test_alloc_fail_at(++n);
        mereau_status status = open_soon(&store, &err);
        pending = test_alloc_pending();
        test_alloc_fail_at(0);
        assert_true(status == MEREAU_OK || status == MEREAU_E_NOMEM ||
                    status == MEREAU_E_STORE || status == MEREAU_E_ARG);
        assert_true((status == MEREAU_OK) == (store != NULL));
        failures += status != MEREAU_OK;
        mereau_store_close(store);
        assert_int_equal(test_alloc_live(), before);
    } while (!pending);
    assert_true(failures > 20 || !test_alloc_reaches_others());
}

/* A commit on a connection that is new each time, or that is kept. */
static void commit_in_lack(int anew) {
    mereau_store *store = NULL;
    unsigned long n = 0, failures = 0;
    uint64_t version = 1;
    int pending;
    assert_int_equal(open_soon(&store, NULL), MEREAU_OK);
    assert_int_equal(put(store, "a", MEREAU_VERSION_ANY, 1, "x"),
                     MEREAU_STORE_OK);
    do {
        uint64_t now;
        if (anew) {
            mereau_store_close(store);
            assert_int_equal(open_soon(&store, NULL), MEREAU_OK);
        }
        test_alloc_fail_at(++n);
        int32_t result = put(store, "a", version, version + 1, "x");
        pending = test_alloc_pending();
        test_alloc_fail_at(0);
        now = version_of(store, "a", NULL);
        if (result == MEREAU_STORE_OK)
            assert_int_equal(now, version + 1);
        else if (result != MEREAU_STORE_UNKNOWN)
            assert_int_equal(now, version);
        failures += result != MEREAU_STORE_OK;
        version = now;
    } while (!pending);
    assert_true(failures > 5 || !test_alloc_reaches_others());
    mereau_store_close(store);
}

static void commit_without_memory_tells_the_truth(void **state) {
    (void)state;
    if (!test_alloc_available())
        skip();
    commit_in_lack(0);
    commit_in_lack(1);
}

static void get_without_memory_is_never_an_absence(void **state) {
    mereau_store *store = NULL;
    unsigned long n = 0, failures = 0;
    int pending;
    (void)state;
    if (!test_alloc_available())
        skip();
    assert_int_equal(open_soon(&store, NULL), MEREAU_OK);
    assert_int_equal(put(store, "a", MEREAU_VERSION_ANY, 7, "x"),
                     MEREAU_STORE_OK);
    do {
        int32_t result;
        test_alloc_fail_at(++n);
        uint64_t now = version_of(store, "a", &result);
        pending = test_alloc_pending();
        test_alloc_fail_at(0);
        if (result == MEREAU_STORE_OK)
            assert_int_equal(now, 7);
        else
            assert_int_equal(result, MEREAU_STORE_BUSY);
        failures += result != MEREAU_STORE_OK;
        assert_int_equal(version_of(store, "a", NULL), 7);
    } while (!pending);
    assert_true(failures >= 1);
    mereau_store_close(store);
}

static int32_t count_rows(void *arg, size_t index,
                          const mereau_record *record) {
    *(size_t *)arg += record != NULL && index == *(size_t *)arg;
    return 0;
}

static void scan_without_memory_is_never_the_end(void **state) {
    mereau_store *store = NULL;
    mereau_need need = {0};
    unsigned long n = 0, failures = 0;
    int pending;
    (void)state;
    if (!test_alloc_available())
        skip();
    assert_int_equal(open_soon(&store, NULL), MEREAU_OK);
    assert_int_equal(put(store, "a", MEREAU_VERSION_ANY, 7, "x"),
                     MEREAU_STORE_OK);
    assert_int_equal(put(store, "b", MEREAU_VERSION_ANY, 7, "x"),
                     MEREAU_STORE_OK);
    need.size = (uint32_t)sizeof need;
    need.kind = MEREAU_NEED_SCAN;
    need.partition = (const uint8_t *)"p";
    need.partition_len = 1;
    need.limit = 10;
    do {
        size_t rows = 0;
        test_alloc_fail_at(++n);
        int32_t result = store->scan(store->user, &need, count_rows, &rows);
        pending = test_alloc_pending();
        test_alloc_fail_at(0);
        if (result == MEREAU_STORE_OK)
            assert_int_equal(rows, 2);
        else
            assert_int_equal(result, MEREAU_STORE_BUSY);
        failures += result != MEREAU_STORE_OK;
    } while (!pending);
    assert_true(failures >= 1 || !test_alloc_reaches_others());
    mereau_store_close(store);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(open_without_memory_says_so_and_leaks_nothing),
        cmocka_unit_test(commit_without_memory_tells_the_truth),
        cmocka_unit_test(get_without_memory_is_never_an_absence),
        cmocka_unit_test(scan_without_memory_is_never_the_end),
    };
    return cmocka_run_group_tests(tests, set_up, tear_down);
}
