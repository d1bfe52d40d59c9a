package import Records

/// The table that `bench claims` prints, at most `width` columns wide where the words allow: verdict and name, below
/// them what was observed and what it means.
package func claimsTable(for records: [ClaimRecord], width: Int, styled: Bool) -> String {
    ([claimsTableHeading(styled: styled)] + records.map { claimsTableEntry($0, width: width, styled: styled) })
        .joined()
}

package func claimsTableHeading(styled: Bool) -> String {
    "\(set("verdict", bold, styled))\(indent(after: "verdict"))\(set("claim", bold, styled))\n"
}

package func claimsTableEntry(_ record: ClaimRecord, width: Int, styled: Bool) -> String {
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
