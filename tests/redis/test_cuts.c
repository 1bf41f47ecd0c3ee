/* tests/redis/test_cuts.c - the connection cut after every single byte of a commit
 * and of its answer, and of a get: what the store says is true. */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <stdio.h>

#include <cmocka.h>

#include "faults/proxy.h"
#include "server.h"
#include "store/support.h"

static struct server server;
static struct proxy *proxy;
static mereau_store *direct; /* beside the proxy */

static int set_up(void **state) {
    (void)state;
    if (server_start(&server, NULL) != 0)
        return -1;
    proxy = server_proxy(&server);
    direct = server_store(&server, NULL);
    return 0;
}

static int tear_down(void **state) {
    (void)state;
    mereau_store_close(direct);
    proxy_stop(proxy);
    server_end(&server);
    return 0;
}

static int clear(void **state) {
    (void)state;
    server_must(&server, "FLUSHALL", "OK");
    return 0;
}

static mereau_store *open_through(void) {
    mereau_redis_settings set = MEREAU_REDIS_SETTINGS_INIT;
    set.port = proxy_port(proxy);
    set.connections = 1;
    return server_store(&server, &set);
}

static unsigned cuts(void) {
    struct proxy_cuts so_far = proxy_cuts(proxy);
    return so_far.requests + so_far.replies;
}

/* --- a commit --- */

/* Puts "a" and "c" from version to version + 1 and deletes "b"; all or none. */
static int32_t commit(mereau_store *store, uint64_t version) {
    mereau_need need = {0};
    mereau_write writes[3] = {{0}};
    size_t failed = SIZE_MAX;
    need.size = (uint32_t)sizeof need;
    need.kind = MEREAU_NEED_COMMIT;
    need.partition = (const uint8_t *)"p";
    need.partition_len = 1;
    need.writes = writes;
    need.n_writes = 3;
    for (int i = 0; i < 3; i++) {
        writes[i].kind = MEREAU_WRITE_PUT;
        writes[i].expect = version;
        writes[i].record.key = (const uint8_t *)"abc" + i;
        writes[i].record.key_len = 1;
        writes[i].record.version = version + 1;
    }
    writes[1].kind = MEREAU_WRITE_DELETE;
    writes[1].expect = MEREAU_VERSION_ANY;
    return store->commit(store->user, &need, &failed);
}

struct tally {
    unsigned cuts[2]; /* of the request, of the reply */
    unsigned applied, not_applied;
};

/* One round: "b" is there, a cut after so many bytes, a commit, and what came of
 * it. 0: the commit was over before. first: the server does not know the script,
 * which is sent for that. */
static int round_of(mereau_store *store, int first, int replies, uint32_t at,
                    uint64_t *version, struct tally *tally) {
    unsigned before = cuts();
    uint64_t now;
    int32_t result;
    assert_int_equal(put(direct, "b", MEREAU_VERSION_ANY, 1, "x"),
                     MEREAU_STORE_OK);
    if (first)
        server_must(&server, "SCRIPT FLUSH", "OK");
    proxy_cut_once(proxy, replies, at);
    result = commit(store, *version);
    /* What reached the server before this connection is run before its PING. */
    server_must(&server, "PING", "PONG");
    now = version_of(direct, "a", NULL);
    assert_int_equal(version_of(direct, "c", NULL), now);
    assert_int_equal(version_of(direct, "b", NULL), now == *version);
    if (cuts() == before) {
        assert_int_equal(result, MEREAU_STORE_OK);
        assert_int_equal(now, ++*version);
        return 0;
    }
    assert_int_equal(result, MEREAU_STORE_UNKNOWN);
    assert_true(now == *version || now == *version + 1);
    tally->cuts[replies]++;
    tally->applied += now != *version;
    tally->not_applied += now == *version;
    *version = now;
    /* And it goes on working. */
    assert_int_equal(version_of(store, "a", NULL), now);
    return 1;
}

