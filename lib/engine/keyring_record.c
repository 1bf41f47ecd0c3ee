/* lib/engine/keyring_record.c - reading, changing and writing record k. */
#include "keyring_record.h"

/* What a sealed private key is bound to, besides its tenant. */
static void seal_label(char out[MRU_TX_LABEL], const char *kid) {
    mru_say(out, MRU_TX_LABEL, "keyring/%s", kid);
}

static mereau_status corrupt(mereau_op *op, const char *found) {
    return mru_refuse(&op->err, MEREAU_E_CORRUPT, "record.keyring", NULL,
                      "a key's row as this library writes it", found);
}

/* --- reading --- */

static mereau_status parse_row(mereau_op *op, struct mru_ring_key *key) {
    const struct mru_bag *row = &key->row;
    const char *alg = mru_bag_text(row, MEREAU_ALG);
    key->kid = mru_bag_text(row, MEREAU_KID);
    key->alg = alg == NULL ? 0 : mru_alg_find(alg, strlen(alg));
    key->client_id = mru_bag_text(row, MEREAU_CLIENT_ID);
    key->label = mru_bag_text(row, MEREAU_KEY_LABEL);
    key->published_at = mru_bag_int(row, MEREAU_PUBLISHED_AT);
    key->signs_at = mru_bag_int(row, MEREAU_SIGNS_AT);
    key->retired_at = mru_bag_int(row, MRU_F_RETIRED_AT);
    key->verifies_until = mru_bag_int(row, MEREAU_VERIFIES_UNTIL);
    key->dropped = mru_bag_int_or(row, MRU_F_DELETED, 0) != 0;
    if (key->kid == NULL || key->alg == 0 ||
        key->published_at == MEREAU_UNSET ||
        mru_bag_text(row, MEREAU_JWK) == NULL)
        return corrupt(op, "a row without kid, alg, time or key");
    return MEREAU_OK;
}

mereau_status mru_keyring_parse(mereau_op *op, const struct mru_bag *record,
                                struct mru_keyring **out) {
    size_t n = mru_bag_count(record, MRU_F_KEYS);
    struct mru_keyring *ring = mru_alloc(sizeof *ring);
    mereau_status status = MEREAU_OK;
    *out = NULL;
    if (ring != NULL)
        ring->keys = mru_alloc(n * sizeof *ring->keys);
    if (ring == NULL || ring->keys == NULL)
        status = MEREAU_E_NOMEM;
    for (size_t i = 0; status == MEREAU_OK && i < n; i++) {
        ring->n = i + 1;
        status = mru_bag_row(record, MRU_F_KEYS, i, &ring->keys[i].row);
        if (status == MEREAU_OK)
            status = parse_row(op, &ring->keys[i]);
    }
    if (status != MEREAU_OK) {
        mru_keyring_free(ring);
        return status;
    }
    *out = ring;
    return MEREAU_OK;
}

static mereau_status key_from_text(mereau_op *op, const struct mru_ring_key *of,
                                   const void *jwk, size_t len, uint32_t flags,
                                   mru_key **out) {
    struct mru_jval root;
    mereau_status status =
        mru_json_check(&root, jwk, len, &mru_json_default_limits, &op->err);
    if (status == MEREAU_OK)
        status = mru_key_from_jwk(out, &root, of->alg, flags, &op->err);
    if (status == MEREAU_OK && strcmp(mru_key_kid(*out), of->kid) != 0)
        status = MEREAU_E_KEY;
    if (status <= -200 && status > -300)
        status = corrupt(op, "a key that cannot be read");
    return status;
}

static mereau_status prepare_private(mereau_op *op, struct mru_ring_key *key) {
    struct mru_buf jwk = {0};
    char label[MRU_TX_LABEL];
    mereau_status status;
    seal_label(label, key->kid);
    status = mru_unseal_field(op, &key->row, label, &jwk);
    if (status == MEREAU_OK)
        status = key_from_text(op, key, jwk.data, jwk.len, MRU_KEY_PRIVATE,
                               &key->key);
    mru_buf_free(&jwk);
    return status;
}

