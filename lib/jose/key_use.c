/* lib/jose/key_use.c - what a key may be used for: kty, alg, use and key_ops of a
 * JWK (RFC 7517 section 4), and the secrets that an algorithm takes. What one
 * member says and another contradicts is refused, never ignored. */
#include "content.h"
#include "key_int.h"

static mereau_status bad_form(mereau_error *err, const char *rule,
                              const char *wanted, const char *found) {
    return mru_refuse(err, MEREAU_E_MALFORMED, rule, "RFC 7517 4", wanted,
                      found);
}

static mereau_status bad_key(mereau_error *err, const char *rule,
                             const char *wanted, const char *found) {
    return mru_refuse(err, MEREAU_E_KEY, rule, "RFC 7517 4", wanted, found);
}

/* --- kty and alg --- */

static int kty_of(const struct mru_jval *kty) {
    static const struct {
        const char *name;
        int kty;
    } kinds[] = {{"RSA", MRU_KTY_RSA},
                 {"EC", MRU_KTY_EC},
                 {"oct", MRU_KTY_OCT},
                 {"OKP", MRU_KTY_OKP}};
    for (size_t i = 0; i < sizeof kinds / sizeof kinds[0]; i++)
        if (mru_json_is(kty, kinds[i].name, strlen(kinds[i].name)))
            return kinds[i].kty;
    return 0;
}

/* What "alg" says; *enc when it is the name of a content encryption. */
static mereau_status read_alg(const struct mru_alg **alg,
                              const struct mru_enc **enc,
                              const struct mru_jval *value, mereau_error *err) {
    char name[32];
    size_t len = 0;
    *alg = NULL;
    if (value->kind != 's')
        return bad_form(err, "jwk.alg", "a text", "something else");
    if (mru_json_text(value, name, sizeof name, &len) == 0) {
        *alg = mru_alg_named(name, len, MRU_USE_SIG);
        if (!*alg)
            *alg = mru_alg_named(name, len, MRU_USE_ENC);
        *enc = mru_enc_find(name, len);
        if (*enc)
            *alg = mru_alg_info(MEREAU_ALG_DIR);
    }
    if (*alg)
        return MEREAU_OK;
    return mru_refuse(err, MEREAU_E_ALG, "jwk.alg", "RFC 7517 4.4",
                      "a known algorithm", "another");
}

/* kty and alg, and that the one can be used with the other. */
static mereau_status read_kind(struct mru_jwk_use *out,
                               const struct mru_jval *jwk, int32_t given,
                               uint32_t flags, mereau_error *err) {
    const struct mru_alg *named = NULL;
    struct mru_jval kty, alg;
    mereau_status status = MEREAU_OK;
    if (!mru_json_member(&kty, jwk, "kty") || kty.kind != 's')
        return bad_form(err, "jwk.kty", "a kty", "none");
    int kind = kty_of(&kty);
    if (kind == 0)
        return bad_key(err, "jwk.kty", "RSA, EC, oct or OKP", "another");
    if (mru_json_member(&alg, jwk, "alg"))
        status = read_alg(&named, &out->enc, &alg, err);
    if (status != MEREAU_OK)
        return status;
    if (named && given != 0 && given != named->id)
        return mru_refuse(err, MEREAU_E_ALG, "jwk.alg", "RFC 8725 3.1",
                          mru_alg_name(given), named->name);
    if (!named && given == 0)
        return mru_refuse(err, MEREAU_E_ALG, "jwk.alg", "RFC 8725 3.1",
                          "an alg, in the JWK or given with it", "none");
    if (named && given == 0 && named->use == MRU_USE_ENC &&
        !(flags & MRU_KEY_ENC))
        return mru_refuse(err, MEREAU_E_ALG, "jwk.alg", "RFC 7517 4.4",
                          "a signature algorithm", named->name);
    status = mru_alg_usable(&out->alg, named ? named->id : given, err);
    if (status == MEREAU_OK && out->alg->kty != kind)
        status = bad_key(err, "jwk.kty", "the kind of key of its alg",
                         out->alg->name);
    return status;
}

/* --- use and key_ops --- */

static const struct {
    const char *name;
    uint32_t op;
    uint32_t of_public; /* what the other half of the pair does */
} op_names[] = {{"sign", MRU_OP_SIGN, MRU_OP_VERIFY},
                {"verify", MRU_OP_VERIFY, MRU_OP_VERIFY},
                {"encrypt", MRU_OP_ENCRYPT, MRU_OP_ENCRYPT},
                {"decrypt", MRU_OP_DECRYPT, MRU_OP_ENCRYPT},
                {"wrapKey", MRU_OP_WRAP_KEY, MRU_OP_WRAP_KEY},
                {"unwrapKey", MRU_OP_UNWRAP_KEY, MRU_OP_WRAP_KEY},
                {"deriveKey", MRU_OP_DERIVE_KEY, MRU_OP_DERIVE_KEY},
                {"deriveBits", MRU_OP_DERIVE_BITS, MRU_OP_DERIVE_BITS}};
