/* tokens.c - all of the verifying half: keys, and tokens that are made and checked
 * with them. Builds with mereau-verify alone; no context, no store, no clock.
 *
 * An identity provider signs an ID token, a phone proves its key with DPoP, a
 * payroll server gets a token that nobody on the way can read.
 *
 *     tokens */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include <mereau/verify.h>

static const char provider[] = "https://id.example";
static const char client_id[] = "payroll-app";
static const char nonce[] = "n-0S6_WzA2Mj"; /* sent with this login */

static mereau_error err = MEREAU_ERROR_INIT;

/* What must go well here; a server answers mereau_status_http() instead. */
static void must(mereau_status status) {
    if (status == MEREAU_OK)
        return;
    fprintf(stderr, "%s\n", err.text);
    exit(1);
}

static void tell(const char *what, mereau_status status) {
    if (status == MEREAU_OK)
        printf("%s: good\n", what);
    else
        printf("%s: %s, wanted %s, found %s\n", what, err.rule, err.wanted,
               err.found);
}

/* A key as most have it, PEM from a file. PEM does not say what a key is for, so
 * the algorithm is given. Its name (kid) is its thumbprint. */
static mereau_jwk *key_from_pem(const char *pem) {
    mereau_jwk *key = NULL;
    must(mereau_jwk_read_encoded(&key, (const uint8_t *)pem, strlen(pem),
                                 MEREAU_ALG_ES256, &err));
    return key;
}

/* Claims are a JSON object, built or written by hand. */
static void sign_id_token(mereau_bytes *out, const mereau_jwk *key,
                          int64_t now_at) {
    mereau_json *doc = mereau_json_new();
    mereau_bytes *claims = mereau_bytes_new();
    mereau_json_set_text(doc, "iss", provider);
    mereau_json_set_text(doc, "sub", "alice");
    mereau_json_set_text(doc, "aud", client_id);
    mereau_json_set_text(doc, "nonce", nonce);
    mereau_json_set_int(doc, "iat", now_at);
    mereau_json_set_int(doc, "exp", now_at + 300);
    must(mereau_json_print(claims, doc, &err));
    const char *text = mereau_bytes_text(claims);
    must(mereau_jwt_sign(out, key, "JWT", text, strlen(text), NULL, &err));
    mereau_bytes_free(claims);
    mereau_json_free(doc);
}

/* Several issuers are trusted, each with rules of its own; iss picks. */
/* [issuers] */
static mereau_issuers *trust(const char *jwks) {
    mereau_issuers *trusted = mereau_issuers_new();
    mereau_verifier *v =
        mereau_verifier_new_for(MEREAU_PROFILE_ID_TOKEN, provider, client_id);
    mereau_verifier_set_jwks(v, jwks, strlen(jwks));
    mereau_verifier_set_max_lifetime_s(v, 600);
    mereau_verifier_set_cache_bytes(v, 1 << 20); /* about 500 tokens */
    must(mereau_verifier_ready(v, &err));
    must(mereau_issuers_add(trusted, v, &err));
    mereau_verifier_free(v); /* the set holds it */
    return trusted;
}
/* [/issuers] */

/* What this login expects; then the same token in a login of somebody else. */
static void check_login(const mereau_issuers *trusted, const char *token,
                        int64_t now_at) {
    mereau_claims *claims = mereau_claims_new();
    mereau_expect *expect = mereau_expect_new();
    mereau_expect_set(expect, MEREAU_EXPECT_NONCE, nonce);
    tell("ID token",
         mereau_issuers_verify_expecting(trusted, claims, token, strlen(token),
                                         expect, now_at, &err));
    printf("  it is %s\n", mereau_claims_text(claims, "sub"));
    tell("ID token, seen before",
         mereau_issuers_verify_expecting(trusted, claims, token, strlen(token),
                                         expect, now_at, &err));
    printf("  found in the cache: %" PRIu64 "\n",
           mereau_verifier_cache_count(mereau_issuers_find(trusted, provider),
                                       MEREAU_CACHE_HITS));
    mereau_expect_reset(expect);
    mereau_expect_set(expect, MEREAU_EXPECT_NONCE, "of-another-login");
    tell("ID token, replayed",
         mereau_issuers_verify_expecting(trusted, claims, token, strlen(token),
                                         expect, now_at, &err));
    mereau_expect_free(expect);
    mereau_claims_free(claims);
}

/* The phone: a proof for one request, with its public key in the header. */
static void prove(mereau_bytes *out, const mereau_jwk *phone, int64_t now_at) {
    mereau_bytes *jwk = mereau_bytes_new();
    char header[512], payload[256];
    must(mereau_jwk_write(jwk, phone, MEREAU_JWK_PUBLIC, &err));
    snprintf(header, sizeof header, "{\"typ\":\"dpop+jwt\",\"jwk\":%s}",
             mereau_bytes_text(jwk));
    snprintf(payload, sizeof payload,
             "{\"jti\":\"9f2c\",\"htm\":\"POST\",\"iat\":%" PRId64
             ",\"htu\":\"https://api.example/pay\"}",
             now_at);
    must(mereau_jws_sign(out, phone, header, (const uint8_t *)payload,
                         strlen(payload), 0, NULL, &err));
    mereau_bytes_free(jwk);
}

