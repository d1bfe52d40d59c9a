import LinuxReadiness
import SystemPackage

/// What a counter makes of writes and reads, one thread, no waiting.
extension Experiment {
    /// Three writes of 1, then reads until EAGAIN. `value` is what the first read returned.
    static let eventFDCoalesces = Experiment(
        id: "eventfd-coalesces", statement: "writes add up, and one read takes them all", source: .manual("eventfd(2)"),
        keys: ["writes", "reads", "value"],
        observe: {
            let counter = try EventFD()
            for _ in 1...3 { try counter.add(1) }
            let values = try takeAll(counter)
            return ["writes": 3, "reads": values.count, "value": values.first ?? 0]
        },
        judge: { $0["reads"] == "1" && $0["value"] == $0["writes"] ? .holds : .doesNotHold },
        explain: { "\($0["writes"] ?? "") writes of 1 are taken by \($0["reads"] ?? "") reads." })

    /// The counter is filled to 2^64 - 2; one more is added, then the value that no counter may hold.
    static let eventFDOverflow = Experiment(
        id: "eventfd-overflow", statement: "a write past 2^64 - 2 fails with EAGAIN, a write of 2^64 - 1 with EINVAL",
        source: .manual("eventfd(2)"), keys: ["add", "add_maximum", "value"],
        observe: {
            let counter = try EventFD()
            try counter.add(EventFD.maximum)
            let one = try counter.add(1) ? "ok" : "EAGAIN"
            let maximum = outcome { () throws(Errno) in try counter.add(.max) }
            let value = try counter.take() ?? 0
            return ["add": one, "add_maximum": maximum, "value": value]
        },
        judge: { observed in
            let refused = observed["add"] == "EAGAIN" && observed["add_maximum"] == "EINVAL"
            return refused && observed["value"] == "\(EventFD.maximum)" ? .holds : .doesNotHold
        },
        explain: { "A full counter answers \($0["add"] ?? ""), the forbidden value gets \($0["add_maximum"] ?? "")." })

    /// With EFD_SEMAPHORE: one write of 3, then reads until EAGAIN.
    static let eventFDSemaphore = Experiment(
        id: "eventfd-semaphore", statement: "with EFD_SEMAPHORE each read takes one", source: .e,
        keys: ["written", "reads", "value"],
        observe: {
            let counter = try EventFD(count: 0, [.nonblocking, .semaphore])
            try counter.add(3)
            let values = try takeAll(counter)
            return ["written": 3, "reads": values.count, "value": values.first ?? 0]
        },
        judge: { $0["reads"] == $0["written"] && $0["value"] == "1" ? .holds : .doesNotHold },
        explain: { "One write of \($0["written"] ?? "") is taken by \($0["reads"] ?? "") reads." })

    /// With EFD_SEMAPHORE and EPOLLET: five tokens are written, and a reader takes one for each event, as one would who
    /// thinks of events as tokens. `stranded` is what the counter holds when no more events come.
    static let eventFDSemaphoreET = Experiment(
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
        judge: { $0["stranded"] == "0" ? .holds : .doesNotHold },
        explain: { "Of \($0["written"] ?? "") tokens \($0["stranded"] ?? "") stay in the counter with nobody told." })

    /// Edge-triggered: a write, a wait, three times over, and never a read.
    static let eventFDEveryWrite = Experiment(
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
        judge: { $0["events"] == $0["writes"] ? .holds : $0["events"] == "1" ? .doesNotHold : .depends },
        explain: { "\($0["writes"] ?? "") writes without a read between them make \($0["events"] ?? "") events." })
}

/// Reads until EAGAIN, at most ten times.
private func takeAll(_ counter: borrowing EventFD) throws(Errno) -> [UInt64] {
    var values: [UInt64] = []
    while values.count < 10, let value = try counter.take() { values.append(value) }
    return values
}
