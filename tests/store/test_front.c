/* tests/store/test_front.c - the stores in front of a store: both pass the kit, what
 * a group of commits does with a condition that fails and with lost replies, and
 * when a read cache answers. */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>
#include <pthread.h>

#include <mereau/front.h>
#include <mereau/sqlite.h>

#include "adapters/front/read_cache.h"
#include "alloc.h"
#include "support.h"

/* --- the kit --- */

struct stack {
    char kinds[4]; /* from below: g group, c cache */
    const char *sqlite;
};

static int32_t open_stack(void *user, mereau_store **out) {
    const struct stack *stack = user;
    mereau_store *store = NULL;
    mereau_status status = stack->sqlite
                               ? mereau_sqlite_open(&store, stack->sqlite, NULL)
                               : mereau_memory_open(&store, NULL);
    for (const char *k = stack->kinds; *k && status == MEREAU_OK; k++) {
        mereau_store *next = NULL;
        status = *k == 'g'
                     ? mereau_group_open(&next, store, NULL)
                     : mereau_read_cache_open(&next, store, 65536, 1000, NULL);
        store = next;
    }
    *out = store;
    return status;
}

static void kit_passes(struct stack *stack, uint32_t threads) {
    mereau_store_kit kit = MEREAU_STORE_KIT_INIT;
    struct noted noted = {.print = 1};
    kit.open = open_stack;
    kit.user = stack;
    kit.seed = 3;
    kit.threads = threads;
    kit.race_ms = 300;
    kit.records = 2000;
    assert_int_equal(mereau_store_kit_run(&kit, note, &noted), 0);
    assert_true(noted.n_passed >= 40);
}

static void a_group_over_memory_passes_the_kit_with_32_threads(void **state) {
    struct stack stack = {"g", NULL};
    (void)state;
    kit_passes(&stack, 32);
}

static void a_cache_over_a_group_over_sqlite_passes_the_kit(void **state) {
    struct folder folder;
    char path[128];
    struct stack stack = {"gc", NULL};
    (void)state;
    assert_int_equal(folder_make(&folder), 0);
    stack.sqlite = folder_file(&folder, "store", path);
    kit_passes(&stack, 8);
    folder_remove(&folder);
}

/* --- a store behind that can be held up, fails and counts --- */

struct behind {
    mereau_store table, *real;
    pthread_mutex_t lock;
    pthread_cond_t changed;
    int holding; /* commits wait while it is set */
    int entered; /* commits that have begun */
    int commits, gets;
    size_t largest; /* writes of one commit */
    int32_t answer; /* of the commit number answer_at, though it was applied */
    int answer_at;
    int refuse; /* and it was not applied */
    int no_hint;
    int broken;
    void (*during_get)(struct behind *); /* between reading and answering */
};

static int32_t behind_get(void *user, const mereau_need *need, mereau_emit emit,
                          void *arg) {
    struct behind *b = user;
    b->gets++;
    if (b->broken) { /* one key is answered twice, the other not at all */
        emit(arg, 0, NULL);
        emit(arg, 0, NULL);
        return MEREAU_STORE_OK;
    }
    int32_t result = b->real->get(b->real->user, need, emit, arg);
    if (b->during_get)
        b->during_get(b);
    return result;
}

static int32_t behind_commit(void *user, const mereau_need *need,
                             size_t *failed) {
    struct behind *b = user;
    pthread_mutex_lock(&b->lock);
    b->entered++;
    pthread_cond_broadcast(&b->changed);
    while (b->holding)
        pthread_cond_wait(&b->changed, &b->lock);
    b->commits++;
    if (need->n_writes > b->largest)
        b->largest = need->n_writes;
    int32_t answer = b->commits == b->answer_at ? b->answer : 0;
    pthread_mutex_unlock(&b->lock);
    if (answer && b->refuse)
        return answer;
    for (size_t i = 1; i < need->n_writes; i++) /* distinct and ascending */
        assert_true(memcmp(need->writes[i - 1].record.key,
                           need->writes[i].record.key, 3) < 0);
    int32_t result = b->real->commit(b->real->user, need, failed);
    if (b->no_hint)
        *failed = SIZE_MAX;
    return answer ? answer : result;
}

static void behind_close(void *user) {
    struct behind *b = user;
    mereau_store_close(b->real);
}

static void behind_open(struct behind *b) {
    memset(b, 0, sizeof *b);
    assert_int_equal(mereau_memory_open(&b->real, NULL), MEREAU_OK);
    pthread_mutex_init(&b->lock, NULL);
    pthread_cond_init(&b->changed, NULL);
    b->table = *b->real;
    b->table.user = b;
    b->table.get = behind_get;
    b->table.commit = behind_commit;
    b->table.close = behind_close;
}

