import Foundation
import Glibc
import LinuxDescriptors
import LinuxReadiness
import LinuxSockets
import Meters
import SystemPackage

/// A connection of a coordinator to its agent. A thread of its own takes what arrives, and says that the coordinator is
/// there while nothing else is said.
final class AgentLink: @unchecked Sendable {
    // Unchecked: what changes is guarded by `lock`; `asking` is held as long as a question is under way.
    private let channel: AgentChannel
    private let lock = NSLock()
    private let asking = NSLock()
    private var reply: AgentReply?
    private var scheduled: [HostSnapshot] = []
    private var whyEnded: String?
    /// Readable when a reply has come, or something unasked, or the end of the connection.
    private let arrival: EventFD
    /// Readable when the server has failed or the connection has ended.
    private let alarm: EventFD

    /// How long an answer may take that needs nothing but the agent.
    static let patience = 15.0
    /// Often enough for an agent that gives up after ``AgentSession/silence``.
    private static let heartbeat: UInt64 = 4_000_000_000

    init(_ channel: AgentChannel) throws(RunError) {
        self.channel = channel
        arrival = try makeSignal()
        alarm = try makeSignal()
        if let error = Self.startQuietly({ [self] in receive() }) { throw RunError("pthread_create", error) }
    }

    /// The thread may be made before the program blocks the signals that end it, which are not for this thread.
    private static func startQuietly(_ body: @escaping @Sendable () -> Void) -> Errno? {
        var (all, before) = (sigset_t(), sigset_t())
        unsafe sigfillset(&all)
        unsafe pthread_sigmask(SIG_BLOCK, &all, &before)
        defer { unsafe pthread_sigmask(SIG_SETMASK, &before, nil) }
        return startThread(body)
    }

    /// Readable when the server has failed or the connection has ended; borrowed.
    var failure: BorrowedDescriptor { alarm.descriptor }

    /// Why the connection has ended; nil if it has not.
    var end: String? { lock.withLock { whyEnded } }

    /// Ends the connection.
    func finish() { end(with: "the connection was closed here") }

    // MARK: Questions

    /// Asks, and waits for the answer.
    ///
    /// - Parameters:
    ///   - seconds: how long it may take; then the connection is of no use any more.
    ///   - endings: when one becomes readable the agent is told to leave it, and answers that it does.
    /// - Throws: why there is no answer.
    func ask(
        _ request: AgentRequest, seconds: Double = AgentLink.patience, unless endings: [BorrowedDescriptor] = []
    ) throws(ProtocolError) -> AgentReply {
        asking.lock()
        defer { asking.unlock() }
        lock.withLock { reply = nil }
        try sendOrEnd(request)
        var deadline = monotonicNanoseconds() + UInt64(seconds * 1e9)
        var others = endings
        while true {
            let ready = readable(among: [arrival.descriptor] + others, until: deadline)
            if ready[0] {
                _ = try? arrival.take()
                if let answer = lock.withLock({ reply }) { return answer }
                if let end { throw ProtocolError(end) }
            } else if ready.contains(true) {
                others = []
                deadline = monotonicNanoseconds() + UInt64(Self.patience * 1e9)
                try sendOrEnd(.cancel)
            } else {
                end(with: "no answer within \(Int(seconds)) s")
                throw ProtocolError(end ?? "no answer")
            }
        }
    }

    private func sendOrEnd(_ request: AgentRequest) throws(ProtocolError) {
        do throws(ProtocolError) {
            try channel.send(request)
        } catch {
            end(with: "\(error)")
            throw ProtocolError(end ?? "\(error)")
        }
    }

    /// Forgets what an earlier server has said.
    func forgetServer() {
        lock.withLock {
            scheduled = []
            if whyEnded == nil { _ = try? alarm.take() }
        }
    }

    /// The next reading that the agent makes by itself.
    ///
    /// - Throws: why there is none.
    func scheduledSnapshot(until deadline: UInt64) throws(ProtocolError) -> HostSnapshot {
        asking.lock()
        defer { asking.unlock() }
        while true {
            if let snapshot = lock.withLock({ scheduled.isEmpty ? nil : scheduled.removeFirst() }) { return snapshot }
            if let end { throw ProtocolError(end) }
            guard readable(among: [arrival.descriptor], until: deadline)[0] else {
                end(with: "no reading came at the window's end")
                continue
            }
            _ = try? arrival.take()
        }
    }

    // MARK: What arrives

    private func receive() {
        do throws(ProtocolError) {
            while true {
                let deadline = monotonicNanoseconds() + Self.heartbeat
                if let message = try channel.receive(until: deadline) {
                    take(try AgentReply(message: message))
                } else if asking.try() {
                    defer { asking.unlock() }
                    try channel.send(AgentRequest.alive)
                }
            }
        } catch {
            end(with: "\(error)")
        }
    }

    private func take(_ message: AgentReply) {
        lock.withLock {
            switch message {
            case .scheduled(let snapshot): scheduled.append(snapshot)
            case .failed: _ = try? alarm.add()
            default: reply = message
            }
        }
        _ = try? arrival.add()
    }

    private func end(with reason: String) {
        let isFirst = lock.withLock {
            defer { whyEnded = whyEnded ?? reason }
            return whyEnded == nil
        }
        guard isFirst else { return }
        channel.finish()
        _ = try? alarm.add()
        _ = try? arrival.add()
    }
}
