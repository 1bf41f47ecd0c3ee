/* tests/sim/ask.c - the op that a step of a script stands for. */
#include "sim.h"

static void make_nonce(uint8_t nonce[16], uint64_t a, uint64_t b) {
    uint64_t one = sim_mix(a + 77, b), two = sim_mix(one, a);
    memcpy(nonce, &one, 8);
    memcpy(nonce + 8, &two, 8);
}

static void set_nonce(mereau_op *op, struct sim_inst *inst, uint64_t a,
                      uint64_t b) {
    uint8_t nonce[16];
    make_nonce(nonce, a, b);
    mereau_op_set_bytes(op, MEREAU_RETRY_NONCE, nonce, sizeof nonce);
    inst->has_nonce = 1;
    if (mru_digest(inst->nonce, "retry nonce", nonce, sizeof nonce) != 0)
        abort();
}

/* The last device proves itself by a key; arg 1 has another one. */
static void set_key(mereau_op *op, int arg) {
    static const char *const keys[] = {
        "0123456789012345678901234567890123456789abc",
        "0123456789012345678901234567890123456789xyz"};
    mereau_op_set_text(op, MEREAU_DEVICE_JKT, keys[arg]);
}

static mereau_op *redeem(struct sim_world *w, mereau_tenant *tenant,
                         struct sim_inst *inst) {
    const struct sim_step *step = &inst->step;
    mereau_op *op;
    if (!w->tokens[step->token].there)
        return NULL;
    op = mereau_registration_token_redeem(tenant, w->tokens[step->token].text,
                                          sim_device(step->device), NULL, 0);
    if (step->device == SIM_KEYED)
        set_key(op, step->arg);
    else
        set_nonce(op, inst, 1000u + step->device, step->arg);
    return op;
}

/* Exchange and refresh. The nonce goes with what is presented, so that two
 * callers of one device prove the same, unless SIM_OWN_NONCE. */
static mereau_op *move(struct sim_world *w, struct sim_caller *caller,
                       mereau_tenant *tenant, struct sim_inst *inst) {
    const struct sim_step *step = &inst->step;
    int f = sim_family_of(step);
    struct sim_family *family = &w->families[f];
    int auth = step->kind == SIM_EXCHANGE ||
               (step->kind == SIM_STEAL && step->arg == 0);
    const char *token;
    mereau_op *op;
    if (caller->retry == 0)
        caller->presented = step->kind == SIM_STEAL ? step->arg
                            : auth                  ? 0
                                                    : family->held;
    inst->presented = caller->presented;
    if (inst->presented >= SIM_GENERATIONS)
        return NULL;
    token = auth ? family->auth : family->refresh[inst->presented];
    if (token == NULL)
        return NULL;
    op = auth ? mereau_auth_token_exchange(tenant, token)
              : mereau_token_refresh(tenant, token);
    if (step->kind == SIM_STEAL)
        return op;
    if (step->device == SIM_KEYED)
        set_key(op, family->nonce_of);
    if ((step->arg & SIM_NO_NONCE) == 0)
        set_nonce(op, inst, (uint64_t)f,
                  inst->presented + ((step->arg & SIM_OWN_NONCE) != 0
                                         ? 1000u * (unsigned)(inst->caller + 1)
                                         : 0u));
    if ((step->arg & SIM_NARROW) != 0) {
        mereau_op_set_text(op, MEREAU_SCOPE, "read");
        family->narrowed = 1;
    }
    return op;
}

static mereau_op *with_text(mereau_op *op, int32_t field, const char *text) {
    mereau_op_set_text(op, field, text);
    return op;
}

static mereau_op *raise_to_now(const struct sim_world *w, mereau_tenant *tenant,
                               const struct sim_step *step) {
    static const int32_t whose[] = {MEREAU_TENANT_ID, MEREAU_CLIENT_ID,
                                    MEREAU_SUBJECT, MEREAU_DEVICE_ID};
    static const char *const apps[] = {"app-0", "app-1"};
    const struct sim_token *token = &w->tokens[step->token];
    const char *ids[] = {NULL, apps[token->app],
                         token->subject ? "sub" : sim_device(step->device),
                         sim_device(step->device)};
    return mereau_not_before_raise(tenant, whose[step->arg], ids[step->arg],
                                   MEREAU_NOW);
}

static mereau_op *change_app(const struct sim_world *w, mereau_tenant *tenant,
                             const struct sim_step *step) {
    const char *app = w->tokens[step->token].app == 0 ? "app-0" : "app-1";
    mereau_op *op;
    if (step->kind == SIM_APP_DELETE)
        return mereau_app_delete(tenant, app);
    op = mereau_app_update(tenant, app);
    if (step->kind == SIM_APP_ENABLE)
        mereau_op_set_int(op, MEREAU_ENABLED, step->arg);
    else
        mereau_op_set_text(op, MEREAU_LABEL, "label");
    return op;
}

