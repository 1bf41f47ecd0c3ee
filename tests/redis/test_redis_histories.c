/* tests/redis/test_redis_histories.c - histories of several threads on Redis are
 * linearizable (tests/store/history.h). HISTORIES: how many. */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>

#include <cmocka.h>

#include "server.h"
#include "store/history.h"

static void redis_is_linearizable(void **state) {
    static const char *const words[] = {DURABLE_WORDS, NULL};
    struct server server;
    mereau_store *store;
    int n = histories_wanted();
    (void)state;
    assert_int_equal(server_start(&server, words), 0);
    store = server_store(&server, NULL);
    assert_int_equal(histories_run(store, "Redis", 1, n, PLANT_NONE, 1), n);
    mereau_store_close(store);
    server_end(&server);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(redis_is_linearizable),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
