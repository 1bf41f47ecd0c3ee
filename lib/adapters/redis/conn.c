/* lib/adapters/redis/conn.c - connections: made, authenticated, looked at,
 * kept, given out one to a thread, never more than the settings allow. */
#define _POSIX_C_SOURCE 200809L
#include "redis_store.h"

#include <errno.h>
#include <time.h>
#include <unistd.h>

/* --- one connection --- */

static void conn_close(struct mru_redis_conn *conn) {
    if (conn == NULL)
        return;
    mru_buf_free(&conn->out);
    if (conn->ctx != NULL && !conn->hosts)
        redisFree(conn->ctx);
    mru_free(conn);
}

static mereau_status no_memory(mereau_error *err) {
    return mru_refuse(err, MEREAU_E_NOMEM, "memory", NULL, NULL, NULL);
}

/* Sends what stands in conn->out, which may be a password, and wants OK. */
static mereau_status must_be_ok(struct mru_redis_conn *conn, const char *rule,
                                const char *wanted, mereau_error *err) {
    struct mru_redis_answer answer;
    mereau_status status = MEREAU_OK;
    char word[24] = "no reply";

    if (conn->out.failed)
        return no_memory(err);
    answer = mru_redis_ask(conn, 1);
    mru_buf_free(&conn->out);
    if (answer.reply != NULL) /* its first word: the rest is not ours to tell */
        mru_say(word, sizeof word, "%.*s",
                (int)strcspn(answer.reply->str ? answer.reply->str : "", " "),
                answer.reply->str ? answer.reply->str : "");
    if (answer.result != MEREAU_STORE_OK)
        status = mru_refuse(err, MEREAU_E_STORE, rule, NULL, wanted, word);
    freeReplyObject(answer.reply);
    return status;
}

static mereau_status log_in(struct mru_redis_conn *conn,
                            const mereau_redis_settings *set,
                            mereau_error *err) {
    mereau_status status = MEREAU_OK;
    if (set->password != NULL) {
        mru_redis_command(conn, set->user != NULL ? 3 : 2);
        mru_redis_arg_text(conn, "AUTH");
        if (set->user != NULL)
            mru_redis_arg_text(conn, set->user);
        mru_redis_arg_text(conn, set->password);
        status = must_be_ok(conn, "redis.auth",
                            "a user and password that the server takes", err);
    }
    if (status == MEREAU_OK && set->database != 0) {
        mru_redis_command(conn, 2);
        mru_redis_arg_text(conn, "SELECT");
        mru_redis_arg_number(conn, set->database);
        status = must_be_ok(conn, "redis.database",
                            "a database that the server has", err);
    }
    return status;
}

/* Sets *out also when it fails: the caller closes it. */
static mereau_status connect_new(const mereau_redis_settings *set,
                                 struct mru_redis_conn **out,
                                 mereau_error *err) {
    struct mru_redis_conn *conn = mru_alloc(sizeof *conn);
    const char *why = "";
    int fd;

    *out = conn;
    if (conn == NULL)
        return no_memory(err);
    fd = mru_redis_socket(set, &why);
    if (fd < 0)
        return mru_refuse(err, MEREAU_E_STORE, "redis.connect", NULL,
                          "a server that can be reached", why);
    conn->ctx = redisConnectFd(fd);
    if (conn->ctx == NULL) {
        close(fd);
        return no_memory(err);
    }
    return log_in(conn, set, err);
}

/* The first one says what the store is; those after it must be as good. */
static mereau_status look(struct mru_redis *store, struct mru_redis_conn *conn,
                          mereau_error *err) {
    struct mru_redis_facts facts = {0, 0, ""};
    mereau_status status = mru_redis_look(conn, &facts, err);
    if (status == MEREAU_OK && store->facts.durable && !facts.durable)
        status = mru_refuse(err, MEREAU_E_STORE, "redis.durable", NULL,
                            "a server as durable as when the store was opened",
                            "one that is not");
    return status;
}

static mereau_status conn_new(struct mru_redis *store,
                              struct mru_redis_conn **out, mereau_error *err) {
    struct mru_redis_conn *conn = NULL;
    mereau_status status = connect_new(&store->set, &conn, err);

    if (status == MEREAU_OK)
        status = look(store, conn, err);
    if (status != MEREAU_OK) {
        conn_close(conn);
        conn = NULL;
    }
    *out = conn;
    return status;
}

