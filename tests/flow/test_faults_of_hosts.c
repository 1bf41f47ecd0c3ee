/* tests/flow/test_faults_of_hosts.c - every operation while its host fails: each
 * call of the store in turn with each of its answers, clock, randomness, signer.
 * Afterwards nothing is half done, the status is one of those that the headers
 * name, nothing leaks, and the same call again gives the right answer. */
#include "scenes.h"

#include <stdio.h>
#include <stdlib.h>

#include "alloc.h"

#include "base/base.h"
#include "jose/key.h"

/* --- the store --- */

static void check_failed(struct world *w, const struct scene *scene,
                         int32_t result, uint64_t n, mereau_status status,
                         const mereau_error *err) {
    if (status == MEREAU_OK)
        return; /* what does not matter failed: a last use */
    if (status != MEREAU_E_STORE || err->host_code != result)
        BAD("%s, call %d answers %d: %s", scene->function, (int)n, (int)result,
            err->text);
    if (!changes_little_by_little(scene) && !is_unchanged(w))
        BAD("%s, call %d answers %d: a change", scene->function, (int)n,
            (int)result);
}

static void sweep_store(struct world *w, const struct scene *scene) {
    static const struct {
        int32_t result;
        int applied;
    } answers[] = {{MEREAU_STORE_CONFLICT, 0},
                   {MEREAU_STORE_BUSY, 0},
                   {MEREAU_STORE_IO, 0},
                   {MEREAU_STORE_LIMIT, 0},
                   {MEREAU_STORE_UNKNOWN, 0},
                   {MEREAU_STORE_UNKNOWN, 1},
                   {MEREAU_STORE_STOPPED, 0},
                   {MEREAU_STORE_UNSUPPORTED, 0},
                   {99, 0}};
    struct outcome outcome;
    run_clean(w, scene, &outcome);
    for (size_t a = 0; a < sizeof answers / sizeof answers[0]; a++) {
        int failed = 1;
        for (uint64_t n = 1; failed; n++) {
            mereau_error err = MEREAU_ERROR_INIT;
            mereau_op *op = scene->make(w);
            mereau_status status;
            uint64_t commits = w->f.commits;
            int32_t result = answers[a].result;
            int retries;
            flow_fail(&w->f, n, result, answers[a].applied);
            status = mereau_op_run(op, &err);
            failed = w->f.failed > 0;
            retries = result == MEREAU_STORE_CONFLICT ||
                      result == MEREAU_STORE_BUSY ||
                      ((result == MEREAU_STORE_UNKNOWN || result == 99) &&
                       w->f.commits > commits);
            mereau_op_free(op);
            if (failed && result == MEREAU_STORE_UNSUPPORTED &&
                status == MEREAU_E_UNSUPPORTED) {
                assert_true(is_unchanged(w) || changes_little_by_little(scene));
            } else if (failed && !retries) {
                check_failed(w, scene, result, n, status, &err);
            } else if (failed &&
                       (result == MEREAU_STORE_UNKNOWN || result == 99) &&
                       status == MEREAU_E_STORE) {
                assert_int_equal(err.host_code, result); /* a get's answer */
            } else if (status != wanted_of(scene)) {
                BAD("%s, call %d answers %d: %s", scene->function, (int)n,
                    (int)result, err.text);
            } else if (!has_shape(w, outcome.after)) {
                BAD("%s, call %d answers %d: twice or not at all",
                    scene->function, (int)n, (int)result);
            }
            if (status != wanted_of(scene) || (scene->flags & NOT_AGAIN) == 0)
                run_again(w, scene, &outcome, "store call", (unsigned long)n);
            reset(w);
        }
    }
}

static void every_answer_of_the_store_may_come_at_every_call(void **state) {
    (void)state;
    for (size_t i = 0; i < n_scenes; i++) {
        long live = test_alloc_live();
        struct world w;
        open_world(&w);
        sweep_store(&w, &scenes[i]);
        close_world(&w);
        if (test_alloc_live() != live)
            BAD("%s: %ld blocks leaked", scenes[i].function,
                test_alloc_live() - live);
    }
    no_problems();
}

