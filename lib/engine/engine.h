/* lib/engine/engine.h - what the engine's files share: context, tenant,
 * operation, and the table of operations.
 *
 * An operation is a row of a table (struct mru_op_class) and a decision: a pure
 * function of its inputs, the snapshot, the time and the seed. A decision reads
 * with mru_tx_get (returning MRU_MORE at once when that is what it gets), refuses
 * with mru_refuse(&op->err, ...), stages writes, fills op->out, op->event and
 * rows, and returns MEREAU_OK. It is called again from the start after every get
 * and every conflict; out, event, and rows of this batch are emptied before. */
#ifndef MRU_ENGINE_H
#define MRU_ENGINE_H

#include <stdatomic.h>

#include <mereau/mereau.h>

#include "../credential/credential.h"
#include "../model/keyring.h"
#include "../transact/tx.h"

#define MRU_MAX_ROOT_KEYS 8

struct mru_root_key {
    char name[33];
    uint8_t epoch[2];   /* stands in the credentials that it derives */
    mru_mac *derive;    /* for credentials; NULL: without memory */
    uint8_t wrap[32];   /* for what is sealed in the store */
};

struct mru_cache;

struct mereau_ctx {
    atomic_int refs;
    int ready;
    mereau_error mistake; /* status 0: none */
    mereau_store store;   /* get NULL: none, operations are stepped */
    mereau_clock clock;
    mereau_random random;
    mereau_signer signer;
    mereau_events events;
    mereau_waiter waiter;
    int keep_events;
    struct mru_root_key roots[MRU_MAX_ROOT_KEYS];
    size_t n_roots; /* the last one makes what is new */
    int64_t max_token, max_json, max_list, max_text, max_page;
    struct mru_cache *cache;
};

struct mereau_tenant {
    atomic_int refs;
    mereau_ctx *ctx;
    int bad_name;
    uint8_t tag[4];
    char name[65];
};

/* Flags of an operation's class. */
enum {
    MRU_OP_LIST = 1,    /* its runs are pages */
    MRU_OP_LINEAR = 2,  /* counts: refused without MEREAU_CAP_LINEAR */
    MRU_OP_ORDERED = 4, /* scans: refused without MEREAU_CAP_ORDERED */
    MRU_OP_QUIET = 8,   /* only reads: no event when allowed */
    MRU_OP_STEPS = 16,  /* no list, but a run goes on where the last one ended */
    MRU_OP_AGAIN = 32,  /* may be run again when it is done */
    MRU_OP_STALE_OK = 64 /* may be allowed on an older state, if the host put a
                            store in place that keeps one (MEREAU_CAP_STALE) */
};

struct mru_op_class {
    const char *name;     /* "app_create" */
    const char *event;    /* "app.create" */
    uint32_t flags;
    const int32_t *must;  /* fields, 0-terminated; may be NULL */
    const int32_t *takes; /* besides must, actor, correlation id and reason */
    const int32_t *json;  /* the members of mereau_op_json(); NULL: all */
    mereau_status (*decide)(mereau_op *op);
};
/* classes.c: all of them, NULL-terminated. */
extern const struct mru_op_class *const mru_op_classes[];

struct mru_answer; /* an answer kept while its commit is not settled */
struct mru_cached;

enum { MRU_OP_NEW = 0, MRU_OP_RUNNING = 1, MRU_OP_DONE = 2, MRU_OP_FAILED = 3 };
#define MRU_MAX_HELD 16

struct mereau_op {
    mereau_tenant *tenant;
    const struct mru_op_class *class;
    struct mru_bag in;
    mereau_error mistake; /* the first one of its setters */
    int state;
    int dry;

    int64_t now_at;
    struct mru_tx tx;
    mereau_error err;
    struct mru_bag out;
    struct mru_bag event;
    struct mru_bag *rows; /* of a list, a bulk call */
    size_t n_rows, cap_rows;
    size_t first_row; /* of this batch; those before are done */
    size_t row;       /* that getters read: 0 none, else 1 + index */
    int again;        /* set by a decision: there is another batch */
    uint32_t batch;
    /* Refused, and something was committed all the same (a family ended). */
    mereau_status verdict;
    mereau_error verdict_err;
    /* A small commit after the first one, whose failure does not matter. */
    mereau_status (*after)(mereau_op *op);
    int in_after;
    struct mru_answer *answers;
    struct mru_cached *held[MRU_MAX_HELD];
    size_t n_held;
    struct mru_rkey next_key; /* lists: where the next page begins */
    int has_more;
    struct mru_buf json;
    struct mru_buf wire; /* what mereau_op_json() gives, where it is no bag */
    mereau_verifier *verifier; /* of mereau_verifier_load */
};

