/* lib/jose/jwk_api.c - include/mereau/jwk.h: keys and sets as programs see them.
 * Checks arguments and hands on; what a key is stands in key.c, what a set is in
 * jwks.c. */
#include "../port/port.h"
#include "jwks.h"
#include "key_int.h"

static mereau_status bad_argument(mereau_error *err, const char *rule,
                                  const char *wanted) {
    return mru_refuse(err, MEREAU_E_ARG, rule, NULL, wanted, NULL);
}

static mereau_status no_memory(mereau_error *err) {
    return mru_refuse(err, MEREAU_E_NOMEM, NULL, NULL, NULL, NULL);
}

/* The beginning of every call that makes something. */
#define BEGIN(out, err)                                                        \
    do {                                                                       \
        mereau_status begun = mru_error_reset(err);                            \
        if (out)                                                               \
            *(out) = NULL;                                                     \
        if (begun != MEREAU_OK)                                                \
            return begun;                                                      \
        if (!(out))                                                            \
            return bad_argument(err, "argument.out", "a place for it");        \
    } while (0)

/* --- one key --- */

mereau_status mereau_jwk_read(mereau_jwk **out, const char *json, size_t len,
                              int32_t alg, mereau_error *err) {
    struct mru_jval root;
    BEGIN(out, err);
    if (!json)
        return bad_argument(err, "argument.json", "a JWK");
    if (alg != 0 && !mru_alg_name(alg))
        return mru_refuse(err, MEREAU_E_ALG, "key.alg", "RFC 7518 3.1",
                          "a known algorithm", "another");
    mereau_status status =
        mru_json_check(&root, json, len, &mru_json_default_limits, err);
    if (status != MEREAU_OK)
        return status;
    return mru_key_from_jwk(out, &root, alg, MRU_KEY_SECRET | MRU_KEY_ENC, err);
}

mereau_status mereau_jwk_read_encoded(mereau_jwk **out, const uint8_t *data,
                                      size_t len, int32_t alg,
                                      mereau_error *err) {
    BEGIN(out, err);
    if (!data)
        return bad_argument(err, "argument.data", "PEM or DER");
    if (len > MEREAU_MAX_VALUE)
        return mru_refuse(err, MEREAU_E_TOO_LONG, "key.encoding", NULL,
                          "at most 65536 bytes", "more");
    return mru_key_from_pem(out, data, len, alg, 0, err);
}

mereau_status mereau_jwk_from_secret(mereau_jwk **out, const uint8_t *secret,
                                     size_t len, int32_t alg,
                                     mereau_error *err) {
    BEGIN(out, err);
    if (!secret)
        return bad_argument(err, "argument.secret", "a secret");
    return mru_key_from_secret(out, secret, len, alg, err);
}

/* A host's generator in the form that the library calls. */
static int host_random(void *arg, uint8_t *out, size_t len) {
    const mereau_random *random = arg;
    return random->fill(random->user, out, len);
}

/* A new key pair has the name by which its tokens can be told from those of the one
 * before it. A secret has none: its hash is not for everybody. */
static mereau_status generate(mereau_jwk **out, int32_t alg, int32_t bits,
                              mru_rng rng, void *arg, mereau_error *err) {
    mereau_status status = mru_key_generate_bits(out, alg, bits, rng, arg, err);
    if (status == MEREAU_OK)
        (*out)->kid_given = mru_key_info(*out)->kty != MRU_KTY_OCT;
    return status;
}

mereau_status mereau_jwk_generate(mereau_jwk **out, int32_t alg, int32_t bits,
                                  const mereau_random *random,
                                  mereau_error *err) {
    BEGIN(out, err);
    if (!random)
        return generate(out, alg, bits, mru_os_random, NULL, err);
    if (random->size != sizeof *random)
        return mru_refuse(err, MEREAU_E_SIZE, "random.size", NULL,
                          "the size of mereau_random", "another");
    if (!random->fill)
        return bad_argument(err, "random.fill", "a function that fills");
    return generate(out, alg, bits, host_random, (void *)(uintptr_t)random,
                    err);
}

mereau_status mereau_jwk_public(mereau_jwk **out, const mereau_jwk *key,
                                mereau_error *err) {
    BEGIN(out, err);
    if (!key)
        return bad_argument(err, "argument.key", "a key");
    return mru_key_public(out, key, err);
}

