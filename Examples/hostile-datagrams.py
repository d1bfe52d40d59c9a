#!/usr/bin/env python3
"""What strangers do to a server of datagrams, done to one that sends back what it receives.

    hostile-datagrams.py COMMAND [ARGUMENT...]

COMMAND starts the server, which says its address in its first line (…:PORT) and ends when it can read from standard
input. UDP may lose a datagram, so each message is sent again until it comes back or patience is over.

Exit codes: 0 all is well, 1 a scenario failed, 3 the server did not start.
"""

import importlib.machinery
import importlib.util
import os
import random
import select
import socket
import sys
import time

folder = os.path.dirname(os.path.abspath(__file__))
loader = importlib.machinery.SourceFileLoader("hostile_client", os.path.join(folder, "hostile-client.py"))
hostile = importlib.util.module_from_spec(importlib.util.spec_from_loader(loader.name, loader))
sys.dont_write_bytecode = True
loader.exec_module(hostile)
Failure = hostile.Failure


def peer_of(server):
    peer = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    peer.connect(server.address)
    return peer


def drain(peer):
    """Takes what is left of earlier messages, which may have come back twice."""
    while select.select([peer], [], [], 0)[0]:
        peer.recv(65536)


def expect_echo(peer, message):
    drain(peer)
    deadline = time.monotonic() + hostile.PATIENCE_S
    while time.monotonic() < deadline:
        peer.send(message)
        while select.select([peer], [], [], 0.5)[0]:
            if peer.recv(65536) == message:
                return
            raise Failure("other bytes came back")
    raise Failure(f"{len(message)} bytes never came back")


def expect_service(server):
    for index in range(3):
        with peer_of(server) as peer:
            expect_echo(peer, f"hello {index}".encode())


def sizes(server):
    with peer_of(server) as peer:
        for size in (1, 0, 100, 1472, 9000, 65506, 65507):
            expect_echo(peer, os.urandom(size))


def each_its_own(server):
    """Many ask at once, and each gets its own answer and no other."""
    peers = [peer_of(server) for _ in range(500)]
    try:
        waiting = {peer: f"client {index}".encode() for index, peer in enumerate(peers)}
        deadline = time.monotonic() + hostile.PATIENCE_S
        while waiting and time.monotonic() < deadline:
            for peer, message in waiting.items():
                peer.send(message)
            while ready := select.select(list(waiting), [], [], 0.5)[0]:
                for peer in ready:
                    if peer.recv(65536) != waiting.pop(peer):
                        raise Failure("somebody else's bytes came back")
        if waiting:
            raise Failure(f"{len(waiting)} of {len(peers)} get no answer")
    finally:
        for peer in peers:
            peer.close()


def gone_before_the_answer(server):
    """The answers meet nobody, and the kernel says so to the server."""
    for index in range(2000):
        with peer_of(server) as peer:
            peer.send(b"x" * (index % 1000))
    expect_service(server)


def flood(server):
    """More than its buffer takes, of which nobody reads the answers."""
    with peer_of(server) as peer:
        for index in range(20_000):
            try:
                peer.send(b"y" * 1400)
            except OSError:
                # What met the server's end: it is looked for below.
                pass
        expect_service(server)


def garbage(server):
    source = random.Random(3)
    with peer_of(server) as peer:
        for _ in range(1000):
            peer.send(source.randbytes(source.randrange(0, 8000)))
            drain(peer)
    expect_service(server)


def silence(server):
    expect_service(server)
    if (share := server.cpu_share()) >= hostile.CPU_LIMIT:
        raise Failure(f"it uses {share:.0%} of a processor while nothing happens")


def end(server):
    if (code := server.end()) != 0:
        raise Failure(f"exit code {code}")


def main():
    if len(sys.argv) < 2:
        print(__doc__)
        return 64
    try:
        server = hostile.Server(sys.argv[1:])
    except (hostile.NotStarted, OSError) as problem:
        print(f"not started: {problem}")
        return 3
    failed = False
    try:
        for body in (sizes, each_its_own, gone_before_the_answer, flood, garbage, silence, end):
            name, start = body.__name__.replace("_", " "), time.monotonic()
            try:
                body(server)
                print(f"ok      {name} ({time.monotonic() - start:.1f} s)", flush=True)
            except (Failure, OSError) as problem:
                failed = True
                code = server.process.poll()
                fate = "" if code is None else f"; the server ended: {code}"
                print(f"FAILED  {name}: {problem or type(problem).__name__}{fate}", flush=True)
    finally:
        server.kill()
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
