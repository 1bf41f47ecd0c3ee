/* lib/model/notbefore.h - not-before: one number on a tenant, app, subject or
 * device that refuses all that was issued under it up to an instant, however
 * much that was. Pure: no I/O, no clock.
 *
 * Two things decide, for two kinds of readers. In the store, order comes from
 * generations: a raise to now counts one up, what is issued remembers the
 * generations it was born under, and no clock is asked. A JWT that is checked
 * without the store has only its iat: a raise puts n ahead of now by what clocks
 * may differ, a token with iat <= n is refused, and whoever has read n signs
 * iat = max(now, n + 1). So nothing issued before a raise lives, and a login
 * right after it works. */
#ifndef MRU_MODEL_NOTBEFORE_H
#define MRU_MODEL_NOTBEFORE_H

#include "../record/bag.h"
#include "../record/fields.h"

/* Other machines' clocks: a raise to now covers iats that are so far ahead. */
#define MRU_CLOCK_SPREAD_S 30
/* Verifiers accept an iat up to 60 s ahead, whatever their skew, so n stays
 * below that and raises at one level can be no denser than one a second after
 * the first thirty. */
#define MRU_NOT_BEFORE_AHEAD_S 59

enum {
    MRU_LEVEL_TENANT = 0,
    MRU_LEVEL_APP = 1,
    MRU_LEVEL_SUBJECT = 2,
    MRU_LEVEL_DEVICE = 3,
    MRU_LEVELS = 4
};

/* Under which not-befores something was issued. */
struct mru_born {
    uint32_t generation[MRU_LEVELS];
    int64_t born_at; /* the iat */
};

/* levels: the records t, a, n, n; NULL where there is none (yet). */

/* The iat of what is issued now. */
int64_t mru_not_before_iat(const struct mru_bag *const levels[MRU_LEVELS],
                           int64_t now_at);
void mru_born_now(struct mru_born *born,
                  const struct mru_bag *const levels[MRU_LEVELS],
                  int64_t now_at);
/* The first level that refuses, or -1. */
int mru_not_before(const struct mru_born *born,
                   const struct mru_bag *const levels[MRU_LEVELS]);
/* Into a record and back: 0, or -1 when it is not there or not of our form. */
void mru_born_store(struct mru_bag *bag, const struct mru_born *born);
int mru_born_load(struct mru_born *born, const struct mru_bag *bag);

/* Raises one level, at most to now (also MEREAU_NOW). A lower instant changes
 * nothing. MEREAU_OK; MEREAU_E_POLICY, rule "not_before.at", for one ahead of now;
 * MEREAU_E_BUSY, rule "not_before.rate", when it was raised too often within a
 * minute; MEREAU_E_NOMEM. level is as before after a refusal. */
mereau_status mru_not_before_raise_level(struct mru_bag *level, int64_t at,
                                         int64_t now_at, mereau_error *err);

/* For a compromise, which no clock may put off: the generation always goes up, and
 * the number as far as verifiers can bear. 0, or -1 without memory. */
int mru_not_before_force(struct mru_bag *level, int64_t now_at);

#endif
