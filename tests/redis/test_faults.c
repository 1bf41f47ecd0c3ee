/* tests/redis/test_faults.c - devices enrol, exchange and refresh while the
 * server is killed, while its host's connections are cut and while it refuses:
 * what was answered is there afterwards, once. Each kind is counted;
 * MEREAU_SOAK=1 runs ten times as many. */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdio.h>
#include <string.h>

#include "adapters/redis/redis_store.h"
#include "faults/crowd.h"
#include "faults/proxy.h"
#include "server.h"
#include "store/support.h"

static const char *const durable_words[] = {DURABLE_WORDS, NULL};

/* Keys of its own for each round, so that each begins with nothing. */
static mereau_redis_settings settings_of(const struct server *server,
                                         unsigned round, char prefix[32]) {
    mereau_redis_settings set = MEREAU_REDIS_SETTINGS_INIT;
    snprintf(prefix, 32, "round%u", round);
    set.port = server->port;
    set.prefix = prefix;
    return set;
}

/* --- the server is killed --- */

static void kill_server_during_a_life(struct server *server, unsigned round,
                                      unsigned kills, struct crowd_sum *sum) {
    char prefix[32];
    mereau_redis_settings set = settings_of(server, round, prefix);
    uint64_t random = round * 77 + 1;
    struct crowd crowd;

    crowd_open(&crowd, server_store(server, &set));
    crowd_start(&crowd);
    for (unsigned i = 0; i < kills; i++, sum->harm++) {
        crowd_await(&crowd, (unsigned)(next_random(&random) % 60));
        mru_sleep_ms((uint32_t)(next_random(&random) % 4));
        server_kill(server);
        assert_int_equal(server_again(server), 0);
    }
    mru_sleep_ms(20);
    crowd_stop(&crowd);
    crowd_close(&crowd);
    crowd_check(&crowd, server_store(server, &set), sum, 1);
}

static void answers_of_a_durable_server_outlive_its_kills(void **state) {
    struct server server;
    struct crowd_sum sum = {0};
    unsigned lives = crowd_rounds(10);
    (void)state;
    assert_int_equal(server_start(&server, durable_words), 0);
    for (unsigned i = 0; i < lives; i++)
        kill_server_during_a_life(&server, i, 2, &sum);
    server_end(&server);
    crowd_must_be_whole("Redis", "server killed", &sum, 2 * lives);
}

/* The same on one that keeps no log: the check must see it. */
static void answers_of_a_server_in_memory_do_not(void **state) {
    struct server server;
    struct crowd_sum sum = {0};
    struct crowd crowd;
    (void)state;
    assert_int_equal(server_start(&server, NULL), 0);
    crowd_open(&crowd, server_store(&server, NULL));
    crowd_start(&crowd);
    mru_sleep_ms(60);
    crowd_stop(&crowd);
    crowd_close(&crowd);
    server_kill(&server);
    assert_int_equal(server_again(&server), 0);
    crowd_check(&crowd, server_store(&server, NULL), &sum, 0);
    server_end(&server);
    assert_true(sum.found.lost + sum.found.broken > 0);
}

/* --- connections are cut --- */

static void cut_connections_lose_and_double_nothing(void **state) {
    struct server server;
    struct crowd_sum sum = {0};
    struct proxy *proxy;
    struct proxy_cuts cuts;
    unsigned wanted = crowd_rounds(400);
    (void)state;
    assert_int_equal(server_start(&server, NULL), 0);
    proxy = server_proxy(&server);
    cuts = proxy_cuts(proxy);
    for (unsigned i = 0; cuts.requests + cuts.replies < wanted && i < wanted;
         i++) {
        char prefix[32];
        mereau_redis_settings set = settings_of(&server, i, prefix), through;
        struct crowd crowd;
        through = set;
        through.port = proxy_port(proxy);
        proxy_cut_at_random(proxy, i, 0, 0);
        crowd_open(&crowd, server_store(&server, &through));
        /* What a connection is asked first takes about 6000 bytes of replies.
         * */
        proxy_cut_at_random(proxy, i, 20000, 14000);
        crowd_start(&crowd);
        /* Those that are open go on whole: each is cut once. */
        for (int n = 0; n < 30; n++) {
            proxy_cut_once(proxy, n % 2, (uint32_t)(n * 37 % 400));
            mru_sleep_ms(3);
        }
        crowd_stop(&crowd);
        crowd_close(&crowd);
        crowd_check(&crowd, server_store(&server, &set), &sum, 1);
        cuts = proxy_cuts(proxy);
    }
    proxy_stop(proxy);
    server_end(&server);
    sum.harm = cuts.requests + cuts.replies;
    crowd_must_be_whole("Redis", "connections cut", &sum, wanted);
    assert_true(cuts.requests > wanted / 10 && cuts.replies > wanted / 10);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(answers_of_a_durable_server_outlive_its_kills),
        cmocka_unit_test(answers_of_a_server_in_memory_do_not),
        cmocka_unit_test(cut_connections_lose_and_double_nothing),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
