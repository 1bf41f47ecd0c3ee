/* tests/fuzz/main.c - runs a fuzz target once for each file that is named, or for
 * what comes in: how AFL++ calls it, and how a crash is looked at without
 * libFuzzer. `make fuzz-files`. */
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

enum { MAX_INPUT = 4 << 20 };

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len);

static int run(FILE *file, const char *name) {
    uint8_t *data = malloc(MAX_INPUT);
    if (data == NULL || file == NULL) {
        fprintf(stderr, "%s: cannot be read\n", name);
        free(data);
        return 1;
    }
    size_t len = fread(data, 1, MAX_INPUT, file);
    /* A copy of exactly that size, so that reading beyond it is seen. */
    uint8_t *exact = malloc(len > 0 ? len : 1);
    if (exact != NULL) {
        for (size_t i = 0; i < len; i++)
            exact[i] = data[i];
        LLVMFuzzerTestOneInput(exact, len);
    }
    free(exact);
    free(data);
    return exact == NULL;
}

int main(int argc, char **argv) {
    int failed = 0;
    if (argc < 2)
        return run(stdin, "standard input");
    for (int i = 1; i < argc; i++) {
        FILE *file = fopen(argv[i], "rb");
        failed |= run(file, argv[i]);
        if (file != NULL)
            fclose(file);
    }
    return failed;
}
