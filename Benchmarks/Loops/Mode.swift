package import LinuxReadiness
package import LinuxRings
package import Meters

/// One way of learning that a socket has something to do: a row of the mode table.
package struct Mode: Sendable {
    /// The name on the command line and in results.
    package let name: String
    /// A shorter name that the command line takes too.
    package let alias: String?
    /// Which loop runs.
    package let mechanism: Mechanism
    /// The topologies that have a meaning, the default first.
    package let topologies: [Topology]
    /// The first kernel that has all it needs.
    package let kernel: String
    /// One sentence for `bench list` and the README.
    package let summary: String
    /// What it needs and what it can do.
    package internal(set) var capabilities: Capabilities
    /// What it does badly on kernels that can run it.
    package var limits: [Limit] = []
    /// The mode whose loop it runs with other options; nil of a mode that is no variant.
    package var base: String? = nil
    /// How its loop waits and what its ring is, as far as that can be chosen.
    package var options = Options()

    /// Something that a mode does badly before some kernel.
    package struct Limit: Sendable {
        /// What it spoils.
        package let workloads: [Workload]
        /// The first kernel on which it is well.
        package let before: KernelVersion
        /// What happens, in a clause that names the kernel.
        package let text: String
    }

    /// What a mode needs and what it can do. Everything that depends on the mode asks here; only what chooses a loop
    /// asks for the mechanism.
    package struct Capabilities: Sendable {
        /// Workloads of a network that it does something for.
        package var workloads: [Workload] = [.accept, .crr, .read]
        /// Those, and datagrams.
        static let withDatagrams: [Workload] = [.accept, .crr, .read, .datagram]
        /// Sockets block. A ring waits by itself; on a nonblocking socket it would report `EAGAIN` instead.
        package var socketsBlock = false
        /// The flags of epoll registrations.
        package var flags: EpollEvents = .readable
        /// The flags of listeners where they differ.
        package var listenerFlags: EpollEvents?
        /// Calls until `EAGAIN` before it waits again.
        package var drains = false
        /// One thread more waits for all connections and hands those that are ready to the workers.
        package var handsOver = false
        /// Whoever waits leaves a poll armed on each connection, which keeps it open, and so closes it for the workers.
        package var pollsHoldFiles = false
        /// Sends back bytes that it does not see, and before a message is whole.
        package var repliesUnseen = false
        /// The protocols that it can speak.
        package var wires: [WireProtocol] = WireProtocol.allCases
        /// Arms a registration again after each event, when `--rearm` says.
        package var isRearmed = false
        /// Descriptors from here on cannot be watched.
        package var descriptorLimit: Int?
        /// What its ring needs in order to accept; nil without a ring.
        package var acceptNeeds: [RingNeed]?
        /// What its ring needs in order to receive, beside `acceptNeeds`.
        package var receiveNeeds: [RingNeed] = []
        /// Asks the machine for what it needs beside a ring; says what is missing.
        package var refusal: @Sendable () -> String? = { nil }
        /// Accepts into the process's descriptors or the ring's slots.
        package var destination = MultishotAccept.Destination.descriptors
        /// Each worker names its connections by itself, and has a table of its own for them.
        package var hasOwnTable = false
        /// A worker's set or ring owns what it watches, and gets duplicates of the listener and the stop signal.
        package var ownsDescriptors = false
        /// Each connection has a buffer that a receive waits with.
        package var hasBufferPerConnection = false
        /// Signals that a thread of the mode can wait for.
        package var signals: [WakeSignal] = WakeSignal.allCases.filter(\.hasDescriptor)
        /// A wait can begin with looks that do not block.
        package var looksWithoutBlocking = true
        /// It waits in a ring, for as many completions as one likes.
        package var waitsForCompletions = false
        /// It looks at the queues of network devices, and does nothing for sockets whose device has none, as loopback.
        package var pollsDevices = false
        /// Why it waits for no signal at all, and what does; nil if it does.
        package var wakeRefusal: String?
        /// Why a producer cannot register a task's own descriptor; nil if it can.
        package var perTaskRefusal: String?
        /// Workloads whose loop `Benchmarks/Reference` has in C; of wake a ping-pong over descriptors.
        package var references: [Workload] = []

        /// True if a worker has a ring.
        package var usesRing: Bool { acceptNeeds != nil }
        /// True if a thread waits in accept or receive itself, where only a shutdown reaches it.
        package var waitsInCall: Bool { socketsBlock && !usesRing }
    }
}

