/* tests/vectors/test_rfc_jose.c - the worked examples of RFC 7515 to 9278 that are
 * about signatures, encryption, keys, thumbprints and encodings. */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include <stdlib.h>
#include <string.h>

#include "jose/jwe.h"
#include "jose/keyset.h"
#include "port/port.h"
#include "vec_jose.h"

static const cJSON *member(const cJSON *object, const char *name) {
    return cJSON_GetObjectItemCaseSensitive(object, name);
}

/* Where blinding takes its numbers from; results do not depend on it. */
static int count_up(void *arg, uint8_t *out, size_t len) {
    uint8_t *next = arg;
    for (size_t i = 0; i < len; i++)
        out[i] = ++*next;
    return 0;
}

static mereau_status read_key(mru_key **out, const cJSON *jwk, int32_t alg,
                              uint32_t flags) {
    mereau_error err = MEREAU_ERROR_INIT;
    struct mru_jval root;
    char *text = cJSON_PrintUnformatted(jwk);
    *out = NULL;
    assert_int_equal(mru_json_check(&root, text, strlen(text),
                                    &mru_json_default_limits, &err),
                     MEREAU_OK);
    mereau_status status = mru_key_from_jwk(out, &root, alg, flags, &err);
    free(text);
    return status;
}

static mereau_status verify(const mru_key *key, const char *token,
                            struct mru_buf *payload) {
    mereau_error err = MEREAU_ERROR_INIT;
    struct mru_buf header = {0};
    struct mru_jws jws;
    mereau_status status =
        mru_jws_read(&jws, &header, token, strlen(token), &err);
    if (status == MEREAU_OK)
        status = mru_jws_verify(&jws, key, &err);
    if (status == MEREAU_OK)
        status = mru_jws_payload(&jws, payload, &err);
    mru_buf_free(&header);
    return status;
}

/* The example's token is verified and, where signing is deterministic, made again
 * from its first two segments. */
static int signed_example(const cJSON *row) {
    const char *token = vec_text(row, "token"), *alg = vec_text(row, "alg");
    const char *second = strrchr(token, '.');
    struct mru_buf payload = {0}, again = {0};
    uint8_t sig[MRU_MAX_SIG], seed = 0;
    size_t sig_len = 0, len;
    mru_key *key = NULL;
    int32_t id = mru_alg_find(alg, strlen(alg));
    mereau_status status =
        read_key(&key, member(row, "key"), id, MRU_KEY_SECRET);
    assert_int_equal(status, MEREAU_OK);
    uint8_t *wanted = vec_hex(row, "payload_hex", &len);
    status = verify(key, token, &payload);
    int right = status == MEREAU_OK && payload.len == len &&
                memcmp(payload.data, wanted, len) == 0;
    if (cJSON_IsTrue(member(row, "deterministic_signature"))) {
        mru_buf_add(&again, token, (size_t)(second - token));
        assert_int_equal(mru_key_sign(key, count_up, &seed, again.data,
                                      again.len, sig, &sig_len),
                         MEREAU_OK);
        assert_int_equal(mru_jws_finish(&again, sig, sig_len), 0);
        right = right && strcmp((const char *)again.data, token) == 0;
    }
    mereau_error err = MEREAU_ERROR_INIT;
    mereau_jwks *keys = vec_key(member(row, "key"), alg, &err);
    right = right && vec_verifies(keys, token, wanted, len, &err);
    mereau_jwks_free(keys);
    free(wanted);
    mru_buf_free(&payload);
    mru_buf_free(&again);
    mru_key_free(key);
    return right;
}

/* No key makes these good: alg none, crit, b64. */
static int refused_example(const cJSON *row) {
    mereau_error err = MEREAU_ERROR_INIT;
    struct mru_buf header = {0};
    struct mru_jws jws;
    const char *token = vec_text(row, "token");
    mereau_status status =
        mru_jws_read(&jws, &header, token, strlen(token), &err);
    mru_buf_free(&header);
    return status != MEREAU_OK && err.rule[0] != '\0';
}

