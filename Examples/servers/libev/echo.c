// An echo server on libev: echo PORT [WORKERS]
//
// Each worker is a thread with a loop and a listening socket (SO_REUSEPORT) of its own. libev says when a socket has
// something to do and leaves the reading and the writing to the program.
#define _GNU_SOURCE
#include <errno.h>
#include <ev.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>

struct connection {
    ev_io io;
    int wanted;
    size_t start, end; // what is not sent yet
    char buffer[65536];
};

static int port;

static void give_up(const char *what)
{
    perror(what);
    exit(1);
}

static void end_connection(struct ev_loop *loop, struct connection *connection)
{
    ev_io_stop(loop, &connection->io);
    close(connection->io.fd);
    free(connection);
}

static void wait_for(struct ev_loop *loop, struct connection *connection, int wanted)
{
    if (connection->wanted == wanted)
        return;
    connection->wanted = wanted;
    ev_io_stop(loop, &connection->io);
    ev_io_set(&connection->io, connection->io.fd, wanted);
    ev_io_start(loop, &connection->io);
}

static int may_come_later(void)
{
    return errno == EAGAIN || errno == EINTR;
}

static void on_event(struct ev_loop *loop, ev_io *io, int events)
{
    struct connection *connection = (struct connection *)io;
    if (events & EV_READ) {
        ssize_t count = read(io->fd, connection->buffer, sizeof connection->buffer);
        if (count < 0 && may_come_later())
            return;
        if (count <= 0) {
            end_connection(loop, connection);
            return;
        }
        connection->start = 0;
        connection->end = count;
    }
    ssize_t sent = send(io->fd, connection->buffer + connection->start, connection->end - connection->start,
                        MSG_NOSIGNAL);
    if (sent < 0 && !may_come_later()) {
        end_connection(loop, connection);
        return;
    }
    if (sent > 0)
        connection->start += sent;
    // Nothing more is read until the rest is sent, so a slow reader costs one buffer.
    wait_for(loop, connection, connection->start < connection->end ? EV_WRITE : EV_READ);
}

static void on_connection(struct ev_loop *loop, ev_io *io, int events)
{
    (void)events;
    int fd = accept4(io->fd, NULL, NULL, SOCK_NONBLOCK | SOCK_CLOEXEC);
    if (fd < 0)
        return;
    setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &(int){1}, sizeof(int));
    struct connection *connection = malloc(sizeof *connection);
    if (!connection)
        give_up("malloc");
    connection->wanted = EV_READ;
    ev_io_init(&connection->io, on_event, fd, EV_READ);
    ev_io_start(loop, &connection->io);
}

static int listen_on(int number)
{
    struct sockaddr_in address = {
        .sin_family = AF_INET, .sin_port = htons(number), .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    if (fd < 0)
        give_up("socket");
    setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &(int){1}, sizeof(int));
    setsockopt(fd, SOL_SOCKET, SO_REUSEPORT, &(int){1}, sizeof(int));
    if (bind(fd, (struct sockaddr *)&address, sizeof address) < 0 || listen(fd, SOMAXCONN) < 0)
        give_up("listen");
    return fd;
}

static void *work(void *unused)
{
    struct ev_loop *loop = ev_loop_new(EVFLAG_AUTO);
    if (!loop)
        give_up("ev_loop_new");
    ev_io listener;
    ev_io_init(&listener, on_connection, listen_on(port), EV_READ);
    ev_io_start(loop, &listener);
    ev_run(loop, 0);
    return unused;
}

int main(int count, char **arguments)
{
    port = count > 1 ? atoi(arguments[1]) : 0;
    int workers = count > 2 ? atoi(arguments[2]) : 1;
    if (port < 1 || port > 65535 || workers < 1) {
        fprintf(stderr, "usage: %s PORT [WORKERS]\n", arguments[0]);
        return 64;
    }
    for (int i = 1; i < workers; i++)
        if (pthread_create(&(pthread_t){0}, NULL, work, NULL) != 0)
            give_up("pthread_create");
    work(NULL);
}
