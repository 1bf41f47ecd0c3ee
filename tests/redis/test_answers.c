/* tests/redis/test_answers.c - what the Redis store promises about servers:
 * which it takes and what it claims of them, what it answers when one refuses,
 * is full, slow or gone, and that nothing is half applied whatever the server
 * says. */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>

#include <cmocka.h>

#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "adapters/redis/redis_store.h"
#include "server.h"
#include "store/support.h"

/* Most tests share one server, which each leaves as it was. */
static struct server shared;

static int start_shared(void **state) {
    (void)state;
    return server_start(&shared, NULL);
}

static int end_shared(void **state) {
    (void)state;
    server_end(&shared);
    return 0;
}

static int clear(void **state) {
    (void)state;
    server_must(&shared, "FLUSHALL", "OK");
    return 0;
}

/* --- several writes, in any partition --- */

static mereau_write a_write(uint32_t kind, const char *key, uint64_t expect,
                            uint64_t version) {
    mereau_write write;
    memset(&write, 0, sizeof write);
    write.kind = kind;
    write.expect = expect;
    write.record.key = (const uint8_t *)key;
    write.record.key_len = strlen(key);
    write.record.value = (const uint8_t *)"value";
    write.record.value_len = 5;
    write.record.version = version;
    return write;
}

static int32_t commit(mereau_store *store, const mereau_write *writes,
                      size_t n) {
    mereau_need need;
    size_t failed = SIZE_MAX;
    memset(&need, 0, sizeof need);
    need.size = (uint32_t)sizeof need;
    need.kind = MEREAU_NEED_COMMIT;
    need.partition = (const uint8_t *)"p";
    need.partition_len = 1;
    need.writes = writes;
    need.n_writes = n;
    return store->commit(store->user, &need, &failed);
}

static int32_t take_key(void *arg, size_t index, const mereau_record *record) {
    (void)index;
    strncat(arg, (const char *)record->key, record->key_len);
    strcat(arg, " ");
    return 0;
}

/* All keys of a partition, each with a space behind it. */
static int32_t keys_of(mereau_store *store, const void *partition, size_t len,
                       char out[256]) {
    mereau_need need;
    memset(&need, 0, sizeof need);
    need.size = (uint32_t)sizeof need;
    need.kind = MEREAU_NEED_SCAN;
    need.partition = partition;
    need.partition_len = len;
    need.limit = 100;
    *out = 0;
    return store->scan(store->user, &need, take_key, out);
}

static int32_t answer_of_get(mereau_store *store) {
    int32_t result = -1;
    (void)version_of(store, "a", &result);
    return result;
}

/* --- what is claimed --- */

static void durable_is_claimed_of_settings_that_earn_it(void **state) {
    static const struct {
        const char *words[8];
        int durable;
        const char *warning;
    } cases[] = {
        {{DURABLE_WORDS}, 1, ""},
        {{DURABLE_WORDS, "--no-appendfsync-on-rewrite", "no"}, 1, ""},
        {{DURABLE_WORDS, "--no-appendfsync-on-rewrite", "yes"},
         0,
         "no-appendfsync-on-rewrite"},
        {{"--appendonly", "yes", "--appendfsync", "everysec"},
         0,
         "appendfsync"},
        {{"--appendonly", "yes", "--appendfsync", "no"}, 0, "appendfsync"},
        {{"--appendonly", "no", "--appendfsync", "always"}, 0, "appendonly"},
        {{"--rename-command", "CONFIG", ""}, 0, "CONFIG GET"},
    };
    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct server server;
        mereau_store *store, copy;
        const char *words[9] = {NULL};
        memcpy(words, cases[i].words, sizeof cases[i].words);
        assert_int_equal(server_start(&server, words), 0);
        store = server_store(&server, NULL);
        assert_int_equal((store->caps & MEREAU_CAP_DURABLE) != 0,
                         cases[i].durable);
        if (cases[i].durable)
            assert_string_equal(mereau_redis_warning(store), "");
        else
            assert_non_null(
                strstr(mereau_redis_warning(store), cases[i].warning));
        copy = *store; /* as a context keeps it */
        assert_ptr_equal(mereau_redis_warning(&copy),
                         mereau_redis_warning(store));
        mereau_store_close(store);
        server_end(&server);
    }
}

static void server_that_is_durable_no_more_is_not_used(void **state) {
    static const char *const words[] = {DURABLE_WORDS, NULL};
    struct server server;
    mereau_store *store;
    (void)state;
    assert_int_equal(server_start(&server, words), 0);
    store = server_store(&server, NULL);
    assert_int_equal(put(store, "a", 0, 1, "x"), MEREAU_STORE_OK);
    server_must(&server, "CONFIG SET appendfsync everysec", "OK");
    server_must(&server, "CLIENT KILL TYPE normal SKIPME yes", "1");
    assert_int_equal(put(store, "a", 1, 2, "x"), MEREAU_STORE_BUSY);
    server_must(&server, "CONFIG SET appendfsync always", "OK");
    assert_int_equal(put(store, "a", 1, 2, "x"), MEREAU_STORE_OK);
    mereau_store_close(store);
    server_end(&server);
}

