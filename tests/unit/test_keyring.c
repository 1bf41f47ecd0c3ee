/* tests/unit/test_keyring.c - stages of signing keys (lib/model/keyring.c). */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include "model/keyring.h"
#include "key_texts.h"

#define NOW INT64_C(1700000000)
#define MOST 8

/* A ring of keys without key material, unless a test gives them some. */
struct fixture {
    struct mru_keyring ring;
    struct mru_ring_key keys[MOST];
};

static void set_up(struct fixture *f) {
    memset(f, 0, sizeof *f);
    f->ring.keys = f->keys;
}

static struct mru_ring_key *add(struct fixture *f, const char *kid,
                                const char *client_id, int64_t signs_at) {
    struct mru_ring_key *key = &f->keys[f->ring.n++];
    key->kid = kid;
    key->alg = MEREAU_ALG_ES256;
    key->client_id = client_id;
    key->published_at = NOW - 100000;
    key->signs_at = signs_at;
    key->retired_at = MEREAU_UNSET;
    key->verifies_until = MEREAU_UNSET;
    return key;
}

static void assert_signer(struct fixture *f, const char *client_id, int32_t alg,
                          int64_t now_at, const char *kid) {
    const struct mru_ring_key *key =
        mru_keyring_signer(&f->ring, client_id, alg, now_at);
    assert_string_equal(key == NULL ? "none" : key->kid, kid);
}

static void assert_state(struct fixture *f, size_t i, int64_t now_at,
                         const char *state) {
    assert_string_equal(mru_keyring_state(&f->ring, i, now_at), state);
}

static void a_key_goes_through_its_stages(void **state) {
    struct fixture f;
    (void)state;
    set_up(&f);
    struct mru_ring_key *key = add(&f, "one", NULL, NOW);
    assert_state(&f, 0, NOW - 1, "published");
    assert_state(&f, 0, NOW, "signing");
    key->retired_at = NOW + 10;
    key->verifies_until = NOW + 20;
    assert_state(&f, 0, NOW + 10, "verifying");
    assert_state(&f, 0, NOW + 19, "verifying");
    assert_state(&f, 0, NOW + 20, "dropped");
}

static void a_standby_never_signs_by_itself(void **state) {
    struct fixture f;
    (void)state;
    set_up(&f);
    add(&f, "standby", NULL, MEREAU_UNSET);
    assert_state(&f, 0, INT64_MAX, "published");
    assert_signer(&f, NULL, 0, INT64_MAX, "none");
}

static void the_one_that_began_last_signs(void **state) {
    struct fixture f;
    (void)state;
    set_up(&f);
    add(&f, "new", NULL, NOW);
    add(&f, "old", NULL, NOW - 100);
    assert_signer(&f, NULL, 0, NOW - 1, "old");
    assert_signer(&f, NULL, 0, NOW, "new");
    assert_state(&f, 1, NOW - 1, "signing");
    assert_state(&f, 1, NOW, "verifying");
}

static void of_two_that_began_at_once_the_one_added_last_signs(void **state) {
    struct fixture f;
    (void)state;
    set_up(&f);
    add(&f, "first", NULL, NOW);
    add(&f, "second", NULL, NOW);
    assert_signer(&f, NULL, 0, NOW, "second");
}

static void a_retired_or_dropped_key_does_not_sign(void **state) {
    struct fixture f;
    (void)state;
    set_up(&f);
    add(&f, "old", NULL, NOW - 100);
    struct mru_ring_key *key = add(&f, "new", NULL, NOW);
    key->retired_at = NOW;
    assert_signer(&f, NULL, 0, NOW, "old");
    key->retired_at = MEREAU_UNSET;
    key->dropped = 1;
    assert_signer(&f, NULL, 0, NOW, "old");
    assert_state(&f, 1, NOW, "dropped");
}

static void keys_are_chosen_by_algorithm(void **state) {
    struct fixture f;
    (void)state;
    set_up(&f);
    add(&f, "ec", NULL, NOW);
    add(&f, "rsa", NULL, NOW - 100)->alg = MEREAU_ALG_RS256;
    assert_signer(&f, NULL, 0, NOW, "ec");
    assert_signer(&f, NULL, MEREAU_ALG_RS256, NOW, "rsa");
    assert_signer(&f, NULL, MEREAU_ALG_ES384, NOW, "none");
    assert_state(&f, 1, NOW, "signing"); /* nothing took its place */
}

