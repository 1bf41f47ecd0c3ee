/* lib/crypto/openssl/ossl.c - what this provider is and can, and what its errors
 * mean. */
#include "ossl.h"

#include <openssl/crypto.h>

uint32_t mru_crypto_has(void) {
    /* Asked of the library that runs, not of the headers. */
    uint32_t has = MRU_HAS_ED25519 | MRU_HAS_SEEDED_RSA | MRU_HAS_OWN_RANDOM;
    if (mru_ossl_tells()) /* 3.2, too */
        has |= MRU_HAS_DETERMINISTIC_ECDSA;
    return has;
}

const char *mru_crypto_name(void) { return OpenSSL_version(OPENSSL_VERSION); }

void mru_ossl_begin(void) {
    if (ERR_peek_error() != 0)
        ERR_clear_error();
}

mereau_status mru_ossl_failed(int lib, int reason, mereau_status refused) {
    mereau_status status = MEREAU_E_CRYPTO;
    unsigned long code;
    while ((code = ERR_get_error()) != 0) {
        if (ERR_GET_REASON(code) == ERR_R_MALLOC_FAILURE)
            status = MEREAU_E_NOMEM;
        else if (status == MEREAU_E_CRYPTO && ERR_GET_LIB(code) == lib &&
                 (reason != 0 ? ERR_GET_REASON(code) == reason
                              : !ERR_COMMON_ERROR(code)))
            status = refused;
    }
    return status;
}

int mru_ossl_tells(void) { return OpenSSL_version_num() >= 0x30200000UL; }

mereau_status mru_ossl_no(int lib, int quiet) {
    int said = quiet || mru_ossl_tells(), trouble = 0, no_memory = 0;
    unsigned long code;
    while ((code = ERR_get_error()) != 0) {
        int from = ERR_GET_LIB(code), common = ERR_COMMON_ERROR(code);
        if (ERR_GET_REASON(code) == ERR_R_MALLOC_FAILURE)
            no_memory = 1;
        else if (from == lib && !common)
            said = 1;
        /* "Something went wrong in RSA", by who passes an answer on. */
        else if (!((from == lib || from == ERR_LIB_PROV) && common) &&
                 !(from == ERR_LIB_EVP && mru_ossl_tells()))
            trouble = 1;
    }
    if (no_memory)
        return MEREAU_E_NOMEM;
    return said && !trouble ? MEREAU_E_SIGNATURE : MEREAU_E_CRYPTO;
}

mereau_status mru_ossl_trouble(void) {
    return mru_ossl_failed(ERR_LIB_NONE, 0, MEREAU_E_CRYPTO);
}

mereau_status mru_ossl_refuse(mereau_error *err, const char *rule) {
    mereau_status status = mru_ossl_trouble();
    return mru_refuse(err, status, status == MEREAU_E_NOMEM ? NULL : rule, NULL,
                      NULL, NULL);
}

const EVP_MD *mru_ossl_md(int hash) {
    switch (hash) {
    case MRU_SHA1:
        return EVP_sha1();
    case MRU_SHA256:
        return EVP_sha256();
    case MRU_SHA384:
        return EVP_sha384();
    case MRU_SHA512:
        return EVP_sha512();
    default:
        return NULL;
    }
}

int mru_ossl_key(EVP_PKEY **out, const char *type, int selection,
                 OSSL_PARAM *params) {
    EVP_PKEY_CTX *ctx = EVP_PKEY_CTX_new_from_name(NULL, type, NULL);
    *out = NULL;
    int ok = ctx && EVP_PKEY_fromdata_init(ctx) == 1 &&
             EVP_PKEY_fromdata(ctx, out, selection, params) == 1;
    EVP_PKEY_CTX_free(ctx);
    if (!ok) {
        EVP_PKEY_free(*out);
        *out = NULL;
    }
    return ok ? 0 : -1;
}