/* --- which servers are taken --- */

static void must_refuse(const struct server *server, mereau_status status,
                        const char *rule) {
    mereau_redis_settings set = MEREAU_REDIS_SETTINGS_INIT;
    mereau_error err = MEREAU_ERROR_INIT;
    mereau_store *store = (mereau_store *)(uintptr_t)&err;
    set.port = server->port;
    assert_int_equal(mereau_redis_open(&store, &set, &err), status);
    assert_null(store);
    assert_string_equal(err.rule, rule);
}

static void server_that_may_evict_is_refused(void **state) {
    static const char *const policies[] = {"allkeys-lru", "volatile-ttl",
                                           "volatile-lru"};
    char command[64];
    (void)state;
    for (size_t i = 0; i < 3; i++) {
        snprintf(command, sizeof command, "CONFIG SET maxmemory-policy %s",
                 policies[i]);
        server_must(&shared, command, "OK");
        must_refuse(&shared, MEREAU_E_UNSUPPORTED, "redis.eviction");
    }
    server_must(&shared, "CONFIG SET maxmemory-policy noeviction", "OK");
    mereau_store_close(server_store(&shared, NULL));
}

static void replica_is_refused_and_a_primary_with_one_is_told(void **state) {
    struct server replica;
    mereau_store *store;
    char port[16], out[256] = "";
    const char *words[] = {"--replicaof", "127.0.0.1", port, NULL};
    (void)state;
    snprintf(port, sizeof port, "%u", shared.port);
    assert_int_equal(server_start(&replica, words), 0);
    must_refuse(&replica, MEREAU_E_STORE, "redis.role");
    for (int i = 0; i < 1000 && strcmp(out, "1") != 0; i++) {
        mru_sleep_ms(10);
        server_say(&shared, "WAIT 1 100", out);
    }
    store = server_store(&shared, NULL);
    assert_non_null(strstr(mereau_redis_warning(store), "failover"));
    mereau_store_close(store);
    server_end(&replica);
}

static void wrong_passwords_and_databases_are_refused(void **state) {
    static const char *const words[] = {"--requirepass", "secret", NULL};
    mereau_redis_settings set = MEREAU_REDIS_SETTINGS_INIT;
    mereau_error err = MEREAU_ERROR_INIT;
    mereau_store *store = NULL;
    struct server server;
    (void)state;
    assert_int_equal(server_start(&server, words), 0);
    must_refuse(&server, MEREAU_E_STORE, "redis.info");
    set.port = server.port;
    set.password = "sacred";
    assert_int_equal(mereau_redis_open(&store, &set, &err), MEREAU_E_STORE);
    assert_string_equal(err.rule, "redis.auth");
    assert_null(strstr(err.text, "sacred"));
    set.password = "secret";
    set.database = 16; /* 0 to 15 are there */
    assert_int_equal(mereau_redis_open(&store, &set, &err), MEREAU_E_STORE);
    assert_string_equal(err.rule, "redis.database");
    set.database = 15;
    store = server_store(&server, &set);
    assert_int_equal(put(store, "a", 0, 1, "x"), MEREAU_STORE_OK);
    mereau_store_close(store);
    set.database = 0;
    set.user = "default";
    store = server_store(&server, &set);
    assert_int_equal(version_of(store, "a", NULL), 0); /* it is in 15 */
    mereau_store_close(store);
    server_end(&server);
}

static void settings_that_mean_nothing_are_refused(void **state) {
    static const char *const prefixes[] = {"a{b", "a}b", "a b", "a\n",
                                           "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"};
    mereau_redis_settings set = MEREAU_REDIS_SETTINGS_INIT;
    mereau_error err = MEREAU_ERROR_INIT, wrong = MEREAU_ERROR_INIT;
    mereau_store *store = NULL;
    (void)state;
    assert_int_equal(mereau_redis_open(NULL, &set, &err), MEREAU_E_ARG);
    wrong.size = 3;
    assert_int_equal(mereau_redis_open(&store, &set, &wrong), MEREAU_E_SIZE);
    for (size_t i = 0; i < sizeof prefixes / sizeof *prefixes; i++) {
        set.prefix = prefixes[i];
        assert_int_equal(mereau_redis_open(&store, &set, &err), MEREAU_E_ARG);
    }
    set.prefix = NULL;
    set.port = 65536;
    assert_int_equal(mereau_redis_open(&store, &set, &err), MEREAU_E_ARG);
    set.port = shared.port;
    set.user = "without";
    assert_int_equal(mereau_redis_open(&store, &set, &err), MEREAU_E_ARG);
    set.user = NULL;
    set.give = (void (*)(void *, struct redisContext *, int32_t))abort;
    assert_int_equal(mereau_redis_open(&store, &set, &err), MEREAU_E_ARG);
    set.give = NULL;
    set.size++;
    assert_int_equal(mereau_redis_open(&store, &set, &err), MEREAU_E_SIZE);
    set.size = 8; /* an older, shorter one: what is missing reads as 0 */
    assert_int_equal(mereau_redis_open(&store, &set, &err), MEREAU_OK);
    mereau_store_close(store);
    mereau_redis_settings_init(NULL, sizeof set);
    mereau_redis_settings_init(&set, 8);
    assert_int_equal(set.size, 8);
    assert_string_equal(mereau_redis_warning(NULL), "");
}

