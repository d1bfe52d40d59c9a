import Glibc
import SystemPackage

/// Failed operations, counted by the call that failed and why.
package struct FailureTally: Sendable, Equatable, Codable {
    package init() {}

    /// What failed.
    package struct Cause: Hashable, Sendable, Codable, CustomStringConvertible {
        let call: String
        package let problem: Problem

        package enum Problem: Hashable, Sendable, Codable {
            case error(CInt)
            case text(String)
            /// A whole reply that refuses: `HTTP 500`, or the word that begins an error.
            case reply(String)
            /// What OpenSSL says of a connection.
            case tls(String)
        }

        /// A call that returned an error number.
        package init(_ call: String, _ error: CInt) {
            self.call = call
            problem = .error(error)
        }

        /// A whole reply that refuses what was asked.
        package static func reply(_ text: String) -> Cause { Cause("reply", problem: .reply(text)) }

        /// A call of OpenSSL that failed, with its reason.
        package static func tls(_ call: String, _ reason: String) -> Cause { Cause(call, problem: .tls(reason)) }

        private init(_ call: String, problem: Problem) {
            self.call = call
            self.problem = problem
        }

        /// Bytes that are no reply of the protocol.
        package static func garbage(not name: String) -> Cause { Cause("reply", problem: .reply("not \(name)")) }

        /// The peer ended the connection before it had answered.
        package static let earlyEnd = Cause("recv", problem: .text("end of stream"))
        /// The peer did not go on with a handshake.
        package static let stalledHandshake = tls("SSL_connect", "no answer")
        /// The peer closed the connection in a handshake.
        package static let endedHandshake = tls("SSL_connect", "end of stream")
        /// A TLS connection was closed and its session not ended, so that nobody knows whether something is missing.
        package static let truncated = tls("SSL_read", "end of stream without close_notify")
        /// The answer was another one than was due.
        package static let wrongBytes = Cause("recv", problem: .text("wrong bytes"))
        /// Bytes came that nothing had asked for.
        package static let surplus = Cause("recv", problem: .text("more than was asked for"))
        /// What a client sent is no request of the protocol, or a longer one than the server takes.
        package static let wrongRequest = Cause(
            "recv", problem: .text("not a request of the protocol, or too long"))
        /// There were as many connections as the server takes.
        package static let tooManyConnections = Cause(
            "accept", problem: .text("more connections than the server takes"))

        /// The first call on a connection that was not waited for reports how its `connect(2)` ended.
        package static func onConnection(_ call: String, _ error: CInt, isFirst: Bool) -> Cause {
            let ofConnect = [ECONNREFUSED, ETIMEDOUT, ENETUNREACH, EHOSTUNREACH, ENETDOWN]
            return Cause(isFirst && ofConnect.contains(error) ? "connect" : call, error)
        }

        /// True of what OpenSSL says, beside a socket error that only came of it. A stream that was cut off says nothing.
        package func explains(_ other: Cause) -> Bool {
            guard case .tls = problem, case .error = other.problem else { return false }
            return self != .truncated && self != .endedHandshake
        }

        /// `connect: ENETUNREACH`.
        package var description: String {
            switch problem {
            case .error(let number): "\(call): \(errorName(number))"
            case .text(let text), .tls(let text): "\(call): \(text)"
            case .reply(let text): text
            }
        }
    }

    private(set) var counts: [Cause: UInt64] = [:]

    /// All failures.
    package var total: UInt64 { counts.values.reduce(0, +) }

    /// Whether ``total`` fits a machine word, which what comes from another process has to be asked.
    package var isSound: Bool { counts.count <= 1 << 16 && counts.values.allSatisfy { $0 < 1 << 46 } }

    /// True if there are failures, and all have this cause.
    package func isOnly(_ cause: Cause) -> Bool { total > 0 && counts[cause] == total }

    /// Adds failures of one kind.
    package mutating func note(_ cause: Cause, count: UInt64 = 1) {
        if count > 0 { counts[cause, default: 0] += count }
    }

    /// Adds what another thread counted.
    package mutating func add(_ other: FailureTally) {
        counts.merge(other.counts, uniquingKeysWith: +)
    }

    /// The most frequent first.
    package var sorted: [(cause: Cause, count: UInt64)] {
        counts.map { ($0.key, $0.value) }.sorted { ($1.1, $0.0.description) < ($0.1, $1.0.description) }
    }

    /// `408 × connect: ENETUNREACH, 3 × recv: ECONNRESET`.
    package var text: String { sorted.map { "\($0.count) × \($0.cause)" }.joined(separator: ", ") }
}

/// The failures of a server's workers, which any of them adds to; an error path, so a lock will do.
package final class FailureLog: Sendable {
    package init() {}

    private let tally = Locked(FailureTally())

    package func note(_ cause: FailureTally.Cause) {
        tally.withLock { $0.note(cause) }
    }

    package var failures: FailureTally { tally.withLock { $0 } }
}
