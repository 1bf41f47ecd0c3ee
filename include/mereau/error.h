/* mereau/error.h - statuses, what each means for the administrator and for the
 * caller, and the error struct that explains one refusal. Nothing here is ever
 * thread-local or kept by the library. */
#ifndef MEREAU_ERROR_H
#define MEREAU_ERROR_H

#include <mereau/base.h>

#ifdef __cplusplus
extern "C" {
#endif

/** Statuses. The hundreds are the class; a number is never reused, and an
 * unknown one is to be treated as its class. These are for the host: what the
 * caller may learn is in mereau_status_oauth() and mereau_status_http(), where
 * many become one. Since: 0.1. */
enum {
    /* The program made a mistake. Nothing was read or written. */
    MEREAU_E_ARG = -101,         /* an argument is NULL, empty, or out of its
                                    range */
    MEREAU_E_FIELD = -102,       /* a field is missing, of another type, or not
                                    taken by this operation */
    MEREAU_E_STATE = -103,       /* not now: run twice, set after ready,
                                    answered without a need */
    MEREAU_E_SIZE = -104,        /* a struct's size member is 0 or unknown */
    MEREAU_E_UNSUPPORTED = -105, /* this build, store or signer cannot do it */
    MEREAU_E_INCOMPLETE = -106,  /* the context or verifier lacks something it
                                    needs to be ready */
    /* Input that came from outside cannot be read or does not prove itself. */
    MEREAU_E_MALFORMED = -201,   /* not what it should be: JSON, JWT, base64url,
                                    UTF-8, typing error */
    MEREAU_E_TOO_LONG = -202,    /* longer than a MEREAU_MAX_ limit */
    MEREAU_E_ALG = -203,         /* algorithm not allowed, or not the key's own
                                    */
    MEREAU_E_KEY = -204,         /* a key that cannot be used: kind, size,
                                    curve, use */
    MEREAU_E_KEY_UNKNOWN = -205, /* no key of that kid: fetch a newer set */
    MEREAU_E_SIGNATURE = -206,   /* the signature or MAC is wrong */
    MEREAU_E_KIND = -207,        /* another kind of token than asked for (typ,
                                    prefix) */
    /* Understood, and refused by a rule. */
    MEREAU_E_UNKNOWN = -301,     /* no such record in this tenant, or its secret
                                    is wrong */
    MEREAU_E_EXISTS = -302,      /* the name is taken, with other values */
    MEREAU_E_EXPIRED = -303,     /* its time is over */
    MEREAU_E_NOT_YET = -304,     /* its time has not come */
    MEREAU_E_USED_UP = -305,     /* all counts are taken */
    MEREAU_E_REUSED = -306,      /* used once too often: its family has just
                                    been ended */
    MEREAU_E_REVOKED = -307,     /* revoked, by an administrator or by an
                                    earlier reuse */
    MEREAU_E_DISABLED = -308,    /* app, token or tenant is switched off */
    MEREAU_E_NOT_BEFORE = -309,  /* issued before the not-before of its tenant,
                                    app, subject or device */
    MEREAU_E_WRONG_APP = -310,   /* belongs to another app */
    MEREAU_E_DEVICE = -311,      /* this device is not on the list of allowed
                                    ones */
    MEREAU_E_BLOCKED = -312,     /* this device was blocked from enrolling */
    MEREAU_E_CLIENT = -313,      /* client authentication is missing or wrong */
    MEREAU_E_ISSUER = -314,      /* iss is not the trusted one */
    MEREAU_E_AUDIENCE = -315,    /* aud does not name us */
    MEREAU_E_SCOPE = -316,       /* more scope than was granted */
    MEREAU_E_CLAIM = -317,       /* a claim is missing or not as required */
    MEREAU_E_POLICY = -318,      /* the tenant's settings forbid it (too long a
                                    lifetime, no counts) */
    MEREAU_E_TOO_EARLY = -319,   /* a key that verifiers may not have yet, or
                                    still need */
    MEREAU_E_ENROLLED = -320,    /* this device has enrolled before, with another
                                    secret, or has used what it got */
    /* A callback of the host failed. Nothing was done, except where said; run
     * the op again. */
    MEREAU_E_STORE = -401,       /* the store cannot: error.host_code says what
                                    it answered */
    MEREAU_E_BUSY = -402,        /* the store was busy or contended until the
                                    attempts ran out */
    MEREAU_E_UNCERTAIN = -403,   /* the store lost its reply and could not be
                                    asked: done or not done; the same call with
                                    the same idempotency key or proof settles
                                    it */
    MEREAU_E_CLOCK = -404,       /* the clock failed */
    MEREAU_E_RANDOM = -405,      /* the random source failed: nothing is minted
                                    without it */
    MEREAU_E_SIGNER = -406,      /* the signer failed */
    MEREAU_E_RESTORED = -407,    /* a valid token is newer than its record: the
                                    store went back in time (a restored backup) */
    /* The library, or the machine. */
    MEREAU_E_NOMEM = -501,       /* out of memory */
    MEREAU_E_CRYPTO = -502,      /* the crypto provider failed */
    MEREAU_E_CORRUPT = -503,     /* a record in the store is not ours or was
                                    altered */
    MEREAU_E_INTERNAL = -504     /* a fault in the library: please report */
};

/** Why something was refused: caller-owned, 512 bytes, for the host's logs and
 * tests.
 *
 * Every call that takes one overwrites all of it: on success status is
 * MEREAU_OK and the texts are empty. No text ever holds a credential, a key or
 * raw input. Never put it on the wire. Since: 0.1. */
typedef struct mereau_error {
    uint32_t size;     /* sizeof(mereau_error); set by MEREAU_ERROR_INIT */
    int32_t status;    /* MEREAU_OK or MEREAU_E_* */
    int32_t host_code; /* what the host's callback answered, for -4xx; else 0 */
    uint32_t reserved; /* 0 */
    char rule[48];     /* the rule, "registration_token.count"; stable, made for
                          tests and alerts */
    char source[32];   /* where the rule comes from, "RFC 9068 4" */
    char wanted[96];   /* what the rule wants, "at most 2 devices" */
    char found[96];    /* what it found, redacted, "a third device" */
    char text[224];    /* all of it as one ASCII sentence */
} mereau_error;

/** An error struct ready for use. Twin: mereau_error_init(). Since: 0.1. */
#define MEREAU_ERROR_INIT                                                      \
    { (uint32_t)sizeof(mereau_error), 0, 0, 0, "", "", "", "", "" }

/** Makes an error struct ready for use. In: size, the caller's
 * sizeof(mereau_error). NULL is accepted. Threads: one owner of err. Since:
 * 0.1. */
MEREAU_API void mereau_error_init(mereau_error *err, size_t size);

/** The name of a status, "MEREAU_E_EXPIRED". Out: static; that of its class for
 * an unknown one.
 * Threads: any. Since: 0.1. */
MEREAU_API const char *mereau_status_name(mereau_status status);

/** One English sentence about a status, for administrators. Out: static.
 * Threads: any. Since: 0.1. */
MEREAU_API const char *mereau_status_text(mereau_status status);

/** What the caller may be told: an OAuth error word, "invalid_grant". Unknown,
 * expired, used up, revoked are the same word here. Out: static; "" for
 * MEREAU_OK; "server_error" for -1xx, -4xx, -5xx.
 * Threads: any. Since: 0.1. Source: RFC 6749 section 5.2, RFC 6750 section 3.1.
 *          */
MEREAU_API const char *mereau_status_oauth(mereau_status status);

/** The HTTP status that goes with a status: 200, 400, 401, 403, 500 or 503.
 * Threads: any.
 * Since: 0.1. Source: RFC 6749 section 5.2, RFC 6750 section 3.1. */
MEREAU_API int32_t mereau_status_http(mereau_status status);

/** Whether the same op, run again, may succeed without anything being changed:
 * 1 for MEREAU_E_BUSY, _UNCERTAIN, _STORE, _NOMEM, _CLOCK, _RANDOM, _SIGNER; else
 * 0. Threads: any. Since: 0.1. */
MEREAU_API int32_t mereau_status_can_retry(mereau_status status);

#ifdef __cplusplus
}
#endif
#endif
