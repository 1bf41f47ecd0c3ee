/* lib/jose/claims_int.h - the inside of claims, for the files that fill them,
 * check them and read them. */
#ifndef MRU_JOSE_CLAIMS_INT_H
#define MRU_JOSE_CLAIMS_INT_H

#include "keyset.h"

struct mru_cached;

/* Claims that are looked for in every token. */
enum mru_claim {
    MRU_CLAIM_OTHER,
    MRU_CLAIM_AT_HASH,
    MRU_CLAIM_ATH,
    MRU_CLAIM_AUD,
    MRU_CLAIM_AUTH_TIME,
    MRU_CLAIM_AZP,
    MRU_CLAIM_C_HASH,
    MRU_CLAIM_CLIENT_ID,
    MRU_CLAIM_CNF,
    MRU_CLAIM_EVENTS,
    MRU_CLAIM_EXP,
    MRU_CLAIM_HTM,
    MRU_CLAIM_HTU,
    MRU_CLAIM_IAT,
    MRU_CLAIM_ISS,
    MRU_CLAIM_JTI,
    MRU_CLAIM_NBF,
    MRU_CLAIM_NONCE,
    MRU_CLAIM_SCOPE,
    MRU_CLAIM_SID,
    MRU_CLAIM_SUB,
    MRU_CLAIMS
};

/* A checked payload, and where its first members and all its strings are. */
struct mru_said {
    struct mru_jval root; /* kind 0: nothing was said */
    const char *json; /* all of it, white space around root included */
    size_t len;
    const char *texts; /* as json, but each string unescaped, with a NUL */
    const struct mru_jmember *members;
    size_t n; /* members of the document: may be more than MRU_JINDEX_MAX */
    uint8_t at[MRU_CLAIMS]; /* where among members, plus 1; 0: not there */
};

struct mereau_claims {
    struct mru_buf header; /* decoded */
    struct mru_buf json; /* decoded payload */
    struct mru_buf texts;
    struct mru_jindex index;
    /* In the buffers above, or in an entry of a cache, which is then held. */
    struct mru_said said;
    struct mru_cached *held;
    char thumbprint[44]; /* of the key that verified, "" for a secret */
};

/* Empties claims, keeping their memory. */
void mru_claims_reset(struct mereau_claims *claims);
/* Checks the payload in claims->json as JSON and fills the rest. */
mereau_status mru_claims_index(struct mereau_claims *claims, mereau_error *err);
void mru_claims_clear(struct mereau_claims *claims);

const char *mru_claim_name(enum mru_claim which);
/* A member of the top level: 1, or 0 and kind 0. */
int mru_said_get(struct mru_jval *value, const struct mru_said *said,
                 enum mru_claim which);
int mru_said_find(struct mru_jval *value, const struct mru_said *said,
                  const char *name);
/* A string inside what was said, unescaped; NULL when it is none. */
const char *mru_said_text(const struct mru_said *said,
                          const struct mru_jval *value);
/* A member of the top level that is a text; NULL when absent or none. */
const char *mru_said_text_of(const struct mru_said *said, const char *name);
/* 1 when words, separated by spaces, hold one. */
int mru_has_word(const char *words, const char *word, size_t len);

#endif
