/* lib/base/status.h - the one table of statuses, and what each means for the
 * administrator (text) and for the caller (OAuth word, HTTP status).
 *
 * X(name without MEREAU_E_, OAuth word, HTTP status, may a retry help, text)
 *
 * Whatever a holder of a credential may try ends in invalid_grant, so that the
 * word tells nothing about which rule refused (RFC 6749 section 5.2). 401 is for
 * client authentication, and for what only a resource server sees: the statuses
 * that a JWT's signature and claims end in (RFC 6750 section 3.1). Malformed
 * credentials answer as unknown ones do. */
#ifndef MRU_STATUS_H
#define MRU_STATUS_H

/* clang-format off */
#define MRU_STATUSES(X) \
    X(ARG, "server_error", 500, 0, \
      "an argument is missing or out of its range") \
    X(FIELD, "server_error", 500, 0, \
      "a field is missing, of another type or not taken here") \
    X(STATE, "server_error", 500, 0, \
      "the call does not fit the state of its object") \
    X(SIZE, "server_error", 500, 0, \
      "a struct has a size that this library does not know") \
    X(UNSUPPORTED, "server_error", 500, 0, \
      "this build, store or signer cannot do it") \
    X(INCOMPLETE, "server_error", 500, 0, \
      "something that is needed was not set") \
    X(MALFORMED, "invalid_grant", 400, 0, \
      "the input does not have the form it should have") \
    X(TOO_LONG, "invalid_request", 400, 0, \
      "the input is longer than the limit") \
    X(ALG, "invalid_token", 401, 0, \
      "the algorithm is not allowed") \
    X(KEY, "invalid_request", 400, 0, \
      "the key cannot be used") \
    X(KEY_UNKNOWN, "invalid_token", 401, 0, \
      "no key with this kid is known") \
    X(SIGNATURE, "invalid_token", 401, 0, \
      "the signature is wrong") \
    X(KIND, "invalid_grant", 401, 0, \
      "it is another kind of token") \
    X(UNKNOWN, "invalid_grant", 400, 0, \
      "there is no such record, or its secret is wrong") \
    X(EXISTS, "invalid_request", 400, 0, \
      "the name is taken") \
    X(EXPIRED, "invalid_grant", 401, 0, \
      "it has expired") \
    X(NOT_YET, "invalid_grant", 401, 0, \
      "its time has not come") \
    X(USED_UP, "invalid_grant", 400, 0, \
      "all its counts are taken") \
    X(REUSED, "invalid_grant", 400, 0, \
      "it was used once too often, and its family has been ended") \
    X(REVOKED, "invalid_grant", 400, 0, \
      "it was revoked") \
    X(DISABLED, "invalid_grant", 400, 0, \
      "it is switched off") \
    X(NOT_BEFORE, "invalid_grant", 401, 0, \
      "it was issued before the not-before in force") \
    X(WRONG_APP, "invalid_grant", 400, 0, \
      "it belongs to another app") \
    X(DEVICE, "invalid_grant", 400, 0, \
      "the device is not an allowed one") \
    X(BLOCKED, "invalid_grant", 400, 0, \
      "the device was blocked from enrolling") \
    X(CLIENT, "invalid_client", 401, 0, \
      "client authentication is missing or wrong") \
    X(ISSUER, "invalid_token", 401, 0, \
      "the issuer is not the trusted one") \
    X(AUDIENCE, "invalid_token", 401, 0, \
      "the audience does not name this server") \
    X(SCOPE, "invalid_scope", 400, 0, \
      "the scope is more than was granted") \
    X(CLAIM, "invalid_token", 401, 0, \
      "a claim is missing or not as required") \
    X(POLICY, "access_denied", 403, 0, \
      "the tenant's settings forbid it") \
    X(TOO_EARLY, "server_error", 503, 0, \
      "the key's time for this has not come") \
    X(ENROLLED, "invalid_grant", 400, 0, \
      "the device has enrolled before") \
    X(STORE, "server_error", 503, 1, \
      "the store failed") \
    X(BUSY, "server_error", 503, 1, \
      "the store was busy until the attempts ran out") \
    X(UNCERTAIN, "server_error", 503, 1, \
      "the store lost its reply: it was done or not done") \
    X(CLOCK, "server_error", 500, 1, \
      "the clock failed") \
    X(RANDOM, "server_error", 500, 1, \
      "the random source failed") \
    X(SIGNER, "server_error", 500, 1, \
      "the signer failed") \
    X(RESTORED, "server_error", 500, 0, \
      "a token is newer than its record: the store went back in time") \
    X(NOMEM, "server_error", 500, 1, \
      "out of memory") \
    X(CRYPTO, "server_error", 500, 0, \
      "the crypto provider failed") \
    X(CORRUPT, "server_error", 500, 0, \
      "a record in the store is not ours or was altered") \
    X(INTERNAL, "server_error", 500, 0, \
      "a fault in the library: please report it")
/* clang-format on */

#endif
