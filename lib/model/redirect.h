/* lib/model/redirect.h - redirect URIs: which ones an app may register, and which
 * request goes back to a registered one. Pure: no I/O, nothing is normalised and
 * nothing is decoded, so there is nothing that two parsers could see
 * differently. */
#ifndef MRU_MODEL_REDIRECT_H
#define MRU_MODEL_REDIRECT_H

#include "../base/base.h"

#define MRU_MAX_REDIRECT 1024

/* NULL when a URI may be registered, else what is wrong with it (constant words
 * for mereau_error.found). Allowed are
 *   https://host[:port][/path][?query]
 *   http://127.0.0.1... and http://[::1]...   the loopback literals only
 *   com.example.app:/path                     native apps only, with a dot
 * in ASCII, without user info, fragment, wildcard, dot segments, encoded control
 * characters. Source: RFC 6749 section 3.1.2, RFC 8252 sections 7.1, 7.3, 8.3,
 * RFC 9700 section 4.1. */
const char *mru_redirect_problem(const char *uri, size_t len, int native);

/* 1 when a requested URI is the registered one: byte for byte, or, with one of the
 * loopback literals over http, in all but the port. Source: RFC 9700 section
 * 4.1.3, RFC 8252 section 7.3. */
int mru_redirect_match(const char *registered, size_t registered_len,
                       const char *requested, size_t requested_len);

#endif
