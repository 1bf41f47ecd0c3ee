/* lib/testing/kit_processes.c - checks over the life of a store: closed and
 * opened again, several processes at once, and one that is killed in the middle.
 *
 * The store is closed before every fork and opened anew in each process: what
 * adapters keep open need not survive a fork. */
#define _POSIX_C_SOURCE 200809L
#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "kit.h"

#define V(kit) mru_kit_version(kit)
#define ABSENT MEREAU_VERSION_ABSENT
#define ANY MEREAU_VERSION_ANY
#define OK MEREAU_STORE_OK

enum { MOST = 16, RACES = 150, PARTS = 8 };

/* --- closed and opened again --- */

static void reopen_keeps_records(struct mru_kit *kit) {
    struct mru_kit_key keys[20], gone = mru_kit_key_text("gone");
    uint64_t versions[20], more = V(kit);
    struct mru_kit_batch batch;

    mru_kit_begin(&batch);
    for (uint32_t i = 0; i < 20; i++) {
        keys[i] = mru_kit_key_number("r", i);
        versions[i] = V(kit);
        mru_kit_put(&batch, &keys[i], ABSENT, versions[i], "kept", 4);
    }
    mru_kit_put(&batch, &gone, ABSENT, more, "gone", 4);
    if (mru_kit_commit_as(kit, &batch, OK, "new records"))
        return;
    mru_kit_begin(&batch);
    mru_kit_delete(&batch, &gone, more);
    if (mru_kit_commit_as(kit, &batch, OK, "a delete"))
        return;
    for (int round = 0; round < 2; round++) {
        mru_kit_close(kit);
        if (mru_kit_open(kit))
            return;
        for (size_t i = 0; i < 20; i++)
            if (mru_kit_expect(kit, &keys[i], versions[i], "kept", 4))
                return;
        if (mru_kit_expect_absent(kit, &gone))
            return;
    }
    mru_kit_put_as(kit, &keys[0], versions[0], V(kit), "new", OK,
                   "a version of before the store was opened again");
}

/* --- children --- */

/* What a child sends at its end. */
struct result {
    uint64_t wins[RACES];
    uint32_t failed;
    char why[200];
};

struct child {
    pid_t pid;
    int from; /* results and acknowledgements come here */
    int go; /* closed by the parent when all may begin */
};

static int read_all(int fd, void *out, size_t len) {
    uint8_t *p = out;
    while (len > 0) {
        ssize_t n = read(fd, p, len);
        if (n < 0 && errno == EINTR)
            continue;
        if (n <= 0)
            return -1;
        p += n;
        len -= (size_t)n;
    }
    return 0;
}

static int write_all(int fd, const void *data, size_t len) {
    const uint8_t *p = data;
    while (len > 0) {
        ssize_t n = write(fd, p, len);
        if (n < 0 && errno == EINTR)
            continue;
        if (n <= 0)
            return -1;
        p += n;
        len -= (size_t)n;
    }
    return 0;
}

typedef void (*work)(struct mru_kit *kit, uint32_t index, int out,
                     struct result *result);

/* In the child: never returns to the host's program. */
static void live(struct mru_kit *kit, uint32_t index, int out, int go,
                 work run) {
    struct result *result = calloc(1, sizeof *result);
    char byte = 1;

    mru_kit_be_child(kit, index);
    if (result == NULL)
        _exit(1);
    if (mru_kit_open(kit) == 0) {
        /* "I am ready", then wait for the end of the other pipe. */
        if (write_all(out, &byte, 1) == 0 && read(go, &byte, 1) == 0)
            run(kit, index, out, result);
        mru_kit_close(kit);
    } else {
        (void)write_all(out, &byte, 1);
    }
    result->failed = (uint32_t)mru_kit_failed(kit);
    snprintf(result->why, sizeof result->why, "in a child: %.180s",
             mru_kit_why(kit));
    (void)write_all(out, result, sizeof *result);
    _exit(0);
}

static int child_start(struct mru_kit *kit, struct child *child,
                       const struct child *before, uint32_t index, work run) {
    int up[2], down[2];
    if (pipe(up) != 0)
        return -1;
    if (pipe(down) != 0) {
        close(up[0]);
        close(up[1]);
        return -1;
    }
    child->pid = fork();
    if (child->pid == 0) {
        /* A copy of an older sibling's "go" would keep it waiting. */
        for (uint32_t i = 0; before != NULL && i < index; i++)
            close(before[i].go);
        close(up[0]);
        close(down[1]);
        live(kit, index, up[1], down[0], run);
    }
    close(up[1]);
    close(down[0]);
    child->from = up[0];
    child->go = down[1];
    if (child->pid > 0)
        return 0;
    close(up[0]);
    close(down[1]);
    return -1;
}

