#ifndef REFERENCE_READ_RING_H
#define REFERENCE_READ_RING_H

#include <stdlib.h>
#include <unistd.h>

#include "ring.h"

/*
 * What the loops share that receive many times into a group of buffers. Each defines struct buffers and says what it does
 * with what came; both functions are constants where the loop is inlined, so that the compiler calls them directly or
 * inlines them, too.
 */

enum { RECEIVE = 2, SEND = 3, GROUP = 0 };

/* A group of buffers that the kernel picks from. */
struct pool {
    struct io_uring_buf_ring *ring;
    char *memory;
    size_t bytes;
    unsigned count;
};

struct buffers;

struct reading {
    /* Flags of the receive, in ioprio. */
    unsigned short receive_flags;
    /* Sends back what a completion brought, the first of it in a buffer; 0 or an error number. */
    int (*echo)(struct io_uring *ring, struct buffers *buffers, unsigned buffer, int connection, size_t bytes,
                uint64_t *counts);
    /* Takes note of a send, which data names; 0 or an error number. */
    int (*sent)(struct io_uring *ring, struct buffers *buffers, uint64_t data, int result, unsigned flags,
                size_t message_bytes, uint64_t *counts);
};

static inline uint64_t token(unsigned kind, unsigned detail, int connection) {
    return (uint64_t)kind << 56 | (uint64_t)detail << 32 | (unsigned)connection;
}

/* What token took. */
static inline unsigned detail_of(uint64_t data) { return data >> 32 & 0xffff; }

static inline char *memory_of(const struct pool *pool, unsigned buffer) { return pool->memory + buffer * pool->bytes; }

/* Lets the kernel have a buffer. */
static inline void put(struct pool *pool, unsigned buffer) {
    io_uring_buf_ring_add(pool->ring, memory_of(pool, buffer), (unsigned)pool->bytes, (unsigned short)buffer,
                          io_uring_buf_ring_mask(pool->count), 0);
    io_uring_buf_ring_advance(pool->ring, 1);
}

/* Allocates the memory of a pool whose size is known; 0 or an error number. To be freed in any case. */
static inline int allocate_pool(struct pool *pool) {
    size_t page = (size_t)sysconf(_SC_PAGESIZE);
    pool->memory = malloc(pool->count * pool->bytes);
    int error = posix_memalign((void **)&pool->ring, page, pool->count * sizeof(struct io_uring_buf));
    if (error)
        pool->ring = NULL;
    return pool->memory ? error : ENOMEM;
}

static inline void free_pool(struct pool *pool) {
    free(pool->ring);
    free(pool->memory);
}

/* Gives a ring the group, which is empty; 0 or an error number. */
static inline int register_pool(struct io_uring *ring, struct pool *pool) {
    struct io_uring_buf_reg registration = {
        .ring_addr = (unsigned long)pool->ring, .ring_entries = pool->count, .bgid = GROUP};
    int error = -io_uring_register_buf_ring(ring, &registration, 0);
    if (!error)
        io_uring_buf_ring_init(pool->ring);
    return error;
}

static inline int receive(struct io_uring *ring, int connection, unsigned short flags, uint64_t *counts) {
    struct io_uring_sqe *entry = next_entry(ring, counts);
    if (!entry)
        return EBUSY;
    io_uring_prep_recv_multishot(entry, connection, NULL, 0, 0);
    entry->ioprio |= flags;
    entry->flags = IOSQE_BUFFER_SELECT;
    entry->buf_group = GROUP;
    io_uring_sqe_set_data64(entry, token(RECEIVE, 0, connection));
    return 0;
}

/*
 * Receives from all connections and answers until the stop signal comes. Messages that fit a segment arrive whole on
 * loopback and are sent whole, which is all that the comparison needs.
 */
__attribute__((always_inline)) static inline int read_loop(
    struct io_uring *ring, struct buffers *buffers, struct reading how, size_t message_bytes, uint64_t *counts) {
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
                error = how.sent(ring, buffers, data, result, flags, message_bytes, counts);
                continue;
            }
            if (result > 0) {
                if ((size_t)result % message_bytes)
                    return EPROTO;
                receives += 1;
                bytes += (uint64_t)result;
                error = how.echo(ring, buffers, flags >> IORING_CQE_BUFFER_SHIFT, connection, (size_t)result, counts);
            }
            if (!error && (result > 0 || result == -ENOBUFS) && !(flags & IORING_CQE_F_MORE)) {
                count(counts, REFERENCE_REARMS, 1);
                error = receive(ring, connection, how.receive_flags, counts);
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

/* The same with a ring of its own, which ends with it; fill gives the kernel the buffers of the pool, which is registered. */
__attribute__((always_inline)) static inline int read_from(
    const int *connections, size_t connection_count, int stop, unsigned entries, unsigned options,
    struct buffers *buffers, struct pool *pool, void (*fill)(struct buffers *buffers), struct reading how,
    size_t message_bytes, uint64_t *counts) {
    struct io_uring ring;
    int error = make_ring(&ring, entries, options);
    if (error)
        return error;
    poll_stop(&ring, stop);
    error = register_pool(&ring, pool);
    if (!error)
        fill(buffers);
    for (size_t i = 0; i < connection_count && !error; i++)
        error = receive(&ring, connections[i], how.receive_flags, counts);
    if (!error)
        error = read_loop(&ring, buffers, how, message_bytes, counts);
    io_uring_queue_exit(&ring);
    return error;
}

#endif
