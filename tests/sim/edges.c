/* tests/sim/edges.c - see sim.h: what the callers of the simulator never do, or
 * what is too large for it. One world, one op after the other. */
#include "sim.h"

static mereau_status run(struct sim_world *w, mereau_op *op) {
    mereau_error err = MEREAU_ERROR_INIT;
    mereau_status status = sim_run(w, op, &err);
    mereau_op_free(op);
    return status;
}

static mereau_op *mint(struct sim_world *w, int64_t count, int64_t lifetime) {
    return mereau_registration_token_mint(sim_tenant(w, 0), "app-0", count,
                                          lifetime);
}

void sim_edge_mint(struct sim_world *w) {
    mereau_tenant *tenant = sim_tenant(w, 0);
    if (run(w, mint(w, 0, 60)) == MEREAU_OK ||
        run(w, mint(w, -1, 60)) == MEREAU_OK ||
        run(w, mereau_registration_token_mint_many(tenant, "app-0", 0, 60)) ==
            MEREAU_OK)
        sim_wrong(w, "edge", "a token of no counts was minted");
    if (run(w, mint(w, 1, 0)) == MEREAU_OK ||
        run(w, mint(w, 1, -5)) == MEREAU_OK ||
        run(w, mint(w, 1, 31 * MRU_DAY_S)) == MEREAU_OK)
        sim_wrong(w, "edge", "a token of no or too long a life was minted");
    if (run(w, mint(w, 1, 1)) != MEREAU_OK ||
        run(w, mint(w, 1, 30 * MRU_DAY_S)) != MEREAU_OK)
        sim_wrong(w, "edge", "an ordinary token was not minted");
}

void sim_edge_empty_id(struct sim_world *w) {
    mereau_tenant *tenant = sim_tenant(w, 0);
    static const int32_t whose[] = {MEREAU_CLIENT_ID, MEREAU_SUBJECT,
                                    MEREAU_DEVICE_ID, MEREAU_TENANT_ID};
    for (int i = 0; i < 4; i++)
        if (run(w, mereau_not_before_raise(tenant, whose[i], "", MEREAU_NOW)) ==
            MEREAU_OK)
            sim_wrong(w, "edge", "an empty id was taken for somebody");
    for (int i = 0; i < 3; i++)
        if (run(w, mereau_not_before_raise(tenant, whose[i], NULL,
                                           MEREAU_NOW)) == MEREAU_OK)
            sim_wrong(w, "edge", "no id was taken for somebody");
    if (run(w, mereau_auth_token_revoke(tenant, "")) == MEREAU_OK ||
        run(w, mereau_registration_token_revoke(tenant, "")) == MEREAU_OK ||
        run(w, mereau_device_block(tenant, "")) == MEREAU_OK)
        sim_wrong(w, "edge", "an empty id was taken for something");
}

/* A token that is newer than its record: a backup was restored. */
void sim_edge_restored(struct sim_world *w) {
    struct sim_store old = {0};
    sim_do(w, (struct sim_step){SIM_REDEEM, 1, 0, 0});
    sim_do(w, (struct sim_step){SIM_EXCHANGE, 1, 0, 0});
    sim_store_copy(&old, &w->store);
    sim_do(w, (struct sim_step){SIM_REFRESH, 1, 0, 0});
    sim_store_copy(&w->store, &old);
    sim_store_free(&old);
    if (w->families[1 * SIM_DEVICES].held != 2)
        sim_wrong(w, "edge", "no second generation");
    else if (run(w, mereau_token_refresh(
                        sim_tenant(w, 1),
                        w->families[1 * SIM_DEVICES].refresh[2])) !=
             MEREAU_E_RESTORED)
        sim_wrong(w, "edge", "a store that went back was not noticed");
    sim_do(w, (struct sim_step){SIM_VERIFY, 1, 0, 0});
}

