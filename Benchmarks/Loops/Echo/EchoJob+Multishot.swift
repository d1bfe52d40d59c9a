import Glibc
import LinuxDescriptors
import LinuxRings
import Meters
import SystemPackage

/// Rings that receive many times, and their buffers.
extension EchoJob {
    func runMultishot(
        _ destination: MultishotAccept.Destination, _ listeners: [CInt], _ own: [CInt], _ member: WorkerTeam.Member,
        _ worker: inout EchoWorker
    ) throws(Errno) {
        var group = BufferGroup(
            identifier: 0, count: traffic.bufferCount(for: own.count), bytes: traffic.chunkBytes,
            headroom: traffic.longestRequestBytes)
        var waiting = RingWaiting(plan.loop.mode.options)
        var ring = try makeRing(&waiting)
        try ring.register(group)
        let streams = MultishotStreams(
            format, capacity: worker.connections.capacity, group, into: destination,
            try ReplySending(plan.loop.mode.options.zeroCopy, from: group, &ring))
        try run(&ring, waiting, &group, streams, destination, listeners, own, member, &worker)
    }

    /// The same with completions that bring several buffers, or parts of them.
    func runParted(
        _ destination: MultishotAccept.Destination, _ listeners: [CInt], _ own: [CInt], _ member: WorkerTeam.Member,
        _ worker: inout EchoWorker
    ) throws(Errno) {
        let options = plan.loop.mode.options
        let room = partedRoom(own.count)
        let group = BundleGroup(
            identifier: 0, count: room.count, bytes: room.bytes, headroom: traffic.longestRequestBytes,
            isIncremental: options.incrementalBuffers)
        var waiting = RingWaiting(options)
        var ring = try makeRing(&waiting)
        try ring.register(group)
        let capacity = worker.connections.capacity
        let streams = MultishotStreams(
            format, capacity: capacity, group, receiveFlags: options.bundles ? .bundle : [], into: destination)
        var buffers = PartedBuffers(group, format, capacity: capacity)
        try run(&ring, waiting, &buffers, streams, destination, listeners, own, member, &worker)
    }

    private func run<Buffers: EchoBuffers & ~Copyable>(
        _ ring: inout Ring, _ waiting: RingWaiting, _ buffers: inout Buffers, _ streams: MultishotStreams,
        _ destination: MultishotAccept.Destination, _ listeners: [CInt], _ own: [CInt], _ member: WorkerTeam.Member,
        _ worker: inout EchoWorker
    ) throws(Errno) {
        var connections = own
        if destination == .slots {
            try ring.registerFileSlots(count: plan.slotCount(for: traffic))
            for (slot, fd) in own.enumerated() {
                try ring.registerFile(BorrowedDescriptor(rawValue: fd), slot: Slot(UInt32(slot)))
                try give(fd).close()
                worker.connections.began(CInt(slot))
            }
            connections = own.indices.map { CInt($0) }
        }
        member.gate.arriveAndWait()
        defer { if destination == .descriptors { closeUnserved(&ring) } }
        try echoFromRingMultishot(
            &ring, waiting, &buffers, streams, listeners: listeners, connections: connections, &worker)
    }
}

extension Mode.Options {
    /// A completion can bring more, or less, than one whole buffer.
    var receivesParts: Bool { bundles || incrementalBuffers }
}
