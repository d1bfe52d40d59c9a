import Histogram
import LinuxDescriptors
import LinuxReadiness
import LinuxSockets
import Meters
import Records
import SystemPackage

/// Carries out one accept run: starts server and clients, cuts the measured window, stops everything.
///
/// - Throws: ``RunError`` if it could not start. What goes wrong later is the measurement's status.
func measureAccept(_ plan: RunPlan, _ interruption: Interruption) throws(RunError) -> Measurement {
    let countersBefore = KernelCounters.read()
    let server = try AcceptServer(plan)
    var measurement: Measurement
    do throws(Errno) {
        if case .drain(let count) = plan.load {
            measurement = try drain(plan, count, server, interruption)
        } else {
            measurement = try measureWindow(
                server.team, warmupNanoseconds: plan.warmupNanoseconds,
                durationNanoseconds: plan.durationNanoseconds, isOpenLoop: plan.load.isOpen, interruption
            ) { window, abandonment in
                startClients(plan, server.address, failure: server.team.failure.descriptor, window, abandonment)
            }
        }
    } catch {
        _ = server.finish()
        throw RunError("client", error)
    }
    measurement.listenOverflows = KernelCounters.read().overflows(since: countersBefore)
    measurement.steeringFallbacks = server.steeringFallbacks
    // Each thread's own peak is counted, and the peaks may have been at different times: more than the clients had open
    // there cannot have been.
    measurement.openPeak = min(measurement.openPeak, UInt64(plan.outstanding))
    measurement.judge(plan, workerError: server.finish())
    return measurement
}

private func startClients(
    _ plan: RunPlan, _ address: SocketAddress, failure: BorrowedDescriptor, _ window: RunWindow,
    _ abandonment: Abandonment
) -> [BenchThread<ClientResult>] {
    (0..<plan.clients).map { index in
        clientThread(plan, index, failure: failure) { () throws(Errno) in
            var client = try ConnectClient(
                to: address, capacity: share(plan.connections, index, of: plan.clients), window: window)
            var arrivals = Arrivals(plan, client: index, window)
            sleepUntil(nanoseconds: window.loadStart)
            try connectAndAwaitClose(&client, &arrivals, deadline: window.deadline, abandonment)
            return client.result(arrivals)
        }
    }
}

/// Queues all connections before the workers start; the window is the time until the last one is closed.
private func drain(
    _ plan: RunPlan, _ count: Int, _ server: AcceptServer, _ interruption: Interruption
) throws(Errno) -> Measurement {
    let queue = DrainQueue()
    let end = try CountedEnd(of: plan.clients)
    let watch = try interruption.watch(failures: [server.team.failure.descriptor], end: end.descriptor)
    let clients = queueClients(plan, count, server.address, queue, end)
    queue.gate.waitForArrivals(plan.clients)
    let team = server.team
    func snapshot() -> Snapshot {
        Snapshot(team.meters, server: team.accounts, client: clients.map(\.account))
    }
    let before = snapshot()
    queue.clock.start()
    let window = queue.clock.window
    team.meters.setWindow(start: window.start, end: .max)
    queue.gate.open()
    team.start()
    let pause = try watch.pause(until: window.deadline)
    if pause != .over { queue.abandonment.request() }
    let results = clients.map { $0.join() }

    var measurement = Measurement()
    try measurement.add(results)
    awaitOperations(measurement.latencies.totalCount, of: team.meters)
    Snapshot.difference(from: before, to: snapshot(), into: &measurement)
    let lastAnswer = pause == .over ? measurement.lastAnswer : monotonicNanoseconds()
    let windowEnd = max(lastAnswer, window.start + 1)
    measurement.durationNanoseconds = windowEnd - window.start
    measurement.notePause(of: results, from: window.start, to: windowEnd)
    measurement.serverFailures = team.failures.failures
    measurement.noteServer(team.meters, windowEnd: windowEnd)
    measurement.note(pause)
    return measurement
}

/// Client threads that each queue their share, wait for the start, and wait for the closes.
private func queueClients(
    _ plan: RunPlan, _ count: Int, _ address: SocketAddress, _ queue: DrainQueue, _ end: CountedEnd
) -> [BenchThread<ClientResult>] {
    (0..<plan.clients).map { index in
        let fail = { @Sendable (_: Errno) in
            queue.gate.arriveOnly()
            end.arrive()
        }
        return BenchThread(
            "client-\(index)", processor: plan.placement.processor(ofClient: index), refused: fail
        ) { () throws(Errno) in
            let connections = share(count, index, of: plan.clients)
            do throws(Errno) {
                // What was open stays open in this table too: the thread signals its end through an eventfd.
                _ = try? unshareDescriptorTable()
                var client = try ConnectClient(to: address, capacity: connections, window: .never)
                for _ in 0..<connections { _ = try client.connect(startedAt: 0) }
                queue.gate.arriveAndWait()
                let window = queue.clock.window
                client.restart(window)
                var arrivals = Arrivals.none
                try connectAndAwaitClose(&client, &arrivals, deadline: window.deadline, queue.abandonment)
                end.arrive()
                return client.result
            } catch {
                fail(error)
                throw error
            }
        }
    }
}

/// Waits until the workers have counted what the clients saw: a worker counts an operation after the close that the
/// client waits for. A second is given up on, for a connection that the kernel closed without the worker.
private func awaitOperations(_ expected: UInt64, of meters: WorkerMeters) {
    let deadline = monotonicNanoseconds() + 1_000_000_000
    func counted() -> UInt64 { (0..<meters.count).map { meters[$0][.operations] }.reduce(0, +) }
    while counted() < expected && monotonicNanoseconds() < deadline {
        sleepUntil(nanoseconds: monotonicNanoseconds() + 50_000)
    }
}

/// Thread `index`'s part of `total`: nothing for the last ones if there are more threads.
func share(_ total: Int, _ index: Int, of count: Int) -> Int {
    total / count + (index < total % count ? 1 : 0)
}
