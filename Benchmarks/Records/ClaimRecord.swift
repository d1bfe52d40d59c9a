/// One line of `claims.csv`: a statement, and what the running kernel had to say to it.
public struct ClaimRecord: Sendable, Equatable {
    /// The statement's name.
    public var claim: String
    /// What is said.
    public var statement: String
    /// Who said it.
    public var source: String
    /// `holds`, `does-not-hold`, `depends`, `not-observable` or `unsupported`.
    public var verdict: String
    /// `key=value;key=value`
    public var observed: String
    /// How the observation came about, or why there is none.
    public var detail: String
    /// How long the experiment took, in milliseconds.
    public var durationMs: Double
    /// The observation in one sentence; printed, not written to the file.
    public var finding: String

    /// Takes the values as they are.
    public init(
        claim: String, statement: String, source: String, verdict: String, observed: String, detail: String,
        durationMs: Double, finding: String
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

    /// The header line of `claims.csv`, with its LF.
    public static let csvHeader = CSV.row([
        "claim", "statement", "source", "verdict", "observed", "detail", "duration_ms",
    ])

    /// The statement's line of `claims.csv`, with its LF.
    public func csvRow() -> String {
        CSV.row([claim, statement, source, verdict, observed, detail, Decimal.text(durationMs)])
    }
}

/// The table that `bench claims` prints, at most `width` columns wide where the words allow: verdict and name, below
/// them what was observed and what it means.
///
/// - Parameter styled: whether to use ANSI bold and dim.
public func claimsTable(for records: [ClaimRecord], width: Int, styled: Bool) -> String {
    ([claimsTableHeading(styled: styled)] + records.map { claimsTableEntry($0, width: width, styled: styled) })
        .joined()
}

/// The first line of the table.
public func claimsTableHeading(styled: Bool) -> String {
    "\(set("verdict", bold, styled))\(indent(after: "verdict"))\(set("claim", bold, styled))\n"
}

/// The lines of one statement.
public func claimsTableEntry(_ record: ClaimRecord, width: Int, styled: Bool) -> String {
    var text = "\(record.verdict)\(indent(after: record.verdict))\(set(record.claim, bold, styled))\n"
    let room = max(30, width - verdictWidth)
    for line in pack(record.observed.split(separator: ";").map(String.init), width: room) {
        text += indent(after: "") + set(line, dim, styled) + "\n"
    }
    for line in wrap(record.finding, width: room) { text += indent(after: "") + line + "\n" }
    return text
}

private let verdictWidth = 15
private let bold = "1"
private let dim = "2"

private func indent(after text: String) -> String {
    String(repeating: " ", count: max(1, verdictWidth - text.count))
}

private func set(_ text: String, _ code: String, _ styled: Bool) -> String {
    styled ? "\u{1b}[\(code)m\(text)\u{1b}[0m" : text
}

/// Joins parts by `;` into lines of at most `width`, broken between parts only.
private func pack(_ parts: [String], width: Int) -> [String] {
    var lines: [String] = []
    for part in parts {
        if let last = lines.last, last.count + 1 + part.count <= width {
            lines[lines.count - 1] = last + ";" + part
        } else {
            lines.append(part)
        }
    }
    return lines
}
