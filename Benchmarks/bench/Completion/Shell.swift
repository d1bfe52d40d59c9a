import ArgumentParser
import Foundation

enum Shell: String, CaseIterable {
    case bash, zsh, fish

    /// What the shell is to read; it asks the program for the candidates.
    var script: String {
        switch self {
        case .bash: Self.bashScript
        case .zsh: Self.zshScript
        case .fish: Self.fishScript
        }
    }

    private static let bashScript = #"""
        _bench() {
            local program=${COMP_WORDS[0]/#\~/$HOME} current=${COMP_WORDS[COMP_CWORD]} line path
            COMPREPLY=()
            [[ $current == = ]] && current=
            while IFS= read -r line; do
                case $line in
                :files | :folders)
                    compopt -o filenames 2>/dev/null
                    while IFS= read -r path; do
                        COMPREPLY+=("$path")
                    done < <([[ $line == :files ]] && compgen -f -- "$current" || compgen -d -- "$current")
                    ;;
                *) COMPREPLY+=("${line%%$'\t'*}") ;;
                esac
            done < <("$program" ---complete "$COMP_CWORD" "${COMP_WORDS[@]}" 2>/dev/null)
            [[ ${#COMPREPLY[@]} -eq 1 && ${COMPREPLY[0]} == *: ]] && compopt -o nospace 2>/dev/null
            return 0
        }
        complete -F _bench bench

        """#

    private static let zshScript = #"""
        #compdef bench
        _bench() {
            local -a lines described
            local line
            lines=("${(@f)$(${~words[1]} ---complete $((CURRENT - 1)) "${(@)words}" 2>/dev/null)}")
            case $lines[1] in
            :files) compset -P '--*='; _files ;;
            :folders) compset -P '--*='; _files -/ ;;
            '') return 1 ;;
            *)
                for line in $lines; do
                    described+=("${${line%%$'\t'*}//:/\\:}${${line#*$'\t'}:+:${line#*$'\t'}}")
                done
                if [[ $lines[1] == *$'\t'* ]]; then _describe bench described; else compadd -- $lines; fi
                ;;
            esac
        }
        if [[ $funcstack[1] == _bench ]]; then _bench "$@"; else compdef _bench bench; fi

        """#

    private static let fishScript = #"""
        function __bench_complete
            set -l current (commandline -ct)
            set -l words (commandline -opc) "$current"
            set -l lines ($words[1] ---complete (math (count $words) - 1) $words 2>/dev/null)
            switch "$lines[1]"
                case :files
                    __fish_complete_path (string replace -r -- '^--[^=]*=' '' $current)
                case :folders
                    __fish_complete_directories (string replace -r -- '^--[^=]*=' '' $current) ''
                case '*'
                    printf '%s\n' $lines
            end
        end
        complete -c bench -f -a '(__bench_complete)'

        """#

    /// Answers what scripts and those who install them ask; nil if the arguments are of another kind.
    static func answer(_ arguments: [String], for root: any ParsableCommand.Type) throws -> String? {
        let asks = "--generate-completion-script"
        guard let first = arguments.first else { return nil }
        if first == "---complete" { return candidates(Array(arguments.dropFirst()), root) }
        guard first == asks || first.hasPrefix(asks + "=") else { return nil }
        let given = first == asks ? arguments.dropFirst().first : String(first.dropFirst(asks.count + 1))
        let own = ProcessInfo.processInfo.environment["SHELL"].map { URL(filePath: $0).lastPathComponent }
        let shell: Shell = try named(given ?? own ?? "", "shell")
        return shell.script
    }

    /// `INDEX WORD…`: the words of a command line and the place of the one to complete.
    private static func candidates(_ arguments: [String], _ root: any ParsableCommand.Type) -> String {
        guard let index = arguments.first.flatMap({ Int($0) }), index > 0, let tree = CommandTree.read(root) else {
            return ""
        }
        let words = Array(arguments.dropFirst())
        let current = index < words.count ? words[index] : ""
        let completion = Completion(tree: tree, before: Array(words.prefix(index)))
        return completion.lines(current).map { $0 + "\n" }.joined()
    }
}
