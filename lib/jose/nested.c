/* lib/jose/nested.c - the outer layer of a JWT that is signed and then encrypted
 * (RFC 7519 sections 5.2, 7.2). There is exactly one: what it holds is read as a
 * signed token and nothing else. */
#include "rules.h"

static mereau_status refuse_plain(const mereau_verifier *verifier,
                                  mereau_error *err) {
    if (verifier->accept_unencrypted)
        return MEREAU_OK;
    return mru_refuse(err, MEREAU_E_KIND, "jwt.encryption", "RFC 7519 7.2",
                      "an encrypted token", "one that is not");
}

/* Whether the content says that it is a JWT, as it must (section 5.2). */
static mereau_status check_content(const struct mru_jwe *jwe,
                                   mereau_error *err) {
    char cty[64];
    size_t len = 0;
    if (jwe->cty.kind == 's' &&
        mru_json_text(&jwe->cty, cty, sizeof cty, &len) == 0 &&
        mru_type_is(cty, len, "JWT"))
        return MEREAU_OK;
    return mru_refuse(err, MEREAU_E_KIND, "jwt.cty", "RFC 7519 5.2", "JWT",
                      jwe->cty.kind == 0 ? "none" : "another");
}

mereau_status mru_nested_open(struct mru_nested *nested,
                              const mereau_verifier *verifier,
                              const char **token, size_t *len,
                              mereau_error *err) {
    if (!mru_jwe_is(*token, *len))
        return refuse_plain(verifier, err);
    mereau_status status =
        mru_jwe_decrypt(&nested->opened, &nested->header, &nested->jwe,
                        verifier->readers, *token, *len, err);
    if (status == MEREAU_OK)
        status = check_content(&nested->jwe, err);
    if (status == MEREAU_OK) {
        *token = (const char *)nested->opened.data;
        *len = nested->opened.len;
    }
    return status;
}

/* Whether two checked values are one, whatever way each is written. */
static mereau_status compare(const struct mru_jval *outside,
                             const struct mru_jval *inside, mereau_error *err) {
    struct mru_buf a = {0}, b = {0};
    mereau_status status = mru_json_canonical(&a, outside, err);
    if (status == MEREAU_OK)
        status = mru_json_canonical(&b, inside, err);
    if (status == MEREAU_OK &&
        (a.len != b.len || memcmp(a.data, b.data, a.len) != 0))
        status = mru_refuse(err, MEREAU_E_MALFORMED, "jwt.replica",
                            "RFC 7519 5.3", "a header that repeats the claims",
                            "another iss, sub or aud in it");
    mru_buf_free(&a);
    mru_buf_free(&b);
    return status;
}

mereau_status mru_nested_check(const struct mru_nested *nested,
                               const struct mru_said *said, mereau_error *err) {
    static const char *const names[] = {"iss", "sub", "aud"};
    struct mru_jval outside, inside;
    mereau_status status = MEREAU_OK;
    if (nested->opened.len == 0)
        return MEREAU_OK;
    for (size_t i = 0; status == MEREAU_OK && i < 3; i++)
        if (mru_json_member(&outside, &nested->jwe.header, names[i]) &&
            mru_said_find(&inside, said, names[i]))
            status = compare(&outside, &inside, err);
    return status;
}

void mru_nested_free(struct mru_nested *nested) {
    mru_buf_free(&nested->opened);
    mru_buf_free(&nested->header);
}
