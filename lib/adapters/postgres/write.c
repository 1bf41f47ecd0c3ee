/* lib/adapters/postgres/write.c - commit: one pipeline of small statements, one
 * round trip, one transaction.
 *
 * Each statement makes its condition true for good, or fails, and with it all of
 * them: an UPDATE or DELETE that asks for a version locks the row that it met; an
 * INSERT of a record that is there is an error; CHECK locks its row FOR SHARE; PUT
 * and DELETE without a condition take the row as it is, and lock it. So when the
 * last has been answered, every key of the commit is locked in the state that it
 * has to have, and stays so until the end: it is as if all happened at that
 * instant, at READ COMMITTED as well. All commits lock keys in one order, shorter
 * ones first and then ascending, so that two seldom wait for each other in a ring;
 * the short keys are those that most commits CHECK, up to three by a statement.
 *
 * It never reports a success before the server ended the transaction with one,
 * and never calls a commit undone of which it does not know. */
#include "postgres_store.h"

enum { MANY = UINT8_MAX, CHECKS = 3 /* of one statement */ };

struct commit {
    struct mru_postgres *store;
    const mereau_need *need;
    PGconn *conn;
    int64_t deadline;
    int explicitly;
    uint8_t order[MEREAU_MAX_WRITES]; /* of the writes, as they are sent */
    size_t n_sent; /* statements */
    /* The only write of a statement; MANY: there are several, or none. */
    uint8_t write_of[2 * MEREAU_MAX_WRITES + 2];
    int may_commit; /* sent, or perhaps sent: what ends the transaction */
    int32_t result;
    size_t n_good; /* statements that succeeded */
    int synced; /* the server has ended the pipeline */
    int broken;
};

/* --- sending --- */

static int send(struct commit *commit, enum mru_postgres_sql sql,
                const struct mru_postgres_params *params, uint8_t write) {
    commit->write_of[commit->n_sent++] = write;
    return mru_postgres_send(commit->store, commit->conn, sql, params);
}

static int send_put(struct commit *commit, enum mru_postgres_sql sql,
                    const mereau_write *write, uint8_t index) {
    const mereau_need *need = commit->need;
    struct mru_postgres_params params = {0};
    mru_postgres_bytes(&params, need->partition, need->partition_len);
    mru_postgres_bytes(&params, write->record.key, write->record.key_len);
    mru_postgres_bytes(&params, write->record.value, write->record.value_len);
    mru_postgres_number(&params, write->record.version);
    mru_postgres_number(&params, (uint64_t)write->record.drop_at);
    if (sql == MRU_PG_UPDATE)
        mru_postgres_number(&params, write->expect);
    return send(commit, sql, &params, index);
}

static int send_delete(struct commit *commit, enum mru_postgres_sql sql,
                       const mereau_write *write, uint8_t index) {
    const mereau_need *need = commit->need;
    struct mru_postgres_params params = {0};
    mru_postgres_bytes(&params, need->partition, need->partition_len);
    mru_postgres_bytes(&params, write->record.key, write->record.key_len);
    if (sql == MRU_PG_DELETE)
        mru_postgres_number(&params, write->expect);
    return send(commit, sql, &params, index);
}

/* A DELETE of whatever is there, or is not: absence cannot be locked, and a
 * record that another commit makes just now is not seen. So it makes one in its
 * place, which waits for the other, and takes that away. */
static int send_remove(struct commit *commit, const mereau_write *write,
                       uint8_t index) {
    mereau_write place = *write;
    place.record.value = NULL;
    place.record.value_len = 0;
    return send_put(commit, MRU_PG_UPSERT, &place, index) &&
           send_delete(commit, MRU_PG_REMOVE, write, index);
}

static int send_write(struct commit *commit, uint8_t index) {
    const mereau_write *write = &commit->need->writes[index];
    if (write->kind == MEREAU_WRITE_PUT)
        return send_put(commit,
                        write->expect == MEREAU_VERSION_ABSENT ? MRU_PG_INSERT
                        : write->expect == MEREAU_VERSION_ANY  ? MRU_PG_UPSERT
                                                               : MRU_PG_UPDATE,
                        write, index);
    return write->expect == MEREAU_VERSION_ANY
               ? send_remove(commit, write, index)
               : send_delete(commit, MRU_PG_DELETE, write, index);
}

/* How many of the writes from this place on are CHECKs that one statement does. */
static size_t checks_at(const struct commit *commit, size_t at) {
    const mereau_need *need = commit->need;
    size_t n = 0;
    while (n < CHECKS && at + n < need->n_writes &&
           need->writes[commit->order[at + n]].kind == MEREAU_WRITE_CHECK)
        n++;
    return n;
}

static int send_checks(struct commit *commit, size_t at, size_t n) {
    static const enum mru_postgres_sql statements[CHECKS] = {
        MRU_PG_CHECK, MRU_PG_CHECK_2, MRU_PG_CHECK_3};
    const mereau_need *need = commit->need;
    struct mru_postgres_params params = {0};
    mru_postgres_bytes(&params, need->partition, need->partition_len);
    for (size_t i = at; i < at + n; i++) {
        const mereau_write *write = &need->writes[commit->order[i]];
        mru_postgres_bytes(&params, write->record.key, write->record.key_len);
        mru_postgres_number(&params, write->expect);
    }
    return send(commit, statements[n - 1], &params,
                n == 1 ? commit->order[at] : (uint8_t)MANY);
}

