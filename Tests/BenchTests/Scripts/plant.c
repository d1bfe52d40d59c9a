// Adds a system call that nobody needs to every call of one function of the C library, and nothing else.
#define _GNU_SOURCE
#include <dlfcn.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <unistd.h>

#ifdef PLANT_IN_ACCEPT
int accept4(int socket, struct sockaddr *restrict address, socklen_t *restrict length, int flags) {
    static int (*real)(int, struct sockaddr *, socklen_t *, int);
    if (!real) real = dlsym(RTLD_NEXT, "accept4");
    syscall(SYS_getppid);
    return real(socket, address, length, flags);
}
#endif

#ifdef PLANT_IN_RECV
ssize_t recv(int socket, void *buffer, size_t bytes, int flags) {
    static ssize_t (*real)(int, void *, size_t, int);
    if (!real) real = dlsym(RTLD_NEXT, "recv");
    syscall(SYS_getppid);
    return real(socket, buffer, bytes, flags);
}
#endif

#ifdef PLANT_IN_READ
ssize_t read(int file, void *buffer, size_t bytes) {
    static ssize_t (*real)(int, void *, size_t);
    if (!real) real = dlsym(RTLD_NEXT, "read");
    syscall(SYS_getppid);
    return real(file, buffer, bytes);
}
#endif
