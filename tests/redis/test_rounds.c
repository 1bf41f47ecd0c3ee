/* tests/redis/test_rounds.c - devices enrol, exchange and refresh on a durable
 * Redis while clients are killed, while its disk is full, while it may not be
 * written to and while their clock is set: what was answered is there afterwards,
 * once. Each kind is counted; MEREAU_SOAK=1 runs ten times as many. There is no
 * lock of Redis that another could hold. */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <stdio.h>
#include <unistd.h>

#include <cmocka.h>

#include "adapters/redis/redis_store.h"
#include "faults/crowd.h"
#include "faults/small_disk.h"
#include "server.h"
#include "store/support.h"

static const char *const durable_words[] = {DURABLE_WORDS, NULL};

/* One server for each life, so that each begins with nothing. */
static void begin_life(struct server *server, struct crowd *crowd) {
    assert_int_equal(server_start(server, durable_words), 0);
    crowd_open(crowd, server_store(server, NULL));
}

/* Nobody is left to be harmed. */
static int is_over(const struct crowd *crowd) {
    return life_answers(crowd->life) == LIFE_DEVICES * LIFE_STEPS;
}

/* What came of it, also after the server has read its log again. */
static void end_life(struct server *server, struct crowd *crowd,
                     struct crowd_sum *sum) {
    crowd_stop(crowd);
    crowd_close(crowd);
    server_kill(server);
    assert_int_equal(server_again(server), 0);
    crowd_check(crowd, server_store(server, NULL), sum, 1);
    server_end(server);
}

/* --- clients are killed --- */

static mereau_store *open_in_child(void *arg) {
    const struct server *server = arg;
    mereau_redis_settings set = MEREAU_REDIS_SETTINGS_INIT;
    mereau_store *store = NULL;
    set.port = server->port;
    (void)mereau_redis_open(&store, &set, NULL);
    return store;
}

static void killed_clients_lose_and_double_nothing(void **state) {
    struct crowd_sum sum = {0};
    uint64_t random = 5;
    unsigned wanted = crowd_rounds(36);
    (void)state;
    for (unsigned i = 0; sum.harm < wanted && i < wanted; i++) {
        struct server server;
        struct crowd crowd;
        begin_life(&server, &crowd);
        crowd_close(&crowd);
        crowd_kill_clients(&crowd, open_in_child, &server, 9, &random, &sum);
        server_kill(&server);
        assert_int_equal(server_again(&server), 0);
        crowd_check(&crowd, server_store(&server, NULL), &sum, 1);
        server_end(&server);
    }
    crowd_must_be_whole("Redis", "clients killed", &sum, wanted);
}

/* --- the disk is full --- */

/* A server under appendfsync always ends itself when it cannot write its log. One
 * that was rewriting it may find room once more when it removes the old one. Not
 * counted if the life was over before. */
static void fill_disk(struct server *server, struct crowd *crowd,
                      uint64_t *random, struct crowd_sum *sum) {
    char filler[80], reply[256];
    int ended = -1;
    snprintf(filler, sizeof filler, "%s/filler", server->folder);
    crowd_await(crowd, (unsigned)(next_random(random) % 150));
    if (next_random(random) % 3 == 0)
        server_say(server, "BGREWRITEAOF", reply);
    for (int n = 0; n < 200 && ended != 0 && !is_over(crowd); n++) {
        small_disk_fill(filler, (unsigned)(next_random(random) % 12) * 4096);
        ended = server_await_end(server, 50);
    }
    assert_true(ended == 0 || is_over(crowd));
    sum->harm += ended == 0;
    /* While it is full still: until the next commit. */
    if (next_random(random) % 3 == 0 && server_try(server) == 0)
        (void)server_await_end(server, 200);
    server_kill(server);
    assert_int_equal(unlink(filler), 0);
    assert_int_equal(server_again(server), 0);
}

static void a_full_disk_loses_and_doubles_nothing(void **state) {
    struct crowd_sum sum = {0};
    struct small_disk disk;
    uint64_t random = 6;
    unsigned wanted = crowd_rounds(10);
    (void)state;
    if (small_disk_mount(&disk, 8) != 0) {
        print_message("not tried: this user may not mount\n");
        skip();
    }
    for (unsigned i = 0; sum.harm < wanted && i < wanted * 2; i++) {
        struct server server;
        struct crowd crowd;
        begin_life(&server, &crowd);
        crowd_start(&crowd);
        fill_disk(&server, &crowd, &random, &sum);
        fill_disk(&server, &crowd, &random, &sum);
        end_life(&server, &crowd, &sum);
    }
    small_disk_unmount(&disk);
    crowd_must_be_whole("Redis", "disk full (tmpfs)", &sum, wanted);
}

/* --- it may not be written to --- */

/* A replica of what does not answer keeps its records and refuses to write. */
static void demote(const struct server *server, mereau_store *store,
                   uint64_t *random, struct crowd_sum *sum) {
    int32_t get, commit;
    server_must(server, "REPLICAOF 127.0.0.1 1", "OK");
    (void)version_of(store, "none", &get);
    commit = put(store, "none", 0, 1, "x");
    mru_sleep_ms((uint32_t)(next_random(random) % 40));
    server_must(server, "REPLICAOF NO ONE", "OK");
    assert_int_equal(get, MEREAU_STORE_BUSY);
    assert_int_equal(commit, MEREAU_STORE_BUSY);
    sum->harm++;
}

static void a_server_that_is_read_only_loses_and_doubles_nothing(void **state) {
    struct crowd_sum sum = {0};
    uint64_t random = 7;
    unsigned wanted = crowd_rounds(12);
    (void)state;
    for (unsigned i = 0; sum.harm < wanted && i < wanted; i++) {
        struct server server;
        struct crowd crowd;
        mereau_store *store;
        begin_life(&server, &crowd);
        store = server_store(&server, NULL);
        crowd_start(&crowd);
        for (int n = 0; n < 3 && !is_over(&crowd); n++) {
            crowd_await(&crowd, (unsigned)(next_random(&random) % 60));
            demote(&server, store, &random, &sum);
        }
        crowd_await(&crowd, 20);
        mereau_store_close(store);
        end_life(&server, &crowd, &sum);
    }
    crowd_must_be_whole("Redis", "read-only", &sum, wanted);
}

/* --- the clock of the clients is set --- */

static void a_clock_that_is_set_loses_and_doubles_nothing(void **state) {
    struct crowd_sum sum = {0};
    uint64_t random = 8;
    unsigned wanted = crowd_rounds(40);
    (void)state;
    for (unsigned i = 0; sum.harm < wanted && i < wanted; i++) {
        struct server server;
        struct crowd crowd;
        begin_life(&server, &crowd);
        crowd_start(&crowd);
        crowd_set_clock(&crowd, 10, &random, &sum);
        if (is_over(&crowd)) /* perhaps before the last time */
            sum.harm -= 10;
        end_life(&server, &crowd, &sum);
    }
    crowd_must_be_whole("Redis", "clients' clock set back and forward", &sum,
                        wanted);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(killed_clients_lose_and_double_nothing),
        cmocka_unit_test(a_full_disk_loses_and_doubles_nothing),
        cmocka_unit_test(a_server_that_is_read_only_loses_and_doubles_nothing),
        cmocka_unit_test(a_clock_that_is_set_loses_and_doubles_nothing),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
