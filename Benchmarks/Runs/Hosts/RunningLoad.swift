import LinuxSockets
import LinuxDescriptors
import Load
import Meters
import Servers
import SystemPackage

/// The clients of one run on a host that loads, and what they have used so far.
final class RunningLoad {
    let run: UInt64
    private let team: ClientTeam
    private let clients: Int
    private var hasToldReady = false
    private var window: RunWindow?
    private var isAbandoned = false
    private var atStart: ThreadUsage?
    private var atEnd: ThreadUsage?

    /// What has come of it since the last look.
    enum News {
        case nothing
        case ready
        case failed(RunError)
        case ended(HostResult)
    }

    /// How often it looks whether the clients are ready, or have ended.
    private static let look: UInt64 = 2_000_000

    /// Starts the clients.
    init(_ run: UInt64, _ order: LoadOrder, _ placement: Placement) throws(RunError) {
        try order.check()
        let limit = Int(clamping: (try? DescriptorLimit.raise())?.soft ?? 1024)
        guard order.descriptorsNeeded <= limit else {
            throw RunError(
                failed:
                    "its part of the load needs \(order.descriptorsNeeded) descriptors and the limit is \(limit); raise "
                    + "it there (ulimit -n), or take more load hosts")
        }
        self.run = run
        clients = order.plan.threads
        team = try order.clients(placement)
    }

    func begin(_ window: RunWindow) {
        guard self.window == nil, !isAbandoned else { return }
        self.window = window
        team.begin(window)
    }

    func abandon() {
        isAbandoned = true
        if window == nil { team.giveUp() } else { team.abandonment.request() }
    }

    /// Ends the clients, and waits for them.
    func end() {
        team.abandonment.request()
        team.giveUp()
    }

    /// When there may be something new.
    func nextLook(_ now: UInt64) -> UInt64 {
        guard let window else { return now + Self.look }
        if atStart == nil { return min(max(window.start, now), now + 20_000_000) }
        if atEnd == nil { return min(max(window.end, now), now + 20_000_000) }
        return now + Self.look
    }

    /// Reads what is due to be read, and looks what the clients do.
    func look() -> News {
        let now = monotonicNanoseconds()
        if let window {
            if atStart == nil, now >= window.start { atStart = usage }
            if atStart != nil, atEnd == nil, now >= window.end { atEnd = usage }
        }
        if isReadable(team.failure, milliseconds: 0) { return failed() }
        guard window != nil || isAbandoned else {
            guard !hasToldReady, team.areReady(withinSeconds: 0) else { return .nothing }
            hasToldReady = true
            return .ready
        }
        return team.isFinished ? ended() : .nothing
    }

    private var usage: ThreadUsage { team.accounts.time + team.accounts.switches }

    private func failed() -> News {
        end()
        let error = team.error ?? .canceled
        if let cause = team.cause { return .failed(RunError(failed: "client: \(cause)")) }
        return .failed(RunError("client", error))
    }

    private func ended() -> News {
        var seen = ClientResult()
        var probe: ClientResult?
        for case .success(let result) in team.join() {
            if result.isProbe { probe = result } else { seen.add(result) }
        }
        let used = atStart.map { (atEnd ?? usage) - $0 } ?? ThreadUsage()
        return .ended(HostResult(seen: seen, probe: probe, usage: used, clients: clients))
    }
}
