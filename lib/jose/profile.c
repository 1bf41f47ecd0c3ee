/* lib/jose/profile.c - kinds of tokens (include/mereau/jwt.h says what each is):
 * one row each, and what is particular to one. What is common to all, iss, aud and
 * times, is in rules.c and rules_time.c. */
#include "profile.h"

#define E(what) (1u << MEREAU_EXPECT_##what)

enum { MAX_SUB = 255, HOUR_S = 3600, SSO_S = 300, PROOF_S = 60 };

static mereau_status check_access_token(struct mru_check *c);
static mereau_status check_id_token(struct mru_check *c);
static mereau_status check_logout_token(struct mru_check *c);
static mereau_status check_assertion(struct mru_check *c);
static mereau_status check_plain(struct mru_check *c);

static const struct mru_profile profiles[] = {
    {MEREAU_PROFILE_ACCESS_TOKEN,
     "at+jwt",
     NULL,
     0,
     "RFC 9068 2.2",
     {MRU_CLAIM_EXP, MRU_CLAIM_SUB, MRU_CLAIM_CLIENT_ID, MRU_CLAIM_JTI,
      MRU_CLAIM_IAT},
     0,
     0,
     E(NONCE) | E(SUBJECT) | E(JKT) | E(CLIENT_ID),
     check_access_token},
    {MEREAU_PROFILE_ID_TOKEN,
     "JWT",
     NULL,
     1,
     "OpenID Core 2",
     {MRU_CLAIM_EXP, MRU_CLAIM_SUB, MRU_CLAIM_IAT},
     0,
     0,
     E(NONCE) | E(ACCESS_TOKEN) | E(CODE) | E(SUBJECT) | E(JKT) | E(CLIENT_ID),
     check_id_token},
    {MEREAU_PROFILE_LOGOUT_TOKEN,
     "logout+jwt",
     NULL,
     0,
     "Back-Channel Logout 2.4",
     {MRU_CLAIM_EXP, MRU_CLAIM_IAT, MRU_CLAIM_JTI, MRU_CLAIM_EVENTS},
     0,
     0,
     E(SUBJECT) | E(JKT),
     check_logout_token},
    {MEREAU_PROFILE_ASSERTION,
     "JWT",
     "client-authentication+jwt",
     1,
     "RFC 7523 3",
     {MRU_CLAIM_EXP, MRU_CLAIM_SUB, MRU_CLAIM_JTI},
     HOUR_S,
     0,
     E(NONCE) | E(SUBJECT) | E(JKT) | E(CLIENT_ID),
     check_assertion},
    {MEREAU_PROFILE_DPOP,
     "dpop+jwt",
     NULL,
     0,
     "RFC 9449 4.2",
     {MRU_CLAIM_JTI, MRU_CLAIM_HTM, MRU_CLAIM_HTU, MRU_CLAIM_IAT},
     0,
     PROOF_S,
     E(NONCE) | E(ACCESS_TOKEN) | E(JKT) | E(METHOD) | E(URI),
     mru_check_dpop},
    {MEREAU_PROFILE_SSO,
     "sso+jwt",
     NULL,
     0,
     "RFC 8725 3.11",
     {MRU_CLAIM_EXP, MRU_CLAIM_SUB, MRU_CLAIM_JTI},
     SSO_S,
     0,
     E(NONCE) | E(SUBJECT) | E(JKT) | E(CLIENT_ID),
     NULL},
    {MEREAU_PROFILE_JWT,
     "JWT",
     NULL,
     0,
     "RFC 9068 2.2",
     {MRU_CLAIM_EXP},
     0,
     0,
     E(NONCE) | E(SUBJECT) | E(JKT) | E(CLIENT_ID),
     check_plain},
};

const struct mru_profile *mru_profile_find(int32_t id) {
    for (size_t i = 0; i < sizeof profiles / sizeof profiles[0]; i++)
        if (profiles[i].id == id)
            return &profiles[i];
    return NULL;
}

/* --- what every profile says of its claims --- */

