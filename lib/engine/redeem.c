/* lib/engine/redeem.c - redeeming a registration token: one auth token for one
 * device, one count, whatever gets lost on the way. */
#include "../model/registration.h"
#include "classes_core.h"
#include "enrolment.h"
#include "registration.h"

/* What the inputs say, whatever is in the store: made once. */
struct asked {
    struct mru_cred cred;
    struct mru_cred names; /* of the enrolment, and the heads above it */
    uint8_t enrolment_id[MRU_ID_LEN];
    uint8_t nonce[32];
};

struct redeem {
    const struct asked *asked;
    int has_nonce;
    const char *device_id, *jkt;
    const char *subject; /* in token or op */
    struct mru_rkey token_key, slot_key;
    struct mru_bag token; /* record r */
    struct mru_bag slot;
    struct mru_family family; /* record e and what is above it */
    int enrolled; /* e is there */
    uint8_t first_slot;
};

static mereau_status read_nonce(mereau_op *op, const struct redeem *r,
                                struct asked *asked) {
    size_t len;
    const uint8_t *nonce = mru_bag_data(&op->in, MEREAU_RETRY_NONCE, &len);
    if (nonce == NULL && r->jkt == NULL)
        return mru_refuse(&op->err, MEREAU_E_FIELD, "retry_nonce.missing", NULL,
                          "retry_nonce or device_jkt", "neither");
    if (nonce != NULL && (len < 16 || len > 64))
        return mru_refuse(&op->err, MEREAU_E_ARG, "retry_nonce.length", NULL,
                          "16..64 random bytes", "another length");
    if (r->jkt != NULL && strlen(r->jkt) != 43)
        return mru_refuse(&op->err, MEREAU_E_ARG, "device_jkt.form",
                          "RFC 7638 3", "43 base64url characters",
                          "another length");
    if (nonce != NULL &&
        mru_digest(asked->nonce, "retry nonce", nonce, len) != 0)
        return MEREAU_E_CRYPTO;
    return MEREAU_OK;
}

/* The record that all is about, and the heads that stand above it. */
static mereau_status name_all(const mereau_op *op, const struct redeem *r,
                              struct asked *asked) {
    static const uint8_t none[MRU_HEAD_LEN] = {0};
    struct mru_cred *names = &asked->names;
    if (mru_enrolment_id(asked->enrolment_id, op->tenant->name, asked->cred.id,
                         r->device_id) != 0)
        return MEREAU_E_CRYPTO;
    *names = asked->cred;
    memcpy(names->id, asked->enrolment_id, MRU_ID_LEN);
    memcpy(names->registration, asked->cred.id, MRU_HEAD_LEN);
    if (mru_head(names->device, 'd', r->device_id) != 0)
        return MEREAU_E_CRYPTO;
    if (memcmp(names->subject, none, sizeof none) == 0 &&
        mru_head(names->subject, 's', r->device_id) != 0)
        return MEREAU_E_CRYPTO;
    return MEREAU_OK;
}

static mereau_status read_asked(mereau_op *op, const struct redeem *r,
                                struct asked *asked) {
    size_t len;
    const char *token =
        (const char *)mru_bag_data(&op->in, MEREAU_REGISTRATION_TOKEN, &len);
    mereau_status status = mru_cred_parse(&asked->cred, MRU_CRED_REGISTRATION,
                                          token, len, &op->err);
    if (status == MEREAU_OK)
        status = mru_check_length(op, MEREAU_DEVICE_ID, 128);
    if (status != MEREAU_OK)
        return status;
    if (memcmp(asked->cred.tag, op->tenant->tag, sizeof asked->cred.tag) != 0)
        return mru_refuse(&op->err, MEREAU_E_UNKNOWN, "credential.tenant", NULL,
                          "a token that this tenant issued",
                          "another tenant's");
    status = read_nonce(op, r, asked);
    return status == MEREAU_OK ? name_all(op, r, asked) : status;
}

