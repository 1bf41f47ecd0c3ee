/* lib/crypto/rsa_check.c - which RSA numbers may be a key at all, as far as it
 * can be told from the numbers themselves; the provider proves the rest. */
#include "pkey_int.h"

static mereau_slice shortest(mereau_slice number) {
    while (number.len > 0 && number.data[0] == 0) {
        number.data++;
        number.len--;
    }
    return number;
}

static size_t bits_of(mereau_slice number) {
    number = shortest(number);
    if (number.len == 0)
        return 0;
    size_t bits = 8 * number.len;
    for (uint8_t top = number.data[0]; !(top & 0x80); top = (uint8_t)(top << 1))
        bits--;
    return bits;
}

static int is_odd(mereau_slice number) {
    return number.len > 0 && (number.data[number.len - 1] & 1);
}

static uint32_t modulo(mereau_slice number, uint32_t p) {
    uint32_t rest = 0;
    for (size_t i = 0; i < number.len; i++)
        rest = (rest * 256 + number.data[i]) % p;
    return rest;
}

/* 1 when n is of the form that one faulty chip made (CVE-2017-15361, ROCA): a
 * power of 65537 modulo every small prime; 1 in 2^27 of all others is too. */
static int is_roca(mereau_slice n) {
    static const uint8_t primes[] = {11,  13,  17,  19,  37,  53,  61,
                                     71,  73,  79,  97,  103, 107, 109,
                                     127, 151, 157, 163, 167};
    for (size_t i = 0; i < sizeof primes; i++) {
        uint32_t p = primes[i], power = 1, rest = modulo(n, p), found = 0;
        for (uint32_t k = 0; k < p && !found; k++) {
            found = power == rest;
            power = power * (65537 % p) % p;
        }
        if (!found)
            return 0;
    }
    return 1;
}

static mereau_status check_public(mereau_slice n, mereau_slice e, size_t bits,
                                  mereau_error *err) {
    char found[32];
    mru_say(found, sizeof found, "%zu bits", bits);
    if (bits < MRU_RSA_MIN_BITS || bits > MRU_RSA_MAX_BITS)
        return mru_key_refuse(err, "key.bits", "RFC 7518 3.3",
                              "2048 to 8192 bits", found);
    if (!is_odd(n))
        return mru_key_refuse(err, "key.modulus", "RFC 8017 3.1",
                              "an odd modulus", "an even one");
    if (bits_of(e) < 17 || bits_of(e) > 64 || !is_odd(e))
        return mru_key_refuse(err, "key.exponent", "NIST SP 800-56B 6.2",
                              "an odd exponent of 17 to 64 bits", "another");
    if (is_roca(n))
        return mru_key_refuse(err, "key.modulus", "CVE-2017-15361",
                              "a modulus of independent primes",
                              "one that can be factored (ROCA)");
    return MEREAU_OK;
}

mereau_status mru_rsa_check(const struct mru_pkey_parts *parts, size_t *bits,
                            mereau_error *err) {
    const mereau_slice *p = parts->part;
    int crt = 0;
    *bits = bits_of(p[MRU_PART_N]);
    if (p[MRU_PART_N].len == 0 || p[MRU_PART_E].len == 0)
        return mru_key_refuse(err, "key.modulus", "RFC 7518 6.3.1", "n and e",
                              "one of them empty");
    for (int i = 0; i < MRU_PARTS; i++)
        if (p[i].len > MRU_RSA_MAX)
            return mru_key_refuse(err, "key.bits", NULL, "at most 8192 bits",
                                  "more");
    for (int i = MRU_PART_P; i <= MRU_PART_QI; i++)
        crt += p[i].len > 0;
    /* A JWK gives all five or none; p and q alone are enough as well. */
    if ((crt > 0 && p[MRU_PART_D].len == 0) ||
        (p[MRU_PART_P].len > 0) != (p[MRU_PART_Q].len > 0) ||
        (crt > 2 && crt < 5))
        return mru_key_refuse(err, "key.pair", "RFC 7518 6.3.2",
                              "d, and all or none of p, q, dp, dq, qi",
                              "some of them");
    return check_public(p[MRU_PART_N], p[MRU_PART_E], *bits, err);
}
