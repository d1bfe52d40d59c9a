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
    func referenceMultishot(_ connections: [CInt], _ meter: WorkerMeter) throws(Errno) {
        let buffers = 1 << (Int.bitWidth - (traffic.bufferCount(for: connections.count) - 1).leadingZeroBitCount)
        try checkReference(
            unsafe reference_read_multishot(
                connections, connections.count, stop.rawValue, ringEntries, traffic.messageBytes, traffic.chunkBytes,
                UInt32(buffers), plan.loop.mode.options.reference, meter.address))
    }
}

extension Mode.Options {
    /// What the C loop over a ring is to do otherwise.
    fileprivate var reference: UInt32 {
        (zeroCopy == nil ? 0 : REFERENCE_ZERO_COPY.rawValue) | (poller == nil ? 0 : REFERENCE_POLLER.rawValue)
    }
}

/// A C loop returns 0 or an error number.
func checkReference(_ result: CInt) throws(Errno) {
    if result != 0 { throw Errno(rawValue: result) }
}
