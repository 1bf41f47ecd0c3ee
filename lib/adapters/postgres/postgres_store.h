/* lib/adapters/postgres/postgres_store.h - inside of the PostgreSQL store.
 *
 * A call takes a connection (pool.c), sends one statement or one pipeline of
 * them (wire.c) and waits for what comes, at most until a deadline. A commit is
 * made so that the server itself undoes all of it when one condition does not
 * hold (write.c). Nothing here survives a fork: both sides would speak on one
 * socket. */
#ifndef MRU_POSTGRES_STORE_H
#define MRU_POSTGRES_STORE_H

#include <pthread.h>
#include <libpq-fe.h>

#include <mereau/postgres.h>

#include "../../base/need.h"
#include "../../port/port.h"

#ifndef LIBPQ_HAS_PIPELINING
#error "libpq 14 or later is needed"
#endif

/* The statements, each prepared once on a connection. */
enum mru_postgres_sql {
    MRU_PG_GET,
    MRU_PG_SCAN,
    MRU_PG_SCAN_TO,
    MRU_PG_INSERT,
    MRU_PG_UPDATE,
    MRU_PG_UPSERT,
    MRU_PG_DELETE,
    MRU_PG_REMOVE,
    MRU_PG_CHECK, /* one record; two; three */
    MRU_PG_CHECK_2,
    MRU_PG_CHECK_3,
    MRU_PG_BEGIN, /* from here on without parameters, and never prepared */
    MRU_PG_COMMIT,
    MRU_PG_ROLLBACK,
    MRU_PG_COUNT
};

struct mru_postgres {
    mereau_store table; /* first: what the caller holds */
    mereau_postgres_options options; /* conninfo: ours */
    uint64_t process;
    const char *warning;
    pthread_mutex_t lock; /* guards all that follows */
    pthread_cond_t given;
    PGconn **idle; /* of the own pool; options.max_connections places */
    uint32_t n_idle, n_open;
};

/* --- wire.c: statements and what is answered --- */

/* Parameters of one statement, in the server's binary form. At most 7. */
struct mru_postgres_params {
    int n;
    const char *data[7];
    int len[7];
    int format[7];
    uint8_t numbers[7][8];
};
void mru_postgres_bytes(struct mru_postgres_params *params, const uint8_t *data,
                        size_t len);
void mru_postgres_number(struct mru_postgres_params *params, uint64_t bits);

/* Milliseconds of a clock that only goes forward. */
int64_t mru_postgres_now_ms(void);
/* Queues a statement: 1, or 0 without memory or connection. */
int mru_postgres_send(const struct mru_postgres *store, PGconn *conn,
                      enum mru_postgres_sql sql,
                      const struct mru_postgres_params *params);
/* Sends what is queued and waits until PQgetResult would not block. 0, or -1:
 * the deadline is over or the connection lost. */
int mru_postgres_wait(PGconn *conn, int64_t deadline);
/* The next result of a pipeline; NULL: none will come, and what was asked for is
 * not known. */
PGresult *mru_postgres_next(PGconn *conn, int64_t deadline);
/* Runs SQL that is sent as text, outside of pipeline mode. The last result, to be
 * cleared by the caller; NULL: no answer, the connection is of no use. */
PGresult *mru_postgres_ask(PGconn *conn, const char *sql, int64_t deadline);
/* Prepares all statements and makes the settings of the session (own: of the own
 * pool) in one round trip. 0, or -1: the connection is of no use. */
int mru_postgres_prepare(const struct mru_postgres *store, PGconn *conn,
                         int own, int64_t deadline);
/* Whether that was done on this connection; and that it has to be done again. */
int mru_postgres_is_prepared(const PGconn *conn);
void mru_postgres_forget(PGconn *conn);

/* What an error of the server means. */
struct mru_postgres_verdict {
    int32_t result; /* MEREAU_STORE_*; UNKNOWN: not even the server can say */
    int broken; /* the connection is not to be used again */
    int forgotten; /* its prepared statements are not what we thought */
};
struct mru_postgres_verdict mru_postgres_judge(const PGresult *result);
/* SQLSTATE as a number of base 36; 0 without one. */
int32_t mru_postgres_code(const PGresult *result);

/* --- pool.c: connections --- */

/* A connection that is ready for mru_postgres_send, and back. */
int32_t mru_postgres_take(struct mru_postgres *store, PGconn **out);
void mru_postgres_give(struct mru_postgres *store, PGconn *conn, int broken);
/* One on which nothing is prepared yet: for open. *err says why not. */
int32_t mru_postgres_take_first(struct mru_postgres *store, PGconn **out,
                                mereau_error *err);
/* Closes those that are idle. */
void mru_postgres_drain(struct mru_postgres *store);

/* --- schema.c, server.c --- */

/* Creates or upgrades the tables, or refuses them. */
mereau_status mru_postgres_schema(const struct mru_postgres *store,
                                  PGconn *conn, mereau_error *err);
/* "" when OK of a commit survives a power loss by the server's settings, else a
 * sentence that says why not; NULL: it could not be asked. */
const char *mru_postgres_warning_of(const struct mru_postgres *store,
                                    PGconn *conn, int64_t deadline);
/* 1 when the statements of a pipeline are one transaction on this server, 0 when
 * not, -1: it could not be asked. The tables must be there. */
int mru_postgres_is_atomic(PGconn *conn, int64_t deadline);

/* --- read.c, write.c --- */

int32_t mru_postgres_get(void *user, const mereau_need *need, mereau_emit emit,
                         void *arg);
int32_t mru_postgres_scan(void *user, const mereau_need *need, mereau_emit emit,
                          void *arg);
int32_t mru_postgres_commit(void *user, const mereau_need *need,
                            size_t *failed);

#endif
