/* tests/vectors/test_wycheproof_jwe.c - Wycheproof's cases of whole JWEs, through
 * the public call, and of AES_CBC_HMAC_SHA2, which the library puts together
 * itself. */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "jose/content.h"
#include "vec_jose.h"

static const cJSON *member(const cJSON *object, const char *name) {
    return cJSON_GetObjectItemCaseSensitive(object, name);
}

static void case_of(struct vec_count *count, const cJSON *test, int right) {
    char id[16];
    snprintf(id, sizeof id, "%d", member(test, "tcId")->valueint);
    vec_case(count, id, vec_text(test, "comment"), right);
}

/* What is not done here must be refused by name all the same. */
static void not_done(struct vec_count *count, const cJSON *test,
                     const mereau_jwks *keys, const mereau_error *of_key) {
    mereau_error err = MEREAU_ERROR_INIT;
    const char *rule = of_key->rule;
    if (keys) {
        assert_false(vec_decrypts(keys, vec_text(test, "jwe"), NULL, 0, &err));
        rule = err.rule;
    }
    if (rule[0] == '\0')
        case_of(count, test, 0);
    else
        count->unsupported++;
}

static void one_jwe(struct vec_count *count, const cJSON *test,
                    const mereau_jwks *keys, const mereau_error *of_key) {
    mereau_error err = MEREAU_ERROR_INIT;
    const char *jwe = vec_text(test, "jwe");
    int valid = strcmp(vec_text(test, "strictResult"), "valid") == 0;
    size_t len = 0;
    if (!keys || (valid && vec_not_done(jwe))) {
        not_done(count, test, keys, of_key);
        return;
    }
    uint8_t *plain = vec_hex(test, "pt", &len);
    int right = vec_decrypts(keys, jwe, plain, len, &err);
    if (!right && valid)
        print_error("%s\n", err.text);
    if (!valid) /* and every refusal has a name */
        right = !right && err.status != MEREAU_OK && err.rule[0] != '\0';
    case_of(count, test, right);
    free(plain);
}

static void whole_jwes_are_judged_strictly(void **state) {
    struct vec_count count = {"json_web_encryption_test.json", 0, 0, 0};
    cJSON *root =
        vec_load("tests/vectors/wycheproof/json_web_encryption_test.json");
    const cJSON *group, *test;
    (void)state;
    cJSON_ArrayForEach(group, member(root, "testGroups")) {
        mereau_error err = MEREAU_ERROR_INIT;
        const cJSON *jwk = member(group, "private");
        mereau_jwks *keys = vec_key(jwk, NULL, &err);
        if (!keys) /* no other key is refused than one for what is not done */
            assert_true(vec_alg_not_done(vec_text(jwk, "alg")));
        cJSON_ArrayForEach(test, member(group, "tests"))
            one_jwe(&count, test, keys, &err);
        mereau_jwks_free(keys);
    }
    cJSON_Delete(root);
    vec_end(&count, 69);
}

/* --- the content encryption alone --- */

struct content {
    uint8_t *key, *iv, *aad, *msg, *ct, *tag;
    size_t key_len, iv_len, aad_len, msg_len, ct_len, tag_len;
};

static void content_read(struct content *c, const cJSON *test) {
    c->key = vec_hex(test, "key", &c->key_len);
    c->iv = vec_hex(test, "iv", &c->iv_len);
    c->aad = vec_hex(test, "aad", &c->aad_len);
    c->msg = vec_hex(test, "msg", &c->msg_len);
    c->ct = vec_hex(test, "ct", &c->ct_len);
    c->tag = vec_hex(test, "tag", &c->tag_len);
}

static void content_free(struct content *c) {
    free(c->key);
    free(c->iv);
    free(c->aad);
    free(c->msg);
    free(c->ct);
    free(c->tag);
}

static int opens(const struct mru_enc *enc, const struct content *c) {
    mereau_slice aad = {c->aad, c->aad_len};
    uint8_t *out = malloc(c->ct_len + 1);
    size_t len = 0;
    int right = mru_content_may(enc, c->ct_len) &&
                mru_content_open(enc, c->key, c->iv, &aad, c->ct, c->ct_len,
                                 c->tag, out, &len) == 0 &&
                len == c->msg_len && memcmp(out, c->msg, len) == 0;
    free(out);
    return right;
}

static int seals(const struct mru_enc *enc, const struct content *c) {
    mereau_slice aad = {c->aad, c->aad_len};
    uint8_t tag[MRU_MAX_TAG], *out = malloc(mru_content_len(enc, c->msg_len));
    int right = mru_content_len(enc, c->msg_len) == c->ct_len &&
                mru_content_seal(enc, c->key, c->iv, &aad, c->msg, c->msg_len,
                                 out, tag) == 0 &&
                memcmp(out, c->ct, c->ct_len) == 0 &&
                memcmp(tag, c->tag, enc->tag_len) == 0;
    free(out);
    return right;
}

static void run_content(const char *name, int32_t id, int least) {
    struct vec_count count = {name, 0, 0, 0};
    const struct mru_enc *enc = mru_enc_info(id);
    const cJSON *group, *test;
    char path[128];
    snprintf(path, sizeof path, "tests/vectors/wycheproof/%s", name);
    cJSON *root = vec_load(path);
    cJSON_ArrayForEach(group, member(root, "testGroups"))
        cJSON_ArrayForEach(test, member(group, "tests")) {
        struct content c;
        int valid = strcmp(vec_text(test, "result"), "valid") == 0;
        content_read(&c, test);
        if (c.key_len != enc->key_len || c.iv_len != enc->iv_len ||
            c.tag_len != enc->tag_len) {
            count.unsupported++; /* lengths that no JWE gets past its reader */
        } else {
            int right = opens(enc, &c) == valid;
            if (valid)
                right = right && seals(enc, &c);
            case_of(&count, test, right);
        }
        content_free(&c);
    }
    cJSON_Delete(root);
    vec_end(&count, least);
}

static void cbc_with_hmac_sha256_is_as_specified(void **state) {
    (void)state;
    run_content("a128cbc_hs256_test.json", MEREAU_ENC_A128CBC_HS256, 90);
}

static void cbc_with_hmac_sha512_is_as_specified(void **state) {
    (void)state;
    run_content("a256cbc_hs512_test.json", MEREAU_ENC_A256CBC_HS512, 90);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(whole_jwes_are_judged_strictly),
        cmocka_unit_test(cbc_with_hmac_sha256_is_as_specified),
        cmocka_unit_test(cbc_with_hmac_sha512_is_as_specified),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
