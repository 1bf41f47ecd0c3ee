/* lib/transact/run.c - the blocking driver: serves every need of an operation by
 * calling the host's store, signer and waiter. */
#include "tx.h"

static int32_t emit_record(void *arg, size_t index,
                           const mereau_record *record) {
    return mru_tx_feed(arg, index, record);
}

static int32_t emit_bytes(void *arg, const uint8_t *data, size_t len) {
    return mru_tx_feed_bytes(arg, data, len) == 0 ? MEREAU_SIGN_OK
                                                  : MEREAU_SIGN_FAILED;
}

static int32_t wait(const mereau_waiter *waiter, uint32_t wait_ms) {
    if (waiter != NULL && waiter->wait != NULL)
        return waiter->wait(waiter->user, wait_ms) == 0 ? MEREAU_STORE_OK
                                                        : MEREAU_STORE_BUSY;
    mru_sleep_ms(wait_ms);
    return MEREAU_STORE_OK;
}

mereau_status mru_tx_run(struct mru_tx *tx, const mereau_store *store,
                         const mereau_signer *signer,
                         const mereau_waiter *waiter) {
    const mereau_need *need;
    mereau_status status;
    while ((status = mru_tx_step(tx, &need)) == MEREAU_OK && need != NULL) {
        int32_t result = MEREAU_STORE_UNSUPPORTED;
        size_t failed = SIZE_MAX;
        switch (need->kind) {
        case MEREAU_NEED_GET:
            result = store->get(store->user, need, emit_record, tx);
            break;
        case MEREAU_NEED_COMMIT:
            result = store->commit(store->user, need, &failed);
            break;
        case MEREAU_NEED_SCAN:
            if (store->scan != NULL)
                result = store->scan(store->user, need, emit_record, tx);
            break;
        case MEREAU_NEED_SIGN:
            if (signer != NULL && signer->sign != NULL)
                result = signer->sign(signer->user, need, emit_bytes, tx);
            break;
        case MEREAU_NEED_WAIT:
            result = wait(waiter, need->wait_ms);
            break;
        default:
            break;
        }
        mru_tx_answer(tx, result, failed);
    }
    return status;
}
