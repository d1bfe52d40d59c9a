#!/usr/bin/env python3
"""Starts a server, asks it things, and ends it.

    client.py check [--protocol echo|http|redis|memcached] [--workers N] COMMAND
    client.py calls [--messages N] COMMAND

COMMAND is one of the shell, in which {port}, {address} and {workers} are filled in. `check` fails unless every answer is
right. `calls` counts with strace what the server asks of the kernel for each message of 64 bytes that one connection sends
and waits for, with one worker.

Exit codes: 0 all is well, 1 it is not, 2 something that is needed here is missing.
"""

import argparse
import contextlib
import os
import random
import select
import shutil
import signal
import socket
import struct
import subprocess
import sys
import tempfile
import threading
import time

PATIENCE_S = 20
ADDRESS = "127.0.0.1"
CONNECTIONS = 50
RESETS = 40
# More than the kernel keeps for a connection on its own, so a server that takes it all keeps it in its memory.
MOST_UNREAD = 64 << 20
ASK = {
    "http": (b"GET / HTTP/1.1\r\nHost: localhost\r\n\r\n", b"HTTP/1.1 200 "),
    "redis": (b"PING\r\n", b"+PONG\r\n"),
    "memcached": (b"version\r\n", b"VERSION "),
}


class Failure(Exception):
    """What the server did wrong."""


class Server:
    """A server in a process group of its own, on a port that was free."""

    def __init__(self, command, workers):
        self.port = free_port()
        for name, value in (("port", self.port), ("address", ADDRESS), ("workers", workers)):
            command = command.replace("{%s}" % name, str(value))
        self.process = subprocess.Popen("exec " + command, shell=True, start_new_session=True, stdin=subprocess.DEVNULL)

    def connect(self):
        connection = socket.create_connection((ADDRESS, self.port), PATIENCE_S)
        connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        return connection

    def wait_until_ready(self):
        def answers():
            if self.process.poll() is not None:
                raise Failure(f"it ended with code {self.process.returncode} before it listened")
            with contextlib.suppress(ConnectionError):
                self.connect().close()
                return True

        wait_for(answers, f"it does not listen on port {self.port}")

    def group(self):
        """The processes of the group."""
        found = []
        for name in filter(str.isdigit, os.listdir("/proc")):
            with contextlib.suppress(OSError):
                if os.getpgid(int(name)) == self.process.pid:
                    found.append(int(name))
        return found

    def descriptors(self):
        """How many the processes of the group have open."""
        count = 0
        for process in self.group():
            with contextlib.suppress(OSError):
                count += len(os.listdir(f"/proc/{process}/fd"))
        return count

    def end(self):
        """Ends the group; False if SIGTERM to its first process was not enough."""
        self.process.terminate()
        enough = True
        try:
            self.process.wait(PATIENCE_S)
            wait_for(lambda: not self.group(), "")
        except (subprocess.TimeoutExpired, Failure):
            enough = False
        with contextlib.suppress(ProcessLookupError):
            os.killpg(self.process.pid, signal.SIGKILL)
        self.process.wait()
        return enough


def free_port():
    """A port that nobody has, from below those that the kernel gives to clients, which would take it meanwhile."""
    while True:
        port = random.SystemRandom().randrange(10240, 32768)
        with socket.socket() as chosen, contextlib.suppress(OSError):
            chosen.bind((ADDRESS, port))
            return port


def wait_for(condition, otherwise):
    deadline = time.monotonic() + PATIENCE_S
    while not condition():
        if time.monotonic() > deadline:
            raise Failure(otherwise)
        time.sleep(0.02)


def receive(connection, count):
    parts = []
    while count:
        part = connection.recv(min(count, 1 << 16))
        if not part:
            raise Failure(f"it closed a connection {count} bytes early")
        parts.append(part)
        count -= len(part)
    return b"".join(parts)


def exchange(connection, message):
    connection.sendall(message)
    if receive(connection, len(message)) != message:
        raise Failure("what came back is not what was sent")


def small(server):
    """Small messages come back on a connection that stays."""
    with server.connect() as connection:
        for number in range(100):
            exchange(connection, b"message %d" % number)


def odd_pieces(server):
    """A mebibyte in pieces of odd sizes comes back whole."""
    generator = random.Random(1)
    message = generator.randbytes(1 << 20)
    with server.connect() as connection:

        def send():
            start = 0
            with contextlib.suppress(OSError):
                while start < len(message):
                    end = start + generator.choice((1, 7, 63, 1021, 4099, 65537))
                    connection.sendall(message[start:end])
                    start = end

        sender = threading.Thread(target=send, daemon=True)
        sender.start()
        answer = receive(connection, len(message))
        sender.join()
    if answer != message:
        raise Failure("what came back is not what was sent")