static int thumbprint_is(const cJSON *jwk, const char *wanted) {
    char got[44] = "";
    mru_key *key = NULL;
    const char *alg = vec_text(jwk, "alg");
    /* The example keys are for encryption too: read with an algorithm of their
     * kind; the thumbprint does not depend on it. */
    int32_t id = strcmp(vec_text(jwk, "kty"), "EC") == 0    ? MEREAU_ALG_ES256
                 : strcmp(vec_text(jwk, "kty"), "oct") == 0 ? MEREAU_ALG_HS256
                 : strcmp(vec_text(jwk, "kty"), "OKP") == 0 ? MEREAU_ALG_EDDSA
                                                            : MEREAU_ALG_RS256;
    if (alg[0] != '\0')
        id = 0;
    cJSON *copy = cJSON_Duplicate(jwk, 1);
    cJSON_DeleteItemFromObjectCaseSensitive(copy, "use");
    if (read_key(&key, copy, id, MRU_KEY_SECRET | MRU_KEY_ENC) != MEREAU_OK)
        print_error("the key was refused\n");
    cJSON_Delete(copy);
    if (!key)
        return 0;
    assert_int_equal(mru_key_thumbprint(key, got), 0);
    mru_key_free(key);
    return strcmp(got, wanted) == 0;
}

static int thumbprints_are(const cJSON *row) {
    const cJSON *keys = member(member(row, "jwks"), "keys");
    const cJSON *prints = member(row, "thumbprints"), *one;
    int right = cJSON_GetArraySize(keys) > 0, i = 0;
    cJSON_ArrayForEach(one, prints) {
        right = right &&
                thumbprint_is(cJSON_GetArrayItem(keys, i), one->valuestring);
        i++;
    }
    return right;
}

/* A key as programs read it: its thumbprint, also as a URI (RFC 7638, RFC 9278, RFC
 * 8037 appendix A.3). */
static int api_thumbprint_is(const cJSON *jwk, int32_t alg, const char *print,
                             const char *uri) {
    mereau_bytes *out = mereau_bytes_new();
    mereau_error err = MEREAU_ERROR_INIT;
    mereau_jwk *key = NULL;
    char *text = cJSON_PrintUnformatted(jwk);
    int right =
        mereau_jwk_read(&key, text, strlen(text), alg, &err) == MEREAU_OK &&
        mereau_jwk_thumbprint(out, key, &err) == MEREAU_OK &&
        (!print || strcmp(mereau_bytes_text(out), print) == 0) &&
        mereau_jwk_thumbprint_uri(out, key, &err) == MEREAU_OK &&
        (!uri || strcmp(mereau_bytes_text(out), uri) == 0);
    if (!right)
        print_error("%s\n", err.text);
    mereau_jwk_free(key);
    mereau_bytes_free(out);
    free(text);
    return right;
}

/* RFC 7517 appendix B: read with its certificate, refused with another key's. */
static int certificate_is_of_the_key(const cJSON *row) {
    mereau_error err = MEREAU_ERROR_INIT;
    mereau_jwk *key = NULL;
    cJSON *jwk = cJSON_Duplicate(member(row, "key"), 1);
    char *text = cJSON_PrintUnformatted(jwk);
    int right = mereau_jwk_read(&key, text, strlen(text), MEREAU_ALG_RS256,
                                &err) == MEREAU_OK;
    mereau_jwk_free(key);
    char *n = member(jwk, "n")->valuestring;
    n[20] = n[20] == 'A' ? 'B' : 'A';
    free(text);
    text = cJSON_PrintUnformatted(jwk);
    right = right &&
            mereau_jwk_read(&key, text, strlen(text), MEREAU_ALG_RS256, &err) ==
                MEREAU_E_KEY &&
            (strcmp(err.rule, "jwk.x5c") == 0 ||
             strcmp(err.rule, "key.modulus") == 0);
    free(text);
    cJSON_Delete(jwk);
    return right;
}

/* RFC 7515 appendix C. */
static int base64url_is(const cJSON *row) {
    const char *encoded = vec_text(row, "encoded");
    struct mru_buf out = {0};
    uint8_t back[64];
    size_t len;
    uint8_t *octets = vec_hex(row, "octets_hex", &len);
    mru_buf_add_b64(&out, octets, len);
    int right =
        strcmp((const char *)out.data, encoded) == 0 &&
        mru_b64_decode(back, encoded, strlen(encoded)) == (ptrdiff_t)len &&
        memcmp(back, octets, len) == 0;
    mru_buf_free(&out);
    free(octets);
    return right;
}

/* RFC 7636 appendix B: the challenge is the hash of the verifier. */
static int challenge_is(const cJSON *row) {
    const char *verifier = vec_text(row, "code_verifier");
    mereau_slice part = {(const uint8_t *)verifier, strlen(verifier)};
    uint8_t hash[32];
    char text[44] = "";
    assert_int_equal(mru_hash(MRU_SHA256, &part, 1, hash), 0);
    mru_b64_encode(text, hash, sizeof hash);
    return strcmp(text, vec_text(row, "code_challenge")) == 0;
}

