/* tests/unit/test_jwe.c - encryption of any bytes (mereau/jwe.h): round trips, what
 * is refused by which rule, and that failures tell nothing. */
#include <stdio.h>
#include <stdlib.h>

#include "alloc.h"
#include "crypto/crypto.h"
#include "jose_kit.h"

static const int32_t encs[] = {MEREAU_ENC_A128GCM, MEREAU_ENC_A256GCM,
                               MEREAU_ENC_A128CBC_HS256,
                               MEREAU_ENC_A256CBC_HS512};
static const char *const enc_names[] = {"A128GCM", "A256GCM", "A128CBC-HS256",
                                        "A256CBC-HS512"};
static const int32_t enc_bits[] = {128, 256, 256, 512};
enum { ENCS = 4 };

/* Every algorithm, ECDH-ES on every curve. */
static const struct {
    int32_t alg, bits;
} algs[] = {{MEREAU_ALG_DIR, 0},
            {MEREAU_ALG_A128KW, 0},
            {MEREAU_ALG_A256KW, 0},
            {MEREAU_ALG_RSA_OAEP, 0},
            {MEREAU_ALG_RSA_OAEP_256, 0},
            {MEREAU_ALG_ECDH_ES, 256},
            {MEREAU_ALG_ECDH_ES, 384},
            {MEREAU_ALG_ECDH_ES, 521},
            {MEREAU_ALG_ECDH_ES_A128KW, 256},
            {MEREAU_ALG_ECDH_ES_A128KW, 384},
            {MEREAU_ALG_ECDH_ES_A128KW, 521},
            {MEREAU_ALG_ECDH_ES_A256KW, 256},
            {MEREAU_ALG_ECDH_ES_A256KW, 384},
            {MEREAU_ALG_ECDH_ES_A256KW, 521}};
enum { ALGS = sizeof algs / sizeof algs[0] };

static mereau_jwk *key_for(size_t a, size_t e) {
    int dir = algs[a].alg == MEREAU_ALG_DIR;
    return kit_key(algs[a].alg, dir ? enc_bits[e] : algs[a].bits);
}

static mereau_status decrypt(const mereau_jwks *keys, const char *token,
                             char rule[48]) {
    mereau_error err = MEREAU_ERROR_INIT;
    mereau_bytes *plain = mereau_bytes_new();
    mereau_claims *header = mereau_claims_new();
    size_t len = 7;
    mereau_status status =
        mereau_jwe_decrypt(plain, header, keys, token, strlen(token), &err);
    if (status != MEREAU_OK) { /* nothing of it can be read */
        mereau_bytes_data(plain, &len);
        assert_int_equal(len, 0);
        mereau_claims_json(header, &len);
        assert_int_equal(len, 0);
    }
    mereau_bytes_free(plain);
    mereau_claims_free(header);
    strcpy(rule, err.rule);
    return status;
}

/* A token, to be freed. */
static char *encrypted(const mereau_jwk *key, int32_t enc, const char *header,
                       const char *plain) {
    mereau_error err = MEREAU_ERROR_INIT;
    mereau_bytes *out = mereau_bytes_new();
    if (mereau_jwe_encrypt(out, key, enc, header, (const uint8_t *)plain,
                           strlen(plain), NULL, &err) != MEREAU_OK)
        fail_msg("%s", err.text);
    char *token = strdup(mereau_bytes_text(out));
    mereau_bytes_free(out);
    return token;
}

/* --- round trips --- */

static void every_algorithm_decrypts_what_it_encrypted(void **state) {
    static const size_t sizes[] = {0, 1, 15, 16, 17, 4096};
    uint8_t plain[4096];
    int n = 0;
    (void)state;
    for (size_t i = 0; i < sizeof plain; i++)
        plain[i] = (uint8_t)(i * 13);
    mereau_bytes *token = mereau_bytes_new(), *out = mereau_bytes_new();
    mereau_claims *header = mereau_claims_new();
    for (size_t a = 0; a < ALGS; a++)
        for (size_t e = 0; e < ENCS; e++) {
            mereau_jwk *key = key_for(a, e), *to = NULL;
            mereau_jwks *keys = kit_set(key);
            /* Who encrypts has the public half, if there is one. */
            if (mereau_jwk_public(&to, key, NULL) != MEREAU_OK)
                to = kit_key(algs[a].alg, enc_bits[e]);
            for (size_t i = 0; i < sizeof sizes / sizeof sizes[0]; i++) {
                mereau_error err = MEREAU_ERROR_INIT;
                size_t len = 0, got = 0;
                if (mereau_jwe_encrypt(token, to, encs[e], "{\"cty\":\"x\"}",
                                       plain, sizes[i], NULL,
                                       &err) != MEREAU_OK)
                    fail_msg("%s", err.text);
                const char *text = (const char *)mereau_bytes_data(token, &len);
                if (mereau_jwe_decrypt(out, header, keys, text, len, &err) !=
                    MEREAU_OK)
                    fail_msg("%s", err.text);
                const uint8_t *back = mereau_bytes_data(out, &got);
                assert_int_equal(got, sizes[i]);
                assert_memory_equal(back, plain, got);
                assert_string_equal(mereau_claims_text(header, "cty"), "x");
                assert_string_equal(mereau_claims_text(header, "enc"),
                                    enc_names[e]);
                n++;
            }
            mereau_jwks_free(keys);
            mereau_jwk_free(key);
            mereau_jwk_free(to);
        }
    mereau_bytes_free(token);
    mereau_bytes_free(out);
    mereau_claims_free(header);
    assert_int_equal(n, ALGS * ENCS * 6);
}

/* --- no two are alike --- */

struct noted {
    uint8_t bytes[4096];
    size_t len;
    int calls;
};