/* Of these, whatever the profile, only texts are texts. */
static int is_text_claim(enum mru_claim which) {
    return which == MRU_CLAIM_SUB || which == MRU_CLAIM_CLIENT_ID ||
           which == MRU_CLAIM_JTI || which == MRU_CLAIM_HTM ||
           which == MRU_CLAIM_HTU;
}

static mereau_status check_one(struct mru_check *c, enum mru_claim which,
                               int required) {
    const char *source = c->verifier->profile->source;
    const char *name = mru_claim_name(which);
    struct mru_jval value;
    int there = mru_said_get(&value, c->said, which);
    if (!there && required)
        return mru_refuse_claim(c, MEREAU_E_CLAIM, name, source, name, "none");
    if (!there || !is_text_claim(which))
        return MEREAU_OK;
    if (value.kind != 's' || (required && value.len == 2))
        return mru_refuse_claim(c, MEREAU_E_CLAIM, name, "RFC 7519 4.1",
                                "a text", "something else");
    return MEREAU_OK;
}

mereau_status mru_check_required(struct mru_check *c) {
    static const enum mru_claim texts[] = {MRU_CLAIM_SUB, MRU_CLAIM_CLIENT_ID,
                                           MRU_CLAIM_JTI};
    const enum mru_claim *required = c->verifier->profile->required;
    mereau_status status = MEREAU_OK;
    for (; status == MEREAU_OK && *required != MRU_CLAIM_OTHER; required++)
        status = check_one(c, *required, 1);
    for (size_t i = 0; status == MEREAU_OK && i < 3; i++)
        status = check_one(c, texts[i], 0);
    return status;
}

mereau_status mru_check_profile(struct mru_check *c) {
    const struct mru_profile *profile = c->verifier->profile;
    return profile->check ? profile->check(c) : MEREAU_OK;
}

/* A claim that only another kind of token has. */
static mereau_status refuse_kind(const struct mru_check *c, const char *name,
                                 const char *source) {
    return mru_refuse_claim(c, MEREAU_E_KIND, name, source,
                            "a token without it", "one of another kind");
}

static int has(const struct mru_check *c, const char *name) {
    struct mru_jval value;
    return mru_said_find(&value, c->said, name);
}

/* --- access tokens and plain JWTs --- */

static mereau_status check_access_token(struct mru_check *c) {
    struct mru_jval scope;
    if (!mru_said_get(&scope, c->said, MRU_CLAIM_SCOPE) || scope.kind == 's')
        return MEREAU_OK;
    return mru_refuse_claim(c, MEREAU_E_CLAIM, "scope", "RFC 9068 2.2.3",
                            "a text of words", "something else");
}

/* typ "JWT" says next to nothing, and OpenID providers put it into ID tokens as
 * well; so whatever shows the marks of another kind is not a plain one. */
static mereau_status check_plain(struct mru_check *c) {
    static const struct {
        const char *name, *source;
    } marks[] = {{"events", "Back-Channel Logout 2.4"},
                 {"nonce", "OpenID Core 2"},
                 {"at_hash", "OpenID Core 2"},
                 {"c_hash", "OpenID Core 2"},
                 {"htm", "RFC 9449 4.2"},
                 {"htu", "RFC 9449 4.2"}};
    const char *iss, *sub;
    if (c->verifier->any_type || c->verifier->type != NULL)
        return MEREAU_OK;
    for (size_t i = 0; i < sizeof marks / sizeof marks[0]; i++)
        if (has(c, marks[i].name) &&
            !(i == 1 && c->expected->text[MEREAU_EXPECT_NONCE]))
            return refuse_kind(c, marks[i].name, marks[i].source);
    iss = mru_said_text_of(c->said, "iss");
    sub = mru_said_text_of(c->said, "sub");
    if (iss && sub && strcmp(iss, sub) == 0)
        return refuse_kind(c, "sub", "RFC 7523 3");
    return MEREAU_OK;
}

/* --- ID tokens --- */

