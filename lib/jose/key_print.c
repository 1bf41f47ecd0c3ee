/* lib/jose/key_print.c - a key as JWK (RFC 7517) and its thumbprint (RFC 7638).
 * Private members leave through mru_key_print_private only. */
#include "content.h"
#include "key_int.h"

/* A number of the key in base64url with a NUL, in a buffer of its own so that it
 * can be wiped. */
static int part_text(struct mru_buf *out, const struct mru_material *m,
                     int part) {
    uint8_t raw[MRU_RSA_MAX];
    size_t len = 0;
    out->len = 0;
    int ret = mru_pkey_part(m->pkey, part, raw, sizeof raw, &len);
    if (ret == 0)
        mru_buf_add_b64(out, raw, len);
    mru_wipe(raw, sizeof raw);
    return ret == 0 && !out->failed ? 0 : -1;
}

static int add_part(mru_jdoc *doc, const char *name,
                    const struct mru_material *m, int part) {
    struct mru_buf text = {0};
    int ret = part_text(&text, m, part);
    if (ret == 0)
        ret = mru_jdoc_add_text(doc, name, (const char *)text.data);
    mru_buf_free(&text);
    return ret;
}

static int add_secret(mru_jdoc *doc, const struct mru_material *m) {
    struct mru_buf text = {0};
    mru_buf_add_b64(&text, m->secret, m->secret_len);
    int ret =
        text.failed ? -1 : mru_jdoc_add_text(doc, "k", (const char *)text.data);
    mru_buf_free(&text);
    return ret;
}

/* The members that RFC 7638 section 3.2 requires (RFC 8037 section 2 for OKP), in
 * its order. */
static int add_required(mru_jdoc *doc, int kty, const struct mru_material *m) {
    switch (kty) {
    case MRU_KTY_RSA:
        return add_part(doc, "e", m, MRU_PART_E) |
               mru_jdoc_add_text(doc, "kty", "RSA") |
               add_part(doc, "n", m, MRU_PART_N);
    case MRU_KTY_EC:
        return mru_jdoc_add_text(doc, "crv", mru_pkey_curve(m->pkey)->name) |
               mru_jdoc_add_text(doc, "kty", "EC") |
               add_part(doc, "x", m, MRU_PART_X) |
               add_part(doc, "y", m, MRU_PART_Y);
    case MRU_KTY_OKP:
        return mru_jdoc_add_text(doc, "crv", mru_pkey_curve(m->pkey)->name) |
               mru_jdoc_add_text(doc, "kty", "OKP") |
               add_part(doc, "x", m, MRU_PART_X);
    case MRU_KTY_OCT:
        return add_secret(doc, m) | mru_jdoc_add_text(doc, "kty", "oct");
    default:
        return -1;
    }
}

int mru_thumbprint_of(const struct mru_alg *alg,
                      const struct mru_material *material, char out[44]) {
    struct mru_buf text = {0};
    uint8_t hash[MRU_SHA256];
    mru_jdoc *doc = mru_jdoc_object();
    int ret = add_required(doc, alg->kty, material);
    if (ret == 0)
        ret = mru_jdoc_print(&text, doc);
    if (ret == 0) {
        mereau_slice part = {text.data, text.len};
        ret = mru_hash(MRU_SHA256, &part, 1, hash);
    }
    if (ret == 0)
        mru_b64_encode(out, hash, sizeof hash);
    out[ret == 0 ? 43 : 0] = '\0';
    mru_jdoc_free(doc);
    mru_buf_free(&text);
    return ret == 0 ? 0 : -1;
}

static int add_private(mru_jdoc *doc, const mru_key *key) {
    static const struct {
        const char *name;
        int part;
    } numbers[] = {{"d", MRU_PART_D},   {"p", MRU_PART_P},
                   {"q", MRU_PART_Q},   {"dp", MRU_PART_DP},
                   {"dq", MRU_PART_DQ}, {"qi", MRU_PART_QI}};
    size_t n = key->alg->kty == MRU_KTY_RSA ? 6 : 1;
    int ret = 0;
    if (key->alg->kty == MRU_KTY_OCT)
        return 0; /* k is there already */
    for (size_t i = 0; i < n && ret == 0; i++)
        ret = add_part(doc, numbers[i].name, key->material, numbers[i].part);
    return ret;
}

/* "use", or what the key's own key_ops said, which is narrower. */
static int add_use(mru_jdoc *doc, const mru_key *key, uint32_t ops) {
    int ret = 0;
    if (key->ops == 0)
        return mru_jdoc_add_text(doc, "use",
                                 key->alg->use == MRU_USE_SIG ? "sig" : "enc");
    mru_jdoc *list = mru_jdoc_array();
    for (uint32_t op = MRU_OP_SIGN; op <= MRU_OP_DERIVE_BITS; op <<= 1)
        if (ops & op)
            ret |= mru_jdoc_add_text(list, NULL, mru_op_name(op));
    return ret | mru_jdoc_add_doc(doc, "key_ops", list);
}

static int print(struct mru_buf *out, const mru_key *key, int with_private) {
    uint32_t ops = with_private ? key->ops : mru_ops_public(key->ops);
    mru_jdoc *doc = mru_jdoc_object();
    int ret = mru_jdoc_add_text(doc, "alg",
                                key->enc ? key->enc->name : key->alg->name);
    if (ret == 0)
        ret = add_use(doc, key, ops);
    /* The thumbprint of a secret is a hash of it, and a kid stands in every token
     * (RFC 7638 section 7). */
    if (ret == 0 && (key->kid_given || key->alg->kty != MRU_KTY_OCT))
        ret = mru_jdoc_add_text(doc, "kid", key->kid);
    if (ret == 0)
        ret = add_required(doc, key->alg->kty, key->material);
    if (ret == 0 && with_private)
        ret = add_private(doc, key);
    if (ret == 0)
        ret = mru_certs_print(doc, &key->material->certs);
    if (ret == 0)
        ret = mru_jdoc_print(out, doc);
    mru_jdoc_free(doc);
    return ret == 0 ? 0 : -1;
}

int mru_key_print_public(struct mru_buf *out, const mru_key *key) {
    if (key->material->secret)
        return -1; /* nothing of it is public */
    return print(out, key, 0);
}

int mru_key_print_private(struct mru_buf *out, const mru_key *key) {
    if (!mru_key_is_private(key))
        return -1;
    return print(out, key, 1);
}
