#!/bin/sh
# What an InterestSet costs beside bare Epoll, in user-space instructions counted by callgrind: the numbers of its
# documentation. Builds a program of six loops against this package, and prints a line for each.
#
# usage: Benchmarks/Reference/interest-set.sh
# needs: valgrind
set -eu

if ! command -v valgrind >/dev/null; then
    echo "interest-set.sh: valgrind is missing; install it: apt-get install valgrind" >&2
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
                .product(name: "LinuxReadiness", package: "linux-events"),
            ])
    ])
EOF

cat >"$folder/Sources/cost/main.swift" <<'EOF'
import LinuxDescriptors
import LinuxReadiness

let rounds = 1000

/// What a program does with an event, kept out of the loops so that they cannot be merged with it.
@inline(never) func handle(_ token: UInt64) -> UInt64 { token &* 3 }

@inline(never) func oneEventEpoll(
    _ set: borrowing Epoll, _ events: borrowing EpollEventBuffer, _ counter: borrowing EventFD
) throws -> UInt64 {
    var sum: UInt64 = 0
    for _ in 0..<rounds {
        try counter.add(1)
        for index in 0..<(try set.wait(into: events)) { sum &+= handle(events[index].token) }
        _ = try counter.take()
    }
    return sum
}

@inline(never) func oneEventInterestSet(_ set: inout InterestSet, _ counter: borrowing EventFD) throws -> UInt64 {
    var sum: UInt64 = 0
    for _ in 0..<rounds {
        try counter.add(1)
        _ = try set.wait()
        while let event = set.nextEvent() { sum &+= handle(UInt64(truncatingIfNeeded: event.token.number)) }
        _ = try counter.take()
    }
    return sum
}

@inline(never) func fourEventsEpoll(_ set: borrowing Epoll, _ events: borrowing EpollEventBuffer) throws -> UInt64 {
    var sum: UInt64 = 0
    for _ in 0..<rounds {
        for index in 0..<(try set.wait(into: events)) { sum &+= handle(events[index].token) }
    }
    return sum
}

@inline(never) func fourEventsInterestSet(_ set: inout InterestSet) throws -> UInt64 {
    var sum: UInt64 = 0
    for _ in 0..<rounds {
        _ = try set.wait()
        while let event = set.nextEvent() { sum &+= handle(UInt64(truncatingIfNeeded: event.token.number)) }
    }
    return sum
}

@inline(never) func oneTimedEventEpoll(
    _ set: borrowing Epoll, _ events: borrowing EpollEventBuffer, _ counter: borrowing EventFD
) throws -> UInt64 {
    var sum: UInt64 = 0
    for _ in 0..<rounds {
        try counter.add(1)
        for index in 0..<(try set.wait(into: events, timeout: .milliseconds(100))) { sum &+= handle(events[index].token) }
        _ = try counter.take()
    }
    return sum
}

@inline(never) func oneTimedEventInterestSet(_ set: inout InterestSet, _ counter: borrowing EventFD) throws -> UInt64 {
    var sum: UInt64 = 0
    for _ in 0..<rounds {
        try counter.add(1)
        _ = try set.wait(timeout: .milliseconds(100))
        while let event = set.nextEvent() { sum &+= handle(UInt64(truncatingIfNeeded: event.token.number)) }
        _ = try counter.take()
    }
    return sum
}

func measureOneEvent() throws {
    let counter = try EventFD()
    let events = EpollEventBuffer(capacity: 64)
    let epoll = try Epoll()
    try epoll.add(counter.descriptor, .readable, token: 1)
    print(try oneEventEpoll(epoll, events, counter))
    print(try oneTimedEventEpoll(epoll, events, counter))
    // The set owns what it watches, so it gets a duplicate.
    let owned = counter.release()
    var set = try InterestSet()
    _ = try set.insert(try owned.duplicate(), .readable)
    let duplicate = EventFD(owning: owned)
    print(try oneEventInterestSet(&set, duplicate))
    print(try oneTimedEventInterestSet(&set, duplicate))
}

func measureFourEvents() throws {
    let events = EpollEventBuffer(capacity: 64)
    let epoll = try Epoll()
    var set = try InterestSet()
    for token in 1...4 {
        let counter = try EventFD(count: 1).release()
        try epoll.add(counter.descriptor, .readable, token: UInt64(token))
        _ = try set.insert(try counter.duplicate(), .readable)
        // Kept open: its registration in the bare set ends with it.
        _ = counter.release()
    }
    print(try fourEventsEpoll(epoll, events))
    print(try fourEventsInterestSet(&set))
}

try measureOneEvent()
try measureFourEvents()
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
    epoll=$(instructions "$2Epoll")
    set=$(instructions "$2InterestSet")
    printf '%-32s Epoll %4s  InterestSet %4s\n' "$1" "$epoll" "$set"
}

report "write, wait, one event, read" oneEvent
report "the same, a wait with a limit" oneTimedEvent
report "wait with four events" fourEvents
