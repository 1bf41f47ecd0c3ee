/* lib/crypto/openssl/rsa_key.c - the numbers of RSA keys: proved to belong
 * together, completed, drawn. Nothing else of OpenSSL proves what a stranger's key
 * must prove here (FIPS 186-5 A.1, SP 800-56B 6.4). */
#include "ossl.h"

/* What is worked with. Every number is cleared when it is freed. */
struct work {
    BN_CTX *ctx;
    BIGNUM *p1, *q1; /* p - 1, q - 1 */
    BIGNUM *a, *b, *c;
};

static int work_begin(struct work *w) {
    w->ctx = BN_CTX_secure_new();
    if (!w->ctx)
        return 0;
    BN_CTX_start(w->ctx);
    w->p1 = BN_CTX_get(w->ctx);
    w->q1 = BN_CTX_get(w->ctx);
    w->a = BN_CTX_get(w->ctx);
    w->b = BN_CTX_get(w->ctx);
    w->c = BN_CTX_get(w->ctx); /* NULL when any of them is */
    return w->c != NULL;
}

static void work_end(struct work *w) {
    if (!w->ctx)
        return;
    BIGNUM *numbers[] = {w->p1, w->q1, w->a, w->b, w->c};
    for (size_t i = 0; i < sizeof numbers / sizeof numbers[0]; i++)
        if (numbers[i])
            BN_clear(numbers[i]);
    BN_CTX_end(w->ctx);
    BN_CTX_free(w->ctx);
}

void mru_rsa_numbers_free(struct mru_rsa_numbers *numbers) {
    for (int i = 0; i <= MRU_PART_QI; i++) {
        BN_clear_free(numbers->part[i]);
        numbers->part[i] = NULL;
    }
}

/* --- proof and completion ---
 * Answers: 1 proved, 0 the numbers do not belong together, -1 OpenSSL failed. */

/* p and q of a key that came with n, e and d only: e d - 1 is a multiple of the
 * order of every g, so a root of 1 that is neither 1 nor -1 soon turns up, and
 * gives a factor (SP 800-56B appendix C). */
static int factor(struct mru_rsa_numbers *k, struct work *w) {
    static const BN_ULONG bases[] = {2,  3,  5,  7,  11, 13, 17, 19,
                                     23, 29, 31, 37, 41, 43, 47, 53};
    BIGNUM *n = k->part[MRU_PART_N], **p = &k->part[MRU_PART_P],
           **q = &k->part[MRU_PART_Q], *power = w->c;
    if (!BN_mul(w->a, k->part[MRU_PART_E], k->part[MRU_PART_D], w->ctx) ||
        !BN_sub_word(w->a, 1))
        return -1;
    if (BN_is_odd(w->a) || BN_is_zero(w->a))
        return 0;
    int halvings = 0;
    while (!BN_is_bit_set(w->a, halvings))
        halvings++;
    if (!BN_rshift(power, w->a, halvings))
        return -1;
    BN_set_flags(power, BN_FLG_CONSTTIME);
    for (size_t i = 0; i < sizeof bases / sizeof bases[0]; i++) {
        if (!BN_set_word(w->b, bases[i]) ||
            !BN_mod_exp(w->a, w->b, power, n, w->ctx))
            return -1;
        for (int j = 0; j < halvings; j++) {
            if (!BN_add_word(w->a, 1))
                return -1;
            int trivial = BN_cmp(w->a, n) == 0; /* it was -1 */
            if (!BN_sub_word(w->a, 1))
                return -1;
            if (trivial || BN_is_one(w->a))
                break;
            /* b = a^2: 1 when a is the root that is looked for. */
            if (!BN_mod_sqr(w->b, w->a, n, w->ctx))
                return -1;
            if (!BN_is_one(w->b)) {
                BN_swap(w->a, w->b);
                continue;
            }
            *p = BN_new();
            *q = BN_new();
            return *p && *q && BN_sub_word(w->a, 1) &&
                           BN_gcd(*p, w->a, n, w->ctx) &&
                           BN_div(*q, NULL, n, *p, w->ctx)
                       ? 1
                       : -1;
        }
    }
    return 0;
}

