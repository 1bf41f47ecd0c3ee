/* lib/model/registration.h - the rules of registration tokens. Pure: no I/O, no
 * clock. */
#ifndef MRU_MODEL_REGISTRATION_H
#define MRU_MODEL_REGISTRATION_H

#include "../record/bag.h"
#include "../record/fields.h"

/* "revoked" before "expired" before "used_up" before "disabled" before "active".
 * used: how many have redeemed. */
const char *mru_registration_state(const struct mru_bag *record, int64_t used,
                                   int64_t now_at);
/* May anything be redeemed with it now, counts aside? MEREAU_E_REVOKED, _EXPIRED,
 * _NOT_YET, _DISABLED. */
mereau_status mru_registration_open(const struct mru_bag *record,
                                    int64_t now_at, mereau_error *err);
/* May this device? MEREAU_E_DEVICE. */
mereau_status mru_registration_admits(const struct mru_bag *record,
                                      const char *device_id, const char *jkt,
                                      mereau_error *err);
/* Over how many sub-counts a count is split. */
uint8_t mru_registration_slots(int64_t count);
/* The share of one of them. */
int64_t mru_registration_quota(int64_t count, uint8_t slots, uint8_t slot);

#endif
