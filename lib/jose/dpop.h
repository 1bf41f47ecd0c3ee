/* lib/jose/dpop.h - DPoP proofs (RFC 9449). */
#ifndef MRU_JOSE_DPOP_H
#define MRU_JOSE_DPOP_H

#include "keyset.h"

/* The key in a proof's own header: public, asymmetric, of the header's alg. To be
 * freed. MEREAU_OK, _MALFORMED, _KEY, _ALG, _NOMEM, _CRYPTO. */
mereau_status mru_dpop_key(mru_key **out, const struct mru_jws *jws,
                           mereau_error *err);

/* 1 when two http or https URIs name the same thing once they are normalized
 * (RFC 3986 sections 6.2.2, 6.2.3), without query and fragment; 0 when not, or when
 * one is no such URI (uri.c). */
int mru_uri_same(const char *a, const char *b);
enum { MRU_URI_MAX = 2048 };

#endif