/* w->p1 and w->q1, and that n = p q with odd factors above 1. */
static int check_factors(const struct mru_rsa_numbers *k, struct work *w) {
    BIGNUM *p = k->part[MRU_PART_P], *q = k->part[MRU_PART_Q];
    if (!BN_is_odd(p) || !BN_is_odd(q) || BN_is_one(p) || BN_is_one(q))
        return 0;
    BN_set_flags(p, BN_FLG_CONSTTIME);
    BN_set_flags(q, BN_FLG_CONSTTIME);
    if (!BN_mul(w->a, p, q, w->ctx) || !BN_copy(w->p1, p) ||
        !BN_copy(w->q1, q) || !BN_sub_word(w->p1, 1) || !BN_sub_word(w->q1, 1))
        return -1;
    return BN_cmp(w->a, k->part[MRU_PART_N]) == 0;
}

/* 1 < d < n and e d = 1 modulo p - 1 and q - 1. */
static int check_d(const struct mru_rsa_numbers *k, struct work *w) {
    const BIGNUM *d = k->part[MRU_PART_D];
    BIGNUM *less[2] = {w->p1, w->q1};
    if (BN_is_zero(d) || BN_is_one(d) || BN_cmp(d, k->part[MRU_PART_N]) >= 0)
        return 0;
    for (int i = 0; i < 2; i++) {
        if (!BN_mod_mul(w->a, k->part[MRU_PART_E], d, less[i], w->ctx))
            return -1;
        if (!BN_is_one(w->a))
            return 0;
    }
    return 1;
}

/* number becomes what it must be; one that was given must be that already. */
static int settle(BIGNUM **number, const BIGNUM *wanted) {
    if (*number)
        return BN_cmp(*number, wanted) == 0;
    *number = BN_dup(wanted);
    return *number ? 1 : -1;
}

static int settle_crt(struct mru_rsa_numbers *k, struct work *w) {
    BIGNUM *d = k->part[MRU_PART_D], *p = k->part[MRU_PART_P],
           *q = k->part[MRU_PART_Q];
    BN_set_flags(d, BN_FLG_CONSTTIME);
    if (!BN_mod(w->a, d, w->p1, w->ctx) || !BN_mod(w->b, d, w->q1, w->ctx))
        return -1;
    int is = settle(&k->part[MRU_PART_DP], w->a);
    if (is == 1)
        is = settle(&k->part[MRU_PART_DQ], w->b);
    if (is != 1)
        return is;
    if (!BN_gcd(w->a, p, q, w->ctx))
        return -1;
    if (!BN_is_one(w->a))
        return 0; /* p = q, or worse */
    if (!BN_mod_inverse(w->a, q, p, w->ctx))
        return -1;
    return settle(&k->part[MRU_PART_QI], w->a);
}

static mereau_status prove(struct mru_rsa_numbers *k, mereau_error *err) {
    struct work w = {0};
    int is = work_begin(&w) ? 1 : -1;
    if (is == 1 && !k->part[MRU_PART_P])
        is = factor(k, &w);
    if (is == 1)
        is = check_factors(k, &w);
    if (is == 1)
        is = check_d(k, &w);
    if (is == 1)
        is = settle_crt(k, &w);
    work_end(&w);
    if (is == 0)
        return mru_key_refuse(err, "key.pair", "RFC 7518 6.3.2",
                              "private numbers of this public key", "others");
    return is == 1 ? MEREAU_OK : mru_ossl_refuse(err, "key.numbers");
}

mereau_status mru_rsa_numbers_read(struct mru_rsa_numbers *numbers,
                                   const struct mru_pkey_parts *parts,
                                   mereau_error *err) {
    for (int i = MRU_PART_N; i <= MRU_PART_QI; i++) {
        const mereau_slice *part = &parts->part[i];
        if (part->len == 0)
            continue;
        numbers->part[i] = BN_bin2bn(part->data, (int)part->len, NULL);
        if (!numbers->part[i])
            return mru_ossl_refuse(err, "key.numbers");
    }
    return numbers->part[MRU_PART_D] ? prove(numbers, err) : MEREAU_OK;
}

/* --- drawing --- */