/* What is done with a registration token. */
static mereau_op *change_token(struct sim_world *w, mereau_tenant *tenant,
                               const struct sim_inst *inst) {
    const struct sim_step *step = &inst->step;
    const struct sim_token *token = &w->tokens[step->token];
    char key[32];
    mereau_op *op;
    snprintf(key, sizeof key, "key-%d-%d", inst->caller, inst->pos);
    if (step->kind == SIM_MINT)
        return with_text(mereau_registration_token_mint(
                             tenant, "app-0", step->device, 7 * MRU_DAY_S),
                         MEREAU_IDEMPOTENCY_KEY, step->token == 0 ? NULL : key);
    if (!token->there)
        return NULL;
    switch (step->kind) {
    case SIM_REVOKE_TOKEN:
        op = mereau_registration_token_revoke(tenant, token->id);
        mereau_op_set_int(op, MEREAU_CASCADE, step->arg);
        return op;
    case SIM_COUNT:
        op = mereau_registration_token_update(tenant, token->id);
        mereau_op_set_int(op, MEREAU_COUNT, step->arg);
        return op;
    case SIM_EXTEND:
        op = mereau_registration_token_update(tenant, token->id);
        mereau_op_set_int(op, MEREAU_EXPIRES_AT, SIM_EXTENDED);
        return op;
    case SIM_REARM:
        return mereau_device_rearm(tenant, token->id, sim_device(step->device));
    default:
        return with_text(
            mereau_registration_token_reissue(tenant, token->id, 7 * MRU_DAY_S),
            MEREAU_IDEMPOTENCY_KEY, key);
    }
}

mereau_op *sim_keyed(mereau_op *op, int device,
                     const struct sim_family *family) {
    if (device == SIM_KEYED)
        set_key(op, family->nonce_of);
    return op;
}

mereau_op *sim_ask(struct sim_world *w, struct sim_caller *caller,
                   mereau_tenant *tenant, struct sim_inst *inst) {
    const struct sim_step *step = &inst->step;
    int f = sim_family_of(step);
    const struct sim_family *family = &w->families[f];
    const char *held = family->refresh[family->held % SIM_GENERATIONS];
    char id[MRU_ID_TEXT];
    mereau_op *op;
    mru_id_print(id, w->enrolment[f]);
    inst->presented = family->held;
    inst->birth = w->truth.family[f].born;
    switch (step->kind) {
    case SIM_REDEEM:
        return redeem(w, tenant, inst);
    case SIM_EXCHANGE:
    case SIM_REFRESH:
    case SIM_STEAL:
        return move(w, caller, tenant, inst);
    case SIM_VERIFY:
        return family->access == NULL
                   ? NULL
                   : sim_keyed(mereau_token_verify_live(tenant, family->access),
                               step->device, family);
    case SIM_INTROSPECT:
        return family->access == NULL
                   ? NULL
                   : mereau_token_introspect(tenant, family->access);
    case SIM_VERIFY_REFRESH:
        return held == NULL ? NULL
                            : sim_keyed(mereau_token_verify_live(tenant, held),
                                        step->device, family);
    case SIM_REVOKE_HELD:
        return held == NULL ? NULL
                            : sim_keyed(mereau_token_revoke(tenant, held),
                                        step->device, family);
    case SIM_REVOKE_AUTH:
        return mereau_auth_token_revoke(tenant, id);
    case SIM_REVOKE_FAMILY:
        return mereau_family_revoke(tenant, id);
    case SIM_RAISE:
        return raise_to_now(w, tenant, step);
    case SIM_APP_ENABLE:
    case SIM_APP_DELETE:
    case SIM_APP_LABEL:
        return change_app(w, tenant, step);
    case SIM_BLOCK:
        return mereau_device_block(tenant, sim_device(step->device));
    case SIM_UNBLOCK:
        return mereau_device_unblock(tenant, sim_device(step->device));
    case SIM_PURGE:
        return mereau_tenant_purge(tenant);
    case SIM_TENANT_ENABLE:
        op = mereau_tenant_update(tenant);
        mereau_op_set_int(op, MEREAU_ENABLED, step->arg);
        return op;
    case SIM_KEY_REVOKE:
        return w->base->key == NULL
                   ? NULL
                   : mereau_key_revoke(tenant, mru_key_kid(w->base->key));
    default:
        return change_token(w, tenant, inst);
    }
}
