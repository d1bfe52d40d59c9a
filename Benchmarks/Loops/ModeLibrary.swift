import LinuxRings
import Meters

extension Mode {
    /// The ways of waiting that the library offers its users: sets and rings that own what they watch, and executors of
    /// Swift concurrency.
    package static let ofLibrary: [Mode] = [
        Mode(
            name: "interest-set", alias: nil, mechanism: .interestSet, topologies: [.setPerWorker], kernel: "2.6.28",
            summary: "LinuxReadiness.InterestSet: epoll-lt in a set that owns what it watches",
            capabilities: Capabilities(
                hasOwnTable: true, ownsDescriptors: true, signals: [],
                wakeRefusal: "interest-set owns what it watches, and a signal's descriptor is shared; use epoll-lt")),
        Mode(
            name: "descriptor-ring", alias: nil, mechanism: .descriptorRing, topologies: [.setPerWorker],
            kernel: "5.19",
            summary: "LinuxRings.DescriptorRing: multishot accept and single recv in a ring that owns its descriptors",
            capabilities: Capabilities(
                socketsBlock: true, acceptNeeds: [.multishotAccept], hasOwnTable: true, ownsDescriptors: true,
                hasBufferPerConnection: true, signals: [], looksWithoutBlocking: false,
                wakeRefusal: "descriptor-ring transfers bytes over sockets, and a signal is read; use uring-single")),
        Mode(
            name: "async-set", alias: nil, mechanism: .asyncSet, topologies: [.setPerWorker], kernel: "2.6.28",
            summary: "LinuxExecutors.SetExecutor: a task for each connection, on edge-triggered epoll",
            capabilities: Capabilities(
                hasOwnTable: true, ownsDescriptors: true, hasBufferPerConnection: true, signals: [],
                looksWithoutBlocking: false, wakeRefusal: awaited("async-set"))),
        Mode(
            name: "async-ring", alias: nil, mechanism: .asyncRing, topologies: [.setPerWorker], kernel: "5.7",
            summary: "LinuxExecutors.RingExecutor: a task for each connection, one request for each await",
            capabilities: Capabilities(
                socketsBlock: true, acceptNeeds: [.fastPoll], hasOwnTable: true, ownsDescriptors: true,
                hasBufferPerConnection: true, signals: [], looksWithoutBlocking: false,
                wakeRefusal: awaited("async-ring"))),
    ]

    private static func awaited(_ name: String) -> String {
        "tasks of \(name) await connections, and wait for no signals; use epoll-lt or uring-single"
    }
}
