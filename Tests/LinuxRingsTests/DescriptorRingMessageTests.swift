import Glibc
import LinuxDescriptors
import Synchronization
import SystemPackage
import TestSupport
import Testing

@testable import LinuxRings

/// True where rings can send messages.
private let ringsCanTalk = (try? RingCapabilities.probe())?.messageRing ?? false

/// Messages from ring to ring, told apart from strays.
@Suite(.enabled(if: ringsCanTalk, "io_uring is absent here or older than Linux 5.18"))
struct DescriptorRingMessageTests {
    @Test func aMessageIsAnEventOfItsOwn() throws {
        let (receiver, sender) = (try TestRing(), try TestRing())
        let peer = try sender.base.insert(peer: receiver.base.address())
        for value: Int32 in [0, 1, 42, .max] {
            try sender.base.prepareMessage(peer, value)
            let sent = SeenEvent(try sender.awaited())
            #expect(sent.operation == .post && sent.result == 0 && sent.token == peer.token && !sent.isArmed)
            let received = SeenEvent(try receiver.awaited())
            #expect(received.operation == .message && received.result == value)
            #expect(received.token == receiver.base.ownToken && received.isArmed && received.error == nil)
        }
        #expect(receiver.base.foreignCompletions == 0 && receiver.next() == nil)
        #expect(receiver.base.descriptor(of: receiver.base.ownToken) == nil)
        #expect(throws: Errno.noSuchFileOrDirectory) { try receiver.base.close(receiver.base.ownToken) }
    }

    /// The receiver sleeps between them.
    @Test func messagesWakeAThreadAndKeepTheirOrder() throws {
        let box = Handover<RingAddress>()
        let thread = TestThread { () throws -> [Int32] in
            let ring = TestRing(try Ring.forThisThread(entries: 8))
            box.put(try ring.base.address())
            var values: [Int32] = []
            while values.count < 1000 { values.append(SeenEvent(try ring.awaited()).result) }
            return values
        }
        let sender = try TestRing()
        let peer = try sender.base.insert(peer: box.take())
        for value in Int32(0)..<1000 {
            try sender.base.prepareMessage(peer, value)
            let sent = SeenEvent(try sender.awaited())
            #expect(sent.result == 0)
        }
        #expect(try thread.join() == Array(0..<1000))
    }

    @Test(arguments: [0, 1, 1 << 62, 1 << 63, 0xbfff_ffff_ffff_ffff] as [UInt64])
    func aStrayIsNoMessage(_ token: UInt64) throws {
        let plain = try Ring(entries: 8)
        let target = plain.descriptor
        let receiver = TestRing(plain)
        _ = try receiver.base.address()
        var sender = try Ring(entries: 8)
        try sender.prepareMessage(to: target, messageToken: token, token: 1)
        #expect(try sender.completion().error == nil)
        #expect(try !receiver.base.wait(timeout: .milliseconds(1)))
        #expect(receiver.next() == nil && receiver.base.foreignCompletions == 1)
    }

    @Test func messagesArriveAlthoughTheQueueIsFull() throws {
        let receiver = TestRing(try Ring(entries: 1, completions: 2))
        let sender = try TestRing()
        let peer = try sender.base.insert(peer: receiver.base.address())
        for value in Int32(0)..<50 {
            try sender.base.prepareMessage(peer, value)
            #expect(SeenEvent(try sender.awaited()).result == 0)
        }
        var values: [Int32] = []
        while values.count < 50 { values.append(SeenEvent(try receiver.awaited()).result) }
        #expect(values == Array(0..<50))
    }

    @Test func messagesAreKeptWhileSomethingIsCancelled() throws {
        let (receiver, sender) = (try TestRing(), try TestRing())
        let peer = try sender.base.insert(peer: receiver.base.address())
        let ends = try SocketPair()
        let token = try receiver.base.insert(ends.takeFirst())
        try receiver.base.preparePoll(token, .readable)
        try sender.base.prepareMessage(peer, 5)
        #expect(SeenEvent(try sender.awaited()).result == 0)
        try receiver.base.close(token)
        #expect(try receiver.base.wait(timeout: .zero))
        let event = receiver.next()
        #expect(event?.operation == .message && event?.result == 5)
    }

