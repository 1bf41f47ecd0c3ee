/* tests/vectors/test_hostile.c - tokens and keys made to deceive a verifier. */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include <stdlib.h>
#include <string.h>

#include <mereau/mereau.h>

#include "vec.h"

static const struct {
    const char *name;
    int32_t alg;
} algs[] = {{"RS256", MEREAU_ALG_RS256},
            {"ES256", MEREAU_ALG_ES256},
            {"HS256", MEREAU_ALG_HS256},
            {"EdDSA", MEREAU_ALG_EDDSA},
            {"Ed25519", MEREAU_ALG_EDDSA}};

static int32_t alg_of(const char *name) {
    for (size_t i = 0; i < sizeof algs / sizeof algs[0]; i++)
        if (strcmp(algs[i].name, name) == 0)
            return algs[i].alg;
    fail_msg("the corpus names an algorithm that this test does not: %s", name);
    return 0;
}

/* The verifier of one context of the corpus; NULL when this build cannot have it,
 * which must then be said by name. */
static mereau_verifier *verifier_of(const cJSON *root, const cJSON *context) {
    mereau_error err = MEREAU_ERROR_INIT;
    mereau_verifier *v = mereau_verifier_new(vec_text(root, "issuer"),
                                             vec_text(root, "audience"));
    const cJSON *alg;
    cJSON *set = cJSON_CreateObject();
    cJSON_AddItemToObject(
        set, "keys",
        cJSON_Duplicate(cJSON_GetObjectItemCaseSensitive(context, "keys"), 1));
    char *jwks = cJSON_PrintUnformatted(set);
    mereau_verifier_set_jwks(v, jwks, strlen(jwks));
    free(jwks);
    cJSON_Delete(set);
    cJSON_ArrayForEach(alg, cJSON_GetObjectItemCaseSensitive(context, "algs"))
        mereau_verifier_add_alg(v, alg_of(alg->valuestring));
    mereau_status status = mereau_verifier_ready(v, &err);
    if (status == MEREAU_OK)
        return v;
    mereau_verifier_free(v);
    /* No mbedTLS has EdDSA; keys with e = 3 are refused, which the corpus leaves
     * to us. */
    if (status == MEREAU_E_ALG)
        assert_string_equal(err.rule, "key.eddsa");
    else
        assert_string_equal(err.rule, "key.exponent");
    return NULL;
}

static char *token_of(const cJSON *row, size_t *len) {
    const cJSON *rle = cJSON_GetObjectItemCaseSensitive(row, "token_rle");
    const char *plain = vec_text(row, "token");
    size_t size = strlen(plain) + 1, at = 0;
    const cJSON *run;
    cJSON_ArrayForEach(run, rle) size +=
        strlen(cJSON_GetArrayItem(run, 0)->valuestring) *
        (size_t)cJSON_GetArrayItem(run, 1)->valueint;
    char *out = malloc(size);
    assert_non_null(out);
    at = vec_latin1(out, at, plain);
    cJSON_ArrayForEach(
        run, rle) for (int i = 0; i < cJSON_GetArrayItem(run, 1)->valueint; i++)
        at = vec_latin1(out, at, cJSON_GetArrayItem(run, 0)->valuestring);
    *len = at;
    return out;
}

static void one_token(struct vec_count *count, const cJSON *row,
                      const mereau_verifier *v, mereau_claims *claims,
                      int64_t now_at) {
    mereau_error err = MEREAU_ERROR_INIT;
    const char *expect = vec_text(row, "expect");
    size_t len = 0;
    char *token = token_of(row, &len);
    mereau_status status =
        mereau_jwt_verify(v, claims, token, len, now_at, &err);
    int right = 1;
    if (strcmp(expect, "accept") == 0)
        right = status == MEREAU_OK;
    else if (strcmp(expect, "reject") == 0)
        right = status != MEREAU_OK;
    if (status != MEREAU_OK && err.rule[0] == '\0')
        right = 0; /* every refusal has a name */
    if (!right)
        print_error("%s\n", err.text);
    vec_case(count, vec_text(row, "id"), vec_text(row, "name"), right);
    free(token);
}

