/* tests/vectors/test_keys.c - keys that others published, by way of
 * include/mereau/jwk.h: the cookbook's (RFC 7520 section 3), leaked HMAC secrets,
 * Wycheproof's key sets, and those made to deceive. */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <mereau/verify.h>

#include "vec.h"

static const cJSON *member(const cJSON *object, const char *name) {
    return cJSON_GetObjectItemCaseSensitive(object, name);
}

static mereau_status read_jwk(mereau_jwk **out, const cJSON *jwk, int32_t alg,
                              mereau_error *err) {
    char *text = cJSON_PrintUnformatted(jwk);
    mereau_error_init(err, sizeof *err);
    mereau_status status = mereau_jwk_read(out, text, strlen(text), alg, err);
    free(text);
    return status;
}

/* --- RFC 7520 section 3 --- */

/* 1 when the key is written as it came: all its members with their values. */
static int is_written_as_it_came(const mereau_jwk *key, const cJSON *jwk) {
    mereau_bytes *out = mereau_bytes_new();
    const cJSON *one;
    int same = 1;
    assert_int_equal(mereau_jwk_write(out, key,
                                      mereau_jwk_is_private(key)
                                          ? MEREAU_JWK_PRIVATE
                                          : MEREAU_JWK_PUBLIC,
                                      NULL),
                     MEREAU_OK);
    cJSON *mine = cJSON_Parse(mereau_bytes_text(out));
    cJSON_ArrayForEach(one, jwk) same =
        same && strcmp(vec_text(mine, one->string), one->valuestring) == 0;
    cJSON_Delete(mine);
    mereau_bytes_free(out);
    return same;
}

static void keys_of_the_cookbook_are_read_and_written(void **state) {
    static const struct {
        const char *file;
        int32_t alg; /* given with those that name none */
        int32_t bits;
        int is_private;
    } keys[] = {
        {"3_1.ec_public_key", MEREAU_ALG_ES512, 521, 0},
        {"3_2.ec_private_key", MEREAU_ALG_ES512, 521, 1},
        {"3_4.rsa_private_key", MEREAU_ALG_PS384, 2048, 1},
        {"3_5.symmetric_key_mac_computation", 0, 256, 1},
        {"3_6.symmetric_key_encryption", 0, 256, 1},
    };
    struct vec_count count = {"jose-cookbook/jwk__3_*.json", 0, 0, 0};
    (void)state;
    for (size_t i = 0; i < sizeof keys / sizeof keys[0]; i++) {
        char path[128];
        mereau_error err = MEREAU_ERROR_INIT;
        mereau_jwk *key = NULL;
        snprintf(path, sizeof path, "tests/vectors/jose-cookbook/jwk__%s.json",
                 keys[i].file);
        cJSON *jwk = vec_load(path);
        mereau_status status = read_jwk(&key, jwk, keys[i].alg, &err);
        int right = status == MEREAU_OK &&
                    mereau_jwk_bits(key) == keys[i].bits &&
                    mereau_jwk_is_private(key) == keys[i].is_private &&
                    strcmp(mereau_jwk_kid(key), vec_text(jwk, "kid")) == 0 &&
                    is_written_as_it_came(key, jwk);
        if (status != MEREAU_OK)
            print_error("%s\n", err.text);
        vec_case(&count, keys[i].file, vec_text(jwk, "kty"), right);
        mereau_jwk_free(key);
        cJSON_Delete(jwk);
    }
    vec_end(&count, 5);
}

/* --- leaked secrets --- */

static void every_leaked_secret_is_refused(void **state) {
    struct vec_count count = {"known_leaked_secrets_ge32.json", 0, 0, 0};
    cJSON *root = vec_load(
        "tests/vectors/weak-hmac-secrets/known_leaked_secrets_ge32.json");
    const cJSON *secret;
    (void)state;
    cJSON_ArrayForEach(secret, member(root, "secrets")) {
        mereau_error err = MEREAU_ERROR_INIT;
        mereau_jwk *key = NULL;
        const char *text = secret->valuestring;
        size_t len = strlen(text);
        mereau_status status = mereau_jwk_from_secret(
            &key, (const uint8_t *)text, len, MEREAU_ALG_HS256, &err);
        /* Some are too long, or the text of a key, before they are known. */
        int right = status == MEREAU_E_KEY &&
                    (strcmp(err.rule, "key.leaked") == 0 || len > 1024 ||
                     strcmp(err.rule, "key.kind") == 0) &&
                    strstr(err.text, text) == NULL;
        vec_case(&count, text, err.rule, right);
        mereau_jwk_free(key);
    }
    cJSON_Delete(root);
    vec_end(&count, 1302);
}

static void no_random_secret_is_taken_for_a_leaked_one(void **state) {
    (void)state;
    for (int i = 0; i < 20000; i++) {
        mereau_error err = MEREAU_ERROR_INIT;
        mereau_jwk *key = NULL;
        uint8_t secret[32];
        assert_int_equal(mereau_system_random(secret, sizeof secret, NULL),
                         MEREAU_OK);
        if (mereau_jwk_from_secret(&key, secret, sizeof secret,
                                   MEREAU_ALG_HS256, &err) != MEREAU_OK)
            fail_msg("%s", err.text);
        mereau_jwk_free(key);
    }
}

