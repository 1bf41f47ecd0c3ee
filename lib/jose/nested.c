/* lib/jose/nested.c - the outer layer of a JWT that is signed and then encrypted
 * (RFC 7519 sections 5.2, 7.2). There is exactly one: what it holds is read as a
 * signed token and nothing else. */
#include "jwe.h"
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

mereau_status mru_nested_open(const mereau_verifier *verifier,
                              struct mru_buf *opened, const char **token,
                              size_t *len, mereau_error *err) {
    struct mru_buf header = {0};
    struct mru_jwe jwe;
    if (!verifier->readers)
        return MEREAU_OK;
    if (!mru_jwe_is(*token, *len))
        return refuse_plain(verifier, err);
    mereau_status status = mru_jwe_decrypt(
        opened, &header, &jwe, verifier->readers, *token, *len, err);
    if (status == MEREAU_OK)
        status = check_content(&jwe, err);
    if (status == MEREAU_OK) {
        *token = (const char *)opened->data;
        *len = opened->len;
    }
    mru_buf_free(&header);
    return status;
}
