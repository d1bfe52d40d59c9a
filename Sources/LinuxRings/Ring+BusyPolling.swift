import CIOUring
import LinuxDescriptors
public import SystemPackage

/// Looking at the queues of network devices while a wait lasts (NAPI, `io_uring_register_napi(3)`, Linux 6.9).
extension Ring {
    /// How a ring looks at the queues of network devices by itself, in place of being told by an interrupt.
    public struct BusyPolling: Sendable, Hashable {
        /// How long a wait looks before it sleeps, in whole microseconds; 0 does not look.
        public var duration: Duration
        /// Lets the device send no interrupts meanwhile (`SO_PREFER_BUSY_POLL`), which needs its
        /// `napi_defer_hard_irqs` and `gro_flush_timeout`.
        public var prefersPolling: Bool

        /// Describes it.
        public init(duration: Duration, prefersPolling: Bool = false) {
            self.duration = duration
            self.prefersPolling = prefersPolling
        }
    }

    /// Makes waits look at the queues of the devices that the sockets of this ring's requests get their packets from
    /// (`IORING_REGISTER_NAPI`), or no longer (nil).
    ///
    /// The kernel takes note of a device when a request on a socket is armed, and forgets it a minute after the last.
    /// Loopback has no queue to look at, nor has a socket to which nothing has come: nothing changes for them.
    ///
    /// - Returns: what it was before.
    /// - Throws: `EINVAL` before Linux 6.9 and where the kernel was built without (`CONFIG_NET_RX_BUSY_POLL`), also as
    ///   `EOPNOTSUPP`.
    @discardableResult public mutating func setBusyPolling(_ polling: BusyPolling?) throws(Errno) -> BusyPolling {
        var settings = c_ring_busy_poll()
        if let polling {
            let time = kernelTime(polling.duration)
            settings.duration_us = UInt32(clamping: time.seconds * 1_000_000 + time.nanoseconds / 1000)
            settings.is_preferred = polling.prefersPolling ? 1 : 0
        }
        let code = polling == nil ? C_IORING_UNREGISTER_NAPI : C_IORING_REGISTER_NAPI
        let result = unsafe io_uring_register(UInt32(bitPattern: descriptor.rawValue), code, &settings, 1)
        if result < 0 { throw Errno(rawValue: -result) }
        return BusyPolling(
            duration: .microseconds(Int64(settings.duration_us)), prefersPolling: settings.is_preferred != 0)
    }

    /// Tries it: whether it is there has no other sign.
    mutating func takesBusyPolling() -> Bool {
        (try? setBusyPolling(BusyPolling(duration: .zero))) != nil && (try? setBusyPolling(nil)) != nil
    }
}
