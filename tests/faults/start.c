/* tests/faults/start.c - starts a test again with the preloaded library, on files
 * in memory if nothing else is asked for by TMPDIR. */
#ifndef _GNU_SOURCE
#define _GNU_SOURCE /* RTLD_DEFAULT */
#endif
#include <dlfcn.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "preload.h"

const struct io_api *preload(char **argv) {
    const struct io_api *api = dlsym(RTLD_DEFAULT, "preloaded_io");
    const char *end = strrchr(argv[0], '/');
    char path[512];

    /* Thousands of files; what a sync is worth is played, not tried. */
    if (access("/dev/shm", W_OK | X_OK) == 0)
        setenv("TMPDIR", "/dev/shm", 0);
    if (api != NULL) {
        unsetenv("LD_PRELOAD"); /* not for what the test starts */
        return api;
    }
    snprintf(path, sizeof path, "%.*spreload.so",
             end == NULL ? 0 : (int)(end - argv[0]) + 1, argv[0]);
    if (getenv("LD_PRELOAD") == NULL && access(path, R_OK) == 0) {
        setenv("LD_PRELOAD", path, 1);
        execv(argv[0], argv);
    }
    fprintf(stderr, "%s cannot be preloaded\n", path);
    exit(1);
}
