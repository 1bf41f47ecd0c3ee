/* tests/vectors/test_pem.c - keys and certificates in PEM and DER as OpenSSL writes
 * them (tests/vectors/pem): read, or refused by the right rule. */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <mereau/verify.h>

#include "crypto/pkey.h"
#include "vec.h"

enum { MAX_GROUPS = 16 };
struct group {
    char name[16];
    char thumbprint[44];
};

static int32_t alg_of(const char *name) {
    for (int32_t alg = 1; alg < 64; alg++) {
        const struct mru_alg *info = mru_alg_info(alg);
        if (info && strcmp(info->name, name) == 0)
            return alg;
    }
    fail_msg("no algorithm is called %s", name);
    return 0;
}

static mereau_status read(mereau_jwk **out, const void *data, size_t len,
                          int32_t alg, mereau_error *err) {
    mereau_error_init(err, sizeof *err);
    return mereau_jwk_read_encoded(out, data, len, alg, err);
}

/* 1 when it is the key that the other files of its group have. */
static int is_of_group(struct group *groups, const char *name,
                       const mereau_jwk *key) {
    mereau_bytes *out = mereau_bytes_new();
    int same = 0;
    assert_int_equal(mereau_jwk_thumbprint(out, key, NULL), MEREAU_OK);
    for (size_t i = 0; i < MAX_GROUPS; i++) {
        if (groups[i].name[0] == '\0') {
            snprintf(groups[i].name, sizeof groups[i].name, "%s", name);
            snprintf(groups[i].thumbprint, sizeof groups[i].thumbprint, "%s",
                     mereau_bytes_text(out));
        }
        if (strcmp(groups[i].name, name) != 0)
            continue;
        same = strcmp(groups[i].thumbprint, mereau_bytes_text(out)) == 0;
        break;
    }
    mereau_bytes_free(out);
    return same;
}

/* 1 when every form it is written in is read to it again. */
static int comes_back(const mereau_jwk *key) {
    mereau_bytes *out = mereau_bytes_new();
    mereau_error err = MEREAU_ERROR_INIT;
    int right = 1;
    for (int32_t form = MEREAU_PEM_PUBLIC; form <= MEREAU_DER_PRIVATE; form++) {
        mereau_jwk *back = NULL;
        size_t len = 0;
        if (form % 2 == 0 && !mereau_jwk_is_private(key))
            continue;
        assert_int_equal(mereau_jwk_write(out, key, form, NULL), MEREAU_OK);
        const uint8_t *data = mereau_bytes_data(out, &len);
        mereau_status status =
            read(&back, data, len, mereau_jwk_alg(key), &err);
        right = right && status == MEREAU_OK &&
                strcmp(mereau_jwk_kid(back), mereau_jwk_kid(key)) == 0;
        mereau_jwk_free(back);
    }
    mereau_bytes_free(out);
    return right;
}

/* 1 when what OpenSSL writes in this form is written byte for byte. */
static int is_written_alike(const mereau_jwk *key, const char *file,
                            const char *data, size_t len) {
    static const struct {
        const char *end;
        int32_t form;
    } forms[] = {{"-spki.pem", MEREAU_PEM_PUBLIC},
                 {"-spki.der", MEREAU_DER_PUBLIC},
                 {"-pkcs8.pem", MEREAU_PEM_PRIVATE},
                 {"-pkcs8.der", MEREAU_DER_PRIVATE}};
    int same = 1;
    for (size_t i = 0; i < sizeof forms / sizeof forms[0]; i++) {
        const char *at = strstr(file, forms[i].end);
        mereau_bytes *out = mereau_bytes_new();
        size_t n = 0;
        if (at && strlen(at) == strlen(forms[i].end)) {
            assert_int_equal(mereau_jwk_write(out, key, forms[i].form, NULL),
                             MEREAU_OK);
            const uint8_t *mine = mereau_bytes_data(out, &n);
            same = n == len && memcmp(mine, data, n) == 0;
        }
        mereau_bytes_free(out);
    }
    return same;
}

