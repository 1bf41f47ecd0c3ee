/* lib/jose/jwt_sign.c - making JWTs: claims to a signed token, and to a signed one
 * inside of an encrypted one (RFC 7519 section 7.1). Claims are checked as
 * strictly as a verifier will, so that no token leaves which none takes. With an
 * HMAC key and a result that has been used before, nothing is allocated. */
#include <mereau/jwt.h>

#include "../port/port.h"
#include "jwe.h"
#include "jws.h"
#include "key_int.h"

static mereau_status no_memory(mereau_error *err) {
    return mru_refuse(err, MEREAU_E_NOMEM, NULL, NULL, NULL, NULL);
}

static mereau_status check(const mereau_jwk *key, const char *typ,
                           const char *claims, size_t len, mereau_error *err) {
    struct mru_jval root;
    size_t typ_len = typ ? strlen(typ) : 1;
    if (mru_key_info(key)->use != MRU_USE_SIG)
        return mru_refuse(err, MEREAU_E_ALG, "jwt.alg", "RFC 7515 4.1.1",
                          "a key for signatures", mru_key_info(key)->name);
    if (typ_len == 0 || typ_len > MRU_MAX_TYP ||
        (typ && !mru_text_valid((const uint8_t *)typ, typ_len)))
        return mru_refuse(err, MEREAU_E_ARG, "jwt.typ", "RFC 7515 4.1.9",
                          "a media type of 1 to 128 bytes", "another text");
    mereau_status status =
        mru_json_check(&root, claims, len, &mru_json_default_limits, err);
    if (status == MEREAU_OK && root.kind != 'o')
        status = mru_refuse(err, MEREAU_E_MALFORMED, "jwt.payload",
                            "RFC 7519 7.1", "a JSON object", "something else");
    return status;
}

/* Appends to *out, which the caller empties after failure. */
static mereau_status sign(struct mru_buf *out, const mereau_jwk *key,
                          const char *typ, const char *claims, size_t len,
                          const mereau_random *random, mereau_error *err) {
    uint8_t sig[MRU_MAX_SIG];
    size_t sig_len = 0;
    mereau_status status = check(key, typ, claims, len, err);
    if (status != MEREAU_OK)
        return status;
    if (mru_jws_begin(out, mru_key_alg(key), typ,
                      mru_key_kid_given(key) ? mru_key_kid(key) : NULL, claims,
                      len) != 0)
        return no_memory(err);
    status = mru_key_sign(key, mru_random_draw, mru_random_arg(random),
                          out->data, out->len, sig, &sig_len);
    if (status != MEREAU_OK)
        return mru_refuse(err, status, "jwt.key", "RFC 7517 4.3",
                          status == MEREAU_E_KEY ? "a key that may sign" : NULL,
                          NULL);
    if (mru_jws_finish(out, sig, sig_len) != 0)
        return no_memory(err);
    if (out->len > MEREAU_MAX_TOKEN)
        return mru_refuse(err, MEREAU_E_TOO_LONG, "jwt.length", NULL,
                          "a token of at most 16384 bytes", "a longer one");
    return MEREAU_OK;
}

/* What both calls begin with. */
static mereau_status begin(mereau_bytes *out, int complete,
                           const mereau_random *random, mereau_error *err) {
    mereau_status status = mru_bytes_begin(out, err);
    if (status != MEREAU_OK)
        return status;
    if (!complete)
        return mru_refuse(err, MEREAU_E_ARG, "jwt.argument", NULL,
                          "a key and claims", "NULL");
    return mru_random_check(random, err);
}

mereau_status mereau_jwt_sign(mereau_bytes *out, const mereau_jwk *key,
                              const char *typ, const char *claims, size_t len,
                              const mereau_random *random, mereau_error *err) {
    mereau_status status = begin(out, key && claims, random, err);
    if (status == MEREAU_OK)
        status = sign(&out->buf, key, typ, claims, len, random, err);
    if (status != MEREAU_OK && out)
        mru_buf_reuse(&out->buf);
    return status;
}

mereau_status mereau_jwt_sign_encrypted(mereau_bytes *out,
                                        const mereau_jwk *key,
                                        const mereau_jwk *to, int32_t enc,
                                        const char *typ, const char *claims,
                                        size_t len, const mereau_random *random,
                                        mereau_error *err) {
    struct mru_buf inner = {0};
    mereau_status status = begin(out, key && to && claims, random, err);
    if (status == MEREAU_OK)
        status = sign(&inner, key, typ, claims, len, random, err);
    if (status == MEREAU_OK)
        status = mru_jwe_make(&out->buf, to, enc, "{\"cty\":\"JWT\"}",
                              inner.data, inner.len, mru_random_draw,
                              mru_random_arg(random), err);
    mru_buf_free(&inner);
    if (status != MEREAU_OK && out)
        mru_buf_reuse(&out->buf);
    return status;
}
