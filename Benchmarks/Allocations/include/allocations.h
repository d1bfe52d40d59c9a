#ifndef LINUX_EVENTS_ALLOCATIONS_H
#define LINUX_EVENTS_ALLOCATIONS_H

#include <stdint.h>

/* The calling thread's count of memory allocations: a location that the thread alone writes, any thread may read, and
   that lives as long as the thread. NULL where allocations are not counted. */
const void *thread_allocations(void);

/* Reads such a location. */
uint64_t read_allocations(const void *count);

#endif
