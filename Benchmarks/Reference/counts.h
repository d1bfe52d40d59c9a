#ifndef REFERENCE_COUNTS_H
#define REFERENCE_COUNTS_H

#include "reference.h"

/* Other threads read the counters while the loop runs; only the loop writes them. */
static inline uint64_t count_of(const uint64_t *counts, enum reference_count which) {
    return __atomic_load_n(&counts[which], __ATOMIC_RELAXED);
}

static inline void count(uint64_t *counts, enum reference_count which, uint64_t amount) {
    __atomic_store_n(&counts[which], count_of(counts, which) + amount, __ATOMIC_RELAXED);
}

/* What the completions of a batch brought. */
static inline void count_received(uint64_t *counts, uint64_t receives, uint64_t bytes) {
    count(counts, REFERENCE_RECEIVES, receives);
    count(counts, REFERENCE_RECEIVED_BYTES, bytes);
}

#endif