static void hold(struct behind *b, int holding) {
    pthread_mutex_lock(&b->lock);
    b->holding = holding;
    pthread_cond_broadcast(&b->changed);
    pthread_mutex_unlock(&b->lock);
}

static void wait_entered(struct behind *b, int n) {
    pthread_mutex_lock(&b->lock);
    while (b->entered < n)
        pthread_cond_wait(&b->changed, &b->lock);
    pthread_mutex_unlock(&b->lock);
}

/* --- groups --- */

/* One thread's commit: CHECK "chk", PUT its own key. */
struct caller {
    mereau_store *store;
    const char *partition;
    char key[4];
    uint64_t check, expect;
    int32_t result;
    size_t failed;
    pthread_t thread;
};

static void *call(void *arg) {
    struct caller *c = arg;
    mereau_need need = {0};
    mereau_write writes[2] = {{0}, {0}};
    need.size = (uint32_t)sizeof need;
    need.kind = MEREAU_NEED_COMMIT;
    need.partition = (const uint8_t *)c->partition;
    need.partition_len = strlen(c->partition);
    need.writes = writes;
    need.n_writes = 2;
    writes[0].kind = MEREAU_WRITE_CHECK;
    writes[0].expect = c->check;
    writes[0].record.key = (const uint8_t *)"chk";
    writes[0].record.key_len = 3;
    writes[1].kind = MEREAU_WRITE_PUT;
    writes[1].expect = c->expect;
    writes[1].record.key = (const uint8_t *)c->key;
    writes[1].record.key_len = 3;
    writes[1].record.version = 77;
    c->result = c->store->commit(c->store->user, &need, &c->failed);
    return NULL;
}

/* Enough for all others to have queued up behind the first. */
static void let_them_queue(void) {
    struct timespec while_ = {0, 60000000};
    nanosleep(&while_, NULL);
}

/* The first commit is held until the others wait. */
static void call_together(struct behind *b, mereau_store *group,
                          struct caller *callers, size_t n) {
    hold(b, 1);
    int before = b->entered;
    for (size_t i = 0; i < n; i++) {
        callers[i].store = group;
        if (!callers[i].partition)
            callers[i].partition = "p";
        if (callers[i].key[0] == '\0')
            snprintf(callers[i].key, sizeof callers[i].key, "k%02u",
                     (unsigned)(i % 100));
        pthread_create(&callers[i].thread, NULL, call, &callers[i]);
        if (i == 0)
            wait_entered(b, before + 1);
    }
    let_them_queue();
    hold(b, 0);
    for (size_t i = 0; i < n; i++)
        pthread_join(callers[i].thread, NULL);
}

static mereau_store *group_over(struct behind *b) {
    mereau_store *group = NULL;
    behind_open(b);
    assert_int_equal(put(&b->table, "chk", MEREAU_VERSION_ABSENT, 5, "x"),
                     MEREAU_STORE_OK);
    b->commits = b->entered = 0;
    assert_int_equal(mereau_group_open(&group, &b->table, NULL), MEREAU_OK);
    return group;
}

static void commits_that_wait_together_are_one(void **state) {
    struct behind b;
    mereau_store *group = group_over(&b);
    struct caller callers[21] = {{0}};
    int32_t result;
    (void)state;
    for (size_t i = 0; i < 21; i++)
        callers[i].check = 5;
    call_together(&b, group, callers, 21);
    for (size_t i = 0; i < 21; i++) {
        assert_int_equal(callers[i].result, MEREAU_STORE_OK);
        assert_true(version_of(group, callers[i].key, &result) == 77);
    }
    assert_int_equal(b.commits, 2); /* the first, and all others */
    assert_int_equal(b.largest, 21); /* 20 records and one CHECK of them all */
    mereau_store_close(group);
}

static void only_the_one_whose_condition_fails_conflicts(void **state) {
    (void)state;
    for (int no_hint = 0; no_hint < 2; no_hint++) {
        struct behind b;
        mereau_store *group = group_over(&b);
        struct caller callers[12] = {{0}};
        int32_t result;
        b.no_hint = no_hint;
        for (size_t i = 0; i < 12; i++)
            callers[i].check = 5;
        callers[4].expect = 99; /* absent, so this does not hold */
        callers[9].check = 6; /* another CHECK: no company for the others */
        call_together(&b, group, callers, 12);
        for (size_t i = 0; i < 12; i++) {
            int wrong = i == 4 || i == 9;
            assert_int_equal(callers[i].result,
                             wrong ? MEREAU_STORE_CONFLICT : MEREAU_STORE_OK);
            assert_true(version_of(group, callers[i].key, &result) ==
                        (wrong ? MEREAU_VERSION_ABSENT : 77));
        }
        if (!no_hint) {
            assert_int_equal(callers[4].failed, 1);
            assert_int_equal(callers[9].failed, 0);
        }
        mereau_store_close(group);
    }
}

