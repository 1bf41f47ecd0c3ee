/* lib/transact/tx.c - the steps of an operation: get, decide, commit, and what
 * follows when one of them does not go as hoped. */
#include "tx.h"

#include "../crypto/crypto.h"

enum {
    PHASE_DECIDE,
    PHASE_GET,
    PHASE_SCAN,
    PHASE_SIGN,
    PHASE_COMMIT,
    PHASE_WAIT,
    PHASE_DONE
};

static void drop_rec(struct mru_rec *rec) {
    mru_free_wiped(rec->value, rec->value_len);
    rec->value = NULL;
    rec->value_len = 0;
}

static void drop_scan(struct mru_scan *scan) {
    for (size_t i = 0; i < scan->n; i++)
        drop_rec(&scan->found[i]);
    mru_free(scan->found);
    scan->found = NULL;
    scan->n = scan->cap = 0;
    scan->done = 0;
}

static void drop_stages(struct mru_tx *tx) {
    for (size_t i = 0; i < tx->n_stages; i++) {
        mru_buf_free(&tx->stages[i]->value);
        mru_free(tx->stages[i]);
    }
    tx->n_stages = 0;
    tx->witness.len = 0;
}

static void drop_records(struct mru_tx *tx) {
    for (size_t i = 0; i < tx->n_recs; i++) {
        drop_rec(tx->recs[i]);
        mru_free(tx->recs[i]);
    }
    mru_free(tx->recs);
    tx->recs = NULL;
    tx->n_recs = tx->cap_recs = 0;
}

static void drop_need(struct mru_tx *tx) {
    mru_free(tx->need_keys);
    mru_free(tx->need_writes);
    tx->need_keys = NULL;
    tx->need_writes = NULL;
    memset(&tx->need, 0, sizeof tx->need);
}

void mru_tx_free(struct mru_tx *tx) {
    drop_need(tx);
    drop_stages(tx);
    drop_records(tx);
    drop_scan(&tx->scan);
    mru_buf_free(&tx->sign_input);
    mru_buf_free(&tx->signature);
    for (size_t i = 0; i < MRU_MEMOS; i++)
        if (tx->memo[i].release == NULL)
            mru_free_wiped(tx->memo[i].p, tx->memo[i].len);
        else if (tx->memo[i].p != NULL)
            tx->memo[i].release(tx->memo[i].p);
    mru_wipe(tx, sizeof *tx);
    tx->phase = PHASE_DONE;
}

void mru_tx_begin(struct mru_tx *tx, const struct mru_tx_host *host,
                  const char *partition, const uint8_t seed[32],
                  int64_t started_at, mereau_error *err) {
    mru_tx_free(tx);
    tx->host = *host;
    tx->partition = partition;
    tx->err = err;
    memcpy(tx->seed, seed, sizeof tx->seed);
    tx->started_at = started_at;
    tx->phase = PHASE_DECIDE;
}

/* --- ends --- */

static mereau_status finish(struct mru_tx *tx, mereau_status status) {
    tx->phase = PHASE_DONE;
    drop_need(tx);
    return status;
}

/* Failed for good. What was sent before and got no answer may still be true. */
static mereau_status fail(struct mru_tx *tx, mereau_status status,
                          int32_t host_code, const char *rule,
                          const char *wanted, const char *found) {
    if (tx->no_memory)
        status = MEREAU_E_NOMEM;
    if (tx->unsettled)
        return finish(tx,
                      mru_refuse_host(tx->err, MEREAU_E_UNCERTAIN, host_code,
                                      "store.unknown", "an answer to a commit",
                                      "none, and the store cannot be asked"));
    return finish(
        tx, mru_refuse_host(tx->err, status, host_code, rule, wanted, found));
}

/* Forgets the snapshot but not its keys: all are read again, at one instant. */
static void forget_records(struct mru_tx *tx) {
    for (size_t i = 0; i < tx->n_recs; i++) {
        drop_rec(tx->recs[i]);
        tx->recs[i]->state = MRU_REC_WANTED;
    }
}

