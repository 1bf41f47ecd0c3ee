/* lib/engine/key_revoke.c - mereau_key_revoke(): somebody else has a key. In one
 * commit it is dropped, all that it can have signed is refused, another key signs,
 * and the next standby is published. */
#include <mereau/key.h>

#include "../model/notbefore.h"
#include "admin.h"
#include "classes_admin.h"

/* Whose key it was: the tenant's, or one app's. */
struct owner {
    const char *client_id; /* NULL: the tenant */
    struct mru_bag app; /* record a, when it is an app's */
};

static int owns(const struct mru_ring_key *key, const char *client_id) {
    return client_id == NULL ? key->client_id == NULL
                             : key->client_id != NULL &&
                                   strcmp(key->client_id, client_id) == 0;
}

static int is_standby(const struct mru_keyring *ring, size_t i,
                      const char *client_id, int64_t now_at) {
    return owns(&ring->keys[i], client_id) &&
           strcmp(mru_keyring_state(ring, i, now_at), "published") == 0;
}

/* The key that now signs for the owner with this algorithm. */
static const struct mru_ring_key *signs_now(const struct mru_keyring *ring,
                                            const char *client_id, int32_t alg,
                                            int64_t now_at) {
    if (client_id != NULL && !mru_keyring_has_own(ring, client_id, now_at))
        return NULL;
    return mru_keyring_signer(ring, client_id, alg, now_at);
}

/* Makes a key and puts it into the ring. An algorithm that this build cannot make
 * keys of (the signer's own) is replaced by the default: a leak must be ended. */
static mereau_status add_made(mereau_op *op, struct mru_keyring *ring,
                              size_t slot, int32_t alg,
                              const struct mru_key_entry *entry) {
    const mru_key *key;
    mereau_status status = mru_made_key(op, slot, alg, &key);
    if (status == MEREAU_E_ALG) {
        mru_error_reset(&op->err);
        status = mru_made_key(op, slot, MEREAU_ALG_ES256, &key);
    }
    if (status == MEREAU_OK)
        status = mru_keyring_add(op, ring, key, entry, NULL);
    return status;
}

/* Of what is published the key that was it longest: most verifiers have it. */
static mereau_status promote(mereau_op *op, struct mru_keyring *ring,
                             const char *client_id, int32_t alg) {
    const struct mru_key_entry entry = {client_id, NULL, NULL, op->now_at};
    struct mru_ring_key *best = NULL;
    if (signs_now(ring, client_id, alg, op->now_at) != NULL)
        return MEREAU_OK;
    for (size_t i = 0; i < ring->n; i++)
        if (is_standby(ring, i, client_id, op->now_at) &&
            ring->keys[i].alg == alg &&
            (best == NULL || ring->keys[i].published_at < best->published_at))
            best = &ring->keys[i];
    if (best == NULL)
        return add_made(op, ring, 0, alg, &entry);
    best->signs_at = op->now_at;
    mru_bag_set_int(&best->row, MEREAU_SIGNS_AT, 'I', op->now_at);
    return MEREAU_OK;
}

/* The next leak finds a key that verifiers have already. */
static mereau_status publish_standby(mereau_op *op, struct mru_keyring *ring,
                                     const char *client_id, int32_t alg) {
    const struct mru_key_entry entry = {client_id, NULL, NULL, MEREAU_UNSET};
    for (size_t i = 0; i < ring->n; i++)
        if (is_standby(ring, i, client_id, op->now_at))
            return MEREAU_OK;
    return add_made(op, ring, 1, alg, &entry);
}

/* Drops the key and puts others in its place. An app none of whose own keys has
 * signed yet goes on with the tenant's. */
static mereau_status replace(mereau_op *op, struct mru_keyring *ring,
                             const char *client_id, size_t i) {
    int32_t alg = ring->keys[i].alg;
    int64_t signs_at = ring->keys[i].signs_at;
    int has_signed = signs_at != MEREAU_UNSET && signs_at <= op->now_at;
    mereau_status status = MEREAU_OK;
    mru_keyring_drop(ring, i, op->now_at);
    if (has_signed)
        status = promote(op, ring, client_id, alg);
    if (status == MEREAU_OK &&
        signs_now(ring, client_id, 0, op->now_at) != NULL)
        status = publish_standby(op, ring, client_id, alg);
    return status;
}

