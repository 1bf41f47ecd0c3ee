/* tests/flow/test_golden_records.c - records as this format's first release wrote
 * them (tests/vectors/golden) are used by every later one; what a later release
 * adds is kept; what is of another format, cut short or altered is refused and is
 * never taken for a record that is not there or says less.
 *
 * `test_golden_records write` prints the file anew: only for another format. */
#include "flow.h"

#include <stdio.h>
#include <stdlib.h>

#include "record/bag.h"
#include "record/fields.h"

#define FILE_NAME "tests/vectors/golden/format-1.hex"
#define WRITTEN_AT (T0 + 3600) /* when the scenario ended */

static struct flow_records golden;
static struct {
    char name[32];
    char text[2048];
} texts[32];
static size_t n_texts;

static const char *text_of(const char *name) {
    for (size_t i = 0; i < n_texts; i++)
        if (strcmp(texts[i].name, name) == 0)
            return texts[i].text;
    fail_msg("no text %s", name);
    return NULL;
}

static mereau_op *with(mereau_op *op, int32_t field, const char *text) {
    mereau_op_set_text(op, field, text);
    return op;
}

static mereau_op *with_int(mereau_op *op, int32_t field, int64_t number) {
    mereau_op_set_int(op, field, number);
    return op;
}

/* --- the scenario, and the file --- */

static void say(const char *name, const char *text) {
    printf("text %s %s\n", name, text);
}

static struct flow_pair say_family(struct flow *f, const char *token,
                                   const char *device) {
    struct flow_pair p = flow_enrol(f, token, device);
    say(device, p.refresh);
    return p;
}

static void play(struct flow *f) {
    flow_app(f, "{\"redirect_uri\":[\"https://app.example/back\"]}");
    say("secret",
        mereau_op_text(DONE(f, mereau_app_secret_add(f->tenant, "app")),
                       MEREAU_CLIENT_SECRET));
    struct flow_token t = flow_mint(f, 9, 30 * DAY);
    say("token", t.text);
    say("token_id", t.id);
    say("hot", flow_mint(f, 200, 30 * DAY).text);
    mereau_op *op = mereau_registration_token_mint(f->tenant, "app", 1, DAY);
    DONE(f, with(op, MEREAU_IDEMPOTENCY_KEY, "once"));
    say("once", mereau_op_text(op, MEREAU_REGISTRATION_TOKEN));
    struct flow_token u = flow_mint(f, 9, DAY);
    DONE(f, with_int(mereau_registration_token_update(f->tenant, u.id),
                     MEREAU_ENABLED, 0));
    say("disabled", u.text);
    DONE(f, with(flow_redeem(f, t.text, "d0", 1), MEREAU_HOST_NAME, "pc0"));
    struct flow_pair p = flow_enrol(f, t.text, "d1");
    f->now_at += 3000;
    say("d1_older", p.refresh);
    p = flow_pair_of(DONE(f, mereau_token_refresh(f->tenant, p.refresh)));
    f->now_at += 599;
    p = flow_pair_of(DONE(f, mereau_token_refresh(f->tenant, p.refresh)));
    say("d1", p.refresh);
    say("d1_access", p.access);
    say_family(f, t.text, "d2");
    p = say_family(f, t.text, "d3");
    DONE(f, mereau_family_revoke(f->tenant, p.family));
    u = flow_mint(f, 9, DAY);
    say_family(f, u.text, "d4");
    DONE(f, with_int(mereau_registration_token_revoke(f->tenant, u.id),
                     MEREAU_CASCADE, 1));
    u = flow_mint_with(f, 9, DAY, "{\"subject\":\"ann\"}");
    say_family(f, u.text, "d5");
    DONE(f,
         mereau_not_before_raise(f->tenant, MEREAU_SUBJECT, "ann", MEREAU_NOW));
    DONE(f, mereau_device_block(f->tenant, "bad"));
    DONE(f, mereau_key_generate(f->tenant, MEREAU_ALG_ES256));
    f->now_at = WRITTEN_AT;
}

static void print_hex(const uint8_t *data, size_t len) {
    for (size_t i = 0; i < len; i++)
        printf("%02x", data[i]);
}

