import LinuxDescriptors
import LinuxReadiness
import LinuxSockets
import Meters
import SystemPackage

/// How many workers are between an accept and the end of its service at the same time.
///
/// 1. Sixteen connections wait at a listener.
/// 2. Four workers accept one each time they are woken, and serve it for 5 ms, asleep.
/// 3. The most of them that are ever at it at once are counted, three times: one set with EPOLLONESHOT armed again
///    after the service, the same armed again right after the accept, and a set each with EPOLLEXCLUSIVE.
extension Experiment {
    static let acceptOneShotSerial = Experiment(
        id: "accept-oneshot-serial",
        statement: "with EPOLLONESHOT only one worker at a time accepts and serves, which limits throughput",
        source: .m1, keys: ["oneshot_peak", "oneshot_early_peak", "exclusive_peak"],
        observe: {
            [
                "oneshot_peak": try peak(.oneShotLate), "oneshot_early_peak": try peak(.oneShotEarly),
                "exclusive_peak": try peak(.exclusive), "workers": workers,
            ]
        },
        judge: { observed in
            switch (observed["oneshot_peak"], observed["oneshot_early_peak"]) {
            case ("1", "1"): .holds
            // It hangs on when the worker arms the listener again.
            case ("1", _): .depends
            default: .doesNotHold
            }
        },
        explain: { observed in
            "Most workers at it at once: \(observed["oneshot_peak"] ?? "") when armed after the service, "
                + "\(observed["oneshot_early_peak"] ?? "") when armed right after the accept, "
                + "\(observed["exclusive_peak"] ?? "") with EPOLLEXCLUSIVE."
        })
}

private let workers = 4
private let connections = 16
private let serviceNanoseconds: UInt64 = 5_000_000

private enum Waiting {
    case oneShotLate, oneShotEarly, exclusive

    var isShared: Bool { self != .exclusive }
    var events: EpollEvents { isShared ? oneShotFlags : [.readable, .exclusive] }
}

private func peak(_ waiting: Waiting) throws -> Int {
    var listener = try ScriptListener()
    for _ in 1...connections { try listener.admit() }
    let descriptor = listener.descriptor
    let sets = try EpollSets(count: waiting.isShared ? 1 : workers)
    let inside = OpenCount()
    for index in 0..<sets.count { try sets[index].add(descriptor, waiting.events, token: 0) }

    let threads = (0..<workers).map { ScriptThread("worker-\($0)") }
    defer { for thread in threads { thread.end() } }
    let steps = threads.indices.map { index in
        threads[index].start { try serveAll(descriptor, sets[index % sets.count], waiting, inside) }
    }
    let served = try steps.map { try $0.result() }.reduce(0, +)
    listener.end()
    guard served == connections else { throw ScriptError("\(connections) connections waited, \(served) were served") }
    return inside.peak
}

/// Serves until nothing comes any more; returns how many connections this worker served.
private func serveAll(
    _ listener: FileDescriptor, _ set: EpollSets.EpollSet, _ waiting: Waiting, _ inside: OpenCount
) throws -> Int {
    var served = 0
    func arm() throws { try set.modify(listener, waiting.events, token: 0) }
    while try set.waitForOne(milliseconds: 200) != nil {
        guard let connection = try acceptConnection(from: listener) else {
            if waiting.isShared { try arm() }
            continue
        }
        inside.opened()
        if waiting == .oneShotEarly { try arm() }
        sleepUntil(nanoseconds: monotonicNanoseconds() + serviceNanoseconds)
        inside.closed()
        served += 1
        if waiting == .oneShotLate { try arm() }
        try connection.close()
    }
    return served
}
