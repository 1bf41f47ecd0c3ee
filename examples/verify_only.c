/* verify_only.c - a server that accepts bearer JWTs of one trusted issuer.
 * No context, no store, no clock callback: the time is an argument. Builds with
 * mereau-verify alone.
 *
 *     verify_only JWKS "Bearer JWT"    as `make demo` prints them */
#include <stdio.h>
#include <string.h>
#include <time.h>

#include <mereau/verify.h>

/* [trust] */
/* Once, at start: jwks is what the server fetched from the issuer. */
static mereau_verifier *trust(const char *jwks, size_t jwks_len) {
    mereau_error err = MEREAU_ERROR_INIT;
    mereau_verifier *issuer = mereau_verifier_new("https://id.acme.example",
                                                  "https://print.acme.example");
    mereau_verifier_set_jwks(issuer, jwks, jwks_len);
    if (mereau_verifier_ready(issuer, &err) == MEREAU_OK)
        return issuer;
    fprintf(stderr, "%s\n", err.text);
    mereau_verifier_free(issuer);
    return NULL;
}

/* Per request, from any thread: 200, or the status to answer with. */
static int32_t admit(const mereau_verifier *issuer, mereau_claims *claims,
                     const char *authorization) {
    mereau_error err = MEREAU_ERROR_INIT;
    if (mereau_jwt_verify_bearer(issuer, claims, authorization,
                                 strlen(authorization), time(NULL),
                                 &err) == MEREAU_OK)
        return mereau_claims_has_scope(claims, "print") ? 200 : 403;
    fprintf(stderr, "%s\n", err.text); /* for the log, never for the caller */
    return mereau_status_http(err.status);
}
/* [/trust] */

int main(int argc, char **argv) {
    if (argc != 3) {
        fputs("usage: verify_only JWKS \"Bearer JWT\"\n", stderr);
        return 2;
    }
    mereau_verifier *issuer = trust(argv[1], strlen(argv[1]));
    mereau_claims *claims = mereau_claims_new(); /* one per thread, reused */
    int32_t http = issuer == NULL ? 500 : admit(issuer, claims, argv[2]);
    if (http == 200)
        printf("hello, %s\n", mereau_claims_text(claims, "sub"));
    else
        printf("HTTP %d\n", (int)http);
    mereau_claims_free(claims);
    mereau_verifier_free(issuer);
    return http == 200 ? 0 : 1;
}