static void one_record_is_never_written_twice_in_a_group(void **state) {
    struct behind b;
    mereau_store *group = group_over(&b);
    struct caller callers[6] = {{0}};
    int won = 0;
    (void)state;
    for (size_t i = 0; i < 6; i++) {
        callers[i].check = 5;
        memcpy(callers[i].key, i < 3 ? "one" : "two", 4);
    }
    call_together(&b, group, callers, 6);
    for (size_t i = 0; i < 6; i++)
        won += callers[i].result == MEREAU_STORE_OK;
    assert_int_equal(won, 2); /* absent before: one each */
    mereau_store_close(group);
}

static void tenants_are_not_joined(void **state) {
    struct behind b;
    mereau_store *group = group_over(&b);
    struct caller callers[5] = {{0}};
    (void)state;
    for (size_t i = 0; i < 5; i++)
        callers[i].check = 5;
    callers[2].partition = callers[3].partition = "q"; /* has no "chk" */
    call_together(&b, group, callers, 5);
    for (size_t i = 0; i < 5; i++)
        assert_int_equal(callers[i].result, i == 2 || i == 3
                                                ? MEREAU_STORE_CONFLICT
                                                : MEREAU_STORE_OK);
    mereau_store_close(group);
}

static void all_of_a_group_hear_what_nobody_can_tell_apart(void **state) {
    static const int32_t answers[] = {MEREAU_STORE_UNKNOWN, MEREAU_STORE_BUSY,
                                      MEREAU_STORE_IO};
    (void)state;
    for (size_t a = 0; a < 3; a++) {
        struct behind b;
        mereau_store *group = group_over(&b);
        struct caller callers[8] = {{0}};
        for (size_t i = 0; i < 8; i++)
            callers[i].check = 5;
        b.answer = answers[a];
        b.answer_at = 2; /* the second commit is the group */
        b.refuse = answers[a] != MEREAU_STORE_UNKNOWN;
        call_together(&b, group, callers, 8);
        assert_int_equal(callers[0].result, MEREAU_STORE_OK);
        for (size_t i = 1; i < 8; i++)
            assert_int_equal(callers[i].result, answers[a]);
        assert_int_equal(b.commits, 2);
        mereau_store_close(group);
    }
}

static void a_limit_that_a_group_meets_is_tried_one_by_one(void **state) {
    struct behind b;
    mereau_store *group = group_over(&b);
    struct caller callers[8] = {{0}};
    (void)state;
    for (size_t i = 0; i < 8; i++)
        callers[i].check = 5;
    b.answer = MEREAU_STORE_LIMIT;
    b.answer_at = 2;
    b.refuse = 1;
    call_together(&b, group, callers, 8);
    for (size_t i = 0; i < 8; i++)
        assert_int_equal(callers[i].result, MEREAU_STORE_OK);
    assert_int_equal(b.commits, 9);
    mereau_store_close(group);
}

/* --- the read cache --- */

static int64_t test_clock(void *arg) { return *(int64_t *)arg; }

struct cached {
    struct behind b;
    mereau_store *cache;
    int64_t now_ms;
};

static void cached_open(struct cached *c, size_t bytes) {
    behind_open(&c->b);
    c->now_ms = 1000;
    c->cache = NULL;
    assert_int_equal(mru_read_cache_open(&c->cache, &c->b.table, bytes, 500,
                                         test_clock, &c->now_ms, NULL),
                     MEREAU_OK);
}

static int32_t keep_version(void *arg, size_t index,
                            const mereau_record *record) {
    uint64_t *versions = arg;
    versions[index] = record ? record->version : 0;
    return 0;
}

/* The versions of "aaa" and "bbb", read at once. */
static void read_both(struct cached *c, uint32_t flags, uint64_t versions[2]) {
    const mereau_slice keys[2] = {{(const uint8_t *)"aaa", 3},
                                  {(const uint8_t *)"bbb", 3}};
    mereau_need need = {0};
    need.size = (uint32_t)sizeof need;
    need.kind = MEREAU_NEED_GET;
    need.flags = flags;
    need.partition = (const uint8_t *)"p";
    need.partition_len = 1;
    need.keys = keys;
    need.n_keys = 2;
    versions[0] = versions[1] = UINT64_MAX;
    assert_int_equal(
        c->cache->get(c->cache->user, &need, keep_version, versions),
        MEREAU_STORE_OK);
}

