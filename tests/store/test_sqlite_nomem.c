/* tests/store/test_sqlite_nomem.c - the SQLite store while allocations fail, those
 * of SQLite among them: what it answers is true, nothing leaks, and it works
 * again afterwards. */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>

#include <cmocka.h>

#include <mereau/sqlite.h>

#include "alloc.h"
#include "support.h"

static struct folder folder;
static char path[128];

static int set_up(void **state) {
    (void)state;
    if (folder_make(&folder) != 0)
        return -1;
    folder_file(&folder, "store", path);
    return 0;
}

static int tear_down(void **state) {
    (void)state;
    folder_remove(&folder);
    return 0;
}

static void open_without_memory_says_so_and_leaks_nothing(void **state) {
    mereau_store *store = NULL;
    unsigned long n = 0, failures = 0;
    long before;
    int pending;
    (void)state;
    if (!test_alloc_available())
        skip();
    /* The file is made, and SQLite has what it keeps for good. */
    assert_int_equal(mereau_sqlite_open(&store, path, NULL), MEREAU_OK);
    mereau_store_close(store);
    before = test_alloc_live();
    do {
        mereau_error err = MEREAU_ERROR_INIT;
        test_alloc_fail_at(++n);
        mereau_status status = mereau_sqlite_open(&store, path, &err);
        pending = test_alloc_pending();
        test_alloc_fail_at(0);
        assert_true(status == MEREAU_OK || status == MEREAU_E_NOMEM ||
                    status == MEREAU_E_STORE);
        assert_true((status == MEREAU_OK) == (store != NULL));
        failures += status != MEREAU_OK;
        mereau_store_close(store);
        assert_int_equal(test_alloc_live(), before);
    } while (!pending);
    assert_true(failures > 5 || !test_alloc_reaches_others());
}

static void commit_without_memory_tells_the_truth(void **state) {
    mereau_store *store = NULL;
    unsigned long n = 0, failures = 0;
    uint64_t version = 1;
    int pending;
    (void)state;
    if (!test_alloc_available())
        skip();
    assert_int_equal(mereau_sqlite_open(&store, path, NULL), MEREAU_OK);
    assert_int_equal(put(store, "a", MEREAU_VERSION_ABSENT, 1, "x"),
                     MEREAU_STORE_OK);
    do {
        uint64_t now;
        /* A new writer each time, so that statements are prepared, too. */
        mereau_store_close(store);
        assert_int_equal(mereau_sqlite_open(&store, path, NULL), MEREAU_OK);
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

static void get_without_memory_is_never_an_absence(void **state) {
    mereau_store *store = NULL;
    unsigned long n = 0, failures = 0;
    int pending;
    (void)state;
    if (!test_alloc_available())
        skip();
    assert_int_equal(mereau_sqlite_open(&store, path, NULL), MEREAU_OK);
    assert_int_equal(put(store, "a", MEREAU_VERSION_ABSENT, 7, "x"),
                     MEREAU_STORE_OK);
    do {
        int32_t result;
        mereau_store_close(store);
        assert_int_equal(mereau_sqlite_open(&store, path, NULL), MEREAU_OK);
        test_alloc_fail_at(++n);
        uint64_t now = version_of(store, "a", &result);
        pending = test_alloc_pending();
        test_alloc_fail_at(0);
        if (result == MEREAU_STORE_OK)
            assert_int_equal(now, 7);
        failures += result != MEREAU_STORE_OK;
        assert_int_equal(version_of(store, "a", NULL), 7);
    } while (!pending);
    assert_true(failures > 5 || !test_alloc_reaches_others());
    mereau_store_close(store);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(
            open_without_memory_says_so_and_leaks_nothing, set_up, tear_down),
        cmocka_unit_test_setup_teardown(commit_without_memory_tells_the_truth,
                                        set_up, tear_down),
        cmocka_unit_test_setup_teardown(get_without_memory_is_never_an_absence,
                                        set_up, tear_down),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
