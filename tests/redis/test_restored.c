/* tests/redis/test_restored.c - Redis goes back in time, in each of the ways in which
 * it does, and the steps of docs/operations.md are taken (tests/flow/restored.h): a
 * copy of the log is put back, a snapshot is, a replica that lacked commits is
 * promoted. */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "adapters/redis/redis_store.h"
#include "flow/restored.h"
#include "server.h"

/* The service's server, and the one that takes its place. */
struct place {
    struct server server, replica;
    const struct server *serving;
};

static mereau_store *open_store(void *at) {
    const struct place *place = at;
    return server_store(place->serving, NULL);
}

/* Whether a line of INFO stands there, as "name:value". */
static int info_says(const struct server *server, const char *line) {
    redisContext *ctx = redisConnect("127.0.0.1", (int)server->port);
    redisReply *reply = NULL;
    int found = 0;
    if (ctx != NULL && ctx->err == 0)
        reply = redisCommand(ctx, "INFO everything");
    if (reply != NULL && reply->type == REDIS_REPLY_STRING)
        found = strstr(reply->str, line) != NULL;
    if (reply != NULL)
        freeReplyObject(reply);
    if (ctx != NULL)
        redisFree(ctx);
    return found;
}

static void wait_until(const struct server *server, const char *line) {
    const struct timespec pause = {0, 10000000};
    int found = info_says(server, line);
    for (int i = 0; i < 2000 && !found; i++) {
        nanosleep(&pause, NULL);
        found = info_says(server, line);
    }
    assert_true(found);
}

/* cp or rm, within the server's folder; a file that is not there is as good. */
static void with_files(const struct server *server, const char *program,
                       const char *options, const char *from, const char *to) {
    int status = -1;
    pid_t pid = fork();
    if (pid == 0) {
        if (chdir(server->folder) == 0)
            execlp(program, program, options, from, to, (char *)NULL);
        _exit(127);
    }
    assert_true(pid > 0 && waitpid(pid, &status, 0) == pid);
    assert_int_equal(status, 0);
}

static void copy(const struct server *server, const char *from,
                 const char *to) {
    with_files(server, "cp", "-Rp", from, to);
}

static void remove_all(const struct server *server, const char *name) {
    with_files(server, "rm", "-rf", name, NULL);
}

/* The log of Redis 7 and later is a folder, before that a file. */
static const char *log_of(const struct server *server) {
    char path[96];
    struct stat info;
    snprintf(path, sizeof path, "%s/appendonlydir", server->folder);
    return stat(path, &info) == 0 ? "appendonlydir" : "appendonly.aof";
}

static void rehearse(struct place *place, void (*back_up)(void *),
                     void (*put_back)(void *)) {
    static const char *const words[] = {DURABLE_WORDS, NULL};
    struct restored_way way = {open_store, back_up, put_back, place,
                               (int64_t)time(NULL)};
    if (place->server.pid == 0)
        assert_int_equal(server_start(&place->server, words), 0);
    place->serving = &place->server;
    restored_rehearse(&way);
    server_end(&place->server);
}

/* --- a copy of the log --- */

/* While it is not being rewritten. */
static void copy_the_log(void *at) {
    const struct server *server = &((struct place *)at)->server;
    server_must(server, "CONFIG SET auto-aof-rewrite-percentage 0", "OK");
    wait_until(server, "aof_rewrite_in_progress:0");
    copy(server, log_of(server), "backup");
    server_must(server, "CONFIG SET auto-aof-rewrite-percentage 100", "OK");
}

static void put_the_log_back(void *at) {
    struct server *server = &((struct place *)at)->server;
    const char *log = log_of(server);
    server_kill(server);
    remove_all(server, log);
    copy(server, "backup", log);
    assert_int_equal(server_again(server), 0);
}

static void a_copy_of_the_log_is_put_back(void **state) {
    struct place place = {.serving = NULL};
    (void)state;
    rehearse(&place, copy_the_log, put_the_log_back);
}

/* --- a snapshot --- */

static void save_a_snapshot(void *at) {
    const struct server *server = &((struct place *)at)->server;
    server_must(server, "BGSAVE", "Background saving started");
    wait_until(server, "rdb_bgsave_in_progress:0");
    wait_until(server, "rdb_last_bgsave_status:ok");
    copy(server, "dump.rdb", "backup.rdb");
}