static void forget_snapshot(struct mru_tx *tx) {
    forget_records(tx);
    drop_scan(&tx->scan);
}

/* Another attempt: after a wait that grows, and is drawn from the seed so that
 * many callers spread. 0, or -1 when there were enough. */
static int again(struct mru_tx *tx, int busy) {
    uint8_t draw[4] = {0};
    uint32_t most;
    tx->attempts++;
    forget_snapshot(tx);
    drop_stages(tx);
    if (tx->attempts >= MRU_MAX_ATTEMPTS)
        return -1;
    tx->phase = PHASE_GET;
    if (tx->attempts <= 2 && !busy)
        return 0;
    most = tx->attempts < 6 ? (uint32_t)1 << tx->attempts : 64;
    (void)mru_tx_random(tx, "wait", tx->attempts, draw, sizeof draw);
    tx->need.wait_ms = 1 + mru_get_u32(draw) % most;
    tx->phase = PHASE_WAIT;
    return 0;
}

static mereau_status retry(struct mru_tx *tx, int busy) {
    if (again(tx, busy) == 0)
        return MEREAU_OK;
    return fail(tx, MEREAU_E_BUSY,
                busy ? MEREAU_STORE_BUSY : MEREAU_STORE_CONFLICT,
                "store.contention", "a commit without interference",
                busy ? "a busy store" : "others each time");
}

/* --- answers --- */

static mereau_status take_get(struct mru_tx *tx) {
    if (tx->result == MEREAU_STORE_BUSY || tx->result == MEREAU_STORE_CONFLICT)
        return retry(tx, 1);
    for (size_t i = 0; i < tx->n_recs && tx->result == MEREAU_STORE_OK; i++)
        if (!tx->recs[i]->fed)
            tx->broken = 1;
    if (tx->result != MEREAU_STORE_OK || tx->broken) {
        forget_snapshot(tx);
        return fail(tx,
                    tx->result == MEREAU_STORE_UNSUPPORTED
                        ? MEREAU_E_UNSUPPORTED
                        : MEREAU_E_STORE,
                    tx->broken ? MEREAU_STORE_IO : tx->result, "store.get",
                    "every key answered once",
                    tx->broken ? "a key missing or doubled" : "a failure");
    }
    tx->phase = PHASE_DECIDE;
    return MEREAU_OK;
}

static mereau_status take_scan(struct mru_tx *tx) {
    if (tx->result == MEREAU_STORE_BUSY || tx->result == MEREAU_STORE_CONFLICT)
        return retry(tx, 1);
    if (tx->result != MEREAU_STORE_OK || tx->broken)
        return fail(tx,
                    tx->result == MEREAU_STORE_UNSUPPORTED
                        ? MEREAU_E_UNSUPPORTED
                        : MEREAU_E_STORE,
                    tx->broken ? MEREAU_STORE_IO : tx->result, "store.scan",
                    "records in ascending order",
                    tx->broken ? "another order" : "a failure");
    tx->scan.done = 1;
    tx->scan_wanted = 0;
    tx->phase = PHASE_DECIDE;
    return MEREAU_OK;
}

static mereau_status take_signature(struct mru_tx *tx) {
    if (tx->result != MEREAU_SIGN_OK || tx->sign_broken ||
        tx->signature.len == 0)
        return fail(tx, tx->signature.failed ? MEREAU_E_NOMEM : MEREAU_E_SIGNER,
                    tx->result, "signer.sign", "one signature",
                    tx->result != MEREAU_SIGN_OK ? "a failure" : "none");
    tx->sign_state = 2;
    tx->phase = PHASE_DECIDE;
    return MEREAU_OK;
}

