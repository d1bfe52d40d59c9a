import CBenchExtras
import Glibc
package import LinuxDescriptors
package import SystemPackage

/// A program in a process group of its own that never outlives this one: whichever way this process ends, a keeper that
/// was forked beforehand ends the program and all that it has started. It is ended when this value goes, too.
///
/// Foundation's `Process` leaves behind what a program that is killed has started.
package final class KeptProgram {
    /// How the program ended.
    package enum Ending: Equatable, Sendable {
        case exited(Int32)
        case signalled(Int32)
        case notStarted(Errno)
    }

    /// The process that ends it, and is the parent of all that it leaves behind.
    package let keeper: Int32
    /// Signals are written into it.
    private let orders: CInt
    private let reports: CInt

    /// How long a process is waited for that the kernel is to end.
    package static let patienceNanoseconds: UInt64 = 5_000_000_000

    /// Starts it; that it cannot be executed is an ``Ending``.
    ///
    /// - Parameters:
    ///   - folder: where it starts; nil for the current one.
    ///   - output: its standard output, which the caller may close afterwards; -1 for none. `errors` likewise.
    ///   - processors: those that it may run on; empty for this thread's.
    ///   - keepsOrphans: it has not ended before all have that it leaves behind, and all that descend from it get its
    ///     signals too.
    ///   - scratch: a file that is removed at the end, whichever way this process ends, and its folder with it unless
    ///     there is more in that; nil for none.
    package init(
        _ path: String, _ arguments: [String], folder: String? = nil, output: CInt = -1, errors: CInt = -1,
        processors: [Int] = [], keepsOrphans: Bool = false, scratch: String? = nil
    ) throws(Errno) {
        var orders: [CInt] = [-1, -1]
        var reports: [CInt] = [-1, -1]
        _ = try systemCall { unsafe c_order_stream(&orders) }
        guard unsafe c_pipe(&reports) == 0 else {
            let error = Errno(rawValue: errno)
            for end in orders { close(end) }
            throw error
        }
        let keeper = unsafe Self.fork(path, arguments, folder, scratch, processors) { program in
            (unsafe program.pointee.output, unsafe program.pointee.errors) = (output, errors)
            (unsafe program.pointee.orders, unsafe program.pointee.reports) = (orders[0], reports[1])
            unsafe program.pointee.keeps_orphans = keepsOrphans ? 1 : 0
        }
        let error = Errno(rawValue: errno)
        close(orders[0])
        close(reports[1])
        guard keeper > 0 else {
            close(orders[1])
            close(reports[0])
            throw error
        }
        (self.keeper, self.orders, self.reports) = (keeper, orders[1], reports[0])
    }

    deinit {
        close(orders)
        close(reports)
        // The end of the orders ended the program, and its keeper with it, unless the kernel does not end it.
        let deadline = monotonicNanoseconds() + Self.patienceNanoseconds
        while waitpid(keeper, nil, WNOHANG) == 0, monotonicNanoseconds() < deadline {
            sleepUntil(nanoseconds: monotonicNanoseconds() + 1_000_000)
        }
    }

    private static func fork(
        _ path: String, _ arguments: [String], _ folder: String?, _ scratch: String?, _ processors: [Int],
        _ fill: (UnsafeMutablePointer<c_kept_program>) -> Void
    ) -> pid_t {
        var list = unsafe ([path] + arguments).map { unsafe strdup($0) } + [nil]
        let path = unsafe strdup(path)
        let folder = unsafe folder.map { unsafe strdup($0) } ?? nil
        let scratch = unsafe scratch.map { unsafe strdup($0) } ?? nil
        defer {
            unsafe list.forEach { unsafe free($0) }
            unsafe free(path)
            unsafe free(folder)
            unsafe free(scratch)
        }
        let mask = Affinity.mask(of: processors)
        return unsafe list.withUnsafeMutableBufferPointer { list in
            unsafe mask.withUnsafeBufferPointer { mask in
                var program = unsafe c_kept_program()
                unsafe program.path = UnsafePointer(path)
                unsafe program.arguments = UnsafePointer(list.baseAddress)
                unsafe program.folder = UnsafePointer(folder)
                unsafe program.scratch = UnsafePointer(scratch)
                unsafe program.processors = processors.isEmpty ? nil : mask.baseAddress
                unsafe program.processor_bytes = mask.count * MemoryLayout<UInt>.size
                unsafe fill(&program)
                return unsafe c_run_kept(&program)
            }
        }
    }

    /// Readable when the program has ended; borrowed.
    package var report: BorrowedDescriptor { BorrowedDescriptor(rawValue: reports) }

    /// True when the program has ended, at a time on the monotonic clock at the latest.
    package func hasEnded(by deadline: UInt64) -> Bool {
        let left = Int64(bitPattern: deadline &- monotonicNanoseconds())
        return isReadable(report, milliseconds: CInt(clamping: max(left, 0) / 1_000_000 + (left > 0 ? 1 : 0)))
    }

    /// Sends the program's group a signal, and all that descend from it where orphans are kept.
    package func order(_ signal: CInt) { c_order(orders, UInt8(signal)) }

    /// How the program ended, once it has, and whether it ended before the first order and left others that went on.
    package func takeReport() -> (ending: Ending, leftOthers: Bool) {
        var report: [CInt] = [0, ECHILD]
        // A keeper that was killed took the program with it.
        guard unsafe read(reports, &report, 8) == 8 else { return (.signalled(SIGKILL), false) }
        guard report[0] != 0 else { return (.notStarted(Errno(rawValue: report[1])), false) }
        let status = report[1]
        let ending: Ending = status & 0x7f == 0 ? .exited((status >> 8) & 0xff) : .signalled(status & 0x7f)
        return (ending, report[0] == 2)
    }
}

/// True if a descriptor is readable within so many milliseconds; -1 waits as long as it takes.
package func isReadable(_ descriptor: BorrowedDescriptor, milliseconds: CInt) -> Bool {
    var entry = pollfd(fd: descriptor.rawValue, events: Int16(POLLIN), revents: 0)
    return unsafe poll(&entry, 1, milliseconds) > 0
}