/* A server with a log reads its log only, and one that finds none begins empty:
 * so the snapshot is read without one, which is then made from it. */
static void load_the_snapshot(void *at) {
    static const char *const words[] = {"--appendonly", "no", "--appendfsync",
                                        "always", NULL};
    struct server *server = &((struct place *)at)->server;
    const char *durable[SERVER_WORDS];
    memcpy(durable, server->words, sizeof durable);
    server_kill(server);
    remove_all(server, log_of(server));
    copy(server, "backup.rdb", "dump.rdb");
    memset(server->words, 0, sizeof server->words);
    memcpy(server->words, words, sizeof words);
    assert_int_equal(server_again(server), 0);
    server_must(server, "CONFIG SET appendonly yes", "OK");
    wait_until(server, "aof_rewrite_scheduled:0");
    wait_until(server, "aof_rewrite_in_progress:0");
    wait_until(server, "aof_last_bgrewrite_status:ok");
    server_kill(server);
    memcpy(server->words, durable, sizeof durable);
    assert_int_equal(server_again(server), 0);
}

static void a_snapshot_is_loaded(void **state) {
    struct place place = {.serving = NULL};
    (void)state;
    rehearse(&place, save_a_snapshot, load_the_snapshot);
}

/* Why the snapshot is not simply put there: nothing of it is read. */
static void a_server_that_has_lost_its_log_begins_empty(void **state) {
    static const char *const words[] = {DURABLE_WORDS, NULL};
    struct server server;
    (void)state;
    assert_int_equal(server_start(&server, words), 0);
    server_must(&server, "SET name value", "OK");
    server_must(&server, "SAVE", "OK");
    server_kill(&server);
    remove_all(&server, log_of(&server));
    assert_int_equal(server_again(&server), 0);
    server_must(&server, "DBSIZE", "0");
    server_end(&server);
}

/* --- a replica that lacks commits --- */

static void follow(struct place *place) {
    static const char *const words[] = {DURABLE_WORDS, NULL};
    char command[64];
    assert_int_equal(server_start(&place->server, words), 0);
    assert_int_equal(server_start(&place->replica, words), 0);
    snprintf(command, sizeof command, "REPLICAOF 127.0.0.1 %u",
             place->server.port);
    server_must(&place->replica, command, "OK");
    wait_until(&place->replica, "master_link_status:up");
}

/* What a connection wrote is what its WAIT waits for. */
static void wait_until_replicated(const struct server *server) {
    redisContext *ctx = redisConnect("127.0.0.1", (int)server->port);
    redisReply *reply;
    assert_true(ctx != NULL && ctx->err == 0);
    reply = redisCommand(ctx, "SET marker 1");
    assert_non_null(reply);
    freeReplyObject(reply);
    reply = redisCommand(ctx, "WAIT 1 30000");
    assert_non_null(reply);
    assert_int_equal(reply->integer, 1);
    freeReplyObject(reply);
    redisFree(ctx);
}

/* It has what was written until now, and hears no more: of a port where nobody
 * listens. */
static void cut_replication(void *at) {
    struct place *place = at;
    char command[64];
    wait_until_replicated(&place->server);
    snprintf(command, sizeof command, "REPLICAOF 127.0.0.1 %u", free_port());
    server_must(&place->replica, command, "OK");
    wait_until(&place->replica, "master_link_status:down");
}

static void fail_over(void *at) {
    struct place *place = at;
    server_kill(&place->server);
    server_must(&place->replica, "REPLICAOF NO ONE", "OK");
    place->serving = &place->replica;
}

static void a_replica_that_lacks_commits_is_promoted(void **state) {
    struct place place = {.serving = NULL};
    (void)state;
    follow(&place);
    rehearse(&place, cut_replication, fail_over);
    server_end(&place.replica);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_copy_of_the_log_is_put_back),
        cmocka_unit_test(a_snapshot_is_loaded),
        cmocka_unit_test(a_server_that_has_lost_its_log_begins_empty),
        cmocka_unit_test(a_replica_that_lacks_commits_is_promoted),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
