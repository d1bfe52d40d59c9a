import Load
import Loops
import Meters
import Servers
import SystemPackage

/// Carries out one run of clients against a server: both are made ready, the measured window is cut, both are ended.
///
/// - Parameter start: starts the server, wherever it runs.
/// - Throws: ``RunError`` if it could not start. What goes wrong later is the measurement's status.
func measureNetwork<Started: Server>(
    _ plan: RunPlan, _ load: LoadPlan, _ interruption: Interruption, _ start: () throws(RunError) -> Started
) throws(RunError) -> Measurement {
    let memoryBefore = MemoryUse.read()
    let countersBefore = KernelCounters.read()
    let server = try start()
    let clients = try ClientTeam(load, to: server.address, plan.placement, seed: plan.seed)
    // Clients that have not begun would wait for ever.
    func endBoth() {
        clients.giveUp()
        _ = server.end(windowEnd: 0)
    }
    var measurement = Measurement()
    do throws(RunError) {
        guard try server.prepare(unless: [clients.failure, interruption.descriptor]) else {
            throw RunError("accept of \(load.connections + load.idle) connections", .canceled)
        }
    } catch {
        endBoth()
        if interruption.isRequested {
            measurement.note(.interrupted)
            return measurement
        }
        if let failure = clients.error { throw RunError("client", failure) }
        throw error
    }
    let countersPrepared = KernelCounters.read()
    let memoryAfter = MemoryUse.read()
    do throws(Errno) {
        measurement =
            try load.queued == nil
            ? measureWindow(server, clients, plan, interruption) : measureDrain(server, clients, interruption)
    } catch {
        endBoth()
        throw RunError("client", error)
    }
    // The connections of a read are all made by now: a queue that overflows in the window is another program's.
    let countersAfter = load.workload == .read ? countersPrepared : KernelCounters.read()
    measurement.listenOverflows = countersAfter.overflows(since: countersBefore)
    let report = server.end(windowEnd: measurement.windowEnd)
    measurement.note(report)
    measurement.judge(plan, workerError: report.error)
    if load.workload == .read {
        measurement.noteMemory(from: memoryBefore, to: memoryAfter, connections: load.connections + load.idle)
    }
    return measurement
}