/* The reply to a commit is lost, and then the store is gone. */
static void a_lost_reply_of_a_lost_store_is_uncertain(void **state) {
    (void)state;
    for (size_t i = 0; i < n_scenes; i++)
        for (int applied = 0; applied < 2; applied++) {
            struct world w;
            struct outcome outcome;
            int was;
            open_world(&w);
            run_clean(&w, &scenes[i], &outcome);
            for (uint64_t n = 1; n < 9; n++) {
                mereau_op *op = scenes[i].make(&w);
                mereau_error err = MEREAU_ERROR_INIT;
                uint64_t gets = w.f.gets, scans = w.f.scans;
                mereau_status status;
                flow_fail(&w.f, n, MEREAU_STORE_UNKNOWN, applied);
                w.f.fail_after = MEREAU_STORE_IO;
                status = mereau_op_run(op, &err);
                was = w.f.failed > 0 &&
                      w.f.gets - gets + (w.f.scans - scans) == n &&
                      w.f.commits > 0;
                (void)was;
                if (w.f.failed > 0 && status != MEREAU_E_STORE &&
                    status != MEREAU_E_UNCERTAIN && status != MEREAU_OK)
                    BAD("%s, call %d: %s", scenes[i].function, (int)n,
                        err.text);
                if (status == MEREAU_E_UNCERTAIN)
                    assert_int_equal(mereau_status_can_retry(status), 1);
                mereau_op_free(op);
                if ((status == MEREAU_E_UNCERTAIN || status == MEREAU_OK) &&
                    (scenes[i].flags & NOT_AGAIN) == 0)
                    run_again(&w, &scenes[i], &outcome, "lost at",
                              (unsigned long)n);
                reset(&w);
            }
            close_world(&w);
        }
    no_problems();
}

/* Others win every time. */
static void contention_without_end_is_busy(void **state) {
    (void)state;
    for (size_t i = 0; i < n_scenes; i++) {
        struct world w;
        mereau_op *op;
        mereau_status status;
        open_world(&w);
        op = scenes[i].make(&w);
        flow_fail(&w.f, 1, MEREAU_STORE_BUSY, 0);
        w.f.fail_after = MEREAU_STORE_BUSY;
        status = mereau_op_run(op, &flow_error);
        if (status != MEREAU_E_BUSY)
            BAD("%s: %s", scenes[i].function, flow_error.text);
        assert_string_equal(flow_error.rule, "store.contention");
        assert_true(w.f.gets + w.f.commits + w.f.scans < 100); /* bounded */
        assert_true(is_unchanged(&w));
        mereau_op_free(op);
        close_world(&w);
    }
    no_problems();
}

/* --- clock and randomness --- */

static void a_failing_clock_changes_nothing(void **state) {
    (void)state;
    for (size_t i = 0; i < n_scenes; i++) {
        struct world w;
        struct outcome outcome;
        open_world(&w);
        run_clean(&w, &scenes[i], &outcome);
        for (uint64_t n = 1; n < 4; n++) {
            mereau_op *op = scenes[i].make(&w);
            mereau_error err = MEREAU_ERROR_INIT;
            mereau_status status;
            w.f.clock_reads = 0;
            w.f.clock_fails_at = n;
            status = mereau_op_run(op, &err);
            w.f.clock_fails_at = 0;
            mereau_op_free(op);
            if (n == 1)
                assert_int_equal(status, MEREAU_E_CLOCK);
            if (status == MEREAU_E_CLOCK) {
                assert_int_equal(err.host_code, 77);
                if (!changes_little_by_little(&scenes[i]))
                    assert_true(is_unchanged(&w));
                run_again(&w, &scenes[i], &outcome, "clock", (unsigned long)n);
            } else if (status != wanted_of(&scenes[i])) {
                BAD("%s, clock %d: %s", scenes[i].function, (int)n, err.text);
            }
            reset(&w);
        }
        close_world(&w);
    }
    no_problems();
}

static void failing_randomness_changes_nothing(void **state) {
    struct world w;
    (void)state;
    open_world(&w);
    for (size_t i = 0; i < n_scenes; i++) {
        mereau_op *op = scenes[i].make(&w);
        mereau_error err = MEREAU_ERROR_INIT;
        w.f.random_code = 55;
        assert_int_equal(mereau_op_run(op, &err), MEREAU_E_RANDOM);
        assert_int_equal(err.host_code, 55);
        w.f.random_code = 0;
        mereau_op_free(op);
        assert_true(is_unchanged(&w));
    }
    close_world(&w);
}

