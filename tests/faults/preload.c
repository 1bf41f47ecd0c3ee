/* tests/faults/preload.c - see preload.h. Built as a library of its own. Whatever
 * concerns a file of the watched folder goes through one lock, so the recording has
 * the order in which things were done. */
#undef _FORTIFY_SOURCE
#ifndef _GNU_SOURCE
#define _GNU_SOURCE /* RTLD_NEXT, the names that end in 64 */
#endif
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "preload.h"

#define EXPORT __attribute__((visibility("default")))

enum { MAX_FD = 1024, MAX_NAMES = 16, NONE = -1, FOLDER = -2, UNRECORDED = -3 };

static struct {
    pthread_mutex_t lock;
    char folder[256];
    size_t folder_len;
    int file_of[MAX_FD]; /* plus one; 0: not ours */
    struct {
        char name[32];
        int file;
    } names[MAX_NAMES];
    int n_files;
    int recording;
    struct io_event *events;
    size_t n_events, cap_events;
    struct io_fault fault;
    uint64_t counted, failed;
    int weak;
} io = {.lock = PTHREAD_MUTEX_INITIALIZER};

/* The function that this library stands in front of. */
static void *real(const char *name) {
    void *found = dlsym(RTLD_NEXT, name);
    if (found == NULL) {
        fprintf(stderr, "preload: no %s behind me\n", name);
        abort();
    }
    return found;
}

/* ISO C knows no cast between these two kinds of pointers; POSIX does. */
#define REAL(type, name)                                                       \
    static __typeof__(type) behind;                                            \
    if (behind == NULL)                                                        \
    *(void **)&behind = real(name)

/* --- which file --- */

/* Its name inside the folder, "" for the folder itself, NULL for others. */
static const char *inside(const char *path) {
    if (io.folder_len == 0 || strncmp(path, io.folder, io.folder_len) != 0)
        return NULL;
    path += io.folder_len;
    if (*path == 0)
        return path;
    return *path == '/' ? path + 1 : NULL;
}

static int is_recorded(const char *name) {
    size_t len = strlen(name);
    return len < 4 || strcmp(name + len - 4, "-shm") != 0;
}

static int slot_of(const char *name) {
    for (int i = 0; i < MAX_NAMES; i++)
        if (strcmp(io.names[i].name, name) == 0)
            return i;
    return NONE;
}

static int file_of_fd(int fd) {
    return fd >= 0 && fd < MAX_FD ? io.file_of[fd] - 1 : NONE;
}

/* --- recording --- */

static struct io_event *note(enum io_what what, int file) {
    struct io_event *event;
    if (!io.recording || file == UNRECORDED)
        return NULL;
    if (io.n_events == io.cap_events) {
        io.cap_events = io.cap_events * 2 + 1024;
        io.events = realloc(io.events, io.cap_events * sizeof *io.events);
        if (io.events == NULL)
            abort();
    }
    event = &io.events[io.n_events++];
    memset(event, 0, sizeof *event);
    event->what = what;
    event->file = file;
    return event;
}

static void note_write(int file, int64_t offset, const void *data, size_t len) {
    struct io_event *event = note(IO_DID_WRITE, file);
    if (event == NULL)
        return;
    event->offset = offset;
    event->len = len;
    event->data = malloc(len + 1);
    if (event->data == NULL)
        abort();
    memcpy(event->data, data, len);
}

static void note_name(enum io_what what, int file, const char *name) {
    struct io_event *event = note(what, file);
    if (event != NULL)
        snprintf(event->name, sizeof event->name, "%s", name);
}

/* A file that is there now; created: it was not. */
static int bind(const char *name, int created) {
    int slot = slot_of(name);
    if (!is_recorded(name))
        return UNRECORDED;
    if (created || slot == NONE) {
        if (slot == NONE)
            slot = slot_of("");
        if (slot == NONE)
            abort();
        snprintf(io.names[slot].name, sizeof io.names[slot].name, "%s", name);
        io.names[slot].file = io.n_files++;
        note_name(IO_DID_CREATE, io.names[slot].file, name);
    }
    return io.names[slot].file;
}

/* --- failing --- */

/* With the lock taken: whether this call is to fail. */
static int fails(uint32_t kinds) {
    if (io.fault.nth == 0 || (io.fault.calls & kinds) == 0)
        return 0;
    io.counted++;
    if (io.counted < io.fault.nth ||
        io.counted - io.fault.nth >= io.fault.times)
        return 0;
    io.failed++;
    errno = io.fault.error;
    return 1;
}

/* --- the calls --- */

typedef int (*open_fn)(const char *, int, ...);
typedef ssize_t (*pwrite_fn)(int, const void *, size_t, off64_t);

