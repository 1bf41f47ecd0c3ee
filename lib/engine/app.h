/* lib/engine/app.h - record a, an app: what it may be given, what of it is shown,
 * and what its operations share. Record u beside it says when its credentials
 * were last used. */
#ifndef MRU_ENGINE_APP_H
#define MRU_ENGINE_APP_H

#include "admin.h"

#define MRU_MAX_CLIENT_ID 128
#define MRU_MAX_AUDIENCES 64 /* one bit each in what is issued */
#define MRU_MAX_CREDENTIALS 16 /* of each kind, in one app */

/* --- app_record.c --- */

/* What an app may be given besides its name. */
#define MRU_APP_SETTINGS                                                       \
    MEREAU_SCOPE, MEREAU_AUDIENCE, MEREAU_ALG, MEREAU_ACCESS_LIFETIME_S,       \
        MEREAU_REFRESH_LIFETIME_S, MEREAU_REFRESH_IDLE_S,                      \
        MEREAU_FAMILY_LIFETIME_S, MEREAU_AUTH_LIFETIME_S, MEREAU_DESCRIPTION,  \
        MEREAU_LABEL, MEREAU_REFERENCE, MEREAU_CONTACT, MEREAU_INFORMATION,    \
        MEREAU_LOGO_URI, MEREAU_REDIRECT_URI, MEREAU_ACCESS_DENIED_URI,        \
        MEREAU_FAILED_URI, MEREAU_ERROR_URI, MEREAU_ENABLED, MEREAU_EXTERNAL,  \
        MEREAU_NATIVE, MEREAU_CONFIDENTIAL, MEREAU_PKCE_REQUIRED,              \
        MEREAU_GRANT_TYPE, MEREAU_TOKEN_FORMAT, MEREAU_ACCESS_TOKEN_TYP,       \
        MEREAU_OMIT_EXPIRED_REFRESH

/* What mereau_app_create() and _update() take, 0-terminated; the name too. */
extern const int32_t mru_app_settings[];

/* Checks the inputs that can be judged alone. update: an empty text or list takes
 * a setting away. */
mereau_status mru_app_check_inputs(mereau_op *op, int update);
/* Puts the inputs into a record. */
void mru_app_apply(const mereau_op *op, struct mru_bag *app);
/* Checks what the record is after that: its URIs and grants, and that the algorithm
 * asked for has a key that signs. MEREAU_E_MALFORMED, _POLICY, _ALG. */
mereau_status mru_app_check(mereau_op *op, const struct mru_bag *app,
                            const struct mru_keyring *ring);
/* The fields of mereau_app_get(); used may be NULL. */
void mru_app_show(struct mru_bag *out, const struct mru_bag *app,
                  const struct mru_bag *used);

/* --- app.c --- */

/* Record u of an app. */
void mru_key_used(struct mru_rkey *key, const char *client_id);
/* Reads tenant and app, which must be there, in one get. */
mereau_status mru_app_open(mereau_op *op, uint32_t with,
                           struct mru_admin *admin, struct mru_bag *app);
/* Stages the app, the witness and the head. */
mereau_status mru_app_put(mereau_op *op, struct mru_bag *app);

#endif
