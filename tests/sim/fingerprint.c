/* tests/sim/fingerprint.c - see sim.h. Two states are one when nothing tells them
 * apart but the numbers that happened to be drawn: of versions and salts only
 * counts which are equal. */
#include "sim.h"

static uint64_t add_record(struct sim_names *names, uint64_t hash,
                           const struct sim_rec *rec) {
    hash = sim_mix(hash, rec->fixed);
    for (uint32_t i = 0; i < rec->n_atoms; i++)
        hash = sim_mix(hash, sim_name(names, rec->atoms[i]));
    return hash;
}

static uint64_t add_batch(struct sim_names *names, uint64_t hash,
                          const struct sim_batch *batch) {
    hash = sim_mix(hash, batch->n);
    for (size_t i = 0; i < batch->n; i++) {
        uint64_t expect = batch->writes[i].expect;
        hash = sim_mix(hash, batch->writes[i].kind);
        hash = sim_mix(hash, expect == MEREAU_VERSION_ABSENT ||
                                     expect == MEREAU_VERSION_ANY
                                 ? expect
                                 : sim_name(names, expect));
        hash = add_record(names, hash, batch->writes[i].rec);
    }
    return hash;
}

/* Where a caller is: what it asks for now, and what it waits for. */
static uint64_t add_caller(struct sim_world *w, uint64_t hash,
                           const struct sim_caller *caller) {
    struct sim_step step = {0, 0, 0, 0};
    if (caller->pos < caller->n)
        step = caller->script[caller->pos];
    hash =
        sim_mix(hash, (uint64_t)caller->pos << 32 | (uint64_t)step.kind << 24 |
                          (uint64_t)step.token << 16 |
                          (uint64_t)step.device << 8 | step.arg);
    hash = sim_mix(hash, (uint64_t)caller->at);
    if (caller->op == NULL)
        return hash;
    hash = sim_mix(hash, caller->presented);
    hash = sim_mix(hash, (uint64_t)(w->insts[caller->inst].now_at - w->now_at));
    if (caller->batch != NULL)
        hash = add_batch(&w->names, hash, caller->batch);
    else if (caller->need != NULL)
        for (size_t i = 0; i < caller->need->n_keys; i++)
            hash = sim_bytes(hash, caller->need->keys[i].data,
                             caller->need->keys[i].len);
    return hash;
}

uint64_t sim_fingerprint(struct sim_world *w) {
    uint64_t hash = sim_mix(17, (uint64_t)(w->now_at - SIM_START));
    sim_names_begin(&w->names);
    for (size_t i = 0; i < w->store.n; i++)
        hash = add_record(&w->names, hash, w->store.rows[i]);
    for (int i = 0; i < w->n_callers; i++)
        hash = add_caller(w, hash, &w->callers[i]);
    for (int i = 0; i < w->n_late; i++)
        hash = add_batch(&w->names, hash, w->late[i]);
    for (int f = 0; f < SIM_FAMILIES; f++)
        hash = sim_mix(hash,
                       w->families[f].held * 2 + (w->families[f].auth != NULL));
    return hash;
}

/* Two states with one fingerprint may have different futures: faults that are
 * left, caches, what the checks remember. */
uint64_t sim_search_key(struct sim_world *w, uint64_t hash) {
    hash = sim_mix(hash, (uint64_t)w->budget * 64 + (uint64_t)w->next_jump);
    for (int i = 0; i < w->n_callers; i++) {
        const struct sim_caller *caller = &w->callers[i];
        const struct sim_inst *inst = &w->insts[caller->inst];
        hash = sim_mix(hash, (uint64_t)caller->proc);
        if (caller->op == NULL)
            continue;
        hash = sim_mix(hash, (uint64_t)(inst->applied * 16 + inst->unknowns));
        hash = sim_mix(hash, caller->op->tx.attempts);
        for (int f = 0; f < SIM_FAMILIES; f++)
            if (w->truth.family[f].born != 0)
                hash = sim_mix(hash, (uint64_t)sim_alive(&caller->seen, w, f));
    }
    for (int f = 0; f < SIM_FAMILIES; f++)
        if (w->truth.family[f].born != 0)
            hash = sim_mix(hash, (uint64_t)sim_alive(&w->truth, w, f));
    return hash;
}
