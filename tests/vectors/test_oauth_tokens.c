/* tests/vectors/test_oauth_tokens.c - DPoP proofs made to deceive, and the worked
 * examples of RFC 9449 and of OpenID Connect. */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include <stdlib.h>
#include <string.h>

#include <mereau/verify.h>

#include "vec.h"

static mereau_verifier *proof_verifier(void) {
    mereau_error err = MEREAU_ERROR_INIT;
    mereau_verifier *v =
        mereau_verifier_new_for(MEREAU_PROFILE_DPOP, NULL, NULL);
    mereau_verifier_add_alg(v, MEREAU_ALG_ES256);
    if (mereau_verifier_ready(v, &err) != MEREAU_OK)
        fail_msg("%s", err.text);
    return v;
}

static mereau_expect *expect_request(const char *method, const char *uri,
                                     const char *access_token,
                                     const char *jkt) {
    mereau_expect *e = mereau_expect_new();
    mereau_expect_set(e, MEREAU_EXPECT_METHOD, method);
    mereau_expect_set(e, MEREAU_EXPECT_URI, uri);
    if (access_token)
        mereau_expect_set(e, MEREAU_EXPECT_ACCESS_TOKEN, access_token);
    if (jkt)
        mereau_expect_set(e, MEREAU_EXPECT_JKT, jkt);
    return e;
}

static void hostile_proofs_are_answered_as_required(void **state) {
    struct vec_count count = {"hostile_dpop.json", 0, 0, 0};
    cJSON *root = vec_load("tests/vectors/hostile/hostile_dpop.json");
    const cJSON *row;
    const char *jkt = vec_text(root, "jkt");
    int64_t now_at =
        (int64_t)cJSON_GetObjectItemCaseSensitive(root, "now")->valuedouble;
    mereau_verifier *v = proof_verifier();
    mereau_claims *claims = mereau_claims_new();
    mereau_expect *rs = expect_request("GET", "https://rs.example/r",
                                       vec_text(root, "access_token"), jkt);
    mereau_expect *as =
        expect_request("POST", "https://as.example/token", NULL, NULL);
    (void)state;
    cJSON_ArrayForEach(row, cJSON_GetObjectItemCaseSensitive(root, "rows")) {
        mereau_error err = MEREAU_ERROR_INIT;
        const char *proof = vec_text(row, "proof");
        int at_rs = strcmp(vec_text(row, "ctx"), "rs") == 0;
        int good = strcmp(vec_text(row, "expect"), "accept") == 0;
        mereau_status status = mereau_jwt_verify_expecting(
            v, claims, proof, strlen(proof), at_rs ? rs : as, now_at, &err);
        int right = (status == MEREAU_OK) == good;
        if (status != MEREAU_OK && err.rule[0] == '\0')
            right = 0; /* every refusal has a name */
        if (status == MEREAU_OK)
            right &= strcmp(mereau_claims_thumbprint(claims), jkt) == 0;
        if (!right)
            print_error("%s\n", err.text);
        vec_case(&count, vec_text(row, "id"), vec_text(row, "name"), right);
    }
    mereau_expect_free(rs);
    mereau_expect_free(as);
    mereau_claims_free(claims);
    mereau_verifier_free(v);
    cJSON_Delete(root);
    vec_end(&count, 30);
}

/* --- RFC 9449 --- */

#define RFC_HEADER                                                             \
    "eyJ0eXAiOiJkcG9wK2p3dCIsImFsZyI6IkVTMjU2IiwiandrIjp7Imt0eSI6IkVDIiwieCI"  \
    "6Imw4dEZyaHgtMzR0VjNoUklDUkRZOXpDa0RscEJoRjQyVVFVZldWQVdCRnMiLCJ5IjoiOV"  \
    "ZFNGpmX09rX282NHpiVFRsY3VOSmFqSG10NnY5VERWclUwQ2R2R1JEQSIsImNydiI6IlAtM"  \
    "jU2In19."
#define RFC_JKT "0ZcOCORZNYy-DWpqq30jZyJGHTN0d2HglBV3uiguA4I"
#define RFC_TOKEN "Kz~8mXK1EalYznwH-LC-1fBAo.4Ljp~zsPE_NeO.gxU"

