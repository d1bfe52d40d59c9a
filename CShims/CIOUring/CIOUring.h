#ifndef C_IOURING_H
#define C_IOURING_H

/* The order of these is the point: see ../README.md before moving one. */
#include <features.h>
#include "OwnNames.h"
#include <liburing/compat.h>
#include <liburing/io_uring.h>
#undef io_uring_clone_buffers
#include <liburing.h>
#include "UsualNames.h"
#include <sys/syscall.h>

/* Macros over enumerators, which Swift's importer skips. */
static const unsigned char C_IOSQE_FIXED_FILE = 1U << IOSQE_FIXED_FILE_BIT;
static const unsigned char C_IOSQE_IO_DRAIN = 1U << IOSQE_IO_DRAIN_BIT;
static const unsigned char C_IOSQE_IO_LINK = 1U << IOSQE_IO_LINK_BIT;
static const unsigned char C_IOSQE_IO_HARDLINK = 1U << IOSQE_IO_HARDLINK_BIT;
static const unsigned char C_IOSQE_ASYNC = 1U << IOSQE_ASYNC_BIT;
static const unsigned char C_IOSQE_BUFFER_SELECT = 1U << IOSQE_BUFFER_SELECT_BIT;
static const unsigned char C_IOSQE_CQE_SKIP_SUCCESS = 1U << IOSQE_CQE_SKIP_SUCCESS_BIT;

/* What liburing 2.3 does not have yet, as include/uapi/linux/io_uring.h of the kernel numbers it. */
static const unsigned char C_IORING_OP_BIND = 56;                   /* Linux 6.11 */
static const unsigned char C_IORING_OP_LISTEN = 57;                 /* Linux 6.11 */
static const unsigned char C_IORING_OP_EPOLL_WAIT = 59;             /* Linux 6.15 */
static const unsigned int C_IORING_TIMEOUT_MULTISHOT = 1U << 6;     /* Linux 6.4 */
static const unsigned int C_IORING_MSG_RING_FLAGS_PASS = 1U << 1;   /* Linux 6.3 */
static const unsigned int C_IORING_NOP_CQE32 = 1U << 5;             /* Linux 6.18 */
static const unsigned int C_IORING_CQE_F_SKIP = 1U << 5;            /* Linux 6.18 */
static const unsigned int C_IORING_CQE_F_32 = 1U << 15;             /* Linux 6.18 */
static const unsigned short C_IOU_PBUF_RING_INC = 2;                /* Linux 6.12 */

/* Members of enumerations that liburing 2.3 ends before. */
static const unsigned C_IORING_REGISTER_RESIZE_RINGS = 33;

/* The size of a struct epoll_event, which is packed on one architecture alone; CEpoll owns the struct itself. */
#ifdef __x86_64__
static const unsigned C_EPOLL_EVENT_BYTES = 12;
#else
static const unsigned C_EPOLL_EVENT_BYTES = 16;
#endif

/* Makes what is queued visible to the kernel, as liburing's io_uring_submit(3) does before it enters. Returns how much
   the kernel has not taken yet. */
static inline unsigned c_io_uring_publish(struct io_uring *ring) {
    ring->sq.sqe_head = ring->sq.sqe_tail;
    io_uring_smp_store_release(ring->sq.ktail, ring->sq.sqe_tail);
    return io_uring_sq_ready(ring);
}

/* IORING_SQ_*: what the kernel says of the submission queue. */
static inline unsigned c_io_uring_sq_flags(const struct io_uring *ring) {
    return IO_URING_READ_ONCE(*ring->sq.kflags);
}

/* Whether the poller of a ring with IORING_SETUP_SQPOLL must be woken. The fence is between the store to the tail and
   the load of the flags; the kernel has its like between the flags and the tail. */
static inline int c_io_uring_poller_sleeps(const struct io_uring *ring) {
    io_uring_smp_mb();
    return (IO_URING_READ_ONCE(*ring->sq.kflags) & IORING_SQ_NEED_WAKEUP) != 0;
}

/* struct io_uring_getevents_arg, whose padding is a time from Linux 6.12 on. */
struct c_wait_argument {
    __u64 signals;
    __u32 signal_bytes, minimum_us;
    __u64 limit;
};

/* io_uring_enter(2) with a time limit, or NULL; with the signals that are blocked meanwhile, or NULL; and with the time
   for which it waits for all completions before one is enough (Linux 6.12), or 0. Later liburings declare
   io_uring_enter2 with another type; the 8 is the size of the kernel's signal set. */
static inline int c_io_uring_enter(
    int number, unsigned submit, unsigned wait_for, unsigned flags, struct __kernel_timespec *limit,
    const void *signals, unsigned minimum_us) {
    struct c_wait_argument argument = {(__u64)(unsigned long)signals, 8, minimum_us, (__u64)(unsigned long)limit};
    if (!limit && !minimum_us) return io_uring_enter((unsigned)number, submit, wait_for, flags, NULL);
    return io_uring_enter2(
        (unsigned)number, submit, wait_for, flags | IORING_ENTER_EXT_ARG, (void *)&argument, sizeof argument);
}

/* What a wait can be told in memory that is registered (IORING_MEM_REGION_REG_WAIT_ARG, Linux 6.13): struct
   io_uring_reg_wait. */
struct c_registered_wait {
    struct __kernel_timespec limit;
    __u32 minimum_us, flags;
    __u64 signals;
    __u32 signal_bytes, padding[3];
    __u64 more_padding[2];
};
static const unsigned C_IORING_REG_WAIT_TS = 1U << 0;

