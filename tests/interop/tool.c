/* tests/interop/tool.c - our half of the cross-checks with other libraries.
 *
 *   tool make DIR    keys for every algorithm, a token of ours under each, and the
 *                    list of what another library is to do with them
 *   tool check DIR   verifies and decrypts what it made, and counts
 *
 * A line of DIR/list: kind (jws, jwe), alg, enc or "-", the key's file, ours, the
 * other's. What the other library does not offer it leaves out and names in
 * DIR/left_out, a line "alg enc"; everything else must be there. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <mereau/verify.h>

static const uint8_t payload[] = "What is said \0 between \xff libraries.";
enum { PAYLOAD = sizeof payload - 1, TEXT = 32768, PATH = 512 };

static const struct {
    int32_t alg, bits;
    const char *name;
} signing[] =
    {
        {MEREAU_ALG_HS256, 0, "HS256"},   {MEREAU_ALG_HS384, 0, "HS384"},
        {MEREAU_ALG_HS512, 0, "HS512"},   {MEREAU_ALG_RS256, 0, "RS256"},
        {MEREAU_ALG_RS384, 0, "RS384"},   {MEREAU_ALG_RS512, 0, "RS512"},
        {MEREAU_ALG_PS256, 0, "PS256"},   {MEREAU_ALG_PS384, 0, "PS384"},
        {MEREAU_ALG_PS512, 0, "PS512"},   {MEREAU_ALG_ES256, 0, "ES256"},
        {MEREAU_ALG_ES384, 0, "ES384"},   {MEREAU_ALG_ES512, 0, "ES512"},
        {MEREAU_ALG_ES256K, 0, "ES256K"}, {MEREAU_ALG_EDDSA, 0, "EdDSA"},
},
  managing[] = {
      {MEREAU_ALG_DIR, 0, "dir"},
      {MEREAU_ALG_A128KW, 0, "A128KW"},
      {MEREAU_ALG_A256KW, 0, "A256KW"},
      {MEREAU_ALG_RSA_OAEP, 0, "RSA-OAEP"},
      {MEREAU_ALG_RSA_OAEP_256, 0, "RSA-OAEP-256"},
      {MEREAU_ALG_ECDH_ES, 256, "ECDH-ES"},
      {MEREAU_ALG_ECDH_ES, 384, "ECDH-ES"},
      {MEREAU_ALG_ECDH_ES, 521, "ECDH-ES"},
      {MEREAU_ALG_ECDH_ES_A128KW, 256, "ECDH-ES+A128KW"},
      {MEREAU_ALG_ECDH_ES_A128KW, 384, "ECDH-ES+A128KW"},
      {MEREAU_ALG_ECDH_ES_A128KW, 521, "ECDH-ES+A128KW"},
      {MEREAU_ALG_ECDH_ES_A256KW, 256, "ECDH-ES+A256KW"},
      {MEREAU_ALG_ECDH_ES_A256KW, 384, "ECDH-ES+A256KW"},
      {MEREAU_ALG_ECDH_ES_A256KW, 521, "ECDH-ES+A256KW"},
};
static const struct {
    int32_t enc, bits;
    const char *name;
} content[] = {{MEREAU_ENC_A128GCM, 128, "A128GCM"},
               {MEREAU_ENC_A256GCM, 256, "A256GCM"},
               {MEREAU_ENC_A128CBC_HS256, 256, "A128CBC-HS256"},
               {MEREAU_ENC_A256CBC_HS512, 512, "A256CBC-HS512"}};

#define COUNT(list) (sizeof(list) / sizeof((list)[0]))

static void must(mereau_status status, const mereau_error *err) {
    if (status == MEREAU_OK)
        return;
    fprintf(stderr, "tool: %s\n", err->text);
    exit(1);
}

static FILE *open_in(const char *dir, const char *name, const char *mode) {
    char path[PATH];
    snprintf(path, sizeof path, "%s/%s", dir, name);
    return fopen(path, mode);
}

static void save(const char *dir, const char *name, const mereau_bytes *bytes) {
    size_t len = 0;
    const uint8_t *data = mereau_bytes_data(bytes, &len);
    FILE *f = open_in(dir, name, "wb");
    if (!f || fwrite(data, 1, len, f) != len || fclose(f) != 0) {
        perror(name);
        exit(1);
    }
}

/* The text of a file, less than TEXT bytes, without the line feed at its end; 0 when
 * there is none. */
