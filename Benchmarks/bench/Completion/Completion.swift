/// What can stand at a place of a command line.
///
/// The scripts of all shells ask the program: it knows that the default command's options need no command before them,
/// that `--mode lt,e` goes on after the comma, and that behind `--` the options of `bench run` follow.
struct Completion {
    /// What the shell is to offer.
    enum Offer: Equatable {
        /// These words, each with a line about it that may be empty.
        case words([Word])
        /// Files and folders.
        case files
        /// Folders.
        case folders
    }

    /// A word that can stand there.
    struct Word: Equatable {
        let text: String
        var about = ""
    }

    private let tree: CommandTree
    private var command: CommandTree
    /// The words of the command line before the place, but for the program and the command.
    private var before: [String]
    private let isFirst: Bool

    /// Takes apart the words of a command line, the program's name first, up to the place.
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

    /// What the words that begin with `current` are.
    func offer(_ current: String) -> Offer {
        // Zsh and fish keep --option=value in one word, bash makes three of it.
        if current.hasPrefix("--"), let equal = current.firstIndex(of: "=") {
            let name = String(current[..<equal])
            let value = String(current[current.index(after: equal)...])
            return Self.offer(values(of: name), value, before: name + "=")
        }
        if let option = before.last == "=" ? before.dropLast().last : current == "=" ? before.last : nil {
            return Self.offer(values(of: option), current == "=" ? "" : current, before: "")
        }
        if let option = pendingOption, !(current.hasPrefix("-") && option.takesSeveral) {
            return Self.offer(values(of: option.option ?? ""), current, before: "")
        }
        if current.hasPrefix("-") { return .words(optionWords.filter { $0.text.hasPrefix(current) }) }
        if isFirst || command.commandName == tree.commandName {
            let words = (tree.subcommands ?? []).map { Word(text: $0.commandName, about: $0.abstract ?? "") }
            let help = isFirst ? [Word(text: "help", about: "Shows what a command does.")] : []
            return .words((words + help).filter { $0.text.hasPrefix(current) })
        }
        switch Self.offer(OptionValues.ofPosition(command: command), current, before: "") {
        case .words: return .words(current.isEmpty ? optionWords : [])
        case let offer: return offer
        }
    }

    /// The option whose value is to come.
    private var pendingOption: CommandTree.Argument? {
        guard let last = before.last else { return nil }
        if let option = command.options.first(where: { $0.option == last }) {
            return option.kind == "option" ? option : nil
        }
        guard let name = before.last(where: { $0.hasPrefix("--") }) else { return nil }
        return command.options.first { $0.option == name && $0.takesSeveral }
    }

    private func values(of option: String) -> OptionValues { .of(option, command: command.commandName) }

    /// The options that were not given yet.
    private var optionWords: [Word] {
        let given = Set(before.map { $0.split(separator: "=").first.map(String.init) ?? $0 })
        let own = command.options.compactMap { argument in
            argument.option.map { Word(text: $0, about: argument.abstract ?? "") }
        }
        let ofProgram =
            isFirst
            ? [
                Word(text: "--version", about: "Shows the version."),
                Word(text: "--generate-completion-script", about: "Prints what teaches a shell to complete."),
            ] : []
        return (own + ofProgram.filter { word in !own.contains { $0.text == word.text } })
            .filter { !given.contains($0.text) }
    }

    private static func offer(_ values: OptionValues, _ current: String, before prefix: String) -> Offer {
        switch values {
        case .file: return .files
        case .folder: return .folders
        case .free: return .words([])
        case .one(let names):
            return .words(names.filter { $0.hasPrefix(current) }.map { Word(text: prefix + $0) })
        case .list(let names):
            let parts = current.split(separator: ",", omittingEmptySubsequences: false).map(String.init)
            let (done, open) = (parts.dropLast(), parts.last ?? "")
            let left = names.filter { $0.hasPrefix(open) && !done.contains($0) && (done.isEmpty || $0 != "all") }
            let start = prefix + done.map { $0 + "," }.joined()
            return .words(left.map { Word(text: start + $0) })
        }
    }
}

extension Completion.Offer {
    /// As the scripts read it: a word a line, a tab before what it means, or `:files`, or `:folders`.
    var lines: [String] {
        switch self {
        case .files: [":files"]
        case .folders: [":folders"]
        case .words(let words): words.map { $0.about.isEmpty ? $0.text : "\($0.text)\t\($0.about)" }
        }
    }
}
