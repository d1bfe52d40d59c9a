import Foundation
import TestSupport
import Testing
import Claims
import Load
import Loops
import Runs

@Suite(.serialized) struct UsageTests {
    struct Mistake: Sendable, CustomTestStringConvertible {
        let arguments: [String]
        let exit: Int32
        let says: [String]
        var testDescription: String { arguments.joined(separator: " ") }

        init(_ arguments: String, exit: Int32 = 64, says: String...) {
            self.exit = exit
            self.arguments = arguments.split(separator: " ").map(String.init)
            self.says = says
        }
    }

    private static let mistakes = [
        Mistake("--mode nonsense", says: "unknown mode 'nonsense'", "epoll-et-exclusive", "uring-direct"),
        Mistake("--mode et,,lt", says: "unknown mode ''"),
        Mistake("--workload nonsense", says: "unknown workload 'nonsense'", "accept"),
        Mistake("--nonsense", says: "--nonsense", "--workers", "--topology"),
        Mistake("list --nonsense", says: "--nonsense", "--help"),
        Mistake("nonsense", says: "'nonsense'", "run", "list"),
        Mistake("--topology nonsense", says: "unknown topology 'nonsense'", "shared-set, set-per-worker"),
        Mistake("--listener nonsense", says: "unknown listener 'nonsense'", "shared, reuseport"),
        Mistake("--implementation nonsense", says: "unknown implementation 'nonsense'", "swift, c"),
        Mistake("--workers 9223372036854775807", says: "--workers takes whole numbers from 1 up to 1000000000"),
        Mistake("--drain 9223372036854775807", says: "--drain takes a number of connections"),
        Mistake("--workload read --idle 9223372036854775807", says: "--idle takes"),
        Mistake("--rounds 9223372036854775807", says: "--rounds takes 1 or more, 10000 at the most"),
        Mistake("--mode dispatcher --topology set-per-worker", says: "one set for all", "use --topology shared-set"),
        Mistake(
            "--mode select --listener reuseport --workers 1100", exit: 6, says: "select: ", "FD_SETSIZE",
            "fewer --workers"),
        Mistake("--workers 100000000", exit: 6, says: "this needs 300000", "take fewer --workers"),
        Mistake("--message-size 100", says: "--message-size belongs to --workload crr, read and datagram"),
        Mistake("--workload read --close orderly", says: "--close belongs to --workload accept and crr"),
        Mistake("--service sleep", says: "--service-time; give that too"),
        Mistake("--spacing poisson", says: "give --rate, --sweep or --slo too"),
        Mistake("compare a b --blocks 3", says: "--blocks belongs to --binaries"),
        Mistake("--workers 0", says: "--workers", "from 1 up", "'0'"),
        Mistake("--workers -2", says: "--workers", "from 1 up", "'-2'"),
        Mistake("--workers", says: "Missing value for '--workers", "bench help run"),
        Mistake("--connections 0", says: "--connections", "from 1 up"),
        Mistake("--clients 0", says: "--clients takes 1 or more"),
        Mistake("--clients 65", says: "--clients 65 is more than --connections 64"),
        Mistake(
            "--workload read --connections 64,1 --clients 2", says: "--clients 2 is more than --connections 1"),
        Mistake("--rounds 0", says: "--rounds takes 1 or more"),
        Mistake("--rounds abc", says: "'abc'", "--rounds"),
        Mistake("--duration -1", says: "--duration takes a time", "'-1'"),
        Mistake("--duration 0", says: "--duration takes a time"),
        Mistake("--duration 1h", says: "--duration takes a time"),
        Mistake("--duration nan", says: "--duration takes a time"),
        Mistake("--warmup -1", says: "--warmup takes a time"),
        Mistake("--rate 0", says: "--rate", "0.001 to 100000000"),
        Mistake("--rate -5", says: "--rate", "0.001 to 100000000"),
        Mistake("--rate inf", says: "--rate", "0.001 to 100000000"),
        Mistake("--rate abc", says: "'abc'", "--rate"),
        Mistake("--rate 5 --drain 5", says: "--rate and --drain exclude each other"),
        Mistake("--drain 1 --clients 2", says: "--drain", "at least one for each client"),
        Mistake("--mode blocking --topology shared-set", says: "blocking has no shared set", "set-per-worker"),
        Mistake("--mode multishot --topology shared-set", says: "uring-multishot has no shared set", "set-per-worker"),
        Mistake("--mode lt --rearm late", says: "--rearm", "epoll-oneshot"),
        Mistake("--mode blocking --implementation c", says: "not for blocking", "epoll-lt"),
        Mistake("--mode lt --implementation c --service-time fixed:1us", says: "no service time"),
        Mistake("--service-time fixed:-1us", says: "--service-time takes none, fixed:100us"),
        Mistake("--service-time bimodal:1us,2us,1.5", says: "--service-time takes none, fixed:100us"),
        Mistake("--service nonsense", says: "--service takes busy or sleep"),
        Mistake("--close nonsense", says: "--close takes reset or orderly"),
        Mistake("--pin 99999,99998", says: "--pin takes auto, none"),
        Mistake("--address localhost", says: "--address takes a numeric address"),
        Mistake("--port 70000", says: "'70000'", "--port"),
        Mistake("--connections 100000000", exit: 6, says: "this needs 1000000", "ulimit -Hn"),
        Mistake(
            "--workload read --mode uring-single --workers 1000 --connections 1000 --message-size 1048576",
            exit: 6, says: "--message-size", "MiB are available", "fewer --connections"),
        Mistake(
            "--output /dev/null/x", says: "/dev/null/x cannot be created: Not a directory (ENOTDIR)", "with --output"),
        Mistake("--output /dev/null", says: "/dev/null is a file; name a folder with --output"),
    ]

