/* lib/jose/message.c - the public calls over any bytes: JWS and JWE. What is to be
 * checked in them is in jws.c, jwe.c and header.c; here are the arguments, the
 * results, and which key of a set is meant. */
#include <mereau/jwe.h>
#include <mereau/jws.h>

#include "../port/port.h"
#include "claims_int.h"
#include "header.h"
#include "jwe.h"

enum { FORMS = MEREAU_JWS_DETACHED | MEREAU_JWS_UNENCODED };

static mereau_status no_memory(mereau_error *err) {
    return mru_refuse(err, MEREAU_E_NOMEM, NULL, NULL, NULL, NULL);
}

/* --- which key --- */

/* rules: those of kid and alg, as this is no JWT. */
static mereau_status find_key(const mereau_jwk **out, const mereau_jwks *keys,
                              int32_t alg, const struct mru_jval *kid,
                              const char *const rules[2], mereau_error *err) {
    mereau_status status = mru_jwks_pick(out, keys, NULL, alg, kid, err);
    if (status != MEREAU_OK && err)
        mru_refuse(err, status, rules[status == MEREAU_E_ALG], err->source,
                   err->wanted, err->found);
    return status;
}

/* The header, once it was proved, as claims. */
static mereau_status give_header(mereau_claims *header,
                                 const struct mru_buf *text,
                                 mereau_error *err) {
    if (!header)
        return MEREAU_OK;
    mru_buf_add(&header->json, text->data, text->len);
    return header->json.failed ? no_memory(err) : mru_claims_index(header, err);
}

static void begin(mereau_bytes *out, mereau_claims *header) {
    if (out)
        mru_buf_reuse(&out->buf);
    if (header)
        mru_claims_reset(header);
}

/* --- JWS --- */

/* What stands between header and signature, and is signed after header and dot. */
static void add_payload(struct mru_buf *to, const uint8_t *payload, size_t len,
                        uint32_t flags) {
    if (flags & MEREAU_JWS_UNENCODED)
        mru_buf_add(to, payload, len);
    else
        mru_buf_add_b64(to, payload, len);
}

/* RFC 7797 section 5.2. */
static int may_stand_plain(const uint8_t *payload, size_t len) {
    for (size_t i = 0; i < len; i++)
        if (payload[i] < ' ' || payload[i] > '~' || payload[i] == '.')
            return 0;
    return 1;
}

static mereau_status sign_input(struct mru_buf *out, struct mru_buf *input,
                                const mereau_jwk *key, size_t header_len,
                                uint32_t flags, const mereau_random *random,
                                mereau_error *err) {
    uint8_t sig[MRU_MAX_SIG];
    size_t sig_len = 0;
    if (input->failed)
        return no_memory(err);
    mereau_status status =
        mru_key_sign(key, mru_random_draw, mru_random_arg(random), input->data,
                     input->len, sig, &sig_len);
    if (status != MEREAU_OK)
        return mru_refuse(err, status, "jws.key", "RFC 7517 4.3",
                          status == MEREAU_E_KEY ? "a key that may sign" : NULL,
                          NULL);
    mru_buf_add(out, input->data,
                flags & MEREAU_JWS_DETACHED ? header_len + 1 : input->len);
    if (mru_jws_finish(out, sig, sig_len) != 0)
        return no_memory(err);
    if (out->len > MEREAU_MAX_TOKEN)
        return mru_refuse(err, MEREAU_E_TOO_LONG, "jws.length", NULL,
                          "a JWS of at most 16384 bytes", "a longer one");
    return MEREAU_OK;
}

static mereau_status sign(struct mru_buf *out, const mereau_jwk *key,
                          const char *header, const uint8_t *payload,
                          size_t len, uint32_t flags,
                          const mereau_random *random, mereau_error *err) {
    struct mru_buf text = {0}, input = {0};
    struct mru_jval extra;
    int plain = (flags & MEREAU_JWS_UNENCODED) != 0;
    if (mru_key_info(key)->use != MRU_USE_SIG)
        return mru_refuse(err, MEREAU_E_ALG, "jws.alg", "RFC 7515 4.1.1",
                          "a key for signatures", mru_key_info(key)->name);
    if (flags != MEREAU_JWS_DETACHED && len > MEREAU_MAX_TOKEN &&
        !(flags & MEREAU_JWS_DETACHED))
        return mru_refuse(err, MEREAU_E_TOO_LONG, "jws.length", NULL,
                          "a JWS of at most 16384 bytes", "a longer one");
    if (flags == MEREAU_JWS_UNENCODED && !may_stand_plain(payload, len))
        return mru_refuse(err, MEREAU_E_MALFORMED, "jws.payload",
                          "RFC 7797 5.2", "printable ASCII without a full stop",
                          "another byte");
    mereau_status status =
        mru_header_check(&extra, header, key, 0, "jws.header", err);
    if (status == MEREAU_OK) {
        mru_header_begin(&text, mru_key_info(key)->name);
        mru_header_kid(&text, key);
        if (plain)
            mru_buf_add_text(&text, ",\"b64\":false,\"crit\":[\"b64\"]");
        mru_header_end(&text, &extra);
        mru_buf_add_b64(&input, text.data, text.len);
        size_t header_len = input.len;
        mru_buf_add_byte(&input, '.');
        add_payload(&input, payload, len, flags);
        status = text.failed ? no_memory(err)
                             : sign_input(out, &input, key, header_len, flags,
                                          random, err);
    }
    mru_buf_free(&text);
    mru_buf_free(&input);
    return status;
}

