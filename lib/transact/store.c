/* lib/transact/store.c - the two functions every store shares. */
#include <stddef.h>
#include <string.h>

#include <mereau/host.h>

void mereau_store_init(mereau_store *store, size_t size) {
    /* A caller compiled against an older, shorter table keeps its own size. */
    if (store == NULL || size < sizeof store->size)
        return;
    if (size > sizeof *store)
        size = sizeof *store;
    memset(store, 0, size);
    store->size = (uint32_t)size;
}

void mereau_store_close(mereau_store *store) {
    if (store == NULL ||
        store->size < offsetof(mereau_store, close) + sizeof store->close ||
        store->close == NULL)
        return;
    store->close(store->user);
}
