/* tests/sim/quiet.c - see sim.h: what must hold when everybody is done. It is
 * asked of the library itself, as an administrator would. */
#include "sim.h"

/* The ledger says of every device that it has redeemed, once. */
static void check_ledger(struct sim_world *w, int t) {
    mereau_error err = MEREAU_ERROR_INIT;
    mereau_op *op = mereau_auth_token_list(sim_tenant(w, SIM_PROCS - 1));
    int rows[SIM_DEVICES] = {0};
    mereau_op_set_text(op, MEREAU_REGISTRATION_TOKEN_ID, w->tokens[t].id);
    if (sim_run(w, op, &err) != MEREAU_OK)
        sim_wrong(w, "list", "the ledger cannot be read: %s", err.text);
    while (mereau_op_next_row(op)) {
        const char *device = mereau_op_text(op, MEREAU_DEVICE_ID);
        for (int d = 0; d < SIM_DEVICES; d++)
            rows[d] += device != NULL && strcmp(device, sim_device(d)) == 0;
    }
    mereau_op_free(op);
    for (int d = 0; d < SIM_DEVICES; d++) {
        int f = t * SIM_DEVICES + d;
        int born = w->truth.family[f].born != 0 && !w->families[f].purged;
        if (rows[d] != born)
            sim_wrong(w, "list", "token %d: %s is %d times in the ledger", t,
                      sim_device(d), rows[d]);
    }
}

static void check_count(struct sim_world *w, int t) {
    mereau_error err = MEREAU_ERROR_INIT;
    mereau_op *op = mereau_registration_token_get(sim_tenant(w, SIM_PROCS - 1),
                                                  w->tokens[t].id);
    mereau_status status = sim_run(w, op, &err);
    int64_t born = 0;
    for (int d = 0; d < SIM_DEVICES; d++)
        born += w->truth.family[t * SIM_DEVICES + d].born != 0;
    if (status == MEREAU_OK &&
        (mereau_op_int(op, MEREAU_USED_COUNT) != born ||
         mereau_op_int(op, MEREAU_COUNT) != w->tokens[t].limit))
        sim_wrong(w, "ledger",
                  "token %d says %lld used, %lld devices "
                  "enrolled",
                  t, (long long)mereau_op_int(op, MEREAU_USED_COUNT),
                  (long long)born);
    mereau_op_free(op);
}

/* One refresh token of a family is good, or none. */
static void check_leaves(struct sim_world *w, int f) {
    struct sim_family *family = &w->families[f];
    int live = 0, late = w->now_at >= SIM_START + 29 * MRU_DAY_S;
    mereau_error err = MEREAU_ERROR_INIT;
    if (family->held == 0)
        return;
    for (uint32_t g = 1; g <= family->held; g++) {
        mereau_op *op;
        if (family->refresh[g] == NULL)
            continue;
        op = mereau_token_verify_live(sim_tenant(w, SIM_PROCS - 1),
                                      family->refresh[g]);
        sim_keyed(op, f % SIM_DEVICES, family);
        live += sim_run(w, op, &err) == MEREAU_OK;
        mereau_op_free(op);
    }
    if (live > 1)
        sim_wrong(w, "leaf", "%d refresh tokens of one family are good", live);
    if (live > 0 && !sim_alive(&w->truth, w, f))
        sim_wrong(w, "ended", "a refresh token of an ended family is good");
    if (live == 0 && !late && sim_alive(&w->truth, w, f) &&
        family->held == w->truth.family[f].generation)
        sim_wrong(w, "lost", "no refresh token of a living family is good: %s",
                  err.text);
}

/* Whatever is due is gone when purging says so. */
static void check_purge(struct sim_world *w) {
    mereau_error err = MEREAU_ERROR_INIT;
    mereau_op *op = mereau_tenant_purge(sim_tenant(w, SIM_PROCS - 1));
    if (w->now_at < SIM_START + 100 * MRU_DAY_S) {
        mereau_op_free(op);
        return;
    }
    do {
        if (sim_run(w, op, &err) != MEREAU_OK)
            sim_wrong(w, "purge", "purging failed: %s", err.text);
    } while (mereau_op_has_more(op) && w->wrong[0] == '\0');
    mereau_op_free(op);
    for (size_t i = 0; i < w->store.n; i++)
        if (w->store.rows[i]->drop_at != 0 &&
            w->store.rows[i]->drop_at <= w->now_at)
            sim_wrong(w, "purge", "a record that is due was left");
    for (size_t i = 0; i < w->store.n; i++) {
        const struct sim_rec *rec = w->store.rows[i];
        uint8_t key[1 + MRU_ID_LEN];
        if (rec->key[0] != 'i')
            continue;
        key[0] = rec->key[1] == 'R' || rec->key[1] == 'A' ? 'r' : 'e';
        memcpy(key + 1, rec->key + rec->key_len - MRU_ID_LEN, MRU_ID_LEN);
        if (sim_find(&w->store, key, sizeof key) == NULL)
            sim_wrong(w, "purge", "an entry of a list outlived its record");
    }
}

static int contains(const struct sim_rec *rec, const uint8_t *secret) {
    for (size_t i = 0; i + 32 <= rec->value_len; i++)
        if (rec->value[i] == secret[0] &&
            memcmp(rec->value + i, secret, 32) == 0)
            return 1;
    return 0;
}

/* A family is one record, however often it was refreshed. */
static void check_mass(struct sim_world *w) {
    size_t born = 0, rows = 0;
    for (int f = 0; f < SIM_FAMILIES; f++)
        born += w->truth.family[f].born != 0 && !w->families[f].purged;
    for (size_t i = 0; i < w->store.n; i++)
        rows += w->store.rows[i]->key[0] == 'e';
    if (rows != born)
        sim_wrong(w, "mass", "%zu records of %zu enrolments", rows, born);
}

void sim_quiet(struct sim_world *w) {
    while (w->n_late > 0 && w->wrong[0] == '\0')
        sim_land(w, 0);
    for (int t = 0; t < SIM_TOKENS && w->wrong[0] == '\0'; t++) {
        int born = 0;
        for (int d = 0; d < SIM_DEVICES; d++)
            born |= w->truth.family[t * SIM_DEVICES + d].born != 0;
        if (!born)
            continue;
        check_ledger(w, t);
        check_count(w, t);
        for (int d = 0; d < SIM_DEVICES; d++)
            check_leaves(w, t * SIM_DEVICES + d);
    }
    check_mass(w);
    for (size_t i = 0; i < w->store.n; i++)
        for (int s = 0; s < w->n_secrets; s++)
            if (contains(w->store.rows[i], w->secrets[s]))
                sim_wrong(w, "secret", "a stored record holds a secret");
    if (w->wrong[0] == '\0')
        check_purge(w);
}
