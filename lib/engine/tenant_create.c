/* lib/engine/tenant_create.c - a new tenant: its heads, settings, first keys. */
#include <mereau/tenant.h>

#include "admin.h"
#include "classes_admin.h"

static int is_one_of(char c, const char *these) {
    return c != '\0' && strchr(these, c) != NULL;
}

static int is_alphanumeric(char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') ||
           (c >= '0' && c <= '9');
}

static int is_hex(char c) {
    return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'f') ||
           (c >= 'A' && c <= 'F');
}

/* RFC 8414 section 2: an https URL, no query, no fragment. Nobody's user name in
 * it either: it is published in every token. */
static int is_issuer(const char *issuer) {
    static const char scheme[] = "https://";
    const char *p = issuer + sizeof scheme - 1;
    size_t authority;
    if (strncmp(issuer, scheme, sizeof scheme - 1) != 0)
        return 0;
    authority = strcspn(p, "/");
    if (authority == 0 || p[0] == ':' || memchr(p, '@', authority) != NULL)
        return 0;
    for (; *p != '\0'; p++) {
        if (*p == '%' && !(is_hex(p[1]) && is_hex(p[2])))
            return 0;
        if (!is_alphanumeric(*p) && !is_one_of(*p, "-._~:/[]@!$&'()*+,;=%"))
            return 0;
    }
    return 1;
}

static mereau_status check(mereau_op *op, int32_t *alg) {
    mereau_status status = mru_asked_alg(op, MEREAU_ALG_ES256, alg);
    if (status == MEREAU_OK)
        status = mru_check_length(op, MEREAU_ISSUER, MEREAU_MAX_TEXT);
    if (status == MEREAU_OK && !is_issuer(mru_bag_text(&op->in, MEREAU_ISSUER)))
        status =
            mru_refuse(&op->err, MEREAU_E_MALFORMED, "tenant.issuer",
                       "RFC 8414 2", "an https URL without query and fragment",
                       mru_bag_text(&op->in, MEREAU_ISSUER));
    if (status == MEREAU_OK)
        status = mru_tenant_check(op);
    return status;
}

/* It exists: done, if it is the same one. */
static mereau_status repeat(mereau_op *op, const struct mru_admin *admin) {
    const char *issuer = mru_bag_text(&admin->tenant, MEREAU_ISSUER);
    if (issuer == NULL ||
        strcmp(issuer, mru_bag_text(&op->in, MEREAU_ISSUER)) != 0)
        return mru_refuse(&op->err, MEREAU_E_EXISTS, "tenant.issuer", NULL,
                          "a name that is not taken, or the same issuer",
                          "a tenant with another issuer");
    mru_tenant_show(op, admin);
    mru_bag_set_int(&op->out, MEREAU_REPEATED, 'B', 1);
    return MEREAU_OK;
}

/* The heads exist from now on, so that they can be compared at every commit. */
static mereau_status put_heads(mereau_op *op) {
    struct mru_bag bag = {0};
    struct mru_rkey key;
    mereau_status status;
    mru_bag_set_int(&bag, MRU_F_REVISION, 'I', 1);
    mru_key_head(&key);
    status =
        bag.failed ? MEREAU_E_NOMEM : mru_tx_put_new(&op->tx, &key, &bag, 0);
    for (uint8_t i = 0; status == MEREAU_OK && i < MRU_BUCKETS; i++) {
        mru_rkey_bucket(&key, &i);
        status = mru_tx_put_new(&op->tx, &key, &bag, 0);
    }
    mru_bag_free(&bag);
    mru_key_notices(&key);
    if (status == MEREAU_OK)
        status = mru_tx_put_new(&op->tx, &key, &bag, 0);
    return status;
}

/* The first key signs at once: nobody has older ones. The second one is only
 * published, so that it can take over the day the first one leaks. */
static mereau_status make_keys(mereau_op *op, struct mru_admin *admin,
                               int32_t alg) {
    const mru_key *first, *standby;
    struct mru_key_entry entry = {NULL, NULL, NULL, op->now_at};
    mereau_status status = mru_made_key(op, 0, alg, &first);
    if (status == MEREAU_OK)
        status = mru_keyring_add(op, admin->ring, first, &entry, NULL);
    if (status == MEREAU_OK)
        status = mru_made_key(op, 1, alg, &standby);
    entry.signs_at = MEREAU_UNSET;
    if (status == MEREAU_OK)
        status = mru_keyring_add(op, admin->ring, standby, &entry, NULL);
    return status;
}

