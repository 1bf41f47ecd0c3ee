/* tests/flow/scenes.c - see scenes.h. */
#include "scenes.h"

#include <stdio.h>
#include <stdlib.h>

#include "key_texts.h"

void scenes_keep(char *out, size_t cap, const char *text) {
    assert_non_null(text);
    assert_true(strlen(text) < cap);
    strcpy(out, text);
}

static void keep_pair(struct world *w, const struct flow_pair *p) {
    KEEP(w->refresh, p->op, MEREAU_REFRESH_TOKEN);
    KEEP(w->access, p->op, MEREAU_ACCESS_TOKEN);
    KEEP(w->family, p->op, MEREAU_FAMILY_ID);
}

static void make_app(struct world *w) {
    struct flow *f = &w->f;
    mereau_op *op;
    flow_app(f, NULL);
    flow_app_named(f, "opq", "{\"token_format\":\"opaque\"}");
    op = DONE(f, mereau_app_secret_add(f->tenant, "app"));
    KEEP(w->secret, op, MEREAU_CLIENT_SECRET);
    KEEP(w->secret_id, op, MEREAU_SECRET_ID);
    op = mereau_app_key_add(f->tenant, "app");
    mereau_op_set_text(op, MEREAU_PEM, ec_spki);
    DONE(f, op);
    KEEP(w->key_kid, op, MEREAU_KID);
    op = DONE(f, mereau_tenant_get(f->tenant));
    KEEP(w->kid, op, MEREAU_KID);
    op = DONE(f, mereau_key_generate(f->tenant, MEREAU_ALG_ES256));
    KEEP(w->standby, op, MEREAU_KID);
}

static void make_tokens(struct world *w) {
    struct flow *f = &w->f;
    struct flow_token t = flow_mint(f, 3, DAY);
    struct flow_pair p;
    mereau_op *op;
    scenes_keep(w->mint_text, sizeof w->mint_text, t.text);
    scenes_keep(w->mint_id, sizeof w->mint_id, t.id);
    p = flow_enrol(f, t.text, "d1");
    keep_pair(w, &p);
    op = DONE(f, flow_redeem(f, t.text, "fresh", NONCE));
    KEEP(w->auth, op, MEREAU_AUTH_TOKEN);
    KEEP(w->auth_id, op, MEREAU_AUTH_TOKEN_ID);
    t = flow_mint(f, 2000, DAY);
    scenes_keep(w->hot_text, sizeof w->hot_text, t.text);
    p = flow_enrol(f, t.text, "d3");
    scenes_keep(w->first, sizeof w->first, p.refresh);
    p = flow_pair_of(DONE(f, mereau_token_refresh(f->tenant, p.refresh)));
    DONE(f, mereau_token_refresh(f->tenant, p.refresh));
    op = DONE(f, mereau_registration_token_mint(f->tenant, "opq", 1, DAY));
    p = flow_enrol(f, mereau_op_text(op, MEREAU_REGISTRATION_TOKEN), "d4");
    scenes_keep(w->opaque, sizeof w->opaque, p.access);
    scenes_keep(w->opaque_refresh, sizeof w->opaque_refresh, p.refresh);
    DONE(f, mereau_device_block(f->tenant, "bad"));
}

void open_world(struct world *w) {
    const struct flow_setup setup = {.seed = 1, .keep_events = 1};
    memset(w, 0, sizeof *w);
    flow_open(&w->f, &setup);
    make_app(w);
    make_tokens(w);
    flow_records_take(&w->f, &w->start);
}

void close_world(struct world *w) {
    flow_records_free(&w->start);
    flow_close(&w->f);
}

/* --- what is tried --- */

#define MAKER(name) static mereau_op *name(struct world *w)
#define TENANT w->f.tenant

