import LinuxDescriptors
import LinuxReadiness
import Meters
import Reference
import SystemPackage

extension AcceptJob {
    /// Runs the C loop over a set that is ready: the same system calls in the same order.
    func referenceEpoll(_ epoll: borrowing Epoll, drains: Bool, _ meter: WorkerMeter) throws(Errno) {
        let set = epoll.descriptor.rawValue
        try checkReference(unsafe reference_accept_epoll(set, drains, meter.address))
    }

    /// Runs the C loop over a ring of its own.
    func referenceMultishot(_ listener: BorrowedDescriptor, _ meter: WorkerMeter) throws(Errno) {
        let entries = UInt32(clamping: min(max(2 * traffic.connections, 64), 4096))
        try checkReference(
            unsafe reference_accept_multishot(listener.rawValue, stop.rawValue, entries, meter.address))
    }
}
