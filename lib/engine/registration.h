/* lib/engine/registration.h - the record of a registration token, and the
 * sub-counts it is split over. */
#ifndef MRU_ENGINE_REGISTRATION_H
#define MRU_ENGINE_REGISTRATION_H

#include "engine.h"

#define MRU_MAX_SLOTS 16
#define MRU_REGISTRATION_INDEXES 2

void mru_key_registration(struct mru_rkey *key, const uint8_t id[MRU_ID_LEN]);
void mru_key_slot(struct mru_rkey *key, const uint8_t id[MRU_ID_LEN],
                  uint8_t slot);
int mru_registration_index_keys(const struct mru_bag *record,
                                const uint8_t id[MRU_ID_LEN],
                                struct mru_rkey *keys, size_t max);
/* When records of it may be dropped. */
int64_t mru_registration_drop_at(const struct mru_bag *record);
/* The token itself, derived again. MEREAU_OK, _INCOMPLETE, _CRYPTO. */
mereau_status mru_registration_print(mereau_op *op,
                                     const struct mru_bag *record,
                                     const uint8_t id[MRU_ID_LEN],
                                     char out[MRU_CRED_MAX]);

#endif
