import Glibc
import LinuxDescriptors
package import LinuxSockets
import Meters
import SystemPackage

/// Connects to somebody who listens, within five seconds.
///
/// - Parameter advice: to whom nobody listens.
package func reach(_ address: SocketAddress, _ advice: String) throws(ProtocolError) -> Connection {
    do throws(Errno) {
        let connection = try StreamSocket(for: address, .nonblocking).connect(to: address)
        let deadline = monotonicNanoseconds() + 5_000_000_000
        guard wait(for: POLLOUT, on: connection.descriptor, until: deadline) else { throw Errno.timedOut }
        if let error = try takeSocketError(of: connection.descriptor) { throw error }
        return connection
    } catch {
        throw ProtocolError("connect to \(address): \(error)" + (error == .connectionRefused ? "; \(advice)" : ""))
    }
}

/// Proves to know the secret, and has the other side prove it, within ten seconds.
package func shakeHands(
    _ connection: consuming Connection, _ secret: AgentSecret, _ version: AgentVersion, _ kind: HandshakeKind
) throws(ProtocolError) -> AgentChannel {
    guard let authentication = MessageAuthentication.installed else { throw ProtocolError(noLibcrypto) }
    let nonce = MessageAuthentication.randomBytes(HandshakeMessage.nonceBytes)
    watchPeer(of: connection.descriptor)
    let deadline = monotonicNanoseconds() + 10_000_000_000
    var handshake = CoordinatorHandshake(authentication, secret, version, nonce: nonce, kind)
    try sendAll(handshake.greeting, on: connection.descriptor, until: deadline)
    var more: [UInt8] = []
    while true {
        switch try handshake.receive(more) {
        case .wait: break
        case .send(let bytes): try sendAll(bytes, on: connection.descriptor, until: deadline)
        case .done(let keys, let rest):
            return AgentChannel(connection, sends: try keys.requests(), receives: try keys.replies(), rest: rest)
        }
        guard let bytes = try receiveSome(on: connection.descriptor, until: deadline) else {
            throw ProtocolError("no answer within 10 s; is it a bench that listens there?")
        }
        more = bytes
    }
}