static void it_answers_only_where_it_may_and_not_too_late(void **state) {
    struct cached c;
    uint64_t v[2], asked, answered;
    (void)state;
    cached_open(&c, 65536);
    assert_true((c.cache->caps & MEREAU_CAP_STALE) != 0);
    put(&c.b.table, "aaa", MEREAU_VERSION_ABSENT, 1, "one");
    read_both(&c, MEREAU_READ_STALE_OK, v);
    assert_true(v[0] == 1 && v[1] == 0);
    /* Somebody else writes: not seen until the time is over ... */
    put(&c.b.table, "aaa", 1, 2, "two");
    put(&c.b.table, "bbb", MEREAU_VERSION_ABSENT, 3, "three");
    c.now_ms += 500;
    read_both(&c, MEREAU_READ_STALE_OK, v);
    assert_true(v[0] == 1 && v[1] == 0);
    assert_int_equal(c.b.gets, 1);
    /* ... except by who decides about something ... */
    read_both(&c, 0, v);
    assert_true(v[0] == 2 && v[1] == 3);
    /* ... and then it is. */
    c.now_ms += 1;
    read_both(&c, MEREAU_READ_STALE_OK, v);
    assert_true(v[0] == 2 && v[1] == 3);
    assert_int_equal(mereau_read_cache_counts(c.cache, &asked, &answered, NULL),
                     MEREAU_OK);
    assert_true(asked == 3 && answered == 1);
    c.now_ms -= 100; /* a clock that went back proves nothing */
    read_both(&c, MEREAU_READ_STALE_OK, v);
    assert_int_equal(c.b.gets, 4);
    mereau_store_close(c.cache);
}

static void what_is_written_through_it_is_seen_at_once(void **state) {
    struct cached c;
    uint64_t v[2];
    (void)state;
    cached_open(&c, 65536);
    read_both(&c, MEREAU_READ_STALE_OK, v);
    assert_int_equal(put(c.cache, "bbb", MEREAU_VERSION_ABSENT, 9, "x"),
                     MEREAU_STORE_OK);
    read_both(&c, MEREAU_READ_STALE_OK, v);
    assert_true(v[0] == 0 && v[1] == 9);
    /* Also when nobody knows whether it was. */
    c.b.answer = MEREAU_STORE_UNKNOWN;
    c.b.answer_at = c.b.commits + 1;
    assert_int_equal(put(c.cache, "bbb", 9, 10, "y"), MEREAU_STORE_UNKNOWN);
    read_both(&c, MEREAU_READ_STALE_OK, v);
    assert_true(v[1] == 10);
    mereau_store_close(c.cache);
}

static mereau_store *written_through;
static void write_meanwhile(struct behind *b) {
    b->during_get = NULL;
    assert_int_equal(
        put(written_through, "aaa", MEREAU_VERSION_ABSENT, 4, "new"),
        MEREAU_STORE_OK);
}

static void a_read_that_a_write_overtakes_is_not_remembered(void **state) {
    struct cached c;
    uint64_t v[2];
    (void)state;
    cached_open(&c, 65536);
    written_through = c.cache;
    c.b.during_get = write_meanwhile;
    read_both(&c, MEREAU_READ_STALE_OK, v);
    assert_true(v[0] == 0); /* it was so when it was read */
    read_both(&c, MEREAU_READ_STALE_OK, v);
    assert_true(v[0] == 4);
    mereau_store_close(c.cache);
}

static int32_t read_one(struct cached *c, unsigned i) {
    char name[16];
    snprintf(name, sizeof name, "key-%u", i);
    const mereau_slice key = {(const uint8_t *)name, strlen(name)};
    mereau_need need = {0};
    uint64_t version;
    need.size = (uint32_t)sizeof need;
    need.kind = MEREAU_NEED_GET;
    need.flags = MEREAU_READ_STALE_OK;
    need.partition = (const uint8_t *)"p";
    need.partition_len = 1;
    need.keys = &key;
    need.n_keys = 1;
    return c->cache->get(c->cache->user, &need, keep_version, &version);
}

