/* tests/faults/disk.c - see disk.h. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "disk.h"

enum { MAX_FILES = 64, MAX_NAMES = 16, SECTOR = 512 };

/* Events that are not safe yet, by their index. */
struct pending {
    size_t *at;
    size_t n, cap;
};

struct content {
    uint8_t *data;
    size_t len, cap;
};

struct name {
    char name[32];
    int file;
};

struct names {
    struct name all[MAX_NAMES];
    size_t n;
};

struct disk {
    const struct io_event *events;
    size_t n, at;
    int lies;
    struct content safe[MAX_FILES];
    struct pending pending[MAX_FILES];
    struct names names; /* those that are safe */
    struct pending renamed; /* created, unlinked */
};

uint64_t next_random(uint64_t *state) {
    uint64_t z = *state += UINT64_C(0x9e3779b97f4a7c15);
    z = (z ^ (z >> 30)) * UINT64_C(0xbf58476d1ce4e5b9);
    z = (z ^ (z >> 27)) * UINT64_C(0x94d049bb133111eb);
    return z ^ (z >> 31);
}

static void push(struct pending *pending, size_t at) {
    if (pending->n == pending->cap) {
        pending->cap = pending->cap * 2 + 64;
        pending->at =
            realloc(pending->at, pending->cap * sizeof pending->at[0]);
        if (pending->at == NULL)
            abort();
    }
    pending->at[pending->n++] = at;
}

/* --- what is in a file --- */

static void set_len(struct content *c, size_t len) {
    if (len > c->cap) {
        c->cap = len * 2;
        c->data = realloc(c->data, c->cap);
        if (c->data == NULL)
            abort();
    }
    if (len > c->len)
        memset(c->data + c->len, 0, len - c->len);
    c->len = len;
}

static void put(struct content *c, size_t offset, const uint8_t *data,
                size_t len) {
    if (offset + len > c->len)
        set_len(c, offset + len);
    memcpy(c->data + offset, data, len);
}

static void apply(struct content *c, const struct io_event *event) {
    if (event->what == IO_DID_TRUNCATE)
        set_len(c, (size_t)event->offset);
    else
        put(c, (size_t)event->offset, event->data, event->len);
}

/* Each sector that it touches is written or not; the length is. */
static void apply_torn(struct content *c, const struct io_event *event,
                       uint64_t *random) {
    size_t from = (size_t)event->offset, end = from + event->len, next;
    if (end > c->len)
        set_len(c, end);
    for (size_t at = from; at < end; at = next) {
        next = (at / SECTOR + 1) * SECTOR;
        if (next > end)
            next = end;
        if (next_random(random) % 2 != 0)
            put(c, at, event->data + (at - from), next - at);
    }
}

/* --- names --- */

static void rename_in(struct names *names, const struct io_event *event) {
    for (size_t i = 0; i < names->n; i++)
        if (strcmp(names->all[i].name, event->name) == 0)
            names->all[i] = names->all[--names->n];
    if (event->what != IO_DID_CREATE)
        return;
    if (names->n == MAX_NAMES)
        abort();
    memcpy(names->all[names->n].name, event->name, sizeof event->name);
    names->all[names->n++].file = event->file;
}

/* --- the disk --- */

struct disk *disk_new(const struct io_event *events, size_t n, int lies) {
    struct disk *disk = calloc(1, sizeof *disk);
    if (disk == NULL)
        return NULL;
    disk->events = events;
    disk->n = n;
    disk->lies = lies;
    return disk;
}

void disk_free(struct disk *disk) {
    if (disk == NULL)
        return;
    for (int i = 0; i < MAX_FILES; i++) {
        free(disk->safe[i].data);
        free(disk->pending[i].at);
    }
    free(disk->renamed.at);
    free(disk);
}

static void sync_file(struct disk *disk, int file) {
    struct pending *pending = &disk->pending[file];
    for (size_t i = 0; i < pending->n; i++)
        apply(&disk->safe[file], &disk->events[pending->at[i]]);
    pending->n = 0;
}

const struct io_event *disk_step(struct disk *disk) {
    const struct io_event *event;
    if (disk->at == disk->n)
        return NULL;
    event = &disk->events[disk->at];
    if (event->file >= MAX_FILES)
        abort();
    switch (event->what) {
    case IO_DID_WRITE:
    case IO_DID_TRUNCATE:
        push(&disk->pending[event->file], disk->at);
        break;
    case IO_DID_SYNC:
        if (!disk->lies)
            sync_file(disk, event->file);
        break;
    case IO_DID_SYNC_FOLDER:
        if (disk->lies)
            break;
        for (size_t i = 0; i < disk->renamed.n; i++)
            rename_in(&disk->names, &disk->events[disk->renamed.at[i]]);
        disk->renamed.n = 0;
        break;
    case IO_DID_CREATE:
    case IO_DID_UNLINK:
        push(&disk->renamed, disk->at);
        break;
    case IO_DID_MARK:
        break;
    }
    disk->at++;
    return event;
}

static int write_file(const char *folder, const char *name, const void *data,
                      size_t len) {
    char path[400];
    FILE *file;
    int failed;
    snprintf(path, sizeof path, "%s/%s", folder, name);
    file = fopen(path, "wb");
    if (file == NULL)
        return -1;
    failed = len > 0 && fwrite(data, 1, len, file) != len;
    return fclose(file) != 0 || failed ? -1 : 0;
}

/* Of 8: how many are lost, how many torn. All images of one kind would miss what
 * needs most writes there and one missing, or the other way round. */
static const struct {
    unsigned lost, torn;
} moods[] = {{8, 0}, {0, 0}, {1, 0}, {1, 1}, {4, 0}, {3, 3}, {6, 1}, {0, 8}};

static int file_image(const struct disk *disk, const struct name *name,
                      unsigned mood, uint64_t *random, const char *folder) {
    const struct pending *pending = &disk->pending[name->file];
    struct content image = {0};
    int failed;
    set_len(&image, disk->safe[name->file].len);
    if (image.len > 0)
        memcpy(image.data, disk->safe[name->file].data, image.len);
    for (size_t i = 0; i < pending->n; i++) {
        const struct io_event *event = &disk->events[pending->at[i]];
        unsigned draw = (unsigned)(next_random(random) % 8);
        if (draw < moods[mood].lost)
            continue;
        if (draw < moods[mood].lost + moods[mood].torn &&
            event->what == IO_DID_WRITE)
            apply_torn(&image, event, random);
        else
            apply(&image, event);
    }
    failed = write_file(folder, name->name, image.data, image.len);
    free(image.data);
    return failed;
}

int disk_image(const struct disk *disk, uint64_t seed, const char *folder) {
    uint64_t random = seed;
    unsigned mood = (unsigned)(next_random(&random) % 8);
    struct names names = disk->names;
    int failed = 0;
    for (size_t i = 0; i < disk->renamed.n; i++)
        if (next_random(&random) % 2 != 0)
            rename_in(&names, &disk->events[disk->renamed.at[i]]);
    for (size_t i = 0; i < names.n && !failed; i++)
        failed = file_image(disk, &names.all[i], mood, &random, folder);
    /* Memory that processes shared may be found as anything. */
    if (!failed && next_random(&random) % 4 == 0) {
        uint64_t noise[4096];
        for (size_t i = 0; i < 4096; i++)
            noise[i] = next_random(&random);
        failed = write_file(folder, "store-shm", noise, sizeof noise);
    }
    return failed;
}
