import LinuxSockets
import Meters
import SystemPackage

/// Clients of a group for as long as an experiment lasts: a thread that connects in batches and waits for the fate of
/// each connection, so that connections wait at the listeners at any time.
final class ReuseportClients {
    private let thread: ScriptThread
    private let work: ScriptStep<Tally>

    struct Tally {
        var served = 0
        var lost = 0
    }

    init(to address: SocketAddress) throws(Errno) {
        let thread = try ScriptThread("clients")
        self.thread = thread
        work = thread.start {
            var tally = Tally()
            while !thread.isEndRequested { try Self.exchange(address, &tally) }
            return tally
        }
    }

    private static func exchange(_ address: SocketAddress, _ tally: inout Tally) throws(Errno) {
        var clients: [GroupConnection] = []
        for _ in 0..<16 {
            do throws(Errno) {
                clients += try connectClients(to: address, count: 1)
            } catch .connectionRefused, .connectionReset {
                tally.lost += 1
                // There is no listener for a moment, so trying at once would fail again.
                sleepUntil(nanoseconds: monotonicNanoseconds() + 1_000_000)
            }
        }
        let served = try fates(clients)[.served, default: 0]
        tally.served += served
        tally.lost += clients.count - served
    }

    /// Serves the first listener until they have finished what they have begun; what became of them.
    func finish(with group: borrowing ReuseportGroup) throws -> Tally {
        thread.requestEnd()
        while !work.isFinished { try group.serve([0], for: 1_000_000) }
        return try work.result()
    }

    /// Waits for their end, for which the listeners must be closed or served.
    fileprivate func end() { thread.end() }
}

/// Runs `body` while clients connect to a group. They have ended and the group is closed when this returns or throws,
/// so that no later experiment is disturbed.
func withReuseportClients<Success>(
    of group: consuming ReuseportGroup, _ body: (inout ReuseportGroup, ReuseportClients) throws -> Success
) throws -> Success {
    let clients = try ReuseportClients(to: group.address)
    var group = group
    let result = Result { try body(&group, clients) }
    group.end()
    clients.end()
    return try result.get()
}
