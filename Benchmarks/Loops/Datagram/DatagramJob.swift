import Glibc
package import LinuxDescriptors
import LinuxReadiness
import LinuxRings
import LinuxSockets
package import Meters
package import SystemPackage

/// What every worker needs that echoes datagrams: a socket of its own, on the port of all.
package struct DatagramJob: Sendable {
    private let plan: ServerPlan
    private let traffic: Traffic
    private let endpoints: [DatagramEndpoint]
    private let stop: BorrowedDescriptor

    package init(_ plan: ServerPlan, _ traffic: Traffic, _ endpoints: [DatagramEndpoint], stop: BorrowedDescriptor) {
        self.plan = plan
        self.traffic = traffic
        self.endpoints = endpoints
        self.stop = stop
    }

    /// A shutdown ends also the receives of a socket that is not connected, although it says `ENOTCONN`.
    package func hangUp() {
        for endpoint in endpoints { shutdown(endpoint.socket.descriptor.rawValue, CInt(SHUT_RDWR)) }
    }

    /// Prepares what the mode waits with, passes the gate, and echoes until told to stop.
    package func run(_ member: WorkerTeam.Member) throws(Errno) {
        let socket = endpoints[member.index].socket.descriptor
        let mode = plan.loop.mode
        var worker = DatagramWorker(plan, traffic, member, endpoints[member.index])
        switch mode.mechanism {
        case .blocking:
            member.gate.arriveAndWait()
            try echoDatagramsBlocking(&worker)
        case .poll:
            var set = PollSet(stop: stop.rawValue, listeners: [], connections: [socket.rawValue], capacity: 2)
            member.gate.arriveAndWait()
            try echoDatagramsFromPoll(&set, &worker)
        case .epoll:
            let epoll = try Epoll()
            try epoll.add(stop, .readable, token: Token(.stop).rawValue)
            try epoll.add(socket, mode.capabilities.flags, token: Token(.connection).rawValue)
            let events = EpollEventBuffer(capacity: 2)
            member.gate.arriveAndWait()
            try echoDatagramsFromEpoll(epoll, events, drains: mode.capabilities.drains, &worker)
        case .ringMultishot: try runMultishot(member, &worker)
        default: throw .notSupported
        }
    }

    private func runMultishot(_ member: WorkerTeam.Member, _ worker: inout DatagramWorker) throws(Errno) {
        let layout = MessageLayout(addressCapacity: 28)
        // Smaller datagrams of others fit, too; all buffers together have some 4 MiB.
        let bytes = layout.overhead + DatagramWorker.roomBytes(traffic)
        var group = BufferGroup(identifier: 0, count: max(8, min(1024, (4 << 20) / bytes)), bytes: bytes)
        var ring = try Ring.forThisThread(entries: 64, completions: 4096)
        try ring.preparePoll(stop, .readable, token: Token(.stop).rawValue)
        try ring.register(group)
        member.gate.arriveAndWait()
        try echoDatagramsFromRing(&ring, &group, layout, &worker)
    }
}
