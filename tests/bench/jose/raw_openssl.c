/* tests/bench/jose/raw_openssl.c - OpenSSL alone, by EVP: keys and contexts kept,
 * signatures in the form that EVP takes (DER for ECDSA), made before the clock. */
#include "bench.h"

#include <openssl/bio.h>
#include <openssl/core_names.h>
#include <openssl/ecdsa.h>
#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/opensslv.h>
#include <openssl/params.h>
#include <openssl/pem.h>
#include <openssl/rsa.h>
#include <stdlib.h>
#include <string.h>

#include <mereau/base.h>

const char raw_name[] = OPENSSL_VERSION_TEXT;

const double cache_target =
    0; /* the bare HMAC takes half a microsecond here: no target is set */

struct raw {
    int32_t alg;
    EVP_MD *md;
    EVP_MAC *mac;
    EVP_MAC_CTX *mac_ctx;
    EVP_PKEY *pkey;
    EVP_PKEY_CTX *sign_ctx, *verify_ctx;
    unsigned char der[512];
    int der_len;
};

static int is_hmac(int32_t alg) { return alg <= MEREAU_ALG_HS512; }
static int is_ec(int32_t alg) {
    return alg >= MEREAU_ALG_ES256 && alg <= MEREAU_ALG_ES256K;
}

static void padding(const struct raw *raw, EVP_PKEY_CTX *ctx) {
    EVP_PKEY_CTX_set_signature_md(ctx, raw->md);
    if (raw->alg >= MEREAU_ALG_RS256 && raw->alg <= MEREAU_ALG_RS512)
        EVP_PKEY_CTX_set_rsa_padding(ctx, RSA_PKCS1_PADDING);
    if (raw->alg >= MEREAU_ALG_PS256 && raw->alg <= MEREAU_ALG_PS512) {
        EVP_PKEY_CTX_set_rsa_padding(ctx, RSA_PKCS1_PSS_PADDING);
        EVP_PKEY_CTX_set_rsa_pss_saltlen(ctx, RSA_PSS_SALTLEN_DIGEST);
    }
}

struct raw *raw_open(const struct bench_key *key) {
    static const char *const hashes[] = {"SHA2-256", "SHA2-384", "SHA2-512"};
    struct raw *raw = calloc(1, sizeof *raw);
    const char *hash = hashes[(key->alg - 1) % 3];
    raw->alg = key->alg;
    raw->md = EVP_MD_fetch(NULL, hash, NULL);
    if (is_hmac(key->alg)) {
        OSSL_PARAM params[2];
        params[0] = OSSL_PARAM_construct_utf8_string(
            OSSL_MAC_PARAM_DIGEST, (char *)(uintptr_t)hash, 0);
        params[1] = OSSL_PARAM_construct_end();
        raw->mac = EVP_MAC_fetch(NULL, "HMAC", NULL);
        raw->mac_ctx = EVP_MAC_CTX_new(raw->mac);
        EVP_MAC_init(raw->mac_ctx, key->secret, key->secret_len, params);
        return raw;
    }
    BIO *bio = BIO_new_mem_buf(key->pem_private, -1);
    raw->pkey = PEM_read_bio_PrivateKey(bio, NULL, NULL, NULL);
    BIO_free(bio);
    if (!raw->pkey)
        abort();
    if (key->alg == MEREAU_ALG_EDDSA)
        return raw;
    raw->sign_ctx = EVP_PKEY_CTX_new(raw->pkey, NULL);
    raw->verify_ctx = EVP_PKEY_CTX_new(raw->pkey, NULL);
    EVP_PKEY_sign_init(raw->sign_ctx);
    EVP_PKEY_verify_init(raw->verify_ctx);
    padding(raw, raw->sign_ctx);
    padding(raw, raw->verify_ctx);
    return raw;
}

static int ed25519(struct raw *raw, const uint8_t *input, size_t len,
                   const uint8_t *sig, size_t sig_len) {
    uint8_t made[64];
    size_t made_len = sizeof made;
    EVP_MD_CTX *ctx = EVP_MD_CTX_new();
    int ok;
    if (sig)
        ok = EVP_DigestVerifyInit(ctx, NULL, NULL, NULL, raw->pkey) == 1 &&
             EVP_DigestVerify(ctx, sig, sig_len, input, len) == 1;
    else
        ok = EVP_DigestSignInit(ctx, NULL, NULL, NULL, raw->pkey) == 1 &&
             EVP_DigestSign(ctx, made, &made_len, input, len) == 1;
    EVP_MD_CTX_free(ctx);
    return !ok;
}

static void hmac(struct raw *raw, const uint8_t *input, size_t len,
                 uint8_t *out) {
    size_t out_len = 64;
    EVP_MAC_init(raw->mac_ctx, NULL, 0, NULL);
    EVP_MAC_update(raw->mac_ctx, input, len);
    EVP_MAC_final(raw->mac_ctx, out, &out_len, 64);
}

int raw_sign(struct raw *raw, const uint8_t *input, size_t len) {
    uint8_t digest[64], sig[1024];
    size_t sig_len = sizeof sig;
    unsigned n = 0;
    if (is_hmac(raw->alg)) {
        hmac(raw, input, len, digest);
        return 0;
    }
    if (raw->alg == MEREAU_ALG_EDDSA)
        return ed25519(raw, input, len, NULL, 0);
    EVP_Digest(input, len, digest, &n, raw->md, NULL);
    return EVP_PKEY_sign(raw->sign_ctx, sig, &sig_len, digest, n) != 1;
}

/* r || s to DER; once, as the benchmark verifies one signature. */
static void to_der(struct raw *raw, const uint8_t *sig, size_t sig_len) {
    ECDSA_SIG *pair = ECDSA_SIG_new();
    unsigned char *at = raw->der;
    int half = (int)(sig_len / 2);
    ECDSA_SIG_set0(pair, BN_bin2bn(sig, half, NULL),
                   BN_bin2bn(sig + half, half, NULL));
    raw->der_len = i2d_ECDSA_SIG(pair, &at);
    ECDSA_SIG_free(pair);
}

int raw_verify(struct raw *raw, const uint8_t *input, size_t len,
               const uint8_t *sig, size_t sig_len) {
    uint8_t digest[64];
    unsigned n = 0;
    if (is_hmac(raw->alg)) {
        hmac(raw, input, len, digest);
        return memcmp(digest, sig, sig_len);
    }
    if (raw->alg == MEREAU_ALG_EDDSA)
        return ed25519(raw, input, len, sig, sig_len);
    EVP_Digest(input, len, digest, &n, raw->md, NULL);
    if (is_ec(raw->alg)) {
        if (raw->der_len == 0)
            to_der(raw, sig, sig_len);
        sig = raw->der;
        sig_len = (size_t)raw->der_len;
    }
    return EVP_PKEY_verify(raw->verify_ctx, sig, sig_len, digest, n) != 1;
}

void raw_close(struct raw *raw) {
    EVP_MD_free(raw->md);
    EVP_MAC_CTX_free(raw->mac_ctx);
    EVP_MAC_free(raw->mac);
    EVP_PKEY_CTX_free(raw->sign_ctx);
    EVP_PKEY_CTX_free(raw->verify_ctx);
    EVP_PKEY_free(raw->pkey);
    free(raw);
}

double raw_target(const char *alg, int is_sign) {
    (void)is_sign;
    return alg[0] == 'H' ? 4.0 : 1.03;
}
