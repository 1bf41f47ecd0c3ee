/* lib/model/family.h - the rules of a token family: what a presented token of it
 * means now. Pure: no I/O, no clock. */
#ifndef MRU_MODEL_FAMILY_H
#define MRU_MODEL_FAMILY_H

#include "../record/bag.h"
#include "../record/fields.h"

/* What a token of some generation means. */
enum {
    MRU_TOKEN_CURRENT = 1,   /* using it makes the next generation */
    MRU_TOKEN_REPEAT = 2,    /* proved: the same answer again, nothing changes */
    MRU_TOKEN_GRACE = 3,     /* unproved, for the first time, soon: the same
                                answer, noted */
    MRU_TOKEN_REUSED = 4,    /* used before: the family ends */
    MRU_TOKEN_OTHER = 5,     /* proved, but with other parameters: refused */
    MRU_TOKEN_RESTORED = 6,  /* newer than the record: the store went back */
    MRU_TOKEN_CLOCK_BACK = 7 /* the record is ahead of the clock */
};

struct mru_presented {
    uint32_t generation;
    int proved;              /* by client credential or device key */
    int proved_before;       /* so was the step it repeats */
    const uint8_t *nonce;    /* 32-byte digest of the retry nonce; NULL: none */
    const uint8_t *parameters; /* 32-byte digest */
    int64_t grace_s;
    int64_t now_at;
};
int mru_family_judge(const struct mru_bag *record,
                     const struct mru_presented *token);

/* Which end a family's current refresh (or auth) token has passed: the rule and
 * the instant, or NULL while it lives. */
const char *mru_family_expired(const struct mru_bag *record, int64_t now_at,
                               int64_t *ended_at);

#endif
