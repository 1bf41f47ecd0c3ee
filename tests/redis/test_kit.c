/* tests/redis/test_kit.c - the store kit, with threads and processes, on a
 * server with settings that are durable, on one without, on a node that has all
 * slots of a cluster and on two that share them (where a script that left its
 * slot would be refused), with connections that the host brings, and behind a
 * group of commits; and histories of the latter. */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>

#include <cmocka.h>

#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <mereau/front.h>

#include "adapters/redis/redis_store.h"
#include "server.h"
#include "store/grouped.h"
#include "store/support.h"

enum {
    ALWAYS = MEREAU_CAP_SHARED | MEREAU_CAP_LINEAR | MEREAU_CAP_ORDERED |
             MEREAU_CAP_EXPIRES
};

struct place {
    struct server server;
    mereau_redis_settings set;
    int grouped; /* a group of commits stands in front */
};

static int32_t open_for_kit(void *user, mereau_store **out) {
    struct place *place = user;
    mereau_store *store = NULL;
    int32_t status = mereau_redis_open(&store, &place->set, NULL);
    if (status == MEREAU_OK && place->grouped)
        return mereau_group_open(out, store, NULL);
    *out = store;
    return status;
}

static void run_kit(struct place *place, uint32_t caps, uint64_t seed,
                    uint32_t threads, uint32_t processes) {
    mereau_store_kit kit = MEREAU_STORE_KIT_INIT;
    struct noted noted = {.print = 1};

    kit.caps = caps;
    kit.user = place;
    kit.open = open_for_kit;
    kit.seed = seed;
    kit.threads = threads;
    kit.processes = processes;
    assert_int_equal(mereau_store_kit_run(&kit, note, &noted), 0);
    assert_int_equal(noted.n_failed, 0);
    assert_int_equal(noted.n_skipped, caps & MEREAU_CAP_DURABLE ? 0 : 1);
    assert_true(noted.n_passed > 50);
}

static void start(struct place *place, const char *const *words) {
    memset(place, 0, sizeof *place);
    assert_int_equal(server_start(&place->server, words), 0);
    mereau_redis_settings_init(&place->set, sizeof place->set);
    place->set.port = place->server.port;
    place->set.connections = 64;
}

static void durable_server_passes_the_store_kit(void **state) {
    static const char *const words[] = {DURABLE_WORDS, NULL};
    struct place place;
    (void)state;
    start(&place, words);
    run_kit(&place, ALWAYS | MEREAU_CAP_DURABLE, 1, 0, 0);
    server_must(&place.server, "DBSIZE", "0"); /* the kit swept up */
    server_end(&place.server);
}

static void server_in_memory_passes_the_store_kit(void **state) {
    struct place place;
    (void)state;
    start(&place, NULL);
    place.set.connections =
        3; /* fewer than threads: they wait for each other */
    run_kit(&place, ALWAYS, 2, 16, 6);
    server_must(&place.server, "DBSIZE", "0");
    server_end(&place.server);
}

static void a_group_of_commits_in_front_passes_the_store_kit(void **state) {
    static const char *const words[] = {DURABLE_WORDS, NULL};
    struct place place;
    (void)state;
    start(&place, words);
    place.grouped = 1;
    run_kit(&place, ALWAYS | MEREAU_CAP_DURABLE, 7, 32, 4);
    server_must(&place.server, "DBSIZE", "0");
    server_end(&place.server);
}

static void a_group_of_commits_in_front_is_linearizable(void **state) {
    static const char *const words[] = {DURABLE_WORDS, NULL};
    struct place place;
    (void)state;
    start(&place, words);
    grouped_is_linearizable(server_store(&place.server, NULL),
                            "group over Redis");
    server_end(&place.server);
}

static void unix_socket_and_prefix_pass_the_store_kit(void **state) {
    char path[96];
    const char *const words[] = {"--unixsocket", "socket", NULL};
    struct place place;
    (void)state;
    start(&place, words);
    snprintf(path, sizeof path, "%s/socket", place.server.folder);
    place.set.host = path;
    place.set.prefix = "acme:tokens";
    run_kit(&place, ALWAYS, 3, 2, 2);
    server_end(&place.server);
}

/* --- a cluster --- */

static void wait_for_cluster(const struct server *server, const char *nodes) {
    char out[256] = "";
    int up = 0;
    for (int i = 0; i < 1000 && !up; i++) {
        mru_sleep_ms(10);
        server_say(server, "CLUSTER INFO", out);
        up = strstr(out, "cluster_state:ok") != NULL &&
             strstr(out, nodes) != NULL;
    }
    assert_true(up);
}

static void cluster_node_passes_the_store_kit(void **state) {
    static const char *const words[] = {"--cluster-enabled", "yes", NULL};
    struct place place;
    (void)state;
    start(&place, words);
    server_must(&place.server, "CLUSTER ADDSLOTSRANGE 0 16383", "OK");
    wait_for_cluster(&place.server, "cluster_known_nodes:1");
    /* CROSSSLOT would be IO, and fail a check. */
    run_kit(&place, ALWAYS, 4, 4, 2);
    server_end(&place.server);
}

/* --- the host's pool --- */

struct pool {
    pthread_mutex_t lock;
    unsigned port;
    int taken, given, broken;
    uint32_t slots[2];
};

