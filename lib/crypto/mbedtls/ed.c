/* lib/crypto/mbedtls/ed.c - mbedTLS has no Ed25519: no key of it is made, so the
 * operations that need one have nothing to do. */
#include "mbed.h"

mereau_status mru_ed_make(struct mru_ed **out,
                          const struct mru_pkey_parts *parts,
                          mereau_error *err) {
    (void)parts;
    *out = NULL;
    return mru_refuse(err, MEREAU_E_ALG, "key.eddsa", "RFC 8037",
                      "an algorithm of this build",
                      "EdDSA, which mbedTLS does not have");
}

mereau_status mru_ed_public(const uint8_t seed[32], uint8_t x[32]) {
    (void)seed;
    memset(x, 0, 32);
    return MEREAU_E_ALG;
}

void mru_ed_free(struct mru_ed *ed) { (void)ed; }

mereau_status mru_ed_sign(const struct mru_ed *ed, const uint8_t *input,
                          size_t len, uint8_t sig[64]) {
    (void)ed, (void)input, (void)len;
    memset(sig, 0, 64);
    return MEREAU_E_ALG;
}

mereau_status mru_ed_verify(const struct mru_ed *ed, const uint8_t *input,
                            size_t len, const uint8_t sig[64]) {
    (void)ed, (void)input, (void)len, (void)sig;
    return MEREAU_E_ALG;
}
