/* tests/redis/test_nomem.c - the Redis store while allocations fail, those of
 * hiredis among them: what it answers is true, nothing leaks, and it works
 * again afterwards. */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>

#include <cmocka.h>

#include "server.h"
#include "store/support.h"
#include "unit/alloc.h"

static struct server server;

static int start(void **state) {
    (void)state;
    return server_start(&server, NULL);
}

static int end(void **state) {
    (void)state;
    server_end(&server);
    return 0;
}

static mereau_status open_it(mereau_store **store, mereau_error *err) {
    mereau_redis_settings set = MEREAU_REDIS_SETTINGS_INIT;
    set.port = server.port;
    set.user = "default";
    set.password = "any";
    return mereau_redis_open(store, &set, err);
}

static void open_without_memory_says_so_and_leaks_nothing(void **state) {
    mereau_store *store = NULL;
    unsigned long n = 0, failures = 0;
    long before;
    int pending;
    (void)state;
    if (!test_alloc_available())
        skip();
    assert_int_equal(open_it(&store, NULL), MEREAU_OK);
    mereau_store_close(store);
    before = test_alloc_live();
    do {
        mereau_error err = MEREAU_ERROR_INIT;
        mereau_status status;
        test_alloc_fail_at(++n);
        status = open_it(&store, &err);
        pending = test_alloc_pending();
        test_alloc_fail_at(0);
        assert_true(status == MEREAU_OK || status == MEREAU_E_NOMEM ||
                    status == MEREAU_E_STORE);
        assert_true((status == MEREAU_OK) == (store != NULL));
        failures += status != MEREAU_OK;
        mereau_store_close(store);
        assert_int_equal(test_alloc_live(), before);
    } while (!pending);
    assert_true(failures > 10 || !test_alloc_reaches_others());
}

static void commit_without_memory_tells_the_truth(void **state) {
    mereau_store *store = NULL;
    unsigned long n = 0, failures = 0;
    uint64_t version = 1;
    int pending;
    (void)state;
    if (!test_alloc_available())
        skip();
    assert_int_equal(open_it(&store, NULL), MEREAU_OK);
    assert_int_equal(put(store, "a", MEREAU_VERSION_ABSENT, 1, "x"),
                     MEREAU_STORE_OK);
    do {
        uint64_t now;
        int32_t result;
        /* A new connection, and a script that is not known there. */
        server_must(&server, "SCRIPT FLUSH", "OK");
        mereau_store_close(store);
        assert_int_equal(open_it(&store, NULL), MEREAU_OK);
        test_alloc_fail_at(++n);
        result = put(store, "a", version, version + 1, "x");
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

static int32_t count(void *arg, size_t index, const mereau_record *record) {
    (void)index;
    (void)record;
    ++*(size_t *)arg;
    return 0;
}

static void reads_without_memory_are_never_an_absence(void **state) {
    mereau_store *store = NULL;
    unsigned long n = 0, failures = 0;
    int pending;
    (void)state;
    if (!test_alloc_available())
        skip();
    assert_int_equal(open_it(&store, NULL), MEREAU_OK);
    server_must(&server, "FLUSHALL", "OK");
    assert_int_equal(put(store, "a", MEREAU_VERSION_ABSENT, 7, "x"),
                     MEREAU_STORE_OK);
    do {
        mereau_need need = {0};
        size_t found = 0;
        int32_t result;
        uint64_t now;
        need.size = (uint32_t)sizeof need;
        need.kind = MEREAU_NEED_SCAN;
        need.partition = (const uint8_t *)"p";
        need.partition_len = 1;
        need.limit = 10;
        mereau_store_close(store);
        assert_int_equal(open_it(&store, NULL), MEREAU_OK);
        test_alloc_fail_at(++n);
        now = version_of(store, "a", &result);
        if (result == MEREAU_STORE_OK)
            assert_int_equal(now, 7);
        failures += result != MEREAU_STORE_OK;
        result = store->scan(store->user, &need, count, &found);
        pending = test_alloc_pending();
        test_alloc_fail_at(0);
        if (result == MEREAU_STORE_OK)
            assert_int_equal(found, 1);
        failures += result != MEREAU_STORE_OK;
        assert_int_equal(version_of(store, "a", NULL), 7);
    } while (!pending);
    assert_true(failures > 10 || !test_alloc_reaches_others());
    mereau_store_close(store);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(open_without_memory_says_so_and_leaks_nothing),
        cmocka_unit_test(commit_without_memory_tells_the_truth),
        cmocka_unit_test(reads_without_memory_are_never_an_absence),
    };
    return cmocka_run_group_tests(tests, start, end);
}
