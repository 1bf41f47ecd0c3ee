/* demo.c - what `make demo` runs: the life of a token, told as it happens. An app
 * is registered, devices enrol, one is refused and told why, one retries, tokens
 * rotate, one is stolen. Everything printed is what the library answered.
 *
 *     demo [FILE]    FILE: a SQLite file to keep; else a temporary one */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include <mereau/mereau.h>
#include <mereau/sqlite.h>
#include <mereau/system.h>

#define ISSUER "https://id.acme.example"
#define PRINT_API "https://print.acme.example"
#define NONCE_LEN 16

/* What lives as long as the program. Results are borrowed from their operations,
 * so these are kept, too. */
struct demo {
    mereau_store *store;
    mereau_ctx *ctx;
    mereau_tenant *acme;
    mereau_op *ops[32];
    size_t n_ops;
    uint8_t nonces[4][NONCE_LEN]; /* the secrets of four devices */
    int colour;
};

static const char *paint(const struct demo *d, const char *code) {
    return d->colour ? code : "";
}

static void chapter(const struct demo *d, const char *text) {
    printf("\n%s%s%s\n", paint(d, "\033[1m"), text, paint(d, "\033[0m"));
}

static void line(const char *who, const char *what) {
    printf("  %-14s %s\n", who, what);
}

/* Both ends of a credential: enough to tell two of them apart. */
static const char *brief(char out[48], const char *credential) {
    snprintf(out, 48, "%.18s...%s", credential,
             credential + strlen(credential) - 6);
    return out;
}

static void give_up(const char *what, const mereau_error *err) {
    fprintf(stderr, "%s: %s\n", what, err->text);
    exit(EXIT_FAILURE);
}

/* Runs an operation that has to succeed, and keeps it for its results. */
static mereau_op *run(struct demo *d, mereau_op *op) {
    mereau_error err = MEREAU_ERROR_INIT;
    if (d->n_ops == sizeof d->ops / sizeof d->ops[0])
        abort();
    d->ops[d->n_ops++] = op;
    if (mereau_op_run(op, &err) != MEREAU_OK)
        give_up("not expected", &err);
    return op;
}

static void must(int holds, const char *what) {
    if (!holds) {
        fprintf(stderr, "not so: %s\n", what);
        exit(EXIT_FAILURE);
    }
}

/* Runs an operation that has to be refused. */
static mereau_error refusal(mereau_op *op, mereau_status expected) {
    mereau_error err = MEREAU_ERROR_INIT;
    mereau_status status = mereau_op_run(op, &err);
    mereau_op_free(op);
    if (status != expected)
        give_up("another refusal was expected", &err);
    return err;
}

/* The same, and shows the explanation: at length, or in one line. */
static void refused(const struct demo *d, const char *who, mereau_op *op,
                    mereau_status expected) {
    mereau_error err = refusal(op, expected);
    printf("  %-14s %srefused%s  %s\n", who, paint(d, "\033[31m"),
           paint(d, "\033[0m"), mereau_status_name(err.status));
    printf("  %-14s   rule    %s\n", "", err.rule);
    printf("  %-14s   wanted  %s\n", "", err.wanted);
    printf("  %-14s   found   %s\n", "", err.found);
}

static void refused_briefly(const struct demo *d, const char *who,
                            mereau_op *op, mereau_status expected) {
    mereau_error err = refusal(op, expected);
    printf("  %-14s %srefused%s  %s: %s\n", who, paint(d, "\033[31m"),
           paint(d, "\033[0m"), mereau_status_name(err.status), err.found);
}

static void open_all(struct demo *d, const char *path) {
    mereau_error err = MEREAU_ERROR_INIT;
    uint8_t root_key[32];
    const char *warning = mereau_sqlite_warning();
    if (mereau_sqlite_open(&d->store, path, &err) != MEREAU_OK)
        give_up(path, &err);
    /* A real host has its root key from a file or a KMS, and keeps it. This one
     * forgets it, and with it the signing keys in the file. */
    if (mereau_system_random(root_key, sizeof root_key, &err) != MEREAU_OK ||
        mereau_system_random(d->nonces[0], sizeof d->nonces, &err) != MEREAU_OK)
        give_up("random", &err);
    d->ctx = mereau_ctx_new();
    mereau_ctx_set_store(d->ctx, d->store);
    mereau_ctx_set_clock(d->ctx, mereau_system_clock());
    mereau_ctx_add_root_key(d->ctx, "demo", root_key, sizeof root_key);
    if (mereau_ctx_ready(d->ctx, &err) != MEREAU_OK)
        give_up("context", &err);
    printf("%slibmereau %s%s on SQLite\n", paint(d, "\033[1m"),
           mereau_version(), paint(d, "\033[0m"));
    line("file", path);
    if (warning[0] != '\0')
        line("note", warning);
}

