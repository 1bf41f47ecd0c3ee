/* mereau/mereau.h - libmereau: issue tokens, rotate them, verify them, inside
 * your own program.
 *
 * An app is registered; a registration token is minted for a count of devices
 * and a time; each device redeems it for an auth token of its own, and
 * exchanges that for access and refresh tokens, which rotate; any server
 * verifies the access tokens. The library does no transport, keeps no files,
 * reads no clock: the host brings these.
 *
 * The whole API is three objects, used in one way: make, set, ready or run,
 * read, free.
 *
 *     mereau_ctx       what the host brought; ready, then shared        (ctx.h)
 *     mereau_op        one operation on a tenant: run or stepped        (op.h)
 *     mereau_verifier  whom to trust; ready, then shared; no store      (jwt.h)
 *
 * Rules that hold everywhere
 *  1. Makers and setters do not fail; they keep the first mistake, and ready or
 *     run reports it. A maker returns NULL only without memory, and NULL is
 *     accepted everywhere. One check per object.
 *  2. What can fail returns a mereau_status: 0 done, negative not done. After
 *     failure there is no result: pointers are NULL, numbers MEREAU_UNSET.
 *     error.h explains, to the host only.
 *  3. What is given is copied. What is read is borrowed until its object
 *     changes or is freed. Nothing that the library allocated is freed by the
 *     host's free().
 *  4. const means shareable: any number of threads at once, as long as nobody
 *     uses the object as non-const; then it has one owner. ("Threads: const".)
 *     No globals, no threads, no thread-locals.
 *  5. Times are int64_t Unix seconds (_at) and seconds (_s). 0 is a value,
 *     MEREAU_UNSET is none.
 *  6. Texts are NUL-terminated UTF-8 where C programs write them, pointer and
 *     length where a peer did.
 *  7. Arguments: the object, results, inputs each with its length, numbers, the
 *     error struct (or NULL).
 *  8. Names: mereau_<noun>_<verb>. A field is a bare word (MEREAU_SCOPE), any
 *     other constant begins with its family (MEREAU_E_SCOPE, MEREAU_MAX_SCOPE).
 *
 * Caveats. A verified JWT is good until its exp even when its family has ended:
 * keep access tokens short, or introspect. A restored backup gives counts back:
 * see docs/operations.md. A root key that is lost takes wrapped keys and
 * unfinished retries with it.
 *
 * Status: 0.x; until 1.0 a minor release may change what is here, and
 * CHANGELOG.md says how. */
#ifndef MEREAU_H
#define MEREAU_H

#include <mereau/verify.h>
#include <mereau/host.h>
#include <mereau/ctx.h>
#include <mereau/field.h>
#include <mereau/op.h>
#include <mereau/tenant.h>
#include <mereau/app.h>
#include <mereau/registration.h>
#include <mereau/token.h>
#include <mereau/key.h>
#include <mereau/audit.h>

#endif
