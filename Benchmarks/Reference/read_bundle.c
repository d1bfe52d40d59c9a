#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "ring.h"

/* IORING_RECVSEND_BUNDLE (Linux 6.10), which liburing 2.3 does not have. */
enum { RECEIVE = 2, SEND = 3, GROUP = 0, BUNDLE = 1U << 4, MOST_PIECES = 64, NONE = 0xffff };

/* One send: the buffers that it is made from, which are given back when it has completed. */
struct send {
    struct msghdr header;
    struct iovec pieces[MOST_PIECES];
    unsigned short buffers[MOST_PIECES];
    unsigned next;
};

struct buffers {
    struct io_uring_buf_ring *ring;
    char *memory;
    size_t bytes;
    unsigned count;
    /* The buffer that the kernel got after each, and the one that it got last. */
    unsigned short *next;
    unsigned short last;
    struct send *sends;
    unsigned first_free;
};

static uint64_t token(unsigned kind, unsigned send, int connection) {
    return (uint64_t)kind << 56 | (uint64_t)send << 32 | (unsigned)connection;
}

static void give(struct buffers *buffers, unsigned short buffer) {
    io_uring_buf_ring_add(buffers->ring, buffers->memory + buffer * buffers->bytes, (unsigned)buffers->bytes, buffer,
                          io_uring_buf_ring_mask(buffers->count), 0);
    buffers->next[buffer] = NONE;
    buffers->next[buffers->last] = buffer;
    buffers->last = buffer;
    io_uring_buf_ring_advance(buffers->ring, 1);
}

static int receive(struct io_uring *ring, int connection, uint64_t *counts) {
    struct io_uring_sqe *entry = next_entry(ring, counts);
    if (!entry)
        return EBUSY;
    io_uring_prep_recv_multishot(entry, connection, NULL, 0, 0);
    entry->ioprio |= BUNDLE;
    entry->flags = IOSQE_BUFFER_SELECT;
    entry->buf_group = GROUP;
    io_uring_sqe_set_data64(entry, token(RECEIVE, 0, connection));
    return 0;
}

/* Sends back what a completion brought, from the buffers that it lies in: with as few calls as there are MOST_PIECES. */
static int echo(struct io_uring *ring, struct buffers *buffers, unsigned buffer, int connection, size_t bytes,
                uint64_t *counts) {
    while (bytes > 0) {
        struct io_uring_sqe *entry = next_entry(ring, counts);
        if (!entry || buffers->first_free == NONE)
            return EBUSY;
        unsigned index = buffers->first_free;
        struct send *send = &buffers->sends[index];
        buffers->first_free = send->next;
        size_t pieces = 0;
        for (; bytes > 0 && pieces < MOST_PIECES; pieces++) {
            size_t piece = bytes < buffers->bytes ? bytes : buffers->bytes;
            if (buffer >= buffers->count)
                return EPROTO;
            send->pieces[pieces] = (struct iovec){buffers->memory + buffer * buffers->bytes, piece};
            send->buffers[pieces] = (unsigned short)buffer;
            buffer = buffers->next[buffer];
            bytes -= piece;
        }
        send->header.msg_iov = send->pieces;
        send->header.msg_iovlen = pieces;
        if (pieces == 1)
            io_uring_prep_send(entry, connection, send->pieces[0].iov_base, send->pieces[0].iov_len, MSG_NOSIGNAL);
        else
            io_uring_prep_sendmsg(entry, connection, &send->header, MSG_NOSIGNAL);
        io_uring_sqe_set_data64(entry, token(SEND, index, connection));
    }
    return 0;
}

static void sent(struct buffers *buffers, unsigned index) {
    struct send *send = &buffers->sends[index];
    for (size_t i = 0; i < send->header.msg_iovlen; i++)
        give(buffers, send->buffers[i]);
    send->next = buffers->first_free;
    buffers->first_free = index;
}

/* Messages that fit a segment arrive whole on loopback and are sent whole, which is all that the comparison needs. */
static int loop(struct io_uring *ring, struct buffers *buffers, size_t message_bytes, uint64_t *counts) {
    for (;;) {
        int error = submit_and_wait(ring, counts);
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
            progress = true;
            if (data >> 56 == SEND) {
                sent(buffers, data >> 32 & 0xffff);
                if (result > 0)
                    count(counts, REFERENCE_OPERATIONS, (size_t)result / message_bytes);
                continue;
            }
            if (result > 0) {
                if ((size_t)result % message_bytes)
                    return EPROTO;
                receives += 1;
                bytes += (uint64_t)result;
                error = echo(ring, buffers, flags >> IORING_CQE_BUFFER_SHIFT, connection, (size_t)result, counts);
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
    for (unsigned buffer = 0; buffer < buffers->count; buffer++) {
        give(buffers, (unsigned short)buffer);
        buffers->sends[buffer].next = buffer + 1 < buffers->count ? buffer + 1 : NONE;
    }
    for (size_t i = 0; i < connection_count && !error; i++)
        error = receive(ring, connections[i], counts);
    return error ? error : loop(ring, buffers, message_bytes, counts);
}

static int allocate(struct buffers *buffers) {
    size_t page = (size_t)sysconf(_SC_PAGESIZE);
    buffers->memory = malloc(buffers->count * buffers->bytes);
    buffers->next = calloc(buffers->count, sizeof *buffers->next);
    buffers->sends = calloc(buffers->count, sizeof *buffers->sends);
    int error = posix_memalign((void **)&buffers->ring, page, buffers->count * sizeof(struct io_uring_buf));
    if (error)
        buffers->ring = NULL;
    return buffers->memory && buffers->next && buffers->sends ? error : ENOMEM;
}

int reference_read_bundle(const int *connections, size_t connection_count, int stop, unsigned entries,
                          size_t message_bytes, unsigned buffer_count, uint64_t *counts) {
    struct buffers buffers = {.bytes = message_bytes, .count = buffer_count};
    int error = allocate(&buffers);
    struct io_uring ring;
    if (!error && !(error = make_ring(&ring, entries, 0))) {
        poll_stop(&ring, stop);
        error = run(&ring, &buffers, connections, connection_count, message_bytes, counts);
        io_uring_queue_exit(&ring);
    }
    free(buffers.ring);
    free(buffers.sends);
    free(buffers.next);
    free(buffers.memory);
    return error;
}