static int write_file(void) {
    const struct flow_setup setup = {.seed = 2026, .keep_events = 1};
    struct flow f;
    struct flow_records records;
    flow_open(&f, &setup);
    play(&f);
    flow_records_take(&f, &records);
    for (size_t i = 0; i < records.n; i++) {
        printf("record ");
        print_hex(records.all[i].key, records.all[i].key_len);
        printf(" %llu %lld ", (unsigned long long)records.all[i].version,
               (long long)records.all[i].drop_at);
        print_hex(records.all[i].value, records.all[i].value_len);
        printf("\n");
    }
    flow_records_free(&records);
    flow_close(&f);
    return 0;
}

static size_t from_hex(uint8_t *out, size_t cap, const char *text) {
    size_t len = strlen(text) / 2;
    assert_true(len <= cap && strlen(text) % 2 == 0);
    for (size_t i = 0; i < len; i++) {
        unsigned byte;
        assert_int_equal(sscanf(text + 2 * i, "%2x", &byte), 1);
        out[i] = (uint8_t)byte;
    }
    return len;
}

static void read_record(char *line) {
    static const char space[] = " \n";
    struct flow_record *one = &golden.all[golden.n++];
    const char *key = strtok(line, space);
    const char *version = strtok(NULL, space);
    const char *drop_at = strtok(NULL, space);
    const char *value = strtok(NULL, space);
    assert_true(golden.n < 200);
    assert_non_null(value);
    one->key_len = from_hex(one->key, sizeof one->key, key);
    one->value = malloc(strlen(value) / 2 + 1);
    assert_non_null(one->value);
    one->value_len = from_hex(one->value, strlen(value) / 2, value);
    one->version = strtoull(version, NULL, 10);
    one->drop_at = strtoll(drop_at, NULL, 10);
}

static int read_file(void **state) {
    static char line[65536];
    FILE *file = fopen(FILE_NAME, "r");
    (void)state;
    golden.all = calloc(200, sizeof *golden.all);
    if (file == NULL || golden.all == NULL)
        return -1;
    while (fgets(line, sizeof line, file) != NULL) {
        if (strncmp(line, "record ", 7) == 0)
            read_record(line + 7);
        else if (sscanf(line, "text %31s %2047s", texts[n_texts].name,
                        texts[n_texts].text) == 2)
            n_texts++;
    }
    fclose(file);
    return golden.n > 20 ? 0 : -1;
}

static int forget_file(void **state) {
    (void)state;
    flow_records_free(&golden);
    return 0;
}

static int setup(void **state) {
    const struct flow_setup how = {.seed = 5, .keep_events = 1, .no_tenant = 1};
    struct flow *f = malloc(sizeof *f);
    if (f == NULL)
        return -1;
    *state = f;
    flow_open(f, &how);
    flow_records_put(f, &golden);
    f->now_at = WRITTEN_AT;
    return 0;
}

static int teardown(void **state) {
    flow_close(*state);
    free(*state);
    return 0;
}

/* --- what was written is used --- */

static mereau_op *refresh(struct flow *f, const char *name) {
    return mereau_token_refresh(f->tenant, text_of(name));
}

static mereau_op *live(struct flow *f, const char *name) {
    return mereau_token_verify_live(f->tenant, text_of(name));
}

static void golden_registration_tokens_are_redeemed(void **state) {
    struct flow *f = *state;
    struct flow_pair p = flow_enrol(f, text_of("token"), "new");
    DONE(f, mereau_token_verify_live(f->tenant, p.access));
    assert_int_equal(flow_used(f, text_of("token_id")), 5);
    mereau_op *op = DONE(f, flow_redeem(f, text_of("token"), "d0", 1));
    assert_int_equal(mereau_op_int(op, MEREAU_REPEATED), 1);
    REFUSED(f, flow_redeem(f, text_of("token"), "d0", 2), MEREAU_E_ENROLLED,
            NULL);
    for (int i = 0; i < 4; i++) {
        char device[] = {'x', (char)('0' + i), '\0'};
        DONE(f, flow_redeem(f, text_of("token"), device, 1));
    }
    REFUSED(f, flow_redeem(f, text_of("token"), "10th", 1), MEREAU_E_USED_UP,
            NULL);
    DONE(f, flow_redeem(f, text_of("hot"), "new", 1));
}

