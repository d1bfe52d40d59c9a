import Foundation
import Meters

/// What two sides that want to talk must have in common.
package struct AgentVersion: Codable, Sendable, Equatable {
    /// Of the messages; raised when one changes its meaning.
    package static let currentProtocol = 1
    /// Of the messages.
    package var `protocol` = AgentVersion.currentProtocol
    /// Of the rows: `schema_version`.
    package var schema: Int

    /// This version, with that of the rows.
    package init(schema: Int) { self.schema = schema }

    /// `protocol 1, schema 1`.
    package var text: String { "protocol \(self.protocol), schema \(schema)" }
}

/// Who talks to whom. One kind does not understand the other, nor can what was proved in one be used in the other.
package enum HandshakeKind: Sendable {
    /// A coordinator calls an agent.
    case agent
    /// A host that is to load calls a coordinator.
    case load

    var magic: String {
        switch self {
        case .agent: HandshakeMessage.magic
        case .load: "linux-events bench load"
        }
    }
    /// Who listens, and who calls.
    fileprivate var parties: (listener: String, caller: String) {
        switch self {
        case .agent: ("agent", "coordinator")
        case .load: ("coordinator", "load host")
        }
    }
}

/// The messages before both sides have proved that they know the secret.
enum HandshakeMessage: Codable {
    case hello(Hello)
    case proof([UInt8])
    /// Why the agent does not go on, in a line.
    case refused(String)

    struct Hello: Codable {
        var magic: String
        var version: AgentVersion
        var nonce: [UInt8]
    }

    static let magic = "linux-events bench agent"
    static let nonceBytes = 32

    /// As it is sent.
    func framed() -> [UInt8] { Frames.framed((try? JSONEncoder().encode(self)).map(Array.init) ?? []) }

    init(_ message: [UInt8]) throws(ProtocolError) {
        guard let decoded = try? JSONDecoder().decode(Self.self, from: Data(message)) else {
            throw ProtocolError("something that is no bench")
        }
        self = decoded
    }

    /// A greeting of this protocol, whatever its version.
    fileprivate func hello(_ kind: HandshakeKind) throws(ProtocolError) -> Hello {
        guard case .hello(let hello) = self, hello.magic == kind.magic, hello.nonce.count == Self.nonceBytes else {
            throw ProtocolError("something that is no bench")
        }
        return hello
    }
}

/// The secret and what both sides have said: of that come the proofs, and the keys of both directions.
struct HandshakeKeys: Sendable {
    let authentication: MessageAuthentication
    let secret: AgentSecret
    let version: AgentVersion
    var kind = HandshakeKind.agent
    let coordinatorNonce: [UInt8]
    let agentNonce: [UInt8]

    /// Proofs and keys are of different labels, so that none can be used for another.
    private func derived(_ label: String) throws(ProtocolError) -> [UInt8] {
        let said = Array("\(kind.magic)\n\(label)\n\(version.text)\n".utf8) + coordinatorNonce + agentNonce
        guard let tag = authentication.tag(of: said, key: secret.bytes) else {
            throw ProtocolError("OpenSSL made no proof")
        }
        return tag
    }

    func coordinatorProof() throws(ProtocolError) -> [UInt8] { try derived("proof of the coordinator") }
    func agentProof() throws(ProtocolError) -> [UInt8] { try derived("proof of the agent") }
    /// Of what the coordinator sends.
    func requests() throws(ProtocolError) -> Seal { Seal(authentication, key: try derived("requests")) }
    /// Of what the agent sends.
    func replies() throws(ProtocolError) -> Seal { Seal(authentication, key: try derived("replies")) }
}

/// The side of a handshake that listens: an agent, or a coordinator of hosts that load. It says nothing to who does not begin as a coordinator does, and proves nothing to
/// who has not proved to know the secret.
struct AgentHandshake {
    private let authentication: MessageAuthentication
    private let secret: AgentSecret
    private let version: AgentVersion
    private let nonce: [UInt8]
    private let kind: HandshakeKind
    private var frames = Frames(limit: Frames.longestOfStrangers)
    private var keys: HandshakeKeys?

    /// What is to be done after bytes have arrived.
    enum Step {
        /// More has to come.
        case wait
        /// To be sent; then more has to come.
        case send([UInt8])
        /// To be sent if there is something, and closed. The reason is one line for the agent's own log.
        case refuse([UInt8], String)
        /// To be sent; from then on frames are sealed. What has arrived of them already comes along.
        case done([UInt8], HandshakeKeys, rest: [UInt8])
    }

