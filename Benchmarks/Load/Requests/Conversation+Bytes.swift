import Meters

extension Conversation {
    /// Given bytes as the request.
    package static func bytes(request: [UInt8], end: ReplyEnd) throws(ConversationError) -> Conversation {
        guard !request.isEmpty else { throw ConversationError("the request is empty") }
        switch end {
        case .count(let count) where count < 1:
            throw ConversationError("a reply of \(count) bytes has no end to wait for")
        case .text(let text) where text.isEmpty: throw ConversationError("the text that ends a reply is empty")
        default: break
        }
        var conversation = Conversation()
        conversation.wire = .bytes
        conversation.requests = [Request(request)]
        conversation.replyEnd = end
        return conversation
    }
}