MAKER(tenant_create) { return mereau_tenant_create(TENANT, ISSUER); }
MAKER(tenant_get) { return mereau_tenant_get(TENANT); }
MAKER(tenant_update) {
    mereau_op *op = mereau_tenant_update(TENANT);
    mereau_op_set_int(op, MEREAU_GRACE_S, 20);
    return op;
}
MAKER(not_before_raise) {
    return mereau_not_before_raise(TENANT, MEREAU_SUBJECT, "d1", MEREAU_NOW);
}
MAKER(tenant_purge) { return mereau_tenant_purge(TENANT); }
MAKER(app_create) {
    mereau_op *op = mereau_app_create(TENANT, "another");
    mereau_op_set_text(op, MEREAU_IDEMPOTENCY_KEY, "k1");
    mereau_op_set_text(op, MEREAU_SCOPE, "a b");
    mereau_op_set_text(op, MEREAU_REDIRECT_URI, "https://a.example/cb");
    return op;
}
MAKER(app_get) { return mereau_app_get(TENANT, "app"); }
MAKER(app_update) {
    mereau_op *op = mereau_app_update(TENANT, "app");
    mereau_op_set_int(op, MEREAU_ENABLED, 0);
    return op;
}
MAKER(app_delete) { return mereau_app_delete(TENANT, "opq"); }
MAKER(app_list) { return mereau_app_list(TENANT); }
MAKER(app_redirect_check) {
    mereau_op *op = mereau_app_redirect_check(TENANT, "app", "https://x");
    return op;
}
MAKER(app_secret_add) { return mereau_app_secret_add(TENANT, "app"); }
MAKER(app_secret_remove) {
    return mereau_app_secret_remove(TENANT, "app", w->secret_id);
}
MAKER(app_key_add) {
    mereau_op *op = mereau_app_key_add(TENANT, "app");
    mereau_op_set_text(op, MEREAU_PEM, rsa_spki);
    return op;
}
MAKER(app_key_remove) {
    return mereau_app_key_remove(TENANT, "app", w->key_kid);
}
MAKER(app_credential_list) { return mereau_app_credential_list(TENANT, "app"); }
MAKER(app_authenticate) {
    return mereau_app_authenticate(TENANT, "app", w->secret);
}
MAKER(mint) {
    mereau_op *op = mereau_registration_token_mint(TENANT, "app", 130, DAY);
    mereau_op_set_text(op, MEREAU_IDEMPOTENCY_KEY, "k2");
    mereau_op_set_text(op, MEREAU_SCOPE, "read");
    return op;
}
MAKER(mint_many) {
    mereau_op *op = mereau_registration_token_mint_many(TENANT, "app", 25, DAY);
    mereau_op_set_text(op, MEREAU_IDEMPOTENCY_KEY, "k3");
    return op;
}
mereau_op *scene_redeem(struct world *w) {
    return flow_redeem(&w->f, w->mint_text, "new", NONCE);
}
MAKER(redeem_hot) { return flow_redeem(&w->f, w->hot_text, "new", NONCE); }
MAKER(redeem_again) { return flow_redeem(&w->f, w->mint_text, "fresh", NONCE); }
MAKER(registration_get) {
    return mereau_registration_token_get(TENANT, w->mint_id);
}
MAKER(registration_update) {
    mereau_op *op = mereau_registration_token_update(TENANT, w->mint_id);
    mereau_op_set_int(op, MEREAU_COUNT, 7);
    mereau_op_set_int(op, MEREAU_EXPIRES_AT, T0 + 2 * DAY);
    return op;
}
MAKER(registration_reissue) {
    mereau_op *op = mereau_registration_token_reissue(TENANT, w->mint_id, DAY);
    mereau_op_set_text(op, MEREAU_IDEMPOTENCY_KEY, "k4");
    return op;
}
MAKER(registration_revoke) {
    mereau_op *op = mereau_registration_token_revoke(TENANT, w->mint_id);
    mereau_op_set_int(op, MEREAU_CASCADE, 1);
    return op;
}
MAKER(registration_list) { return mereau_registration_token_list(TENANT); }
MAKER(device_block) { return mereau_device_block(TENANT, "d1"); }
MAKER(device_unblock) { return mereau_device_unblock(TENANT, "bad"); }
MAKER(device_rearm) { return mereau_device_rearm(TENANT, w->mint_id, "d1"); }
mereau_op *scene_exchange(struct world *w) {
    mereau_op *op = mereau_auth_token_exchange(TENANT, w->auth);
    flow_nonce(op, NONCE);
    mereau_op_set_text(op, MEREAU_SCOPE, "read print");
    return op;
}
MAKER(exchange_secret) {
    mereau_op *op = mereau_auth_token_exchange(TENANT, w->auth);
    mereau_op_set_text(op, MEREAU_CLIENT_SECRET, w->secret);
    return op;
}
MAKER(auth_revoke) { return mereau_auth_token_revoke(TENANT, w->auth_id); }
MAKER(auth_list) {
    mereau_op *op = mereau_auth_token_list(TENANT);
    mereau_op_set_text(op, MEREAU_REGISTRATION_TOKEN_ID, w->mint_id);
    return op;
}
mereau_op *scene_refresh(struct world *w) {
    mereau_op *op = mereau_token_refresh(TENANT, w->refresh);
    flow_nonce(op, NONCE);
    return op;
}
MAKER(refresh_opaque) {
    mereau_op *op = mereau_token_refresh(TENANT, w->opaque_refresh);
    flow_nonce(op, NONCE);
    return op;
}
MAKER(introspect) { return mereau_token_introspect(TENANT, w->access); }
mereau_op *scene_verify_live(struct world *w) {
    return mereau_token_verify_live(TENANT, w->access);
}
MAKER(verify_live_opaque) {
    return mereau_token_verify_live(TENANT, w->opaque);
}
MAKER(token_revoke) { return mereau_token_revoke(TENANT, w->refresh); }
MAKER(token_revoke_jwt) { return mereau_token_revoke(TENANT, w->access); }
MAKER(family_revoke) { return mereau_family_revoke(TENANT, w->family); }
MAKER(family_list) { return mereau_family_list(TENANT); }
MAKER(key_generate) { return mereau_key_generate(TENANT, MEREAU_ALG_ES384); }
MAKER(key_import) {
    mereau_op *op = mereau_key_import(TENANT, MEREAU_ALG_ES256);
    mereau_op_set_text(op, MEREAU_PEM, ec_pkcs8);
    return op;
}
MAKER(key_retire) { return mereau_key_retire(TENANT, w->standby); }
MAKER(key_revoke) { return mereau_key_revoke(TENANT, w->kid); }
MAKER(key_list) { return mereau_key_list(TENANT); }
MAKER(key_jwks) { return mereau_key_jwks(TENANT); }
MAKER(audit_list) { return mereau_audit_list(TENANT); }
MAKER(by_name) {
    mereau_op *op = mereau_op_new(TENANT, "app_get");
    mereau_op_set_json(op, "{\"client_id\":\"app\"}", 19);
    return op;
}