static void close_all(struct demo *d) {
    for (size_t i = 0; i < d->n_ops; i++)
        mereau_op_free(d->ops[i]);
    mereau_tenant_free(d->acme);
    mereau_ctx_free(d->ctx);
    mereau_store_close(d->store);
}

static const char *mint(struct demo *d) {
    char text[160], cut[48], name[48];
    mereau_op *app, *minted;
    chapter(d, "1. An administrator registers an app and mints a registration "
               "token.");
    /* A tenant of its own for every run, so that a file can be used again. */
    snprintf(name, sizeof name, "acme-%lld-%ld", (long long)time(NULL),
             (long)getpid());
    d->acme = mereau_tenant_open(d->ctx, name);
    run(d, mereau_tenant_create(d->acme, ISSUER));
    app = mereau_app_create(d->acme, "Label printer");
    mereau_op_set_text(app, MEREAU_SCOPE, "print status");
    mereau_op_set_text(app, MEREAU_AUDIENCE, PRINT_API);
    run(d, app);
    minted = run(d, mereau_registration_token_mint(
                        d->acme, mereau_op_text(app, MEREAU_CLIENT_ID),
                        /* devices */ 2, /* seconds */ 24 * 3600));
    line("app", "\"Label printer\" may \"print status\" at " PRINT_API);
    snprintf(text, sizeof text, "%s for 2 devices, for a day",
             brief(cut, mereau_op_text(minted, MEREAU_REGISTRATION_TOKEN)));
    line("token", text);
    return mereau_op_text(minted, MEREAU_REGISTRATION_TOKEN);
}

static mereau_op *redeem(const struct demo *d, const char *token,
                         const char *device, int nonce) {
    return mereau_registration_token_redeem(d->acme, token, device,
                                            d->nonces[nonce], NONCE_LEN);
}

static void enrol(struct demo *d, const char *token, const char *auth[2]) {
    static const char *const names[2] = {"printer-1", "printer-2"};
    char cut[48];
    mereau_op *again;
    chapter(d, "2. Devices redeem it: one count and one auth token each.");
    for (int i = 0; i < 2; i++) {
        auth[i] = mereau_op_text(run(d, redeem(d, token, names[i], i)),
                                 MEREAU_AUTH_TOKEN);
        line(names[i], brief(cut, auth[i]));
    }
    refused(d, "printer-3", redeem(d, token, "printer-3", 2), MEREAU_E_USED_UP);
    printf("  %-14s   (it is told: %s, HTTP %d; the rest is for your log)\n",
           "", mereau_status_oauth(MEREAU_E_USED_UP),
           (int)mereau_status_http(MEREAU_E_USED_UP));

    chapter(d, "3. The answer to printer-1 was lost. It asks again, with the "
               "same nonce.");
    again = run(d, redeem(d, token, "printer-1", 0));
    must(strcmp(mereau_op_text(again, MEREAU_AUTH_TOKEN), auth[0]) == 0,
         "asked again, the same auth token");
    line("printer-1", "the same auth token, byte for byte; no count taken");
    refused_briefly(d, "an impostor", redeem(d, token, "printer-1", 3),
                    MEREAU_E_ENROLLED);
}

/* What any server does that has the published keys, and no store. */
static mereau_status verify(const char *jwks, const char *jwt,
                            mereau_claims *claims) {
    mereau_error err = MEREAU_ERROR_INIT;
    mereau_verifier *verifier = mereau_verifier_new(ISSUER, PRINT_API);
    mereau_status status;
    mereau_verifier_set_jwks(verifier, jwks, strlen(jwks));
    status = mereau_verifier_ready(verifier, &err);
    if (status == MEREAU_OK)
        status = mereau_jwt_verify(verifier, claims, jwt, strlen(jwt),
                                   time(NULL), &err);
    mereau_verifier_free(verifier);
    return status;
}

static mereau_op *use(struct demo *d, const char *auth_token,
                      const char *jwks) {
    char text[160];
    mereau_claims *claims = mereau_claims_new();
    mereau_op *pair = run(d, mereau_auth_token_exchange(d->acme, auth_token));
    const char *jwt = mereau_op_text(pair, MEREAU_ACCESS_TOKEN);
    chapter(d, "4. printer-1 exchanges its auth token; a print server verifies "
               "the access token.");
    snprintf(text, sizeof text, "a JWT for %lld s, a refresh token for %lld s",
             (long long)mereau_op_int(pair, MEREAU_EXPIRES_IN),
             (long long)mereau_op_int(pair, MEREAU_REFRESH_EXPIRES_IN));
    line("printer-1", text);
    must(verify(jwks, jwt, claims) == MEREAU_OK, "the JWT is good");
    snprintf(text, sizeof text, "good: sub %s, scope \"%s\"",
             mereau_claims_text(claims, "sub"),
             mereau_claims_text(claims, "scope"));
    line("print server", text);
    mereau_claims_free(claims);
    return pair;
}

