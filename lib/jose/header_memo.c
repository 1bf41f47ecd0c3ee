/* lib/jose/header_memo.c - headers that were seen to be right. Shared by threads
 * without a lock: a place is filled once, by whoever is first. */
#include "header_memo.h"

/* Characters; a longer one is no header of every day. */
enum { MAX_HEADER = 512 };

struct mru_header_memo {
    const mru_key *key;
    size_t len; /* with the dot behind it */
    char text[];
};

const mru_key *mru_header_memo_find(struct mru_header_memos *memos,
                                    struct mru_jws *jws, const char *token,
                                    size_t len) {
    if (len > MEREAU_MAX_TOKEN)
        return NULL;
    for (size_t i = 0; i < MRU_HEADER_MEMOS; i++) {
        const struct mru_header_memo *memo =
            atomic_load_explicit(&memos->memo[i], memory_order_acquire);
        if (!memo)
            return NULL;
        if (len < memo->len || memcmp(token, memo->text, memo->len) != 0)
            continue;
        const char *dot = memchr(token + memo->len, '.', len - memo->len);
        if (!dot)
            return NULL;
        memset(jws, 0, sizeof *jws);
        jws->token = token;
        jws->form = MRU_JWS_JWT;
        jws->header_len = memo->len - 1;
        jws->signed_len = (size_t)(dot - token);
        jws->sig = dot + 1;
        jws->sig_len = len - jws->signed_len - 1;
        jws->alg = mru_key_alg(memo->key);
        return memo->key;
    }
    return NULL;
}

static struct mru_header_memo *make(const struct mru_jws *jws,
                                    const mru_key *key) {
    size_t len = jws->header_len + 1;
    struct mru_header_memo *memo = mru_alloc(sizeof *memo + len);
    if (!memo)
        return NULL;
    memo->key = key;
    memo->len = len;
    memcpy(memo->text, jws->token, len);
    return memo;
}

void mru_header_memo_keep(struct mru_header_memos *memos,
                          const struct mru_jws *jws, const mru_key *key) {
    struct mru_header_memo *memo = NULL;
    if (jws->header_len > MAX_HEADER ||
        atomic_load(&memos->memo[MRU_HEADER_MEMOS - 1]))
        return;
    memo = make(jws, key);
    for (size_t i = 0; memo && i < MRU_HEADER_MEMOS; i++) {
        struct mru_header_memo *there = NULL;
        if (atomic_compare_exchange_strong(&memos->memo[i], &there, memo))
            return;
        if (there->len == memo->len &&
            memcmp(there->text, memo->text, memo->len) == 0)
            break; /* another thread was faster */
    }
    mru_free(memo);
}

void mru_header_memos_clear(struct mru_header_memos *memos) {
    for (size_t i = 0; i < MRU_HEADER_MEMOS; i++)
        mru_free(atomic_exchange(&memos->memo[i], NULL));
}
