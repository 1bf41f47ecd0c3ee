/* lib/crypto/oid.c - the object identifiers that keys name their kind and curve
 * with (RFC 3279, RFC 5480, RFC 8410, SEC 2). */
#include "der.h"

static const struct {
    int which;
    uint8_t len;
    uint8_t value[9];
} oids[] = {
    {MRU_OID_RSA, 9, {0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 0x01, 0x01, 0x01}},
    {MRU_OID_EC, 7, {0x2a, 0x86, 0x48, 0xce, 0x3d, 0x02, 0x01}},
    {MRU_P256, 8, {0x2a, 0x86, 0x48, 0xce, 0x3d, 0x03, 0x01, 0x07}},
    {MRU_P384, 5, {0x2b, 0x81, 0x04, 0x00, 0x22}},
    {MRU_P521, 5, {0x2b, 0x81, 0x04, 0x00, 0x23}},
    {MRU_SECP256K1, 5, {0x2b, 0x81, 0x04, 0x00, 0x0a}},
    {MRU_ED25519, 3, {0x2b, 0x65, 0x70}},
};

int mru_oid_find(const mereau_slice *value) {
    for (size_t i = 0; i < sizeof oids / sizeof oids[0]; i++)
        if (oids[i].len == value->len &&
            memcmp(oids[i].value, value->data, value->len) == 0)
            return oids[i].which;
    return 0;
}

void mru_oid_add(struct mru_buf *out, int which) {
    for (size_t i = 0; i < sizeof oids / sizeof oids[0]; i++)
        if (oids[i].which == which)
            mru_der_add(out, MRU_DER_OID, oids[i].value, oids[i].len);
}