static int32_t note(void *user, uint8_t *out, size_t len) {
    struct noted *noted = user;
    assert_int_equal(mereau_system_random(out, len, NULL), MEREAU_OK);
    assert_true(len <= sizeof noted->bytes - noted->len);
    memcpy(noted->bytes + noted->len, out, len);
    noted->len += len;
    noted->calls++;
    return 0;
}

/* Whether a segment of the token, decoded, was drawn from the source. */
static int was_drawn(const struct noted *noted, const char *token,
                     int segment) {
    uint8_t bytes[64];
    for (int i = 0; i < segment; i++)
        token = strchr(token, '.') + 1;
    size_t chars = strcspn(token, ".");
    size_t len = (size_t)mru_b64_decode(bytes, token, chars);
    for (size_t i = 0; i + len <= noted->len; i++)
        if (memcmp(noted->bytes + i, bytes, len) == 0)
            return 1;
    return 0;
}

static void two_encryptions_are_never_alike(void **state) {
    (void)state;
    for (size_t a = 0; a < ALGS; a++)
        for (size_t e = 0; e < ENCS; e++) {
            mereau_jwk *key = key_for(a, e);
            mereau_bytes *one = mereau_bytes_new(), *two = mereau_bytes_new();
            for (int i = 0; i < 2; i++) {
                struct noted noted = {{0}, 0, 0};
                const mereau_random random = {(uint32_t)sizeof random, 0,
                                              &noted, note};
                assert_int_equal(mereau_jwe_encrypt(i ? two : one, key, encs[e],
                                                    NULL,
                                                    (const uint8_t *)"the same",
                                                    8, &random, NULL),
                                 MEREAU_OK);
                /* The IV is fresh, and so is the content key, or the key pair
                 * that it comes from. */
                assert_true(
                    was_drawn(&noted, mereau_bytes_text(i ? two : one), 2));
                assert_true(noted.calls >=
                            (algs[a].alg == MEREAU_ALG_DIR ? 1 : 2));
            }
            const char *x = mereau_bytes_text(one);
            const char *y = mereau_bytes_text(two);
            for (int part = 1; part < 5; part++) {
                x = strchr(x, '.') + 1;
                y = strchr(y, '.') + 1;
                size_t len = strcspn(x, ".");
                if (len > 0)
                    assert_memory_not_equal(x, y, len);
            }
            mereau_bytes_free(one);
            mereau_bytes_free(two);
            mereau_jwk_free(key);
        }
}

/* --- what is refused --- */

/* What may be said of a changed token: by anybody who looks at it, and of what only
 * the key tells, one thing alone. */
static int is_public_knowledge(const char *rule) {
    static const char *const rules[] = {"jwe.form", "jwe.header", "jwe.alg",
                                        "jwe.enc",  "jwe.epk",    "jwe.kid",
                                        "json."};
    for (size_t i = 0; i < sizeof rules / sizeof rules[0]; i++)
        if (strncmp(rule, rules[i], strlen(rules[i])) == 0)
            return 1;
    return 0;
}

static void no_character_of_a_jwe_can_be_changed(void **state) {
    (void)state;
    for (size_t a = 0; a < ALGS; a++) {
        size_t e = a % ENCS, behind_header;
        int rsa = algs[a].alg == MEREAU_ALG_RSA_OAEP ||
                  algs[a].alg == MEREAU_ALG_RSA_OAEP_256;
        int slow = rsa || algs[a].alg >= MEREAU_ALG_ECDH_ES;
        mereau_jwk *key = key_for(a, e);
        mereau_jwks *keys = kit_set(key);
        char *text = encrypted(key, encs[e], NULL, "what is inside"), rule[48];
        size_t len = strlen(text);
        behind_header = strcspn(text, ".");
        /* RSA is slow, and its header is like that of the others. */
        for (size_t i = rsa ? behind_header : 0; i < len; i++) {
            char was = text[i];
            /* All bits where it is cheap, elsewhere another one each time. */
            for (int bit = 0; bit < (slow ? 1 : 6); bit++) {
                text[i] = (char)(was ^ 1 << (slow ? (int)(i % 6) : bit));
                mereau_status status = decrypt(keys, text, rule);
                if (status == MEREAU_E_SIGNATURE)
                    assert_string_equal(rule, "jwe.tag");
                else if (status == MEREAU_OK || !is_public_knowledge(rule))
                    fail_msg("%zu of %s: %d %s", i, text, status, rule);
            }
            text[i] = was;
        }
        for (size_t cut = rsa ? behind_header : 0; cut < len; cut++) {
            char was = text[cut];
            text[cut] = '\0';
            assert_int_not_equal(decrypt(keys, text, rule), MEREAU_OK);
            assert_true(rule[0] != '\0');
            text[cut] = was;
        }
        assert_int_equal(decrypt(keys, text, rule), MEREAU_OK);
        free(text);
        mereau_jwks_free(keys);
        mereau_jwk_free(key);
    }
}

/* Replaces one segment by base64url of len zero bytes; to be freed. */
static char *with_segment(const char *token, int segment, size_t len) {
    static const uint8_t zeros[600];
    struct mru_buf out = {0};
    for (int i = 0; i < 5; i++) {
        size_t n = strcspn(token, ".");
        if (i > 0)
            mru_buf_add_byte(&out, '.');
        if (i == segment)
            mru_buf_add_b64(&out, zeros, len);
        else
            mru_buf_add(&out, token, n);
        token += n + 1;
    }
    return (char *)out.data;
}

