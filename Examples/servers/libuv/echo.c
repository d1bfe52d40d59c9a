// An echo server on libuv: echo PORT [WORKERS]
//
// Each worker is a thread with a loop and a listening socket (SO_REUSEPORT) of its own. libuv reads; the program
// answers with uv_try_write and queues with uv_write what the socket does not take at once.
#define _GNU_SOURCE
#include <netinet/in.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <uv.h>

struct connection {
    uv_tcp_t tcp;
    uv_write_t rest;
    char buffer[65536];
};

static int port;

static void check(int result, const char *what)
{
    if (result < 0) {
        fprintf(stderr, "%s: %s\n", what, uv_strerror(result));
        exit(1);
    }
}

static void on_close(uv_handle_t *handle)
{
    free(handle->data);
}

static void lend_buffer(uv_handle_t *handle, size_t suggested, uv_buf_t *buffer)
{
    (void)suggested;
    struct connection *connection = handle->data;
    *buffer = uv_buf_init(connection->buffer, sizeof connection->buffer);
}

static void on_read(uv_stream_t *stream, ssize_t count, const uv_buf_t *buffer);

static void on_written(uv_write_t *request, int status)
{
    if (status < 0)
        uv_close((uv_handle_t *)request->handle, on_close);
    else
        uv_read_start(request->handle, lend_buffer, on_read);
}

static void on_read(uv_stream_t *stream, ssize_t count, const uv_buf_t *buffer)
{
    struct connection *connection = stream->data;
    if (count == 0)
        return;
    if (count < 0) {
        uv_close((uv_handle_t *)stream, on_close);
        return;
    }
    uv_buf_t answer = uv_buf_init(buffer->base, count);
    int sent = uv_try_write(stream, &answer, 1);
    if (sent == count)
        return;
    // Nothing more is read until the rest is sent, so a slow reader costs one buffer. uv_write says what is wrong, if
    // anything is.
    if (sent < 0)
        sent = 0;
    uv_read_stop(stream);
    answer = uv_buf_init(buffer->base + sent, count - sent);
    if (uv_write(&connection->rest, stream, &answer, 1, on_written) < 0)
        uv_close((uv_handle_t *)stream, on_close);
}

static void on_connection(uv_stream_t *listener, int status)
{
    if (status < 0)
        return;
    struct connection *connection = malloc(sizeof *connection);
    if (!connection)
        check(UV_ENOMEM, "malloc");
    check(uv_tcp_init(listener->loop, &connection->tcp), "uv_tcp_init");
    connection->tcp.data = connection;
    if (uv_accept(listener, (uv_stream_t *)&connection->tcp) < 0) {
        uv_close((uv_handle_t *)&connection->tcp, on_close);
        return;
    }
    uv_tcp_nodelay(&connection->tcp, 1);
    uv_read_start((uv_stream_t *)&connection->tcp, lend_buffer, on_read);
}

static void *work(void *unused)
{
    uv_loop_t loop;
    uv_tcp_t listener;
    uv_os_fd_t fd;
    struct sockaddr_in address;
    check(uv_loop_init(&loop), "uv_loop_init");
    check(uv_tcp_init_ex(&loop, &listener, AF_INET), "uv_tcp_init_ex");
    check(uv_fileno((uv_handle_t *)&listener, &fd), "uv_fileno");
    setsockopt(fd, SOL_SOCKET, SO_REUSEPORT, &(int){1}, sizeof(int));
    check(uv_ip4_addr("127.0.0.1", port, &address), "uv_ip4_addr");
    check(uv_tcp_bind(&listener, (struct sockaddr *)&address, 0), "bind");
    check(uv_listen((uv_stream_t *)&listener, SOMAXCONN, on_connection), "listen");
    uv_run(&loop, UV_RUN_DEFAULT);
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
    signal(SIGPIPE, SIG_IGN);
    for (int i = 1; i < workers; i++)
        if (pthread_create(&(pthread_t){0}, NULL, work, NULL) != 0)
            check(UV_EAGAIN, "pthread_create");
    work(NULL);
}
