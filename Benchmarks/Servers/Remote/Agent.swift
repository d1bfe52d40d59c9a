import Foundation
import Glibc
package import LinuxDescriptors
import LinuxReadiness
package import LinuxSockets
package import Meters
import SystemPackage

/// Runs servers for coordinators that know the secret, one coordinator at a time.
///
/// One thread waits for the listener, for those that have not proved themselves, and for the end. None of them can hold it
/// up: it never waits for one alone, each has five seconds, and of too many the oldest goes.
package final class Agent {
    /// Where it listens.
    package let address: SocketAddress
    private let listener: Listener
    private let settings: AgentSettings
    private let authentication: MessageAuthentication
    private var strangers: [Stranger] = []
    private var session: RunningSession?
    /// Readable when the session has ended.
    private let ended: EventFD
    private var lines: LineLimit

    /// So many may be about it at once.
    static let mostStrangers = 64

    /// Listens.
    ///
    /// - Throws: one line, also where there is no OpenSSL.
    package init(_ wanted: SocketAddress, _ settings: AgentSettings) throws(RunError) {
        guard let authentication = MessageAuthentication.installed else { throw RunError(unsupported: noLibcrypto) }
        self.authentication = authentication
        self.settings = settings
        lines = LineLimit(settings.log)
        ended = try makeSignal()
        do throws(Errno) {
            listener = try Listener(wanted, backlog: 128)
            address = try listener.address
        } catch {
            throw RunError("listen on \(wanted)", error)
        }
    }

    /// Serves until a descriptor becomes readable, and ends what it has started.
    package func run(until end: BorrowedDescriptor) throws(RunError) {
        let stop = try makeSignal()
        while true {
            let watched = [end, listener.descriptor, ended.descriptor] + strangers.map(\.descriptor)
            let ready = readable(among: watched, until: strangers.map(\.deadline).min() ?? .max)
            if ready[0] { break }
            if ready[2] { finishSession() }
            for (place, isReady) in ready.dropFirst(3).enumerated().reversed() where isReady {
                hear(place, stop.descriptor)
            }
            dropLate()
            if ready[1] { acceptAll() }
        }
        try? listener.stopAccepting()
        for stranger in strangers { stranger.close() }
        strangers = []
        _ = try? stop.add()
        guard session != nil else { return }
        if isReadable(ended.descriptor, milliseconds: 60_000) { finishSession() }
    }

    // MARK: Strangers

    private func acceptAll() {
        while true {
            var peer: SocketAddress?
            do throws(Errno) {
                guard let connection = try listener.accept(peer: &peer) else { return }
                if strangers.count >= Self.mostStrangers {
                    drop(0, "there were too many that did not say who they are")
                }
                strangers.append(Stranger(connection, peer, authentication, settings.secret, settings.version, .agent))
            } catch  where error.isOfOneConnection {
                continue
            } catch {
                // No descriptor is free: one comes back with whoever waits longest.
                if strangers.isEmpty {
                    sleepUntil(nanoseconds: monotonicNanoseconds() + 100_000_000)
                } else {
                    drop(0, "\(error)")
                }
                return
            }
        }
    }

    private func hear(_ place: Int, _ stop: BorrowedDescriptor) {
        let stranger = strangers[place]
        switch stranger.hear() {
        case .wait: break
        case .gone(let reason): drop(place, reason)
        case .known(let channel, let host):
            strangers.remove(at: place)
            guard session == nil else {
                let other = session?.peer ?? ""
                try? channel.send(AgentReply.busy("busy: another coordinator (\(other)) is being served"))
                channel.finish()
                settings.log("\(stranger.peer): sent away, since another coordinator is being served")
                return
            }
            settings.log("\(stranger.peer): serving it")
            begin(channel, settings.address ?? host, stranger.peer, stop)
        }
    }

    private func dropLate() {
        let now = monotonicNanoseconds()
        for place in strangers.indices.reversed() where strangers[place].deadline <= now {
            drop(place, "it did not say who it is within 5 s")
        }
    }

    private func drop(_ place: Int, _ reason: String) {
        let stranger = strangers.remove(at: place)
        stranger.close()
        lines.say("\(stranger.peer): sent away: \(reason)")
    }

    // MARK: The coordinator

    private struct RunningSession {
        let peer: String
        let thread: BenchThread<String>
    }

    private func begin(_ channel: AgentChannel, _ host: String, _ peer: String, _ stop: BorrowedDescriptor) {
        let (settings, done) = (settings, ended.descriptor)
        let thread = BenchThread("session", processor: nil, refused: { _ in signal(done) }) {
            defer { signal(done) }
            let reason = AgentSession(channel, settings, host: host, stop: stop).run()
            channel.finish()
            return reason
        }
        session = RunningSession(peer: peer, thread: thread)
    }

    private func finishSession() {
        _ = try? ended.take()
        guard let session else { return }
        self.session = nil
        switch session.thread.join() {
        case .success(let reason): settings.log("\(session.peer): \(reason)")
        case .failure(let error): settings.log("\(session.peer): pthread_create: \(error)")
        }
    }
}

/// Lets a line a second through, and counts the others: a thousand that knock are not to fill a disk.
private struct LineLimit {
    private let log: @Sendable (String) -> Void
    private var last: UInt64 = 0
    private var unsaid = 0

    init(_ log: @escaping @Sendable (String) -> Void) { self.log = log }

    mutating func say(_ line: String) {
        let now = monotonicNanoseconds()
        guard now - last >= 1_000_000_000 else {
            unsaid += 1
            return
        }
        log(line + (unsaid > 0 ? " (and \(unsaid) before)" : ""))
        (last, unsaid) = (now, 0)
    }
}
