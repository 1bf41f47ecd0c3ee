/* admin.c - "unexpected users have used up the counts": find out who, throw
 * them out, and let the right ones in again. On a store in memory. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <mereau/mereau.h>
#include <mereau/system.h>

/* What a getter says, for people: absent is NULL, and shown as a dash. */
static const char *shown(const char *text) { return text != NULL ? text : "-"; }

/* Every auth token that one registration token led to, page after page. The id
 * of the stranger's, if there is one. */
static mereau_status who_used_it_up(const mereau_tenant *acme,
                                    const char *token_id, const char *stranger,
                                    char auth_token_id[64], mereau_error *err) {
    mereau_op *list = mereau_auth_token_list(acme);
    mereau_op_set_text(list, MEREAU_REGISTRATION_TOKEN_ID, token_id);

    mereau_status status;
    do {
        status = mereau_op_run(list, err);
        while (mereau_op_next_row(list)) {
            const char *device = mereau_op_text(list, MEREAU_DEVICE_ID);
            printf("  %-10s %-8s from %s\n", device,
                   mereau_op_text(list, MEREAU_STATE),
                   shown(mereau_op_text(list, MEREAU_REMOTE_ADDRESS)));
            if (strcmp(device, stranger) == 0)
                snprintf(auth_token_id, 64, "%s",
                         mereau_op_text(list, MEREAU_AUTH_TOKEN_ID));
        }
    } while (status == MEREAU_OK && mereau_op_has_more(list));
    mereau_op_free(list);
    return status;
}

/* Deletes the auth token with its families, keeps the device from coming back,
 * and refuses every token it was given before now. */
static mereau_status throw_out(const mereau_tenant *acme, const char *device_id,
                               const char *auth_token_id, mereau_error *err) {
    mereau_op *steps[] = {
        mereau_auth_token_revoke(acme, auth_token_id),
        mereau_device_block(acme, device_id),
        mereau_not_before_raise(acme, MEREAU_DEVICE_ID, device_id, MEREAU_NOW),
    };
    mereau_status status = MEREAU_OK;
    for (size_t i = 0; i < 3; i++) {
        if (status == MEREAU_OK)
            status = mereau_op_run(steps[i], err);
        mereau_op_free(steps[i]);
    }
    return status;
}

/* The count and what is used of it are two numbers; the first can be raised. */
static mereau_status let_two_more_in(const mereau_tenant *acme,
                                     const char *token_id, mereau_error *err) {
    mereau_op *get = mereau_registration_token_get(acme, token_id);
    mereau_op *update = mereau_registration_token_update(acme, token_id);
    mereau_status status = mereau_op_run(get, err);
    if (status == MEREAU_OK) {
        mereau_op_set_int(update, MEREAU_COUNT,
                          mereau_op_int(get, MEREAU_COUNT) + 2);
        status = mereau_op_run(update, err);
    }
    if (status == MEREAU_OK)
        printf("  %lld of %lld used\n",
               (long long)mereau_op_int(update, MEREAU_USED_COUNT),
               (long long)mereau_op_int(update, MEREAU_COUNT));
    mereau_op_free(update);
    mereau_op_free(get);
    return status;
}

/* One page for a web page: the cursor travels through the browser and back. */
static mereau_status one_page(const mereau_tenant *acme, const char *cursor_in,
                              FILE *out, mereau_error *err) {
    mereau_op *list = mereau_app_list(acme);
    mereau_op_set_int(list, MEREAU_PAGE_SIZE, 20);
    mereau_op_set_text(list, MEREAU_CURSOR, cursor_in); /* NULL: the start */
    mereau_status status = mereau_op_run(list, err);
    if (status == MEREAU_OK)
        fprintf(out, "%s\n", mereau_op_json(list)); /* {"rows":[...]} */
    mereau_op_free(list);
    return status;
}

/* --- what had happened before --- */

static mereau_status done(mereau_op *op, mereau_error *err) {
    mereau_status status = mereau_op_run(op, err);
    mereau_op_free(op);
    return status;
}

static mereau_op *redeem(const mereau_tenant *acme, const char *token,
                         const char *device, const char *address) {
    uint8_t nonce[16];
    mereau_system_random(nonce, sizeof nonce, NULL);
    mereau_op *op = mereau_registration_token_redeem(acme, token, device, nonce,
                                                     sizeof nonce);
    mereau_op_set_text(op, MEREAU_REMOTE_ADDRESS, address);
    return op;
}

static mereau_status story(const mereau_tenant *acme, mereau_error *err) {
    char stranger_id[64] = "";
    mereau_op *app = mereau_app_create(acme, "Label printer");
    mereau_op *mint = NULL;
    const char *id, *token;
    mereau_status status =
        done(mereau_tenant_create(acme, "https://id.acme.example"), err);
    if (status == MEREAU_OK)
        status = mereau_op_run(app, err);
    mint = mereau_registration_token_mint(
        acme, mereau_op_text(app, MEREAU_CLIENT_ID), 2, 24 * 3600);
    if (status == MEREAU_OK)
        status = mereau_op_run(mint, err);
    id = mereau_op_text(mint, MEREAU_REGISTRATION_TOKEN_ID);
    token = mereau_op_text(mint, MEREAU_REGISTRATION_TOKEN);
    if (status == MEREAU_OK)
        status = done(redeem(acme, token, "printer-1", "192.0.2.7"), err);
    if (status == MEREAU_OK)
        status = done(redeem(acme, token, "stranger", "203.0.113.9"), err);

    if (status == MEREAU_OK) {
        puts("who used it up:");
        status = who_used_it_up(acme, id, "stranger", stranger_id, err);
    }
    if (status == MEREAU_OK)
        status = throw_out(acme, "stranger", stranger_id, err);
    if (status == MEREAU_OK) {
        puts("two more counts:");
        status = let_two_more_in(acme, id, err);
    }
    if (status == MEREAU_OK)
        status = done(redeem(acme, token, "printer-2", "192.0.2.8"), err);
    if (status == MEREAU_OK) {
        mereau_op *back = redeem(acme, token, "stranger", "203.0.113.9");
        mereau_op_run(back, err);
        printf("the stranger again: %s\n", err->rule);
        mereau_op_free(back);
        puts("now:");
        status = who_used_it_up(acme, id, "", stranger_id, err);
    }
    if (status == MEREAU_OK)
        status = one_page(acme, NULL, stdout, err);
    mereau_op_free(mint);
    mereau_op_free(app);
    return status;
}

int main(void) {
    mereau_error err = MEREAU_ERROR_INIT;
    mereau_store *store = NULL;
    uint8_t root_key[32];
    mereau_status status = mereau_memory_open(&store, &err);
    mereau_ctx *ctx = mereau_ctx_new();
    mereau_tenant *acme = NULL;
    if (status == MEREAU_OK)
        status = mereau_system_random(root_key, sizeof root_key, &err);
    mereau_ctx_set_store(ctx, store);
    mereau_ctx_set_clock(ctx, mereau_system_clock());
    mereau_ctx_add_root_key(ctx, "2026", root_key, sizeof root_key);
    if (status == MEREAU_OK)
        status = mereau_ctx_ready(ctx, &err);
    if (status == MEREAU_OK) {
        acme = mereau_tenant_open(ctx, "acme");
        status = story(acme, &err);
    }
    if (status != MEREAU_OK)
        fprintf(stderr, "%s\n", err.text);
    mereau_tenant_free(acme);
    mereau_ctx_free(ctx);
    mereau_store_close(store);
    return status == MEREAU_OK ? EXIT_SUCCESS : EXIT_FAILURE;
}
