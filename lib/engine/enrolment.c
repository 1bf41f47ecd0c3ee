/* lib/engine/enrolment.c - reading, proving, checking, ending and listing the
 * record of one device's life. */
#include "enrolment.h"

#include "client_auth.h"

void mru_key_enrolment(struct mru_rkey *key, const uint8_t id[MRU_ID_LEN]) {
    mru_rkey_set(key, 'e', id, MRU_ID_LEN);
}

void mru_key_cascade(struct mru_rkey *key, const uint8_t head[MRU_HEAD_LEN]) {
    mru_rkey_set(key, 'c', head, MRU_HEAD_LEN);
}

int mru_enrolment_id(uint8_t id[MRU_ID_LEN], const char *tenant,
                     const uint8_t token_id[MRU_ID_LEN],
                     const char *device_id) {
    uint8_t digest[MRU_SHA256];
    mereau_slice parts[4] = {{(const uint8_t *)"mereau enrolment", 17},
                             {(const uint8_t *)tenant, strlen(tenant) + 1},
                             {token_id, MRU_ID_LEN},
                             {(const uint8_t *)device_id, strlen(device_id)}};
    int failed = mru_hash(MRU_SHA256, parts, 4, digest);
    memcpy(id, digest, MRU_ID_LEN);
    return failed;
}

static void keys_of(const struct mru_family *family, struct mru_rkey keys[6]) {
    keys[0] = family->key;
    mru_key_names(&keys[1], 's', family->subject_head);
    mru_key_names(&keys[2], 'd', family->device_head);
    mru_rkey_bucket(&keys[3], family->subject_head);
    mru_rkey_bucket(&keys[4], family->device_head);
    mru_key_cascade(&keys[5], family->registration_head);
}

mereau_status mru_family_want(mereau_op *op, struct mru_family *family,
                              const struct mru_cred *cred, uint32_t with) {
    struct mru_rkey keys[6];
    mereau_status status = mru_gather_want(op, with & MRU_WITH_FRESH, NULL);
    mru_key_enrolment(&family->key, cred->id);
    memcpy(family->subject_head, cred->subject, MRU_HEAD_LEN);
    memcpy(family->device_head, cred->device, MRU_HEAD_LEN);
    memcpy(family->registration_head, cred->registration, MRU_HEAD_LEN);
    keys_of(family, keys);
    for (size_t i = 0; i < 6 && status == MEREAU_OK; i++)
        status = mru_tx_want(&op->tx, &keys[i]);
    return status;
}

void mru_family_free(struct mru_family *family) {
    mru_bag_free(&family->record);
    mru_bag_free(&family->subject);
    mru_bag_free(&family->device);
}

static mereau_status unknown(mereau_op *op, const char *rule,
                             const char *found) {
    return mru_refuse(&op->err, MEREAU_E_UNKNOWN, rule, NULL,
                      "a token that this tenant issued", found);
}

/* Derives the secret anew and compares it in constant time. */
static mereau_status prove(mereau_op *op, const struct mru_bag *record,
                           const struct mru_cred *cred) {
    const struct mru_root_key *root = mru_root_find(op, cred->epoch);
    struct mru_cred own = *cred;
    uint8_t salt[MRU_SALT_LEN];
    int equal;
    if (root == NULL)
        return unknown(op, "credential.epoch", "one of another root key");
    if (!mru_bag_bytes(record, MRU_F_SALT, salt, sizeof salt))
        return MEREAU_E_CORRUPT;
    if (mru_cred_derive(&own, root->derive, op->tenant->name, salt) != 0)
        return MEREAU_E_CRYPTO;
    equal = mru_equal_ct(own.secret, cred->secret, sizeof own.secret);
    mru_wipe(&own, sizeof own);
    return equal ? MEREAU_OK
                 : unknown(op, "credential.secret", "a wrong secret");
}

