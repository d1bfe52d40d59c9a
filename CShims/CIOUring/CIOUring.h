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

#endif
