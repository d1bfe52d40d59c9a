#ifndef REFERENCE_LATENCIES_H
#define REFERENCE_LATENCIES_H

#include <time.h>

#include "reference.h"

static inline uint64_t monotonic_nanoseconds(void) {
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (uint64_t)now.tv_sec * 1000000000 + (uint64_t)now.tv_nsec;
}

/* LatencyBuckets in Benchmarks/Meters/LatencyBuckets.swift writes the same buckets. */
static inline void record(uint64_t *buckets, uint64_t nanoseconds) {
    if (nanoseconds >= (uint64_t)1 << 42)
        nanoseconds = ((uint64_t)1 << 42) - 1;
    if (nanoseconds < 2048) {
        buckets[nanoseconds]++;
        return;
    }
    int shift = 53 - __builtin_clzll(nanoseconds);
    buckets[1024 * shift + (int)(nanoseconds >> shift)]++;
}

#endif
