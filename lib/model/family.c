/* lib/model/family.c - current, repeat, reuse: what a presented token means. */
#include "family.h"

#define CLOCK_BACK_S 60

static int same_digest(const struct mru_bag *record, int32_t field,
                       const uint8_t *digest) {
    uint8_t kept[32];
    return digest != NULL && mru_bag_bytes(record, field, kept, 32) &&
           mru_equal_ct(kept, digest, 32);
}

/* The previous generation again: was it the one who had the answer? */
static int judge_repeat(const struct mru_bag *record,
                        const struct mru_presented *token) {
    int same = same_digest(record, MRU_F_PARAMETERS, token->parameters);
    int proved = (token->proved && token->proved_before) ||
                 same_digest(record, MRU_F_PROOF, token->nonce);
    int64_t used_at = mru_bag_int_or(record, MEREAU_LAST_USED_AT, 0);
    if (proved)
        return same ? MRU_TOKEN_REPEAT : MRU_TOKEN_OTHER;
    if (!same || mru_bag_int_or(record, MRU_F_GRACE_USED, 0) != 0 ||
        token->now_at >= mru_add_time(used_at, token->grace_s))
        return MRU_TOKEN_REUSED;
    return MRU_TOKEN_GRACE;
}

int mru_family_judge(const struct mru_bag *record,
                     const struct mru_presented *token) {
    int64_t current = mru_bag_int_or(record, MRU_F_GENERATION, 0);
    int64_t presented = token->generation;
    int64_t used_at = mru_bag_int_or(record, MEREAU_LAST_USED_AT, 0);
    if (presented > current)
        return MRU_TOKEN_RESTORED;
    if (used_at > mru_add_time(token->now_at, CLOCK_BACK_S))
        return MRU_TOKEN_CLOCK_BACK;
    if (presented == current)
        return MRU_TOKEN_CURRENT;
    if (presented == current - 1)
        return judge_repeat(record, token);
    return MRU_TOKEN_REUSED;
}

const char *mru_family_expired(const struct mru_bag *record, int64_t now_at,
                               int64_t *ended_at) {
    static const struct {
        int32_t field;
        const char *rule;
    } ends[] = {{MRU_F_FAMILY_ENDS, "family.lifetime"},
                {MRU_F_IDLE_ENDS, "family.idle"},
                {MRU_F_REFRESH_ENDS, "refresh_token.lifetime"}};
    if (mru_bag_int(record, MRU_F_STEP) != MRU_STEP_FAMILY) {
        *ended_at = mru_bag_int_or(record, MRU_F_AUTH_ENDS, 0);
        return now_at >= *ended_at ? "auth_token.lifetime" : NULL;
    }
    for (size_t i = 0; i < sizeof ends / sizeof ends[0]; i++) {
        *ended_at = mru_bag_int(record, ends[i].field);
        if (*ended_at != MEREAU_UNSET && now_at >= *ended_at)
            return ends[i].rule;
    }
    return NULL;
}
