/* tests/redis/test_redis_histories.c - histories of several threads on Redis are
 * linearizable (tests/store/history.h): half of them with faults that the test
 * plays, half through connections that are cut. HISTORIES: how many. */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <stdio.h>

#include <cmocka.h>

#include "faults/proxy.h"
#include "server.h"
#include "store/history.h"

static const char *const durable_words[] = {DURABLE_WORDS, NULL};

static void redis_is_linearizable(void **state) {
    struct server server;
    mereau_store *store;
    int n = histories_wanted() / 2;
    (void)state;
    assert_int_equal(server_start(&server, durable_words), 0);
    store = server_store(&server, NULL);
    assert_int_equal(histories_run(store, "Redis", 1, n, PLANT_NONE, 1), n);
    mereau_store_close(store);
    server_end(&server);
}

/* --- through connections that are cut --- */

struct cut_way {
    struct server server;
    struct proxy *proxy;
    mereau_store *through;
    struct history_wire wire;
};

/* A commit has some 400 bytes, the reply to it 4, that to a get up to 50. */
static void cut(void *arg, uint64_t random) {
    struct cut_way *way = arg;
    int replies = (int)(random % 2);
    proxy_cut_once(way->proxy, replies,
                   (uint32_t)(random / 2 % (replies ? 60 : 500)));
}

/* What reached the server before this connection is run before its PING. */
static void settle(void *arg) {
    struct cut_way *way = arg;
    server_must(&way->server, "PING", "PONG");
}

static void open_way(struct cut_way *way) {
    mereau_redis_settings set = MEREAU_REDIS_SETTINGS_INIT;
    assert_int_equal(server_start(&way->server, durable_words), 0);
    way->proxy = server_proxy(&way->server);
    set.port = proxy_port(way->proxy);
    way->through = server_store(&way->server, &set);
    way->wire.direct = server_store(&way->server, NULL);
    way->wire.cut = cut;
    way->wire.settle = settle;
    way->wire.arg = way;
}

static void close_way(struct cut_way *way) {
    mereau_store_close(way->through);
    mereau_store_close(way->wire.direct);
    proxy_stop(way->proxy);
    server_end(&way->server);
}

static void redis_is_linearizable_through_cut_connections(void **state) {
    struct cut_way way = {0};
    struct proxy_cuts cuts;
    int n = histories_wanted() - histories_wanted() / 2;
    (void)state;
    open_way(&way);
    assert_int_equal(histories_run_cut(way.through, &way.wire,
                                       "Redis, connections cut", 1000000, n,
                                       PLANT_NONE, 1),
                     n);
    cuts = proxy_cuts(way.proxy);
    close_way(&way);
    printf("faults: histories, Redis: %u requests and %u replies cut\n",
           cuts.requests, cuts.replies);
    assert_in_range(cuts.requests, n, UINT32_MAX);
    assert_in_range(cuts.replies, n, UINT32_MAX);
    assert_in_range(cuts.requests + cuts.replies, 4 * n, UINT32_MAX);
}

/* A commit whose reply was cut is not one that was not applied. */
static void an_adapter_that_calls_unknown_busy_is_found(void **state) {
    struct cut_way way = {0};
    int good;
    (void)state;
    open_way(&way);
    good = histories_run_cut(way.through, &way.wire, "", 1, 500,
                             PLANT_CALLS_UNKNOWN_BUSY, 0);
    close_way(&way);
    printf("faults: histories, Redis, UNKNOWN called BUSY: found at history "
           "%d\n",
           good + 1);
    assert_true(good < 500);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(redis_is_linearizable),
        cmocka_unit_test(redis_is_linearizable_through_cut_connections),
        cmocka_unit_test(an_adapter_that_calls_unknown_busy_is_found),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
