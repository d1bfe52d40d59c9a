import LinuxReadiness

/// Edge-triggered, with EFD_SEMAPHORE: five tokens are written, and a reader takes one for each event, as if events
/// were tokens. `stranded` is what the counter holds when no more events come.
let eventFDSemaphoreET = Experiment(
    id: "eventfd-semaphore-et",
    statement: "edge-triggered, a semaphore that is read once for each event is drained",
    source: .expectation, keys: ["written", "read", "stranded"],
    observe: {
        let counter = try EventFD(count: 0, [.nonblocking, .semaphore])
        let epoll = try Epoll()
        try epoll.add(counter.descriptor, [.readable, .edgeTriggered], token: 0)
        try counter.add(2)
        for _ in 1...3 { try counter.add(1) }
        let events = EpollEventBuffer(capacity: 1)
        var read = 0
        while try epoll.wait(into: events, timeout: .milliseconds(10)) > 0 {
            if try counter.take() != nil { read += 1 }
        }
        return ["written": 5, "read": read, "stranded": try takeAll(counter).count]
    },
    judge: { .init(holds: $0["stranded"] == 0) },
    explain: { "Of \($0["written"]) tokens \($0["stranded"]) stay in the counter without an event." })