    @Test func aReceiverThatEndedIsKnown() throws {
        var receiver: TestRing? = try TestRing()
        let sender = try TestRing()
        let address = try receiver!.base.address()
        let second = try sender.base.insert(peer: address.duplicate())
        let peer = try sender.base.insert(peer: address)
        try sender.base.prepareMessage(peer)
        receiver = nil
        #expect(throws: Errno.brokenPipe) { try sender.base.prepareMessage(peer) }
        #expect(throws: Errno.brokenPipe) { try sender.base.prepareMessage(second) }
        // What was queued before reaches the queue that nobody reads.
        #expect(SeenEvent(try sender.awaited()).operation == .post)
        try sender.base.closeAll()
        #expect(throws: Errno.noSuchFileOrDirectory) { try sender.base.prepareMessage(peer) }
    }

    @Test func aPeerOfAnotherRingIsUnknown() throws {
        let (receiver, sender, other) = (try TestRing(), try TestRing(), try TestRing())
        let peer = try sender.base.insert(peer: receiver.base.address())
        #expect(throws: Errno.noSuchFileOrDirectory) { try other.base.prepareMessage(peer) }
        #expect(sender.base.tokens == [peer.token])
        try sender.base.close(peer.token)
        #expect(sender.base.count == 0)
    }

    /// A queued message ends with its peer, and is not sent to what has the number next.
    @Test func aQueuedMessageEndsWithItsPeer() throws {
        let (receiver, sender) = (try TestRing(), try TestRing())
        let peer = try sender.base.insert(peer: receiver.base.address())
        try sender.base.prepareMessage(peer, 1)
        try sender.base.close(peer.token)
        #expect(sender.next() == nil)
        #expect(try receiver.base.wait(timeout: .zero))
        #expect(receiver.next()?.result == 1)
    }

    @Test func aMessageBelowZeroIsAMistake() async {
        await #expect(processExitsWith: .failure) {
            let (receiver, sender) = (try TestRing(), try TestRing())
            let peer = try sender.base.insert(peer: receiver.base.address())
            try sender.base.prepareMessage(peer, -1)
        }
    }

    @Test func aKernelWithoutThemIsNamed() throws {
        let (receiver, sender) = (try TestRing(), try TestRing())
        let address = Handover<RingAddress>()
        address.put(try receiver.base.address())
        receiver.base.operations = []
        sender.base.operations = []
        #expect(throws: Errno.notSupported) { _ = try receiver.base.address() }
        #expect(throws: Errno.notSupported) { try sender.base.insert(peer: address.take()) }
        #expect(sender.base.count == 0)
    }
}