static void an_app_with_own_keys_never_uses_another_owner_s(void **state) {
    struct fixture f;
    (void)state;
    set_up(&f);
    add(&f, "tenant", NULL, NOW - 100);
    add(&f, "tenant-rsa", NULL, NOW)->alg = MEREAU_ALG_RS256;
    add(&f, "own", "app", NOW);
    add(&f, "other", "app2", NOW);
    assert_signer(&f, "app", 0, NOW - 1, "tenant"); /* not yet */
    assert_signer(&f, "app", 0, NOW, "own");
    assert_signer(&f, "app", MEREAU_ALG_RS256, NOW, "none");
    assert_signer(&f, "app3", 0, NOW, "tenant-rsa");
    assert_signer(&f, NULL, MEREAU_ALG_ES256, NOW, "tenant");
    assert_state(&f, 0, NOW, "signing"); /* not superseded by an app's */
}

/* --- the set that is published --- */

static mru_key *make_key(const char *kid) {
    mru_key *key = NULL;
    assert_int_equal(mru_key_from_pem(&key, ec_pkcs8, strlen(ec_pkcs8),
                                      MEREAU_ALG_ES256, MRU_KEY_PRIVATE, NULL),
                     MEREAU_OK);
    assert_int_equal(mru_key_set_kid(key, kid, strlen(kid)), MEREAU_OK);
    return key;
}

/* The kids of a set, in order, with a space behind each. */
static void kids_of(struct fixture *f, const char *client_id, int64_t now_at,
                    char out[256]) {
    struct mru_buf buf = {0};
    struct mru_jval root, keys, one, kid;
    size_t at = 0, used = 0, len;
    assert_int_equal(mru_keyring_print(&buf, &f->ring, client_id, now_at), 0);
    assert_null(strstr((const char *)buf.data, "\"d\""));
    assert_int_equal(mru_json_check(&root, buf.data, buf.len,
                                    &mru_json_default_limits, NULL),
                     MEREAU_OK);
    assert_int_equal(mru_json_member(&keys, &root, "keys"), 1);
    while (mru_json_next(&keys, &at, NULL, &one)) {
        assert_int_equal(mru_json_member(&kid, &one, "kid"), 1);
        assert_int_equal(mru_json_text(&kid, out + used, 200 - used, &len), 0);
        used += len;
        out[used++] = ' ';
    }
    out[used] = '\0';
    mru_buf_free(&buf);
}

static void the_set_has_what_verifies_and_no_private_member(void **state) {
    static const char *const kids[] = {"gone", "verifies", "signs", "standby",
                                       "own"};
    struct fixture f;
    char found[256];
    (void)state;
    set_up(&f);
    for (size_t i = 0; i < 5; i++)
        add(&f, kids[i], i == 4 ? "app" : NULL, i == 3 ? MEREAU_UNSET : NOW)
            ->key = make_key(kids[i]);
    f.keys[0].dropped = 1;
    f.keys[1].retired_at = NOW;
    f.keys[1].verifies_until = NOW + 100;
    kids_of(&f, NULL, NOW, found);
    assert_string_equal(found, "verifies signs standby own ");
    kids_of(&f, NULL, NOW + 100, found);
    assert_string_equal(found, "signs standby own ");
    /* Tokens of the app that the tenant's keys signed live for a day. */
    kids_of(&f, "app", NOW, found);
    assert_string_equal(found, "verifies signs standby own ");
    kids_of(&f, "app", NOW + MRU_KEY_OVERLAP_S + 1, found);
    assert_string_equal(found, "own ");
    kids_of(&f, "app2", NOW + MRU_KEY_OVERLAP_S + 1, found);
    assert_string_equal(found, "signs standby ");
    for (size_t i = 0; i < 5; i++)
        mru_key_free(f.keys[i].key);
}

static void a_key_is_found_by_its_kid(void **state) {
    struct fixture f;
    (void)state;
    set_up(&f);
    add(&f, "a", NULL, NOW);
    add(&f, "ab", NULL, NOW);
    assert_ptr_equal(mru_keyring_find(&f.ring, "ab"), &f.keys[1]);
    assert_null(mru_keyring_find(&f.ring, "abc"));
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_key_goes_through_its_stages),
        cmocka_unit_test(a_standby_never_signs_by_itself),
        cmocka_unit_test(the_one_that_began_last_signs),
        cmocka_unit_test(of_two_that_began_at_once_the_one_added_last_signs),
        cmocka_unit_test(a_retired_or_dropped_key_does_not_sign),
        cmocka_unit_test(keys_are_chosen_by_algorithm),
        cmocka_unit_test(an_app_with_own_keys_never_uses_another_owner_s),
        cmocka_unit_test(the_set_has_what_verifies_and_no_private_member),
        cmocka_unit_test(a_key_is_found_by_its_kid),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
