import CEpoll
import CTestSupport
import Glibc
import LinuxDescriptors
import LinuxReadiness
import Synchronization
import SystemPackage
import TestSupport
import Testing

/// A signal can arrive between a failed call and the look at `errno`. What the handler does must not change the answer.
@Suite(.serialized) struct EventFDSignalTests {
    @Test func errnoSurvivesAnAddition() throws {
        let counter = try EventFD()
        #expect(try signal(adding: 5, to: counter.descriptor) == Outcome(error: EDOM, wasAdded: true))
        #expect(try counter.take() == 5)
    }

    @Test func errnoSurvivesAnAdditionThatDoesNotFit() throws {
        let counter = try EventFD()
        try counter.add(EventFD.maximum)
        #expect(try signal(adding: 1, to: counter.descriptor) == Outcome(error: EDOM, wasAdded: false))
        #expect(try counter.take() == EventFD.maximum)
    }

    @Test func errnoSurvivesAnAdditionThatIsNone() throws {
        let counter = try EventFD()
        #expect(try signal(adding: .max, to: counter.descriptor) == Outcome(error: EDOM, wasAdded: false))
        #expect(try signal(adding: 1, to: BorrowedDescriptor(rawValue: -1)) == Outcome(error: EDOM, wasAdded: false))
    }

    @Test func additionInAHandlerWakesAWaiter() throws {
        let counter = try EventFD()
        let borrowed = counter.descriptor
        let waiter = TestThread {
            let set = try Epoll()
            try set.add(borrowed, [.readable, .edgeTriggered], token: 3)
            return try set.wait(into: EpollEventBuffer(capacity: 1))
        }
        try waiter.waitUntilBlocked()
        #expect(try signal(adding: 1, to: borrowed) == Outcome(error: EDOM, wasAdded: true))
        #expect(try waiter.join() == 1)
    }

    private struct Outcome: Equatable {
        let error: CInt
        let wasAdded: Bool
    }

    /// What `errno` is after a signal whose handler adds, if it was `EDOM` before: on a thread of its own, because
    /// Dispatch's block signals.
    private func signal(adding amount: UInt64, to counter: BorrowedDescriptor) throws -> Outcome {
        handledDescriptor.store(counter.rawValue, ordering: .relaxed)
        handledAmount.store(amount, ordering: .relaxed)
        wasAdded.store(false, ordering: .relaxed)
        return try onOwnThread {
            var action = sigaction()
            action.__sigaction_handler.sa_handler = { _ in
                let counter = BorrowedDescriptor(rawValue: handledDescriptor.load(ordering: .relaxed))
                let amount = handledAmount.load(ordering: .relaxed)
                wasAdded.store(counter.with(EventFD.self) { $0.addInSignalHandler(amount) }, ordering: .relaxed)
            }
            sigaction(SIGUSR1, &action, nil)
            var signals = sigset_t()
            sigemptyset(&signals)
            sigaddset(&signals, SIGUSR1)
            pthread_sigmask(SIG_UNBLOCK, &signals, nil)
            let error = c_errno_after_signal(SIGUSR1, EDOM)
            return Outcome(error: error, wasAdded: wasAdded.load(ordering: .relaxed))
        }
    }
}

private let handledDescriptor = Atomic<CInt>(-1)
private let handledAmount = Atomic<UInt64>(0)
private let wasAdded = Atomic<Bool>(false)