static void segments_have_exact_lengths(void **state) {
    /* Segments 1 encrypted key, 2 IV, 3 ciphertext, 4 tag; RSA's modulus is of
     * 256 bytes. */
    static const struct {
        int32_t alg, enc;
        int segment;
        size_t len;
        const char *rule;
    } rows[] = {
        {MEREAU_ALG_DIR, MEREAU_ENC_A256GCM, 1, 1, "jwe.encrypted_key"},
        {MEREAU_ALG_DIR, MEREAU_ENC_A256GCM, 1, 40, "jwe.encrypted_key"},
        {MEREAU_ALG_ECDH_ES, MEREAU_ENC_A256GCM, 1, 40, "jwe.encrypted_key"},
        {MEREAU_ALG_A128KW, MEREAU_ENC_A256GCM, 1, 0, "jwe.encrypted_key"},
        {MEREAU_ALG_A128KW, MEREAU_ENC_A256GCM, 1, 24, "jwe.encrypted_key"},
        {MEREAU_ALG_A128KW, MEREAU_ENC_A256GCM, 1, 41, "jwe.encrypted_key"},
        {MEREAU_ALG_A128KW, MEREAU_ENC_A256GCM, 1, 40, "jwe.tag"},
        {MEREAU_ALG_ECDH_ES_A128KW, MEREAU_ENC_A128GCM, 1, 0,
         "jwe.encrypted_key"},
        {MEREAU_ALG_RSA_OAEP_256, MEREAU_ENC_A128GCM, 1, 0,
         "jwe.encrypted_key"},
        {MEREAU_ALG_RSA_OAEP_256, MEREAU_ENC_A128GCM, 1, 255,
         "jwe.encrypted_key"},
        {MEREAU_ALG_RSA_OAEP_256, MEREAU_ENC_A128GCM, 1, 257,
         "jwe.encrypted_key"},
        {MEREAU_ALG_RSA_OAEP_256, MEREAU_ENC_A128GCM, 1, 256, "jwe.tag"},
        {MEREAU_ALG_A128KW, MEREAU_ENC_A128GCM, 2, 0, "jwe.iv"},
        {MEREAU_ALG_A128KW, MEREAU_ENC_A128GCM, 2, 11, "jwe.iv"},
        {MEREAU_ALG_A128KW, MEREAU_ENC_A128GCM, 2, 16, "jwe.iv"},
        {MEREAU_ALG_A128KW, MEREAU_ENC_A128CBC_HS256, 2, 12, "jwe.iv"},
        {MEREAU_ALG_A128KW, MEREAU_ENC_A128GCM, 4, 0, "jwe.tag_length"},
        {MEREAU_ALG_A128KW, MEREAU_ENC_A128GCM, 4, 12, "jwe.tag_length"},
        {MEREAU_ALG_A128KW, MEREAU_ENC_A128GCM, 4, 17, "jwe.tag_length"},
        {MEREAU_ALG_A128KW, MEREAU_ENC_A128CBC_HS256, 4, 32, "jwe.tag_length"},
        {MEREAU_ALG_A128KW, MEREAU_ENC_A256CBC_HS512, 4, 16, "jwe.tag_length"},
        {MEREAU_ALG_A128KW, MEREAU_ENC_A128CBC_HS256, 3, 0, "jwe.ciphertext"},
        {MEREAU_ALG_A128KW, MEREAU_ENC_A128CBC_HS256, 3, 15, "jwe.ciphertext"},
        {MEREAU_ALG_A128KW, MEREAU_ENC_A128CBC_HS256, 3, 17, "jwe.ciphertext"},
        {MEREAU_ALG_A128KW, MEREAU_ENC_A128CBC_HS256, 3, 16, "jwe.tag"},
        {MEREAU_ALG_A128KW, MEREAU_ENC_A128GCM, 3, 0, "jwe.tag"},
    };
    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        char rule[48];
        mereau_jwk *key = kit_key(rows[i].alg, 0);
        mereau_jwks *keys = kit_set(key);
        char *token = encrypted(key, rows[i].enc, NULL, "content");
        char *other = with_segment(token, rows[i].segment, rows[i].len);
        mereau_status status = decrypt(keys, other, rule);
        if (status == MEREAU_OK || strcmp(rule, rows[i].rule) != 0)
            fail_msg("row %zu: %d %s", i, status, rule);
        free(token);
        free(other);
        mereau_jwks_free(keys);
        mereau_jwk_free(key);
    }
}

