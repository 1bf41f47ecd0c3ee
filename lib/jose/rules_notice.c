/* lib/jose/rules_notice.c - what a tenant of our own has taken back since a token
 * was issued, as its snapshot tells a verifier that reads no store. */
#include "rules.h"

/* What the claim MRU_CLAIM_BEFORE says of one level: 1, or 0 without it. */
static int was_issued(const struct mru_check *c, size_t level,
                      int64_t *issued_at, int64_t *known_at) {
    struct mru_jval list, one;
    int64_t number[1 + MRU_BEFORE_LEVELS];
    size_t at = 0, n = 0;
    if (level >= MRU_BEFORE_LEVELS ||
        !mru_said_find(&list, c->said, MRU_CLAIM_BEFORE) || list.kind != 'a')
        return 0;
    while (n <= MRU_BEFORE_LEVELS && mru_json_next(&list, &at, NULL, &one))
        if (mru_json_int(&one, &number[n++]) != 0)
            return 0;
    if (n <= MRU_BEFORE_LEVELS)
        return 0;
    *issued_at = number[0];
    *known_at = number[1 + level];
    return 1;
}

/* Whether one notice about this token is against it. */
static int is_taken_back(const struct mru_check *c, char kind,
                         const char *claim, size_t level) {
    const char *id = claim ? mru_said_text_of(c->said, claim) : "";
    int64_t at = 0, issued_at, known_at;
    if (!id || !mru_keyset_not_before(c->set, kind, id, strlen(id), &at))
        return 0;
    if (at != INT64_MAX && was_issued(c, level, &issued_at, &known_at))
        return issued_at <= at && known_at < at;
    return at == INT64_MAX || c->has_iat == 0 || c->iat_at <= at;
}

/* An app's own key (notice 'o') signs for that app only (notice 'k'). */
mereau_status mru_check_owner(struct mru_check *c) {
    char pair[128 + 1 + MEREAU_MAX_TEXT + 1]; /* kid, line feed, client_id */
    const char *kid = c->key ? mru_key_kid(c->key) : "", *client;
    size_t kid_len = strlen(kid), len;
    int64_t at;
    if (!c->set || c->set->n_notices == 0 ||
        !mru_keyset_not_before(c->set, 'o', kid, kid_len, &at))
        return MEREAU_OK;
    client = mru_said_text_of(c->said, "client_id");
    len = client ? strlen(client) : 0;
    if (client && kid_len <= 128 && len <= MEREAU_MAX_TEXT) {
        mru_say(pair, sizeof pair, "%s\n%s", kid, client);
        if (mru_keyset_not_before(c->set, 'k', pair, kid_len + 1 + len, &at))
            return MEREAU_OK;
    }
    return mru_refuse_claim(c, MEREAU_E_CLAIM, "client_id", NULL,
                            "the app whose key signed", "another one");
}

mereau_status mru_check_notices(struct mru_check *c) {
    static const struct {
        char kind;
        const char *claim, *found;
    } kinds[] = {{'t', NULL, "a token of before it, of this tenant"},
                 {'a', "client_id", "a token of before it, of this app"},
                 {'s', "sub", "a token of before it, of this subject"},
                 {'d', "device_id", "a token of before it, of this device"},
                 {'f', "sid", "a token of before it, of this session"}};
    if (!c->set || c->set->n_notices == 0)
        return MEREAU_OK;
    for (size_t i = 0; i < sizeof kinds / sizeof kinds[0]; i++)
        if (is_taken_back(c, kinds[i].kind, kinds[i].claim, i))
            return mru_refuse(c->err, MEREAU_E_NOT_BEFORE, "jwt.not_before",
                              NULL, "issued after the not-before",
                              kinds[i].found);
    return MEREAU_OK;
}
