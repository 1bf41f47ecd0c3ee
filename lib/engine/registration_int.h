/* lib/engine/registration_int.h - a registration token with its sub-counts, as
 * the administrator's operations read it. */
#ifndef MRU_ENGINE_REGISTRATION_INT_H
#define MRU_ENGINE_REGISTRATION_INT_H

#include "registration.h"

struct mru_registration {
    uint8_t id[MRU_ID_LEN];
    struct mru_rkey key;
    struct mru_bag record;
    struct mru_rkey slot_keys[MRU_MAX_SLOTS];
    struct mru_bag slots[MRU_MAX_SLOTS];
    size_t n_slots;
    int64_t used, last_used_at;
};

/* MRU_MORE, MEREAU_E_UNKNOWN. */
mereau_status mru_registration_read(mereau_op *op, struct mru_registration *r,
                                    const uint8_t id[MRU_ID_LEN]);
/* The one named by MEREAU_REGISTRATION_TOKEN_ID of the inputs. */
mereau_status mru_registration_named(mereau_op *op,
                                     struct mru_registration *r);
void mru_registration_free(struct mru_registration *r);
void mru_registration_show(mereau_op *op, struct mru_bag *out,
                           const struct mru_registration *r);
/* mint.c: stages a new token from a filled record (app, count, times ...): salt,
 * slots, entries of lists; gives the token, id and expiry to out. */
mereau_status mru_registration_stage(mereau_op *op, struct mru_bag *record,
                                     uint32_t index, struct mru_bag *out);

#endif
