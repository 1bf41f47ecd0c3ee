/* tests/store/test_front_histories.c - histories of several threads on the stores
 * in front of a store (mereau/front.h), over a store that is slow, fails and loses
 * replies: commits that were joined and reads that decide are linearizable, reads
 * that may be stale are of one instant that is not longer ago than the bound.
 * HISTORIES: how many of each. */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include <mereau/front.h>
#include <mereau/sqlite.h>

#include "adapters/front/read_cache.h"
#include "grouped.h"
#include "history.h"
#include "support.h"

/* Memory, or a SQLite file in the folder. */
static mereau_store *open_engine(const struct folder *folder, int sqlite) {
    char path[128];
    mereau_store *engine = NULL;
    assert_int_equal(
        sqlite ? mereau_sqlite_open(&engine, folder_file(folder, "store", path),
                                    NULL)
               : mereau_memory_open(&engine, NULL),
        MEREAU_OK);
    return engine;
}

/* --- groups --- */

static void a_group_over_memory_is_linearizable(void **state) {
    (void)state;
    grouped_is_linearizable(open_engine(NULL, 0), "group over memory");
}

static void a_group_over_sqlite_is_linearizable(void **state) {
    struct folder folder;
    (void)state;
    assert_int_equal(folder_make(&folder), 0);
    grouped_is_linearizable(open_engine(&folder, 1), "group over SQLite");
    folder_remove(&folder);
}

/* --- a cache over a group --- */

enum { BOUND = 16 }; /* ticks that a read may be late: a sixth of a history */

struct cached {
    struct folder folder;
    struct grouped grouped;
    struct history_place place;
    mereau_store *cache;
};

static int64_t ticks(void *arg) {
    struct history_place *place = arg;
    return (int64_t)place->ticks;
}

/* The second way is around the cache, as another process's. */
static void open_cached(struct cached *c, int sqlite, int64_t bound) {
    memset(c, 0, sizeof *c);
    assert_int_equal(folder_make(&c->folder), 0);
    grouped_open(&c->grouped, open_engine(&c->folder, sqlite));
    assert_int_equal(mru_read_cache_open(&c->cache, c->grouped.store, 65536,
                                         bound, ticks, &c->place, NULL),
                     MEREAU_OK);
    c->place.ways[0] = c->cache;
    c->place.ways[1] = c->grouped.store;
    c->place.stale = BOUND;
}

static void close_cached(struct cached *c) {
    mereau_store_close(c->cache);
    folder_remove(&c->folder);
}

static void cache_is_what_it_says(int sqlite, const char *name) {
    struct cached c;
    uint64_t asked, answered;
    int n = histories_wanted();
    open_cached(&c, sqlite, BOUND);
    assert_int_equal(histories_run_at(&c.place, name, 1, n, PLANT_NONE, 1), n);
    mereau_read_cache_counts(c.cache, &asked, &answered, NULL);
    print_message("faults: the cache was asked %u times and answered %u\n",
                  (unsigned)asked, (unsigned)answered);
    assert_true(answered > (uint64_t)n / 2);
    grouped_has_joined(&c.grouped);
    close_cached(&c);
}

static void a_cache_over_a_group_is_late_within_its_bound_only(void **state) {
    (void)state;
    cache_is_what_it_says(0, "cache over group over memory");
}

static void so_is_one_over_sqlite(void **state) {
    (void)state;
    cache_is_what_it_says(1, "cache over group over SQLite");
}

/* --- wrong caches --- */

enum { AT_MOST = 4000 }; /* histories until it must have been found */

static void is_found(struct cached *c, const char *name) {
    int good = histories_run_at(&c->place, name, 1, AT_MOST, PLANT_NONE, 0);
    print_message("faults: histories, wrong cache: %s: found at history %d\n",
                  name, good + 1);
    assert_true(good < AT_MOST);
    close_cached(c);
}

static void a_cache_that_is_later_than_its_bound_is_found(void **state) {
    struct cached c;
    (void)state;
    open_cached(&c, 0, 4 * BOUND);
    is_found(&c, "later than its bound");
}

/* Its own way of reading or writing, and the cache's for the rest. */
struct own_way {
    mereau_store table;
    struct cached *cached;
};

static int32_t read_anything_stale(void *user, const mereau_need *need,
                                   mereau_emit emit, void *arg) {
    struct own_way *own = user;
    mereau_need stale = *need;
    stale.flags |= MEREAU_READ_STALE_OK;
    return own->cached->cache->get(own->cached->cache->user, &stale, emit, arg);
}

static int32_t commit_unheard(void *user, const mereau_need *need,
                              size_t *failed) {
    struct own_way *own = user;
    mereau_store *group = own->cached->grouped.store;
    return group->commit(group->user, need, failed);
}

static void a_cache_that_answers_who_decides_is_found(void **state) {
    struct cached c;
    struct own_way own;
    (void)state;
    open_cached(&c, 0, BOUND);
    own.cached = &c;
    own.table = *c.cache;
    own.table.user = &own;
    own.table.get = read_anything_stale;
    own.table.commit = commit_unheard;
    c.place.ways[0] = &own.table;
    c.place.stale = 0;
    is_found(&c, "answers who decides");
}

static void a_cache_that_does_not_hear_of_writes_is_found(void **state) {
    struct cached c;
    struct own_way own;
    (void)state;
    open_cached(&c, 0, BOUND);
    own.cached = &c;
    own.table = *c.cache;
    own.table.user = &own;
    own.table.get = read_anything_stale;
    own.table.commit = commit_unheard;
    c.place.ways[0] = &own.table;
    c.place.ways[1] = &own.table;
    is_found(&c, "does not hear of writes");
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_group_over_memory_is_linearizable),
        cmocka_unit_test(a_group_over_sqlite_is_linearizable),
        cmocka_unit_test(a_cache_over_a_group_is_late_within_its_bound_only),
        cmocka_unit_test(so_is_one_over_sqlite),
        cmocka_unit_test(a_cache_that_is_later_than_its_bound_is_found),
        cmocka_unit_test(a_cache_that_answers_who_decides_is_found),
        cmocka_unit_test(a_cache_that_does_not_hear_of_writes_is_found),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
