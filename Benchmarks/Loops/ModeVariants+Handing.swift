import LinuxReadiness
import Meters

extension Mode {
    /// Sets and rings that wait for each other, and rings that hand connections over.
    static let handingVariants: [Mode] = [
        Mode(
            name: "uring-epoll-wait", alias: nil, mechanism: .ringEpoll, topologies: [.setPerWorker], kernel: "6.15",
            summary: "an epoll set for each worker, which its ring waits for; ordinary accept or read calls",
            capabilities: Capabilities(
                acceptNeeds: [.epollWait], signals: [], looksWithoutBlocking: false,
                wakeRefusal: "uring-epoll-wait is for connections; use uring-poll or epoll-lt"),
            base: "uring-poll"),
        Mode(
            name: "uring-dispatcher", alias: nil, mechanism: .ringDispatcher, topologies: [.sharedSet], kernel: "5.19",
            summary: "one thread accepts and polls with one ring and hands work to the others",
            // A connection is with one worker at a time.
            capabilities: Capabilities(
                socketsBlock: true, flags: [.readable, .oneShot], handsOver: true, pollsHoldFiles: true,
                acceptNeeds: [.skipSuccess, .multishotPoll, .multishotAccept], signals: [], looksWithoutBlocking: false,
                wakeRefusal: "uring-dispatcher hands work over, which is what a pool's producers do; use --shape pool "
                    + "with an epoll mode"),
            base: "dispatcher"),
        Mode(
            name: "uring-handoff", alias: nil, mechanism: .ringHandoff, topologies: [.setPerWorker], kernel: "6.0",
            summary:
                "uring-multishot, but one thread accepts for all and hands each connection to a ring with MSG_RING",
            capabilities: Capabilities(
                workloads: [.accept, .crr], socketsBlock: true, handsOver: true,
                acceptNeeds: [.skipSuccess, .messageRing, .multishotAccept],
                receiveNeeds: [.bufferRing, .multishotReceive], signals: [], looksWithoutBlocking: false,
                wakeRefusal: "uring-handoff hands connections over; of signals use --signal msg-ring"),
            base: "uring-multishot"),
        Mode(
            name: "epoll-splice", alias: nil, mechanism: .splice, topologies: [.setPerWorker], kernel: "2.6.28",
            summary: "epoll-lt, and splice(2) through a pipe in place of recv and send: bytes are echoed unseen",
            capabilities: Capabilities(
                workloads: [.crr, .read], repliesUnseen: true, wires: [.echo], signals: [],
                wakeRefusal: "epoll-splice moves bytes between sockets; use epoll-lt"),
            base: "epoll-lt"),
        Mode(
            name: "epoll-vmsplice", alias: nil, mechanism: .vmsplice, topologies: [.setPerWorker], kernel: "2.6.28",
            summary: "epoll-lt, and vmsplice(2) and splice(2) in place of send: replies are sent from where they are",
            capabilities: Capabilities(
                workloads: [.crr, .read], wires: [.echo], refusal: KernelTrial.lentMemory, signals: [],
                wakeRefusal: "epoll-vmsplice sends what it received; use epoll-lt"),
            base: "epoll-lt"),
        Mode(
            name: "epoll-sendfile", alias: nil, mechanism: .sendfile, topologies: [.setPerWorker], kernel: "3.17",
            summary: "epoll-lt, and sendfile(2) from a memfd that has the replies of --protocol http",
            capabilities: Capabilities(
                workloads: [.crr, .read], wires: [.http], signals: [],
                wakeRefusal: "epoll-sendfile sends replies to requests; use epoll-lt"),
            base: "epoll-lt"),
    ]
}
