import CBenchExtras
import CSocketExtras
import Glibc
import LinuxDescriptors
import LinuxSockets
import Synchronization
import SystemPackage

/// Counts by BPF programs what the threads of a server do, and those that they start: system calls and
/// wakeups.
///
/// Needs what ``BPFCallCounter`` needs, tracefs, and the first pid namespace: the numbers of threads that come and are
/// woken are those of the first.
final class BPFTreeCounter: CallCounting {
    /// The threads that are followed.
    private let threads: OwnedDescriptor
    private let counts: BPFNumbers
    private let links: [BPFLink]
    private let hasFailed = Atomic(false)

    /// What is counted behind the system calls.
    private static let wakeups = CallCounts.places
    private static let lost = CallCounts.places + 1

    /// So many threads at one time.
    static let mostThreads = 1 << 14

    private static let readNames = ["read", "readv", "recvfrom", "recvmsg"]
    private static let acceptNames = ["accept", "accept4"]

    /// Attaches the programs.
    ///
    /// - Parameter countsWakeups: whether the one at wakeups is among them.
    /// - Throws: ``BPFTreeRefusal``, which says what is missing.
    init(countsWakeups: Bool = true) throws(BPFTreeRefusal) {
        if PidNamespace.nested() != nil {
            throw BPFTreeRefusal(
                reason: "this is a pid namespace of its own, and the kernel tells the numbers of the first")
        }
        let tracefs: TraceFS
        do throws(Errno) {
            tracefs = try TraceFS()
        } catch {
            throw BPFTreeRefusal(reason: TraceFS.meaning(of: error, ""))
        }
        do throws(Errno) {
            threads = try .ofBPF {
                c_bpf_create_table(UInt32(FollowedThread.bytes), UInt32(Self.mostThreads))
            }
            counts = try BPFNumbers(count: CallCounts.places + 2)
        } catch {
            throw BPFTreeRefusal(reason: "bpf: \(error)")
        }
        links = try Self.attach(tracefs, threads.descriptor.rawValue, counts.descriptor, countsWakeups)
    }

    private static func attach(
        _ tracefs: borrowing TraceFS, _ threads: CInt, _ counts: CInt, _ countsWakeups: Bool
    ) throws(BPFTreeRefusal) -> [BPFLink] {
        var links: [BPFLink] = []
        var tracepoint = "sched_process_exit"
        do throws(Errno) {
            // Threads are followed before the first of them is known.
            links.append(try BPFLink(raw: tracepoint, BPFInstruction.forget(threads)))
            tracepoint = "sched/sched_process_fork"
            links.append(
                try BPFLink(tracepoint, ["child_pid"], in: tracefs) {
                    BPFInstruction.follow(threads, counts, child: $0[0], lost: Int32(lost))
                })
            tracepoint = "sys_exit"
            let reads = SystemCallName.numbers(of: readNames)
            let accepts = SystemCallName.numbers(of: acceptNames)
            links.append(
                try BPFLink(raw: tracepoint, BPFInstruction.leaveCall(threads, reads: reads, accepts: accepts)))
            tracepoint = "sys_enter"
            let places = Int32(CallCounts.places)
            links.append(try BPFLink(raw: tracepoint, BPFInstruction.enterCall(threads, counts, places)))
            guard countsWakeups else { return links }
            tracepoint = "sched/sched_wakeup"
            links.append(
                try BPFLink(tracepoint, ["pid"], in: tracefs) {
                    BPFInstruction.wake(threads, counts, woken: $0[0], wakeups: Int32(wakeups))
                })
        } catch {
            throw BPFTreeRefusal(reason: "\(tracepoint): \(TraceFS.meaning(of: error, tracepoint))")
        }
        return links
    }

    var limit: String? { nil }

    func watchThisThread() { _ = follow(c_gettid()) }

    func watch(_ threads: [Int32]) {}

    func watch(processes: [Int32]) -> Bool {
        var file = ProcFile()
        var isNew = false
        for process in processes {
            for thread in file.numbers(in: process, "task") ?? [] where follow(thread) { isNew = true }
        }
        return isNew
    }

    /// - Returns: whether it was not followed before.
    private func follow(_ thread: Int32) -> Bool {
        var value = [UInt64](repeating: 0, count: FollowedThread.bytes / 8)
        // The call that it is in began before.
        value[0] = UInt64(CallCounts.places - 1).littleEndian
        if unsafe c_bpf_add(threads.descriptor.rawValue, UInt32(bitPattern: thread), &value) == 0 { return true }
        if errno != EEXIST { hasFailed.store(true, ordering: .relaxed) }
        return false
    }

    func read() -> CallCounts? {
        let all = counts.first(CallCounts.places + 2)
        guard !hasFailed.load(ordering: .relaxed), all[Self.lost] == 0 else { return nil }
        return CallCounts(byNumber: Array(all[..<CallCounts.places]))
    }

    func activity() -> ServerActivity? {
        var activity = ServerActivity(
            wakeups: counts.first(CallCounts.places + 2)[Self.wakeups], threads: [:])
        let table = threads.descriptor.rawValue
        var thread: UInt32 = 0
        var isFirst: CInt = 1
        var value = [UInt64](repeating: 0, count: FollowedThread.bytes / 8)
        // One that ends meanwhile lets the walk begin again, which is not to last for ever.
        for _ in 0..<2 * Self.mostThreads {
            guard unsafe c_bpf_next_key(table, isFirst, &thread) == 0 else { break }
            isFirst = 0
            guard unsafe c_bpf_look_up(table, thread, &value) == 0 else { continue }
            activity.threads[Int32(bitPattern: thread)] = .init(
                reads: value[Int(FollowedThread.reads) / 8], accepts: value[Int(FollowedThread.accepts) / 8])
        }
        return activity
    }

    /// Other threads are not followed, and make calls of their own, so it makes calls that nobody makes.
    func countKnownCalls() throws(Errno) -> UInt64 {
        let number = CallCounts.places - 2
        watchThisThread()
        let before = read()
        for _ in 0..<knownCalls { c_call_nothing(number) }
        let after = read()
        _ = c_bpf_delete(threads.descriptor.rawValue, UInt32(bitPattern: c_gettid()))
        guard let before, let after else { return 0 }
        return after.byNumber[number] &- before.byNumber[number]
    }
}

/// Why the threads of a server are not followed, in a clause.
struct BPFTreeRefusal: Error {
    var reason: String
}
