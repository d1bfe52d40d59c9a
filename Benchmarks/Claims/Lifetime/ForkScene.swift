import Glibc
import LinuxDescriptors
import LinuxReadiness
import SystemPackage

/// The fork scenario, step by step.
///
/// 1. A socket, number n, is connecting; the parent waits for it to become writable.
/// 2. The process forks; the child holds the socket and, contrary to the statement, the set too.
/// 3. The parent gives up and closes n.
/// 4. It makes a new socket, number n again, which is connecting too, and waits for it.
/// 5. The old socket, alive in the child, connects.
/// 6. Which events does the parent get?
struct ForkScene: Scene, ~Copyable {
    static let oldToken: UInt64 = 1
    static let newToken: UInt64 = 2
    /// What the child holds, by index.
    static let (socket, set): (UInt8, UInt8) = (0, 1)

    let epoll: Epoll
    let child: ForkedHolder
    let newSocket: OwnedDescriptor
    private var oldListener: FullListener
    private var newListener: FullListener

    /// Steps 1 to 4. `prepare` and `resume` run in the parent before and after the fork.
    init(
        prepare: (borrowing Epoll, BorrowedDescriptor) throws(Errno) -> Void = { (_, _) throws(Errno) in },
        resume: (borrowing Epoll, BorrowedDescriptor, borrowing ForkedHolder) throws -> Void = { _, _, _ in }
    ) throws {
        let oldListener = try FullListener()
        let newListener = try FullListener()
        let epoll = try Epoll()
        let old = try oldListener.beginConnect()
        let number = old.descriptor
        try epoll.add(number, .writable, token: Self.oldToken)
        try prepare(epoll, number)
        let child = try ForkedHolder(keeping: [number, epoll.descriptor])
        try resume(epoll, number, child)
        try old.close()
        let new = try move(try newListener.beginConnect(), to: number.rawValue)
        try epoll.add(new.descriptor, .writable, token: Self.newToken)
        self.epoll = epoll
        self.child = child
        newSocket = new
        self.oldListener = oldListener
        self.newListener = newListener
    }

    /// Step 5.
    mutating func oldSocketConnects() throws { try oldListener.letConnect() }

    mutating func newSocketConnects() throws { try newListener.letConnect() }

    /// How many of ten waits report the old socket.
    func ghosts(in waits: Int = 10) throws(Errno) -> Int {
        try epoll.eventfulWaits(of: waits, token: Self.oldToken)
    }
}