static void server_that_is_not_there_is_told(void **state) {
    struct server none;
    mereau_redis_settings set = MEREAU_REDIS_SETTINGS_INIT;
    mereau_error err = MEREAU_ERROR_INIT;
    mereau_store *store = NULL;
    (void)state;
    memset(&none, 0, sizeof none);
    none.port = free_port();
    must_refuse(&none, MEREAU_E_STORE, "redis.connect");
    set.host = "/no/such/socket";
    assert_int_equal(mereau_redis_open(&store, &set, &err), MEREAU_E_STORE);
    assert_string_equal(err.found, "no such socket");
    set.host = "no such name";
    assert_int_equal(mereau_redis_open(&store, &set, &err), MEREAU_E_STORE);
    assert_string_equal(err.found, "no such host");
}

/* --- keys --- */

static void partitions_are_apart_whatever_their_bytes(void **state) {
    static const struct {
        const char *name;
        size_t len;
    } partitions[] = {
        {"", 0},     {"%", 1},    {"%25", 3}, {"a", 1},     {"A", 1},
        {"a}", 2},   {"a}:r", 4}, {"{a}", 3}, {"{", 1},     {"a\0", 2},
        {"a\0b", 3}, {"\xff", 1}, {"%ff", 3}, {"a}:ra", 5}, {"\r\n", 2},
        {"}", 1},    {"%7d", 3},
    };
    enum { N = sizeof partitions / sizeof *partitions };
    mereau_store *store = server_store(&shared, NULL);
    char found[256], size[256], expected[16];
    (void)state;
    for (size_t i = 0; i < N; i++) {
        mereau_write write = a_write(MEREAU_WRITE_PUT, "k", 0, i + 1);
        mereau_need need;
        memset(&need, 0, sizeof need);
        need.size = (uint32_t)sizeof need;
        need.kind = MEREAU_NEED_COMMIT;
        need.partition = (const uint8_t *)partitions[i].name;
        need.partition_len = partitions[i].len;
        need.writes = &write;
        need.n_writes = 1;
        assert_int_equal(store->commit(store->user, &need, NULL),
                         MEREAU_STORE_OK);
    }
    for (size_t i = 0; i < N; i++) {
        assert_int_equal(
            keys_of(store, partitions[i].name, partitions[i].len, found),
            MEREAU_STORE_OK);
        assert_string_equal(found, "k ");
    }
    server_must(&shared, "EXISTS mereau:{a%%7d%%3ar}:rk", "1");
    server_must(&shared, "EXISTS mereau:{%%}:rk", "1");
    /* A record and an index for each. */
    server_say(&shared, "DBSIZE", size);
    snprintf(expected, sizeof expected, "%d", 2 * N);
    assert_string_equal(size, expected);
    mereau_store_close(store);
}

static void prefixes_are_apart(void **state) {
    mereau_redis_settings set = MEREAU_REDIS_SETTINGS_INIT;
    mereau_store *one = server_store(&shared, NULL), *two;
    (void)state;
    set.prefix = "mereau:2";
    two = server_store(&shared, &set);
    assert_int_equal(put(one, "a", 0, 1, "x"), MEREAU_STORE_OK);
    assert_int_equal(version_of(two, "a", NULL), 0);
    assert_int_equal(put(two, "a", 0, 2, "x"), MEREAU_STORE_OK);
    assert_int_equal(version_of(one, "a", NULL), 1);
    mereau_store_close(one);
    mereau_store_close(two);
}

/* --- scripts --- */

static void digests_are_those_of_the_scripts(void **state) {
    const struct mru_redis_script *all[] = {&mru_redis_read, &mru_redis_range,
                                            &mru_redis_tidy, &mru_redis_write};
    redisContext *ctx = redisConnect("127.0.0.1", (int)shared.port);
    (void)state;
    assert_non_null(ctx);
    for (size_t i = 0; i < 4; i++) {
        redisReply *reply = redisCommand(ctx, "SCRIPT LOAD %s", all[i]->text);
        assert_non_null(reply);
        assert_string_equal(reply->str, all[i]->sha1);
        freeReplyObject(reply);
    }
    redisFree(ctx);
}

static void flushed_scripts_are_sent_again(void **state) {
    mereau_store *store = server_store(&shared, NULL);
    char found[256];
    (void)state;
    for (uint64_t i = 0; i < 3; i++) {
        server_must(&shared, "SCRIPT FLUSH", "OK");
        assert_int_equal(put(store, "a", i, i + 1, "x"), MEREAU_STORE_OK);
        server_must(&shared, "SCRIPT FLUSH", "OK");
        assert_int_equal(version_of(store, "a", NULL), i + 1);
        server_must(&shared, "SCRIPT FLUSH", "OK");
        assert_int_equal(keys_of(store, "p", 1, found), MEREAU_STORE_OK);
        assert_string_equal(found, "a ");
    }
    mereau_store_close(store);
}

