/* lib/jose/jwk.c - reads one JWK (RFC 7517, RFC 7518 section 6). Everything that
 * a member says is honoured: what it contradicts is refused, never ignored. */
#include "key_int.h"

/* A JWK being read. */
struct reading {
    const struct mru_jval *jwk;
    uint32_t flags;
    const struct mru_alg *alg;
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

/* kty and alg, and that the one can be used with the other. */
static mereau_status read_kind(struct reading *r, int32_t given) {
    struct mru_jval kty, alg;
    char name[32];
    size_t len = 0;
    int32_t named = 0;
    if (!mru_json_member(&kty, r->jwk, "kty") || kty.kind != 's')
        return bad_form(r->err, "jwk.kty", "a kty", "none");
    int kind = kty_of(&kty);
    if (kind == 0)
        return bad_key(r->err, "jwk.kty", "RSA, EC or oct", "another");
    if (mru_json_member(&alg, r->jwk, "alg")) {
        if (alg.kind != 's')
            return bad_form(r->err, "jwk.alg", "a text", "something else");
        if (mru_json_text(&alg, name, sizeof name - 1, &len) == 0) {
            name[len] = '\0';
            named = mru_alg_find(name, len);
        }
        if (named == 0)
            return mru_refuse(r->err, MEREAU_E_ALG, "jwk.alg", "RFC 7517 4.4",
                              "a signature algorithm", "another");
        if (given != 0 && given != named)
            return mru_refuse(r->err, MEREAU_E_ALG, "jwk.alg", "RFC 8725 3.1",
                              mru_alg_name(given), name);
    }
    if (named == 0 && given == 0)
        return mru_refuse(r->err, MEREAU_E_ALG, "jwk.alg", "RFC 8725 3.1",
                          "an alg, in the JWK or given with it", "none");
    mereau_status status =
        mru_alg_usable(&r->alg, named ? named : given, r->err);
    if (status == MEREAU_OK && r->alg->kty != kind)
        status = bad_key(r->err, "jwk.kty", "the kind of key of its alg",
                         r->alg->name);
    return status;
}

/* key_ops: a list of distinct texts, all about signatures, with the one that is
 * needed (RFC 7517 section 4.3). */
static mereau_status read_ops(struct reading *r, const struct mru_jval *ops) {
    struct mru_jval op;
    size_t pos = 0;
    int sign = 0, verify = 0;
    if (ops->kind != 'a')
        return bad_form(r->err, "jwk.key_ops", "a list", "something else");
    while (mru_json_next(ops, &pos, NULL, &op)) {
        int *seen = NULL;
        if (op.kind != 's')
            return bad_form(r->err, "jwk.key_ops", "texts", "something else");
        if (mru_json_is(&op, "sign", 4))
            seen = &sign;
        else if (mru_json_is(&op, "verify", 6))
            seen = &verify;
        else
            return bad_key(r->err, "jwk.key_ops", "sign and verify only",
                           "another operation");
        if ((*seen)++)
            return bad_form(r->err, "jwk.key_ops", "each operation once",
                            "one of them twice");
    }
    if (((r->flags & MRU_KEY_PRIVATE) && !sign) ||
        ((r->flags & MRU_KEY_PUBLIC) && !verify) || (!sign && !verify))
        return bad_key(r->err, "jwk.key_ops", "the operation it is read for",
                       "others");
    return MEREAU_OK;
}

static mereau_status read_use(struct reading *r) {
    struct mru_jval use, ops;
    if (mru_json_member(&use, r->jwk, "use")) {
        if (use.kind != 's')
            return bad_form(r->err, "jwk.use", "a text", "something else");
        if (!mru_json_is(&use, "sig", 3))
            return bad_key(r->err, "jwk.use", "sig", "another use");
    }
    if (mru_json_member(&ops, r->jwk, "key_ops"))
        return read_ops(r, &ops);
    return MEREAU_OK;
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
static mereau_status read_ec(struct reading *r) {
    struct mru_jval crv;
    if (!mru_json_member(&crv, r->jwk, "crv") || crv.kind != 's')
        return bad_form(r->err, "jwk.crv", "a curve", "none");
    if (!mru_json_is(&crv, r->alg->crv, strlen(r->alg->crv)))
        return bad_key(r->err, "jwk.crv", r->alg->crv, "another curve");
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

static mereau_status make_key(mru_key **out, struct reading *r) {
    mru_pkey *pkey = NULL;
    mereau_status status;
    if (r->alg->kty == MRU_KTY_OCT) {
        status = read_number(r, "k", MRU_PART_N, 1);
        if (status != MEREAU_OK)
            return status;
        return mru_key_from_secret(out, r->parts.part[MRU_PART_N].data,
                                   r->parts.part[MRU_PART_N].len, r->alg->id,
                                   r->err);
    }
    status = r->alg->kty == MRU_KTY_RSA ? read_rsa(r) : read_ec(r);
    if (status == MEREAU_OK)
        status = mru_pkey_make(&pkey, r->alg, NULL, &r->parts, r->err);
    if (status != MEREAU_OK)
        return status;
    return mru_key_wrap(out, r->alg, pkey, NULL, 0, r->err);
}

mereau_status mru_key_from_jwk(mru_key **out, const struct mru_jval *jwk,
                               int32_t alg, uint32_t flags, mereau_error *err) {
    const size_t room_len = (size_t)MRU_PARTS * MRU_RSA_MAX;
    struct reading r = {jwk, flags, NULL, NULL, {{{NULL, 0}}}, err};
    char kid[MRU_MAX_KID];
    size_t kid_len = 0;
    mru_key *key = NULL;
    *out = NULL;
    if (jwk->kind != 'o')
        return bad_form(err, "jwk.form", "a JSON object", "something else");
    mereau_status status = read_kind(&r, alg);
    if (status == MEREAU_OK)
        status = read_use(&r);
    if (status == MEREAU_OK)
        status = read_kid(&r, kid, &kid_len);
    if (status == MEREAU_OK)
        status = check_private(&r);
    if (status == MEREAU_OK) {
        r.room = mru_alloc(room_len);
        if (!r.room)
            status = mru_refuse(err, MEREAU_E_NOMEM, NULL, NULL, NULL, NULL);
        else
            status = make_key(&key, &r);
    }
    mru_free_wiped(r.room, room_len);
    if (status == MEREAU_OK && kid_len > 0)
        status = mru_key_set_kid(key, kid, kid_len);
    if (status != MEREAU_OK)
        mru_key_free(key);
    else
        *out = key;
    return status;
}
