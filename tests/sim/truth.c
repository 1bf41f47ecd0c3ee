/* tests/sim/truth.c - see sim.h: what was taken away and when, and what must hold
 * after every commit, whoever sent it and however late it landed. "When" counts
 * commits, not seconds. */
#include "sim.h"

static const char *name_of(const struct sim_inst *inst) {
    return sim_kind_name(inst->step.kind);
}

/* --- what is alive --- */

static uint32_t max(uint32_t a, uint32_t b) { return a > b ? a : b; }

int sim_raised(const struct sim_truth *truth, const struct sim_world *w,
               int f) {
    int t = f / SIM_DEVICES, d = f % SIM_DEVICES;
    const struct sim_token *token = &w->tokens[t];
    uint32_t at = truth->raised_tenant;
    at = max(at, truth->raised_app[token->app]);
    at = max(at, truth->raised_subject[token->subject ? SIM_DEVICES : d]);
    at = max(at, truth->raised_device[d]);
    return at > truth->family[f].born;
}

static int app_bad(const struct sim_truth *truth, const struct sim_world *w,
                   int f) {
    int app = w->tokens[f / SIM_DEVICES].app;
    return truth->app_off[app] || truth->app_gone[app] || truth->tenant_off;
}

int sim_alive(const struct sim_truth *truth, const struct sim_world *w, int f) {
    return truth->family[f].born != 0 && truth->family[f].ended == 0 &&
           truth->family[f].rearmed == 0 &&
           truth->token[f / SIM_DEVICES].cascaded == 0 &&
           !app_bad(truth, w, f) && !sim_raised(truth, w, f);
}

/* --- counts --- */

static int64_t bag_int(const struct sim_store *store,
                       const struct mru_rkey *key, int32_t a, int64_t *first,
                       int32_t b, int64_t *second) {
    struct mru_bag bag;
    int there = sim_bag(store, key, &bag);
    *first = mru_bag_int_or(&bag, a, 0);
    *second = mru_bag_int_or(&bag, b, 0);
    mru_bag_free(&bag);
    return there;
}

int64_t sim_used(const struct sim_world *w, int t, int64_t *quota, int *there) {
    int64_t used = 0, one, two;
    *quota = 0;
    *there = 0;
    for (uint8_t i = 0; i < 16; i++) {
        struct mru_rkey key;
        mru_rkey_set(&key, 's', w->tokens[t].raw, MRU_ID_LEN);
        mru_rkey_add(&key, &i, 1);
        if (!bag_int(&w->store, &key, MRU_F_USED, &one, MRU_F_QUOTA, &two))
            break;
        *there = 1;
        used += one;
        *quota += two;
    }
    return used;
}

static int enrolled(const struct sim_world *w, int f) {
    struct mru_rkey key;
    mru_rkey_set(&key, 'e', w->enrolment[f], MRU_ID_LEN);
    return sim_find(&w->store, key.data, key.len) != NULL;
}

/* Every count is one device, every device is one count, and none is too many. */
static void check_counts(struct sim_world *w, int t) {
    int64_t quota, used, entries = 0, count, unused;
    struct mru_rkey key;
    int there;
    if (!w->tokens[t].there)
        return;
    mru_rkey_set(&key, 'r', w->tokens[t].raw, MRU_ID_LEN);
    if (!bag_int(&w->store, &key, MEREAU_COUNT, &count, MRU_F_SLOTS, &unused))
        return; /* purged */
    used = sim_used(w, t, &quota, &there);
    for (int d = 0; d < SIM_DEVICES; d++) {
        int f = t * SIM_DEVICES + d;
        entries += enrolled(w, f) || w->families[f].purged;
    }
    if (used > w->tokens[t].limit)
        sim_wrong(w, "limit", "token %d: %lld used of %lld", t, (long long)used,
                  (long long)w->tokens[t].limit);
    if (used != entries)
        sim_wrong(w, "ledger", "token %d: %lld used, %lld ledger entries", t,
                  (long long)used, (long long)entries);
    if (quota != w->tokens[t].limit || count != w->tokens[t].limit)
        sim_wrong(w, "quota",
                  "token %d: count %lld in sub-counts of %lld, "
                  "should be %lld",
                  t, (long long)count, (long long)quota,
                  (long long)w->tokens[t].limit);
}

/* --- what administrators did --- */

