/* tests/flow/test_secrets_at_rest.c - no credential that was ever given to
 * anybody stands in the store: every record's key and value, and every byte of
 * the SQLite file and its log, is searched for each of them, whole, and for its
 * secret part in every form it could have. Nor in events and errors. */
#include "flow.h"

#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "key_texts.h"

#include "credential/credential.h"
#include "json/json.h"

#define JKT "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"

struct needle {
    uint8_t bytes[2100];
    size_t len;
    char name[48];
};
static struct needle needles[600];
static size_t n_needles;

static void add(const char *name, const void *bytes, size_t len) {
    struct needle *one = &needles[n_needles];
    assert_true(len >= 12 && len <= sizeof one->bytes);
    assert_true(n_needles < sizeof needles / sizeof needles[0]);
    n_needles++;
    memcpy(one->bytes, bytes, len);
    one->len = len;
    snprintf(one->name, sizeof one->name, "%s", name);
}

/* Bytes, and how they look in base64url at each of the three alignments, in hex
 * of both cases. */
static void add_forms(const char *name, const uint8_t *bytes, size_t len) {
    char text[300], word[64];
    add(name, bytes, len);
    for (size_t shift = 0; shift < 3; shift++) {
        uint8_t padded[128] = {0};
        size_t n = MRU_B64_LEN(len + shift);
        snprintf(word, sizeof word, "%s, base64url %d", name, (int)shift);
        memcpy(padded + shift, bytes, len);
        mru_b64_encode(text, padded, len + shift);
        add(word, text + 4, n - 8); /* without what its neighbours decide */
    }
    for (int upper = 0; upper < 2; upper++) {
        for (size_t i = 0; i < len; i++)
            snprintf(text + 2 * i, 3, upper ? "%02X" : "%02x", bytes[i]);
        snprintf(word, sizeof word, "%s, hex", name);
        add(word, text, 2 * len);
    }
}

static void add_credential(const char *name, const char *text) {
    struct mru_cred cred;
    assert_non_null(text);
    add(name, text, strlen(text));
    add(name, text + 11, strlen(text) - 11); /* without prefix */
    assert_int_equal(mru_cred_parse(&cred, 0, text, strlen(text), NULL),
                     MEREAU_OK);
    add_forms(name, cred.secret, sizeof cred.secret);
}

/* A JWT: all of it, and its signature. */
static void add_jwt(const char *text) {
    const char *dot = strrchr(text, '.');
    assert_non_null(dot);
    add("a JWT", text, strlen(text));
    add("a JWT's signature", dot + 1, strlen(dot + 1));
}

static void add_pair(const struct flow_pair *p) {
    if (strncmp(p->access, "mereau_", 7) == 0)
        add_credential("an opaque access token", p->access);
    else
        add_jwt(p->access);
    if (p->refresh != NULL)
        add_credential("a refresh token", p->refresh);
}

static void add_nonce(uint8_t fill) {
    uint8_t nonce[16];
    memset(nonce, fill, sizeof nonce);
    add("a nonce", nonce, sizeof nonce);
}

/* --- a long scenario --- */

static struct flow_pair live_once(struct flow *f, const char *token,
                                  const char *device, uint8_t nonce) {
    mereau_op *op = DONE(f, flow_redeem(f, token, device, nonce));
    struct flow_pair p;
    const char *auth = mereau_op_text(op, MEREAU_AUTH_TOKEN);
    add_credential("an auth token", auth);
    op = mereau_auth_token_exchange(f->tenant, auth);
    flow_nonce(op, (uint8_t)(nonce + 1));
    p = flow_pair_of(DONE(f, op));
    add_pair(&p);
    for (int i = 0; i < 4; i++) {
        op = mereau_token_refresh(f->tenant, p.refresh);
        flow_nonce(op, (uint8_t)(nonce + 2));
        p = flow_pair_of(DONE(f, op));
        add_pair(&p);
    }
    p.auth = auth;
    add_nonce(nonce);
    add_nonce((uint8_t)(nonce + 1));
    add_nonce((uint8_t)(nonce + 2));
    return p;
}

