import LinuxSockets
import Meters
import SystemPackage

/// Taking a listener out of service: steer new connections away from it, drain it, close it.
///
/// 1. Two listeners share a port; clients connect all the time, and both are served.
/// 2. Listener 0 is served no more, so that connections queue up at it.
/// 3. A classic BPF program, which needs no privilege, sends every new connection to listener 1.
/// 4. Listener 0 is drained: what waits there is served (`drained`), until for a while nothing came any more.
/// 5. Listener 0 is closed; the clients go on for a while. Those that were not served are lost.
///
/// The wait in step 4 is for handshakes that had begun before step 3. On loopback they take microseconds; in a network
/// as long as a client takes to answer, up to the last of `net.ipv4.tcp_synack_retries`.
extension Experiment {
    static let reuseportDrain = Experiment(
        id: "reuseport-drain",
        statement: "with BPF at SO_REUSEPORT a listener can be left, drained and closed without a loss",
        source: .m1,
        conditions: Conditions(
            heldUpLimit: 50, isDecisive: { ($0.integer("lost") ?? 0) > 0 },
            shortfall: { observed in
                Conditions.fewer(observed, "served", than: 100, "connections served")
            }),
        keys: ["served", "lost"],
        observe: {
            try withReuseportClients(of: try ReuseportGroup(count: 2)) { group, clients in
                try group.serve([0, 1], for: 100_000_000)
                try group.serve([1], for: 20_000_000)
                try attachClassicReuseportProgram(to: group[0], selecting: 1)
                let drained = try group.drain(0, serving: 1)
                group.close(0)
                try group.serve([0], for: 100_000_000)
                clients.stop()
                while !clients.isDone { try group.serve([0], for: 1_000_000) }
                let tally = try clients.tally()
                return ["served": tally.served, "lost": tally.lost, "drained": drained]
            }
        },
        judge: { $0.integer("lost") == 0 ? .holds : .doesNotHold },
        explain: { observed in
            "\(observed["served"] ?? "") connections were served and \(observed["lost"] ?? "") lost while a listener "
                + "was taken out of service."
        })
}

extension ReuseportGroup {
    /// Serves listeners for a while, every millisecond.
    func serve(_ indices: [Int], for nanoseconds: UInt64) throws(Errno) {
        let end = monotonicNanoseconds() + nanoseconds
        while monotonicNanoseconds() < end {
            for index in indices { _ = try serve(index) }
            sleepUntil(nanoseconds: monotonicNanoseconds() + 1_000_000)
        }
    }

    /// Serves two listeners until nothing came to the first for a while; returns how many it had.
    fileprivate func drain(_ index: Int, serving other: Int) throws(Errno) -> Int {
        var drained = 0
        var quietSince = monotonicNanoseconds()
        while monotonicNanoseconds() - quietSince < Patience.quietNanoseconds {
            let count = try serve(index).count
            if count > 0 { quietSince = monotonicNanoseconds() }
            drained += count
            try serve([other], for: 1_000_000)
        }
        return drained
    }
}
