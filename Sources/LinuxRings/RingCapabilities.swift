import CIOUring
public import SystemPackage

/// What io_uring offers on the running kernel, found by asking it.
public struct RingCapabilities: Sendable, Hashable {
    /// What a ring can do.
    public let features: RingFeatures
    /// The numbers of the operations that the kernel supports (`IORING_REGISTER_PROBE`).
    public let operations: Set<UInt8>
    /// The ``RingSetup/understood`` flags that the kernel knows. Making a ring with another fails with `EINVAL`.
    public let setups: RingSetup
    /// Timeouts by other clocks than ``Ring/Clock/monotonic`` (Linux 5.15).
    public let timeoutClocks: Bool
    /// Timeouts that complete many times (Linux 6.4): ``Ring/prepareMultishotTimeout(every:times:clock:_:token:)``.
    public let multishotTimeout: Bool
    /// ``Ring/setBusyPolling(_:)`` (Linux 6.9), whatever devices there are.
    public internal(set) var busyPolling = false
    /// ``Ring/registerWaits(_:)`` (Linux 6.13).
    public internal(set) var registeredWaits = false
    /// Groups whose buffers are consumed in parts (Linux 6.12): ``BundleGroup/isIncremental``.
    public let incrementalBuffers: Bool

    init(
        features: RingFeatures, operations: Set<UInt8>, setups: RingSetup = [], timeoutClocks: Bool = false,
        multishotTimeout: Bool = false, incrementalBuffers: Bool = false
    ) {
        self.features = features
        self.operations = operations
        self.setups = setups
        self.timeoutClocks = timeoutClocks
        self.multishotTimeout = multishotTimeout
        self.incrementalBuffers = incrementalBuffers
    }

    /// Makes a small ring, asks it, tries two timeouts and a buffer group on it, and makes one with each set-up flag.
    ///
    /// - Throws: `ENOSYS` on a kernel without io_uring, `EPERM` where `kernel.io_uring_disabled` or a seccomp filter
    ///   forbids it, `ENOMEM` when `RLIMIT_MEMLOCK` is small.
    public static func probe() throws(Errno) -> RingCapabilities {
        var ring = try Ring(entries: 2)
        let timeouts = try ring.probeTimeouts()
        var found = RingCapabilities(
            features: ring.features, operations: ring.supportedOperations(), setups: try probeSetups(),
            timeoutClocks: timeouts.clocks, multishotTimeout: timeouts.multishot,
            incrementalBuffers: ring.takesIncrementalBuffers())
        found.busyPolling = ring.takesBusyPolling()
        found.registeredWaits = found.setups.contains(.startsDisabled) && probeRegisteredWaits()
        return found
    }

    private static func probeRegisteredWaits() -> Bool {
        guard var ring = try? Ring(entries: 2, .startsDisabled) else { return false }
        return (try? ring.registerWaits([WaitBatch(count: 1)])) != nil
    }

    private static func probeSetups() throws(Errno) -> RingSetup {
        var known: RingSetup = []
        // One needs another, and is there or not with both.
        let wishes: [RingSetup] = [
            .clamp, .submitAll, .cooperativeTaskRun, .singleIssuer, [.singleIssuer, .deferTaskRun],
            [.cooperativeTaskRun, .taskRunFlag], .startsDisabled, .noSubmissionArray, .mixedCompletions,
            .callerMemory, .submissionPolling,
        ]
        for wish in wishes {
            do {
                _ = try ring(wish)
                known.formUnion(wish)
            } catch {
                // A thread of the kernel was for the privileged alone once, and may be forbidden, or one too many.
                let isPoller = wish == .submissionPolling
                if error != .invalidArgument && !isPoller { throw error }
            }
        }
        return known
    }

    private static func ring(_ setup: RingSetup) throws(Errno) -> Ring {
        guard setup == .callerMemory else { return try Ring(entries: 2, setup) }
        return try Ring(entries: 2, memory: try RingMemory(bytes: RingMemory.bytesNeeded(entries: 2)))
    }

    // What has no probe of its own is told by something else of the same release.

    /// ``Ring/registerDescriptor()`` (Linux 5.18), told by ``messageRing``.
    public var registeredDescriptor: Bool { messageRing }

    /// Accept that completes many times (Linux 5.19). The kernel has no probe for it; `IORING_OP_SOCKET` came with the
    /// same release.
    public var multishotAccept: Bool { operations.contains(UInt8(IORING_OP_SOCKET.rawValue)) }

    /// Receive that completes many times (Linux 6.0), inferred from `IORING_OP_SEND_ZC` of the same release.
    public var multishotReceive: Bool { operations.contains(UInt8(IORING_OP_SEND_ZC.rawValue)) }

    /// Messages with address and control data received many times into a buffer group (Linux 6.0), of the same release.
    public var multishotReceiveMessage: Bool { multishotReceive }

    /// Sends without a copy (`IORING_OP_SEND_ZC`, Linux 6.0).
    public var zeroCopySend: Bool { operations.contains(UInt8(IORING_OP_SEND_ZC.rawValue)) }

    /// Sends of messages without a copy (`IORING_OP_SENDMSG_ZC`, Linux 6.1).
    public var zeroCopySendMessage: Bool { operations.contains(UInt8(IORING_OP_SENDMSG_ZC.rawValue)) }

    /// Buffer groups (Linux 5.19), inferred as ``multishotAccept`` is.
    public var bufferGroups: Bool { multishotAccept }

    /// Receives that bring several buffers with one completion (``ReceiveFlags/bundle``, Linux 6.10).
    public var bundles: Bool { features.contains(.bundles) }

    /// Messages from ring to ring (Linux 5.18).
    public var messageRing: Bool { operations.contains(UInt8(IORING_OP_MSG_RING.rawValue)) }
}

extension Ring {
    mutating func supportedOperations() -> Set<UInt8> {
        guard let probe = unsafe io_uring_get_probe_ring(&ring) else { return [] }
        defer { unsafe io_uring_free_probe(probe) }
        let last = unsafe probe.pointee.last_op
        return Set((0...last).filter { unsafe io_uring_opcode_supported(probe, CInt($0)) != 0 })
    }
}
