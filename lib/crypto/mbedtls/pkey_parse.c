/* lib/crypto/mbedtls/pkey_parse.c - keys in PEM and DER: SPKI, PKCS#1, PKCS#8, SEC1 and
 * the public key of an X.509 certificate. Only finds the numbers; whether they
 * make a key that may be used is decided where every other key is checked. */
#include "mbed.h"

static const char pem_mark[] = "-----BEGIN ";

static int is_pem(const uint8_t *data, size_t len) {
    size_t mark = sizeof pem_mark - 1;
    for (size_t i = 0; len >= mark && i <= len - mark; i++)
        if (memcmp(data + i, pem_mark, mark) == 0)
            return 1;
    return 0;
}

/* DER of one SEQUENCE and nothing after it. */
static int is_der(const uint8_t *data, size_t len) {
    unsigned char *p = (unsigned char *)(uintptr_t)data;
    size_t inner = 0;
    if (len == 0)
        return 0;
    if (mbedtls_asn1_get_tag(&p, data + len, &inner,
                             MBEDTLS_ASN1_CONSTRUCTED |
                                 MBEDTLS_ASN1_SEQUENCE) != 0)
        return 0;
    return p + inner == data + len;
}

/* Steps over the next element of a certificate, whatever it is. */
static int skip_element(unsigned char **p, const unsigned char *end) {
    size_t len = 0;
    if (*p >= end)
        return -1;
    int tag = **p;
    if (mbedtls_asn1_get_tag(p, end, &len, tag) != 0)
        return -1;
    *p += len;
    return 0;
}

/* The SubjectPublicKeyInfo inside a certificate (RFC 5280 section 4.1). Whom it
 * names and who signed it is not looked at: the caller trusts the key, not the
 * certificate. */
static int find_spki(const uint8_t *der, size_t len, const uint8_t **spki,
                     size_t *spki_len) {
    const int sequence = MBEDTLS_ASN1_CONSTRUCTED | MBEDTLS_ASN1_SEQUENCE;
    const int version =
        MBEDTLS_ASN1_CONTEXT_SPECIFIC | MBEDTLS_ASN1_CONSTRUCTED | 0;
    unsigned char *p = (unsigned char *)(uintptr_t)der;
    const unsigned char *end = der + len;
    size_t inner = 0;
    if (!is_der(der, len) ||
        mbedtls_asn1_get_tag(&p, end, &inner, sequence) != 0 ||
        mbedtls_asn1_get_tag(&p, end, &inner, sequence) != 0)
        return -1;
    end = p + inner;
    if (p < end && *p == version && skip_element(&p, end) != 0)
        return -1;
    for (int i = 0; i < 5; i++) /* serial, algorithm, issuer, times, subject */
        if (skip_element(&p, end) != 0)
            return -1;
    *spki = p;
    if (skip_element(&p, end) != 0)
        return -1;
    *spki_len = (size_t)(p - *spki);
    return 0;
}

static int parse_certificate(mbedtls_pk_context *pk, const uint8_t *der,
                             size_t len) {
    const uint8_t *spki;
    size_t spki_len;
    if (find_spki(der, len, &spki, &spki_len) != 0)
        return MBEDTLS_ERR_PK_KEY_INVALID_FORMAT;
    return mbedtls_pk_parse_public_key(pk, spki, spki_len);
}

static int parse_pem_certificate(mbedtls_pk_context *pk, const uint8_t *text) {
    mbedtls_pem_context pem;
    size_t used;
    mbedtls_pem_init(&pem);
    int ret = mbedtls_pem_read_buffer(&pem, "-----BEGIN CERTIFICATE-----",
                                      "-----END CERTIFICATE-----", text, NULL,
                                      0, &used);
    if (ret == 0)
        ret = parse_certificate(pk, pem.buf, pem.buflen);
    mbedtls_pem_free(&pem);
    return ret;
}

/* Runs one reader on a fresh context after another until one succeeds; a lack of
 * memory ends the search. */
static int parse_any(mbedtls_pk_context *pk, const uint8_t *data, size_t len,
                     int pem) {
    struct mru_self_rng self;
    int ret = mru_self_rng_seed(&self, data, len);
    for (int step = 0; ret == 0 && step < 3; step++) {
        mbedtls_pk_free(pk);
        mbedtls_pk_init(pk);
        if (step == 0)
            ret = mbedtls_pk_parse_public_key(pk, data, len);
        else if (step == 1)
            ret = pem ? parse_pem_certificate(pk, data)
                      : parse_certificate(pk, data, len);
        else
            ret = mru_pk_parse_key(pk, data, len, mru_self_rng_draw, &self);
        if (ret == 0)
            break;
        if (mru_mbed_status(ret, MEREAU_OK) != MEREAU_E_NOMEM && step < 2)
            ret = 0;
    }
    mru_wipe(&self, sizeof self);
    return ret;
}

/* data becomes pk: 0, or an error of mbedTLS. */
static int parse_text(mbedtls_pk_context *pk, const uint8_t *data, size_t len) {
    if (len == 0 || len > MEREAU_MAX_VALUE)
        return MBEDTLS_ERR_PK_KEY_INVALID_FORMAT;
    if (!is_pem(data, len))
        return is_der(data, len) ? parse_any(pk, data, len, 0)
                                 : MBEDTLS_ERR_PK_KEY_INVALID_FORMAT;
    /* PEM readers want a NUL, counted. */
    char *text = mru_dup(data, len);
    if (!text)
        return MBEDTLS_ERR_PK_ALLOC_FAILED;
    int ret = parse_any(pk, (const uint8_t *)text, len + 1, 1);
    mru_free_wiped(text, len + 1);
    return ret;
}

