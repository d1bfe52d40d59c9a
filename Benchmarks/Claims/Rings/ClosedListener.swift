import LinuxDescriptors
import LinuxRings
import LinuxSockets
import SystemPackage

/// A ring with a multishot accept pending on a listener whose only descriptor is closed.
struct ClosedListener: ~Copyable {
    static let token: UInt64 = 1

    var ring: Ring
    let address: SocketAddress
    /// The listener's number, closed.
    let number: BorrowedDescriptor

    init() throws {
        var ring = try Ring(entries: 8)
        let listener = try Listener(.loopback(), [.reuseAddress, .resetOnClose])
        let (address, number) = (try listener.address, listener.descriptor)
        try ring.prepareMultishotAccept(on: number, token: Self.token)
        try ring.submit()
        try listener.close()
        self.ring = ring
        self.address = address
        self.number = number
    }

    /// Takes the completions that are ready, and closes what was accepted; returns how many that were.
    mutating func takeReady(_ other: (borrowing Completion) -> Void = { _ in }) throws -> Int {
        var accepted = 0
        while let completion = ring.nextCompletion() {
            if completion.token == Self.token && completion.result >= 0 {
                accepted += 1
                try completion.takeDescriptor().close()
            } else {
                other(completion)
            }
        }
        return accepted
    }

    /// The same until nothing more completes.
    mutating func takeUntilQuiet(_ other: (borrowing Completion) -> Void = { _ in }) throws -> Int {
        var accepted = 0
        while try ring.submitAndWait(timeout: .nanoseconds(Patience.quietNanoseconds)) {
            accepted += try takeReady(other)
        }
        return accepted
    }
}
