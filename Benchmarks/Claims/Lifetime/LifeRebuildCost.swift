import LinuxReadiness
import SystemPackage

/// What a rebuild costs in CPU time: a new set is made, every descriptor is added, the old set is closed. The best of
/// five, because the kernel does the same work each time and everything else only adds to it.
let lifeRebuildCost = Experiment(
    id: "life-rebuild-cost", statement: "rebuilding the set costs time in proportion to what it watches",
    source: .expectation, descriptors: 10_050,
    keys: ["ns_per_descriptor_1000", "ns_per_descriptor_10000"],
    observe: {
        [
            "ns_per_descriptor_1000": try rebuildNanoseconds(1000) / 1000,
            "ns_per_descriptor_10000": try rebuildNanoseconds(10_000) / 10_000,
        ]
    },
    judge: { observed in
        let small = observed["ns_per_descriptor_1000"].number
        guard small > 0 else { return .doesNotHold }
        let ratio = observed["ns_per_descriptor_10000"].number / small
        return ratio > 1 / 3 && ratio < 3 ? .holds : ratio < 10 ? .depends : .doesNotHold
    },
    explain: {
        "A descriptor costs \($0["ns_per_descriptor_1000"]) ns of 1 000 and \($0["ns_per_descriptor_10000"]) ns of "
            + "10 000."
    })

private func rebuildNanoseconds(_ count: Int) throws -> UInt64 {
    var watched: [Shared<EventFD>] = []
    for _ in 0..<count { watched.append(Shared(try EventFD())) }
    func filledSet() throws(Errno) -> Epoll {
        let epoll = try Epoll()
        for (index, counter) in watched.enumerated() {
            try epoll.add(counter.value.descriptor, .readable, token: UInt64(index))
        }
        return epoll
    }
    // The first that is closed must be as full as the others.
    var epoll = try filledSet()
    var best = UInt64.max
    for _ in 0..<5 {
        let start = threadNanoseconds()
        epoll = try filledSet()
        best = min(best, threadNanoseconds() - start)
    }
    _ = try epoll.eventfulWaits(of: 1)
    return best
}
