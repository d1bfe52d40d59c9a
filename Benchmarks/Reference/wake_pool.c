#include <errno.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include "counts.h"
#include "latencies.h"

static uint64_t value(const uint64_t *word) { return __atomic_load_n(word, __ATOMIC_SEQ_CST); }

static uint64_t relaxed(const uint64_t *word) { return __atomic_load_n(word, __ATOMIC_RELAXED); }

static uint64_t *waterline(const struct reference_pool *pool, int producer) {
    return pool->waterlines + (size_t)producer * (size_t)pool->waterline_spacing;
}

static void wake_throttled(const struct reference_pool *pool, uint64_t open) {
    for (int i = 0; i < pool->producers; i++) {
        uint64_t mark = value(waterline(pool, i));
        if (!mark || open >= mark ||
            !__atomic_compare_exchange_n(waterline(pool, i), &mark, 0, false, __ATOMIC_SEQ_CST, __ATOMIC_SEQ_CST))
            continue;
        __atomic_sub_fetch(pool->throttled, 1, __ATOMIC_SEQ_CST);
        uint64_t one = 1;
        while (write(pool->rooms[i], &one, sizeof one) < 0 && errno == EINTR)
            ;
    }
}

/* After a failed attempt, waits until consumers have closed half of what is open: 0, or the error if that cannot help. */
static int wait_for_room(const struct reference_pool *pool, struct reference_producer *producer, int error,
                         int *vain_attempts) {
    uint64_t open = __atomic_sub_fetch(pool->open, 1, __ATOMIC_SEQ_CST);
    if (value(pool->throttled))
        wake_throttled(pool, open);
    if (error != EMFILE && error != ENFILE)
        return error;
    if (value(pool->over))
        return ECANCELED;
    /* Another producer may have had the room, and its task may be done by now. */
    if (open == 0)
        return ++*vain_attempts == 100 ? error : 0;
    *vain_attempts = 0;
    producer->waits++;
    uint64_t *mark = waterline(pool, producer->index);
    __atomic_store_n(mark, open / 2 + 1, __ATOMIC_SEQ_CST);
    __atomic_add_fetch(pool->throttled, 1, __ATOMIC_SEQ_CST);
    bool drained = value(pool->open) <= open / 2 || value(pool->over);
    if (drained && __atomic_exchange_n(mark, 0, __ATOMIC_SEQ_CST)) {
        __atomic_sub_fetch(pool->throttled, 1, __ATOMIC_SEQ_CST);
        return 0;
    }
    uint64_t amount;
    while (read(pool->rooms[producer->index], &amount, sizeof amount) < 0 && errno == EINTR)
        ;
    return 0;
}

/* A descriptor, or -1 with errno, which is ECANCELED if there is no room and all is over. */
static int open_signal(const struct reference_pool *pool, struct reference_producer *producer) {
    int vain_attempts = 0;
    for (;;) {
        /* Counted before it is made: another producer that finds no room must not believe that nobody has any. */
        uint64_t open = __atomic_add_fetch(pool->open, 1, __ATOMIC_SEQ_CST);
        int descriptor = eventfd(0, producer->eventfd_flags);
        if (descriptor >= 0) {
            if (open > producer->open_peak)
                producer->open_peak = open;
            return descriptor;
        }
        int error = wait_for_room(pool, producer, errno, &vain_attempts);
        if (error) {
            errno = error;
            return -1;
        }
    }
}

int reference_produce(const struct reference_pool *pool, struct reference_producer *producer) {
    for (uint32_t task = producer->first_task; task < producer->end_task; task++) {
        int descriptor = open_signal(pool, producer);
        if (descriptor < 0)
            return errno == ECANCELED ? 0 : errno;
        if (relaxed(pool->over)) {
            close(descriptor);
            return 0;
        }
        uint64_t owner = task | (uint64_t)descriptor << 32;
        __atomic_store_n(&pool->owners[descriptor], owner, __ATOMIC_RELAXED);
        struct epoll_event event = {
            .events = producer->events,
            .data.u64 = (uint64_t)task << 32 | (uint32_t)descriptor,
        };
        if (epoll_ctl(producer->set, EPOLL_CTL_ADD, descriptor, &event) < 0)
            return errno;
        __atomic_store_n(&pool->handed_at[task], monotonic_nanoseconds(), __ATOMIC_RELAXED);
        uint64_t one = 1;
        while (write(descriptor, &one, sizeof one) < 0)
            if (errno != EINTR)
                return errno;
    }
    return 0;
}

static void finish(const struct reference_pool *pool, uint64_t task, uint64_t *counts, uint64_t *latencies) {
    uint64_t now = monotonic_nanoseconds();
    record(latencies, now - relaxed(&pool->handed_at[task]));
    __atomic_store_n(&pool->handed_at[task], now, __ATOMIC_RELAXED);
    __atomic_add_fetch(&pool->done_counts[task], 1, __ATOMIC_SEQ_CST);
    count(counts, REFERENCE_OPERATIONS, 1);
    if (__atomic_sub_fetch(pool->remaining, 1, __ATOMIC_SEQ_CST) == 0) {
        __atomic_store_n(pool->ended_at, now, __ATOMIC_SEQ_CST);
        uint64_t one = 1;
        while (write(pool->finished, &one, sizeof one) < 0 && errno == EINTR)
            ;
    }
}

/* 1 if the caller took the signal and owns the descriptor now, 0 if another did, -1 with errno. */
static int read_owned(int descriptor, uint64_t *counts, uint64_t *stale_events) {
    count(counts, REFERENCE_SYSTEM_CALLS, 1);
    uint64_t amount;
    while (read(descriptor, &amount, sizeof amount) < 0) {
        if (errno == EAGAIN) {
            count(counts, REFERENCE_EMPTY_CALLS, 1);
            ++*stale_events;
            return 0;
        }
        if (errno == EBADF) {
            ++*stale_events;
            return 0;
        }
        if (errno != EINTR)
            return -1;
    }
    return 1;
}

int reference_consume(const struct reference_pool *pool, int set, uint64_t *counts, uint64_t *latencies,
                      uint64_t *stale_events) {
    struct epoll_event events[64];
    for (;;) {
        int ready = epoll_wait(set, events, 64, -1);
        if (ready < 0) {
            if (errno == EINTR)
                continue;
            return errno;
        }
        count(counts, REFERENCE_SYSTEM_CALLS, 1);
        count(counts, REFERENCE_WAKEUPS, 1);
        uint64_t before = count_of(counts, REFERENCE_OPERATIONS);
        for (int i = 0; i < ready; i++) {
            uint64_t token = events[i].data.u64;
            if (token == REFERENCE_STOP)
                return 0;
            int descriptor = (int)(uint32_t)token;
            int taken = read_owned(descriptor, counts, stale_events);
            if (taken < 0)
                return errno;
            if (!taken)
                continue;
            uint64_t task = relaxed(&pool->owners[descriptor]) & UINT32_MAX;
            if (task != token >> 32)
                ++*stale_events;
            count(counts, REFERENCE_SYSTEM_CALLS, 1);
            close(descriptor);
            uint64_t open = __atomic_sub_fetch(pool->open, 1, __ATOMIC_SEQ_CST);
            if (value(pool->throttled))
                wake_throttled(pool, open);
            finish(pool, task, counts, latencies);
        }
        if (count_of(counts, REFERENCE_OPERATIONS) == before)
            count(counts, REFERENCE_SPURIOUS_WAKEUPS, 1);
    }
}