enum { N_OPS = sizeof op_names / sizeof op_names[0] };

const char *mru_op_name(uint32_t op) {
    for (size_t i = 0; i < N_OPS; i++)
        if (op_names[i].op == op)
            return op_names[i].name;
    return "";
}

uint32_t mru_ops_public(uint32_t ops) {
    uint32_t others = 0;
    for (size_t i = 0; i < N_OPS; i++)
        if (ops & op_names[i].op)
            others |= op_names[i].of_public;
    return others;
}

/* What keys of an algorithm can do at all, and its words for that. */
static uint32_t ops_of(const struct mru_alg *alg, const char **wanted) {
    if (alg->use == MRU_USE_SIG) {
        *wanted = "sign and verify only";
        return MRU_OP_SIGN | MRU_OP_VERIFY;
    }
    if (alg->kty == MRU_KTY_EC) {
        *wanted = "deriveKey and deriveBits only";
        return MRU_OP_DERIVE_KEY | MRU_OP_DERIVE_BITS;
    }
    if (alg->id == MEREAU_ALG_DIR) {
        *wanted = "encrypt and decrypt only";
        return MRU_OP_ENCRYPT | MRU_OP_DECRYPT;
    }
    *wanted = "wrapKey and unwrapKey, or encrypt and decrypt";
    if (alg->kty == MRU_KTY_OCT)
        return MRU_OP_WRAP_KEY | MRU_OP_UNWRAP_KEY;
    return MRU_OP_WRAP_KEY | MRU_OP_UNWRAP_KEY | MRU_OP_ENCRYPT |
           MRU_OP_DECRYPT;
}

/* The operations that a reader wants one of; 0: whichever. */
static uint32_t ops_needed(const struct mru_alg *alg, uint32_t flags) {
    const uint32_t derive = MRU_OP_DERIVE_KEY | MRU_OP_DERIVE_BITS;
    if (flags & MRU_KEY_PRIVATE)
        return MRU_OP_SIGN | MRU_OP_DECRYPT | MRU_OP_UNWRAP_KEY | derive;
    if ((flags & MRU_KEY_PUBLIC) && alg->use == MRU_USE_SIG)
        return MRU_OP_VERIFY;
    return 0;
}

/* A list of distinct texts, all about what the key is for, with the one that is
 * needed. What is not known (RFC 7517 allows other values) is not for us. */
static mereau_status read_ops(struct mru_jwk_use *out,
                              const struct mru_jval *list, uint32_t flags,
                              mereau_error *err) {
    const char *wanted;
    struct mru_jval op;
    size_t pos = 0;
    uint32_t allowed = ops_of(out->alg, &wanted);
    uint32_t needed = ops_needed(out->alg, flags);
    if (list->kind != 'a')
        return bad_form(err, "jwk.key_ops", "a list", "something else");
    while (mru_json_next(list, &pos, NULL, &op)) {
        uint32_t one = 0;
        if (op.kind != 's')
            return bad_form(err, "jwk.key_ops", "texts", "something else");
        for (size_t i = 0; i < N_OPS; i++)
            if (mru_json_is(&op, op_names[i].name, strlen(op_names[i].name)))
                one = op_names[i].op;
        if (!(one & allowed))
            return bad_key(err, "jwk.key_ops", wanted, "another operation");
        if (out->ops & one)
            return bad_form(err, "jwk.key_ops", "each operation once",
                            "one of them twice");
        out->ops |= one;
    }
    /* The public half of an ECDH pair does nothing by itself, and WebCrypto
     * writes it so. */
    int nothing = out->ops == 0 && out->alg->crv == NULL &&
                  out->alg->kty == MRU_KTY_EC && !(flags & MRU_KEY_PRIVATE);
    if (!nothing && (out->ops == 0 || (needed != 0 && !(out->ops & needed))))
        return bad_key(err, "jwk.key_ops", "the operation it is read for",
                       "others");
    return MEREAU_OK;
}

mereau_status mru_jwk_read_use(struct mru_jwk_use *out,
                               const struct mru_jval *jwk, int32_t alg,
                               uint32_t flags, mereau_error *err) {
    struct mru_jval use, ops;
    memset(out, 0, sizeof *out);
    mereau_status status = read_kind(out, jwk, alg, flags, err);
    if (status != MEREAU_OK)
        return status;
    if (mru_json_member(&use, jwk, "use")) {
        const char *wanted = out->alg->use == MRU_USE_SIG ? "sig" : "enc";
        if (use.kind != 's')
            return bad_form(err, "jwk.use", "a text", "something else");
        if (!mru_json_is(&use, wanted, 3))
            return bad_key(err, "jwk.use", wanted, "another use");
    }
    if (mru_json_member(&ops, jwk, "key_ops"))
        return read_ops(out, &ops, flags, err);
    return MEREAU_OK;
}

