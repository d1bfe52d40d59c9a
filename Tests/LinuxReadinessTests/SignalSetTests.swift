import CEpoll
import CTestSupport
import Glibc
import LinuxReadiness
import SystemPackage
import TestSupport
import Testing

@Suite struct SignalSetTests {
    @Test func itHoldsWhatWasInserted() {
        var set: SignalSet = [SIGTERM, SIGINT]
        #expect(set.contains(SIGTERM) && set.contains(SIGINT) && !set.contains(SIGHUP))
        #expect(set.insert(SIGHUP) == (true, SIGHUP))
        #expect(set.insert(SIGHUP) == (false, SIGHUP))
        #expect(set.remove(SIGINT) == SIGINT && set.remove(SIGINT) == nil)
        #expect(set == [SIGHUP, SIGTERM] && set.description == "signals 1, 15")
        #expect(set.update(with: SIGHUP) == SIGHUP && set.update(with: SIGUSR1) == nil)
        #expect(SignalSet().isEmpty && SignalSet().description == "no signals")
    }

    @Test func setsAreCombined() {
        let one: SignalSet = [SIGTERM, SIGINT, 64]
        let other: SignalSet = [SIGINT, SIGHUP]
        #expect(one.union(other) == [SIGTERM, SIGINT, SIGHUP, 64])
        #expect(one.intersection(other) == [SIGINT])
        #expect(one.subtracting(other) == [SIGTERM, 64])
        #expect(one.symmetricDifference(other) == [SIGTERM, SIGHUP, 64])
        #expect(one.isSuperset(of: [64]) && one.isDisjoint(with: [SIGHUP]) && !one.isDisjoint(with: other))
        #expect(SignalSet([SIGINT, SIGHUP].lazy.map { $0 }) == other)
    }

    /// 32 and what follows up to the first real-time signal are the C library's.
    @Test func noSignalIsAbsentEverywhere() {
        for number in [0, -1, 65, CInt.max, CInt.min, 32, SignalSet.firstRealTimeSignal - 1] {
            var all = SignalSet.all
            #expect(!SignalSet.isSignal(number) && !all.contains(number) && all.remove(number) == nil)
        }
        for number in [1, SIGKILL, SIGSTOP, 31, SignalSet.firstRealTimeSignal, 64] {
            #expect(SignalSet.isSignal(number) && SignalSet.all.contains(number))
        }
    }

    @Test func insertingNoSignalEndsTheProgram() async {
        await #expect(processExitsWith: .failure) { _ = SignalSet([0]) }
        await #expect(processExitsWith: .failure) { _ = SignalSet([65]) }
        await #expect(processExitsWith: .failure) { _ = SignalSet([32]) }
        await #expect(processExitsWith: .failure) { _ = SignalSet([-1]) }
    }
}

/// Each on a thread of its own.
@Suite struct SignalMaskTests {
    @Test func blockingIsOfThisThreadAndIsUndone() throws {
        let seen = try onOwnThread {
            let start = SignalSet.blocked
            let signals: SignalSet = [SIGUSR1, 64]
            signals.unblock()
            let clear = SignalSet.blocked
            let before = signals.block()
            let during = SignalSet.blocked
            let isBlocked = isBlockedForTheLibrary(SIGUSR1) && isBlockedForTheLibrary(64)
            let last = before.becomeBlocked()
            return [
                clear == start.subtracting(signals), before == clear, during == clear.union(signals), isBlocked,
                last == during, SignalSet.blocked == clear, !isBlockedForTheLibrary(SIGUSR1),
            ]
        }
        #expect(seen == Array(repeating: true, count: 7))
    }

    @Test func aClosureIsRunWithSignalsBlocked() throws {
        struct Thrown: Error {}
        let seen = try onOwnThread {
            SignalSet([SIGUSR1]).unblock()
            let before = SignalSet.blocked
            let inside = SignalSet([SIGUSR1]).whileBlocked { isBlockedForTheLibrary(SIGUSR1) }
            let after = SignalSet.blocked
            do { try SignalSet([SIGUSR1]).whileBlocked { throw Thrown() } } catch {}
            return [inside, after == before, SignalSet.blocked == before]
        }
        #expect(seen == [true, true, true])
    }

    @Test func blockedSignalsWaitAndAreDelivered() throws {
        let seen = try onOwnThread {
            allowInterruption()
            let signals: SignalSet = [interruption]
            let before = signals.block()
            raise(interruption)
            let waits = SignalSet.pending.contains(interruption)
            before.becomeBlocked()
            return [waits, SignalSet.pending.contains(interruption)]
        }
        #expect(seen == [true, false])
    }

    @Test func threadsInheritWhatTheirMakerBlocks() throws {
        let inherited = try onOwnThread {
            SignalSet([SIGUSR1, 64]).block()
            return try onOwnThread { SignalSet.blocked.isSuperset(of: [SIGUSR1, 64]) }
        }
        #expect(inherited)
    }

    /// `SIGKILL` and `SIGSTOP` are left out by the kernel, those of the C library by the set.
    @Test func allThatCanBeBlockedIs() throws {
        let blocked = try onOwnThread {
            SignalSet.all.becomeBlocked()
            return SignalSet.blocked
        }
        #expect(blocked == SignalSet.all.subtracting([SIGKILL, SIGSTOP]))
    }
}

private func isBlockedForTheLibrary(_ signal: CInt) -> Bool {
    var set = sigset_t()
    pthread_sigmask(SIG_BLOCK, nil, &set)
    return sigismember(&set, signal) == 1
}