int mru_pkey_is_encoded(const uint8_t *data, size_t len) {
    if (is_pem(data, len))
        return 1;
    if (!is_der(data, len))
        return 0;
    mbedtls_pk_context pk;
    mbedtls_pk_init(&pk);
    int ret = parse_text(&pk, data, len);
    mbedtls_pk_free(&pk);
    return ret == 0;
}

/* --- from the provider's key to numbers --- */

enum { ROOM = MRU_RSA_MAX }; /* bytes for each number */

static int take(struct mru_pkey_parts *parts, int part, const mbedtls_mpi *mpi,
                size_t len, uint8_t *room) {
    uint8_t *at = room + (size_t)part * ROOM;
    if (len == 0)
        len = mbedtls_mpi_size(mpi);
    if (len > ROOM || mbedtls_mpi_write_binary(mpi, at, len) != 0)
        return -1;
    parts->part[part].data = at;
    parts->part[part].len = len;
    return 0;
}

static int take_rsa(struct mru_pkey_parts *parts,
                    const mbedtls_rsa_context *rsa, uint8_t *room) {
    int ret = take(parts, MRU_PART_N, &rsa->N, 0, room) |
              take(parts, MRU_PART_E, &rsa->E, 0, room);
    if (mbedtls_mpi_size(&rsa->D) > 0)
        ret |= take(parts, MRU_PART_D, &rsa->D, 0, room) |
               take(parts, MRU_PART_P, &rsa->P, 0, room) |
               take(parts, MRU_PART_Q, &rsa->Q, 0, room);
    return ret;
}

static int take_ec(struct mru_pkey_parts *parts, const mbedtls_ecp_keypair *ec,
                   uint8_t *room) {
    size_t coord = (ec->grp.pbits + 7) / 8;
    int ret = take(parts, MRU_PART_X, &ec->Q.X, coord, room) |
              take(parts, MRU_PART_Y, &ec->Q.Y, coord, room);
    if (mbedtls_mpi_size(&ec->d) > 0)
        ret |= take(parts, MRU_PART_D, &ec->d, coord, room);
    return ret;
}

static mereau_status wrong_kind(const struct mru_alg *alg, mereau_error *err) {
    return mru_key_refuse(err, "key.kind", "RFC 7518 3.1",
                          alg->crv ? alg->crv : "an RSA key",
                          "a key of another kind");
}

static const struct mru_curve *curve_found(mbedtls_ecp_group_id id) {
    switch (id) {
    case MBEDTLS_ECP_DP_SECP256R1:
        return mru_curve_find("P-256", 5);
    case MBEDTLS_ECP_DP_SECP384R1:
        return mru_curve_find("P-384", 5);
    case MBEDTLS_ECP_DP_SECP521R1:
        return mru_curve_find("P-521", 5);
    case MBEDTLS_ECP_DP_SECP256K1:
        return mru_curve_find("secp256k1", 9);
    default:
        return NULL;
    }
}

static mereau_status pk_to_key(mru_pkey **out, const struct mru_alg *alg,
                               const struct mru_curve *curve,
                               mbedtls_pk_context *pk, uint8_t *room,
                               mereau_error *err) {
    struct mru_pkey_parts parts = {{{NULL, 0}}};
    mbedtls_pk_type_t type = mbedtls_pk_get_type(pk);
    int ret;
    if (alg->kty != MRU_KTY_EC)
        curve = NULL;
    if (type == MBEDTLS_PK_RSA && alg->kty == MRU_KTY_RSA) {
        ret = take_rsa(&parts, mbedtls_pk_rsa(*pk), room);
    } else if (type == MBEDTLS_PK_ECKEY && alg->kty == MRU_KTY_EC) {
        const mbedtls_ecp_keypair *ec = mbedtls_pk_ec(*pk);
        const struct mru_curve *found = curve_found(ec->grp.id);
        if (!found || (curve && curve != found) ||
            (alg->crv && strcmp(alg->crv, found->name) != 0))
            return wrong_kind(alg, err);
        curve = found;
        ret = take_ec(&parts, ec, room);
    } else {
        return wrong_kind(alg, err);
    }
    if (ret != 0)
        return mru_key_refuse(err, "key.bits", NULL, "at most 8192 bits",
                              "more");
    return mru_pkey_make(out, alg, curve, &parts, err);
}

mereau_status mru_pkey_parse(mru_pkey **out, const struct mru_alg *alg,
                             const struct mru_curve *curve, const uint8_t *data,
                             size_t len, mereau_error *err) {
    const size_t room_len = (size_t)MRU_PARTS * ROOM;
    mbedtls_pk_context pk;
    uint8_t *room = NULL;
    mereau_status status;
    *out = NULL;
    mbedtls_pk_init(&pk);
    int ret = parse_text(&pk, data, len);
    if (ret != 0) {
        status = mru_refuse(err, mru_mbed_status(ret, MEREAU_E_MALFORMED),
                            "key.encoding", "RFC 7468",
                            "PEM or DER of a key or certificate, not encrypted",
                            "something else");
        goto done;
    }
    room = mru_alloc(room_len);
    if (!room)
        status = mru_refuse(err, MEREAU_E_NOMEM, NULL, NULL, NULL, NULL);
    else
        status = pk_to_key(out, alg, curve, &pk, room, err);
done:
    mru_free_wiped(room, room_len);
    mbedtls_pk_free(&pk);
    return status;
}
