#ifndef C_TEST_SUPPORT_H
#define C_TEST_SUPPORT_H

#include <errno.h>
#include <features.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <signal.h>
#include <stddef.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <unistd.h>

static const long C_SYS_FUTEX = SYS_futex;
static const long C_SYS_IO_URING_SETUP = SYS_io_uring_setup;
static const long C_SYS_CLOSE_RANGE = 436;
static const long C_SYS_READ = SYS_read;
static const long C_SYS_EPOLL_PWAIT2 = 441;
static const long C_SYS_UNSHARE = SYS_unshare;
static const long C_SYS_BPF = SYS_bpf;
static const long C_SYS_PERF_EVENT_OPEN = SYS_perf_event_open;

/* syscall(2) is variadic. */
static inline long c_system_call(long number) { return syscall(number); }

/* Sets the time of day by some nanoseconds (adjtimex(2), ADJ_SETOFFSET, Linux 2.6.39), less than a second; -1 where that is
   not allowed, and where the struct is another one. Its first word is what to do, the ninth and tenth are the time. */
static inline int c_shift_clock(long nanoseconds) {
    long timex[32] = {0x2100};
    if (sizeof(long) != 8) return -1;
    timex[9] = nanoseconds < 0 ? -1 : 0;
    timex[10] = nanoseconds < 0 ? nanoseconds + 1000000000 : nanoseconds;
    return syscall(SYS_adjtimex, timex) < 0 ? -1 : 0;
}

/* unshare(2) with CLONE_NEWNET: the calling thread, and those that it starts, get a network namespace of their own. */
static inline int c_leave_network(void) { return (int)syscall(SYS_unshare, 0x40000000); }

/* tgkill(2): glibc declares it from 2.30 on, for _GNU_SOURCE only. */
static inline int c_signal_thread(pid_t thread, int number) {
    return (int)syscall(SYS_tgkill, getpid(), thread, number);
}

/* What errno is after a signal to the calling thread, if it was `before`. In C because nothing may come between. */
static inline int c_errno_after_signal(int number, int before) {
    pid_t thread = (pid_t)syscall(SYS_gettid);
    errno = before;
    c_signal_thread(thread, number);
    return errno;
}

/* From here on a system call of the calling thread, and of no other, fails with `error`, as a container's seccomp
   profile does it to a whole process. There is no way back. */
static inline int c_forbid_system_call(long number, int error) {
    struct sock_filter filter[] = {
        BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, nr)),
        BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, (unsigned)number, 0, 1),
        BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ERRNO | ((unsigned)error & SECCOMP_RET_DATA)),
        BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW),
    };
    struct sock_fprog program = {sizeof filter / sizeof filter[0], filter};
    if (prctl(PR_SET_NO_NEW_PRIVS, 1UL, 0UL, 0UL, 0UL) != 0) return -1;
    return prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &program, 0UL, 0UL);
}

#endif
