import ArgumentParser
import Foundation
import Pictures

struct ReportCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "report", abstract: "Writes one self-contained HTML file about result folders.",
        discussion: """
            The file holds the findings, the pictures, the tables, the machine, the command and the raw rows; it loads \
            nothing and runs nothing. Without gnuplot it has no pictures and says so. Prints the file's path.
            """)

    @Argument(help: "Result folders, as 'bench run' wrote them.")
    var folders: [String]

    @Option(help: "The file; report.html in the last result folder if not given.")
    var output: String?

    func run() throws {
        let (results, isWhole) = try StoredResult.read(folders)
        let file = output ?? results[results.count - 1].path + "/report.html"
        let input = StoredResult.input(results)
        var notes = results.flatMap(\.notes)
        let pictures = try Self.pictures(input, &notes)
        let html = Report(input, runs: results.map { Report.Run($0) }, pictures: pictures, notes: notes).html
        try writeFile(html, to: file, option: "--output")
        print(file)
        if !isWhole { throw ExitCode(Exit.runFailed.rawValue) }
    }

    private static func pictures(_ input: PictureInput, _ notes: inout [String]) throws -> [EmbeddedPicture] {
        let wide = Pictures(input, kinds: nil, layout: .wide, format: .svg)
        let narrow = Pictures(input, kinds: nil, layout: .narrow, format: .svg)
        for note in wide.notes { complain(note) }
        notes += wide.notes
        guard !wide.pictures.isEmpty else { return [] }
        guard let gnuplot = Gnuplot() else {
            complain("\(Gnuplot.missing); the report has no pictures")
            notes.append("There are no pictures: gnuplot was not installed (apt-get install gnuplot-nox).")
            return []
        }
        let folder = FileManager.default.temporaryDirectory.appending(path: "bench-\(UUID().uuidString)")
        defer { try? FileManager.default.removeItem(at: folder) }
        let wideFolder = folder.appending(path: "wide").path(percentEncoded: false)
        let narrowFolder = folder.appending(path: "narrow").path(percentEncoded: false)
        try gnuplot.draw([(wideFolder, wide.pictures), (narrowFolder, narrow.pictures)])
        return try zip(wide.pictures, narrow.pictures).map { wide, narrow in
            EmbeddedPicture(
                wide, wide: try read(wideFolder, wide.name), narrow: try read(narrowFolder, narrow.name))
        }
    }

    private static func read(_ folder: String, _ name: String) throws -> String {
        let file = "\(folder)/\(name).svg"
        guard let bytes = FileManager.default.contents(atPath: file) else {
            throw Failure(.internalError, "gnuplot did not write \(file)")
        }
        return String(decoding: bytes, as: UTF8.self)
    }
}
