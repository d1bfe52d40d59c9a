#!/usr/bin/python3
"""An echo server on uvloop: echo.py PORT [WORKERS]

Several workers are processes with a listening socket (SO_REUSEPORT) each. The transport sets TCP_NODELAY, keeps what the
socket does not take, and says when reading has to stop for that.
"""

import asyncio
import multiprocessing
import multiprocessing.connection
import signal
import sys

import uvloop


class Echo(asyncio.Protocol):
    def connection_made(self, transport):
        self.transport = transport

    def data_received(self, data):
        self.transport.write(data)

    def pause_writing(self):
        self.transport.pause_reading()

    def resume_writing(self):
        self.transport.resume_reading()


async def serve(port, shared):
    loop = asyncio.get_running_loop()
    server = await loop.create_server(Echo, "127.0.0.1", port, backlog=4096, reuse_port=shared)
    await server.serve_forever()


def work(port, shared):
    signal.signal(signal.SIGTERM, signal.SIG_DFL)
    uvloop.install()
    try:
        asyncio.run(serve(port, shared))
    except OSError as error:
        sys.exit(f"uvloop: {error}")
    except KeyboardInterrupt:
        pass


def main():
    try:
        port = int(sys.argv[1])
        workers = int(sys.argv[2]) if len(sys.argv) > 2 else 1
    except (IndexError, ValueError):
        port = workers = 0
    if not 1 <= port <= 65535 or workers < 1:
        print("usage: echo.py PORT [WORKERS]", file=sys.stderr)
        return 64
    if workers == 1:
        work(port, False)
        return 0
    # Daemonic processes are ended when this one exits, so SIGTERM has to be an exit.
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(0))
    processes = [multiprocessing.Process(target=work, args=(port, True), daemon=True) for _ in range(workers)]
    for process in processes:
        process.start()
    multiprocessing.connection.wait([process.sentinel for process in processes])
    return 1


if __name__ == "__main__":
    sys.exit(main())