/* Raises the owner's not-before, and stages all. */
static mereau_status commit(mereau_op *op, struct mru_admin *admin,
                            struct owner *owner) {
    struct mru_rkey key;
    uint32_t changed = MRU_CHANGED_KEYS;
    struct mru_bag *level =
        owner->client_id == NULL ? &admin->tenant : &owner->app;
    mereau_status status = mru_not_before_force(level, op->now_at) == 0
                               ? MEREAU_OK
                               : MEREAU_E_NOMEM;
    if (status == MEREAU_OK && owner->client_id == NULL) {
        changed |= MRU_CHANGED_TENANT;
    } else if (status == MEREAU_OK) {
        mru_key_app(&key, owner->client_id);
        status = mru_tx_put(&op->tx, &key, level, 0);
        if (status == MEREAU_OK)
            status = mru_notice_add(op, 'a', owner->client_id,
                                    mru_bag_int(level, MEREAU_NOT_BEFORE_AT),
                                    mru_longest_access(&admin->tenant));
    }
    if (status == MEREAU_OK)
        status = mru_admin_commit(op, admin, changed);
    return status;
}

/* The app's record, also of one that was deleted: its key can have leaked all the
 * same. */
static mereau_status read_owner(mereau_op *op, struct owner *owner) {
    struct mru_rkey key;
    int there;
    mereau_status status;
    if (owner->client_id == NULL)
        return MEREAU_OK;
    status = mru_notice_want(op);
    mru_key_app(&key, owner->client_id);
    if (status == MEREAU_OK)
        status = mru_tx_get_bag(&op->tx, &key, &owner->app, &there);
    if (status == MEREAU_OK && !there)
        status = mru_refuse(&op->err, MEREAU_E_CORRUPT, "record.app", NULL,
                            "the app whose key it is", "none");
    return status;
}

static mereau_status revoke(mereau_op *op, struct mru_admin *admin,
                            struct owner *owner) {
    const struct mru_ring_key *key, *signer;
    int32_t alg;
    mereau_status status;
    key = mru_keyring_find(admin->ring, mru_bag_text(&op->in, MEREAU_KID));
    if (key == NULL)
        return mru_refuse(&op->err, MEREAU_E_UNKNOWN, "key.unknown", NULL,
                          "a key of this tenant", "none of this kid");
    owner->client_id = key->client_id;
    alg = key->alg;
    status = read_owner(op, owner);
    if (status == MEREAU_OK && !key->dropped) {
        status = replace(op, admin->ring, owner->client_id,
                         (size_t)(key - admin->ring->keys));
        if (status == MEREAU_OK)
            status = commit(op, admin, owner);
    }
    if (status != MEREAU_OK)
        return status;
    signer = mru_keyring_signer(admin->ring, owner->client_id, alg, op->now_at);
    if (signer == NULL)
        signer =
            mru_keyring_signer(admin->ring, owner->client_id, 0, op->now_at);
    if (signer != NULL)
        mru_bag_set_text(&op->out, MEREAU_KID, signer->kid);
    mru_bag_copy(&op->out,
                 owner->client_id == NULL ? &admin->tenant : &owner->app,
                 MEREAU_NOT_BEFORE_AT);
    mru_bag_set_text(&op->event, MEREAU_CLIENT_ID, owner->client_id);
    mru_bag_copy(&op->event, &op->out, MEREAU_NOT_BEFORE_AT);
    return MEREAU_OK;
}

static mereau_status decide_revoke(mereau_op *op) {
    struct mru_admin admin = {0};
    struct owner owner = {0};
    mereau_status status = mru_check_length(op, MEREAU_KID, 128);
    mru_bag_copy(&op->event, &op->in, MEREAU_KID);
    if (status == MEREAU_OK)
        status = mru_admin_open(op, &admin, 1);
    if (status == MEREAU_OK)
        status = revoke(op, &admin, &owner);
    mru_bag_free(&owner.app);
    mru_admin_close(&admin);
    return status;
}

static const int32_t kid_must[] = {MEREAU_KID, 0};

const struct mru_op_class mru_class_key_revoke = {
    "key_revoke", "key.revoke", 0, kid_must, NULL, NULL, decide_revoke};

mereau_op *mereau_key_revoke(const mereau_tenant *tenant, const char *kid) {
    mereau_op *op = mru_op_make(tenant, &mru_class_key_revoke);
    mereau_op_set_text(op, MEREAU_KID, kid);
    return op;
}
