/* tests/sim/verdict.c - see sim.h: what must hold of every answer. An answer is
 * judged by what was true when its caller read last, or, when it committed, by
 * what was true at the commit (truth.c). */
#include "sim.h"

static const char *name_of(const struct sim_inst *inst) {
    return sim_kind_name(inst->step.kind);
}

static void unfounded(struct sim_world *w, const struct sim_inst *inst) {
    sim_wrong(w, "unfounded",
              "%s(%d, %d, %d) was refused without a reason: %s "
              "%s",
              name_of(inst), inst->step.token, inst->step.device,
              inst->step.arg, mereau_status_name(inst->status), inst->rule);
}

/* --- credentials --- */

static void keep(char **place, const char *text) {
    free(*place);
    *place = text == NULL ? NULL : strdup(text);
}

static void learn(struct sim_world *w, const char *text) {
    struct mru_cred cred;
    if (text == NULL || w->n_secrets == 96 ||
        mru_cred_kind(text, strlen(text)) == 0)
        return;
    if (mru_cred_parse(&cred, 0, text, strlen(text), NULL) == MEREAU_OK)
        memcpy(w->secrets[w->n_secrets++], cred.secret, 32);
}

static uint64_t hash_of(const mereau_op *op, int32_t a, int32_t b) {
    const char *one = mereau_op_text(op, a), *two = mereau_op_text(op, b);
    uint64_t hash =
        sim_bytes(3, one == NULL ? "" : one, one == NULL ? 0 : strlen(one));
    return sim_bytes(hash, two == NULL ? "" : two,
                     two == NULL ? 0 : strlen(two));
}

/* The same question has one answer. */
static void compare(struct sim_world *w, const struct sim_inst *inst,
                    uint64_t *kept, uint64_t now) {
    if (*kept == 0)
        *kept = now;
    else if (*kept != now)
        sim_wrong(w, "same_answer", "%s(%d, %d) got another answer than before",
                  name_of(inst), inst->step.token, inst->step.device);
}

/* --- allowed --- */

/* Committed once, or repeated. */
static void check_done(struct sim_world *w, const struct sim_inst *inst,
                       const mereau_op *op) {
    int64_t repeated = mereau_op_int(op, MEREAU_REPEATED);
    if (inst->applied == 0 && repeated != 1)
        sim_wrong(w, "not_done", "%s was allowed and nothing was committed",
                  name_of(inst));
    if (inst->applied > 0 && repeated == 1)
        sim_wrong(w, "own_repeat", "%s took its own commit for a repeat",
                  name_of(inst));
}

static uint32_t birth_of(const struct sim_caller *caller,
                         const struct sim_inst *inst, int f) {
    return inst->applied > 0 ? inst->birth : caller->seen.family[f].born;
}

static void redeem_allowed(struct sim_world *w, struct sim_caller *caller,
                           struct sim_inst *inst, const mereau_op *op) {
    const struct sim_truth *seen = &caller->seen;
    int f = sim_family_of(&inst->step), t = inst->step.token;
    struct sim_family *family = &w->families[f];
    int app = w->tokens[t].app;
    check_done(w, inst, op);
    if (inst->applied == 0) {
        if (seen->family[f].born == 0 || seen->family[f].ended != 0 ||
            seen->family[f].rearmed != 0 || seen->token[t].revoked != 0 ||
            seen->app_off[app] || seen->app_gone[app] || seen->tenant_off ||
            seen->blocked[inst->step.device] || sim_raised(seen, w, f))
            sim_wrong(w, "repeat",
                      "a redemption was repeated after what it "
                      "gave was taken away");
        if (inst->step.arg != family->nonce_of &&
            seen->family[f].born == w->truth.family[f].born)
            sim_wrong(w, "proof",
                      "a redemption was repeated for another "
                      "secret");
    }
    if (birth_of(caller, inst, f) != w->truth.family[f].born)
        return; /* it was re-armed meanwhile */
    compare(w, inst, &family->enrolled, hash_of(op, MEREAU_AUTH_TOKEN, 0));
    keep(&family->auth, mereau_op_text(op, MEREAU_AUTH_TOKEN));
    learn(w, family->auth);
}

/* What is repeated without a commit is repeated for who had it. */
static void check_proof(struct sim_world *w, const struct sim_caller *caller,
                        const struct sim_inst *inst) {
    if (inst->step.device == SIM_KEYED && inst->step.kind != SIM_STEAL)
        return;
    if (!inst->has_nonce || memcmp(caller->seen_proof, inst->nonce, 32) != 0)
        sim_wrong(w, "proof", "%s was repeated without a proof", name_of(inst));
}

