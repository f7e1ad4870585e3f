/* Built by tests/dates.py and preloaded beside libfaketime.
 *
 * librdkafka waits with cnd_timedwait, until a time that it takes from the moved clock. libfaketime does not know this
 * call, so each such wait would last until the real clock is there: a month, or five years. The same wait of pthread
 * is known to libfaketime. In glibc both work on the same objects. */
#include <errno.h>
#include <pthread.h>
#include <threads.h>

int cnd_timedwait(cnd_t *condition, mtx_t *mutex, const struct timespec *until) {
    int failed = pthread_cond_timedwait((pthread_cond_t *)condition, (pthread_mutex_t *)mutex, until);
    return failed == 0 ? thrd_success : failed == ETIMEDOUT ? thrd_timedout : thrd_error;
}
