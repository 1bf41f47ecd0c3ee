/* tests/faults/disk.h - a disk that loses power: plays a recording up to an
 * instant and writes down what may be found then. What was synced is there. Of
 * what was not, each write, each change of a length and each name is there or not,
 * independently of all others; a write also in part, by sectors of 512 bytes. */
#ifndef TEST_DISK_H
#define TEST_DISK_H

#include "preload.h"

struct disk;

/* lies: a disk that says "synced" and did nothing. NULL without memory. */
struct disk *disk_new(const struct io_event *events, size_t n, int lies);
void disk_free(struct disk *disk);
/* Goes on to the next event, which is returned; NULL at the end. */
const struct io_event *disk_step(struct disk *disk);
/* One of the images that are possible now, into an empty folder. 0, or -1. */
int disk_image(const struct disk *disk, uint64_t seed, const char *folder);

/* splitmix64: the next number after *state. */
uint64_t next_random(uint64_t *state);

#endif
