/* tests/bench/jose/raw_mbedtls.c - mbedTLS alone: contexts, groups and keys kept,
 * nothing parsed, nothing allocated but what a call needs inside. */
#include "bench.h"

#define MBEDTLS_ALLOW_PRIVATE_ACCESS
#include <mbedtls/version.h>

#include <mbedtls/ctr_drbg.h>
#include <mbedtls/ecdsa.h>
#include <mbedtls/entropy.h>
#include <mbedtls/md.h>
#include <mbedtls/pk.h>
#include <mbedtls/rsa.h>
#include <stdlib.h>
#include <string.h>

#include <mereau/base.h>

const char raw_name[] = "mbedTLS " MBEDTLS_VERSION_STRING;

const double cache_target = 0.2;

struct raw {
    int32_t alg;
    mbedtls_md_type_t md;
    size_t hash_len;
    mbedtls_md_context_t mac;
    mbedtls_pk_context pk;
    mbedtls_ecp_group grp; /* the key's own, with the table of G warm */
    mbedtls_entropy_context entropy;
    mbedtls_ctr_drbg_context drbg;
};

static int is_hmac(int32_t alg) { return alg <= MEREAU_ALG_HS512; }
static int is_pss(int32_t alg) {
    return alg >= MEREAU_ALG_PS256 && alg <= MEREAU_ALG_PS512;
}
static int is_ec(int32_t alg) { return alg >= MEREAU_ALG_ES256; }

static int parse(struct raw *raw, const struct bench_key *key) {
    const unsigned char *pem = (const unsigned char *)key->pem_private;
    size_t len = strlen(key->pem_private) + 1;
#if MBEDTLS_VERSION_NUMBER >= 0x03000000
    return mbedtls_pk_parse_key(&raw->pk, pem, len, NULL, 0,
                                mbedtls_ctr_drbg_random, &raw->drbg);
#else
    return mbedtls_pk_parse_key(&raw->pk, pem, len, NULL, 0);
#endif
}

struct raw *raw_open(const struct bench_key *key) {
    static const mbedtls_md_type_t hashes[] = {
        MBEDTLS_MD_SHA256, MBEDTLS_MD_SHA384, MBEDTLS_MD_SHA512};
    struct raw *raw = calloc(1, sizeof *raw);
    raw->alg = key->alg;
    raw->md = hashes[(key->alg - 1) % 3];
    raw->hash_len = mbedtls_md_get_size(mbedtls_md_info_from_type(raw->md));
    mbedtls_entropy_init(&raw->entropy);
    mbedtls_ctr_drbg_init(&raw->drbg);
    mbedtls_ctr_drbg_seed(&raw->drbg, mbedtls_entropy_func, &raw->entropy, NULL,
                          0);
    mbedtls_md_init(&raw->mac);
    mbedtls_pk_init(&raw->pk);
    mbedtls_ecp_group_init(&raw->grp);
    if (is_hmac(key->alg)) {
        mbedtls_md_setup(&raw->mac, mbedtls_md_info_from_type(raw->md), 1);
        mbedtls_md_hmac_starts(&raw->mac, key->secret, key->secret_len);
        return raw;
    }
    if (parse(raw, key) != 0)
        abort();
    if (is_pss(key->alg))
        mbedtls_rsa_set_padding(mbedtls_pk_rsa(raw->pk), MBEDTLS_RSA_PKCS_V21,
                                raw->md);
    if (is_ec(key->alg))
        mbedtls_ecp_group_copy(&raw->grp, &mbedtls_pk_ec(raw->pk)->grp);
    return raw;
}

static void hash(const struct raw *raw, const uint8_t *input, size_t len,
                 uint8_t *out) {
    mbedtls_md(mbedtls_md_info_from_type(raw->md), input, len, out);
}

static void hmac(struct raw *raw, const uint8_t *input, size_t len,
                 uint8_t *out) {
    mbedtls_md_hmac_reset(&raw->mac);
    mbedtls_md_hmac_update(&raw->mac, input, len);
    mbedtls_md_hmac_finish(&raw->mac, out);
}

