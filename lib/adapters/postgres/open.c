/* lib/adapters/postgres/open.c - opens and closes a PostgreSQL store. */
#define _POSIX_C_SOURCE 200809L
#include "postgres_store.h"

#include <stdlib.h>
#include <time.h>
#include <unistd.h>

void mereau_postgres_options_init(mereau_postgres_options *options,
                                  size_t size) {
    /* A caller compiled against older, shorter options keeps their size. */
    if (options == NULL || size < sizeof options->size)
        return;
    if (size > sizeof *options)
        size = sizeof *options;
    memset(options, 0, size);
    options->size = (uint32_t)size;
}

static void postgres_close(void *user) {
    struct mru_postgres *store = user;
    char *conninfo = (char *)store->options.conninfo;
    /* In a forked child the connections are the parent's: to close them would
     * say goodbye in its name. */
    if (store->process == mru_process_id()) {
        mru_postgres_drain(store);
        (void)pthread_cond_destroy(&store->given);
        (void)pthread_mutex_destroy(&store->lock);
    }
    if (conninfo != NULL)
        mru_free_wiped(conninfo, strlen(conninfo)); /* may hold a password */
    mru_free(store->idle);
    mru_free(store);
}

static int init_lock(struct mru_postgres *store) {
    pthread_condattr_t attr;
    int code;
    if (pthread_mutex_init(&store->lock, NULL) != 0)
        return -1;
    code = pthread_condattr_init(&attr);
    if (code == 0) {
        code = pthread_condattr_setclock(&attr, CLOCK_MONOTONIC);
        if (code == 0)
            code = pthread_cond_init(&store->given, &attr);
        (void)pthread_condattr_destroy(&attr);
    }
    if (code != 0)
        (void)pthread_mutex_destroy(&store->lock);
    return code;
}

static uint32_t or_else(uint32_t value, uint32_t otherwise) {
    return value != 0 ? value : otherwise;
}

static struct mru_postgres *store_new(const mereau_postgres_options *given) {
    struct mru_postgres *store = mru_alloc(sizeof *store);
    mereau_postgres_options *options;
    if (store == NULL)
        return NULL;
    if (init_lock(store) != 0) {
        mru_free(store);
        return NULL;
    }
    store->process = mru_process_id();
    store->warning = "";
    options = &store->options;
    *options = *given;
    options->max_connections = or_else(given->max_connections, 8);
    options->lock_ms = or_else(given->lock_ms, 2000);
    options->timeout_ms = or_else(given->timeout_ms, 15000);
    options->conninfo = given->conninfo != NULL
                            ? mru_dup(given->conninfo, strlen(given->conninfo))
                            : NULL;
    store->idle = mru_alloc(options->max_connections * sizeof(PGconn *));
    if (store->idle == NULL ||
        (given->conninfo != NULL && options->conninfo == NULL)) {
        postgres_close(store);
        return NULL;
    }
    mereau_store_init(&store->table, sizeof store->table);
    store->table.caps =
        MEREAU_CAP_SHARED | MEREAU_CAP_LINEAR | MEREAU_CAP_ORDERED;
    store->table.user = store;
    store->table.get = mru_postgres_get;
    store->table.commit = mru_postgres_commit;
    store->table.scan = mru_postgres_scan;
    store->table.close = postgres_close;
    return store;
}

/* What stands in the options of a caller that may be older. */
static mereau_status read_options(const mereau_postgres_options *given,
                                  mereau_postgres_options *options,
                                  mereau_error *err) {
    const uint32_t known = MEREAU_POSTGRES_EXPLICIT | MEREAU_POSTGRES_POOLER |
                           MEREAU_POSTGRES_VOUCHED;
    mereau_postgres_options_init(options, sizeof *options);
    if (given == NULL)
        return mru_refuse(err, MEREAU_E_ARG, "postgres_open.options", NULL,
                          "options, and a place for the store", "NULL");
    if (given->size < offsetof(mereau_postgres_options, user) ||
        given->size > sizeof *given)
        return mru_refuse(err, MEREAU_E_SIZE, "postgres_open.size", NULL,
                          "the size of options that this release knows",
                          "another");
    memcpy(options, given, given->size);
    options->size = (uint32_t)sizeof *options;
    if ((options->flags & ~known) != 0 || options->reserved != 0 ||
        options->max_connections > 1000 || options->lock_ms > 3600000 ||
        options->timeout_ms > 3600000 ||
        or_else(options->timeout_ms, 15000) <= or_else(options->lock_ms, 2000))
        return mru_refuse(err, MEREAU_E_ARG, "postgres_open.options", NULL,
                          "known flags, at most 1000 connections, and "
                          "lock_ms below timeout_ms, at most an hour",
                          "others");
    if (options->take == NULL
            ? options->conninfo == NULL
            : options->give == NULL || options->conninfo != NULL)
        return mru_refuse(err, MEREAU_E_ARG, "postgres_open.options", NULL,
                          "either conninfo or take and give",
                          "neither, both or a half");
    return MEREAU_OK;
}

