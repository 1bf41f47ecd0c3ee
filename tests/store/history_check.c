/* tests/store/history_check.c - the checker of histories, after Wing and Gong,
 * with Lowe's memory of configurations that led nowhere: a depth-first search for
 * an order, in which a set of operations that leaves the same records is looked at
 * once. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "history.h"

enum { MAX_CONFIGURATIONS = 1 << 21 };

/* What has happened, and what the store holds then. */
struct configuration {
    uint64_t done; /* a bit for each operation */
    uint64_t versions[HISTORY_KEYS];
};

struct search {
    const struct history *history;
    uint64_t required; /* those that must have happened */
    uint64_t possible; /* and those that may have */
    uint64_t before[HISTORY_OPS + 1]; /* of a stale get: what it must show */
    struct configuration *seen;
    uint8_t *used;
    size_t n_seen, size;
};

/* --- one operation after another --- */

static int condition_holds(const struct history_part *part,
                           const struct configuration *now) {
    uint64_t there = now->versions[part->key];
    return part->expect == MEREAU_VERSION_ANY || part->expect == there;
}

/* Whether op can be the next, with the answer that it got. */
static int agrees(const struct history_op *op,
                  const struct configuration *now) {
    if (op->is_commit && op->result == MEREAU_STORE_CONFLICT)
        return !condition_holds(&op->parts[op->failed], now);
    for (int i = 0; i < op->n_parts; i++) {
        const struct history_part *part = &op->parts[i];
        if (op->is_commit ? !condition_holds(part, now)
                          : part->version != now->versions[part->key])
            return 0;
    }
    return 1;
}

static int changes(const struct history_op *op) {
    return op->is_commit && op->result != MEREAU_STORE_CONFLICT;
}

static void happen(const struct history_op *op, int index,
                   struct configuration *now) {
    now->done |= UINT64_C(1) << index;
    for (int i = 0; i < op->n_parts && changes(op); i++) {
        const struct history_part *part = &op->parts[i];
        if (part->kind == MEREAU_WRITE_PUT)
            now->versions[part->key] = part->version;
        else if (part->kind == MEREAU_WRITE_DELETE)
            now->versions[part->key] = MEREAU_VERSION_ABSENT;
    }
}

/* --- which configurations were seen --- */

static uint64_t hash(const struct configuration *c) {
    uint64_t h = c->done;
    for (int i = 0; i < HISTORY_KEYS; i++) {
        h = (h ^ c->versions[i]) * UINT64_C(0xbf58476d1ce4e5b9);
        h ^= h >> 29;
    }
    return h;
}

static int add(struct search *s, const struct configuration *c) {
    size_t at = (size_t)hash(c) & (s->size - 1);
    while (s->used[at]) {
        const struct configuration *there = &s->seen[at];
        if (there->done == c->done &&
            memcmp(there->versions, c->versions, sizeof c->versions) == 0)
            return 0;
        at = (at + 1) & (s->size - 1);
    }
    s->used[at] = 1;
    s->seen[at] = *c;
    s->n_seen++;
    return 1;
}

static void grow(struct search *s) {
    struct search larger = *s;
    larger.size = s->size == 0 ? 1024 : s->size * 2;
    larger.n_seen = 0;
    larger.seen = calloc(larger.size, sizeof *larger.seen);
    larger.used = calloc(larger.size, 1);
    if (larger.seen == NULL || larger.used == NULL)
        abort();
    for (size_t i = 0; i < s->size; i++)
        if (s->used[i])
            add(&larger, &s->seen[i]);
    free(s->seen);
    free(s->used);
    *s = larger;
}

/* 1 when c is new, 0 when it was seen. */
static int first_time(struct search *s, const struct configuration *c) {
    if (2 * (s->n_seen + 1) > s->size)
        grow(s);
    return add(s, c);
}

/* --- the search --- */

/* The first answer among those that are still to come: nothing that was called
 * after it can be next. */
static uint64_t first_end(const struct search *s,
                          const struct configuration *now) {
    uint64_t end = UINT64_MAX;
    for (int i = 0; i < s->history->n; i++)
        if ((s->required & ~now->done) >> i & 1 &&
            s->history->ops[i].ended < end)
            end = s->history->ops[i].ended;
    return end;
}

static uint64_t earliest(const struct history_op *op) {
    return op->began > op->stale ? op->began - op->stale : 0;
}

static int can_be_next(const struct search *s, const struct configuration *now,
                       int i) {
    const struct history_op *op = &s->history->ops[i];
    return (s->possible & ~now->done) >> i & 1 &&
           (s->before[i] & ~now->done) == 0 &&
           earliest(op) < first_end(s, now) && agrees(op, now);
}

