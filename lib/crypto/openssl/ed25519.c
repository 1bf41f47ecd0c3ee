/* lib/crypto/openssl/ed25519.c - Ed25519 (RFC 8032, RFC 8037). */
#include "ossl.h"

enum { LEN = 32, SIG = 64 };

/* The prepared contexts are copied for each operation: OpenSSL lets one serve
 * once. */
struct mru_ed {
    EVP_PKEY *pkey;
    EVP_MD_CTX *verify;
    EVP_MD_CTX *sign; /* NULL for a public key */
};

static EVP_PKEY *from_seed(const uint8_t *seed) {
    return EVP_PKEY_new_raw_private_key_ex(NULL, "ED25519", NULL, seed, LEN);
}

mereau_status mru_ed_public(const uint8_t seed[32], uint8_t x[32]) {
    size_t len = LEN;
    mru_ossl_begin();
    EVP_PKEY *pkey = from_seed(seed);
    int ok =
        pkey && EVP_PKEY_get_raw_public_key(pkey, x, &len) == 1 && len == LEN;
    EVP_PKEY_free(pkey);
    return ok ? MEREAU_OK : mru_ossl_trouble();
}

/* --- is it a point? ---
 * OpenSSL 3.0 takes any 32 bytes. */

/* The numbers of the curve, and room to work. */
struct field {
    BN_CTX *ctx;
    BIGNUM *p, *d, *y, *u, *v, *w;
};

static int field_begin(struct field *f) {
    BIGNUM **all[] = {&f->p, &f->d, &f->y, &f->u, &f->v, &f->w};
    f->ctx = BN_CTX_new();
    if (!f->ctx)
        return 0;
    BN_CTX_start(f->ctx);
    for (size_t i = 0; i < sizeof all / sizeof all[0]; i++)
        if (!(*all[i] = BN_CTX_get(f->ctx)))
            return 0;
    /* p = 2^255 - 19; d = -121665 / 121666. */
    return BN_set_bit(f->p, 255) && BN_sub_word(f->p, 19) &&
           BN_set_word(f->u, 121666) &&
           BN_mod_inverse(f->v, f->u, f->p, f->ctx) &&
           BN_set_word(f->u, 121665) &&
           BN_mod_mul(f->d, f->u, f->v, f->p, f->ctx) &&
           BN_sub(f->d, f->p, f->d);
}

static void field_end(struct field *f) {
    if (f->ctx)
        BN_CTX_end(f->ctx);
    BN_CTX_free(f->ctx);
}

/* From u = y^2. RFC 8032 section 5.1.3: x^2 = (u - 1) / (d u + 1) has a root, and
 * x = 0 has no sign: 1, 0, or -1 when OpenSSL failed. */
static int has_x(struct field *f, int sign) {
    if (!BN_mod_mul(f->v, f->d, f->u, f->p, f->ctx) || !BN_add_word(f->v, 1) ||
        !BN_mod_mul(f->w, f->u, f->v, f->p, f->ctx) ||
        !BN_mod_sub(f->w, f->w, f->v, f->p, f->ctx))
        return -1;
    /* A quotient is a square when the product is one. */
    int root = BN_kronecker(f->w, f->p, f->ctx);
    return root < -1 ? -1 : root == 1 || (root == 0 && !sign);
}

/* From u = y^2: 1 when 8 times the point is not the neutral one. Who has a key of
 * so small an order can sign everything at once. The eight points are those with
 * u = 0, u = 1, or, twice of them being one with y = 0, d u^2 + 2 u - 1 = 0. */
static int has_order(struct field *f) {
    if (BN_is_zero(f->u) || BN_is_one(f->u))
        return 0;
    if (!BN_mod_mul(f->v, f->d, f->u, f->p, f->ctx) || !BN_add_word(f->v, 2) ||
        !BN_mod_mul(f->w, f->v, f->u, f->p, f->ctx))
        return -1;
    return !BN_is_one(f->w);
}

/* 1 when the bytes are a point for a key, else 0; -1 when OpenSSL failed. */
static int is_point(const uint8_t *x) {
    uint8_t bytes[LEN];
    struct field f = {0};
    int is = -1, sign = x[LEN - 1] >> 7;
    memcpy(bytes, x, LEN);
    bytes[LEN - 1] &= 0x7f;
    if (field_begin(&f) && BN_lebin2bn(bytes, LEN, f.y) &&
        BN_mod_sqr(f.u, f.y, f.p, f.ctx))
        is = BN_cmp(f.y, f.p) < 0;
    if (is == 1)
        is = has_x(&f, sign);
    if (is == 1)
        is = has_order(&f);
    field_end(&f);
    return is;
}

/* --- making --- */

static EVP_MD_CTX *prepared(EVP_PKEY *pkey, int sign) {
    EVP_MD_CTX *ctx = EVP_MD_CTX_new();
    if (!ctx)
        return NULL;
    if ((sign ? EVP_DigestSignInit_ex(ctx, NULL, NULL, NULL, NULL, pkey, NULL)
              : EVP_DigestVerifyInit_ex(ctx, NULL, NULL, NULL, NULL, pkey,
                                        NULL)) == 1)
        return ctx;
    EVP_MD_CTX_free(ctx);
    return NULL;
}

