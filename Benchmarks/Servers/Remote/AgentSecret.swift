import CBenchExtras
import Foundation
import Glibc
import LinuxDescriptors
package import Meters
import SystemPackage

/// What an agent and its coordinator both know. It is never written, printed or put on a command line.
package struct AgentSecret: Sendable {
    let bytes: [UInt8]

    /// Where it can be instead of a file.
    package static let variable = "BENCH_AGENT_SECRET"
    private static let fewestBytes = 16
    private static let mostBytes = 4096

    /// Takes the bytes, without the line feed that an editor puts behind them.
    ///
    /// - Throws: one line if they are too few to withstand guessing.
    package init(_ bytes: [UInt8], from origin: String) throws(RunError) {
        var bytes = bytes
        while let last = bytes.last, [UInt8(ascii: "\n"), UInt8(ascii: "\r")].contains(last) { bytes.removeLast() }
        guard bytes.count >= Self.fewestBytes else {
            throw RunError(
                failed: "\(origin): the secret has \(bytes.count) bytes and needs \(Self.fewestBytes); make one with "
                    + "head -c 24 /dev/urandom | base64")
        }
        guard bytes.count <= Self.mostBytes else {
            throw RunError(failed: "\(origin): the secret has more than \(Self.mostBytes) bytes")
        }
        self.bytes = bytes
    }

    /// Reads a file, which nobody else may be able to read.
    package init(file path: String) throws(RunError) {
        let number = unsafe c_open_at(AT_FDCWD, path)
        guard number >= 0 else { throw RunError("--secret-file \(path)", Errno(rawValue: errno)) }
        let file = OwnedDescriptor(owning: FileDescriptor(rawValue: number))
        var status = stat()
        guard unsafe fstat(file.descriptor.rawValue, &status) == 0, status.st_mode & S_IFMT == S_IFREG else {
            throw RunError(failed: "--secret-file \(path) is no file; name one that holds the secret")
        }
        guard status.st_mode & 0o077 == 0 else {
            throw RunError(failed: "--secret-file \(path) can be read by others; chmod 600 \(path)")
        }
        guard status.st_uid == geteuid() || status.st_uid == 0 else {
            throw RunError(
                failed: "--secret-file \(path) belongs to another user (\(status.st_uid)); make one of your own")
        }
        var bytes = [UInt8](repeating: 0, count: Self.mostBytes + 16)
        let count = unsafe read(file.descriptor.rawValue, &bytes, bytes.count)
        guard count >= 0 else { throw RunError("--secret-file \(path)", Errno(rawValue: errno)) }
        try self.init(Array(bytes.prefix(count)), from: "--secret-file \(path)")
    }

    /// Takes it out of the environment, so that neither programs that are started get it nor `/proc` shows it.
    ///
    /// - Returns: nil if it is not there.
    package static func takenFromEnvironment() throws(RunError) -> AgentSecret? {
        guard let value = unsafe getenv(variable) else { return nil }
        let length = unsafe strlen(value)
        let bytes = (0..<length).map { UInt8(bitPattern: unsafe value[$0]) }
        // What /proc/PID/environ shows is this memory.
        unsafe memset(value, 0, length)
        unsafe unsetenv(variable)
        return try AgentSecret(bytes, from: variable)
    }
}

extension AgentSecret: CustomStringConvertible, CustomReflectable {
    /// Nothing of it.
    package var description: String { "(secret)" }
    /// Nothing of it.
    package var customMirror: Mirror { Mirror(self, children: []) }
}
