import CSocketExtras
import Glibc
import LinuxDescriptors
import LinuxRings
import LinuxSockets
import SystemPackage
import TestSupport
import Testing

/// True where io_uring can be used, and accepts and cancels as these tests need.
private let isRingThere = (try? RingCapabilities.probe())?.multishotAccept ?? false

/// Closing through a ring ends what is pending first.
@Suite(.enabled(if: isRingThere, "io_uring is absent or forbidden here")) struct DescriptorRingTests {
    @Test func closingAListenerEndsListening() throws {
        let ring = try TestRing()
        let listener = try Listener(.loopback(), [.reuseAddress, .resetOnClose])
        let address = try listener.address
        let token = try ring.base.insert(listener.release())
        try ring.base.prepareAccept(token)
        #expect(try !ring.base.wait(timeout: .nanoseconds(1)))
        try ring.base.close(token)
        // A process that another test starts has a copy of every descriptor until its `execve`.
        var isRefused = false
        for _ in 0..<10_000 where !isRefused {
            isRefused =
                outcome { () throws(Errno) in
                    _ = try StreamSocket(for: address, .blocking).connect(to: address)
                } == .connectionRefused
            // The kernel ends the listener in its own time and tells nobody.
            if !isRefused { usleep(1000) }
        }
        #expect(isRefused)
    }

    @Test func closingAConnectionSendsTheEndOfTheStream() throws {
        let ring = try TestRing()
        let ends = try SocketPair()
        let token = try ring.base.insert(ends.takeFirst())
        try ring.base.prepareReceive(token, into: RequestBuffer(capacity: 8))
        #expect(try !ring.base.wait(timeout: .nanoseconds(1)))
        try ring.base.close(token)
        var byte: UInt8 = 0
        #expect(read(ends.second, &byte, 1) == 0)
    }

    @Test func completionsOfOthersAreKeptWhileOneIsClosed() throws {
        let ring = try TestRing()
        let quiet = try SocketPair()
        let busy = try SocketPair()
        let quietToken = try ring.base.insert(quiet.takeFirst())
        let busyToken = try ring.base.insert(busy.takeFirst())
        try ring.base.preparePoll(quietToken, .readable)
        try ring.base.preparePoll(busyToken, .readable)
        #expect(try !ring.base.wait(timeout: .nanoseconds(1)))
        #expect(write(busy.second, "x", 1) == 1)
        try ring.base.close(quietToken)
        try ring.base.wait()
        let event = ring.next()
        #expect(event?.token == busyToken && event?.operation == .poll)
        #expect(ring.next() == nil)
    }

    @Test func connectionsThatCameTooLateAreClosed() throws {
        let ring = try TestRing()
        let listener = try Listener(.loopback())
        let address = try listener.address
        let token = try ring.base.insert(listener.release())
        try ring.base.prepareAccept(token)
        #expect(try !ring.base.wait(timeout: .nanoseconds(1)))
        let client = try StreamSocket(for: address, .blocking).connect(to: address)
        try ring.base.close(token)
        #expect(ring.next() == nil)
        var byte: UInt8 = 0
        // The end of the stream if it had been accepted, a reset if it had not.
        #expect(recv(client.descriptor.rawValue, &byte, 1, 0) <= 0)
        try client.close()
    }

    /// The requests are cancelled although their number names another file by now.
    @Test func aNumberThatWasTakenAwayIsGivenUp() throws {
        let ring = try TestRing()
        let ends = try SocketPair()
        let token = try ring.base.insert(ends.takeFirst())
        for _ in 1...3 { try ring.base.prepareReceive(token, into: RequestBuffer(capacity: 8)) }
        try ring.base.preparePoll(token, .readable, multishot: true)
        #expect(try !ring.base.wait(timeout: .nanoseconds(1)))
        let other = try SocketPair()
        let number = ring.base.descriptor(of: token)!.rawValue
        #expect(dup2(other.second, number) == number)
        defer { close(number) }
        #expect(throws: Errno.badFileDescriptor) { try ring.base.close(token) }
        #expect(ring.base.count == 0 && isOpen(BorrowedDescriptor(rawValue: number)))
        // Nothing holds the first file any more.
        var byte: UInt8 = 0
        #expect(read(ends.second, &byte, 1) == 0)
        _ = other.takeFirst()
    }

    @Test func requestsOfAnotherTokenOfTheSameFileGoOn() throws {
        let ring = try TestRing()
        let ends = try SocketPair()
        let one = ends.takeFirst()
        let other = try one.duplicate()
        let token = try ring.base.insert(one)
        let otherToken = try ring.base.insert(other)
        try ring.base.preparePoll(token, .readable)
        try ring.base.preparePoll(otherToken, .readable)
        #expect(try !ring.base.wait(timeout: .nanoseconds(1)))
        try ring.base.close(token)
        #expect(ring.next() == nil)
        #expect(write(ends.second, "x", 1) == 1)
        try ring.base.wait()
        let event = ring.next()
        #expect(event?.token == otherToken && event?.error == nil)
    }

    @Test func aTokenEndsWithItsDescriptor() throws {
        let ring = try TestRing()
        let ends = try SocketPair()
        let first = try ring.base.insert(ends.takeFirst())
        let descriptor = try ring.base.remove(first)
        #expect(throws: Errno.noSuchFileOrDirectory) { try ring.base.preparePoll(first, .readable) }
        #expect(throws: Errno.noSuchFileOrDirectory) { try ring.base.close(first) }
        let second = try ring.base.insert(descriptor)
        #expect(second.index == first.index && second != first)
        #expect(ring.base.descriptor(of: first) == nil && ring.base.descriptor(of: second) != nil)
    }

    @Test func requestsCanBeQueuedAgainAfterTheirEnd() throws {
        let ring = try TestRing()
        let ends = try SocketPair()
        let token = try ring.base.insert(ends.takeFirst())
        for _ in 0..<3 {
            try ring.base.preparePoll(token, .readable)
            #expect(write(ends.second, "x", 1) == 1)
            try ring.base.wait()
            let event = ring.next()
            #expect(event?.token == token && event?.isArmed == false)
        }
        // Nothing is pending, so closing waits for nothing.
        try ring.base.closeAll()
        #expect(ring.base.count == 0)
    }

    /// The child of a fork cannot use the ring, and takes nothing from its parent.
    @Test func aChildCannotUseTheRing() async {
        await #expect(processExitsWith: .success) {
            let ring = try TestRing()
            let ends = try SocketPair()
            let token = try ring.base.insert(ends.takeFirst())
            try ring.base.preparePoll(token, .readable)
            precondition(write(ends.second, "x", 1) == 1)
            try ring.base.wait()
            let child = forkProcess()
            if child == 0 {
                let isRefused = outcome { () throws(Errno) in try ring.base.wait() } == .staleNFSFileHandle
                let isRefusedToo =
                    outcome { () throws(Errno) in try ring.base.preparePoll(token, .readable) } == .staleNFSFileHandle
                let isSilent = ring.next() == nil && !ring.base.isUsable
                let isNotClosed = outcome { () throws(Errno) in try ring.base.closeAll() } == .staleNFSFileHandle
                _exit(isRefused && isRefusedToo && isSilent && isNotClosed ? 0 : 1)
            }
            var status: CInt = 0
            while waitpid(child, &status, 0) < 0 && errno == EINTR {}
            precondition(status == 0, "the child could use its parent's ring")
            precondition(ring.next()?.token == token, "the child took a completion")
            try ring.base.closeAll()
        }
    }
}

