/* tests/unit/test_port.c - locks, sleep, clock and randomness of the system
 * (lib/port). */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include <pthread.h>
#include <sched.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include <mereau/system.h>

#include "alloc.h"
#include "port/port.h"

struct shared {
    mru_lock *lock;
    volatile long count;
};

static void *count_up(void *arg) {
    struct shared *shared = arg;
    for (int i = 0; i < 50000; i++) {
        mru_lock_take(shared->lock);
        long seen = shared->count;
        if (i % 100 == 0)
            sched_yield(); /* the worst place to be interrupted */
        shared->count = seen + 1;
        mru_lock_give(shared->lock);
    }
    return NULL;
}

static void a_lock_lets_one_thread_in(void **state) {
    struct shared shared = {mru_lock_new(), 0};
    pthread_t threads[4];
    (void)state;
    assert_non_null(shared.lock);
    for (size_t i = 0; i < 4; i++)
        assert_int_equal(pthread_create(&threads[i], NULL, count_up, &shared),
                         0);
    for (size_t i = 0; i < 4; i++)
        pthread_join(threads[i], NULL);
    assert_int_equal(shared.count, 200000);
    mru_lock_free(shared.lock);
    mru_lock_free(NULL);
}

static void without_memory_there_is_no_lock(void **state) {
    (void)state;
    if (!test_alloc_available())
        skip();
    test_alloc_fail_at(1);
    mru_lock *lock = mru_lock_new();
    test_alloc_fail_at(0);
    assert_null(lock);
}

static void sleep_takes_its_time(void **state) {
    struct timespec a, b;
    (void)state;
    clock_gettime(CLOCK_MONOTONIC, &a);
    mru_sleep_ms(0);
    mru_sleep_ms(20);
    clock_gettime(CLOCK_MONOTONIC, &b);
    int64_t ns =
        (int64_t)(b.tv_sec - a.tv_sec) * 1000000000 + (b.tv_nsec - a.tv_nsec);
    assert_true(ns >= 20 * 1000000);
}

static void random_bytes_fill_all_and_never_repeat(void **state) {
    uint8_t a[1000] = {0}, b[1000] = {0};
    int seen[256] = {0}, distinct = 0;
    (void)state;
    assert_int_equal(mru_os_random(NULL, a, sizeof a), 0);
    assert_int_equal(mereau_system_random(b, sizeof b, NULL), MEREAU_OK);
    assert_memory_not_equal(a, b, sizeof a);
    for (size_t i = 0; i + 16 <= sizeof a; i += 16)
        assert_memory_not_equal(a + i, "\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0", 16);
    for (size_t i = 0; i < sizeof a; i++)
        seen[a[i]] = 1;
    for (size_t i = 0; i < 256; i++)
        distinct += seen[i];
    assert_true(distinct > 200); /* expected: 251 */
    assert_int_equal(mru_os_random(NULL, a, 0), 0);
}

static void random_bytes_need_somewhere_to_go(void **state) {
    mereau_error err = MEREAU_ERROR_INIT;
    uint8_t out[4] = {1, 1, 1, 1};
    (void)state;
    assert_int_equal(mereau_system_random(NULL, 4, &err), MEREAU_E_ARG);
    assert_string_equal(err.rule, "argument.out");
    assert_int_equal(mereau_system_random(out, 0, &err), MEREAU_E_ARG);
    assert_int_equal(mereau_system_random(out, 4, &err), MEREAU_OK);
    assert_int_equal(err.status, MEREAU_OK);
    assert_string_equal(err.text, "");
    err.size = 0;
    assert_int_equal(mereau_system_random(out, 4, &err), MEREAU_E_SIZE);
    assert_memory_equal(out, "\0\0\0\0", 4);
}

static void the_clock_is_the_systems(void **state) {
    const mereau_clock *clock_ = mereau_system_clock();
    int64_t at = 0;
    (void)state;
    assert_int_equal(clock_->size, sizeof *clock_);
    int64_t before = (int64_t)time(NULL);
    assert_int_equal(clock_->now(clock_->user, &at), 0);
    assert_true(at >= before && at <= (int64_t)time(NULL));
}

static void a_fork_has_another_process_id(void **state) {
    uint64_t parent = mru_process_id();
    int result = 0;
    (void)state;
    assert_true(parent == mru_process_id());
    pid_t child = fork();
    assert_true(child >= 0);
    if (child == 0)
        _exit(mru_process_id() == parent ? 1 : 42);
    assert_true(waitpid(child, &result, 0) == child);
    assert_true(WIFEXITED(result));
    assert_int_equal(WEXITSTATUS(result), 42);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_lock_lets_one_thread_in),
        cmocka_unit_test(without_memory_there_is_no_lock),
        cmocka_unit_test(sleep_takes_its_time),
        cmocka_unit_test(random_bytes_fill_all_and_never_repeat),
        cmocka_unit_test(random_bytes_need_somewhere_to_go),
        cmocka_unit_test(the_clock_is_the_systems),
        cmocka_unit_test(a_fork_has_another_process_id),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