/* Section 4.1: at the token endpoint. Section 7.1: at a resource. */
static const char at_token_endpoint[] = RFC_HEADER
    "eyJqdGkiOiItQndDM0VTYzZhY2MybFRjIiwiaHRtIjoiUE9TVCIsImh0dSI6Imh0dHBzOi8v"
    "c2VydmVyLmV4YW1wbGUuY29tL3Rva2VuIiwiaWF0IjoxNTYyMjYyNjE2fQ.2-GxA6T8lP4vf"
    "rg8v-FdWP0A0zdrj8igiMLvqRMUvwnQg4PtFLbdLXiOSsX0x7NVY-FNyJK70nfbV37xRZT3L"
    "g";
static const char at_resource[] = RFC_HEADER
    "eyJqdGkiOiJlMWozVl9iS2ljOC1MQUVCIiwiaHRtIjoiR0VUIiwiaHR1IjoiaHR0cHM6Ly9y"
    "ZXNvdXJjZS5leGFtcGxlLm9yZy9wcm90ZWN0ZWRyZXNvdXJjZSIsImlhdCI6MTU2MjI2MjYx"
    "OCwiYXRoIjoiZlVIeU8ycjJaM0RaNTNFc05yV0JiMHhXWG9hTnk1OUlpS0NBcWtzbVFFbyJ9"
    ".2oW9RP35yRqzhrtNP86L-Ey71EOptxRimPPToA1plemAgR6pxHF8y6-yqyVnmcw6Fy1dqd-"
    "jfxSYoMxhAJpLjA";

static void rfc_proof(const char *proof, mereau_expect *e, int64_t iat_at) {
    static const struct {
        int64_t after_s;
        mereau_status status;
    } times[] = {{-61, MEREAU_E_NOT_YET},
                 {-60, MEREAU_OK},
                 {0, MEREAU_OK},
                 {60, MEREAU_OK},
                 {61, MEREAU_E_EXPIRED}};
    mereau_verifier *v = proof_verifier();
    mereau_claims *claims = mereau_claims_new();
    for (size_t i = 0; i < sizeof times / sizeof times[0]; i++) {
        mereau_error err = MEREAU_ERROR_INIT;
        mereau_status status =
            mereau_jwt_verify_expecting(v, claims, proof, strlen(proof), e,
                                        iat_at + times[i].after_s, &err);
        if (status != times[i].status)
            fail_msg("%s", err.text);
        assert_string_equal(mereau_claims_thumbprint(claims),
                            status == MEREAU_OK ? RFC_JKT : "");
    }
    mereau_claims_free(claims);
    mereau_verifier_free(v);
    mereau_expect_free(e);
}

static void the_proofs_of_rfc_9449_are_right_for_a_minute(void **state) {
    (void)state;
    rfc_proof(at_token_endpoint,
              expect_request("POST", "https://server.example.com/token", NULL,
                             RFC_JKT),
              1562262616);
    rfc_proof(at_resource,
              expect_request("GET",
                             "https://resource.example.org/protectedresource",
                             RFC_TOKEN, RFC_JKT),
              1562262618);
}

/* --- OpenID Connect Core, appendix A --- */

/* The examples of RFC 9126 show the whole key pair: its public half serves. */
static mereau_verifier *verifier_of(int32_t profile, const char *issuer,
                                    const char *audience, const cJSON *row) {
    mereau_error err = MEREAU_ERROR_INIT;
    char *jwk =
        cJSON_PrintUnformatted(cJSON_GetObjectItemCaseSensitive(row, "key"));
    mereau_verifier *v = mereau_verifier_new_for(profile, issuer, audience);
    mereau_jwk *key = NULL;
    if (mereau_jwk_read(&key, jwk, strlen(jwk), MEREAU_ALG_RS256, &err) !=
        MEREAU_OK)
        fail_msg("%s", err.text);
    mereau_verifier_add_jwk(v, key);
    if (profile == MEREAU_PROFILE_JWT)
        mereau_verifier_accept_any_type(v);
    if (mereau_verifier_ready(v, &err) != MEREAU_OK)
        fail_msg("%s", err.text);
    mereau_jwk_free(key);
    free(jwk);
    return v;
}

