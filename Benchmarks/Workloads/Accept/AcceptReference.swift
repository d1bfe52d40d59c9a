import LinuxDescriptors
import LinuxReadiness
import Meters
import Reference
import SystemPackage

extension AcceptWorker {
    /// Runs the C loop over a set that is ready: the same system calls in the same order.
    func referenceEpoll(_ epoll: borrowing Epoll, drains: Bool, _ meter: WorkerMeter) throws(Errno) {
        let set = epoll.descriptor.rawValue
        try checkReference(unsafe reference_accept_epoll(set, drains, meter.address))
    }

    /// Runs the C loop over a ring of its own.
    func referenceMultishot(_ meter: WorkerMeter) throws(Errno) {
        let entries = UInt32(clamping: min(max(2 * plan.outstanding, 64), 4096))
        try checkReference(
            unsafe reference_accept_multishot(listeners[0].rawValue, member.stop.rawValue, entries, meter.address))
    }
}
