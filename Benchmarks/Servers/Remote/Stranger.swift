package import LinuxDescriptors
package import LinuxSockets
package import Meters
import SystemPackage

/// Somebody who has connected and not proved to know the secret.
///
/// It is never waited for.
package final class Stranger {
    /// Its address.
    package let peer: String
    /// When it is given up.
    package let deadline = monotonicNanoseconds() + 5_000_000_000
    private var connection: Connection?
    private var handshake: AgentHandshake

    /// What became of it.
    package enum Outcome {
        /// Nothing so far.
        case wait
        /// It is none to talk to, and why.
        case gone(String)
        /// It knows the secret; and the numeric address that it has connected to.
        case known(AgentChannel, host: String)
    }

    /// Takes what was accepted.
    package init(
        _ connection: consuming Connection, _ peer: SocketAddress?, _ authentication: MessageAuthentication,
        _ secret: AgentSecret, _ version: AgentVersion, _ kind: HandshakeKind
    ) {
        self.peer = peer.map { "\($0)" } ?? "somebody"
        handshake = AgentHandshake(
            authentication, secret, version,
            nonce: MessageAuthentication.randomBytes(HandshakeMessage.nonceBytes), kind)
        watchPeer(of: connection.descriptor)
        self.connection = consume connection
    }

    /// Readable when something has arrived; borrowed.
    package var descriptor: BorrowedDescriptor { BorrowedDescriptor(rawValue: connection?.descriptor.rawValue ?? -1) }

    /// Ends its connection.
    package func close() { connection = nil }

    /// Takes what has arrived, without waiting.
    package func hear() -> Outcome {
        do throws(ProtocolError) {
            guard let bytes = try receiveSome(on: descriptor, until: 0) else { return .wait }
            return try step(bytes)
        } catch {
            return .gone("\(error)")
        }
    }

    private func step(_ arrived: [UInt8]) throws(ProtocolError) -> Outcome {
        var bytes = arrived
        while true {
            let step = handshake.receive(bytes)
            bytes = []
            switch step {
            case .wait: return .wait
            // They are few, and a socket that does not take them at once is given up.
            case .send(let answer): try sendAll(answer, on: descriptor, until: 0)
            case .refuse(let answer, let reason):
                try sendAll(answer, on: descriptor, until: 0)
                return .gone(reason)
            case .done(let answer, let keys, let rest):
                try sendAll(answer, on: descriptor, until: 0)
                return try known(keys, rest)
            }
        }
    }

    private func known(_ keys: HandshakeKeys, _ rest: [UInt8]) throws(ProtocolError) -> Outcome {
        guard let connection = connection.take() else { return .gone("it has left") }
        let host = (try? connection.localAddress)?.host ?? ""
        let channel = AgentChannel(connection, sends: try keys.replies(), receives: try keys.requests(), rest: rest)
        return .known(channel, host: host)
    }
}
