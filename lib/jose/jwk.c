/* lib/jose/jwk.c - reads one JWK (RFC 7517, RFC 7518 section 6, RFC 8037): its
 * numbers, its name and its certificates; what it may be used for is read in
 * key_use.c. Everything that a member says is honoured: what it contradicts is
 * refused, never ignored. */
#include "key_int.h"

/* A JWK being read. */
struct reading {
    const struct mru_jval *jwk;
    uint32_t flags;
    const struct mru_alg *alg;
    const struct mru_curve *curve; /* EC, OKP */
    uint8_t *room; /* decoded numbers, MRU_RSA_MAX bytes each */
    struct mru_pkey_parts parts;
    mereau_error *err;
};

static mereau_status bad_form(mereau_error *err, const char *rule,
                              const char *wanted, const char *found) {
    return mru_refuse(err, MEREAU_E_MALFORMED, rule, "RFC 7517 4", wanted,
                      found);
}

static mereau_status bad_key(mereau_error *err, const char *rule,
                             const char *wanted, const char *found) {
    return mru_refuse(err, MEREAU_E_KEY, rule, "RFC 7517 4", wanted, found);
}

static mereau_status read_kid(const struct reading *r, char *kid, size_t *len) {
    struct mru_jval value;
    *len = 0;
    if (!mru_json_member(&value, r->jwk, "kid"))
        return MEREAU_OK;
    if (value.kind != 's')
        return bad_form(r->err, "jwk.kid", "a text", "something else");
    if (mru_json_text(&value, kid, MRU_MAX_KID, len) != 0 || *len == 0 ||
        !mru_text_valid((const uint8_t *)kid, *len)) {
        *len = 0;
        return bad_key(r->err, "jwk.kid", "1 to 128 printable bytes",
                       "another length");
    }
    return MEREAU_OK;
}

/* One number in base64url, decoded into its place in the room. */
static mereau_status read_number(struct reading *r, const char *name, int part,
                                 int needed) {
    struct mru_jval value;
    char text[MRU_B64_LEN(MRU_RSA_MAX)], rule[16];
    size_t len = 0;
    uint8_t *at = r->room + (size_t)part * MRU_RSA_MAX;
    mereau_status status = MEREAU_OK;
    mru_say(rule, sizeof rule, "jwk.%s", name);
    if (!mru_json_member(&value, r->jwk, name))
        return needed ? bad_form(r->err, rule, "the member", "none")
                      : MEREAU_OK;
    if (value.kind != 's')
        return bad_form(r->err, rule, "a text", "something else");
    if (mru_json_text(&value, text, sizeof text, &len) != 0) {
        status = bad_key(r->err, rule, "at most 8192 bits", "more");
    } else {
        ptrdiff_t n = mru_b64_decode(NULL, text, len);
        if (n <= 0)
            status = bad_form(r->err, rule, "base64url", "something else");
        else if (n > MRU_RSA_MAX)
            status = bad_key(r->err, rule, "at most 8192 bits", "more");
        else
            n = mru_b64_decode(at, text, len);
        if (status == MEREAU_OK) {
            r->parts.part[part].data = at;
            r->parts.part[part].len = (size_t)n;
        }
    }
    mru_wipe(text, sizeof text);
    return status;
}

/* RFC 7518 section 2: a Base64urlUInt has no leading zeros. */
static mereau_status check_shortest(struct reading *r) {
    for (int i = MRU_PART_N; i <= MRU_PART_QI; i++)
        if (r->parts.part[i].len > 0 && r->parts.part[i].data[0] == 0)
            return bad_key(r->err, "jwk.n", "numbers without leading zeros",
                           "one with");
    return MEREAU_OK;
}

static mereau_status read_rsa(struct reading *r) {
    static const struct {
        const char *name;
        int part;
    } numbers[] = {{"n", MRU_PART_N},   {"e", MRU_PART_E},  {"d", MRU_PART_D},
                   {"p", MRU_PART_P},   {"q", MRU_PART_Q},  {"dp", MRU_PART_DP},
                   {"dq", MRU_PART_DQ}, {"qi", MRU_PART_QI}};
    struct mru_jval other;
    mereau_status status = MEREAU_OK;
    if (mru_json_member(&other, r->jwk, "oth"))
        return bad_key(r->err, "jwk.oth", "two primes", "more");
    for (size_t i = 0; i < sizeof numbers / sizeof numbers[0]; i++) {
        status = read_number(r, numbers[i].name, numbers[i].part, i < 2);
        if (status != MEREAU_OK)
            return status;
    }
    status = check_shortest(r);
    int crt = 0;
    for (int i = MRU_PART_P; i <= MRU_PART_QI; i++)
        crt += r->parts.part[i].len > 0;
    if (status == MEREAU_OK && crt != 0 && crt != 5)
        status = bad_key(r->err, "jwk.p", "all or none of p, q, dp, dq, qi",
                         "some of them");
    return status;
}

