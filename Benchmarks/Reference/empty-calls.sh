#!/bin/sh
# What accept4(2) and read(2) cost when there is nothing to take, in nanoseconds: the price of draining to EAGAIN.
#
#   Benchmarks/Reference/empty-calls.sh
#
# The kernel makes the socket and the file that accept4 would return before it looks into the queue (do_accept in
# net/socket.c), and throws them away when there is nothing.
set -eu
folder=$(mktemp -d "${TMPDIR:-/tmp}/empty-calls.XXXXXX")
trap 'rm -rf "$folder"' EXIT
trap 'exit 130' INT TERM
cat >"$folder/empty.c" <<'C'
#define _GNU_SOURCE
#include <arpa/inet.h>
#include <fcntl.h>
#include <stdio.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

enum { calls = 200000, rounds = 5 };

static double now(void) {
    struct timespec time;
    clock_gettime(CLOCK_MONOTONIC, &time);
    return time.tv_sec * 1e9 + time.tv_nsec;
}

int main(void) {
    struct sockaddr_in address = { .sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
    int listener = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK, 0);
    int ends[2];
    if (bind(listener, (struct sockaddr *)&address, sizeof address) || listen(listener, 16) || pipe2(ends, O_NONBLOCK))
        return perror("empty-calls"), 1;
    for (int round = 0; round < rounds; round++) {
        double start = now();
        for (int call = 0; call < calls; call++) accept4(listener, NULL, NULL, SOCK_NONBLOCK);
        double middle = now();
        char byte;
        for (int call = 0; call < calls; call++)
            if (read(ends[0], &byte, 1) >= 0) return 1;
        printf("accept4 %.0f ns, read %.0f ns\n", (middle - start) / calls, (now() - middle) / calls);
    }
}
C
"${CC:-clang}" -O2 -o "$folder/empty" "$folder/empty.c"
"$folder/empty"
