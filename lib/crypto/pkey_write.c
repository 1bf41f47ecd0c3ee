/* lib/crypto/pkey_write.c - keys as others read them: SPKI (RFC 5280, RFC 5480,
 * RFC 8410) and PKCS#8 (RFC 5958), in DER and PEM. Written from the numbers, so
 * that every provider gives the same bytes. */
#include "der.h"
#include "pkey_int.h"

/* Numbers first to last of an RSA key. */
static int add_numbers(struct mru_buf *out, const mru_pkey *key, int first,
                       int last) {
    uint8_t number[MRU_RSA_MAX];
    size_t len;
    int ret = 0;
    for (int part = first; part <= last && ret == 0; part++) {
        ret = mru_pkey_part(key, part, number, sizeof number, &len);
        if (ret == 0)
            mru_der_add_number(out, number, len);
    }
    mru_wipe(number, sizeof number);
    return ret;
}

/* RSAPublicKey, an uncompressed point, or the 32 bytes of Ed25519. */
static int add_public(struct mru_buf *out, const mru_pkey *key) {
    const struct mru_curve *curve = mru_pkey_curve(key);
    struct mru_buf numbers = {0};
    uint8_t coord[MRU_COORD_MAX];
    size_t len;
    int ret = 0;
    if (!curve) {
        ret = add_numbers(&numbers, key, MRU_PART_N, MRU_PART_E);
        mru_der_add(out, MRU_DER_SEQUENCE, numbers.data, numbers.len);
    } else {
        if (curve->id != MRU_ED25519)
            mru_buf_add_byte(out, 4);
        ret = mru_pkey_part(key, MRU_PART_X, coord, sizeof coord, &len);
        mru_buf_add(out, coord, len);
        if (curve->id != MRU_ED25519) {
            ret |= mru_pkey_part(key, MRU_PART_Y, coord, sizeof coord, &len);
            mru_buf_add(out, coord, len);
        }
    }
    out->failed |= numbers.failed;
    mru_buf_free(&numbers);
    return ret;
}

static void add_algorithm(struct mru_buf *out, const mru_pkey *key) {
    const struct mru_curve *curve = mru_pkey_curve(key);
    struct mru_buf algorithm = {0};
    if (!curve) {
        mru_oid_add(&algorithm, MRU_OID_RSA);
        mru_der_add(&algorithm, MRU_DER_NULL, NULL, 0);
    } else if (curve->id == MRU_ED25519) {
        mru_oid_add(&algorithm, MRU_ED25519);
    } else {
        mru_oid_add(&algorithm, MRU_OID_EC);
        mru_oid_add(&algorithm, curve->id);
    }
    mru_der_add(out, MRU_DER_SEQUENCE, algorithm.data, algorithm.len);
    out->failed |= algorithm.failed;
    mru_buf_free(&algorithm);
}

/* The inside of RSAPrivateKey or of ECPrivateKey, whose curve stands outside. */
static int add_private_fields(struct mru_buf *out, const mru_pkey *key) {
    static const uint8_t one = 1;
    struct mru_buf point = {0}, bits = {0};
    uint8_t d[MRU_COORD_MAX];
    size_t len;
    if (!mru_pkey_curve(key)) {
        mru_der_add_number(out, NULL, 0);
        return add_numbers(out, key, MRU_PART_N, MRU_PART_QI);
    }
    mru_der_add_number(out, &one, 1);
    int ret = mru_pkey_part(key, MRU_PART_D, d, sizeof d, &len);
    mru_der_add(out, MRU_DER_OCTETS, d, len);
    ret |= add_public(&point, key);
    mru_der_add_bits(&bits, MRU_DER_BITS, point.data, point.len);
    mru_der_add(out, MRU_DER_CONTEXT + 1, bits.data, bits.len);
    mru_wipe(d, sizeof d);
    out->failed |= point.failed | bits.failed;
    mru_buf_free(&point);
    mru_buf_free(&bits);
    return ret;
}

/* What stands in PKCS#8's OCTET STRING. */
static int add_private(struct mru_buf *out, const mru_pkey *key) {
    const struct mru_curve *curve = mru_pkey_curve(key);
    struct mru_buf fields = {0};
    uint8_t seed[MRU_COORD_MAX];
    size_t len;
    int ret;
    if (curve && curve->id == MRU_ED25519) {
        ret = mru_pkey_part(key, MRU_PART_D, seed, sizeof seed, &len);
        mru_der_add(out, MRU_DER_OCTETS, seed, len);
        mru_wipe(seed, sizeof seed);
        return ret;
    }
    ret = add_private_fields(&fields, key);
    mru_der_add(out, MRU_DER_SEQUENCE, fields.data, fields.len);
    out->failed |= fields.failed;
    mru_buf_free(&fields);
    return ret;
}

mereau_status mru_pkey_write(const mru_pkey *key, int private_too, int pem,
                             struct mru_buf *out) {
    struct mru_buf inner = {0}, fields = {0}, der = {0};
    int ret;
    if (private_too && !mru_pkey_is_private(key))
        return MEREAU_E_KEY;
    if (private_too) {
        mru_der_add_number(&fields, NULL, 0);
        add_algorithm(&fields, key);
        ret = add_private(&inner, key);
        mru_der_add(&fields, MRU_DER_OCTETS, inner.data, inner.len);
    } else {
        add_algorithm(&fields, key);
        ret = add_public(&inner, key);
        mru_der_add_bits(&fields, MRU_DER_BITS, inner.data, inner.len);
    }
    mru_der_add(&der, MRU_DER_SEQUENCE, fields.data, fields.len);
    ret |= inner.failed | fields.failed | der.failed;
    if (ret == 0 && pem)
        mru_pem_add(out, private_too ? "PRIVATE KEY" : "PUBLIC KEY", der.data,
                    der.len);
    else if (ret == 0)
        mru_buf_add(out, der.data, der.len);
    mru_buf_free(&inner);
    mru_buf_free(&fields);
    mru_buf_free(&der);
    return ret == 0 && !out->failed ? MEREAU_OK : MEREAU_E_NOMEM;
}
