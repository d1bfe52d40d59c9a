extension Mode {
    /// How a worker waits, and how its ring is set up: what each costs or saves beside the mode without it.
    static let waitingVariants: [Mode] = ringWaitVariants + ringSetupVariants + setVariants

    private static let ringWaitVariants: [Mode] = [
        classic("uring-multishot").variant(
            "uring-wait-for", kernel: "6.0", needs: [.extendedArgument],
            summary: "waits for 16 completions, 100 us at most"
        ) {
            $0.waitFor = 16
            $0.waitLimitNanoseconds = 100_000
        },
        classic("uring-multishot").variant(
            "uring-min-wait", kernel: "6.12", needs: [.minimumWait],
            summary: "waits for 16 completions, after 100 us for one"
        ) {
            $0.waitFor = 16
            $0.minimumWaitNanoseconds = 100_000
        },
        classic("uring-multishot").variant(
            "uring-registered-wait", kernel: "6.13", needs: [.registeredWaits],
            summary: "as uring-wait-for, with times that the kernel reads from registered memory"
        ) {
            $0.waitFor = 16
            $0.waitLimitNanoseconds = 100_000
            $0.registersWait = true
        },
        classic("uring-multishot").variant(
            "uring-spin", kernel: "6.0", summary: "enters without waiting for 50 us before it waits"
        ) { $0.spinNanoseconds = 50_000 },
    ]

    private static let ringSetupVariants: [Mode] = [
        classic("uring-multishot").variant(
            "uring-registered-ring", kernel: "6.0", needs: [.registeredDescriptor],
            summary: "the ring's descriptor is in the thread's own table, which saves its look-up"
        ) { $0.registersDescriptor = true },
        classic("uring-multishot").variant(
            "uring-no-mmap", kernel: "6.10", needs: [.callerMemory],
            summary: "the ring's queues are in memory that the server brings (IORING_SETUP_NO_MMAP)"
        ) { $0.bringsMemory = true },
        classic("uring-multishot").variant(
            "uring-mixed", kernel: "6.18", needs: [.mixedCompletions],
            summary: "the ring takes completions of 16 and 32 bytes (CQE_MIXED)"
        ) { $0.mixesCompletions = true },
        classic("uring-multishot").variant(
            "uring-napi", kernel: "6.9", needs: [.busyPolling], pollsDevices: true,
            summary: "looks at the network device's queue for 50 us before it waits (NAPI)"
        ) { $0.busyPollMicroseconds = 50 },
    ]

    private static let setVariants: [Mode] = [
        classic("epoll-lt").variant(
            "epoll-pwait2", kernel: "5.11", refusal: KernelTrial.preciseWaits, summary: "waits with epoll_pwait2(2)"
        ) { $0.usesPwait2 = true },
        classic("epoll-lt").variant(
            "epoll-spin", kernel: "2.6.28", summary: "calls epoll_wait(2) without waiting for 50 us before it waits"
        ) { $0.spinNanoseconds = 50_000 },
        classic("epoll-lt").variant(
            "epoll-busy-poll", kernel: "6.9", pollsDevices: true, refusal: KernelTrial.setsThatPollDevices,
            summary: "looks at the network device's queue for 50 us before it waits (NAPI)"
        ) { $0.busyPollMicroseconds = 50 },
    ]
}
