#include <string.h>
#include <sys/socket.h>

#include "read_ring.h"

/* IORING_RECVSEND_BUNDLE (Linux 6.10), which liburing 2.3 does not have. */
enum { BUNDLE = 1U << 4, MOST_PIECES = 64, NONE = 0xffff };

/* One send: the buffers that it is made from, which are given back when it has completed. */
struct send {
    struct msghdr header;
    struct iovec pieces[MOST_PIECES];
    unsigned short buffers[MOST_PIECES];
    unsigned next;
};

struct buffers {
    struct pool pool;
    /* The buffer that the kernel got after each, and the one that it got last. */
    unsigned short *next;
    unsigned short last;
    struct send *sends;
    unsigned first_free;
};

static void give(struct buffers *buffers, unsigned short buffer) {
    buffers->next[buffer] = NONE;
    buffers->next[buffers->last] = buffer;
    buffers->last = buffer;
    put(&buffers->pool, buffer);
}

/* Sends back what a completion brought, from the buffers that it lies in: with as few calls as there are MOST_PIECES. */
static int echo(struct io_uring *ring, struct buffers *buffers, unsigned buffer, int connection, size_t bytes,
                uint64_t *counts) {
    const struct pool *pool = &buffers->pool;
    while (bytes > 0) {
        struct io_uring_sqe *entry = next_entry(ring, counts);
        if (!entry || buffers->first_free == NONE)
            return EBUSY;
        unsigned index = buffers->first_free;
        struct send *send = &buffers->sends[index];
        buffers->first_free = send->next;
        size_t pieces = 0;
        for (; bytes > 0 && pieces < MOST_PIECES; pieces++) {
            size_t piece = bytes < pool->bytes ? bytes : pool->bytes;
            if (buffer >= pool->count)
                return EPROTO;
            send->pieces[pieces] = (struct iovec){memory_of(pool, buffer), piece};
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

static int sent(struct io_uring *ring, struct buffers *buffers, uint64_t data, int result, unsigned flags,
                size_t message_bytes, uint64_t *counts) {
    (void)ring;
    (void)flags;
    unsigned index = detail_of(data);
    struct send *send = &buffers->sends[index];
    for (size_t i = 0; i < send->header.msg_iovlen; i++)
        give(buffers, send->buffers[i]);
    send->next = buffers->first_free;
    buffers->first_free = index;
    if (result > 0)
        count(counts, REFERENCE_OPERATIONS, (size_t)result / message_bytes);
    return 0;
}

static void fill(struct buffers *buffers) {
    unsigned count = buffers->pool.count;
    for (unsigned buffer = 0; buffer < count; buffer++) {
        give(buffers, (unsigned short)buffer);
        buffers->sends[buffer].next = buffer + 1 < count ? buffer + 1 : NONE;
    }
}

int reference_read_bundle(const int *connections, size_t connection_count, int stop, unsigned entries,
                          size_t message_bytes, unsigned buffer_count, uint64_t *counts) {
    struct buffers buffers = {.pool = {.bytes = message_bytes, .count = buffer_count}};
    int error = allocate_pool(&buffers.pool);
    buffers.next = calloc(buffer_count, sizeof *buffers.next);
    buffers.sends = calloc(buffer_count, sizeof *buffers.sends);
    if (!buffers.next || !buffers.sends)
        error = ENOMEM;
    struct reading how = {.receive_flags = BUNDLE, .echo = echo, .sent = sent};
    if (!error)
        error = read_from(connections, connection_count, stop, entries, 0, &buffers, &buffers.pool, fill, how,
                          message_bytes, counts);
    free(buffers.sends);
    free(buffers.next);
    free_pool(&buffers.pool);
    return error;
}