/* --- encryption --- */

/* 1 right, 0 wrong, -1 not done here, and refused by name. */
static int encrypted_example(const cJSON *row) {
    mereau_error err = MEREAU_ERROR_INIT;
    const char *token = vec_text(row, "token");
    size_t len = 0;
    cJSON *any = cJSON_Parse("{\"kty\":\"oct\",\"alg\":\"A128KW\",\"k\":"
                             "\"AQIDBAUGBwgJCgsMDQ4PEA\"}");
    const cJSON *own = member(row, "key"); /* or a password, which is no key */
    mereau_jwks *keys = vec_key(own ? own : any, vec_text(row, "alg"), &err);
    cJSON_Delete(any);
    uint8_t *wanted = vec_hex(row, "payload_hex", &len);
    int right = keys && vec_decrypts(keys, token, wanted, len, &err);
    if (vec_not_done(token))
        right = !right && err.status == MEREAU_E_ALG && err.rule[0] ? -1 : 0;
    free(wanted);
    mereau_jwks_free(keys);
    return right;
}

/* A JSON serialization is not done here; with a key of ours it is refused as no
 * compact one. */
static int json_example(const cJSON *row) {
    static const uint8_t secret[16] = {1};
    mereau_error err = MEREAU_ERROR_INIT;
    mereau_jwks *keys = mereau_jwks_new();
    mereau_jwk *key = NULL;
    char *text = cJSON_PrintUnformatted(member(row, "jwe"));
    assert_int_equal(mereau_jwk_from_secret(&key, secret, sizeof secret,
                                            MEREAU_ALG_A128KW, NULL),
                     MEREAU_OK);
    assert_int_equal(mereau_jwks_add(keys, key, NULL), MEREAU_OK);
    int refused = !vec_decrypts(keys, text, NULL, 0, &err) &&
                  strcmp(err.rule, "jwe.form") == 0;
    mereau_jwk_free(key);
    mereau_jwks_free(keys);
    free(text);
    return refused ? -1 : 0;
}

/* RFC 7518 appendix B: both directions; -1 for AES of 192 bits. */
static int content_example(const cJSON *row) {
    const char *name = vec_text(row, "enc");
    const struct mru_enc *enc = mru_enc_find(name, strlen(name));
    if (!enc)
        return vec_alg_not_done(name) ? -1 : 0;
    uint8_t out[256], tag[MRU_MAX_TAG];
    size_t n[6], len = 0;
    uint8_t *key = vec_hex(row, "key_hex", &n[0]);
    uint8_t *iv = vec_hex(row, "iv_hex", &n[1]);
    uint8_t *more = vec_hex(row, "aad_hex", &n[2]);
    uint8_t *plain = vec_hex(row, "plaintext_hex", &n[3]);
    uint8_t *cipher = vec_hex(row, "ciphertext_hex", &n[4]);
    uint8_t *mac = vec_hex(row, "tag_hex", &n[5]);
    mereau_slice aad = {more, n[2]};
    int right =
        n[0] == enc->key_len && n[1] == enc->iv_len && n[5] == enc->tag_len &&
        n[4] <= sizeof out && mru_content_len(enc, n[3]) == n[4] &&
        mru_content_seal(enc, key, iv, &aad, plain, n[3], out, tag) == 0 &&
        memcmp(out, cipher, n[4]) == 0 && memcmp(tag, mac, n[5]) == 0 &&
        mru_content_open(enc, key, iv, &aad, cipher, n[4], mac, out, &len) ==
            0 &&
        len == n[3] && memcmp(out, plain, len) == 0;
    free(key);
    free(iv);
    free(more);
    free(plain);
    free(cipher);
    free(mac);
    return right;
}

/* RFC 7518 appendix C: the content key that the header and our key agree on, from
 * a token that begins with that header. */
