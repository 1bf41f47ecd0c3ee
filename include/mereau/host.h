/* mereau/host.h - what a host brings: store, signer, event sink
 * (clock and random source: system.h).
 *
 * Rules for every table of callbacks here:
 * - It begins with its size; members are only ever added at the end and a
 *   missing one reads as NULL.
 * - The library copies the table, not what `user` points to; that must outlive
 *   the context.
 * - A callback may run on any thread that called in. It must not call the
 *   library with the same op, must not throw or longjmp, and must not keep
 *   pointers it was given.
 * - Callbacks and steps (op.h) share one vocabulary: a `need` is what the
 *   library wants. Who has written one of them has written the other. */
#ifndef MEREAU_HOST_H
#define MEREAU_HOST_H

#include <mereau/bytes.h>
#include <mereau/error.h>
#include <mereau/system.h>

#ifdef __cplusplus
extern "C" {
#endif

/** One stored record. Keys are ordered as by memcmp, shorter first, and never
 * hold a secret; values are readable and carry their own format version. Since:
 * 0.1. */
typedef struct mereau_record {
    const uint8_t *key;   /* 1..MEREAU_MAX_KEY bytes */
    size_t key_len;
    const uint8_t *value; /* 0..MEREAU_MAX_VALUE bytes */
    size_t value_len;
    uint64_t version;     /* chosen by the library, unique per write; a store
                             only keeps and compares it */
    int64_t drop_at;      /* Unix seconds; 0: keep. A store may drop it from
                             then on, never before */
} mereau_record;

/** Versions with a meaning of their own in mereau_write.expect. Since: 0.1. */
#define MEREAU_VERSION_ABSENT UINT64_C(0)
#define MEREAU_VERSION_ANY UINT64_MAX

/** Kinds of a write. Since: 0.1. */
enum {
    MEREAU_WRITE_PUT = 1,    /* expect ABSENT, ANY or a version; then store the
                                record */
    MEREAU_WRITE_DELETE = 2, /* expect ANY or a version; then remove it */
    MEREAU_WRITE_CHECK = 3   /* expect a version, which must hold at the instant
                                of the commit; change nothing. Of two commits
                                {CHECK a, PUT b} and {CHECK b, PUT a} at most
                                one succeeds (in SQL: lock the row FOR SHARE) */
};

/** One conditional write of a commit. Since: 0.1. */
typedef struct mereau_write {
    uint32_t kind;     /* MEREAU_WRITE_* */
    uint32_t reserved; /* 0 */
    uint64_t expect;   /* the version that must be there now */
    mereau_record record;
} mereau_write;

/** Kinds of a need. New kinds may appear only when the host switched on what
 * leads to them. Since: 0.1. */
enum {
    MEREAU_NEED_GET = 1,    /* keys, n_keys: feed each, there or not, all as of
                               one instant */
    MEREAU_NEED_COMMIT = 2, /* writes, n_writes: all conditions and all writes,
                               or nothing */
    MEREAU_NEED_SCAN = 3,   /* from <= key < to, ascending, at most limit: feed
                               them */
    MEREAU_NEED_SIGN = 4,   /* alg, key_label, input: feed the signature */
    MEREAU_NEED_WAIT = 5    /* wait_ms: come back after it (contention) */
    /* 6 and 7 are kept for unwrapping keys and asking the host */
};

/** What the library wants next. Owned by the library, valid until it is
 * answered; members that belong to another kind are 0. Grows at its end. Since:
 * 0.1. */
typedef struct mereau_need {
    uint32_t size;
    uint32_t kind;              /* MEREAU_NEED_* */
    uint32_t flags;             /* MEREAU_READ_* */
    uint32_t wait_ms;
    const uint8_t *partition;   /* the tenant's: keep its records apart from all
                                   others */
    size_t partition_len;
    const mereau_slice *keys;   /* distinct and ascending */
    size_t n_keys;
    const mereau_write *writes; /* keys distinct and ascending */
    size_t n_writes;
    const uint8_t *from;
    size_t from_len;
    const uint8_t *to;          /* to_len 0: to the end of the partition */
    size_t to_len;
    size_t limit;
    const char *key_label;      /* as given with MEREAU_KEY_LABEL */
    int32_t alg;                /* MEREAU_ALG_* */
    uint32_t reserved;
    const uint8_t *input;       /* the bytes to be signed, not yet hashed */
    size_t input_len;
} mereau_need;

/** Flags of a read. Since: 0.1. */
enum {
    MEREAU_READ_STALE_OK = 1 /* a replica or a cache may answer, all keys as of
                                one instant; only set for live verification,
                                introspection, key sets and verifier loads, and
                                only with MEREAU_CAP_STALE */
};

/** What a store answers. Since: 0.1. */
enum {
    MEREAU_STORE_OK = 0,
    MEREAU_STORE_CONFLICT = 1,   /* a condition does not hold, or the engine
                                    gave up: nothing applied */
    MEREAU_STORE_BUSY = 2,       /* lock timeout, failover, no connection:
                                    nothing applied */
    MEREAU_STORE_UNKNOWN = 3,    /* the reply is lost: applied, not applied, or
                                    may still be applied; the library decides
                                    by a witness it wrote in the same batch */
    MEREAU_STORE_IO = 4,         /* broken for good: nothing applied */
    MEREAU_STORE_LIMIT = 5,      /* too large, or disk full: nothing applied */
    MEREAU_STORE_STOPPED = 6,    /* emit asked to stop */
    MEREAU_STORE_UNSUPPORTED = 7 /* this host does not serve this kind of need
                                    */
};

/** Facts about a store that the library relies on; the kit in testing.h tests
 * each. Since: 0.1. */
enum {
    MEREAU_CAP_DURABLE = 1, /* OK from commit survives a power loss, not only
                               the death of a process */
    MEREAU_CAP_SHARED = 2,  /* other processes or machines use the same records
                               */
    MEREAU_CAP_LINEAR = 4,  /* get and commit are linearizable; without it
                               nothing is counted */
    MEREAU_CAP_ORDERED = 8, /* scan works; without it lists and purge are
                               MEREAU_E_UNSUPPORTED */
    MEREAU_CAP_EXPIRES = 16, /* the store drops records after drop_at by itself
                                */
    MEREAU_CAP_STALE = 32   /* no promise but a wish: set MEREAU_READ_STALE_OK
                               where an older state may answer. What it allows is
                               allowed; what it would refuse is read again,
                               without the flag */
};

/** Called by a store once for each key of a get, in any order, with the key's
 * index and its record, or NULL when it is absent; and once for each record of
 * a scan (index 0, 1, 2 ...). Memory need only live during the call. Nonzero:
 * stop, and return MEREAU_STORE_STOPPED. A key that is missing, doubled or was
 * not asked for makes the answer MEREAU_STORE_IO: a broken loop must not mean
 * "not revoked". During a get it does not call the store, which may hold locks.
 * Since: 0.1. */
typedef int32_t (*mereau_emit)(void *arg, size_t index,
                               const mereau_record *record);

/** Called by a signer with the signature; returns MEREAU_SIGN_OK or what the
 * signer is to return. Since: 0.1. */
typedef int32_t (*mereau_emit_bytes)(void *arg, const uint8_t *data,
                                     size_t len);

/** A store: two duties, and two that it may take. Since: 0.1. */
typedef struct mereau_store {
    uint32_t size; /* sizeof(mereau_store) */
    uint32_t caps; /* MEREAU_CAP_* */
    void *user;    /* first argument of every callback */
    /* Must be set. Serves MEREAU_NEED_GET: emits every key, there or not, all
     * as of one instant. Returns MEREAU_STORE_*. */
    int32_t (*get)(void *user, const mereau_need *need, mereau_emit emit,
                   void *arg);
    /* Must be set. Serves MEREAU_NEED_COMMIT: all conditions hold at one
     * instant and all writes apply at it, or nothing does. Never retries by
     * itself. On CONFLICT *failed may be set to the index of the write that
     * failed (a hint; SIZE_MAX: not known). Returns MEREAU_STORE_*. */
    int32_t (*commit)(void *user, const mereau_need *need, size_t *failed);
    /* May be NULL without MEREAU_CAP_ORDERED. Serves MEREAU_NEED_SCAN,
     * ascending. Not a snapshot: a record that was there before the call and is
     * not touched during it is emitted once. */
    int32_t (*scan)(void *user, const mereau_need *need, mereau_emit emit,
                    void *arg);
    /* May be NULL. Called by mereau_store_close(). */
    void (*close)(void *user);
} mereau_store;

/** A store table with its size and NULLs. Twin: mereau_store_init(). Since:
 * 0.1. */
#define MEREAU_STORE_INIT                                                      \
    { (uint32_t)sizeof(mereau_store), 0, NULL, NULL, NULL, NULL, NULL }

/** Makes a store table ready to be filled. In: size, the caller's
 * sizeof(mereau_store). NULL is accepted. Threads: one owner. Since: 0.1. */
MEREAU_API void mereau_store_init(mereau_store *store, size_t size);

/** Closes a store that an adapter opened: calls its close. No context may use
 * it any more.
 * In: store, or NULL. Threads: one owner. Since: 0.1. */
MEREAU_API void mereau_store_close(mereau_store *store);

/** Opens a store in memory, for tests and caches: LINEAR and ORDERED, not
 * durable, thread-safe.
 * Out: *out the store, NULL after failure. Returns: MEREAU_OK, _E_ARG,
 *      _E_NOMEM.
 * Owns: the caller closes it with mereau_store_close(). Threads: any. Since:
 *       0.1. */
MEREAU_API mereau_status mereau_memory_open(mereau_store **out,
                                            mereau_error *err);

/** What a signer answers. Since: 0.1. */
enum {
    MEREAU_SIGN_OK = 0,
    MEREAU_SIGN_FAILED = 1,      /* now; may work later */
    MEREAU_SIGN_UNSUPPORTED = 2, /* this key cannot sign with this algorithm */
    MEREAU_SIGN_UNKNOWN_KEY = 3  /* no key of this label */
};

/** A signer: an HSM, a KMS, another process. Used for keys imported with
 * MEREAU_KEY_LABEL. Since: 0.1. */
typedef struct mereau_signer {
    uint32_t size;     /* sizeof(mereau_signer) */
    uint32_t reserved; /* 0 */
    void *user;
    /* Must be set. Serves MEREAU_NEED_SIGN: signs need->input with the key
     * need->key_label and emits the signature once, in the form of JWS (RFC
     * 7518 section 3; ECDSA is r || s). Returns MEREAU_SIGN_*. The library
     * verifies it with the public key before it leaves. */
    int32_t (*sign)(void *user, const mereau_need *need,
                    mereau_emit_bytes emit, void *arg);
} mereau_signer;

/** A signer table with its size and NULLs. Since: 0.1. */
#define MEREAU_SIGNER_INIT                                                     \
    { (uint32_t)sizeof(mereau_signer), 0, NULL, NULL }

/** One event of the audit trail; read with mereau_event_text() and friends
 * (audit.h). Since: 0.1. */
typedef struct mereau_event mereau_event;

/** Where events go. Since: 0.1. */
typedef struct mereau_events {
    uint32_t size;     /* sizeof(mereau_events) */
    uint32_t reserved; /* 0 */
    void *user;
    /* Must be set. Called once for every decision, allowed or refused, after it
     * is final. The event lives during the call. The returned value is ignored:
     * an event that must not be lost is asked for with
     * mereau_ctx_keep_events(), which commits it together with the decision. */
    int32_t (*event)(void *user, const mereau_event *event);
} mereau_events;

/** Serves MEREAU_NEED_WAIT for mereau_op_run(). Without one the context sleeps
 * in the calling thread. Since: 0.1. */
typedef struct mereau_waiter {
    uint32_t size;     /* sizeof(mereau_waiter) */
    uint32_t reserved; /* 0 */
    void *user;
    /* Must be set. Comes back after about wait_ms milliseconds; a nonzero answer
     * ends the operation with MEREAU_E_BUSY. */
    int32_t (*wait)(void *user, uint32_t wait_ms);
} mereau_waiter;

#ifdef __cplusplus
}
#endif
#endif
