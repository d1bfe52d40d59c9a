import ArgumentParser
import Foundation
import Meters
import Records
import Runs
import Servers

/// `bench load`: loads a server for a `bench run --load-hosts`, together with others of its kind.
struct LoadCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "load",
        abstract: "Loads a server for bench run --load-hosts, together with other hosts.",
        discussion: """
            Joins, says its number in one line, and loads what it is told to, until the coordinator ends; then its exit code \
            is 0. Its number is --rank, or what the engine that launched it says: Open MPI (OMPI_COMM_WORLD_RANK), MPICH \
            (PMI_RANK), PMIx (PMIX_RANK), Slurm (SLURM_PROCID), Kubernetes (JOB_COMPLETION_INDEX) or GNU parallel \
            (PARALLEL_SEQ); otherwise the coordinator chooses one.
            """)

    @Option(help: "HOST:PORT where bench run --load-listen waits.")
    var join: String

    @Option(parsing: .unconditional, help: "The number of this host, from 0.")
    var rank: Int?

    @Option(help: "How long it tries to join while nobody listens; 60s if not given.")
    var joinTimeout = "60s"

    @Option(help: "The file of the secret, which nobody else can read; else BENCH_AGENT_SECRET.")
    var secretFile: String?

    @Option(help: "Where its client threads run: none (default), or a list of processors such as 0,1.")
    var pin = "none"

    @Option(help: "A folder where it keeps the latencies that it saw, as latency-RANK.hlog, a line for each run.")
    var output: String?

    func run() throws {
        let addresses = try Agents.addresses(of: join, "--join")
        let seconds = Double(try duration(joinTimeout, "--join-timeout")) / 1e9
        let secret = try Agents.secret(secretFile, of: "bench load")
        var settings = LoadHost.Settings(secret, .current, try facts())
        settings.placement = Placement(workers: [], clients: try processors())
        if let output { settings.keep = try keeping(in: output) }
        Build.warnIfDebug()
        let interruption = try Interruption(endsAtSecondSignal: true)
        do throws(RunError) {
            guard
                let host = try LoadHost.join(addresses, settings, seconds: seconds, unless: interruption.descriptor)
            else { return }
            print("joined \(join) as load host \(host.rank)")
            _ = Terminal.flushOutput()
            try host.run(until: interruption.descriptor)
        } catch {
            throw Failure(error.isUnsupported ? .nothingSupported : .runFailed, error.description)
        }
        if interruption.isRequested { throw Failure(.interrupted, "interrupted") }
    }

    private func facts() throws -> LoadHostFacts {
        var facts = LoadHostFacts(machineID: MachineFacts.read().machineID, commit: builtCommit, build: Build.name)
        if let rank {
            facts.rank = try inRange(rank, 0...999, "--rank takes a number from 0")
            return facts
        }
        do throws(RunError) {
            let place = try LauncherPlace(ProcessInfo.processInfo.environment)
            (facts.rank, facts.size) = (place?.rank, place?.size)
        } catch {
            throw Failure(.usage, error.description)
        }
        return facts
    }

    private func processors() throws -> [Int] {
        if pin == "none" { return [] }
        let available = Affinity.available()
        guard let processors = bench.processors(pin, of: available) else {
            throw Failure(.usage, "--pin takes none, or a list of the processors \(available), not '\(pin)'")
        }
        return processors
    }

    /// Appends what each run came to.
    private func keeping(
        in folder: String
    ) throws -> @Sendable (Int, UInt64, LatencyRecorder) throws(RunError) -> Void {
        try makeFolder(folder, option: "--output")
        let begun = Date()
        let text = Locked(
            HistogramLog.header(startSeconds: begun.timeIntervalSince1970, date: begun.formatted(.iso8601)))
        return { (rank, run, latencies) throws(RunError) in
            let interval = HistogramLog.Interval(
                tag: "run-\(run)", startSeconds: Date().timeIntervalSince(begun), lengthSeconds: 0,
                histogram: latencies.histogram)
            let whole = text.withLock { text in
                text += HistogramLog.line(interval)
                return text
            }
            do {
                try whole.write(toFile: "\(folder)/latency-\(rank).hlog", atomically: true, encoding: .utf8)
            } catch {
                throw RunError(failed: "--output \(folder): latency-\(rank).hlog cannot be written")
            }
        }
    }
}
