/* quickstart.c - the life of a token on one SQLite file: from registering an
 * app to catching the thief of a refresh token.
 *
 *     quickstart [FILE]    FILE: quickstart.db if not given */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include <mereau/mereau.h>
#include <mereau/sqlite.h>
#include <mereau/system.h>

#define ISSUER "https://id.acme.example"
#define PRINT_API "https://print.acme.example"

static void check(mereau_status status, const mereau_error *err) {
    if (status != MEREAU_OK) {
        fprintf(stderr, "%s\n", err->text);
        exit(EXIT_FAILURE);
    }
}

/* Every operation is an object: make it, run it, read it, free it. */
static mereau_op *run(mereau_op *op) {
    mereau_error err = MEREAU_ERROR_INIT;
    check(mereau_op_run(op, &err), &err);
    return op;
}

/* Runs an operation that ought to be refused, and prints the reason. */
static void expect_refusal(const char *who, mereau_op *op) {
    mereau_error err = MEREAU_ERROR_INIT;
    mereau_op_run(op, &err);
    printf("%s: %s, %s\n", who, mereau_status_name(err.status), err.text);
    mereau_op_free(op);
}

int main(int argc, char **argv) {
    /* The host brings a store, a clock and a root key (from a file or a KMS,
     * not from its source, and never from the store). */
    mereau_error err = MEREAU_ERROR_INIT;
    mereau_store *store = NULL;
    check(
        mereau_sqlite_open(&store, argc > 1 ? argv[1] : "quickstart.db", &err),
        &err);
    const uint8_t root_key[32] = "an example: 32 bytes of nothing";
    mereau_ctx *ctx = mereau_ctx_new();
    mereau_ctx_set_store(ctx, store);
    mereau_ctx_set_clock(ctx, mereau_system_clock());
    mereau_ctx_add_root_key(ctx, "2026", root_key, sizeof root_key);
    check(mereau_ctx_ready(ctx, &err), &err);

    /* A tenant has an issuer name, signing keys and records of its own. */
    mereau_tenant *acme = mereau_tenant_open(ctx, "acme");
    mereau_op_free(run(mereau_tenant_create(acme, ISSUER)));
    mereau_op *app = mereau_app_create(acme, "Label printer");
    mereau_op_set_text(app, MEREAU_SCOPE, "print");
    mereau_op_set_text(app, MEREAU_AUDIENCE, PRINT_API);
    const char *client_id = mereau_op_text(run(app), MEREAU_CLIENT_ID);

    /* An administrator mints a registration token: two devices, one day. */
    mereau_op *mint =
        run(mereau_registration_token_mint(acme, client_id, 2, 24 * 3600));
    const char *token = mereau_op_text(mint, MEREAU_REGISTRATION_TOKEN);

    /* Each device redeems it, with random bytes that no other device knows. */
    uint8_t nonce[3][16];
    check(mereau_system_random(nonce[0], sizeof nonce, &err), &err);
    mereau_op *one = run(mereau_registration_token_redeem(
        acme, token, "printer-1", nonce[0], sizeof nonce[0]));
    mereau_op *two = run(mereau_registration_token_redeem(
        acme, token, "printer-2", nonce[1], sizeof nonce[1]));
    expect_refusal("a third device",
                   mereau_registration_token_redeem(acme, token, "printer-3",
                                                    nonce[2], sizeof nonce[2]));

    /* A device whose answer got lost asks again: the same answer, no count. */
    mereau_op *again = run(mereau_registration_token_redeem(
        acme, token, "printer-1", nonce[0], sizeof nonce[0]));
    const char *auth_token = mereau_op_text(again, MEREAU_AUTH_TOKEN);
    if (strcmp(auth_token, mereau_op_text(one, MEREAU_AUTH_TOKEN)) == 0)
        puts("asked again: the same answer");

    /* The auth token is exchanged, once, for an access and a refresh token. */
    mereau_op *first = run(mereau_auth_token_exchange(acme, auth_token));
    const char *jwt = mereau_op_text(first, MEREAU_ACCESS_TOKEN);
    const char *refresh = mereau_op_text(first, MEREAU_REFRESH_TOKEN);

    /* Any server that has the published keys can verify the access token. */
    mereau_op *keys = run(mereau_key_jwks(acme));
    const char *jwks = mereau_op_text(keys, MEREAU_JWKS);
    mereau_verifier *verifier = mereau_verifier_new(ISSUER, PRINT_API);
    mereau_verifier_set_jwks(verifier, jwks, strlen(jwks));
    check(mereau_verifier_ready(verifier, &err), &err);
    mereau_claims *claims = mereau_claims_new();
    check(
        mereau_jwt_verify(verifier, claims, jwt, strlen(jwt), time(NULL), &err),
        &err);
    printf("verified: %s may %s\n", mereau_claims_text(claims, "sub"),
           mereau_claims_text(claims, "scope"));

    /* Each refresh gives the next refresh token; the one before is spent. */
    mereau_op *second = run(mereau_token_refresh(acme, refresh));
    mereau_op *third = run(mereau_token_refresh(
        acme, mereau_op_text(second, MEREAU_REFRESH_TOKEN)));

    /* A long spent one that comes back was stolen: the whole family ends. */
    expect_refusal("the thief", mereau_token_refresh(acme, refresh));
    expect_refusal("the device",
                   mereau_token_refresh(
                       acme, mereau_op_text(third, MEREAU_REFRESH_TOKEN)));

    mereau_op *ops[] = {app, mint, one, two, again, first, keys, second, third};
    for (size_t i = 0; i < sizeof ops / sizeof ops[0]; i++)
        mereau_op_free(ops[i]);
    mereau_claims_free(claims);
    mereau_verifier_free(verifier);
    mereau_tenant_free(acme);
    mereau_ctx_free(ctx);
    mereau_store_close(store);
    return EXIT_SUCCESS;
}
