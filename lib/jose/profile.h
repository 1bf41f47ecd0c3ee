/* lib/jose/profile.h - kinds of tokens: what tells them apart. */
#ifndef MRU_JOSE_PROFILE_H
#define MRU_JOSE_PROFILE_H

#include "rules.h"

struct mru_profile {
    int32_t id; /* MEREAU_PROFILE_* */
    const char *type;
    const char *other_type; /* accepted as well; NULL: none */
    int type_optional; /* a header without typ is accepted */
    const char *source; /* of the required claims */
    enum mru_claim required[6]; /* besides iss and aud; MRU_CLAIM_OTHER ends */
    int64_t max_lifetime_s; /* 0: none */
    int64_t max_age_s; /* 0: none */
    uint32_t expects; /* bits of MEREAU_EXPECT_* that it can say */
    mereau_status (*check)(struct mru_check *c); /* what else; NULL: nothing */
};

/* NULL for an unknown one. */
const struct mru_profile *mru_profile_find(int32_t id);

#endif
