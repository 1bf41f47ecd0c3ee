/* lib/jose/expect_int.h - the inside of expectations, for what checks them. */
#ifndef MRU_JOSE_EXPECT_INT_H
#define MRU_JOSE_EXPECT_INT_H

#include <mereau/expect.h>

#include "../base/base.h"

enum { MRU_EXPECT_TEXTS = MEREAU_EXPECT_CLIENT_ID + 1 };

/* What is expected; NULL, or MEREAU_UNSET: nothing. */
struct mru_expected {
    const char *text[MRU_EXPECT_TEXTS]; /* by MEREAU_EXPECT_* */
    int64_t max_auth_age_s;
};

struct mereau_expect {
    struct mru_expected expected; /* points into values */
    struct mru_buf values[MRU_EXPECT_TEXTS];
    mereau_status mistake; /* the first one */
};

#endif
