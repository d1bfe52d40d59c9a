import Glibc
import LinuxDescriptors
import LinuxRings
import LinuxSockets
import Meters
import SystemPackage

/// Whether the descriptors that a multishot accept brings are those of the connections, on a ring that defers its work and
/// on one with a poller, while the ring receives from a client that sends all the time: 64 clients connect, one after the
/// other, and each descriptor is asked for its peer.
///
/// Wrong is a number that is not open, is no socket, or has another peer than the client that has just connected.
let ringAcceptDescriptors = Experiment(
    id: "uring-multishot-accept-wrong-fd",
    statement: "on a DEFER_TASKRUN or SQPOLL ring a multishot accept brings wrong descriptors",
    source: .liburing("issues 1062 and 758, mended in Linux 6.8"), needs: [.multishotAccept],
    // Which descriptors come is not a matter of time, as long as the stream goes on between two of them.
    conditions: Conditions(
        heldUpLimit: 100,
        isDecisive: { $0["wrong_deferred"].number > 0 || $0["wrong_polled"].number > 0 },
        shortfall: { Conditions.fewer($0, "received", than: 2 * clientCount, "pieces of the busy stream") }),
    keys: ["connections", "received", "wrong_deferred"],
    observe: {
        var observed: Observed = ["connections": clientCount]
        let deferred = try acceptBesideStream { () throws(Errno) in
            try Ring(entries: 64, [.singleIssuer, .deferTaskRun])
        }
        let polled = try acceptBesideStream { () throws(Errno) in
            try Ring(entries: 64, poller: SubmissionPoller(idle: .milliseconds(10)))
        }
        if let deferred {
            observed["received"] = min(deferred.received, polled?.received ?? .max).observed
            observed["wrong_deferred"] = deferred.wrong.observed
        } else {
            observed.detail = "deferred task work needs Linux 6.1"
        }
        if let polled { observed["wrong_polled"] = polled.wrong.observed }
        return observed
    },
    judge: { .init(holds: $0["wrong_deferred"].number > 0 || $0["wrong_polled"].number > 0) },
    explain: {
        let polled = $0["wrong_polled"] == .absent ? "" : ", and \($0["wrong_polled"]) on one with a poller"
        return
            "Of \($0["connections"]) descriptors \($0["wrong_deferred"]) are wrong on a ring that defers its work\(polled)."
    })

private let clientCount = 64
private let acceptToken: UInt64 = 1
private let receiveToken: UInt64 = 2

/// Nil where this kernel or user cannot have such a ring.
private func acceptBesideStream(_ make: () throws(Errno) -> Ring) throws -> (received: Int, wrong: Int)? {
    let scene: BusyStreamScene
    do throws(Errno) {
        scene = try BusyStreamScene(try make())
    } catch .invalidArgument {
        return nil
    } catch .notPermitted {
        return nil
    }
    return try scene.run()
}

/// A ring with a multishot accept that receives, in small pieces, what one client sends all the time.
@safe private final class BusyStreamScene {
    private var ring: Ring
    private let listener: Listener
    private let address: SocketAddress
    private let memory = UnsafeMutableRawPointer.allocate(byteCount: 64, alignment: 8)
    private var received = 0
    private var isReceiving = false
    private var accepted: [CInt] = []

    init(_ ring: consuming Ring) throws(Errno) {
        let socket = try StreamSocket(for: .loopback(), .blocking)
        try setSocketOption(.resetOnClose, on: socket.descriptor)
        try socket.bind(to: .loopback())
        let listener = try socket.listen(backlog: 128)
        address = try listener.address
        try ring.prepareMultishotAccept(on: listener.descriptor, token: acceptToken)
        try ring.submit()
        self.ring = ring
        self.listener = listener
    }

    deinit {
        // A receive that is pending may write to it.
        if !isReceiving { unsafe memory.deallocate() }
    }

    func run() throws -> (received: Int, wrong: Int) {
        let pusher = try ScriptThread("pusher")
        defer { pusher.end() }
        let client = Shared(try connectBounded(to: address))
        let stream = BorrowedDescriptor(rawValue: try nextAccepted())
        let pushing = pusher.start {
            let bytes = [UInt8](repeating: 7, count: 64)
            while !pusher.isEndRequested {
                let sent = unsafe send(
                    client.value.descriptor.rawValue, bytes, bytes.count, CInt(MSG_DONTWAIT | MSG_NOSIGNAL))
                if sent < 0 { sleepUntil(nanoseconds: monotonicNanoseconds() + 50_000) }
            }
        }
        var wrong = 0
        let outcome = Result { wrong = try countWrong(stream) }
        pusher.end()
        _ = pushing.isFinished
        shutdown(stream.rawValue, CInt(SHUT_RDWR))
        let deadline = monotonicNanoseconds() + Patience.limitNanoseconds
        while isReceiving && monotonicNanoseconds() < deadline { try take() }
        try outcome.get()
        close(stream.rawValue)
        return (received, wrong)
    }

    private func countWrong(_ stream: BorrowedDescriptor) throws -> Int {
        unsafe try ring.prepareReceive(.descriptor(stream), into: memory, count: 64, token: receiveToken)
        isReceiving = true
        var wrong = 0
        for _ in 0..<clientCount {
            let (before, start) = (received, monotonicNanoseconds())
            while isReceiving && received < before + 2
                && monotonicNanoseconds() < start + Patience.limitNanoseconds
            {
                try take(stream)
            }
            let client = try connectBounded(to: address)
            let number = try nextAccepted(stream)
            let peer = try? SocketAddress.peer(of: BorrowedDescriptor(rawValue: number))
            if peer != (try client.localAddress) { wrong += 1 } else { close(number) }
        }
        return wrong
    }

    private func nextAccepted(_ stream: BorrowedDescriptor? = nil) throws -> CInt {
        let deadline = monotonicNanoseconds() + Patience.limitNanoseconds
        while accepted.isEmpty {
            guard monotonicNanoseconds() < deadline else { throw Undecided("a ring accepted nothing within 10 s") }
            try take(stream)
        }
        return accepted.removeFirst()
    }

    /// Takes what has completed; receives again if there is still a stream.
    private func take(_ stream: BorrowedDescriptor? = nil) throws {
        _ = try ring.submitAndWait(timeout: .milliseconds(100))
        while let completion = ring.nextCompletion() {
            if completion.token == acceptToken {
                if let error = completion.error { throw error }
                accepted.append(completion.result)
            } else if completion.token == receiveToken {
                isReceiving = false
                received += 1
                guard let stream, completion.result > 0 else { continue }
                unsafe try ring.prepareReceive(.descriptor(stream), into: memory, count: 64, token: receiveToken)
                isReceiving = true
            }
        }
    }
}