mereau_status mereau_jws_sign(mereau_bytes *out, const mereau_jwk *key,
                              const char *header, const uint8_t *payload,
                              size_t len, uint32_t flags,
                              const mereau_random *random, mereau_error *err) {
    mereau_status status = mru_error_reset(err);
    if (status != MEREAU_OK)
        err = NULL;
    begin(out, NULL);
    if (status == MEREAU_OK && !out)
        status = no_memory(err);
    if (status == MEREAU_OK &&
        (!key || (!payload && len > 0) || (flags & ~(uint32_t)FORMS)))
        status =
            mru_refuse(err, MEREAU_E_ARG, "jws.argument", NULL,
                       "a key, a payload and MEREAU_JWS_* flags", "another");
    if (status == MEREAU_OK)
        status = mru_random_check(random, err);
    if (status == MEREAU_OK)
        status = sign(&out->buf, key, header, payload, len, flags, random, err);
    if (status != MEREAU_OK)
        begin(out, NULL);
    return status;
}

static mereau_status verify(struct mru_buf *payload, mereau_claims *header,
                            const mereau_jwks *keys, const char *token,
                            size_t len, const mereau_slice *detached,
                            uint32_t flags, mereau_error *err) {
    static const char *const rules[2] = {"jws.kid", "jws.alg"};
    struct mru_buf text = {0};
    struct mru_jws jws;
    const mereau_jwk *key = NULL;
    mereau_status status = mru_jws_read_as(&jws, &text, token, len, flags, err);
    if (status == MEREAU_OK)
        status = find_key(&key, keys, jws.alg, &jws.kid, rules, err);
    if (status == MEREAU_OK && (flags & MEREAU_JWS_DETACHED))
        status = mru_jws_verify_detached(&jws, key, detached->data,
                                         detached->len, err);
    else if (status == MEREAU_OK)
        status = mru_jws_verify(&jws, key, err);
    if (status == MEREAU_OK && !(flags & MEREAU_JWS_DETACHED))
        status = mru_jws_payload(&jws, payload, err);
    if (status == MEREAU_OK)
        status = give_header(header, &text, err);
    mru_buf_free(&text);
    return status;
}

mereau_status mereau_jws_verify(mereau_bytes *payload, mereau_claims *header,
                                const mereau_jwks *keys, const char *token,
                                size_t len, const uint8_t *detached,
                                size_t detached_len, uint32_t flags,
                                mereau_error *err) {
    const mereau_slice given = {detached, detached_len};
    int wants = (flags & MEREAU_JWS_DETACHED) != 0;
    mereau_status status = mru_error_reset(err);
    if (status != MEREAU_OK)
        err = NULL;
    begin(payload, header);
    if (status == MEREAU_OK && (!payload || !keys))
        status = no_memory(err);
    if (status == MEREAU_OK &&
        (!token || (flags & ~(uint32_t)FORMS) ||
         (!detached && detached_len > 0) || (!wants && detached)))
        status = mru_refuse(err, MEREAU_E_ARG, "jws.argument", NULL,
                            "a token, MEREAU_JWS_* flags and what goes with "
                            "them",
                            "another");
    if (status == MEREAU_OK)
        status =
            verify(&payload->buf, header, keys, token, len, &given, flags, err);
    if (status != MEREAU_OK)
        begin(payload, header);
    return status;
}

/* --- JWE --- */

mereau_status mereau_jwe_encrypt(mereau_bytes *out, const mereau_jwk *key,
                                 int32_t enc, const char *header,
                                 const uint8_t *plain, size_t len,
                                 const mereau_random *random,
                                 mereau_error *err) {
    mereau_status status = mru_error_reset(err);
    if (status != MEREAU_OK)
        err = NULL;
    begin(out, NULL);
    if (status == MEREAU_OK && !out)
        status = no_memory(err);
    if (status == MEREAU_OK && (!key || (!plain && len > 0)))
        status = mru_refuse(err, MEREAU_E_ARG, "jwe.argument", NULL,
                            "a key and a content", "none");
    if (status == MEREAU_OK)
        status = mru_random_check(random, err);
    if (status == MEREAU_OK)
        status = mru_jwe_make(&out->buf, key, enc, header, plain, len,
                              mru_random_draw, mru_random_arg(random), err);
    if (status != MEREAU_OK)
        begin(out, NULL);
    return status;
}

mereau_status mru_jwe_decrypt(struct mru_buf *plain, struct mru_buf *header,
                              struct mru_jwe *jwe, const mereau_jwks *keys,
                              const char *token, size_t len,
                              mereau_error *err) {
    static const char *const rules[2] = {"jwe.kid", "jwe.alg"};
    const mereau_jwk *key = NULL;
    mereau_status status = mru_jwe_read(jwe, header, token, len, err);
    if (status == MEREAU_OK)
        status = find_key(&key, keys, jwe->alg->id, &jwe->kid, rules, err);
    if (status == MEREAU_OK)
        status = mru_jwe_open(jwe, key, mru_random_draw, NULL, plain, err);
    return status;
}

mereau_status mereau_jwe_decrypt(mereau_bytes *plain, mereau_claims *header,
                                 const mereau_jwks *keys, const char *token,
                                 size_t len, mereau_error *err) {
    struct mru_buf text = {0};
    struct mru_jwe jwe;
    mereau_status status = mru_error_reset(err);
    if (status != MEREAU_OK)
        err = NULL;
    begin(plain, header);
    if (status == MEREAU_OK && (!plain || !keys))
        status = no_memory(err);
    if (status == MEREAU_OK && !token)
        status = mru_refuse(err, MEREAU_E_ARG, "jwe.argument", NULL, "a token",
                            "none");
    if (status == MEREAU_OK)
        status =
            mru_jwe_decrypt(&plain->buf, &text, &jwe, keys, token, len, err);
    if (status == MEREAU_OK)
        status = give_header(header, &text, err);
    mru_buf_free(&text);
    if (status != MEREAU_OK)
        begin(plain, header);
    return status;
}
