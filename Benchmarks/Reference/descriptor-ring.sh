#!/bin/sh
# What a DescriptorRing costs beside a bare Ring, in user-space instructions counted by callgrind: the numbers of its
# documentation. Builds a program of pairs of loops against this package, and prints a line for each pair.
#
# usage: Benchmarks/Reference/descriptor-ring.sh
# needs: valgrind
set -eu

if ! command -v valgrind >/dev/null; then
    echo "descriptor-ring.sh: valgrind is missing; install it: apt-get install valgrind" >&2
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
            dependencies: [
                .product(name: "LinuxDescriptors", package: "linux-events"),
                .product(name: "LinuxRings", package: "linux-events"),
            ])
    ])
EOF

cat >"$folder/Sources/cost/main.swift" <<'EOF'
import Glibc
import LinuxDescriptors
import LinuxRings

let rounds = 1000

/// What a program does with a completion, kept out of the loops so that they cannot be merged with it.
@inline(never) func handle(_ result: Int32) -> Int32 { result &* 3 }

@inline(never) func onePollRing(_ ring: inout Ring, _ ready: BorrowedDescriptor) throws -> Int32 {
    var sum: Int32 = 0
    for _ in 0..<rounds {
        try ring.preparePoll(ready, .writable, token: 1)
        try ring.submitAndWait()
        while let completion = ring.nextCompletion() { sum &+= handle(completion.result) }
    }
    return sum
}

@inline(never) func onePollDescriptors(_ ring: inout DescriptorRing, _ ready: RingToken) throws -> Int32 {
    var sum: Int32 = 0
    for _ in 0..<rounds {
        try ring.preparePoll(ready, .writable)
        try ring.wait()
        while let event = ring.nextEvent() { sum &+= handle(event.result) }
    }
    return sum
}

@inline(never) func fourPollsRing(_ ring: inout Ring, _ ready: BorrowedDescriptor) throws -> Int32 {
    var sum: Int32 = 0
    for _ in 0..<rounds {
        for token in UInt64(0)..<4 { try ring.preparePoll(ready, .writable, token: token) }
        try ring.submitAndWait(for: 4)
        while let completion = ring.nextCompletion() { sum &+= handle(completion.result) }
    }
    return sum
}

@inline(never) func fourPollsDescriptors(_ ring: inout DescriptorRing, _ ready: RingToken) throws -> Int32 {
    var sum: Int32 = 0
    for _ in 0..<rounds {
        for _ in 0..<4 { try ring.preparePoll(ready, .writable) }
        try ring.wait()
        while let event = ring.nextEvent() { sum &+= handle(event.result) }
    }
    return sum
}

/// One end of a pair of sockets sends a message and the other receives it, over and over from the same memory.
@inline(never) func transferRing(
    _ ring: inout Ring, _ sender: BorrowedDescriptor, _ receiver: BorrowedDescriptor, _ memory: UnsafeMutableRawPointer
) throws -> Int32 {
    var sum: Int32 = 0
    var left = rounds
    try ring.prepareSend(.descriptor(sender), from: memory, count: 64, token: 1)
    while left > 0 {
        try ring.submitAndWait()
        while let completion = ring.nextCompletion() {
            sum &+= handle(completion.result)
            if completion.token == 1 {
                try ring.prepareReceive(.descriptor(receiver), into: memory, count: 64, token: 2)
            } else {
                left -= 1
                try ring.prepareSend(.descriptor(sender), from: memory, count: 64, token: 1)
            }
        }
    }
    return sum
}

@inline(never) func transferDescriptors(
    _ ring: inout DescriptorRing, _ sender: RingToken, _ receiver: RingToken
) throws -> Int32 {
    var sum: Int32 = 0
    var left = rounds
    var buffer = RequestBuffer(capacity: 64)
    _ = buffer.append([UInt8](repeating: 1, count: 64).span.bytes)
    try ring.prepareSend(sender, from: buffer)
    while left > 0 {
        try ring.wait()
        while let event = ring.nextEvent() {
            sum &+= handle(event.result)
            if event.operation == .send {
                try ring.prepareReceive(receiver, into: event.takeBuffer())
            } else {
                left -= 1
                try ring.prepareSend(sender, from: event.takeBuffer())
            }
        }
    }
    return sum
}