static int opened(open_fn behind, const char *path, int flags, mode_t mode) {
    const char *name;
    int fd, there;
    uint32_t kinds = IO_OPEN;

    if ((flags & O_ACCMODE) != O_RDONLY)
        kinds |= IO_OPEN_TO_WRITE;
    pthread_mutex_lock(&io.lock);
    name = inside(path);
    if (name != NULL && fails(kinds)) {
        pthread_mutex_unlock(&io.lock);
        return -1;
    }
    there = access(path, F_OK) == 0;
    fd = behind(path, flags, mode);
    if (fd >= 0 && fd < MAX_FD) {
        int file = NONE;
        if (name != NULL)
            file = *name == 0 ? FOLDER : bind(name, !there);
        io.file_of[fd] = name != NULL ? file + 1 : 0;
        /* FOLDER + 1 and UNRECORDED + 1 are below 0: not "not ours" */
        if (name != NULL && *name != 0 && there && (flags & O_TRUNC) != 0)
            note(IO_DID_TRUNCATE, file);
    }
    pthread_mutex_unlock(&io.lock);
    return fd;
}

#define OPEN(name, as)                                                         \
    EXPORT int name(const char *path, int flags, ...) {                        \
        mode_t mode = 0;                                                       \
        REAL(open_fn, as);                                                     \
        if ((flags & (O_CREAT | O_TMPFILE)) != 0) {                            \
            va_list args;                                                      \
            va_start(args, flags);                                             \
            mode = (mode_t)va_arg(args, int);                                  \
            va_end(args);                                                      \
        }                                                                      \
        return opened(behind, path, flags, mode);                              \
    }
OPEN(open, "open")
OPEN(open64, "open64")

EXPORT int mknod(const char *path, mode_t mode, dev_t dev) {
    const char *name;
    int result = -1;
    REAL(int (*)(const char *, mode_t, dev_t), "mknod");
    pthread_mutex_lock(&io.lock);
    name = inside(path);
    if (name == NULL || !fails(IO_OPEN | IO_OPEN_TO_WRITE)) {
        result = behind(path, mode, dev);
        if (result == 0 && name != NULL && *name != 0)
            (void)bind(name, 1);
    }
    pthread_mutex_unlock(&io.lock);
    return result;
}

EXPORT int close(int fd) {
    int result;
    REAL(int (*)(int), "close");
    pthread_mutex_lock(&io.lock);
    if (fd >= 0 && fd < MAX_FD)
        io.file_of[fd] = 0;
    result = behind(fd);
    pthread_mutex_unlock(&io.lock);
    return result;
}

/* Behind a lock: a recording has each write whole. */
static ssize_t written(pwrite_fn behind, int fd, const void *data, size_t len,
                       off64_t offset) {
    ssize_t result = -1;
    pthread_mutex_lock(&io.lock);
    int file = file_of_fd(fd);
    int failing = file != NONE && fails(IO_WRITE);
    if (failing && io.fault.torn)
        len /= 2;
    if (!failing || (io.fault.torn && len > 0)) {
        int error = errno;
        result = behind(fd, data, len, offset);
        if (file != NONE && result > 0)
            note_write(file, offset, data, (size_t)result);
        if (failing) {
            result = -1;
            errno = error;
        }
    }
    pthread_mutex_unlock(&io.lock);
    return result;
}

EXPORT ssize_t pwrite64(int fd, const void *data, size_t len, off64_t offset) {
    REAL(pwrite_fn, "pwrite64");
    return written(behind, fd, data, len, offset);
}

EXPORT ssize_t pwrite(int fd, const void *data, size_t len, off_t offset) {
    REAL(pwrite_fn, "pwrite64");
    return written(behind, fd, data, len, offset);
}

EXPORT ssize_t write(int fd, const void *data, size_t len) {
    int ours;
    ssize_t result;
    REAL(ssize_t(*)(int, const void *, size_t), "write");
    pthread_mutex_lock(&io.lock);
    ours = file_of_fd(fd) != NONE;
    pthread_mutex_unlock(&io.lock);
    if (!ours)
        return behind(fd, data, len);
    off64_t at = lseek64(fd, 0, SEEK_CUR);
    result = pwrite64(fd, data, len, at);
    if (result > 0)
        (void)lseek64(fd, result, SEEK_CUR);
    return result;
}

static int truncated(int (*behind)(int, off64_t), int fd, off64_t len) {
    int result = -1;
    pthread_mutex_lock(&io.lock);
    int file = file_of_fd(fd);
    if (file == NONE || !fails(IO_TRUNCATE)) {
        result = behind(fd, len);
        if (result == 0 && file != NONE) {
            struct io_event *event = note(IO_DID_TRUNCATE, file);
            if (event != NULL)
                event->offset = len;
        }
    }
    pthread_mutex_unlock(&io.lock);
    return result;
}

EXPORT int ftruncate64(int fd, off64_t len) {
    REAL(int (*)(int, off64_t), "ftruncate64");
    return truncated(behind, fd, len);
}