static struct tally cut_everywhere(int first) {
    struct tally tally = {{0, 0}, 0, 0};
    uint64_t version = 1;
    assert_int_equal(put(direct, "a", 0, 1, "x"), MEREAU_STORE_OK);
    assert_int_equal(put(direct, "c", 0, 1, "x"), MEREAU_STORE_OK);
    for (int replies = 0; replies < 2; replies++) {
        mereau_store *store = open_through();
        uint32_t at = 0;
        int more = 1;
        assert_int_equal(commit(store, version), MEREAU_STORE_OK);
        version++;
        for (; more; at++)
            more = round_of(store, first, replies, at, &version, &tally);
        mereau_store_close(store);
    }
    printf("faults: Redis, a commit%s cut after each byte: %u cuts in the "
           "request, %u in the reply; %u applied, %u not, none otherwise than "
           "told\n",
           first ? " that brings its script" : "", tally.cuts[0], tally.cuts[1],
           tally.applied, tally.not_applied);
    return tally;
}

static void a_commit_cut_anywhere_is_told_truly(void **state) {
    struct tally tally;
    (void)state;
    tally = cut_everywhere(0);
    /* Any part of the answer, ":0\r\n": applied, and nobody heard of it. */
    assert_int_equal(tally.applied, 4);
    assert_int_equal(tally.cuts[1], 4);
    assert_true(tally.cuts[0] > 200);
    assert_int_equal(tally.not_applied, tally.cuts[0]);
}

static void so_is_one_that_brings_its_script(void **state) {
    struct tally tally;
    (void)state;
    tally = cut_everywhere(1);
    assert_int_equal(tally.applied, 4);
    assert_true(tally.cuts[0] > 2000 && tally.cuts[1] > 20);
}

/* --- a get --- */

static void a_get_cut_anywhere_is_busy_and_never_an_absence(void **state) {
    unsigned busy[2] = {0, 0}, before;
    (void)state;
    assert_int_equal(put(direct, "a", 0, 7, "some value"), MEREAU_STORE_OK);
    for (int replies = 0; replies < 2; replies++) {
        mereau_store *store = open_through();
        assert_int_equal(version_of(store, "a", NULL), 7);
        for (uint32_t at = 0;; at++, busy[replies]++) {
            int32_t result;
            before = cuts();
            proxy_cut_once(proxy, replies, at);
            (void)version_of(store, "a", &result);
            if (cuts() == before)
                break;
            assert_int_equal(result, MEREAU_STORE_BUSY);
            assert_int_equal(version_of(store, "a", NULL), 7);
        }
        mereau_store_close(store);
    }
    printf("faults: Redis, a get cut after each byte: %u cuts in the request, "
           "%u in the reply; never an absence\n",
           busy[0], busy[1]);
    assert_true(busy[0] > 100 && busy[1] > 50);
}

/* The one before is gone, and the next is cut while it is made. */
static void a_connection_cut_while_it_is_set_up_is_busy(void **state) {
    unsigned busy = 0;
    (void)state;
    assert_int_equal(put(direct, "a", 0, 1, "x"), MEREAU_STORE_OK);
    for (uint32_t at = 0; at < 6000; at += 97) {
        mereau_store *store = open_through();
        unsigned before;
        int32_t result;
        proxy_cut_once(proxy, 0, 0);
        (void)version_of(store, "a", NULL);
        before = cuts();
        proxy_cut_once(proxy, 1, at);
        (void)version_of(store, "a", &result);
        assert_int_equal(result == MEREAU_STORE_BUSY, cuts() != before);
        busy += result == MEREAU_STORE_BUSY;
        if (cuts() != before) /* else it may be cut later */
            assert_int_equal(version_of(store, "a", NULL), 1);
        mereau_store_close(store);
    }
    assert_true(busy > 20);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup(a_commit_cut_anywhere_is_told_truly, clear),
        cmocka_unit_test_setup(so_is_one_that_brings_its_script, clear),
        cmocka_unit_test_setup(a_get_cut_anywhere_is_busy_and_never_an_absence,
                               clear),
        cmocka_unit_test_setup(a_connection_cut_while_it_is_set_up_is_busy,
                               clear),
    };
    return cmocka_run_group_tests(tests, set_up, tear_down);
}
