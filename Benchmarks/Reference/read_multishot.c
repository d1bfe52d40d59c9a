#include <stdlib.h>
#include <unistd.h>
#include <sys/socket.h>

#include "ring.h"

enum { RECEIVE = 2, SEND = 3, GROUP = 0 };

/* IORING_SEND_ZC_REPORT_USAGE, which liburing 2.3 lacks. */
enum { REPORT_USAGE = 1U << 3 };

struct buffers {
    struct io_uring_buf_ring *ring;
    char *memory;
    size_t bytes;
    unsigned count;
    bool zero_copy;
    unsigned zero_copy_flags;
};

static uint64_t token(unsigned kind, unsigned buffer, int connection) {
    return (uint64_t)kind << 56 | (uint64_t)buffer << 32 | (unsigned)connection;
}

static void give(struct buffers *buffers, unsigned buffer) {
    io_uring_buf_ring_add(buffers->ring, buffers->memory + buffer * buffers->bytes, (unsigned)buffers->bytes,
                          (unsigned short)buffer, io_uring_buf_ring_mask(buffers->count), 0);
    io_uring_buf_ring_advance(buffers->ring, 1);
}

/* Takes note of a send; the buffer is free when the kernel has nothing more to say of it. */
static void sent(struct buffers *buffers, uint64_t data, int result, unsigned flags, size_t message_bytes,
                 uint64_t *counts) {
    if (!(flags & IORING_CQE_F_MORE))
        give(buffers, data >> 32 & 0xffff);
    if (flags & IORING_CQE_F_NOTIF) {
        count(counts, REFERENCE_NOTIFICATIONS, 1);
        count(counts, REFERENCE_COPIED_NOTIFICATIONS, result < 0);
    } else if (result > 0) {
        count(counts, REFERENCE_OPERATIONS, (size_t)result / message_bytes);
    }
}

static int receive(struct io_uring *ring, int connection, uint64_t *counts) {
    struct io_uring_sqe *entry = next_entry(ring, counts);
    if (!entry)
        return EBUSY;
    io_uring_prep_recv_multishot(entry, connection, NULL, 0, 0);
    entry->flags = IOSQE_BUFFER_SELECT;
    entry->buf_group = GROUP;
    io_uring_sqe_set_data64(entry, token(RECEIVE, 0, connection));
    return 0;
}

static int echo(struct io_uring *ring, struct buffers *buffers, unsigned buffer, int connection, int bytes,
                uint64_t *counts) {
    struct io_uring_sqe *entry = next_entry(ring, counts);
    if (!entry)
        return EBUSY;
    char *start = buffers->memory + buffer * buffers->bytes;
    if (buffers->zero_copy)
        io_uring_prep_send_zc(entry, connection, start, (size_t)bytes, MSG_NOSIGNAL, buffers->zero_copy_flags);
    else
        io_uring_prep_send(entry, connection, start, (size_t)bytes, MSG_NOSIGNAL);
    io_uring_sqe_set_data64(entry, token(SEND, buffer, connection));
    return 0;
}

/* Messages that fit a segment arrive whole on loopback and are sent whole, which is all that the comparison needs. */
static int loop(struct io_uring *ring, struct buffers *buffers, size_t message_bytes, uint64_t *counts) {
    bool has_poller = ring->flags & IORING_SETUP_SQPOLL;
    for (;;) {
        int error = has_poller ? publish_and_wait(ring, counts) : submit_and_wait(ring, counts);
        bool progress = false;
        uint64_t receives = 0, bytes = 0;
        struct io_uring_cqe *completion;
        while (!error && io_uring_peek_cqe(ring, &completion) == 0) {
            uint64_t data = completion->user_data;
            int connection = (int)data, result = completion->res;
            unsigned flags = completion->flags;
            io_uring_cqe_seen(ring, completion);
            count(counts, REFERENCE_COMPLETIONS, 1);
            if (data == REFERENCE_STOP)
                return 0;
            progress |= !(flags & IORING_CQE_F_NOTIF);
            if (data >> 56 == SEND) {
                sent(buffers, data, result, flags, message_bytes, counts);
                continue;
            }
            if (result > 0) {
                if ((size_t)result % message_bytes)
                    return EPROTO;
                receives += 1;
                bytes += (uint64_t)result;
                error = echo(ring, buffers, flags >> IORING_CQE_BUFFER_SHIFT, connection, result, counts);
            }
            if (!error && (result > 0 || result == -ENOBUFS) && !(flags & IORING_CQE_F_MORE)) {
                count(counts, REFERENCE_REARMS, 1);
                error = receive(ring, connection, counts);
            }
        }
        if (error)
            return error;
        if (receives)
            count_received(counts, receives, bytes);
        if (!progress)
            count(counts, REFERENCE_SPURIOUS_WAKEUPS, 1);
    }
}

static int run(struct io_uring *ring, struct buffers *buffers, const int *connections, size_t connection_count,
               size_t message_bytes, uint64_t *counts) {
    struct io_uring_buf_reg registration = {
        .ring_addr = (unsigned long)buffers->ring, .ring_entries = buffers->count, .bgid = GROUP};
    int error = -io_uring_register_buf_ring(ring, &registration, 0);
    if (error)
        return error;
    io_uring_buf_ring_init(buffers->ring);
    for (unsigned buffer = 0; buffer < buffers->count; buffer++)
        give(buffers, buffer);
    for (size_t i = 0; i < connection_count && !error; i++)
        error = receive(ring, connections[i], counts);
    return error ? error : loop(ring, buffers, message_bytes, counts);
}

int reference_read_multishot(const int *connections, size_t connection_count, int stop, unsigned entries,
                             size_t message_bytes, size_t chunk_bytes, unsigned buffer_count, unsigned options,
                             uint64_t *counts) {
    struct buffers buffers = {
        .bytes = chunk_bytes, .count = buffer_count, .zero_copy = options & REFERENCE_ZERO_COPY,
        .zero_copy_flags = options & REFERENCE_REPORT_USAGE ? REPORT_USAGE : 0};
    buffers.memory = malloc(buffer_count * chunk_bytes);
    if (!buffers.memory)
        return ENOMEM;
    size_t page = (size_t)sysconf(_SC_PAGESIZE);
    int error = posix_memalign((void **)&buffers.ring, page, buffer_count * sizeof(struct io_uring_buf));
    struct io_uring ring;
    if (!error && !(error = make_ring(&ring, entries, options))) {
        poll_stop(&ring, stop);
        error = run(&ring, &buffers, connections, connection_count, message_bytes, counts);
        io_uring_queue_exit(&ring);
        free(buffers.ring);
    }
    free(buffers.memory);
    return error;
}
