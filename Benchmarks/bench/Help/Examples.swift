import Meters

/// Command lines that are shown with the help and that really run: what a line does, and what to type.
enum Examples {
    /// The examples of a command, or of its workload where that was named; those of `bench` itself have no name.
    static func of(command: String, _ workload: Workload? = nil) -> [(does: String, line: String)] {
        workload.flatMap { all["\(command) \($0.rawValue)"] } ?? all[command] ?? []
    }

    private static let all: [String: [(String, String)]] = [
        "": [
            ("Three ways of accepting, four server threads", "bench --mode et,exclusive,multishot --workers 4"),
            ("Completion in this bash", "source <(bench --generate-completion-script bash)"),
        ],
        "run": [
            ("Echo over 1, 64 and 1000 connections", "bench run --workload read --connections 1,64,1000"),
            ("Latency at 20000 connections a second", "bench run --mode lt,multishot --rate 20000"),
        ],
        "run accept": [
            ("A full accept queue, emptied by every mode", "bench run --workload accept --drain 4000"),
            ("Latency at 20000 connections a second", "bench run --workload accept --rate 20000"),
        ],
        "run crr": [
            ("Replies of 1000 bytes", "bench run --workload crr --message-size 1000")
        ],
        "run read": [
            ("Echo over 1, 64 and 1000 connections", "bench run --workload read --connections 1,64,1000"),
            ("With 900 silent ones beside 64", "bench run --workload read --idle 900"),
        ],
        "run datagram": [
            ("UDP echo, one by one and many by a call", "bench run --workload datagram --mode everything --depth 16")
        ],
        "run wake": [
            ("eventfd against pipe on one processor", "bench run --workload wake --signal eventfd,pipe --pin same"),
            ("A descriptor for each task or for each worker", "bench run --workload wake --mode et --shape pool"),
            ("How late a thread wakes from a timer", "bench run --workload wake --mode et --shape timer --signal all"),
        ],
        "choose": [
            ("For a server that gets short connections", "bench choose --scenario short-connections"),
            ("For a chat server", "bench choose --scenario mostly-idle --idle 900 --workers 2"),
        ],
        "serve": [
            (
                "A web server that can do one thing",
                "bench serve --mode et --protocol http --port 8080 --message-size 1000"
            ),
            ("An echo that looks for 50 us before it blocks", "bench serve --mode et --port 8080 --spin 50us"),
        ],
        "agent": [
            ("Servers for who knows the secret", "bench agent --listen 192.0.2.1:9600 --secret-file secret")
        ],
        "load": [
            (
                "Of one launcher or another, on each host",
                "bench load --join 192.0.2.1:9700 --secret-file secret"
            )
        ],
        "list": [
            ("Everything there is, and what this kernel has of it", "bench list"),
            ("What each column of runs.csv means", "bench list --columns"),
        ],
        "claims": [
            ("One claim", "bench claims --only read-order-et"),
            ("All of them, with a page to read", "bench claims --markdown claims.md"),
        ],
        "compare": [
            ("Two builds, interleaved", "bench compare --binaries old/bench new/bench -- --mode et"),
            ("Two modes of one run", "bench compare --modes lt,multishot results/today"),
        ],
        "check": [
            ("Stores what this program costs", "bench check --update"),
            ("For CI: counts only, the same everywhere", "bench check --counts-only"),
        ],
        "calibrate": [("The noise of one mode", "bench calibrate --blocks 20 -- --mode lt --duration 150ms")],
        "history": [
            ("How one mode's costs went", "bench history results --mode et --workload accept"),
            ("The same for Apache Otava", "bench history --csv h.csv --otava-config otava.yaml"),
        ],
        "plot": [("Two pictures of one run", "bench plot results/today --kind throughput,cost")],
        "report": [
            ("One file about two runs", "bench report results/accept results/read --output report.html")
        ],
        "export": [
            ("For benchstat", "bench export results/today --format benchstat"),
            ("Percentiles of one mode", "bench export results/today --format hgrm --mode et"),
        ],
        "doctor": [("Before the first measurement", "bench doctor")],
    ]
}
