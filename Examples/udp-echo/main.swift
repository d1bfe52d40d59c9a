// A server for strangers that sends back each datagram that it receives: one thread, one socket, one set.
//
// It stays on this machine: whoever forges a sender in the open makes two such servers talk to each other for ever.

import Glibc
import LinuxDescriptors
import LinuxReadiness
import LinuxSockets

struct DatagramServer: ~Copyable {
    var set: InterestSet
    let socket: InterestToken
    var batch = DatagramBatch(capacity: 64, roomBytes: 65_536)

    /// Serves until standard input can be read; until it is killed if that is a file or /dev/null, which have no events.
    mutating func run() throws {
        let input = try? set.insert(BorrowedDescriptor.standardInput.duplicate(), .readable)
        while true {
            _ = try set.wait()
            while let event = set.nextEvent() {
                if event.token == input { return }
                try serve()
            }
        }
    }

    /// Sends back what has arrived. If there is more the set reports the socket again, after others had their turn.
    mutating func serve() throws {
        guard let descriptor = set.descriptor(of: socket) else { return }
        if batch.count == 0 {
            let received = try? descriptor.with(DatagramSocket.self) { try $0.receive(into: &batch) }
            // An error is of an earlier datagram, and is gone.
            if received == nil { return }
        }
        while batch.count > 0 {
            do {
                let sent = try descriptor.with(DatagramSocket.self) { try $0.send(&batch) }
                // With no room to send, nothing is received either, until there is room.
                if sent == nil { return try set.modify(self.socket, .writable) }
            } catch {
                // This one cannot be sent, to port 0 say. UDP loses datagrams, and nobody waits for it.
                batch.removeFirst()
            }
        }
        if set.events(of: socket) != .readable { try set.modify(socket, .readable) }
    }
}

do {
    let socket = try DatagramSocket(boundTo: .loopback())
    print("echoing on \(try socket.localAddress); Return ends it")
    fflush(nil)
    var set = try InterestSet()
    let token = try set.insert(socket.release(), .readable)
    var server = DatagramServer(set: set, socket: token)
    try server.run()
} catch {
    print("udp-echo: \(error)")
    exit(1)
}
