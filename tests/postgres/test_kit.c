/* tests/postgres/test_kit.c - the PostgreSQL store against the whole store kit, in
 * each way of using it and behind a group of commits; and histories of the latter. */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <stdio.h>

#include <cmocka.h>

#include <mereau/front.h>
#include <mereau/postgres.h>

#include "../store/grouped.h"
#include "../store/support.h"
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

static int32_t open_for_kit(void *user, mereau_store **out) {
    mereau_error err = MEREAU_ERROR_INIT;
    int32_t status = mereau_postgres_open_with(out, user, &err);
    if (status != MEREAU_OK)
        print_message("%s\n", err.text);
    return status;
}

static int32_t open_grouped_for_kit(void *user, mereau_store **out) {
    mereau_store *below = NULL;
    int32_t status = open_for_kit(user, &below);
    if (status == MEREAU_OK)
        status = mereau_group_open(out, below, NULL);
    return status;
}

/* stricter: than READ COMMITTED. There the engine gives up commits that others
 * only wait for, as a store may, and the two checks that write without a
 * condition, beside readers and behind a process that was killed, may say so. */
static void run_kit_with(int32_t (*open)(void *, mereau_store **),
                         uint32_t flags, const char *setting, uint64_t seed,
                         uint32_t threads, uint32_t processes, int stricter) {
    static const char *const contended[2] = {
        "commit_is_seen_whole", "killed_process_leaves_whole_commits"};
    size_t given_up;
    mereau_postgres_options options = MEREAU_POSTGRES_OPTIONS_INIT;
    mereau_store_kit kit = MEREAU_STORE_KIT_INIT;
    struct noted noted = {.print = 1};
    char conninfo[256], left[32];

    snprintf(conninfo, sizeof conninfo, "%s %s", server.conninfo, setting);
    options.conninfo = conninfo;
    options.flags = flags;
    kit.caps = MEREAU_CAP_DURABLE | MEREAU_CAP_SHARED | MEREAU_CAP_LINEAR |
               MEREAU_CAP_ORDERED;
    kit.user = &options;
    kit.open = open;
    kit.seed = seed;
    kit.threads = threads;
    kit.processes = processes;
    kit.records = 5000;
    (void)mereau_store_kit_run(&kit, note, &noted);
    given_up = 0;
    for (size_t i = 0; stricter && i < 2; i++)
        given_up += (size_t)noted_failure(&noted, contended[i]);
    assert_int_equal(noted.n_failed, given_up);
    assert_int_equal(noted.n_skipped, 0);
    assert_true(noted.n_passed > 50);
    /* A check that failed takes away no more than it can. */
    if (given_up > 0)
        assert_int_equal(
            server_sql(server.conninfo, "DELETE FROM mereau_record", NULL, 0),
            0);
    assert_int_equal(server_sql(server.conninfo,
                                "SELECT count(*) FROM mereau_record", left,
                                sizeof left),
                     0);
    assert_string_equal(left, "0"); /* the kit swept up */
}

static void run_kit(uint32_t flags, const char *setting, uint64_t seed,
                    uint32_t threads, uint32_t processes, int stricter) {
    run_kit_with(open_for_kit, flags, setting, seed, threads, processes,
                 stricter);
}

static void passes_the_store_kit(void **state) {
    (void)state;
    run_kit(0, "", 1, 16, 8, 0);
}

static void passes_the_store_kit_with_explicit_transactions(void **state) {
    (void)state;
    run_kit(MEREAU_POSTGRES_EXPLICIT, "", 2, 0, 0, 0);
}

static void passes_the_store_kit_without_prepared_statements(void **state) {
    (void)state;
    run_kit(MEREAU_POSTGRES_POOLER, "", 3, 0, 0, 0);
}

static void passes_the_store_kit_at_serializable(void **state) {
    (void)state;
    run_kit(0, "options=-cdefault_transaction_isolation=serializable", 4, 0, 0,
            1);
}

static void passes_the_store_kit_at_repeatable_read(void **state) {
    (void)state;
    run_kit(MEREAU_POSTGRES_EXPLICIT,
            "options=-cdefault_transaction_isolation=repeatable\\\\\\ read", 5,
            0, 0, 1);
}

static void a_group_of_commits_in_front_passes_the_store_kit(void **state) {
    (void)state;
    run_kit_with(open_grouped_for_kit, 0, "", 6, 32, 4, 0);
}

static void a_group_of_commits_in_front_is_linearizable(void **state) {
    mereau_store *store = NULL;
    (void)state;
    assert_int_equal(mereau_postgres_open(&store, server.conninfo, NULL),
                     MEREAU_OK);
    grouped_is_linearizable(store, "group over PostgreSQL");
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(passes_the_store_kit),
        cmocka_unit_test(passes_the_store_kit_with_explicit_transactions),
        cmocka_unit_test(passes_the_store_kit_without_prepared_statements),
        cmocka_unit_test(passes_the_store_kit_at_serializable),
        cmocka_unit_test(passes_the_store_kit_at_repeatable_read),
        cmocka_unit_test(a_group_of_commits_in_front_passes_the_store_kit),
        cmocka_unit_test(a_group_of_commits_in_front_is_linearizable),
    };
    return cmocka_run_group_tests(tests, set_up, tear_down);
}
