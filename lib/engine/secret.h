/* lib/engine/secret.h - which fields hold what must not be kept or told. */
#ifndef MRU_ENGINE_SECRET_H
#define MRU_ENGINE_SECRET_H

#include <mereau/field.h>

/* 1 for credentials, nonces and keys: no event, kept answer or dry run has
 * them. */
static inline int mru_field_is_secret(int32_t field) {
    return (field >= MEREAU_CLIENT_SECRET && field <= MEREAU_RETRY_NONCE) ||
           field == MEREAU_ID_TOKEN || field == MEREAU_JWK ||
           field == MEREAU_PEM;
}

#endif
