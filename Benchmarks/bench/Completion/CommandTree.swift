import ArgumentParser
import Foundation

/// A command as the parser knows it: its options, and the commands below it.
struct CommandTree: Decodable {
    /// One argument of a command.
    struct Argument: Decodable {
        struct Name: Decodable {
            let kind: String
            let name: String
        }

        /// `flag`, `option` or `positional`.
        let kind: String
        let names: [Name]?
        let abstract: String?
        let shouldDisplay: Bool
        let isRepeating: Bool
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

    /// The options that the help shows.
    var options: [Argument] { (arguments ?? []).filter { $0.kind != "positional" && $0.shouldDisplay } }

    /// The command called `name` below this one.
    func command(_ name: String) -> CommandTree? { subcommands?.first { $0.commandName == name } }

    private struct Dump: Decodable {
        let command: CommandTree
    }

    /// All of `bench`; nil if the parser describes it in a way that is not known here.
    static func read() -> CommandTree? {
        (try? JSONDecoder().decode(Dump.self, from: Data(Bench._dumpHelp().utf8)))?.command
    }
}
