import LinuxDescriptors
import LinuxSockets
import Meters
import Records
import SystemPackage

/// Carries out one accept run: starts server and clients, cuts the measured window, stops everything.
///
/// - Throws: ``RunError`` if it could not start. What goes wrong later is the measurement's status.
func measureAccept(_ plan: RunPlan, _ interruption: Interruption) throws(RunError) -> Measurement {
    let overflowsBefore = KernelCounters.read().listenOverflows
    let server = try AcceptServer(plan)
    var measurement: Measurement
    do throws(Errno) {
        if case .drain(let count) = plan.load {
            measurement = try drain(plan, count, server)
        } else {
            measurement = try measureWindow(
                server.team, warmupNanoseconds: plan.warmupNanoseconds,
                durationNanoseconds: plan.durationNanoseconds, interruption
            ) { window, abandonment in
                startClients(plan, server.address, window, abandonment)
            }
        }
    } catch {
        _ = server.finish()
        throw RunError("client", error)
    }
    measurement.listenOverflows = KernelCounters.read().listenOverflows &- overflowsBefore
    measurement.steeringFallbacks = server.steeringFallbacks
    measurement.judge(workerError: server.finish())
    return measurement
}

private func startClients(
    _ plan: RunPlan, _ address: SocketAddress, _ window: RunWindow, _ abandonment: Abandonment
) -> [BenchThread<ClientResult>] {
    (0..<plan.clients).map { index in
        BenchThread("client-\(index)", processor: plan.placement.processor(ofClient: index)) {
            () throws(Errno) in
            try unshareDescriptorTable(closingInherited: true)
            var client = try ConnectClient(
                to: address, capacity: share(plan.connections, index, of: plan.clients), window: window)
            var arrivals = Arrivals(plan, client: index, window)
            sleepUntil(nanoseconds: window.loadStart)
            try connectAndAwaitClose(&client, &arrivals, deadline: window.deadline, abandonment)
            return client.result
        }
    }
}

/// Queues all connections before the workers start; the window is the time until the last one is closed.
private func drain(_ plan: RunPlan, _ count: Int, _ server: AcceptServer) throws(Errno) -> Measurement {
    let queued = StartGate()
    let clock = DrainClock()
    let address = server.address
    let clients = (0..<plan.clients).map { index in
        BenchThread(
            "client-\(index)", processor: plan.placement.processor(ofClient: index), unpinned: queued.arriveOnly
        ) { () throws(Errno) in
            let connections = share(count, index, of: plan.clients)
            do throws(Errno) {
                try unshareDescriptorTable(closingInherited: true)
                var client = try ConnectClient(to: address, capacity: connections, window: .never)
                for _ in 0..<connections { try client.connect(startedAt: 0) }
                queued.arriveAndWait()
                client.restart(clock.window)
                var arrivals = Arrivals.none
                try connectAndAwaitClose(&client, &arrivals, deadline: clock.window.deadline, Abandonment())
                return client.result
            } catch {
                queued.arriveOnly()
                throw error
            }
        }
    }
    queued.waitForArrivals(plan.clients)
    func snapshot() -> Snapshot {
        Snapshot(server.team.meters, server: server.team.usage, client: totalUsage(clients))
    }
    let before = snapshot()
    clock.start()
    server.team.meters.setWindow(start: clock.window.start, end: .max)
    queued.open()
    server.team.start()
    let results = clients.map { $0.join() }
    let after = snapshot()

    var measurement = Measurement()
    Snapshot.difference(from: before, to: after, into: &measurement)
    try measurement.add(results)
    let end = max(measurement.lastAnswer, clock.window.start + 1)
    measurement.durationNanoseconds = end - clock.window.start
    measurement.noteServer(server.team.meters, windowEnd: end)
    return measurement
}

/// Thread `index`'s part of `total`.
func share(_ total: Int, _ index: Int, of count: Int) -> Int {
    max(total / count + (index < total % count ? 1 : 0), 1)
}
