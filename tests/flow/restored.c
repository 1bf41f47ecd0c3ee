/* tests/flow/restored.c - see restored.h. */
#include <stdio.h>
#include <stdlib.h>

#include "flow.h"
#include "restored.h"

/* --- the steps that are the host's code --- */

/* [after_a_restore] */
/* On a restored store, before the service is opened. */
static mereau_status after_a_restore(mereau_tenant *acme) {
    mereau_error err = MEREAU_ERROR_INIT;
    mereau_op *op, *list = mereau_registration_token_list(acme);
    mereau_status status;
    int more = 1;

    /* Nothing issued before now is good: refresh, auth and access tokens. */
    op = mereau_not_before_raise(acme, MEREAU_TENANT_ID, NULL, MEREAU_NOW);
    status = mereau_op_run(op, &err);
    mereau_op_free(op);
    /* Counts are not to be believed, nor that a token was still open. */
    while (status == MEREAU_OK && more) {
        status = mereau_op_run(list, &err);
        while (status == MEREAU_OK && mereau_op_next_row(list)) {
            op = mereau_registration_token_revoke(
                acme, mereau_op_text(list, MEREAU_REGISTRATION_TOKEN_ID));
            status = mereau_op_run(op, &err);
            mereau_op_free(op);
        }
        more = mereau_op_has_more(list);
    }
    mereau_op_free(list);
    if (status != MEREAU_OK)
        fprintf(stderr, "%s\n", err.text); /* do not open; run it again */
    return status;
}
/* [/after_a_restore] */

/* --- the story --- */

/* Texts outlive the flow that made them. */
#define KEEP(out, text) snprintf(out, sizeof(out), "%s", text)

struct story {
    struct flow f;
    mereau_store *store; /* of this opening */
    char open[160], open_id[40]; /* 5 counts, 3 used at the backup */
    char later[160]; /* minted after the backup */
    char d1_old[256], d1_new[256], d1_access[2048]; /* refreshed since */
    char d2[256]; /* its family was revoked since */
    char d4_auth[256]; /* enrolled since */
    char kid[128]; /* leaked and was revoked since */
};

static void open_flow(struct story *s, const struct restored_way *way,
                      int64_t now_at) {
    struct flow_setup setup = {.seed = 1, .now_at = now_at};
    s->store = way->open(way->at);
    assert_non_null(s->store);
    setup.share = s->store;
    setup.no_tenant = s->open[0] != 0; /* it is again */
    flow_open(&s->f, &setup);
}

static void close_flow(struct story *s) {
    flow_close(&s->f);
    mereau_store_close(s->store);
}

static mereau_op *refresh(struct flow *f, const char *token) {
    mereau_op *op = mereau_token_refresh(f->tenant, token);
    flow_nonce(op, 3);
    return op;
}

static void until_the_backup(struct story *s) {
    struct flow *f = &s->f;
    struct flow_token token;
    mereau_op *keys;
    flow_app(f, NULL);
    flow_app_named(f, "other", NULL);
    token = flow_mint(f, 5, 30 * DAY);
    KEEP(s->open, token.text);
    KEEP(s->open_id, token.id);
    KEEP(s->d1_old, flow_enrol(f, s->open, "d1").refresh);
    KEEP(s->d2, flow_enrol(f, s->open, "d2").refresh);
    flow_enrol(f, s->open, "d3");
    keys = DONE(f, mereau_key_list(f->tenant));
    while (mereau_op_next_row(keys))
        if (strcmp(mereau_op_text(keys, MEREAU_STATE), "signing") == 0)
            KEEP(s->kid, mereau_op_text(keys, MEREAU_KID));
    assert_true(s->kid[0] != 0);
}

static void after_the_backup(struct story *s) {
    struct flow *f = &s->f;
    struct flow_pair pair;
    f->now_at += 100;
    pair = flow_pair_of(DONE(f, refresh(f, s->d1_old)));
    pair = flow_pair_of(DONE(f, refresh(f, pair.refresh)));
    KEEP(s->d1_new, pair.refresh);
    KEEP(s->d1_access, pair.access);
    DONE(f, mereau_token_revoke(f->tenant, s->d2));
    KEEP(s->d4_auth, mereau_op_text(DONE(f, flow_redeem(f, s->open, "d4", 7)),
                                    MEREAU_AUTH_TOKEN));
    KEEP(s->later, flow_mint(f, 5, 30 * DAY).text);
    DONE(f, mereau_device_block(f->tenant, "d9"));
    DONE(f, mereau_app_delete(f->tenant, "other"));
    DONE(f, mereau_key_revoke(f->tenant, s->kid));
    assert_int_equal(flow_used(f, s->open_id), 4);
    f->now_at += 100;
}

