/* lib/jose/claims.c - what a verified token said, read by name. Nothing here
 * writes to claims that were filled, so threads may read the same ones. */
#include "verifier_int.h"

void mru_claims_reset(struct mereau_claims *claims) {
    mru_buf_reuse(&claims->header);
    mru_buf_reuse(&claims->json);
    mru_buf_reuse(&claims->texts);
    memset(&claims->root, 0, sizeof claims->root);
}

void mru_claims_clear(struct mereau_claims *claims) {
    mru_buf_free(&claims->header);
    mru_buf_free(&claims->json);
    mru_buf_free(&claims->texts);
    memset(&claims->root, 0, sizeof claims->root);
}

/* Unescapes one string to its own offset. Between the quotes there are at least
 * as many bytes as it means, and the quotes make room for the NUL. */
static void index_text(struct mereau_claims *claims,
                       const struct mru_jval *value) {
    size_t at = (size_t)(value->p - (const char *)claims->json.data), len = 0;
    char *out = (char *)claims->texts.data + at;
    if (value->kind == 's' &&
        mru_json_text(value, out, value->len - 1, &len) == 0)
        out[len] = '\0';
}

mereau_status mru_claims_index(struct mereau_claims *claims,
                               mereau_error *err) {
    struct mru_jval value, element;
    size_t pos = 0;
    mereau_status status =
        mru_json_check(&claims->root, claims->json.data, claims->json.len,
                       &mru_json_default_limits, err);
    if (status == MEREAU_OK && claims->root.kind != 'o')
        status = mru_refuse(err, MEREAU_E_MALFORMED, "jwt.payload",
                            "RFC 7519 7.2", "a JSON object", "something else");
    if (status != MEREAU_OK)
        return status;
    if (!mru_buf_extend(&claims->texts, claims->json.len))
        return mru_refuse(err, MEREAU_E_NOMEM, NULL, NULL, NULL, NULL);
    while (mru_json_next(&claims->root, &pos, NULL, &value)) {
        size_t inner = 0;
        index_text(claims, &value);
        while (value.kind == 'a' &&
               mru_json_next(&value, &inner, NULL, &element))
            index_text(claims, &element);
    }
    return MEREAU_OK;
}

mereau_claims *mereau_claims_new(void) {
    return mru_alloc(sizeof(struct mereau_claims));
}

void mereau_claims_free(mereau_claims *claims) {
    if (!claims)
        return;
    mru_claims_clear(claims);
    mru_free(claims);
}

static int find(struct mru_jval *value, const mereau_claims *claims,
                const char *name) {
    return claims && name && claims->root.kind == 'o' &&
           mru_json_member(value, &claims->root, name);
}

static const char *text_of(const mereau_claims *claims,
                           const struct mru_jval *value) {
    if (value->kind != 's')
        return NULL;
    return (const char *)claims->texts.data +
           (value->p - (const char *)claims->json.data);
}

const char *mereau_claims_text(const mereau_claims *claims, const char *name) {
    struct mru_jval value;
    return find(&value, claims, name) ? text_of(claims, &value) : NULL;
}

const char *mereau_claims_text_at(const mereau_claims *claims, const char *name,
                                  size_t i) {
    struct mru_jval value, element;
    size_t pos = 0, at = 0;
    if (!find(&value, claims, name))
        return NULL;
    if (value.kind == 's')
        return i == 0 ? text_of(claims, &value) : NULL;
    while (value.kind == 'a' && mru_json_next(&value, &pos, NULL, &element))
        if (element.kind == 's' && at++ == i)
            return text_of(claims, &element);
    return NULL;
}

int64_t mereau_claims_int(const mereau_claims *claims, const char *name) {
    struct mru_jval value;
    int64_t number;
    int fraction;
    if (!find(&value, claims, name) || value.kind != 'n')
        return MEREAU_UNSET;
    if (strcmp(name, "exp") == 0 || strcmp(name, "nbf") == 0 ||
        strcmp(name, "iat") == 0)
        return mru_json_seconds(&value, &number, &fraction) == 0 ? number
                                                                 : MEREAU_UNSET;
    return mru_json_int(&value, &number) == 0 ? number : MEREAU_UNSET;
}

int32_t mereau_claims_has_scope(const mereau_claims *claims, const char *word) {
    const char *scope = mereau_claims_text(claims, "scope");
    size_t len = word ? strlen(word) : 0;
    if (!scope || len == 0 || strchr(word, ' '))
        return 0;
    for (const char *at = scope; *at != '\0';) {
        size_t n = strcspn(at, " ");
        if (n == len && memcmp(at, word, len) == 0)
            return 1;
        at += n;
        at += strspn(at, " ");
    }
    return 0;
}

const char *mereau_claims_json(const mereau_claims *claims, size_t *len) {
    int filled = claims && claims->root.kind == 'o';
    if (len)
        *len = filled ? claims->json.len : 0;
    return filled ? (const char *)claims->json.data : "";
}