static mereau_status put_new(mereau_op *op, struct mru_admin *admin,
                             int32_t alg) {
    struct mru_rkey key;
    struct mru_bag *tenant = &admin->tenant;
    mereau_status status;
    mru_bag_copy_all(tenant, &op->in);
    mru_bag_unset(tenant, MEREAU_ACTOR);
    mru_bag_unset(tenant, MEREAU_CORRELATION_ID);
    mru_bag_unset(tenant, MEREAU_REASON);
    mru_bag_set_text(tenant, MEREAU_ALG, mru_alg_name(alg));
    mru_bag_set_int(tenant, MEREAU_CREATED_AT, 'I', op->now_at);
    mru_bag_set_int(tenant, MEREAU_CHANGED_AT, 'I', op->now_at);
    mru_bag_set_int(
        tenant, MRU_F_LONGEST_ACCESS, 'I',
        mru_bag_int_or(tenant, MEREAU_ACCESS_LIFETIME_S, MRU_DEFAULT_ACCESS_S));
    if (tenant->failed)
        return MEREAU_E_NOMEM;
    status = mru_keyring_write(&admin->record, admin->ring, op->now_at,
                               mru_longest_access(tenant));
    mru_key_keyring(&key);
    if (status == MEREAU_OK)
        status = mru_tx_put_new(&op->tx, &key, &admin->record, 0);
    mru_key_tenant(&key);
    mru_tx_witness(&op->tx, &key);
    if (status == MEREAU_OK)
        status = mru_tx_put(&op->tx, &key, tenant, 0);
    if (status == MEREAU_OK)
        status = put_heads(op);
    return status;
}

static mereau_status create(mereau_op *op, struct mru_admin *admin,
                            int32_t alg) {
    mereau_status status;
    admin->ring = mru_alloc(sizeof *admin->ring);
    if (admin->ring == NULL)
        return MEREAU_E_NOMEM;
    status = make_keys(op, admin, alg);
    if (status == MEREAU_OK)
        status = put_new(op, admin, alg);
    if (status != MEREAU_OK)
        return status;
    mru_tenant_show(op, admin);
    mru_bag_set_int(&op->out, MEREAU_REPEATED, 'B', 0);
    return MEREAU_OK;
}

static mereau_status decide_create(mereau_op *op) {
    struct mru_admin admin = {0};
    int32_t alg;
    mereau_status status = check(op, &alg);
    mru_bag_set_text(&op->event, MEREAU_TENANT_ID, op->tenant->name);
    mru_bag_copy(&op->event, &op->in, MEREAU_ISSUER);
    if (status == MEREAU_OK) {
        status = mru_admin_open(op, &admin, 1);
        if (status == MEREAU_OK) {
            status = repeat(op, &admin);
        } else if (status == MEREAU_E_UNKNOWN) {
            mru_error_reset(&op->err);
            status = create(op, &admin, alg);
        }
    }
    mru_admin_close(&admin);
    return status;
}

static const int32_t create_must[] = {MEREAU_ISSUER, 0};
static const int32_t create_takes[] = {MEREAU_ALG,
                                       MEREAU_LABEL,
                                       MEREAU_MAX_LIFETIME_S,
                                       MEREAU_GRACE_S,
                                       MEREAU_ACCESS_LIFETIME_S,
                                       MEREAU_REFRESH_LIFETIME_S,
                                       MEREAU_REFRESH_IDLE_S,
                                       MEREAU_AUTH_LIFETIME_S,
                                       MEREAU_FAMILY_LIFETIME_S,
                                       0};

const struct mru_op_class mru_class_tenant_create = {
    "tenant_create", "tenant.create", 0, create_must, create_takes, NULL,
    decide_create};

mereau_op *mereau_tenant_create(const mereau_tenant *tenant,
                                const char *issuer) {
    mereau_op *op = mru_op_make(tenant, &mru_class_tenant_create);
    mereau_op_set_text(op, MEREAU_ISSUER, issuer);
    return op;
}