static int agreement_example(const cJSON *row) {
    mereau_error err = MEREAU_ERROR_INIT;
    struct mru_buf token = {0}, header = {0};
    struct mru_jwe jwe;
    uint8_t cek[MRU_MAX_CEK] = {0};
    char got[23] = "";
    int sound = 0;
    char *text = cJSON_PrintUnformatted(member(row, "header"));
    mereau_jwks *keys = vec_key(member(row, "recipient"), "ECDH-ES", &err);
    mru_buf_add_b64(&token, (const uint8_t *)text, strlen(text));
    mru_buf_add_text(&token, "..AAAAAAAAAAAAAAAA.AA.AAAAAAAAAAAAAAAAAAAAAA");
    assert_non_null(keys);
    assert_int_equal(
        mru_jwe_read(&jwe, &header, (const char *)token.data, token.len, &err),
        MEREAU_OK);
    mereau_status status = mru_cek_get(&jwe, vec_only(keys), mru_random_draw,
                                       NULL, cek, &sound, &err);
    mru_b64_encode(got, cek, jwe.enc->key_len);
    free(text);
    mru_buf_free(&token);
    mru_buf_free(&header);
    mereau_jwks_free(keys);
    return status == MEREAU_OK && sound &&
           strcmp(got, vec_text(row, "derived_key")) == 0;
}

/* RFC 7797 section 4.2: right as what it is, and no JWT. */
static int detached_example(const cJSON *row) {
    mereau_error err = MEREAU_ERROR_INIT;
    size_t len = 0;
    const char *token = vec_text(row, "token");
    mereau_bytes *none = mereau_bytes_new();
    mereau_jwks *keys = vec_key(member(row, "key"), vec_text(row, "alg"), &err);
    uint8_t *payload = vec_hex(row, "detached_payload_hex", &len);
    mereau_status status =
        mereau_jws_verify(none, NULL, keys, token, strlen(token), payload, len,
                          MEREAU_JWS_DETACHED | MEREAU_JWS_UNENCODED, &err);
    free(payload);
    mereau_jwks_free(keys);
    mereau_bytes_free(none);
    return status == MEREAU_OK && refused_example(row);
}

static void examples_of_the_rfcs_come_out_as_printed(void **state) {
    struct vec_count count = {"rfc_jose_examples.json", 0, 0, 0};
    cJSON *root = vec_load("tests/vectors/rfc-jose/rfc_jose_examples.json");
    const cJSON *row;
    int eddsa = (mru_crypto_has() & MRU_HAS_ED25519) != 0;
    (void)state;
    cJSON_ArrayForEach(row, member(root, "vectors")) {
        const char *kind = vec_text(row, "kind");
        const char *expect = vec_text(row, "expect");
        int right = 0;
        if (strcmp(kind, "jws-compact") == 0 && strcmp(expect, "valid") == 0)
            right = signed_example(row);
        else if (strcmp(kind, "jws-compact") == 0 ||
                 (strcmp(kind, "jwt") == 0 && strcmp(expect, "valid") != 0))
            right = refused_example(row);
        else if (strcmp(kind, "jws-compact-detached-b64false") == 0)
            right = detached_example(row);
        else if (strcmp(kind, "jwe-compact") == 0 ||
                 strcmp(kind, "jwt-encrypted") == 0)
            right = encrypted_example(row);
        else if (strncmp(kind, "jwe-json", 8) == 0)
            right = json_example(row);
        else if (strcmp(kind, "aead-cbc-hmac") == 0)
            right = content_example(row);
        else if (strcmp(kind, "ecdh-es-concat-kdf") == 0)
            right = agreement_example(row);
        else if (strcmp(kind, "jwks-public") == 0 ||
                 strcmp(kind, "jwks-symmetric") == 0)
            right = thumbprints_are(row);
        else if (strcmp(kind, "jwk-thumbprint-uri") == 0)
            right = thumbprint_is(member(row, "key"),
                                  strrchr(vec_text(row, "uri"), ':') + 1) &&
                    api_thumbprint_is(member(row, "key"), MEREAU_ALG_RS256,
                                      NULL, vec_text(row, "uri"));
        else if (strcmp(kind, "jwk-x5c") == 0)
            right = certificate_is_of_the_key(row);
        else if (strcmp(kind, "jwk-thumbprint") == 0 && eddsa) /* RFC 8037 */
            right = api_thumbprint_is(member(row, "key"), MEREAU_ALG_EDDSA,
                                      vec_text(row, "thumbprint_sha256"), NULL);
        else if (strcmp(kind, "base64url") == 0)
            right = base64url_is(row);
        else if (strcmp(kind, "pkce-s256") == 0)
            right = challenge_is(row);
        else {
            count.unsupported++;
            continue;
        }
        if (right < 0)
            count.unsupported++;
        else
            vec_case(&count, vec_text(row, "id"), kind, right);
    }
    cJSON_Delete(root);
    vec_end(&count, 18 + eddsa);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(examples_of_the_rfcs_come_out_as_printed),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
