#ifndef C_IOURING_H
#define C_IOURING_H

/* The order of these three is the point: see ../README.md before moving one. */
#include <features.h>
#include <linux/io_uring.h>
#include <liburing.h>
#include <unistd.h>

/* Macros over enumerators, which Swift's importer skips. */
static const unsigned char C_IOSQE_FIXED_FILE = 1U << IOSQE_FIXED_FILE_BIT;
static const unsigned char C_IOSQE_IO_LINK = 1U << IOSQE_IO_LINK_BIT;
static const unsigned char C_IOSQE_BUFFER_SELECT = 1U << IOSQE_BUFFER_SELECT_BIT;
static const unsigned char C_IOSQE_CQE_SKIP_SUCCESS = 1U << IOSQE_CQE_SKIP_SUCCESS_BIT;

/* fork(2), which Glibc's module withholds. The child, which runs no Swift code, takes up to `most` completions from the
   ring that it inherited and exits with their number. */
static inline pid_t c_fork_taking_completions(struct io_uring *ring, unsigned most) {
    pid_t child = fork();
    if (child != 0) return child;
    unsigned ready = io_uring_cq_ready(ring);
    unsigned taken = ready < most ? ready : most;
    io_uring_cq_advance(ring, taken);
    _exit((int)taken);
}

#endif
