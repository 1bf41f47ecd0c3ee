/* tests/faults/turns.c - see turns.h. */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "turns.h"

static mereau_need need_of(uint32_t kind) {
    mereau_need need = {0};
    need.size = (uint32_t)sizeof need;
    need.kind = kind;
    need.partition = (const uint8_t *)"turns";
    need.partition_len = 5;
    return need;
}

static const uint8_t names[MEREAU_MAX_WRITES] = "abcde";

static mereau_write write_of(uint32_t kind, size_t name, uint64_t expect,
                             uint64_t version) {
    mereau_write write = {0};
    write.kind = kind;
    write.expect = expect;
    write.record.key = &names[name];
    write.record.key_len = 1;
    write.record.version = version;
    return write;
}

static int32_t commit(mereau_store *store, const mereau_write *writes,
                      size_t n) {
    mereau_need need = need_of(MEREAU_NEED_COMMIT);
    size_t failed = SIZE_MAX;
    need.writes = writes;
    need.n_writes = n;
    return store->commit(store->user, &need, &failed);
}

static int32_t count_found(void *arg, size_t index,
                           const mereau_record *record) {
    (void)index;
    *(unsigned *)arg += record != NULL;
    return 0;
}

static void get(mereau_store *store, unsigned found) {
    mereau_need need = need_of(MEREAU_NEED_GET);
    mereau_slice keys[5];
    unsigned n = 0;
    for (size_t i = 0; i < 5; i++)
        keys[i] = (mereau_slice){&names[i], 1};
    need.keys = keys;
    need.n_keys = 5;
    assert_int_equal(store->get(store->user, &need, count_found, &n),
                     MEREAU_STORE_OK);
    assert_int_equal(n, found);
}

static int32_t commit_five(mereau_store *store) {
    mereau_write writes[5] = {
        write_of(MEREAU_WRITE_PUT, 0, 1, 2),
        write_of(MEREAU_WRITE_CHECK, 1, 1, 0),
        write_of(MEREAU_WRITE_DELETE, 2, 1, 0),
        write_of(MEREAU_WRITE_PUT, 3, MEREAU_VERSION_ABSENT, 2),
        write_of(MEREAU_WRITE_PUT, 4, MEREAU_VERSION_ANY, 2)};
    return commit(store, writes, 5);
}

static int32_t commit_large(mereau_store *store) {
    static const uint8_t value[1000] = {1};
    mereau_write writes[MEREAU_MAX_WRITES];
    uint8_t keys[MEREAU_MAX_WRITES][2];
    for (size_t i = 0; i < MEREAU_MAX_WRITES; i++) {
        keys[i][0] = 'x';
        keys[i][1] = (uint8_t)i;
        writes[i] = write_of(MEREAU_WRITE_PUT, 0, MEREAU_VERSION_ABSENT, 1);
        writes[i].record.key = keys[i];
        writes[i].record.key_len = 2;
        writes[i].record.value = value;
        writes[i].record.value_len = sizeof value;
    }
    return commit(store, writes, MEREAU_MAX_WRITES);
}

struct turns turns_count(struct proxy *proxy, mereau_store *store) {
    struct turns turns;
    unsigned at;
    mereau_write first[3];
    for (size_t i = 0; i < 3; i++)
        first[i] = write_of(MEREAU_WRITE_PUT, i, MEREAU_VERSION_ABSENT, 1);
    assert_int_equal(commit(store, first, 3), MEREAU_STORE_OK);
    get(store, 3); /* the connection is there, and knows the statements */

    at = proxy_turns(proxy);
    get(store, 3);
    turns.get = proxy_turns(proxy) - at;
    at = proxy_turns(proxy);
    assert_int_equal(commit_five(store), MEREAU_STORE_OK);
    turns.commit = proxy_turns(proxy) - at;
    at = proxy_turns(proxy);
    assert_int_equal(commit_five(store), MEREAU_STORE_CONFLICT);
    turns.conflict = proxy_turns(proxy) - at;
    get(store, 4);
    at = proxy_turns(proxy);
    assert_int_equal(commit_large(store), MEREAU_STORE_OK);
    turns.large = proxy_turns(proxy) - at;
    return turns;
}
