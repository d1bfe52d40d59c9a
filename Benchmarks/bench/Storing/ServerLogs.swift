import Foundation
import Records

/// What the servers of an invocation print, a file for each in its result folder.
enum ServerLogs {
    private static let folder = "servers"

    /// The file of a server in a result folder.
    static func path(of server: String, in results: String) throws -> String {
        try makeFolder("\(results)/\(folder)", option: "--output")
        let name = String(server.map { $0.isLetter || $0.isNumber || "._-".contains($0) ? $0 : "_" })
        return "\(results)/\(folder)/\(name).log"
    }

    /// Adds what one run's folder has to that of all.
    static func move(from run: String, to results: String) throws {
        let files = (try? FileManager.default.contentsOfDirectory(atPath: "\(run)/\(folder)")) ?? []
        for file in files {
            try makeFolder("\(results)/\(folder)", option: "--output")
            if !FileManager.default.fileExists(atPath: "\(results)/\(folder)/\(file)") {
                try FileManager.default.moveItem(
                    atPath: "\(run)/\(folder)/\(file)", toPath: "\(results)/\(folder)/\(file)")
                continue
            }
            let text = FileManager.default.contents(atPath: "\(run)/\(folder)/\(file)") ?? Data()
            let target = "\(results)/\(folder)/\(file)"
            guard let handle = FileHandle(forWritingAtPath: target) else { continue }
            defer { try? handle.close() }
            try handle.seekToEnd()
            try handle.write(contentsOf: text)
        }
    }
}
