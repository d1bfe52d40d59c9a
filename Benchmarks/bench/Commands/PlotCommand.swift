import ArgumentParser
import Foundation
import Pictures

struct PlotCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "plot", abstract: "Draws pictures of result folders with gnuplot.",
        discussion: """
            Writes for each picture NAME.svg, the numbers in NAME.dat and the script NAME.gnuplot that drew it: change \
            the script and run 'gnuplot NAME.gnuplot' in that folder to draw it your way. Prints the pictures' paths.

            Of several folders that hold the same runs, the last one is drawn; two are also compared, the first being \
            the base, and three or more make a history.
            """)

    @Argument(help: "Result folders, as 'bench run' wrote them.")
    var folders: [String]

    @Option(help: "Kinds, separated by commas, of \(PlotCommand.kindList); all that there are data for if not given.")
    var kind: String?

    @Option(help: "svg or png.")
    var format = "svg"

    @Option(help: "Folder for the pictures; 'plots' in the last result folder if not given.")
    var output: String?

    static let kindList = PictureKind.allCases.map(\.rawValue).joined(separator: ", ")

    func run() throws {
        let kinds: [PictureKind]? = try kind?.listed.map { try named($0, "kind") }
        let pictureFormat: PictureFormat = try named(format, "format")
        let (results, isWhole) = try StoredResult.read(folders)
        let folder = output ?? results[results.count - 1].path + "/plots"
        let input = StoredResult.input(results, isCompared: kinds?.contains(.comparison) ?? true)
        let drawn = Pictures(input, kinds: kinds, layout: .wide, format: pictureFormat)
        for note in drawn.notes { complain(note) }
        guard !drawn.pictures.isEmpty else {
            throw Failure(.usage, "nothing was drawn of \(folders.joined(separator: ", "))")
        }
        guard let gnuplot = Gnuplot() else {
            try Gnuplot.write(drawn.pictures, into: folder)
            throw Failure(.nothingSupported, "\(Gnuplot.missing); the scripts are in \(folder)")
        }
        try gnuplot.draw([(folder, drawn.pictures)])
        for picture in drawn.pictures { print("\(folder)/\(picture.name).\(format)") }
        if !isWhole { throw ExitCode(Exit.runFailed.rawValue) }
    }
}
