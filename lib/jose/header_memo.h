/* lib/jose/header_memo.h - headers that were seen to be right with a key set. The
 * tokens of one key nearly all begin with the same characters; what was found out
 * about them once, form, alg, typ and which key, need not be found out again. */
#ifndef MRU_JOSE_HEADER_MEMO_H
#define MRU_JOSE_HEADER_MEMO_H

#include <stdatomic.h>

#include "jws.h"

struct mru_header_memo;

/* The first few headers of a set; written once each, then only read. */
enum { MRU_HEADER_MEMOS = 4 };
struct mru_header_memos {
    _Atomic(struct mru_header_memo *) memo[MRU_HEADER_MEMOS];
};

/* When the token begins with a known header: the key, and *jws as mru_jws_read fills
 * it but for header, typ and kid. The other segments are not looked at: decoding
 * them will tell. NULL: unknown. */
const mru_key *mru_header_memo_find(struct mru_header_memos *memos,
                                    struct mru_jws *jws, const char *token,
                                    size_t len);
/* Remembers the header of a token that passed every check, and its key, which must
 * live as long as the memos. Without room or memory: nothing. */
void mru_header_memo_keep(struct mru_header_memos *memos,
                          const struct mru_jws *jws, const mru_key *key);
void mru_header_memos_clear(struct mru_header_memos *memos);

#endif
