/* lib/crypto/pkey_parse.c - keys in PEM and DER: SPKI and certificates (RFC 5280),
 * PKCS#1 (RFC 8017), PKCS#8 (RFC 5958), SEC1 (RFC 5915), Ed25519 (RFC 8410). Only
 * finds the numbers, where they stand; whether they make a key that may be used
 * is decided where every other key is checked. */
#include "der.h"
#include "pkey_int.h"

/* What was found. Numbers are slices of the text, or of the room here. */
struct reading {
    int kty; /* 0: a kind of key that the library does not know */
    const struct mru_curve *curve; /* NULL: one that it does not know, or RSA */
    struct mru_pkey_parts parts;
    uint8_t d[MRU_COORD_MAX], x[MRU_COORD_MAX], y[MRU_COORD_MAX];
};

static void set(struct reading *r, int part, const uint8_t *data, size_t len) {
    r->parts.part[part].data = data;
    r->parts.part[part].len = len;
}

static const struct mru_curve *curve_of(const mereau_slice *oid) {
    static const char *const names[] = {"P-256", "P-384", "P-521", "secp256k1"};
    int which = mru_oid_find(oid);
    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++) {
        const struct mru_curve *curve =
            mru_curve_find(names[i], strlen(names[i]));
        if (curve->id == which)
            return curve;
    }
    return NULL;
}

/* AlgorithmIdentifier: kty and curve. RSA keys have NULL or no parameters, those
 * of a curve its name (a curve given by its numbers is one not known), Ed25519
 * none. */
static int read_algorithm(struct reading *r, mereau_slice *in) {
    mereau_slice algorithm, oid, params;
    if (mru_der_take(in, MRU_DER_SEQUENCE, &algorithm) != 0 ||
        mru_der_take(&algorithm, MRU_DER_OID, &oid) != 0)
        return -1;
    switch (mru_oid_find(&oid)) {
    case MRU_OID_RSA:
        r->kty = MRU_KTY_RSA;
        if (algorithm.len > 0 &&
            (mru_der_take(&algorithm, MRU_DER_NULL, &params) != 0 ||
             params.len != 0))
            return -1;
        break;
    case MRU_OID_EC:
        r->kty = MRU_KTY_EC;
        if (mru_der_take(&algorithm, MRU_DER_OID, &params) == 0)
            r->curve = curve_of(&params);
        else if (mru_der_skip(&algorithm, NULL) != 0)
            return -1;
        break;
    case MRU_ED25519:
        r->kty = MRU_KTY_OKP;
        r->curve = mru_curve_find("Ed25519", 7);
        break;
    default:
        return algorithm.len == 0 ? 0 : mru_der_skip(&algorithm, NULL);
    }
    return algorithm.len == 0 ? 0 : -1;
}

/* An uncompressed point (SEC 1 section 2.3.3), or the 32 bytes of Ed25519. Other
 * lengths are left to be refused as a point, compressed ones too. */
static void read_point(struct reading *r, const mereau_slice *point) {
    size_t coord = r->curve ? r->curve->coord : 0;
    if (r->kty == MRU_KTY_OKP) {
        set(r, MRU_PART_X, point->data, point->len);
    } else if (coord > 0 && point->len == 1 + 2 * coord &&
               point->data[0] == 4) {
        set(r, MRU_PART_X, point->data + 1, coord);
        set(r, MRU_PART_Y, point->data + 1 + coord, coord);
    } else {
        set(r, MRU_PART_X, point->data, 0);
    }
}

static int read_numbers(struct reading *r, mereau_slice *in, int first,
                        int last) {
    for (int part = first; part <= last; part++)
        if (mru_der_number(in, &r->parts.part[part]) != 0)
            return -1;
    return in->len == 0 ? 0 : -1;
}

static int read_spki(struct reading *r, mereau_slice in) {
    mereau_slice point, numbers;
    if (read_algorithm(r, &in) != 0 ||
        mru_der_bits(&in, MRU_DER_BITS, &point) != 0 || in.len != 0)
        return -1;
    if (r->kty == MRU_KTY_RSA)
        return mru_der_take(&point, MRU_DER_SEQUENCE, &numbers) != 0 ||
                       point.len != 0
                   ? -1
                   : read_numbers(r, &numbers, MRU_PART_N, MRU_PART_E);
    if (r->kty != 0)
        read_point(r, &point);
    return 0;
}

