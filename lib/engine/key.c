/* lib/engine/key.c - a tenant's signing keys: generated, imported, retired,
 * listed, published. What to do when one leaked is in key_revoke.c. */
#include <mereau/key.h>

#include "admin.h"
#include "classes_admin.h"

/* --- adding --- */

/* From when on it signs: not before all verifiers have had time to fetch it. */
static mereau_status find_signs_at(mereau_op *op, int64_t *signs_at) {
    int64_t at = mru_bag_int(&op->in, MEREAU_SIGNS_AT);
    int64_t last = mru_add_time(op->now_at, MRU_MAX_LIFETIME_LIMIT_S);
    if (at == MEREAU_UNSET)
        at = mru_add_time(op->now_at, MRU_DAY_S);
    *signs_at = at;
    if (at < mru_add_time(op->now_at, MRU_KEY_LEAD_S))
        return mru_refuse(&op->err, MEREAU_E_TOO_EARLY, "key.signs_at", NULL,
                          "at least an hour between publishing and signing",
                          "less");
    return mru_check_range(op, MEREAU_SIGNS_AT, op->now_at, last);
}

static mereau_status check_new(mereau_op *op, int32_t *alg,
                               struct mru_key_entry *entry) {
    mereau_status status = mru_asked_alg(op, 0, alg);
    memset(entry, 0, sizeof *entry);
    entry->client_id = mru_bag_text(&op->in, MEREAU_CLIENT_ID);
    entry->key_label = mru_bag_text(&op->in, MEREAU_KEY_LABEL);
    entry->label = mru_bag_text(&op->in, MEREAU_LABEL);
    if (status == MEREAU_OK)
        status = mru_check_length(op, MEREAU_CLIENT_ID, 128);
    if (status == MEREAU_OK)
        status = mru_check_length(op, MEREAU_LABEL, 256);
    if (status == MEREAU_OK)
        status = find_signs_at(op, &entry->signs_at);
    return status;
}

/* Reads the ring, and the app whose key it is to be. */
static mereau_status open_for_new(mereau_op *op, struct mru_admin *admin,
                                  const struct mru_key_entry *entry) {
    struct mru_bag app = {0};
    struct mru_rkey key;
    mereau_status status = MEREAU_OK;
    if (entry->client_id != NULL) {
        mru_key_app(&key, entry->client_id);
        status = mru_tx_want(&op->tx, &key);
    }
    if (status == MEREAU_OK)
        status = mru_admin_open(op, admin, 1);
    if (status == MEREAU_OK && entry->client_id != NULL)
        status = mru_admin_app(op, entry->client_id, &app);
    if (status == MEREAU_OK &&
        mru_keyring_live(admin->ring, op->now_at) >= MRU_MAX_RING)
        status = mru_refuse(&op->err, MEREAU_E_POLICY, "key.count", NULL,
                            "at most 64 keys that are not dropped", "more");
    mru_bag_free(&app);
    return status;
}

/* Ending a leak makes up to two keys (RSA-4096: 4 KiB each), and what was dropped
 * stays named: the last key published must leave room for that. */
#define ROOM_FOR_A_LEAK 16384

/* Publishes the key, and answers. */
static mereau_status publish(mereau_op *op, struct mru_admin *admin,
                             const mru_key *key,
                             const struct mru_key_entry *entry) {
    mereau_status status = mru_keyring_add(op, admin->ring, key, entry, NULL);
    if (status == MEREAU_OK)
        status = mru_admin_commit(op, admin, MRU_CHANGED_KEYS);
    if (status == MEREAU_OK)
        status = mru_check_room(op, &admin->record, ROOM_FOR_A_LEAK);
    if (status == MEREAU_OK) {
        mru_keyring_show(&op->out, admin->ring, admin->ring->n - 1, op->now_at);
        mru_bag_copy(&op->event, &op->out, MEREAU_KID);
        mru_bag_copy(&op->event, &op->out, MEREAU_SIGNS_AT);
    }
    return status;
}

