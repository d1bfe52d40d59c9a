import CBenchExtras
import Foundation
import Glibc
import LinuxDescriptors
import LinuxReadiness
import Meters
import Statistics
import SystemPackage

/// What a registration costs the kernel: a thread registers a thousand counters in one set after the other, and `bytes` is
/// by how much the kernel's slab memory grows for each registration.
///
/// About 160 bytes is 144 to 176.
let epollWatchMemory = Experiment(
    id: "epoll-watch-memory", statement: "a registration costs the kernel about 160 bytes on 64 bits",
    source: .manual("epoll(7)"), descriptors: 1600, conditions: Conditions(heldUpLimit: 60), keys: ["bytes"],
    observe: {
        let limit = try readLimit()
        return try onOwnThread { _ in ["bytes": try bytesEach(limit)] }
    },
    judge: { .init(holds: (144.0...176).contains($0["bytes"].number)) },
    explain: { "A registration takes \($0["bytes"]) bytes." })

/// What the limit of registrations would take: `memory_percent` is the part of the memory that as many registrations as
/// `max_user_watches` allows would need, at the cost that `epoll-watch-memory` measures.
///
/// When it starts, the kernel sets the limit to a 25th of the memory; `accounted_bytes` is what it would take a
/// registration for if the limit is still that one. A 25th is 3.4 to 4.6 %. Nothing tells whether somebody has set
/// another since.
let epollWatchLimit = Experiment(
    id: "epoll-watch-limit",
    statement: "max_user_watches lets the registrations of a user take a 25th of the memory",
    source: .manual("epoll(7)"), descriptors: 1600, conditions: Conditions(heldUpLimit: 60),
    keys: ["limit", "bytes", "memory_percent"],
    observe: {
        let limit = try readLimit()
        let bytes = try onOwnThread { _ in try bytesEach(limit) }
        let memory = Double(ProcessInfo.processInfo.physicalMemory)
        return [
            "limit": limit, "bytes": bytes,
            "memory_percent": (1000 * Double(limit) * Double(bytes) / memory).rounded() / 10,
            "accounted_bytes": Int(memory / 25 / Double(limit)),
        ]
    },
    judge: { .init(holds: (3.4...4.6).contains($0["memory_percent"].number)) },
    explain: {
        "\($0["limit"]) registrations of \($0["bytes"]) bytes are \($0["memory_percent"]) % of the memory; a 25th of it is "
            + "as many of \($0["accounted_bytes"]) bytes."
    })

/// What happens at the limit: a thread that belongs to a user who has no other registers until the kernel refuses. The
/// limit counts for each user, so nobody else is refused meanwhile.
///
/// Only as root, and where the limit can be reached in a few seconds and a small part of the memory.
let epollWatchRefusal = Experiment(
    id: "epoll-watch-refusal", statement: "max_user_watches bounds the registrations of a user",
    source: .manual("epoll_ctl(2) of ENOSPC"), descriptors: 1600, keys: ["limit", "registered", "at_limit"],
    observe: {
        let limit = try readLimit()
        return try onOwnThread { isAlone in
            guard isAlone else { throw Unobservable("it takes a user who has no registrations: run as root") }
            return try observeLimit(limit)
        }
    },
    judge: { observed in
        guard observed["at_limit"] == "ENOSPC" else { return .doesNotHold }
        return abs(observed["registered"].number / observed["limit"].number - 1) < 0.01 ? .holds : .depends
    },
    explain: {
        let end = $0["at_limit"] == "none" ? "the kernel takes more" : "the kernel says \($0["at_limit"])"
        return "With a limit of \($0["limit"]), after \($0["registered"]) registrations \(end)."
    })

private let limitPath = "/proc/sys/fs/epoll/max_user_watches"
/// A user that hardly any machine has.
private let spareUser: uid_t = 64_999
/// What one registration takes at the most.
private let mostBytes: UInt64 = 256
private let longestSeconds = 5.0

private func readLimit() throws -> Int {
    guard let text = try? String(contentsOfFile: limitPath, encoding: .utf8),
        let limit = Int(text.filter(\.isNumber)), limit > 4000
    else { throw Unobservable("\(limitPath) cannot be read, or says too little") }
    return limit
}

/// Runs on a thread of its own, which as root belongs to the spare user; `body` is told whether it does.
private func onOwnThread<Outcome: Sendable>(_ body: @escaping @Sendable (Bool) throws -> Outcome) throws -> Outcome {
    let thread = try ScriptThread("watches")
    defer { thread.end() }
    return try thread.perform { try body(geteuid() == 0 && c_become_user(spareUser) == 0) }
}

/// Slab memory for each of up to 300 000 registrations, or of a quarter of the limit where that is less: the median of
/// several parts, since the slabs are the whole machine's, and the first ones use what was free in them.
private func bytesEach(_ limit: Int) throws -> Int {
    var watches = try Watches()
    let count = min(300_000, limit / 4)
    let parts = max(1, min(5, count / 50_000))
    var bytes: [Double] = []
    for _ in 0..<parts {
        let before = Double(MemoryUse.read().slabBytes)
        guard try watches.register(count / parts) == nil else {
            throw Unobservable("others of this user hold registrations, and the limit is near")
        }
        bytes.append((Double(MemoryUse.read().slabBytes) - before) / Double(count / parts))
    }
    guard MemoryUse.read().slabBytes > 0 else { throw Unobservable("/proc/meminfo names no Slab") }
    guard let middle = median(bytes), middle > 0 else { throw Undecided("the kernel's slab memory did not grow") }
    return Int(middle.rounded())
}

private func observeLimit(_ limit: Int) throws -> Observed {
    let most = mostBytes * UInt64(limit)
    guard AvailableMemory.read() > 4 * most else {
        throw Unobservable("the limit of \(grouped(limit)) registrations needs up to \(grouped(Int(most >> 20))) MiB")
    }
    if let shortage = descriptorShortage(limit / Watches.countersEach + Watches.countersEach + 2) {
        throw Unobservable(shortage)
    }
    var watches = try Watches()
    let start = monotonicNanoseconds()
    let few = min(50_000, limit / 4)
    var refusal = try watches.register(few)
    let seconds = Double(monotonicNanoseconds() - start) / 1e9 * Double(limit) / Double(few)
    guard seconds < longestSeconds else {
        throw Unobservable("the limit of \(grouped(limit)) registrations takes more than \(Int(longestSeconds)) s")
    }
    if refusal == nil { refusal = try watches.register(limit - few + 1000) }
    // Whose memory runs out is no limit of registrations.
    if let refusal, refusal == .noMemory { throw refusal }
    return [
        "limit": limit, "registered": watches.count, "at_limit": refusal.map { errorName($0) } ?? "none",
    ]
}

/// Counters, and sets each of which watches all of them.
private struct Watches: ~Copyable {
    static let countersEach = 1000

    private var counters: [Shared<EventFD>] = []
    private var sets: [Shared<Epoll>] = []
    private(set) var count = 0

    init() throws(Errno) {
        for _ in 0..<Self.countersEach { counters.append(Shared(try EventFD())) }
    }

    /// Registers so many more; returns the error that ended it before.
    mutating func register(_ more: Int) throws(Errno) -> Errno? {
        let end = count + more
        while count < end {
            if count % Self.countersEach == 0 { sets.append(Shared(try Epoll())) }
            let counter = counters[count % Self.countersEach].value.descriptor
            do throws(Errno) {
                try sets[sets.count - 1].value.add(counter, .readable, token: 0)
            } catch {
                return error
            }
            count += 1
        }
        return nil
    }
}