/* The certificate's key. Whom it names and who signed it is not looked at: the
 * caller trusts the key, not the certificate. */
static int read_certificate(struct reading *r, mereau_slice in) {
    mereau_slice tbs, serial, spki;
    if (mru_der_take(&in, MRU_DER_SEQUENCE, &tbs) != 0 ||
        mru_der_take(&in, MRU_DER_SEQUENCE, &serial) != 0 ||
        mru_der_take(&in, MRU_DER_BITS, &serial) != 0 || in.len != 0)
        return -1;
    if (mru_der_peek(&tbs) == MRU_DER_CONTEXT && mru_der_skip(&tbs, NULL) != 0)
        return -1;
    if (mru_der_take(&tbs, MRU_DER_INTEGER, &serial) != 0)
        return -1;
    for (int i = 0; i < 4; i++) /* algorithm, issuer, times, subject */
        if (mru_der_take(&tbs, MRU_DER_SEQUENCE, &spki) != 0)
            return -1;
    return mru_der_take(&tbs, MRU_DER_SEQUENCE, &spki) != 0
               ? -1
               : read_spki(r, spki);
}

/* RSAPrivateKey behind its version, or RSAPublicKey. */
static int read_pkcs1(struct reading *r, mereau_slice in) {
    mereau_slice version, rest = in;
    r->kty = MRU_KTY_RSA;
    if (mru_der_number(&rest, &version) == 0 && version.len == 0)
        return read_numbers(r, &rest, MRU_PART_N, MRU_PART_QI);
    return read_numbers(r, &in, MRU_PART_N, MRU_PART_E);
}

/* d in full length; some writers leave leading zeros out. */
static int set_private(struct reading *r, const mereau_slice *d) {
    size_t coord = r->curve ? r->curve->coord : 0;
    if (coord == 0)
        return 0;
    if (d->len == 0 || d->len > coord)
        return -1;
    memset(r->d, 0, coord - d->len);
    memcpy(r->d + coord - d->len, d->data, d->len);
    set(r, MRU_PART_D, r->d, coord);
    return 0;
}

/* ECPrivateKey; its curve may be known from what it stands in, and must be the
 * same then. */
static int read_sec1(struct reading *r, mereau_slice in) {
    mereau_slice version, d, field, oid;
    r->kty = MRU_KTY_EC;
    if (mru_der_number(&in, &version) != 0 || version.len != 1 ||
        version.data[0] != 1 || mru_der_take(&in, MRU_DER_OCTETS, &d) != 0)
        return -1;
    if (mru_der_take(&in, MRU_DER_CONTEXT, &field) == 0) {
        const struct mru_curve *named = NULL;
        if (mru_der_take(&field, MRU_DER_OID, &oid) == 0)
            named = curve_of(&oid);
        else if (mru_der_skip(&field, NULL) != 0)
            return -1;
        if (field.len != 0 || (r->curve && r->curve != named))
            return -1;
        r->curve = named;
    }
    if (set_private(r, &d) != 0)
        return -1;
    if (mru_der_take(&in, MRU_DER_CONTEXT + 1, &field) == 0) {
        if (mru_der_bits(&field, MRU_DER_BITS, &oid) != 0 || field.len != 0)
            return -1;
        read_point(r, &oid);
    }
    return in.len == 0 ? 0 : -1;
}

static int read_pkcs8(struct reading *r, mereau_slice in) {
    mereau_slice version, key, inner, point;
    if (mru_der_number(&in, &version) != 0 || version.len > 1 ||
        (version.len == 1 && version.data[0] != 1) ||
        read_algorithm(r, &in) != 0 ||
        mru_der_take(&in, MRU_DER_OCTETS, &key) != 0)
        return -1;
    if (mru_der_peek(&in) == MRU_DER_CONTEXT && mru_der_skip(&in, NULL) != 0)
        return -1; /* attributes */
    if (r->kty == MRU_KTY_OKP &&
        mru_der_bits(&in, MRU_DER_SIMPLE + 1, &point) == 0)
        read_point(r, &point);
    else if (mru_der_peek(&in) == MRU_DER_SIMPLE + 1 &&
             mru_der_skip(&in, NULL) != 0)
        return -1;
    if (in.len != 0)
        return -1;
    if (r->kty == 0)
        return 0;
    if (r->kty == MRU_KTY_OKP)
        return mru_der_take(&key, MRU_DER_OCTETS, &inner) != 0 ||
                       key.len != 0 || inner.len != r->curve->coord
                   ? -1
                   : set_private(r, &inner);
    if (mru_der_take(&key, MRU_DER_SEQUENCE, &inner) != 0 || key.len != 0)
        return -1;
    return r->kty == MRU_KTY_RSA ? read_pkcs1(r, inner) : read_sec1(r, inner);
}

