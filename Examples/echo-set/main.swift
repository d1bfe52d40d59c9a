// A server for strangers that sends back what it receives: one thread, and one epoll set that owns its connections.

import Glibc
import LinuxDescriptors
import LinuxReadiness
import LinuxSockets

struct EchoServer: ~Copyable {
    var set: InterestSet
    let listener: InterestToken
    /// What slow readers have not taken yet. A connection in here is watched for room to send, and not read.
    var unsent: [InterestToken: [UInt8]] = [:]
    /// When to accept again, while descriptors or memory are used up.
    var retry: ContinuousClock.Instant?

    /// Serves until standard input can be read; until it is killed if that is a file or /dev/null, which have no events.
    mutating func run() throws {
        let input = try? set.insert(BorrowedDescriptor.standardInput.duplicate(), .readable)
        var bytes = [UInt8](repeating: 0, count: 16384)
        while true {
            if let retry { _ = try set.wait(timeout: retry - .now) } else { _ = try set.wait() }
            while let event = set.nextEvent() {
                switch event.token {
                case listener: try welcome()
                case input: return
                case let connection: serve(connection, &bytes)
                }
            }
            if let retry, retry <= .now { acceptAgain() }
        }
    }

    /// Accepts one connection. If more are waiting the set reports the listener again, after others had their turn.
    mutating func welcome() throws {
        guard let descriptor = set.descriptor(of: listener) else { return }
        do {
            guard let connection = try acceptConnection(from: descriptor) else { return }
            // If the kernel cannot watch one more, this one is closed.
            _ = try? set.insert(connection.release(), .readable)
        } catch {
            // An error of one connection took that one out of the queue: the next can be accepted.
            if error.isOfOneConnection { return }
            guard error.isShortage else { throw error }
            // The connection stays in the queue, so that the listener would be reported over and over.
            try set.pause(listener)
            retry = .now + .milliseconds(100)
        }
    }

    mutating func acceptAgain() {
        guard retry != nil else { return }
        retry = (try? set.resume(listener)) == nil ? .now + .milliseconds(100) : nil
    }

    /// Whatever goes wrong with a connection ends that connection and nothing else.
    mutating func serve(_ token: InterestToken, _ bytes: inout [UInt8]) {
        if (try? echo(token, &bytes)) != true {
            unsent[token] = nil
            try? set.close(token)
            acceptAgain()
        }
    }

    /// Sends back what has arrived, or what was left over. False after the peer's last byte.
    mutating func echo(_ token: InterestToken, _ bytes: inout [UInt8]) throws -> Bool {
        if var rest = unsent.removeValue(forKey: token) {
            let sent = try set.send(rest.span.bytes, to: token) ?? 0
            rest.removeFirst(sent)
            if rest.isEmpty { try set.modify(token, .readable) } else { unsent[token] = rest }
            return true
        }
        var span = bytes.mutableSpan
        var room = span.mutableBytes
        guard let count = try set.receive(from: token, into: &room) else { return true }
        if count == 0 { return false }
        let sent = try set.send(bytes.span.bytes.extracting(0..<count), to: token) ?? 0
        if sent < count {
            unsent[token] = Array(bytes[sent..<count])
            try set.modify(token, .writable)
        }
        return true
    }
}

do {
    _ = try DescriptorLimit.raise()
    let listener = try Listener(.loopback())
    print("echoing on \(try listener.address); Return ends it")
    fflush(nil)
    var set = try InterestSet()
    let token = try set.insert(listener.release(), .readable)
    var server = EchoServer(set: set, listener: token)
    try server.run()
} catch {
    print("echo-set: \(error)")
    exit(1)
}
