import CBenchExtras
import Glibc
import LinuxDescriptors
import Meters
import SystemPackage
import Workloads

/// A program that this one starts and that never outlives it, nor a limit of time: its group is killed when this process
/// ends, in whichever way.
///
/// Foundation's `Process` has no limit, and leaves behind what a program that is killed has started.
struct ChildProcess {
    /// How a program ended.
    enum Ending: Equatable {
        case exited(Int32)
        case signalled(Int32)
        /// The limit was over.
        case tooLong
        /// More came on standard output than was wanted.
        case tooMuch
        /// The user wants to stop.
        case interrupted
        /// It could not be started.
        case notStarted(Errno)
    }

    /// What it left.
    struct Outcome {
        let ending: Ending
        /// What came on standard output, if that was wanted.
        let output: String
        /// The end of what came on standard error.
        let complaints: String

        /// The last line on standard error that says something.
        var lastComplaint: String {
            complaints.split(separator: "\n").last { !$0.allSatisfy(\.isWhitespace) }.map(String.init) ?? ""
        }
    }

    /// The path of the program.
    let program: String
    let arguments: [String]
    /// Where it starts; nil for the current folder.
    var folder: String?
    /// What is kept of its standard output; 0 gives it none.
    var mostOutputBytes = 0

    /// How much of standard error is kept.
    private static let mostComplaintBytes = 1 << 16
    /// From a polite signal to the one that cannot be ignored, and from that to giving up on a program that the kernel
    /// does not let go.
    private static let patienceNanoseconds: UInt64 = 5_000_000_000

    /// Runs it to its end.
    ///
    /// - Parameters:
    ///   - limit: seconds after which it is ended.
    ///   - interruption: ends it with `SIGINT`, as from a terminal.
    func run(limit: Double, _ interruption: Interruption?) -> Outcome {
        do throws(Errno) {
            return try Running(self).finish(limit: limit, interruption)
        } catch {
            return Outcome(ending: .notStarted(error), output: "", complaints: "")
        }
    }

    /// Starts it; ``Running/finish(limit:_:)`` waits for its end.
    func start() throws(Errno) -> Running { try Running(self) }

    /// A program that was started. Letting go of it ends it.
    final class Running {
        private let keeper: pid_t
        private let mostOutputBytes: Int
        /// Signals for the program are written into it.
        private var orders: CInt
        private let reports: CInt
        private var output: CInt
        private var errors: CInt
        private var outputBytes: [UInt8] = []
        private var errorBytes: [UInt8] = []

        fileprivate init(_ child: ChildProcess) throws(Errno) {
            var open: [CInt] = []
            func pipe(forOrders: Bool = false) throws(Errno) -> (read: CInt, write: CInt) {
                var ends: [CInt] = [-1, -1]
                let result = forOrders ? unsafe c_order_stream(&ends) : unsafe c_pipe(&ends)
                guard result == 0 else { throw Errno(rawValue: errno) }
                open += ends
                return (ends[0], ends[1])
            }
            do throws(Errno) {
                let orders = try pipe(forOrders: true)
                let reports = try pipe()
                let errors = try pipe()
                let output = child.mostOutputBytes > 0 ? try pipe() : (read: -1, write: -1)
                keeper = try Self.fork(
                    child, output: output.write, errors: errors.write, orders: orders.read, reports: reports.write)
                for end in [orders.read, reports.write, errors.write, output.write] where end >= 0 { close(end) }
                self.orders = orders.write
                self.reports = reports.read
                self.errors = errors.read
                self.output = output.read
            } catch {
                for end in open { close(end) }
                throw error
            }
            mostOutputBytes = child.mostOutputBytes
        }

        deinit {
            for end in [orders, reports, output, errors] where end >= 0 { close(end) }
            // The end of the orders ended the program, and its keeper with it.
            reap()
        }

        private static func fork(
            _ child: ChildProcess, output: CInt, errors: CInt, orders: CInt, reports: CInt
        ) throws(Errno) -> pid_t {
            var arguments = unsafe ([child.program] + child.arguments).map { unsafe strdup($0) } + [nil]
            let path = unsafe strdup(child.program)
            let folder = unsafe child.folder.map { unsafe strdup($0) } ?? nil
            defer {
                unsafe arguments.forEach { unsafe free($0) }
                unsafe free(path)
                unsafe free(folder)
            }
            let count = unsafe arguments.count
            let keeper = unsafe arguments.withUnsafeMutableBufferPointer { list in
                precondition(count == list.count)
                var program = unsafe c_kept_program(
                    path: path, arguments: UnsafePointer(list.baseAddress), folder: folder, output: output,
                    errors: errors, orders: orders, reports: reports)
                return unsafe c_run_kept(&program)
            }
            guard keeper > 0 else { throw Errno(rawValue: errno) }
            return keeper
        }

