/* lib/model/registration.c - who may redeem what, and when. */
#include "registration.h"

const char *mru_registration_state(const struct mru_bag *record, int64_t used,
                                   int64_t now_at) {
    if (mru_bag_has(record, MEREAU_REVOKED_AT))
        return "revoked";
    if (now_at >= mru_bag_int_or(record, MEREAU_EXPIRES_AT, 0))
        return "expired";
    if (used >= mru_bag_int_or(record, MEREAU_COUNT, 0))
        return "used_up";
    if (mru_bag_int_or(record, MEREAU_ENABLED, 1) == 0)
        return "disabled";
    return "active";
}

mereau_status mru_registration_open(const struct mru_bag *record,
                                    int64_t now_at, mereau_error *err) {
    char wanted[96], found[96];
    int64_t expires_at = mru_bag_int_or(record, MEREAU_EXPIRES_AT, 0);
    int64_t starts_at = mru_bag_int_or(record, MEREAU_STARTS_AT, 0);
    if (mru_bag_has(record, MEREAU_REVOKED_AT))
        return mru_refuse(err, MEREAU_E_REVOKED, "registration_token.revoked",
                          NULL, "a registration token in force",
                          "a revoked one");
    mru_say(found, sizeof found, "redeemed at %lld", (long long)now_at);
    mru_say(wanted, sizeof wanted, "redeemed before %lld",
            (long long)expires_at);
    if (now_at >= expires_at)
        return mru_refuse(err, MEREAU_E_EXPIRED,
                          "registration_token.expires_at", NULL, wanted, found);
    mru_say(wanted, sizeof wanted, "redeemed from %lld on",
            (long long)starts_at);
    if (now_at < starts_at)
        return mru_refuse(err, MEREAU_E_NOT_YET, "registration_token.starts_at",
                          NULL, wanted, found);
    if (mru_bag_int_or(record, MEREAU_ENABLED, 1) == 0)
        return mru_refuse(err, MEREAU_E_DISABLED, "registration_token.enabled",
                          NULL, "an enabled registration token",
                          "a disabled one");
    return MEREAU_OK;
}

mereau_status mru_registration_admits(const struct mru_bag *record,
                                      const char *device_id, const char *jkt,
                                      mereau_error *err) {
    if (mru_bag_has(record, MEREAU_ALLOWED_DEVICE_ID) &&
        !mru_bag_lists(record, MEREAU_ALLOWED_DEVICE_ID, device_id))
        return mru_refuse(err, MEREAU_E_DEVICE,
                          "registration_token.allowed_device_id", NULL,
                          "a device on the token's list", "another device");
    if (mru_bag_has(record, MEREAU_ALLOWED_DEVICE_JKT) &&
        (jkt == NULL || !mru_bag_lists(record, MEREAU_ALLOWED_DEVICE_JKT, jkt)))
        return mru_refuse(err, MEREAU_E_DEVICE,
                          "registration_token.allowed_device_jkt", NULL,
                          "proof of a key on the token's list",
                          jkt == NULL ? "none" : "another key");
    return MEREAU_OK;
}

uint8_t mru_registration_slots(int64_t count) {
    if (count < 128)
        return 1;
    return (uint8_t)(count >= 1024 ? 16 : count / 64);
}

int64_t mru_registration_quota(int64_t count, uint8_t slots, uint8_t slot) {
    return count / slots + (slot < count % slots);
}
