/* lib/jose/cert.c - the certificates that a key came with: x5c and x5t#S256 of a
 * JWK (RFC 7517 sections 4.7 and 4.9), or a chain in PEM. Whom they name and who
 * signed them is never looked at: they are checked to be of this key, kept, and
 * given out again. */
#include "key_int.h"

void mru_certs_free(struct mru_certs *certs) {
    for (size_t i = 0; i < certs->n; i++)
        mru_buf_free(&certs->der[i]);
    memset(certs, 0, sizeof *certs);
}

static mereau_status bad_form(mereau_error *err, const char *rule,
                              const char *wanted, const char *found) {
    return mru_refuse(err, MEREAU_E_MALFORMED, rule, "RFC 7517 4.7", wanted,
                      found);
}

static mereau_status no_memory(mereau_error *err) {
    return mru_refuse(err, MEREAU_E_NOMEM, NULL, NULL, NULL, NULL);
}

/* The hash of the first certificate. */
static int hash_first(struct mru_certs *certs) {
    mereau_slice part = {certs->der[0].data, certs->der[0].len};
    certs->has_hash = 1;
    return mru_hash(MRU_SHA256, &part, 1, certs->hash);
}

/* --- base64 as x5c has it (RFC 4648 section 4): base64url in another alphabet,
 * and padded --- */

static int decode(struct mru_buf *out, struct mru_buf *text) {
    char *p = (char *)text->data;
    size_t len = text->len;
    if (len == 0 || len % 4 != 0)
        return -1;
    for (size_t i = 0; i < 2 && p[len - 1] == '='; i++)
        len--;
    for (size_t i = 0; i < len; i++) {
        if (p[i] == '-' || p[i] == '_')
            return -1;
        p[i] = p[i] == '+' ? '-' : p[i] == '/' ? '_' : p[i];
    }
    ptrdiff_t n = mru_b64_decode(NULL, p, len);
    if (n <= 0)
        return -1;
    uint8_t *at = mru_buf_extend(out, (size_t)n);
    if (at)
        mru_b64_decode(at, p, len);
    return at ? 0 : -2;
}

static void encode(struct mru_buf *out, const struct mru_buf *der) {
    mru_buf_add_b64(out, der->data, der->len);
    for (size_t i = 0; !out->failed && i < out->len; i++) {
        char c = (char)out->data[i];
        out->data[i] = (uint8_t)(c == '-' ? '+' : c == '_' ? '/' : c);
    }
    while (!out->failed && out->len % 4 != 0)
        mru_buf_add_byte(out, '=');
}

/* --- reading a JWK --- */

/* 1 when the certificate has the same numbers as the key. */
static int is_of(const mru_pkey *other, const mru_pkey *pkey) {
    static const int parts[] = {MRU_PART_N, MRU_PART_E, MRU_PART_X, MRU_PART_Y};
    uint8_t a[MRU_RSA_MAX], b[MRU_RSA_MAX];
    int same = 1;
    for (size_t i = 0; i < sizeof parts / sizeof parts[0]; i++) {
        size_t n = 0, m = 0;
        int have = mru_pkey_part(pkey, parts[i], a, sizeof a, &n);
        int had = mru_pkey_part(other, parts[i], b, sizeof b, &m);
        same = same && have == had && n == m && memcmp(a, b, n) == 0;
    }
    return same;
}

static mereau_status check_first(const struct mru_buf *der,
                                 const struct mru_alg *alg,
                                 const mru_pkey *pkey, mereau_error *err) {
    mereau_error why = MEREAU_ERROR_INIT;
    mru_pkey *other = NULL;
    mereau_status status =
        mru_pkey_parse(&other, alg, NULL, der->data, der->len, &why);
    int same = status == MEREAU_OK && is_of(other, pkey);
    mru_pkey_free(other);
    if (status == MEREAU_E_NOMEM || status == MEREAU_E_CRYPTO)
        return mru_refuse(err, status, NULL, NULL, NULL, NULL);
    if (same)
        return MEREAU_OK;
    return mru_refuse(err, MEREAU_E_KEY, "jwk.x5c", "RFC 7517 4.7",
                      "a certificate of this key", "one of another");
}

static mereau_status read_one(struct mru_certs *out,
                              const struct mru_jval *value, mereau_error *err) {
    struct mru_buf text = {0}, *der = &out->der[out->n];
    mereau_status status = MEREAU_OK;
    if (value->kind != 's')
        return bad_form(err, "jwk.x5c", "texts", "something else");
    int code = mru_json_add_text(&text, value);
    if (code != 0) {
        status = no_memory(err);
    } else {
        struct mru_buf checked = {0};
        out->n++; /* freed with the others */
        code = decode(der, &text);
        if (code == 0)
            code = mru_cert_der(der->data, der->len, &checked);
        if (code == -2 || checked.failed)
            status = no_memory(err);
        else if (code != 0)
            status = bad_form(err, "jwk.x5c", "certificates in base64 DER",
                              "something else");
        mru_buf_free(&checked);
    }
    mru_buf_free(&text);
    return status;
}