static void move_allowed(struct sim_world *w, struct sim_caller *caller,
                         struct sim_inst *inst, const mereau_op *op) {
    const struct sim_truth *seen = &caller->seen;
    int f = sim_family_of(&inst->step);
    struct sim_family *family = &w->families[f];
    uint32_t g = inst->presented, next = g + 1;
    const char *scope = mereau_op_text(op, MEREAU_SCOPE);
    if (mereau_op_int(op, MEREAU_REPEATED) != 1)
        check_done(w, inst, op);
    if (inst->applied == 0 && !sim_alive(seen, w, f))
        sim_wrong(w, "repeat", "%s was repeated after its family was ended",
                  name_of(inst));
    if (inst->applied == 0)
        check_proof(w, caller, inst);
    if (inst->applied == 0 && seen->family[f].generation != next &&
        birth_of(caller, inst, f) == w->truth.family[f].born)
        sim_wrong(w, "repeat", "%s of generation %u was repeated at %u",
                  name_of(inst), g, seen->family[f].generation);
    if ((inst->step.arg & SIM_NARROW) != 0 && inst->step.kind != SIM_STEAL &&
        (scope == NULL || strcmp(scope, "read") != 0))
        sim_wrong(w, "scope", "asked for \"read\", got \"%s\"",
                  scope == NULL ? "" : scope);
    if (birth_of(caller, inst, f) != w->truth.family[f].born ||
        next >= SIM_GENERATIONS)
        return;
    compare(w, inst, &family->answer[g],
            hash_of(op, MEREAU_REFRESH_TOKEN, MEREAU_ACCESS_TOKEN));
    keep(&family->refresh[next], mereau_op_text(op, MEREAU_REFRESH_TOKEN));
    learn(w, family->refresh[next]);
    if (next >= family->held) {
        family->held = next;
        keep(&family->access, mereau_op_text(op, MEREAU_ACCESS_TOKEN));
        learn(w, family->access);
        family->access_ends =
            inst->now_at + mereau_op_int(op, MEREAU_EXPIRES_IN);
    }
}

static void token_made(struct sim_world *w, struct sim_inst *inst,
                       const mereau_op *op) {
    int place = inst->step.arg % SIM_TOKENS;
    struct sim_token *token = &w->tokens[place];
    const char *text = mereau_op_text(op, MEREAU_REGISTRATION_TOKEN);
    check_done(w, inst, op);
    if (text == NULL) {
        sim_wrong(w, "answer", "%s gave no token", name_of(inst));
        return;
    }
    if (token->there) {
        if (strcmp(token->text, text) != 0)
            sim_wrong(w, "same_answer", "%s made a second token",
                      name_of(inst));
        return;
    }
    snprintf(token->text, sizeof token->text, "%s", text);
    snprintf(token->id, sizeof token->id, "%s",
             mereau_op_text(op, MEREAU_REGISTRATION_TOKEN_ID));
    token->there = 1;
    token->app =
        inst->step.kind == SIM_REISSUE ? w->tokens[inst->step.token].app : 0;
    token->subject =
        inst->step.kind == SIM_REISSUE && w->tokens[inst->step.token].subject;
    token->limit = mereau_op_int(op, MEREAU_COUNT);
    token->expires_at = inst->now_at + 7 * MRU_DAY_S;
    learn(w, text);
    if (mru_id_read(token->raw, token->id) != 0)
        abort();
    for (int d = 0; d < SIM_DEVICES; d++)
        if (mru_enrolment_id(w->enrolment[place * SIM_DEVICES + d], SIM_TENANT,
                             token->raw, sim_device(d)) != 0)
            abort();
    if (inst->step.kind == SIM_REISSUE) {
        int64_t quota;
        int there;
        const struct sim_token *old = &w->tokens[inst->step.token];
        int64_t used = sim_used(w, inst->step.token, &quota, &there);
        if (there && token->limit + used != old->limit)
            sim_wrong(w, "reissue",
                      "%lld of %lld used, and %lld were "
                      "reissued",
                      (long long)used, (long long)old->limit,
                      (long long)token->limit);
    } else if (token->limit != inst->step.device) {
        sim_wrong(w, "answer", "a token of another count");
    }
}

