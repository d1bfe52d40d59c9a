import CBenchExtras
import CSocketExtras
import Glibc
import LinuxDescriptors
import LinuxSockets
import SystemPackage
import Synchronization

/// Counts by a BPF program that finds the calling thread, or its process, in a table and adds to an array, which this
/// process has mapped.
///
/// Needs `CAP_BPF` and `CAP_PERFMON`, or root, and Linux 5.5; in a pid namespace other than the first, Linux 5.7.
final class BPFCallCounter: CallCounting {
    private let counts: BPFNumbers
    /// What is watched, by its number.
    private let table: OwnedDescriptor
    private let countsProcesses: Bool
    private let link: BPFLink
    private let hasFailed = Atomic(false)
    let limit: String?

    /// Counts for so many threads.
    convenience init(threads: Int) throws(Errno) {
        try self.init(capacity: threads, countsProcesses: false, limit: nil)
    }

    /// Counts for so many processes, but not for those that they start.
    ///
    /// - Parameter limit: why no more can be counted.
    convenience init(processes: Int, limit: String) throws(Errno) {
        try self.init(capacity: processes, countsProcesses: true, limit: limit)
    }

    private init(capacity: Int, countsProcesses: Bool, limit: String?) throws(Errno) {
        // One more, for the one that tries whether this counts.
        table = try .ofBPF { c_bpf_create_table(4, UInt32(clamping: capacity + 1)) }
        counts = try BPFNumbers(count: CallCounts.places)
        let count = countsProcesses ? BPFInstruction.countCallsOfProcesses : BPFInstruction.countCallsOfThreads
        link = try BPFLink(
            raw: "sys_enter",
            count(
                table.descriptor.rawValue, counts.descriptor, Int32(CallCounts.places), PidNamespace.nested()))
        self.countsProcesses = countsProcesses
        self.limit = limit
    }

    func watchThisThread() {
        if !countsProcesses { _ = watch(c_gettid()) }
    }

    func watch(_ threads: [Int32]) {}

    func watch(processes: [Int32]) -> Bool {
        var isNew = false
        for process in processes where countsProcesses && watch(process) { isNew = true }
        return isNew
    }

    /// - Returns: whether it was not watched before.
    private func watch(_ number: Int32) -> Bool {
        // No place of the array: no call was made before.
        var last = UInt32.max
        if unsafe c_bpf_add(table.descriptor.rawValue, UInt32(bitPattern: number), &last) == 0 { return true }
        if errno != EEXIST { hasFailed.store(true, ordering: .relaxed) }
        return false
    }

    func read() -> CallCounts? {
        guard !hasFailed.load(ordering: .relaxed) else { return nil }
        return CallCounts(byNumber: counts.first(CallCounts.places))
    }

    func countKnownCalls() throws(Errno) -> UInt64 {
        countsProcesses ? Self.trial.withLock { _ in tryProcess() } : tryThread()
    }

    private func tryThread() -> UInt64 {
        watchThisThread()
        let before = read()
        for _ in 0..<knownCalls { _ = getppid() }
        // The call before is counted with the next one.
        _ = geteuid()
        let after = read()
        _ = c_bpf_delete(table.descriptor.rawValue, UInt32(bitPattern: c_gettid()))
        guard let before, let after else { return 0 }
        // By number, because taking the second reading needs memory, for which the kernel may be asked too.
        return (after - before).byName["getppid", default: 0]
    }

    /// Other threads work on meanwhile, so it makes calls that nobody makes, one counter at a time.
    private func tryProcess() -> UInt64 {
        let number = CallCounts.places - 2
        _ = watch(processes: [getpid()])
        let before = read()
        for _ in 0..<knownCalls { c_call_nothing(number) }
        let after = read()
        _ = c_bpf_delete(table.descriptor.rawValue, UInt32(bitPattern: getpid()))
        guard let before, let after else { return 0 }
        return after.byNumber[number] &- before.byNumber[number]
    }

    private static let trial = Mutex(())
}
