/* tests/unit/test_notbefore.c - not-befores (lib/model/notbefore.c). */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include "model/notbefore.h"
#include "alloc.h"

#define NOW INT64_C(1700000000)

/* Four levels, of which the first `there` exist. */
struct fixture {
    struct mru_bag bags[MRU_LEVELS];
    const struct mru_bag *levels[MRU_LEVELS];
    mereau_error err;
};

static void set_up(struct fixture *f, size_t there) {
    memset(f, 0, sizeof *f);
    mereau_error_init(&f->err, sizeof f->err);
    for (size_t i = 0; i < there; i++)
        f->levels[i] = &f->bags[i];
}

static void tear_down(struct fixture *f) {
    for (size_t i = 0; i < MRU_LEVELS; i++)
        mru_bag_free(&f->bags[i]);
}

static mereau_status raise_at(struct fixture *f, size_t level, int64_t at,
                              int64_t now_at) {
    return mru_not_before_raise_level(&f->bags[level], at, now_at, &f->err);
}

static void nothing_raised_refuses_nothing(void **state) {
    struct fixture f;
    struct mru_born born;
    (void)state;
    set_up(&f, 1);
    mru_born_now(&born, f.levels, NOW);
    assert_true(born.born_at == NOW);
    assert_int_equal(mru_not_before(&born, f.levels), -1);
    born.born_at = INT64_MIN + 2;
    assert_int_equal(mru_not_before(&born, f.levels), -1);
    tear_down(&f);
}

static void a_raise_to_now_refuses_what_was_there_and_not_what_comes(void **s) {
    (void)s;
    for (int level = 0; level < MRU_LEVELS; level++) {
        struct fixture f;
        struct mru_born before, after;
        set_up(&f, MRU_LEVELS);
        mru_born_now(&before, f.levels, NOW);
        assert_int_equal(raise_at(&f, (size_t)level, MEREAU_NOW, NOW), 0);
        assert_int_equal(mru_not_before(&before, f.levels), level);
        mru_born_now(&after, f.levels, NOW);
        assert_int_equal(mru_not_before(&after, f.levels), -1);
        /* Its iat is what verifiers without a store compare. */
        assert_true(after.born_at >
                    mru_bag_int(&f.bags[level], MEREAU_NOT_BEFORE_AT));
        assert_true(after.born_at <= NOW + 60);
        tear_down(&f);
    }
}

static void the_first_level_that_refuses_is_named(void **state) {
    struct fixture f;
    struct mru_born born;
    (void)state;
    set_up(&f, MRU_LEVELS);
    mru_born_now(&born, f.levels, NOW);
    assert_int_equal(raise_at(&f, 3, MEREAU_NOW, NOW), 0);
    assert_int_equal(raise_at(&f, 1, MEREAU_NOW, NOW), 0);
    assert_int_equal(mru_not_before(&born, f.levels), 1);
    tear_down(&f);
}

static void what_another_machine_issued_with_a_fast_clock_is_refused(void **s) {
    struct fixture f;
    struct mru_born born;
    (void)s;
    set_up(&f, 1);
    mru_born_now(&born, f.levels, NOW + MRU_CLOCK_SPREAD_S);
    assert_int_equal(raise_at(&f, 0, MEREAU_NOW, NOW), 0);
    assert_int_equal(mru_not_before(&born, f.levels), 0);
    assert_true(born.born_at <= mru_bag_int(&f.bags[0], MEREAU_NOT_BEFORE_AT));
    tear_down(&f);
}

static void each_of_many_raises_refuses_what_was_issued_between(void **state) {
    struct fixture f;
    struct mru_born born = {{0}, 0};
    int raises = 0;
    (void)state;
    set_up(&f, 1);
    while (raise_at(&f, 0, NOW, NOW) == MEREAU_OK) {
        raises++;
        if (raises > 1)
            assert_int_equal(mru_not_before(&born, f.levels), 0);
        assert_true(born.born_at <=
                    mru_bag_int(&f.bags[0], MEREAU_NOT_BEFORE_AT));
        mru_born_now(&born, f.levels, NOW);
        assert_true(born.born_at <= NOW + 60);
    }
    /* Then no more: an iat further ahead would be refused by verifiers. */
    assert_int_equal(raises, 30);
    assert_int_equal(f.err.status, MEREAU_E_BUSY);
    assert_string_equal(f.err.rule, "not_before.rate");
    assert_int_equal(mru_not_before(&born, f.levels), -1);
    assert_int_equal(raise_at(&f, 0, NOW + 1, NOW + 1), MEREAU_OK);
    assert_int_equal(mru_not_before(&born, f.levels), 0);
    tear_down(&f);
}

static void a_raise_to_the_past_spares_what_is_younger(void **state) {
    struct fixture f;
    struct mru_born old, young;
    (void)state;
    set_up(&f, 2);
    mru_born_now(&old, f.levels, NOW - 100);
    mru_born_now(&young, f.levels, NOW - 10);
    assert_int_equal(raise_at(&f, 1, NOW - 50, NOW), 0);
    assert_int_equal(mru_not_before(&old, f.levels), 1);
    assert_int_equal(mru_not_before(&young, f.levels), -1);
    assert_false(mru_bag_has(&f.bags[1], MRU_F_NB_GENERATION));
    tear_down(&f);
}