/// Wakes from threads that have no ring.
@Suite(.enabled(if: ringsAvailable, whyNoRings)) struct RingWakerTests {
    @Test func aWakeIsAnEvent() throws {
        let ring = try TestRing()
        let waker = try ring.base.makeWaker()
        for _ in 0..<10 {
            #expect(try !ring.base.wait(timeout: .zero))
            try waker.wake()
            let event = SeenEvent(try ring.awaited())
            #expect(event.operation == .wake && event.result == 1 && event.isArmed && event.error == nil)
            #expect(event.token == ring.base.ownToken)
        }
        #expect(ring.next() == nil && ring.base.foreignCompletions == 0)
    }

    @Test func manyWakesBecomeOne() throws {
        let ring = try TestRing()
        let one = try ring.base.makeWaker()
        let two = try ring.base.makeWaker()
        let three = try one.duplicate()
        try one.wake()
        try two.wake()
        try three.wake()
        #expect(try ring.total(3) <= 3)
        #expect(try !ring.base.wait(timeout: .zero))
    }

    /// Eight threads that only wake, and a ring that sleeps in between: all are counted.
    @Test func noWakeIsLost() throws {
        let ring = TestRing(try Ring.forThisThread(entries: 8))
        let threads = try (0..<8).map { _ in
            let waker = Handover<RingWaker>()
            waker.put(try ring.base.makeWaker())
            return TestThread {
                let waker = try waker.take()
                for _ in 0..<1000 { try waker.wake() }
            }
        }
        _ = try ring.total(8000)
        for thread in threads { try thread.join() }
        #expect(try !ring.base.wait(timeout: .milliseconds(1)))
    }

    @Test func nobodyElseHasTheCounter() throws {
        let ring = try TestRing()
        let waker = try ring.base.makeWaker()
        #expect(ring.base.count == 0 && ring.base.tokens == [])
        try ring.base.closeAll()
        try waker.wake()
        #expect(try ring.total(1) == 1)
        #expect(throws: Errno.noSuchFileOrDirectory) { try ring.base.cancel(.wake, on: ring.base.ownToken) }
    }

    @Test func wakesAreKeptWhileSomethingIsCancelled() throws {
        let ring = try TestRing()
        let waker = try ring.base.makeWaker()
        let ends = try SocketPair()
        let token = try ring.base.insert(ends.takeFirst())
        try ring.base.preparePoll(token, .readable)
        #expect(try !ring.base.wait(timeout: .zero))
        try waker.wake()
        try ring.base.close(token)
        #expect(ring.next()?.operation == .wake)
        try waker.wake()
        #expect(try ring.total(1) == 1)
    }

    /// The queue of submissions is full whenever the counter is to be read again.
    @Test func aFullQueueDoesNotEndTheWakes() throws {
        let ring = TestRing(try Ring(entries: 1, completions: 2))
        let waker = try ring.base.makeWaker()
        let ends = try SocketPair()
        let token = try ring.base.insert(ends.takeFirst())
        for _ in 0..<20 {
            try waker.wake()
            let wake = SeenEvent(try ring.awaited())
            #expect(wake.operation == .wake && wake.result == 1)
            try ring.base.preparePoll(token, .writable)
            #expect(SeenEvent(try ring.awaited()).operation == .poll)
        }
    }

    @Test(arguments: [false, true]) func aWakerMayOutliveTheRing(isWoken: Bool) throws {
        var ring: TestRing? = try TestRing()
        let waker = try ring!.base.makeWaker()
        if isWoken { try waker.wake() }
        ring = nil
        try waker.wake()
    }

    @Test func itTakesNoMessages() throws {
        let ring = try TestRing()
        ring.base.operations = []
        let waker = try ring.base.makeWaker()
        try waker.wake()
        #expect(try ring.total(1) == 1)
    }

    /// The child can wake its parent, and not itself.
    @Test func aChildWakesItsParent() async {
        await #expect(processExitsWith: .success) {
            let ring = try TestRing()
            let waker = try ring.base.makeWaker()
            let child = forkProcess()
            if child == 0 {
                let isRefused =
                    failure { () throws(Errno) in _ = try ring.base.makeWaker() } == .staleNFSFileHandle
                let isRefusedToo = failure { () throws(Errno) in _ = try ring.base.address() } == .staleNFSFileHandle
                let isWoken: Void? = try? waker.wake()
                _exit(isRefused && isRefusedToo && isWoken != nil ? 0 : 1)
            }
            let event = SeenEvent(try ring.awaited())
            precondition(event.operation == .wake && event.result == 1)
            var status: CInt = 0
            while waitpid(child, &status, 0) < 0 && errno == EINTR {}
            precondition(status == 0)
        }
    }
}

extension TestRing {
    /// Waits until there were so many wakes, and returns in how many events they came.
    fileprivate func total(_ wanted: Int) throws -> Int {
        var (sum, events) = (0, 0)
        while sum < wanted {
            let event = SeenEvent(try awaited())
            #expect(event.operation == .wake && event.result >= 0)
            sum += Int(event.result)
            events += 1
        }
        #expect(sum == wanted)
        return events
    }
}

/// Hands one value to another thread, which waits for it.
private final class Handover<Value: ~Copyable & Sendable>: Sendable {
    private let value = Mutex<Value?>(nil)

    func put(_ new: consuming sending Value) {
        var new: Value? = consume new
        value.withLock { $0 = new.take() }
    }

    func take() throws -> Value {
        let deadline = ContinuousClock.now + patience
        while ContinuousClock.now < deadline {
            if let taken = value.withLock({ $0.take() }) { return taken }
            usleep(500)
        }
        throw PatienceIsOver()
    }
}
