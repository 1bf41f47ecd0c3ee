/* tests/fuzz/json.c - the strict scanner: what it accepts can be walked and read to
 * its end. */
#include <stdlib.h>

#include "json/json.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len);

static void walk_one_level(const struct mru_jval *container) {
    struct mru_jval name, value;
    struct mru_buf text = {0};
    size_t pos = 0, seen = 0;
    int64_t number;
    while (mru_json_next(container, &pos, &name, &value) == 1) {
        seen++;
        (void)mru_json_add_text(&text, &value);
        (void)mru_json_int(&value, &number);
    }
    if (seen != mru_json_count(container))
        abort();
    mru_buf_free(&text);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len) {
    struct mru_jval root;
    mereau_error err = MEREAU_ERROR_INIT;
    if (mru_json_check(&root, data, len, NULL, &err) == MEREAU_OK &&
        (root.kind == 'o' || root.kind == 'a'))
        walk_one_level(&root);
    return 0;
}