static void took_away(struct sim_world *w, const struct sim_inst *inst) {
    struct sim_truth *truth = &w->truth;
    const struct sim_step *step = &inst->step;
    const struct sim_token *token = &w->tokens[step->token];
    int f = sim_family_of(step), d = step->device % SIM_DEVICES;
    uint32_t now = truth->seq;
    switch (step->kind) {
    case SIM_REVOKE_TOKEN:
        truth->token[step->token].revoked = now;
        if (step->arg)
            truth->token[step->token].cascaded = now;
        break;
    case SIM_REISSUE:
    case SIM_MINT:
        if (truth->app_off[token->app] || truth->app_gone[token->app] ||
            truth->tenant_off)
            sim_wrong(w, "disabled", "%s after its app was switched off",
                      name_of(inst));
        if (step->kind == SIM_REISSUE)
            truth->token[step->token].revoked = now;
        break;
    case SIM_REVOKE_AUTH:
    case SIM_REVOKE_FAMILY:
    case SIM_REVOKE_HELD:
        truth->family[f].ended = now;
        truth->family[f].rearmed = 0;
        break;
    case SIM_REARM:
        truth->family[f].rearmed = now;
        truth->family[f].ended = 0; /* it may begin again */
        break;
    case SIM_RAISE:
        if (step->arg == 0)
            truth->raised_tenant = now;
        else if (step->arg == 1)
            truth->raised_app[token->app] = now;
        else if (step->arg == 2)
            truth->raised_subject[token->subject ? SIM_DEVICES : d] = now;
        else
            truth->raised_device[d] = now;
        break;
    case SIM_TENANT_ENABLE:
        truth->tenant_off = !step->arg;
        break;
    case SIM_KEY_REVOKE:
        truth->raised_tenant = now;
        break;
    case SIM_APP_ENABLE:
        truth->app_off[token->app] = !step->arg;
        break;
    case SIM_APP_DELETE:
        truth->app_gone[token->app] = 1;
        break;
    case SIM_APP_LABEL:
        if (truth->app_gone[token->app])
            sim_wrong(w, "resurrected", "a deleted app was changed");
        break;
    case SIM_BLOCK:
    case SIM_UNBLOCK:
        truth->blocked[d] = step->kind == SIM_BLOCK;
        break;
    case SIM_COUNT:
        w->tokens[step->token].limit = step->arg;
        break;
    case SIM_EXTEND:
        w->tokens[step->token].expires_at = SIM_EXTENDED;
        break;
    default:
        break;
    }
}

/* --- what was issued --- */

static void redeemed(struct sim_world *w, struct sim_inst *inst, int f,
                     int existed) {
    struct sim_truth *truth = &w->truth;
    int t = f / SIM_DEVICES, d = f % SIM_DEVICES;
    if (truth->token[t].revoked != 0)
        sim_wrong(w, "revoked", "redeemed after its token was revoked");
    if (app_bad(truth, w, f))
        sim_wrong(w, "disabled", "redeemed after its app was switched off");
    if (truth->blocked[d])
        sim_wrong(w, "blocked", "redeemed after the device was blocked");
    if (inst->now_at >= w->tokens[t].expires_at)
        sim_wrong(w, "expired", "redeemed after its token expired");
    if (existed && truth->family[f].rearmed == 0)
        sim_wrong(w, "enrolled", "an enrolment was overwritten");
    if (truth->family[f].born != 0 && !existed)
        sim_wrong(w, "tombstone", "a device that was purged enrols again");
    truth->family[f].born = truth->seq;
    truth->family[f].ended = truth->family[f].rearmed = 0;
    truth->family[f].generation = 0;
    sim_forget(&w->families[f]);
    w->families[f].nonce_of = inst->step.arg;
}

/* One step of a family: from the presented generation to the next. */
static void moved(struct sim_world *w, const struct sim_inst *inst, int f,
                  const struct mru_bag *old, const struct mru_bag *now) {
    struct sim_truth *truth = &w->truth;
    int64_t from = mru_bag_int_or(old, MRU_F_GENERATION, 0);
    int64_t to = mru_bag_int_or(now, MRU_F_GENERATION, 0);
    int64_t used_at = mru_bag_int_or(old, MEREAU_LAST_USED_AT, 0);
    if (truth->family[f].ended != 0)
        sim_wrong(w, "ended", "%s after its family was ended", name_of(inst));
    if (truth->family[f].rearmed != 0)
        sim_wrong(w, "rearmed", "%s after its device was re-armed",
                  name_of(inst));
    if (truth->token[f / SIM_DEVICES].cascaded != 0)
        sim_wrong(w, "cascade",
                  "%s after a revocation of all that its "
                  "token led to",
                  name_of(inst));
    if (app_bad(truth, w, f))
        sim_wrong(w, "disabled", "%s after its app was switched off",
                  name_of(inst));
    if (sim_raised(truth, w, f))
        sim_wrong(w, "not_before", "%s after a not-before was raised",
                  name_of(inst));
    if (used_at > inst->now_at + MRU_CLOCK_BACK_S)
        sim_wrong(w, "clock", "%s with a clock that went back", name_of(inst));
    if (to == from) { /* an unproved repeat is noted */
        if (inst->presented + 1 != from ||
            inst->now_at >= used_at + MRU_DEFAULT_GRACE_S ||
            mru_bag_int_or(old, MRU_F_GRACE_USED, 0) != 0)
            sim_wrong(w, "grace", "%s: generation %u repeated at %lld, again",
                      name_of(inst), inst->presented, (long long)from);
        return;
    }
    if (to != from + 1 || inst->presented != from)
        sim_wrong(w, "leaf", "%s: generation %u makes %lld of %lld",
                  name_of(inst), inst->presented, (long long)to,
                  (long long)from);
    truth->family[f].generation = (uint32_t)to;
}

