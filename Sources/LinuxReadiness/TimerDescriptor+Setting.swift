import CEpoll
import LinuxDescriptors
public import SystemPackage

/// When a timer expires: `timerfd_settime(2)`, `timerfd_gettime(2)`.
extension TimerDescriptor {
    /// Expires after a time from now, in place of whatever it was set to.
    ///
    /// - Parameters:
    ///   - delay: zero or less expires at once.
    ///   - interval: how long after that it expires again, and again; nil for never.
    /// - Throws: `EINVAL` for an interval of zero or less, and if the descriptor is no timer.
    public func set(after delay: Duration, repeating interval: Duration? = nil) throws(Errno) {
        // Zero would disarm it.
        try set(max(1, delay.nanoseconds), interval, 0)
    }

    /// Expires at a time of its clock, in place of whatever it was set to (`TFD_TIMER_ABSTIME`).
    ///
    /// - Parameters:
    ///   - time: counted from the clock's zero, as ``Clock/now`` is. What is past expires at once.
    ///   - interval: how long after that it expires again, and again; nil for never. Of a time that is past, each interval
    ///     since counts as an expiration.
    ///   - cancelOnSet: makes ``take()`` throw `ECANCELED`, and the descriptor readable, when somebody sets the clock
    ///     (`TFD_TIMER_CANCEL_ON_SET`, Linux 3.0). It means nothing for any clock but ``Clock/realtime``.
    /// - Throws: `EINVAL` for an interval of zero or less, and if the descriptor is no timer; `ECANCELED` if it was set with
    ///   `cancelOnSet` before and the clock was set since: it is armed all the same.
    public func set(
        at time: Duration, repeating interval: Duration? = nil, cancelOnSet: Bool = false
    ) throws(Errno) {
        let flags = C_TIMER_ABSOLUTE | (cancelOnSet ? C_TIMER_CANCEL_ON_SET : 0)
        try set(max(1, time.nanoseconds), interval, flags)
    }

    /// Ends the countdown, and forgets expirations that were not taken.
    ///
    /// - Throws: `EINVAL` if the descriptor is no timer.
    public func disarm() throws(Errno) {
        try set(0, nil, 0)
    }

    /// How long it is until the timer expires next; nil if it is disarmed, or was to expire once and has.
    ///
    /// A time of ``Clock/realtime`` is counted in that clock, which may be set meanwhile.
    public var remaining: Duration? {
        get throws(Errno) {
            let setting = try setting()
            return duration(setting.seconds, setting.nanoseconds)
        }
    }

    /// How long it is from one expiration to the next; nil if it expires once.
    public var interval: Duration? {
        get throws(Errno) {
            let setting = try setting()
            return duration(setting.interval_seconds, setting.interval_nanoseconds)
        }
    }

    private func set(_ nanoseconds: Int64, _ interval: Duration?, _ flags: CInt) throws(Errno) {
        let repeated = interval?.nanoseconds ?? 0
        guard interval == nil || repeated > 0 else { throw .invalidArgument }
        var setting = c_timer_setting(
            interval_seconds: repeated / 1_000_000_000, interval_nanoseconds: repeated % 1_000_000_000,
            seconds: nanoseconds / 1_000_000_000, nanoseconds: nanoseconds % 1_000_000_000)
        let number = descriptor.rawValue
        _ = try systemCall { unsafe c_timerfd_settime(number, flags, &setting) }
    }

    private func setting() throws(Errno) -> c_timer_setting {
        var setting = c_timer_setting()
        let number = descriptor.rawValue
        _ = try systemCall { unsafe c_timerfd_gettime(number, &setting) }
        return setting
    }
}

/// Nil for no time at all, which stands for a timer that is disarmed.
private func duration(_ seconds: Int64, _ nanoseconds: Int64) -> Duration? {
    seconds == 0 && nanoseconds == 0 ? nil : .seconds(seconds) + .nanoseconds(nanoseconds)
}