static void an_answer_that_lacks_a_key_is_not_remembered(void **state) {
    struct cached c;
    uint64_t v[2];
    (void)state;
    cached_open(&c, 65536);
    put(&c.b.table, "bbb", MEREAU_VERSION_ABSENT, 6, "there");
    c.b.broken = 1;
    read_both(&c, MEREAU_READ_STALE_OK, v);
    assert_true(v[1] == UINT64_MAX); /* the library sees that it is broken */
    c.b.broken = 0;
    read_both(&c, MEREAU_READ_STALE_OK, v);
    assert_true(v[1] == 6);
    mereau_store_close(c.cache);
}

static void it_stays_within_its_bytes_and_keeps_the_new(void **state) {
    struct cached c;
    size_t bytes = 0;
    (void)state;
    cached_open(&c, 16384);
    for (unsigned i = 0; i < 5000; i++) {
        assert_int_equal(read_one(&c, i), MEREAU_STORE_OK);
        mereau_read_cache_counts(c.cache, NULL, NULL, &bytes);
        assert_true(bytes > 0 && bytes <= 16384);
    }
    assert_true(bytes >= 16384 / 10); /* it is not given away without need */
    int gets = c.b.gets;
    read_one(&c, 4999);
    assert_int_equal(c.b.gets, gets);
    mereau_store_close(c.cache);
}

/* --- opening --- */

static void opening_without_sense_is_refused(void **state) {
    mereau_store *memory = NULL, *out = NULL;
    mereau_error err = MEREAU_ERROR_INIT;
    uint64_t n = 7;
    (void)state;
    mereau_memory_open(&memory, NULL);
    assert_int_equal(mereau_group_open(NULL, memory, &err), MEREAU_E_ARG);
    assert_int_equal(mereau_group_open(&out, NULL, &err), MEREAU_E_ARG);
    assert_int_equal(mereau_read_cache_open(NULL, memory, 4096, 1, &err),
                     MEREAU_E_ARG);
    assert_int_equal(mereau_read_cache_open(&out, NULL, 4096, 1, &err),
                     MEREAU_E_ARG);
    assert_int_equal(mereau_read_cache_open(&out, memory, 4095, 1, &err),
                     MEREAU_E_ARG);
    assert_int_equal(mereau_read_cache_open(&out, memory, 4096, 0, &err),
                     MEREAU_E_ARG);
    assert_int_equal(mereau_read_cache_open(&out, memory, 4096, 3600001, &err),
                     MEREAU_E_ARG);
    assert_null(out);
    assert_int_equal(mereau_read_cache_counts(memory, &n, NULL, NULL),
                     MEREAU_E_ARG);
    assert_true(n == 0);
    assert_int_equal(mereau_read_cache_counts(NULL, NULL, NULL, NULL),
                     MEREAU_E_ARG);
    mereau_store_close(memory);
}

static void without_memory_answers_are_passed_on_unremembered(void **state) {
    struct cached c;
    (void)state;
    if (!test_alloc_available())
        skip();
    cached_open(&c, 65536);
    for (unsigned long n = 1;; n++) {
        mereau_store *group = NULL;
        test_alloc_fail_at(n);
        int32_t result = read_one(&c, (unsigned)n);
        mereau_status status = mereau_group_open(&group, c.cache, NULL);
        int over = test_alloc_pending();
        test_alloc_fail_at(0);
        assert_true(result == MEREAU_STORE_OK);
        if (over) {
            assert_int_equal(status, MEREAU_OK);
            mereau_store_close(group); /* and all behind it */
            break;
        }
        if (status == MEREAU_OK) { /* not to be closed with what is behind */
            group->close = NULL;
            free(group->user);
        }
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_group_over_memory_passes_the_kit_with_32_threads),
        cmocka_unit_test(a_cache_over_a_group_over_sqlite_passes_the_kit),
        cmocka_unit_test(commits_that_wait_together_are_one),
        cmocka_unit_test(only_the_one_whose_condition_fails_conflicts),
        cmocka_unit_test(one_record_is_never_written_twice_in_a_group),
        cmocka_unit_test(tenants_are_not_joined),
        cmocka_unit_test(all_of_a_group_hear_what_nobody_can_tell_apart),
        cmocka_unit_test(a_limit_that_a_group_meets_is_tried_one_by_one),
        cmocka_unit_test(it_answers_only_where_it_may_and_not_too_late),
        cmocka_unit_test(what_is_written_through_it_is_seen_at_once),
        cmocka_unit_test(a_read_that_a_write_overtakes_is_not_remembered),
        cmocka_unit_test(an_answer_that_lacks_a_key_is_not_remembered),
        cmocka_unit_test(it_stays_within_its_bytes_and_keeps_the_new),
        cmocka_unit_test(opening_without_sense_is_refused),
        cmocka_unit_test(without_memory_answers_are_passed_on_unremembered),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