static mereau_status read_inputs(mereau_op *op, struct redeem *r) {
    struct asked asked;
    mereau_status status;
    r->device_id = mru_bag_text(&op->in, MEREAU_DEVICE_ID);
    r->jkt = mru_bag_text(&op->in, MEREAU_DEVICE_JKT);
    r->has_nonce = mru_bag_has(&op->in, MEREAU_RETRY_NONCE);
    r->asked = op->tx.memo[0].p;
    if (r->asked != NULL)
        return MEREAU_OK;
    memset(&asked, 0, sizeof asked);
    status = read_asked(op, r, &asked);
    if (status == MEREAU_OK) {
        r->asked = mru_tx_keep(&op->tx, 0, &asked, sizeof asked);
        status = r->asked == NULL ? MEREAU_E_NOMEM : MEREAU_OK;
    }
    mru_wipe(&asked, sizeof asked);
    return status;
}

/* All of the first get. */
static mereau_status want(mereau_op *op, struct redeem *r) {
    const struct mru_cred *cred = &r->asked->cred;
    const struct mru_cred *names = &r->asked->names;
    mereau_status status;
    r->first_slot = (uint8_t)(mru_get_u32(names->device) %
                              (cred->slots == 0 ? 1 : cred->slots));
    mru_key_registration(&r->token_key, cred->id);
    mru_key_slot(&r->slot_key, cred->id, r->first_slot);
    status = mru_family_want(op, &r->family, names, 0);
    if (status == MEREAU_OK)
        status = mru_tx_want(&op->tx, &r->token_key);
    if (status == MEREAU_OK)
        status = mru_tx_want(&op->tx, &r->slot_key);
    return status;
}

/* Reads the token's record and proves the secret. */
static mereau_status prove(mereau_op *op, struct redeem *r) {
    const struct mru_root_key *root = mru_root_find(op, r->asked->cred.epoch);
    struct mru_cred own = r->asked->cred;
    uint8_t salt[MRU_SALT_LEN];
    int there, equal;
    mereau_status status =
        mru_tx_get_bag(&op->tx, &r->token_key, &r->token, &there);
    if (status != MEREAU_OK)
        return status;
    if (!there || root == NULL)
        return mru_refuse(&op->err, MEREAU_E_UNKNOWN, "registration_token.id",
                          NULL, "a token that this tenant issued",
                          "no such record");
    if (!mru_bag_bytes(&r->token, MRU_F_SALT, salt, sizeof salt))
        return MEREAU_E_CORRUPT;
    if (mru_cred_derive(&own, root->derive, op->tenant->name, salt) != 0)
        return MEREAU_E_CRYPTO;
    equal = mru_equal_ct(own.secret, r->asked->cred.secret, sizeof own.secret);
    mru_wipe(&own, sizeof own);
    if (!equal)
        return mru_refuse(&op->err, MEREAU_E_UNKNOWN,
                          "registration_token.secret", NULL,
                          "a token that this tenant issued", "a wrong secret");
    return MEREAU_OK;
}

/* The records above and beside: who the device is, and whether it was here. */
static mereau_status read_around(mereau_op *op, struct redeem *r) {
    struct mru_family *family = &r->family;
    struct mru_rkey key;
    mereau_status status =
        mru_gather(op, MRU_WITH_APP, mru_bag_text(&r->token, MEREAU_CLIENT_ID),
                   &family->above);
    if (status == MEREAU_OK)
        status = mru_tx_get_bag(&op->tx, &family->key, &family->record,
                                &r->enrolled);
    mru_key_names(&key, 's', family->subject_head);
    if (status == MEREAU_OK)
        status = mru_tx_get_bag(&op->tx, &key, &family->subject,
                                &family->subject_there);
    mru_key_names(&key, 'd', family->device_head);
    if (status == MEREAU_OK)
        status = mru_tx_get_bag(&op->tx, &key, &family->device,
                                &family->device_there);
    family->levels[MRU_LEVEL_TENANT] = family->above.tenant;
    family->levels[MRU_LEVEL_APP] = family->above.app;
    family->levels[MRU_LEVEL_SUBJECT] =
        family->subject_there ? &family->subject : NULL;
    family->levels[MRU_LEVEL_DEVICE] =
        family->device_there ? &family->device : NULL;
    r->subject = mru_bag_text(&r->token, MEREAU_SUBJECT);
    if (r->subject == NULL)
        r->subject = r->device_id;
    return status;
}

