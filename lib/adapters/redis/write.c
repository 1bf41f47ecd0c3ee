/* lib/adapters/redis/write.c - commit: one script, at one instant. It is asked
 * once; a reply that does not come is UNKNOWN. */
#include "redis_store.h"

/* Later than the year 9999 is never; so nothing overflows, here or there. */
#define LATEST INT64_C(253402300800)

static int expires(const mereau_record *record) {
    return record->drop_at > 0 && record->drop_at < LATEST;
}

/* Two letters for each write, as the script knows them. */
static void add_letters(struct mru_redis_conn *conn, const mereau_need *need) {
    char letters[2 * MEREAU_MAX_WRITES], *at = letters;

    for (size_t i = 0; i < need->n_writes; i++) {
        const mereau_write *write = &need->writes[i];
        *at++ = write->kind == MEREAU_WRITE_DELETE ? 'D'
                : write->kind != MEREAU_WRITE_PUT  ? 'C'
                : expires(&write->record)          ? 'E'
                                                   : 'P';
        *at++ = write->expect == MEREAU_VERSION_ABSENT ? '-'
                : write->expect == MEREAU_VERSION_ANY  ? '*'
                                                       : '=';
    }
    mru_redis_arg(conn, letters, 2 * need->n_writes);
}

static int has_version(const mereau_write *write) {
    return write->expect != MEREAU_VERSION_ABSENT &&
           write->expect != MEREAU_VERSION_ANY;
}

/* The first bytes of the record that is expected. */
static void add_version(struct mru_redis_conn *conn, uint64_t version) {
    uint8_t text[MRU_REDIS_VERSION_LEN];
    text[0] = MRU_REDIS_FORMAT;
    mru_put_u64(text + 1, version);
    mru_redis_arg(conn, text, sizeof text);
}

static void add_record(struct mru_redis_conn *conn, const mereau_record *record,
                       uint32_t keep_longer_s) {
    uint8_t head[MRU_REDIS_HEAD];
    struct mru_buf first = {head, sizeof head, sizeof head, 0};
    uint64_t drop_at;

    memcpy(&drop_at, &record->drop_at, sizeof drop_at);
    head[0] = MRU_REDIS_FORMAT;
    mru_put_u64(head + 1, record->version);
    mru_put_u64(head + MRU_REDIS_VERSION_LEN, drop_at);
    mru_redis_arg_pair(conn, &first, record->value, record->value_len);
    if (expires(record))
        mru_redis_arg_number(conn, (drop_at + keep_longer_s) * 1000);
}

/* How many arguments a write has after the letters. */
static size_t count_of(const mereau_write *write) {
    size_t n = (size_t)has_version(write);
    if (write->kind == MEREAU_WRITE_PUT)
        n += 1 + (size_t)expires(&write->record);
    return n;
}

static void add_call(struct mru_redis_conn *conn, const struct mru_buf *stem,
                     const mereau_need *need, uint32_t keep_longer_s) {
    size_t n_args = 1;

    for (size_t i = 0; i < need->n_writes; i++)
        n_args += count_of(&need->writes[i]);
    mru_redis_call(conn, &mru_redis_write, 2 + need->n_writes, n_args);
    mru_redis_arg_pair(conn, stem, "w", 1);
    mru_redis_arg_pair(conn, stem, "i", 1);
    for (size_t i = 0; i < need->n_writes; i++)
        mru_redis_arg_record(conn, stem, need->writes[i].record.key,
                             need->writes[i].record.key_len);
    add_letters(conn, need);
    for (size_t i = 0; i < need->n_writes; i++) {
        const mereau_write *write = &need->writes[i];
        if (has_version(write))
            add_version(conn, write->expect);
        if (write->kind == MEREAU_WRITE_PUT)
            add_record(conn, &write->record, keep_longer_s);
    }
}

/* 0: applied; else the number of the write whose condition does not hold. */
static int32_t judge(struct mru_redis_answer *answer, size_t n_writes,
                     size_t *failed) {
    const redisReply *reply = answer->reply;

    if (answer->result != MEREAU_STORE_OK)
        return answer->result;
    if (reply->type == REDIS_REPLY_INTEGER && reply->integer == 0)
        return MEREAU_STORE_OK;
    if (reply->type == REDIS_REPLY_INTEGER && reply->integer > 0 &&
        (unsigned long long)reply->integer <= n_writes) {
        if (failed != NULL)
            *failed = (size_t)reply->integer - 1;
        return MEREAU_STORE_CONFLICT;
    }
    answer->broken = 1; /* not a reply to what was asked */
    return MEREAU_STORE_UNKNOWN;
}

int32_t mru_redis_commit(void *user, const mereau_need *need, size_t *failed) {
    struct mru_redis *store = user;
    struct mru_redis_conn *conn = NULL;
    struct mru_redis_answer answer;
    struct mru_buf stem = {0};
    int32_t result;

    if (store->process != mru_process_id())
        return MEREAU_STORE_IO; /* a fork: the parent's connections are not
                                   ours */
    result = mru_writes_allowed(need);
    if (result != MEREAU_STORE_OK || need->n_writes == 0)
        return result;
    result = MEREAU_STORE_BUSY;
    mru_redis_stem(&stem, store, need);
    if (!stem.failed && mru_redis_take(store, mru_redis_slot(&stem), &conn,
                                       NULL) == MEREAU_OK) {
        add_call(conn, &stem, need, store->set.keep_longer_s);
        answer = mru_redis_run(conn, &mru_redis_write);
        result = judge(&answer, need->n_writes, failed);
        freeReplyObject(answer.reply);
        mru_redis_give(store, conn, answer.broken);
    }
    mru_buf_free(&stem);
    return result;
}
