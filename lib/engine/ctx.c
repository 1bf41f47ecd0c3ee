/* lib/engine/ctx.c - the context (what the host brought) and tenant handles. */
#include "engine.h"

/* The first mistake of a setter is kept for mereau_ctx_ready(). */
static void mistake(mereau_ctx *ctx, mereau_status status, const char *rule,
                    const char *wanted, const char *found) {
    if (ctx->mistake.status == MEREAU_OK)
        mru_refuse(&ctx->mistake, status, rule, NULL, wanted, found);
}

static int may_set(mereau_ctx *ctx) {
    if (ctx == NULL)
        return 0;
    if (ctx->ready)
        mistake(ctx, MEREAU_E_STATE, "ctx.ready", "setting before ready",
                "a ready context");
    return !ctx->ready;
}

mereau_ctx *mereau_ctx_new(void) {
    mereau_ctx *ctx = mru_alloc(sizeof *ctx);
    if (ctx == NULL)
        return NULL;
    atomic_init(&ctx->refs, 1);
    ctx->cache = mru_cache_new();
    if (ctx->cache == NULL) {
        mru_ctx_release(ctx);
        return NULL;
    }
    mereau_error_init(&ctx->mistake, sizeof ctx->mistake);
    ctx->max_token = MEREAU_MAX_TOKEN;
    ctx->max_json = MEREAU_MAX_JSON;
    ctx->max_list = MEREAU_MAX_LIST;
    ctx->max_text = MEREAU_MAX_TEXT;
    ctx->max_page = MEREAU_MAX_PAGE;
    return ctx;
}

void mru_ctx_retain(mereau_ctx *ctx) { atomic_fetch_add(&ctx->refs, 1); }

void mru_ctx_release(mereau_ctx *ctx) {
    if (ctx == NULL || atomic_fetch_sub(&ctx->refs, 1) != 1)
        return;
    mru_cache_free(ctx->cache);
    for (size_t i = 0; i < ctx->n_roots; i++)
        mru_mac_free(ctx->roots[i].derive);
    mru_free_wiped(ctx, sizeof *ctx);
}

void mereau_ctx_free(mereau_ctx *ctx) { mru_ctx_release(ctx); }

/* Copies a table of callbacks: its size may be smaller than ours (an older
 * caller), what is missing reads as NULL. least: up to the last member that must
 * be there. */
static int copy_table(mereau_ctx *ctx, void *to, size_t size, size_t least,
                      const void *from, const char *what) {
    uint32_t given;
    if (!may_set(ctx))
        return 0;
    memset(to, 0, size);
    if (from == NULL) {
        mistake(ctx, MEREAU_E_ARG, what, "a table of callbacks", "NULL");
        return 0;
    }
    memcpy(&given, from, sizeof given);
    if (given < least) {
        mistake(ctx, MEREAU_E_SIZE, what, "its own size in the member size",
                "a smaller one");
        return 0;
    }
    memcpy(to, from, given < size ? given : size);
    return 1;
}

void mereau_ctx_set_store(mereau_ctx *ctx, const mereau_store *store) {
    if (ctx == NULL ||
        !copy_table(ctx, &ctx->store, sizeof ctx->store,
                    offsetof(mereau_store, scan), store, "ctx.store"))
        return;
    if (ctx->store.get == NULL || ctx->store.commit == NULL)
        mistake(ctx, MEREAU_E_INCOMPLETE, "ctx.store", "get and commit",
                "NULL");
    else if ((ctx->store.caps & MEREAU_CAP_ORDERED) != 0 &&
             ctx->store.scan == NULL)
        mistake(ctx, MEREAU_E_UNSUPPORTED, "ctx.store",
                "scan, for MEREAU_CAP_ORDERED", "NULL");
}

void mereau_ctx_set_clock(mereau_ctx *ctx, const mereau_clock *clock) {
    if (ctx != NULL &&
        copy_table(ctx, &ctx->clock, sizeof ctx->clock, sizeof ctx->clock,
                   clock, "ctx.clock") &&
        ctx->clock.now == NULL)
        mistake(ctx, MEREAU_E_INCOMPLETE, "ctx.clock", "now", "NULL");
}