static void golden_families_are_refreshed(void **state) {
    struct flow *f = *state;
    mereau_op *op = DONE(f, refresh(f, "d1"));
    assert_int_equal(mereau_op_int(op, MEREAU_REPEATED), 0);
    DONE(f, mereau_token_refresh(f->tenant,
                                 mereau_op_text(op, MEREAU_REFRESH_TOKEN)));
    REFUSED(f, refresh(f, "d1_older"), MEREAU_E_REUSED, NULL);
    REFUSED(f, refresh(f, "d1"), MEREAU_E_REVOKED, NULL);
    DONE(f, refresh(f, "d2"));
}

static void golden_keyrings_open_and_sign(void **state) {
    struct flow *f = *state;
    f->now_at = T0 + 3599;
    assert_int_equal(flow_verify(f, text_of("d1_access")), MEREAU_OK);
    DONE(f, live(f, "d1_access"));
    mereau_op *op = DONE(f, refresh(f, "d1"));
    assert_int_equal(flow_verify(f, mereau_op_text(op, MEREAU_ACCESS_TOKEN)),
                     MEREAU_OK);
    f->now_at += 2 * DAY; /* the next key signs by now */
    op = DONE(f, refresh(f, "d2"));
    assert_int_equal(flow_verify(f, mereau_op_text(op, MEREAU_ACCESS_TOKEN)),
                     MEREAU_OK);
}

static void golden_refusals_stay(void **state) {
    struct flow *f = *state;
    REFUSED(f, refresh(f, "d3"), MEREAU_E_REVOKED, NULL);
    REFUSED(f, refresh(f, "d4"), MEREAU_E_REVOKED, NULL);
    REFUSED(f, refresh(f, "d5"), MEREAU_E_NOT_BEFORE, NULL);
    REFUSED(f, flow_redeem(f, text_of("token"), "bad", 1), MEREAU_E_BLOCKED,
            NULL);
    REFUSED(f, flow_redeem(f, text_of("disabled"), "new", 1), MEREAU_E_DISABLED,
            NULL);
    REFUSED(f, mereau_app_create(f->tenant, NULL), MEREAU_E_FIELD, NULL);
    REFUSED(
        f, with(mereau_app_create(f->tenant, "other"), MEREAU_CLIENT_ID, "app"),
        MEREAU_E_EXISTS, NULL);
}

static void golden_answers_are_given_again(void **state) {
    struct flow *f = *state;
    mereau_op *op = mereau_registration_token_mint(f->tenant, "app", 1, DAY);
    DONE(f, with(op, MEREAU_IDEMPOTENCY_KEY, "once"));
    assert_string_equal(mereau_op_text(op, MEREAU_REGISTRATION_TOKEN),
                        text_of("once"));
    DONE(f, mereau_app_authenticate(f->tenant, "app", text_of("secret")));
    DONE(f, mereau_app_redirect_check(f->tenant, "app",
                                      "https://app.example/back"));
}

static int rows(struct flow *f, mereau_op *list) {
    int n = 0;
    for (DONE(f, list); mereau_op_next_row(list);)
        n++;
    return n;
}

static void golden_lists_are_read(void **state) {
    struct flow *f = *state;
    assert_int_equal(rows(f, mereau_app_list(f->tenant)), 1);
    assert_int_equal(rows(f, mereau_registration_token_list(f->tenant)), 6);
    assert_int_equal(rows(f, mereau_auth_token_list(f->tenant)), 6);
    assert_int_equal(rows(f, mereau_family_list(f->tenant)), 5);
    assert_int_equal(rows(f, mereau_app_credential_list(f->tenant, "app")), 1);
    assert_true(rows(f, mereau_audit_list(f->tenant)) > 20);
    assert_int_equal(rows(f, mereau_key_list(f->tenant)), 3);
}

/* --- what a later release adds is kept --- */

#define LATER_PRIVATE 5999 /* numbers that nothing uses */
#define LATER_PUBLIC 999

