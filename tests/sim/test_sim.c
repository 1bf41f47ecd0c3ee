/* The simulator (sim.h). First every interleaving, fault and landing of small
 * cases, then large ones at random, until enough different states were seen.
 *
 *   MEREAU_SOAK=1         many more
 *   MEREAU_SIM_SHORT=1    a look only, without a floor (for mutants)
 *   MEREAU_SIM_MORE=n     with it, so many states at random
 *   MEREAU_SIM_RUNS=n     at most so many runs of each small case
 *   MEREAU_SIM_ONLY=name,name   these cases; "random" too
 *   MEREAU_SIM_PATH=0,3,1 one run of the first of them, printed
 *   MEREAU_SIM_SEED=n     one random run, printed */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <time.h>

#include "sim.h"

#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
#define SLOW 1
#elif defined(__has_feature)
#if __has_feature(address_sanitizer) || __has_feature(thread_sanitizer)
#define SLOW 1
#endif
#endif
#ifndef SLOW
#define SLOW 0
#endif

#define FLOOR 400000
#define FLOOR_SLOW 40000
#define FLOOR_SOAK 15000000
#define SEED 1
#define JWT_EVERY 10

struct fixture {
    struct sim_world w;
    struct sim_base opaque, jwt;
    struct sim_set states;
    struct sim_search search;
    int is_short, soak;
};

static int is_set(const char *name) {
    const char *value = getenv(name);
    return value != NULL && *value != '\0' && strcmp(value, "0") != 0;
}

static size_t number(const char *name, size_t otherwise) {
    const char *value = getenv(name);
    return value == NULL ? otherwise : (size_t)strtoul(value, NULL, 10);
}

/* Whether MEREAU_SIM_ONLY names it, or names nothing. */
static int wanted(const char *name) {
    const char *only = getenv("MEREAU_SIM_ONLY");
    size_t len = strlen(name);
    if (only == NULL || *only == '\0')
        return 1;
    while (only != NULL && *only != '\0') {
        if (strncmp(only, name, len) == 0 &&
            (only[len] == ',' || only[len] == '\0'))
            return 1;
        only = strchr(only, ',');
        only += only != NULL;
    }
    return 0;
}

static int set_up(void **state) {
    struct fixture *f = calloc(1, sizeof *f);
    if (f == NULL)
        return -1;
    sim_world_init(&f->w);
    sim_base_make(&f->opaque, &f->w, 0);
    sim_base_make(&f->jwt, &f->w, 1);
    f->search.w = &f->w;
    f->search.states = &f->states;
    f->is_short = is_set("MEREAU_SIM_SHORT");
    f->soak = is_set("MEREAU_SOAK");
    *state = f;
    return 0;
}

static int tear_down(void **state) {
    struct fixture *f = *state;
    sim_world_close(&f->w);
    sim_base_free(&f->opaque);
    sim_base_free(&f->jwt);
    sim_set_free(&f->states);
    free(f);
    return 0;
}

static void fail_with(const struct fixture *f) {
    print_message("sim: caught by %s: %s\n", f->w.check, f->w.wrong);
    fail_msg("%s: %s", f->w.check, f->w.wrong);
}

static double seconds(void) {
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (double)now.tv_sec + (double)now.tv_nsec / 1e9;
}

/* --- small cases --- */

static int replay(struct fixture *f, const struct sim_case *one) {
    const char *text = getenv("MEREAU_SIM_PATH");
    int path[1000];
    size_t n = 0;
    if (text == NULL)
        return 0;
    while (*text != '\0' && n < 1000) {
        char *end;
        path[n++] = (int)strtol(text, &end, 10);
        text = *end == ',' ? end + 1 : end;
        if (end == text && *end != '\0')
            break;
    }
    if (sim_replay(&f->search, one->jwt ? &f->jwt : &f->opaque, one, path, n) !=
        0)
        fail_with(f);
    return 1;
}

