/* lib/crypto/alg.c - the algorithms (RFC 7518 sections 3.1 and 4.1, RFC 8812, RFC
 * 8037) and the curves, as tables. */
#include "pkey.h"

#define SIG MRU_USE_SIG
#define ENC MRU_USE_ENC
#define OCT MRU_KTY_OCT
#define RSA MRU_KTY_RSA
#define EC MRU_KTY_EC
#define OKP MRU_KTY_OKP

/* clang-format off */
static const struct mru_alg algs[] = {
    {MEREAU_ALG_HS256, "HS256", OCT, SIG, MRU_SHA256, 0, NULL, 0, 0, 0},
    {MEREAU_ALG_HS384, "HS384", OCT, SIG, MRU_SHA384, 0, NULL, 0, 0, 0},
    {MEREAU_ALG_HS512, "HS512", OCT, SIG, MRU_SHA512, 0, NULL, 0, 0, 0},
    {MEREAU_ALG_RS256, "RS256", RSA, SIG, MRU_SHA256, 0, NULL, 0, 2048, 0},
    {MEREAU_ALG_RS384, "RS384", RSA, SIG, MRU_SHA384, 0, NULL, 0, 3072, 0},
    {MEREAU_ALG_RS512, "RS512", RSA, SIG, MRU_SHA512, 0, NULL, 0, 4096, 0},
    {MEREAU_ALG_PS256, "PS256", RSA, SIG, MRU_SHA256, 1, NULL, 0, 2048, 0},
    {MEREAU_ALG_PS384, "PS384", RSA, SIG, MRU_SHA384, 1, NULL, 0, 3072, 0},
    {MEREAU_ALG_PS512, "PS512", RSA, SIG, MRU_SHA512, 1, NULL, 0, 4096, 0},
    {MEREAU_ALG_ES256, "ES256", EC, SIG, MRU_SHA256, 0, "P-256", 32, 0, 0},
    {MEREAU_ALG_ES384, "ES384", EC, SIG, MRU_SHA384, 0, "P-384", 48, 0, 0},
    {MEREAU_ALG_ES512, "ES512", EC, SIG, MRU_SHA512, 0, "P-521", 66, 0, 0},
    {MEREAU_ALG_ES256K, "ES256K", EC, SIG, MRU_SHA256, 0, "secp256k1", 32, 0,
     0},
    {MEREAU_ALG_EDDSA, "EdDSA", OKP, SIG, 0, 0, "Ed25519", 32, 0, 0},
    {MEREAU_ALG_DIR, "dir", OCT, ENC, 0, 0, NULL, 0, 0, 0},
    {MEREAU_ALG_A128KW, "A128KW", OCT, ENC, 0, 0, NULL, 0, 0, 16},
    {MEREAU_ALG_A256KW, "A256KW", OCT, ENC, 0, 0, NULL, 0, 0, 32},
    {MEREAU_ALG_RSA_OAEP, "RSA-OAEP", RSA, ENC, MRU_SHA1, 0, NULL, 0, 2048, 0},
    {MEREAU_ALG_RSA_OAEP_256, "RSA-OAEP-256", RSA, ENC, MRU_SHA256, 0, NULL, 0,
     2048, 0},
    {MEREAU_ALG_ECDH_ES, "ECDH-ES", EC, ENC, 0, 0, NULL, 0, 0, 0},
    {MEREAU_ALG_ECDH_ES_A128KW, "ECDH-ES+A128KW", EC, ENC, 0, 0, NULL, 0, 0,
     16},
    {MEREAU_ALG_ECDH_ES_A256KW, "ECDH-ES+A256KW", EC, ENC, 0, 0, NULL, 0, 0,
     32},
};
/* clang-format on */

const struct mru_alg *mru_alg_info(int32_t alg) {
    for (size_t i = 0; i < sizeof algs / sizeof algs[0]; i++)
        if (algs[i].id == alg)
            return &algs[i];
    return NULL;
}

static int same(const char *known, const char *name, size_t len) {
    return strlen(known) == len && memcmp(known, name, len) == 0;
}

const struct mru_alg *mru_alg_named(const char *name, size_t len, int use) {
    /* RFC 9864 gave EdDSA over this curve a name of its own. */
    if (use == MRU_USE_SIG && same("Ed25519", name, len))
        return mru_alg_info(MEREAU_ALG_EDDSA);
    for (size_t i = 0; i < sizeof algs / sizeof algs[0]; i++)
        if (algs[i].use == use && same(algs[i].name, name, len))
            return &algs[i];
    return NULL;
}

static const struct mru_curve curves[] = {
    {MRU_P256, "P-256", 32},      {MRU_P384, "P-384", 48},
    {MRU_P521, "P-521", 66},      {MRU_SECP256K1, "secp256k1", 32},
    {MRU_ED25519, "Ed25519", 32},
};

const struct mru_curve *mru_curve_find(const char *name, size_t len) {
    for (size_t i = 0; i < sizeof curves / sizeof curves[0]; i++)
        if (same(curves[i].name, name, len))
            return &curves[i];
    return NULL;
}
