/* tests/store/test_histories.c - histories of several threads on real stores, with
 * lost replies and noise, are linearizable; those of wrong stores are not, and the
 * checker says so. HISTORIES: how many of each store. */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include <mereau/sqlite.h>

#include "history.h"
#include "support.h"
#include "wrong_stores.h"

/* --- the checker on histories made by hand --- */

/* Adds an operation on one key. */
static struct history_op *add(struct history *h, int is_commit, uint64_t began,
                              uint64_t ended, int32_t result) {
    struct history_op *op = &h->ops[h->n++];
    memset(op, 0, sizeof *op);
    op->is_commit = is_commit;
    op->began = began;
    op->ended = ended;
    op->result = result;
    op->failed = SIZE_MAX;
    return op;
}

static void get(struct history *h, uint64_t began, uint64_t ended, int key,
                uint64_t version) {
    struct history_op *op = add(h, 0, began, ended, MEREAU_STORE_OK);
    struct history_part part = {key, 0, 0, version};
    op->parts[op->n_parts++] = part;
}

static struct history_op *write_one(struct history *h, uint64_t began,
                                    uint64_t ended, int32_t result, int key,
                                    uint32_t kind, uint64_t expect,
                                    uint64_t version) {
    struct history_op *op = add(h, 1, began, ended, result);
    struct history_part part = {key, kind, expect, version};
    op->parts[op->n_parts++] = part;
    return op;
}

#define PUT MEREAU_WRITE_PUT
#define DELETE MEREAU_WRITE_DELETE
#define CHECK MEREAU_WRITE_CHECK
#define ANY MEREAU_VERSION_ANY
#define OK MEREAU_STORE_OK
#define LOST MEREAU_STORE_UNKNOWN
#define NEVER UINT64_MAX

static void reads_during_a_write_may_see_either(void **state) {
    struct history h = {0};
    (void)state;
    write_one(&h, 1, 10, OK, 0, PUT, 0, 5);
    get(&h, 2, 3, 0, 0);
    get(&h, 4, 5, 0, 5);
    assert_int_equal(history_check(&h), HISTORY_LINEAR);
    get(&h, 6, 7, 0, 0); /* but not the old one after the new one */
    assert_int_equal(history_check(&h), HISTORY_WRONG);
}

static void an_old_read_after_a_write_is_wrong(void **state) {
    struct history h = {0};
    (void)state;
    write_one(&h, 1, 2, OK, 0, PUT, 0, 5);
    get(&h, 3, 4, 0, 0);
    assert_int_equal(history_check(&h), HISTORY_WRONG);
}

static void a_lost_update_is_wrong(void **state) {
    struct history h = {0};
    (void)state;
    write_one(&h, 1, 2, OK, 0, PUT, 0, 5);
    write_one(&h, 3, 10, OK, 0, PUT, 5, 6);
    assert_int_equal(history_check(&h), HISTORY_LINEAR);
    write_one(&h, 4, 11, OK, 0, PUT, 5, 7);
    assert_int_equal(history_check(&h), HISTORY_WRONG);
}

static void write_skew_is_wrong(void **state) {
    struct history h = {0};
    struct history_op *op;
    (void)state;
    write_one(&h, 1, 2, OK, 0, PUT, 0, 1);
    write_one(&h, 3, 4, OK, 1, PUT, 0, 2);
    op = write_one(&h, 5, 9, OK, 0, CHECK, 1, 0);
    op->parts[op->n_parts++] = (struct history_part){1, PUT, 2, 3};
    assert_int_equal(history_check(&h), HISTORY_LINEAR);
    op = write_one(&h, 6, 10, OK, 0, PUT, 1, 4);
    op->parts[op->n_parts++] = (struct history_part){1, CHECK, 2, 0};
    assert_int_equal(history_check(&h), HISTORY_WRONG);
}

static void a_lost_commit_may_land_late_or_never(void **state) {
    struct history h = {0};
    (void)state;
    write_one(&h, 1, NEVER, LOST, 0, PUT, 0, 5);
    get(&h, 2, 3, 0, 0);
    assert_int_equal(history_check(&h), HISTORY_LINEAR);
    get(&h, 4, 5, 0, 5);
    assert_int_equal(history_check(&h), HISTORY_LINEAR);
    get(&h, 6, 7, 0, 0);
    assert_int_equal(history_check(&h), HISTORY_WRONG);
}

static void a_lost_commit_does_not_land_twice(void **state) {
    struct history h = {0};
    (void)state;
    write_one(&h, 1, NEVER, LOST, 0, PUT, ANY, 5);
    get(&h, 2, 3, 0, 5);
    write_one(&h, 4, 5, OK, 0, PUT, 5, 6);
    get(&h, 6, 7, 0, 6);
    assert_int_equal(history_check(&h), HISTORY_LINEAR);
    get(&h, 8, 9, 0, 5);
    assert_int_equal(history_check(&h), HISTORY_WRONG);
}

static void a_lost_commit_lands_under_its_condition(void **state) {
    struct history h = {0};
    (void)state;
    write_one(&h, 1, NEVER, LOST, 0, PUT, 0, 5);
    get(&h, 2, 3, 0, 0);
    write_one(&h, 4, 5, OK, 0, PUT, 0, 6);
    get(&h, 6, 7, 0, 5);
    assert_int_equal(history_check(&h), HISTORY_WRONG);
}

