#ifndef C_KEPT_PROGRAM_H
#define C_KEPT_PROGRAM_H

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/signalfd.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "Descendants.h"

/* Runs a program that does not outlive this one, whichever way this one ends: PR_SET_PDEATHSIG alone would leave the
   program's own children. A keeper is forked, which forks the program into a process group of its own and waits in
   poll(2), running nothing but what is here. It reads bytes from `orders`: each is a signal for the group. At their end
   of file, when nobody has the other end any more, or when the program has ended, it kills what is left of the group
   and what was handed to it as orphans, and ends. It writes pairs of ints into `reports`: {0, errno} if the program
   could not be started, {1, status} as wait(2) has it when it has ended.

   Where orphans are kept it goes on while there are any, as a server's that goes into the background, and all descendants
   get the signals too, except that SIGKILL ends the patience with them; it reports {2, status} of a program that had ended before
   the first signal and left some. */
struct c_kept_program {
    const char *path;
    char *const *arguments;
    const char *folder; /* to start in; null for the current one */
    int output, errors; /* -1 for /dev/null */
    int orders, reports;
    const unsigned long *processors; /* a mask of those to run on; null for the starter's */
    size_t processor_bytes;
    int keeps_orphans;
    const char *scratch; /* a file that is removed at the end, with its folder if nothing else is in it; null for none */
};

static inline void c_remove_scratch(const char *file) {
    char folder[4096];
    snprintf(folder, sizeof folder, "%s", file);
    unlink(file);
    char *end = strrchr(folder, '/');
    if (!end) return;
    *end = 0;
    rmdir(folder);
}

static inline void c_close_from(int first) {
    if (syscall(436 /* close_range */, first, ~0U, 0) == 0) return;
    struct rlimit limit;
    int end = getrlimit(RLIMIT_NOFILE, &limit) == 0 && limit.rlim_cur < 1 << 20 ? (int)limit.rlim_cur : 1 << 20;
    for (int number = first; number < end; number++) close(number);
}

static inline void c_become_program(const struct c_kept_program *program, int reports, pid_t keeper) {
    prctl(PR_SET_PDEATHSIG, SIGKILL, 0UL, 0UL, 0UL);
    if (getppid() != keeper) _exit(126);
    setpgid(0, 0);
    sigset_t none;
    sigemptyset(&none);
    signal(SIGXFSZ, SIG_DFL);
    signal(SIGPIPE, SIG_DFL);
    sigprocmask(SIG_SETMASK, &none, (void *)0);
    int failed = program->folder && chdir(program->folder) != 0;
    failed |= program->processors &&
              syscall(SYS_sched_setaffinity, 0, program->processor_bytes, program->processors) != 0;
    if (!failed) execv(program->path, program->arguments);
    int report[2] = {0, errno};
    if (write(reports, report, sizeof report) < 0) _exit(126);
    _exit(127);
}

enum { c_most_processes = 1024 };

