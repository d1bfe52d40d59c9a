import Foundation
import LinuxSockets
import Meters
import SystemPackage

/// A folder in which a server makes its unix socket; it goes with this value and the files in it.
///
/// Of an ordinary user it is closed to others, since what that user starts stays that user's. What root starts may become
/// another user before it binds, and who that will be is not known. So root's is open to everybody, but is no place where
/// a stranger could stand in for the server:
/// - the socket's name is random and names are not listed, so that only those know it who see the server's command;
/// - the folder is sticky, so that nobody but its owner removes the socket once it is there, and a stranger who was first
///   makes the server fail to bind, and does not serve for it;
/// - who listens is asked of the kernel, and refused if it is a user whom the server does not run as;
/// - it is closed again before it is removed, and only files right in it are, so that root follows no path of others.
final class SocketFolder {
    let path: String
    /// Whether others may make files in it.
    let isOpen: Bool

    /// Where the server is to listen.
    let socketPath: String

    init() throws(RunError) {
        isOpen = geteuid() == 0
        let parent = Self.parent(open: isOpen)
        var template = Array("\(parent)/bench-XXXXXX".utf8CString)
        guard unsafe mkdtemp(&template) != nil else { throw RunError("mkdtemp in \(parent)", Errno(rawValue: errno)) }
        path = String(decoding: template.dropLast().map { UInt8(bitPattern: $0) }, as: UTF8.self)
        socketPath = path + "/" + String((0..<12).map { _ in "abcdefghijklmnopqrstuvwxyz0123456789".randomElement()! })
        if isOpen, unsafe chmod(path, 0o1733) != 0 {
            let error = Errno(rawValue: errno)
            _ = unsafe rmdir(path)
            throw RunError("chmod of \(path)", error)
        }
    }

    /// `TMPDIR` where a socket has room below it, the shell takes it for one word and whoever is to get there can.
    private static func parent(open isOpen: Bool) -> String {
        let given = ProcessInfo.processInfo.environment["TMPDIR"] ?? ""
        let isPlain = given.utf8.allSatisfy { byte in
            let character = Character(UnicodeScalar(byte))
            return character.isASCII && (character.isLetter || character.isNumber || "/._-".contains(character))
        }
        guard isPlain, given.hasPrefix("/"), given.utf8.count <= 80 else { return "/tmp" }
        return !isOpen || folders(to: given + "/").allSatisfy(isSearchedByAll) ? given : "/tmp"
    }

    private static func isSearchedByAll(_ folder: String) -> Bool {
        var status = stat()
        return unsafe stat(folder, &status) == 0 && status.st_mode & S_IXOTH != 0
    }

    deinit {
        if isOpen { _ = unsafe chmod(path, 0o700) }
        for name in (try? FileManager.default.contentsOfDirectory(atPath: path)) ?? [] {
            _ = unsafe unlink("\(path)/\(name)")
        }
        _ = unsafe rmdir(path)
    }
}
