#ifndef C_KEPT_PROGRAM_H
#define C_KEPT_PROGRAM_H

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/signalfd.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

/* Runs a program that does not outlive this one, whichever way this one ends: PR_SET_PDEATHSIG alone would leave the
   program's own children. A keeper is forked, which forks the program into a process group of its own and waits in
   poll(2), running nothing but what is here. It reads bytes from `orders`: each is a signal for the group. At their end
   of file, when nobody has the other end any more, or when the program has ended, it kills what is left of the group
   and what was handed to it as orphans, and ends. It writes pairs of ints into `reports`: {0, errno} if the program
   could not be started, {1, status} as wait(2) has it when it has ended. */
struct c_kept_program {
    const char *path;
    char *const *arguments;
    const char *folder; /* to start in; null for the current one */
    int output, errors; /* -1 for /dev/null */
    int orders, reports;
};

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
    if (!failed) execv(program->path, program->arguments);
    int report[2] = {0, errno};
    if (write(reports, report, sizeof report) < 0) _exit(126);
    _exit(127);
}

static inline void c_kill_orphans(void) {
    char path[64], text[4096];
    snprintf(path, sizeof path, "/proc/self/task/%d/children", (int)getpid());
    for (int round = 0; round < 1000; round++) {
        pid_t ended;
        while ((ended = waitpid(-1, (int *)0, WNOHANG)) > 0) {}
        if (ended < 0) return;
        int list = open(path, O_RDONLY | O_CLOEXEC);
        ssize_t count = list < 0 ? 0 : read(list, text, sizeof text - 1);
        if (list >= 0) close(list);
        if (count <= 0) return;
        text[count] = 0;
        for (char *next = text; *next;) {
            long pid = strtol(next, &next, 10);
            if (pid <= 0) break;
            kill((pid_t)pid, SIGKILL);
            while (*next == ' ') next++;
        }
        usleep(5000);
    }
}

/* To the program's group, and to the program itself should it have left that. It is not reaped, so neither number can be
   another's. */
static inline void c_signal_program(pid_t pid, int order) {
    kill(-pid, order);
    if (getpgid(pid) != pid) kill(pid, order);
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
    /* Numbers 0 to 5 and nothing else, so that the end of file of somebody else's pipe does not wait for this process:
       first out of the way of each other. */
    int null = open("/dev/null", O_RDWR | O_CLOEXEC);
    int from[6] = {null, program->output < 0 ? null : program->output, program->errors < 0 ? null : program->errors,
                   program->orders, program->reports, null};
    for (int i = 0; i < 6; i++) {
        from[i] = fcntl(from[i], F_DUPFD_CLOEXEC, 6);
        if (from[i] >= 0) continue;
        int refusal[2] = {0, errno};
        _exit(write(program->reports, refusal, sizeof refusal) < 0 ? 126 : 127);
    }
    for (int i = 0; i < 6; i++) dup2(from[i], i);
    int orders = 3, reports = 4;
    fcntl(orders, F_SETFD, FD_CLOEXEC);
    fcntl(reports, F_SETFD, FD_CLOEXEC);
    c_close_from(5);
    sigset_t child_ends;
    sigemptyset(&child_ends);
    sigaddset(&child_ends, SIGCHLD);
    int ends = signalfd(-1, &child_ends, SFD_CLOEXEC | SFD_NONBLOCK);
    pid_t keeper = getpid();
    pid_t pid = fork();
    if (pid == 0) c_become_program(program, reports, keeper);
    int report[2] = {pid < 0 ? 0 : 1, errno};
    if (pid > 0) {
        setpgid(pid, pid);
        /* The program's own are the only ends left of these. */
        dup2(0, 1);
        dup2(0, 2);
    }
    int is_watched = 1;
    while (pid > 0) {
        siginfo_t ended;
        ended.si_pid = 0;
        if (waitid(P_PID, (id_t)pid, &ended, WEXITED | WNOHANG | WNOWAIT) != 0 || ended.si_pid != 0) break;
        /* As struct pollfd: <poll.h> would make this module the owner of what Glibc's module declares. */
        struct {
            int number;
            short wanted, seen;
        } entries[2] = {{is_watched ? orders : -1, 1 /* POLLIN */, 0}, {ends, 1, 0}};
        /* Without signalfd(2) it looks from time to time. */
        struct timespec pause = {0, 50000000};
        syscall(SYS_ppoll, entries, 2, ends < 0 ? &pause : (void *)0, (void *)0, 8);
        struct signalfd_siginfo signal_read;
        while (ends >= 0 && read(ends, &signal_read, sizeof signal_read) > 0) {}
        if (entries[0].seen == 0) continue;
        unsigned char order;
        if (read(orders, &order, 1) == 1) {
            c_signal_program(pid, order);
        } else {
            c_signal_program(pid, SIGKILL);
            is_watched = 0;
        }
    }
    if (pid > 0) {
        c_signal_program(pid, SIGKILL);
        waitpid(pid, &report[1], 0);
    }
    /* The starter may have ended. */
    ssize_t written = write(reports, report, sizeof report);
    c_kill_orphans();
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
