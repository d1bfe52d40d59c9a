import Workloads

/// One invocation of `bench run` as a process of its own.
enum ChildRun {
    /// How it ended.
    enum Outcome {
        /// With an exit code, and what it said on standard error.
        case exited(code: Int32, lastLine: String)
        /// Stopped because the user wants to stop.
        case interrupted
    }

    /// Runs `binary` and waits for its end; an interruption is handed on.
    ///
    /// - Parameter limit: seconds that it may take.
    static func run(
        _ binary: String, _ arguments: [String], limit: Double, _ interruption: Interruption
    ) throws -> Outcome {
        let outcome = ChildProcess(program: binary, arguments: arguments).run(limit: limit, interruption)
        if interruption.isRequested { return .interrupted }
        switch outcome.ending {
        case .exited(let code): return .exited(code: code, lastLine: outcome.lastComplaint)
        case .interrupted: return .interrupted
        case .signalled(let signal): throw Failure(.runFailed, "\(binary) was ended by signal \(signal)")
        case .tooLong, .tooMuch:
            let command = ([binary] + arguments).joined(separator: " ")
            throw Failure(.runFailed, "a run did not end within \(Int(limit)) s and was ended: \(command)")
        case .notStarted(let error):
            throw Failure(.usage, "\(binary) cannot be started: \(error); name an executable bench")
        }
    }

    /// Seconds and bytes within which a bench says that it is one.
    private static let (handshakeLimit, handshakeBytes) = (10.0, 1 << 20)

    /// Checks that a program is a bench, of this or of an earlier version, before it is given work: it is asked how runs
    /// are asked for, which every version knows, as does a script that gives a bench further options.
    static func checkIsBench(_ binary: String, _ interruption: Interruption) throws {
        var child = ChildProcess(program: binary, arguments: ["run", "--help"])
        child.mostOutputBytes = handshakeBytes
        let outcome = child.run(limit: handshakeLimit, interruption)
        if interruption.isRequested { throw Failure(.interrupted, "interrupted; nothing was run") }
        let reason: String
        switch outcome.ending {
        case .exited(0) where ["bench", "--workload", "--mode", "--rounds"].allSatisfy(outcome.output.contains): return
        case .exited(0): reason = "said something else"
        case .exited(let code): reason = "ended with exit code \(code)"
        case .signalled(let signal): reason = "was ended by signal \(signal)"
        case .tooLong: reason = "did not end within \(Int(handshakeLimit)) s and was ended"
        case .tooMuch: reason = "said more than \(handshakeBytes >> 10) KiB and was ended"
        case .interrupted: reason = "was interrupted"
        case .notStarted(let error): reason = "cannot be started: \(error)"
        }
        throw Failure(
            .usage, "\(binary) is not a bench: '\(binary) run --help' \(reason); name an executable bench")
    }
}
