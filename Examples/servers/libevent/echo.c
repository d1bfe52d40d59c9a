// An echo server on libevent: echo PORT [WORKERS]
//
// Each worker is a thread with an event_base and a listening socket (SO_REUSEPORT) of its own. A bufferevent reads,
// queues and writes; the program moves what came from the input buffer to the output buffer, which copies nothing.
#include <event2/buffer.h>
#include <event2/bufferevent.h>
#include <event2/event.h>
#include <event2/listener.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>

enum { most_unsent = 65536 };

static int port;

static void give_up(const char *what)
{
    perror(what);
    exit(1);
}

static void on_read(struct bufferevent *connection, void *unused)
{
    (void)unused;
    struct evbuffer *output = bufferevent_get_output(connection);
    bufferevent_read_buffer(connection, output);
    // Nothing more is read until the rest is sent, so a slow reader cannot fill the memory.
    if (evbuffer_get_length(output) > most_unsent)
        bufferevent_disable(connection, EV_READ);
}

static void on_all_sent(struct bufferevent *connection, void *unused)
{
    (void)unused;
    if (!(bufferevent_get_enabled(connection) & EV_READ))
        bufferevent_enable(connection, EV_READ);
}

static void on_end(struct bufferevent *connection, short what, void *unused)
{
    (void)unused;
    if (what & (BEV_EVENT_EOF | BEV_EVENT_ERROR))
        bufferevent_free(connection);
}

static void on_connection(struct evconnlistener *listener, evutil_socket_t fd, struct sockaddr *peer, int length,
                          void *base)
{
    (void)listener, (void)peer, (void)length;
    setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &(int){1}, sizeof(int));
    struct bufferevent *connection = bufferevent_socket_new(base, fd, BEV_OPT_CLOSE_ON_FREE);
    if (!connection)
        give_up("bufferevent_socket_new");
    bufferevent_setcb(connection, on_read, on_all_sent, on_end, NULL);
    bufferevent_enable(connection, EV_READ | EV_WRITE);
}

static void *work(void *unused)
{
    struct sockaddr_in address = {
        .sin_family = AF_INET, .sin_port = htons(port), .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    struct event_base *base = event_base_new();
    if (!base)
        give_up("event_base_new");
    unsigned options = LEV_OPT_CLOSE_ON_FREE | LEV_OPT_CLOSE_ON_EXEC | LEV_OPT_REUSEABLE | LEV_OPT_REUSEABLE_PORT;
    if (!evconnlistener_new_bind(base, on_connection, base, options, SOMAXCONN, (struct sockaddr *)&address,
                                 sizeof address))
        give_up("listen");
    event_base_dispatch(base);
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
            give_up("pthread_create");
    work(NULL);
}