static void put_row(struct sim_world *w, const struct mru_rkey *key,
                    const struct mru_buf *value, uint64_t version,
                    int64_t drop_at) {
    mereau_write write = {MEREAU_WRITE_PUT, 0, MEREAU_VERSION_ANY, {0}};
    mereau_need need = {0};
    struct sim_batch *batch;
    write.record.key = key->data;
    write.record.key_len = key->len;
    write.record.value = value->data;
    write.record.value_len = value->len;
    write.record.version = version;
    write.record.drop_at = drop_at;
    need.writes = &write;
    need.n_writes = 1;
    batch = sim_batch_new(&need, -1);
    if (batch == NULL || sim_batch_apply(&w->store, batch) != MEREAU_STORE_OK)
        abort();
    sim_batch_free(batch);
}

/* More that is due than one step looks at, among more that is not. */
void sim_edge_purge(struct sim_world *w) {
    mereau_error err = MEREAU_ERROR_INIT;
    mereau_op *op = mereau_tenant_purge(sim_tenant(w, 0));
    struct mru_buf value = {0};
    struct mru_bag empty = {0};
    size_t left = 0, due = 0;
    if (mru_bag_encode(&value, &empty) != 0)
        abort();
    for (uint32_t i = 0; i < 900; i++) {
        struct mru_rkey key;
        uint8_t name[32] = {0};
        mru_put_u32(name, i);
        mru_rkey_set(&key, 'd', name, sizeof name);
        put_row(w, &key, &value, 1000 + i,
                w->now_at + (i >= 150 && i < 450 ? 1000 : -1000));
    }
    do {
        if (sim_run(w, op, &err) != MEREAU_OK)
            sim_wrong(w, "edge", "purging failed: %s", err.text);
    } while (mereau_op_has_more(op) && w->wrong[0] == '\0');
    mereau_op_free(op);
    for (size_t i = 0; i < w->store.n; i++) {
        const struct sim_rec *rec = w->store.rows[i];
        left += rec->key[0] == 'd' && rec->drop_at > w->now_at;
        due += rec->drop_at != 0 && rec->drop_at <= w->now_at;
    }
    mru_buf_free(&value);
    if (due != 0 || left != 300)
        sim_wrong(w, "edge", "purging left %zu that are due and %zu of 300",
                  due, left);
}

/* A field that this release does not know, in every record of a tenant. */
static void add_unknown(struct sim_world *w) {
    for (size_t i = 0; i < w->store.n; i++) {
        const struct sim_rec *rec = w->store.rows[i];
        struct mru_rkey key = {0};
        struct mru_bag bag = {0};
        struct mru_buf value = {0};
        if (strchr("aersbht", rec->key[0]) == NULL)
            continue;
        key.len = rec->key_len;
        memcpy(key.data, rec->key, rec->key_len);
        if (mru_bag_decode(&bag, rec->value, rec->value_len) != MEREAU_OK) {
            sim_wrong(w, "edge", "a record of a later release is not read");
            continue;
        }
        mru_bag_set_text(&bag, 5999, "of a later release");
        if (mru_bag_encode(&value, &bag) != 0)
            abort();
        put_row(w, &key, &value, 7000 + i, rec->drop_at);
        mru_buf_free(&value);
        mru_bag_free(&bag);
    }
}

void sim_edge_unknown_fields(struct sim_world *w) {
    add_unknown(w);
    sim_do(w, (struct sim_step){SIM_REDEEM, 1, 0, 0});
    sim_do(w, (struct sim_step){SIM_EXCHANGE, 1, 0, 0});
    add_unknown(w);
    sim_do(w, (struct sim_step){SIM_REFRESH, 1, 0, 0});
    sim_do(w, (struct sim_step){SIM_REVOKE_TOKEN, 1, 0, 1});
    sim_do(w, (struct sim_step){SIM_RAISE, 1, 0, 0});
    if (w->truth.token[1].cascaded == 0 || w->families[5].held != 2)
        sim_wrong(w, "edge", "records of a later release were not served");
    for (size_t i = 0; i < w->store.n; i++) {
        const struct sim_rec *rec = w->store.rows[i];
        struct mru_bag bag = {0};
        if (strchr("aersbht", rec->key[0]) == NULL)
            continue;
        if (mru_bag_decode(&bag, rec->value, rec->value_len) != MEREAU_OK ||
            mru_bag_text(&bag, 5999) == NULL)
            sim_wrong(w, "edge", "record %c lost what it does not know",
                      rec->key[0]);
        mru_bag_free(&bag);
    }
}

