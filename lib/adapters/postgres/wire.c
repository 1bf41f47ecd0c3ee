/* lib/adapters/postgres/wire.c - statements, how they are sent and waited for,
 * and what the server's errors mean. Nothing here waits longer than a deadline. */
#define _POSIX_C_SOURCE 200809L
#include "postgres_store.h"

#include <errno.h>
#include <libpq-events.h>
#include <poll.h>
#include <stdlib.h>
#include <time.h>

/* '1', or an error that fails the whole transaction when no row was met. The text
 * is what the server's log shows. */
#define ONE_ROW(query)                                                         \
    "CAST(coalesce((" query "),'mereau: a conflict, no fault') AS integer)"
#define COLUMNS "SELECT key,value,version,drop_at FROM mereau_record"
#define THIS " WHERE partition=$1 AND key=$2"
#define HELD(key, version)                                                     \
    ONE_ROW("SELECT '1' FROM mereau_record WHERE partition=$1 AND key=" key    \
            " AND version=" version " FOR SHARE")
#define INSERT                                                                 \
    "INSERT INTO mereau_record(partition,key,value,version,drop_at)"           \
    " VALUES($1,$2,$3,$4,$5)"

static const struct {
    const char *name, *text;
} statements[MRU_PG_COUNT] = {
    {"mereau_get", "SELECT r.key,r.value,r.version,r.drop_at FROM"
                   " unnest((SELECT CAST($2 AS bytea[]))) AS wanted(key)"
                   " CROSS JOIN LATERAL (" COLUMNS
                   " WHERE partition=$1 AND key=wanted.key LIMIT 1) AS r"},
    {"mereau_scan",
     COLUMNS " WHERE partition=$1 AND key>=$2 ORDER BY key LIMIT $3"},
    {"mereau_scan_to", COLUMNS " WHERE partition=$1 AND key>=$2 AND key<$4"
                               " ORDER BY key LIMIT $3"},
    /* Meets a record that is there, or that another is making, with an error of
     * its own (23505). */
    {"mereau_insert", INSERT},
    {"mereau_update",
     "WITH done AS (UPDATE mereau_record SET "
     "value=$3,version=$4,drop_at=$5" THIS
     " AND version=$6 RETURNING '1') SELECT " ONE_ROW("SELECT * FROM done")},
    {"mereau_upsert",
     INSERT " ON CONFLICT (partition,key) DO UPDATE SET value=excluded.value,"
            "version=excluded.version,drop_at=excluded.drop_at"},
    {"mereau_delete",
     "WITH done AS (DELETE FROM mereau_record" THIS
     " AND version=$3 RETURNING '1') SELECT " ONE_ROW("SELECT * FROM done")},
    {"mereau_remove", "DELETE FROM mereau_record" THIS},
    {"mereau_check", "SELECT " HELD("$2", "$3")},
    {"mereau_check_2", "SELECT " HELD("$2", "$3") "," HELD("$4", "$5")},
    {"mereau_check_3",
     "SELECT " HELD("$2", "$3") "," HELD("$4", "$5") "," HELD("$6", "$7")},
    {NULL, "BEGIN"},
    {NULL, "COMMIT"},
};

/* --- parameters --- */

void mru_postgres_bytes(struct mru_postgres_params *params, const uint8_t *data,
                        size_t len) {
    int i = params->n++;
    /* A pointer that is not NULL: an empty run of bytes is not SQL's NULL. */
    params->data[i] = data != NULL ? (const char *)data : "";
    params->len[i] = (int)len; /* keys, values and lists of keys fit */
    params->format[i] = 1;
}

void mru_postgres_number(struct mru_postgres_params *params, uint64_t bits) {
    int i = params->n;
    mru_put_u64(params->numbers[i], bits);
    mru_postgres_bytes(params, params->numbers[i], 8);
}

/* --- sending and waiting --- */

