import Foundation
import Testing

/// `Benchmarks/sizes.sh`, which `make lint` runs, finds what is too long.
@Suite struct SizeTests {
    private static let root = URL(filePath: #filePath).deletingLastPathComponent().appending(path: "../..").standardized

    private func check(_ text: String) throws -> (status: Int32, output: [Substring]) {
        let folder = FileManager.default.temporaryDirectory.appending(path: UUID().uuidString)
        defer { try? FileManager.default.removeItem(at: folder) }
        for part in ["Benchmarks", "Sources"] {
            try FileManager.default.createDirectory(
                at: folder.appending(path: part), withIntermediateDirectories: true)
        }
        try text.write(to: folder.appending(path: "Sources/Planted.swift"), atomically: false, encoding: .utf8)
        let process = Process()
        process.executableURL = URL(filePath: "/bin/sh")
        process.arguments = [Self.root.appending(path: "Benchmarks/sizes.sh").path(), folder.path()]
        let output = Pipe()
        (process.standardOutput, process.standardError) = (output, output)
        try process.run()
        let data = try output.fileHandleForReading.readToEnd() ?? Data()
        process.waitUntilExit()
        return (process.terminationStatus, String(decoding: data, as: UTF8.self).split(separator: "\n"))
    }

    private func function(_ head: String, lines: Int) -> String {
        head + "\n" + String(repeating: "    if true { print(\"{\") }\n", count: lines - 2) + "}\n"
    }

    @Test(arguments: [
        "func long() {", "package mutating func long<A>(_ a: A) {", "@inlinable static func long() throws {",
        "func long(_ body: () -> Void = {}, more: Int) {",
    ])
    func aFunctionOfSixtyLinesPassesAndOneMoreDoesNot(_ head: String) throws {
        let protocolText = "protocol P {\n    func asked()\n}\n\n"
        #expect(try check(protocolText + function(head, lines: 60)).status == 0)
        let (status, output) = try check(protocolText + function(head, lines: 61))
        #expect(status == 1 && output.count == 1, "\(output)")
        #expect(output.first == "Sources/Planted.swift:5: long has 61 lines; split it, 60 are the most")
    }

    @Test func shortFunctionsInARowAndInEachOtherPass() throws {
        let short = "func short() { print(\"\"\"\n    {\n    \"\"\") }\n"
        #expect(try check(String(repeating: short, count: 100)).status == 0)
        #expect(try check(function("func outer() {", lines: 50) + function("init() {", lines: 50)).status == 0)
    }

    @Test func aFileHasAtMostThreeHundredAndFiftyLines() throws {
        #expect(try check(String(repeating: "//\n", count: 350)).status == 0)
        let (status, output) = try check(String(repeating: "//\n", count: 351))
        #expect(status == 1 && output.count == 1, "\(output)")
        #expect(output.first?.hasPrefix("Sources/Planted.swift:1: the file has 351 lines") == true, "\(output)")
    }
}
