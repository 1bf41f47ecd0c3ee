/* tests/sim/hash.c - see sim.h. */
#include "sim.h"

uint64_t sim_mix(uint64_t hash, uint64_t value) {
    hash = hash * UINT64_C(0x9e3779b97f4a7c15) + value + 1;
    hash = (hash ^ (hash >> 30)) * UINT64_C(0xbf58476d1ce4e5b9);
    hash = (hash ^ (hash >> 27)) * UINT64_C(0x94d049bb133111eb);
    return hash ^ (hash >> 31);
}

uint64_t sim_bytes(uint64_t hash, const void *data, size_t len) {
    const uint8_t *at = data;
    uint64_t part;
    hash = sim_mix(hash, len);
    for (; len >= 8; len -= 8, at += 8) {
        memcpy(&part, at, 8);
        hash = sim_mix(hash, part);
    }
    part = 0;
    if (len > 0) {
        memcpy(&part, at, len);
        hash = sim_mix(hash, part);
    }
    return hash;
}

void sim_names_begin(struct sim_names *names) {
    names->now++;
    names->n = 0;
}

uint32_t sim_name(struct sim_names *names, uint64_t value) {
    size_t at = (size_t)(value * UINT64_C(0x9e3779b97f4a7c15) >> 52);
    while (names->round[at] == names->now && names->value[at] != value)
        at = (at + 1) % SIM_NAMES;
    if (names->round[at] != names->now) {
        names->round[at] = names->now;
        names->value[at] = value;
        names->number[at] = ++names->n;
    }
    return names->number[at];
}

static void put(uint64_t *slots, size_t cap, uint64_t fingerprint) {
    size_t at = (size_t)fingerprint & (cap - 1);
    while (slots[at] != 0)
        at = (at + 1) & (cap - 1);
    slots[at] = fingerprint;
}

int sim_set_add(struct sim_set *set, uint64_t fingerprint) {
    size_t at;
    fingerprint += fingerprint == 0;
    if (set->n * 3 >= set->cap * 2) {
        size_t cap = set->cap == 0 ? 1 << 16 : set->cap * 2;
        uint64_t *slots = calloc(cap, sizeof *slots);
        if (slots == NULL)
            abort();
        for (size_t i = 0; i < set->cap; i++)
            if (set->slots[i] != 0)
                put(slots, cap, set->slots[i]);
        free(set->slots);
        set->slots = slots;
        set->cap = cap;
    }
    at = (size_t)fingerprint & (set->cap - 1);
    while (set->slots[at] != 0 && set->slots[at] != fingerprint)
        at = (at + 1) & (set->cap - 1);
    if (set->slots[at] != 0)
        return 0;
    set->slots[at] = fingerprint;
    set->n++;
    return 1;
}

void sim_set_free(struct sim_set *set) {
    free(set->slots);
    memset(set, 0, sizeof *set);
}
