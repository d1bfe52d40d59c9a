import LinuxDescriptors
import LinuxReadiness
import LinuxSockets
import Meters
import SystemPackage

/// Carries out one run of connect, request, response.
func measureCrr(_ plan: RunPlan, _ interruption: Interruption) throws(RunError) -> Measurement {
    let countersBefore = KernelCounters.read()
    let server = try EchoServer(plan)
    let team = try server.startWorkers([])
    var measurement: Measurement
    do throws(Errno) {
        measurement = try measureWindow(
            team.workers, warmupNanoseconds: plan.warmupNanoseconds, durationNanoseconds: plan.durationNanoseconds,
            isOpenLoop: plan.load.isOpen, interruption
        ) { window, abandonment in
            startClients(plan, server.address, failure: team.workers.failure.descriptor, window, abandonment)
        }
    } catch {
        _ = team.finish(server)
        throw RunError("client", error)
    }
    measurement.listenOverflows = KernelCounters.read().overflows(since: countersBefore)
    measurement.steeringFallbacks = server.steeringFallbacks
    measurement.openPeak = UInt64(team.openPeak)
    measurement.judge(plan, workerError: team.finish(server))
    return measurement
}

private func startClients(
    _ plan: RunPlan, _ address: SocketAddress, failure: BorrowedDescriptor, _ window: RunWindow,
    _ abandonment: Abandonment
) -> [BenchThread<ClientResult>] {
    (0..<plan.clients).map { index in
        clientThread(plan, index, failure: failure) { () throws(Errno) in
            var client = try RequestClient(
                plan, to: address, capacity: share(plan.connections, index, of: plan.clients), window)
            var arrivals = Arrivals(plan, client: index, window)
            sleepUntil(nanoseconds: window.loadStart)
            try requestAndAwaitReply(&client, &arrivals, deadline: window.deadline, abandonment)
            return client.result(arrivals)
        }
    }
}