/* --- which form it is --- */

enum { ANY, SPKI, CERTIFICATE, PKCS1_PUBLIC, PKCS1, PKCS8, SEC1 };

/* The form of DER: told by its first two elements and how many there are. */
static int form_of(mereau_slice in) {
    int first = mru_der_peek(&in), second = -1, third = -1;
    if (mru_der_skip(&in, NULL) == 0)
        second = mru_der_peek(&in);
    if (mru_der_skip(&in, NULL) == 0)
        third = mru_der_peek(&in);
    if (first == MRU_DER_SEQUENCE && second == MRU_DER_BITS)
        return SPKI;
    if (first == MRU_DER_SEQUENCE && second == MRU_DER_SEQUENCE)
        return CERTIFICATE;
    if (first == MRU_DER_INTEGER && second == MRU_DER_INTEGER)
        return third < 0 ? PKCS1_PUBLIC : PKCS1;
    if (first == MRU_DER_INTEGER && second == MRU_DER_SEQUENCE)
        return PKCS8;
    return first == MRU_DER_INTEGER && second == MRU_DER_OCTETS ? SEC1 : ANY;
}

/* DER of `wanted`, or of any form. */
static int read_der(struct reading *r, const uint8_t *der, size_t len,
                    int wanted) {
    mereau_slice whole = {der, len}, in;
    memset(r, 0, sizeof *r);
    if (mru_der_take(&whole, MRU_DER_SEQUENCE, &in) != 0 || whole.len != 0)
        return -1;
    int form = form_of(in);
    if (wanted != ANY && form != wanted)
        return -1;
    switch (form) {
    case SPKI:
        return read_spki(r, in);
    case CERTIFICATE:
        return read_certificate(r, in);
    case PKCS1_PUBLIC:
    case PKCS1:
        return read_pkcs1(r, in);
    case PKCS8:
        return read_pkcs8(r, in);
    case SEC1:
        return read_sec1(r, in);
    default:
        return -1;
    }
}

static int form_named(const mereau_slice *label) {
    static const struct {
        const char *name;
        int form;
    } labels[] = {{"PUBLIC KEY", SPKI},       {"CERTIFICATE", CERTIFICATE},
                  {"PRIVATE KEY", PKCS8},     {"RSA PUBLIC KEY", PKCS1_PUBLIC},
                  {"RSA PRIVATE KEY", PKCS1}, {"EC PRIVATE KEY", SEC1}};
    for (size_t i = 0; i < sizeof labels / sizeof labels[0]; i++)
        if (strlen(labels[i].name) == label->len &&
            memcmp(labels[i].name, label->data, label->len) == 0)
            return labels[i].form;
    return ANY;
}

/* The DER of data and its form, or ANY: the first PEM block that is one of
 * ours, or data itself. 0, -1, or -2 without memory. */
static int find_der(const uint8_t *data, size_t len, mereau_slice *der,
                    struct mru_buf *room, int *form) {
    mereau_slice label;
    int ret;
    *form = ANY;
    der->data = data;
    der->len = len;
    if (len == 0 || len > MEREAU_MAX_VALUE)
        return -1;
    if (!mru_pem_is(data, len))
        return 0;
    while (*form == ANY) {
        mru_buf_free(room);
        ret = mru_pem_next(&data, &len, &label, room);
        if (ret != 0)
            return ret == -2 ? -2 : -1;
        *form = form_named(&label);
    }
    der->data = room->data;
    der->len = room->len;
    return 0;
}

