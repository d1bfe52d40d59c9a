import Foundation
import LinuxSockets
import Meters
import SystemPackage

/// A folder of this user alone, in which a server makes its unix socket; it goes with this value and all that is in it.
final class SocketFolder {
    let path: String

    /// Where the server is to listen.
    var socketPath: String { "\(path)/socket" }

    init() throws(RunError) {
        var template = Array("\(Self.parent)/bench-XXXXXX".utf8CString)
        guard unsafe mkdtemp(&template) != nil else {
            throw RunError("mkdtemp in \(Self.parent)", Errno(rawValue: errno))
        }
        path = String(decoding: template.dropLast().map { UInt8(bitPattern: $0) }, as: UTF8.self)
    }

    /// `TMPDIR` where a socket has room below it and the shell takes it for one word.
    private static var parent: String {
        let given = ProcessInfo.processInfo.environment["TMPDIR"] ?? ""
        let isPlain = given.utf8.allSatisfy { byte in
            let character = Character(UnicodeScalar(byte))
            return character.isASCII && (character.isLetter || character.isNumber || "/._-".contains(character))
        }
        return isPlain && given.hasPrefix("/") && given.utf8.count <= 80 ? given : "/tmp"
    }

    deinit { try? FileManager.default.removeItem(atPath: path) }
}
