#include <errno.h>
#include <sys/epoll.h>
#include <unistd.h>

#include "counts.h"
#include "latencies.h"

/* 1 if there was a signal, 0 if not, -1 with errno. */
static inline int read_signal(int input, uint64_t *counts) {
    count(counts, REFERENCE_SYSTEM_CALLS, 1);
    uint64_t amount;
    while (read(input, &amount, sizeof amount) < 0) {
        if (errno == EAGAIN) {
            count(counts, REFERENCE_EMPTY_CALLS, 1);
            return 0;
        }
        if (errno != EINTR)
            return -1;
    }
    return 1;
}

static inline int write_signal(int output, uint64_t *counts) {
    count(counts, REFERENCE_SYSTEM_CALLS, 1);
    uint64_t one = 1;
    while (write(output, &one, sizeof one) < 0) {
        if (errno == EAGAIN)
            return 0;
        if (errno != EINTR)
            return errno;
    }
    return 0;
}

static inline bool goes_on(const struct reference_ping_pong *side) {
    uint64_t now = monotonic_nanoseconds();
    count(side->counts, REFERENCE_OPERATIONS, 1);
    if (side->leads && now >= side->load_end)
        __atomic_store_n(side->over, 1, __ATOMIC_RELAXED);
    if (__atomic_load_n(side->over, __ATOMIC_RELAXED))
        return false;
    if (now >= side->window_start && now < side->window_end) {
        record(side->one_way, now - __atomic_load_n(side->theirs, __ATOMIC_RELAXED));
        if (side->leads)
            record(side->round_trips, now - __atomic_load_n(side->mine, __ATOMIC_RELAXED));
    }
    __atomic_store_n(side->mine, now, __ATOMIC_RELAXED);
    return true;
}

int reference_ping_pong_read(const struct reference_ping_pong *side, int input, int output) {
    for (;;) {
        if (read_signal(input, side->counts) < 0)
            return errno;
        count(side->counts, REFERENCE_WAKEUPS, 1);
        if (!goes_on(side))
            return 0;
        int error = write_signal(output, side->counts);
        if (error)
            return error;
    }
}

static inline int wait_in_epoll(int set, int input, bool drains, uint64_t *counts) {
    for (;;) {
        struct epoll_event event;
        while (epoll_wait(set, &event, 1, -1) < 0)
            if (errno != EINTR)
                return errno;
        count(counts, REFERENCE_SYSTEM_CALLS, 1);
        count(counts, REFERENCE_WAKEUPS, 1);
        int taken = read_signal(input, counts);
        int more = taken;
        while (drains && more > 0)
            more = read_signal(input, counts);
        if (taken < 0 || more < 0)
            return errno;
        if (taken)
            return 0;
        count(counts, REFERENCE_SPURIOUS_WAKEUPS, 1);
    }
}

int reference_ping_pong_epoll(const struct reference_ping_pong *side, int set, int input, int output, bool drains) {
    for (;;) {
        int error = wait_in_epoll(set, input, drains, side->counts);
        if (error)
            return error;
        if (!goes_on(side))
            return 0;
        error = write_signal(output, side->counts);
        if (error)
            return error;
    }
}
