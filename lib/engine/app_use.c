/* lib/engine/app_use.c - what is asked about an app while it is used: is it who
 * it says, and may somebody be sent back there. */
#include <mereau/app.h>

#include "../model/redirect.h"
#include "classes_app.h"
#include "client_auth.h"

/* --- authenticate --- */

static mereau_status check_enabled(mereau_op *op,
                                   const struct mru_above *above) {
    if (mru_bag_int_or(above->tenant, MEREAU_ENABLED, 1) != 0 &&
        mru_bag_int_or(above->app, MEREAU_ENABLED, 1) != 0)
        return MEREAU_OK;
    return mru_refuse(&op->err, MEREAU_E_CLIENT, "client.disabled", NULL,
                      "an enabled app of an enabled tenant", "a disabled one");
}

static mereau_status decide_authenticate(mereau_op *op) {
    const char *client_id = mru_bag_text(&op->in, MEREAU_CLIENT_ID);
    struct mru_above above;
    mereau_status status = mru_gather(op, MRU_WITH_APP, client_id, &above);
    mru_bag_set_text(&op->event, MEREAU_CLIENT_ID, client_id);
    if (status == MEREAU_OK)
        status = mru_client_authenticate(
            op, &above, mru_bag_text(&op->in, MEREAU_CLIENT_SECRET));
    if (status == MEREAU_OK)
        status = check_enabled(op, &above);
    if (status == MEREAU_OK)
        mru_bag_copy(&op->out, &op->event, MEREAU_SECRET_ID);
    return status;
}

static const int32_t authenticate_must[] = {MEREAU_CLIENT_ID, 0};
static const int32_t authenticate_takes[] = {
    MEREAU_CLIENT_SECRET, MEREAU_REMOTE_ADDRESS, MEREAU_USER_AGENT, 0};
const struct mru_op_class mru_class_app_authenticate = {
    "app_authenticate", "app.authenticate", 0,
    authenticate_must,  authenticate_takes, NULL,
    decide_authenticate};

mereau_op *mereau_app_authenticate(const mereau_tenant *tenant,
                                   const char *client_id, const char *secret) {
    mereau_op *op = mru_op_make(tenant, &mru_class_app_authenticate);
    mereau_op_set_text(op, MEREAU_CLIENT_ID, client_id);
    mereau_op_set_text(op, MEREAU_CLIENT_SECRET, secret);
    return op;
}

/* --- redirect_check --- */

static int is_registered(const struct mru_bag *app, const char *uri) {
    size_t n = mru_bag_count(app, MEREAU_REDIRECT_URI), len = strlen(uri);
    int found = 0;
    for (size_t i = 0; i < n && !found; i++) {
        const char *one = mru_bag_text_at(app, MEREAU_REDIRECT_URI, i);
        found = mru_redirect_match(one, strlen(one), uri, len);
    }
    return found;
}

static void show(mereau_op *op, const struct mru_bag *app, const char *uri) {
    static const char *const grants[] = {"registration_token", "refresh_token"};
    mru_bag_add_text(&op->out, MEREAU_REDIRECT_URI, uri, strlen(uri));
    mru_bag_set_int(&op->out, MEREAU_PKCE_REQUIRED, 'B',
                    mru_bag_int_or(app, MEREAU_PKCE_REQUIRED, 1));
    mru_bag_set_int(&op->out, MEREAU_CONFIDENTIAL, 'B',
                    mru_bag_int_or(app, MEREAU_CONFIDENTIAL, 0));
    mru_bag_copy(&op->out, app, MEREAU_ACCESS_DENIED_URI);
    mru_bag_copy(&op->out, app, MEREAU_FAILED_URI);
    mru_bag_copy(&op->out, app, MEREAU_ERROR_URI);
    mru_bag_copy(&op->out, app, MEREAU_GRANT_TYPE);
    for (size_t i = 0; i < 2 && mru_bag_count(app, MEREAU_GRANT_TYPE) == 0; i++)
        mru_bag_add_text(&op->out, MEREAU_GRANT_TYPE, grants[i],
                         strlen(grants[i]));
}

static mereau_status decide_redirect(mereau_op *op) {
    const char *client_id = mru_bag_text(&op->in, MEREAU_CLIENT_ID);
    const char *uri = mru_bag_text(&op->in, MEREAU_REDIRECT_URI);
    struct mru_above above;
    mereau_status status = mru_gather(op, MRU_WITH_APP, client_id, &above);
    if (status == MEREAU_OK)
        status = mru_check_tenant(op, &above);
    if (status == MEREAU_OK)
        status = mru_check_app(op, &above);
    if (status == MEREAU_OK &&
        (mru_bag_count(&op->in, MEREAU_REDIRECT_URI) != 1 ||
         !is_registered(above.app, uri)))
        status = mru_refuse(&op->err, MEREAU_E_POLICY, "app.redirect_uri",
                            "RFC 9700 4.1.3",
                            "exactly a redirect URI of the app", "another one");
    if (status == MEREAU_OK)
        show(op, above.app, uri);
    return status;
}

static const int32_t redirect_must[] = {MEREAU_CLIENT_ID, MEREAU_REDIRECT_URI,
                                        0};
const struct mru_op_class mru_class_app_redirect_check = {"app_redirect_check",
                                                          "app.redirect_check",
                                                          MRU_OP_QUIET,
                                                          redirect_must,
                                                          NULL,
                                                          NULL,
                                                          decide_redirect};

mereau_op *mereau_app_redirect_check(const mereau_tenant *tenant,
                                     const char *client_id,
                                     const char *redirect_uri) {
    mereau_op *op = mru_op_make(tenant, &mru_class_app_redirect_check);
    mereau_op_set_text(op, MEREAU_CLIENT_ID, client_id);
    mereau_op_set_text(op, MEREAU_REDIRECT_URI, redirect_uri);
    return op;
}