static mereau_status check_id_subject(struct mru_check *c) {
    const char *sub = mru_said_text_of(c->said, "sub");
    size_t len = sub ? strlen(sub) : 0;
    int ascii = 1;
    for (size_t i = 0; i < len; i++)
        ascii &= (unsigned char)sub[i] < 0x80;
    if (len <= MAX_SUB && ascii)
        return MEREAU_OK;
    return mru_refuse_claim(c, MEREAU_E_CLAIM, "sub", "OpenID Core 2",
                            "at most 255 ASCII characters", "something else");
}

/* azp is the client, which the audience is as well; several audiences need it. */
static mereau_status check_azp(struct mru_check *c) {
    const char *client = c->expected->text[MEREAU_EXPECT_CLIENT_ID];
    struct mru_jval azp, aud;
    const char *text;
    if (!mru_said_get(&azp, c->said, MRU_CLAIM_AZP)) {
        if (!mru_said_get(&aud, c->said, MRU_CLAIM_AUD) || aud.kind != 'a' ||
            mru_json_count(&aud) == 1)
            return MEREAU_OK;
        return mru_refuse_claim(c, MEREAU_E_CLAIM, "azp", "OpenID Core 3.1.3.7",
                                "an azp, as there are several audiences",
                                "none");
    }
    text = mru_said_text(c->said, &azp);
    if (text && (client ? strcmp(text, client) == 0
                        : c->verifier->any_audience ||
                              mru_is_audience(c->verifier, text)))
        return MEREAU_OK;
    return mru_refuse_claim(c, MEREAU_E_CLAIM, "azp", "OpenID Core 3.1.3.7",
                            "our client_id", "another");
}

static mereau_status check_id_token(struct mru_check *c) {
    mereau_status status = check_id_subject(c);
    if (status == MEREAU_OK)
        status = check_azp(c);
    /* Logout tokens of before they had a typ. */
    if (status == MEREAU_OK && has(c, "events"))
        status = refuse_kind(c, "events", "Back-Channel Logout 2.4");
    return status;
}

/* --- logout tokens --- */

static mereau_status check_logout_token(struct mru_check *c) {
    static const char event[] =
        "http://schemas.openid.net/event/backchannel-logout";
    static const char source[] = "Back-Channel Logout 2.4";
    struct mru_jval events, what, sid;
    mru_said_get(&events, c->said, MRU_CLAIM_EVENTS);
    if (!mru_json_member(&what, &events, event) || what.kind != 'o')
        return mru_refuse_claim(c, MEREAU_E_CLAIM, "events", source,
                                "the event of a back-channel logout",
                                "something else");
    if (has(c, "nonce"))
        return mru_refuse_claim(c, MEREAU_E_KIND, "nonce", source,
                                "no nonce, so that it is no ID token", "one");
    if (mru_said_get(&sid, c->said, MRU_CLAIM_SID) &&
        (sid.kind != 's' || sid.len == 2))
        return mru_refuse_claim(c, MEREAU_E_CLAIM, "sid", source, "a text",
                                "something else");
    if (has(c, "sid") || has(c, "sub"))
        return MEREAU_OK;
    return mru_refuse_claim(c, MEREAU_E_CLAIM, "sub", source, "sub or sid",
                            "none");
}

/* --- assertions --- */

static mereau_status check_assertion(struct mru_check *c) {
    const char *iss = mru_said_text_of(c->said, "iss");
    const char *sub = mru_said_text_of(c->said, "sub");
    struct mru_jval aud;
    if (!c->verifier->any_subject && (!iss || !sub || strcmp(iss, sub) != 0))
        return mru_refuse_claim(c, MEREAU_E_CLAIM, "sub", "RFC 7523 3",
                                "the client_id, as iss", "another");
    if (!c->verifier->audience_list &&
        (!mru_said_get(&aud, c->said, MRU_CLAIM_AUD) || aud.kind != 's'))
        return mru_refuse_claim(c, MEREAU_E_AUDIENCE, "aud", "RFC 7523 3",
                                "one text, the authorization server", "a list");
    return MEREAU_OK;
}