static mereau_status read_chain(struct mru_certs *out,
                                const struct mru_jval *list,
                                mereau_error *err) {
    struct mru_jval value;
    size_t pos = 0;
    mereau_status status = MEREAU_OK;
    if (list->kind != 'a')
        return bad_form(err, "jwk.x5c", "a list", "something else");
    while (status == MEREAU_OK && mru_json_next(list, &pos, NULL, &value)) {
        if (out->n == MRU_MAX_CHAIN)
            return mru_refuse(err, MEREAU_E_TOO_LONG, "jwk.x5c", NULL,
                              "at most 10 certificates", "more");
        status = read_one(out, &value, err);
    }
    if (status == MEREAU_OK && out->n == 0)
        status = bad_form(err, "jwk.x5c", "a certificate", "none");
    if (status == MEREAU_OK && hash_first(out) != 0)
        status = mru_refuse(err, MEREAU_E_CRYPTO, NULL, NULL, NULL, NULL);
    return status;
}

static mereau_status read_hash(struct mru_certs *out,
                               const struct mru_jval *value,
                               mereau_error *err) {
    uint8_t hash[MRU_SHA256];
    char text[MRU_B64_LEN(MRU_SHA256)];
    size_t len = 0;
    if (mru_json_text(value, text, sizeof text, &len) != 0 ||
        len != sizeof text || mru_b64_decode(hash, text, len) != MRU_SHA256)
        return mru_refuse(err, MEREAU_E_MALFORMED, "jwk.x5t", "RFC 7517 4.9",
                          "a SHA-256 hash in base64url", "something else");
    if (out->has_hash && memcmp(out->hash, hash, sizeof hash) != 0)
        return mru_refuse(err, MEREAU_E_KEY, "jwk.x5t", "RFC 7517 4.9",
                          "the hash of the first certificate", "another");
    memcpy(out->hash, hash, sizeof hash);
    out->has_hash = 1;
    return MEREAU_OK;
}

mereau_status mru_certs_read(struct mru_certs *out, const struct mru_jval *jwk,
                             const struct mru_alg *alg, const mru_pkey *pkey,
                             mereau_error *err) {
    struct mru_jval value;
    mereau_status status = MEREAU_OK;
    if (mru_json_member(&value, jwk, "x5c"))
        status = read_chain(out, &value, err);
    if (status == MEREAU_OK && out->n > 0)
        status = check_first(&out->der[0], alg, pkey, err);
    if (status == MEREAU_OK && mru_json_member(&value, jwk, "x5t#S256"))
        status = read_hash(out, &value, err);
    if (status != MEREAU_OK)
        mru_certs_free(out);
    return status;
}

/* --- a chain in PEM, or one certificate in DER --- */

mereau_status mru_certs_take(struct mru_certs *out, const uint8_t *data,
                             size_t len, mereau_error *err) {
    static const char end[] = "-----END CERTIFICATE-----";
    const size_t end_len = sizeof end - 1;
    mereau_status status = MEREAU_OK;
    while (len > 0 && status == MEREAU_OK) {
        /* One block after the other; DER has no such mark and is one. */
        size_t block = 0;
        while (block + end_len <= len &&
               memcmp(data + block, end, end_len) != 0)
            block++;
        block = block + end_len <= len ? block + end_len : len;
        struct mru_buf der = {0};
        int code = mru_cert_der(data, block, &der);
        if (code == -2 || der.failed)
            status = no_memory(err);
        else if (code != 0)
            len = block; /* a key, or what follows the last certificate */
        else if (out->n == MRU_MAX_CHAIN)
            status = mru_refuse(err, MEREAU_E_TOO_LONG, "key.certificate", NULL,
                                "at most 10 certificates", "more");
        if (code == 0 && status == MEREAU_OK)
            out->der[out->n++] = der;
        else
            mru_buf_free(&der);
        data += block;
        len -= block;
    }
    if (status == MEREAU_OK && out->n > 0 && hash_first(out) != 0)
        status = mru_refuse(err, MEREAU_E_CRYPTO, NULL, NULL, NULL, NULL);
    if (status != MEREAU_OK)
        mru_certs_free(out);
    return status;
}

int mru_certs_copy(struct mru_certs *out, const struct mru_certs *from) {
    memset(out, 0, sizeof *out);
    for (; out->n < from->n; out->n++) {
        struct mru_buf *der = &out->der[out->n];
        mru_buf_add(der, from->der[out->n].data, from->der[out->n].len);
        if (der->failed) {
            mru_certs_free(out);
            return -1;
        }
    }
    memcpy(out->hash, from->hash, sizeof from->hash);
    out->has_hash = from->has_hash;
    return 0;
}

/* --- printing --- */

int mru_certs_print(mru_jdoc *doc, const struct mru_certs *certs) {
    struct mru_buf text = {0};
    int ret = 0;
    if (certs->n > 0) {
        mru_jdoc *list = mru_jdoc_array();
        for (size_t i = 0; i < certs->n; i++) {
            text.len = 0;
            encode(&text, &certs->der[i]);
            ret |= text.failed
                       ? -1
                       : mru_jdoc_add_text(list, NULL, (const char *)text.data);
        }
        ret |= mru_jdoc_add_doc(doc, "x5c", list);
    }
    if (certs->has_hash) {
        text.len = 0;
        mru_buf_add_b64(&text, certs->hash, sizeof certs->hash);
        ret |= text.failed ? -1
                           : mru_jdoc_add_text(doc, "x5t#S256",
                                               (const char *)text.data);
    }
    mru_buf_free(&text);
    return ret;
}