/* --- a server that refuses --- */

/* Nothing of a commit that was not answered with OK, and nothing in the index.
 * */
static void must_be_empty(mereau_store *store) {
    char found[256];
    assert_int_equal(keys_of(store, "p", 1, found), MEREAU_STORE_OK);
    assert_string_equal(found, "");
}

static void full_memory_is_a_limit_and_nothing_applies(void **state) {
    mereau_store *store = server_store(&shared, NULL);
    mereau_write writes[3];
    (void)state;
    assert_int_equal(put(store, "b", 0, 1, "x"), MEREAU_STORE_OK);
    server_must(&shared, "CONFIG SET maxmemory 100000", "OK");
    writes[0] = a_write(MEREAU_WRITE_PUT, "a", 0, 2);
    writes[1] = a_write(MEREAU_WRITE_DELETE, "b", 1, 0);
    writes[2] = a_write(MEREAU_WRITE_PUT, "c", 0, 3);
    assert_int_equal(commit(store, writes, 3), MEREAU_STORE_LIMIT);
    assert_int_equal(version_of(store, "a", NULL), 0);
    assert_int_equal(version_of(store, "b", NULL), 1);
    assert_int_equal(version_of(store, "c", NULL), 0);
    /* A conflict is still one, and what makes room works. */
    writes[1].expect = 7;
    assert_int_equal(commit(store, writes, 3), MEREAU_STORE_CONFLICT);
    writes[1].expect = 1;
    assert_int_equal(commit(store, writes + 1, 1), MEREAU_STORE_OK);
    must_be_empty(store);
    server_must(&shared, "CONFIG SET maxmemory 0", "OK");
    assert_int_equal(commit(store, writes, 1), MEREAU_STORE_OK);
    mereau_store_close(store);
}

static void demoted_primary_is_neither_written_nor_read(void **state) {
    mereau_store *store = server_store(&shared, NULL);
    char found[256], command[64];
    mereau_write check = a_write(MEREAU_WRITE_CHECK, "a", 2, 0);
    (void)state;
    assert_int_equal(put(store, "a", 0, 1, "x"), MEREAU_STORE_OK);
    snprintf(command, sizeof command, "REPLICAOF 127.0.0.1 %u", free_port());
    server_must(&shared, command, "OK");
    assert_int_equal(put(store, "a", 1, 2, "x"), MEREAU_STORE_BUSY);
    server_must(&shared, "REPLICAOF NO ONE", "OK");
    assert_int_equal(put(store, "a", 1, 2, "x"), MEREAU_STORE_OK);
    server_must(&shared, command, "OK");
    assert_int_equal(answer_of_get(store), MEREAU_STORE_BUSY);
    server_must(&shared, "REPLICAOF NO ONE", "OK");
    assert_int_equal(answer_of_get(store), MEREAU_STORE_OK);
    server_must(&shared, command, "OK");
    assert_int_equal(keys_of(store, "p", 1, found), MEREAU_STORE_BUSY);
    server_must(&shared, "REPLICAOF NO ONE", "OK");
    assert_int_equal(answer_of_get(store), MEREAU_STORE_OK);
    server_must(&shared, command, "OK"); /* one that holds nothing, too */
    assert_int_equal(keys_of(store, "q", 1, found), MEREAU_STORE_BUSY);
    server_must(&shared, "REPLICAOF NO ONE", "OK");
    assert_int_equal(answer_of_get(store), MEREAU_STORE_OK);
    server_must(&shared, command, "OK");
    assert_int_equal(commit(store, &check, 1), MEREAU_STORE_BUSY);
    server_must(&shared, "REPLICAOF NO ONE", "OK");
    mereau_store_close(store);
}

static void primary_without_its_replicas_is_busy(void **state) {
    mereau_store *store = server_store(&shared, NULL);
    (void)state;
    server_must(&shared, "CONFIG SET min-replicas-to-write 1", "OK");
    assert_int_equal(put(store, "a", 0, 1, "x"), MEREAU_STORE_BUSY);
    assert_int_equal(answer_of_get(store), MEREAU_STORE_BUSY);
    server_must(&shared, "CONFIG SET min-replicas-to-write 0", "OK");
    must_be_empty(store);
    mereau_store_close(store);
}

