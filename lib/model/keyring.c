/* lib/model/keyring.c - the stages of signing keys, and which one signs. */
#include "keyring.h"

void mru_keyring_free(struct mru_keyring *ring) {
    if (ring == NULL)
        return;
    for (size_t i = 0; ring->keys != NULL && i < ring->n; i++) {
        mru_key_free(ring->keys[i].key);
        mru_bag_free(&ring->keys[i].row);
    }
    mru_free(ring->keys);
    mru_free(ring);
}

/* Dropped by hand, or because its last token is over. */
static int is_dropped(const struct mru_ring_key *key, int64_t now_at) {
    return key->dropped || (key->verifies_until != MEREAU_UNSET &&
                            now_at >= key->verifies_until);
}

/* Its time to sign has come and is not over. */
static int may_sign(const struct mru_ring_key *key, int64_t now_at) {
    return !is_dropped(key, now_at) && key->retired_at == MEREAU_UNSET &&
           key->signs_at != MEREAU_UNSET && key->signs_at <= now_at;
}

static int same_owner(const char *a, const char *b) {
    return a == NULL || b == NULL ? a == b : strcmp(a, b) == 0;
}

/* Among the keys of one owner: the one that began last; of two that began in one
 * second, the one that was added last. */
static const struct mru_ring_key *newest(const struct mru_keyring *ring,
                                         const char *client_id, int32_t alg,
                                         int64_t now_at) {
    const struct mru_ring_key *best = NULL;
    for (size_t i = 0; i < ring->n; i++) {
        const struct mru_ring_key *key = &ring->keys[i];
        if (same_owner(key->client_id, client_id) &&
            (alg == 0 || key->alg == alg) && may_sign(key, now_at) &&
            (best == NULL || key->signs_at >= best->signs_at))
            best = key;
    }
    return best;
}

int mru_keyring_has_own(const struct mru_keyring *ring, const char *client_id,
                        int64_t now_at) {
    return newest(ring, client_id, 0, now_at) != NULL;
}

const struct mru_ring_key *mru_keyring_signer(const struct mru_keyring *ring,
                                              const char *client_id,
                                              int32_t alg, int64_t now_at) {
    /* An app with keys of its own never falls back on the tenant's, not even for
     * another algorithm: its verifiers trust its keys only. */
    if (client_id != NULL && mru_keyring_has_own(ring, client_id, now_at))
        return newest(ring, client_id, alg, now_at);
    return newest(ring, NULL, alg, now_at);
}

const char *mru_keyring_state(const struct mru_keyring *ring, size_t i,
                              int64_t now_at) {
    const struct mru_ring_key *key = &ring->keys[i];
    if (is_dropped(key, now_at))
        return "dropped";
    if (key->retired_at != MEREAU_UNSET)
        return "verifying";
    if (key->signs_at == MEREAU_UNSET || key->signs_at > now_at)
        return "published";
    if (newest(ring, key->client_id, key->alg, now_at) == key)
        return "signing";
    return "verifying"; /* a newer one has taken its place */
}

/* Whether tokens of the app that the tenant's keys signed can still be alive: none
 * of its own keys signs, or not yet longer than an access token lives. */
static int needs_tenant_keys(const struct mru_keyring *ring,
                             const char *client_id, int64_t now_at) {
    int64_t first = INT64_MAX;
    if (!mru_keyring_has_own(ring, client_id, now_at))
        return 1;
    for (size_t i = 0; i < ring->n; i++)
        if (same_owner(ring->keys[i].client_id, client_id) &&
            ring->keys[i].signs_at != MEREAU_UNSET &&
            ring->keys[i].signs_at < first)
            first = ring->keys[i].signs_at;
    return now_at <= mru_add_time(first, MRU_KEY_OVERLAP_S);
}

int mru_keyring_print(struct mru_buf *out, const struct mru_keyring *ring,
                      const char *client_id, int64_t now_at) {
    int tenant_too =
        client_id == NULL || needs_tenant_keys(ring, client_id, now_at);
    const char *between = "";
    mru_buf_add_text(out, "{\"keys\":[");
    for (size_t i = 0; i < ring->n; i++) {
        const struct mru_ring_key *key = &ring->keys[i];
        if (key->key == NULL || is_dropped(key, now_at))
            continue;
        if (client_id != NULL && !same_owner(key->client_id, client_id) &&
            !(tenant_too && key->client_id == NULL))
            continue;
        mru_buf_add_text(out, between);
        if (mru_key_print_public(out, key->key) != 0)
            return -1;
        between = ",";
    }
    mru_buf_add_text(out, "]}");
    return out->failed ? -1 : 0;
}

const struct mru_ring_key *mru_keyring_find(const struct mru_keyring *ring,
                                            const char *kid) {
    for (size_t i = 0; i < ring->n; i++)
        if (strcmp(ring->keys[i].kid, kid) == 0)
            return &ring->keys[i];
    return NULL;
}
