/* tests/redis/test_strange.c - what the Redis store answers to replies that no
 * server of today gives: a refusal by a word that it does not know, a reply of
 * another kind. It says what is not known, and never that nothing was applied.
 * The server is a thread of this program that answers as it is told. */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>

#include <cmocka.h>

#include <arpa/inet.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include <mereau/redis.h>

#include "store/support.h"

/* One connection after the other, until one comes that is closed at once. */
struct fake {
    int listener;
    unsigned port;
    const char *reply; /* to scripts and to EXEC; set while nothing is asked */
    pthread_t thread;
};

/* Reads one command, all of its words; the first one to `word`. 0, or -1 at the
 * end of the connection. */
static int read_command(FILE *in, char word[32]) {
    char line[64], bytes[65536];
    long n, len;
    if (fgets(line, sizeof line, in) == NULL || *line != '*')
        return -1;
    n = strtol(line + 1, NULL, 10);
    for (long i = 0; i < n; i++) {
        if (fgets(line, sizeof line, in) == NULL || *line != '$')
            return -1;
        len = strtol(line + 1, NULL, 10) + 2;
        if (len < 2 || (size_t)len > sizeof bytes ||
            fread(bytes, (size_t)len, 1, in) != 1)
            return -1;
        if (i == 0)
            snprintf(word, 32, "%.*s", (int)(len < 32 ? len - 2 : 29), bytes);
    }
    return 0;
}

static const char *reply_to(const struct fake *fake, const char *word) {
    static const char info[] = "$65\r\nredis_version:7.0.0\r\nrole:master\r\n"
                               "maxmemory_policy:noeviction\r\n\r\n\r\n";
    if (strcmp(word, "INFO") == 0)
        return info;
    if (strcmp(word, "CONFIG") == 0)
        return "*0\r\n";
    if (strncmp(word, "EVAL", 4) == 0 || strcmp(word, "EXEC") == 0)
        return fake->reply;
    return "+OK\r\n";
}

static int serve(struct fake *fake, int fd) {
    FILE *in = fdopen(fd, "r");
    char word[32];
    int n = 0;
    while (in != NULL && read_command(in, word) == 0) {
        const char *reply = reply_to(fake, word);
        if (write(fd, reply, strlen(reply)) != (ssize_t)strlen(reply))
            break;
        n++;
    }
    if (in != NULL)
        fclose(in);
    return n;
}

static void *serve_all(void *arg) {
    struct fake *fake = arg;
    while (serve(fake, accept(fake->listener, NULL, NULL)) > 0)
        ;
    return NULL;
}

static struct sockaddr_in address_of(const struct fake *fake) {
    struct sockaddr_in at;
    memset(&at, 0, sizeof at);
    at.sin_family = AF_INET;
    at.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    at.sin_port = htons((uint16_t)fake->port);
    return at;
}

static void fake_start(struct fake *fake) {
    struct sockaddr_in at;
    socklen_t len = sizeof at;
    memset(fake, 0, sizeof *fake);
    at = address_of(fake);
    fake->listener = socket(AF_INET, SOCK_STREAM, 0);
    assert_int_equal(bind(fake->listener, (struct sockaddr *)&at, sizeof at),
                     0);
    assert_int_equal(listen(fake->listener, 8), 0);
    assert_int_equal(getsockname(fake->listener, (struct sockaddr *)&at, &len),
                     0);
    fake->port = ntohs(at.sin_port);
    assert_int_equal(pthread_create(&fake->thread, NULL, serve_all, fake), 0);
}

static void fake_end(struct fake *fake) {
    struct sockaddr_in at = address_of(fake);
    int last = socket(AF_INET, SOCK_STREAM, 0);
    assert_int_equal(connect(last, (struct sockaddr *)&at, sizeof at), 0);
    close(last);
    pthread_join(fake->thread, NULL);
    close(fake->listener);
}

static mereau_store *open_on(const struct fake *fake) {
    mereau_redis_settings settings = MEREAU_REDIS_SETTINGS_INIT;
    mereau_error err = MEREAU_ERROR_INIT;
    mereau_store *store = NULL;
    settings.host = "127.0.0.1";
    settings.port = fake->port;
    if (mereau_redis_open(&store, &settings, &err) != MEREAU_OK)
        fail_msg("%s", err.text);
    return store;
}

static void what_is_not_understood_is_unknown(void **state) {
    static const struct {
        const char *reply;
        int32_t result;
    } cases[] = {
        {":0\r\n", MEREAU_STORE_OK},
        {":1\r\n", MEREAU_STORE_CONFLICT},
        {"-OOM of a kind\r\n", MEREAU_STORE_LIMIT},
        {"-LOADING and more\r\n", MEREAU_STORE_BUSY},
        {"-WRONGTYPE is there\r\n", MEREAU_STORE_IO},
        /* Only known words say that nothing was applied. */
        {"-ERR whatever\r\n", MEREAU_STORE_UNKNOWN},
        {"-NEWWORD of a later server\r\n", MEREAU_STORE_UNKNOWN},
        {"-LOADINGS of another word\r\n", MEREAU_STORE_UNKNOWN},
        /* Not a reply to the script. */
        {":2\r\n", MEREAU_STORE_UNKNOWN},
        {":-1\r\n", MEREAU_STORE_UNKNOWN},
        {"+OK\r\n", MEREAU_STORE_UNKNOWN},
        {"$-1\r\n", MEREAU_STORE_UNKNOWN},
        {"*1\r\n:0\r\n", MEREAU_STORE_UNKNOWN},
        {"?0\r\n", MEREAU_STORE_UNKNOWN},
    };
    struct fake fake;
    mereau_store *store;
    (void)state;
    fake_start(&fake);
    store = open_on(&fake);
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        int32_t result;
        fake.reply = cases[i].reply;
        result = put(store, "a", MEREAU_VERSION_ABSENT, 1, "x");
        if (result != cases[i].result)
            fail_msg("%s answered %d", cases[i].reply, (int)result);
    }
    mereau_store_close(store);
    fake_end(&fake);
}

/* A read applies nothing: it failed, and is not "unknown". */
static void a_read_is_never_unknown(void **state) {
    static const char *const replies[] = {"-NEWWORD of a later server\r\n",
                                          ":2\r\n", "+OK\r\n", "*1\r\n:0\r\n"};
    struct fake fake;
    mereau_store *store;
    (void)state;
    fake_start(&fake);
    store = open_on(&fake);
    for (size_t i = 0; i < sizeof replies / sizeof replies[0]; i++) {
        int32_t result = -1;
        fake.reply = replies[i];
        (void)version_of(store, "a", &result);
        if (result != MEREAU_STORE_IO)
            fail_msg("%s answered %d", replies[i], (int)result);
    }
    mereau_store_close(store);
    fake_end(&fake);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_is_not_understood_is_unknown),
        cmocka_unit_test(a_read_is_never_unknown),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