int64_t mru_postgres_now_ms(void) {
    struct timespec now = {0, 0};
    (void)clock_gettime(CLOCK_MONOTONIC, &now);
    return (int64_t)now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

int mru_postgres_send(const struct mru_postgres *store, PGconn *conn,
                      enum mru_postgres_sql sql,
                      const struct mru_postgres_params *params) {
    if ((store->options.flags & MEREAU_POSTGRES_POOLER) != 0 ||
        sql >= MRU_PG_BEGIN)
        return PQsendQueryParams(conn, statements[sql].text, params->n, NULL,
                                 params->data, params->len, params->format, 1);
    return PQsendQueryPrepared(conn, statements[sql].name, params->n,
                               params->data, params->len, params->format, 1);
}

/* 1: something came or went, 0: the deadline is over, -1: no socket. */
static int wait_for_socket(PGconn *conn, short events, int64_t deadline,
                           short *got) {
    struct pollfd fd = {PQsocket(conn), events, 0};
    int n;
    if (fd.fd < 0)
        return -1;
    do {
        int64_t left = deadline - mru_postgres_now_ms();
        n = poll(&fd, 1, left > 0 ? (int)left : 0);
    } while (n < 0 && errno == EINTR);
    *got = fd.revents;
    return n;
}

int mru_postgres_wait(PGconn *conn, int64_t deadline) {
    for (;;) {
        int unsent = PQflush(conn);
        short got = 0;
        if (unsent < 0)
            return -1;
        if (unsent == 0 && !PQisBusy(conn))
            return PQstatus(conn) == CONNECTION_OK ? 0 : -1;
        if (wait_for_socket(conn, unsent ? POLLIN | POLLOUT : POLLIN, deadline,
                            &got) <= 0)
            return -1;
        if ((got & ~POLLOUT) != 0 && !PQconsumeInput(conn))
            return -1;
    }
}

PGresult *mru_postgres_next(PGconn *conn, int64_t deadline) {
    /* A NULL follows the results of each statement; not two. */
    for (int i = 0; i < 3; i++) {
        PGresult *result;
        if (mru_postgres_wait(conn, deadline) != 0)
            return NULL;
        result = PQgetResult(conn);
        if (result == NULL)
            continue;
        if (PQresultStatus(result) == PGRES_FATAL_ERROR &&
            PQresultErrorField(result, PG_DIAG_SQLSTATE) == NULL) {
            /* libpq's own: no connection, or no memory for what came, which may
             * have been the end of the pipeline. */
            PQclear(result);
            return NULL;
        }
        return result;
    }
    return NULL;
}

PGresult *mru_postgres_ask(PGconn *conn, const char *sql, int64_t deadline) {
    PGresult *last = NULL, *next;
    if (!PQsendQuery(conn, sql))
        return NULL;
    for (;;) {
        if (mru_postgres_wait(conn, deadline) != 0) {
            PQclear(last);
            return NULL;
        }
        next = PQgetResult(conn);
        if (next == NULL)
            return last;
        /* Of several statements the first error is the answer. */
        if (last != NULL && PQresultStatus(last) == PGRES_FATAL_ERROR) {
            PQclear(next);
            continue;
        }
        PQclear(last);
        last = next;
    }
}

/* --- what is prepared on a connection --- */

/* libpq keeps a pointer with each connection for whoever registers an event
 * procedure; ours says "prepared" when it is not NULL. */
static int on_event(PGEventId event, void *info, void *unused) {
    (void)unused;
    if (event == PGEVT_CONNRESET)
        (void)PQsetInstanceData(((PGEventConnReset *)info)->conn, on_event,
                                NULL);
    return 1;
}

int mru_postgres_is_prepared(const PGconn *conn) {
    return PQinstanceData(conn, on_event) != NULL;
}

void mru_postgres_forget(PGconn *conn) {
    (void)PQsetInstanceData(conn, on_event, NULL);
}

/* A later change for all does not take back what open has looked at. */
static const char pin_durability[] =
    "SELECT set_config('synchronous_commit',"
    "current_setting('synchronous_commit'),false)";

/* What a session of the own pool is to be. Engines that do not know one of them
 * go without it; so each is a transaction of its own. */
static const char *const settings[] = {
    /* Decided when the statement is prepared, perhaps on an empty table. */
    "SET enable_seqscan=off",
    pin_durability,
    /* A client whose machine is gone must not keep its locks for hours. */
    "SET tcp_keepalives_idle=20",
    "SET tcp_keepalives_interval=5",
    "SET tcp_keepalives_count=3",
    "SET idle_in_transaction_session_timeout='30s'",
    "SET transaction_timeout='60s'",
};

/* Queues all; *n is how many have to succeed. */
static int queue_setup(const struct mru_postgres *store, PGconn *conn, int own,
                       int *n) {
    char lock_timeout[48];
    int sent = 1;
    for (*n = 0; sent && *n < MRU_PG_BEGIN; ++*n)
        sent = PQsendPrepare(conn, statements[*n].name, statements[*n].text, 0,
                             NULL);
    sent = sent && PQpipelineSync(conn);
    if (!own)
        return sent;
    mru_say(lock_timeout, sizeof lock_timeout, "SET lock_timeout=%u",
            (unsigned)store->options.lock_ms);
    sent = sent &&
           PQsendQueryParams(conn, lock_timeout, 0, NULL, NULL, NULL, NULL, 0);
    sent = sent && PQpipelineSync(conn);
    for (size_t i = 0; sent && i < sizeof settings / sizeof settings[0]; i++)
        sent = PQsendQueryParams(conn, settings[i], 0, NULL, NULL, NULL, NULL,
                                 0) &&
               PQpipelineSync(conn);
    return sent;
}

int mru_postgres_prepare(const struct mru_postgres *store, PGconn *conn,
                         int own, int64_t deadline) {
    int syncs = own ? 2 + (int)(sizeof settings / sizeof settings[0]) : 1;
    int wanted = 0, good = 0, seen = 0, failed;

    if ((store->options.flags & MEREAU_POSTGRES_POOLER) != 0)
        return 0;
    /* 0 also when it was registered before; if it is not, the last step fails. */
    (void)PQregisterEventProc(conn, on_event, "mereau", NULL);
    failed =
        !PQenterPipelineMode(conn) || !queue_setup(store, conn, own, &wanted);
    while (!failed && seen < syncs) {
        PGresult *result = mru_postgres_next(conn, deadline);
        failed = result == NULL;
        if (PQresultStatus(result) == PGRES_PIPELINE_SYNC)
            seen++;
        else if (seen == 0)
            good += PQresultStatus(result) == PGRES_COMMAND_OK;
        PQclear(result);
    }
    if (failed || good != wanted || !PQexitPipelineMode(conn))
        return -1;
    /* Any pointer that is not NULL. */
    return PQsetInstanceData(conn, on_event, conn) ? 0 : -1;
}

/* --- what is answered --- */

int32_t mru_postgres_code(const PGresult *result) {
    const char *state = PQresultErrorField(result, PG_DIAG_SQLSTATE);
    int32_t code = 0;
    if (state == NULL || strlen(state) != 5)
        return 0;
    for (; *state; state++) {
        if (*state >= '0' && *state <= '9')
            code = code * 36 + (*state - '0');
        else if (*state >= 'A' && *state <= 'Z')
            code = code * 36 + (*state - 'A') + 10;
        else
            return 0;
    }
    return code;
}

/* The first match decides; a state, or a class of two characters. */
static const struct {
    const char *state;
    struct mru_postgres_verdict verdict;
} verdicts[] = {
    {"22P02", {MEREAU_STORE_CONFLICT, 0, 0}}, /* our own: see ONE_ROW */
    {"23505", {MEREAU_STORE_CONFLICT, 0, 0}}, /* a record is there already */
    {"40003", {MEREAU_STORE_UNKNOWN, 1, 0}}, /* completion unknown */
    {"40", {MEREAU_STORE_CONFLICT, 0, 0}}, /* serialization, deadlock */
    {"55P03", {MEREAU_STORE_BUSY, 0, 0}}, /* lock_timeout */
    {"57014", {MEREAU_STORE_BUSY, 0, 0}}, /* cancelled, statement_timeout */
    {"26000", {MEREAU_STORE_BUSY, 0, 1}}, /* no such prepared statement */
    {"0A000", {MEREAU_STORE_BUSY, 1, 0}}, /* the plan is of an older table */
    {"25006", {MEREAU_STORE_BUSY, 1, 0}}, /* a standby by now */
    {"53100", {MEREAU_STORE_LIMIT, 0, 0}}, /* disk full */
    {"53400", {MEREAU_STORE_LIMIT, 0, 0}}, /* a configured limit */
    {"53", {MEREAU_STORE_BUSY, 1, 0}}, /* memory, connections */
    {"54", {MEREAU_STORE_LIMIT, 0, 0}}, /* larger than the engine takes */
    /* The server, or a pooler in its place, says goodbye: what it had begun may
     * have been finished. */
    {"57P", {MEREAU_STORE_UNKNOWN, 1, 0}},
    {"08", {MEREAU_STORE_UNKNOWN, 1, 0}},
};

struct mru_postgres_verdict mru_postgres_judge(const PGresult *result) {
    static const struct mru_postgres_verdict lost = {MEREAU_STORE_UNKNOWN, 1,
                                                     0},
                                             fault = {MEREAU_STORE_IO, 1, 0};
    const char *state = PQresultErrorField(result, PG_DIAG_SQLSTATE);
    const char *severity =
        PQresultErrorField(result, PG_DIAG_SEVERITY_NONLOCALIZED);

    /* libpq's own: lost connection, no memory. FATAL and PANIC end the session
     * at any instant, also just after a commit. */
    if (state == NULL || (severity != NULL && strcmp(severity, "ERROR") != 0))
        return lost;
    for (size_t i = 0; i < sizeof verdicts / sizeof verdicts[0]; i++)
        if (strncmp(state, verdicts[i].state, strlen(verdicts[i].state)) == 0)
            return verdicts[i].verdict;
    return fault;
}
