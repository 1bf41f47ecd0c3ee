/* lib/base/constant.c - the constants of the headers by name, for languages that
 * cannot read them, and the version. Fields are in lib/record/field.c. */
#include "base.h"
#include "status.h"

#include <mereau/issuers.h>
#include <mereau/postgres.h>
#include <mereau/testing.h>

struct constant {
    const char *name;
    int64_t value;
};

#define C(name)                                                                \
    { #name, MEREAU_##name }

static const struct constant constants[] = {
    C(OK),
    C(UNSET),
    C(NOW),
#define X(name, oauth, http, can_retry, text) C(E_##name),
    MRU_STATUSES(X)
#undef X
        C(MAX_TOKEN),
    C(MAX_JSON),
    C(MAX_DEPTH),
    C(MAX_MEMBERS),
    C(MAX_JWKS),
    C(MAX_SCOPE),
    C(MAX_LIST),
    C(MAX_TEXT),
    C(MAX_SKEW_S),
    C(IAT_AHEAD_S),
    C(MAX_PAGE),
    C(MAX_WRITES),
    C(MAX_KEY),
    C(MAX_VALUE),
    C(ALG_HS256),
    C(ALG_HS384),
    C(ALG_HS512),
    C(ALG_RS256),
    C(ALG_RS384),
    C(ALG_RS512),
    C(ALG_PS256),
    C(ALG_PS384),
    C(ALG_PS512),
    C(ALG_ES256),
    C(ALG_ES384),
    C(ALG_ES512),
    C(ALG_ES256K),
    C(ALG_EDDSA),
    C(ALG_DIR),
    C(ALG_A128KW),
    C(ALG_A256KW),
    C(ALG_RSA_OAEP),
    C(ALG_RSA_OAEP_256),
    C(ALG_ECDH_ES),
    C(ALG_ECDH_ES_A128KW),
    C(ALG_ECDH_ES_A256KW),
    C(ENC_A128GCM),
    C(ENC_A256GCM),
    C(ENC_A128CBC_HS256),
    C(ENC_A256CBC_HS512),
    C(JWS_DETACHED),
    C(JWS_UNENCODED),
    C(JWK_PUBLIC),
    C(JWK_PRIVATE),
    C(PEM_PUBLIC),
    C(PEM_PRIVATE),
    C(DER_PUBLIC),
    C(DER_PRIVATE),
    C(PROFILE_ACCESS_TOKEN),
    C(PROFILE_ID_TOKEN),
    C(PROFILE_LOGOUT_TOKEN),
    C(PROFILE_ASSERTION),
    C(PROFILE_DPOP),
    C(PROFILE_SSO),
    C(PROFILE_JWT),
    C(EXPECT_NONCE),
    C(EXPECT_ACCESS_TOKEN),
    C(EXPECT_CODE),
    C(EXPECT_SUBJECT),
    C(EXPECT_JKT),
    C(EXPECT_METHOD),
    C(EXPECT_URI),
    C(EXPECT_CLIENT_ID),
    C(EXPECT_MAX_AUTH_AGE_S),
    C(JSON_NONE),
    C(JSON_TEXT),
    C(JSON_NUMBER),
    C(JSON_BOOL),
    C(JSON_NULL),
    C(JSON_LIST),
    C(JSON_OBJECT),
    C(CACHE_HITS),
    C(CACHE_MISSES),
    C(CACHE_ENTRIES),
    C(CACHE_BYTES),
    C(VERSION_ABSENT),
    /* All bits set, as in the header; -1 where there is no unsigned type. */
    {"VERSION_ANY", -1},
    C(WRITE_PUT),
    C(WRITE_DELETE),
    C(WRITE_CHECK),
    C(NEED_GET),
    C(NEED_COMMIT),
    C(NEED_SCAN),
    C(NEED_SIGN),
    C(NEED_WAIT),
    C(READ_STALE_OK),
    C(STORE_OK),
    C(STORE_CONFLICT),
    C(STORE_BUSY),
    C(STORE_UNKNOWN),
    C(STORE_IO),
    C(STORE_LIMIT),
    C(STORE_STOPPED),
    C(STORE_UNSUPPORTED),
    C(CAP_DURABLE),
    C(CAP_SHARED),
    C(CAP_LINEAR),
    C(CAP_ORDERED),
    C(CAP_EXPIRES),
    C(CAP_STALE),
    C(SIGN_OK),
    C(SIGN_FAILED),
    C(SIGN_UNSUPPORTED),
    C(SIGN_UNKNOWN_KEY),
    C(POSTGRES_EXPLICIT),
    C(POSTGRES_POOLER),
    C(POSTGRES_VOUCHED),
    C(KIT_FAILED),
    C(KIT_PASSED),
    C(KIT_SKIPPED),
};

int64_t mereau_constant(const char *name) {
    if (name == NULL)
        return MEREAU_UNSET;
    for (size_t i = 0; i < sizeof constants / sizeof *constants; i++)
        if (strcmp(constants[i].name, name) == 0)
            return constants[i].value;
    return MEREAU_UNSET;
}

int64_t mereau_unset(void) { return MEREAU_UNSET; }

const char *mereau_version(void) { return "0.2.0"; }
