/* tests/vectors/test_wycheproof_jose.c - Wycheproof's JWS and JWK cases. Their
 * payloads are arbitrary octets, so they run on the layer below tokens. */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <mereau/jws.h>

#include "jose/keyset.h"
#include "vec.h"

/* Verifies jws with the keys of a group: a JWK Set, or one JWK as a set of its
 * own. alg: for a key that names none. */
static mereau_status verify(const cJSON *keys, const char *jws, int32_t alg,
                            mereau_error *err) {
    cJSON *set = NULL;
    struct mru_algs algs = {{0}, 0};
    struct mru_keyset *keyset = NULL;
    struct mru_buf header = {0}, payload = {0};
    struct mru_jws read;
    const mru_key *key = NULL;
    if (cJSON_GetObjectItemCaseSensitive(keys, "keys")) {
        set = cJSON_Duplicate(keys, 1);
    } else {
        set = cJSON_CreateObject();
        cJSON_AddItemToArray(cJSON_AddArrayToObject(set, "keys"),
                             cJSON_Duplicate(keys, 1));
    }
    char *text = cJSON_PrintUnformatted(set);
    if (alg != 0) {
        algs.alg[0] = alg;
        algs.n = 1;
    }
    mereau_status status =
        mru_keyset_read(&keyset, text, strlen(text), &algs, err);
    if (status == MEREAU_OK)
        status = mru_jws_read(&read, &header, jws, strlen(jws), err);
    if (status == MEREAU_OK)
        status = mru_keyset_find(&key, keyset, NULL, &read, err);
    if (status == MEREAU_OK)
        status = mru_jws_verify(&read, key, err);
    if (status == MEREAU_OK)
        status = mru_jws_payload(&read, &payload, err);
    mru_buf_free(&payload);
    mru_buf_free(&header);
    mru_keyset_free(keyset);
    free(text);
    cJSON_Delete(set);
    return status;
}

/* The keys to verify with: the public ones, or the secret of an HMAC group. */
static const cJSON *keys_of(const cJSON *group) {
    const cJSON *keys = cJSON_GetObjectItemCaseSensitive(group, "public");
    return keys ? keys : cJSON_GetObjectItemCaseSensitive(group, "private");
}

/* Through the public call: all keys of the group that can be used. */
static mereau_status verify_public(const cJSON *keys, const char *jws,
                                   mereau_error *err) {
    mereau_bytes *payload = mereau_bytes_new();
    mereau_jwks *set = NULL;
    cJSON *list = cJSON_CreateObject();
    cJSON_AddItemToArray(cJSON_AddArrayToObject(list, "keys"),
                         cJSON_Duplicate(keys, 1));
    char *text = cJSON_PrintUnformatted(
        cJSON_GetObjectItemCaseSensitive(keys, "keys") ? keys : list);
    mereau_status status = mereau_jwks_read(&set, text, strlen(text), err);
    if (status == MEREAU_OK)
        status = mereau_jws_verify(payload, NULL, set, jws, strlen(jws), NULL,
                                   0, 0, err);
    free(text);
    cJSON_Delete(list);
    mereau_jwks_free(set);
    mereau_bytes_free(payload);
    return status;
}

static void run_file(const char *name, int least, int accepted) {
    struct vec_count count = {name, 0, 0, 0};
    char path[128], id[16];
    int valid = 0;
    snprintf(path, sizeof path, "tests/vectors/wycheproof/%s", name);
    cJSON *root = vec_load(path);
    const cJSON *group, *test;
    cJSON_ArrayForEach(group,
                       cJSON_GetObjectItemCaseSensitive(root, "testGroups"))
        cJSON_ArrayForEach(test,
                           cJSON_GetObjectItemCaseSensitive(group, "tests")) {
        mereau_error err = MEREAU_ERROR_INIT;
        const char *wanted = vec_text(test, "strictResult");
        mereau_status status =
            verify(keys_of(group), vec_text(test, "jws"), 0, &err);
        int right = strcmp(wanted, "either") == 0 ||
                    (strcmp(wanted, "valid") == 0) == (status == MEREAU_OK);
        /* And the public call says the same, with a reason. */
        mereau_error why = MEREAU_ERROR_INIT;
        mereau_status again =
            verify_public(keys_of(group), vec_text(test, "jws"), &why);
        if ((again == MEREAU_OK) != (status == MEREAU_OK) ||
            (again != MEREAU_OK && why.rule[0] == '\0'))
            right = 0;
        valid += status == MEREAU_OK;
        snprintf(id, sizeof id, "%d",
                 cJSON_GetObjectItemCaseSensitive(test, "tcId")->valueint);
        if (!right)
            print_error("%s\n", err.text);
        vec_case(&count, id, vec_text(test, "comment"), right);
    }
    cJSON_Delete(root);
    vec_end(&count, least);
    assert_int_equal(valid, accepted);
}

static void signatures_are_judged_strictly(void **state) {
    (void)state;
    run_file("json_web_signature_test.json", 268, 26);
}

static void keys_are_judged_strictly(void **state) {
    (void)state;
    run_file("json_web_key_test.json", 22, 4);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(signatures_are_judged_strictly),
        cmocka_unit_test(keys_are_judged_strictly),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
