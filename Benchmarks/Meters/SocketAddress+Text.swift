package import LinuxSockets

extension SocketAddress {
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
