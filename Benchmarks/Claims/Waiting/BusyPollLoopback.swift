import Glibc
import LinuxDescriptors
import LinuxReadiness
import LinuxSockets
import Meters
import SystemPackage

/// Whether busy polling does something on loopback.
///
/// A connection gets a byte, takes it, and is watched in two sets, of which one is to look at the device's queue for 20 ms
/// before it sleeps (`EPIOCSPARAMS`) and the socket likewise (`SO_BUSY_POLL`). Nothing comes any more. `queue` is the
/// number of the queue that brought the byte (`SO_INCOMING_NAPI_ID`), 0 for none. `busy_us` is the CPU time of a wait of
/// 20 ms in the set that is to look, `idle_us` in the other: who looks is busy for as long as the wait lasts.
///
/// That it cuts latency where a device has a queue cannot be seen on loopback, and is not tried.
let busyPollLoopback = Experiment(
    id: "busy-poll-loopback",
    statement: "busy polling needs a device with a queue to poll (NAPI), and loopback has none",
    source: .manual("socket(7) of SO_BUSY_POLL, ioctl_eventpoll(2)"), needs: [.setBusyPolling],
    keys: ["queue", "busy_us", "idle_us"],
    observe: {
        let listener = try ScriptListener([.reuseAddress])
        let pair = try listener.pair()
        try pair.send(1)
        let queue = try napiIdentifier(of: pair.server.descriptor)
        var byte: UInt8 = 0
        let number = pair.server.descriptor.rawValue
        guard unsafe recv(number, &byte, 1, 0) == 1 else { throw ScriptError("a byte that arrived was not there") }
        let idle = try waitMicroseconds(on: pair.server.descriptor, polling: .zero)
        // Forbidden without a privilege; the set's own setting is not.
        try? setSocketOption(.busyPoll(.milliseconds(20)), on: pair.server.descriptor)
        let busy = try waitMicroseconds(on: pair.server.descriptor, polling: .milliseconds(20))
        pair.end()
        listener.end()
        return ["queue": queue ?? 0, "busy_us": busy, "idle_us": idle]
    },
    judge: { .init(holds: $0["queue"] == 0 && $0["busy_us"].number < 10_000) },
    explain: {
        $0["queue"] == 0
            ? "No queue brought the byte, and a wait of 20 ms that is to poll uses \($0["busy_us"]) us of CPU time, "
                + "\($0["idle_us"]) us without: there is nothing to poll."
            : "Queue \($0["queue"]) brought the byte, and a wait of 20 ms that polls uses \($0["busy_us"]) us of CPU time, "
                + "\($0["idle_us"]) us without."
    })

private func waitMicroseconds(on socket: BorrowedDescriptor, polling time: Duration) throws(Errno) -> UInt64 {
    let set = try Epoll()
    try set.setBusyPolling(Epoll.BusyPolling(duration: time))
    try set.add(socket, .readable, token: 1)
    let events = EpollEventBuffer(capacity: 1)
    let start = threadNanoseconds()
    _ = try set.wait(into: events, timeout: .milliseconds(20))
    return (threadNanoseconds() - start) / 1000
}