static mereau_status decide_generate(mereau_op *op) {
    struct mru_admin admin = {0};
    struct mru_key_entry entry;
    const mru_key *key;
    int32_t alg;
    mereau_status status = check_new(op, &alg, &entry);
    mru_bag_copy(&op->event, &op->in, MEREAU_CLIENT_ID);
    if (status == MEREAU_OK)
        status = open_for_new(op, &admin, &entry);
    if (status == MEREAU_OK)
        status = mru_made_key(op, 0, alg, &key);
    if (status == MEREAU_OK)
        status = publish(op, &admin, key, &entry);
    mru_admin_close(&admin);
    return status;
}

static const int32_t alg_must[] = {MEREAU_ALG, 0};
static const int32_t generate_takes[] = {MEREAU_CLIENT_ID, MEREAU_SIGNS_AT,
                                         MEREAU_LABEL, 0};

const struct mru_op_class mru_class_key_generate = {
    "key_generate", "key.generate", 0, alg_must, generate_takes,
    NULL,           decide_generate};

static void set_alg(mereau_op *op, int32_t alg) {
    const char *name = mru_alg_name(alg);
    /* An unknown number is refused as an algorithm, not as a missing field. */
    mereau_op_set_text(op, MEREAU_ALG, name == NULL ? "unknown" : name);
}

mereau_op *mereau_key_generate(const mereau_tenant *tenant, int32_t alg) {
    mereau_op *op = mru_op_make(tenant, &mru_class_key_generate);
    set_alg(op, alg);
    return op;
}

/* --- importing --- */

/* A label names a key that the host's signer has; without a signer nothing could
 * be signed with it. A host that steps has its own way to serve the need. */
static mereau_status check_label(mereau_op *op) {
    const mereau_ctx *ctx = op->tenant->ctx;
    if (!mru_bag_has(&op->in, MEREAU_KEY_LABEL))
        return MEREAU_OK;
    if (ctx->signer.sign == NULL && ctx->store.get != NULL)
        return mru_refuse(&op->err, MEREAU_E_INCOMPLETE, "key.signer", NULL,
                          "a signer: mereau_ctx_set_signer()", "none");
    return mru_check_length(op, MEREAU_KEY_LABEL, 128);
}

static mereau_status read_key(mereau_op *op, int32_t alg, mru_key **key) {
    size_t jwk_len, pem_len;
    const uint8_t *jwk = mru_bag_data(&op->in, MEREAU_JWK, &jwk_len);
    const uint8_t *pem = mru_bag_data(&op->in, MEREAU_PEM, &pem_len);
    uint32_t flags = mru_bag_has(&op->in, MEREAU_KEY_LABEL) ? MRU_KEY_PUBLIC
                                                            : MRU_KEY_PRIVATE;
    const char *kid = mru_bag_text(&op->in, MEREAU_KID);
    struct mru_jval root;
    mereau_status status;
    if ((jwk == NULL) == (pem == NULL))
        return mru_refuse(&op->err, MEREAU_E_FIELD, "op.field", NULL,
                          "one of jwk and pem", jwk == NULL ? "none" : "both");
    if (pem != NULL) {
        status = mru_key_from_pem(key, pem, pem_len, alg, flags, &op->err);
    } else {
        status = mru_json_check(&root, jwk, jwk_len, &mru_json_default_limits,
                                &op->err);
        if (status == MEREAU_OK)
            status = mru_key_from_jwk(key, &root, alg, flags, &op->err);
    }
    if (status == MEREAU_OK)
        status = mru_check_length(op, MEREAU_KID, 128);
    if (status == MEREAU_OK && kid != NULL)
        status = mru_key_set_kid(*key, kid, strlen(kid));
    return status;
}

/* One key has one place in the ring, whatever its kid: a key that was dropped
 * because it leaked must not come back under another name. */
