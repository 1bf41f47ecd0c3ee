/* lib/engine/list.h - lists that are a part of a range of keys. */
#ifndef MRU_ENGINE_LIST_H
#define MRU_ENGINE_LIST_H

#include "engine.h"

/* As mru_list_page() of engine.h, over the keys of prefix from `from` on and
 * before `to`. row is called for every entry of the page even after it said
 * MRU_MORE, so that what all rows want is read in one get. */
mereau_status mru_list_range(mereau_op *op, const struct mru_rkey *prefix,
                             const struct mru_rkey *from,
                             const struct mru_rkey *to,
                             mereau_status (*row)(mereau_op *op,
                                                  const struct mru_rec *entry));

#endif
