/* tests/vectors/test_cookbook.c - the cookbook of the JOSE working group (RFC 7520,
 * RFC 7797, RFC 8037): every file is signed or encrypted by somebody else's hand.
 * What comes in a JSON serialization only is not done here, and refused. */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/base.h"
#include "crypto/crypto.h"
#include "vec_jose.h"

static const cJSON *member(const cJSON *object, const char *name) {
    return cJSON_GetObjectItemCaseSensitive(object, name);
}

static cJSON *load(const char *name) {
    char path[192];
    snprintf(path, sizeof path, "tests/vectors/jose-cookbook/%s", name);
    return vec_load(path);
}

/* The text with one character of one segment changed; to be freed. */
static char *changed(const char *token, int segment) {
    char *copy = malloc(strlen(token) + 1), *at;
    strcpy(copy, token);
    at = copy;
    for (int i = 0; i < segment; i++)
        at = strchr(at, '.') + 1;
    if (*at == '.' || *at == '\0') { /* nothing in it */
        free(copy);
        return NULL;
    }
    *at = *at == 'A' ? 'B' : 'A';
    return copy;
}

/* --- signatures --- */

static mereau_status verify(const mereau_jwks *keys, const char *token,
                            const char *detached, uint32_t flags,
                            mereau_bytes *payload) {
    mereau_error err = MEREAU_ERROR_INIT;
    mereau_status status = mereau_jws_verify(
        payload, NULL, keys, token, strlen(token), (const uint8_t *)detached,
        detached ? strlen(detached) : 0, flags, &err);
    if (status != MEREAU_OK)
        assert_true(err.rule[0] != '\0');
    return status;
}

static int no_segment_can_change(const mereau_jwks *keys, const char *token,
                                 uint32_t flags) {
    mereau_bytes *payload = mereau_bytes_new();
    int right = 1;
    for (int i = 0; i < 3; i++) {
        char *other = changed(token, i);
        right = right && (!other || verify(keys, other, NULL, flags, payload) !=
                                        MEREAU_OK);
        free(other);
    }
    mereau_bytes_free(payload);
    return right;
}

static int made_again(const cJSON *root, const mereau_jwks *keys,
                      uint32_t flags, const char *wanted) {
    mereau_bytes *out = mereau_bytes_new();
    const char *payload = vec_text(member(root, "input"), "payload");
    mereau_status status =
        mereau_jws_sign(out, vec_only(keys), NULL, (const uint8_t *)payload,
                        strlen(payload), flags, NULL, NULL);
    int right =
        status == MEREAU_OK && strcmp(mereau_bytes_text(out), wanted) == 0;
    mereau_bytes_free(out);
    return right;
}

static int signature_is_right(const cJSON *root, const mereau_jwks *keys,
                              const char *token, uint32_t flags) {
    mereau_bytes *payload = mereau_bytes_new();
    const char *wanted = vec_text(member(root, "input"), "payload");
    int right = verify(keys, token, NULL, flags, payload) == MEREAU_OK &&
                strcmp(mereau_bytes_text(payload), wanted) == 0 &&
                no_segment_can_change(keys, token, flags);
    /* In no other form than the one that is expected. */
    for (uint32_t other = 0; other < 4; other++)
        right = right && (other == flags ||
                          verify(keys, token, other & 1 ? wanted : NULL, other,
                                 payload) != MEREAU_OK);
    mereau_bytes_free(payload);
    if (right && cJSON_IsTrue(member(root, "reproducible")))
        right = made_again(root, keys, flags, token);
    return right;
}

/* Protected header and signature of a JSON serialization, as a detached JWS. The
 * signature is right, and a reader that does not know b64 would take another
 * payload for signed (RFC 7797 section 6). */
static int b64_without_crit_is_refused(const cJSON *root,
                                       const mereau_jwks *keys) {
    const uint32_t flags = MEREAU_JWS_DETACHED | MEREAU_JWS_UNENCODED;
    const cJSON *flat = member(member(root, "output"), "json_flat");
    const char *text = vec_text(member(root, "input"), "payload");
    mereau_error err = MEREAU_ERROR_INIT;
    mereau_bytes *payload = mereau_bytes_new();
    char token[256];
    snprintf(token, sizeof token, "%s..%s", vec_text(flat, "protected"),
             vec_text(flat, "signature"));
    mereau_status status =
        mereau_jws_verify(payload, NULL, keys, token, strlen(token),
                          (const uint8_t *)text, strlen(text), flags, &err);
    mereau_bytes_free(payload);
    return status == MEREAU_E_MALFORMED && strcmp(err.rule, "jws.b64") == 0;
}

