/* lib/credential/credential.h - the strings that holders see:
 *
 *     mereau_<kind>_<base64url of: tenant tag, epoch, id, heads, ..., secret,
 *                    checksum>
 *
 * The prefix and kind are fixed and greppable. The tag refuses another tenant's
 * token, the checksum a typing error, both without a read. The id is the store
 * key. The heads name the records above (subject, device, registration token),
 * so that one read answers everything. The secret is derived from the root key
 * and a salt in the record: neither key nor store is enough alone, and nothing
 * in the store is a credential. */
#ifndef MRU_CREDENTIAL_H
#define MRU_CREDENTIAL_H

#include "../crypto/crypto.h"

enum {
    MRU_CRED_REGISTRATION = 1, /* mereau_reg_ */
    MRU_CRED_AUTH = 2,         /* mereau_aut_ */
    MRU_CRED_REFRESH = 3,      /* mereau_ref_ */
    MRU_CRED_ACCESS = 4,       /* mereau_acc_, an opaque access token */
    MRU_CRED_CLIENT = 5        /* mereau_sec_, a client secret */
};

#define MRU_ID_LEN 16
#define MRU_HEAD_LEN 12 /* of the hash of a subject, device or token id */
#define MRU_SALT_LEN 16
#define MRU_CRED_MAX 300 /* characters of the longest one, with NUL */

/* What one says; parts that a kind does not have are 0. */
struct mru_cred {
    int32_t kind;
    uint8_t tag[4];
    uint8_t epoch[2]; /* of the root key that derives it */
    uint8_t id[MRU_ID_LEN];
    uint8_t subject[MRU_HEAD_LEN];
    uint8_t device[MRU_HEAD_LEN];
    uint8_t registration[MRU_HEAD_LEN];
    uint32_t generation;    /* refresh, access: of the family; auth: re-armed */
    uint8_t slots;          /* registration */
    int64_t issued_at;      /* access */
    int64_t expires_at;     /* access */
    uint64_t scope_mask;    /* access */
    uint64_t audience_mask; /* access */
    uint8_t secret[32];
};

/* 0 or -1, as all here when the provider failed. */
int mru_tenant_tag(uint8_t out[4], const char *tenant);
/* The head of a subject ('s') or device ('d') name. */
int mru_head(uint8_t out[MRU_HEAD_LEN], char kind, const char *name);

/* Computes the secret of all that is set in cred. key: HMAC-SHA256's, of the
 * epoch. */
int mru_cred_derive(struct mru_cred *cred, const mru_mac *key,
                    const char *tenant, const uint8_t salt[MRU_SALT_LEN]);
/* Writes the string; returns its length, or 0 when the provider failed. */
size_t mru_cred_print(char out[MRU_CRED_MAX], const struct mru_cred *cred);
/* Reads one. kind 0: any. MEREAU_OK, MEREAU_E_MALFORMED, _TOO_LONG, _KIND,
 * _CRYPTO. The secret is not yet compared with anything. */
mereau_status mru_cred_parse(struct mru_cred *cred, int32_t kind,
                             const char *text, size_t len, mereau_error *err);
/* What a string looks like, by its prefix: MRU_CRED_*, or 0. */
int32_t mru_cred_kind(const char *text, size_t len);

#endif