static int rsa_sign(struct raw *raw, const uint8_t *digest, uint8_t *sig) {
    mbedtls_rsa_context *rsa = mbedtls_pk_rsa(raw->pk);
#if MBEDTLS_VERSION_NUMBER >= 0x03000000
    return mbedtls_rsa_pkcs1_sign(rsa, mbedtls_ctr_drbg_random, &raw->drbg,
                                  raw->md, (unsigned)raw->hash_len, digest,
                                  sig);
#else
    return mbedtls_rsa_pkcs1_sign(rsa, mbedtls_ctr_drbg_random, &raw->drbg,
                                  MBEDTLS_RSA_PRIVATE, raw->md,
                                  (unsigned)raw->hash_len, digest, sig);
#endif
}

static int rsa_verify(struct raw *raw, const uint8_t *digest,
                      const uint8_t *sig) {
    mbedtls_rsa_context *rsa = mbedtls_pk_rsa(raw->pk);
#if MBEDTLS_VERSION_NUMBER >= 0x03000000
    return mbedtls_rsa_pkcs1_verify(rsa, raw->md, (unsigned)raw->hash_len,
                                    digest, sig);
#else
    return mbedtls_rsa_pkcs1_verify(rsa, NULL, NULL, MBEDTLS_RSA_PUBLIC,
                                    raw->md, (unsigned)raw->hash_len, digest,
                                    sig);
#endif
}

int raw_sign(struct raw *raw, const uint8_t *input, size_t len) {
    uint8_t digest[64], sig[1024];
    mbedtls_mpi r, s;
    int ret;
    if (is_hmac(raw->alg)) {
        hmac(raw, input, len, sig);
        return 0;
    }
    hash(raw, input, len, digest);
    if (!is_ec(raw->alg))
        return rsa_sign(raw, digest, sig);
    mbedtls_mpi_init(&r);
    mbedtls_mpi_init(&s);
    ret = mbedtls_ecdsa_sign_det_ext(
        &raw->grp, &r, &s, &mbedtls_pk_ec(raw->pk)->d, digest, raw->hash_len,
        raw->md, mbedtls_ctr_drbg_random, &raw->drbg);
    mbedtls_mpi_free(&r);
    mbedtls_mpi_free(&s);
    return ret;
}

int raw_verify(struct raw *raw, const uint8_t *input, size_t len,
               const uint8_t *sig, size_t sig_len) {
    uint8_t digest[64];
    mbedtls_mpi r, s;
    int ret;
    if (is_hmac(raw->alg)) {
        hmac(raw, input, len, digest);
        return memcmp(digest, sig, sig_len);
    }
    hash(raw, input, len, digest);
    if (!is_ec(raw->alg))
        return rsa_verify(raw, digest, sig);
    mbedtls_mpi_init(&r);
    mbedtls_mpi_init(&s);
    mbedtls_mpi_read_binary(&r, sig, sig_len / 2);
    mbedtls_mpi_read_binary(&s, sig + sig_len / 2, sig_len / 2);
    ret = mbedtls_ecdsa_verify(&raw->grp, digest, raw->hash_len,
                               &mbedtls_pk_ec(raw->pk)->Q, &r, &s);
    mbedtls_mpi_free(&r);
    mbedtls_mpi_free(&s);
    return ret;
}

void raw_close(struct raw *raw) {
    mbedtls_md_free(&raw->mac);
    mbedtls_pk_free(&raw->pk);
    mbedtls_ecp_group_free(&raw->grp);
    mbedtls_ctr_drbg_free(&raw->drbg);
    mbedtls_entropy_free(&raw->entropy);
    free(raw);
}

double raw_target(const char *alg, int is_sign) {
    static const struct {
        const char *alg;
        double verify, sign;
    } targets[] = {
        {"HS256", 1.25, 1.25},
        {"RS256", 1.03, 1.03},
        {"PS256", 1.03, 0},
#if MBEDTLS_VERSION_NUMBER >= 0x03000000
        {"ES256", 1.03, 1.03},
        {"ES384", 1.03, 0}
    };
#else
        {"ES256", 0.65, 1.03},
        {"ES384", 0.65, 0}
    };
#endif
    for (size_t i = 0; i < sizeof targets / sizeof targets[0]; i++)
        if (strcmp(targets[i].alg, alg) == 0)
            return is_sign ? targets[i].sign : targets[i].verify;
    return 0;
}