static void a_header_is_judged_strictly(void **state) {
    static const struct {
        const char *header, *rule;
        mereau_status status;
    } rows[] = {
        {"{\"alg\":\"A128KW\",\"enc\":\"A128GCM\",\"x\":1}", "jwe.tag",
         MEREAU_E_SIGNATURE},
        {"{\"alg\":\"A128KW\"}", "jwe.enc", MEREAU_E_ALG},
        {"{\"enc\":\"A128GCM\"}", "jwe.alg", MEREAU_E_ALG},
        {"{\"alg\":1,\"enc\":\"A128GCM\"}", "jwe.alg", MEREAU_E_ALG},
        {"{\"alg\":\"A128KW\",\"enc\":[]}", "jwe.enc", MEREAU_E_ALG},
        {"{\"alg\":\"HS256\",\"enc\":\"A128GCM\"}", "jwe.alg", MEREAU_E_ALG},
        {"{\"alg\":\"none\",\"enc\":\"A128GCM\"}", "jwe.alg", MEREAU_E_ALG},
        {"{\"alg\":\"RSA1_5\",\"enc\":\"A128GCM\"}", "jwe.alg", MEREAU_E_ALG},
        {"{\"alg\":\"A192KW\",\"enc\":\"A128GCM\"}", "jwe.alg", MEREAU_E_ALG},
        {"{\"alg\":\"A128GCMKW\",\"enc\":\"A128GCM\"}", "jwe.alg",
         MEREAU_E_ALG},
        {"{\"alg\":\"PBES2-HS256+A128KW\",\"enc\":\"A128GCM\",\"p2s\":\"AA\","
         "\"p2c\":2147483647}",
         "jwe.alg", MEREAU_E_ALG},
        {"{\"alg\":\"dir\",\"enc\":\"A128GCM\"}", "jwe.encrypted_key",
         MEREAU_E_MALFORMED},
        {"{\"alg\":\"A256KW\",\"enc\":\"A128GCM\"}", "jwe.alg", MEREAU_E_ALG},
        {"{\"alg\":\"A128KW\",\"enc\":\"A192GCM\"}", "jwe.enc", MEREAU_E_ALG},
        {"{\"alg\":\"A128KW\",\"enc\":\"A192CBC-HS384\"}", "jwe.enc",
         MEREAU_E_ALG},
        {"{\"alg\":\"A128KW\",\"enc\":\"a128gcm\"}", "jwe.enc", MEREAU_E_ALG},
        {"{\"alg\":\"A128KW\",\"enc\":\"A128GCM\",\"zip\":\"DEF\"}", "jwe.zip",
         MEREAU_E_MALFORMED},
        {"{\"alg\":\"A128KW\",\"enc\":\"A128GCM\",\"crit\":[\"exp\"]}",
         "jwe.crit", MEREAU_E_MALFORMED},
        {"{\"alg\":\"A128KW\",\"enc\":\"A128GCM\",\"crit\":[]}", "jwe.crit",
         MEREAU_E_MALFORMED},
        {"{\"alg\":\"A128KW\",\"enc\":\"A128GCM\",\"kid\":7}", "jwe.kid",
         MEREAU_E_MALFORMED},
        {"{\"alg\":\"A128KW\",\"enc\":\"A128GCM\",\"kid\":\"other\"}",
         "jwe.kid", MEREAU_E_KEY_UNKNOWN},
        {"{\"alg\":\"A128KW\",\"enc\":\"A128GCM\",\"cty\":{}}", "jwe.cty",
         MEREAU_E_MALFORMED},
        {"{\"alg\":\"A128KW\",\"enc\":\"A128GCM\",\"enc\":\"A128GCM\"}",
         "json.duplicate", MEREAU_E_MALFORMED},
        {"[]", "jwe.header", MEREAU_E_MALFORMED},
        {"{", "json.syntax", MEREAU_E_MALFORMED},
    };
    mereau_jwk *key = kit_named(MEREAU_ALG_A128KW, 0, "mine");
    mereau_jwks *keys = kit_set(key);
    char *token = encrypted(key, MEREAU_ENC_A128GCM, NULL, "content");
    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        char rule[48];
        char *other = kit_with_header(token, rows[i].header);
        mereau_status status = decrypt(keys, other, rule);
        if (status != rows[i].status || strcmp(rule, rows[i].rule) != 0)
            fail_msg("%s: %d %s", rows[i].header, status, rule);
        free(other);
    }
    free(token);
    mereau_jwks_free(keys);
    mereau_jwk_free(key);
}

static void other_forms_are_refused(void **state) {
    static const char *const forms[] = {"",
                                        ".",
                                        "....",
                                        "a.b.c",
                                        "a.b.c.d",
                                        "e30.b.c.d.e.f",
                                        "e30....=",
                                        "e30.A.AA.AA.AA",
                                        "{\"ciphertext\":\"AA\"}",
                                        "e30 .AA.AA.AA.AA"};
    mereau_jwk *key = kit_key(MEREAU_ALG_DIR, 128);
    mereau_jwks *keys = kit_set(key);
    char rule[48], longest[16400];
    (void)state;
    for (size_t i = 0; i < sizeof forms / sizeof forms[0]; i++) {
        assert_int_equal(decrypt(keys, forms[i], rule), MEREAU_E_MALFORMED);
        assert_string_equal(rule, "jwe.form");
    }
    memset(longest, 'A', sizeof longest);
    longest[MEREAU_MAX_TOKEN + 1] = '\0';
    assert_int_equal(decrypt(keys, longest, rule), MEREAU_E_TOO_LONG);
    assert_string_equal(rule, "jwe.length");
    mereau_jwks_free(keys);
    mereau_jwk_free(key);
}

/* --- ECDH-ES --- */

static void an_ephemeral_key_is_judged_strictly(void **state) {
    /* (x, y) is on P-256; with another y it is not. */
#define X "\"x\":\"axfR8uEsQkf4vOblY6RA8ncDfYEt6zOg9KE5RdiYwpY\""
#define Y "\"y\":\"T-NC4v4af5uO5-tKfA-eFivOM1drMV7Oy7ZAaDe_UfU\""
#define OFF "\"y\":\"T-NC4v4af5uO5-tKfA-eFivOM1drMV7Oy7ZAaDe_UfQ\""
#define ZERO "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA"
    static const struct {
        const char *epk, *rule; /* epk "": none */
    } rows[] = {
        {"{\"kty\":\"EC\",\"crv\":\"P-256\"," X "," Y "}", "jwe.tag"},
        {"", "jwe.epk"},
        {"\"text\"", "jwe.epk"},
        {"{\"kty\":\"OKP\",\"crv\":\"P-256\"," X "," Y "}", "jwe.epk"},
        {"{\"kty\":\"EC\"," X "," Y "}", "jwe.epk"},
        {"{\"kty\":\"EC\",\"crv\":\"P-384\"," X "," Y "}", "jwe.epk"},
        {"{\"kty\":\"EC\",\"crv\":\"secp256k1\"," X "," Y "}", "jwe.epk"},
        {"{\"kty\":\"EC\",\"crv\":\"P-256\"," X "," Y ",\"d\":\"AQ\"}",
         "jwe.epk"},
        {"{\"kty\":\"EC\",\"crv\":\"P-256\"," X "," OFF "}", "jwe.epk"},
        {"{\"kty\":\"EC\",\"crv\":\"P-256\"," X "}", "jwe.epk"},
        {"{\"kty\":\"EC\",\"crv\":\"P-256\"," Y "}", "jwe.epk"},
        {"{\"kty\":\"EC\",\"crv\":\"P-256\"," X ",\"y\":\"AQ\"}", "jwe.epk"},
        {"{\"kty\":\"EC\",\"crv\":\"P-256\"," X ",\"y\":5}", "jwe.epk"},
        {"{\"kty\":\"EC\",\"crv\":\"P-256\",\"x\":\"" ZERO "\",\"y\":\"" ZERO
         "\"}",
         "jwe.epk"},
    };
    mereau_jwk *key = kit_key(MEREAU_ALG_ECDH_ES, 256);
    mereau_jwks *keys = kit_set(key);
    char *token = encrypted(key, MEREAU_ENC_A128GCM, NULL, "content");
    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        char rule[48], header[512];
        snprintf(header, sizeof header,
                 "{\"alg\":\"ECDH-ES\",\"enc\":\"A128GCM\"%s%s}",
                 rows[i].epk[0] ? ",\"epk\":" : "", rows[i].epk);
        char *other = kit_with_header(token, header);
        mereau_status status = decrypt(keys, other, rule);
        if (status == MEREAU_OK || strcmp(rule, rows[i].rule) != 0)
            fail_msg("%s: %d %s", rows[i].epk, status, rule);
        free(other);
    }
    free(token);
    mereau_jwks_free(keys);
    mereau_jwk_free(key);
}

