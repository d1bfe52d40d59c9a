import Foundation
package import LinuxDescriptors
package import LinuxSockets
import Load
package import Meters
package import Servers
import SystemPackage

/// A host that loads for a coordinator: joins it, and runs clients for it until it ends.
package final class LoadHost {
    /// The number that the coordinator knows it by.
    package let rank: Int
    private let channel: AgentChannel
    private let settings: Settings
    private var load: RunningLoad?
    private var heard = monotonicNanoseconds()

    /// What its command line decides.
    package struct Settings: Sendable {
        /// What the coordinator must know.
        package var secret: AgentSecret
        /// What it must speak.
        package var version: AgentVersion
        /// What it says of itself.
        package var facts: LoadHostFacts
        /// Where its client threads run.
        package var placement = Placement.unpinned
        /// How long nothing may be heard of the coordinator, in nanoseconds.
        package var silence: UInt64 = 14_000_000_000
        /// Takes the latencies that its clients saw in a run, before the coordinator has them: its rank, the number of the
        /// run, from 1 on, and they.
        package var keep: @Sendable (Int, UInt64, LatencyRecorder) throws(RunError) -> Void = { _, _, _ in }

        /// Takes what there is no default for.
        package init(_ secret: AgentSecret, _ version: AgentVersion, _ facts: LoadHostFacts) {
            (self.secret, self.version, self.facts) = (secret, version, facts)
        }
    }

    private init(rank: Int, _ channel: AgentChannel, _ settings: Settings) {
        (self.rank, self.channel, self.settings) = (rank, channel, settings)
    }

    /// Joins, and tries again as long as nobody listens.
    ///
    /// - Parameters:
    ///   - addresses: of the coordinator, to be tried in turn.
    ///   - seconds: how long it tries.
    ///   - ending: ends it when it becomes readable.
    /// - Returns: nil if it was ended.
    /// - Throws: one line.
    package static func join(
        _ addresses: [SocketAddress], _ settings: Settings, seconds: Double, unless ending: BorrowedDescriptor
    ) throws(RunError) -> LoadHost? {
        let deadline = monotonicNanoseconds() + UInt64(seconds * 1e9)
        while true {
            var last = ProtocolError("no address")
            for address in addresses {
                let connection: Connection
                do throws(ProtocolError) {
                    connection = try reach(address, "is bench run --load-listen waiting there?")
                } catch {
                    last = error
                    continue
                }
                do throws(ProtocolError) {
                    return try enter(
                        try shakeHands(connection, settings.secret, settings.version, .load), settings, ending)
                } catch {
                    throw RunError(failed: "coordinator \(address): \(error)")
                }
            }
            guard monotonicNanoseconds() < deadline else { throw RunError(failed: last.description) }
            if readable(among: [ending], until: min(deadline, monotonicNanoseconds() + 100_000_000))[0] { return nil }
        }
    }

    private static func enter(
        _ channel: AgentChannel, _ settings: Settings, _ ending: BorrowedDescriptor
    ) throws(ProtocolError) -> LoadHost {
        try channel.send(LoadReply.hello(settings.facts))
        guard let message = try channel.receive(until: monotonicNanoseconds() + 10_000_000_000) else {
            throw ProtocolError("no welcome within 10 s")
        }
        switch try LoadRequest(message: message) {
        case .welcome(let rank): return LoadHost(rank: rank, channel, settings)
        case .refused(let reason): throw ProtocolError("it refuses: " + String(reason.prefix(500)))
        default: throw ProtocolError("no welcome")
        }
    }

    /// Loads until the coordinator ends it, or a descriptor becomes readable.
    ///
    /// - Throws: one line if the coordinator is lost.
    package func run(until ending: BorrowedDescriptor) throws(RunError) {
        defer {
            load?.end()
            channel.finish()
        }
        do throws(ProtocolError) {
            while true {
                while let message = try channel.receive(until: 0) {
                    heard = monotonicNanoseconds()
                    guard try take(try LoadRequest(message: message)) else { return }
                }
                try advance()
                let now = monotonicNanoseconds()
                guard now - heard < settings.silence else {
                    throw ProtocolError("nothing was heard of it for \(Double(settings.silence / 1_000_000) / 1000) s")
                }
                let next = min(heard + settings.silence, load?.nextLook(now) ?? .max)
                if readable(among: [ending, channel.descriptor], until: next)[0] { return }
            }
        } catch {
            throw RunError(failed: "coordinator: \(error)")
        }
    }

    /// False if no other run comes.
    private func take(_ request: LoadRequest) throws(ProtocolError) -> Bool {
        switch request {
        case .ping: try channel.send(LoadReply.pong(time: monotonicNanoseconds()))
        case .start(let run, let order):
            load?.end()
            load = nil
            do throws(RunError) {
                load = try RunningLoad(run, order, settings.placement)
            } catch {
                try channel.send(LoadReply.failed(run: run, error))
            }
        case .begin(let window): load?.begin(window)
        case .abandon: load?.abandon()
        case .end: return false
        case .alive: try channel.send(LoadReply.alive)
        case .welcome: break
        case .refused(let reason): throw ProtocolError(reason)
        }
        return true
    }

    private func advance() throws(ProtocolError) {
        guard let load else { return }
        switch load.look() {
        case .nothing: return
        case .ready: try channel.send(LoadReply.ready(run: load.run))
        case .failed(let error):
            self.load = nil
            try channel.send(LoadReply.failed(run: load.run, error))
        case .ended(let result):
            self.load = nil
            do throws(RunError) {
                try settings.keep(rank, load.run, (result.probe ?? result.seen).latencies)
            } catch {
                return try channel.send(LoadReply.failed(run: load.run, error))
            }
            try channel.send(LoadReply.result(run: load.run, result))
        }
    }
}
