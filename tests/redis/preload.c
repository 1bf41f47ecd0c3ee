/* tests/redis/preload.c - preloaded into a server: its clock is ahead of the real
 * one by as many seconds as stand in the file that MEREAU_CLOCK names. Built as a
 * library of its own. */
#ifndef _GNU_SOURCE
#define _GNU_SOURCE /* gettimeofday, MAP_SHARED */
#endif
#include <fcntl.h>
#include <stdint.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/time.h>
#include <time.h>
#include <unistd.h>

#define EXPORT __attribute__((visibility("default")))

static volatile const int64_t *ahead;

__attribute__((constructor)) static void find_clock(void) {
    const char *path = getenv("MEREAU_CLOCK");
    int file = path == NULL ? -1 : open(path, O_RDONLY);
    void *found = mmap(NULL, sizeof *ahead, PROT_READ, MAP_SHARED, file, 0);
    if (found == MAP_FAILED)
        abort();
    ahead = found;
    close(file);
}

/* The real one by a function that is not replaced here. */
static struct timespec now(void) {
    struct timespec now = {0, 0};
    (void)timespec_get(&now, TIME_UTC);
    now.tv_sec += ahead == NULL ? 0 : (time_t)*ahead;
    return now;
}

EXPORT int gettimeofday(struct timeval *restrict out, void *restrict zone) {
    struct timespec at = now();
    (void)zone;
    out->tv_sec = at.tv_sec;
    out->tv_usec = at.tv_nsec / 1000;
    return 0;
}

EXPORT time_t time(time_t *out) {
    struct timespec at = now();
    if (out != NULL)
        *out = at.tv_sec;
    return at.tv_sec;
}