/* The batch is applied. */
static mereau_status applied(struct mru_tx *tx) {
    tx->unsettled = 0;
    tx->n_unknown = 0;
    tx->lost.len = 0;
    drop_stages(tx);
    if (!tx->host.next_batch(tx->host.arg))
        return finish(tx, MEREAU_OK);
    tx->batches++;
    tx->attempts = 0;
    drop_records(tx);
    drop_scan(&tx->scan);
    tx->phase = PHASE_DECIDE;
    return MEREAU_OK;
}

static mereau_status take_commit(struct mru_tx *tx) {
    switch (tx->result) {
    case MEREAU_STORE_OK:
        return applied(tx);
    case MEREAU_STORE_CONFLICT:
        return retry(tx, 0);
    case MEREAU_STORE_BUSY:
        return retry(tx, 1);
    default: /* a code that nobody has defined tells nothing */
        tx->unsettled = 1;
        tx->unknown[tx->n_unknown++] = tx->version;
        tx->lost = tx->witness; /* through all attempts that follow */
        if (tx->host.keep_answer(tx->host.arg, tx->version) != 0)
            return fail(tx, MEREAU_E_NOMEM, 0, NULL, NULL, NULL);
        return retry(tx, 1);
    case MEREAU_STORE_IO:
    case MEREAU_STORE_LIMIT:
    case MEREAU_STORE_STOPPED:
    case MEREAU_STORE_UNSUPPORTED:
        return fail(tx, MEREAU_E_STORE, tx->result, "store.commit",
                    "a commit that applies",
                    tx->result == MEREAU_STORE_LIMIT ? "a limit or a full disk"
                                                     : "a failure");
    }
}

static mereau_status take_answer(struct mru_tx *tx) {
    int phase = tx->phase;
    tx->waiting = tx->answered = 0;
    switch (phase) {
    case PHASE_GET:
        return take_get(tx);
    case PHASE_SCAN:
        return take_scan(tx);
    case PHASE_SIGN:
        return take_signature(tx);
    case PHASE_COMMIT:
        return take_commit(tx);
    default:
        if (tx->result != MEREAU_STORE_OK)
            return fail(tx, MEREAU_E_BUSY, tx->result, "store.wait",
                        "a wait between two attempts", "none");
        tx->phase = PHASE_GET;
        return MEREAU_OK;
    }
}

/* --- needs --- */

static mereau_status ask(struct mru_tx *tx, int phase, uint32_t kind) {
    uint32_t wait_ms = tx->need.wait_ms;
    tx->phase = phase;
    tx->waiting = 1;
    tx->answered = 0;
    tx->broken = tx->no_memory = 0;
    tx->need.size = (uint32_t)sizeof tx->need;
    tx->need.kind = kind;
    tx->need.partition = (const uint8_t *)tx->partition;
    tx->need.partition_len = strlen(tx->partition);
    tx->need.wait_ms = kind == MEREAU_NEED_WAIT ? wait_ms : 0;
    return MEREAU_OK;
}

static mereau_status ask_get(struct mru_tx *tx) {
    drop_need(tx);
    if (tx->n_recs == 0) { /* nothing was read before: decide at once */
        tx->phase = PHASE_DECIDE;
        return MEREAU_OK;
    }
    tx->need_keys = mru_alloc(tx->n_recs * sizeof *tx->need_keys);
    if (tx->need_keys == NULL)
        return fail(tx, MEREAU_E_NOMEM, 0, NULL, NULL, NULL);
    forget_records(tx); /* a scan stays: it is no snapshot anyway */
    for (size_t i = 0; i < tx->n_recs; i++) {
        tx->recs[i]->fed = 0;
        tx->need_keys[i].data = tx->recs[i]->key.data;
        tx->need_keys[i].len = tx->recs[i]->key.len;
    }
    tx->need.keys = tx->need_keys;
    tx->need.n_keys = tx->n_recs;
    tx->need.flags = tx->stale_ok ? MEREAU_READ_STALE_OK : 0;
    return ask(tx, PHASE_GET, MEREAU_NEED_GET);
}

