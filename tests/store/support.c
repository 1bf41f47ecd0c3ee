/* tests/store/support.c - see support.h. */
#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "support.h"

void note(void *arg, const char *name, int32_t outcome, const char *why) {
    struct noted *noted = arg;
    if (outcome == MEREAU_KIT_PASSED)
        noted->n_passed++;
    else if (outcome == MEREAU_KIT_SKIPPED)
        noted->n_skipped++;
    else if (noted->n_failed < 64)
        snprintf(noted->failed[noted->n_failed++], sizeof noted->failed[0],
                 "%s", name);
    if (outcome == MEREAU_KIT_FAILED && noted->print)
        printf("store kit: %s: %s\n", name, why);
}

int noted_failure(const struct noted *noted, const char *name) {
    for (size_t i = 0; i < noted->n_failed; i++)
        if (strcmp(noted->failed[i], name) == 0)
            return 1;
    return 0;
}

static mereau_need need_of(uint32_t kind) {
    mereau_need need = {0};
    need.size = (uint32_t)sizeof need;
    need.kind = kind;
    need.partition = (const uint8_t *)"p";
    need.partition_len = 1;
    return need;
}

int32_t put(mereau_store *store, const char *key, uint64_t expect,
            uint64_t version, const char *value) {
    mereau_need need = need_of(MEREAU_NEED_COMMIT);
    mereau_write write = {0};
    size_t failed = SIZE_MAX;

    write.kind = MEREAU_WRITE_PUT;
    write.expect = expect;
    write.record.key = (const uint8_t *)key;
    write.record.key_len = strlen(key);
    write.record.value = (const uint8_t *)value;
    write.record.value_len = strlen(value);
    write.record.version = version;
    need.writes = &write;
    need.n_writes = 1;
    return store->commit(store->user, &need, &failed);
}

static int32_t take_version(void *arg, size_t index,
                            const mereau_record *record) {
    (void)index;
    *(uint64_t *)arg = record ? record->version : MEREAU_VERSION_ABSENT;
    return 0;
}

uint64_t version_of(mereau_store *store, const char *key, int32_t *result) {
    mereau_need need = need_of(MEREAU_NEED_GET);
    mereau_slice slice = {(const uint8_t *)key, strlen(key)};
    uint64_t version = MEREAU_VERSION_ANY;
    int32_t answer;

    need.keys = &slice;
    need.n_keys = 1;
    answer = store->get(store->user, &need, take_version, &version);
    if (result != NULL)
        *result = answer;
    return answer == MEREAU_STORE_OK ? version : MEREAU_VERSION_ANY;
}

int folder_make(struct folder *folder) {
    const char *base = getenv("TMPDIR");
    snprintf(folder->path, sizeof folder->path, "%.40s/mereau-store-XXXXXX",
             base != NULL && *base != 0 ? base : "/tmp");
    return mkdtemp(folder->path) != NULL ? 0 : -1;
}

const char *folder_file(const struct folder *folder, const char *name,
                        char out[128]) {
    snprintf(out, 128, "%s/%.60s", folder->path, name);
    return out;
}

void folder_remove(struct folder *folder) {
    DIR *dir = opendir(folder->path);
    struct dirent *entry;
    char path[128];

    while (dir != NULL && (entry = readdir(dir)) != NULL)
        if (strcmp(entry->d_name, ".") != 0 && strcmp(entry->d_name, "..") != 0)
            unlink(folder_file(folder, entry->d_name, path));
    if (dir != NULL)
        closedir(dir);
    rmdir(folder->path);
}
