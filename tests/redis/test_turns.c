/* tests/redis/test_turns.c - a get is one round trip to Redis, a commit is one, also
 * one that conflicts. Counted by a proxy. */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>

#include <cmocka.h>

#include "faults/turns.h"
#include "server.h"

static void a_get_and_a_commit_are_one_round_trip_each(void **state) {
    static const char *const words[] = {DURABLE_WORDS, NULL};
    struct server server;
    mereau_redis_settings set = MEREAU_REDIS_SETTINGS_INIT;
    struct proxy *proxy;
    struct turns turns;
    mereau_store *store;
    (void)state;
    assert_int_equal(server_start(&server, words), 0);
    proxy = server_proxy(&server);
    set.port = proxy_port(proxy);
    set.connections = 1;
    store = server_store(&server, &set);
    turns = turns_count(proxy, store);
    mereau_store_close(store);
    proxy_stop(proxy);
    server_end(&server);
    print_message("round trips, Redis: get %u, commit %u, conflict %u, commit "
                  "of 128 records %u\n",
                  turns.get, turns.commit, turns.conflict, turns.large);
    assert_int_equal(turns.get, 1);
    assert_int_equal(turns.commit, 1);
    assert_int_equal(turns.conflict, 1);
    assert_int_equal(turns.large, 1);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_get_and_a_commit_are_one_round_trip_each),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