/* The family ends because a token was used twice. Was it? */
static void alarmed(struct sim_world *w, struct sim_inst *inst, int f,
                    const struct mru_bag *old) {
    int64_t current = mru_bag_int_or(old, MRU_F_GENERATION, 0);
    int64_t used_at = mru_bag_int_or(old, MEREAU_LAST_USED_AT, 0);
    uint8_t proof[32];
    int proved = inst->has_nonce &&
                 mru_bag_bytes(old, MRU_F_PROOF, proof, sizeof proof) &&
                 memcmp(proof, inst->nonce, sizeof proof) == 0;
    proved |= inst->step.device == SIM_KEYED;
    inst->alarm = 1;
    w->truth.family[f].ended = w->truth.seq;
    if (inst->presented >= current)
        sim_wrong(w, "false_alarm",
                  "the newest generation %u was taken for "
                  "a reuse",
                  inst->presented);
    if (inst->presented + 1 == current && proved)
        sim_wrong(w, "false_alarm",
                  "a proved repeat of generation %u was "
                  "taken for a reuse",
                  inst->presented);
    if (inst->presented + 1 == current && !w->families[f].narrowed &&
        mru_bag_int_or(old, MRU_F_GRACE_USED, 0) == 0 &&
        inst->now_at < used_at + MRU_DEFAULT_GRACE_S)
        sim_wrong(w, "false_alarm",
                  "the first repeat of generation %u within "
                  "the grace time was taken for a reuse",
                  inst->presented);
}

static void enrolment_changed(struct sim_world *w, struct sim_inst *inst, int f,
                              const struct sim_rec *before,
                              const struct sim_rec *after) {
    struct mru_bag old = {0}, now = {0};
    int64_t step;
    if (before != NULL)
        (void)mru_bag_decode(&old, before->value, before->value_len);
    if (mru_bag_decode(&now, after->value, after->value_len) != MEREAU_OK)
        sim_wrong(w, "record", "an enrolment that cannot be read");
    step = mru_bag_int(&now, MRU_F_STEP);
    switch (inst->step.kind) {
    case SIM_REDEEM:
        redeemed(w, inst, f, before != NULL);
        break;
    case SIM_EXCHANGE:
    case SIM_REFRESH:
    case SIM_STEAL:
        if (before == NULL)
            sim_wrong(w, "record", "a step without an enrolment");
        else if (step == MRU_STEP_ENDED)
            alarmed(w, inst, f, &old);
        else
            moved(w, inst, f, &old, &now);
        break;
    default:
        break;
    }
    inst->birth = w->truth.family[f].born;
    mru_bag_free(&old);
    mru_bag_free(&now);
}

/* --- purging --- */

static void purged(struct sim_world *w, const struct sim_rec *old) {
    struct mru_rkey key;
    int64_t expires_at, revoked_at;
    if (old->drop_at == 0 || old->drop_at > w->farthest)
        sim_wrong(w, "purge", "a record was purged before its time");
    if (old->key[0] != 'e')
        return;
    for (int f = 0; f < SIM_FAMILIES; f++) {
        if (memcmp(w->enrolment[f], old->key + 1, MRU_ID_LEN) != 0)
            continue;
        w->families[f].purged = 1;
        mru_rkey_set(&key, 'r', w->tokens[f / SIM_DEVICES].raw, MRU_ID_LEN);
        if (bag_int(&w->store, &key, MEREAU_EXPIRES_AT, &expires_at,
                    MEREAU_REVOKED_AT, &revoked_at) &&
            revoked_at == 0 && expires_at > w->now_at)
            sim_wrong(w, "evidence",
                      "a ledger entry was purged while its "
                      "token can be redeemed");
    }
}

