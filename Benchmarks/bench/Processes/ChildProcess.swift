import CBenchExtras
import Glibc
import LinuxDescriptors
import Meters
import SystemPackage
import Runs

/// A program that this one starts and that never outlives it, nor a limit of time.
struct ChildProcess {
    enum Ending: Equatable {
        case exited(Int32)
        case signalled(Int32)
        case tooLong
        /// More came on standard output than was wanted.
        case tooMuch
        case interrupted
        case notStarted(Errno)

        /// What happened to it; a run within a limit of seconds and bytes.
        func phrase(limit: Double, mostBytes: Int = 0) -> String {
            switch self {
            case .exited(let code): "ended with exit code \(code)"
            case .signalled(let signal): "was ended by signal \(signal)"
            case .tooLong: "did not end within \(Int(limit)) s and was ended"
            case .tooMuch: "said more than \(mostBytes >> 10) KiB and was ended"
            case .interrupted: "was interrupted"
            case .notStarted(let error): "cannot be started: \(error)"
            }
        }
    }

    struct Outcome {
        let ending: Ending
        let output: String
        let complaints: String

        /// The last line on standard error that says something.
        var lastComplaint: String {
            complaints.split(separator: "\n").last { !$0.allSatisfy(\.isWhitespace) }.map(String.init) ?? ""
        }
    }

    let program: String
    let arguments: [String]
    var folder: String?
    /// What is kept of its standard output; 0 gives it none.
    var mostOutputBytes = 0

    private static let mostComplaintBytes = 1 << 16

    /// Runs it to its end, but no longer than `limit` seconds; an interruption ends it with `SIGINT`, as from a terminal.
    func run(limit: Double, _ interruption: Interruption?) -> Outcome {
        do throws(Errno) {
            return try Running(self).finish(limit: limit, interruption)
        } catch {
            return Outcome(ending: .notStarted(error), output: "", complaints: "")
        }
    }

    /// A program that was started; it is ended when this value goes.
    final class Running {
        private let program: KeptProgram
        private var output = Capture()
        private var errors = Capture()

        init(_ child: ChildProcess) throws(Errno) {
            var open: [CInt] = []
            func pipe() throws(Errno) -> (read: CInt, write: CInt) {
                var ends: [CInt] = [-1, -1]
                _ = try systemCall { unsafe c_pipe(&ends) }
                open += ends
                return (ends[0], ends[1])
            }
            do throws(Errno) {
                let errors = try pipe()
                let output = child.mostOutputBytes > 0 ? try pipe() : (read: -1, write: -1)
                program = try KeptProgram(
                    child.program, child.arguments, folder: child.folder, output: output.write, errors: errors.write)
                for end in [errors.write, output.write] where end >= 0 { close(end) }
                self.errors = Capture(errors.read, most: ChildProcess.mostComplaintBytes, keepsEnd: true)
                self.output = Capture(output.read, most: child.mostOutputBytes)
            } catch {
                for end in open { close(end) }
                throw error
            }
        }

        deinit {
            for end in [output.descriptor, errors.descriptor] where end >= 0 { close(end) }
        }

        /// Waits for the end, sleeping in `poll(2)` so as not to disturb what it measures.
        func finish(limit: Double, _ interruption: Interruption?) -> Outcome {
            var deadline = monotonicNanoseconds() + UInt64(limit * 1e9)
            var wanted: Ending?
            var signals = [SIGTERM, SIGKILL]
            /// Ends the program by a signal, and if that does not help by those that follow.
            func end(_ ending: Ending, by signal: CInt, then next: [CInt]) {
                wanted = wanted ?? ending
                signals = next
                program.order(signal)
                deadline = monotonicNanoseconds() + KeptProgram.patienceNanoseconds
            }
            while true {
                if monotonicNanoseconds() >= deadline {
                    guard let next = signals.first else { break }
                    end(.tooLong, by: next, then: Array(signals.dropFirst()))
                }
                let reports = program.report.rawValue
                let mayInterrupt = wanted == nil ? interruption?.descriptor.rawValue ?? -1 : -1
                var entries = [reports, errors.descriptor, output.descriptor, mayInterrupt].map {
                    pollfd(fd: $0, events: Int16(POLLIN), revents: 0)
                }
                let left = min(deadline - min(deadline, monotonicNanoseconds()), 3_600_000_000_000)
                guard unsafe poll(&entries, 4, CInt(left / 1_000_000 + 1)) > 0 else { continue }
                if entries[3].revents != 0 { end(.interrupted, by: SIGINT, then: [SIGKILL]) }
                if entries[1].revents != 0 { errors.read() }
                if entries[2].revents != 0 {
                    output.read()
                    if output.isFull, wanted == nil { end(.tooMuch, by: SIGKILL, then: []) }
                }
                if entries[0].revents != 0 {
                    let ending = Ending(program.takeReport().ending)
                    errors.drain()
                    output.drain()
                    return outcome(ending.isStarted ? wanted ?? ending : ending)
                }
            }
            return outcome(wanted ?? .tooLong)
        }

        private func outcome(_ ending: Ending) -> Outcome {
            Outcome(
                ending: ending, output: String(decoding: output.bytes, as: UTF8.self),
                complaints: String(decoding: errors.bytes, as: UTF8.self))
        }
    }
}

/// The read end of a pipe, and the first or the last bytes that came out of it.
private struct Capture {
    private(set) var descriptor: CInt = -1
    private(set) var bytes: [UInt8] = []
    private var most = 0
    private var keepsEnd = false

    init() {}

    init(_ descriptor: CInt, most: Int, keepsEnd: Bool = false) {
        (self.descriptor, self.most, self.keepsEnd) = (descriptor, most, keepsEnd)
    }

    var isFull: Bool { bytes.count >= most }

    /// Takes what there is; closes the pipe at its end.
    mutating func read() {
        var buffer = [UInt8](repeating: 0, count: 1 << 16)
        let count = unsafe Glibc.read(descriptor, &buffer, buffer.count)
        guard count > 0 else {
            close(descriptor)
            descriptor = -1
            return
        }
        bytes += buffer.prefix(keepsEnd ? count : min(count, most - bytes.count))
        if keepsEnd { bytes.removeFirst(max(bytes.count - most, 0)) }
    }

    /// Takes what is left when the program has ended. Orphans may write on until they are killed, so there is a limit.
    mutating func drain() {
        for _ in 0..<64 where descriptor >= 0 {
            var entry = pollfd(fd: descriptor, events: Int16(POLLIN), revents: 0)
            guard unsafe poll(&entry, 1, 0) > 0 else { return }
            read()
        }
    }
}

extension ChildProcess.Ending {
    fileprivate init(_ ending: KeptProgram.Ending) {
        switch ending {
        case .exited(let code): self = .exited(code)
        case .signalled(let signal): self = .signalled(signal)
        case .notStarted(let error): self = .notStarted(error)
        }
    }

    fileprivate var isStarted: Bool {
        if case .notStarted = self { false } else { true }
    }
}
