import CBenchExtras
import Glibc
import LinuxDescriptors
import LinuxReadiness
import LinuxRings
import Meters
import SystemPackage

/// What one wait costs when 10, 100, 1 000 and 10 000 idle descriptors are watched and one more is ready.
///
/// Every interface is called repeatedly for about 10 ms of CPU time; the best of five interleaved rounds counts.
/// `select` takes no descriptor from 1 024 on and so has no fourth value, or fewer where many are open already; then it
/// is left out. io_uring watches by one pending poll for each descriptor, and a wait is the poll of the ready one with its
/// completion; it is left out where it is absent or forbidden.
let scaleWaitCost = Experiment(
    id: "scale-wait-cost",
    statement: "select and poll cost time in proportion to what they watch, epoll and io_uring do not",
    source: .m1, descriptors: 10_050,
    keys: [Interface.poll, .epoll].flatMap { interface in watchedCounts.map { interface.key($0) } },
    observe: {
        let costs = try watchedCounts.map { (count: $0, nanoseconds: try measureWaits($0)) }
        var observed = Observed()
        for interface in Interface.allCases {
            for (count, nanoseconds) in costs {
                observed[interface.key(count)] = nanoseconds[interface]?.observed ?? .absent
            }
        }
        return observed
    },
    judge: { observed in
        .init(parts: growths(observed).map { $0.interface.isSaidToGrow ? $0.growth > 5 : $0.growth < 5 })
    },
    explain: { observed in
        let texts = growths(observed).map { "\($0.interface.rawValue) \(($0.growth * 10).rounded() / 10) times" }
        return "From 10 watched to the most, a wait grows: \(texts.joined(separator: ", "))."
    })

private let watchedCounts = [10, 100, 1000, 10_000]

private enum Interface: String, CaseIterable, Sendable {
    case poll, epoll, select, uring

    var isSaidToGrow: Bool { self == .select || self == .poll }

    func key(_ count: Int) -> String { "\(rawValue)_\(count)_ns" }
}

/// The cost with the most descriptors over that with the fewest, of each interface that was measured.
private func growths(_ observed: Observed) -> [(interface: Interface, growth: Double)] {
    Interface.allCases.compactMap { interface in
        let values = watchedCounts.map { observed[interface.key($0)].number }.filter { !$0.isNaN }
        // Ten times as many tell little beside what a call costs anyway.
        guard values.count > 2, values[0] > 0 else { return nil }
        return (interface, values[values.count - 1] / values[0])
    }
}

private func measureWaits(_ count: Int) throws -> [Interface: UInt64] {
    var counters: [Shared<EventFD>] = []
    for _ in 0..<count { counters.append(Shared(try EventFD())) }
    counters.append(Shared(try EventFD(count: 1)))
    let numbers = counters.map { $0.value.descriptor.rawValue }
    var waits: [(Interface, () throws -> Void)] = [(.poll, pollWait(numbers)), (.epoll, try epollWait(numbers))]
    if let wait = selectWait(numbers) { waits.append((.select, wait)) }
    if let wait = try ringWaitIfThere(numbers) { waits.append((.uring, wait)) }
    var best: [Interface: UInt64] = [:]
    for _ in 0..<5 {
        for (interface, wait) in waits {
            best[interface] = min(best[interface] ?? .max, try nanosecondsPerCall(wait))
        }
    }
    withExtendedLifetime(counters) {}
    return best
}

private func nanosecondsPerCall(_ call: () throws -> Void) throws -> UInt64 {
    let start = threadNanoseconds()
    var (calls, elapsed): (UInt64, UInt64) = (0, 0)
    while elapsed < 10_000_000 {
        for _ in 0..<8 { try call() }
        calls += 8
        elapsed = threadNanoseconds() - start
    }
    return elapsed / calls
}

private func expectOne(_ count: CInt) throws {
    guard count == 1 else { throw ScriptError("a wait found \(count) ready descriptors instead of one") }
}

/// Nil if one of the numbers is too high for `select`.
private func selectWait(_ numbers: [CInt]) -> (() throws -> Void)? {
    var wanted = fd_set()
    let highest = numbers.max() ?? 0
    guard highest < 1024 else { return nil }
    unsafe withUnsafeMutableBytes(of: &wanted) { bytes in
        for number in numbers { unsafe bytes[Int(number) / 8] |= 1 << UInt8(number % 8) }
    }
    return { [wanted] in
        var set = wanted
        var none = timeval()
        try expectOne(unsafe select(highest + 1, &set, nil, nil, &none))
    }
}

private func pollWait(_ numbers: [CInt]) -> () throws -> Void {
    var entries = numbers.map { pollfd(fd: $0, events: Int16(POLLIN), revents: 0) }
    return { try expectOne(unsafe poll(&entries, nfds_t(entries.count), 0)) }
}

private func epollWait(_ numbers: [CInt]) throws -> () throws -> Void {
    let (epoll, events) = (Shared(try Epoll()), Shared(EpollEventBuffer(capacity: 64)))
    for number in numbers { try epoll.value.add(BorrowedDescriptor(rawValue: number), .readable, token: 0) }
    return { try expectOne(CInt(try epoll.value.wait(into: events.value, timeout: .zero))) }
}

/// Nil where there is no io_uring, or too little memory that may be locked for one (before Linux 5.12).
private func ringWaitIfThere(_ numbers: [CInt]) throws -> (() throws -> Void)? {
    guard Need.ring.unmet() == nil else { return nil }
    do {
        return try ringWait(numbers)
    } catch let error as Errno where error == .noMemory {
        return nil
    }
}

private func ringWait(_ numbers: [CInt]) throws -> () throws -> Void {
    final class Watch {
        var ring: Ring
        init() throws(Errno) { ring = try Ring.forThisThread(entries: 256) }
    }
    let watch = try Watch()
    let ready = BorrowedDescriptor(rawValue: numbers[numbers.count - 1])
    for number in numbers.dropLast() {
        try watch.ring.preparePoll(BorrowedDescriptor(rawValue: number), .readable, token: 0)
    }
    try watch.ring.submit()
    return {
        try watch.ring.preparePoll(ready, .readable, token: 1)
        try watch.ring.submitAndWait()
        guard watch.ring.nextCompletion()?.token == 1 else { throw ScriptError("the ring completed an idle poll") }
    }
}