mereau_status mru_family_read(mereau_op *op, struct mru_family *family,
                              const struct mru_cred *cred, uint32_t with) {
    struct mru_rkey keys[6];
    const struct mru_rec *cascade;
    int there = 0;
    mereau_status status = mru_family_want(op, family, cred, with);
    keys_of(family, keys);
    if (status == MEREAU_OK)
        status = mru_tx_get_bag(&op->tx, &keys[0], &family->record, &there);
    if (status == MEREAU_OK && !there)
        return unknown(op, "credential.id", "no such record");
    if (status == MEREAU_OK && cred->kind != 0)
        status = prove(op, &family->record, cred);
    if (status == MEREAU_OK)
        status = mru_tx_get_bag(&op->tx, &keys[1], &family->subject,
                                &family->subject_there);
    if (status == MEREAU_OK)
        status = mru_tx_get_bag(&op->tx, &keys[2], &family->device,
                                &family->device_there);
    if (status == MEREAU_OK)
        status = mru_tx_get(&op->tx, &keys[5], &cascade);
    if (status != MEREAU_OK)
        return status;
    if (cascade != NULL)
        return mru_refuse(&op->err, MEREAU_E_REVOKED,
                          "registration_token.cascade", NULL,
                          "a registration token that was not revoked with all "
                          "it led to",
                          "one that was");
    if (mru_bag_text(&family->record, MEREAU_CLIENT_ID) == NULL ||
        mru_born_load(&family->born, &family->record) != 0)
        return MEREAU_E_CORRUPT;
    status = mru_gather(op, with | MRU_WITH_APP,
                        mru_bag_text(&family->record, MEREAU_CLIENT_ID),
                        &family->above);
    family->levels[MRU_LEVEL_TENANT] = family->above.tenant;
    family->levels[MRU_LEVEL_APP] = family->above.app;
    family->levels[MRU_LEVEL_SUBJECT] =
        family->subject_there ? &family->subject : NULL;
    family->levels[MRU_LEVEL_DEVICE] =
        family->device_there ? &family->device : NULL;
    return status;
}

mereau_status mru_family_load(mereau_op *op, struct mru_family *family,
                              const struct mru_cred *cred, uint32_t with) {
    if (memcmp(cred->tag, op->tenant->tag, sizeof cred->tag) != 0)
        return unknown(op, "credential.tenant", "another tenant's");
    return mru_family_read(op, family, cred, with);
}

mereau_status mru_family_check(mereau_op *op, struct mru_family *family) {
    static const char *const rules[] = {"not_before.tenant", "not_before.app",
                                        "not_before.subject",
                                        "not_before.device"};
    const struct mru_bag *record = &family->record;
    mereau_status status = mru_check_tenant(op, &family->above);
    int level;
    if (status == MEREAU_OK)
        status = mru_check_app(op, &family->above);
    if (status != MEREAU_OK)
        return status;
    if (mru_bag_int(record, MRU_F_STEP) == MRU_STEP_ENDED) {
        const char *by = mru_bag_text(record, MRU_F_ENDED_BY);
        return mru_refuse(&op->err, MEREAU_E_REVOKED, "family.ended", NULL,
                          "a family that lives",
                          by != NULL && strcmp(by, "reuse") == 0
                              ? "one that a reuse has ended"
                              : "a revoked one");
    }
    if (mru_bag_int(record, MRU_F_STEP) == MRU_STEP_REARMED)
        return mru_refuse(&op->err, MEREAU_E_REVOKED, "family.rearmed", NULL,
                          "a family that lives",
                          "one whose device may enrol again");
    level = mru_not_before(&family->born, family->levels);
    if (level < 0)
        return MEREAU_OK;
    return mru_refuse(&op->err, MEREAU_E_NOT_BEFORE, rules[level], NULL,
                      "a token issued after the not-before", "an older one");
}

