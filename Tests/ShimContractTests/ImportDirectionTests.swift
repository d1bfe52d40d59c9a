import Foundation
import Testing

/// Imports run one way: `Benchmarks/imports.sh`, which `make lint` runs, finds those that do not.
@Suite struct ImportDirectionTests {
    private static let root = URL(filePath: #filePath).deletingLastPathComponent().appending(path: "../..").standardized

    private func check(_ folder: URL) throws -> (status: Int32, output: [Substring]) {
        let process = Process()
        process.executableURL = URL(filePath: "/bin/sh")
        process.arguments = [Self.root.appending(path: "Benchmarks/imports.sh").path(), folder.path()]
        let output = Pipe()
        (process.standardOutput, process.standardError) = (output, output)
        try process.run()
        let data = try output.fileHandleForReading.readToEnd() ?? Data()
        process.waitUntilExit()
        return (process.terminationStatus, String(decoding: data, as: UTF8.self).split(separator: "\n"))
    }

    @Test func theSourcesKeepTheDirection() throws {
        let (status, output) = try check(Self.root)
        #expect(status == 0 && output.isEmpty, "\(output)")
    }

    @Test(arguments: [
        ("Sources/LinuxReadiness", "import LinuxRings", "LinuxReadiness must not import LinuxRings"),
        ("Sources/LinuxSockets", "import Meters", "LinuxSockets must not import Meters"),
        ("Benchmarks/Records", "import Glibc", "Records must not import Glibc"),
        ("Benchmarks/Records", "package import LinuxSockets", "Records must not import LinuxSockets"),
        ("Benchmarks/Statistics", "import Records", "Statistics must not import Records"),
        ("Benchmarks/Reports", "@testable import Pictures", "Reports must not import Pictures"),
        ("Benchmarks/Meters", "import enum Records.Status", "Meters must not import Records"),
        ("Benchmarks/Loops", "import Foundation; import Load", "Loops must not import Load"),
        ("Benchmarks/Load/Clients", "    import Loops  // a comment", "Load must not import Loops"),
        ("Benchmarks/Runs", "import Claims", "Runs must not import Claims"),
    ])
    func anArrowBackIsNamedWithItsPlace(_ folder: String, _ line: String, _ message: String) throws {
        let copy = FileManager.default.temporaryDirectory.appending(path: UUID().uuidString)
        defer { try? FileManager.default.removeItem(at: copy) }
        for part in ["Benchmarks", "Sources"] {
            try FileManager.default.createDirectory(at: copy, withIntermediateDirectories: true)
            try FileManager.default.copyItem(at: Self.root.appending(path: part), to: copy.appending(path: part))
        }
        let place = copy.appending(path: folder)
        try FileManager.default.createDirectory(at: place, withIntermediateDirectories: true)
        try "// import Glibc\n\(line)\n".write(
            to: place.appending(path: "Planted.swift"), atomically: false, encoding: .utf8)
        let (status, output) = try check(copy)
        #expect(status == 1 && output.count == 1, "\(output)")
        #expect(output.first?.hasPrefix("\(folder)/Planted.swift:2: \(message)") == true, "\(output)")
    }

    @Test func aFolderWithoutARuleAndOneWithoutSourcesAreRefused() throws {
        let copy = FileManager.default.temporaryDirectory.appending(path: UUID().uuidString)
        defer { try? FileManager.default.removeItem(at: copy) }
        let place = copy.appending(path: "Benchmarks/New")
        try FileManager.default.createDirectory(at: place, withIntermediateDirectories: true)
        try "".write(to: place.appending(path: "New.swift"), atomically: false, encoding: .utf8)
        #expect(try check(copy).status == 64)
        try FileManager.default.createDirectory(
            at: copy.appending(path: "Sources"), withIntermediateDirectories: true)
        let (status, output) = try check(copy)
        #expect(status == 1 && output.first?.hasPrefix("Benchmarks/New/New.swift:1: no rule") == true, "\(output)")
    }
}
