import LinuxReadiness
import SystemPackage

/// What a read takes of a counter: three writes of 1, then reads until EAGAIN. `value` is what the first read returned.
let eventFDCoalesces = Experiment(
    id: "eventfd-coalesces", statement: "writes add up, and one read takes them all", source: .manual("eventfd(2)"),
    keys: ["writes", "reads", "value"],
    observe: {
        let counter = try EventFD()
        for _ in 1...3 { try counter.add(1) }
        let values = try takeAll(counter)
        return ["writes": 3, "reads": values.count, "value": values.first ?? 0]
    },
    judge: { .init(holds: $0["reads"] == 1 && $0["value"] == $0["writes"]) },
    explain: { "\($0["writes"]) writes of 1 are taken by \($0["reads"]) reads." })

/// The same with EFD_SEMAPHORE and one write of 3.
let eventFDSemaphore = Experiment(
    id: "eventfd-semaphore", statement: "with EFD_SEMAPHORE each read takes one", source: .e,
    keys: ["written", "reads", "value"],
    observe: {
        let counter = try EventFD(count: 0, [.nonblocking, .semaphore])
        try counter.add(3)
        let values = try takeAll(counter)
        return ["written": 3, "reads": values.count, "value": values.first ?? 0]
    },
    judge: { .init(holds: $0["reads"] == $0["written"] && $0["value"] == 1) },
    explain: { "One write of \($0["written"]) is taken by \($0["reads"]) reads." })

/// Reads until EAGAIN, at most ten times.
func takeAll(_ counter: borrowing EventFD) throws(Errno) -> [UInt64] {
    var values: [UInt64] = []
    while values.count < 10, let value = try counter.take() { values.append(value) }
    return values
}
