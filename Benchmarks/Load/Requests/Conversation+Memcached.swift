import Meters

extension Conversation {
    /// One command of memcached's text protocol; of one that stores, the data stand at the end: `set key 0 0 5 hello`.
    package static func memcached(command: String) throws(ConversationError) -> Conversation {
        guard command.utf8.allSatisfy({ $0 >= 32 && $0 != 127 }) else {
            throw ConversationError("the command has a line end or a control character in it")
        }
        let words = command.split(separator: " ")
        guard let name = words.first else { throw ConversationError("the command is empty") }
        if words.contains("noreply") || ["quit", "shutdown", "watch", "mn", "cache_memlimit"].contains(name) {
            throw ConversationError("'\(command)' does not get one reply for each request; use another command")
        }
        if ["mg", "md", "ma", "me"].contains(name), words.dropFirst(2).contains("q") {
            throw ConversationError("'\(command)' is quiet, so that some requests get no reply; leave the flag q out")
        }
        guard name != "ms" else { throw ConversationError("the command ms is not known here; use set") }
        var text = command
        if ["set", "add", "replace", "append", "prepend", "cas"].contains(name) {
            text = try storage(command, parameters: name == "cas" ? 6 : 5)
        }
        var conversation = Conversation()
        conversation.wire = .memcached
        conversation.requests = [Request(Array((text + "\r\n").utf8))]
        return conversation
    }

    /// A command with its data in a line of their own.
    private static func storage(_ command: String, parameters: Int) throws(ConversationError) -> String {
        let parts = command.split(separator: " ", maxSplits: parameters)
        guard parts.count >= parameters, let size = Int(parts[4]) else {
            throw ConversationError("'\(command)' is not complete; write it as in 'set key 0 0 5 hello'")
        }
        let data = parts.count > parameters ? parts[parameters] : ""
        guard data.utf8.count == size else {
            throw ConversationError("'\(command)' announces \(size) bytes and has \(data.utf8.count)")
        }
        return parts.prefix(parameters).joined(separator: " ") + "\r\n" + data
    }
}
