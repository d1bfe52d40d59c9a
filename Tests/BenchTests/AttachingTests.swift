import Foundation
import TestSupport
import Testing

/// The script that compares runs with and without a reading of the server's processes, on runs that are made up.
@Suite struct AttachingTests {
    /// Stands in for `bench`: fails in its first run, and repeats a void one in its fourth.
    private static let standIn = """
        #!/bin/bash
        # The threads that tests run on block signals, and bench blocks none.
        if [ "$1" = serve ]; then
            exec python3 -c 'if True:
                import signal, socket, sys, time
                signal.pthread_sigmask(signal.SIG_SETMASK, [])
                listener = socket.create_server(("127.0.0.1", int(sys.argv[sys.argv.index("--port") + 1])))
                time.sleep(600)' "$@"
        fi
        printf x >>"$CALLS"
        call=$(wc -c <"$CALLS")
        if [ "$call" -eq 1 ]; then echo "it failed" >&2; exit 3; fi
        while [ "$1" != --output ]; do shift; done
        mkdir "$2"
        {
            echo "reason,status,throughput_ops_per_s"
            if [ "$call" -eq 4 ]; then echo '"late, and busy",void,5'; fi
            case " $* " in *" --pid "*) echo ",ok,101" ;; *) echo ",ok,100" ;; esac
        } >"$2/runs.csv"
        """

    private func run(blocks: Int) async throws -> BenchProcess.Outcome {
        let folder = try BenchFolder()
        try folder.write("bench", Self.standIn)
        try FileManager.default.setAttributes([.posixPermissions: 0o755], ofItemAtPath: folder.path("bench"))
        let script = URL(filePath: #filePath).deletingLastPathComponent()
            .appending(path: "../../Benchmarks/Reference/attaching.sh").standardizedFileURL.path()
        // The name of the tested program, which stands behind, is not the script's.
        let command = ["bash", "-c", "exec bash '\(script)' \(blocks)"]
        let environment = ["BENCH": folder.path("bench"), "CALLS": folder.path("calls"), "TMPDIR": folder.path("")]
        return try await BenchProcess.run([], under: command, environment: environment).outcome
    }

    @Test func blocksWithAVoidOrFailedRunAreDroppedAndCounted() async throws {
        guard isInstalled("python3"), isInstalled("taskset") else { return }
        let outcome = try await run(blocks: 8)
        #expect(outcome.exit == 0 && outcome.complaints.contains("it failed"), "\(outcome.complaints)")
        #expect(
            outcome.output == "100 reads per second; with --pid 1.0100 [1.0100, 1.0100] times as many, "
                + "6 of 8 blocks used, 2 dropped for a void or failed run\n")
    }

    @Test func tooFewBlocksAreNoResult() async throws {
        guard isInstalled("python3"), isInstalled("taskset") else { return }
        let outcome = try await run(blocks: 7)
        #expect(outcome.exit == 2, "\(outcome.complaints)")
        #expect(outcome.output == "5 of 7 blocks used, 2 dropped for a void or failed run: too few\n")
    }
}
