/* lib/engine/classes_core.h - the operations of registration tokens, auth tokens
 * and families. */
#ifndef MRU_ENGINE_CLASSES_CORE_H
#define MRU_ENGINE_CLASSES_CORE_H

#include "engine.h"

extern const struct mru_op_class mru_class_registration_token_mint;
extern const struct mru_op_class mru_class_registration_token_mint_many;
extern const struct mru_op_class mru_class_registration_token_redeem;
extern const struct mru_op_class mru_class_registration_token_get;
extern const struct mru_op_class mru_class_registration_token_update;
extern const struct mru_op_class mru_class_registration_token_reissue;
extern const struct mru_op_class mru_class_registration_token_revoke;
extern const struct mru_op_class mru_class_registration_token_list;
extern const struct mru_op_class mru_class_device_block;
extern const struct mru_op_class mru_class_device_unblock;
extern const struct mru_op_class mru_class_device_rearm;
extern const struct mru_op_class mru_class_auth_token_exchange;
extern const struct mru_op_class mru_class_auth_token_revoke;
extern const struct mru_op_class mru_class_auth_token_list;
extern const struct mru_op_class mru_class_token_refresh;
extern const struct mru_op_class mru_class_token_introspect;
extern const struct mru_op_class mru_class_token_verify_live;
extern const struct mru_op_class mru_class_token_revoke;
extern const struct mru_op_class mru_class_family_revoke;
extern const struct mru_op_class mru_class_family_list;

#endif