static mereau_status check_thumbprint(mereau_op *op,
                                      const struct mru_keyring *ring,
                                      const mru_key *key) {
    char mine[44], theirs[44];
    mereau_status status = MEREAU_OK;
    if (mru_key_thumbprint(key, mine) != 0)
        return MEREAU_E_CRYPTO;
    for (size_t i = 0; status == MEREAU_OK && i < ring->n; i++) {
        struct mru_jval root;
        mru_key *other = NULL;
        size_t len;
        const uint8_t *jwk = mru_bag_data(&ring->keys[i].row, MEREAU_JWK, &len);
        status =
            mru_json_check(&root, jwk, len, &mru_json_default_limits, &op->err);
        if (status == MEREAU_OK)
            status = mru_key_from_jwk(&other, &root, ring->keys[i].alg,
                                      MRU_KEY_PUBLIC, &op->err);
        if (status == MEREAU_OK && mru_key_thumbprint(other, theirs) != 0)
            status = MEREAU_E_CRYPTO;
        if (status == MEREAU_OK && strcmp(mine, theirs) == 0)
            status = mru_refuse(&op->err, MEREAU_E_EXISTS, "key.thumbprint",
                                "RFC 7638", "a key that is not in the ring",
                                ring->keys[i].kid);
        mru_key_free(other);
    }
    return status;
}

static mereau_status decide_import(mereau_op *op) {
    struct mru_admin admin = {0};
    struct mru_key_entry entry;
    mru_key *key = NULL;
    int32_t alg;
    mereau_status status = check_new(op, &alg, &entry);
    mru_bag_copy(&op->event, &op->in, MEREAU_CLIENT_ID);
    mru_bag_copy(&op->event, &op->in, MEREAU_KEY_LABEL);
    if (status == MEREAU_OK)
        status = check_label(op);
    if (status == MEREAU_OK)
        status = read_key(op, alg, &key);
    if (status == MEREAU_OK)
        status = open_for_new(op, &admin, &entry);
    if (status == MEREAU_OK)
        status = check_thumbprint(op, admin.ring, key);
    if (status == MEREAU_OK)
        status = publish(op, &admin, key, &entry);
    mru_admin_close(&admin);
    mru_key_free(key);
    return status;
}

static const int32_t import_takes[] = {
    MEREAU_JWK,       MEREAU_PEM,      MEREAU_KID,   MEREAU_KEY_LABEL,
    MEREAU_CLIENT_ID, MEREAU_SIGNS_AT, MEREAU_LABEL, 0};

const struct mru_op_class mru_class_key_import = {
    "key_import", "key.import", 0, alg_must, import_takes, NULL, decide_import};

mereau_op *mereau_key_import(const mereau_tenant *tenant, int32_t alg) {
    mereau_op *op = mru_op_make(tenant, &mru_class_key_import);
    set_alg(op, alg);
    return op;
}

/* --- retiring --- */

/* Another key of the same owner signs, or this one does not. */
static int is_spare(struct mru_keyring *ring, size_t i, int64_t now_at) {
    struct mru_ring_key *key = &ring->keys[i];
    int64_t signs_at = key->signs_at;
    int spare;
    if (signs_at == MEREAU_UNSET || signs_at > now_at)
        return 1;
    key->signs_at = MEREAU_UNSET;
    spare = key->client_id == NULL
                ? mru_keyring_signer(ring, NULL, 0, now_at) != NULL
                : mru_keyring_has_own(ring, key->client_id, now_at);
    key->signs_at = signs_at;
    return spare;
}

static mereau_status retire(mereau_op *op, struct mru_admin *admin) {
    const char *kid = mru_bag_text(&op->in, MEREAU_KID);
    const struct mru_ring_key *key = mru_keyring_find(admin->ring, kid);
    size_t i;
    if (key == NULL)
        return mru_refuse(&op->err, MEREAU_E_UNKNOWN, "key.unknown", NULL,
                          "a key of this tenant", "none of this kid");
    i = (size_t)(key - admin->ring->keys);
    if (key->retired_at != MEREAU_UNSET || key->dropped)
        return MEREAU_OK; /* as it was */
    if (!is_spare(admin->ring, i, op->now_at))
        return mru_refuse(&op->err, MEREAU_E_TOO_EARLY, "key.last", NULL,
                          "another key that signs already", "no other");
    mru_keyring_retire(admin->ring, i, op->now_at,
                       mru_longest_access(&admin->tenant));
    return mru_admin_commit(op, admin, MRU_CHANGED_KEYS);
}

