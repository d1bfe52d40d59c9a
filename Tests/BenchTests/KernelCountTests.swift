import Foundation
import Meters
import Records
import TestSupport
import Testing

/// What the kernel counts, in whole programs.
@Suite(.serialized, .timeLimit(.minutes(60))) struct KernelCountTests {
    /// True if the kernel counts by number for this user; said on standard output if not.
    static let canCount: Bool = {
        do throws(CallCounterRefusal) {
            _ = try CallCounter(threads: 1, sources: [.bpf])
            return true
        } catch {
            print("skipped: \(error)")
            return false
        }
    }()

    /// Calls of each run, by its id.
    private func calls(_ text: String, _ rows: [RunRecord]) throws -> [String: [String: Double]] {
        let read = try CallRow.read(Array(text.utf8), file: "calls.csv", runs: rows)
        return Dictionary(grouping: read, by: \.runId).mapValues { rows in
            Dictionary(uniqueKeysWithValues: rows.map { ($0.syscall, $0.callsPerOp) })
        }
    }

    /// A library that makes a needless call in one function; nil, said on standard output, where it cannot be had.
    private func plant(in function: String, _ folder: URL) throws -> [String: String]? {
        guard AllocationCount.isCounted else {
            print("skipped: a sanitizer wants to be the first library")
            return nil
        }
        guard isInstalled("cc") else { return nil }
        let source = URL(filePath: #filePath).deletingLastPathComponent().appending(path: "Scripts/plant.c").path()
        let library = folder.appending(path: "plant-\(function).so").path()
        let compiler = Process()
        compiler.executableURL = URL(filePath: "/usr/bin/env")
        compiler.arguments = ["cc", "-shared", "-fPIC", "-DPLANT_IN_\(function)", "-o", library, source, "-ldl"]
        try compiler.run()
        compiler.waitUntilExit()
        try #require(compiler.terminationStatus == 0)
        return ["LD_PRELOAD": library]
    }

    struct Planting: Sendable, CustomTestStringConvertible {
        let function: String
        let call: String
        let options: String
        var testDescription: String { "\(function), \(options)" }
    }

    @Test(arguments: [
        Planting(function: "ACCEPT", call: "accept4", options: "--mode lt,et,poll,oneshot,blocking --drain 300"),
        Planting(function: "RECV", call: "recvfrom", options: "--workload crr --mode lt,et,dispatcher"),
        Planting(function: "RECV", call: "recvfrom", options: "--workload read --mode lt,et,uring-poll,blocking"),
        Planting(function: "READ", call: "read", options: "--workload wake --mode lt,et,blocking,uring-poll"),
        Planting(
            function: "READ", call: "read",
            options: "--workload wake --shape pool --descriptors per-task --mode lt,et --tasks 2000"),
    ])
    func aPlantedCallIsCountedAndNamed(_ planting: Planting) async throws {
        guard Self.canCount else { return }
        let folder = try BenchFolder()
        guard let environment = try plant(in: planting.function, folder.url) else { return }
        let arguments =
            planting.options.split(separator: " ").map(String.init)
            + ["--rounds", "1", "--duration", "100ms", "--warmup", "5ms", "--quiet"]
        var missing: Comment = "no run"
        // A window can go by without a processor, and then there is nothing to count.
        for attempt in 1...10 {
            _ = try await folder.bench(arguments + ["--output", "out\(attempt)"], environment: environment)
            let rows = try folder.rows("out\(attempt)").filter { $0.status != .unsupported }
            let calls = try calls(folder.text("out\(attempt)/calls.csv"), rows)
            let counted = rows.filter { calls[$0.runId] != nil }
            missing = "\(rows.map { "\($0.mode) \($0.status) \($0.reason) \($0.warnings)" })"
            guard counted.count == rows.count, !rows.isEmpty else { continue }
            for row in rows {
                let made = try #require(calls[row.runId])
                let planted = made["getppid", default: 0]
                let usual = made[planting.call, default: 0]
                #expect(planted > 0.9 && abs(planted - usual) < 0.02 * usual, "\(row.mode): \(made)")
                #expect(row.syscallsSource == "bpf")
                #expect(abs((row.syscallsPerOp ?? 0) - made.values.reduce(0, +)) < 1e-6)
                // Of many threads a few calls each are within what the reading of the counts explains.
                if row.workers > 8 { continue }
                #expect(row.warnings.contains("+\(Decimal.fixed(planted, digits: 2)) getppid"), "\(row.warnings)")
            }
            return
        }
        Issue.record(missing)
    }

    @Test(arguments: [
        "--mode lt,et --connections 1 --drain 200",
        "--workload wake --shape pool --descriptors per-task --mode et --tasks 2000",
    ])
    func checkFindsAndNamesThePlantedCall(_ options: String) async throws {
        guard Self.canCount else { return }
        let folder = try BenchFolder()
        let isWake = options.contains("wake")
        guard let environment = try plant(in: isWake ? "READ" : "ACCEPT", folder.url) else { return }
        let given = options.split(separator: " ").map(String.init) + ["--rounds", "3"]
        let stored = try await folder.bench(["check", "--update", "--counts-only", "--"] + given)
        try #require(stored.exit == 0, "\(stored.complaints)")
        let clean = try await folder.bench("check --counts-only")
        // How often a pool waits is the load's affair, and how often an accept is called is not.
        let unexpected = isWake ? "getppid" : "System calls per operation that"
        #expect(clean.exit == 0 && !clean.output.contains(unexpected), "\(clean.output)")
        let outcome = try await folder.bench(["check", "--counts-only"], environment: environment)
        #expect(outcome.exit == 2, "\(outcome.output)\(outcome.complaints)")
        let arms = isWake ? ["wake/epoll-et"] : ["accept/epoll-lt", "accept/epoll-et"]
        for arm in arms {
            let line = outcome.output.split(separator: "\n").first { $0.contains("  \(arm)") && $0.contains("getppid") }
            #expect(line?.contains(/: \+1\.0[0-2] getppid/) == true, "\(outcome.output)")
        }
    }

    @Test func compareOfFoldersNamesThePlantedCall() async throws {
        guard Self.canCount else { return }
        let folder = try BenchFolder()
        guard let environment = try plant(in: "ACCEPT", folder.url) else { return }
        let arguments = ["--mode", "lt", "--drain", "200", "--rounds", "6", "--quiet", "--output"]
        #expect(try await folder.bench(arguments + ["a"]).exit == 0)
        #expect(try await folder.bench(arguments + ["b"], environment: environment).exit == 0)
        let outcome = try await folder.bench("compare a b")
        #expect(outcome.exit == 2 && outcome.output.contains("accept/epoll-lt: +1.00 getppid"), "\(outcome.output)")
        // What is broken is said with its place.
        try folder.write("b/calls.csv", folder.text("b/calls.csv").replacing(",getppid,1", with: ",getppid,x"))
        let broken = try await folder.bench("compare a b")
        #expect(broken.exit == 64 && broken.complaints.contains("b/calls.csv:"), "\(broken.complaints)")
    }

    /// Both attached at once: counts are not times. Steady modes, because the timed run is traced along with the counting.
    @Test(arguments: [
        "accept4 --mode lt --drain 2000", "accept4 --mode poll --drain 2000", "accept4 --mode blocking --drain 2000",
        "accept4 --mode oneshot --drain 2000", "sendto --workload crr --mode lt --connections 1",
        "sendto --workload read --mode lt --connections 1", "read --workload wake --mode lt --pin same",
    ])
    func straceAgreesWithinAPerCent(_ options: String) async throws {
        guard Self.canCount, isInstalled("strace"),
            succeeds(["strace", "-f", "-qq", "-o", "/dev/null", "true"], need: "ptrace is not permitted here")
        else { return }
        let words = options.split(separator: " ").map(String.init)
        var disagreement: Comment = "no run"
        // Of a short window the calls at its ends are more than a per cent, and a busy machine shortens it.
        for attempt in 1...6 {
            let (process, outcome) = try await BenchProcess.run(
                words.dropFirst() + [
                    "--rounds", "1", "--quiet", "--duration", "\(100 << attempt)ms", "--warmup", "0", "--output", "out",
                ], under: ["strace", "-f", "-ff", "-qq", "-o", "trace"])
            let rows = try process.rows()
            guard let row = rows.first(where: { $0.status == .ok }),
                let counted = try calls(process.text("out/calls.csv"), rows)[row.runId]
            else {
                disagreement = "\(outcome.complaints)"
                continue
            }
            let traced = try workersCalls(process)
            let operations = Double(traced[words[0], default: 0])
            let differing = counted.filter { call, perOperation in
                perOperation > 0.1 && abs(Double(traced[call, default: 0]) / operations / perOperation - 1) >= 0.01
            }
            if differing.isEmpty && counted.values.reduce(0, +) > 1.9 { return }
            disagreement = "\(counted) counted, of \(operations) operations traced: \(traced)"
        }
        Issue.record(disagreement)
    }

    /// What strace(1) saw the workers call, those of the timed run and of the counting one.
    private func workersCalls(_ process: BenchProcess) throws -> [String: Int] {
        var traced: [String: Int] = [:]
        for file in try FileManager.default.contentsOfDirectory(atPath: process.folder.path())
        where file.hasPrefix("trace.") {
            let lines: [Substring] = process.text(file).split(separator: "\n")
            guard lines.contains(where: { $0.contains("PR_SET_NAME, \"worker-") }) else { continue }
            for line in lines { traced[String(line.prefix { $0 != "(" }), default: 0] += 1 }
        }
        return traced
    }

    @Test func inAPidNamespaceOfItsOwnItCountsTheSame() async throws {
        guard Self.canCount,
            succeeds(["unshare", "-p", "-f", "--mount-proc", "true"], need: "no pid namespace can be made")
        else { return }
        let (process, outcome) = try await BenchProcess.run(
            ["--mode", "lt"] + BenchProcess.short, under: ["unshare", "-p", "-f", "--mount-proc"])
        let rows = try process.rows()
        let row = try #require(rows.first, "\(outcome.complaints)")
        #expect(row.syscallsSource == "bpf" && row.syscallsPerOp == 3, "\(row.warnings)\(outcome.complaints)")
        #expect(try calls(process.text("out/calls.csv"), rows)[row.runId]?["accept4"] == 1)
    }

    @Test func withoutPrivilegeTheLoopsCountAndThatIsSaidOnce() async throws {
        guard geteuid() == 0, isInstalled("setpriv") else { return }
        let user = [
            "setpriv", "--reuid", "65534", "--regid", "65534", "--clear-groups", "--inh-caps=-all",
            "--bounding-set=-all",
        ]
        guard succeeds(user + ["test", "-x", BenchProcess.path], need: "another user may not run the program") else {
            return
        }
        let folder = try BenchFolder()
        try FileManager.default.setAttributes([.posixPermissions: 0o777], ofItemAtPath: folder.url.path())
        let process = try BenchProcess(
            ["--mode", "lt,poll", "--drain", "20", "--rounds", "3", "--output", "out"], under: user, in: folder.url)
        let complaints = await process.wait().complaints
        let said = complaints.split(separator: "\n").filter { $0.contains("counted by the loops") }
        #expect(said.count == 1 && said[0].contains("CAP_BPF and CAP_PERFMON"), "\(complaints)")
        #expect(folder.text("out/run.json").contains("counted by the loops"))
        let rows = try folder.rows("out")
        #expect(rows.count == 6 && rows.allSatisfy { $0.syscallsSource == "loop" && $0.syscallsPerOp == 3 })
        #expect(folder.text("out/calls.csv") == CallRow.csvHeader)
    }

    @Test func theUserCanLeaveItToTheLoops() async throws {
        let folder = try BenchFolder()
        let outcome = try await folder.bench("--mode lt --drain 20 --rounds 1 --no-kernel-counts --output out")
        #expect(outcome.exit == 0 && !outcome.complaints.contains("counted by"))
        #expect(try folder.rows("out").map(\.syscallsSource) == ["loop"])
    }

    @Test func interruptedAndResumedTheCallsAreThoseOfTheRows() async throws {
        guard Self.canCount else { return }
        let folder = try BenchFolder()
        let process = try folder.start([
            "--mode", "lt,poll", "--drain", "20", "--rounds", "8", "--service-time", "fixed:2ms", "--service", "sleep",
            "--output", "out",
        ])
        while process.isRunning, folder.text("out/runs.csv").count(where: { $0 == "\n" }) < 4 {
            try await Task.sleep(for: .milliseconds(2))
        }
        process.send(SIGKILL)
        _ = await process.wait()
        // What the crash left: whole lines are read as they are, a cut one is taken out.
        try folder.write("out/calls.csv", folder.text("out/calls.csv") + "nobody,read,1\n20")
        #expect(try await folder.bench("--resume out").exit == 0)
        let rows = try folder.rows("out")
        let good = rows.filter { $0.status == .ok }
        let calls = try calls(folder.text("out/calls.csv"), rows)
        #expect(good.count == 16 && good.allSatisfy { $0.syscallsSource == "bpf" && calls[$0.runId] != nil })
    }

    @Test func comparedProgramsKeepTheirCalls() async throws {
        guard Self.canCount else { return }
        let folder = try BenchFolder()
        let outcome = try await folder.bench([
            "compare", "--binaries", BenchProcess.path, BenchProcess.path, "--blocks", "2", "--max-blocks", "2",
            "--output", "out", "--", "--mode", "lt", "--drain", "50",
        ])
        for side in ["base", "new"] {
            let rows = try folder.rows("out/\(side)")
            let calls = try calls(folder.text("out/\(side)/calls.csv"), rows)
            #expect(rows.count == 2 && rows.allSatisfy { calls[$0.runId] != nil }, "\(outcome.complaints)")
        }
    }
}
