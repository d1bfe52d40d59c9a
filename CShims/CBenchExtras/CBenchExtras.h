#ifndef C_BENCH_EXTRAS_H
#define C_BENCH_EXTRAS_H

#include <errno.h>
#include <fcntl.h>
#include <features.h>
#include <linux/futex.h>
#include <linux/perf_event.h>
#include <linux/sockios.h>
#include <sched.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <sys/ioctl.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/signalfd.h>
#include <sys/syscall.h>
#include <unistd.h>

/* glibc hides these behind _GNU_SOURCE, which Swift's Glibc module does not define. */
#ifndef __USE_GNU
extern int sched_getcpu(void);
#endif

static const int C_CLONE_NEWNET = 0x40000000;
static const int C_RUSAGE_THREAD = 1;

/* gettid(2) has a glibc wrapper only from 2.30 on. */
static inline pid_t c_gettid(void) { return (pid_t)syscall(SYS_gettid); }

/* A call that no kernel has: it does nothing, and can be counted. */
static inline void c_call_nothing(long number) { syscall(number); }

/* tgkill(2) has a glibc wrapper only from 2.30 on. */
static inline int c_send_to_thread(pid_t process, pid_t thread, int signal) {
    return (int)syscall(SYS_tgkill, process, thread, signal);
}

/* ppoll(2), whose wrapper glibc hides. Where time has 32 bits the call with 64 has a number of its own. */
static inline int c_ppoll(void *entries, unsigned count, int64_t nanoseconds) {
    struct {
        int64_t seconds, nanoseconds;
    } limit = {nanoseconds / 1000000000, nanoseconds % 1000000000};
#ifdef SYS_ppoll_time64
    return (int)syscall(SYS_ppoll_time64, entries, count, &limit, (void *)0, (size_t)8);
#else
    return (int)syscall(SYS_ppoll, entries, count, &limit, (void *)0, (size_t)8);
#endif
}

/* CPU_SET is a macro and cpu_set_t ends at CPU 1023; the kernel takes a mask of any length. */
static inline int c_set_thread_affinity(const unsigned long *mask, size_t bytes) {
    return (int)syscall(SYS_sched_setaffinity, 0, bytes, mask);
}

static inline long c_get_thread_affinity(unsigned long *mask, size_t bytes) {
    return syscall(SYS_sched_getaffinity, 0, bytes, mask);
}

/* futex(2) has no wrapper in glibc. */
static inline int c_futex_wait(uint32_t *word, uint32_t expected) {
    return (int)syscall(SYS_futex, word, FUTEX_WAIT_PRIVATE, expected, (void *)0, (void *)0, 0);
}

static inline int c_futex_wake(uint32_t *word, int waiters) {
    return (int)syscall(SYS_futex, word, FUTEX_WAKE_PRIVATE, waiters, (void *)0, (void *)0, 0);
}

/* perf_event_open(2) has no wrapper, and the attributes are bit-fields, which Swift does not import. Counts how often a
   thread passes a tracepoint, and those that it starts from then on if they inherit the event. */
static inline int c_perf_open_tracepoint(uint64_t tracepoint, pid_t thread, int exclude_kernel, int inherit) {
    struct perf_event_attr attr = {
        .type = PERF_TYPE_TRACEPOINT,
        .size = sizeof attr,
        .config = tracepoint,
        .exclude_kernel = exclude_kernel != 0,
        .inherit = inherit != 0,
    };
    return (int)syscall(SYS_perf_event_open, &attr, thread, -1, -1, PERF_FLAG_FD_CLOEXEC);
}

/* Runs a BPF program at a tracepoint, whoever passes it, until the descriptor is closed. The event itself counts nothing. */
static inline int c_perf_run_program(uint64_t tracepoint, int program) {
    struct perf_event_attr attr = {
        .type = PERF_TYPE_TRACEPOINT, .size = sizeof attr, .config = tracepoint, .disabled = 1};
    int event = (int)syscall(SYS_perf_event_open, &attr, 0, -1, -1, PERF_FLAG_FD_CLOEXEC);
    if (event < 0 || ioctl(event, PERF_EVENT_IOC_SET_BPF, program) == 0) return event;
    int error = errno;
    close(event);
    errno = error;
    return -1;
}