/* A record as the first release wrote it. Its bytes never change. */
void sim_edge_golden(struct sim_world *w) {
    static const char golden[] =
        "4d016554056170702d308c2749048d2749d80490034909b0024c0861706900776562"
        "00892744103031323334353637383961626364656672a4377b";
    uint8_t bytes[sizeof golden / 2], salt[16];
    struct mru_bag bag = {0};
    struct mru_buf again = {0};
    for (size_t i = 0; i < sizeof bytes; i++) {
        char two[3] = {golden[2 * i], golden[2 * i + 1], '\0'};
        bytes[i] = (uint8_t)strtoul(two, NULL, 16);
    }
    if (mru_bag_decode(&bag, bytes, sizeof bytes) != MEREAU_OK ||
        mru_bag_text(&bag, MEREAU_CLIENT_ID) == NULL ||
        strcmp(mru_bag_text(&bag, MEREAU_CLIENT_ID), "app-0") != 0 ||
        mru_bag_int(&bag, MRU_F_STEP) != MRU_STEP_FAMILY ||
        mru_bag_int(&bag, MRU_F_GENERATION) != 300 ||
        mru_bag_int(&bag, MEREAU_CREATED_AT) != -5 ||
        mru_bag_count(&bag, MEREAU_AUDIENCE) != 2 ||
        !mru_bag_lists(&bag, MEREAU_AUDIENCE, "web") ||
        !mru_bag_bytes(&bag, MRU_F_SALT, salt, sizeof salt))
        sim_wrong(w, "edge", "a record of the first release is not read");
    if (mru_bag_encode(&again, &bag) != 0 || again.len != sizeof bytes ||
        memcmp(again.data, bytes, sizeof bytes) != 0)
        sim_wrong(w, "edge", "a record is not written as before");
    mru_buf_free(&again);
    mru_bag_free(&bag);
    bytes[1]++;
    if (mru_bag_decode(&bag, bytes, sizeof bytes) != MEREAU_E_UNSUPPORTED)
        sim_wrong(w, "edge", "a record of a newer format was read");
    mru_bag_free(&bag);
}

/* A registration token is extended again and again; a device whose auth token
 * was revoked stays out as long as that goes on, however often is purged. */
void sim_edge_extended(struct sim_world *w) {
    mereau_error err = MEREAU_ERROR_INIT;
    mereau_op *op;
    mereau_status status;
    sim_do(w, (struct sim_step){SIM_REDEEM, 1, 0, 0});
    sim_do(w, (struct sim_step){SIM_REVOKE_AUTH, 1, 0, 0});
    for (int i = 0; i < 60 && w->wrong[0] == '\0'; i++) {
        w->now_at += 5 * MRU_DAY_S;
        op =
            mereau_registration_token_update(sim_tenant(w, 0), w->tokens[1].id);
        mereau_op_set_int(op, MEREAU_EXPIRES_AT, w->now_at + 6 * MRU_DAY_S);
        status = run(w, op);
        if (status == MEREAU_E_POLICY && i > 0) {
            w->now_at -= 5 * MRU_DAY_S; /* as far as it goes */
            break;
        }
        if (status != MEREAU_OK)
            sim_wrong(w, "edge", "a token was not extended: %s",
                      mereau_status_name(status));
        op = mereau_tenant_purge(sim_tenant(w, 0));
        do {
            if (sim_run(w, op, &err) != MEREAU_OK)
                sim_wrong(w, "edge", "purging failed: %s", err.text);
        } while (mereau_op_has_more(op) && w->wrong[0] == '\0');
        mereau_op_free(op);
    }
    op = mereau_registration_token_redeem(
        sim_tenant(w, 0), w->tokens[1].text, sim_device(0),
        (const uint8_t *)"0123456789abcdef", 16);
    status = run(w, op);
    if (status != MEREAU_E_ENROLLED && status != MEREAU_E_REVOKED)
        sim_wrong(w, "edge", "a revoked device enrols again: %s",
                  mereau_status_name(status));
}
