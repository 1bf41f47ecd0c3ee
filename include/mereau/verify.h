/* mereau/verify.h - the verifying half alone: keys, JWTs and what they are made
 * of. A program that only checks (or signs) tokens includes this, links
 * mereau-verify and needs no context, no store and no clock of ours.
 *
 *     mereau_jwk       one key; immutable, shared by counting        (jwk.h)
 *     mereau_jwks      a set of keys                                    (jwk.h)
 *     mereau_jws_..., mereau_jwe_...   signatures and encryption of any bytes
 *                                                             (jws.h, jwe.h)
 *     mereau_verifier  whom to trust; ready, then shared                (jwt.h)
 *     mereau_claims    what a token said; one owner, used again         (claims.h)
 *     mereau_expect    what one request expects; one owner, used again  (expect.h)
 *     mereau_issuers   several trusted issuers; shared                  (issuers.h)
 *
 * The rules of mereau.h hold here too: makers and setters keep the first mistake
 * and ready reports it, const handles are shared by threads, what is given is
 * copied, what is read is borrowed, and after failure there is no result. */
#ifndef MEREAU_VERIFY_H
#define MEREAU_VERIFY_H

#include <mereau/base.h>
#include <mereau/error.h>
#include <mereau/bytes.h>
#include <mereau/system.h>
#include <mereau/json.h>
#include <mereau/jwk.h>
#include <mereau/jws.h>
#include <mereau/jwe.h>
#include <mereau/claims.h>
#include <mereau/expect.h>
#include <mereau/jwt.h>
#include <mereau/issuers.h>

#endif
