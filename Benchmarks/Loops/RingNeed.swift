import LinuxRings
package import Meters

/// Something of io_uring that a mode cannot do without.
package struct RingNeed: Sendable {
    /// What it is called.
    let name: String
    /// The first kernel that has it.
    let since: KernelVersion
    /// Whether a kernel has it that says this of itself.
    let isMet: @Sendable (RingCapabilities) -> Bool

    /// Completions that are left out when they would only say that all went well (`io_uring_setup(2)`,
    /// `IORING_FEAT_CQE_SKIP`).
    static let skipSuccess = RingNeed(name: "IOSQE_CQE_SKIP_SUCCESS", since: KernelVersion(5, 17)) {
        $0.features.contains(.skipSuccess)
    }
    /// Sockets are waited for without a kernel thread (`io_uring_setup(2)`, `IORING_FEAT_FAST_POLL`).
    static let fastPoll = RingNeed(name: "IORING_FEAT_FAST_POLL", since: KernelVersion(5, 7)) {
        $0.features.contains(.fastPoll)
    }
    /// `io_uring_prep_msg_ring(3)`.
    package static let messageRing = RingNeed(name: "IORING_OP_MSG_RING", since: KernelVersion(5, 18)) {
        $0.messageRing
    }
    /// Reads of a `signalfd(2)` by the thread itself: before, a thread of the kernel read, to which no signal was sent. Told
    /// by `IORING_FEAT_RECVSEND_BUNDLE` of the same release.
    package static let threadSignals = RingNeed(
        name: "reads of signals without a kernel thread", since: KernelVersion(6, 10)
    ) { $0.features.contains(RingFeatures(rawValue: 1 << 14)) }
    /// `io_uring_prep_multishot_accept(3)`, into descriptors or slots.
    static let multishotAccept = RingNeed(name: "multishot accept", since: KernelVersion(5, 19)) { $0.multishotAccept }
    /// `io_uring_register_files_sparse(3)`; came with the same release as multishot accept, and is told by it.
    static let slots = RingNeed(name: "sparse file table", since: KernelVersion(5, 19)) { $0.multishotAccept }
    /// `io_uring_register_buf_ring(3)`; came with the same release as multishot accept, and is told by it.
    static let bufferRing = RingNeed(name: "provided-buffer ring", since: KernelVersion(5, 19)) { $0.multishotAccept }
    /// `io_uring_prep_send_zc(3)`.
    static let zeroCopySend = RingNeed(name: "IORING_OP_SEND_ZC", since: KernelVersion(6, 0)) { $0.zeroCopySend }
    /// `IORING_SETUP_SQPOLL` for everybody and for descriptors (`io_uring_setup(2)`).
    static let submissionPoller = RingNeed(name: "IORING_SETUP_SQPOLL", since: KernelVersion(5, 13)) {
        $0.setups.contains(.submissionPolling) && $0.features.contains(.pollerTakesDescriptors)
    }
    /// `io_uring_prep_recv_multishot(3)`.
    static let multishotReceive = RingNeed(name: "multishot receive", since: KernelVersion(6, 0)) {
        $0.multishotReceive
    }
    /// `IORING_OP_EPOLL_WAIT`.
    static let epollWait = RingNeed(name: "IORING_OP_EPOLL_WAIT", since: KernelVersion(6, 15)) { $0.epollWait }
    /// `io_uring_prep_poll_multishot(3)`, inferred from the update of polls of the same release.
    static let multishotPoll = RingNeed(name: "multishot poll", since: KernelVersion(5, 13)) { $0.pollUpdate }

    /// Waits with a time (`io_uring_setup(2)`, `IORING_FEAT_EXT_ARG`).
    static let extendedArgument = RingNeed(name: "IORING_FEAT_EXT_ARG", since: KernelVersion(5, 11)) {
        $0.features.contains(.extendedArgument)
    }
    /// Waits with a least time (`IORING_FEAT_MIN_TIMEOUT`).
    static let minimumWait = RingNeed(name: "IORING_FEAT_MIN_TIMEOUT", since: KernelVersion(6, 12)) {
        $0.features.contains(.minimumWait)
    }
    /// `io_uring_register_ring_fd(3)`; came with the same release as messages between rings, and is told by them.
    static let registeredDescriptor = RingNeed(name: "registered ring descriptor", since: KernelVersion(5, 18)) {
        $0.registeredDescriptor
    }
    /// `IORING_MEM_REGION_REG_WAIT_ARG`.
    static let registeredWaits = RingNeed(name: "registered waits", since: KernelVersion(6, 13)) {
        $0.registeredWaits
    }
    /// `io_uring_setup(2)`, `IORING_SETUP_NO_MMAP`; of more than a page from 6.10 on, which receive bundles of the same
    /// release tell.
    static let callerMemory = RingNeed(name: "IORING_SETUP_NO_MMAP of several pages", since: KernelVersion(6, 10)) {
        $0.setups.contains(.callerMemory) && $0.features.contains(.bundles)
    }
    /// `IORING_SETUP_CQE_MIXED`.
    static let mixedCompletions = RingNeed(name: "IORING_SETUP_CQE_MIXED", since: KernelVersion(6, 18)) {
        $0.setups.contains(.mixedCompletions)
    }
    /// `io_uring_register_napi(3)`.
    static let busyPolling = RingNeed(name: "IORING_REGISTER_NAPI", since: KernelVersion(6, 9)) { $0.busyPolling }
    /// `IORING_RECVSEND_BUNDLE` of receives (`io_uring_prep_recv(3)`).
    static let bundles = RingNeed(name: "receive bundles", since: KernelVersion(6, 10)) { $0.bundles }
    /// `IOU_PBUF_RING_INC` (`io_uring_register_buf_ring(3)`).
    static let incrementalBuffers = RingNeed(name: "incremental buffers", since: KernelVersion(6, 12)) {
        $0.incrementalBuffers
    }

    /// Why a kernel cannot do what needs all of these; nil if it can.
    package static func refusal(of needs: [RingNeed], by rings: RingSupport) -> String? {
        guard !needs.isEmpty else { return nil }
        switch rings {
        case .unavailable(let reason): return reason
        case .available(let capabilities):
            let missing = needs.filter { !$0.isMet(capabilities) }
            guard let first = missing.map(\.since).max() else { return nil }
            let names = missing.map { "no \($0.name)" }
            let list = names.count > 1 ? names.dropLast().joined(separator: ", ") + " and " + names.last! : names[0]
            return "this kernel has \(list); Linux \(first) has all that is needed"
        }
    }
}

extension Mode {
    /// What the mode needs of io_uring; of the mode alone, all that any workload needs.
    package func ringNeeds(for workload: Workload?) -> [RingNeed] {
        guard let needs = capabilities.acceptNeeds else { return [] }
        return workload == .accept ? needs : needs + capabilities.receiveNeeds
    }

    /// Why the running kernel cannot do it; nil if it can.
    ///
    /// - Parameters:
    ///   - rings: what probing io_uring said.
    ///   - workload: what is to be done with it, of which accepting is the least; nil for all of them.
    ///   - isLocal: true if its clients are on this machine, and so reach it by loopback.
    package func unsupportedReason(
        rings: RingSupport, for workload: Workload? = .accept, isLocal: Bool = true
    ) -> String? {
        let refusal = RingNeed.refusal(of: ringNeeds(for: workload), by: rings) ?? capabilities.refusal()
        guard refusal == nil, isLocal, capabilities.pollsDevices else { return refusal }
        return "clients on this machine come by loopback, which has no queue to poll (NAPI); try it with bench serve "
            + "--address and clients elsewhere"
    }
}