static void hostile_tokens_are_answered_as_required(void **state) {
    struct vec_count count = {"hostile_jwt.json", 0, 0, 0};
    cJSON *root = vec_load("tests/vectors/hostile/hostile_jwt.json");
    const cJSON *context, *row,
        *contexts = cJSON_GetObjectItemCaseSensitive(root, "contexts");
    int64_t now_at =
        (int64_t)cJSON_GetObjectItemCaseSensitive(root, "now")->valuedouble;
    mereau_claims *claims = mereau_claims_new();
    (void)state;
    cJSON_ArrayForEach(context, contexts) {
        mereau_verifier *v = verifier_of(root, context);
        cJSON_ArrayForEach(row,
                           cJSON_GetObjectItemCaseSensitive(root, "rows")) {
            if (strcmp(vec_text(row, "ctx"), context->string) != 0)
                continue;
            if (v)
                one_token(&count, row, v, claims, now_at);
            else
                count.unsupported++;
        }
        mereau_verifier_free(v);
    }
    mereau_claims_free(claims);
    cJSON_Delete(root);
    vec_end(&count, 380);
}

/* Reads a row as a key set, or as a single key. */
static mereau_status read_keys(const cJSON *row, mereau_error *err) {
    const cJSON *jwk = cJSON_GetObjectItemCaseSensitive(row, "jwk");
    mereau_verifier *v = mereau_verifier_new("https://as.example", "rs");
    char *text, *set;
    if (cJSON_IsString(cJSON_GetObjectItemCaseSensitive(row, "text"))) {
        const char *raw = vec_text(row, "text");
        text = malloc(strlen(raw) + 1);
        text[vec_latin1(text, 0, raw)] = '\0';
    } else {
        text = cJSON_PrintUnformatted(jwk);
    }
    /* A row without keys, or named so, is about sets. */
    if (strncmp(vec_text(row, "name"), "JWKS", 4) == 0) {
        mereau_verifier_set_jwks(v, text, strlen(text));
    } else {
        set = malloc(strlen(text) + 16);
        strcpy(set, "{\"keys\":[");
        strcat(set, text);
        strcat(set, "]}");
        mereau_verifier_set_jwks(v, set, strlen(set));
        free(set);
    }
    if (strstr(vec_text(row, "name"), "caller pins ES256"))
        mereau_verifier_add_alg(v, MEREAU_ALG_ES256);
    mereau_status status = mereau_verifier_ready(v, err);
    mereau_verifier_free(v);
    free(text);
    return status;
}

static void hostile_keys_are_answered_as_required(void **state) {
    struct vec_count count = {"hostile_jwk.json", 0, 0, 0};
    cJSON *root = vec_load("tests/vectors/hostile/hostile_jwk.json");
    const cJSON *row;
    (void)state;
    cJSON_ArrayForEach(row, cJSON_GetObjectItemCaseSensitive(root, "rows")) {
        mereau_error err = MEREAU_ERROR_INIT;
        const char *expect = vec_text(row, "expect");
        mereau_status status = read_keys(row, &err);
        int right = 1;
        if (strcmp(err.rule, "key.eddsa") == 0 &&
            strcmp(expect, "accept") == 0) {
            count.unsupported++;
            continue;
        }
        if (strcmp(expect, "accept") == 0)
            right = status == MEREAU_OK;
        else if (strcmp(expect, "reject") == 0)
            right = status != MEREAU_OK;
        if (!right)
            print_error("%s\n", err.text);
        vec_case(&count, vec_text(row, "id"), vec_text(row, "name"), right);
    }
    cJSON_Delete(root);
    vec_end(&count, 50);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(hostile_tokens_are_answered_as_required),
        cmocka_unit_test(hostile_keys_are_answered_as_required),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
