import CSocketExtras
import Glibc
package import LinuxDescriptors
import LinuxReadiness
package import LinuxSockets
package import Loops
package import Meters
import SystemPackage

/// A server of our own loops that echoes datagrams: a socket for each worker, on one port.
package final class DatagramServer: TeamServer {
    private let plan: ServerPlan
    private let traffic: Traffic
    private let endpoints: [DatagramEndpoint]
    package let address: SocketAddress
    /// The threads and what they work on; nil until ``prepare(unless:)``.
    private var running: (team: WorkerTeam, job: DatagramJob)?

    /// Binds; what clients send waits from here on.
    package init(_ plan: ServerPlan, expecting traffic: Traffic) throws(RunError) {
        self.plan = plan
        self.traffic = traffic
        let first = try Self.bind(plan, to: plan.address)
        do throws(Errno) {
            address = try first.socket.localAddress
        } catch {
            throw RunError("getsockname", error)
        }
        var endpoints = [first]
        for _ in 1..<max(plan.workers, 1) { endpoints.append(try Self.bind(plan, to: address)) }
        self.endpoints = endpoints
    }

    package func prepare(unless endings: [BorrowedDescriptor]) throws(RunError) -> Bool {
        let stop = try makeSignal()
        let job = DatagramJob(plan, traffic, endpoints, stop: stop.descriptor)
        let team = try WorkerTeam(
            count: plan.workers, plan.loop.placement, stop: stop, calls: plan.loop.calls
        ) { (member) throws(Errno) in
            try job.run(member)
        }
        running = (team, job)
        return true
    }

    package var team: WorkerTeam {
        guard let running else { preconditionFailure("not prepared") }
        return running.team
    }

    package func end(windowEnd: UInt64) -> ServerReport {
        var report = ServerReport()
        guard let (team, job) = running else { return report }
        report.starvationNanoseconds = team.starvation(windowEnd: windowEnd)
        // Only threads that wait in a call itself need the shutdown.
        report.error = team.finish {
            if plan.loop.mode.capabilities.waitsInCall { job.hangUp() }
        }
        report.failures = team.failures.failures
        return report
    }

    /// A socket as a mode needs it, bound to an address; port 0 lets the kernel choose.
    ///
    /// - Throws: the call that failed, and why.
    static func bind(_ plan: ServerPlan, to address: SocketAddress) throws(RunError) -> DatagramEndpoint {
        let mode = plan.loop.mode
        var call = "socket"
        do throws(Errno) {
            let socket = try DatagramSocket(
                for: address, mode.capabilities.socketsBlock ? StreamSocket.Blocking.blocking : .nonblocking)
            call = "setsockopt"
            if plan.workers > 1 { try setSocketOption(.reusePort, on: socket.descriptor) }
            if mode.options.datagramCalls == .segments { try setSocketOption(.coalescing, on: socket.descriptor) }
            call = "bind to \(address)"
            try socket.bind(to: address)
            return DatagramEndpoint(socket)
        } catch {
            throw RunError(call, error)
        }
    }
}
