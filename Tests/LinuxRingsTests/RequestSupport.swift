import LinuxDescriptors
import LinuxRings
import LinuxSockets
import SystemPackage
import TestSupport
import Testing

/// What the requests of this kernel can do; nothing where rings cannot be made.
private let capabilities = try? RingCapabilities.probe()

/// Whether this kernel has what a test needs.
func canDo(_ capability: any KeyPath<RingCapabilities, Bool> & Sendable) -> Bool {
    capabilities?[keyPath: capability] ?? false
}

/// Why a test that asks ``canDo(_:)`` is skipped.
let whyNot: Comment = "this kernel's io_uring does not have it"

/// Something that can be read at once and for ever.
struct Ready: ~Copyable {
    private let pipe: Pipe

    init() throws {
        let pipe = try Pipe()
        try pipe.write()
        self.pipe = pipe
    }

    var descriptor: BorrowedDescriptor { pipe.reader }
}

extension Ring {
    /// Queues a request that fails at once, with `ENOENT`.
    mutating func prepareFailure(_ flags: EntryFlags = [], token: UInt64) throws(Errno) {
        try prepareCancel(target: 0xdead_beef, flags, token: token)
    }

    /// How the next requests end, by token.
    mutating func errors(_ count: Int) throws -> [UInt64: Errno?] {
        Dictionary(uniqueKeysWithValues: try completions(count).map { ($0.token, $0.error) })
    }

    /// Whether a request of its own is the only one to complete.
    mutating func isQuiet() throws -> Bool {
        try prepareFailure(token: 0xfeed)
        guard try completion().token == 0xfeed else { return false }
        return try !submitAndWait(timeout: .zero)
    }
}

/// A name that no other socket has.
func abstractAddress(_ name: String) throws -> SocketAddress {
    try .unix(abstractName: "requests-\(name)-\(UInt64.random(in: 0 ... .max))")
}
