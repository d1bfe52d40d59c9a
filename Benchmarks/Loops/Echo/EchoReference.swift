import LinuxDescriptors
import LinuxReadiness
import Meters
import Reference
import SystemPackage

extension EchoJob {
    /// Runs the C loop over a set that is ready: the same system calls in the same order.
    func referenceEpoll(_ epoll: borrowing Epoll, drains: Bool, _ meter: WorkerMeter) throws(Errno) {
        try checkReference(
            unsafe reference_read_epoll(
                epoll.descriptor.rawValue, drains, traffic.messageBytes, traffic.chunkBytes, table.capacity,
                meter.address))
    }

    /// Runs the C loop over a ring of its own.
    func referenceRing(_ connections: [CInt], _ meter: WorkerMeter) throws(Errno) {
        if plan.loop.mode.options.bundles {
            let buffers = powerOfTwo(partedRoom(connections.count).count)
            return try checkReference(
                unsafe reference_read_bundle(
                    connections, connections.count, stop.rawValue, ringEntries, traffic.messageBytes, UInt32(buffers),
                    meter.address))
        }
        let buffers = powerOfTwo(traffic.bufferCount(for: connections.count))
        try checkReference(
            unsafe reference_read_multishot(
                connections, connections.count, stop.rawValue, ringEntries, traffic.messageBytes, traffic.chunkBytes,
                UInt32(buffers), plan.loop.mode.options.reference, meter.address))
    }
}

extension Mode.Options {
    /// What the C loop over a ring is to do otherwise.
    fileprivate var reference: UInt32 {
        var flags: UInt32 = poller == nil ? 0 : REFERENCE_POLLER.rawValue
        if zeroCopy != nil { flags |= REFERENCE_ZERO_COPY.rawValue }
        if zeroCopy != nil && Mode.ZeroCopySend.tellsOfCopies { flags |= REFERENCE_REPORT_USAGE.rawValue }
        return flags
    }
}

/// The same, or the next power of two.
private func powerOfTwo(_ count: Int) -> Int { 1 << (Int.bitWidth - (count - 1).leadingZeroBitCount) }

/// A C loop returns 0 or an error number.
func checkReference(_ result: CInt) throws(Errno) {
    if result != 0 { throw Errno(rawValue: result) }
}
