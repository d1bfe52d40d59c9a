#!/usr/bin/env python3
"""What strangers do to an HTTP server, done to one that greets who asks, and each answer compared byte by byte.

    hostile-http.py COMMAND [ARGUMENT...]

COMMAND starts the server, which says its address in its first line (…:PORT) and ends when it can read from standard
input.

Exit codes: 0 all is well, 1 an answer was wrong, 3 the server did not start.
"""

import contextlib
import importlib.machinery
import importlib.util
import os
import random
import resource
import select
import signal
import socket
import sys
import time

folder = os.path.dirname(os.path.abspath(__file__))
loader = importlib.machinery.SourceFileLoader("hostile_client", os.path.join(folder, "hostile-client.py"))
hostile = importlib.util.module_from_spec(importlib.util.spec_from_loader(loader.name, loader))
sys.dont_write_bytecode = True
loader.exec_module(hostile)
Failure, connect, reset = hostile.Failure, hostile.connect, hostile.reset

SCENARIO_LIMIT_S = 60
TIME_LIMIT_S = 5
CONNECTION_LIMIT = 512
HEAD_LIMIT_BYTES = 8192
BODY_LIMIT_BYTES = 1 << 20


def request(method="GET", *fields, host="Host: here", version="HTTP/1.1"):
    lines = [f"{method} / {version}", *([host] if host else []), *fields, "", ""]
    return "\r\n".join(lines).encode()


def answer(status="200 OK", last=False, body=b"", length=None, allow=False):
    head = f"HTTP/1.1 {status}\r\nContent-Length: {len(body) if length is None else length}\r\n"
    head += f"Connection: {'close' if last else 'keep-alive'}\r\n"
    if allow:
        head += "Allow: GET, HEAD\r\n"
    return (head + "\r\n").encode() + body


GET, HEAD = request(), request("HEAD")
POST = request("POST", "Content-Length: 5") + b"12345"
LAST = request("GET", "Connection: close")
HELLO, HELLO_HEAD = answer(body=b"hello\n"), answer(length=6)
REFUSED = answer("405 Method Not Allowed", allow=True)
GOODBYE = answer(last=True, body=b"hello\n")
MALFORMED = answer("400 Bad Request", last=True)
HEAD_TOO_LARGE = answer("431 Request Header Fields Too Large", last=True)
BODY_TOO_LARGE = answer("413 Content Too Large", last=True)
OTHER_VERSION = answer("505 HTTP Version Not Supported", last=True)


def connect_at_once(server):
    """A connection whose small pieces leave as they are."""
    peer = connect(server)
    peer.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    return peer


def expect(peer, expected, what):
    got = b""
    while len(got) < len(expected):
        more = peer.recv(min(65536, len(expected) - len(got)))
        got += more
        if not more or not expected.startswith(got):
            same = next((i for i, pair in enumerate(zip(got, expected)) if pair[0] != pair[1]), len(got))
            raise Failure(f"{what}: {got[same:same + 60]!r} instead of {expected[same:same + 60]!r} after {same} bytes")


def expect_end(peer, what):
    if more := peer.recv(65536):
        raise Failure(f"{what}: {more[:60]!r} instead of the end")


def exchange(server, sent, expected, what, last=False):
    """Sends on a connection of its own, which is good for another request afterwards unless that was the last."""
    with connect(server) as peer:
        peer.sendall(sent)
        expect(peer, expected, what)
        if not last:
            peer.sendall(LAST)
            expect(peer, GOODBYE, f"after {what}")
        expect_end(peer, f"after {what}")


def expect_service(server):
    for _ in range(3):
        exchange(server, GET, HELLO, "hello")


# Scenarios. Each gets a server.


def one_byte_at_a_time(server):
    with connect_at_once(server) as peer:
        for sent, expected in ((GET, HELLO), (HEAD, HELLO_HEAD), (POST, REFUSED), (LAST, GOODBYE)):
            for index in range(len(sent)):
                peer.sendall(sent[index:index + 1])
            expect(peer, expected, repr(sent[:4]))
        expect_end(peer, "after close")