/* What refuses a repeat too. */
static mereau_status check_around(mereau_op *op, struct redeem *r) {
    const char *given = mru_bag_text(&op->in, MEREAU_CLIENT_ID);
    const struct mru_bag *app = r->family.above.app;
    mereau_status status = mru_check_tenant(op, &r->family.above);
    if (status == MEREAU_OK)
        status = mru_check_app(op, &r->family.above);
    if (status != MEREAU_OK)
        return status;
    if (given != NULL &&
        strcmp(given, mru_bag_text(app, MEREAU_CLIENT_ID)) != 0)
        return mru_refuse(&op->err, MEREAU_E_WRONG_APP,
                          "registration_token.client_id", NULL,
                          "the app it was minted for", "another app");
    if (mru_bag_count(app, MEREAU_GRANT_TYPE) > 0 &&
        !mru_bag_lists(app, MEREAU_GRANT_TYPE, "registration_token"))
        return mru_refuse(
            &op->err, MEREAU_E_POLICY, "app.grant_type", "RFC 7591 2",
            "an app that may use registration tokens", "one that may not");
    if (mru_bag_has(&r->token, MEREAU_REVOKED_AT))
        return mru_registration_open(&r->token, op->now_at, &op->err);
    if (r->family.device_there &&
        mru_bag_int_or(&r->family.device, MRU_F_BLOCKED, 0) != 0)
        return mru_refuse(&op->err, MEREAU_E_BLOCKED, "device.blocked", NULL,
                          "a device that is not blocked", "a blocked one");
    return MEREAU_OK;
}

/* --- the answer --- */

static mereau_status give(mereau_op *op, struct redeem *r, int repeated) {
    const struct mru_bag *record = &r->family.record;
    const struct mru_root_key *root = NULL;
    struct mru_cred cred = {0};
    uint8_t salt[MRU_SALT_LEN];
    char text[MRU_CRED_MAX], id[MRU_ID_TEXT];
    mereau_status status = MEREAU_OK;
    cred.kind = MRU_CRED_AUTH;
    memcpy(cred.tag, op->tenant->tag, sizeof cred.tag);
    memcpy(cred.id, r->asked->enrolment_id, MRU_ID_LEN);
    memcpy(cred.subject, r->family.subject_head, MRU_HEAD_LEN);
    memcpy(cred.device, r->family.device_head, MRU_HEAD_LEN);
    memcpy(cred.registration, r->asked->cred.id, MRU_HEAD_LEN);
    cred.generation = (uint32_t)mru_bag_int_or(record, MRU_F_REARMED, 0);
    if (mru_bag_bytes(record, MRU_F_EPOCH, cred.epoch, 2))
        root = mru_root_find(op, cred.epoch);
    if (root == NULL || !mru_bag_bytes(record, MRU_F_SALT, salt, sizeof salt))
        return MEREAU_E_CORRUPT;
    if (mru_cred_derive(&cred, root->derive, op->tenant->name, salt) != 0 ||
        mru_cred_print(text, &cred) == 0)
        status = MEREAU_E_CRYPTO;
    mru_id_print(id, r->asked->enrolment_id);
    if (status == MEREAU_OK) {
        mru_bag_set_text(&op->out, MEREAU_AUTH_TOKEN, text);
        mru_bag_set_text(&op->out, MEREAU_AUTH_TOKEN_ID, id);
        mru_bag_set_int(&op->out, MEREAU_EXPIRES_AT, 'I',
                        mru_bag_int_or(record, MRU_F_AUTH_ENDS, 0));
        mru_bag_copy(&op->out, record, MEREAU_CLIENT_ID);
        mru_bag_set_int(&op->out, MEREAU_REPEATED, 'B', repeated);
        mru_bag_set_int(&op->event, MEREAU_REPEATED, 'B', repeated);
        mru_bag_set_text(&op->event, MEREAU_AUTH_TOKEN_ID, id);
    }
    mru_wipe(&cred, sizeof cred);
    mru_wipe(text, sizeof text);
    return status;
}