static void server_that_cannot_save_is_busy(void **state) {
    struct server server;
    mereau_store *store;
    char out[256] = "", path[96];
    (void)state;
    assert_int_equal(server_start(&server, NULL), 0);
    store = server_store(&server, NULL);
    snprintf(path, sizeof path, "%s/log", server.folder);
    unlink(path);
    assert_int_equal(rmdir(server.folder), 0); /* nowhere to write a dump */
    {
        redisContext *ctx = redisConnect("127.0.0.1", (int)server.port);
        freeReplyObject(redisCommand(ctx, "CONFIG SET save %s", "3600 1"));
        freeReplyObject(redisCommand(ctx, "BGSAVE"));
        redisFree(ctx);
    }
    for (int i = 0; i < 500 && strncmp(out, "MISCONF", 7) != 0; i++) {
        mru_sleep_ms(10);
        server_say(&server, "SET other 1", out);
    }
    assert_int_equal(put(store, "a", 0, 1, "x"), MEREAU_STORE_BUSY);
    server_must(&server, "CONFIG SET stop-writes-on-bgsave-error no", "OK");
    must_be_empty(store);
    mereau_store_close(store);
    server_end(&server);
}

static void cluster_that_is_down_is_busy(void **state) {
    static const char *const words[] = {"--cluster-enabled", "yes", NULL};
    struct server server;
    mereau_store *store;
    (void)state;
    assert_int_equal(server_start(&server, words), 0);
    store = server_store(&server, NULL);
    assert_non_null(strstr(mereau_redis_warning(store), "cluster"));
    assert_int_equal(put(store, "a", 0, 1, "x"), MEREAU_STORE_BUSY);
    assert_int_equal(answer_of_get(store), MEREAU_STORE_BUSY);
    mereau_store_close(store);
    server_end(&server);
}

static void what_is_not_ours_is_left_alone(void **state) {
    mereau_store *store = server_store(&shared, NULL);
    mereau_write writes[2];
    char out[256];
    (void)state;
    writes[0] = a_write(MEREAU_WRITE_PUT, "a", MEREAU_VERSION_ANY, 1);
    writes[1] = a_write(MEREAU_WRITE_PUT, "b", MEREAU_VERSION_ANY, 2);
    /* of another type; a text; a text of our length */
    server_must(&shared, "LPUSH mereau:{p}:rb x", "1");
    assert_int_equal(commit(store, writes, 2), MEREAU_STORE_IO);
    assert_int_equal(version_of(store, "a", NULL), 0);
    server_must(&shared, "DEL mereau:{p}:rb", "1");
    server_must(&shared, "SET mereau:{p}:rb short", "OK");
    assert_int_equal(commit(store, writes, 2), MEREAU_STORE_IO);
    server_must(&shared, "SET mereau:{p}:rb a_text_that_is_long_enough", "OK");
    assert_int_equal(commit(store, writes, 2), MEREAU_STORE_IO);
    assert_int_equal(version_of(store, "a", NULL), 0);
    server_must(&shared, "GET mereau:{p}:rb", "a_text_that");
    server_must(&shared, "DEL mereau:{p}:rb", "1");
    server_must(&shared, "SET mereau:{p}:rb \001_a_text_of_16__", "OK");
    assert_int_equal(commit(store, writes, 2), MEREAU_STORE_IO);
    /* An answer to get would mean "absent". */
    server_must(&shared, "RENAME mereau:{p}:rb mereau:{p}:ra", "OK");
    assert_int_equal(answer_of_get(store), MEREAU_STORE_IO);
    server_must(&shared, "DEL mereau:{p}:ra", "1");
    server_must(&shared, "LPUSH mereau:{p}:ra x", "1");
    assert_int_equal(answer_of_get(store), MEREAU_STORE_IO);
    server_must(&shared, "DEL mereau:{p}:ra", "1");
    /* The index: before any record is touched. */
    server_must(&shared, "SET mereau:{p}:i x", "OK");
    assert_int_equal(commit(store, writes, 2), MEREAU_STORE_IO);
    server_say(&shared, "EXISTS mereau:{p}:ra mereau:{p}:rb", out);
    assert_string_equal(out, "0");
    assert_int_equal(keys_of(store, "p", 1, out), MEREAU_STORE_IO);
    server_must(&shared, "DEL mereau:{p}:i", "1");
    assert_int_equal(commit(store, writes, 2), MEREAU_STORE_OK);
    mereau_store_close(store);
}

/* A user who may not do one of the things that a commit does. */
static void missing_rights_leave_no_half_commit(void **state) {
    static const char *const rights[] = {"zadd", "mset",   "del",
                                         "mget", "exists", "evalsha"};
    mereau_redis_settings set = MEREAU_REDIS_SETTINGS_INIT;
    mereau_store *all = server_store(&shared, NULL);
    (void)state;
    set.user = "u";
    set.password = "p";
    for (size_t i = 0; i < sizeof rights / sizeof *rights; i++) {
        mereau_write writes[2];
        mereau_store *some;
        char command[96];
        snprintf(command, sizeof command,
                 "ACL SETUSER u reset on >p ~mereau:* +@all -%s", rights[i]);
        server_must(&shared, "FLUSHALL", "OK");
        assert_int_equal(put(all, "b", 0, 1, "x"), MEREAU_STORE_OK);
        server_must(&shared, command, "OK");
        some = server_store(&shared, &set);
        writes[0] = a_write(MEREAU_WRITE_PUT, "a", 0, 2);
        writes[1] = a_write(MEREAU_WRITE_DELETE, "b", 1, 0);
        assert_int_equal(commit(some, writes, 2), MEREAU_STORE_IO);
        assert_int_equal(version_of(all, "a", NULL), 0);
        assert_int_equal(version_of(all, "b", NULL), 1);
        mereau_store_close(some);
    }
    server_must(&shared, "ACL DELUSER u", "1");
    mereau_store_close(all);
}

