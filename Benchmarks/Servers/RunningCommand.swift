import Glibc
import LinuxDescriptors
import LinuxSockets
import Meters
import SystemPackage

/// A server's command that was started; all its processes are ended when this value goes.
final class RunningCommand {
    private let plan: ExternalServer
    private let program: KeptProgram
    private let output: Output
    /// Outlives the program.
    private let folder: SocketFolder?
    /// Where it is to listen.
    let address: SocketAddress

    private enum Output: ~Copyable {
        case dropped
        case kept(ServerOutput)

        var descriptor: CInt {
            switch self {
            case .dropped: -1
            case .kept(let output): output.descriptor
            }
        }

        var lastWords: String? {
            switch self {
            case .dropped: nil
            case .kept(let output): output.lastWords
            }
        }
    }

    init(_ text: String, _ plan: ExternalServer) throws(RunError) {
        let command = try ServerCommand(text, plan)
        self.plan = plan
        address = command.address
        folder = command.folder
        if let path = plan.outputPath { output = .kept(try ServerOutput(path)) } else { output = .dropped }
        do throws(Errno) {
            program = try KeptProgram(
                "/bin/sh", ["-c", command.text], output: output.descriptor, errors: output.descriptor,
                processors: plan.placement.workers, keepsOrphans: true, scratch: folder?.path)
        } catch {
            throw RunError("\(plan.name): fork", error)
        }
    }

    /// The parent of all its processes.
    var keeper: Int32 { program.keeper }

    /// Readable when it has ended; borrowed.
    var end: BorrowedDescriptor { program.report }

    /// Waits until a connection succeeds.
    func awaitListener(until deadline: UInt64, unless endings: [BorrowedDescriptor]) throws(RunError) {
        let outcome = ConnectionAttempt(address).connect(until: deadline, isPatient: true, unless: [end] + endings)
        if program.hasEnded(by: 0) {
            throw died(program.takeReport().ending, "before it listened on \(address)")
        }
        switch outcome {
        case .connected: return
        case .ended:
            stop()
            throw RunError("\(plan.name): waiting for it to listen", .canceled)
        case .refused(let error):
            stop()
            throw RunError(
                failed: "\(plan.name): nothing listened on \(address) within \(plan.seconds) s (\(error)); does the "
                    + "command say where to listen? --server-timeout gives it longer" + lastWords)
        }
    }

    /// Ends it: `SIGTERM`, and `SIGKILL` for what has not ended five seconds later.
    ///
    /// - Parameters:
    ///   - patience: how long it may take to end by itself, which is an error that is told with more certainty then.
    ///   - remarks: gets what is to be known beside the error.
    /// - Returns: that it had ended by itself; nil if it had not.
    func end(patience: UInt64, remarks: inout [String]) -> RunError? {
        if program.hasEnded(by: monotonicNanoseconds() + patience) {
            return died(program.takeReport().ending, "during the run")
        }
        if !stop() {
            remarks.append("\(plan.name) did not end within 5 s of SIGTERM and was killed")
            program.order(SIGKILL)
            guard program.hasEnded(by: monotonicNanoseconds() + KeptProgram.patienceNanoseconds) else {
                return RunError(failed: "\(plan.name): its processes do not end; see ps -o pid,stat,wchan,args")
            }
        }
        let report = program.takeReport()
        if report.leftOthers {
            remarks.append(
                "\(plan.name): its first process \(report.ending.phrase) and left others in the background, where its end "
                    + "is not seen; let it run in the foreground")
        }
        return nil
    }

    /// Asks it to end; false if it had not five seconds later.
    @discardableResult
    private func stop() -> Bool {
        program.order(SIGTERM)
        return program.hasEnded(by: monotonicNanoseconds() + KeptProgram.patienceNanoseconds)
    }

    private func died(_ ending: KeptProgram.Ending, _ when: String) -> RunError {
        RunError(failed: "\(plan.name): \(ending.phrase) \(when)" + lastWords)
    }

    /// The last line that it has printed; nil if there is none.
    var lastLine: String? { output.lastWords }

    private var lastWords: String { lastWordsPhrase(output.lastWords) }
}

/// What is added to the reason of a failure.
package func lastWordsPhrase(_ line: String?) -> String { line.map { "; its last words: \($0)" } ?? "" }

extension KeptProgram.Ending {
    fileprivate var phrase: String {
        switch self {
        case .exited(let code): "ended with exit code \(code)"
        case .signalled(let signal): "was ended by signal \(signal)"
        case .notStarted(let error): "could not be started (\(error))"
        }
    }
}
