package import LinuxReadiness
package import LinuxRings
package import Meters

/// One way of learning that a socket has something to do: a row of the mode table.
package struct Mode: Sendable {
    /// The name on the command line and in results.
    package let name: String
    /// A shorter name that the command line takes too.
    package let alias: String?
    /// What the loop does.
    package let mechanism: Mechanism
    /// The topologies that have a meaning, the default first.
    package let topologies: [Topology]
    /// The first kernel that has all it needs.
    package let kernel: String
    /// One sentence for `bench list` and the README.
    package let summary: String
    /// What it does badly on kernels that can run it.
    package var limits: [Limit] = []

    /// Something that a mode does badly before some kernel.
    package struct Limit: Sendable {
        /// What it spoils.
        package let workloads: [Workload]
        /// The first kernel on which it is well.
        package let before: KernelVersion
        /// What happens, in a clause that names the kernel.
        package let text: String
    }
}

/// The system calls behind a mode.
package enum Mechanism: Sendable, Hashable {
    /// Threads that wait in the call itself.
    case blocking
    /// `select(2)`.
    case select
    /// `poll(2)`.
    case poll
    /// `epoll_wait(2)` with these flags; a loop that drains goes on until `EAGAIN` before it waits again.
    case epoll(EpollEvents, drains: Bool)
    /// `epoll_wait(2)` with `EPOLLONESHOT`, re-armed for each event.
    case epollOneShot
    /// One thread waits with `epoll_wait(2)` and hands what is ready to the workers.
    case dispatcher
    /// One io_uring request for each operation.
    case ringSingle
    /// io_uring requests that complete many times, accepting into the process's descriptors or the ring's slots.
    case ringMultishot(MultishotAccept.Destination)
    /// io_uring polls that complete many times, and ordinary calls.
    case ringPoll

    /// True if a worker has a ring.
    package var usesRing: Bool {
        switch self {
        case .ringSingle, .ringMultishot, .ringPoll: true
        case .blocking, .select, .poll, .epoll, .epollOneShot, .dispatcher: false
        }
    }
}

/// How workers share what they wait on.
package enum Topology: String, Sendable, CaseIterable {
    /// One epoll instance for all workers.
    case sharedSet = "shared-set"
    /// An epoll instance, a ring or a blocking call for each worker.
    case setPerWorker = "set-per-worker"
}

/// How many listening sockets there are and who picks one for a connection.
package enum ListenerSharing: String, Sendable, CaseIterable {
    /// One listening socket for all workers.
    case shared
    /// A listening socket for each worker (`SO_REUSEPORT`); the kernel picks one by a hash of the addresses.
    case reuseport
    /// The same; a classic BPF program picks worker `n`'s for what arrives on processor `n`.
    case reuseportClassicBPF = "reuseport-cbpf"
    /// The same; an eBPF program picks, and counts when there is no worker for the processor.
    case reuseportBPF = "reuseport-ebpf"

    /// True if each worker has a listener.
    package var isPerWorker: Bool { self != .shared }
}

