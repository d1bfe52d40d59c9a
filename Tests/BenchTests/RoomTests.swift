import Foundation
import Meters
import Records
import TestSupport
import Testing
import Claims
import Load
import Loops
import Runs

/// Modes that this machine has no room for, and processors that are shared.
@Suite(.timeLimit(.minutes(10))) struct RoomTests {
    private static let read = [
        "--workload", "read", "--rounds", "1", "--duration", "100ms", "--warmup", "0", "--output", "out",
    ]

    private func limited(_ descriptors: Int) -> [String] {
        ["sh", "-c", "ulimit -n \(descriptors); exec \"$0\" \"$@\""]
    }

    @Test(arguments: ["all", "lt,blocking"]) func aModeWithoutDescriptorsIsLeftOutWithItsReason(_ modes: String)
        async throws
    {
        let (process, outcome) = try await BenchProcess.run(
            ["--mode", modes, "--connections", "4", "--idle", "150"] + Self.read, under: limited(400))
        #expect(outcome.exit != 6 && outcome.exit != 64, "\(outcome.complaints)")
        var plan = RunPlan(.read, mode: try #require(Mode.named("blocking")))
        (plan.load.connections, plan.load.idle) = (4, 150)
        let reason = "this needs \(plan.descriptorsNeeded) descriptors and the limit is 400"
        #expect(outcome.complaintLines.contains { $0.hasPrefix("bench: left out: blocking: \(reason)") })
        let rows = try process.rows()
        #expect(rows.count == (modes == "all" ? Mode.all.count : 2))
        for row in rows {
            let isLeftOut = row.mode == "blocking"
            #expect(row.reason.hasPrefix("this needs") == isLeftOut, "\(row.mode): \(row.reason)")
            if isLeftOut { #expect(row.status == .unsupported && row.reason.hasPrefix(reason)) }
        }
    }

    @Test func selectIsLeftOutBeyondItsNumbers() async throws {
        let (process, outcome) = try await BenchProcess.run(
            ["--mode", "select,lt", "--connections", "1", "--idle", "1000"] + Self.read)
        guard outcome.exit != 6 else { return print("skipped: this takes 1100 descriptors") }
        let rows = try process.rows()
        #expect(Set(rows.map(\.mode)) == ["select", "epoll-lt"])
        let select = try #require(rows.first { $0.mode == "select" })
        #expect(select.status == .unsupported && select.reason.contains("FD_SETSIZE"))
        #expect(outcome.complaints.contains("left out: select: "))
    }

    @Test func whereNothingIsLeftTheModesAreNamed() async throws {
        let (process, outcome) = try await BenchProcess.run(
            ["--mode", "blocking,lt", "--connections", "4", "--idle", "500"] + Self.read, under: limited(400))
        #expect(outcome.exit == 6)
        #expect(outcome.complaintLines.count == 1)
        #expect(
            outcome.complaints.contains("blocking: this needs") && outcome.complaints.contains("epoll-lt: this needs"))
        #expect(!FileManager.default.fileExists(atPath: process.folder.appending(path: "out").path()))
    }

    @Test func aTopologyThatOneModeLacksStopsNoOther() async throws {
        let (process, outcome) = try await BenchProcess.run(
            ["--mode", "blocking,lt", "--topology", "shared-set"] + BenchProcess.short)
        #expect(outcome.exit == 0, "\(outcome.complaints)")
        #expect(outcome.complaints.contains("left out: blocking has no shared set"))
        #expect(try process.rows().map(\.mode) == ["epoll-lt"])
    }

    @Test func aProcessorForBothSidesIsSaidInRowAndRun() async throws {
        guard isInstalled("taskset") else { return }
        let processor = try #require(Affinity.available().first)
        let (process, outcome) = try await BenchProcess.run(
            ["--mode", "lt,et"] + BenchProcess.short, under: ["taskset", "-c", "\(processor)"])
        let text = "server and client share processor \(processor)"
        // A busy machine adds warnings of its own.
        #expect(try process.rows().map { $0.warnings.hasPrefix(text) } == [true, true])
        #expect(outcome.complaintLines.count { $0.contains(text) } == 1, "\(outcome.complaints)")
        #expect(process.text("out/run.json").contains(text))
    }

    @Test func hardwareThreadsOfACoreAreSaid() async throws {
        let processors = Affinity.available()
        let file = "/sys/devices/system/cpu/cpu\(processors[0])/topology/thread_siblings_list"
        let bind = "echo 0-4095 >list; mount --bind list \(file)"
        guard processors.count > 1, isInstalled("unshare"),
            succeeds(["unshare", "--mount", "sh", "-c", "cd \"$(mktemp -d)\"; \(bind)"], need: "mounting takes root")
        else { return }
        let (process, _) = try await BenchProcess.run(
            ["--mode", "lt"] + BenchProcess.short,
            under: ["unshare", "--mount", "sh", "-c", "\(bind); exec \"$0\" \"$@\""])
        #expect(try process.rows().allSatisfy { $0.warnings.contains("hardware threads of one core") })
    }
}
