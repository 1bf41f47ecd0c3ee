/* tests/postgres/test_cuts.c - the connection cut after every single byte of a
 * commit and of its answer, and of a get: what the store says is true. */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include <mereau/postgres.h>

#include "../faults/proxy.h"
#include "../store/support.h"
#include "server.h"

static struct server server;
static struct proxy *proxy;
static char through[192]; /* conninfo */

static int set_up(void **state) {
    struct sockaddr_un at;
    (void)state;
    if (server_make(&server) != 0)
        return -1;
    server_address(&server, &at);
    proxy = proxy_start((struct sockaddr *)&at, sizeof at);
    if (proxy == NULL)
        return -1;
    server_through(proxy_port(proxy), through, sizeof through);
    return 0;
}

static int tear_down(void **state) {
    (void)state;
    proxy_stop(proxy);
    server_remove(&server);
    return 0;
}

static mereau_store *open_through(uint32_t flags) {
    mereau_postgres_options options = MEREAU_POSTGRES_OPTIONS_INIT;
    mereau_error err = MEREAU_ERROR_INIT;
    mereau_store *store = NULL;
    options.conninfo = through;
    options.max_connections = 1;
    options.flags = flags;
    if (mereau_postgres_open_with(&store, &options, &err) != MEREAU_OK)
        print_message("%s\n", err.text);
    assert_non_null(store);
    return store;
}

/* The version that is there once the session that was cut has ended; asked of the
 * server itself. */
static uint64_t settled(const char *key) {
    char sql[200], found[32];
    unsigned long long version = 0;
    do
        assert_int_equal(
            server_sql(server.conninfo,
                       "SELECT count(*) FROM pg_stat_activity WHERE"
                       " application_name='mereau'",
                       found, sizeof found),
            0);
    while (strcmp(found, "0") != 0);
    snprintf(sql, sizeof sql,
             "SELECT version FROM mereau_record WHERE key='%s'", key);
    assert_int_equal(server_sql(server.conninfo, sql, found, sizeof found), 0);
    (void)sscanf(found, "%llu", &version);
    return version;
}

/* Puts "a" from version to version + 1 and deletes "b" if it is there; both or
 * none. */
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
    unsigned ok, unknown_applied, unknown_lost;
};

static unsigned cuts(void) {
    struct proxy_cuts so_far = proxy_cuts(proxy);
    return so_far.requests + so_far.replies;
}

/* One round: a cut after so many bytes, a commit, and what came of it. 0: the
 * commit was over before. */
static int round_of(mereau_store *store, int replies, uint32_t at,
                    uint64_t *version, struct tally *tally) {
    unsigned before = cuts();
    uint64_t now;
    int32_t result;
    proxy_cut_once(proxy, replies, at);
    result = commit(store, *version);
    if (cuts() == before) {
        assert_int_equal(result, MEREAU_STORE_OK);
        ++*version;
        tally->ok++;
        return 0;
    }
    now = settled("a");
    assert_int_equal(settled("c"), now);
    assert_int_equal(result, MEREAU_STORE_UNKNOWN);
    assert_true(now == *version || now == *version + 1);
    tally->unknown_applied += now != *version;
    tally->unknown_lost += now == *version;
    *version = now;
    /* And it goes on working. */
    assert_int_equal(version_of(store, "a", NULL), now);
    return 1;
}

static void cut_everywhere(uint32_t flags) {
    struct tally tally = {0, 0, 0};
    uint64_t version = 1;
    uint32_t bytes[2];

    for (int replies = 0; replies < 2; replies++) {
        mereau_store *store = open_through(flags);
        if (version == 1) {
            assert_int_equal(put(store, "a", 0, 1, "x"), MEREAU_STORE_OK);
            assert_int_equal(put(store, "c", 0, 1, "x"), MEREAU_STORE_OK);
        }
        assert_int_equal(commit(store, version), MEREAU_STORE_OK);
        version++;
        bytes[replies] = 0;
        while (round_of(store, replies, bytes[replies], &version, &tally))
            bytes[replies]++;
        mereau_store_close(store);
    }
    server_sql(server.conninfo, "DELETE FROM mereau_record", NULL, 0);
    print_message(
        "faults: PostgreSQL, a commit cut after each byte: %u cuts in "
        "the request, %u in the reply; %u applied, %u not, none "
        "otherwise than told\n",
        (unsigned)bytes[0], (unsigned)bytes[1], tally.unknown_applied,
        tally.unknown_lost);
    /* Any part of the answer: applied, and nobody heard of it. */
    assert_true(tally.unknown_applied >= bytes[1]);
    assert_true(tally.unknown_lost > bytes[0] / 2);
    assert_true(bytes[0] > 200 && bytes[1] > 50);
}

static void a_commit_cut_anywhere_is_told_truly(void **state) {
    (void)state;
    cut_everywhere(0);
}

static void so_is_one_with_an_explicit_transaction(void **state) {
    (void)state;
    cut_everywhere(MEREAU_POSTGRES_EXPLICIT);
}

static void so_is_one_without_prepared_statements(void **state) {
    (void)state;
    cut_everywhere(MEREAU_POSTGRES_POOLER);
}

static void a_get_cut_anywhere_is_busy_and_never_an_absence(void **state) {
    mereau_store *store = open_through(0);
    unsigned busy = 0, before;
    (void)state;
    assert_int_equal(put(store, "a", 0, 7, "some value"), MEREAU_STORE_OK);
    mereau_store_close(store);
    for (int replies = 0; replies < 2; replies++) {
        store = open_through(0);
        assert_int_equal(version_of(store, "a", NULL), 7);
        for (uint32_t at = 0;; at++, busy++) {
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
    assert_true(busy > 100);
    server_sql(server.conninfo, "DELETE FROM mereau_record", NULL, 0);
}

/* The one before is gone, and the next is cut while it is made. */
static void a_connection_cut_while_it_is_set_up_is_busy(void **state) {
    mereau_store *store = open_through(0);
    unsigned busy = 0;
    (void)state;
    assert_int_equal(put(store, "a", 0, 1, "x"), MEREAU_STORE_OK);
    for (int replies = 0; replies < 2; replies++)
        for (uint32_t at = 0; at < 2000; at += 37) {
            unsigned before;
            int32_t result;
            proxy_cut_once(proxy, 0, 0);
            (void)version_of(store, "a", NULL);
            before = cuts();
            proxy_cut_once(proxy, replies, at);
            (void)version_of(store, "a", &result);
            assert_int_equal(result == MEREAU_STORE_BUSY, cuts() != before);
            busy += result == MEREAU_STORE_BUSY;
            if (cuts() == before) { /* it is set up, and may be cut later */
                mereau_store_close(store);
                store = open_through(0);
            }
        }
    assert_true(busy > 40);
    assert_int_equal(version_of(store, "a", NULL), 1);
    mereau_store_close(store);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_commit_cut_anywhere_is_told_truly),
        cmocka_unit_test(so_is_one_with_an_explicit_transaction),
        cmocka_unit_test(so_is_one_without_prepared_statements),
        cmocka_unit_test(a_get_cut_anywhere_is_busy_and_never_an_absence),
        cmocka_unit_test(a_connection_cut_while_it_is_set_up_is_busy),
    };
    return cmocka_run_group_tests(tests, set_up, tear_down);
}