    @Test(arguments: mistakes) func aMistakeIsToldInOneLine(_ mistake: Mistake) async throws {
        let (process, outcome) = try await BenchProcess.run(mistake.arguments)
        #expect(outcome.exit == mistake.exit && !outcome.endedBySignal)
        #expect(outcome.output.isEmpty)
        #expect(outcome.complaintLines.count == 1)
        let line = outcome.complaintLines.first ?? ""
        #expect(line.hasPrefix("bench: "))
        for part in mistake.says { #expect(line.contains(part), "\(line)") }
        let left = try FileManager.default.contentsOfDirectory(atPath: process.folder.path())
        #expect(Set(left) == ["stdout", "stderr"], "nothing is created before a mistake is told")
    }

    @Test func anOutputFolderWithSomethingInItIsLeftAlone() async throws {
        let (process, outcome) = try await BenchProcess.run(
            ["--mode", "lt"] + BenchProcess.short,
            under: ["sh", "-c", "mkdir out; echo mine > out/file; exec \"$0\" \"$@\""])
        #expect(process.text("out/file") == "mine\n")
        #expect(outcome.exit == 64)
        #expect(outcome.complaintLines == ["bench: out is not empty; name a new folder with --output"])
    }

    @Test func aLimitOfDescriptorsIsToldBeforehandWithTheNumberNeeded() async throws {
        var plan = RunPlan(mode: Mode.all[0])
        plan.load.connections = 300
        let (_, outcome) = try await BenchProcess.run(
            ["--connections", "300", "--output", "out"], under: ["sh", "-c", "ulimit -n 100; exec \"$0\" \"$@\""])
        #expect(outcome.exit == 6)
        #expect(outcome.complaints.contains("this needs \(plan.descriptorsNeeded) descriptors and the limit is 100"))
    }

    @Test(arguments: [["--help"], ["help", "run"], ["help", "list"], ["list"]])
    func helpAndListFitATerminalAndExitWithZero(_ arguments: [String]) async throws {
        let (_, outcome) = try await BenchProcess.run(arguments, environment: ["COLUMNS": "80"])
        #expect(outcome.exit == 0)
        #expect(outcome.complaints.isEmpty)
        let lines: [Substring] = outcome.output.split(separator: "\n")
        #expect(!lines.isEmpty && lines.allSatisfy { $0.count <= 80 })
    }

    @Test func everyOptionHasHelp() async throws {
        let (_, outcome) = try await BenchProcess.run(["help", "run"])
        let lines = outcome.output.split(separator: "\n").map(String.init)
        for (line, next) in zip(lines, lines.dropFirst() + [""]) where line.hasPrefix("  --") {
            let own = line.dropFirst(2).split(separator: "  ", maxSplits: 1)
            #expect(own.count == 2 || line.contains("> ") || next.hasPrefix("        "), "\(line)")
        }
    }

    @Test func listShowsTheModeTable() async throws {
        let (_, outcome) = try await BenchProcess.run(["list"])
        for mode in Mode.every { #expect(outcome.output.contains("\n\(mode.name) ")) }
        #expect(outcome.output.contains("accept"))
    }
}
