import LinuxSockets
import SystemPackage

/// What becomes of connections that wait at a listener which is closed.
///
/// 1. Two listeners share a port; 400 clients connect, and the kernel's hash spreads them over the two queues.
/// 2. Nobody has accepted anything when the first listener is closed.
/// 3. Everything is accepted from the second one, and each client is sent a byte.
/// 4. Each client either gets the byte or finds its connection reset.
///
/// Three times: as the system is; in a network namespace with `net.ipv4.tcp_migrate_req` set; and in one without it,
/// where an eBPF program selects for migrating connections too.
extension Experiment {
    static let reuseportCloseLoss = Experiment(
        id: "reuseport-close-loss",
        statement: "when one listener of a SO_REUSEPORT group is closed, the connections in its queue are lost",
        source: .m1, descriptors: closeDescriptors, keys: closeKeys,
        observe: {
            let observed = try closeOneOfTwo()
            guard networkParameter(migration) == "1" else { return observed }
            return observed.with(detail: "\(migration) is 1 on this system")
        },
        judge: { ($0.integer("reset") ?? 0) > 0 ? .holds : .doesNotHold }, explain: closeFinding)

    static let reuseportCloseMigrate = Experiment(
        id: "reuseport-close-migrate",
        statement: "with net.ipv4.tcp_migrate_req=1 they move to another listener and none is lost",
        source: .manual("ip-sysctl"), descriptors: closeDescriptors, keys: closeKeys,
        observe: {
            try inOwnNetworkNamespace {
                try setNetworkParameter(migration, to: "1")
                return try closeOneOfTwo()
            }
        },
        judge: noneLost, explain: closeFinding)

    static let reuseportProgramMigrate = Experiment(
        id: "reuseport-ebpf-migrate",
        statement: "an eBPF program at SO_REUSEPORT allows a design in which none is lost when a listener is closed",
        source: .m1, descriptors: closeDescriptors, keys: closeKeys,
        observe: {
            try inOwnNetworkNamespace {
                try setNetworkParameter(migration, to: "0")
                return try closeOneOfSelected()
            }
        },
        judge: noneLost, explain: closeFinding)
}

private let migration = "net.ipv4.tcp_migrate_req"
/// Both ends of each connection.
private let closeDescriptors = 900
private let closeKeys = ["queued", "served", "reset"]

/// The scene with whatever the system does by itself.
private func closeOneOfTwo() throws -> Observed {
    var scene = try CloseScene()
    try scene.connect()
    return try scene.closeFirst()
}

/// The scene with a program that is told to leave the first listener before it is closed.
private func closeOneOfSelected() throws -> Observed {
    let selector = try loadSelector()
    var scene = try CloseScene()
    for place in 0..<scene.group.count { try selector.insert(scene.group[place], at: place) }
    try selector.choose([0, 1])
    try selector.attach(to: scene.group[0])
    try scene.connect()
    try selector.choose([1])
    return try scene.closeFirst()
}

private func loadSelector() throws -> ReuseportSelector {
    do throws(Errno) {
        return try ReuseportSelector(capacity: 2)
    } catch {
        throw loadingFailed(error, requirement: "selecting for closed listeners needs Linux 5.14")
    }
}

/// Two listeners with connections that wait at them.
private struct CloseScene: ~Copyable {
    var group: ReuseportGroup
    private var clients: [GroupConnection] = []
    private let queued = 400

    init() throws {
        group = try ReuseportGroup(count: 2)
    }

    mutating func connect() throws {
        clients = try connectClients(to: group.address, count: queued)
        try Patience.until("the connections wait to be accepted") { group.waiting == queued }
    }

    /// Closes the first listener, and serves what the second one has.
    mutating func closeFirst() throws -> Observed {
        let waiting = acceptQueueLength(of: group[0])
        group.close(0)
        let served = try group.serve(0)
        let fates = try fates(clients)
        guard fates[.served, default: 0] == served.count else {
            throw Undecided("\(served.count) connections were served and not all clients know of it: \(fates)")
        }
        return [
            "queued": queued, "served": served.count, "reset": fates[.reset, default: 0],
            "waiting_at_closed": waiting,
        ]
    }
}

private func noneLost(_ observed: Observed) -> ClaimVerdict {
    observed.integer("reset") == 0 && observed["served"] == observed["queued"] ? .holds : .doesNotHold
}

private func closeFinding(_ observed: Observed) -> String {
    "Of \(observed["queued"] ?? "") connections \(observed["served"] ?? "") were served and "
        + "\(observed["reset"] ?? "") reset after one of two listeners was closed."
}