/// Messages of 64 bytes, received into buffers that the kernel picks, in eights.
@inline(never) func groupRing(
    _ ring: inout Ring, _ group: inout BufferGroup, _ sender: CInt, _ receiver: BorrowedDescriptor
) throws -> Int32 {
    var sum: Int32 = 0
    try ring.prepareMultishotReceive(.descriptor(receiver), from: 1, token: 2)
    for _ in 0..<rounds / 8 {
        sendEight(sender)
        var left = 8
        while left > 0 {
            try ring.submitAndWait()
            while let completion = ring.nextCompletion() {
                guard let buffer = completion.bufferIdentifier else { continue }
                sum &+= handle(group.contents(of: buffer, count: Int(completion.result)))
                group.recycle(buffer)
                left -= 1
            }
        }
    }
    return sum
}

@inline(never) func groupDescriptors(
    _ ring: inout DescriptorRing, _ buffers: RingBuffers, _ sender: CInt, _ receiver: RingToken
) throws -> Int32 {
    var sum: Int32 = 0
    try ring.prepareReceive(receiver, from: buffers)
    for _ in 0..<rounds / 8 {
        sendEight(sender)
        var left = 8
        while left > 0 {
            try ring.wait()
            while let event = ring.nextEvent() {
                guard event.hasGroupBuffer else { continue }
                sum &+= handle(event.takeGroupBuffer().bytes)
                left -= 1
            }
        }
    }
    return sum
}

/// Datagrams, so that each is a completion.
@inline(never) func sendEight(_ sender: CInt) {
    for _ in 0..<8 { precondition(write(sender, message, 64) == 64) }
}

let message = [UInt8](repeating: 1, count: 64)

@inline(never) func handle(_ bytes: RawSpan) -> Int32 { Int32(bytes.byteCount) &* 3 }

func socketPair(_ kind: CInt) -> [CInt] {
    var ends: [CInt] = [0, 0]
    precondition(socketpair(AF_UNIX, kind, 0, &ends) == 0)
    return ends
}

func socketPair() -> [CInt] {
    var ends: [CInt] = [0, 0]
    precondition(socketpair(AF_UNIX, CInt(SOCK_STREAM.rawValue), 0, &ends) == 0)
    return ends
}

func measure() throws {
    let ends = socketPair()
    let memory = UnsafeMutableRawPointer.allocate(byteCount: 64, alignment: 8)
    var ring = try Ring(entries: 8)
    print(try onePollRing(&ring, BorrowedDescriptor(rawValue: ends[0])))
    print(try fourPollsRing(&ring, BorrowedDescriptor(rawValue: ends[0])))
    print(
        try transferRing(&ring, BorrowedDescriptor(rawValue: ends[0]), BorrowedDescriptor(rawValue: ends[1]), memory))
    let datagrams = socketPair(CInt(SOCK_DGRAM.rawValue))
    var group = BufferGroup(identifier: 1, count: 16, bytes: 64)
    try ring.register(group)
    print(try groupRing(&ring, &group, datagrams[0], BorrowedDescriptor(rawValue: datagrams[1])))

    let others = socketPair()
    var descriptors = DescriptorRing(try Ring(entries: 8))
    let sender = try descriptors.insert(OwnedDescriptor(owning: .init(rawValue: others[0])))
    let receiver = try descriptors.insert(OwnedDescriptor(owning: .init(rawValue: others[1])))
    print(try onePollDescriptors(&descriptors, sender))
    print(try fourPollsDescriptors(&descriptors, sender))
    print(try transferDescriptors(&descriptors, sender, receiver))
    let moreDatagrams = socketPair(CInt(SOCK_DGRAM.rawValue))
    let buffers = try descriptors.addBuffers(count: 16, bytes: 64)
    let drain = try descriptors.insert(OwnedDescriptor(owning: .init(rawValue: moreDatagrams[1])))
    print(try groupDescriptors(&descriptors, buffers, moreDatagrams[0], drain))
}

try measure()
EOF

swift build --package-path "$folder" -c release >"$folder/log" 2>&1 || { cat "$folder/log" >&2; exit 1; }
# Valgrind cannot read all debug information that Swift writes, and needs none of it.
strip -g -o "$folder/program" "$folder/.build/release/cost"

# instructions FUNCTION: what was spent inside FUNCTION, for each of its thousand rounds.
instructions() {
    valgrind --tool=callgrind --toggle-collect="*$1*" --callgrind-out-file="$folder/out" "$folder/program" \
        >"$folder/log" 2>&1 || { cat "$folder/log" >&2; exit 3; }
    awk '/^(summary|totals):/ { total = $2 } END { printf "%.0f\n", total / 1000 }' "$folder/out"
}

# report TITLE FUNCTION
report() {
    ring=$(instructions "$2Ring")
    descriptors=$(instructions "$2Descriptors")
    printf '%-32s Ring %4s  DescriptorRing %4s\n' "$1" "$ring" "$descriptors"
}

report "one poll" onePoll
report "four polls at once" fourPolls
report "send and receive" transfer
report "one of eight datagrams" group
