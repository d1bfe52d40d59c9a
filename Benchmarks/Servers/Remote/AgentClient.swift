import Foundation
import LinuxDescriptors
package import LinuxSockets
package import Meters
import SystemPackage

/// The coordinator's end: an agent that it has been let in by. The connection outlasts runs, and is made anew where it was
/// lost.
package final class AgentClient: Sendable {
    /// What the user calls it, `HOST:PORT`.
    package let name: String
    /// What it said of itself.
    package let facts: AgentFacts
    /// The interface by which it is reached, as ``NetworkLink/text``; empty where that is not known.
    package let link: String
    /// Whether it runs on this machine, if perhaps in another network namespace.
    package let isOfThisMachine: Bool
    private let addresses: [SocketAddress]
    private let secret: AgentSecret
    private let version: AgentVersion
    private let current: Locked<AgentLink?>

    /// Connects, and proves to know the secret.
    ///
    /// - Parameters:
    ///   - addresses: of the name, to be tried in turn.
    /// - Throws: one line.
    package init(
        _ name: String, _ addresses: [SocketAddress], _ secret: AgentSecret, _ version: AgentVersion
    ) throws(RunError) {
        (self.name, self.addresses, self.secret, self.version) = (name, addresses, secret, version)
        do throws(ProtocolError) {
            let (link, facts) = try Self.connect(addresses, secret, version)
            self.facts = facts
            isOfThisMachine = facts.machine.machineID == MachineFacts.read().machineID
            self.link = SocketAddress(numeric: facts.address, port: 9).flatMap { NetworkLink(reaching: $0)?.text } ?? ""
            current = Locked(link)
        } catch {
            throw RunError(failed: "agent \(name): \(error)")
        }
    }

    deinit { current.withLock { $0?.finish() } }

    /// The connection, made anew once if it was lost.
    ///
    /// - Throws: one line if that is not possible.
    func connected() throws(RunError) -> AgentLink {
        let found = current.withLock { $0 }
        if let found, found.end == nil { return found }
        do throws(ProtocolError) {
            let (link, again) = try connectAgain()
            guard again.machine.machineID == facts.machine.machineID else {
                link.finish()
                throw ProtocolError("it is another machine now, \(again.machine.machineID)")
            }
            current.withLock { $0 = link }
            return link
        } catch {
            throw RunError(failed: "agent \(name): \(error)")
        }
    }

    /// The agent may not know yet that the connection was lost, and take it for another coordinator's.
    private func connectAgain() throws(ProtocolError) -> (AgentLink, AgentFacts) {
        let deadline = monotonicNanoseconds() + AgentSession.silence + 2_000_000_000
        while true {
            do throws(ProtocolError) {
                return try Self.connect(addresses, secret, version)
            } catch {
                guard error.isBusy, monotonicNanoseconds() < deadline else { throw error }
                sleepUntil(nanoseconds: monotonicNanoseconds() + 500_000_000)
            }
        }
    }

    /// Makes the connection anew if it was lost.
    ///
    /// - Throws: one line if that is not possible.
    package func reconnect() throws(RunError) { _ = try connected() }

    private static func connect(
        _ addresses: [SocketAddress], _ secret: AgentSecret, _ version: AgentVersion
    ) throws(ProtocolError) -> (AgentLink, AgentFacts) {
        var last = ProtocolError("no address")
        for address in addresses {
            let connection: Connection
            do throws(ProtocolError) {
                connection = try reach(address, "is bench agent running there?")
            } catch {
                last = error
                continue
            }
            return try enter(try shakeHands(connection, secret, version, .agent))
        }
        throw last
    }

    private static func enter(_ channel: AgentChannel) throws(ProtocolError) -> (AgentLink, AgentFacts) {
        guard let message = try channel.receive(until: monotonicNanoseconds() + 10_000_000_000) else {
            throw ProtocolError("no welcome within 10 s")
        }
        switch try AgentReply(message: message) {
        case .welcome(let facts):
            do throws(RunError) {
                return (try AgentLink(channel), facts)
            } catch {
                throw ProtocolError("\(error)")
            }
        case .busy(let text): throw ProtocolError(busy: text)
        default: throw ProtocolError("no welcome")
        }
    }
}

/// What to do where messages cannot be sealed.
package let noLibcrypto = "libcrypto of OpenSSL is needed to prove the secret; apt-get install libssl3"
