import LinuxReadiness

/// Edge-triggered: a write, a wait, three times over, without a read.
let eventFDEveryWrite = Experiment(
    id: "eventfd-et-every-write",
    statement: "edge-triggered, every write makes an event, whether the counter was read or not",
    source: .expectation, keys: ["writes", "events"],
    observe: {
        let counter = try EventFD()
        let epoll = try Epoll()
        try epoll.add(counter.descriptor, [.readable, .edgeTriggered], token: 0)
        var events = 0
        for _ in 1...3 {
            try counter.add(1)
            events += try epoll.eventfulWaits(of: 2)
        }
        return ["writes": 3, "events": events]
    },
    judge: { $0["events"] == $0["writes"] ? .holds : $0["events"] == 1 ? .doesNotHold : .depends },
    explain: { "\($0["writes"]) writes without a read between them make \($0["events"]) events." })