EXPORT int ftruncate(int fd, off_t len) {
    REAL(int (*)(int, off64_t), "ftruncate64");
    return truncated(behind, fd, len);
}

/* A sync covers what was recorded before it: the lock is held during it. */
static int synced(int (*behind)(int), int fd) {
    int result = -1;
    pthread_mutex_lock(&io.lock);
    int file = file_of_fd(fd);
    if (file == NONE || !fails(IO_SYNC)) {
        result = behind(fd);
        if (result == 0 && file != NONE)
            note(file == FOLDER ? IO_DID_SYNC_FOLDER : IO_DID_SYNC, file);
    }
    pthread_mutex_unlock(&io.lock);
    return result;
}

EXPORT int fsync(int fd) {
    REAL(int (*)(int), "fsync");
    return synced(behind, fd);
}

EXPORT int fdatasync(int fd) {
    REAL(int (*)(int), "fdatasync");
    return synced(behind, fd);
}

EXPORT int unlink(const char *path) {
    const char *name;
    int result = -1;
    REAL(int (*)(const char *), "unlink");
    pthread_mutex_lock(&io.lock);
    name = inside(path);
    if (name == NULL || !fails(IO_UNLINK)) {
        result = behind(path);
        if (result == 0 && name != NULL && is_recorded(name)) {
            int slot = slot_of(name);
            if (slot != NONE)
                io.names[slot].name[0] = 0;
            note_name(IO_DID_UNLINK, 0, name);
        }
    }
    pthread_mutex_unlock(&io.lock);
    return result;
}

static int read_fails(int fd) {
    int failing;
    pthread_mutex_lock(&io.lock);
    failing = file_of_fd(fd) != NONE && fails(IO_READ);
    pthread_mutex_unlock(&io.lock);
    return failing;
}

EXPORT ssize_t read(int fd, void *out, size_t len) {
    REAL(ssize_t(*)(int, void *, size_t), "read");
    return read_fails(fd) ? -1 : behind(fd, out, len);
}

EXPORT ssize_t pread64(int fd, void *out, size_t len, off64_t offset) {
    REAL(ssize_t(*)(int, void *, size_t, off64_t), "pread64");
    return read_fails(fd) ? -1 : behind(fd, out, len, offset);
}

EXPORT ssize_t pread(int fd, void *out, size_t len, off_t offset) {
    return pread64(fd, out, len, offset);
}

EXPORT int sqlite3_exec(void *db, const char *sql,
                        int (*row)(void *, int, char **, char **), void *arg,
                        char **text) {
    static const char full[] = "synchronous=FULL",
                      normal[] = "synchronous=NORMAL";
    const char *at = sql == NULL || !io.weak ? NULL : strstr(sql, full);
    char other[1024];
    REAL(int (*)(void *, const char *, int (*)(void *, int, char **, char **),
                 void *, char **),
         "sqlite3_exec");
    if (at != NULL) {
        snprintf(other, sizeof other, "%.*s%s%s", (int)(at - sql), sql, normal,
                 at + sizeof full - 1);
        sql = other;
    }
    return behind(db, sql, row, arg, text);
}

/* --- what the test asks for --- */

static void watch(const char *folder) {
    pthread_mutex_lock(&io.lock);
    snprintf(io.folder, sizeof io.folder, "%s", folder == NULL ? "" : folder);
    io.folder_len = strlen(io.folder);
    memset(io.names, 0, sizeof io.names);
    pthread_mutex_unlock(&io.lock);
}

static void record(int on) {
    pthread_mutex_lock(&io.lock);
    io.recording = on;
    if (on) {
        for (size_t i = 0; i < io.n_events; i++)
            free(io.events[i].data);
        io.n_events = 0;
        io.n_files = 0;
        memset(io.names, 0, sizeof io.names);
    }
    pthread_mutex_unlock(&io.lock);
}

static const struct io_event *events(size_t *n) {
    *n = io.n_events;
    return io.events;
}

static void mark(uint32_t what) {
    struct io_event *event;
    pthread_mutex_lock(&io.lock);
    event = note(IO_DID_MARK, 0);
    if (event != NULL)
        event->offset = what;
    pthread_mutex_unlock(&io.lock);
}

static void set_fault(const struct io_fault *fault) {
    static const struct io_fault none;
    pthread_mutex_lock(&io.lock);
    io.fault = fault == NULL ? none : *fault;
    io.counted = 0;
    if (fault != NULL)
        io.failed = 0;
    pthread_mutex_unlock(&io.lock);
}

static uint64_t failed(void) { return io.failed; }

static void weaken(int on) { io.weak = on; }

EXPORT extern const struct io_api preloaded_io;
const struct io_api preloaded_io = {watch,     record, events, mark,
                                    set_fault, failed, weaken};
