import LinuxSockets
import Meters
import SystemPackage

/// Taking one of two listeners out of service while clients connect all the time: a classic BPF program, which needs
/// no privilege, sends every new connection to the other one; what waits at the first is served (`drained`) until for
/// a while nothing more comes; then it is closed. Connections that were not served are lost.
///
/// The drain waits for handshakes that had begun before the program was attached. On loopback they take microseconds;
/// in a network as long as a client takes to answer, up to the last of `net.ipv4.tcp_synack_retries`.
let reuseportDrain = Experiment(
    id: "reuseport-drain",
    statement: "with BPF at SO_REUSEPORT a listener can be left, drained and closed without a loss",
    source: .m1,
    conditions: Conditions(
        heldUpLimit: 50, isDecisive: { $0["lost"].number > 0 },
        shortfall: { Conditions.fewer($0, "served", than: 100, "connections served") }),
    keys: ["served", "lost"],
    observe: {
        try withReuseportClients(of: try ReuseportGroup(count: 2)) { group, clients in
            try group.serve([0, 1], for: 100_000_000)
            try group.serve([1], for: 20_000_000)
            try attachClassicReuseportProgram(to: group[0], selecting: 1)
            let drained = try group.drain(0, serving: 1)
            group.close(0)
            try group.serve([0], for: 100_000_000)
            let tally = try clients.finish(with: group)
            return ["served": tally.served, "lost": tally.lost, "drained": drained]
        }
    },
    judge: { .init(holds: $0["lost"] == 0) },
    explain: {
        "\($0["served"]) connections were served and \($0["lost"]) lost while a listener was taken out of service."
    })

extension ReuseportGroup {
    /// Serves two listeners until nothing has come to the first for a while; returns how many connections it had.
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