static int is_right(struct group *groups, const char *file, int32_t alg,
                    const char *group, const char *answer) {
    char path[128];
    size_t len = 0;
    mereau_error err = MEREAU_ERROR_INIT;
    mereau_jwk *key = NULL;
    snprintf(path, sizeof path, "tests/vectors/pem/%s", file);
    char *data = vec_read(path, &len);
    mereau_status status = read(&key, data, len, alg, &err);
    int right;
    if (strcmp(group, "-") == 0) {
        right = status != MEREAU_OK && strcmp(err.rule, answer) == 0 && !key;
    } else {
        right =
            status == MEREAU_OK &&
            mereau_jwk_is_private(key) == (strcmp(answer, "private") == 0) &&
            is_of_group(groups, group, key) && comes_back(key) &&
            is_written_alike(key, file, data, len);
    }
    if (!right)
        print_error("%s %s\n", mereau_status_name(status), err.text);
    mereau_jwk_free(key);
    free(data);
    return right;
}

static void keys_of_openssl_are_read_or_refused_by_name(void **state) {
    struct vec_count count = {"pem/cases.tsv", 0, 0, 0};
    struct group groups[MAX_GROUPS] = {{"", ""}};
    char *cases = vec_read("tests/vectors/pem/cases.tsv", NULL), *rest = cases;
    (void)state;
    for (char *line; (line = strtok_r(rest, "\n", &rest)) != NULL;) {
        char *left = line;
        if (line[0] == '#')
            continue;
        const char *file = strtok_r(left, "\t", &left);
        const char *alg = strtok_r(left, "\t", &left);
        const char *group = strtok_r(left, "\t", &left);
        const char *answer = strtok_r(left, "\t", &left);
        assert_non_null(answer);
        if (strcmp(alg, "EdDSA") == 0 &&
            !(mru_crypto_has() & MRU_HAS_ED25519)) {
            count.unsupported++;
            continue;
        }
        vec_case(&count, file, answer,
                 is_right(groups, file, alg_of(alg), group, answer));
    }
    free(cases);
    vec_end(&count, 84);
}

/* --- certificates --- */

static mereau_jwk *from_file(const char *file, int32_t alg) {
    char path[128];
    size_t len = 0;
    mereau_error err = MEREAU_ERROR_INIT;
    mereau_jwk *key = NULL;
    snprintf(path, sizeof path, "tests/vectors/pem/%s", file);
    char *data = vec_read(path, &len);
    if (read(&key, data, len, alg, &err) != MEREAU_OK)
        fail_msg("%s: %s", file, err.text);
    free(data);
    return key;
}

/* The hash of a certificate's DER, as x5t#S256 has it. */
static void hash_of(const char *file, char out[44]) {
    char path[128];
    size_t len = 0;
    uint8_t hash[32];
    snprintf(path, sizeof path, "tests/vectors/pem/%s", file);
    char *der = vec_read(path, &len);
    mereau_slice part = {(const uint8_t *)der, len};
    assert_int_equal(mru_hash(MRU_SHA256, &part, 1, hash), 0);
    mru_b64_encode(out, hash, sizeof hash);
    out[43] = '\0';
    free(der);
}

static size_t times(const char *text, const char *part) {
    size_t n = 0;
    for (; (text = strstr(text, part)) != NULL; text++)
        n++;
    return n;
}

