import ArgumentParser
import Foundation

/// A command as the parser knows it: its options, and the commands below it.
struct CommandTree: Decodable {
    struct Argument: Decodable {
        struct Name: Decodable {
            let kind: String
            let name: String
        }

        /// `flag`, `option` or `positional`.
        let kind: String
        let names: [Name]?
        let abstract: String?
        /// The heading in the help that it stands under.
        let sectionTitle: String?
        let shouldDisplay: Bool
        let parsingStrategy: String

        /// `--mode`; nil for what has no long name.
        var option: String? { names?.first { $0.kind == "long" }.map { "--" + $0.name } }
        /// Whether what follows is its value up to the next option.
        var takesSeveral: Bool { parsingStrategy == "upToNextOption" }
    }

    let commandName: String
    let abstract: String?
    let subcommands: [CommandTree]?
    let arguments: [Argument]?

    var options: [Argument] { (arguments ?? []).filter { $0.kind != "positional" && $0.shouldDisplay } }

    func command(_ name: String) -> CommandTree? { subcommands?.first { $0.commandName == name } }

    private struct Dump: Decodable {
        let command: CommandTree
    }

    /// A command and all below it; nil if the parser describes them in a way that is not known here.
    static func read(_ root: any ParsableCommand.Type) -> CommandTree? {
        (try? JSONDecoder().decode(Dump.self, from: Data(root._dumpHelp().utf8)))?.command
    }
}
