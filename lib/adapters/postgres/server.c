/* lib/adapters/postgres/server.c - what the server promises: whether a commit that
 * it answered survives a power loss, and whether a pipeline is one transaction.
 * Other engines speak the protocol, too; what cannot be seen is not believed. */
#include "postgres_store.h"

static int is_on(const PGresult *row, int column) {
    return !PQgetisnull(row, 0, column) &&
           strcmp(PQgetvalue(row, 0, column), "on") == 0;
}

const char *mru_postgres_warning_of(const struct mru_postgres *store,
                                    PGconn *conn, int64_t deadline) {
    static const char sql[] =
        "SELECT version(),"
        "(SELECT setting FROM pg_settings WHERE name='fsync'),"
        "(SELECT setting FROM pg_settings WHERE name='full_page_writes'),"
        "(SELECT setting FROM pg_settings WHERE name='synchronous_commit')";
    PGresult *row = mru_postgres_ask(conn, sql, deadline);
    const char *warning = NULL, *version;

    if (PQresultStatus(row) == PGRES_TUPLES_OK && PQntuples(row) == 1) {
        version = PQgetvalue(row, 0, 0);
        if (strncmp(version, "PostgreSQL ", 11) != 0 ||
            strstr(version, "-YB-") != NULL)
            warning = (store->options.flags & MEREAU_POSTGRES_VOUCHED) != 0
                          ? ""
                          : "This server is not PostgreSQL itself: whether a "
                            "commit survives a power loss cannot be seen.";
        else if (!is_on(row, 1))
            warning = "PostgreSQL runs with fsync=off: a power loss can take "
                      "back commits and damage the database.";
        else if (!is_on(row, 2))
            warning = "PostgreSQL runs with full_page_writes=off: a power "
                      "loss can damage the database.";
        else if (PQgetisnull(row, 0, 3) ||
                 strcmp(PQgetvalue(row, 0, 3), "off") == 0)
            warning = "PostgreSQL runs with synchronous_commit=off: a power "
                      "loss can take back the last commits.";
        else
            warning = "";
    }
    PQclear(row);
    return warning;
}

/* The number that a transaction tries to change, and must not. */
static int ask_probe(PGconn *conn, int64_t deadline, char out[24]) {
    PGresult *row = mru_postgres_ask(
        conn, "SELECT CAST(probe AS text) FROM mereau_schema", deadline);
    int failed = PQresultStatus(row) != PGRES_TUPLES_OK || PQntuples(row) != 1;
    if (!failed)
        mru_say(out, 24, "%s", PQgetvalue(row, 0, 0));
    PQclear(row);
    return failed;
}

int mru_postgres_is_atomic(PGconn *conn, int64_t deadline) {
    char before[24] = "", after[24] = "";
    int seen = 0, failed = ask_probe(conn, deadline, before);

    failed = failed || !PQenterPipelineMode(conn) ||
             !PQsendQueryParams(conn, "UPDATE mereau_schema SET probe=probe+1",
                                0, NULL, NULL, NULL, NULL, 0) ||
             !PQsendQueryParams(conn,
                                "SELECT CAST('mereau: tries whether a pipeline "
                                "is undone' AS integer)",
                                0, NULL, NULL, NULL, NULL, 0) ||
             !PQpipelineSync(conn);
    while (!failed && !seen) {
        PGresult *result = mru_postgres_next(conn, deadline);
        failed = result == NULL;
        seen = PQresultStatus(result) == PGRES_PIPELINE_SYNC;
        PQclear(result);
    }
    failed =
        failed || !PQexitPipelineMode(conn) || ask_probe(conn, deadline, after);
    return failed ? -1 : strcmp(before, after) == 0;
}