static void add_key_import(struct flow *f) {
    static const char jwk[] =
        "{\"kty\":\"EC\",\"crv\":\"P-256\","
        "\"x\":\"f83OJ3D2xF1Bg8vub9tLe1gHMzV76e8Tus9uPHvRVEU\","
        "\"y\":\"x_FEzRu9m36HLN_tue659LNpXW6pCyStikYjKIWI5a0\","
        "\"d\":\"jpsQnnGQmL-YBIffH1136cspYG6-0iY7X1fCE9-E9LI\"}";
    uint8_t d[64];
    mereau_op *op = mereau_key_import(f->tenant, MEREAU_ALG_ES256);
    mereau_op_set_text(op, MEREAU_JWK, jwk);
    DONE(f, op);
    assert_int_equal(
        mru_b64_decode(d, "jpsQnnGQmL-YBIffH1136cspYG6-0iY7X1fCE9-E9LI", 43),
        32);
    add_forms("a private key's d", d, 32);
    op = mereau_key_import(f->tenant, MEREAU_ALG_RS256);
    mereau_op_set_text(op, MEREAU_PEM, rsa_pkcs8);
    DONE(f, op);
    for (const char *line = strchr(rsa_pkcs8, '\n'); line != NULL;
         line = strchr(line + 1, '\n'))
        if (strlen(line) > 60 && line[1] != '-' && n_needles < 500)
            add("a line of a PEM", line + 1, 48);
}

static void scenario(struct flow *f) {
    struct flow_token t, u;
    struct flow_pair p;
    mereau_op *op;
    char token[300];
    flow_app(f, NULL);
    flow_app_named(f, "opq", "{\"token_format\":\"opaque\"}");
    for (int i = 0; i < 3; i++) {
        op = DONE(f, mereau_app_secret_add(f->tenant, "app"));
        add_credential("a client secret",
                       mereau_op_text(op, MEREAU_CLIENT_SECRET));
        DONE(f,
             mereau_app_authenticate(f->tenant, "app",
                                     mereau_op_text(op, MEREAU_CLIENT_SECRET)));
    }
    t = flow_mint(f, 50, DAY);
    add_credential("a registration token", t.text);
    op = mereau_registration_token_mint_many(f->tenant, "app", 3, DAY);
    mereau_op_set_text(op, MEREAU_IDEMPOTENCY_KEY, "many");
    DONE(f, op);
    while (mereau_op_next_row(op))
        add_credential("one of many",
                       mereau_op_text(op, MEREAU_REGISTRATION_TOKEN));
    p = live_once(f, t.text, "d1", 0x11);
    live_once(f, t.text, "d2", 0x21);
    DONE(f, mereau_token_verify_live(f->tenant, p.access));
    DONE(f, mereau_token_introspect(f->tenant, p.refresh));
    REFUSED(f, mereau_auth_token_exchange(f->tenant, p.auth), MEREAU_E_REUSED,
            NULL);
    op = mereau_registration_token_mint(f->tenant, "opq", 5, DAY);
    mereau_op_set_text(op, MEREAU_IDEMPOTENCY_KEY, "once");
    DONE(f, op);
    snprintf(token, sizeof token, "%s",
             mereau_op_text(op, MEREAU_REGISTRATION_TOKEN));
    add_credential("a registration token", token);
    p = live_once(f, token, "d3", 0x31);
    DONE(f, mereau_token_revoke(f->tenant, p.access));
    DONE(f, flow_redeem_key(f, t.text, "keyed", JKT));
    DONE(f, mereau_device_rearm(f->tenant, t.id, "d2"));
    live_once(f, t.text, "d2", 0x41);
    op = DONE(f, mereau_registration_token_reissue(f->tenant, t.id, DAY));
    u.text = mereau_op_text(op, MEREAU_REGISTRATION_TOKEN);
    add_credential("a reissued token", u.text);
    op = mereau_registration_token_get(f->tenant, NULL);
    mereau_op_set_text(op, MEREAU_REGISTRATION_TOKEN, u.text);
    DONE(f, op);
    add_key_import(f);
    DONE(f, mereau_key_generate(f->tenant, MEREAU_ALG_ES256));
    op = DONE(f, mereau_tenant_get(f->tenant));
    DONE(f, mereau_key_revoke(f->tenant, mereau_op_text(op, MEREAU_KID)));
    add("the root key", "tests/flow: a root key of no use", 32);
}

/* --- searching --- */

static const uint8_t *find(const uint8_t *in, size_t in_len,
                           const uint8_t *what, size_t len) {
    for (size_t i = 0; len <= in_len && i <= in_len - len; i++) {
        const uint8_t *at = memchr(in + i, what[0], in_len - len - i + 1);
        if (at == NULL)
            return NULL;
        i = (size_t)(at - in);
        if (memcmp(at, what, len) == 0)
            return at;
    }
    return NULL;
}

static void search(const uint8_t *in, size_t len, const char *where) {
    for (size_t i = 0; i < n_needles; i++)
        if (find(in, len, needles[i].bytes, needles[i].len) != NULL)
            fail_msg("%s stands in %s", needles[i].name, where);
}

static void search_records(struct flow *f) {
    struct flow_records records;
    flow_records_take(f, &records);
    assert_true(records.n > 50);
    for (size_t i = 0; i < records.n; i++) {
        char where[32];
        snprintf(where, sizeof where, "a record of kind %c",
                 records.all[i].key[0]);
        search(records.all[i].key, records.all[i].key_len, where);
        search(records.all[i].value, records.all[i].value_len, where);
    }
    flow_records_free(&records);
}

