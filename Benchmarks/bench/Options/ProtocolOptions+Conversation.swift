import Foundation
import Load
import Meters

extension ProtocolOptions {
    /// What clients ask: the protocol and its requests.
    ///
    /// - Parameter host: what HTTP requests name as the host.
    /// - Throws: ``Failure`` for an option of another protocol, a file that cannot be read, and a request that is none.
    func conversation(_ workload: Workload, host: String) throws -> Conversation {
        let wire: WireProtocol = try self.protocol.map { try named($0, "protocol") } ?? .echo
        let owned = Self.owned.filter { given.contains($0.option) }
        if let foreign = owned.first(where: { !$0.protocols.contains(wire) }) {
            let owners = foreign.protocols.map { "--protocol \($0.rawValue)" }.joined(separator: " or ")
            throw Failure(.usage, "\(foreign.option) belongs to \(owners); the protocol is \(wire.rawValue)")
        }
        let closes = workload == .crr
        let sent = try body.map { try bytes(of: $0, "--body") }
        /// What is asked by one request, of which `text` says what the protocol calls for.
        func one(_ text: String?) throws(ConversationError) -> Conversation {
            switch wire {
            case .http:
                try .http(
                    method: method ?? (sent == nil ? "GET" : "POST"), path: text ?? "/", host: host, headers: header,
                    body: sent, closes: closes)
            case .redis: try .redis(command: text ?? "PING")
            case .memcached: try .memcached(command: text ?? "version")
            case .echo, .bytes: Conversation()
            }
        }
        do {
            if wire == .bytes { return try .bytes(request: requestBytes(), end: replyEnd()) }
            guard let requests else { return try one(path ?? command) }
            if let option = given.first(where: { ["--path", "--command"].contains($0) }) {
                throw Failure(.usage, "\(option) and --requests exclude each other: the file says what is asked")
            }
            let file = String(decoding: try bytes(of: requests, "--requests"), as: UTF8.self)
            return try .mix(
                lines: file.split(omittingEmptySubsequences: false, whereSeparator: \.isNewline), one)
        } catch let error as ConversationError {
            throw Failure(.usage, "--protocol \(wire.rawValue): \(error)")
        }
    }

    private static let owned: [(option: String, protocols: [WireProtocol])] = [
        ("--path", [.http]), ("--header", [.http]), ("--method", [.http]), ("--body", [.http]),
        ("--command", [.redis, .memcached]), ("--request", [.bytes]), ("--reply-bytes", [.bytes]),
        ("--reply-until", [.bytes]), ("--requests", [.http, .redis, .memcached]),
    ]

    private func requestBytes() throws -> [UInt8] {
        guard let request else {
            throw Failure(.usage, "--protocol bytes needs --request FILE, and --reply-bytes N or --reply-until TEXT")
        }
        let found = try bytes(of: request, "--request")
        guard !found.isEmpty else { throw Failure(.usage, "--request \(request) is empty; put a request into it") }
        return found
    }

    private func replyEnd() throws -> Conversation.ReplyEnd {
        switch (replyBytes, replyUntil) {
        case (let count?, nil):
            return .count(try inRange(count, 1...1 << 30, "--reply-bytes takes 1 to 1073741824 bytes"))
        case (nil, let text?):
            let end = Array(Self.unescaped(text).utf8)
            guard (1...256).contains(end.count) else {
                throw Failure(.usage, "--reply-until takes a text of 1 to 256 bytes")
            }
            return .text(end)
        case (nil, nil): throw Failure(.usage, "--protocol bytes needs --reply-bytes N or --reply-until TEXT")
        case (.some, .some): throw Failure(.usage, "--reply-bytes and --reply-until exclude each other; give one")
        }
    }

    private static func unescaped(_ text: String) -> String {
        text.replacing("\\r", with: "\r").replacing("\\n", with: "\n").replacing("\\0", with: "\0")
    }

    private func bytes(of file: String, _ option: String) throws -> [UInt8] {
        do {
            return Array(try Data(contentsOf: URL(fileURLWithPath: file)))
        } catch {
            throw Failure(.usage, "\(option) \(file) cannot be read; name a file")
        }
    }
}
