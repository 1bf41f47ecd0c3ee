/* lib/jose/rules.c - the checks of a payload whose signature was right: their
 * order, and those of typ, iss, aud, sub, cnf, scope and the host's own. */
#include "rules.h"

#include "profile.h"

/* --- saying why --- */

const char *mru_show(const struct mru_jval *value, char out[MRU_SAY]) {
    char whole[1024];
    size_t len = 0;
    if (value->kind == 0)
        return "none";
    if (value->kind == 'a')
        return "a list without it";
    if (value->kind != 's')
        return "not a text";
    if (mru_json_text(value, whole, sizeof whole - 1, &len) != 0)
        return "a long text";
    whole[len] = '\0';
    mru_say(out, MRU_SAY, "%.96s", whole);
    return out;
}

mereau_status mru_refuse_claim(const struct mru_check *c, mereau_status status,
                               const char *name, const char *source,
                               const char *wanted, const char *found) {
    char rule[48];
    mru_say(rule, sizeof rule, "jwt.%s", name);
    return mru_refuse(c->err, status, rule, source, wanted, found);
}

int mru_text_equal_ct(const char *a, const char *b) {
    size_t len = strlen(a);
    return strlen(b) == len && mru_equal_ct(a, b, len);
}

/* --- typ, iss, aud --- */

static char lower(char c) {
    return c >= 'A' && c <= 'Z' ? (char)(c | 0x20) : c;
}

int mru_type_is(const char *typ, size_t len, const char *wanted) {
    static const char prefix[] = "application/";
    size_t skip = sizeof prefix - 1, i = 0;
    if (len > skip) {
        while (i < skip && lower(typ[i]) == prefix[i])
            i++;
        if (i == skip && !memchr(typ + skip, '/', len - skip)) {
            typ += skip;
            len -= skip;
        }
    }
    if (strlen(wanted) != len)
        return 0;
    for (i = 0; i < len; i++)
        if (lower(typ[i]) != lower(wanted[i]))
            return 0;
    return 1;
}

static mereau_status check_type(struct mru_check *c) {
    const mereau_verifier *v = c->verifier;
    const char *wanted = v->type ? v->type : v->profile->type;
    char typ[128], found[MRU_SAY];
    size_t len = 0;
    if (c->typ == NULL || v->any_type)
        return MEREAU_OK;
    if (c->typ->kind == 0 && v->type == NULL && v->profile->type_optional)
        return MEREAU_OK;
    if (c->typ->kind == 's' &&
        mru_json_text(c->typ, typ, sizeof typ, &len) == 0 &&
        (mru_type_is(typ, len, wanted) ||
         (v->type == NULL && v->profile->other_type &&
          mru_type_is(typ, len, v->profile->other_type))))
        return MEREAU_OK;
    return mru_refuse(c->err, MEREAU_E_KIND, "jwt.typ", "RFC 8725 3.11", wanted,
                      mru_show(c->typ, found));
}

static mereau_status check_issuer(struct mru_check *c) {
    const char *issuer = c->verifier->issuer;
    struct mru_jval iss;
    const char *text;
    char found[MRU_SAY];
    if (issuer == NULL) /* a proof has none */
        return MEREAU_OK;
    mru_said_get(&iss, c->said, MRU_CLAIM_ISS);
    text = mru_said_text(c->said, &iss);
    if (text && strcmp(text, issuer) == 0)
        return MEREAU_OK;
    return mru_refuse(c->err, MEREAU_E_ISSUER, "jwt.iss", "RFC 9068 4", issuer,
                      mru_show(&iss, found));
}

int mru_is_audience(const mereau_verifier *verifier, const char *text) {
    for (size_t i = 0; i < verifier->n_audiences; i++)
        if (strcmp(text, verifier->audiences[i]) == 0)
            return 1;
    return 0;
}

static int is_ours(const struct mru_check *c, const struct mru_jval *one) {
    const char *text = mru_said_text(c->said, one);
    return text && mru_is_audience(c->verifier, text);
}

/* A text, or a list of nothing but texts, one of which is ours. */
static mereau_status check_audience(struct mru_check *c) {
    const mereau_verifier *v = c->verifier;
    struct mru_jval aud, one;
    char found[MRU_SAY];
    size_t pos = 0, texts = 0, others = 0;
    int ours = 0;
    if (v->n_audiences == 0) /* a proof has none */
        return MEREAU_OK;
    mru_said_get(&aud, c->said, MRU_CLAIM_AUD);
    if (aud.kind == 's') {
        texts = 1;
        ours = is_ours(c, &aud);
    }
    while (aud.kind == 'a' && mru_json_next(&aud, &pos, NULL, &one)) {
        texts += one.kind == 's';
        others += one.kind != 's';
        ours |= is_ours(c, &one);
    }
    if (others > 0 || (texts == 0 && aud.kind != 0))
        return mru_refuse(c->err, MEREAU_E_AUDIENCE, "jwt.aud",
                          "RFC 7519 4.1.3", "a text or a list of texts",
                          "something else");
    if (ours || v->any_audience)
        return MEREAU_OK;
    return mru_refuse(c->err, MEREAU_E_AUDIENCE, "jwt.aud", "RFC 9068 4",
                      v->audiences[0], mru_show(&aud, found));
}

/* --- sub, cnf, scope, claims of one's own --- */

