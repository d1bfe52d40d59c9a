#include "allocations.h"

#include <errno.h>
#include <features.h>
#include <stdatomic.h>
#include <stddef.h>

/* Counts allocations by standing in front of glibc's allocator. A program may bring its own malloc and every shared
   library then calls that one ("Replacing malloc" in the glibc manual); this one counts and hands on to the functions
   that glibc exports under a second name for the purpose. free stays glibc's, since the memory is. The sanitizers bring
   an allocator of their own, and other C libraries export no second names: there nothing is counted. */

#if defined(__has_feature)
#if __has_feature(address_sanitizer) || __has_feature(thread_sanitizer) || __has_feature(memory_sanitizer)
#define HAS_OWN_ALLOCATOR 1
#endif
#endif

#if defined(__GLIBC__) && !defined(HAS_OWN_ALLOCATOR)

extern void *__libc_malloc(size_t size);
extern void *__libc_calloc(size_t count, size_t size);
extern void *__libc_realloc(void *memory, size_t size);
extern void *__libc_memalign(size_t alignment, size_t size);

/* The executable's own thread-local storage needs no allocation, which would come back here. */
static _Thread_local _Atomic uint64_t allocations __attribute__((tls_model("initial-exec")));

/* One writer: a load and a store are enough, and cost no locked instruction. */
static inline void count_one(void) {
    uint64_t now = atomic_load_explicit(&allocations, memory_order_relaxed);
    atomic_store_explicit(&allocations, now + 1, memory_order_relaxed);
}

void *malloc(size_t size) {
    count_one();
    return __libc_malloc(size);
}

void *calloc(size_t count, size_t size) {
    count_one();
    return __libc_calloc(count, size);
}

void *realloc(void *memory, size_t size) {
    count_one();
    return __libc_realloc(memory, size);
}

void *memalign(size_t alignment, size_t size) {
    count_one();
    return __libc_memalign(alignment, size);
}

void *aligned_alloc(size_t alignment, size_t size) { return memalign(alignment, size); }

int posix_memalign(void **memory, size_t alignment, size_t size) {
    if (alignment % sizeof(void *) != 0 || alignment == 0 || (alignment & (alignment - 1)) != 0) return EINVAL;
    /* The result is in the return value alone; errno stays. */
    int before = errno;
    void *allocated = memalign(alignment, size);
    errno = before;
    if (allocated == NULL) return ENOMEM;
    *memory = allocated;
    return 0;
}

const void *thread_allocations(void) { return (const void *)&allocations; }

uint64_t read_allocations(const void *count) {
    return atomic_load_explicit((_Atomic uint64_t *)count, memory_order_relaxed);
}

#else

const void *thread_allocations(void) { return NULL; }

uint64_t read_allocations(const void *count) { (void)count; return 0; }

#endif
