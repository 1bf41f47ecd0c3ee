/* tests/vectors/wycheproof.h - the form that Wycheproof's files have in common:
 * groups of tests, each with a result. */
#ifndef WYCHEPROOF_H
#define WYCHEPROOF_H

#include "vec.h"

struct wyc {
    struct vec_count count;
    cJSON *root;
    const cJSON *groups;
    struct {
        const char *why;
        int n;
    } reasons[8]; /* for what is unsupported */
};

void wyc_load(struct wyc *w, const char *name);
/* A member, or NULL. */
const cJSON *wyc_member(const cJSON *object, const char *name);
int wyc_number(const cJSON *object, const char *name);
int wyc_is(const cJSON *test, const char *result);
/* Counts one answer. A test marked "acceptable" must be refused: in all of the
 * files that are run the refusal is the stricter answer of the two. */
void wyc_answer(struct wyc *w, const cJSON *test, int accepted);
/* Counts tests that are not run. */
void wyc_unsupported(struct wyc *w, int tests, const char *why);
/* All tests of a group. */
void wyc_unsupported_group(struct wyc *w, const cJSON *group, const char *why);
/* Prints the counts, fails when an answer was wrong or not exactly `ran` tests
 * ran, and frees. */
void wyc_end(struct wyc *w, int ran);

#endif
