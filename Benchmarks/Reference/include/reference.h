#ifndef REFERENCE_H
#define REFERENCE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/*
 * The loops of Benchmarks/Workloads in C: the yardstick for the Swift ones. They make the same system calls in the
 * same order and count into the same block. Those of accept and read keep no clock.
 *
 * Each returns 0 when the stop signal came, else an error number.
 */

/* A worker's counters in its block: WorkerCount in Benchmarks/Meters/WorkerMeter.swift is the same list. */
enum reference_count {
    REFERENCE_OPERATIONS,
    REFERENCE_WAKEUPS,
    REFERENCE_SPURIOUS_WAKEUPS,
    REFERENCE_EMPTY_CALLS,
    REFERENCE_SYSTEM_CALLS,
    REFERENCE_SUBMISSIONS,
    REFERENCE_COMPLETIONS,
    REFERENCE_REARMS,
};

/* The event of the stop signal carries it; the event of a listener carries the listener in its lower half. */
#define REFERENCE_STOP (UINT64_C(0xff) << 56)

/* descriptors: no connection has a higher number than that. */
int reference_read_epoll(int set, bool drains, size_t message_bytes, size_t chunk_bytes, size_t descriptors,
                         uint64_t *counts);

/* buffer_count: a power of two. */
int reference_read_multishot(const int *connections, size_t connection_count, int stop, unsigned entries,
                             size_t message_bytes, size_t chunk_bytes, unsigned buffer_count, uint64_t *counts);

/* One side of a ping-pong: RallySide in Benchmarks/Workloads/Wake/RallySide.swift. */
struct reference_rally {
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

int reference_rally_read(const struct reference_rally *rally, int input, int output);
int reference_rally_epoll(const struct reference_rally *rally, int set, int input, int output, bool drains);

/* The tasks of a pool: PoolBoard in Benchmarks/Workloads/Wake/PoolBoard.swift. */
struct reference_pool {
    uint64_t *open;
    uint64_t *remaining;
    uint64_t *throttled;
    uint64_t *over;
    uint64_t *ended_at;
    uint64_t *done_counts;
    uint64_t *handed_at;
    uint64_t *owners;
    int finished;
    int producers;
    /* One for each producer, and the words are this far from each other. */
    const int *rooms;
    uint64_t *waterlines;
    int waterline_spacing;
};

struct reference_producer {
    int index;
    uint32_t first_task;
    uint32_t end_task;
    int set;
    uint32_t events;
    int eventfd_flags;
    uint64_t waits;
    uint64_t open_peak;
};

int reference_produce(const struct reference_pool *pool, struct reference_producer *producer);
int reference_consume(const struct reference_pool *pool, int set, uint64_t *counts, uint64_t *latencies,
                      uint64_t *stale_events);

int reference_accept_epoll(int set, bool drains, uint64_t *counts);
int reference_accept_multishot(int listener, int stop, unsigned entries, uint64_t *counts);

#endif
