import LinuxReadiness
import Loops
import SystemPackage

/// An epoll set that several threads of a script use.
final class ScriptSet: Sendable {
    let epoll: Epoll

    init() throws(Errno) { epoll = try Epoll() }

    /// One set for all threads, or one for each; thread `n` uses set `n % count`.
    static func sets(_ topology: Topology, threads: Int) throws(Errno) -> [ScriptSet] {
        var sets: [ScriptSet] = []
        for _ in 0..<(topology == .sharedSet ? 1 : threads) { sets.append(try ScriptSet()) }
        return sets
    }

    /// Waits for one event; nil after the timeout.
    func waitForOne(milliseconds: CInt = Patience.waitMilliseconds) throws(Errno) -> EpollEvent? {
        let events = EpollEventBuffer(capacity: 1)
        let count = try epoll.wait(into: events, timeout: .milliseconds(milliseconds))
        return count > 0 ? events[0] : nil
    }
}