/* Taken away by this call, or before it read. */
static void taken_allowed(struct sim_world *w, const struct sim_caller *caller,
                          const struct sim_inst *inst) {
    const struct sim_truth *seen = &caller->seen;
    const struct sim_step *step = &inst->step;
    int f = sim_family_of(step), so = 1;
    if (inst->applied > 0)
        return;
    switch (step->kind) {
    case SIM_REVOKE_TOKEN:
        so = seen->token[step->token].revoked != 0 &&
             (!step->arg || seen->token[step->token].cascaded != 0);
        break;
    case SIM_REVOKE_AUTH:
    case SIM_REVOKE_FAMILY:
        so = seen->family[f].ended != 0;
        break;
    case SIM_REVOKE_HELD:
        so = seen->family[f].ended != 0 || seen->family[f].rearmed != 0 ||
             seen->token[step->token].cascaded != 0 || w->families[f].purged ||
             seen->app_gone[w->tokens[step->token].app] ||
             seen->family[f].born != w->truth.family[f].born;
        break;
    case SIM_BLOCK:
        so = seen->blocked[step->device];
        break;
    case SIM_UNBLOCK:
        so = !seen->blocked[step->device];
        break;
    case SIM_PURGE:
        break;
    case SIM_KEY_REVOKE: /* it was dropped before */
        so = seen->raised_tenant != 0;
        break;
    default:
        so = 0;
    }
    if (!so)
        sim_wrong(w, "not_done", "%s returned and had done nothing",
                  name_of(inst));
}

static void verify_allowed(struct sim_world *w, const struct sim_caller *caller,
                           const struct sim_inst *inst) {
    int f = sim_family_of(&inst->step);
    const struct sim_family *family = &w->families[f];
    if (caller->seen.family[f].born != w->truth.family[f].born)
        return;
    if (!sim_alive(&caller->seen, w, f))
        sim_wrong(w, "verify", "%s: a token of an ended family is good",
                  name_of(inst));
    if (inst->step.kind != SIM_VERIFY_REFRESH &&
        inst->now_at >= family->access_ends && inst->presented == family->held)
        sim_wrong(w, "verify", "an expired access token is good");
    if (inst->step.kind == SIM_VERIFY_REFRESH &&
        inst->presented != caller->seen.family[f].generation)
        sim_wrong(w, "verify", "a refresh token that was used is good");
}

static void allowed(struct sim_world *w, struct sim_caller *caller,
                    struct sim_inst *inst, mereau_op *op) {
    switch (inst->step.kind) {
    case SIM_REDEEM:
        redeem_allowed(w, caller, inst, op);
        break;
    case SIM_EXCHANGE:
    case SIM_REFRESH:
    case SIM_STEAL:
        move_allowed(w, caller, inst, op);
        break;
    case SIM_VERIFY:
    case SIM_VERIFY_REFRESH:
        verify_allowed(w, caller, inst);
        break;
    case SIM_MINT:
    case SIM_REISSUE:
        token_made(w, inst, op);
        break;
    default:
        taken_allowed(w, caller, inst);
    }
}

/* --- refused --- */

/* A reason that every op of an app knows. */
static int app_reason(const struct sim_truth *seen, int app,
                      mereau_status status) {
    return (status == MEREAU_E_DISABLED && seen->app_off[app]) ||
           (status == MEREAU_E_UNKNOWN && seen->app_gone[app]);
}

static int redeem_reason(const struct sim_world *w,
                         const struct sim_caller *caller,
                         const struct sim_inst *inst) {
    const struct sim_truth *seen = &caller->seen;
    int f = sim_family_of(&inst->step), t = inst->step.token;
    int born = seen->family[f].born != 0 && seen->family[f].rearmed == 0;
    if (app_reason(seen, w->tokens[t].app, inst->status))
        return 1;
    switch (inst->status) {
    case MEREAU_E_REVOKED:
        return seen->token[t].revoked != 0 || seen->family[f].ended != 0;
    case MEREAU_E_BLOCKED:
        return seen->blocked[inst->step.device];
    case MEREAU_E_USED_UP:
        return !born && caller->seen_used >= (uint32_t)w->tokens[t].limit;
    case MEREAU_E_EXPIRED:
        return inst->now_at >= w->tokens[t].expires_at ||
               inst->now_at >= SIM_START + MRU_DEFAULT_AUTH_S;
    case MEREAU_E_NOT_BEFORE:
        return born && sim_raised(seen, w, f);
    case MEREAU_E_ENROLLED:
        return born && (seen->family[f].generation > 0 ||
                        inst->step.arg != w->families[f].nonce_of ||
                        seen->family[f].ended != 0);
    case MEREAU_E_UNKNOWN: /* purged */
        return w->farthest >= w->tokens[t].expires_at + MRU_LEDGER_S;
    default:
        return 0;
    }
}

