import CTestSupport
import Glibc
import LinuxDescriptors
import SystemPackage
import TestSupport
import Testing

@testable import LinuxReadiness

/// Signals to one thread, which has them blocked.
@Suite struct SignalDescriptorTests {
    @Test func descriptorIsNonblockingAndCloseOnExec() throws {
        let descriptor = try SignalDescriptor([SIGUSR1])
        #expect(fcntl(descriptor.descriptor.rawValue, F_GETFD) == FD_CLOEXEC)
        #expect(fcntl(descriptor.descriptor.rawValue, F_GETFL) & O_NONBLOCK == O_NONBLOCK)
        let waiting = try SignalDescriptor([SIGUSR1], [])
        #expect(fcntl(waiting.descriptor.rawValue, F_GETFL) & O_NONBLOCK == 0)
        #expect(MemoryLayout<SignalRecord>.size == 128 && MemoryLayout<SignalRecord>.stride == 128)
    }

    @Test func aSignalTellsWhoSentIt() throws {
        let (first, second, waits) = try onOwnThread {
            SignalSet([SIGUSR1]).block()
            let descriptor = try SignalDescriptor([SIGUSR1])
            let none = try descriptor.take() == nil
            raise(SIGUSR1)
            let record = try descriptor.take()
            return (record, try descriptor.take() == nil && none, SignalSet.pending.contains(SIGUSR1))
        }
        let record = try #require(first)
        #expect(record.signal == SIGUSR1 && record.sender == getpid() && record.user == getuid())
        // SI_TKILL
        #expect(record.code == -6 && record.child == nil)
        #expect(second && !waits)
    }

    @Test func onlySignalsOfTheSetAreRead() throws {
        let signals = try onOwnThread {
            SignalSet([SIGUSR1, SIGUSR2, SIGHUP]).block()
            let descriptor = try SignalDescriptor([SIGUSR1])
            raise(SIGUSR2)
            var seen = [try descriptor.take()?.signal]
            try descriptor.replaceSignals([SIGUSR2, SIGHUP])
            seen.append(try descriptor.take()?.signal)
            raise(SIGUSR1)
            seen.append(try descriptor.take()?.signal)
            // Those of this thread alone, which takes them with it.
            return seen
        }
        #expect(signals == [nil, SIGUSR2, nil])
    }

    @Test func severalAreReadByOneCallInOrder() throws {
        let counts = try onOwnThread { () -> [[CInt]] in
            let first = SignalSet.firstRealTimeSignal
            SignalSet([SIGUSR1, first, 64]).block()
            let descriptor = try SignalDescriptor([SIGUSR1, first, 64])
            for signal in [64, first, SIGUSR1, first, SIGUSR1] { raise(signal) }
            var records = [SignalRecord](repeating: SignalRecord(), count: 3)
            var seen: [[CInt]] = []
            for _ in 0..<3 {
                var room = records.mutableSpan
                let count = try descriptor.take(into: &room) ?? 0
                seen.append(records[..<count].map(\.signal))
            }
            return seen
        }
        // The standard one was sent twice and is one.
        let first = SignalSet.firstRealTimeSignal
        #expect(counts == [[SIGUSR1, first, first], [64], []])
    }

    @Test func noRoomIsRefused() throws {
        let descriptor = try SignalDescriptor([SIGUSR1])
        var none: [SignalRecord] = []
        #expect(throws: Errno.invalidArgument) {
            var room = none.mutableSpan
            _ = try descriptor.take(into: &room)
        }
    }

    @Test func aTakeWaitsForItsSignalAndNoOther() throws {
        let waiter = TestThread {
            allowInterruption()
            SignalSet([SIGUSR1]).block()
            let descriptor = try SignalDescriptor([SIGUSR1], [])
            return try descriptor.take()?.signal
        }
        for _ in 0..<10 {
            try waiter.waitUntilBlocked()
            #expect(waiter.signal(interruption))
        }
        #expect(!waiter.hasEnded)
        try waiter.waitUntilBlocked()
        #expect(waiter.signal(SIGUSR1))
        #expect(try waiter.join() == SIGUSR1)
    }

    @Test func aSetReportsASignal() throws {
        let seen = try onOwnThread { () -> [Bool] in
            SignalSet([SIGUSR1]).block()
            let set = try TestSet()
            let token = try set.insert(SignalDescriptor([SIGUSR1]).release(), .readable)
            let quiet = try set.events().isEmpty
            raise(SIGUSR1)
            let reported = try set.events() == [token]
            let record = try set.base.with(token, as: SignalDescriptor.self) { (it) throws(Errno) in try it.take() }
            return [quiet, reported, record??.signal == SIGUSR1, try set.events().isEmpty]
        }
        #expect(seen == [true, true, true, true])
    }

    @Test func whatIsNoSignalDescriptorIsRefused() throws {
        let counter = SignalDescriptor(owning: try EventFD().release())
        #expect(throws: Errno.invalidArgument) { try counter.replaceSignals([SIGUSR1]) }
        #expect(throws: Errno.invalidArgument) {
            try SignalDescriptor([SIGUSR1], SignalDescriptor.Options(rawValue: 1)).close()
        }
        // It asks for no signal that can be had, which is no error.
        try SignalDescriptor([SIGKILL, SIGSTOP]).close()
        #expect(try SignalDescriptor([]).take() == nil)
    }
}