static void steal(struct demo *d, mereau_op *first, const char *jwks) {
    const char *stolen = mereau_op_text(first, MEREAU_REFRESH_TOKEN);
    char cut[48];
    mereau_op *second, *third;
    chapter(d, "5. Refresh tokens rotate. Then somebody uses an old one that "
               "was copied.");
    second = run(d, mereau_token_refresh(d->acme, stolen));
    line("printer-1", brief(cut, mereau_op_text(second, MEREAU_REFRESH_TOKEN)));
    third = run(d, mereau_token_refresh(
                       d->acme, mereau_op_text(second, MEREAU_REFRESH_TOKEN)));
    line("printer-1", brief(cut, mereau_op_text(third, MEREAU_REFRESH_TOKEN)));
    refused(d, "the thief", mereau_token_refresh(d->acme, stolen),
            MEREAU_E_REUSED);
    line("", "  and with that its family of tokens has ended, for everybody:");
    refused_briefly(d, "printer-1",
                    mereau_token_refresh(
                        d->acme, mereau_op_text(third, MEREAU_REFRESH_TOKEN)),
                    MEREAU_E_REVOKED);

    chapter(d, "6. Two ways to verify, named for what they promise.");
    must(verify(jwks, mereau_op_text(third, MEREAU_ACCESS_TOKEN), NULL) ==
             MEREAU_OK,
         "without the store the JWT is good until its exp");
    line("verify", "no store: that last JWT is good until its exp");
    refused_briefly(d, "verify_live",
                    mereau_token_verify_live(
                        d->acme, mereau_op_text(third, MEREAU_ACCESS_TOKEN)),
                    MEREAU_E_REVOKED);
}

static void elsewhere(struct demo *d, const char *auth_token,
                      const char *jwks) {
    mereau_op *pair = run(d, mereau_auth_token_exchange(d->acme, auth_token));
    chapter(d, "7. Take these two to any other JOSE library: an access token "
               "of printer-2\n   (good for five minutes), and the keys to "
               "verify it.");
    printf("\nJWT %s\n\n", mereau_op_text(pair, MEREAU_ACCESS_TOKEN));
    printf("JWKS %s\n\n", jwks);
    puts("In Python:   jwcrypto.jwt.JWT(jwt=..., key="
         "jwcrypto.jwk.JWKSet.from_json(...))\n"
         "In Node:     jose.jwtVerify(jwt, jose.createLocalJWKSet(jwks), "
         "{typ: 'at+jwt'})\n"
         "In C:        make examples && build/examples/verify_only JWKS "
         "\"Bearer JWT\"\n"
         "tests/interop does the first two. Next: README.md, "
         "examples/quickstart.c");
}

static void remove_temporary(const char *dir, const char *file) {
    static const char *const endings[] = {"", "-wal", "-shm"};
    char path[600];
    for (size_t i = 0; i < 3; i++) {
        snprintf(path, sizeof path, "%s%s", file, endings[i]);
        unlink(path);
    }
    rmdir(dir);
}

int main(int argc, char **argv) {
    struct demo d = {0};
    char dir[512] = "", file[530];
    const char *auth[2], *jwks, *token;
    const char *temporary = getenv("TMPDIR");
    d.colour = isatty(STDOUT_FILENO);
    if (argc > 1) {
        snprintf(file, sizeof file, "%s", argv[1]);
    } else {
        snprintf(dir, sizeof dir, "%s/mereau-demo-XXXXXX",
                 temporary != NULL ? temporary : "/tmp");
        if (mkdtemp(dir) == NULL) {
            perror(dir);
            return EXIT_FAILURE;
        }
        snprintf(file, sizeof file, "%s/demo.db", dir);
    }
    open_all(&d, file);
    token = mint(&d);
    enrol(&d, token, auth);
    jwks = mereau_op_text(run(&d, mereau_key_jwks(d.acme)), MEREAU_JWKS);
    steal(&d, use(&d, auth[0], jwks), jwks);
    elsewhere(&d, auth[1], jwks);
    close_all(&d);
    if (dir[0] != '\0')
        remove_temporary(dir, file);
    return EXIT_SUCCESS;
}
