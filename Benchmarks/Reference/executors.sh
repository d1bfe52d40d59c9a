#!/bin/sh
# What await costs beside a bare loop, in user-space instructions for each message that is received and sent back, counted
# by callgrind: the numbers of the documentation of LinuxExecutors. Builds a program of six loops against this package,
# and prints a line for each.
#
# usage: Benchmarks/Reference/executors.sh
# needs: valgrind
set -eu

if ! command -v valgrind >/dev/null; then
    echo "executors.sh: valgrind is missing; install it: apt-get install valgrind" >&2
    exit 64
fi
root=$(cd "$(dirname "$0")/../.." && pwd)
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
mkdir -p "$folder/Sources/cost"

cat >"$folder/Package.swift" <<EOF
// swift-tools-version: 6.2
import PackageDescription

let package = Package(
    name: "cost", dependencies: [.package(name: "linux-events", path: "$root")],
    targets: [
        .executableTarget(
            name: "cost",
            dependencies: ["LinuxDescriptors", "LinuxExecutors", "LinuxReadiness", "LinuxRings", "LinuxSockets"].map {
                .product(name: \$0, package: "linux-events")
            })
    ],
    swiftLanguageModes: [.v6])
EOF

cat >"$folder/Sources/cost/main.swift" <<'EOF'
import Glibc
import LinuxDescriptors
import LinuxExecutors
import LinuxReadiness
import LinuxRings
import LinuxSockets

// A message of 64 bytes goes from one end of a pair of sockets to the other and back. The client's end is the same in all
// loops: two calls that do not wait.

let rounds = Int(CommandLine.arguments[2])!

struct Client: @unchecked Sendable {
    let number: CInt
    let memory = UnsafeMutableRawPointer.allocate(byteCount: 64, alignment: 8)

    func ask() { precondition(send(number, memory, 64, 0) == 64) }
    func take() { precondition(recv(number, memory, 64, 0) == 64) }
}

/// Both ends of a TCP connection on this machine.
func connectedPair() throws -> (Client, CInt) {
    let listener = try Listener(.loopback())
    let client = try StreamSocket(for: .loopback(), .blocking).connect(to: listener.address)
    var entry = pollfd(fd: listener.descriptor.rawValue, events: Int16(POLLIN), revents: 0)
    poll(&entry, 1, -1)
    let server = try listener.accept([])!
    return (Client(number: client.release().release().rawValue), server.release().release().rawValue)
}

func ring(_ client: Client, _ server: CInt) throws {
    var ring = try Ring.forThisThread(entries: 8)
    let memory = UnsafeMutableRawPointer.allocate(byteCount: 4096, alignment: 8)
    let file = RequestFile.descriptor(BorrowedDescriptor(rawValue: server))
    for _ in 0..<rounds {
        client.ask()
        try ring.prepareReceive(file, into: memory, count: 4096, token: 1)
        var left = 1
        while left >= 0 {
            try ring.submitAndWait()
            while let completion = ring.nextCompletion() {
                left -= 1
                if completion.token == 1 {
                    try ring.prepareSend(file, from: memory, count: Int(completion.result), token: 2)
                }
            }
        }
        client.take()
    }
}

func set(_ client: Client, _ server: CInt) throws {
    let set = try Epoll()
    let events = EpollEventBuffer(capacity: 64)
    let descriptor = BorrowedDescriptor(rawValue: server)
    try set.add(descriptor, .readable, token: 1)
    var bytes = [UInt8](repeating: 0, count: 4096)
    for _ in 0..<rounds {
        client.ask()
        for _ in 0..<(try set.wait(into: events)) {
            var span = bytes.mutableSpan
            var raw = span.mutableBytes
            let count = try descriptor.receive(into: &raw, waiting: false) ?? 0
            _ = try descriptor.send(bytes.span.bytes.extracting(0..<count), waiting: false)
        }
        client.take()
    }
}

func echo(_ client: Client, _ server: CInt, _ executor: some EventExecutor) async throws {
    let owned = OwnedDescriptor(owning: .init(rawValue: server))
    let connection = try AsyncConnection(Connection(owning: owned), on: executor)
    var bytes = [UInt8](repeating: 0, count: 4096)
    for _ in 0..<rounds {
        client.ask()
        let count = try await connection.receive(into: &bytes)
        try await connection.sendAll(bytes.span.bytes.extracting(0..<count))
        client.take()
    }
}

func begin(_ client: Client, _ server: CInt, _ executor: some EventExecutor) {
    Task(executorPreference: executor) {
        try! await echo(client, server, executor)
        executor.beginShutdown()
    }
}

/// An actor that has moved in, and is called by a task without a preference.
actor Echoer {
    let executor: any EventExecutor
    init(_ e: any EventExecutor) { executor = e }

    nonisolated var unownedExecutor: UnownedSerialExecutor { executor.unownedSerialExecutor }

    func start(_ client: Client, _ server: CInt) { Task { try! await self.run(client, server) } }

    func run(_ client: Client, _ server: CInt) async throws {
        func go(_ executor: some EventExecutor) throws -> AsyncConnection {
            let owned = OwnedDescriptor(owning: .init(rawValue: server))
            return try AsyncConnection(Connection(owning: owned), on: executor)
        }
        let connection = try go(executor)
        var bytes = [UInt8](repeating: 0, count: 4096)
        for _ in 0..<rounds {
            client.ask()
            let count = try await connection.receive(into: &bytes)
            try await connection.sendAll(bytes.span.bytes.extracting(0..<count))
            client.take()
        }
        executor.beginShutdown()
    }
}

func kick(_ echoer: Echoer, _ client: Client, _ server: CInt) { echoer.assumeIsolated { $0.start(client, server) } }

func beginActor(_ client: Client, _ server: CInt, _ executor: some EventExecutor) {
    let echoer = Echoer(executor)
    Task(executorPreference: executor) { kick(echoer, client, server) }
}

let (client, server) = try connectedPair()
switch CommandLine.arguments[1] {
case "ring": try ring(client, server)
case "set": try set(client, server)
case "await-ring": try RingExecutor.runOnThisThread { begin(client, server, $0) }
case "actor-ring": try RingExecutor.runOnThisThread { beginActor(client, server, $0) }
case "actor-set": try SetExecutor.runOnThisThread { beginActor(client, server, $0) }
default: try SetExecutor.runOnThisThread { begin(client, server, $0) }
}
EOF

swift build --package-path "$folder" -c release >"$folder/log" 2>&1 || { cat "$folder/log" >&2; exit 1; }
# Valgrind cannot read all debug information that Swift writes, and needs none of it.
strip -g -o "$folder/program" "$folder/.build/release/cost"

# total LOOP ROUNDS: all instructions of a run.
total() {
    valgrind --tool=callgrind --callgrind-out-file="$folder/out" "$folder/program" "$1" "$2" \
        >"$folder/log" 2>&1 || { cat "$folder/log" >&2; exit 3; }
    awk '/^(summary|totals):/ { total = $2 } END { print total }' "$folder/out"
}

for loop in ring await-ring actor-ring set await-set actor-set; do
    few=$(total $loop 1000)
    many=$(total $loop 3000)
    echo "$loop $(((many - few) / 2000))"
done
