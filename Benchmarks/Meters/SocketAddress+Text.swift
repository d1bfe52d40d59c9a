package import LinuxSockets

extension SocketAddress {
    /// Reads a numeric `127.0.0.1:80` or `[::1]:80`.
    package init?(text: String) {
        guard let (host, port) = Self.parts(of: text) else { return nil }
        self.init(numeric: host, port: port)
    }

    /// Host and port of `HOST:PORT`, where a host with colons is in brackets; nil of anything else.
    package static func parts(of text: String) -> (host: String, port: UInt16)? {
        guard let colon = text.lastIndex(of: ":"), let port = UInt16(text[text.index(after: colon)...]) else {
            return nil
        }
        let host = text[..<colon]
        if host.hasPrefix("["), host.hasSuffix("]") { return (String(host.dropFirst().dropLast()), port) }
        return host.isEmpty || host.contains(":") ? nil : (String(host), port)
    }

    /// As text, without the port: `127.0.0.1`, `::1`, or the name of a unix socket.
    package var host: String {
        let text = "\(self)"
        guard port != nil, let colon = text.lastIndex(of: ":") else {
            return text.hasPrefix("unix:") ? String(text.dropFirst("unix:".count)) : text
        }
        return text[..<colon].filter { $0 != "[" && $0 != "]" }
    }

    /// As an HTTP `Host` header names it: `127.0.0.1:80`, `[::1]:80`, and without a port that is not known yet.
    package var hostHeader: String {
        let text = "\(self)"
        return port == 0 ? String(text.dropLast(":0".count)) : text
    }

    /// True if nothing sent there leaves this machine, whatever its interfaces are.
    package var isLoopback: Bool { port != nil && (host == "::1" || host.hasPrefix("127.")) }

    /// The same host with another port; a unix socket stays what it is.
    package func withPort(_ port: UInt16) -> SocketAddress { SocketAddress(numeric: host, port: port) ?? self }
}
