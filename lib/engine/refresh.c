/* lib/engine/refresh.c - exchanging an auth token and refreshing: one step of a
 * family, from the generation that was presented to the next. */
#include "../model/family.h"
#include "classes_core.h"
#include "enrolment.h"

/* What the inputs say, whatever is in the store: made once. */
struct asked {
    struct mru_cred cred;
    uint8_t nonce[32], parameters[32];
    int has_nonce;
};

/* What one step works with. */
struct step {
    const struct asked *asked;
    struct mru_cred cred; /* its generation counted from 0 */
    struct mru_family family;
    struct mru_issue issue;
    int proved;
};

static mereau_status read_asked(mereau_op *op, int32_t kind, int32_t field,
                                struct asked *asked) {
    size_t len, nonce_len;
    const char *token = (const char *)mru_bag_data(&op->in, field, &len);
    const uint8_t *nonce =
        mru_bag_data(&op->in, MEREAU_RETRY_NONCE, &nonce_len);
    const char *scope = mru_bag_text(&op->in, MEREAU_SCOPE);
    mereau_status status =
        mru_cred_parse(&asked->cred, kind, token, len, &op->err);
    if (status == MEREAU_OK && nonce != NULL) {
        asked->has_nonce = 1;
        if (nonce_len < 16 || nonce_len > 64)
            return mru_refuse(&op->err, MEREAU_E_ARG, "retry_nonce.length",
                              NULL, "16..64 random bytes", "another length");
        if (mru_digest(asked->nonce, "retry nonce", nonce, nonce_len) != 0)
            return MEREAU_E_CRYPTO;
    }
    if (status == MEREAU_OK && scope != NULL)
        status = mru_check_scope(op, scope);
    return status;
}

/* A repeat with other parameters is not a repeat. */
static int digest_parameters(mereau_op *op, struct asked *asked) {
    struct mru_buf all = {0};
    const char *scope = mru_bag_text(&op->in, MEREAU_SCOPE);
    size_t n = mru_bag_count(&op->in, MEREAU_AUDIENCE);
    int failed;
    mru_buf_add_text(&all, scope == NULL ? "" : scope);
    for (size_t i = 0; i < n; i++) {
        mru_buf_add_byte(&all, 0);
        mru_buf_add_text(&all, mru_bag_text_at(&op->in, MEREAU_AUDIENCE, i));
    }
    failed = all.failed || mru_digest(asked->parameters, "parameters", all.data,
                                      all.len) != 0;
    mru_buf_free(&all);
    return failed ? -1 : 0;
}

static mereau_status read_inputs(mereau_op *op, int32_t kind, int32_t field,
                                 struct step *step) {
    struct asked asked;
    mereau_status status = MEREAU_OK;
    step->asked = op->tx.memo[0].p;
    if (step->asked == NULL) {
        memset(&asked, 0, sizeof asked);
        status = read_asked(op, kind, field, &asked);
        if (status == MEREAU_OK && digest_parameters(op, &asked) != 0)
            status = MEREAU_E_NOMEM;
        if (status == MEREAU_OK) {
            step->asked = mru_tx_keep(&op->tx, 0, &asked, sizeof asked);
            status = step->asked == NULL ? MEREAU_E_NOMEM : MEREAU_OK;
        }
        mru_wipe(&asked, sizeof asked);
    }
    if (status == MEREAU_OK)
        step->cred = step->asked->cred;
    return status;
}

static mereau_status refuse_scope(mereau_op *op, const char *rule) {
    return mru_refuse(&op->err, MEREAU_E_SCOPE, rule, "RFC 6749 6",
                      "not more than was granted", "more");
}

/* The scope of this one access token: what is asked for, else all that was
 * granted, and of it what the app may still have. */
static mereau_status choose_scope(mereau_op *op, struct step *step) {
    const char *granted = mru_bag_text(&step->family.record, MEREAU_SCOPE);
    const char *asked = mru_bag_text(&op->in, MEREAU_SCOPE);
    const char *app = mru_bag_text(step->family.above.app, MEREAU_SCOPE);
    uint64_t mask = 0, still = 0, one;
    granted = granted == NULL ? "" : granted;
    if (mru_scope_mask(granted, asked == NULL ? granted : asked, &mask) != 0)
        return refuse_scope(op, "scope.granted");
    for (int i = 0; i < MEREAU_MAX_SCOPE; i++) {
        struct mru_buf word = {0};
        one = UINT64_C(1) << i;
        if ((mask & one) == 0)
            continue;
        if (mru_scope_words(&word, granted, one) != 0) {
            mru_buf_free(&word);
            return MEREAU_E_NOMEM;
        }
        if (app != NULL && word.len > 0 &&
            mru_scope_mask(app, (const char *)word.data, &one) == 0)
            still |= UINT64_C(1) << i;
        mru_buf_free(&word);
    }
    if (mask != 0 && still == 0)
        return refuse_scope(op, "scope.app");
    if (asked != NULL && still != mask)
        return refuse_scope(op, "scope.app");
    step->issue.scope_mask = still;
    return MEREAU_OK;
}