/* libpq would quote the string, perhaps with its password, in its error. */
static mereau_status check_conninfo(const char *conninfo, mereau_error *err) {
    char *unused = NULL;
    PQconninfoOption *parsed;
    int bad;
    if (conninfo == NULL)
        return MEREAU_OK;
    parsed = PQconninfoParse(conninfo, &unused);
    bad = parsed == NULL;
    PQconninfoFree(parsed);
    if (unused != NULL)
        mru_wipe(unused, strlen(unused));
    PQfreemem(unused);
    return bad ? mru_refuse(err, MEREAU_E_ARG, "postgres_open.conninfo", NULL,
                            "a connection string or URI of libpq", "another")
               : MEREAU_OK;
}

/* The tables, and what the server promises. */
static mereau_status look_at(struct mru_postgres *store, PGconn *conn,
                             mereau_error *err) {
    mereau_status status = mru_postgres_schema(store, conn, err);
    int64_t deadline = mru_postgres_now_ms() + store->options.timeout_ms;
    int atomic = 1;

    if (status != MEREAU_OK)
        return status;
    if ((store->options.flags & MEREAU_POSTGRES_EXPLICIT) == 0)
        atomic = mru_postgres_is_atomic(conn, deadline);
    if (atomic == 0)
        return mru_refuse(err, MEREAU_E_STORE, "postgres.pipeline", NULL,
                          "a server for which a pipeline is one transaction",
                          "another: set MEREAU_POSTGRES_EXPLICIT");
    store->warning = mru_postgres_warning_of(store, conn, deadline);
    if (atomic < 0 || store->warning == NULL)
        return mru_refuse_host(err, MEREAU_E_STORE, 0, "postgres.connect",
                               "to ask the server for its settings",
                               PQerrorMessage(conn));
    if (*store->warning == 0)
        store->table.caps |= MEREAU_CAP_DURABLE;
    return MEREAU_OK;
}

mereau_status mereau_postgres_open_with(mereau_store **out,
                                        const mereau_postgres_options *given,
                                        mereau_error *err) {
    struct mru_postgres *store = NULL;
    mereau_postgres_options options;
    mereau_status status = mru_error_reset(err);
    PGconn *conn = NULL;

    if (out != NULL)
        *out = NULL;
    if (status == MEREAU_OK)
        status = read_options(out != NULL ? given : NULL, &options, err);
    if (status == MEREAU_OK)
        status = check_conninfo(options.conninfo, err);
    if (status != MEREAU_OK)
        return status;
    store = store_new(&options);
    if (store == NULL)
        return mru_refuse(err, MEREAU_E_NOMEM, "memory", NULL, NULL, NULL);
    if (mru_postgres_take_first(store, &conn, err) != MEREAU_STORE_OK) {
        status = MEREAU_E_STORE;
    } else {
        status = look_at(store, conn, err);
        mru_postgres_give(store, conn, status != MEREAU_OK);
    }
    if (status == MEREAU_OK)
        *out = &store->table;
    else
        postgres_close(store);
    return status;
}

mereau_status mereau_postgres_open(mereau_store **out, const char *conninfo,
                                   mereau_error *err) {
    mereau_postgres_options options = MEREAU_POSTGRES_OPTIONS_INIT;
    options.conninfo = conninfo;
    return mereau_postgres_open_with(out, &options, err);
}

const char *mereau_postgres_warning(const mereau_store *store) {
    const struct mru_postgres *ours =
        store != NULL && store->commit == mru_postgres_commit ? store->user
                                                              : NULL;
    return ours != NULL ? ours->warning : "";
}