mereau_status mru_family_client(mereau_op *op, const struct mru_family *family,
                                int *proved) {
    const char *client_id = mru_bag_text(&family->record, MEREAU_CLIENT_ID);
    const char *given = mru_bag_text(&op->in, MEREAU_CLIENT_ID);
    const char *secret = mru_bag_text(&op->in, MEREAU_CLIENT_SECRET);
    const char *jkt = mru_bag_text(&family->record, MEREAU_DEVICE_JKT);
    const char *given_jkt = mru_bag_text(&op->in, MEREAU_DEVICE_JKT);
    *proved = 0;
    if (given != NULL && strcmp(given, client_id) != 0)
        return mru_refuse(&op->err, MEREAU_E_WRONG_APP, "token.client_id",
                          "RFC 6749 6", "the app it was issued to",
                          "another app");
    if (jkt != NULL && (given_jkt == NULL || strcmp(jkt, given_jkt) != 0))
        return mru_refuse(&op->err, MEREAU_E_DEVICE, "token.device_key",
                          "RFC 9449 5", "proof of the device's key",
                          given_jkt == NULL ? "none" : "another key");
    if (jkt != NULL)
        *proved = 1;
    if (mru_bag_int_or(family->above.app, MEREAU_CONFIDENTIAL, 0) == 0 &&
        secret == NULL)
        return MEREAU_OK;
    mereau_status status = mru_client_authenticate(op, &family->above, secret);
    if (status == MEREAU_OK)
        *proved = 1;
    return status;
}

mereau_status mru_family_check_heads(mereau_op *op,
                                     const struct mru_family *family) {
    mereau_status status = mru_check_head(op);
    if (status == MEREAU_OK)
        status = mru_check_bucket(op, family->subject_head);
    if (status == MEREAU_OK)
        status = mru_check_bucket(op, family->device_head);
    return status;
}

static int64_t later(int64_t a, int64_t b) { return a > b ? a : b; }

int64_t mru_enrolment_ends(const struct mru_bag *record) {
    int64_t ends = mru_bag_int_or(record, MRU_F_AUTH_ENDS, 0);
    if (mru_bag_int(record, MRU_F_STEP) == MRU_STEP_FAMILY) {
        ends = mru_bag_int_or(record, MRU_F_REFRESH_ENDS, 0);
        ends = later(ends, mru_bag_int_or(record, MRU_F_ACCESS_ENDS, 0));
    }
    return ends;
}

mereau_status mru_family_put(mereau_op *op, struct mru_family *family) {
    const struct mru_bag *record = &family->record;
    int64_t ends = later(mru_enrolment_ends(record), op->now_at);
    ends = later(ends, mru_bag_int_or(record, MEREAU_UNTIL_AT, 0));
    ends = mru_add_time(ends, MRU_LEDGER_S);
    ends = mru_add_time(ends, mru_bag_int_or(family->above.tenant,
                                             MEREAU_MAX_LIFETIME_S,
                                             MRU_DEFAULT_MAX_LIFETIME_S));
    mru_tx_witness(&op->tx, &family->key);
    return mru_tx_put(&op->tx, &family->key, &family->record, ends);
}

mereau_status mru_family_end(mereau_op *op, struct mru_family *family,
                             const char *ended_by) {
    struct mru_bag *record = &family->record;
    mru_bag_set_int(record, MRU_F_STEP, 'I', MRU_STEP_ENDED);
    mru_bag_set_int(record, MEREAU_REVOKED_AT, 'I', op->now_at);
    mru_bag_set_text(record, MRU_F_ENDED_BY, ended_by);
    return mru_family_put(op, family);
}

const char *mru_enrolment_state(const struct mru_bag *record, int64_t now_at) {
    int64_t step = mru_bag_int(record, MRU_F_STEP);
    if (step == MRU_STEP_ENDED)
        return "revoked";
    if (step == MRU_STEP_REARMED)
        return "rearmed";
    if (now_at >= mru_enrolment_ends(record))
        return "expired";
    return "active";
}

