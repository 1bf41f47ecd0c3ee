/* tests/fuzz/jwt.c - what a verifier does with a token of a stranger, and with one
 * whose signature is right: the claims are then the attacker's choice, and must not
 * be accepted without issuer, audience and time. */
#include <stdlib.h>
#include <string.h>

#include <mereau/mereau.h>

#include "base/base.h"
#include "crypto/crypto.h"

enum { NOW_AT = 1800000000 };
static const uint8_t secret[32] = "a secret that everybody knows";

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len);

static mereau_verifier *make_verifier(void) {
    mereau_verifier *v = mereau_verifier_new("https://id.example", "api");
    mereau_verifier_add_secret(v, secret, sizeof secret, MEREAU_ALG_HS256);
    if (mereau_verifier_ready(v, NULL) != MEREAU_OK)
        abort();
    return v;
}

/* The line before the first line feed is the header, the rest the payload. */
static void sign(struct mru_buf *token, const uint8_t *data, size_t len) {
    uint8_t mac[32];
    const uint8_t *end = len > 0 ? memchr(data, '\n', len) : NULL;
    size_t head = end != NULL ? (size_t)(end - data) : len;
    mru_buf_add_b64(token, data, head);
    mru_buf_add(token, ".", 1);
    if (end != NULL)
        mru_buf_add_b64(token, end + 1, len - head - 1);
    mereau_slice part = {token->data, token->len};
    if (token->failed ||
        mru_hmac(MRU_SHA256, secret, sizeof secret, &part, 1, mac) != 0)
        return;
    mru_buf_add(token, ".", 1);
    mru_buf_add_b64(token, mac, sizeof mac);
}

static void check(const mereau_verifier *v, const char *token, size_t len) {
    mereau_error err = MEREAU_ERROR_INIT;
    mereau_claims *claims = mereau_claims_new();
    if (mereau_jwt_verify(v, claims, token, len, NOW_AT, &err) == MEREAU_OK) {
        const char *iss = mereau_claims_text(claims, "iss");
        if (iss == NULL || strcmp(iss, "https://id.example") != 0 ||
            mereau_claims_int(claims, "exp") <= NOW_AT)
            abort();
    } else if (err.status == MEREAU_OK || err.rule[0] == '\0') {
        abort(); /* a refusal without a reason */
    }
    mereau_claims_free(claims);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len) {
    struct mru_buf token = {0};
    mereau_verifier *v = make_verifier();
    check(v, (const char *)data, len);
    sign(&token, data, len);
    if (!token.failed)
        check(v, (const char *)token.data, token.len);
    mru_buf_free(&token);
    mereau_verifier_free(v);
    return 0;
}
