import Records

/// Text and numbers as gnuplot reads them.
enum GnuplotText {
    /// `text` as a string of a script.
    ///
    /// In single quotes gnuplot substitutes nothing: neither a backtick's command, nor a macro, nor a backslash. The
    /// scripts also turn off the markup in which `_`, `^`, `@` and braces have a meaning, and names go into labels
    /// only, never into tics, whose `%` would be a format. A single quote becomes a typographic one: gnuplot takes a
    /// doubled quote at the start of a string for an empty string and what follows for commands.
    static func quoted(_ text: String) -> String {
        "'" + printable(text).replacing("'", with: "’") + "'"
    }

    /// `text` on one line, without what an XML file must not hold, and not so long that it leaves the picture.
    static func printable(_ text: String, limit: Int = 160) -> String {
        var result = String.UnicodeScalarView()
        for scalar in text.unicodeScalars.prefix(limit) {
            switch scalar.properties.generalCategory {
            case .control, .format, .lineSeparator, .paragraphSeparator, .surrogate, .unassigned, .privateUse:
                result.append(" ")
            default: result.append(scalar)
            }
        }
        if text.unicodeScalars.count > limit { result.append("…") }
        // gnuplot writes ">" as it is, and this sequence ends an XML file's text.
        return String(result).replacing("]]>", with: "]] >")
    }

    /// A number for a data file or a script: a point, no exponent, seven digits at the most.
    static func number(_ value: Double) -> String {
        guard value.isFinite, value != 0 else { return "0" }
        var scale = 1.0
        var magnitude = value.magnitude
        while magnitude < 1e6 && scale < 1e15 {
            magnitude *= 10
            scale *= 10
        }
        return Decimal.text((value * scale).rounded() / scale)
    }
}
