#ifndef C_EPOLL_H
#define C_EPOLL_H

#include <sys/epoll.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

/* glibc declares epoll_pwait2 from 2.35 on; the system call exists since Linux 5.11. */
static inline int c_epoll_pwait2(int epfd, struct epoll_event *events, int maxevents,
                                 const struct timespec *timeout) {
    return (int)syscall(SYS_epoll_pwait2, epfd, events, maxevents, timeout, (void *)0, (size_t)8);
}

#endif
