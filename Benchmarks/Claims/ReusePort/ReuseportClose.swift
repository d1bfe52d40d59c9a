import LinuxSockets
import SystemPackage

/// What becomes of connections that wait at a listener which is closed: two listeners share a port, and the kernel's
/// hash spreads 400 clients over the two queues. The first listener is closed before anything is accepted; everything
/// is accepted from the second one, and each client either gets a byte or finds its connection reset.
///
/// Three times: as the system is; in a network namespace with `net.ipv4.tcp_migrate_req` set; and in one without it,
/// where an eBPF program selects for migrating connections too.
let reuseportCloseLoss = Experiment(
    id: "reuseport-close-loss",
    statement: "when one listener of a SO_REUSEPORT group is closed, the connections in its queue are lost",
    source: .m1, descriptors: closeDescriptors, keys: closeKeys,
    observe: {
        var observed = try closeOneOfTwo()
        if networkParameter(migration) == "1" { observed.detail = "\(migration) is 1 on this system" }
        return observed
    },
    judge: { .init(holds: $0["reset"].number > 0) }, explain: closeFinding)

let reuseportCloseMigrate = Experiment(
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

let reuseportProgramMigrate = Experiment(
    id: "reuseport-ebpf-migrate",
    statement: "an eBPF program at SO_REUSEPORT allows a design in which none is lost when a listener is closed",
    source: .m1, descriptors: closeDescriptors, keys: closeKeys,
    observe: {
        try inOwnNetworkNamespace {
            try setNetworkParameter(migration, to: "0")
            return try closeOneOfTwo(selects: true)
        }
    },
    judge: noneLost, explain: closeFinding)

private let migration = "net.ipv4.tcp_migrate_req"
/// Both ends of each connection.
private let closeDescriptors = 900
private let closeKeys = ["queued", "served", "reset"]

/// Closes the first of two listeners with connections that wait, and serves what the second one has.
///
/// - Parameter selects: whether a program is attached, and set to avoid the first listener before it is closed.
private func closeOneOfTwo(selects: Bool = false) throws -> Observed {
    let queued = 400
    var group = try ReuseportGroup(count: 2)
    let selector = selects ? Shared(try attachedSelector(to: group)) : nil
    let clients = try connectClients(to: group.address, count: queued)
    try Patience.until("the connections wait to be accepted") { group.waiting == queued }
    try selector?.value.choose([1])
    let waiting = acceptQueueLength(of: group[0])
    group.close(0)
    let served = try group.serve(0)
    let fates = try fates(clients)
    guard fates[.served, default: 0] == served.count else {
        throw Undecided("\(served.count) connections were served and not all clients know of it: \(fates)")
    }
    return [
        "queued": queued, "served": served.count, "reset": fates[.reset, default: 0], "waiting_at_closed": waiting,
    ]
}

private func attachedSelector(to group: borrowing ReuseportGroup) throws -> ReuseportSelector {
    let selector: ReuseportSelector
    do throws(Errno) {
        selector = try ReuseportSelector(capacity: 2)
    } catch {
        throw loadingFailed(error, requirement: "selecting for closed listeners needs Linux 5.14")
    }
    for place in 0..<group.count { try selector.insert(group[place], at: place) }
    try selector.choose([0, 1])
    try selector.attach(to: group[0])
    return selector
}

@Sendable private func noneLost(_ observed: Observed) -> ClaimVerdict {
    .init(holds: observed["reset"] == 0 && observed["served"] == observed["queued"])
}

@Sendable private func closeFinding(_ observed: Observed) -> String {
    "Of \(observed["queued"]) connections \(observed["served"]) were served and \(observed["reset"]) reset after one "
        + "of two listeners was closed."
}
