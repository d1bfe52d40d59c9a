import Foundation
import TestSupport
import Testing
import Claims
import Load
import Loops
import Meters
import Runs

@Suite struct CompletionTests {
    struct Place: Sendable, CustomTestStringConvertible {
        let words: [String]
        let has: [String]
        let lacks: [String]
        var testDescription: String { words.joined(separator: " ") }

        /// The last of the words, which `|` ends, is the one to complete.
        init(_ words: String, has: [String], lacks: [String] = []) {
            self.words = words.dropLast().split(separator: " ", omittingEmptySubsequences: false).map(String.init)
            self.has = has
            self.lacks = lacks
        }
    }

    private static let places = [
        Place("--mo|", has: ["--mode"], lacks: ["--modes", "--workload"]),
        Place("|", has: ["run", "list", "doctor", "help"], lacks: ["--mode"]),
        Place("serve --mode lt --protocol h|", has: ["http"], lacks: ["redis"]),
        Place("serve --mode lt,|", has: [], lacks: ["lt,et"]),
        Place("serve --workload |", has: ["accept", "crr", "read"], lacks: ["wake", "datagram"]),
        Place("cl|", has: ["claims"], lacks: ["run"]),
        Place("help co|", has: ["compare"], lacks: ["claims"]),
        Place("--ver|", has: ["--version"]),
        Place("--mode |", has: ["all", "everything"] + Mode.every.map(\.name) + Mode.every.compactMap(\.alias)),
        Place("--mode uring-m|", has: ["uring-multishot"], lacks: ["uring-direct"]),
        Place("--mode lt,e|", has: ["lt,epoll-et", "lt,et"], lacks: ["lt,all", "epoll-et", "lt,poll"]),
        Place("--mode lt,et,|", has: ["lt,et,poll"], lacks: ["lt,et,lt", "lt,et,all"]),
        Place("run --mode lt --wo|", has: ["--workload", "--workers"], lacks: ["--mode"]),
        Place("--workload |", has: Workload.allCases.map(\.rawValue)),
        Place("--topology s|", has: ["shared-set", "set-per-worker"]),
        Place("run --listener reuse|", has: ["reuseport", "reuseport-cbpf", "reuseport-ebpf"], lacks: ["shared"]),
        Place("--pin |", has: ["auto", "none", "same"]),
        Place("--only|", has: [], lacks: ["--only"]),
        Place(
            "claims --only read-order-e|",
            has: ["read-order-et", "read-order-exclusive"].filter { $0.hasPrefix("read-order-e") }),
        Place("claims --only read-order-et read-order-l|", has: ["read-order-lt"]),
        Place("history --metrics latency_p9|", has: ["latency_p90_ns", "latency_p99_ns"], lacks: ["latency_mean_ns"]),
        Place("compare --fail-on inc|", has: ["inconclusive"]),
        Place("compare --binaries a b -- --mod|", has: ["--mode"], lacks: ["--modes"]),
        Place("export x --format |", has: ["hgrm", "bmf", "benchstat", "jmh", "github-action-benchmark"]),
        Place("plot x --format |", has: ["svg", "png"], lacks: ["hgrm"]),
        Place("plot x --kind throughput,c|", has: ["throughput,cost"]),
        Place("compare sto|", has: ["stored"], lacks: ["stored.txt"]),
        Place("run --output sto|", has: ["stored"], lacks: ["stored.txt"]),
        Place("history --csv sto|", has: ["stored", "stored.txt"]),
    ]

    /// Runs a shell that has read its script, in a folder with a folder and a file.
    private func ask(_ shell: String, _ program: String) async throws -> [String] {
        let folder = try BenchFolder()
        try folder.write("stored/runs.csv", "")
        try folder.write("stored.txt", "")
        let script = try await folder.bench(["--generate-completion-script", shell])
        #expect(script.exit == 0 && script.complaints.isEmpty)
        try folder.write("script", script.output)
        let (process, outcome) = try await BenchProcess.run(
            [],
            under: [
                "sh", "-c", "cd \"$1\" && PATH=\"$(dirname \"$0\"):$PATH\" exec timeout 60 \"$2\" -c \"$3\"",
                BenchProcess.path,
            ]
                + [folder.url.path(), shell, program])
        _ = process
        #expect(outcome.exit == 0, "\(outcome.complaints)")
        return outcome.output.split(separator: "\n").map { String($0.prefix { $0 != "\t" }) }
    }

    private func check(_ place: Place, _ found: [String]) {
        // Shells put a slash behind a folder, or do not.
        let names = Set(found.map { $0.hasSuffix("/") ? String($0.dropLast()) : $0 })
        for name in place.has { #expect(names.contains(name), "\(place.words): \(found)") }
        for name in place.lacks { #expect(!names.contains(name), "\(place.words): \(found)") }
    }

    @Test(arguments: places) func bashCompletes(_ place: Place) async throws {
        guard isInstalled("bash") else { return }
        let words = place.words.map { "'\($0)'" }.joined(separator: " ")
        let found = try await ask(
            "bash",
            """
            source ./script; COMP_WORDS=(bench \(words)); COMP_CWORD=\(place.words.count); _bench
            printf '%s\\n' "${COMPREPLY[@]}"; complete -p bench | grep -q -- '-F _bench'
            """)
        check(place, found)
    }

    @Test(arguments: places) func fishCompletes(_ place: Place) async throws {
        guard isInstalled("fish") else { return }
        check(
            place,
            try await ask("fish", "source ./script; complete -C 'bench \(place.words.joined(separator: " "))'; true"))
    }

    @Test func zshCompletes() async throws {
        guard isInstalled("zsh") else { return }
        // A terminal of its own, in which tab is pressed.
        let found = try await ask(
            "zsh",
            """
            zmodload zsh/zpty
            zpty shell zsh -f -i
            zpty -w shell "PS1=; unset zle_bracketed_paste; autoload -U compinit; compinit -u -d ./dump; source ./script"
            zpty -w shell "echo rea''dy"
            zpty -r -m shell line '*ready*'
            zpty -n -w shell $'bench --mo\t'
            zpty -r -m shell line '*--mode*'
            zpty -n -w shell $'uring-m\t'
            zpty -r -m shell line '*uring-multishot*'
            zpty -n -w shell $'\\C-aecho got \\n'
            zpty -r -m shell line '*got bench --mode uring-multishot*'
            zpty -d shell
            print -r -- "${line//$'\\r'/$'\\n'}"
            """)
        #expect(found.contains { $0.contains("got bench --mode uring-multishot") }, "\(found)")
    }

    @Test func bashCompletesBehindAnEqualsSign() async throws {
        guard isInstalled("bash") else { return }
        let found = try await ask(
            "bash",
            "source ./script; COMP_WORDS=(bench --workload = a); COMP_CWORD=3; _bench; printf '%s\\n' \"${COMPREPLY[@]}\""
        )
        #expect(found == ["accept"])
        let none = try await ask(
            "bash",
            "source ./script; COMP_WORDS=(bench --workload =); COMP_CWORD=2; _bench; printf '%s\\n' \"${COMPREPLY[@]}\""
        )
        #expect(none == Workload.allCases.map(\.rawValue))
    }

    @Test func anUnknownShellIsAMistake() async throws {
        let outcome = try await BenchFolder().bench("--generate-completion-script bsah")
        #expect(outcome.exit == 64 && outcome.complaints.contains("did you mean 'bash'?"), "\(outcome.complaints)")
    }
}