/* A prime of exactly that many bits with its two highest set, so that the product
 * of two has all of theirs, and p - 1 prime to e, which is prime itself. Each
 * candidate is drawn anew: 1, or -1. */
static int draw_prime(BIGNUM *p, const BIGNUM *e, uint32_t bits,
                      struct mru_rng_box *box, struct work *w) {
    uint8_t bytes[MRU_RSA_MAX / 2 + 1];
    const size_t len = (bits + 7) / 8;
    const int high = (int)bits - 1;
    int is = 0;
    while (is == 0) {
        if (mru_rng_draw(box, bytes, len) != 0) {
            is = -1;
            break;
        }
        bytes[0] |= 0x80; /* so that there is enough to cut off */
        if (!BN_bin2bn(bytes, (int)len, p) ||
            (len * 8 > bits && !BN_mask_bits(p, (int)bits)) ||
            !BN_set_bit(p, high) || !BN_set_bit(p, high - 1) ||
            !BN_set_bit(p, 0) || !BN_copy(w->a, p) || !BN_sub_word(w->a, 1) ||
            !BN_mod(w->b, w->a, e, w->ctx))
            is = -1;
        else if (!BN_is_zero(w->b))
            is = BN_check_prime(p, w->ctx, NULL);
    }
    mru_wipe(bytes, sizeof bytes);
    return is;
}

/* 1 when |p - q| > 2^(bits / 2 - 100), as FIPS 186-5 A.1.3 asks. */
static int far_apart(const BIGNUM *p, const BIGNUM *q, uint32_t bits,
                     struct work *w) {
    if (!BN_sub(w->a, p, q))
        return -1;
    return BN_num_bits(w->a) > (int)(bits / 2 - 100);
}

/* d = 1/e modulo lcm(p - 1, q - 1), which is more than 2^(bits / 2) but for one
 * key in as many. */
static int find_d(struct mru_rsa_numbers *k, struct work *w) {
    BN_set_flags(w->c, BN_FLG_CONSTTIME);
    if (!BN_copy(w->p1, k->part[MRU_PART_P]) || !BN_sub_word(w->p1, 1) ||
        !BN_copy(w->q1, k->part[MRU_PART_Q]) || !BN_sub_word(w->q1, 1) ||
        !BN_gcd(w->a, w->p1, w->q1, w->ctx) ||
        !BN_mul(w->b, w->p1, w->q1, w->ctx) ||
        !BN_div(w->c, NULL, w->b, w->a, w->ctx) ||
        !BN_mod_inverse(k->part[MRU_PART_D], k->part[MRU_PART_E], w->c, w->ctx))
        return -1;
    return 1;
}

static int draw_numbers(struct mru_rsa_numbers *k, uint32_t bits,
                        struct mru_rng_box *box, struct work *w) {
    for (int i = MRU_PART_N; i <= MRU_PART_Q; i++)
        if (!(k->part[i] = BN_new()))
            return -1;
    BIGNUM *e = k->part[MRU_PART_E], *p = k->part[MRU_PART_P],
           *q = k->part[MRU_PART_Q];
    if (!BN_set_word(e, 65537))
        return -1;
    int is = draw_prime(p, e, (bits + 1) / 2, box, w);
    int apart = 0;
    while (is == 1 && !apart) {
        is = draw_prime(q, e, bits / 2, box, w);
        if (is == 1 && (apart = far_apart(p, q, bits, w)) < 0)
            is = -1;
    }
    if (is == 1 && !BN_mul(k->part[MRU_PART_N], p, q, w->ctx))
        is = -1;
    return is == 1 ? find_d(k, w) : is;
}

mereau_status mru_rsa_numbers_generate(struct mru_rsa_numbers *numbers,
                                       uint32_t bits, struct mru_rng_box *box,
                                       mereau_error *err) {
    struct work w = {0};
    int is = work_begin(&w) ? draw_numbers(numbers, bits, box, &w) : -1;
    work_end(&w);
    if (box->code != 0)
        return mru_refuse_host(err, MEREAU_E_RANDOM, box->code, "key.random",
                               NULL, NULL);
    return is == 1 ? prove(numbers, err) : mru_ossl_refuse(err, "key.generate");
}