/// The loop of a mode.
package enum Mechanism: Sendable, Hashable {
    /// Threads that wait in the call itself.
    case blocking
    /// `select(2)`.
    case select
    /// `poll(2)`.
    case poll
    /// `epoll_wait(2)`.
    case epoll
    /// `epoll_wait(2)` with `EPOLLONESHOT`, re-armed for each event.
    case epollOneShot
    /// One thread waits with `epoll_wait(2)` and hands what is ready to the workers.
    case dispatcher
    /// The library's `InterestSet`.
    case interestSet
    /// One io_uring request for each operation.
    case ringSingle
    /// io_uring requests that complete many times.
    case ringMultishot
    /// io_uring polls that complete many times, and ordinary calls.
    case ringPoll
    /// An epoll set that a ring waits for, and ordinary calls.
    case ringEpoll
    /// One thread waits with a ring and hands what is ready to the workers.
    case ringDispatcher
    /// One thread accepts with a ring and hands each connection to the ring of a worker.
    case ringHandoff
    /// `epoll_wait(2)`, and `splice(2)` through a pipe.
    case splice
    /// `epoll_wait(2)`, and `vmsplice(2)` and `splice(2)` through a pipe.
    case vmsplice
    /// `epoll_wait(2)`, and `sendfile(2)`.
    case sendfile
    /// The library's `DescriptorRing`.
    case descriptorRing
    /// Tasks on the library's `SetExecutor`.
    case asyncSet
    /// Tasks on the library's `RingExecutor`.
    case asyncRing
}

/// How workers share what they wait on.
package enum Topology: String, Sendable, CaseIterable, Codable {
    /// One epoll instance for all workers.
    case sharedSet = "shared-set"
    /// An epoll instance, a ring or a blocking call for each worker.
    case setPerWorker = "set-per-worker"
}

/// How many listening sockets there are and who picks one for a connection.
package enum ListenerSharing: String, Sendable, CaseIterable, Codable {
    /// One listening socket for all workers.
    case shared
    /// A listening socket for each worker (`SO_REUSEPORT`); the kernel picks one by a hash of the addresses.
    case reuseport
    /// The same; a classic BPF program picks worker `n`'s for what arrives on processor `n`.
    case reuseportClassicBPF = "reuseport-cbpf"
    /// The same; an eBPF program picks, and counts when there is no worker for the processor.
    case reuseportBPF = "reuseport-ebpf"
    /// The same; listener `n` has `SO_INCOMING_CPU` of processor `n`, which the kernel goes by itself.
    case reuseportIncomingProcessor = "reuseport-incoming-cpu"

    /// True if each worker has a listener.
    package var isPerWorker: Bool { self != .shared }
}

extension Mode {
    /// The modes that are no variants as a table in Markdown, for the README.
    package static var markdownTable: String {
        markdown(
            ["mode", "alias", "what it is", "topologies, the default first", "since Linux"],
            every.filter { $0.base == nil }.map { mode in
                [
                    "`\(mode.name)`", mode.alias.map { "`\($0)`" } ?? "", mode.summary,
                    mode.topologies.map { "`\($0.rawValue)`" }.joined(separator: ", "), mode.kernel,
                ]
            })
    }

    /// The variants as a table in Markdown.
    package static var markdownVariants: String {
        markdown(
            ["variant", "of", "what it does", "workloads", "since Linux"],
            variants.map { mode in
                [
                    "`\(mode.name)`", mode.base.map { "`\($0)`" } ?? "", mode.summary,
                    mode.capabilities.workloads.map { "`\($0.rawValue)`" }.joined(separator: ", "), mode.kernel,
                ]
            })
    }

    private static func markdown(_ headings: [String], _ rows: [[String]]) -> String {
        let lines = [headings, headings.map { _ in "---" }] + rows
        return lines.map { $0[0] == "---" ? "|---|---|---|---|---|" : "| \($0.joined(separator: " | ")) |" }
            .joined(separator: "\n") + "\n"
    }

    /// The mode with this name or alias.
    package static func named(_ name: String) -> Mode? {
        every.first { $0.name == name || $0.alias == name }
    }

    /// What this mode does badly on this kernel; nil if nothing is known, or the kernel is not.
    package func limit(_ workload: Workload, on kernel: KernelVersion?) -> Limit? {
        guard let kernel else { return nil }
        return limits.first { $0.workloads.contains(workload) && kernel < $0.before }
    }
}