/* The server: good for this method and URI, and for no other. What it proved is
 * the key; and a server remembers the jti, as each proof counts once. */
/* [dpop] */
static void check_proof(const char *proof, int64_t now_at) {
    mereau_verifier *dpop =
        mereau_verifier_new_for(MEREAU_PROFILE_DPOP, NULL, NULL);
    mereau_claims *claims = mereau_claims_new();
    mereau_expect *expect = mereau_expect_new();
    must(mereau_verifier_ready(dpop, &err));
    mereau_expect_set(expect, MEREAU_EXPECT_METHOD, "POST");
    mereau_expect_set(expect, MEREAU_EXPECT_URI, "https://api.example/pay");
    tell("DPoP proof",
         mereau_jwt_verify_expecting(dpop, claims, proof, strlen(proof), expect,
                                     now_at, &err));
    printf("  a token for it has cnf.jkt %.8s...\n",
           mereau_claims_thumbprint(claims));
    mereau_expect_set(expect, MEREAU_EXPECT_METHOD, "DELETE");
    tell("DPoP proof of another request",
         mereau_jwt_verify_expecting(dpop, claims, proof, strlen(proof), expect,
                                     now_at, &err));
    mereau_expect_free(expect);
    mereau_claims_free(claims);
    mereau_verifier_free(dpop);
}
/* [/dpop] */

/* Signed by one, encrypted to another. */
static void send_payslip(const mereau_jwk *key, int64_t now_at) {
    mereau_jwk *payroll = NULL, *to = NULL;
    mereau_bytes *token = mereau_bytes_new();
    mereau_claims *claims = mereau_claims_new();
    char slip[256];
    must(mereau_jwk_generate(&payroll, MEREAU_ALG_ECDH_ES_A256KW, 0, NULL,
                             &err));
    must(mereau_jwk_public(&to, payroll, &err)); /* what the sender has */
    snprintf(slip, sizeof slip,
             "{\"iss\":\"%s\",\"aud\":\"payroll\",\"exp\":%" PRId64
             ",\"net\":2714}",
             provider, now_at + 60);
    must(mereau_jwt_sign_encrypted(token, key, to, MEREAU_ENC_A256GCM, "JWT",
                                   slip, strlen(slip), NULL, &err));

    mereau_verifier *v =
        mereau_verifier_new_for(MEREAU_PROFILE_JWT, provider, "payroll");
    mereau_verifier_add_jwk(v, key); /* its public half */
    mereau_verifier_add_decryption_key(v, payroll);
    must(mereau_verifier_ready(v, &err));
    const char *text = mereau_bytes_text(token);
    tell("encrypted token",
         mereau_jwt_verify(v, claims, text, strlen(text), now_at, &err));
    printf("  net %" PRId64 "\n", mereau_claims_int(claims, "net"));
    must(mereau_jwt_sign(token, key, "JWT", slip, strlen(slip), NULL, &err));
    text = mereau_bytes_text(token);
    tell("the same, only signed",
         mereau_jwt_verify(v, claims, text, strlen(text), now_at, &err));

    mereau_verifier_free(v);
    mereau_claims_free(claims);
    mereau_bytes_free(token);
    mereau_jwk_free(to);
    mereau_jwk_free(payroll);
}

int main(void) {
    int64_t now_at = (int64_t)time(NULL);
    mereau_bytes *text = mereau_bytes_new(), *token = mereau_bytes_new();
    mereau_jwk *made = NULL, *phone = NULL;
    mereau_jwks *published = mereau_jwks_new();

    must(mereau_jwk_generate(&made, MEREAU_ALG_ES256, 0, NULL, &err));
    must(mereau_jwk_write(text, made, MEREAU_PEM_PRIVATE, &err));
    mereau_jwk *key = key_from_pem(mereau_bytes_text(text));
    must(mereau_jwks_add(published, key, &err));
    must(mereau_jwks_write(text, published, MEREAU_JWK_PUBLIC, &err));
    printf("key %.8s... is published\n", mereau_jwk_kid(key));

    mereau_issuers *trusted = trust(mereau_bytes_text(text));
    sign_id_token(token, key, now_at);
    check_login(trusted, mereau_bytes_text(token), now_at);

    must(mereau_jwk_generate(&phone, MEREAU_ALG_ES256, 0, NULL, &err));
    prove(token, phone, now_at);
    check_proof(mereau_bytes_text(token), now_at);

    send_payslip(key, now_at);

    mereau_issuers_free(trusted);
    mereau_jwks_free(published);
    mereau_jwk_free(phone);
    mereau_jwk_free(key);
    mereau_jwk_free(made);
    mereau_bytes_free(token);
    mereau_bytes_free(text);
    return 0;
}
