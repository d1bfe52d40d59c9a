import Meters

extension Conversation {
    /// What is asked, in a few words, with a number that tells apart requests which begin alike; empty of an echo.
    package var summary: String {
        guard let first = requests.first else { return "" }
        let words = requests.count == 1 ? Self.words(first.bytes, wire) : "\(requests.count) requests"
        let hash = String(fingerprint & 0xffff_ffff, radix: 16)
        return "\(words) #\(hash)"
    }

    /// True if one of the requests asks the server to close its connection.
    package var asksForClose: Bool { requests.contains(where: \.asksForClose) }

    /// `GET /index.html` of HTTP, the words of a command of Redis, the first line of others.
    private static func words(_ bytes: [UInt8], _ wire: WireProtocol) -> String {
        guard wire != .bytes else { return "\(bytes.count) bytes" }
        var lines = String(decoding: bytes, as: UTF8.self).split(separator: "\r\n").map(String.init)
        if wire == .redis { lines = [lines.filter { !$0.hasPrefix("*") && !$0.hasPrefix("$") }.joined(separator: " ")] }
        var line = lines.first ?? ""
        if wire == .http { line = line.replacing(" HTTP/1.1", with: "") }
        return String(line.prefix(60))
    }

    /// FNV-1a of everything that is asked and of where a reply ends.
    private var fingerprint: UInt64 {
        var hash: UInt64 = 0xcbf2_9ce4_8422_2325
        func add(_ bytes: some Sequence<UInt8>) {
            for byte in bytes { hash = (hash ^ UInt64(byte)) &* 0x100_0000_01b3 }
        }
        for request in requests {
            add(request.bytes)
            add("\(request.weight) \(request.bytes.count)".utf8)
        }
        switch replyEnd {
        case .count(let count): add("\(count)".utf8)
        case .text(let text): add(text)
        }
        return hash
    }
}
