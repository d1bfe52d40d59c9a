import Glibc
import SystemPackage

/// A process and all that descend from it, seen from outside and without privilege.
///
/// Processes and threads come and go while they are read, which is no error. Nothing counts backwards: what a thread had
/// used when it was last seen is kept. What it used after that and before its end is lost, but not its CPU time, which
/// its process keeps, nor that of a process, which its parent has when it has waited for it.
package final class ProcessTree {
    private let root: Int32
    private let includesRoot: Bool
    private let usesChildrenFiles: Bool
    private var file = ProcFile()
    private var known: [Int32: Member] = [:]
    private var threads: [Int32: ThreadCounts] = [:]
    private var processesSeen = 0
    /// What was used by those that are gone.
    private var gone = ThreadCounts()
    private var goneNanoseconds: UInt64 = 0
    /// The CPU time that was told last: a parent has that of its children in ticks, which are rounded down.
    private var lastNanoseconds: UInt64 = 0
    /// Why something of a process could not be read that is there; nil if all could.
    package private(set) var refusal: String?

    private struct Member {
        let clock: clockid_t
        var cpuNanoseconds: UInt64 = 0
        var childTicks: UInt64 = 0
        var isSeen = true
    }

    fileprivate struct ThreadCounts {
        var cpuNanoseconds: UInt64 = 0
        var runDelayNanoseconds: UInt64 = 0
        var voluntarySwitches: UInt64 = 0
        var involuntarySwitches: UInt64 = 0
        var isSeen = true
    }

    /// - Parameters:
    ///   - root: the first process.
    ///   - includesRoot: false for one that only starts and waits for the others.
    package convenience init(root: Int32, includesRoot: Bool = true) {
        var file = ProcFile()
        let own = getpid()
        self.init(
            root: root, includesRoot: includesRoot,
            // CONFIG_PROC_CHILDREN.
            usesChildrenFiles: file.read(own, thread: own, "children") == nil)
    }

    init(root: Int32, includesRoot: Bool, usesChildrenFiles: Bool) {
        (self.root, self.includesRoot, self.usesChildrenFiles) = (root, includesRoot, usesChildrenFiles)
    }

    /// The processes that were found last, the root first.
    private var processes: [Int32] = []

    /// Those whose work counts.
    package var members: [Int32] { includesRoot ? processes : Array(processes.dropFirst()) }

    /// Looks who belongs to the tree now.
    package func find() {
        processes = usesChildrenFiles ? descendants() : descendantsByParent()
        for process in processes where known[process] == nil {
            var clock = clockid_t()
            guard unsafe clock_getcpuclockid(process, &clock) == 0 else { continue }
            known[process] = Member(clock: clock)
            if includesRoot || process != root { processesSeen += 1 }
        }
    }

    private func descendants() -> [Int32] {
        var found = [root]
        var next = 0
        while next < found.count {
            let process = found[next]
            next += 1
            for thread in file.numbers(in: process, "task") ?? []
            where file.read(process, thread: thread, "children") == nil {
                found += file.numbers.map { Int32(clamping: $0) }
            }
        }
        return found
    }

    private func descendantsByParent() -> [Int32] {
        var children: [Int32: [Int32]] = [:]
        for process in file.allProcesses where file.read(process, "stat") == nil {
            if let status = file.status { children[status.parent, default: []].append(process) }
        }
        var found = [root]
        var next = 0
        while next < found.count {
            found += children[found[next]] ?? []
            next += 1
        }
        return found
    }

    /// Reads the CPU clock of each process that was found, a system call each.
    ///
    /// The kernel brings them up to date at ticks and switches, so a running thread's may lag a tick.
    package func readClocks() {
        for process in processes {
            guard let clock = known[process]?.clock else { continue }
            var time = timespec()
            guard unsafe clock_gettime(clock, &time) == 0 else { continue }
            known[process]?.cpuNanoseconds = UInt64(time.tv_sec) * 1_000_000_000 + UInt64(time.tv_nsec)
        }
    }

    /// What the processes had used when their clocks were read, and the rest as it is now, for which some files of each
    /// process and two of each thread are read.
    package func usage() -> ProcessUsage {
        var usage = ProcessUsage()
        for process in known.keys { known[process]?.isSeen = false }
        for thread in threads.keys { threads[thread]?.isSeen = false }
        var childGrowth: UInt64 = 0
        for process in processes {
            guard let before = known[process]?.childTicks, let status = status(of: process) else { continue }
            known[process]?.isSeen = true
            known[process]?.childTicks = max(status.childTicks, before)
            childGrowth += status.childTicks - min(status.childTicks, before)
            guard !status.isZombie, includesRoot || process != root else { continue }
            usage.processes += 1
            usage.residentBytes += status.residentPages * UInt64(sysconf(CInt(_SC_PAGESIZE)))
            addDescriptors(of: process, to: &usage)
            addThreads(of: process, to: &usage)
        }
        forgetGone(waitedForTicks: childGrowth)
        usage.cpuNanoseconds = goneNanoseconds
        for (process, member) in known {
            let own = includesRoot || process != root ? member.cpuNanoseconds : 0
            usage.cpuNanoseconds += own + member.childTicks * Self.tickNanoseconds
        }
        lastNanoseconds = max(usage.cpuNanoseconds, lastNanoseconds)
        usage.cpuNanoseconds = lastNanoseconds
        let counts = threads.values.reduce(gone, +)
        usage.voluntarySwitches = counts.voluntarySwitches
        usage.involuntarySwitches = counts.involuntarySwitches
        usage.processesSeen = processesSeen
        guard tellsRunDelay else { return usage }
        usage.runDelayNanoseconds = counts.runDelayNanoseconds
        usage.seenNanoseconds = counts.cpuNanoseconds
        usage.cpuByThread = threads.mapValues(\.cpuNanoseconds)
        return usage
    }

    private var tellsRunDelay = true

    private static var tickNanoseconds: UInt64 { 1_000_000_000 / UInt64(max(sysconf(CInt(_SC_CLK_TCK)), 1)) }

    private func status(of process: Int32) -> ProcessStatus? {
        guard file.read(process, "stat") == nil else { return nil }
        return file.status
    }

    private func addDescriptors(of process: Int32, to usage: inout ProcessUsage) {
        switch file.descriptors(of: process) {
        case .success(let count): usage.descriptors = (usage.descriptors ?? 0) + count
        case .failure(.permissionDenied), .failure(.notPermitted):
            refusal =
                "process \(process) is another user's, so its descriptors are not to be seen; run as that user or as root"
        case .failure: break
        }
    }

    private func addThreads(of process: Int32, to usage: inout ProcessUsage) {
        for thread in file.numbers(in: process, "task") ?? [] {
            var counts = threads[thread] ?? ThreadCounts()
            if file.read(process, thread: thread, "schedstat") == nil {
                counts.cpuNanoseconds = max(file.number(at: 0) ?? 0, counts.cpuNanoseconds)
                counts.runDelayNanoseconds = max(file.number(at: 1) ?? 0, counts.runDelayNanoseconds)
            } else if file.read(process, thread: thread, "stat") == nil {
                // It is there, so the kernel lacks CONFIG_SCHED_INFO.
                tellsRunDelay = false
            }
            guard file.read(process, thread: thread, "status") == nil else { continue }
            usage.threads += 1
            counts.voluntarySwitches = max(
                file.number(after: "voluntary_ctxt_switches:") ?? 0, counts.voluntarySwitches)
            counts.involuntarySwitches = max(
                file.number(after: "nonvoluntary_ctxt_switches:") ?? 0, counts.involuntarySwitches)
            counts.isSeen = true
            threads[thread] = counts
        }
    }

    /// Keeps what those had used that are gone, but for CPU time that those have who waited for them.
    private func forgetGone(waitedForTicks ticks: UInt64) {
        for (thread, counts) in threads where !counts.isSeen {
            gone = gone + counts
            threads[thread] = nil
        }
        var lost: UInt64 = 0
        for (process, member) in known where !member.isSeen {
            if includesRoot || process != root { lost += member.cpuNanoseconds }
            lost += member.childTicks * Self.tickNanoseconds
            known[process] = nil
        }
        // The sum is rounded down to ticks.
        let waitedFor = ticks == 0 ? 0 : (ticks + 1) * Self.tickNanoseconds
        goneNanoseconds += lost - min(lost, waitedFor)
    }
}

extension ProcessTree.ThreadCounts {
    fileprivate static func + (one: Self, other: Self) -> Self {
        Self(
            cpuNanoseconds: one.cpuNanoseconds + other.cpuNanoseconds,
            runDelayNanoseconds: one.runDelayNanoseconds + other.runDelayNanoseconds,
            voluntarySwitches: one.voluntarySwitches + other.voluntarySwitches,
            involuntarySwitches: one.involuntarySwitches + other.involuntarySwitches)
    }
}