/* --- secrets --- */

static int contains(const struct sim_rec *rec, const void *part, size_t len) {
    const uint8_t *at = rec->value, *end = rec->value + rec->value_len;
    while ((size_t)(end - at) >= len) {
        at = memchr(at, *(const uint8_t *)part, (size_t)(end - at) - len + 1);
        if (at == NULL)
            return 0;
        if (memcmp(at, part, len) == 0)
            return 1;
        at++;
    }
    return 0;
}

static void check_secrets(struct sim_world *w, const struct sim_rec *rec) {
    static const char *const kinds[] = {"mereau_reg_", "mereau_aut_",
                                        "mereau_ref_", "mereau_acc_"};
    for (size_t i = 0; i < 4; i++)
        if (contains(rec, kinds[i], 11))
            sim_wrong(w, "secret", "a stored record holds a credential");
    for (int i = 0; i < w->n_secrets; i++)
        if (contains(rec, w->secrets[i], 32))
            sim_wrong(w, "secret", "a stored record holds a secret");
}

/* --- after every commit --- */

static int family_of_key(const struct sim_world *w, const struct sim_rec *rec) {
    for (int f = 0; f < SIM_FAMILIES; f++)
        if (w->tokens[f / SIM_DEVICES].there &&
            memcmp(w->enrolment[f], rec->key + 1, MRU_ID_LEN) == 0)
            return f;
    return -1;
}

/* Ending a family because of a reuse may land late: the reuse took place, and
 * whatever refused the token meanwhile did not say that it did not. */
static void applied_once(struct sim_world *w, struct sim_inst *inst) {
    if (++inst->applied > 1 && inst->step.kind != SIM_PURGE)
        sim_wrong(w, "applied_twice", "%s: two commits of one call",
                  name_of(inst));
    if (((inst->step.kind == SIM_MINT && inst->step.token != 0) ||
         inst->step.kind == SIM_REISSUE) &&
        w->farthest < SIM_START + 7 * MRU_DAY_S && /* the key is kept so long */
        ++w->made[inst->caller][inst->pos] > 1)
        sim_wrong(w, "applied_twice",
                  "%s: two tokens under one idempotency "
                  "key",
                  name_of(inst));
    if (inst->ended && !inst->alarm && inst->status != MEREAU_OK &&
        inst->status != MEREAU_E_UNCERTAIN)
        sim_wrong(w, "refused_but_done",
                  "%s: answered %s, and a commit of it landed later",
                  name_of(inst), mereau_status_name(inst->status));
}

/* Its event is in the same commit. */
static void check_event(struct sim_world *w, const struct sim_inst *inst,
                        const struct sim_batch *batch) {
    int events = 0;
    for (size_t i = 0; i < batch->n; i++)
        events += batch->writes[i].kind == MEREAU_WRITE_PUT &&
                  batch->writes[i].rec->key[0] == 'o';
    if (events != inst->keeps_events)
        sim_wrong(w, "event", "%s: %d events in one commit", name_of(inst),
                  events);
}

void sim_applied(struct sim_world *w, struct sim_batch *batch) {
    struct sim_inst *inst = batch->inst < 0 ? NULL : &w->insts[batch->inst];
    int touched[SIM_TOKENS] = {0};
    if (inst != NULL)
        took_away(w, inst);
    for (size_t i = 0; i < batch->n; i++) {
        const struct sim_rec *rec = batch->writes[i].rec;
        const struct sim_rec *old = batch->writes[i].old;
        int put = batch->writes[i].kind == MEREAU_WRITE_PUT, f;
        if (put)
            check_secrets(w, rec);
        if (put && old != NULL && old->version == rec->version)
            sim_wrong(w, "version", "a version was used twice for one record");
        if (inst != NULL && inst->step.kind == SIM_PURGE && old != NULL &&
            batch->writes[i].kind == MEREAU_WRITE_DELETE && rec->key[0] != 'i')
            purged(w, old);
        if (rec->key[0] == 'e' && rec->key_len == 1 + MRU_ID_LEN) {
            f = family_of_key(w, rec);
            if (f >= 0)
                touched[f / SIM_DEVICES] = 1;
            if (f >= 0 && put && inst != NULL)
                enrolment_changed(w, inst, f, old, rec);
        }
    }
    if (inst != NULL) {
        applied_once(w, inst);
        check_event(w, inst, batch);
        touched[inst->step.token] = 1;
    }
    for (int t = 0; t < SIM_TOKENS; t++)
        if (touched[t] && inst != NULL)
            check_counts(w, t);
}
