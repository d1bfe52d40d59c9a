import Load
import Loops
import Meters
import Records
import Runs
import Statistics

/// io_uring against epoll where each connection has one message under way: one worker and one client, each on a processor
/// where there are two, over one connection and over eight.
///
/// Six rounds; each runs both modes, in turn, for 100 ms with either number of connections. `ratio_1` and `ratio_8` are the
/// median, over the rounds, of the ring's throughput divided by that of `epoll-lt`; `low_…` and `high_…` are the least and
/// the most, between which the median lies with 96.9 %.
///
/// Slower or faster is what all rounds say. It is neither if no round is slower, or faster, by more than 5 %. A wider
/// interval, of either number of connections, decides nothing.
///
/// `cpu_ratio_1` and `cpu_ratio_8` are the same of the worker's CPU time per message, and decide nothing.
let ringPingPong = [
    pingPong(
        "uring-ping-pong-single", "uring-single", isFaster: false,
        "io_uring with a receive for each message is slower than epoll for a ping-pong over few connections",
        .liburing("issues 189, 414, 427 and 536")),
    pingPong(
        "uring-ping-pong-multishot", "uring-multishot", isFaster: true,
        "from Linux 6.0, with a multishot receive, io_uring is faster than epoll for a ping-pong over few connections",
        .liburing("issue 536")),
]

private let connectionCounts = [1, 8]
private let rounds = 6
/// Up to this ratio two throughputs are alike.
private let likeness = 1.05

private func pingPong(
    _ id: String, _ mode: String, isFaster: Bool, _ statement: String, _ source: ClaimSource
) -> Experiment {
    Experiment(
        id: id, statement: statement, source: source, needs: [isFaster ? .multishotReceive : .ring],
        conditions: Conditions(shortfall: { whatSpoilsRatios($0) ?? whatIsUndecided($0, isFaster: isFaster) }),
        keys: connectionCounts.flatMap { ["ratio_\($0)", "low_\($0)", "high_\($0)"] },
        observe: { try observeRatios(mode) },
        judge: { observed in
            .init(
                parts: connectionCounts.map { isAsSaid(observed, $0, isFaster: isFaster) == true })
        },
        explain: { observed in
            let texts = connectionCounts.map { count in
                "over \(count) connection\(count == 1 ? "" : "s") \(observed["ratio_\(count)"]) times "
                    + "[\(observed["low_\(count)"]), \(observed["high_\(count)"])]"
            }
            return "\(mode) moves the messages that epoll-lt does \(texts.joined(separator: ", "))."
        })
}

/// Whether the rounds with so many connections are as the statement says; nil if they may be or not.
private func isAsSaid(_ observed: Observed, _ connections: Int, isFaster: Bool) -> Bool? {
    let (low, high) = (observed["low_\(connections)"].number, observed["high_\(connections)"].number)
    // By how much the mode that is said to win does, at the least and at the most.
    let (least, most) = isFaster ? (low, high) : (1 / high, 1 / low)
    if least > 1 { return true }
    return most <= likeness ? false : nil
}

/// Why the rounds decide nothing; nil if they do.
private func whatIsUndecided(_ observed: Observed, isFaster: Bool) -> String? {
    guard let count = connectionCounts.first(where: { isAsSaid(observed, $0, isFaster: isFaster) == nil }) else {
        return nil
    }
    return "over \(count) connection\(count == 1 ? "" : "s") the rounds differ too much to tell: from "
        + "\(observed["low_\(count)"]) to \(observed["high_\(count)"]) times"
}

/// What a ratio of throughputs tells nothing beside; nil if it tells something.
private func whatSpoilsRatios(_ observed: Observed) -> String? {
    if observed[Conditions.debugKey] == true { return Conditions.debugReason }
    let foreign = observed[Conditions.foreignKey].number
    guard foreign > 20 else { return nil }
    return "other programs used \(Int(foreign)) % of the processors, and more than 20 % is too much"
}

private func observeRatios(_ mode: String) throws -> Observed {
    var throughput: [Int: [Double]] = [:]
    var cpu: [Int: [Double]] = [:]
    var foreign = 0.0
    for round in 0..<rounds {
        for connections in connectionCounts {
            // Who begins changes, so that neither always runs on what the other left.
            let order = round % 2 == 0 ? ["epoll-lt", mode] : [mode, "epoll-lt"]
            var runs: [String: Measurement] = [:]
            for name in order {
                runs[name] = try echoRun(name, connections: connections, milliseconds: 100) {
                    $0.loop.placement = .automatic(workers: 1, clients: 1)
                }
            }
            guard let epoll = runs["epoll-lt"], let ring = runs[mode] else { continue }
            throughput[connections, default: []].append(perSecond(ring) / perSecond(epoll))
            cpu[connections, default: []].append(nanosecondsPerMessage(ring) / nanosecondsPerMessage(epoll))
            foreign = max(foreign, epoll.foreignShare ?? 0, ring.foreignShare ?? 0)
        }
    }
    var observed = Observed()
    for connections in connectionCounts {
        let ratios = throughput[connections] ?? []
        observed["ratio_\(connections)"] = rounded(median(ratios)).observed
        observed["low_\(connections)"] = rounded(ratios.min()).observed
        observed["high_\(connections)"] = rounded(ratios.max()).observed
    }
    for connections in connectionCounts {
        observed["cpu_ratio_\(connections)"] = rounded(median(cpu[connections] ?? [])).observed
    }
    observed.noteDisturbance(foreign: foreign)
    return observed
}

private func perSecond(_ run: Measurement) -> Double {
    Double(run.operations) * 1e9 / Double(run.durationNanoseconds)
}

private func rounded(_ ratio: Double?) -> Double { ((ratio ?? .nan) * 1000).rounded() / 1000 }
