package import LinuxSockets
import LinuxDescriptors
package import Meters

/// What decides what a server does, beside the traffic that it is to expect.
package struct ServerPlan: Sendable {
    /// How it waits.
    package var loop: LoopPlan
    /// How many listening sockets there are.
    package var listener = ListenerSharing.shared
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
    }

    /// Server threads: where a thread waits in the read itself, each connection needs one, an idle one too.
    package func workerThreads(for traffic: Traffic) -> Int {
        let isThreadPerConnection = traffic.workload == .read && loop.mode.mechanism == .blocking
        return isThreadPerConnection ? traffic.connections + traffic.idle : workers
    }

    /// True if two workers can be told of the same connection at the same time.
    package var sharesConnections: Bool {
        guard loop.topology == .sharedSet else { return false }
        switch loop.mode.mechanism {
        case .epoll: return true
        case .epollOneShot: return rearm == .early
        default: return false
        }
    }

    /// Descriptors that the server opens at the most.
    package func descriptorsNeeded(for traffic: Traffic) -> Int {
        traffic.connections + traffic.idle + 3 * workerThreads(for: traffic) + 64
    }

    /// Slots of a ring's own table, twice what can be open: one is free again only when its close has been carried out.
    func slotCount(for traffic: Traffic) -> UInt32 {
        let limit = (try? DescriptorLimit.current().soft) ?? 1024
        return UInt32(clamping: min(UInt(max(2 * (traffic.connections + traffic.idle), 256)), limit))
    }
}

/// When a one-shot registration is armed again.
package enum Rearm: String, Sendable, CaseIterable {
    /// Right after the accept or the receive: another worker can be woken while this one serves.
    case early
    /// After the connection was served, and its reply sent.
    case late
}