/* apu and apv go into the key: with others of them it is another. */
static void both_parties_are_part_of_the_agreement(void **state) {
    static const char *const changed[] = {
        "\"apu\":\"QWxpY2U\"", "\"apv\":\"Qm9i\"",
        "\"apu\":\"QWxpY2U\",\"apv\":\"Qm9j\"",
        "\"apu\":\"Qm9i\",\"apv\":\"QWxpY2U\""};
    mereau_jwk *key = kit_key(MEREAU_ALG_ECDH_ES_A128KW, 256);
    mereau_jwks *keys = kit_set(key);
    char rule[48];
    char *token = encrypted(key, MEREAU_ENC_A128GCM,
                            "{\"apu\":\"QWxpY2U\",\"apv\":\"Qm9i\"}", "x");
    (void)state;
    assert_int_equal(decrypt(keys, token, rule), MEREAU_OK);
    char *header = kit_header(token);
    assert_non_null(strstr(header, "\"apu\":\"QWxpY2U\",\"apv\":\"Qm9i\""));
    for (size_t i = 0; i < sizeof changed / sizeof changed[0]; i++) {
        char *other_header = calloc(1, strlen(header) + 64);
        size_t before = (size_t)(strstr(header, "\"apu\"") - header);
        memcpy(other_header, header, before);
        strcat(other_header, changed[i]);
        strcat(other_header, "}");
        char *other = kit_with_header(token, other_header);
        assert_int_equal(decrypt(keys, other, rule), MEREAU_E_SIGNATURE);
        free(other);
        free(other_header);
    }
    char *odd = kit_with_header(
        token, "{\"alg\":\"ECDH-ES+A128KW\",\"enc\":\"A128GCM\",\"epk\":{"
               "\"kty\":\"EC\",\"crv\":\"P-256\"," X "," Y "},\"apv\":\"A\"}");
    assert_int_equal(decrypt(keys, odd, rule), MEREAU_E_MALFORMED);
    assert_string_equal(rule, "jwe.apv");
    free(odd);
    free(header);
    free(token);
    mereau_jwks_free(keys);
    mereau_jwk_free(key);
}

/* --- keys --- */

static void a_key_does_only_what_it_is_for(void **state) {
    mereau_error err = MEREAU_ERROR_INIT;
    mereau_bytes *out = mereau_bytes_new();
    mereau_jwk *signing = kit_key(MEREAU_ALG_HS256, 0);
    mereau_jwk *pair = kit_key(MEREAU_ALG_ECDH_ES, 256), *to = NULL;
    const uint8_t *x = (const uint8_t *)"x";
    char rule[48];
    (void)state;
    assert_int_equal(mereau_jwe_encrypt(out, signing, MEREAU_ENC_A128GCM, NULL,
                                        x, 1, NULL, &err),
                     MEREAU_E_ALG);
    assert_string_equal(err.rule, "jwe.alg");
    assert_int_equal(mereau_jwe_encrypt(out, pair, 9, NULL, x, 1, NULL, &err),
                     MEREAU_E_ALG);
    assert_string_equal(err.rule, "jwe.enc");
    /* The public half cannot decrypt. */
    assert_int_equal(mereau_jwk_public(&to, pair, NULL), MEREAU_OK);
    mereau_jwks *public_only = kit_set(to);
    char *token = encrypted(to, MEREAU_ENC_A128GCM, NULL, "x");
    assert_int_equal(decrypt(public_only, token, rule), MEREAU_E_KEY);
    assert_string_equal(rule, "jwe.key");
    free(token);
    /* A secret is a content key only when it is as long as one. */
    for (size_t e = 0; e < ENCS; e++)
        for (int32_t bits = 128; bits <= 512; bits *= 2) {
            mereau_jwk *dir = kit_key(MEREAU_ALG_DIR, bits);
            mereau_status status =
                mereau_jwe_encrypt(out, dir, encs[e], NULL, x, 1, NULL, &err);
            assert_int_equal(status,
                             bits == enc_bits[e] ? MEREAU_OK : MEREAU_E_KEY);
            mereau_jwk_free(dir);
        }
    mereau_jwk *longer = kit_key(MEREAU_ALG_DIR, 256);
    mereau_jwk *shorter = kit_key(MEREAU_ALG_DIR, 128);
    mereau_jwks *keys = kit_set(longer);
    token = encrypted(shorter, MEREAU_ENC_A128GCM, NULL, "x");
    assert_int_equal(decrypt(keys, token, rule), MEREAU_E_KEY);
    assert_string_equal(rule, "jwe.key");
    free(token);
    mereau_jwks_free(keys);
    mereau_jwks_free(public_only);
    mereau_jwk_free(longer);
    mereau_jwk_free(shorter);
    mereau_jwk_free(signing);
    mereau_jwk_free(pair);
    mereau_jwk_free(to);
    mereau_bytes_free(out);
}