/* --- sets --- */

/* A row's keys as a set: it is one, or holds one key. */
static char *set_of(const cJSON *keys) {
    cJSON *set;
    if (member(keys, "keys")) {
        set = cJSON_Duplicate(keys, 1);
    } else {
        set = cJSON_CreateObject();
        cJSON_AddItemToArray(cJSON_AddArrayToObject(set, "keys"),
                             cJSON_Duplicate(keys, 1));
    }
    char *text = cJSON_PrintUnformatted(set);
    cJSON_Delete(set);
    return text;
}

/* What is wrong with the keys of a case; those of which only a signature is wrong
 * are read. */
static void wycheproofs_sets_are_read_or_refused(void **state) {
    static const struct {
        int id;
        const char *rule; /* NULL: read */
    } cases[] = {
        {1, "jwks.mixed"}, {2, NULL},           {3, NULL},
        {4, "jwk.k"},      {5, NULL},           {7, "key.modulus"},
        {8, "key.bits"},   {9, "key.exponent"}, {10, "key.bits"},
        {11, "key.bits"},  {12, "key.bits"},    {14, NULL},
        {15, NULL},        {16, "jwk.k"},       {17, "jwk.k"},
        {18, "jwk.k"},     {19, "jwk.alg"},     {20, "jwk.alg"},
        {21, "jwk.use"},   {24, "jwk.kty"},     {25, "jwk.use"},
        {26, "jwk.use"},
    };
    struct vec_count count = {"json_web_key_test.json, sets", 0, 0, 0};
    cJSON *root = vec_load("tests/vectors/wycheproof/json_web_key_test.json");
    const cJSON *group, *test;
    (void)state;
    cJSON_ArrayForEach(group, member(root, "testGroups"))
        cJSON_ArrayForEach(test, member(group, "tests")) {
        mereau_error err = MEREAU_ERROR_INIT;
        mereau_jwks *set = NULL;
        char id[16];
        int tc = member(test, "tcId")->valueint, right = 0;
        const cJSON *keys = member(group, "public");
        char *text = set_of(keys ? keys : member(group, "private"));
        mereau_status status = mereau_jwks_read(&set, text, strlen(text), &err);
        for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++)
            if (cases[i].id == tc)
                right = cases[i].rule ? strcmp(err.rule, cases[i].rule) == 0 &&
                                            status != MEREAU_OK && !set
                                      : status == MEREAU_OK;
        if (!right)
            print_error("%s: %s\n", text, err.text);
        snprintf(id, sizeof id, "%d", tc);
        vec_case(&count, id, vec_text(test, "comment"), right);
        mereau_jwks_free(set);
        free(text);
    }
    cJSON_Delete(root);
    vec_end(&count, 22);
}

static void hostile_keys_are_refused_in_any_set(void **state) {
    struct vec_count count = {"hostile_jwk.json, sets", 0, 0, 0};
    cJSON *root = vec_load("tests/vectors/hostile/hostile_jwk.json");
    const cJSON *row;
    (void)state;
    cJSON_ArrayForEach(row, member(root, "rows")) {
        mereau_error err = MEREAU_ERROR_INIT;
        const char *expect = vec_text(row, "expect"), *raw;
        const char *name = vec_text(row, "name");
        mereau_jwks *set = NULL;
        char *text;
        if (cJSON_IsString(member(row, "text"))) {
            raw = vec_text(row, "text");
            text = malloc(strlen(raw) + 1);
            text[vec_latin1(text, 0, raw)] = '\0';
        } else {
            text = set_of(member(row, "jwk"));
        }
        mereau_status status = mereau_jwks_read(&set, text, strlen(text), &err);
        int right = 1;
        if (strcmp(expect, "reject") == 0)
            right = status != MEREAU_OK && err.rule[0] != '\0';
        else if (strcmp(expect, "accept") == 0 &&
                 (strcmp(err.rule, "key.eddsa") == 0 ||
                  strstr(name, "caller pins"))) {
            count.unsupported++;
            mereau_jwks_free(set);
            free(text);
            continue;
        } else if (strcmp(expect, "accept") == 0)
            right = status == MEREAU_OK;
        if (!right)
            print_error("%s: %s\n", text, err.text);
        vec_case(&count, vec_text(row, "id"), name, right);
        mereau_jwks_free(set);
        free(text);
    }
    cJSON_Delete(root);
    vec_end(&count, 55);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(keys_of_the_cookbook_are_read_and_written),
        cmocka_unit_test(every_leaked_secret_is_refused),
        cmocka_unit_test(no_random_secret_is_taken_for_a_leaked_one),
        cmocka_unit_test(wycheproofs_sets_are_read_or_refused),
        cmocka_unit_test(hostile_keys_are_refused_in_any_set),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