static mereau_status prepare(mereau_op *op, struct mru_ring_key *key) {
    size_t len;
    const uint8_t *jwk = mru_bag_data(&key->row, MEREAU_JWK, &len);
    if (key->dropped)
        return MEREAU_OK;
    if (mru_bag_has(&key->row, MRU_F_SEALED))
        return prepare_private(op, key);
    if (key->label == NULL && key->retired_at == MEREAU_UNSET)
        return corrupt(op, "a signing key without its private part");
    return key_from_text(op, key, jwk, len, MRU_KEY_PUBLIC, &key->key);
}

mereau_status mru_keyring_load(mereau_op *op, const struct mru_bag *record,
                               struct mru_keyring **out) {
    struct mru_keyring *ring;
    mereau_status status = mru_keyring_parse(op, record, &ring);
    *out = NULL;
    for (size_t i = 0; status == MEREAU_OK && i < ring->n; i++)
        status = prepare(op, &ring->keys[i]);
    if (status != MEREAU_OK) {
        mru_keyring_free(ring);
        return status;
    }
    *out = ring;
    return MEREAU_OK;
}

/* --- changing --- */

static mereau_status fill_row(mereau_op *op, struct mru_bag *row,
                              const mru_key *key,
                              const struct mru_key_entry *entry) {
    struct mru_buf jwk = {0};
    char label[MRU_TX_LABEL];
    mereau_status status = MEREAU_E_NOMEM;
    mru_bag_set_text(row, MEREAU_KID, mru_key_kid(key));
    mru_bag_set_text(row, MEREAU_ALG, mru_alg_name(mru_key_alg(key)));
    mru_bag_set_text(row, MEREAU_CLIENT_ID, entry->client_id);
    mru_bag_set_text(row, MEREAU_KEY_LABEL, entry->key_label);
    mru_bag_set_text(row, MEREAU_LABEL, entry->label);
    mru_bag_set_int(row, MEREAU_PUBLISHED_AT, 'I', op->now_at);
    if (entry->signs_at != MEREAU_UNSET)
        mru_bag_set_int(row, MEREAU_SIGNS_AT, 'I', entry->signs_at);
    if (mru_key_print_public(&jwk, key) != 0)
        goto end;
    mru_bag_set_data(row, MEREAU_JWK, 'J', jwk.data, jwk.len);
    if (entry->key_label == NULL) {
        mru_buf_free(&jwk);
        seal_label(label, mru_key_kid(key));
        if (mru_key_print_private(&jwk, key) != 0)
            goto end;
        status = mru_seal_field(op, row, label, jwk.data, jwk.len);
        if (status != MEREAU_OK)
            goto end;
    }
    status = row->failed ? MEREAU_E_NOMEM : MEREAU_OK;
end:
    mru_buf_free(&jwk);
    return status;
}

/* Room for one more; the entries move, their rows' texts do not. */
static int grow(struct mru_keyring *ring) {
    struct mru_ring_key *keys = mru_alloc((ring->n + 1) * sizeof *keys);
    if (keys == NULL)
        return -1;
    if (ring->n > 0)
        memcpy(keys, ring->keys, ring->n * sizeof *keys);
    mru_free(ring->keys);
    ring->keys = keys;
    return 0;
}

mereau_status mru_keyring_add(mereau_op *op, struct mru_keyring *ring,
                              const mru_key *key,
                              const struct mru_key_entry *entry,
                              const struct mru_ring_key **added) {
    struct mru_ring_key *one;
    mereau_status status;
    if (mru_keyring_find(ring, mru_key_kid(key)) != NULL)
        return mru_refuse(&op->err, MEREAU_E_EXISTS, "key.kid", "RFC 7517 4.5",
                          "a kid that no other key has", "one that is taken");
    if (grow(ring) != 0)
        return MEREAU_E_NOMEM;
    one = &ring->keys[ring->n++];
    /* A kid before anything can fail: the ring may be searched. */
    one->kid = "";
    status = fill_row(op, &one->row, key, entry);
    if (status == MEREAU_OK)
        status = parse_row(op, one);
    if (status == MEREAU_OK && added != NULL)
        *added = one;
    return status;
}

