#include <sys/socket.h>

#include "read_ring.h"

/* IORING_SEND_ZC_REPORT_USAGE, which liburing 2.3 lacks. */
enum { REPORT_USAGE = 1U << 3 };

/* A reply that is sent without a copy. */
struct reply {
    unsigned bytes;
    /* Who works with its buffer: a send, and a notification that is still to come. */
    unsigned holders;
};

struct buffers {
    struct pool pool;
    unsigned zero_copy_flags;
    /* By buffer; NULL where sends copy. */
    struct reply *replies;
};

static int send_copied(struct io_uring *ring, struct pool *pool, unsigned buffer, int connection, size_t bytes,
                       uint64_t *counts) {
    struct io_uring_sqe *entry = next_entry(ring, counts);
    if (!entry)
        return EBUSY;
    io_uring_prep_send(entry, connection, memory_of(pool, buffer), bytes, MSG_NOSIGNAL);
    io_uring_sqe_set_data64(entry, token(SEND, buffer, connection));
    return 0;
}

static int echo(struct io_uring *ring, struct buffers *buffers, unsigned buffer, int connection, size_t bytes,
                uint64_t *counts) {
    if (!buffers->replies)
        return send_copied(ring, &buffers->pool, buffer, connection, bytes, counts);
    struct io_uring_sqe *entry = next_entry(ring, counts);
    if (!entry)
        return EBUSY;
    buffers->replies[buffer] = (struct reply){.bytes = (unsigned)bytes, .holders = 1};
    io_uring_prep_send_zc(entry, connection, memory_of(&buffers->pool, buffer), bytes, MSG_NOSIGNAL,
                          buffers->zero_copy_flags);
    io_uring_sqe_set_data64(entry, token(SEND, buffer, connection));
    return 0;
}

/*
 * Takes note of a send; the buffer is free when the kernel has nothing more to say of it. One that failed because so much
 * memory must not be locked is made again with a copy.
 */
static int sent(struct io_uring *ring, struct buffers *buffers, uint64_t data, int result, unsigned flags,
                size_t message_bytes, uint64_t *counts) {
    unsigned buffer = detail_of(data);
    if (flags & IORING_CQE_F_NOTIF) {
        count(counts, REFERENCE_NOTIFICATIONS, 1);
        count(counts, REFERENCE_COPIED_NOTIFICATIONS, result < 0);
    } else if (result > 0) {
        count(counts, REFERENCE_OPERATIONS, (size_t)result / message_bytes);
    }
    if (!buffers->replies) {
        put(&buffers->pool, buffer);
        return 0;
    }
    struct reply *reply = &buffers->replies[buffer];
    int error = 0;
    if (result == -ENOMEM && !(flags & IORING_CQE_F_NOTIF) && reply->bytes) {
        error = send_copied(ring, &buffers->pool, buffer, (int)data, reply->bytes, counts);
        // A copy that fails so is not made again.
        reply->bytes = 0;
        reply->holders++;
    }
    if (!(flags & IORING_CQE_F_MORE) && --reply->holders == 0)
        put(&buffers->pool, buffer);
    return error;
}

static void fill(struct buffers *buffers) {
    for (unsigned buffer = 0; buffer < buffers->pool.count; buffer++)
        put(&buffers->pool, buffer);
}

int reference_read_multishot(const int *connections, size_t connection_count, int stop, unsigned entries,
                             size_t message_bytes, size_t chunk_bytes, unsigned buffer_count, unsigned options,
                             uint64_t *counts) {
    struct buffers buffers = {
        .pool = {.bytes = chunk_bytes, .count = buffer_count},
        .zero_copy_flags = options & REFERENCE_REPORT_USAGE ? REPORT_USAGE : 0};
    int error = allocate_pool(&buffers.pool);
    if (options & REFERENCE_ZERO_COPY) {
        buffers.replies = calloc(buffer_count, sizeof *buffers.replies);
        if (!buffers.replies)
            error = ENOMEM;
    }
    struct reading how = {.echo = echo, .sent = sent};
    if (!error)
        error = read_from(connections, connection_count, stop, entries, options, &buffers, &buffers.pool, fill, how,
                          message_bytes, counts);
    free(buffers.replies);
    free_pool(&buffers.pool);
    return error;
}
