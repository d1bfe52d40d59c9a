#ifndef REFERENCE_H
#define REFERENCE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/*
 * The loops of Benchmarks/Loops in C: the yardstick for the Swift ones. They make the same system calls in the
 * same order and count into the same block. Those of accept and read keep no clock.
 *
 * Each returns 0 when the stop signal came, else an error number.
 */

/* A worker's counters in its block: some of WorkerCount in Benchmarks/Meters/WorkerMeter.swift. */
enum reference_count {
    REFERENCE_OPERATIONS,
    REFERENCE_WAKEUPS,
    REFERENCE_SPURIOUS_WAKEUPS,
    REFERENCE_EMPTY_CALLS,
    REFERENCE_SYSTEM_CALLS,
    REFERENCE_SUBMISSIONS,
    REFERENCE_COMPLETIONS,
    REFERENCE_REARMS,
    REFERENCE_NOTIFICATIONS = 25,
    REFERENCE_COPIED_NOTIFICATIONS,
    REFERENCE_RECEIVES,
    REFERENCE_RECEIVED_BYTES,
};

/* What a loop over a ring does otherwise than the plain one. */
enum reference_ring_option {
    /* Sends without a copy, and gives a buffer back when the kernel is done with it. */
    REFERENCE_ZERO_COPY = 1,
    /* A thread of the kernel takes the submissions. */
    REFERENCE_POLLER = 2,
    /* Asks notifications whether the kernel copied (Linux 6.2). */
    REFERENCE_REPORT_USAGE = 4,
};

/* The event of the stop signal carries it; the event of a listener carries the listener in its lower half. */
#define REFERENCE_STOP (UINT64_C(0xff) << 56)

/* descriptors: no connection has a higher number than that. */
int reference_read_epoll(int set, bool drains, size_t message_bytes, size_t chunk_bytes, size_t descriptors,
                         uint64_t *counts);

/* buffer_count: a power of two; options: of reference_ring_option. */
int reference_read_multishot(const int *connections, size_t connection_count, int stop, unsigned entries,
                             size_t message_bytes, size_t chunk_bytes, unsigned buffer_count, unsigned options,
                             uint64_t *counts);

/* Receives bundles of buffers that hold a message each. buffer_count: a power of two. */
int reference_read_bundle(const int *connections, size_t connection_count, int stop, unsigned entries,
                          size_t message_bytes, unsigned buffer_count, uint64_t *counts);

/* One side of a ping-pong: PingPongSide in Benchmarks/Loops/Wake/PingPong.swift. */
struct reference_ping_pong {
    uint64_t *counts;
    uint64_t *over;
    uint64_t *mine;
    uint64_t *theirs;
    /* Latencies: LatencyBuckets in Benchmarks/Meters. */
    uint64_t *round_trips;
    uint64_t *one_way;
    uint64_t window_start;
    uint64_t window_end;
    uint64_t load_end;
    bool leads;
};

int reference_ping_pong_read(const struct reference_ping_pong *side, int input, int output);
int reference_ping_pong_epoll(const struct reference_ping_pong *side, int set, int input, int output, bool drains);

int reference_accept_epoll(int set, bool drains, uint64_t *counts);
int reference_accept_multishot(int listener, int stop, unsigned entries, uint64_t *counts);

#endif