/* --- secrets --- */

static mereau_status wrong_length(mereau_error *err, const char *source,
                                  const char *wanted, size_t len) {
    char found[32];
    mru_say(found, sizeof found, "%zu bytes", len);
    return mru_refuse(err, MEREAU_E_KEY, "key.bits", source, wanted, found);
}

/* A key for encryption: exactly as long as what it is for. */
static mereau_status check_enc_secret(const struct mru_alg *alg,
                                      const struct mru_enc *enc, size_t len,
                                      mereau_error *err) {
    int right = alg->kek > 0 && len == alg->kek;
    for (int32_t i = MEREAU_ENC_A128GCM;
         alg->kek == 0 && i <= MEREAU_ENC_A256CBC_HS512; i++) {
        const struct mru_enc *one = mru_enc_info(i);
        right = right || ((!enc || enc == one) && len == one->key_len);
    }
    if (right)
        return MEREAU_OK;
    return wrong_length(err, "RFC 7518 4",
                        alg->kek == 16   ? "16 bytes"
                        : alg->kek == 32 ? "32 bytes"
                        : enc            ? enc->name
                                         : "16, 32 or 64 bytes",
                        len);
}

/* 1 when it is base64 or base64url, and what it encodes is a key: PEM without its
 * marks, with or without its line ends. */
static int is_bare_key(const uint8_t *text, size_t len) {
    uint8_t bytes[MRU_MAX_SECRET];
    char url[MRU_MAX_SECRET];
    size_t n_url = 0;
    if (len > sizeof url)
        return 0;
    for (size_t i = 0; i < len; i++) {
        char c = (char)text[i];
        if (c != ' ' && c != '\t' && c != '\r' && c != '\n')
            url[n_url++] = (char)(c == '+' ? '-' : c == '/' ? '_' : c);
    }
    while (n_url > 0 && url[n_url - 1] == '=')
        n_url--;
    ptrdiff_t n = mru_b64_decode(NULL, url, n_url);
    int is = n > 0 && mru_b64_decode(bytes, url, n_url) == n &&
             mru_pkey_is_encoded(bytes, (size_t)n);
    mru_wipe(bytes, sizeof bytes);
    mru_wipe(url, sizeof url);
    return is;
}

/* 1 when it is the text of a JWK or of a set of them. */
static int is_jwk_text(const uint8_t *text, size_t len) {
    struct mru_jval root, value;
    if (mru_json_check(&root, text, len, NULL, NULL) != MEREAU_OK)
        return 0;
    return mru_json_member(&value, &root, "kty") ||
           mru_json_member(&value, &root, "keys");
}

mereau_status mru_secret_check(const struct mru_alg *alg,
                               const struct mru_enc *enc, const uint8_t *secret,
                               size_t len, mereau_error *err) {
    mereau_status status = MEREAU_OK;
    if (alg->kty != MRU_KTY_OCT)
        return mru_refuse(err, MEREAU_E_ALG, "key.kind", "RFC 7518 3.1",
                          "an algorithm for secrets", alg->name);
    if (!secret)
        len = 0;
    if (alg->use == MRU_USE_ENC)
        status = check_enc_secret(alg, enc, len, err);
    else if (len < (size_t)alg->hash)
        status = wrong_length(err, "RFC 7518 3.2",
                              "a secret as long as its hash", len);
    else if (len > MRU_MAX_SECRET)
        status = wrong_length(err, NULL, "a secret of at most 1024 bytes", len);
    if (status != MEREAU_OK)
        return status;
    /* The classic confusion: somebody's public key, known to all, as secret. */
    if (mru_pkey_is_encoded(secret, len) || is_bare_key(secret, len) ||
        is_jwk_text(secret, len))
        return mru_refuse(err, MEREAU_E_KEY, "key.kind", "RFC 8725 2.1",
                          "a secret", "an encoded key or certificate");
    int leaked = mru_secret_is_leaked(secret, len);
    if (leaked < 0)
        return mru_refuse(err, MEREAU_E_CRYPTO, NULL, NULL, NULL, NULL);
    if (leaked)
        return mru_refuse(err, MEREAU_E_KEY, "key.leaked", "RFC 8725 3.5",
                          "a secret that nobody else knows",
                          "one of a public list");
    return MEREAU_OK;
}