/* --- the signer --- */

struct signer {
    mru_key *key;
    int mode;
};
enum { SIGNS, FAILS, SILENT, TWICE, GARBAGE, SHORT, OF_ANOTHER };

static int seeded(void *arg, uint8_t *out, size_t len) {
    uint8_t *at = arg;
    for (size_t i = 0; i < len; i++)
        out[i] = (*at)++;
    return 0;
}

static int32_t sign(void *user, const mereau_need *need, mereau_emit_bytes emit,
                    void *arg) {
    struct signer *signer = user;
    uint8_t sig[1024], seed = 1;
    size_t len = 0;
    if (signer->mode == FAILS)
        return MEREAU_SIGN_FAILED;
    if (signer->mode == SILENT)
        return MEREAU_SIGN_OK;
    if (mru_key_sign(signer->key, seeded, &seed, need->input, need->input_len,
                     sig, &len) != MEREAU_OK)
        return MEREAU_SIGN_FAILED;
    if (signer->mode == GARBAGE)
        sig[3] ^= 1;
    if (signer->mode == SHORT)
        len--;
    if (signer->mode == TWICE && emit(arg, sig, len) != MEREAU_SIGN_OK)
        return MEREAU_SIGN_FAILED;
    return emit(arg, sig, len);
}

static void a_failing_signer_changes_nothing(void **state) {
    struct signer signer = {NULL, SIGNS};
    const mereau_signer table = {(uint32_t)sizeof table, 0, &signer, sign};
    struct flow_setup setup = {.seed = 3};
    struct world w;
    struct flow *f = &w.f;
    mereau_op *op;
    uint8_t seed = 7;
    struct mru_buf jwk = {0};
    (void)state;
    assert_int_equal(
        mru_key_generate(&signer.key, MEREAU_ALG_ES256, seeded, &seed, NULL),
        MEREAU_OK);
    assert_int_equal(mru_key_print_public(&jwk, signer.key), 0);
    memset(&w, 0, sizeof w);
    setup.signer = &table;
    flow_open(f, &setup);
    flow_app(f, NULL);
    op = mereau_key_import(f->tenant, MEREAU_ALG_ES256);
    mereau_op_set_bytes(op, MEREAU_JWK, jwk.data, jwk.len);
    mereau_op_set_text(op, MEREAU_KEY_LABEL, "hsm/1");
    mereau_op_set_text(op, MEREAU_CLIENT_ID, "app");
    DONE(f, op);
    f->now_at += 2 * DAY; /* it signs by now */
    op = DONE(f, flow_redeem(f, flow_mint(f, 1, DAY).text, "d1", 1));
    KEEP(w.auth, op, MEREAU_AUTH_TOKEN);
    flow_records_take(f, &w.start);
    for (signer.mode = FAILS; signer.mode <= SHORT; signer.mode++) {
        if (signer.mode == TWICE)
            continue;
        REFUSED(f, scene_exchange(&w), MEREAU_E_SIGNER, NULL);
        assert_true(is_unchanged(&w));
    }
    signer.mode = TWICE;
    REFUSED(f, scene_exchange(&w), MEREAU_E_SIGNER, NULL);
    signer.mode = SIGNS;
    op = mereau_auth_token_exchange(f->tenant, w.auth);
    DONE(f, op);
    assert_int_equal(flow_verify(f, mereau_op_text(op, MEREAU_ACCESS_TOKEN)),
                     MEREAU_OK);
    flow_records_free(&w.start);
    flow_close(f);
    mru_buf_free(&jwk);
    mru_key_free(signer.key);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_answer_of_the_store_may_come_at_every_call),
        cmocka_unit_test(a_lost_reply_of_a_lost_store_is_uncertain),
        cmocka_unit_test(contention_without_end_is_busy),
        cmocka_unit_test(a_failing_clock_changes_nothing),
        cmocka_unit_test(failing_randomness_changes_nothing),
        cmocka_unit_test(a_failing_signer_changes_nothing),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