/* IORING_REGISTER_MEM_REGION (34) with memory of ours that holds such waits. */
static inline int c_io_uring_register_waits(int number, void *memory, unsigned long bytes) {
    struct { __u64 address, bytes; __u32 flags, identifier; __u64 offset, reserved[4]; } region = {
        (__u64)(unsigned long)memory, bytes, 1 /* IORING_MEM_REGION_TYPE_USER */, 0, 0, {0}};
    struct { __u64 region, flags, reserved[2]; } registration = {
        (__u64)(unsigned long)&region, 1 /* IORING_MEM_REGION_REG_WAIT_ARG */, {0}};
    return io_uring_register((unsigned)number, 34, &registration, 1);
}

/* io_uring_enter(2) with a wait that was registered, which lies so many bytes behind the memory's beginning:
   IORING_ENTER_EXT_ARG_REG. */
static inline int c_io_uring_enter_registered(
    int number, unsigned submit, unsigned wait_for, unsigned flags, unsigned long offset) {
    return io_uring_enter2(
        (unsigned)number, submit, wait_for, flags | IORING_ENTER_EXT_ARG | 1U << 6, (void *)offset,
        sizeof(struct c_registered_wait));
}

/* io_uring_setup(2) for queues in memory of the caller's (IORING_SETUP_NO_MMAP, Linux 6.5). The addresses go where older
   headers have what is reserved: the last eight bytes of both descriptions of offsets. */
static inline int c_io_uring_setup_in(
    unsigned entries, io_uring_params *parameters, struct io_uring *ring, void *queues, void *submissions) {
    char *base = (char *)queues;
    __u64 *sq_address = (__u64 *)(&parameters->sq_off + 1) - 1, *cq_address = (__u64 *)(&parameters->cq_off + 1) - 1;
    *sq_address = (__u64)(unsigned long)submissions;
    *cq_address = (__u64)(unsigned long)queues;
    int number = io_uring_setup(entries, parameters);
    if (number < 0) return number;
    ring->sq.khead = (unsigned *)(base + parameters->sq_off.head);
    ring->sq.ktail = (unsigned *)(base + parameters->sq_off.tail);
    ring->sq.kring_mask = (unsigned *)(base + parameters->sq_off.ring_mask);
    ring->sq.kring_entries = (unsigned *)(base + parameters->sq_off.ring_entries);
    ring->sq.kflags = (unsigned *)(base + parameters->sq_off.flags);
    ring->sq.kdropped = (unsigned *)(base + parameters->sq_off.dropped);
    ring->sq.sqes = (io_uring_sqe *)submissions;
    ring->sq.ring_mask = *ring->sq.kring_mask;
    ring->sq.ring_entries = *ring->sq.kring_entries;
    /* IORING_SETUP_NO_SQARRAY */
    if (!(parameters->flags & 1U << 16)) {
        ring->sq.array = (unsigned *)(base + parameters->sq_off.array);
        for (unsigned index = 0; index < ring->sq.ring_entries; index++) ring->sq.array[index] = index;
    }
    ring->cq.khead = (unsigned *)(base + parameters->cq_off.head);
    ring->cq.ktail = (unsigned *)(base + parameters->cq_off.tail);
    ring->cq.kring_mask = (unsigned *)(base + parameters->cq_off.ring_mask);
    ring->cq.kring_entries = (unsigned *)(base + parameters->cq_off.ring_entries);
    ring->cq.kflags = (unsigned *)(base + parameters->cq_off.flags);
    ring->cq.koverflow = (unsigned *)(base + parameters->cq_off.overflow);
    ring->cq.cqes = (io_uring_cqe *)(base + parameters->cq_off.cqes);
    ring->cq.ring_mask = *ring->cq.kring_mask;
    ring->cq.ring_entries = *ring->cq.kring_entries;
    ring->flags = parameters->flags;
    ring->features = parameters->features;
    ring->ring_fd = ring->enter_ring_fd = number;
    return 0;
}

/* struct io_uring_napi of Linux 6.9, which later ones gave more fields; 0 in them is what it does. */
struct c_ring_busy_poll {
    __u32 duration_us;
    __u8 is_preferred, padding[3];
    __u64 reserved;
};
static const unsigned C_IORING_REGISTER_NAPI = 27;
static const unsigned C_IORING_UNREGISTER_NAPI = 28;

/* io_uring_register_buf_ring(3) with flags, which liburing 2.3 has no place for: IORING_REGISTER_PBUF_RING (22). */
static inline int c_io_uring_register_buffer_group(
    struct io_uring *ring, const void *entries, unsigned count, unsigned short group, unsigned short flags) {
    struct { __u64 entries; __u32 count; __u16 group, flags; __u64 reserved[3]; } registration = {
        (__u64)(unsigned long)entries, count, group, flags, {0}};
    return io_uring_register((unsigned)ring->ring_fd, 22, &registration, 1);
}

/* How many buffers the kernel has picked from a group since it was registered, as it counts, in 16 bits:
   IORING_REGISTER_PBUF_STATUS (26, Linux 6.8). Less than 0: an error. */
static inline int c_io_uring_buffer_group_head(struct io_uring *ring, unsigned short group) {
    struct { __u32 group, head, reserved[8]; } status = {group, 0, {0}};
    int result = io_uring_register((unsigned)ring->ring_fd, 26, &status, 1);
    return result < 0 ? result : (int)(status.head & 0xffff);
}

/* As the C library's <unistd.h> has it, which would make this module the owner of what it includes. */
long syscall(long number, ...);

/* gettid(2): its wrapper is younger than the oldest glibc that this builds with. */
static inline int c_io_uring_thread(void) { return (int)syscall(SYS_gettid); }

#endif
