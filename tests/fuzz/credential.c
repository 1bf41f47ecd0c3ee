/* tests/fuzz/credential.c - credentials as strangers send them: what is read as one
 * is printed as the same text; and redirect URIs, which strangers send likewise. */
#include <stdlib.h>
#include <string.h>

#include "credential/credential.h"
#include "model/redirect.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len) {
    struct mru_cred cred = {0};
    char text[MRU_CRED_MAX];
    mereau_error err = MEREAU_ERROR_INIT;
    const char *given = (const char *)data;
    (void)mru_cred_kind(given, len);
    if (mru_cred_parse(&cred, 0, given, len, &err) == MEREAU_OK) {
        size_t printed = mru_cred_print(text, &cred);
        if (printed != len || memcmp(text, given, len) != 0)
            abort();
    }
    (void)mru_redirect_problem(given, len, 0);
    (void)mru_redirect_problem(given, len, 1);
    return 0;
}
