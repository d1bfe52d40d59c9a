import Foundation
import Testing

@testable import bench

/// A comparison of servers goes on only with what it began with.
@Suite struct CommandFilesTests {
    @Test func theFilesOfACommandAreFound() throws {
        let folder = try BenchFolder()
        try folder.write("server", "#!/bin/sh\n")
        try folder.write("settings", "quick\n")
        let command = "exec sh '\(folder.path("server"))' --config=\(folder.path("settings")) --port {port} nothing"
        let names = FileIdentity.named(in: command).map { URL(filePath: $0.path).lastPathComponent }
        #expect(names.suffix(2) == ["server", "settings"] && names.count == 3)
    }

    @Test func aServerThatWasReplacedIsNamed() throws {
        let folder = try BenchFolder()
        for name in ["old", "new"] { try folder.write(name, "#!/bin/sh\n") }
        let plan = try InterleavedPlan(
            binaries: [], servers: ["\(folder.path("old")) {port}", "exec \(folder.path("new")) --port {port}"],
            arguments: ["--workload", "read"], seed: 1, blocks: 2)
        try folder.write("compare.json", plan.storedJSON())
        #expect(try InterleavedPlan.read(folder: folder.path("")).sides == plan.sides)
        try folder.write("new", "#!/bin/sh\nexec true\n")
        let error = #expect(throws: Failure.self) { try InterleavedPlan.read(folder: folder.path("")) }
        #expect(error?.exit == .usage)
        #expect(error?.message.contains("/new has changed since") == true, "\(error?.message ?? "")")
    }
}