static mereau_status refuse_enrolled(mereau_op *op, const char *rule,
                                     const char *found) {
    return mru_refuse(&op->err, MEREAU_E_ENROLLED, rule, NULL,
                      "a device that has not enrolled, or proves that it is "
                      "the one asking again",
                      found);
}

/* The device was here before: the same answer for the one who proves it. */
static mereau_status repeat(mereau_op *op, struct redeem *r) {
    const struct mru_bag *record = &r->family.record;
    const char *jkt = mru_bag_text(record, MEREAU_DEVICE_JKT);
    uint8_t nonce[32];
    int64_t step = mru_bag_int(record, MRU_F_STEP);
    int proved = (r->has_nonce &&
                  mru_bag_bytes(record, MRU_F_NONCE, nonce, sizeof nonce) &&
                  mru_equal_ct(nonce, r->asked->nonce, sizeof nonce)) ||
                 (jkt != NULL && r->jkt != NULL && strcmp(jkt, r->jkt) == 0);
    if (mru_born_load(&r->family.born, record) != 0)
        return MEREAU_E_CORRUPT;
    if (!proved)
        return refuse_enrolled(op, "device.enrolled",
                               "an enrolled one with another secret");
    if (step == MRU_STEP_ENDED)
        return mru_refuse(&op->err, MEREAU_E_REVOKED, "auth_token.revoked",
                          NULL, "an auth token in force", "a revoked one");
    if (step == MRU_STEP_FAMILY)
        return refuse_enrolled(op, "auth_token.used",
                               "one whose auth token was exchanged");
    if (op->now_at >= mru_bag_int_or(record, MRU_F_AUTH_ENDS, 0))
        return mru_refuse(&op->err, MEREAU_E_EXPIRED, "auth_token.lifetime",
                          NULL, "an auth token that lives", "an expired one");
    if (mru_not_before(&r->family.born, r->family.levels) >= 0)
        return mru_refuse(&op->err, MEREAU_E_NOT_BEFORE, "not_before", NULL,
                          "an auth token issued after the not-before",
                          "an older one");
    return give(op, r, 1);
}

/* --- counts --- */

static int has_count(const struct mru_bag *slot) {
    return mru_bag_int_or(slot, MRU_F_USED, 0) <
           mru_bag_int_or(slot, MRU_F_QUOTA, 0);
}

/* The device's own sub-count, else the next one that has any. Only when all are
 * empty in one snapshot is the token used up. */
static mereau_status find_slot(mereau_op *op, struct redeem *r) {
    uint8_t slots = (uint8_t)mru_bag_int_or(&r->token, MRU_F_SLOTS, 1);
    char wanted[96];
    int there;
    mereau_status status =
        mru_tx_get_bag(&op->tx, &r->slot_key, &r->slot, &there);
    if (status != MEREAU_OK || (there && has_count(&r->slot)))
        return status;
    for (uint8_t i = 1; i < slots; i++) {
        struct mru_rkey key;
        mru_key_slot(&key, r->asked->cred.id,
                     (uint8_t)((r->first_slot + i) % slots));
        status = mru_tx_want(&op->tx, &key);
        if (status != MEREAU_OK)
            return status;
    }
    for (uint8_t i = 1; i < slots; i++) {
        mru_bag_free(&r->slot);
        mru_key_slot(&r->slot_key, r->asked->cred.id,
                     (uint8_t)((r->first_slot + i) % slots));
        status = mru_tx_get_bag(&op->tx, &r->slot_key, &r->slot, &there);
        if (status != MEREAU_OK || (there && has_count(&r->slot)))
            return status;
    }
    mru_say(wanted, sizeof wanted, "at most %lld devices",
            (long long)mru_bag_int_or(&r->token, MEREAU_COUNT, 0));
    return mru_refuse(&op->err, MEREAU_E_USED_UP, "registration_token.count",
                      NULL, wanted, "one more");
}

