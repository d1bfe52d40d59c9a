import LinuxDescriptors
import LinuxReadiness
import LinuxSockets
import Meters
import SystemPackage

/// How many workers are between an accept and the end of its service at the same time, and what that does to the time
/// in which all is served.
///
/// 1. Sixteen connections wait at a listener.
/// 2. Four workers accept one each time they are woken, and serve it for 5 ms, asleep.
/// 3. The most of them that are ever at it at once are counted, and the time from the first wait to the end of the
///    last service is taken: with one set and EPOLLONESHOT armed again after the service, with the same armed again
///    right after the accept, and with a set each and EPOLLEXCLUSIVE.
/// 4. Three rounds of each: the highest count and the shortest time, because what disturbs a round only adds to it.
///
/// Throughput is limited if it takes at least twice as long as with EPOLLEXCLUSIVE.
extension Experiment {
    static let acceptOneShotSerial = Experiment(
        id: "accept-oneshot-serial",
        statement: "with EPOLLONESHOT only one worker at a time accepts and serves, which limits throughput",
        source: .m1, descriptors: 80, conditions: Conditions(),
        keys: [
            "oneshot_peak", "oneshot_early_peak", "exclusive_peak", "oneshot_ms", "oneshot_early_ms", "exclusive_ms",
        ],
        observe: {
            let late = try bestRound(.oneShotLate)
            let early = try bestRound(.oneShotEarly)
            let exclusive = try bestRound(.exclusive)
            return [
                "oneshot_peak": late.peak, "oneshot_early_peak": early.peak, "exclusive_peak": exclusive.peak,
                "oneshot_ms": late.milliseconds, "oneshot_early_ms": early.milliseconds,
                "exclusive_ms": exclusive.milliseconds, "workers": workers,
            ]
        },
        judge: { observed in
            // Either part of the statement may hang on when the worker arms the listener again.
            let parts = ["oneshot", "oneshot_early"].flatMap { name in
                [
                    observed["\(name)_peak"] == "1",
                    (observed.number("\(name)_ms") ?? 0) >= 2 * (observed.number("exclusive_ms") ?? .infinity),
                ]
            }
            return parts.allSatisfy { $0 } ? .holds : parts.contains(true) ? .depends : .doesNotHold
        },
        explain: { observed in
            "Most workers at it at once: \(found(observed, "oneshot")) when armed after the service, "
                + "\(found(observed, "oneshot_early")) when armed right after the accept, "
                + "\(found(observed, "exclusive")) with EPOLLEXCLUSIVE."
        })
}

private func found(_ observed: Observed, _ name: String) -> String {
    "\(observed["\(name)_peak"] ?? "") in \(observed["\(name)_ms"] ?? "") ms"
}

private let workers = 4
private let connections = 16
private let serviceNanoseconds: UInt64 = 5_000_000

private enum Waiting {
    case oneShotLate, oneShotEarly, exclusive

    var isShared: Bool { self != .exclusive }
    var events: EpollEvents { isShared ? oneShotFlags : [.readable, .exclusive] }
}

private struct Round {
    var peak = 0
    var milliseconds = Double.infinity
}

private func bestRound(_ waiting: Waiting) throws -> Round {
    var best = Round()
    for _ in 1...3 {
        let round = try serveInTurn(waiting)
        best.peak = max(best.peak, round.peak)
        best.milliseconds = min(best.milliseconds, round.milliseconds)
    }
    return best
}

private func serveInTurn(_ waiting: Waiting) throws -> Round {
    var listener = try ScriptListener()
    for _ in 1...connections { try listener.admit() }
    let descriptor = listener.descriptor
    let sets = try EpollSets(count: waiting.isShared ? 1 : workers)
    let inside = OpenCount()
    let ends = Locked<[UInt64]>([])
    for index in 0..<sets.count { try sets[index].add(descriptor, waiting.events, token: 0) }

    let threads = try scriptThreads("worker", count: workers)
    defer { for thread in threads { thread.end() } }
    let start = monotonicNanoseconds()
    let steps = threads.indices.map { index in
        threads[index].start { try serveAll(descriptor, sets[index % sets.count], waiting, inside, ends) }
    }
    for step in steps { try step.result() }
    listener.end()
    let last = ends.withLock { $0.max() } ?? start
    return Round(peak: inside.peak, milliseconds: (Double(last - start) / 1e5).rounded() / 10)
}

/// Serves until all connections have been served, by whomever; notes the end of each service.
private func serveAll(
    _ listener: BorrowedDescriptor, _ set: EpollSets.EpollSet, _ waiting: Waiting, _ inside: OpenCount,
    _ ends: Locked<[UInt64]>
) throws {
    func arm() throws { try set.modify(listener, waiting.events, token: 0) }
    let deadline = monotonicNanoseconds() + Patience.limitNanoseconds
    while ends.withLock({ $0.count }) < connections {
        guard monotonicNanoseconds() < deadline else {
            throw Undecided("a connection waited for 10 s and was not served")
        }
        guard try set.waitForOne(milliseconds: 20) != nil else { continue }
        guard let connection = try acceptConnection(from: listener) else {
            if waiting.isShared { try arm() }
            continue
        }
        inside.opened()
        if waiting == .oneShotEarly { try arm() }
        sleepUntil(nanoseconds: monotonicNanoseconds() + serviceNanoseconds)
        inside.closed()
        ends.withLock { $0.append(monotonicNanoseconds()) }
        if waiting == .oneShotLate { try arm() }
        try connection.close()
    }
}