static void every_interleaving_of_small_cases(void **state) {
    struct fixture *f = *state;
    size_t limit = f->soak ? 2000000 : f->is_short || SLOW ? 1200 : 16000;
    limit = number("MEREAU_SIM_RUNS", limit);
    for (size_t i = 0; i < sim_n_cases; i++) {
        const struct sim_case *one = &sim_cases[i];
        const struct sim_base *base = one->jwt ? &f->jwt : &f->opaque;
        size_t before = f->states.n, runs = f->search.runs;
        double start = seconds();
        if (!wanted(one->name) || replay(f, one))
            continue;
        if (sim_every(&f->search, base, one, limit) != 0)
            fail_with(f);
        if (f->search.cut && sim_walks(&f->search, base, one, limit / 4) != 0)
            fail_with(f);
        print_message("sim: %-22s %7zu runs %8zu new states %6.1f s%s\n",
                      one->name, f->search.runs - runs, f->states.n - before,
                      seconds() - start, f->search.cut ? "  (cut short)" : "");
    }
}

/* --- edges --- */

static void edge(struct fixture *f, void (*check)(struct sim_world *w)) {
    static const struct sim_case none = {.name = "edge"};
    if (!wanted("edge"))
        return;
    sim_begin(&f->w, &f->opaque, &none);
    check(&f->w);
    if (f->w.wrong[0] != '\0')
        fail_with(f);
}

static void a_token_has_counts_and_a_life(void **state) {
    edge(*state, sim_edge_mint);
}

static void an_empty_id_is_nobody(void **state) {
    edge(*state, sim_edge_empty_id);
}

static void a_restored_store_is_noticed(void **state) {
    edge(*state, sim_edge_restored);
}

static void purging_leaves_nothing_that_is_due(void **state) {
    edge(*state, sim_edge_purge);
}

static void unknown_fields_of_records_are_kept(void **state) {
    edge(*state, sim_edge_unknown_fields);
}

static void old_records_are_read(void **state) {
    edge(*state, sim_edge_golden);
}

static void a_revoked_device_stays_out_however_long(void **state) {
    edge(*state, sim_edge_extended);
}

/* --- large ones --- */

/* Signatures take most of the time, so few runs have any. */
static const struct sim_base *base_of(const struct fixture *f, uint64_t seed) {
    return seed % JWT_EVERY == 0 ? &f->jwt : &f->opaque;
}

static void large_cases_at_random(void **state) {
    struct fixture *f = *state;
    const char *only = getenv("MEREAU_SIM_SEED");
    size_t floor = f->soak ? FLOOR_SOAK : SLOW ? FLOOR_SLOW : FLOOR, least;
    size_t runs = f->search.runs, before = f->states.n;
    double start = seconds();
    uint64_t seed = SEED;
    if (only != NULL) {
        f->w.verbose = 1;
        seed = (uint64_t)number("MEREAU_SIM_SEED", SEED);
        if (sim_random(&f->search, base_of(f, seed), seed) != 0)
            fail_with(f);
        return;
    }
    if (!wanted("random"))
        return;
    if (f->is_short)
        floor = f->states.n + number("MEREAU_SIM_MORE", 60000);
    least = f->states.n + floor / 4;
    while (f->states.n < floor || f->states.n < least)
        if (sim_random(&f->search, base_of(f, seed), seed) != 0)
            fail_with(f);
        else
            seed++;
    print_message("sim: %-22s %7zu runs %8zu new states %6.1f s\n", "random",
                  f->search.runs - runs, f->states.n - before,
                  seconds() - start);
    print_message("sim: %zu different states in %zu runs of %zu steps\n",
                  f->states.n, f->search.runs, f->search.steps);
    assert_true(f->states.n >= floor);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_token_has_counts_and_a_life),
        cmocka_unit_test(an_empty_id_is_nobody),
        cmocka_unit_test(a_restored_store_is_noticed),
        cmocka_unit_test(purging_leaves_nothing_that_is_due),
        cmocka_unit_test(unknown_fields_of_records_are_kept),
        cmocka_unit_test(old_records_are_read),
        cmocka_unit_test(a_revoked_device_stays_out_however_long),
        cmocka_unit_test(every_interleaving_of_small_cases),
        cmocka_unit_test(large_cases_at_random),
    };
    return cmocka_run_group_tests(tests, set_up, tear_down);
}
