/* lib/base/need.h - what every store that comes with the library asks of a commit
 * before it looks at its records. */
#ifndef MRU_NEED_H
#define MRU_NEED_H

#include <mereau/host.h>

/* Whether the contract knows these writes (include/mereau/host.h): MEREAU_STORE_OK,
 * _LIMIT for too many or too long ones, _UNSUPPORTED for kinds, expectations and
 * versions without a meaning. */
int32_t mru_writes_allowed(const mereau_need *need);

#endif