static int64_t number_of(const cJSON *row, const char *name) {
    return (int64_t)cJSON_GetObjectItemCaseSensitive(row, name)->valuedouble;
}

/* Expects what the example says, then the same with one letter more. */
static int id_token_is_right(const cJSON *row) {
    static const struct {
        int32_t what;
        const char *name;
    } expected[] = {{MEREAU_EXPECT_ACCESS_TOKEN, "access_token"},
                    {MEREAU_EXPECT_CODE, "code"}};
    const char *token = vec_text(row, "id_token");
    int64_t valid_at = number_of(row, "valid_at");
    int64_t expired_at = number_of(row, "expired_at");
    mereau_error err = MEREAU_ERROR_INIT;
    mereau_verifier *v =
        verifier_of(MEREAU_PROFILE_ID_TOKEN, vec_text(row, "issuer"),
                    vec_text(row, "client_id"), row);
    mereau_expect *e = mereau_expect_new();
    int right = 1;
    mereau_expect_set(e, MEREAU_EXPECT_NONCE, vec_text(row, "nonce"));
    for (size_t i = 0; i < 2; i++)
        if (vec_text(row, expected[i].name)[0] != '\0')
            mereau_expect_set(e, expected[i].what,
                              vec_text(row, expected[i].name));
    right &= mereau_jwt_verify_expecting(v, NULL, token, strlen(token), e,
                                         valid_at, &err) == MEREAU_OK;
    if (!right)
        print_error("%s\n", err.text);
    right &= mereau_jwt_verify_expecting(v, NULL, token, strlen(token), e,
                                         expired_at, &err) == MEREAU_E_EXPIRED;
    for (size_t i = 0; i < 2; i++) {
        mereau_expect *other = mereau_expect_new();
        mereau_expect_set(other, expected[i].what, "another");
        right &=
            mereau_jwt_verify_expecting(v, NULL, token, strlen(token), other,
                                        valid_at, &err) == MEREAU_E_CLAIM;
        mereau_expect_free(other);
    }
    mereau_expect_free(e);
    mereau_verifier_free(v);
    return right;
}

/* A request object: a JWT without typ, for the authorization server. */
static int request_object_is_right(const cJSON *row) {
    const cJSON *claims = cJSON_GetObjectItemCaseSensitive(row, "claims");
    const char *token = vec_text(row, "token");
    mereau_error err = MEREAU_ERROR_INIT;
    mereau_verifier *v =
        verifier_of(MEREAU_PROFILE_JWT, vec_text(claims, "iss"),
                    vec_text(claims, "aud"), row);
    mereau_claims *said = mereau_claims_new();
    int64_t exp_at = number_of(claims, "exp");
    mereau_status status =
        mereau_jwt_verify(v, said, token, strlen(token), exp_at - 1, &err);
    int right = status == MEREAU_OK && strcmp(mereau_claims_text(said, "iss"),
                                              vec_text(claims, "iss")) == 0;
    if (!right)
        print_error("%s\n", err.text);
    right &= mereau_jwt_verify(v, said, token, strlen(token), exp_at, &err) ==
             MEREAU_E_EXPIRED;
    mereau_claims_free(said);
    mereau_verifier_free(v);
    return right;
}

static void worked_examples_come_out_as_written(void **state) {
    struct vec_count count = {"rfc_oauth_semantic.json", 0, 0, 0};
    cJSON *root = vec_load("tests/vectors/rfc-oauth/rfc_oauth_semantic.json");
    const cJSON *row;
    (void)state;
    cJSON_ArrayForEach(row, cJSON_GetObjectItemCaseSensitive(root, "vectors")) {
        const char *kind = vec_text(row, "kind"), *id = vec_text(row, "id");
        if (strcmp(kind, "id-token") == 0)
            vec_case(&count, id, kind, id_token_is_right(row));
        else if (strcmp(kind, "request-object") == 0)
            vec_case(&count, id, kind, request_object_is_right(row));
        else
            count.unsupported++; /* the folder's README says why */
    }
    cJSON_Delete(root);
    vec_end(&count, 6);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(hostile_proofs_are_answered_as_required),
        cmocka_unit_test(the_proofs_of_rfc_9449_are_right_for_a_minute),
        cmocka_unit_test(worked_examples_come_out_as_written),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