def slow_reader(server):
    """A client that does not read is not read from without a limit, and gets everything when it reads."""
    chunk = random.Random(2).randbytes(1 << 16)
    with server.connect() as connection:
        connection.setblocking(False)
        sent = 0
        while select.select([], [connection], [], 0.3)[1]:
            with contextlib.suppress(BlockingIOError):
                sent += connection.send(chunk[sent % len(chunk) :])
            if sent > MOST_UNREAD:
                raise Failure(f"it takes more than {MOST_UNREAD >> 20} MiB from a client that does not read")
        connection.settimeout(PATIENCE_S)
        answer = receive(connection, sent)
    if answer != (chunk * (sent // len(chunk) + 1))[:sent]:
        raise Failure("what came back is not what was sent")


def many(server):
    """Connections at the same time each get their own messages."""
    with contextlib.ExitStack() as stack:
        connections = [stack.enter_context(server.connect()) for _ in range(CONNECTIONS)]
        for round_number in range(10):
            messages = [b"connection %d, round %d" % (index, round_number) for index in range(CONNECTIONS)]
            for connection, message in zip(connections, messages):
                connection.sendall(message)
            for connection, message in zip(connections, messages):
                if receive(connection, len(message)) != message:
                    raise Failure("a connection got what another one sent")


def resets(server):
    """A client that resets its connection with answers unread harms nobody."""
    with server.connect() as witness:
        for _ in range(RESETS):
            connection = server.connect()
            connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
            connection.setblocking(False)
            with contextlib.suppress(BlockingIOError):
                while True:
                    connection.send(bytes(1 << 16))
            connection.close()
        exchange(witness, b"still there?")


def check_echo(server):
    small(server)
    before = server.descriptors()
    for scenario in (odd_pieces, slow_reader, many, resets):
        try:
            scenario(server)
        except (Failure, OSError) as problem:
            raise Failure(f"{scenario.__name__}: {problem}") from problem
    # A worker may have come to listen meanwhile, which is less than the connections of a scenario.
    wait_for(lambda: server.descriptors() < before + RESETS // 2, "it keeps the descriptors of connections that are closed")
    small(server)


def is_whole(answer, protocol):
    """Whether the answer is; one of HTTP has a body of 64 bytes."""
    if protocol == "http":
        _, end_of_header, body = answer.partition(b"\r\n\r\n")
        return bool(end_of_header) and len(body) == 64
    return answer.endswith(b"\r\n")


def check_answers(server, protocol):
    """The same request is answered rightly twice on one connection, which stays."""
    request, beginning = ASK[protocol]
    with server.connect() as connection:
        for _ in range(2):
            connection.sendall(request)
            answer = b""
            while not is_whole(answer, protocol):
                answer += receive(connection, 1)
            if not answer.startswith(beginning):
                raise Failure(f"it answered {answer[:60]!r}")


def check(arguments):
    server = Server(arguments.command, arguments.workers)
    try:
        server.wait_until_ready()
        if arguments.protocol == "echo":
            check_echo(server)
        else:
            check_answers(server, arguments.protocol)
        if server.process.poll() is not None:
            raise Failure(f"it ended with code {server.process.returncode}")
    except BaseException:
        server.end()
        raise
    if not server.end():
        raise Failure("SIGTERM to its first process does not end it and all that it started")


def traced(process):
    """Whether all threads of the process are."""
    for task in os.listdir(f"/proc/{process}/task"):
        with open(f"/proc/{process}/task/{task}/status", encoding="ascii", errors="replace") as status:
            if any(line.split() == ["TracerPid:", "0"] for line in status):
                return False
    return True


def counted(path, messages):
    """The calls per message in a table of strace."""
    found = []
    with open(path, encoding="ascii") as table:
        for line in table:
            fields = line.split()
            if len(fields) >= 5 and fields[3].isdigit() and fields[-1] != "total":
                found.append((fields[-1], int(fields[3]) / messages))
    return sorted(found, key=lambda entry: -entry[1])


def calls(arguments):
    if not shutil.which("strace"):
        print("client: strace is missing; apt-get install strace", file=sys.stderr)
        return 2
    server = Server(arguments.command, 1)
    message = bytes(range(64))
    try:
        server.wait_until_ready()
        with server.connect() as connection, tempfile.NamedTemporaryFile() as table:
            for _ in range(200):
                exchange(connection, message)
            tracer = subprocess.Popen(
                ["strace", "-f", "-c", "-o", table.name, "-p", str(server.process.pid)], stderr=subprocess.DEVNULL)
            try:
                wait_for(lambda: traced(server.process.pid) or tracer.poll() is not None, "strace does not attach")
                for _ in range(arguments.messages):
                    exchange(connection, message)
            finally:
                with contextlib.suppress(ProcessLookupError):
                    tracer.send_signal(signal.SIGINT)
                tracer.wait(PATIENCE_S)
            found = counted(table.name, arguments.messages)
    finally:
        server.end()
    print(f"{sum(count for _, count in found):.2f}", end=":")
    print("".join(f" {name} {count:.2f}" for name, count in found if count >= 0.01))
    return 0


def main():
    parser = argparse.ArgumentParser(usage=__doc__.partition("\n\n")[2].partition("\n\n")[0].strip())
    modes = parser.add_subparsers(required=True)
    checking = modes.add_parser("check")
    checking.add_argument("--protocol", choices=["echo", *ASK], default="echo")
    checking.add_argument("--workers", type=int, default=1)
    checking.set_defaults(run=check)
    counting = modes.add_parser("calls")
    counting.add_argument("--messages", type=int, default=1000)
    counting.set_defaults(run=calls)
    for mode in (checking, counting):
        mode.add_argument("command")
    arguments = parser.parse_args()
    # Ended from outside, it ends the server all the same.
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(1))
    try:
        return arguments.run(arguments)
    except (Failure, OSError) as problem:
        print(f"client: {problem}", file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        return 130


if __name__ == "__main__":
    sys.exit(main())
