/* lib/record/keys.h - the keys of stored records: a letter, then what it is of.
 * They hold no secret and order records of one kind together.
 *
 *   h              head of the tenant: rewritten by every administrative change
 *   b <n>          head of a 16th of subjects and devices
 *   t  k  v        the tenant, its keyring, notices for verifiers
 *   a <client_id>  an app          u <client_id>  last use of its credentials
 *   r <id>         a registration token     s <id> <n>  one of its sub-counts
 *   c <id12>       a registration token revoked with all it led to
 *   e <id>         an enrolment: auth token, ledger entry and family in one
 *   n <s|d> <head> not-before, block of a subject or device
 *   i <list> <owner> <newest first> <id>   entries of lists
 *   d <hash>       answer of an idempotent call
 *   o <newest first> <id>  kept events */
#ifndef MRU_RECORD_KEYS_H
#define MRU_RECORD_KEYS_H

#include "../base/base.h"

struct mru_rkey {
    size_t len;
    uint8_t data[MEREAU_MAX_KEY];
};

#define MRU_BUCKETS 16

void mru_rkey_set(struct mru_rkey *key, char kind, const void *data,
                  size_t len);
void mru_rkey_add(struct mru_rkey *key, const void *data, size_t len);
/* Eight bytes that sort newest first. */
void mru_rkey_add_newest(struct mru_rkey *key, int64_t at);
/* The first key after all that begin with prefix. */
void mru_rkey_after(struct mru_rkey *to, const struct mru_rkey *prefix);
int mru_rkey_compare(const struct mru_rkey *a, const struct mru_rkey *b);
/* The head that a subject's or device's hash belongs to. */
void mru_rkey_bucket(struct mru_rkey *key, const uint8_t *head);

/* Lists: which enrolments, tokens there are. */
enum {
    MRU_LIST_REGISTRATIONS = 'R', /* all */
    MRU_LIST_APP_REGISTRATIONS = 'A', /* of an app */
    MRU_LIST_ENROLMENTS = 'E', /* all */
    MRU_LIST_TOKEN_ENROLMENTS = 'T', /* of a registration token */
    MRU_LIST_APP_ENROLMENTS = 'P',
    MRU_LIST_DEVICE_ENROLMENTS = 'D',
    MRU_LIST_SUBJECT_ENROLMENTS = 'S'
};
/* owner: its id or 12-byte head; NULL for all. */
void mru_rkey_list(struct mru_rkey *key, char list, const void *owner,
                   size_t owner_len);
void mru_rkey_entry(struct mru_rkey *key, char list, const void *owner,
                    size_t owner_len, int64_t at, const uint8_t id[16]);
/* The record that an entry of a list names: 1, or 0 when it is no entry. */
int mru_rkey_named(struct mru_rkey *record, const struct mru_rkey *entry);

#endif
