/* lib/model/notbefore.c - comparing with not-befores, and raising them. */
#include "notbefore.h"

#define BORN_LEN (4 * MRU_LEVELS)

static uint32_t generation_of(const struct mru_bag *level) {
    if (level == NULL)
        return 0;
    return (uint32_t)mru_bag_int_or(level, MRU_F_NB_GENERATION, 0);
}

/* MEREAU_UNSET, below every instant, when it was never raised. */
static int64_t not_before_of(const struct mru_bag *level) {
    return level == NULL ? MEREAU_UNSET
                         : mru_bag_int(level, MEREAU_NOT_BEFORE_AT);
}

int64_t mru_not_before_iat(const struct mru_bag *const levels[MRU_LEVELS],
                           int64_t now_at) {
    int64_t iat = now_at;
    for (size_t i = 0; i < MRU_LEVELS; i++) {
        int64_t n = not_before_of(levels[i]);
        if (n >= iat)
            iat = mru_add_time(n, 1);
    }
    return iat;
}

void mru_born_now(struct mru_born *born,
                  const struct mru_bag *const levels[MRU_LEVELS],
                  int64_t now_at) {
    for (size_t i = 0; i < MRU_LEVELS; i++)
        born->generation[i] = generation_of(levels[i]);
    born->born_at = mru_not_before_iat(levels, now_at);
}

int mru_not_before(const struct mru_born *born,
                   const struct mru_bag *const levels[MRU_LEVELS]) {
    for (int i = 0; i < MRU_LEVELS; i++)
        if (born->generation[i] < generation_of(levels[i]) ||
            born->born_at <= not_before_of(levels[i]))
            return i;
    return -1;
}

void mru_born_store(struct mru_bag *bag, const struct mru_born *born) {
    uint8_t bytes[BORN_LEN];
    for (size_t i = 0; i < MRU_LEVELS; i++)
        mru_put_u32(bytes + 4 * i, born->generation[i]);
    mru_bag_set_data(bag, MRU_F_BORN, 'D', bytes, sizeof bytes);
    mru_bag_set_int(bag, MRU_F_BORN_AT, 'I', born->born_at);
}

int mru_born_load(struct mru_born *born, const struct mru_bag *bag) {
    uint8_t bytes[BORN_LEN];
    int64_t born_at = mru_bag_int(bag, MRU_F_BORN_AT);
    if (!mru_bag_bytes(bag, MRU_F_BORN, bytes, sizeof bytes) ||
        born_at == MEREAU_UNSET)
        return -1;
    for (size_t i = 0; i < MRU_LEVELS; i++)
        born->generation[i] = mru_get_u32(bytes + 4 * i);
    born->born_at = born_at;
    return 0;
}

/* To now: the generation refuses what the store decides on, n what is only
 * looked at. n moves even when it was ahead already, else a token with
 * iat = n + 1, issued between two raises, would live. */
static mereau_status raise_to_now(struct mru_bag *level, int64_t now_at,
                                  mereau_error *err) {
    int64_t n = mru_add_time(now_at, MRU_CLOCK_SPREAD_S);
    int64_t old = not_before_of(level);
    if (old >= n)
        n = mru_add_time(old, 1);
    if (n > mru_add_time(now_at, MRU_NOT_BEFORE_AHEAD_S) ||
        generation_of(level) == UINT32_MAX)
        return mru_refuse(err, MEREAU_E_BUSY, "not_before.rate", NULL,
                          "at most 30 raises to now within a minute",
                          "one more");
    mru_bag_set_int(level, MEREAU_NOT_BEFORE_AT, 'I', n);
    mru_bag_set_int(level, MRU_F_NB_GENERATION, 'I',
                    (int64_t)generation_of(level) + 1);
    return level->failed ? MEREAU_E_NOMEM : MEREAU_OK;
}

mereau_status mru_not_before_raise_level(struct mru_bag *level, int64_t at,
                                         int64_t now_at, mereau_error *err) {
    if (at == MEREAU_NOW || at == now_at)
        return raise_to_now(level, now_at, err);
    if (at > now_at)
        return mru_refuse(err, MEREAU_E_POLICY, "not_before.at", NULL,
                          "an instant at most now", "a later one");
    if (at > not_before_of(level))
        mru_bag_set_int(level, MEREAU_NOT_BEFORE_AT, 'I', at);
    return level->failed ? MEREAU_E_NOMEM : MEREAU_OK;
}

int mru_not_before_force(struct mru_bag *level, int64_t now_at) {
    uint32_t generation = generation_of(level);
    if (raise_to_now(level, now_at, NULL) == MEREAU_OK)
        return 0;
    if (generation < UINT32_MAX)
        mru_bag_set_int(level, MRU_F_NB_GENERATION, 'I',
                        (int64_t)generation + 1);
    return level->failed ? -1 : 0;
}
