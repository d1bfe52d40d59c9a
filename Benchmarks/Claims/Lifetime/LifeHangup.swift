import CSocketExtras
import Glibc
import LinuxDescriptors
import LinuxReadiness
import LinuxSockets
import SystemPackage

/// Registrations that ask for nothing, when the other side goes: in how many of ten waits an event comes that nobody asked
/// for and nobody takes.
///
/// - `fin`: a TCP connection whose peer closes in order; `both`: and that has ended its own direction too.
/// - `reset`: a TCP connection whose peer resets it.
/// - `unix`: a stream socket of this machine whose peer closes.
/// - `pipe_read`, `pipe_write`: an end of a pipe whose other end is closed.
///
/// A connection whose peer closes in order is readable, which nobody asks for here, and hung up only when both
/// directions have ended.
let lifeHangup = [
    hangup(
        "life-hangup-spins", [],
        "EPOLLHUP and EPOLLERR come unasked: a registration with no events spins after the peer's close",
        { $0 > 1 }),
    hangup(
        "life-hangup-edge", .edgeTriggered,
        "edge-triggered, a registration with no events is told of the peer's close once", { $0 == 1 }),
    hangup(
        "life-hangup-oneshot", .oneShot,
        "with EPOLLONESHOT a registration with no events is told of the peer's close once and spins no more",
        { $0 == 1 }, .expectation),
]

private let endings = ["fin", "both", "reset", "unix", "pipe_read", "pipe_write"]

private func hangup(
    _ id: String, _ events: EpollEvents, _ statement: String, _ isAsSaid: @escaping @Sendable (Double) -> Bool,
    _ source: ClaimSource = .manual("epoll_ctl(2)")
) -> Experiment {
    Experiment(
        id: id, statement: statement, source: source, keys: endings,
        observe: {
            [
                "fin": try tcpEvents(events, reset: false), "both": try tcpEvents(events, reset: false, endsToo: true),
                "reset": try tcpEvents(events, reset: true), "unix": try unixEvents(events),
                "pipe_read": try pipeEvents(events, watchesReadEnd: true),
                "pipe_write": try pipeEvents(events, watchesReadEnd: false),
            ]
        },
        judge: { observed in .init(parts: endings.map { isAsSaid(observed[$0].number) }) },
        explain: { observed in
            let counts = endings.map { "\($0.replacing("_", with: " ")) \(observed[$0])" }
            return "Of 10 waits report an event: \(counts.joined(separator: ", "))."
        })
}

private func tcpEvents(_ events: EpollEvents, reset: Bool, endsToo: Bool = false) throws -> Int {
    let listener = try ScriptListener([.reuseAddress] + (reset ? [.resetOnClose] : []))
    let pair = try listener.pair()
    // The side that resets is the accepted one: it has the listener's options.
    let number = pair.client.descriptor.rawValue
    let epoll = try Epoll()
    try epoll.add(pair.client.descriptor, events, token: 0)
    let client = try pair.closeServer()
    guard try awaitReadiness(of: BorrowedDescriptor(rawValue: number), POLLIN) else {
        throw Undecided("the peer's close was not seen within 10 s")
    }
    if endsToo { try client.finishSending() }
    let count = try epoll.eventfulWaits()
    try client.close()
    return count
}

private func unixEvents(_ events: EpollEvents) throws -> Int {
    let numbers = try SocketPair().release()
    return try eventsAfterClose(of: owned(numbers[1]), watching: owned(numbers[0]), events)
}

private func pipeEvents(_ events: EpollEvents, watchesReadEnd: Bool) throws -> Int {
    let numbers = try Pipe().release()
    let (watched, other) = watchesReadEnd ? (numbers[0], numbers[1]) : (numbers[1], numbers[0])
    return try eventsAfterClose(of: owned(other), watching: owned(watched), events)
}

private func eventsAfterClose(
    of other: consuming OwnedDescriptor, watching watched: consuming OwnedDescriptor, _ events: EpollEvents
) throws -> Int {
    let epoll = try Epoll()
    try epoll.add(watched.descriptor, events, token: 0)
    try other.close()
    let count = try epoll.eventfulWaits()
    try watched.close()
    return count
}
