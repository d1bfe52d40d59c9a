import Foundation
import LinuxDescriptors
import LinuxSockets
import Meters
import Servers
import SystemPackage

/// Lets hosts join: each proves that it knows the secret and says who it is, and who does not fit is sent away with the
/// reason. One thread waits for all, and for none alone.
final class JoinDesk: @unchecked Sendable {
    // Unchecked: one thread at a time has it.
    let address: SocketAddress
    private let count: Int
    private let listener: Listener
    private let settings: LoadHosts.Settings
    private let authentication: MessageAuthentication
    private var strangers: [Stranger] = []
    /// Those that know the secret and have not said who they are.
    private var silent: [Silent] = []
    private var members: [Int: LoadMember] = [:]

    private struct Silent {
        let channel: AgentChannel
        let peer: String
        let deadline: UInt64
    }

    /// So many may be about to join at once, beside the members.
    private var mostStrangers: Int { max(64, 2 * count) }
    /// How long it waits for others before it says who is missing.
    static let adviceNanoseconds: UInt64 = 5_000_000_000

    init(_ count: Int, _ wanted: SocketAddress, _ settings: LoadHosts.Settings) throws(RunError) {
        guard let authentication = MessageAuthentication.installed else { throw RunError(unsupported: noLibcrypto) }
        (self.count, self.settings, self.authentication) = (count, settings, authentication)
        do throws(Errno) {
            listener = try Listener(wanted, backlog: 1024)
            address = try listener.address
        } catch {
            throw RunError("--load-listen \(wanted)", error)
        }
    }

    /// All of them, by their numbers.
    var joined: [LoadMember] { (0..<count).compactMap { members[$0] } }

    /// Waits until all have joined; false if one of the endings became readable.
    ///
    /// - Throws: one line at the deadline, and if one that had joined is gone.
    func run(until deadline: UInt64, unless endings: [BorrowedDescriptor]) throws(RunError) -> Bool {
        var advice = monotonicNanoseconds() + Self.adviceNanoseconds
        while members.count < count {
            let now = monotonicNanoseconds()
            if now >= deadline { throw RunError(failed: "\(missing); \(remedy)") }
            if now >= advice {
                settings.log("\(missing); waiting. \(remedy)")
                advice = .max
            }
            // Who left while others were waited for may join again.
            for (rank, member) in members where member.loss != nil {
                settings.log("\(member.name) has left: \(member.loss ?? "")")
                members[rank] = nil
            }
            if serve(until: min(deadline, advice, now + 200_000_000), endings) { return false }
        }
        return true
    }

    /// Sends away who comes when all are there, until a descriptor becomes readable.
    func turnAway(until end: BorrowedDescriptor) {
        while !serve(until: .max, [end]) {}
        for stranger in strangers { stranger.close() }
        for one in silent { one.channel.finish() }
    }

    private var missing: String {
        let ranks = (0..<count).filter { members[$0] == nil }.map(String.init).joined(separator: ", ")
        return "\(members.count) of \(count) load hosts have joined \(address), missing: \(ranks)"
    }

    private var remedy: String {
        "start bench load --join on each host, all at once: pdsh needs -f \(count) or more, or it waits for the first ones "
            + "to end"
    }

    /// Waits once; true if one of the endings is readable.
    private func serve(until limit: UInt64, _ endings: [BorrowedDescriptor]) -> Bool {
        let waiting = strangers.map(\.deadline) + silent.map(\.deadline)
        let descriptors =
            endings + [listener.descriptor] + strangers.map(\.descriptor) + silent.map(\.channel.descriptor)
        let ready = readable(among: descriptors, until: min(limit, waiting.min() ?? .max))
        if ready.prefix(endings.count).contains(true) { return true }
        let others = Array(ready.dropFirst(endings.count + 1))
        let (ofStrangers, ofSilent) = (others.prefix(strangers.count), others.dropFirst(strangers.count))
        for (place, isReady) in ofSilent.enumerated().reversed() where isReady { hearSilent(place) }
        for (place, isReady) in ofStrangers.enumerated().reversed() where isReady { hearStranger(place) }
        let now = monotonicNanoseconds()
        for place in strangers.indices.reversed() where strangers[place].deadline <= now {
            let stranger = strangers.remove(at: place)
            stranger.close()
            settings.log("\(stranger.peer): sent away: it did not say who it is within 5 s")
        }
        for place in silent.indices.reversed() where silent[place].deadline <= now {
            refuse(silent.remove(at: place), "it did not say which host it is")
        }
        if ready[endings.count] { acceptAll() }
        return false
    }

    private func acceptAll() {
        while true {
            var peer: SocketAddress?
            do throws(Errno) {
                guard let connection = try listener.accept(peer: &peer) else { return }
                if strangers.count >= mostStrangers { strangers.removeFirst().close() }
                strangers.append(
                    Stranger(connection, peer, authentication, settings.secret, settings.version, .load))
            } catch {
                // No descriptor is free, or its peer is gone.
                sleepUntil(nanoseconds: monotonicNanoseconds() + 10_000_000)
                return
            }
        }
    }

    private func hearStranger(_ place: Int) {
        let stranger = strangers[place]
        switch stranger.hear() {
        case .wait: return
        case .gone(let reason): settings.log("\(stranger.peer): sent away: \(reason)")
        case .known(let channel, _):
            silent.append(Silent(channel: channel, peer: stranger.peer, deadline: stranger.deadline))
            // What it says may have come along.
            if channel.hasMessage { hearSilent(silent.count - 1) }
        }
        strangers.remove(at: place)
    }

    private func hearSilent(_ place: Int) {
        let one = silent[place]
        do throws(ProtocolError) {
            guard let message = try one.channel.receive(until: 0) else { return }
            guard case .hello(let facts) = try LoadReply(message: message) else {
                throw ProtocolError("it did not say which host it is")
            }
            silent.remove(at: place)
            if let reason = join(facts, one) { refuse(one, reason) }
        } catch {
            silent.remove(at: place)
            refuse(one, "\(error)")
        }
    }

    private func refuse(_ one: Silent, _ reason: String) {
        try? one.channel.send(LoadRequest.refused(reason))
        one.channel.finish()
        settings.log("\(one.peer): sent away: \(reason)")
    }

    /// Why a host cannot join; nil if it has.
    private func join(_ facts: LoadHostFacts, _ one: Silent) -> String? {
        let free = (0..<count).first { members[$0] == nil }
        guard let free else { return "all \(count) load hosts have joined" }
        let rank = facts.rank ?? free
        if let size = facts.size, size != count {
            return "its launcher has \(size) processes, and --load-hosts is \(count); make both the same"
        }
        guard (0..<count).contains(rank) else {
            return "it is --rank \(rank), and the ranks of \(count) load hosts are 0 to \(count - 1)"
        }
        if let other = members[rank] { return "--rank \(rank) has joined already, \(other.name)" }
        guard facts.commit == settings.commit, facts.build == settings.build else {
            return
                "it is the \(facts.build) build of \(facts.commit), and the coordinator the \(settings.build) build of "
                + "\(settings.commit); build all hosts from one commit"
        }
        do throws(RunError) {
            let member = try LoadMember(rank: rank, facts, at: one.peer, one.channel, silence: settings.silence)
            members[rank] = member
            member.send(.welcome(rank: rank))
            settings.log("\(member.name) has joined, \(members.count) of \(count)")
            return nil
        } catch {
            return error.description
        }
    }
}
