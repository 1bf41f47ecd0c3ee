/* lib/engine/app_record.c - what an app may be given, and what is shown of it. */
#include "app.h"

#include "../model/redirect.h"

const int32_t mru_app_settings[] = {MEREAU_NAME, MRU_APP_SETTINGS, 0};

/* --- inputs --- */

static int is_empty(const struct mru_item *item) {
    return (item->type == 'T' && item->len == 0) ||
           (item->type == 'L' && item->count == 1 && item->data[0] == '\0');
}

static mereau_status check_filled(mereau_op *op, int update) {
    for (size_t f = 0; mru_app_settings[f] != 0; f++) {
        int32_t field = mru_app_settings[f];
        const struct mru_item *item = mru_bag_find(&op->in, field);
        int clears = update && field != MEREAU_NAME;
        if (item == NULL || (clears && is_empty(item)))
            continue;
        int bad = item->type == 'T' && item->len == 0;
        for (size_t i = 0; item->type == 'L' && i < item->count; i++)
            bad = bad || mru_bag_text_at(&op->in, field, i)[0] == '\0';
        if (bad)
            return mru_refuse(&op->err, MEREAU_E_ARG, "op.length", NULL,
                              mereau_field_name(field), "an empty one");
    }
    return MEREAU_OK;
}

static mereau_status check_ranges(mereau_op *op) {
    static const struct {
        int32_t field;
        int64_t least, most;
    } ranges[] = {
        {MEREAU_ACCESS_LIFETIME_S, 1, MRU_MAX_ACCESS_S},
        {MEREAU_REFRESH_LIFETIME_S, 0, MRU_MAX_LIFETIME_LIMIT_S},
        {MEREAU_REFRESH_IDLE_S, 1, MRU_MAX_LIFETIME_LIMIT_S},
        {MEREAU_AUTH_LIFETIME_S, 1, MRU_MAX_LIFETIME_LIMIT_S},
        {MEREAU_FAMILY_LIFETIME_S, 1, MRU_MAX_LIFETIME_LIMIT_S},
    };
    mereau_status status = MEREAU_OK;
    for (size_t i = 0;
         i < sizeof ranges / sizeof ranges[0] && status == MEREAU_OK; i++)
        status = mru_check_range(op, ranges[i].field, ranges[i].least,
                                 ranges[i].most);
    return status;
}

static mereau_status check_lengths(mereau_op *op) {
    static const int32_t names[] = {MEREAU_NAME, MEREAU_LABEL};
    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++) {
        const char *text = mru_bag_text(&op->in, names[i]);
        if (text != NULL && text[0] != '\0') {
            mereau_status status = mru_check_length(op, names[i], 256);
            if (status != MEREAU_OK)
                return status;
        }
    }
    if (mru_bag_count(&op->in, MEREAU_AUDIENCE) > MRU_MAX_AUDIENCES)
        return mru_refuse(&op->err, MEREAU_E_TOO_LONG, "app.audience", NULL,
                          "at most 64 audiences", "more");
    return MEREAU_OK;
}

/* A text, or every text of a list, is one of the words (NULL-terminated) or
 * empty. */
static mereau_status check_words(mereau_op *op, int32_t field,
                                 const char *const *words, const char *rule,
                                 const char *wanted) {
    size_t n = mru_bag_count(&op->in, field);
    for (size_t i = 0; i < n; i++) {
        const char *text = mru_bag_text_at(&op->in, field, i);
        size_t w = 0;
        while (words[w] != NULL && strcmp(words[w], text) != 0)
            w++;
        if (words[w] == NULL && text[0] != '\0')
            return mru_refuse(&op->err, MEREAU_E_POLICY, rule, NULL, wanted,
                              "another word");
    }
    return MEREAU_OK;
}

mereau_status mru_app_check_inputs(mereau_op *op, int update) {
    static const char *const grants[] = {"registration_token", "refresh_token",
                                         "authorization_code",
                                         "client_credentials", NULL};
    static const char *const formats[] = {"jwt", "opaque", NULL};
    static const char *const typs[] = {"at+jwt", "JWT", NULL};
    const char *scope = mru_bag_text(&op->in, MEREAU_SCOPE);
    mereau_status status = check_filled(op, update);
    if (status == MEREAU_OK)
        status = check_lengths(op);
    if (status == MEREAU_OK)
        status = check_ranges(op);
    if (status == MEREAU_OK && scope != NULL)
        status = mru_check_scope(op, scope);
    if (status == MEREAU_OK)
        status = check_words(op, MEREAU_GRANT_TYPE, grants, "app.grant_type",
                             "registration_token, refresh_token, "
                             "authorization_code, client_credentials");
    if (status == MEREAU_OK)
        status = check_words(op, MEREAU_TOKEN_FORMAT, formats,
                             "app.token_format", "jwt or opaque");
    if (status == MEREAU_OK)
        status = check_words(op, MEREAU_ACCESS_TOKEN_TYP, typs,
                             "app.access_token_typ", "at+jwt or JWT");
    return status;
}

