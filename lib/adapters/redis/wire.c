/* lib/adapters/redis/wire.c - commands out, replies in, and what a failure
 * means.
 *
 * A command that was not sent to its last byte is never run: BUSY. From there
 * on only a reply tells. Replies are read by hiredis; commands are written
 * here, so that a password can be wiped and no signal is raised. */
#include "redis_store.h"

/* --- commands --- */

/* As text; at most 20 digits. Returns how many. */
static size_t print_number(char out[20], uint64_t number) {
    char digits[20];
    size_t n = 0;
    do
        digits[n++] = (char)('0' + number % 10);
    while ((number /= 10) != 0);
    for (size_t i = 0; i < n; i++)
        out[i] = digits[n - 1 - i];
    return n;
}

static void add_count(struct mru_buf *buf, char mark, size_t n) {
    char text[23];
    size_t len = 1 + print_number(text + 1, n);
    text[0] = mark;
    text[len++] = '\r';
    text[len++] = '\n';
    mru_buf_add(buf, text, len);
}

void mru_redis_command(struct mru_redis_conn *conn, size_t n) {
    add_count(&conn->out, '*', n);
}

void mru_redis_arg(struct mru_redis_conn *conn, const void *data, size_t len) {
    add_count(&conn->out, '$', len);
    mru_buf_add(&conn->out, data, len);
    mru_buf_add(&conn->out, "\r\n", 2);
}

void mru_redis_arg_text(struct mru_redis_conn *conn, const char *text) {
    mru_redis_arg(conn, text, strlen(text));
}

void mru_redis_arg_pair(struct mru_redis_conn *conn, const struct mru_buf *stem,
                        const void *data, size_t len) {
    add_count(&conn->out, '$', stem->len + len);
    mru_buf_add(&conn->out, stem->data, stem->len);
    mru_buf_add(&conn->out, data, len);
    mru_buf_add(&conn->out, "\r\n", 2);
}

void mru_redis_arg_record(struct mru_redis_conn *conn,
                          const struct mru_buf *stem, const void *key,
                          size_t len) {
    add_count(&conn->out, '$', stem->len + 1 + len);
    mru_buf_add(&conn->out, stem->data, stem->len);
    mru_buf_add_byte(&conn->out, 'r');
    mru_buf_add(&conn->out, key, len);
    mru_buf_add(&conn->out, "\r\n", 2);
}

void mru_redis_arg_number(struct mru_redis_conn *conn, uint64_t number) {
    char text[20];
    mru_redis_arg(conn, text, print_number(text, number));
}

/* --- replies --- */

int mru_redis_says(const redisReply *reply, const char *word) {
    size_t len = strlen(word);
    return reply != NULL && reply->type == REDIS_REPLY_ERROR &&
           reply->len >= len && memcmp(reply->str, word, len) == 0 &&
           (reply->len == len || reply->str[len] == ' ');
}

/* What the store answers to a server's refusal. Known ones come before anything
 * is applied; of others that is not known. */
static int32_t result_of_error(const redisReply *reply) {
    static const struct {
        const char *word;
        int32_t result;
    } table[] = {
        {"OOM", MEREAU_STORE_LIMIT},
        /* Starting, failing over, not the primary (any more), out of reach of
         * its replicas, unable to save, or kept from working by a script. */
        {"LOADING", MEREAU_STORE_BUSY},
        {"READONLY", MEREAU_STORE_BUSY},
        {"MASTERDOWN", MEREAU_STORE_BUSY},
        {"CLUSTERDOWN", MEREAU_STORE_BUSY},
        {"NOREPLICAS", MEREAU_STORE_BUSY},
        {"MISCONF", MEREAU_STORE_BUSY},
        {"BUSY", MEREAU_STORE_BUSY},
        /* The slot is another node's, for good or for now: the host's pool is
         * to give that node's connection next time. */
        {"MOVED", MEREAU_STORE_BUSY},
        {"ASK", MEREAU_STORE_BUSY},
        {"TRYAGAIN", MEREAU_STORE_BUSY},
        {"NOSCRIPT", MEREAU_STORE_BUSY},
        {"WRONGTYPE", MEREAU_STORE_IO},
        {"CROSSSLOT", MEREAU_STORE_IO},
        {"NOPERM", MEREAU_STORE_IO},
        {"NOAUTH", MEREAU_STORE_IO},
        {"WRONGPASS", MEREAU_STORE_IO},
        {"MEREAU", MEREAU_STORE_IO},
    };
    for (size_t i = 0; i < sizeof table / sizeof *table; i++)
        if (mru_redis_says(reply, table[i].word))
            return table[i].result;
    return MEREAU_STORE_UNKNOWN;
}

