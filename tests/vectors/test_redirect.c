/* tests/vectors/test_redirect.c - redirect URIs made to lead a code astray, and
 * those that a browser reads otherwise than they are written. */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include <stdlib.h>
#include <string.h>

#include "model/redirect.h"
#include "vec.h"

/* The bytes of a text; vec_load made U+E000 of NUL. To be freed. */
static char *bytes_of(const char *text, size_t *len) {
    char *out = malloc(strlen(text) + 1);
    assert_non_null(out);
    *len = 0;
    while (*text != '\0')
        if (strncmp(text, "\xee\x80\x80", 3) == 0) {
            out[(*len)++] = '\0';
            text += 3;
        } else {
            out[(*len)++] = *text++;
        }
    return out;
}

static int matches(const char *registered, const char *requested) {
    size_t a_len, b_len;
    char *a = bytes_of(registered, &a_len);
    char *b = bytes_of(requested, &b_len);
    int answer = mru_redirect_match(a, a_len, b, b_len);
    free(a);
    free(b);
    return answer;
}

static int may_register(const char *uri, int native) {
    size_t len;
    char *bytes = bytes_of(uri, &len);
    int answer = mru_redirect_problem(bytes, len, native) == NULL;
    free(bytes);
    return answer;
}

/* "policy": there is no setting that lets localhost in, so the answer is no. Of
 * "either" we say no, too. */
static void hostile_requests_go_back_only_to_what_was_registered(void **state) {
    struct vec_count count = {.file = "hostile_redirect.json match"};
    cJSON *root = vec_load("tests/vectors/hostile/hostile_redirect.json");
    const cJSON *row, *uri;
    (void)state;
    cJSON_ArrayForEach(row, cJSON_GetObjectItemCaseSensitive(root, "match")) {
        int answer = 0;
        cJSON_ArrayForEach(uri,
                           cJSON_GetObjectItemCaseSensitive(row, "registered"))
            answer |= matches(uri->valuestring, vec_text(row, "requested"));
        vec_case(&count, vec_text(row, "id"), vec_text(row, "why"),
                 answer == (strcmp(vec_text(row, "expect"), "match") == 0));
    }
    vec_end(&count, 58);
    cJSON_Delete(root);
}

static void hostile_uris_are_refused_at_registration(void **state) {
    struct vec_count count = {.file = "hostile_redirect.json register"};
    cJSON *root = vec_load("tests/vectors/hostile/hostile_redirect.json");
    const cJSON *row;
    (void)state;
    cJSON_ArrayForEach(row, cJSON_GetObjectItemCaseSensitive(root, "register"))
        vec_case(&count, vec_text(row, "id"), vec_text(row, "why"),
                 may_register(vec_text(row, "uri"), 1) ==
                     (strcmp(vec_text(row, "expect"), "accept") == 0));
    vec_end(&count, 24);
    cJSON_Delete(root);
}

static void what_a_browser_reads_otherwise_is_not_the_same(void **state) {
    struct vec_count count = {.file = "urltestdata.json pairs"};
    cJSON *root = vec_load("tests/vectors/wpt-url/urltestdata.json");
    const cJSON *row;
    (void)state;
    cJSON_ArrayForEach(row, root) {
        const char *input = vec_text(row, "input");
        const char *href = vec_text(row, "href");
        int same = strcmp(input, href) == 0;
        if (cJSON_GetObjectItemCaseSensitive(row, "failure") != NULL)
            continue;
        vec_case(&count, input, "written and read",
                 matches(href, input) == same && matches(input, href) == same);
    }
    vec_end(&count, 400);
    cJSON_Delete(root);
}

static void what_a_browser_refuses_cannot_be_registered(void **state) {
    struct vec_count count = {.file = "urltestdata.json failures"};
    cJSON *root = vec_load("tests/vectors/wpt-url/urltestdata.json");
    const cJSON *row;
    (void)state;
    cJSON_ArrayForEach(
        row, root) if (cJSON_GetObjectItemCaseSensitive(row, "failure") != NULL)
        vec_case(&count, vec_text(row, "input"), "failure",
                 !may_register(vec_text(row, "input"), 1));
    vec_end(&count, 180);
    cJSON_Delete(root);
}

/* What may be registered is what a browser will go to: a web URI that is accepted
 * must not be one that it rewrites in host or path. */
static void what_may_be_registered_is_read_as_it_is_written(void **state) {
    struct vec_count count = {.file = "urltestdata.json accepted"};
    cJSON *root = vec_load("tests/vectors/wpt-url/urltestdata.json");
    const cJSON *row;
    (void)state;
    cJSON_ArrayForEach(row, root) {
        const char *input = vec_text(row, "input");
        const char *href = vec_text(row, "href");
        size_t len = strlen(input);
        if (cJSON_GetObjectItemCaseSensitive(row, "failure") != NULL ||
            strncmp(input, "http", 4) != 0 || strstr(input, ":443") != NULL ||
            !may_register(input, 0))
            continue;
        /* An empty path is read as "/"; a default port is left out. */
        vec_case(&count, input, href,
                 strcmp(input, href) == 0 || (strncmp(input, href, len) == 0 &&
                                              strcmp(href + len, "/") == 0));
    }
    vec_end(&count, 3);
    cJSON_Delete(root);
}

/* --- rules by name --- */