static void a_lower_instant_changes_nothing(void **state) {
    struct fixture f;
    (void)state;
    set_up(&f, 1);
    assert_int_equal(raise_at(&f, 0, NOW - 5, NOW), 0);
    assert_int_equal(raise_at(&f, 0, NOW - 50, NOW), 0);
    assert_true(mru_bag_int(&f.bags[0], MEREAU_NOT_BEFORE_AT) == NOW - 5);
    assert_int_equal(raise_at(&f, 0, NOW, NOW), 0);
    assert_int_equal(raise_at(&f, 0, NOW - 5, NOW), 0);
    assert_true(mru_bag_int(&f.bags[0], MEREAU_NOT_BEFORE_AT) ==
                NOW + MRU_CLOCK_SPREAD_S);
    tear_down(&f);
}

static void the_future_is_refused(void **state) {
    struct fixture f;
    (void)state;
    set_up(&f, 1);
    assert_int_equal(raise_at(&f, 0, NOW + 1, NOW), MEREAU_E_POLICY);
    assert_string_equal(f.err.rule, "not_before.at");
    assert_int_equal(f.bags[0].n, 0);
    tear_down(&f);
}

static void a_clock_that_went_back_raises_nothing(void **state) {
    struct fixture f;
    (void)state;
    set_up(&f, 1);
    assert_int_equal(raise_at(&f, 0, NOW, NOW), 0);
    assert_int_equal(raise_at(&f, 0, NOW - 100, NOW - 100), MEREAU_E_BUSY);
    assert_true(mru_bag_int(&f.bags[0], MEREAU_NOT_BEFORE_AT) ==
                NOW + MRU_CLOCK_SPREAD_S);
    tear_down(&f);
}

static void
an_iat_at_the_not_before_is_refused_and_one_behind_it_is_not(void **state) {
    struct fixture f;
    struct mru_born born = {{0}, NOW - 50};
    (void)state;
    set_up(&f, 1);
    assert_int_equal(raise_at(&f, 0, NOW - 50, NOW), 0);
    assert_int_equal(mru_not_before(&born, f.levels), 0);
    born.born_at++;
    assert_int_equal(mru_not_before(&born, f.levels), -1);
    assert_true(mru_not_before_iat(f.levels, NOW - 50) == NOW - 49);
    assert_true(mru_not_before_iat(f.levels, NOW - 49) == NOW - 49);
    tear_down(&f);
}

/* Whatever its clock said: order in the store is the generation's. */
static void an_older_generation_is_refused_whatever_its_iat(void **state) {
    struct fixture f;
    struct mru_born born = {{0}, NOW + 1000};
    (void)state;
    set_up(&f, 1);
    assert_int_equal(raise_at(&f, 0, MEREAU_NOW, NOW), 0);
    assert_int_equal(mru_not_before(&born, f.levels), 0);
    born.generation[0]++;
    assert_int_equal(mru_not_before(&born, f.levels), -1);
    tear_down(&f);
}

static void birth_is_stored_and_loaded(void **state) {
    struct mru_born born = {{1, 0, UINT32_MAX, 7}, NOW}, back = {{0}, 0};
    struct mru_bag bag = {0};
    (void)state;
    assert_int_equal(mru_born_load(&back, &bag), -1);
    mru_born_store(&bag, &born);
    assert_int_equal(mru_born_load(&back, &bag), 0);
    assert_memory_equal(back.generation, born.generation,
                        sizeof born.generation);
    assert_true(back.born_at == NOW);
    mru_bag_set_data(&bag, MRU_F_BORN, 'D', "short", 5);
    assert_int_equal(mru_born_load(&back, &bag), -1);
    mru_bag_free(&bag);
}

static void without_memory_nothing_is_raised_silently(void **state) {
    unsigned long n = 0;
    (void)state;
    if (!test_alloc_available())
        skip();
    do {
        struct fixture f;
        set_up(&f, 1);
        test_alloc_fail_at(++n);
        mereau_status status = raise_at(&f, 0, MEREAU_NOW, NOW);
        int pending = test_alloc_pending();
        test_alloc_fail_at(0);
        assert_int_equal(status, pending ? MEREAU_OK : MEREAU_E_NOMEM);
        tear_down(&f);
        if (pending)
            break;
    } while (n < 100);
    assert_in_range(n, 2, 99);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(nothing_raised_refuses_nothing),
        cmocka_unit_test(
            a_raise_to_now_refuses_what_was_there_and_not_what_comes),
        cmocka_unit_test(the_first_level_that_refuses_is_named),
        cmocka_unit_test(
            what_another_machine_issued_with_a_fast_clock_is_refused),
        cmocka_unit_test(each_of_many_raises_refuses_what_was_issued_between),
        cmocka_unit_test(a_raise_to_the_past_spares_what_is_younger),
        cmocka_unit_test(a_lower_instant_changes_nothing),
        cmocka_unit_test(the_future_is_refused),
        cmocka_unit_test(a_clock_that_went_back_raises_nothing),
        cmocka_unit_test(
            an_iat_at_the_not_before_is_refused_and_one_behind_it_is_not),
        cmocka_unit_test(an_older_generation_is_refused_whatever_its_iat),
        cmocka_unit_test(birth_is_stored_and_loaded),
        cmocka_unit_test(without_memory_nothing_is_raised_silently),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