static mereau_status choose_audience(mereau_op *op, struct step *step) {
    const struct mru_bag *record = &step->family.record;
    size_t granted = mru_bag_count(record, MEREAU_AUDIENCE);
    size_t asked = mru_bag_count(&op->in, MEREAU_AUDIENCE);
    uint64_t mask = 0;
    if (granted > 64)
        return MEREAU_E_CORRUPT;
    for (size_t i = 0; i < granted; i++)
        if (asked == 0 ||
            mru_bag_lists(&op->in, MEREAU_AUDIENCE,
                          mru_bag_text_at(record, MEREAU_AUDIENCE, i)))
            mask |= UINT64_C(1) << i;
    for (size_t i = 0; i < asked; i++)
        if (!mru_bag_lists(record, MEREAU_AUDIENCE,
                           mru_bag_text_at(&op->in, MEREAU_AUDIENCE, i)))
            return mru_refuse(&op->err, MEREAU_E_AUDIENCE, "audience.granted",
                              "RFC 8707 2.2", "an audience that was granted",
                              "another one");
    step->issue.audience_mask = mask;
    return MEREAU_OK;
}

static int grants_refresh(const struct mru_bag *app) {
    return mru_bag_count(app, MEREAU_GRANT_TYPE) == 0 ||
           mru_bag_lists(app, MEREAU_GRANT_TYPE, "refresh_token");
}

/* Sets the record to the next generation. */
static void advance(mereau_op *op, struct step *step) {
    struct mru_family *family = &step->family;
    struct mru_bag *record = &family->record;
    const struct mru_above *above = &family->above;
    int64_t now_at = op->now_at, absolute, idle, lifetime;
    int first = mru_bag_int(record, MRU_F_STEP) != MRU_STEP_FAMILY;
    if (first) {
        absolute = mru_setting(above, MEREAU_FAMILY_LIFETIME_S, MEREAU_UNSET);
        if (absolute != MEREAU_UNSET)
            mru_bag_set_int(record, MRU_F_FAMILY_ENDS, 'I',
                            mru_add_time(now_at, absolute));
    }
    absolute = mru_bag_int_or(record, MRU_F_FAMILY_ENDS, INT64_MAX);
    lifetime =
        mru_setting(above, MEREAU_REFRESH_LIFETIME_S, MRU_DEFAULT_REFRESH_S);
    if (!grants_refresh(above->app))
        lifetime = 0;
    idle = mru_setting(above, MEREAU_REFRESH_IDLE_S, MEREAU_UNSET);
    step->issue.generation = step->cred.generation + 1;
    step->issue.issued_at = mru_not_before_iat(family->levels, now_at);
    step->issue.expires_at =
        mru_add_time(now_at, mru_setting(above, MEREAU_ACCESS_LIFETIME_S,
                                         MRU_DEFAULT_ACCESS_S));
    if (step->issue.expires_at > absolute)
        step->issue.expires_at = absolute;

    mru_bag_set_int(record, MRU_F_STEP, 'I', MRU_STEP_FAMILY);
    mru_bag_set_int(record, MRU_F_GENERATION, 'I', step->issue.generation);
    mru_bag_set_int(record, MEREAU_LAST_USED_AT, 'I', now_at);
    mru_bag_set_int(record, MEREAU_ISSUED_AT, 'I', step->issue.issued_at);
    mru_bag_set_int(record, MRU_F_ACCESS_ENDS, 'I', step->issue.expires_at);
    mru_bag_set_int(record, MRU_F_REFRESH_ENDS, 'I',
                    mru_add_time(now_at, lifetime));
    if (idle != MEREAU_UNSET)
        mru_bag_set_int(record, MRU_F_IDLE_ENDS, 'I',
                        mru_add_time(now_at, idle));
    else
        mru_bag_unset(record, MRU_F_IDLE_ENDS);
    mru_bag_set_int(record, MRU_F_SCOPE_MASK, 'I',
                    (int64_t)step->issue.scope_mask);
    mru_bag_set_int(record, MRU_F_AUDIENCE_MASK, 'I',
                    (int64_t)step->issue.audience_mask);
    mru_bag_set_data(record, MRU_F_PARAMETERS, 'D', step->asked->parameters,
                     32);
    if (step->asked->has_nonce)
        mru_bag_set_data(record, MRU_F_PROOF, 'D', step->asked->nonce, 32);
    else
        mru_bag_unset(record, MRU_F_PROOF);
    mru_bag_set_int(record, MRU_F_KEYED, 'B', step->proved);
    mru_bag_unset(record, MRU_F_GRACE_USED);
    mru_bag_set_data(record, MRU_F_EPOCH, 'D', mru_root_newest(op)->epoch, 2);
}

