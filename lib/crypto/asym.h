/* lib/crypto/asym.h - the two kinds of asymmetric keys behind pkey.h. */
#ifndef MRU_ASYM_H
#define MRU_ASYM_H

#include "mbed.h"
#include "pkey.h"

struct mru_rsa;

/* Read only once made, tables and all. */
struct mru_ec {
    mbedtls_ecp_group grp;
    mbedtls_ecp_group q_grp; /* the same curve with q in place of G */
    mbedtls_ecp_point q;
    mbedtls_mpi d;
    int is_private;
};
/* Serves where the provider wants to blind numbers that everybody knows. */
int mru_ec_no_blinding(void *unused, unsigned char *out, size_t len);

struct mru_pkey {
    const struct mru_alg *alg;
    struct mru_rsa *rsa; /* one of the two */
    struct mru_ec *ec;
};

/* Reasons for refusing a key, all MEREAU_E_KEY. */
mereau_status mru_key_refuse(mereau_error *err, const char *rule,
                             const char *source, const char *wanted,
                             const char *found);

mereau_status mru_rsa_make(struct mru_rsa **out, const struct mru_alg *alg,
                           const struct mru_pkey_parts *parts,
                           mereau_error *err);
mereau_status mru_rsa_generate(struct mru_rsa **out, const struct mru_alg *alg,
                               struct mru_rng_box *box, mereau_error *err);
void mru_rsa_free(struct mru_rsa *rsa);
int mru_rsa_is_private(const struct mru_rsa *rsa);
size_t mru_rsa_len(const struct mru_rsa *rsa);
int mru_rsa_part(const struct mru_rsa *rsa, int part, uint8_t *out, size_t cap,
                 size_t *len);
mereau_status mru_rsa_sign(const struct mru_rsa *rsa, const struct mru_alg *alg,
                           const uint8_t *digest, struct mru_rng_box *box,
                           uint8_t *sig);
mereau_status mru_rsa_verify(const struct mru_rsa *rsa,
                             const struct mru_alg *alg, const uint8_t *digest,
                             const uint8_t *sig);

mereau_status mru_ec_make(struct mru_ec **out, const struct mru_alg *alg,
                          const struct mru_pkey_parts *parts,
                          mereau_error *err);
mereau_status mru_ec_generate(struct mru_ec **out, const struct mru_alg *alg,
                              struct mru_rng_box *box, mereau_error *err);
void mru_ec_free(struct mru_ec *ec);
int mru_ec_is_private(const struct mru_ec *ec);
int mru_ec_part(const struct mru_ec *ec, const struct mru_alg *alg, int part,
                uint8_t *out, size_t cap, size_t *len);
mereau_status mru_ec_sign(const struct mru_ec *ec, const struct mru_alg *alg,
                          const uint8_t *digest, struct mru_rng_box *box,
                          uint8_t *sig);
mereau_status mru_ec_verify(const struct mru_ec *ec, const struct mru_alg *alg,
                            const uint8_t *digest, const uint8_t *sig);

#endif