static void add_later(struct flow_record *one) {
    struct mru_bag bag = {0};
    struct mru_buf out = {0};
    if (one->value_len == 0)
        return;
    assert_int_equal(mru_bag_decode(&bag, one->value, one->value_len),
                     MEREAU_OK);
    mru_bag_set_data(&bag, LATER_PRIVATE, 'D', "later", 5);
    mru_bag_set_text(&bag, LATER_PUBLIC, "and this");
    assert_int_equal(mru_bag_encode(&out, &bag), 0);
    one->value = realloc(one->value, out.len);
    assert_non_null(one->value);
    memcpy(one->value, out.data, out.len);
    one->value_len = out.len;
    mru_buf_free(&out);
    mru_bag_free(&bag);
}

static int has_later(const struct flow_record *one) {
    struct mru_bag bag = {0};
    uint8_t data[5];
    assert_int_equal(mru_bag_decode(&bag, one->value, one->value_len),
                     MEREAU_OK);
    const char *text = mru_bag_text(&bag, LATER_PUBLIC);
    int has = mru_bag_bytes(&bag, LATER_PRIVATE, data, sizeof data) &&
              memcmp(data, "later", 5) == 0 && text != NULL &&
              strcmp(text, "and this") == 0;
    mru_bag_free(&bag);
    return has;
}

static const struct flow_record *find(const struct flow_records *records,
                                      const struct flow_record *one) {
    for (size_t i = 0; i < records->n; i++)
        if (records->all[i].key_len == one->key_len &&
            memcmp(records->all[i].key, one->key, one->key_len) == 0)
            return &records->all[i];
    return NULL;
}

/* Has every kind of record written again. */
static void change_everything(struct flow *f) {
    const char *id = text_of("token_id");
    DONE(f, refresh(f, "d1"));
    DONE(f, mereau_token_revoke(f->tenant, text_of("d2")));
    DONE(f, flow_redeem(f, text_of("token"), "new", 1));
    DONE(f, flow_redeem(f, text_of("hot"), "new", 1));
    DONE(f, with_int(mereau_registration_token_update(f->tenant, id),
                     MEREAU_COUNT, 12));
    DONE(f, with(mereau_app_update(f->tenant, "app"), MEREAU_LABEL, "x"));
    DONE(f, mereau_app_secret_add(f->tenant, "app"));
    DONE(f, with(mereau_tenant_update(f->tenant), MEREAU_LABEL, "x"));
    DONE(f,
         mereau_not_before_raise(f->tenant, MEREAU_SUBJECT, "ann", MEREAU_NOW));
    DONE(f, mereau_device_unblock(f->tenant, "bad"));
    DONE(f, mereau_key_generate(f->tenant, MEREAU_ALG_ES256));
    f->now_at += 3600;
    DONE(f, mereau_app_authenticate(f->tenant, "app", text_of("secret")));
}

static void what_a_later_release_adds_is_kept(void **state) {
    struct flow *f = *state;
    struct flow_records before, after;
    char kinds[256] = {0};
    flow_records_take(f, &before);
    for (size_t i = 0; i < before.n; i++)
        add_later(&before.all[i]);
    flow_records_put(f, &before);
    change_everything(f);
    flow_records_take(f, &after);
    for (size_t i = 0; i < before.n; i++) {
        const struct flow_record *now = find(&after, &before.all[i]);
        if (now == NULL || now->version == before.all[i].version)
            continue;
        kinds[now->key[0]] = 1;
        if (!has_later(now))
            fail_msg("a record of kind %c has lost it", now->key[0]);
    }
    for (const char *kind = "ahtkrsen"; *kind != '\0'; kind++)
        if (!kinds[(unsigned char)*kind])
            fail_msg("no record of kind %c was written again", *kind);
    flow_records_free(&before);
    flow_records_free(&after);
}

/* --- what cannot be read is refused --- */

enum { N_TRIES = 20, N_QUICK = 17 };

