import Foundation
import PackagePlugin

/// Builds the commit into the program, so that a result names the code that made it, wherever the program is run.
@main struct CommitStamp: BuildToolPlugin {
    func createBuildCommands(context: PluginContext, target: any Target) -> [Command] {
        let package = context.package.directoryURL
        let script = package.appending(path: "Benchmarks/CommitStamp/stamp.sh")
        let output = context.pluginWorkDirectoryURL.appending(path: "BuiltCommit.swift")
        // A commit and a change of the sources are what makes another stamp.
        let history = [".git/logs/HEAD", ".git/index"].map { package.appending(path: $0) }
            .filter { FileManager.default.fileExists(atPath: $0.path) }
        let sources = context.package.targets.compactMap { $0.sourceModule }.flatMap { $0.sourceFiles.map(\.url) }
        return [
            .buildCommand(
                displayName: "Noting the commit", executable: URL(filePath: "/bin/sh"),
                arguments: [script.path, package.path, output.path], inputFiles: [script] + history + sources,
                outputFiles: [output])
        ]
    }
}
