import Foundation

/// A file as it was when an invocation began, which tells whether it was replaced since.
struct FileIdentity: Codable, Equatable {
    var path: String
    var sizeBytes: UInt64
    var modifiedAt: String

    /// Nil if there is no such file.
    init?(_ path: String) {
        let resolved = URL(fileURLWithPath: path).resolvingSymlinksInPath().path
        guard let attributes = try? FileManager.default.attributesOfItem(atPath: resolved),
            attributes[.type] as? FileAttributeType == .typeRegular
        else { return nil }
        self.path = resolved
        sizeBytes = (attributes[.size] as? NSNumber)?.uint64Value ?? 0
        modifiedAt = (attributes[.modificationDate] as? Date)?.formatted(Self.fraction) ?? ""
    }

    /// Whether it may be executed.
    var isProgram: Bool { FileManager.default.isExecutableFile(atPath: path) }

    private static let fraction = Date.ISO8601FormatStyle(includingFractionalSeconds: true)

    /// The files that a command of the shell names: programs, also those that the shell finds in `PATH`, and scripts and
    /// configurations among the arguments. What the shell makes of variables is not seen.
    static func named(in command: String) -> [FileIdentity] {
        let folders = (ProcessInfo.processInfo.environment["PATH"] ?? "").split(separator: ":")
        let marks = CharacterSet.whitespacesAndNewlines.union(CharacterSet(charactersIn: "'\";&|()<>="))
        let words = command.components(separatedBy: marks).filter { !$0.isEmpty }.uniqued
        return words.compactMap { word in
            if let file = FileIdentity(word) { return file }
            guard !word.contains("/") else { return nil }
            return folders.lazy.compactMap { FileIdentity("\($0)/\(word)") }.first
        }
    }
}
