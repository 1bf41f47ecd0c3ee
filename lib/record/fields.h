/* lib/record/fields.h - private fields of stored records. Numbers are never
 * reused: golden records of every release must stay readable. */
#ifndef MRU_RECORD_FIELDS_H
#define MRU_RECORD_FIELDS_H

enum {
    MRU_F_TAGS = 5000,        /* D: versions of the writes before, newest first */
    MRU_F_SALT = 5001,        /* D: 16 bytes; part of every derived secret */
    MRU_F_EPOCH = 5002,       /* D: 2 bytes: which root key derives */
    MRU_F_DIGEST = 5003,      /* D: SHA-256 of a secret that is only compared */
    MRU_F_STEP = 5004,        /* I: MRU_STEP_* */
    MRU_F_GENERATION = 5005,  /* I: of the refresh token that is current */
    MRU_F_REARMED = 5006,     /* I: how often an administrator re-armed it */
    MRU_F_NONCE = 5007,       /* D: SHA-256 of the enrolling device's nonce */
    MRU_F_PROOF = 5008,       /* D: SHA-256 of the nonce of the last step */
    MRU_F_PARAMETERS = 5009,  /* D: SHA-256 of the parameters of the last step */
    MRU_F_GRACE_USED = 5010,  /* B: the unproved repeat of the last step was
                                 given */
    MRU_F_ACCESS_ENDS = 5011, /* I: exp of the last access token */
    MRU_F_REFRESH_ENDS = 5012, /* I */
    MRU_F_IDLE_ENDS = 5013,    /* I */
    MRU_F_FAMILY_ENDS = 5014,  /* I */
    MRU_F_AUTH_ENDS = 5015,    /* I: the auth token's own end */
    MRU_F_SCOPE_MASK = 5016,   /* I: bits over the words of MEREAU_SCOPE */
    MRU_F_AUDIENCE_MASK = 5017, /* I: bits over MEREAU_AUDIENCE */
    MRU_F_BORN = 5018,        /* D: 4 x u32: not-before generations (tenant, app,
                                 subject, device) under which it was born */
    MRU_F_BORN_AT = 5019,     /* I: iat of its birth, compared with not-befores */
    MRU_F_ENDED_BY = 5020,    /* T: "reuse" "administrator" "holder" */
    MRU_F_NB_GENERATION = 5021, /* I: counts the raises to now */
    MRU_F_BLOCKED = 5022,     /* B */
    MRU_F_SLOTS = 5023,       /* I: over how many sub-counts it is split */
    MRU_F_QUOTA = 5024,       /* I: counts of one slot */
    MRU_F_USED = 5025,        /* I: used counts of one slot */
    MRU_F_REVISION = 5026,    /* I: of a head */
    MRU_F_SECRETS = 5027,     /* R: an app's client secrets */
    MRU_F_PUBLIC_KEYS = 5028, /* R: an app's public keys */
    MRU_F_KEYS = 5029,        /* R: a keyring's keys */
    MRU_F_SEALED = 5030,      /* D: nonce, ciphertext, tag */
    MRU_F_RETIRED_AT = 5031,  /* I */
    MRU_F_DELETED = 5032,     /* B: tombstone */
    MRU_F_LONGEST_ACCESS = 5033, /* I: longest access lifetime there ever was */
    MRU_F_NOTICES = 5034,     /* R: what verifiers without a store must know */
    MRU_F_RESULT = 5035,      /* R: the answer of an idempotent call */
    MRU_F_REQUEST = 5036,     /* D: SHA-256 of the inputs of an idempotent call */
    MRU_F_STATUS = 5037,      /* I: of an event */
    MRU_F_KEYED = 5038,       /* B: a step was proved by a device key or client
                                 credential */
    MRU_F_SUCCESSOR = 5039,   /* T: id of what was reissued */
    MRU_F_CASCADED = 5040     /* B: revoked with all it led to */
};

/* Steps of an enrolment's life. */
enum {
    MRU_STEP_ENROLLED = 1, /* an auth token was given */
    MRU_STEP_FAMILY = 2,   /* it was exchanged; refresh tokens rotate */
    MRU_STEP_ENDED = 3,    /* revoked, or ended by reuse */
    MRU_STEP_REARMED = 4   /* may enrol again with another secret */
};

#endif
