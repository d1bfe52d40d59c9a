// A server that sends back what it receives, in one thread, with level-triggered epoll: the example of epoll(7).

import Foundation
import LinuxDescriptors
import LinuxReadiness
import LinuxSockets

/// What an event's token says: one of these, or the descriptor of a connection.
let listenerToken = UInt64.max
let inputToken = UInt64.max - 1

func serve() throws {
    let listener = try Listener(.loopback())
    let set = try Epoll()
    let events = EpollEventBuffer(capacity: 64)
    var bytes = [UInt8](repeating: 0, count: 4096)
    try set.add(listener.descriptor, .readable, token: listenerToken)
    print("echoing on \(try listener.address); Return ends it")

    var isRunning = try watchInput(in: set)
    while isRunning {
        let count = try set.wait(into: events)
        for index in 0..<count {
            switch events[index].token {
            case listenerToken: try welcome(from: listener, into: set)
            case inputToken: isRunning = false
            case let number: try serveConnection(CInt(number), in: set, &bytes)
            }
        }
    }
}

/// Watches standard input; false if it is a file or /dev/null, which never make anybody wait.
func watchInput(in set: borrowing Epoll) throws -> Bool {
    do {
        try set.add(.standardInput, .readable, token: inputToken)
        return true
    } catch .notPermitted {
        return false
    }
}

/// Accepts one connection; if more are waiting, the set reports the listener again.
func welcome(from listener: borrowing Listener, into set: borrowing Epoll) throws {
    // nil is no error: the peer may be gone again.
    guard let connection = try listener.accept([]) else { return }
    let number = connection.descriptor.rawValue
    try set.add(connection.descriptor, .readable, token: UInt64(number))
    // From here on the registration stands for the owner.
    _ = connection.release().release()
}

/// Sends back what has arrived on a connection, or closes it when the peer is done or gone.
func serveConnection(_ number: CInt, in set: borrowing Epoll, _ bytes: inout [UInt8]) throws {
    let connection = Connection(owning: OwnedDescriptor(owning: .init(rawValue: number)))
    if echo(connection, &bytes) {
        _ = connection.release().release()
    } else {
        try set.remove(connection.descriptor)
        try connection.close()
    }
}

/// The connection is a blocking one, so a peer that reads nothing holds up the others. A server for strangers would
/// make it nonblocking, keep what did not fit, and watch for `.writable`.
func echo(_ connection: borrowing Connection, _ bytes: inout [UInt8]) -> Bool {
    do {
        var span = bytes.mutableSpan
        var room = span.mutableBytes
        guard let received = try connection.receive(into: &room), received > 0 else { return false }
        var sent = 0
        while sent < received {
            sent += try connection.send(bytes.span.bytes.extracting(sent..<received)) ?? 0
        }
        return true
    } catch {
        return false
    }
}

do {
    try serve()
} catch {
    print("echo-epoll: \(error)")
    exit(1)
}
