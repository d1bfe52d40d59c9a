enum Markup {
    /// `text` with everything that has a meaning in HTML replaced, so that it can stand between tags and in a quoted
    /// attribute.
    static func escaped(_ text: String) -> String {
        var result = ""
        for scalar in text.unicodeScalars {
            switch scalar {
            case "&": result += "&amp;"
            case "<": result += "&lt;"
            case ">": result += "&gt;"
            case "\"": result += "&quot;"
            case "'": result += "&#39;"
            case "`": result += "&#96;"
            case "\n", "\t": result.unicodeScalars.append(scalar)
            // Control characters are no part of HTML.
            case "\u{0}"..."\u{1f}", "\u{7f}"..."\u{9f}": result += "\u{fffd}"
            default: result.unicodeScalars.append(scalar)
            }
        }
        return result
    }

    /// `<name>content</name>`; `content` is markup.
    static func element(_ name: String, _ content: String, class style: String = "") -> String {
        let attribute = style.isEmpty ? "" : " class=\"\(style)\""
        return "<\(name)\(attribute)>\(content)</\(name)>"
    }

    static func paragraph(_ text: String) -> String { element("p", escaped(text)) }

    static func section(_ heading: String, _ content: String) -> String {
        "<section>\n<h2>\(escaped(heading))</h2>\n\(content)\n</section>\n"
    }

    static func facts(_ facts: [(name: String, value: String)]) -> String {
        let rows = facts.map { "<tr><th>\(escaped($0.name))</th><td>\(escaped($0.value))</td></tr>" }
        return "<div class=\"scroll facts\"><table><tbody>\n\(rows.joined(separator: "\n"))\n</tbody></table></div>"
    }

    static func fold(_ summary: String, _ content: String) -> String {
        "<details><summary>\(escaped(summary))</summary>\n\(content)\n</details>"
    }
}
