// An echo server on Asio: echo PORT [WORKERS]
//
// Each worker is a thread with an io_context and a listening socket (SO_REUSEPORT) of its own. async_write goes on until
// all is sent; the next read starts after that, so a slow reader costs one buffer.
#include <array>
#include <asio.hpp>
#include <cstdlib>
#include <iostream>
#include <memory>
#include <thread>
#include <vector>

using asio::ip::tcp;
using reuse_port = asio::detail::socket_option::boolean<SOL_SOCKET, SO_REUSEPORT>;

class connection : public std::enable_shared_from_this<connection> {
public:
    explicit connection(tcp::socket socket) : socket_(std::move(socket)) {}

    void read()
    {
        socket_.async_read_some(asio::buffer(buffer_), [this, self = shared_from_this()](auto error, auto count) {
            if (!error)
                write(count);
        });
    }

private:
    void write(std::size_t count)
    {
        asio::async_write(socket_, asio::buffer(buffer_, count), [this, self = shared_from_this()](auto error, auto) {
            if (!error)
                read();
        });
    }

    tcp::socket socket_;
    std::array<char, 65536> buffer_;
};

static void accept(tcp::acceptor &acceptor)
{
    acceptor.async_accept([&acceptor](auto error, tcp::socket socket) {
        if (!error) {
            socket.set_option(tcp::no_delay(true), error);
            std::make_shared<connection>(std::move(socket))->read();
        }
        accept(acceptor);
    });
}

static void work(unsigned short port)
try {
    asio::io_context context(1); // one thread runs it
    tcp::acceptor acceptor(context, tcp::v4());
    acceptor.set_option(tcp::acceptor::reuse_address(true));
    acceptor.set_option(reuse_port(true));
    acceptor.bind({asio::ip::address_v4::loopback(), port});
    acceptor.listen();
    accept(acceptor);
    context.run();
} catch (const std::exception &error) {
    std::cerr << "asio: " << error.what() << '\n';
    std::exit(1);
}

int main(int count, char **arguments)
{
    int port = count > 1 ? std::atoi(arguments[1]) : 0;
    int workers = count > 2 ? std::atoi(arguments[2]) : 1;
    if (port < 1 || port > 65535 || workers < 1) {
        std::cerr << "usage: " << arguments[0] << " PORT [WORKERS]\n";
        return 64;
    }
    std::vector<std::jthread> threads;
    for (int i = 1; i < workers; i++)
        threads.emplace_back(work, port);
    work(port);
}
