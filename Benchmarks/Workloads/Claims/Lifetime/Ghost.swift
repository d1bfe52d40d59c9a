import LinuxDescriptors
import LinuxReadiness
import SystemPackage

/// A registration that outlives its descriptor number.
///
/// 1. A pipe holds a byte; its read end is put into a set.
/// 2. The read end is duplicated.
/// 3. The number that was registered is closed. The duplicate keeps the open file description alive.
struct Ghost: ~Copyable {
    /// What the ghost's events carry.
    static let token: UInt64 = 1

    let epoll: Epoll
    /// The number that was registered, closed since.
    let number: BorrowedDescriptor
    let duplicate: OwnedDescriptor
    private let writeEnd: OwnedDescriptor

    init(token: UInt64 = Self.token) throws(Errno) {
        let epoll = try Epoll()
        let pipe = try Pipe()
        try pipe.writeByte()
        try epoll.add(pipe.readEnd.descriptor, .readable, token: token)
        let duplicate = try pipe.readEnd.duplicate()
        let number = pipe.readEnd.descriptor
        let writeEnd = try pipe.closeReadEnd()
        self.number = number
        self.writeEnd = writeEnd
        self.epoll = epoll
        self.duplicate = duplicate
    }

    /// How many of ten waits report the ghost.
    func events() throws(Errno) -> Int { try epoll.eventfulWaits(token: Self.token) }

    /// Closes the set; what the registration stood for stays open.
    consuming func closeSet() throws(Errno) -> Remains {
        try epoll.close()
        return Remains(duplicate: duplicate, writeEnd: writeEnd)
    }

    /// What is left of a ghost whose set is closed.
    struct Remains: ~Copyable {
        let duplicate: OwnedDescriptor
        fileprivate let writeEnd: OwnedDescriptor

        /// Closes both. Without it, they would be closed after their last use.
        consuming func end() {}
    }

    /// Ends it all. Without it, descriptors would be closed after their last use.
    consuming func end() {}
}

extension Pipe {
    /// Closes the read end and returns the other.
    consuming func closeReadEnd() throws(Errno) -> OwnedDescriptor {
        try readEnd.close()
        return writeEnd
    }
}

/// The verdict on "nothing helps": holds while the ghost is reported.
func ghostPersists(_ observed: Observed) -> ClaimVerdict {
    (observed.integer("events_after") ?? 0) > 0 ? .holds : .doesNotHold
}

/// The verdict on "this helps".
func ghostIsGone(_ observed: Observed) -> ClaimVerdict {
    observed.integer("events_after") == 0 ? .holds : .doesNotHold
}

/// The sentence for `events_after`.
func ghostFinding(_ deed: String) -> @Sendable (Observed) -> String {
    { "After \(deed), \($0["events_after"] ?? "") of 10 waits report the closed number." }
}