/* fsopen(2), fsconfig(2) and fsmount(2) are older in the kernel (5.2) than in glibc (2.36). The numbers are those of every
   architecture Swift runs on. A mount without a place, which goes with its descriptor. */
static inline int c_mount_tracefs(void) {
    int context = (int)syscall(430, "tracefs", 1 /* FSOPEN_CLOEXEC */);
    if (context < 0) return -1;
    int mount = -1;
    if (syscall(431, context, 6 /* FSCONFIG_CMD_CREATE */, (void *)0, (void *)0, 0) == 0)
        mount = (int)syscall(432, context, 1 /* FSMOUNT_CLOEXEC */, 0);
    int error = errno;
    close(context);
    errno = error;
    return mount;
}

/* open(2) with O_PATH, which glibc keeps for those who define _GNU_SOURCE: a file's name for itself, without opening it. */
static inline int c_open_path(const char *path) { return open(path, 010000000 | O_NOFOLLOW | O_CLOEXEC); }

/* openat(2) is variadic. */
static inline int c_open_at(int folder, const char *path) { return openat(folder, path, O_RDONLY | O_CLOEXEC); }

/* prctl(2) is variadic. */
static inline int c_set_timer_slack(unsigned long nanoseconds) {
    return prctl(PR_SET_TIMERSLACK, nanoseconds, 0UL, 0UL, 0UL);
}

/* pthread_setname_np(3) is hidden too. The kernel keeps 15 characters. */
static inline int c_set_thread_name(const char *name) {
    return prctl(PR_SET_NAME, name, 0UL, 0UL, 0UL);
}

/* ioctl(2) is variadic. Columns of a terminal, 0 if the descriptor is none. */
static inline int c_terminal_columns(int descriptor) {
    struct winsize size;
    return ioctl(descriptor, TIOCGWINSZ, &size) == 0 ? size.ws_col : 0;
}

/* 0 if all that was printed is written, else the error. */
static inline int c_flush_standard_output(void) {
    errno = 0;
    if (ferror(stdout)) {
        /* What was printed earlier failed, and why is forgotten: one more byte meets the same error. */
        clearerr(stdout);
        if (fputc('\n', stdout) != EOF && fflush(stdout) == 0) return EIO;
    } else if (fflush(stdout) == 0) {
        return 0;
    }
    return errno ? errno : EIO;
}

/* ioctl(2) is variadic. Bytes of a stream that were sent and not acknowledged; -1 if that cannot be told. */
static inline int c_unacknowledged_bytes(int socket) {
    int count = -1;
    return ioctl(socket, SIOCOUTQ, &count) == 0 ? count : -1;
}

/* Makes the calling thread alone another user's, for good (the C library's setresuid(3) changes all threads), and keeps the
   process readable for its own user, which a change of users ends. */
static inline int c_become_user(uid_t user) {
    if (syscall(SYS_setresuid, user, user, user) != 0) return -1;
    return prctl(PR_SET_DUMPABLE, 1UL, 0UL, 0UL, 0UL);
}

/* A new network namespace has a loopback interface that is down. The struct is ifreq with the member that the call
   reads: <net/if.h> would bring <sys/socket.h> along, whose constants CSocketExtras is to own. */
static inline int c_set_loopback_up(int socket) {
    struct {
        char name[16];
        short flags;
        char unused[22];
    } request = {.name = "lo", .flags = 0x1 /* IFF_UP */ | 0x8 /* IFF_LOOPBACK */};
    return ioctl(socket, SIOCSIFFLAGS, &request);
}

/* 1 if the loopback interface is up, 0 if it is down, -1 if that cannot be told. */
static inline int c_loopback_is_up(int socket) {
    struct {
        char name[16];
        short flags;
        char unused[22];
    } request = {.name = "lo"};
    return ioctl(socket, SIOCGIFFLAGS, &request) == 0 ? request.flags & 0x1 /* IFF_UP */ : -1;
}

