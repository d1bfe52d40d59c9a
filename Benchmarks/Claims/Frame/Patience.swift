import Meters

/// How long scripts wait.
enum Patience {
    /// After so long without a change, with every thread seen asleep, nothing more is expected to happen.
    static let quietNanoseconds: UInt64 = 60_000_000
    /// The time limit of what must happen.
    static let limitNanoseconds: UInt64 = 10_000_000_000
    /// The time limit of a wait in the kernel, so that no failure can hang a script.
    static let waitMilliseconds: CInt = 20_000

    private static let pollNanoseconds: UInt64 = 500_000

    /// Waits until a condition is true; throws ``Undecided`` if it does not become true.
    static func until(_ what: String, _ isTrue: () throws -> Bool) throws {
        let deadline = monotonicNanoseconds() + limitNanoseconds
        while try !isTrue() {
            guard monotonicNanoseconds() < deadline else { throw Undecided("\(what): not within 10 s") }
            sleepUntil(nanoseconds: monotonicNanoseconds() + pollNanoseconds)
        }
    }

    /// Waits until every thread sleeps in the kernel within a step.
    static func untilAsleep(_ threads: [ScriptThread]) throws {
        try until("a thread waits in the kernel") { threads.allSatisfy { $0.isBusy && $0.state.waitsInKernel } }
    }

    /// Waits until for ``quietNanoseconds`` no step ended and every thread was idle or asleep in the kernel.
    static func untilQuiet(_ threads: [ScriptThread]) throws {
        var busy = threads.map(\.isBusy)
        var quietSince = monotonicNanoseconds()
        try until("the threads come to rest") {
            let now = monotonicNanoseconds()
            let busyNow = threads.map(\.isBusy)
            let isQuiet = busyNow == busy && threads.allSatisfy { !$0.isBusy || $0.state.waitsInKernel }
            if !isQuiet { quietSince = now }
            busy = busyNow
            return now - quietSince >= quietNanoseconds
        }
    }
}