void mereau_ctx_set_random(mereau_ctx *ctx, const mereau_random *random) {
    if (ctx != NULL &&
        copy_table(ctx, &ctx->random, sizeof ctx->random, sizeof ctx->random,
                   random, "ctx.random") &&
        ctx->random.fill == NULL)
        mistake(ctx, MEREAU_E_INCOMPLETE, "ctx.random", "fill", "NULL");
}

void mereau_ctx_set_signer(mereau_ctx *ctx, const mereau_signer *signer) {
    if (ctx != NULL &&
        copy_table(ctx, &ctx->signer, sizeof ctx->signer, sizeof ctx->signer,
                   signer, "ctx.signer") &&
        ctx->signer.sign == NULL)
        mistake(ctx, MEREAU_E_INCOMPLETE, "ctx.signer", "sign", "NULL");
}

void mereau_ctx_set_events(mereau_ctx *ctx, const mereau_events *events) {
    if (ctx != NULL &&
        copy_table(ctx, &ctx->events, sizeof ctx->events, sizeof ctx->events,
                   events, "ctx.events") &&
        ctx->events.event == NULL)
        mistake(ctx, MEREAU_E_INCOMPLETE, "ctx.events", "event", "NULL");
}

void mereau_ctx_set_waiter(mereau_ctx *ctx, const mereau_waiter *waiter) {
    if (ctx != NULL &&
        copy_table(ctx, &ctx->waiter, sizeof ctx->waiter, sizeof ctx->waiter,
                   waiter, "ctx.waiter") &&
        ctx->waiter.wait == NULL)
        mistake(ctx, MEREAU_E_INCOMPLETE, "ctx.waiter", "wait", "NULL");
}

void mereau_ctx_keep_events(mereau_ctx *ctx) {
    if (may_set(ctx))
        ctx->keep_events = 1;
}

void mereau_ctx_add_root_key(mereau_ctx *ctx, const char *name,
                             const uint8_t *key, size_t key_len) {
    struct mru_root_key root = {0};
    uint8_t digest[MRU_SHA256], secret[32] = {0};
    size_t len = name == NULL ? 0 : strlen(name);
    mereau_slice salt = {NULL, 0};
    mereau_slice derive = {(const uint8_t *)"mereau derive", 13};
    mereau_slice wrap = {(const uint8_t *)"mereau wrap", 11};
    mereau_slice epoch[2] = {{(const uint8_t *)"mereau epoch", 12},
                             {(const uint8_t *)name, len}};
    if (!may_set(ctx))
        return;
    if (len == 0 || len > 32 || key == NULL || key_len < 32 || key_len > 64 ||
        ctx->n_roots == MRU_MAX_ROOT_KEYS) {
        mistake(ctx, MEREAU_E_ARG, "ctx.root_key",
                "a name of 1..32 bytes and 32..64 random bytes, 8 keys at "
                "most",
                "something else");
        return;
    }
    memcpy(root.name, name, len);
    if (mru_hash(MRU_SHA256, epoch, 2, digest) != 0 ||
        mru_hkdf(key, key_len, &salt, &derive, secret, sizeof secret) != 0 ||
        mru_hkdf(key, key_len, &salt, &wrap, root.wrap, 32) != 0)
        mistake(ctx, MEREAU_E_CRYPTO, "ctx.root_key", NULL, NULL);
    root.derive = mru_mac_new(MRU_SHA256, secret, sizeof secret);
    mru_wipe(secret, sizeof secret);
    if (root.derive == NULL)
        mistake(ctx, MEREAU_E_NOMEM, "ctx.root_key", NULL, NULL);
    memcpy(root.epoch, digest, sizeof root.epoch);
    for (size_t i = 0; i < ctx->n_roots; i++)
        if (memcmp(ctx->roots[i].epoch, root.epoch, 2) == 0)
            mistake(ctx, MEREAU_E_EXISTS, "ctx.root_key",
                    "a name that no other root key has or hashes like",
                    "such a one");
    ctx->roots[ctx->n_roots++] = root;
    mru_wipe(&root, sizeof root);
}

