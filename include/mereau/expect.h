/* mereau/expect.h - what one request expects of its token: the nonce that was sent,
 * the access token that came along, the key that was proved. One owner, filled for
 * a request, reset and used again for the next. */
#ifndef MEREAU_EXPECT_H
#define MEREAU_EXPECT_H

#include <mereau/error.h>

#ifdef __cplusplus
extern "C" {
#endif

/** Expectations of one request. Since: 0.2. */
typedef struct mereau_expect mereau_expect;

/** What can be expected, and of which kind of token (jwt.h). What is expected must
 * be there, and be right. Since: 0.2. */
enum {
    MEREAU_EXPECT_NONCE = 1,        /* nonce, of any kind that may have one */
    MEREAU_EXPECT_ACCESS_TOKEN = 2, /* ID token: at_hash is of this access token;
                                       DPoP: ath is. Do not expect it of ID tokens
                                       from a token endpoint, which may leave
                                       at_hash out */
    MEREAU_EXPECT_CODE = 3,         /* ID token: c_hash is of this code */
    MEREAU_EXPECT_SUBJECT = 4,      /* sub, of any kind but DPoP */
    MEREAU_EXPECT_JKT = 5,          /* the thumbprint of the key that was proved,
                                       43 characters: DPoP: of the proof's own key;
                                       other kinds: cnf.jkt is it */
    MEREAU_EXPECT_METHOD = 6,       /* DPoP: htm, "POST" */
    MEREAU_EXPECT_URI = 7,          /* DPoP: htu, the URI of the request; compared
                                       after normalization, without query and
                                       fragment */
    MEREAU_EXPECT_CLIENT_ID = 8,    /* ID token: azp, or the only audience;
                                       assertion, SSO token: iss; else client_id */
    MEREAU_EXPECT_MAX_AUTH_AGE_S = 32 /* a number: auth_time is at most so long ago */
};

/** Makes empty expectations. Returns: NULL only without memory (every function
 * accepts that NULL, and a verification with it is MEREAU_E_NOMEM).
 * Owns: the caller; free with mereau_expect_free(). Threads: any. Since: 0.2. */
MEREAU_API mereau_expect *mereau_expect_new(void);

/** Wipes and frees expectations. In: expect, or NULL. Threads: one owner. Since:
 * 0.2. */
MEREAU_API void mereau_expect_free(mereau_expect *expect);

/** Forgets all, keeping memory. In: expect, or NULL. Threads: one owner. Since:
 * 0.2. */
MEREAU_API void mereau_expect_reset(mereau_expect *expect);

/** Expects a text.
 * In:       what, MEREAU_EXPECT_NONCE .. _CLIENT_ID; value, 1 to MEREAU_MAX_TOKEN
 *           bytes, copied. NULL or "" is a mistake, not "nothing expected".
 * Mistakes: kept, and every verification then fails with MEREAU_E_ARG (or
 *           MEREAU_E_NOMEM), rule "expect.value", until mereau_expect_reset().
 * Threads: one owner. Since: 0.2. */
MEREAU_API void mereau_expect_set(mereau_expect *expect, int32_t what,
                                  const char *value);

/** Expects a number. In: what, MEREAU_EXPECT_MAX_AUTH_AGE_S; value, 0 up, in
 * seconds. Mistakes, threads: as mereau_expect_set(). Since: 0.2. Source: OpenID
 * Connect Core section 3.1.2.1. */
MEREAU_API void mereau_expect_set_int(mereau_expect *expect, int32_t what,
                                      int64_t value);

#ifdef __cplusplus
}
#endif
#endif