static mereau_status ask_scan(struct mru_tx *tx) {
    drop_need(tx);
    drop_scan(&tx->scan);
    tx->need.from = tx->scan.from.data;
    tx->need.from_len = tx->scan.from.len;
    tx->need.to = tx->scan.to.data;
    tx->need.to_len = tx->scan.to.len;
    tx->need.limit = tx->scan.limit;
    return ask(tx, PHASE_SCAN, MEREAU_NEED_SCAN);
}

static mereau_status ask_signature(struct mru_tx *tx) {
    drop_need(tx);
    mru_buf_free(&tx->signature);
    tx->sign_broken = 0;
    tx->need.alg = tx->sign_alg;
    tx->need.key_label = tx->sign_label;
    tx->need.input = tx->sign_input.data;
    tx->need.input_len = tx->sign_input.len;
    return ask(tx, PHASE_SIGN, MEREAU_NEED_SIGN);
}

static int order_stages(struct mru_tx *tx) {
    for (size_t i = 1; i < tx->n_stages; i++) { /* at most 128 */
        struct mru_stage *one = tx->stages[i];
        size_t at = i;
        while (at > 0 &&
               mru_rkey_compare(&tx->stages[at - 1]->key, &one->key) > 0) {
            tx->stages[at] = tx->stages[at - 1];
            at--;
        }
        tx->stages[at] = one;
    }
    tx->need_writes = mru_alloc(tx->n_stages * sizeof *tx->need_writes);
    if (tx->need_writes == NULL)
        return -1;
    for (size_t i = 0; i < tx->n_stages; i++) {
        const struct mru_stage *one = tx->stages[i];
        mereau_write *write = &tx->need_writes[i];
        write->kind = one->kind;
        write->expect = one->expect;
        write->record.key = one->key.data;
        write->record.key_len = one->key.len;
        write->record.value = one->value.data;
        write->record.value_len = one->value.len;
        write->record.version = tx->version;
        write->record.drop_at = one->drop_at;
    }
    return 0;
}

/* A version of its own for every attempt: never one with a meaning. */
static int draw_version(struct mru_tx *tx) {
    uint8_t bytes[8];
    if (mru_tx_random(tx, "version", tx->attempts, bytes, sizeof bytes) != 0)
        return -1;
    tx->version = mru_get_u64(bytes);
    if (tx->version == MEREAU_VERSION_ABSENT ||
        tx->version == MEREAU_VERSION_ANY)
        tx->version = 1;
    return 0;
}

static mereau_status ask_commit(struct mru_tx *tx) {
    int64_t now_at;
    int code;
    drop_need(tx);
    code = tx->host.now(tx->host.arg, &now_at);
    if (code != 0)
        return fail(tx, MEREAU_E_CLOCK, code, "clock.now", NULL, NULL);
    if (now_at > mru_add_time(tx->started_at, MRU_MAX_PARK_S))
        return fail(tx, MEREAU_E_BUSY, 0, "op.parked",
                    "a commit within 60 s of the start", "a longer pause");
    if (draw_version(tx) != 0)
        return fail(tx, MEREAU_E_CRYPTO, 0, NULL, NULL, NULL);
    if (order_stages(tx) != 0)
        return fail(tx, MEREAU_E_NOMEM, 0, NULL, NULL, NULL);
    tx->need.writes = tx->need_writes;
    tx->need.n_writes = tx->n_stages;
    return ask(tx, PHASE_COMMIT, MEREAU_NEED_COMMIT);
}

/* --- deciding --- */

static int is_unknown(const struct mru_tx *tx, uint64_t version) {
    for (size_t i = 0; i < tx->n_unknown; i++)
        if (tx->unknown[i] == version)
            return 1;
    return 0;
}

