import LinuxReadiness
import LinuxRings
import Meters

extension Mode {
    /// What `--mode all` stands for: the ways of waiting that servers have, in the order in which modes are listed and shown.
    package static let all: [Mode] = [
        Mode(
            name: "blocking", alias: nil, mechanism: .blocking, topologies: [.setPerWorker], kernel: "2.6.28",
            summary: "a blocking accept4 or read in each thread: the pre-fork model",
            capabilities: Capabilities(
                workloads: Capabilities.withDatagrams, socketsBlock: true,
                signals: [.eventfd, .eventfdSemaphore, .pipe, .futex, .signalfd, .timerfd],
                looksWithoutBlocking: false,
                perTaskRefusal: "a thread cannot block in the read of a descriptor that is still to be made; use an "
                    + "epoll mode",
                references: [.wake])),
        Mode(
            name: "select", alias: nil, mechanism: .select, topologies: [.setPerWorker], kernel: "2.6.28",
            summary: "select(2): wakes everybody, looks at every descriptor, ends at FD_SETSIZE",
            capabilities: Capabilities(
                descriptorLimit: Int(SelectSet.limit),
                // Its time limit has microseconds.
                signals: WakeSignal.allCases.filter { $0.hasDescriptor && $0 != .waitTimeoutMilliseconds },
                perTaskRefusal: handedOver("select"))),
        Mode(
            name: "poll", alias: nil, mechanism: .poll, topologies: [.setPerWorker], kernel: "2.6.28",
            summary: "poll(2): wakes everybody, looks at every descriptor",
            capabilities: Capabilities(
                workloads: Capabilities.withDatagrams, perTaskRefusal: handedOver("poll"))),
        Mode(
            name: "epoll-lt", alias: "lt", mechanism: .epoll,
            topologies: [.setPerWorker, .sharedSet], kernel: "2.6.28",
            summary: "level-triggered: reports as long as there is something to do",
            capabilities: Capabilities(
                workloads: Capabilities.withDatagrams, references: [.accept, .read, .wake])),
        Mode(
            name: "epoll-et", alias: "et", mechanism: .epoll,
            topologies: [.setPerWorker, .sharedSet], kernel: "2.6.28",
            summary: "edge-triggered: reports arrivals, the loop drains to EAGAIN",
            capabilities: Capabilities(
                workloads: Capabilities.withDatagrams, flags: [.readable, .edgeTriggered], drains: true,
                references: [.accept, .read, .wake])),
        Mode(
            name: "epoll-exclusive", alias: "exclusive", mechanism: .epoll,
            topologies: [.setPerWorker, .sharedSet], kernel: "4.5",
            summary: "level-triggered with EPOLLEXCLUSIVE: wakes at least one of the sets instead of all",
            capabilities: Capabilities(
                flags: [.readable, .exclusive], signals: exclusiveSignals, references: [.accept, .read, .wake])),
        Mode(
            name: "epoll-et-exclusive", alias: nil, mechanism: .epoll,
            topologies: [.setPerWorker, .sharedSet], kernel: "4.5",
            summary: "edge-triggered with EPOLLEXCLUSIVE",
            capabilities: Capabilities(
                flags: [.readable, .edgeTriggered, .exclusive], drains: true, signals: exclusiveSignals,
                references: [.accept, .read, .wake])),
        Mode(
            name: "epoll-oneshot", alias: "oneshot", mechanism: .epollOneShot,
            topologies: [.sharedSet, .setPerWorker], kernel: "2.6.28",
            summary: "edge-triggered with EPOLLONESHOT: reports once, re-armed by EPOLL_CTL_MOD",
            capabilities: Capabilities(flags: oneShotFlags, isRearmed: true)),
        Mode(
            name: "dispatcher", alias: nil, mechanism: .dispatcher, topologies: [.sharedSet], kernel: "2.6.30",
            summary: "one thread waits and hands work to the others",
            // Connections report once, so that each is with one worker at a time.
            capabilities: Capabilities(
                flags: [.readable, .oneShot], listenerFlags: .readable, handsOver: true, signals: [],
                wakeRefusal: "the dispatcher hands work over, which is what a pool's producers do; use --shape pool")),
        Mode(
            name: "uring-single", alias: nil, mechanism: .ringSingle, topologies: [.setPerWorker], kernel: "5.17",
            summary: "io_uring, one accept or recv per submission",
            capabilities: Capabilities(
                socketsBlock: true, acceptNeeds: [.skipSuccess], hasBufferPerConnection: true,
                signals: [
                    .eventfd, .eventfdSemaphore, .pipe, .messageRing, .signalfd, .timerfd, .ringTimeout, .waitTimeout,
                ],
                waitsForCompletions: true,
                perTaskRefusal: ownThread("uring-single"))),
        Mode(
            name: "uring-multishot", alias: "multishot", mechanism: .ringMultishot,
            topologies: [.setPerWorker], kernel: "6.0",
            summary: "io_uring multishot accept; multishot recv into a provided-buffer ring",
            capabilities: Capabilities(
                workloads: Capabilities.withDatagrams, socketsBlock: true,
                acceptNeeds: [.skipSuccess, .multishotAccept],
                receiveNeeds: [.bufferRing, .multishotReceive], signals: [], waitsForCompletions: true,
                wakeRefusal: noSignal("uring-multishot"), references: [.accept, .read])),
        Mode(
            name: "uring-direct", alias: nil, mechanism: .ringMultishot, topologies: [.setPerWorker],
            kernel: "6.0",
            summary: "as uring-multishot, into the ring's own file table: no process descriptors",
            capabilities: Capabilities(
                socketsBlock: true, acceptNeeds: [.skipSuccess, .multishotAccept, .slots],
                receiveNeeds: [.bufferRing, .multishotReceive], destination: .slots, hasOwnTable: true, signals: [],
                waitsForCompletions: true,
                wakeRefusal: noSignal("uring-direct")),
            limits: [
                Limit(
                    workloads: [.accept], before: KernelVersion(6, 4),
                    text: "before Linux 6.4 each close of an accepted slot waits about a second (measured on 6.1, "
                        + "until 6.4 by the kernel's source)")
            ]),
        Mode(
            name: "uring-poll", alias: nil, mechanism: .ringPoll, topologies: [.setPerWorker], kernel: "5.17",
            summary: "io_uring multishot poll, then ordinary accept or read calls",
            capabilities: Capabilities(
                acceptNeeds: [.skipSuccess],
                signals: [
                    .eventfd, .eventfdSemaphore, .pipe, .signalfd, .timerfd, .ringTimeout, .waitTimeout,
                ],
                waitsForCompletions: true, perTaskRefusal: ownThread("uring-poll"))),
    ]

    /// The modes of ``all``, those that are types of the library, and the variants: `--mode everything`.
    package static let every = all + ofLibrary + variants

    /// The signalfds of all threads of a process are woken together, so that with EPOLLEXCLUSIVE another thread's set can
    /// get the only wakeup.
    private static let exclusiveSignals = WakeSignal.allCases.filter { $0.hasDescriptor && $0 != .signalfd }

    private static func handedOver(_ name: String) -> String {
        "\(name) is handed its descriptors with each call, so a producer cannot register a task's; use an epoll mode"
    }

    private static func ownThread(_ name: String) -> String {
        "a ring takes requests from its own thread, so a producer cannot register a task's descriptor in \(name); use "
            + "an epoll mode"
    }

    private static func noSignal(_ name: String) -> String {
        "\(name) accepts or receives, and a signal is neither; use uring-poll or uring-single"
    }
}
