/* lib/jose/expect.c - expectations of one request: filled, forgotten, wiped. What
 * they mean for a token is in rules_expect.c. */
#include "expect_int.h"

static void forget(mereau_expect *e) {
    memset(&e->expected, 0, sizeof e->expected);
    e->expected.max_auth_age_s = MEREAU_UNSET;
    e->mistake = MEREAU_OK;
}

mereau_expect *mereau_expect_new(void) {
    mereau_expect *e = mru_alloc(sizeof *e);
    if (e)
        forget(e);
    return e;
}

void mereau_expect_free(mereau_expect *e) {
    if (!e)
        return;
    for (size_t i = 0; i < MRU_EXPECT_TEXTS; i++)
        mru_buf_free(&e->values[i]);
    mru_free(e);
}

void mereau_expect_reset(mereau_expect *e) {
    if (!e)
        return;
    for (size_t i = 0; i < MRU_EXPECT_TEXTS; i++)
        mru_buf_reuse(&e->values[i]);
    forget(e);
}

static void mistake(mereau_expect *e, mereau_status status) {
    if (e->mistake == MEREAU_OK)
        e->mistake = status;
}

void mereau_expect_set(mereau_expect *e, int32_t what, const char *value) {
    size_t len = value ? strlen(value) : 0;
    if (!e)
        return;
    if (what < MEREAU_EXPECT_NONCE || what > MEREAU_EXPECT_CLIENT_ID ||
        len == 0 || len > MEREAU_MAX_TOKEN) {
        mistake(e, MEREAU_E_ARG);
        return;
    }
    struct mru_buf *buf = &e->values[what];
    mru_buf_reuse(buf);
    mru_buf_add(buf, value, len);
    if (buf->failed)
        mistake(e, MEREAU_E_NOMEM);
    else
        e->expected.text[what] = (const char *)buf->data;
}

void mereau_expect_set_int(mereau_expect *e, int32_t what, int64_t value) {
    if (!e)
        return;
    if (what != MEREAU_EXPECT_MAX_AUTH_AGE_S || value < 0)
        mistake(e, MEREAU_E_ARG);
    else
        e->expected.max_auth_age_s = value;
}