def pipelined(server):
    asked = GET + HEAD + POST + GET + LAST + GET
    exchange(server, asked, HELLO + HELLO_HEAD + REFUSED + HELLO + GOODBYE, "five", True)
    exchange(server, (GET + POST + HEAD) * 1000, (HELLO + REFUSED + HELLO_HEAD) * 1000, "3000")


def split_anywhere(server):
    sent = GET + POST + LAST
    for index in range(1, len(sent)):
        with connect_at_once(server) as peer:
            peer.sendall(sent[:index])
            time.sleep(0.001)
            peer.sendall(sent[index:])
            expect(peer, HELLO + REFUSED + GOODBYE, f"split at {index}")
            expect_end(peer, f"split at {index}")


def kinds(server):
    exchange(server, HEAD, HELLO_HEAD, "HEAD")
    exchange(server, b"\r\n" + GET, HELLO, "an empty line before")
    exchange(server, request("DELETE"), REFUSED, "DELETE")
    exchange(server, request("get"), REFUSED, "get, which is not GET")
    exchange(server, request(host="hOST:here"), HELLO, "a name in other letters")
    exchange(server, request("GET", "X: caf\u00e9"), HELLO, "bytes beyond ASCII in a value")
    exchange(server, request("GET", "Connection: foo, Close"), GOODBYE, "close in a list", True)
    exchange(server, request("GET", "Connection: close", "Connection: keep-alive"), GOODBYE, "both", True)
    exchange(server, request(version="HTTP/1.0", host=None), GOODBYE, "HTTP/1.0", True)
    exchange(server, request("GET", "Connection: keep-alive", version="HTTP/1.0"), HELLO, "HTTP/1.0 that stays")
    exchange(server, request(version="HTTP/2.0"), OTHER_VERSION, "HTTP/2.0", True)
    exchange(server, b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", OTHER_VERSION, "the preface of HTTP/2", True)


def garbage(server):
    for sent in (
        b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03", b"\0", b"hello\r\n", b"GET /\r\n", b"GET  / HTTP/1.1\r\n",
        b" " + GET, b"GET / HTTP/1.1\n", b"GET / HTTP/1.1\r\r\n", b"GET /\r HTTP/1.1\r\n", b"GET / x\r\n",
        b"GET /\xff HTTP/1.1\r\n", b"G(T / HTTP/1.1\r\n", b"GET / HTTP/1.1 \r\n", request(host=None),
        request("GET", "Host: there"), request("GET", "Name : x"), request("GET", ": x"), request("GET", "no colon"),
        request("GET", " folded: x"), request("GET", "N\u00e4me: x"), request("GET", "X: \x7f"),
        request("GET", "X: a\rb"), request("GET", "X: a\nb"),
    ):
        exchange(server, sent, MALFORMED, repr(sent), True)
        exchange(server, GET + HEAD + sent + GET, HELLO + HELLO_HEAD + MALFORMED, f"{sent!r} after others", True)
    source = random.Random(5)
    for _ in range(200):
        sent = b"\1" + source.randbytes(source.randrange(100_000))
        exchange(server, sent, MALFORMED, f"{len(sent)} random bytes", True)


def large_heads(server):
    def padded(count):
        return request("GET", "X: " + "x" * (count - len(request("GET", "X: "))))

    exchange(server, padded(HEAD_LIMIT_BYTES) * 3, HELLO * 3, f"{HEAD_LIMIT_BYTES} bytes")
    exchange(server, padded(HEAD_LIMIT_BYTES + 1), HEAD_TOO_LARGE, f"{HEAD_LIMIT_BYTES + 1} bytes", True)
    exchange(server, GET + padded(300_000), HELLO + HEAD_TOO_LARGE, "a long line", True)
    exchange(server, b"G" * 10_000, HEAD_TOO_LARGE, "a method without end", True)
    exchange(server, b"\r\n" * 5000, HEAD_TOO_LARGE, "empty lines", True)
    exchange(server, request("GET", *["X: y"] * 2000), HEAD_TOO_LARGE, "many fields", True)


def bodies(server):
    def sized(length, method="POST"):
        return request(method, f"Content-Length: {length}")

    exchange(server, sized(5, "GET") + b"GET /" + GET, HELLO * 2, "a body that looks like a request")
    exchange(server, sized(0) + GET, REFUSED + HELLO, "no body")
    exchange(server, sized(BODY_LIMIT_BYTES) + b"\n" * BODY_LIMIT_BYTES + GET, REFUSED + HELLO, "the largest body")
    exchange(server, sized(BODY_LIMIT_BYTES + 1) + b"\n" * 200_000, BODY_TOO_LARGE, "a larger body", True)
    exchange(server, sized("9" * 40), BODY_TOO_LARGE, "a length beyond all numbers", True)
    for length in ("-1", "+5", "5, 5", "5 5", ",5", "0x5", "", "\u0665", "5\r\nContent-Length: 5"):
        exchange(server, sized(length), MALFORMED, f"Content-Length: {length!r}", True)
    for length in ("Transfer-Encoding: chunked", "transfer-encoding: x\r\nContent-Length: 5"):
        exchange(server, request("POST", length), MALFORMED, repr(length), True)
    with connect(server) as peer:
        peer.sendall(request("POST", "Content-Length: 5", "Expect: 100-continue"))
        expect(peer, REFUSED, "before the body")
        peer.sendall(b"12345" + GET)
        expect(peer, HELLO, "after the body")


def half_closes(server):
    for sent, expected in (
        (GET, HELLO), (GET * 2, HELLO * 2), (GET + b"GET /", HELLO), (POST[:-1], REFUSED), (b"", b""),
    ):
        with connect(server) as peer:
            peer.sendall(sent)
            peer.shutdown(socket.SHUT_WR)
            expect(peer, expected, "after a half close")
            expect_end(peer, "after a half close")


def resets(server):
    for index in range(300):
        peer = connect(server)
        peer.sendall((GET * 50 + POST)[:index * 5])
        if index % 3 == 0:
            peer.recv(index + 1) if index > 30 else None
        if index % 2:
            peer.shutdown(socket.SHUT_WR)
        reset(peer)
    expect_service(server)


def one_after_the_other(server):
    for index in range(1000):
        exchange(server, LAST if index % 2 else GET, GOODBYE if index % 2 else HELLO, f"connection {index}", index % 2)


def many_at_once(server):
    with contextlib.ExitStack() as stack:
        peers = [stack.enter_context(connect(server)) for _ in range(200)]
        for _ in range(5):
            for index, peer in enumerate(peers):
                peer.sendall((GET, HEAD, POST)[index % 3])
            for index, peer in enumerate(peers):
                expect(peer, (HELLO, HELLO_HEAD, REFUSED)[index % 3], f"connection {index}")


def crowd(server):
    """More than there are places: the last one is served when others have left."""
    with contextlib.ExitStack() as stack:
        for _ in range(CONNECTION_LIMIT):
            stack.enter_context(connect(server))
        last = connect(server)
        last.sendall(GET)
        if select.select([last], [], [], 0.3)[0]:
            raise Failure(f"more than {CONNECTION_LIMIT} connections are served at once")
    with last:
        expect(last, HELLO, "when there is a place again")


def is_reset(peer):
    """Whether the server has given the connection up, without a look at what came before."""
    waiting = select.poll()
    waiting.register(peer, 0)
    return any(events & (select.POLLERR | select.POLLHUP) for _, events in waiting.poll(0))


def time_is_up(server):
    """Those who keep the server waiting are cut off, and who goes on asking is not."""
    started, slow = time.monotonic(), {}

    def begin(name, sent, expected, drip=b""):
        peer = connect_at_once(server)
        peer.sendall(sent)
        expect(peer, expected, name)
        slow[peer] = (name, drip)

    begin("silent from the start", b"", b"")
    begin("silent after an answer", GET, HELLO)
    begin("a slow head", GET[:-2], b"", b"X")
    begin("a slow head after an answer", GET + GET[:-2], HELLO, b"X")
    begin("a slow body", request("POST", "Content-Length: 1000"), REFUSED, b"X")
    begin("silent after the last answer", b"\0", MALFORMED)
    with connect(server, receive_buffer_bytes=4096) as deaf, connect(server) as steady:
        asked = hostile.send_until_stalled(deaf, memoryview(GET * 500_000)) // len(GET)
        while slow or not is_reset(deaf):
            if time.monotonic() - started > TIME_LIMIT_S + hostile.PATIENCE_S:
                raise Failure(f"not cut off: {next(iter(slow.values()))[0] if slow else 'who never reads'}")
            steady.sendall(GET)
            expect(steady, HELLO, "who goes on asking")
            for one in select.select(list(slow), [], [], 0)[0]:
                name, _ = slow.pop(one)
                # What drips when the server is gone is answered with a reset.
                with one, contextlib.suppress(ConnectionResetError):
                    expect_end(one, name)
                if name != "silent after the last answer" and time.monotonic() - started < TIME_LIMIT_S - 1:
                    raise Failure(f"{name}: cut off after {time.monotonic() - started:.1f} s")
            for one, (_, drip) in slow.items():
                with contextlib.suppress(BrokenPipeError, ConnectionResetError):
                    one.sendall(drip)
            time.sleep(0.25)
        received = bytearray()
        with contextlib.suppress(ConnectionResetError):
            while more := deaf.recv(65536):
                received += more
        if received != (HELLO * asked)[:len(received)] or len(received) == len(HELLO * asked):
            raise Failure("who never reads gets something else, or all")


def silence(server):
    expect_service(server)
    if (share := server.cpu_share()) >= hostile.CPU_LIMIT:
        raise Failure(f"it uses {share:.0%} of a processor while nothing happens")


def end(server):
    """In order, though some are in the middle of something."""
    with connect(server) as idle, connect(server) as busy:
        busy.sendall(GET + GET[:10])
        expect(busy, HELLO, "before the end")
        if (code := server.end()) != 0:
            raise Failure(f"exit code {code}")
        expect_end(idle, "at the end")
        expect_end(busy, "at the end")


def run(server, body):
    def expired(number, frame):
        raise Failure(f"not done after {SCENARIO_LIMIT_S} s")

    signal.signal(signal.SIGALRM, expired)
    signal.setitimer(signal.ITIMER_REAL, SCENARIO_LIMIT_S)
    name, start = body.__name__.replace("_", " "), time.monotonic()
    try:
        descriptors = server.descriptors()
        body(server)
        if body is not end and (left := server.descriptors_left(descriptors)) > 0:
            raise Failure(f"{left} descriptors more than before")
        print(f"ok      {name} ({time.monotonic() - start:.1f} s)", flush=True)
        return True
    except (Failure, OSError) as problem:
        code = server.process.poll()
        fate = "" if code is None else f"; the server ended: {code}"
        print(f"FAILED  {name}: {problem or type(problem).__name__}{fate}", flush=True)
        return False
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)


def main():
    if len(sys.argv) < 2:
        print(__doc__)
        return 64
    hard = resource.getrlimit(resource.RLIMIT_NOFILE)[1]
    resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))
    try:
        server = hostile.Server(sys.argv[1:])
    except (hostile.NotStarted, OSError) as problem:
        print(f"not started: {problem}")
        return 3
    scenarios = (
        one_byte_at_a_time, pipelined, split_anywhere, kinds, garbage, large_heads, bodies, half_closes, resets,
        one_after_the_other, many_at_once, crowd, time_is_up, silence, end)
    try:
        return 0 if all(run(server, body) for body in scenarios) else 1
    finally:
        server.kill()


if __name__ == "__main__":
    sys.exit(main())