static int32_t take(void *user, uint32_t slot, struct redisContext **out) {
    struct pool *pool = user;
    pthread_mutex_lock(&pool->lock);
    pool->slots[pool->taken++ > 0] = slot;
    pthread_mutex_unlock(&pool->lock);
    *out = redisConnect("127.0.0.1", (int)pool->port);
    return *out == NULL || (*out)->err != 0;
}

static void give(void *user, struct redisContext *connection, int32_t broken) {
    struct pool *pool = user;
    pthread_mutex_lock(&pool->lock);
    pool->given++;
    pool->broken += broken != 0;
    pthread_mutex_unlock(&pool->lock);
    redisFree(connection);
}

static void connections_of_the_host_pass_the_store_kit(void **state) {
    struct place place;
    struct pool pool = {PTHREAD_MUTEX_INITIALIZER, 0, 0, 0, 0, {0, 0}};
    (void)state;
    start(&place, NULL);
    pool.port = place.server.port;
    place.set.port = 1; /* not used */
    place.set.pool = &pool;
    place.set.take = take;
    place.set.give = give;
    run_kit(&place, ALWAYS, 5, 2, 2);
    assert_true(pool.taken > 100);
    assert_int_equal(pool.given, pool.taken);
    assert_int_equal(pool.broken, 0);
    server_end(&place.server);
}

static int32_t take_by_slot(void *user, uint32_t slot,
                            struct redisContext **out) {
    const struct pool *nodes = user;
    *out = redisConnect("127.0.0.1",
                        (int)(slot < 8192 ? nodes[0].port : nodes[1].port));
    return *out == NULL || (*out)->err != 0;
}

static void two_nodes_of_a_cluster_pass_the_store_kit(void **state) {
    static const char *const words[] = {"--cluster-enabled", "yes", NULL};
    struct place one, two;
    struct pool nodes[2] = {{PTHREAD_MUTEX_INITIALIZER, 0, 0, 0, 0, {0, 0}},
                            {PTHREAD_MUTEX_INITIALIZER, 0, 0, 0, 0, {0, 0}}};
    mereau_store *store;
    char command[64];
    int answers[8] = {0};
    (void)state;
    start(&one, words);
    start(&two, words);
    server_must(&one.server, "CLUSTER SET-CONFIG-EPOCH 1", "OK");
    server_must(&two.server, "CLUSTER SET-CONFIG-EPOCH 2", "OK");
    server_must(&one.server, "CLUSTER ADDSLOTSRANGE 0 8191", "OK");
    server_must(&two.server, "CLUSTER ADDSLOTSRANGE 8192 16383", "OK");
    snprintf(command, sizeof command, "CLUSTER MEET 127.0.0.1 %u",
             two.server.port);
    server_must(&one.server, command, "OK");
    wait_for_cluster(&one.server, "cluster_known_nodes:2");
    wait_for_cluster(&two.server, "cluster_known_nodes:2");
    /* With the store's own connections, the other node's slots are busy. */
    for (int i = 0; i < 2; i++) {
        store = server_store(i == 0 ? &one.server : &two.server, NULL);
        answers[put(store, "a", 0, 1, "x")]++;
        mereau_store_close(store);
    }
    assert_int_equal(answers[MEREAU_STORE_OK], 1);
    assert_int_equal(answers[MEREAU_STORE_BUSY], 1);
    nodes[0].port = one.server.port;
    nodes[1].port = two.server.port;
    one.set.pool = nodes;
    one.set.take = take_by_slot;
    one.set.give = give;
    run_kit(&one, ALWAYS, 6, 4, 2);
    assert_true(nodes[0].given > 100); /* give counts for both */
    server_end(&one.server);
    server_end(&two.server);
}

static void host_is_told_the_slot_that_the_server_reckons(void **state) {
    static const char *const words[] = {"--cluster-enabled", "yes", NULL};
    struct place place;
    struct pool pool = {PTHREAD_MUTEX_INITIALIZER, 0, 0, 0, 0, {0, 0}};
    mereau_store *store = NULL;
    char slot[256];
    (void)state;
    start(&place, words);
    pool.port = place.server.port;
    place.set.pool = &pool;
    place.set.take = take;
    place.set.give = give;
    assert_int_equal(mereau_redis_open(&store, &place.set, NULL), MEREAU_OK);
    (void)version_of(store, "a", NULL); /* of partition "p" */
    assert_int_equal(pool.slots[0], MEREAU_REDIS_ANY_SLOT);
    server_say(&place.server, "CLUSTER KEYSLOT mereau:{p}:ra", slot);
    assert_int_equal(pool.slots[1], strtol(slot, NULL, 10));
    mereau_store_close(store);
    server_end(&place.server);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(durable_server_passes_the_store_kit),
        cmocka_unit_test(server_in_memory_passes_the_store_kit),
        cmocka_unit_test(a_group_of_commits_in_front_passes_the_store_kit),
        cmocka_unit_test(a_group_of_commits_in_front_is_linearizable),
        cmocka_unit_test(unix_socket_and_prefix_pass_the_store_kit),
        cmocka_unit_test(cluster_node_passes_the_store_kit),
        cmocka_unit_test(connections_of_the_host_pass_the_store_kit),
        cmocka_unit_test(two_nodes_of_a_cluster_pass_the_store_kit),
        cmocka_unit_test(host_is_told_the_slot_that_the_server_reckons),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
