/* tests/faults/small_disk.h - a file system that can really be full: a tmpfs that
 * this process and its children see, and that goes with them. */
#ifndef TEST_SMALL_DISK_H
#define TEST_SMALL_DISK_H

#include "../store/support.h"

struct small_disk {
    struct folder folder;
    char before[128]; /* TMPDIR */
};

/* Makes one of so many megabytes, to which TMPDIR leads until it is unmounted. 0;
 * -1: this user may not mount, and nothing has changed. */
int small_disk_mount(struct small_disk *disk, unsigned megabytes);
/* When no file in it is open any more. */
void small_disk_unmount(struct small_disk *disk);
/* Makes the file that takes all that is free, but so many bytes; or lets it grow,
 * by what has become free since. */
void small_disk_fill(const char *path, unsigned left);

#endif