static int family_reason(const struct sim_world *w,
                         const struct sim_caller *caller,
                         const struct sim_inst *inst) {
    const struct sim_truth *seen = &caller->seen;
    int f = sim_family_of(&inst->step), t = inst->step.token;
    if (app_reason(seen, w->tokens[t].app, inst->status))
        return 1;
    switch (inst->status) {
    case MEREAU_E_REVOKED:
        return seen->token[t].cascaded != 0 || seen->family[f].ended != 0 ||
               seen->family[f].rearmed != 0 ||
               (inst->step.kind == SIM_VERIFY_REFRESH &&
                seen->family[f].generation != inst->presented);
    case MEREAU_E_NOT_BEFORE:
        return sim_raised(seen, w, f);
    case MEREAU_E_DEVICE: /* a thief does not have its key */
        return inst->step.device == SIM_KEYED && inst->step.kind == SIM_STEAL;
    case MEREAU_E_KEY_UNKNOWN:
        return seen->raised_tenant != 0;
    case MEREAU_E_UNKNOWN: /* enrolled again since it was given, or purged */
        return w->families[f].purged ||
               w->truth.family[f].born != seen->family[f].born ||
               inst->birth != w->truth.family[f].born;
    case MEREAU_E_REUSED:
        return inst->applied == 1; /* judged at its commit */
    case MEREAU_E_EXPIRED:
        return inst->now_at >= SIM_START + 29 * MRU_DAY_S ||
               (inst->step.kind == SIM_VERIFY &&
                inst->now_at >= w->families[f].access_ends);
    case MEREAU_E_POLICY:
        return w->families[f].narrowed &&
               inst->presented + 1 == seen->family[f].generation;
    default:
        return 0;
    }
}

static int token_reason(const struct sim_world *w,
                        const struct sim_caller *caller,
                        const struct sim_inst *inst) {
    const struct sim_truth *seen = &caller->seen;
    const struct sim_step *step = &inst->step;
    int t = step->token;
    int64_t full = w->tokens[t].limit;
    if ((step->kind == SIM_REISSUE || step->kind == SIM_MINT) &&
        app_reason(seen, w->tokens[t].app, inst->status))
        return 1;
    switch (inst->status) {
    case MEREAU_E_REVOKED:
        return seen->token[t].revoked != 0;
    case MEREAU_E_EXPIRED:
        return inst->now_at >= w->tokens[t].expires_at;
    case MEREAU_E_USED_UP:
        return step->kind == SIM_REISSUE && caller->seen_used >= full;
    case MEREAU_E_POLICY:
        return (step->kind == SIM_COUNT && caller->seen_used > step->arg) ||
               (step->kind == SIM_EXTEND && inst->now_at >= SIM_EXTENDED);
    case MEREAU_E_UNKNOWN: /* purged */
        return w->farthest >= w->tokens[t].expires_at + MRU_LEDGER_S;
    default:
        return 0;
    }
}

static int admin_reason(const struct sim_world *w,
                        const struct sim_caller *caller,
                        const struct sim_inst *inst) {
    const struct sim_truth *seen = &caller->seen;
    const struct sim_step *step = &inst->step;
    int f = sim_family_of(step), app = w->tokens[step->token].app;
    if (inst->status != MEREAU_E_UNKNOWN)
        return 0;
    switch (step->kind) {
    case SIM_REVOKE_AUTH:
    case SIM_REARM:
        return seen->family[f].born == 0 || w->families[f].purged;
    case SIM_REVOKE_FAMILY:
        return seen->family[f].generation == 0 || w->families[f].purged;
    case SIM_RAISE:
        return step->arg == 1 && seen->app_gone[app];
    case SIM_APP_ENABLE:
    case SIM_APP_DELETE:
    case SIM_APP_LABEL:
        return seen->app_gone[app];
    case SIM_UNBLOCK:
        return !seen->blocked[step->device];
    default:
        return 0;
    }
}

