#ifndef REFERENCE_RING_H
#define REFERENCE_RING_H

#include <errno.h>
#include <liburing.h>
#include <poll.h>

#include "counts.h"

/* A ring with the cheapest way of posting completions that this kernel has, or with a poller; 0 or an error number. */
static inline int make_ring(struct io_uring *ring, unsigned entries, unsigned options) {
    static const unsigned polled = IORING_SETUP_SQPOLL | IORING_SETUP_SUBMIT_ALL;
    static const unsigned wishes[] = {
        IORING_SETUP_SINGLE_ISSUER | IORING_SETUP_DEFER_TASKRUN | IORING_SETUP_SUBMIT_ALL,
        IORING_SETUP_COOP_TASKRUN | IORING_SETUP_SUBMIT_ALL,
        0,
    };
    int result = -EINVAL;
    for (int i = 0; i < 3 && result == -EINVAL; i++) {
        unsigned flags = options & REFERENCE_POLLER ? polled : wishes[i];
        struct io_uring_params parameters = {.flags = flags | IORING_SETUP_CQSIZE, .cq_entries = 2 * entries};
        result = io_uring_queue_init_params(entries, ring, &parameters);
    }
    return -result;
}

/* The next free submission; hands over the queue when it is full, and is NULL when even that makes no room. */
static inline struct io_uring_sqe *next_entry(struct io_uring *ring, uint64_t *counts) {
    struct io_uring_sqe *entry = io_uring_get_sqe(ring);
    if (entry)
        return entry;
    count(counts, REFERENCE_SYSTEM_CALLS, 1);
    if (io_uring_submit(ring) < 0)
        return NULL;
    return io_uring_get_sqe(ring);
}

static inline void poll_stop(struct io_uring *ring, int stop) {
    struct io_uring_sqe *entry = io_uring_get_sqe(ring);
    io_uring_prep_poll_add(entry, stop, POLLIN);
    io_uring_sqe_set_data64(entry, REFERENCE_STOP);
}

/* Publishes what is queued, which needs a call only when the poller sleeps, and waits if nothing has completed yet. */
static inline int publish_and_wait(struct io_uring *ring, uint64_t *counts) {
    bool sleeps = io_uring_sq_ready(ring) && IO_URING_READ_ONCE(*ring->sq.kflags) & IORING_SQ_NEED_WAKEUP;
    unsigned queued = ring->sq.sqe_tail - ring->sq.sqe_head;
    int submitted = io_uring_submit(ring);
    if (submitted < 0)
        return -submitted;
    count(counts, REFERENCE_SYSTEM_CALLS, sleeps);
    count(counts, REFERENCE_SUBMISSIONS, queued);
    struct io_uring_cqe *completion;
    if (!io_uring_cq_ready(ring)) {
        count(counts, REFERENCE_SYSTEM_CALLS, 1);
        int result = io_uring_wait_cqe(ring, &completion);
        if (result < 0 && result != -EINTR)
            return -result;
    }
    count(counts, REFERENCE_WAKEUPS, 1);
    return 0;
}

/* One io_uring_enter(2) that hands over what is queued and waits; 0 or an error number. */
static inline int submit_and_wait(struct io_uring *ring, uint64_t *counts) {
    int submitted = io_uring_submit_and_wait(ring, 1);
    if (submitted < 0 && submitted != -EINTR)
        return -submitted;
    count(counts, REFERENCE_SYSTEM_CALLS, 1);
    count(counts, REFERENCE_SUBMISSIONS, submitted > 0 ? (uint64_t)submitted : 0);
    count(counts, REFERENCE_WAKEUPS, 1);
    return 0;
}

#endif