static mereau_status check_public(const mereau_slice *x, mereau_error *err) {
    int is = x->len == LEN ? is_point(x->data) : 0;
    if (is < 0)
        return mru_ossl_refuse(err, "key.provider");
    return is ? MEREAU_OK
              : mru_key_refuse(err, "key.point", "RFC 8032 5.1.3",
                               "32 bytes that encode a point of large order",
                               "others");
}

static mereau_status check_pair(const mereau_slice *p, mereau_error *err) {
    uint8_t x[LEN];
    mereau_status status = MEREAU_E_KEY;
    if (p[MRU_PART_D].len == LEN)
        status = mru_ed_public(p[MRU_PART_D].data, x);
    if (status == MEREAU_OK && memcmp(x, p[MRU_PART_X].data, LEN) != 0)
        status = MEREAU_E_KEY;
    if (status == MEREAU_E_KEY)
        return mru_key_refuse(err, "key.pair", "RFC 8037 2",
                              "the seed of this point, 32 bytes", "another");
    return status == MEREAU_OK
               ? MEREAU_OK
               : mru_refuse(err, status, "key.provider", NULL, NULL, NULL);
}

static int ed_prepare(struct mru_ed *ed, const mereau_slice *p) {
    int is_private = p[MRU_PART_D].len > 0;
    ed->pkey = is_private ? from_seed(p[MRU_PART_D].data)
                          : EVP_PKEY_new_raw_public_key_ex(
                                NULL, "ED25519", NULL, p[MRU_PART_X].data, LEN);
    if (!ed->pkey || !(ed->verify = prepared(ed->pkey, 0)))
        return -1;
    return is_private && !(ed->sign = prepared(ed->pkey, 1)) ? -1 : 0;
}

mereau_status mru_ed_make(struct mru_ed **out,
                          const struct mru_pkey_parts *parts,
                          mereau_error *err) {
    const mereau_slice *p = parts->part;
    struct mru_ed *ed = NULL;
    *out = NULL;
    mru_ossl_begin();
    mereau_status status = check_public(&p[MRU_PART_X], err);
    if (status == MEREAU_OK && p[MRU_PART_D].len > 0)
        status = check_pair(p, err);
    if (status == MEREAU_OK && !(ed = mru_alloc(sizeof *ed)))
        status = mru_refuse(err, MEREAU_E_NOMEM, NULL, NULL, NULL, NULL);
    if (status == MEREAU_OK && ed_prepare(ed, p) != 0)
        status = mru_ossl_refuse(err, "key.provider");
    mru_ossl_begin();
    if (status != MEREAU_OK)
        mru_ed_free(ed);
    else
        *out = ed;
    return status;
}

void mru_ed_free(struct mru_ed *ed) {
    if (!ed)
        return;
    EVP_MD_CTX_free(ed->sign);
    EVP_MD_CTX_free(ed->verify);
    EVP_PKEY_free(ed->pkey);
    mru_free_wiped(ed, sizeof *ed);
}

/* --- operations --- */

static EVP_MD_CTX *copied(const EVP_MD_CTX *prepared_ctx) {
    EVP_MD_CTX *ctx = EVP_MD_CTX_new();
    if (ctx && EVP_MD_CTX_copy_ex(ctx, prepared_ctx) == 1)
        return ctx;
    EVP_MD_CTX_free(ctx);
    return NULL;
}

mereau_status mru_ed_sign(const struct mru_ed *ed, const uint8_t *input,
                          size_t len, uint8_t sig[64]) {
    size_t sig_len = SIG;
    mru_ossl_begin();
    EVP_MD_CTX *ctx = copied(ed->sign);
    int ok = ctx && EVP_DigestSign(ctx, sig, &sig_len, input, len) == 1 &&
             sig_len == SIG;
    EVP_MD_CTX_free(ctx);
    return ok ? MEREAU_OK : mru_ossl_trouble();
}

static mereau_status verify_once(const struct mru_ed *ed, const uint8_t *input,
                                 size_t len, const uint8_t *sig) {
    mereau_status status = MEREAU_OK;
    EVP_MD_CTX *ctx = copied(ed->verify);
    if (!ctx)
        return mru_ossl_trouble();
    int is = EVP_DigestVerify(ctx, sig, SIG, input, len);
    if (is == 0)
        status = mru_ossl_no(ERR_LIB_NONE, 1);
    else if (is != 1)
        status = mru_ossl_trouble();
    EVP_MD_CTX_free(ctx);
    return status;
}

mereau_status mru_ed_verify(const struct mru_ed *ed, const uint8_t *input,
                            size_t len, const uint8_t sig[64]) {
    mru_ossl_begin();
    mereau_status status = verify_once(ed, input, len, sig);
    /* Before 3.2 OpenSSL says nothing when it has no memory for the hash inside.
     * A signature that is wrong is so twice, and where there is no memory the
     * second time does not get as far. */
    if (status == MEREAU_E_SIGNATURE && !mru_ossl_tells())
        status = verify_once(ed, input, len, sig);
    return status;
}