/* 1 when it is a private key in encrypted form: EncryptedPrivateKeyInfo (RFC 5958
 * section 3) has an algorithm, the ciphertext and nothing else. */
static int is_encrypted(const uint8_t *data, size_t len) {
    mereau_slice whole = {data, len}, in, value;
    if (len == 0 || mru_pem_is(data, len))
        return mru_pem_is_encrypted(data, len);
    return mru_der_take(&whole, MRU_DER_SEQUENCE, &in) == 0 && whole.len == 0 &&
           mru_der_take(&in, MRU_DER_SEQUENCE, &value) == 0 &&
           mru_der_take(&in, MRU_DER_OCTETS, &value) == 0 && in.len == 0;
}

int mru_pkey_is_encoded(const uint8_t *data, size_t len) {
    struct reading r;
    if (len == 0 || mru_pem_is(data, len))
        return len > 0;
    int is = read_der(&r, data, len, ANY) == 0 || is_encrypted(data, len);
    mru_wipe(&r, sizeof r);
    return is;
}

int mru_cert_der(const uint8_t *data, size_t len, struct mru_buf *der) {
    struct mru_buf room = {0};
    struct reading r;
    mereau_slice found;
    int form, ret = find_der(data, len, &found, &room, &form);
    if (ret == 0 && ((form != ANY && form != CERTIFICATE) ||
                     read_der(&r, found.data, found.len, CERTIFICATE) != 0))
        ret = -1;
    if (ret == 0)
        mru_buf_add(der, found.data, found.len);
    mru_buf_free(&room);
    return ret == 0 && der->failed ? -2 : ret;
}

/* --- from numbers to a key --- */

/* What a private key in PKCS#8 or SEC1 may leave out. */
static mereau_status complete(struct reading *r, mereau_error *err) {
    if (!r->curve || r->parts.part[MRU_PART_D].len == 0 ||
        r->parts.part[MRU_PART_X].data)
        return MEREAU_OK;
    mereau_status status = mru_pkey_public(r->curve, r->d, r->x, r->y, err);
    set(r, MRU_PART_X, r->x, r->curve->coord);
    if (r->kty == MRU_KTY_EC)
        set(r, MRU_PART_Y, r->y, r->curve->coord);
    return status;
}

static mereau_status make(mru_pkey **out, const struct mru_alg *alg,
                          const struct mru_curve *curve, struct reading *r,
                          mereau_error *err) {
    const char *crv = alg->crv ? alg->crv : curve ? curve->name : NULL;
    if (r->kty != alg->kty ||
        (r->kty != MRU_KTY_RSA &&
         (!r->curve || (crv && strcmp(crv, r->curve->name) != 0))))
        return mru_key_refuse(err, "key.kind", "RFC 7518 3.1",
                              alg->kty == MRU_KTY_RSA ? "an RSA key"
                              : crv                   ? crv
                                                      : "an EC key",
                              "a key of another kind");
    mereau_status status = complete(r, err);
    return status == MEREAU_OK
               ? mru_pkey_make(out, alg, r->curve, &r->parts, err)
               : status;
}

mereau_status mru_pkey_parse(mru_pkey **out, const struct mru_alg *alg,
                             const struct mru_curve *curve, const uint8_t *data,
                             size_t len, mereau_error *err) {
    struct mru_buf room = {0};
    struct reading r;
    mereau_slice der;
    mereau_status status;
    int form, ret = find_der(data, len, &der, &room, &form);
    *out = NULL;
    if (ret == 0)
        ret = read_der(&r, der.data, der.len, form);
    if (ret == -2)
        status = mru_refuse(err, MEREAU_E_NOMEM, NULL, NULL, NULL, NULL);
    else if (ret != 0 && is_encrypted(data, len))
        status = mru_key_refuse(err, "key.encrypted", "RFC 5958 3",
                                "a key that is not encrypted",
                                "an encrypted private key");
    else if (ret != 0)
        status =
            mru_refuse(err, MEREAU_E_MALFORMED, "key.encoding", "RFC 7468",
                       "PEM or DER of a key or certificate", "something else");
    else
        status = make(out, alg, curve, &r, err);
    mru_wipe(&r, sizeof r);
    mru_buf_free(&room);
    return status;
}