/* A key whose JWK says what it may do. */
static void key_ops_and_content_encryption_of_a_jwk_are_kept(void **state) {
    static const struct {
        const char *more;
        int32_t enc;
        mereau_status encrypts, decrypts;
    } rows[] = {
        {"\"alg\":\"A128KW\",\"key_ops\":[\"wrapKey\"]", MEREAU_ENC_A128GCM,
         MEREAU_OK, MEREAU_E_KEY},
        {"\"alg\":\"A128KW\",\"key_ops\":[\"unwrapKey\"]", MEREAU_ENC_A128GCM,
         MEREAU_E_KEY, MEREAU_OK},
        {"\"alg\":\"A128KW\",\"use\":\"enc\"", MEREAU_ENC_A128GCM, MEREAU_OK,
         MEREAU_OK},
        {"\"alg\":\"A128GCM\"", MEREAU_ENC_A128GCM, MEREAU_OK, MEREAU_OK},
    };
    mereau_jwk *kw = kit_key(MEREAU_ALG_A128KW, 0);
    mereau_jwk *dir = kit_key(MEREAU_ALG_DIR, 128);
    char *of[2] = {encrypted(kw, MEREAU_ENC_A128GCM, NULL, "x"),
                   encrypted(dir, MEREAU_ENC_A128GCM, NULL, "x")};
    mereau_bytes *out = mereau_bytes_new();
    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        char text[256], rule[48];
        mereau_jwk *key = NULL;
        snprintf(text, sizeof text,
                 "{\"kty\":\"oct\",\"k\":\"AQIDBAUGBwgJCgsMDQ4PEA\",%s}",
                 rows[i].more);
        assert_int_equal(mereau_jwk_read(&key, text, strlen(text), 0, NULL),
                         MEREAU_OK);
        mereau_jwks *keys = kit_set(key);
        assert_int_equal(mereau_jwe_encrypt(out, key, rows[i].enc, NULL,
                                            (const uint8_t *)"x", 1, NULL,
                                            NULL),
                         rows[i].encrypts);
        assert_int_equal(decrypt(keys, of[i == 3], rule), rows[i].decrypts);
        mereau_jwks_free(keys);
        mereau_jwk_free(key);
    }
    /* A key for A128GCM is none for A128CBC-HS256, whatever its length. */
    mereau_jwk *bound = NULL;
    const char *text = "{\"kty\":\"oct\",\"alg\":\"A256GCM\",\"k\":"
                       "\"AQIDBAUGBwgJCgsMDQ4PEBESExQVFhcYGRobHB0eHyA\"}";
    assert_int_equal(mereau_jwk_read(&bound, text, strlen(text), 0, NULL),
                     MEREAU_OK);
    assert_int_equal(mereau_jwe_encrypt(out, bound, MEREAU_ENC_A128CBC_HS256,
                                        NULL, (const uint8_t *)"x", 1, NULL,
                                        NULL),
                     MEREAU_E_ALG);
    mereau_jwk_free(bound);
    mereau_jwk_free(kw);
    mereau_jwk_free(dir);
    free(of[0]);
    free(of[1]);
    mereau_bytes_free(out);
}

/* --- what failures tell --- */

/* A token under the dir key of 32 bytes, A128CBC-HS256, whose tag is right, and
 * whose last block is what is given. */
static char *with_padding(const uint8_t block[16]) {
    static const uint8_t iv[16] = {7};
    const uint8_t *cek = kit_secret();
    uint8_t cipher[16], whole[32], bits[8];
    struct mru_buf out = {0};
    const char *header = "{\"alg\":\"dir\",\"enc\":\"A128CBC-HS256\"}";
    mru_buf_add_b64(&out, (const uint8_t *)header, strlen(header));
    mru_put_u64(bits, (uint64_t)out.len * 8);
    assert_int_equal(mru_cbc_encrypt(cek + 16, 16, iv, block, 16, cipher), 0);
    const mereau_slice parts[4] = {
        {out.data, out.len}, {iv, 16}, {cipher, 16}, {bits, 8}};
    assert_int_equal(mru_hmac(MRU_SHA256, cek, 16, parts, 4, whole), 0);
    mru_buf_add_text(&out, "..");
    mru_buf_add_b64(&out, iv, 16);
    mru_buf_add_byte(&out, '.');
    mru_buf_add_b64(&out, cipher, 16);
    mru_buf_add_byte(&out, '.');
    mru_buf_add_b64(&out, whole, 16);
    return (char *)out.data;
}

