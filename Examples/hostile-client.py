#!/usr/bin/env python3
"""What strangers do to a server, done to one that sends back what it receives.

    hostile-client.py [--silent SECONDS] COMMAND [ARGUMENT...]
    hostile-client.py [--silent SECONDS] --address HOST:PORT

COMMAND starts the server, which says its address in its first line (…:PORT) and ends when it can read from standard
input. With --address the server runs already, and what must be asked of its process is left out.

Exit codes: 0 all is well, 1 a scenario failed, 3 the server did not start.
"""

import argparse
import contextlib
import os
import random
import re
import resource
import select
import signal
import socket
import struct
import subprocess
import sys
import time

PATIENCE_S = 20
SCENARIO_LIMIT_S = 90
CPU_LIMIT = 0.05


class Failure(Exception):
    """What the server did wrong."""


class NotStarted(Exception):
    """What the server said instead of its address."""


class Server:
    """A server, and what the kernel knows of its process if this program started it."""

    def __init__(self, command=None, address=None, descriptors=None, stdin=subprocess.PIPE):
        self.process = None
        if address:
            self.address = address
            return

        def limit():
            if descriptors:
                resource.setrlimit(resource.RLIMIT_NOFILE, (descriptors, descriptors))

        self.process = subprocess.Popen(command, stdin=stdin, stdout=subprocess.PIPE, preexec_fn=limit)
        line = ""
        if select.select([self.process.stdout], [], [], PATIENCE_S)[0]:
            line = self.process.stdout.readline().decode(errors="replace").strip()
        found = re.search(r"(\S+):(\d+)\b", line)
        if not found:
            self.kill()
            raise NotStarted(line or "it said nothing")
        self.address = (found[1], int(found[2]))

    def folder(self, name):
        return f"/proc/{self.process.pid}/{name}"

    def descriptors(self):
        return len(os.listdir(self.folder("fd")))

    def resident_bytes(self):
        with open(self.folder("statm")) as file:
            return int(file.read().split()[1]) * resource.getpagesize()

    def cpu_s(self):
        total = 0
        for task in os.listdir(self.folder("task")):
            with open(self.folder(f"task/{task}/schedstat")) as file:
                total += int(file.read().split()[0])
        return total / 1e9

    def cpu_share(self, attempts=5):
        """The least share of a processor that it used in a second: one that something else disturbed proves nothing."""
        least = 1.0
        for _ in range(attempts):
            cpu, start = self.cpu_s(), time.monotonic()
            time.sleep(1)
            least = min(least, (self.cpu_s() - cpu) / (time.monotonic() - start))
            if least < CPU_LIMIT:
                break
        return least

    def settled_descriptors(self):
        """How many descriptors it has once it has noticed all that its peers did."""
        count, since = self.descriptors(), time.monotonic()
        while time.monotonic() - since < 0.3:
            time.sleep(0.02)
            now = self.descriptors()
            if now != count:
                count, since = now, time.monotonic()
        return count

    def descriptors_left(self, before):
        """How many more it has than before, when it has had the time to notice what its peers did."""
        deadline = time.monotonic() + PATIENCE_S
        while self.descriptors() > before and time.monotonic() < deadline:
            time.sleep(0.02)
        return self.descriptors() - before

    def end(self):
        """How it ended, which was of its own accord if it was told to."""
        with contextlib.suppress(OSError):
            self.process.stdin.write(b"\n")
            self.process.stdin.close()
        try:
            return self.process.wait(PATIENCE_S)
        except subprocess.TimeoutExpired:
            self.kill()
            raise Failure("it does not end when standard input has something to read")

    def kill(self):
        if self.process:
            self.process.kill()
            self.process.wait()


def connect(server, receive_buffer_bytes=None):
    peer = socket.socket()
    peer.settimeout(PATIENCE_S)
    if receive_buffer_bytes:
        peer.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, receive_buffer_bytes)
    try:
        peer.connect(server.address)
    except OSError:
        peer.close()
        raise
    return peer


def reset(peer):
    """Closes with a reset (SO_LINGER of no time)."""
    peer.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    peer.close()


def receive_exactly(peer, count):
    received = bytearray()
    while len(received) < count:
        more = peer.recv(count - len(received))
        if not more:
            raise Failure(f"end of stream after {len(received)} of {count} bytes")
        received += more
    return bytes(received)


def expect_echo(peer, message):
    peer.sendall(message)
    if receive_exactly(peer, len(message)) != message:
        raise Failure("other bytes came back")


def expect_end(peer):
    if peer.recv(1):
        raise Failure("more came back than was sent")


def expect_service(server, count=3):
    """New connections are served, whatever others are up to."""
    for index in range(count):
        with connect(server) as peer:
            expect_echo(peer, f"hello {index}".encode())


def send_until_stalled(peer, payload):
    """Sends while nobody reads; returns how much the buffers on the way took."""
    peer.setblocking(False)
    sent = 0
    while sent < len(payload) and select.select([], [peer], [], 0.5)[1]:
        sent += peer.send(payload[sent:sent + 65536])
    peer.settimeout(PATIENCE_S)
    return sent


