import CEventFD
import Foundation
import Glibc
import LinuxDescriptors
import LinuxRings
import SystemPackage
import Testing

/// True where a ring can be made and can send messages; elsewhere the tests are skipped.
private let ringsCanTalk = (try? RingCapabilities.probe())?.messageRing ?? false

@Suite(.enabled(if: ringsCanTalk, "io_uring is absent here or older than Linux 5.18"))
struct RingMessageTests {
    @Test func aMessageIsACompletionOfTheReceiver() throws {
        var sender = try Ring(entries: 4)
        var receiver = try Ring(entries: 4)
        try sender.prepareMessage(to: receiver.descriptor, result: 42, messageToken: 7, token: 1)
        try sender.submitAndWait()
        let sent = sender.nextSeen()
        #expect(sent?.token == 1 && sent?.result == 0)
        try receiver.submitAndWait()
        let received = receiver.nextSeen()
        #expect(received?.token == 7 && received?.result == 42)
        let more = receiver.nextSeen()
        #expect(more == nil)
    }

    @Test func theSenderNeedNotHearOfSuccess() throws {
        var sender = try Ring(entries: 4)
        let features = sender.features
        try #require(features.contains(.skipSuccess))
        var receiver = try Ring(entries: 4)
        try sender.prepareMessage(to: receiver.descriptor, messageToken: 7, .skipSuccess, token: 1)
        try sender.submit()
        try receiver.submitAndWait()
        let received = receiver.nextSeen()
        #expect(received?.token == 7)
        let sent = sender.nextSeen()
        #expect(sent == nil)
    }

    @Test func aMessageWakesAThreadThatWaits() throws {
        let receiver = Promise()
        let thread = Thread {
            do {
                var ring = try Ring.forThisThread(entries: 4)
                receiver.announce(ring.descriptor)
                try ring.submitAndWait()
                receiver.finish(ring.nextSeen())
            } catch {
                receiver.announce(nil)
                receiver.finish(nil)
            }
        }
        thread.start()
        var sender = try Ring(entries: 4)
        let target = try #require(receiver.descriptor())
        try sender.prepareMessage(to: target, messageToken: 11, token: 1)
        try sender.submitAndWait()
        let sent = sender.nextSeen()
        #expect(sent?.result == 0)
        #expect(receiver.completion()?.token == 11)
    }

    @Test func messagesArriveAlthoughTheReceiversQueueIsFull() throws {
        var sender = try Ring(entries: 4)
        var receiver = try Ring(entries: 1, completions: 2)
        for number in UInt64(0)..<50 {
            try sender.prepareMessage(to: receiver.descriptor, messageToken: number, token: 1)
            #expect(try sender.completion().error == nil)
        }
        #expect(receiver.completionsOverflowed == true)
        #expect(try receiver.completions(50).map(\.token) == Array(0..<50))
        #expect(receiver.droppedCompletions == 0)
    }

    @Test func onlyRingsReceiveMessages() throws {
        var ring = try Ring(entries: 4)
        let counter = OwnedDescriptor(owning: FileDescriptor(rawValue: eventfd(0, CInt(EFD_CLOEXEC))))
        try ring.prepareMessage(to: counter.descriptor, messageToken: 7, token: 1)
        try ring.submitAndWait()
        let completion = ring.nextSeen()
        #expect(completion?.error == Errno(rawValue: EBADFD))
    }

    @Test func anEventFDTellsOfCompletions() throws {
        var sender = try Ring(entries: 4)
        var receiver = try Ring(entries: 4)
        let counter = OwnedDescriptor(
            owning: FileDescriptor(rawValue: eventfd(0, CInt(EFD_CLOEXEC) | CInt(EFD_NONBLOCK))))
        let number = counter.descriptor.rawValue
        try receiver.registerEventFD(counter.descriptor)
        let second = refusal { () throws(Errno) in try receiver.registerEventFD(counter.descriptor) }
        #expect(second == .resourceBusy)

        let other = OwnedDescriptor(owning: FileDescriptor(rawValue: eventfd(0, CInt(EFD_CLOEXEC))))
        try receiver.preparePoll(other.descriptor, .readable, token: 3)
        try receiver.submit()
        var amount: UInt64 = 0
        #expect(unsafe read(number, &amount, 8) == -1)
        amount = 1
        #expect(unsafe write(other.descriptor.rawValue, &amount, 8) == 8)
        try receiver.submitAndWait()
        let polled = receiver.nextSeen()
        #expect(polled?.token == 3)
        #expect(unsafe read(number, &amount, 8) == 8)
        #expect(amount == 1)

        try receiver.unregisterEventFD()
        let again = refusal { () throws(Errno) in try receiver.unregisterEventFD() }
        #expect(again == Errno(rawValue: ENXIO))
        try sender.prepareMessage(to: receiver.descriptor, messageToken: 5, token: 1)
        try sender.submitAndWait()
        try receiver.submitAndWait()
        let message = receiver.nextSeen()
        #expect(message?.token == 5)
        #expect(unsafe read(number, &amount, 8) == -1)
    }

    @Test func aReadWaitsForTheCount() throws {
        var ring = try Ring(entries: 4)
        let counter = OwnedDescriptor(owning: FileDescriptor(rawValue: eventfd(0, CInt(EFD_CLOEXEC))))
        let memory = UnsafeMutableRawBufferPointer.allocate(byteCount: 8, alignment: 8)
        defer { memory.deallocate() }
        try ring.prepareRead(counter.descriptor, into: memory, token: 9)
        try ring.submit()
        let early = ring.nextSeen()
        #expect(early == nil)
        var amount: UInt64 = 6
        #expect(write(counter.descriptor.rawValue, &amount, 8) == 8)
        try ring.submitAndWait()
        let completion = ring.nextSeen()
        #expect(completion?.token == 9 && completion?.result == 8)
        #expect(memory.load(as: UInt64.self) == 6)
    }
}

/// The error that a call ends with.
private func refusal(_ call: () throws(Errno) -> Void) -> Errno? {
    do throws(Errno) {
        try call()
        return nil
    } catch {
        return error
    }
}

/// What the waiting thread tells the test.
private final class Promise: @unchecked Sendable {
    // Unchecked: all state is guarded by `changed`.
    private let changed = NSCondition()
    private var announced = false
    private var ended = false
    private var target: BorrowedDescriptor?
    private var received: Seen?

    func announce(_ descriptor: BorrowedDescriptor?) {
        changed.lock()
        target = descriptor
        announced = true
        changed.broadcast()
        changed.unlock()
    }

    func finish(_ completion: Seen?) {
        changed.lock()
        received = completion
        ended = true
        changed.broadcast()
        changed.unlock()
    }

    func descriptor() -> BorrowedDescriptor? {
        changed.lock()
        defer { changed.unlock() }
        while !announced { changed.wait() }
        return target
    }

    func completion() -> Seen? {
        changed.lock()
        defer { changed.unlock() }
        while !ended { changed.wait() }
        return received
    }
}