const struct scene scenes[] = {
    {"tenant_create", tenant_create, 0},
    {"tenant_get", tenant_get, 0},
    {"tenant_update", tenant_update, 0},
    {"not_before_raise", not_before_raise, 0},
    {"tenant_purge", tenant_purge, 0},
    {"app_create", app_create, 0},
    {"app_get", app_get, 0},
    {"app_update", app_update, 0},
    {"app_delete", app_delete, NOT_AGAIN},
    {"app_list", app_list, 0},
    {"app_redirect_check", app_redirect_check, REFUSES},
    {"app_secret_add", app_secret_add, NOT_AGAIN},
    {"app_secret_remove", app_secret_remove, NOT_AGAIN},
    {"app_key_add", app_key_add, NOT_AGAIN},
    {"app_key_remove", app_key_remove, NOT_AGAIN},
    {"app_credential_list", app_credential_list, 0},
    {"app_authenticate", app_authenticate, 0},
    {"registration_token_mint", mint, 0},
    {"registration_token_mint_many", mint_many, 0},
    {"registration_token_redeem", scene_redeem, 0},
    {"registration_token_redeem", redeem_hot, 0},
    {"registration_token_redeem", redeem_again, 0},
    {"registration_token_get", registration_get, 0},
    {"registration_token_update", registration_update, 0},
    {"registration_token_reissue", registration_reissue, 0},
    {"registration_token_revoke", registration_revoke, 0},
    {"registration_token_list", registration_list, 0},
    {"device_block", device_block, 0},
    {"device_unblock", device_unblock, NOT_AGAIN},
    {"device_rearm", device_rearm, 0},
    {"auth_token_exchange", scene_exchange, 0},
    {"auth_token_exchange", exchange_secret, 0},
    {"auth_token_revoke", auth_revoke, 0},
    {"auth_token_list", auth_list, 0},
    {"token_refresh", scene_refresh, 0},
    {"token_refresh", refresh_opaque, 0},
    {"token_introspect", introspect, 0},
    {"token_verify_live", scene_verify_live, 0},
    {"token_verify_live", verify_live_opaque, 0},
    {"token_revoke", token_revoke, 0},
    {"token_revoke", token_revoke_jwt, 0},
    {"family_revoke", family_revoke, 0},
    {"family_list", family_list, 0},
    {"key_generate", key_generate, NOT_AGAIN},
    {"key_import", key_import, NOT_AGAIN},
    {"key_retire", key_retire, 0},
    {"key_revoke", key_revoke, NOT_AGAIN},
    {"key_list", key_list, 0},
    {"key_jwks", key_jwks, 0},
    {"audit_list", audit_list, 0},
    {"op_new", by_name, 0},
};
const size_t n_scenes = sizeof scenes / sizeof scenes[0];

