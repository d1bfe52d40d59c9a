import Foundation
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
    /// Who listens on its unix socket; nil of one with a port, and before it listens.
    private var listener: uid_t?

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
                processors: plan.placement.workers, keepsOrphans: true, scratch: folder?.socketPath)
        } catch {
            throw RunError("\(plan.name): fork", error)
        }
    }

    /// The parent of all its processes.
    var keeper: Int32 { program.keeper }

    /// Readable when it has ended; borrowed.
    var end: BorrowedDescriptor { program.report }

    /// Waits until a connection succeeds, and tells its ends.
    func awaitListener(
        until deadline: UInt64, unless endings: [BorrowedDescriptor]
    ) throws(RunError) -> ConnectionEnds {
        let outcome = ConnectionAttempt(address).connect(until: deadline, isPatient: true, unless: [end] + endings)
        if program.hasEnded(by: 0) {
            throw died(program.takeReport().ending, "before it listened on \(address)")
        }
        switch outcome {
        case .connected(let ends, let user):
            listener = user
            return ends
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

    /// Fails if a user other than root and those of the server's processes listens on its unix socket.
    func refuseStranger(among processes: [Int32]) throws(RunError) {
        guard let folder, folder.isOpen, let listener, listener != 0 else { return }
        if processes.contains(where: { Self.users(of: $0).contains(listener) }) { return }
        stop()
        throw RunError(
            failed: "\(plan.name): user \(listener), who runs none of its processes, listens on \(address)" + lastWords)
    }

    /// Whom a process acts as, and may act as again.
    private static func users(of process: Int32) -> [uid_t] {
        let status = (try? String(contentsOfFile: "/proc/\(process)/status", encoding: .utf8)) ?? ""
        let line = status.split(separator: "\n").first { $0.hasPrefix("Uid:") }
        return line?.split(separator: "\t").compactMap { uid_t($0) } ?? []
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