def large_payload():
    """8 MB, and more than a sending socket's buffer can grow to."""
    with open("/proc/sys/net/ipv4/tcp_wmem") as file:
        largest = int(file.read().split()[2])
    return random.Random(1).randbytes(max(8_000_000, 2 * largest))


# Scenarios. Each gets a server, and may keep connections open to the end in `held`.


def slow_reader(server, held):
    payload = memoryview(large_payload())
    with connect(server, receive_buffer_bytes=65536) as peer:
        sent = send_until_stalled(peer, payload)
        expect_service(server)
        peer.setblocking(False)
        received = 0
        while received < len(payload):
            readable, writable, _ = select.select([peer], [peer] if sent < len(payload) else [], [], PATIENCE_S)
            if not readable and not writable:
                raise Failure(f"nothing moves after {received} bytes came back")
            if writable:
                sent += peer.send(payload[sent:sent + 65536])
            if readable:
                more = peer.recv(32768)
                if more != payload[received:received + len(more)] or not more:
                    raise Failure(f"what came back differs after {received} bytes")
                received += len(more)
                time.sleep(0.001)
        peer.settimeout(PATIENCE_S)
        peer.shutdown(socket.SHUT_WR)
        expect_end(peer)


def resets(server, held):
    payload = large_payload()
    for index in range(20):
        idle = connect(server)
        reset(idle)
        unread = connect(server)
        unread.sendall(payload[:100_000])
        reset(unread)
        greedy = connect(server, receive_buffer_bytes=4096)
        if index % 10 == 0:
            send_until_stalled(greedy, payload)
        else:
            greedy.sendall(payload[:10_000])
        # After a half close a reset makes the server's next send fail with EPIPE.
        greedy.shutdown(socket.SHUT_WR)
        reset(greedy)
    expect_service(server)


