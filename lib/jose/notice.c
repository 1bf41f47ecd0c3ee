/* lib/jose/notice.c - what a tenant has taken back: a sorted list that a verifier
 * looks into for every token. */
#include "keyset.h"

#include <stdlib.h>

static int compare(const void *a, const void *b) {
    const struct mru_notice *x = a, *y = b;
    if (x->kind != y->kind)
        return x->kind < y->kind ? -1 : 1;
    return strcmp(x->id, y->id);
}

/* Of two notices about one thing the later holds. */
static void merge(struct mru_keyset *set) {
    size_t kept = 0;
    for (size_t i = 0; i < set->n_notices; i++) {
        struct mru_notice *last = kept > 0 ? &set->notices[kept - 1] : NULL;
        const struct mru_notice *next = &set->notices[i];
        if (!last || compare(last, next) != 0)
            set->notices[kept++] = *next;
        else if (next->not_before_at > last->not_before_at)
            last->not_before_at = next->not_before_at;
    }
    set->n_notices = kept;
}

int mru_keyset_notices(struct mru_keyset *set, const struct mru_notice *list,
                       size_t n) {
    size_t total = 0, size, at = 0;
    for (size_t i = 0; i < n; i++)
        if (mru_add_size(total, strlen(list[i].id) + 1, &total) != 0)
            return -1;
    if (mru_mul_size(n, sizeof *list, &size) != 0)
        return -1;
    set->notices = mru_alloc(size);
    set->texts = mru_alloc(total);
    set->texts_len = total;
    if (!set->notices || !set->texts)
        return -1;
    for (size_t i = 0; i < n; i++) {
        size_t len = strlen(list[i].id) + 1;
        memcpy(set->texts + at, list[i].id, len);
        set->notices[i] = list[i];
        set->notices[i].id = set->texts + at;
        at += len;
    }
    set->n_notices = n;
    if (n > 1)
        qsort(set->notices, n, sizeof *set->notices, compare);
    merge(set);
    return 0;
}

/* As compare, for an id that has a length and no NUL. */
static int compare_id(char kind, const char *id, size_t len,
                      const struct mru_notice *notice) {
    if (kind != notice->kind)
        return kind < notice->kind ? -1 : 1;
    int order = strncmp(id, notice->id, len);
    if (order == 0 && notice->id[len] != '\0')
        order = -1;
    return order;
}

int mru_keyset_not_before(const struct mru_keyset *set, char kind,
                          const char *id, size_t id_len, int64_t *at) {
    size_t low = 0, high = set ? set->n_notices : 0;
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        int order = compare_id(kind, id, id_len, &set->notices[middle]);
        if (order == 0) {
            *at = set->notices[middle].not_before_at;
            return 1;
        }
        if (order < 0)
            high = middle;
        else
            low = middle + 1;
    }
    return 0;
}
