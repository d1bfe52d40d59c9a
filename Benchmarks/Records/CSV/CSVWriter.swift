/// Writing CSV as RFC 4180 has it, with LF line ends.
package enum CSV {
    /// One line of CSV, with its LF. Fields that hold a comma, a quote or a line break are quoted.
    package static func row(_ fields: [String]) -> String {
        // A line of one empty field would look like no line at all.
        if fields == [""] { return "\"\"\n" }
        return fields.map(quotedIfNeeded).joined(separator: ",") + "\n"
    }

    private static func quotedIfNeeded(_ field: String) -> String {
        let special: (UInt8) -> Bool = { $0 == 0x22 || $0 == 0x2c || $0 == 0x0a || $0 == 0x0d }
        guard field.utf8.contains(where: special) else { return field }
        var quoted = "\""
        for scalar in field.unicodeScalars {
            if scalar == "\"" { quoted.unicodeScalars.append(scalar) }
            quoted.unicodeScalars.append(scalar)
        }
        return quoted + "\""
    }
}

extension RunRecord {
    package static let csvHeader = CSV.row(Column.all.map(\.name))

    package func csvRow() -> String { CSV.row(Column.all.map { $0.text(of: self) }) }
}