static mereau_status decide_retire(mereau_op *op) {
    struct mru_admin admin = {0};
    mereau_status status = mru_check_length(op, MEREAU_KID, 128);
    mru_bag_copy(&op->event, &op->in, MEREAU_KID);
    if (status == MEREAU_OK)
        status = mru_admin_open(op, &admin, 1);
    if (status == MEREAU_OK)
        status = retire(op, &admin);
    if (status == MEREAU_OK) {
        const struct mru_ring_key *key =
            mru_keyring_find(admin.ring, mru_bag_text(&op->in, MEREAU_KID));
        mru_keyring_show(&op->out, admin.ring, (size_t)(key - admin.ring->keys),
                         op->now_at);
    }
    mru_admin_close(&admin);
    return status;
}

static const int32_t kid_must[] = {MEREAU_KID, 0};

const struct mru_op_class mru_class_key_retire = {
    "key_retire", "key.retire", 0, kid_must, NULL, NULL, decide_retire};

mereau_op *mereau_key_retire(const mereau_tenant *tenant, const char *kid) {
    mereau_op *op = mru_op_make(tenant, &mru_class_key_retire);
    mereau_op_set_text(op, MEREAU_KID, kid);
    return op;
}

/* --- listing --- */

static mereau_status decide_list(mereau_op *op) {
    const char *client_id = mru_bag_text(&op->in, MEREAU_CLIENT_ID);
    const char *state = mru_bag_text(&op->in, MEREAU_STATE);
    struct mru_admin admin;
    mereau_status status = mru_admin_open(op, &admin, 1);
    for (size_t i = 0; status == MEREAU_OK && i < admin.ring->n; i++) {
        const struct mru_ring_key *key = &admin.ring->keys[i];
        struct mru_bag *row;
        if (client_id != NULL &&
            (key->client_id == NULL || strcmp(key->client_id, client_id) != 0))
            continue;
        if (state != NULL &&
            strcmp(mru_keyring_state(admin.ring, i, op->now_at), state) != 0)
            continue;
        row = mru_op_add_row(op);
        if (row == NULL)
            status = MEREAU_E_NOMEM;
        else
            mru_keyring_show(row, admin.ring, i, op->now_at);
    }
    mru_admin_close(&admin);
    return status;
}

static const int32_t list_takes[] = {MEREAU_CLIENT_ID, MEREAU_STATE, 0};

const struct mru_op_class mru_class_key_list = {
    "key_list", "key.list", MRU_OP_LIST | MRU_OP_QUIET, NULL, list_takes,
    NULL,       decide_list};

mereau_op *mereau_key_list(const mereau_tenant *tenant) {
    return mru_op_make(tenant, &mru_class_key_list);
}

/* --- publishing --- */

static mereau_status decide_jwks(mereau_op *op) {
    const char *client_id = mru_bag_text(&op->in, MEREAU_CLIENT_ID);
    struct mru_buf jwks = {0};
    struct mru_above above = {0};
    mereau_status status = mru_check_length(op, MEREAU_CLIENT_ID, 128);
    if (status == MEREAU_OK)
        status = mru_gather(op,
                            MRU_WITH_KEYS | MRU_WITH_FRESH |
                                (client_id != NULL ? MRU_WITH_APP : 0),
                            client_id, &above);
    if (status == MEREAU_OK && client_id != NULL &&
        (above.app == NULL || mru_bag_int_or(above.app, MRU_F_DELETED, 0) != 0))
        status = mru_refuse(&op->err, MEREAU_E_UNKNOWN, "app.unknown", NULL,
                            "a registered app",
                            above.app == NULL ? "none" : "a deleted one");
    if (status == MEREAU_OK &&
        mru_keyring_print(&jwks, above.keyring, client_id, op->now_at) != 0)
        status = MEREAU_E_NOMEM;
    if (status == MEREAU_OK)
        mru_bag_set_data(&op->out, MEREAU_JWKS, 'J', jwks.data, jwks.len);
    mru_buf_free(&jwks);
    return status;
}

static const int32_t jwks_takes[] = {MEREAU_CLIENT_ID, 0};

const struct mru_op_class mru_class_key_jwks = {
    "key_jwks", "key.jwks", MRU_OP_QUIET | MRU_OP_STALE_OK, NULL, jwks_takes,
    NULL,       decide_jwks};

mereau_op *mereau_key_jwks(const mereau_tenant *tenant) {
    return mru_op_make(tenant, &mru_class_key_jwks);
}
