/* lib/base/need.c - the form of a commit, the same for every store. */
#include "need.h"

static int has_meaning(const mereau_write *write) {
    int absent = write->expect == MEREAU_VERSION_ABSENT;
    int any = write->expect == MEREAU_VERSION_ANY;
    uint64_t version = write->record.version;
    switch (write->kind) {
    case MEREAU_WRITE_PUT:
        return version != MEREAU_VERSION_ABSENT &&
               version != MEREAU_VERSION_ANY;
    case MEREAU_WRITE_DELETE:
        return !absent;
    case MEREAU_WRITE_CHECK:
        return !absent && !any;
    default:
        return 0;
    }
}

int32_t mru_writes_allowed(const mereau_need *need) {
    if (need->n_writes > MEREAU_MAX_WRITES)
        return MEREAU_STORE_LIMIT;
    for (size_t i = 0; i < need->n_writes; i++) {
        const mereau_record *record = &need->writes[i].record;
        if (record->key_len == 0 || record->key_len > MEREAU_MAX_KEY ||
            record->value_len > MEREAU_MAX_VALUE)
            return MEREAU_STORE_LIMIT;
        if (!has_meaning(&need->writes[i]))
            return MEREAU_STORE_UNSUPPORTED;
    }
    return MEREAU_STORE_OK;
}
