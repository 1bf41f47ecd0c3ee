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

#include "../store/support.h"
#include "proxy.h"
#include "server.h"

static struct server server;
static struct proxy proxy;

static int set_up(void **state) {
    (void)state;
    return server_make(&server) != 0 ? -1 : proxy_start(&proxy, &server);
}

static int tear_down(void **state) {
    (void)state;
    proxy_end(&proxy);
    server_remove(&server);
    return 0;
}

static mereau_store *open_through(uint32_t flags) {
    mereau_postgres_options options = MEREAU_POSTGRES_OPTIONS_INIT;
    mereau_error err = MEREAU_ERROR_INIT;
    mereau_store *store = NULL;
    options.conninfo = proxy.conninfo;
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

/* A cut after the last byte of an answer is seen by the next call, if it comes
 * soon enough. */
static uint64_t read_again(mereau_store *store) {
    int32_t result;
    uint64_t version = version_of(store, "a", &result);
    return result == MEREAU_STORE_BUSY ? version_of(store, "a", NULL) : version;
}

struct tally {
    unsigned ok, busy, unknown_applied, unknown_lost;
};

/* One round: a cut somewhere, a commit, and what came of it. */
static uint64_t round_of(mereau_store *store, enum proxy_way way, size_t at,
                         uint64_t version, struct tally *tally) {
    uint64_t now;
    int32_t result;
    proxy_cut(&proxy, way, at);
    result = commit(store, version);
    (void)proxy_disarm(&proxy);
    now = settled("a");
    assert_int_equal(settled("c"), now);
    if (result == MEREAU_STORE_UNKNOWN) {
        assert_true(now == version || now == version + 1);
        tally->unknown_applied += now != version;
        tally->unknown_lost += now == version;
    } else {
        assert_true(result == MEREAU_STORE_OK || result == MEREAU_STORE_BUSY);
        assert_int_equal(now, version + (result == MEREAU_STORE_OK));
        tally->ok += result == MEREAU_STORE_OK;
        tally->busy += result == MEREAU_STORE_BUSY;
    }
    /* And it goes on working. */
    assert_int_equal(read_again(store), now);
    return now;
}

static void cut_everywhere(uint32_t flags) {
    mereau_store *store = open_through(flags);
    struct tally tally = {0, 0, 0, 0};
    uint64_t version = 1;
    size_t bytes[2], rounds = 0;

    assert_int_equal(put(store, "a", 0, 1, "x"), MEREAU_STORE_OK);
    assert_int_equal(put(store, "c", 0, 1, "x"), MEREAU_STORE_OK);
    assert_int_equal(commit(store, version++), MEREAU_STORE_OK);
    proxy_count(&proxy, bytes);
    assert_int_equal(commit(store, version++), MEREAU_STORE_OK);
    proxy_count(&proxy, bytes);
    for (int way = 0; way < 2; way++)
        for (size_t at = 0; at <= bytes[way]; at++, rounds++)
            version = round_of(store, way ? TO_CLIENT : TO_SERVER, at, version,
                               &tally);
    mereau_store_close(store);
    server_sql(server.conninfo, "DELETE FROM mereau_record", NULL, 0);
    print_message("%zu cuts: %u answered OK, %u BUSY; %u UNKNOWN and applied, "
                  "%u UNKNOWN and not\n",
                  rounds, tally.ok, tally.busy, tally.unknown_applied,
                  tally.unknown_lost);
    /* All of the answer but its last byte: applied, and nobody heard of it. */
    assert_true(tally.unknown_applied >= bytes[TO_CLIENT] - 1);
    assert_true(tally.unknown_lost > bytes[TO_SERVER] / 2);
    assert_true(tally.ok >= 1);
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
    size_t bytes[2], busy = 0, good = 0;
    (void)state;
    assert_int_equal(put(store, "a", 0, 7, "some value"), MEREAU_STORE_OK);
    proxy_count(&proxy, bytes);
    assert_int_equal(version_of(store, "a", NULL), 7);
    proxy_count(&proxy, bytes);
    for (int way = 0; way < 2; way++)
        for (size_t at = 0; at <= bytes[way]; at++) {
            int32_t result;
            uint64_t found;
            proxy_cut(&proxy, way ? TO_CLIENT : TO_SERVER, at);
            found = version_of(store, "a", &result);
            (void)proxy_disarm(&proxy);
            assert_true(result == MEREAU_STORE_OK ||
                        result == MEREAU_STORE_BUSY);
            if (result == MEREAU_STORE_OK)
                assert_int_equal(found, 7);
            good += result == MEREAU_STORE_OK;
            busy += result == MEREAU_STORE_BUSY;
            assert_int_equal(read_again(store), 7);
        }
    assert_true(busy > bytes[0] + bytes[1] - 4 && good >= 1);
    mereau_store_close(store);
    server_sql(server.conninfo, "DELETE FROM mereau_record", NULL, 0);
}

/* A cut while it is made: the one before is gone, the next has to be set up. */
static void a_connection_cut_while_it_is_set_up_is_busy(void **state) {
    mereau_store *store = open_through(0);
    size_t bytes[2];
    uint64_t version = 0;
    unsigned busy = 0;
    (void)state;
    assert_int_equal(put(store, "a", 0, ++version, "x"), MEREAU_STORE_OK);
    for (int way = 0; way < 2; way++) {
        proxy_cut(&proxy, TO_SERVER, 0);
        (void)version_of(store, "a", NULL);
        proxy_count(&proxy, bytes);
        assert_int_equal(read_again(store), version);
        proxy_count(&proxy, bytes);
        for (size_t at = 0; at + 20 < bytes[way]; at += 37) {
            int32_t result;
            proxy_cut(&proxy, TO_SERVER, 0);
            (void)version_of(store, "a", NULL);
            proxy_cut(&proxy, way ? TO_CLIENT : TO_SERVER, at);
            result = put(store, "a", version, version + 1, "x");
            (void)proxy_disarm(&proxy);
            if (result == MEREAU_STORE_OK) {
                version++; /* the cut came too late, and its session lives */
                continue;
            }
            assert_true(result == MEREAU_STORE_BUSY ||
                        result == MEREAU_STORE_UNKNOWN);
            assert_true(result == MEREAU_STORE_UNKNOWN ||
                        settled("a") == version);
            version = settled("a");
            busy += result == MEREAU_STORE_BUSY;
        }
    }
    assert_true(busy > 20);
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
