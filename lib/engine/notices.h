/* lib/engine/notices.h - record v: what verifiers without a store must refuse
 * though the signature is right. An entry is forgotten when the last access token
 * that it could concern has expired. */
#ifndef MRU_ENGINE_NOTICES_H
#define MRU_ENGINE_NOTICES_H

#include "engine.h"

#define MRU_MAX_NOTICES 400
#define MRU_MAX_NOTICE_BYTES 49152 /* of all of them */

/* Wants record v, so that it comes with the first get. */
mereau_status mru_notice_want(mereau_op *op);
/* Tokens of kind 'a' app, 's' subject, 'd' device or 'f' family (jose/verifier.h)
 * with this id and iat <= not_before_at (INT64_MAX: all) are refused; an entry that
 * refuses more stays. Stages record v; when there are too many, those go that would
 * be forgotten first. MRU_MORE when v was not read yet. longest_access_s:
 * mru_longest_access(). */
mereau_status mru_notice_add(mereau_op *op, char kind, const char *id,
                             int64_t not_before_at, int64_t longest_access_s);
/* What refused all of them is over (the app is enabled again): only not_before_at
 * is left of it, or nothing (MEREAU_UNSET). */
mereau_status mru_notice_lift(mereau_op *op, char kind, const char *id,
                              int64_t not_before_at, int64_t longest_access_s);

/* The longest lifetime that access tokens of this tenant ever had. */
int64_t mru_longest_access(const struct mru_bag *tenant);
/* Keeps it when a tenant's or app's setting is changed: 1 when record t has to be
 * written because of it. */
int mru_note_access(struct mru_bag *tenant, int64_t access_s);

#endif
