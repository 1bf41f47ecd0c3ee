/* lib/crypto/der.h - DER (X.690) as far as keys and certificates need it, and its
 * text form PEM (RFC 7468). Only for the files about keys. */
#ifndef MRU_DER_H
#define MRU_DER_H

#include "pkey.h"

enum {
    MRU_DER_INTEGER = 0x02,
    MRU_DER_BITS = 0x03,
    MRU_DER_OCTETS = 0x04,
    MRU_DER_NULL = 0x05,
    MRU_DER_OID = 0x06,
    MRU_DER_SEQUENCE = 0x30,
    MRU_DER_CONTEXT = 0xa0, /* + n: constructed, of the context */
    MRU_DER_SIMPLE = 0x80 /* + n: primitive, of the context */
};

/* --- reading (der.c): what is left of a text, and one element taken off its
 * front. Lengths are definite and shortest; every function returns 0, or -1 when
 * what it asks for does not stand there (nothing is taken then). --- */

int mru_der_peek(const mereau_slice *in); /* the next tag, or -1 */
int mru_der_take(mereau_slice *in, int tag, mereau_slice *value);
/* Any element; *whole has its tag and length too, and may be NULL. */
int mru_der_skip(mereau_slice *in, mereau_slice *whole);
/* An INTEGER of zero or more, without leading zeros: zero is empty. */
int mru_der_number(mereau_slice *in, mereau_slice *number);
/* A BIT STRING of whole bytes, under that tag. */
int mru_der_bits(mereau_slice *in, int tag, mereau_slice *value);

/* --- writing (der.c) --- */

void mru_der_add(struct mru_buf *out, int tag, const void *data, size_t len);
void mru_der_add_number(struct mru_buf *out, const uint8_t *number, size_t len);
void mru_der_add_bits(struct mru_buf *out, int tag, const void *data,
                      size_t len);

/* --- object identifiers (oid.c): of curves by their MRU_P256 ..., MRU_ED25519
 * being the algorithm as well, and of two more algorithms --- */

enum { MRU_OID_RSA = 101, MRU_OID_EC = 102 };
/* Which one value is; 0 for another. */
int mru_oid_find(const mereau_slice *value);
void mru_oid_add(struct mru_buf *out, int which);

/* --- PEM (pem.c) --- */

/* 1 when a line of it begins a PEM block. */
int mru_pem_is(const uint8_t *data, size_t len);
/* 1 when it has a private key that is encrypted, as PKCS#8 or as RFC 1421. */
int mru_pem_is_encrypted(const uint8_t *data, size_t len);
/* The next block: its label and what it encodes, appended to der. data and len
 * move behind it. 0; 1 when there is none; -1 when one is broken or encrypted;
 * -2 without memory. */
int mru_pem_next(const uint8_t **data, size_t *len, mereau_slice *label,
                 struct mru_buf *der);
void mru_pem_add(struct mru_buf *out, const char *label, const uint8_t *der,
                 size_t len);

#endif
