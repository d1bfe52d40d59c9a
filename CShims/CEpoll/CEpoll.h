#ifndef C_EPOLL_H
#define C_EPOLL_H

#include <stdint.h>
#include <sys/epoll.h>
#include <sys/syscall.h>
#include <unistd.h>

/* glibc declares epoll_pwait2 from 2.35 on; the system call exists since Linux 5.11, under this number on every
   architecture Swift runs on. Its time has 64 bits everywhere, which timespec has not; below 0 there is none. */
static inline int c_epoll_pwait2(int epfd, struct epoll_event *events, int maxevents, int64_t nanoseconds) {
    struct {
        int64_t seconds, nanoseconds;
    } timeout = {nanoseconds / 1000000000, nanoseconds % 1000000000};
    return (int)syscall(
        441, epfd, events, maxevents, nanoseconds < 0 ? (void *)0 : (void *)&timeout, (void *)0, (size_t)8);
}

#include "BusyPolling.h"
#include "Signals.h"
#include "Timers.h"

#endif
