/* lib/adapters/postgres/schema.c - the tables: created, upgraded in place, or
 * refused.
 *
 * mereau_schema has one row that says which schema there is. A step of `steps`
 * leads from one version to the next and is never changed once released; it may
 * be run twice, because not every engine undoes the making of a table with its
 * transaction. Several processes may be at it at once: who is second begins
 * again. */
#include "postgres_store.h"

static const char *const steps[] = {
    /* 0 -> 1. The version is a uint64_t, bit by bit; drop_at are Unix seconds, 0:
     * keep. Pages keep room, so that a record that is rewritten stays on its page
     * and the index is left alone. */
    "CREATE TABLE IF NOT EXISTS mereau_record("
    "partition bytea NOT NULL,"
    "key bytea NOT NULL,"
    "value bytea NOT NULL,"
    "version bigint NOT NULL,"
    "drop_at bigint NOT NULL,"
    "PRIMARY KEY(partition,key))"
    " WITH (fillfactor=80)",
};

enum { NEWEST = (int)(sizeof steps / sizeof steps[0]), TRIES = 60 };

/* How a try ended. */
enum { DONE, AGAIN, FAILED };

struct work {
    PGconn *conn;
    int64_t deadline;
    mereau_status status; /* of FAILED */
    mereau_error *err;
};

static int fail(struct work *work, const PGresult *result) {
    work->status = mru_refuse_host(
        work->err, MEREAU_E_STORE, mru_postgres_code(result), "postgres.schema",
        "to read and make the tables mereau_record and mereau_schema",
        result != NULL ? PQresultErrorField(result, PG_DIAG_MESSAGE_PRIMARY)
                       : PQerrorMessage(work->conn));
    return FAILED;
}

/* What a race with another process that makes the tables looks like. */
static int is_race(const PGresult *result) {
    static const char *const states[] = {"42P07", "42P01", "23505", "40001",
                                         "40P01", "XX000", "42710"};
    const char *state = PQresultErrorField(result, PG_DIAG_SQLSTATE);
    for (size_t i = 0; state && i < sizeof states / sizeof states[0]; i++)
        if (strcmp(state, states[i]) == 0)
            return 1;
    return 0;
}

static int run(struct work *work, const char *sql) {
    PGresult *result = mru_postgres_ask(work->conn, sql, work->deadline);
    ExecStatusType status = PQresultStatus(result);
    int outcome = DONE;
    if (status != PGRES_COMMAND_OK && status != PGRES_TUPLES_OK)
        outcome = is_race(result) ? AGAIN : fail(work, result);
    PQclear(result);
    return outcome;
}

/* *found: the version that is there; -1: no table, -2: a table without a row. */
static int look(struct work *work, const char *sql, int64_t *found) {
    PGresult *result = mru_postgres_ask(work->conn, sql, work->deadline);
    const char *state = PQresultErrorField(result, PG_DIAG_SQLSTATE);
    int outcome = DONE;

    *found = -1;
    if (PQresultStatus(result) == PGRES_TUPLES_OK) {
        *found = -2;
        if (PQntuples(result) > 0) {
            *found = 0;
            for (const char *p = PQgetvalue(result, 0, 0);
                 *p >= '0' && *p <= '9' && *found < 1000000; p++)
                *found = *found * 10 + (*p - '0');
        }
    } else if (state == NULL || strcmp(state, "42P01") != 0) {
        outcome = fail(work, result);
    }
    PQclear(result);
    return outcome;
}

static int refuse_newer(struct work *work, int64_t found) {
    char wanted[64], is[64];
    mru_say(wanted, sizeof wanted, "at most schema %d", (int)NEWEST);
    mru_say(is, sizeof is, "schema %lld", (long long)found);
    work->status = mru_refuse(work->err, MEREAU_E_UNSUPPORTED,
                              "postgres.schema", NULL, wanted, is);
    return FAILED;
}

/* mereau_schema, with a row that says 0. A mereau_record without it is not
 * ours. */
static int create(struct work *work) {
    int64_t found;
    int outcome = look(work, "SELECT 1 FROM mereau_record LIMIT 1", &found);
    if (outcome != DONE)
        return outcome;
    if (found != -1) {
        /* Another process may have made both since we looked. */
        outcome = look(work, "SELECT version FROM mereau_schema", &found);
        if (outcome == DONE && found == -1) {
            work->status =
                mru_refuse(work->err, MEREAU_E_STORE, "postgres.schema", NULL,
                           "no table mereau_record, or one of this library",
                           "a table of that name without mereau_schema");
            return FAILED;
        }
        return outcome == DONE ? AGAIN : outcome;
    }
    return run(work, "CREATE TABLE mereau_schema("
                     "id integer PRIMARY KEY,"
                     "version integer NOT NULL,"
                     "probe bigint NOT NULL)");
}

static int upgrade(struct work *work, int64_t found) {
    char sql[96];
    int64_t now;
    int outcome = run(work, "BEGIN");
    /* One at a time, and another may have been first. */
    if (outcome == DONE)
        outcome =
            look(work, "SELECT version FROM mereau_schema FOR UPDATE", &now);
    if (outcome == DONE && now != found)
        outcome = AGAIN;
    if (outcome == DONE)
        outcome = run(work, steps[found]);
    mru_say(sql, sizeof sql, "UPDATE mereau_schema SET version=%d",
            (int)found + 1);
    if (outcome == DONE)
        outcome = run(work, sql);
    if (outcome == DONE)
        outcome = run(work, "COMMIT");
    if (PQtransactionStatus(work->conn) != PQTRANS_IDLE)
        PQclear(mru_postgres_ask(work->conn, "ROLLBACK", work->deadline));
    return outcome == DONE ? AGAIN : outcome; /* for the next step */
}

static int once(struct work *work) {
    int64_t found;
    int outcome = look(work, "SELECT version FROM mereau_schema", &found);
    if (outcome != DONE)
        return outcome;
    if (found == -1)
        outcome = create(work);
    if (outcome == DONE && found < 0)
        outcome = run(work, "INSERT INTO mereau_schema(id,version,probe)"
                            " VALUES(1,0,0)");
    if (outcome != DONE || found < 0)
        return outcome == DONE ? AGAIN : outcome;
    if (found > NEWEST)
        return refuse_newer(work, found);
    return found == NEWEST ? DONE : upgrade(work, found);
}

mereau_status mru_postgres_schema(const struct mru_postgres *store,
                                  PGconn *conn, mereau_error *err) {
    struct work work = {conn, 0, MEREAU_OK, err};
    int outcome = AGAIN;
    for (int i = 0; i < TRIES && outcome == AGAIN; i++) {
        if (i > 2 + NEWEST)
            mru_sleep_ms(50);
        work.deadline = mru_postgres_now_ms() + store->options.timeout_ms;
        outcome = once(&work);
    }
    if (outcome == AGAIN)
        return mru_refuse(err, MEREAU_E_STORE, "postgres.schema", NULL,
                          "to make the tables", "others that are at it");
    return outcome == DONE ? MEREAU_OK : work.status;
}