/* What docs/store-guide.md says is enough, is. */
static void documented_rights_are_enough(void **state) {
    mereau_redis_settings set = MEREAU_REDIS_SETTINGS_INIT;
    mereau_write writes[2];
    mereau_store *store;
    char found[256];
    (void)state;
    server_must(&shared,
                "ACL SETUSER u reset on >p ~mereau:* +info +config|get "
                "+evalsha +eval +multi +exec +mget +mset +del +exists "
                "+pexpireat +zadd +zrem +zrangebylex",
                "OK");
    set.user = "u";
    set.password = "p";
    store = server_store(&shared, &set);
    assert_null(strstr(mereau_redis_warning(store), "CONFIG GET"));
    server_must(&shared, "SCRIPT FLUSH", "OK");
    writes[0] = a_write(MEREAU_WRITE_PUT, "a", 0, 1);
    writes[0].record.drop_at = (int64_t)time(NULL) - 1000000; /* at once */
    writes[1] = a_write(MEREAU_WRITE_PUT, "b", 0, 2);
    assert_int_equal(commit(store, writes, 2), MEREAU_STORE_OK);
    writes[1] = a_write(MEREAU_WRITE_DELETE, "b", 2, 0);
    assert_int_equal(commit(store, writes + 1, 1), MEREAU_STORE_OK);
    assert_int_equal(keys_of(store, "p", 1, found), MEREAU_STORE_OK);
    assert_string_equal(found, "");
    server_must(&shared, "DBSIZE", "0"); /* expired, and tidied up */
    server_must(&shared, "ACL DELUSER u", "1");
    mereau_store_close(store);
}

/* How often the server was asked for this. */
static int calls_of(const struct server *server, const char *command) {
    redisContext *ctx = redisConnect("127.0.0.1", (int)server->port);
    redisReply *reply = redisCommand(ctx, "INFO commandstats");
    char name[40];
    const char *at;
    int n = 0;
    assert_non_null(reply);
    snprintf(name, sizeof name, "cmdstat_%s:calls=", command);
    at = strstr(reply->str, name);
    if (at != NULL)
        n = atoi(at + strlen(name));
    freeReplyObject(reply);
    redisFree(ctx);
    return n;
}

static void get_is_one_transaction_without_a_script(void **state) {
    mereau_store *store = server_store(&shared, NULL);
    char found[256];
    (void)state;
    assert_int_equal(put(store, "a", 0, 1, "x"), MEREAU_STORE_OK);
    server_must(&shared, "CONFIG RESETSTAT", "OK");
    assert_int_equal(version_of(store, "a", NULL), 1);
    assert_int_equal(version_of(store, "none", NULL), 0);
    assert_int_equal(calls_of(&shared, "exec"), 2);
    assert_int_equal(calls_of(&shared, "mget"), 2);
    assert_int_equal(calls_of(&shared, "evalsha"), 0);
    /* When memory is full, Redis 7.0 refuses any transaction, but no script that
     * only reads. */
    server_must(&shared, "CONFIG SET maxmemory 100000", "OK");
    assert_int_equal(version_of(store, "a", NULL), 1);
    assert_int_equal(keys_of(store, "p", 1, found), MEREAU_STORE_OK);
    assert_string_equal(found, "a ");
    server_must(&shared, "CONFIG SET maxmemory 0", "OK");
    mereau_store_close(store);
}

/* Of MULTI, EXEC and DISCARD the server may know any or none. */
static void get_works_without_transactions(void **state) {
    static const char *const rights[] = {"-multi", "-exec", "-multi -exec",
                                         "-multi -exec -discard"};
    static const char *const words[] = {"--rename-command", "EXEC", "", NULL};
    mereau_redis_settings set = MEREAU_REDIS_SETTINGS_INIT;
    struct server server;
    mereau_store *store;
    (void)state;
    set.user = "u";
    set.password = "p";
    set.connections = 1; /* what one call leaves is what the next one finds */
    for (size_t i = 0; i < sizeof rights / sizeof *rights; i++) {
        char command[96];
        server_must(&shared, "FLUSHALL", "OK");
        snprintf(command, sizeof command,
                 "ACL SETUSER u reset on >p ~mereau:* +@all %s", rights[i]);
        server_must(&shared, command, "OK");
        store = server_store(&shared, &set);
        assert_int_equal(put(store, "a", 0, 1, "x"), MEREAU_STORE_OK);
        assert_int_equal(version_of(store, "a", NULL), 1);
        assert_int_equal(put(store, "a", 1, 2, "x"), MEREAU_STORE_OK);
        assert_int_equal(version_of(store, "a", NULL), 2);
        mereau_store_close(store);
    }
    server_must(&shared, "ACL DELUSER u", "1");
    assert_int_equal(server_start(&server, words), 0);
    memset(&set, 0, sizeof set);
    set.size = (uint32_t)sizeof set;
    set.connections = 1;
    store = server_store(&server, &set);
    assert_int_equal(put(store, "a", 0, 1, "x"), MEREAU_STORE_OK);
    assert_int_equal(version_of(store, "a", NULL), 1);
    assert_int_equal(put(store, "a", 1, 2, "x"), MEREAU_STORE_OK);
    assert_int_equal(version_of(store, "a", NULL), 2);
    mereau_store_close(store);
    server_end(&server);
}