void mereau_ctx_set_limit(mereau_ctx *ctx, const char *limit_name,
                          int64_t value) {
    if (!may_set(ctx))
        return;
    const struct {
        const char *name;
        int64_t *limit, most;
    } limits[] = {{"max_token", &ctx->max_token, MEREAU_MAX_TOKEN},
                  {"max_json", &ctx->max_json, MEREAU_MAX_JSON},
                  {"max_list", &ctx->max_list, MEREAU_MAX_LIST},
                  {"max_text", &ctx->max_text, MEREAU_MAX_TEXT},
                  {"max_page", &ctx->max_page, MEREAU_MAX_PAGE}};
    for (size_t i = 0; i < sizeof limits / sizeof limits[0]; i++)
        if (limit_name != NULL && strcmp(limit_name, limits[i].name) == 0 &&
            value >= 1 && value <= limits[i].most) {
            *limits[i].limit = value;
            return;
        }
    mistake(ctx, MEREAU_E_ARG, "ctx.limit",
            "a limit of max_token, max_json, max_list, max_text, max_page, "
            "from 1 up",
            limit_name == NULL ? "NULL" : limit_name);
}

static mereau_status check_ready(mereau_ctx *ctx, mereau_error *err) {
    uint8_t probe[16];
    int32_t code = 0;
    if (ctx->mistake.status != MEREAU_OK) {
        mereau_status status = ctx->mistake.status;
        if (err != NULL)
            *err = ctx->mistake;
        mereau_error_init(&ctx->mistake, sizeof ctx->mistake);
        return status;
    }
    if (ctx->clock.now == NULL)
        return mru_refuse(err, MEREAU_E_INCOMPLETE, "ctx.clock", NULL,
                          "a clock: mereau_ctx_set_clock()", "none");
    if (ctx->n_roots == 0)
        return mru_refuse(err, MEREAU_E_INCOMPLETE, "ctx.root_key", NULL,
                          "a root key: mereau_ctx_add_root_key()", "none");
    code = ctx->random.fill != NULL
               ? ctx->random.fill(ctx->random.user, probe, sizeof probe)
               : mru_os_random(NULL, probe, sizeof probe);
    mru_wipe(probe, sizeof probe);
    if (code != 0)
        return mru_refuse_host(err, MEREAU_E_RANDOM, code, "ctx.random",
                               "random bytes", "a failure");
    return MEREAU_OK;
}

mereau_status mereau_ctx_ready(mereau_ctx *ctx, mereau_error *err) {
    mereau_status status = mru_error_reset(err);
    if (status != MEREAU_OK)
        return status;
    if (ctx == NULL)
        return mru_refuse(err, MEREAU_E_NOMEM, "ctx", NULL, "a context",
                          "NULL");
    status = check_ready(ctx, err);
    ctx->ready = ctx->ready || status == MEREAU_OK;
    return status;
}

/* --- tenants --- */

static int tenant_name_valid(const char *name) {
    size_t len = name == NULL ? 0 : strlen(name);
    if (len == 0 || len > 64)
        return 0;
    return strspn(name, "abcdefghijklmnopqrstuvwxyz0123456789._-") == len;
}

mereau_tenant *mereau_tenant_open(const mereau_ctx *ctx, const char *name) {
    mereau_tenant *tenant;
    if (ctx == NULL || (tenant = mru_alloc(sizeof *tenant)) == NULL)
        return NULL;
    atomic_init(&tenant->refs, 1);
    tenant->ctx = (mereau_ctx *)(uintptr_t)ctx; /* its count is all we change */
    mru_ctx_retain(tenant->ctx);
    tenant->bad_name = !tenant_name_valid(name);
    if (!tenant->bad_name)
        memcpy(tenant->name, name, strlen(name));
    if (mru_tenant_tag(tenant->tag, tenant->name) != 0) {
        mereau_tenant_free(tenant); /* some providers need memory for a hash */
        return NULL;
    }
    return tenant;
}

void mereau_tenant_free(mereau_tenant *tenant) {
    if (tenant == NULL || atomic_fetch_sub(&tenant->refs, 1) != 1)
        return;
    mru_ctx_release(tenant->ctx);
    mru_free(tenant);
}
