import LinuxDescriptors
import Load
import Meters
import Servers
import SystemPackage

/// What loads a server: threads of this process, or other hosts.
protocol Clients: Sendable {
    /// Readable when one of them failed; borrowed.
    var failure: BorrowedDescriptor { get }
    /// What each thread of this process uses.
    var accounts: [ThreadAccount] { get }
    /// True when all have ended.
    var isFinished: Bool { get }
    /// Tells them to give up at once.
    var abandonment: Abandonment { get }
    /// By how much a window has to begin later, so that they know of it before; in nanoseconds.
    var leadNanoseconds: UInt64 { get }

    /// True if all are ready or have failed within a time.
    func areReady(withinSeconds seconds: Double) -> Bool
    /// Waits until all are ready or have failed.
    func waitUntilReady()
    /// Lets them begin.
    func begin(_ window: RunWindow)
    /// Ends those that have not begun.
    func giveUp()
    /// Waits for all, and returns what they saw.
    func join() -> [Result<ClientResult, Errno>]
    /// Why one failed; nil if none has, or that is all that is known.
    func reason(_ plan: RunPlan) -> RunError?
    /// Fills in what the snapshots of this process do not have.
    func complete(_ measurement: inout Measurement)
}

extension ClientTeam: Clients {
    var leadNanoseconds: UInt64 { 0 }

    /// As TLS has it where that is known.
    func reason(_ plan: RunPlan) -> RunError? {
        cause.map { RunError(failed: "\($0): \($0.remedy(plan))") }
    }

    func complete(_ measurement: inout Measurement) {}
}

extension RunPlan {
    /// Starts what loads a server, which is ended where that is not possible.
    func startClients(_ load: LoadPlan, of server: some Server) throws(RunError) -> any Clients {
        do throws(RunError) {
            guard let loadHosts else { return try ClientTeam(load, to: server.address, placement, seed: seed) }
            return try RemoteClients(loadHosts, load, to: server.address, seed: seed)
        } catch {
            _ = server.end(windowEnd: 0)
            throw error
        }
    }

    /// Why clients failed.
    func clientError(_ error: Errno, _ clients: some Clients) -> RunError {
        clients.reason(self) ?? RunError("client", error)
    }
}
