import LinuxDescriptors
import LinuxReadiness
package import LinuxSockets
package import Meters

/// What decides what a server does, beside the traffic that it is to expect.
package struct ServerPlan: Sendable {
    /// How it waits.
    package var loop: LoopPlan
    /// How many listening sockets there are.
    package var listener = ListenerSharing.shared
    /// Listeners are told of a connection when its first bytes have come (`TCP_DEFER_ACCEPT`).
    package var defersAccept = false
    /// Listeners take the first bytes of a connection with its SYN (`TCP_FASTOPEN`).
    package var opensFast = false
    /// Server threads.
    package var workers = 1
    /// How long a worker is busy with an operation.
    package var service = ServiceTime.none
    /// When a one-shot registration is armed again.
    package var rearm: Rearm
    /// Where to listen; port 0 lets the kernel choose.
    package var address = SocketAddress.loopback()

    /// Takes a mode: one worker, one listener, no service time. A one-shot registration is armed again early when
    /// accepting, and late where the order of a stream would suffer.
    package init(_ workload: Workload, mode: Mode) {
        loop = LoopPlan(mode: mode)
        rearm = workload == .accept ? .early : .late
        // Each worker has a socket, and the kernel picks one for each client.
        if workload == .datagram { listener = .reuseport }
    }

    /// Server threads: where a thread waits in the read itself, each connection needs one, an idle one too.
    package func workerThreads(for traffic: Traffic) -> Int {
        let isThreadPerConnection = traffic.arrival == .beforehand && loop.mode.capabilities.waitsInCall
        return isThreadPerConnection ? traffic.connections + traffic.idle : workers
    }

    /// True if two workers can be told of the same connection at the same time.
    package var sharesConnections: Bool {
        let mode = loop.mode.capabilities
        guard loop.topology == .sharedSet else { return false }
        return mode.isRearmed ? rearm == .early : !mode.flags.contains(.oneShot)
    }

    /// Descriptors that a worker opens at the most beside its connections: its listener and a set or ring that takes two;
    /// duplicates of the listener and the stop signal in one that owns them.
    package var descriptorsPerWorker: Int { loop.mode.capabilities.ownsDescriptors ? 5 : 3 }

    /// Descriptors that the server opens at the most.
    package func descriptorsNeeded(for traffic: Traffic) -> Int {
        traffic.connections + traffic.idle + descriptorsPerWorker * workerThreads(for: traffic) + 64
    }

    /// Slots of a ring's own table, twice what can be open: one is free again only when its close has been carried out.
    func slotCount(for traffic: Traffic) -> UInt32 {
        let limit = (try? DescriptorLimit.current().soft) ?? 1024
        return UInt32(clamping: min(UInt(max(2 * (traffic.connections + traffic.idle), 256)), limit))
    }
}

/// When a one-shot registration is armed again.
package enum Rearm: String, Sendable, CaseIterable, Codable {
    /// Right after the accept or the receive: another worker can be woken while this one serves.
    case early
    /// After the connection was served, and its reply sent.
    case late
}