/* ioctl(2) is variadic. Asks for something of an interface; `request` is a struct ifreq (netdevice(7)). */
static inline int c_interface_request(int socket, unsigned long command, void *request) {
    return ioctl(socket, command, request);
}

/* splice(2) of what can be moved at once, which glibc hides behind _GNU_SOURCE: SPLICE_F_MOVE | SPLICE_F_NONBLOCK. */
static inline ssize_t c_splice(int from, int to, size_t count) {
    return syscall(SYS_splice, from, (void *)0, to, (void *)0, count, 3U);
}

/* vmsplice(2) of one piece of memory into a pipe, as far as there is room, which glibc hides too: SPLICE_F_NONBLOCK. The
   struct is iovec, whose header would make this module its owner. */
static inline ssize_t c_vmsplice(int pipe, const void *memory, size_t count) {
    struct {
        const void *memory;
        size_t count;
    } piece = {memory, count};
    return syscall(SYS_vmsplice, pipe, &piece, (size_t)1, 2U);
}

/* sendfile(2), whose header Swift's Glibc module leaves out. */
static inline ssize_t c_sendfile(int to, int from, int64_t offset, size_t count) {
    return syscall(SYS_sendfile, to, from, &offset, count);
}

/* memfd_create(2), Linux 3.17, closed on exec; younger in glibc than in the kernel. */
static inline int c_memory_file(const char *name) { return (int)syscall(SYS_memfd_create, name, 1U); }

/* F_SETPIPE_SZ (Linux 2.6.35), which glibc hides too. */
static inline int c_set_pipe_size(int pipe, int bytes) { return fcntl(pipe, 1031, bytes); }

/* Descriptors of other processes (Linux 5.3 and 5.6); glibc declares them from 2.36 on. The numbers are those of every
   architecture Swift runs on. */
static inline int c_pidfd_open(pid_t process) { return (int)syscall(434, process, 0); }
static inline int c_pidfd_getfd(int process, int descriptor) { return (int)syscall(438, process, descriptor, 0); }

/* fork(2), which Glibc's module withholds because a child of a process with threads may run next to nothing. This
   child runs only what is here: it keeps `control`, one end of a socket pair, and `count` other descriptors, closes
   the rest, and closes kept[n] for every byte n that it reads, answering with the same byte. It ends at end of file,
   or with its parent. */
static inline pid_t c_fork_holder(int control, const int *kept, int count) {
    pid_t parent = getpid();
    pid_t child = fork();
    if (child != 0) return child;
    prctl(PR_SET_PDEATHSIG, SIGKILL, 0UL, 0UL, 0UL);
    if (getppid() != parent) _exit(0);
    int highest = control;
    for (int i = 0; i < count; i++)
        if (kept[i] > highest) highest = kept[i];
    syscall(436 /* close_range */, highest + 1, ~0U, 0);
    for (int number = 0; number < highest; number++) {
        int keep = number == control;
        for (int i = 0; i < count; i++) keep |= number == kept[i];
        if (!keep) close(number);
    }
    unsigned char byte = 255;
    do {
        if (byte < count) close(kept[byte]);
        if (write(control, &byte, 1) != 1) break;
    } while (read(control, &byte, 1) == 1);
    _exit(0);
}

/* This child, which runs no Swift code either, takes up to `most` completions from the queue of a ring that it inherited
   and exits with their number. */
static inline pid_t c_fork_taking_completions(unsigned *head, const unsigned *tail, unsigned most) {
    pid_t child = fork();
    if (child != 0) return child;
    unsigned first = *head;
    unsigned ready = __atomic_load_n(tail, __ATOMIC_ACQUIRE) - first;
    unsigned taken = ready < most ? ready : most;
    __atomic_store_n(head, first + taken, __ATOMIC_RELEASE);
    _exit((int)taken);
}

#include "KeptProgram.h"

#endif