size_t mru_keyring_live(const struct mru_keyring *ring, int64_t now_at) {
    size_t live = 0;
    for (size_t i = 0; i < ring->n; i++)
        live += strcmp(mru_keyring_state(ring, i, now_at), "dropped") != 0;
    return live;
}

/* It never signs again: what could is thrown away. */
static void forget_private(struct mru_ring_key *key) {
    mru_bag_unset(&key->row, MRU_F_SEALED);
    mru_bag_unset(&key->row, MRU_F_EPOCH);
}

void mru_keyring_retire(struct mru_keyring *ring, size_t i, int64_t now_at,
                        int64_t longest_access_s) {
    struct mru_ring_key *key = &ring->keys[i];
    key->retired_at = now_at;
    /* A minute: what clocks may differ, and an iat may be ahead. */
    key->verifies_until =
        mru_add_time(mru_add_time(now_at, longest_access_s), 60);
    mru_bag_set_int(&key->row, MRU_F_RETIRED_AT, 'I', key->retired_at);
    mru_bag_set_int(&key->row, MEREAU_VERIFIES_UNTIL, 'I', key->verifies_until);
    forget_private(key);
}

void mru_keyring_drop(struct mru_keyring *ring, size_t i, int64_t now_at) {
    struct mru_ring_key *key = &ring->keys[i];
    if (key->verifies_until == MEREAU_UNSET || key->verifies_until > now_at)
        key->verifies_until = now_at;
    key->dropped = 1;
    mru_bag_set_int(&key->row, MEREAU_VERIFIES_UNTIL, 'I', key->verifies_until);
    mru_bag_set_int(&key->row, MRU_F_DELETED, 'B', 1);
    forget_private(key);
}

/* --- writing --- */

/* A key whose place a newer one has taken is retired with the next change of the
 * ring, a minute later so that no machine with a slow clock is without one; and
 * one whose last token is over is dropped. */
static void settle(struct mru_keyring *ring, size_t i, int64_t now_at,
                   int64_t longest_access_s) {
    if (strcmp(mru_keyring_state(ring, i, now_at), "dropped") == 0)
        mru_keyring_drop(ring, i, now_at);
    else if (ring->keys[i].retired_at == MEREAU_UNSET &&
             strcmp(mru_keyring_state(ring, i, now_at - 60), "verifying") == 0)
        mru_keyring_retire(ring, i, now_at, longest_access_s);
}

mereau_status mru_keyring_write(struct mru_bag *record,
                                struct mru_keyring *ring, int64_t now_at,
                                int64_t longest_access_s) {
    mru_bag_unset(record, MRU_F_KEYS);
    for (size_t i = 0; i < ring->n; i++) {
        const struct mru_ring_key *key = &ring->keys[i];
        settle(ring, i, now_at, longest_access_s);
        if (key->dropped &&
            mru_add_time(key->verifies_until, MRU_KEY_FORGET_S) <= now_at)
            continue;
        if (key->row.failed)
            return MEREAU_E_NOMEM;
        mru_bag_add_row(record, MRU_F_KEYS, &key->row);
    }
    return record->failed ? MEREAU_E_NOMEM : MEREAU_OK;
}

void mru_keyring_show(struct mru_bag *out, const struct mru_keyring *ring,
                      size_t i, int64_t now_at) {
    static const int32_t fields[] = {MEREAU_LABEL,     MEREAU_CLIENT_ID,
                                     MEREAU_KEY_LABEL, MEREAU_PUBLISHED_AT,
                                     MEREAU_SIGNS_AT,  MEREAU_VERIFIES_UNTIL,
                                     MEREAU_JWK};
    const struct mru_bag *row = &ring->keys[i].row;
    mru_bag_copy(out, row, MEREAU_KID);
    mru_bag_copy(out, row, MEREAU_ALG);
    mru_bag_set_text(out, MEREAU_STATE, mru_keyring_state(ring, i, now_at));
    for (size_t f = 0; f < sizeof fields / sizeof *fields; f++)
        mru_bag_copy(out, row, fields[f]);
}
