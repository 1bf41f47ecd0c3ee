/* lib/engine/classes_admin.h - the operations on tenants and keys, for the table
 * in classes.c. */
#ifndef MRU_ENGINE_CLASSES_ADMIN_H
#define MRU_ENGINE_CLASSES_ADMIN_H

#include "engine.h"

/* tenant.c, tenant_create.c, notbefore_op.c, purge.c */
extern const struct mru_op_class mru_class_tenant_create;
extern const struct mru_op_class mru_class_tenant_get;
extern const struct mru_op_class mru_class_tenant_update;
extern const struct mru_op_class mru_class_not_before_raise;
extern const struct mru_op_class mru_class_tenant_purge;
/* key.c, key_revoke.c */
extern const struct mru_op_class mru_class_key_generate;
extern const struct mru_op_class mru_class_key_import;
extern const struct mru_op_class mru_class_key_retire;
extern const struct mru_op_class mru_class_key_revoke;
extern const struct mru_op_class mru_class_key_list;
extern const struct mru_op_class mru_class_key_jwks;
/* verifier_load.c; takes more than fields, so mereau_op_new() does not know it */
extern const struct mru_op_class mru_class_verifier_load;

#endif
