import Foundation
import Records
import TestSupport
import Testing
import Claims
import Load
import Loops
import Runs

@Suite(.serialized) struct RunTests {
    /// Columns that hold something in every `ok` row of this workload.
    private static let always = [
        "schema_version", "run_id", "started_at", "machine_id", "build", "workload", "mode", "topology", "listener",
        "workers", "connections", "service_time", "pinning", "round", "order_in_round", "duration_s", "operations",
        "errors", "status", "throughput_ops_per_s", "latency_kind", "latency_min_ns", "latency_mean_ns",
        "latency_max_ns", "wakeups_per_op", "spurious_wakeups_per_op", "empty_calls_per_op", "syscalls_per_op",
        "voluntary_switches_per_op", "involuntary_switches_per_op", "server_cpu_ns_per_op", "client_cpu_ns_per_op",
        "fairness_jain", "per_worker_ops", "starvation_max_ns", "open_peak", "lost", "listen_overflows", "foreign_cpu",
        "implementation", "close", "clients", "seed", "latency_samples",
    ]
    private static let ofRings = ["sqes_per_op", "cqes_per_op", "rearms_per_op"]

    private func check(_ row: RunRecord) throws {
        func text(_ name: String) -> String { Column.named(name)?.text(of: row) ?? "" }
        let mode = try #require(Mode.named(row.mode))
        for name in Self.always { #expect(!text(name).isEmpty, "\(name) of \(row.mode)") }
        for name in Self.ofRings {
            #expect(text(name).isEmpty == !mode.capabilities.usesRing, "\(name) of \(row.mode)")
        }
        #expect(text("rearm").isEmpty == (mode.mechanism != .epollOneShot))
        #expect(text("service").isEmpty && text("out_of_order_per_op").isEmpty && row.reason.isEmpty)
        #expect(row.perWorkerOps.count == row.workers)
        #expect(row.perWorkerOps.reduce(0, +) == row.operations)
        #expect(row.lost == 0 && row.listenOverflows == 0 && row.errors == 0)
        let samples = try #require(row.latencySamples)
        let ladder: [(share: Double, value: UInt64?)] = [
            (0.5, row.latencyP50Ns), (0.9, row.latencyP90Ns), (0.99, row.latencyP99Ns), (0.999, row.latencyP999Ns),
        ]
        for (share, value) in ladder {
            #expect((value != nil) == (Double(samples) * (1 - share) >= 9.999), "\(share) of \(samples)")
        }
        let known = [row.latencyMinNs] + ladder.map(\.value) + [row.latencyMaxNs]
        #expect(known.compactMap { $0 } == known.compactMap { $0 }.sorted())
    }

    @Test func everyModeWritesACompleteRow() async throws {
        let (process, outcome) = try await BenchProcess.run(
            ["--mode", "all", "--topology", "all", "--listener", "all", "--workers", "1,3", "--drain", "120"]
                + ["--rounds", "1", "--output", "out"])
        #expect(outcome.exit == 0, "\(outcome.complaints)")
        let rows = try process.rows()
        let header = process.text("out/runs.csv").prefix { $0 != "\n" }
        #expect(header + "\n" == RunRecord.csvHeader)
        let combinations = Mode.all.reduce(0) { $0 + $1.topologies.count } * ListenerSharing.allCases.count * 2
        let good = rows.filter { $0.status == .ok }
        #expect(good.count + rows.filter { $0.status == .unsupported }.count == combinations)
        #expect(Set(rows.map(\.runId)).count == rows.count)
        for row in good {
            try check(row)
            #expect(row.operations == 120 && row.drain == 120)
            #expect((1...120).contains(row.openPeak ?? 0))
        }
        #expect(process.describesItself)
        let names = try FileManager.default.contentsOfDirectory(atPath: process.folder.appending(path: "out").path())
        let files = ["runs.csv", "percentiles.csv", "calls.csv", "capacity.csv", "latency.hlog", "run.json"]
        #expect(Set(names) == Set(files))
    }

    @Test func closedAndOpenLoopsWriteCompleteRows() async throws {
        for load in [[], ["--rate", "3000"]] {
            let arguments =
                ["--mode", "all", "--workers", "2", "--duration", "200ms", "--warmup", "0", "--rounds", "1"]
                + ["--output", "out"] + load
            var (process, outcome) = try await BenchProcess.run(arguments)
            // A busy machine can keep a mode off the processors for its whole window.
            for _ in 0..<10 where outcome.complaints.contains("no operation was completed") {
                (process, outcome) = try await BenchProcess.run(arguments)
            }
            #expect(outcome.exit == 0, "\(outcome.complaints)")
            let rows = try process.rows().filter { $0.status == .ok }
            #expect(!rows.isEmpty)
            for row in rows {
                try check(row)
                #expect(row.ratePerS == (load.isEmpty ? nil : 3000))
                #expect(row.latencyKind == (load.isEmpty ? .fromCall : .fromScheduledStart))
                if !load.isEmpty { #expect(row.latencySamples == 600) }
            }
        }
    }

    @Test func theTableNamesEveryModeAndTheFolder() async throws {
        let (_, outcome) = try await BenchProcess.run(["--mode", "blocking,lt,et"] + BenchProcess.short)
        for name in ["blocking", "epoll-lt", "epoll-et", "Results: out"] { #expect(outcome.output.contains(name)) }
        let lines: [Substring] = outcome.output.split(separator: "\n")
        #expect(lines.prefix(5).allSatisfy { $0.count <= 80 })
    }

    @Test func roundsHoldEveryModeOnceInAnOrderThatTheSeedDecides() async throws {
        func order(seed: String) async throws -> [[String]] {
            let (process, _) = try await BenchProcess.run(
                [
                    "--mode", "blocking,lt,et,exclusive", "--drain", "5", "--rounds", "4", "--seed", seed, "--output",
                    "out",
                ])
            let rows = try process.rows()
            #expect(rows.allSatisfy { $0.seed == UInt64(seed) })
            return (1...4).map { round in rows.filter { $0.round == round }.map(\.mode) }
        }
        let one = try await order(seed: "7")
        #expect(one.allSatisfy { $0.sorted() == one[0].sorted() && $0.count == 4 })
        #expect(try await order(seed: "7") == one)
        #expect(Set(one).count > 1)
    }

    @Test func quietPrintsNothing() async throws {
        let (process, outcome) = try await BenchProcess.run(["--mode", "lt", "--quiet"] + BenchProcess.short)
        #expect(outcome.exit == 0)
        #expect(outcome.output.isEmpty)
        #expect(try process.rows().map(\.status) == [.ok])
    }

    /// An address that other processes running these tests at the same time do not have.
    private static let ownAddress = {
        let number = UInt32(getpid())
        return "127.\(64 + number >> 16 & 63).\(number >> 8 & 255).\(number & 255)"
    }()

    @Test func aPortInUseIsToldWithItsCall() async throws {
        let place = ["--address", Self.ownAddress, "--port", "20488"]
        let holder = try BenchProcess(
            ["--mode", "lt", "--duration", "60s", "--rounds", "1", "--output", "out"] + place)
        while holder.isRunning && !listens(on: Self.ownAddress, port: 20488) {
            try await Task.sleep(for: .milliseconds(5))
        }
        let (process, outcome) = try await BenchProcess.run(["--mode", "lt"] + place + BenchProcess.short)
        #expect(outcome.exit == 3)
        #expect(outcome.complaintLines == ["bench: bind to \(Self.ownAddress):20488: Address already in use"])
        #expect(process.text("out/runs.csv").isEmpty)
        holder.send(SIGINT)
        #expect(await holder.wait().exit == 130)
    }

    private func listens(on address: String, port: Int) -> Bool {
        let lines = (try? String(contentsOfFile: "/proc/net/tcp", encoding: .utf8))?.split(separator: "\n") ?? []
        let bytes = address.split(separator: ".").reversed().compactMap { Int($0) }
        let place = bytes.map { String(format: "%02X", $0) }.joined() + String(format: ":%04X", port)
        return lines.contains { $0.contains(" \(place) ") && $0.contains(" 0A ") }
    }

    @Test func anAddressOfNobodyHereIsToldWithItsCall() async throws {
        let (_, outcome) = try await BenchProcess.run(["--mode", "lt", "--address", "192.0.2.1"] + BenchProcess.short)
        #expect(outcome.exit == 3)
        #expect(outcome.complaintLines.count == 1)
        #expect(outcome.complaints.contains("bind to 192.0.2.1:0: "))
    }

    @Test func onePortServesRunAfterRun() async throws {
        let (process, outcome) = try await BenchProcess.run(
            ["--mode", "all", "--listener", "all", "--workers", "2", "--drain", "40", "--rounds", "2"]
                + ["--address", Self.ownAddress, "--port", "20489", "--output", "out"])
        #expect(outcome.exit == 0, "\(outcome.complaints)")
        #expect(try process.rows().allSatisfy { $0.status != .failed })
    }
}
