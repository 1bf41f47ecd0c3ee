/* lib/engine/admin.h - what the operations on a tenant and its keys share: they
 * read records t and k themselves (not from the cache, for they rewrite them) and
 * rewrite the tenant's head with every change. */
#ifndef MRU_ENGINE_ADMIN_H
#define MRU_ENGINE_ADMIN_H

#include "engine.h"
#include "keyring_record.h"
#include "notices.h"

struct mru_admin {
    struct mru_bag tenant; /* record t */
    struct mru_bag record; /* record k */
    struct mru_keyring *ring; /* of it, not prepared; NULL without keys */
};
enum { MRU_CHANGED_TENANT = 1, MRU_CHANGED_KEYS = 2 };

/* Reads head, tenant and, with keys, the keyring in one get: MRU_MORE;
 * MEREAU_E_UNKNOWN when there is no such tenant. A disabled tenant can be
 * administered. */
mereau_status mru_admin_open(mereau_op *op, struct mru_admin *admin,
                             int with_keys);
void mru_admin_close(struct mru_admin *admin);
/* Stages what was changed (MRU_CHANGED_*) and the head. */
mereau_status mru_admin_commit(mereau_op *op, struct mru_admin *admin,
                               uint32_t changed);
/* Reads an app's record, which must be there and not deleted: MRU_MORE;
 * MEREAU_E_UNKNOWN. */
mereau_status mru_admin_app(mereau_op *op, const char *client_id,
                            struct mru_bag *app);

/* A key pair made for this operation: made once, the same at every attempt. slot:
 * 0 or 1. The operation keeps it. */
mereau_status mru_made_key(mereau_op *op, size_t slot, int32_t alg,
                           const mru_key **key);
/* The algorithm that MEREAU_ALG names, an asymmetric one: MEREAU_E_ALG. */
mereau_status mru_asked_alg(mereau_op *op, int32_t otherwise, int32_t *alg);

/* --- tenant.c --- */
/* Ranges of the settings that a tenant may be given. */
mereau_status mru_tenant_check(mereau_op *op);
/* Fills op->out as mereau_tenant_get() does. */
void mru_tenant_show(mereau_op *op, const struct mru_admin *admin);

#endif
