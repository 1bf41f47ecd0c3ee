/* tests/flow/test_replay.c - one seed, one clock, one store: the same bytes, each
 * time and on every platform. (Generated keys are excepted: they come from the
 * provider's generator, so only opaque tokens are compared to a constant.) */
#include "script.h"

#include <stdio.h>

#include "crypto/crypto.h"
#include "unit/key_texts.h"

#define GOLDEN UINT64_C(0xf7f4e6b952637a00)
#define GOLDEN_UNSIGNED UINT64_C(0x1f8f29d2f15d3f22)
#define GOLDEN_JWT UINT64_C(0x04f3e7d6b655b535)

static void open_and_play(struct flow *f, struct script *s, uint64_t seed,
                          const char *format) {
    const struct flow_setup setup = {
        .seed = seed, .no_tenant = 1, .keep_events = 1};
    memset(s, 0, sizeof *s);
    flow_open(f, &setup);
    s->flow = f;
    s->run = script_block;
    s->format = format;
    script_play(s);
    if (strstr(s->text, "row\n") == NULL || f->n_told < 25)
        fail_msg("%d events: %s", f->n_told, s->text);
}

/* All but the records that hold a private key. */
static uint64_t hash_of_records(struct flow *f, size_t *n) {
    struct flow_records records;
    uint64_t hash = 0;
    flow_records_take(f, &records);
    *n = records.n;
    for (size_t i = 0; i < records.n; i++) {
        const struct flow_record *one = &records.all[i];
        uint64_t of = script_hash(one->key, one->key_len) * 3;
        uint8_t version[8];
        if (one->key[0] == 'k')
            continue;
        for (int b = 0; b < 8; b++)
            version[b] = (uint8_t)(one->version >> (8 * b));
        of += script_hash(one->value, one->value_len) * 5;
        of += script_hash(version, sizeof version) * 7;
        of += (uint64_t)one->drop_at * 11;
        hash = hash * UINT64_C(1099511628211) + of;
    }
    flow_records_free(&records);
    return hash;
}

struct outcome {
    uint64_t text, records, events;
    size_t n_records;
};

static struct outcome outcome_of(uint64_t seed, const char *format) {
    struct flow f;
    struct script s;
    struct outcome out;
    open_and_play(&f, &s, seed, format);
    out.text = script_hash(s.text, s.len);
    out.events = script_hash(f.told, f.told_len);
    out.records = hash_of_records(&f, &out.n_records);
    script_free(&s);
    flow_close(&f);
    return out;
}

static void the_same_seed_gives_the_same_bytes(void **state) {
    struct outcome a = outcome_of(1, "opaque"), b = outcome_of(1, "opaque");
    (void)state;
    assert_true(a.text == b.text);
    assert_true(a.events == b.events);
    assert_int_equal(a.n_records, b.n_records);
    assert_true(a.records == b.records);
}

static void another_seed_gives_others(void **state) {
    struct outcome a = outcome_of(1, "opaque"), b = outcome_of(2, "opaque");
    (void)state;
    assert_true(a.text != b.text);
    assert_true(a.events != b.events);
    assert_true(a.records != b.records);
    assert_int_equal(a.n_records, b.n_records);
}

static void say_found(uint64_t hash) {
    print_error("found 0x%08lx%08lx\n", (unsigned long)(hash >> 32),
                (unsigned long)(hash & 0xffffffffu));
}

/* What little and big machines, of 32 and 64 bits, must all come to. Whoever
 * changes a result on purpose changes it here. */
static void every_platform_gives_these_bytes(void **state) {
    struct flow f;
    struct script s;
    uint64_t hash;
    (void)state;
    open_and_play(&f, &s, 20, "opaque");
    hash = script_hash(s.text, s.len);
    if (hash != GOLDEN)
        say_found(hash);
    script_free(&s);
    flow_close(&f);
    assert_true(hash == GOLDEN);
}

/* RFC 6979: the signature is a function of key and text, where the provider makes
 * it so; what is signed is one everywhere. */
static void every_platform_signs_these_bytes(void **state) {
    struct flow f;
    struct flow_pair pair;
    uint64_t hash;
    mereau_op *op;
    (void)state;
    flow_start(&f);
    op = mereau_key_import(f.tenant, MEREAU_ALG_ES256);
    mereau_op_set_text(op, MEREAU_PEM, ec_pkcs8);
    DONE(&f, op);
    f.now_at += 2 * DAY;
    flow_app(&f, NULL);
    pair = flow_enrol(&f, flow_mint(&f, 1, DAY).text, "d1");
    assert_int_equal(flow_verify(&f, pair.access), MEREAU_OK);
    const char *sig = strrchr(pair.access, '.');
    uint64_t unsigned_hash =
        script_hash(pair.access, (size_t)(sig - pair.access));
    hash = script_hash(pair.access, strlen(pair.access));
    if (unsigned_hash != GOLDEN_UNSIGNED)
        say_found(unsigned_hash);
    if (hash != GOLDEN_JWT)
        say_found(hash);
    flow_close(&f);
    assert_true(unsigned_hash == GOLDEN_UNSIGNED);
    if (mru_crypto_has() & MRU_HAS_DETERMINISTIC_ECDSA)
        assert_true(hash == GOLDEN_JWT);
}

#define TEST(name) cmocka_unit_test(name)

int main(void) {
    const struct CMUnitTest tests[] = {
        TEST(the_same_seed_gives_the_same_bytes),
        TEST(another_seed_gives_others),
        TEST(every_platform_gives_these_bytes),
        TEST(every_platform_signs_these_bytes),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
