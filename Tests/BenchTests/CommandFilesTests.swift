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
        let plan = try plan(["\(folder.path("old")) {port}", "exec \(folder.path("new")) --port {port}"])
        try folder.write("compare.json", plan.storedJSON())
        #expect(try InterleavedPlan.read(folder: folder.path("")).sides == plan.sides)
        try folder.write("new", "#!/bin/sh\nexec true\n")
        let error = #expect(throws: Failure.self) { try InterleavedPlan.read(folder: folder.path("")) }
        #expect(error?.exit == .usage)
        #expect(error?.message.contains("/new has changed since") == true, "\(error?.message ?? "")")
    }

    private func plan(_ servers: [String]) throws -> InterleavedPlan {
        try InterleavedPlan(
            binaries: [], servers: servers, arguments: ["--workload", "read"], seed: 1, blocks: 2)
    }

    /// A log is there before, or only after, and a pid file is written anew.
    @Test func whatAServerWritesWhileItRunsIsNoProgram() throws {
        let folder = try BenchFolder()
        for name in ["server", "settings", "log", "pid"] { try folder.write(name, "first\n") }
        let files = ["settings", "log", "pid", "late"].map { folder.path($0) }.joined(separator: " ")
        var plan = try plan(["exec sh \(folder.path("server")) \(files) {port}", "true {port}"])
        for name in ["log", "pid", "late"] { try folder.write(name, "a longer text\n") }
        plan.sides[0].forgetWritten()
        try folder.write("compare.json", plan.storedJSON())
        // The server of another run goes on to write.
        for name in ["log", "pid", "late"] { try folder.write(name, "a text that is longer still\n") }
        #expect(try InterleavedPlan.read(folder: folder.path("")).sides == plan.sides)
        try folder.write("settings", "slow\n")
        let error = #expect(throws: Failure.self) { try InterleavedPlan.read(folder: folder.path("")) }
        #expect(error?.message.contains("/settings has changed since") == true, "\(error?.message ?? "")")
    }

    @Test func aProgramThatWasReplacedWhileItRanIsNamed() throws {
        let folder = try BenchFolder()
        try folder.write("server", "#!/bin/sh\n")
        try FileManager.default.setAttributes([.posixPermissions: 0o755], ofItemAtPath: folder.path("server"))
        var plan = try plan(["\(folder.path("server")) {port}", "true {port}"])
        try folder.write("server", "#!/bin/sh\nexec true\n")
        plan.sides[0].forgetWritten()
        try folder.write("compare.json", plan.storedJSON())
        #expect(throws: Failure.self) { try InterleavedPlan.read(folder: folder.path("")) }
    }
}
