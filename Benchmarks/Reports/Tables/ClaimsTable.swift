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
    for line in pack(record.observed.split(separator: ";").map(String.init), separator: ";", width: room) {
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