static void the_certificates_a_key_came_with_are_kept(void **state) {
    static const struct {
        const char *file;
        const char *der;
        int32_t alg;
        size_t n_certificates;
    } cases[] = {
        {"p256-certificate.pem", "p256-certificate.der", MEREAU_ALG_ES256, 1},
        {"p256-certificate-text.pem", "p256-certificate.der",
         MEREAU_ALG_ECDH_ES, 1},
        {"p256-chain.pem", "p256-certificate.der", MEREAU_ALG_ES256, 3},
        {"rsa-certificate.der", "rsa-certificate.der", MEREAU_ALG_RS256, 1},
    };
    mereau_bytes *out = mereau_bytes_new();
    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        mereau_jwk *key = from_file(cases[i].file, cases[i].alg), *back, *half;
        char hash[44];
        hash_of(cases[i].der, hash);
        assert_int_equal(mereau_jwk_certificate_thumbprint(out, key, NULL),
                         MEREAU_OK);
        assert_string_equal(mereau_bytes_text(out), hash);
        assert_int_equal(mereau_jwk_write(out, key, MEREAU_JWK_PUBLIC, NULL),
                         MEREAU_OK);
        assert_non_null(strstr(mereau_bytes_text(out), hash));
        assert_int_equal(times(mereau_bytes_text(out), "\"MII"),
                         cases[i].n_certificates);
        assert_int_equal(mereau_jwk_read(&back, mereau_bytes_text(out),
                                         strlen(mereau_bytes_text(out)), 0,
                                         NULL),
                         MEREAU_OK);
        assert_int_equal(mereau_jwk_certificate_thumbprint(out, back, NULL),
                         MEREAU_OK);
        assert_string_equal(mereau_bytes_text(out), hash);
        assert_int_equal(mereau_jwk_public(&half, back, NULL), MEREAU_OK);
        assert_int_equal(mereau_jwk_certificate_thumbprint(out, half, NULL),
                         MEREAU_OK);
        mereau_jwk_free(half);
        mereau_jwk_free(back);
        mereau_jwk_free(key);
    }
    mereau_jwk *bare = from_file("p256-spki.pem", MEREAU_ALG_ES256);
    mereau_error err = MEREAU_ERROR_INIT;
    assert_int_equal(mereau_jwk_certificate_thumbprint(out, bare, &err),
                     MEREAU_E_KEY);
    assert_string_equal(err.rule, "key.certificate");
    assert_string_equal(mereau_bytes_text(out), "");
    mereau_jwk_free(bare);
    mereau_bytes_free(out);
}

/* A JWK of the key with another x5c, x5t#S256, or both; NULL: without. */
static void judged(const cJSON *key, const char *x5c, const char *x5t,
                   mereau_status status, const char *rule) {
    cJSON *jwk = cJSON_Duplicate(key, 1);
    mereau_error err = MEREAU_ERROR_INIT;
    mereau_jwk *made = NULL;
    cJSON_DeleteItemFromObjectCaseSensitive(jwk, "x5c");
    cJSON_DeleteItemFromObjectCaseSensitive(jwk, "x5t#S256");
    if (x5c)
        cJSON_AddItemToObject(jwk, "x5c", cJSON_Parse(x5c));
    if (x5t)
        cJSON_AddStringToObject(jwk, "x5t#S256", x5t);
    char *text = cJSON_PrintUnformatted(jwk);
    mereau_status got = mereau_jwk_read(&made, text, strlen(text), 0, &err);
    if (got != status || (rule && strcmp(err.rule, rule) != 0))
        fail_msg("%s %s: %s, not %s", x5c ? x5c : "", x5t ? x5t : "", err.text,
                 rule ? rule : "accepted");
    assert_int_equal(made != NULL, status == MEREAU_OK);
    mereau_jwk_free(made);
    free(text);
    cJSON_Delete(jwk);
}

/* A list of one certificate as x5c has it. */
static char *x5c_of(const char *file, int32_t alg) {
    mereau_bytes *out = mereau_bytes_new();
    mereau_jwk *key = from_file(file, alg);
    assert_int_equal(mereau_jwk_write(out, key, MEREAU_JWK_PUBLIC, NULL),
                     MEREAU_OK);
    cJSON *jwk = cJSON_Parse(mereau_bytes_text(out));
    char *list =
        cJSON_PrintUnformatted(cJSON_GetObjectItemCaseSensitive(jwk, "x5c"));
    cJSON_Delete(jwk);
    mereau_jwk_free(key);
    mereau_bytes_free(out);
    return list;
}

