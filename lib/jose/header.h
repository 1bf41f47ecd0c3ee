/* lib/jose/header.h - writing the protected header of a JWS or JWE: what the
 * library says in it, and what the caller adds. */
#ifndef MRU_JOSE_HEADER_H
#define MRU_JOSE_HEADER_H

#include "key.h"

/* Writes a text (valid UTF-8) as a JSON string: at most 6 bytes for each of its
 * own and 2 more, no NUL. Returns the end. */
char *mru_header_quote(char *out, const char *text);

/* Begins {"alg":... */
void mru_header_begin(struct mru_buf *out, const char *alg);
/* Adds a member: a text (valid UTF-8, escaped here), or a checked JSON value. */
void mru_header_text(struct mru_buf *out, const char *name, const char *text);
void mru_header_json(struct mru_buf *out, const char *name, const char *json);
/* Adds the key's kid, when it was given one. */
void mru_header_kid(struct mru_buf *out, const mru_key *key);

/* Checks what the caller wants in a header: NULL for nothing, or the text of a
 * JSON object. Refused: what the library writes or does not do (alg, enc, crit,
 * b64, zip, epk ...), a kid beside that of the key, a jwk with private members,
 * typ, cty and kid that are no texts, and apu and apv unless `agrees`. rule is
 * "jws.header" or "jwe.header". MEREAU_OK, _ARG, _MALFORMED, _TOO_LONG. */
mereau_status mru_header_check(struct mru_jval *extra, const char *text,
                               const mru_key *key, int agrees, const char *rule,
                               mereau_error *err);
/* Adds the members that were checked, as they are written, and the closing
 * brace. */
void mru_header_end(struct mru_buf *out, const struct mru_jval *extra);

#endif