/* What the last step issued, for a repeat of it. */
static void recall(struct step *step) {
    const struct mru_bag *record = &step->family.record;
    step->issue.generation =
        (uint32_t)mru_bag_int_or(record, MRU_F_GENERATION, 0);
    step->issue.issued_at = mru_bag_int_or(record, MEREAU_ISSUED_AT, 0);
    step->issue.expires_at = mru_bag_int_or(record, MRU_F_ACCESS_ENDS, 0);
    step->issue.scope_mask =
        (uint64_t)mru_bag_int_or(record, MRU_F_SCOPE_MASK, 0);
    step->issue.audience_mask =
        (uint64_t)mru_bag_int_or(record, MRU_F_AUDIENCE_MASK, 0);
}

/* The refresh token of the record's generation. */
static mereau_status give_refresh(mereau_op *op, struct step *step) {
    const struct mru_bag *record = &step->family.record;
    const struct mru_bag *app = step->family.above.app;
    const struct mru_root_key *root = NULL;
    struct mru_cred cred = step->cred;
    uint8_t salt[MRU_SALT_LEN];
    char text[MRU_CRED_MAX];
    int64_t ends = mru_bag_int_or(record, MRU_F_REFRESH_ENDS, 0), other;
    mereau_status status = MEREAU_OK;
    other = mru_bag_int_or(record, MRU_F_IDLE_ENDS, ends);
    ends = other < ends ? other : ends;
    other = mru_bag_int_or(record, MRU_F_FAMILY_ENDS, ends);
    ends = other < ends ? other : ends;
    if (!grants_refresh(app) ||
        (ends <= mru_bag_int_or(record, MEREAU_LAST_USED_AT, 0) &&
         mru_bag_int_or(app, MEREAU_OMIT_EXPIRED_REFRESH, 0) != 0))
        return MEREAU_OK;
    cred.kind = MRU_CRED_REFRESH;
    cred.generation = step->issue.generation;
    if (mru_bag_bytes(record, MRU_F_EPOCH, cred.epoch, 2))
        root = mru_root_find(op, cred.epoch);
    if (root == NULL || !mru_bag_bytes(record, MRU_F_SALT, salt, sizeof salt))
        return MEREAU_E_CORRUPT;
    if (mru_cred_derive(&cred, root->derive, op->tenant->name, salt) != 0 ||
        mru_cred_print(text, &cred) == 0)
        status = MEREAU_E_CRYPTO;
    else
        mru_bag_set_text(&op->out, MEREAU_REFRESH_TOKEN, text);
    ends -= op->now_at;
    mru_bag_set_int(&op->out, MEREAU_REFRESH_EXPIRES_IN, 'I',
                    ends < 0 ? 0 : ends);
    mru_wipe(&cred, sizeof cred);
    mru_wipe(text, sizeof text);
    return status;
}

static mereau_status answer(mereau_op *op, struct step *step, int repeated) {
    const struct mru_family *family = &step->family;
    char id[MRU_ID_TEXT];
    mereau_status status = mru_issue_access(op, family, &step->issue);
    if (status == MEREAU_OK)
        status = give_refresh(op, step);
    mru_id_print(id, family->key.data + 1);
    mru_bag_set_text(&op->out, MEREAU_SESSION_STATE, id);
    mru_bag_set_text(&op->out, MEREAU_FAMILY_ID, id);
    mru_bag_set_int(
        &op->out, MEREAU_NOT_BEFORE_POLICY, 'I',
        mru_bag_int_or(family->above.tenant, MEREAU_NOT_BEFORE_AT, 0));
    mru_bag_set_int(&op->out, MEREAU_REPEATED, 'B', repeated);
    mru_bag_set_int(&op->event, MEREAU_REPEATED, 'B', repeated);
    return status;
}