        /// Waits for the end, sleeping in `poll(2)` so as not to disturb what it measures.
        func finish(limit: Double, _ interruption: Interruption?) -> Outcome {
            var deadline = monotonicNanoseconds() + UInt64(limit * 1e9)
            var wanted: Ending?
            var orders = [CInt]()
            while true {
                let now = monotonicNanoseconds()
                if now >= deadline {
                    // Politely, then not, then it is left to its keeper.
                    if wanted == nil { (wanted, orders) = (.tooLong, [SIGTERM, SIGKILL]) }
                    guard let next = orders.first else { break }
                    orders.removeFirst()
                    order(next)
                    deadline = now + ChildProcess.patienceNanoseconds
                }
                let mayInterrupt = wanted == nil ? interruption?.descriptor.rawValue ?? -1 : -1
                var entries = [reports, errors, output, mayInterrupt].map {
                    pollfd(fd: $0, events: Int16(POLLIN), revents: 0)
                }
                let left = min(deadline - min(deadline, monotonicNanoseconds()), 3_600_000_000_000)
                guard unsafe poll(&entries, 4, CInt(left / 1_000_000 + 1)) > 0 else { continue }
                if entries[3].revents != 0 {
                    (wanted, orders) = (.interrupted, [SIGKILL])
                    order(SIGINT)
                    deadline = monotonicNanoseconds() + ChildProcess.patienceNanoseconds
                }
                if entries[1].revents != 0 { takeComplaints() }
                if entries[2].revents != 0, takeOutput(), wanted == nil {
                    (wanted, orders) = (.tooMuch, [])
                    order(SIGKILL)
                    deadline = monotonicNanoseconds() + ChildProcess.patienceNanoseconds
                }
                if entries[0].revents != 0 {
                    let ending = takeReport()
                    drain()
                    return outcome(ending.isStarted ? wanted ?? ending : ending)
                }
            }
            return outcome(wanted ?? .tooLong)
        }

        private func outcome(_ ending: Ending) -> Outcome {
            Outcome(
                ending: ending, output: String(decoding: outputBytes, as: UTF8.self),
                complaints: String(decoding: errorBytes, as: UTF8.self))
        }

        private func order(_ signal: CInt) {
            c_order(orders, UInt8(signal))
        }

        private func takeReport() -> Ending {
            var report: [CInt] = [0, ECHILD]
            // A keeper that was killed took the program with it.
            guard unsafe read(reports, &report, 8) == 8 else { return .signalled(SIGKILL) }
            guard report[0] == 1 else { return .notStarted(Errno(rawValue: report[1])) }
            let status = report[1]
            return status & 0x7f == 0 ? .exited((status >> 8) & 0xff) : .signalled(status & 0x7f)
        }

        /// What is in the pipes when the program has ended.
        private func drain() {
            func isReadable(_ descriptor: CInt) -> Bool {
                var entry = pollfd(fd: descriptor, events: Int16(POLLIN), revents: 0)
                return unsafe descriptor >= 0 && poll(&entry, 1, 0) > 0
            }
            // Orphans may write on until they are killed, so there is a limit.
            for _ in 0..<64 where isReadable(errors) { takeComplaints() }
            for _ in 0..<64 where isReadable(output) { _ = takeOutput() }
        }

        private func takeComplaints() {
            guard let bytes = Self.some(of: errors) else {
                close(errors)
                errors = -1
                return
            }
            errorBytes += bytes
            errorBytes.removeFirst(max(errorBytes.count - ChildProcess.mostComplaintBytes, 0))
        }

        /// True if it is more than was wanted.
        private func takeOutput() -> Bool {
            guard let bytes = Self.some(of: output) else {
                close(output)
                output = -1
                return false
            }
            outputBytes += bytes.prefix(mostOutputBytes - outputBytes.count)
            return outputBytes.count >= mostOutputBytes
        }

        /// Nil at the end of file.
        private static func some(of descriptor: CInt) -> [UInt8]? {
            var bytes = [UInt8](repeating: 0, count: 1 << 16)
            let count = unsafe read(descriptor, &bytes, bytes.count)
            return count > 0 ? Array(bytes.prefix(count)) : nil
        }

        /// Takes the keeper's place in the table of processes; it ends at once, unless the kernel does not let its
        /// program go.
        private func reap() {
            let deadline = monotonicNanoseconds() + ChildProcess.patienceNanoseconds
            while waitpid(keeper, nil, WNOHANG) == 0, monotonicNanoseconds() < deadline {
                sleepUntil(nanoseconds: monotonicNanoseconds() + 1_000_000)
            }
        }
    }
}

extension ChildProcess.Ending {
    fileprivate var isStarted: Bool {
        if case .notStarted = self { false } else { true }
    }
}