def half_close(server, held):
    payload = large_payload()[:1_000_000]
    with connect(server) as peer:
        sent = send_until_stalled(peer, payload)
        echoed = b""
        if sent < len(payload):
            echoed = receive_exactly(peer, sent // 2)
            peer.sendall(payload[sent:])
        peer.shutdown(socket.SHUT_WR)
        echoed += receive_exactly(peer, len(payload) - len(echoed))
        if echoed != payload:
            raise Failure("other bytes came back")
        expect_end(peer)


def single_bytes(server, held):
    message = bytes(range(256)) * 4
    with connect(server) as peer:
        peer.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        for byte in message[:256]:
            expect_echo(peer, bytes([byte]))
        for byte in message:
            peer.send(bytes([byte]))
        if receive_exactly(peer, len(message)) != message:
            raise Failure("other bytes came back")


def garbage(server, held):
    source = random.Random(2)
    for _ in range(200):
        with connect(server) as peer:
            peer.sendall(source.randbytes(source.randrange(1, 50_000)))
    expect_service(server)


def never_reads(server, held):
    """They stay as they are to the end, one of them after a half close."""
    payload = large_payload()
    for _ in range(2):
        peer = connect(server, receive_buffer_bytes=4096)
        held.append(peer)
        if send_until_stalled(peer, payload) == len(payload):
            raise Failure("the server took everything, so it keeps any amount that nobody reads")
    peer.shutdown(socket.SHUT_WR)
    expect_service(server)
    if server.process and (share := server.cpu_share()) >= CPU_LIMIT:
        raise Failure(f"it uses {share:.0%} of a processor while nothing happens")


def many_at_once(server, held):
    limit = resource.getrlimit(resource.RLIMIT_NOFILE)[1]
    count = min(10_000, limit - 200)
    if count < 10_000:
        print(f"        {count} at once instead of 10000: the hard limit is {limit} descriptors", flush=True)
    with contextlib.ExitStack() as stack:
        peers = {}
        for index in range(count):
            peer = stack.enter_context(connect(server))
            peers[peer.fileno()] = (peer, f"connection {index}".encode())
        waiting = select.epoll()
        stack.callback(waiting.close)
        for number, (peer, message) in peers.items():
            peer.sendall(message)
            waiting.register(number, select.EPOLLIN)
        while peers:
            ready = waiting.poll(PATIENCE_S, 1024)
            if not ready:
                raise Failure(f"{len(peers)} of {count} get no answer")
            for number, _ in ready:
                peer, message = peers.pop(number)
                waiting.unregister(number)
                if receive_exactly(peer, len(message)) != message:
                    raise Failure("other bytes came back")
                # Half of them are closed with the others at the end.
                if number % 2:
                    reset(peer)


def churn(server, held):
    def visit(index):
        peer = connect(server)
        if index % 2 == 0:
            expect_echo(peer, b"x" * (index % 5000 + 1))
        elif index % 4 == 1:
            peer.sendall(b"y" * 3000)
        if index % 3 == 0:
            reset(peer)
        else:
            peer.close()

    for index in range(1000):
        visit(index)
    if server.process:
        descriptors, resident_bytes = server.settled_descriptors(), server.resident_bytes()
    for index in range(10_000):
        visit(index)
    expect_service(server)
    if server.process:
        leaked = server.descriptors_left(descriptors)
        if leaked > 0:
            raise Failure(f"{leaked} descriptors more than before")
        grown = server.resident_bytes() - resident_bytes
        if grown > 4_000_000:
            raise Failure(f"{grown / 1e6:.1f} MB more than before")


def exhaustion(command):
    """More clients than the server may have descriptors: those that wait cost nothing, and are served in the end."""
    server = Server(command, descriptors=64, stdin=subprocess.DEVNULL)
    with contextlib.ExitStack() as stack:
        stack.callback(server.kill)
        waiting = {}
        for index in range(200):
            peer = stack.enter_context(connect(server))
            message = f"client {index:3}".encode()
            peer.sendall(message)
            waiting[peer] = message

        def served(patience_s):
            """Takes the answers that are there."""
            ready = select.select(list(waiting), [], [], patience_s)[0]
            for peer in ready:
                message = waiting.pop(peer)
                if receive_exactly(peer, len(message)) != message:
                    raise Failure("other bytes came back")
            return ready

        inside = served(PATIENCE_S)
        while more := served(1):
            inside += more
        if not waiting:
            raise Failure("nobody had to wait, so this proves nothing")
        share = server.cpu_share()
        if share >= CPU_LIMIT:
            raise Failure(f"it uses {share:.0%} of a processor while {len(waiting)} clients wait")
        while waiting:
            for peer in inside:
                peer.close()
            inside = served(PATIENCE_S)
            if not inside:
                raise Failure(f"{len(waiting)} clients that waited are never served")
        if server.process.poll() is not None:
            raise Failure(f"it ended: {server.process.returncode}")


def silence(peers, until):
    time.sleep(max(0, until - time.monotonic()))
    for peer in peers:
        expect_echo(peer, b"still there?")


class Run:
    """Runs scenarios one after the other, each with a limit, and says how they went."""

    def __init__(self, options):
        self.options = options
        self.failed = False
        self.start_server()

    def start_server(self):
        self.server = Server(self.options.command, self.options.address)
        self.silent = [connect(self.server) for _ in range(3)]
        self.served_at = time.monotonic() + self.options.silent
        self.held = []

    def scenario(self, name, body, limit_s=SCENARIO_LIMIT_S):
        def expired(number, frame):
            raise Failure(f"not done after {limit_s:.0f} s")

        signal.signal(signal.SIGALRM, expired)
        signal.setitimer(signal.ITIMER_REAL, limit_s)
        start = time.monotonic()
        try:
            body()
            signal.setitimer(signal.ITIMER_REAL, 0)
            print(f"ok      {name} ({time.monotonic() - start:.1f} s)", flush=True)
        except (Failure, NotStarted, OSError) as problem:
            signal.setitimer(signal.ITIMER_REAL, 0)
            self.failed = True
            print(f"FAILED  {name}: {problem or type(problem).__name__}{self.fate()}", flush=True)
            # The next one gets a server that nothing was done to.
            if self.server.process:
                self.server.kill()
                self.start_server()

    def fate(self):
        if self.server.process and (code := self.server.process.poll()) is not None:
            return f"; the server ended: {signal.Signals(-code).name if code < 0 else code}"
        return ""

    def all(self):
        for body in (slow_reader, resets, half_close, single_bytes, garbage, never_reads, many_at_once, churn):
            self.scenario(body.__name__.replace("_", " "), lambda: body(self.server, self.held))
        if self.options.command:
            self.scenario("exhaustion", lambda: exhaustion(self.options.command))
        self.scenario(
            f"silent for {self.options.silent:g} s", lambda: silence(self.silent, self.served_at),
            self.options.silent + PATIENCE_S)
        if self.options.command:
            self.scenario("end", self.end)
        return not self.failed

    def end(self):
        code = self.server.end()
        if code != 0:
            raise Failure(f"exit code {code}")


def address(text):
    host, _, port = text.rpartition(":")
    return host, int(port)


def main():
    parser = argparse.ArgumentParser(usage=__doc__, add_help=False)
    parser.add_argument("--silent", type=float, default=60)
    parser.add_argument("--address", type=address)
    parser.add_argument("command", nargs=argparse.REMAINDER)
    options = parser.parse_args()
    if bool(options.address) == bool(options.command):
        parser.error("a command or an address")
    hard = resource.getrlimit(resource.RLIMIT_NOFILE)[1]
    resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))
    try:
        run = Run(options)
    except (NotStarted, OSError) as problem:
        print(f"not started: {problem}")
        return 3
    try:
        return 0 if run.all() else 1
    finally:
        run.server.kill()


if __name__ == "__main__":
    sys.exit(main())