static int publishes(struct flow *f, const char *kid) {
    mereau_op *op = DONE(f, mereau_key_jwks(f->tenant));
    return strstr(mereau_op_text(op, MEREAU_JWKS), kid) != NULL;
}

/* What the steps are for. On a copy: a thief would be as quick. */
static void what_came_back(struct story *s) {
    struct flow *f = &s->f;
    struct flow_records before, after;
    flow_records_take(f, &before);
    REFUSED(f, refresh(f, s->d1_new), MEREAU_E_RESTORED, "family.restored");
    flow_records_take(f, &after);
    assert_true(flow_records_equal(&before, &after)); /* nothing is ended */
    flow_records_free(&after);
    assert_true(
        flow_told(f, "family.restored")); /* an alert can be made of it */
    REFUSED(f, mereau_auth_token_exchange(f->tenant, s->d4_auth),
            MEREAU_E_UNKNOWN, NULL);
    REFUSED(f, flow_redeem(f, s->later, "d5", 7), MEREAU_E_UNKNOWN, NULL);
    assert_int_equal(flow_used(f, s->open_id), 3);
    DONE(f, flow_redeem(f, s->open, "d4", 9)); /* the count, once more */
    DONE(f, refresh(f, s->d2)); /* was revoked */
    DONE(f, refresh(f, s->d1_old)); /* was used up */
    DONE(f, flow_redeem(f, s->open, "d9", 7)); /* was blocked */
    DONE(f, mereau_app_get(f->tenant, "other")); /* was deleted */
    assert_true(publishes(f, s->kid)); /* was revoked */
    flow_records_put(f, &before);
    flow_records_free(&before);
}

/* From the host's own log of events: all that took something away. */
static void by_hand(struct story *s) {
    struct flow *f = &s->f;
    DONE(f, mereau_key_revoke(f->tenant, s->kid));
    DONE(f, mereau_app_delete(f->tenant, "other"));
    DONE(f, mereau_device_block(f->tenant, "d9"));
}

static void nothing_of_before_is_good(struct story *s) {
    struct flow *f = &s->f;
    mereau_status status;
    mereau_op *live;
    REFUSED(f, refresh(f, s->d1_old), MEREAU_E_NOT_BEFORE, NULL);
    REFUSED(f, refresh(f, s->d2), MEREAU_E_NOT_BEFORE, NULL);
    live = refresh(f, s->d1_new);
    status = mereau_op_run(live, NULL);
    mereau_op_free(live);
    assert_true(status == MEREAU_E_NOT_BEFORE || status == MEREAU_E_RESTORED);
    live = mereau_token_verify_live(f->tenant, s->d1_access);
    assert_int_not_equal(mereau_op_run(live, NULL), MEREAU_OK);
    mereau_op_free(live);
    assert_int_not_equal(flow_verify(f, s->d1_access), MEREAU_OK);
    REFUSED(f, mereau_auth_token_exchange(f->tenant, s->d4_auth),
            MEREAU_E_UNKNOWN, NULL);
    REFUSED(f, flow_redeem(f, s->open, "d6", 7), MEREAU_E_REVOKED, NULL);
    REFUSED(f, flow_redeem(f, s->open, "d1", 7), MEREAU_E_REVOKED, NULL);
}

static void devices_enrol_again(struct story *s) {
    struct flow *f = &s->f;
    struct flow_token token = flow_mint(f, 5, 30 * DAY);
    struct flow_pair pair = flow_enrol(f, token.text, "d1");
    assert_int_equal(flow_verify(f, pair.access), MEREAU_OK);
    DONE(f, mereau_token_verify_live(f->tenant, pair.access));
    DONE(f, refresh(f, pair.refresh));
    flow_enrol(f, token.text, "d4");
    REFUSED(f, flow_redeem(f, token.text, "d9", 7), MEREAU_E_BLOCKED, NULL);
}

void restored_rehearse(const struct restored_way *way) {
    struct story *s = calloc(1, sizeof *s);
    int64_t now_at;
    assert_non_null(s);
    open_flow(s, way, way->now_at);
    until_the_backup(s);
    way->back_up(way->at);
    after_the_backup(s);
    now_at = s->f.now_at;
    close_flow(s); /* every process is stopped */
    way->put_back(way->at);
    open_flow(s, way, now_at);
    what_came_back(s);
    assert_int_equal(after_a_restore(s->f.tenant), MEREAU_OK);
    nothing_of_before_is_good(s);
    by_hand(s);
    nothing_of_before_is_good(s);
    assert_false(publishes(&s->f, s->kid));
    devices_enrol_again(s);
    close_flow(s);
    free(s);
}
