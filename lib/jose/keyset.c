/* lib/jose/keyset.c - the keys that a verifier trusts: keys for signatures only,
 * and of these what it was told to accept. */
#include "keyset.h"

struct mru_keyset *mru_keyset_new(void) {
    struct mru_keyset *set = mru_alloc(sizeof *set);
    if (set)
        set->loaded_at = MEREAU_UNSET;
    return set;
}

void mru_keyset_free(struct mru_keyset *set) {
    if (!set)
        return;
    mru_header_memos_clear(&set->memos);
    mru_jwks_clear(&set->jwks);
    mru_free(set->notices);
    mru_free_wiped(set->texts, set->texts_len);
    mru_free(set);
}

mereau_status mru_keyset_compatible(const struct mru_keyset *a,
                                    const struct mru_keyset *b,
                                    mereau_error *err) {
    if (!a || !b)
        return MEREAU_OK;
    return mru_jwks_compatible(&a->jwks, &b->jwks, err);
}

mereau_status mru_keyset_add(struct mru_keyset *set, mru_key *key,
                             mereau_error *err) {
    if (mru_key_info(key)->use == MRU_USE_SIG)
        return mru_jwks_add(&set->jwks, key, err);
    mru_key_free(key);
    return mru_refuse(err, MEREAU_E_KEY, "key.use", "RFC 7517 4.2",
                      "a key for signatures", "one for encryption");
}

static int algs_allow(const struct mru_algs *algs, int32_t alg) {
    for (size_t i = 0; i < algs->n; i++)
        if (algs->alg[i] == alg)
            return 1;
    return algs->n == 0;
}

/* What the verifier does not accept goes only when all was read, so that a set
 * that mixes kinds or names is refused whatever was chosen from it. */
static mereau_status choose(mereau_jwks *set, const struct mru_algs *algs,
                            mereau_error *err) {
    mereau_jwks chosen = {0};
    mereau_status status = MEREAU_OK;
    if (algs->n == 0)
        return MEREAU_OK;
    for (size_t i = 0; i < set->n && status == MEREAU_OK; i++)
        if (algs_allow(algs, mru_key_alg(set->keys[i])))
            status = mru_jwks_add(&chosen, mru_key_ref(set->keys[i]), err);
    if (status == MEREAU_OK && chosen.n == 0)
        status = mru_refuse(err, MEREAU_E_INCOMPLETE, "jwks.empty",
                            "RFC 7517 5", "a key to verify with", "none");
    chosen.skipped = set->skipped + set->n - chosen.n;
    mru_jwks_clear(set);
    *set = chosen;
    return status;
}

mereau_status mru_keyset_read(struct mru_keyset **out, const char *jwks,
                              size_t len, const struct mru_algs *algs,
                              mereau_error *err) {
    struct mru_keyset *set = mru_keyset_new();
    *out = NULL;
    if (!set)
        return mru_refuse(err, MEREAU_E_NOMEM, NULL, NULL, NULL, NULL);
    mereau_status status = mru_jwks_read(&set->jwks, jwks, len, algs,
                                         MRU_KEY_PUBLIC | MRU_KEY_SECRET, err);
    if (status == MEREAU_OK)
        status = choose(&set->jwks, algs, err);
    if (status != MEREAU_OK)
        mru_keyset_free(set);
    else
        *out = set;
    return status;
}

mereau_status mru_keyset_find(const mru_key **out, const struct mru_keyset *a,
                              const struct mru_keyset *b,
                              const struct mru_jws *jws, mereau_error *err) {
    return mru_jwks_pick(out, a ? &a->jwks : NULL, b ? &b->jwks : NULL,
                         jws->alg, &jws->kid, err);
}
