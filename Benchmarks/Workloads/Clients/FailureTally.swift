import Glibc
import SystemPackage

/// Failed operations, counted by the call that failed and why.
struct FailureTally: Sendable, Equatable {
    /// What failed.
    struct Cause: Hashable, Sendable, CustomStringConvertible {
        let call: String
        let problem: Problem

        enum Problem: Hashable, Sendable {
            case error(CInt)
            case text(String)
        }

        /// A call that returned an error number.
        init(_ call: String, _ error: CInt) {
            self.call = call
            problem = .error(error)
        }

        private init(_ call: String, text: String) {
            self.call = call
            problem = .text(text)
        }

        /// The peer ended the connection before it had answered.
        static let earlyEnd = Cause("recv", text: "end of stream")
        /// The answer was another one than was due.
        static let wrongBytes = Cause("recv", text: "wrong bytes")

        /// The first call on a connection that was not waited for reports how its `connect(2)` ended.
        static func onConnection(_ call: String, _ error: CInt, isFirst: Bool) -> Cause {
            let ofConnect = [ECONNREFUSED, ETIMEDOUT, ENETUNREACH, EHOSTUNREACH, ENETDOWN]
            return Cause(isFirst && ofConnect.contains(error) ? "connect" : call, error)
        }

        /// `connect: ENETUNREACH`.
        var description: String {
            switch problem {
            case .error(let number): "\(call): \(errorName(number))"
            case .text(let text): "\(call): \(text)"
            }
        }
    }

    private(set) var counts: [Cause: UInt64] = [:]

    /// All failures.
    var total: UInt64 { counts.values.reduce(0, +) }

    /// True if there are failures, and all have this cause.
    func isOnly(_ cause: Cause) -> Bool { total > 0 && counts[cause] == total }

    /// Adds failures of one kind.
    mutating func note(_ cause: Cause, count: UInt64 = 1) {
        if count > 0 { counts[cause, default: 0] += count }
    }

    /// Adds what another thread counted.
    mutating func add(_ other: FailureTally) {
        counts.merge(other.counts, uniquingKeysWith: +)
    }

    /// The most frequent first.
    var sorted: [(cause: Cause, count: UInt64)] {
        counts.map { ($0.key, $0.value) }.sorted { ($1.1, $0.0.description) < ($0.1, $1.0.description) }
    }

    /// `408 × connect: ENETUNREACH, 3 × recv: ECONNRESET`.
    var text: String { sorted.map { "\($0.count) × \($0.cause)" }.joined(separator: ", ") }
}

/// The failures of a server's workers, which any of them adds to; an error path, so a lock will do.
final class FailureLog: Sendable {
    private let tally = Locked(FailureTally())

    func note(_ cause: FailureTally.Cause) {
        tally.withLock { $0.note(cause) }
    }

    var failures: FailureTally { tally.withLock { $0 } }
}

/// The symbol of an error number, `ECONNREFUSED`; `errno 999` for one that no socket call of ours returns.
func errorName(_ number: CInt) -> String {
    errorNames[number] ?? "errno \(number)"
}

private let errorNames: [CInt: String] = [
    EACCES: "EACCES", EADDRINUSE: "EADDRINUSE", EADDRNOTAVAIL: "EADDRNOTAVAIL", EAFNOSUPPORT: "EAFNOSUPPORT",
    EAGAIN: "EAGAIN", EALREADY: "EALREADY", EBADF: "EBADF", ECANCELED: "ECANCELED", ECONNABORTED: "ECONNABORTED",
    ECONNREFUSED: "ECONNREFUSED", ECONNRESET: "ECONNRESET", EDESTADDRREQ: "EDESTADDRREQ", EFAULT: "EFAULT",
    EHOSTDOWN: "EHOSTDOWN", EHOSTUNREACH: "EHOSTUNREACH", EINPROGRESS: "EINPROGRESS", EINTR: "EINTR",
    EINVAL: "EINVAL", EIO: "EIO", EISCONN: "EISCONN", EMFILE: "EMFILE", EMSGSIZE: "EMSGSIZE", ENETDOWN: "ENETDOWN",
    ENETRESET: "ENETRESET", ENETUNREACH: "ENETUNREACH", ENFILE: "ENFILE", ENOBUFS: "ENOBUFS", ENOMEM: "ENOMEM",
    ENOSYS: "ENOSYS",
    ENOTCONN: "ENOTCONN", ENOTSOCK: "ENOTSOCK", EPERM: "EPERM", EPIPE: "EPIPE", EPROTO: "EPROTO",
    ETIMEDOUT: "ETIMEDOUT",
]
