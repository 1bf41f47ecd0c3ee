/* lib/jose/dpop.c - the checks of a DPoP proof that other tokens do not have: its
 * key, and which request it was made for (RFC 9449 section 4.3). */
#include "dpop.h"

#include "rules.h"

enum { MAX_JTI = 256 };

mereau_status mru_dpop_key(mru_key **out, const struct mru_jws *jws,
                           mereau_error *err) {
    struct mru_jval jwk;
    *out = NULL;
    if (!mru_json_member(&jwk, &jws->header, "jwk") || jwk.kind != 'o')
        return mru_refuse(err, MEREAU_E_MALFORMED, "jwt.jwk", "RFC 9449 4.2",
                          "a public key in the header", "none");
    return mru_key_from_jwk(out, &jwk, jws->alg, MRU_KEY_PUBLIC, err);
}

/* htm: exact, as methods are case-sensitive. */
static mereau_status check_method(struct mru_check *c) {
    const char *htm = mru_said_text_of(c->said, "htm");
    if (htm && strcmp(htm, c->expected->text[MEREAU_EXPECT_METHOD]) == 0)
        return MEREAU_OK;
    return mru_refuse_claim(c, MEREAU_E_CLAIM, "htm", "RFC 9449 4.3",
                            "the method of the request", "another");
}

static mereau_status check_uri(struct mru_check *c) {
    const char *htu = mru_said_text_of(c->said, "htu");
    if (htu && mru_uri_same(htu, c->expected->text[MEREAU_EXPECT_URI]))
        return MEREAU_OK;
    return mru_refuse_claim(c, MEREAU_E_CLAIM, "htu", "RFC 9449 4.3",
                            "the URI of the request", "another");
}

/* jti is what replays are known by: the host keeps it, so it is bounded. */
static mereau_status check_jti(struct mru_check *c) {
    const char *jti = mru_said_text_of(c->said, "jti");
    if (jti && strlen(jti) <= MAX_JTI)
        return MEREAU_OK;
    return mru_refuse_claim(c, MEREAU_E_CLAIM, "jti", "RFC 9449 11.1",
                            "at most 256 bytes", "more");
}

static mereau_status check_access_token(struct mru_check *c) {
    const char *token = c->expected->text[MEREAU_EXPECT_ACCESS_TOKEN];
    const char *ath = mru_said_text_of(c->said, "ath");
    uint8_t hash[MRU_SHA256];
    char wanted[MRU_B64_LEN(MRU_SHA256) + 1] = "";
    if (token == NULL)
        return MEREAU_OK;
    mereau_slice part = {(const uint8_t *)token, strlen(token)};
    if (mru_hash(MRU_SHA256, &part, 1, hash) != 0)
        return mru_refuse(c->err, MEREAU_E_CRYPTO, NULL, NULL, NULL, NULL);
    mru_b64_encode(wanted, hash, sizeof hash);
    if (ath && mru_text_equal_ct(ath, wanted))
        return MEREAU_OK;
    return mru_refuse_claim(c, MEREAU_E_CLAIM, "ath", "RFC 9449 4.3",
                            "the hash of the access token",
                            ath ? "another" : "none");
}

static mereau_status check_key(struct mru_check *c) {
    const char *jkt = c->expected->text[MEREAU_EXPECT_JKT];
    if (jkt == NULL || strcmp(jkt, c->claims->thumbprint) == 0)
        return MEREAU_OK;
    return mru_refuse_claim(c, MEREAU_E_DEVICE, "jwk", "RFC 9449 4.3",
                            "the key that the token is bound to", "another");
}

mereau_status mru_check_dpop(struct mru_check *c) {
    mereau_status status = check_method(c);
    if (status == MEREAU_OK)
        status = check_uri(c);
    if (status == MEREAU_OK)
        status = check_jti(c);
    if (status == MEREAU_OK)
        status = check_access_token(c);
    if (status == MEREAU_OK)
        status = check_key(c);
    return status;
}
