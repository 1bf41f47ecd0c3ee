/* mereau/field.h - the dictionary: every value that goes into an operation or
 * comes out of one.
 *
 * A field is a bare word (MEREAU_SCOPE); every other constant has a family word
 * (MEREAU_E_, MEREAU_MAX_, MEREAU_CAP_, MEREAU_ALG_ ...). A field has one name,
 * number and type for ever. Its name in JSON, in policies, in the audit trail
 * and on the wire is the same word in lower case, so MEREAU_ACCESS_TOKEN is
 * "access_token" (one has a name that Keycloak gave it). Each operation's
 * comment says which fields it takes and gives; giving it another is
 * MEREAU_E_FIELD.
 *
 * Types: T text; L list of texts; I integer; B 0 or 1; D data bytes; J a JSON
 * document as text. Times are Unix seconds (_AT) or spans in seconds (_S).
 * "secret": wiped when the op is freed. */
#ifndef MEREAU_FIELD_H
#define MEREAU_FIELD_H

#include <mereau/base.h>

#ifdef __cplusplus
extern "C" {
#endif

/** Fields. Since: 0.1, all of these. */
enum {
    /* Who and what: identifiers, none of them secret */
    MEREAU_TENANT_ID = 100,             /* T: the tenant's name */
    MEREAU_CLIENT_ID = 101,             /* T: an app's public id (RFC 6749
                                           section 2.2) */
    MEREAU_SECRET_ID = 102,             /* T: one of an app's client secrets */
    MEREAU_REGISTRATION_TOKEN_ID = 103, /* T */
    MEREAU_AUTH_TOKEN_ID = 104,         /* T */
    MEREAU_FAMILY_ID = 105,             /* T: one chain of refresh tokens and
                                           all its access tokens */
    MEREAU_KID = 106,                   /* T: a key's id (RFC 7517 section 4.5)
                                           */
    MEREAU_DEVICE_ID = 107,             /* T: 1..128 bytes, the host's name for
                                           one installation */
    MEREAU_SUBJECT = 108,               /* T: the sub of what is issued; the
                                           device if not set */
    MEREAU_JTI = 109,                   /* T: an access token's id (RFC 7519
                                           section 4.1.7) */
    MEREAU_EVENT_ID = 110,              /* T */
    MEREAU_ACTOR = 111,                 /* T: the administrator on whose behalf
                                           the host acts */
    MEREAU_CORRELATION_ID = 112,        /* T: copied into every event of the
                                           operation */
    MEREAU_IDEMPOTENCY_KEY = 113,       /* T: 1..128 bytes, the caller's name for
                                           one call that creates: the same again
                                           gives the same answer */
    MEREAU_DEVICE_JKT = 114,            /* T: RFC 7638 SHA-256 thumbprint of the
                                           key whose possession the host has
                                           verified for this request (TLS client
                                           certificate, DPoP) */

    /* Credentials: secret, given once */
    MEREAU_CLIENT_SECRET = 200,         /* T secret */
    MEREAU_REGISTRATION_TOKEN = 201,    /* T secret */
    MEREAU_AUTH_TOKEN = 202,            /* T secret */
    MEREAU_ACCESS_TOKEN = 203,          /* T secret */
    MEREAU_REFRESH_TOKEN = 204,         /* T secret */
    MEREAU_TOKEN = 205,                 /* T secret: any of them, where the kind
                                           is not known yet */
    MEREAU_RETRY_NONCE = 206,           /* D secret: 16..64 random bytes that
                                           only one device knows */
    MEREAU_HINT = 207,                  /* T: first characters of a secret, to
                                           tell them apart */

    /* The answer of a token endpoint (RFC 6749 section 5.1, Keycloak) */
    MEREAU_TOKEN_TYPE = 300,            /* T: "Bearer" */
    MEREAU_EXPIRES_IN = 301,            /* I: seconds */
    MEREAU_REFRESH_EXPIRES_IN = 302,    /* I: seconds */
    MEREAU_SCOPE = 303,                 /* T: words with a space between (RFC
                                           6749 section 3.3) */
    MEREAU_AUDIENCE = 304,              /* L: whom the access token is for */
    MEREAU_SESSION_STATE = 305,         /* T: the family's id, under Keycloak's
                                           name */
    MEREAU_NOT_BEFORE_POLICY = 306,     /* I: "not-before-policy": the tenant's
                                           not-before, or 0 */
    MEREAU_ID_TOKEN = 307,              /* T: reserved */
    MEREAU_CLAIMS = 308,                /* J: the claims of the access token */
    MEREAU_ACTIVE = 309,                /* B: (RFC 7662 section 2.2) */
    MEREAU_REPEATED = 310,              /* B: 1: this answer was given before;
                                           nothing was used */

    /* Times and lifetimes */
    MEREAU_CREATED_AT = 400,            /* I */
    MEREAU_CHANGED_AT = 401,            /* I */
    MEREAU_ISSUED_AT = 402,             /* I */
    MEREAU_STARTS_AT = 403,             /* I: first instant at which it works */
    MEREAU_EXPIRES_AT = 404,            /* I: first instant at which it does not
                                           */
    MEREAU_LAST_USED_AT = 405,          /* I */
    MEREAU_REVOKED_AT = 406,            /* I */
    MEREAU_NOT_BEFORE_AT = 407,         /* I: what was issued before it is
                                           refused */
    MEREAU_LIFETIME_S = 408,            /* I */
    MEREAU_ACCESS_LIFETIME_S = 409,     /* I: default 300 */
    MEREAU_REFRESH_LIFETIME_S = 410,    /* I: default 30 days; 0: expires at
                                           once, so no exchange */
    MEREAU_REFRESH_IDLE_S = 411,        /* I: default unset: not used for so
                                           long ends the family */
    MEREAU_FAMILY_LIFETIME_S = 412,     /* I: default unset: absolute end of a
                                           family */
    MEREAU_GRACE_S = 413,               /* I: default 10: how long a lost answer
                                           can be asked for again, once, without
                                           proof; 0: never */
    MEREAU_MAX_LIFETIME_S = 414,        /* I: a tenant's longest registration
                                           token; default 30 days */
    MEREAU_SINCE_AT = 415,              /* I: filter of lists */
    MEREAU_UNTIL_AT = 416,              /* I: filter of lists */
    MEREAU_AUTH_LIFETIME_S = 417,       /* I: default 30 days: how long an auth
                                           token waits for its exchange */

    /* Counts */
    MEREAU_COUNT = 500,                 /* I: how many devices a registration
                                           token is for; can be raised later */
    MEREAU_USED_COUNT = 501,            /* I: how many have redeemed it */
    MEREAU_DONE_COUNT = 502,            /* I: records that a bounded operation
                                           worked on */

    /* An app's settings (RFC 7591 section 2) */
    MEREAU_NAME = 600,                  /* T */
    MEREAU_DESCRIPTION = 601,           /* T */
    MEREAU_LABEL = 602,                 /* T: a short name for people */
    MEREAU_REFERENCE = 603,             /* L: the host's own ids */
    MEREAU_CONTACT = 604,               /* L */
    MEREAU_INFORMATION = 605,           /* T */
    MEREAU_LOGO_URI = 606,              /* T */
    MEREAU_REDIRECT_URI = 607,          /* L: compared exactly; loopback with
                                           any port (RFC 8252) */
    MEREAU_ACCESS_DENIED_URI = 608,     /* T */
    MEREAU_FAILED_URI = 609,            /* T */
    MEREAU_ERROR_URI = 610,             /* T */
    MEREAU_ENABLED = 611,               /* B: default 1 */
    MEREAU_EXTERNAL = 612,              /* B: default 0: under own control */
    MEREAU_NATIVE = 613,                /* B: default 0; 1 allows custom
                                           redirect schemes */
    MEREAU_CONFIDENTIAL = 614,          /* B: default 0; 1: must authenticate at
                                           every token request */
    MEREAU_PKCE_REQUIRED = 615,         /* B: default 1 */
    MEREAU_GRANT_TYPE = 616,            /* L: allowed grants; default
                                           "registration_token" and
                                           "refresh_token" */
    MEREAU_TOKEN_FORMAT = 617,          /* T: "jwt" (default) or "opaque" */
    MEREAU_ACCESS_TOKEN_TYP = 618,      /* T: typ of its JWTs: "at+jwt" (default)
                                           or "JWT" */
    MEREAU_ISSUER = 619,                /* T: a tenant's iss */
    MEREAU_OMIT_EXPIRED_REFRESH = 620,  /* B: default 0; 1: a refresh lifetime of
                                           0 gives no refresh token at all */

    /* Devices and where requests come from, as the host reports it */
    MEREAU_ALLOWED_DEVICE_ID = 700,     /* L: if set, no other device may redeem
                                           */
    MEREAU_RECIPIENT = 701,             /* T: for whom a registration token was
                                           minted */
    MEREAU_REMOTE_ADDRESS = 702,        /* T */
    MEREAU_USER_AGENT = 703,            /* T */
    MEREAU_HOST_NAME = 704,             /* T */
    MEREAU_SYSTEM_USER = 705,           /* T */
    MEREAU_DEVICE_INFO = 706,           /* J: anything else worth keeping */
    MEREAU_ALLOWED_DEVICE_JKT = 707,    /* L: if set, only a device that proved
                                           one of these keys may redeem */

    /* Keys */
    MEREAU_ALG = 800,                   /* T: "ES256" */
    MEREAU_JWK = 801,                   /* J: secret if private (RFC 7517
                                           section 4) */
    MEREAU_JWKS = 802,                  /* J: public members only (RFC 7517
                                           section 5) */
    MEREAU_PEM = 803,                   /* T: secret if private */
    MEREAU_KEY_LABEL = 804,             /* T: the signer's name for a key that
                                           lives outside */
    MEREAU_PUBLISHED_AT = 805,          /* I */
    MEREAU_SIGNS_AT = 806,              /* I */
    MEREAU_VERIFIES_UNTIL = 807,        /* I */

    /* Administration */
    MEREAU_STATE = 900,                 /* T: "active" "disabled" "expired"
                                           "used_up" "revoked" "not_yet"
                                           (credentials of apps); keys:
                                           "published" "signing" "verifying"
                                           "dropped" */
    MEREAU_REASON = 901,                /* T: why, in the administrator's words;
                                           kept and audited */
    MEREAU_CASCADE = 902,               /* B: also end everything that came of
                                           it */
    MEREAU_PAGE_SIZE = 903,             /* I: 1..MEREAU_MAX_PAGE, default 100 */
    MEREAU_CURSOR = 904,                /* T: where a list goes on; opaque, safe
                                           to send to a browser */
    MEREAU_EVENT = 905,                 /* T: "registration_token.redeem" */
    MEREAU_OUTCOME = 906,               /* T: "allowed" or "refused" */
    MEREAU_RULE = 907                   /* T: the rule that refused, as in
                                           mereau_error.rule */
};

/** The name of a field, "access_token". Out: static; NULL for an unknown
 * number. Threads: any.
 * Since: 0.1. */
MEREAU_API const char *mereau_field_name(int32_t field);

/** The number of a field, for bindings that go by name. In: name,
 * "access_token". Returns: 0 for an unknown name or NULL. Threads: any. Since:
 * 0.1. */
MEREAU_API int32_t mereau_field_find(const char *name);

/** The type of a field, one of the letters T L I B D J above. Returns: 0 for an
 * unknown number.
 * Threads: any. Since: 0.1. */
MEREAU_API int32_t mereau_field_type(int32_t field);

#ifdef __cplusplus
}
#endif
#endif
