import LinuxDescriptors
import LinuxReadiness
import SystemPackage

/// A registration that outlives its descriptor number.
///
/// 1. A pipe holds a byte; its read end is added to a set.
/// 2. The read end is duplicated.
/// 3. The number that was registered is closed. The duplicate keeps the open file description alive.
struct Ghost: Scene, ~Copyable {
    static let token: UInt64 = 1

    let epoll: Epoll
    /// The number that was registered, closed since.
    let number: BorrowedDescriptor
    let duplicate: OwnedDescriptor
    private let writeEnd: OwnedDescriptor

    init(token: UInt64 = Self.token) throws(Errno) {
        let epoll = try Epoll()
        let pipe = try Pipe.withByte()
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
}

func removal(of descriptor: BorrowedDescriptor, from epoll: borrowing Epoll) -> String {
    outcome { () throws(Errno) in try epoll.remove(descriptor) }
}

/// The verdict on "nothing helps": holds while the ghost is reported.
@Sendable func ghostPersists(_ observed: Observed) -> ClaimVerdict {
    .init(holds: observed["events_after"].number > 0)
}

@Sendable func ghostIsGone(_ observed: Observed) -> ClaimVerdict { .init(holds: observed["events_after"] == 0) }

func ghostFinding(_ action: String) -> @Sendable (Observed) -> String {
    { "After \(action), \($0["events_after"]) of 10 waits report the closed number." }
}
