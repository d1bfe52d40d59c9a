#define _GNU_SOURCE
#include <errno.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>

#include "counts.h"

struct echo {
    int set;
    size_t message_bytes, chunk_bytes;
    char *buffer;
    /* By descriptor: the incomplete message that the last receive ended with. */
    char *tails;
    size_t *tail_counts;
    uint64_t *counts;
};

enum outcome { PROGRESS, EMPTY, CLOSED };

static bool send_all(struct echo *echo, int connection, size_t count_bytes) {
    size_t sent = 0;
    for (;;) {
        count(echo->counts, REFERENCE_SYSTEM_CALLS, 1);
        ssize_t result = send(connection, echo->buffer + sent, count_bytes - sent, MSG_NOSIGNAL);
        if (result >= 0)
            sent += (size_t)result;
        if (sent == count_bytes)
            return true;
        if (result < 0 && errno != EAGAIN && errno != EINTR)
            return false;
        count(echo->counts, REFERENCE_SYSTEM_CALLS, 1);
        struct pollfd entry = {.fd = connection, .events = POLLOUT};
        poll(&entry, 1, -1);
    }
}

/* The descriptor stays its owner's, who closes it when the run is over. */
static enum outcome drop_connection(struct echo *echo, int connection) {
    count(echo->counts, REFERENCE_SYSTEM_CALLS, 1);
    epoll_ctl(echo->set, EPOLL_CTL_DEL, connection, NULL);
    return CLOSED;
}

static enum outcome receive_and_echo(struct echo *echo, int connection) {
    size_t tail = echo->tail_counts[connection];
    if (tail)
        memcpy(echo->buffer, echo->tails + (size_t)connection * echo->message_bytes, tail);
    count(echo->counts, REFERENCE_SYSTEM_CALLS, 1);
    ssize_t received = recv(connection, echo->buffer + tail, echo->chunk_bytes - tail, 0);
    if (received <= 0) {
        if (received < 0 && errno == EAGAIN) {
            count(echo->counts, REFERENCE_EMPTY_CALLS, 1);
            return EMPTY;
        }
        return drop_connection(echo, connection);
    }
    size_t total = tail + (size_t)received;
    size_t messages = total / echo->message_bytes;
    size_t whole = messages * echo->message_bytes;
    echo->tail_counts[connection] = total - whole;
    if (whole < total)
        memcpy(echo->tails + (size_t)connection * echo->message_bytes, echo->buffer + whole, total - whole);
    if (!messages)
        return PROGRESS;
    if (!send_all(echo, connection, whole))
        return drop_connection(echo, connection);
    count(echo->counts, REFERENCE_OPERATIONS, messages);
    return PROGRESS;
}

static int loop(struct echo *echo, bool drains) {
    struct epoll_event events[64];
    for (;;) {
        int ready = epoll_wait(echo->set, events, 64, -1);
        if (ready < 0) {
            if (errno == EINTR)
                continue;
            return errno;
        }
        count(echo->counts, REFERENCE_SYSTEM_CALLS, 1);
        count(echo->counts, REFERENCE_WAKEUPS, 1);
        bool progress = false;
        for (int i = 0; i < ready; i++) {
            if (events[i].data.u64 == REFERENCE_STOP)
                return 0;
            enum outcome outcome;
            do {
                outcome = receive_and_echo(echo, (int)events[i].data.u64);
                progress |= outcome == PROGRESS;
            } while (drains && outcome == PROGRESS);
        }
        if (!progress)
            count(echo->counts, REFERENCE_SPURIOUS_WAKEUPS, 1);
    }
}

int reference_read_epoll(int set, bool drains, size_t message_bytes, size_t chunk_bytes, size_t descriptors,
                         uint64_t *counts) {
    struct echo echo = {
        .set = set,
        .message_bytes = message_bytes,
        .chunk_bytes = chunk_bytes,
        .buffer = malloc(chunk_bytes),
        .tails = malloc(descriptors * message_bytes),
        .tail_counts = calloc(descriptors, sizeof(size_t)),
        .counts = counts,
    };
    int error = echo.buffer && echo.tails && echo.tail_counts ? loop(&echo, drains) : ENOMEM;
    free(echo.buffer);
    free(echo.tails);
    free(echo.tail_counts);
    return error;
}