/* Looks for an attempt without reply in the witness's history: 1, 0; -1 without
 * memory, which must not pass for "not applied". */
static int find_applied(struct mru_tx *tx, uint64_t *version) {
    struct mru_bag bag = {0};
    const struct mru_rec *rec;
    mereau_status status;
    const uint8_t *tags;
    size_t len;
    int found = 0;
    if (tx->lost.len == 0 || mru_tx_get(tx, &tx->lost, &rec) != 0 ||
        rec == NULL)
        return 0;
    *version = rec->version;
    if (is_unknown(tx, *version))
        return 1;
    status = mru_bag_decode(&bag, rec->value, rec->value_len);
    if (status != MEREAU_OK)
        return status == MEREAU_E_NOMEM ? -1 : 0;
    tags = mru_bag_data(&bag, MRU_F_TAGS, &len);
    for (size_t i = 0; i + 8 <= len && !found; i += 8) {
        *version = mru_get_u64(tags + i);
        found = is_unknown(tx, *version);
    }
    mru_bag_free(&bag);
    return found;
}

int mru_tx_may_be_stale(const struct mru_tx *tx) {
    return tx->stale_ok && tx->n_recs > 0;
}

static mereau_status decide(struct mru_tx *tx) {
    uint64_t version;
    mereau_status status;
    int found = tx->unsettled ? find_applied(tx, &version) : 0;
    if (found < 0)
        return fail(tx, MEREAU_E_NOMEM, 0, NULL, NULL, NULL);
    if (found) {
        tx->host.use_answer(tx->host.arg, version);
        return applied(tx);
    }
    drop_stages(tx);
    tx->scan_wanted = 0;
    status = tx->host.decide(tx->host.arg);
    if (status <= -400 && tx->unsettled) /* nothing was decided */
        return fail(tx, status, 0, NULL, NULL, NULL);
    if (status < 0 && mru_tx_may_be_stale(tx)) {
        tx->stale_ok = 0;
        forget_snapshot(tx);
        return ask_get(tx);
    }
    if (status < 0)
        return finish(tx, status);
    if (status == MEREAU_OK) {
        if (tx->dry)
            return finish(tx, MEREAU_OK);
        if (tx->n_stages == 0) /* nothing to commit in this batch */
            return applied(tx);
        return ask_commit(tx);
    }
    if (tx->scan_wanted)
        return ask_scan(tx);
    for (size_t i = 0; i < tx->n_recs; i++)
        if (tx->recs[i]->state == MRU_REC_WANTED)
            return ask_get(tx);
    if (tx->sign_state == 1)
        return ask_signature(tx);
    return finish(tx, MEREAU_E_INTERNAL);
}

mereau_status mru_tx_step(struct mru_tx *tx, const mereau_need **need) {
    mereau_status status = MEREAU_OK;
    *need = NULL;
    if (tx->misused)
        return fail(tx, MEREAU_E_STATE, 0, "op.answer", "an answer to a need",
                    "an answer without one");
    while (status == MEREAU_OK && tx->phase != PHASE_DONE) {
        if (tx->waiting && !tx->answered) {
            *need = &tx->need;
            return MEREAU_OK;
        }
        if (tx->waiting)
            status = take_answer(tx);
        else if (tx->phase == PHASE_DECIDE)
            status = decide(tx);
        else if (tx->phase == PHASE_WAIT)
            status = ask(tx, PHASE_WAIT, MEREAU_NEED_WAIT);
        else
            status = ask_get(tx);
    }
    return status;
}

/* --- what hosts hand in --- */

static int set_rec(struct mru_tx *tx, struct mru_rec *rec,
                   const mereau_record *from) {
    drop_rec(rec);
    rec->value = mru_alloc(from->value_len + 1);
    if (rec->value == NULL) {
        tx->no_memory = 1;
        return -1;
    }
    if (from->value_len > 0)
        memcpy(rec->value, from->value, from->value_len);
    rec->value_len = from->value_len;
    rec->version = from->version;
    rec->drop_at = from->drop_at;
    rec->state = MRU_REC_PRESENT;
    return 0;
}

