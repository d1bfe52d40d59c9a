import ArgumentParser

extension RunOptions {
    /// Options of `bench run` that the user gave after `--`.
    static func typed(_ arguments: [String]) throws -> RunOptions {
        var reason = "--resume has no meaning here"
        do {
            let options = try RunOptions.parse(arguments)
            if options.agents.agent != nil {
                throw Failure(
                    .usage,
                    "--agent serves one program at a time, and these runs are made by several; compare modes of one bench run "
                        + "--agent with bench compare --modes")
            }
            if options.hosts.loadHosts != nil {
                throw Failure(
                    .usage,
                    "--load-hosts load for one program at a time, and these runs are made by several; compare modes of one "
                        + "bench run --load-hosts with bench compare --modes")
            }
            if options.resume == nil { return options }
        } catch let failure as Failure {
            throw failure
        } catch {
            reason = RunOptions.message(for: error).split(separator: "\n").first.map(String.init) ?? ""
        }
        throw Failure(.usage, "after --, options of bench run: \(reason)")
    }

    /// The options that another command stands for, the user's among them.
    static func asked(_ arguments: [String], of command: String) throws -> RunOptions {
        do {
            return try RunOptions.parse(arguments)
        } catch {
            let reason = RunOptions.message(for: error).split(separator: "\n").first ?? ""
            throw Failure(.usage, "\(command): \(reason)")
        }
    }

    static func stored(_ description: RunDescription) throws -> RunOptions {
        let stored = description.arguments
        guard stored.first != ChooseCommand.configuration.commandName else {
            throw Failure(.usage, "bench choose cannot go on where it was interrupted; run it again")
        }
        let arguments = stored.first == "run" ? stored.dropFirst() : stored[...]
        do {
            return try RunOptions.parse(Array(arguments))
        } catch {
            let asked = arguments.joined(separator: " ")
            throw Failure(.usage, "this version does not take the stored options '\(asked)'; measure anew")
        }
    }
}

/// The arguments of a stored invocation without some options and their values.
func arguments(_ stored: [String], without names: [String]) -> [String] {
    var kept: [String] = []
    var isValue = false
    for argument in stored {
        let isDropped = names.contains(String(argument.prefix { $0 != "=" }))
        if !isValue && !isDropped { kept.append(argument) }
        isValue = !isValue && isDropped && !argument.contains("=") && argument != "--quiet"
    }
    return kept
}
