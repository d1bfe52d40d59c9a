import CBenchExtras
import Foundation
import Glibc
import LinuxDescriptors
import LinuxReadiness
import Meters
import SystemPackage

/// What a registration costs the kernel, and what bounds them.
///
/// 1. A thread registers a thousand counters in one set after the other; `bytes` is by how much the kernel's slab memory
///    grows for each of 500 000 registrations, or of a quarter of the limit where that is less.
/// 2. `accounted_bytes` is what the limit takes a registration for: the kernel sets the limit to a 25th of the memory at
///    that cost when it starts. Somebody may have set another since.
/// 3. As root, where the limit can be reached in a few seconds and a small part of the memory: a thread that belongs to a
///    user who has no other registers on, until the kernel refuses (`at_limit`). The limit counts for each user, so
///    nobody else is refused meanwhile.
///
/// About 160 bytes is 128 to 192.
let epollWatchMemory = Experiment(
    id: "epoll-watch-memory",
    statement: "max_user_watches bounds the registrations of a user, and one costs about 160 bytes on 64 bits",
    source: .manual("epoll(7)"), descriptors: 1600, conditions: Conditions(heldUpLimit: 60),
    keys: ["limit", "bytes"],
    observe: {
        guard let limit = try? String(contentsOfFile: limitPath, encoding: .utf8).trimmingCharacters(in: .whitespaces),
            let limit = Int(limit.filter { !$0.isNewline }), limit > 4000
        else { throw Unobservable("\(limitPath) cannot be read, or says too little") }
        let thread = try ScriptThread("watches")
        defer { thread.end() }
        return try thread.perform { try observeWatches(limit: limit) }
    },
    judge: { observed in
        let isCheap = (128.0...192).contains(observed["bytes"].number)
        let refusal = observed["at_limit"]
        guard refusal != .absent else { return .init(holds: isCheap) }
        let isExact = abs(observed["registered"].number / observed["limit"].number - 1) < 0.01
        return .init(parts: [isCheap, refusal == "ENOSPC" && isExact])
    },
    explain: { observed in
        let refusal = observed["at_limit"]
        return "A registration takes \(observed["bytes"]) bytes, and the limit of \(observed["limit"]) takes it for "
            + "\(observed["accounted_bytes"])"
            + (refusal == .absent ? "." : "; after \(observed["registered"]) the kernel says \(refusal).")
    })

private let limitPath = "/proc/sys/fs/epoll/max_user_watches"
/// A user that hardly any machine has.
private let spareUser: uid_t = 64_999
/// What one registration takes at the most.
private let mostBytes: UInt64 = 256
private let longestSeconds = 5.0

private func observeWatches(limit: Int) throws -> Observed {
    let isAlone = geteuid() == 0 && c_become_user(spareUser) == 0
    var watches = try Watches()
    let count = min(500_000, limit / 4)
    let before = MemoryUse.read().slabBytes
    let start = monotonicNanoseconds()
    guard try watches.register(count) == nil else { throw Unobservable("others of this user hold registrations") }
    let secondsEach = Double(monotonicNanoseconds() - start) / 1e9 / Double(count)
    let after = MemoryUse.read().slabBytes
    guard before > 0, after > before else { throw Undecided("the kernel's slab memory did not grow") }
    let memory = UInt64(ProcessInfo.processInfo.physicalMemory)
    var observed: Observed = [
        "limit": limit, "bytes": (after - before) / UInt64(count),
        "accounted_bytes": memory / 25 / UInt64(limit),
    ]
    let hasRoom = AvailableMemory.read() > 4 * mostBytes * UInt64(limit)
    let setsNeeded = limit / Watches.countersEach + 2
    if isAlone && hasRoom && secondsEach * Double(limit) < longestSeconds, descriptorShortage(setsNeeded) == nil {
        let refusal = try watches.register(limit - count + 1000)
        observed["registered"] = watches.count.observed
        observed["at_limit"] = (refusal.map { errorName($0) } ?? "none").observed
    }
    return observed
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
