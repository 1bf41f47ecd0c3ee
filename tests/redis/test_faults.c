/* tests/redis/test_faults.c - devices enrol, exchange and refresh while the
 * server is killed, while its host's connections are cut and while it refuses:
 * what was answered is there afterwards, once. Each kind is counted;
 * MEREAU_SOAK=1 runs ten times as many. */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>

#include <cmocka.h>

#include <arpa/inet.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "adapters/redis/redis_store.h"
#include "faults/life.h"
#include "faults/proxy.h"
#include "server.h"
#include "store/support.h"

enum { THREADS = 8 };

static const char *const durable_words[] = {DURABLE_WORDS, NULL};

static unsigned rounds(unsigned n) {
    return getenv("MEREAU_SOAK") != NULL ? 10 * n : n;
}

/* --- a life on threads --- */

struct crowd {
    struct life *life;
    struct host host;
    pthread_t threads[THREADS];
    struct one {
        struct crowd *crowd;
        int number;
    } ones[THREADS];
    atomic_int over;
};

static void *live(void *arg) {
    struct one *one = arg;
    struct crowd *crowd = one->crowd;
    int busy = 1;
    while (busy && !crowd->over) {
        busy = 0;
        for (int d = one->number; d < LIFE_DEVICES; d += THREADS)
            if (!crowd->over)
                busy |= life_live(crowd->life, &crowd->host, d);
    }
    return NULL;
}

static void crowd_start(struct crowd *crowd, const mereau_store *store) {
    memset(crowd, 0, sizeof *crowd);
    crowd->life = life_new(NULL);
    assert_non_null(crowd->life);
    assert_int_equal(host_open_on(&crowd->host, crowd->life, store), MEREAU_OK);
    assert_int_equal(life_begin(crowd->life, &crowd->host), MEREAU_OK);
    for (int i = 0; i < THREADS; i++) {
        crowd->ones[i].crowd = crowd;
        crowd->ones[i].number = i;
        assert_int_equal(
            pthread_create(&crowd->threads[i], NULL, live, &crowd->ones[i]), 0);
    }
}

static void crowd_stop(struct crowd *crowd) {
    crowd->over = 1;
    for (int i = 0; i < THREADS; i++)
        pthread_join(crowd->threads[i], NULL);
    host_close(&crowd->host);
}

/* What came of it, read on another connection. */
static void crowd_check(struct crowd *crowd, const struct server *server,
                        const mereau_redis_settings *set,
                        struct life_found *found) {
    struct life_view view;
    struct host host = {0};
    mereau_store *store;
    store = server_store(server, set);
    assert_int_equal(host_open_on(&host, crowd->life, store), MEREAU_OK);
    life_view_now(&view, crowd->life);
    life_check(crowd->life, &host, &view, found);
    found->broken += crowd->life->problems;
    host_close(&host);
    mereau_store_close(store);
}

static void say(const char *kind, unsigned n, const struct life_found *found,
                unsigned answers) {
    printf("faults: redis, %s: %u, %u answers, %u looked for again, %u lost, "
           "%u doubled, %u broken\n",
           kind, n, answers, found->checked, found->lost, found->doubled,
           found->broken);
}

static void must_be_whole(const struct life_found *found) {
    assert_int_equal(found->lost, 0);
    assert_int_equal(found->doubled, 0);
    assert_int_equal(found->broken, 0);
    assert_true(found->checked > 0);
}

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

/* Returns how many answers there were. */
static unsigned kill_server_during_a_life(struct server *server, unsigned round,
                                          unsigned kills,
                                          struct life_found *found) {
    char prefix[32];
    mereau_redis_settings set = settings_of(server, round, prefix);
    mereau_store *store = server_store(server, &set);
    uint64_t random = round * 77 + 1;
    struct crowd crowd;
    unsigned answers;

    crowd_start(&crowd, store);
    for (unsigned i = 0; i < kills; i++) {
        mru_sleep_ms((uint32_t)(5 + next_random(&random) % 60));
        server_kill(server);
        assert_int_equal(server_again(server), 0);
    }
    mru_sleep_ms(20);
    crowd_stop(&crowd);
    crowd_check(&crowd, server, &set, found);
    answers = life_answers(crowd.life);
    life_free(crowd.life);
    mereau_store_close(store);
    return answers;
}

static void answers_of_a_durable_server_outlive_its_kills(void **state) {
    struct server server;
    struct life_found found = {.print = 1};
    unsigned answers = 0, kills = 0;
    (void)state;
    assert_int_equal(server_start(&server, durable_words), 0);
    for (unsigned i = 0; i < rounds(10); i++, kills += 2)
        answers += kill_server_during_a_life(&server, i, 2, &found);
    say("server killed", kills, &found, answers);
    server_end(&server);
    must_be_whole(&found);
    assert_true(answers > kills);
}

