import Runs

/// One invocation of `bench run` as a process of its own.
enum ChildRun {
    /// Runs `binary` for at most `limit` seconds; an interruption is handed on.
    ///
    /// - Returns: its exit code and its last line on standard error; nil if it was interrupted.
    static func run(
        _ binary: String, _ arguments: [String], limit: Double, _ interruption: Interruption
    ) throws -> (code: Int32, lastLine: String)? {
        let outcome = ChildProcess(program: binary, arguments: arguments).run(limit: limit, interruption)
        if interruption.isRequested { return nil }
        let phrase = outcome.ending.phrase(limit: limit)
        switch outcome.ending {
        case .exited(let code): return (code, outcome.lastComplaint)
        case .interrupted: return nil
        case .signalled: throw Failure(.runFailed, "\(binary) \(phrase)")
        case .tooLong, .tooMuch:
            throw Failure(.runFailed, "a run \(phrase): \(([binary] + arguments).joined(separator: " "))")
        case .notStarted: throw Failure(.usage, "\(binary) \(phrase); name an executable bench")
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
        let known = ["bench", "--workload", "--mode", "--rounds"]
        if outcome.ending == .exited(0), known.allSatisfy(outcome.output.contains) { return }
        let reason =
            outcome.ending == .exited(0)
            ? "said something else" : outcome.ending.phrase(limit: handshakeLimit, mostBytes: handshakeBytes)
        throw Failure(
            .usage, "\(binary) is not a bench: '\(binary) run --help' \(reason); name an executable bench")
    }
}