/* 0, or -1: the last byte was not sent, so it is not run. */
static int send_all(struct mru_redis_conn *conn) {
    int result = 0, done = 0;

    if (!conn->hosts)
        return mru_redis_send(conn->ctx->fd, conn->out.data, conn->out.len);
    /* The host's may be encrypted: hiredis knows how. */
    if (redisAppendFormattedCommand(conn->ctx, (const char *)conn->out.data,
                                    conn->out.len) != REDIS_OK)
        return -1;
    while (result == 0 && !done)
        result = redisBufferWrite(conn->ctx, &done) == REDIS_OK ? 0 : -1;
    return result;
}

/* The n-th reply from here, or NULL. */
static redisReply *read_reply(struct mru_redis_conn *conn, size_t n) {
    void *reply = NULL;

    while (n-- > 0) {
        freeReplyObject(reply);
        reply = NULL;
        if (redisGetReply(conn->ctx, &reply) != REDIS_OK || reply == NULL)
            return NULL;
    }
    return reply;
}

struct mru_redis_answer mru_redis_ask(struct mru_redis_conn *conn, size_t n) {
    struct mru_redis_answer answer = {NULL, MEREAU_STORE_BUSY, 0};

    if (conn->out.failed) {
        mru_buf_free(&conn->out);
        conn->out.failed = 0;
        return answer; /* no memory; nothing was sent */
    }
    if (send_all(conn) != 0) {
        answer.broken = 1; /* half of a command may be under way */
    } else if ((answer.reply = read_reply(conn, n)) == NULL) {
        answer.broken = 1;
        answer.result = MEREAU_STORE_UNKNOWN;
    } else {
        answer.result = answer.reply->type == REDIS_REPLY_ERROR
                            ? result_of_error(answer.reply)
                            : MEREAU_STORE_OK;
        /* What is not the primary now is not asked again. */
        answer.broken = mru_redis_says(answer.reply, "READONLY") ||
                        mru_redis_says(answer.reply, "MOVED") ||
                        mru_redis_says(answer.reply, "NOAUTH");
    }
    conn->out.len = 0;
    return answer;
}

/* --- scripts --- */

/* "EVALSHA" and the digest, or "EVAL" and the text, are the first two
 * arguments; what follows is the same. */
void mru_redis_call(struct mru_redis_conn *conn,
                    const struct mru_redis_script *script, size_t n_keys,
                    size_t n_args) {
    mru_redis_command(conn, 3 + n_keys + n_args);
    mru_redis_arg_text(conn, "EVALSHA");
    mru_redis_arg_text(conn, script->sha1);
    mru_redis_arg_number(conn, n_keys);
}

/* Rewrites an EVALSHA in conn->out of `len` bytes as EVAL. */
static void say_in_full(struct mru_redis_conn *conn,
                        const struct mru_redis_script *script, size_t len) {
    struct mru_buf sent = conn->out;
    /* the first line; $7 EVALSHA; $40 and the digest */
    const char *line = memchr(sent.data, '\n', len);
    size_t begin = (size_t)((const uint8_t *)line - sent.data) + 1;
    size_t rest = begin + sizeof "$7\r\nEVALSHA\r\n" - 1 + sizeof "$40\r\n" -
                  1 + MRU_REDIS_SHA + 2;

    memset(&conn->out, 0, sizeof conn->out);
    mru_buf_add(&conn->out, sent.data, begin);
    mru_redis_arg_text(conn, "EVAL");
    mru_redis_arg_text(conn, script->text);
    mru_buf_add(&conn->out, sent.data + rest, len - rest);
    mru_buf_free(&sent);
}

struct mru_redis_answer mru_redis_run(struct mru_redis_conn *conn,
                                      const struct mru_redis_script *script) {
    size_t len = conn->out.len;
    struct mru_redis_answer answer = mru_redis_ask(conn, 1);

    if (!mru_redis_says(answer.reply, "NOSCRIPT"))
        return answer;
    freeReplyObject(answer.reply);
    say_in_full(conn, script, len);
    return mru_redis_ask(conn, 1);
}
