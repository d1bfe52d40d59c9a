// A server for strangers that sends back what it receives: one thread, and one io_uring that owns its connections.

import Glibc
import LinuxDescriptors
import LinuxRings
import LinuxSockets

struct EchoServer: ~Copyable {
    var ring: DescriptorRing
    let listener: RingToken
    let input: RingToken?
    let isMultishot: Bool
    var isEnding = false
    /// When to accept again, while descriptors or memory are used up.
    var retry: ContinuousClock.Instant?

    /// Serves until standard input can be read, and then for a second more those whom the kernel has accepted.
    mutating func run() throws {
        if let input { try ring.preparePoll(input, .readable) }
        try accept()
        while !isEnding {
            if let retry { _ = try ring.wait(timeout: retry - .now) } else { try ring.wait() }
            try takeEvents()
            if let retry, retry <= .now { try accept() }
        }
        try ring.drain(listener)
        let end = ContinuousClock.now + .seconds(1)
        while end > .now, try ring.wait(timeout: end - .now) { try takeEvents() }
    }

    mutating func takeEvents() throws {
        while let event = ring.nextEvent() {
            let token = event.token
            switch token {
            case listener: try welcome(event)
            case input: isEnding = true
            default: try serve(event)
            }
        }
    }

    mutating func accept() throws {
        retry = nil
        if !isEnding { try ring.prepareAccept(listener, multishot: isMultishot) }
    }

    /// Takes a connection that was accepted, and sees to it that the next one will be.
    mutating func welcome(_ event: consuming RingEvent) throws {
        let isArmed = event.isArmed
        do {
            let connection = try ring.insert(event.takeDescriptor())
            let receive = try? ring.prepareReceive(connection, into: RequestBuffer(capacity: 4096))
            if receive == nil { try ring.close(connection) }
        } catch {
            // The connection stays in the listener's queue, and an accept would fail again at once.
            if error.isShortage { return retry = .now + .milliseconds(100) }
            let isPassing = error.isOfOneConnection || [.canceled, .interrupted, .wouldBlock].contains(error)
            if !isPassing { throw error }
        }
        if !isArmed { try accept() }
    }

    /// Whatever goes wrong with a connection ends that connection and nothing else.
    mutating func serve(_ event: consuming RingEvent) throws {
        let token = event.token
        if (try? echo(event)) == true { return }
        try? ring.close(token)
        if retry != nil { try accept() }
    }

    /// Sends what the connection's buffer holds, all of it, before it receives more. False after the peer's last byte.
    mutating func echo(_ event: consuming RingEvent) throws -> Bool {
        let token = event.token
        if event.result <= 0 { return false }
        let buffer = event.takeBuffer()
        if buffer.isEmpty {
            try ring.prepareReceive(token, into: buffer)
        } else {
            try ring.prepareSend(token, from: buffer)
        }
        return true
    }
}

/// Standard input; nil if it is a file or /dev/null, which have something to read at any time.
func openInput() -> OwnedDescriptor? {
    var status = stat()
    guard fstat(0, &status) == 0 else { return nil }
    let canWait = [S_IFIFO, S_IFSOCK].contains(status.st_mode & S_IFMT) || isatty(0) == 1
    return canWait ? try? BorrowedDescriptor.standardInput.duplicate() : nil
}

do {
    _ = try DescriptorLimit.raise()
    var ring = try DescriptorRing(entries: 256, completions: 4096)
    let listener = try Listener(.loopback())
    print("echoing on \(try listener.address); Return ends it")
    fflush(nil)
    let token = try ring.insert(listener.release())
    let input = if let input = openInput() { try ring.insert(input) } else { nil as RingToken? }
    let isMultishot = try RingCapabilities.probe().multishotAccept
    var server = EchoServer(ring: ring, listener: token, input: input, isMultishot: isMultishot)
    try server.run()
} catch {
    print("echo-ring: \(error); io_uring may be forbidden or absent here")
    exit(1)
}
