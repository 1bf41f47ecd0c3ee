/* mereau/redis.h - libmereau-redis: a store in Redis or Valkey, for many
 * processes and machines on one primary. One script per commit, expiry by the
 * server. */
#ifndef MEREAU_REDIS_H
#define MEREAU_REDIS_H

#include <mereau/host.h>

#ifdef __cplusplus
extern "C" {
#endif

/** A connection of hiredis (hiredis.h). Only hosts that bring their own meet
 * it. Since: 0.2. */
struct redisContext;

/** The slot that stands for "any node" in mereau_redis_settings.take. Since:
 * 0.2. */
#define MEREAU_REDIS_ANY_SLOT UINT32_C(0xffffffff)

/** Where the server is and how it is used. Everything may be left at 0. Texts
 * are copied. Grows at its end. Since: 0.2. */
typedef struct mereau_redis_settings {
    uint32_t size; /* sizeof(mereau_redis_settings) */
    uint32_t port; /* NULL host and 0: 127.0.0.1:6379 */
    const char *host;     /* name or address; from '/' on: a Unix socket */
    const char *user;     /* of the server's ACL; NULL: the default user */
    const char *password; /* NULL: no AUTH is sent */
    uint32_t database;    /* SELECTed when it is not 0 */
    uint32_t connections; /* at most, at once; 0: 16 */
    uint32_t connect_timeout_ms; /* 0: 2000 */
    uint32_t timeout_ms; /* of each send and receive, and of the wait for a free
                            connection; 0: 2000 */
    const char *prefix;  /* of all keys: 1 to 32 of A-Z a-z 0-9 . _ - and ':';
                            NULL: "mereau". Stores of one prefix share records */
    uint32_t keep_longer_s; /* the server drops a record this long after its
                               drop_at, in case its clock is ahead of the
                               library's; 0: 3600 */
    uint32_t reserved;      /* 0 */
    /* Connections of the host's own: TLS (hiredis_ssl), Sentinel, a cluster.
     * Both or neither; the settings above that say how to connect are then not
     * used. take gives a connected, blocking, authenticated context whose
     * database is selected, of the primary that serves slot, a hash slot of
     * Redis Cluster or MEREAU_REDIS_ANY_SLOT: 0, or nonzero when there is none
     * (BUSY). give takes it back; broken: it must not be used again, since it
     * failed or is not the primary of that slot (any more). Called from any
     * thread, never with a lock held. hiredis may raise SIGPIPE when it writes:
     * such hosts ignore that signal. */
    void *pool;
    int32_t (*take)(void *pool, uint32_t slot, struct redisContext **out);
    void (*give)(void *pool, struct redisContext *connection, int32_t broken);
} mereau_redis_settings;

/** Settings with their size and zeros. Twin: mereau_redis_settings_init().
 * Since: 0.2. */
#define MEREAU_REDIS_SETTINGS_INIT                                             \
    {                                                                          \
        (uint32_t)sizeof(mereau_redis_settings), 0, NULL, NULL, NULL, 0, 0, 0, \
            0, NULL, 0, 0, NULL, NULL, NULL                                    \
    }

/** Makes settings ready to be filled. In: size, the caller's
 * sizeof(mereau_redis_settings). NULL is accepted. Threads: one owner. Since:
 * 0.2. */
MEREAU_API void mereau_redis_settings_init(mereau_redis_settings *settings,
                                           size_t size);

/** Opens a store in a Redis (5 or later) or Valkey server: SHARED, LINEAR,
 * ORDERED, EXPIRES; and DURABLE when the server says, to INFO and CONFIG GET,
 * that it runs with appendonly yes, appendfsync always and
 * no-appendfsync-on-rewrite no. Every new connection of the store's own is
 * asked again, and refused (BUSY) if it no longer is what was found here.
 *
 * All of this holds on one primary. Replication is asynchronous: a failover to
 * a replica, by Sentinel, Cluster or hand, forgets the commits which that
 * replica had not received, so that counts are re-armed, rotated tokens valid
 * again and revocations undone. See docs/store-guide.md for what narrows that.
 *
 * Refused is a server that may throw records away when its memory is full (a
 * maxmemory-policy other than noeviction), and a replica.
 *
 * Not across fork: in a child process every call answers MEREAU_STORE_IO. The
 * store's own connections speak no TLS.
 *
 * In:      settings  NULL: all as if 0
 * Out:     *out      the store; NULL after failure
 * Returns: MEREAU_OK, MEREAU_E_ARG, MEREAU_E_SIZE, MEREAU_E_STORE (rule
 *          "redis.connect", "redis.auth", "redis.database", "redis.info",
 *          "redis.role"), MEREAU_E_UNSUPPORTED ("redis.version",
 *          "redis.eviction"), MEREAU_E_NOMEM.
 * Owns:    the caller closes it with mereau_store_close(), after the contexts,
 *          when no call is under way. Threads: any; the store may be shared by
 *          contexts. Since: 0.2. Source: https://redis.io/docs/latest/operate/
 *          oss_and_stack/management/persistence/ */
MEREAU_API mereau_status mereau_redis_open(
    mereau_store **out, const mereau_redis_settings *settings,
    mereau_error *err);

/** What is to be known about the server that was found: "" or English sentences
 * for the host's log: that it is not durable and why, that it has replicas,
 * that it is a node of a cluster.
 * In: store, of mereau_redis_open(), or NULL. Out: text that lives as long as
 * the store. Threads: any. Since: 0.2. */
MEREAU_API const char *mereau_redis_warning(const mereau_store *store);

#ifdef __cplusplus
}
#endif
#endif