static void describe(mereau_op *op, const struct step *step) {
    const struct mru_bag *record = &step->family.record;
    char id[MRU_ID_TEXT];
    mru_id_print(id, step->family.key.data + 1);
    mru_bag_set_text(&op->event, MEREAU_FAMILY_ID, id);
    mru_bag_set_text(&op->event, MEREAU_AUTH_TOKEN_ID, id);
    mru_bag_copy(&op->event, record, MEREAU_CLIENT_ID);
    mru_bag_copy(&op->event, record, MEREAU_DEVICE_ID);
    mru_bag_copy(&op->event, record, MEREAU_SUBJECT);
    mru_bag_copy(&op->event, record, MEREAU_REGISTRATION_TOKEN_ID);
    mru_bag_copy(&op->event, &op->in, MEREAU_REMOTE_ADDRESS);
    mru_bag_copy(&op->event, &op->in, MEREAU_USER_AGENT);
}

static mereau_status expired(mereau_op *op, const struct mru_bag *record) {
    int64_t ended_at;
    char wanted[96], found[96];
    const char *rule = mru_family_expired(record, op->now_at, &ended_at);
    if (rule == NULL)
        return MEREAU_OK;
    mru_say(wanted, sizeof wanted, "used before %lld", (long long)ended_at);
    mru_say(found, sizeof found, "used at %lld", (long long)op->now_at);
    return mru_refuse(&op->err, MEREAU_E_EXPIRED, rule, NULL, wanted, found);
}

/* The family ends for everybody; that is committed, and then it is a refusal. */
static mereau_status reused(mereau_op *op, struct step *step) {
    char found[96];
    mereau_status status = mru_family_end(op, &step->family, "reuse");
    mru_say(
        found, sizeof found, "one that was used before, %lld steps back",
        (long long)mru_bag_int_or(&step->family.record, MRU_F_GENERATION, 0) -
            (long long)step->cred.generation);
    op->verdict = mru_refuse(&op->verdict_err, MEREAU_E_REUSED, "family.reuse",
                             "RFC 9700 4.14.2",
                             "the newest refresh token of the family", found);
    return status;
}

static mereau_status step_on(mereau_op *op, struct step *step) {
    mereau_status status = expired(op, &step->family.record);
    if (status == MEREAU_OK && step->cred.kind == MRU_CRED_REFRESH &&
        !grants_refresh(step->family.above.app))
        status = mru_refuse(&op->err, MEREAU_E_POLICY, "app.grant_type",
                            "RFC 7591 2", "an app that may refresh",
                            "one that may not");
    if (status == MEREAU_OK)
        status = choose_scope(op, step);
    if (status == MEREAU_OK)
        status = choose_audience(op, step);
    if (status != MEREAU_OK)
        return status;
    advance(op, step);
    if (step->family.record.failed)
        return MEREAU_E_NOMEM;
    status = answer(op, step, 0);
    if (status == MEREAU_OK)
        status = mru_family_put(op, &step->family);
    return status == MEREAU_OK ? mru_family_check_heads(op, &step->family)
                               : status;
}

static mereau_status repeat(mereau_op *op, struct step *step, int noted) {
    mereau_status status = MEREAU_OK;
    recall(step);
    /* with a refresh lifetime of 0 the access token is what it was about */
    if (op->now_at >= step->issue.expires_at)
        status = expired(op, &step->family.record);
    if (status == MEREAU_OK)
        status = answer(op, step, 1);
    if (status != MEREAU_OK || !noted)
        return status;
    mru_bag_set_int(&step->family.record, MRU_F_GRACE_USED, 'B', 1);
    status = mru_family_put(op, &step->family);
    return status == MEREAU_OK ? mru_family_check_heads(op, &step->family)
                               : status;
}