static void json_is_refused(struct vec_count *count, const cJSON *root,
                            const mereau_jwks *keys, const char *id) {
    static const char *const forms[] = {"json", "json_flat"};
    mereau_bytes *out = mereau_bytes_new();
    for (size_t i = 0; i < 2; i++) {
        mereau_error err = MEREAU_ERROR_INIT;
        const cJSON *form = member(member(root, "output"), forms[i]);
        char *text = form ? cJSON_PrintUnformatted(form) : NULL;
        if (!text)
            continue;
        if (mereau_jws_verify(out, NULL, keys, text, strlen(text), NULL, 0, 0,
                              &err) != MEREAU_E_MALFORMED ||
            mereau_jwe_decrypt(out, NULL, keys, text, strlen(text), &err) !=
                MEREAU_E_MALFORMED ||
            strcmp(err.rule, "jwe.form") != 0)
            vec_case(count, id, "a JSON serialization", 0);
        free(text);
    }
    mereau_bytes_free(out);
}

static const struct {
    const char *file;
    uint32_t flags;
    int no_crit; /* from a draft, whose b64 is not named in crit: to be refused */
} signatures[] = {
    {"jws__4_1.rsa_v15_signature.json", 0, 0},
    {"jws__4_3.ecdsa_signature.json", 0, 0},
    {"jws__4_4.hmac-sha2_integrity_protection.json", 0, 0},
    {"jws__4_6.protecting_specific_header_fields.json", 0, 0},
    {"jws__4_7.protecting_content_only.json", 0, 0},
    {"rfc7797__hmac-sha2_b64_false.json", MEREAU_JWS_UNENCODED, 0},
    {"rfc7797__4.2.hmac-sha2_b64_false.json", 0, 1},
    {"curve25519__jws.json", 0, 0},
};

static void signatures_of_the_cookbook_come_out(void **state) {
    struct vec_count count = {"jose-cookbook, JWS", 0, 0, 0};
    (void)state;
    for (size_t i = 0; i < sizeof signatures / sizeof signatures[0]; i++) {
        mereau_error err = MEREAU_ERROR_INIT;
        cJSON *root = load(signatures[i].file);
        const cJSON *input = member(root, "input");
        const char *token = vec_text(member(root, "output"), "compact");
        mereau_jwks *keys =
            vec_key(member(input, "key"), vec_text(input, "alg"), &err);
        if (!keys) /* Ed25519 where the provider has none */
            assert_string_equal(err.rule, "key.eddsa");
        if (keys)
            json_is_refused(&count, root, keys, signatures[i].file);
        if (signatures[i].no_crit)
            vec_case(&count, signatures[i].file, vec_text(root, "title"),
                     b64_without_crit_is_refused(root, keys));
        else if (!keys || token[0] == '\0')
            count.unsupported++;
        else
            vec_case(
                &count, signatures[i].file, vec_text(root, "title"),
                signature_is_right(root, keys, token, signatures[i].flags));
        mereau_jwks_free(keys);
        cJSON_Delete(root);
    }
    vec_end(&count, 5);
}

/* --- encryption --- */

static int decrypts(const mereau_jwks *keys, const char *token,
                    const char *wanted) {
    mereau_error err = MEREAU_ERROR_INIT;
    int right = vec_decrypts(keys, token, (const uint8_t *)wanted,
                             strlen(wanted), &err);
    if (!right)
        print_error("%s\n", err.text);
    for (int i = 0; i < 5; i++) {
        char *other = changed(token, i);
        right = right && (!other || !vec_decrypts(keys, other, NULL, 0, &err));
        if (other)
            right = right && err.rule[0] != '\0';
        free(other);
    }
    return right;
}

/* What the file's author drew: the content key, then the IV. */
struct drawn {
    uint8_t bytes[128];
    size_t len, at;
};

static int32_t draw(void *user, uint8_t *out, size_t len) {
    struct drawn *d = user;
    assert_true(len <= d->len - d->at);
    memcpy(out, d->bytes + d->at, len);
    d->at += len;
    return 0;
}

