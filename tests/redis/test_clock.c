/* tests/redis/test_clock.c - the clock of the server itself is wrong: it drops
 * records by it. Ahead by less than keep_longer_s, or behind, nothing is lost; what
 * is lost when it is further ahead is what docs/store-guide.md says, and nothing is
 * doubled by it. tests/redis/preload.c sets it. */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <time.h>
#include <unistd.h>

#include <cmocka.h>

#include "adapters/redis/redis_store.h"
#include "faults/crowd.h"
#include "server.h"
#include "store/support.h"

enum { MINUTE = 60, HOUR = 3600, DAY = 86400 };

static const char *const durable_words[] = {DURABLE_WORDS, NULL};

static struct folder folder;
static volatile int64_t *server_ahead; /* s; shared with the servers */

static int make_clock(void **state) {
    char path[128];
    int file, result;
    void *found;
    (void)state;
    if (folder_make(&folder) != 0)
        return -1;
    file = open(folder_file(&folder, "clock", path), O_RDWR | O_CREAT, 0600);
    result = ftruncate(file, (off_t)sizeof *server_ahead);
    found = mmap(NULL, sizeof *server_ahead, PROT_READ | PROT_WRITE, MAP_SHARED,
                 file, 0);
    close(file);
    if (result != 0 || found == MAP_FAILED)
        return -1;
    server_ahead = found;
    return setenv("MEREAU_CLOCK", path, 1);
}

static int remove_clock(void **state) {
    (void)state;
    folder_remove(&folder);
    return 0;
}

static int set_right(void **state) {
    (void)state;
    *server_ahead = 0;
    return 0;
}

/* --- one record --- */

static int32_t put_until(mereau_store *store, int64_t drop_at) {
    mereau_need need = {0};
    mereau_write write = {0};
    size_t failed = SIZE_MAX;
    need.size = (uint32_t)sizeof need;
    need.kind = MEREAU_NEED_COMMIT;
    need.partition = (const uint8_t *)"p";
    need.partition_len = 1;
    need.writes = &write;
    need.n_writes = 1;
    write.kind = MEREAU_WRITE_PUT;
    write.expect = MEREAU_VERSION_ANY;
    write.record.key = (const uint8_t *)"a";
    write.record.key_len = 1;
    write.record.version = 1;
    write.record.drop_at = drop_at;
    return store->commit(store->user, &need, &failed);
}

static void a_record_is_kept_as_long_as_was_set(void **state) {
    struct server server;
    uint64_t random = 1;
    unsigned n = 0, wanted = crowd_rounds(10);
    (void)state;
    assert_int_equal(server_start(&server, NULL), 0);
    for (; n < wanted; n++) {
        mereau_redis_settings set = MEREAU_REDIS_SETTINGS_INIT;
        int64_t left = (int64_t)(next_random(&random) % (100 * DAY));
        mereau_store *store;
        set.keep_longer_s = (uint32_t)(next_random(&random) % (400 * DAY));
        store = server_store(&server, &set);
        *server_ahead = 0;
        assert_int_equal(put_until(store, (int64_t)time(NULL) + left),
                         MEREAU_STORE_OK);
        *server_ahead = left + set.keep_longer_s - MINUTE;
        assert_int_equal(version_of(store, "a", NULL), 1);
        *server_ahead = -(int64_t)set.keep_longer_s;
        assert_int_equal(version_of(store, "a", NULL), 1);
        *server_ahead = left + set.keep_longer_s + MINUTE;
        assert_int_equal(version_of(store, "a", NULL), MEREAU_VERSION_ABSENT);
        *server_ahead = 0; /* gone for good */
        assert_int_equal(version_of(store, "a", NULL), MEREAU_VERSION_ABSENT);
        mereau_store_close(store);
    }
    server_end(&server);
    printf("faults: Redis, server's clock ahead: %u records were kept a minute "
           "before keep_longer_s after their end, and dropped a minute after "
           "it\n",
           n);
}

/* --- lives --- */

/* By less than that, back and forward; once it starts again meanwhile. */
static void a_wrong_clock_of_the_server_loses_nothing(void **state) {
    enum { KEEP = 300 * DAY, TIMES = 5 };
    struct crowd_sum sum = {0};
    uint64_t random = 2;
    unsigned lives = crowd_rounds(2);
    (void)state;
    for (unsigned i = 0; i < lives; i++) {
        mereau_redis_settings set = MEREAU_REDIS_SETTINGS_INIT;
        struct server server;
        struct crowd crowd;
        *server_ahead = 0;
        assert_int_equal(server_start(&server, durable_words), 0);
        set.port = server.port;
        set.keep_longer_s = KEEP;
        crowd_open(&crowd, server_store(&server, &set));
        crowd_start(&crowd);
        for (int n = 0; n < TIMES; n++, sum.harm++) {
            crowd_await(&crowd, 20);
            *server_ahead = (int64_t)(next_random(&random) % (2 * KEEP)) - KEEP;
            if (n == 0)
                *server_ahead = KEEP - DAY;
            if (n != TIMES / 2)
                continue;
            server_kill(&server);
            assert_int_equal(server_again(&server), 0);
        }
        crowd_await(&crowd, 20);
        crowd_stop(&crowd);
        crowd_close(&crowd);
        crowd_check(&crowd, server_store(&server, &set), &sum, 1);
        server_end(&server);
    }
    crowd_must_be_whole("Redis", "server's clock set, within keep_longer_s",
                        &sum, TIMES * lives);
}

