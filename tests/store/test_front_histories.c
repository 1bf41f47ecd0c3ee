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
#include <pthread.h>
#include <time.h>

#include <mereau/front.h>
#include <mereau/sqlite.h>

#include "adapters/front/read_cache.h"
#include "history.h"
#include "support.h"

/* --- a store that passes on and counts; as an engine, slow and with faults --- */

struct passing {
    mereau_store table, *to;
    pthread_mutex_t lock; /* guards what follows */
    uint64_t random;
    unsigned commits, faults, joined;
};

/* Versions tell of which operation they are (history_record.c). */
static int is_joined(const mereau_need *need) {
    uint64_t of = 0;
    for (size_t i = 0; i < need->n_writes; i++) {
        uint64_t version = need->writes[i].record.version;
        if (version != 0 && of != 0 && (version - 1) / HISTORY_KEYS + 1 != of)
            return 1;
        if (version != 0)
            of = (version - 1) / HISTORY_KEYS + 1;
    }
    return 0;
}

static unsigned luck_of(struct passing *p, const mereau_need *need) {
    unsigned luck;
    pthread_mutex_lock(&p->lock);
    p->commits++;
    p->joined += is_joined(need) != 0;
    p->random = p->random * UINT64_C(6364136223846793005) + 1;
    luck = (unsigned)((p->random >> 33) % 100);
    p->faults += luck < 16;
    pthread_mutex_unlock(&p->lock);
    return luck;
}

static void be_slow(void) {
    const struct timespec slow = {0, 150000};
    nanosleep(&slow, NULL);
}

/* While this one is under way, others wait for each other's company. */
static int32_t pass_commit(void *user, const mereau_need *need,
                           size_t *failed) {
    struct passing *p = user;
    unsigned luck = luck_of(p, need);
    int32_t result = MEREAU_STORE_UNKNOWN;
    be_slow();
    if (luck < 4)
        return MEREAU_STORE_UNKNOWN;
    if (luck >= 8 && luck < 16) /* and says of no write that it was the one */
        return luck < 11   ? MEREAU_STORE_BUSY
               : luck < 14 ? MEREAU_STORE_CONFLICT
                           : MEREAU_STORE_LIMIT;
    result = p->to->commit(p->to->user, need, failed);
    if (luck < 30)
        *failed = SIZE_MAX;
    return luck < 8 && result == MEREAU_STORE_OK ? MEREAU_STORE_UNKNOWN
                                                 : result;
}

/* Writes overtake what was read. */
static int32_t pass_get(void *user, const mereau_need *need, mereau_emit emit,
                        void *arg) {
    struct passing *p = user;
    int32_t result = p->to->get(p->to->user, need, emit, arg);
    be_slow();
    return result;
}

static void pass_close(void *user) {
    struct passing *p = user;
    mereau_store_close(p->to);
    pthread_mutex_destroy(&p->lock);
}

static mereau_store *pass_to(struct passing *p, mereau_store *to) {
    memset(p, 0, sizeof *p);
    p->to = to;
    p->random = 77;
    pthread_mutex_init(&p->lock, NULL);
    mereau_store_init(&p->table, sizeof p->table);
    p->table.caps = to->caps;
    p->table.user = p;
    p->table.get = pass_get;
    p->table.commit = pass_commit;
    p->table.close = pass_close;
    return &p->table;
}

/* --- groups --- */

struct grouped {
    struct folder folder;
    struct passing below;
    mereau_store *store;
};

/* Over memory, or over SQLite. */
static void open_grouped(struct grouped *g, int sqlite) {
    char path[128];
    mereau_store *engine = NULL;
    assert_int_equal(folder_make(&g->folder), 0);
    assert_int_equal(
        sqlite ? mereau_sqlite_open(
                     &engine, folder_file(&g->folder, "store", path), NULL)
               : mereau_memory_open(&engine, NULL),
        MEREAU_OK);
    assert_int_equal(
        mereau_group_open(&g->store, pass_to(&g->below, engine), NULL),
        MEREAU_OK);
}

static void commits_were_joined(const struct grouped *g) {
    print_message("faults: group: %u commits of it, %u with writes of several, "
                  "%u that failed\n",
                  g->below.commits, g->below.joined, g->below.faults);
    assert_true(g->below.joined > g->below.commits / 50);
    assert_true(g->below.faults > g->below.commits / 10);
}

static void group_is_linearizable(int sqlite, const char *name) {
    struct grouped g;
    int n = histories_wanted();
    open_grouped(&g, sqlite);
    assert_int_equal(histories_run(g.store, name, 1, n, PLANT_NONE, 1), n);
    commits_were_joined(&g);
    mereau_store_close(g.store);
    folder_remove(&g.folder);
}

static void a_group_over_memory_is_linearizable(void **state) {
    (void)state;
    group_is_linearizable(0, "group over memory");
}

static void a_group_over_sqlite_is_linearizable(void **state) {
    (void)state;
    group_is_linearizable(1, "group over SQLite");
}

/* --- a cache over a group --- */

enum { BOUND = 16 }; /* ticks that a read may be late: a sixth of a history */

struct cached {
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
    open_grouped(&c->grouped, sqlite);
    assert_int_equal(mru_read_cache_open(&c->cache, c->grouped.store, 65536,
                                         bound, ticks, &c->place, NULL),
                     MEREAU_OK);
    c->place.ways[0] = c->cache;
    c->place.ways[1] = c->grouped.store;
    c->place.stale = BOUND;
}

static void close_cached(struct cached *c) {
    mereau_store_close(c->cache);
    folder_remove(&c->grouped.folder);
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
    commits_were_joined(&c.grouped);
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
