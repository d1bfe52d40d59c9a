import Foundation
import Glibc
import LinuxDescriptors
import SystemPackage
import Workloads

/// One invocation of `bench run` as a process of its own.
enum ChildRun {
    /// How it ended.
    enum Outcome {
        /// With an exit code, and what it said on standard error.
        case exited(code: Int32, lastLine: String)
        /// Stopped because the user wants to stop.
        case interrupted
    }

    /// Runs `binary` and waits for its end; an interruption is handed on.
    static func run(_ binary: String, _ arguments: [String], _ interruption: Interruption) throws -> Outcome {
        let process = Process()
        let messages = Pipe()
        process.executableURL = URL(fileURLWithPath: binary)
        process.arguments = arguments
        process.standardInput = FileHandle.nullDevice
        process.standardOutput = FileHandle.nullDevice
        process.standardError = messages
        do {
            try process.run()
        } catch {
            throw Failure(.usage, "\(binary) cannot be started; name an executable bench")
        }
        // This end must see the end of file when the child is gone.
        try? messages.fileHandleForWriting.close()
        let said = read(messages.fileHandleForReading, of: process, interruption)
        process.waitUntilExit()
        if interruption.isRequested { return .interrupted }
        guard process.terminationReason == .exit else {
            throw Failure(.runFailed, "\(binary) was ended by signal \(process.terminationStatus)")
        }
        let lines = said.split(separator: "\n")
        return .exited(code: process.terminationStatus, lastLine: lines.last.map(String.init) ?? "")
    }

    /// What the child says until it ends. Sleeps in `poll(2)` meanwhile, so as not to disturb the measurement.
    private static func read(_ handle: FileHandle, of process: Process, _ interruption: Interruption) -> String {
        var bytes = Data()
        var waitsForSignal = true
        while true {
            var entries = [
                pollfd(fd: handle.fileDescriptor, events: Int16(POLLIN), revents: 0),
                pollfd(fd: waitsForSignal ? interruption.descriptor.rawValue : -1, events: Int16(POLLIN), revents: 0),
            ]
            guard unsafe poll(&entries, 2, -1) > 0 || errno == EINTR else { break }
            if entries[1].revents != 0 {
                waitsForSignal = false
                process.interrupt()
            }
            guard entries[0].revents != 0 else { continue }
            let more = handle.availableData
            if more.isEmpty { break }
            bytes.append(more)
        }
        return String(decoding: bytes, as: UTF8.self)
    }
}