/// What an event said.
struct SeenEvent {
    let token: RingToken
    let operation: RingOperation
    let result: Int32
    let error: Errno?
    let isArmed: Bool

    init(_ event: borrowing RingEvent) {
        token = event.token
        operation = event.operation
        result = event.result
        error = event.error
        isArmed = event.isArmed
    }
}

/// A descriptor ring behind a reference, because expectations cannot hold what cannot be copied.
final class TestRing {
    var base: DescriptorRing

    init(entries: UInt32 = 8) throws(Errno) { base = DescriptorRing(try Ring(entries: entries)) }

    init(_ ring: consuming Ring) { base = DescriptorRing(ring) }

    init(_ ring: consuming DescriptorRing) { base = ring }

    /// The next event, whose connection or buffer ends with it.
    func next() -> SeenEvent? {
        guard let event = base.nextEvent() else { return nil }
        return SeenEvent(event)
    }

    /// The next event, waited for.
    func awaited() throws -> RingEvent {
        while true {
            if let event = base.nextEvent() { return event }
            if try !base.wait(timeout: patience) { throw PatienceIsOver() }
        }
    }
}

/// Two connected sockets; the second is closed at the end.
final class SocketPair {
    private let first: CInt
    let second: CInt

    init() throws(Errno) {
        var ends: [CInt] = [0, 0]
        _ = try systemCall { socketpair(AF_UNIX, CInt(SOCK_STREAM.rawValue) | CInt(SOCK_CLOEXEC.rawValue), 0, &ends) }
        first = ends[0]
        second = ends[1]
    }

    /// Gives the first away; to be called once.
    func takeFirst() -> OwnedDescriptor { OwnedDescriptor(owning: FileDescriptor(rawValue: first)) }

    deinit { close(second) }
}

private func outcome(_ body: () throws(Errno) -> Void) -> Errno? {
    do throws(Errno) {
        try body()
        return nil
    } catch {
        return error
    }
}

/// `fork(2)`, which Glibc's module withholds: for children that do little in processes that have one thread.
func forkProcess() -> pid_t {
    typealias Fork = @convention(c) () -> pid_t
    return unsafeBitCast(dlsym(nil, "fork"), to: Fork.self)()
}
