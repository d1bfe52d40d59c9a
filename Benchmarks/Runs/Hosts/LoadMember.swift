import Foundation
import Glibc
import LinuxDescriptors
import LinuxReadiness
import LinuxSockets
import Load
import Meters
import Servers
import SystemPackage

/// A host that has joined, as the coordinator sees it. A thread of its own takes what arrives, and says that the
/// coordinator is there while nothing else is said.
final class LoadMember: @unchecked Sendable {
    // Unchecked: what changes is guarded by `lock`.
    let rank: Int
    let facts: LoadHostFacts
    /// `load host 1 (192.0.2.7:40000)`.
    let name: String
    /// Whether it has come over loopback.
    let isOnThisHost: Bool
    private let channel: AgentChannel
    private let silence: UInt64
    private let lock = NSLock()
    private var run: UInt64 = 0
    private var isReady = false
    private var outcome: Outcome?
    private var pong: (time: UInt64, arrival: UInt64)?
    private var whyLost: String?
    private var changed: (@Sendable () -> Void)?
    /// Readable when the time has come that was asked for, or the end of the connection.
    private let arrival: EventFD

    /// What a host's part of a run came to.
    enum Outcome {
        case result(HostResult)
        case failed(RunError)
    }

    /// - Parameter silence: how long nothing may be heard of it, in nanoseconds.
    init(
        rank: Int, _ facts: LoadHostFacts, at peer: String, _ channel: AgentChannel, silence: UInt64
    ) throws(RunError) {
        (self.rank, self.facts, self.channel, self.silence) = (rank, facts, channel, silence)
        isOnThisHost = SocketAddress(text: peer)?.isLoopback ?? false
        name = "load host \(rank) (\(peer))"
        arrival = try makeSignal()
        if let error = startThread({ [self] in receive() }) { throw RunError("pthread_create", error) }
    }

    /// Why it is gone; nil if it is there.
    var loss: String? { lock.withLock { whyLost } }

    /// Tells it that no other run comes.
    func end() {
        try? channel.send(LoadRequest.end)
        lose("the coordinator has ended")
    }

    // MARK: A run

    /// Has its clients connect, and wait.
    ///
    /// - Parameter changed: called from another thread when it is ready, has ended or is gone.
    func start(_ run: UInt64, _ order: LoadOrder, _ changed: @escaping @Sendable () -> Void) {
        lock.withLock {
            self.run = run
            self.changed = changed
            (isReady, outcome) = (false, nil)
        }
        send(.start(run: run, order))
    }

    /// Says something; what becomes of it is seen by ``loss``.
    func send(_ request: LoadRequest) {
        do throws(ProtocolError) {
            try channel.send(request)
        } catch {
            lose("\(error)")
        }
    }

    /// Whether its clients wait for their window.
    var isWaiting: Bool { lock.withLock { isReady } }

    /// What the run came to; nil if it goes on. Who is gone has failed.
    var runOutcome: Outcome? {
        lock.withLock { outcome ?? whyLost.map { .failed(RunError(failed: $0)) } }
    }

    /// How far its clock is ahead.
    func clock() throws(ProtocolError) -> ClockOffset {
        try ClockOffset { () throws(ProtocolError) in try askForTime() }
    }

    private func askForTime() throws(ProtocolError) -> (time: UInt64, arrival: UInt64) {
        _ = try? arrival.take()
        lock.withLock { pong = nil }
        try channel.send(LoadRequest.ping)
        let deadline = monotonicNanoseconds() + silence
        while readable(among: [arrival.descriptor], until: deadline)[0] {
            _ = try? arrival.take()
            if let pong = lock.withLock({ pong }) { return pong }
            if let loss { throw ProtocolError(loss) }
        }
        throw ProtocolError("it does not say what time it is")
    }

    // MARK: What arrives

    private func receive() {
        var heard = monotonicNanoseconds()
        do throws(ProtocolError) {
            while true {
                let message = try channel.receive(until: monotonicNanoseconds() + silence / 4)
                let now = monotonicNanoseconds()
                if let message {
                    heard = now
                    take(try LoadReply(message: message), at: now)
                } else if now - heard >= silence {
                    throw ProtocolError("nothing was heard of it for \(Double(silence / 1_000_000) / 1000) s")
                } else {
                    try channel.send(LoadRequest.alive)
                }
            }
        } catch {
            lose("\(error)")
        }
    }

    private func take(_ reply: LoadReply, at now: UInt64) {
        let report = lock.withLock { () -> (@Sendable () -> Void)? in
            switch reply {
            case .pong(let time): pong = (time, now)
            case .ready(run): isReady = true
            case .result(run, let result):
                outcome =
                    result.isSound ? .result(result) : .failed(RunError(failed: "its figures cannot be"))
            case .failed(run, let error): outcome = .failed(error)
            // What an earlier run came to is of no use any more.
            default: return nil
            }
            return changed
        }
        if case .pong = reply { _ = try? arrival.add() } else { report?() }
    }

    /// Ends the connection, for a reason that becomes the loss if there is none yet.
    func lose(_ reason: String) {
        let report = lock.withLock { () -> (@Sendable () -> Void)? in
            guard whyLost == nil else { return nil }
            whyLost = reason
            return changed ?? {}
        }
        guard let report else { return }
        channel.finish()
        _ = try? arrival.add()
        report()
    }
}

extension HostResult {
    fileprivate var isSound: Bool {
        seen.isSound && !seen.isProbe && probe?.isSound ?? true && probe?.isProbe ?? true
            && (1...1 << 16).contains(clients)
            && max(usage.cpuNanoseconds, usage.voluntarySwitches, usage.involuntarySwitches, usage.allocations) < 1
                << 56
    }
}
