/* tests/store/test_wrong_stores.c - the store kit is believed because each of
 * these faults makes it fail, at the check that is named for it. */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "support.h"
#include "wrong_stores.h"

struct planted {
    enum fault fault;
    const char *check; /* that must fail */
    enum wrong_base base;
    uint32_t caps;
};

/* attempt: from the second on only the named check, with more and more time. */
static void run(struct planted *planted, const char *path, unsigned attempt,
                struct noted *noted) {
    struct wrong wrong = {planted->fault, planted->base, planted->caps, path,
                          NULL};
    mereau_store_kit kit = MEREAU_STORE_KIT_INIT;
    int32_t failures;
    kit.user = &wrong;
    kit.open = wrong_open;
    kit.seed = (uint64_t)planted->fault + 100;
    kit.race_ms = 80u << (2 * attempt);
    kit.records = 2000;
    /* All of the kit on each would take minutes. */
    kit.only =
        planted->base == WRONG_SQLITE || attempt > 0 ? planted->check : NULL;
    failures = mereau_store_kit_run(&kit, note, noted);
    wrong_forget(&wrong);
    assert_int_equal(failures, noted->n_failed);
}

/* A race has to be met before it can be seen, and on a busy machine that takes
 * longer: what was not caught at once gets three more tries. */
static void is_caught(struct planted *planted) {
    struct noted noted = {.print = 0};
    int caught = 0;

    for (unsigned attempt = 0; attempt < 4 && !caught; attempt++) {
        struct folder folder;
        char path[128];
        memset(&noted, 0, sizeof noted);
        assert_int_equal(folder_make(&folder), 0);
        run(planted, folder_file(&folder, "store", path), attempt, &noted);
        folder_remove(&folder);
        caught = noted_failure(&noted, planted->check);
    }
    if (!caught) {
        print_error("fault %d was not caught by %s; %u other checks failed\n",
                    (int)planted->fault, planted->check,
                    (unsigned)noted.n_failed);
        fail();
    }
}

static void wrapper_without_a_fault_passes(void **state) {
    struct planted none = {FAULT_NONE, "", WRONG_MEMORY, 0};
    struct noted noted = {.print = 1};
    (void)state;
    run(&none, NULL, 0, &noted);
    assert_int_equal(noted.n_failed, 0);
    assert_true(noted.n_passed > 40);
}

#define CAUGHT(test, fault, check)                                             \
    static void test(void **state) {                                           \
        struct planted planted = {fault, check, WRONG_MEMORY, 0};              \
        (void)state;                                                           \
        is_caught(&planted);                                                   \
    }
#define CAUGHT_ON(base, caps, test, fault, check)                              \
    static void test(void **state) {                                           \
        struct planted planted = {fault, check, base, caps};                   \
        (void)state;                                                           \
        is_caught(&planted);                                                   \
    }