/* --- the host's pool --- */

static mereau_status take_hosts(struct mru_redis *store, uint32_t slot,
                                struct mru_redis_conn **out,
                                mereau_error *err) {
    struct mru_redis_conn *conn = mru_alloc(sizeof *conn);
    if (conn == NULL)
        return no_memory(err);
    conn->hosts = 1;
    if (store->set.take(store->set.pool, slot, &conn->ctx) != 0 ||
        conn->ctx == NULL) {
        mru_free(conn);
        return mru_refuse(err, MEREAU_E_STORE, "redis.connect", NULL,
                          "a connection of the host's pool", "none");
    }
    *out = conn;
    return MEREAU_OK;
}

static void give_hosts(struct mru_redis *store, struct mru_redis_conn *conn,
                       int broken) {
    redisContext *ctx = conn->ctx;
    conn_close(conn);
    store->set.give(store->set.pool, ctx, broken);
}

/* --- the pool of the store's own --- */

static void deadline(uint32_t ms, struct timespec *at) {
    (void)clock_gettime(CLOCK_MONOTONIC, at);
    at->tv_sec += (time_t)(ms / 1000);
    at->tv_nsec += (long)(ms % 1000) * 1000000;
    if (at->tv_nsec >= 1000000000) {
        at->tv_sec++;
        at->tv_nsec -= 1000000000;
    }
}

static void forget_one(struct mru_redis *store) {
    pthread_mutex_lock(&store->lock);
    store->n_open--;
    pthread_cond_signal(&store->given);
    pthread_mutex_unlock(&store->lock);
}

/* 0 and an idle connection, or NULL and leave to make one; -1 when all stayed
 * in use. */
static int take_turn(struct mru_redis *store, struct mru_redis_conn **out) {
    struct timespec until;
    int code = 0;

    deadline(store->set.timeout_ms, &until);
    pthread_mutex_lock(&store->lock);
    while (store->idle == NULL && store->n_open >= store->set.connections &&
           code == 0)
        code = pthread_cond_timedwait(&store->given, &store->lock, &until);
    *out = store->idle;
    if (*out != NULL)
        store->idle = (*out)->next;
    else if (store->n_open < store->set.connections)
        store->n_open++;
    else
        code = -1;
    if (*out != NULL || code != -1)
        code = 0;
    pthread_mutex_unlock(&store->lock);
    return code;
}

static mereau_status take_own(struct mru_redis *store,
                              struct mru_redis_conn **out, mereau_error *err) {
    mereau_status status;

    if (take_turn(store, out) != 0)
        return mru_refuse(err, MEREAU_E_BUSY, "redis.connections", NULL,
                          "a free connection", "all in use");
    if (*out != NULL && !mru_redis_is_stale((*out)->ctx->fd))
        return MEREAU_OK;
    /* The server went away meanwhile, or never was asked. */
    conn_close(*out);
    status = conn_new(store, out, err);
    if (status != MEREAU_OK)
        forget_one(store);
    return status;
}

mereau_status mru_redis_take(struct mru_redis *store, uint32_t slot,
                             struct mru_redis_conn **out, mereau_error *err) {
    mereau_status status;

    *out = NULL;
    status = store->set.take != NULL ? take_hosts(store, slot, out, err)
                                     : take_own(store, out, err);
    if (status == MEREAU_OK)
        (*out)->quiet_exec = store->facts.quiet_exec;
    return status;
}

void mru_redis_give(struct mru_redis *store, struct mru_redis_conn *conn,
                    int broken) {
    /* What a large batch needed is not kept. */
    if (conn->out.cap > 65536)
        mru_buf_free(&conn->out);
    if (conn->hosts) {
        give_hosts(store, conn, broken);
        return;
    }
    if (broken) {
        conn_close(conn);
        forget_one(store);
        return;
    }
    pthread_mutex_lock(&store->lock);
    conn->next = store->idle;
    store->idle = conn;
    pthread_cond_signal(&store->given);
    pthread_mutex_unlock(&store->lock);
}

void mru_redis_drain(struct mru_redis *store) {
    while (store->idle != NULL) {
        struct mru_redis_conn *conn = store->idle;
        store->idle = conn->next;
        conn_close(conn);
    }
}
