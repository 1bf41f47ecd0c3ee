/* tests/store/test_memory.c - the store in memory: the kit, and what the kit
 * does not ask. */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

#include <cmocka.h>

#include "support.h"

static int32_t open_memory(void *user, mereau_store **out) {
    (void)user;
    return mereau_memory_open(out, NULL);
}

static void passes_the_store_kit(void **state) {
    mereau_store_kit kit = MEREAU_STORE_KIT_INIT;
    struct noted noted = {.print = 1};
    (void)state;
    kit.caps = MEREAU_CAP_LINEAR | MEREAU_CAP_ORDERED;
    kit.open = open_memory;
    kit.seed = 1;
    assert_int_equal(mereau_store_kit_run(&kit, note, &noted), 0);
    assert_int_equal(noted.n_failed, 0);
    assert_true(noted.n_passed >= 40);
}

static void passes_the_store_kit_with_64_threads(void **state) {
    mereau_store_kit kit = MEREAU_STORE_KIT_INIT;
    struct noted noted = {.print = 1};
    (void)state;
    kit.open = open_memory;
    kit.seed = 2;
    kit.threads = 64;
    kit.records = 100;
    assert_int_equal(mereau_store_kit_run(&kit, note, &noted), 0);
}

static void claims_to_be_neither_durable_nor_shared(void **state) {
    mereau_store_kit kit = MEREAU_STORE_KIT_INIT;
    struct noted noted = {.print = 0};
    (void)state;
    kit.open = open_memory;
    kit.caps = MEREAU_CAP_DURABLE;
    assert_int_equal(mereau_store_kit_run(&kit, note, &noted), 1);
    assert_true(noted_failure(&noted, "table_is_complete"));
}

static void open_without_a_place_for_the_store_is_refused(void **state) {
    mereau_error err = MEREAU_ERROR_INIT;
    (void)state;
    assert_int_equal(mereau_memory_open(NULL, &err), MEREAU_E_ARG);
    assert_int_equal(err.status, MEREAU_E_ARG);
    assert_int_equal(mereau_memory_open(NULL, NULL), MEREAU_E_ARG);
    mereau_store_close(NULL);
}

static void table_is_zeroed_to_the_callers_size(void **state) {
    mereau_store store;
    (void)state;
    memset(&store, 0xff, sizeof store);
    mereau_store_init(&store, offsetof(mereau_store, scan));
    assert_int_equal(store.size, offsetof(mereau_store, scan));
    assert_null(store.get);
    assert_non_null((void *)(uintptr_t)store.close); /* beyond: untouched */
    mereau_store_close(&store); /* too short to have a close: nothing */
    mereau_store_init(&store, sizeof store);
    assert_int_equal(store.size, sizeof store);
    assert_null(store.close);
    mereau_store_close(&store);
    mereau_store_init(NULL, sizeof store);
}

/* --- what the contract does not know is refused, and applies nothing --- */

static int32_t commit_one(mereau_store *store, uint32_t kind, uint64_t expect,
                          uint64_t version, size_t key_len, size_t value_len) {
    static uint8_t bytes[MEREAU_MAX_VALUE + 1];
    mereau_need need = {0};
    mereau_write write = {0};
    need.size = (uint32_t)sizeof need;
    need.kind = MEREAU_NEED_COMMIT;
    need.partition = (const uint8_t *)"p";
    need.partition_len = 1;
    need.writes = &write;
    need.n_writes = 1;
    write.kind = kind;
    write.expect = expect;
    write.record.key = bytes;
    write.record.key_len = key_len;
    write.record.value = bytes;
    write.record.value_len = value_len;
    write.record.version = version;
    return store->commit(store->user, &need, NULL);
}

static void writes_outside_the_contract_are_refused(void **state) {
    mereau_store *s = NULL;
    (void)state;
    assert_int_equal(mereau_memory_open(&s, NULL), MEREAU_OK);
    assert_int_equal(commit_one(s, MEREAU_WRITE_CHECK, 0, 0, 1, 0),
                     MEREAU_STORE_UNSUPPORTED);
    assert_int_equal(commit_one(s, MEREAU_WRITE_CHECK, UINT64_MAX, 0, 1, 0),
                     MEREAU_STORE_UNSUPPORTED);
    assert_int_equal(commit_one(s, MEREAU_WRITE_DELETE, 0, 0, 1, 0),
                     MEREAU_STORE_UNSUPPORTED);
    assert_int_equal(commit_one(s, MEREAU_WRITE_PUT, 0, 0, 1, 0),
                     MEREAU_STORE_UNSUPPORTED);
    assert_int_equal(commit_one(s, MEREAU_WRITE_PUT, 0, UINT64_MAX, 1, 0),
                     MEREAU_STORE_UNSUPPORTED);
    assert_int_equal(commit_one(s, 9, 0, 1, 1, 0), MEREAU_STORE_UNSUPPORTED);
    assert_int_equal(commit_one(s, MEREAU_WRITE_PUT, 0, 1, 0, 0),
                     MEREAU_STORE_LIMIT);
    assert_int_equal(commit_one(s, MEREAU_WRITE_PUT, 0, 1, 256, 0),
                     MEREAU_STORE_LIMIT);
    assert_int_equal(commit_one(s, MEREAU_WRITE_PUT, 0, 1, 1, 65537),
                     MEREAU_STORE_LIMIT);
    assert_int_equal(commit_one(s, MEREAU_WRITE_PUT, 0, 1, 1, 65536),
                     MEREAU_STORE_OK);
    assert_int_equal(commit_one(s, MEREAU_WRITE_PUT, 0, 2, 1, 0),
                     MEREAU_STORE_CONFLICT);
    mereau_store_close(s);
}

static void many_records_stay_quick_to_find(void **state) {
    enum { N = 200000 };
    mereau_store *store = NULL;
    clock_t begin;
    char key[16];
    int32_t result;
    (void)state;
    assert_int_equal(mereau_memory_open(&store, NULL), MEREAU_OK);
    for (uint32_t i = 0; i < N; i++) {
        snprintf(key, sizeof key, "%u", (unsigned)(i * 2654435761u));
        assert_int_equal(put(store, key, 0, i + 1, "v"), MEREAU_STORE_OK);
    }
    begin = clock();
    for (uint32_t i = 0; i < N; i += N / 1000) {
        snprintf(key, sizeof key, "%u", (unsigned)(i * 2654435761u));
        assert_int_equal(version_of(store, key, &result), i + 1);
    }
    /* A list that is walked would take seconds for these 1000. */
    assert_true(clock() - begin < CLOCKS_PER_SEC / 2);
    mereau_store_close(store);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(passes_the_store_kit),
        cmocka_unit_test(passes_the_store_kit_with_64_threads),
        cmocka_unit_test(claims_to_be_neither_durable_nor_shared),
        cmocka_unit_test(open_without_a_place_for_the_store_is_refused),
        cmocka_unit_test(table_is_zeroed_to_the_callers_size),
        cmocka_unit_test(writes_outside_the_contract_are_refused),
        cmocka_unit_test(many_records_stay_quick_to_find),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