static void certificates_of_a_jwk_are_of_its_key(void **state) {
    mereau_bytes *out = mereau_bytes_new();
    mereau_jwk *key = from_file("p256-certificate.pem", MEREAU_ALG_ES256);
    char hash[44], other_hash[44];
    char *own = x5c_of("p256-certificate.pem", MEREAU_ALG_ES256);
    char *other = x5c_of("p384-certificate.pem", MEREAU_ALG_ES384);
    char *rsa = x5c_of("rsa-certificate.pem", MEREAU_ALG_RS256);
    (void)state;
    hash_of("p256-certificate.der", hash);
    hash_of("p384-certificate.der", other_hash);
    assert_int_equal(mereau_jwk_write(out, key, MEREAU_JWK_PUBLIC, NULL),
                     MEREAU_OK);
    cJSON *jwk = cJSON_Parse(mereau_bytes_text(out));
    judged(jwk, own, hash, MEREAU_OK, NULL);
    judged(jwk, own, NULL, MEREAU_OK, NULL);
    judged(jwk, NULL, hash, MEREAU_OK, NULL);
    judged(jwk, other, NULL, MEREAU_E_KEY, "jwk.x5c");
    judged(jwk, rsa, NULL, MEREAU_E_KEY, "jwk.x5c");
    judged(jwk, own, other_hash, MEREAU_E_KEY, "jwk.x5t");
    /* of another key of the same kind */
    mereau_jwk *stranger = NULL;
    assert_int_equal(
        mereau_jwk_generate(&stranger, MEREAU_ALG_ES256, 0, NULL, NULL),
        MEREAU_OK);
    assert_int_equal(mereau_jwk_write(out, stranger, MEREAU_JWK_PUBLIC, NULL),
                     MEREAU_OK);
    cJSON *other_jwk = cJSON_Parse(mereau_bytes_text(out));
    judged(other_jwk, own, NULL, MEREAU_E_KEY, "jwk.x5c");
    judged(other_jwk, own, hash, MEREAU_E_KEY, "jwk.x5c");
    cJSON_Delete(other_jwk);
    mereau_jwk_free(stranger);
    judged(jwk, own, "AAAA", MEREAU_E_MALFORMED, "jwk.x5t");
    judged(jwk, "[]", NULL, MEREAU_E_MALFORMED, "jwk.x5c");
    judged(jwk, "\"MIIB\"", NULL, MEREAU_E_MALFORMED, "jwk.x5c");
    judged(jwk, "[1]", NULL, MEREAU_E_MALFORMED, "jwk.x5c");
    judged(jwk, "[\"\"]", NULL, MEREAU_E_MALFORMED, "jwk.x5c");
    judged(jwk, "[\"AAAA\"]", NULL, MEREAU_E_MALFORMED, "jwk.x5c");
    judged(jwk, "[\"AAA\"]", NULL, MEREAU_E_MALFORMED, "jwk.x5c");
    judged(jwk, "[\"====\"]", NULL, MEREAU_E_MALFORMED, "jwk.x5c");
    /* base64url is not what x5c has */
    for (char *p = own; *p; p++)
        *p = (char)(*p == '+' ? '-' : *p == '/' ? '_' : *p);
    judged(jwk, own, NULL, MEREAU_E_MALFORMED, "jwk.x5c");
    cJSON_Delete(jwk);
    free(own);
    free(other);
    free(rsa);
    mereau_jwk_free(key);
    mereau_bytes_free(out);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(keys_of_openssl_are_read_or_refused_by_name),
        cmocka_unit_test(the_certificates_a_key_came_with_are_kept),
        cmocka_unit_test(certificates_of_a_jwk_are_of_its_key),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
