/* lib/adapters/postgres/pool.c - connections: of the host's pool, or of an own one
 * that never opens more than it may. A connection is used by one call at a time,
 * and one that may have anything left over is closed. */
#define _POSIX_C_SOURCE 200809L
#include "postgres_store.h"

#include <poll.h>
#include <stdlib.h>
#include <time.h>

static void say_nothing(void *unused, const PGresult *result) {
    (void)unused;
    (void)result;
}

/* 1 when it is of no more use. An idle server says nothing, but to say goodbye or
 * that its settings changed: a new connection is as good then. */
static int is_gone(const PGconn *conn) {
    struct pollfd fd = {PQsocket(conn), POLLIN, 0};
    return PQstatus(conn) != CONNECTION_OK || fd.fd < 0 || poll(&fd, 1, 0) != 0;
}

/* As it has to be before a call, and as it has to be after one. */
static int is_at_rest(const PGconn *conn) {
    return PQstatus(conn) == CONNECTION_OK &&
           PQtransactionStatus(conn) == PQTRANS_IDLE &&
           PQpipelineStatus(conn) == PQ_PIPELINE_OFF;
}

/* --- the own pool --- */

static PGconn *connect_own(const struct mru_postgres *store) {
    /* What stands before the host's string can be overridden by it; what stands
     * after cannot. */
    const char *const words[] = {"connect_timeout", "fallback_application_name",
                                 "dbname", "target_session_attrs", NULL};
    const char *const values[] = {"5", "mereau", store->options.conninfo,
                                  "read-write", NULL};
    PGconn *conn = PQconnectdbParams(words, values, 1);
    (void)PQsetNoticeReceiver(conn, say_nothing, NULL);
    return conn;
}

/* A place for a connection: an idle one in *conn, or NULL and the right to open
 * one. BUSY: all are in use. */
static int32_t take_place(struct mru_postgres *store, PGconn **conn) {
    int32_t result = MEREAU_STORE_OK;
    struct timespec until;
    int code = 0;

    *conn = NULL;
    (void)clock_gettime(CLOCK_MONOTONIC, &until);
    until.tv_sec += (time_t)(store->options.lock_ms / 1000);
    until.tv_nsec += (long)(store->options.lock_ms % 1000) * 1000000;
    if (until.tv_nsec >= 1000000000) {
        until.tv_sec++;
        until.tv_nsec -= 1000000000;
    }
    pthread_mutex_lock(&store->lock);
    while (store->n_idle == 0 &&
           store->n_open >= store->options.max_connections && code == 0)
        code = pthread_cond_timedwait(&store->given, &store->lock, &until);
    if (store->n_idle > 0)
        *conn = store->idle[--store->n_idle];
    else if (store->n_open < store->options.max_connections)
        store->n_open++;
    else
        result = MEREAU_STORE_BUSY;
    pthread_mutex_unlock(&store->lock);
    return result;
}

/* Closes it, and lets another be opened in its place. */
static void close_own(struct mru_postgres *store, PGconn *conn) {
    PQfinish(conn);
    pthread_mutex_lock(&store->lock);
    store->n_open--;
    pthread_cond_signal(&store->given);
    pthread_mutex_unlock(&store->lock);
}

/* Takes an idle one that still lives, or opens one. *out may be one that has no
 * connection, to ask it why. */
static int32_t take_own(struct mru_postgres *store, PGconn **out) {
    int32_t result;
    while ((result = take_place(store, out)) == MEREAU_STORE_OK &&
           *out != NULL) {
        if (!is_gone(*out))
            return MEREAU_STORE_OK;
        close_own(store, *out);
    }
    if (result != MEREAU_STORE_OK)
        return result;
    *out = connect_own(store);
    return PQstatus(*out) == CONNECTION_OK ? MEREAU_STORE_OK
                                           : MEREAU_STORE_BUSY;
}

static void give_own(struct mru_postgres *store, PGconn *conn, int broken) {
    if (broken) {
        close_own(store, conn);
        return;
    }
    pthread_mutex_lock(&store->lock);
    store->idle[store->n_idle++] = conn;
    pthread_cond_signal(&store->given);
    pthread_mutex_unlock(&store->lock);
}

void mru_postgres_drain(struct mru_postgres *store) {
    while (store->n_idle > 0) {
        PQfinish(store->idle[--store->n_idle]);
        store->n_open--;
    }
}

/* --- either --- */

static int32_t take_any(struct mru_postgres *store, PGconn **out) {
    const mereau_postgres_options *options = &store->options;
    int32_t result;

    *out = NULL;
    result = options->take != NULL ? options->take(options->user, out)
                                   : take_own(store, out);
    if (result != MEREAU_STORE_OK)
        return result;
    if (*out == NULL)
        return MEREAU_STORE_BUSY;
    /* A host that hands out what is in use, or broken, is told by IO. */
    if (!is_at_rest(*out) || PQsetnonblocking(*out, 1) != 0)
        return MEREAU_STORE_IO;
    return MEREAU_STORE_OK;
}

void mru_postgres_give(struct mru_postgres *store, PGconn *conn, int broken) {
    const mereau_postgres_options *options = &store->options;
    if (conn == NULL)
        return;
    broken = broken || !is_at_rest(conn) || PQsetnonblocking(conn, 0) != 0;
    if (options->take != NULL)
        options->give(options->user, conn, broken);
    else
        give_own(store, conn, broken);
}

/* What a durable store promises must hold on a new connection, too: the settings
 * may have changed since it was opened. */
static int32_t look_again(const struct mru_postgres *store, PGconn *conn,
                          int64_t deadline) {
    const char *warning;
    if ((store->table.caps & MEREAU_CAP_DURABLE) == 0 ||
        store->options.take != NULL)
        return MEREAU_STORE_OK;
    warning = mru_postgres_warning_of(store, conn, deadline);
    if (warning == NULL)
        return MEREAU_STORE_BUSY; /* lost while it was asked */
    return *warning == 0 ? MEREAU_STORE_OK : MEREAU_STORE_IO;
}

int32_t mru_postgres_take(struct mru_postgres *store, PGconn **out) {
    int32_t result = take_any(store, out);
    int64_t deadline = mru_postgres_now_ms() + store->options.timeout_ms;

    if (result == MEREAU_STORE_OK && !mru_postgres_is_prepared(*out) &&
        (store->options.flags & MEREAU_POSTGRES_POOLER) == 0)
        result = mru_postgres_prepare(store, *out, store->options.take == NULL,
                                      deadline) == 0
                     ? look_again(store, *out, deadline)
                     : MEREAU_STORE_BUSY;
    if (result != MEREAU_STORE_OK) {
        mru_postgres_give(store, *out, 1);
        *out = NULL;
    }
    return result;
}

int32_t mru_postgres_take_first(struct mru_postgres *store, PGconn **out,
                                mereau_error *err) {
    int32_t result = take_any(store, out);
    if (result == MEREAU_STORE_OK)
        return result;
    (void)mru_refuse_host(err, MEREAU_E_STORE, 0, "postgres.connect",
                          "a connection to a server that takes writes",
                          *out != NULL ? PQerrorMessage(*out)
                                       : "none from the host's pool");
    mru_postgres_give(store, *out, 1);
    *out = NULL;
    return result;
}