/* RFC 7518 section 6.2, and RFC 8037 section 2, whose keys have no y. */
static mereau_status read_curve(struct reading *r) {
    struct mru_jval crv;
    char name[16];
    size_t len = 0;
    const char *wanted = r->alg->crv ? r->alg->crv : "P-256, P-384 or P-521";
    if (!mru_json_member(&crv, r->jwk, "crv") || crv.kind != 's')
        return bad_form(r->err, "jwk.crv", "a curve", "none");
    if (mru_json_text(&crv, name, sizeof name, &len) == 0)
        r->curve = mru_curve_find(name, len);
    if (!r->curve || (r->alg->crv && strcmp(r->curve->name, r->alg->crv) != 0))
        return bad_key(r->err, "jwk.crv", wanted, "another curve");
    mereau_status status = read_number(r, "x", MRU_PART_X, 1);
    if (status == MEREAU_OK && r->alg->kty == MRU_KTY_EC)
        status = read_number(r, "y", MRU_PART_Y, 1);
    if (status == MEREAU_OK)
        status = read_number(r, "d", MRU_PART_D, 0);
    return status;
}

/* A key meant to be public that is not was published by mistake: it must not
 * pass in silence, even if the rest could be used. */
static mereau_status check_private(const struct reading *r) {
    static const char *const members[] = {"d",  "p",  "q",  "dp",
                                          "dq", "qi", "oth"};
    struct mru_jval value;
    int is_private = mru_json_member(&value, r->jwk, "d");
    for (size_t i = 0; i < sizeof members / sizeof members[0]; i++)
        if ((r->flags & MRU_KEY_PUBLIC) && r->alg->kty != MRU_KTY_OCT &&
            mru_json_member(&value, r->jwk, members[i]))
            return bad_key(r->err, "jwk.private", "public members only",
                           members[i]);
    if ((r->flags & MRU_KEY_PRIVATE) && r->alg->kty != MRU_KTY_OCT &&
        !is_private)
        return bad_key(r->err, "key.public", "a private key", "a public one");
    if (r->alg->kty == MRU_KTY_OCT && !(r->flags & MRU_KEY_SECRET))
        return bad_key(r->err, "jwk.kty", "an asymmetric key", "oct");
    return MEREAU_OK;
}

static mereau_status make_secret(mru_key **out, struct reading *r,
                                 const struct mru_enc *enc) {
    const mereau_slice *k = &r->parts.part[MRU_PART_N];
    mereau_status status = read_number(r, "k", MRU_PART_N, 1);
    if (status == MEREAU_OK)
        status = mru_secret_check(r->alg, enc, k->data, k->len, r->err);
    return status == MEREAU_OK
               ? mru_key_wrap(out, r->alg, NULL, k->data, k->len, r->err)
               : status;
}

static mereau_status make_pair(mru_key **out, struct reading *r) {
    struct mru_certs certs = {0};
    mru_pkey *pkey = NULL;
    mereau_status status =
        r->alg->kty == MRU_KTY_RSA ? read_rsa(r) : read_curve(r);
    if (status == MEREAU_OK)
        status = mru_pkey_make(&pkey, r->alg, r->curve, &r->parts, r->err);
    if (status == MEREAU_OK)
        status = mru_certs_read(&certs, r->jwk, r->alg, pkey, r->err);
    if (status != MEREAU_OK) {
        mru_pkey_free(pkey);
        return status;
    }
    status = mru_key_wrap(out, r->alg, pkey, NULL, 0, r->err);
    if (status == MEREAU_OK)
        (*out)->material->certs = certs;
    else
        mru_certs_free(&certs);
    return status;
}

mereau_status mru_key_from_jwk(mru_key **out, const struct mru_jval *jwk,
                               int32_t alg, uint32_t flags, mereau_error *err) {
    const size_t room_len = (size_t)MRU_PARTS * MRU_RSA_MAX;
    struct reading r = {jwk, flags, NULL, NULL, NULL, {{{NULL, 0}}}, err};
    struct mru_jwk_use use;
    char kid[MRU_MAX_KID];
    size_t kid_len = 0;
    mru_key *key = NULL;
    *out = NULL;
    if (jwk->kind != 'o')
        return bad_form(err, "jwk.form", "a JSON object", "something else");
    mereau_status status = mru_jwk_read_use(&use, jwk, alg, flags, err);
    r.alg = use.alg;
    if (status == MEREAU_OK)
        status = read_kid(&r, kid, &kid_len);
    if (status == MEREAU_OK)
        status = check_private(&r);
    if (status == MEREAU_OK) {
        r.room = mru_alloc(room_len);
        if (!r.room)
            status = mru_refuse(err, MEREAU_E_NOMEM, NULL, NULL, NULL, NULL);
        else if (r.alg->kty == MRU_KTY_OCT)
            status = make_secret(&key, &r, use.enc);
        else
            status = make_pair(&key, &r);
    }
    mru_free_wiped(r.room, room_len);
    if (status == MEREAU_OK && kid_len > 0)
        status = mru_key_set_kid(key, kid, kid_len);
    if (status != MEREAU_OK) {
        mru_key_free(key);
        return status;
    }
    key->enc = use.enc;
    key->ops = use.ops;
    *out = key;
    return MEREAU_OK;
}
