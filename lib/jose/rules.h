/* lib/jose/rules.h - the checks of one payload whose signature was right. */
#ifndef MRU_JOSE_RULES_H
#define MRU_JOSE_RULES_H

#include "expect_int.h"
#include "verifier_int.h"

/* One payload under test. */
struct mru_check {
    const mereau_verifier *verifier;
    const struct mru_keyset *set; /* with the notices; may be NULL */
    const struct mru_expected *expected;
    const struct mereau_claims *claims;
    const struct mru_said *said; /* of the claims */
    const struct mru_jval *typ; /* of the header; NULL: known to be right */
    const mru_key *key; /* that verified */
    int64_t now_at;
    int64_t exp_at, iat_at; /* whole seconds */
    int has_exp, has_iat;
    mereau_error *err;
};

/* All checks, one after another, until one refuses. */
mereau_status mru_check_all(struct mru_check *c);
/* Those whose answer can be another than when the same token passed all of them:
 * what depends on the time, the request, the host or the snapshot. */
mereau_status mru_check_again(struct mru_check *c);

/* --- of each file in turn --- */

/* rules_time.c */
mereau_status mru_check_expiry(struct mru_check *c);
mereau_status mru_check_start(struct mru_check *c);
mereau_status mru_check_issued(struct mru_check *c);
mereau_status mru_check_lifetime(struct mru_check *c);
mereau_status mru_check_auth_time(struct mru_check *c);
/* rules_notice.c */
mereau_status mru_check_owner(struct mru_check *c);
mereau_status mru_check_notices(struct mru_check *c);
/* rules_expect.c: before anything is done, whether this kind of token can say what
 * is expected; then whether it does. */
mereau_status mru_expected_fits(const mereau_verifier *verifier,
                                const struct mru_expected *expected,
                                mereau_error *err);
mereau_status mru_check_expected(struct mru_check *c);
/* profile.c */
mereau_status mru_check_required(struct mru_check *c);
mereau_status mru_check_profile(struct mru_check *c);
/* dpop.c */
mereau_status mru_check_dpop(struct mru_check *c);

/* --- saying why --- */

enum { MRU_SAY = 97 };
/* A text of the token that may be shown (iss, aud, typ, scope): cut to fit. */
const char *mru_show(const struct mru_jval *value, char out[MRU_SAY]);
/* A claim that is missing or not as required: rule "jwt.<name>". found NULL: what
 * kind of value it is. */
mereau_status mru_refuse_claim(const struct mru_check *c, mereau_status status,
                               const char *name, const char *source,
                               const char *wanted, const char *found);

/* A media type compared without case and without "application/". */
int mru_type_is(const char *typ, size_t len, const char *wanted);
/* Whether a text is one of our audiences. */
int mru_is_audience(const mereau_verifier *verifier, const char *text);
/* Compares what may be secret. */
int mru_text_equal_ct(const char *a, const char *b);

#endif
