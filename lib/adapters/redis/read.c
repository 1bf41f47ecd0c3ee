/* lib/adapters/redis/read.c - get and scan. A get is one transaction, or one
 * script, so one instant. A scan is pages of the index, each followed by a get of
 * what it names; an entry whose record has expired is passed over, and taken out.
 */
#include "redis_store.h"

enum { PAGE = 64 };

/* A read applies nothing, so a lost reply is no more than that. */
static int32_t result_of_read(const struct mru_redis_answer *answer) {
    if (answer->result != MEREAU_STORE_UNKNOWN)
        return answer->result;
    return answer->reply != NULL ? MEREAU_STORE_IO : MEREAU_STORE_BUSY;
}

/* 0, or -1: not of a form that we wrote. */
static int read_record(const redisReply *reply, const mereau_slice *key,
                       mereau_record *record) {
    const uint8_t *data = (const uint8_t *)reply->str;
    uint64_t drop_at;

    if (reply->type != REDIS_REPLY_STRING || reply->len < MRU_REDIS_HEAD ||
        data[0] != MRU_REDIS_FORMAT)
        return -1;
    memset(record, 0, sizeof *record);
    record->key = key->data;
    record->key_len = key->len;
    record->version = mru_get_u64(data + 1);
    drop_at = mru_get_u64(data + MRU_REDIS_VERSION_LEN);
    memcpy(&record->drop_at, &drop_at, sizeof drop_at);
    record->value = data + MRU_REDIS_HEAD;
    record->value_len = reply->len - MRU_REDIS_HEAD;
    return 0;
}

static void add_keys(struct mru_redis_conn *conn, const struct mru_buf *stem,
                     const mereau_slice *keys, size_t n) {
    for (size_t i = 0; i < n; i++)
        mru_redis_arg_record(conn, stem, keys[i].data, keys[i].len);
}

/* The records out of the reply to EXEC, or NULL: the script is to say why. Of
 * what is there MGET must have given all: it passes over what is of another
 * type. */
static redisReply *take_records(redisReply *reply, size_t n) {
    redisReply *records;
    size_t found = 0;

    if (reply->type != REDIS_REPLY_ARRAY || reply->elements != 3)
        return NULL;
    records = reply->element[1];
    if (reply->element[0]->type != REDIS_REPLY_INTEGER ||
        records->type != REDIS_REPLY_ARRAY || records->elements != n)
        return NULL;
    for (size_t i = 0; i < n; i++)
        found += records->element[i]->type != REDIS_REPLY_NIL;
    if (reply->element[2]->type != REDIS_REPLY_INTEGER ||
        reply->element[2]->integer != (long long)found)
        return NULL;
    reply->element[1] = NULL;
    return records;
}

/* A server that knows MULTI but not EXEC leaves the transaction open. */
static struct mru_redis_answer discard(struct mru_redis_conn *conn) {
    struct mru_redis_answer answer;

    mru_redis_command(conn, 1);
    mru_redis_arg_text(conn, "DISCARD");
    answer = mru_redis_ask(conn, 1);
    freeReplyObject(answer.reply);
    answer.reply = NULL;
    return answer;
}

/* What the script does, in half of the server's time, and without a reply when
 * that is for the script to say. A server that refuses any of it, as it does when
 * its memory is full, ends the transaction; so the reply to EXEC is the only one
 * that counts. */
static struct mru_redis_answer ask_at_once(struct mru_redis_conn *conn,
                                           const struct mru_buf *stem,
                                           const mereau_slice *keys, size_t n) {
    struct mru_redis_answer answer;
    redisReply *reply;

    mru_redis_command(conn, 1);
    mru_redis_arg_text(conn, "MULTI");
    mru_redis_command(conn, 2);
    mru_redis_arg_text(conn, "DEL");
    mru_redis_arg_pair(conn, stem, "w", 1);
    mru_redis_command(conn, 1 + n);
    mru_redis_arg_text(conn, "MGET");
    add_keys(conn, stem, keys, n);
    mru_redis_command(conn, 1 + n);
    mru_redis_arg_text(conn, "EXISTS");
    add_keys(conn, stem, keys, n);
    mru_redis_command(conn, 1);
    mru_redis_arg_text(conn, "EXEC");
    answer = mru_redis_ask(conn, 5);
    reply = answer.reply;
    if (reply == NULL)
        return answer;
    answer.reply = take_records(reply, n);
    if (reply->type == REDIS_REPLY_ERROR && !mru_redis_says(reply, "EXECABORT"))
        answer = discard(conn);
    freeReplyObject(reply);
    return answer;
}

