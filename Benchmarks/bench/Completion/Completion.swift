import Meters

/// What can stand at a place of a command line.
///
/// The scripts of all shells ask the program: it knows that the default command's options need no command before them,
/// that `--mode lt,e` goes on after the comma, and that behind `--` the options of `bench run` follow.
struct Completion {
    private let tree: CommandTree
    private var command: CommandTree
    /// The words of the command line before the place, but for the program and the command.
    private var before: [String]
    private let isFirst: Bool

    /// - Parameter words: the command line up to the place to complete, the program's name first.
    init(tree: CommandTree, before words: [String]) {
        self.tree = tree
        let words = Array(words.dropFirst())
        let run = tree.command("run") ?? tree
        isFirst = words.isEmpty
        if let name = words.first, let named = name == "help" ? tree : tree.command(name) {
            command = named
            before = Array(words.dropFirst())
        } else {
            command = run
            before = words
        }
        if words.first != "help", let end = before.firstIndex(of: "--"),
            command.arguments?.contains(where: { $0.parsingStrategy == "postTerminator" }) == true
        {
            command = run
            before = Array(before[(end + 1)...])
        }
    }

    /// What the scripts read: the words that begin with `current`, one a line, each with a tab before what it means, or
    /// `:files`, or `:folders`.
    func lines(_ current: String) -> [String] {
        // Zsh and fish keep --option=value in one word, bash makes three of it.
        if current.hasPrefix("--"), let equal = current.firstIndex(of: "=") {
            let name = String(current[..<equal])
            return Self.lines(values(of: name), String(current[current.index(after: equal)...]), before: name + "=")
        }
        if let option = before.last == "=" ? before.dropLast().last : current == "=" ? before.last : nil {
            return Self.lines(values(of: option), current == "=" ? "" : current)
        }
        if let option = pendingOption, !(current.hasPrefix("-") && option.takesSeveral) {
            return Self.lines(values(of: option.option ?? ""), current)
        }
        if current.hasPrefix("-") { return optionLines.filter { $0.hasPrefix(current) } }
        if isFirst || command.commandName == tree.commandName {
            let commands = (tree.subcommands ?? []).map { Self.line($0.commandName, $0.abstract) }
            return (commands + (isFirst ? [Self.line("help", "Shows what a command does.")] : []))
                .filter { $0.hasPrefix(current) }
        }
        let position = OptionValues.ofPosition(command: command)
        if case .free = position { return current.isEmpty ? optionLines : [] }
        return Self.lines(position, current)
    }

    private static func line(_ word: String, _ about: String?) -> String { about.map { "\(word)\t\($0)" } ?? word }

    private var pendingOption: CommandTree.Argument? {
        guard let last = before.last else { return nil }
        if let option = command.options.first(where: { $0.option == last }) {
            return option.kind == "option" ? option : nil
        }
        guard let name = before.last(where: { $0.hasPrefix("--") }) else { return nil }
        return command.options.first { $0.option == name && $0.takesSeveral }
    }

    private func values(of option: String) -> OptionValues { .of(option, command: command.commandName) }

    /// The options that were not given yet, but for those of other workloads than the one that was.
    private var optionLines: [String] {
        let given = before.map { $0.split(separator: "=").first.map(String.init) ?? $0 }
        let workload = Workload(in: before)
        let foreign = RunOptions.workloadGroups.filter { group in
            workload.map { !group.workloads.contains($0) } ?? false
        }
        let own = command.options.filter { option in !foreign.contains { $0.title == option.sectionTitle } }
        let ofProgram: [(String, String?)] = [
            ("--version", "Shows the version."),
            ("--generate-completion-script", "Prints a completion script for a shell."),
        ]
        let all = own.compactMap { own in own.option.map { ($0, own.abstract) } } + (isFirst ? ofProgram : [])
        return all.filter { !given.contains($0.0) }.map { Self.line($0.0, $0.1) }.uniqued
    }

    private static func lines(_ values: OptionValues, _ current: String, before prefix: String = "") -> [String] {
        switch values {
        case .file: return [":files"]
        case .folder: return [":folders"]
        case .free: return []
        case .one(let names): return names.filter { $0.hasPrefix(current) }.map { prefix + $0 }
        case .list(let names):
            let parts = current.listed
            let (done, open) = (parts.dropLast(), parts.last ?? "")
            let left = names.filter {
                $0.hasPrefix(open) && !done.contains($0) && (done.isEmpty || !["all", "everything"].contains($0))
            }
            return left.map { prefix + done.map { $0 + "," }.joined() + $0 }
        }
    }
}
