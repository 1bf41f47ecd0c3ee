/* lib/crypto/openssl/pool.c - prepared contexts, lent to one operation at a
 * time. */
#include "ossl.h"

void mru_pool_init(struct mru_pool *pool, void *master,
                   void *(*copy)(const void *), void (*drop)(void *)) {
    pool->master = master;
    pool->copy = copy;
    pool->drop = drop;
    for (size_t i = 0; i < MRU_POOL; i++) {
        atomic_flag_clear(&pool->slot[i].lent);
        pool->slot[i].context = NULL;
    }
}

void mru_pool_free(struct mru_pool *pool) {
    if (!pool->master)
        return;
    for (size_t i = 0; i < MRU_POOL; i++)
        if (pool->slot[i].context)
            pool->drop(pool->slot[i].context);
    pool->drop(pool->master);
    pool->master = NULL;
}

/* A pool belongs to a key that is otherwise never written to. */
static struct mru_pool *writable(const struct mru_pool *pool) {
    return (struct mru_pool *)(uintptr_t)pool;
}

struct mru_loan mru_pool_borrow(const struct mru_pool *pool) {
    struct mru_pool *p = writable(pool);
    struct mru_loan loan = {NULL, -1};
    for (int i = 0; i < MRU_POOL && loan.slot < 0; i++)
        if (!atomic_flag_test_and_set_explicit(&p->slot[i].lent,
                                               memory_order_acquire))
            loan.slot = i;
    if (loan.slot < 0) {
        loan.context = p->copy(p->master);
        return loan;
    }
    if (!p->slot[loan.slot].context)
        p->slot[loan.slot].context = p->copy(p->master);
    loan.context = p->slot[loan.slot].context;
    if (!loan.context)
        mru_pool_return(pool, loan, 1);
    return loan;
}

void mru_pool_return(const struct mru_pool *pool, struct mru_loan loan,
                     int sound) {
    struct mru_pool *p = writable(pool);
    if (loan.slot < 0) {
        if (loan.context)
            p->drop(loan.context);
        return;
    }
    if (!sound && p->slot[loan.slot].context) {
        p->drop(p->slot[loan.slot].context);
        p->slot[loan.slot].context = NULL;
    }
    atomic_flag_clear_explicit(&p->slot[loan.slot].lent, memory_order_release);
}

static void *copy_key_context(const void *master) {
    return EVP_PKEY_CTX_dup(master);
}

static void drop_key_context(void *context) { EVP_PKEY_CTX_free(context); }

int mru_pool_for_key(struct mru_pool *pool, EVP_PKEY *pkey,
                     int (*prepare)(EVP_PKEY_CTX *ctx, const void *arg),
                     const void *arg) {
    EVP_PKEY_CTX *ctx = EVP_PKEY_CTX_new_from_pkey(NULL, pkey, NULL);
    if (!ctx || prepare(ctx, arg) != 1) {
        EVP_PKEY_CTX_free(ctx);
        return -1;
    }
    mru_pool_init(pool, ctx, copy_key_context, drop_key_context);
    return 0;
}
