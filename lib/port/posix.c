/* lib/port/posix.c - locks, sleep, randomness and process id of a POSIX system.
 */
#define _POSIX_C_SOURCE 200809L
#include "port.h"

#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <time.h>
#include <unistd.h>
#if defined(__linux__)
#include <sys/random.h>
#endif

struct mru_lock {
    pthread_mutex_t mutex;
};

mru_lock *mru_lock_new(void) {
    mru_lock *lock = mru_alloc(sizeof *lock);
    if (lock != NULL && pthread_mutex_init(&lock->mutex, NULL) != 0) {
        mru_free(lock);
        lock = NULL;
    }
    return lock;
}

void mru_lock_free(mru_lock *lock) {
    if (lock == NULL)
        return;
    (void)pthread_mutex_destroy(&lock->mutex);
    mru_free(lock);
}

void mru_lock_take(mru_lock *lock) { (void)pthread_mutex_lock(&lock->mutex); }

void mru_lock_give(mru_lock *lock) { (void)pthread_mutex_unlock(&lock->mutex); }

void mru_sleep_ms(uint32_t ms) {
    struct timespec left = {(time_t)(ms / 1000),
                            (long)(ms % 1000) * 1000 * 1000};
    while (nanosleep(&left, &left) != 0 && errno == EINTR)
        continue;
}

/* For kernels without getrandom, and for systems that have only the device. */
static int read_device(uint8_t *out, size_t len) {
    int result = 0, file;
    do
        file = open("/dev/urandom", O_RDONLY | O_CLOEXEC);
    while (file < 0 && errno == EINTR);
    if (file < 0)
        return errno;
    while (len > 0 && result == 0) {
        ssize_t n = read(file, out, len);
        if (n > 0) {
            out += n;
            len -= (size_t)n;
        } else if (n == 0) {
            result = EIO;
        } else if (errno != EINTR) {
            result = errno;
        }
    }
    (void)close(file);
    return result;
}

static int draw(uint8_t *out, size_t len) {
#if defined(__linux__)
    while (len > 0) {
        ssize_t n = getrandom(out, len, 0);
        if (n > 0) {
            out += n;
            len -= (size_t)n;
        } else if (n < 0 && errno == ENOSYS) {
            return read_device(out, len);
        } else if (n == 0 || errno != EINTR) {
            return n == 0 ? EIO : errno;
        }
    }
    return 0;
#else
    return read_device(out, len);
#endif
}

int mru_os_random(void *unused, uint8_t *out, size_t len) {
    (void)unused;
    int saved = errno;
    int result = draw(out, len);
    if (result != 0)
        mru_wipe(out, len);
    errno = saved;
    return result;
}

uint64_t mru_process_id(void) { return (uint64_t)getpid(); }
