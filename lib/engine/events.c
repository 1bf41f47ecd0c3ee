/* lib/engine/events.c - what is told of a decision: to the host's callback once
 * all is final, and, when the context keeps events, as a record in the decision's
 * own commit. Never a credential. */
#include "event.h"
#include "secret.h"

void mru_key_events(struct mru_rkey *key) { mru_rkey_set(key, 'o', NULL, 0); }

/* Of the inputs: who, where from, and which ones were named. What the decision
 * itself found out stands in op->event and goes above them. */
static const int32_t from_inputs[] = {MEREAU_ACTOR,
                                      MEREAU_CORRELATION_ID,
                                      MEREAU_REASON,
                                      MEREAU_REMOTE_ADDRESS,
                                      MEREAU_USER_AGENT,
                                      MEREAU_HOST_NAME,
                                      MEREAU_SYSTEM_USER,
                                      MEREAU_CLIENT_ID,
                                      MEREAU_SECRET_ID,
                                      MEREAU_REGISTRATION_TOKEN_ID,
                                      MEREAU_AUTH_TOKEN_ID,
                                      MEREAU_FAMILY_ID,
                                      MEREAU_KID,
                                      MEREAU_DEVICE_ID,
                                      MEREAU_DEVICE_JKT,
                                      MEREAU_SUBJECT,
                                      MEREAU_IDEMPOTENCY_KEY};

/* The same at every attempt of one run: the record's id and that of the call to
 * the host are one. 0 or -1. */
static int draw_id(const mereau_op *op, uint8_t id[MRU_ID_LEN]) {
    uint8_t number[4];
    mereau_slice salt = {number, sizeof number};
    mereau_slice info = {(const uint8_t *)"mereau event", 12};
    mru_put_u32(number, op->batch);
    return mru_hkdf(op->tx.seed, sizeof op->tx.seed, &salt, &info, id,
                    MRU_ID_LEN);
}

static void add_refusal(struct mru_bag *bag, mereau_status status,
                        const mereau_error *why) {
    const char *rule = why->rule;
    if (rule[0] == '\0')
        rule = mereau_status_name(status);
    mru_bag_set_text(bag, MEREAU_OUTCOME,
                     status == MEREAU_OK ? "allowed" : "refused");
    if (status != MEREAU_OK)
        mru_bag_set_text(bag, MEREAU_RULE, rule);
    mru_bag_set_int(bag, MRU_F_STATUS, 'I', status);
}

/* 0, or -1 without memory or when the provider failed. */
static int compose(const mereau_op *op, mereau_status status,
                   const mereau_error *why, struct mru_bag *bag,
                   uint8_t id[MRU_ID_LEN]) {
    char text[MRU_ID_TEXT];
    if (draw_id(op, id) != 0)
        return -1;
    mru_id_print(text, id);
    mru_bag_set_text(bag, MEREAU_EVENT, op->class->event);
    add_refusal(bag, status, why);
    mru_bag_set_text(bag, MEREAU_EVENT_ID, text);
    mru_bag_set_text(bag, MEREAU_TENANT_ID, op->tenant->name);
    mru_bag_set_int(bag, MEREAU_CREATED_AT, 'I', op->now_at);
    for (size_t i = 0; i < sizeof from_inputs / sizeof from_inputs[0]; i++)
        mru_bag_copy(bag, &op->in, from_inputs[i]);
    for (size_t i = 0; i < op->event.n; i++)
        if (!mru_field_is_secret(op->event.items[i].field))
            mru_bag_copy(bag, &op->event, op->event.items[i].field);
    return bag->failed ? -1 : 0;
}

/* Nobody else writes it. A batch that has no better witness (it only deletes) has
 * this one, which is read for that. */
static mereau_status put(mereau_op *op, const struct mru_rkey *key,
                         struct mru_bag *bag) {
    int64_t drop_at = mru_add_time(op->now_at, MRU_EVENT_KEPT_S);
    const struct mru_rec *none;
    mereau_status status;
    if (op->tx.witness.len > 0)
        return mru_tx_put_new(&op->tx, key, bag, drop_at);
    status = mru_tx_get(&op->tx, key, &none);
    return status == MEREAU_OK ? mru_tx_put(&op->tx, key, bag, drop_at)
                               : status;
}

mereau_status mru_event_keep(mereau_op *op) {
    struct mru_bag bag = {0};
    struct mru_rkey key;
    uint8_t id[MRU_ID_LEN];
    mereau_status status = MEREAU_E_NOMEM;
    if (op->class->event == NULL)
        return MEREAU_OK;
    if (compose(op, op->verdict, &op->verdict_err, &bag, id) == 0) {
        mru_key_events(&key);
        mru_rkey_add_newest(&key, op->now_at);
        mru_rkey_add(&key, id, sizeof id);
        status = put(op, &key, &bag);
    }
    mru_bag_free(&bag);
    return status;
}

void mru_event_tell(mereau_op *op, mereau_status status) {
    const mereau_events *events = &op->tenant->ctx->events;
    struct mru_bag bag = {0};
    struct mru_buf json = {0};
    const struct mereau_event event = {&bag, &json};
    uint8_t id[MRU_ID_LEN];
    int quiet = status == MEREAU_OK && (op->class->flags & MRU_OP_QUIET) != 0;
    /* Without a transaction nothing was read and nothing decided. */
    if (events->event == NULL || op->class->event == NULL || quiet ||
        op->tx.partition == NULL)
        return;
    /* Without memory it is told all the same, with what there was room for. */
    (void)compose(op, status, &op->err, &bag, id);
    (void)events->event(events->user, &event);
    mru_bag_free(&bag);
    mru_buf_free(&json);
}