extension Mode {
    /// Every mode, in the order in which they are listed and shown.
    package static let all: [Mode] = [
        Mode(
            name: "blocking", alias: nil, mechanism: .blocking, topologies: [.setPerWorker], kernel: "2.6.28",
            summary: "a blocking accept4 or read in each thread: the pre-fork model"),
        Mode(
            name: "select", alias: nil, mechanism: .select, topologies: [.setPerWorker], kernel: "2.6.28",
            summary: "select(2): wakes everybody, looks at every descriptor, ends at FD_SETSIZE"),
        Mode(
            name: "poll", alias: nil, mechanism: .poll, topologies: [.setPerWorker], kernel: "2.6.28",
            summary: "poll(2): wakes everybody, looks at every descriptor"),
        Mode(
            name: "epoll-lt", alias: "lt", mechanism: .epoll([], drains: false),
            topologies: [.setPerWorker, .sharedSet], kernel: "2.6.28",
            summary: "level-triggered: reports as long as there is something to do"),
        Mode(
            name: "epoll-et", alias: "et", mechanism: .epoll(.edgeTriggered, drains: true),
            topologies: [.setPerWorker, .sharedSet], kernel: "2.6.28",
            summary: "edge-triggered: reports arrivals, the loop drains to EAGAIN"),
        Mode(
            name: "epoll-exclusive", alias: "exclusive", mechanism: .epoll(.exclusive, drains: false),
            topologies: [.setPerWorker, .sharedSet], kernel: "4.5",
            summary: "level-triggered with EPOLLEXCLUSIVE: wakes at least one of the sets instead of all"),
        Mode(
            name: "epoll-et-exclusive", alias: nil,
            mechanism: .epoll([.edgeTriggered, .exclusive], drains: true),
            topologies: [.setPerWorker, .sharedSet], kernel: "4.5",
            summary: "edge-triggered with EPOLLEXCLUSIVE"),
        Mode(
            name: "epoll-oneshot", alias: "oneshot", mechanism: .epollOneShot,
            topologies: [.sharedSet, .setPerWorker], kernel: "2.6.28",
            summary: "edge-triggered with EPOLLONESHOT: reports once, re-armed by EPOLL_CTL_MOD"),
        Mode(
            name: "dispatcher", alias: nil, mechanism: .dispatcher, topologies: [.sharedSet], kernel: "2.6.30",
            summary: "one thread waits and hands work to the others"),
        Mode(
            name: "uring-single", alias: nil, mechanism: .ringSingle, topologies: [.setPerWorker], kernel: "5.17",
            summary: "io_uring, one accept or recv per submission"),
        Mode(
            name: "uring-multishot", alias: "multishot", mechanism: .ringMultishot(.descriptors),
            topologies: [.setPerWorker], kernel: "6.0",
            summary: "io_uring multishot accept; multishot recv into a provided-buffer ring"),
        Mode(
            name: "uring-direct", alias: nil, mechanism: .ringMultishot(.slots), topologies: [.setPerWorker],
            kernel: "6.0",
            summary: "as uring-multishot, into the ring's own file table: no process descriptors",
            limits: [
                Limit(
                    workloads: [.accept], before: KernelVersion(6, 4),
                    text: "before Linux 6.4 each close of an accepted slot waits about a second (measured on 6.1, "
                        + "until 6.4 by the kernel's source)")
            ]),
        Mode(
            name: "uring-poll", alias: nil, mechanism: .ringPoll, topologies: [.setPerWorker], kernel: "5.17",
            summary: "io_uring multishot poll, then ordinary accept or read calls"),
    ]

    /// Descriptors from here on do not fit `select(2)`: `FD_SETSIZE`.
    package static let selectLimit = Int(SelectSet.limit)

    /// True if its sockets block. A ring waits by itself; on a nonblocking socket it would report `EAGAIN` instead.
    package var usesBlockingSockets: Bool {
        switch mechanism {
        case .blocking, .ringSingle, .ringMultishot: true
        case .select, .poll, .epoll, .epollOneShot, .dispatcher, .ringPoll: false
        }
    }

    /// True if `Benchmarks/Reference` has the loop in C.
    package var hasReference: Bool {
        switch mechanism {
        case .epoll, .ringMultishot(.descriptors): true
        case .blocking, .select, .poll, .epollOneShot, .dispatcher, .ringSingle, .ringMultishot(.slots), .ringPoll:
            false
        }
    }

    /// The table as Markdown, for the README.
    package static var markdownTable: String {
        let rows = all.map { mode in
            let alias = mode.alias.map { "`\($0)`" } ?? ""
            let topologies = mode.topologies.map { "`\($0.rawValue)`" }.joined(separator: ", ")
            return "| `\(mode.name)` | \(alias) | \(mode.summary) | \(topologies) | \(mode.kernel) |"
        }
        let head = [
            "| mode | alias | what it is | topologies, the default first | since Linux |", "|---|---|---|---|---|",
        ]
        return (head + rows).joined(separator: "\n") + "\n"
    }

    /// The mode with this name or alias.
    package static func named(_ name: String) -> Mode? {
        all.first { $0.name == name || $0.alias == name }
    }

    /// What this mode does badly on this kernel; nil if nothing is known, or the kernel is not.
    package func limit(_ workload: Workload, on kernel: KernelVersion?) -> Limit? {
        guard let kernel else { return nil }
        return limits.first { $0.workloads.contains(workload) && kernel < $0.before }
    }
}