mereau_status wanted_of(const struct scene *scene) {
    return (scene->flags & REFUSES) != 0 ? MEREAU_E_POLICY : MEREAU_OK;
}

int problems;

void no_problems(void) {
    int found = problems;
    problems = 0;
    assert_int_equal(found, 0);
}

/* --- the state afterwards --- */

/* Kinds and lengths of all keys: the same after every complete run. */
static void shape_of(const struct flow_records *r, size_t shape[256]) {
    memset(shape, 0, 256 * sizeof *shape);
    for (size_t i = 0; i < r->n; i++)
        shape[r->all[i].key[0]] += 1000 + r->all[i].key_len;
}

int is_unchanged(struct world *w) {
    struct flow_records now;
    int same;
    flow_records_take(&w->f, &now);
    same = flow_records_equal(&w->start, &now);
    flow_records_free(&now);
    return same;
}

/* What returned has happened: of a revocation a shape does not show it. */
int has_happened(struct world *w, const struct scene *scene) {
    mereau_op *op;
    mereau_status status;
    if (strstr(scene->function, "_revoke") == NULL ||
        strcmp(scene->function, "key_revoke") == 0 ||
        scene->make == auth_revoke || scene->make == registration_revoke)
        return 1;
    op = mereau_token_verify_live(TENANT, w->access);
    status = mereau_op_run(op, NULL);
    mereau_op_free(op);
    return status == MEREAU_E_REVOKED;
}

/* An introspection without memory must not say that a token is dead. */
int has_right_answer(const struct scene *scene, const mereau_op *op) {
    return scene->make != introspect || mereau_op_int(op, MEREAU_ACTIVE) == 1;
}

int has_shape(struct world *w, const size_t wanted[256]) {
    struct flow_records now;
    size_t shape[256];
    flow_records_take(&w->f, &now);
    shape_of(&now, shape);
    flow_records_free(&now);
    shape['o'] = wanted['o']; /* each attempt that committed has its event */
    shape['u'] = wanted['u']; /* a last use may be lost without harm */
    return memcmp(shape, wanted, sizeof shape) == 0;
}

void reset(struct world *w) {
    flow_fail(&w->f, 0, 0, 0);
    flow_records_put(&w->f, &w->start);
}

static int64_t used_of(struct world *w, const char *token) {
    mereau_op *op = mereau_registration_token_get(TENANT, NULL);
    int64_t used;
    mereau_op_set_text(op, MEREAU_REGISTRATION_TOKEN, token);
    assert_int_equal(mereau_op_run(op, NULL), MEREAU_OK);
    used = mereau_op_int(op, MEREAU_USED_COUNT);
    mereau_op_free(op);
    return used;
}

/* What a run without any failure leaves behind. */
void run_clean(struct world *w, const struct scene *scene,
               struct outcome *outcome) {
    struct flow_records now;
    mereau_op *op = scene->make(w);
    mereau_status status = mereau_op_run(op, &flow_error);
    if (status != wanted_of(scene))
        BAD("%s: %s", scene->function, flow_error.text);
    mereau_op_free(op);
    shape_of(&w->start, outcome->before);
    flow_records_take(&w->f, &now);
    shape_of(&now, outcome->after);
    flow_records_free(&now);
    outcome->used = used_of(w, w->mint_text);
    outcome->used_hot = used_of(w, w->hot_text);
    reset(w);
}

/* The same call again, without failures: complete, and nothing twice. */
void run_again(struct world *w, const struct scene *scene,
               const struct outcome *outcome, const char *what,
               unsigned long n) {
    mereau_op *op = scene->make(w);
    mereau_status status;
    flow_fail(&w->f, 0, 0, 0);
    status = mereau_op_run(op, &flow_error);
    if (status != wanted_of(scene))
        BAD("%s, %s %lu, again: %s", scene->function, what, n, flow_error.text);
    mereau_op_free(op);
    if (!has_shape(w, outcome->after))
        BAD("%s, %s %lu, again: something is there twice or not at all",
            scene->function, what, n);
    if (used_of(w, w->mint_text) != outcome->used ||
        used_of(w, w->hot_text) != outcome->used_hot)
        BAD("%s, %s %lu, again: counts were lost or taken twice",
            scene->function, what, n);
}

int changes_little_by_little(const struct scene *scene) {
    return strcmp(scene->function, "registration_token_mint_many") == 0;
}