/* The reply has one element for each key, or the result is not OK. */
static struct mru_redis_answer ask_records(struct mru_redis_conn *conn,
                                           const struct mru_buf *stem,
                                           const mereau_slice *keys, size_t n) {
    struct mru_redis_answer answer = {NULL, MEREAU_STORE_OK, 0};

    if (conn->quiet_exec && n > 0)
        answer = ask_at_once(conn, stem, keys, n);
    if (answer.reply == NULL && !answer.broken) {
        mru_redis_call(conn, &mru_redis_read, n + 1, 0);
        mru_redis_arg_pair(conn, stem, "w", 1);
        add_keys(conn, stem, keys, n);
        answer = mru_redis_run(conn, &mru_redis_read);
    }
    answer.result = result_of_read(&answer);
    if (answer.result == MEREAU_STORE_OK &&
        (answer.reply->type != REDIS_REPLY_ARRAY ||
         answer.reply->elements != n)) {
        answer.result = MEREAU_STORE_IO;
        answer.broken = 1; /* not a reply to what was asked */
    }
    return answer;
}

/* --- get --- */

static int32_t get_all(struct mru_redis_conn *conn, const struct mru_buf *stem,
                       const mereau_need *need, mereau_emit emit, void *arg,
                       int *broken) {
    struct mru_redis_answer answer =
        ask_records(conn, stem, need->keys, need->n_keys);
    int32_t result = answer.result;

    for (size_t i = 0; i < need->n_keys && result == MEREAU_STORE_OK; i++) {
        const redisReply *one = answer.reply->element[i];
        mereau_record record;
        if (one->type == REDIS_REPLY_NIL)
            result = emit(arg, i, NULL) != 0 ? MEREAU_STORE_STOPPED : result;
        else if (read_record(one, &need->keys[i], &record) != 0)
            result = MEREAU_STORE_IO;
        else
            result = emit(arg, i, &record) != 0 ? MEREAU_STORE_STOPPED : result;
    }
    freeReplyObject(answer.reply);
    *broken = answer.broken;
    return result;
}

/* --- scan --- */

struct scan {
    struct mru_redis_conn *conn;
    const struct mru_buf *stem;
    const mereau_need *need;
    mereau_emit emit;
    void *arg;
    size_t emitted;
    struct mru_buf from; /* the next page's, in Redis's form */
    int broken;
};

/* The keys of one page, at most n. They live in *reply. */
static int32_t ask_range(struct scan *scan, size_t n, mereau_slice *keys,
                         size_t *found, redisReply **reply) {
    const mereau_need *need = scan->need;
    struct mru_redis_answer answer;

    mru_redis_call(scan->conn, &mru_redis_range, 2, 3);
    mru_redis_arg_pair(scan->conn, scan->stem, "w", 1);
    mru_redis_arg_pair(scan->conn, scan->stem, "i", 1);
    mru_redis_arg(scan->conn, scan->from.data, scan->from.len);
    if (need->to_len > 0) {
        struct mru_buf bound = {(uint8_t *)"(", 1, 1, 0};
        mru_redis_arg_pair(scan->conn, &bound, need->to, need->to_len);
    } else {
        mru_redis_arg_text(scan->conn, "+");
    }
    mru_redis_arg_number(scan->conn, n);
    answer = mru_redis_run(scan->conn, &mru_redis_range);
    *reply = answer.reply;
    scan->broken = answer.broken;
    answer.result = result_of_read(&answer);
    if (answer.result != MEREAU_STORE_OK)
        return answer.result;
    if (answer.reply->type != REDIS_REPLY_ARRAY || answer.reply->elements > n)
        return MEREAU_STORE_IO;
    *found = answer.reply->elements;
    for (size_t i = 0; i < *found; i++) {
        const redisReply *one = answer.reply->element[i];
        if (one->type != REDIS_REPLY_STRING || one->len == 0)
            return MEREAU_STORE_IO;
        keys[i].data = (const uint8_t *)one->str;
        keys[i].len = one->len;
    }
    return MEREAU_STORE_OK;
}

/* Takes entries without a record out of the index. What comes of it does not
 * matter to the scan: they are passed over again. */
