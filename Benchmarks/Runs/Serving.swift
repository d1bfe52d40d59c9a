package import LinuxSockets
package import Loops
package import Meters
import Servers
import SystemPackage

/// Runs one of our servers for clients of other programs, until the user wants it to stop or a worker fails.
///
/// - Parameter ready: called with its address when it accepts connections.
/// - Throws: ``RunError`` if it cannot listen, and what a worker failed with.
/// - Returns: what its workers saw fail without failing themselves.
package func serve(
    _ plan: ServerPlan, _ traffic: Traffic, until interruption: Interruption, _ ready: (SocketAddress) -> Void
) throws(RunError) -> FailureTally {
    let server = try LocalServer(plan, expecting: traffic)
    var pauseError: RunError?
    do throws(RunError) {
        guard try server.prepare(unless: [interruption.descriptor]) else { return FailureTally() }
    } catch {
        _ = server.end(windowEnd: 0)
        throw error
    }
    server.begin(.never)
    ready(server.address)
    do throws(Errno) {
        let watch = try interruption.watch([server.failure])
        while try watch.pause(until: monotonicNanoseconds() + 3_600_000_000_000) == .over {}
    } catch {
        pauseError = RunError("epoll_wait", error)
    }
    let report = server.end(windowEnd: 0)
    if let error = report.error ?? pauseError { throw error }
    return report.failures
}