static int encrypted_again(const cJSON *root, const mereau_jwks *keys,
                           int32_t enc) {
    struct drawn d = {{0}, 0, 0};
    const mereau_random random = {(uint32_t)sizeof random, 0, &d, draw};
    const cJSON *made = member(root, "generated");
    const char *cek = vec_text(made, "cek"), *iv = vec_text(made, "iv");
    const char *plain = vec_text(member(root, "input"), "plaintext");
    mereau_bytes *out = mereau_bytes_new();
    d.len = (size_t)mru_b64_decode(d.bytes, cek, strlen(cek));
    d.len += (size_t)mru_b64_decode(d.bytes + d.len, iv, strlen(iv));
    mereau_status status = mereau_jwe_encrypt(out, vec_only(keys), enc, NULL,
                                              (const uint8_t *)plain,
                                              strlen(plain), &random, NULL);
    int right = status == MEREAU_OK && d.at == d.len &&
                strcmp(mereau_bytes_text(out),
                       vec_text(member(root, "output"), "compact")) == 0;
    mereau_bytes_free(out);
    return right;
}

static const char *const encrypted[] = {
    "jwe__5_1.key_encryption_using_rsa_v15_and_aes-hmac-sha2.json",
    "jwe__5_2.key_encryption_using_rsa-oaep_with_aes-gcm.json",
    ("jwe__5_4.key_agreement_with_key_wrapping_using_ecdh-es_and_aes-keywrap_"
     "with_aes-gcm.json"),
    "jwe__5_5.key_agreement_using_ecdh-es_with_aes-cbc-hmac-sha2.json",
    "jwe__5_7.key_wrap_using_aes-gcm_keywrap_with_aes-cbc-hmac-sha2.json",
    "jwe__5_8.key_wrap_using_aes-keywrap_with_aes-gcm.json",
    "jwe__5_10.including_additional_authentication_data.json",
    "jwe__5_11.protecting_specific_header_fields.json",
    "jwe__5_13.encrypting_to_multiple_recipients.json",
};

/* input.alg and input.key may be lists (5.13). */
static const cJSON *first(const cJSON *item) {
    return cJSON_IsArray(item) ? cJSON_GetArrayItem(item, 0) : item;
}

static void encryption_of_the_cookbook_comes_out(void **state) {
    struct vec_count count = {"jose-cookbook, JWE", 0, 0, 0};
    (void)state;
    for (size_t i = 0; i < sizeof encrypted / sizeof encrypted[0]; i++) {
        mereau_error err = MEREAU_ERROR_INIT;
        cJSON *root = load(encrypted[i]);
        const cJSON *input = member(root, "input");
        const cJSON *alg = first(member(input, "alg"));
        const char *token = vec_text(member(root, "output"), "compact");
        mereau_jwks *keys = vec_key(first(member(input, "key")),
                                    cJSON_GetStringValue(alg), &err);
        if (!keys)
            assert_true(vec_alg_not_done(cJSON_GetStringValue(alg)) &&
                        err.rule[0] != '\0');
        if (keys)
            json_is_refused(&count, root, keys, encrypted[i]);
        if (!keys || token[0] == '\0') {
            count.unsupported++;
        } else {
            int right = decrypts(keys, token, vec_text(input, "plaintext"));
            if (cJSON_IsTrue(member(root, "reproducible")))
                right =
                    right && encrypted_again(root, keys, MEREAU_ENC_A128GCM);
            vec_case(&count, encrypted[i], vec_text(root, "title"), right);
        }
        mereau_jwks_free(keys);
        cJSON_Delete(root);
    }
    vec_end(&count, 4);
}