/* clang-format off */
CAUGHT(absent_key_without_an_answer, GET_MISSES_ABSENT_KEYS, "get_answers_every_key_once")
CAUGHT(key_answered_twice, GET_DOUBLES_A_KEY, "get_answers_every_key_once")
CAUGHT(answers_under_wrong_indexes, GET_MIXES_UP_INDEXES, "get_answers_every_key_once")
CAUGHT(absent_shown_as_empty, GET_SHOWS_ABSENT_AS_EMPTY, "get_tells_absence")
CAUGHT(get_that_ignores_stop, GET_GOES_ON_AFTER_STOP, "get_stops_when_asked")
CAUGHT(get_that_is_no_snapshot, GET_READS_KEY_BY_KEY, "get_is_one_instant")
CAUGHT(get_from_a_cache, GET_ANSWERS_FROM_A_CACHE, "finished_commit_is_seen")
CAUGHT(version_not_given_back, GET_LOSES_VERSIONS, "put_is_read_back")
CAUGHT(absent_ignored, PUT_IGNORES_ABSENT, "put_absent_wants_absence")
CAUGHT(version_ignored, PUT_IGNORES_VERSION, "put_wants_its_version")
CAUGHT(put_any_that_only_updates, PUT_ANY_ONLY_UPDATES, "put_any_wants_nothing")
CAUGHT(delete_without_condition, DELETE_IGNORES_VERSION, "delete_wants_its_version")
CAUGHT(delete_any_that_wants_a_record, DELETE_ANY_WANTS_A_RECORD, "delete_any_wants_nothing")
CAUGHT(delete_that_does_nothing, DELETE_DOES_NOTHING, "delete_removes")
CAUGHT(check_ignored, CHECK_IGNORED, "check_wants_its_version")
CAUGHT(check_that_writes, CHECK_WRITES, "check_changes_nothing")
CAUGHT(check_looked_at_before_the_lock, CHECK_BEFORE_THE_LOCK, "write_skew_by_check")
CAUGHT(part_applied_on_conflict, CONFLICT_APPLIES_WHAT_WENT_BEFORE, "conflict_applies_nothing")
CAUGHT(wrong_hint, CONFLICT_BLAMES_THE_FIRST, "conflict_hint_is_true")
CAUGHT(deletes_lost_beside_puts, DELETES_LOST_BESIDE_PUTS, "random_batches_match_a_model")
CAUGHT(torn_commit, WRITES_ONE_BY_ONE, "commit_is_seen_whole")
CAUGHT(last_write_wins, LAST_WRITE_WINS, "counter_loses_no_update")
CAUGHT(insert_after_a_look, ABSENT_THEN_INSERT, "absent_is_won_once")
CAUGHT(keys_that_end_at_nul, KEYS_END_AT_NUL, "keys_may_hold_nul")
CAUGHT(keys_of_7_bits, KEYS_ARE_7_BIT, "keys_may_hold_any_byte")
CAUGHT(keys_without_case, KEYS_WITHOUT_CASE, "keys_differ_by_case")
CAUGHT(keys_that_are_trimmed, KEYS_ARE_TRIMMED, "keys_keep_spaces")
CAUGHT(keys_that_are_cut, KEYS_ARE_CUT, "keys_of_255_bytes")
CAUGHT(values_as_text, VALUES_ARE_TEXT, "values_are_bytes")
CAUGHT(values_that_are_cut, VALUES_ARE_CUT, "value_of_65536_bytes")
CAUGHT(empty_value_as_absence, EMPTY_VALUE_DELETES, "value_may_be_empty")
CAUGHT(batch_that_is_cut, BATCH_IS_CUT, "batch_of_128_writes")
CAUGHT(versions_of_32_bits, VERSIONS_OF_32_BITS, "versions_above_32_bits")
CAUGHT(versions_of_63_bits, VERSIONS_OF_63_BITS, "versions_above_63_bits")
CAUGHT(early_drop, DROPS_A_DAY_EARLY, "expiry_is_never_early")
CAUGHT(expiry_of_32_bits, DROPS_BY_32_BITS, "expiry_beyond_2038")
CAUGHT(partitions_ignored, PARTITIONS_IGNORED, "partitions_are_apart")
CAUGHT(partition_and_key_joined, PARTITION_AND_KEY_JOINED, "partition_and_key_are_not_joined")
CAUGHT(records_beyond_a_thousand_lost, FULL_AFTER_1000, "many_records_are_kept")
CAUGHT(scan_backwards, SCAN_BACKWARDS, "scan_is_ascending")
CAUGHT(scan_of_keys_only, SCAN_WITHOUT_VALUES, "scan_gives_whole_records")
CAUGHT(scan_that_leaves_out_from, SCAN_BEHIND_FROM, "scan_from_is_included")
CAUGHT(scan_that_includes_to, SCAN_INCLUDES_TO, "scan_to_is_excluded")
CAUGHT(scan_without_limit, SCAN_IGNORES_LIMIT, "scan_limit_holds")
CAUGHT(scan_that_skips_at_cursors, SCAN_SKIPS_AT_CURSORS, "scan_pages_miss_nothing")
CAUGHT(scan_that_ignores_stop, SCAN_GOES_ON_AFTER_STOP, "scan_stops_when_asked")
CAUGHT(scan_that_runs_into_neighbours, SCAN_RUNS_INTO_NEIGHBOURS, "scan_stays_in_its_partition")
CAUGHT(scan_by_offset, SCAN_BY_OFFSET, "scan_misses_nothing_while_others_write")
CAUGHT_ON(WRONG_MEMORY, MEREAU_CAP_DURABLE, durable_that_forgets, FAULT_NONE, "reopen_keeps_records")
CAUGHT_ON(WRONG_KEPT, MEREAU_CAP_SHARED, shared_that_is_not, FAULT_NONE, "processes_lose_no_update")
CAUGHT_ON(WRONG_SQLITE, 0, insert_after_a_look_by_processes, ABSENT_THEN_INSERT, "processes_win_absent_once")
CAUGHT_ON(WRONG_SQLITE, 0, check_before_the_lock_by_processes, CHECK_BEFORE_THE_LOCK, "processes_have_no_write_skew")
CAUGHT_ON(WRONG_SQLITE, 0, torn_commit_of_a_killed_process, WRITES_ONE_BY_ONE, "killed_process_leaves_whole_commits")

#define TESTS(X)                                                               \
    X(wrapper_without_a_fault_passes) X(absent_key_without_an_answer)          \
    X(key_answered_twice) X(answers_under_wrong_indexes)                       \
    X(absent_shown_as_empty) X(get_that_ignores_stop)                          \
    X(get_that_is_no_snapshot) X(get_from_a_cache) X(version_not_given_back)   \
    X(absent_ignored) X(version_ignored) X(put_any_that_only_updates)          \
    X(delete_without_condition) X(delete_any_that_wants_a_record)              \
    X(delete_that_does_nothing) X(check_ignored) X(check_that_writes)          \
    X(check_looked_at_before_the_lock) X(part_applied_on_conflict)             \
    X(wrong_hint) X(deletes_lost_beside_puts) X(torn_commit)                   \
    X(last_write_wins) X(insert_after_a_look) X(keys_that_end_at_nul)          \
    X(keys_of_7_bits) X(keys_without_case) X(keys_that_are_trimmed)            \
    X(keys_that_are_cut) X(values_as_text) X(values_that_are_cut)              \
    X(empty_value_as_absence) X(batch_that_is_cut) X(versions_of_32_bits)      \
    X(versions_of_63_bits) X(early_drop) X(expiry_of_32_bits)                  \
    X(partitions_ignored) X(partition_and_key_joined)                          \
    X(records_beyond_a_thousand_lost) X(scan_backwards) X(scan_of_keys_only)   \
    X(scan_that_leaves_out_from) X(scan_that_includes_to)                      \
    X(scan_without_limit) X(scan_that_skips_at_cursors)                        \
    X(scan_that_ignores_stop) X(scan_that_runs_into_neighbours)                \
    X(scan_by_offset) X(durable_that_forgets) X(shared_that_is_not)            \
    X(insert_after_a_look_by_processes)                                        \
    X(check_before_the_lock_by_processes)                                      \
    X(torn_commit_of_a_killed_process)
/* clang-format on */

#define UNIT_TEST(test) cmocka_unit_test(test),

int main(void) {
    const struct CMUnitTest tests[] = {TESTS(UNIT_TEST)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