static mereau_status take_count(mereau_op *op, struct redeem *r) {
    mereau_status status = find_slot(op, r);
    if (status != MEREAU_OK)
        return status;
    mru_bag_set_int(&r->slot, MRU_F_USED, 'I',
                    mru_bag_int_or(&r->slot, MRU_F_USED, 0) + 1);
    mru_bag_set_int(&r->slot, MEREAU_LAST_USED_AT, 'I', op->now_at);
    return mru_tx_put(&op->tx, &r->slot_key, &r->slot,
                      mru_registration_drop_at(&r->token));
}

/* --- the record --- */

static mereau_status fill(mereau_op *op, struct redeem *r) {
    static const int32_t told[] = {MEREAU_REMOTE_ADDRESS, MEREAU_USER_AGENT,
                                   MEREAU_HOST_NAME,      MEREAU_SYSTEM_USER,
                                   MEREAU_DEVICE_INFO,    MEREAU_REFERENCE,
                                   MEREAU_DEVICE_JKT,     0};
    struct mru_bag *record = &r->family.record;
    const struct mru_above *above = &r->family.above;
    uint8_t salt[MRU_SALT_LEN];
    char id[MRU_ID_TEXT];
    int64_t lifetime =
        mru_setting(above, MEREAU_AUTH_LIFETIME_S, MRU_DEFAULT_AUTH_S);
    if (mru_tx_random(&op->tx, "salt", 0, salt, sizeof salt) != 0)
        return MEREAU_E_CRYPTO;
    mru_id_print(id, r->asked->cred.id);
    mru_bag_set_text(record, MEREAU_REGISTRATION_TOKEN_ID, id);
    mru_bag_copy(record, &r->token, MEREAU_CLIENT_ID);
    mru_bag_set_text(record, MEREAU_DEVICE_ID, r->device_id);
    mru_bag_set_text(record, MEREAU_SUBJECT, r->subject);
    mru_bag_copy(record,
                 mru_bag_has(&r->token, MEREAU_SCOPE) ? &r->token : above->app,
                 MEREAU_SCOPE);
    mru_bag_copy(record,
                 mru_bag_has(&r->token, MEREAU_AUDIENCE) ? &r->token
                                                         : above->app,
                 MEREAU_AUDIENCE);
    for (size_t i = 0; told[i] != 0; i++)
        mru_bag_copy(record, &op->in, told[i]);
    mru_bag_set_int(record, MRU_F_STEP, 'I', MRU_STEP_ENROLLED);
    mru_bag_set_int(record, MRU_F_AUTH_ENDS, 'I',
                    mru_add_time(op->now_at, lifetime));
    mru_bag_set_int(record, MEREAU_UNTIL_AT, 'I',
                    mru_bag_int_or(&r->token, MEREAU_EXPIRES_AT, 0));
    mru_bag_set_data(record, MRU_F_SALT, 'D', salt, sizeof salt);
    mru_bag_set_data(record, MRU_F_EPOCH, 'D', mru_root_newest(op)->epoch, 2);
    if (r->has_nonce)
        mru_bag_set_data(record, MRU_F_NONCE, 'D', r->asked->nonce,
                         sizeof r->asked->nonce);
    mru_born_now(&r->family.born, r->family.levels, op->now_at);
    mru_born_store(record, &r->family.born);
    return record->failed ? MEREAU_E_NOMEM : MEREAU_OK;
}

/* The administrator let it in again: same count, new secret, all old is dead. */
static void clear_for_rearm(struct mru_bag *record) {
    struct mru_bag kept = {0};
    mru_bag_copy(&kept, record, MRU_F_TAGS);
    mru_bag_copy(&kept, record, MRU_F_REARMED);
    mru_bag_copy(&kept, record, MEREAU_CREATED_AT);
    kept.failed |= record->failed;
    mru_bag_free(record);
    *record = kept;
}

