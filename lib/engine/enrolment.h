/* lib/engine/enrolment.h - one record for one device's whole life: the ledger
 * entry of its redemption, its auth token, and the family of access and refresh
 * tokens that came of it. The auth token is generation 0 of the family; using a
 * token of the current generation makes the next one. */
#ifndef MRU_ENGINE_ENROLMENT_H
#define MRU_ENGINE_ENROLMENT_H

#include "../model/notbefore.h"
#include "engine.h"

/* What one presented token of a family reads, in one get. */
struct mru_family {
    struct mru_rkey key;
    struct mru_bag record;    /* e */
    struct mru_bag subject;   /* n s */
    struct mru_bag device;    /* n d */
    int subject_there, device_there;
    uint8_t subject_head[MRU_HEAD_LEN];
    uint8_t device_head[MRU_HEAD_LEN];
    uint8_t registration_head[MRU_HEAD_LEN];
    struct mru_above above;
    const struct mru_bag *levels[MRU_LEVELS];
    struct mru_born born;
};

void mru_key_enrolment(struct mru_rkey *key, const uint8_t id[MRU_ID_LEN]);
void mru_key_cascade(struct mru_rkey *key, const uint8_t head[MRU_HEAD_LEN]);
/* The id of a device's enrolment under a registration token. */
int mru_enrolment_id(uint8_t id[MRU_ID_LEN], const char *tenant,
                     const uint8_t token_id[MRU_ID_LEN],
                     const char *device_id);

/* Wants all that a token with these heads concerns. */
mereau_status mru_family_want(mereau_op *op, struct mru_family *family,
                              const struct mru_cred *cred, uint32_t with);
/* Reads it (MRU_MORE) and proves the token's secret; then tenant, app and what is
 * above: MEREAU_E_UNKNOWN, _REVOKED (with all that a registration token led to).
 * with: MRU_WITH_KEYS. */
mereau_status mru_family_load(mereau_op *op, struct mru_family *family,
                              const struct mru_cred *cred, uint32_t with);
/* Loads without proof of a secret, for what was proved otherwise (a JWT). */
mereau_status mru_family_read(mereau_op *op, struct mru_family *family,
                              const struct mru_cred *cred, uint32_t with);
void mru_family_free(struct mru_family *family);
/* Tenant and app enabled, not ended, not before a not-before. */
mereau_status mru_family_check(mereau_op *op, struct mru_family *family);
/* The app names itself and proves itself when it must: MEREAU_E_WRONG_APP,
 * MEREAU_E_CLIENT. *proved 1 when it proved itself. */
mereau_status mru_family_client(mereau_op *op,
                                const struct mru_family *family, int *proved);
/* Every batch that issues: heads of tenant, subject and device are unchanged. */
mereau_status mru_family_check_heads(mereau_op *op,
                                     const struct mru_family *family);
mereau_status mru_family_put(mereau_op *op, struct mru_family *family);
/* Ends it: "reuse", "administrator", "holder". Only stages. */
mereau_status mru_family_end(mereau_op *op, struct mru_family *family,
                             const char *ended_by);
/* "active" "expired" "revoked"; "used" for an auth token that was exchanged. */
const char *mru_enrolment_state(const struct mru_bag *record, int64_t now_at);
/* When live tokens of it have ended. */
int64_t mru_enrolment_ends(const struct mru_bag *record);
/* Copies what lists and events show. */
void mru_enrolment_show(struct mru_bag *out, const struct mru_bag *record,
                        const uint8_t id[MRU_ID_LEN], int64_t now_at);

/* The entries of lists that a record owns. Returns how many. */
int mru_enrolment_index_keys(const struct mru_bag *record,
                             const uint8_t id[MRU_ID_LEN],
                             struct mru_rkey *keys, size_t max);
#define MRU_ENROLMENT_INDEXES 5

/* --- issue.c --- */
/* A JWT's claim: how often its device was re-armed before it was issued; absent:
 * never. What was issued before the last time is dead, and its record's id is
 * that of the new life. */
#define MRU_CLAIM_REARMED "mereau_rearmed"
struct mru_issue {
    uint32_t generation;
    int64_t issued_at, expires_at;
    uint64_t scope_mask, audience_mask;
};
/* The id of an access token, which the same step always gets. 0 or -1. */
int mru_access_jti(char out[MRU_ID_TEXT], const struct mru_family *family,
                   uint32_t generation);
/* Adds access token, claims and all that goes with them to op->out. MRU_MORE when
 * the host's signer is asked. */
mereau_status mru_issue_access(mereau_op *op, const struct mru_family *family,
                               const struct mru_issue *issue);

#endif
