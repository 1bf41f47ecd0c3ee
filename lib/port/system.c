/* lib/port/system.c - the system's clock and random source for hosts that have
 * no others (include/mereau/system.h). */
/* Where the C library offers a 64-bit time_t on a 32-bit machine, take it. */
#define _FILE_OFFSET_BITS 64
#define _TIME_BITS 64
#include <mereau/system.h>

#include "port.h"

#include <errno.h>
#include <time.h>

static int32_t now(void *user, int64_t *now_at) {
    time_t at = time(NULL);
    (void)user;
    if (at == (time_t)-1)
        return EIO;
    *now_at = (int64_t)at;
    return 0;
}

static const mereau_clock system_clock = {(uint32_t)sizeof(mereau_clock), 0,
                                          NULL, now};

const mereau_clock *mereau_system_clock(void) { return &system_clock; }

mereau_status mereau_system_random(uint8_t *out, size_t len,
                                   mereau_error *err) {
    mereau_status status = mru_error_reset(err);
    if (out != NULL)
        mru_wipe(out, len);
    if (status != MEREAU_OK)
        return status;
    if (out == NULL || len == 0)
        return mru_refuse(err, MEREAU_E_ARG, "argument.out", NULL,
                          "room for at least one byte",
                          out == NULL ? "NULL" : "a length of 0");
    int code = mru_os_random(NULL, out, len);
    if (code != 0)
        return mru_refuse_host(err, MEREAU_E_RANDOM, code, "system.random",
                               "bytes of the operating system", NULL);
    return MEREAU_OK;
}

/* --- the random source of one call --- */

mereau_status mru_random_check(const mereau_random *random, mereau_error *err) {
    if (random != NULL && random->size != sizeof *random)
        return mru_refuse(err, MEREAU_E_SIZE, "random.size", NULL,
                          "the size of mereau_random", "another");
    if (random != NULL && random->fill == NULL)
        return mru_refuse(err, MEREAU_E_ARG, "random.fill", NULL, "a callback",
                          "NULL");
    return MEREAU_OK;
}

void *mru_random_arg(const mereau_random *random) {
    /* It is only read through this. */
    return (void *)(uintptr_t)random;
}

int mru_random_draw(void *random, uint8_t *out, size_t len) {
    const mereau_random *from = random;
    int code = from == NULL ? mru_os_random(NULL, out, len)
                            : (int)from->fill(from->user, out, len);
    if (code != 0)
        mru_wipe(out, len);
    return code;
}
