import LinuxReadiness
import LinuxRings
import Loops
import Meters

/// What a probe said of io_uring. Probed once: it takes a dozen rings, which count against `RLIMIT_MEMLOCK` on Linux 6.18,
/// as before 5.12, and for some time after their end.
let ringSupport = RingSupport.probe()

/// What an experiment requires of kernel and user.
struct Need: Sendable {
    /// The reason why it is absent here, in one line; nil if it is there.
    let unmet: @Sendable () -> String?

    static let ring = Need { ringSupport.refusal }

    static let multishotAccept = capability("multishot accept needs Linux 5.19") { $0.multishotAccept }

    static let noDrop = capability("completions that are kept need Linux 5.5") { $0.features.contains(.noDrop) }

    static let timedWait = capability("a ring's wait with a limit needs Linux 5.11") {
        $0.features.contains(.extendedArgument)
    }

    static let deferTaskRun = capability("deferred task work needs Linux 6.1") { $0.setups.contains(.deferTaskRun) }

    static let multishotReceive = capability("multishot receive needs Linux 6.0") { $0.multishotReceive }

    /// io_uring's multishot poll. The kernel has no probe for it; `IORING_FEAT_RSRC_TAGS` came with the same release.
    static let multishotPoll = capability("multishot poll needs Linux 5.13") { capabilities in
        capabilities.features.contains(RingFeatures(rawValue: 1 << 10))
    }

    static let registeredDescriptor = capability("a registered ring descriptor needs Linux 5.18") {
        $0.registeredDescriptor
    }

    static let minimumWait = capability("a least time of a wait needs Linux 6.12") {
        $0.features.contains(.minimumWait)
    }

    static let multishotTimeout = capability("timeouts that complete many times need Linux 6.4") { $0.multishotTimeout }

    static let submissionPoller = capability("a submission poller for everybody needs Linux 5.13") {
        $0.setups.contains(.submissionPolling) && $0.features.contains(.pollerTakesDescriptors)
    }

    /// Sends without a copy whose notification says whether the kernel copied after all; nothing else came with it that
    /// could be asked for.
    static let zeroCopyReport = Need {
        let reason = "a notification that tells of a copy needs Linux 6.2"
        guard case .available(let capabilities) = ringSupport else { return ringSupport.refusal }
        let isOld = KernelVersion.running.map { $0 < KernelVersion(6, 2) } ?? false
        return isOld || !capabilities.zeroCopySend ? reason : nil
    }

    static let setBusyPolling = Need {
        let polling = try? Epoll().busyPolling()
        return polling == nil ? "a set's busy polling needs Linux 6.9 with CONFIG_NET_RX_BUSY_POLL" : nil
    }

    static let messageRing = capability("messages from ring to ring need Linux 5.18") { $0.messageRing }

    static let epollWait = capability("a ring that waits for an epoll set needs Linux 6.15") { $0.epollWait }

    static let bundles = capability("receive bundles need Linux 6.10") { $0.bundles }

    static let incrementalBuffers = capability("incremental buffers need Linux 6.12") { $0.incrementalBuffers }

    private static func capability(
        _ reason: String, _ isThere: @escaping @Sendable (RingCapabilities) -> Bool
    ) -> Need {
        Need {
            switch ringSupport {
            case .unavailable(let reason): reason
            case .available(let capabilities): isThere(capabilities) ? nil : reason
            }
        }
    }
}
