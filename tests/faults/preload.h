/* tests/faults/preload.h - what the preloaded library can do with the calls that
 * this process makes on the files of one folder: record them, so that a power
 * loss at any instant can be played (disk.h), and let chosen ones fail.
 *
 * It stands between SQLite and the C library by LD_PRELOAD, so it sees neither a
 * SQLite that was linked statically nor a program that makes system calls by
 * itself, and it cannot be preloaded before a sanitizer. */
#ifndef TEST_PRELOAD_H
#define TEST_PRELOAD_H

#include <stddef.h>
#include <stdint.h>

/* Kinds of calls, as bits. */
enum {
    IO_WRITE = 1, /* write, pwrite */
    IO_SYNC = 2, /* fsync, fdatasync, of folders too */
    IO_OPEN = 4, /* open, mknod */
    IO_OPEN_TO_WRITE = 8, /* those of them that want to write */
    IO_TRUNCATE = 16,
    IO_UNLINK = 32,
    IO_READ = 64 /* read, pread */
};

struct io_fault {
    uint32_t calls; /* IO_* that count and fail */
    int error; /* errno */
    uint64_t nth; /* the first that fails, from 1; 0: none does */
    uint64_t times; /* how many fail */
    int torn; /* a failing write first writes half */
};

enum io_what {
    IO_DID_WRITE,
    IO_DID_TRUNCATE, /* to offset */
    IO_DID_SYNC,
    IO_DID_SYNC_FOLDER,
    IO_DID_CREATE, /* file under name */
    IO_DID_UNLINK, /* name */
    IO_DID_MARK /* offset: what the test said */
};

struct io_event {
    enum io_what what;
    int file; /* counted from 0 in the order of creation */
    int64_t offset;
    uint8_t *data;
    size_t len;
    char name[32]; /* inside the folder */
};

struct io_api {
    /* Whose files are meant: an absolute path without links. */
    void (*watch)(const char *folder);
    /* From now on; forgets what was recorded. The folder must be empty. Files
     * ending in -shm are memory that processes share, and left out. */
    void (*record)(int on);
    const struct io_event *(*events)(size_t *n);
    void (*mark)(uint32_t what);
    /* Counts calls from here. NULL: no fault. */
    void (*harm)(const struct io_fault *fault);
    uint64_t (*failed)(void); /* how many calls did fail */
    /* SQLite gets synchronous=NORMAL where FULL was asked for. */
    void (*weaken)(int on);
};

/* The preloaded library; the program is started again with it when it is not
 * there. argv: of main. */
const struct io_api *preload(char **argv);

#endif