static size_t search_file(const char *path) {
    FILE *file = fopen(path, "rb");
    uint8_t *bytes;
    long len;
    if (file == NULL)
        return 0;
    assert_int_equal(fseek(file, 0, SEEK_END), 0);
    len = ftell(file);
    rewind(file);
    bytes = malloc((size_t)len + 1);
    assert_non_null(bytes);
    assert_int_equal(fread(bytes, 1, (size_t)len, file), (size_t)len);
    fclose(file);
    search(bytes, (size_t)len, path);
    free(bytes);
    return (size_t)len;
}

static void run_and_search(struct flow *f) {
    n_needles = 0;
    scenario(f);
    assert_true(n_needles > 200);
    search_records(f);
    search((const uint8_t *)f->told, f->told_len, "the events");
}

static void no_credential_stands_in_a_record(void **state) {
    const struct flow_setup setup = {.seed = 1, .keep_events = 1};
    struct flow f;
    (void)state;
    flow_open(&f, &setup);
    run_and_search(&f);
    flow_close(&f);
}

static void no_credential_stands_in_the_file_or_its_log(void **state) {
    char folder[] = "/tmp/mereau-flow-XXXXXX", path[64], log[80], shm[80];
    struct flow_setup setup = {.seed = 2, .keep_events = 1};
    struct flow f;
    (void)state;
    assert_non_null(mkdtemp(folder));
    snprintf(path, sizeof path, "%s/store.db", folder);
    snprintf(log, sizeof log, "%s-wal", path);
    snprintf(shm, sizeof shm, "%s-shm", path);
    setup.sqlite = path;
    flow_open(&f, &setup);
    run_and_search(&f);
    assert_true(search_file(path) + search_file(log) > 10000);
    flow_close(&f);
    assert_true(search_file(path) > 10000);
    unlink(path);
    unlink(log);
    unlink(shm);
    rmdir(folder);
}

/* The search itself: what does stand there is found. */
static void what_is_there_is_found(void **state) {
    const struct flow_setup setup = {.seed = 3};
    struct flow f;
    struct flow_records records;
    int found = 0;
    (void)state;
    flow_open(&f, &setup);
    flow_app(&f, "{\"description\":\"a needle in a haystack\"}");
    flow_records_take(&f, &records);
    for (size_t i = 0; i < records.n; i++)
        found += find(records.all[i].value, records.all[i].value_len,
                      (const uint8_t *)"needle in", 9) != NULL;
    assert_int_equal(found, 1);
    flow_records_free(&records);
    flow_close(&f);
}

/* Errors of every refusal that can be had with a credential at hand. */
static void no_credential_stands_in_an_error(void **state) {
    struct flow f;
    struct flow_token t;
    struct flow_pair p;
    const char *tokens[8];
    size_t n = 0;
    (void)state;
    flow_start(&f);
    n_needles = 0;
    flow_app(&f, NULL);
    t = flow_mint(&f, 2, DAY);
    p = flow_enrol(&f, t.text, "d1");
    add_credential("a registration token", t.text);
    add_credential("an auth token", p.auth);
    add_pair(&p);
    tokens[n++] = t.text;
    tokens[n++] = p.auth;
    tokens[n++] = p.access;
    tokens[n++] = p.refresh;
    for (size_t i = 0; i < n; i++)
        for (int which = 0; which < 12; which++) {
            mereau_op *op = NULL;
            char changed[2100];
            const char *token = tokens[i];
            if (which >= 6) {
                snprintf(changed, sizeof changed, "%s", token);
                changed[strlen(changed) / 2] ^= 1;
                token = changed;
            }
            switch (which % 6) {
            case 0:
                op = flow_redeem(&f, token, "d1", 99);
                break;
            case 1:
                op = mereau_auth_token_exchange(f.tenant, token);
                break;
            case 2:
                op = mereau_token_refresh(f.tenant, token);
                mereau_op_set_text(op, MEREAU_CLIENT_ID, token);
                break;
            case 3:
                op = mereau_token_verify_live(f.tenant, token);
                mereau_op_set_text(op, MEREAU_AUDIENCE, token);
                break;
            case 4:
                op = mereau_app_authenticate(f.tenant, "app", token);
                break;
            default:
                op = mereau_op_new(f.tenant, token);
            }
            mereau_op_run(op, &flow_error);
            search((const uint8_t *)&flow_error, sizeof flow_error, "an error");
            mereau_op_free(op);
        }
    flow_close(&f);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_is_there_is_found),
        cmocka_unit_test(no_credential_stands_in_a_record),
        cmocka_unit_test(no_credential_stands_in_the_file_or_its_log),
        cmocka_unit_test(no_credential_stands_in_an_error),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