/* No record has a version with a meaning of its own: written back, it would be a
 * condition that holds always or never. */
static int bad_version(const mereau_record *record) {
    return record->version == MEREAU_VERSION_ABSENT ||
           record->version == MEREAU_VERSION_ANY;
}

static int feed_get(struct mru_tx *tx, size_t index,
                    const mereau_record *record) {
    struct mru_rec *rec;
    if (index >= tx->n_recs || tx->recs[index]->fed)
        return -1;
    rec = tx->recs[index];
    rec->fed = 1;
    if (record == NULL) {
        rec->state = MRU_REC_ABSENT;
        return 0;
    }
    if (record->key_len != rec->key.len ||
        memcmp(record->key, rec->key.data, rec->key.len) != 0 ||
        record->value_len > MEREAU_MAX_VALUE || bad_version(record))
        return -1;
    return set_rec(tx, rec, record);
}

static int grow_scan(struct mru_scan *scan) {
    size_t cap = scan->cap == 0 ? 16 : scan->cap * 2;
    struct mru_rec *found;
    if (scan->n < scan->cap)
        return 0;
    found = mru_alloc(cap * sizeof *found);
    if (found == NULL)
        return -1;
    if (scan->n > 0)
        memcpy(found, scan->found, scan->n * sizeof *found);
    mru_free(scan->found);
    scan->found = found;
    scan->cap = cap;
    return 0;
}

static int feed_scan(struct mru_tx *tx, size_t index,
                     const mereau_record *record) {
    struct mru_scan *scan = &tx->scan;
    struct mru_rkey key;
    if (record == NULL || index != scan->n || scan->n >= scan->limit ||
        record->key_len == 0 || record->key_len > MEREAU_MAX_KEY ||
        record->value_len > MEREAU_MAX_VALUE || bad_version(record))
        return -1;
    if (grow_scan(scan) != 0) {
        tx->no_memory = 1;
        return -1;
    }
    key.len = record->key_len;
    memcpy(key.data, record->key, record->key_len);
    if (mru_rkey_compare(&key, &scan->from) < 0 ||
        (scan->to.len > 0 && mru_rkey_compare(&key, &scan->to) >= 0) ||
        (scan->n > 0 &&
         mru_rkey_compare(&scan->found[scan->n - 1].key, &key) >= 0))
        return -1;
    struct mru_rec *rec = &scan->found[scan->n];
    memset(rec, 0, sizeof *rec);
    rec->key = key;
    if (set_rec(tx, rec, record) != 0)
        return -1;
    scan->n++;
    return 0;
}

int32_t mru_tx_feed(struct mru_tx *tx, size_t index,
                    const mereau_record *record) {
    int bad = 1;
    if (tx->waiting && !tx->answered && tx->phase == PHASE_GET)
        bad = feed_get(tx, index, record) != 0;
    else if (tx->waiting && !tx->answered && tx->phase == PHASE_SCAN)
        bad = feed_scan(tx, index, record) != 0;
    if (bad)
        tx->broken = 1;
    return bad;
}

int32_t mru_tx_feed_bytes(struct mru_tx *tx, const uint8_t *data, size_t len) {
    if (!tx->waiting || tx->answered || tx->phase != PHASE_SIGN ||
        tx->signature.len > 0 || len == 0 || len > 4096) {
        tx->sign_broken = 1;
        return 1;
    }
    mru_buf_add(&tx->signature, data, len);
    return tx->signature.failed;
}

void mru_tx_answer(struct mru_tx *tx, int32_t result, size_t failed) {
    if (!tx->waiting || tx->answered)
        return;
    tx->result = result;
    (void)failed; /* a hint; all is read again anyway */
    tx->answered = 1;
}
