package import Meters

/// What clients ask and where a reply ends.
package struct Conversation: Sendable, Codable {
    /// What is said.
    package var wire = WireProtocol.echo
    /// What is asked, each as often as its weight says; empty for an echo, whose messages are made by number.
    package var requests: [Request] = []
    /// Where a reply ends; of `bytes` alone, since other protocols tell it.
    package var replyEnd = ReplyEnd.count(0)

    /// Echoes messages.
    package init() {}

    /// One request, ready to be sent.
    package struct Request: Sendable, Equatable, Codable {
        /// All that is sent.
        package var bytes: [UInt8]
        /// How often it is drawn in relation to others.
        package var weight = 1.0
        /// An HTTP reply to it has no body, whatever its header says (HEAD).
        package var repliesWithoutBody = false
        /// It asks an HTTP server to close the connection after its reply.
        package var asksForClose = false

        package init(_ bytes: [UInt8], weight: Double = 1) {
            self.bytes = bytes
            self.weight = weight
        }
    }

    /// Where a reply of `bytes` ends.
    package enum ReplyEnd: Sendable, Equatable, Codable {
        /// After so many bytes.
        case count(Int)
        /// After this text.
        case text([UInt8])
    }
}
