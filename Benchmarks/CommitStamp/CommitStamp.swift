import Foundation
import PackagePlugin

/// Builds the commit into the program, so that a result names the code that made it, wherever the program is run.
@main struct CommitStamp: BuildToolPlugin {
    func createBuildCommands(context: PluginContext, target: any Target) -> [Command] {
        let package = context.package.directoryURL
        let output = context.pluginWorkDirectoryURL.appending(path: "Stamp")
        return [
            .prebuildCommand(
                displayName: "Noting the commit", executable: URL(filePath: "/bin/sh"),
                arguments: [
                    package.appending(path: "Benchmarks/CommitStamp/stamp.sh").path, package.path,
                    output.appending(path: "BuiltCommit.swift").path,
                ],
                outputFilesDirectory: output)
        ]
    }
}