/* What changes nothing and agrees now can as well happen now. */
static void let_happen_what_changes_nothing(const struct search *s,
                                            struct configuration *now) {
    int again = 1;
    while (again) {
        again = 0;
        for (int i = 0; i < s->history->n; i++)
            if (!changes(&s->history->ops[i]) && can_be_next(s, now, i)) {
                happen(&s->history->ops[i], i, now);
                again = 1;
            }
    }
}

struct frame {
    struct configuration now;
    int next; /* operation to be tried */
};

static int search(struct search *s) {
    struct frame stack[HISTORY_OPS + 2];
    int depth = 0;
    memset(&stack[0], 0, sizeof stack[0]);
    let_happen_what_changes_nothing(s, &stack[0].now);
    (void)first_time(s, &stack[0].now);
    while (depth >= 0) {
        struct frame *frame = &stack[depth];
        int i = frame->next++;
        if ((s->required & ~frame->now.done) == 0)
            return HISTORY_LINEAR;
        if (i >= s->history->n) {
            depth--;
            continue;
        }
        if (!can_be_next(s, &frame->now, i))
            continue;
        stack[depth + 1].now = frame->now;
        stack[depth + 1].next = 0;
        happen(&s->history->ops[i], i, &stack[depth + 1].now);
        let_happen_what_changes_nothing(s, &stack[depth + 1].now);
        if (s->n_seen > MAX_CONFIGURATIONS)
            return HISTORY_TOO_HARD;
        if (first_time(s, &stack[depth + 1].now))
            depth++;
    }
    return HISTORY_WRONG;
}

/* BUSY, and a CONFLICT that blames nothing, say only that nothing was applied. */
static int says_something(const struct history_op *op) {
    return op->result == MEREAU_STORE_OK ||
           (op->is_commit && op->result == MEREAU_STORE_UNKNOWN) ||
           (op->is_commit && op->result == MEREAU_STORE_CONFLICT &&
            op->failed < (size_t)op->n_parts);
}

static int writes_key(const struct history_op *op, int key) {
    for (int i = 0; i < op->n_parts; i++)
        if (op->parts[i].key == key && op->parts[i].kind != MEREAU_WRITE_CHECK)
            return 1;
    return 0;
}

/* The commits that were answered the same way before a get began, and wrote one of
 * its records: of those it must know, however stale it may be. */
static uint64_t known_to(const struct history *history,
                         const struct history_op *get) {
    uint64_t known = 0;
    for (int i = 0; i < history->n; i++) {
        const struct history_op *op = &history->ops[i];
        int same = 0;
        for (int k = 0; k < get->n_parts; k++)
            same |= writes_key(op, get->parts[k].key);
        if (op->is_commit && op->result == MEREAU_STORE_OK && same &&
            op->way == get->way && op->ended < get->began)
            known |= UINT64_C(1) << i;
    }
    return known;
}

int history_check(const struct history *history) {
    struct search s = {.history = history};
    int result;
    for (int i = 0; i < history->n; i++)
        if (history->ops[i].stale > 0)
            s.before[i] = known_to(history, &history->ops[i]);
    for (int i = 0; i < history->n; i++)
        if (says_something(&history->ops[i])) {
            s.possible |= UINT64_C(1) << i;
            if (history->ops[i].result != MEREAU_STORE_UNKNOWN)
                s.required |= UINT64_C(1) << i;
        }
    result = search(&s);
    free(s.seen);
    free(s.used);
    return result;
}

void history_print(const struct history *history) {
    static const char *const kinds[] = {"", "put", "delete", "check"};
    for (int i = 0; i < history->n; i++) {
        const struct history_op *op = &history->ops[i];
        printf("%2d %4llu..%-4lld %s %d:", i, (unsigned long long)op->began,
               (long long)op->ended,
               op->is_commit   ? "commit"
               : op->stale > 0 ? "stale get"
                               : "get",
               (int)op->result);
        for (int k = 0; k < op->n_parts; k++) {
            const struct history_part *part = &op->parts[k];
            printf(" %s %c", kinds[part->kind], 'a' + part->key);
            if (op->is_commit)
                printf("(expect %lld)", (long long)part->expect);
            printf("=%llu", (unsigned long long)part->version);
        }
        if (op->result == MEREAU_STORE_CONFLICT)
            printf(" blames %lld", (long long)op->failed);
        putchar('\n');
    }
}