static mereau_op *try(struct flow *f, int which) {
    const char *token = text_of("token");
    mereau_op *op;
    switch (which) {
    case 0:
        return refresh(f, "d1");
    case 1:
        return flow_redeem(f, token, "new", 1);
    case 2:
        return flow_redeem(f, token, "d0", 1);
    case 3:
        return live(f, "d1");
    case 4:
        return mereau_registration_token_get(f->tenant, text_of("token_id"));
    case 5:
        return mereau_app_authenticate(f->tenant, "app", text_of("secret"));
    case 6:
        return mereau_registration_token_mint(f->tenant, "app", 1, DAY);
    case 7:
        return flow_redeem(f, token, "bad", 1);
    case 8:
        return refresh(f, "d3");
    case 9:
        return refresh(f, "d4");
    case 10:
        return refresh(f, "d5");
    case 11:
        op = mereau_registration_token_mint(f->tenant, "app", 1, DAY);
        return with(op, MEREAU_IDEMPOTENCY_KEY, "once");
    case 12:
        return with(mereau_app_update(f->tenant, "app"), MEREAU_LABEL, "x");
    case 13:
        return mereau_key_jwks(f->tenant);
    case 14:
        return flow_redeem(f, text_of("hot"), "new", 1);
    case 15:
        return mereau_device_unblock(f->tenant, "bad");
    case 16:
        return flow_redeem(f, text_of("disabled"), "new", 1);
    case 17:
        return mereau_registration_token_list(f->tenant);
    case 18:
        return mereau_auth_token_list(f->tenant);
    default:
        return mereau_app_list(f->tenant);
    }
}

static mereau_status run(struct flow *f, int which) {
    mereau_op *op = try(f, which);
    flow_count_from_here(f);
    mereau_status status = mereau_op_run(op, &flow_error);
    mereau_op_free(op);
    return status;
}

/* One record is put in place of another, under the version that it had. */
static void put(struct flow *f, const struct flow_record *one,
                const uint8_t *value, size_t len) {
    mereau_write write = {0};
    mereau_need need = {0};
    size_t failed;
    write.kind = MEREAU_WRITE_PUT;
    write.expect = MEREAU_VERSION_ANY;
    write.record.key = one->key;
    write.record.key_len = one->key_len;
    write.record.value = value;
    write.record.value_len = len;
    write.record.version = one->version;
    write.record.drop_at = one->drop_at;
    need.size = (uint32_t)sizeof need;
    need.kind = MEREAU_NEED_COMMIT;
    need.partition = (const uint8_t *)"test";
    need.partition_len = 4;
    need.writes = &write;
    need.n_writes = 1;
    assert_int_equal(f->real.commit(f->real.user, &need, &failed),
                     MEREAU_STORE_OK);
}

/* What each try says when all records are whole. */
static void baseline(struct flow *f, mereau_status usual[N_TRIES]) {
    for (int i = 0; i < N_TRIES; i++) {
        usual[i] = run(f, i);
        if (f->commits > 0)
            flow_records_put(f, &golden);
    }
    assert_int_equal(usual[0], MEREAU_OK);
    assert_int_equal(usual[7], MEREAU_E_BLOCKED);
    assert_int_equal(usual[8], MEREAU_E_REVOKED);
}

/* Another context on the same records, which has read nothing yet. */
static void open_cold(struct flow *cold, struct flow *f) {
    const struct flow_setup how = {
        .seed = 6, .share = &f->front, .keep_events = 1, .no_tenant = 1};
    flow_open(cold, &how);
    cold->now_at = WRITTEN_AT;
}

/* With one record of a newer format, each try says what it says without, or
 * MEREAU_E_UNSUPPORTED and nothing is written. Which ones read it? */
static int readers_of(struct flow *f, size_t which,
                      const mereau_status usual[N_TRIES], int reads[N_TRIES]) {
    const struct flow_record *one = &golden.all[which];
    struct flow cold;
    uint8_t *value = malloc(one->value_len + 1);
    int n = 0;
    assert_non_null(value);
    memcpy(value, one->value, one->value_len);
    value[1] = 2;
    for (int i = 0; i < N_TRIES; i++) {
        open_cold(&cold, f);
        put(f, one, value, one->value_len);
        mereau_status status = run(&cold, i);
        reads[i] = status == MEREAU_E_UNSUPPORTED;
        n += reads[i];
        if (reads[i])
            assert_int_equal(cold.commits, 0);
        else if (status != usual[i])
            fail_msg("try %d with record %c: %s instead of %s", i, one->key[0],
                     mereau_status_name(status), mereau_status_name(usual[i]));
        if (cold.commits > 0)
            flow_records_put(f, &golden);
        flow_close(&cold);
    }
    put(f, one, one->value, one->value_len);
    free(value);
    return n;
}

