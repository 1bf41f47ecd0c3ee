/* lib/engine/client_auth.h - client authentication by secret. */
#ifndef MRU_ENGINE_CLIENT_AUTH_H
#define MRU_ENGINE_CLIENT_AUTH_H

#include "engine.h"

/* Whether secret (NULL: none was given) is one of the app's. above->app may be
 * NULL. The same hashes and comparisons are made whether there is such an app and
 * however many secrets it has. MEREAU_E_CLIENT, with the rules client.missing,
 * client.unknown, client.secret, client.secret_not_yet, client.secret_expired.
 * Whether the app is enabled is left to mru_check_app. Once it is right, op->event
 * has the secret's id, and a last use may be noted after the commit
 * (op->after). */
mereau_status mru_client_authenticate(mereau_op *op,
                                      const struct mru_above *above,
                                      const char *secret);
/* What is kept of a client secret. 0 or -1. */
int mru_client_digest(uint8_t out[32], const char *secret);
/* The row of record u about one credential (MEREAU_SECRET_ID or MEREAU_KID): its
 * last use, or MEREAU_UNSET. */
int64_t mru_client_last_use(const struct mru_bag *used, int32_t field,
                            const char *id);

#endif
