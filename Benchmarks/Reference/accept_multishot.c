#include <sys/socket.h>
#include <unistd.h>

#include "ring.h"

enum { ACCEPT_TOKEN = 1, CLOSE_TOKEN = 2 };

static int arm(struct io_uring *ring, int listener, uint64_t *counts) {
    struct io_uring_sqe *entry = next_entry(ring, counts);
    if (!entry)
        return EBUSY;
    io_uring_prep_multishot_accept(entry, listener, NULL, NULL, SOCK_CLOEXEC);
    io_uring_sqe_set_data64(entry, ACCEPT_TOKEN);
    return 0;
}

static int close_in_ring(struct io_uring *ring, int connection, uint64_t *counts) {
    struct io_uring_sqe *entry = next_entry(ring, counts);
    if (!entry)
        return EBUSY;
    io_uring_prep_close(entry, connection);
    entry->flags = IOSQE_CQE_SKIP_SUCCESS;
    io_uring_sqe_set_data64(entry, CLOSE_TOKEN);
    return 0;
}

static int loop(struct io_uring *ring, int listener, uint64_t *counts) {
    int error = arm(ring, listener, counts);
    while (!error) {
        error = submit_and_wait(ring, counts);
        uint64_t before = count_of(counts, REFERENCE_OPERATIONS);
        struct io_uring_cqe *completion;
        while (!error && io_uring_peek_cqe(ring, &completion) == 0) {
            uint64_t token = completion->user_data;
            int result = completion->res;
            bool armed = completion->flags & IORING_CQE_F_MORE;
            io_uring_cqe_seen(ring, completion);
            count(counts, REFERENCE_COMPLETIONS, 1);
            if (token == REFERENCE_STOP)
                return 0;
            if (result < 0 && result != -ECANCELED && result != -ENFILE && result != -EMFILE)
                return -result;
            if (token != ACCEPT_TOKEN)
                continue;
            if (result >= 0) {
                error = close_in_ring(ring, result, counts);
                count(counts, REFERENCE_OPERATIONS, 1);
            }
            if (!error && !armed) {
                count(counts, REFERENCE_REARMS, 1);
                error = arm(ring, listener, counts);
            }
        }
        if (count_of(counts, REFERENCE_OPERATIONS) == before)
            count(counts, REFERENCE_SPURIOUS_WAKEUPS, 1);
    }
    return error;
}

/* Closes what was accepted and not served when the stop signal came. */
static void close_rest(struct io_uring *ring) {
    struct io_uring_cqe *completion;
    io_uring_submit(ring);
    while (io_uring_peek_cqe(ring, &completion) == 0) {
        if (completion->user_data == ACCEPT_TOKEN && completion->res >= 0)
            close(completion->res);
        io_uring_cqe_seen(ring, completion);
    }
}

int reference_accept_multishot(int listener, int stop, unsigned entries, uint64_t *counts) {
    struct io_uring ring;
    int error = make_ring(&ring, entries, 0);
    if (error)
        return error;
    poll_stop(&ring, stop);
    error = loop(&ring, listener, counts);
    close_rest(&ring);
    io_uring_queue_exit(&ring);
    return error;
}