static mereau_status enrol(mereau_op *op, struct redeem *r) {
    struct mru_rkey keys[MRU_ENROLMENT_INDEXES];
    int n;
    mereau_status status =
        mru_registration_open(&r->token, op->now_at, &op->err);
    if (status == MEREAU_OK)
        status =
            mru_registration_admits(&r->token, r->device_id, r->jkt, &op->err);
    if (status == MEREAU_OK && r->enrolled)
        clear_for_rearm(&r->family.record);
    else if (status == MEREAU_OK)
        status = take_count(op, r);
    if (status != MEREAU_OK)
        return status;
    if (!r->enrolled)
        mru_bag_set_int(&r->family.record, MEREAU_CREATED_AT, 'I', op->now_at);
    status = fill(op, r);
    if (status == MEREAU_OK)
        status = mru_check_room(op, &r->family.record, MRU_ROOM_TO_END);
    if (status == MEREAU_OK)
        status = give(op, r, 0);
    if (status == MEREAU_OK)
        status = mru_family_put(op, &r->family);
    if (status == MEREAU_OK)
        status = mru_tx_check(&op->tx, &r->token_key);
    if (status == MEREAU_OK)
        status = mru_family_check_heads(op, &r->family);
    if (status != MEREAU_OK || (mru_op_caps(op) & MEREAU_CAP_ORDERED) == 0)
        return status; /* nobody scans */
    n = mru_enrolment_index_keys(&r->family.record, r->asked->enrolment_id,
                                 keys, MRU_ENROLMENT_INDEXES);
    return n > 0 ? mru_put_index(op, keys, n, 0) : MEREAU_E_CRYPTO;
}

static void describe(mereau_op *op, const struct redeem *r) {
    char id[MRU_ID_TEXT];
    mru_id_print(id, r->asked->cred.id);
    mru_bag_set_text(&op->event, MEREAU_REGISTRATION_TOKEN_ID, id);
    mru_bag_set_text(&op->event, MEREAU_DEVICE_ID, r->device_id);
    mru_bag_copy(&op->event, &r->token, MEREAU_CLIENT_ID);
    mru_bag_copy(&op->event, &op->in, MEREAU_REMOTE_ADDRESS);
    mru_bag_copy(&op->event, &op->in, MEREAU_USER_AGENT);
}

static mereau_status decide_redeem(mereau_op *op) {
    struct redeem r;
    mereau_status status;
    memset(&r, 0, sizeof r);
    status = read_inputs(op, &r);
    if (status == MEREAU_OK)
        status = want(op, &r);
    if (status == MEREAU_OK)
        status = prove(op, &r);
    if (status == MEREAU_OK) {
        describe(op, &r);
        status = read_around(op, &r);
    }
    if (status == MEREAU_OK)
        status = check_around(op, &r);
    if (status == MEREAU_OK)
        status = r.enrolled && mru_bag_int(&r.family.record, MRU_F_STEP) !=
                                   MRU_STEP_REARMED
                     ? repeat(op, &r)
                     : enrol(op, &r);
    mru_family_free(&r.family);
    mru_bag_free(&r.token);
    mru_bag_free(&r.slot);
    mru_wipe(&r, sizeof r);
    return status;
}

static const int32_t must[] = {MEREAU_REGISTRATION_TOKEN, MEREAU_DEVICE_ID, 0};
static const int32_t takes[] = {MEREAU_RETRY_NONCE, MEREAU_DEVICE_JKT,
                                MEREAU_CLIENT_ID,   MEREAU_REMOTE_ADDRESS,
                                MEREAU_USER_AGENT,  MEREAU_HOST_NAME,
                                MEREAU_SYSTEM_USER, MEREAU_DEVICE_INFO,
                                MEREAU_REFERENCE,   0};

const struct mru_op_class mru_class_registration_token_redeem = {
    "registration_token_redeem",
    "registration_token.redeem",
    MRU_OP_LINEAR,
    must,
    takes,
    NULL,
    decide_redeem};

mereau_op *mereau_registration_token_redeem(const mereau_tenant *tenant,
                                            const char *registration_token,
                                            const char *device_id,
                                            const uint8_t *retry_nonce,
                                            size_t retry_nonce_len) {
    mereau_op *op = mru_op_make(tenant, &mru_class_registration_token_redeem);
    mereau_op_set_text(op, MEREAU_REGISTRATION_TOKEN, registration_token);
    mereau_op_set_text(op, MEREAU_DEVICE_ID, device_id);
    mereau_op_set_bytes(op, MEREAU_RETRY_NONCE, retry_nonce, retry_nonce_len);
    return op;
}