/* --- op.c --- */
mereau_op *mru_op_make(const mereau_tenant *tenant,
                       const struct mru_op_class *class);
/* An emptied row at the end of op->rows; NULL without memory. */
struct mru_bag *mru_op_add_row(mereau_op *op);
/* The whole store's capabilities; those of a stepped context are assumed. */
uint32_t mru_op_caps(const mereau_op *op);

/* --- input.c: checks of inputs, each with the field's name in the error --- */
/* A number between least and most if it is set. MEREAU_E_POLICY otherwise. */
mereau_status mru_check_range(mereau_op *op, int32_t field, int64_t least,
                              int64_t most);
/* A record that is filled from inputs must leave room for what ends it: a reason,
 * instants, the versions of its writes. MEREAU_E_TOO_LONG. */
#define MRU_ROOM_TO_END 4096
mereau_status mru_check_room(mereau_op *op, const struct mru_bag *record,
                             size_t room);
/* A text of 1..max bytes if it is set: MEREAU_E_ARG, MEREAU_E_TOO_LONG. */
mereau_status mru_check_length(mereau_op *op, int32_t field, size_t max);
/* RFC 6749 section 3.3: words of printable ASCII without " and \, single spaces,
 * no word twice, at most MEREAU_MAX_SCOPE. MEREAU_E_SCOPE. */
mereau_status mru_check_scope(mereau_op *op, const char *scope);
/* Bits of wanted's words in granted's: 0 and *mask, or -1 when one is not in it. */
int mru_scope_mask(const char *granted, const char *wanted, uint64_t *mask);
/* The words of a mask, in granted's order. 0 or -1. */
int mru_scope_words(struct mru_buf *out, const char *granted, uint64_t mask);
/* SHA-256 of a secret text or bytes. 0 or -1. */
int mru_digest(uint8_t out[32], const char *label, const void *data,
               size_t len);
/* 16 bytes as 22 base64url characters and NUL, and back (0 or -1). */
#define MRU_ID_TEXT 23
void mru_id_print(char out[MRU_ID_TEXT], const uint8_t id[MRU_ID_LEN]);
int mru_id_read(uint8_t id[MRU_ID_LEN], const char *text);

/* --- gather.c: what stands above what an operation is about --- */
enum { MRU_WITH_KEYS = 1, MRU_WITH_APP = 2, MRU_WITH_FRESH = 4 };
struct mru_above {
    const struct mru_bag *tenant;       /* record t */
    const struct mru_keyring *keyring;  /* record k, prepared; MRU_WITH_KEYS */
    const struct mru_bag *app;          /* record a; NULL: no such app */
};
/* Reads head h, and tenant, keyring, app under it: from the cache while h is
 * unchanged, else from the store (MRU_MORE). MRU_WITH_FRESH wants them in the same
 * get in any case. MEREAU_E_UNKNOWN when there is no such tenant;
 * MEREAU_E_DISABLED when it is disabled is left to mru_check_tenant. The records
 * are borrowed until the next decision. */
mereau_status mru_gather(mereau_op *op, uint32_t with, const char *client_id,
                         struct mru_above *above);
/* Wants h (and with it all that mru_gather wants first) without reading. */
mereau_status mru_gather_want(mereau_op *op, uint32_t with,
                              const char *client_id);
/* MEREAU_E_DISABLED, rule "tenant.enabled". */
mereau_status mru_check_tenant(mereau_op *op, const struct mru_above *above);
/* The app is there, not deleted, enabled: MEREAU_E_UNKNOWN, MEREAU_E_DISABLED. */
mereau_status mru_check_app(mereau_op *op, const struct mru_above *above);
/* A setting of the app, else of the tenant, else the default. */
int64_t mru_setting(const struct mru_above *above, int32_t field,
                    int64_t otherwise);
