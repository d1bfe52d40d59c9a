import Foundation
import TestSupport
import Testing

@Suite struct SuggestionTests {
    @Test(arguments: [
        ("--mode eppoll-lt", "epoll-lt"), ("--mode multi", "multishot"), ("--mode lt,epol-et", "epoll-et"),
        ("--mode al", "all"), ("--workload acept", "accept"), ("--workload Read", "read"), ("calims", "claims"),
        ("lits", "list"), ("help calims", "claims"), ("--mdoe lt", "--mode"), ("--wrokers 2", "--workers"),
        ("list --colums", "--columns"), ("--topology sharedset", "shared-set"), ("--listener reuspot", "reuseport"),
        ("--implementation swfit", "swift"), ("--rearm lat --mode oneshot", "late"), ("--service slep", "sleep"),
        ("--close resett", "reset"), ("--rate 5 --spacing poison", "poisson"), ("--pin atuo", "auto"),
        ("--workload wake --signal evntfd", "eventfd"), ("--workload wake --shape pingpong", "ping-pong"),
        ("--workload wake --shape pool --descriptors pertask", "per-task"),
        ("claims --only read-order-ett", "read-order-et"),
        ("plot x --kind thrughput", "throughput"), ("plot x --format sgv", "svg"),
        ("history a --mode eppoll-et", "epoll-et"),
        ("compare --modes lt,multi x", "multishot"), ("compare a b --ignore lissener", "listener"),
    ])
    func aSlipIsAnsweredWithWhatWasMeant(_ arguments: String, _ meant: String) async throws {
        let folder = try BenchFolder()
        for name in ["a", "b", "x"] { try folder.write(name, rows: storedRows()) }
        let outcome = try await folder.bench(arguments)
        #expect(outcome.exit == 64 && outcome.output.isEmpty)
        #expect(outcome.complaintLines.count == 1, "\(outcome.complaints)")
        #expect(outcome.complaints.contains("did you mean '\(meant)'?"), "\(outcome.complaints)")
    }

    @Test func whatIsNearNothingGetsNoSuggestion() async throws {
        for arguments in ["--mode nonsense", "nonsense", "--nonsense", "--mode ''"] {
            let outcome = try await BenchFolder().bench(arguments)
            #expect(outcome.exit == 64 && !outcome.complaints.contains("did you mean"), "\(outcome.complaints)")
        }
    }

    @Test(arguments: [["--version"], ["list", "--version"], ["--version", "list"], ["--mode", "lt", "--version"]])
    func theVersionIsOneLine(_ arguments: [String]) async throws {
        let outcome = try await BenchFolder().bench(arguments)
        #expect(outcome.exit == 0 && outcome.complaints.isEmpty)
        let form =
            #/bench \d+\.\d+\.\d+ \((commit [0-9a-f]{10}(-dirty)?|built outside of a checkout), (debug|release)\)\n/#
        #expect(outcome.output.wholeMatch(of: form) != nil, "\(outcome.output)")
    }

    @Test(arguments: [
        ["--output", ""], ["--output="], ["--resume", ""], ["claims", "--csv", ""], ["claims", "--only", ""],
        ["claims", "--only", ","], ["check", "--baseline", ""], ["plot", ""], ["report", ""], ["history", ""],
        ["export", "", "--format", "jmh"], ["compare", "", ""], ["--mode", ""], ["--workload", ""], ["--duration", ""],
        ["--port", "-1"], ["--seed", "-1"], ["calibrate", "--blocks", "-3"], [""], ["--mode", "lt\n"],
        ["--mode", "\u{1b}[31mred"], ["-"], ["list", "extra"],
    ])
    func whatMeansNothingIsToldInOneLine(_ arguments: [String]) async throws {
        let outcome = try await BenchFolder().bench(arguments)
        #expect(outcome.exit == 64 && outcome.output.isEmpty, "\(outcome.complaints)")
        #expect(outcome.complaintLines.count == 1, "\(outcome.complaints)")
        #expect(!outcome.complaints.dropLast().contains { $0.isNewline || $0 == "\u{1b}" })
        #expect(
            !outcome.complaints.contains("bench:  ") && !outcome.complaints.contains(": /run"), "\(outcome.complaints)")
    }
}
