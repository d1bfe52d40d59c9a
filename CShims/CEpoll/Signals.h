/* Signals as the kernel has them: a set is 64 bits, of which bit n - 1 stands for signal n. */

/* Waits with the signals of `blocked` blocked in place of the thread's own (epoll_pwait(2), Linux 2.6.19). The C library's
   set is longer than the kernel's. */
static inline int c_epoll_pwait(
    int epfd, struct epoll_event *events, int maxevents, int milliseconds, uint64_t blocked) {
    return (int)syscall(SYS_epoll_pwait, epfd, events, maxevents, milliseconds, &blocked, sizeof blocked);
}

/* The same in nanoseconds (epoll_pwait2(2), Linux 5.11): see c_epoll_pwait2. */
static inline int c_epoll_pwait2_blocking(
    int epfd, struct epoll_event *events, int maxevents, int64_t nanoseconds, uint64_t blocked) {
    struct {
        int64_t seconds, nanoseconds;
    } timeout = {nanoseconds / 1000000000, nanoseconds % 1000000000};
    return (int)syscall(441, epfd, events, maxevents, &timeout, &blocked, sizeof blocked);
}

/* Sleeps with the signals of `blocked` blocked in place of the thread's own (ppoll(2) of nothing); -1 with EINTR after a
   signal. glibc hides its wrapper, and <poll.h> would make this module the owner of `pollfd`. Where time has 32 bits the
   call with 64 has a number of its own. */
static inline int c_sleep_blocking(int64_t nanoseconds, uint64_t blocked) {
    struct {
        int64_t seconds, nanoseconds;
    } timeout = {nanoseconds / 1000000000, nanoseconds % 1000000000};
#ifdef SYS_ppoll_time64
    return (int)syscall(SYS_ppoll_time64, (void *)0, 0, &timeout, &blocked, sizeof blocked);
#else
    return (int)syscall(SYS_ppoll, (void *)0, 0, &timeout, &blocked, sizeof blocked);
#endif
}

/* struct signalfd_siginfo of the kernel's linux/signalfd.h. The name is our own, because a header that two modules include
   belongs to whichever is loaded first. */
struct c_signal_record {
    uint32_t number;
    int32_t error, code;
    uint32_t process, user;
    int32_t descriptor;
    uint32_t timer, band, overruns, trap;
    int32_t status, value;
    uint64_t pointer, user_time, system_time, address;
    uint16_t address_bits, unused;
    int32_t call;
    uint64_t call_address;
    uint32_t architecture;
    uint8_t rest[28];
};

/* signalfd4(2), Linux 2.6.27; `descriptor` is -1 for a new one. */
static inline int c_signalfd(int descriptor, uint64_t signals, int flags) {
    return (int)syscall(SYS_signalfd4, descriptor, &signals, sizeof signals, flags);
}

/* read(2) under a name of our own: who owns that of the C library is settled by the order of imports, which differs between
   debug and release builds, and code that clients inline needs one owner. */
static inline ssize_t c_signalfd_read(int descriptor, struct c_signal_record *records, size_t count) {
    return read(descriptor, records, count * sizeof *records);
}
