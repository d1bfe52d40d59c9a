extension Column {
    /// Every column, in the order of the file. Columns are only ever appended.
    package static let all: [Column] =
        identity + outcome + latency + work + appended + (optional + network).map(\.asOptional)

    private static let anyNumber = -Double.greatestFiniteMagnitude...Double.greatestFiniteMagnitude

    private static let identity: [Column] = [
        Column("schema_version", \.schemaVersion, "Version of the meaning of these columns."),
        Column("run_id", \.runId, "Names the run; unique within a folder and the key of `percentiles.csv`."),
        Column("started_at", \.startedAt, "Start of the run, ISO 8601 in UTC."),
        Column("git_commit", \.gitCommit, "Commit of the source that was built, `-dirty` appended if it was changed."),
        Column(
            "machine_id", \.machineId,
            "Names the machine: processor, number of CPUs, a hash of its identity. The kernel is in `run.json`."),
        Column("build", \.build, "`release` or `debug`; a debug build's numbers mean nothing."),
        Column(
            "workload", \.workload, isIdentity: true, "What was done: `accept`, `crr`, `read`, `datagram` or `wake`."),
        Column(
            "mode", \.mode, isIdentity: true,
            "The way of waiting, a name of `bench list`; of `external` the name of the server."),
        Column("topology", \.topology, isIdentity: true, "`shared-set` or `set-per-worker`; empty of `external`."),
        Column("listener", \.listener, isIdentity: true, "How the workers share the port."),
        Column("workers", \.workers, isIdentity: true, "Server threads."),
        Column("connections", \.connections, isIdentity: true, "Connections that the clients keep outstanding."),
        Column(
            "message_size_bytes", \.messageSizeBytes, unit: "B", isIdentity: true,
            "Bytes of one message, each way; empty where none is sent."),
        Column("depth", \.depth, isIdentity: true, "Messages in flight on one connection."),
        Column(
            "rate_per_s", \.ratePerS, unit: "1/s", isIdentity: true,
            "Operations offered per second, over all clients; empty in a closed loop."),
        Column(
            "service_time", \.serviceTime, isIdentity: true,
            "How long a worker is kept by one operation: `none`, `fixed:T`, `exp:T` or `bimodal:T,T,P`."),
        Column("pinning", \.pinning, "Which processors the threads were bound to, or `none`."),
        Column("round", \.round, "Number of the block, from 1; a block holds every arm once."),
        Column("order_in_round", \.orderInRound, "Place of the run within its block, from 1."),
    ]

    private static let outcome: [Column] = [
        Column("duration_s", \.durationS, unit: "s", "Length of the measured window."),
        Column("operations", \.operations, "Operations completed in the window."),
        Column(
            "errors", \.errors,
            "Errors that client and server threads saw, warm-up included; both may see one failed operation."),
        Column("status", \.status, "`ok`, `void`, `partial`, `unsupported` or `failed`; only `ok` rows are compared."),
        Column("reason", \.reason, "Why the status is not `ok`."),
        Column(
            "throughput_ops_per_s", \.throughputOpsPerS, unit: "1/s", better: .higher,
            "Operations divided by the length of the window."),
    ]

    private static let latency: [Column] = [
        Column(
            "latency_kind", \.latencyKind,
            "Where a latency starts: `from-scheduled-start` (open loop; of a timer, where "
                + "its time was over), `from-call` (closed loop), or `probe`: only those of `probe_rate_per_s`, from their "
                + "scheduled starts."),
        Column("latency_min_ns", \.latencyMinNs, unit: "ns", "Shortest latency."),
        Column("latency_mean_ns", \.latencyMeanNs, unit: "ns", better: .lower, "Arithmetic mean of the latencies."),
        Column(
            "latency_p50_ns", \.latencyP50Ns, unit: "ns", better: .lower, "Latency that half of them do not exceed."),
        Column("latency_p90_ns", \.latencyP90Ns, unit: "ns", better: .lower, "90th percentile of the latencies."),
        Column(
            "latency_p99_ns", \.latencyP99Ns, unit: "ns", better: .lower,
            "99th percentile; like every percentile, empty unless at least ten samples lie beyond it."),
        Column("latency_p999_ns", \.latencyP999Ns, unit: "ns", better: .lower, "99.9th percentile."),
        Column(
            "latency_max_ns", \.latencyMaxNs, unit: "ns",
            "Longest latency; a single sample, so it is shown and never compared."),
    ]

    private static let work: [Column] = [
        .count("wakeups_per_op", \.wakeupsPerOp, "Returns from a worker's blocking wait with at least one event."),
        .count(
            "spurious_wakeups_per_op", \.spuriousWakeupsPerOp,
            "Wakeups from which the worker got nothing: no connection, no bytes."),
        .count(
            "empty_calls_per_op", \.emptyCallsPerOp,
            "Accept or read calls that found nothing (EAGAIN), including the one that ends a drain."),
        .count(
            "syscalls_per_op", \.syscallsPerOp,
            "System calls that the workers made; who counted them is in `syscalls_source`."),
        Column(
            "voluntary_switches_per_op", \.voluntarySwitchesPerOp, unit: "1/op", better: .lower,
            "Times a worker went to sleep; shows the wakeups that the kernel takes back before the program sees them."),
        Column(
            "involuntary_switches_per_op", \.involuntarySwitchesPerOp, unit: "1/op", better: .lower,
            "Times a worker was taken off its processor while it had work."),
        Column(
            "server_cpu_ns_per_op", \.serverCpuNsPerOp, unit: "ns/op", better: .lower,
            "CPU time of the worker threads, user and kernel."),
        Column(
            "client_cpu_ns_per_op", \.clientCpuNsPerOp, unit: "ns/op",
            "CPU time of the client threads; on loopback this holds the handshake."),
        Column(
            "fairness_jain", \.fairnessJain, better: .higher, range: 0...1,
            "Jain's index of the operations per worker: 1 when all got the same, 1/n when one got all."),
        Column("per_worker_ops", \.perWorkerOps, "Operations of each worker, separated by `;`."),
        Column(
            "starvation_max_ns", \.starvationMaxNs, unit: "ns", better: .lower,
            "Longest time that a waiting worker went without an operation while others had one; the window's ends count."
        ),
        .count(
            "out_of_order_per_op", \.outOfOrderPerOp,
            "Chunks of a connection that were handled after a later chunk of it, seen by numbers in messages of 16 bytes "
                + "or more with a depth above 1."),
        Column(
            "open_peak", \.openPeak,
            "Most connections that were accepted and not yet closed; of `accept` each thread's own most, added up, as far "
                + "as the clients had so many open."),
        .count("sqes_per_op", \.sqesPerOp, "io_uring requests submitted."),
        .count("cqes_per_op", \.cqesPerOp, "io_uring completions reaped."),
        .count("rearms_per_op", \.rearmsPerOp, "Multishot requests that ended and were submitted again."),
        Column(
            "lost", \.lost, "Open loop: operations offered that were neither served nor refused; not 0 fails the run."),
        Column(
            "listen_overflows", \.listenOverflows,
            "Growth of the kernel's ListenOverflows during the run; not 0 makes the run void."),
        Column(
            "foreign_cpu", \.foreignCpu, range: 0...1,
            "Share of the machine's CPU time that went to other programs during the run; of two machines the larger."),
    ]

    private static let appended: [Column] = [
        Column(
            "implementation", \.implementation, isIdentity: true,
            "Language of the server's loop: `swift` or `c`; `external` of somebody else's server."),
        Column(
            "close", \.close, isIdentity: true,
            "How connections end: `reset` (no TIME_WAIT) or `orderly`; empty where none ends."),
        Column(
            "rearm", \.rearm, isIdentity: true,
            "When a one-shot worker arms its descriptor again: `early` (after the accept) or `late` (after the work)."),
        Column(
            "service", \.service, isIdentity: true,
            "How a worker spends the service time: `busy` or `sleep`; empty without one."),
        Column("clients", \.clients, isIdentity: true, "Client threads."),
        Column(
            "drain", \.drain, isIdentity: true,
            "Connections that were queued before the accepting was timed; empty when none were."),
        Column("seed", \.seed, "Seed of the order of the runs and of the clients' random choices."),
        Column("latency_samples", \.latencySamples, "Latencies that were recorded."),
        Column("idle", \.idle, isIdentity: true, "Connections that are watched and never speak."),
        Column(
            "spacing", \.spacing, isIdentity: true,
            "How the starts of an open loop are spread: `uniform` or `poisson`; empty in a closed loop."),
        Column("short_sends", \.shortSends, "Sends that the kernel took only in part."),
        Column("buffers_exhausted", \.buffersExhausted, "io_uring receives that found no free buffer (ENOBUFS)."),
        Column("completion_overflows", \.completionOverflows, "Times the completion queue was full."),
        Column(
            "peak_memory_bytes", \.peakMemoryBytes, unit: "bytes",
            "The most memory that the server's process had resident during the run; at home the clients are in it."),
        Column(
            "bytes_per_connection", \.bytesPerConnection, unit: "bytes", range: anyNumber,
            "Growth of the process's resident and of the kernel's slab memory while the connections were made, both "
                + "ends, over a network the server's, by connection; of `read` with 256 connections or more."),
        Column(
            "steering_fallbacks", \.steeringFallbacks,
            "Connections, warm-up included, for which the eBPF program found no listener of their processor."),
        .count(
            "allocations_per_op", \.allocationsPerOp,
            "Memory allocations of the worker threads; empty under a sanitizer."),
    ]

    /// Columns after the first release, which older files lack.
    private static let optional: [Column] = [
        Column(
            "signal", \.signal, isIdentity: true,
            "Wake: what carries a wake: `eventfd`, `eventfd-semaphore`, `pipe`, `futex`, `msg-ring` or `signalfd`; of "
                + "a timer `timerfd`, `ring-timeout`, `wait-timeout` (the wait's own limit, as fine as its calls have it) or "
                + "`wait-timeout-ms`."),
        Column(
            "shape", \.shape, isIdentity: true,
            "Wake: `ping-pong` (two threads wake each other in turn), `pool` (producers wake consumers of tasks) or `timer` "
                + "(one thread waits for short times; its latency is how late it wakes)."),
        Column(
            "descriptors", \.descriptors, isIdentity: true,
            "Wake pool: `per-task` or `per-worker` (one for each consumer)."),
        Column("producers", \.producers, isIdentity: true, "Wake pool: threads that hand out tasks."),
        Column("consumers", \.consumers, isIdentity: true, "Wake pool: threads that do tasks."),
        Column("tasks", \.tasks, isIdentity: true, "Wake pool: tasks of one run."),
        Column("live", \.live, isIdentity: true, "Wake pool: `live` if all descriptors were open at once, else empty."),
        Column(
            "placement", \.placement, isIdentity: true,
            "Wake: whether the two sides share a processor: `same-cpu`, `different-cpus` or `unpinned`."),
        Column(
            "one_way_min_ns", \.oneWayMinNs, unit: "ns",
            "Wake ping-pong: shortest time from one thread's signal to the other's wake."),
        Column(
            "one_way_p50_ns", \.oneWayP50Ns, unit: "ns", better: .lower,
            "Wake ping-pong: median time from one thread's signal to the other's wake."),
        Column(
            "one_way_p99_ns", \.oneWayP99Ns, unit: "ns", better: .lower,
            "Wake ping-pong: 99th percentile of the time from one thread's signal to the other's wake."),
        Column("tasks_lost", \.tasksLost, "Wake pool: tasks that nobody did; not 0 fails the run."),
        Column(
            "tasks_done_twice", \.tasksDoneTwice, "Wake pool: tasks that were done more than once; not 0 fails the run."
        ),
        Column(
            "emfile_waits", \.emfileWaits,
            "Wake pool: times that a producer had no descriptor left and waited for some to be closed."),
        Column("descriptors_peak", \.descriptorsPeak, "Wake pool: most descriptors of tasks open at once."),
        Column(
            "bytes_per_descriptor", \.bytesPerDescriptor, unit: "bytes",
            "Wake pool with `live`: growth of the kernel's slab memory, registrations included, by open descriptor; "
                + "the page that a pipe's signal lies in is not slab."),
        Column(
            "stale_events", \.staleEvents,
            "Wake pool: events of tasks that another consumer had taken, whose descriptors were read or closed "
                + "by then; not 0 makes the mode unsafe for descriptors that are closed after a read."),
        .count(
            "client_allocations_per_op", \.clientAllocationsPerOp,
            "Memory allocations of the client threads; empty under a sanitizer."),
        Column(
            "syscalls_source", \.syscallsSource,
            "Who counted `syscalls_per_op`: `bpf` or `perf` (the kernel), or `loop` (the worker loops themselves)."),
        Column(
            "offered_ops_per_s", \.offeredOpsPerS, unit: "1/s",
            "Open loop: operations that were due in the window, divided by its length."),
        Column("saturated", \.saturated, "Open loop: `yes` if clearly less was served than was offered, else `no`."),
        Column(
            "stall_max_ns", \.stallMaxNs, unit: "ns",
            "Longest time within the window in which no operation was completed."),
        Column("warnings", \.warnings, "What has to be known before the row's figures are used, separated by `; `."),
        Column(
            "protocol", \.protocol, isIdentity: true,
            "What client and server say: `echo`, `http`, `redis`, `memcached` or `bytes`; empty where nothing is said."),
        Column(
            "request", \.request, isIdentity: true,
            "What is asked, and a number that tells apart requests which begin alike; empty of `echo`."),
        Column(
            "think_time_ns", \.thinkTimeNs, unit: "ns", isIdentity: true,
            "Closed loop: time between an answer and the next request of its connection; empty without."),
        Column(
            "connect_rate_per_s", \.connectRatePerS, unit: "1/s", isIdentity: true,
            "New connections per second at the most; empty without a limit."),
        Column(
            "send_lag_p99_ns", \.sendLagP99Ns, unit: "ns",
            "Open loop: 99th percentile of how late operations were started by the client: queued on their connection (`read`), "
                + "or their connection begun."),
        Column(
            "send_lag_max_ns", \.sendLagMaxNs, unit: "ns",
            "Open loop: the latest start of an operation by the client."),
        Column(
            "connections_open", \.connectionsOpen,
            "Read: connections that were really open when the window began, idle ones not included."),
        Column(
            "reconnections", \.reconnections,
            "Read: connections that were made again because the server had closed them, warm-up included."),
        Column(
            "client_busy", \.clientBusy, range: 0...1,
            "CPU time of the client threads, divided by what they could have had in the window: near 1 the clients are "
                + "the limit, and not the server."),
        Column(
            "machine_cpu_ns_per_op", \.machineCpuNsPerOp, unit: "ns/op",
            "CPU time of the server's whole machine, every program and the hypervisor's part included, in ticks: on loopback the "
                + "sender's thread pays for the receiver's protocol work, so neither side's time alone is a server's."),
        Column(
            "run_delay_ns_per_op", \.runDelayNsPerOp, unit: "ns/op", better: .lower,
            "Another program's server: time in which its threads could run and waited for a processor."),
        Column(
            "server_memory_bytes", \.serverMemoryBytes, unit: "bytes",
            "Another program's server: resident memory of its processes at the window's end."),
        Column(
            "server_threads", \.serverThreads,
            "Another program's server: its threads at the window's end, those of the kernel for its rings included."),
        Column(
            "server_descriptors", \.serverDescriptors,
            "Another program's server: its open descriptors at the window's end."),
        Column(
            "server_processes", \.serverProcesses, "Another program's server: its processes at the window's end."),
        Column(
            "tls", \.tls, isIdentity: true,
            "Whether TLS is spoken: `unverified` or `verified` certificates, and the name that is asked for; empty without."
        ),
        Column(
            "tls_negotiated", \.tlsNegotiated,
            "Version and cipher of TLS on the first connection that was answered."),
        Column(
            "server_cpu_fairness", \.serverCpuFairness, better: .higher, range: 0...1,
            "Another program's server: Jain's index of the CPU time of its threads, of those that had a hundredth of it, and "
                + "of `workers` at the least: 1 when all had the same, 1/n when one had all; empty where one had all and "
                + "`workers` is 1."),
        Column(
            "server_ops_fairness", \.serverOpsFairness, better: .higher, range: 0...1,
            "Another program's server: the same index of the reads that brought bytes (`read`) or of the connections that "
                + "were accepted, in the counting run; empty also where most operations take neither call."),
        .count(
            "server_wakeups_per_op", \.serverWakeupsPerOp,
            "Another program's server: times that the kernel woke one of its threads, in the counting run."),
        Column(
            "slo", \.slo, isIdentity: true,
            "Latencies that had to be kept, as `p99=1ms`, while the highest rate was searched for; empty without a search."
        ),
        Column(
            "capacity_ops_per_s", \.capacityOpsPerS, unit: "1/s", better: .higher,
            "With `slo`: the offered rate that was confirmed to keep it, as 10 % more was to miss it; the other figures are of it. "
                + "0 if none kept it, empty if one did and none was confirmed. The steps are in `capacity.csv`."),
        Column(
            "options", \.options, isIdentity: true,
            "What the command line set of how a loop waits, what its ring is, and how connections begin, as `spin=50us` or "
                + "`defer-accept;fast-open`; empty without."
        ),
        .count(
            "notifications_per_op", \.notificationsPerOp,
            "Notifications of zero-copy sends that their memory is free again; empty where none is sent so."),
        .count(
            "copied_notifications_per_op", \.copiedNotificationsPerOp,
            "Those of them that say that the kernel copied after all, as it always does to a peer on the same machine."),
        Column(
            "poller_cpu_ns_per_op", \.pollerCpuNsPerOp, unit: "ns/op", better: .lower,
            "The part of `server_cpu_ns_per_op` that the kernel's threads took which poll for the workers' rings "
                + "(`IORING_SETUP_SQPOLL`); empty without."),
        Column(
            "bytes_per_receive", \.bytesPerReceive, unit: "bytes",
            "io_uring: bytes that a completion of a receive brought, of those that brought some."),
        Column(
            "messages_per_receive", \.messagesPerReceive,
            "io_uring: operations for each completion of a receive that brought bytes."),
        Column(
            "datagrams_lost", \.datagramsLost,
            "Datagrams that were due in the window and got no answer within 200 ms: a full receive buffer drops them, on "
                + "either side. They do not fail a run, but with `slo` a rate at which one is lost does not hold."),
        Column(
            "datagrams_reordered", \.datagramsReordered,
            "Datagrams whose answer came after that of one which the same socket had sent later, warm-up included."),
        Column(
            "datagrams_per_receive", \.datagramsPerReceive,
            "Datagrams for each call or completion of the server's receives that brought any."),
    ]
}
