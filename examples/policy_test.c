/* policy_test.c - a token policy, tested like any other function: the clock is
 * fake, the randomness seeded, the store in memory. Runs in milliseconds, with any
 * test framework; here with none. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <mereau/mereau.h>
#include <mereau/testing.h>

#define NOON 1790000000 /* any instant; the bed starts its clock here */
#define API "https://print.acme.example"

#define CHECK(what)                                                            \
    do {                                                                       \
        if (!(what)) {                                                         \
            printf("%s:%d: %s\n", __FILE__, __LINE__, #what);                  \
            exit(EXIT_FAILURE);                                                \
        }                                                                      \
    } while (0)

/* [policy] */
/* The policy under test, as the administrators keep it. */
static const char PRINTER_POLICY[] =
    "{\"name\": \"Label printer\", \"scope\": \"print status\","
    " \"audience\": [\"" API "\"],"
    " \"access_lifetime_s\": 300, \"refresh_idle_s\": 86400}";

/* An exchanged auth token of a device enrolled under PRINTER_POLICY. */
static mereau_op *enrolled(mereau_testbed *bed) {
    const mereau_tenant *acme = mereau_testbed_tenant(bed);
    mereau_op *app = mereau_op_new(acme, "app_create");
    mereau_op_set_json(app, PRINTER_POLICY, strlen(PRINTER_POLICY));
    mereau_testbed_run(bed, app);
    mereau_op *mint = mereau_registration_token_mint(
        acme, mereau_op_text(app, MEREAU_CLIENT_ID), 1, 3600);
    mereau_testbed_run(bed, mint);
    mereau_op *device = mereau_registration_token_redeem(
        acme, mereau_op_text(mint, MEREAU_REGISTRATION_TOKEN), "printer-1",
        (const uint8_t *)"0123456789abcdef", 16);
    mereau_testbed_run(bed, device);
    mereau_op *pair = mereau_auth_token_exchange(
        acme, mereau_op_text(device, MEREAU_AUTH_TOKEN));
    mereau_testbed_run(bed, pair);
    return pair; /* the bed frees what it ran */
}

static void a_printer_silent_for_a_day_must_enrol_again(mereau_testbed *bed) {
    mereau_error err = MEREAU_ERROR_INIT;
    mereau_op *pair = enrolled(bed);
    mereau_op *late = mereau_token_refresh(
        mereau_testbed_tenant(bed), mereau_op_text(pair, MEREAU_REFRESH_TOKEN));

    mereau_testbed_advance(bed, 86399);
    CHECK(mereau_op_dry_run(late, &err) == MEREAU_OK);
    mereau_testbed_advance(bed, 1);
    CHECK(mereau_op_dry_run(late, &err) == MEREAU_E_EXPIRED);
    CHECK(strcmp(err.rule, "family.idle") == 0);
    CHECK(strcmp(err.wanted, "used before 1790086400") == 0);
    CHECK(strcmp(mereau_status_oauth(err.status), "invalid_grant") == 0);
    mereau_op_free(late);
}
/* [/policy] */

static void a_printer_may_print_for_five_minutes(mereau_testbed *bed) {
    mereau_error err = MEREAU_ERROR_INIT;
    mereau_claims *claims = mereau_claims_new();
    mereau_op *pair = enrolled(bed);
    const char *jwt = mereau_op_text(pair, MEREAU_ACCESS_TOKEN);

    CHECK(mereau_testbed_verify(bed, claims, jwt, API, &err) == MEREAU_OK);
    CHECK(strcmp(mereau_claims_text(claims, "scope"), "print status") == 0);
    CHECK(mereau_claims_int(claims, "exp") == NOON + 300);

    mereau_testbed_advance(bed, 300);
    CHECK(mereau_testbed_verify(bed, claims, jwt, API, &err) ==
          MEREAU_E_EXPIRED);
    CHECK(strcmp(err.rule, "jwt.exp") == 0);
    mereau_claims_free(claims);
}

/* A store that loses its reply is no reason to lose a count. */
static void a_lost_reply_is_settled(mereau_testbed *bed) {
    mereau_error err = MEREAU_ERROR_INIT;
    mereau_op *pair = enrolled(bed);
    mereau_op *next = mereau_token_refresh(
        mereau_testbed_tenant(bed), mereau_op_text(pair, MEREAU_REFRESH_TOKEN));

    /* The commit after the get is applied, and its reply is lost: the library
     * reads back, sees that it was, and does not commit again. */
    uint64_t gets = mereau_testbed_store_calls(bed, MEREAU_NEED_GET);
    uint64_t commits = mereau_testbed_store_calls(bed, MEREAU_NEED_COMMIT);
    mereau_testbed_fail_store(bed, 2, MEREAU_STORE_UNKNOWN, /* applied */ 1);
    CHECK(mereau_op_run(next, &err) == MEREAU_OK);
    CHECK(mereau_testbed_store_calls(bed, MEREAU_NEED_GET) == gets + 2);
    CHECK(mereau_testbed_store_calls(bed, MEREAU_NEED_COMMIT) == commits + 1);
    CHECK(mereau_op_text(next, MEREAU_REFRESH_TOKEN) != NULL);
    mereau_op_free(next);
}

int main(void) {
    static const struct {
        const char *name;
        void (*test)(mereau_testbed *bed);
    } tests[] = {
        {"a_printer_may_print_for_five_minutes",
         a_printer_may_print_for_five_minutes},
        {"a_printer_silent_for_a_day_must_enrol_again",
         a_printer_silent_for_a_day_must_enrol_again},
        {"a_lost_reply_is_settled", a_lost_reply_is_settled},
    };
    for (size_t i = 0; i < sizeof tests / sizeof tests[0]; i++) {
        mereau_testbed *bed = mereau_testbed_new(/* seed */ 7, NOON);
        CHECK(bed != NULL);
        tests[i].test(bed);
        mereau_testbed_free(bed);
        printf("ok %s\n", tests[i].name);
    }
    return EXIT_SUCCESS;
}