    init(
        _ authentication: MessageAuthentication, _ secret: AgentSecret, _ version: AgentVersion, nonce: [UInt8],
        _ kind: HandshakeKind = .agent
    ) {
        self.kind = kind
        self.authentication = authentication
        self.secret = secret
        self.version = version
        self.nonce = nonce
    }

    /// Takes what has arrived.
    mutating func receive(_ bytes: some Sequence<UInt8>) -> Step {
        frames.append(bytes)
        do throws(ProtocolError) {
            guard let message = try frames.next() else { return .wait }
            let decoded = try HandshakeMessage(message)
            guard let keys else { return try greet(decoded) }
            return try prove(decoded, keys)
        } catch {
            return .refuse([], "\(error)")
        }
    }

    private mutating func greet(_ message: HandshakeMessage) throws(ProtocolError) -> Step {
        let hello = try message.hello(kind)
        guard hello.version == version else {
            let text =
                "the \(kind.parties.listener) speaks \(version.text), the \(kind.parties.caller) \(hello.version.text)"
            return .refuse(HandshakeMessage.refused(text).framed(), text)
        }
        keys = HandshakeKeys(
            authentication: authentication, secret: secret, version: version, kind: kind, coordinatorNonce: hello.nonce,
            agentNonce: nonce)
        let own = HandshakeMessage.Hello(magic: kind.magic, version: version, nonce: nonce)
        return .send(HandshakeMessage.hello(own).framed())
    }

    private func prove(_ message: HandshakeMessage, _ keys: HandshakeKeys) throws(ProtocolError) -> Step {
        guard case .proof(let proof) = message else { throw ProtocolError("no proof") }
        guard MessageAuthentication.areEqual(proof, try keys.coordinatorProof()) else {
            let text = "the secret is not the \(kind.parties.listener)'s"
            return .refuse(HandshakeMessage.refused(text).framed(), "another secret")
        }
        return .done(HandshakeMessage.proof(try keys.agentProof()).framed(), keys, rest: frames.rest)
    }
}

/// The side of a handshake that calls: a coordinator of an agent, or a host that is to load.
struct CoordinatorHandshake {
    private let authentication: MessageAuthentication
    private let secret: AgentSecret
    private let version: AgentVersion
    private let nonce: [UInt8]
    private let kind: HandshakeKind
    private var frames = Frames(limit: Frames.longestOfStrangers)
    private var keys: HandshakeKeys?

    /// What is to be done after bytes have arrived.
    enum Step {
        case wait
        case send([UInt8])
        /// From here on frames are sealed. What has arrived of them already comes along.
        case done(HandshakeKeys, rest: [UInt8])
    }

    init(
        _ authentication: MessageAuthentication, _ secret: AgentSecret, _ version: AgentVersion, nonce: [UInt8],
        _ kind: HandshakeKind = .agent
    ) {
        self.kind = kind
        self.authentication = authentication
        self.secret = secret
        self.version = version
        self.nonce = nonce
    }

    /// What begins it.
    var greeting: [UInt8] {
        HandshakeMessage.hello(.init(magic: kind.magic, version: version, nonce: nonce)).framed()
    }

    /// Takes what has arrived.
    ///
    /// - Throws: why the agent is not one to talk to.
    mutating func receive(_ bytes: some Sequence<UInt8>) throws(ProtocolError) -> Step {
        frames.append(bytes)
        guard let message = try frames.next() else { return .wait }
        let decoded = try HandshakeMessage(message)
        if case .refused(let text) = decoded {
            throw ProtocolError("it refuses: " + String(text.prefix(200)).inOneLine)
        }
        guard let keys else {
            let hello = try decoded.hello(kind)
            guard hello.version == version else {
                throw ProtocolError("it speaks \(hello.version.text), and this bench \(version.text)")
            }
            let keys = HandshakeKeys(
                authentication: authentication, secret: secret, version: version, kind: kind, coordinatorNonce: nonce,
                agentNonce: hello.nonce)
            self.keys = keys
            return .send(HandshakeMessage.proof(try keys.coordinatorProof()).framed())
        }
        guard case .proof(let proof) = decoded, MessageAuthentication.areEqual(proof, try keys.agentProof()) else {
            throw ProtocolError("it does not know the secret")
        }
        return .done(keys, rest: frames.rest)
    }
}
