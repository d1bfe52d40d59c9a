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
static const unsigned int C_IORING_TIMEOUT_MULTISHOT = 1U << 6;     /* Linux 6.4 */
static const unsigned int C_IORING_MSG_RING_FLAGS_PASS = 1U << 1;   /* Linux 6.3 */

/* Members of enumerations that liburing 2.3 ends before. */
static const unsigned C_IORING_REGISTER_RESIZE_RINGS = 33;

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

/* io_uring_enter(2) with a time limit or without (NULL), and with a limit also the signals that are blocked meanwhile, or
   NULL. Later liburings declare io_uring_enter2 with another type; the 8 is the size of the kernel's signal set. */
static inline int c_io_uring_enter(
    int number, unsigned submit, unsigned wait_for, unsigned flags, struct __kernel_timespec *limit,
    const void *signals) {
    io_uring_getevents_arg argument = {0};
    if (!limit) return io_uring_enter((unsigned)number, submit, wait_for, flags, NULL);
    argument.sigmask_sz = 8;
    argument.ts = (__u64)(unsigned long)limit;
    argument.sigmask = (__u64)(unsigned long)signals;
    return io_uring_enter2(
        (unsigned)number, submit, wait_for, flags | IORING_ENTER_EXT_ARG, (void *)&argument, sizeof argument);
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