mereau_status mereau_jwk_with_kid(mereau_jwk **out, const mereau_jwk *key,
                                  const char *kid, mereau_error *err) {
    BEGIN(out, err);
    if (!key || !kid)
        return bad_argument(err, "argument.key", "a key and a kid");
    mru_key *named = mru_key_again(key);
    if (!named)
        return no_memory(err);
    if (mru_key_set_kid(named, kid, strlen(kid)) != MEREAU_OK) {
        mru_key_free(named);
        return mru_refuse(err, MEREAU_E_KEY, "jwk.kid", "RFC 7517 4.5",
                          "1 to 128 printable bytes", "another length");
    }
    *out = named;
    return MEREAU_OK;
}

void mereau_jwk_free(mereau_jwk *key) { mru_key_free(key); }

/* --- what it is --- */

int32_t mereau_jwk_alg(const mereau_jwk *key) {
    return key ? mru_key_alg(key) : 0;
}

const char *mereau_jwk_kid(const mereau_jwk *key) {
    return key ? mru_key_kid(key) : "";
}

const char *mereau_jwk_kty(const mereau_jwk *key) {
    if (!key)
        return "";
    switch (key->alg->kty) {
    case MRU_KTY_RSA:
        return "RSA";
    case MRU_KTY_EC:
        return "EC";
    case MRU_KTY_OKP:
        return "OKP";
    default:
        return "oct";
    }
}

const char *mereau_jwk_crv(const mereau_jwk *key) {
    const struct mru_curve *curve = key ? mru_key_curve(key) : NULL;
    return curve ? curve->name : "";
}

int32_t mereau_jwk_bits(const mereau_jwk *key) {
    if (!key)
        return 0;
    if (key->material->pkey)
        return (int32_t)mru_pkey_bits(key->material->pkey);
    return (int32_t)(8 * key->material->secret_len);
}

int32_t mereau_jwk_is_private(const mereau_jwk *key) {
    return key ? mru_key_is_private(key) : 0;
}

/* --- writing --- */

/* The beginning of every call that writes. */
static mereau_status begin_writing(mereau_bytes *out, const void *what,
                                   mereau_error *err) {
    mereau_status status = mru_bytes_begin(out, err);
    if (status != MEREAU_OK || what)
        return status;
    return bad_argument(err, "argument.key", "a key");
}

/* Its end: nothing is left of what failed. */
static mereau_status end_writing(mereau_bytes *out, mereau_status status,
                                 mereau_error *err) {
    if (status == MEREAU_OK && out->buf.failed)
        status = no_memory(err);
    if (status != MEREAU_OK)
        mru_buf_reuse(&out->buf);
    return status;
}

mereau_status mereau_jwk_thumbprint(mereau_bytes *out, const mereau_jwk *key,
                                    mereau_error *err) {
    mereau_status status = begin_writing(out, key, err);
    if (status != MEREAU_OK)
        return status;
    mru_buf_add_text(&out->buf, key->material->thumbprint);
    return end_writing(out, status, err);
}

mereau_status mereau_jwk_thumbprint_uri(mereau_bytes *out,
                                        const mereau_jwk *key,
                                        mereau_error *err) {
    mereau_status status = begin_writing(out, key, err);
    if (status != MEREAU_OK)
        return status;
    mru_buf_add_text(&out->buf,
                     "urn:ietf:params:oauth:jwk-thumbprint:sha-256:");
    mru_buf_add_text(&out->buf, key->material->thumbprint);
    return end_writing(out, status, err);
}

mereau_status mereau_jwk_certificate_thumbprint(mereau_bytes *out,
                                                const mereau_jwk *key,
                                                mereau_error *err) {
    mereau_status status = begin_writing(out, key, err);
    if (status != MEREAU_OK)
        return status;
    const struct mru_certs *certs = &key->material->certs;
    if (!certs->has_hash)
        return mru_refuse(err, MEREAU_E_KEY, "key.certificate", "RFC 7517 4.9",
                          "a key that came with a certificate", "one without");
    mru_buf_add_b64(&out->buf, certs->hash, sizeof certs->hash);
    return end_writing(out, status, err);
}

/* What no form of a key may let out. */
static mereau_status may_write(const mru_key *key, int32_t form,
                               mereau_error *err) {
    int to_private = form == MEREAU_JWK_PRIVATE || form == MEREAU_PEM_PRIVATE ||
                     form == MEREAU_DER_PRIVATE;
    int is_jwk = form == MEREAU_JWK_PUBLIC || form == MEREAU_JWK_PRIVATE;
    if (form < MEREAU_JWK_PUBLIC || form > MEREAU_DER_PRIVATE)
        return bad_argument(err, "argument.form",
                            "MEREAU_JWK_PUBLIC to "
                            "MEREAU_DER_PRIVATE");
    if (key->material->secret && !to_private)
        return mru_refuse(err, MEREAU_E_KEY, "key.secret", "RFC 7517 9.3",
                          "a key pair", "a secret, of which nothing is public");
    if (key->material->secret && !is_jwk)
        return mru_refuse(err, MEREAU_E_KEY, "key.kind", "RFC 7468",
                          "a key pair", "a secret");
    if (to_private && !mru_key_is_private(key))
        return mru_refuse(err, MEREAU_E_KEY, "key.public", NULL,
                          "a private key", "a public one");
    return MEREAU_OK;
}

