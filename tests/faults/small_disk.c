/* tests/faults/small_disk.c - see small_disk.h. */
#ifndef _GNU_SOURCE
#define _GNU_SOURCE /* unshare */
#endif
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>
#include <unistd.h>

#include <cmocka.h>

#include "small_disk.h"

/* 0, or -1. */
static int write_to(const char *path, const char *text) {
    int file = open(path, O_WRONLY), failed;
    failed = file < 0 || write(file, text, strlen(text)) < 0;
    close(file);
    return failed ? -1 : 0;
}

/* Mounts of its own; who is not root may have them with a namespace of users, in
 * which it stays who it is. */
static int own_mounts(void) {
    char same[64];
    uid_t uid = getuid();
    gid_t gid = getgid();
    if (unshare(CLONE_NEWNS) == 0)
        return 0;
    if (unshare(CLONE_NEWUSER | CLONE_NEWNS) != 0)
        return -1;
    snprintf(same, sizeof same, "%u %u 1", (unsigned)uid, (unsigned)uid);
    if (write_to("/proc/self/uid_map", same) != 0 ||
        write_to("/proc/self/setgroups", "deny") != 0)
        return -1;
    snprintf(same, sizeof same, "%u %u 1", (unsigned)gid, (unsigned)gid);
    return write_to("/proc/self/gid_map", same);
}

/* From those who had them before. The root of a chroot is no mount, and cannot be
 * told so: there it is left to who made the chroot. */
static int hide_mounts(void) {
    if (mount("none", "/", NULL, MS_REC | MS_PRIVATE, NULL) == 0)
        return 0;
    return errno == EINVAL ? 0 : -1;
}

int small_disk_mount(struct small_disk *disk, unsigned megabytes) {
    const char *before = getenv("TMPDIR");
    char size[32];
    memset(disk, 0, sizeof *disk);
    assert_int_equal(folder_make(&disk->folder), 0);
    snprintf(size, sizeof size, "size=%um", megabytes);
    if (own_mounts() != 0 || hide_mounts() != 0 ||
        mount("tmpfs", disk->folder.path, "tmpfs", 0, size) != 0) {
        folder_remove(&disk->folder);
        return -1;
    }
    snprintf(disk->before, sizeof disk->before, "%s",
             before == NULL ? "" : before);
    setenv("TMPDIR", disk->folder.path, 1);
    return 0;
}

void small_disk_unmount(struct small_disk *disk) {
    if (*disk->before != 0)
        setenv("TMPDIR", disk->before, 1);
    else
        unsetenv("TMPDIR");
    assert_int_equal(umount(disk->folder.path), 0);
    folder_remove(&disk->folder);
}

void small_disk_fill(const char *path, unsigned left) {
    static const char nothing[4096];
    int file = open(path, O_WRONLY | O_CREAT | O_APPEND, 0600);
    off_t len;
    assert_true(file >= 0);
    while (write(file, nothing, sizeof nothing) > 0)
        ;
    assert_int_equal(errno, ENOSPC);
    len = lseek(file, 0, SEEK_END);
    assert_int_equal(ftruncate(file, len > (off_t)left ? len - (off_t)left : 0),
                     0);
    close(file);
}
