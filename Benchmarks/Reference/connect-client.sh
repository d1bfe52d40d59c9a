#!/bin/sh
# Whether the harness's client is as fast as one in C: connections per second that either drives through the same
# level-triggered accept loop, in turn.
#
#   Benchmarks/Reference/connect-client.sh [ROUNDS] [path of a release build's bench]
#
# Both keep 64 connections outstanding from one thread, and see each closed with a reset. The server of the C program is
# on the first processor and its client on the second, where --pin auto puts them on a machine with two.
set -eu
rounds=${1:-7}
bench=${2:-.build/release/bench}
folder=$(mktemp -d "${TMPDIR:-/tmp}/connect-client.XXXXXX")
trap 'rm -rf "$folder"' EXIT
trap 'exit 130' INT TERM
cat >"$folder/client.c" <<'C'
#define _GNU_SOURCE
#include <arpa/inet.h>
#include <errno.h>
#include <pthread.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

enum { outstanding = 64, batch = 64 };
static int listener;
static struct sockaddr_in address = { .sin_family = AF_INET };

static double now(void) {
    struct timespec time;
    clock_gettime(CLOCK_MONOTONIC, &time);
    return time.tv_sec + time.tv_nsec / 1e9;
}

static void pin(int processor) {
    cpu_set_t set;
    CPU_ZERO(&set);
    CPU_SET(processor, &set);
    pthread_setaffinity_np(pthread_self(), sizeof set, &set);
}

static void *serve(void *unused) {
    pin(0);
    int epoll = epoll_create1(0);
    struct epoll_event event = { .events = EPOLLIN };
    epoll_ctl(epoll, EPOLL_CTL_ADD, listener, &event);
    while (epoll_wait(epoll, &event, 1, -1) >= 0) {
        int connection = accept4(listener, NULL, NULL, SOCK_NONBLOCK | SOCK_CLOEXEC);
        if (connection >= 0) close(connection);
    }
    return unused;
}

static void start(int epoll) {
    int number = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    struct epoll_event event = { .events = EPOLLIN | EPOLLRDHUP | EPOLLET, .data.fd = number };
    if (connect(number, (struct sockaddr *)&address, sizeof address) && errno != EINPROGRESS) exit(1);
    epoll_ctl(epoll, EPOLL_CTL_ADD, number, &event);
}

int main(void) {
    struct linger reset = { 1, 0 };
    socklen_t size = sizeof address;
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    listener = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    setsockopt(listener, SOL_SOCKET, SO_LINGER, &reset, sizeof reset);
    if (bind(listener, (struct sockaddr *)&address, size) || listen(listener, 4096)) return perror("listen"), 1;
    getsockname(listener, (struct sockaddr *)&address, &size);
    pthread_t server;
    pthread_create(&server, NULL, serve, NULL);
    pin(1);
    int epoll = epoll_create1(0);
    struct epoll_event events[batch];
    for (int slot = 0; slot < outstanding; slot++) start(epoll);
    double begin = now() + 0.2, end = begin + 1;
    long done = 0;
    for (double time = now(); time < end; time = now()) {
        int ready = epoll_wait(epoll, events, batch, 100);
        for (int index = 0; index < ready; index++) {
            char byte;
            if (recv(events[index].data.fd, &byte, 1, 0) < 0 && errno == EAGAIN) continue;
            close(events[index].data.fd);
            if (time >= begin) done++;
            start(epoll);
        }
    }
    printf("%ld\n", done);
}
C
"${CC:-clang}" -O2 -pthread -o "$folder/client" "$folder/client.c"
round=0
while [ "$round" -lt "$rounds" ]; do
    round=$((round + 1))
    "$folder/client" >>"$folder/c"
    "$bench" run --mode lt --implementation c --pin auto --duration 1s --rounds 1 --quiet --output "$folder/$round" \
        >/dev/null 2>&1
    awk -F, 'NR == 1 { for (i = 1; i <= NF; i++) if ($i == "throughput_ops_per_s") column = i; next }
        { printf "%d\n", $column }' "$folder/$round/runs.csv" >>"$folder/swift"
done
for side in c swift; do
    printf '%s client: %s connections/s, median of %s\n' "$side" "$(sort -n "$folder/$side" | sed -n "$(((rounds + 1) / 2))p")" "$rounds"
done
