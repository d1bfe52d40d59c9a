#ifndef C_DESCENDANTS_H
#define C_DESCENDANTS_H

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

/* Finds the processes that descend from one, and signals them. A number alone is none: whoever waits for a process
   frees its number for another. Number and start time together name one process for ever. */
struct c_process {
    pid_t number;
    unsigned long long start; /* in ticks since boot */
};

/* Reads /proc/PID/stat; returns the parent's number, or -1. */
static inline pid_t c_read_process(pid_t number, struct c_process *process) {
    char path[64], text[1024];
    snprintf(path, sizeof path, "/proc/%d/stat", (int)number);
    int file = open(path, O_RDONLY | O_CLOEXEC);
    ssize_t count = file < 0 ? -1 : read(file, text, sizeof text - 1);
    if (file >= 0) close(file);
    if (count <= 0) return -1;
    text[count] = 0;
    /* Behind the name, which may hold anything, come the state, the parent as field 4 and the start as field 22. */
    char *next = strrchr(text, ')');
    if (!next || strlen(next) < 5) return -1;
    next += 4;
    pid_t parent = (pid_t)strtol(next, &next, 10);
    for (int field = 5; field < 22; field++) strtoll(next, &next, 10);
    process->number = number;
    process->start = strtoull(next, &next, 10);
    return parent;
}

/* Whether it is still there, be it as one that has ended and was not waited for. */
static inline int c_is_there(struct c_process process) {
    struct c_process now;
    return c_read_process(process.number, &now) >= 0 && now.start == process.start;
}

/* Sends a signal to this process or to none. The descriptor (Linux 5.3) stays that of the process which has the number
   when it is opened, and whose start is looked at after that. Without it there is a moment between the look and the
   signal. */
static inline void c_signal_process(struct c_process process, int signal) {
    int descriptor = (int)syscall(434 /* pidfd_open */, process.number, 0);
    if (c_is_there(process)) {
        if (descriptor < 0) kill(process.number, signal);
        else syscall(424 /* pidfd_send_signal */, descriptor, signal, (void *)0, 0);
    }
    if (descriptor >= 0) close(descriptor);
}

/* Where processes are collected. */
struct c_processes {
    struct c_process *list;
    int count, most;
};

/* Adds those that are children of `parent` among the numbers in a text. */
static inline void c_add_children(struct c_processes *found, struct c_process parent, char *text) {
    for (char *next = text; found->count < found->most;) {
        pid_t number = (pid_t)strtol(next, &next, 10);
        if (number <= 0) return;
        if (c_read_process(number, &found->list[found->count]) == parent.number) found->count++;
    }
}

/* Calls `each` with every number that is a name in a folder. Neither this nor what it calls asks for memory: a child of a
   process with threads may not. */
static inline void c_list_numbers(const char *folder, void (*each)(pid_t, void *), void *context) {
    struct {
        uint64_t inode;
        int64_t offset;
        unsigned short length;
        unsigned char type;
        char name[];
    } *entry;
    char list[4096] __attribute__((aligned(8)));
    int file = open(folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    long bytes;
    while (file >= 0 && (bytes = syscall(SYS_getdents64, file, list, sizeof list)) > 0) {
        for (long place = 0; place < bytes; place += entry->length) {
            entry = (void *)(list + place);
            pid_t number = (pid_t)strtol(entry->name, (void *)0, 10);
            if (number > 0) each(number, context);
        }
    }
    if (file >= 0) close(file);
}

struct c_search {
    struct c_processes *found;
    struct c_process parent;
};

/* Adds a process if it is a child of the one whose children are searched. */
static inline void c_add_if_child(pid_t number, void *context) {
    struct c_search *search = context;
    char text[16];
    snprintf(text, sizeof text, "%d", (int)number);
    c_add_children(search->found, search->parent, text);
}

/* Adds the children that one thread has. */
static inline void c_add_of_thread(pid_t thread, void *context) {
    struct c_search *search = context;
    char path[64], text[4096];
    snprintf(path, sizeof path, "/proc/%d/task/%d/children", (int)search->parent.number, (int)thread);
    int file = open(path, O_RDONLY | O_CLOEXEC);
    /* Each number ends with a space; one that the buffer's end cuts is read on with the next part. */
    size_t kept = 0;
    ssize_t bytes;
    while (file >= 0 && (bytes = read(file, text + kept, sizeof text - 1 - kept)) > 0) {
        size_t end = kept + (size_t)bytes, whole = end;
        while (whole > 0 && text[whole - 1] != ' ') whole--;
        if (whole > 0) {
            char next = text[whole];
            text[whole] = 0;
            c_add_children(search->found, search->parent, text);
            text[whole] = next;
        }
        kept = end - whole;
        memmove(text, text + whole, kept);
    }
    if (file >= 0) close(file);
}

/* Whether the kernel lists the children of a thread (CONFIG_PROC_CHILDREN). */
static inline int c_lists_children(void) {
    char path[64];
    snprintf(path, sizeof path, "/proc/self/task/%d/children", (int)syscall(SYS_gettid));
    return access(path, R_OK) == 0;
}

/* Adds the children of a process, those that have ended and were not waited for included. All processes are looked
   through only where the kernel does not list them. */
static inline void c_find_children(struct c_processes *found, struct c_process parent, int is_listed) {
    struct c_search search = {found, parent};
    char folder[64];
    snprintf(folder, sizeof folder, "/proc/%d/task", (int)parent.number);
    int before = found->count;
    if (is_listed) c_list_numbers(folder, c_add_of_thread, &search);
    else c_list_numbers("/proc", c_add_if_child, &search);
    /* What is found is of this parent only if the number was its own all the time. */
    if (!c_is_there(parent)) found->count = before;
}

/* Adds all that descend from a process, parents before their children. */
static inline void c_find_descendants(struct c_processes *found, pid_t root, int is_listed) {
    struct c_process first;
    if (c_read_process(root, &first) < 0) return;
    int next = found->count;
    c_find_children(found, first, is_listed);
    for (; next < found->count; next++) c_find_children(found, found->list[next], is_listed);
}

#endif
