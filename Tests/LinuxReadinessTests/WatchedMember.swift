import CSocketExtras
import Glibc
import LinuxDescriptors
import LinuxReadiness
import SystemPackage

/// A descriptor in the set, and what should be known of it.
struct WatchedMember: CustomStringConvertible {
    enum State { case armed, fired, paused }

    /// Another descriptor of the same description, which outlives the set's.
    let duplicate: CInt
    let isCounter: Bool
    /// The other end of a connection; -1 for a counter, and after it was closed.
    var peer: CInt
    var events: EpollEvents
    var state = State.armed
    /// Something happened since the registration was made or last reported.
    var hasEdge = true

    static func make(_ events: EpollEvents, _ generator: inout SeededGenerator) throws -> (
        number: CInt, member: WatchedMember
    ) {
        if Bool.random(using: &generator) {
            let pair = try SharedCounter.make()
            return (
                pair.descriptor, WatchedMember(duplicate: pair.duplicate, isCounter: true, peer: -1, events: events)
            )
        }
        var ends: [CInt] = [0, 0]
        let kind = CInt(SOCK_STREAM.rawValue) | CInt(SOCK_NONBLOCK.rawValue) | CInt(SOCK_CLOEXEC.rawValue)
        guard socketpair(AF_UNIX, kind, 0, &ends) == 0 else { throw Errno(rawValue: errno) }
        let duplicate = fcntl(ends[0], F_DUPFD_CLOEXEC, 0)
        return (ends[0], WatchedMember(duplicate: duplicate, isCounter: false, peer: ends[1], events: events))
    }

    mutating func arm(_ new: EpollEvents) {
        events = new
        if state != .paused { state = .armed }
        hasEdge = true
    }

    /// Makes it readable, or takes what there is, or ends its other end.
    mutating func move(_ generator: inout SeededGenerator) {
        switch Int.random(in: 0..<10, using: &generator) {
        case 0..<6:
            var one: UInt64 = 1
            guard isCounter || peer >= 0 else { return }
            _ = Glibc.write(isCounter ? duplicate : peer, &one, 8)
            // Only what can be read is an edge for certain.
            if events.contains(.readable) { hasEdge = true }
        case 6..<9:
            var bytes: UInt64 = 0
            while Glibc.read(duplicate, &bytes, 8) == 8 && ready.contains(.readable) {}
        default:
            guard peer >= 0 else { return }
            close(peer)
            peer = -1
            hasEdge = true
        }
    }

    /// What `poll(2)` says of what it is watched for, and of what is reported unasked.
    var ready: EpollEvents {
        let asked = events.intersection([.readable, .writable, .peerClosed]).union([.hangup, .error])
        var entry = pollfd(fd: duplicate, events: Int16(truncatingIfNeeded: asked.rawValue), revents: 0)
        _ = poll(&entry, 1, 0)
        return EpollEvents(rawValue: UInt32(UInt16(bitPattern: entry.revents))).intersection(asked)
    }

    var mustSpeak: Bool { state == .armed && !ready.isEmpty && (hasEdge || !events.contains(.edgeTriggered)) }

    var description: String {
        "\(isCounter ? "counter" : peer >= 0 ? "connection" : "connection at its end") \(String(events.rawValue, radix: 16)) \(state), \(hasEdge)"
    }
}
