import LinuxDescriptors
import LinuxReadiness
import Meters
import SystemPackage

/// What a rebuild costs in CPU time: a new set is made, every descriptor is added, the old set is closed. The best of
/// five, because the kernel does the same work each time and everything else only adds to it.
extension Experiment {
    static let lifeRebuildCost = Experiment(
        id: "life-rebuild-cost", statement: "rebuilding the set costs time in proportion to what it watches",
        source: .expectation, descriptors: 10_050,
        keys: ["ns_per_descriptor_1000", "ns_per_descriptor_10000"],
        observe: {
            return [
                "ns_per_descriptor_1000": try rebuildNanoseconds(1000) / 1000,
                "ns_per_descriptor_10000": try rebuildNanoseconds(10_000) / 10_000,
            ]
        },
        judge: { observed in
            guard let small = observed.number("ns_per_descriptor_1000"), small > 0,
                let large = observed.number("ns_per_descriptor_10000")
            else { return .doesNotHold }
            let ratio = large / small
            return ratio > 1 / 3 && ratio < 3 ? .holds : ratio < 10 ? .depends : .doesNotHold
        },
        explain: { observed in
            "A descriptor costs \(observed["ns_per_descriptor_1000"] ?? "") ns of 1 000 and "
                + "\(observed["ns_per_descriptor_10000"] ?? "") ns of 10 000."
        })
}

private func rebuildNanoseconds(_ count: Int) throws -> UInt64 {
    final class Watched: Sendable {
        let counter: EventFD
        init() throws(Errno) { counter = try EventFD() }
    }
    var watched: [Watched] = []
    for _ in 0..<count { watched.append(try Watched()) }
    func filledSet() throws(Errno) -> Epoll {
        let epoll = try Epoll()
        for (index, one) in watched.enumerated() {
            try epoll.add(one.counter.descriptor, .readable, token: UInt64(index))
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