/* --- expiry --- */

static void server_drops_records_some_time_after_drop_at(void **state) {
    mereau_redis_settings set = MEREAU_REDIS_SETTINGS_INIT;
    mereau_store *store;
    int64_t now_at = (int64_t)time(NULL);
    struct timespec then;
    mereau_write writes[3];
    char out[256], expected[32];
    (void)state;
    set.keep_longer_s = 2;
    store = server_store(&shared, &set);
    writes[0] = a_write(MEREAU_WRITE_PUT, "a", 0, 1);
    writes[0].record.drop_at = now_at - 1;
    writes[1] = a_write(MEREAU_WRITE_PUT, "b", 0, 2);
    writes[1].record.drop_at = now_at + 1000;
    writes[2] = a_write(MEREAU_WRITE_PUT, "c", 0, 3);
    assert_int_equal(commit(store, writes, 3), MEREAU_STORE_OK);
    server_say(&shared, "PEXPIRETIME mereau:{p}:rb", out);
    snprintf(expected, sizeof expected, "%lld",
             (long long)(now_at + 1002) * 1000);
    assert_string_equal(out, expected);
    server_must(&shared, "PEXPIRETIME mereau:{p}:rc", "-1");
    /* A later write without drop_at keeps it for good. */
    writes[1].expect = 2;
    writes[1].record.drop_at = 0;
    assert_int_equal(commit(store, writes + 1, 1), MEREAU_STORE_OK);
    server_must(&shared, "PEXPIRETIME mereau:{p}:rb", "-1");
    for (int i = 0; i < 500 && version_of(store, "a", NULL) != 0; i++)
        mru_sleep_ms(10);
    clock_gettime(CLOCK_REALTIME, &then); /* time() may lag behind it */
    assert_true(then.tv_sec >= now_at + 1);
    server_must(&shared, "ZCARD mereau:{p}:i", "3");
    assert_int_equal(keys_of(store, "p", 1, out), MEREAU_STORE_OK);
    assert_string_equal(out, "b c ");
    server_must(&shared, "ZCARD mereau:{p}:i", "2");
    /* It may be made anew. */
    writes[0].record.drop_at = 0;
    assert_int_equal(commit(store, writes, 1), MEREAU_STORE_OK);
    assert_int_equal(keys_of(store, "p", 1, out), MEREAU_STORE_OK);
    assert_string_equal(out, "a b c ");
    mereau_store_close(store);
}

/* More expired ones than fit on a page, in front of one that is there. */
static void scan_passes_over_many_that_expired(void **state) {
    enum { N = 120 };
    mereau_store *store = server_store(&shared, NULL);
    mereau_write writes[N + 1];
    char keys[N + 1][8], found[256];
    (void)state;
    for (size_t i = 0; i <= N; i++) {
        snprintf(keys[i], sizeof keys[i], "k%03d", (int)i);
        writes[i] = a_write(MEREAU_WRITE_PUT, keys[i], 0, i + 1);
        writes[i].record.drop_at = i < N ? 1 : 0;
    }
    assert_int_equal(commit(store, writes, N + 1), MEREAU_STORE_OK);
    server_must(&shared, "ZCARD mereau:{p}:i", "121");
    assert_int_equal(keys_of(store, "p", 1, found), MEREAU_STORE_OK);
    assert_string_equal(found, "k120 ");
    server_must(&shared, "ZCARD mereau:{p}:i", "1");
    mereau_store_close(store);
}

/* --- connections --- */

struct nested {
    mereau_store *store;
    int deep;
    int busy; /* how often that was the answer */
};

/* Asks again while a get of the same store is under way. */
static int32_t ask_again(void *arg, size_t index, const mereau_record *record) {
    struct nested *nested = arg;
    mereau_slice key = {(const uint8_t *)"a", 1};
    mereau_need need;
    (void)index;
    (void)record;
    memset(&need, 0, sizeof need);
    need.size = (uint32_t)sizeof need;
    need.kind = MEREAU_NEED_GET;
    need.partition = (const uint8_t *)"p";
    need.partition_len = 1;
    need.keys = &key;
    need.n_keys = 1;
    if (nested->deep-- > 0)
        nested->busy +=
            nested->store->get(nested->store->user, &need, ask_again, nested) ==
            MEREAU_STORE_BUSY;
    return 0;
}

