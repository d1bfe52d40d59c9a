/// One line of `claims.csv`: a statement, and what was observed of it on the running kernel.
package struct ClaimRecord: Sendable, Equatable {
    package var claim: String
    package var statement: String
    package var source: String
    /// `holds`, `does-not-hold`, `depends`, `not-observable` or `unsupported`.
    package var verdict: String
    package var observed: String
    /// How the observation came about, or why there is none.
    package var detail: String
    package var durationMs: Double
    /// The observation in one sentence; printed, not written to the file.
    package var finding: String

    package init(
        claim: String, statement: String, source: String, verdict: String, observed: String, detail: String,
        durationMs: Double, finding: String = ""
    ) {
        self.claim = claim
        self.statement = statement
        self.source = source
        self.verdict = verdict
        self.observed = observed
        self.detail = detail
        self.durationMs = durationMs
        self.finding = finding
    }

    package static let csvHeader = CSV.row([
        "claim", "statement", "source", "verdict", "observed", "detail", "duration_ms",
    ])

    package func csvRow() -> String {
        CSV.row([claim, statement, source, verdict, observed, detail, Decimal.text(durationMs)])
    }
}