static void tidy(struct scan *scan, const mereau_slice *keys, size_t n) {
    struct mru_redis_answer answer;

    mru_redis_call(scan->conn, &mru_redis_tidy, n + 1, n);
    mru_redis_arg_pair(scan->conn, scan->stem, "i", 1);
    for (size_t i = 0; i < n; i++)
        mru_redis_arg_record(scan->conn, scan->stem, keys[i].data, keys[i].len);
    for (size_t i = 0; i < n; i++)
        mru_redis_arg(scan->conn, keys[i].data, keys[i].len);
    answer = mru_redis_run(scan->conn, &mru_redis_tidy);
    scan->broken = answer.broken;
    freeReplyObject(answer.reply);
}

static int32_t emit_page(struct scan *scan, const mereau_slice *keys,
                         size_t n) {
    struct mru_redis_answer answer =
        ask_records(scan->conn, scan->stem, keys, n);
    mereau_slice gone[PAGE];
    size_t n_gone = 0;
    int32_t result = answer.result;

    scan->broken = answer.broken;
    for (size_t i = 0; i < n && result == MEREAU_STORE_OK; i++) {
        const redisReply *one = answer.reply->element[i];
        mereau_record record;
        if (one->type == REDIS_REPLY_NIL)
            gone[n_gone++] = keys[i];
        else if (read_record(one, &keys[i], &record) != 0)
            result = MEREAU_STORE_IO;
        else if (scan->emit(scan->arg, scan->emitted++, &record) != 0)
            result = MEREAU_STORE_STOPPED;
    }
    freeReplyObject(answer.reply);
    if (n_gone > 0 && !scan->broken)
        tidy(scan, gone, n_gone);
    return result;
}

static int32_t scan_all(struct scan *scan) {
    mereau_slice keys[PAGE];
    int32_t result = MEREAU_STORE_OK;
    int more = 1;

    mru_buf_add_text(&scan->from, scan->need->from_len > 0 ? "[" : "-");
    mru_buf_add(&scan->from, scan->need->from, scan->need->from_len);
    while (more && result == MEREAU_STORE_OK &&
           scan->emitted < scan->need->limit) {
        size_t left = scan->need->limit - scan->emitted, found = 0;
        size_t n = left < PAGE ? left : PAGE;
        redisReply *reply = NULL;
        if (scan->from.failed)
            return MEREAU_STORE_BUSY;
        result = ask_range(scan, n, keys, &found, &reply);
        if (result == MEREAU_STORE_OK && found > 0) {
            result = emit_page(scan, keys, found);
            scan->from.len = 0;
            mru_buf_add_text(&scan->from, "(");
            mru_buf_add(&scan->from, keys[found - 1].data, keys[found - 1].len);
        }
        freeReplyObject(reply);
        more = found == n && !scan->broken;
    }
    /* A page that the tidying lost leaves the scan without its end. */
    if (result == MEREAU_STORE_OK && scan->broken)
        result = MEREAU_STORE_BUSY;
    return result;
}

/* --- the callbacks --- */

int32_t mru_redis_get(void *user, const mereau_need *need, mereau_emit emit,
                      void *arg) {
    struct mru_redis *store = user;
    struct mru_redis_conn *conn = NULL;
    struct mru_buf stem = {0};
    int32_t result = MEREAU_STORE_BUSY;
    int broken = 0;

    if (store->process != mru_process_id())
        return MEREAU_STORE_IO; /* a fork: the parent's connections are not
                                   ours */
    mru_redis_stem(&stem, store, need);
    if (!stem.failed && mru_redis_take(store, mru_redis_slot(&stem), &conn,
                                       NULL) == MEREAU_OK) {
        result = get_all(conn, &stem, need, emit, arg, &broken);
        mru_redis_give(store, conn, broken);
    }
    mru_buf_free(&stem);
    return result;
}

int32_t mru_redis_scan(void *user, const mereau_need *need, mereau_emit emit,
                       void *arg) {
    struct mru_redis *store = user;
    struct mru_buf stem = {0};
    struct scan scan = {NULL, &stem, need, emit, arg, 0, {0}, 0};
    int32_t result = MEREAU_STORE_BUSY;

    if (store->process != mru_process_id())
        return MEREAU_STORE_IO;
    mru_redis_stem(&stem, store, need);
    if (!stem.failed && mru_redis_take(store, mru_redis_slot(&stem), &scan.conn,
                                       NULL) == MEREAU_OK) {
        result = scan_all(&scan);
        mru_redis_give(store, scan.conn, scan.broken);
    }
    mru_buf_free(&scan.from);
    mru_buf_free(&stem);
    return result;
}
