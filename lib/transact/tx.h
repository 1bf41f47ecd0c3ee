/* lib/transact/tx.h - the resumable operation. A decision is a pure function of
 * a snapshot; tx asks for the records it wants, commits what it stages, and goes
 * on after conflicts, busy stores and lost replies. It does no I/O itself: the
 * driver in run.c (blocking) or the host (step by step) serves its needs.
 *
 * How a lost reply is settled: every record carries the versions of its last
 * writes. After UNKNOWN the snapshot is read again; if one record that the
 * attempt wrote (the witness) shows the attempt's version, it was applied,
 * whoever wrote on top since, and the answer made for that attempt is the
 * answer. If not, the decision is made again with the same ids; a late landing
 * then conflicts, or makes this one conflict. */
#ifndef MRU_TRANSACT_TX_H
#define MRU_TRANSACT_TX_H

#include <mereau/host.h>

#include "../port/port.h"
#include "../record/bag.h"
#include "../record/fields.h"
#include "../record/keys.h"

/* A decision's wish to be called again when what it wants is there. */
#define MRU_MORE 1

#define MRU_MAX_ATTEMPTS 40
#define MRU_HISTORY 8 /* versions that a record remembers */
#define MRU_MAX_PARK_S 60
#define MRU_MEMOS 4

/* One record of the snapshot. */
struct mru_rec {
    struct mru_rkey key;
    int state; /* MRU_REC_* */
    int fed; /* answered in the get that is under way */
    uint8_t *value;
    size_t value_len;
    uint64_t version;
    int64_t drop_at;
};
enum { MRU_TX_LABEL = 160 }; /* bytes of what a draw is for */
enum { MRU_REC_WANTED = 0, MRU_REC_ABSENT = 1, MRU_REC_PRESENT = 2 };

/* One staged write. */
struct mru_stage {
    uint32_t kind;
    uint64_t expect;
    struct mru_rkey key;
    struct mru_buf value;
    int64_t drop_at;
};

struct mru_scan {
    struct mru_rkey from, to;
    size_t limit;
    int done;
    struct mru_rec *found;
    size_t n, cap;
};

/* What the owner (the engine) gives. */
struct mru_tx_host {
    void *arg;
    /* Decides on the snapshot: MEREAU_OK (commit what was staged, or done when
     * nothing was), MRU_MORE, or a refusal. Everything staged before it is
     * forgotten at each call. */
    mereau_status (*decide)(void *arg);
    /* The reply to a commit is lost: keep the answer made for this attempt. 0, or
     * -1 without memory. */
    int (*keep_answer)(void *arg, uint64_t version);
    /* The attempt of this version turned out to be applied: its answer is the
     * answer. */
    void (*use_answer)(void *arg, uint64_t version);
    /* After a commit: 1 when there is another batch to decide. */
    int (*next_batch)(void *arg);
    /* The clock now, for parking; 0 or a host code. */
    int (*now)(void *arg, int64_t *now_at);
};

struct mru_tx {
    struct mru_tx_host host;
    const char *partition;
    mereau_error *err;
    uint8_t seed[32];
    int64_t started_at;
    int dry;
    int stale_ok; /* reads may be answered from an older state: set by the owner,
                     and cleared when that would refuse */

    int phase;
    int waiting; /* a need is out and not answered */
    int answered;
    int32_t result;
    int broken; /* the answer broke the rules of feeding */
    int misused; /* an answer came without a need */
    int no_memory;
    uint32_t attempts;
    uint32_t batches;
    int unsettled; /* a reply was lost and not yet settled */
    uint64_t unknown[MRU_MAX_ATTEMPTS];
    size_t n_unknown;
    uint64_t version; /* of this attempt */
    struct mru_rkey witness;
    struct mru_rkey lost; /* the witness of the attempts without reply */

    struct mru_rec **recs; /* sorted by key */
    size_t n_recs, cap_recs;
    struct mru_stage *stages[MEREAU_MAX_WRITES];
    size_t n_stages;
    struct mru_scan scan;
    int scan_wanted;
    /* one signature asked for at a time; answers are kept over conflicts */
    int32_t sign_alg;
    char sign_label[129];
    struct mru_buf sign_input;
    struct mru_buf signature;
    int sign_state; /* 0 none, 1 wanted, 2 there */
    int sign_broken;
    /* things made once and kept over conflicts (generated keys, what was read
       out of the inputs) */
    struct {
        void *p;
        void (*release)(void *p); /* NULL: wiped and freed */
        size_t len;
    } memo[MRU_MEMOS];