static int reason(const struct sim_world *w, const struct sim_caller *caller,
                  const struct sim_inst *inst) {
    if (inst->status == MEREAU_E_UNCERTAIN)
        return inst->unknowns > 0;
    if (inst->status == MEREAU_E_BUSY &&
        strcmp(inst->rule, "not_before.rate") == 0)
        return w->farthest > inst->now_at;
    if (inst->status == MEREAU_E_BUSY) /* parked: the clock has jumped */
        return w->now_at > inst->now_at + MRU_MAX_PARK_S;
    if (inst->status == MEREAU_E_DISABLED && caller->seen.tenant_off)
        return 1;
    if (inst->status == MEREAU_E_SIGNER)
        return w->signer_failed;
    if (inst->status == MEREAU_E_CLOCK)
        return w->farthest > inst->now_at + MRU_CLOCK_BACK_S;
    switch (inst->step.kind) {
    case SIM_REDEEM:
        return redeem_reason(w, caller, inst);
    case SIM_EXCHANGE:
    case SIM_REFRESH:
    case SIM_STEAL:
    case SIM_VERIFY:
    case SIM_VERIFY_REFRESH:
        return family_reason(w, caller, inst);
    case SIM_REVOKE_TOKEN:
    case SIM_COUNT:
    case SIM_EXTEND:
    case SIM_REISSUE:
    case SIM_MINT:
        return token_reason(w, caller, inst);
    default:
        return admin_reason(w, caller, inst);
    }
}

static void introspected(struct sim_world *w, const struct sim_caller *caller,
                         const struct sim_inst *inst, const mereau_op *op) {
    int f = sim_family_of(&inst->step);
    if (caller->seen.family[f].born != w->truth.family[f].born)
        return;
    if ((mereau_op_int(op, MEREAU_ACTIVE) == 1) !=
        (sim_alive(&caller->seen, w, f) && !w->families[f].purged &&
         inst->now_at < w->families[f].access_ends))
        if (inst->presented == w->families[f].held)
            sim_wrong(w, "verify", "introspection says %s",
                      mereau_op_int(op, MEREAU_ACTIVE) == 1 ? "active"
                                                            : "not active");
}

void sim_answered(struct sim_world *w, struct sim_caller *caller,
                  struct sim_inst *inst, mereau_op *op) {
    if (inst->status == MEREAU_OK && inst->step.kind == SIM_INTROSPECT) {
        introspected(w, caller, inst, op);
        return;
    }
    if (inst->status == MEREAU_OK) {
        allowed(w, caller, inst, op);
        return;
    }
    if (inst->applied > 0 && inst->status != MEREAU_E_UNCERTAIN &&
        inst->status != MEREAU_E_REUSED && inst->step.kind != SIM_PURGE &&
        w->now_at < inst->now_at + MRU_EVIDENCE_S)
        sim_wrong(w, "refused_but_done", "%s was done, and refused with %s %s",
                  name_of(inst), mereau_status_name(inst->status), inst->rule);
    if (!reason(w, caller, inst))
        unfounded(w, inst);
    if (w->the_case->all_ok && !mereau_status_can_retry(inst->status))
        sim_wrong(w, "all_ok", "%s(%d, %d, %d) was refused: %s %s",
                  name_of(inst), inst->step.token, inst->step.device,
                  inst->step.arg, mereau_status_name(inst->status), inst->rule);
}

/* Every decision is told once, as it was, and without credentials. */
void sim_told(struct sim_world *w, const struct sim_inst *inst) {
    const struct sim_step *step = &inst->step;
    char id[MRU_ID_TEXT];
    int moves = step->kind == SIM_EXCHANGE || step->kind == SIM_REFRESH ||
                step->kind == SIM_STEAL;
    int quiet = inst->status == MEREAU_OK &&
                (step->kind == SIM_VERIFY || step->kind == SIM_INTROSPECT ||
                 step->kind == SIM_VERIFY_REFRESH);
    if (step->kind == SIM_PURGE) /* a decision for each of its steps */
        return;
    mru_id_print(id, w->enrolment[sim_family_of(step)]);
    if (w->told.n != !quiet)
        sim_wrong(w, "event", "%s was told %d times", name_of(inst), w->told.n);
    if (w->told.n == 1 && w->told.status != inst->status)
        sim_wrong(w, "event", "%s was told as %s", name_of(inst),
                  mereau_status_name(w->told.status));
    if (w->told.secret)
        sim_wrong(w, "event", "an event of %s holds a credential",
                  name_of(inst));
    if (inst->status == MEREAU_OK && (step->kind == SIM_REDEEM || moves) &&
        (strcmp(w->told.device, sim_device(step->device)) != 0 ||
         strcmp(w->told.auth, id) != 0 ||
         (moves && strcmp(w->told.family, id) != 0)))
        sim_wrong(w, "event", "the event of %s does not say of what",
                  name_of(inst));
}
