/* lib/record/field.c - the dictionary of fields: name, number, type. A test
 * compares it with include/mereau/field.h. */
#include "../base/base.h"

#include <mereau/field.h>

struct field {
    int32_t number;
    const char *name;
    char type;
};

/* Ascending by number. */
static const struct field fields[] = {
    {MEREAU_TENANT_ID, "tenant_id", 'T'},
    {MEREAU_CLIENT_ID, "client_id", 'T'},
    {MEREAU_SECRET_ID, "secret_id", 'T'},
    {MEREAU_REGISTRATION_TOKEN_ID, "registration_token_id", 'T'},
    {MEREAU_AUTH_TOKEN_ID, "auth_token_id", 'T'},
    {MEREAU_FAMILY_ID, "family_id", 'T'},
    {MEREAU_KID, "kid", 'T'},
    {MEREAU_DEVICE_ID, "device_id", 'T'},
    {MEREAU_SUBJECT, "subject", 'T'},
    {MEREAU_JTI, "jti", 'T'},
    {MEREAU_EVENT_ID, "event_id", 'T'},
    {MEREAU_ACTOR, "actor", 'T'},
    {MEREAU_CORRELATION_ID, "correlation_id", 'T'},
    {MEREAU_IDEMPOTENCY_KEY, "idempotency_key", 'T'},
    {MEREAU_DEVICE_JKT, "device_jkt", 'T'},
    {MEREAU_CLIENT_SECRET, "client_secret", 'T'},
    {MEREAU_REGISTRATION_TOKEN, "registration_token", 'T'},
    {MEREAU_AUTH_TOKEN, "auth_token", 'T'},
    {MEREAU_ACCESS_TOKEN, "access_token", 'T'},
    {MEREAU_REFRESH_TOKEN, "refresh_token", 'T'},
    {MEREAU_TOKEN, "token", 'T'},
    {MEREAU_RETRY_NONCE, "retry_nonce", 'D'},
    {MEREAU_HINT, "hint", 'T'},
    {MEREAU_TOKEN_TYPE, "token_type", 'T'},
    {MEREAU_EXPIRES_IN, "expires_in", 'I'},
    {MEREAU_REFRESH_EXPIRES_IN, "refresh_expires_in", 'I'},
    {MEREAU_SCOPE, "scope", 'T'},
    {MEREAU_AUDIENCE, "audience", 'L'},
    {MEREAU_SESSION_STATE, "session_state", 'T'},
    {MEREAU_NOT_BEFORE_POLICY, "not-before-policy", 'I'},
    {MEREAU_ID_TOKEN, "id_token", 'T'},
    {MEREAU_CLAIMS, "claims", 'J'},
    {MEREAU_ACTIVE, "active", 'B'},
    {MEREAU_REPEATED, "repeated", 'B'},
    {MEREAU_CREATED_AT, "created_at", 'I'},
    {MEREAU_CHANGED_AT, "changed_at", 'I'},
    {MEREAU_ISSUED_AT, "issued_at", 'I'},
    {MEREAU_STARTS_AT, "starts_at", 'I'},
    {MEREAU_EXPIRES_AT, "expires_at", 'I'},
    {MEREAU_LAST_USED_AT, "last_used_at", 'I'},
    {MEREAU_REVOKED_AT, "revoked_at", 'I'},
    {MEREAU_NOT_BEFORE_AT, "not_before_at", 'I'},
    {MEREAU_LIFETIME_S, "lifetime_s", 'I'},
    {MEREAU_ACCESS_LIFETIME_S, "access_lifetime_s", 'I'},
    {MEREAU_REFRESH_LIFETIME_S, "refresh_lifetime_s", 'I'},
    {MEREAU_REFRESH_IDLE_S, "refresh_idle_s", 'I'},
    {MEREAU_FAMILY_LIFETIME_S, "family_lifetime_s", 'I'},
    {MEREAU_GRACE_S, "grace_s", 'I'},
    {MEREAU_MAX_LIFETIME_S, "max_lifetime_s", 'I'},
    {MEREAU_SINCE_AT, "since_at", 'I'},
    {MEREAU_UNTIL_AT, "until_at", 'I'},
    {MEREAU_AUTH_LIFETIME_S, "auth_lifetime_s", 'I'},
    {MEREAU_COUNT, "count", 'I'},
    {MEREAU_USED_COUNT, "used_count", 'I'},
    {MEREAU_DONE_COUNT, "done_count", 'I'},
    {MEREAU_NAME, "name", 'T'},
    {MEREAU_DESCRIPTION, "description", 'T'},
    {MEREAU_LABEL, "label", 'T'},
    {MEREAU_REFERENCE, "reference", 'L'},
    {MEREAU_CONTACT, "contact", 'L'},
    {MEREAU_INFORMATION, "information", 'T'},
    {MEREAU_LOGO_URI, "logo_uri", 'T'},
    {MEREAU_REDIRECT_URI, "redirect_uri", 'L'},
    {MEREAU_ACCESS_DENIED_URI, "access_denied_uri", 'T'},
    {MEREAU_FAILED_URI, "failed_uri", 'T'},
    {MEREAU_ERROR_URI, "error_uri", 'T'},
    {MEREAU_ENABLED, "enabled", 'B'},
    {MEREAU_EXTERNAL, "external", 'B'},
    {MEREAU_NATIVE, "native", 'B'},
    {MEREAU_CONFIDENTIAL, "confidential", 'B'},
    {MEREAU_PKCE_REQUIRED, "pkce_required", 'B'},
    {MEREAU_GRANT_TYPE, "grant_type", 'L'},
    {MEREAU_TOKEN_FORMAT, "token_format", 'T'},
    {MEREAU_ACCESS_TOKEN_TYP, "access_token_typ", 'T'},
    {MEREAU_ISSUER, "issuer", 'T'},
    {MEREAU_OMIT_EXPIRED_REFRESH, "omit_expired_refresh", 'B'},
    {MEREAU_ALLOWED_DEVICE_ID, "allowed_device_id", 'L'},
    {MEREAU_RECIPIENT, "recipient", 'T'},
    {MEREAU_REMOTE_ADDRESS, "remote_address", 'T'},
    {MEREAU_USER_AGENT, "user_agent", 'T'},
    {MEREAU_HOST_NAME, "host_name", 'T'},
    {MEREAU_SYSTEM_USER, "system_user", 'T'},
    {MEREAU_DEVICE_INFO, "device_info", 'J'},
    {MEREAU_ALLOWED_DEVICE_JKT, "allowed_device_jkt", 'L'},
    {MEREAU_ALG, "alg", 'T'},
    {MEREAU_JWK, "jwk", 'J'},
    {MEREAU_JWKS, "jwks", 'J'},
    {MEREAU_PEM, "pem", 'T'},
    {MEREAU_KEY_LABEL, "key_label", 'T'},
    {MEREAU_PUBLISHED_AT, "published_at", 'I'},
    {MEREAU_SIGNS_AT, "signs_at", 'I'},
    {MEREAU_VERIFIES_UNTIL, "verifies_until", 'I'},
    {MEREAU_STATE, "state", 'T'},
    {MEREAU_REASON, "reason", 'T'},
    {MEREAU_CASCADE, "cascade", 'B'},
    {MEREAU_PAGE_SIZE, "page_size", 'I'},
    {MEREAU_CURSOR, "cursor", 'T'},
    {MEREAU_EVENT, "event", 'T'},
    {MEREAU_OUTCOME, "outcome", 'T'},
    {MEREAU_RULE, "rule", 'T'},
};

static const struct field *by_number(int32_t number) {
    size_t low = 0, high = sizeof fields / sizeof *fields;
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        if (fields[middle].number == number)
            return &fields[middle];
        if (fields[middle].number < number)
            low = middle + 1;
        else
            high = middle;
    }
    return NULL;
}

const char *mereau_field_name(int32_t field) {
    const struct field *found = by_number(field);
    return found != NULL ? found->name : NULL;
}

int32_t mereau_field_find(const char *name) {
    if (name == NULL)
        return 0;
    for (size_t i = 0; i < sizeof fields / sizeof *fields; i++)
        if (strcmp(fields[i].name, name) == 0)
            return fields[i].number;
    return 0;
}

int32_t mereau_field_type(int32_t field) {
    const struct field *found = by_number(field);
    return found != NULL ? found->type : 0;
}