void mru_app_apply(const mereau_op *op, struct mru_bag *app) {
    for (size_t f = 0; mru_app_settings[f] != 0; f++) {
        const struct mru_item *item =
            mru_bag_find(&op->in, mru_app_settings[f]);
        if (item != NULL && is_empty(item))
            mru_bag_unset(app, mru_app_settings[f]);
        else if (item != NULL)
            mru_bag_copy(app, &op->in, mru_app_settings[f]);
    }
}

/* --- the record --- */

static mereau_status check_uris(mereau_op *op, const struct mru_bag *app) {
    static const int32_t fields[] = {
        MEREAU_REDIRECT_URI, MEREAU_ACCESS_DENIED_URI, MEREAU_FAILED_URI,
        MEREAU_ERROR_URI, MEREAU_LOGO_URI};
    int native = mru_bag_int_or(app, MEREAU_NATIVE, 0) != 0;
    for (size_t f = 0; f < sizeof fields / sizeof fields[0]; f++)
        for (size_t i = 0; i < mru_bag_count(app, fields[f]); i++) {
            const char *uri = mru_bag_text_at(app, fields[f], i);
            const char *problem = mru_redirect_problem(
                uri, strlen(uri), native && fields[f] != MEREAU_LOGO_URI);
            if (problem != NULL) {
                char wanted[96];
                mru_say(wanted, sizeof wanted,
                        "%s: https, http to 127.0.0.1 or [::1], "
                        "or a native app's own scheme",
                        mereau_field_name(fields[f]));
                return mru_refuse(&op->err, MEREAU_E_MALFORMED,
                                  "app.redirect_uri", "RFC 8252 7", wanted,
                                  problem);
            }
        }
    return MEREAU_OK;
}

/* Only a key that signs now: what is issued meanwhile could not be signed. */
static mereau_status check_alg(mereau_op *op, const struct mru_bag *app,
                               const struct mru_keyring *ring) {
    const char *name = mru_bag_text(app, MEREAU_ALG);
    int32_t alg;
    if (name == NULL || !mru_bag_has(&op->in, MEREAU_ALG))
        return MEREAU_OK;
    alg = mru_alg_find(name, strlen(name));
    if (alg != 0 && ring != NULL &&
        mru_keyring_signer(ring, mru_bag_text(app, MEREAU_CLIENT_ID), alg,
                           op->now_at) != NULL)
        return MEREAU_OK;
    return mru_refuse(&op->err, MEREAU_E_ALG, "app.alg", NULL,
                      "an algorithm that one of the keys signs with",
                      alg == 0 ? "an unknown one" : name);
}

mereau_status mru_app_check(mereau_op *op, const struct mru_bag *app,
                            const struct mru_keyring *ring) {
    mereau_status status = check_uris(op, app);
    if (status == MEREAU_OK)
        status = check_alg(op, app, ring);
    if (status == MEREAU_OK &&
        mru_bag_lists(app, MEREAU_GRANT_TYPE, "client_credentials") &&
        mru_bag_int_or(app, MEREAU_CONFIDENTIAL, 0) == 0)
        status = mru_refuse(
            &op->err, MEREAU_E_POLICY, "app.confidential", "RFC 6749 4.4",
            "client_credentials for confidential apps only", "a public app");
    return status;
}

void mru_app_show(struct mru_bag *out, const struct mru_bag *app,
                  const struct mru_bag *used) {
    int64_t enabled = mru_bag_int_or(app, MEREAU_ENABLED, 1);
    for (size_t i = 0; i < app->n; i++)
        if (mereau_field_name(app->items[i].field) != NULL)
            mru_bag_copy(out, app, app->items[i].field);
    mru_bag_set_int(out, MEREAU_ENABLED, 'B', enabled);
    mru_bag_set_text(out, MEREAU_STATE, enabled ? "active" : "disabled");
    if (used != NULL)
        mru_bag_copy(out, used, MEREAU_LAST_USED_AT);
}
