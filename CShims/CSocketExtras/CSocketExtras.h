#ifndef C_SOCKET_EXTRAS_H
#define C_SOCKET_EXTRAS_H

#include <features.h>
#include <linux/bpf.h>
#include <linux/filter.h>
#include <linux/futex.h>
#include <net/if.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sched.h>
#include <signal.h>
#include <stdint.h>
#include <sys/ioctl.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/signalfd.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <unistd.h>

/* glibc hides these behind _GNU_SOURCE, which Swift's Glibc module does not define. */
#ifndef __USE_GNU
extern int accept4(int socket, struct sockaddr *address, socklen_t *length, int flags);
extern int pipe2(int descriptors[2], int flags);
extern int sched_getcpu(void);
extern int unshare(int flags);
#endif

static const int C_CLONE_FILES = 0x00000400;
static const int C_CLONE_NEWNET = 0x40000000;

/* close_range(2) is older in the kernel (5.9) than in glibc (2.34). The number is that of every architecture Swift runs
   on. */
static inline int c_close_from_unshare(unsigned first) {
    return (int)syscall(436, first, ~0U, 2U /* CLOSE_RANGE_UNSHARE */);
}

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

/* gettid(2) has a glibc wrapper only from 2.30 on. */
static inline pid_t c_gettid(void) { return (pid_t)syscall(SYS_gettid); }

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

/* prctl(2) is variadic. */
static inline int c_set_timer_slack(unsigned long nanoseconds) {
    return prctl(PR_SET_TIMERSLACK, nanoseconds, 0UL, 0UL, 0UL);
}

/* bpf(2) has no glibc wrapper, and union bpf_attr is made of anonymous structs that Swift cannot name. */
static inline int c_bpf_create_array(unsigned value_bytes, unsigned count) {
    union bpf_attr attr = {
        .map_type = BPF_MAP_TYPE_ARRAY, .key_size = 4, .value_size = value_bytes, .max_entries = count};
    return (int)syscall(SYS_bpf, BPF_MAP_CREATE, &attr, sizeof attr);
}

static inline int c_bpf_look_up(int map, unsigned key, void *value) {
    union bpf_attr attr = {.map_fd = (unsigned)map, .key = (unsigned long)&key, .value = (unsigned long)value};
    return (int)syscall(SYS_bpf, BPF_MAP_LOOKUP_ELEM, &attr, sizeof attr);
}

/* A BPF_MAP_TYPE_REUSEPORT_SOCKARRAY (Linux 4.19). */
static inline int c_bpf_create_socket_array(unsigned count) {
    union bpf_attr attr = {
        .map_type = BPF_MAP_TYPE_REUSEPORT_SOCKARRAY, .key_size = 4, .value_size = 4, .max_entries = count};
    return (int)syscall(SYS_bpf, BPF_MAP_CREATE, &attr, sizeof attr);
}

static inline int c_bpf_update(int map, unsigned key, const void *value) {
    union bpf_attr attr = {.map_fd = (unsigned)map, .key = (unsigned long)&key, .value = (unsigned long)value};
    return (int)syscall(SYS_bpf, BPF_MAP_UPDATE_ELEM, &attr, sizeof attr);
}

/* BPF_SK_REUSEPORT_SELECT_OR_MIGRATE, which headers have from Linux 5.14 on. */
static const unsigned C_BPF_SELECT_OR_MIGRATE = 40;

static inline int c_bpf_load(unsigned type, unsigned attach_type, const void *instructions, unsigned count) {
    union bpf_attr attr = {
        .prog_type = type,
        .expected_attach_type = attach_type,
        .insns = (unsigned long)instructions,
        .insn_cnt = count,
        .license = (unsigned long)"Apache-2.0",
    };
    return (int)syscall(SYS_bpf, BPF_PROG_LOAD, &attr, sizeof attr);
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

/* A new network namespace has a loopback interface that is down. */
static inline int c_set_loopback_up(int socket) {
    struct ifreq request = {.ifr_name = "lo", .ifr_flags = IFF_UP | IFF_LOOPBACK};
    return ioctl(socket, SIOCSIFFLAGS, &request);
}

#endif
