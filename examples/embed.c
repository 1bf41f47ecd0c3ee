/* embed.c - a door server in a hundred lines: doors enrol with a registration
 * token, the server hands out and rotates their tokens and checks them at every
 * request. Written from README.md and the headers alone.
 *
 *     embed FILE    a SQLite file; run it twice, nothing is set up twice */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <mereau/mereau.h>
#include <mereau/sqlite.h>
#include <mereau/system.h>

struct server {
    mereau_store *store;
    mereau_ctx *ctx;
    mereau_tenant *house;
};

/* Runs an operation; the caller reads it and frees it. NULL after a refusal. */
static mereau_op *done(mereau_op *op) {
    mereau_error err = MEREAU_ERROR_INIT;
    if (mereau_op_run(op, &err) == MEREAU_OK)
        return op;
    printf("refused: %s (%s)\n", mereau_status_name(err.status), err.rule);
    mereau_op_free(op);
    return NULL;
}

static int server_open(struct server *s, const char *path) {
    static const uint8_t root_key[32] = "from a file of mode 0400, really";
    mereau_error err = MEREAU_ERROR_INIT;
    mereau_op *tenant, *app;
    s->ctx = mereau_ctx_new();
    if (mereau_sqlite_open(&s->store, path, &err) == MEREAU_OK) {
        mereau_ctx_set_store(s->ctx, s->store);
        mereau_ctx_set_clock(s->ctx, mereau_system_clock());
        mereau_ctx_add_root_key(s->ctx, "2026", root_key, sizeof root_key);
        mereau_ctx_ready(s->ctx, &err);
    }
    if (err.status != MEREAU_OK) {
        fprintf(stderr, "%s\n", err.text);
        return -1;
    }
    /* Both can be said at every start: what is there is left as it is. */
    s->house = mereau_tenant_open(s->ctx, "house");
    tenant = done(mereau_tenant_create(s->house, "https://house.example"));
    app = mereau_app_create(s->house, "Door");
    mereau_op_set_text(app, MEREAU_CLIENT_ID, "door");
    mereau_op_set_text(app, MEREAU_IDEMPOTENCY_KEY, "door");
    mereau_op_set_text(app, MEREAU_SCOPE, "open close");
    app = done(app);
    int ok = tenant != NULL && app != NULL;
    mereau_op_free(app);
    mereau_op_free(tenant);
    return ok ? 0 : -1;
}

static void server_close(struct server *s) {
    mereau_tenant_free(s->house);
    mereau_ctx_free(s->ctx);
    mereau_store_close(s->store);
}

/* At every request: whose token is it, if it is good now and may do this? */
static mereau_op *check(const struct server *s, const char *token,
                        const char *scope) {
    mereau_op *op = mereau_token_verify_live(s->house, token);
    mereau_op_set_text(op, MEREAU_SCOPE, scope);
    return done(op);
}

int main(int argc, char **argv) {
    struct server s = {0};
    uint8_t nonce[16];
    mereau_op *mint, *door, *first, *next, *who;
    if (argc != 2 || server_open(&s, argv[1]) != 0 ||
        mereau_system_random(nonce, sizeof nonce, NULL) != MEREAU_OK)
        return EXIT_FAILURE;

    /* The administrator: one door, ten minutes to install it. */
    mint = done(mereau_registration_token_mint(s.house, "door", 1, 600));
    /* The door: enrols, exchanges, comes back for more with the refresh token. */
    door = done(mereau_registration_token_redeem(
        s.house, mereau_op_text(mint, MEREAU_REGISTRATION_TOKEN), "front door",
        nonce, sizeof nonce));
    first = done(mereau_auth_token_exchange(
        s.house, mereau_op_text(door, MEREAU_AUTH_TOKEN)));
    next = done(mereau_token_refresh(
        s.house, mereau_op_text(first, MEREAU_REFRESH_TOKEN)));
    printf("the body of the HTTP answer has %zu bytes\n",
           strlen(mereau_op_json(next)));

    /* The server: a request comes with the door's access token. */
    who = check(&s, mereau_op_text(next, MEREAU_ACCESS_TOKEN), "open");
    printf("%s may %s\n", mereau_op_text(who, MEREAU_DEVICE_ID),
           mereau_op_text(who, MEREAU_SCOPE));
    /* The administrator: the door was stolen. */
    mereau_op_free(done(mereau_auth_token_revoke(
        s.house, mereau_op_text(door, MEREAU_AUTH_TOKEN_ID))));
    check(&s, mereau_op_text(next, MEREAU_ACCESS_TOKEN), "open");

    mereau_op *ops[] = {mint, door, first, next, who};
    for (size_t i = 0; i < sizeof ops / sizeof ops[0]; i++)
        mereau_op_free(ops[i]);
    server_close(&s);
    return EXIT_SUCCESS;
}
