/* lib/base/bytes.c - the object that results are written to (include/mereau/
 * bytes.h). */
#include "base.h"

mereau_bytes *mereau_bytes_new(void) { return mru_alloc(sizeof(mereau_bytes)); }

void mereau_bytes_free(mereau_bytes *bytes) {
    if (!bytes)
        return;
    mru_buf_free(&bytes->buf);
    mru_free(bytes);
}

const uint8_t *mereau_bytes_data(const mereau_bytes *bytes, size_t *len) {
    static const uint8_t none[1] = {0};
    int filled = bytes && bytes->buf.data && !bytes->buf.failed;
    if (len)
        *len = filled ? bytes->buf.len : 0;
    return filled ? bytes->buf.data : none;
}

const char *mereau_bytes_text(const mereau_bytes *bytes) {
    return (const char *)mereau_bytes_data(bytes, NULL);
}

mereau_status mru_bytes_begin(mereau_bytes *out, mereau_error *err) {
    mereau_status status = mru_error_reset(err);
    if (out)
        mru_buf_reuse(&out->buf);
    if (status != MEREAU_OK)
        return status;
    if (!out)
        return mru_refuse(err, MEREAU_E_NOMEM, NULL, NULL, NULL, NULL);
    return MEREAU_OK;
}
