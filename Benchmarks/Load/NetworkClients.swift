package import LinuxSockets
package import Meters
import SystemPackage

extension ClientTeam {
    /// Starts the clients of a network plan. Those of a read run connect at once, and those of a drain queue all their
    /// connections; then all wait for the start.
    package convenience init(
        _ plan: LoadPlan, to address: SocketAddress, _ placement: Placement, seed: UInt64
    ) throws(RunError) {
        try self.init(count: plan.clients, placement, ownDescriptors: true) { (index, start) throws(Errno) in
            switch plan.workload {
            case .read: try exchange(plan, index, address, seed: seed, start)
            case .crr: try request(plan, index, address, seed: seed, start)
            default: try connect(plan, index, address, seed: seed, start)
            }
        }
    }
}

private func connect(
    _ plan: LoadPlan, _ index: Int, _ address: SocketAddress, seed: UInt64, _ start: ClientStart
) throws(Errno) -> ClientResult {
    let connections = share(plan.traffic.connections, index, of: plan.clients)
    var client = try ConnectClient(to: address, capacity: connections)
    if plan.queued != nil {
        for _ in 0..<connections { _ = try client.connect(startedAt: 0) }
    }
    guard let (window, abandonment) = start.wait() else { return ClientResult() }
    client.begin(window, isQueued: plan.queued != nil)
    var arrivals = plan.queued == nil ? Arrivals(plan, client: index, seed: seed, window) : .none
    sleepUntil(nanoseconds: window.loadStart)
    try connectAndAwaitClose(&client, &arrivals, deadline: window.deadline, abandonment)
    return client.result(arrivals)
}

private func request(
    _ plan: LoadPlan, _ index: Int, _ address: SocketAddress, seed: UInt64, _ start: ClientStart
) throws(Errno) -> ClientResult {
    var client = try RequestClient(plan, to: address, capacity: share(plan.connections, index, of: plan.clients))
    guard let (window, abandonment) = start.wait() else { return ClientResult() }
    client.begin(window)
    var arrivals = Arrivals(plan, client: index, seed: seed, window)
    sleepUntil(nanoseconds: window.loadStart)
    try requestAndAwaitReply(&client, &arrivals, deadline: window.deadline, abandonment)
    return client.result(arrivals)
}

private func exchange(
    _ plan: LoadPlan, _ index: Int, _ address: SocketAddress, seed: UInt64, _ start: ClientStart
) throws(Errno) -> ClientResult {
    var client = try EchoClient(
        plan, to: address, connections: share(plan.connections, index, of: plan.clients),
        idle: share(plan.idle, index, of: plan.clients), seed: seed &+ UInt64(index))
    guard let (window, abandonment) = start.wait() else { return ClientResult() }
    var arrivals = Arrivals(plan, client: index, seed: seed, window)
    sleepUntil(nanoseconds: window.loadStart)
    try exchangeMessages(&client, &arrivals, window, isClosedLoop: plan.ratePerSecond == nil, abandonment)
    return client.result(arrivals)
}

/// Thread `index`'s part of `total`: nothing for the last ones if there are more threads.
func share(_ total: Int, _ index: Int, of count: Int) -> Int {
    total / count + (index < total % count ? 1 : 0)
}
