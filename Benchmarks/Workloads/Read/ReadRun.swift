import LinuxDescriptors
import LinuxReadiness
import LinuxSockets
import Meters
import Records
import SystemPackage

/// Carries out one read run: connects everything, then lets the clients exchange messages with the workers.
func measureRead(_ plan: RunPlan, _ interruption: Interruption) throws(RunError) -> Measurement {
    let memoryBefore = MemoryUse.read()
    let countersBefore = KernelCounters.read()
    let server = try EchoServer(plan)
    let start = ClientStart()
    let failure = try makeSignal()
    let clients = connectClients(plan, server.address, failure: failure.descriptor, start)
    let connections: [CInt]
    let team: EchoTeam
    do {
        guard let accepted = try acceptAll(plan, server, unless: failure.descriptor, interruption) else {
            start.giveUp()
            for client in clients { _ = client.join() }
            var measurement = Measurement()
            measurement.note(.interrupted)
            return measurement
        }
        connections = accepted
        team = try server.startWorkers(connections)
    } catch {
        start.giveUp()
        for case .failure(let error) in clients.map({ $0.join() }) { throw RunError("client", error) }
        throw error
    }
    // All connections are made here, so a queue that overflows later is somebody else's.
    let listenOverflows = KernelCounters.read().overflows(since: countersBefore)
    let memoryAfter = MemoryUse.read()
    var measurement: Measurement
    do throws(Errno) {
        measurement = try measureWindow(
            team.workers, clientFailure: failure.descriptor, warmupNanoseconds: plan.warmupNanoseconds,
            durationNanoseconds: plan.durationNanoseconds, isOpenLoop: plan.load.isOpen, interruption
        ) { window, abandonment in
            start.begin(window, abandonment)
            return clients
        }
    } catch {
        // Whoever has not begun would wait for ever.
        start.giveUp()
        for client in clients { _ = client.join() }
        _ = team.finish(server)
        throw RunError("client", error)
    }
    measurement.listenOverflows = listenOverflows
    measurement.openPeak = UInt64(team.openPeak)
    measurement.judge(plan, workerError: team.finish(server))
    measurement.noteMemory(from: memoryBefore, to: memoryAfter, connections: connections.count)
    return measurement
}

/// All connections; nil if the user wants to stop.
private func acceptAll(
    _ plan: RunPlan, _ server: EchoServer, unless failure: BorrowedDescriptor, _ interruption: Interruption
) throws(RunError) -> [CInt]? {
    do throws(Errno) {
        return try server.acceptAll(plan.connections + plan.idle, unless: failure, or: interruption.descriptor)
    } catch .interrupted {
        return nil
    } catch {
        throw RunError("accept of \(plan.connections + plan.idle) connections", error)
    }
}

/// Clients connect first and begin when the window is known.
private func connectClients(
    _ plan: RunPlan, _ address: SocketAddress, failure: BorrowedDescriptor, _ start: ClientStart
) -> [BenchThread<ClientResult>] {
    (0..<plan.clients).map { index in
        clientThread(plan, index, failure: failure) { () throws(Errno) in
            var client = try EchoClient(
                plan, to: address, connections: share(plan.connections, index, of: plan.clients),
                idle: share(plan.idle, index, of: plan.clients), seed: plan.seed &+ UInt64(index))
            guard let (window, abandonment) = start.wait() else { return ClientResult() }
            var arrivals = Arrivals(plan, client: index, window)
            sleepUntil(nanoseconds: window.loadStart)
            try exchangeMessages(
                &client, &arrivals, window, isClosedLoop: plan.load == .closedLoop, abandonment)
            return client.result(arrivals)
        }
    }
}
