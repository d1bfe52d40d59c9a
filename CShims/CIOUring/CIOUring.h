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
static const unsigned char C_IOSQE_IO_LINK = 1U << IOSQE_IO_LINK_BIT;
static const unsigned char C_IOSQE_BUFFER_SELECT = 1U << IOSQE_BUFFER_SELECT_BIT;
static const unsigned char C_IOSQE_CQE_SKIP_SUCCESS = 1U << IOSQE_CQE_SKIP_SUCCESS_BIT;

#endif
