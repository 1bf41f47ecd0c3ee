/* tests/unit/tokens.h - tokens for tests: any header, any payload, signed by a
 * secret or by a key. */
#ifndef TEST_TOKENS_H
#define TEST_TOKENS_H

#include <stddef.h>
#include <stdint.h>

#include "jose/key.h"

/* Of HS256, made for nothing else. */
extern const uint8_t token_secret[32];

/* Header and payload as they are, signed by a key; to be freed. */
char *token_signed(const mru_key *key, const char *header, const char *payload);
/* The same by token_secret. */
char *token_secret_signed(const char *header, const char *payload);
/* The private key of key_texts.h for an algorithm: EC or RSA. */
mru_key *token_key(const char *pem, int32_t alg);

#endif
