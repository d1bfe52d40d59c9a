import Glibc
import LinuxDescriptors
import LinuxRings
import LinuxSockets
import SystemPackage

/// What closing a descriptor means while a request on it is pending in a ring.
extension Experiment {
    /// 1. A ring has a multishot accept pending on a listener.
    /// 2. The listener's only descriptor is closed.
    /// 3. Three clients try to connect.
    /// 4. Somebody tries to listen on the same port.
    ///
    /// `completions` counts the connections that the ring accepted after the close.
    static let ringClosePendingAccept = Experiment(
        id: "uring-close-pending-accept",
        statement: "closing a listener ends listening, a multishot accept that is pending on it notwithstanding",
        source: .expectation, needs: [.multishotAccept], keys: ["connects", "port_free"],
        observe: {
            var ring = try Ring(entries: 8)
            let listener = try Listener(.loopback(), [.reuseAddress, .resetOnClose])
            let address = try listener.address
            try ring.prepareMultishotAccept(on: listener.descriptor, token: 1)
            try ring.submit()
            try listener.close()
            var connects = 0
            for _ in 1...3 {
                let result = outcome { () throws(Errno) in
                    _ = try connectBounded(to: address)
                }
                if result == "ok" { connects += 1 }
            }
            let listening = outcome { () throws(Errno) in _ = try Listener(address) }
            var completions = 0
            while try ring.submitAndWait(timeout: .nanoseconds(Patience.quietNanoseconds)) {
                while let completion = ring.nextCompletion() {
                    if completion.result >= 0 {
                        completions += 1
                        try completion.takeDescriptor().close()
                    }
                }
            }
            return [
                "connects": connects, "port_free": listening == "ok" ? 1 : 0, "completions": completions,
                "listen": listening,
            ]
        },
        judge: { observed in
            observed["connects"] == "0" && observed["port_free"] == "1" ? .holds : .doesNotHold
        },
        explain: { observed in
            "After the close \(observed["connects"] ?? "") of 3 clients connect, and the port is "
                + (observed["port_free"] == "1" ? "free." : "taken: the pending request keeps the listener open.")
        })

    /// 1. A ring has a receive pending on a connection.
    /// 2. The connection's only descriptor is closed.
    /// 3. Does the peer read the end of the stream within the time in which on loopback it would?
    static let ringClosePendingReceive = Experiment(
        id: "uring-close-pending-recv",
        statement: "closing a connection sends FIN, a receive that is pending on it notwithstanding",
        source: .expectation, needs: [.ring],
        conditions: Conditions(
            isDecisive: { $0["fin_seen"] == "1" },
            shortfall: { observed in
                observed["fin_after_cancel"] == "0"
                    ? "the end of the stream did not come after the cancellation either" : nil
            }),
        keys: ["fin_seen"],
        observe: {
            var ring = try Ring(entries: 8)
            let listener = try ScriptListener([.reuseAddress])
            let pair = try listener.pair()
            let client = pair.client.descriptor
            let memory = UnsafeMutableRawPointer.allocate(byteCount: 16, alignment: 8)
            // The request may write to it until it is cancelled at the end.
            defer { unsafe memory.deallocate() }
            unsafe try ring.prepareReceive(.descriptor(pair.server.descriptor), into: memory, count: 16, token: 1)
            try ring.submit()
            let kept = try pair.closeServer()
            var entry = pollfd(fd: client.rawValue, events: Int16(POLLIN), revents: 0)
            _ = unsafe poll(&entry, 1, CInt(Patience.quietNanoseconds / 1_000_000))
            let isSeen = CInt(entry.revents) & POLLIN != 0
            try ring.prepareCancel(target: 1, token: 2)
            try ring.submit()
            entry.revents = 0
            _ = unsafe poll(&entry, 1, Patience.waitMilliseconds)
            let isSeenLater = CInt(entry.revents) & POLLIN != 0
            try kept.close()
            listener.end()
            return ["fin_seen": isSeen ? 1 : 0, "fin_after_cancel": isSeenLater ? 1 : 0]
        },
        judge: { $0["fin_seen"] == "1" ? .holds : .doesNotHold },
        explain: { observed in
            observed["fin_seen"] == "1"
                ? "The peer reads the end of the stream at once."
                : "The peer waits on: the pending receive keeps the connection open until it is cancelled."
        })
}

extension ConnectionPair {
    /// Closes the accepted end and returns the other.
    consuming func closeServer() throws(Errno) -> Connection {
        try server.close()
        return client
    }
}