static mereau_status judge(mereau_op *op, struct step *step) {
    struct mru_presented token = {0};
    token.generation = step->cred.generation;
    token.proved = step->proved;
    token.proved_before =
        mru_bag_int_or(&step->family.record, MRU_F_KEYED, 0) != 0;
    token.nonce = step->asked->has_nonce ? step->asked->nonce : NULL;
    token.parameters = step->asked->parameters;
    token.grace_s =
        mru_setting(&step->family.above, MEREAU_GRACE_S, MRU_DEFAULT_GRACE_S);
    token.now_at = op->now_at;
    switch (mru_family_judge(&step->family.record, &token)) {
    case MRU_TOKEN_CURRENT:
        return step_on(op, step);
    case MRU_TOKEN_REPEAT:
        return repeat(op, step, 0);
    case MRU_TOKEN_GRACE:
        return repeat(op, step, 1);
    case MRU_TOKEN_REUSED:
        return reused(op, step);
    case MRU_TOKEN_OTHER:
        return mru_refuse(&op->err, MEREAU_E_POLICY, "family.repeat", NULL,
                          "a repeat with the same parameters", "others");
    case MRU_TOKEN_RESTORED:
        return mru_refuse(&op->err, MEREAU_E_RESTORED, "family.restored", NULL,
                          "a token that is not newer than its record",
                          "a newer one: the store went back");
    default:
        return mru_refuse(&op->err, MEREAU_E_CLOCK, "clock.back", NULL,
                          "a clock that does not go back",
                          "a record of a later time");
    }
}

static mereau_status decide_step(mereau_op *op, int32_t kind, int32_t field) {
    struct step step;
    mereau_status status;
    memset(&step, 0, sizeof step);
    status = read_inputs(op, kind, field, &step);
    if (status == MEREAU_OK)
        status = mru_family_load(op, &step.family, &step.cred, MRU_WITH_KEYS);
    if (status <= MEREAU_OK && step.family.record.n > 0)
        describe(op, &step);
    if (status == MEREAU_OK && kind == MRU_CRED_AUTH) {
        /* an auth token's generation says how often its device was re-armed */
        if (step.cred.generation !=
            (uint32_t)mru_bag_int_or(&step.family.record, MRU_F_REARMED, 0))
            status =
                mru_refuse(&op->err, MEREAU_E_REVOKED, "auth_token.rearmed",
                           NULL, "the newest auth token of the device",
                           "one from before it was re-armed");
        step.cred.generation = 0;
    }
    if (status == MEREAU_OK)
        status = mru_family_check(op, &step.family);
    if (status == MEREAU_OK)
        status = mru_family_client(op, &step.family, &step.proved);
    if (status == MEREAU_OK)
        status = judge(op, &step);
    mru_family_free(&step.family);
    mru_wipe(&step, sizeof step);
    return status;
}

static mereau_status decide_exchange(mereau_op *op) {
    return decide_step(op, MRU_CRED_AUTH, MEREAU_AUTH_TOKEN);
}

static mereau_status decide_refresh(mereau_op *op) {
    return decide_step(op, MRU_CRED_REFRESH, MEREAU_REFRESH_TOKEN);
}

static const int32_t exchange_must[] = {MEREAU_AUTH_TOKEN, 0};
static const int32_t refresh_must[] = {MEREAU_REFRESH_TOKEN, 0};
static const int32_t takes[] = {
    MEREAU_SCOPE,          MEREAU_AUDIENCE,    MEREAU_CLIENT_ID,
    MEREAU_CLIENT_SECRET,  MEREAU_RETRY_NONCE, MEREAU_DEVICE_JKT,
    MEREAU_REMOTE_ADDRESS, MEREAU_USER_AGENT,  0};
static const int32_t wire[] = {
    MEREAU_ACCESS_TOKEN,       MEREAU_TOKEN_TYPE,
    MEREAU_EXPIRES_IN,         MEREAU_REFRESH_TOKEN,
    MEREAU_REFRESH_EXPIRES_IN, MEREAU_SCOPE,
    MEREAU_SESSION_STATE,      MEREAU_NOT_BEFORE_POLICY,
    MEREAU_ID_TOKEN,           0};

const struct mru_op_class mru_class_auth_token_exchange = {
    "auth_token_exchange",
    "auth_token.exchange",
    MRU_OP_LINEAR,
    exchange_must,
    takes,
    wire,
    decide_exchange};
const struct mru_op_class mru_class_token_refresh = {
    "token_refresh", "token.refresh", MRU_OP_LINEAR, refresh_must, takes, wire,
    decide_refresh};

mereau_op *mereau_auth_token_exchange(const mereau_tenant *tenant,
                                      const char *auth_token) {
    mereau_op *op = mru_op_make(tenant, &mru_class_auth_token_exchange);
    mereau_op_set_text(op, MEREAU_AUTH_TOKEN, auth_token);
    return op;
}

mereau_op *mereau_token_refresh(const mereau_tenant *tenant,
                                const char *refresh_token) {
    mereau_op *op = mru_op_make(tenant, &mru_class_token_refresh);
    mereau_op_set_text(op, MEREAU_REFRESH_TOKEN, refresh_token);
    return op;
}