static inline int64_t c_milliseconds(void) {
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (int64_t)now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

/* Waits for so many milliseconds until there is an order or a child ends, of which `ends` becomes readable; -1 waits as
   long as it takes. Returns whether there is an order to read. */
static inline int c_await(int orders, int ends, int milliseconds) {
    /* As struct pollfd: <poll.h> would make this module the owner of what Glibc's module declares. */
    struct {
        int number;
        short wanted, seen;
    } entries[2] = {{orders, 1 /* POLLIN */, 0}, {ends, 1, 0}};
    /* Without signalfd(2) it looks from time to time. */
    if (ends < 0 && (milliseconds < 0 || milliseconds > 50)) milliseconds = 50;
    struct timespec limit = {milliseconds / 1000, milliseconds % 1000 * 1000000L};
    syscall(SYS_ppoll, entries, 2, milliseconds < 0 ? (void *)0 : &limit, (void *)0, 8);
    struct signalfd_siginfo signal_read;
    while (ends >= 0 && read(ends, &signal_read, sizeof signal_read) > 0) {}
    return entries[0].seen != 0;
}

/* What a killed process leaves becomes a child of this one when the kernel has ended it, before the end is told: so each
   end is waited for and then the children are looked at again. The limit is for what a process leaves that nobody here is
   told of, because its parent, which was killed too, has not ended yet. Gives up after five seconds: a process that waits
   in the kernel may not end. */
static inline void c_kill_orphans(int ends) {
    struct c_process list[c_most_processes];
    int is_listed = c_lists_children();
    for (int64_t deadline = c_milliseconds() + 5000; c_milliseconds() < deadline; c_await(-1, ends, 20)) {
        pid_t ended;
        while ((ended = waitpid(-1, (int *)0, WNOHANG)) > 0) {}
        /* There is no child left, and nothing to look for. */
        if (ended < 0) return;
        struct c_process self;
        struct c_processes children = {list, 0, c_most_processes};
        if (c_read_process(getpid(), &self) >= 0) c_find_children(&children, self, is_listed);
        /* Only this process waits for its children, and it does not do so here: their numbers are theirs. */
        for (int i = 0; i < children.count; i++) kill(list[i].number, SIGKILL);
    }
}

/* Waits for orphans that have ended, and counts the others. */
static inline int c_count_orphans(pid_t program) {
    struct c_process list[c_most_processes], self;
    struct c_processes children = {list, 0, c_most_processes};
    if (c_read_process(getpid(), &self) >= 0) c_find_children(&children, self, c_lists_children());
    int left = 0;
    for (int i = 0; i < children.count; i++)
        left += list[i].number != program && waitpid(list[i].number, (int *)0, WNOHANG) == 0;
    return left;
}

/* To those that have left the program's group; the group gets it as a whole. A server that makes a session of its own
   may be the child of a shell that waits for it, so that all descendants are looked through. */
static inline void c_signal_others(pid_t program, int order) {
    struct c_process list[c_most_processes];
    struct c_processes others = {list, 0, c_most_processes};
    c_find_descendants(&others, getpid(), c_lists_children());
    for (int i = 0; i < others.count; i++)
        if (list[i].number != program && getpgid(list[i].number) != program) c_signal_process(list[i], order);
}

/* To the program's group, and to the program itself should it have left that. It is not reaped, so neither number can be
   another's. */
static inline void c_signal_program(pid_t pid, int order) {
    kill(-pid, order);
    if (getpgid(pid) != pid) kill(pid, order);
}

enum { c_orders = 3, c_reports = 4, c_first_free = 5 };

/* Leaves numbers 0 to 4 open and nothing else, so that the end of file of somebody else's pipe does not wait for this
   process. */
static inline void c_take_descriptors(const struct c_kept_program *program) {
    int null = open("/dev/null", O_RDWR | O_CLOEXEC);
    int from[c_first_free] = {null, program->output < 0 ? null : program->output,
                              program->errors < 0 ? null : program->errors, program->orders, program->reports};
    /* First out of the way of each other. */
    for (int i = 0; i < c_first_free; i++) {
        from[i] = fcntl(from[i], F_DUPFD_CLOEXEC, c_first_free);
        if (from[i] >= 0) continue;
        int refusal[2] = {0, errno};
        _exit(write(program->reports, refusal, sizeof refusal) < 0 ? 126 : 127);
    }
    for (int i = 0; i < c_first_free; i++) dup2(from[i], i);
    fcntl(c_orders, F_SETFD, FD_CLOEXEC);
    fcntl(c_reports, F_SETFD, FD_CLOEXEC);
    c_close_from(c_first_free);
}

/* The program's number, or -1 with errno. */
static inline pid_t c_start_program(const struct c_kept_program *program) {
    pid_t keeper = getpid(), pid = fork();
    if (pid == 0) c_become_program(program, c_reports, keeper);
    if (pid < 0) return pid;
    setpgid(pid, pid);
    /* The program's own are the only ends left of these. */
    dup2(0, 1);
    dup2(0, 2);
    return pid;
}

/* Becomes readable when a child ends; -1 without signalfd(2). */
static inline int c_child_ends(void) {
    sigset_t child_ends;
    sigemptyset(&child_ends);
    sigaddset(&child_ends, SIGCHLD);
    return signalfd(-1, &child_ends, SFD_CLOEXEC | SFD_NONBLOCK);
}

/* Hands orders on until the program has ended, and what it left where that is kept; returns whether it had left some
   before the first order. */
static inline int c_watch(pid_t pid, int ends, int keeps_orphans) {
    int is_watched = 1, orders_read = 0, left_others = 0;
    while (1) {
        /* It is not waited for yet: that would free its number, by which its group is signalled. */
        siginfo_t ended;
        ended.si_pid = 0;
        int is_over = waitid(P_PID, (id_t)pid, &ended, WEXITED | WNOHANG | WNOWAIT) != 0 || ended.si_pid != 0;
        int orphans = keeps_orphans ? c_count_orphans(pid) : 0;
        if (is_over && orphans == 0) return left_others;
        if (!c_await(is_watched ? c_orders : -1, ends, -1)) continue;
        unsigned char order = SIGKILL;
        is_watched = read(c_orders, &order, 1) == 1;
        left_others |= is_over && orders_read == 0;
        orders_read = 1;
        /* First, because those whose parent ends do not stay where they are found. */
        if (keeps_orphans) c_signal_others(pid, order);
        c_signal_program(pid, order);
        if (order == SIGKILL) keeps_orphans = 0;
    }
}

static inline void c_keep(const struct c_kept_program *program) {
    prctl(PR_SET_NAME, "bench-keeper", 0UL, 0UL, 0UL);
    setpgid(0, 0);
    prctl(PR_SET_CHILD_SUBREAPER, 1UL, 0UL, 0UL, 0UL);
    sigset_t all;
    sigfillset(&all);
    sigprocmask(SIG_SETMASK, &all, (void *)0);
    /* A disposition of SIG_IGN would reap the program before its status is read. */
    signal(SIGCHLD, SIG_DFL);
    c_take_descriptors(program);
    int ends = c_child_ends();
    pid_t pid = c_start_program(program);
    int report[2] = {0, errno};
    if (pid > 0) {
        report[0] = c_watch(pid, ends, program->keeps_orphans) ? 2 : 1;
        c_signal_program(pid, SIGKILL);
        waitpid(pid, &report[1], 0);
    }
    /* The starter may have ended. */
    ssize_t written = write(c_reports, report, sizeof report);
    c_kill_orphans(ends);
    if (program->scratch) c_remove_scratch(program->scratch);
    _exit(written < 0);
}

/* pipe2(2) is hidden behind _GNU_SOURCE. */
static inline int c_pipe(int ends[2]) { return (int)syscall(SYS_pipe2, ends, O_CLOEXEC); }

/* A stream for orders: writing into a pipe whose reader has just ended would end the writer by SIGPIPE. */
static inline int c_order_stream(int ends[2]) {
    return (int)syscall(SYS_socketpair, 1 /* AF_UNIX */, 1 /* SOCK_STREAM */ | O_CLOEXEC, 0, ends);
}

static inline void c_order(int stream, unsigned char signal) {
    syscall(SYS_sendto, stream, &signal, 1, 0x4000 /* MSG_NOSIGNAL */, (void *)0, 0);
}

/* The keeper's process number, or -1 with errno. */
static inline pid_t c_run_kept(const struct c_kept_program *program) {
    pid_t keeper = fork();
    if (keeper == 0) c_keep(program);
    return keeper;
}

#endif
