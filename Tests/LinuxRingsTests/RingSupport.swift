import LinuxDescriptors
import LinuxRings
import LinuxSockets
import SystemPackage
import TestSupport
import Testing

/// What io_uring can do here, or why it can do nothing.
private let capabilities = Result { () throws(Errno) in try RingCapabilities.probe() }

/// Whether rings can be made here.
let ringsAvailable = (try? capabilities.get()) != nil
/// Whether multishot and direct accepts work here.
let multishotAvailable = (try? capabilities.get().multishotAccept) == true
/// Whether multishot receives work here.
let multishotReceiveAvailable = (try? capabilities.get().multishotReceive) == true
/// Why tests of rings are skipped.
let whyNoRings: Comment =
    switch capabilities {
    case .success: "multishot accept needs Linux 5.19, multishot receive 6.0"
    case .failure(let error): "io_uring_setup(2) says: \(error)"
    }

/// What a completion said: expectations cannot hold what cannot be copied.
struct Seen: Sendable, Hashable {
    let token: UInt64
    let result: Int32
    let error: Errno?
    let isArmed: Bool
    let bufferIdentifier: UInt16?

    init(_ completion: borrowing Completion) {
        token = completion.token
        result = completion.result
        error = completion.error
        isArmed = completion.isArmed
        bufferIdentifier = completion.bufferIdentifier
    }
}

extension Ring {
    /// The next completion if one is ready.
    mutating func nextSeen() -> Seen? {
        guard let completion = nextCompletion() else { return nil }
        return Seen(completion)
    }

    /// The next completion, waited for.
    mutating func awaited() throws -> Completion {
        let end = ContinuousClock.now + patience
        while true {
            if let completion = nextCompletion() { return completion }
            // The end of a timeout request ends the wait before its completion is there.
            if try !submitAndWait(timeout: patience) && ContinuousClock.now >= end { throw PatienceIsOver() }
        }
    }

    /// The next completion, waited for.
    mutating func completion() throws -> Seen { Seen(try awaited()) }

    /// The next completions, waited for.
    mutating func completions(_ count: Int) throws -> [Seen] {
        var taken: [Seen] = []
        while taken.count < count { taken.append(try completion()) }
        return taken
    }
}

/// The limit of waits that end a broken test.
let patience = Duration.milliseconds(Int64(patienceMilliseconds))

/// A connection from the descriptor that a ring accepted.
func connection(_ number: CInt) throws -> Connection {
    try #require(number >= 0)
    return Connection(owning: OwnedDescriptor(owning: FileDescriptor(rawValue: number)))
}

/// Clients that each send their number and stay connected.
struct Clients: ~Copyable {
    private let descriptors: [FileDescriptor]

    init(_ count: Int, to listener: borrowing Listener) throws {
        var descriptors: [FileDescriptor] = []
        for number in 0..<count {
            let client = try connect(to: listener)
            _ = try client.send([UInt8(number)])
            descriptors.append(client.release().release())
        }
        self.descriptors = descriptors
    }

    deinit {
        for descriptor in descriptors { try? descriptor.close() }
    }
}

/// Two ends of one connection.
struct Pair: ~Copyable {
    let client: Connection
    let server: Connection

    init() throws {
        let listener = try loopbackListener()
        let client = try connect(to: listener)
        let server = try acceptNext(from: listener)
        self.client = client
        self.server = server
    }

    /// Closes the server's end and returns the other.
    consuming func closeServer() throws -> Connection {
        try server.close()
        return client
    }
}
