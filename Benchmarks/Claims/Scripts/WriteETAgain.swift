import CBenchExtras
import CSocketExtras
import Glibc
import LinuxDescriptors
import LinuxReadiness
import LinuxSockets
import SystemPackage

/// When an edge-triggered registration for reading and writing is told again that it can write.
///
/// 1. The socket of a connection is registered, and its first event, writable, is taken.
/// 2. Ten times it sends 100 bytes, the peer reads them, and all is acknowledged: room was freed each time
///    (`out_after_acks`).
/// 3. Ten times the peer sends 10 bytes: in how many events of their arrival is it writable too (`out_with_arrivals`)?
/// 4. It sends until there is no room, and the peer reads everything, 4096 bytes at a time: how many events of room come
///    in all those reads (`out_after_full`)?
/// 5. Step 2 with a stream socket of this machine, where a read of the peer is what frees room (`unix_out`).
///
/// TCP tells of room only who had found none (`SOCK_NOSPACE`, set by a send or a poll in vain), and only when a third of the
/// buffer is free, once.
let writeETAgain = Experiment(
    id: "write-et-again",
    statement: "edge-triggered, EPOLLOUT comes again with every acknowledgement that frees room",
    source: .expectation, keys: ["acks", "out_after_acks", "reads", "out_after_full"],
    observe: {
        let listener = try ScriptListener()
        let pair = try listener.pair()
        let tcp = try Stream(near: pair.server.descriptor, far: pair.client.descriptor)
        let acks = try tcp.writableEvents(afterSmallSends: rounds)
        let arrivals = try tcp.writableEvents(withArrivals: rounds)
        let full = try tcp.writableEventsAfterFull()
        pair.end()
        let ends = try SocketPair()
        try ends.near.descriptor.setNonblocking(true)
        let local = try Stream(near: ends.near.descriptor, far: ends.far.descriptor)
        let unixOut = try local.writableEvents(afterSmallSends: rounds)
        ends.end()
        return [
            "acks": rounds, "out_after_acks": acks, "reads": full.reads, "out_after_full": full.events,
            "arrivals": rounds, "out_with_arrivals": arrivals, "unix_reads": rounds, "unix_out": unixOut,
        ]
    },
    judge: { observed in
        .init(parts: [
            observed["out_after_acks"] == observed["acks"],
            observed["out_after_full"].number >= 0.9 * observed["reads"].number,
        ])
    },
    explain: { observed in
        let local = observed["unix_out"]
        return "\(observed["out_after_acks"]) of \(observed["acks"]) acknowledgements with room left, and "
            + "\(observed["out_after_full"]) of \(observed["reads"]) reads after the buffer was full, bring EPOLLOUT"
            + (local == .absent ? "" : "; of a UNIX socket \(local) of \(observed["unix_reads"]) reads do")
            + (observed["out_with_arrivals"].number > 0 ? "; data that arrive bring it with EPOLLIN." : ".")
    })

private let rounds = 10

/// A nonblocking socket in a set, and its blocking peer, both borrowed.
private struct Stream: ~Copyable {
    let epoll: Epoll
    let events: EpollEventBuffer
    let near: CInt
    let far: CInt

    init(near: BorrowedDescriptor, far: BorrowedDescriptor) throws {
        let epoll = try Epoll()
        let events = EpollEventBuffer(capacity: 1)
        try epoll.add(near, [.readable, .writable, .edgeTriggered], token: 0)
        guard try epoll.wait(into: events, timeout: .seconds(10)) == 1, events[0].events.contains(.writable) else {
            throw ScriptError("a new connection is not writable")
        }
        (self.near, self.far) = (near.rawValue, far.rawValue)
        self.epoll = epoll
        self.events = events
    }

    /// How many events that say writable come until there are none for a time.
    private func writableEvents(within milliseconds: Int64) throws(Errno) -> Int {
        var count = 0
        while try epoll.wait(into: events, timeout: .milliseconds(milliseconds)) > 0 {
            if events[0].events.contains(.writable) { count += 1 }
        }
        return count
    }

    func writableEvents(afterSmallSends rounds: Int) throws -> Int {
        var count = 0
        for _ in 1...rounds {
            guard try send(from: near, 100) == 100 else { throw ScriptError("send took less than 100") }
            try receive(on: far, atLeast: 100)
            try Patience.until("what was sent is acknowledged") { c_unacknowledged_bytes(near) <= 0 }
            if try writableEvents(within: 5) > 0 { count += 1 }
        }
        return count
    }

    func writableEvents(withArrivals rounds: Int) throws -> Int {
        var count = 0
        for _ in 1...rounds {
            _ = try send(from: far, 10)
            guard try epoll.wait(into: events, timeout: .seconds(10)) == 1 else {
                throw Undecided("what was sent did not arrive within 10 s")
            }
            if events[0].events.contains(.writable) { count += 1 }
            try receive(on: near, atLeast: 10)
        }
        return count
    }

    func writableEventsAfterFull() throws -> (reads: Int, events: Int) {
        var sent = 0
        while let count = try send(from: near, 65_536) { sent += count }
        _ = try writableEvents(within: 0)
        var (read, reads, count) = (0, 0, 0)
        while read < sent {
            guard try awaitReadiness(of: BorrowedDescriptor(rawValue: far), POLLIN) else {
                throw Undecided("what was sent did not arrive within 10 s")
            }
            read += try readOnce(BorrowedDescriptor(rawValue: far), 4096) ?? 0
            reads += 1
            count += try writableEvents(within: 0)
        }
        return (reads, count + (try writableEvents(within: 60)))
    }
}

/// Nil where there is no room.
private func send(from socket: CInt, _ count: Int) throws(Errno) -> Int? {
    let bytes = [UInt8](repeating: 7, count: count)
    return try nonblockingSystemCall { unsafe Glibc.send(socket, bytes, count, CInt(MSG_NOSIGNAL)) }
}

private func receive(on socket: CInt, atLeast least: Int) throws {
    var count = 0
    while count < least {
        guard try awaitReadiness(of: BorrowedDescriptor(rawValue: socket), POLLIN) else {
            throw Undecided("what was sent did not arrive within 10 s")
        }
        count += try readOnce(BorrowedDescriptor(rawValue: socket), 4096) ?? 0
    }
}
