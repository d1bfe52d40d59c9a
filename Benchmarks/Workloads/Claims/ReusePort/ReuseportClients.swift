import LinuxSockets
import Meters
import SystemPackage

/// Clients of a group for as long as an experiment lasts: a thread that connects in batches and waits for the fate of
/// each connection, so that connections wait at the listeners at any time.
final class ReuseportClients: Sendable {
    private let thread: ScriptThread
    private let ending = Abandonment()
    private let work: ScriptStep<Tally>

    /// What has become of them.
    struct Tally {
        var served = 0
        var lost = 0
    }

    private static let batch = 16

    /// Starts connecting.
    init(to address: SocketAddress) throws(Errno) {
        let ending = ending
        thread = try ScriptThread("clients")
        work = thread.start {
            var tally = Tally()
            while !ending.isRequested { try Self.exchange(address, &tally) }
            return tally
        }
    }

    private static func exchange(_ address: SocketAddress, _ tally: inout Tally) throws(Errno) {
        var clients: [GroupConnection] = []
        for _ in 0..<batch {
            do throws(Errno) {
                clients += try connectClients(to: address, count: 1)
            } catch .connectionRefused, .connectionReset {
                tally.lost += 1
                // Nobody listens for a moment, which is not to be spent on trying.
                sleepUntil(nanoseconds: monotonicNanoseconds() + 1_000_000)
            }
        }
        let served = try fates(clients)[.served, default: 0]
        tally.served += served
        tally.lost += clients.count - served
    }

    /// Lets them finish what they have begun, while somebody serves.
    func stop() {
        ending.request()
    }

    /// True when they have finished.
    var isDone: Bool { work.isFinished }

    /// What has become of them, when they have finished.
    func tally() throws -> Tally { try work.result() }

    /// Waits until they have finished, for which the listeners must be closed or served.
    fileprivate func end() {
        stop()
        thread.end()
    }
}

/// Runs `body` while clients connect to a group. Whatever happens, they are gone and the group is closed when this
/// returns, so that no later experiment is disturbed.
func withReuseportClients<Success>(
    of group: consuming ReuseportGroup, _ body: (inout ReuseportGroup, ReuseportClients) throws -> Success
) throws -> Success {
    let clients = try ReuseportClients(to: group.address)
    var group = group
    let result: Result<Success, any Error>
    do {
        result = .success(try body(&group, clients))
    } catch {
        result = .failure(error)
    }
    group.end()
    clients.end()
    return try result.get()
}
