import Glibc
package import LinuxDescriptors
import LinuxReadiness
package import LinuxSockets
package import Loops
package import Meters
import SystemPackage

/// A server of our own loops, whose workers are threads of this process.
package final class LocalServer: TeamServer {
    private let plan: ServerPlan
    private let traffic: Traffic
    private let listeners: ListenerGroup
    /// The threads and what they work on; nil until ``prepare(unless:)``.
    private var running: (team: WorkerTeam, job: any ServerJob)?

    /// Listens; clients can connect from here on.
    package init(_ plan: ServerPlan, expecting traffic: Traffic) throws(RunError) {
        self.plan = plan
        self.traffic = traffic
        listeners = try ListenerGroup(plan, traffic)
    }

    package var address: SocketAddress { listeners.address }

    package func prepare(unless endings: [BorrowedDescriptor]) throws(RunError) -> Bool {
        let stop = try makeSignal()
        var connections: [CInt] = []
        if traffic.arrival == .beforehand {
            let count = traffic.connections + traffic.idle
            do throws(Errno) {
                guard let accepted = try listeners.acceptAll(count, unless: endings) else { return false }
                connections = accepted
            } catch {
                throw RunError("accept of \(count) connections", error)
            }
        }
        do throws(RunError) {
            running = try start(connections, stop)
        } catch {
            for connection in connections { close(connection) }
            throw error
        }
        return true
    }

    /// Starts the workers, which own the connections; they wait at the gate.
    private func start(
        _ connections: [CInt], _ stop: consuming EventFD
    ) throws(RunError) -> (WorkerTeam, any ServerJob) {
        let descriptors = listeners.descriptors
        let job: any ServerJob =
            traffic.workload == .accept
            ? try AcceptJob(plan, traffic, listeners: descriptors, stop: stop.descriptor)
            : try EchoJob(
                plan, traffic, listeners: traffic.arrival == .anytime ? descriptors.map(\.rawValue) : [],
                connections: connections, stop: stop.descriptor)
        let team = try WorkerTeam(
            count: plan.workerThreads(for: traffic), dispatchers: plan.loop.mode.capabilities.handsOver ? 1 : 0,
            plan.loop.placement,
            stop: stop, calls: plan.loop.calls, hasPollers: plan.loop.mode.options.poller != nil
        ) { (member) throws(Errno) in
            try job.run(member)
        }
        return (team, job)
    }

    package var team: WorkerTeam {
        guard let running else { preconditionFailure("not prepared") }
        return running.team
    }

    package func end(windowEnd: UInt64) -> ServerReport {
        var report = ServerReport(steeringFallbacks: listeners.steeringFallbacks)
        if let (team, job) = running {
            report.starvationNanoseconds = team.starvation(windowEnd: windowEnd)
            // Only threads that wait in a call itself need the shutdown; others would see its EINVAL.
            report.error = team.finish {
                job.release(team.meters.workers)
                guard plan.loop.mode.capabilities.waitsInCall else { return }
                listeners.stopAccepting()
                job.hangUp()
            }
            job.closeLeftovers()
            report.failures = team.failures.failures
            // Each thread's own peak is counted, and the peaks may have been at different times: there cannot have been
            // more than the clients had open.
            report.openPeak =
                job.openPeak.map { UInt64($0) } ?? min(team.openPeak, UInt64(traffic.connections))
        }
        // A ring releases its listener some time after its end; the port is to be free for the next run at once.
        listeners.stopAccepting()
        return report
    }
}
