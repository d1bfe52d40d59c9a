import CEpoll
import Glibc
import LinuxDescriptors
public import SystemPackage

extension Epoll {
    /// How a wait looks at the queues of network devices by itself, in place of being told by an interrupt (NAPI).
    public struct BusyPolling: Sendable, Hashable {
        /// How long a wait looks before it sleeps, in whole microseconds, at most 35 minutes; 0 leaves it to
        /// `net.core.busy_poll`.
        public var duration: Duration
        /// How many packets one look takes at the most, 0 for the kernel's own number (8). More than 64 take
        /// `CAP_NET_ADMIN`.
        public var budget: UInt16
        /// Lets the device send no interrupts meanwhile (`SO_PREFER_BUSY_POLL`), which needs its
        /// `napi_defer_hard_irqs` and `gro_flush_timeout`.
        public var prefersPolling: Bool

        /// Describes it.
        public init(duration: Duration, budget: UInt16 = 0, prefersPolling: Bool = false) {
            self.duration = duration
            self.budget = budget
            self.prefersPolling = prefersPolling
        }
    }

    /// Makes waits look at the queue of the device from which a watched socket got its last packet (`EPIOCSPARAMS`, Linux
    /// 6.9, `ioctl_eventpoll(2)`): of one device, so the sockets of a set should be of one queue. Loopback has none, and
    /// nothing changes there.
    ///
    /// - Throws: `EINVAL` for a longer time; `EPERM` for a larger budget without the privilege; `ENOTTY` or `EINVAL` before
    ///   Linux 6.9; `EOPNOTSUPP` where the kernel was built without (`CONFIG_NET_RX_BUSY_POLL`).
    public func setBusyPolling(_ polling: BusyPolling) throws(Errno) {
        var settings = c_epoll_params()
        settings.duration_us = UInt32(clamping: polling.duration.nanoseconds / 1000)
        settings.budget = polling.budget
        settings.is_preferred = polling.prefersPolling ? 1 : 0
        if unsafe c_epoll_set_params(descriptor.rawValue, &settings) < 0 { throw Errno(rawValue: errno) }
    }

    /// What ``setBusyPolling(_:)`` set, zeros if nothing (`EPIOCGPARAMS`, Linux 6.9).
    ///
    /// - Throws: `ENOTTY` or `EINVAL` before Linux 6.9; `EOPNOTSUPP` where the kernel was built without.
    public func busyPolling() throws(Errno) -> BusyPolling {
        var settings = c_epoll_params()
        if unsafe c_epoll_get_params(descriptor.rawValue, &settings) < 0 { throw Errno(rawValue: errno) }
        return BusyPolling(
            duration: .microseconds(Int64(settings.duration_us)), budget: settings.budget,
            prefersPolling: settings.is_preferred != 0)
    }
}
