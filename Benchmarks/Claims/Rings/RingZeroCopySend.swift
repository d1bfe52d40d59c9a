import Load
import Loops
import Meters
import Runs

/// What an echo costs the server when it is sent without a copy, for messages of several sizes.
///
/// One worker with a ring echoes messages of 4 connections over loopback, in runs of 100 ms, two of each way in turn; the
/// least CPU time of each counts, because everything else only adds to it. `copy_ns` is that of a message that is sent with
/// a copy, `zero_copy_ns` without, `fixed_ns` without and from memory that was registered; each for messages of 64 B, 4 KiB,
/// 64 KiB and 1 MiB. `copied_percent` are the notifications of the second that say that the kernel copied after all.
///
/// It pays from a size on if one of the two ways saves 5 % for messages of that size and of all larger ones. The kernel
/// says so if at least 99 % of the notifications do.
let ringZeroCopySend = Experiment(
    id: "uring-zero-copy",
    statement: "zero-copy send pays from a size on; on loopback the kernel copies, and the notification says so",
    source: .liburing, needs: [.zeroCopyReport],
    conditions: Conditions(shortfall: { Conditions.fewer($0, "messages", than: 10, "messages") }),
    keys: ["copy_ns", "zero_copy_ns", "fixed_ns", "copied_percent"],
    observe: {
        var costs = [[Double]](repeating: [], count: ways.count)
        var messages = UInt64.max
        var notifications = (all: UInt64(0), copied: UInt64(0))
        for bytes in sizes {
            var best = [Double](repeating: .infinity, count: ways.count)
            for _ in 0..<2 {
                for (index, way) in ways.enumerated() {
                    let run = try echoRun(way, connections: 4, milliseconds: 100) { $0.load.messageBytes = bytes }
                    messages = min(messages, run.operations)
                    best[index] = min(best[index], nanosecondsPerMessage(run))
                    notifications.all += run.totals[.notifications, default: 0]
                    notifications.copied += run.totals[.copiedNotifications, default: 0]
                }
            }
            for index in ways.indices { costs[index].append(best[index]) }
        }
        guard notifications.all > 0 else { throw Undecided("no send without a copy was notified") }
        var observed: Observed = [:]
        for (key, costs) in zip(["copy_ns", "zero_copy_ns", "fixed_ns"], costs) {
            observed[key] = .list(costs.map { Int($0.rounded()) }, "/")
        }
        observed["copied_percent"] = Int(100 * notifications.copied / notifications.all).observed
        observed["messages"] = messages.observed
        return observed
    },
    judge: { .init(parts: [firstSizeThatPays($0) != nil, $0["copied_percent"].number >= 99]) },
    explain: { observed in
        let ratios = zip(sizes, ratios(observed)).map { "\(Int((100 * $1).rounded())) % at \(text($0))" }
        let size = firstSizeThatPays(observed)
        return
            "\(observed["copied_percent"]) % of the notifications say that the kernel copied. The better way without a "
            + "copy costs \(ratios.joined(separator: ", ")) of the CPU time with one: it "
            + (size.map { "pays from \(text($0)) on." } ?? "never pays here.")
    })

private let ways = ["uring-multishot", "uring-zerocopy", "uring-zerocopy-fixed"]
private let sizes = [64, 4096, 65_536, 1 << 20]

/// What the better of both ways without a copy costs, as a part of the cost with one, for each size.
private func ratios(_ observed: Observed) -> [Double] {
    let costs = ["copy_ns", "zero_copy_ns", "fixed_ns"].map { observed[$0].elements.map(\.number) }
    return sizes.indices.map { index in
        guard costs.allSatisfy({ index < $0.count }) else { return .infinity }
        return min(costs[1][index], costs[2][index]) / costs[0][index]
    }
}

/// The size from which on it saves a twentieth.
private func firstSizeThatPays(_ observed: Observed) -> Int? {
    let ratios = ratios(observed)
    let first = ratios.lastIndex { !($0 <= 0.95) }.map { $0 + 1 } ?? 0
    return first < sizes.count ? sizes[first] : nil
}

private func text(_ bytes: Int) -> String {
    bytes < 1024 ? "\(bytes) B" : bytes < 1 << 20 ? "\(bytes >> 10) KiB" : "\(bytes >> 20) MiB"
}
