/* lib/model/keyring.h - a tenant's signing keys and their stages. Pure: no I/O,
 * no clock. A key is published, then signs, then only verifies, then is
 * dropped. */
#ifndef MRU_MODEL_KEYRING_H
#define MRU_MODEL_KEYRING_H

#include "../jose/key.h"
#include "../record/bag.h"
#include "../record/fields.h"

/* Verifiers have a published key by then. */
#define MRU_KEY_LEAD_S 3600
/* No access token lives longer: a day, and what clocks may differ. */
#define MRU_KEY_OVERLAP_S (86400 + 60)

struct mru_ring_key {
    const char *kid; /* in `row` */
    int32_t alg;
    const char *client_id; /* NULL: the tenant's */
    const char *label;     /* NULL: ours; else the host's signer has it */
    int64_t published_at;
    int64_t signs_at;      /* MEREAU_UNSET: a standby */
    int64_t retired_at;    /* MEREAU_UNSET: not */
    int64_t verifies_until; /* MEREAU_UNSET: not retired */
    int dropped;
    mru_key *key; /* private when ours; NULL when dropped */
    struct mru_bag row;
};

struct mru_keyring {
    struct mru_ring_key *keys;
    size_t n;
};

void mru_keyring_free(struct mru_keyring *ring);

/* "published" "signing" "verifying" "dropped". */
const char *mru_keyring_state(const struct mru_keyring *ring, size_t i,
                              int64_t now_at);
/* The key that signs now for an app (its own if it has any, else the tenant's),
 * of an algorithm (0: any): among those whose time has come the one that began
 * last. NULL: none. */
const struct mru_ring_key *mru_keyring_signer(const struct mru_keyring *ring,
                                              const char *client_id,
                                              int32_t alg, int64_t now_at);
/* Whether a key of the app's own signs now. */
int mru_keyring_has_own(const struct mru_keyring *ring, const char *client_id,
                        int64_t now_at);
/* The JWK Set, public members only: of all keys (client_id NULL), or of those that
 * verify an app's tokens: its own, and the tenant's as long as tokens may live that
 * were signed with them. Appends; 0 or -1. */
int mru_keyring_print(struct mru_buf *out, const struct mru_keyring *ring,
                      const char *client_id, int64_t now_at);
const struct mru_ring_key *mru_keyring_find(const struct mru_keyring *ring,
                                            const char *kid);

#endif