static void
wrong_padding_is_told_apart_from_a_wrong_tag_by_nothing(void **state) {
    mereau_jwk *key = kit_key(MEREAU_ALG_DIR, 256);
    mereau_jwks *keys = kit_set(key);
    (void)state;
    for (int pad = 0; pad < 256; pad++)
        for (int wrong_at = 0; wrong_at < 16; wrong_at++) {
            uint8_t block[16];
            mereau_error err = MEREAU_ERROR_INIT, of_tag = MEREAU_ERROR_INIT;
            mereau_bytes *out = mereau_bytes_new();
            size_t len = 0;
            memset(block, pad, sizeof block);
            if (wrong_at > 0)
                block[16 - wrong_at] ^= 0x40;
            uint8_t last = (uint8_t)(wrong_at == 1 ? pad ^ 0x40 : pad);
            int right =
                last >= 1 && last <= 16 &&
                (wrong_at == 1 ? last == 1 : wrong_at == 0 || wrong_at > pad);
            char *token = with_padding(block);
            mereau_status status =
                mereau_jwe_decrypt(out, NULL, keys, token, strlen(token), &err);
            assert_int_equal(status, right ? MEREAU_OK : MEREAU_E_SIGNATURE);
            mereau_bytes_data(out, &len);
            assert_int_equal(len, right ? 16 - (size_t)last : 0);
            if (!right) {
                char *tag = strrchr(token, '.') + 1;
                *tag = *tag == 'A' ? 'B' : 'A';
                mereau_jwe_decrypt(out, NULL, keys, token, strlen(token),
                                   &of_tag);
                assert_memory_equal(&err, &of_tag, sizeof err);
            }
            free(token);
            mereau_bytes_free(out);
        }
    mereau_jwks_free(keys);
    mereau_jwk_free(key);
}

/* An encrypted key that is none, one of another length, and a wrong tag. */
static void a_wrong_encrypted_key_is_told_apart_by_nothing(void **state) {
    mereau_error errs[3];
    mereau_jwk *key = kit_key(MEREAU_ALG_RSA_OAEP_256, 0);
    mereau_jwks *keys = kit_set(key);
    mereau_bytes *out = mereau_bytes_new();
    char *token = encrypted(key, MEREAU_ENC_A128GCM, NULL, "content");
    char *longer = encrypted(key, MEREAU_ENC_A256GCM, NULL, "content");
    char *tokens[3];
    (void)state;
    tokens[0] = with_segment(token, 1, 256);
    tokens[1] = kit_with_header(
        longer, "{\"alg\":\"RSA-OAEP-256\",\"enc\":\"A128GCM\"}");
    tokens[2] = with_segment(token, 4, 16);
    for (size_t i = 0; i < 3; i++) {
        mereau_error_init(&errs[i], sizeof errs[i]);
        assert_int_equal(mereau_jwe_decrypt(out, NULL, keys, tokens[i],
                                            strlen(tokens[i]), &errs[i]),
                         MEREAU_E_SIGNATURE);
        assert_string_equal(errs[i].rule, "jwe.tag");
        assert_memory_equal(&errs[i], &errs[0], sizeof errs[0]);
        free(tokens[i]);
    }
    free(token);
    free(longer);
    mereau_bytes_free(out);
    mereau_jwks_free(keys);
    mereau_jwk_free(key);
}

/* --- limits, failures, arguments --- */

static void what_is_encrypted_can_be_decrypted_at_any_length(void **state) {
    static uint8_t plain[20000];
    mereau_error err = MEREAU_ERROR_INIT;
    mereau_jwk *key = kit_key(MEREAU_ALG_RSA_OAEP_256, 0);
    mereau_jwks *keys = kit_set(key);
    mereau_bytes *token = mereau_bytes_new(), *out = mereau_bytes_new();
    size_t most = 11000, len = 0;
    (void)state;
    while (mereau_jwe_encrypt(token, key, MEREAU_ENC_A256CBC_HS512, NULL, plain,
                              most, NULL, &err) == MEREAU_OK)
        most++;
    assert_true(most > 11000); /* as the header promises */
    assert_int_equal(err.status, MEREAU_E_TOO_LONG);
    assert_string_equal(err.rule, "jwe.length");
    assert_int_equal(mereau_jwe_encrypt(token, key, MEREAU_ENC_A256CBC_HS512,
                                        NULL, plain, most - 1, NULL, &err),
                     MEREAU_OK);
    const char *text = (const char *)mereau_bytes_data(token, &len);
    assert_int_equal(mereau_jwe_decrypt(out, NULL, keys, text, len, &err),
                     MEREAU_OK);
    mereau_bytes_data(out, &len);
    assert_int_equal(len, most - 1);
    assert_int_equal(mereau_jwe_encrypt(token, key, MEREAU_ENC_A128GCM, NULL,
                                        plain, sizeof plain, NULL, &err),
                     MEREAU_E_TOO_LONG);
    mereau_jwks_free(keys);
    mereau_jwk_free(key);
    mereau_bytes_free(token);
    mereau_bytes_free(out);
}

/* Fails at its n-th call. */
static int32_t fail_at(void *user, uint8_t *out, size_t len) {
    int *left = user;
    memset(out, 5, len);
    return --*left == 0 ? 77 : 0;
}

static void a_failing_random_source_encrypts_nothing(void **state) {
    mereau_bytes *token = mereau_bytes_new();
    (void)state;
    for (size_t a = 0; a < ALGS; a++) {
        mereau_jwk *key = key_for(a, 0);
        for (int n = 1;; n++) {
            int left = n;
            mereau_error err = MEREAU_ERROR_INIT;
            const mereau_random random = {(uint32_t)sizeof random, 0, &left,
                                          fail_at};
            mereau_status status =
                mereau_jwe_encrypt(token, key, encs[0], NULL,
                                   (const uint8_t *)"x", 1, &random, &err);
            if (left > 0)
                break;
            assert_int_equal(status, MEREAU_E_RANDOM);
            assert_string_equal(mereau_bytes_text(token), "");
            assert_true(n < 100);
        }
        mereau_jwk_free(key);
    }
    mereau_bytes_free(token);
}

