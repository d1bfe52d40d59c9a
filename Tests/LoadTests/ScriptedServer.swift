import Glibc
import LinuxDescriptors
import LinuxSockets
import SystemPackage

@testable import Meters

/// A server that does to its connections, one after the other, what a test says.
final class ScriptedServer: Sendable {
    /// One connection of it.
    struct Peer {
        let descriptor: CInt
        /// How many came before it.
        let index: Int

        /// What comes next, at most so many bytes; empty at the end.
        func receive(_ count: Int = 4096) -> [UInt8] {
            var bytes = [UInt8](repeating: 0, count: count)
            let received = recv(descriptor, &bytes, count, 0)
            return received > 0 ? Array(bytes.prefix(received)) : []
        }

        /// Receives requests that end with an empty line, and more of them if they come in one piece; how many, 0 at the
        /// end.
        func receiveRequests() -> Int {
            var text: [UInt8] = []
            while !text.suffix(4).elementsEqual([13, 10, 13, 10]) {
                let more = receive()
                if more.isEmpty { return 0 }
                text += more
            }
            return String(decoding: text, as: UTF8.self).split(separator: "\r\n\r\n", omittingEmptySubsequences: false)
                .count - 1
        }

        func send(_ text: String) { send(Array(text.utf8)) }

        func send(_ bytes: [UInt8]) {
            var sent = 0
            while sent < bytes.count {
                let count = bytes.withUnsafeBytes {
                    Glibc.send(descriptor, $0.baseAddress! + sent, bytes.count - sent, CInt(MSG_NOSIGNAL))
                }
                guard count > 0 else { return }
                sent += count
            }
        }

        /// Closing sends a reset.
        func reset() {
            var value = linger(l_onoff: 1, l_linger: 0)
            setsockopt(descriptor, SOL_SOCKET, SO_LINGER, &value, socklen_t(MemoryLayout<linger>.size))
        }
    }

    let address: SocketAddress
    private let number: CInt
    /// The connection that is served, -1 between two, and whether the end has come.
    private let current = Locked<(descriptor: CInt, isOver: Bool)>((-1, false))
    private let thread: BenchThread<Void>

    /// Starts it; each connection is closed when `script` returns.
    init(_ script: @escaping @Sendable (Peer) -> Void) throws {
        let socket = try StreamSocket(for: .loopback(), .blocking)
        try socket.bind(to: .loopback())
        let listener = try socket.listen(backlog: 64)
        address = try listener.address
        let number = listener.release().release().rawValue
        self.number = number
        let current = current
        thread = BenchThread("server", processor: nil) { () throws(Errno) in
            for index in 0... {
                let connection = accept(number, nil, nil)
                if connection < 0 { return }
                let isOver = current.withLock { state in
                    state.descriptor = connection
                    return state.isOver
                }
                if !isOver { script(Peer(descriptor: connection, index: index)) }
                current.withLock { $0.descriptor = -1 }
                close(connection)
            }
        }
    }

    /// Lets nobody in any more.
    func stopListening() { shutdown(number, CInt(SHUT_RDWR)) }

    deinit {
        stopListening()
        // Its client may live longer.
        current.withLock { state in
            state.isOver = true
            if state.descriptor >= 0 { shutdown(state.descriptor, CInt(SHUT_RDWR)) }
        }
        _ = thread.join()
        close(number)
    }
}
