import Glibc
import LinuxDescriptors
import Meters
import SystemPackage

/// The file that a server's output is added to.
struct ServerOutput: ~Copyable {
    private let file: OwnedDescriptor
    private let path: String
    /// Where the output of this server begins.
    private let start: Int

    /// Opens the file, or makes it.
    init(_ path: String) throws(RunError) {
        do throws(Errno) {
            let number = try systemCall {
                unsafe open(path, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, mode_t(0o644))
            }
            file = OwnedDescriptor(owning: FileDescriptor(rawValue: number))
        } catch {
            throw RunError("open \(path) for a server's output", error)
        }
        start = Int(lseek(file.descriptor.rawValue, 0, SEEK_END))
        self.path = path
    }

    /// What the server writes into.
    var descriptor: CInt { file.descriptor.rawValue }

    /// The last line that says something, shortened; nil if there is none.
    var lastWords: String? {
        let reader = unsafe open(path, O_RDONLY | O_CLOEXEC)
        guard reader >= 0 else { return nil }
        defer { close(reader) }
        let end = Int(lseek(reader, 0, SEEK_END))
        var bytes = [UInt8](repeating: 0, count: 4096)
        let from = max(start, end - bytes.count)
        let count = unsafe pread(reader, &bytes, bytes.count, off_t(from))
        guard count > 0 else { return nil }
        let text = String(decoding: bytes.prefix(count), as: UTF8.self)
        let lines = text.split { $0.isNewline }.map { line in line.filter { !$0.isASCII || $0 >= " " } }
        guard let line = lines.last(where: { !$0.allSatisfy(\.isWhitespace) }) else { return nil }
        return line.count > 200 ? line.prefix(200) + "…" : line
    }
}