/* A JWT signed, then encrypted: both layers by hand. */
static void the_nested_token_of_the_cookbook_comes_out(void **state) {
    struct vec_count count = {"6.nesting_signatures_and_encryption.json", 0, 0,
                              0};
    mereau_error err = MEREAU_ERROR_INIT;
    cJSON *root = load("6.nesting_signatures_and_encryption.json");
    const cJSON *sign = member(root, "sign"), *outer = member(root, "encrypt");
    const cJSON *signed_by = member(sign, "input");
    const cJSON *sent_to = member(outer, "input");
    mereau_jwks *signer =
        vec_key(member(signed_by, "key"), vec_text(signed_by, "alg"), &err);
    mereau_jwks *reader =
        vec_key(member(sent_to, "key"), vec_text(sent_to, "alg"), &err);
    const char *inner = vec_text(member(sign, "output"), "compact");
    const char *payload = vec_text(signed_by, "payload");
    (void)state;
    assert_non_null(signer);
    assert_non_null(reader);
    vec_case(
        &count, "encrypt", vec_text(root, "title"),
        decrypts(reader, vec_text(member(outer, "output"), "compact"), inner));
    vec_case(&count, "sign", vec_text(root, "title"),
             vec_verifies(signer, inner, (const uint8_t *)payload,
                          strlen(payload), &err));
    mereau_jwks_free(signer);
    mereau_jwks_free(reader);
    cJSON_Delete(root);
    vec_end(&count, 2);
}

/* --- a token that asks for a thousand million rounds --- */

/* CVE-2023-50967: the count of PBES2 is the sender's, and must be refused before
 * anybody begins. Its key is for PBES2 as well. */
static void a_password_with_a_huge_count_is_refused_unread(void **state) {
    static const char *const keys_for[] = {"A128KW", "dir"};
    struct vec_count count = {"cve-2023-50967", 0, 0, 0};
    mereau_error err = MEREAU_ERROR_INIT;
    cJSON *jwe = vec_load("tests/vectors/cve-samples/cve-2023-50967.jwe.json");
    cJSON *jwk = vec_load("tests/vectors/cve-samples/cve-2023-50967.jwk.json");
    const char *flat = vec_text(jwe, "token");
    mereau_bytes *out = mereau_bytes_new();
    (void)state;
    mereau_jwks *none = vec_key(member(jwk, "jwk"), NULL, &err);
    assert_null(none);
    vec_case(&count, "jwk", "a key for PBES2",
             err.status == MEREAU_E_ALG && err.rule[0] != '\0');
    cJSON *token = cJSON_Parse(flat), *header = cJSON_CreateObject();
    const cJSON *inside = member(token, "header");
    cJSON_AddStringToObject(header, "alg", vec_text(inside, "alg"));
    cJSON_AddStringToObject(header, "enc", "A128CBC-HS256");
    cJSON_AddStringToObject(header, "p2s", vec_text(inside, "p2s"));
    cJSON_AddNumberToObject(header, "p2c", member(inside, "p2c")->valuedouble);
    char *text = cJSON_PrintUnformatted(header);
    struct mru_buf compact = {0};
    mru_buf_add_b64(&compact, (const uint8_t *)text, strlen(text));
    static const char *const parts[] = {"encrypted_key", "iv", "ciphertext",
                                        "tag"};
    for (size_t i = 0; i < 4; i++) {
        mru_buf_add_byte(&compact, '.');
        mru_buf_add_text(&compact, vec_text(token, parts[i]));
    }
    for (size_t i = 0; i < 2; i++) {
        static const uint8_t secret[16] = {1};
        cJSON *oct = cJSON_CreateObject();
        char k[23] = "";
        mru_b64_encode(k, secret, sizeof secret);
        cJSON_AddStringToObject(oct, "kty", "oct");
        cJSON_AddStringToObject(oct, "k", k);
        mereau_jwks *keys = vec_key(oct, keys_for[i], &err);
        assert_non_null(keys);
        int right =
            mereau_jwe_decrypt(out, NULL, keys, (const char *)compact.data,
                               compact.len, &err) == MEREAU_E_ALG &&
            strcmp(err.rule, "jwe.alg") == 0;
        vec_case(&count, "compact", keys_for[i], right);
        vec_case(&count, "json", keys_for[i],
                 mereau_jwe_decrypt(out, NULL, keys, flat, strlen(flat),
                                    &err) == MEREAU_E_MALFORMED);
        mereau_jwks_free(keys);
        cJSON_Delete(oct);
    }
    mru_buf_free(&compact);
    free(text);
    cJSON_Delete(header);
    cJSON_Delete(token);
    cJSON_Delete(jwe);
    cJSON_Delete(jwk);
    mereau_bytes_free(out);
    vec_end(&count, 5);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(signatures_of_the_cookbook_come_out),
        cmocka_unit_test(encryption_of_the_cookbook_comes_out),
        cmocka_unit_test(the_nested_token_of_the_cookbook_comes_out),
        cmocka_unit_test(a_password_with_a_huge_count_is_refused_unread),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
