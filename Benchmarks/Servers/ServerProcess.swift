import CBenchExtras
import Glibc
package import LinuxDescriptors
import LinuxReadiness
package import LinuxSockets
package import Meters
import SystemPackage

/// A server that is somebody else's program, seen from outside.
package final class ServerProcess: Server {
    private let plan: ExternalServer
    private let kind: Kind
    /// Nil where no process of it is known.
    private let tree: ProcessTree?
    /// What was open when the first connection had succeeded.
    private let socketsBefore: OpenSockets
    package let address: SocketAddress
    /// Of the first connection.
    private let ends: ConnectionEnds
    /// Why a leak cannot be told; nil if it can.
    private var leakRefusal: String?
    /// No process of the server could be read when it was looked at last.
    private var isHidden = false

    private enum Kind: ~Copyable {
        case command(RunningCommand)
        /// Readable when the process ends, or never.
        case running(OwnedDescriptor)
    }

    /// Starts it if it is a command, and waits until a connection to it succeeds.
    ///
    /// - Parameter endings: each ends the wait when it becomes readable.
    package init(
        _ plan: ExternalServer, unless endings: [BorrowedDescriptor] = []
    ) throws(RunError) {
        self.plan = plan
        let deadline = monotonicNanoseconds() + plan.timeoutNanoseconds
        switch plan.origin {
        case .command(let text):
            let command = try RunningCommand(text, plan)
            ends = try command.awaitListener(until: deadline, unless: endings)
            let processes = ProcessTree(root: command.keeper, includesRoot: false)
            processes.find()
            try command.refuseStranger(among: processes.members)
            address = command.address
            kind = .command(command)
            tree = processes
        case .running(let process):
            let attempt = ConnectionAttempt(plan.address)
            switch attempt.connect(until: deadline, isPatient: false, unless: endings) {
            case .connected(let made, _): ends = made
            case .ended: throw RunError("connect to \(plan.address)", .canceled)
            case .refused(.timedOut):
                throw RunError(failed: "\(plan.name): no answer from \(plan.address) within \(plan.seconds) s")
            case .refused(let error):
                throw RunError(failed: "\(plan.name): connect to \(plan.address): \(error); is the server running?")
            }
            kind = .running(try Self.end(of: process))
            tree = process.map { ProcessTree(root: $0) }
            tree?.find()
            address = plan.address
        }
        socketsBefore = OpenSockets(of: tree?.members ?? [])
    }

    /// A descriptor that is readable when a process ends; never if none is known.
    private static func end(of process: Int32?) throws(RunError) -> OwnedDescriptor {
        guard let process else { return try makeSignal().release() }
        do throws(Errno) {
            return OwnedDescriptor(owning: FileDescriptor(rawValue: try systemCall { c_pidfd_open(process) }))
        } catch .noSuchProcess {
            throw RunError(failed: "--pid \(process): there is no such process; it may have ended")
        } catch .invalidArgument {
            throw RunError(failed: "--pid \(process) is no process but a thread, or no number of one; see ps -e")
        } catch .noFunction {
            // Before Linux 5.3 its end shows in what the clients see.
            guard unsafe access("/proc/\(process)", F_OK) == 0 else {
                throw RunError(failed: "--pid \(process): there is no such process; it may have ended")
            }
            return try makeSignal().release()
        } catch {
            throw RunError("pidfd_open of \(process)", error)
        }
    }

    package var failure: BorrowedDescriptor {
        switch kind {
        case .command(let command): command.end
        case .running(let end): end.descriptor
        }
    }

    package func prepare(unless endings: [BorrowedDescriptor]) throws(RunError) -> Bool { true }

    package func begin(_ window: RunWindow) {}

    package func snapshot() -> WorkerSnapshot {
        guard let tree else { return WorkerSnapshot(time: monotonicNanoseconds()) }
        tree.find()
        // What is started between finding and watching is found by looking again.
        for _ in 0..<8 where plan.calls?.watch(processes: tree.members) == true { tree.find() }
        var (time, calls) = read(tree)
        // A reading in the middle of which another thread got the processor stands for no moment.
        for _ in 0..<8 where monotonicNanoseconds() - time > 1_000_000 { (time, calls) = read(tree) }
        // The load goes on meanwhile, so all that is counted is read before the files of each thread.
        let activity = plan.calls?.activity()
        let usage = tree.usage()
        // None that can be read is none at all only where all have ended, which the run ends with.
        isHidden = usage.processes == 0
        return WorkerSnapshot(
            time: time, calls: calls, activity: activity, isHidden ? nil : usage)
    }

    private func read(_ tree: ProcessTree) -> (time: UInt64, calls: CallCounts?) {
        let time = monotonicNanoseconds()
        tree.readClocks()
        return (time, plan.calls?.read())
    }

    package func leak() -> RunError? {
        guard let tree else { return nil }
        let deadline = monotonicNanoseconds() + KeptProgram.patienceNanoseconds
        // Later ones are those of other clients.
        let candidates = openSockets(of: tree).inodes
        // What the clients sent last may need a moment to arrive. Why a server ended is said elsewhere.
        guard !candidates.isEmpty, !isReadable(failure, milliseconds: 20) else { return nil }
        var left = openSockets(of: tree).left(by: ends, refusal: &leakRefusal).intersection(candidates)
        while !left.isEmpty {
            guard monotonicNanoseconds() < deadline else {
                return RunError(
                    failed: "\(plan.name): \(left.count == 1 ? "1 connection was" : "\(left.count) connections were") "
                        + "still open in the server 5 s after the clients had closed all of theirs; it leaks descriptors"
                        + lastWordsPhrase(lastLine))
            }
            guard !isReadable(failure, milliseconds: 20) else { return nil }
            left.formIntersection(openSockets(of: tree).inodes)
        }
        return nil
    }

    /// Those that were opened since the first connection.
    private func openSockets(of tree: ProcessTree) -> OpenSockets {
        tree.find()
        return OpenSockets(of: tree.members).since(socketsBefore)
    }

    private var lastLine: String? {
        switch kind {
        case .command(let command): command.lastLine
        case .running: nil
        }
    }

    /// Only its clients know.
    package var operations: UInt64 { .max }

    package func end(windowEnd: UInt64) -> ServerReport {
        var report = ServerReport()
        report.lastWords = lastLine
        if let leakRefusal { report.remarks.append(leakRefusal) }
        if let refusal = tree?.refusal { report.remarks.append(refusal) }
        if isHidden, case .running(let process?) = plan.origin, !isReadable(failure, milliseconds: 0) {
            report.remarks.append(
                "what process \(process) uses is hidden (proc mounted with hidepid); run as its user or as root")
        }
        switch kind {
        case .command(let command):
            // Clients see that it ends before its parent does.
            let patience: UInt64 = windowEnd == 0 ? 100_000_000 : 0
            report.error = command.end(patience: patience, remarks: &report.remarks)
        case .running(let end):
            guard case .running(let process?) = plan.origin, isReadable(end.descriptor, milliseconds: 0) else { break }
            report.error = RunError(failed: "\(plan.name): process \(process) has ended")
        }
        return report
    }
}

extension ExternalServer {
    /// How long it may take to listen.
    var seconds: String {
        let seconds = Double(timeoutNanoseconds) / 1e9
        return seconds == seconds.rounded() ? "\(Int(seconds))" : "\(seconds)"
    }
}