static void child_end(struct child *child) {
    int status;
    while (waitpid(child->pid, &status, 0) < 0 && errno == EINTR)
        continue;
    close(child->from);
}

/* Starts n, lets them begin at once, adds up what they say. The store is open
 * before and after. */
static int in_processes(struct mru_kit *kit, uint32_t n, work run,
                        struct result *sum) {
    struct child children[MOST];
    struct result *one = calloc(1, sizeof *one);
    uint32_t started = 0;
    char byte;

    mru_kit_close(kit);
    while (one != NULL && started < n &&
           child_start(kit, &children[started], children, started, run) == 0)
        started++;
    if (started < n)
        mru_kit_fail(kit, "the kit cannot start %u processes", (unsigned)n);
    for (uint32_t i = 0; i < started; i++)
        (void)read_all(children[i].from, &byte, 1);
    for (uint32_t i = 0; i < started; i++)
        close(children[i].go);
    for (uint32_t i = 0; i < started; i++) {
        if (read_all(children[i].from, one, sizeof *one) != 0)
            mru_kit_fail(kit, "a process that used the store died");
        else if (one->failed)
            mru_kit_fail(kit, "%s", one->why);
        else
            for (size_t r = 0; r < RACES; r++)
                sum->wins[r] += one->wins[r];
        child_end(&children[i]);
    }
    free(one);
    if (mru_kit_open(kit))
        return -1;
    return mru_kit_failed(kit) ? -1 : 0;
}

/* --- several processes --- */

static void count(struct mru_kit *kit, uint32_t index, int out,
                  struct result *result) {
    struct mru_kit_key key = mru_kit_key_text("counter");
    struct mru_kit_batch batch;
    struct mru_kit_row row;
    int64_t end = mru_kit_now_ms() + mru_kit_race_ms(kit);
    int32_t answer = OK;

    (void)index;
    (void)out;
    while ((answer == OK || answer == MEREAU_STORE_CONFLICT) &&
           mru_kit_now_ms() < end && mru_kit_get_one(kit, &key, &row) == 0) {
        mru_kit_begin(&batch);
        mru_kit_put_number(&batch, &key, row.version, V(kit),
                           mru_kit_row_number(&row) + 1);
        answer = mru_kit_commit(kit, &batch);
        result->wins[0] += answer == OK;
    }
}

static void processes_lose_no_update(struct mru_kit *kit) {
    struct mru_kit_key key = mru_kit_key_text("counter");
    struct mru_kit_batch batch;
    struct mru_kit_row row;
    struct result sum = {{0}, 0, ""};

    mru_kit_begin(&batch);
    mru_kit_put_number(&batch, &key, ABSENT, V(kit), 0);
    if (mru_kit_commit_as(kit, &batch, OK, "a new record") ||
        in_processes(kit, mru_kit_given(kit)->processes, count, &sum) ||
        mru_kit_get_one(kit, &key, &row))
        return;
    if (!row.there || sum.wins[0] == 0 ||
        mru_kit_row_number(&row) != sum.wins[0])
        mru_kit_fail(kit,
                     "processes were told %llu times that they counted, "
                     "and it stands at %llu",
                     (unsigned long long)sum.wins[0],
                     (unsigned long long)mru_kit_row_number(&row));
}

static void take_first(struct mru_kit *kit, uint32_t index, int out,
                       struct result *result) {
    struct mru_kit_batch batch;
    (void)out;
    for (uint32_t r = 0; r < RACES && !mru_kit_failed(kit); r++) {
        struct mru_kit_key key = mru_kit_key_number("first", r);
        mru_kit_begin(&batch);
        mru_kit_put_number(&batch, &key, ABSENT, V(kit), index);
        result->wins[r] += mru_kit_commit(kit, &batch) == OK;
    }
}

static void processes_win_absent_once(struct mru_kit *kit) {
    struct result sum = {{0}, 0, ""};
    int done =
        in_processes(kit, mru_kit_given(kit)->processes, take_first, &sum);
    for (uint32_t r = 0; r < RACES; r++) {
        struct mru_kit_key key = mru_kit_key_number("first", r);
        mru_kit_remember(kit, &key);
        if (done == 0 && sum.wins[r] != 1)
            mru_kit_fail(kit, "%llu processes made one record that was absent",
                         (unsigned long long)sum.wins[r]);
    }
}

static void skew(struct mru_kit *kit, uint32_t index, int out,
                 struct result *result) {
    struct mru_kit_batch batch;
    (void)out;
    for (uint32_t r = 0; r < RACES && !mru_kit_failed(kit); r++) {
        struct mru_kit_key a = mru_kit_key_number("skew-a", r);
        struct mru_kit_key b = mru_kit_key_number("skew-b", r);
        mru_kit_begin(&batch);
        mru_kit_check(&batch, index % 2 ? &b : &a, 1);
        mru_kit_put_number(&batch, index % 2 ? &a : &b, 1, V(kit), r);
        result->wins[r] += mru_kit_commit(kit, &batch) == OK;
    }
}

