/* lib/adapters/redis/redis_store.h - inside of the Redis store.
 *
 * Keys of one partition, all with the partition as hash tag (keys.c):
 *   prefix:{partition}:r<key>  a record: format, version, drop_at, value
 *   prefix:{partition}:i       sorted set of the records' keys, scores all 0, for
 *                              scan; may name records that are gone, never lacks
 *                              one that is there
 *   prefix:{partition}:w       never there: DELeted to ask whether this server
 *                              may be written to (script.c, read.c)
 *
 * A call takes a connection, builds its commands in that connection's buffer,
 * sends them, and judges the replies (wire.c). Nothing here survives a fork:
 * two processes on one connection would read each other's replies. */
#ifndef MRU_REDIS_STORE_H
#define MRU_REDIS_STORE_H

#include <pthread.h>

/* Functions in its headers convert as they like. */
#if defined(__GNUC__)
#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wconversion"
#pragma GCC diagnostic ignored "-Wsign-conversion"
#endif
#include <hiredis.h>
#if defined(__GNUC__)
#pragma GCC diagnostic pop
#endif

#include <mereau/redis.h>

#include "../../base/need.h"
#include "../../port/port.h"

/* --- script.c --- */

enum { MRU_REDIS_SHA = 40 }; /* hexadecimal digits */

struct mru_redis_script {
    const char *text;
    char sha1[MRU_REDIS_SHA + 1];
};
extern const struct mru_redis_script mru_redis_read;
extern const struct mru_redis_script mru_redis_range;
extern const struct mru_redis_script mru_redis_tidy;
extern const struct mru_redis_script mru_redis_write;

/* The stored form of a record: format, version and drop_at, big-endian, value.
 * The scripts know the first nine bytes. */
enum { MRU_REDIS_FORMAT = 1, MRU_REDIS_VERSION_LEN = 9, MRU_REDIS_HEAD = 17 };

/* --- the store --- */

/* What a server is like; from look.c. */
struct mru_redis_facts {
    int durable;
    int quiet_exec; /* transactions that change nothing are not logged */
    char warning[512];
};

struct mru_redis_conn {
    struct mru_redis_conn *next;
    redisContext *ctx;
    int hosts; /* the context is the host's: taken and given back */
    int quiet_exec; /* as in the facts */
    struct mru_buf out; /* commands to be sent */
};

struct mru_redis {
    mereau_store table; /* first: what the caller holds */
    mereau_redis_settings set; /* with texts of our own */
    struct mru_redis_facts facts;
    uint64_t process;
    pthread_mutex_t lock; /* guards all that follows */
    pthread_cond_t given;
    struct mru_redis_conn *idle;
    uint32_t n_open; /* idle ones, and those in use */
};

/* --- keys.c --- */

/* The beginning of all keys of a partition, "prefix:{partition}:", injective
 * and with no other braces whatever the partition holds. buf.failed without
 * memory. */
void mru_redis_stem(struct mru_buf *buf, const struct mru_redis *store,
                    const mereau_need *need);
/* The hash slot of the keys of a partition, as Redis Cluster reckons it. */
uint32_t mru_redis_slot(const struct mru_buf *stem);

/* --- socket.c --- */

/* A connected socket, with timeouts, closed at exec. -1: *why says why. */
int mru_redis_socket(const mereau_redis_settings *set, const char **why);
/* 1 when nothing can be sent on it any more, or what comes is not asked for. */
int mru_redis_is_stale(int fd);
/* 0, or -1: not all of it was sent. Never raises a signal. */
int mru_redis_send(int fd, const uint8_t *data, size_t len);

/* --- conn.c --- */

/* A connection, the store's or the host's; and back. MEREAU_OK, or why there is
 * none, explained in *err, which may be NULL; to get, commit and scan all of
 * that is BUSY. */
mereau_status mru_redis_take(struct mru_redis *store, uint32_t slot,
                             struct mru_redis_conn **out, mereau_error *err);
void mru_redis_give(struct mru_redis *store, struct mru_redis_conn *conn,
                    int broken);
/* Closes what is idle. */
void mru_redis_drain(struct mru_redis *store);

/* --- look.c --- */

/* Asks a server what it is like, and refuses one that cannot be a store. */
mereau_status mru_redis_look(struct mru_redis_conn *conn,
                             struct mru_redis_facts *facts, mereau_error *err);

/* --- wire.c --- */

/* Begins a command of n arguments in conn->out; then each of them. */
void mru_redis_command(struct mru_redis_conn *conn, size_t n);
void mru_redis_arg(struct mru_redis_conn *conn, const void *data, size_t len);
void mru_redis_arg_text(struct mru_redis_conn *conn, const char *text);
/* An argument of two parts. */
void mru_redis_arg_pair(struct mru_redis_conn *conn, const struct mru_buf *stem,
                        const void *data, size_t len);
/* The name of a record: stem, 'r', its key. */
void mru_redis_arg_record(struct mru_redis_conn *conn,
                          const struct mru_buf *stem, const void *key,
                          size_t len);
void mru_redis_arg_number(struct mru_redis_conn *conn, uint64_t number);

/* What became of a command. */
struct mru_redis_answer {
    redisReply *reply; /* NULL: there is none; freed by the caller */
    int32_t result; /* STORE_OK, or for a server's refusal or a failure what
                          the store answers; nothing was applied, save UNKNOWN */
    int broken; /* the connection is of no more use */
};
/* Sends conn->out, n commands, which is emptied, and waits for the replies. The
 * answer is that to the last one. */
struct mru_redis_answer mru_redis_ask(struct mru_redis_conn *conn, size_t n);
/* Begins EVALSHA with n_keys keys and n_args arguments. */
void mru_redis_call(struct mru_redis_conn *conn,
                    const struct mru_redis_script *script, size_t n_keys,
                    size_t n_args);
/* Sends a call; again as EVAL when the server does not know the script. */
struct mru_redis_answer mru_redis_run(struct mru_redis_conn *conn,
                                      const struct mru_redis_script *script);
/* 1 when the reply is an error that begins with this word. */
int mru_redis_says(const redisReply *reply, const char *word);

/* --- read.c, write.c --- */

int32_t mru_redis_get(void *user, const mereau_need *need, mereau_emit emit,
                      void *arg);
int32_t mru_redis_scan(void *user, const mereau_need *need, mereau_emit emit,
                       void *arg);
int32_t mru_redis_commit(void *user, const mereau_need *need, size_t *failed);

#endif