/* They come in ascending order, which keys of one length keep. */
static void put_in_order(struct commit *commit) {
    const mereau_write *writes = commit->need->writes;
    for (size_t i = 0; i < commit->need->n_writes; i++) {
        size_t at = i;
        for (; at > 0 && writes[commit->order[at - 1]].record.key_len >
                             writes[i].record.key_len;
             at--)
            commit->order[at] = commit->order[at - 1];
        commit->order[at] = (uint8_t)i;
    }
}

static int send_all(struct commit *commit) {
    static const struct mru_postgres_params none = {0};
    const mereau_need *need = commit->need;
    if (!PQenterPipelineMode(commit->conn))
        return 0;
    if (commit->explicitly && !send(commit, MRU_PG_BEGIN, &none, MANY))
        return 0;
    put_in_order(commit);
    for (size_t i = 0; i < need->n_writes;) {
        size_t checks = checks_at(commit, i);
        if (!(checks > 0 ? send_checks(commit, i, checks)
                         : send_write(commit, commit->order[i])))
            return 0;
        i += checks > 0 ? checks : 1;
    }
    commit->may_commit = 1;
    if (commit->explicitly && !send(commit, MRU_PG_COMMIT, &none, MANY))
        return 0;
    return PQpipelineSync(commit->conn);
}

/* --- receiving --- */

static void note_error(struct commit *commit, const PGresult *result,
                       size_t *failed) {
    struct mru_postgres_verdict verdict = mru_postgres_judge(result);
    if (commit->result != MEREAU_STORE_OK)
        return; /* the first one says why */
    commit->result = verdict.result;
    commit->broken |= verdict.broken;
    if (verdict.forgotten)
        mru_postgres_forget(commit->conn);
    if (verdict.result == MEREAU_STORE_CONFLICT && failed != NULL &&
        commit->n_good < commit->n_sent &&
        commit->write_of[commit->n_good] != MANY)
        *failed = commit->write_of[commit->n_good];
}

static void note(struct commit *commit, const PGresult *result,
                 size_t *failed) {
    switch (PQresultStatus(result)) {
    case PGRES_COMMAND_OK:
    case PGRES_TUPLES_OK:
        commit->n_good++;
        /* COMMIT of a transaction that had failed is answered so. */
        if (strcmp(PQcmdStatus((PGresult *)result), "ROLLBACK") == 0)
            commit->result = MEREAU_STORE_CONFLICT;
        break;
    case PGRES_PIPELINE_SYNC:
        commit->synced = 1;
        break;
    case PGRES_PIPELINE_ABORTED:
        break;
    default:
        note_error(commit, result, failed);
    }
}

/* Reads until the server has ended the pipeline, or says nothing more. */
static void receive(struct commit *commit, size_t *failed) {
    PGresult *result;
    while (!commit->synced && (result = mru_postgres_next(
                                   commit->conn, commit->deadline)) != NULL) {
        note(commit, result, failed);
        PQclear(result);
    }
    commit->broken |= !commit->synced;
    /* An error of the server undid all, whether or not the end was heard. Without
     * one, and without the end of a pipeline that succeeded, nobody knows. */
    if (commit->result == MEREAU_STORE_OK &&
        (!commit->synced || commit->n_good != commit->n_sent))
        commit->result = MEREAU_STORE_UNKNOWN;
}

/* Leaves the connection as it was taken. */
static void leave(struct commit *commit) {
    PGresult *result;
    if (commit->broken)
        return;
    commit->broken = !PQexitPipelineMode(commit->conn);
    if (commit->broken || PQtransactionStatus(commit->conn) != PQTRANS_INERROR)
        return;
    result = mru_postgres_ask(commit->conn, "ROLLBACK", commit->deadline);
    commit->broken = PQresultStatus(result) != PGRES_COMMAND_OK;
    PQclear(result);
}

/* --- the callback --- */

int32_t mru_postgres_commit(void *user, const mereau_need *need,
                            size_t *failed) {
    struct mru_postgres *store = user;
    struct commit commit = {.store = store, .need = need};
    int32_t result;

    if (store->process != mru_process_id())
        return MEREAU_STORE_IO; /* a fork: the parent's sockets are not ours */
    result = mru_writes_allowed(need);
    if (result == MEREAU_STORE_OK)
        result = mru_postgres_take(store, &commit.conn);
    if (result != MEREAU_STORE_OK)
        return result;
    commit.explicitly = (store->options.flags & MEREAU_POSTGRES_EXPLICIT) != 0;
    commit.deadline = mru_postgres_now_ms() + store->options.timeout_ms;
    if (send_all(&commit)) {
        receive(&commit, failed);
        leave(&commit);
    } else {
        /* Without its end the server undoes what it has been sent. */
        commit.result =
            commit.may_commit ? MEREAU_STORE_UNKNOWN : MEREAU_STORE_BUSY;
        commit.broken = 1;
    }
    mru_postgres_give(store, commit.conn, commit.broken);
    return commit.result;
}