static void a_conflict_must_have_had_a_reason(void **state) {
    struct history h = {0};
    struct history_op *op;
    (void)state;
    write_one(&h, 1, 2, OK, 0, PUT, 0, 5);
    op = write_one(&h, 3, 4, MEREAU_STORE_CONFLICT, 0, DELETE, 5, 0);
    assert_int_equal(history_check(&h), HISTORY_LINEAR); /* it gave up */
    op->failed = 0; /* but this is said to be why */
    assert_int_equal(history_check(&h), HISTORY_WRONG);
    op->parts[0].expect = 4;
    assert_int_equal(history_check(&h), HISTORY_LINEAR);
}

static void a_get_is_one_instant(void **state) {
    struct history h = {0};
    struct history_op *op;
    (void)state;
    write_one(&h, 1, 2, OK, 0, PUT, 0, 1);
    write_one(&h, 3, 4, OK, 1, PUT, 0, 2);
    op = add(&h, 0, 0, 5, OK);
    op->n_parts = 2;
    op->parts[0] = (struct history_part){0, 0, 0, 0};
    op->parts[1] = (struct history_part){1, 0, 0, 2};
    assert_int_equal(history_check(&h), HISTORY_WRONG);
    op->parts[0].version = 1;
    assert_int_equal(history_check(&h), HISTORY_LINEAR);
}

/* --- real stores --- */

static void memory_is_linearizable(void **state) {
    mereau_store *store = NULL;
    int n = histories_wanted();
    (void)state;
    assert_int_equal(mereau_memory_open(&store, NULL), MEREAU_OK);
    assert_int_equal(histories_run(store, "memory", 1, n, PLANT_NONE, 1), n);
    mereau_store_close(store);
}

static void sqlite_is_linearizable(void **state) {
    struct folder folder;
    mereau_store *store = NULL;
    char path[128];
    int n = histories_wanted();
    (void)state;
    assert_int_equal(folder_make(&folder), 0);
    folder_file(&folder, "store", path);
    assert_int_equal(mereau_sqlite_open(&store, path, NULL), MEREAU_OK);
    assert_int_equal(histories_run(store, "SQLite", 1, n, PLANT_NONE, 1), n);
    mereau_store_close(store);
    folder_remove(&folder);
}

/* --- wrong ones --- */

enum { AT_MOST = 2000 }; /* histories until a wrong store must have been found */

static void is_found(enum fault fault, enum history_plant plant,
                     const char *name) {
    struct wrong wrong = {fault, WRONG_MEMORY, 0, NULL, NULL};
    mereau_store *store = NULL;
    int good;
    assert_int_equal(wrong_open(&wrong, &store), 0);
    good = histories_run(store, name, 1, AT_MOST, plant, 0);
    mereau_store_close(store);
    wrong_forget(&wrong);
    print_message("faults: histories, wrong store: %s: found at history %d\n",
                  name, good + 1);
    assert_true(good < AT_MOST);
}

static void wrong_stores_are_found(void **state) {
#define WRONG(fault)                                                           \
    { fault, #fault }
    static const struct {
        enum fault fault;
        const char *name;
    } all[] = {
        WRONG(GET_READS_KEY_BY_KEY),
        WRONG(GET_ANSWERS_FROM_A_CACHE),
        WRONG(GET_LOSES_VERSIONS),
        WRONG(GET_MIXES_UP_INDEXES),
        WRONG(PUT_IGNORES_ABSENT),
        WRONG(PUT_IGNORES_VERSION),
        WRONG(DELETE_IGNORES_VERSION),
        WRONG(DELETE_DOES_NOTHING),
        WRONG(CHECK_IGNORED),
        WRONG(CHECK_BEFORE_THE_LOCK),
        WRONG(CONFLICT_APPLIES_WHAT_WENT_BEFORE),
        WRONG(CONFLICT_BLAMES_THE_FIRST),
        WRONG(DELETES_LOST_BESIDE_PUTS),
        WRONG(WRITES_ONE_BY_ONE),
        WRONG(LAST_WRITE_WINS),
        WRONG(ABSENT_THEN_INSERT),
    };
    (void)state;
    for (size_t i = 0; i < sizeof all / sizeof all[0]; i++)
        is_found(all[i].fault, PLANT_NONE, all[i].name);
}

static void a_wrong_network_is_found(void **state) {
    (void)state;
    is_found(FAULT_NONE, PLANT_DELIVERS_TWICE, "commits that arrive twice");
    is_found(FAULT_NONE, PLANT_ANSWERS_EARLY, "OK before it is applied");
    is_found(FAULT_NONE, PLANT_CALLS_LATE_BUSY, "BUSY of what lands later");
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(reads_during_a_write_may_see_either),
        cmocka_unit_test(an_old_read_after_a_write_is_wrong),
        cmocka_unit_test(a_lost_update_is_wrong),
        cmocka_unit_test(write_skew_is_wrong),
        cmocka_unit_test(a_lost_commit_may_land_late_or_never),
        cmocka_unit_test(a_lost_commit_does_not_land_twice),
        cmocka_unit_test(a_lost_commit_lands_under_its_condition),
        cmocka_unit_test(a_conflict_must_have_had_a_reason),
        cmocka_unit_test(a_get_is_one_instant),
        cmocka_unit_test(memory_is_linearizable),
        cmocka_unit_test(sqlite_is_linearizable),
        cmocka_unit_test(wrong_stores_are_found),
        cmocka_unit_test(a_wrong_network_is_found),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
