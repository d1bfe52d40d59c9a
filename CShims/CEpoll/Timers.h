/* timerfd_create(2), Linux 2.6.25, without <sys/timerfd.h>: it would make this module the owner of what <time.h> has. */

/* struct itimerspec with 64 bits of time everywhere. */
struct c_timer_setting {
    int64_t interval_seconds, interval_nanoseconds, seconds, nanoseconds;
};

static const int C_TIMER_ABSOLUTE = 1;      /* TFD_TIMER_ABSTIME */
static const int C_TIMER_CANCEL_ON_SET = 2; /* TFD_TIMER_CANCEL_ON_SET */

static inline int c_timerfd_create(int clock, int flags) { return (int)syscall(SYS_timerfd_create, clock, flags); }

/* Where time has 32 bits the calls with 64 have numbers of their own. */
static inline int c_timerfd_settime(int timer, int flags, const struct c_timer_setting *setting) {
#ifdef SYS_timerfd_settime64
    return (int)syscall(SYS_timerfd_settime64, timer, flags, setting, (void *)0);
#else
    return (int)syscall(SYS_timerfd_settime, timer, flags, setting, (void *)0);
#endif
}

/* See c_signalfd_read. */
static inline ssize_t c_timerfd_read(int timer, uint64_t *expirations) {
    return read(timer, expirations, sizeof *expirations);
}

static inline int c_timerfd_gettime(int timer, struct c_timer_setting *setting) {
#ifdef SYS_timerfd_gettime64
    return (int)syscall(SYS_timerfd_gettime64, timer, setting);
#else
    return (int)syscall(SYS_timerfd_gettime, timer, setting);
#endif
}
