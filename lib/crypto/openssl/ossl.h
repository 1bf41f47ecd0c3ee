/* lib/crypto/openssl/ossl.h - OpenSSL 3.0 and up behind the room's headers: what
 * the files of this provider share. EVP and numbers only, nothing deprecated, the
 * default library context, and no state of our own beside the keys'. */
#ifndef MRU_OSSL_H
#define MRU_OSSL_H

#include <openssl/opensslv.h>

#if OPENSSL_VERSION_NUMBER < 0x30000000L
#error "this provider needs OpenSSL 3.0 or later"
#endif

#include <openssl/bn.h>
#include <openssl/core_names.h>
#include <openssl/err.h>
#include <openssl/evp.h>

#include <stdatomic.h>

#include "../provider.h"

/* --- errors (ossl.c) ---
 * OpenSSL says why something failed in a queue of the thread. Every operation
 * begins with an empty one and leaves it empty. */
void mru_ossl_begin(void);
/* After a failure: MEREAU_E_NOMEM when memory ran out; `refused` when `lib` (say
 * ERR_LIB_EC) gave this reason, or with 0 any of its own, which it does for a
 * wrong input; MEREAU_E_CRYPTO for all else. So a machine in trouble is never
 * mistaken for a wrong signature. */
mereau_status mru_ossl_failed(int lib, int reason, mereau_status refused);
/* After a verification that answered no: MEREAU_E_SIGNATURE, unless there is a sign
 * of trouble. lib gives its reason for it, or with quiet none is needed. */
mereau_status mru_ossl_no(int lib, int quiet);
/* From 3.2 on every lack of memory is in the queue, and so is what EVP made of a
 * no; before, some allocations fail without a word. */
int mru_ossl_tells(void);
/* The same where nothing can be wrong with the input; and told. */
mereau_status mru_ossl_trouble(void);
mereau_status mru_ossl_refuse(mereau_error *err, const char *rule);
/* The default provider's hash; NULL for an unknown length. */
const EVP_MD *mru_ossl_md(int hash);

/* --- contexts that are kept (pool.c) ---
 * A context of OpenSSL serves one thread at a time, and making one takes longer
 * than a MAC. So an operation borrows a copy of a prepared context, and makes one
 * for itself when all are lent. Nobody ever waits. */
enum { MRU_POOL = 8 };
struct mru_pool {
    void *master; /* read only; owned */
    void *(*copy)(const void *master);
    void (*drop)(void *context);
    struct {
        atomic_flag lent;
        void *context; /* touched by who holds the slot */
    } slot[MRU_POOL];
};
struct mru_loan {
    void *context; /* NULL without memory */
    int slot; /* -1: made for this operation alone */
};
/* Takes master over. */
void mru_pool_init(struct mru_pool *pool, void *master,
                   void *(*copy)(const void *), void (*drop)(void *));
/* A zeroed pool is fine. */
void mru_pool_free(struct mru_pool *pool);
struct mru_loan mru_pool_borrow(const struct mru_pool *pool);
/* sound: 0 when the operation failed half way, and the context is not to be
 * trusted with another. */
void mru_pool_return(const struct mru_pool *pool, struct mru_loan loan,
                     int sound);

/* A pool of contexts for operations with a key. prepare has the fresh context do
 * its init and take its parameters: 1 when it could. 0, or -1 with errors in the
 * queue. */
int mru_pool_for_key(struct mru_pool *pool, EVP_PKEY *pkey,
                     int (*prepare)(EVP_PKEY_CTX *ctx, const void *arg),
                     const void *arg);

/* Makes an EVP_PKEY of numbers: 0, or -1 with errors in the queue. */
int mru_ossl_key(EVP_PKEY **out, const char *type, int selection,
                 OSSL_PARAM *params);

/* --- RSA numbers (rsa_key.c) --- */

struct mru_rsa_numbers {
    BIGNUM *part[MRU_PART_QI + 1];
};
void mru_rsa_numbers_free(struct mru_rsa_numbers *numbers);
mereau_status mru_rsa_numbers_read(struct mru_rsa_numbers *numbers,
                                   const struct mru_pkey_parts *parts,
                                   mereau_error *err);
mereau_status mru_rsa_numbers_generate(struct mru_rsa_numbers *numbers,
                                       uint32_t bits, struct mru_rng_box *box,
                                       mereau_error *err);

#endif
