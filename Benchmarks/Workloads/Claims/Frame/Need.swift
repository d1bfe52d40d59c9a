import LinuxRings

/// What an experiment takes for granted of kernel and user, and how to find out.
struct Need: Sendable {
    /// The reason why it is absent here, in one line; nil if it is there.
    let unmet: @Sendable () -> String?

    /// io_uring, allowed to this user.
    static let ring = Need {
        if case .unavailable(let reason) = RingSupport.probe() { reason } else { nil }
    }

    /// io_uring's multishot accept.
    static let multishotAccept = capability("multishot accept needs Linux 5.19") { $0.multishotAccept }

    /// io_uring's multishot receive.
    static let multishotReceive = capability("multishot receive needs Linux 6.0") { $0.multishotReceive }

    private static func capability(
        _ reason: String, _ isThere: @escaping @Sendable (RingCapabilities) -> Bool
    ) -> Need {
        Need {
            switch RingSupport.probe() {
            case .unavailable(let reason): reason
            case .available(let capabilities): isThere(capabilities) ? nil : reason
            }
        }
    }
}