/* Every issuing batch: the tenant's head must be unchanged. */
mereau_status mru_check_head(mereau_op *op);
/* Every administrative batch that changes t, k, or an app: rewrites the head. */
mereau_status mru_bump_head(mereau_op *op);
/* The head of a subject or device (16 of each... shared): check, or rewrite. */
mereau_status mru_check_bucket(mereau_op *op, const uint8_t *head);
mereau_status mru_bump_bucket(mereau_op *op, const uint8_t *head);
/* Keys of the tenant's own records. */
void mru_key_head(struct mru_rkey *key);
void mru_key_tenant(struct mru_rkey *key);
void mru_key_keyring(struct mru_rkey *key);
void mru_key_notices(struct mru_rkey *key);
void mru_key_app(struct mru_rkey *key, const char *client_id);
void mru_key_names(struct mru_rkey *key, char kind, const uint8_t *head);

/* --- roots.c: what the root keys make --- */
const struct mru_root_key *mru_root_newest(const mereau_op *op);
const struct mru_root_key *mru_root_find(const mereau_op *op,
                                         const uint8_t epoch[2]);
/* Seals plain for one record and field: D field MRU_F_SEALED of bag, beside
 * MRU_F_EPOCH. aad binds tenant, record key and label. 0 or -1. */
mereau_status mru_seal_field(mereau_op *op, struct mru_bag *bag,
                             const char *label, const uint8_t *plain,
                             size_t len);
mereau_status mru_unseal_field(mereau_op *op, const struct mru_bag *bag,
                               const char *label, struct mru_buf *plain);

/* --- events.c --- */
/* Adds the kept event to the batch. */
mereau_status mru_event_keep(mereau_op *op);
/* Tells the host, once, when all is final. */
void mru_event_tell(mereau_op *op, mereau_status status);

/* --- idempotent.c --- */
/* For calls that create: looks whether MEREAU_IDEMPOTENCY_KEY was answered
 * before. *done 1: op->out (and rows) hold that answer, MEREAU_REPEATED 1; what
 * is secret in it is put there again by the caller. Else 0, and the caller calls
 * mru_idempotent_keep when op->out is complete (secret texts are left out of the
 * record). MEREAU_E_EXISTS when the same key came with other inputs. Without a
 * key both do nothing. part: distinguishes batches of one call. */
mereau_status mru_idempotent_find(mereau_op *op, uint32_t part, int *done);
mereau_status mru_idempotent_keep(mereau_op *op, uint32_t part,
                                  const struct mru_bag *result);

/* --- list.c --- */
/* A page of a list whose entries have a 16-byte id at their end: wants the scan,
 * then calls row for each id in order; row adds it with mru_op_add_row or not. */
mereau_status mru_list_page(mereau_op *op, const struct mru_rkey *prefix,
                            mereau_status (*row)(mereau_op *op,
                                                 const struct mru_rec *entry));

/* Writes entries of lists (in enrolment.c); nothing without a store that scans. */
mereau_status mru_put_index(mereau_op *op, const struct mru_rkey *keys, int n,
                            int64_t drop_at);

/* --- cache.c --- */
struct mru_cached {
    atomic_int refs;
    char tenant[65];
    struct mru_rkey key;
    uint64_t head; /* version of h under which it was read */
    int there;
    struct mru_bag bag;
    struct mru_keyring *keyring;
};
struct mru_cache *mru_cache_new(void);
void mru_cache_free(struct mru_cache *cache);
struct mru_cached *mru_cache_find(struct mru_cache *cache, const char *tenant,
                                  const struct mru_rkey *key, uint64_t head);
/* Takes a reference of its own. */
void mru_cache_put(struct mru_cache *cache, struct mru_cached *one);
void mru_cached_release(struct mru_cached *one);

void mru_ctx_retain(mereau_ctx *ctx);
void mru_ctx_release(mereau_ctx *ctx);

#define MRU_DAY_S 86400
#define MRU_DEFAULT_ACCESS_S 300
#define MRU_DEFAULT_REFRESH_S (30 * MRU_DAY_S)
#define MRU_DEFAULT_AUTH_S (30 * MRU_DAY_S)
#define MRU_DEFAULT_GRACE_S 10
#define MRU_DEFAULT_MAX_LIFETIME_S (30 * MRU_DAY_S)
#define MRU_MAX_ACCESS_S MRU_DAY_S
#define MRU_MAX_LIFETIME_LIMIT_S (INT64_C(100) * 366 * MRU_DAY_S)
#define MRU_EVIDENCE_S MRU_DAY_S /* kept beyond its end, for clocks that differ */
#define MRU_LEDGER_S (90 * MRU_DAY_S) /* a ledger entry beyond its end */
#define MRU_CLOCK_BACK_S 60 /* a stored instant further ahead: refuse */

#endif
