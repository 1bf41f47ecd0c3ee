/* lib/jose/live.c - a verifier's key set that changes while others verify: taking
 * and giving back, putting a newer one in place, and asking for one. */
#include "verifier_int.h"

#include "../port/port.h"

/* A key set older than this should be fetched again, and nobody is asked to
 * oftener than that. */
enum { OLD_AFTER_S = 3600, ASK_EVERY_S = 60 };

struct mru_keyset *mru_live_take(struct mru_live *live) {
    mru_lock_take(live->lock);
    struct mru_keyset *set = live->set;
    if (set)
        set->refs++;
    mru_lock_give(live->lock);
    return set;
}

void mru_live_give(struct mru_live *live, struct mru_keyset *set) {
    if (!set)
        return;
    mru_lock_take(live->lock);
    int last = --set->refs == 0;
    mru_lock_give(live->lock);
    if (last)
        mru_keyset_free(set);
}

void mru_live_missed(struct mru_live *live) {
    mru_lock_take(live->lock);
    live->missed = 1;
    mru_lock_give(live->lock);
}

int64_t mru_live_since(struct mru_live *live, const struct mru_keyset *set,
                       int64_t now_at) {
    int64_t since = set->loaded_at;
    if (since != MEREAU_UNSET)
        return since;
    mru_lock_take(live->lock);
    if (live->loaded_at == MEREAU_UNSET)
        live->loaded_at = now_at;
    since = live->loaded_at;
    mru_lock_give(live->lock);
    return since;
}

/* Puts a set in place; who still uses the old one keeps it until done. */
void mru_live_replace(struct mru_live *live, struct mru_keyset *set,
                      int64_t loaded_at) {
    set->refs = 1;
    mru_lock_take(live->lock);
    struct mru_keyset *old = live->set;
    live->set = set;
    set->serial = ++live->serial;
    live->loaded_at = loaded_at;
    live->fetched = 1;
    live->missed = 0;
    mru_lock_give(live->lock);
    mru_live_give(live, old);
}

struct mru_live *mru_live_new(void) {
    struct mru_live *live = mru_alloc(sizeof *live);
    if (!live)
        return NULL;
    live->lock = mru_lock_new();
    live->loaded_at = MEREAU_UNSET;
    live->asked_at = MEREAU_UNSET;
    if (live->lock)
        return live;
    mru_free(live);
    return NULL;
}

void mru_live_free(struct mru_live *live) {
    if (!live)
        return;
    mru_keyset_free(live->set);
    mru_lock_free(live->lock);
    mru_free(live);
}

int32_t mereau_verifier_wants_jwks(const mereau_verifier *v, int64_t now_at) {
    int32_t wants = 0;
    if (!v || !v->ready || now_at <= MEREAU_NOW)
        return 0;
    struct mru_live *live = v->live;
    mru_lock_take(live->lock);
    if (live->fetched && live->loaded_at == MEREAU_UNSET)
        live->loaded_at = now_at; /* given at set-up: its age counts from now */
    int old = now_at >= mru_add_time(live->loaded_at, OLD_AFTER_S);
    int asked = live->asked_at != MEREAU_UNSET && now_at >= live->asked_at &&
                now_at < mru_add_time(live->asked_at, ASK_EVERY_S);
    if (live->fetched && (old || live->missed) && !asked) {
        live->asked_at = now_at;
        live->missed = 0;
        wants = 1;
    }
    mru_lock_give(live->lock);
    return wants;
}
