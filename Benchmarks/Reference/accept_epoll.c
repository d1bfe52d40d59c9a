#define _GNU_SOURCE
#include <errno.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

#include "counts.h"

int reference_accept_epoll(int set, bool drains, uint64_t *counts) {
    struct epoll_event events[64];
    for (;;) {
        int ready = epoll_wait(set, events, 64, -1);
        if (ready < 0) {
            if (errno == EINTR)
                continue;
            return errno;
        }
        count(counts, REFERENCE_SYSTEM_CALLS, 1);
        count(counts, REFERENCE_WAKEUPS, 1);
        uint64_t before = count_of(counts, REFERENCE_OPERATIONS);
        for (int i = 0; i < ready; i++) {
            if (events[i].data.u64 == REFERENCE_STOP)
                return 0;
            do {
                count(counts, REFERENCE_SYSTEM_CALLS, 1);
                int connection = accept4((int)events[i].data.u64, NULL, NULL, SOCK_CLOEXEC | SOCK_NONBLOCK);
                if (connection < 0) {
                    if (errno != EAGAIN)
                        return errno;
                    count(counts, REFERENCE_EMPTY_CALLS, 1);
                    break;
                }
                close(connection);
                count(counts, REFERENCE_SYSTEM_CALLS, 1);
                count(counts, REFERENCE_OPERATIONS, 1);
            } while (drains);
        }
        if (count_of(counts, REFERENCE_OPERATIONS) == before)
            count(counts, REFERENCE_SPURIOUS_WAKEUPS, 1);
    }
}
