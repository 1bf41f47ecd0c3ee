/* lib/engine/classes_app.h - the operations on apps and their credentials, and
 * the list of kept events; classes.c collects them. */
#ifndef MRU_ENGINE_CLASSES_APP_H
#define MRU_ENGINE_CLASSES_APP_H

#include "engine.h"

extern const struct mru_op_class mru_class_app_create;
extern const struct mru_op_class mru_class_app_get;
extern const struct mru_op_class mru_class_app_update;
extern const struct mru_op_class mru_class_app_delete;
extern const struct mru_op_class mru_class_app_list;
extern const struct mru_op_class mru_class_app_redirect_check;
extern const struct mru_op_class mru_class_app_secret_add;
extern const struct mru_op_class mru_class_app_secret_remove;
extern const struct mru_op_class mru_class_app_key_add;
extern const struct mru_op_class mru_class_app_key_remove;
extern const struct mru_op_class mru_class_app_credential_list;
extern const struct mru_op_class mru_class_app_authenticate;
extern const struct mru_op_class mru_class_audit_list;

#endif