static int load(const char *dir, const char *name, char *text) {
    FILE *f = open_in(dir, name, "rb");
    size_t len = f ? fread(text, 1, TEXT - 1, f) : 0;
    if (!f)
        return 0;
    fclose(f);
    while (len > 0 && (text[len - 1] == '\n' || text[len - 1] == '\r'))
        len--;
    text[len] = '\0';
    return 1;
}

/* --- make --- */

/* RSA keys take their time: one pair serves all algorithms. */
static mereau_jwk *new_key(int32_t alg, int32_t bits) {
    static mereau_jwk *rsa;
    mereau_error err = MEREAU_ERROR_INIT;
    mereau_jwk *key = NULL;
    mereau_bytes *der = mereau_bytes_new();
    if ((alg >= MEREAU_ALG_RS256 && alg <= MEREAU_ALG_PS512) ||
        alg == MEREAU_ALG_RSA_OAEP || alg == MEREAU_ALG_RSA_OAEP_256) {
        size_t len = 0;
        if (!rsa)
            must(mereau_jwk_generate(&rsa, MEREAU_ALG_RS256, 2048, NULL, &err),
                 &err);
        must(mereau_jwk_write(der, rsa, MEREAU_DER_PRIVATE, &err), &err);
        const uint8_t *data = mereau_bytes_data(der, &len);
        must(mereau_jwk_read_encoded(&key, data, len, alg, &err), &err);
    } else if (mereau_jwk_generate(&key, alg, bits, NULL, &err) != MEREAU_OK) {
        if (strcmp(err.rule, "key.eddsa") != 0)
            must(err.status, &err);
        fprintf(stderr, "tool: this build has no EdDSA\n");
    }
    mereau_bytes_free(der);
    return key;
}

static void list_line(FILE *list, const char *kind, const char *alg,
                      const char *enc, int n) {
    fprintf(list, "%s\t%s\t%s\t%d.jwk\t%d.ours\t%d.theirs\n", kind, alg, enc, n,
            n, n);
}

static void save_pair(const char *dir, int n, const mereau_jwk *key,
                      const mereau_bytes *token) {
    mereau_error err = MEREAU_ERROR_INIT;
    mereau_bytes *text = mereau_bytes_new();
    char name[32];
    must(mereau_jwk_write(text, key, MEREAU_JWK_PRIVATE, &err), &err);
    snprintf(name, sizeof name, "%d.jwk", n);
    save(dir, name, text);
    snprintf(name, sizeof name, "%d.ours", n);
    save(dir, name, token);
    mereau_bytes_free(text);
}

static int make(const char *dir) {
    mereau_error err = MEREAU_ERROR_INIT;
    mereau_bytes *token = mereau_bytes_new();
    FILE *list = open_in(dir, "list", "w"), *f = open_in(dir, "payload", "wb");
    int n = 0;
    if (!list || !f || fwrite(payload, 1, PAYLOAD, f) != PAYLOAD ||
        fclose(f) != 0)
        return 1;
    for (size_t i = 0; i < COUNT(signing); i++) {
        mereau_jwk *key = new_key(signing[i].alg, 0);
        if (!key)
            continue;
        must(mereau_jws_sign(token, key, NULL, payload, PAYLOAD, 0, NULL, &err),
             &err);
        list_line(list, "jws", signing[i].name, "-", ++n);
        save_pair(dir, n, key, token);
        mereau_jwk_free(key);
    }
    for (size_t i = 0; i < COUNT(managing); i++)
        for (size_t k = 0; k < COUNT(content); k++) {
            int dir_key = managing[i].alg == MEREAU_ALG_DIR;
            mereau_jwk *key = new_key(
                managing[i].alg, dir_key ? content[k].bits : managing[i].bits);
            must(mereau_jwe_encrypt(token, key, content[k].enc, NULL, payload,
                                    PAYLOAD, NULL, &err),
                 &err);
            list_line(list, "jwe", managing[i].name, content[k].name, ++n);
            save_pair(dir, n, key, token);
            mereau_jwk_free(key);
        }
    mereau_bytes_free(token);
    return fclose(list) != 0;
}

