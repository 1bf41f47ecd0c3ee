/* mereau/postgres.h - libmereau-postgres: a store in PostgreSQL 12 or later, for
 * any number of machines. One table; a commit is one round trip, and so is a get.
 * Needs libpq 14 or later; this header needs none of it. */
#ifndef MEREAU_POSTGRES_H
#define MEREAU_POSTGRES_H

#include <mereau/host.h>

#ifdef __cplusplus
extern "C" {
#endif

/* libpq's PGconn. */
struct pg_conn;

/** Flags of mereau_postgres_options. Since: 0.2. */
enum {
    /* Each commit stands between BEGIN and COMMIT, still in one round trip;
     * otherwise it is the implicit transaction of one pipeline. For engines that
     * speak the protocol and take each statement of a pipeline for a transaction
     * of its own. A conflict costs a second round trip, for ROLLBACK. */
    MEREAU_POSTGRES_EXPLICIT = 1,
    /* A pooler in transaction mode stands between: nothing is prepared by name,
     * no setting of the session is made. PgBouncer in session mode does not need
     * it; in transaction mode only 1.21 and later with max_prepared_statements
     * could do without, and the session's settings would still leak into other
     * sessions. */
    MEREAU_POSTGRES_POOLER = 2,
    /* The host vouches that OK survives a power loss, for engines without
     * PostgreSQL's settings (CockroachDB, YugabyteDB), where they cannot be
     * looked at. Without effect where they say that it does not. */
    MEREAU_POSTGRES_VOUCHED = 4
};

/** How a PostgreSQL store is opened. Grows at its end. Since: 0.2. */
typedef struct mereau_postgres_options {
    uint32_t size;  /* sizeof(mereau_postgres_options) */
    uint32_t flags; /* MEREAU_POSTGRES_* */
    /* libpq's connection string or URI. Copied. NULL: take must be set. The
     * tables are made in the first schema of the search_path; give
     * "options=-csearch_path=..." to choose another. */
    const char *conninfo;
    uint32_t max_connections; /* of the own pool, 1..1000; 0: 8 */
    uint32_t lock_ms;    /* how long a commit waits for another's locks, and a
                            call for a free connection, before it is
                            MEREAU_STORE_BUSY; 0: 2000 */
    uint32_t timeout_ms; /* after which a server that says nothing is given up:
                            a commit is MEREAU_STORE_UNKNOWN then, all else
                            BUSY; 0: 15000. More than lock_ms. */
    uint32_t reserved;   /* 0 */
    void *user;          /* first argument of the callbacks */
    /* May be NULL: the store has its own pool. Otherwise the host's: *out = a
     * connection that no one else uses until it is given back, outside of a
     * transaction and of pipeline mode. 0, or a MEREAU_STORE_* that the store
     * then answers (BUSY when none is free). Called by any thread. lock_ms does
     * nothing on these: set the server's lock_timeout. */
    int32_t (*take)(void *user, struct pg_conn **out);
    /* Must be set with take. Takes it back as it was, with prepared statements
     * named mereau_* and a libpq event procedure added. broken: close or reset
     * it; it may stand in the middle of something. */
    void (*give)(void *user, struct pg_conn *conn, int32_t broken);
} mereau_postgres_options;

/** Options with their size and zeros. Twin: mereau_postgres_options_init().
 * Since: 0.2. */
#define MEREAU_POSTGRES_OPTIONS_INIT                                           \
    {                                                                          \
        (uint32_t)sizeof(mereau_postgres_options), 0, NULL, 0, 0, 0, 0, NULL,  \
            NULL, NULL                                                         \
    }

/** Makes options ready to be filled. In: size, the caller's
 * sizeof(mereau_postgres_options). NULL is accepted. Threads: one owner. Since:
 * 0.2. */
MEREAU_API void mereau_postgres_options_init(mereau_postgres_options *options,
                                             size_t size);

/** Opens a store in a PostgreSQL database, creating its tables, mereau_record and
 * mereau_schema, when they are not there: SHARED, LINEAR, ORDERED; and DURABLE
 * when the server's settings earn it, which is looked at now and at every
 * connection of the own pool: fsync and full_page_writes on, synchronous_commit
 * not off.
 *
 * Correct at READ COMMITTED and at every stricter level. An older schema is
 * upgraded in place; a table of that name that is not ours is refused and not
 * touched. Only a server that takes writes is used, never a standby.
 *
 * A failover to a standby that had not received everything (asynchronous
 * replication) takes commits back that were answered with OK: counts are armed
 * again, and revocations forgotten. Replicate synchronously.
 *
 * Not across fork: in a child process every call answers MEREAU_STORE_IO, and
 * closing leaves the parent's connections alone. Fork first and open then.
 *
 * In:      options  conninfo, or take and give, must be set
 * Out:     *out     the store; NULL after failure
 * Returns: MEREAU_OK, MEREAU_E_ARG, MEREAU_E_STORE (no connection, or the server
 *          refused; host_code: the five characters of its SQLSTATE read as a
 *          number of base 36, 0 without one), MEREAU_E_UNSUPPORTED (a newer
 *          schema), MEREAU_E_NOMEM, MEREAU_E_SIZE.
 * Owns:    the caller closes it with mereau_store_close(), after the contexts,
 *          when no call is under way. Threads: any; the store may be shared by
 *          contexts. Since: 0.2. */
MEREAU_API mereau_status mereau_postgres_open_with(
    mereau_store **out, const mereau_postgres_options *options,
    mereau_error *err);

/** mereau_postgres_open_with() with a connection string and nothing else. In:
 * conninfo, as there. Out, Returns, Owns, Threads: as there. Since: 0.2. */
MEREAU_API mereau_status mereau_postgres_open(mereau_store **out,
                                              const char *conninfo,
                                              mereau_error *err);

/** Why a PostgreSQL store is not MEREAU_CAP_DURABLE, for the host's log: "" or
 * one English sentence. In: store, that one of the functions above opened; NULL
 * gives "". Out: static text. Threads: any. Since: 0.2. */
MEREAU_API const char *mereau_postgres_warning(const mereau_store *store);

#ifdef __cplusplus
}
#endif
#endif