static mereau_status write_encoded(struct mru_buf *out, const mru_key *key,
                                   int32_t form, mereau_error *err) {
    int with_private = form == MEREAU_PEM_PRIVATE || form == MEREAU_DER_PRIVATE;
    int pem = form == MEREAU_PEM_PUBLIC || form == MEREAU_PEM_PRIVATE;
    mereau_status status =
        mru_pkey_write(key->material->pkey, with_private, pem, out);
    return status == MEREAU_OK
               ? status
               : mru_refuse(err, status, NULL, NULL, NULL, NULL);
}

mereau_status mereau_jwk_write(mereau_bytes *out, const mereau_jwk *key,
                               int32_t form, mereau_error *err) {
    mereau_status status = begin_writing(out, key, err);
    int failed = 0;
    if (status == MEREAU_OK)
        status = may_write(key, form, err);
    if (status != MEREAU_OK)
        return status;
    if (form == MEREAU_JWK_PUBLIC)
        failed = mru_key_print_public(&out->buf, key);
    else if (form == MEREAU_JWK_PRIVATE)
        failed = mru_key_print_private(&out->buf, key);
    else
        status = write_encoded(&out->buf, key, form, err);
    if (failed)
        status = no_memory(err);
    return end_writing(out, status, err);
}

/* --- sets --- */

mereau_jwks *mereau_jwks_new(void) { return mru_alloc(sizeof(mereau_jwks)); }

void mereau_jwks_free(mereau_jwks *set) {
    if (!set)
        return;
    mru_jwks_clear(set);
    mru_free(set);
}

mereau_status mereau_jwks_add(mereau_jwks *set, const mereau_jwk *key,
                              mereau_error *err) {
    mereau_status status = mru_error_reset(err);
    if (status != MEREAU_OK)
        return status;
    if (!set)
        return no_memory(err);
    if (!key)
        return bad_argument(err, "argument.key", "a key");
    return mru_jwks_add(set, mru_key_ref(key), err);
}

mereau_status mereau_jwks_read(mereau_jwks **out, const char *json, size_t len,
                               mereau_error *err) {
    BEGIN(out, err);
    if (!json)
        return bad_argument(err, "argument.json", "a JWK Set");
    mereau_jwks *set = mereau_jwks_new();
    if (!set)
        return no_memory(err);
    mereau_status status =
        mru_jwks_read(set, json, len, NULL, MRU_KEY_SECRET | MRU_KEY_ENC, err);
    if (status != MEREAU_OK)
        mereau_jwks_free(set);
    else
        *out = set;
    return status;
}

size_t mereau_jwks_skipped(const mereau_jwks *set) {
    return set ? set->skipped : 0;
}

const mereau_jwk *mereau_jwks_find(const mereau_jwks *set, const char *kid) {
    return set && kid ? mru_jwks_named(set, kid, 0) : NULL;
}

size_t mereau_jwks_count(const mereau_jwks *set) { return set ? set->n : 0; }

const mereau_jwk *mereau_jwks_at(const mereau_jwks *set, size_t i) {
    return set && i < set->n ? set->keys[i] : NULL;
}

mereau_status mereau_jwks_write(mereau_bytes *out, const mereau_jwks *set,
                                int32_t form, mereau_error *err) {
    mereau_status status = begin_writing(out, set, err);
    if (status != MEREAU_OK)
        return status;
    if (form != MEREAU_JWK_PUBLIC && form != MEREAU_JWK_PRIVATE)
        return bad_argument(err, "argument.form",
                            "MEREAU_JWK_PUBLIC or MEREAU_JWK_PRIVATE");
    mru_buf_add_text(&out->buf, "{\"keys\":[");
    for (size_t i = 0; i < set->n && status == MEREAU_OK; i++) {
        const mru_key *key = set->keys[i];
        int to_private = form == MEREAU_JWK_PRIVATE && mru_key_is_private(key);
        if (i > 0)
            mru_buf_add_byte(&out->buf, ',');
        status = may_write(key, to_private ? form : MEREAU_JWK_PUBLIC, err);
        if (status == MEREAU_OK &&
            (to_private ? mru_key_print_private(&out->buf, key)
                        : mru_key_print_public(&out->buf, key)) != 0)
            status = no_memory(err);
    }
    mru_buf_add_text(&out->buf, "]}");
    return end_writing(out, status, err);
}
