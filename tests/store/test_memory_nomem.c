/* tests/store/test_memory_nomem.c - the store in memory when there is none. */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>

#include <cmocka.h>

#include "alloc.h"
#include "support.h"

static void open_without_memory_says_so_and_leaks_nothing(void **state) {
    mereau_error err = MEREAU_ERROR_INIT;
    mereau_store *store = NULL;
    long before = test_alloc_live();
    unsigned long n = 0;
    (void)state;
    if (!test_alloc_available())
        skip();
    for (;;) {
        test_alloc_fail_at(++n);
        mereau_status status = mereau_memory_open(&store, &err);
        if (test_alloc_pending())
            break;
        assert_int_equal(status, MEREAU_E_NOMEM);
        assert_null(store);
        assert_int_equal(test_alloc_live(), before);
    }
    test_alloc_fail_at(0);
    assert_true(n > 1);
    mereau_store_close(store);
    assert_int_equal(test_alloc_live(), before);
}

/* Two PUTs in one batch. */
static int32_t put_two(mereau_store *store, uint64_t expect, uint64_t version) {
    mereau_need need = {0};
    mereau_write writes[2] = {{0}};
    size_t failed = SIZE_MAX;

    need.size = (uint32_t)sizeof need;
    need.kind = MEREAU_NEED_COMMIT;
    need.partition = (const uint8_t *)"p";
    need.partition_len = 1;
    need.writes = writes;
    need.n_writes = 2;
    for (size_t i = 0; i < 2; i++) {
        writes[i].kind = MEREAU_WRITE_PUT;
        writes[i].expect = expect;
        writes[i].record.key = (const uint8_t *)(i == 0 ? "a" : "b");
        writes[i].record.key_len = 1;
        writes[i].record.version = version;
    }
    return store->commit(store->user, &need, &failed);
}

static void commit_without_memory_applies_nothing(void **state) {
    mereau_store *store = NULL;
    unsigned long n = 0;
    long before;
    (void)state;
    if (!test_alloc_available())
        skip();
    assert_int_equal(mereau_memory_open(&store, NULL), MEREAU_OK);
    assert_int_equal(put_two(store, MEREAU_VERSION_ABSENT, 1), MEREAU_STORE_OK);
    before = test_alloc_live();
    for (;;) {
        test_alloc_fail_at(++n);
        int32_t result = put_two(store, 1, 2);
        if (test_alloc_pending())
            break;
        assert_int_equal(result, MEREAU_STORE_BUSY);
        assert_int_equal(version_of(store, "a", NULL), 1);
        assert_int_equal(version_of(store, "b", NULL), 1);
        assert_int_equal(test_alloc_live(), before);
    }
    test_alloc_fail_at(0);
    assert_true(n > 2);
    assert_int_equal(version_of(store, "b", NULL), 2);
    mereau_store_close(store);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(open_without_memory_says_so_and_leaks_nothing),
        cmocka_unit_test(commit_without_memory_applies_nothing),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