/* The same on one that keeps no log: the check must see it. */
static void answers_of_a_server_in_memory_do_not(void **state) {
    struct server server;
    struct life_found found = {.print = 0};
    struct crowd crowd;
    mereau_store *store;
    (void)state;
    assert_int_equal(server_start(&server, NULL), 0);
    store = server_store(&server, NULL);
    crowd_start(&crowd, store);
    mru_sleep_ms(60);
    crowd_stop(&crowd);
    server_kill(&server);
    assert_int_equal(server_again(&server), 0);
    crowd_check(&crowd, &server, NULL, &found);
    life_free(crowd.life);
    mereau_store_close(store);
    server_end(&server);
    assert_true(found.lost + found.broken > 0);
}

/* --- connections are cut --- */

static struct proxy *proxy_to(const struct server *server) {
    struct sockaddr_in to;
    struct proxy *proxy;
    memset(&to, 0, sizeof to);
    to.sin_family = AF_INET;
    to.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    to.sin_port = htons((uint16_t)server->port);
    proxy = proxy_start((struct sockaddr *)&to, sizeof to);
    assert_non_null(proxy);
    return proxy;
}

static void cut_connections_lose_and_double_nothing(void **state) {
    struct server server;
    struct life_found found = {.print = 1};
    struct proxy *proxy;
    struct proxy_cuts cuts;
    unsigned answers = 0, wanted = rounds(400);
    (void)state;
    assert_int_equal(server_start(&server, NULL), 0);
    proxy = proxy_to(&server);
    cuts = proxy_cuts(proxy);
    for (unsigned i = 0; cuts.requests + cuts.replies < wanted && i < wanted;
         i++) {
        char prefix[32];
        mereau_redis_settings set = settings_of(&server, i, prefix), through;
        mereau_store *store;
        struct crowd crowd;
        through = set;
        through.port = proxy_port(proxy);
        proxy_cut_at_random(proxy, i, 0, 0);
        store = server_store(&server, &through);
        crowd_start(&crowd, store);
        /* What a connection is asked first takes about 6000 bytes of replies.
         * */
        proxy_cut_at_random(proxy, i, 20000, 14000);
        /* Those that are open go on whole: each is cut once. */
        for (int n = 0; n < 30; n++) {
            proxy_cut_once(proxy, n % 2, (uint32_t)(n * 37 % 400));
            mru_sleep_ms(3);
        }
        crowd_stop(&crowd);
        crowd_check(&crowd, &server, &set, &found);
        answers += life_answers(crowd.life);
        life_free(crowd.life);
        mereau_store_close(store);
        cuts = proxy_cuts(proxy);
    }
    proxy_stop(proxy);
    say("request cut", cuts.requests, &found, answers);
    say("reply cut", cuts.replies, &found, answers);
    server_end(&server);
    must_be_whole(&found);
    assert_true(cuts.requests > wanted / 10 && cuts.replies > wanted / 10);
}

/* Byte by byte: a commit that did not arrive whole is not applied, one whose
 * reply did not is UNKNOWN. Never OK, never CONFLICT. */
static void a_cut_commit_is_never_called_something_else(void **state) {
    struct server server;
    struct proxy *proxy;
    mereau_redis_settings set = MEREAU_REDIS_SETTINGS_INIT;
    mereau_store *store, *direct;
    uint64_t version = 1;
    unsigned whole = 0;
    (void)state;
    assert_int_equal(server_start(&server, NULL), 0);
    proxy = proxy_to(&server);
    set.port = proxy_port(proxy);
    store = server_store(&server, &set);
    direct = server_store(&server, NULL);
    assert_int_equal(put(direct, "a", 0, 1, "value"), MEREAU_STORE_OK);
    for (uint32_t n = 0; whole < 3 && n < 1000; n++) {
        int32_t result;
        uint64_t now;
        (void)version_of(store, "b", NULL); /* a connection is there */
        proxy_cut_once(proxy, 0, n);
        result = put(store, "a", version, version + 1, "value");
        now = version_of(direct, "a", NULL);
        if (result == MEREAU_STORE_OK) {
            whole++; /* longer than the request */
            assert_int_equal(now, version + 1);
        } else {
            assert_true(result == MEREAU_STORE_UNKNOWN ||
                        result == MEREAU_STORE_BUSY);
            assert_int_equal(now, version);
        }
        version = now;
        /* Whatever is left of it: not a byte of a next request is missing. */
        proxy_cut_once(proxy, 0, UINT32_MAX);
    }
    assert_int_equal(whole, 3);
    for (uint32_t n = 0; n < 4; n++) { /* ":0\r\n" */
        (void)version_of(store, "b", NULL);
        proxy_cut_once(proxy, 1, n);
        assert_int_equal(put(store, "a", version, version + 1, "value"),
                         MEREAU_STORE_UNKNOWN);
        version++;
        assert_int_equal(version_of(direct, "a", NULL), version);
    }
    mereau_store_close(store);
    mereau_store_close(direct);
    proxy_stop(proxy);
    server_end(&server);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(answers_of_a_durable_server_outlive_its_kills),
        cmocka_unit_test(answers_of_a_server_in_memory_do_not),
        cmocka_unit_test(cut_connections_lose_and_double_nothing),
        cmocka_unit_test(a_cut_commit_is_never_called_something_else),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
