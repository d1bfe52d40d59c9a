/// Command lines that are shown with the help and that really run.
struct Examples {
    /// What the line does.
    let does: String
    /// What to type.
    let line: String

    private init(_ does: String, _ line: String) {
        self.does = does
        self.line = line
    }

    /// The examples of a command; those of `bench` itself have no name.
    static func of(command: String) -> [Examples] { all[command] ?? [] }

    private static let all: [String: [Examples]] = [
        "": [
            Examples("Three ways of accepting, four server threads", "bench --mode et,exclusive,multishot --workers 4"),
            Examples("Teaches this bash to complete", "source <(bench --generate-completion-script bash)"),
        ],
        "run": [
            Examples("Echo over 1, 64 and 1000 connections", "bench run --workload read --connections 1,64,1000"),
            Examples("Latency at 20000 connections a second", "bench run --mode lt,multishot --rate 20000"),
        ],
        "list": [
            Examples("Everything there is, and what this kernel has of it", "bench list"),
            Examples("What each column of runs.csv means", "bench list --columns"),
        ],
        "claims": [
            Examples("One claim", "bench claims --only read-order-et"),
            Examples("All of them, with a page to read", "bench claims --markdown claims.md"),
        ],
        "compare": [
            Examples("Two builds, interleaved", "bench compare --binaries old/bench new/bench -- --mode et"),
            Examples("Two modes of one run", "bench compare --modes lt,multishot results/today"),
        ],
        "check": [
            Examples("Stores what this program costs", "bench check --update"),
            Examples("For CI: counts only, the same everywhere", "bench check --counts-only"),
        ],
        "calibrate": [Examples("The noise of one mode", "bench calibrate --blocks 20 -- --mode lt --duration 150ms")],
        "history": [
            Examples("How one mode's costs went", "bench history results --mode et --workload accept"),
            Examples("The same for Apache Otava", "bench history --csv h.csv --otava-config otava.yaml"),
        ],
        "plot": [Examples("Two pictures of one run", "bench plot results/today --kind throughput,cost")],
        "report": [
            Examples("One file about two runs", "bench report results/accept results/read --output report.html")
        ],
        "export": [
            Examples("For benchstat", "bench export results/today --format benchstat"),
            Examples("Percentiles of one mode", "bench export results/today --format hgrm --mode et"),
        ],
        "doctor": [Examples("Before the first measurement", "bench doctor")],
    ]
}