    mereau_need need;
    mereau_slice *need_keys;
    mereau_write *need_writes;
};

/* Starts over; what it held is let go. seed: 32 random bytes. */
void mru_tx_begin(struct mru_tx *tx, const struct mru_tx_host *host,
                  const char *partition, const uint8_t seed[32],
                  int64_t started_at, mereau_error *err);
void mru_tx_free(struct mru_tx *tx);

/* --- for decisions --- */

/* 1 when the snapshot may be an older state, which may allow but not refuse: a
 * decision that would answer "no" returns its refusal, and is asked again about
 * the present one. */
int mru_tx_may_be_stale(const struct mru_tx *tx);

/* Wants a record; mru_tx_get then has it, or says MRU_MORE. */
mereau_status mru_tx_want(struct mru_tx *tx, const struct mru_rkey *key);
/* *rec NULL when absent. MEREAU_OK, MRU_MORE, MEREAU_E_NOMEM. */
mereau_status mru_tx_get(struct mru_tx *tx, const struct mru_rkey *key,
                         const struct mru_rec **rec);
/* The same, decoded into an empty bag; *there 0 or 1. */
mereau_status mru_tx_get_bag(struct mru_tx *tx, const struct mru_rkey *key,
                             struct mru_bag *bag, int *there);
/* Stages a write of a record that was got: it must be as it was read. Adds the
 * record's history. MEREAU_OK, MEREAU_E_NOMEM, MEREAU_E_TOO_LONG. */
mereau_status mru_tx_put(struct mru_tx *tx, const struct mru_rkey *key,
                         struct mru_bag *bag, int64_t drop_at);
/* Stages a write of a record that was not read, whatever is there. */
mereau_status mru_tx_put_any(struct mru_tx *tx, const struct mru_rkey *key,
                             const struct mru_bag *bag, int64_t drop_at);
/* A new record of a key that nobody else makes: absent before, not read. */
mereau_status mru_tx_put_new(struct mru_tx *tx, const struct mru_rkey *key,
                             const struct mru_bag *bag, int64_t drop_at);
mereau_status mru_tx_delete(struct mru_tx *tx, const struct mru_rkey *key);
mereau_status mru_tx_delete_any(struct mru_tx *tx, const struct mru_rkey *key);
/* A record that a scan found, if it is still as it was found. */
mereau_status mru_tx_delete_found(struct mru_tx *tx,
                                  const struct mru_rec *found);
/* A record that was got and is there must be unchanged at the commit. */
mereau_status mru_tx_check(struct mru_tx *tx, const struct mru_rkey *key);
/* Names the witness: a record that this batch puts after having got it. */
void mru_tx_witness(struct mru_tx *tx, const struct mru_rkey *key);
/* Wants a range; *scan when it is there, else MRU_MORE. One a decision. */
mereau_status mru_tx_scan(struct mru_tx *tx, const struct mru_rkey *from,
                          const struct mru_rkey *to, size_t limit,
                          const struct mru_scan **scan);
/* Wants a signature of the host's signer over input. */
mereau_status mru_tx_sign(struct mru_tx *tx, int32_t alg, const char *label,
                          const uint8_t *input, size_t len,
                          const struct mru_buf **signature);
/* Keeps a copy, in tx->memo[slot], of what a decision has made of its inputs
 * alone, for the next time it is called. NULL without memory. */
const void *mru_tx_keep(struct mru_tx *tx, size_t slot, const void *data,
                        size_t len);
/* Bytes drawn from the seed, the same at every attempt; label: at most
 * MRU_TX_LABEL bytes. 0 or -1. */
int mru_tx_random(struct mru_tx *tx, const char *label, uint32_t index,
                  uint8_t *out, size_t len);

/* --- for drivers --- */

/* Goes on until something is needed or all is done. *need NULL: done, the status
 * is final. */
mereau_status mru_tx_step(struct mru_tx *tx, const mereau_need **need);
int32_t mru_tx_feed(struct mru_tx *tx, size_t index,
                    const mereau_record *record);
int32_t mru_tx_feed_bytes(struct mru_tx *tx, const uint8_t *data, size_t len);
void mru_tx_answer(struct mru_tx *tx, int32_t result, size_t failed);
/* run.c: steps to the end, serving needs by callbacks. store must be given;
 * signer and waiter may be NULL (no signer; sleep). */
mereau_status mru_tx_run(struct mru_tx *tx, const mereau_store *store,
                         const mereau_signer *signer,
                         const mereau_waiter *waiter);

#endif