/* Found out by the test of newer formats, for those after it. */
static int readers[200][N_TRIES];

static void a_newer_format_is_refused_and_nothing_changes(void **state) {
    struct flow *f = *state;
    mereau_status usual[N_TRIES];
    char kinds[256] = {0};
    baseline(f, usual);
    for (size_t i = 0; i < golden.n; i++)
        if (golden.all[i].value_len > 1 &&
            readers_of(f, i, usual, readers[i]) > 0)
            kinds[golden.all[i].key[0]] = 1;
    for (const char *kind = "atkrsend"; *kind != '\0'; kind++)
        if (!kinds[(unsigned char)*kind])
            fail_msg("nothing read a record of kind %c", *kind);
}

static void refuses(struct flow *f, struct flow *cold, size_t which,
                    const int reads[N_TRIES], const uint8_t *value,
                    size_t len) {
    put(f, &golden.all[which], value, len);
    for (int i = 0; i < N_QUICK; i++) {
        if (!reads[i])
            continue;
        mereau_status status = run(cold, i);
        if ((status != MEREAU_E_CORRUPT && status != MEREAU_E_UNSUPPORTED) ||
            cold->commits != 0)
            fail_msg("try %d with %zu of %zu bytes of record %c: %s", i, len,
                     golden.all[which].value_len, golden.all[which].key[0],
                     mereau_status_name(status));
    }
}

static void each_record(struct flow *f,
                        void (*spoil)(struct flow *, struct flow *, size_t,
                                      const int *)) {
    int n = 0;
    for (size_t i = 0; i < golden.n; i++) {
        struct flow cold;
        if (memchr(readers[i], 1, sizeof readers[i]) == NULL)
            continue;
        n++;
        open_cold(&cold, f);
        spoil(f, &cold, i, readers[i]);
        put(f, &golden.all[i], golden.all[i].value, golden.all[i].value_len);
        flow_close(&cold);
    }
    assert_true(n > 10);
}

static void cut(struct flow *f, struct flow *cold, size_t which,
                const int *reads) {
    for (size_t len = 0; len < golden.all[which].value_len; len++)
        refuses(f, cold, which, reads, golden.all[which].value, len);
}

static void a_record_cut_short_says_nothing_less(void **state) {
    each_record(*state, cut);
}

static void alter(struct flow *f, struct flow *cold, size_t which,
                  const int *reads) {
    const struct flow_record *one = &golden.all[which];
    uint8_t *value = malloc(one->value_len);
    assert_non_null(value);
    memcpy(value, one->value, one->value_len);
    for (size_t i = 0; i < one->value_len; i++) {
        value[i] ^= (uint8_t)(1u << (i % 8));
        refuses(f, cold, which, reads, value, one->value_len);
        value[i] = one->value[i];
    }
    free(value);
}

static void an_altered_record_says_nothing_else(void **state) {
    each_record(*state, alter);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(int argc, char **argv) {
    const struct CMUnitTest tests[] = {
        TEST(golden_registration_tokens_are_redeemed),
        TEST(golden_families_are_refreshed),
        TEST(golden_keyrings_open_and_sign),
        TEST(golden_refusals_stay),
        TEST(golden_answers_are_given_again),
        TEST(golden_lists_are_read),
        TEST(what_a_later_release_adds_is_kept),
        TEST(a_newer_format_is_refused_and_nothing_changes),
        TEST(a_record_cut_short_says_nothing_less),
        TEST(an_altered_record_says_nothing_else),
    };
    if (argc == 2 && strcmp(argv[1], "write") == 0)
        return write_file();
    return cmocka_run_group_tests(tests, read_file, forget_file);
}
