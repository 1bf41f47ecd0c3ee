/* lib/jose/rules_expect.c - what one request expects (expect.h), against what the
 * token says. Values are compared in constant time and never told. */
#include "profile.h"

static const struct {
    const char *rule;
} names[MRU_EXPECT_TEXTS] = {{""},
                             {"expect.nonce"},
                             {"expect.access_token"},
                             {"expect.code"},
                             {"expect.subject"},
                             {"expect.jkt"},
                             {"expect.method"},
                             {"expect.uri"},
                             {"expect.client_id"}};

mereau_status mru_expected_fits(const mereau_verifier *verifier,
                                const struct mru_expected *expected,
                                mereau_error *err) {
    const struct mru_profile *profile = verifier->profile;
    int proof = profile->id == MEREAU_PROFILE_DPOP;
    for (size_t i = 1; i < MRU_EXPECT_TEXTS; i++) {
        const char *text = expected->text[i];
        if (text && !(profile->expects >> i & 1))
            return mru_refuse(err, MEREAU_E_ARG, names[i].rule, NULL,
                              "what this kind of token can say",
                              "something else");
        if (!text && proof &&
            (i == MEREAU_EXPECT_METHOD || i == MEREAU_EXPECT_URI))
            return mru_refuse(err, MEREAU_E_ARG, names[i].rule, "RFC 9449 4.3",
                              "method and URI of the request", "none");
    }
    if (expected->text[MEREAU_EXPECT_JKT] &&
        strlen(expected->text[MEREAU_EXPECT_JKT]) != 43)
        return mru_refuse(err, MEREAU_E_ARG, "jwt.cnf", "RFC 7638 3",
                          "a thumbprint of 43 characters", "another length");
    if (proof && expected->max_auth_age_s != MEREAU_UNSET)
        return mru_refuse(err, MEREAU_E_ARG, "expect.auth_age", NULL,
                          "what this kind of token can say", "something else");
    return MEREAU_OK;
}

/* A claim that must be there and be a text that was expected. */
static mereau_status check_text(struct mru_check *c, const char *name,
                                const char *expected, const char *source) {
    const char *text = mru_said_text_of(c->said, name);
    if (text && mru_text_equal_ct(text, expected))
        return MEREAU_OK;
    return mru_refuse_claim(c, MEREAU_E_CLAIM, name, source, "the expected one",
                            text ? "another" : "none");
}

/* The left half of the hash of a text, by the hash of the signature; EdDSA's is
 * SHA-512. */
static mereau_status check_half_hash(struct mru_check *c, const char *name,
                                     const char *text) {
    const struct mru_alg *alg = mru_key_info(c->key);
    int hash = alg->hash != 0 ? alg->hash : MRU_SHA512;
    mereau_slice part = {(const uint8_t *)text, strlen(text)};
    uint8_t whole[MRU_MAX_HASH];
    char half[MRU_B64_LEN(MRU_MAX_HASH / 2) + 1];
    if (mru_hash(hash, &part, 1, whole) != 0)
        return mru_refuse(c->err, MEREAU_E_CRYPTO, NULL, NULL, NULL, NULL);
    size_t len = (size_t)hash / 2;
    mru_b64_encode(half, whole, len);
    half[MRU_B64_LEN(len)] = '\0';
    return check_text(c, name, half, "OpenID Core 3.3.2.11");
}

static mereau_status check_hashes(struct mru_check *c) {
    const char *token = c->expected->text[MEREAU_EXPECT_ACCESS_TOKEN];
    const char *code = c->expected->text[MEREAU_EXPECT_CODE];
    mereau_status status = MEREAU_OK;
    if (c->verifier->profile->id != MEREAU_PROFILE_ID_TOKEN)
        return MEREAU_OK; /* ath: dpop.c */
    if (token)
        status = check_half_hash(c, "at_hash", token);
    if (status == MEREAU_OK && code)
        status = check_half_hash(c, "c_hash", code);
    return status;
}

/* Whether the only audience is the client; an azp has been compared by then. */
static mereau_status check_client(struct mru_check *c, const char *client) {
    struct mru_jval value;
    size_t pos = 0;
    const char *text;
    switch (c->verifier->profile->id) {
    case MEREAU_PROFILE_ASSERTION:
    case MEREAU_PROFILE_SSO:
        return check_text(c, "iss", client, "RFC 7521 4.2");
    case MEREAU_PROFILE_ID_TOKEN:
        if (mru_said_get(&value, c->said, MRU_CLAIM_AZP))
            return MEREAU_OK;
        mru_said_get(&value, c->said, MRU_CLAIM_AUD);
        if (value.kind == 'a') {
            struct mru_jval list = value;
            mru_json_next(&list, &pos, NULL, &value);
        }
        text = mru_said_text(c->said, &value);
        if (text && strcmp(text, client) == 0)
            return MEREAU_OK;
        return mru_refuse_claim(c, MEREAU_E_AUDIENCE, "aud",
                                "OpenID Core 3.1.3.7", "the expected client",
                                "another");
    default:
        return check_text(c, "client_id", client, "RFC 9068 2.2");
    }
}

mereau_status mru_check_expected(struct mru_check *c) {
    const char *const *text = c->expected->text;
    mereau_status status = MEREAU_OK;
    if (text[MEREAU_EXPECT_NONCE])
        status = check_text(c, "nonce", text[MEREAU_EXPECT_NONCE],
                            "OpenID Core 3.1.3.7");
    if (status == MEREAU_OK && text[MEREAU_EXPECT_SUBJECT])
        status =
            check_text(c, "sub", text[MEREAU_EXPECT_SUBJECT], "RFC 7519 4.1.2");
    if (status == MEREAU_OK && text[MEREAU_EXPECT_CLIENT_ID])
        status = check_client(c, text[MEREAU_EXPECT_CLIENT_ID]);
    if (status == MEREAU_OK)
        status = check_hashes(c);
    return status;
}
