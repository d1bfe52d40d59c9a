package import Records

/// A report: everything that is known of one or more result folders, in one HTML file that needs nothing else.
///
/// It holds no script and loads nothing; a policy in its head has the browser see to that. All text that comes from
/// the files is escaped.
package struct Report: Sendable {
    /// Facts about one folder's run, a line of a table each.
    package struct Run: Sendable {
        /// The folder.
        package var name: String
        /// Names and values: machine, kernel, commit, …
        package var facts: [(name: String, value: String)]
        /// The command that was run.
        package var command: String
        /// Commands that run the same again.
        package var repetition: [String]
        /// What the run warned of.
        package var warnings: [String]
        /// File names and contents that are shown as they are.
        package var files: [(name: String, text: String)]
        /// `claims.csv`, if there is one.
        package var claims: CSVTable?

        /// A run.
        package init(
            name: String, facts: [(name: String, value: String)], command: String, repetition: [String],
            warnings: [String], files: [(name: String, text: String)], claims: CSVTable?
        ) {
            self.name = name
            self.facts = facts
            self.command = command
            self.repetition = repetition
            self.warnings = warnings
            self.files = files
            self.claims = claims
        }
    }

    private let input: PictureInput
    private let runs: [Run]
    private let pictures: [EmbeddedPicture]
    private let notes: [String]

    /// - Parameter notes: what is missing from the report, a sentence each.
    package init(_ input: PictureInput, runs: [Run], pictures: [EmbeddedPicture], notes: [String]) {
        self.input = input
        self.runs = runs
        self.pictures = pictures
        self.notes = notes
    }

    /// The file.
    package var html: String {
        let policy = "default-src 'none'; style-src 'unsafe-inline'; img-src data:"
        let body = [header, finding, warningBox, pictureSections, tables, claims, runSections, files]
        return """
            <!DOCTYPE html>
            <html lang="en"><head><meta charset="utf-8">
            <meta name="viewport" content="width=device-width, initial-scale=1">
            <meta http-equiv="Content-Security-Policy" content="\(policy)">
            <meta name="color-scheme" content="light dark">
            <title>\(Markup.escaped(title))</title>
            <style>
            \(ReportStyle.css)
            </style></head><body>
            \(body.filter { !$0.isEmpty }.joined(separator: "\n"))
            </body></html>

            """
    }

    private var title: String {
        let workloads = input.workloads.isEmpty ? "no runs" : input.workloads.joined(separator: ", ")
        return "bench report: \(workloads)"
    }

    // MARK: On top

    private var header: String {
        let catalogs = input.workloads.map { Catalog(input, workload: $0) }.filter { !$0.arms.isEmpty }
        let lines = catalogs.map { catalog in
            let name = input.workloads.count > 1 ? ["\(catalog.workload): "] : []
            return Markup.element(
                "p", Markup.escaped(name.joined() + catalog.subtitle.joined(separator: " · ")), class: "meta")
        }
        return "<header><h1>\(Markup.escaped(title))</h1>\n\(lines.joined(separator: "\n"))</header>"
    }

    /// The first two findings, of several workloads the first of each, and the rest below them.
    private var finding: String {
        let all = findings(for: input.records)
        let first = input.workloads.compactMap { workload in all.first { $0.hasPrefix("\(workload): ") } }
        let lead = input.workloads.count > 1 ? first : Array(all.prefix(2))
        guard !lead.isEmpty else {
            let reason =
                input.records.contains { $0.status == .ok }
                ? "The numbers of this run do not tell the modes apart." : "No run ended well, so there is no finding."
            return Markup.element("div", Markup.paragraph(reason), class: "finding")
        }
        let box = Markup.element(
            "div", lead.map(Markup.paragraph).joined(separator: "\n"), class: "finding")
        let rest = all.filter { !lead.contains($0) }.map { Markup.element("li", Markup.escaped($0)) }
        return box + (rest.isEmpty ? "" : "\n<ul>\(rest.joined(separator: "\n"))</ul>")
    }

    /// A history of many folders can have a page of them.
    private static let mostOpenWarnings = 6

    private var warningBox: String {
        let several = runs.count > 1
        let warnings = runs.flatMap { run in run.warnings.map { several ? "\(run.name): \($0)" : $0 } } + notes
        guard !warnings.isEmpty else { return "" }
        func list(_ warnings: some Sequence<String>) -> String {
            Markup.element("ul", warnings.map { Markup.element("li", Markup.escaped($0)) }.joined(separator: "\n"))
        }
        let (shown, rest) = (warnings.prefix(Self.mostOpenWarnings), warnings.dropFirst(Self.mostOpenWarnings))
        let fold = rest.isEmpty ? "" : Markup.fold("\(rest.count) more", list(rest))
        return "<div class=\"warnings\"><strong>Warnings</strong>\(list(shown))\(fold)</div>"
    }

    // MARK: Pictures and tables

    private var pictureSections: String {
        PictureKind.allCases.compactMap { kind in
            let members = pictures.filter { $0.picture.kind == kind }
            guard !members.isEmpty else { return nil }
            let how = Markup.element("p", Markup.escaped(kind.explanation), class: "how")
            return Markup.section(kind.heading, how + "\n" + members.map(\.html).joined(separator: "\n"))
        }.joined()
    }

    private var tables: String {
        guard !input.records.isEmpty else { return "" }
        let tables = input.workloads.map { workload in
            let groups = ArmRuns.group(input.records.filter { $0.workload == workload })
            let records = Catalog.sorted(groups).flatMap(\.records)
            let (table, notes) = SummaryTable.withSections(of: records, workload: workload)
            let name = input.workloads.count > 1 ? "<h3>\(Markup.escaped(workload))</h3>\n" : ""
            return name + Self.markup(table) + "\n"
                + notes.map { Markup.element("p", Markup.escaped($0), class: "how") }.joined(separator: "\n")
        }
        return Markup.section("Numbers", tables.joined(separator: "\n"))
    }

    private static func markup(_ table: TextTable) -> String {
        func style(_ index: Int) -> String { table.headings[index].alignment == .right ? "n" : "" }
        let head = table.headings.enumerated().map { index, heading in
            let unit = heading.unit.isEmpty ? "" : "<small>\(Markup.escaped(heading.unit))</small>"
            return Markup.element("th", Markup.escaped(heading.title) + unit, class: style(index))
        }.joined()
        let span = table.headings.count
        let body = table.lines.map { line in
            switch line {
            case .cells(let cells):
                let texts = cells.enumerated().map { Markup.element("td", Markup.escaped($1), class: style($0)) }
                return "<tr>\(texts.joined())</tr>"
            case .note(let name, let note):
                return "<tr><td>\(Markup.escaped(name))</td><td colspan=\"\(max(span - 1, 1))\">"
                    + "\(Markup.escaped(note))</td></tr>"
            case .section(let title):
                return "<tr class=\"group\"><td colspan=\"\(span)\">\(Markup.escaped(title))</td></tr>"
            }
        }.joined(separator: "\n")
        return "<div class=\"scroll\" tabindex=\"0\"><table><thead><tr>\(head)</tr></thead><tbody>\n\(body)\n"
            + "</tbody></table></div>"
    }

    // MARK: Claims

    private var claims: String {
        runs.compactMap { run in run.claims.map { claimsTable($0, name: runs.count > 1 ? run.name : "") } }.joined()
    }

    private func claimsTable(_ claims: CSVTable, name: String) -> String {
        let wanted = ["claim", "statement", "verdict", "observed", "detail", "source"]
        let places = wanted.compactMap { claims.header.firstIndex(of: $0) }
        let rows = claims.rows.map { row in
            let cells = places.map { place -> String in
                let isVerdict = claims.header[place] == "verdict"
                let known = ["holds", "does-not-hold", "depends", "unsupported"]
                let style = isVerdict && known.contains(row[place]) ? row[place] : ""
                return Markup.element("td", Markup.escaped(row[place]), class: style)
            }
            return "<tr>\(cells.joined())</tr>"
        }
        let head = places.map { Markup.element("th", Markup.escaped(claims.header[$0])) }.joined()
        let table =
            "<div class=\"scroll wrap\" tabindex=\"0\"><table><thead><tr>\(head)</tr></thead><tbody>\n"
            + rows.joined(separator: "\n") + "\n</tbody></table></div>"
        return Markup.section(name.isEmpty ? "Claims" : "Claims: \(name)", table)
    }

    // MARK: Where it comes from

    private var runSections: String {
        let parts = runs.map { run in
            let facts = Markup.facts(run.facts)
            let repetition = Markup.element("pre", Markup.escaped(run.repetition.joined(separator: "\n")))
            let name = runs.count > 1 ? "<h3>\(Markup.escaped(run.name))</h3>\n" : ""
            return """
                \(name)\(facts)
                <p>The command:</p><pre>\(Markup.escaped(run.command))</pre>
                <p>To repeat it:</p>\(repetition)
                """
        }
        return Markup.section("Machine and command", parts.joined(separator: "\n"))
    }

    private var files: String {
        let folds = runs.flatMap { run in
            run.files.map { file in
                let kilobytes = (file.text.utf8.count + 999) / 1000
                let lines = file.text.utf8.count { $0 == 0x0a }
                let name = runs.count > 1 ? "\(run.name)/\(file.name)" : file.name
                return Markup.fold(
                    "\(name) (\(lines) lines, \(kilobytes) kB)", Markup.element("pre", Markup.escaped(file.text)))
            }
        }
        return folds.isEmpty ? "" : Markup.section("Raw data", folds.joined(separator: "\n"))
    }
}
