import LinuxDescriptors
import LinuxReadiness
import LinuxSockets
import Loops
import Meters
import SystemPackage

/// How many workers are between an accept and the end of its service at the same time, and how that changes the time in
/// which all is served.
///
/// 1. Sixteen connections wait at a listener.
/// 2. Four workers accept one connection per wakeup, and serve it for 5 ms, asleep.
/// 3. The highest number of workers in service at once is counted, and the time from the first wait to the end of the
///    last service is taken: with one set and EPOLLONESHOT armed again after the service, with the same armed again
///    right after the accept, and with a set each and EPOLLEXCLUSIVE.
/// 4. Three rounds of each: the highest count and the shortest time, because what disturbs a round only adds to it.
///
/// Throughput is limited if it takes at least twice as long as with EPOLLEXCLUSIVE.
let acceptOneShotSerial = Experiment(
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
        // Either part of the statement may depend on when the worker arms the listener again.
        let parts = ["oneshot", "oneshot_early"].flatMap { name in
            [
                observed["\(name)_peak"] == 1,
                observed["\(name)_ms"].number >= 2 * observed["exclusive_ms"].number,
            ]
        }
        return .init(parts: parts)
    },
    explain: { observed in
        func found(_ name: String) -> String { "\(observed["\(name)_peak"]) in \(observed["\(name)_ms"]) ms" }
        return "Most workers in service at once: \(found("oneshot")) when armed after the service, "
            + "\(found("oneshot_early")) when armed right after the accept, "
            + "\(found("exclusive")) with EPOLLEXCLUSIVE."
    })

private let workers = 4
private let connections = 16
private let serviceNanoseconds: UInt64 = 5_000_000

private enum Waiting {
    case oneShotLate, oneShotEarly, exclusive

    var topology: Topology { self == .exclusive ? .setPerWorker : .sharedSet }
    var events: EpollEvents {
        self == .exclusive ? [.readable, .exclusive] : [.readable, .edgeTriggered, .oneShot]
    }
}

private struct ServiceLog {
    var inService = 0
    var peak = 0
    var ends: [UInt64] = []
}

private func bestRound(_ waiting: Waiting) throws -> (peak: Int, milliseconds: Double) {
    let rounds = try (1...3).map { _ in try makeRound(waiting) }
    return (rounds.map(\.peak).max()!, rounds.map(\.milliseconds).min()!)
}

private func makeRound(_ waiting: Waiting) throws -> (peak: Int, milliseconds: Double) {
    var listener = try ScriptListener()
    for _ in 1...connections { try listener.admit() }
    let descriptor = listener.descriptor
    let sets = try ScriptSet.sets(waiting.topology, threads: workers)
    for set in sets { try set.epoll.add(descriptor, waiting.events, token: 0) }
    let log = Locked(ServiceLog())

    let threads = try scriptThreads("worker", count: workers)
    defer { for thread in threads { thread.end() } }
    let start = monotonicNanoseconds()
    let steps = threads.indices.map { index in
        threads[index].start { try serve(descriptor, sets[index % sets.count], waiting, log) }
    }
    for step in steps { try step.result() }
    listener.end()
    let (peak, last) = log.withLock { ($0.peak, $0.ends.max() ?? start) }
    return (peak, (Double(last - start) / 1e5).rounded() / 10)
}

/// Serves until all connections have been served, by any worker.
private func serve(
    _ listener: BorrowedDescriptor, _ set: ScriptSet, _ waiting: Waiting, _ log: Locked<ServiceLog>
) throws {
    func arm() throws { try set.epoll.modify(listener, waiting.events, token: 0) }
    let deadline = monotonicNanoseconds() + Patience.limitNanoseconds
    while log.withLock({ $0.ends.count }) < connections {
        guard monotonicNanoseconds() < deadline else {
            throw Undecided("a connection waited for 10 s and was not served")
        }
        guard try set.waitForOne(milliseconds: 20) != nil else { continue }
        guard let connection = try acceptConnection(from: listener) else {
            if waiting != .exclusive { try arm() }
            continue
        }
        log.withLock {
            $0.inService += 1
            $0.peak = max($0.peak, $0.inService)
        }
        if waiting == .oneShotEarly { try arm() }
        sleepUntil(nanoseconds: monotonicNanoseconds() + serviceNanoseconds)
        log.withLock {
            $0.inService -= 1
            $0.ends.append(monotonicNanoseconds())
        }
        if waiting == .oneShotLate { try arm() }
        try connection.close()
    }
}
