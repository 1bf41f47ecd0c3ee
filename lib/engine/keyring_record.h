/* lib/engine/keyring_record.h - the stored form of a tenant's keyring: record k,
 * one row a key. Private keys are sealed; what only verifies is kept without its
 * private part. */
#ifndef MRU_ENGINE_KEYRING_RECORD_H
#define MRU_ENGINE_KEYRING_RECORD_H

#include "engine.h"

#define MRU_MAX_RING 64 /* keys that are not dropped */
#define MRU_KEY_FORGET_S (90 * MRU_DAY_S) /* a dropped one is then forgotten */

/* Reads the rows, without preparing a key: for what edits the ring. */
mereau_status mru_keyring_parse(mereau_op *op, const struct mru_bag *record,
                                struct mru_keyring **out);
/* Reads the rows and prepares every key: private ones for those that sign or may
 * sign, public ones for those that only verify. */
mereau_status mru_keyring_load(mereau_op *op, const struct mru_bag *record,
                               struct mru_keyring **out);

/* How a key comes into a ring. */
struct mru_key_entry {
    const char *client_id; /* NULL: the tenant's */
    const char *key_label; /* NULL: ours, and sealed; else the signer's */
    const char *label; /* may be NULL */
    int64_t signs_at; /* MEREAU_UNSET: a standby */
};
/* Adds a key that is published from now on. MEREAU_E_EXISTS, rule "key.kid", when
 * its kid is in the ring. *added may be NULL; it lives until the next add. */
mereau_status mru_keyring_add(mereau_op *op, struct mru_keyring *ring,
                              const mru_key *key,
                              const struct mru_key_entry *entry,
                              const struct mru_ring_key **added);
/* How many are not dropped. */
size_t mru_keyring_live(const struct mru_keyring *ring, int64_t now_at);

/* Ends signing with the i-th key; it verifies until longest_access_s from now, and
 * loses its private part. */
void mru_keyring_retire(struct mru_keyring *ring, size_t i, int64_t now_at,
                        int64_t longest_access_s);
/* Drops the i-th key at once. */
void mru_keyring_drop(struct mru_keyring *ring, size_t i, int64_t now_at);

/* Puts the ring into the record, to be written. First retires what newer keys
 * have taken the place of, and leaves out what may be forgotten. */
mereau_status mru_keyring_write(struct mru_bag *record,
                                struct mru_keyring *ring, int64_t now_at,
                                int64_t longest_access_s);

/* The i-th key as an administrator sees it: the fields of mereau_key_list(). */
void mru_keyring_show(struct mru_bag *out, const struct mru_keyring *ring,
                      size_t i, int64_t now_at);

#endif