static void processes_have_no_write_skew(struct mru_kit *kit) {
    struct result sum = {{0}, 0, ""};
    struct mru_kit_batch batch;

    for (uint32_t r = 0; r < RACES; r++) {
        struct mru_kit_key a = mru_kit_key_number("skew-a", r);
        struct mru_kit_key b = mru_kit_key_number("skew-b", r);
        mru_kit_begin(&batch);
        mru_kit_put_number(&batch, &a, ABSENT, 1, 0);
        mru_kit_put_number(&batch, &b, ABSENT, 1, 0);
        if (mru_kit_commit_as(kit, &batch, OK, "new records"))
            return;
    }
    if (in_processes(kit, 2, skew, &sum))
        return;
    for (uint32_t r = 0; r < RACES; r++)
        if (sum.wins[r] > 1)
            mru_kit_fail(kit, "{CHECK a, PUT b} and {CHECK b, PUT a} both won");
}

/* --- one is killed --- */

/* Writes one number after the other to all keys and acknowledges each, until
 * killed. Values of 1000 bytes make the window wide. */
static void stamp_until_killed(struct mru_kit *kit, uint32_t index, int out,
                               struct result *result) {
    struct mru_kit_batch batch;
    uint8_t value[1000];

    (void)index;
    (void)result;
    for (uint64_t number = 1; !mru_kit_failed(kit); number++) {
        memset(value, 0, sizeof value);
        for (int i = 0; i < 8; i++)
            value[i] = (uint8_t)(number >> (56 - 8 * i));
        mru_kit_begin(&batch);
        for (uint32_t i = 0; i < PARTS; i++) {
            struct mru_kit_key key = mru_kit_key_number("stamp", i);
            mru_kit_put(&batch, &key, ANY, V(kit), value, sizeof value);
        }
        if (mru_kit_commit(kit, &batch) != OK ||
            write_all(out, &number, sizeof number) != 0)
            return;
    }
}

/* Kills a child after a while; *last is the last number it acknowledged. */
static int kill_one(struct mru_kit *kit, uint32_t round, uint64_t *last) {
    struct child child;
    uint64_t number = 0;
    char byte;

    *last = 0;
    mru_kit_close(kit);
    if (child_start(kit, &child, NULL, round, stamp_until_killed) != 0) {
        mru_kit_fail(kit, "the kit cannot start a process");
        return -1;
    }
    (void)read_all(child.from, &byte, 1);
    close(child.go);
    if (read_all(child.from, &number, sizeof number) == 0)
        *last = number;
    mru_kit_sleep_ms(3 + (int64_t)mru_kit_random(kit, 40));
    kill(child.pid, SIGKILL);
    while (*last != 0 && read_all(child.from, &number, sizeof number) == 0)
        *last = number;
    child_end(&child);
    if (mru_kit_open(kit))
        return -1;
    if (*last == 0)
        mru_kit_fail(kit, "a process could not commit");
    return *last == 0 ? -1 : 0;
}

static void killed_process_leaves_whole_commits(struct mru_kit *kit) {
    struct mru_kit_key keys[PARTS];
    struct mru_kit_row rows[PARTS];
    uint64_t last;

    for (uint32_t i = 0; i < PARTS; i++) {
        keys[i] = mru_kit_key_number("stamp", i);
        mru_kit_remember(kit, &keys[i]);
    }
    for (uint32_t round = 0; round < 6; round++) {
        if (kill_one(kit, round, &last) || mru_kit_get(kit, keys, PARTS, rows))
            return;
        for (uint32_t i = 0; i < PARTS; i++) {
            uint64_t number = mru_kit_row_number(&rows[i]);
            if (number != mru_kit_row_number(&rows[0]))
                mru_kit_fail(kit, "a part of a commit of a killed process is "
                                  "there");
            else if (number < last)
                mru_kit_fail(kit,
                             "commit %llu was answered with OK, and after "
                             "the process was killed %llu is there",
                             (unsigned long long)last,
                             (unsigned long long)number);
        }
        if (mru_kit_failed(kit))
            return;
    }
}

const struct mru_kit_check mru_kit_processes[] = {
    {"reopen_keeps_records", MEREAU_CAP_DURABLE, reopen_keeps_records},
    {"processes_lose_no_update", MEREAU_CAP_SHARED, processes_lose_no_update},
    {"processes_win_absent_once", MEREAU_CAP_SHARED, processes_win_absent_once},
    {"processes_have_no_write_skew", MEREAU_CAP_SHARED,
     processes_have_no_write_skew},
    {"killed_process_leaves_whole_commits", MEREAU_CAP_SHARED,
     killed_process_leaves_whole_commits},
    {NULL, 0, NULL}};
