/* tests/fuzz/record.c - stored records: what is read is written again byte for byte,
 * and a row in it is read or refused. The checksum is put behind the input. */
#include <stdlib.h>
#include <string.h>

#include "record/bag.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len) {
    struct mru_bag bag = {0}, again = {0};
    struct mru_buf out = {0}, twice = {0}, json = {0};
    struct mru_buf in = {0};
    mru_buf_add(&in, data, len);
    mru_buf_add_u32(&in, mru_bag_checksum(data, len));
    if (!in.failed && mru_bag_decode(&bag, in.data, in.len) == MEREAU_OK) {
        if (mru_bag_encode(&out, &bag) != 0 ||
            mru_bag_decode(&again, out.data, out.len) != MEREAU_OK ||
            mru_bag_encode(&twice, &again) != 0 || out.len != twice.len ||
            memcmp(out.data, twice.data, out.len) != 0)
            abort();
        (void)mru_bag_print(&json, &bag, NULL);
    }
    mru_buf_free(&in);
    mru_buf_free(&json);
    mru_buf_free(&twice);
    mru_buf_free(&out);
    mru_bag_free(&again);
    mru_bag_free(&bag);
    return 0;
}
