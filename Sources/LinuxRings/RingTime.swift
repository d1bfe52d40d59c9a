import CIOUring
import Glibc

extension Ring {
    /// The clock that a timeout goes by (`clock_gettime(2)`).
    @frozen public enum Clock: Sendable, Hashable {
        /// `CLOCK_MONOTONIC`: stands still while the machine is suspended.
        case monotonic
        /// `CLOCK_BOOTTIME` (`IORING_TIMEOUT_BOOTTIME`, Linux 5.15): goes on while the machine is suspended.
        case boottime
        /// `CLOCK_REALTIME` (`IORING_TIMEOUT_REALTIME`, Linux 5.15): the time of day, which can be set.
        case realtime

        /// What the clock shows, in nanoseconds: the time since the machine was started or, of ``realtime``, since
        /// 1970 (UTC).
        public var now: Duration {
            var time = timespec()
            let identifier =
                switch self {
                case .monotonic: CLOCK_MONOTONIC
                case .boottime: CLOCK_BOOTTIME
                case .realtime: CLOCK_REALTIME
                }
            // It fails for a clock that does not exist, and these exist.
            _ = unsafe clock_gettime(identifier, &time)
            return .seconds(time.tv_sec) + .nanoseconds(time.tv_nsec)
        }

        @usableFromInline var flag: UInt32 {
            switch self {
            case .monotonic: 0
            case .boottime: UInt32(IORING_TIMEOUT_BOOTTIME)
            case .realtime: UInt32(IORING_TIMEOUT_REALTIME)
            }
        }
    }

    /// When a timeout is over.
    @frozen public enum Expiration: Sendable, Hashable {
        /// When so much time has passed since the kernel began with the request; no time if below 0, and 34 years if
        /// more.
        case after(Duration)
        /// When the clock shows this (`IORING_TIMEOUT_ABS`): ``Clock/now`` and what is added to it. A time that is past is
        /// over at once.
        case at(Duration)

        @usableFromInline var flag: UInt32 {
            switch self {
            case .after: 0
            case .at: UInt32(IORING_TIMEOUT_ABS)
            }
        }

        @usableFromInline var kernelTime: (seconds: Int64, nanoseconds: Int64) {
            switch self {
            case .after(let duration): LinuxRings.kernelTime(duration)
            case .at(let time): LinuxRings.kernelTime(time, longest: 1 << 33)
            }
        }
    }
}
