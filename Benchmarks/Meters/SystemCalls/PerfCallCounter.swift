import CBenchExtras
import Foundation
import Glibc
import LinuxDescriptors
import Synchronization
import SystemPackage

/// Counts by a perf event of each thread (`perf_event_open(2)`), a total alone: an event by number would take as many
/// descriptors as there are numbers, times the threads.
///
/// Needs tracefs to be mounted and `CAP_PERFMON` or root, at `kernel.perf_event_paranoid` -1 neither.
final class PerfCallCounter: CallCounting {
    private let tracepoint: UInt64
    private let excludesKernel: Bool
    private let events = Mutex<[FileDescriptor]>([])
    private let hasFailed = Atomic(false)

    /// Where tracefs is mounted, if it is.
    static let folders = ["/sys/kernel/tracing", "/sys/kernel/debug/tracing"]

    /// - Parameter excludesKernel: what an unprivileged user may open, and what counts nothing: the trial finds 0.
    init(folders: [String] = folders, excludesKernel: Bool = false) throws(Errno) {
        let texts = folders.lazy.map { "\($0)/events/raw_syscalls/sys_enter/id" }
            .compactMap { try? String(contentsOfFile: $0, encoding: .utf8) }
        guard let text = texts.first, let number = UInt64(text.trimmingCharacters(in: .whitespacesAndNewlines)) else {
            throw Self.refusal(folders)
        }
        tracepoint = number
        self.excludesKernel = excludesKernel
    }

    /// Why the tracepoint's number cannot be read: `EACCES` where tracefs is there and keeps it from this user,
    /// `ENOTSUP` where it lacks the tracepoint, `ENOENT` where it is not mounted.
    private static func refusal(_ folders: [String]) -> Errno {
        for folder in folders where unsafe access(folder, F_OK) == 0 {
            if unsafe access("\(folder)/events/raw_syscalls/sys_enter/id", R_OK) != 0, errno == EACCES {
                return .permissionDenied
            }
            if unsafe access("\(folder)/events", F_OK) == 0 { return .notSupported }
        }
        return .noSuchFileOrDirectory
    }

    /// What an error of ``init(folders:excludesKernel:)`` means, and what mends it.
    static func meaning(of error: Errno) -> String {
        switch error {
        case .noSuchFileOrDirectory: "tracefs is not mounted: mount -t tracefs none /sys/kernel/tracing"
        case .notSupported: "this kernel lacks the tracepoint raw_syscalls:sys_enter"
        default: "\(error)"
        }
    }

    deinit {
        for event in events.withLock({ $0 }) { try? event.close() }
    }

    private func open(_ thread: Int32, inherited: Bool = false) throws(Errno) -> FileDescriptor {
        FileDescriptor(
            rawValue: try systemCall {
                c_perf_open_tracepoint(tracepoint, thread, excludesKernel ? 1 : 0, inherited ? 1 : 0)
            })
    }

    func watchThisThread() {}

    func watch(_ threads: [Int32]) {
        for thread in threads { watch(thread, inherited: false) }
    }

    func watch(processes: [Int32]) {
        // Whoever descends from them has their events already.
        guard events.withLock({ $0.isEmpty }) else { return }
        var file = ProcFile()
        for process in processes {
            for thread in file.numbers(in: process, "task") ?? [] { watch(thread, inherited: true) }
        }
    }

    private func watch(_ thread: Int32, inherited: Bool) {
        do throws(Errno) {
            let event = try open(thread, inherited: inherited)
            events.withLock { $0.append(event) }
        } catch {
            // One of a process can have ended meanwhile.
            if !inherited || error != .noSuchProcess { hasFailed.store(true, ordering: .relaxed) }
        }
    }

    func read() -> CallCounts? {
        guard !hasFailed.load(ordering: .relaxed) else { return nil }
        let values = events.withLock { $0.map(Self.value) }
        return values.contains(nil) ? nil : CallCounts(total: values.reduce(0) { $0 + ($1 ?? 0) })
    }

    private static func value(of event: FileDescriptor) -> UInt64? {
        var value: UInt64 = 0
        return unsafe Glibc.read(event.rawValue, &value, 8) == 8 ? value : nil
    }

    func countKnownCalls() throws(Errno) -> UInt64 {
        let event = try open(0)
        defer { try? event.close() }
        guard let before = Self.value(of: event) else { return 0 }
        for _ in 0..<knownCalls { _ = getppid() }
        guard let after = Self.value(of: event) else { return 0 }
        // The second reading is a call too.
        return after - before - (after > before ? 1 : 0)
    }
}