static void connections_are_bounded(void **state) {
    mereau_redis_settings set = MEREAU_REDIS_SETTINGS_INIT;
    struct nested nested = {NULL, 2, 0};
    (void)state;
    set.connections = 2;
    set.timeout_ms = 100;
    nested.store = server_store(&shared, &set);
    ask_again(&nested, 0, NULL);
    assert_int_equal(nested.busy, 0);
    nested.deep = 3; /* a third at once waits, and is told */
    ask_again(&nested, 0, NULL);
    assert_int_equal(nested.busy, 1);
    assert_int_equal(answer_of_get(nested.store), MEREAU_STORE_OK);
    mereau_store_close(nested.store);
}

static void forked_child_gets_no_answer(void **state) {
    mereau_store *store = server_store(&shared, NULL);
    int status = -1;
    pid_t pid;
    (void)state;
    assert_int_equal(put(store, "a", 0, 1, "x"), MEREAU_STORE_OK);
    pid = fork();
    if (pid == 0) {
        char found[256];
        int good = put(store, "a", 1, 2, "y") == MEREAU_STORE_IO &&
                   answer_of_get(store) == MEREAU_STORE_IO &&
                   keys_of(store, "p", 1, found) == MEREAU_STORE_IO;
        mereau_store_close(store);
        _exit(good ? 0 : 1);
    }
    waitpid(pid, &status, 0);
    assert_true(WIFEXITED(status) && WEXITSTATUS(status) == 0);
    assert_int_equal(version_of(store, "a", NULL), 1);
    mereau_store_close(store);
}

static void server_that_came_back_is_used_again(void **state) {
    static const char *const words[] = {DURABLE_WORDS, NULL};
    struct server server;
    mereau_store *store;
    (void)state;
    assert_int_equal(server_start(&server, words), 0);
    store = server_store(&server, NULL);
    for (uint64_t i = 0; i < 3; i++) {
        assert_int_equal(put(store, "a", i, i + 1, "x"), MEREAU_STORE_OK);
        server_kill(&server);
        assert_int_equal(put(store, "a", i + 1, i + 2, "x"), MEREAU_STORE_BUSY);
        assert_int_equal(answer_of_get(store), MEREAU_STORE_BUSY);
        assert_int_equal(server_again(&server), 0);
        assert_int_equal(version_of(store, "a", NULL), i + 1);
    }
    mereau_store_close(store);
    server_end(&server);
}

static void server_that_hangs_makes_a_commit_unknown(void **state) {
    mereau_redis_settings set = MEREAU_REDIS_SETTINGS_INIT;
    mereau_store *store;
    struct server server;
    (void)state;
    assert_int_equal(server_start(&server, NULL), 0);
    set.timeout_ms = 200;
    store = server_store(&server, &set);
    assert_int_equal(put(store, "a", 0, 1, "x"), MEREAU_STORE_OK);
    kill(server.pid, SIGSTOP);
    assert_int_equal(put(store, "a", 1, 2, "x"), MEREAU_STORE_UNKNOWN);
    assert_int_equal(answer_of_get(store), MEREAU_STORE_BUSY);
    kill(server.pid, SIGCONT);
    for (int i = 0; i < 500 && version_of(store, "a", NULL) != 2; i++)
        mru_sleep_ms(10);
    assert_int_equal(version_of(store, "a", NULL), 2); /* it had arrived */
    mereau_store_close(store);
    server_end(&server);
}

#define ONE(test) cmocka_unit_test_setup(test, clear)

int main(void) {
    const struct CMUnitTest tests[] = {
        ONE(durable_is_claimed_of_settings_that_earn_it),
        ONE(server_that_is_durable_no_more_is_not_used),
        ONE(server_that_may_evict_is_refused),
        ONE(replica_is_refused_and_a_primary_with_one_is_told),
        ONE(wrong_passwords_and_databases_are_refused),
        ONE(settings_that_mean_nothing_are_refused),
        ONE(server_that_is_not_there_is_told),
        ONE(partitions_are_apart_whatever_their_bytes),
        ONE(prefixes_are_apart),
        ONE(digests_are_those_of_the_scripts),
        ONE(flushed_scripts_are_sent_again),
        ONE(full_memory_is_a_limit_and_nothing_applies),
        ONE(demoted_primary_is_neither_written_nor_read),
        ONE(primary_without_its_replicas_is_busy),
        ONE(server_that_cannot_save_is_busy),
        ONE(cluster_that_is_down_is_busy),
        ONE(what_is_not_ours_is_left_alone),
        ONE(missing_rights_leave_no_half_commit),
        ONE(documented_rights_are_enough),
        ONE(get_is_one_transaction_without_a_script),
        ONE(get_works_without_transactions),
        ONE(server_drops_records_some_time_after_drop_at),
        ONE(scan_passes_over_many_that_expired),
        ONE(connections_are_bounded),
        ONE(forked_child_gets_no_answer),
        ONE(server_that_came_back_is_used_again),
        ONE(server_that_hangs_makes_a_commit_unknown),
    };
    return cmocka_run_group_tests(tests, start_shared, end_shared);
}