static void an_http_uri_is_for_this_machine_only(void **state) {
    (void)state;
    assert_true(may_register("http://127.0.0.1/cb", 0));
    assert_true(may_register("http://127.0.0.1:8080/cb?x=1", 0));
    assert_true(may_register("http://[::1]:1/cb", 0));
    assert_false(may_register("http://localhost/cb", 1));
    assert_false(may_register("http://127.0.0.2/cb", 1));
    assert_false(may_register("http://127.0.0.1.example/cb", 1));
    assert_false(may_register("http://[::2]/cb", 1));
}

static void a_custom_scheme_is_for_native_apps_and_has_a_dot(void **state) {
    (void)state;
    assert_true(may_register("com.example.app:/cb", 1));
    assert_true(may_register("com.example.app://callback/x", 1));
    assert_false(may_register("com.example.app:/cb", 0));
    assert_false(may_register("example:/cb", 1));
    assert_false(may_register("com..app:/cb", 1));
    assert_false(may_register("com.:/cb", 1));
    assert_false(may_register("com.example.app:", 1));
    assert_false(may_register("com.example.app://user@host/cb", 1));
}

static void nothing_that_is_read_in_two_ways_may_be_registered(void **state) {
    static const char *const bad[] = {
        "",
        "https:app.example/cb",
        "HTTPS://app.example/cb",
        "https://app.example/cb#x",
        "https://app.example/*",
        "https://*.example/cb",
        "https://app.example/a/../cb",
        "https://app.example/a/%2e%2E/cb",
        "https://app.example/.",
        "https://app.example\\cb",
        "https://app.example/c b",
        "https://app.example/%0a",
        "https://app.example/%7f",
        "https://app.example/%",
        "https://app.example/%g0",
        "https://app.example./cb",
        "https://app.example:/cb",
        "https://app.example:0/cb",
        "https://app.example:080/cb",
        "https://app.example:65536/cb",
        "https://app.example:80:80/cb",
        "https://0x7f.1/cb",
        "https://127.1/cb",
        "https://1.2.3.04/cb",
        "https://[::1/cb",
        "https://[::1]x/cb",
        "https://[1:2:3:4:5:6:7:8:9]/cb",
        "https://[1::2::3]/cb",
        "https://[1:2:3]/cb",
        "https://[1:2:3:4:5:6:7:8::]/cb",
        "https://[fe80::1%25eth0]/cb",
        "https://app.example/[x]",
        "https://app.example/?[x]",
        "https://\xc3\xa9.example/cb",
    };
    (void)state;
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++)
        if (may_register(bad[i], 1))
            fail_msg("accepted: %s", bad[i]);
}

static void a_uri_of_1024_bytes_is_the_longest(void **state) {
    char uri[1100];
    (void)state;
    memset(uri, 'x', sizeof uri);
    memcpy(uri, "https://app.example/", 20);
    assert_null(mru_redirect_problem(uri, 1024, 0));
    assert_non_null(mru_redirect_problem(uri, 1025, 0));
}

static void addresses_are_accepted_in_their_strict_form(void **state) {
    static const char *const good[] = {
        "https://192.0.2.1/cb",         "https://[2001:db8::1]/cb",
        "https://[::ffff:192.0.2.1]/",  "https://[1:2:3:4:5:6:7:8]:443/cb",
        "https://[1:2:3:4:5:6:7::]/cb", "https://[::]/cb",
        "https://a-b.c_d.example:8443", "https://app.example/%2Fx?a=%26",
    };
    (void)state;
    for (size_t i = 0; i < sizeof good / sizeof good[0]; i++)
        if (!may_register(good[i], 0))
            fail_msg("refused: %s", good[i]);
}

static void a_loopback_port_may_differ_and_nothing_else(void **state) {
    (void)state;
    assert_true(matches("http://[::1]:5000/cb", "http://[::1]:6000/cb"));
    assert_true(matches("http://[::1]:5000/cb", "http://[::1]/cb"));
    assert_true(matches("http://127.0.0.1", "http://127.0.0.1:9"));
    assert_false(matches("https://127.0.0.1/cb", "https://127.0.0.1:9/cb"));
    assert_false(matches("http://127.0.0.1/cb", "http://127.0.0.1:9x/cb"));
    assert_false(matches("http://127.0.0.1/cb", "http://127.0.0.1:/cb"));
    assert_false(matches("http://127.0.0.1/cb", "http://127.0.0.1@evil/cb"));
    assert_false(matches("", ""));
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(hostile_requests_go_back_only_to_what_was_registered),
        cmocka_unit_test(hostile_uris_are_refused_at_registration),
        cmocka_unit_test(what_a_browser_reads_otherwise_is_not_the_same),
        cmocka_unit_test(what_a_browser_refuses_cannot_be_registered),
        cmocka_unit_test(what_may_be_registered_is_read_as_it_is_written),
        cmocka_unit_test(an_http_uri_is_for_this_machine_only),
        cmocka_unit_test(a_custom_scheme_is_for_native_apps_and_has_a_dot),
        cmocka_unit_test(nothing_that_is_read_in_two_ways_may_be_registered),
        cmocka_unit_test(a_uri_of_1024_bytes_is_the_longest),
        cmocka_unit_test(addresses_are_accepted_in_their_strict_form),
        cmocka_unit_test(a_loopback_port_may_differ_and_nothing_else),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
