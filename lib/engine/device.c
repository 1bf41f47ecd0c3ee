/* lib/engine/device.c - keeping a device out, letting it in again, letting it
 * enrol anew with another secret. */
#include "classes_core.h"
#include "enrolment.h"

static mereau_status set_blocked(mereau_op *op, int blocked) {
    const char *device_id = mru_bag_text(&op->in, MEREAU_DEVICE_ID);
    uint8_t head[MRU_HEAD_LEN];
    struct mru_rkey key, bucket;
    struct mru_bag names = {0};
    struct mru_above above;
    int there, was = 0;
    mereau_status status = mru_check_length(op, MEREAU_DEVICE_ID, 128);
    mru_bag_copy(&op->event, &op->in, MEREAU_DEVICE_ID);
    if (status == MEREAU_OK && mru_head(head, 'd', device_id) != 0)
        status = MEREAU_E_CRYPTO;
    if (status != MEREAU_OK)
        return status;
    mru_key_names(&key, 'd', head);
    mru_rkey_bucket(&bucket, head);
    status = mru_tx_want(&op->tx, &bucket);
    if (status == MEREAU_OK)
        status = mru_tx_want(&op->tx, &key);
    if (status == MEREAU_OK)
        status = mru_gather(op, MRU_WITH_FRESH, NULL, &above);
    if (status == MEREAU_OK)
        status = mru_tx_get_bag(&op->tx, &key, &names, &there);
    if (status == MEREAU_OK)
        was = mru_bag_int_or(&names, MRU_F_BLOCKED, 0) != 0;
    if (status == MEREAU_OK && !blocked && !was)
        status = mru_refuse(&op->err, MEREAU_E_UNKNOWN, "device.blocked", NULL,
                            "a blocked device", "one that is not blocked");
    if (status == MEREAU_OK && was != blocked) {
        mru_bag_set_text(&names, MEREAU_DEVICE_ID, device_id);
        mru_bag_set_int(&names, MRU_F_BLOCKED, 'B', blocked);
        status = mru_tx_put(&op->tx, &key, &names, 0);
        if (status == MEREAU_OK)
            status = mru_bump_bucket(op, head);
    }
    mru_bag_free(&names);
    return status;
}

static mereau_status decide_block(mereau_op *op) { return set_blocked(op, 1); }

static mereau_status decide_unblock(mereau_op *op) {
    return set_blocked(op, 0);
}

/* Ends what the device has of this registration token and lets it redeem once
 * more, with a new secret and without a new count. */
static mereau_status decide_rearm(mereau_op *op) {
    const char *device_id = mru_bag_text(&op->in, MEREAU_DEVICE_ID);
    uint8_t token_id[MRU_ID_LEN], id[MRU_ID_LEN];
    struct mru_family family = {0};
    struct mru_above above = {0};
    int there;
    mereau_status status = mru_check_length(op, MEREAU_DEVICE_ID, 128);
    mru_bag_copy(&op->event, &op->in, MEREAU_DEVICE_ID);
    mru_bag_copy(&op->event, &op->in, MEREAU_REGISTRATION_TOKEN_ID);
    if (status == MEREAU_OK &&
        mru_id_read(token_id,
                    mru_bag_text(&op->in, MEREAU_REGISTRATION_TOKEN_ID)) != 0)
        status = mru_refuse(&op->err, MEREAU_E_UNKNOWN, "registration_token.id",
                            NULL, "an id of this library", "another text");
    if (status == MEREAU_OK &&
        mru_enrolment_id(id, op->tenant->name, token_id, device_id) != 0)
        status = MEREAU_E_CRYPTO;
    if (status != MEREAU_OK)
        return status;
    mru_key_enrolment(&family.key, id);
    status = mru_tx_want(&op->tx, &family.key);
    if (status == MEREAU_OK)
        status = mru_gather(op, MRU_WITH_FRESH, NULL, &above);
    family.above = above;
    if (status == MEREAU_OK)
        status = mru_tx_get_bag(&op->tx, &family.key, &family.record, &there);
    if (status == MEREAU_OK && !there)
        status = mru_refuse(&op->err, MEREAU_E_UNKNOWN, "device.enrolled", NULL,
                            "a device that enrolled with this token",
                            "one that did not");
    if (status == MEREAU_OK) {
        mru_bag_set_int(&family.record, MRU_F_STEP, 'I', MRU_STEP_REARMED);
        mru_bag_set_int(&family.record, MRU_F_REARMED, 'I',
                        mru_bag_int_or(&family.record, MRU_F_REARMED, 0) + 1);
        status = mru_family_put(op, &family);
    }
    mru_family_free(&family);
    return status;
}

static const int32_t must[] = {MEREAU_DEVICE_ID, 0};
static const int32_t rearm_must[] = {MEREAU_REGISTRATION_TOKEN_ID,
                                     MEREAU_DEVICE_ID, 0};

const struct mru_op_class mru_class_device_block = {
    "device_block", "device.block", 0, must, NULL, NULL, decide_block};
const struct mru_op_class mru_class_device_unblock = {
    "device_unblock", "device.unblock", 0, must, NULL, NULL, decide_unblock};
const struct mru_op_class mru_class_device_rearm = {
    "device_rearm", "device.rearm", 0, rearm_must, NULL, NULL, decide_rearm};

mereau_op *mereau_device_block(const mereau_tenant *tenant,
                               const char *device_id) {
    mereau_op *op = mru_op_make(tenant, &mru_class_device_block);
    mereau_op_set_text(op, MEREAU_DEVICE_ID, device_id);
    return op;
}

mereau_op *mereau_device_unblock(const mereau_tenant *tenant,
                                 const char *device_id) {
    mereau_op *op = mru_op_make(tenant, &mru_class_device_unblock);
    mereau_op_set_text(op, MEREAU_DEVICE_ID, device_id);
    return op;
}

mereau_op *mereau_device_rearm(const mereau_tenant *tenant,
                               const char *registration_token_id,
                               const char *device_id) {
    mereau_op *op = mru_op_make(tenant, &mru_class_device_rearm);
    mereau_op_set_text(op, MEREAU_REGISTRATION_TOKEN_ID, registration_token_id);
    mereau_op_set_text(op, MEREAU_DEVICE_ID, device_id);
    return op;
}
