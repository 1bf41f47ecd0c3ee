/* tests/flow/script.c - see script.h. */
#include "script.h"

#include <stdio.h>
#include <stdlib.h>

/* --- writing down --- */

static void say(struct script *s, const char *text) {
    size_t len = strlen(text);
    if (s->len + len + 1 > s->cap) {
        s->cap = (s->len + len + 1) * 2;
        s->text = realloc(s->text, s->cap);
        if (s->text == NULL)
            abort();
    }
    memcpy(s->text + s->len, text, len + 1);
    s->len += len;
}

static void say_field(struct script *s, const mereau_op *op, int32_t field) {
    char number[32];
    const char *name = mereau_field_name(field), *text;
    if (name == NULL || field == MEREAU_KID || field == MEREAU_JWK)
        return; /* generated keys come from no seed */
    if (mereau_op_int(op, field) != MEREAU_UNSET) {
        snprintf(number, sizeof number, "%lld",
                 (long long)mereau_op_int(op, field));
        say(s, "  ");
        say(s, name);
        say(s, " = ");
        say(s, number);
        say(s, "\n");
    }
    for (size_t i = 0; (text = mereau_op_text_at(op, field, i)) != NULL; i++) {
        say(s, "  ");
        say(s, name);
        say(s, " = ");
        say(s, text);
        say(s, "\n");
    }
}

static void say_fields(struct script *s, const mereau_op *op) {
    for (int32_t field = 100; field < 1000; field++)
        say_field(s, op, field);
}

/* Runs, writes down, and gives the op back: the caller frees it. */
static mereau_op *play(struct script *s, const char *what, mereau_op *op) {
    mereau_error err = MEREAU_ERROR_INIT;
    mereau_status status = s->run(s->flow, op, &err);
    say(s, what);
    say(s, ": ");
    say(s, mereau_status_name(status));
    say(s, " ");
    say(s, err.rule);
    say(s, "\n");
    say_fields(s, op);
    while (mereau_op_next_row(op)) {
        say(s, "  row\n");
        say_fields(s, op);
    }
    return op;
}

static void act(struct script *s, const char *what, mereau_op *op) {
    mereau_op_free(play(s, what, op));
}

static void keep(char out[512], const mereau_op *op, int32_t field) {
    const char *text = mereau_op_text(op, field);
    snprintf(out, 512, "%s", text == NULL ? "" : text);
}

/* --- the script --- */

struct life {
    char token[512], token_id[512];
    char auth[512], auth_id[512];
    char refresh[512], old_refresh[512];
    char family[512], secret[512];
};

static void set_up(struct script *s, struct life *life) {
    const mereau_tenant *tenant = s->flow->tenant;
    mereau_op *op = mereau_app_create(tenant, "A printer of tickets");
    act(s, "tenant", mereau_tenant_create(tenant, ISSUER));
    mereau_op_set_text(op, MEREAU_CLIENT_ID, "app");
    mereau_op_set_text(op, MEREAU_SCOPE, "read write print");
    mereau_op_set_text(op, MEREAU_AUDIENCE, API);
    mereau_op_set_text(op, MEREAU_TOKEN_FORMAT, s->format);
    act(s, "app", op);
    act(s, "app again", mereau_app_get(tenant, "app"));
    op = play(s, "secret", mereau_app_secret_add(tenant, "app"));
    keep(life->secret, op, MEREAU_CLIENT_SECRET);
    mereau_op_free(op);
    op = play(s, "mint", mereau_registration_token_mint(tenant, "app", 3, DAY));
    keep(life->token, op, MEREAU_REGISTRATION_TOKEN);
    keep(life->token_id, op, MEREAU_REGISTRATION_TOKEN_ID);
    mereau_op_free(op);
    op = mereau_registration_token_mint_many(tenant, "app", 25, DAY);
    mereau_op_set_text(op, MEREAU_IDEMPOTENCY_KEY, "twenty-five");
    act(s, "mint many", op);
}

static void enrol(struct script *s, struct life *life) {
    struct flow *f = s->flow;
    mereau_op *op = play(s, "redeem", flow_redeem(f, life->token, "d1", 1));
    keep(life->auth, op, MEREAU_AUTH_TOKEN);
    keep(life->auth_id, op, MEREAU_AUTH_TOKEN_ID);
    mereau_op_free(op);
    act(s, "redeem again", flow_redeem(f, life->token, "d1", 1));
    act(s, "redeem by another nonce", flow_redeem(f, life->token, "d1", 2));
    act(s, "redeem by d2", flow_redeem(f, life->token, "d2", 2));
    act(s, "redeem by d3", flow_redeem(f, life->token, "d3", 3));
    act(s, "redeem by d4", flow_redeem(f, life->token, "d4", 4));
    op = play(s, "exchange", mereau_auth_token_exchange(f->tenant, life->auth));
    keep(life->refresh, op, MEREAU_REFRESH_TOKEN);
    keep(life->family, op, MEREAU_FAMILY_ID);
    mereau_op_free(op);
}

static void rotate(struct script *s, struct life *life) {
    struct flow *f = s->flow;
    for (int i = 0; i < 5; i++) {
        mereau_op *op = mereau_token_refresh(f->tenant, life->refresh);
        f->now_at += 100;
        flow_nonce(op, (uint8_t)(10 + i));
        play(s, "refresh", op);
        strcpy(life->old_refresh, life->refresh);
        keep(life->refresh, op, MEREAU_REFRESH_TOKEN);
        act(s, "introspect",
            mereau_token_introspect(f->tenant,
                                    mereau_op_text(op, MEREAU_ACCESS_TOKEN)));
        mereau_op_free(op);
        op = mereau_token_refresh(f->tenant, life->old_refresh);
        flow_nonce(op, (uint8_t)(10 + i));
        act(s, "refresh again", op);
    }
    f->now_at += 100;
    act(s, "refresh by a thief",
        mereau_token_refresh(f->tenant, life->old_refresh));
    act(s, "refresh after it", mereau_token_refresh(f->tenant, life->refresh));
}

static void look(struct script *s, struct life *life) {
    const mereau_tenant *tenant = s->flow->tenant;
    act(s, "token", mereau_registration_token_get(tenant, life->token_id));
    act(s, "auth tokens", mereau_auth_token_list(tenant));
    act(s, "families", mereau_family_list(tenant));
    act(s, "not before",
        mereau_not_before_raise(tenant, MEREAU_CLIENT_ID, "app", MEREAU_NOW));
    act(s, "revoke auth token",
        mereau_auth_token_revoke(tenant, life->auth_id));
    act(s, "revoke", mereau_registration_token_revoke(tenant, life->token_id));
    act(s, "tokens", mereau_registration_token_list(tenant));
    act(s, "delete", mereau_app_delete(tenant, "app"));
    act(s, "purge", mereau_tenant_purge(tenant));
}

void script_play(struct script *script) {
    struct life life;
    memset(&life, 0, sizeof life);
    set_up(script, &life);
    enrol(script, &life);
    rotate(script, &life);
    look(script, &life);
}

void script_free(struct script *script) {
    free(script->text);
    script->text = NULL;
    script->len = script->cap = 0;
}

uint64_t script_hash(const void *data, size_t len) {
    const uint8_t *bytes = data;
    uint64_t hash = UINT64_C(14695981039346656037);
    for (size_t i = 0; i < len; i++)
        hash = (hash ^ bytes[i]) * UINT64_C(1099511628211);
    return hash;
}

mereau_status script_block(struct flow *flow, mereau_op *op,
                           mereau_error *err) {
    (void)flow;
    return mereau_op_run(op, err);
}