/* --- what is lost by more --- */

static void mint(struct crowd *crowd, const char *key, char id[32]) {
    mereau_op *op =
        mereau_registration_token_mint(crowd->host.tenant, "app", 1, DAY);
    mereau_op_set_text(op, MEREAU_IDEMPOTENCY_KEY, key);
    assert_int_equal(mereau_op_run(op, NULL), MEREAU_OK);
    snprintf(id, 32, "%s", mereau_op_text(op, MEREAU_REGISTRATION_TOKEN_ID));
    mereau_op_free(op);
}

/* Kept for a day and keep_longer_s beyond the week in which it is answered. */
static void from_25_hours_ahead_idempotency_keys_are_forgotten(void **state) {
    const int64_t almost_a_week = 7 * DAY - MINUTE;
    struct server server;
    struct crowd crowd;
    char first[32], again[32];
    (void)state;
    assert_int_equal(server_start(&server, NULL), 0);
    crowd_open(&crowd, server_store(&server, NULL));
    mint(&crowd, "key", first);
    crowd.life->now_at += almost_a_week;
    *server_ahead = almost_a_week + 25 * HOUR - MINUTE;
    mint(&crowd, "key", again);
    assert_string_equal(again, first);
    *server_ahead = almost_a_week + 25 * HOUR + 2 * MINUTE;
    mint(&crowd, "key", again);
    assert_string_not_equal(again, first);
    crowd_close(&crowd);
    life_free(crowd.life);
    server_end(&server);
}

static mereau_status run(mereau_op *op) {
    mereau_status status = mereau_op_run(op, NULL);
    mereau_op_free(op);
    return status;
}

static mereau_status redeem(struct crowd *crowd, const char *token,
                            const char *device) {
    static const uint8_t nonce[16] = "a nonce of 16 by";
    return run(mereau_registration_token_redeem(crowd->host.tenant, token,
                                                device, nonce, sizeof nonce));
}

/* Registration tokens and enrolments are gone, so nobody is let in by them; tenant,
 * app, keys and blocks have no end, and go on. */
static void must_be_shut_out(struct crowd *crowd) {
    mereau_op *op =
        mereau_registration_token_mint(crowd->host.tenant, "app", 5, DAY);
    assert_int_equal(mereau_op_run(op, NULL), MEREAU_OK);
    assert_int_equal(redeem(crowd, crowd->life->token, "device-0"),
                     MEREAU_E_UNKNOWN);
    assert_int_equal(run(mereau_auth_token_exchange(
                         crowd->host.tenant, crowd->life->acts[0][0].answer)),
                     MEREAU_E_UNKNOWN);
    assert_int_equal(
        redeem(crowd, mereau_op_text(op, MEREAU_REGISTRATION_TOKEN), "blocked"),
        MEREAU_E_BLOCKED);
    assert_int_equal(
        redeem(crowd, mereau_op_text(op, MEREAU_REGISTRATION_TOKEN), "new"),
        MEREAU_OK);
    mereau_op_free(op);
}

static void from_90_days_ahead_devices_are_forgotten(void **state) {
    struct crowd_sum before = {0}, after = {0};
    struct life_view view;
    struct server server;
    struct crowd crowd;
    (void)state;
    assert_int_equal(server_start(&server, NULL), 0);
    crowd_open(&crowd, server_store(&server, NULL));
    assert_int_equal(run(mereau_device_block(crowd.host.tenant, "blocked")),
                     MEREAU_OK);
    crowd_start(&crowd);
    crowd_await(&crowd, 200);
    crowd_stop(&crowd);
    life_view_now(&view, crowd.life);
    *server_ahead = 90 * DAY;
    life_check(crowd.life, &crowd.host, &view, &before.found);
    *server_ahead = 1000 * DAY;
    life_check(crowd.life, &crowd.host, &view, &after.found);
    *server_ahead = 0;
    must_be_shut_out(&crowd);
    crowd_close(&crowd);
    life_free(crowd.life);
    server_end(&server);
    printf("faults: Redis, server's clock 90 days ahead: %u of %u lost; 1000 "
           "days: %u lost, %u doubled\n",
           before.found.lost, before.found.checked, after.found.lost,
           after.found.doubled);
    assert_int_equal(before.found.lost + before.found.doubled, 0);
    assert_true(after.found.lost > before.found.checked / 2);
    assert_int_equal(after.found.doubled, 0);
}

/* Only the servers are started with it. */
static int preload_into_servers(const char *program) {
    const char *end = strrchr(program, '/');
    char path[512];
    snprintf(path, sizeof path, "%.*spreload.so",
             end == NULL ? 0 : (int)(end - program) + 1, program);
    return access(path, R_OK) == 0 ? setenv("LD_PRELOAD", path, 1) : -1;
}

int main(int argc, char **argv) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup(a_record_is_kept_as_long_as_was_set, set_right),
        cmocka_unit_test_setup(a_wrong_clock_of_the_server_loses_nothing,
                               set_right),
        cmocka_unit_test_setup(
            from_25_hours_ahead_idempotency_keys_are_forgotten, set_right),
        cmocka_unit_test_setup(from_90_days_ahead_devices_are_forgotten,
                               set_right),
    };
    (void)argc;
    if (preload_into_servers(argv[0]) != 0) {
        fprintf(stderr, "preload.so is not beside %s\n", argv[0]);
        return 1;
    }
    return cmocka_run_group_tests(tests, make_clock, remove_clock);
}