static void wrong_arguments_are_named(void **state) {
    mereau_error err = MEREAU_ERROR_INIT, odd = MEREAU_ERROR_INIT;
    const mereau_random empty = {(uint32_t)sizeof empty, 0, NULL, NULL};
    mereau_jwk *key = kit_key(MEREAU_ALG_A128KW, 0);
    mereau_jwks *keys = kit_set(key);
    mereau_bytes *out = mereau_bytes_new();
    const uint8_t x[] = "x";
    const int32_t enc = MEREAU_ENC_A128GCM;
    (void)state;
    odd.size = 4;
    assert_int_equal(mereau_jwe_encrypt(NULL, key, enc, NULL, x, 1, NULL, &err),
                     MEREAU_E_NOMEM);
    assert_int_equal(mereau_jwe_encrypt(out, NULL, enc, NULL, x, 1, NULL, &err),
                     MEREAU_E_ARG);
    assert_int_equal(
        mereau_jwe_encrypt(out, key, enc, NULL, NULL, 1, NULL, &err),
        MEREAU_E_ARG);
    assert_int_equal(
        mereau_jwe_encrypt(out, key, enc, NULL, x, 1, &empty, &err),
        MEREAU_E_ARG);
    assert_int_equal(mereau_jwe_encrypt(out, key, enc, NULL, x, 1, NULL, &odd),
                     MEREAU_E_SIZE);
    assert_int_equal(
        mereau_jwe_encrypt(out, key, enc, "{\"epk\":1}", x, 1, NULL, &err),
        MEREAU_E_ARG);
    assert_string_equal(err.rule, "jwe.header");
    assert_int_equal(
        mereau_jwe_encrypt(out, key, enc, "{\"apu\":\"AA\"}", x, 1, NULL, &err),
        MEREAU_E_ARG);
    assert_int_equal(
        mereau_jwe_encrypt(out, key, enc, NULL, NULL, 0, NULL, NULL),
        MEREAU_OK);
    assert_int_equal(mereau_jwe_decrypt(NULL, NULL, keys, "a", 1, &err),
                     MEREAU_E_NOMEM);
    assert_int_equal(mereau_jwe_decrypt(out, NULL, NULL, "a", 1, &err),
                     MEREAU_E_NOMEM);
    assert_int_equal(mereau_jwe_decrypt(out, NULL, keys, NULL, 1, &err),
                     MEREAU_E_ARG);
    assert_int_equal(mereau_jwe_decrypt(out, NULL, keys, "a", 1, &odd),
                     MEREAU_E_SIZE);
    assert_int_equal(mereau_jwe_decrypt(out, NULL, keys, "", 0, NULL),
                     MEREAU_E_MALFORMED);
    mereau_jwks_free(keys);
    mereau_jwk_free(key);
    mereau_bytes_free(out);
}

static mereau_status there_and_back(const mereau_jwk *key,
                                    const mereau_jwks *keys, int32_t enc) {
    mereau_bytes *token = mereau_bytes_new(), *out = mereau_bytes_new();
    mereau_claims *header = mereau_claims_new();
    size_t len = 0;
    int without = header == NULL; /* which only says that it is not wanted */
    mereau_status status =
        mereau_jwe_encrypt(token, key, enc, "{\"cty\":\"x\"}",
                           (const uint8_t *)"content", 7, NULL, NULL);
    const char *text = (const char *)mereau_bytes_data(token, &len);
    if (status == MEREAU_OK)
        status = mereau_jwe_decrypt(out, header, keys, text, len, NULL);
    mereau_bytes_free(token);
    mereau_bytes_free(out);
    mereau_claims_free(header);
    return without ? MEREAU_E_NOMEM : status;
}

static void every_failing_allocation_is_survived(void **state) {
    (void)state;
    if (!test_alloc_available())
        skip();
    for (size_t a = 0; a < ALGS; a++) {
        size_t e = a % ENCS;
        mereau_jwk *key = key_for(a, e);
        mereau_jwks *keys = kit_set(key);
        assert_int_equal(there_and_back(key, keys, encs[e]), MEREAU_OK);
        /* Bignums allocate thousands of times, each like the others. */
        for (unsigned long n = 1, step = 1;; n += step) {
            long live = test_alloc_live();
            test_alloc_fail_at(n);
            mereau_status status = there_and_back(key, keys, encs[e]);
            int over = test_alloc_pending();
            test_alloc_fail_at(0);
            assert_int_equal(test_alloc_live(), live);
            /* A provider does not always say that memory was missing, and can do
             * without some of it. */
            int rsa = algs[a].alg == MEREAU_ALG_RSA_OAEP ||
                      algs[a].alg == MEREAU_ALG_RSA_OAEP_256;
            if (!test_alloc_told(status) && status != MEREAU_E_CRYPTO &&
                (status != MEREAU_OK || !(over || rsa)))
                fail_msg("%d at allocation %lu of %d", status, n, algs[a].alg);
            if (over)
                break;
            step = n <= 60 ? 1 : getenv("MEREAU_SOAK") ? 37 : 397;
        }
        mereau_jwks_free(keys);
        mereau_jwk_free(key);
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_algorithm_decrypts_what_it_encrypted),
        cmocka_unit_test(two_encryptions_are_never_alike),
        cmocka_unit_test(no_character_of_a_jwe_can_be_changed),
        cmocka_unit_test(segments_have_exact_lengths),
        cmocka_unit_test(a_header_is_judged_strictly),
        cmocka_unit_test(other_forms_are_refused),
        cmocka_unit_test(an_ephemeral_key_is_judged_strictly),
        cmocka_unit_test(both_parties_are_part_of_the_agreement),
        cmocka_unit_test(a_key_does_only_what_it_is_for),
        cmocka_unit_test(key_ops_and_content_encryption_of_a_jwk_are_kept),
        cmocka_unit_test(
            wrong_padding_is_told_apart_from_a_wrong_tag_by_nothing),
        cmocka_unit_test(a_wrong_encrypted_key_is_told_apart_by_nothing),
        cmocka_unit_test(what_is_encrypted_can_be_decrypted_at_any_length),
        cmocka_unit_test(a_failing_random_source_encrypts_nothing),
        cmocka_unit_test(wrong_arguments_are_named),
        cmocka_unit_test(every_failing_allocation_is_survived),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