static mereau_status check_subject(struct mru_check *c) {
    const char *wanted = c->verifier->subject, *sub;
    if (wanted == NULL)
        return MEREAU_OK;
    sub = mru_said_text_of(c->said, "sub");
    if (sub && mru_text_equal_ct(sub, wanted))
        return MEREAU_OK;
    return mru_refuse_claim(c, MEREAU_E_CLAIM, "sub", "RFC 7519 4.1.2",
                            "the subject that was set",
                            sub ? "another" : "none");
}

/* A token that is bound to a key is worth nothing without proof of that key;
 * cnf must say this one way and no other (RFC 7800 section 3.1). */
static mereau_status check_binding(struct mru_check *c) {
    const char *jkt = c->expected->text[MEREAU_EXPECT_JKT], *text = NULL;
    struct mru_jval cnf, bound;
    if (c->verifier->profile->id == MEREAU_PROFILE_DPOP)
        return MEREAU_OK; /* of its own key: dpop.c */
    int there = mru_said_get(&cnf, c->said, MRU_CLAIM_CNF);
    if (!there && jkt == NULL)
        return MEREAU_OK;
    if (jkt == NULL)
        return mru_refuse_claim(c, MEREAU_E_CLAIM, "cnf", "RFC 9449 7.2",
                                "a bearer token", "one bound to a key");
    if (there && cnf.kind == 'o' && mru_json_count(&cnf) == 1 &&
        mru_json_member(&bound, &cnf, "jkt"))
        text = mru_said_text(c->said, &bound);
    if (text && strcmp(text, jkt) == 0)
        return MEREAU_OK;
    return mru_refuse_claim(c, MEREAU_E_DEVICE, "cnf", "RFC 9449 7.2",
                            "a token bound to the key that was proved",
                            there ? "one bound to another" : "a bearer token");
}

static mereau_status check_scope(struct mru_check *c) {
    const char *most = c->verifier->max_scope, *at;
    struct mru_jval scope;
    char found[MRU_SAY];
    if (most == NULL || !mru_said_get(&scope, c->said, MRU_CLAIM_SCOPE))
        return MEREAU_OK;
    at = mru_said_text(c->said, &scope);
    if (!at)
        return mru_refuse_claim(c, MEREAU_E_CLAIM, "scope", "RFC 9068 2.2.3",
                                "a text of words", "something else");
    for (at += strspn(at, " "); *at != '\0'; at += strspn(at, " ")) {
        size_t len = strcspn(at, " ");
        if (!mru_has_word(most, at, len))
            return mru_refuse_claim(c, MEREAU_E_SCOPE, "scope", "RFC 6749 3.3",
                                    most, mru_show(&scope, found));
        at += len;
    }
    return MEREAU_OK;
}

static int has_value(const struct mru_said *said, const struct mru_jval *claim,
                     const char *value) {
    struct mru_jval one;
    const char *text = mru_said_text(said, claim);
    size_t pos = 0;
    if (text)
        return strcmp(text, value) == 0;
    while (claim->kind == 'a' && mru_json_next(claim, &pos, NULL, &one)) {
        text = mru_said_text(said, &one);
        if (text && strcmp(text, value) == 0)
            return 1;
    }
    return 0;
}

static mereau_status check_claims(struct mru_check *c) {
    for (size_t i = 0; i < c->verifier->n_claims; i++) {
        const struct mru_claim_rule *rule = &c->verifier->claims[i];
        struct mru_jval value;
        if (!mru_said_find(&value, c->said, rule->name))
            return mru_refuse(c->err, MEREAU_E_CLAIM, "jwt.claim", NULL,
                              rule->name, "none");
        if (rule->value && !has_value(c->said, &value, rule->value))
            return mru_refuse(c->err, MEREAU_E_CLAIM, "jwt.claim", NULL,
                              rule->name, "another value");
    }
    return MEREAU_OK;
}

static mereau_status check_host(struct mru_check *c) {
    int32_t code;
    if (c->verifier->check == NULL)
        return MEREAU_OK;
    code = c->verifier->check(c->verifier->check_user, c->claims, c->now_at);
    if (code == 0)
        return MEREAU_OK;
    return mru_refuse_host(c->err, MEREAU_E_CLAIM, code, "jwt.check",
                           "what the host's check wants", "something else");
}

/* In this order. again: the answer depends on more than the token and the verifier,
 * which is closed for changes. */
static const struct {
    mereau_status (*check)(struct mru_check *c);
    int again;
} checks[] = {
    {check_type, 0},         {check_issuer, 0},       {check_audience, 0},
    {mru_check_expiry, 1},   {mru_check_start, 1},    {mru_check_issued, 1},
    {mru_check_required, 0}, {mru_check_lifetime, 1}, {mru_check_auth_time, 1},
    {mru_check_profile, 1},  {check_subject, 0},      {check_binding, 1},
    {mru_check_expected, 1}, {check_scope, 0},        {check_claims, 0},
    {mru_check_owner, 1},    {mru_check_notices, 1},  {check_host, 1},
};

static mereau_status run(struct mru_check *c, int again) {
    mereau_status status = MEREAU_OK;
    for (size_t i = 0;
         status == MEREAU_OK && i < sizeof checks / sizeof checks[0]; i++)
        if (!again || checks[i].again)
            status = checks[i].check(c);
    return status;
}

mereau_status mru_check_all(struct mru_check *c) { return run(c, 0); }

mereau_status mru_check_again(struct mru_check *c) { return run(c, 1); }
