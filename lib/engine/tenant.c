/* lib/engine/tenant.c - a tenant's settings: read and changed. Making one is in
 * tenant_create.c. */
#include <mereau/tenant.h>

#include "admin.h"
#include "classes_admin.h"

/* What a tenant is given and can be given anew; MEREAU_ALG aside. */
static const int32_t settings[] = {MEREAU_LABEL,
                                   MEREAU_MAX_LIFETIME_S,
                                   MEREAU_GRACE_S,
                                   MEREAU_ACCESS_LIFETIME_S,
                                   MEREAU_REFRESH_LIFETIME_S,
                                   MEREAU_REFRESH_IDLE_S,
                                   MEREAU_AUTH_LIFETIME_S,
                                   MEREAU_FAMILY_LIFETIME_S};
#define N_SETTINGS (sizeof settings / sizeof *settings)

mereau_status mru_tenant_check(mereau_op *op) {
    static const struct {
        int32_t field;
        int64_t least, most;
    } ranges[] = {
        {MEREAU_ACCESS_LIFETIME_S, 1, MRU_MAX_ACCESS_S},
        {MEREAU_REFRESH_LIFETIME_S, 0, MRU_MAX_LIFETIME_LIMIT_S},
        {MEREAU_REFRESH_IDLE_S, 1, MRU_MAX_LIFETIME_LIMIT_S},
        {MEREAU_AUTH_LIFETIME_S, 1, MRU_MAX_LIFETIME_LIMIT_S},
        {MEREAU_FAMILY_LIFETIME_S, 1, MRU_MAX_LIFETIME_LIMIT_S},
        {MEREAU_GRACE_S, 0, 600},
        {MEREAU_MAX_LIFETIME_S, 1, MRU_MAX_LIFETIME_LIMIT_S},
    };
    mereau_status status = mru_check_length(op, MEREAU_LABEL, 256);
    for (size_t i = 0;
         status == MEREAU_OK && i < sizeof ranges / sizeof *ranges; i++)
        status = mru_check_range(op, ranges[i].field, ranges[i].least,
                                 ranges[i].most);
    return status;
}

void mru_tenant_show(mereau_op *op, const struct mru_admin *admin) {
    static const struct {
        int32_t field;
        int64_t otherwise;
    } defaults[] = {
        {MEREAU_MAX_LIFETIME_S, MRU_DEFAULT_MAX_LIFETIME_S},
        {MEREAU_GRACE_S, MRU_DEFAULT_GRACE_S},
        {MEREAU_ACCESS_LIFETIME_S, MRU_DEFAULT_ACCESS_S},
        {MEREAU_REFRESH_LIFETIME_S, MRU_DEFAULT_REFRESH_S},
    };
    static const int32_t shown[] = {MEREAU_ISSUER,
                                    MEREAU_ALG,
                                    MEREAU_LABEL,
                                    MEREAU_REFRESH_IDLE_S,
                                    MEREAU_AUTH_LIFETIME_S,
                                    MEREAU_FAMILY_LIFETIME_S,
                                    MEREAU_NOT_BEFORE_AT,
                                    MEREAU_CREATED_AT,
                                    MEREAU_CHANGED_AT};
    const struct mru_bag *tenant = &admin->tenant;
    const struct mru_ring_key *signer =
        mru_keyring_signer(admin->ring, NULL, 0, op->now_at);
    mru_bag_set_text(&op->out, MEREAU_TENANT_ID, op->tenant->name);
    for (size_t i = 0; i < sizeof shown / sizeof *shown; i++)
        mru_bag_copy(&op->out, tenant, shown[i]);
    for (size_t i = 0; i < sizeof defaults / sizeof *defaults; i++)
        mru_bag_set_int(
            &op->out, defaults[i].field, 'I',
            mru_bag_int_or(tenant, defaults[i].field, defaults[i].otherwise));
    mru_bag_set_int(&op->out, MEREAU_ENABLED, 'B',
                    mru_bag_int_or(tenant, MEREAU_ENABLED, 1));
    if (signer != NULL)
        mru_bag_set_text(&op->out, MEREAU_KID, signer->kid);
}

/* --- get --- */

static mereau_status decide_get(mereau_op *op) {
    struct mru_admin admin;
    mereau_status status = mru_admin_open(op, &admin, 1);
    mru_bag_set_text(&op->event, MEREAU_TENANT_ID, op->tenant->name);
    if (status == MEREAU_OK)
        mru_tenant_show(op, &admin);
    mru_admin_close(&admin);
    return status;
}

const struct mru_op_class mru_class_tenant_get = {
    "tenant_get", "tenant.get", MRU_OP_QUIET, NULL, NULL, NULL, decide_get};

mereau_op *mereau_tenant_get(const mereau_tenant *tenant) {
    return mru_op_make(tenant, &mru_class_tenant_get);
}

/* --- update --- */

/* What is asked for can be signed with, else nothing could be issued. */
static mereau_status change_alg(mereau_op *op, struct mru_admin *admin) {
    int32_t alg;
    mereau_status status;
    if (!mru_bag_has(&op->in, MEREAU_ALG))
        return MEREAU_OK;
    status = mru_asked_alg(op, 0, &alg);
    if (status == MEREAU_OK &&
        mru_keyring_signer(admin->ring, NULL, alg, op->now_at) == NULL)
        status = mru_refuse(&op->err, MEREAU_E_POLICY, "tenant.alg", NULL,
                            "an algorithm that one of the keys signs with",
                            mru_alg_name(alg));
    if (status == MEREAU_OK)
        mru_bag_set_text(&admin->tenant, MEREAU_ALG, mru_alg_name(alg));
    return status;
}

static mereau_status decide_update(mereau_op *op) {
    struct mru_admin admin = {0};
    mereau_status status = mru_tenant_check(op);
    mru_bag_set_text(&op->event, MEREAU_TENANT_ID, op->tenant->name);
    if (status == MEREAU_OK)
        status = mru_admin_open(op, &admin, 1);
    if (status == MEREAU_OK)
        status = change_alg(op, &admin);
    if (status == MEREAU_OK) {
        for (size_t i = 0; i < N_SETTINGS; i++)
            mru_bag_copy(&admin.tenant, &op->in, settings[i]);
        mru_bag_copy(&admin.tenant, &op->in, MEREAU_ENABLED);
        (void)mru_note_access(
            &admin.tenant,
            mru_bag_int_or(&op->in, MEREAU_ACCESS_LIFETIME_S, 0));
        status = mru_admin_commit(op, &admin, MRU_CHANGED_TENANT);
    }
    if (status == MEREAU_OK)
        mru_tenant_show(op, &admin);
    mru_admin_close(&admin);
    return status;
}

static const int32_t update_takes[] = {MEREAU_ALG,
                                       MEREAU_LABEL,
                                       MEREAU_MAX_LIFETIME_S,
                                       MEREAU_GRACE_S,
                                       MEREAU_ACCESS_LIFETIME_S,
                                       MEREAU_REFRESH_LIFETIME_S,
                                       MEREAU_REFRESH_IDLE_S,
                                       MEREAU_AUTH_LIFETIME_S,
                                       MEREAU_FAMILY_LIFETIME_S,
                                       MEREAU_ENABLED,
                                       0};

const struct mru_op_class mru_class_tenant_update = {
    "tenant_update", "tenant.update", 0, NULL, update_takes, NULL,
    decide_update};

mereau_op *mereau_tenant_update(const mereau_tenant *tenant) {
    return mru_op_make(tenant, &mru_class_tenant_update);
}