void mru_enrolment_show(struct mru_bag *out, const struct mru_bag *record,
                        const uint8_t id[MRU_ID_LEN], int64_t now_at) {
    static const int32_t shown[] = {MEREAU_REGISTRATION_TOKEN_ID,
                                    MEREAU_CLIENT_ID,
                                    MEREAU_DEVICE_ID,
                                    MEREAU_SUBJECT,
                                    MEREAU_SCOPE,
                                    MEREAU_AUDIENCE,
                                    MEREAU_CREATED_AT,
                                    MEREAU_LAST_USED_AT,
                                    MEREAU_REVOKED_AT,
                                    MEREAU_REMOTE_ADDRESS,
                                    MEREAU_USER_AGENT,
                                    MEREAU_HOST_NAME,
                                    MEREAU_SYSTEM_USER,
                                    MEREAU_DEVICE_INFO,
                                    MEREAU_REFERENCE,
                                    MEREAU_DEVICE_JKT,
                                    0};
    char text[MRU_ID_TEXT];
    mru_id_print(text, id);
    mru_bag_set_text(out, MEREAU_AUTH_TOKEN_ID, text);
    if (mru_bag_int_or(record, MRU_F_GENERATION, 0) > 0)
        mru_bag_set_text(out, MEREAU_FAMILY_ID, text);
    for (size_t i = 0; shown[i] != 0; i++)
        mru_bag_copy(out, record, shown[i]);
    mru_bag_set_int(out, MEREAU_EXPIRES_AT, 'I', mru_enrolment_ends(record));
    mru_bag_set_text(out, MEREAU_STATE, mru_enrolment_state(record, now_at));
}

int mru_enrolment_index_keys(const struct mru_bag *record,
                             const uint8_t id[MRU_ID_LEN],
                             struct mru_rkey *keys, size_t max) {
    const char *device = mru_bag_text(record, MEREAU_DEVICE_ID);
    const char *subject = mru_bag_text(record, MEREAU_SUBJECT);
    const char *client = mru_bag_text(record, MEREAU_CLIENT_ID);
    const char *token = mru_bag_text(record, MEREAU_REGISTRATION_TOKEN_ID);
    int64_t at = mru_bag_int_or(record, MEREAU_CREATED_AT, 0);
    uint8_t head[MRU_HEAD_LEN], token_id[MRU_ID_LEN];
    if (max < MRU_ENROLMENT_INDEXES || device == NULL || subject == NULL ||
        client == NULL || mru_id_read(token_id, token) != 0)
        return 0;
    mru_rkey_entry(&keys[0], MRU_LIST_ENROLMENTS, NULL, 0, at, id);
    mru_rkey_entry(&keys[1], MRU_LIST_TOKEN_ENROLMENTS, token_id, MRU_ID_LEN,
                   at, id);
    mru_rkey_entry(&keys[2], MRU_LIST_APP_ENROLMENTS, client, strlen(client),
                   at, id);
    if (mru_head(head, 'd', device) != 0)
        return 0;
    mru_rkey_entry(&keys[3], MRU_LIST_DEVICE_ENROLMENTS, head, MRU_HEAD_LEN, at,
                   id);
    if (mru_head(head, 's', subject) != 0)
        return 0;
    mru_rkey_entry(&keys[4], MRU_LIST_SUBJECT_ENROLMENTS, head, MRU_HEAD_LEN,
                   at, id);
    return MRU_ENROLMENT_INDEXES;
}

mereau_status mru_put_index(mereau_op *op, const struct mru_rkey *keys, int n,
                            int64_t drop_at) {
    struct mru_bag empty = {0};
    mereau_status status = MEREAU_OK;
    if ((mru_op_caps(op) & MEREAU_CAP_ORDERED) == 0)
        return MEREAU_OK;
    for (int i = 0; i < n && status == MEREAU_OK; i++)
        status = mru_tx_put_any(&op->tx, &keys[i], &empty, drop_at);
    mru_bag_free(&empty);
    return status;
}
