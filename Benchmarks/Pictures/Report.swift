package import Records
import Reports

/// A report: everything that is known of one or more result folders, in one HTML file that needs nothing else.
///
/// It holds no script and loads nothing; a policy in its head has the browser see to that. All text that comes from
/// the files is escaped.
package struct Report: Sendable {
    package struct Run: Sendable {
        package var name: String
        /// What `bench choose` says of the runs, a sentence each, the recommendation first.
        package var answer: [String]
        package var facts: [(name: String, value: String)]
        package var command: String
        package var repetition: [String]
        package var warnings: [String]
        package var files: [(name: String, text: String)]
        package var claims: CSVTable?

        package init(
            name: String, answer: [String] = [], facts: [(name: String, value: String)], command: String,
            repetition: [String], warnings: [String], files: [(name: String, text: String)], claims: CSVTable?
        ) {
            self.name = name
            self.answer = answer
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

    package var html: String {
        let policy = "default-src 'none'; style-src 'unsafe-inline'; img-src data:"
        let body = [header, recommendation, finding, warningBox, pictureSections, tables, claims, runSections, files]
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

    private var header: String {
        let catalogs = input.workloads.map { Catalog(input, workload: $0) }.filter { !$0.arms.isEmpty }
        let lines = catalogs.map { catalog in
            let name = input.workloads.count > 1 ? ["\(catalog.workload): "] : []
            return Markup.element(
                "p", Markup.escaped(name.joined() + catalog.subtitle.joined(separator: " · ")), class: "meta")
        }
        return "<header><h1>\(Markup.escaped(title))</h1>\n\(lines.joined(separator: "\n"))</header>"
    }

    /// What to take, of each choice that was made.
    private var recommendation: String {
        runs.compactMap { run in
            guard let first = run.answer.first else { return nil }
            let rest = run.answer.dropFirst().map { Markup.element("li", Markup.escaped($0)) }
            return Markup.element("div", Markup.paragraph(first), class: "finding")
                + (rest.isEmpty ? "" : "\n<ul>\(rest.joined(separator: "\n"))</ul>")
        }.joined(separator: "\n")
    }

    /// The answer of each workload and what weakens it; below, what is odd.
    private var finding: String {
        // A choice has its answer, and measured less of what it dropped.
        let choices = Set(runs.filter { !$0.answer.isEmpty }.map(\.name))
        let others = input.folders.filter { !choices.contains($0.name) }
        guard !others.isEmpty || choices.isEmpty else { return "" }
        let records = PictureInput(others).records
        let all = workloadFindings(for: records)
        let several = all.count > 1
        func named(_ sentences: [String], of found: WorkloadFindings) -> [String] {
            several ? sentences.map { "\(found.workload): \($0)" } : sentences
        }
        let answers = all.map { found in
            let missing = "\(found.workload): \(Self.missingAnswer(records, workload: found.workload))"
            return (found.answers.isEmpty ? [missing] : found.answers).map(Markup.paragraph).joined(separator: "\n")
                + named(found.cautions, of: found).map {
                    Markup.element("p", Markup.escaped($0), class: "caution")
                }.joined(separator: "\n")
        }
        let lead = answers.isEmpty ? [Markup.paragraph("No run ended well, so there is no finding.")] : answers
        let oddities = all.flatMap { named($0.oddities, of: $0) }.map { Markup.element("li", Markup.escaped($0)) }
        return Markup.element("div", lead.joined(separator: "\n"), class: "finding")
            + (oddities.isEmpty ? "" : "\n<ul>\(oddities.joined(separator: "\n"))</ul>")
    }

    private static func missingAnswer(_ records: [RunRecord], workload: String) -> String {
        records.contains { $0.workload == workload && $0.status == .ok }
            ? "What a mode costs the server was not measured." : "No run ended well, so there is no finding."
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

    private var pictureSections: String {
        PictureKind.allCases.compactMap { kind in
            let members = pictures.filter { $0.picture.kind == kind }
            guard !members.isEmpty else { return nil }
            let how = Markup.element("p", Markup.escaped(kind.explanation), class: "how")
            // Heading and first picture stay on one page.
            let head = "<h2>\(Markup.escaped(kind.heading))</h2>\n\(how)\n\(members[0].html)"
            return "<section>\n\(Markup.element("div", head, class: "block"))\n"
                + members.dropFirst().map(\.html).joined(separator: "\n") + "\n</section>\n"
        }.joined()
    }

    private var tables: String {
        guard !input.records.isEmpty else { return "" }
        let tables = input.workloads.map { workload in
            let name = input.workloads.count > 1 ? "<h3>\(Markup.escaped(workload))</h3>\n" : ""
            return name + ReportTable(Catalog(input, workload: workload)).html
        }
        return Markup.section("Numbers", tables.joined(separator: "\n"))
    }

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

    private var runSections: String {
        let parts = runs.map { run in
            let facts = Markup.facts(run.facts)
            let repetition = Self.command(run.repetition.joined(separator: "\n"))
            let name = runs.count > 1 ? "<h3>\(Markup.escaped(run.name))</h3>\n" : ""
            return """
                \(name)\(facts)
                <p class="lead">The command:</p>\(Self.command(run.command))
                <p class="lead">To repeat it:</p>\(repetition)
                """
        }
        return Markup.section("Machine and command", parts.joined(separator: "\n"))
    }

    /// Wrapped where it is longer than a line: what is cut off cannot be repeated.
    private static func command(_ text: String) -> String {
        Markup.element("pre", Markup.escaped(text), class: "command")
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