/* --- check --- */

static int is_left_out(const char *left_out, const char *alg, const char *enc) {
    char line[128];
    snprintf(line, sizeof line, "\n%s %s\n", alg, enc);
    return strstr(left_out, line) != NULL;
}

/* Whether their token says what it should, and nothing once it was changed. */
static int is_right(const char *kind, const char *jwk, char *token) {
    mereau_error err = MEREAU_ERROR_INIT;
    mereau_jwk *key = NULL;
    mereau_jwks *keys = mereau_jwks_new();
    mereau_bytes *out = mereau_bytes_new();
    size_t len = 0;
    int right = 1;
    must(mereau_jwk_read(&key, jwk, strlen(jwk), 0, &err), &err);
    must(mereau_jwks_add(keys, key, &err), &err);
    for (int changed = 0; changed < 2; changed++) {
        char *at = strrchr(token, '.') + 1;
        if (changed)
            *at = *at == 'A' ? 'B' : 'A';
        mereau_status status =
            strcmp(kind, "jws") == 0
                ? mereau_jws_verify(out, NULL, keys, token, strlen(token), NULL,
                                    0, 0, &err)
                : mereau_jwe_decrypt(out, NULL, keys, token, strlen(token),
                                     &err);
        const uint8_t *data = mereau_bytes_data(out, &len);
        if (changed)
            right = right && status == MEREAU_E_SIGNATURE;
        else if (status != MEREAU_OK)
            fprintf(stderr, "tool: %s\n", err.text);
        if (!changed)
            right = status == MEREAU_OK && len == PAYLOAD &&
                    memcmp(data, payload, len) == 0;
    }
    mereau_bytes_free(out);
    mereau_jwks_free(keys);
    mereau_jwk_free(key);
    return right;
}

static int check(const char *dir) {
    static char list[TEXT], jwk[TEXT], token[TEXT], left_out[TEXT + 2];
    char kind[8], alg[32], enc[32], key[32], ours[32], theirs[32];
    int jws = 0, jwe = 0, missing = 0, wrong = 0;
    left_out[0] = '\n';
    if (!load(dir, "list", list))
        return 1;
    if (load(dir, "left_out", left_out + 1))
        strcat(left_out, "\n");
    for (char *line = strtok(list, "\n"); line; line = strtok(NULL, "\n")) {
        if (sscanf(line, "%7s %31s %31s %31s %31s %31s", kind, alg, enc, key,
                   ours, theirs) != 6 ||
            !load(dir, key, jwk))
            return 1;
        if (is_left_out(left_out, alg, enc)) {
            missing++;
        } else if (!load(dir, theirs, token) || !is_right(kind, jwk, token)) {
            printf("wrong: %s %s %s\n", kind, alg, enc);
            wrong++;
        } else {
            jws += strcmp(kind, "jws") == 0;
            jwe += strcmp(kind, "jwe") == 0;
        }
    }
    printf("both ways: %d signatures, %d encryptions; %d not offered by the "
           "other, %d wrong\n",
           jws, jwe, missing, wrong);
    return wrong != 0 || jws == 0 || jwe == 0;
}

int main(int argc, char **argv) {
    if (argc == 3 && strcmp(argv[1], "make") == 0)
        return make(argv[2]);
    if (argc == 3 && strcmp(argv[1], "check") == 0)
        return check(argv[2]);
    fprintf(stderr, "usage: tool make|check DIR\n");
    return 2;
}
